//! JSON that no two readers can understand differently, and base64 with one spelling for each byte string.
//!
//! A signature covers bytes; a reader acts on what it parsed. Where two parsers disagree about one text, a signed
//! text can say two things. So every JSON text that enters is scanned once before anything is built from it:
//!
//! ```text
//! the text is UTF-8, at most `bytes_max` bytes, nested at most `depth_max` deep
//! its root is an object, and nothing but white space follows it
//! no object, at any depth, has two members of one name (names are compared after their escapes are undone)
//! escapes, numbers and literals are those of RFC 8259; a lone surrogate is refused
//! ```
//!
//! [`check`] does that and builds nothing; [`parse`] does it and then reads a type. serde's derived readers accept an
//! array where a struct is meant (`["a",1]` for `{"x":"a","y":1}`); the root is held to be an object by the scan, and
//! an inner struct by writing its field as [`Object<Inner>`](Object).
//!
//! Sources: RFC 8259 §2 to §8, RFC 7493 (I-JSON) §2.3 for duplicate names, RFC 4648 §3.5 and §4 for base64.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use thiserror::Error;

mod base64;

pub use self::base64::{Base64Error, check_standard_base64, push_standard_base64, standard_base64, to_standard_base64};

/// The depth that every format of ours stays far below, and that no recursive reader fears.
///
/// `serde_json` itself stops at 128.
pub const DEPTH_MAX: usize = 64;

/// Above this many members in one object, names are held in a hash set instead of being compared one by one.
///
/// The formats that we read have fewer than ten; a text made to be slow has a million.
const NAMES_COMPARED_MAX: usize = 16;

/// What a text may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest text, in bytes.
    pub bytes_max: usize,
    /// The deepest nesting; the root object is depth 1.
    pub depth_max: usize,
}

impl Limits {
    /// Sets the longest text in bytes, with the usual depth of [`DEPTH_MAX`].
    pub const fn bytes(bytes_max: usize) -> Self {
        Self { bytes_max, depth_max: DEPTH_MAX }
    }
}

/// Why a JSON text was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrictJsonError {
    /// The text is longer than the limit.
    #[error("the text is {len} bytes long, at most {max} are read")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// An object or array lies deeper than the limit.
    #[error("line {line} column {column}: nested deeper than {max}")]
    TooDeep {
        /// The limit.
        max: usize,
        /// 1-based.
        line: usize,
        /// 1-based, in bytes.
        column: usize,
    },
    /// One object has two members of one name.
    #[error("line {line} column {column}: the member {name:?} stands twice in one object")]
    DuplicateMember {
        /// The name, its escapes undone.
        name: String,
        /// 1-based.
        line: usize,
        /// 1-based, in bytes.
        column: usize,
    },
    /// The root is something else than an object.
    #[error("the text is {found}, an object was expected")]
    NotObject {
        /// What it begins as: "an array", "a string", …
        found: &'static str,
    },
    /// The bytes are not UTF-8.
    #[error("the text is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// The 0-based offset of the first bad byte.
        at: usize,
    },
    /// The text is not JSON (RFC 8259).
    #[error("line {line} column {column}: {message}")]
    Syntax {
        /// 1-based.
        line: usize,
        /// 1-based, in bytes.
        column: usize,
        /// What was expected or found.
        message: &'static str,
    },
    /// The text is JSON, but not of the shape that is read: a member is missing, unknown, or of another type.
    #[error("{message}")]
    Shape {
        /// The reader's words, with the position.
        message: String,
    },
}

/// Scans a JSON text and builds nothing.
///
/// What success does not mean: that the members are those of any format. Numbers are checked for their grammar, not
/// for a range.
///
/// # Errors
/// Each rule at the head of this room has its variant of [`StrictJsonError`]; `Shape` is never among them.
pub fn check(text: &[u8], limits: Limits) -> Result<(), StrictJsonError> {
    scan(text, limits).map(|_| ())
}

/// Scans a JSON text, then reads `T` from it. `T` is read from an object, never from an array.
///
/// # Errors
/// All of [`check`]'s, and [`StrictJsonError::Shape`] where `T` does not fit.
pub fn parse<'a, T: Deserialize<'a>>(text: &'a [u8], limits: Limits) -> Result<T, StrictJsonError> {
    let text = scan(text, limits)?;
    serde_json::from_str(text).map_err(|error| StrictJsonError::Shape { message: error.to_string() })
}

/// A value that is read from a JSON object only.
///
/// A derived reader of a struct also accepts an array of its fields in order; wrapped in `Object`, it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = Object<T>;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }
        deserializer.deserialize_map(OnlyMap(PhantomData))
    }
}

/// One open object or array.
struct Frame<'a> {
    is_object: bool,
    /// Where this object's names begin on the stack of names.
    names_start: usize,
    /// Used instead of the stack once the object is large.
    names: Option<HashSet<Cow<'a, str>>>,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth_max: usize,
    frames: Vec<Frame<'a>>,
    names: Vec<Cow<'a, str>>,
}

fn scan(text: &[u8], limits: Limits) -> Result<&str, StrictJsonError> {
    if text.len() > limits.bytes_max {
        return Err(StrictJsonError::TooLarge { len: text.len(), max: limits.bytes_max });
    }
    let text = std::str::from_utf8(text).map_err(|error| StrictJsonError::NotUtf8 { at: error.valid_up_to() })?;
    let mut scan = Scan { text, at: 0, depth_max: limits.depth_max, frames: Vec::new(), names: Vec::new() };
    scan.skip_white_space();
    match scan.peek() {
        Some(b'{') => {}
        Some(b'[') => return Err(StrictJsonError::NotObject { found: "an array" }),
        Some(b'"') => return Err(StrictJsonError::NotObject { found: "a string" }),
        Some(b'-' | b'0'..=b'9') => return Err(StrictJsonError::NotObject { found: "a number" }),
        Some(b't' | b'f' | b'n') => return Err(StrictJsonError::NotObject { found: "a literal" }),
        _ => return Err(scan.syntax("an object was expected")),
    }
    scan.document()?;
    Ok(text)
}

impl<'a> Scan<'a> {
    /// Reads one value and whatever it holds, without recursion: a hostile depth costs a vector, not the stack.
    fn document(&mut self) -> Result<(), StrictJsonError> {
        loop {
            if self.value_opens()? {
                continue;
            }
            // A value is complete: go on in what holds it.
            loop {
                self.skip_white_space();
                let Some(is_object) = self.frames.last().map(|frame| frame.is_object) else {
                    return match self.peek() {
                        None => Ok(()),
                        Some(_) => Err(self.syntax("text after the end of the object")),
                    };
                };
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_white_space();
                        if is_object {
                            self.name()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => self.close(),
                    Some(b']') if !is_object => self.close(),
                    _ if is_object => return Err(self.syntax("expected , or }")),
                    _ => return Err(self.syntax("expected , or ]")),
                }
            }
        }
    }

    /// Reads a scalar whole, or opens an object or array up to its first value. True: a value is expected next.
    fn value_opens(&mut self) -> Result<bool, StrictJsonError> {
        self.skip_white_space();
        match self.peek() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'{') => {
                self.open(true)?;
                if self.peek() == Some(b'}') {
                    self.close();
                    return Ok(false);
                }
                self.name()?;
                Ok(true)
            }
            Some(b'[') => {
                self.open(false)?;
                if self.peek() == Some(b']') {
                    self.close();
                    return Ok(false);
                }
                Ok(true)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(self.syntax("a value was expected")),
        }
    }

    fn open(&mut self, is_object: bool) -> Result<(), StrictJsonError> {
        if self.frames.len() >= self.depth_max {
            let (line, column) = self.position(self.at);
            return Err(StrictJsonError::TooDeep { max: self.depth_max, line, column });
        }
        self.frames.push(Frame { is_object, names_start: self.names.len(), names: None });
        self.at += 1;
        self.skip_white_space();
        Ok(())
    }

    fn close(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.names.truncate(frame.names_start);
        }
        self.at += 1;
    }

    /// Reads a member's name and its colon, and refuses a name that this object already has.
    fn name(&mut self) -> Result<(), StrictJsonError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.syntax("a member name was expected"));
        }
        let has_escape = self.string()?;
        let raw = &self.text[start..self.at];
        let name: Cow<'a, str> = if has_escape {
            Cow::Owned(serde_json::from_str(raw).map_err(|_| self.syntax_at(start, "a member name was expected"))?)
        } else {
            Cow::Borrowed(&raw[1..raw.len() - 1])
        };
        if let Err(name) = self.note_name(name) {
            let (line, column) = self.position(start);
            return Err(StrictJsonError::DuplicateMember { name: name.into_owned(), line, column });
        }
        self.skip_white_space();
        if self.peek() != Some(b':') {
            return Err(self.syntax("expected :"));
        }
        self.at += 1;
        Ok(())
    }

    /// Notes a name of the innermost object, or gives it back where it was there before.
    fn note_name(&mut self, name: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        if let Some(names) = &mut frame.names {
            if names.contains(&name) {
                return Err(name);
            }
            names.insert(name);
            return Ok(());
        }
        let seen = &self.names[frame.names_start..];
        if seen.contains(&name) {
            return Err(name);
        }
        self.names.push(name);
        if self.names.len() - frame.names_start > NAMES_COMPARED_MAX {
            frame.names = Some(self.names.drain(frame.names_start..).collect());
        }
        Ok(())
    }

    /// Reads a string; true if it has an escape in it.
    fn string(&mut self) -> Result<bool, StrictJsonError> {
        self.at += 1;
        let mut has_escape = false;
        loop {
            self.at = end_of_plain(self.text.as_bytes(), self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escape);
                }
                Some(b'\\') => {
                    has_escape = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.syntax("a control character in a string")),
                None => return Err(self.syntax("a string without an end")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), StrictJsonError> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                match self.four_hex()? {
                    0xdc00..=0xdfff => Err(self.syntax_at(start, "a lone surrogate")),
                    0xd800..=0xdbff => {
                        if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                            return Err(self.syntax_at(start, "a lone surrogate"));
                        }
                        self.at += 2;
                        match self.four_hex()? {
                            0xdc00..=0xdfff => Ok(()),
                            _ => Err(self.syntax_at(start, "a lone surrogate")),
                        }
                    }
                    _ => Ok(()),
                }
            }
            _ => Err(self.syntax_at(start, "an escape that JSON does not have")),
        }
    }

    fn four_hex(&mut self) -> Result<u32, StrictJsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.syntax("four hexadecimal digits were expected")) };
            value = value * 16 + digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<(), StrictJsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), StrictJsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax("a digit was expected")) } else { Ok(()) }
    }

    fn literal(&mut self, word: &'static str) -> Result<bool, StrictJsonError> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(false)
        } else {
            Err(self.syntax("a value was expected"))
        }
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax(&self, message: &'static str) -> StrictJsonError {
        self.syntax_at(self.at, message)
    }

    fn syntax_at(&self, at: usize, message: &'static str) -> StrictJsonError {
        let (line, column) = self.position(at);
        StrictJsonError::Syntax { line, column, message }
    }

    /// 1-based line and column; computed only for an error.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = &self.text.as_bytes()[..at];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        (before.iter().filter(|&&byte| byte == b'\n').count() + 1, at - line_start + 1)
    }
}

/// The offset of the next `"`, `\` or control character at or after `at`, or the length.
///
/// Eight bytes a step. In `x - 0x01…01 & !x & 0x80…80` the lowest flag is exact: a borrow can only raise a false one
/// above a true one.
fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * 0x22);
        let backslash = word ^ (ONES * 0x5c);
        let flags = ((quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word))
            & HIGHS;
        if flags != 0 {
            return at + flags.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte != b'"' && byte != b'\\' && byte >= 0x20) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests;
