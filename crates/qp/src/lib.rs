//! `pandodb-qp`: SQL, from text to rows.
//!
//! This crate opens no files and holds no locks: it reads and writes trees through the crates
//! below it. It is an internal crate of PandoDB; the only interface with promises is the
//! package `pandodb`.
//!
//! # The way of a statement
//!
//! | step | module | from -> to |
//! |---|---|---|
//! | 1 | [`parse`] | text -> [`ast`], with places in the text |
//! | 2 | `bind` | ast + `catalog` -> bound query blocks of `scalar`s |
//! | 3 | `plan` | bound block -> `plan::Node` tree (access paths, join order) |
//! | 4 | `execute` | plan + frame -> rows in slots |
//! | 5 | `modify` | rows -> checked changes of tables and indexes, triggers, foreign keys |
//! | 5 | `define` | CREATE, ALTER, DROP -> rows of the catalog |
//! | 5 | `pragma` | PRAGMA and `pragma_*` tables, from one table of entries |
//! | all | `session` | prepare, bind parameters, step, reset; transactions; cached plans |
//!
//! Underneath: `types` (affinity, comparison, CAST), [`function`] (all functions and operators),
//! `store` (the only door to transactions and trees).
//!
//! # Frames and slots
//!
//! A query block runs in a *frame*: slots with current rows, states of operators. A column is a
//! place: frame (counted outwards), slot, column number. Slots are given when FROM is bound and
//! never move; a scan leaves its cursor's row in the slot, sorts and hashes keep copies of slots
//! and put them back. So an expression means the same wherever it is evaluated, and nothing is
//! copied that is only passed through. Subqueries in expressions have frames of their own;
//! subqueries in FROM, views and common tables share the frame of the block around them.
//!
//! # Where things plug in
//!
//! - a new operator: `plan::Node`, one file in `execute/operators`, a line in `plan::explain`;
//!   its batch form, where it has one, is a file in `execute/batch`, chosen in `plan::gear`
//!   where nothing above needs single rows;
//! - a new way into a table: a candidate in `plan::access`, with a test in `plan::access::terms`
//!   if it answers for a new form of condition;
//! - a rewrite of queries: of predicates in `plan::rewrite`, of blocks in `bind::from::derived`
//!   (which dissolves them), `bind::exists` and `plan::push`; each has its name in `plan::Rules`,
//!   so that tests hold it against its own absence;
//! - another branch or time in FROM (`t@b`, `AS OF`): `bind::from` refuses it at one place; a
//!   plan reads each table from a `plan::SourceId`, and sources behind the databases are free;
//! - a constraint or an action on change: `modify::writer` (a row in, a row out) and
//!   `modify::constraint` (what is asked before), which INSERT, UPDATE, DELETE, upserts, REPLACE
//!   and the engine's own statements all go through;
//! - a PRAGMA: one entry in `pragma::table`, which makes the table-valued function, too;
//! - a definition: `define`, which edits texts and loads the schema again;
//! - a system table: `catalog::SystemTable` and its rows in `execute::operators::scan`;
//! - a statement of another kind: `session::command`.
//!
//! Memory of sorts, hash tables and kept rows is all in `execute::operators::{sort, join,
//! aggregate, materialize, distinct, window}` as `KeptRow`s and key bytes. The batch gear's is on
//! the statement's account (`execute::memory`); its sorts, groups and DISTINCT go to files.

// Bounds, errors, places in text.
pub mod error;
pub mod limits;
pub mod span;
mod suggest;

// What an application allows.
pub mod authorize;

// From text to a tree.
pub mod ast;
pub mod parse;

// What SQL computes with.
pub mod function;
pub mod scalar;
pub mod types;

// What a database holds.
pub mod catalog;
pub mod store;

// From a tree to rows.
pub mod bind;
pub mod execute;
pub mod plan;

// Changes.
pub mod define;
pub mod modify;
pub mod pragma;

// Branches.
pub mod branching;

// What a connection is.
pub mod session;

pub use error::{Constraint, Error, ErrorKind, Result};
pub use pandodb_ds::record::{Value, ValueRef};
pub use span::Span;
