//! The commands that only a full build has, and what a build for verification alone says of them.
//!
//! Such a build does not know their arguments, so it says the same whatever stands behind the name, and exits 2: a script
//! that was given the wrong binary is told so, and not that it has misspelt a word.

#[cfg(not(feature = "site"))]
use clap::error::{ContextKind, ContextValue, ErrorKind};

#[cfg(not(feature = "site"))]
use crate::{exit::Exit, failure::Failure};

/// The commands that need the feature `site`, as they are typed.
const SITE: [&str; 10] = ["init", "attest", "import", "bundle get", "log", "key", "sync", "timestamp", "trust", "demo"];

/// Returns what is said of a word that is a command in a full build; `under` are the words before it, like `airtight bundle`.
#[cfg(not(feature = "site"))]
pub fn failure(error: &clap::Error, under: &str) -> Option<Failure> {
    let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    else {
        return None;
    };
    let typed = format!("{under} {word}");
    let command = typed.strip_prefix("airtight ").filter(|command| SITE.contains(command))?;
    let message =
        format!("this build of airtight only verifies: it has no site, no log and no private keys, so no `{command}`");
    Some(Failure::new(Exit::Usage, "site_left_out", message).next(format!("run `airtight {command}` of a full build")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    #[cfg(not(feature = "site"))]
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    /// The commands of this build, to the second word of those that a build for verification has a part of.
    fn commands() -> Vec<String> {
        let mut command = Cli::command();
        command.build();
        let below = |name: &str| {
            let sub = command.find_subcommand(name).expect("a command");
            sub.get_subcommands().map(|sub| format!("{name} {}", sub.get_name())).collect::<Vec<_>>()
        };
        let names = command.get_subcommands().map(|sub| sub.get_name().to_owned());
        let all = names.flat_map(|name| if name == "bundle" { below(&name) } else { vec![name] });
        all.filter(|name| !name.ends_with("help")).collect()
    }

    #[test]
    fn a_build_has_all_commands_or_those_of_verification() {
        let mut wanted = vec!["verify", "policy", "bundle inspect", "conformance", "completions"];
        if cfg!(feature = "site") {
            wanted.extend(SITE);
        }
        wanted.sort_unstable();
        let mut found = commands();
        found.sort_unstable();
        assert_eq!(found, wanted, "the list in this file is the difference between the two builds");
    }

    #[test]
    #[cfg(not(feature = "site"))]
    fn a_command_of_a_full_build_is_named_as_such_and_a_misspelt_one_is_not() {
        let said = |words: &str| crate::cli::usage_failure(&Cli::try_parse_from(words.split(' ')).unwrap_err());
        for command in SITE {
            for behind in ["", " --help", " x --y z"] {
                let failure = said(&format!("airtight {command}{behind}"));
                assert_eq!((failure.code, failure.exit), ("site_left_out", Exit::Usage), "{command}{behind}");
                assert!(failure.message.contains(&format!("`{command}`")), "{}", failure.message);
            }
            assert_eq!(
                said(&format!("airtight --json help {command}").replace("help bundle", "bundle")).code,
                "site_left_out"
            );
        }
        for words in ["airtight atest", "airtight bundle gett", "airtight get", "airtight verify --nope"] {
            assert_eq!(said(words).code, "usage", "{words}");
        }
    }
}
