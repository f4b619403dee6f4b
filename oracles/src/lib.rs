//! Comparisons of airtight with independent implementations; everything is in `tests/` and `examples/`.
