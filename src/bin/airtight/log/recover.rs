//! `airtight log recover`: reads a directory for whatever may bring the log back, and names what it could not use.
//!
//! ```text
//! DIR/*.sigstore.json          bundles: whole entries, with the times that the log signed
//! DIR/checkpoint               of an export, with DIR/tile/entries/… (leaves) and DIR/airtight/integrated (times)
//! ```
//!
//! Bundles are read first: an entry that a bundle gives is not asked of the tiles. Of the tiles only those are read that hold
//! lost entries. What belongs to another log is counted and left alone; what is broken is named and left alone; whether the
//! rest is enough, and the very thing that was signed, is judged by `airtight::attest`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use airtight::attest::{
    AttestError, INTEGRATED_LEN_MAX, INTEGRATED_PATH, IntegratedTimes, Material, MaterialRefusal, Recovered,
};
use airtight::bundle::BUNDLE_LEN_MAX;
use airtight_log::digest::{LeafIndex, TreeSize};
use airtight_log::store::Access;
use airtight_log::tiles::{self, CHECKPOINT_PATH, ENTRY_LEN_MAX, Row, TILE_WIDTH, Tile};
use serde::Serialize;

use crate::cli::log::RecoverArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::progress::Progress;

/// The largest checkpoint that is read.
const CHECKPOINT_LEN_MAX: u64 = airtight_keys::note::NOTE_LEN_MAX as u64;
/// The largest entry bundle there can be.
const TILE_LEN_MAX: u64 = TILE_WIDTH as u64 * (ENTRY_LEN_MAX as u64 + 2);

/// What came back, as `--json` shows it.
#[derive(Serialize)]
struct RecoverReport {
    log_id: String,
    old_size: u64,
    tree_size: u64,
    entries: u64,
    leaf_only: u64,
    checkpoints: u64,
    /// The size of the head that was written anew; nothing where the head file was left as it is.
    head_size: Option<u64>,
}

/// Runs `airtight log recover`.
///
/// # Errors
/// `directory_not_found`, `recover_nothing_found`, the `recover_…` codes, a head of another log; nothing is written then.
pub fn recover(args: &RecoverArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let directory = &args.from;
    let names = fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut names: Vec<PathBuf> = names.map_err(|error| {
        let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::MachineRefused };
        Failure::new(exit, "directory_not_found", format!("{}: {error}", directory.display()))
            .next("name a directory of exported tiles or of bundles with --from DIR")
    })?;
    names.sort();
    let mut site = call.open_site(Access::Write)?;
    let head = site.store_mut().head_checkpoint()?.ok().map(|head| head.size);
    let mut material = site.material()?;
    read_bundles(&names, &mut material, call)?;
    if let Some(covered) = read_checkpoint(directory, &mut material, call)? {
        let wanted = material.wanted(head);
        read_leaves(directory, wanted.start..wanted.end.min(covered.get()), covered, &mut material, call)?;
        read_times(directory, covered, &mut material, call)?;
    }
    if material.is_empty() {
        let message = format!("{} holds neither a bundle nor a checkpoint of this log", directory.display());
        return Err(Failure::new(Exit::NotFound, "recover_nothing_found", message)
            .next("name a directory of exported tiles or of bundles with --from DIR"));
    }
    let (keyring, passphrase) = (site.keyring().clone(), call.passphrase.clone());
    let mut key = || keyring.load_log(&mut passphrase.unlock()).map_err(AttestError::from);
    let recovered = site.recover(&material, &mut key, call.now()?, &call.holder("log recover"))?;
    report(&recovered, &site.store().identity().log_id().to_string(), call);
    Ok(Exit::Done)
}

fn report(recovered: &Recovered, log_id: &str, call: &mut Invocation) {
    let Recovered { from, size, leaf_only, checkpoints, head } = *recovered;
    let entries = size.get() - from.get();
    if call.output.is_json() {
        call.output.json(&RecoverReport {
            log_id: log_id.to_owned(),
            old_size: from.get(),
            tree_size: size.get(),
            entries,
            leaf_only,
            checkpoints,
            head_size: head.map(TreeSize::get),
        });
    } else {
        call.output.line(format_args!("entries:     {entries} came back; the log has {size}"));
        call.output.line(format_args!("checkpoints: {checkpoints} came back"));
        call.output.line(match head {
            Some(head) => format!("head:        written anew, at size {head}"),
            None => "head:        left as it is".to_owned(),
        });
    }
    if leaf_only > 0 {
        call.output.say(format_args!(
            "of {leaf_only} entries only the leaf came back: they are proven, and their bundles are what others kept"
        ));
    }
    if entries == 0 && checkpoints == 0 && head.is_none() {
        call.output.say("nothing was lost");
    }
}

/// Reads the bundles of a directory, each whole.
fn read_bundles(names: &[PathBuf], material: &mut Material, call: &mut Invocation) -> Result<(), Failure> {
    let bundles: Vec<&PathBuf> =
        names.iter().filter(|name| name.to_string_lossy().ends_with(".sigstore.json")).collect();
    let progress = Progress::of("bundles");
    let mut of_others = 0_u64;
    let mut unusable = Vec::new();
    for (done, path) in (1..).zip(&bundles) {
        let text = read(path, BUNDLE_LEN_MAX as u64)?.unwrap_or_default();
        match material.add_bundle(&text) {
            Ok(_) => {}
            Err(MaterialRefusal::AnotherLog { .. } | MaterialRefusal::Checkpoint { .. }) => of_others += 1,
            Err(refusal) => unusable.push(format!("{}: {refusal}", path.display())),
        }
        progress.at(done, bundles.len() as u64);
    }
    drop(progress);
    for words in unusable {
        call.warn("material_unusable", &words);
    }
    if of_others > 0 {
        call.output.say(format_args!("bundles of other logs: {of_others}"));
    }
    Ok(())
}

/// Reads the checkpoint of an export; gives the size that its tiles are of.
fn read_checkpoint(
    directory: &Path,
    material: &mut Material,
    call: &mut Invocation,
) -> Result<Option<TreeSize>, Failure> {
    let path = directory.join(CHECKPOINT_PATH);
    let Some(text) = read(&path, CHECKPOINT_LEN_MAX)? else { return Ok(None) };
    match material.add_checkpoint(&String::from_utf8_lossy(&text)) {
        Ok(covered) => Ok(Some(covered)),
        Err(refusal) => {
            call.warn("material_unusable", &format_args!("{}: {refusal}", path.display()));
            Ok(None)
        }
    }
}

/// Reads the leaves of a range from the entry bundles of an export that covers `covered` entries.
fn read_leaves(
    directory: &Path,
    wanted: Range<u64>,
    covered: TreeSize,
    material: &mut Material,
    call: &mut Invocation,
) -> Result<(), Failure> {
    let progress = Progress::of("entries");
    let mut unusable = Vec::new();
    for tile in tiles::entry_bundles(TreeSize::ZERO, covered) {
        let positions = tile.positions();
        if positions.end <= wanted.start || positions.start >= wanted.end {
            continue;
        }
        // A mirror may have dropped a partial bundle once the full one was there.
        let full = Tile::new(Row::Entries, tile.index(), TILE_WIDTH).expect("invariant: as the partial one of its row");
        for tile in [tile, full] {
            let path = directory.join(tile.to_string());
            let Some(bytes) = read(&path, TILE_LEN_MAX)? else { continue };
            let refused = match tiles::parse_entries(&bytes, tile.width()) {
                Ok(leaves) => (tile.positions().zip(leaves))
                    .filter(|(index, _)| wanted.contains(index))
                    .map(|(index, leaf)| {
                        let index = LeafIndex::new(index).expect("invariant: a tile has indexes of a log");
                        material.add_leaf(index, leaf).map_err(|refusal| refusal.to_string())
                    })
                    .find_map(Result::err),
                Err(error) => Some(error.to_string()),
            };
            unusable.extend(refused.map(|said| format!("{}: {said}", path.display())));
            break;
        }
        progress.at(positions.end.min(wanted.end) - wanted.start, wanted.end - wanted.start);
    }
    drop(progress);
    for words in unusable {
        call.warn("material_unusable", &words);
    }
    Ok(())
}

/// Reads the times of an export.
fn read_times(
    directory: &Path,
    covered: TreeSize,
    material: &mut Material,
    call: &mut Invocation,
) -> Result<(), Failure> {
    let path = directory.join(INTEGRATED_PATH);
    let Some(text) = read(&path, INTEGRATED_LEN_MAX)? else { return Ok(()) };
    match IntegratedTimes::parse(&String::from_utf8_lossy(&text)) {
        Ok(times) => material.add_times(times, covered),
        Err(error) => call.warn("material_unusable", &format_args!("{}: {error}", path.display())),
    }
    Ok(())
}

/// Reads a file of at most `len_max` bytes; nothing where it is not there.
fn read(path: &Path, len_max: u64) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let refused =
        |words: String| Failure::new(Exit::MachineRefused, "input_unreadable", format!("{}: {words}", path.display()));
    match File::open(path).and_then(|file| file.take(len_max + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > len_max => Err(refused(format!("more than {len_max} bytes"))),
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(error.to_string())),
    }
}
