//! Private key files in PEM: PKCS#8 plain and encrypted, and what OpenSSL writes besides.

use std::fmt;

use zeroize::Zeroizing;

/// A passphrase. Wiped when dropped, never shown.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase; it may be empty.
    pub fn new(passphrase: String) -> Self {
        Self(Zeroizing::new(passphrase))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Passphrase(not shown)")
    }
}
