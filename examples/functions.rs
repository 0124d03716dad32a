//! Functions, aggregates and collations written in Rust.
//!
//! Run with `cargo run --example functions`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Aggregate, Connection, FunctionContext, FunctionFlags, Result};

/// The geometric mean of the values of a group.
#[derive(Default)]
struct GeometricMean {
    sum_of_logarithms: f64,
    count: u32,
}

impl Aggregate for GeometricMean {
    type Output = Option<f64>;

    fn step(&mut self, call: &FunctionContext<'_>) -> Result<()> {
        if let Some(value) = call.get::<Option<f64>>(0)? {
            self.sum_of_logarithms += value.ln();
            self.count += 1;
        }
        Ok(())
    }

    fn value(&self) -> Result<Option<f64>> {
        let mean = || (self.sum_of_logarithms / f64::from(self.count)).exp();
        Ok((self.count > 0).then(mean))
    }
}

fn main() -> Result<()> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TABLE tree(name TEXT, height REAL);
         INSERT INTO tree VALUES ('oak 10', 10), ('oak 9', 20), ('ash 1', 40);",
    )?;

    connection.create_scalar_function("initial", 1, FunctionFlags::DETERMINISTIC, |call| {
        Ok(call.get::<String>(0)?.chars().next().map(String::from))
    })?;
    let flags = FunctionFlags::DETERMINISTIC;
    connection.create_aggregate_function::<GeometricMean>("geometric_mean", 1, flags)?;
    let mut query = connection
        .prepare("SELECT initial(name), geometric_mean(height) FROM tree GROUP BY initial(name)")?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        println!("{}: {:.1} m", row.get::<_, String>(0)?, row.get::<_, f64>(1)?);
    }

    // Numbers inside texts by their value: "oak 9" before "oak 10".
    connection.create_collation("by_number", |left, right| {
        let parts = |text: &str| {
            let (name, number) = text.rsplit_once(' ').unwrap_or((text, ""));
            (name.to_owned(), number.parse::<u64>().unwrap_or(0))
        };
        parts(left).cmp(&parts(right))
    });
    let sql = "SELECT name FROM tree WHERE name < 'oak 10' COLLATE by_number";
    let mut query = connection.prepare(sql)?;
    for name in query.query_map((), |row| row.get::<_, String>(0))? {
        println!("{}", name?);
    }
    Ok(())
}
