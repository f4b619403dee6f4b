//! Anchors over the log of a recipe, in a second log that is made here too, each piece open to be made wrong.

use airtight::trust::TrustedRoot;
use airtight_keys::public::Algorithm;
use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::proofs::inclusion;
use airtight_log::tree::{Forest, leaf_hash, root};

use super::json::{Json, quoted};
use super::{Log, Recipe, Scene, Signed, Style, TREE_ID, key, trusted_root};

/// The other log in the manner of Rekor v1.
pub fn rekor_v1() -> Log {
    Log { name: "rekor.example", key: key(Algorithm::P256, "other log, Rekor v1 style"), style: Style::V1 }
}

/// The other log in the manner of Rekor v2.
pub fn rekor_v2() -> Log {
    Log { name: "rekor2.example", key: key(Algorithm::Ed25519, "other log, Rekor v2 style"), style: Style::C2sp }
}

/// What is anchored where.
pub struct Anchoring {
    /// Who signs the anchored checkpoint; its name stands in it.
    pub local: Log,
    pub tree_id: u64,
    /// How many entries are anchored; above the recipe's own size the log has grown by others.
    pub size: u64,
    /// The log that takes the anchor.
    pub rekor: Log,
    /// Changes the recipe of the anchor's entry there.
    pub entered: fn(Recipe) -> Recipe,
    /// The entry that the proof is for; none gives `null`.
    pub proven: Option<u64>,
}

impl Anchoring {
    /// An honest one over 300 entries of the log of [`Recipe::file`], with the proof for its entry.
    pub fn in_log(rekor: Log) -> Anchoring {
        Anchoring { local: Log::v1(), tree_id: TREE_ID, size: 300, rekor, entered: |recipe| recipe, proven: Some(5) }
    }

    /// The recipe of the anchor's own entry: a signature by our log over the checkpoint's text.
    fn entry(self, text: &str) -> Recipe {
        let kind = if self.rekor.style == Style::V1 { "0.0.1" } else { "0.0.2" };
        let recipe = Recipe {
            signer: self.local.key,
            signed: Signed::Message(text.as_bytes().to_vec()),
            kind: ("hashedrekord", kind),
            promise: self.rekor.style == Style::V1,
            log: self.rekor,
            index: 1,
            size: 4,
            ..Recipe::file()
        };
        (self.entered)(recipe)
    }

    /// Makes the bundle of a recipe with an anchor over its log beside it, and both logs in the trusted root.
    pub fn make(self, recipe: &Recipe) -> Scene {
        let mut scene = recipe.make();
        scene.root = trusted_root(&[recipe.log.trusted(), self.rekor.trusted()]);
        let ours = leaf_hash(&recipe.body());
        let others = |n: u64| leaf_hash(format!("entry {n}").as_bytes());
        let mut forest: Forest = (0..self.size).map(|n| if n == recipe.index { ours } else { others(n) }).collect();
        let size = TreeSize::new(self.size).unwrap();
        let root = root(&mut forest, size).unwrap();
        let text = format!("{} - {}\n{}\n{}\n", self.local.name, self.tree_id, self.size, root.to_base64());
        let proof = self.proven.map_or_else(
            || "null".to_owned(),
            |index| {
                let hashes = inclusion(&mut forest, LeafIndex::new(index).unwrap(), size).unwrap();
                let hashes: Vec<String> = hashes.iter().map(|hash| format!("\"{hash}\"")).collect();
                format!(r#"{{"index":{index},"hashes":[{}]}}"#, hashes.join(","))
            },
        );
        let note = self.local.sign(&text);
        let (origin, log_id) = (quoted(self.local.name), *self.local.id().as_bytes());
        let api = if self.rekor.style == Style::V1 { 1 } else { 2 };
        let target = format!(
            r#"{{"name":"public","apiVersion":{api},"url":"https://{}","logId":"{}"}}"#,
            self.rekor.name,
            self.rekor.id()
        );
        let size = self.size;
        let receipt = self.entry(&text).make().entry().render();
        scene.anchor = Some(Json::parse(&format!(
            r#"{{"format":"https://airtight.dev/anchor/v1","origin":{origin},"logId":"{}","size":{size},"checkpoint":{},"target":{target},"receipt":{receipt},"proof":{proof}}}"#,
            hex::encode(log_id),
            quoted(&note),
        )));
        scene
    }
}

/// Holds a trusted root to name both logs.
pub fn names_both(scene: &Scene) -> bool {
    TrustedRoot::parse(scene.root.render().as_bytes()).unwrap().logs().len() == 2
}
