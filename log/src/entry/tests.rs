//! Entries against the answers of real servers, and against every spelling that is not theirs.
