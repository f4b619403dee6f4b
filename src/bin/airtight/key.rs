//! `airtight key …`: makes, lists, shows and hands over the keys of a site.

use airtight::attest::Site;
use airtight::disposition::{KeyAnnouncement, KeyCapabilities};
use airtight::keyring::{KeyEntry, KeyName, Keyring, PrivateHalf, Protection, Unlock};
use airtight_keys::public::{Algorithm, Capabilities};
use airtight_log::store::Access;
use serde::Serialize;

use crate::cli::key::{CapabilitiesArgs, ExportArgs, GenerateArgs, ImportArgs, KeyCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::{Invocation, OsRandom};
use crate::passphrase::PassphraseSource;

/// Runs one command about keys.
///
/// # Errors
/// The codes of the keyring, of the passphrase, of the log that a new key is logged in, and `no_site`.
pub fn run(command: KeyCommand, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        KeyCommand::Generate(args) => generate(&args, call),
        KeyCommand::List => list(call),
        KeyCommand::Show(args) => {
            let entry = call.keyring().entry(&args.name)?;
            show(&entry, call);
            Ok(Exit::Done)
        }
        KeyCommand::Import(args) => import(&args, call),
        KeyCommand::Export(args) => export(&args, call),
        KeyCommand::Capabilities(args) => capabilities(&args, call),
    }
}

/// A key as `--json` shows it: the members of `key/v1`, and where its halves are.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyReport {
    #[serde(flatten)]
    announcement: KeyAnnouncement,
    private: &'static str,
    public_key: String,
}

impl KeyReport {
    fn of(entry: &KeyEntry) -> KeyReport {
        KeyReport {
            announcement: KeyAnnouncement::new(entry.name.as_str(), entry.role(), entry.algorithm(), entry.key_id()),
            private: private_word(entry.private),
            public_key: entry.public.spki_pem().to_owned(),
        }
    }
}

fn generate(args: &GenerateArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    call.require_home()?;
    let algorithm = args.algorithm.map(Algorithm::from).or(args.name.algorithm_required()).unwrap_or(Algorithm::P256);
    make(args.no_passphrase, call, |keyring, protection| {
        Ok(keyring.generate(&args.name, algorithm, protection, &mut OsRandom)?)
    })
}

fn import(args: &ImportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    call.require_home()?;
    let source = match &args.import_passphrase_file {
        Some(file) => PassphraseSource::new(Some(file.clone())),
        None => call.passphrase.clone(),
    };
    let key = Keyring::read_foreign(&args.file, &args.name, &mut source.unlock())?;
    make(args.no_passphrase, call, |keyring, protection| {
        Ok(keyring.import(&args.name, &key, protection, &mut OsRandom)?)
    })
}

/// Writes a new key, logs it where the site has a log, and shows it. Whatever would refuse the logging refuses first.
fn make(
    no_passphrase: bool,
    call: &mut Invocation,
    write: impl FnOnce(&Keyring, Protection<'_>) -> Result<KeyEntry, Failure>,
) -> Result<Exit, Failure> {
    let (now, source) = (call.now()?, call.passphrase.clone());
    let mut site = site_with_log(call, now)?;
    let (entry, keys) = under_passphrase(no_passphrase, call, |keyring, protection| {
        let unlocked = site.as_ref().map(|site| {
            let mut unlock = match protection {
                Protection::Passphrase(_) => Unlock::of(protection),
                Protection::Plain => source.unlock(),
            };
            site.unlock(&site.default_signer()?, &mut unlock)
        });
        let keys = unlocked.transpose()?;
        Ok((write(keyring, protection)?, keys))
    })?;
    if let (Some(site), Some(keys)) = (&mut site, keys) {
        let index = site.announce_key(&entry, &keys, now, &call.holder("key"))?;
        call.output.say(format_args!("logged as entry {index}"));
    }
    show(&entry, call);
    Ok(Exit::Done)
}

/// Opens the site where it has a log, and refuses where nothing could be logged now.
fn site_with_log(call: &mut Invocation, now: u64) -> Result<Option<Site>, Failure> {
    if !call.home.join(airtight::config::FILE_NAME).is_file() {
        return Ok(None);
    }
    let mut site = call.open_site(Access::Write)?;
    site.check_ready(now, &call.holder("key"))?;
    Ok(Some(site))
}

/// Hands a new key's protection to what writes it: the site's passphrase, unless the person asked for none.
///
/// # Errors
/// Those of the passphrase, of listing the keys, and of the writing.
pub fn under_passphrase<T>(
    no_passphrase: bool,
    call: &Invocation,
    write: impl FnOnce(&Keyring, Protection<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let keyring = call.keyring();
    if no_passphrase {
        return write(&keyring, Protection::Plain);
    }
    // A site that has encrypted keys has a passphrase: it is asked for once, and the keyring refuses another one.
    let has_one = keyring.list()?.iter().any(|entry| entry.private == PrivateHalf::Encrypted);
    let passphrase =
        if has_one { call.passphrase.existing("passphrase of this site: ")? } else { call.passphrase.chosen()? };
    write(&keyring, Protection::Passphrase(&passphrase))
}

fn list(call: &mut Invocation) -> Result<Exit, Failure> {
    call.require_home()?;
    let entries = call.keyring().list()?;
    if call.output.is_json() {
        call.output.json(&entries.iter().map(KeyReport::of).collect::<Vec<_>>());
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        call.output.say("no keys yet; `airtight key generate` makes one");
        return Ok(Exit::Done);
    }
    let rows = entries.iter().map(|entry| {
        [
            entry.name.to_string(),
            entry.role().to_string(),
            entry.algorithm().to_string(),
            private_word(entry.private).to_owned(),
            entry.key_id().to_string(),
        ]
    });
    call.output.table(["NAME", "ROLE", "ALGORITHM", "PRIVATE", "KEY ID"], rows);
    Ok(Exit::Done)
}

fn show(entry: &KeyEntry, call: &mut Invocation) {
    if call.output.is_json() {
        call.output.json(&KeyReport::of(entry));
        return;
    }
    let keyring = call.keyring();
    let private = keyring.private_path(&entry.name);
    let output = &mut call.output;
    output.line(format_args!("name:      {}", entry.name));
    output.line(format_args!("role:      {}", entry.role()));
    output.line(format_args!("algorithm: {}", entry.algorithm()));
    output.line(format_args!("key id:    {}", entry.key_id()));
    output.line(format_args!("hint:      {}", entry.key_id().to_base64()));
    match entry.private {
        PrivateHalf::Absent => output.line("private:   absent"),
        PrivateHalf::Plain => output.line(format_args!("private:   {} (in the clear)", private.display())),
        PrivateHalf::Encrypted => output.line(format_args!("private:   {} (encrypted)", private.display())),
    }
    output.line(format_args!("public:    {}", keyring.public_path(&entry.name).display()));
    output.line(format_args!("this key:  {}", entry.algorithm().capabilities()));
}

fn export(args: &ExportArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    call.require_home()?;
    let keyring = call.keyring();
    if args.public {
        let public = keyring.public(&args.name)?;
        call.output.bytes(public.spki_pem().as_bytes());
        return Ok(Exit::Done);
    }
    let text = {
        let mut unlock = call.passphrase.unlock();
        keyring.export_cosign(&args.name, &mut unlock, &mut OsRandom)?
    };
    call.output.bytes(text.as_bytes());
    Ok(Exit::Done)
}

/// What an algorithm, or a key, can do outside.
#[derive(Serialize)]
struct CapabilitiesReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    algorithm: &'static str,
    capabilities: KeyCapabilities,
}

fn capabilities(args: &CapabilitiesArgs, call: &mut Invocation) -> Result<Exit, Failure> {
    let rows: Vec<(Option<&KeyName>, Algorithm)> = match &args.name {
        Some(name) => vec![(Some(name), call.keyring().public(name)?.algorithm())],
        None => vec![(None, Algorithm::P256), (None, Algorithm::Ed25519)],
    };
    for (name, algorithm) in rows {
        let capabilities: Capabilities = algorithm.capabilities();
        if call.output.is_json() {
            let name = name.map(KeyName::to_string);
            let capabilities = KeyCapabilities::from(capabilities);
            call.output.json(&CapabilitiesReport { name, algorithm: algorithm.name(), capabilities });
        } else {
            let subject = name.map_or_else(String::new, |name| format!("{name}: "));
            call.output.line(format_args!("{subject}{algorithm}: {capabilities}"));
        }
    }
    Ok(Exit::Done)
}

fn private_word(private: PrivateHalf) -> &'static str {
    match private {
        PrivateHalf::Absent => "absent",
        PrivateHalf::Plain => "plain",
        PrivateHalf::Encrypted => "encrypted",
    }
}
