//! Random queries.
//!
//! A query is either compared as a set of rows, or sorted by all it returns. Functions whose
//! result depends on the order of rows get an ORDER BY that decides it. Neighbours:
//! `expression`, `compare` (how results are compared).

use fastrand::Rng;

use super::expression::{Expressions, Source};
use super::schema::{Schema, chance, pick};
use super::script::{Check, Order, Step};
use super::wide::decided_by;

/// A maker of queries over a schema.
pub(super) struct Queries<'r> {
    /// Where chance comes from.
    pub(super) rng: &'r mut Rng,
    /// What exists.
    pub(super) schema: &'r Schema,
}

impl Queries<'_> {
    /// A query with how to compare it.
    pub(super) fn query(&mut self) -> Step {
        match self.rng.u8(..30) {
            23..=29 => self.deep_step(),
            0..=6 => self.select_step(),
            7..=8 => self.forms_step(),
            9..=11 => self.aggregate_step(),
            12..=13 => self.window_step(),
            14..=15 => self.compound_step(),
            16 => self.recursive_step(),
            17..=18 => self.partition_step(),
            19..=21 => self.wide_step(),
            _ => self.count_step(),
        }
    }

    /// FROM with one to three sources.
    pub(super) fn from(&mut self) -> (String, Vec<Source>) {
        let (mut text, first) = self.item(0);
        let mut sources = vec![first];
        let more = [0, 0, 1, 1, 1, 2][self.rng.usize(..6)];
        for at in 1..=more {
            let (item, source) = self.item(at);
            let join = pick(
                self.rng,
                &[
                    "JOIN",
                    "JOIN",
                    "LEFT JOIN",
                    "LEFT JOIN",
                    "CROSS JOIN",
                    "RIGHT JOIN",
                    "FULL JOIN",
                ],
            );
            sources.push(source.clone());
            let usable = sources.clone();
            let on = if join == "CROSS JOIN" || chance(self.rng, 4) {
                String::new()
            // Behind USING, SQLite finds `*` of a RIGHT or FULL JOIN ambiguous.
            } else if at == more && chance(self.rng, 10) && self.shares(&sources, "c1") {
                " USING (c1)".to_owned()
            } else if chance(self.rng, 60) {
                let previous = &sources[self.rng.usize(..at)];
                let left = &previous.columns[self.rng.usize(..previous.columns.len())];
                let right = &source.columns[self.rng.usize(..source.columns.len())];
                let (left_alias, right_alias) = (&previous.alias, &source.alias);
                format!(" ON {left_alias}.{left} = {right_alias}.{right}")
            } else {
                format!(" ON {}", self.scope(usable, 0).condition(1))
            };
            text.push_str(&format!(" {join} {item}{on}"));
        }
        (text, sources)
    }

    pub(super) fn shares(&self, sources: &[Source], column: &str) -> bool {
        sources.iter().all(|source| source.columns.iter().any(|name| name == column))
    }

    fn item(&mut self, at: usize) -> (String, Source) {
        let table = &self.schema.tables[self.rng.usize(..self.schema.tables.len())];
        let alias = ["a", "b", "c"][at];
        let source = Source::of(table, alias);
        if chance(self.rng, 85) {
            return (format!("{} AS {alias}", table.name), source);
        }
        let inner = Source::of(table, "i");
        let mut scope = self.scope(vec![inner], 0);
        let columns = vec!["c0".to_owned(), "c1".to_owned()];
        let (first, second) = (scope.value(1), scope.value(1));
        let condition = scope.condition(1);
        let distinct = pick(self.rng, &["", "", "DISTINCT "]);
        let text = format!(
            "(SELECT {distinct}{first} AS c0, {second} AS c1 FROM {} AS i WHERE {condition}) \
             AS {alias}",
            table.name
        );
        (text, Source { alias: alias.to_owned(), columns })
    }

    pub(super) fn scope(&mut self, sources: Vec<Source>, depth: u8) -> Expressions<'_> {
        Expressions { rng: self.rng, schema: self.schema, sources, depth }
    }

    pub(super) fn filter(&mut self, sources: &[Source]) -> String {
        if chance(self.rng, 25) {
            return String::new();
        }
        format!(" WHERE {}", self.scope(sources.to_vec(), 1).condition(2))
    }

    fn values(&mut self, sources: &[Source], count: usize) -> Vec<String> {
        (0..count).map(|_| self.scope(sources.to_vec(), 1).value(2)).collect()
    }

    /// A plain SELECT of `count` values.
    fn select(&mut self, count: usize) -> String {
        let (from, sources) = self.from();
        let values = self.values(&sources, count).join(", ");
        let filter = self.filter(&sources);
        let distinct = pick(self.rng, &["", "", "", "DISTINCT "]);
        format!("SELECT {distinct}{values} FROM {from}{filter}")
    }

    /// Sorts by everything, perhaps with a limit.
    pub(super) fn ordered(&mut self, sql: String, count: usize) -> Step {
        if chance(self.rng, 50) {
            return Step { sql, check: Check::Query(Order::Any) };
        }
        let terms: Vec<String> = (1..=count)
            .map(|at| {
                let direction = pick(self.rng, &["", "", " DESC", " ASC NULLS LAST"]);
                format!("{at}{direction}")
            })
            .collect();
        let sql = format!("{sql} ORDER BY {}", terms.join(", "));
        if chance(self.rng, 60) {
            return Step { sql, check: Check::Query(Order::Sorted) };
        }
        let mut sql = format!("{sql} LIMIT {}", self.rng.u8(..8));
        if chance(self.rng, 40) {
            sql.push_str(&format!(" OFFSET {}", self.rng.u8(..5)));
        }
        Step { sql, check: Check::Query(Order::Limited) }
    }

    pub(super) fn select_step(&mut self) -> Step {
        if chance(self.rng, 12) {
            let (from, sources) = self.from();
            let sql = format!("SELECT * FROM {from}{}", self.filter(&sources));
            return Step { sql, check: Check::Query(Order::Any) };
        }
        let count = self.rng.usize(1..=3);
        let mut sql = self.select(count);
        if chance(self.rng, 12) {
            let table = &self.schema.tables[self.rng.usize(..self.schema.tables.len())];
            let hint = pick(self.rng, &["", "", "MATERIALIZED ", "NOT MATERIALIZED "]);
            let inner = format!("SELECT * FROM {} WHERE {} ", table.name, {
                let source = Source::of(table, &table.name);
                self.scope(vec![source], 0).condition(1)
            });
            sql = format!(
                "WITH w AS {hint}({inner}) {}",
                sql.replacen(&format!(" {} AS ", table.name), " w AS ", 1)
            );
        }
        self.ordered(sql, count)
    }

    fn aggregate(&mut self, sources: &[Source]) -> String {
        let distinct = pick(self.rng, &["", "", "", "DISTINCT "]);
        let mut scope = self.scope(sources.to_vec(), 0);
        let value = scope.value(1);
        let mut text = match scope.rng.u8(..9) {
            0..=1 => "count(*)".to_owned(),
            2 => format!("count({distinct}{value})"),
            3 => format!("min({value})"),
            4 => format!("max({value})"),
            5 => format!("total({distinct}{value})"),
            6 => format!("avg({distinct}{value})"),
            7 => format!("sum({distinct}CAST({value} AS INTEGER) % 1000)"),
            _ => format!("group_concat(quote({value}), '-' ORDER BY quote({value}))"),
        };
        if chance(self.rng, 15) {
            let condition = self.scope(sources.to_vec(), 0).condition(1);
            text.push_str(&format!(" FILTER (WHERE {condition})"));
        }
        text
    }

    fn aggregate_step(&mut self) -> Step {
        let (from, sources) = self.from();
        let filter = self.filter(&sources);
        let aggregates: Vec<String> =
            (0..self.rng.usize(1..=3)).map(|_| self.aggregate(&sources)).collect();
        if chance(self.rng, 35) {
            let sql = format!("SELECT {} FROM {from}{filter}", aggregates.join(", "));
            return Step { sql, check: Check::Query(Order::Any) };
        }
        let keys: Vec<String> = (0..self.rng.usize(1..=2))
            .map(|_| self.scope(sources.clone(), 0).value(1))
            // A number alone would mean a column of the result.
            .map(|key| if key.parse::<f64>().is_ok() { format!("({key} + 0)") } else { key })
            .collect();
        let count = keys.len() + aggregates.len();
        let (keys, aggregates) = (keys.join(", "), aggregates.join(", "));
        let mut sql = format!("SELECT {keys}, {aggregates} FROM {from}{filter} GROUP BY {keys}");
        if chance(self.rng, 30) {
            let aggregate = self.aggregate(&sources);
            let operator = pick(self.rng, &[">", "<=", "<>", "IS NOT"]);
            sql.push_str(&format!(" HAVING {aggregate} {operator} {}", self.rng.u8(..4)));
        }
        self.ordered(sql, count)
    }

    fn window_step(&mut self) -> Step {
        let Some((from, sources)) = self.few() else { return self.select_step() };
        let filter = self.filter(&sources);
        let mut scope = self.scope(sources.clone(), 0);
        let (value, key, partition) = (scope.value(1), scope.column(), scope.column());
        // Ties must not decide anything: the row's own values break them.
        let breakers = decided_by(&sources);
        let function = match self.rng.u8(..12) {
            0 => "row_number()".to_owned(),
            1 => "rank()".to_owned(),
            2 => "dense_rank()".to_owned(),
            3 => format!("ntile({})", self.rng.u8(1..5)),
            4 => format!("lag({value})"),
            5 => format!("lead({value}, 2, 'none')"),
            6 => format!("first_value({value})"),
            7 => format!("last_value({value})"),
            8 => format!("nth_value({value}, 2)"),
            9 => "count(*)".to_owned(),
            10 => format!("max({value})"),
            _ => format!("total({value})"),
        };
        let partition =
            if chance(self.rng, 50) { format!("PARTITION BY {partition} ") } else { String::new() };
        let direction = pick(self.rng, &["", " DESC"]);
        if chance(self.rng, 25) {
            return self.range_step(&from, &sources, &filter, &key, &partition);
        }
        let frame = self.frame();
        let order = format!("ORDER BY {key}{direction}, {breakers}");
        let sql = format!(
            "SELECT {value}, {function} OVER ({partition}{order}{frame}) FROM {from}{filter}"
        );
        Step { sql, check: Check::Query(Order::Any) }
    }

    /// FROM with at most two sources: frames that leave rows out take SQLite the square of the
    /// rows.
    pub(super) fn few(&mut self) -> Option<(String, Vec<Source>)> {
        Some(self.from()).filter(|(_, sources)| sources.len() < 3)
    }

    /// A frame by distance; what it computes does not depend on the order of equal keys.
    fn range_step(
        &mut self,
        from: &str,
        sources: &[Source],
        filter: &str,
        key: &str,
        partition: &str,
    ) -> Step {
        let value = self.scope(sources.to_vec(), 0).value(1);
        let function = match self.rng.u8(..4) {
            0 => "count(*)".to_owned(),
            1 => format!("count({value})"),
            2 => format!("sum(length({value}))"),
            _ => format!("group_concat(quote({value}) ORDER BY quote({value}))"),
        };
        // An ORDER BY in an aggregate is none of a window's.
        let function = if function.contains("ORDER") { "count(*)".to_owned() } else { function };
        let start = pick(self.rng, &["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW"]);
        let end = pick(self.rng, &["CURRENT ROW", "1.5 FOLLOWING", "UNBOUNDED FOLLOWING"]);
        let direction = pick(self.rng, &["", " DESC"]);
        let sql = format!(
            "SELECT quote({key}), {function} OVER ({partition}ORDER BY {key}{direction} RANGE \
             BETWEEN {start} AND {end}) FROM {from}{filter}"
        );
        Step { sql, check: Check::Query(Order::Any) }
    }

    fn frame(&mut self) -> String {
        if chance(self.rng, 40) {
            return String::new();
        }
        let unit = pick(self.rng, &["ROWS", "GROUPS"]);
        let start = pick(self.rng, &["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW"]);
        let end = pick(self.rng, &["CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"]);
        let exclude =
            pick(self.rng, &["", "", " EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP"]);
        format!(" {unit} BETWEEN {start} AND {end}{exclude}")
    }

    fn compound_step(&mut self) -> Step {
        let count = self.rng.usize(1..=2);
        let mut sql = self.select(count);
        for _ in 0..self.rng.usize(1..=2) {
            let operator = pick(self.rng, &["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]);
            sql = format!("{sql} {operator} {}", self.select(count));
        }
        self.ordered(sql, count)
    }

    fn recursive_step(&mut self) -> Step {
        let table = &self.schema.tables[self.rng.usize(..self.schema.tables.len())];
        let source = Source::of(table, "b");
        let numbers = Source { alias: "r".to_owned(), columns: vec!["n".to_owned()] };
        let end = self.rng.u8(2..12);
        let operator = pick(self.rng, &["UNION ALL", "UNION"]);
        let column = &source.columns[self.rng.usize(..source.columns.len())].clone();
        let condition = self.scope(vec![source, numbers], 0).condition(1);
        let join = pick(self.rng, &["JOIN", "LEFT JOIN"]);
        let sql = format!(
            "WITH RECURSIVE r(n) AS (SELECT 1 {operator} SELECT n + 1 FROM r WHERE n < {end}) \
             SELECT r.n, b.{column} FROM r {join} {} AS b ON {condition}",
            table.name
        );
        self.ordered(sql, 2)
    }

    /// A query and the three parts that a condition cuts it into.
    fn partition_step(&mut self) -> Step {
        let (from, sources) = self.from();
        let values = self.values(&sources, 2).join(", ");
        let condition = self.scope(sources, 1).condition(2);
        let sql = format!("SELECT {values} FROM {from}");
        let part = |condition: String| format!("{sql} WHERE {condition}");
        let parts = vec![
            part(condition.clone()),
            part(format!("NOT ({condition})")),
            part(format!("({condition}) IS NULL")),
        ];
        Step { check: Check::Partition(parts), sql }
    }

    /// A count of rows that a condition selects, and the same count without selecting.
    fn count_step(&mut self) -> Step {
        let (from, sources) = self.from();
        let condition = self.scope(sources, 1).condition(2);
        let sql = format!("SELECT count(*) FROM {from} WHERE {condition}");
        let other = format!("SELECT count(CASE WHEN {condition} THEN 1 END) FROM {from}");
        Step { sql, check: Check::Same(other) }
    }
}
