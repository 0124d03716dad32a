//! The plans of a set of queries, as golden text: `UPDATE_GOLDEN=1` writes them anew.
//!
//! A plan that changes is no error by itself, but it must be seen: a rule that is lost makes no
//! query wrong, only slow. `plans/` holds the queries, each line one statement; EXPLAIN is put in
//! front of SELECT, UPDATE and DELETE.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use pandodb_qp::session::Session;
use pandodb_qp::store::Database;
use pandodb_testkit::golden;

/// What a line answers: the plan of a query, nothing for a definition.
fn answer(session: &Session, line: &str) -> Result<String, String> {
    let is_planned =
        ["SELECT", "WITH", "UPDATE", "DELETE"].iter().any(|word| line.starts_with(word));
    let sql = if is_planned { format!("EXPLAIN {line}") } else { line.to_owned() };
    let found = session.query(&sql).map_err(|error| error.message().to_owned())?;
    let mut text = String::new();
    for row in &found.rows {
        for (place, value) in row.iter().enumerate() {
            if place > 0 {
                text.push('|');
            }
            if let pandodb_qp::function::Value::Text(bytes) = value {
                text.push_str(&String::from_utf8_lossy(bytes));
            }
        }
        text.push('\n');
    }
    Ok(text.trim_end().to_owned())
}

#[test]
fn plans_are_what_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    golden::check_folder(&folder, |_| {
        let session = Session::new(Database::in_memory().unwrap());
        move |command: &golden::Command| answer(&session, &command.text)
    });
}
