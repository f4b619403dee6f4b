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

use std::collections::HashMap;

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
        let end = |value, whose| End::of(link.digests, value, whose);
        let one_ends: Vec<End<'_>> =
            ones.iter().map(|fit| end(fit.statement.pointer(&link.at), "the former")).collect();
        let other_ends: Vec<End<'_>> =
            others.iter().map(|fit| end(fit.statement.pointer(&link.other_at), "the latter")).collect();
        let (mut cause, mut equal) = (None, Vec::new());
        for (one, one_end) in ones.iter().zip(&one_ends) {
            for (other, other_end) in others.iter().zip(&other_ends) {
                match holds(link.digests, one_end, other_end) {
                    Ok(()) => equal.push((one, other)),
                    Err(fault) => cause = cause.take().or(fault),
                }
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

/// What one end of a link leads to in a statement.
enum End<'v> {
    Value(Option<&'v Value>),
    /// A list of digests, or why it is none.
    Things(Result<Things<'v>, String>),
}

impl<'v> End<'v> {
    fn of(digests: Option<Digests>, value: Option<&'v Value>, whose: &str) -> End<'v> {
        match digests {
            None => End::Value(value),
            Some(_) => End::Things(things(value, whose).map(Things::of)),
        }
    }
}

/// Tells whether two ends are linked.
///
/// # Errors
/// They are not; with a sentence where it is about digests.
fn holds(digests: Option<Digests>, one: &End<'_>, other: &End<'_>) -> Result<(), Option<String>> {
    let clone = |fault: &String| Some(fault.clone());
    let (found, wanted) = match (one, other) {
        (End::Things(found), End::Things(wanted)) => (found.as_ref().map_err(clone)?, wanted.as_ref().map_err(clone)?),
        (End::Value(found), End::Value(wanted)) if found.is_some() && found == wanted => return Ok(()),
        _ => return Err(None),
    };
    if let Some(lost) = found.all.iter().find(|thing| !wanted.have(thing)) {
        return Err(Some(format!("{} of the former is not in the latter", lost.shown())));
    }
    match digests {
        Some(Digests::Equal) => match wanted.all.iter().find(|thing| !found.have(thing)) {
            Some(lost) => Err(Some(format!("{} of the latter is not in the former", lost.shown()))),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Things, found by each digest that shows what a thing is: lists have thousands, and each was held to each.
struct Things<'v> {
    all: Vec<Thing<'v>>,
    /// The places of the things that have it, by algorithm and digest.
    by_digest: HashMap<(&'v str, &'v str), Vec<usize>>,
}

impl<'v> Things<'v> {
    fn of(all: Vec<Thing<'v>>) -> Things<'v> {
        let mut by_digest: HashMap<(&str, &str), Vec<usize>> = HashMap::with_capacity(all.len());
        for (place, thing) in all.iter().enumerate() {
            for digest in thing.strong() {
                by_digest.entry(digest).or_default().push(place);
            }
        }
        Things { all, by_digest }
    }

    /// Tells whether a thing is one of these.
    fn have(&self, thing: &Thing<'_>) -> bool {
        let mut alike = thing.strong().filter_map(|digest| self.by_digest.get(&digest)).flatten();
        alike.any(|place| is_same(thing, &self.all[*place]))
    }
}

/// A thing, by its digests.
struct Thing<'v>(&'v Map<String, Value>);

impl<'v> Thing<'v> {
    fn shown(&self) -> String {
        shown(&Value::Object(self.0.clone()))
    }

    /// Lists its digests of algorithms that show what a thing is.
    fn strong(&self) -> impl Iterator<Item = (&'v str, &'v str)> {
        let strong = self.0.iter().filter(|(name, _)| !WEAK.contains(&name.as_str()));
        strong.filter_map(|(name, digest)| Some((name.as_str(), digest.as_str()?)))
    }
}

fn things<'v>(value: Option<&'v Value>, whose: &str) -> Result<Vec<Thing<'v>>, String> {
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
        None => Err(format!("{whose} has no digests, or something without one")),
        Some(things) if things.is_empty() => Err(format!("{whose} lists nothing")),
        Some(things) => Ok(things),
    }
}

fn is_same(one: &Thing<'_>, other: &Thing<'_>) -> bool {
    let shared: Vec<(&String, bool)> =
        one.0.iter().filter_map(|(name, value)| Some((name, other.0.get(name)? == value))).collect();
    shared.iter().all(|(_, equal)| *equal) && shared.iter().any(|(name, _)| !WEAK.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The n-th of many lists of up to five things, each of up to three digests: two algorithms that show a thing and one that does not.
    fn list(n: usize) -> Value {
        let mut left = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut next = |below: usize| {
            left = left.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (left >> 33) % below
        };
        let mut thing = |_| {
            let mut digest = Map::new();
            for algorithm in ["sha256", "gitCommit", "sha1"] {
                if next(3) > 0 {
                    digest.insert(algorithm.to_owned(), format!("{}", next(3)).into());
                }
            }
            if digest.is_empty() {
                digest.insert("sha512".to_owned(), "0".into());
            }
            serde_json::json!({ "digest": digest })
        };
        (0..1 + n % 5).map(&mut thing).collect()
    }

    #[test]
    fn lists_are_linked_as_if_each_thing_were_held_to_each() {
        let mut met = [0; 3];
        for n in 0..2_000 {
            let (one, other) = (list(2 * n), list(2 * n + 1));
            for digests in [Digests::Equal, Digests::Within] {
                let (found, wanted) = (things(Some(&one), "").unwrap(), things(Some(&other), "").unwrap());
                let lacks = |thing: &&Thing<'_>, all: &[Thing<'_>]| !all.iter().any(|other| is_same(thing, other));
                let expected = match (
                    found.iter().find(|thing| lacks(thing, &wanted)),
                    wanted.iter().find(|thing| lacks(thing, &found)),
                ) {
                    (Some(lost), _) => Err(Some(format!("{} of the former is not in the latter", lost.shown()))),
                    (None, Some(lost)) if digests == Digests::Equal => {
                        Err(Some(format!("{} of the latter is not in the former", lost.shown())))
                    }
                    (None, _) => Ok(()),
                };
                met[match &expected {
                    Ok(()) => 0,
                    Err(Some(said)) if said.contains("of the former is not") => 1,
                    Err(_) => 2,
                }] += 1;
                let end = |value| End::of(Some(digests), Some(value), "");
                assert_eq!(holds(Some(digests), &end(&one), &end(&other)), expected, "{one} {other}");
            }
        }
        assert!(met.iter().all(|count| *count > 100), "{met:?}");
    }
}
