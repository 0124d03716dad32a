//! New rows that nothing watches: from values to the stored form without a row in between.
//!
//! Most rows that are loaded go into a table without checks and the like, and what triggers do is
//! done once they are there. What is left to ask is whether a value is missing and whether the key
//! is taken. Neighbours: `insert` does
//! all other rows and asks here first, `direct` does the same for UPDATE and DELETE.

use pandodb_ds::record::key::{push_column, rowid_key, shown_as_integers};
use pandodb_ds::record::row::encode_row;
use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::NewRow;

use crate::ast::ConflictAction;
use crate::catalog::Index;
use crate::error::{Constraint, Error, Result};
use crate::execute::{Frame, Kept, Outer};
use crate::function::RowChange;
use crate::modify::constraint::{fail, rowid_of};
use crate::modify::trigger::{Event, Images};
use crate::modify::{Changes, InsertPlan, TableWriter};
use crate::scalar::Scalar;
use crate::types::{Affinity, Datum, apply_affinity};

/// The rowid of a new row.
enum Rowid {
    Given(i64),
    Next,
}

/// The values of a row.
type Row<'v> = SmallVec<[ValueRef<'v>; 16]>;

impl TableWriter {
    /// Whether a new row needs nothing but its values, and a key that is free.
    pub(in crate::modify) fn inserts_plainly(&self) -> bool {
        let table = &self.table;
        let has_own_action = table.primary_key.as_ref().is_some_and(|key| key.conflict.is_some())
            || table.columns.iter().any(|column| column.not_null.flatten().is_some());
        self.is_stored_in_order()
            && !has_own_action
            && table.has_rowid()
            && !table.is_autoincrement()
            && !table.strict
            && !self.triggers.has_before()
            && !self.triggers.has_instead()
            && self.foreign_keys.is_empty()
            && self.generated.is_empty()
            && self.checks.is_empty()
            && self.replacements.is_empty()
            && self.indexes.iter().all(|index| {
                index.unique.is_none() && index.filter.is_none() && !index.index.has_expressions()
            })
    }

    /// Whether the columns stand in the stored row as the table names them.
    pub(super) fn is_stored_in_order(&self) -> bool {
        let table = &self.table;
        table.columns.len() == table.stored_columns
            && table.columns.iter().enumerate().all(|(index, column)| column.position == index)
    }

    /// A value as a column stores it that is not STRICT.
    pub(super) fn stored<'v>(&self, index: usize, value: Datum<'v>) -> Datum<'v> {
        let affinity = self.table.columns[index].affinity;
        match apply_affinity(value, affinity) {
            // REAL columns store whole numbers as integers, which have one zero.
            Datum::Ref(ValueRef::Real(0.0)) | Datum::Owned(Value::Real(0.0))
                if affinity == Affinity::Real =>
            {
                Datum::Ref(ValueRef::Real(0.0))
            }
            stored => stored,
        }
    }

    /// What a NULL in a column that has to have a value is.
    fn missing(&self, values: &[ValueRef<'_>]) -> Option<Error> {
        let alias = self.table.rowid_alias();
        let mut columns = self.table.columns.iter().enumerate().zip(values);
        let ((index, _), _) = columns.find(|((index, column), value)| {
            column.not_null.is_some() && alias != Some(*index) && value.is_null()
        })?;
        Some(self.without_value(index))
    }

    /// The error of a NULL in a column that has to have a value.
    pub(super) fn without_value(&self, index: usize) -> Error {
        let subject = format!("{}.{}", self.table.name, self.table.columns[index].name);
        Error::constraint(Constraint::NotNull, subject)
    }
}

impl InsertPlan {
    /// Puts the current row of the input into the table and its indexes.
    pub(super) fn insert_plain(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        let mut room = std::mem::take(&mut frame.room);
        let outcome = self.insert_with(&mut room, frame, outer, changes);
        frame.room = room;
        outcome
    }

    /// As [`insert_plain`](Self::insert_plain) with a row that was read before.
    pub(super) fn insert_kept(
        &self,
        row: NewRow,
        frame: &mut Frame,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        row.mismatch.map_or(Ok(()), Err)?;
        let rowid = match row.rowid {
            Some(rowid) => rowid,
            None => self.writer.next_rowid(outer)?,
        };
        let values: Row<'_> = row.values.iter().map(Value::as_ref).collect();
        if let Some(missing) = self.writer.missing(&values) {
            return Err(fail(missing, ConflictAction::Abort, outer));
        }
        self.put_row(rowid, values, &mut frame.room, outer, changes)
    }

    fn insert_with(
        &self,
        room: &mut Vec<u8>,
        frame: &Frame,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        let mut row: Row<'_> = SmallVec::new();
        if let Some(given) = self.given(outer, &mut row) {
            let rowid = match given {
                Rowid::Given(rowid) => rowid,
                Rowid::Next => self.writer.next_rowid(outer)?,
            };
            return self.put_row(rowid, row, room, outer, changes);
        }
        let writer = &*self.writer;
        let alias = writer.table.rowid_alias();
        let scope = frame.scope(outer);
        let mut values: SmallVec<[Datum<'_>; 16]> = SmallVec::new();
        let mut given = Ok(None);
        for (index, expression) in self.values.iter().enumerate() {
            let value = expression.evaluate(&scope)?;
            if alias == Some(index) {
                given = match value.as_ref() {
                    ValueRef::Integer(rowid) => Ok(Some(rowid)),
                    value => rowid_of(&value.to_owned()),
                };
                values.push(Datum::NULL);
            } else {
                values.push(writer.stored(index, value));
            }
        }
        let rowid = match given? {
            Some(rowid) => rowid,
            None => writer.next_rowid(outer)?,
        };
        let values: Row<'_> = values.iter().map(Datum::as_ref).collect();
        if let Some(missing) = writer.missing(&values) {
            return Err(fail(missing, ConflictAction::Abort, outer));
        }
        self.put_row(rowid, values, room, outer, changes)
    }

    /// Fills the row with values that are stored as they are given, and tells the rowid among
    /// them: of rows that are loaded by bound values that is nearly every one. None where
    /// something is to be computed, converted or refused.
    #[inline]
    fn given<'v>(&'v self, outer: Outer<'v>, row: &mut Row<'v>) -> Option<Rowid> {
        let table = &*self.writer.table;
        let alias = table.rowid_alias();
        let mut rowid = Rowid::Next;
        for (index, (expression, column)) in self.values.iter().zip(&table.columns).enumerate() {
            let value = match expression {
                Scalar::Parameter(place) => outer.context.parameters.get(*place as usize),
                Scalar::Literal(value) => value.as_ref(),
                _ => return None,
            };
            if alias == Some(index) {
                match value {
                    ValueRef::Integer(given) => rowid = Rowid::Given(given),
                    ValueRef::Null => {}
                    _ => return None,
                }
                row.push(ValueRef::Null);
                continue;
            }
            let is_stored = match value {
                ValueRef::Null => column.not_null.is_none(),
                ValueRef::Integer(_) => !matches!(column.affinity, Affinity::Text | Affinity::Real),
                // Of the two zeros REAL columns store one.
                ValueRef::Real(real) if column.affinity == Affinity::Real => real != 0.0,
                ValueRef::Real(_) => matches!(column.affinity, Affinity::Blob | Affinity::None),
                ValueRef::Text(_) => !column.affinity.is_numeric(),
                ValueRef::Blob(_) => true,
            };
            if !is_stored {
                return None;
            }
            row.push(value);
        }
        Some(rowid)
    }

    /// Puts a row with the values that are stored into the table and its indexes, and lets
    /// triggers see it.
    fn put_row(
        &self,
        rowid: i64,
        mut row: Row<'_>,
        room: &mut Vec<u8>,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        let writer = &*self.writer;
        let table = &*writer.table;
        let key = rowid_key(rowid);
        room.clear();
        encode_row(&row, room)?;
        if let Some(alias) = table.rowid_alias() {
            row[alias] = ValueRef::Integer(rowid);
        }
        let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
        if !transaction.insert_later(table.tree, &key, room)? {
            drop(transaction);
            return Err(fail(writer.duplicate_key(), ConflictAction::Abort, outer));
        }
        for index in &writer.indexes {
            room.clear();
            let exact = entry(&index.index, &row, &key, room)?;
            let (key, exact) = room.split_at(exact);
            transaction.put_later(index.index.tree, key, exact)?;
        }
        drop(transaction);
        outer.context.session.row_changed(RowChange::Insert, &table.name, rowid);
        outer.context.counters.last_insert_rowid.set(rowid);
        changes.rows += 1;
        if writer.triggers.has_after() {
            let values = row.iter().copied().map(ValueRef::to_owned).collect();
            let images = Images::new(None, Kept::Values { rowid, values });
            writer.triggers.fire(Event::After, images, self.conflict, outer)?;
        }
        Ok(())
    }
}

/// Appends a row's entry in an index over columns: its key, then its exact values where the key
/// does not say them; returns where those begin.
fn entry(
    index: &Index,
    row: &[ValueRef<'_>],
    row_key: &[u8],
    entry: &mut Vec<u8>,
) -> Result<usize> {
    let mut parts: SmallVec<[ValueRef<'_>; 4]> = SmallVec::new();
    for column in &index.columns {
        let value = column.column().and_then(|column| row.get(column));
        parts.push(value.copied().unwrap_or_default());
    }
    let mut is_exact = shown_as_integers(&parts) == 0;
    for (value, column) in parts.iter().zip(&index.columns) {
        push_column(*value, column.order(), entry)?;
        is_exact &= !matches!(value, ValueRef::Text(_)) || column.order().is_exact();
    }
    entry.extend_from_slice(row_key);
    let key = entry.len();
    if !is_exact {
        encode_row(&parts, entry)?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use pandodb_ds::record::Value;

    use crate::modify::ModifyKind;
    use crate::session::{PreparedKind, Session};
    use crate::store::Database;

    /// A table with or without a constraint, which its rows are looked at for, that they fulfil.
    const TABLES: &str = "
        CREATE TABLE $(id INTEGER PRIMARY KEY, k INTEGER, s TEXT NOT NULL, r REAL, v &);
        CREATE INDEX $_k ON $(k); CREATE INDEX $_s ON $(s COLLATE NOCASE, v);
        CREATE INDEX $_r ON $(r DESC);
        CREATE TABLE seen_$(a, b, c, d, e);";

    const TRIGGER: &str = "CREATE TRIGGER $_insert AFTER INSERT ON $ BEGIN
        INSERT INTO seen_$ VALUES (new.id, new.k, new.s, new.r, new.v);
        UPDATE $ SET v = v || '!' WHERE id = new.id AND new.k = 7;
        SELECT RAISE(ABORT, 'thirteen') WHERE new.k = 13; END;";

    const CHANGES: [&str; 16] = [
        "INSERT INTO $ VALUES (#, 5, 'a', 2, NULL)",
        "INSERT INTO $ VALUES (NULL, '7', 'B', -0.0, x'00')",
        "INSERT INTO $ VALUES ('#', 2.0, 12, '3.5', 1.0)",
        "INSERT INTO $ VALUES ('x', 1, 's', 1, 1)",
        "INSERT INTO $ VALUES (#.5, 1, 's', 1, 1)",
        "INSERT INTO $(k, s) VALUES (1, NULL)",
        "INSERT INTO $(s, r) VALUES ('one', 1), ('two', '2'), (NULL, 3)",
        "INSERT INTO $(s, v) VALUES ('one', 1), ('ONE', '2'), ('One', 3.0)",
        "INSERT INTO $ SELECT id + 1 + #, k, s || 'x', r, v FROM $ WHERE id % 7 = 1",
        "INSERT INTO $(id, s) VALUES (#, 'last'), (1 + #, 'more'), (#, 'twice')",
        "INSERT INTO $(s, k) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
           WHERE i < 30) SELECT nullif('n' || i, 'n' || #), i * # % 17 FROM n",
        "DELETE FROM $ WHERE id % 3 = 1",
        "UPDATE $ SET k = k + 1, s = upper(s) WHERE k < 4",
        "DELETE FROM $ WHERE id > 60",
        "INSERT OR IGNORE INTO $ VALUES (#, 1, 'ignored', 2, 3)",
        "INSERT INTO $ VALUES (#, 9223372036854775807, '', 1e300, 'z') ON CONFLICT DO NOTHING",
    ];

    const FRAMES: [&str; 6] =
        ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT here", "ROLLBACK TO here", "RELEASE here"];

    fn rows(session: &Session, sql: &str) -> Vec<Vec<Value>> {
        session.query(sql).unwrap().rows
    }

    fn is_plain(session: &Session, sql: &str) -> bool {
        let statement = session.prepare(sql).unwrap().0.unwrap();
        match &statement.prepared().kind {
            PreparedKind::Modify(plan) => match &plan.kind {
                ModifyKind::Insert(plan) => plan.is_plain,
                _ => panic!("{sql}"),
            },
            _ => panic!("{sql}"),
        }
    }

    #[test]
    fn plain_rows_become_what_watched_ones_do() {
        let session = Session::new(Database::in_memory().unwrap());
        for (name, check) in [("t", ""), ("u", "CHECK (1)"), ("a", ""), ("w", "CHECK (1)")] {
            let tables = TABLES.replace('&', check).replace('$', name);
            session.execute(&tables).unwrap();
        }
        assert!(is_plain(&session, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5)"));
        for name in ["a", "w"] {
            session.execute(&TRIGGER.replace('$', name)).unwrap();
        }
        assert!(is_plain(&session, "INSERT INTO a VALUES (?1, ?2, ?3, ?4, ?5)"));
        assert!(is_plain(&session, "INSERT INTO a SELECT * FROM t"));
        assert!(!is_plain(&session, "INSERT INTO w VALUES (?1, ?2, ?3, ?4, ?5)"));
        assert!(!is_plain(&session, "INSERT OR REPLACE INTO t VALUES (?1, ?2, ?3, ?4, ?5)"));
        let mut state: u64 = 5;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            (state >> 33) as usize % below
        };
        for round in 0..600 {
            if random(4) == 0 {
                // Most of them are refused where they come.
                let _ = session.execute(FRAMES[random(FRAMES.len())]);
            }
            let number = random(80).to_string();
            let change = CHANGES[random(CHANGES.len())].replace('#', &number);
            // The latter two have a trigger.
            let twins = if round % 2 == 0 { ["t", "u"] } else { ["a", "w"] };
            let outcomes = twins.map(|table| {
                let done = session.execute(&change.replace('$', table));
                let done =
                    done.map_err(|error| error.to_string().replace(&format!(": {table}."), ": "));
                (done, session.changes(), session.last_insert_rowid())
            });
            assert_eq!(outcomes[0], outcomes[1], "round {round}: {change}");
            if random(2) == 0 {
                continue;
            }
            for read in [
                "SELECT * FROM $ ORDER BY id",
                "SELECT k, id FROM $ WHERE k > 0 ORDER BY k, id",
                "SELECT s, v, id FROM $ WHERE s = 'ONE' COLLATE NOCASE ORDER BY id",
                "SELECT r, id FROM $ ORDER BY r DESC, id LIMIT 20",
                "SELECT *, rowid FROM seen_$ ORDER BY rowid",
            ] {
                let found = twins.map(|table| rows(&session, &read.replace('$', table)));
                assert_eq!(found[0], found[1], "round {round}: {change}");
            }
        }
        let _ = session.execute("COMMIT");
        let whole = rows(&session, "PRAGMA integrity_check");
        assert_eq!(whole, [[Value::Text(b"ok".as_slice().into())]]);
    }
}
