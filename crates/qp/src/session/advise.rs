//! Which indexes would help a statement: planned with indexes that do not exist.
//!
//! The statement is planned once as things are, and the planner notes what an index could answer
//! of each table (`bind::Wish`). Of the wishes candidates are made, each an index of the schema
//! whose tree nobody has: how many keys it would have and how often they would repeat is told from
//! a sample of the table. Planned again among them and the indexes that there are, the statement
//! uses what helps it; nothing is written. Neighbours: `plan::access::wish`, `statistics`.

use std::cell::RefCell;

use pandodb_ds::record::key::push_column;
use pandodb_ds::record::row::RowView;
use pandodb_ds::record::{Collation, ValueRef};
use pandodb_ds::sync::Arc;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Session;
use super::prepare::select_plan;
use super::statistics::TreeStatistics;
use crate::ast::{self, StatementKind};
use crate::bind::{Binder, SampleRow, Statistics, Wish};
use crate::catalog::{Index, IndexColumn, IndexOrigin, ObjectId, Schema, Table, fold};
use crate::define::identifier;
use crate::error::Result;
use crate::execute::{SharedTransaction, Versions};
use crate::modify::modify_statement;
use crate::parse::parse_statement_within;
use crate::plan::{SourceId, explain_query_plan};
use crate::scalar::ROWID;
use crate::store::TreeId;

/// Indexes of one table beyond which no more are tried.
const CANDIDATES_MAX: usize = 100;
/// How many rows a table must have to be taken as it is: nobody asks for indexes of a table that
/// will stay smaller.
const KNOWN_MIN: u64 = 100;
/// How many rows a smaller one is taken to have.
const ASSUMED_ROWS: u64 = 100_000;

/// What was found for a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// CREATE INDEX statements of the indexes that the statement would use.
    pub indexes: Vec<String>,
    /// Those of all that were tried.
    pub candidates: Vec<String>,
    /// The plan with them, line by line with its depth.
    pub plan: Vec<(usize, String)>,
}

/// An index that is only thought of.
struct Hypothetical {
    source: SourceId,
    index: Arc<Index>,
    table: Arc<Table>,
    /// Keys of sampled rows, in order, each with the ends of its columns.
    keys: Vec<(Vec<u8>, Vec<usize>)>,
}

/// The statistics of trees, and of indexes that have none.
struct Imagined<'a> {
    trees: TreeStatistics<'a>,
    hypothetical: &'a [Hypothetical],
    /// Trees of tables that are taken to be larger than they are, and of their indexes.
    assumed: FxHashSet<(SourceId, TreeId)>,
    wishes: RefCell<Vec<Wish>>,
}

impl Session {
    /// Which indexes would help the first statement of a text, told from a sample of so many rows
    /// of each table, and where the next statement begins; none where there is no statement.
    pub fn advise(&self, sql: &str, sample_rows: u64) -> Result<(Option<Advice>, usize)> {
        let (statement, behind) = parse_statement_within(sql, &self.limits())?;
        let Some(statement) = statement else { return Ok((None, behind)) };
        let text: Arc<str> = Arc::from(sql.get(..behind).unwrap_or(sql));
        let advice = self.reading(|sources, schemas| {
            let (_, wishes) = self.plan_among(&text, &statement, (sources, schemas), &[])?;
            let trees = TreeStatistics::new(sources, None, &self.known_trees);
            let hypothetical = imagine(&wishes, &trees, sample_rows);
            let schemas = with_indexes(schemas, &hypothetical);
            let around = (sources, &schemas[..]);
            let (plan, _) = self.plan_among(&text, &statement, around, &hypothetical)?;
            let is_used = |index: &&Hypothetical| {
                plan.iter().any(|(_, line)| names_index(line, &index.index.name))
            };
            let indexes = hypothetical.iter().filter(is_used).map(Hypothetical::sql).collect();
            let candidates = hypothetical.iter().map(Hypothetical::sql).collect();
            Ok(Advice { indexes, candidates, plan })
        })?;
        Ok((Some(advice), behind))
    }

    /// The lines of a statement's plan, and what the planner wished for.
    fn plan_among(
        &self,
        text: &Arc<str>,
        statement: &ast::Statement,
        (sources, schemas): (&[Option<SharedTransaction>], &[Arc<Schema>]),
        hypothetical: &[Hypothetical],
    ) -> Result<(Vec<(usize, String)>, Vec<Wish>)> {
        let versions = Versions::default();
        let trees = TreeStatistics::new(sources, Some(&versions), &self.known_trees);
        let assumed = assumed_trees(schemas, &trees);
        let imagined = Imagined { trees, hypothetical, assumed, wishes: RefCell::default() };
        let around = (sources, Some(&versions));
        let lines = self.with_statistics(schemas, &imagined, around, |environment| {
            let mut binder = Binder::new(environment, Arc::clone(text));
            let inner = match &statement.kind {
                StatementKind::Explain(_, inner) => inner,
                _ => statement,
            };
            Ok(match &inner.kind {
                StatementKind::Select(select) => {
                    explain_query_plan(&select_plan(&mut binder, select)?)
                }
                StatementKind::Insert(_) | StatementKind::Update(_) | StatementKind::Delete(_) => {
                    modify_statement(&mut binder, inner)?.explain()
                }
                _ => Vec::new(),
            })
        })?;
        Ok((lines, imagined.wishes.into_inner()))
    }
}

/// The trees of tables that are too small to tell anything, and of their indexes.
fn assumed_trees(
    schemas: &[Arc<Schema>],
    trees: &TreeStatistics<'_>,
) -> FxHashSet<(SourceId, TreeId)> {
    let mut assumed = FxHashSet::default();
    for table in schemas.iter().flat_map(|schema| schema.tables.values()) {
        let source = SourceId(table.database.0);
        if !table.is_system() && trees.rows(source, table) < KNOWN_MIN {
            assumed.insert((source, table.tree));
            assumed.extend(table.indexes.iter().map(|index| (source, index.tree)));
        }
    }
    assumed
}

/// Whether a line of a plan names an index.
fn names_index(line: &str, name: &str) -> bool {
    line.split_once(" INDEX ").is_some_and(|(_, named)| {
        named.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
    })
}

/// The indexes that wishes ask for.
fn imagine(wishes: &[Wish], trees: &TreeStatistics<'_>, sample_rows: u64) -> Vec<Hypothetical> {
    let mut found: Vec<Hypothetical> = Vec::new();
    let mut samples: FxHashMap<TreeId, Vec<SampleRow>> = FxHashMap::default();
    for wish in wishes.iter().filter(|wish| wish.table.database.version_place().is_none()) {
        let of_table = found.iter().filter(|known| known.table.tree == wish.table.tree).count();
        for columns in wish.candidates().into_iter().take(CANDIDATES_MAX - of_table) {
            let is_known = |known: &Hypothetical| {
                known.table.tree == wish.table.tree && same_columns(&known.index.columns, &columns)
            };
            let is_there = wish.table.indexes.iter().any(|index| {
                index.filter.is_none()
                    && index.columns.len() >= columns.len()
                    && same_columns(&index.columns[..columns.len()], &columns)
            });
            if is_there || found.iter().any(is_known) {
                continue;
            }
            let sample = samples.entry(wish.table.tree).or_insert_with(|| {
                trees.read_sample(wish.source, &wish.table, sample_rows).unwrap_or_default()
            });
            let index = index(&wish.table, columns, &found);
            let keys = keys(&wish.table, &index, sample);
            let (source, table) = (wish.source, Arc::clone(&wish.table));
            found.push(Hypothetical { source, index: Arc::new(index), table, keys });
        }
    }
    found
}

impl Wish {
    /// The columns of the indexes that would fulfil it.
    fn candidates(&self) -> Vec<Vec<IndexColumn>> {
        let behind = |more: &[IndexColumn]| {
            let mut columns = self.equals.clone();
            for column in more {
                if columns.iter().all(|known| known.column() != column.column()) {
                    columns.push(column.clone());
                }
            }
            columns
        };
        let ranges = self.ranges.iter().map(|range| behind(std::slice::from_ref(range)));
        let mut candidates: Vec<_> = ranges.collect();
        if self.ranges.is_empty() && !self.equals.is_empty() {
            candidates.push(self.equals.clone());
        }
        if !self.order.is_empty() {
            candidates.push(behind(&self.order));
        }
        candidates
    }
}

fn same_columns(left: &[IndexColumn], right: &[IndexColumn]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.column().is_some_and(|column| right.column() == Some(column))
                && left.collation == right.collation
                && left.descending == right.descending
        })
}

/// The index over these columns, with a name that nothing has.
fn index(table: &Table, columns: Vec<IndexColumn>, found: &[Hypothetical]) -> Index {
    let written: Vec<String> = columns.iter().map(|column| written(table, column)).collect();
    let written = written.join(", ");
    // The name says nothing but is the same for the same columns, as that of sqlite3's expert.
    let mut number = written.bytes().fold(0_u32, |number, byte| {
        number.wrapping_add((number << 3).wrapping_add(u32::from(byte)))
    });
    let name = loop {
        let name = format!("{}_idx_{number:08x}", table.name);
        let is_taken = |taken: &str| taken.eq_ignore_ascii_case(&name);
        let here = table.indexes.iter().any(|index| is_taken(&index.name));
        if !here && !found.iter().any(|known| is_taken(&known.index.name)) {
            break name;
        }
        number = number.wrapping_add(1);
    };
    let (called, on) = (identifier(&name), identifier(&table.name));
    let place = u64::MAX - found.len() as u64;
    Index {
        id: ObjectId(place),
        database: table.database,
        name: name.into(),
        table: table.name.clone(),
        tree: TreeId(place),
        columns,
        unique: None,
        origin: IndexOrigin::Created,
        filter: None,
        sql: Some(format!("CREATE INDEX {called} ON {on}({written});").into()),
    }
}

fn written(table: &Table, column: &IndexColumn) -> String {
    let own = column.column().and_then(|index| table.columns.get(index));
    let mut text = own.map_or_else(String::new, |own| identifier(&own.name));
    if own.is_none_or(|own| own.collation != column.collation) {
        let name = match column.collation {
            Collation::NoCase => "NOCASE",
            Collation::RTrim => "RTRIM",
            _ => "BINARY",
        };
        text = format!("{text} COLLATE {name}");
    }
    if column.descending { format!("{text} DESC") } else { text }
}

/// The keys that rows would have in an index, in order.
fn keys(table: &Table, index: &Index, sample: &[SampleRow]) -> Vec<(Vec<u8>, Vec<usize>)> {
    let mut keys: Vec<_> = sample.iter().filter_map(|row| key(table, index, row)).collect();
    keys.sort_unstable();
    keys
}

fn key(table: &Table, index: &Index, (rowid, stored): &SampleRow) -> Option<(Vec<u8>, Vec<usize>)> {
    let view = RowView::new(stored).ok()?;
    let (mut key, mut ends) = (Vec::new(), Vec::new());
    for column in &index.columns {
        let place = column.column()?;
        let position = table.columns.get(place)?.position;
        let value = if table.rowid_alias() == Some(place) || position == usize::from(ROWID) {
            ValueRef::Integer(*rowid)
        } else {
            let stored = view.column(position).ok()?;
            stored.unwrap_or_else(|| table.missing_value(position).as_ref())
        };
        push_column(value, column.order(), &mut key).ok()?;
        ends.push(key.len());
    }
    Some((key, ends))
}

/// The schemas with indexes that are only thought of.
fn with_indexes(schemas: &[Arc<Schema>], hypothetical: &[Hypothetical]) -> Vec<Arc<Schema>> {
    let mut schemas = schemas.to_vec();
    let mut seen = FxHashSet::default();
    for first in hypothetical {
        let Some(schema) = schemas.get_mut(usize::from(first.table.database.0)) else { continue };
        if !seen.insert(first.table.tree) {
            continue;
        }
        let mut table = Table::clone(&first.table);
        let own = hypothetical.iter().filter(|other| other.table.tree == table.tree);
        table.indexes.extend(own.map(|own| Arc::clone(&own.index)));
        let mut changed = Schema::clone(schema);
        changed.tables.insert(fold(&table.name), Arc::new(table));
        *schema = Arc::new(changed);
    }
    schemas
}

impl Hypothetical {
    fn sql(&self) -> String {
        self.index.sql.as_deref().unwrap_or_default().to_owned()
    }
}

impl Imagined<'_> {
    fn of(&self, tree: TreeId) -> Option<&Hypothetical> {
        self.hypothetical.iter().find(|known| known.index.tree == tree)
    }
}

impl Statistics for Imagined<'_> {
    fn rows(&self, source: SourceId, table: &Table) -> u64 {
        if self.assumed.contains(&(source, table.tree)) {
            return ASSUMED_ROWS;
        }
        self.trees.rows(source, table)
    }

    fn count(&self, source: SourceId, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Option<u64> {
        if self.assumed.contains(&(source, tree)) {
            return (from.is_empty() && to.is_none()).then_some(ASSUMED_ROWS);
        }
        let Some(known) = self.of(tree) else { return self.trees.count(source, tree, from, to) };
        let total = self.trees.rows(known.source, &known.table);
        if from.is_empty() && to.is_none() {
            return Some(total);
        }
        let sampled = known.keys.len() as u64;
        let is_in = |key: &[u8]| key >= from && to.is_none_or(|to| key < to);
        let hits = known.keys.iter().filter(|(key, _)| is_in(key)).count() as u64;
        match sampled {
            0 => None,
            _ if sampled >= total => Some(hits),
            _ => Some(((hits as f64 + 0.3) / (sampled as f64 + 0.6) * total as f64) as u64),
        }
    }

    fn distinct(&self, source: SourceId, tree: TreeId, descending: &[bool]) -> Option<f64> {
        if self.assumed.contains(&(source, tree)) {
            // Each column: between a flag and a key.
            let share = 1.0 - 0.34_f64.powi(i32::try_from(descending.len()).unwrap_or(1));
            return Some((ASSUMED_ROWS as f64).powf(share));
        }
        let Some(known) = self.of(tree) else {
            return self.trees.distinct(source, tree, descending);
        };
        let total = self.trees.rows(known.source, &known.table) as f64;
        let prefix = |(key, ends): &'_ (Vec<u8>, Vec<usize>)| {
            ends.get(descending.len().checked_sub(1)?)
                .and_then(|end| key.get(..*end).map(Box::from))
        };
        let prefixes: Vec<Box<[u8]>> = known.keys.iter().filter_map(prefix).collect();
        (!prefixes.is_empty()).then(|| distinct_of(&prefixes, total))
    }

    fn neighbours(&self, source: SourceId, tree: TreeId) -> Option<f64> {
        let is_known = self.of(tree).is_none() && !self.assumed.contains(&(source, tree));
        if is_known { self.trees.neighbours(source, tree) } else { None }
    }

    fn sample(&self, source: SourceId, table: &Table) -> Option<Arc<Vec<SampleRow>>> {
        if self.assumed.contains(&(source, table.tree)) {
            return None;
        }
        self.trees.sample(source, table)
    }

    fn note(&self, wish: &dyn Fn() -> Option<Wish>) {
        if self.hypothetical.is_empty() {
            self.wishes.borrow_mut().extend(wish());
        }
    }
}

/// How many different values there are among `total`, from some in order: what was seen once in
/// the sample tells how much was not seen at all (the estimator of Haas and Stokes).
fn distinct_of(sorted: &[Box<[u8]>], total: f64) -> f64 {
    let (mut distinct, mut once) = (0.0, 0.0);
    for same in sorted.chunk_by(|left, right| left == right) {
        distinct += 1.0;
        once += if same.len() == 1 { 1.0 } else { 0.0 };
    }
    let sampled = sorted.len() as f64;
    if sampled >= total {
        return distinct;
    }
    (sampled * distinct / (sampled - once + once * sampled / total)).clamp(distinct, total)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]

    use super::*;
    use crate::store::Database;

    fn advised(session: &Session, sql: &str) -> Advice {
        session.advise(sql, 1000).unwrap().0.unwrap()
    }

    fn filled() -> Session {
        let session = Session::new(Database::in_memory().unwrap());
        session
            .execute(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT, c TEXT, d REAL);
                 CREATE TABLE u(x INT, y TEXT COLLATE NOCASE);
                 CREATE INDEX ui ON u(x);
                 WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO t SELECT i, i % 700, i % 3, 'text ' || i, i / 2.0 FROM n;
                 INSERT INTO u SELECT a, c FROM t;",
            )
            .unwrap();
        session
    }

    #[test]
    fn what_helps_is_found_and_what_does_not_is_left_out() {
        let session = filled();
        let cases: &[(&str, &[&str])] = &[
            ("SELECT * FROM t WHERE a = 5", &["t(a)"]),
            ("SELECT * FROM t WHERE a = ?1 AND d > ?2", &["t(a, d)"]),
            ("SELECT * FROM t WHERE b = 1", &[]),
            ("SELECT * FROM t WHERE id = 5", &[]),
            ("SELECT * FROM u WHERE x = 5", &[]),
            ("SELECT * FROM u WHERE y = 'text 9'", &["u(y)"]),
            ("SELECT * FROM u WHERE y = 'text 9' COLLATE BINARY", &["u(y COLLATE BINARY)"]),
            ("SELECT * FROM t WHERE a = 5 OR c = 'text 7'", &["t(a)", "t(c)"]),
            ("SELECT * FROM t ORDER BY d DESC LIMIT 3", &["t(d DESC)"]),
            ("SELECT * FROM t WHERE c LIKE 'text 12%'", &["t(c COLLATE NOCASE)"]),
            ("UPDATE t SET b = 1 WHERE c = 'text 1'", &["t(c)"]),
            ("DELETE FROM t WHERE a IN (SELECT x FROM u WHERE y = 'text 5')", &["t(a)", "u(y)"]),
            ("EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = 5", &["t(a)"]),
            ("BEGIN", &[]),
        ];
        for (sql, expected) in cases {
            let advice = advised(&session, sql);
            let mut found: Vec<&str> = advice
                .indexes
                .iter()
                .map(|sql| sql.split_once(" ON ").unwrap().1.trim_end_matches(';'))
                .collect();
            found.sort_unstable();
            assert_eq!(found, *expected, "{sql}: {advice:?}");
        }
    }

    #[test]
    fn an_empty_table_is_taken_to_fill_up() {
        let session = Session::new(Database::in_memory().unwrap());
        session.execute("CREATE TABLE t(a, b, c); CREATE INDEX tb ON t(b)").unwrap();
        for (sql, expected) in [
            ("SELECT * FROM t WHERE a = 1 AND c > 2", 1),
            ("SELECT * FROM t WHERE b = 1", 0),
            ("SELECT * FROM t WHERE a = 1 OR c = 2", 2),
        ] {
            assert_eq!(advised(&session, sql).indexes.len(), expected, "{sql}");
        }
    }

    #[test]
    fn an_advised_index_is_used_when_it_is_made() {
        for sql in [
            "SELECT * FROM t WHERE a = 5",
            "SELECT * FROM t WHERE a = 5 AND d > 2000 ORDER BY d",
            "SELECT * FROM u WHERE y BETWEEN 'text 5' AND 'text 51'",
            "SELECT * FROM t JOIN u ON u.y = t.c WHERE t.d = 7",
        ] {
            let session = filled();
            let advice = advised(&session, sql);
            assert!(!advice.indexes.is_empty(), "{sql}");
            for index in &advice.indexes {
                session.execute(index).unwrap();
            }
            let after = advised(&session, sql);
            assert_eq!(after.indexes, Vec::<String>::new(), "{sql}");
            assert_eq!(after.plan, advice.plan, "{sql}");
        }
    }

    #[test]
    fn nothing_is_changed_and_every_statement_of_a_text_is_reached() {
        let session = filled();
        let sql = "DELETE FROM t; SELECT 1";
        let (first, behind) = session.advise(sql, 10).unwrap();
        assert!(first.unwrap().indexes.is_empty());
        assert_eq!(&sql[behind..], " SELECT 1");
        assert!(session.advise(" -- nothing", 10).unwrap().0.is_none());
        assert!(session.advise("SELECT * FROM missing", 10).is_err());
        let left = session.query("SELECT count(*), (SELECT count(*) FROM sqlite_schema) FROM t");
        assert_eq!(left.unwrap().rows[0], [crate::Value::Integer(5000), crate::Value::Integer(3)]);
    }

    #[test]
    fn how_many_values_there_are_is_guessed_from_few() {
        let sample = |values: &[u8]| -> Vec<Box<[u8]>> {
            values.iter().map(|value| Box::from([*value])).collect()
        };
        assert!((distinct_of(&sample(&[1, 1, 2, 2]), 1000.0) - 2.0).abs() < 1e-9);
        assert!((distinct_of(&sample(&[1, 2, 3, 4]), 1000.0) - 1000.0).abs() < 1e-9);
        assert!((distinct_of(&sample(&[1, 2, 2]), 3.0) - 2.0).abs() < 1e-9);
        let some = distinct_of(&sample(&[1, 1, 2, 3]), 1000.0);
        assert!((3.0..1000.0).contains(&some), "{some}");
    }
}
