//! Reads a policy: the wire form that serde holds to its shape, and then every name to what it stands for.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use airtight_keys::public::KeyId;
use airtight_keys::verifier::VerifierKey;
use airtight_log::quorum::WitnessPolicy;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::identity::{self, Expression, IdentityRule};
use super::{
    Asked, Digests, Field, Link, Log, Named, POLICY_LEN_MAX, Pattern, Policy, PolicyError, Requirement, Signer, Valid,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    policy: u32,
    title: Option<String>,
    #[serde(default)]
    keys: Members<WireKey>,
    #[serde(default)]
    identities: Members<WireIdentity>,
    #[serde(default)]
    logs: Members<WireLog>,
    witnesses: Option<String>,
    #[serde(default)]
    crls: Vec<String>,
    require: Vec<WireRequirement>,
    #[serde(default)]
    links: Vec<WireLink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    file: Option<String>,
    pem: Option<String>,
    id: Option<String>,
    valid: Option<WireValid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireValid {
    log: Option<String>,
    first: Option<u64>,
    last: Option<u64>,
    from: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIdentity {
    subject: Option<String>,
    subject_matches: Option<String>,
    issuer: Option<String>,
    issuer_matches: Option<String>,
    #[serde(default)]
    claims: Members<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLog {
    id: String,
    #[serde(default)]
    public: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRequirement {
    name: String,
    by: Vec<String>,
    signers: Option<usize>,
    #[serde(rename = "type")]
    types: Vec<String>,
    #[serde(default)]
    subject: Vec<String>,
    #[serde(default)]
    fields: Vec<WireField>,
    #[serde(default)]
    logged_in: Vec<String>,
    #[serde(default)]
    publicly_logged: bool,
    #[serde(default)]
    unlogged: bool,
    not_before: Option<String>,
    not_after: Option<String>,
    max_age_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireField {
    at: String,
    /// Twice optional: `equals: null` asks for null, and is not the same as nothing.
    #[serde(default, deserialize_with = "present")]
    equals: Option<Value>,
    one_of: Option<Vec<Value>>,
    matches: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLink {
    one: String,
    at: String,
    other: String,
    other_at: String,
    digests: Option<WireDigests>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireDigests {
    Equal,
    Within,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Members of free names, in the order of the file, none twice.
struct Members<T>(Vec<(String, T)>);

impl<T> Default for Members<T> {
    fn default() -> Members<T> {
        Members(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Members<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names, each with what it stands for")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<T>, A::Error> {
                let (mut members, mut names) = (Vec::new(), BTreeSet::new());
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format_args!("duplicate name `{name}`")));
                    }
                    let member = map.next_value()?;
                    members.push((name, member));
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Reader(PhantomData))
    }
}

impl Policy {
    /// Reads a policy. `key_file` gives the text of a key's file, and of that of the witnesses, by the path that stands in the policy; its error is a sentence.
    ///
    /// # Errors
    /// The first [`PolicyError`] that is met.
    pub fn parse(text: &str, key_file: &mut dyn FnMut(&str) -> Result<String, String>) -> Result<Policy, PolicyError> {
        if text.len() > POLICY_LEN_MAX {
            return Err(PolicyError::TooLarge { len: text.len() });
        }
        let wire: Wire = yaml_serde::from_str(text)?;
        // The same text as a tree, in which no mapping holds a key twice, also below `equals`.
        nothing_left_empty(&yaml_serde::from_str(text)?, "")?;
        if wire.policy != 1 {
            return Err(refused("policy", wire.policy, "1, the only version there is"));
        }
        let logs = wire.logs.0.into_iter().map(|(name, log)| {
            check_name(&name, &format!("logs.{name}"))?;
            let id = key_id(&log.id, &format!("logs.{name}.id"))?;
            Ok(Named { name, is: Log { id, is_public: log.public } })
        });
        let logs = logs.collect::<Result<Vec<_>, PolicyError>>()?;
        let mut signers: Vec<Named<Signer>> = Vec::new();
        for (name, key) in wire.keys.0 {
            check_name(&name, &format!("keys.{name}"))?;
            let is = signer_of(key, &format!("keys.{name}"), &logs, key_file)?;
            signers.push(Named { name, is });
        }
        for (name, identity) in wire.identities.0 {
            let path = format!("identities.{name}");
            check_name(&name, &path)?;
            if signers.iter().any(|known| known.name == name) {
                return Err(PolicyError::NameTwice { path, name });
            }
            let is = Signer::Identity(identity_of(identity, &path)?);
            signers.push(Named { name, is });
        }
        let witnesses = wire.witnesses.map(|file| witnesses_of(&file, key_file)).transpose()?;
        if wire.crls.iter().any(String::is_empty) {
            return Err(refused("crls", "\"\"", "the name of a file"));
        }
        if wire.require.is_empty() {
            return Err(refused("require", "[]", "a list of at least one requirement"));
        }
        let mut require: Vec<Requirement> = Vec::new();
        for (place, wire) in wire.require.into_iter().enumerate() {
            let path = format!("require[{place}]");
            if require.iter().any(|known| known.name == wire.name) {
                return Err(PolicyError::NameTwice { path: format!("{path}.name"), name: wire.name });
            }
            require.push(requirement_of(wire, &path, &signers, &logs)?);
        }
        let mut links = Vec::new();
        for (place, wire) in wire.links.into_iter().enumerate() {
            let path = format!("links[{place}]");
            let find = |member: &str, name: String| {
                let found = require.iter().position(|requirement| requirement.name == name);
                let path = format!("{path}.{member}");
                found.ok_or(PolicyError::NameUnknown { path, name, of: "requirement" })
            };
            let (one, other) = (find("one", wire.one)?, find("other", wire.other)?);
            let (at, other_at) =
                (pointer(wire.at, &format!("{path}.at"))?, pointer(wire.other_at, &format!("{path}.other_at"))?);
            let digests = wire.digests.map(|digests| match digests {
                WireDigests::Equal => Digests::Equal,
                WireDigests::Within => Digests::Within,
            });
            links.push(Link { one, at, other, other_at, digests });
        }
        let unlogged = require.iter().position(|one: &Requirement| one.unlogged).filter(|_| witnesses.is_some());
        if let Some(place) = unlogged {
            let wanted = "to be had beside `witnesses`, who cosign the checkpoint of an entry";
            return Err(refused(&format!("require[{place}].unlogged"), true, wanted));
        }
        Ok(Policy { title: wire.title, signers, logs, witnesses, crls: wire.crls, require, links })
    }
}

/// Refuses a member without a value: what somebody meant to ask would be asked of nobody. `equals` may ask for null.
fn nothing_left_empty(tree: &yaml_serde::Value, path: &str) -> Result<(), PolicyError> {
    for (at, item) in tree.as_sequence().into_iter().flatten().enumerate() {
        nothing_left_empty(item, &format!("{path}[{at}]"))?;
    }
    for (name, member) in tree.as_mapping().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        // A key or an identity may be called `equals`, too.
        let is_field = path.starts_with("require[") && path.contains("].fields[");
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match name {
            "equals" | "one_of" if is_field => {}
            _ if member.is_null() => return Err(refused(&path, "nothing", "a value; leave the member out")),
            _ => nothing_left_empty(member, &path)?,
        }
    }
    Ok(())
}

fn signer_of(
    wire: WireKey,
    path: &str,
    logs: &[Named<Log>],
    key_file: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Signer, PolicyError> {
    let (pem, member) = match (&wire.file, wire.pem, &wire.id) {
        (Some(file), None, None) => {
            let text = key_file(file);
            (Some(text.map_err(|said| PolicyError::KeyFile { path: format!("{path}.file"), said })?), "file")
        }
        (None, Some(pem), None) => (Some(pem), "pem"),
        (None, None, Some(_)) => (None, "id"),
        (file, pem, id) => {
            let count = usize::from(file.is_some()) + usize::from(pem.is_some()) + usize::from(id.is_some());
            return Err(refused(path, format!("{count} of file, pem and id"), "one of them"));
        }
    };
    let path_of = |member: &str| format!("{path}.{member}");
    let (id, public) = match pem {
        Some(pem) => {
            let public = VerifierKey::from_spki_pem(&pem)
                .map_err(|error| PolicyError::Key { path: path_of(member), said: error.to_string() })?;
            (*public.key_id(), Some(Box::new(public)))
        }
        None => (key_id(&wire.id.unwrap_or_default(), &path_of(member))?, None),
    };
    let valid = match wire.valid {
        None => Valid::Always,
        Some(valid) => valid_of(valid, &path_of("valid"), logs)?,
    };
    Ok(Signer::Key { id, public, valid })
}

fn witnesses_of(
    file: &str,
    read: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Arc<WitnessPolicy>, PolicyError> {
    let path = || "witnesses".to_owned();
    let text = read(file).map_err(|said| PolicyError::KeyFile { path: path(), said })?;
    let policy = WitnessPolicy::parse(text.as_bytes());
    policy.map(Arc::new).map_err(|error| PolicyError::Witnesses { path: path(), said: format!("{file}: {error}") })
}

fn identity_of(wire: WireIdentity, path: &str) -> Result<IdentityRule, PolicyError> {
    let name = whom(wire.subject, wire.subject_matches, path, ["subject", "subject_matches"])?;
    let issuer = whom(wire.issuer, wire.issuer_matches, path, ["issuer", "issuer_matches"])?;
    let mut claims = wire.claims.0;
    if let Some((claim, _)) = claims.iter().find(|(claim, _)| !IdentityRule::claim_names().any(|known| known == claim))
    {
        let path = format!("{path}.claims.{claim}");
        return Err(refused(&path, format!("{claim:?}"), "a claim that is read; docs/VERIFY.md lists them"));
    }
    claims.sort();
    Ok(IdentityRule { name: Some(name), issuer: Some(issuer), claims })
}

/// Reads what a subject or an issuer must be: its text, or an expression for the whole of it.
fn whom(
    exactly: Option<String>,
    matching: Option<String>,
    path: &str,
    [member, member_matches]: [&str; 2],
) -> Result<identity::Pattern, PolicyError> {
    match (exactly, matching) {
        (Some(text), None) if text.is_empty() => Err(refused(&format!("{path}.{member}"), "\"\"", "a text")),
        (Some(text), None) => Ok(identity::Pattern::Exactly(text)),
        (None, Some(said)) if said.is_empty() => Err(refused(&format!("{path}.{member_matches}"), "\"\"", "a text")),
        (None, Some(said)) => Expression::new(&said).map(identity::Pattern::Matching).map_err(|cause| {
            let path = format!("{path}.{member_matches}");
            PolicyError::Expression { path, said: format!("{said:?} is no expression: {cause}") }
        }),
        (exactly, matching) => {
            let count = usize::from(exactly.is_some()) + usize::from(matching.is_some());
            Err(refused(path, format!("{count} of {member} and {member_matches}"), "one of them"))
        }
    }
}

fn valid_of(wire: WireValid, path: &str, logs: &[Named<Log>]) -> Result<Valid, PolicyError> {
    match wire {
        WireValid { log: Some(log), first, last, from: None, until: None } => {
            let (path_log, first) = (format!("{path}.log"), first.unwrap_or(0));
            let log = place_of(log, &path_log, logs, "log")?;
            match last {
                Some(last) if last < first => {
                    Err(refused(&format!("{path}.last"), last, "an index from that of `first` on"))
                }
                _ => Ok(Valid::Entries { log, first, last }),
            }
        }
        WireValid { log: None, first: None, last: None, from, until } if from.is_some() || until.is_some() => {
            let (from, until) = (start(from, &format!("{path}.from"))?, time(until, &format!("{path}.until"))?);
            ordered(from, until, &format!("{path}.until"), "a time from that of `from` on")?;
            Ok(Valid::Times { from, until })
        }
        _ => Err(refused(path, "this", "either a `log` with `first` and `last`, or `from` and `until`")),
    }
}

fn requirement_of(
    wire: WireRequirement,
    path: &str,
    signers: &[Named<Signer>],
    logs: &[Named<Log>],
) -> Result<Requirement, PolicyError> {
    let path_of = |member: &str| format!("{path}.{member}");
    check_name(&wire.name, &path_of("name"))?;
    let by = places_of(wire.by, &path_of("by"), signers, "key or identity")?;
    if by.is_empty() {
        return Err(refused(&path_of("by"), "[]", "a list of keys and identities"));
    }
    let count = wire.signers.unwrap_or(1);
    // Two names of one key are one signer.
    let distinct = (0..by.len()).filter(|at| !by[..*at].iter().any(|other| same(signers, by[*at], *other))).count();
    if !(1..=distinct).contains(&count) {
        return Err(refused(&path_of("signers"), count, "a number from 1 to that of the distinct signers in `by`"));
    }
    if wire.types.is_empty() {
        return Err(refused(&path_of("type"), "[]", "a list of predicate types"));
    }
    if let Some(text) = wire.types.iter().find(|text| !is_uri(text)) {
        return Err(refused(&path_of("type"), format!("{text:?}"), "the URI of a predicate type"));
    }
    let mut fields = Vec::new();
    for (place, field) in wire.fields.into_iter().enumerate() {
        let path = path_of(&format!("fields[{place}]"));
        let at = pointer(field.at, &format!("{path}.at"))?;
        let asked = match (field.equals, field.one_of, field.matches) {
            (None, None, None) => Asked::Present,
            (Some(value), None, None) => Asked::Equals(value),
            (None, Some(values), None) if !values.is_empty() => Asked::OneOf(values),
            (None, None, Some(pattern)) => Asked::Matches(Pattern::new(pattern)),
            (None, Some(_), None) => return Err(refused(&format!("{path}.one_of"), "[]", "a list of values")),
            _ => return Err(refused(&path, "this", "at most one of `equals`, `one_of` and `matches`")),
        };
        fields.push(Field { at, asked });
    }
    let logged_in = places_of(wire.logged_in, &path_of("logged_in"), logs, "log")?;
    if wire.publicly_logged && !logs.iter().any(|log| log.is.is_public) {
        let wanted = "to be had, for no log of this policy is `public: true`";
        return Err(refused(&path_of("publicly_logged"), true, wanted));
    }
    if wire.unlogged && (wire.publicly_logged || !logged_in.is_empty()) {
        return Err(refused(&path_of("unlogged"), true, "to be had beside `logged_in` or `publicly_logged`"));
    }
    let not_before = start(wire.not_before, &path_of("not_before"))?;
    let not_after = time(wire.not_after, &path_of("not_after"))?;
    ordered(not_before, not_after, &path_of("not_after"), "a time from that of `not_before` on")?;
    if wire.max_age_days == Some(0) {
        return Err(refused(&path_of("max_age_days"), 0, "a number of days from 1"));
    }
    Ok(Requirement {
        name: wire.name,
        by,
        signers: count,
        types: wire.types,
        subject: wire.subject.into_iter().map(Pattern::new).collect(),
        fields,
        logged_in,
        publicly_logged: wire.publicly_logged,
        unlogged: wire.unlogged,
        not_before,
        not_after,
        max_age_days: wire.max_age_days,
    })
}

/// Tells whether two names stand for one signer.
pub(super) fn same(signers: &[Named<Signer>], one: usize, other: usize) -> bool {
    match (&signers[one].is, &signers[other].is) {
        (Signer::Key { id, .. }, Signer::Key { id: other, .. }) => id == other,
        (Signer::Identity(one), Signer::Identity(other)) => one == other,
        _ => false,
    }
}

fn refused(path: &str, met: impl ToString, wanted: &'static str) -> PolicyError {
    PolicyError::Value { path: path.to_owned(), met: met.to_string(), wanted }
}

fn check_name(name: &str, path: &str) -> Result<(), PolicyError> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if fits {
        Ok(())
    } else {
        Err(refused(path, format!("{name:?}"), "a name of 1 to 64 of a-z, A-Z, 0-9, `-`, `_` and `.`"))
    }
}

fn place_of<T>(name: String, path: &str, all: &[Named<T>], of: &'static str) -> Result<usize, PolicyError> {
    let found = all.iter().position(|known| known.name == name);
    found.ok_or_else(|| PolicyError::NameUnknown { path: path.to_owned(), name, of })
}

fn places_of<T>(names: Vec<String>, path: &str, all: &[Named<T>], of: &'static str) -> Result<Vec<usize>, PolicyError> {
    let mut places = Vec::with_capacity(names.len());
    for (at, name) in names.into_iter().enumerate() {
        let path = format!("{path}[{at}]");
        let place = place_of(name.clone(), &path, all, of)?;
        if places.contains(&place) {
            return Err(PolicyError::NameTwice { path, name });
        }
        places.push(place);
    }
    Ok(places)
}

fn key_id(text: &str, path: &str) -> Result<KeyId, PolicyError> {
    let bytes = hex::decode(text).ok().filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase()));
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(KeyId::from_bytes).ok_or_else(|| refused(path, format!("{text:?}"), "64 lowercase hex digits"))
}

/// Reads a time from which on something counts, a fraction of a second rounded up: what is held to it has whole seconds.
fn start(text: Option<String>, path: &str) -> Result<Option<u64>, PolicyError> {
    let is_fraction =
        text.as_ref().and_then(|text| text.parse().ok()).map(|time: Timestamp| time.subsec_nanosecond() > 0);
    Ok(time(text, path)?.map(|seconds| seconds + u64::from(is_fraction.unwrap_or_default())))
}

/// Reads a time, a fraction of a second cut off.
fn time(text: Option<String>, path: &str) -> Result<Option<u64>, PolicyError> {
    let Some(text) = text else { return Ok(None) };
    let seconds = text.parse::<Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok());
    match seconds {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(refused(path, format!("{text:?}"), "a time like 2026-11-21T03:00:00Z")),
    }
}

fn ordered(from: Option<u64>, until: Option<u64>, path: &str, wanted: &'static str) -> Result<(), PolicyError> {
    match (from, until) {
        (Some(from), Some(until)) if until < from => Err(refused(path, until, wanted)),
        _ => Ok(()),
    }
}

/// Holds a text to RFC 6901, so that a pointer that never finds anything is met before it refuses everything.
fn pointer(text: String, path: &str) -> Result<String, PolicyError> {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    let fits = text.starts_with('/') && escapes;
    if fits { Ok(text) } else { Err(refused(path, format!("{text:?}"), "a JSON pointer like /predicate/name")) }
}

/// A scheme, a colon, and something; nothing that a person would not see.
fn is_uri(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain && text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}
