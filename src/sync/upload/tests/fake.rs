//! A log that is played: it takes requests as leaves, publishes after a while, forgets if asked to, and breaks by plan.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use airtight_keys::strict_json::to_standard_base64;
use airtight_log::digest::{Hash, TreeSize};
use airtight_log::tiles::{CHECKPOINT_PATH, Row, Tile, hash_tile_bytes, push_entry};
use airtight_log::tree::{Forest, leaf_hash, root};
use serde_json::value::RawValue;

use super::super::transport::{Call, Method, Powers, Reply, Transport, TransportError};
use crate::disposition::ApiVersion;
use crate::pack::journal::{Journal, Resumed};
use crate::pack::outbox::RequestLine;
use crate::pack::receipts::{Outcome, ReceiptLine};

pub const TREE: &str = "108e9186e8c5677a";

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// The log never sees it.
    Instead(Result<Reply, TransportError>),
    /// The log takes it, and something else is answered.
    After(Result<Reply, TransportError>),
}

type Plan = Box<dyn Fn(Method, u64, &str) -> Fault + Send + Sync>;

/// One clock for all, which only waiting moves.
#[derive(Default)]
pub struct FakePowers {
    pub now: Arc<AtomicU64>,
    dice: AtomicU64,
}

impl FakePowers {
    pub fn new() -> FakePowers {
        FakePowers { now: Arc::new(AtomicU64::new(1_795_230_000_000)), dice: AtomicU64::new(7) }
    }
}

impl Powers for FakePowers {
    fn now_ms(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn sleep_ms(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
        std::thread::yield_now();
    }

    fn random(&self) -> u64 {
        self.dice.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst) >> 17
    }
}

pub struct FakeLog {
    api: ApiVersion,
    now: Arc<AtomicU64>,
    plan: Plan,
    /// Whether it takes what it has already, as a v2 log does that lost its memory.
    pub is_forgetful: bool,
    pub publish_every_ms: u64,
    state: Mutex<State>,
    pub events: Arc<Mutex<Vec<String>>>,
}

#[derive(Default)]
struct State {
    bodies: Vec<(u64, Vec<u8>)>,
    calls: BTreeMap<&'static str, u64>,
    times: Vec<u64>,
}

pub fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Reply { status, headers, body: body.into() }
}

pub fn lost() -> Result<Reply, TransportError> {
    Err(TransportError::Lost { said: "connection reset".into() })
}

impl FakeLog {
    pub fn new(
        api: ApiVersion,
        powers: &FakePowers,
        plan: impl Fn(Method, u64, &str) -> Fault + Send + Sync + 'static,
    ) -> FakeLog {
        FakeLog {
            api,
            now: powers.now.clone(),
            plan: Box::new(plan),
            is_forgetful: false,
            publish_every_ms: 2000,
            state: Mutex::default(),
            events: Arc::default(),
        }
    }

    /// What it holds, as numbers of requests.
    pub fn held(&self) -> Vec<u64> {
        let state = self.state.lock().unwrap();
        state.bodies.iter().map(|(_, body)| number_of(body)).collect()
    }

    pub fn seed(&self, indexes: impl IntoIterator<Item = u64>) {
        let mut state = self.state.lock().unwrap();
        state.bodies.extend(indexes.into_iter().map(|index| (0, body(index).into_bytes())));
    }

    pub fn calls(&self, method: &'static str) -> u64 {
        self.state.lock().unwrap().calls.get(method).copied().unwrap_or(0)
    }

    /// When each POST came.
    pub fn times(&self) -> Vec<u64> {
        self.state.lock().unwrap().times.clone()
    }

    fn post(&self, request: &str) -> Reply {
        let mut state = self.state.lock().unwrap();
        let leaf = leaf_hash(request.as_bytes());
        let known = state.bodies.iter().position(|(_, body)| leaf_hash(body) == leaf);
        let now = self.now.load(Ordering::SeqCst);
        match (known, self.api) {
            (Some(_), ApiVersion::V1) => {
                let location = format!("http://elsewhere.example/api/v1/log/entries/{TREE}{leaf}");
                reply(409, &[("location", &location)], "{}")
            }
            (Some(at), ApiVersion::V2) if !self.is_forgetful => reply(409, &[("x-log-index", &at.to_string())], "{}"),
            _ => {
                state.bodies.push((now, request.as_bytes().to_vec()));
                reply(201, &[], self.answer(request.as_bytes(), state.bodies.len() - 1))
            }
        }
    }

    pub fn answer(&self, body: &[u8], at: usize) -> String {
        let encoded = to_standard_base64(body);
        match self.api {
            ApiVersion::V1 => {
                format!("{{\"{TREE}{}\":{{\"body\":\"{encoded}\",\"logIndex\":{at}}}}}\n", leaf_hash(body))
            }
            ApiVersion::V2 => format!("{{\"logIndex\": \"{at}\", \"canonicalizedBody\": \"{encoded}\"}}"),
        }
    }

    fn get(&self, url: &str) -> Reply {
        let state = self.state.lock().unwrap();
        if let Some(uuid) = url.strip_prefix("http://log.example/api/v1/log/entries/") {
            let found = state.bodies.iter().position(|(_, body)| uuid.ends_with(&leaf_hash(body).to_hex()));
            return found.map_or(reply(404, &[], ""), |at| reply(200, &[], self.answer(&state.bodies[at].1, at)));
        }
        let tick = self.now.load(Ordering::SeqCst) / self.publish_every_ms * self.publish_every_ms;
        let published = state.bodies.iter().take_while(|(at, _)| *at < tick).count();
        let size = TreeSize::new(published as u64).unwrap();
        let mut forest: Forest = state.bodies[..published].iter().map(|(_, body)| leaf_hash(body)).collect();
        let Some(path) = url.strip_prefix("http://log.example/api/v2/") else { return reply(404, &[], "") };
        if path == CHECKPOINT_PATH {
            let root = root(&mut forest, size).unwrap().to_base64();
            let signature = to_standard_base64(&[1; 68]);
            return reply(200, &[], format!("log.example\n{size}\n{root}\n\n\u{2014} log.example {signature}\n"));
        }
        let Ok(tile) = path.parse::<Tile>() else { return reply(404, &[], "") };
        let len = match tile.row() {
            Row::Entries => published as u64,
            Row::Hashes(level) => published as u64 >> (8 * u32::from(level)),
        };
        // Of tiles that are full only the full one is kept, as C2SP allows.
        let row_has = (len - len.min(tile.index() * 256)).min(256);
        if u64::from(tile.width()) > row_has || (!tile.is_full() && row_has == 256) {
            return reply(404, &[], "");
        }
        match tile.row() {
            Row::Hashes(_) => reply(200, &[], hash_tile_bytes(&mut forest, &tile).unwrap()),
            Row::Entries => {
                let mut bytes = Vec::new();
                tile.positions().for_each(|at| push_entry(&mut bytes, &state.bodies[at as usize].1).unwrap());
                reply(200, &[], bytes)
            }
        }
    }
}

impl Transport for FakeLog {
    fn call(&self, call: &Call<'_>) -> Result<Reply, TransportError> {
        let body = std::str::from_utf8(call.body).unwrap();
        let number = {
            let mut state = self.state.lock().unwrap();
            let now = self.now.load(Ordering::SeqCst);
            if call.method == Method::Post {
                state.times.push(now);
                self.events.lock().unwrap().push(format!("post {}", number_of(call.body)));
            }
            let count = state.calls.entry(if call.method == Method::Post { "post" } else { "get" }).or_default();
            *count += 1;
            *count
        };
        let truth = || if call.method == Method::Post { self.post(body) } else { self.get(call.url) };
        match (self.plan)(call.method, number, if call.method == Method::Post { body } else { call.url }) {
            Fault::None => Ok(truth()),
            Fault::Instead(other) => other,
            Fault::After(other) => {
                truth();
                other
            }
        }
    }
}

/// A journal in memory, which can break.
#[derive(Default)]
pub struct MemoryJournal {
    pub state: Mutex<Resumed>,
    pub receipts: Mutex<Vec<ReceiptLine>>,
    pub events: Arc<Mutex<Vec<String>>>,
    pub size: AtomicU64,
    /// After so many answers it takes no more: as if the process had been killed there.
    pub breaks_after: Option<usize>,
}

impl MemoryJournal {
    pub fn resumed(&self) -> Resumed {
        self.state.lock().unwrap().clone()
    }
}

impl Journal for MemoryJournal {
    fn posting(&self, indexes: &[u64]) -> std::io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let size = Some(self.size.load(Ordering::SeqCst));
        for index in indexes {
            self.events.lock().unwrap().push(format!("posting {index}"));
            state.in_flight.entry(*index).or_insert(size);
        }
        Ok(())
    }

    fn tree_size(&self, size: u64) -> std::io::Result<()> {
        self.size.store(size, Ordering::SeqCst);
        Ok(())
    }

    fn spent(&self, minute: u64, requests: u64) -> std::io::Result<()> {
        self.state.lock().unwrap().spent.insert(minute, requests);
        Ok(())
    }

    fn receipt(&self, line: &ReceiptLine) -> std::io::Result<()> {
        let mut receipts = self.receipts.lock().unwrap();
        if self.breaks_after.is_some_and(|after| receipts.len() >= after) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        receipts.push(line.clone());
        let mut state = self.state.lock().unwrap();
        assert!(state.settled.insert(line.index), "{} is answered twice", line.index);
        state.in_flight.remove(&line.index);
        match line.outcome {
            Outcome::Answered { .. } => state.answered += 1,
            Outcome::Refused { .. } => state.refused += 1,
        }
        Ok(())
    }
}

pub fn body(index: u64) -> String {
    format!(r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","n":{index}}}"#)
}

fn number_of(body: &[u8]) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap();
    value["n"].as_u64().unwrap()
}

pub fn line(index: u64) -> RequestLine {
    let request = body(index);
    let expected = leaf_hash(request.as_bytes());
    RequestLine {
        index,
        leaf_hash: Hash::from_bytes([index as u8; 32]),
        expected,
        request: RawValue::from_string(request).unwrap(),
    }
}
