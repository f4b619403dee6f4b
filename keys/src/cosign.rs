//! Placeholder for cosign.
