//! Bundles as their usual homes hand them out: several in one file, or in another spelling.
//!
//! | home | what it is | what is read |
//! |---|---|---|
//! | a bundle | `{"mediaType": …}` | the text itself |
//! | `gh attestation download` | JSON Lines, a bundle a line | each line, byte for byte |
//! | npm, `/-/npm/v1/attestations/…` | `{"attestations":[{"predicateType": …, "bundle":{…}}]}` | each `bundle`, byte for byte |
//! | PyPI, PEP 740 | `{"version":1,"attestation_bundles":[{"attestations":[…]}]}`, or one attestation | each attestation, written as a bundle of version 0.3 |
//! | cosign before 3.0 | `{"base64Signature": …, "rekorBundle": …}` | the file, written as a bundle of version 0.1 (`cosign`): it has a promise of the log and no proof |
//!
//! What comes out is judged like any other bundle; nothing is proven here. A PEP 740 attestation has no type of its payload, for it can only be in-toto's.
//! Its log entries stand in the bundle as they stood there, member by member, and so do its time stamps (`timestamps`, which newer ones have).
//! At most 96 MiB, as for one bundle, and [`HOUSED_MAX`] bundles: of the shortest lines there would be millions, each with room of its own.

mod cosign;

use std::borrow::Cow;

use airtight_keys::strict_json::{self, Limits, Object, StrictJsonError};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{BUNDLE_LEN_MAX, MEDIA_TYPE};

/// How deep the JSON of a home may go: an entry of a log in an attestation in a list in a document.
const DEPTH_MAX: usize = 64;

/// The most bundles of a file; `gh attestation download` hands out at most 1,000.
pub const HOUSED_MAX: usize = 16_384;

/// One bundle of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Housed<'t> {
    /// Where it stood, like `line 2` or `attestations[0]`; empty where the file is the bundle.
    pub place: String,
    /// The text of the bundle, not yet read; borrowed where it stands so in the file.
    pub text: Cow<'t, str>,
}

/// Why a file holds no bundles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// Neither one JSON object nor one a line.
    #[error("the file is neither a JSON object nor one a line: {0}")]
    NotJson(StrictJsonError),
    /// A document of a home that is not as the home writes it.
    #[error("{place} is not as npm, PyPI or cosign write it: {said}")]
    Unknown {
        /// Where it stands.
        place: String,
        /// What is missing or wrong.
        said: String,
    },
    /// The home holds no bundle at all.
    #[error("the document holds no attestation")]
    Empty,
    /// More bundles than [`HOUSED_MAX`].
    #[error("the document holds {count} bundles, and {HOUSED_MAX} are read")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// Every bundle of the file is about another artifact.
    #[error("the file holds {bundles} bundles, and none is about {artifact}; the first is about {first}")]
    AboutOthers {
        /// How many there are.
        bundles: usize,
        /// What was asked about, a digest.
        artifact: String,
        /// What the first says it is about, a digest.
        first: String,
    },
}

impl HomeError {
    /// The codes of this enum that a bundle's own reader does not have, in the order of the variants.
    pub const CODES: [&'static str; 4] = ["home_unknown", "home_empty", "home_too_many", "home_about_others"];

    /// Returns the stable code of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            HomeError::NotJson(_) => "bundle_not_json",
            HomeError::Unknown { .. } => "home_unknown",
            HomeError::Empty => "home_empty",
            HomeError::TooMany { .. } => "home_too_many",
            HomeError::AboutOthers { .. } => "home_about_others",
        }
    }
}

/// How the `mediaType` of every bundle begins.
const MEDIA_TYPE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(rename = "mediaType", borrow)]
    media_type: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(rename = "mediaType", borrow)]
    media_type: Option<&'a RawValue>,
    #[serde(borrow)]
    attestations: Option<Vec<Object<NpmAttestation<'a>>>>,
    #[serde(borrow)]
    attestation_bundles: Option<Vec<Object<PypiBundle<'a>>>>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(rename = "rekorBundle", borrow)]
    rekor_bundle: Option<&'a RawValue>,
    #[serde(borrow)]
    verification_material: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct NpmAttestation<'a> {
    #[serde(borrow)]
    bundle: &'a RawValue,
}

#[derive(Deserialize)]
struct PypiBundle<'a> {
    #[serde(borrow)]
    attestations: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PypiAttestation<'a> {
    version: u32,
    #[serde(borrow)]
    verification_material: Object<PypiMaterial<'a>>,
    #[serde(borrow)]
    envelope: Object<PypiEnvelope<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PypiMaterial<'a> {
    #[serde(borrow)]
    certificate: &'a RawValue,
    #[serde(borrow)]
    transparency_entries: &'a RawValue,
    #[serde(borrow)]
    timestamps: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PypiEnvelope<'a> {
    #[serde(borrow)]
    statement: &'a RawValue,
    #[serde(borrow)]
    signature: &'a RawValue,
}

/// Tells whether a file is a bundle or a document that holds some, by what stands in it and not by its name. What is damaged is none: it cannot be
/// told from anything else.
pub fn is_home(text: &[u8]) -> bool {
    housed(text).is_ok_and(|found| found.iter().all(|housed| is_bundle(&housed.text)))
}

fn is_bundle(text: &str) -> bool {
    let named = serde_json::from_str::<Object<Named<'_>>>(text);
    named.is_ok_and(|Object(named)| named.media_type.starts_with(MEDIA_TYPE_PREFIX))
}

/// Tells whether a text is a place as [`Housed`] has it, so that a file called `FILE, PLACE` could be taken for a bundle of another file.
pub fn is_place(text: &str) -> bool {
    let is_list = ["attestations[", "attestation_bundles["].iter().any(|list| text.starts_with(list));
    let is_line = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_list || text.strip_prefix("line ").is_some_and(is_line)
}

/// Takes the bundles out of a file of any home, in its order.
///
/// # Errors
/// [`HomeError`]. A bundle that is none is no error here: reading it says what is wrong.
pub fn housed(text: &[u8]) -> Result<Vec<Housed<'_>>, HomeError> {
    let limits = Limits { bytes_max: BUNDLE_LEN_MAX, depth_max: DEPTH_MAX };
    let whole = strict_json::check(text, limits);
    let utf8 = std::str::from_utf8(text)
        .map_err(|error| HomeError::NotJson(StrictJsonError::NotUtf8 { at: error.valid_up_to() }))?;
    let found = match whole {
        Ok(()) => of_object(utf8)?,
        Err(error) => {
            let lines = || (1..).zip(utf8.lines()).filter(|(_, line)| !line.trim().is_empty());
            // Counted before any is held: a list of fifty million lines would take ten times the room of the text.
            let count = lines().count();
            if text.len() > BUNDLE_LEN_MAX || count < 2 {
                return Err(HomeError::NotJson(error));
            }
            check_count(count)?;
            let mut found = Vec::with_capacity(count);
            for (number, line) in lines() {
                strict_json::check(line.as_bytes(), limits).map_err(HomeError::NotJson)?;
                found.push(Housed { place: format!("line {number}"), text: Cow::Borrowed(line) });
            }
            found
        }
    };
    if found.is_empty() { Err(HomeError::Empty) } else { Ok(found) }
}

fn check_count(count: usize) -> Result<(), HomeError> {
    if count > HOUSED_MAX { Err(HomeError::TooMany { count }) } else { Ok(()) }
}

fn of_object(text: &str) -> Result<Vec<Housed<'_>>, HomeError> {
    let unknown = |place: &str, said: String| HomeError::Unknown { place: place.to_owned(), said };
    let Object(shape) =
        serde_json::from_str::<Object<Shape<'_>>>(text).map_err(|error| unknown("the document", error.to_string()))?;
    if shape.media_type.is_some() {
        return Ok(vec![Housed { place: String::new(), text: Cow::Borrowed(text) }]);
    }
    if let Some(attestations) = shape.attestations {
        check_count(attestations.len())?;
        let bundles = attestations.into_iter().map(|Object(attestation)| attestation.bundle.get());
        let housed = |(at, text)| Housed { place: format!("attestations[{at}]"), text: Cow::Borrowed(text) };
        return Ok(bundles.enumerate().map(housed).collect());
    }
    if let Some(bundles) = shape.attestation_bundles {
        if let Some(version) = shape.version.map(RawValue::get).filter(|version| *version != "1") {
            return Err(unknown("the document", format!("version is {version}, not 1")));
        }
        check_count(bundles.iter().map(|Object(bundle)| bundle.attestations.len()).sum())?;
        let mut found = Vec::new();
        for (outer, Object(bundle)) in bundles.into_iter().enumerate() {
            for (inner, attestation) in bundle.attestations.into_iter().enumerate() {
                let place = format!("attestation_bundles[{outer}].attestations[{inner}]");
                let text = of_pypi(attestation.get()).map_err(|said| unknown(&place, said))?;
                found.push(Housed { place, text: Cow::Owned(text) });
            }
        }
        return Ok(found);
    }
    if shape.verification_material.is_some() {
        let text = of_pypi(text).map_err(|said| unknown("the document", said))?;
        return Ok(vec![Housed { place: String::new(), text: Cow::Owned(text) }]);
    }
    if shape.rekor_bundle.is_some() {
        let text = cosign::bundle(text).map_err(|said| unknown("the document", said))?;
        return Ok(vec![Housed { place: String::new(), text: Cow::Owned(text) }]);
    }
    // No home's: its own reader says what a bundle lacks.
    Ok(vec![Housed { place: String::new(), text: Cow::Borrowed(text) }])
}

/// Writes a PEP 740 attestation as a bundle.
fn of_pypi(text: &str) -> Result<String, String> {
    let Object(attestation) =
        serde_json::from_str::<Object<PypiAttestation<'_>>>(text).map_err(|error| error.to_string())?;
    if attestation.version != 1 {
        return Err(format!("version is {}, not 1", attestation.version));
    }
    let (Object(material), Object(envelope)) = (attestation.verification_material, attestation.envelope);
    let stamp = |timestamp: &RawValue| format!(r#"{{"signedTimestamp":{timestamp}}}"#);
    let timestamps = material.timestamps.map_or_else(String::new, |timestamps| {
        let timestamps: Vec<String> = timestamps.into_iter().map(stamp).collect();
        format!(r#","timestampVerificationData":{{"rfc3161Timestamps":[{}]}}"#, timestamps.join(","))
    });
    Ok(format!(
        r#"{{"mediaType":"{MEDIA_TYPE}","verificationMaterial":{{"certificate":{{"rawBytes":{}}},"tlogEntries":{}{timestamps}}},"dsseEnvelope":{{"payload":{},"payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":{}}}]}}}}"#,
        material.certificate, material.transparency_entries, envelope.statement, envelope.signature,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Bundle;

    const BUNDLE: &str = r#"{"mediaType":"m", "a":1}"#;

    fn places(text: &str) -> Result<Vec<(String, String)>, &'static str> {
        let found = housed(text.as_bytes()).map_err(|error| error.code())?;
        Ok(found.into_iter().map(|housed| (housed.place, housed.text.into_owned())).collect())
    }

    fn one(place: &str) -> (String, String) {
        (place.to_owned(), BUNDLE.to_owned())
    }

    #[test]
    fn each_home_gives_its_bundles_byte_for_byte_in_its_order() {
        assert_eq!(places(BUNDLE).unwrap(), [one("")]);
        assert_eq!(places(&format!("{BUNDLE}\n\n{BUNDLE}\n")).unwrap(), [one("line 1"), one("line 3")]);
        let npm = format!(r#"{{"attestations":[{{"predicateType":"p","bundle":{BUNDLE}}},{{"bundle":{BUNDLE}}}]}}"#);
        assert_eq!(places(&npm).unwrap(), [one("attestations[0]"), one("attestations[1]")]);
        assert!(["line 1", "line 1024", "attestations[0]"].iter().all(|place| is_place(place)));
        assert!(["", "line", "line ", "line 1.jsonl", "lines 1", "out.json"].iter().all(|text| !is_place(text)));
    }

    #[test]
    fn an_attestation_of_pypi_is_a_bundle_with_a_certificate() {
        let attestation = r#"{"version":1,"verification_material":{"certificate":"AA==","transparency_entries":[]},"envelope":{"statement":"e30=","signature":"AA=="}}"#;
        let document = format!(
            r#"{{"version":1,"attestation_bundles":[{{"publisher":{{"kind":"GitHub"}},"attestations":[{attestation}]}}]}}"#
        );
        let found = places(&document).unwrap();
        assert_eq!(found[0].0, "attestation_bundles[0].attestations[0]");
        assert!(is_place(&found[0].0));
        assert_eq!(found[0].1, places(attestation).unwrap()[0].1);
        let value: serde_json::Value = serde_json::from_str(&found[0].1).unwrap();
        assert_eq!(value["verificationMaterial"]["certificate"]["rawBytes"], "AA==");
        // A bundle's own reader takes it from here.
        assert!(Bundle::parse(found[0].1.as_bytes()).unwrap().entries().is_empty());
        assert_eq!(places(&document.replacen("\"version\":1,", "", 1)).unwrap(), found);
        assert_eq!(places(&document.replacen("\"version\":1", "\"version\":2", 1)), Err("home_unknown"));
        for (from, to, code) in [
            ("\"version\":1", "\"version\":2", "home_unknown"),
            ("\"signature\"", "\"sig\"", "home_unknown"),
            ("\"version\":1", "\"version\":1,\"version\":1", "bundle_not_json"),
        ] {
            assert_eq!(places(&attestation.replace(from, to)), Err(code));
        }
    }

    #[test]
    fn a_home_is_known_by_what_stands_in_it() {
        let bundle = format!(r#"{{"mediaType":"{MEDIA_TYPE}"}}"#);
        let attestation = r#"{"version":1,"verification_material":{"certificate":"AA==","transparency_entries":[]},"envelope":{"statement":"e30=","signature":"AA=="}}"#;
        for (text, expected) in [
            (bundle.as_str(), true),
            (&format!("{bundle}\n{bundle}\n"), true),
            (&format!("{bundle}\n{{}}\n"), false),
            (&format!(r#"{{"attestations":[{{"bundle":{bundle}}}]}}"#), true),
            (attestation, true),
            (r#"{"rekorBundle":{}}"#, false),
            (r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#, false),
            (r#"{"attestations":[]}"#, false),
            (r#"{"bomFormat":"CycloneDX"}"#, false),
            (&bundle[1..], false),
            ("", false),
        ] {
            assert_eq!(is_home(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_time_stamps_of_an_attestation_of_pypi_come_along() {
        let attestation = r#"{"version":1,"verification_material":{"certificate":"AA==","transparency_entries":[],"timestamps":["AA==","AQ=="]},"envelope":{"statement":"e30=","signature":"AA=="}}"#;
        let value: serde_json::Value = serde_json::from_str(&places(attestation).unwrap()[0].1).unwrap();
        let stamps = &value["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
        assert_eq!(stamps[1]["signedTimestamp"], "AQ==");
    }

    #[test]
    fn one_bundle_too_many_is_refused_in_every_document() {
        let lines = |count: usize| "{}\n".repeat(count);
        let npm =
            |count: usize| format!(r#"{{"attestations":[{}{{"bundle":0}}]}}"#, r#"{"bundle":0},"#.repeat(count - 1));
        let attestation = r#"{"version":1,"verification_material":{"certificate":0,"transparency_entries":0},"envelope":{"statement":0,"signature":0}}"#;
        let pypi = |count: usize| {
            let more = format!(r#"{{"attestations":[{attestation}]}},"#).repeat(count - 1);
            format!(r#"{{"attestation_bundles":[{more}{{"attestations":[{attestation}]}}]}}"#)
        };
        for document in [&lines as &dyn Fn(usize) -> String, &npm, &pypi] {
            assert_eq!(places(&document(HOUSED_MAX)).unwrap().len(), HOUSED_MAX);
            assert_eq!(places(&document(HOUSED_MAX + 1)), Err("home_too_many"));
        }
    }

    #[test]
    fn what_is_no_home_is_refused_for_its_own_reason() {
        for (text, code) in [
            ("", "bundle_not_json"),
            ("[]", "bundle_not_json"),
            ("{\"attestations\":[]}", "home_empty"),
            ("{\"attestations\":[[]]}", "home_unknown"),
            ("{\"attestations\":[{}]}", "home_unknown"),
            ("{\"attestation_bundles\":[{\"attestations\":[{}]}]}", "home_unknown"),
            ("{\"base64Signature\":\"\",\"cert\":\"\",\"rekorBundle\":{}}", "home_unknown"),
            ("{\"mediaType\":\"m\",\"mediaType\":\"m\"}", "bundle_not_json"),
            ("{\"mediaType\":\"m\"}\n{\"a\":1,\"a\":2}", "bundle_not_json"),
            ("{\"mediaType\":\"m\"}\nx", "bundle_not_json"),
        ] {
            assert_eq!(places(text), Err(code), "{text}");
        }
    }
}
