//! `tpch`: the 22 queries on generated data, results and times of both engines side by side.
//!
//! Neighbours: the package `pandodb-tpch` has the data and the queries.

use std::time::{Duration, Instant};

use pandodb_tpch::{Generator, QUERIES, SCHEMA};

use crate::engine::{Engine, Failure, Kind, Rows, Sqlite, Value, execute};

/// What `tpch` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Size in thousandths of the benchmark's unit: 1 is 1,500 orders.
    #[arg(long, default_value_t = 2)]
    scale: i64,
    /// The seed of the data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this query.
    #[arg(long)]
    query: Option<usize>,
    /// Shows both plans of each query, and what the steps took here.
    #[arg(long)]
    explain: bool,
    /// What to compare with SQLite.
    #[arg(long, value_enum, default_value_t = Kind::Pandodb)]
    engine: Kind,
}

/// Runs the queries; whether all results agree.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, String> {
    let mut sqlite = Sqlite::open().map_err(|failure| failure.to_string())?;
    let mut engine = arguments.engine.open().map_err(|failure| failure.to_string())?;
    let statements = Generator::new(arguments.seed, arguments.scale.max(1)).statements();
    for (name, database) in [("SQLite", &mut sqlite as &mut dyn Engine), ("here", engine.as_mut())]
    {
        let started = Instant::now();
        load(database, &statements).map_err(|failure| format!("{name}: {failure}"))?;
        println!("loaded {:<8} {:>8.3} s", name, started.elapsed().as_secs_f64());
    }
    println!("{:>5} {:>7} {:>11} {:>11}", "query", "rows", "SQLite ms", "here ms");
    let mut all_agree = true;
    for (number, sql) in (1..).zip(QUERIES) {
        if arguments.query.is_some_and(|wanted| wanted != number) {
            continue;
        }
        if arguments.explain {
            for (name, database) in
                [("SQLite", &mut sqlite as &mut dyn Engine), ("here", engine.as_mut())]
            {
                println!("  {name}");
                show_plan(database, sql);
                if name == "here"
                    && let Ok(plan) = database.execute(&format!("EXPLAIN ANALYZE {sql}"))
                {
                    plan.rows.iter().flatten().for_each(|line| println!("      {line}"));
                }
            }
        }
        let (expected, theirs) = timed(&mut sqlite, sql);
        let (actual, ours) = timed(engine.as_mut(), sql);
        let count = expected.as_ref().map_or(0, |rows| rows.rows.len());
        let (theirs, ours) = (millis(theirs), millis(ours));
        let verdict = difference(&expected, &actual);
        let word = if verdict.is_none() { "" } else { "  DIFFERS" };
        println!("{number:>5} {count:>7} {theirs:>11.2} {ours:>11.2}{word}");
        if let Some(difference) = verdict {
            println!("      {difference}");
            all_agree = false;
        }
    }
    Ok(all_agree)
}

fn load(database: &mut dyn Engine, statements: &[String]) -> Result<(), Failure> {
    database.execute(SCHEMA)?;
    database.execute("BEGIN")?;
    for statement in statements {
        database.execute(statement)?;
    }
    database.execute("COMMIT")?;
    database.execute("ANALYZE")?;
    Ok(())
}

/// Prints the plan of a query, its lines indented as they stand below each other.
fn show_plan(database: &mut dyn Engine, sql: &str) {
    let Ok(plan) = database.execute(&format!("EXPLAIN QUERY PLAN {sql}")) else { return };
    let mut parents = vec!["0".to_owned()];
    for row in &plan.rows {
        let text = |place: usize| row.get(place).map(ToString::to_string).unwrap_or_default();
        while parents.len() > 1 && parents.last() != Some(&text(1)) {
            parents.pop();
        }
        println!("    {}{}", "  ".repeat(parents.len()), text(3));
        parents.push(text(0));
    }
}

fn timed(database: &mut dyn Engine, sql: &str) -> (Result<Rows, Failure>, Duration) {
    let started = Instant::now();
    let result = execute(database, sql);
    (result, started.elapsed())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// What differs first; sums of money may differ in their last digits.
fn difference(expected: &Result<Rows, Failure>, actual: &Result<Rows, Failure>) -> Option<String> {
    let (expected, actual) = match (expected, actual) {
        (Ok(expected), Ok(actual)) => (&expected.rows, &actual.rows),
        (Err(failure), _) => return Some(format!("SQLite: {failure}")),
        (_, Err(failure)) => return Some(format!("here: {failure}")),
    };
    if expected.len() != actual.len() {
        return Some(format!("{} rows, here {}", expected.len(), actual.len()));
    }
    let shown = |row: &[Value]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
    let differing = expected.iter().zip(actual).find(|(left, right)| {
        left.len() != right.len()
            || left.iter().zip(right.iter()).any(|(left, right)| !near(left, right))
    });
    differing.map(|(left, right)| format!("{}\n      {}", shown(left), shown(right)))
}

fn near(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Real(left), Value::Real(right)) => {
            (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn the_data_answers_most_questions() {
        let mut sqlite = Sqlite::open().unwrap();
        let statements = Generator::new(1, 1).statements();
        load(&mut sqlite, &statements).unwrap();
        let empty: Vec<usize> = (1..)
            .zip(QUERIES)
            .filter(|(_, sql)| sqlite.execute(sql).unwrap().rows.is_empty())
            .map(|(number, _)| number)
            .collect();
        assert_eq!(empty, [] as [usize; 0]);
    }
}
