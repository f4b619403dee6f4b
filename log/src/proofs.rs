//! Inclusion and consistency proofs of RFC 6962 §2.1.1 and §2.1.2, made from a tree and checked without one.
//!
//! | proof | says | hashes in order |
//! |---|---|---|
//! | inclusion (leaf index, tree size) | this leaf is at this index under this root | the leaf's sibling first, the root's child last |
//! | consistency (old size, new size) | the new tree begins with all of the old one, unchanged | RFC 6962 §2.1.2, PROOF |
//!
//! Checking follows the loops of RFC 9162 §2.1.3.2 and §2.1.4.2, after the exact length has been checked: the two
//! positions alone say how many hashes a proof has, so no hash can be missing, left over or ignored. A proof has at
//! most 48 hashes for inclusion and 49 for consistency.
//!
//! Where we are stricter, or must say what an RFC leaves open:
//! * an old size of 0 is an error: every tree begins with the empty one, so such a proof shows nothing. A protocol that
//!   allows it (C2SP tlog-witness) must ask for an empty proof by itself.
//! * equal sizes need an empty proof and equal roots.
//!
//! A proof shows nothing about its size and root: those must come from a checkpoint whose signature was verified. With
//! a size of the attacker's choice, other indexes can be "proven" by the same hashes.

use crate::digest::{Hash, LeafIndex, TreeSize};
use crate::tree::{Nodes, node_hash, range_root};

/// The largest number of hashes that any proof in a tree of at most 2^48 entries has.
pub const PROOF_LEN_MAX: usize = 49;

/// Makes the proof that the entry at `index` is in the tree of the first `size` entries (RFC 6962 §2.1.1, PATH).
///
/// # Errors
/// [`ProofError::IndexOutside`] if the tree has no such entry, [`ProofError::Nodes`] with the error of the source.
pub fn inclusion<N: Nodes>(nodes: &mut N, index: LeafIndex, size: TreeSize) -> Result<Vec<Hash>, ProofError<N::Error>> {
    if !size.holds(index) {
        return Err(ProofError::IndexOutside { index, size });
    }
    let mut proof = Vec::with_capacity(Path::new(0, index.get(), size.get()).len());
    push_path(nodes, 0, index.get(), size.get(), &mut proof).map_err(ProofError::Nodes)?;
    Ok(proof)
}

/// Makes the proof that the tree of `new` entries begins with the tree of `old` entries (RFC 6962 §2.1.2, PROOF).
///
/// # Errors
/// [`ProofError::OldSizeZero`] and [`ProofError::OldAboveNew`] if there is no such proof, [`ProofError::Nodes`] with
/// the error of the source.
pub fn consistency<N: Nodes>(nodes: &mut N, old: TreeSize, new: TreeSize) -> Result<Vec<Hash>, ProofError<N::Error>> {
    let (m, n) = (old.get(), new.get());
    if m == 0 {
        return Err(ProofError::OldSizeZero);
    }
    if m > n {
        return Err(ProofError::OldAboveNew { old, new });
    }
    if m == n {
        return Ok(Vec::new());
    }
    // The proof is the path of the last complete subtree of the old tree, with that subtree itself in front, unless
    // it is the whole old tree, whose root the verifier has.
    let level = m.trailing_zeros();
    let index = (m - 1) >> level;
    let mut proof = Vec::with_capacity(consistency_len(m, n));
    if index != 0 {
        proof.push(nodes.node(level as u8, index).map_err(ProofError::Nodes)?);
    }
    push_path(nodes, level, index, n, &mut proof).map_err(ProofError::Nodes)?;
    Ok(proof)
}

/// Checks that the leaf with this hash is at `index` in the tree of this size and root (RFC 9162 §2.1.3.2).
///
/// Allocates nothing.
///
/// # Errors
/// [`InclusionRefusal`], one variant for each way in which it is not so.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), InclusionRefusal> {
    if !size.holds(index) {
        return Err(InclusionRefusal::IndexOutside { index, size });
    }
    let expected = Path::new(0, index.get(), size.get()).len();
    if proof.len() != expected {
        return Err(InclusionRefusal::ProofLength { index, size, len: proof.len(), expected });
    }
    // fn and sn of RFC 9162 §2.1.3.2: the node on the path, and the last node of its level.
    let (mut on_path, mut last) = (index.get(), size.get() - 1);
    let mut computed = *leaf_hash;
    for sibling in proof {
        if on_path & 1 == 1 || on_path == last {
            computed = node_hash(sibling, &computed);
            // A last node without a right sibling rises until it is a right child.
            let up = on_path.trailing_zeros();
            on_path >>= up + 1;
            last >>= up + 1;
        } else {
            computed = node_hash(&computed, sibling);
            on_path >>= 1;
            last >>= 1;
        }
    }
    if computed != *root {
        return Err(InclusionRefusal::RootMismatch { computed, root: *root });
    }
    Ok(())
}

/// Checks that the tree of size `new` and root `new_root` begins with the tree of size `old` and root `old_root`
/// (RFC 9162 §2.1.4.2).
///
/// Allocates nothing.
///
/// # Errors
/// [`ConsistencyRefusal`], one variant for each way in which it is not so; an old size of 0 is an error.
pub fn verify_consistency(
    old: TreeSize,
    new: TreeSize,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ConsistencyRefusal> {
    let (m, n) = (old.get(), new.get());
    if m == 0 {
        return Err(ConsistencyRefusal::OldSizeZero);
    }
    if m > n {
        return Err(ConsistencyRefusal::OldAboveNew { old, new });
    }
    let expected = if m == n { 0 } else { consistency_len(m, n) };
    if proof.len() != expected {
        return Err(ConsistencyRefusal::ProofLength { old, new, len: proof.len(), expected });
    }
    if m == n {
        return if old_root == new_root {
            Ok(())
        } else {
            Err(ConsistencyRefusal::SameSizeOtherRoot { size: new, old_root: *old_root, new_root: *new_root })
        };
    }
    let (first, rest) = match proof {
        rest if m.is_power_of_two() => (*old_root, rest),
        [first, rest @ ..] => (*first, rest),
        [] => unreachable!("invariant: the length was checked, and an old size that is no power of two needs a hash"),
    };
    // fn and sn of RFC 9162 §2.1.4.2, both moved up to the last complete subtree of the old tree.
    let level = m.trailing_zeros();
    let (mut on_path, mut last) = ((m - 1) >> level, (n - 1) >> level);
    let (mut computed_old, mut computed_new) = (first, first);
    for sibling in rest {
        if on_path & 1 == 1 || on_path == last {
            computed_old = node_hash(sibling, &computed_old);
            computed_new = node_hash(sibling, &computed_new);
            let up = on_path.trailing_zeros();
            on_path >>= up + 1;
            last >>= up + 1;
        } else {
            computed_new = node_hash(&computed_new, sibling);
            on_path >>= 1;
            last >>= 1;
        }
    }
    if computed_old != *old_root {
        return Err(ConsistencyRefusal::OldRootMismatch { computed: computed_old, root: *old_root });
    }
    if computed_new != *new_root {
        return Err(ConsistencyRefusal::NewRootMismatch { computed: computed_new, root: *new_root });
    }
    Ok(())
}

/// Where the path of a node to the root turns: below `inner` levels every node has a sibling; above, the path runs
/// along the right edge and has a (left) sibling only where a bit of the index is set.
struct Path {
    inner: u32,
    border: u32,
}

impl Path {
    /// The path of node (`level`, `index`) in a tree of `size` leaves, which has that node.
    fn new(level: u32, index: u64, size: u64) -> Self {
        let inner = u64::BITS - (index ^ ((size - 1) >> level)).leading_zeros();
        Self { inner, border: (index >> inner).count_ones() }
    }

    fn len(&self) -> usize {
        (self.inner + self.border) as usize
    }
}

/// The number of hashes in a consistency proof, for 0 < m < n.
fn consistency_len(m: u64, n: u64) -> usize {
    let level = m.trailing_zeros();
    Path::new(level, (m - 1) >> level, n).len() + usize::from(!m.is_power_of_two())
}

/// Appends the siblings on the way from node (`level`, `index`) to the root of the first `size` leaves.
fn push_path<N: Nodes>(
    nodes: &mut N,
    level: u32,
    index: u64,
    size: u64,
    proof: &mut Vec<Hash>,
) -> Result<(), N::Error> {
    let path = Path::new(level, index, size);
    let (mut level, mut index) = (level, index);
    for step in 1..=path.inner {
        let sibling = index ^ 1;
        proof.push(if step < path.inner {
            nodes.node(level as u8, sibling)?
        } else {
            // The top of the inner part: its right child holds the right edge and may be incomplete.
            range_root(nodes, sibling << level, size)?
        });
        (level, index) = (level + 1, index >> 1);
    }
    while index != 0 {
        if index & 1 == 1 {
            proof.push(nodes.node(level as u8, index - 1)?);
        }
        (level, index) = (level + 1, index >> 1);
    }
    Ok(())
}

/// Why a proof was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The tree has no entry at this index.
    #[error("leaf index {index} is not in a tree of size {size}")]
    IndexOutside {
        /// The index asked for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// There is no consistency proof from the empty tree.
    #[error("a consistency proof from tree size 0 shows nothing")]
    OldSizeZero,
    /// The sizes are the wrong way round.
    #[error("the old tree size {old} is above the new tree size {new}")]
    OldAboveNew {
        /// The old size.
        old: TreeSize,
        /// The new size.
        new: TreeSize,
    },
    /// The source of node hashes had an error.
    #[error("{0}")]
    Nodes(#[source] E),
}

/// Why an inclusion proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionRefusal {
    /// The tree has no entry at this index.
    #[error("leaf index {index} is not in a tree of size {size}")]
    IndexOutside {
        /// The index claimed.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The proof is too short or too long for its index and size.
    #[error(
        "the inclusion proof of leaf index {index} in a tree of size {size} has {len} hashes instead of {expected}"
    )]
    ProofLength {
        /// The index claimed.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
        /// The number of hashes found.
        len: usize,
        /// The number of hashes there must be.
        expected: usize,
    },
    /// The proof leads to another root.
    #[error("the inclusion proof leads to root {computed} instead of {root}")]
    RootMismatch {
        /// The root that the leaf and the proof give.
        computed: Hash,
        /// The root they should give.
        root: Hash,
    },
}

/// Why a consistency proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyRefusal {
    /// From the empty tree nothing can be shown.
    #[error("a consistency proof from tree size 0 shows nothing")]
    OldSizeZero,
    /// The sizes are the wrong way round.
    #[error("the old tree size {old} is above the new tree size {new}")]
    OldAboveNew {
        /// The old size.
        old: TreeSize,
        /// The new size.
        new: TreeSize,
    },
    /// The proof is too short or too long for its sizes.
    #[error("the consistency proof from tree size {old} to {new} has {len} hashes instead of {expected}")]
    ProofLength {
        /// The old size.
        old: TreeSize,
        /// The new size.
        new: TreeSize,
        /// The number of hashes found.
        len: usize,
        /// The number of hashes there must be.
        expected: usize,
    },
    /// Two roots for one size: a fork.
    #[error("at tree size {size} one root is {old_root} and the other {new_root}")]
    SameSizeOtherRoot {
        /// The size of both.
        size: TreeSize,
        /// The root known before.
        old_root: Hash,
        /// The root shown now.
        new_root: Hash,
    },
    /// The proof leads to another old root.
    #[error("the consistency proof leads to old root {computed} instead of {root}")]
    OldRootMismatch {
        /// The root that the proof gives.
        computed: Hash,
        /// The root it should give.
        root: Hash,
    },
    /// The proof leads to another new root.
    #[error("the consistency proof leads to new root {computed} instead of {root}")]
    NewRootMismatch {
        /// The root that the proof gives.
        computed: Hash,
        /// The root it should give.
        root: Hash,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::tests::{entries, naive_root, size};
    use crate::tree::{Forest, NodeMissing};

    fn index(index: u64) -> LeafIndex {
        LeafIndex::new(index).unwrap()
    }

    fn split(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
        leaves.split_at(leaves.len().next_power_of_two() / 2)
    }

    /// RFC 6962 §2.1.1 word for word.
    fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = split(leaves);
        let k = left.len();
        let (mut path, sibling) = if m < k { (naive_path(m, left), right) } else { (naive_path(m - k, right), left) };
        path.push(naive_root(sibling));
        path
    }

    /// RFC 6962 §2.1.2 word for word.
    fn naive_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if whole { Vec::new() } else { vec![naive_root(leaves)] };
        }
        let (left, right) = split(leaves);
        let k = left.len();
        let (mut proof, sibling) =
            if m <= k { (naive_subproof(m, left, whole), right) } else { (naive_subproof(m - k, right, false), left) };
        proof.push(naive_root(sibling));
        proof
    }

    #[test]
    fn every_inclusion_proof_to_size_256_is_that_of_the_definition_and_holds() {
        let leaves = entries(256);
        let mut forest: Forest = leaves.iter().copied().collect();
        for n in 1..=256 {
            let root = crate::tree::root(&mut forest, size(n)).unwrap();
            for i in 0..n {
                let proof = inclusion(&mut forest, index(i), size(n)).unwrap();
                assert_eq!(proof, naive_path(i as usize, &leaves[..n as usize]), "index {i} size {n}");
                assert_eq!(verify_inclusion(&leaves[i as usize], index(i), size(n), &proof, &root), Ok(()));
            }
        }
    }

    #[test]
    fn every_consistency_proof_to_size_256_is_that_of_the_definition_and_holds() {
        let leaves = entries(256);
        let mut forest: Forest = leaves.iter().copied().collect();
        let roots: Vec<Hash> = (0..=256).map(|n| crate::tree::root(&mut forest, size(n)).unwrap()).collect();
        for n in 1..=256 {
            for m in 1..=n {
                let proof = consistency(&mut forest, size(m), size(n)).unwrap();
                let (old_root, new_root) = (&roots[m as usize], &roots[n as usize]);
                assert_eq!(proof, naive_subproof(m as usize, &leaves[..n as usize], true), "{m} to {n}");
                assert_eq!(verify_consistency(size(m), size(n), old_root, new_root, &proof), Ok(()), "{m} to {n}");
            }
        }
    }

    /// A tree of 13, and what is needed to judge its entry 9 and its first 6 entries.
    struct Thirteen {
        leaves: Vec<Hash>,
        root: Hash,
        old_root: Hash,
        inclusion: Vec<Hash>,
        consistency: Vec<Hash>,
    }

    fn thirteen() -> Thirteen {
        let leaves = entries(13);
        let mut forest: Forest = leaves.iter().copied().collect();
        Thirteen {
            root: naive_root(&leaves),
            old_root: naive_root(&leaves[..6]),
            inclusion: inclusion(&mut forest, index(9), size(13)).unwrap(),
            consistency: consistency(&mut forest, size(6), size(13)).unwrap(),
            leaves,
        }
    }

    #[test]
    fn a_proof_one_hash_short_or_long_is_refused() {
        let t = thirteen();
        let judge = |proof: &[Hash]| verify_inclusion(&t.leaves[9], index(9), size(13), proof, &t.root);
        let wrong = |len| InclusionRefusal::ProofLength { index: index(9), size: size(13), len, expected: 4 };
        assert_eq!(judge(&t.inclusion[..3]), Err(wrong(3)));
        assert_eq!(judge(&[&t.inclusion[..], &[t.root]].concat()), Err(wrong(5)));

        let judge = |proof: &[Hash]| verify_consistency(size(6), size(13), &t.old_root, &t.root, proof);
        let expected = t.consistency.len();
        let wrong = |len| ConsistencyRefusal::ProofLength { old: size(6), new: size(13), len, expected };
        assert_eq!(judge(&t.consistency[..expected - 1]), Err(wrong(expected - 1)));
        assert_eq!(judge(&[&t.consistency[..], &[t.root]].concat()), Err(wrong(expected + 1)));
        assert_eq!(judge(&[]), Err(wrong(0)));
    }

    #[test]
    fn an_index_outside_the_tree_is_refused() {
        let t = thirteen();
        let outside = InclusionRefusal::IndexOutside { index: index(13), size: size(13) };
        assert_eq!(verify_inclusion(&t.leaves[9], index(13), size(13), &t.inclusion, &t.root), Err(outside));
        let outside = InclusionRefusal::IndexOutside { index: index(0), size: size(0) };
        assert_eq!(verify_inclusion(&t.leaves[0], index(0), size(0), &[], &t.leaves[0]), Err(outside));
    }

    #[test]
    fn every_other_index_leaf_root_and_hash_is_refused() {
        let t = thirteen();
        let judge = |leaf, at: u64, proof: &[Hash], root| verify_inclusion(leaf, index(at), size(13), proof, root);
        for at in (0..13).filter(|at| *at != 9) {
            assert!(judge(&t.leaves[9], at, &t.inclusion, &t.root).is_err(), "index {at}");
        }
        let other = |verdict| assert!(matches!(verdict, Err(InclusionRefusal::RootMismatch { .. })), "{verdict:?}");
        other(judge(&t.leaves[8], 9, &t.inclusion, &t.root));
        other(judge(&t.leaves[9], 9, &t.inclusion, &t.old_root));
        for at in 0..t.inclusion.len() {
            let mut proof = t.inclusion.clone();
            proof[at] = t.leaves[0];
            other(judge(&t.leaves[9], 9, &proof, &t.root));
        }
    }

    #[test]
    fn a_consistency_proof_with_another_hash_or_root_is_refused() {
        let t = thirteen();
        let judge = |old, new, proof: &[Hash]| verify_consistency(size(6), size(13), old, new, proof);
        assert_eq!(judge(&t.old_root, &t.root, &t.consistency), Ok(()));
        assert!(matches!(judge(&t.root, &t.root, &t.consistency), Err(ConsistencyRefusal::OldRootMismatch { .. })));
        assert!(matches!(
            judge(&t.old_root, &t.old_root, &t.consistency),
            Err(ConsistencyRefusal::NewRootMismatch { .. })
        ));
        for at in 0..t.consistency.len() {
            let mut proof = t.consistency.clone();
            proof[at] = t.leaves[0];
            assert!(judge(&t.old_root, &t.root, &proof).is_err(), "hash {at}");
        }
    }

    #[test]
    fn a_shrinking_tree_a_fork_and_an_empty_old_tree_are_refused() {
        let t = thirteen();
        let judge = |m, n, old, new, proof| verify_consistency(size(m), size(n), old, new, proof);
        assert_eq!(judge(0, 13, &t.old_root, &t.root, &[]), Err(ConsistencyRefusal::OldSizeZero));
        assert_eq!(judge(0, 0, &t.root, &t.root, &[]), Err(ConsistencyRefusal::OldSizeZero));
        assert_eq!(
            judge(13, 6, &t.root, &t.old_root, &t.consistency),
            Err(ConsistencyRefusal::OldAboveNew { old: size(13), new: size(6) })
        );
        assert_eq!(
            judge(13, 13, &t.root, &t.old_root, &[]),
            Err(ConsistencyRefusal::SameSizeOtherRoot { size: size(13), old_root: t.root, new_root: t.old_root })
        );
        assert_eq!(judge(13, 13, &t.root, &t.root, &[]), Ok(()));
        assert!(matches!(
            judge(13, 13, &t.root, &t.root, &t.consistency),
            Err(ConsistencyRefusal::ProofLength { expected: 0, .. })
        ));
    }

    #[test]
    fn no_proof_is_made_for_what_is_not_there() {
        let mut forest: Forest = entries(5).into_iter().collect();
        let (five, six) = (size(5), size(6));
        assert_eq!(
            inclusion(&mut forest, index(5), five),
            Err(ProofError::IndexOutside { index: index(5), size: five })
        );
        let missing = NodeMissing { level: 0, index: 5, leaf_count: 5 };
        assert_eq!(inclusion(&mut forest, index(4), six), Err(ProofError::Nodes(missing)));
        assert_eq!(consistency(&mut forest, size(0), five), Err(ProofError::OldSizeZero));
        assert_eq!(consistency(&mut forest, six, five), Err(ProofError::OldAboveNew { old: six, new: five }));
    }

    #[test]
    fn the_longest_proofs_have_the_named_length() {
        struct Same;
        impl Nodes for Same {
            type Error = std::convert::Infallible;
            fn node(&mut self, _: u8, _: u64) -> Result<Hash, Self::Error> {
                Ok(crate::tree::empty_root())
            }
        }
        let full = size(crate::digest::TREE_SIZE_MAX);
        assert_eq!(inclusion(&mut Same, index(12345), full).unwrap().len(), 48);
        assert_eq!(consistency(&mut Same, size(1), full).unwrap().len(), 48);
        assert_eq!(consistency(&mut Same, size(3), full).unwrap().len(), PROOF_LEN_MAX);
    }
}
