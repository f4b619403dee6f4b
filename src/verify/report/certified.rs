//! The JSON form of what a certificate establishes, part of `schemas/verdict.schema.json`.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::verify::certified::Certified;
use crate::verify::revocation::Covering;

pub(super) struct ShownCertified<'a>(pub(super) &'a Certified);

impl Serialize for ShownCertified<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let certified = self.0;
        let mut object = to.serialize_struct("Certified", 12)?;
        object.serialize_field("identity", certified.identity.name.text())?;
        object.serialize_field("identity_kind", certified.identity.name.kind())?;
        object.serialize_field("identity_asked", &certified.name_asked)?;
        object.serialize_field("issuer", &certified.identity.issuer)?;
        object.serialize_field("issuer_asked", &certified.issuer_asked)?;
        let claims: BTreeMap<&str, &String> =
            certified.identity.claims.iter().map(|(name, value)| (*name, value)).collect();
        object.serialize_field("claims", &claims)?;
        object.serialize_field("authority", &certified.authority)?;
        object.serialize_field("not_before", &certified.not_before)?;
        object.serialize_field("not_after", &certified.not_after)?;
        object.serialize_field("sha256", &certified.digest.hex())?;
        object.serialize_field("ct_logs", &certified.ct_logs)?;
        let lists = certified.revocation.as_ref().map(|lists| lists.iter().map(ShownCovering).collect::<Vec<_>>());
        object.serialize_field("revocation_lists", &lists)?;
        object.end()
    }
}

struct ShownCovering<'a>(&'a Covering);

impl Serialize for ShownCovering<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Covering { issuer, this_update, next_update, is_ended, revoked_later } = self.0;
        let mut object = to.serialize_struct("Covering", 5)?;
        object.serialize_field("issuer", issuer)?;
        object.serialize_field("this_update", this_update)?;
        object.serialize_field("next_update", next_update)?;
        object.serialize_field("ended", is_ended)?;
        object.serialize_field("revoked_later", revoked_later)?;
        object.end()
    }
}
