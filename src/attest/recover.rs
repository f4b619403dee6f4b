//! Bringing back what a log or its head lost, from what left the site before.
//!
//! ```text
//! head      the head file; where it is missing, damaged or older: the newest released checkpoint that was given
//! lost      entries from the database's size to the head's
//!
//!   every released checkpoint within the database has the database's root there         else: forked, refused
//!   each lost entry is given, and its time is known                                     else: named, refused
//!   one transaction: entries and times, taken only if the tree at the head has the head's root,
//!     and at every released size between, the root that was released there
//!   checkpoints that were released and lost, and the head file, come out with the bytes they had
//! ```
//!
//! So nothing is written unless what comes of it is the log that was signed. Nothing new is signed: both log keys sign
//! deterministically, and a key is asked for only where a checkpoint is known in one rendering alone.

use airtight_keys::role::LogKey;
use airtight_log::digest::{Hash, TreeSize};
use airtight_log::store::{Appended, Fault, HeadFit, Prepared, Writer};
use airtight_log::tree::{Nodes, root};

use super::material::{LostEntry, Material};
use super::{AttestError, CLOCK_BACK_MAX_S, LOCK_WAIT, Site};

/// How many ranges a refusal names.
const RANGES_MAX: usize = 12;

/// Why a log was not brought back; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverRefusal {
    /// There is no head, and nothing that was given says what was released.
    #[error("{misfit}, and what was given holds no checkpoint that this log released")]
    NoCheckpoint {
        /// What is the case with the head file.
        misfit: HeadFit,
    },
    /// A checkpoint that this log's key signed contradicts the database.
    #[error(
        "a checkpoint with root {released} was released at size {size}, and the database has root {computed} there"
    )]
    Forked {
        /// Its size.
        size: u64,
        /// Its root.
        released: Hash,
        /// The database's.
        computed: Hash,
    },
    /// Entries that must come back were not given.
    #[error("{lost} entries must come back, and these were not given: {missing}")]
    Missing {
        /// How many must come back.
        lost: u64,
        /// Which are missing, as ranges.
        missing: String,
    },
    /// When entries were integrated is not known.
    #[error("when these entries were integrated is not known: {unknown}")]
    TimeUnknown {
        /// Which, as ranges.
        unknown: String,
    },
    /// Two sources say different times of one entry.
    #[error("the time of entry {index} is {one} in one place and {other} in airtight/integrated")]
    TimesDiffer {
        /// The entry.
        index: u64,
        /// In its entry timestamp, or in the database.
        one: u64,
        /// In the file.
        other: u64,
    },
    /// Times that do not rise were never a log's.
    #[error("entry {index} would have been integrated at {time}, before the entry below it at {before}")]
    TimeOrder {
        /// The entry.
        index: u64,
        /// Its time.
        time: u64,
        /// The time below it.
        before: u64,
    },
    /// The entries that were given are not those that were signed.
    #[error("the entries that were given lead to root {computed} at size {size}, and {released} was released there")]
    OtherTree {
        /// The size.
        size: u64,
        /// What they lead to.
        computed: Hash,
        /// What was released.
        released: Hash,
    },
    /// One of the entries that were given is in the log already, elsewhere.
    #[error("what was given as entry {given} is entry {known} of the log")]
    Twice {
        /// Where it was given.
        given: u64,
        /// Where it is.
        known: u64,
    },
}

impl RecoverRefusal {
    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCheckpoint { .. } => "recover_no_checkpoint",
            Self::Forked { .. } => "recover_forked",
            Self::Missing { .. } => "recover_entries_missing",
            Self::TimeUnknown { .. } => "recover_time_unknown",
            Self::TimesDiffer { .. } => "recover_times_differ",
            Self::TimeOrder { .. } => "recover_time_order",
            Self::OtherTree { .. } => "recover_other_tree",
            Self::Twice { .. } => "recover_entry_twice",
        }
    }
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The database's size before.
    pub from: TreeSize,
    /// The database's size now.
    pub size: TreeSize,
    /// Of the entries that came back, those of which only the leaf did.
    pub leaf_only: u64,
    /// Released checkpoints whose rows came back.
    pub checkpoints: u64,
    /// The size of the head that was written anew; nothing where the head file was left as it is.
    pub head: Option<TreeSize>,
}

impl Site {
    /// Begins to gather what may bring this log back.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn material(&mut self) -> Result<Material, AttestError> {
        let size = self.store_mut().read()?.size();
        Ok(Material::new(self.store().identity(), size))
    }

    /// Brings the log level with its head, and the head with what was released. `key` is called at most once, and only
    /// where a checkpoint has to be signed again.
    ///
    /// # Errors
    /// [`AttestError::Recover`] and a head that is another log's, with nothing written; the machine's refusals.
    pub fn recover(
        &mut self,
        material: &Material,
        key: &mut dyn FnMut() -> Result<LogKey, AttestError>,
        now: u64,
        holder: &str,
    ) -> Result<Recovered, AttestError> {
        let created = self.store().created();
        let mut writer = self.store_mut().writer_unchecked(holder, LOCK_WAIT)?;
        let head = match writer.head_checkpoint()? {
            Ok(head) => Some((head.size, head.root)),
            Err(misfit @ (HeadFit::Missing { .. } | HeadFit::Damaged { .. })) if material.released.is_empty() => {
                return Err(RecoverRefusal::NoCheckpoint { misfit }.into());
            }
            Err(HeadFit::Missing { .. } | HeadFit::Damaged { .. }) => None,
            Err(misfit) => return Err(Fault::HeadMisfit(Box::new(misfit)).into()),
        };
        if let misfit @ HeadFit::Differs { .. } = writer.head_fit()? {
            return Err(Fault::HeadMisfit(Box::new(misfit)).into());
        }
        let released = released(&mut writer, material, head)?;
        let size = writer.read()?.size();
        let target = released.iter().copied().max_by_key(|(size, _)| *size);
        let (target, _) = target.expect("invariant: a head or a released checkpoint was given");
        let lost = lost(material, size, target)?;
        let times = times(&mut writer, material, &lost, size, created, now)?;
        let again = unknown_to(&mut writer, material, size)?;
        let key = if again.is_empty() { None } else { Some(key()?) };
        append(&mut writer, &lost, &times, size, &released)?;
        if let Some(key) = &key {
            let again: Result<Vec<_>, Fault> =
                again.iter().map(|at| writer.sign_again(&material.released[*at], key)).collect();
            writer.restore_checkpoints(&again?)?;
        }
        let mut written = None;
        if head.is_none_or(|(head, _)| head < target) {
            let newest = writer.read()?.checkpoint_at(target)?;
            writer.restore_head(&newest.expect("invariant: it was in the table, or was signed again"))?;
            written = Some(target);
        }
        Ok(Recovered {
            from: size,
            size: size.max(target),
            leaf_only: lost.iter().filter(|entry| entry.envelope.is_none()).count() as u64,
            checkpoints: again.len() as u64,
            head: written,
        })
    }
}

/// Gathers every head that is known to have been released, each compared with the database where that reaches it.
fn released(
    writer: &mut Writer<'_>,
    material: &Material,
    head: Option<(TreeSize, Hash)>,
) -> Result<Vec<(TreeSize, Hash)>, AttestError> {
    let mut snapshot = writer.read()?;
    let size = snapshot.size();
    let mut released: Vec<(TreeSize, Hash)> = head.into_iter().collect();
    released.extend(snapshot.checkpoint_up_to(size)?.map(|newest| (newest.size, newest.root)));
    released.extend(material.released.iter().map(|checkpoint| (checkpoint.size(), *checkpoint.root())));
    released.sort_unstable_by_key(|(size, _)| *size);
    released.dedup();
    for (at, root) in released.iter().filter(|(at, _)| *at <= size) {
        let computed = snapshot.root_at(*at)?;
        if computed != *root {
            return Err(RecoverRefusal::Forked { size: at.get(), released: *root, computed }.into());
        }
    }
    Ok(released)
}

/// Takes the lost entries in their order, or names those that were not given.
fn lost(material: &Material, size: TreeSize, target: TreeSize) -> Result<Vec<&LostEntry>, AttestError> {
    let range = size.get()..target.get().max(size.get());
    let missing: Vec<u64> = range.clone().filter(|index| !material.entries.contains_key(index)).collect();
    if !missing.is_empty() {
        let (lost, missing) = (range.end - range.start, ranges(&missing));
        return Err(RecoverRefusal::Missing { lost, missing }.into());
    }
    Ok(range.map(|index| &material.entries[&index]).collect())
}

/// Finds the time of each lost entry: what the log signed, else what the export says.
fn times(
    writer: &mut Writer<'_>,
    material: &Material,
    lost: &[&LostEntry],
    size: TreeSize,
    created: u64,
    now: u64,
) -> Result<Vec<u64>, AttestError> {
    let covered = material.times.as_ref().map_or(0, |(_, covered)| covered.get());
    let in_file = |index: u64| {
        let (times, _) = material.times.as_ref().filter(|_| index < covered)?;
        times.of_entry(index)
    };
    let compare = |index: u64, one: u64| match in_file(index) {
        Some(other) if other != one => Err(RecoverRefusal::TimesDiffer { index, one, other }),
        _ => Ok(()),
    };
    let snapshot = writer.read()?;
    let known = snapshot.times(size)?;
    for (at, (first, time)) in known.iter().enumerate() {
        compare(first.get(), *time)?;
        // Both ends of a commit: between two equal times there is no other, for times rise.
        let end = known.get(at + 1).map_or(size.get(), |(next, _)| next.get()).min(covered);
        if end > first.get() {
            compare(end - 1, *time)?;
        }
    }
    drop(snapshot);
    let mut before = writer.last_time().unwrap_or(created).max(created);
    let (mut times, mut unknown) = (Vec::with_capacity(lost.len()), Vec::new());
    for (index, entry) in (size.get()..).zip(lost) {
        if let Some(time) = entry.time {
            compare(index, time)?;
        }
        let Some(time) = entry.time.or_else(|| in_file(index)) else {
            unknown.push(index);
            continue;
        };
        if time < before {
            return Err(RecoverRefusal::TimeOrder { index, time, before }.into());
        }
        if now + CLOCK_BACK_MAX_S < time {
            return Err(AttestError::ClockBack { now, last: time });
        }
        before = time;
        times.push(time);
    }
    if unknown.is_empty() { Ok(times) } else { Err(RecoverRefusal::TimeUnknown { unknown: ranges(&unknown) }.into()) }
}

/// Finds the released checkpoints that were given and that neither the table nor the head file has: their places.
fn unknown_to(writer: &mut Writer<'_>, material: &Material, size: TreeSize) -> Result<Vec<usize>, AttestError> {
    let head = match writer.head_checkpoint()? {
        Ok(head) => Some(head.size),
        Err(_) => None,
    };
    let mut snapshot = writer.read()?;
    let (mut unknown, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    for (at, checkpoint) in material.released.iter().enumerate() {
        let known = head == Some(checkpoint.size())
            || (checkpoint.size() <= size && snapshot.checkpoint_at(checkpoint.size())?.is_some());
        if !known && seen.insert(checkpoint.size()) {
            unknown.push(at);
        }
    }
    Ok(unknown)
}

/// Appends the lost entries in one transaction, taken only if every released head above the database's size comes out.
fn append(
    writer: &mut Writer<'_>,
    lost: &[&LostEntry],
    times: &[u64],
    size: TreeSize,
    released: &[(TreeSize, Hash)],
) -> Result<(), AttestError> {
    if lost.is_empty() {
        return Ok(());
    }
    let preparer = writer.preparer()?;
    let mut worker = preparer.worker();
    let prepared: Vec<Prepared> = lost
        .iter()
        .map(|entry| match &entry.envelope {
            Some((text, envelope)) => {
                worker.envelope(text, envelope, &entry.verifier).expect("invariant: it gave this leaf, so it has one")
            }
            None => worker.leaf(&entry.body, &entry.verifier),
        })
        .collect();
    drop(worker);
    let accept = |appended: &[Appended], tree: &mut dyn Nodes<Error = Fault>| {
        for (given, appended) in (size.get()..).zip(appended) {
            if appended.index.get() != given {
                return Err(AttestError::from(RecoverRefusal::Twice { given, known: appended.index.get() }));
            }
        }
        let mut tree = tree;
        for (at, wanted) in released.iter().filter(|(at, _)| *at > size) {
            let computed = root(&mut tree, *at)?;
            if computed != *wanted {
                return Err(RecoverRefusal::OtherTree { size: at.get(), computed, released: *wanted }.into());
            }
        }
        Ok(())
    };
    writer.append_at(&mut prepared.iter().zip(times.iter().copied()), accept)?;
    Ok(())
}

/// Writes indexes as ranges: `4 to 7, 12`.
fn ranges(indexes: &[u64]) -> String {
    let runs: Vec<&[u64]> = indexes.chunk_by(|a, b| a + 1 == *b).collect();
    let named = runs.iter().take(RANGES_MAX).map(|run| match run {
        [one] => one.to_string(),
        run => format!("{} to {}", run[0], run[run.len() - 1]),
    });
    let named: Vec<String> = named.collect();
    let more = match runs.len().saturating_sub(RANGES_MAX) {
        0 => String::new(),
        more => format!(" and {more} more ranges"),
    };
    format!("{}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_named_as_ranges() {
        assert_eq!(ranges(&[4, 5, 6, 7, 12, 14, 15]), "4 to 7, 12, 14 to 15");
        let odd: Vec<u64> = (0..40).map(|i| i * 2).collect();
        assert_eq!(ranges(&odd), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 28 more ranges");
    }
}
