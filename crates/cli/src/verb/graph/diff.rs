//! What differs between two branches, as people read it: `+`, `-` and `~` with colours.
//!
//! Neighbours: `branches` makes the statement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::failure::Outcome;
use crate::output::{Mode, quote};
use crate::shell::Shell;
use crate::verb::branches::Diff;

/// Counts for one table.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    added: u64,
    removed: u64,
    changed: u64,
}

/// Runs the comparison and shows it; whether anything differs.
pub(in crate::verb) fn show(shell: &mut Shell, sql: &str, options: &Diff) -> Outcome<bool> {
    let is_for_programs =
        matches!(shell.settings.mode, Mode::Json | Mode::Jsonl | Mode::Csv | Mode::Tsv);
    if is_for_programs {
        let differs = shell.connection.prepare(sql)?.exists(())?;
        shell.show_query(sql, &[])?;
        return Ok(differs);
    }
    let color = shell.settings.color;
    let mut text = String::new();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    {
        let mut statement = shell.connection.prepare(sql)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let get = |name: &str| row.get_ref(name).ok().filter(|value| !value.is_null());
            let word = |name: &str| get(name).map(|value| value.to_string()).unwrap_or_default();
            let (table, kind) = (word("table_name"), word("change_type").to_lowercase());
            let is_schema = word("object_type") != "row" && get("object_type").is_some();
            if (is_schema && options.data_only) || (!is_schema && options.schema_only) {
                continue;
            }
            let count = counts.entry(table.clone()).or_default();
            let (mark, style) = match kind.as_str() {
                "added" | "insert" | "inserted" => {
                    count.added += 1;
                    ('+', anstyle::AnsiColor::Green)
                }
                "removed" | "delete" | "deleted" => {
                    count.removed += 1;
                    ('-', anstyle::AnsiColor::Red)
                }
                _ => {
                    count.changed += 1;
                    ('~', anstyle::AnsiColor::Yellow)
                }
            };
            if options.stat {
                continue;
            }
            let columns = (0..row.column_count()).filter_map(|at| row.column_name(at));
            let shown =
                columns.filter(|name| !["table_name", "change_type", "object_type"].contains(name));
            let parts: Vec<String> = shown
                .filter_map(|name| get(name).map(|value| format!("{name}={}", quote::plain(value))))
                .collect();
            let style = style.on_default();
            let line = format!("{mark} {table} {}", parts.join(" "));
            let _ = if color {
                writeln!(text, "{style}{line}{style:#}")
            } else {
                writeln!(text, "{line}")
            };
        }
    }
    if options.stat {
        text = stat(&counts, color);
    }
    shell.show_text(&text)?;
    Ok(!counts.is_empty())
}

/// One line a table, with a picture of how much, as `git diff --stat` draws it.
fn stat(counts: &BTreeMap<String, Count>, color: bool) -> String {
    let total = |count: &Count| count.added + count.removed + count.changed;
    let most = counts.values().map(total).max().unwrap_or(0).max(1);
    let wide = counts.keys().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (table, count) in counts {
        let _ = write!(text, " {table:wide$} | {:>6} ", total(count));
        let parts = [
            ('+', count.added, anstyle::AnsiColor::Green),
            ('-', count.removed, anstyle::AnsiColor::Red),
            ('~', count.changed, anstyle::AnsiColor::Yellow),
        ];
        for (mark, number, style) in parts {
            let length = if most <= 40 { number } else { (number * 40).div_ceil(most) };
            let bar = mark.to_string().repeat(length as usize);
            let style = style.on_default();
            let _ =
                if color { write!(text, "{style}{bar}{style:#}") } else { write!(text, "{bar}") };
        }
        text.push('\n');
    }
    let sum = |part: fn(&Count) -> u64| counts.values().map(part).sum::<u64>();
    let _ = writeln!(
        text,
        " {} tables: {} added, {} removed, {} changed",
        counts.len(),
        sum(|count| count.added),
        sum(|count| count.removed),
        sum(|count| count.changed)
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_scaled_to_the_largest_table() {
        let counts = BTreeMap::from([
            ("tree".to_owned(), Count { added: 2, removed: 1, changed: 0 }),
            ("a".to_owned(), Count { added: 0, removed: 0, changed: 3 }),
        ]);
        let expected = " a    |      3 ~~~\n tree |      3 ++-\n \
                        2 tables: 2 added, 1 removed, 3 changed\n";
        assert_eq!(stat(&counts, false), expected);
    }
}
