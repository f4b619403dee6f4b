//! Keeping what others signed: a file of bundles that verified becomes an entry of ours over its exact bytes.
//!
//! The entry is an ordinary one ([`crate::statement::kept`]): it is signed by a signer of the site, proven like any other, and goes to other
//! logs like any other. What was kept before in the same way is found by the digest of the file while the writer's lock is held, so two
//! processes that keep one file make one entry. *In the same way* is: by the same signer, with the same answer to what was asked
//! ([`KeptQuestion`](crate::statement::kept::KeptQuestion), which names the trusted root). The file's name does not count.

use airtight_keys::public::KeyId;
use airtight_log::digest::Sha256Digest;
use airtight_log::store::{Appended, Snapshot, StoredEntry};

use super::{AttestError, LOCK_WAIT, Proven, Site, SiteKeys, check_clock, settle, sign};
use crate::statement::kept::{Kept, KeptBundle};

/// A file that verified, and what is to be said of it.
#[derive(Debug)]
pub struct Keeping {
    /// What the file is called.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: Sha256Digest,
    /// What was asked, what was found, and the bytes.
    pub said: KeptBundle,
}

/// Where a file comes to stand.
#[derive(Clone, Copy)]
enum Place {
    /// It is in the log.
    There(Appended),
    /// It is the n-th of those that are to be appended.
    Next(usize),
}

impl Site {
    /// Keeps files, each as an entry, all in one transaction under one checkpoint; gives an answer for each, in their order.
    /// What was kept in the same way already keeps its index.
    ///
    /// That each verified is for the caller to know: nothing here judges.
    ///
    /// # Errors
    /// [`AttestError`], as with [`Site::attest`].
    pub fn keep(
        &mut self,
        files: &[Keeping],
        keys: &SiteKeys,
        now: u64,
        holder: &str,
    ) -> Result<Vec<Proven>, AttestError> {
        let Self { store, decided, .. } = self;
        let mut writer = store.writer(holder, LOCK_WAIT)?;
        check_clock(&writer, now)?;
        let mut worker = writer.preparer()?.worker();
        let mut snapshot = writer.read()?;
        let (mut places, mut prepared) = (Vec::with_capacity(files.len()), Vec::new());
        for (at, file) in files.iter().enumerate() {
            let earlier = files.iter().zip(&places).take(at).find(|(earlier, _)| earlier.is_same(file));
            let place = match (earlier, known(&mut snapshot, file, keys.signer.public().key_id())?) {
                (_, Some(entry)) => Place::There(entry),
                (Some((_, place)), None) => *place,
                (None, None) => {
                    let statement = file.said.statement(&file.name, file.sha256)?;
                    prepared.push(sign(statement, &keys.signer, &mut worker)?);
                    Place::Next(prepared.len() - 1)
                }
            };
            places.push(place);
        }
        drop(snapshot);
        let mut fresh = writer.append(&prepared, now)?;
        let appended = places.into_iter().map(|place| match place {
            Place::There(entry) => entry,
            Place::Next(at) => {
                let entry = fresh[at];
                // The second of two equal files is told that it was there.
                fresh[at].new = false;
                entry
            }
        });
        let appended: Vec<Appended> = appended.collect();
        settle(writer, decided, &appended, keys)
    }
}

impl Keeping {
    fn is_same(&self, other: &Keeping) -> bool {
        self.sha256 == other.sha256 && self.said.asked == other.said.asked
    }
}

/// Finds the entry in which a file was kept in the same way.
fn known(snapshot: &mut Snapshot<'_>, file: &Keeping, signer: &KeyId) -> Result<Option<Appended>, AttestError> {
    for index in snapshot.find_subject(&file.sha256)? {
        let StoredEntry { leaf_hash, envelope, verifier, .. } = snapshot.entry(index)?;
        let Some((_, envelope)) = envelope.filter(|_| verifier.key_id() == signer) else { continue };
        // An entry of another type, or one that says it badly, keeps nothing.
        let Ok(kept) = Kept::of(envelope.payload_unverified()) else { continue };
        if kept.sha256 == file.sha256 && kept.said.asked == file.said.asked {
            return Ok(Some(Appended { index, leaf_hash, new: false }));
        }
    }
    Ok(None)
}
