//! Tests of the storage layer through its public interface, on a simulated machine.
//!
//! One program for all of them, so that it is linked once. Neighbours: `src/store/tests.rs` tests
//! the store from inside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod backup;
mod backup_faults;
mod compact;
mod fuzz;
mod shrink;
mod targets;
mod world;
