//! `airtight attest`: files, directories and ready statements into bundles; batches into answers.
//!
//! Everything that can be refused is refused first: paths are read and hashed, outputs are compared, before a site is
//! made, a key unlocked or anything signed. After the entry is durable only the writing of the bundle can still fail,
//! and then `airtight bundle get N` gives it again.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use airtight::attest::{Answer, Proven, Site, SiteKeys};
use airtight::bundle::{Bundle, Content};
use airtight::durable::{self, Mode};
use airtight::keyring::KeyName;
use airtight::statement::{
    ArtifactPredicate, Part, PredicateType, STATEMENT_LEN_MAX, SUBJECTS_MAX, Statement, StatementError, Subject,
};
use airtight_log::store::Access;
use serde::Serialize;

use crate::artifacts::{self, Artifact, Asker};
use crate::cli::attest::AttestArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::init;
use crate::invocation::Invocation;

/// From so many payload bytes on public Rekor closes the connection (observed; nothing is published).
pub const PUBLIC_REKOR_LEN: usize = 3 << 20;

/// One statement to be attested, and where its bundle goes.
struct Draft {
    statement: Statement,
    /// What the bundle is named after.
    name: String,
    /// How the artifact was named on the command line.
    artifact: Option<PathBuf>,
}

/// What was attested, as `--json` shows it.
#[derive(Serialize)]
struct AttestReport<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
    bundle: String,
    log_id: String,
    leaf_index: u64,
    leaf_hash: String,
    tree_size: u64,
    entry_id: &'r str,
    integrated_time: u64,
    new: bool,
    dispositions: &'r [airtight::disposition::Disposition],
    verify: String,
}

/// Runs `airtight attest`.
///
/// # Errors
/// Whatever an input, a site, a key or the machine refuses, each with its code.
pub fn run(args: &AttestArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    if let Some(source) = &args.batch {
        return batch(source, args, call);
    }
    let drafts = drafts(args, call)?;
    let outputs = outputs(&drafts, args)?;
    let (mut site, keys, key) = open(args, call)?;
    for draft in &drafts {
        if draft.statement.bytes().len() > PUBLIC_REKOR_LEN {
            let mib = draft.statement.bytes().len() >> 20;
            call.output
                .say(format_args!("note: {} is {mib} MiB; public Rekor takes no envelope of that size", draft.name));
        }
    }
    let names: Vec<_> = drafts.iter().map(|draft| draft.artifact.clone()).collect();
    let statements = drafts.into_iter().map(|draft| draft.statement).collect();
    let now = call.now()?;
    let proven = site.attest(statements, &keys, now, &call.holder("attest"))?;
    for ((proven, output), artifact) in proven.iter().zip(&outputs).zip(names) {
        write(output, proven.bundle.as_bytes(), args.force, proven)?;
        if args.tlog_proof {
            write(&proof_path(output), proven.tlog_proof.as_bytes(), args.force, proven)?;
        }
        report(proven, output, artifact.as_deref(), &key, &site, call);
    }
    Ok(Exit::Done)
}

/// Opens the site, made first where that was asked for, and unlocks its keys.
fn open(args: &AttestArgs, call: &mut Invocation) -> Result<(Site, SiteKeys, KeyName), Failure> {
    if args.init && !call.home.join(airtight::config::FILE_NAME).is_file() {
        let origin = args.origin.clone().map_or_else(init::origin_of_host, Ok)?;
        init::make(&origin, &args.keys, call)?;
        call.output.say(format_args!("made the site {} with the log {origin}", call.home.display()));
    }
    let site = call.open_site(Access::Write)?;
    let key = args.key.clone().map_or_else(|| site.default_signer(), Ok)?;
    let keys = site.unlock(&key, &mut call.passphrase.unlock())?;
    Ok((site, keys, key))
}

/// Makes the statements; nothing is written.
fn drafts(args: &AttestArgs, call: &Invocation) -> Result<Vec<Draft>, Failure> {
    if let Some(source) = &args.statement {
        let (bytes, name) = if source.as_os_str() == "-" {
            (read_limited(&mut io::stdin().lock(), Path::new("standard input"))?, "statement".to_owned())
        } else {
            let mut file = File::open(source).map_err(|error| artifacts::unreadable(source, &error))?;
            (read_limited(&mut file, source)?, artifacts::name_of(source)?)
        };
        return Ok(vec![Draft { statement: Statement::ready(bytes)?, name, artifact: None }]);
    }
    refuse_inside(args, call)?;
    let read = args.paths.iter().map(|path| artifacts::read(path, Asker::Attest)).collect::<Result<Vec<_>, _>>()?;
    let predicate = match (&args.predicate, &args.predicate_type) {
        (Some(path), Some(name)) => {
            let mut file = File::open(path).map_err(|error| artifacts::unreadable(path, &error))?;
            let text = String::from_utf8(read_limited(&mut file, path)?).map_err(|_| {
                let message = format!("{} is not UTF-8, and a predicate is JSON", path.display());
                Failure::new(Exit::Malformed, "predicate_not_utf8", message)
            })?;
            let kind = PredicateType::parse(name)?;
            if kind.is_reserved() {
                return Err(StatementError::ControlType { found: kind.into_uri() }.into());
            }
            Some((kind, text))
        }
        _ => None,
    };
    if args.together {
        let names = read.iter().zip(&args.paths).map(|(artifact, path)| (artifact, Some(path.clone()))).collect();
        return together(names, predicate.as_ref(), args);
    }
    let mut drafts = Vec::new();
    for (artifact, path) in read.iter().zip(&args.paths) {
        drafts.extend(of_one(artifact, path, predicate.as_ref(), args)?);
    }
    Ok(drafts)
}

/// Makes the statement of one file or directory, or its parts.
fn of_one(
    artifact: &Artifact,
    path: &Path,
    predicate: Option<&(PredicateType, String)>,
    args: &AttestArgs,
) -> Result<Vec<Draft>, Failure> {
    let (files, size) = (artifact.files.len() as u64, artifact.size);
    let own = |part: Option<Part>| {
        if artifact.is_directory {
            ArtifactPredicate::Directory { files, size, symlinks: artifact.symlinks.clone(), part }
        } else {
            ArtifactPredicate::File { size }
        }
    };
    parts(&artifact.files, &artifact.name, Some(path), predicate, &own, args)
}

/// Makes one statement over everything that was named.
fn together(
    named: Vec<(&Artifact, Option<PathBuf>)>,
    predicate: Option<&(PredicateType, String)>,
    args: &AttestArgs,
) -> Result<Vec<Draft>, Failure> {
    let mut subjects = Vec::new();
    for (artifact, _) in &named {
        let within = |subject: &Subject| match artifact.is_directory {
            true => Subject { name: format!("{}/{}", artifact.name, subject.name), sha256: subject.sha256 },
            false => subject.clone(),
        };
        if let Some(link) = artifact.symlinks.first() {
            let message =
                format!("{} holds the symbolic link {}, which a set does not state", artifact.name, link.name);
            return Err(Failure::new(Exit::Malformed, "symlink_in_set", message).next("attest the directory by itself"));
        }
        subjects.extend(artifact.files.iter().map(within));
    }
    let (files, size) = (subjects.len() as u64, named.iter().map(|(artifact, _)| artifact.size).sum());
    let own = |part: Option<Part>| ArtifactPredicate::Set { files, size, part };
    let first = named.first().expect("invariant: the command line asks for at least one path");
    parts(&subjects, &first.0.name, first.1.as_deref(), predicate, &own, args)
}

/// Cuts subjects into as many statements as were asked for: one, or with `--split` as many as it takes.
fn parts(
    subjects: &[Subject],
    name: &str,
    path: Option<&Path>,
    predicate: Option<&(PredicateType, String)>,
    own: &dyn Fn(Option<Part>) -> ArtifactPredicate,
    args: &AttestArgs,
) -> Result<Vec<Draft>, Failure> {
    let split = args.split && subjects.len() > SUBJECTS_MAX;
    let of = u32::try_from(if split { subjects.len().div_ceil(SUBJECTS_MAX) } else { 1 }).unwrap_or(u32::MAX);
    let chunks: Vec<&[Subject]> = if split { subjects.chunks(SUBJECTS_MAX).collect() } else { vec![subjects] };
    let mut drafts = Vec::new();
    for (number, chunk) in (1..).zip(chunks) {
        let part = split.then_some(Part { number, of });
        let statement = match predicate {
            Some((predicate_type, text)) => Statement::new(chunk, predicate_type, Some(text))?,
            None => Statement::new(chunk, &PredicateType::artifact(), Some(&own(part).to_json()))?,
        };
        let name = if split { format!("{name}.part-{number:03}-of-{of:03}") } else { name.to_owned() };
        drafts.push(Draft { statement, name, artifact: path.map(Path::to_owned) });
    }
    Ok(drafts)
}

/// Refuses an output, or the site itself, inside a directory that is being attested: it would change what it attests.
fn refuse_inside(args: &AttestArgs, call: &Invocation) -> Result<(), Failure> {
    let resolve =
        |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or(path.to_owned());
    let (out, home) = (resolve(&args.out), resolve(&call.home));
    for path in args.paths.iter().filter(|path| path.is_dir()) {
        let directory = resolve(path);
        if out.starts_with(&directory) {
            let message = format!("the bundle would lie in {}, inside {}", out.display(), directory.display());
            return Err(Failure::new(Exit::Usage, "output_inside_artifact", message)
                .next("name another directory with --out DIR"));
        }
        if home.starts_with(&directory) {
            let message = format!("the site {} lies inside {}", home.display(), directory.display());
            return Err(Failure::new(Exit::Usage, "site_inside_artifact", message)
                .next("put the site elsewhere with --home DIR"));
        }
    }
    Ok(())
}

/// Names the outputs, and refuses two of one name, a directory that cannot be written, and a file of another content.
fn outputs(drafts: &[Draft], args: &AttestArgs) -> Result<Vec<PathBuf>, Failure> {
    // The current directory is not shown: `app.sigstore.json` is what a person would type.
    let out = if args.out == Path::new(".") { Path::new("") } else { &args.out };
    let outputs: Vec<PathBuf> = drafts.iter().map(|draft| out.join(format!("{}.sigstore.json", draft.name))).collect();
    let mut sorted: Vec<&PathBuf> = outputs.iter().collect();
    sorted.sort();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two bundles would be {}", pair[0].display());
        return Err(Failure::new(Exit::Usage, "output_twice", message)
            .next("attest them apart with another --out DIR, or --together"));
    }
    let unwritable = |error: io::Error| {
        let message = format!("{}: {error}", args.out.display());
        Failure::new(Exit::MachineRefused, "output_unwritable", message).next("name another directory with --out DIR")
    };
    // The directory itself is made once there is something to put into it: what is refused leaves nothing behind.
    let there = args.out.ancestors().find(|path| path.as_os_str().is_empty() || path.symlink_metadata().is_ok());
    let there = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    durable::check_writable(there).map_err(unwritable)?;
    for (draft, output) in drafts.iter().zip(&outputs) {
        if !args.force && output.try_exists().unwrap_or(true) && !holds(output, &draft.statement) {
            return Err(other_content(output));
        }
    }
    Ok(outputs)
}

/// Tells whether a file is a bundle of exactly this statement.
fn holds(path: &Path, statement: &Statement) -> bool {
    let Ok(text) = fs::read(path) else { return false };
    let parsed = Bundle::parse(&text);
    match parsed.as_ref().map(Bundle::content) {
        Ok(Content::Envelope { envelope, .. }) => envelope.payload_unverified() == statement.bytes(),
        _ => false,
    }
}

fn other_content(path: &Path) -> Failure {
    let message = format!("{} is there with another content", path.display());
    Failure::new(Exit::Usage, "output_exists", message).next("move it away, name another --out DIR, or say --force")
}

/// Writes an output whole; the same bytes there already are fine.
fn write(path: &Path, bytes: &[u8], force: bool, proven: &Proven) -> Result<(), Failure> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = match made.and_then(|()| durable::create_new(path, bytes, Mode::Public)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match fs::read(path) {
            Ok(there) if there == bytes => Ok(()),
            _ if force => durable::replace(path, bytes, Mode::Public),
            _ => return Err(other_content(path)),
        },
        other => other,
    };
    written.map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::new(Exit::MachineRefused, "output_unwritable", message)
            .next(format!("the entry is in the log: airtight bundle get {}", proven.index))
    })
}

fn proof_path(bundle: &Path) -> PathBuf {
    let name = bundle.to_string_lossy();
    PathBuf::from(format!("{}.tlog-proof", name.strip_suffix(".sigstore.json").unwrap_or(&name)))
}

fn report(proven: &Proven, output: &Path, artifact: Option<&Path>, key: &KeyName, site: &Site, call: &mut Invocation) {
    let home = call.home.display();
    let verify = match artifact {
        Some(path) => format!(
            "airtight verify {} --bundle {} --key {home}/keys/{key}.pub --trusted-root {home}/trusted_root.json",
            path.display(),
            output.display()
        ),
        None => format!(
            "airtight verify sha256:HEX --bundle {} --key {home}/keys/{key}.pub --trusted-root {home}/trusted_root.json",
            output.display()
        ),
    };
    if call.output.is_json() {
        call.output.json(&AttestReport {
            artifact: artifact.map(|path| path.display().to_string()),
            bundle: output.display().to_string(),
            log_id: site.store().identity().log_id().to_string(),
            leaf_index: proven.index.get(),
            leaf_hash: proven.leaf_hash.to_hex(),
            tree_size: proven.size.get(),
            entry_id: &proven.entry_id,
            integrated_time: proven.integrated_time,
            new: proven.new,
            dispositions: &proven.dispositions,
            verify,
        });
        return;
    }
    let known = if proven.new { "" } else { " (was there already)" };
    call.output.line(format_args!("bundle:    {}", output.display()));
    call.output.line(format_args!("entry:     {} in a tree of {}{known}", proven.index, proven.size));
    call.output.line(format_args!("leaf hash: {}", proven.leaf_hash.to_hex()));
    for disposition in &proven.dispositions {
        call.output.line(format_args!("standing:  {}", disposition));
    }
    call.output.line(format_args!("verify:    {verify}"));
}

/// Runs `airtight attest --batch`.
fn batch(source: &Path, args: &AttestArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let input: Box<dyn Read + Send> = if source.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(source).map_err(|error| artifacts::unreadable(source, &error))?)
    };
    let (mut site, keys, _) = open(args, call)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let now = call.now()?;
    let clock = call.clock();
    let holder = call.holder("attest --batch");
    let output = &mut call.output;
    let mut answer = |answers: &[Answer]| {
        let mut lines = Vec::with_capacity(answers.len() * 120);
        for answer in answers {
            serde_json::to_writer(&mut lines, &answer)?;
            lines.push(b'\n');
        }
        output.bytes(&lines);
        output.flush();
        if output.is_reader_gone() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    };
    let mut input = BufReader::with_capacity(1 << 20, input);
    let clock = move || clock().unwrap_or(now);
    let report = site.attest_batch(&mut input, &keys, threads, &clock, &holder, &mut answer)?;
    let (lines, new, known, refused) = (report.lines, report.new, report.known, report.refused);
    call.output.say(format_args!("{lines} lines: {new} new, {known} there already, {refused} refused"));
    Ok(if refused == 0 { Exit::Done } else { Exit::Malformed })
}

/// Reads a whole input, at most one statement's length.
fn read_limited(from: &mut dyn Read, path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = STATEMENT_LEN_MAX as u64 + 1;
    from.take(limit).read_to_end(&mut bytes).map_err(|error| artifacts::unreadable(path, &error))?;
    if bytes.len() as u64 == limit {
        let message = format!("{} has more than {STATEMENT_LEN_MAX} bytes", path.display());
        return Err(Failure::new(Exit::Malformed, "statement_too_large", message)
            .next("attest a file by its digest, or split it"));
    }
    Ok(bytes)
}
