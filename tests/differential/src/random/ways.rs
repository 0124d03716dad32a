//! Random ways of JSON through queries: SQLite's subtype goes with a value as far as its plan lets
//! it, and what functions make of the value tells.
//!
//! Elements of a document go through subqueries, compounds, joins and common tables, and come out
//! at functions that ask whether they are JSON. Nothing depends on the order of rows, and no LIMIT
//! cuts any. Neighbours: `wide`, which has what is computed of JSON.

use fastrand::Rng;

use super::query::Queries;
use super::schema::{chance, pick};
use super::script::{Check, Order, Step};

const DOCUMENTS: &[&str] = &[
    "'[[1],{\"a\":2},\"[3]\",4]'",
    "'{\"a\":[1,[2]],\"b\":\"{}\",\"c\":null}'",
    "json_array('[5]', json('[6]'), NULL, 1.5)",
    "'[]'",
];
/// A table of one row beside which elements stand.
const BESIDE: &str = "(SELECT 1 AS o FROM json_each('[7]'))";

impl Queries<'_> {
    /// Elements at a function that reads JSON.
    pub(super) fn way_step(&mut self) -> Step {
        let way = way(self.rng, 3);
        let asked = readers(self.rng, "x");
        let table = table(self.rng, &way);
        let sql = match self.rng.u8(..12) {
            0..=2 => format!("SELECT {asked} FROM {table}"),
            3 => format!("SELECT {asked} FROM {table} WHERE x IS NOT NULL"),
            4 => format!("SELECT {asked} FROM {table} LIMIT 1000"),
            5 => format!("SELECT DISTINCT {asked} FROM {table}"),
            6 => format!(
                "SELECT json_group_array(x ORDER BY quote(x)), max(json_array({asked})) \
                 FROM {table}"
            ),
            7 => format!("SELECT max(json_array(x)), json_array(max(x)), count(*) FROM {table}"),
            8 => format!("SELECT {asked} FROM {table} UNION ALL SELECT {asked} FROM {table}"),
            9 => {
                let materialized = pick(self.rng, &["", "MATERIALIZED ", "NOT MATERIALIZED "]);
                let both = if self.rng.bool() { "c, c AS d" } else { "c" };
                let asked = readers(self.rng, "c.x");
                format!("WITH c AS {materialized}({way}) SELECT {asked} FROM {both}")
            }
            10 => {
                let joined = joined(self.rng, &table);
                format!("SELECT {asked} FROM {joined}")
            }
            _ if loses_order(&way) => format!("SELECT {asked} FROM {table} WHERE 1"),
            _ => format!("SELECT {asked} FROM {table} ORDER BY 1"),
        };
        Step { sql, check: Check::Query(Order::Any) }
    }
}

/// One or two calls that ask whether `value` is JSON.
fn readers(rng: &mut Rng, value: &str) -> String {
    let first = reader(rng, value);
    if rng.bool() { first } else { format!("{first}, {}", reader(rng, value)) }
}

/// What asks whether `value` is JSON.
fn reader(rng: &mut Rng, value: &str) -> String {
    match rng.u8(..7) {
        0 => format!("json_array({value})"),
        1 => format!("json_object('k', +{value})"),
        2 => format!("json_quote({value})"),
        3 => format!("json_set('{{}}', '$.a', {value})"),
        4 => format!("subtype({value})"),
        5 => format!("json_array(max({value}, ''))"),
        _ => format!("json_array(CASE WHEN {value} IS NULL THEN 0 ELSE {value} END)"),
    }
}

/// A select of elements, called `x`.
fn way(rng: &mut Rng, depth: u8) -> String {
    if depth == 0 || chance(rng, 20) {
        let document = pick(rng, DOCUMENTS);
        let value = pick(rng, &["value", "value", "value", "+value", "json(json_quote(value))"]);
        let function = pick(rng, &["json_each", "json_each", "json_tree"]);
        return format!("SELECT {value} AS x FROM {function}({document})");
    }
    let inner = way(rng, depth - 1);
    let inner = table(rng, &inner);
    match rng.u8(..10) {
        0 => format!("SELECT x FROM {inner}"),
        1 => format!("SELECT x FROM {inner} LIMIT 1000"),
        2 => format!("SELECT x FROM {inner} ORDER BY x"),
        3 => format!("SELECT x FROM {inner} WHERE x IS NOT NULL"),
        4 => format!("SELECT DISTINCT x FROM {inner}"),
        5 => {
            let other = way(rng, depth - 1);
            let other = table(rng, &other);
            let limit = pick(rng, &["", "", " LIMIT 1000", " ORDER BY 1"]);
            let limit = if other.contains("ORDER BY") { "" } else { limit };
            format!("SELECT x FROM {inner} UNION ALL SELECT x FROM {other}{limit}")
        }
        6 => {
            let operator = pick(rng, &["UNION", "EXCEPT", "INTERSECT"]);
            format!("SELECT x FROM {inner} {operator} SELECT x FROM {inner}")
        }
        7..=8 => {
            let joined = joined(rng, &inner);
            let limit = pick(rng, &["", "", " LIMIT 1000"]);
            format!("SELECT x FROM {joined}{limit}")
        }
        _ => format!("SELECT max(x) AS x FROM {inner}"),
    }
}

/// Whether SQLite leaves out an order in the last part of a compound, for one that is asked of all:
/// elements are JSON in that part then, and texts in the others.
fn loses_order(way: &str) -> bool {
    way.rsplit_once("UNION ALL").is_some_and(|(_, last)| last.contains("ORDER BY"))
}

/// A select in FROM: some by a name.
fn table(rng: &mut Rng, way: &str) -> String {
    if chance(rng, 15) {
        let materialized = pick(rng, &["", "MATERIALIZED "]);
        return format!("(WITH w AS {materialized}({way}) SELECT * FROM w)");
    }
    format!("({way})")
}

/// Elements beside one row, which an outer join may make up or leave alone.
fn joined(rng: &mut Rng, table: &str) -> String {
    let join = pick(rng, &["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"]);
    let on = if join == "CROSS JOIN" { "" } else { pick(rng, &[" ON 1", " ON o = 1", " ON 0"]) };
    if rng.bool() {
        format!("{table} AS s {join} {BESIDE} AS b{on}")
    } else {
        format!("{BESIDE} AS b {join} {table} AS s{on}")
    }
}
