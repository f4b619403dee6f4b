//! What can be said on the command line: the tree of commands, in the order in which a newcomer needs them.
//!
//! Every command has one line that says what it does, and an example that works when typed. The arguments of a command are
//! built only when its name is met (`defer`): a start costs the names alone.

#[cfg(feature = "site")]
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

#[cfg(feature = "site")]
pub mod attest;
pub mod bundle;
#[cfg(feature = "site")]
pub mod import;
#[cfg(feature = "site")]
pub mod key;
#[cfg(any(not(feature = "site"), test))]
mod left_out;
#[cfg(feature = "site")]
pub mod log;
pub mod policy;
#[cfg(feature = "site")]
pub mod site;
#[cfg(feature = "site")]
pub mod sync;
#[cfg(feature = "site")]
pub mod timestamp;
pub mod verify;

/// Attestations made, kept and proven on machines that have no network.
#[derive(Debug, Parser)]
#[command(name = "airtight", version, arg_required_else_help = true)]
#[cfg_attr(not(feature = "site"), command(about = "Attestations, judged: a build that only verifies"))]
#[command(after_help = "\
Data goes to standard output, words to standard error. Exit codes: 0 done or
verified, 1 refused, 2 usage, 3 weaker than the policy, 4 not found,
5 malformed, 6 the log does not fit, 7 stale, 8 sealed, 9 some remains,
10 the machine refused, 70 internal, 130 interrupted.")]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// What can be said to every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    #[cfg(feature = "site")]
    /// The site directory
    #[arg(long, global = true, value_name = "DIR", env = "AIRTIGHT_HOME", default_value = ".airtight")]
    pub home: PathBuf,

    /// Data as JSON, one value a line; errors as JSON on standard error
    #[arg(long, global = true)]
    pub json: bool,

    #[cfg(feature = "site")]
    /// Read the passphrase from the first line of FILE, before $AIRTIGHT_PASSPHRASE and the prompt
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,

    /// Take this moment as now, in seconds since the epoch: for tests and for reading back
    #[arg(long, global = true, value_name = "SECONDS", hide = true)]
    pub now: Option<u64>,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    #[cfg(feature = "site")]
    /// Make a site: its keys, its log, its settings
    Init(site::InitArgs),

    #[cfg(feature = "site")]
    /// Sign files, directories or ready statements, and log them
    Attest(attest::AttestArgs),

    /// Judge a bundle: no site, no network, no database
    Verify(Box<verify::VerifyArgs>),

    #[cfg(feature = "site")]
    /// Keep bundles that others signed: judge each, and log its exact bytes with the verdict
    Import(import::ImportArgs),

    /// Read policies, and say in sentences what they ask
    #[command(subcommand)]
    Policy(policy::PolicyCommand),

    /// Show what a bundle says, and give the bundle of an entry
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),

    #[cfg(feature = "site")]
    /// Show, prove, check, export and bring back the log
    #[command(subcommand)]
    Log(log::LogCommand),

    #[cfg(feature = "site")]
    /// Make, list and hand over keys
    #[command(subcommand)]
    Key(key::KeyCommand),

    #[cfg(feature = "site")]
    /// Send pending entries to a public log, by courier or by cable
    #[command(subcommand)]
    Sync(sync::SyncCommand),

    #[cfg(feature = "site")]
    /// Have upgraded bundles time stamped by an authority of your own, through files
    #[command(subcommand)]
    Timestamp(timestamp::TimestampCommand),

    #[cfg(feature = "site")]
    /// Hand over what verifies this site's bundles
    #[command(subcommand)]
    Trust(bundle::TrustCommand),

    #[cfg(feature = "site")]
    /// Attest a file, verify it, then change six things and see each refused
    Demo(site::DemoArgs),

    /// Answer as sigstore-conformance asks
    #[command(subcommand, hide = true)]
    Conformance(verify::ConformanceCommand),

    /// Print the completions of a shell
    #[command(after_help = "\
Example:
  $ airtight completions bash > ~/.local/share/bash-completion/completions/airtight")]
    Completions(CompletionsArgs),
}

/// `airtight completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the completions of a shell.
pub fn completions(args: &CompletionsArgs, call: &mut Invocation) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "airtight", &mut script);
    call.output.bytes(&script);
    Exit::Done
}

/// Says what clap has to say: help and version as data, everything else as a usage error.
pub fn refuse(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            Exit::Done
        }
        // A person who says nothing wants to know what can be said; it is still a usage error.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !wants_json() => {
            let _ = error.print();
            Exit::Usage
        }
        _ => {
            let failure = usage_failure(error);
            let _ = std::io::Write::write_all(&mut std::io::stderr(), failure.render(wants_json()).as_bytes());
            failure.exit
        }
    }
}

/// Tells whether JSON is wanted, where the arguments were not understood: asked of their text.
fn wants_json() -> bool {
    std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json")
}

/// Returns clap's words as a failure of ours: its first paragraphs are the message, its usage line the advice.
fn usage_failure(error: &clap::Error) -> Failure {
    let rendered = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        let command = rendered.lines().find_map(|line| line.strip_prefix("Usage: ")).map_or("airtight", command_of);
        return Failure::new(Exit::Usage, "usage", format!("`{command}` needs a command"))
            .next(format!("{command} --help"));
    }
    let (mut message, mut tip) = (Vec::new(), String::new());
    let mut command = "airtight";
    for paragraph in rendered.split("\n\n") {
        if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            command = command_of(usage);
        } else if let Some(words) = paragraph.trim_start().strip_prefix("tip: ") {
            tip = format!("{}; or see ", words.split_whitespace().collect::<Vec<_>>().join(" "));
        } else if !paragraph.starts_with("For more information") {
            message.extend(paragraph.split_whitespace());
        }
    }
    #[cfg(not(feature = "site"))]
    if let Some(failure) = left_out::failure(error, command) {
        return failure;
    }
    let message = message.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    Failure::new(Exit::Usage, "usage", message).next(format!("{tip}{command} --help"))
}

/// Returns the command's own words of a usage line: all before the first option or argument.
fn command_of(usage: &str) -> &str {
    let end = usage.find([' ', '\n']).map_or(usage.len(), |_| {
        let mut end = 0;
        for word in usage.split(' ') {
            if word.starts_with(['[', '<', '-']) || word.contains('\n') {
                break;
            }
            end += word.len() + 1;
        }
        end.saturating_sub(1)
    });
    usage.get(..end).unwrap_or(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &clap::Command, path: &str, see: &mut dyn FnMut(&str, &clap::Command)) {
        see(path, command);
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            each(sub, &format!("{path} {}", sub.get_name()), see);
        }
    }

    fn built() -> clap::Command {
        let mut command = Cli::command();
        command.build();
        command
    }

    #[test]
    fn the_tree_is_sound() {
        built().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_an_example_of_itself() {
        each(&built(), "airtight", &mut |path, command| {
            assert!(command.get_about().is_some(), "{path} says nothing");
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().unwrap_or_else(|| panic!("{path} has no example")).to_string();
                assert!(help.contains(&format!("$ {path}")), "{path}: the example does not show it: {help}");
            }
        });
    }

    #[test]
    fn the_first_help_says_what_each_command_does() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{} says nothing", command.get_name());
        }
    }

    #[test]
    fn no_secret_is_an_argument() {
        each(&built(), "airtight", &mut |path, command| {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(id != "passphrase" && id != "password", "{path} --{id}");
            }
        });
    }

    #[test]
    #[cfg(feature = "site")]
    fn bad_usage_is_one_sentence_and_the_help_to_read() {
        for (words, message, next) in [
            (
                &["airtight", "key", "list", "--xyz"][..],
                "unexpected argument '--xyz' found",
                "airtight key list --help",
            ),
            (
                &["airtight", "key", "show"][..],
                "the following required arguments were not provided: <NAME>",
                "airtight key show --help",
            ),
            (
                &["airtight", "key", "list", "--jso"][..],
                "unexpected argument '--jso' found",
                "a similar argument exists: '--json'; or see airtight key list --help",
            ),
            (&["airtight", "key"][..], "`airtight key` needs a command", "airtight key --help"),
            (&["airtight"][..], "`airtight` needs a command", "airtight --help"),
            (&["airtight", "nope"][..], "unrecognized subcommand 'nope'", "airtight --help"),
        ] {
            let failure = usage_failure(&Cli::try_parse_from(words).unwrap_err());
            assert_eq!((failure.message.as_str(), failure.next.as_deref()), (message, Some(next)), "{words:?}");
        }
    }
}
