//! Random joins that make one column of several: USING and NATURAL in chains and in parentheses,
//! with rows that outer joins make up, and questions about the column without a table's name.
//!
//! Neighbours: `deep`, which asks for these; `query`.

use super::expression::{Source, literal_for};
use super::query::Queries;
use super::schema::{Table, chance, pick};
use super::script::{Check, Order, Step};

const JOINS: &[&str] = &["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"];
const OPERATORS: &[&str] = &["=", "=", "<", ">=", "<>", "IS", "IS NOT", "LIKE"];

impl Queries<'_> {
    /// Three tables that are joined by what they share.
    pub(super) fn merged_step(&mut self) -> Step {
        let tables: Vec<Table> = (0..3)
            .map(|_| self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone())
            .collect();
        let item = |at: usize| format!("{} AS {}", tables[at].name, ["a", "b", "c"][at]);
        let (first, second) = (self.matched(), self.matched());
        let from = match self.rng.u8(..4) {
            0 => joined(&joined(&item(0), &first, &item(1)), &second, &item(2)),
            1 => {
                let inner = format!("({})", joined(&item(0), &first, &item(1)));
                joined(&inner, &second, &item(2))
            }
            2 => joined(&item(0), &first, &item(1)),
            _ => {
                let inner = format!("({})", joined(&item(1), &first, &item(2)));
                joined(&item(0), &second, &inner)
            }
        };
        let column = &tables[0].columns[self.rng.usize(..tables[0].columns.len())];
        let shared = pick(self.rng, &["c0", "c0", "c1", column.name.as_str()]).to_owned();
        let about = |queries: &mut Self| {
            let (operator, value) =
                (pick(queries.rng, OPERATORS), literal_for(queries.rng, column.kind));
            format!("{shared} {operator} {value}")
        };
        let filter =
            if chance(self.rng, 60) { format!(" WHERE {}", about(self)) } else { String::new() };
        let source = Source::of(&tables[0], "a");
        let own = format!("a.{}", source.columns[self.rng.usize(..source.columns.len())]);
        let other = format!("b.{}", tables[1].columns[0].name);
        let value = match self.rng.u8(..6) {
            0 => format!("typeof({shared})"),
            1 => about(self),
            2 => format!("CASE {shared} WHEN {} THEN 1 END", literal_for(self.rng, column.kind)),
            3 => own,
            4 => other,
            _ => format!("{shared} || 'x'"),
        };
        let sql = match self.rng.u8(..6) {
            0 => format!("SELECT {shared}, count(*) FROM {from}{filter} GROUP BY {shared}"),
            1 => format!("SELECT m.{shared} FROM (SELECT {shared} FROM {from}) AS m{filter}"),
            2 => format!("SELECT count(*) FROM {from}{filter}"),
            _ => format!("SELECT {shared}, {value} FROM {from}{filter}"),
        };
        Step { sql, check: Check::Query(Order::Any) }
    }

    /// A join and what makes a pair.
    fn matched(&mut self) -> (String, String) {
        let join = pick(self.rng, JOINS).to_owned();
        match self.rng.u8(..6) {
            0 => (format!("NATURAL {join}"), String::new()),
            1 => (join, " USING (c0, c1)".to_owned()),
            2 => (join, " USING (c1)".to_owned()),
            _ => (join, " USING (c0)".to_owned()),
        }
    }
}

fn joined(left: &str, (join, on): &(String, String), right: &str) -> String {
    format!("{left} {join} {right}{on}")
}
