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
use airtight_log::digest::Sha256Digest;

use super::{LIMITS, STATEMENT_LEN_MAX, STATEMENT_TYPE, STATEMENT_TYPE_V01, SUBJECTS_MAX, StatementError};

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
    sha256: Option<Sha256Digest>,
    sha512: Option<[u8; 64]>,
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
            strict_json::check(predicate.get().as_bytes(), LIMITS).map_err(StatementError::Predicate)?;
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
        self.sha256.as_ref()
    }

    /// Returns the SHA-512 digest, where the subject has one in lowercase hex: npm's statements have no other.
    pub fn sha512(&self) -> Option<&[u8; 64]> {
        self.sha512.as_ref()
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
    digest: Digests<'a>,
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
    #[expect(dead_code, reason = "accepted as a string and not interpreted")]
    content: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    annotations: Option<&'a RawValue>,
}

impl<'a> WireSubject<'a> {
    fn parsed(self, place: usize) -> Result<ParsedSubject<'a>, StatementError> {
        if let Some(annotations) = self.annotations {
            strict_json::check(annotations.get().as_bytes(), LIMITS).map_err(StatementError::Json)?;
        }
        let sha256 = match self.digest.sha256 {
            None => None,
            Some(text) => match Sha256Digest::from_hex(&text) {
                Ok(digest) => Some(digest),
                Err(_) => return Err(StatementError::Digest { subject: place, found: text.into_owned() }),
            },
        };
        let sha512 = self.digest.sha512.as_deref().and_then(sha512_of);
        let digests_unused = self.digest.others.len() + usize::from(self.digest.sha512.is_some() && sha512.is_none());
        Ok(ParsedSubject { name: self.name, sha256, sha512, digests_unused })
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

/// Reads 128 lowercase hex digits.
fn sha512_of(text: &str) -> Option<[u8; 64]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (mut digest, (pairs, rest)) = ([0; 64], text.as_bytes().as_chunks::<2>());
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(digest)
}

/// A digest set: algorithm names to hex strings, none twice.
#[derive(Default)]
struct Digests<'a> {
    sha256: Option<Cow<'a, str>>,
    sha512: Option<Cow<'a, str>>,
    others: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Digests<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Set;
        impl<'de> Visitor<'de> for Set {
            type Value = Digests<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a digest set")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Digests<'de>, M::Error> {
                let mut digests = Digests::default();
                while let Some(Text(algorithm)) = map.next_key::<Text<'de>>()? {
                    let Text(value) = map.next_value::<Text<'de>>()?;
                    if algorithm == "sha256" {
                        if digests.sha256.replace(value).is_some() {
                            return Err(M::Error::duplicate_field("sha256"));
                        }
                    } else if algorithm == "sha512" {
                        if digests.sha512.replace(value).is_some() {
                            return Err(M::Error::duplicate_field("sha512"));
                        }
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
            r#"{{"name":"a","digest":{{"sha256":"{HEX}","sha512":"00"}},"uri":"u","mediaType":"m","downloadLocation":"d","content":"AA==","annotations":{{"x":[1]}}}}"#
        );
        assert_eq!(code(&with(&subject, r#","predicate":{"a":{"b":null}}"#)), "accepted");
        assert_eq!(code(&with(&subject, "").replace("Statement/v1", "Statement/v0.1")), "accepted");
    }

    #[test]
    fn a_sha512_is_read_where_it_is_one() {
        let hex = "0a".repeat(63);
        for (digests, expected) in [
            (format!(r#""sha512":"{hex}ff""#), (Some(255), 0)),
            (format!(r#""sha512":"{hex}FF""#), (None, 1)),
            (format!(r#""sha512":"{hex}""#), (None, 1)),
            (format!(r#""sha512":"{hex}ff","sha1":"00""#), (Some(255), 1)),
            (format!(r#""sha256":"{HEX}""#), (None, 0)),
        ] {
            let text = with(&format!(r#"{{"name":"a","digest":{{{digests}}}}}"#), "");
            let statement = ParsedStatement::parse(text.as_bytes()).unwrap();
            let subject = &statement.subjects()[0];
            assert_eq!((subject.sha512().map(|digest| digest[63]), subject.digests_unused()), expected, "{digests}");
        }
        let twice = format!(r#"{{"name":"a","digest":{{"sha512":"{hex}ff","sha512":"{hex}ff"}}}}"#);
        assert_eq!(code(&with(&twice, "")), "statement_member_twice");
    }

    #[test]
    fn a_statement_of_another_shape_is_refused_by_its_code() {
        let good = format!(r#"{{"name":"a","digest":{{"sha256":"{HEX}"}}}}"#);
        for (text, expected) in [
            (with(&good, r#","extra":1"#), "statement_shape"),
            (with(&good, r#","predicate":null"#), "accepted"),
            (with(&good, r#","predicate":null,"predicate":null"#), "statement_member_twice"),
            (with(&good, r#","predicate":[]"#), "predicate_not_json"),
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
