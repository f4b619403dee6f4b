//! `airtight log export`: the log as static files, which anybody can serve, mirror and check without us.
//!
//! ```text
//! DIR/tile/<L>/<N>[.p/<W>]            hash tiles          written first, each whole or not at all
//! DIR/tile/entries/<N>[.p/<W>]        entry bundles: the leaves, two bytes of length before each
//! DIR/airtight/integrated             when each commit was integrated: ours, for `log recover`
//! DIR/checkpoint                      the C2SP checkpoint: written last, so that what it covers is there
//! ```
//!
//! Full tiles never change, so a file that is there with the same bytes is kept, and an export that was interrupted goes on
//! where it stopped. A file with other bytes is refused and left as it is: either it is of another log, or one of the two is
//! damaged, or the log was forked; none of these may be papered over. For the same reason a checkpoint that lies in DIR is
//! replaced only by a larger one of the same tree. Partial tiles of earlier sizes stay: whoever holds a checkpoint of such
//! a size can still read it.

use std::fs;
use std::io;
use std::path::Path;

use airtight::attest::{INTEGRATED_PATH, IntegratedTimes};
use airtight::durable::{self, Mode};
use airtight_log::checkpoint::{NoteRule, SignedCheckpoint};
use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::store::{Access, ReleasedCheckpoint, Snapshot};
use airtight_log::tiles::{self, CHECKPOINT_PATH};
use serde::Serialize;

use super::{not_released, size_in};
use crate::cli::log::ExportArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::progress::Progress;

/// The largest checkpoint that is read: what a signed note may have.
const CHECKPOINT_LEN_MAX: usize = airtight_keys::note::NOTE_LEN_MAX;

/// An export, as `--json` shows it.
#[derive(Serialize)]
struct ExportReport {
    log_id: String,
    directory: String,
    tree_size: u64,
    root_hash: String,
    files_written: u64,
    files_kept: u64,
}

/// What became of the files.
#[derive(Default)]
struct Counts {
    written: u64,
    kept: u64,
}

/// Runs `airtight log export`.
///
/// # Errors
/// `checkpoint_not_found`, `tree_size_not_reached`; `export_of_another_log`, `export_is_newer`, `export_differs`; the codes
/// of the site and its log, and `output_unwritable`.
pub fn export(args: &ExportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site(Access::Read)?;
    let mut snapshot = site.store_mut().read()?;
    let checkpoint = match args.size {
        Some(size) => {
            let size = size_in(&snapshot, size)?;
            snapshot.checkpoint_at(size)?.map_or_else(|| Err(not_released(&mut snapshot, size)?), Ok)?
        }
        None => {
            let size = snapshot.size();
            let newest = snapshot.checkpoint_up_to(size)?;
            newest
                .ok_or_else(|| Failure::new(Exit::NotFound, "checkpoint_not_found", "no checkpoint was released yet"))?
        }
    };
    let (directory, size) = (&args.tiles, checkpoint.size);
    compare_checkpoint(&directory.join(CHECKPOINT_PATH), &checkpoint, &mut snapshot)?;
    let mut counts = Counts::default();
    for tile in tiles::hash_tiles(TreeSize::ZERO, size) {
        let bytes = tiles::hash_tile_bytes(&mut snapshot, &tile)?;
        put(&directory.join(tile.to_string()), &bytes, &mut counts)?;
    }
    {
        let progress = Progress::of("entries");
        for tile in tiles::entry_bundles(TreeSize::ZERO, size) {
            let mut bytes = Vec::new();
            for index in tile.positions() {
                let index = LeafIndex::new(index).expect("invariant: a tile of the log has indexes of the log");
                tiles::push_entry(&mut bytes, &snapshot.entry(index)?.body).map_err(|error| {
                    Failure::new(Exit::LogUnfit, "entry_too_large_for_tiles", format!("entry {index}: {error}"))
                })?;
            }
            put(&directory.join(tile.to_string()), &bytes, &mut counts)?;
            progress.at(tile.positions().end, size.get());
        }
    }
    put_times(&directory.join(INTEGRATED_PATH), &IntegratedTimes::of(&snapshot.times(size)?), &mut counts)?;
    let path = directory.join(CHECKPOINT_PATH);
    if fs::read(&path).is_ok_and(|there| there == checkpoint.c2sp.as_bytes()) {
        counts.kept += 1;
    } else {
        durable::replace(&path, checkpoint.c2sp.as_bytes(), Mode::Public).map_err(|error| unwritable(&path, &error))?;
        counts.written += 1;
    }
    let report = ExportReport {
        log_id: snapshot.identity().log_id().to_string(),
        directory: directory.display().to_string(),
        tree_size: size.get(),
        root_hash: checkpoint.root.to_hex(),
        files_written: counts.written,
        files_kept: counts.kept,
    };
    if call.output.is_json() {
        call.output.json(&report);
    } else {
        let ExportReport { tree_size, files_written, files_kept, .. } = report;
        call.output.line(format_args!(
            "{}: {tree_size} entries; {files_written} files written, {files_kept} were there",
            directory.display()
        ));
    }
    Ok(Exit::Done)
}

/// Refuses a directory whose checkpoint is of another log, of another tree, or of a later moment.
fn compare_checkpoint(
    path: &Path,
    checkpoint: &ReleasedCheckpoint,
    snapshot: &mut Snapshot<'_>,
) -> Result<(), Failure> {
    let text = match read_up_to(path, CHECKPOINT_LEN_MAX) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unwritable(path, &error)),
    };
    let verifier = snapshot.identity().c2sp_verifier().clone();
    let verified = String::from_utf8(text)
        .ok()
        .and_then(|text| SignedCheckpoint::parse(&text).ok())
        .and_then(|signed| signed.verify(NoteRule::C2sp(&verifier)).ok());
    let Some(verified) = verified else {
        let message = format!("{} is not a checkpoint of {}", path.display(), snapshot.identity().origin());
        return Err(Failure::new(Exit::Usage, "export_of_another_log", message).next("name another directory"));
    };
    if verified.size() > checkpoint.size {
        let message = format!(
            "{} covers {} entries, and the checkpoint to be exported covers {}",
            path.display(),
            verified.size(),
            checkpoint.size
        );
        let newer_than_log = verified.size() > snapshot.size();
        let exit = if newer_than_log { Exit::LogUnfit } else { Exit::Usage };
        return Err(Failure::new(exit, "export_is_newer", message).next(if newer_than_log {
            format!("the log lost entries that it had: airtight log recover --from {}", parent(path).display())
        } else {
            "name another directory for an older size".to_owned()
        }));
    }
    let root = snapshot.root_at(verified.size())?;
    if root != *verified.root() {
        let message = format!(
            "{} says root {} at size {}, and the log has {root} there",
            path.display(),
            verified.root(),
            verified.size()
        );
        return Err(Failure::new(Exit::LogUnfit, "export_differs", message)
            .next("the log was forked or one of the two is damaged: keep both, and run `airtight log fsck`"));
    }
    Ok(())
}

/// Writes a file, or finds it there with the same bytes.
fn put(path: &Path, bytes: &[u8], counts: &mut Counts) -> Result<(), Failure> {
    match read_up_to(path, bytes.len()) {
        Ok(there) if there == bytes => {
            counts.kept += 1;
            return Ok(());
        }
        Ok(_) => return Err(differs(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unwritable(path, &error)),
    }
    fs::create_dir_all(parent(path)).map_err(|error| unwritable(path, &error))?;
    durable::create_new(path, bytes, Mode::Public).map_err(|error| unwritable(path, &error))?;
    counts.written += 1;
    Ok(())
}

/// Writes the times, over a file of which they are the continuation.
fn put_times(path: &Path, times: &IntegratedTimes, counts: &mut Counts) -> Result<(), Failure> {
    match fs::read_to_string(path) {
        Ok(there) => {
            let there = IntegratedTimes::parse(&there).ok().filter(|there| times.continues(there));
            let there = there.ok_or_else(|| differs(path))?;
            if there.lines() >= times.lines() {
                counts.kept += 1;
                return Ok(());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(differs(path)),
        Err(error) => return Err(unwritable(path, &error)),
    }
    fs::create_dir_all(parent(path)).map_err(|error| unwritable(path, &error))?;
    durable::replace(path, times.render().as_bytes(), Mode::Public).map_err(|error| unwritable(path, &error))?;
    counts.written += 1;
    Ok(())
}

/// Reads a file whose length is known to be at most `len`; one byte more is enough to tell a longer one.
fn read_up_to(path: &Path, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len + 1);
    io::Read::read_to_end(&mut io::Read::take(fs::File::open(path)?, len as u64 + 1), &mut bytes)?;
    Ok(bytes)
}

fn differs(path: &Path) -> Failure {
    let message = format!("{} is there with other bytes than the log gives", path.display());
    Failure::new(Exit::LogUnfit, "export_differs", message)
        .next("it is another log's, or one of the two is damaged: run `airtight log fsck`, or name another directory")
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let code = if error.kind() == io::ErrorKind::StorageFull { "disk_full" } else { "output_unwritable" };
    Failure::new(Exit::MachineRefused, code, format!("{}: {error}", path.display()))
        .next("name a directory you may write with --tiles DIR; what is written already is kept")
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}
