//! Where in a SQLite database a text is that is not UTF-8, which nothing there hinders.
//!
//! It is looked for only where an import has failed: sqlite3 gives the texts as hexadecimal digits,
//! row by row, and the first one that is no text is named. Neighbours: `cut` knows the tables.

use std::io::{BufRead, BufReader};
use std::process::Command;

use super::cut::{Table, columns_of, tables};
use super::{no_pipe, start};
use crate::failure::Outcome;
use crate::output::quote::identifier;

/// Says which text it is, and what can be done about it; nothing where all are UTF-8.
pub(super) fn first_fault(source: &str) -> Outcome<Option<String>> {
    for table in tables(&columns_of(source)?) {
        if let Some(place) = fault_in(source, &table)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn fault_in(source: &str, table: &Table<'_>) -> Outcome<Option<String>> {
    let columns: Vec<&str> =
        table.0.iter().filter(|column| column.hidden == 0).map(|it| it.name.as_str()).collect();
    let (named, key) = key_of(table);
    let texts: Vec<String> = columns
        .iter()
        .map(|name| identifier(name))
        .map(|name| format!("CASE typeof({name}) WHEN 'text' THEN hex({name}) END"))
        .collect();
    let name = identifier(table.table());
    let query = format!("SELECT {}, {key} FROM {name}", texts.join(", "));
    let arguments = ["-batch", "-bail", "-readonly", "-noheader", "-list", source, &query];
    let mut child = start(Command::new("sqlite3").args(arguments))?;
    let Some(output) = child.stdout.take() else { return Err(no_pipe()) };
    let mut found = None;
    // A key may have line breaks; what then is no row is passed over.
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let mut fields = line.splitn(columns.len() + 1, |byte| *byte == b'|');
        let bad = columns.iter().find(|_| fields.next().is_some_and(|it| !is_text(it)));
        let Some(column) = bad else { continue };
        let key = line.splitn(columns.len() + 1, |byte| *byte == b'|').nth(columns.len());
        let key = String::from_utf8_lossy(key.unwrap_or_default()).into_owned();
        found = Some(format!(
            "column {column} of table {} is not UTF-8 where {named} is {key}; in sqlite3, UPDATE \
             .. SET {column} = CAST({column} AS BLOB) makes a blob of it",
            table.table()
        ));
        break;
    }
    let _ = child.kill();
    child.wait()?;
    Ok(found)
}

/// What a row is found by, in words and as SQL.
fn key_of(table: &Table<'_>) -> (String, String) {
    if let Some(rowid) = table.rowid().filter(|_| table.0[0].is_without_rowid == 0) {
        return (rowid.to_owned(), rowid.to_owned());
    }
    let key = table.0.iter().filter(|column| column.key > 0);
    let names: Vec<String> = key.map(|column| identifier(&column.name).into_owned()).collect();
    if names.is_empty() {
        return ("the row".to_owned(), "'one of them'".to_owned());
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("quote({name})")).collect();
    (names.join(", "), quoted.join(" || ', ' || "))
}

/// Whether hexadecimal digits are those of a text; nothing is one.
fn is_text(digits: &[u8]) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect();
    bytes.is_none_or(|bytes| std::str::from_utf8(&bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn digits_of_what_is_no_text_are_found() {
        assert!(is_text(b"") && is_text(b"6F616B") && is_text(b"C3A9") && is_text(b"not digits"));
        assert!(!is_text(b"FF") && !is_text(b"6fC3"));
    }
}
