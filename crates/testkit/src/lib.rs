//! `pandodb-testkit`: what the tests of all crates share.
//!
//! This crate knows no other crate of the workspace: if it used `pandodb-ds`, the unit tests of
//! `ds` would meet a second copy of their own types. It is never a dependency of a library.
//!
//! ```
//! use pandodb_testkit::{golden, seeds::Seeds};
//!
//! // Random cases that can be replayed: `PANDO_SEED=17` runs only that one.
//! Seeds::first(8).run("sum_is_commutative", |random| {
//!     let (a, b) = (random.u32(..1000), random.u32(..1000));
//!     assert_eq!(a + b, b + a);
//! });
//!
//! // A script of commands with the answers that it must get.
//! let script = "add 1 2\n---\n3\n";
//! let answer = golden::play(script, |command: &golden::Command| {
//!     let numbers = command.positional().map(|word| word.parse::<i64>());
//!     let numbers = numbers.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
//!     Ok(numbers.iter().sum::<i64>().to_string())
//! });
//! assert_eq!(answer, Ok(script.to_owned()));
//! ```
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read scripts and make folders; the doors guard the libraries"
)]
#![allow(clippy::panic, reason = "tests fail by panicking")]

// Texts that must stay as they are.
pub mod difference;
pub mod golden;

// Cases by seed.
pub mod seeds;

// Room on the disk.
pub mod folder;

pub use difference::{assert_same_text, difference};
pub use folder::TemporaryFolder;
pub use seeds::Seeds;
