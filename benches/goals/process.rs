//! G6 and G6b: the command line from its start to its exit, alone and beside other clients.

use std::path::{Path, PathBuf};

use super::site::BenchSite;
use super::table::Table;

/// Names the statically linked binary, where there is one.
pub fn binary() -> Option<PathBuf> {
    std::env::var_os("AIRTIGHT_STATIC").map(PathBuf::from)
}

/// G6 and G6b.
pub fn verification(_site: &mut BenchSite, _scratch: &Path, _table: &mut Table) {}
