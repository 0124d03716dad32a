//! Changes of rows that nothing watches, in their stored form.
//!
//! Most statements change columns that no index, constraint, trigger or foreign key reads. The
//! scan stands on the stored row already: it is neither looked up again nor made a list of
//! values, because copying texts that do not change costs more than writing the row. The cursor
//! shows its tree as it was when the statement began, and meets each row once, so that what is
//! changed does not move it. Neighbours: `update` and `delete` ask here first, `writer` does all
//! other changes.

use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::TableWriter;
use crate::error::Result;
use crate::execute::{Frame, Outer, SlotRow};
use crate::function::RowChange;
use crate::scalar::SlotId;
use crate::types::Datum;

impl TableWriter {
    /// Whether an UPDATE with this writer has nothing to do but to write the row.
    pub(super) fn updates_directly(&self) -> bool {
        // A column that was dropped has a place in old rows, which new ones leave empty.
        let is_whole = self.table.columns.len() == self.table.stored_columns;
        is_whole
            && self.is_cautious()
            && self.table.has_rowid()
            && self.generated.is_empty()
            && self.checks.is_empty()
            && self.replacements.is_empty()
            && self.indexes.iter().all(|index| index.is_untouched)
    }

    /// Whether a DELETE with this writer reads no more of a row than its indexes do.
    pub(super) fn deletes_directly(&self) -> bool {
        // The stored row does not have the rowid in its column.
        let alias = self.table.rowid_alias().map(|index| self.table.columns[index].position);
        let mut reads_alias = false;
        for expression in
            self.indexes.iter().flat_map(|index| index.parts.iter().chain(&index.filter))
        {
            expression.columns(&mut |place| {
                reads_alias |= alias == Some(usize::from(place.column));
            });
        }
        self.is_cautious() && self.table.has_rowid() && self.generated.is_empty() && !reads_alias
    }

    /// Makes `bytes` the row on which the cursor in `target` stands with the values of `set`; false
    /// where that is not all there is to do. [`put_spliced`](Self::put_spliced) comes next.
    pub(super) fn splice(
        &self,
        target: SlotId,
        set: &[(usize, Value)],
        bytes: &mut Vec<u8>,
        frame: &Frame,
    ) -> Result<bool> {
        let SlotRow::Cursor(row) = &frame.slot(target).row else { return Ok(false) };
        let mut converted: SmallVec<[(usize, Value); 4]> = SmallVec::new();
        for (index, value) in set {
            let Ok(value) = self.convert(*index, Datum::from(value)) else { return Ok(false) };
            let column = &self.table.columns[*index];
            if value.is_null() && column.not_null.is_some() {
                return Ok(false);
            }
            converted.push((column.position, value));
        }
        let set = converted.iter().map(|(position, value)| (*position, value.as_ref()));
        self.encode_with(row.cursor.value()?, set, bytes)?;
        Ok(true)
    }

    /// Writes a row that was spliced.
    pub(super) fn put_spliced(&self, rowid: i64, bytes: &[u8], outer: Outer<'_>) -> Result<()> {
        let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
        transaction.put_later(self.table.tree, &rowid_key(rowid), bytes)?;
        drop(transaction);
        outer.context.session.row_changed(RowChange::Update, &self.table.name, rowid);
        Ok(())
    }

    /// Encodes a stored row anew with other values at some positions.
    pub(super) fn encode_with<'v>(
        &'v self,
        stored: &'v [u8],
        set: impl Iterator<Item = (usize, ValueRef<'v>)>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let mut values: SmallVec<[ValueRef<'_>; 16]> = SmallVec::new();
        for value in RowView::new(stored)?.columns() {
            values.push(value?);
        }
        values.truncate(self.table.stored_columns);
        for position in values.len()..self.table.stored_columns {
            values.push(self.table.missing_value(position).as_ref());
        }
        if let Some(alias) = self.table.rowid_alias() {
            values[self.table.columns[alias].position] = ValueRef::Null;
        }
        for (position, value) in set {
            values[position] = value;
        }
        bytes.clear();
        // Most rows stay about as long as they are.
        bytes.reserve(stored.len() + 32);
        encode_row(&values, bytes)?;
        Ok(())
    }

    /// Puts the row on which the cursor in `target` stands where [`delete_row`](Self::delete_row)
    /// looks for it; false where there is no such row.
    pub(super) fn take_found(&self, target: SlotId, frame: &mut Frame) -> Result<bool> {
        let SlotRow::Cursor(_) = &frame.slot(target).row else { return Ok(false) };
        if !self.indexes.is_empty() {
            let row = frame.slot(target).keep()?;
            frame.slot_mut(self.row).restore(row);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use pandodb_ds::record::Value;

    use crate::modify::ModifyKind;
    use crate::plan::Node;
    use crate::session::{PreparedKind, Session};
    use crate::store::Database;

    /// Two tables that differ only in that somebody watches the second.
    const TWINS: &str = "
        CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, s TEXT NOT NULL, r REAL, v);
        CREATE INDEX t_k ON t(k); CREATE UNIQUE INDEX t_u ON t(s, v);
        CREATE INDEX t_part ON t(v) WHERE k > 3;
        CREATE TABLE w(id INTEGER PRIMARY KEY, k INTEGER, s TEXT NOT NULL, r REAL, v);
        CREATE INDEX w_k ON w(k); CREATE UNIQUE INDEX w_u ON w(s, v);
        CREATE INDEX w_part ON w(v) WHERE k > 3;
        CREATE TABLE seen(n);
        CREATE TRIGGER w_update AFTER UPDATE ON w BEGIN INSERT INTO seen VALUES (1); END;
        CREATE TRIGGER w_delete AFTER DELETE ON w BEGIN INSERT INTO seen VALUES (2); END;";

    const CHANGES: [&str; 16] = [
        "UPDATE $ SET r = r + 1 WHERE id % 3 = 1",
        "UPDATE $ SET r = '7', s = s || 'x' WHERE k = 2",
        "UPDATE $ SET r = 'text' WHERE id > 20",
        "UPDATE $ SET r = NULL",
        "UPDATE $ SET k = k + 1 WHERE k > 1",
        "UPDATE $ SET k = r, r = k",
        "UPDATE $ SET v = id WHERE k = 4",
        "UPDATE $ SET s = NULL WHERE id = 5",
        "UPDATE OR IGNORE $ SET s = NULL, r = 3 WHERE id < 9",
        "UPDATE $ SET r = -0.0, v = zeroblob(300) WHERE id % 2 = 0",
        "UPDATE $ SET r = 3 WHERE k IN (1, 4) OR s = 'a'",
        "DELETE FROM $ WHERE id % 7 = 3",
        "DELETE FROM $ WHERE k = 3",
        "DELETE FROM $ WHERE r IS NULL AND id > 30",
        "INSERT INTO $(k, s, r) VALUES (1, 'a', 2), (4, 'b', 2.5), (NULL, 'c', NULL)",
        "UPDATE $ SET id = id + 100 WHERE id = 4",
    ];

    fn rows(session: &Session, sql: &str) -> Vec<Vec<Value>> {
        session.query(sql).unwrap().rows
    }

    /// Whether a change is direct, and whether its rows may be found in batches.
    fn ways(session: &Session, sql: &str) -> (bool, bool) {
        let statement = session.prepare(sql).unwrap().0.unwrap();
        let PreparedKind::Modify(plan) = &statement.prepared().kind else { panic!("{sql}") };
        let (is_direct, input) = match &plan.kind {
            ModifyKind::Update(plan) => (plan.is_direct, &plan.input),
            ModifyKind::Delete(plan) => (plan.is_direct, &plan.input),
            _ => panic!("{sql}"),
        };
        (is_direct, matches!(input, Node::Batch(_)))
    }

    fn is_direct(session: &Session, sql: &str) -> bool {
        ways(session, sql).0
    }

    #[test]
    fn direct_changes_do_as_watched_ones() {
        let session = Session::new(Database::in_memory().unwrap());
        session.execute(TWINS).unwrap();
        let mut number: usize = 7;
        for round in 0..400 {
            number = (number * 1_103_515_245 + 12_345) % (1 << 31);
            // Rows are found in batches every other time.
            let least = if number & 64 == 0 { 0 } else { u64::MAX };
            session.change_settings(|settings| settings.batch_rows_min = least);
            let fills = round < 15 || round % 4 == 0;
            let change = CHANGES[if fills { 14 } else { (number >> 8) % CHANGES.len() }];
            if round == 90 {
                // Rows from before are shorter than those to come.
                session.execute("ALTER TABLE t ADD COLUMN late DEFAULT 9").unwrap();
                session.execute("ALTER TABLE w ADD COLUMN late DEFAULT 9").unwrap();
            }
            let outcomes = ["t", "w"].map(|table| {
                let done = session.execute(&change.replace('$', table));
                done.map_err(|error| error.to_string().replace("w.", "t."))
            });
            assert_eq!(outcomes[0], outcomes[1], "{change}");
            for read in
                ["SELECT * FROM $ ORDER BY id", "SELECT id, k FROM $ WHERE k > 0 ORDER BY k, id"]
            {
                let twins = ["t", "w"].map(|table| rows(&session, &read.replace('$', table)));
                assert_eq!(twins[0], twins[1], "round {round}: {change}");
            }
        }
        let whole = rows(&session, "PRAGMA integrity_check");
        assert_eq!(whole, [[Value::Text(b"ok".as_slice().into())]]);
    }

    #[test]
    fn rows_of_a_whole_table_are_found_in_batches() {
        let session = Session::new(Database::in_memory().unwrap());
        session.execute(TWINS).unwrap();
        for (sql, expected) in [
            ("UPDATE t SET r = r + 1 WHERE id % 3 = 1", true),
            ("UPDATE t SET v = v || 'x' WHERE r > 1", true),
            // An index has all that is read.
            ("UPDATE t SET k = k + 1 WHERE id % 3 = 1", false),
            ("DELETE FROM t WHERE r > 4", true),
            ("DELETE FROM t WHERE r > 4 RETURNING id", true),
            ("UPDATE t SET r = 1 WHERE id = 5", false),
            ("UPDATE t SET r = 1 WHERE k = 5", false),
            // Each row is looked at again when its turn comes.
            ("UPDATE t SET r = (SELECT max(r) FROM t) WHERE id % 3 = 1", false),
            ("DELETE FROM w WHERE r > 4", false),
        ] {
            assert_eq!(ways(&session, sql).1, expected, "{sql}");
        }
        session.change_settings(|settings| settings.batch_rows_min = 0);
        let change =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                      INSERT INTO t(id, k, s, r) SELECT i, i % 9, 'row ' || i, i FROM n";
        session.execute(change).unwrap();
        session.execute("BEGIN; UPDATE t SET r = r + 0.5 WHERE id % 3 = 1").unwrap();
        assert_eq!(session.changes(), 1667);
        // What the transaction changed before is what it finds.
        let found = "DELETE FROM t WHERE r > 4990.1 AND r <> 4993.5 RETURNING id";
        let found: Vec<String> =
            rows(&session, found).iter().map(|row| format!("{:?}", row[0])).collect();
        assert_eq!(found.join(" ").matches("Integer").count(), 10);
        session.execute("UPDATE t SET k = k + 1, r = -r WHERE r > 100; ROLLBACK").unwrap();
        let left = rows(&session, "SELECT count(*), sum(r), sum(k) FROM t");
        assert_eq!(left[0][..2], [Value::Integer(5000), Value::Real(12_502_500.0)]);
        // What comes before a row that cannot be looked at comes first.
        let script = "CREATE TABLE j(id INTEGER PRIMARY KEY, a CHECK (a < 300), b);
            INSERT INTO j SELECT id, 0, CASE id WHEN 600 THEN '{bad' ELSE '{\"x\":1}' END
              FROM t WHERE id < 900";
        session.execute(script).unwrap();
        let change = "UPDATE OR FAIL j SET a = id WHERE json_extract(b, '$.x') = 1";
        assert!(session.execute(change).unwrap_err().to_string().contains("CHECK"));
        let done = rows(&session, "SELECT sum(a) FROM j");
        assert_eq!(done, [[Value::Integer(44_850)]]);
        let change = "DELETE FROM j WHERE json_extract(b, '$.x') = 1";
        assert!(session.execute(change).unwrap_err().to_string().contains("JSON"));
        // So do those for whose rowids there is no room.
        let some = "INSERT INTO j SELECT id + 5000, 0, '' FROM t; PRAGMA hard_heap_limit = 20000;
                    UPDATE j SET a = 1 WHERE b = ''; PRAGMA hard_heap_limit = 0";
        session.execute(some).unwrap();
        assert_eq!(rows(&session, "SELECT sum(a = 1) FROM j"), [[Value::Integer(5001)]]);
        // An error leaves nothing of the statement.
        let failed = session.execute("UPDATE t SET s = CASE id WHEN 4000 THEN NULL ELSE 'x' END");
        assert!(failed.unwrap_err().to_string().contains("NOT NULL"));
        let text = rows(&session, "SELECT count(*) FROM t WHERE s = 'x'");
        assert_eq!(text, [[Value::Integer(0)]]);
    }

    #[test]
    fn only_what_nothing_reads_is_direct() {
        let session = Session::new(Database::in_memory().unwrap());
        session.execute(TWINS).unwrap();
        assert!(is_direct(&session, "UPDATE t SET r = r + 1 WHERE k = 3"));
        assert!(is_direct(&session, "DELETE FROM t WHERE k = 3"));
        for sql in [
            "UPDATE t SET k = 1",
            "UPDATE t SET v = 1",
            "UPDATE t SET id = 1",
            "UPDATE t SET r = 1 RETURNING id",
            "UPDATE t SET r = (SELECT 1)",
            "UPDATE OR REPLACE t SET r = 1",
            "UPDATE w SET r = 1",
            "DELETE FROM w WHERE id = 3",
        ] {
            assert!(!is_direct(&session, sql), "{sql}");
        }
    }
}
