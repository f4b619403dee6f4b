//! Why a pack is not written or not read, one variant a fact.

use std::io;
use std::path::PathBuf;

/// Why a pack was refused, or not written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The system did not let a file be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not let a file be written.
    #[error("{}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something lies where the pack would be written.
    #[error("{} is there already", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// There is nothing to put in.
    #[error("there is no entry to put into the pack")]
    Empty,
    /// One entry does not fit into a volume.
    #[error("entry {index} is {len} bytes as a request, and a volume of {volume} bytes has room for {room}")]
    VolumeTooSmall {
        /// The entry.
        index: u64,
        /// The length of its line, in bytes.
        len: u64,
        /// The size asked for, in bytes.
        volume: u64,
        /// What of it is left for lines, in bytes.
        room: u64,
    },
    /// No pack, or one of a version that is not known.
    #[error("this is no pack that can be read: {said}")]
    Format {
        /// What was met.
        said: String,
    },
    /// A pack of another site.
    #[error("the pack is of the log {found}, and this site's log is {ours}")]
    OtherSite {
        /// The log id in the manifest.
        found: String,
        /// The site's own.
        ours: String,
    },
    /// The answers of another pack lie where these would be written.
    #[error("{} holds the answers to another pack: its requests have the sum {found}, and this pack's {wanted}", path.display())]
    OtherPack {
        /// The directory.
        path: PathBuf,
        /// The sum that it was begun with.
        found: String,
        /// The sum of this pack's requests.
        wanted: String,
    },
    /// Another process writes there.
    #[error("{} is being written by another process", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A name that would lie elsewhere.
    #[error("{name:?} is no plain file name")]
    Path {
        /// The name, shortened.
        name: String,
    },
    /// Something else than a plain file.
    #[error("{name} is {kind}, and a pack holds plain files alone")]
    Link {
        /// The name.
        name: String,
        /// What it is: "a symbolic link", …
        kind: &'static str,
    },
    /// A file that no pack has.
    #[error("{name:?} is no file of a pack")]
    FileUnknown {
        /// The name, shortened.
        name: String,
    },
    /// One name for two files.
    #[error("{name} stands twice in the archive")]
    FileTwice {
        /// The name.
        name: &'static str,
    },
    /// Something is missing.
    #[error("the pack is not whole: {said}")]
    Truncated {
        /// What is missing.
        said: String,
    },
    /// A file was altered.
    #[error("{name} has the sum {found}, and {stated} is stated")]
    Sum {
        /// The file.
        name: &'static str,
        /// The sum stated.
        stated: String,
        /// The sum of the bytes.
        found: String,
    },
    /// The file of sums is not what it should be.
    #[error("SHA256SUMS: {said}")]
    Sums {
        /// What is wrong.
        said: String,
    },
    /// More than a pack has.
    #[error("{what} is {len}, and at most {max} is read")]
    TooLarge {
        /// What was counted or measured.
        what: String,
        /// How much of it there is.
        len: u64,
        /// The limit.
        max: u64,
    },
    /// A manifest or a line that is not what it should be.
    #[error("{place}: {said}")]
    Malformed {
        /// The file, and the line where there is one.
        place: String,
        /// What is wrong.
        said: String,
    },
}

impl PackError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            PackError::Unreadable { .. } => "pack_unreadable",
            PackError::Unwritable { .. } => "pack_unwritable",
            PackError::Exists { .. } => "pack_exists",
            PackError::Empty => "pack_empty",
            PackError::VolumeTooSmall { .. } => "pack_volume_too_small",
            PackError::Format { .. } => "pack_format",
            PackError::OtherSite { .. } => "pack_other_site",
            PackError::OtherPack { .. } => "pack_other_upload",
            PackError::Locked { .. } => "pack_locked",
            PackError::Path { .. } => "pack_path",
            PackError::Link { .. } => "pack_link",
            PackError::FileUnknown { .. } => "pack_file_unknown",
            PackError::FileTwice { .. } => "pack_file_twice",
            PackError::Truncated { .. } => "pack_truncated",
            PackError::Sum { .. } | PackError::Sums { .. } => "pack_sum",
            PackError::TooLarge { .. } => "pack_too_large",
            PackError::Malformed { .. } => "pack_malformed",
        }
    }
}

/// Shortens what others chose, so that it can stand in a sentence.
pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
