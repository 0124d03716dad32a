//! Runs one statement again and again, for a profiler.
#![allow(clippy::print_stdout, reason = "it reports to a terminal")]

use pandodb_qp::Value;
use pandodb_qp::session::{Session, Step};
use pandodb_qp::store::Database;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let sql = arguments.next().unwrap_or_default();
    let times: i64 = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let session = Session::new(Database::in_memory()?);
    session.execute(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, name TEXT, val REAL, payload TEXT);
         INSERT INTO t SELECT value, value * 7919 % 200000, printf('name number %08d', value),
             value * 0.37, hex(zeroblob(40)) FROM generate_series(0, 199999);
         CREATE INDEX tk ON t(k);",
    )?;
    let (statement, _) = session.prepare(&sql)?;
    let mut statement = statement.ok_or("no statement")?;
    let mut rows = 0_u64;
    for time in 0..times {
        if statement.parameter_count() > 0 {
            statement.bind(1, Value::Integer(time * 7919 % 200_000))?;
        }
        while statement.step()? == Step::Row {
            rows += statement.with_row(|row| u64::from(!row.is_empty()))?;
        }
    }
    println!("{rows} rows");
    Ok(())
}
