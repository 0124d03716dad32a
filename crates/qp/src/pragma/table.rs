//! The table of PRAGMAs, in the groups of the manual. `docs/pragmas.md` is made of it.
//!
//! Neighbours: the files whose entries are listed here.

use super::entry::Entry;
use super::{fixed, limit, log, schema, settings, storage};

/// The groups, each with its heading.
pub const GROUPS: &[(&str, &[Entry])] = &[
    ("Settings of a session", settings::ENTRIES),
    ("Storage", storage::ENTRIES),
    ("Log and transactions", log::ENTRIES),
    ("Schema and content", schema::ENTRIES),
    ("Limits", limit::ENTRIES),
    ("One value only", fixed::ENTRIES),
];

/// Every entry.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|(_, entries)| entries.iter())
}

/// The tables of the manual, one for each group, in Markdown.
pub fn manual() -> String {
    let mut text = String::new();
    for (heading, entries) in GROUPS {
        text.push_str(&format!("## {heading}\n"));
        text.push_str("| PRAGMA | value | reaches | what |\n|---|---|---|---|\n");
        for entry in *entries {
            let values = match entry.values {
                "" => String::new(),
                values => values.replace('|', "\\|"),
            };
            let scope = entry.scope.word();
            let help = entry.help.replace('|', "\\|");
            text.push_str(&format!("| `{}` | {values} | {scope} | {help} |\n", entry.name));
        }
        text.push('\n');
    }
    text
}
