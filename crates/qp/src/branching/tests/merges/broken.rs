//! Views and triggers that were broken before a merge, and columns that come back with it.

use super::{error, rows, session};
use crate::session::Session;

const BASE: &str = "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT); CREATE TABLE u(x, y);
    INSERT INTO t VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300); CREATE BRANCH dev;";

fn parted(on_dev: &str, on_main: &str) -> Session {
    let session = session();
    session
        .execute(&format!("{BASE} USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main}"))
        .unwrap();
    session
}

/// What is broken on a side stays as it is there, and nothing else is kept from being merged.
#[test]
fn what_was_broken_before_stops_no_merge() {
    let gone = "CREATE TABLE gone(p, q)";
    for broken in [
        "CREATE VIEW v AS SELECT a, p FROM t, gone; DROP TABLE gone",
        "CREATE VIEW v AS SELECT * FROM nowhere",
        "CREATE TRIGGER v AFTER INSERT ON t BEGIN INSERT INTO gone VALUES (NEW.a, NEW.b); END;
         DROP TABLE gone",
        "CREATE VIEW below AS SELECT p AS a FROM gone; CREATE VIEW v AS SELECT a FROM below;
         DROP TABLE gone",
    ] {
        for renames in [
            "ALTER TABLE t RENAME COLUMN a TO c",
            "ALTER TABLE t RENAME TO r",
            "ALTER TABLE t RENAME COLUMN a TO z; ALTER TABLE t RENAME COLUMN b TO a;
             ALTER TABLE t RENAME COLUMN z TO b; UPDATE t SET a = 1 WHERE id = 1",
        ] {
            let broken = format!("{gone}; {broken}");
            let mut both = Vec::new();
            for (on_dev, on_main) in [(&*broken, renames), (renames, &*broken)] {
                let session = parted(on_dev, on_main);
                session
                    .execute("MERGE BRANCH dev INTO main")
                    .unwrap_or_else(|error| panic!("{on_dev}, {on_main}: {error}"));
                assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
                let texts = "SELECT name, sql FROM sqlite_schema WHERE type <> 'table' ORDER BY 1";
                both.push(rows(&session, texts));
            }
            assert_eq!(both[0], both[1], "{broken}, {renames}");
        }
    }
}

/// What works on both sides and cannot work in what they come to is a conflict, not an error.
#[test]
fn what_only_the_merge_breaks_is_a_conflict_in_both_directions() {
    for (one, other) in [
        ("ALTER TABLE t RENAME COLUMN b TO x", "CREATE VIEW v AS SELECT b, x FROM t, u"),
        ("ALTER TABLE t ADD COLUMN x", "CREATE VIEW v AS SELECT a, x FROM t, u"),
    ] {
        for (on_dev, on_main) in [(one, other), (other, one)] {
            let session = parted(on_dev, on_main);
            let told = error(&session, "MERGE BRANCH dev INTO main");
            assert!(told.contains("1 conflict") && told.contains("ambiguous"), "{told}");
            // The view cannot be there, whoever wins.
            for policy in ["source_wins", "target_wins"] {
                let session = parted(on_dev, on_main);
                let sql =
                    format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')");
                session.execute(&sql).unwrap();
                let views = "SELECT count(*) FROM sqlite_schema WHERE type = 'view'";
                assert_eq!(rows(&session, views), ["0"]);
            }
        }
    }
}

/// A generated column that comes back is computed, in rows of both sides.
#[test]
fn a_generated_column_comes_back_computed() {
    let base = "CREATE TABLE g(id INTEGER PRIMARY KEY, a INT, twice INT AS (a * 2) STORED);
        INSERT INTO g VALUES (1, 5), (2, 6); MERGE BRANCH main INTO dev";
    let renames = "ALTER TABLE g RENAME COLUMN twice TO double";
    let drops = "ALTER TABLE g DROP COLUMN twice; INSERT INTO g VALUES (3, 7);
        UPDATE g SET a = 8 WHERE id = 2";
    for (on_dev, on_main, policy) in
        [(renames, drops, "source_wins"), (drops, renames, "target_wins")]
    {
        let session = session();
        session.execute(&format!("{BASE} {base}")).unwrap();
        session
            .execute(&format!(
                "USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main};
                 MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')"
            ))
            .unwrap();
        assert_eq!(rows(&session, "SELECT * FROM g ORDER BY 1"), ["1|5|10", "2|8|16", "3|7|14"]);
    }
}

/// A constraint may stand at a column or behind all: dropped on one side, it is gone, whatever
/// else the other side did with the table; two may have one name.
#[test]
fn constraints_at_columns_come_and_go_with_merges() {
    let base = "CREATE TABLE k(id INTEGER PRIMARY KEY, a INT CONSTRAINT low CHECK (a < 9),
        b INT CONSTRAINT twin CHECK (b < 9)); MERGE BRANCH main INTO dev";
    for (one, other, count) in [
        ("ALTER TABLE k DROP CONSTRAINT low", "ALTER TABLE k ADD COLUMN more", 1),
        ("ALTER TABLE k DROP CONSTRAINT low", "ALTER TABLE k RENAME COLUMN a TO z", 1),
        ("ALTER TABLE k ADD CONSTRAINT twin CHECK (a < 8)", "ALTER TABLE k ADD COLUMN more", 3),
        ("ALTER TABLE k ADD CONSTRAINT twin CHECK (a < 8)", "ALTER TABLE k DROP CONSTRAINT low", 2),
    ] {
        for (on_dev, on_main) in [(one, other), (other, one)] {
            let session = session();
            session.execute(&format!("{BASE} {base}")).unwrap();
            session
                .execute(&format!(
                    "USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main};
                     MERGE BRANCH dev INTO main"
                ))
                .unwrap();
            let sql = &rows(&session, "SELECT lower(sql) FROM sqlite_schema WHERE name = 'k'")[0];
            assert_eq!(sql.matches("check").count(), count, "{on_dev}, {on_main}: {sql}");
        }
    }
}

/// A column that one side renamed and the other dropped has its cells where the renaming side
/// wins, also in rows that nobody changed.
#[test]
fn a_column_comes_back_with_its_cells() {
    let renames = "ALTER TABLE t RENAME COLUMN b TO kept; UPDATE t SET kept = 101 WHERE id = 1;
        INSERT INTO t VALUES (5, 50, 500)";
    let drops = "ALTER TABLE t DROP COLUMN b; UPDATE t SET a = 21 WHERE id = 2;
        INSERT INTO t VALUES (4, 40)";
    for (on_dev, on_main, wins, loses) in [
        (renames, drops, "source_wins", "target_wins"),
        (drops, renames, "target_wins", "source_wins"),
    ] {
        let merge = |policy: &str| {
            let session = parted(on_dev, on_main);
            let sql = format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')");
            session.execute(&sql).unwrap();
            assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
            session
        };
        assert_eq!(
            rows(&merge(wins), "SELECT id, a, kept FROM t ORDER BY 1"),
            ["1|10|101", "2|21|200", "3|30|300", "4|40|NULL", "5|50|500"],
            "{wins}"
        );
        assert_eq!(
            rows(&merge(loses), "SELECT * FROM t ORDER BY 1"),
            ["1|10", "2|21", "3|30", "4|40", "5|50"],
            "{loses}"
        );
    }
}

/// Where the source's table stands in the place of the target's, an index of the target alone has
/// the source's rows and no others.
#[test]
fn an_index_of_a_replaced_table_has_the_new_rows() {
    let indexed = "CREATE TABLE x(id INT PRIMARY KEY, a INT, b, c) WITHOUT ROWID;
        INSERT INTO x(id, a, b) VALUES (6, 1, 60), (7, 2, 70); CREATE UNIQUE INDEX x_b ON x(b);
        CREATE INDEX x_a ON x(a)";
    let other = "CREATE TABLE x(id INT PRIMARY KEY, a INT, b) WITHOUT ROWID;
        INSERT INTO x VALUES (6, 5, 61), (8, 5, 70)";
    for (on_dev, on_main, policy) in
        [(other, indexed, "source_wins"), (indexed, other, "target_wins")]
    {
        let session = parted(on_dev, on_main);
        session
            .execute(&format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')"))
            .unwrap();
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{policy}");
        assert_eq!(rows(&session, "SELECT id FROM x WHERE a = 5 ORDER BY 1"), ["6", "8"]);
        assert_eq!(rows(&session, "SELECT id FROM x WHERE b IN (60, 70)"), ["8"]);
    }
}

/// A dropped table takes an index along that a conflict is about.
#[test]
fn an_index_that_both_sides_made_on_two_tables_is_a_conflict() {
    let renewed = "DROP TABLE u; CREATE TABLE u(y); CREATE INDEX i ON u(y)";
    let indexed = "CREATE INDEX i ON u(x, y DESC)";
    for (on_dev, on_main) in [(renewed, indexed), (indexed, renewed)] {
        let session = parted(on_dev, on_main);
        let told = error(&session, "MERGE BRANCH dev INTO main");
        assert!(told.contains("conflict"), "{on_dev} / {on_main}: {told}");
        for policy in ["source_wins", "target_wins"] {
            let session = parted(on_dev, on_main);
            let sql = format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')");
            let done = session.execute(&sql).map_err(|error| error.kind());
            assert!(matches!(done, Ok(()) | Err(crate::ErrorKind::MergeConflict)), "{done:?}");
            assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
        }
    }
}

/// What a side had broken follows the renames of the other side as it does where it works: by the
/// text of the side where it works, or once what it mentions is there.
#[test]
fn renames_reach_what_is_broken_on_the_other_side() {
    for (one, other, policies) in [
        // The trigger's view is broken where its table was dropped.
        (
            "ALTER TABLE u RENAME TO w; ALTER TABLE w RENAME COLUMN x TO z",
            "DROP TABLE k",
            ["fail", "fail"],
        ),
        // The trigger is broken where a table was dropped that the other side made anew.
        (
            "DROP TABLE u",
            "DROP TABLE u; CREATE TABLE u(x INT REFERENCES t, b NOT NULL DEFAULT 0);
             ALTER TABLE t RENAME COLUMN b TO c",
            ["source_wins", "target_wins"],
        ),
    ] {
        for swaps in [false, true] {
            let mut both = Vec::new();
            for (is_swapped, policy) in [(swaps, policies[0]), (!swaps, policies[1])] {
                let (on_dev, on_main) = if is_swapped { (other, one) } else { (one, other) };
                let session = session();
                session
                    .execute(&format!(
                        "CREATE TABLE k(a); {BASE} CREATE VIEW v AS SELECT a FROM k;
                         CREATE TRIGGER i INSTEAD OF DELETE ON v BEGIN
                         DELETE FROM u WHERE x = 1; END;
                         CREATE TRIGGER d AFTER DELETE ON t BEGIN UPDATE u SET x = OLD.b; END;
                         MERGE BRANCH main INTO dev;
                         USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main};
                         MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')"
                    ))
                    .unwrap();
                let sql = "SELECT lower(sql) FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1";
                both.push(rows(&session, sql).concat().replace('"', ""));
            }
            assert_eq!(both[0], both[1], "{one}, {other}");
        }
    }
}

/// A name that a table has only while a merge is at work makes nothing whole that is broken.
#[test]
fn what_is_broken_is_passed_by_also_where_a_name_in_between_fits() {
    let broken = "ALTER TABLE t RENAME COLUMN b TO d; CREATE VIEW v AS SELECT b FROM t";
    let other = "ALTER TABLE t ADD COLUMN e";
    for (on_dev, on_main) in [(broken, other), (other, broken)] {
        let session = parted(on_dev, on_main);
        session.execute("MERGE BRANCH dev INTO main").unwrap();
        let sql = "SELECT sql FROM sqlite_schema WHERE name = 'v'";
        assert_eq!(rows(&session, sql), ["CREATE VIEW v AS SELECT b FROM t"]);
    }
}

/// Rows that are older than a column leave the indexes by what they read there before the merge.
#[test]
fn old_rows_leave_an_index_by_the_default_that_they_had() {
    let one = "ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT 7;
        CREATE INDEX i ON t(b) WHERE c > 2; CREATE INDEX j ON t(c)";
    let other = "ALTER TABLE t ADD COLUMN c INT DEFAULT 1";
    for (on_dev, on_main, policy) in [(other, one, "source_wins"), (one, other, "target_wins")] {
        let session = parted(on_dev, on_main);
        session
            .execute(&format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')"))
            .unwrap();
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{policy}");
        assert_eq!(rows(&session, "SELECT id, c FROM t ORDER BY 1"), ["1|1", "2|1", "3|1"]);
    }
}

/// A table that keeps its name for a conflict keeps others out of it.
#[test]
fn a_new_table_waits_for_the_name_of_a_contested_one() {
    let one = "CREATE TABLE k(a); ALTER TABLE u RENAME TO w";
    let other = "CREATE TABLE w(id TEXT PRIMARY KEY); ALTER TABLE u RENAME TO k";
    for (on_dev, on_main) in [(one, other), (other, one)] {
        for policy in ["fail", "source_wins", "target_wins"] {
            let session = parted(on_dev, on_main);
            let sql = format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')");
            let done = session.execute(&sql).map_err(|error| error.kind());
            assert_eq!(done, Err(crate::ErrorKind::MergeConflict), "{on_dev} / {on_main}");
        }
    }
}

/// A column that is computed from a dropped one cannot be there: it goes where a side wins, whoever
/// has it, with what is computed from it in turn.
#[test]
fn a_generated_column_goes_with_what_it_is_computed_from() {
    let dropping = "ALTER TABLE t DROP COLUMN n";
    let adding = "ALTER TABLE t ADD COLUMN n2 AS (n + 1); ALTER TABLE t ADD COLUMN n3 AS (n2 * v);
                  CREATE INDEX on_n3 ON t(n3)";
    for (on_main, on_dev) in [(dropping, adding), (adding, dropping)] {
        for updated in ["", "UPDATE t SET n = 8"] {
            for said in [None, Some("source_wins"), Some("target_wins"), Some("manual")] {
                let session = session();
                session
                    .execute(&format!(
                        "CREATE TABLE t(id INTEGER PRIMARY KEY, v, n); INSERT INTO t VALUES (1,2,3);
                         CREATE BRANCH dev; {on_main}; USE BRANCH dev; {on_dev}; USE BRANCH main"
                    ))
                    .unwrap();
                let branch = if on_dev == adding { "dev" } else { "main" };
                session
                    .execute(&format!("USE BRANCH {branch}; {updated}; USE BRANCH main"))
                    .unwrap();
                let what = format!("{on_dev}; {updated}, {said:?}");
                let merge = "MERGE BRANCH dev INTO main";
                let Some(policy) = said else {
                    let told = error(&session, merge);
                    assert!(
                        told.contains("computed from one that the other branch dropped"),
                        "{told}"
                    );
                    continue;
                };
                let merge = format!("{merge} WITH (conflict_resolution = '{policy}')");
                session.execute(&merge).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                if policy == "manual" {
                    session.execute("RESOLVE CONFLICTS WITH TARGET; CONTINUE MERGE").unwrap();
                }
                assert_eq!(rows(&session, "SELECT * FROM t"), ["1|2"], "{what}");
                session.execute("INSERT INTO t VALUES (2, 3)").unwrap();
                assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{what}");
                assert_eq!(rows(&session, "SELECT name FROM pragma_index_list('t')"), [""; 0]);
                let again = rows(&session, "MERGE BRANCH main INTO dev");
                assert!(again[0].starts_with("fast-forward"), "{what}: {again:?}");
            }
        }
    }
}

/// One whose expression somebody gives anew stays.
#[test]
fn a_generated_column_can_be_defined_by_what_is_left() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v, n); INSERT INTO t VALUES (1,2,3);
             CREATE BRANCH dev; ALTER TABLE t ADD COLUMN n2 AS (n + 1); USE BRANCH dev;
             ALTER TABLE t DROP COLUMN n; USE BRANCH main;
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual');
             RESOLVE CONFLICT 1 WITH DEFINITION 'n2 AS (v + 1)'; CONTINUE MERGE",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT *, n2 FROM t"), ["1|2|3|3"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

/// A foreign key that one side added, to columns that the other side made no key any more.
#[test]
fn a_key_to_columns_that_are_unique_no_more_is_a_conflict() {
    let dropping = "DROP INDEX pu";
    let adding = "CREATE TABLE c(pr REFERENCES p(u)); INSERT INTO c VALUES (5)";
    for (on_main, on_dev) in [(dropping, adding), (adding, dropping)] {
        let session = session();
        session
            .execute(&format!(
                "PRAGMA foreign_keys = on; CREATE TABLE p(id INTEGER PRIMARY KEY, u);
                 CREATE UNIQUE INDEX pu ON p(u); INSERT INTO p VALUES (1, 5); CREATE BRANCH dev;
                 {on_main}; USE BRANCH dev; {on_dev}; USE BRANCH main"
            ))
            .unwrap();
        for policy in ["fail", "source_wins", "target_wins"] {
            let merge =
                format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')");
            let told = error(&session, &merge);
            assert!(told.contains("foreign key mismatch - \"c\" referencing \"p\""), "{told}");
        }
        let branch = if on_main == dropping { "main" } else { "dev" };
        session
            .execute(&format!(
                "USE BRANCH {branch}; CREATE UNIQUE INDEX again ON p(u); USE BRANCH main;
                 MERGE BRANCH dev INTO main; INSERT INTO c VALUES (5)"
            ))
            .unwrap();
        assert_eq!(rows(&session, "SELECT count(*) FROM c"), ["2"]);
        // One that a side has so already stops nothing.
        session
            .execute(
                "CREATE BRANCH later; DROP INDEX again; CREATE TABLE own(a); USE BRANCH later;
                 CREATE TABLE other(a); USE BRANCH main; MERGE BRANCH later INTO main",
            )
            .unwrap_or_else(|error| panic!("{error:?}"));
    }
}

/// Columns that both added are decided one by one: taken from different sides, they may be computed
/// from each other, and then neither can be read.
#[test]
fn columns_that_would_be_computed_from_each_other_are_a_conflict() {
    let one = "ALTER TABLE t ADD COLUMN x AS (c + 1); ALTER TABLE t ADD COLUMN y AS (x + 1)";
    let other = "ALTER TABLE t ADD COLUMN y AS (c + 5); ALTER TABLE t ADD COLUMN x AS (y + 1)";
    let open = "SELECT conflict_id FROM pando_conflicts WHERE resolution IS NULL AND column_name ";
    for (on_main, on_dev, from_one) in [(one, other, "TARGET"), (other, one, "SOURCE")] {
        let session = session();
        session
            .execute(&format!(
                "CREATE TABLE t(c INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);
                 CREATE BRANCH dev; {on_main}; USE BRANCH dev; {on_dev}; USE BRANCH main;
                 MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')"
            ))
            .unwrap();
        let from_other = if from_one == "SOURCE" { "TARGET" } else { "SOURCE" };
        let of = |name: &str| rows(&session, &format!("{open} = '{name}'")).remove(0);
        let (x, y) = (of("x"), of("y"));
        session
            .execute(&format!(
                "RESOLVE CONFLICT {x} WITH {from_other}; RESOLVE CONFLICT {y} WITH {from_one}"
            ))
            .unwrap();
        let told = error(&session, "CONTINUE MERGE");
        assert!(told.contains("would be computed from one that is computed from it"), "{told}");
        assert_eq!(rows(&session, "SELECT count(*) FROM t"), ["1"]);
        let listed = "SELECT column_name, resolution FROM pando_conflicts ORDER BY 1";
        assert_eq!(rows(&session, listed), ["x|NULL", "y|NULL"]);
        // In words of one's own they are no better.
        let (x, y) = (of("x"), of("y"));
        session.execute(&format!("RESOLVE CONFLICT {y} WITH {from_one}")).unwrap();
        let said = format!("RESOLVE CONFLICT {x} WITH DEFINITION 'x AS (y * 2)'");
        let is_refused = session.execute(&said).is_err() || {
            let told = error(&session, "CONTINUE MERGE");
            told.contains("loop")
        };
        assert!(is_refused, "{said}");
        // One answer for both settles it.
        session.execute(&format!("RESOLVE CONFLICTS WITH {from_one}")).unwrap();
        for conflict in rows(&session, "SELECT conflict_id FROM pando_conflicts") {
            session.execute(&format!("RESOLVE CONFLICT {conflict} WITH {from_one}")).unwrap();
        }
        session.execute("CONTINUE MERGE").unwrap();
        assert_eq!(rows(&session, "SELECT x, y FROM t"), ["2|3"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}
