//! Entry point.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program reads scripts, shows the time and waits for its user"
)]

fn main() {}
