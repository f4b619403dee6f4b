//! `airtight log fsck` and `backup`: is the database whole, and a copy of it.

use std::fs;
use std::io;
use std::path::Path;

use airtight::durable;
use airtight_log::store::Access;
use serde::Serialize;

use crate::cli::log::BackupArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::progress::Progress;

/// A clean log, as `--json` shows it.
#[derive(Serialize)]
struct FsckReport {
    log_id: String,
    entries: u64,
    tiles: u64,
    index_pairs: u64,
    checkpoints: u64,
    standing_rows: u64,
    receipts_missing: u64,
    head_size: u64,
}

/// Runs `airtight log fsck`.
///
/// # Errors
/// `log_damaged` with the first thing that does not fit; the codes of a head that does not.
pub fn fsck(call: &mut Invocation) -> Result<Exit, Failure> {
    let mut site = call.open_site_to_judge()?;
    let report = {
        let progress = Progress::of("entries");
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        site.store_mut().fsck(threads, &mut |done, of| progress.at(done, of))?
    };
    let report = FsckReport {
        log_id: site.store().identity().log_id().to_string(),
        entries: report.entries,
        tiles: report.tiles,
        index_pairs: report.index_pairs,
        checkpoints: report.checkpoints,
        standing_rows: report.standing_rows,
        receipts_missing: report.receipts_missing,
        head_size: report.head_size,
    };
    if call.output.is_json() {
        call.output.json(&report);
        return Ok(Exit::Done);
    }
    let FsckReport { entries, tiles, index_pairs, checkpoints, standing_rows, receipts_missing, head_size, .. } =
        report;
    call.output.line("clean");
    call.output.line(format_args!("entries:     {entries}, each rebuilt and hashed"));
    call.output.line(format_args!("tiles:       {tiles}, each rebuilt"));
    call.output.line(format_args!("index pairs: {index_pairs}"));
    call.output.line(format_args!("checkpoints: {checkpoints}, both signatures of each verified"));
    call.output.line(format_args!("standing:    {standing_rows} rows, each as an entry of the log says"));
    if receipts_missing > 0 {
        call.output.line(format_args!("receipts:    {receipts_missing} are not kept here; import them again"));
    }
    call.output.line(format_args!("head:        a checkpoint of size {head_size}, which the log holds"));
    Ok(Exit::Done)
}

/// Runs `airtight log backup`.
///
/// # Errors
/// `output_exists`, `output_unwritable`, and what the database says.
pub fn backup(args: &BackupArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct BackupReport {
        log_id: String,
        file: String,
        len: u64,
    }
    let mut site = call.open_site(Access::Read)?;
    let file = &args.file;
    if fs::symlink_metadata(file).is_ok() {
        return Err(exists(file));
    }
    // The name appears with the whole copy behind it: an interrupted copy is no backup.
    let stage = durable::Stage::beside(file).map_err(|error| unwritable(file, &error))?;
    let copy = stage.path().join("log.db");
    {
        let progress = Progress::of("pages");
        site.store_mut().backup(&copy, &mut |done, of| progress.at(done, of))?;
    }
    let len = fs::metadata(&copy).map_err(|error| unwritable(file, &error))?.len();
    durable::move_new(&copy, file).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(file),
        _ => unwritable(file, &error),
    })?;
    let log_id = site.store().identity().log_id().to_string();
    if call.output.is_json() {
        call.output.json(&BackupReport { log_id, file: file.display().to_string(), len });
    } else {
        call.output.line(format_args!("{}: {len} bytes", file.display()));
    }
    Ok(Exit::Done)
}

fn exists(file: &Path) -> Failure {
    Failure::new(Exit::Usage, "output_exists", format!("{} is there already", file.display()))
        .next("name another file; a backup is never written over")
}

fn unwritable(file: &Path, error: &io::Error) -> Failure {
    let full = error.kind() == io::ErrorKind::StorageFull;
    let code = if full { "disk_full" } else { "output_unwritable" };
    Failure::new(Exit::MachineRefused, code, format!("{}: {error}", file.display())).next("name another file")
}
