//! The tables of the file format, made from the layout constants of `pandodb-ds`.
//!
//! The crate's example `layout` prints them: a line `## NAME`, then a table in markdown, and so
//! on. Neighbours: `crates/ds/src/format` holds the constants.

use super::Blocks;
use crate::process::{Failure, Outcome, Tool};
use crate::workspace;

pub(super) const DOCUMENT: &str = "docs/file-format.md";
const PROGRAM: &str = "crates/ds/examples/layout.rs";

/// The tables by name; nothing when neither the program nor the document has been written.
pub(super) fn make() -> Outcome<Option<Blocks>> {
    match (workspace::has(PROGRAM), workspace::has(DOCUMENT)) {
        (false, false) => {
            println!("codegen: {DOCUMENT} is skipped: there is no {PROGRAM} yet");
            return Ok(None);
        }
        (false, true) => {
            return Err(Failure::new(format!("{DOCUMENT} is there, {PROGRAM} is missing")));
        }
        (true, false) => {
            return Err(Failure::new(format!("{PROGRAM} is there, {DOCUMENT} is missing")));
        }
        (true, true) => {}
    }
    let printed = Tool::cargo(["run", "-q", "-p", "pandodb-ds", "--example", "layout"]).output()?;
    let tables = split(&printed);
    if tables.is_empty() {
        return Err(Failure::new(format!("{PROGRAM} printed no table")));
    }
    Ok(Some(tables))
}

/// Splits at the lines `## NAME`.
pub(super) fn split(printed: &str) -> Blocks {
    let mut tables = Blocks::new();
    let mut name = None;
    for line in printed.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            name = Some(heading.trim().to_owned());
        } else if let Some(name) = &name {
            let table: &mut String = tables.entry(name.clone()).or_default();
            table.push_str(line);
            table.push('\n');
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_split_by_name() {
        let tables = split("ignored\n## a\n| 1 |\n\n## b c\n| 2 |\n");
        let found: Vec<_> =
            tables.iter().map(|(name, table)| (name.as_str(), table.trim())).collect();
        assert_eq!(found, [("a", "| 1 |"), ("b c", "| 2 |")]);
    }
}
