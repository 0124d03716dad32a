//! `pando`: a shell and Git-like verbs for PandoDB.
//!
//! Reading order: `arguments` (what was asked), `shell` (statements and dot commands), `verb`
//! (Git's verbs and tools), `output` (how rows are shown), `failure` and `exit` (what went
//! wrong). Everything below is the facade `pandodb`; no other crate of the engine is used.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program reads scripts, shows the time and waits for its user"
)]

mod exit;
mod failure;
mod language;
mod output;
mod terminal;

fn main() {}
