//! A worked log that an independent program made: entries `entry-0`, `entry-1`, … and what follows from them.
//!
//! Its vkeys, notes and `.tlog-proof` lines are held in the tests of the room `checkpoint`, its tiles in those of `tiles`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list")]

use airtight_log::digest::{Hash, TreeSize};
use airtight_log::proofs::{consistency, verify_consistency};
use airtight_log::tree::{Forest, leaf_hash, root};

/// Tree sizes and their roots.
const ROOTS: [(u64, &str); 10] = [
    (1, "40766b2033429026f53d54502679a839706b4741f8dcaf3a8bba5f41b5ffe075"),
    (2, "2f27a5082c1d42afa488ac350a9fc4390c084f54f71ecdff859e98db8429b479"),
    (3, "a64bf26e09128f6fe2fe6f8b2d8c801e166b57c047a7cd9b2b809e7a96a2f1cb"),
    (7, "9139601cc1ca8ab2a7a0c2c134c04845f2b1ba549a83d6c845cfcda439cc585d"),
    (8, "dfcc13b9b0ca932c68de3d59eaaa8fe266a9c8091c0300e8405ebfeb0d0e5832"),
    (255, "45da9f374748e17a372f71c00422b12e2bf96842f1f61c5740fe494e4becff0f"),
    (256, "f85f4ead34080710b4d1e808301543aaab81aa04deb88599350dc26a4f2f58de"),
    (257, "918b1cec64f317c76e3cf55c0536841c039eff06772ebb8828ce7c176028b5ac"),
    (300, "aebb027d5c3dd08871ee52577a61fc83122d0d14352791943639bd4c12d36943"),
    (70_000, "a62a54be33294ffd5a5c4c637fd754630b71a892e8356e3a666a5c8a7ffd1518"),
];

/// Old size, new size, and the consistency proof between them.
const CONSISTENCY: [(u64, u64, &[&str]); 3] = [
    (4, 7, &["5CnFtcyqlSPDcpfxhGdm+QMTfoIZXFGZ5r5XEw0QBsg="]),
    (
        6,
        8,
        &[
            "ShNqcAh7Y340w9Paps6naLHbE+xHWQLS4kC2Dj2ZnHo=",
            "1EgFk1RgUwW/k2qmoOTHCTIclg4rpskhuYuaFlMZy+I=",
            "JWueiCXl03CkrgBdCQHqKRl34pJ/XPjj5yZg3QlRnts=",
        ],
    ),
    (
        3,
        7,
        &[
            "BJ19zbVrz+vTEzBMmDnxlqPUtu873AsIKY+TrIGR8Kg=",
            "J0ebarMh0u5HdFL2i6UndI6GPK/o+9HfK/idFXDRtpc=",
            "LyelCCwdQq+kiKw1Cp/EOQwIT1T3Hs3/hZ6Y24QptHk=",
            "5CnFtcyqlSPDcpfxhGdm+QMTfoIZXFGZ5r5XEw0QBsg=",
        ],
    ),
];

fn log_of(count: u64) -> Forest {
    (0..count).map(|i| leaf_hash(format!("entry-{i}").as_bytes())).collect()
}

fn size(size: u64) -> TreeSize {
    TreeSize::new(size).unwrap()
}

#[test]
fn the_roots_are_those_of_an_independent_program() {
    let mut log = log_of(70_000);
    for (n, expected) in ROOTS {
        assert_eq!(root(&mut log, size(n)).unwrap().to_hex(), expected, "size {n}");
    }
}

#[test]
fn the_consistency_proofs_are_those_of_an_independent_program_and_hold() {
    let mut log = log_of(8);
    for (old, new, expected) in CONSISTENCY {
        let proof = consistency(&mut log, size(old), size(new)).unwrap();
        assert_eq!(proof.iter().map(Hash::to_base64).collect::<Vec<_>>(), expected, "{old} to {new}");
        let (old_root, new_root) = (root(&mut log, size(old)).unwrap(), root(&mut log, size(new)).unwrap());
        assert_eq!(verify_consistency(size(old), size(new), &old_root, &new_root, &proof), Ok(()));
    }
}
