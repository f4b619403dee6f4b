//! The Merkle test vectors of transparency-dev/merkle, and the accumulated hashes of the same project.
//!
//! The 196 plain inclusion and consistency cases lie outside the repository; `AIRTIGHT_SHARED` names the folder that has
//! them under `vectors/merkle`. Without it those two tests say so and pass. 195 cases are judged as they expect;
//! `consistency/additional/sizes-are-equal-one-and-proof-is-empty` accepts two equal roots of 12 bytes, which a tree over
//! SHA-256 cannot have.
//!
//! The accumulated hashes need no files: each is one SHA-256 over a line for every subtree of up to 130 leaves, so it
//! covers every root and every inclusion proof of the sizes 1 to 130.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests are free of the ban list"
)]

use std::path::PathBuf;

use serde_json::Value;

use airtight_keys::strict_json::standard_base64;
use airtight_log::digest::{Hash, LeafIndex, TreeSize, sha256};
use airtight_log::proofs::{ConsistencyRefusal, InclusionRefusal, inclusion, verify_consistency, verify_inclusion};
use airtight_log::tree::{Forest, leaf_hash, root};

const TWELVE_BYTE_ROOTS: &str = "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json";

/// The cases of one file, or `None` if there is no shared folder.
fn cases(name: &str) -> Option<Vec<Value>> {
    let Some(shared) = std::env::var_os("AIRTIGHT_SHARED") else {
        eprintln!("AIRTIGHT_SHARED is not set: the cases of {name} were not run");
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(shared).join("vectors/merkle").join(name)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Takes base64 as a hash; the vectors have some that are not 32 bytes, which is one way to be refused.
fn hash(text: &Value) -> Result<Hash, String> {
    let bytes = standard_base64(text.as_str().unwrap()).unwrap();
    Hash::from_slice(&bytes).map_err(|error| error.to_string())
}

fn proof(case: &Value) -> Result<Vec<Hash>, String> {
    case["proof"].as_array().map_or(Ok(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

fn size(number: &Value) -> Result<TreeSize, String> {
    TreeSize::new(number.as_u64().unwrap()).map_err(|error| error.to_string())
}

fn judge_inclusion(case: &Value) -> Result<(), String> {
    let index = LeafIndex::new(case["leafIdx"].as_u64().unwrap()).map_err(|error| error.to_string())?;
    let verdict = verify_inclusion(
        &hash(&case["leafHash"])?,
        index,
        size(&case["treeSize"])?,
        &proof(case)?,
        &hash(&case["root"])?,
    );
    verdict.map_err(|refusal: InclusionRefusal| refusal.to_string())
}

fn judge_consistency(case: &Value) -> Result<(), String> {
    let verdict = verify_consistency(
        size(&case["size1"])?,
        size(&case["size2"])?,
        &hash(&case["root1"])?,
        &hash(&case["root2"])?,
        &proof(case)?,
    );
    verdict.map_err(|refusal: ConsistencyRefusal| refusal.to_string())
}

/// Judges every case and returns the paths of those judged otherwise than expected.
fn judged_otherwise(cases: &[Value], judge: fn(&Value) -> Result<(), String>) -> Vec<String> {
    let differs = |case: &&Value| judge(case).is_err() != case["wantErr"].as_bool().unwrap();
    cases.iter().filter(differs).map(|case| case["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_98_inclusion_cases_are_judged_as_expected() {
    let Some(cases) = cases("inclusion.jsonl") else { return };
    assert_eq!(cases.len(), 98);
    assert_eq!(judged_otherwise(&cases, judge_inclusion), [""; 0]);
}

#[test]
fn of_the_98_consistency_cases_only_the_one_with_12_byte_roots_is_judged_otherwise() {
    let Some(cases) = cases("consistency.jsonl") else { return };
    assert_eq!(cases.len(), 98);
    assert_eq!(judged_otherwise(&cases, judge_consistency), [TWELVE_BYTE_ROOTS]);
    let case = cases.iter().find(|case| case["path"] == TWELVE_BYTE_ROOTS).unwrap();
    assert_eq!(judge_consistency(case), Err("a SHA-256 value has 32 bytes, not 12".into()));
}

/// Calls `each` for every subtree [start, end) of up to 130 leaves, leaf i being the one byte i, in the order of the
/// published vectors: by end, then by start. A subtree begins at a multiple of the power of two that it fits in.
fn for_each_subtree(mut each: impl FnMut(u64, u64, &mut Forest)) {
    for end in 1..=130u64 {
        for start in (0..end).filter(|start| start.is_multiple_of((end - start).next_power_of_two())) {
            let mut leaves: Forest = (start..end).map(|i| leaf_hash(&[i as u8])).collect();
            each(start, end, &mut leaves);
        }
    }
}

#[test]
fn the_roots_of_all_subtrees_add_up_to_the_published_hash() {
    let mut lines = String::new();
    for_each_subtree(|start, end, leaves| {
        let root = root(leaves, TreeSize::new(end - start).unwrap()).unwrap();
        lines.push_str(&format!("[{start}, {end}) {root}\n"));
    });
    let published = "94a95384a8c69acea9b50d035a58285b3a777cb7a724005faa5e1f1e1190007f";
    assert_eq!(sha256(lines.as_bytes()).hex(), published);
}

#[test]
fn the_inclusion_proofs_of_all_subtrees_add_up_to_the_published_hash() {
    let mut lines = String::new();
    for_each_subtree(|start, end, leaves| {
        let size = TreeSize::new(end - start).unwrap();
        for i in start..end {
            let proof = inclusion(leaves, LeafIndex::new(i - start).unwrap(), size).unwrap();
            lines.push_str(&format!("{i} [{start}, {end})"));
            proof.iter().for_each(|hash| lines.push_str(&format!(" {hash}")));
            lines.push('\n');
        }
    });
    let published = "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f";
    assert_eq!(sha256(lines.as_bytes()).hex(), published);
}
