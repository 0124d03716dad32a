//! Every PRAGMA read, the settable ones set, the kept ones found again after the file was closed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, OpenMode, SimVfs, Vfs};
use pandodb_tm::Options;

use super::{Scope, entries, manual};
use crate::error::ErrorKind;
use crate::session::Session;
use crate::store::Database;

fn memory() -> Session {
    Session::new(Database::in_memory().unwrap())
}

/// A file that outlives the sessions on it.
struct File(Arc<dyn Vfs>);

impl File {
    fn new() -> Self {
        Self(Arc::new(MemoryVfs::default()))
    }

    fn open(&self) -> Session {
        let options = Options { has_checkpoint_thread: false, ..Options::default() };
        Session::new(Database::open(&self.0, Path::new("t.pando"), &options).unwrap())
    }

    fn bytes(&self) -> u64 {
        self.0.open(Path::new("t.pando"), OpenMode::Read).unwrap().len().unwrap()
    }
}

fn text(session: &Session, sql: &str) -> String {
    let rows = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).rows;
    let show = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Blob(_) => "blob".to_owned(),
    };
    let row = |row: &Vec<Value>| row.iter().map(show).collect::<Vec<_>>().join("|");
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn error(session: &Session, sql: &str) -> crate::error::Error {
    session.execute(sql).expect_err(sql)
}

fn fill(session: &Session, rows: u32) {
    session
        .execute(&format!(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, payload TEXT);
             INSERT INTO t SELECT value, 'some words that repeat, row ' || value
             FROM generate_series(1, {rows})"
        ))
        .unwrap();
}

#[test]
fn every_entry_is_read_and_has_a_line_in_the_manual() {
    let session = File::new().open();
    let manual = manual();
    let mut names: Vec<&str> = entries().map(|entry| entry.name).collect();
    for entry in entries() {
        session
            .query(&format!("PRAGMA {}", entry.name))
            .unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        assert!(manual.contains(&format!("| `{}` |", entry.name)), "{}", entry.name);
        assert!(!entry.help.is_empty() && !entry.help.ends_with('.'), "{}", entry.name);
        if !entry.columns.is_empty() && entry.scope != Scope::Does {
            let rows = session.query(&format!("SELECT * FROM pragma_{}", entry.name)).unwrap();
            assert_eq!(rows.columns.len(), entry.columns.len(), "{}", entry.name);
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), entries().count(), "no name twice");
}

#[test]
fn an_unknown_pragma_suggests_the_nearest() {
    let session = memory();
    let failed = error(&session, "PRAGMA page_siez");
    assert_eq!(failed.kind(), ErrorKind::NotFound);
    assert_eq!(failed.hint(), Some("did you mean page_size?"));
    assert_eq!(error(&session, "PRAGMA qwertzuiop").hint(), None);
}

#[test]
fn memory_and_hash_tables_can_be_bounded() {
    let session = memory();
    fill(&session, 200);
    assert_eq!(text(&session, "PRAGMA hard_heap_limit"), "0");
    assert_eq!(text(&session, "PRAGMA hard_heap_limit = 100000"), "100000");
    assert_eq!(text(&session, "PRAGMA hard_heap_limit = 200000"), "100000", "only lowered");
    assert_eq!(text(&session, "SELECT count(*) FROM t"), "200");
    let join = "SELECT * FROM t a JOIN t b ON a.payload = b.payload";
    let plan = |session: &Session| text(session, &format!("EXPLAIN {join}"));
    assert!(plan(&session).contains("hash join"), "{}", plan(&session));
    session.execute("PRAGMA automatic_index = OFF").unwrap();
    assert_eq!(text(&session, "PRAGMA automatic_index"), "0");
    assert!(!plan(&session).contains("hash join"), "{}", plan(&session));
    session.execute("PRAGMA automatic_index = ON").unwrap();
    assert!(plan(&session).contains("hash join"), "{}", plan(&session));
}

#[test]
fn kept_settings_are_there_after_the_file_was_closed() {
    let file = File::new();
    let settings = [
        ("compression = 'ZSTD(7)'", "PRAGMA compression", "ZSTD(7)"),
        ("wal_mode = OFF", "PRAGMA wal_mode", "OFF"),
        ("wal_archive = ON", "PRAGMA wal_archive", "1"),
        ("history_retention = '2h'", "PRAGMA history_retention", "7200"),
        ("history_size = 1000000", "PRAGMA history_size", "1000000"),
        ("default_cache_size = -1234", "PRAGMA cache_size", "-1234"),
        ("user_version = -7", "PRAGMA user_version", "-7"),
        ("application_id = 99", "PRAGMA application_id", "99"),
        ("page_size = 4096", "PRAGMA page_size", "4096"),
    ];
    let session = file.open();
    // The size of pages first: there must be no table.
    for (set, _, _) in settings.iter().rev() {
        session.execute(&format!("PRAGMA {set}")).unwrap();
    }
    fill(&session, 100);
    session.execute("PRAGMA wal_checkpoint(FULL)").unwrap();
    let check = |session: &Session| {
        for (_, read, expected) in settings {
            assert_eq!(text(session, read), expected, "{read}");
        }
        assert_eq!(text(session, "SELECT count(*) FROM t"), "100");
        assert_eq!(text(session, "PRAGMA journal_mode"), "off");
    };
    check(&session);
    drop(session);
    let session = file.open();
    check(&session);
    session.execute("PRAGMA wal_mode = ON").unwrap();
    assert_eq!(text(&session, "PRAGMA journal_mode"), "wal");
}

/// Whatever happens right after it was acknowledged.
#[test]
fn the_size_of_pages_outlives_a_crash() {
    let disk = SimVfs::new(3);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let open = || {
        let options = Options { has_checkpoint_thread: false, ..Options::default() };
        Session::new(Database::open(&vfs, Path::new("t.pando"), &options).unwrap())
    };
    let session = open();
    session.execute("PRAGMA page_size = 4096").unwrap();
    disk.crash_at(disk.operations() + 1);
    drop(session);
    disk.clear_faults();
    disk.restart();
    let session = open();
    assert_eq!(text(&session, "PRAGMA page_size"), "4096");
    session.execute("CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(text(&session, "PRAGMA integrity_check"), "ok");
}

#[test]
fn figures_agree_with_the_files() {
    let file = File::new();
    let session = file.open();
    fill(&session, 5000);
    session.execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let columns = session.query("PRAGMA storage_info").unwrap().columns;
    let first: Vec<&str> = columns.iter().take(6).map(|name| &**name).collect();
    let promised = [
        "page_count",
        "used_pages",
        "free_pages",
        "compression_ratio",
        "wal_size",
        "last_checkpoint",
    ];
    assert_eq!(first, promised);
    let told = text(
        &session,
        "SELECT file_bytes, page_count, page_count * page_size - file_bytes
        BETWEEN 0 AND page_size - 1, used_pages + free_pages = page_count,
        compression_ratio > 1, last_checkpoint IS NOT NULL, used_bytes <= file_bytes,
        json_extract(branch_bytes, '$.main.own') > 0 FROM pragma_storage_info",
    );
    let bytes = file.bytes();
    let pages = text(&session, "PRAGMA page_count");
    assert_eq!(told, format!("{bytes}|{pages}|1|1|1|1|1|1"));
    let wal = text(&session, "SELECT wal_size FROM pragma_storage_info");
    let files = file.0.list(Path::new("")).unwrap();
    let log: u64 = files
        .iter()
        .filter(|path| path.to_string_lossy().contains("-wal"))
        .map(|path| file.0.open(path, OpenMode::Read).unwrap().len().unwrap())
        .sum();
    assert_eq!(wal, log.to_string());
    session.execute("PRAGMA wal_checkpoint(FULL); VACUUM").unwrap();
    assert!(file.bytes() <= bytes, "VACUUM makes no file longer");
}

#[test]
fn compression_changes_the_pages_that_come_after() {
    let size = |codec: &str| {
        let file = File::new();
        let session = file.open();
        session.execute(&format!("PRAGMA compression = {codec}")).unwrap();
        fill(&session, 20_000);
        session.execute("PRAGMA wal_checkpoint(FULL)").unwrap();
        file.bytes()
    };
    let (none, fast, small) = (size("NONE"), size("lz4"), size("'zstd(19)'"));
    assert!(none > fast && fast > small, "{none} {fast} {small}");
    let session = File::new().open();
    session.execute("PRAGMA compression = rle; ATTACH 'beside.db' AS beside").unwrap();
    assert_eq!(text(&session, "PRAGMA beside.compression"), "RLE");
    let failed = error(&session, "PRAGMA compression = brotli");
    assert_eq!(failed.kind(), ErrorKind::Invalid);
}

#[test]
fn without_a_log_commits_are_checkpoints() {
    let file = File::new();
    let session = file.open();
    session.execute("PRAGMA wal_mode = off").unwrap();
    fill(&session, 10);
    let before = text(&session, "SELECT checkpoints FROM pragma_storage_info");
    session.execute("INSERT INTO t VALUES (11, 'x')").unwrap();
    let after = text(&session, "SELECT checkpoints FROM pragma_storage_info");
    assert_ne!(before, after);
    drop(session);
    assert_eq!(text(&file.open(), "SELECT count(*) FROM t"), "11");
}

#[test]
fn checkpoints_tell_what_they_moved() {
    let file = File::new();
    let session = file.open();
    fill(&session, 1000);
    let told = text(&session, "PRAGMA wal_checkpoint(FULL)");
    let numbers: Vec<i64> = told.split('|').map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers[0], 0);
    assert!(numbers[1] > 0 && numbers[1] == numbers[2], "{told}");
    assert_eq!(text(&memory(), "PRAGMA wal_checkpoint"), "0|-1|-1");
    assert_eq!(error(&session, "PRAGMA wal_checkpoint(soon)").kind(), ErrorKind::Invalid);
    session.execute("PRAGMA wal_autocheckpoint = 10").unwrap();
    assert_eq!(text(&session, "PRAGMA wal_autocheckpoint"), "10");
    session.execute("PRAGMA wal_autocheckpoint = 0").unwrap();
    assert_eq!(text(&session, "PRAGMA wal_autocheckpoint"), "0");
}

#[test]
fn sessions_have_their_own_timeouts_and_durability() {
    let database = Database::in_memory().unwrap();
    let (one, two) = (Session::new(database.clone()), Session::new(database));
    one.execute("PRAGMA busy_timeout = 17; PRAGMA synchronous = OFF").unwrap();
    assert_eq!(text(&one, "PRAGMA busy_timeout"), "17");
    assert_eq!(text(&one, "PRAGMA synchronous"), "0");
    assert_ne!(text(&two, "PRAGMA busy_timeout"), "17");
    assert_eq!(text(&two, "PRAGMA synchronous"), "1");
    one.execute("CREATE TABLE t(x)").unwrap();
    let before = (text(&one, "PRAGMA data_version"), text(&two, "PRAGMA data_version"));
    one.execute("INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(text(&one, "PRAGMA data_version"), before.0, "its own commit");
    assert_ne!(text(&two, "PRAGMA data_version"), before.1);
    one.execute("BEGIN; INSERT INTO t VALUES (2)").unwrap();
    assert!(text(&two, "SELECT count(*) FROM pragma_lock_list") != "0");
    assert!(text(&two, "SELECT count(*) FROM pragma_snapshot_list") != "0");
    assert_eq!(error(&one, "PRAGMA synchronous = FULL").kind(), ErrorKind::Invalid);
}

#[test]
fn a_statement_ends_when_its_time_is_over() {
    let session = memory();
    session.execute("PRAGMA statement_timeout = 30").unwrap();
    let failed = error(
        &session,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    );
    assert_eq!(failed.kind(), ErrorKind::Limit);
    session.execute("PRAGMA statement_timeout = 0; SELECT 1").unwrap();
}

#[test]
fn switches_do_something() {
    let session = memory();
    session.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2), (3)").unwrap();
    session.execute("PRAGMA case_sensitive_like = ON").unwrap();
    assert_eq!(text(&session, "SELECT 'a' LIKE 'A', 'a' LIKE 'a', 'ab' LIKE 'a_'"), "0|1|1");
    session.execute("PRAGMA case_sensitive_like = OFF").unwrap();
    assert_eq!(text(&session, "SELECT 'a' LIKE 'A'"), "1");
    session.execute("PRAGMA require_where = ON").unwrap();
    assert!(error(&session, "DELETE FROM t").message().contains("WHERE"));
    assert!(error(&session, "UPDATE t SET x = 1").message().contains("WHERE"));
    session.execute("UPDATE t SET x = x WHERE true; PRAGMA require_where = OFF").unwrap();
    session.execute("PRAGMA reverse_unordered_selects = ON").unwrap();
    assert_eq!(text(&session, "SELECT x FROM t"), "3; 2; 1");
    assert_eq!(text(&session, "SELECT x FROM t ORDER BY rowid"), "1; 2; 3");
    session.execute("PRAGMA reverse_unordered_selects = OFF").unwrap();
    session.execute("PRAGMA max_page_count = 1").unwrap();
    assert_eq!(error(&session, "INSERT INTO t VALUES (4)").kind(), ErrorKind::Full);
}

#[test]
fn one_value_is_taken_and_another_one_refused() {
    let session = memory();
    for name in ["secure_delete", "empty_result_callbacks", "writable_schema"] {
        session.execute(&format!("PRAGMA {name} = 0; PRAGMA {name} = OFF")).unwrap();
        let failed = error(&session, &format!("PRAGMA {name} = 1"));
        assert_eq!(failed.kind(), ErrorKind::Invalid, "{name}");
        assert!(failed.hint().is_some(), "{name}");
    }
    assert_eq!(text(&session, "PRAGMA vdbe_trace = 1"), "");
    assert_eq!(text(&session, "PRAGMA locking_mode = normal"), "exclusive");
    // What an application sets when it connects, to make SQLite fast.
    for (setting, answer) in [
        ("mmap_size = 134217728", "0"),
        ("journal_size_limit = 67108864", "-1"),
        ("analysis_limit = 400", "0"),
        ("auto_vacuum = INCREMENTAL", ""),
        ("temp_store = FILE", ""),
        ("fullfsync = OFF", ""),
        ("cell_size_check = 0", ""),
    ] {
        assert_eq!(text(&session, &format!("PRAGMA {setting}")), answer, "{setting}");
    }
    assert_eq!(text(&session, "PRAGMA temp_store"), "2");
    assert_eq!(text(&session, "PRAGMA auto_vacuum"), "0");
    assert_eq!(error(&session, "SELECT * FROM pragma_user_version(5)").kind(), ErrorKind::Invalid);
}

#[test]
fn a_word_is_no_number_and_no_switch() {
    let session = memory();
    for name in ["wal_mode", "wal_archive", "history_size", "history_retention"]
        .into_iter()
        .chain(["statement_timeout", "checkpoint_interval", "limit_length", "limit_sql_length"])
        .chain(["foreign_keys", "recursive_triggers", "query_only", "read_uncommitted"])
    {
        let before = text(&session, &format!("PRAGMA {name}"));
        for wrong in ["banana", "'1x'", "''"] {
            let failed = error(&session, &format!("PRAGMA {name} = {wrong}"));
            assert_eq!(failed.kind(), ErrorKind::Invalid, "{name} = {wrong}");
            assert!(failed.hint().is_some(), "{name} = {wrong}");
        }
        assert_eq!(text(&session, &format!("PRAGMA {name}")), before, "{name}");
    }
}

#[test]
fn limits_are_kept_and_cannot_be_raised_above_the_engine() {
    let session = memory();
    let cases = [
        ("limit_length = 1000", "SELECT length(hex(randomblob(600)))", "too big"),
        ("limit_length = 1000", "SELECT length(zeroblob(1001))", "too big"),
        ("limit_sql_length = 40", "SELECT 'this statement has more than forty bytes'", "too long"),
        ("limit_column = 3", "SELECT 1, 2, 3, 4", "too many columns in result set"),
        ("limit_column = 3", "CREATE TABLE w(a, b, c, d)", "too many columns on w"),
        (
            "limit_column = 3",
            "CREATE TABLE w AS SELECT 1, 2, 3, 4",
            "too many columns in result set",
        ),
        (
            "limit_column = 3",
            "CREATE TABLE w(a, b, c); ALTER TABLE w ADD COLUMN d",
            "too many columns on sqlite_altertab_w",
        ),
        ("limit_expr_depth = 5", "SELECT ((((((1+1)+1)+1)+1)+1)+1)", "depth 5"),
        ("limit_compound_select = 2", "SELECT 1 UNION SELECT 2 UNION SELECT 3", "too many terms"),
        ("limit_vdbe_op = 5", "SELECT 1, abs(2), abs(3), abs(4), abs(5), random()", "max 5"),
        ("limit_vdbe_op = 3", "SELECT (SELECT 1 WHERE random() IN (1, 2, 3)) LIKE 2", "max 3"),
        ("limit_function_arg = 2", "SELECT max(1, 2, 3)", "too many arguments on function max"),
        ("limit_attached = 0", "ATTACH ':memory:' AS a", "too many attached"),
        ("limit_like_pattern_length = 3", "SELECT 'a' LIKE 'abcd'", "too complex"),
        ("limit_variable_number = 3", "SELECT ?4", "between ?1 and ?3"),
    ];
    for (limit, sql, words) in cases {
        let name = limit.split(' ').next().unwrap();
        let most = text(&session, &format!("PRAGMA {name}"));
        session.execute(sql).unwrap_or_else(|error| panic!("{sql} without the limit: {error}"));
        session.execute("DROP TABLE IF EXISTS w; DETACH a").ok();
        session.execute(&format!("PRAGMA {limit}")).unwrap();
        let failed = error(&session, sql);
        assert!(failed.message().contains(words), "{sql}: {failed}");
        session.execute(&format!("PRAGMA {name} = 2000000000")).unwrap();
        assert_eq!(text(&session, &format!("PRAGMA {name}")), most, "{name}");
    }
}

#[test]
fn the_limit_of_helpers_is_the_other_side_of_threads() {
    let session = memory();
    let most: u32 = text(&session, "PRAGMA limit_worker_threads").parse().unwrap();
    assert_eq!(text(&session, "PRAGMA limit_worker_threads = 0"), "0");
    assert_eq!(text(&session, "PRAGMA threads"), "1");
    session.execute("PRAGMA threads = 1000000").unwrap();
    assert_eq!(text(&session, "PRAGMA limit_worker_threads"), most.to_string());
}

#[test]
fn information_schema_knows_the_table_of_a_temporary_trigger() {
    let session = memory();
    session
        .execute(
            "ATTACH ':memory:' AS other; CREATE TABLE other.t(a); CREATE TABLE u(a);
             CREATE TEMP TABLE w(a);
             CREATE TEMP TRIGGER of_other AFTER INSERT ON other.t BEGIN SELECT 1; END;
             CREATE TEMP TRIGGER of_main AFTER INSERT ON main.u BEGIN SELECT 1; END;
             CREATE TEMP TRIGGER of_temp AFTER INSERT ON w BEGIN SELECT 1; END;",
        )
        .unwrap();
    let told = text(
        &session,
        "SELECT trigger_name, trigger_schema, event_object_schema
         FROM information_schema.triggers ORDER BY 1",
    );
    assert_eq!(told, "of_main|temp|main; of_other|temp|other; of_temp|temp|temp");
}

#[test]
fn information_schema_tells_what_was_declared() {
    let session = memory();
    session
        .execute(
            "CREATE TABLE parent(id INTEGER PRIMARY KEY, code VARCHAR(12) NOT NULL UNIQUE);
             CREATE TABLE child(a, b, p REFERENCES parent ON DELETE CASCADE,
                 g AS (a + 1), PRIMARY KEY (a, b), CHECK (a > 0)) WITHOUT ROWID;
             CREATE VIEW v AS SELECT id FROM parent;
             CREATE TRIGGER after_parent AFTER INSERT ON parent BEGIN SELECT 1; END;",
        )
        .unwrap();
    let cases = [
        (
            "SELECT table_name, table_type FROM information_schema.tables
          WHERE table_schema = 'main' AND table_name IN ('parent', 'v') ORDER BY 1",
            "parent|BASE TABLE; v|VIEW",
        ),
        (
            "SELECT column_name, ordinal_position, data_type, character_maximum_length, is_nullable
          FROM information_schema.columns WHERE table_name = 'parent' ORDER BY 2",
            "id|1|INTEGER|NULL|YES; code|2|VARCHAR|12|NO",
        ),
        ("SELECT column_name FROM information_schema.columns WHERE is_generated = 'ALWAYS'", "g"),
        (
            "SELECT constraint_name, constraint_type FROM INFORMATION_SCHEMA.table_constraints
          WHERE table_name = 'child' ORDER BY 1",
            "child_check1|CHECK; child_p_fkey|FOREIGN KEY; child_pkey|PRIMARY KEY",
        ),
        (
            "SELECT column_name, ordinal_position, referenced_table_name, referenced_column_name
          FROM information_schema.key_column_usage WHERE table_name = 'child' ORDER BY 1",
            "a|1|NULL|NULL; b|2|NULL|NULL; p|1|parent|id",
        ),
        (
            "SELECT unique_constraint_name, delete_rule, update_rule
          FROM information_schema.referential_constraints",
            "parent_pkey|CASCADE|NO ACTION",
        ),
        (
            "SELECT table_name, view_definition, is_updatable FROM information_schema.views",
            "v|SELECT id FROM parent|NO",
        ),
        (
            "SELECT trigger_name, event_manipulation, event_object_table, action_timing
          FROM information_schema.triggers",
            "after_parent|INSERT|parent|AFTER",
        ),
        (
            "SELECT check_clause FROM information_schema.check_constraints
          WHERE constraint_name = 'child_check1'",
            "a > 0",
        ),
        (
            "SELECT schema_name FROM information_schema.schemata ORDER BY 1",
            "information_schema; main",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(text(&session, sql), expected, "{sql}");
    }
    for name in crate::catalog::information::names() {
        session.query(&format!("SELECT * FROM information_schema.{name}")).unwrap();
    }
    let failed = error(&session, "SELECT * FROM information_schema.tabels");
    assert_eq!(failed.hint(), Some("did you mean tables?"));
}

#[test]
fn vacuum_into_writes_a_database_of_its_own() {
    let file = File::new();
    let session = file.open();
    fill(&session, 300);
    session.execute("CREATE INDEX i ON t(payload); VACUUM INTO 'copy.pando'").unwrap();
    let again = error(&session, "VACUUM INTO 'copy.pando'");
    assert!(again.message().contains("already exists"), "{again}");
    session.execute("ATTACH 'copy.pando' AS copy").unwrap();
    let same = "SELECT count(*) FROM (SELECT * FROM main.t EXCEPT SELECT * FROM copy.t)";
    assert_eq!(text(&session, same), "0");
    assert_eq!(text(&session, "SELECT count(*) FROM copy.t"), "300");
    assert_eq!(text(&session, "PRAGMA copy.integrity_check"), "ok");
    assert!(error(&session, "BEGIN; VACUUM").message().contains("within a transaction"));
}

#[test]
fn what_is_no_number_is_refused_and_changes_nothing() {
    let file = File::new();
    let session = file.open();
    for name in ["busy_timeout", "soft_heap_limit", "hard_heap_limit", "wal_autocheckpoint"]
        .into_iter()
        .chain(["threads", "max_page_count", "cache_size", "default_cache_size", "cache_spill"])
        .chain(["application_id", "user_version", "page_size", "statement_timeout"])
    {
        let before = text(&session, &format!("PRAGMA {name}"));
        for wrong in ["abc", "'12x'", "'x y'", "''", "1.5", "99999999999999999999", "'0xg'"] {
            let failed = error(&session, &format!("PRAGMA {name} = {wrong}"));
            assert_eq!(failed.kind(), ErrorKind::Invalid, "{name} = {wrong}");
            assert!(failed.hint().is_some_and(|hint| hint.len() > 10), "{name} = {wrong}");
        }
        assert_eq!(text(&session, &format!("PRAGMA {name}")), before, "{name}");
    }
    for (set, wrong) in [
        ("user_version", "99999999999"),
        ("user_version", "-2147483649"),
        ("application_id", "4294967296"),
        ("cache_size", "9223372036854775807"),
        ("default_cache_size", "-9223372036854775808"),
    ] {
        assert_eq!(error(&session, &format!("PRAGMA {set} = {wrong}")).kind(), ErrorKind::Invalid);
    }
    for (set, right, told) in [
        ("busy_timeout", "'100'", "100"),
        ("busy_timeout", "-1", "0"),
        ("application_id", "0x7eadbeef", "2125315823"),
        ("user_version", "4294967295", "-1"),
        ("cache_size", "-2000", "-2000"),
    ] {
        session.execute(&format!("PRAGMA {set} = {right}")).unwrap();
        assert_eq!(text(&session, &format!("PRAGMA {set}")), told, "{set} = {right}");
    }
}

#[test]
fn query_only_keeps_everything_that_the_file_keeps() {
    let file = File::new();
    let session = file.open();
    fill(&session, 10);
    session.execute("CREATE INDEX by_payload ON t(payload); PRAGMA query_only = 1").unwrap();
    for entry in entries().filter(|entry| entry.scope == Scope::Kept) {
        let failed = error(&session, &format!("PRAGMA {} = 1", entry.name));
        assert_eq!(failed.kind(), ErrorKind::ReadOnly, "{}: {failed}", entry.name);
    }
    for sql in ["VACUUM", "ANALYZE", "DELETE FROM t", "CREATE BRANCH b", "PRAGMA optimize = 65538"]
    {
        assert_eq!(error(&session, sql).kind(), ErrorKind::ReadOnly, "{sql}");
    }
    assert_eq!(error(&session, "ATTACH 'beside.pando' AS b").kind(), ErrorKind::CannotOpen);
    assert!(!file.0.exists(Path::new("beside.pando")).unwrap());
    session.execute("PRAGMA cache_size = 100; PRAGMA busy_timeout = 5").unwrap();
    session.execute("PRAGMA wal_checkpoint(TRUNCATE); ATTACH ':memory:' AS m").unwrap();
    session.execute("PRAGMA query_only = 0; ATTACH 'beside.pando' AS b").unwrap();
}

#[test]
fn a_few_costly_rows_are_stopped_as_many_cheap_ones_are() {
    let session = memory();
    session.execute("PRAGMA statement_timeout = 1").unwrap();
    for rows in
        ["generate_series(1, 1000)", "(SELECT value FROM generate_series(1, 1000) ORDER BY value)"]
    {
        let costly =
            format!("SELECT sum(length(replace(hex(zeroblob(300000)), '00', '111'))) FROM {rows}");
        assert_eq!(error(&session, &costly).kind(), ErrorKind::Limit, "{rows}");
    }
}

#[test]
fn explain_analyze_of_what_has_no_plan_is_an_error() {
    let session = memory();
    fill(&session, 3);
    for sql in ["DROP TABLE t", "CREATE TABLE u(x)", "PRAGMA user_version = 3"] {
        let failed = error(&session, &format!("EXPLAIN ANALYZE {sql}"));
        assert_eq!(failed.kind(), ErrorKind::Unsupported, "{sql}");
        session.execute(&format!("EXPLAIN {sql}; EXPLAIN QUERY PLAN {sql}")).unwrap();
    }
    assert_eq!(text(&session, "SELECT count(*) FROM t"), "3");
}

#[test]
fn the_bytes_of_branches_are_those_of_branches_only() {
    let session = File::new().open();
    fill(&session, 100);
    session.execute("CREATE BRANCH dev; SHOW BRANCHES; PREVIEW DELETE FROM t").unwrap();
    session.execute("PRAGMA wal_checkpoint(FULL)").unwrap();
    let names = "SELECT group_concat(key, ' ' ORDER BY key)
                 FROM pragma_storage_info, json_each(branch_bytes)";
    assert_eq!(text(&session, names), "dev main");
}

#[test]
fn a_database_that_is_only_read_can_be_copied() {
    let file = File::new();
    let session = file.open();
    fill(&session, 100);
    session.execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(session);
    let read = || {
        let mut options = Options { has_checkpoint_thread: false, ..Options::default() };
        options.store.is_read_only = true;
        Session::new(Database::open(&file.0, Path::new("t.pando"), &options).unwrap())
    };
    let session = read();
    file.0.open(Path::new("copy.pando"), OpenMode::Create).unwrap();
    session.execute("VACUUM INTO 'copy.pando'").unwrap();
    assert_eq!(error(&session, "VACUUM INTO 'copy.pando'").kind(), ErrorKind::Invalid);
    session.execute("ATTACH 'copy.pando' AS copy").unwrap();
    assert_eq!(text(&session, "SELECT count(*) FROM copy.t"), "100");
    session
        .execute("BACKUP DATABASE TO 'b.bk'; RESTORE DATABASE FROM 'b.bk' TO 'r.pando'")
        .unwrap();
    session.execute("ATTACH 'r.pando' AS r").unwrap();
    assert_eq!(text(&session, "SELECT count(*) FROM r.t"), "100");
    drop(session);
    // What only the log has would be missing in a copy.
    file.open().execute("DELETE FROM t").unwrap();
    let session = read();
    assert_eq!(text(&session, "SELECT count(*) FROM t"), "0");
    for sql in ["VACUUM INTO 'late.pando'", "BACKUP DATABASE TO 'late.bk'"] {
        assert_eq!(error(&session, sql).kind(), ErrorKind::ReadOnly, "{sql}");
    }
}
