//! The vectors of `tests/vectors/`, as data: name, sentence, verdict, and how the bundle is made.

mod anchored;
mod entered;
mod intoto;
mod keys_of_logs;
mod lenient;
mod log;
mod passing;
mod schemes;
mod several;
mod shape;
mod signed;
mod unlogged;
pub mod witnessed;

use super::{Asked, Scene};

/// One folder of `tests/vectors/`.
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// What is so in this case, and why it is judged as it is.
    pub about: String,
    /// `verified`, `weaker`, or the code of the refusal.
    pub expect: &'static str,
    pub scene: Scene,
}

impl Case {
    /// The files of the folder, by name.
    pub fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let scene = &self.scene;
        let line = |text: &str| format!("{text}\n").into_bytes();
        let mut files = vec![
            ("about.txt", line(&self.about)),
            ("expect", line(self.expect)),
            ("bundle.sigstore.json", scene.bundle_text()),
            ("trusted_root.json", line(&scene.root.render())),
            ("now", line(&scene.now.to_string())),
        ];
        if !scene.keys.is_empty() {
            files.push(("key.pub", scene.keys.concat().into_bytes()));
        }
        match &scene.asked {
            Asked::Artifact(artifact) => files.push(("artifact", artifact.clone())),
            Asked::Digest(text) => files.push(("digest", line(text))),
            Asked::Files { files: listed, links } => {
                let list: String =
                    listed.iter().map(|file| format!("{}  {}\n", file.sha256.hex(), file.name)).collect();
                files.push(("files", list.into_bytes()));
                if !links.is_empty() {
                    let list: String = links.iter().map(|link| format!("{}\t{}\n", link.name, link.target)).collect();
                    files.push(("links", list.into_bytes()));
                }
            }
        }
        files.extend(scene.predicate_type.iter().map(|wanted| ("type", line(wanted))));
        files.extend(scene.threshold.iter().map(|threshold| ("threshold", line(&threshold.to_string()))));
        files.extend(
            scene.identity.iter().map(|(name, issuer)| ("identity", format!("{name}\n{issuer}\n").into_bytes())),
        );
        files.extend(scene.timestamps.iter().map(|count| ("timestamp-threshold", line(&count.to_string()))));
        files.extend(scene.scts.iter().map(|count| ("sct-threshold", line(&count.to_string()))));
        files.extend(scene.logs.iter().map(|logs| ("log-threshold", line(&logs.to_string()))));
        files.extend(scene.witness_policy.iter().map(|policy| ("witness-policy", policy.clone().into_bytes())));
        files.extend(scene.accept_promise.then(|| ("accept-promise", Vec::new())));
        files.extend(scene.signature_hash.iter().map(|hash| ("signature-hash", line(hash))));
        files.extend(scene.anchor.iter().map(|anchor| ("anchor.json", line(&anchor.render()))));
        let others: String = lenient::accepted_by(&self.name).iter().map(|client| format!("{client}\n")).collect();
        if !others.is_empty() {
            files.push(("accepted-by", others.into_bytes()));
        }
        let others: String = lenient::refused_by(&self.name).iter().map(|client| format!("{client}\n")).collect();
        if !others.is_empty() {
            files.push(("refused-by", others.into_bytes()));
        }
        files.sort();
        files
    }
}

/// Collects the cases of one chapter.
pub struct Cases(Vec<Case>);

impl Cases {
    /// Adds a case.
    fn add(&mut self, name: impl Into<String>, expect: &'static str, about: &str, scene: Scene) {
        self.0.push(Case { name: name.into(), about: about.to_owned(), expect, scene });
    }

    /// Adds a case that is a good scene with one thing changed.
    fn broken(
        &mut self,
        name: &str,
        expect: &'static str,
        about: &str,
        mut scene: Scene,
        change: impl FnOnce(&mut Scene),
    ) {
        change(&mut scene);
        self.add(name, expect, about, scene);
    }
}

/// Every case, sorted by name.
pub fn all() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    passing::add(&mut cases);
    shape::add(&mut cases);
    signed::add(&mut cases);
    entered::add(&mut cases);
    intoto::add(&mut cases);
    log::add(&mut cases);
    schemes::add(&mut cases);
    keys_of_logs::add(&mut cases);
    several::add(&mut cases);
    anchored::add(&mut cases);
    witnessed::add(&mut cases);
    unlogged::add(&mut cases);
    let mut cases = cases.0;
    for name in lenient::names() {
        assert!(cases.iter().any(|case| case.name == name && case.expect != "verified"), "{name} is no refusal");
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}
