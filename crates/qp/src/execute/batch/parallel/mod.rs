//! Work on one statement in several threads.
//!
//! Neighbours: `compilation::portable` says what may run there.

pub(super) mod exchange;
pub(super) mod helper;
pub(super) mod shares;
pub(super) mod sorting;
