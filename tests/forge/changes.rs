//! Every single change to a JSON text that comes to mind: members, types, letters, bytes, spellings.
//!
//! A [`Change`] is the whole changed text, the place that was touched and the kind of change. What a bundle's values hold in
//! their turn is changed too: the log's body as JSON inside base64, the checkpoint as the lines of a note.

use airtight_keys::strict_json::{standard_base64, to_standard_base64 as base64};

use super::json::{Json, Way, quoted, text, token};
use super::twin;

/// A text with one thing changed.
pub struct Change {
    /// The path of the value that was touched, or of the object whose member it is.
    pub place: String,
    /// What was done.
    pub kind: &'static str,
    /// The changed text.
    pub text: Vec<u8>,
}

/// Letters that stand in for others: of every alphabet that occurs, and of none.
const LETTERS: [char; 14] = ['A', 'a', 'Z', 'z', '0', '9', '+', '/', '-', '_', '=', ' ', '\u{0}', '\u{e9}'];

/// Collects changes of one value.
struct Changes<'o> {
    /// The value as it was.
    was: Json,
    /// The text before the value and after it.
    around: (String, String),
    place: String,
    out: &'o mut Vec<Change>,
}

/// Every change of this tree as a text.
pub fn of(whole: &Json) -> Vec<Change> {
    const HERE: &str = "\u{1}";
    let mut out = Vec::new();
    for (way, place) in whole.ways() {
        let mut marked = whole.clone();
        let was = std::mem::replace(marked.on(&way), token(HERE));
        let text = marked.render();
        let (before, after) = text.split_once(HERE).unwrap();
        let around = (before.to_owned(), after.to_owned());
        let mut changes = Changes { was: was.clone(), around, place, out: &mut out };
        changes.types();
        match &was {
            Json::Object(members) => changes.members(members),
            Json::Array(elements) => changes.elements(elements),
            Json::Leaf(_) => changes.string(&was.said()),
        }
    }
    out
}

impl Changes<'_> {
    fn put(&mut self, kind: &'static str, value: Json) {
        let place = self.place.clone();
        self.put_at(place, kind, value);
    }

    fn put_at(&mut self, place: String, kind: &'static str, value: Json) {
        if value != self.was {
            let (before, after) = &self.around;
            let text = [before.as_bytes(), value.render().as_bytes(), after.as_bytes()].concat();
            self.out.push(Change { place, kind, text });
        }
    }

    fn say(&mut self, kind: &'static str, said: &str) {
        self.put(kind, text(said));
    }

    /// Every value in the place of every other type.
    fn types(&mut self) {
        let was = self.was.clone();
        let inside = |json: Json| Json::Object(vec![("\"a\"".to_owned(), json)]);
        for other in ["null", "true", "false", "0", "7", "-1", "1.5", "1e400", "\"\"", "[]", "{}", "[null]"] {
            self.put("retyped", token(other));
        }
        self.put("in a list", Json::Array(vec![was.clone()]));
        self.put("in an object", inside(was.clone()));
        self.put("as a string of its text", text(&was.render()));
        match was {
            Json::Object(members) => {
                let values = members.into_iter().map(|(_, value)| value).collect();
                self.put("as a list of its values", Json::Array(values));
            }
            Json::Array(elements) => {
                let numbered = elements.iter().enumerate().map(|(n, value)| (quoted(&n.to_string()), value.clone()));
                self.put("as an object of its elements", Json::Object(numbered.collect()));
                if let Some(first) = elements.first() {
                    self.put("as its first element", first.clone());
                }
            }
            Json::Leaf(said) => {
                let said = token(&said).said();
                self.put("without quotes", token(if said.is_empty() { "0" } else { &said }));
            }
        }
    }

    fn members(&mut self, members: &[(String, Json)]) {
        for value in ["null", "1", "\"\"", "{}", "[]"] {
            for at in [0, members.len()] {
                let mut more = members.to_vec();
                more.insert(at, ("\"more\"".to_owned(), token(value)));
                self.put_at(String::new(), "unknown member", Json::Object(more));
            }
        }
        for (at, (name, value)) in members.iter().enumerate() {
            let said = token(name).said();
            let below = format!("{}/{said}", self.place);
            let mut fewer = members.to_vec();
            fewer.remove(at);
            self.put_at(below, "member dropped", Json::Object(fewer));
            let escaped = format!("\"\\u{:04x}{}", u32::from(said.as_bytes()[0]), &name[2..]);
            for again in [name.clone(), escaped] {
                for other in [value.clone(), token("null"), text("x"), token("{}"), token("[]")] {
                    for place in [at, at + 1, members.len()] {
                        let mut more = members.to_vec();
                        more.insert(place, (again.clone(), other.clone()));
                        self.put_at(String::new(), "member doubled", Json::Object(more));
                    }
                }
            }
            let snake: String = said
                .chars()
                .flat_map(|c| if c.is_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] })
                .collect();
            let first_upper = said[..1].to_uppercase() + &said[1..];
            let others =
                [snake, first_upper, said.to_uppercase(), said.to_lowercase(), format!("{said} "), String::new()];
            for other in others {
                if other != said {
                    let mut renamed = members.to_vec();
                    renamed[at].0 = quoted(&other);
                    self.put_at(String::new(), "member renamed", Json::Object(renamed));
                }
            }
        }
    }

    fn elements(&mut self, elements: &[Json]) {
        for at in 0..elements.len() {
            let mut changed = elements.to_vec();
            changed.remove(at);
            self.put("element dropped", Json::Array(changed));
            for to in [at, elements.len()] {
                let mut changed = elements.to_vec();
                changed.insert(to, elements[at].clone());
                self.put("element doubled", Json::Array(changed));
            }
            let mut changed = elements.to_vec();
            changed.swap(at, (at + 1) % elements.len());
            self.put("elements swapped", Json::Array(changed));
        }
        for more in ["null", "\"\"", "{}", "[]"] {
            let changed = [elements, &[token(more)]].concat();
            self.put("element added", Json::Array(changed));
        }
        self.put("elements reversed", Json::Array(elements.iter().rev().cloned().collect()));
    }

    fn string(&mut self, said: &str) {
        self.letters(said);
        if said.bytes().all(|byte| byte.is_ascii_digit()) && !said.is_empty() {
            self.number(said);
        } else if said.len() >= 40
            && let Ok(bytes) = standard_base64(said)
        {
            for (kind, bytes) in byte_changes(&bytes) {
                self.say(kind, &base64(&bytes));
            }
            for (kind, said) in spellings(said, &bytes) {
                self.say(kind, &said);
            }
        } else if said.contains("\n\u{2014} ") {
            for (kind, said) in note_changes(said) {
                self.say(kind, &said);
            }
        }
    }

    fn letters(&mut self, said: &str) {
        let letters: Vec<char> = said.chars().collect();
        let step = (letters.len() / 24).max(1);
        let last = letters.len().saturating_sub(1);
        for at in (0..letters.len()).step_by(step).chain([1, 2, last.saturating_sub(1), last]) {
            let Some(&was) = letters.get(at) else { continue };
            let other_case = if was.is_uppercase() { was.to_ascii_lowercase() } else { was.to_ascii_uppercase() };
            let next = char::from_u32(u32::from(was) ^ 1).unwrap_or('x');
            for letter in LETTERS.into_iter().chain([other_case, next]) {
                let mut changed = letters.clone();
                changed[at] = letter;
                self.say("letter changed", &changed.into_iter().collect::<String>());
            }
            let mut changed = letters.clone();
            changed.remove(at);
            self.say("letter dropped", &changed.iter().collect::<String>());
            changed.insert(at, was);
            changed.insert(at, was);
            self.say("letter doubled", &changed.into_iter().collect::<String>());
        }
        let half: String = letters[..letters.len() / 2].iter().collect();
        for (kind, other) in [
            ("cut off", half),
            ("lengthened", format!("{said}{said}")),
            ("lengthened", format!("{said}\n")),
            ("lengthened", format!("{said}\r\n")),
            ("lengthened", format!("{said}\u{0}")),
            ("lengthened", format!(" {said}")),
            ("lengthened", format!("\u{feff}{said}")),
            ("other case", said.to_uppercase()),
            ("other case", said.to_lowercase()),
        ] {
            self.say(kind, &other);
        }
    }

    fn number(&mut self, said: &str) {
        let number: u128 = said.parse().unwrap();
        let wide: String = said.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap()).collect();
        for other in [
            format!("0{said}"),
            format!("+{said}"),
            format!("-{said}"),
            format!("{said}.0"),
            format!("{said}e0"),
            format!("{said}E+0"),
            format!("0x{number:x}"),
            format!(" {said}"),
            format!("{said} "),
            format!("{said}n"),
            wide,
        ] {
            self.say("number spelled otherwise", &other);
        }
        for token_of in [said.to_owned(), format!("{said}.0"), format!("{said}e0"), format!("-{said}")] {
            self.put("number without quotes", token(&token_of));
        }
        let (wrap_48, wrap_63, wrap_64) = (number + (1 << 48), number + (1 << 63), number + (1 << 64));
        for other in [number + 1, number.saturating_sub(1), number * 10, 0, wrap_48, wrap_63, wrap_64, 1 << 63, 1 << 53]
        {
            self.say("another number", &other.to_string());
        }
    }
}

/// Other bytes: bits flipped at many places, cut off, lengthened, and what ASN.1 would let pass as the same signature.
fn byte_changes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut out = Vec::new();
    let step = (bytes.len() / 32).max(1);
    for at in (0..bytes.len()).step_by(step).chain([1, bytes.len() / 2, bytes.len() - 1]) {
        for bit in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = bytes.to_vec();
            changed[at] ^= bit;
            out.push(("bits flipped", changed));
        }
    }
    out.push(("bytes cut off", bytes[..bytes.len() - 1].to_vec()));
    out.push(("bytes cut off", bytes[1..].to_vec()));
    out.push(("bytes cut off", bytes[..bytes.len() / 2].to_vec()));
    out.push(("bytes added", [bytes, &[0]].concat()));
    out.push(("bytes added", [&[0], bytes].concat()));
    out.push(("bytes added", [bytes, b"\n"].concat()));
    out.push(("bytes added", [bytes, bytes].concat()));
    out.extend(signature_changes(bytes));
    out
}

/// Other forms of a signature: DER that is no DER, and an Ed25519 scalar that was not reduced. The twin is [`twins`]'.
fn signature_changes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut out = Vec::new();
    if is_ecdsa(bytes) {
        let (r, s) = bytes[4..].split_at(usize::from(bytes[3]));
        let s = &s[2..];
        let sequence = |inner: Vec<u8>| [&[0x30, inner.len() as u8], &inner[..]].concat();
        let integer = |value: &[u8]| [&[0x02, value.len() as u8], value].concat();
        let pair = |r: Vec<u8>, s: Vec<u8>| sequence([r, s].concat());
        out.push(("DER: long length", [&[0x30, 0x81, bytes[1]], &bytes[2..]].concat()));
        out.push(("DER: indefinite length", [&[0x30, 0x80], &bytes[2..], &[0, 0]].concat()));
        out.push(("DER: zeros before r", pair(integer(&[&[0], r].concat()), integer(s))));
        out.push(("DER: zeros before s", pair(integer(r), integer(&[&[0], s].concat()))));
        out.push(("DER: sign lost", pair(integer(r.strip_prefix(&[0]).unwrap_or(&r[1..])), integer(s))));
        out.push(("DER: third integer", sequence([&bytes[2..], &[0x02, 0x01, 0x00]].concat())));
        out.push(("DER: r and s swapped", pair(integer(s), integer(r))));
        out.push(("DER: r is 0", pair(integer(&[0]), integer(s))));
        out.push(("DER: s is 0", pair(integer(r), integer(&[0]))));
        out.push(("raw r and s", [&r[r.len().saturating_sub(32)..], &s[s.len().saturating_sub(32)..]].concat()));
    }
    if bytes.len() == 64 {
        out.push(("scalar not reduced", not_reduced(bytes)));
    }
    out
}

/// Says whether bytes look like an ECDSA signature over P-256.
pub fn is_ecdsa(bytes: &[u8]) -> bool {
    let sound = |at: usize| bytes.get(at) == Some(&0x02) && bytes.get(at + 1).is_some_and(|len| (1..=33).contains(len));
    (8..=72).contains(&bytes.len())
        && bytes[0] == 0x30
        && usize::from(bytes[1]) + 2 == bytes.len()
        && sound(2)
        && sound(4 + usize::from(bytes[3]))
}

/// The Ed25519 signature with the group's order added to its scalar.
fn not_reduced(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut out = signature.to_vec();
    let mut carry = 0;
    for (digit, add) in out[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*digit) + u16::from(add) + carry;
        (*digit, carry) = (sum as u8, sum >> 8);
    }
    out
}

/// Other spellings of the same bytes.
fn spellings(said: &str, bytes: &[u8]) -> Vec<(&'static str, String)> {
    let bare = said.trim_end_matches('=');
    let padding = &said[bare.len()..];
    let mut out = vec![
        ("base64: URL alphabet", said.replace('+', "-").replace('/', "_")),
        ("base64: URL alphabet", bare.replace('+', "-").replace('/', "_")),
        ("base64: unpadded", bare.to_owned()),
        ("base64: padded too much", format!("{said}=")),
        ("base64: padded too much", format!("{said}====")),
        ("base64: padding in the middle", format!("{}=={}", &said[..20], &said[20..])),
        ("base64: in lines", format!("{}\n{}", &said[..20], &said[20..])),
        ("base64: in lines", format!("{}\r\n{}", &said[..20], &said[20..])),
        ("base64: with white space", format!("{} {}", &said[..20], &said[20..])),
        ("base64: with white space", format!("{said} ")),
        ("base64: with a letter more", format!("{said}A")),
        ("hex", hex::encode(bytes)),
        ("hex", hex::encode_upper(bytes)),
    ];
    if !padding.is_empty() {
        const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (head, last) = bare.split_at(bare.len() - 1);
        let value = DIGITS.find(last).unwrap();
        for bits in 1..(if padding == "=" { 4 } else { 16 }) {
            let other = &DIGITS[value | bits..=value | bits];
            out.push(("base64: bits in the padding", format!("{head}{other}{padding}")));
        }
    }
    out
}

/// Other notes: lines dropped, doubled, swapped and added, other line ends and dashes, other bytes in a signature.
fn note_changes(note: &str) -> Vec<(&'static str, String)> {
    let lines: Vec<&str> = note.split('\n').collect();
    let joined = |lines: Vec<&str>| lines.join("\n");
    let mut out = Vec::new();
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed.remove(at);
        out.push(("note: line dropped", joined(changed)));
        let mut changed = lines.clone();
        changed.insert(at, lines[at]);
        out.push(("note: line doubled", joined(changed)));
        let mut changed = lines.clone();
        changed.swap(at, (at + 1) % lines.len());
        out.push(("note: lines swapped", joined(changed)));
        for more in ["", "extra", "Timestamp: 1"] {
            let mut changed = lines.clone();
            changed.insert(at, more);
            out.push(("note: line added", joined(changed)));
        }
        let spaced = format!("{} ", lines[at]);
        let mut changed = lines.clone();
        changed[at] = &spaced;
        out.push(("note: white space", joined(changed)));
    }
    for (from, to) in [("\n", "\r\n"), ("\u{2014} ", "- "), ("\u{2014} ", "\u{2013} "), ("\u{2014} ", "\u{2014}\u{a0}")]
    {
        out.push(("note: other signs", note.replace(from, to)));
    }
    let (line, blob) = note.trim_end().rsplit_once(' ').unwrap();
    let bytes = standard_base64(blob).unwrap();
    let mut blobs: Vec<(&'static str, String)> =
        byte_changes(&bytes).into_iter().map(|(kind, bytes)| (kind, base64(&bytes))).collect();
    let signed = signature_changes(&bytes[4..]);
    blobs.extend(signed.into_iter().map(|(kind, bytes_4)| (kind, base64(&[&bytes[..4], &bytes_4].concat()))));
    blobs.extend(spellings(blob, &bytes));
    out.extend(blobs.into_iter().map(|(kind, blob)| (kind, format!("{line} {blob}\n"))));
    out
}

/// The twins of every P-256 signature in a text, place by place: another good signature over the same, which anybody can make.
pub fn twins(whole: &Json) -> Vec<Change> {
    let mut out = Vec::new();
    let mut change = |way: &Way, place: String, said: String| {
        let mut whole = whole.clone();
        *whole.on(way) = text(&said);
        out.push(Change { place, kind: "twin signature", text: whole.render().into_bytes() });
    };
    for (way, place) in whole.ways() {
        let Json::Leaf(said) = whole.clone().on(&way).clone() else { continue };
        let said = token(&said).said();
        if let Some((line, blob)) = said.trim_end().rsplit_once(' ').filter(|_| said.contains("\n\u{2014} ")) {
            let bytes = standard_base64(blob).unwrap();
            if is_ecdsa(&bytes[4..]) {
                let other = [&bytes[..4], &twin(&bytes[4..])].concat();
                change(&way, place, format!("{line} {}\n", base64(&other)));
            }
        } else if let Some(bytes) = standard_base64(&said).ok().filter(|bytes| is_ecdsa(bytes)) {
            change(&way, place, base64(&twin(&bytes)));
        }
    }
    out
}
