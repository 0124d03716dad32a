//! What differs between two branches, as people read it: `+`, `-` and `~` with colours.
//!
//! Neighbours: `branches` makes the statement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::failure::Outcome;
use crate::output::escape::{Escape, escaped};
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
    if is_for_programs && options.stat {
        return show_counts(shell, sql, options);
    }
    if is_for_programs {
        let differs = shell.connection.prepare(sql)?.exists(())?;
        shell.show_query(sql, &[])?;
        return Ok(differs);
    }
    let mut picture = read(shell, sql, options)?;
    picture.end_row();
    let counts = picture.counts;
    let text = if options.stat { stat(&counts, picture.color) } else { picture.text };
    shell.show_text(&text)?;
    Ok(!counts.is_empty())
}

/// Counts of each object as rows.
fn show_counts(shell: &mut Shell, sql: &str, options: &Diff) -> Outcome<bool> {
    let mut picture = read(shell, sql, options)?;
    picture.end_row();
    let number = |count: u64| pandodb::Value::from(i64::try_from(count).unwrap_or(i64::MAX));
    let rows: Vec<Vec<pandodb::Value>> = picture
        .counts
        .iter()
        .map(|(name, count)| {
            let counts = [count.added, count.removed, count.changed].map(number);
            std::iter::once(name.as_str().into()).chain(counts).collect()
        })
        .collect();
    shell.show_values(&["object_name", "added", "removed", "changed"], &rows)?;
    Ok(!rows.is_empty())
}

/// The lines and counts of a comparison.
fn read(shell: &Shell, sql: &str, options: &Diff) -> Outcome<Picture> {
    let mut picture = Picture::new(shell.settings.color);
    {
        let mut statement = shell.connection.prepare(sql)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let text = |name: &str| row.get::<_, Option<String>>(name);
            let is_row = text("object_type")?.as_deref() == Some("row");
            if (is_row && options.schema_only) || (!is_row && options.data_only) {
                continue;
            }
            let cell = |name: &str| Ok::<_, pandodb::Error>(shown(row.get_ref(name)?));
            picture.add(&Cell {
                object_type: text("object_type")?.unwrap_or_default(),
                object: text("object_name")?.unwrap_or_default(),
                change: text("change")?.unwrap_or_default(),
                key: text("row_key")?,
                column: text("column_name")?,
                old: cell("old_value")?,
                new: cell("new_value")?,
            });
        }
    }
    Ok(picture)
}

/// A value as it stands in a line.
fn shown(value: pandodb::ValueRef<'_>) -> String {
    if value.is_null() {
        return "NULL".to_owned();
    }
    escaped(&quote::plain(value), Escape::Ascii).into_owned()
}

/// One cell or definition that differs.
#[derive(Debug)]
struct Cell {
    object_type: String,
    object: String,
    change: String,
    key: Option<String>,
    column: Option<String>,
    old: String,
    new: String,
}

/// The lines so far, and the row whose cells are coming.
#[derive(Debug, Default)]
pub(in crate::verb) struct Picture {
    color: bool,
    text: String,
    counts: BTreeMap<String, Count>,
    /// The object that the last lines are about.
    heading: String,
    row: Option<(String, String, String)>,
    cells: Vec<String>,
}

impl Picture {
    pub(in crate::verb) fn new(color: bool) -> Self {
        Self { color, ..Self::default() }
    }

    /// Takes a cell of a row.
    pub(in crate::verb) fn add_row(
        &mut self,
        table: &str,
        change: &str,
        key: &str,
        column: &str,
        (old, new): (pandodb::ValueRef<'_>, pandodb::ValueRef<'_>),
    ) {
        self.add(&Cell {
            object_type: "row".to_owned(),
            object: table.to_owned(),
            change: change.to_owned(),
            key: Some(key.to_owned()),
            column: Some(column.to_owned()),
            old: shown(old),
            new: shown(new),
        });
    }

    /// All lines.
    pub(in crate::verb) fn finish(mut self) -> String {
        self.end_row();
        self.text
    }

    /// Takes the next cell; those of a row come one after the other.
    fn add(&mut self, cell: &Cell) {
        let key = cell.key.clone().unwrap_or_default();
        let row = (cell.object.clone(), cell.change.clone(), key);
        if cell.object_type != "row" {
            self.end_row();
            self.definition(cell);
            return;
        }
        if self.row.as_ref() != Some(&row) {
            self.end_row();
            self.row = Some(row);
        }
        let column = cell.column.as_deref().unwrap_or("");
        self.cells.push(match cell.change.as_str() {
            "insert" => format!("{column}={}", cell.new),
            "delete" => format!("{column}={}", cell.old),
            _ => format!("{column}: {} → {}", cell.old, cell.new),
        });
    }

    fn definition(&mut self, cell: &Cell) {
        let (mark, style) = self.count(&cell.object, &cell.change);
        self.under(&cell.object);
        let what = cell.column.as_deref().map(|column| format!(" {column}")).unwrap_or_default();
        let is_column = cell.object_type == "table" && cell.column.is_some();
        let kind = if is_column { "column" } else { cell.object_type.as_str() };
        let change = match cell.change.as_str() {
            "added" | "dropped" => cell.change.clone(),
            change => format!("{change}: {} → {}", cell.old, cell.new),
        };
        self.line(mark, style, &format!("{kind}{what} {change}"));
    }

    /// Writes the row whose cells have come.
    fn end_row(&mut self) {
        let Some((object, change, key)) = self.row.take() else { return };
        let cells = std::mem::take(&mut self.cells);
        let (mark, style) = self.count(&object, &change);
        self.under(&object);
        self.line(mark, style, &format!("{key}  {}", cells.join(", ")));
    }

    fn count(&mut self, object: &str, change: &str) -> (char, anstyle::AnsiColor) {
        let count = self.counts.entry(object.to_owned()).or_default();
        match change {
            "insert" | "added" => {
                count.added += 1;
                ('+', anstyle::AnsiColor::Green)
            }
            "delete" | "dropped" => {
                count.removed += 1;
                ('-', anstyle::AnsiColor::Red)
            }
            _ => {
                count.changed += 1;
                ('~', anstyle::AnsiColor::Yellow)
            }
        }
    }

    /// A heading where another object begins.
    fn under(&mut self, object: &str) {
        if self.heading != object {
            object.clone_into(&mut self.heading);
            let bold = anstyle::Style::new().bold();
            let _ = if self.color {
                writeln!(self.text, "{bold}{object}{bold:#}")
            } else {
                writeln!(self.text, "{object}")
            };
        }
    }

    fn line(&mut self, mark: char, style: anstyle::AnsiColor, line: &str) {
        let style = style.on_default();
        let _ = if self.color {
            writeln!(self.text, "  {style}{mark} {line}{style:#}")
        } else {
            writeln!(self.text, "  {mark} {line}")
        };
    }
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
        " {} table{}: {} added, {} removed, {} changed",
        counts.len(),
        if counts.len() == 1 { "" } else { "s" },
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
