//! Backups of an open store into a file, whole or what changed since another backup, and back.
//!
//! A backup copies the newest checkpoint: its pages never change and a pin keeps them from being
//! reused, so writers and checkpoints go on beside it. It begins under the checkpoint lock, which
//! it holds for a moment only.
//!
//! An *increment* leaves out every subtree that was born up to the `until` of the backup it
//! stands on. That number is the birth of that checkpoint's own pages, or lower when pages of
//! open transactions were written already (spilled, or large values): those are older than the
//! checkpoint and not in it. A page that has a delta brings its whole base page along, since a
//! reference does not tell when the base was written.
//!
//! A chain of backups is restored into a new file with a new identity, packed in key order,
//! which appears under its name only after the integrity check found it clean. Increments name
//! the very backup that they stand on, so nothing else is accepted in its place.
//! Neighbours: `rewrite` packs, `check` verifies.

mod chain;
mod file;
mod restore;
mod take;

pub use file::BackupInfo;
pub use restore::{Restored, inspect, restore, verify};
pub use take::{Backup, Progress};
