//! Entry point.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark works on real files and real time"
)]

fn main() {}
