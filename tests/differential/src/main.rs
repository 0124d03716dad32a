//! Entry point.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the comparison reads corpora and shows progress"
)]

#[cfg(test)]
mod functions;

fn main() {}
