//! Holds the pages to what they show: commands do what stands below them, links lead somewhere, named files are there.
//!
//! Every block of README.md and docs/*.md that begins with ```` ```console ```` is a transcript (`transcript/mod.rs`) with
//! both streams as a terminal shows them. The blocks of one page are run one after the other on one stage, where the files
//! of [`FILES`] lie. Words behind `console` name programs without which the block is passed over, and said to be. A block
//! within a comment of HTML is run too: what has happened before a page begins. Blocks of another language are not run here: those marked `sh` under a heading that names another tool are run by `tests/interop`.
//!
//! What a supplier of others handed over lies there too, signed with a certificate: `driver.bin`, `driver.sigstore.json` and `supplier_root.json`.
//! A Rekor v1 is played on loopback for each page (`played/mod.rs`). Every stage has its two files, `signing_config.json` and
//! `rekor_root.json`, and reaches it as `http://rekor.example:3000`, through a proxy as a host behind one does. There it finds
//! a time stamp authority too, `http://tsa.example/api/v1/timestamp`, whom the trusted root names.
//!
//! `COMMANDS=print cargo test --test docs` prints what was met, to be read and copied.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]
#![allow(clippy::print_stdout, reason = "what was met and what was passed over is said")]

mod forge;
mod played;
mod transcript;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use forge::certified::World;
use played::{Played, authority, serve};
use transcript::{NOW, Stage, Streams, conclude, parse, play};

/// What lies on every stage, as a clone has it.
const FILES: &[&str] = &["LICENSE", "README.md"];

/// The words of DESIGN's list that no page uses, in any case, as whole words.
const WORDS_REFUSED: &[&str] = &[
    "record",
    "records",
    "recorded",
    "tree head",
    "sth",
    "audit path",
    "logger",
    "manager",
    "helper",
    "util",
    "common",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page: its path from the repository's root with `/`, and its text.
struct Page {
    path: String,
    text: String,
}

fn markdown_in(folder: &str) -> Vec<Page> {
    let mut names: Vec<String> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    let path = |name: String| if folder.is_empty() { name } else { format!("{folder}/{name}") };
    names
        .into_iter()
        .map(path)
        .map(|path| Page { text: fs::read_to_string(root().join(&path)).unwrap(), path })
        .collect()
}

/// Every page that a reader may open first.
fn pages() -> Vec<Page> {
    ["", "docs", "docs/predicates"].into_iter().flat_map(markdown_in).collect()
}

/// A fenced block: the words behind its fence, the line after the fence, its text.
struct Block {
    words: Vec<String>,
    first: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut found, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in (1..).zip(page.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(words)) => {
                let words = words.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { words, first: number + 1, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// The page without its fenced blocks, line for line.
fn prose(page: &str) -> String {
    let mut inside = false;
    let keep = |line: &str| {
        let fence = line.starts_with("```");
        inside ^= fence;
        if inside || fence { String::new() } else { line.to_owned() }
    };
    page.lines().map(keep).collect::<Vec<_>>().join("\n")
}

fn is_there(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

/// Plays a Rekor beside a stage, and returns the address of the proxy in front of it.
fn rekor_beside(stage: &Stage) -> String {
    let rekor = Arc::new(Mutex::new(Played::v1()));
    let port = serve(&rekor);
    let mut rekor = rekor.lock().unwrap();
    rekor.url = "http://rekor.example:3000".to_owned();
    fs::write(stage.path().join("signing_config.json"), rekor.signing_config(Some("2027-01-01T00:00:00Z"))).unwrap();
    let trusted_root = authority::with_authority(&rekor.trusted_root());
    fs::write(stage.path().join("rekor_root.json"), trusted_root).unwrap();
    format!("http://127.0.0.1:{port}")
}

/// Lays down an artifact with a bundle that names its signer by a certificate, and the trusted root for it.
fn supplied_beside(stage: &Stage) {
    let world = World::new();
    let write = |name: &str, bytes: &[u8]| fs::write(stage.path().join(name), bytes).unwrap();
    write("driver.bin", forge::ARTIFACT);
    write("driver.sigstore.json", world.bundle().as_bytes());
    write("supplier_root.json", world.root.to_string().as_bytes());
}

#[test]
fn every_command_of_the_pages_does_what_stands_below_it() {
    let (mut wrong, mut met, mut run) = (String::new(), String::new(), 0);
    for page in ["", "docs"].into_iter().flat_map(markdown_in) {
        let stage = Stage::new();
        for name in FILES {
            fs::copy(root().join(name), stage.path().join(name)).unwrap();
        }
        supplied_beside(&stage);
        let proxy = rekor_beside(&stage);
        let binary = env!("CARGO_BIN_EXE_airtight");
        stage.add_tool("airtight", &format!("http_proxy={proxy} exec '{binary}' --now {NOW} \"$@\""));
        // `cargo run --release --locked -- WORDS` is the binary under test, built before this test began.
        stage.add_tool(
            "cargo",
            "[ \"$1 $2 $3 $4\" = 'run --release --locked --' ] || exit 101\nshift 4\nexec airtight \"$@\"",
        );
        for block in blocks(&page.text).iter().filter(|block| block.words.first().is_some_and(|word| word == "console"))
        {
            if let Some(missing) = block.words.iter().skip(1).find(|program| !is_there(program)) {
                println!("{}:{}: passed over, there is no {missing}", page.path, block.first);
                continue;
            }
            let steps = parse(&block.text, block.first);
            run += steps.len();
            wrong.push_str(&play(&stage, &page.path, &steps, Streams::Together, &mut met));
        }
    }
    assert!(run > 0);
    conclude(&wrong, &met);
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines: Vec<&str> = readme.lines().collect();
    let at = |wanted: &str| lines.iter().position(|line| line.trim_start_matches("$ ") == wanted);
    let attest = at("cargo run --release --locked -- attest --init --no-passphrase LICENSE").unwrap();
    let test = at("cargo test --workspace --locked").unwrap();
    assert!(attest < test && test < 60, "lines {attest} and {test}");
    let first = blocks(&readme).into_iter().next().unwrap();
    assert_eq!(first.first, attest + 1, "nothing is asked for before the first command");
}

/// The fragment that a heading is reached by.
fn fragment(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// The targets of a page's links, each with its line.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(prose(page).lines()) {
        for part in line.split("](").skip(1) {
            found.push((number, part.split(')').next().unwrap().to_owned()));
        }
    }
    found
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut wrong = Vec::new();
    for page in pages() {
        let folder = root().join(&page.path).parent().unwrap().to_owned();
        for (line, link) in links(&page.text).into_iter().filter(|(_, link)| !link.starts_with("https://")) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target: PathBuf = if file.is_empty() { root().join(&page.path) } else { folder.join(file) };
            let has_heading = || {
                let text = prose(&fs::read_to_string(&target).unwrap());
                text.lines().filter(|line| line.starts_with('#')).any(|line| fragment(line) == heading)
            };
            if !target.exists() || (!heading.is_empty() && !has_heading()) {
                wrong.push(format!("{}:{line}: {link}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The texts between backticks in a page's prose, each with its line.
fn code_spans(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(prose(page).lines()) {
        found.extend(line.split('`').skip(1).step_by(2).map(|span| (number, span.to_owned())));
    }
    found
}

/// Tells whether a code span names something of this repository, by what it begins with.
fn is_path(span: &str) -> bool {
    const TOPS: [&str; 10] = [
        "keys/src/",
        "keys/tests/",
        "log/src/",
        "log/tests/",
        "src/",
        "docs/",
        "schemas/",
        "tests/",
        "oracles/",
        "fuzz/",
    ];
    TOPS.iter().any(|top| span.starts_with(top)) && !span.contains([' ', '*', '…', '<'])
}

#[test]
fn every_file_and_every_test_that_a_page_names_is_there() {
    let (mut wrong, mut files, mut tests) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for page in pages() {
        for (line, span) in code_spans(&page.text).into_iter().filter(|(_, span)| is_path(span)) {
            // `tests/attest.rs::a_name` is a test of that file.
            let (path, test) = span.split_once("::").unwrap_or((&span, ""));
            let target = root().join(path);
            let holds = || fs::read_to_string(&target).is_ok_and(|text| text.contains(&format!("fn {test}()")));
            if !target.exists() || (!test.is_empty() && !holds()) {
                wrong.push(format!("{}:{line}: {span}", page.path));
            }
            files.insert(path.to_owned());
            tests.extend((!test.is_empty()).then(|| span.clone()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} files and {} tests are named", files.len(), tests.len());
}

#[test]
fn no_page_uses_a_word_that_means_something_else_here() {
    let mut wrong = Vec::new();
    for page in pages() {
        // The glossary names the words in order to refuse them.
        let text = page.text.split("## Words not used").next().unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            let words: String =
                line.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
            let words = format!(" {words} ");
            wrong.extend(
                WORDS_REFUSED
                    .iter()
                    .filter(|word| words.contains(&format!(" {word} ")))
                    .map(|word| format!("{}:{number}: {word}", page.path)),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The files whose errors have codes of their own, besides those of the command line.
const CODED: &[&str] = &[
    "src/attest/error.rs",
    "src/attest/recover.rs",
    "src/keyring/error.rs",
    "src/config.rs",
    "src/config/targets.rs",
    "src/bundle/homes.rs",
    "src/policy.rs",
    "src/statement.rs",
    "src/statement/kept.rs",
    "src/sync/anchor.rs",
    "src/sync/import.rs",
    "src/sync/kept.rs",
    "src/sync/target.rs",
    "src/sync/targets.rs",
    "src/sync/receipt.rs",
    "src/sync/timestamp.rs",
    "src/pack/error.rs",
];

fn sources_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the literal that a text begins with, after white space, where it could be a code.
fn code_at(text: &str) -> Option<String> {
    let word = text.trim_start().strip_prefix('"')?.split('"').next()?;
    let is_code = word.len() > 1 && word.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    is_code.then(|| word.to_owned())
}

#[test]
fn every_error_code_stands_in_the_table_and_none_there_is_idle() {
    let table = fs::read_to_string(root().join("docs/FORMATS.md")).unwrap();
    let table = table.split("## Error codes").nth(1).unwrap();
    let stated: BTreeSet<String> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let (mut met, mut everything) = (BTreeSet::new(), String::new());
    let mut files = Vec::new();
    sources_in(&root().join("src/bin/airtight"), &mut files);
    for path in files.iter().cloned().chain(CODED.iter().map(|path| root().join(path))) {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        everything.push_str(text);
        if CODED.iter().any(|coded| path.ends_with(coded)) {
            met.extend(text.split("=>").skip(1).filter_map(|arm| code_at(arm.trim_start().trim_start_matches('{'))));
        }
        let calls = text.split("Failure::new(").skip(1);
        met.extend(calls.filter_map(|call| code_at(call.split_once(',')?.1)));
    }
    // Not an error: what `log show` says of a head that fits.
    met.remove("head_fits");
    let missing: Vec<_> = met.difference(&stated).collect();
    let idle: Vec<_> = stated.iter().filter(|code| !everything.contains(&format!("\"{code}\""))).collect();
    assert!(missing.is_empty() && idle.is_empty(), "not in the table: {missing:?}; in no source: {idle:?}");
}
