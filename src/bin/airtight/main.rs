//! The command line: words in, one room called, data and words out.
//!
//! | file | what |
//! |---|---|
//! | `cli`, `cli/…` | what can be said: every command with its help and an example |
//! | `exit` | the exit codes |
//! | `failure` | what is said when something is not done, and what to do next |
//! | `output` | data to standard output, words to standard error |
//! | `passphrase` | where a passphrase comes from |
//! | `invocation` | one call: site, output, clock, randomness |
//! | `artifacts` | files and directories, hashed |
//! | `cores` | work on many things at once |
//! | `init`, `attest`, `verify`, `import`, `policy`, `bundle`, `demo` | the commands of these names; `trust` stands with `bundle`, `conformance` with `verify`, many at once in `verify/…` |
//! | `key` | `airtight key …` |
//! | `log`, `log/…` | `airtight log …` |
//! | `sync`, `sync/…` | `airtight sync …` |
//! | `progress` | how far a long command is, on a terminal |
//!
//! Nothing happens before it is needed: a command's arguments are built when its name is met, no thread is started, no file
//! is opened, and the environment is asked for `AIRTIGHT_HOME` alone. Bad usage is exit 2, before anything was touched.

#![expect(
    clippy::disallowed_methods,
    reason = "the face is where the clock, randomness, the environment, files and standard streams enter"
)]

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::invocation::Invocation;

mod artifacts;
#[cfg(feature = "site")]
mod attest;
mod bundle;
mod cli;
mod cores;
#[cfg(feature = "site")]
mod demo;
mod exit;
mod failure;
#[cfg(feature = "site")]
mod import;
#[cfg(feature = "site")]
mod init;
mod invocation;
#[cfg(feature = "site")]
mod key;
#[cfg(feature = "site")]
mod log;
mod output;
#[cfg(feature = "site")]
mod passphrase;
mod policy;
mod progress;
#[cfg(feature = "site")]
mod sync;
#[cfg(feature = "site")]
mod timestamp;
mod verify;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let failure = Failure::new(Exit::Internal, "internal", panic.to_string().replace('\n', " "))
            .next("this is a fault of airtight: please report it with the command that showed it");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), failure.render(false).as_bytes());
        std::process::exit(Exit::Internal as i32);
    }));
    let Cli { globals, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error).into(),
    };
    let mut call = Invocation::new(globals);
    let done = run(command, &mut call);
    let finished = call.output.finish();
    let exit = done.and_then(|exit| finished.map(|()| exit)).unwrap_or_else(|failure| {
        call.output.fail(&failure);
        failure.exit
    });
    exit.into()
}

fn run(command: Command, call: &mut Invocation) -> Result<Exit, Failure> {
    match command {
        #[cfg(feature = "site")]
        Command::Init(args) => init::run(&args, call),
        #[cfg(feature = "site")]
        Command::Attest(args) => attest::run(&args, call),
        Command::Verify(args) => verify::run(&args, call),
        #[cfg(feature = "site")]
        Command::Import(args) => import::run(&args, call),
        Command::Policy(noun) => policy::run(&noun, call),
        Command::Bundle(noun) => bundle::run(&noun, call),
        #[cfg(feature = "site")]
        Command::Log(noun) => log::run(&noun, call),
        #[cfg(feature = "site")]
        Command::Key(noun) => key::run(noun, call),
        #[cfg(feature = "site")]
        Command::Sync(noun) => sync::run(&noun, call),
        #[cfg(feature = "site")]
        Command::Timestamp(noun) => timestamp::run(&noun, call),
        #[cfg(feature = "site")]
        Command::Trust(noun) => bundle::trust(&noun, call),
        #[cfg(feature = "site")]
        Command::Demo(_) => demo::run(call),
        Command::Conformance(noun) => verify::conformance(&noun, call),
        Command::Completions(args) => Ok(cli::completions(&args, call)),
    }
}
