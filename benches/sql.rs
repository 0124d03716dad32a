//! The parser and statements of one row, through the library.
//!
//! Neighbours: `transactions` for what is below.
#![allow(missing_docs, reason = "criterion's macros make functions without documentation")]
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark stops where something fails")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pandodb::Connection;
use pandodb_qp::parse::parse_statement;

const ROWS: i64 = 100_000;

/// Statements of growing weight.
const TEXTS: [(&str, &str); 3] = [
    ("point", "SELECT * FROM items WHERE id = ?1"),
    (
        "join",
        "SELECT c.name, sum(o.price * (1 - o.discount)) AS total FROM customer AS c
         JOIN orders AS o ON o.customer = c.id AND o.day BETWEEN '1994-01-01' AND '1995-01-01'
         WHERE c.segment IN ('a', 'b', 'c') GROUP BY c.name HAVING total > 100
         ORDER BY total DESC LIMIT 10",
    ),
    (
        "table",
        "CREATE TABLE IF NOT EXISTS items(id INTEGER PRIMARY KEY AUTOINCREMENT, k INTEGER NOT NULL
         CHECK (k > 0), name TEXT COLLATE NOCASE DEFAULT 'none', val REAL, payload TEXT,
         twice INTEGER GENERATED ALWAYS AS (k * 2) VIRTUAL, UNIQUE (k, name),
         FOREIGN KEY (k) REFERENCES other(id) ON DELETE CASCADE)",
    ),
];

fn parser(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, sql) in TEXTS {
        group.throughput(Throughput::Bytes(sql.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| parse_statement(sql).expect("the text is right"));
        });
    }
    group.finish();
}

fn loaded() -> Connection {
    let connection = Connection::open_in_memory().expect("memory opens");
    connection
        .execute_batch(
            "CREATE TABLE items(id INTEGER PRIMARY KEY, k INTEGER, name TEXT, val REAL);
             CREATE INDEX items_k ON items(k);
             INSERT INTO items SELECT value, value * 7919 % 100000, 'name ' || value, value / 3.0
             FROM generate_series(1, 100000)",
        )
        .expect("the rows go in");
    connection
}

fn statements(criterion: &mut Criterion) {
    let connection = loaded();
    let mut random = fastrand::Rng::with_seed(1);
    let mut group = criterion.benchmark_group("statement");
    for (name, sql) in [
        ("point query", "SELECT * FROM items WHERE id = ?1"),
        ("index query", "SELECT * FROM items WHERE k = ?1"),
        ("count of a range", "SELECT count(*) FROM items WHERE id BETWEEN 5000 AND ?1"),
        ("update", "UPDATE items SET val = val + 1 WHERE id = ?1"),
    ] {
        let mut statement = connection.prepare(sql).expect("the text is right");
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || random.i64(1..=ROWS),
                |key| {
                    let mut rows = statement.query([key]).expect("it runs");
                    let mut count = 0;
                    while rows.next().expect("there is a row").is_some() {
                        count += 1;
                    }
                    count
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("prepare", |bencher| {
        bencher.iter(|| connection.prepare_cached(TEXTS[0].1).expect("the text is right"));
    });
    group.finish();
}

criterion_group!(benches, parser, statements);
criterion_main!(benches);
