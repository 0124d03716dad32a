//! Branches in memory: making and dropping one, comparing two, merging one; and in a file the
//! first statements beside many.
//!
//! Neighbours: `cargo xtask bench --suite branching` measures the same on a disk.
#![allow(missing_docs, reason = "criterion's macros make functions without documentation")]
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark stops where something fails")]

use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use pandodb::Connection;
use pandodb_testkit::TemporaryFolder;

fn run(connection: &Connection, sql: &str) {
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn loaded() -> Connection {
    let connection = Connection::open_in_memory().expect("memory opens");
    run(
        &connection,
        "CREATE TABLE items(id INTEGER PRIMARY KEY, name TEXT, val REAL);
         INSERT INTO items SELECT value, 'name ' || value, value / 3.0
         FROM generate_series(1, 100000)",
    );
    connection
}

/// A branch of main on which a tenth of a percent of the rows is changed.
fn change(connection: &Connection, name: &str, residue: u64) {
    run(connection, &format!("CREATE BRANCH {name} FROM main; USE BRANCH {name}"));
    run(connection, &format!("UPDATE items SET val = val + 1 WHERE id % 1000 = {residue}"));
    run(connection, "USE BRANCH main");
}

fn create(criterion: &mut Criterion) {
    let connection = loaded();
    let mut number = 0;
    criterion.bench_function("branch create and drop", |bencher| {
        bencher.iter(|| {
            number += 1;
            run(&connection, &format!("CREATE BRANCH b{number}; DROP BRANCH b{number}"));
        });
    });
    run(&connection, "CREATE BRANCH other");
    criterion.bench_function("branch switch and back", |bencher| {
        bencher.iter(|| run(&connection, "USE BRANCH other; USE BRANCH main"));
    });
}

fn diff(criterion: &mut Criterion) {
    let connection = loaded();
    change(&connection, "other", 7);
    criterion.bench_function("diff of 100 rows", |bencher| {
        bencher.iter(|| run(&connection, "SHOW DIFF BETWEEN main AND other"));
    });
}

fn merge(criterion: &mut Criterion) {
    let connection = loaded();
    let mut number = 0;
    criterion.bench_function("merge of 100 rows", |bencher| {
        bencher.iter_batched(
            || {
                number += 1;
                let name = format!("b{number}");
                change(&connection, &name, number % 500);
                let other = 500 + number % 500;
                run(
                    &connection,
                    &format!("UPDATE items SET val = val + 1 WHERE id % 1000 = {other}"),
                );
                name
            },
            |name| {
                run(&connection, &format!("MERGE BRANCH {name} INTO main; DROP BRANCH {name}"));
            },
            BatchSize::PerIteration,
        );
    });
}

/// A file with 10,000 branches of main, a hundred of them changed and merged back, in turn.
fn many(path: &Path) {
    let connection = Connection::open(path).expect("the file opens");
    run(
        &connection,
        "PRAGMA synchronous = OFF;
         CREATE TABLE items(id INTEGER PRIMARY KEY, val INT);
         INSERT INTO items SELECT value, 0 FROM generate_series(1, 1000)",
    );
    for number in 0..10_000 {
        // Each begins at a moment of its own.
        run(
            &connection,
            &format!("UPDATE items SET val = {number} WHERE id = 9; CREATE BRANCH b{number}"),
        );
        if number % 100 == 50 {
            let id = number / 100 + 1;
            run(
                &connection,
                &format!(
                    "UPDATE items@b{number} SET val = val + 1 WHERE id = {id};
                     UPDATE items SET val = val + 1 WHERE id = {};
                     MERGE BRANCH b{number} INTO main",
                    id + 500
                ),
            );
        }
    }
}

fn first_statements(criterion: &mut Criterion) {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("many.pando");
    many(&path);
    let mut group = criterion.benchmark_group("beside 10,000 branches and 100 merges");
    group.sample_size(10);
    for (name, sql) in [
        ("first name", "SELECT val FROM items@b77 WHERE id = 3"),
        ("first change", "ALTER BRANCH b78 SET (description = 'changed')"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    let connection = Connection::open(&path).expect("the file opens");
                    run(&connection, "SELECT val FROM items WHERE id = 3");
                    connection
                },
                |connection| {
                    run(&connection, sql);
                    connection
                },
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group!(benches, create, diff, merge, first_statements);
criterion_main!(benches);
