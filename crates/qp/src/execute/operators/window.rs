//! Window functions.
//!
//! Neighbours: `aggregate` has the accumulators' calls, `materialize` the kept rows.

use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer};
use crate::plan::WindowNode;

/// Where a window is.
#[derive(Debug, Default)]
pub struct WindowState;

impl WindowNode {
    pub(super) fn open(&self, _: &mut Frame, _: Outer<'_>) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "window functions are not there yet"))
    }

    pub(super) fn next(&self, _: &mut Frame, _: Outer<'_>) -> Result<bool> {
        Ok(false)
    }
}
