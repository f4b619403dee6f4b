//! The raw counterparts: what the same work costs with nothing around it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use airtight_log::digest::Hash;
use airtight_log::tree::{leaf_hash, node_hash};

/// Bytes of one raw write.
const PAGE: usize = 4096;
/// Pages of a preallocated file that is overwritten in turn: a small write-ahead log.
const PAGES: u64 = 1024;

/// A file for raw writes that are durable one by one.
pub struct RawFile {
    file: File,
    at: u64,
    page: Vec<u8>,
}

impl RawFile {
    /// Makes an empty file, which every append makes longer.
    pub fn growing(path: &Path) -> Self {
        let file = OpenOptions::new().write(true).create_new(true).open(path).unwrap();
        Self { file, at: 0, page: vec![0x5a; PAGE] }
    }

    /// Makes a file whose pages are all written and synced already.
    pub fn preallocated(path: &Path) -> Self {
        let raw = Self::growing(path);
        for page in 0..PAGES {
            raw.file.write_all_at(&raw.page, page * PAGE as u64).unwrap();
        }
        raw.file.sync_all().unwrap();
        raw
    }

    /// Writes the next page behind the last one and syncs.
    pub fn append(&mut self) {
        self.file.write_all_at(&self.page, self.at).unwrap();
        self.file.sync_data().unwrap();
        self.at += PAGE as u64;
    }

    /// Overwrites the next page of a preallocated file and syncs.
    pub fn overwrite(&mut self) {
        self.file.write_all_at(&self.page, self.at % (PAGES * PAGE as u64)).unwrap();
        self.file.sync_data().unwrap();
        self.at += PAGE as u64;
    }

    /// Writes bytes behind the last ones and syncs.
    pub fn append_bytes(&mut self, bytes: &[u8]) {
        self.file.write_all_at(bytes, self.at).unwrap();
        self.file.sync_data().unwrap();
        self.at += bytes.len() as u64;
    }
}

/// The plainest log: entries behind each other in a file, their tree's frontier in memory, one sync a batch.
pub struct RawLog {
    file: RawFile,
    frontier: Frontier,
}

impl RawLog {
    /// Makes an empty one.
    pub fn create(path: &Path) -> Self {
        Self { file: RawFile::growing(path), frontier: Frontier::default() }
    }

    /// Writes, hashes and syncs one batch.
    pub fn append(&mut self, batch: &[String]) {
        let mut bytes = Vec::with_capacity(batch.iter().map(String::len).sum());
        for text in batch {
            bytes.extend_from_slice(text.as_bytes());
            self.frontier.push(leaf_hash(text.as_bytes()));
        }
        self.file.append_bytes(&bytes);
    }
}

/// The roots of the complete subtrees of a tree, largest first.
#[derive(Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            hash = node_hash(&self.roots.pop().unwrap(), &hash);
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// Gives the root.
    pub fn root(&self) -> Hash {
        let (last, rest) = self.roots.split_last().unwrap();
        rest.iter().rfold(*last, |behind, root| node_hash(root, &behind))
    }
}
