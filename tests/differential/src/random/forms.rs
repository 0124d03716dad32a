//! Random forms that few queries have: formats, patterns, chains of casts, orders that an index
//! may give, also to parts of a compound, aggregates that say their order, rows beside subqueries,
//! documents of each row.
//!
//! Where an order decides what comes out it is given to the last bit. Neighbours: `query`, which
//! asks for these; `wide`, `deep` (other rare queries); `schema`, `change` (which ask for texts).

use fastrand::Rng;

use super::expression::{Expressions, Source, literal};
use super::query::Queries;
use super::schema::{chance, pick};
use super::script::{Check, Order, Step};
use super::wide::decided_by;

const FORMATS: &[&str] = &[
    "%d", "%5d|", "%-6d|", "%06d", "%+d", "% d", "%,d", "%x", "%#X", "%o", "%i", "%u", "%c",
    "%3c|", "%s", "%8s|", "%-8s|", "%.2s", "%!.1s", "%q", "%Q", "%w", "%.3f", "%10.2f|", "%+.1e",
    "%g", "%!.15g", "%#g", "%,.2f", "%05.1f", "%z", "%%", "%n", "%lld", "%-+5d|", "%.0f", "%!f",
    "%j",
];
const GLOBS: &[&str] = &[
    "'[a-c]*'",
    "'*[^0-9]'",
    "'[^a-k]?*'",
    "'*[]x]*'",
    "'[a-'",
    "'*[0-9]*'",
    "'?'",
    "'[*]*'",
    "'*[.]*'",
    "'[A-Z]*'",
    "''",
    "'k[1-3]?'",
    "'[^]]*'",
    "'*\u{e9}*'",
];
const LIKES: &[&str] = &[
    "'%!%%' ESCAPE '!'",
    "'a!_c' ESCAPE '!'",
    "'k_'",
    "'_%_'",
    "'%e%'",
    "'A%' ESCAPE 'A'",
    "'%' ESCAPE '%'",
    "'_' ESCAPE '_'",
    "'K1_'",
    "''",
    "'%.5'",
    "'-%'",
    "'% %'",
];
const KINDS: &[&str] = &["INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(3)", "INT", "ANY"];

impl Expressions<'_> {
    /// A value of a form that is rare.
    pub(super) fn odd_value(&mut self) -> String {
        let (first, second) = (self.value(0), self.value(0));
        match self.rng.u8(..16) {
            0..=3 => {
                let formats = [pick(self.rng, FORMATS), pick(self.rng, FORMATS)];
                format!("format('{} {}', {first}, {second})", formats[0], formats[1])
            }
            4..=6 => {
                let mut text = first;
                for _ in 0..self.rng.usize(2..4) {
                    text = format!("CAST({text} AS {})", pick(self.rng, KINDS));
                }
                text
            }
            7 => format!("substr({first}, {}, {})", self.rng.i8(-4..5), self.rng.i8(-3..4)),
            8 => format!("trim({first}, {second})"),
            9 => format!("replace({first}, {second}, '<' || {first} || '>')"),
            10 => format!("hex(unhex(hex({first})))"),
            11 => format!("quote(round({first}, {}))", self.rng.i8(-1..20)),
            12 => format!("instr({first}, {second})"),
            13 => format!("max({first}, {second}, {})", self.value(0)),
            14 => format!("like({first}, {second})"),
            _ => format!("iif({first}, {second})"),
        }
    }

    /// A condition of a form that is rare.
    pub(super) fn odd_condition(&mut self) -> String {
        let value = self.value(0);
        let not = pick(self.rng, &["", " NOT"]);
        match self.rng.u8(..6) {
            0..=1 => format!("{value}{not} LIKE {}", pick(self.rng, LIKES)),
            2..=3 => format!("{value}{not} GLOB {}", pick(self.rng, GLOBS)),
            // SQLite forgets a name that stands before it.
            4 => format!("{}{not} IN ()", literal(self.rng)),
            _ => format!("({value} IS NULL) = ({} IS{not} NULL)", self.value(0)),
        }
    }
}

/// A condition of a partial index over columns of a table.
pub(super) fn index_condition(rng: &mut Rng, first: &str, second: &str) -> String {
    let value = literal(rng);
    match rng.u8(..16) {
        0..=2 => format!("{first} IS NOT NULL"),
        3 => format!("{first} > 0"),
        4 => format!("{first} = 'a'"),
        5 => format!("{first} IS NULL"),
        6 => format!("{first} IN (1, 2, 'a', {value})"),
        7 => format!("{first} BETWEEN 0 AND 10"),
        8 => format!("{first} LIKE 'k%'"),
        9 => format!("length({first}) > 1"),
        10 => format!("{first} = {second}"),
        11 => format!("{first} > 0 OR {second} IS NULL"),
        12 => format!("NOT ({first})"),
        13 => first.to_owned(),
        14 => format!("{first} IS NOT NULL AND {second} <> {value}"),
        _ => format!("{first} COLLATE NOCASE = {value}"),
    }
}

impl Queries<'_> {
    /// One of the forms here.
    pub(super) fn forms_step(&mut self) -> Step {
        match self.rng.u8(..13) {
            0..=2 => self.in_order_step(),
            3..=4 => self.lists_step(),
            5..=6 => self.parts_step(),
            7 => self.rows_step(),
            8..=9 => self.stream_step(),
            10 => self.stream_beside_step(),
            _ => self.lateral_step(),
        }
    }

    /// Columns of a table in an order that an index may have, perhaps cut.
    fn in_order_step(&mut self) -> Step {
        let table = self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone();
        let source = Source::of(&table, "a");
        let mut scope = self.scope(vec![source.clone()], 1);
        let mut terms = Vec::new();
        for _ in 0..scope.rng.usize(1..=2) {
            let direction = pick(
                scope.rng,
                &["", "", " DESC", " DESC", " NULLS LAST", " DESC NULLS FIRST", " COLLATE NOCASE"],
            );
            terms.push(format!("{}{direction}", scope.column()));
        }
        let condition = if scope.rng.bool() { scope.condition(1) } else { scope.odd_condition() };
        let bare = scope.comparison_with_literal();
        let filter = match scope.rng.u8(..4) {
            0 => String::new(),
            1 => format!(" WHERE {bare}"),
            2 => format!(" WHERE {bare} AND {condition}"),
            _ => format!(" WHERE {condition}"),
        };
        let all = decided_by(std::slice::from_ref(&source));
        let columns: Vec<String> =
            source.columns.iter().map(|column| format!("a.{column}")).collect();
        let limit = if scope.rng.bool() {
            format!(" LIMIT {} OFFSET {}", scope.rng.u8(1..9), scope.rng.u8(..4))
        } else {
            String::new()
        };
        let terms = terms.join(", ");
        let window = match scope.rng.u8(..6) {
            0 => format!(", count(*) OVER (ORDER BY {terms})"),
            1 => format!(", rank() OVER (PARTITION BY {} ORDER BY {all})", scope.column()),
            2 => format!(", row_number() OVER (ORDER BY {terms}, {all})"),
            _ => String::new(),
        };
        let sql = format!(
            "SELECT {}{window} FROM {} AS a{filter} ORDER BY {terms}, {all}{limit}",
            columns.join(", "),
            table.name,
        );
        Step { sql, check: Check::Query(Order::Limited) }
    }

    /// Aggregates that say their order, with DISTINCT and FILTER, of groups.
    fn lists_step(&mut self) -> Step {
        let (from, sources) = self.from();
        let filter = self.filter(&sources);
        let mut scope = self.scope(sources, 0);
        let key = scope.column();
        let mut calls = Vec::new();
        for _ in 0..scope.rng.usize(1..=3) {
            let (value, other) = (scope.value(1), scope.value(0));
            let order = pick(scope.rng, &["", " DESC", " NULLS LAST", " DESC NULLS FIRST"]);
            let mut call = match scope.rng.u8(..7) {
                0 => format!(
                    "group_concat(quote({value}), ';' ORDER BY {other}{order}, quote({value}))"
                ),
                1 => format!(
                    "string_agg(quote({value}), {other} ORDER BY quote({value}){order}, \
                    quote({other}))"
                ),
                2 => format!(
                    "json_group_array(quote({value}) ORDER BY {value}{order}, \
                    quote({value}))"
                ),
                3 => format!(
                    "json_group_object(quote({value}), quote({other}) ORDER BY \
                    quote({value}){order}, quote({other}))"
                ),
                4 => format!("count(DISTINCT {value})"),
                5 => {
                    format!("group_concat(DISTINCT quote({value}) ORDER BY quote({value}){order})")
                }
                _ => format!("sum(length({value}) ORDER BY {other}{order})"),
            };
            if chance(scope.rng, 40) {
                let condition = scope.condition(1);
                call.push_str(&format!(" FILTER (WHERE {condition})"));
            }
            calls.push(call);
        }
        let calls = calls.join(", ");
        let sql = if scope.rng.bool() {
            format!("SELECT {calls} FROM {from}{filter}")
        } else {
            format!("SELECT quote({key}), {calls} FROM {from}{filter} GROUP BY quote({key})")
        };
        Step { sql, check: Check::Query(Order::Any) }
    }

    /// A compound whose parts get their columns from all that has some.
    fn parts_step(&mut self) -> Step {
        let mut sql = self.part();
        for _ in 0..self.rng.usize(1..=3) {
            let operator = pick(self.rng, &["UNION", "UNION", "UNION ALL", "INTERSECT", "EXCEPT"]);
            sql = format!("{sql} {operator} {}", self.part());
        }
        if self.rng.bool() {
            let whole = pick(
                self.rng,
                &[
                    "SELECT p FROM r",
                    "SELECT DISTINCT p FROM r",
                    "SELECT p, count(*) FROM r GROUP BY p",
                    "SELECT max(p), min(p) FROM r",
                    "SELECT count(*) FROM r AS q JOIN r ON q.p = r.p",
                ],
            );
            let sql = format!("WITH r(p) AS ({sql}) {whole}");
            return Step { sql, check: Check::Query(Order::Any) };
        }
        let check = pick(self.rng, &["", " ORDER BY 1", " ORDER BY 1 DESC"]);
        let order = if check.is_empty() { Order::Any } else { Order::Sorted };
        Step { sql: format!("{sql}{check}"), check: Check::Query(order) }
    }

    /// A select of one column: of a table, a rowid, an aggregate, a window, a subquery.
    fn part(&mut self) -> String {
        let table = self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone();
        let source = Source::of(&table, "a");
        let from = &table.name;
        let mut scope = self.scope(vec![source], 0);
        let (column, condition) = (scope.column(), scope.condition(1));
        match scope.rng.u8(..12) {
            0 if table.rowid => format!("SELECT a.rowid FROM {from} AS a WHERE {condition}"),
            1 => format!("SELECT max({column}) FROM {from} AS a WHERE {condition}"),
            2 => format!("SELECT min({column}) FROM {from} AS a GROUP BY length({column})"),
            3 => format!("SELECT count({column}) FROM {from} AS a"),
            4 => format!("SELECT max({column}) OVER () FROM {from} AS a WHERE {condition}"),
            5 => format!("SELECT k FROM (SELECT {column} AS k FROM {from} AS a WHERE {condition})"),
            6 => format!("SELECT {column} FROM {from} AS a GROUP BY {column}"),
            7 => format!("SELECT (SELECT max({column}) FROM {from} AS a)"),
            8 => format!("SELECT {} FROM {from} AS a", scope.odd_value()),
            9 => format!("SELECT +{column} FROM {from} AS a WHERE {condition}"),
            _ => format!("SELECT {column} FROM {from} AS a WHERE {condition}"),
        }
    }

    /// Selects that are put together, in an order that parts may come in, perhaps cut.
    fn stream_step(&mut self) -> Step {
        let (parts, is_plain) = self.stream_parts("");
        let order = self.order_of_parts(is_plain);
        let limit = match self.rng.u8(..4) {
            0 => String::new(),
            1 => format!(" LIMIT {}", self.rng.u8(..12)),
            2 => format!(" LIMIT -1 OFFSET {}", self.rng.u8(..20)),
            _ => format!(" LIMIT {} OFFSET {}", self.rng.u8(1..12), self.rng.u8(..9)),
        };
        let whole = match self.rng.u8(..5) {
            0 => format!("SELECT * FROM ({parts})"),
            1 => format!("SELECT p, q FROM ({parts}) WHERE p IS NOT NULL"),
            2 => format!("WITH r AS ({parts}) SELECT q, p FROM r"),
            _ => parts,
        };
        let sql = format!("{whole} ORDER BY {order}{limit}");
        Step { sql, check: Check::Query(Order::Limited) }
    }

    /// The first row of such parts beside each row of a table, which they know.
    fn stream_beside_step(&mut self) -> Step {
        let tables = &self.schema.tables;
        let table = tables[self.rng.usize(..tables.len())].clone();
        let source = Source::of(&table, "o");
        let known = source.columns[self.rng.usize(..source.columns.len())].clone();
        let operator = pick(self.rng, &["=", "<", ">=", "IS", "IS NOT"]);
        let (parts, is_plain) = self.stream_parts(&format!("{operator} o.{known}"));
        let (order, skip) = (self.order_of_parts(is_plain), self.rng.u8(..3));
        let one = format!("SELECT p FROM ({parts} ORDER BY {order} LIMIT 1 OFFSET {skip})");
        let all = decided_by(std::slice::from_ref(&source));
        let sql = format!("SELECT o.{known}, ({one}) FROM {} AS o ORDER BY {all}", table.name);
        Step { sql, check: Check::Query(Order::Limited) }
    }

    /// Selects of two columns, put together; whether none takes rows away. `asked` is demanded of
    /// a column of each.
    fn stream_parts(&mut self, asked: &str) -> (String, bool) {
        let (mut sql, mut is_plain) = self.stream_part(asked);
        for _ in 0..self.rng.usize(1..=3) {
            let operators = ["UNION ALL", "UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"];
            let operator = pick(self.rng, &operators);
            let (part, is_all) = self.stream_part(asked);
            is_plain &= is_all && operator == "UNION ALL";
            sql = format!("{sql} {operator} {part}");
        }
        (sql, is_plain)
    }

    fn stream_part(&mut self, asked: &str) -> (String, bool) {
        let table = self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone();
        let mut scope = self.scope(vec![Source::of(&table, "a")], 0);
        let (one, two) = (scope.column(), scope.column());
        let condition = match (asked, scope.rng.u8(..3)) {
            ("", 0) => "1".to_owned(),
            ("", 1) => scope.comparison_with_literal(),
            ("", _) => scope.condition(1),
            (asked, 0) => format!("{one} {asked} AND {}", scope.comparison_with_literal()),
            (asked, _) => format!("{one} {asked}"),
        };
        let choice = scope.rng.u8(..12);
        let from = format!("FROM {} AS a WHERE {condition}", table.name);
        let sql = match choice {
            0 => format!("SELECT {one} AS p, 1 AS q {from}"),
            1 if table.rowid => format!("SELECT {one} AS p, a.rowid AS q {from}"),
            2 => format!("SELECT DISTINCT {one} AS p, {two} AS q {from}"),
            3 => format!("SELECT {one} AS p, count(*) AS q {from} GROUP BY {one}"),
            4 => format!(
                "SELECT column1 AS p, column2 AS q FROM (VALUES ({}, 1), (2, 'a'))",
                literal(scope.rng)
            ),
            _ => format!("SELECT {one} AS p, {two} AS q {from}"),
        };
        (sql, !(2..=3).contains(&choice))
    }

    /// An order by both columns; where rows are taken away nothing says which of equal ones is
    /// there, so that each column compares as it did for that.
    fn order_of_parts(&mut self, is_plain: bool) -> String {
        let mut term = |place: &str| {
            let directions = ["", "", "", " DESC", " DESC", " NULLS LAST", " DESC NULLS FIRST"];
            let collations = [" COLLATE NOCASE", " COLLATE BINARY", "", "", "", ""];
            let collation = if is_plain { pick(self.rng, &collations) } else { "" };
            format!("{place}{collation}{}", pick(self.rng, &directions))
        };
        let (one, two) = (term("1"), term("2"));
        if self.rng.u8(..4) == 0 { format!("{two}, {one}") } else { format!("{one}, {two}") }
    }

    /// Rows beside subqueries.
    fn rows_step(&mut self) -> Step {
        let tables = &self.schema.tables;
        let table = tables[self.rng.usize(..tables.len())].clone();
        let other = tables[self.rng.usize(..tables.len())].clone();
        let (source, inner) = (Source::of(&table, "a"), Source::of(&other, "b"));
        let mut scope = self.scope(vec![source.clone()], 0);
        let (one, two) = (scope.column(), scope.value(0));
        let mut inside = self.scope(vec![inner.clone()], 0);
        let (three, four, condition) = (inside.column(), inside.value(1), inside.condition(1));
        let correlated = self.scope(vec![source, inner.clone()], 0).condition(1);
        let operator = pick(self.rng, &["=", "<", ">=", "<>", "IS", "IS NOT"]);
        let not = pick(self.rng, &["", " NOT"]);
        let test = match self.rng.u8(..5) {
            0 => format!(
                "({one}, {two}){not} IN (SELECT {three}, {four} FROM {} AS b WHERE {condition})",
                other.name
            ),
            1 => format!(
                "({one}, {two}){not} IN (SELECT {three}, {four} FROM {} AS b WHERE {correlated})",
                other.name
            ),
            2 => format!(
                "({one}, {two}) {operator} (SELECT {three}, {four} FROM {} AS b WHERE {condition} \
                 ORDER BY {} LIMIT 1)",
                other.name,
                decided_by(std::slice::from_ref(&inner))
            ),
            3 => format!(
                "(SELECT min({three}), count(*) FROM {} AS b WHERE {correlated}) {operator} \
                 ({one}, {two})",
                other.name
            ),
            _ => format!(
                "({one}, {two}){not} IN (SELECT max({three}), {three} FROM {} AS b GROUP BY 2)",
                other.name
            ),
        };
        let sql = format!("SELECT quote({one}), {test} FROM {} AS a", table.name);
        let sql = if self.rng.bool() { sql } else { format!("{sql} WHERE {test}") };
        Step { sql, check: Check::Query(Order::Any) }
    }

    /// Documents that a row's values make, joined with the row.
    fn lateral_step(&mut self) -> Step {
        let table = self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone();
        let source = Source::of(&table, "a");
        let mut scope = self.scope(vec![source], 0);
        let (first, second, condition) = (scope.column(), scope.value(1), scope.condition(1));
        let document = format!("json_array(quote({first}), length({second}), 3)");
        let join = pick(scope.rng, &[", ", " JOIN ", " CROSS JOIN ", " LEFT JOIN "]);
        let on =
            if join == " LEFT JOIN " { format!(" ON j.value = {first}") } else { String::new() };
        let call = pick(scope.rng, &["json_each", "json_tree"]);
        let from = format!("{} AS a{join}{call}({document}) AS j{on}", table.name);
        let sql = match scope.rng.u8(..4) {
            0 => format!("SELECT quote({first}), j.key, j.value FROM {from} WHERE {condition}"),
            1 => format!("SELECT j.value, count(*) FROM {from} GROUP BY j.value"),
            2 => format!(
                "SELECT quote({first}), (SELECT group_concat(j.value) FROM {call}({document}) AS j \
                 WHERE j.value IS NOT {second}) FROM {} AS a WHERE {condition}",
                table.name
            ),
            _ => format!(
                "SELECT count(*) FROM {} AS a WHERE {first} IN (SELECT j.value FROM \
                 {call}({document}) AS j)",
                table.name
            ),
        };
        Step { sql, check: Check::Query(Order::Any) }
    }
}
