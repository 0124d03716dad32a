//! The log as text, and the graph of branches beside it.
//!
//! The graph has a column for each line of history that is still open: a commit takes the column
//! that waits for it, its first parent goes on there, further parents open columns of their own
//! or join those that wait for the same commit. Neighbours: `branches` reads the commits.

pub(super) mod diff;

use std::fmt::Write as _;

use super::branches::Log;
use crate::output::escape::{Escape, escaped};

/// A commit as the log shows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) parents: Vec<String>,
    pub(super) time: String,
    pub(super) author: Option<String>,
    pub(super) message: Option<String>,
    /// Branches and tags that point here.
    pub(super) names: Option<String>,
    /// What it touched, in words.
    pub(super) changes: Option<String>,
}

/// The log, newest commit first.
pub(super) fn log(commits: &[Commit], log: &Log, color: bool) -> String {
    let mut graph = Graph::default();
    let mut text = String::new();
    for (at, commit) in commits.iter().enumerate() {
        let lines = if log.oneline { vec![one_line(commit, color)] } else { long(commit, color) };
        if !log.graph {
            for line in &lines {
                text.push_str(line);
                text.push('\n');
            }
            if !log.oneline && at + 1 < commits.len() {
                text.push('\n');
            }
            continue;
        }
        let drawn = graph.draw(commit);
        let mut between = drawn.below.into_iter();
        for (number, line) in lines.iter().enumerate() {
            let left = match number {
                0 => drawn.commit.clone(),
                // Below the first commit there are no lines, but the text stays in its column.
                _ => between.next().unwrap_or_else(|| format!("{:1}", graph.bars())),
            };
            let _ = writeln!(text, "{}", format!("{left} {line}").trim_end());
        }
        for left in between {
            let _ = writeln!(text, "{}", left.trim_end());
        }
        if !log.oneline && at + 1 < commits.len() {
            let _ = writeln!(text, "{}", graph.bars().trim_end());
        }
    }
    text
}

fn heading(commit: &Commit, color: bool) -> String {
    let (yellow, green) =
        (anstyle::AnsiColor::Yellow.on_default(), anstyle::AnsiColor::Green.on_default());
    let mut line = String::new();
    let _ = if color {
        write!(line, "{yellow}{}{yellow:#}", commit.id)
    } else {
        write!(line, "{}", commit.id)
    };
    if let Some(names) = &commit.names {
        let _ = if color {
            write!(line, " ({green}{names}{green:#})")
        } else {
            write!(line, " ({names})")
        };
    }
    line
}

fn one_line(commit: &Commit, color: bool) -> String {
    let what = commit.message.as_deref().or(commit.changes.as_deref()).unwrap_or("");
    let what = escaped(what.lines().next().unwrap_or(""), Escape::Ascii);
    format!("{} {what}", heading(commit, color)).trim_end().to_owned()
}

fn long(commit: &Commit, color: bool) -> Vec<String> {
    let mut lines = vec![format!("commit {}", heading(commit, color))];
    if commit.parents.len() > 1 {
        lines.push(format!("Merge:  {}", commit.parents.join(" ")));
    }
    if let Some(author) = &commit.author {
        lines.push(format!("Author: {}", escaped(author, Escape::Ascii)));
    }
    lines.push(format!("Date:   {}", commit.time));
    for text in [&commit.message, &commit.changes].into_iter().flatten() {
        lines.push(String::new());
        lines.extend(escaped(text, Escape::Ascii).lines().map(|line| format!("    {line}")));
    }
    lines
}

/// The open columns: the commit that each waits for.
#[derive(Debug, Default)]
struct Graph {
    columns: Vec<String>,
}

/// What is left of one commit's text.
struct Drawn {
    commit: String,
    /// Lines below the commit's own, where columns begin or end.
    below: Vec<String>,
}

impl Graph {
    fn bars(&self) -> String {
        vec!["|"; self.columns.len()].join(" ")
    }

    fn draw(&mut self, commit: &Commit) -> Drawn {
        let mut below = Vec::new();
        let at = if let Some(at) = self.columns.iter().position(|waited| *waited == commit.id) {
            at
        } else {
            self.columns.push(commit.id.clone());
            self.columns.len() - 1
        };
        // Other columns that waited for the same commit end here: their branches left from it.
        let mut above = Vec::new();
        while let Some(other) =
            (at + 1..self.columns.len()).rev().find(|&c| self.columns[c] == commit.id)
        {
            above.push(self.joint(other, '/'));
            self.columns.remove(other);
        }
        let marks: Vec<&str> =
            (0..self.columns.len()).map(|column| if column == at { "*" } else { "|" }).collect();
        let line = marks.join(" ");
        match commit.parents.split_first() {
            None => {
                let last = at + 1 == self.columns.len();
                self.columns.remove(at);
                if !last {
                    below.push(self.shift(at));
                }
            }
            Some((first, others)) => {
                self.columns[at].clone_from(first);
                for parent in others {
                    if !self.columns.contains(parent) {
                        self.columns.insert(at + 1, parent.clone());
                        below.push(self.joint(at + 1, '\\'));
                    }
                }
            }
        }
        if above.is_empty() {
            return Drawn { commit: line, below };
        }
        // The joints stand before the commit, on lines of their own.
        Drawn { commit: format!("{}\n{line}", above.join("\n")), below }
    }

    /// A line where column `at` leaves (`\`) or meets (`/`) the one before it.
    fn joint(&self, at: usize, mark: char) -> String {
        let mut line = String::new();
        for column in 0..self.columns.len() {
            if column == at {
                line.pop();
                line.push(mark);
                line.push(' ');
            } else {
                line.push_str("| ");
            }
        }
        line.trim_end().to_owned()
    }

    /// A line where the columns from `at` on move to the left.
    fn shift(&self, at: usize) -> String {
        let mut line = "| ".repeat(at);
        for _ in at..self.columns.len() {
            line.push_str(" /");
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(id: &str, parents: &[&str]) -> Commit {
        Commit {
            id: id.to_owned(),
            parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
            time: "2026-01-02".to_owned(),
            message: Some(format!("change {id}")),
            ..Commit::default()
        }
    }

    fn graph(commits: &[Commit]) -> String {
        log(commits, &Log { oneline: true, graph: true, most: None }, false)
    }

    #[test]
    fn a_line_of_commits_is_a_line() {
        let commits = [commit("3", &["2"]), commit("2", &["1"]), commit("1", &[])];
        assert_eq!(graph(&commits), "* 3 change 3\n* 2 change 2\n* 1 change 1\n");
    }

    #[test]
    fn a_merge_opens_a_column_and_the_base_closes_it() {
        let commits = [
            commit("5", &["3", "4"]),
            commit("4", &["2"]),
            commit("3", &["2"]),
            commit("2", &["1"]),
            commit("1", &[]),
        ];
        let expected = "\
* 5 change 5
|\\
| * 4 change 4
* | 3 change 3
|/
* 2 change 2
* 1 change 1
";
        pandodb_testkit::assert_same_text(expected, &graph(&commits));
    }

    #[test]
    fn long_form_names_author_date_and_message() {
        let mut one = commit("7", &["6"]);
        one.author = Some("ada".to_owned());
        one.names = Some("main".to_owned());
        let text = log(&[one], &Log::default(), false);
        let expected = "commit 7 (main)\nAuthor: ada\nDate:   2026-01-02\n\n    change 7\n";
        assert_eq!(text, expected);
    }
}
