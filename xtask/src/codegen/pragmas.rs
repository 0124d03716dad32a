//! The tables of PRAGMAs, made from the engine's own table of entries.
//!
//! The example `pragmas` of `pandodb-qp` prints them. Neighbours: `layout` splits what is
//! printed; `crates/qp/src/pragma/table.rs` holds the entries.

use super::{Blocks, layout};
use crate::process::{Failure, Outcome, Tool};

pub(super) const DOCUMENT: &str = "docs/pragmas.md";

/// The tables by the heading of their group.
pub(super) fn make() -> Outcome<Option<Blocks>> {
    let printed =
        Tool::cargo(["run", "-q", "-p", "pandodb-qp", "--example", "pragmas"]).output()?;
    let tables = layout::split(&printed);
    if tables.is_empty() {
        return Err(Failure::new("the example `pragmas` printed no table"));
    }
    Ok(Some(tables))
}
