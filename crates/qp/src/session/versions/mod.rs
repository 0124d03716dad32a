//! Other branches and times in a statement: what it reads of them, and changes of them.
//!
//! Neighbours: `prepare` asks for both, `transaction` has the session's own branch.

mod elsewhere;
pub(super) mod version;
