//! The format of sqllogictest: text to records.
//!
//! A reader of our own, since the format has corners that matter for "every record ran":
//! conditions also stand over `halt`, comments stand behind conditions, and the hash threshold
//! is eight where a file sets none. Neighbours: `check` (running records).

/// Records and what stands around them.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The records that apply to SQLite.
    pub(super) records: Vec<Record>,
    /// How many do not.
    pub(super) skipped: u64,
}

/// One statement or query.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it starts.
    pub(super) line: usize,
    /// The SQL.
    pub(super) sql: String,
    /// What must come of it.
    pub(super) expected: Expected,
}

/// What must come of a record.
#[derive(Debug)]
pub(super) enum Expected {
    /// No error.
    Done,
    /// An error.
    Error,
    /// Values.
    Query(Query),
}

/// How a query's result is printed and what it must be.
#[derive(Debug)]
pub(super) struct Query {
    /// A letter per column: `I`, `R` or `T`.
    pub(super) types: Vec<u8>,
    /// The order of the printed values.
    pub(super) sort: Sort,
    /// Queries of one label have one result.
    pub(super) label: Option<String>,
    /// More values than this are named by their hash.
    pub(super) threshold: usize,
    /// The lines behind `----`.
    pub(super) lines: Vec<String>,
}

/// The order of printed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// As they come.
    None,
    /// Rows, compared column by column as text.
    Rows,
    /// All values, as text.
    Values,
}

/// What a file without `hash-threshold` means.
const DEFAULT_THRESHOLD: usize = 8;
/// The engine that we are.
const ENGINE: &str = "sqlite";

/// Reads a file; an error names the line.
pub(super) fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    let mut threshold = DEFAULT_THRESHOLD;
    let mut applies = true;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let line_number = number + 1;
        let words: Vec<&str> =
            line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        let broken = |what: &str| format!("line {line_number}: {what}: {line}");
        match words.as_slice() {
            [] => {}
            ["skipif", engine, ..] => applies &= *engine != ENGINE,
            ["onlyif", engine, ..] => applies &= *engine == ENGINE,
            ["halt", ..] => {
                if std::mem::replace(&mut applies, true) {
                    break;
                }
            }
            ["hash-threshold", count, ..] => {
                threshold = count.parse().map_err(|_| broken("no number"))?;
                applies = true;
            }
            [kind @ ("statement" | "query"), rest @ ..] => {
                let block = std::iter::from_fn(|| lines.next())
                    .map(|(_, line)| line.trim_end_matches('\r'))
                    .take_while(|line| !line.is_empty());
                let block: Vec<&str> = block.collect();
                if !std::mem::replace(&mut applies, true) {
                    script.skipped += 1;
                    continue;
                }
                let end = block.iter().position(|line| *line == "----");
                let expected = match (*kind, rest) {
                    ("statement", ["ok", ..]) => Expected::Done,
                    ("statement", ["error", ..]) => Expected::Error,
                    ("query", [types, rest @ ..]) => {
                        let lines = &block[end.map_or(block.len(), |end| end + 1)..];
                        Expected::Query(query(types, rest, threshold, lines).map_err(broken)?)
                    }
                    _ => return Err(broken("unknown record")),
                };
                let sql = block[..end.unwrap_or(block.len())].join("\n");
                script.records.push(Record { line: line_number, sql, expected });
            }
            _ => return Err(broken("unknown line")),
        }
    }
    Ok(script)
}

fn query(
    types: &str,
    rest: &[&str],
    threshold: usize,
    lines: &[&str],
) -> Result<Query, &'static str> {
    if !types.bytes().all(|letter| b"IRT".contains(&letter)) {
        return Err("unknown type letter");
    }
    let sort = match rest.first() {
        None | Some(&"nosort") => Sort::None,
        Some(&"rowsort") => Sort::Rows,
        Some(&"valuesort") => Sort::Values,
        Some(_) => return Err("unknown sort mode"),
    };
    Ok(Query {
        types: types.bytes().collect(),
        sort,
        label: rest.get(1).map(|label| (*label).to_owned()),
        threshold,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn conditions_hold_for_one_record_and_for_halt() {
        let text = "skipif mysql # not compatible\nstatement ok\nA\n\n\
                    onlyif mssql\nhalt\n\nskipif sqlite\nstatement ok\nB\n\n\
                    statement error\nC\n\nskipif sqlite\nonlyif sqlite\nquery I\nD\n----\n1\n\n\
                    onlyif sqlite\nhalt\n\nstatement ok\nE\n";
        let script = parse(text).unwrap();
        let sql: Vec<&str> = script.records.iter().map(|record| record.sql.as_str()).collect();
        assert_eq!(sql, ["A", "C"]);
        assert_eq!(script.skipped, 2);
        assert_eq!(script.records[0].line, 2);
    }

    #[test]
    fn queries_have_all_their_parts() {
        let text = "query ITR valuesort same\nSELECT 1,\n2, 3\n----\n1\n2\n3\n\n\
                    hash-threshold 2\nquery I\nX\n";
        let script = parse(text).unwrap();
        let Expected::Query(query) = &script.records[0].expected else { panic!("a query") };
        assert_eq!(script.records[0].sql, "SELECT 1,\n2, 3");
        assert_eq!((query.types.as_slice(), query.sort), (&b"ITR"[..], Sort::Values));
        assert_eq!(query.label.as_deref(), Some("same"));
        assert_eq!((query.threshold, query.lines.len()), (8, 3));
        let Expected::Query(query) = &script.records[1].expected else { panic!("a query") };
        assert_eq!((query.threshold, query.sort), (2, Sort::None));
        assert!(parse("query X\nS\n").is_err());
        assert!(parse("statement maybe\nS\n").is_err());
    }
}
