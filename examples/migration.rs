//! A schema migration without downtime: tried on a branch, tested there, merged at once.
//!
//! Run with `cargo run --example migration`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Connection, CreateBranch, ErrorKind, Result};

fn main() -> Result<()> {
    // What production works with all the time.
    let production = Connection::open_in_memory()?;
    production.execute_batch(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         INSERT INTO users(name) VALUES ('ada'), ('grace'), ('edith')",
    )?;

    CreateBranch::new("dev")
        .from("main")
        .description("Testing preferences column migration")
        .create(&production)?;
    let dev = production.database().connect_to("dev")?;
    dev.execute_batch(
        "ALTER TABLE users ADD COLUMN preferences JSONB DEFAULT '{}'
             CHECK (json_valid(preferences));
         UPDATE users SET preferences = '{\"theme\": \"dark\"}' WHERE id = 1",
    )?;

    // The application's tests, against the branch.
    let theme: String =
        dev.query_row("SELECT preferences ->> 'theme' FROM users WHERE id = 1", (), |row| {
            row.get(0)
        })?;
    assert_eq!(theme, "dark");
    let refused = dev.execute("UPDATE users SET preferences = 'no json' WHERE id = 2", ());
    assert!(refused.is_err_and(|error| matches!(error.kind(), ErrorKind::Constraint(_))));

    // Production went on meanwhile and saw nothing of it.
    production.execute("INSERT INTO users(name) VALUES ('katherine')", ())?;
    assert_eq!(production.prepare("SELECT * FROM users")?.column_count(), 2);

    let outcome = production.merge("dev").message("users have preferences").run()?;
    println!(
        "merged: {} rows, {} definitions, {} conflicts",
        outcome.rows_updated,
        outcome.schema_changes,
        outcome.conflicts.len()
    );
    assert!(outcome.success);
    let count: i64 = production.query_row(
        "SELECT count(*) FROM users WHERE preferences IS NOT NULL",
        (),
        |row| row.get(0),
    )?;
    assert_eq!(count, 4);
    production.delete_branch("dev")
}
