//! The outbox pack: what would become public, byte for byte, one request a line.
//!
//! ```text
//! requests.ndjson   {"index":5,"leafHash":"<64 hex>","expected":"<64 hex>","request":{…the body of the POST, exactly…}}
//! ```
//!
//! `leafHash` is the leaf in the site's own log, `expected` the leaf that the request becomes there: the same for Rekor v1,
//! another for v2. Indexes ascend. `set` in the manifest is SHA-256 over the lines of all volumes, each with its line feed.
//!
//! Writing needs memory for one line, however many there are: the lines go to a file under construction, and the pack gets
//! its name when it is whole. Reading goes over the lines twice: once to refuse the whole, once to hand them out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use airtight_keys::strict_json::{self, Limits, Object};
use airtight_log::digest::Hash;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::container::{Container, render_sums, write_archive};
use super::error::PackError;
use super::lines::Lines;
use super::{
    FILE_LEN_MAX, LINE_LEN_MAX, MANIFEST, Manifest, PackTarget, README, SUMS, hex_hash, parse_manifest, readme,
    render_manifest,
};
use crate::durable::{self, Mode, Stage};

/// What the manifest of an outbox pack says of its format.
pub const FORMAT: &str = "https://airtight.dev/outbox/v1";
/// The file with the requests.
pub const REQUESTS: &str = "requests.ndjson";
/// The most volumes a pack has: their number has three digits.
pub const VOLUMES_MAX: u64 = 999;
/// What a volume holds besides lines, in bytes, at most: three small files, five headers, filled-up blocks.
const OVERHEAD: u64 = 16 << 10;

/// One request: an entry of the site's log on its way to another.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RequestLine {
    /// The index in the site's log, 0-based.
    pub index: u64,
    /// The leaf hash in the site's log.
    #[serde(with = "hex_hash")]
    pub leaf_hash: Hash,
    /// The leaf hash that the request becomes in the other log.
    #[serde(with = "hex_hash")]
    pub expected: Hash,
    /// The body of the POST, as it stands.
    pub request: Box<RawValue>,
}

/// Whose entries these are, and where they are to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxHeading {
    /// The origin of the site's log.
    pub origin: String,
    /// The id of the site's log, 64 lowercase hex digits.
    pub log_id: String,
    /// The log that the requests are for.
    pub target: PackTarget,
}

/// The manifest of an outbox pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OutboxManifest {
    /// [`FORMAT`].
    pub format: String,
    /// The origin of the site's log.
    pub origin: String,
    /// The id of the site's log, 64 lowercase hex digits.
    pub log_id: String,
    /// The log that the requests are for.
    pub target: PackTarget,
    /// The number of requests in this volume.
    pub entries: u64,
    /// The index of the first of them.
    pub first: u64,
    /// The index of the last.
    pub last: u64,
    /// The length of this volume's lines in bytes.
    pub bytes: u64,
    /// The number of this volume, from 1.
    pub volume: u64,
    /// How many volumes there are.
    pub volumes: u64,
    /// SHA-256 over the lines of all volumes, 64 lowercase hex digits.
    pub set: String,
}

impl Manifest for OutboxManifest {
    const FORMAT: &'static str = FORMAT;

    fn format(&self) -> &str {
        &self.format
    }

    fn check(&self) -> Result<(), &'static str> {
        self.target.check()?;
        match self {
            _ if Hash::from_hex(&self.log_id).is_err() => Err("logId is not 64 lowercase hex digits"),
            _ if Hash::from_hex(&self.set).is_err() => Err("set is not 64 lowercase hex digits"),
            _ if self.entries == 0 || self.first > self.last || self.entries - 1 > self.last - self.first => {
                Err("entries, first and last do not fit together")
            }
            _ if self.volume == 0 || self.volume > self.volumes || self.volumes > VOLUMES_MAX => {
                Err("volume and volumes do not fit together")
            }
            _ if self.volumes == 1 || self.bytes > 0 => Ok(()),
            _ => Err("bytes is 0"),
        }
    }
}

/// A pack under construction; dropped before [`OutboxWriter::finish`], nothing of it stays.
#[derive(Debug)]
pub struct OutboxWriter {
    path: PathBuf,
    heading: OutboxHeading,
    volume_size: Option<u64>,
    set: Sha256,
    done: Vec<Volume>,
    open: Option<Volume>,
    last: Option<u64>,
}

#[derive(Debug)]
struct Volume {
    stage: Stage,
    lines: Option<BufWriter<File>>,
    sha256: Sha256,
    entries: u64,
    first: u64,
    last: u64,
    bytes: u64,
}

/// A volume that has its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenVolume {
    /// Where it lies.
    pub path: PathBuf,
    /// What it holds.
    pub manifest: OutboxManifest,
}

impl OutboxWriter {
    /// Begins a pack: a directory, or an archive where the name ends with `.tar`. Volumes are at most `volume_size` bytes.
    ///
    /// # Errors
    /// [`PackError::Exists`] where the name is taken; [`PackError::Malformed`] where the heading cannot stand in a manifest.
    pub fn begin(path: &Path, heading: OutboxHeading, volume_size: Option<u64>) -> Result<OutboxWriter, PackError> {
        let refused = |said: &str| PackError::Malformed { place: MANIFEST.into(), said: said.into() };
        heading.target.check().map_err(refused)?;
        vacant(path)?;
        let path = path.to_owned();
        Ok(OutboxWriter { path, heading, volume_size, set: Sha256::new(), done: Vec::new(), open: None, last: None })
    }

    /// Adds a request; indexes ascend.
    ///
    /// # Errors
    /// [`PackError::VolumeTooSmall`], [`PackError::TooLarge`] for a line that no reader takes, [`PackError::Unwritable`].
    ///
    /// # Panics
    /// Where the index is not above the one before it, or the request has a line feed in it.
    pub fn push(&mut self, line: &RequestLine) -> Result<(), PackError> {
        assert!(self.last.is_none_or(|last| last < line.index), "entry {} comes out of order", line.index);
        let mut text = serde_json::to_vec(line).expect("invariant: a line is numbers, texts and JSON");
        assert!(!text.contains(&b'\n'), "the request of entry {} is not one line", line.index);
        text.push(b'\n');
        let len = text.len() as u64;
        if len > LINE_LEN_MAX {
            return Err(PackError::TooLarge { what: format!("entry {} in bytes", line.index), len, max: LINE_LEN_MAX });
        }
        let room = self.volume_size.map_or(FILE_LEN_MAX, |size| size.saturating_sub(OVERHEAD).min(FILE_LEN_MAX));
        if len > room {
            let volume = self.volume_size.unwrap_or(FILE_LEN_MAX);
            return Err(PackError::VolumeTooSmall { index: line.index, len, volume, room });
        }
        if let Some(full) = self.open.take_if(|volume| volume.bytes + len > room) {
            self.close(full)?;
        }
        let volume = match &mut self.open {
            Some(volume) => volume,
            None => self.open.insert(Volume::begin(&self.path, line.index)?),
        };
        self.set.update(&text);
        self.last = Some(line.index);
        volume.push(&text, line.index).map_err(|source| unwritable(&self.path, source))
    }

    fn close(&mut self, mut volume: Volume) -> Result<(), PackError> {
        let closed = volume.close();
        closed.map_err(|source| unwritable(&self.path, source))?;
        self.done.push(volume);
        if self.done.len() as u64 > VOLUMES_MAX {
            let what = "the number of volumes".to_owned();
            return Err(PackError::TooLarge { what, len: self.done.len() as u64, max: VOLUMES_MAX });
        }
        Ok(())
    }

    /// Gives the pack its name, or its volumes theirs, and returns what was written.
    ///
    /// # Errors
    /// [`PackError::Empty`] where nothing was added, [`PackError::Exists`] and [`PackError::Unwritable`]; volumes that have
    /// their names already keep them then.
    pub fn finish(mut self) -> Result<Vec<WrittenVolume>, PackError> {
        let open = self.open.take().ok_or(PackError::Empty)?;
        self.close(open)?;
        let set = hex::encode(std::mem::take(&mut self.set).finalize());
        let volumes = self.done.len() as u64;
        let paths: Vec<PathBuf> = (1..=volumes).map(|volume| volume_path(&self.path, volume, volumes)).collect();
        paths.iter().try_for_each(|path| vacant(path))?;
        let mut written = Vec::new();
        for (number, (volume, path)) in (1..).zip(std::mem::take(&mut self.done).into_iter().zip(paths)) {
            let OutboxHeading { origin, log_id, target } = self.heading.clone();
            let manifest = OutboxManifest {
                format: FORMAT.into(),
                origin,
                log_id,
                target,
                entries: volume.entries,
                first: volume.first,
                last: volume.last,
                bytes: volume.bytes,
                volume: number,
                volumes,
                set: set.clone(),
            };
            volume.publish(&path, &manifest).map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                    PackError::Exists { path: path.clone() }
                }
                _ => unwritable(&path, source),
            })?;
            written.push(WrittenVolume { path, manifest });
        }
        Ok(written)
    }
}

impl Volume {
    fn begin(path: &Path, first: u64) -> Result<Volume, PackError> {
        let began = || -> io::Result<Volume> {
            let stage = Stage::beside(path)?;
            #[expect(clippy::disallowed_methods, reason = "a pack is written where packs are written")]
            let file = File::create_new(stage.path().join(REQUESTS))?;
            public(&file)?;
            let lines = Some(BufWriter::with_capacity(1 << 18, file));
            Ok(Volume { stage, lines, sha256: Sha256::new(), entries: 0, first, last: first, bytes: 0 })
        };
        began().map_err(|source| unwritable(path, source))
    }

    fn push(&mut self, text: &[u8], index: u64) -> io::Result<()> {
        self.sha256.update(text);
        (self.entries, self.last, self.bytes) = (self.entries + 1, index, self.bytes + text.len() as u64);
        self.lines.as_mut().expect("invariant: lines are added to an open volume").write_all(text)
    }

    fn close(&mut self) -> io::Result<()> {
        let lines = self.lines.take().expect("invariant: a volume is closed once");
        lines.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    fn publish(self, path: &Path, manifest: &OutboxManifest) -> io::Result<()> {
        let small = BTreeMap::from([
            (MANIFEST, render_manifest(manifest).into_bytes()),
            (README, readme::outbox(manifest).into_bytes()),
        ]);
        publish(self.stage, path, small, (REQUESTS, self.bytes, hex::encode(self.sha256.finalize())))
    }
}

/// Gives a pack whose lines lie in a stage its name: as a directory, or as an archive.
pub(super) fn publish(
    stage: Stage,
    path: &Path,
    mut small: BTreeMap<&'static str, Vec<u8>>,
    lines: (&'static str, u64, String),
) -> io::Result<()> {
    let (lines_name, len, sum) = lines;
    let mut sums: BTreeMap<&'static str, String> =
        small.iter().map(|(name, bytes)| (*name, hex::encode(Sha256::digest(bytes)))).collect();
    sums.insert(lines_name, sum);
    small.insert(SUMS, render_sums(&sums).into_bytes());
    if !is_archive(path) {
        for (name, bytes) in &small {
            durable::create_new(&stage.path().join(name), bytes, Mode::Public)?;
        }
        return stage.publish(path);
    }
    let whole = stage.path().join("pack.tar");
    #[expect(clippy::disallowed_methods, reason = "a pack is written where packs are written")]
    let (source, file) = (File::open(stage.path().join(lines_name))?, File::create_new(&whole)?);
    public(&file)?;
    let mut archive = BufWriter::with_capacity(1 << 18, file);
    write_archive(&mut archive, &small, (lines_name, len, &mut BufReader::with_capacity(1 << 18, source)))?;
    archive.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    durable::move_new(&whole, path)
}

/// A pack whose files and lines are what its manifest says.
#[derive(Debug)]
pub struct OutboxPack {
    container: Container,
    manifest: OutboxManifest,
}

impl OutboxPack {
    /// Opens a pack, goes over every line of it, and refuses it whole if anything is not as it should be.
    ///
    /// # Errors
    /// The codes at the head of [`super`]; not `pack_other_site`, for whose pack it may be is the caller's to say.
    pub fn open(path: &Path) -> Result<OutboxPack, PackError> {
        let mut container = Container::open(path, REQUESTS, &[])?;
        let manifest: OutboxManifest = parse_manifest(&container.small(MANIFEST)?)?;
        let mut pack = OutboxPack { container, manifest };
        pack.check_lines()?;
        Ok(pack)
    }

    fn check_lines(&mut self) -> Result<(), PackError> {
        let refused = |said: String| PackError::Malformed { place: REQUESTS.into(), said };
        let (mut entries, mut first, mut last) = (0u64, None, None);
        for line in self.lines()? {
            let RequestLine { index, .. } = line?;
            if last.is_some_and(|last| last >= index) {
                return Err(refused(format!("entry {index} comes out of order")));
            }
            entries += 1;
            first = first.or(Some(index));
            last = Some(index);
        }
        let OutboxManifest { entries: stated, first: stated_first, last: stated_last, .. } = self.manifest;
        if entries < stated {
            let said = format!("there are {entries} requests, and the manifest says {stated}");
            return Err(PackError::Truncated { said });
        }
        if (entries, first, last) != (stated, Some(stated_first), Some(stated_last)) {
            return Err(refused(format!("{entries} requests are not those that the manifest says")));
        }
        let (bytes, sum) = (self.container.member(REQUESTS).len, self.container.sum(REQUESTS));
        if bytes != self.manifest.bytes || (self.manifest.volumes == 1 && sum != self.manifest.set) {
            return Err(refused("bytes and set are not what the manifest says".to_owned()));
        }
        Ok(())
    }

    /// Returns what the pack says of itself.
    pub fn manifest(&self) -> &OutboxManifest {
        &self.manifest
    }

    /// Returns the sum of this volume's requests, 64 hex digits: what names it.
    pub fn requests_sum(&self) -> &str {
        self.container.sum(REQUESTS)
    }

    /// Goes over the requests, in the order of their indexes.
    ///
    /// # Errors
    /// [`PackError::Unreadable`].
    pub fn lines(&mut self) -> Result<RequestLines<'_>, PackError> {
        let sum = self.container.sum(REQUESTS).to_owned();
        Ok(RequestLines { lines: Lines::of(self.container.member(REQUESTS), REQUESTS, &sum)?, is_over: false })
    }
}

/// The requests of a pack, one after the other. An error is the last of them.
pub struct RequestLines<'p> {
    lines: Lines<'p>,
    is_over: bool,
}

impl Iterator for RequestLines<'_> {
    type Item = Result<RequestLine, PackError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let parsed = match self.lines.next() {
            Ok(None) => return None,
            Ok(Some(line)) => {
                strict_json::parse::<Object<RequestLine>>(line, Limits::bytes(LINE_LEN_MAX as usize)).map_err(Some)
            }
            Err(error) => {
                self.is_over = true;
                return Some(Err(error));
            }
        };
        let place = self.lines.place();
        let refused = |said: String| PackError::Malformed { place, said };
        Some(match parsed {
            Ok(Object(line)) if line.request.get().starts_with('{') => Ok(line),
            Ok(_) => Err(refused("the request is no object".into())),
            Err(error) => Err(refused(error.map(|error| error.to_string()).unwrap_or_default())),
        })
        .inspect(|line| self.is_over = line.is_err())
    }
}

fn volume_path(path: &Path, volume: u64, volumes: u64) -> PathBuf {
    if volumes == 1 {
        return path.to_owned();
    }
    let stem = if is_archive(path) { path.with_extension("") } else { path.to_owned() };
    let mut name = stem.into_os_string();
    name.push(format!("-{volume:03}-of-{volumes:03}"));
    if is_archive(path) {
        name.push(".tar");
    }
    PathBuf::from(name)
}

/// Tells whether a pack of this name is an archive.
pub(super) fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// Refuses a name that is taken. An empty directory is none: it may have been made for the pack.
fn vacant(path: &Path) -> Result<(), PackError> {
    let is_taken = if is_archive(path) {
        durable::is_there(path)
    } else {
        match durable::is_vacant(path) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(true),
            vacant => vacant.map(|vacant| !vacant),
        }
    };
    match is_taken {
        Ok(false) => Ok(()),
        Ok(true) => Err(PackError::Exists { path: path.to_owned() }),
        Err(source) => Err(unwritable(path, source)),
    }
}

/// Makes a file of a pack readable for everyone, whatever the umask is.
pub(super) fn public(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

pub(super) fn unwritable(path: &Path, source: io::Error) -> PackError {
    PackError::Unwritable { path: path.to_owned(), source }
}
