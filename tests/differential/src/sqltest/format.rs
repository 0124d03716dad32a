//! The format of `.sqltest` files: set-ups, tests, matrices and what is expected of them.
//!
//! A block is a line that ends in `{`, up to a line that is `}` alone, at the margin.
//! Neighbours: `mod` (running tests).

use std::collections::HashMap;

/// One test with what to run first.
#[derive(Debug)]
pub(super) struct Test {
    /// Its name, unique in the file.
    pub(super) name: String,
    /// The SQL of its set-ups.
    pub(super) setups: Vec<String>,
    /// Its own SQL.
    pub(super) sql: String,
    /// What must come.
    pub(super) expected: Expected,
}

/// What must come of a test.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expected {
    /// Rows, values joined by `|`, as lines; in any order where `unordered`.
    Lines { lines: Vec<String>, unordered: bool },
    /// An error whose message holds this.
    Error(String),
    /// Text that this regular expression matches.
    Pattern(String),
    /// What SQLite does.
    Oracle,
}

/// The tests of a file.
///
/// All are for a fresh database, also those that name a sample database, which is not part of
/// the corpus: those that need its tables fail on SQLite, too.
pub(super) fn parse(text: &str) -> Vec<Test> {
    let mut reader = Reader::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["@setup", name, ..] => reader.wanted.push((*name).to_owned()),
            ["@var", name, "{", values @ .., "}"] => {
                let values = values.join(" ");
                let values = values.split(" | ").map(str::to_owned).collect();
                reader.variables.push(((*name).to_owned(), values));
            }
            ["@backend", "cli", ..] => reader.shell = true,
            [kind, .., "{"] if !line.starts_with([' ', '\t', '#', '@']) => {
                let body: Vec<&str> =
                    lines.by_ref().take_while(|line| line.trim_end() != "}").collect();
                let name = words.get(1).copied().unwrap_or("");
                reader.block(kind, name, &body);
            }
            _ => {}
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    tests: Vec<Test>,
    setups: HashMap<String, String>,
    wanted: Vec<String>,
    variables: Vec<(String, Vec<String>)>,
    shell: bool,
    /// A test that waits for what is expected of it.
    pending: Option<Test>,
}

impl Reader {
    fn block(&mut self, kind: &str, name: &str, body: &[&str]) {
        let text = body.join("\n");
        match kind {
            "setup" => {
                self.setups.insert(name.to_owned(), text);
            }
            "test" => {
                let test = self.test(name, text);
                self.pending = test;
            }
            "matrix" => {
                let variables = std::mem::take(&mut self.variables);
                if let Some(test) = self.test(name, text) {
                    expand(&test, &variables, &mut self.tests);
                }
            }
            "expect" => {
                if let Some(expected) = expectation(name, body)
                    && let Some(mut test) = self.pending.take()
                {
                    test.expected = expected;
                    self.tests.push(test);
                }
            }
            _ => self.reset(),
        }
    }

    fn test(&mut self, name: &str, sql: String) -> Option<Test> {
        let setups = self.wanted.iter().filter_map(|name| self.setups.get(name).cloned());
        let setups = setups.collect();
        // A dot-command is the shell's, not SQL.
        let shell = self.shell && sql.lines().any(|line| line.trim_start().starts_with('.'));
        self.reset();
        (!shell).then(|| Test { name: name.to_owned(), setups, sql, expected: Expected::Oracle })
    }

    fn reset(&mut self) {
        self.wanted.clear();
        self.variables.clear();
        self.shell = false;
        self.pending = None;
    }

    fn finish(self) -> Vec<Test> {
        self.tests
    }
}

fn expectation(kind: &str, body: &[&str]) -> Option<Expected> {
    let trimmed = || body.iter().map(|line| line.trim().to_owned());
    Some(match kind {
        "{" => Expected::Lines { lines: trimmed().collect(), unordered: false },
        "unordered" => Expected::Lines { lines: trimmed().collect(), unordered: true },
        "raw" => {
            let plain = |line: String| line.replace("\\{", "{").replace("\\}", "}");
            Expected::Lines { lines: trimmed().map(plain).collect(), unordered: false }
        }
        "error" => Expected::Error(trimmed().collect::<Vec<_>>().join("\n").trim().to_owned()),
        "pattern" => Expected::Pattern(trimmed().collect::<Vec<_>>().join("\n")),
        _ => return None,
    })
}

fn expand(test: &Test, variables: &[(String, Vec<String>)], tests: &mut Vec<Test>) {
    let combinations: usize = variables.iter().map(|(_, values)| values.len()).product();
    for number in 0..combinations {
        let (mut rest, mut sql, mut name) = (number, test.sql.clone(), test.name.clone());
        for (variable, values) in variables {
            let value = &values[rest % values.len()];
            rest /= values.len();
            sql = sql.replace(&format!("${variable}"), value);
            name = format!("{name} {value}");
        }
        let setups = test.setups.clone();
        tests.push(Test { name, setups, sql, expected: Expected::Oracle });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_with_set_ups_and_expectations() {
        let text = "@database :memory:\nsetup a {\n  A;\n}\n\n@setup a\n@skip-if mvcc \"x\"\n\
                    test one {\n    SELECT 1;\n}\nexpect {\n    1|x\n}\nexpect @js {\n    2\n}\n\
                    test two {\n  B\n}\nexpect error {\n  no such\n}\n\
                    snapshot three {\n  C\n}\n\
                    @var fn { sum | min }\n@var by { a b | c }\nmatrix m {\n $fn($by)\n}\n\
                    @backend cli\ntest four {\n .schema\n}\nexpect {\n}\n";
        let tests = parse(text);
        let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["one", "two", "m sum a b", "m min a b", "m sum c", "m min c"]);
        assert_eq!(tests[0].setups, ["  A;"]);
        let lines = vec!["1|x".to_owned()];
        assert_eq!(tests[0].expected, Expected::Lines { lines, unordered: false });
        assert_eq!(tests[1].expected, Expected::Error("no such".to_owned()));
        assert_eq!(tests[3].sql, " min(a b)");
    }
}
