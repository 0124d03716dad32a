//! Rules that ask SQLite again about a statement that differs, in fresh databases.
//!
//! Each plays the script up to that statement and then has SQLite make another plan of it, or
//! spells it otherwise. A difference is explained where SQLite's own other answer is the one that
//! the engine gave: that it has several would not be enough, since the engine's might be none of
//! them. Asked only once the two differ, so that it may take its time. Neighbours: `mod` holds the
//! rules that need no script, `compare` asks both.

use super::super::compare::{is_loose, rows_agree};
use super::super::script::{Check, Order, Step};
use crate::engine::{Engine, Rows, Sqlite, Value, execute};

/// A statement that differs, behind all that was run before it.
pub(in crate::random) struct Replay<'a> {
    /// The script up to the statement.
    pub(in crate::random) before: &'a [Step],
    /// The statement.
    pub(in crate::random) step: &'a Step,
    /// Queries for what all tables hold.
    pub(in crate::random) tables: &'a [String],
    /// The engine, which has run the statement.
    pub(in crate::random) engine: &'a mut dyn Engine,
}

/// The words that are said to SQLite before a statement, so that it makes another plan of it.
const PLANS: &[&[&str]] = &[
    &["PRAGMA reverse_unordered_selects = ON"],
    &["PRAGMA automatic_index = OFF"],
    &["PRAGMA automatic_index = OFF", "PRAGMA reverse_unordered_selects = ON"],
];

impl Replay<'_> {
    /// The rule that explains the difference, if one does.
    pub(in crate::random) fn explanation(&mut self) -> Option<&'static str> {
        match &self.step.check {
            Check::Change => self.explanation_of_change(),
            Check::Query(order) => self.explanation_of_rows(*order),
            Check::Partition(_) | Check::Same(_) => self.explanation_of_rows(Order::Any),
        }
    }

    fn explanation_of_change(&mut self) -> Option<&'static str> {
        if self.reads_what_it_changes() {
            return Some("an UPDATE that reads what it changes");
        }
        if self.takes_any_row() {
            return Some("a subquery that takes any of several rows");
        }
        if self.loses_a_name_of_a_temporary_table() {
            return Some("a name of a temporary table in a trigger");
        }
        if self.forgets_what_waits() {
            return Some("violations that SQLite forgets");
        }
        self.overlooks_its_own_key().then_some("a key without parent that SQLite lets in")
    }

    fn explanation_of_rows(&mut self, order: Order) -> Option<&'static str> {
        let is_explained = self.has_the_rows_of_another_plan(order);
        is_explained.then_some("what SQLite has by another plan")
    }

    /// "An UPDATE whose subqueries read the changed table takes rows in the order of the table's
    /// keys", and finds them all before it changes one: in that order, and with a subquery in its
    /// condition that SQLite cannot overlook, SQLite makes the same of it.
    fn reads_what_it_changes(&mut self) -> bool {
        let sql = &self.step.sql;
        if !is_update_with_subquery(sql) {
            return false;
        }
        let in_order = if sql.contains(" NOT INDEXED SET ") {
            sql.clone()
        } else {
            sql.replacen(" SET ", " NOT INDEXED SET ", 1)
        };
        // A table WITHOUT ROWID is read by any index in spite of NOT INDEXED; its key is one.
        let by_key = self.key_of(&in_order).map(|key| {
            in_order.replacen(" NOT INDEXED SET ", &format!(" INDEXED BY {key} SET "), 1)
        });
        let in_order: Vec<String> = std::iter::once(in_order).chain(by_key).collect();
        // SQLite does not see a subquery under a COLLATE, and changes rows while it looks for them.
        let seen = |sql: &String| sql.replacen(" WHERE ", " WHERE (SELECT 1) AND ", 1);
        let seen: Vec<String> = in_order.iter().map(seen).collect();
        // Nor does an index that it makes for the statement see what was changed since.
        ["PRAGMA automatic_index = ON", "PRAGMA automatic_index = OFF"].iter().any(|setting| {
            in_order.iter().chain(&seen).any(|spelled| {
                let Some(mut oracle) = self.oracle(&[setting], true) else { return false };
                oracle.execute(spelled).is_ok() && self.holds_the_same(&mut oracle)
            })
        })
    }

    /// SQLite's name for the key of the table that an `UPDATE .. NOT INDEXED` changes, if that is
    /// one WITHOUT ROWID.
    fn key_of(&self, update: &str) -> Option<String> {
        let (before, _) = update.split_once(" NOT INDEXED SET ")?;
        let table = before.rsplit([' ', '.']).next()?;
        let key = format!(
            "SELECT i.name FROM pragma_table_list t, pragma_index_list(t.name, t.schema) i \
             WHERE t.name = '{table}' AND t.wr AND i.origin = 'pk'"
        );
        let found = self.oracle(&[], false)?.execute(&key).ok()?;
        match found.rows.first()?.first()? {
            Value::Text(name) => Some(String::from_utf8_lossy(name).into_owned()),
            _ => None,
        }
    }

    /// "Which of several rows a subquery gives that stands for one value is left to the plan":
    /// by another plan, SQLite has the engine's tables behind an UPDATE with subqueries.
    fn takes_any_row(&mut self) -> bool {
        let sql = &self.step.sql;
        is_update_with_subquery(sql)
            && other_plans().any(|(words, is_bare)| {
                let Some(mut oracle) = self.oracle(words, is_bare) else { return false };
                oracle.execute(sql).is_ok() && self.holds_the_same(&mut oracle)
            })
    }

    /// "Which of several values that compare as equal stands for all of them is left to the
    /// plan", and what follows of it in a join or a condition: by another plan, SQLite has the
    /// engine's rows or error, and not what it had.
    fn has_the_rows_of_another_plan(&mut self, order: Order) -> bool {
        let sql = &self.step.sql;
        let is_loose = is_loose(sql);
        let own = execute(self.engine, sql);
        let has_own_by = |sql: &str, words: &[&str], is_bare: bool| {
            let theirs = self.oracle(words, is_bare).map(|mut oracle| oracle.execute(sql));
            match (theirs, &own) {
                (Some(Ok(theirs)), Ok(own)) => rows_agree(&theirs, own, order, is_loose),
                (Some(Err(theirs)), Err(own)) => theirs.message == own.message,
                _ => false,
            }
        };
        let has_own = |words: &[&str], is_bare: bool| has_own_by(sql, words, is_bare);
        // Where the rows are the same, it is something else that differs.
        !has_own(&[], false)
            && (other_plans().any(|(words, is_bare)| has_own(words, is_bare))
                || self.by_indexes().iter().any(|spelled| {
                    has_own_by(spelled, &[], false) || has_own_by(spelled, PLANS[0], false)
                }))
    }

    /// The statement with INDEXED BY: for each index in all places that read its table, and in
    /// each of them alone. Where SQLite cannot read it so, it refuses the statement.
    fn by_indexes(&self) -> Vec<String> {
        let sql = &self.step.sql;
        let indexes = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index'";
        let found = self.oracle(&[], false).and_then(|mut oracle| oracle.execute(indexes).ok());
        let mut spelled = Vec::new();
        for row in found.map(|found| found.rows).unwrap_or_default() {
            let [Value::Text(name), Value::Text(table)] = row.as_slice() else { continue };
            let (name, table) = (String::from_utf8_lossy(name), String::from_utf8_lossy(table));
            // Scripts write words in capitals and other names in small letters.
            let place =
                format!(r"(?:FROM|JOIN|,) {}(?:(?: AS)? [a-z]\w*)?\b", regex::escape(&table));
            let Ok(place) = regex::Regex::new(&place) else { continue };
            let named = format!("$0 INDEXED BY {name}");
            spelled.push(place.replace_all(sql, &named).into_owned());
            for found in place.find_iter(sql) {
                let (before, behind) = sql.split_at(found.start());
                spelled.push(format!("{before}{}", place.replacen(behind, 1, &named)));
            }
        }
        spelled
    }

    /// "Where SQLite contradicts itself": with ON DELETE SET NULL or ON UPDATE SET NULL, it takes
    /// a row that it refuses with SET DEFAULT, which is the same where the default is NULL.
    fn overlooks_its_own_key(&mut self) -> bool {
        const FOREIGN_KEY: i32 = 787;
        let sql = &self.step.sql;
        let is_refused = |result: Result<Rows, crate::engine::Failure>| {
            result.is_err_and(|failure| failure.code == FOREIGN_KEY)
        };
        let spelled: Vec<Step> = self.before.iter().map(with_defaults).collect();
        is_refused(execute(self.engine, sql))
            && self.oracle(&[], false).is_some_and(|mut oracle| oracle.execute(sql).is_ok())
            && played(&spelled).is_some_and(|mut oracle| is_refused(oracle.execute(sql)))
    }

    /// "`PRAGMA defer_foreign_keys = OFF` inside of a transaction makes SQLite forget the
    /// violations that wait for the COMMIT": it ends the transaction with keys that have no
    /// parent, and had it not been told so, it would refuse to.
    fn forgets_what_waits(&mut self) -> bool {
        const FOREIGN_KEY: i32 = 787;
        const OFF: &str = "PRAGMA defer_foreign_keys = OFF";
        let sql = &self.step.sql;
        let ends = ["COMMIT", "END", "RELEASE "].iter().any(|word| sql.starts_with(word));
        if !ends || !self.before.iter().any(|step| step.sql == OFF) {
            return false;
        }
        let has_orphans = |oracle: &mut Sqlite| {
            oracle.execute("PRAGMA foreign_key_check").is_ok_and(|found| !found.rows.is_empty())
        };
        let untold: Vec<Step> =
            self.before.iter().filter(|step| step.sql != OFF).cloned().collect();
        let is_refused = |result: Result<Rows, crate::engine::Failure>| {
            result.is_err_and(|failure| failure.code == FOREIGN_KEY)
        };
        is_refused(execute(self.engine, sql))
            && self
                .oracle(&[], false)
                .is_some_and(|mut oracle| oracle.execute(sql).is_ok() && has_orphans(&mut oracle))
            && played(&untold).is_some_and(|mut oracle| is_refused(oracle.execute(sql)))
    }

    /// "Renaming a column of a temporary table goes through where SQLite refuses it for a trigger
    /// on that table": were all tables in `main`, SQLite would rename it, too.
    fn loses_a_name_of_a_temporary_table(&mut self) -> bool {
        let sql = &self.step.sql;
        if !sql.starts_with("ALTER TABLE ") || !sql.contains(" RENAME ") {
            return false;
        }
        let lasting = |step: &Step| Step {
            sql: step.sql.replacen("CREATE TEMP ", "CREATE ", 1),
            check: step.check.clone(),
        };
        let spelled: Vec<Step> = self.before.iter().map(lasting).collect();
        let is_lost = |failure: crate::engine::Failure| {
            failure.message.starts_with("error in trigger ")
                && failure.message.contains("no such column: ")
        };
        self.oracle(&[], false).is_some_and(|mut it| it.execute(sql).is_err_and(is_lost))
            && played(&spelled).is_some_and(|mut oracle| oracle.execute(sql).is_ok())
    }

    /// SQLite before the statement, told `words`; `is_bare` without the indexes that its tables
    /// can do without.
    fn oracle(&self, words: &[&str], is_bare: bool) -> Option<Sqlite> {
        let mut oracle = played(self.before)?;
        for word in words {
            oracle.execute(word).ok()?;
        }
        if !is_bare {
            return Some(oracle);
        }
        // A table without rowid is read by an index in spite of NOT INDEXED.
        let indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL \
                       AND sql NOT LIKE '%UNIQUE%'";
        for index in oracle.execute(indexes).map(|found| found.rows).unwrap_or_default() {
            if let Some(Value::Text(name)) = index.first() {
                let _ = oracle.execute(&format!("DROP INDEX {}", String::from_utf8_lossy(name)));
            }
        }
        Some(oracle)
    }

    /// Whether the engine's tables hold what SQLite's hold.
    fn holds_the_same(&mut self, oracle: &mut Sqlite) -> bool {
        self.tables.iter().all(|table| match (oracle.execute(table), execute(self.engine, table)) {
            (Ok(theirs), Ok(own)) => rows_agree(&theirs, &own, Order::Any, false),
            _ => false,
        })
    }
}

/// What SQLite is told for each of its other plans, and whether indexes are dropped for it.
fn other_plans() -> impl Iterator<Item = (&'static [&'static str], bool)> {
    let bare = std::iter::once((&[][..], true));
    bare.chain(PLANS.iter().flat_map(|words| [(*words, false), (*words, true)]))
}

/// SQLite behind a script.
fn played(steps: &[Step]) -> Option<Sqlite> {
    let mut oracle = Sqlite::open().ok()?;
    for step in steps {
        // Statements that fail are part of the script.
        let _ = oracle.execute(&step.sql);
    }
    Some(oracle)
}

fn is_update_with_subquery(sql: &str) -> bool {
    sql.starts_with("UPDATE ") && sql.contains("(SELECT ")
}

/// A table whose foreign keys set columns to their defaults where they set them to NULL.
fn with_defaults(step: &Step) -> Step {
    let sql = if step.sql.starts_with("CREATE ") {
        step.sql.replace(" SET NULL", " SET DEFAULT")
    } else {
        step.sql.clone()
    };
    Step { sql, check: step.check.clone() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    /// What explains that an engine, which ran `own`, differs behind the last of `script`.
    fn explained(script: &[&str], check: Check, own: &str) -> Option<&'static str> {
        let step = |sql: &&str| Step { sql: (*sql).to_owned(), check: Check::Change };
        let (last, before) = script.split_last().unwrap();
        let before: Vec<Step> = before.iter().map(step).collect();
        let step = Step { check, ..step(last) };
        let mut engine = Sqlite::open().unwrap();
        engine.execute(own).unwrap();
        let tables = ["SELECT * FROM t".to_owned()];
        let replay = Replay { before: &before, step: &step, tables: &tables, engine: &mut engine };
        { replay }.explanation()
    }

    #[test]
    fn an_update_is_explained_only_by_what_sqlite_makes_of_it_in_order() {
        let script = [
            "CREATE TABLE t(a, b)",
            "CREATE INDEX i ON t(a DESC)",
            "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)",
            "UPDATE t SET b = (SELECT count(*) FROM t q WHERE q.b = 0 AND q.a + t.a > 0) \
             WHERE a > 0",
        ];
        let own = "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 3), (2, 2), (3, 1)";
        assert!(explained(&script, Check::Change, own).is_some());
        let wrong = format!("{own}; UPDATE t SET b = 7 WHERE a = 3");
        assert_eq!(explained(&script, Check::Change, &wrong), None);
        assert_eq!(explained(&script[..3], Check::Change, own), None);
    }

    #[test]
    fn an_update_of_a_table_without_rowid_is_explained_by_the_order_of_its_key() {
        let script = [
            "CREATE TABLE t(a, b, c, PRIMARY KEY (a), UNIQUE (b, a)) WITHOUT ROWID",
            "INSERT INTO t VALUES (1, 3, NULL), (2, 2, NULL), (3, 1, NULL)",
            "UPDATE t SET c = (SELECT count(q.c) FROM t q WHERE q.a + t.a > 0) WHERE b > 0",
        ];
        let own = |rows: &str| format!("CREATE TABLE t(a, b, c); INSERT INTO t VALUES {rows}");
        let in_order = own("(1, 3, 0), (2, 2, 1), (3, 1, 2)");
        assert!(explained(&script, Check::Change, &in_order).is_some());
        let wrong = own("(1, 3, 1), (2, 2, 0), (3, 1, 2)");
        assert_eq!(explained(&script, Check::Change, &wrong), None);
    }

    #[test]
    fn an_update_under_a_collate_is_explained_by_all_rows_that_were_there() {
        let script = [
            "CREATE TABLE t(a)",
            "INSERT INTO t VALUES (1), (2), (3), (4), (5)",
            "UPDATE t SET a = 0 WHERE (SELECT sum(q.a) FROM t q WHERE q.a + t.a * 0 >= 0) \
             COLLATE BINARY > 10",
        ];
        let own = "CREATE TABLE t(a); INSERT INTO t VALUES (0), (0), (0), (0), (0)";
        assert!(explained(&script, Check::Change, own).is_some());
        let wrong = format!("{own}; UPDATE t SET a = 7 WHERE rowid = 2");
        assert_eq!(explained(&script, Check::Change, &wrong), None);
    }

    #[test]
    fn any_of_several_rows_is_explained_only_where_sqlite_takes_it() {
        let of = |last: &str, own: &str| {
            let script = ["CREATE TABLE t(a, b)", "INSERT INTO t VALUES (1, 5), (2, 6)", last];
            let own = format!("CREATE TABLE t(a, b); INSERT INTO t VALUES {own}");
            explained(&script, Check::Change, &own)
        };
        let any = "UPDATE t SET a = (SELECT b FROM t)";
        assert!(of(any, "(6, 5), (6, 6)").is_some());
        assert_eq!(of(any, "(7, 5), (7, 6)"), None);
        assert_eq!(of("UPDATE t SET a = (SELECT max(b) FROM t)", "(5, 5), (5, 6)"), None);
        assert_eq!(of("UPDATE t SET a = 7", "(5, 5), (5, 6)"), None);
    }

    /// Which of `0` and `0.0` stands for both decides what the join finds.
    #[test]
    fn rows_of_another_plan_are_explained_and_no_other_rows() {
        let script = [
            "CREATE TABLE t(a, b)",
            "CREATE INDEX i ON t(b)",
            "INSERT INTO t VALUES (0, 2), (0.0, 1)",
            "CREATE TABLE u(c TEXT)",
            "INSERT INTO u VALUES ('0')",
            "SELECT c FROM (SELECT DISTINCT ifnull(a, b) AS a FROM t WHERE b > 0) q \
             JOIN u ON u.c = q.a",
        ];
        let of = |rows: &str, last: &str| {
            let own = format!(
                "CREATE TABLE t(a, b); CREATE TABLE u(c TEXT); INSERT INTO t VALUES (0, 1); \
                 INSERT INTO u VALUES {rows}"
            );
            let mut script = script.to_vec();
            *script.last_mut().unwrap() = last;
            explained(&script, Check::Query(Order::Any), &own)
        };
        assert!(of("('0')", script[5]).is_some());
        assert_eq!(of("('0'), ('0')", script[5]), None, "no plan has the row twice");
        assert_eq!(of("('1')", script[5]), None, "SQLite has that by its first plan");
        assert_eq!(of("('0'), ('0')", "SELECT c FROM u"), None);
    }

    /// SQLite reads the table in the order of rowids, and never by itself in that of the index.
    #[test]
    fn rows_of_a_plan_by_an_index_are_explained_and_no_other_rows() {
        let script = [
            "CREATE TABLE t(a, b)",
            "CREATE INDEX i ON t(b DESC, a)",
            "INSERT INTO t VALUES (2, 0), (0, 1), (0.0, 2)",
            "SELECT typeof(q.a), r.b FROM (SELECT DISTINCT a FROM t AS s) q JOIN t r ON r.a = q.a",
        ];
        let of = |rows: &str| {
            let own = format!("CREATE TABLE t(a, b); INSERT INTO t VALUES {rows}");
            explained(&script, Check::Query(Order::Any), &own)
        };
        assert!(of("(0.0, 2), (0, 1), (2, 0)").is_some());
        assert_eq!(of("(0.0, 2), (0, 1), (2, 1)"), None);
    }

    #[test]
    fn a_column_is_renamed_where_sqlite_would_rename_it_in_one_database() {
        let of = |kind: &str, body: &str| {
            let trigger = format!("CREATE TRIGGER g INSERT ON t BEGIN {body}; END");
            let table = format!("CREATE {kind} t(a)");
            let rename = "ALTER TABLE t RENAME a TO b";
            explained(&["CREATE TABLE u(c)", &table, &trigger, rename], Check::Change, "SELECT 1")
        };
        assert!(of("TEMP TABLE", "INSERT INTO u VALUES (new.a)").is_some());
        assert_eq!(of("TEMP TABLE", "INSERT INTO u VALUES (new.a, new.missing)"), None);
        assert_eq!(of("TABLE", "INSERT INTO u VALUES (new.a)"), None, "SQLite renames it");
    }

    #[test]
    fn a_violation_is_forgotten_only_by_what_turns_waiting_off() {
        let of = |word: &str, change: &str, last: &str| {
            let keys = "PRAGMA foreign_keys = ON";
            let table = "CREATE TABLE t(a REFERENCES t(b) DEFERRABLE INITIALLY DEFERRED, b UNIQUE)";
            let own = format!("{keys}; {table}; BEGIN; {change}");
            explained(&[keys, table, "BEGIN", change, word, last], Check::Change, &own)
        };
        let off = "PRAGMA defer_foreign_keys = OFF";
        let orphan = "INSERT INTO t VALUES (1, 2)";
        assert!(of(off, orphan, "COMMIT").is_some());
        assert!(of(off, orphan, "END").is_some());
        assert_eq!(of("SELECT 1", orphan, "COMMIT"), None, "SQLite refuses it, too");
        assert_eq!(of(off, "INSERT INTO t VALUES (2, 2)", "COMMIT"), None, "nothing waits");
        assert_eq!(of(off, orphan, "SELECT 1"), None);
    }

    #[test]
    fn a_row_is_overlooked_only_where_another_action_would_refuse_it() {
        let of = |last: &str, action: &str| {
            let keys = "PRAGMA foreign_keys = ON";
            let table = format!(
                "CREATE TABLE t(a TEXT UNIQUE, b UNIQUE, FOREIGN KEY (b) REFERENCES t(a) {action})"
            );
            // An engine that refuses it.
            let own = format!("{keys}; {}", table.replace(action, ""));
            explained(&[keys, &table, last], Check::Change, &own)
        };
        let orphan = "REPLACE INTO t VALUES ('10', 10)";
        assert!(of(orphan, "ON DELETE SET NULL").is_some());
        assert_eq!(of(orphan, "ON DELETE CASCADE"), None);
        assert_eq!(of("INSERT INTO t VALUES ('10', 10)", "ON DELETE SET NULL"), None);
        assert_eq!(of("REPLACE INTO t VALUES ('10', '10')", "ON DELETE SET NULL"), None);
    }
}

// Neighbours: `mod`, `compare`.
