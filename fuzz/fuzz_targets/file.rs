//! The target `file` for cargo-fuzz; without it this program does nothing.
//!
//! Neighbours: `replay` runs it on any machine.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| pandodb_fuzz::run("file", input));

#[cfg(not(fuzzing))]
fn main() {}
