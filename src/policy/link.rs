//! Links: what one attestation says is what another says, a value of the one or the digests in it.
//!
//! Without `digests`, both pointers lead to equal values. With it, each leads to digests, and either both say the same ones (`equal`), or the other
//! has all that the one has (`within`). Read as digests are
//!
//! | what stands there | where that is so |
//! |---|---|
//! | `[{"digest": {"sha256": …}, …}, …]` | subjects of a statement, `resolvedDependencies` and `materials` of a provenance, an in-toto link of attestations |
//! | `{"digest": {"sha256": …}, …}` | one of these |
//! | `{"sha256": …}` | the digest of one of these |
//! | `{"path": {"sha256": …}, …}` | `materials` of an older in-toto link |
//!
//! Two are of one thing where every algorithm that both have says the same, and one of those is neither `md5` nor `sha1`; `gitCommit` and its
//! kin count. Names do not. A list without an item says nothing, and an item without a digest could be anything: either refuses the link.

use serde_json::{Map, Value};

use super::judge::{Finding, Fit, Standing, shown};
use super::shortfall::Shortfall;
use super::{Digests, Link, Policy};

/// Algorithms that do not show what a thing is.
const WEAK: [&str; 2] = ["md5", "sha1"];

impl Policy {
    /// Judges a link over the attestations that fit who and what is required, by the places of the requirements.
    pub(super) fn judge_link(&self, link: &Link, fits: &[Vec<Fit<'_, '_>>]) -> Finding {
        let (ones, others) = (&fits[link.one], &fits[link.other]);
        let (one_name, other_name) = (&self.require[link.one].name, &self.require[link.other].name);
        let pairs = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
        let (mut cause, mut equal) = (None, Vec::new());
        for (one, other) in pairs {
            match holds(link, one.statement, other.statement) {
                Ok(()) => equal.push((one, other)),
                Err(fault) => cause = cause.take().or(fault),
            }
        }
        // What lies elsewhere or is not fresh links no more than it meets.
        let weaker = |(one, other): &(&Fit<'_, '_>, &Fit<'_, '_>)| one.weaker.clone().or_else(|| other.weaker.clone());
        let equal = equal.iter().find(|pair| weaker(pair).is_none()).or(equal.first()).copied();
        let shown_of = |fits: &[Fit<'_, '_>], at: &str| {
            let Some(first) = fits.first() else { return "not there".to_owned() };
            first.statement.pointer(at).map_or_else(|| "nothing".to_owned(), shown)
        };
        let (one, other) = (format!("{} of {one_name}", link.at), format!("{} of {other_name}", link.other_at));
        let standing = match equal.map(|pair| weaker(&pair).is_some()) {
            Some(false) => Standing::Met,
            Some(true) => Standing::Weaker,
            None => Standing::Refused,
        };
        let shortfall = match (equal, cause) {
            (Some(pair), _) => weaker(&pair),
            (None, Some(cause)) => Some(Shortfall::LinkDigests { one, other, cause }),
            (None, None) => Some(Shortfall::Link {
                found: shown_of(ones, &link.at),
                wanted: shown_of(others, &link.other_at),
                one,
                other,
            }),
        };
        let by = equal.into_iter().flat_map(|(one, other)| [one, other]);
        let sign = if link.digests == Some(Digests::Within) { "in" } else { "=" };
        Finding {
            name: format!("{one_name} {sign} {other_name}"),
            standing,
            by: by.map(|fit| self.counted(fit, false)).collect(),
            shortfall,
        }
    }
}

/// Tells whether two statements are linked.
///
/// # Errors
/// They are not; with a sentence where it is about digests.
fn holds(link: &Link, one: &Value, other: &Value) -> Result<(), Option<String>> {
    let (found, wanted) = (one.pointer(&link.at), other.pointer(&link.other_at));
    let Some(digests) = link.digests else {
        return if found.is_some() && found == wanted { Ok(()) } else { Err(None) };
    };
    let (found, wanted) = (things(found, "the former")?, things(wanted, "the latter")?);
    let among = |thing: &&Thing<'_>, all: &[Thing<'_>]| all.iter().any(|other| is_same(thing, other));
    if let Some(lost) = found.iter().find(|thing| !among(thing, &wanted)) {
        return Err(Some(format!("{} of the former is not in the latter", lost.shown())));
    }
    match wanted.iter().find(|thing| !among(thing, &found)) {
        Some(lost) if digests == Digests::Equal => {
            Err(Some(format!("{} of the latter is not in the former", lost.shown())))
        }
        _ => Ok(()),
    }
}

/// A thing, by its digests.
struct Thing<'v>(&'v Map<String, Value>);

impl Thing<'_> {
    fn shown(&self) -> String {
        shown(&Value::Object(self.0.clone()))
    }
}

fn things<'v>(value: Option<&'v Value>, whose: &str) -> Result<Vec<Thing<'v>>, Option<String>> {
    let is_digests = |map: &Map<String, Value>| !map.is_empty() && map.values().all(Value::is_string);
    let digests_of = |value: &'v Value| value.as_object().filter(|map| is_digests(map)).map(Thing);
    let described = |value: &'v Value| value.get("digest").and_then(digests_of);
    let found: Option<Vec<Thing<'v>>> = match value {
        Some(Value::Array(items)) => items.iter().map(described).collect(),
        Some(Value::Object(map)) if map.contains_key("digest") => value.and_then(described).map(|thing| vec![thing]),
        Some(Value::Object(map)) if is_digests(map) => Some(vec![Thing(map)]),
        Some(Value::Object(map)) => map.values().map(digests_of).collect(),
        _ => None,
    };
    match found {
        None => Err(Some(format!("{whose} has no digests, or something without one"))),
        Some(things) if things.is_empty() => Err(Some(format!("{whose} lists nothing"))),
        Some(things) => Ok(things),
    }
}

fn is_same(one: &Thing<'_>, other: &Thing<'_>) -> bool {
    let shared: Vec<(&String, bool)> =
        one.0.iter().filter_map(|(name, value)| Some((name, other.0.get(name)? == value))).collect();
    shared.iter().all(|(_, equal)| *equal) && shared.iter().any(|(name, _)| !WEAK.contains(&name.as_str()))
}
