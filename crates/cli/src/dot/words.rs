//! A command line cut into words, with sqlite3's rules of quoting.
//!
//! Single quotes keep everything as it is; double quotes know backslash escapes; a semicolon at
//! the end is dropped. Neighbours: `super::run`.

use crate::failure::{Failure, Outcome};

/// Commands to which a semicolon at the end means something.
const VERBATIM: &[&str] = &["complete", "edit", "print", "shell", "system"];

/// The words of a line.
pub(super) fn split(line: &str) -> Outcome<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let (word, end) = match first {
            '\'' => single(&rest[1..])?,
            '"' => double(&rest[1..])?,
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        words.push(word);
        rest = end.trim_start();
    }
    // People end everything with a semicolon; alone it is a word (`.separator ;`).
    let is_kept = line.trim_end().ends_with(['\'', '"'])
        || words.first().is_some_and(|name| VERBATIM.contains(&name.as_str()));
    if let Some(last) = words.last_mut().filter(|last| !is_kept && last.len() > 1)
        && last.ends_with(';')
        && !last.ends_with("\\;")
    {
        last.pop();
    }
    Ok(words)
}

fn unfinished(quote: char) -> Failure {
    Failure::usage(format!("a word begins with {quote} and does not end with one"))
}

fn single(text: &str) -> Outcome<(String, &str)> {
    let mut word = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('\'').ok_or_else(|| unfinished('\''))?;
        word.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if !rest.starts_with('\'') {
            return Ok((word, rest));
        }
        word.push('\'');
        rest = &rest[1..];
    }
}

fn double(text: &str) -> Outcome<(String, &str)> {
    let mut word = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((word, &text[at + 1..])),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => word.push('\n'),
                Some('t') => word.push('\t'),
                Some('r') => word.push('\r'),
                Some('0') => word.push('\0'),
                Some(other) => word.push(other),
                None => return Err(unfinished('"')),
            },
            other => word.push(other),
        }
    }
    Err(unfinished('"'))
}

/// Escapes in a word that stood without quotes: `\t`, `\n`.
pub(super) fn unescape(word: &str) -> String {
    word.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\\0", "\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quotes() {
        let words = |line| split(line).unwrap();
        assert_eq!(words("mode  box"), ["mode", "box"]);
        assert_eq!(words("import 'my file.csv' t"), ["import", "my file.csv", "t"]);
        assert_eq!(words("print 'it''s'"), ["print", "it's"]);
        assert_eq!(words(r#"separator "\t" "\n""#), ["separator", "\t", "\n"]);
        assert_eq!(words("tables;"), ["tables"]);
        assert_eq!(words("param set :a 'x;'"), ["param", "set", ":a", "x;"]);
        assert_eq!(words("separator ;"), ["separator", ";"]);
        assert!(split("print 'open").is_err());
        assert!(split("print \"open").is_err());
        assert_eq!(unescape(r"\t"), "\t");
    }
}
