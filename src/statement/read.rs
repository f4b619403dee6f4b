//! Reads a statement without copying it: typed members by one pass, and the untyped ones by the strict scan.
//!
//! Members whose shape in-toto fixes are read into types that refuse an unknown or doubled member and a list in an object's place.
//! The members whose shape it leaves open (`predicate`, `annotations`, `content`) are cut out as text and scanned for doubled members.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use airtight_keys::strict_json::{self, Object, StrictJsonError};
use airtight_keys::verifier::HashFunction;
use airtight_log::digest::Sha256Digest;

use super::digests::{Digests, digest_of_hex};
use super::{LIMITS, STATEMENT_LEN_MAX, STATEMENT_TYPE, STATEMENT_TYPE_V01, SUBJECTS_MAX, StatementError, check_open};

/// The most digests a subject may have; in-toto names about a dozen algorithms.
const DIGESTS_MAX: usize = 16;

/// A statement that was read and not verified; it borrows from the payload.
#[derive(Debug)]
pub struct ParsedStatement<'a> {
    predicate_type: Cow<'a, str>,
    predicate: Option<&'a str>,
    subjects: Vec<ParsedSubject<'a>>,
}

/// A subject of a [`ParsedStatement`].
#[derive(Debug)]
pub struct ParsedSubject<'a> {
    name: Cow<'a, str>,
    digests: Digests,
    digests_unused: usize,
}

impl<'a> ParsedStatement<'a> {
    /// Reads the payload of an envelope.
    ///
    /// # Errors
    ///
    /// Every [`StatementError`] but those that only a statement to be signed can meet.
    pub fn parse(payload: &'a [u8]) -> Result<ParsedStatement<'a>, StatementError> {
        if payload.len() > STATEMENT_LEN_MAX {
            return Err(StatementError::TooLarge { len: payload.len() });
        }
        let text = std::str::from_utf8(payload)
            .map_err(|error| StatementError::Json(StrictJsonError::NotUtf8 { at: error.valid_up_to() }))?;
        let wire: Wire<'a> = match serde_json::from_str::<Object<Wire<'a>>>(text) {
            Ok(object) => object.0,
            Err(error) => return Err(why(payload, &error)),
        };
        if wire.type_ != STATEMENT_TYPE && wire.type_ != STATEMENT_TYPE_V01 {
            return Err(StatementError::Type { found: wire.type_.into_owned() });
        }
        if wire.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        if wire.subject.len() > SUBJECTS_MAX {
            return Err(StatementError::TooManySubjects { count: wire.subject.len() });
        }
        if let Some(predicate) = wire.predicate {
            check_open(predicate.get()).map_err(StatementError::Predicate)?;
        }
        let mut subjects = Vec::with_capacity(wire.subject.len());
        for (place, Object(subject)) in wire.subject.into_iter().enumerate() {
            subjects.push(subject.parsed(place)?);
        }
        Ok(ParsedStatement {
            predicate_type: wire.predicate_type,
            predicate: wire.predicate.map(RawValue::get),
            subjects,
        })
    }

    /// Returns `predicateType` as it stands there.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// Returns the text of the predicate, a JSON object in which no member stands twice.
    pub fn predicate(&self) -> Option<&'a str> {
        self.predicate
    }

    /// Returns the subjects, 1 to [`SUBJECTS_MAX`] of them.
    pub fn subjects(&self) -> &[ParsedSubject<'a>] {
        &self.subjects
    }
}

impl ParsedSubject<'_> {
    /// Returns the name, which may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the SHA-256 digest, where the subject has one.
    pub fn sha256(&self) -> Option<&Sha256Digest> {
        self.digests.sha256()
    }

    /// Returns the digests: npm's statements have SHA-512 alone.
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// Returns how many digests of yet other algorithms there are, which nothing here compares.
    pub fn digests_unused(&self) -> usize {
        self.digests_unused
    }
}

/// The members of a statement, as in-toto attestation v1 `statement.proto` has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(rename = "_type", borrow)]
    type_: Cow<'a, str>,
    #[serde(borrow)]
    subject: Vec<Object<WireSubject<'a>>>,
    #[serde(rename = "predicateType", borrow)]
    predicate_type: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "predicate")]
    predicate: Option<&'a RawValue>,
}

/// The members of a `ResourceDescriptor`; those that are not used are read for their JSON type alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSubject<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    digest: WireDigests<'a>,
    #[serde(borrow, default)]
    #[expect(dead_code, reason = "accepted as a string and not interpreted")]
    uri: Cow<'a, str>,
    #[serde(borrow, default, rename = "mediaType")]
    #[expect(dead_code, reason = "accepted as a string and not interpreted")]
    media_type: Cow<'a, str>,
    #[serde(borrow, default, rename = "downloadLocation")]
    #[expect(dead_code, reason = "accepted as a string and not interpreted")]
    download_location: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    annotations: Option<&'a RawValue>,
}

impl<'a> WireSubject<'a> {
    fn parsed(self, place: usize) -> Result<ParsedSubject<'a>, StatementError> {
        if let Some(annotations) = self.annotations {
            check_open(annotations.get()).map_err(StatementError::Json)?;
        }
        // protobuf's reader refuses what is no base64, and takes more spellings than this one.
        if strict_json::check_standard_base64(&self.content).is_err() {
            return Err(StatementError::Shape(format!("`content` of subject {place} is not base64")));
        }
        let WireDigests { sha256, sha384, sha512, others } = self.digest;
        let mut digests = Digests::default();
        for (algorithm, text) in
            [(HashFunction::Sha256, sha256), (HashFunction::Sha384, sha384), (HashFunction::Sha512, sha512)]
        {
            let Some(text) = text else { continue };
            // One that is passed over, for its capital digits or its length, is one that others compare.
            match digest_of_hex(algorithm, &text) {
                Some(digest) => digests = digests.with(digest),
                None => {
                    return Err(StatementError::Digest { subject: place, algorithm, found: text.into_owned() });
                }
            }
        }
        Ok(ParsedSubject { name: self.name, digests, digests_unused: others.len() })
    }
}

/// Reads the predicate; `null` is an absent one, as protobuf's JSON has it and the publish attestations of PyPI are written.
fn predicate<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    let raw = <&'a RawValue>::deserialize(from)?;
    Ok(Some(raw).filter(|raw| raw.get() != "null"))
}

/// Reads a present member, so that `null` is not taken for an absent one.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(from).map(Some)
}

/// A digest set: algorithm names to hex strings, none twice.
#[derive(Default)]
struct WireDigests<'a> {
    sha256: Option<Cow<'a, str>>,
    sha384: Option<Cow<'a, str>>,
    sha512: Option<Cow<'a, str>>,
    others: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for WireDigests<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Set;
        impl<'de> Visitor<'de> for Set {
            type Value = WireDigests<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a digest set")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<WireDigests<'de>, M::Error> {
                let mut digests = WireDigests::default();
                while let Some(Text(algorithm)) = map.next_key::<Text<'de>>()? {
                    let Text(value) = map.next_value::<Text<'de>>()?;
                    if algorithm == "sha256" {
                        if digests.sha256.replace(value).is_some() {
                            return Err(M::Error::duplicate_field("sha256"));
                        }
                    } else if algorithm == "sha384" {
                        if digests.sha384.replace(value).is_some() {
                            return Err(M::Error::duplicate_field("sha384"));
                        }
                    } else if algorithm == "sha512" {
                        if digests.sha512.replace(value).is_some() {
                            return Err(M::Error::duplicate_field("sha512"));
                        }
                    } else if let Some(bits) = algorithm.strip_prefix("SHA2_") {
                        // protobuf's names, which sigstore-go compares as well: passed over, they would hide a digest from us alone.
                        return Err(M::Error::custom(format_args!(
                            "unknown field `{algorithm}`, expected `sha{bits}`"
                        )));
                    } else if digests.others.contains(&algorithm) {
                        return Err(M::Error::custom(format_args!("duplicate field `{algorithm}`")));
                    } else if digests.others.len() == DIGESTS_MAX {
                        return Err(M::Error::custom(format_args!("more than {DIGESTS_MAX} digests")));
                    } else {
                        digests.others.push(algorithm);
                    }
                }
                Ok(digests)
            }
        }
        from.deserialize_map(Set)
    }
}

/// Names the cause: a text that fails the strict scan is no JSON object, one that passes it has another shape.
fn why(payload: &[u8], error: &serde_json::Error) -> StatementError {
    match strict_json::check(payload, LIMITS) {
        Err(cause) => StatementError::Json(cause),
        Ok(()) => StatementError::Shape(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "5d7751db388a6a12733961323c97fee35b322ba29d4cf14ae58d5596fb88bd11";

    fn code(text: &str) -> &'static str {
        match ParsedStatement::parse(text.as_bytes()) {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        }
    }

    fn with(subject: &str, rest: &str) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],"predicateType":"https://a.example/b"{rest}}}"#
        )
    }

    #[test]
    fn descriptor_members_that_stock_clients_accept_are_accepted() {
        let subject = format!(
            r#"{{"name":"a","digest":{{"sha256":"{HEX}","sha1":"00"}},"uri":"u","mediaType":"m","downloadLocation":"d","content":"AA==","annotations":{{"x":[1]}}}}"#
        );
        assert_eq!(code(&with(&subject, r#","predicate":{"a":{"b":null}}"#)), "accepted");
        assert_eq!(code(&with(&subject, "").replace("Statement/v1", "Statement/v0.1")), "accepted");
    }

    #[test]
    fn a_longer_digest_is_read_in_its_one_spelling_or_refused() {
        for (algorithm, name, len) in [(HashFunction::Sha384, "sha384", 48), (HashFunction::Sha512, "sha512", 64)] {
            let hex = "0a".repeat(len - 1);
            for (digests, expected) in [
                (format!(r#""{name}":"{hex}ff""#), (Some(255), 0)),
                (format!(r#""{name}":"{hex}ff","sha1":"00""#), (Some(255), 1)),
                (format!(r#""sha256":"{HEX}""#), (None, 0)),
            ] {
                let text = with(&format!(r#"{{"name":"a","digest":{{{digests}}}}}"#), "");
                let statement = ParsedStatement::parse(text.as_bytes()).unwrap();
                let subject = &statement.subjects()[0];
                let last = subject.digests().of(algorithm).map(|digest| digest.as_bytes()[len - 1]);
                assert_eq!((last, subject.digests_unused()), expected, "{digests}");
            }
            // Others compare what capital digits hide, and refuse what is too short.
            for text in [format!("{hex}FF"), hex.clone(), format!("{hex}fff"), format!("{hex}fg"), String::new()] {
                let beside = format!(r#"{{"name":"a","digest":{{"sha256":"{HEX}","{name}":"{text}"}}}}"#);
                assert_eq!(code(&with(&beside, "")), "statement_digest_malformed", "{text}");
            }
            let by_protobuf = name.replace("sha", "SHA2_");
            let named = format!(r#"{{"name":"a","digest":{{"sha256":"{HEX}","{by_protobuf}":"{hex}ff"}}}}"#);
            assert_eq!(code(&with(&named, "")), "statement_shape");
            let twice = format!(r#"{{"name":"a","digest":{{"{name}":"{hex}ff","{name}":"{hex}ff"}}}}"#);
            assert_eq!(code(&with(&twice, "")), "statement_member_twice");
        }
    }

    #[test]
    fn a_statement_of_another_shape_is_refused_by_its_code() {
        let good = format!(r#"{{"name":"a","digest":{{"sha256":"{HEX}"}}}}"#);
        for (text, expected) in [
            (with(&good, r#","extra":1"#), "statement_shape"),
            (with(&good, r#","predicate":null"#), "accepted"),
            (with(&good, r#","predicate":null,"predicate":null"#), "statement_member_twice"),
            (with(&good, r#","predicate":[]"#), "predicate_not_json"),
            (with(&good, r#","predicate":{"a":1e400}"#), "predicate_not_json"),
            (with(&good.replace("}}", "},\"annotations\":{\"a\":-1e400}}"), ""), "statement_not_json"),
            (with(&good.replace("}}", "},\"content\":\"A_8=\"}"), ""), "statement_shape"),
            (with(&good.replace("}}", "},\"content\":\"AA\"}"), ""), "statement_shape"),
            (with(&good, r#","predicate":{"a":[{"b":1,"b":2}]}"#), "statement_member_twice"),
            (with(&good, r#","predicate":{},"predicate":{}"#), "statement_member_twice"),
            (with(&good, "") + "x", "statement_not_json"),
            (with("", ""), "statement_without_subject"),
            (with(r#"["a"]"#, ""), "statement_shape"),
            (with(&good.replace("\"name\"", "\"nam\\u0065\""), ""), "accepted"),
            (with(&good.replace("{\"sha256\"", "{\"sha256\":\"00\",\"sha256\""), ""), "statement_member_twice"),
            (with(&good.replace("5d77", "5D77"), ""), "statement_digest_malformed"),
            (with(&good.replace("5d77", "5d7"), ""), "statement_digest_malformed"),
            (with(&good.replace("}}", "},\"x\":1}"), ""), "statement_shape"),
            (with(&good.replace("}}", "},\"annotations\":{\"a\":1,\"a\":1}}"), ""), "statement_member_twice"),
            (with(&good, "").replace("Statement/v1", "Statement/v2"), "statement_type_unknown"),
            (format!("[{}]", with(&good, "")), "statement_not_json"),
            (String::new(), "statement_not_json"),
        ] {
            assert_eq!(code(&text), expected, "{text}");
        }
    }
}
