//! Merges as a user asks for them: what each pair of changes comes to, and what is taken alone.

mod broken;
mod constraints;
mod crossed;
mod definitions;
mod inside;
mod kept;
mod keys;
mod names;
mod picks;
mod renumbered;
mod resolving;
mod rules;
mod settled;
mod settling;
mod twice;

use super::{error, reopened, rows, session, shop};
