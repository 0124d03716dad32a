//! The statements of a seed.
//!
//! Neighbours: `schema`, `change`, `query` (which make them), `compare` (which runs them).

use fastrand::Rng;

use super::change::Changes;
use super::places;
use super::query::Queries;
use super::schema::{Schema, chance};

/// A statement and how it is compared.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The statement.
    pub(super) sql: String,
    /// How it is compared.
    pub(super) check: Check,
}

/// How a statement is compared.
#[derive(Clone, Debug)]
pub(super) enum Check {
    /// Rows it returns, in any order, and what all tables hold afterwards.
    Change,
    /// Rows.
    Query(Order),
    /// Rows; and those of three parts together are the same rows.
    Partition(Vec<String>),
    /// Rows; and those of another query are the same.
    Same(String),
}

/// What the order of rows means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing.
    Any,
    /// Sorted by all columns: rows that compare as equal may change places.
    Sorted,
    /// Sorted and cut: of rows that compare as equal any may be left out.
    Limited,
}

/// Every so many seeds one is about names.
const PLACES_EVERY: u64 = 8;

/// The script of a seed with `statements` behind its schema.
pub(super) fn of_seed(seed: u64, statements: usize) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    // Names that mean one thing or another take a script of their own.
    if seed.is_multiple_of(PLACES_EVERY) {
        return places::script(rng, statements);
    }
    let mut schema = Schema::default();
    let mut steps = Vec::new();
    let mut push = |sql: String| steps.push(Step { sql, check: Check::Change });
    if chance(rng, 50) {
        push("PRAGMA foreign_keys = ON".to_owned());
    }
    if chance(rng, 20) {
        push("PRAGMA recursive_triggers = ON".to_owned());
    }
    push("CREATE TABLE log(name TEXT, first TEXT, second TEXT)".to_owned());
    for _ in 0..rng.usize(1..=3) {
        let sql = schema.create_table(rng);
        // A table of another database goes by its whole name.
        let is_attached = chance(rng, 6);
        match schema.tables.last_mut() {
            Some(table) if is_attached => {
                let name = format!("other.{}", table.name);
                push("ATTACH ':memory:' AS other".to_owned());
                push(sql.replacen(&table.name, &name, 1));
                table.name = name;
            }
            _ => push(sql),
        }
        for _ in 0..rng.usize(..3) {
            push(schema.create_index(rng));
        }
    }
    for table in schema.tables.clone() {
        if chance(rng, 92) {
            push(Changes { rng, schema: &mut schema }.fill(&table));
        }
    }
    for _ in 0..statements {
        let step = match rng.u8(..20) {
            0..=11 => Queries { rng, schema: &schema }.query(),
            12..=18 => {
                let sql = Changes { rng, schema: &mut schema }.change();
                Step { sql, check: Check::Change }
            }
            _ => {
                let sql = Changes { rng, schema: &mut schema }.define();
                Step { sql, check: Check::Change }
            }
        };
        steps.push(step);
    }
    steps
}

/// What all tables of the script hold, sorted: the names come from the statements themselves.
pub(super) fn tables(steps: &[Step]) -> Vec<(String, bool)> {
    let created = |step: &Step| {
        let rest = ["CREATE TABLE ", "CREATE TEMP TABLE "]
            .iter()
            .find_map(|words| step.sql.strip_prefix(words))?;
        let name = rest.split(['(', ' ']).next()?.trim().to_owned();
        // Which row a trigger notes first is left to the plan.
        let has_rowid = !rest.contains("WITHOUT ROWID") && name != "log";
        Some((name, has_rowid))
    };
    let mut tables: Vec<(String, bool)> = steps.iter().filter_map(created).collect();
    for step in steps {
        let Some((old, new)) =
            step.sql.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(" RENAME TO "))
        else {
            continue;
        };
        let has_rowid = tables.iter().any(|(name, has_rowid)| name == old && *has_rowid);
        tables.push((new.to_owned(), has_rowid));
    }
    tables
}
