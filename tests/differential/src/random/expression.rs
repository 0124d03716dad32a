//! Random expressions over the columns in scope.
//!
//! Only what is deterministic in every plan: no function of the clock, no error that depends
//! on whether a row is visited, no subquery whose row is arbitrary. Neighbours: `query`.

use fastrand::Rng;

use super::schema::{Schema, Table, chance, pick};

/// Something in FROM: a name and its columns.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The name that qualifies columns.
    pub(super) alias: String,
    /// The columns.
    pub(super) columns: Vec<String>,
}

impl Source {
    /// A table under a name.
    pub(super) fn of(table: &Table, alias: &str) -> Self {
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        Self { alias: alias.to_owned(), columns }
    }
}

/// A maker of expressions.
pub(super) struct Expressions<'r> {
    /// Where chance comes from.
    pub(super) rng: &'r mut Rng,
    /// What exists.
    pub(super) schema: &'r Schema,
    /// What is in scope, innermost last.
    pub(super) sources: Vec<Source>,
    /// How deep subqueries may nest.
    pub(super) depth: u8,
}

const INTEGERS: &[&str] = &["0", "1", "2", "3", "-1", "5", "10", "100", "-7", "42", "1000000"];
const REALS: &[&str] = &["0.5", "-1.5", "2.25", "10.75", "1e10", "-0.125", "3.14159"];
const TEXTS: &[&str] = &[
    "''", "'a'", "'A'", "'b'", "'abc'", "'ABC'", "'a '", "'1'", "'2.5'", "'10'", "'-3'", "'x y'",
    "'%'", "'a_c'", "'é'", "'1e3'", "' 1'", "'0x10'",
];
/// None with a zero byte: how texts with one behave is explained.
const BLOBS: &[&str] = &["x''", "x'01'", "x'61'", "x'616263'", "x'ff02'"];

/// A literal of any type.
pub(super) fn literal(rng: &mut Rng) -> String {
    match rng.u8(..20) {
        0..=2 => "NULL".to_owned(),
        3..=9 => pick(rng, INTEGERS).to_owned(),
        10..=12 => pick(rng, REALS).to_owned(),
        13..=18 => pick(rng, TEXTS).to_owned(),
        _ => pick(rng, BLOBS).to_owned(),
    }
}

/// A literal that suits a column, most of the time.
pub(super) fn literal_for(rng: &mut Rng, kind: &str) -> String {
    if chance(rng, 8) {
        return literal(rng);
    }
    if chance(rng, 10) {
        return "NULL".to_owned();
    }
    match kind {
        "INTEGER" | "INT" => {
            if chance(rng, 50) {
                rng.i32(-20..60).to_string()
            } else {
                pick(rng, INTEGERS).to_owned()
            }
        }
        "REAL" => pick(rng, REALS).to_owned(),
        "NUMERIC" => if rng.bool() { pick(rng, INTEGERS) } else { pick(rng, REALS) }.to_owned(),
        "TEXT" | "VARCHAR(10)" => {
            if chance(rng, 40) {
                format!("'k{}'", rng.u8(..40))
            } else {
                pick(rng, TEXTS).to_owned()
            }
        }
        "BLOB" => pick(rng, BLOBS).to_owned(),
        _ => literal(rng),
    }
}

impl Expressions<'_> {
    /// A column in scope, or a literal where there is none.
    pub(super) fn column(&mut self) -> String {
        // Outer columns now and then: correlation.
        let count = self.sources.len();
        if count == 0 {
            return literal(self.rng);
        }
        let source = self.sources[self.rng.usize(..count)].clone();
        if source.columns.is_empty() {
            return literal(self.rng);
        }
        let column = &source.columns[self.rng.usize(..source.columns.len())];
        format!("{}.{column}", source.alias)
    }

    /// A value of any type.
    pub(super) fn value(&mut self, depth: u8) -> String {
        if depth == 0 {
            return if chance(self.rng, 75) { self.column() } else { literal(self.rng) };
        }
        let less = depth - 1;
        match self.rng.u8(..30) {
            0..=7 => self.column(),
            8..=9 => literal(self.rng),
            10..=13 => {
                let operator = pick(self.rng, &["+", "-", "*", "/", "%", "||", "&", "|", "<<"]);
                let right =
                    if operator == "<<" { self.rng.u8(..5).to_string() } else { self.value(less) };
                format!("({} {operator} {right})", self.value(less))
            }
            14 => format!("({}{})", pick(self.rng, &["-", "+", "~"]), self.column()),
            15..=16 => {
                let mut text = format!("CASE WHEN {} THEN ", self.condition(less));
                text.push_str(&self.value(less));
                if chance(self.rng, 70) {
                    text.push_str(&format!(" ELSE {}", self.value(less)));
                }
                text.push_str(" END");
                text
            }
            17 => {
                let operand = self.value(less);
                let (first, second) = (self.value(0), self.value(0));
                format!("CASE {operand} WHEN {first} THEN 'one' WHEN {second} THEN 2 END")
            }
            18..=19 => {
                let kind = pick(self.rng, &["INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB"]);
                format!("CAST({} AS {kind})", self.value(less))
            }
            20..=25 => self.call(less),
            26 if self.rng.bool() => {
                if self.rng.bool() {
                    self.rare_value()
                } else {
                    self.odd_value()
                }
            }
            26 => format!("({})", self.condition(less)),
            27..=28 if self.depth > 0 => self.scalar_subquery(),
            _ => self.column(),
        }
    }

    fn call(&mut self, depth: u8) -> String {
        let first = self.value(depth);
        match self.rng.u8(..18) {
            0 => format!("coalesce({first}, {})", self.value(depth)),
            1 => format!("ifnull({first}, {})", self.value(0)),
            2 => format!("nullif({first}, {})", self.value(0)),
            3 => format!("length({first})"),
            4 => format!("upper({first})"),
            5 => format!("lower({first})"),
            6 => format!("substr({first}, {}, 2)", self.rng.i8(-3..4)),
            7 => format!("typeof({first})"),
            8 => format!("hex({first})"),
            9 => format!("quote({first})"),
            10 => format!("instr({first}, 'a')"),
            11 => format!("replace({first}, 'a', 'zz')"),
            12 => format!("trim({first})"),
            13 => format!("max({first}, {})", self.value(0)),
            14 => format!("min({first}, {})", self.value(0)),
            15 => format!("iif({}, {first}, {})", self.condition(0), self.value(0)),
            16 => format!("round({first}, {})", self.rng.u8(..3)),
            _ => format!("unicode({first})"),
        }
    }

    fn scalar_subquery(&mut self) -> String {
        let (from, inner) = self.enter();
        // An aggregate of an outer column would be one of the outer query, whose other columns
        // are then of any row.
        let column = &inner.columns[self.rng.usize(..inner.columns.len())];
        let value = format!("{}.{column}", inner.alias);
        let mut inner_scope = self.inside(inner);
        let condition = inner_scope.condition(1);
        let form = match inner_scope.rng.u8(..4) {
            0 => "count(*)".to_owned(),
            1 => format!("max({value})"),
            2 => format!("min({value})"),
            _ => format!("count(DISTINCT {value})"),
        };
        format!("(SELECT {form} FROM {from} WHERE {condition})")
    }

    /// A table of a subquery, with its text.
    fn enter(&mut self) -> (String, Source) {
        let table = &self.schema.tables[self.rng.usize(..self.schema.tables.len())];
        let alias = format!("q{}", self.sources.len());
        (format!("{} AS {alias}", table.name), Source::of(table, &alias))
    }

    fn inside(&mut self, source: Source) -> Expressions<'_> {
        let mut sources = self.sources.clone();
        // Twice: inner columns are meant more often than outer ones.
        sources.push(source.clone());
        sources.push(source);
        Expressions { rng: self.rng, schema: self.schema, sources, depth: self.depth - 1 }
    }

    /// A condition.
    pub(super) fn condition(&mut self, depth: u8) -> String {
        if depth == 0 {
            return self.comparison(0);
        }
        let less = depth - 1;
        match self.rng.u8(..25) {
            24 if self.rng.bool() => self.odd_condition(),
            24 => self.rare_condition(),
            0..=6 => self.comparison(less),
            7..=8 => format!("({} AND {})", self.condition(less), self.condition(less)),
            9..=10 => format!("({} OR {})", self.condition(less), self.condition(less)),
            11 => format!("NOT ({})", self.condition(less)),
            12 => {
                let not = pick(self.rng, &["", " NOT"]);
                format!("{} IS{not} NULL", self.value(less))
            }
            13 => format!("{} IS {}", self.value(less), self.value(0)),
            14 => {
                let not = pick(self.rng, &["", " NOT"]);
                let (low, high) = (self.value(0), self.value(0));
                format!("{}{not} BETWEEN {low} AND {high}", self.value(less))
            }
            15..=16 => {
                let not = pick(self.rng, &["", " NOT"]);
                let list: Vec<String> = (0..self.rng.usize(1..5)).map(|_| self.value(0)).collect();
                format!("{}{not} IN ({})", self.value(less), list.join(", "))
            }
            17 => {
                let pattern = pick(self.rng, &["'a%'", "'%b%'", "'A_c'", "'%'", "'k1%'", "'1%'"]);
                let not = pick(self.rng, &["", " NOT"]);
                format!("{}{not} LIKE {pattern}", self.value(less))
            }
            18 => {
                let pattern = pick(self.rng, &["'a*'", "'*b*'", "'[a-c]*'", "'k?'", "'*'"]);
                format!("{} GLOB {pattern}", self.value(less))
            }
            19 => self.rows_compared(),
            20..=21 if self.depth > 0 => self.exists(),
            22 if self.depth > 0 => self.in_subquery(),
            _ => self.comparison(less),
        }
    }

    /// A comparison of rows of values, those of one table with constants among them, as pages of a
    /// result are asked for.
    fn rows_compared(&mut self) -> String {
        let operator = pick(self.rng, &["=", "<", "<=", ">", ">=", "<>", "IS"]);
        if self.sources.is_empty() || chance(self.rng, 40) {
            let (a, b, c, d) = (self.column(), self.column(), self.value(0), self.value(0));
            return format!("({a}, {b}) {operator} ({c}, {d})");
        }
        let source = self.sources[self.rng.usize(..self.sources.len())].clone();
        let count = source.columns.len().min(self.rng.usize(2..4));
        if count < 2 {
            return self.comparison(0);
        }
        let mut names = source.columns.clone();
        self.rng.shuffle(&mut names);
        let columns: Vec<String> =
            names[..count].iter().map(|name| format!("{}.{name}", source.alias)).collect();
        let row = |rng: &mut Rng| (0..count).map(|_| literal(rng)).collect::<Vec<_>>().join(", ");
        let (left, values, more) = (columns.join(", "), row(self.rng), row(self.rng));
        match self.rng.u8(..6) {
            0 => format!("({left}) BETWEEN ({values}) AND ({more})"),
            1 => format!("({left}) IN (VALUES ({values}), ({more}))"),
            2 => format!("({values}) {operator} ({left})"),
            _ => format!("({left}) {operator} ({values})"),
        }
    }

    fn exists(&mut self) -> String {
        let (from, inner) = self.enter();
        let not = pick(self.rng, &["", "NOT "]);
        let mut scope = self.inside(inner);
        format!("{not}EXISTS (SELECT 1 FROM {from} WHERE {})", scope.condition(1))
    }

    fn in_subquery(&mut self) -> String {
        let operand = self.value(0);
        let (from, inner) = self.enter();
        let not = pick(self.rng, &["", " NOT"]);
        let mut scope = self.inside(inner.clone());
        let column = &inner.columns[scope.rng.usize(..inner.columns.len())];
        let condition = scope.condition(1);
        let column = format!("{}.{column}", inner.alias);
        format!("{operand}{not} IN (SELECT {column} FROM {from} WHERE {condition})")
    }

    fn comparison(&mut self, depth: u8) -> String {
        let operator = pick(
            self.rng,
            &["=", "=", "=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT", "==", "!="],
        );
        let mut left = self.value(depth);
        if chance(self.rng, 10) {
            left.push_str(pick(
                self.rng,
                &[" COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"],
            ));
        }
        format!("({left} {operator} {})", self.value(depth.min(1)))
    }
}

impl Expressions<'_> {
    /// A column compared with a literal.
    pub(super) fn comparison_with_literal(&mut self) -> String {
        let operator = pick(self.rng, &["=", "<", ">", "IS"]);
        format!("{} {operator} {}", self.column(), literal(self.rng))
    }
}
