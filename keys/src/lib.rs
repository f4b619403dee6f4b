//! Keys by role, and the two things a key may sign.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests are free of the ban list of clippy.toml"))]
