//! One passphrase for all keys of a site, asked for at most once and only where a key is encrypted.

use airtight_keys::pem::Passphrase;

use super::{KeyName, KeyringError, PassphraseRefusal, Protection};

/// Where the passphrase comes from: handed to every load of one command, so that it is asked for once.
pub struct Unlock<'a> {
    ask: Option<Ask<'a>>,
    held: Option<Passphrase>,
}

type Ask<'a> = Box<dyn FnOnce(&KeyName) -> Result<Passphrase, PassphraseRefusal> + 'a>;

impl<'a> Unlock<'a> {
    /// Takes the way to a passphrase. It is called with the name of the first encrypted key that is met.
    pub fn new(ask: impl FnOnce(&KeyName) -> Result<Passphrase, PassphraseRefusal> + 'a) -> Unlock<'a> {
        Unlock { ask: Some(Box::new(ask)), held: None }
    }

    /// Takes the passphrase under which keys were written a moment ago; keys in the clear need none.
    pub fn of(protection: Protection<'a>) -> Unlock<'a> {
        Unlock::new(move |name| match protection {
            Protection::Passphrase(passphrase) => Ok(passphrase.clone()),
            Protection::Plain => Err(format!("the key `{name}` is encrypted, and was to be in the clear").into()),
        })
    }

    /// Returns the passphrase for an encrypted key.
    ///
    /// # Errors
    /// [`KeyringError::Passphrase`] with the caller's reason; a second time with the words that it was refused before.
    pub(super) fn passphrase(&mut self, name: &KeyName) -> Result<&Passphrase, KeyringError> {
        if self.held.is_none() {
            let ask = self.ask.take().ok_or_else(|| {
                KeyringError::Passphrase(format!("the key `{name}` is encrypted, and no passphrase was given").into())
            })?;
            self.held = Some(ask(name).map_err(KeyringError::Passphrase)?);
        }
        Ok(self.held.as_ref().expect("invariant: set above where it was empty"))
    }
}

impl std::fmt::Debug for Unlock<'_> {
    fn fmt(&self, into: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(into, "Unlock(asked: {})", self.ask.is_none())
    }
}
