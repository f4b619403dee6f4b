//! A busy site: everything that can be said about sending, said; after each word all ways of asking must agree.
#![allow(dead_code, reason = "each test takes what it needs of it")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use airtight::attest::{Control, Site, SiteKeys, disposition, standings};
use airtight::disposition::{
    ApiVersion, ReceiptRow, Sending, SkipReason, TransparencyAnchor, TransparencyDecision, TransparencyException,
    TransparencyReceipts, TransparencyTarget,
};
use airtight::sync::status::{Counts, counts, pending};
use airtight_keys::public::Algorithm;
use airtight_log::digest::{LeafIndex, sha256};
use airtight_log::store::Access;

use crate::seeded::{keys_of, site, statement};

/// The moment of everything that a busy site does.
pub const NOW: u64 = 1_800_000_000;

/// A site, its keys, and how many statements it attested.
pub struct Busy {
    _dir: tempfile::TempDir,
    pub home: PathBuf,
    pub site: Site,
    pub keys: SiteKeys,
    named: u64,
}

impl Busy {
    pub fn new(signer: Algorithm) -> Busy {
        let (dir, home) = site(signer, NOW);
        Busy { _dir: dir, site: Site::open(&home, Access::Write).unwrap(), keys: keys_of(&home), home, named: 0 }
    }

    pub fn attest(&mut self, count: u64) {
        let statements = (self.named..self.named + count).map(|name| statement(&format!("part {name}"))).collect();
        self.named += count;
        self.site.attest(statements, &self.keys, NOW, "test").unwrap();
    }

    pub fn say(&mut self, control: Control) -> u64 {
        let said = self.site.say(&[control], &self.keys, NOW, "test").unwrap()[0];
        self.agree();
        said
    }

    pub fn decide(&mut self, target: &str, sending: Sending, from: u64) {
        self.say(Control::Decision(TransparencyDecision::new(target, sending, from, None).unwrap()));
    }

    pub fn name(&mut self, name: &str, api_version: ApiVersion, removed: bool) {
        let id = "0c".repeat(32);
        self.say(Control::Target(TransparencyTarget {
            name: name.into(),
            api_version,
            url: "https://rekor.example".into(),
            log_id: id.clone(),
            signing_config_sha256: id.clone(),
            trusted_root_sha256: id,
            as_of: "2026-11-21T03:00:00Z".into(),
            removed,
            after: None,
        }));
    }

    pub fn received(&mut self, target: &str, indexes: &[u64]) {
        let texts: Vec<(LeafIndex, String)> =
            indexes.iter().map(|index| (LeafIndex::new(*index).unwrap(), format!("receipt {index}"))).collect();
        let row = |(index, text): &(LeafIndex, String)| ReceiptRow {
            index: index.get(),
            rekor_uuid: "0a".repeat(40),
            log_index: 1,
            integrated_time: None,
            sha256: sha256(text.as_bytes()).hex(),
        };
        let rows = texts.iter().map(row).collect();
        let receipts = TransparencyReceipts::new(target, ApiVersion::V1, &"0c".repeat(32), rows).unwrap();
        self.say(Control::Receipts(receipts, texts));
    }

    pub fn except(&mut self, target: &str, reason: Option<SkipReason>, indexes: &[u64]) {
        let exception = TransparencyException::new(target, reason, None, None, indexes.to_vec()).unwrap();
        self.say(Control::Exception(exception));
    }

    pub fn anchored(&mut self, target: &str, size: u64) {
        let anchor = TransparencyAnchor {
            target: target.into(),
            api_version: ApiVersion::V1,
            log_id: "0c".repeat(32),
            size,
            rekor_uuid: "0a".repeat(40),
            log_index: 1,
            integrated_time: None,
            sha256: sha256(b"an anchor").hex(),
        };
        self.say(Control::Anchor(anchor, "an anchor".into()));
    }

    /// Asks of every entry alone, and compares with the counts and the list of what waits.
    pub fn agree(&mut self) {
        let mut snapshot = self.site.store_mut().read().unwrap();
        let standings = standings(&mut snapshot).unwrap();
        let size = snapshot.size().get();
        for target in standings.targets() {
            let (mut one_by_one, mut waiting) = (Counts::default(), Vec::new());
            for index in (0..size).map(|index| LeafIndex::new(index).unwrap()) {
                let entry = snapshot.entry(index).unwrap();
                let disposition = disposition(&snapshot, &standings, &entry, target).unwrap();
                match disposition.skip_reason() {
                    None => one_by_one.logged += 1,
                    Some(reason) => *one_by_one.reasons.entry(reason).or_default() += 1,
                }
                if disposition.skip_reason() == Some(SkipReason::PendingUpload) {
                    waiting.push(index);
                }
            }
            assert_eq!(counts(&snapshot, &standings, target).unwrap(), one_by_one, "{target}");
            for (from, limit) in [(0, usize::MAX), (0, 3), (7, 2), (size, 5)] {
                let wanted: Vec<LeafIndex> =
                    waiting.iter().copied().filter(|index| index.get() >= from).take(limit).collect();
                assert_eq!(
                    pending(&snapshot, &standings, target, from, limit).unwrap(),
                    wanted,
                    "{target} {from} {limit}"
                );
            }
        }
    }

    pub fn count(&mut self, target: &str) -> BTreeMap<SkipReason, u64> {
        let mut snapshot = self.site.store_mut().read().unwrap();
        let standings = standings(&mut snapshot).unwrap();
        counts(&snapshot, &standings, target).unwrap().reasons
    }
}
