//! Which changes look at everything before they write anything.
//!
//! A statement that changes at most one row, fires no trigger and minds no foreign key checks
//! its constraints first and writes last: only a failing disk stops it half-way. It needs no
//! savepoint that keeps the pages as they were, which would copy each page that it touches.
//! Neighbours: `session` chooses the savepoint.

use super::{ModifyKind, ModifyPlan, TableWriter};
use crate::ast::ConflictAction;
use crate::plan::{AccessPath, IndexEqual, IndexPath, Node};

impl ModifyPlan {
    /// Whether it writes nothing before it knows that it will succeed.
    pub fn looks_before_it_writes(&self) -> bool {
        if self.returning.is_some() {
            return false;
        }
        match &self.kind {
            ModifyKind::Insert(plan) => {
                plan.upserts.is_empty()
                    && plan.conflict != Some(ConflictAction::Replace)
                    && !plan.writer.table.is_autoincrement()
                    && plan.writer.is_cautious()
                    && is_single(&plan.input)
            }
            ModifyKind::Update(plan) => {
                plan.conflict != Some(ConflictAction::Replace)
                    && plan.writer.is_cautious()
                    && is_single(&plan.input)
            }
            ModifyKind::Delete(plan) => plan.writer.is_cautious() && is_single(&plan.input),
            ModifyKind::Instead(_) => false,
        }
    }
}

impl TableWriter {
    /// Whether a change of one row has no effect elsewhere, and no constraint that makes room.
    pub(super) fn is_cautious(&self) -> bool {
        let replaces = |action: Option<ConflictAction>| action == Some(ConflictAction::Replace);
        self.triggers.is_empty()
            && self.foreign_keys.is_empty()
            && !replaces(self.table.primary_key.as_ref().and_then(|key| key.conflict))
            && !self.indexes.iter().any(|index| replaces(index.unique.flatten()))
    }
}

/// Whether the rows are at most one, by the shape of the plan alone.
pub(super) fn is_single(node: &Node) -> bool {
    match node {
        Node::Once(_) | Node::Empty => true,
        Node::Values(values) => values.rows.len() <= 1,
        Node::Scan(scan) => match &scan.path {
            AccessPath::Rowid(_) => true,
            AccessPath::Index(path) => is_exact(path),
            _ => false,
        },
        Node::Filter(filter) => is_single(&filter.input),
        Node::Project(project) => is_single(&project.input),
        _ => false,
    }
}

/// Whether a way through an index gives a value for each column of a key: of NULL, which a unique
/// index may have several times, IS alone finds rows.
fn is_exact(path: &IndexPath) -> bool {
    let Some(index) = &path.index else { return false };
    let is_value = |equal: &IndexEqual| matches!(equal, IndexEqual::Value { is: false, .. });
    index.unique.is_some()
        && path.equals.len() >= index.columns.len()
        && path.equals.iter().all(is_value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

    use crate::session::{PreparedKind, Session};
    use crate::store::Database;

    fn looks_first(session: &Session, sql: &str) -> bool {
        let statement = session.prepare(sql).unwrap().0.unwrap();
        let PreparedKind::Modify(plan) = &statement.prepared().kind else { panic!("{sql}") };
        plan.looks_before_it_writes()
    }

    #[test]
    fn changes_of_one_row_look_first_and_no_others() {
        let session = Session::new(Database::in_memory().unwrap());
        session
            .execute(
                "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE); CREATE INDEX i ON t(b);
                 CREATE TABLE named(a INTEGER PRIMARY KEY, b UNIQUE);
                 CREATE TABLE watched(a INTEGER PRIMARY KEY);
                 CREATE TRIGGER w AFTER INSERT ON watched BEGIN DELETE FROM t; END;
                 CREATE TABLE yielding(a INTEGER PRIMARY KEY, b UNIQUE ON CONFLICT REPLACE)",
            )
            .unwrap();
        for sql in [
            "INSERT INTO t VALUES (?1, ?2)",
            "INSERT OR IGNORE INTO t SELECT 1, 2",
            "UPDATE t SET b = 1 WHERE a = 2",
            "DELETE FROM t WHERE a = 1",
            "UPDATE named SET b = b + 1 WHERE b = 2",
            "DELETE FROM named WHERE b = ?1 AND a > 3",
        ] {
            assert!(looks_first(&session, sql), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES (1, 2), (3, 4)",
            "INSERT OR REPLACE INTO t VALUES (1, 2)",
            "INSERT INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET b = 3",
            "INSERT INTO t VALUES (1, 2) RETURNING a",
            "UPDATE t SET b = 1",
            "UPDATE OR REPLACE t SET b = 1 WHERE a = 2",
            "DELETE FROM t WHERE b > 1",
            "DELETE FROM named WHERE b IN (1, 2)",
            "DELETE FROM named WHERE b IS ?1",
            "DELETE FROM t INDEXED BY i WHERE b = 2",
            "INSERT INTO watched VALUES (1)",
            "INSERT INTO yielding VALUES (1, 2)",
        ] {
            assert!(!looks_first(&session, sql), "{sql}");
        }
    }
}
