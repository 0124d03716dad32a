//! Threads that share a database, each with a connection of its own.
//!
//! A writer that finds another at work waits, and one that must start over gets an error that
//! says so. Run with `cargo run --example threads`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::thread;

use pandodb::{Connection, Database, Result, TransactionBehavior};

const THREADS: i64 = 4;
const DEPOSITS: i64 = 50;

/// Adds one to an account, again where another thread was faster.
fn deposit(connection: &mut Connection) -> Result<()> {
    loop {
        let outcome = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                transaction.execute("UPDATE account SET balance = balance + 1", ())?;
                transaction.commit()
            });
        match outcome {
            Err(error) if error.is_retryable() => {}
            other => return other,
        }
    }
}

fn main() -> Result<()> {
    let database = Database::open_in_memory()?;
    let connection = database.connect()?;
    connection.execute_batch("CREATE TABLE account(balance); INSERT INTO account VALUES (0)")?;

    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let database = database.clone();
            thread::spawn(move || -> Result<()> {
                let mut connection = database.connect()?;
                (0..DEPOSITS).try_for_each(|_| deposit(&mut connection))
            })
        })
        .collect();
    for thread in threads {
        match thread.join() {
            Ok(outcome) => outcome?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    let balance: i64 = connection.query_row("SELECT balance FROM account", (), |row| row.get(0))?;
    println!("{balance} of {} deposits arrived", THREADS * DEPOSITS);
    assert_eq!(balance, THREADS * DEPOSITS);
    Ok(())
}
