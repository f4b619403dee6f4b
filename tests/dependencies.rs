//! Holds the dependency tree to its promises: no network without a feature, and nothing that `deny.toml` keeps out.
//!
//! `deny.toml` is the page that `cargo deny` reads; that tool takes minutes to build, so the laws that need no network are
//! held here, from the same page: licences (SPDX expressions, each alternative weighed), crates kept out by name, sources.
//! The lists are read line by line, in the layout that the page has; a list that is not found is an error, not an empty list.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are free of the ban list of clippy.toml")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Crates that open a socket or speak a network protocol. None may be in a build with neither `net` nor `server`.
const NETWORK: &[&str] = &["hyper", "http", "rustls", "tokio", "ureq", "reqwest", "axum"];

/// Crates of the store and of private keys: none may be in a build without `site`.
const STORE_AND_SECRETS: &[&str] = &[
    "rusqlite",
    "libsqlite3-sys",
    "zstd",
    "zstd-safe",
    "zstd-sys",
    "crypto_secretbox",
    "scrypt",
    "pkcs5",
    "aes",
    "cbc",
    "rpassword",
    "tempfile",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the cargo that runs this test, on this workspace, with the lock file as it is.
fn cargo(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO")).args(args).arg("--locked").current_dir(root()).output().unwrap();
    assert!(out.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Names of all crates that are linked into a package built with these arguments.
fn linked(args: &[&str]) -> Vec<String> {
    let tree = cargo(&[&["tree", "-e", "normal", "--prefix", "none", "--format", "{p}"], args].concat());
    tree.lines().filter_map(|line| line.split(' ').next()).map(String::from).collect()
}

/// Every crate that the workspace may build on this platform, with all features: name, version, licence, source.
fn packages() -> Vec<Value> {
    let host = host();
    let text = cargo(&["metadata", "--format-version", "1", "--all-features", "--filter-platform", &host]);
    let metadata: Value = serde_json::from_str(&text).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn host() -> String {
    let out = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().into()
}

/// The quoted values of a list in a section of deny.toml; for tables, the value of their first member.
fn page_list(page: &str, section: &str, name: &str) -> Vec<String> {
    let section = page.split_once(&format!("[{section}]\n")).unwrap_or_else(|| panic!("no section [{section}]")).1;
    let section = section.split("\n[").next().unwrap();
    let list = section.split_once(&format!("\n{name} = [")).unwrap_or_else(|| panic!("no list {name}")).1;
    let list = list.split_once(']').unwrap().0;
    list.lines().filter_map(|line| line.split('"').nth(1)).map(String::from).collect()
}

/// Whether an SPDX expression can be satisfied with the allowed licences. `/` is the old way to write OR.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let verdict = any_of(&words, &mut at, allowed);
    verdict && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut verdict = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        verdict |= all_of(words, at, allowed);
    }
    verdict
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut verdict = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        verdict &= one(words, at, allowed);
    }
    verdict
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let verdict = any_of(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return verdict && closed;
    }
    let mut licence = word.to_string();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence)
}

#[test]
fn a_build_without_features_holds_no_network_crate() {
    for (package, features) in [("airtight", ""), ("airtight", "site"), ("airtight-keys", ""), ("airtight-log", "")] {
        let names = linked(&["-p", package, "--no-default-features", "--features", features]);
        assert!(names.len() > 10, "{package}: cargo tree told {} crates", names.len());
        let found: Vec<&&str> = NETWORK.iter().filter(|name| names.iter().any(|n| n == *name)).collect();
        assert!(found.is_empty(), "{package} with {features:?} links {found:?}");
    }
}

#[test]
fn a_build_that_only_verifies_holds_no_database_no_ciphers_and_nothing_that_asks_for_a_secret() {
    let all = linked(&["-p", "airtight", "--no-default-features", "--features", "site"]);
    let names = linked(&["-p", "airtight", "--no-default-features"]);
    for kept_out in STORE_AND_SECRETS {
        assert!(all.iter().any(|name| name == kept_out), "{kept_out} is in no build: strike it from the list");
        assert!(!names.iter().any(|name| name == kept_out), "a build that only verifies links {kept_out}");
    }
}

#[test]
fn every_licence_in_the_tree_is_allowed() {
    let page = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let allowed = page_list(&page, "licenses", "allow");
    let refused: Vec<String> = packages()
        .iter()
        .filter(|p| !p["license"].as_str().is_some_and(|licence| is_allowed(licence, &allowed)))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    assert!(refused.is_empty(), "licences that deny.toml does not allow:\n{}", refused.join("\n"));
}

#[test]
fn no_crate_that_is_kept_out_by_name_is_in_the_tree() {
    let page = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let kept_out = page_list(&page, "bans", "deny");
    let found: Vec<String> =
        packages().iter().map(|p| p["name"].as_str().unwrap().to_string()).filter(|n| kept_out.contains(n)).collect();
    assert!(found.is_empty(), "kept out by deny.toml, yet here: {found:?}");
}

#[test]
fn every_crate_comes_from_a_named_registry_or_from_this_repository() {
    let page = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let registries = page_list(&page, "sources", "allow-registry");
    for package in packages() {
        let Some(source) = package["source"].as_str() else {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap());
            assert!(manifest.starts_with(root()), "{manifest:?} lies outside the repository");
            continue;
        };
        let registry = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+"));
        assert!(
            registry.is_some_and(|r| registries.iter().any(|allowed| allowed == r)),
            "{}: {source}",
            package["name"]
        );
    }
}

#[test]
fn an_spdx_expression_is_weighed_alternative_by_alternative() {
    let allowed = ["MIT".to_string(), "Apache-2.0".to_string(), "Apache-2.0 WITH LLVM-exception".to_string()];
    for yes in
        ["MIT", "GPL-3.0 OR MIT", "MIT/Unlicense", "(MIT OR GPL-3.0) AND Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_allowed(yes, &allowed), "{yes}");
    }
    for no in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR ISC) AND GPL-3.0",
        "MIT WITH GCC-exception",
        "MIT)",
        "(MIT",
        "MIT ISC",
    ] {
        assert!(!is_allowed(no, &allowed), "{no}");
    }
}
