//! The tables of the file format, made from the layout constants of `pandodb-ds` and `pandodb-tm`.
//!
//! An example of each crate prints them: a line `## NAME`, then a table in markdown, and so on.
//! Neighbours: `crates/ds/src/format` and `crates/tm/src/wal` hold the constants.

use super::Blocks;
use crate::process::{Failure, Outcome, Tool};

pub(super) const DOCUMENT: &str = "docs/file-format.md";
/// The packages, and the example of each.
const PROGRAMS: [(&str, &str); 2] = [("pandodb-ds", "layout"), ("pandodb-tm", "log_layout")];

/// The tables by name.
pub(super) fn make() -> Outcome<Option<Blocks>> {
    let mut tables = Blocks::new();
    for (package, example) in PROGRAMS {
        let printed = Tool::cargo(["run", "-q", "-p", package, "--example", example]).output()?;
        let more = split(&printed);
        if more.is_empty() {
            return Err(Failure::new(format!("{package}'s example {example} printed no table")));
        }
        tables.extend(more);
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
