//! Random queries in which one part stands inside of another: joins in parentheses, subqueries
//! that group, sort or put selects together, common tables that are read twice, recursion over a
//! table, windows with names and over groups.
//!
//! What depends on the order of rows sorts by `quote()` of its columns, which tells all values
//! apart that are not the same. Neighbours: `query`, which asks for these; `wide`.

use super::expression::{Expressions, Source, literal};
use super::query::Queries;
use super::schema::{Table, chance, pick};
use super::script::{Check, Order, Step};

/// Columns of a source as terms that decide any order.
fn decisive(sources: &[Source]) -> String {
    let columns = |source: &Source| -> Vec<String> {
        source.columns.iter().map(|column| format!("quote({}.{column})", source.alias)).collect()
    };
    sources.iter().flat_map(columns).collect::<Vec<_>>().join(", ")
}

fn any(sql: String) -> Step {
    Step { sql, check: Check::Query(Order::Any) }
}

impl Queries<'_> {
    /// A query of nested parts.
    pub(super) fn deep_step(&mut self) -> Step {
        match self.rng.u8(..18) {
            16..=17 => self.merged_step(),
            0..=2 => self.joined_step(),
            3..=5 => self.derived_step(),
            6..=9 => self.nested_step(),
            10 => self.shared_step(),
            11 => self.tree_step(),
            12 => self.named_windows_step(),
            13 => self.grouped_window_step(),
            14 => self.described_step(),
            _ => self.cut_step(),
        }
    }

    fn table(&mut self) -> Table {
        self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone()
    }

    fn pair(&mut self, left: &Source, right: &Source) -> String {
        let (one, other) = (self.column_of(left), self.column_of(right));
        let operator = pick(self.rng, &["=", "=", "=", "IS", "<", ">="]);
        format!("{one} {operator} {other}")
    }

    fn column_of(&mut self, source: &Source) -> String {
        let column = &source.columns[self.rng.usize(..source.columns.len())];
        format!("{}.{column}", source.alias)
    }

    /// NATURAL and USING over several tables, commas, joins in parentheses.
    fn joined_step(&mut self) -> Step {
        let tables = [self.table(), self.table(), self.table()];
        let sources: Vec<Source> = tables
            .iter()
            .zip(["a", "b", "c"])
            .map(|(table, alias)| Source::of(table, alias))
            .collect();
        let [a, b, c] =
            [0, 1, 2].map(|at: usize| format!("{} AS {}", tables[at].name, sources[at].alias));
        let outer = pick(self.rng, &["", "LEFT ", "CROSS ", "RIGHT ", "FULL "]);
        let plain = pick(self.rng, &["", "LEFT "]);
        let (ab, bc) = (self.pair(&sources[0], &sources[1]), self.pair(&sources[1], &sources[2]));
        let (from, count) = match self.rng.u8(..6) {
            0 => (format!("{a} NATURAL {plain}JOIN {b}"), 2),
            1 => (format!("{a}, {b} {plain}JOIN {c} ON {bc}"), 3),
            2 => (format!("{a} {outer}JOIN ({b} {plain}JOIN {c} ON {bc}) ON {ab}"), 3),
            3 => (format!("({a} JOIN {b} ON {ab}) {outer}JOIN {c} ON {bc}"), 3),
            4 if self.shares(&sources[..2], "c0") => (format!("{a} {outer}JOIN {b} USING (c0)"), 2),
            _ => (
                format!("{a} {outer}JOIN {b} ON {ab} AND {}", self.pair(&sources[1], &sources[0])),
                2,
            ),
        };
        let from = if outer == "CROSS " { from.replace("CROSS JOIN (", "JOIN (") } else { from };
        let sources = sources[..count].to_vec();
        let filter = self.filter(&sources);
        let star = from.contains("NATURAL") || from.contains("USING");
        if star && chance(self.rng, 50) {
            return any(format!("SELECT * FROM {from}{filter}"));
        }
        let values: Vec<String> = (0..2).map(|_| self.scope(sources.clone(), 1).value(1)).collect();
        self.ordered(format!("SELECT {} FROM {from}{filter}", values.join(", ")), 2)
    }

    /// A subquery in FROM that groups, puts together, numbers, lists or cuts, with conditions
    /// around it that may be pushed into it.
    fn derived(&mut self, alias: &str) -> (String, Source) {
        let table = self.table();
        let inner = Source::of(&table, "i");
        let all = decisive(std::slice::from_ref(&inner));
        let sources = vec![inner.clone()];
        let mut scope = self.scope(sources, 0);
        let (one, two) = (scope.value(1), scope.value(1));
        let condition = scope.condition(1);
        let (column, more) = (scope.column(), literal(scope.rng));
        let name = &table.name;
        let operator = pick(self.rng, &["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
        let body = match self.rng.u8(..7) {
            0 => format!(
                "SELECT quote({one}) AS c0, count({two}) AS c1 FROM {name} AS i WHERE {condition} \
                 GROUP BY quote({one})"
            ),
            1 => format!(
                "SELECT {one} AS c0, {two} AS c1 FROM {name} AS i {operator} SELECT {column}, \
                 {more} FROM {name} AS i WHERE {condition}"
            ),
            2 => format!(
                "SELECT {one} AS c0, row_number() OVER (PARTITION BY quote({column}) ORDER BY \
                 {all}) AS c1 FROM {name} AS i"
            ),
            3 => format!(
                "SELECT column1 AS c0, column2 AS c1 FROM (VALUES ({more}, 1), (NULL, 2), ('a', \
                 {more}))"
            ),
            4 => format!(
                "SELECT {one} AS c0, {two} AS c1 FROM {name} AS i WHERE {condition} ORDER BY {all} \
                 LIMIT {}",
                self.rng.u8(..6)
            ),
            5 => format!("SELECT DISTINCT quote({one}) AS c0, {more} AS c1 FROM {name} AS i"),
            _ => format!(
                "SELECT max(quote({one})) AS c0, total(length({two})) AS c1 FROM {name} AS i"
            ),
        };
        let columns = vec!["c0".to_owned(), "c1".to_owned()];
        (format!("({body}) AS {alias}"), Source { alias: alias.to_owned(), columns })
    }

    fn derived_step(&mut self) -> Step {
        let (mut from, first) = self.derived("a");
        let mut sources = vec![first];
        if chance(self.rng, 60) {
            let (item, source) = if self.rng.bool() {
                self.derived("b")
            } else {
                let table = self.table();
                (format!("{} AS b", table.name), Source::of(&table, "b"))
            };
            let join = pick(self.rng, &["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            let on = self.pair(&sources[0], &source);
            from = format!("{from} {join} {item} ON {on}");
            sources.push(source);
        }
        let filter = self.filter(&sources);
        let values: Vec<String> = (0..2).map(|_| self.scope(sources.clone(), 1).value(1)).collect();
        self.ordered(format!("SELECT {} FROM {from}{filter}", values.join(", ")), 2)
    }

    /// A subquery of every kind in a condition or as a value.
    fn nested_step(&mut self) -> Step {
        let table = self.table();
        let outer = Source::of(&table, "a");
        let condition = self.nested_condition(&outer);
        let rest = self.scope(vec![outer.clone()], 0).condition(0);
        let joined = pick(self.rng, &["AND", "AND", "OR"]);
        let filter = match self.rng.u8(..4) {
            0 => format!("{condition} {joined} {rest}"),
            1 => format!("NOT ({condition})"),
            2 => {
                format!("({condition}) {}", pick(self.rng, &["IS TRUE", "IS NOT TRUE", "IS NULL"]))
            }
            _ => condition,
        };
        let value = self.nested_value(&outer);
        let column = self.column_of(&outer);
        let sql = format!("SELECT {column}, {value} FROM {} AS a WHERE {filter}", table.name);
        self.ordered(sql, 2)
    }

    fn nested_condition(&mut self, outer: &Source) -> String {
        let table = self.table();
        let (name, inner) = (table.name.clone(), Source::of(&table, "i"));
        let (x, y) = (self.column_of(outer), self.column_of(outer));
        let (k, v) = (self.column_of(&inner), self.column_of(&inner));
        let both = vec![outer.clone(), inner.clone(), inner.clone()];
        let condition = self.scope(both, 0).condition(1);
        let not = pick(self.rng, &["", "NOT "]);
        match self.rng.u8(..9) {
            0 => format!("({x}, {y}) {not}IN (SELECT {k}, {v} FROM {name} AS i WHERE {condition})"),
            1 => format!("{x} {not}IN (SELECT max(quote({v})) FROM {name} AS i GROUP BY {k})"),
            2 => {
                let operator = pick(self.rng, &["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
                format!(
                    "{x} {not}IN (SELECT {k} FROM {name} AS i WHERE {condition} {operator} SELECT \
                     {v} FROM {name} AS i)"
                )
            }
            3 => format!("{x} {not}IN (SELECT DISTINCT {v} FROM {name} AS i WHERE {k} = {y})"),
            4 => {
                let other = self.table();
                let second = Source::of(&other, "j");
                let on = self.pair(&inner, &second);
                format!(
                    "{not}EXISTS (SELECT 1 FROM {name} AS i LEFT JOIN {} AS j ON {on} WHERE \
                     {condition})",
                    other.name
                )
            }
            5 => {
                format!("{not}EXISTS (SELECT {v} FROM {name} AS i WHERE {k} = {x} AND {condition})")
            }
            6 => format!(
                "{x} <> (SELECT {v} FROM {name} AS i WHERE {condition} ORDER BY quote({v}) LIMIT 1)"
            ),
            7 => format!(
                "{x} IS {not}DISTINCT FROM (SELECT count({v}) FROM {name} AS i WHERE {k} < {y})"
            ),
            _ => format!(
                "{not}EXISTS (SELECT count(*) FROM {name} AS i WHERE {k} = {x} GROUP BY {v} HAVING \
                 count(*) > 1)"
            ),
        }
    }

    fn nested_value(&mut self, outer: &Source) -> String {
        let table = self.table();
        let (name, inner) = (table.name.clone(), Source::of(&table, "i"));
        let x = self.column_of(outer);
        let (k, v) = (self.column_of(&inner), self.column_of(&inner));
        let all = decisive(std::slice::from_ref(&inner));
        match self.rng.u8(..6) {
            0 => format!("(SELECT count(*) FROM {name} AS i WHERE {k} = {x})"),
            1 => format!("(SELECT max(quote({v})) FROM {name} AS i WHERE {k} IS {x})"),
            2 => format!(
                "(SELECT quote({v}) FROM {name} AS i WHERE {k} <= {x} ORDER BY {all} LIMIT 1)"
            ),
            3 => format!("(SELECT total(length({v})) + {x} FROM {name} AS i WHERE {k} <> {x})"),
            4 => format!("{x} IN (SELECT {v} FROM {name} AS i)"),
            _ => x,
        }
    }

    /// A common table that several places read.
    fn shared_step(&mut self) -> Step {
        let (body, source) = self.derived("a");
        let body = body.trim_end_matches(" AS a").to_owned();
        let hint = pick(self.rng, &["", "", "MATERIALIZED ", "NOT MATERIALIZED "]);
        let other = Source { alias: "b".to_owned(), ..source.clone() };
        let on = self.pair(&source, &other);
        let condition = match self.rng.u8(..3) {
            0 => "EXISTS (SELECT 1 FROM w AS i WHERE i.c0 = b.c1)".to_owned(),
            1 => "a.c0 IN (SELECT c1 FROM w)".to_owned(),
            _ => self.scope(vec![source, other], 0).condition(1),
        };
        let join = pick(self.rng, &["JOIN", "LEFT JOIN"]);
        any(format!(
            "WITH w AS {hint}{body} SELECT a.c0, b.c1, (SELECT count(*) FROM w) FROM w AS a {join} \
             w AS b ON {on} WHERE {condition}"
        ))
    }

    /// A walk from row to row.
    fn tree_step(&mut self) -> Step {
        let table = self.table();
        let source = Source::of(&table, "i");
        let (from, to) = (self.column_of(&source), self.column_of(&source));
        let condition = self.scope(vec![source], 0).condition(0);
        let (from_j, name) = (from.replacen("i.", "j.", 1), &table.name);
        let to_j = to.replacen("i.", "j.", 1);
        let depth = self.rng.u8(1..5);
        let order = pick(self.rng, &["", "", " ORDER BY 1, 2 LIMIT 7", " ORDER BY 1 DESC, 2"]);
        let sql = format!(
            "WITH RECURSIVE r(n, k) AS (SELECT 0, quote({from}) FROM {name} AS i WHERE {condition} \
             UNION SELECT n + 1, quote({to_j}) FROM r JOIN {name} AS j ON quote({from_j}) = r.k \
             WHERE n < {depth}{order}) SELECT n, k FROM r"
        );
        self.ordered(sql, 2)
    }

    /// Windows with a name, also with a frame of their own.
    fn named_windows_step(&mut self) -> Step {
        let table = self.table();
        let source = Source::of(&table, "a");
        let all = decisive(std::slice::from_ref(&source));
        let mut scope = self.scope(vec![source], 0);
        let (value, partition, condition) = (scope.value(1), scope.column(), scope.condition(1));
        let frame = pick(
            self.rng,
            &[
                "ROWS 2 PRECEDING",
                "GROUPS 1 PRECEDING",
                "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING EXCLUDE NO OTHERS",
                "RANGE CURRENT ROW",
            ],
        );
        let rank = pick(self.rng, &["row_number()", "ntile(3)", "percent_rank()", "rank()"]);
        let order = pick(self.rng, &["", " DESC"]);
        let all = if order.is_empty() { all } else { all.replace("), ", ") DESC, ") + order };
        any(format!(
            "SELECT {rank} OVER w, group_concat(quote({value})) OVER (w {frame}), count(*) FILTER \
             (WHERE {condition}) OVER w, last_value(quote({value})) OVER (p ORDER BY {all}) FROM \
             {} AS a WINDOW p AS (PARTITION BY quote({partition})), w AS (p ORDER BY {all})",
            table.name
        ))
    }

    /// Windows over groups.
    fn grouped_window_step(&mut self) -> Step {
        let table = self.table();
        let source = Source::of(&table, "a");
        let mut scope = self.scope(vec![source], 0);
        let (key, value, condition) = (scope.value(1), scope.column(), scope.condition(1));
        let direction = pick(self.rng, &["", " DESC"]);
        any(format!(
            "SELECT quote({key}), count(*), sum(count({value})) OVER (ORDER BY \
             quote({key}){direction}), rank() OVER (ORDER BY count(*)), lag(max(quote({value}))) \
             OVER (ORDER BY quote({key})) FROM {} AS a WHERE {condition} GROUP BY quote({key})",
            table.name
        ))
    }

    /// What the schema says of itself.
    fn described_step(&mut self) -> Step {
        let table = self.table();
        let name = table.name.strip_prefix("other.").unwrap_or(&table.name);
        let schema = if name.len() < table.name.len() { "other." } else { "" };
        let index = self.rng.usize(..=self.schema.objects);
        let sql = match self.rng.u8(..6) {
            0 => format!("PRAGMA {schema}table_xinfo({name})"),
            1 => format!("PRAGMA {schema}table_info({name})"),
            2 => format!("PRAGMA {schema}foreign_key_list({name})"),
            3 => format!("PRAGMA index_xinfo(i{index})"),
            4 => format!(
                "SELECT CASE WHEN name NOT LIKE 'sqlite_%' THEN name END, \"unique\", origin, \
                 partial FROM pragma_index_list('{name}') WHERE origin <> 'pk'"
            ),
            _ => {
                "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
                    .to_owned()
            }
        };
        any(sql)
    }

    /// An order that is not the result's, cut in every way.
    fn cut_step(&mut self) -> Step {
        let (from, sources) = self.from();
        let filter = self.filter(&sources);
        let all = decisive(&sources);
        let mut scope = self.scope(sources, 0);
        let (value, first) = (scope.value(1), scope.value(1));
        let collation = pick(scope.rng, &["", "", " COLLATE NOCASE", " COLLATE RTRIM"]);
        let direction = pick(scope.rng, &["", " DESC", " NULLS LAST", " DESC NULLS FIRST"]);
        let limit = pick(scope.rng, &["0", "1", "5", "-1", "2 + 3", "20", "'4'", "3.0"]);
        let offset =
            pick(scope.rng, &["", "", " OFFSET 0", " OFFSET 2", " OFFSET -3", " OFFSET 1 + 1"]);
        // A number alone would mean a column of the result.
        let sql = format!(
            "SELECT quote({value}) FROM {from}{filter} ORDER BY coalesce({first}, \
             NULL){collation}{direction}, {all} LIMIT {limit}{offset}"
        );
        Step { sql, check: Check::Query(Order::Limited) }
    }
}

impl Expressions<'_> {
    /// Conditions that few write.
    pub(super) fn rare_condition(&mut self) -> String {
        let value = self.value(1);
        match self.rng.u8(..6) {
            0 => {
                let not = pick(self.rng, &["", "NOT "]);
                format!("{value} IS {not}DISTINCT FROM {}", self.value(0))
            }
            1 => {
                let truth = pick(self.rng, &["TRUE", "FALSE", "NOT TRUE", "NOT FALSE"]);
                format!("{value} IS {truth}")
            }
            2 => format!("{value} LIKE '%!_%' ESCAPE '!'"),
            3 => format!("{value} GLOB '*[^a-k]*'"),
            4 => format!("NOT {value}"),
            _ => value,
        }
    }

    /// Functions and operators that few call.
    pub(super) fn rare_value(&mut self) -> String {
        let first = self.value(0);
        match self.rng.u8(..14) {
            0 => format!("concat({first}, {}, 'x')", self.value(0)),
            1 => format!("concat_ws('-', {first}, NULL, {})", self.value(0)),
            2 => format!("octet_length({first})"),
            3 => format!("ltrim({first}, 'ak')"),
            4 => format!("rtrim({first})"),
            5 => format!("sign({first})"),
            6 => format!("printf('%5.2f|%-4s|%04d', {first}, {}, {first})", self.value(0)),
            7 => format!("likely({first})"),
            8 => format!("char(97 + length({first}))"),
            9 => format!("({first} >> {})", self.rng.i8(-3..5)),
            10 => format!("(NOT {first})"),
            11 => format!("nullif({first}, {}) COLLATE NOCASE", self.value(0)),
            12 => format!("substring({first}, -2)"),
            _ => format!("glob('*a*', {first})"),
        }
    }
}

// Neighbours: `query`, `wide`, `expression`.
