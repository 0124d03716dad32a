//! What Tab offers: keywords, tables, columns, functions, branches, dot commands, files.
//!
//! The editor runs the completer while the connection is not ours, so it works on names that the
//! shell fetched before the prompt. What is offered depends on what stands before: columns of
//! the statement's own tables come first. Neighbours: `editor` plugs it in and keeps the names
//! fresh, `language` finds the words.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use reedline::{Completer, CompletionResult, Span, Suggestion};

use super::{Shell, command_of};
use crate::dot;
use crate::language::{self, KEYWORDS, Kind};
use crate::output::quote::identifier;

/// The names of a database.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Tables and views with their columns.
    pub(super) tables: BTreeMap<String, Vec<String>>,
    pub(super) indexes: Vec<String>,
    pub(super) functions: Vec<String>,
    pub(super) branches: Vec<String>,
    /// What tells whether the names are still right.
    version: Option<(String, i64)>,
}

/// Names that the shell writes and the completer reads.
pub(super) type SharedNames = Arc<Mutex<Names>>;

impl Names {
    /// Fetches the names again when the schema or the branch has changed.
    pub(super) fn refresh(shared: &SharedNames, shell: &Shell) {
        let version = shell.connection.pragma_query_value("schema_version", |row| row.get(0));
        let version = version.ok().map(|version| (shell.connection.current_branch(), version));
        let mut names = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = |sql: &str| shell.query_texts(sql, &[]).unwrap_or_default();
        names.branches = texts("SELECT branch_name FROM pando_branches ORDER BY 1");
        if version.is_some() && names.version == version {
            return;
        }
        names.version = version;
        names.tables.clear();
        let tables = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY 1";
        for table in texts(tables) {
            let columns = shell.columns_of(&table).unwrap_or_default();
            let columns = columns.into_iter().map(|column| column.name).collect();
            names.tables.insert(table, columns);
        }
        names.indexes = texts("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY 1");
        if names.functions.is_empty() {
            names.functions = texts("SELECT DISTINCT name FROM pragma_function_list ORDER BY 1");
        }
    }
}

/// Offers what can stand at the cursor.
pub(super) struct SqlCompleter {
    pub(super) names: SharedNames,
}

/// A word to offer, and what it is.
type Offer = (String, &'static str);

impl Completer for SqlCompleter {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let before = line.get(..position).unwrap_or(line);
        let (start, offers) = if command_of(before).is_some() {
            self.command_offers(before)
        } else {
            self.sql_offers(line, before)
        };
        let suggestions: Vec<Suggestion> = offers
            .into_iter()
            .map(|(value, what)| Suggestion {
                value,
                description: Some(what.to_owned()),
                span: Span::new(start, position),
                append_whitespace: what != "function" && what != "folder",
                ..Suggestion::default()
            })
            .collect();
        CompletionResult::fresh(suggestions)
    }
}

impl SqlCompleter {
    fn command_offers(&self, before: &str) -> (usize, Vec<Offer>) {
        let line_start = before.len() - before.trim_start().len();
        let line = &before[line_start..];
        let Some(space) = line.find(' ') else {
            let mark = &line[..1];
            let names = dot::names().filter(|name| name.starts_with(&line[1..]));
            let offers = names.map(|name| (format!("{mark}{name}"), "command")).collect();
            return (line_start, offers);
        };
        let word_start = before.rfind(' ').map_or(0, |at| at + 1);
        let word = &before[word_start..];
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let command = line[1..space].trim();
        let offers = match dot::argument_of(command) {
            dot::Argument::Table => matching(names.tables.keys(), word, "table"),
            dot::Argument::Branch => matching(&names.branches, word, "branch"),
            dot::Argument::File => files(word),
            dot::Argument::Word(words) => {
                let words = words.iter().filter(|choice| choice.starts_with(word));
                words.map(|choice| ((*choice).to_owned(), "choice")).collect()
            }
            dot::Argument::Command => {
                let names = dot::names().filter(|name| name.starts_with(word));
                names.map(|name| (name.to_owned(), "command")).collect()
            }
            dot::Argument::None => Vec::new(),
        };
        (word_start, offers)
    }

    fn sql_offers(&self, line: &str, before: &str) -> (usize, Vec<Offer>) {
        let tokens = language::tokens(before);
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let last = tokens
            .last()
            .filter(|token| matches!(token.kind, Kind::Word | Kind::Keyword | Kind::Variable));
        if tokens.last().is_some_and(|token| token.is_open && token.kind != Kind::Quoted) {
            return (before.len(), Vec::new());
        }
        let (start, word) = match last {
            // `t@br`: a branch.
            Some(token) if before[token.range.clone()].starts_with('@') => {
                let start = token.range.start + 1;
                return (start, matching(&names.branches, &before[start..], "branch"));
            }
            Some(token) => (token.range.start, &before[token.range.clone()]),
            None => (before.len(), ""),
        };
        let rest = &before[..start];
        if let Some(qualifier) = rest.strip_suffix('.') {
            let table = self::last_word(qualifier);
            let columns = columns_of(&names, line, table);
            return (start, matching(columns, word, "column"));
        }
        let previous = last_word(rest.trim_end()).to_ascii_uppercase();
        let offers = match previous.as_str() {
            "FROM" | "JOIN" | "INTO" | "UPDATE" | "TABLE" | "SUMMARIZE" => {
                matching(names.tables.keys(), word, "table")
            }
            "BRANCH" | "ON BRANCH" => matching(&names.branches, word, "branch"),
            "INDEX" => matching(&names.indexes, word, "index"),
            _ if word.is_empty() => Vec::new(),
            _ => general(&names, line, word),
        };
        (start, offers)
    }
}

/// The columns of a table, or of the table that an alias stands for.
fn columns_of<'n>(names: &'n Names, line: &str, name: &str) -> &'n [String] {
    let find = |wanted: &str| {
        let mut tables = names.tables.iter();
        tables.find(|(table, _)| table.eq_ignore_ascii_case(wanted)).map(|(_, columns)| columns)
    };
    if let Some(columns) = find(name) {
        return columns;
    }
    let words: Vec<&str> = language::tokens(line)
        .into_iter()
        .filter(|token| matches!(token.kind, Kind::Word | Kind::Keyword | Kind::Mark))
        .map(|token| &line[token.range])
        .filter(|word| !word.eq_ignore_ascii_case("AS"))
        .collect();
    let alias = words.windows(2).find_map(|pair| match pair {
        [table, alias] if alias.eq_ignore_ascii_case(name) => find(table),
        _ => None,
    });
    alias.map_or(&[], Vec::as_slice)
}

/// Columns of the statement's tables, then tables, functions, keywords, other columns.
fn general(names: &Names, line: &str, word: &str) -> Vec<Offer> {
    let used: Vec<String> = language::tokens(line)
        .into_iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| line[token.range].to_ascii_lowercase())
        .collect();
    let mut offers = Vec::new();
    let mut others = Vec::new();
    for (table, columns) in &names.tables {
        let is_used = used.contains(&table.to_ascii_lowercase());
        let list = if is_used { &mut offers } else { &mut others };
        list.extend(matching(columns, word, "column"));
    }
    offers.extend(matching(names.tables.keys(), word, "table"));
    let is_lower = word.chars().any(char::is_lowercase);
    let keywords = KEYWORDS.iter().filter(|keyword| starts_with(keyword, word));
    offers.extend(keywords.map(|keyword| {
        let text = if is_lower { keyword.to_ascii_lowercase() } else { (*keyword).to_owned() };
        (text, "keyword")
    }));
    let functions = names.functions.iter().filter(|name| starts_with(name, word));
    offers.extend(functions.map(|name| (format!("{name}("), "function")));
    offers.extend(others);
    let mut seen = std::collections::HashSet::new();
    offers.retain(|(text, _)| seen.insert(text.clone()));
    offers
}

fn matching<'n>(
    names: impl IntoIterator<Item = &'n String>,
    word: &str,
    what: &'static str,
) -> Vec<Offer> {
    let names = names.into_iter().filter(|name| starts_with(name, word));
    names.map(|name| (identifier(name).into_owned(), what)).collect()
}

fn starts_with(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn last_word(text: &str) -> &str {
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    text.get(start..).unwrap_or("")
}

/// Files and folders that begin so.
fn files(word: &str) -> Vec<Offer> {
    let (folder, prefix) = word.rfind('/').map_or(("", word), |at| word.split_at(at + 1));
    let listed = std::fs::read_dir(if folder.is_empty() { "." } else { folder });
    let mut offers = Vec::new();
    for entry in listed.into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(prefix) || (name.starts_with('.') && prefix.is_empty()) {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let (end, what) = if is_folder { ("/", "folder") } else { ("", "file") };
        offers.push((format!("{folder}{name}{end}"), what));
    }
    offers.sort();
    offers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let tables = BTreeMap::from([
            ("tree".to_owned(), vec!["name".to_owned(), "height".to_owned()]),
            ("two words".to_owned(), vec!["note".to_owned()]),
        ]);
        let names = Names {
            tables,
            branches: vec!["main".to_owned(), "feature/a".to_owned()],
            functions: vec!["nullif".to_owned()],
            ..Names::default()
        };
        let mut completer = SqlCompleter { names: Arc::new(Mutex::new(names)) };
        let result = completer.complete(line, line.len());
        result.suggestions().iter().map(|suggestion| suggestion.value.clone()).collect()
    }

    #[test]
    fn tables_come_behind_from_and_columns_behind_a_dot() {
        assert_eq!(complete("SELECT * FROM t"), ["tree", "\"two words\""]);
        assert_eq!(complete("SELECT * FROM "), ["tree", "\"two words\""]);
        assert_eq!(complete("SELECT tree.h"), ["height"]);
        assert_eq!(complete("SELECT * FROM tree AS t WHERE t."), ["name", "height"]);
    }

    #[test]
    fn columns_of_the_statements_tables_come_first() {
        let offers = complete("SELECT * FROM tree WHERE n");
        assert_eq!(offers.first().map(String::as_str), Some("name"));
        assert!(offers.contains(&"not".to_owned()), "{offers:?}");
        assert!(offers.contains(&"nullif(".to_owned()), "{offers:?}");
        assert_eq!(complete("SELE"), ["SELECT"]);
        assert_eq!(complete("sele"), ["select"]);
    }

    #[test]
    fn branches_come_behind_branch_and_at() {
        assert_eq!(complete("USE BRANCH "), ["main", "\"feature/a\""]);
        assert_eq!(complete("SELECT * FROM tree@m"), ["main"]);
        assert_eq!(complete(".use m"), ["main"]);
    }

    #[test]
    fn commands_and_their_arguments() {
        assert_eq!(complete(".tab"), [".tables"]);
        assert_eq!(complete(".mode mark"), ["markdown"]);
        assert_eq!(complete(".schema tr"), ["tree"]);
        assert!(complete("SELECT 'FROM t").is_empty());
    }
}
