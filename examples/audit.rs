//! Snapshots for auditors: read-only branches of a quarter's end that stay queryable.
//!
//! Run with `cargo run --example audit`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Connection, CreateBranch, Moment, Result};

fn main() -> Result<()> {
    let books = Connection::open_in_memory()?;
    books.execute_batch(
        "CREATE TABLE accounts(id INTEGER PRIMARY KEY, owner TEXT, balance INTEGER NOT NULL);
         INSERT INTO accounts VALUES (1, 'ada', 1000), (2, 'grace', 500)",
    )?;

    // The end of the quarter: a name for the moment, and a branch that nobody can change.
    books.create_tag("2024_Q3", "main")?;
    CreateBranch::new("audit_2024_Q3")
        .at(Moment::tag("2024_Q3"))
        .description("Quarter end, for the auditors")
        .read_only(true)
        .protected(true)
        .option("retention", "7 years")
        .create(&books)?;

    books.execute_batch("UPDATE accounts SET balance = balance - 100 WHERE id = 1")?;
    CreateBranch::new("audit_2024_Q4").read_only(true).create(&books)?;

    let auditor = books.database().connect_to("audit_2024_Q3")?;
    let refused = auditor.execute("UPDATE accounts SET balance = 0", ());
    let refused = refused.map_err(|error| error.to_string());
    println!("{refused:?}");
    assert_eq!(refused, Err("Cannot modify read-only branch: audit_2024_Q3".to_owned()));
    assert!(books.delete_branch("audit_2024_Q3").is_err(), "it is protected");

    // One query over two quarters.
    let sql = "SELECT old.owner, old.balance, new.balance
               FROM accounts@audit_2024_Q3 AS old JOIN accounts@audit_2024_Q4 AS new USING (id)
               WHERE old.balance <> new.balance";
    let mut statement = books.prepare(sql)?;
    let changes = statement.query_map((), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    let changes: Vec<_> = changes.collect::<Result<_>>()?;
    for (owner, before, after) in &changes {
        println!("{owner}: {before} became {after}");
    }
    assert_eq!(changes, [("ada".to_owned(), 1000, 900)]);
    Ok(())
}
