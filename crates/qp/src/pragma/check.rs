//! `integrity_check`, `quick_check`, `foreign_key_check`: data against what the schema says.
//!
//! Every row is read and its entries are looked up in every index; the counts must agree, so
//! that no index has an entry too many. Neighbours: `modify::fill` knows rows and entries.

use std::cmp::Ordering;

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::entry::{Call, PragmaRows};
use crate::branching::access::check_owner;
use crate::catalog::{DatabaseIndex, Schema, Table, schema_table};
use crate::define::identifier;
use crate::error::{Error, Result};
use crate::modify::{bind_writer, check_rows, is_mismatched, mismatch, orphans};
use crate::session::Session;
use crate::store::Database;
use crate::suggest::hinting;
use crate::types::compare;

/// How many problems are reported unless a number is given.
const PROBLEMS_MAX: usize = 100;

pub(super) fn run(call: &Call<'_>, full: bool) -> Result<PragmaRows> {
    let only = call.database()?;
    let number = call.text().filter(|_| call.is_number).and_then(most_problems);
    let name = call.text().filter(|_| number.is_none());
    let most = number.unwrap_or(PROBLEMS_MAX);
    if full && name.is_none() {
        let hint = "PRAGMA quick_check, or integrity_check of a table, looks at the branch alone";
        check_owner(call.session, call.index()?, "check a file with all its branches")
            .map_err(|error| error.with_hint(hint))?;
    }
    call.session.reading(|sources, schemas| {
        let only = match name {
            Some(name) => Some(home_of_table(call, schemas, name)?),
            None => only,
        };
        let mut problems: Vec<String> = Vec::new();
        for (place, schema) in schemas.iter().enumerate() {
            let is_asked = only.is_none_or(|only| usize::from(only.0) == place);
            if !is_asked || !sources.get(place).is_some_and(Option::is_some) {
                continue;
            }
            let mut tables: Vec<&Arc<Table>> = schema.tables.values().collect();
            tables.sort_by_key(|table| table.id);
            for table in tables {
                if name.is_some_and(|name| !table.name.eq_ignore_ascii_case(name)) {
                    continue;
                }
                let writer = call.session.with_environment(schemas, sources, |environment| {
                    bind_writer(environment, table)
                })?;
                call.session.with_outer(sources, schemas, |outer| {
                    check_rows(&writer, full, most, outer, &mut problems)
                })?;
            }
        }
        if full && name.is_none() {
            for (place, _) in schemas.iter().enumerate() {
                let index = DatabaseIndex(place as u16);
                if only.is_none_or(|only| only == index)
                    && sources.get(place).is_some_and(Option::is_some)
                {
                    let (database, _) = call.session.database(index)?;
                    file_problems(call.session, &database, &mut problems)?;
                }
            }
        }
        if problems.is_empty() {
            problems.push("ok".to_owned());
        }
        problems.truncate(most);
        Ok(problems.into_iter().map(|problem| vec![Value::text(problem)]).collect())
    })
}

/// How many problems a number asks for: its whole part, of those that have 32 bits; others are
/// names of tables, and so is all that stands in quotes, as in SQLite.
fn most_problems(text: &str) -> Option<usize> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let number = super::entry::whole_number(whole)?;
    let number = i32::try_from(number).ok()?;
    Some(usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(PROBLEMS_MAX))
}

/// What is wrong with the pages of the newest checkpoint.
fn file_problems(session: &Session, database: &Database, problems: &mut Vec<String>) -> Result<()> {
    if database.manager().is_in_memory() {
        return Ok(());
    }
    let mut goes_on = |_| !session.is_interrupted();
    let report = pandodb_ds::check::check(database.manager().store(), &mut goes_on)?;
    problems.extend(report.problems);
    Ok(())
}

/// The database of a table or view that is named: the one that stands before the PRAGMA, else the
/// first that has it.
fn home_of_table(call: &Call<'_>, schemas: &[Arc<Schema>], name: &str) -> Result<DatabaseIndex> {
    let named = call.database()?;
    let (first, rest) = ([DatabaseIndex::TEMP, DatabaseIndex::MAIN], 2..schemas.len() as u16);
    let has = |index: &DatabaseIndex| {
        named.is_none_or(|named| named == *index)
            && schemas.get(usize::from(index.0)).is_some_and(|schema| {
                schema.table(name).is_some()
                    || schema.view(name).is_some()
                    || schema_table(name, *index).is_some()
            })
    };
    first.into_iter().chain(rest.map(DatabaseIndex)).find(has).ok_or_else(|| {
        let full = match named {
            Some(index) => format!("{}.{name}", call.session.database_name(index)),
            None => name.to_owned(),
        };
        let known = schemas.iter().flat_map(|schema| schema.tables.values());
        hinting(Error::not_found("table", full), name, known.map(|table| &*table.name))
    })
}

/// A table, and of each of its foreign keys the parent and the query for rows without one.
type ForeignKeyChecks = (Arc<Table>, Vec<(Box<str>, String)>);

/// How two rows of a table lie to each other, by what [`orphans`] tells of them.
fn by_key(table: &Table, left: &[Value], right: &[Value], session: &Session) -> Ordering {
    let orders: Vec<(Collation, bool)> = if table.has_rowid() {
        vec![(Collation::Binary, false)]
    } else {
        table.key_columns().iter().map(|key| (key.collation, key.descending)).collect()
    };
    let pairs = left.iter().zip(right).zip(orders);
    pairs.fold(Ordering::Equal, |order, ((left, right), (collation, descending))| {
        order.then_with(|| {
            let (left, right) = (left.as_ref(), right.as_ref());
            let order = compare(left, right, collation, session.collations());
            if descending { order.reverse() } else { order }
        })
    })
}

pub(super) fn foreign_keys(call: &Call<'_>) -> Result<PragmaRows> {
    let named = call.database()?.unwrap_or(DatabaseIndex::MAIN);
    let found = call.session.reading(|_, schemas| {
        // As in SQLite only a table that is named is looked for everywhere.
        let only = match call.text() {
            Some(name) => home_of_table(call, schemas, name)?,
            None => named,
        };
        let mut checks: Vec<ForeignKeyChecks> = Vec::new();
        for (place, schema) in schemas.iter().enumerate() {
            let index = DatabaseIndex(place as u16);
            if only != index {
                continue;
            }
            let database = identifier(&call.session.database_name(index));
            let mut tables: Vec<&Arc<Table>> = schema.tables.values().collect();
            tables.sort_by_key(|table| table.id);
            for table in tables {
                if call.text().is_some_and(|name| !table.name.eq_ignore_ascii_case(name)) {
                    continue;
                }
                let mut queries = Vec::with_capacity(table.foreign_keys.len());
                for key in table.foreign_keys.iter().rev() {
                    if is_mismatched(schema, key) {
                        return Err(Error::invalid(mismatch(&table.name, &key.parent)));
                    }
                    let sql = orphans(schema, &database, table, key);
                    queries.push((key.parent.clone(), sql));
                }
                checks.push((table.clone(), queries));
            }
        }
        Ok(checks)
    })?;
    let mut rows = Vec::new();
    for (table, queries) in found {
        let mut orphans = Vec::new();
        for (number, (parent, sql)) in queries.iter().enumerate() {
            let found = call.session.query(sql)?.rows.into_iter();
            orphans.extend(found.map(|key| (key, number, parent)));
        }
        // Row by row, and of each its foreign keys: all of one row are seen together.
        orphans.sort_by(|(left, ..), (right, ..)| by_key(&table, left, right, call.session));
        rows.extend(orphans.into_iter().map(|(mut key, number, parent)| {
            let rowid = key.pop().filter(|_| table.has_rowid());
            vec![
                Value::text(&*table.name),
                rowid.unwrap_or(Value::Null),
                Value::text(&**parent),
                Value::Integer(number as i64),
            ]
        }));
    }
    Ok(rows)
}
