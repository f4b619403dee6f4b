//! Holds the sources to the house: the floor table as data, and the few laws about files that a reader counts on.
//!
//! A room is a top module of a member crate (`keys/src/note.rs`, `log/src/store/`, `src/verify/`); the command line is the
//! room `bin`. Every path in the sources that starts at `crate`, `super`, `airtight_keys`, `airtight_log` or `airtight` is
//! resolved to the room that it names, and:
//!
//! * a room imports from the floors below it, never from its own or from above (`Law::Floor`); inside `keys` and `log` the
//!   floors are the order in which `lib.rs` lists the rooms;
//! * a pure room imports no room that holds files (`Law::Pure`): a verdict needs no site and no SQLite;
//! * a name is taken from the room that defines it, not through a crate's root (`Law::Root`);
//! * every room stands in the table (`Law::Unknown`);
//! * a permit for a call that `clippy.toml` bans is an `expect`, in a room that may hold that power (`Law::Permit`);
//! * a crate with a power (SQL, a terminal, randomness, a socket) is named by its own rooms only (`Law::Outsider`);
//! * a file has at most 600 lines (`Law::Long`) and its first line is `//! ` and a sentence (`Law::Head`);
//! * what is declared has a name of its own: no `util`, no `Manager`, no `get_` (`Law::Name`).
//!
//! Test modules (`#[cfg(test)]`, files named `tests.rs`) may look upstairs. What the scan does not see: paths that a macro
//! glues together. Comments and literals are no code here.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::fmt;
use std::fs;
use std::path::Path;

/// The rooms of the root package, ground first; `durable` shares floor 3 with the store. Floors 1 (`keys`), 2 and 3 (`log`,
/// its pure rooms and `store`) are read from the `lib.rs` of those crates.
const FLOORS: &[(u8, &[&str])] = &[
    (3, &["durable"]),
    (4, &["statement", "bundle", "trust", "cas", "config", "keyring", "pack", "disposition", "policy"]),
    (5, &["verify"]),
    (6, &["attest"]),
    (7, &["signals", "session", "sync", "evidence", "witness"]),
    (8, &["server"]),
    (9, &["bin"]),
];

/// Rooms of the root package that hold no power and must not reach one: they import only from pure rooms.
const PURE: &[&str] = &["statement", "bundle", "trust", "disposition", "policy", "verify"];

/// Rooms that may permit a call that `clippy.toml` bans. All other rooms are handed their powers as arguments.
const PERMITTED: &[&str] = &[
    "airtight_log::store",
    "airtight::durable",
    "airtight::cas",
    "airtight::config",
    "airtight::keyring",
    "airtight::pack",
    "airtight::server",
    "airtight::bin",
];

/// Crates that bring a power with them, and the only rooms that may name them.
const OUTSIDERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["airtight_log::store"]),
    ("getrandom", &["airtight::bin", "airtight::server"]),
    ("rpassword", &["airtight::bin"]),
    ("clap", &["airtight::bin"]),
    ("clap_complete", &["airtight::bin"]),
    ("indicatif", &["airtight::bin"]),
    ("unicode_width", &["airtight::bin"]),
    ("ureq", &["airtight::sync", "airtight::bin"]),
    ("axum", &["airtight::server", "airtight::bin"]),
    ("tokio", &["airtight::server", "airtight::bin"]),
];

const LINES_MAX: usize = 600;
const MODULES_REFUSED: &[&str] = &["util", "utils", "common", "helpers", "types"];
const SUFFIXES_REFUSED: &[&str] = &["Manager", "Helper", "Data", "Info", "Logger"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    Floor,
    Pure,
    Root,
    Unknown,
    Permit,
    Outsider,
    Long,
    Head,
    Name,
}

#[derive(Debug)]
struct Breach {
    path: String,
    line: usize,
    law: Law,
    said: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {:?}: {}", self.path, self.line, self.law, self.said)
    }
}

/// A source file: its path from the repository's root with `/`, and its text.
type Source = (String, String);

/// A word, or one character of punctuation (`::` is one word), with its 1-based line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// Splits Rust text into tokens, without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut out, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let start = i;
        let c = chars[i];
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
        } else if c.is_alphanumeric() || c == '_' {
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            let word: String = chars[start..i].iter().collect();
            let hashes = (0..).take_while(|h| at(i + h) == '#').count();
            if matches!(&*word, "r" | "br" | "cr") && at(i + hashes) == '"' {
                let end: Vec<char> = std::iter::once('"').chain((0..hashes).map(|_| '#')).collect();
                i += hashes + 1;
                while i < chars.len() && !chars[i..].starts_with(&end) {
                    i += 1;
                }
                i += end.len();
            } else if !(matches!(&*word, "b" | "c") && matches!(at(i), '"' | '\'')) {
                out.push(Token { text: word, line });
            }
        } else if c == '"' || (c == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'')) {
            i += 1;
            while i < chars.len() && chars[i] != c {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if c == ':' && at(i + 1) == ':' {
            i += 2;
            out.push(Token { text: "::".into(), line });
        } else {
            i += 1;
            // A lifetime's quote stands alone and means nothing here.
            if !c.is_whitespace() && c != '\'' {
                out.push(Token { text: c.into(), line });
            }
        }
        line += chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    out
}

/// Index just past the group that opens at `open` (`(`, `[` or `{`).
fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match &*token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// Drops each item that stands under a `#[cfg(test)]`, with its attribute.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let (mut out, mut i) = (Vec::new(), 0);
    let text = |i: usize| tokens.get(i).map_or("", |t| &*t.text);
    while i < tokens.len() {
        if text(i) == "#" && text(i + 1) == "[" && text(i + 2) == "cfg" {
            let end = group_end(tokens, i + 1);
            let says = |word: &str| tokens[i..end].iter().any(|t| t.text == word);
            if says("test") && !says("not") {
                i = end;
                while i < tokens.len() && !matches!(text(i), "{" | ";") {
                    i = if matches!(text(i), "(" | "[") { group_end(tokens, i) } else { i + 1 };
                }
                i = if text(i) == "{" { group_end(tokens, i) } else { i + 1 };
                continue;
            }
        }
        out.push(tokens[i].clone());
        i += 1;
    }
    out
}

/// Where a file stands: its crate, its room (None for `lib.rs`), and its module path inside the crate.
struct Place {
    krate: &'static str,
    room: Option<String>,
    modules: Vec<String>,
}

/// Places a path of the repository; None for what is no production source (tests, benches, oracles).
fn place(path: &str) -> Option<Place> {
    let (krate, rest) = match path {
        p if p.starts_with("keys/src/") => ("airtight_keys", &p[9..]),
        p if p.starts_with("log/src/") => ("airtight_log", &p[8..]),
        p if p.starts_with("src/") => ("airtight", &p[4..]),
        _ => return None,
    };
    if rest.starts_with("bin/") {
        return Some(Place { krate, room: Some("bin".into()), modules: vec!["bin".into()] });
    }
    let mut modules: Vec<String> = rest.trim_end_matches(".rs").split('/').map(String::from).collect();
    if matches!(modules.last().map(|m| &**m), Some("mod" | "lib")) {
        modules.pop();
    }
    Some(Place { krate, room: modules.first().cloned(), modules })
}

/// The rooms of a crate in the order in which its `lib.rs` lists them.
fn listed_rooms(sources: &[Source], lib: &str) -> Vec<String> {
    let Some((_, text)) = sources.iter().find(|(path, _)| path == lib) else { return Vec::new() };
    let tokens = without_tests(&tokens(text));
    tokens.windows(3).filter(|w| w[0].text == "mod" && w[2].text == ";").map(|w| w[1].text.clone()).collect()
}

/// The house as data: the listed rooms of the two member crates, above them the floor table.
struct House {
    keys: Vec<String>,
    log: Vec<String>,
}

impl House {
    /// (floor, order on it) of a room; on floors 4 and up all rooms of a floor share one place.
    fn stands(&self, krate: &str, room: &str) -> Option<(u8, usize)> {
        let order = |rooms: &[String]| rooms.iter().position(|r| r == room);
        match krate {
            "airtight_keys" => order(&self.keys).map(|i| (1, i)),
            "airtight_log" => order(&self.log).map(|i| (if room == "store" { 3 } else { 2 }, i)),
            _ => FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| (*floor, 0)),
        }
    }
}

/// A room that a line of code names: line, crate, and the first segment (None where the crate is imported whole).
type Named = (usize, String, Option<String>);

/// Every room that the tokens of a file name, through whatever root.
fn named_rooms(tokens: &[Token], place: &Place) -> Vec<Named> {
    let text = |i: usize| tokens.get(i).map_or("", |t| &*t.text);
    let mut out = Vec::new();
    let mut depth = 0usize;
    let mut inline: Vec<(String, usize)> = Vec::new();
    for i in 0..tokens.len() {
        match text(i) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(_, opened)| *opened <= depth);
            }
            "mod" if text(i + 2) == "{" => inline.push((text(i + 1).into(), depth + 1)),
            _ => {}
        }
        if i > 0 && text(i - 1) == "::" {
            continue;
        }
        let (mut at, mut base) = (i, Vec::new());
        let krate = match text(i) {
            "crate" => place.krate,
            "airtight" | "airtight_keys" | "airtight_log" => text(i),
            "super" => {
                base = place.modules.clone();
                base.extend(inline.iter().map(|(name, _)| name.clone()));
                base.pop();
                while text(at + 1) == "::" && text(at + 2) == "super" {
                    base.pop();
                    at += 2;
                }
                place.krate
            }
            _ => continue,
        };
        if text(at + 1) != "::" {
            if i > 0 && matches!(text(i - 1), "use" | "crate") {
                out.push((tokens[i].line, krate.into(), None));
            }
            continue;
        }
        if let Some(room) = base.first() {
            out.push((tokens[i].line, krate.into(), Some(room.clone())));
        } else if text(at + 2) == "{" {
            for j in at + 3..group_end(tokens, at + 2) - 1 {
                let starts = j == at + 3 || (text(j - 1) == "," && groups_open(&tokens[at + 2..j]) == 1);
                if starts && text(j) != "self" {
                    out.push((tokens[j].line, krate.into(), Some(text(j).into())));
                }
            }
        } else {
            out.push((tokens[at + 2].line, krate.into(), Some(text(at + 2).into())));
        }
    }
    out
}

/// How many groups are still open at the end of these tokens.
fn groups_open(tokens: &[Token]) -> usize {
    let count = |brace: &str| tokens.iter().filter(|t| t.text == brace).count();
    count("{") - count("}")
}

/// Every breach in a set of sources.
fn breaches(sources: &[Source]) -> Vec<Breach> {
    let house = House { keys: listed_rooms(sources, "keys/src/lib.rs"), log: listed_rooms(sources, "log/src/lib.rs") };
    let mut out = Vec::new();
    for (path, text) in sources {
        let mut found = file_breaches(text);
        if let Some(place) = place(path)
            && !path.ends_with("/tests.rs")
            && !path.contains("/tests/")
        {
            found.extend(room_breaches(&house, &place, &without_tests(&tokens(text))));
        }
        out.extend(found.into_iter().map(|(line, law, said)| Breach { path: path.clone(), line, law, said }));
    }
    out
}

/// What is wrong with a file as a text: its length, its head.
fn file_breaches(text: &str) -> Vec<(usize, Law, String)> {
    let mut out = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        out.push((lines, Law::Long, format!("{lines} lines, at most {LINES_MAX}")));
    }
    if !text.strip_prefix("//! ").is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '`')) {
        out.push((1, Law::Head, "the first line is not `//! ` and a sentence".into()));
    }
    out
}

/// What is wrong with the code of a room: names, powers, imports.
fn room_breaches(house: &House, place: &Place, tokens: &[Token]) -> Vec<(usize, Law, String)> {
    let mut out = badly_named(tokens);
    let Some(room) = &place.room else { return out };
    let full = format!("{}::{room}", place.krate);
    let Some(own) = house.stands(place.krate, room) else {
        out.push((1, Law::Unknown, format!("{full} stands on no floor of the table")));
        return out;
    };
    out.extend(permits(tokens, &full));
    out.extend(outsiders(tokens, &full));
    if room == "bin" {
        return out; // the top floor: everything lies below it
    }
    for (line, krate, name) in named_rooms(tokens, place) {
        let Some(name) = name else {
            out.push((line, Law::Root, format!("imports {krate} whole")));
            continue;
        };
        if krate == place.krate && name == *room {
            continue;
        }
        let theirs = format!("{krate}::{name}");
        let Some(below) = house.stands(&krate, &name) else {
            out.push((line, Law::Root, format!("{theirs} is no room: take the name from the room that defines it")));
            continue;
        };
        let listed_before = krate == place.krate && own.0 <= 3 && below < own;
        let theirs_is_pure = below.0 <= 2 || (krate == "airtight" && PURE.contains(&&*name));
        if below.0 >= own.0 && !listed_before {
            out.push((line, Law::Floor, format!("{full} (floor {}) imports {theirs} (floor {})", own.0, below.0)));
        } else if place.krate == "airtight" && PURE.contains(&&**room) && !theirs_is_pure {
            out.push((line, Law::Pure, format!("{full} is pure, {theirs} is not")));
        }
    }
    out
}

/// Declarations whose names the style refuses.
fn badly_named(tokens: &[Token]) -> Vec<(usize, Law, String)> {
    let refused = |kind: &str, name: &str| match kind {
        "mod" => MODULES_REFUSED.contains(&name),
        "struct" | "enum" | "trait" | "type" => SUFFIXES_REFUSED.iter().any(|s| name.ends_with(s)),
        "fn" => name.starts_with("get_"),
        _ => false,
    };
    let pairs = tokens.windows(2).filter(|w| refused(&w[0].text, &w[1].text));
    pairs.map(|w| (w[1].line, Law::Name, format!("`{}` is a name that the style refuses", w[1].text))).collect()
}

/// Permits of banned calls outside the rooms that may, or given with `allow`.
fn permits(tokens: &[Token], room: &str) -> Vec<(usize, Law, String)> {
    let mut out = Vec::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, t)| t.text == "disallowed_methods") {
        let attribute = tokens[..i].iter().rposition(|t| t.text == "#").unwrap_or(0);
        if !PERMITTED.contains(&room) {
            out.push((token.line, Law::Permit, format!("{room} may hold no power: take it as an argument")));
        } else if !tokens[attribute..i].iter().any(|t| t.text == "expect") {
            out.push((token.line, Law::Permit, "a permit is an `expect`, with its reason".into()));
        }
    }
    out
}

/// Crates with a power that a room names though it may not.
fn outsiders(tokens: &[Token], room: &str) -> Vec<(usize, Law, String)> {
    let mut out = Vec::new();
    for w in tokens.windows(3).filter(|w| w[0].text != "::" && w[2].text == "::") {
        if let Some((name, rooms)) = OUTSIDERS.iter().find(|(name, _)| w[1].text == *name)
            && !rooms.contains(&room)
        {
            out.push((w[1].line, Law::Outsider, format!("{room} names {name}, which belongs to {}", rooms.join(", "))));
        }
    }
    out
}

/// Every `.rs` file of the repository's own folders.
fn sources_on_disk() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    for folder in ["keys", "log", "src", "tests", "benches", "examples", "oracles", "fuzz"] {
        walk(&root.join(folder), folder, &mut out);
    }
    out.sort();
    out
}

fn walk(folder: &Path, name: &str, out: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(Result::unwrap) {
        let file = entry.file_name().into_string().unwrap();
        let path = format!("{name}/{file}");
        if entry.file_type().unwrap().is_dir() {
            if !matches!(&*file, "target" | "node_modules") {
                walk(&entry.path(), &path, out);
            }
        } else if file.ends_with(".rs") {
            out.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

#[test]
fn the_house_stands() {
    let sources = sources_on_disk();
    assert!(sources.iter().any(|(path, _)| path == "src/lib.rs"), "the sources are not where the test looks");
    let found: Vec<String> = breaches(&sources).iter().map(Breach::to_string).collect();
    assert!(found.is_empty(), "{} breaches:\n{}", found.len(), found.join("\n"));
}

mod the_scan {
    use super::{Law, Source, breaches};

    const KEYS: &str = "//! Keys.\npub mod public;\npub mod note;\n";
    const LOG: &str = "//! Log.\npub mod digest;\npub mod tree;\npub mod store;\n";

    /// The laws that one file breaks in an otherwise empty house.
    fn laws(path: &str, text: &str) -> Vec<Law> {
        let rest = [("keys/src/lib.rs", KEYS), ("log/src/lib.rs", LOG), ("src/lib.rs", "//! Root.\n")];
        let mut house: Vec<Source> = rest.iter().map(|(p, t)| (p.to_string(), t.to_string())).collect();
        house.push((path.into(), format!("//! A room.\n{text}\n")));
        breaches(&house).iter().map(|breach| breach.law).collect()
    }

    #[test]
    fn an_import_from_a_floor_below_is_no_breach() {
        assert_eq!(laws("src/verify.rs", "use airtight_keys::note::Note;\nuse crate::{bundle::Bundle, trust};"), []);
        assert_eq!(laws("src/attest/mod.rs", "use airtight_log::store::Store; fn f() { crate::cas::put() }"), []);
        assert_eq!(laws("log/src/tree.rs", "use crate::digest::Hash; use airtight_keys::note::X;"), []);
        assert_eq!(laws("src/bin/airtight/main.rs", "use airtight::server::run; mod log; use crate::log::show;"), []);
    }

    #[test]
    fn an_import_from_above_or_from_the_same_floor_is_a_breach() {
        assert_eq!(laws("src/cas.rs", "use crate::attest::Attested;"), [Law::Floor]);
        assert_eq!(laws("src/cas.rs", "use crate::pack::Pack;"), [Law::Floor]);
        assert_eq!(laws("src/cas.rs", "fn f() -> crate::verify::Report { g() }"), [Law::Floor]);
    }

    #[test]
    fn keys_and_log_follow_the_order_of_their_lib() {
        assert_eq!(laws("keys/src/note.rs", "use crate::public::Key;"), []);
        assert_eq!(laws("keys/src/public.rs", "use crate::note::Note;"), [Law::Floor]);
        assert_eq!(laws("log/src/digest.rs", "use super::tree::Tree;"), [Law::Floor]);
        assert_eq!(laws("log/src/tree.rs", "use super::store::Store;"), [Law::Floor]);
    }

    #[test]
    fn a_group_is_read_member_by_member() {
        assert_eq!(laws("src/cas.rs", "use crate::{cas::{a, verify}, attest::{B, C}, sync};"), [Law::Floor; 2]);
    }

    #[test]
    fn super_is_followed_to_the_room_it_reaches() {
        assert_eq!(laws("src/verify/steps.rs", "use super::report::Report;"), []);
        assert_eq!(laws("src/verify/steps.rs", "use super::super::attest::A;"), [Law::Floor]);
        assert_eq!(laws("src/cas/mod.rs", "mod inner { use super::Report; } use super::attest::A;"), [Law::Floor]);
    }

    #[test]
    fn a_pure_room_reaches_no_files() {
        assert_eq!(laws("src/verify.rs", "use airtight_log::store::Store;"), [Law::Pure]);
        assert_eq!(laws("src/verify.rs", "use crate::keyring::Keyring;"), [Law::Pure]);
    }

    #[test]
    fn comments_literals_and_tests_are_not_imports() {
        let comments = "// crate::attest::A\n/* crate::attest /* x */ */ const S: &str = \"crate::attest\";";
        assert_eq!(laws("src/cas.rs", comments), []);
        let literals = "const S: &[u8] = br#\"a\" crate::attest::A\"#; const C: char = '\"'; fn f<'a>() {}";
        assert_eq!(laws("src/cas.rs", literals), []);
        let tests = "#[cfg(test)]\nmod tests { use crate::attest::A; fn f() {} }\nuse crate::pack::P;";
        assert_eq!(laws("src/cas.rs", tests), [Law::Floor]);
        assert_eq!(laws("src/cas/tests.rs", "use crate::attest::A;"), []);
        assert_eq!(laws("src/cas.rs", "#[cfg(not(test))] use crate::attest::A;"), [Law::Floor]);
    }

    #[test]
    fn a_crate_is_not_imported_whole_or_through_its_root() {
        assert_eq!(laws("src/attest.rs", "use airtight_log as log;"), [Law::Root]);
        assert_eq!(laws("src/attest.rs", "use airtight_log::Store;"), [Law::Root]);
        assert_eq!(laws("src/attest.rs", "use crate::Error;"), [Law::Root]);
    }

    #[test]
    fn a_room_that_the_table_does_not_know_is_a_breach() {
        assert_eq!(laws("src/attic.rs", ""), [Law::Unknown]);
        assert_eq!(laws("log/src/cellar.rs", ""), [Law::Unknown]);
    }

    #[test]
    fn a_permit_is_an_expect_in_a_room_that_may() {
        let permit = "#[expect(clippy::disallowed_methods, reason = \"files\")] fn f() {}";
        assert_eq!(laws("log/src/store/open.rs", permit), []);
        assert_eq!(laws("src/verify.rs", permit), [Law::Permit]);
        assert_eq!(laws("log/src/store/open.rs", &permit.replace("expect", "allow")), [Law::Permit]);
    }

    #[test]
    fn a_crate_with_a_power_belongs_to_its_rooms() {
        assert_eq!(laws("log/src/store/rows.rs", "use rusqlite::Connection;"), []);
        assert_eq!(laws("src/attest.rs", "use rusqlite::Connection;"), [Law::Outsider]);
        assert_eq!(laws("src/keyring.rs", "fn f() { getrandom::fill(&mut []) }"), [Law::Outsider]);
    }

    #[test]
    fn a_long_file_and_a_headless_file_are_breaches() {
        assert_eq!(laws("tests/short.rs", &"\n".repeat(598)), []);
        assert_eq!(laws("tests/long.rs", &"\n".repeat(599)), [Law::Long]);
        for head in ["", "// no", "//!", "//! ", "use std::fs;"] {
            let house = [("tests/headless.rs".to_string(), format!("{head}\n"))];
            assert_eq!(breaches(&house).iter().map(|b| b.law).collect::<Vec<_>>(), [Law::Head], "{head:?}");
        }
    }

    #[test]
    fn a_name_that_says_nothing_is_a_breach() {
        let text = "struct KeyManager; fn get_key() {} fn widget_key() {} mod util { }";
        assert_eq!(laws("src/cas.rs", text), [Law::Name, Law::Name, Law::Name]);
    }
}
