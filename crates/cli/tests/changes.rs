//! `pando diff --sql` writes SQL that leads from one branch to another: it is run on the first one
//! and both then dump the same. sqlite3 takes the same script.

use pandodb_testkit::{Seeds, TemporaryFolder, assert_same_text};

use crate::run;

const SCHEMA: &str = "\
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL DEFAULT 1.5, note BLOB);
CREATE TABLE bare(a, rowid TEXT);
CREATE TABLE pair(room TEXT, number INT, size INT, PRIMARY KEY(room, number)) WITHOUT ROWID;
CREATE TABLE keyed(code TEXT PRIMARY KEY, v INT, twice INT AS (v * 2));
CREATE TABLE folded(code TEXT PRIMARY KEY COLLATE NOCASE, v INT, w INT);
CREATE TABLE part(n INT NOT NULL CHECK (n > 0), item INT REFERENCES item(id) ON DELETE CASCADE);
CREATE TABLE gone(x);
CREATE TABLE log(what TEXT);
CREATE INDEX item_price ON item(price) WHERE price > 1;
CREATE INDEX old_index ON bare(a);
CREATE VIEW cheap AS SELECT name FROM item WHERE price < 10;
CREATE TRIGGER item_changed AFTER UPDATE ON item BEGIN INSERT INTO log VALUES (new.name); END;
INSERT INTO gone VALUES ('soon');
CREATE VIEW priced AS SELECT id, name AS called, price AS cost FROM item;
CREATE TRIGGER priced_new INSTEAD OF INSERT ON priced
BEGIN INSERT INTO item(id, name) VALUES (new.id, new.called); END;
CREATE TRIGGER log_told AFTER INSERT ON log
BEGIN UPDATE item SET price = 1 WHERE name = 'never ' || new.what; END;
CREATE TRIGGER gone_told AFTER INSERT ON gone BEGIN UPDATE item SET note = new.x; END;
INSERT INTO item VALUES (1, 'pen', 2, x'00'), (2, 'ink', 5, NULL), (3, 'it''s', 7, x'');
INSERT INTO item VALUES (4, 'cap', 9, 'x');
INSERT INTO bare VALUES (1, 'one'), (2, 'two'), (NULL, NULL);
INSERT INTO pair VALUES ('attic', 1, 10), ('attic', 2, 20), ('cellar', 1, 30);
INSERT INTO keyed(code, v) VALUES ('a', 1), ('b', 2);
INSERT INTO folded VALUES ('a', 1, 1), ('b', 2, 2), ('c', 3, 3), (NULL, 4, 4), (NULL, 5, 5);
INSERT INTO part VALUES (1, 1), (2, 2);
";

/// Each a change of the other branch.
const CHANGES: &[&str] = &[
    "UPDATE item SET price = price + 1, note = x'ff00' WHERE id < 3",
    // Two rows change places in a unique column.
    "UPDATE item SET name = 'tmp' WHERE id = 1; UPDATE item SET name = 'pen' WHERE id = 2;
     UPDATE item SET name = 'ink' WHERE id = 1",
    "DELETE FROM item WHERE id = 1; INSERT INTO item(id, name) VALUES (9, 'new
line')",
    "DELETE FROM bare WHERE a = 1; INSERT INTO bare VALUES (2, 'again'); UPDATE bare SET a = 0.1",
    "UPDATE pair SET number = 7 WHERE number = 2; INSERT INTO pair VALUES ('garden', 1, NULL)",
    "UPDATE keyed SET v = 50; DELETE FROM keyed WHERE code = 'b';
     INSERT INTO keyed(code, v) VALUES ('c', 3)",
    // Rows under other rowids: what says which row one is is the key.
    "DELETE FROM keyed; INSERT INTO keyed(code, v) VALUES ('b', 2), ('c', 3), ('a', 7), (NULL, 4)",
    "ALTER TABLE item ADD COLUMN colour TEXT DEFAULT 'none, yet' COLLATE NOCASE",
    "ALTER TABLE item ADD COLUMN made TEXT; UPDATE item SET made = 'today' WHERE id = 2",
    "ALTER TABLE item RENAME COLUMN note TO remark; UPDATE item SET remark = 'r' WHERE id = 3",
    "ALTER TABLE pair DROP COLUMN size",
    "ALTER TABLE bare RENAME TO plain; INSERT INTO plain VALUES (5, 'five')",
    "DROP TABLE gone",
    "CREATE TABLE fresh(id INTEGER PRIMARY KEY, t TEXT); CREATE INDEX fresh_t ON fresh(t);
     INSERT INTO fresh VALUES (1, 'a'), (5, 'b')",
    "DROP INDEX old_index; CREATE UNIQUE INDEX pair_size ON pair(number, room)",
    "DROP VIEW cheap; CREATE VIEW cheap AS SELECT name, price FROM item;
     CREATE VIEW dear AS SELECT * FROM cheap",
    "DROP TRIGGER item_changed; UPDATE item SET price = 0 WHERE id = 2",
    "UPDATE item SET price = 3 WHERE id = 2; DELETE FROM log",
];

/// Changes in which names change their owners, each for itself.
const NAMES: &[&str] = &[
    // Names in a ring, of tables and of columns.
    "ALTER TABLE gone RENAME TO x; ALTER TABLE bare RENAME TO gone; ALTER TABLE x RENAME TO bare;
     INSERT INTO gone VALUES (7, 'seven')",
    "ALTER TABLE item RENAME COLUMN note TO x; ALTER TABLE item RENAME COLUMN price TO note;
     ALTER TABLE item RENAME COLUMN x TO price; UPDATE item SET note = 4 WHERE id = 2",
    // The triggers of a table that has another name now do not run when its rows change.
    "ALTER TABLE item RENAME TO thing; UPDATE thing SET price = 3 WHERE id = 2",
    "ALTER TABLE item RENAME COLUMN name TO title; UPDATE item SET price = 3 WHERE id = 2",
    // Another thing under the name of one that is gone.
    "DROP TABLE part; CREATE TABLE part(n INT, m INT); INSERT INTO part VALUES (1, 2)",
    "DROP TABLE gone; ALTER TABLE bare RENAME TO gone; DELETE FROM gone",
    "CREATE TABLE next(code TEXT PRIMARY KEY, v INT CHECK (v > 0), twice INT AS (v * 3));
     INSERT INTO next(code, v) SELECT code, v FROM keyed; DROP TABLE keyed;
     ALTER TABLE next RENAME TO keyed",
    "ALTER TABLE item DROP COLUMN note; ALTER TABLE item ADD COLUMN note TEXT DEFAULT 'none'",
    "ALTER TABLE part DROP COLUMN item; ALTER TABLE part ADD COLUMN item INT;
     ALTER TABLE part RENAME COLUMN item TO whole; ALTER TABLE part ADD COLUMN item TEXT",
    "DROP TABLE gone; DROP VIEW cheap; CREATE TABLE cheap(a); CREATE VIEW gone AS SELECT 1 AS one",
];

/// Changes that ALTER TABLE cannot do, or not before rows have changed, each for itself.
const DEFINITIONS: &[&str] = &[
    // Older rows break the newer constraint until they are changed.
    "UPDATE bare SET a = 0 WHERE a IS NULL; ALTER TABLE bare ALTER COLUMN a SET NOT NULL",
    "UPDATE item SET note = id; ALTER TABLE item ADD CONSTRAINT noted CHECK (note IS NOT NULL)",
    "DELETE FROM part WHERE n = 1; ALTER TABLE part ADD CHECK (n > 1)",
    "ALTER TABLE keyed ADD CONSTRAINT few CHECK (v < 100)",
    "CREATE TABLE next(room TEXT, number INT, size INT UNIQUE, PRIMARY KEY(number, room));
     INSERT INTO next SELECT * FROM pair; DROP TABLE pair; ALTER TABLE next RENAME TO pair",
    "ALTER TABLE item ADD COLUMN twice AS (price * 2); UPDATE item SET price = 1 WHERE id = 3",
    "ALTER TABLE part ADD COLUMN half INT NOT NULL DEFAULT 4; UPDATE part SET half = n",
    // Views and triggers of others name a column that has another name in a table built anew.
    "ALTER TABLE item RENAME COLUMN name TO title; ALTER TABLE item ADD CHECK (price < 90)",
    "ALTER TABLE item RENAME COLUMN name TO x; ALTER TABLE item RENAME COLUMN price TO name;
     ALTER TABLE item RENAME COLUMN x TO price; ALTER TABLE item ADD CHECK (id < 90);
     ALTER TABLE item RENAME TO thing; ALTER TABLE log RENAME COLUMN what TO name",
    "DROP VIEW priced; CREATE VIEW priced AS SELECT 1 AS id, 2 AS called;
     CREATE TRIGGER priced_new INSTEAD OF INSERT ON priced BEGIN SELECT 1; END;
     ALTER TABLE item RENAME COLUMN name TO title",
    "CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, a);
     INSERT INTO counted VALUES (40, 1); DELETE FROM counted",
];

/// Changes of the branch that is led to the other one, each for itself.
const OLDER: &[&str] = &[
    // Values of a column that only the newer branch has.
    "ALTER TABLE pair DROP COLUMN size",
    "ALTER TABLE item DROP COLUMN note; UPDATE item SET id = 17 WHERE id = 3",
    "ALTER TABLE part DROP COLUMN item",
    "DROP INDEX old_index; ALTER TABLE bare DROP COLUMN a; INSERT INTO bare VALUES ('more')",
    "DELETE FROM bare WHERE a IS NULL; ALTER TABLE bare ALTER COLUMN rowid SET NOT NULL",
    "ALTER TABLE item DROP COLUMN note; ALTER TABLE item ADD COLUMN note TEXT DEFAULT 'later'",
    "ALTER TABLE keyed ADD CONSTRAINT few CHECK (v < 100)",
];

/// Types and defaults of columns, each for itself, and whether the table is built anew.
const RETYPED: &[(&str, bool)] = &[
    ("ALTER TABLE item ALTER price TYPE TEXT", false),
    ("ALTER TABLE item ALTER price SET DEFAULT 9; INSERT INTO item(id) VALUES (8)", false),
    ("ALTER TABLE item ALTER price SET DEFAULT (abs(-3))", false),
    ("ALTER TABLE item ALTER price DROP DEFAULT; INSERT INTO item(id) VALUES (8)", false),
    (
        "ALTER TABLE item ALTER price TYPE TEXT; ALTER TABLE item ALTER price SET DEFAULT 'dear'",
        false,
    ),
    ("ALTER TABLE item RENAME price TO cost; ALTER TABLE item ALTER cost TYPE INT", false),
    ("ALTER TABLE bare ALTER rowid TYPE INT; UPDATE bare SET a = 7 WHERE a = 2", false),
    ("ALTER TABLE log ALTER what TYPE VARCHAR(9); INSERT INTO log VALUES ('x')", false),
    ("ALTER TABLE item ADD c INT DEFAULT 4; ALTER TABLE item ALTER c SET DEFAULT 5", false),
    // Rows that go first: they would be in the way of the newer type.
    (
        "INSERT INTO item(id, name) VALUES (7, '01'), (8, '1'); DELETE FROM item WHERE id < 4;
         DELETE FROM item WHERE id = 7; ALTER TABLE item ALTER name TYPE INT",
        true,
    ),
    ("DELETE FROM part WHERE n = 1; ALTER TABLE part ALTER n TYPE TEXT", true),
    ("ALTER TABLE pair ALTER size TYPE TEXT; ALTER TABLE pair ADD CHECK (size <> 'x')", true),
];

/// Changes of both branches, each for itself: rows are found by the declared key although it is
/// written otherwise or came to be known, they stand under other rowids, and the older branch lacks
/// a column.
const BOTH: &[(&str, &str)] = &[
    ("ALTER TABLE folded DROP COLUMN w", FOLDED),
    ("ALTER TABLE folded DROP COLUMN w; ALTER TABLE folded ADD CHECK (v < 9)", FOLDED),
];

/// A view whose text changes while another, which stands on it, and its trigger do not.
const STACKED: (&str, &str) = (
    "CREATE VIEW upper AS SELECT called FROM priced",
    "DROP VIEW priced; CREATE VIEW priced AS SELECT id + 0 AS id, name AS called FROM item;
     CREATE VIEW upper AS SELECT called FROM priced;
     CREATE TRIGGER priced_new INSTEAD OF INSERT ON priced
     BEGIN INSERT INTO item(id, name) VALUES (new.id, new.called); END;
     ALTER TABLE bare RENAME COLUMN a TO b; ALTER TABLE gone RENAME TO left_over",
);

const FOLDED: &str = "\
UPDATE folded SET code = 'A' WHERE code = 'a'; UPDATE folded SET code = 'n' WHERE v = 4;
UPDATE folded SET code = NULL WHERE v = 3; DELETE FROM folded WHERE v = 2;
INSERT INTO folded VALUES ('b', 2, 8), (NULL, 6, 6)";

/// The lines in an order that does not depend on when each was made. ALTER TABLE quotes new names.
fn sorted(text: &str) -> String {
    let text = text.replace('"', "");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Makes a database with these changes on `dev`, and brings them to `main` as SQL.
fn check(changes: &str) {
    check_both("", changes);
}

/// The same, with changes of `main` of its own.
fn check_both(older: &str, changes: &str) {
    led_to(older, changes, true);
}

/// As [`check_both`], by sqlite3 too where it knows the statements; gives the script.
fn led_to(older: &str, changes: &str, is_portable: bool) -> String {
    let folder = TemporaryFolder::new();
    let run = |line: &str| {
        let printed = run(folder.path(), line);
        assert!(!printed.contains("[exit "), "{line}: {printed}\nof {changes}");
        printed
    };
    std::fs::write(folder.file("schema.sql"), SCHEMA).unwrap();
    std::fs::write(folder.file("changes.sql"), format!("{changes};\n")).unwrap();
    std::fs::write(folder.file("older.sql"), format!("{older};\n")).unwrap();
    run("pando --bail a.pando < schema.sql");
    run("pando a.pando branch create dev");
    run("pando --bail --branch dev a.pando < changes.sql");
    run("pando --bail a.pando < older.sql");
    run("pando a.pando dump > before.sql");
    run("pando a.pando diff main dev --sql > diff.sql");
    let expected = run("pando --branch dev a.pando dump");
    run("pando --quiet --branch main a.pando import diff.sql");
    let found = run("pando --branch main a.pando dump");
    assert_same_text(&sorted(&expected), &sorted(&found));
    if is_portable && crate::run(folder.path(), "sqlite3 -version").starts_with('3') {
        run("sqlite3 -bail s.sqlite < before.sql && sqlite3 -bail s.sqlite < diff.sql");
        run("sqlite3 s.sqlite .dump > s.sql && pando --bail s.pando < s.sql");
        // SQLite's own dump leaves the numbers of the header out.
        let is_dumped = |line: &&str| {
            !line.starts_with("PRAGMA user_version") && !line.starts_with("PRAGMA application_id")
        };
        let expected: Vec<&str> = expected.lines().filter(is_dumped).collect();
        assert_same_text(&sorted(&expected.join("\n")), &sorted(&run("pando s.pando dump")));
    }
    run("cat diff.sql")
}

/// A table is not written anew for what ALTER COLUMN says in one line, in either direction.
#[test]
fn types_and_defaults_are_written_as_alter_column_where_rows_can_follow() {
    for (changes, is_rebuilt) in RETYPED {
        let script = led_to("", changes, *is_rebuilt);
        let is_altered = script.contains(" ALTER COLUMN ");
        assert_eq!(script.contains("pando_kept"), *is_rebuilt, "{changes}: {script}");
        assert!(is_altered || *is_rebuilt || changes.contains("ADD c"), "{changes}: {script}");
        led_to(changes, "", false);
    }
}

#[test]
fn each_kind_of_change_is_written_as_sql_that_does_it() {
    let newer = CHANGES.iter().chain(NAMES).chain(DEFINITIONS).map(|changes| ("", *changes));
    let older = OLDER.iter().map(|changes| (*changes, ""));
    let all: Vec<_> = newer.chain(older).chain(BOTH.iter().copied()).chain([STACKED]).collect();
    let per_thread = all.len().div_ceil(4);
    std::thread::scope(|scope| {
        for part in all.chunks(per_thread) {
            scope.spawn(move || part.iter().for_each(|(older, newer)| check_both(older, newer)));
        }
    });
}

#[test]
fn tables_of_the_engine_are_not_written() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    run("pando a.pando 'CREATE TABLE first(a); CREATE BRANCH dev'");
    run("pando --branch dev a.pando 'CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT)'");
    let script = run("pando a.pando diff dev main --sql");
    assert!(script.contains("DROP TABLE t;") && !script.contains("sqlite_"), "{script}");
}

#[test]
fn what_does_not_fit_the_older_state_leaves_it_as_it_is() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    run("pando a.pando 'CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 2)'");
    run("pando a.pando branch create dev");
    run("pando --branch dev a.pando 'ALTER TABLE t ALTER COLUMN a SET NOT NULL'");
    run("pando a.pando diff main dev --sql > diff.sql");
    // Somebody has changed the older state since.
    run("pando a.pando 'INSERT INTO t VALUES (2, NULL)'");
    let told = run("pando a.pando < diff.sql");
    assert!(
        told.contains("NOT NULL constraint failed: t.a") && told.ends_with("[exit 1]"),
        "{told}"
    );
    assert_eq!(run("pando a.pando 'SELECT * FROM t'"), "1|2\n2|\n");
}

/// Definitions of columns, some of which ALTER TABLE cannot add.
const COLUMNS: &[&str] = &[
    "INT",
    "TEXT",
    "TEXT COLLATE NOCASE",
    "REAL DEFAULT 2.5",
    "TEXT NOT NULL DEFAULT 'it''s'",
    "INT UNIQUE",
    "CHECK (a IS NOT 77)",
    "BLOB DEFAULT (abs(-3))",
    "INT REFERENCES p(id) ON DELETE SET NULL",
    "INT AS (id + 1)",
];

/// What a branch does to its tables; what does not fit is left out.
fn random_change(random: &mut impl FnMut(usize) -> usize) -> String {
    let table = ["t", "u", "v"][random(3)];
    let column = ["a", "b", "c", "d"][random(4)];
    let other = ["a", "b", "c", "d"][random(4)];
    let value = ["NULL", "1", "2.5", "'x'", "x'00ff'", "7", "'7'", "77"][random(8)];
    let id = random(6);
    let (view, name) = (["low", "high"][random(2)], ["t", "u", "v", "w"][random(4)]);
    match random(28) {
        0 => format!("ALTER TABLE {table} DROP COLUMN {column}"),
        1 | 2 => format!("ALTER TABLE {table} ADD COLUMN {column} {}", COLUMNS[random(10)]),
        3 => format!("ALTER TABLE {table} RENAME COLUMN {column} TO {other}"),
        4 => format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"),
        5 => format!("UPDATE {table} SET {column} = {value} WHERE id = {id}"),
        6 => format!("ALTER TABLE {table} ADD CHECK ({column} IS NOT {value})"),
        7 => format!("ALTER TABLE {table} ADD CONSTRAINT named CHECK (id < {})", 5 + random(50)),
        8 => format!("ALTER TABLE {table} DROP CONSTRAINT named"),
        9 => format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"),
        10 | 11 => format!("UPDATE {table} SET {column} = {value} WHERE id >= {id}"),
        12 => format!("DELETE FROM {table} WHERE id = {id}"),
        13 => format!("CREATE UNIQUE INDEX {table}_{column} ON {table}({column}, id)"),
        14 => format!("UPDATE {table} SET id = {} WHERE id = {id}", id + 7),
        15 => {
            let declared = ["INT", "TEXT", "REAL", "BLOB"][random(4)];
            format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {declared}")
        }
        16 => format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}"),
        17 => format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"),
        18 | 19 => format!("ALTER TABLE {table} RENAME COLUMN {column} TO {other}x"),
        20 => format!("ALTER TABLE {table} RENAME TO {name}"),
        21 => format!("ALTER TABLE w RENAME TO {table}"),
        22 => format!(
            "DROP VIEW {view}; CREATE VIEW {view} AS SELECT {column} AS a, id FROM {table} \
             WHERE {other} IS NOT {value}"
        ),
        23 => format!("DROP VIEW {view}"),
        24 => format!(
            "CREATE TRIGGER {view}_{table} AFTER INSERT ON {table} \
             BEGIN UPDATE {name} SET {column} = new.{other}; END"
        ),
        25 => format!(
            "CREATE TRIGGER on_{view} INSTEAD OF DELETE ON {view} \
             BEGIN DELETE FROM {table} WHERE {column} = old.a; END"
        ),
        26 => format!("DROP TRIGGER {view}_{table}; DROP TRIGGER on_{view}"),
        _ => format!("INSERT INTO {table}(id, {column}) VALUES ({}, {value})", random(30)),
    }
}

#[test]
fn any_state_is_led_to_any_other() {
    Seeds::first(12).run("any_state_is_led_to_any_other", |random| {
        let mut random = |limit: usize| random.usize(..limit);
        let folder = TemporaryFolder::new();
        let run = |line: &str| run(folder.path(), line);
        let mut text = "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE log(x);\n".to_owned();
        let alias = ["INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"];
        let ids = [alias[0], alias[1], "INT", "INT UNIQUE", "INT PRIMARY KEY"];
        for table in ["t", "u", "v"] {
            let (id, columns) = (ids[random(5)], [(); 3].map(|()| COLUMNS[random(10)]));
            let [a, b, c] = columns;
            let plain = ids.iter().position(|it| *it == id) == Some(4) && random(2) == 0;
            let option = if plain { "WITHOUT ROWID" } else { "" };
            text += &format!("CREATE TABLE {table}(id {id}, a {a}, b {b}, c {c}){option};\n");
            for id in 1..6 {
                text += &format!("INSERT OR IGNORE INTO {table}(id, b) VALUES ({id}, {id});\n");
                text += &format!("INSERT OR IGNORE INTO {table}(id) VALUES ({});\n", id + 5);
            }
        }
        text += "CREATE TRIGGER told AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (1); END;\n";
        text += "CREATE VIEW low AS SELECT id, a FROM t; CREATE VIEW high AS SELECT * FROM low;\n";
        text += "CREATE TRIGGER low_p AFTER INSERT ON p BEGIN UPDATE u SET b = new.id; END;\n";
        text += "CREATE TRIGGER on_low INSTEAD OF UPDATE ON low
                 BEGIN UPDATE v SET c = new.a WHERE id = old.id; END;\n";
        text += "CREATE VIEW joined AS SELECT t.b, u.c FROM t JOIN u USING (id) WHERE t.a > 1;\n";
        let mut script = |name: &str, text: &str| {
            let count = if text.is_empty() { 8 } else { 0 };
            let lines: Vec<String> = (0..count).map(|_| random_change(&mut random)).collect();
            let lines = format!("{text}{};\n", lines.join(";\n"));
            std::fs::write(folder.file(name), &lines).unwrap();
            lines
        };
        let first = script("first.sql", &text);
        let (older, newer) = (script("older.sql", ""), script("newer.sql", ""));
        let told = format!("{first}\n-- main\n{older}\n-- dev\n{newer}");
        run("pando a.pando < first.sql");
        run("pando a.pando branch create dev");
        run("pando a.pando < older.sql");
        run("pando --branch dev a.pando < newer.sql");
        for (from, to) in [("main", "dev"), ("dev", "main")] {
            run(&format!("pando a.pando branch create to_{to} {from}"));
            run(&format!("pando a.pando diff {from} {to} --sql > {to}.sql"));
            let printed = run(&format!("pando --branch to_{to} a.pando < {to}.sql"));
            assert_eq!(printed, "", "{told}\n-- {to}.sql\n{}", run(&format!("cat {to}.sql")));
            let expected = run(&format!("pando --branch {to} a.pando dump"));
            let found = run(&format!("pando --branch to_{to} a.pando dump"));
            if sorted(&expected) != sorted(&found) {
                eprintln!("{told}\n-- {to}.sql\n{}", run(&format!("cat {to}.sql")));
            }
            assert_same_text(&sorted(&expected), &sorted(&found));
        }
    });
}

#[test]
fn many_changes_at_once_are_written_as_sql_that_does_them() {
    check(&CHANGES.join(";\n"));
}

#[test]
fn settings_of_branches_are_written_as_pragmas() {
    check("PRAGMA user_version = 7; PRAGMA application_id = -3");
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    run("pando a.pando 'CREATE TABLE user_version(a); CREATE BRANCH dev; PRAGMA user_version = 4'");
    let script = run("pando a.pando diff dev main --sql");
    assert!(script.contains("\nPRAGMA user_version = 4;\nCOMMIT;"), "{script}");
    assert_eq!(run("pando a.pando diff dev main user_version --sql"), "");
}

#[test]
fn branches_that_are_equal_need_no_sql() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    assert_eq!(run("pando a.pando 'CREATE TABLE t(a); CREATE BRANCH dev'"), "");
    assert_eq!(run("pando a.pando diff main dev --sql"), "");
}
