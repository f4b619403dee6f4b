//! The first inputs of each fuzz corpus: good ones of every form, small, made from the same recipes as the vectors.

use airtight_keys::envelope::Envelope;
use airtight_keys::note::NoteVerifier;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{Limits, to_standard_base64};
use airtight_log::digest::sha256;
use airtight_log::store::Preparer;

use super::{Log, Recipe, Signed, trusted_root, trusted_rsa};

/// Every seed: the corpus, the file, the bytes.
pub fn all() -> Vec<(&'static str, String, Vec<u8>)> {
    let recipes = [
        ("dsse-p256", Recipe::file()),
        ("dsse-ed25519", Recipe::file_ed25519()),
        ("dsse-without-promise", Recipe { promise: false, ..Recipe::file() }),
        ("dsse-v2", Recipe::file().in_v2()),
        ("message-v1", Recipe::message()),
        ("message-v2", Recipe::message().in_v2()),
    ];
    let mut seeds = Vec::new();
    let mut put = |corpus, file: &str, bytes: &[u8]| seeds.push((corpus, file.to_owned(), bytes.to_vec()));
    for (name, recipe) in &recipes {
        let mut scene = recipe.make();
        put("bundle", name, &scene.bundle_text());
        put("json", name, scene.bundle.render_with(" ").as_bytes());
        put("body", name, &recipe.body());
        let note = scene.entry().at("/inclusionProof/checkpoint/envelope").said();
        put("note", name, note.as_bytes());
        put("checkpoint", name, note.as_bytes());
        put("checkpoint", &format!("{name}-text"), (note.split("\n\n").next().unwrap().to_owned() + "\n").as_bytes());
        put("trusted_root", name, scene.root.render().as_bytes());
        if let Signed::Payload(payload) = &recipe.signed {
            put("envelope", name, recipe.envelope_text().as_bytes());
            put("statement", name, payload.as_bytes());
            for (file, row) in rows(name, recipe) {
                put("row", &file, &row);
            }
        }
        let public = recipe.signer.public();
        put("key", &format!("{name}.pem"), public.spki_pem().as_bytes());
        put("key", &format!("{name}.der"), public.spki_der());
        put("key", &format!("{name}.base64"), to_standard_base64(public.spki_der()).as_bytes());
    }
    let all_logs = [Log::v1().trusted(), trusted_rsa("rsa.example"), Log::v2().trusted()];
    put("trusted_root", "three-logs", trusted_root(&all_logs).render().as_bytes());
    let (v1, v2) = (Log::v1(), Log::v2());
    let vkeys = [NoteVerifier::ecdsa(v1.name, v1.key.public()), NoteVerifier::ed25519(v2.name, v2.key.public())];
    for (number, vkey) in vkeys.into_iter().enumerate() {
        put("note", &format!("vkey-{number}"), vkey.unwrap().to_string().as_bytes());
    }
    put("slot", "one", &slot(1));
    put("slot", "two", &[slot(1), slot(2)].concat());
    seeds
}

/// A row of each form, its form in front.
fn rows(name: &str, recipe: &Recipe) -> Vec<(String, Vec<u8>)> {
    let (preparer, public) = (Preparer::default(), recipe.signer.public());
    let mut worker = preparer.worker();
    let mut out = Vec::new();
    let spaced = recipe.envelope_text().replace("\":", "\": ");
    for text in [recipe.envelope_text(), spaced] {
        let envelope = Envelope::parse(text.as_bytes(), Limits::bytes(1 << 20)).unwrap();
        out.push(worker.envelope(&text, &envelope, public).unwrap());
    }
    out.push(worker.leaf(&recipe.body(), public));
    let named = |prepared: &airtight_log::store::Prepared| {
        let (form, row) = prepared.row();
        (format!("{name}-form-{form}"), [&[u8::try_from(form).unwrap()], row].concat())
    };
    out.iter().map(named).collect()
}

/// A slot of a head file, written by the page and not by the store.
fn slot(sequence: u64) -> Vec<u8> {
    let note = |recipe: Recipe| recipe.make().entry().at("/inclusionProof/checkpoint/envelope").said();
    let notes = note(Recipe::file().in_v2()) + &note(Recipe::file());
    let counts = format!("airtight head v1\nsequence {sequence}\nlength {}\n", notes.len());
    let digest = sha256((counts.clone() + &notes).as_bytes());
    let mut slot = format!("{counts}digest {}\n{notes}", digest.hex()).into_bytes();
    slot.resize(4096, b'\n');
    slot
}
