//! Roots, proofs, tiles and verdicts against ct-merkle, rs_merkle and tlog_tiles: for every index at every size to 256,
//! and at random sizes to a million.
//!
//! The random tests print their seed; `AIRTIGHT_SEED` runs one again.
#![allow(clippy::disallowed_methods, reason = "tests are free of the ban list of clippy.toml")]

use std::hash::{BuildHasher, Hasher as _, RandomState};

use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rs_merkle::{Hasher, MerkleTree};
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash as TlogHash, HashReader};

use airtight_log::digest::{Hash, LeafIndex, TreeSize};
use airtight_log::proofs::{consistency, inclusion, verify_consistency, verify_inclusion};
use airtight_log::tiles::{entry_bundles, hash_tile_bytes, hash_tiles};
use airtight_log::tree::{Forest, leaf_hash, root};

type CtMerkle = MemoryBackedTree<Sha256, Vec<u8>>;

/// RFC 6962 in the terms of rs_merkle: a node without a right sibling rises unchanged.
#[derive(Clone)]
struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(content: &[u8]) -> [u8; 32] {
        Sha256::digest(content).into()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        match right {
            Some(right) => Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into(),
            None => *left,
        }
    }
}

/// The hashes that tlog_tiles keeps, in its own order.
#[derive(Default)]
struct Stored(Vec<TlogHash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<TlogHash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|&index| self.0[index as usize]).collect())
    }
}

/// One log in every implementation.
#[derive(Default)]
struct Logs {
    ours: Forest,
    leaves: Vec<[u8; 32]>,
    ct_merkle: CtMerkle,
    tlog: Stored,
}

impl Logs {
    fn grow_to(&mut self, size: u64) {
        for i in self.leaves.len() as u64..size {
            let entry = format!("entry-{i}").into_bytes();
            let hash = leaf_hash(&entry);
            self.ours.push(hash);
            self.leaves.push(*hash.as_bytes());
            let stored = tlog_tiles::stored_hashes(i, &entry, &self.tlog).unwrap();
            self.tlog.0.extend(stored);
            self.ct_merkle.push(entry);
        }
    }

    fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn root(&mut self) -> Hash {
        let size = size(self.size());
        root(&mut self.ours, size).unwrap()
    }

    fn check_root(&mut self) {
        let (n, root) = (self.size(), self.root());
        assert_eq!(self.ct_merkle.root().as_bytes().as_slice(), root.as_bytes(), "ct-merkle, size {n}");
        assert_eq!(tlog_tiles::tree_hash(n, &self.tlog).unwrap().0, *root.as_bytes(), "tlog_tiles, size {n}");
    }

    fn check_inclusion(&mut self, index: u64) {
        let (n, root) = (self.size(), self.root());
        let proof = inclusion(&mut self.ours, LeafIndex::new(index).unwrap(), size(n)).unwrap();
        assert_eq!(
            self.ct_merkle.prove_inclusion(index as usize).as_bytes(),
            flat(&proof),
            "ct-merkle, {index} of {n}"
        );
        let theirs = tlog_tiles::prove_record(n, index, &self.tlog).unwrap();
        assert_eq!(theirs, tlog(&proof), "tlog_tiles, {index} of {n}");
        let leaf = Hash::from_bytes(self.leaves[index as usize]);
        assert_eq!(verify_inclusion(&leaf, LeafIndex::new(index).unwrap(), size(n), &proof, &root), Ok(()));
    }

    fn check_consistency(&mut self, old: u64) {
        let (n, new_root) = (self.size(), self.root());
        let proof = consistency(&mut self.ours, size(old), size(n)).unwrap();
        let theirs = self.ct_merkle.prove_consistency((n - old) as usize);
        assert_eq!(theirs.as_bytes(), flat(&proof), "ct-merkle, {old} to {n}");
        let theirs_too = tlog_tiles::prove_tree(n, old, &self.tlog).unwrap();
        assert_eq!(theirs_too, tlog(&proof), "tlog_tiles, {old} to {n}");
        let old_root = root(&mut self.ours, size(old)).unwrap();
        assert_eq!(verify_consistency(size(old), size(n), &old_root, &new_root, &proof), Ok(()));
        let in_ct_merkle = |root: &Hash, size| RootHash::<Sha256>::new((*root.as_bytes()).into(), size);
        in_ct_merkle(&new_root, n).verify_consistency(&in_ct_merkle(&old_root, old), &theirs).unwrap();
    }

    /// rs_merkle builds a tree at once, so it is asked apart.
    fn check_rs_merkle(&mut self, indexes: impl Iterator<Item = u64>) {
        let (n, root) = (self.size(), self.root());
        let theirs = MerkleTree::<Rfc6962>::from_leaves(&self.leaves);
        assert_eq!(theirs.root().as_ref(), Some(root.as_bytes()), "rs_merkle, size {n}");
        for index in indexes {
            let proof = inclusion(&mut self.ours, LeafIndex::new(index).unwrap(), size(n)).unwrap();
            let hashes: Vec<[u8; 32]> = proof.iter().map(|hash| *hash.as_bytes()).collect();
            assert_eq!(theirs.proof(&[index as usize]).proof_hashes(), hashes, "rs_merkle, {index} of {n}");
        }
    }
}

fn size(size: u64) -> TreeSize {
    TreeSize::new(size).unwrap()
}

fn flat(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn tlog(proof: &[Hash]) -> Vec<TlogHash> {
    proof.iter().map(|hash| TlogHash(*hash.as_bytes())).collect()
}

/// SplitMix64, seeded by `AIRTIGHT_SEED` or at random; the seed is printed.
struct Random(u64);

impl Random {
    fn new(test: &str) -> Self {
        let seed = match std::env::var("AIRTIGHT_SEED") {
            Ok(seed) => seed.parse().expect("AIRTIGHT_SEED is a decimal number"),
            Err(_) => RandomState::new().build_hasher().finish(),
        };
        println!("{test}: AIRTIGHT_SEED={seed}");
        Self(seed)
    }

    /// A number below `end`, near enough to uniform.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

#[test]
fn every_root_and_proof_to_size_256_is_theirs() {
    let mut logs = Logs::default();
    for n in 1..=256 {
        logs.grow_to(n);
        logs.check_root();
        (0..n).for_each(|index| logs.check_inclusion(index));
        (1..=n).for_each(|old| logs.check_consistency(old));
        logs.check_rs_merkle(0..n);
    }
}

#[test]
fn roots_and_proofs_at_random_sizes_to_a_million_are_theirs() {
    let mut random = Random::new("random sizes");
    let mut sizes: Vec<u64> = (0..8).map(|_| 1 + random.below(1_000_000)).collect();
    // Half of the sizes lie below 2^17, where a small proof is likely.
    sizes.extend((0..8).map(|bits| 1 + random.below(1 << (10 + bits))));
    sizes.sort_unstable();
    let mut logs = Logs::default();
    for n in sizes {
        logs.grow_to(n);
        logs.check_root();
        let mut indexes: Vec<u64> = (0..100).map(|_| random.below(n)).collect();
        indexes.extend([0, n - 1]);
        for &index in &indexes {
            logs.check_inclusion(index);
            logs.check_consistency(index + 1);
        }
        logs.check_rs_merkle(indexes.into_iter());
    }
}

#[test]
fn tiles_have_the_names_and_bytes_of_tlog_tiles() {
    let mut random = Random::new("tiles");
    let mut logs = Logs::default();
    logs.grow_to(70_000);
    let named = |tile: &tlog_tiles::Tile| tile.path().replacen("tile/8/", "tile/", 1);
    for round in 0..200 {
        let new = 1 + random.below(if round < 100 { 70_000 } else { 700 });
        let old = random.below(new + 1);
        let theirs = tlog_tiles::Tile::new_tiles(8, old, new);
        let ours: Vec<_> = hash_tiles(size(old), size(new)).collect();
        let names: Vec<String> = ours.iter().map(ToString::to_string).collect();
        assert_eq!(names, theirs.iter().map(named).collect::<Vec<_>>(), "{old} to {new}");
        let entries =
            theirs.iter().filter(|tile| tile.level() == 0).map(|tile| named(tile).replacen("0", "entries", 1));
        let bundles: Vec<String> = entry_bundles(size(old), size(new)).map(|tile| tile.to_string()).collect();
        assert_eq!(bundles, entries.collect::<Vec<_>>(), "{old} to {new}");
        let last = ours.len().saturating_sub(4);
        for (ours, theirs) in ours.iter().zip(&theirs).skip(last) {
            assert_eq!(hash_tile_bytes(&mut logs.ours, ours).unwrap(), theirs.read_data(&logs.tlog).unwrap(), "{ours}");
        }
    }
}

#[test]
fn a_proof_changed_at_random_is_judged_as_tlog_tiles_judges_it() {
    let mut random = Random::new("verdicts");
    let mut logs = Logs::default();
    logs.grow_to(64);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let n = 1 + random.below(64);
        let index = random.below(n);
        let mut proof = inclusion(&mut logs.ours, LeafIndex::new(index).unwrap(), size(n)).unwrap();
        let root_of_n = root(&mut logs.ours, size(n)).unwrap();
        // Claims another size or index, or changes a hash or the length, or nothing.
        let (mut claimed_n, mut claimed_index) = (n, index);
        match random.below(6) {
            0 => claimed_n = random.below(66),
            1 => claimed_index = random.below(66),
            2 => drop(proof.pop()),
            3 => proof.push(root_of_n),
            4 if !proof.is_empty() => {
                let at = random.below(proof.len() as u64) as usize;
                proof[at] = root_of_n;
            }
            _ => {}
        }
        let leaf = logs.leaves[index as usize];
        let ours = verify_inclusion(
            &Hash::from_bytes(leaf),
            LeafIndex::new(claimed_index).unwrap(),
            size(claimed_n),
            &proof,
            &root_of_n,
        );
        let theirs = tlog_tiles::check_record(
            &tlog(&proof),
            claimed_n,
            TlogHash(*root_of_n.as_bytes()),
            claimed_index,
            TlogHash(leaf),
        );
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{index} of {n} claimed as {claimed_index} of {claimed_n}: {ours:?}");
        if ours.is_ok() { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn a_consistency_proof_changed_at_random_is_judged_as_tlog_tiles_judges_it() {
    let mut random = Random::new("consistency verdicts");
    let mut logs = Logs::default();
    logs.grow_to(64);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let n = 1 + random.below(64);
        let m = 1 + random.below(n);
        let mut proof = consistency(&mut logs.ours, size(m), size(n)).unwrap();
        let old_root = root(&mut logs.ours, size(m)).unwrap();
        let new_root = root(&mut logs.ours, size(n)).unwrap();
        let (mut claimed_m, mut claimed_n) = (m, n);
        match random.below(6) {
            0 => claimed_n = random.below(66),
            1 => claimed_m = random.below(66),
            2 => drop(proof.pop()),
            3 => proof.push(old_root),
            4 if !proof.is_empty() => {
                let at = random.below(proof.len() as u64) as usize;
                proof[at] = new_root;
            }
            _ => {}
        }
        let ours = verify_consistency(size(claimed_m), size(claimed_n), &old_root, &new_root, &proof);
        let theirs = tlog_tiles::check_tree(
            &tlog(&proof),
            claimed_n,
            TlogHash(*new_root.as_bytes()),
            claimed_m,
            TlogHash(*old_root.as_bytes()),
        );
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{m} to {n} claimed as {claimed_m} to {claimed_n}: {ours:?}");
        if ours.is_ok() { accepted += 1 } else { refused += 1 }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}
