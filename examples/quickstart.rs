//! A database, a table, rows in and rows out.
//!
//! Run with `cargo run --example quickstart`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Connection, OptionalExtension, Result, named_params, params};

#[derive(Debug)]
struct Tree {
    id: i64,
    name: String,
    height: Option<f64>,
}

fn main() -> Result<()> {
    // `Connection::open("forest.pando")` keeps it in a file.
    let mut connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TABLE tree(
           id INTEGER PRIMARY KEY,
           name TEXT NOT NULL UNIQUE,
           height REAL CHECK (height > 0)
         );",
    )?;

    // All or nothing: the transaction is rolled back when it is dropped without a commit.
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO tree(name, height) VALUES (?1, ?2)")?;
        insert.execute(params!["oak", 23.5])?;
        insert.execute(params!["ash", 19])?;
        insert.execute(params!["seedling", None::<f64>])?;
    }
    transaction.commit()?;

    let mut query = connection.prepare("SELECT id, name, height FROM tree ORDER BY height DESC")?;
    let trees = query.query_map((), |row| {
        Ok(Tree { id: row.get("id")?, name: row.get("name")?, height: row.get("height")? })
    })?;
    for tree in trees {
        let Tree { id, name, height } = tree?;
        let height = height.map_or("unknown".to_owned(), |height| format!("{height} m"));
        println!("{id}: {name}, {height}");
    }

    let taller: Option<String> = connection
        .query_row(
            "SELECT name FROM tree WHERE height > :limit LIMIT 1",
            named_params! { ":limit": 100.0 },
            |row| row.get(0),
        )
        .optional()?;
    println!("taller than 100 m: {taller:?}");

    // Errors say what happened, with SQLite's codes for those who know them.
    match connection.execute("INSERT INTO tree(name) VALUES (?1)", ["oak"]) {
        Ok(_) => println!("a second oak"),
        Err(error) => println!("{error} (code {})", error.extended_code()),
    }
    Ok(())
}
