//! What can still be read of a damaged database, as SQL that makes it again.
//!
//! A damaged page takes its rows with it, and no others. So a table is read in small pieces along
//! its key; where a piece cannot be read, the next key that can is searched: with a rowid by
//! doubling the distance and then halving it, else from the other end. How many rows are missing
//! is known without reading them, because trees count their rows. Neighbours: `dump` writes a
//! database that is whole.

use std::io::Write;

use pandodb::{ErrorKind, Value};

use super::dump::{Object, is_internal, objects};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::escape::Escaping;
use crate::output::quote::{identifier, literal_of};
use crate::output::sink::Sink;
use crate::shell::Shell;

/// Rows that are read at once while all goes well.
const PIECE: usize = 256;

/// Writes what can be read to where the shell's output goes; what cannot is an error that says
/// how much it is.
pub(crate) fn recover(shell: &mut Shell) -> Outcome {
    let how = shell.escape_here();
    let mut sink = std::mem::replace(&mut shell.sink, Sink::Memory(Vec::new()));
    let outcome = write_all(shell, &mut Escaping { inner: &mut sink, how });
    shell.sink = sink;
    let losses = outcome?;
    if losses.is_empty() {
        return Ok(());
    }
    let hint = "everything else is in the output; a backup may have the rest";
    Err(Failure::new(Exit::Corrupt, losses.join("\n")).with_hint(hint))
}

/// Writes everything; the lines that tell what is missing.
fn write_all(shell: &Shell, out: &mut dyn Write) -> Outcome<Vec<String>> {
    let objects = objects(shell, &[])?;
    let mut losses = Vec::new();
    writeln!(out, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;")?;
    for object in objects.iter().filter(|object| object.kind == "table") {
        let is_counters = object.name.eq_ignore_ascii_case("sqlite_sequence");
        if is_internal(&object.name) && !is_counters {
            continue;
        }
        if is_counters {
            writeln!(out, "DELETE FROM sqlite_sequence;")?;
        } else {
            writeln!(out, "{};", object.sql)?;
        }
        if let Some(loss) = write_table(shell, object, out)? {
            writeln!(out, "-- {loss}")?;
            losses.push(loss);
        }
    }
    for kind in ["index", "view", "trigger"] {
        for object in objects.iter().filter(|object| object.kind == kind) {
            writeln!(out, "{};", object.sql)?;
        }
    }
    writeln!(out, "COMMIT;")?;
    Ok(losses)
}

/// Writes the rows of a table that can be read; what is missing.
fn write_table(shell: &Shell, object: &Object, out: &mut dyn Write) -> Outcome<Option<String>> {
    let table = Table::read(shell, &object.name)?;
    let mut found = 0_u64;
    let mut write = |row: &[Value]| -> Outcome {
        let values: Vec<String> = row.iter().map(literal_of).collect();
        found += 1;
        Ok(writeln!(out, "INSERT INTO {} VALUES({});", table.target, values.join(","))?)
    };
    let is_whole = match &table.key {
        Key::Rowid(rowid) => table.along_rowids(shell, rowid, &mut write)?,
        Key::Columns(columns) => table.by_both_ends(shell, columns, &mut write)?,
    };
    let count = format!("SELECT count(*) FROM {}", table.name);
    let expected = readable(shell.connection.query_row(&count, (), |row| row.get::<_, u64>(0)))?;
    Ok(match expected {
        Some(expected) if expected == found => None,
        Some(expected) => {
            let missing = expected.saturating_sub(found);
            Some(format!("{}: {missing} of {expected} rows cannot be read", object.name))
        }
        None if is_whole => None,
        None => Some(format!("{}: rows are missing, nobody knows how many", object.name)),
    })
}

/// By what the rows of a table are found.
enum Key {
    /// The rowid, under this name.
    Rowid(&'static str),
    /// These columns, in the order of the tree.
    Columns(Vec<String>),
}

/// A table that is read in pieces.
struct Table {
    /// As it stands in SQL.
    name: String,
    /// What follows INSERT INTO.
    target: String,
    /// The columns with stored values, one after the other.
    columns: String,
    count: usize,
    key: Key,
}

/// Rows, each as its key and its columns; none where they cannot be read.
type Piece = Option<Vec<(Vec<Value>, Vec<Value>)>>;

impl Table {
    fn read(shell: &Shell, name: &str) -> Outcome<Self> {
        let all = shell.columns_of(name)?;
        let is_taken = |name: &&str| all.iter().any(|it| it.name.eq_ignore_ascii_case(name));
        let free = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_taken(name));
        let sql = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
        let has_rowid: bool = !shell.connection.query_row(sql, [name], |row| row.get(0))?;
        let mut keys: Vec<_> = all.iter().filter(|column| column.key > 0).collect();
        keys.sort_by_key(|column| column.key);
        let quoted = |name: &str| identifier(name).into_owned();
        let stored: Vec<String> =
            all.iter().filter(|it| !it.is_computed).map(|it| quoted(&it.name)).collect();
        let columns = stored.join(",");
        let name = quoted(name);
        Ok(Self {
            target: if stored.len() < all.len() {
                format!("{name}({columns})")
            } else {
                name.clone()
            },
            name,
            count: stored.len(),
            columns,
            key: match free {
                Some(rowid) if has_rowid => Key::Rowid(rowid),
                _ => Key::Columns(keys.iter().map(|column| quoted(&column.name)).collect()),
            },
        })
    }

    /// Some rows behind a key, or from the beginning of an order.
    fn piece(&self, shell: &Shell, from: &Start<'_>, limit: usize) -> Outcome<Piece> {
        let Start { key, condition, order, values } = from;
        let sql = format!(
            "SELECT {key}, {} FROM {} {condition} ORDER BY {order} LIMIT {limit}",
            self.columns, self.name
        );
        let mut statement = shell.connection.prepare(&sql)?;
        let width = statement.column_count().saturating_sub(self.count);
        let rows = statement.query_map(pandodb::params_from_iter(values.iter()), |row| {
            let cells = |range: std::ops::Range<usize>| {
                range.map(|at| row.get::<_, Value>(at)).collect::<pandodb::Result<Vec<_>>>()
            };
            Ok((cells(0..width)?, cells(width..width + self.count)?))
        });
        readable(rows.and_then(Iterator::collect))
    }

    /// Reads along the rowids and over what cannot be read; whether that was nothing.
    fn along_rowids(
        &self,
        shell: &Shell,
        rowid: &str,
        write: &mut dyn FnMut(&[Value]) -> Outcome,
    ) -> Outcome<bool> {
        let condition = format!("WHERE {rowid} >= ?1");
        let read = |from: i64, limit: usize| {
            let values = [Value::from(from)];
            let start = Start { key: rowid, condition: &condition, order: rowid, values: &values };
            self.piece(shell, &start, limit)
        };
        let (mut from, mut is_whole, mut limit) = (i64::MIN, true, PIECE);
        loop {
            let Some(rows) = read(from, limit)? else {
                // Close to what is damaged ever fewer rows can be read at once.
                if limit > 1 {
                    limit /= 2;
                    continue;
                }
                (is_whole, limit) = (false, PIECE);
                match next_readable(from, |at| Ok(read(at, 1)?.is_some()))? {
                    Some(next) => from = next,
                    None => return Ok(false),
                }
                continue;
            };
            for (_, row) in &rows {
                write(row)?;
            }
            let last = rows.last().and_then(|(key, _)| key.first()?.as_ref().as_i64());
            match last.and_then(|last| last.checked_add(1)) {
                Some(next) => from = next,
                None => return Ok(is_whole),
            }
        }
    }

    /// Reads from the beginning and, where that ends early, from the end; whether nothing is left
    /// between.
    fn by_both_ends(
        &self,
        shell: &Shell,
        columns: &[String],
        write: &mut dyn FnMut(&[Value]) -> Outcome,
    ) -> Outcome<bool> {
        let key = if columns.is_empty() { "1".to_owned() } else { columns.join(",") };
        let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let forward = key.clone();
        let backward = columns.iter().map(|it| format!("{it} DESC")).collect::<Vec<_>>().join(",");
        let mut reached: Option<Vec<Value>> = None;
        for (order, behind) in [(&forward, ">"), (&backward, "<")] {
            // From the end only what the first way has not seen.
            let seen = reached.take();
            let mut last: Option<Vec<Value>> = None;
            let mut limit = PIECE;
            loop {
                let mut parts = Vec::new();
                let mut values = Vec::new();
                let bounds =
                    [last.as_ref().map(|it| (behind, it)), seen.as_ref().map(|it| (">", it))];
                for (mark, bound) in bounds.into_iter().flatten() {
                    let at = values.len();
                    let places: Vec<String> =
                        (1..=places.len()).map(|place| format!("?{}", at + place)).collect();
                    parts.push(format!("({key}) {mark} ({})", places.join(",")));
                    values.extend(bound.iter().cloned());
                }
                let condition = if parts.is_empty() {
                    String::new()
                } else {
                    format!("WHERE {}", parts.join(" AND "))
                };
                let start = Start { key: &key, condition: &condition, order, values: &values };
                let Some(rows) = self.piece(shell, &start, limit)? else {
                    if limit == 1 {
                        break;
                    }
                    limit /= 2;
                    continue;
                };
                for (_, row) in &rows {
                    write(row)?;
                }
                match rows.into_iter().next_back() {
                    Some((key, _)) if !columns.is_empty() => last = Some(key),
                    _ => return Ok(behind == ">"),
                }
            }
            if columns.is_empty() {
                return Ok(false);
            }
            reached = last;
        }
        Ok(false)
    }
}

/// Where a piece begins and how it is ordered.
struct Start<'a> {
    key: &'a str,
    condition: &'a str,
    order: &'a str,
    values: &'a [Value],
}

/// The least number above one that cannot be read from which reading works again.
fn next_readable(
    damaged: i64,
    mut is_readable: impl FnMut(i64) -> Outcome<bool>,
) -> Outcome<Option<i64>> {
    let (mut below, mut distance) = (i128::from(damaged), 1_i128);
    let mut above = loop {
        let at = (i128::from(damaged) + distance).min(i128::from(i64::MAX));
        if is_readable(narrow(at))? {
            break at;
        }
        if at == i128::from(i64::MAX) {
            return Ok(None);
        }
        below = at;
        distance *= 2;
    };
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if is_readable(narrow(middle))? { above = middle } else { below = middle }
    }
    Ok(Some(narrow(above)))
}

/// A number that lies between two rowids.
fn narrow(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What was read; none where damage or the disk stood in the way.
fn readable<T>(read: pandodb::Result<T>) -> Outcome<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io) => Ok(None),
        Err(error) => Err(Failure::from(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_readable_number_is_found_wherever_it_is() {
        for start in [i64::MIN, -7, 0, 5] {
            for first in [start + 1, start + 3, 100, 1_000_000, i64::MAX - 1, i64::MAX] {
                let found = next_readable(start, |at| Ok(at >= first)).unwrap();
                assert_eq!(found, Some(first), "from {start}");
            }
            assert_eq!(next_readable(start, |_| Ok(false)).unwrap(), None);
        }
        assert_eq!(next_readable(i64::MIN, |at| Ok(at > -5)).unwrap(), Some(-4));
    }
}
