//! Checkpoints that were verified before, for where many bundles are judged at once: bundles of one batch lie under one checkpoint, and its signature holds once for all.
//!
//! What is remembered is bound to everything that the check depends on: the note's text to the byte, the log's key, its `baseUrl` and the style.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use airtight_keys::public::KeyId;
use airtight_log::checkpoint::VerifiedCheckpoint;

use crate::trust::TrustedLog;

/// The most checkpoints that are remembered, some 8 MiB; those met later are verified each time.
const KNOWN_MAX: usize = 8_192;
/// The longest note that is remembered, bytes: a checkpoint with some dozens of cosignatures.
const NOTE_LEN_MAX: usize = 16 << 10;

/// A memory of verified checkpoints.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    known: Mutex<HashMap<Known, VerifiedCheckpoint>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Known {
    note: Box<str>,
    base_url: Box<str>,
    key: KeyId,
    is_v1: bool,
}

impl Checkpoints {
    /// Returns the checkpoint of this note under this log's key: remembered, or what `verify` finds.
    pub(super) fn of<E>(
        &self,
        note: &str,
        log: &TrustedLog,
        is_v1: bool,
        verify: impl FnOnce() -> Result<VerifiedCheckpoint, E>,
    ) -> Result<VerifiedCheckpoint, E> {
        if note.len() > NOTE_LEN_MAX {
            return verify();
        }
        let known = Known { note: note.into(), base_url: log.base_url().into(), key: *log.key().key_id(), is_v1 };
        if let Some(checkpoint) = self.lock().get(&known) {
            return Ok(checkpoint.clone());
        }
        let checkpoint = verify()?;
        let mut all = self.lock();
        if all.len() < KNOWN_MAX {
            all.insert(known, checkpoint.clone());
        }
        Ok(checkpoint)
    }

    /// Returns how many are remembered.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Known, VerifiedCheckpoint>> {
        // Each change is one insertion, so what a thread that died left behind is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
