//! A Rekor that is played: it takes what a pack holds and answers what a server answers, in one tree that grows, under a key of
//! its own; so the proofs and checkpoints in its answers verify, and each can be made to lie.
//!
//! [`Played::answer`] gives the very JSON of a server to one request, 201 or 409. [`Played::carry`] is a whole errand: it
//! reads an outbox pack and writes a receipts pack with the code that `airtight sync upload` writes it with. [`serve`] puts a
//! log in the manner of Rekor v1 behind a port of loopback, as a server or as the proxy in front of one, whatever its name.
#![allow(dead_code, reason = "each test that shares this file uses a part of it")]

pub mod authority;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use airtight::pack::journal::{Journal as _, UploadFolder};
use airtight::pack::outbox::{OutboxPack, RequestLine};
use airtight::pack::receipts::{Outcome, ReceiptLine, ReceiptsManifest};
use airtight_keys::envelope::Envelope;
use airtight_keys::sign::Sign as _;
use airtight_keys::strict_json::{Limits, standard_base64, to_standard_base64 as base64};
use airtight_log::digest::{Hash, LeafIndex, TreeSize, sha256};
use airtight_log::entry::{Body, ContentDigest, HashedRekord002, RekordVerifier, dsse_body, set_message};
use airtight_log::proofs::inclusion;
use airtight_log::tree::{Forest, leaf_hash, root};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::forge::anchors::{rekor_v1, rekor_v2};
use crate::forge::{Log, Style, TREE_ID, trusted_root};

/// When it says that it took an entry: 2026-11-21T03:00:00Z, the moment of every command on a stage.
pub const TIME: u64 = 1_795_230_000;
/// How many entries of other people lie below ours.
pub const OTHERS: u64 = 5;

/// A log with its entries.
pub struct Played {
    pub log: Log,
    /// Where it is said to be.
    pub url: String,
    bodies: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
}

impl Played {
    /// A log in the manner of Rekor v1.
    pub fn v1() -> Played {
        Played::of(rekor_v1())
    }

    /// A log in the manner of Rekor v2.
    pub fn v2() -> Played {
        Played::of(rekor_v2())
    }

    /// Plays a log, in which others have entries already.
    pub fn of(log: Log) -> Played {
        let url = format!("https://{}", log.name);
        let mut played = Played { log, url, bodies: Vec::new(), hashes: Vec::new() };
        (0..OTHERS).for_each(|n| played.push(format!("somebody's entry {n}").into_bytes()));
        played
    }

    fn push(&mut self, body: Vec<u8>) {
        self.hashes.push(leaf_hash(&body));
        self.bodies.push(body);
    }

    /// Tells how many entries it has.
    pub fn size(&self) -> u64 {
        self.bodies.len() as u64
    }

    pub fn api(&self) -> u8 {
        if self.log.style == Style::V1 { 1 } else { 2 }
    }

    /// The signing config that sends entries there, until `end` where one is given.
    pub fn signing_config(&self, end: Option<&str>) -> String {
        let end = end.map(|end| format!(r#","end":"{end}""#)).unwrap_or_default();
        format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogUrls":[{{"url":"{}","majorApiVersion":{},"validFor":{{"start":"2026-01-01T00:00:00Z"{end}}},"operator":"{}"}}],"rekorTlogConfig":{{"selector":"ANY"}}}}"#,
            self.url,
            self.api(),
            self.log.name,
        )
    }

    /// The trusted root that names it alone.
    pub fn trusted_root(&self) -> String {
        trusted_root(&[self.log.trusted()]).render()
    }

    /// Takes a request, and answers it: 201, or 409 and what it has already.
    pub fn answer(&mut self, request: &str) -> (u16, Value) {
        let body = leaf_of(request);
        let hash = leaf_hash(&body);
        match self.hashes.iter().position(|known| *known == hash) {
            Some(index) => (409, self.entry(index as u64)),
            None => {
                self.push(body);
                (201, self.entry(self.size() - 1))
            }
        }
    }

    /// Answers what it has at an index, under the tree of now.
    pub fn entry(&self, index: u64) -> Value {
        let body = &self.bodies[usize::try_from(index).unwrap()];
        let mut forest: Forest = self.hashes.iter().copied().collect();
        let (at, size) = (LeafIndex::new(index).unwrap(), TreeSize::new(self.size()).unwrap());
        let root = root(&mut forest, size).unwrap();
        let hashes = inclusion(&mut forest, at, size).unwrap();
        let first = match self.log.style {
            Style::V1 => format!("{} - {TREE_ID}", self.log.name),
            Style::C2sp => self.log.name.to_owned(),
        };
        let checkpoint = self.log.sign(&format!("{first}\n{}\n{}\n", size.get(), root.to_base64()));
        if self.log.style == Style::V1 {
            let promise = self.log.key.sign(&set_message(body, TIME, &self.log.id(), at)).unwrap();
            return json!({ format!("{TREE_ID:016x}{}", leaf_hash(body)): {
                "attestation": {},
                "body": base64(body),
                "integratedTime": TIME,
                "logID": self.log.id().to_string(),
                "logIndex": index,
                "verification": {
                    "inclusionProof": {
                        "checkpoint": checkpoint,
                        "hashes": hashes.iter().map(Hash::to_hex).collect::<Vec<_>>(),
                        "logIndex": index,
                        "rootHash": root.to_hex(),
                        "treeSize": size.get(),
                    },
                    "signedEntryTimestamp": base64(&promise),
                },
            }});
        }
        json!({
            "logIndex": index.to_string(),
            "logId": {"keyId": self.log.id().to_base64()},
            "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
            "integratedTime": "0",
            "inclusionPromise": null,
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": root.to_base64(),
                "treeSize": size.get().to_string(),
                "hashes": hashes.iter().map(Hash::to_base64).collect::<Vec<_>>(),
                "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": base64(body),
        })
    }

    /// Carries a pack there and the answers back into a directory, every one as it is given.
    pub fn carry(&mut self, outbox: &Path, receipts: &Path) -> ReceiptsManifest {
        carry(outbox, receipts, |line| Some(self.honest(line)))
    }

    /// Gives the honest answer to a line of a pack.
    pub fn honest(&mut self, line: &RequestLine) -> Outcome {
        let (status, answer) = self.answer(line.request.get());
        answered(status, &answer)
    }
}

/// An answer as a line of a pack has it.
pub fn answered(status: u16, answer: &Value) -> Outcome {
    Outcome::Answered { status, answer: RawValue::from_string(answer.to_string()).unwrap() }
}

/// Reads an outbox pack and writes the receipts pack with what `tell` says to each line; nothing leaves the line without answer.
pub fn carry(
    outbox: &Path,
    receipts: &Path,
    mut tell: impl FnMut(&RequestLine) -> Option<Outcome>,
) -> ReceiptsManifest {
    carry_as(outbox, receipts, |line| {
        let outcome = tell(line)?;
        Some(ReceiptLine { index: line.index, leaf_hash: line.leaf_hash, outcome })
    })
}

/// As [`carry`], where a line may be answered as if it were another.
pub fn carry_as(
    outbox: &Path,
    receipts: &Path,
    mut tell: impl FnMut(&RequestLine) -> Option<ReceiptLine>,
) -> ReceiptsManifest {
    let mut pack = OutboxPack::open(outbox).unwrap();
    let (folder, resumed) = UploadFolder::open(receipts, &pack).unwrap();
    for line in pack.lines().unwrap().map(Result::unwrap) {
        if !resumed.settled.contains(line.index)
            && let Some(line) = tell(&line)
        {
            folder.receipt(&line).unwrap();
        }
    }
    folder.finish().unwrap()
}

/// The leaf that a server makes of a request.
fn leaf_of(request: &str) -> Vec<u8> {
    let value: Value = serde_json::from_str(request).unwrap();
    let text = |path: &str| value.pointer(path).unwrap_or_else(|| panic!("{path}: {request}")).as_str().unwrap();
    let decoded = |path: &str| standard_base64(text(path)).unwrap();
    if value["kind"] == "dsse" {
        let envelope_text = text("/spec/proposedContent/envelope");
        let envelope = Envelope::parse(envelope_text.as_bytes(), Limits::bytes(64 << 20)).unwrap();
        let pem = String::from_utf8(decoded("/spec/proposedContent/verifiers/0")).unwrap();
        let (whole, payload) = (sha256(envelope_text.as_bytes()), sha256(envelope.payload_unverified()));
        return dsse_body(&whole, &payload, &envelope.signatures()[0].signature, &pem);
    }
    if value["kind"] == "hashedrekord" {
        return Body::parse(request.as_bytes()).unwrap().render();
    }
    let at = "/hashedRekordRequestV002";
    let digest = decoded(&format!("{at}/digest"));
    Body::HashedRekord002(HashedRekord002 {
        digest: ContentDigest::Sha256(digest.try_into().unwrap()),
        signature: decoded(&format!("{at}/signature/content")),
        key_details: text(&format!("{at}/signature/verifier/keyDetails")).to_owned(),
        verifier: RekordVerifier::PublicKey(decoded(&format!("{at}/signature/verifier/publicKey/rawBytes"))),
    })
    .render()
}

/// Puts a log in the manner of Rekor v1, and a time stamp authority, behind a port of loopback, for as long as the test runs, and returns the port. It is
/// asked by its own address, or as the proxy for any other.
pub fn serve(played: &Arc<Mutex<Played>>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let played = Arc::clone(played);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let played = Arc::clone(&played);
            std::thread::spawn(move || while one_exchange(&connection, &played).is_some() {});
        }
    });
    port
}

/// Answers one request of a connection; nothing where it has ended.
fn one_exchange(mut connection: &TcpStream, played: &Mutex<Played>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let (mut first, mut len) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, url) = (words.next()?.to_owned(), words.next()?.to_owned());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            len = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    let path = url.split_once("/api/").map(|(_, path)| path).unwrap_or_default();
    let (status, headers, answer) = match (method.as_str(), path) {
        ("CONNECT", _) => (200, String::new(), Vec::new()),
        ("POST", "v1/timestamp") => (201, String::new(), authority::stamp(&body, TIME)),
        ("POST", "v1/log/entries") => {
            let (status, answer) = played.lock().unwrap().answer(std::str::from_utf8(&body).ok()?);
            let uuid = answer.as_object().unwrap().keys().next().unwrap().clone();
            (status, format!("Location: /api/v1/log/entries/{uuid}\r\n"), answer.to_string().into_bytes())
        }
        ("GET", path) => {
            let played = played.lock().unwrap();
            let hash = path.rsplit('/').next().and_then(|uuid| uuid.get(16..)).unwrap_or_default();
            match played.hashes.iter().position(|known| known.to_hex() == hash) {
                Some(index) => (200, String::new(), played.entry(index as u64).to_string().into_bytes()),
                None => (404, String::new(), Vec::new()),
            }
        }
        _ => (405, String::new(), Vec::new()),
    };
    let kind = "Content-Type: application/json\r\n";
    let len = if method == "CONNECT" { String::new() } else { format!("Content-Length: {}\r\n", answer.len()) };
    let head = format!("HTTP/1.1 {status} .\r\n{kind}{headers}{len}\r\n");
    connection.write_all(&[head.as_bytes(), &answer].concat()).ok()
}
