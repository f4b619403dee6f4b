//! What is said when an import stops, or when what is kept of another log is not given out.

use airtight::sync::import::ImportError;
use airtight::sync::kept::KeptError;

use super::Failure;
use crate::exit::Exit;

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        let message = error.to_string();
        match error {
            ImportError::Site(error) => error.into(),
            ImportError::Pack(error) => error.into(),
            ImportError::Bundle { source, .. } => Failure::by_system("output_unwritable", message, &source),
        }
    }
}

impl From<KeptError> for Failure {
    fn from(error: KeptError) -> Failure {
        let (code, message) = (error.code(), error.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match error {
            KeptError::Log(error) => error.into(),
            KeptError::NoReceipt { index, .. } => {
                failure(Exit::NotFound).next(format!("see where it stands with `airtight log entry {index}`"))
            }
            KeptError::NoAnchor { .. } => failure(Exit::NotFound).next("anchor the log with `airtight sync anchor`"),
            KeptError::Gone { .. } => {
                failure(Exit::NotFound).next("import the receipts pack that it came in once more")
            }
            KeptError::Receipt { .. } => failure(Exit::Refused)
                .next("check the log with `airtight log fsck`, and the target with `airtight sync target list`"),
            KeptError::Checkpoint(_) | KeptError::Anchor(_) => failure(Exit::LogUnfit).next("airtight log fsck"),
        }
    }
}
