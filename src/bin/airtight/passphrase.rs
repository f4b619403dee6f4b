//! Where a passphrase comes from: a file, the environment, or the person at the terminal. Never the command line, which
//! every process of the machine can read.
//!
//! The first of these that is there is taken, and the next is not tried when it is wrong:
//!
//! 1. `--passphrase-file FILE`: the first line, without its line end; at most 4,096 bytes
//! 2. `AIRTIGHT_PASSPHRASE`
//! 3. a prompt, where standard input or standard error is a terminal
//!
//! Without any of them the command ends with `passphrase_required`; it never waits for input that cannot come.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use airtight::keyring::{KeyName, Unlock};
use airtight_keys::pem::Passphrase;
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;

/// The environment variable that may hold the passphrase.
pub const VARIABLE: &str = "AIRTIGHT_PASSPHRASE";

/// The largest passphrase file that is read, in bytes. A larger one is another file.
const FILE_LEN_MAX: usize = 4096;

/// The way to the site's passphrase.
#[derive(Clone, Debug)]
pub struct PassphraseSource {
    file: Option<PathBuf>,
}

impl PassphraseSource {
    /// Takes the file that `--passphrase-file` names.
    pub fn new(file: Option<PathBuf>) -> PassphraseSource {
        PassphraseSource { file }
    }

    /// Returns what unlocks the site's keys; nothing is asked until an encrypted key is met.
    pub fn unlock(&self) -> Unlock<'_> {
        Unlock::new(|name: &KeyName| self.existing(&format!("passphrase of the key `{name}`: ")).map_err(|f| f.into()))
    }

    /// Returns the passphrase of something that exists.
    ///
    /// # Errors
    /// `passphrase_required` where there is no source, `passphrase_file_unreadable`, `interrupted`.
    pub fn existing(&self, prompt: &str) -> Result<Passphrase, Failure> {
        match self.unprompted()? {
            Some(passphrase) => Ok(passphrase),
            None => prompted(prompt),
        }
    }

    /// Returns the passphrase that new keys are to be written under; at a prompt it is typed twice.
    ///
    /// # Errors
    /// As [`PassphraseSource::existing`]; `passphrase_empty`, `passphrase_mistyped`.
    pub fn chosen(&self) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.unprompted()? {
            return refuse_empty(passphrase);
        }
        require_terminal()?;
        let mut first = typed("passphrase for the keys of this site: ")?;
        if first.is_empty() {
            return Err(empty());
        }
        if *typed("the same once more: ")? != *first {
            return Err(Failure::new(Exit::Usage, "passphrase_mistyped", "the two passphrases differ")
                .next("type the same twice"));
        }
        Ok(Passphrase::new(std::mem::take(&mut *first)))
    }

    fn unprompted(&self) -> Result<Option<Passphrase>, Failure> {
        if let Some(path) = &self.file {
            let text = first_line(path).map_err(|error| {
                Failure::by_system("passphrase_file_unreadable", format!("{}: {error}", path.display()), &error)
            })?;
            return Ok(Some(Passphrase::new(text)));
        }
        match std::env::var(VARIABLE) {
            Ok(text) => Ok(Some(Passphrase::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::new(Exit::Usage, "passphrase_not_text", format!("{VARIABLE} is not UTF-8 text")))
            }
        }
    }
}

fn first_line(path: &PathBuf) -> io::Result<String> {
    // The whole capacity at once: a string that grows leaves its first half behind, unwiped.
    let mut text = Zeroizing::new(String::with_capacity(FILE_LEN_MAX + 1));
    File::open(path)?.take(FILE_LEN_MAX as u64 + 1).read_to_string(&mut text)?;
    if text.len() > FILE_LEN_MAX {
        return Err(io::Error::other(format!("more than {FILE_LEN_MAX} bytes, which is no passphrase")));
    }
    let line = text.split('\n').next().unwrap_or_default();
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn refuse_empty(passphrase: Passphrase) -> Result<Passphrase, Failure> {
    if passphrase.is_empty() { Err(empty()) } else { Ok(passphrase) }
}

fn empty() -> Failure {
    Failure::new(Exit::Usage, "passphrase_empty", "the passphrase is empty")
        .next("give a passphrase, or say --no-passphrase")
}

fn prompted(prompt: &str) -> Result<Passphrase, Failure> {
    require_terminal()?;
    Ok(Passphrase::new(std::mem::take(&mut *typed(prompt)?)))
}

fn require_terminal() -> Result<(), Failure> {
    if io::stdin().is_terminal() || io::stderr().is_terminal() {
        return Ok(());
    }
    let message = "a passphrase is needed, and there is neither a file, nor the variable, nor a terminal to ask at";
    Err(Failure::new(Exit::Usage, "passphrase_required", message)
        .next(format!("give --passphrase-file FILE or set {VARIABLE}; new keys can be made with --no-passphrase")))
}

fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Failure::new(Exit::Interrupted, "interrupted", "no passphrase was typed"),
        _ => Failure::by_system("terminal_unreadable", format!("the terminal cannot be read: {error}"), &error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passphrase");
        std::fs::write(&path, bytes).unwrap();
        first_line(&path)
    }

    #[test]
    fn a_passphrase_file_is_its_first_line() {
        for (bytes, wanted) in
            [("a b\n", "a b"), ("a b", "a b"), ("a\r\n", "a"), ("a\nb\n", "a"), (" a \n", " a "), ("", "")]
        {
            assert_eq!(read(bytes.as_bytes()).unwrap(), wanted);
        }
    }

    #[test]
    fn a_file_that_is_no_passphrase_is_refused() {
        assert!(read(&vec![b'x'; FILE_LEN_MAX + 1]).is_err());
        assert!(read(b"\xff").is_err());
        assert!(read(&vec![b'x'; FILE_LEN_MAX]).is_ok());
    }
}
