//! Keys by role, and the two things a key may sign.
