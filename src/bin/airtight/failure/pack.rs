//! What is said when a courier pack is refused, or cannot be written.

use std::io;

use airtight::pack::error::PackError;

use super::Failure;
use crate::exit::Exit;

impl From<PackError> for Failure {
    fn from(error: PackError) -> Failure {
        use PackError as E;
        let (code, message) = (error.code(), error.to_string());
        let failure = |exit| Failure::new(exit, code, message.clone());
        match error {
            E::Unreadable { source, .. } | E::Unwritable { source, .. }
                if source.kind() == io::ErrorKind::NotADirectory =>
            {
                failure(Exit::Usage).next("name a directory")
            }
            E::Unreadable { source, .. } | E::Unwritable { source, .. } => {
                Failure::by_system(code, message.clone(), &source)
            }
            E::Exists { .. } => failure(Exit::Usage).next("name a path where nothing lies yet"),
            E::Empty => failure(Exit::NotFound).next("see what waits with `airtight sync status`"),
            E::VolumeTooSmall { .. } => failure(Exit::Usage).next("give a larger --volume-size"),
            E::OtherPack { .. } => failure(Exit::Usage).next("name another directory for the answers to this pack"),
            E::Locked { .. } => {
                failure(Exit::MachineRefused).next("let the other upload end, or name another directory")
            }
            E::OtherSite { .. } => {
                failure(Exit::Malformed).next("import it at the site that it came from: --home DIR names another one")
            }
            E::Format { .. } => failure(Exit::Malformed)
                .next("name the directory of the pack, or its .tar as airtight wrote it; unpack any other archive"),
            E::Truncated { .. } | E::Sum { .. } | E::Sums { .. } => failure(Exit::Malformed).next(
                "copy the pack again from where it came; an upload that did not end is gone on with by the same command",
            ),
            E::Path { .. } | E::Link { .. } | E::FileTwice { .. } | E::TooLarge { .. } | E::Malformed { .. } => {
                failure(Exit::Malformed).next("this was not written by airtight: keep it, and ask who carried it")
            }
            E::FileUnknown { .. } => failure(Exit::Malformed)
                .next("if you put the file there, take it away; a pack and the answers to it each have a directory alone"),
        }
    }
}
