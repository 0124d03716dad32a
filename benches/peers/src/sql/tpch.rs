//! TPC-H: 22 questions over eight tables, each timed alone, and their geometric mean.
//!
//! A tenth of the benchmark's unit comes with a million rows of the other workloads, less with
//! fewer. Neighbours: the package `pandodb-tpch` has data and questions, `reads` the others.

use std::path::Path;
use std::time::Instant;

use pandodb_tpch::{Generator, QUERIES, SCHEMA};

use super::client::{Connection, Database, Durable, Table, difference, rows_in_time};
use super::duck::{self, Duck};
use super::pando::Pando;
use super::sqlite::Sqlite;
use crate::turns::{Figures, Outcome, PANDO, Rounds, Unit};

/// The names of the questions, and of their mean.
const NAMES: [&str; 22] = [
    "tpch/q01", "tpch/q02", "tpch/q03", "tpch/q04", "tpch/q05", "tpch/q06", "tpch/q07", "tpch/q08",
    "tpch/q09", "tpch/q10", "tpch/q11", "tpch/q12", "tpch/q13", "tpch/q14", "tpch/q15", "tpch/q16",
    "tpch/q17", "tpch/q18", "tpch/q19", "tpch/q20", "tpch/q21", "tpch/q22",
];
const MEAN: &str = "tpch/geometric-mean";

/// In an order in which they can be filled.
const TABLES: [&str; 8] =
    ["region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem"];

/// Measures the questions that are asked for.
pub(super) fn measure(
    rounds: &mut Rounds,
    folder: &Path,
    rows: u64,
    has_peers: bool,
) -> Outcome<()> {
    let is_wanted = NAMES.iter().chain([&MEAN]).any(|name| rounds.wants(name));
    if !is_wanted {
        return Ok(());
    }
    let statements = Generator::new(1, (rows / 10_000).max(1) as i64).statements();
    let own = fill::<Pando>(&folder.join("tpch-pando"), &statements)?.connect(Durable::Later)?;
    let mut peer = None;
    let mut duck = None;
    if has_peers {
        let database = fill::<Sqlite>(&folder.join("tpch-sqlite"), &statements)?;
        let connection = peer.insert(database.connect(Durable::Later)?);
        duck = Duck::start(rounds, &folder.join("tpch.duck"))?;
        if let Some(duck) = &mut duck {
            let tables = SCHEMA.split(';').filter(|sql| sql.trim().starts_with("CREATE TABLE"));
            let schema: String = tables.map(|sql| without_keys(sql) + ";").collect();
            duck.fill(&schema, &TABLES, connection, folder)?;
        }
    }
    let mut contenders: Vec<(&'static str, Contender<'_>)> =
        vec![(PANDO, Box::new(|sql| ask(&own, sql)))];
    if let Some(peer) = &peer {
        contenders.push((Sqlite::NAME, Box::new(|sql| ask(peer, sql))));
    }
    if let Some(duck) = &mut duck {
        contenders.push((duck::NAME, Box::new(|sql| Ok((duck.ask(sql)?, None)))));
    }
    run(rounds, &mut contenders);
    Ok(())
}

/// A way to answer a question: its time, and the rows where they can be compared.
type Contender<'a> = Box<dyn FnMut(&str) -> Outcome<(f64, Option<Table>)> + 'a>;

fn run(rounds: &mut Rounds, contenders: &mut [(&'static str, Contender<'_>)]) {
    let mut means: Vec<(&'static str, Vec<f64>)> =
        contenders.iter().map(|(name, _)| (*name, vec![0.0; rounds.count()])).collect();
    let mut counted = 0;
    for (workload, sql) in NAMES.into_iter().zip(QUERIES) {
        if !rounds.wants(workload) && !rounds.wants(MEAN) {
            continue;
        }
        match ask_all(rounds.count(), workload, sql, contenders) {
            Ok(figures) => {
                counted += 1;
                for ((_, mean), (_, own)) in means.iter_mut().zip(&figures.contenders) {
                    for (sum, figure) in mean.iter_mut().zip(own) {
                        *sum += figure.ln();
                    }
                }
                rounds.all.push(figures);
            }
            Err(error) => rounds.fail(workload, error.to_string()),
        }
    }
    if counted == QUERIES.len() {
        for (_, mean) in &mut means {
            for sum in mean {
                *sum = (*sum / f64::from(counted as u32)).exp();
            }
        }
        rounds.all.push(Figures { workload: MEAN, unit: Unit::Nanoseconds, contenders: means });
    } else if rounds.wants(MEAN) {
        rounds.fail(MEAN, format!("{counted} of {} questions were answered", QUERIES.len()));
    }
}

/// One question in turn; the first answers are compared.
fn ask_all(
    count: usize,
    workload: &'static str,
    sql: &str,
    contenders: &mut [(&'static str, Contender<'_>)],
) -> Outcome<Figures> {
    eprintln!("{workload} ...");
    let mut figures: Vec<(&'static str, Vec<f64>)> = Vec::new();
    let mut ours: Option<Table> = None;
    for (name, contender) in contenders.iter_mut() {
        let (_, rows) = contender(sql).map_err(|error| format!("{name}: {error}"))?;
        match (&ours, rows) {
            (None, rows) => ours = rows,
            (Some(ours), Some(theirs)) => {
                if let Some(found) = difference(theirs, ours.clone(), false) {
                    return Err(format!("{name}: {found}").into());
                }
            }
            (Some(_), None) => {}
        }
        figures.push((*name, Vec::new()));
    }
    for round in 0..count {
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            figures[index].1.push((contenders[index].1)(sql)?.0);
        }
    }
    Ok(Figures { workload, unit: Unit::Nanoseconds, contenders: figures })
}

/// The time from the text to the last row.
fn ask<C: Connection>(connection: &C, sql: &str) -> Outcome<(f64, Option<Table>)> {
    let start = Instant::now();
    let rows = rows_in_time(connection, sql, &[])?;
    Ok((start.elapsed().as_secs_f64() * 1e9, Some(rows)))
}

fn fill<D: Database>(folder: &Path, statements: &[String]) -> Outcome<D> {
    std::fs::create_dir_all(folder)?;
    let database = D::open(folder)?;
    let connection = database.connect(Durable::Later)?;
    connection.run_all(SCHEMA)?;
    connection.run_all("BEGIN")?;
    for statement in statements {
        connection.run_all(statement)?;
    }
    connection.run_all("COMMIT")?;
    connection.run_all("ANALYZE")?;
    drop(connection);
    Ok(database)
}

/// A table's definition without what DuckDB writes in another way and does not use.
fn without_keys(sql: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut rest = sql;
    while let Some(at) = rest.find(" REFERENCES ") {
        words.push(&rest[..at]);
        let behind = &rest[at + " REFERENCES ".len()..];
        rest = &behind[behind.find([',', ')']).unwrap_or(behind.len())..];
    }
    words.push(rest);
    words.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_go_and_columns_stay() {
        let sql = "CREATE TABLE t(a INTEGER REFERENCES part, b TEXT, c INTEGER REFERENCES x)";
        assert_eq!(without_keys(sql), "CREATE TABLE t(a INTEGER, b TEXT, c INTEGER)");
    }
}
