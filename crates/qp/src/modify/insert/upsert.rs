//! ON CONFLICT DO: what becomes of the row that is there.
//!
//! Counting (`ON CONFLICT (word) DO UPDATE SET n = n + 1`) meets a row that is there nearly every
//! time, in a table where nothing else watches it and no index reads what is set. Such a row is
//! looked up by the key that the clause names before anything else is done, and it gets the new
//! values in its stored form: only what expressions read is taken out of it. Where no row is
//! there, the new one goes the way of all rows. Neighbours: `super` for these, `direct` does the
//! same for UPDATE.

use pandodb_ds::record::key::{prefix_successor, push_column, rowid_from_key, rowid_key};
use pandodb_ds::record::row::RowView;
use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use crate::ast::ConflictAction;
use crate::catalog::IndexColumn;
use crate::error::Result;
use crate::execute::{Frame, Outer};
use crate::function;
use crate::modify::constraint::fail;
use crate::modify::update::RowChange;
use crate::modify::{
    Changes, IndexWriter, InsertPlan, Returning, RowKey, TableWriter, UpsertPlan, UpsertTarget,
    checking,
};
use crate::scalar::{ROWID, Scalar, SlotId};
use crate::store::Cursor;
use crate::types::Datum;

/// What is known beforehand of an upsert whose rows can be changed where they are.
#[derive(Debug)]
pub struct DirectUpsert {
    /// Positions of the new row's columns that are read.
    excluded: Vec<usize>,
    /// Positions of the old row's columns that are read.
    existing: Vec<usize>,
}

/// What the rows of one statement share.
#[derive(Default)]
pub(super) struct UpsertRoom {
    /// Stands in the index that tells rows apart, until a row is added.
    cursor: Option<Cursor>,
    /// The key of the row that is there.
    key: Vec<u8>,
    /// Its stored form, as it is and as it will be.
    old: Vec<u8>,
    new: Vec<u8>,
}

/// What is in the way of a new row where its ON CONFLICT clause says.
pub(super) enum Meeting {
    /// A row.
    Row(Met),
    /// Nothing.
    None,
    /// It takes more to find out.
    Unclear,
}

/// The row that a new one meets.
pub(super) struct Met {
    /// Its rowid; 0 in a table without.
    rowid: i64,
    /// What is read of the new row, by position.
    excluded: SmallVec<[(usize, Value); 4]>,
}

impl DirectUpsert {
    /// For a plan whose only ON CONFLICT clause is such a one.
    pub(in crate::modify) fn of(plan: &InsertPlan) -> Option<Self> {
        let writer = &*plan.writer;
        let [upsert] = plan.upserts.as_slice() else { return None };
        let is_plain = writer.is_stored_in_order()
            && !writer.table.is_autoincrement()
            && !writer.table.strict
            && writer.triggers.is_empty()
            && writer.foreign_keys.is_empty()
            && writer.generated.is_empty()
            && writer.checks.is_empty()
            && writer.replacements.is_empty()
            && plan.rowid.is_none()
            && upsert.rowid.is_none()
            && upsert.triggers.is_empty();
        if !is_plain || !writer.finds_by(upsert.target?) || !writer.leaves_keys(upsert) {
            return None;
        }
        let read = |slot| columns_of(upsert, slot, writer);
        let (mut excluded, mut existing) = (read(writer.row), read(upsert.existing));
        let alias = writer.table.rowid_alias();
        // The number that a new row would have is not known before it is clear that it comes.
        if excluded.iter().any(|position| Some(*position) == alias || is_rowid(*position)) {
            return None;
        }
        existing.retain(|position| !is_rowid(*position));
        excluded.sort_unstable();
        existing.sort_unstable();
        Some(Self { excluded, existing })
    }
}

/// Whether what is read is the rowid by its own name.
fn is_rowid(position: usize) -> bool {
    position == usize::from(ROWID)
}

/// The positions that an upsert reads of the row in a slot.
fn columns_of(upsert: &UpsertPlan, slot: SlotId, writer: &TableWriter) -> Vec<usize> {
    let mut positions = Vec::new();
    let assigned = upsert.assignments.iter().flatten().map(|(_, expression)| expression);
    for expression in assigned.chain(&upsert.filter) {
        expression.columns(&mut |place| {
            let position = usize::from(place.column);
            let is_known = position < writer.table.stored_columns || is_rowid(position);
            if place.depth == 0 && place.slot == slot && is_known && !positions.contains(&position)
            {
                positions.push(position);
            }
        });
    }
    positions
}

/// Puts the parts of a key behind each other; false where one of them is NULL.
fn push_key(columns: &[IndexColumn], values: &[ValueRef<'_>], key: &mut Vec<u8>) -> Result<bool> {
    for column in columns {
        let value = column.column().and_then(|index| values.get(index));
        let value = value.copied().unwrap_or_default();
        if value.is_null() {
            return Ok(false);
        }
        push_column(value, column.order(), key)?;
    }
    Ok(true)
}

impl TableWriter {
    /// Whether a row is found by the values of a new one alone.
    fn finds_by(&self, target: UpsertTarget) -> bool {
        let alias = self.table.rowid_alias();
        match target {
            UpsertTarget::Key => alias.is_some() || !self.table.has_rowid(),
            UpsertTarget::Index(place) => self.indexes.get(place).is_some_and(|index| {
                let is_simple = |column: &IndexColumn| {
                    column.column().is_some_and(|column| Some(column) != alias)
                        && !column.is_custom()
                };
                index.filter.is_none() && index.index.columns.iter().all(is_simple)
            }),
        }
    }

    /// Whether an upsert sets no column of the key and none that an index reads.
    fn leaves_keys(&self, upsert: &UpsertPlan) -> bool {
        let assigned = |place: usize| {
            let mut set = upsert.assignments.iter().flatten();
            set.any(|(index, _)| *index == place)
        };
        let reads = |expression: &Scalar| {
            let mut is_read = expression.has_subquery();
            expression.columns(&mut |place| is_read |= assigned(usize::from(place.column)));
            is_read
        };
        let is_read = |index: &IndexWriter| index.parts.iter().chain(&index.filter).any(reads);
        let mut key = self.table.key_columns().iter().filter_map(IndexColumn::column);
        !key.any(assigned) && !self.indexes.iter().any(is_read)
    }

    /// Leaves the key of the row that an index finds equal to `values` in the room.
    fn find_by_index(
        &self,
        index: &IndexWriter,
        values: &[ValueRef<'_>],
        room: &mut UpsertRoom,
        outer: Outer<'_>,
    ) -> Result<bool> {
        room.key.clear();
        if !push_key(&index.index.columns, values, &mut room.key)? {
            return Ok(false);
        }
        let mut cursor = if let Some(cursor) = room.cursor.take() {
            cursor
        } else {
            outer.context.cursor(self.source, index.index.tree)?
        };
        if cursor.is_noted() {
            cursor.limit(&room.key, prefix_successor(&room.key).as_deref());
        }
        // One that finds nothing is given up: an entry is to come.
        if !cursor.seek(&room.key)? || !cursor.key().starts_with(&room.key) {
            return Ok(false);
        }
        let prefix = room.key.len();
        room.key.clear();
        room.key.extend_from_slice(&cursor.key()[prefix..]);
        if !cursor.is_noted() {
            room.cursor = Some(cursor);
        }
        Ok(true)
    }
}

impl InsertPlan {
    /// What stands in the way of a row with these values, which are as columns store them.
    pub(super) fn meet(
        &self,
        direct: &DirectUpsert,
        values: &[ValueRef<'_>],
        rowid: Option<i64>,
        room: &mut UpsertRoom,
        outer: Outer<'_>,
    ) -> Result<Meeting> {
        let writer = &*self.writer;
        let table = &writer.table;
        let Some(UpsertPlan { target: Some(target), .. }) = self.upserts.first() else {
            return Ok(Meeting::Unclear);
        };
        let alias = table.rowid_alias();
        let mut columns = table.columns.iter().zip(values).enumerate();
        let has_gap = columns.any(|(index, (column, value))| {
            column.not_null.is_some() && value.is_null() && alias != Some(index)
        });
        if has_gap {
            room.cursor = None;
            return Ok(Meeting::Unclear);
        }
        let is_found = match (*target, rowid) {
            (UpsertTarget::Key, Some(rowid)) if table.has_rowid() => {
                room.key.clear();
                room.key.extend_from_slice(&rowid_key(rowid));
                true
            }
            (UpsertTarget::Key, None) if table.has_rowid() => return Ok(Meeting::Unclear),
            (UpsertTarget::Key, _) => {
                room.key.clear();
                push_key(table.key_columns(), values, &mut room.key)?
            }
            (UpsertTarget::Index(place), _) => {
                let Some(index) = writer.indexes.get(place) else { return Ok(Meeting::Unclear) };
                checking(writer, outer, || writer.find_by_index(index, values, room, outer))?
            }
        };
        if !is_found || !self.take_stored(*target, room, outer)? {
            return Ok(Meeting::None);
        }
        let rowid = if table.has_rowid() { rowid_from_key(&room.key)? } else { 0 };
        let excluded = direct.excluded.iter().map(|position| {
            (*position, values.get(*position).copied().unwrap_or_default().to_owned())
        });
        Ok(Meeting::Row(Met { rowid, excluded: excluded.collect() }))
    }

    /// Copies the stored row with the key in the room into the room; whether it is there.
    fn take_stored(
        &self,
        target: UpsertTarget,
        room: &mut UpsertRoom,
        outer: Outer<'_>,
    ) -> Result<bool> {
        let writer = &*self.writer;
        let UpsertRoom { key, old, .. } = room;
        let transaction = outer.context.transaction(writer.source)?;
        let mut look = || {
            transaction.borrow().get_with(writer.table.tree, key, |bytes| {
                old.clear();
                old.extend_from_slice(bytes);
            })
        };
        // An index has shown already whether it is there.
        let is_check = target == UpsertTarget::Key;
        let found = if is_check { checking(writer, outer, look) } else { look() };
        Ok(found?.is_some())
    }

    /// Does to the row that [`meet`](Self::meet) found what the clause says.
    pub(super) fn change_met(
        &self,
        direct: &DirectUpsert,
        met: Met,
        room: &mut UpsertRoom,
        frame: &mut Frame,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        let Some(upsert) = self.upserts.first() else { return Ok(()) };
        let Some(assignments) = &upsert.assignments else { return Ok(()) };
        let writer = &*self.writer;
        self.show(upsert, direct, met.excluded, met.rowid, &room.old, frame)?;
        let scope = frame.scope(outer);
        if let Some(filter) = &upsert.filter
            && !filter.is_true(&scope)?
        {
            return Ok(());
        }
        let mut set: SmallVec<[(usize, Datum<'_>); 4]> = SmallVec::new();
        for (index, expression) in assignments {
            set.push((*index, writer.stored(*index, expression.evaluate(&scope)?)));
        }
        let columns = &writer.table.columns;
        let is_missing = |(index, value): &&(usize, Datum<'_>)| {
            value.is_null() && columns[*index].not_null.is_some()
        };
        if let Some(index) = set.iter().filter(is_missing).map(|(index, _)| *index).min() {
            return Err(fail(writer.without_value(index), ConflictAction::Abort, outer));
        }
        let set = set.iter().map(|(index, value)| (columns[*index].position, value.as_ref()));
        writer.encode_with(&room.old, set, &mut room.new)?;
        let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
        transaction.put_later(writer.table.tree, &room.key, &room.new)?;
        drop(transaction);
        let session = outer.context.session;
        session.row_changed(function::RowChange::Update, &writer.table.name, met.rowid);
        changes.rows += 1;
        Ok(())
    }

    /// Lets expressions read what they read of the new row and of the old one.
    fn show(
        &self,
        upsert: &UpsertPlan,
        direct: &DirectUpsert,
        excluded: SmallVec<[(usize, Value); 4]>,
        rowid: i64,
        old: &[u8],
        frame: &mut Frame,
    ) -> Result<()> {
        let table = &self.writer.table;
        let greatest = |positions: &[usize]| positions.last().map_or(0, |last| last + 1);
        let new = frame.slot_mut(self.writer.row).values_mut();
        new.clear();
        new.resize(greatest(&direct.excluded), Value::Null);
        for (position, value) in excluded {
            new[position] = value;
        }
        let mut values = std::mem::take(frame.slot_mut(upsert.existing).values_mut());
        values.clear();
        values.resize(greatest(&direct.existing), Value::Null);
        let view = RowView::new(old)?;
        let alias = table.rowid_alias();
        for position in &direct.existing {
            values[*position] = match view.column(*position)? {
                _ if alias == Some(*position) => Value::Integer(rowid),
                Some(value) => value.to_owned(),
                None => table.missing_value(*position).clone(),
            };
        }
        frame.slot_mut(upsert.existing).set_values(rowid, values);
        Ok(())
    }

    /// What the ON CONFLICT clauses name: that is looked at first, in their order.
    pub(super) fn upsert_targets(&self) -> SmallVec<[UpsertTarget; 4]> {
        self.upserts.iter().filter_map(|upsert| upsert.target).collect()
    }

    /// The ON CONFLICT clause that answers for a conflict.
    pub(super) fn upsert_for(&self, target: UpsertTarget) -> Option<&UpsertPlan> {
        self.upserts.iter().find(|upsert| upsert.target.is_none_or(|wanted| wanted == target))
    }

    /// DO NOTHING or DO UPDATE, with the row slot holding `excluded`.
    pub(super) fn upsert(
        &self,
        upsert: &UpsertPlan,
        other: &RowKey,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let Some(assignments) = &upsert.assignments else { return Ok(()) };
        let writer = &*self.writer;
        let Some(old) = writer.fetch(other, outer)? else { return Ok(()) };
        let excluded = frame.slot_mut(writer.row).take()?;
        // The old row gets its generated columns in the row slot, then goes to its own.
        writer.load(other, old, frame, outer)?;
        writer.fill_alias(frame);
        let old = frame.slot_mut(writer.row).take()?;
        frame.slot_mut(upsert.existing).restore(old);
        frame.slot_mut(writer.row).restore(excluded);
        if let Some(filter) = &upsert.filter
            && !filter.is_true(&frame.scope(outer))?
        {
            return Ok(());
        }
        let mut set = Vec::with_capacity(assignments.len());
        let mut rowid = None;
        {
            let scope = frame.scope(outer);
            for (index, expression) in assignments {
                set.push((*index, expression.evaluate(&scope)?.into_value()));
            }
            if let Some(expression) = &upsert.rowid {
                rowid = Some(expression.evaluate(&scope)?.into_value());
            }
        }
        let conflict = Some(ConflictAction::Abort);
        // Nothing reads the slot of the old row from here on.
        let known = Some(std::mem::take(frame.slot_mut(upsert.existing).values_mut()));
        let change = RowChange { set, rowid, conflict, triggers: &upsert.triggers, known };
        writer.update_row(other, change, frame, outer, returning, changes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use pandodb_ds::record::Value;

    use crate::modify::ModifyKind;
    use crate::session::{PreparedKind, Session};
    use crate::store::Database;

    /// Pairs of tables that differ only in that somebody watches the second.
    const TWINS: &str = "
        CREATE TABLE t1(id INTEGER PRIMARY KEY, k TEXT COLLATE NOCASE UNIQUE, n INTEGER NOT NULL,
                        r REAL, v);
        CREATE TABLE w1(id INTEGER PRIMARY KEY, k TEXT COLLATE NOCASE UNIQUE, n INTEGER NOT NULL,
                        r REAL, v);
        CREATE INDEX t1_v ON t1(v); CREATE INDEX w1_v ON w1(v);
        CREATE TABLE t2(id INTEGER, k TEXT, n INTEGER NOT NULL, r REAL, v,
                        PRIMARY KEY (k DESC), UNIQUE (id)) WITHOUT ROWID;
        CREATE TABLE w2(id INTEGER, k TEXT, n INTEGER NOT NULL, r REAL, v,
                        PRIMARY KEY (k DESC), UNIQUE (id)) WITHOUT ROWID;
        CREATE TABLE seen(n);
        CREATE TRIGGER w1_i AFTER INSERT ON w1 BEGIN INSERT INTO seen VALUES (1); END;
        CREATE TRIGGER w1_u AFTER UPDATE ON w1 BEGIN INSERT INTO seen VALUES (2); END;
        CREATE TRIGGER w2_i AFTER INSERT ON w2 BEGIN INSERT INTO seen VALUES (3); END;
        CREATE TRIGGER w2_u AFTER UPDATE ON w2 BEGIN INSERT INTO seen VALUES (4); END;";

    const CHANGES: [&str; 17] = [
        "INSERT INTO $(id, k, n) VALUES (#, 'k#', 1) ON CONFLICT(id) DO UPDATE SET n = n + 1",
        "INSERT INTO $(id, k, n) VALUES (#, 'K#', 1) ON CONFLICT(k) DO UPDATE SET n = n + 1",
        "INSERT INTO $(k, n) VALUES ('k#', 1) ON CONFLICT(k) DO UPDATE SET n = n + excluded.n",
        "INSERT INTO $(k, n, r) VALUES ('k#', 1, '7') ON CONFLICT(k) DO UPDATE
           SET r = excluded.r, n = coalesce(r, id, 0) WHERE n < 9",
        "INSERT INTO $(k, n) VALUES ('k#', 1) ON CONFLICT(k) DO NOTHING",
        "INSERT INTO $(k, n) VALUES ('k#', NULL) ON CONFLICT(k) DO UPDATE SET n = 3",
        "INSERT INTO $(k, n) VALUES ('k#', 2) ON CONFLICT(k) DO UPDATE SET r = -0.0, n = NULL",
        "INSERT INTO $(k, n) VALUES (NULL, 2) ON CONFLICT(k) DO UPDATE SET n = 4",
        "INSERT INTO $(id, k, n) VALUES ('x', 'k#', 1) ON CONFLICT(k) DO UPDATE SET n = 5",
        "INSERT INTO $(id, k, n) VALUES (1 + #, 'k#', 1) ON CONFLICT(id) DO UPDATE SET n = 6",
        "INSERT INTO $(k, n, v) VALUES ('k#', 7, zeroblob(400)) ON CONFLICT(k) DO UPDATE
           SET v = excluded.v, n = length(k)",
        "INSERT INTO $(k, n, r) VALUES ('k#', 8, 1) ON CONFLICT(k) DO UPDATE
           SET n = (SELECT count(*) FROM $) + n, r = excluded.k || $.k",
        "INSERT INTO $(k, n) VALUES ('k#', 9) ON CONFLICT(k) DO UPDATE SET k = k || 'x'",
        "INSERT INTO $(k, n) SELECT k, 1 FROM $ WHERE n > # ON CONFLICT(k) DO UPDATE SET n = n + 2",
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 25)
           INSERT INTO $(id, k, n) SELECT i * # % 31, 'k' || i, i FROM c WHERE true
           ON CONFLICT(k) DO UPDATE SET n = excluded.n, r = n",
        "INSERT INTO $(id, k, n) VALUES (#, 'a', 1), (#, 'b', 2), (#, 'c', 3)
           ON CONFLICT(id) DO UPDATE SET n = n * 10 + excluded.n",
        "DELETE FROM $ WHERE n % 5 = # % 5",
    ];

    const FRAMES: [&str; 6] =
        ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT here", "ROLLBACK TO here", "RELEASE here"];

    fn is_direct(session: &Session, sql: &str) -> bool {
        let statement = session.prepare(sql).unwrap().0.unwrap();
        let PreparedKind::Modify(plan) = &statement.prepared().kind else { panic!("{sql}") };
        matches!(&plan.kind, ModifyKind::Insert(plan) if plan.direct.is_some())
    }

    #[test]
    fn direct_upserts_do_as_watched_ones() {
        let session = Session::new(Database::in_memory().unwrap());
        session.execute(TWINS).unwrap();
        for (number, change) in CHANGES.iter().enumerate().take(16) {
            let change = change.replace('#', "1");
            // An index reads what these set.
            let wanted = ![10, 12].contains(&number);
            assert_eq!(is_direct(&session, &change.replace('$', "t1")), wanted, "{change}");
            assert!(!is_direct(&session, &change.replace('$', "w1")), "{change}");
        }
        let mut state: u64 = 11;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888);
            (state >> 33) as usize % below
        };
        for round in 0..900 {
            if round == 300 {
                // Rows from before are shorter than those to come.
                for table in ["t1", "w1", "t2", "w2"] {
                    let add = format!("ALTER TABLE {table} ADD COLUMN late NOT NULL DEFAULT 9");
                    session.execute(&add).unwrap();
                }
            }
            if random(4) == 0 {
                // Most of them are refused where they come.
                let _ = session.execute(FRAMES[random(FRAMES.len())]);
            }
            let number = random(40).to_string();
            let change = CHANGES[random(CHANGES.len())].replace('#', &number);
            let kind = if random(2) == 0 { "1" } else { "2" };
            let outcomes = ["t", "w"].map(|table| {
                let done = session.execute(&change.replace('$', &format!("{table}{kind}")));
                let done = done.map_err(|error| error.to_string().replace(": w", ": t"));
                (done, session.changes(), session.last_insert_rowid())
            });
            if kind == "1" || outcomes[0].0.is_err() {
                assert_eq!(outcomes[0], outcomes[1], "round {round}: {change}");
            }
            for read in [
                "SELECT * FROM $ ORDER BY k, id",
                "SELECT k, n FROM $ WHERE k > 'k2' ORDER BY k, id",
                "SELECT id, v FROM $ WHERE v > 0 ORDER BY v, id",
            ] {
                let rows = |table: &str| {
                    let read = read.replace('$', &format!("{table}{kind}"));
                    session.query(&read).unwrap().rows
                };
                assert_eq!(rows("t"), rows("w"), "round {round}: {change}");
            }
        }
        let _ = session.execute("COMMIT");
        let whole = session.query("PRAGMA integrity_check").unwrap().rows;
        assert_eq!(whole, [[Value::Text(b"ok".as_slice().into())]]);
    }
}
