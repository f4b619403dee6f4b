//! The way of a courier, walked with the program as an operator walks it: what leaves, what comes home, what of it counts.
//!
//! The log at the other end is played (`played/mod.rs`). Its answers verify, and so each lie in here is refused for the lie alone.
//!
//! | file | what it holds |
//! |---|---|
//! | `carry.rs` | out and home: receipts, upgraded bundles; twice, in any order, in parts, late; a shard that was replaced |
//! | `lies.rs` | answers that are not true, and refusals that nobody can verify |
//! | `packs.rs` | packs that are refused whole |
//! | `leaves.rs` | what may leave: permission, approval, plan |
//! | `anchors.rs` | a checkpoint instead of entries |
//! | `stamps.rs` | time stamps of upgraded bundles |
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]
#![allow(clippy::print_stdout, reason = "what was passed over is said")]

mod anchors;
mod carry;
#[path = "../forge/mod.rs"]
mod forge;
mod leaves;
mod lies;
mod packs;
#[path = "../played/mod.rs"]
mod played;
#[path = "../seeded/mod.rs"]
mod seeded;
#[path = "../stage/mod.rs"]
mod stage;
mod stamps;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use airtight::disposition::SkipReason;
use airtight::pack::outbox::{OutboxPack, RequestLine};
use serde_json::Value;

use played::Played;
use seeded::keys_of;
use stage::{Answer, Stage};

/// The entries that wait on every stage here: three files, attested before anything was permitted.
const WAITING: [u64; 3] = [1, 2, 3];

/// A site with three entries that may go to a played log.
struct Way {
    stage: Stage,
    rekor: Played,
}

/// A site with three entries, and no target.
fn site() -> &'static Stage {
    static SITE: OnceLock<Stage> = OnceLock::new();
    SITE.get_or_init(|| {
        let stage = Stage::new();
        stage.done(&["attest", "things/two", "things/three", "--out", "out"]);
        stage
    })
}

impl Way {
    /// One to each version of Rekor.
    fn both() -> [Way; 2] {
        [Way::v1(), Way::v2()]
    }

    fn v1() -> Way {
        static STAGE: OnceLock<Stage> = OnceLock::new();
        Way::on(&STAGE, Played::v1())
    }

    fn v2() -> Way {
        static STAGE: OnceLock<Stage> = OnceLock::new();
        Way::on(&STAGE, Played::v2())
    }

    fn on(stage: &OnceLock<Stage>, rekor: Played) -> Way {
        let stage = stage.get_or_init(|| {
            let way = Way { stage: site().again(), rekor: Played::of(again(&rekor)) };
            way.name_target();
            way.stage.done(&["sync", "enable", "--note", "a test"]);
            way.stage
        });
        Way { stage: stage.again(), rekor }
    }

    /// Names the played log as the target `public`; its files lie on the stage then.
    fn name_target(&self) {
        self.name_target_with(&self.rekor.signing_config(None), &self.rekor.trusted_root());
    }

    fn name_target_with(&self, signing_config: &str, trusted_root: &str) {
        self.stage.write("signing_config.json", signing_config);
        self.stage.write("trusted_root.json", trusted_root);
        let words = ["--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json"];
        self.stage.done(&[&["sync", "target", "add", "public"][..], &words].concat());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage.path().join(name)
    }

    /// Writes what waits into a pack; gives the answer of the command.
    fn export(&self, name: &str, more: &[&str]) -> Value {
        let words = [&["sync", "export", "--json", "--out", name][..], more].concat();
        serde_json::from_str(&self.stage.done(&words)).unwrap()
    }

    /// Carries a pack to the played log and back.
    fn carry(&mut self, outbox: &str, receipts: &str) {
        let manifest = self.rekor.carry(&self.path(outbox), &self.path(receipts));
        assert_eq!(manifest.remaining, 0);
    }

    /// Exports and carries: a receipts pack lies there then.
    fn answered(mut self) -> Way {
        self.export("outbox", &[]);
        self.carry("outbox", "receipts");
        self
    }

    fn ask_import(&self, words: &[&str]) -> Answer {
        self.stage.ask(&[&["sync", "import", "--json"][..], words].concat())
    }

    /// Takes a receipts pack in, all of which holds.
    fn import(&self, words: &[&str]) -> Value {
        let answer = self.ask_import(words);
        serde_json::from_str(&answer.done(&words.join(" "))).unwrap()
    }

    /// The lines of an outbox pack.
    fn lines(&self, outbox: &str) -> Vec<RequestLine> {
        let mut pack = OutboxPack::open(&self.path(outbox)).unwrap();
        pack.lines().unwrap().map(Result::unwrap).collect()
    }

    /// Where an entry stands: its UUID there, or why it is not.
    fn standing(&self, index: u64) -> Result<String, SkipReason> {
        standing(&self.stage, index)
    }

    fn assert_standing(&self, reason: SkipReason, indexes: &[u64]) {
        for index in indexes {
            assert_eq!(self.standing(*index), Err(reason), "entry {index}");
        }
    }

    /// The size of the site's log.
    fn size(&self) -> u64 {
        size(&self.stage)
    }

    /// Holds that the log is sound to the last row.
    fn assert_sound(&self) {
        self.stage.done(&["log", "fsck"]);
    }
}

/// The same log once more: name and key, and none of the entries.
fn again(rekor: &Played) -> forge::Log {
    match rekor.api() {
        1 => forge::anchors::rekor_v1(),
        _ => forge::anchors::rekor_v2(),
    }
}

fn standing(stage: &Stage, index: u64) -> Result<String, SkipReason> {
    let shown: Value = serde_json::from_str(&stage.done(&["log", "entry", &index.to_string(), "--json"])).unwrap();
    let of_target = shown["dispositions"].as_array().unwrap().iter().find(|one| one["target"] == "public");
    let of_target = of_target.unwrap_or_else(|| panic!("nothing is said of public: {shown}"));
    match &of_target["skipReason"] {
        Value::Null => Ok(of_target["rekorUuid"].as_str().unwrap().to_owned()),
        reason => Err(serde_json::from_value(reason.clone()).unwrap()),
    }
}

fn size(stage: &Stage) -> u64 {
    let status: Value = serde_json::from_str(&stage.done(&["sync", "status", "--json"])).unwrap();
    status["size"].as_u64().unwrap()
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// The files of a directory, with their bytes.
fn files(path: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    let mut found: Vec<_> = fs::read_dir(path).unwrap().map(entry).collect();
    found.sort();
    found
}
