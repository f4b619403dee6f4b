//! The JSON form of entries, part of `schemas/verdict.schema.json`.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::verify::entries::UnjudgedEntry;
use crate::verify::verified::VerifiedEntry;

/// An entry that was judged.
pub(super) struct ShownEntry<'a>(pub(super) &'a VerifiedEntry);

impl Serialize for ShownEntry<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let entry = self.0;
        let mut object = to.serialize_struct("Entry", 9)?;
        object.serialize_field("entry_kind", entry.kind())?;
        object.serialize_field("log_id", &entry.log_id().to_string())?;
        object.serialize_field("log_index", &entry.log_index().get())?;
        object.serialize_field("leaf_index", &entry.leaf_index().map(|index| index.get()))?;
        object.serialize_field("leaf_hash", &entry.leaf_hash().to_hex())?;
        object.serialize_field("origin", &entry.checkpoint().map(|checkpoint| checkpoint.origin()))?;
        object.serialize_field("tree_size", &entry.checkpoint().map(|checkpoint| checkpoint.size().get()))?;
        object.serialize_field("root_hash", &entry.checkpoint().map(|checkpoint| checkpoint.root().to_hex()))?;
        object.serialize_field("integrated_time", &entry.integrated_time())?;
        object.end()
    }
}

/// An entry that was not.
pub(super) struct ShownUnjudged<'a>(pub(super) &'a UnjudgedEntry);

impl Serialize for ShownUnjudged<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let UnjudgedEntry { log_id, log_index, kind } = self.0;
        let mut object = to.serialize_struct("Unjudged", 3)?;
        object.serialize_field("entry_kind", kind)?;
        object.serialize_field("log_id", &log_id.to_string())?;
        object.serialize_field("log_index", &log_index.get())?;
        object.end()
    }
}
