//! The columns that `pando table create` is told, as words of a command line or as SQL.
//!
//! Neighbours: `copy` makes a table of another one.

use super::ID_COLUMN;
use crate::failure::{Failure, Outcome};
use crate::language::is_keyword;
use crate::output::quote::identifier;
use crate::verb::changes::definition::{has_word, parts};

/// What stands between the parentheses of CREATE TABLE: a key that counts comes first, where the
/// columns bring neither a key nor one of its name.
pub(super) fn columns(words: &[String]) -> Outcome<String> {
    let listed = listed(words)?;
    let in_parentheses = format!("({listed})");
    let definitions = parts(&in_parentheses);
    let is_id = |part: &&str| {
        let name = part.split_whitespace().next().unwrap_or("");
        name.trim_matches(['"', '`', '[', ']']).eq_ignore_ascii_case(ID_COLUMN)
    };
    let has_key = definitions.iter().any(|part| is_id(part) || has_word(part, "PRIMARY"));
    let key = format!("{ID_COLUMN} INTEGER PRIMARY KEY");
    Ok(match (listed.trim().is_empty(), has_key) {
        (true, _) => key,
        (false, true) => listed,
        (false, false) => format!("{key}, {listed}"),
    })
}

/// The columns with commas between them.
fn listed(words: &[String]) -> Outcome<String> {
    let text = words.join(" ");
    let has_commas = parts(&format!("({text})")).len() > 1;
    if has_commas || words.len() < 2 {
        return Ok(text);
    }
    if words.iter().any(|word| word.trim().contains(char::is_whitespace)) {
        // Each was put into quotes by who typed it.
        return Ok(words.join(", "));
    }
    let mut columns = Vec::new();
    for pair in words.chunks(2) {
        let [name, kind] = pair else { return Err(not_in_pairs()) };
        if is_keyword(name) || is_keyword(kind) {
            return Err(not_in_pairs());
        }
        columns.push(format!("{} {kind}", identifier(name)));
    }
    Ok(columns.join(", "))
}

fn not_in_pairs() -> Failure {
    Failure::usage("the columns are not pairs of a name and a type").with_hint(
        "put the others in quotes: pando table create tree \"name TEXT NOT NULL\" \"age INT\"",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::columns;

    #[test]
    fn columns_are_words_or_sql() {
        const KEY: &str = "id INTEGER PRIMARY KEY";
        for (words, sql) in [
            (&[][..], KEY.to_owned()),
            (&["name"], format!("{KEY}, name")),
            (&["name", "TEXT", "age", "INT"], format!("{KEY}, name TEXT, age INT")),
            (&["two-words", "TEXT"], format!("{KEY}, \"two-words\" TEXT")),
            (&["price", "DECIMAL(10,2)"], format!("{KEY}, price DECIMAL(10,2)")),
            (&["name TEXT NOT NULL", "age INT"], format!("{KEY}, name TEXT NOT NULL, age INT")),
            (&["name", "TEXT", "NOT", "NULL,", "age"], format!("{KEY}, name TEXT NOT NULL, age")),
            (&["a INT, b INT, PRIMARY KEY (a, b)"], "a INT, b INT, PRIMARY KEY (a, b)".to_owned()),
            (&["ID", "TEXT"], "ID TEXT".to_owned()),
            (&["code TEXT PRIMARY KEY"], "code TEXT PRIMARY KEY".to_owned()),
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(columns(&words).unwrap(), sql, "{words:?}");
        }
        for words in [&["name", "TEXT", "age"][..], &["name", "TEXT", "NOT", "NULL"]] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            assert!(columns(&words).is_err(), "{words:?}");
        }
    }
}
