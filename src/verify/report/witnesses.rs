//! What witnesses say, in sentences and in the JSON of a verdict.

use std::fmt;

use airtight_log::quorum::Cosigned;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::verify::witness::Witnesses;

use super::At;

pub(super) fn said(Witnesses { wanted, by, .. }: &Witnesses, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if by.is_empty() {
        f.write_str("no witness of the policy has cosigned")?;
    }
    for (place, Cosigned { name, first, .. }) in by.iter().enumerate() {
        let before = if place == 0 { "cosigned by" } else { "," };
        write!(f, "{before} {name} at {}", At(*first))?;
    }
    write!(f, "; asked for: {wanted}")
}

pub(super) struct ShownWitnesses<'a>(pub(super) &'a Witnesses);

impl Serialize for ShownWitnesses<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Witnesses { wanted, is_quorum, by } = self.0;
        let mut object = to.serialize_struct("Witnesses", 3)?;
        object.serialize_field("wanted", wanted)?;
        object.serialize_field("is_quorum", is_quorum)?;
        let by: Vec<ShownCosigned<'_>> = by.iter().map(ShownCosigned).collect();
        object.serialize_field("cosigned", &by)?;
        object.end()
    }
}

struct ShownCosigned<'a>(&'a Cosigned);

impl Serialize for ShownCosigned<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Cosigned { name, first, last } = self.0;
        let mut object = to.serialize_struct("Cosigned", 3)?;
        object.serialize_field("witness", name)?;
        object.serialize_field("first", first)?;
        object.serialize_field("last", last)?;
        object.end()
    }
}
