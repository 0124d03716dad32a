//! Branches in files: what crashes, reopening, backups and little memory make of them.

mod backups;
mod crash;
mod durable;
mod memory;

use super::{error, open, open_file, open_simulated, rows, shop};
