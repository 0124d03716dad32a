//! How long some statements take: a look before the real benchmarks.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::redundant_closure_for_method_calls,
    reason = "it takes the time and prints it"
)]

use std::time::Instant;

use pandodb_qp::Value;
use pandodb_qp::session::{Session, Step};
use pandodb_qp::store::Database;

const ROWS: i64 = 200_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::new(Database::in_memory()?);
    session.execute(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, name TEXT, val REAL, payload TEXT);
         CREATE INDEX tk ON t(k); CREATE TABLE u(a INTEGER, b TEXT); BEGIN",
    )?;
    let start = Instant::now();
    {
        let (insert, _) = session.prepare("INSERT INTO t VALUES(?,?,?,?,?)")?;
        let mut insert = insert.ok_or("no statement")?;
        for row in 0..ROWS {
            insert.bind(1, Value::Integer(row))?;
            insert.bind(2, Value::Integer(row * 7919 % ROWS))?;
            insert.bind(3, Value::text(format!("name number {row:08}")))?;
            insert.bind(4, Value::Real(row as f64 * 0.37))?;
            insert.bind(5, Value::text("x".repeat(80)))?;
            insert.run()?;
        }
    }
    session.execute("INSERT INTO u SELECT value, 'b' || value FROM generate_series(1, 20000)")?;
    session.execute("COMMIT")?;
    println!("load {:?} a row", start.elapsed() / ROWS as u32);
    points(&session, "SELECT name FROM t WHERE id = ?")?;
    points(&session, "SELECT name FROM t WHERE k = ?")?;
    points(&session, "SELECT name FROM t WHERE id BETWEEN ?1 AND ?1 + 99")?;
    points(&session, "UPDATE t SET val = val + 1 WHERE id = ?")?;
    for sql in [
        "SELECT count(*) FROM t",
        "SELECT count(*) FROM t WHERE id BETWEEN 1000 AND 150000",
        "SELECT sum(val) FROM t",
        "SELECT k % 100, count(*), avg(val) FROM t GROUP BY k % 100",
        "SELECT * FROM t ORDER BY val LIMIT 10",
        "SELECT count(*) FROM t WHERE name LIKE '%x7%'",
        "SELECT count(*) FROM t JOIN u ON t.k = u.a WHERE u.b <> 'b7'",
        "SELECT sum(n) FROM (SELECT row_number() OVER (PARTITION BY k % 1000 ORDER BY val) AS n \
         FROM t)",
        "UPDATE t SET val = val + 1 WHERE k % 10 = 0",
        "DELETE FROM t WHERE k % 10 = 1",
    ] {
        let start = Instant::now();
        session.query(sql)?;
        println!("{:?}  {sql}", start.elapsed());
    }
    Ok(())
}

fn points(session: &Session, sql: &str) -> Result<(), Box<dyn std::error::Error>> {
    const TIMES: i64 = 20_000;
    let (statement, _) = session.prepare(sql)?;
    let mut statement = statement.ok_or("no statement")?;
    let start = Instant::now();
    let mut bytes = 0;
    for time in 0..TIMES {
        statement.bind(1, Value::Integer(time * 7919 % ROWS))?;
        while statement.step()? == Step::Row {
            bytes += statement.with_row(|row| row.len())?;
        }
    }
    println!("{:?}  {sql} ({bytes})", start.elapsed() / TIMES as u32);
    Ok(())
}
