//! `airtight sync upload`: an outbox pack goes to its log, and a receipts pack comes of it.
//!
//! It needs no site and reads none: it runs on a host that nobody trusts, and what it brings home is verified inside. The
//! directory it writes is a receipts pack whenever the command has ended, and is gone on with by the same command.

use crate::cli::sync::UploadArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

/// Runs `airtight sync upload`.
///
/// # Errors
/// `net_left_out` in a build that has no client sockets.
#[cfg(not(feature = "net"))]
pub fn run(args: &UploadArgs, _call: &mut Invocation) -> Result<Exit, Failure> {
    let pack = args.pack.display();
    Err(super::net_left_out(format!(
        "copy {pack} to a host with a full build of airtight, and run the same command there"
    )))
}

#[cfg(feature = "net")]
pub use self::net::run;

#[cfg(feature = "net")]
mod net {
    use airtight::disposition::ApiVersion;
    use airtight::pack::is_url;
    use airtight::pack::journal::UploadFolder;
    use airtight::pack::outbox::OutboxPack;
    use airtight::sync::upload::{Options, Report, UploadError, upload};
    use airtight_log::digest::Hash;
    use serde::Serialize;

    use super::*;
    use crate::sync::way::{ProcessPowers, Remaining, again, bar, remaining, transport};

    /// How long one request may take where nothing else is said, in seconds: p99 of the public v2 log was seen at 17.
    const TIMEOUT_S: u32 = 30;

    /// An upload, as `--json` shows it.
    #[derive(Serialize)]
    struct UploadReport {
        log_id: String,
        target: String,
        receipts: String,
        entries: u64,
        answered: u64,
        refused: u64,
        taken: u64,
        known: u64,
        remaining: Vec<Remaining>,
        again: Option<String>,
    }

    /// Runs `airtight sync upload`.
    ///
    /// # Errors
    /// The codes of packs; `url_refused`, `ca_unreadable`, `ca_malformed`, `proxy_refused`.
    pub fn run(args: &UploadArgs, call: &mut Invocation) -> Result<Exit, Failure> {
        let way = &args.way;
        for url in [&way.url, &way.tiles].into_iter().flatten() {
            if !is_url(url) {
                return Err(Failure::new(Exit::Usage, "url_refused", format!("{url:?} is no address of a log"))
                    .next("give it like https://rekor.example, without a slash at its end"));
            }
        }
        if args.out.extension().is_some_and(|extension| extension == "tar") {
            let message =
                format!("answers are collected in a directory, and {} is named as an archive", args.out.display());
            return Err(Failure::new(Exit::Usage, "usage", message).next("name a directory with --out DIR"));
        }
        let mut pack = OutboxPack::open(&args.pack)?;
        let manifest = pack.manifest().clone();
        let refused = |what: &str| Failure::new(Exit::Malformed, "pack_malformed", format!("manifest.json: {what}"));
        let options = Options {
            api: ApiVersion::of_number(u64::from(manifest.target.api_version)).ok_or_else(|| refused("apiVersion"))?,
            url: way.url.clone().unwrap_or(manifest.target.url),
            tiles: way.tiles.clone(),
            log_id: Hash::from_hex(&manifest.target.log_id).map_err(|_| refused("target.logId"))?,
            parallel: way.parallel,
            per_hour: way.budget.and_then(|budget| budget.per_hour()).map(u64::from),
            settle_ms: u64::from(way.settle) * 1000,
        };
        let http = transport(&options.url, way.timeout.unwrap_or(TIMEOUT_S), way)?;
        let (folder, resumed) = UploadFolder::open(&args.out, &pack)?;
        let done = {
            let bar = bar();
            let requests = pack.lines()?;
            upload(&options, requests, manifest.entries, &resumed, &folder, (&http, &ProcessPowers), &bar)
        };
        // Whatever became of it: what was answered is a pack that can be carried home.
        let written = folder.finish();
        let report = done.map_err(|error| match error {
            UploadError::Pack(error) => error.into(),
            UploadError::Journal(source) => {
                Failure::by_system("pack_unwritable", format!("{}: {source}", args.out.display()), &source)
            }
        })?;
        let written = written?;
        show(args, call, &manifest.target.name, &written, &report);
        Ok(if written.remaining == 0 { Exit::Done } else { Exit::Remaining })
    }

    fn show(
        args: &UploadArgs,
        call: &mut Invocation,
        target: &str,
        written: &airtight::pack::receipts::ReceiptsManifest,
        report: &Report,
    ) {
        let shown = UploadReport {
            log_id: written.log_id.clone(),
            target: target.to_owned(),
            receipts: args.out.display().to_string(),
            entries: written.entries,
            answered: written.answered,
            refused: written.refused,
            taken: report.taken,
            known: report.known,
            remaining: remaining(report),
            again: again(report),
        };
        if call.output.is_json() {
            call.output.json(&shown);
            return;
        }
        let UploadReport { receipts, entries, answered, refused, .. } = &shown;
        call.output.line(format_args!("{receipts}: {answered} of {entries} entries answered, {refused} refused"));
        for Remaining { reason, entries, met } in &shown.remaining {
            let met = met.as_deref().unwrap_or_default();
            call.output.line(format_args!("{entries} remain, {reason}: {met}"));
        }
        if let Some(again) = &shown.again {
            call.output.say(format_args!("run the same command again after {again}"));
        } else if written.remaining > 0 {
            call.output.say("run the same command again to go on");
        }
    }
}
