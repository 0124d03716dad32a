//! Tests of the grammar as a whole.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use super::*;
use crate::ast::{
    BinaryOperator, BranchStatement, Chain, ExpressionKind, InsertSource, Resolve, ResolveChoice,
    TableReferenceKind,
};
use crate::limits;

fn one(sql: &str) -> StatementKind {
    let mut statements = parse_all(sql).unwrap_or_else(|error| panic!("{sql}\n{error:?}"));
    assert_eq!(statements.len(), 1, "{sql}");
    let statement = statements.pop().unwrap();
    // Whatever is read prints as text that reads the same.
    let printed = statement.to_string();
    let again = parse_all(&printed).unwrap_or_else(|error| panic!("{printed}\n{error:?}"));
    assert_eq!(again, std::slice::from_ref(&statement), "{printed}");
    statement.kind
}

fn error(sql: &str) -> Error {
    match parse_all(sql) {
        Ok(statements) => panic!("{sql} was accepted as {statements:?}"),
        Err(error) => error,
    }
}

fn chain(sql: &str) -> Chain {
    match parse_expression(sql).unwrap().kind {
        ExpressionKind::Chain(chain) => *chain,
        other => panic!("{sql} is no chain but {other:?}"),
    }
}

#[test]
fn statements_of_all_kinds_are_read() {
    for sql in [
        "SELECT 1",
        "SELECT a, t.b AS c, t.*, * FROM t AS x LEFT JOIN (u CROSS JOIN v) USING (a), w(1) y \
         WHERE a IN (1, 2) GROUP BY a, b HAVING count(*) > 1 ORDER BY 1 DESC NULLS LAST LIMIT 1, 2",
        "WITH RECURSIVE a(x) AS NOT MATERIALIZED (VALUES (1) UNION ALL SELECT x + 1 FROM a) \
         SELECT x FROM a",
        "SELECT sum(a) FILTER (WHERE b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING \
         AND UNBOUNDED FOLLOWING EXCLUDE TIES), rank() OVER w FROM t WINDOW w AS (ORDER BY a)",
        "SELECT window, over, filter FROM t window WHERE over = filter",
        "INSERT OR IGNORE INTO t AS x (a, b) VALUES (1, 2), (3, 4) ON CONFLICT (a) WHERE b DO \
         UPDATE SET (a, b) = (1, 2), c = excluded.c WHERE d ON CONFLICT DO NOTHING RETURNING *",
        "REPLACE INTO t DEFAULT VALUES",
        "WITH a AS (SELECT 1) UPDATE OR FAIL t SET a = 1 FROM b WHERE t.a = b.a RETURNING a AS x",
        "DELETE FROM t INDEXED BY i WHERE a ORDER BY b LIMIT 1 OFFSET 2",
        "CREATE TEMP TABLE IF NOT EXISTS main.t (a INTEGER PRIMARY KEY AUTOINCREMENT, \
         b VARCHAR(10, -2) NOT NULL ON CONFLICT ABORT DEFAULT -1 COLLATE nocase, c DEFAULT x, \
         d REFERENCES p (a) ON DELETE SET NULL MATCH full NOT DEFERRABLE INITIALLY DEFERRED, \
         e INT GENERATED ALWAYS AS (a + 1) STORED, f AS (b), CHECK (a > 1) CONSTRAINT k \
         UNIQUE (a, b COLLATE nocase DESC) ON CONFLICT IGNORE, FOREIGN KEY (a) REFERENCES q) \
         WITHOUT ROWID, STRICT",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING fts5(a, tokenize = 'porter (x)', b(c, d))",
        "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a, b + 1 DESC) WHERE a IS NOT NULL",
        "CREATE VIEW v (a, b) AS SELECT 1, 2",
        "CREATE TRIGGER x INSTEAD OF UPDATE OF a, b ON v FOR EACH ROW WHEN new.a > old.a BEGIN \
         SELECT RAISE(ABORT, 'no'); UPDATE t SET a = 1; DELETE FROM t; END",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ADD COLUMN a TEXT DEFAULT 'x'",
        "ALTER TABLE t DROP a",
        "DROP TABLE IF EXISTS main.t",
        "PRAGMA main.table_info(t)",
        "PRAGMA isolation_level = READ COMMITTED",
        "PRAGMA cache_size = -2000",
        "BEGIN IMMEDIATE TRANSACTION",
        "BEGIN CONCURRENT",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "COMMIT WITH MESSAGE 'why' AUTHOR 'who'",
        "END TRANSACTION",
        "ROLLBACK TO SAVEPOINT a",
        "SAVEPOINT a",
        "RELEASE a",
        "ATTACH DATABASE 'f' AS g",
        "DETACH g",
        "VACUUM main INTO 'f'",
        "ANALYZE",
        "REINDEX main.t",
        "EXPLAIN QUERY PLAN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN ANALYZE t",
    ] {
        one(sql);
    }
}

#[test]
fn branch_statements_are_read() {
    for sql in [
        "CREATE DATABASE BRANCH dev FROM main AS OF NOW",
        "CREATE BRANCH feature FROM dev AS OF TIMESTAMP '2025-11-15 06:00:00'",
        "CREATE BRANCH s FROM main AS OF NOW WITH (replication_factor = 3, region = 'us-west')",
        "create branch if not exists \"feature/x-1\" as of transaction 7 with (ttl = -1, on_ = ON)",
        "CREATE BRANCH b AS OF SCN 3",
        "CREATE BRANCH b AS OF TAG 't'",
        "ALTER BRANCH b SET (read_only = true, strategy = cow)",
        "DROP DATABASE BRANCH IF EXISTS dev",
        "MERGE BRANCH dev INTO main WITH (conflict_resolution='target_wins', dry_run=true)",
        "USE BRANCH dev",
        "SHOW BRANCHES",
        "SHOW DIFF BETWEEN a AND b FOR TABLE t",
        "SHOW COMMITS ON b",
        "SHOW CONFLICTS",
        "TAG BRANCH b AS t",
        "DROP TAG t",
        "RENAME BRANCH a TO b",
        "RESET BRANCH b TO TIMESTAMP '2025-01-01'",
        "GRANT READ, WRITE ON BRANCH b TO u",
        "REVOKE ALL ON BRANCH b FROM u",
        "BACKUP DATABASE TO 'f'",
        "BACKUP INCREMENTAL TO 'f'",
        "RESTORE DATABASE FROM 'f'",
        "UNDO TRANSACTION 3",
        "REVERT TRANSACTION 3",
        "CHERRY-PICK TRANSACTION 3 INTO b",
        "CHERRY PICK 3",
        "RESOLVE CONFLICT 1 WITH (a = 1, b = 'x')",
        "RESOLVE CONFLICT 1 WITH DEFINITION 'price TEXT DEFAULT ''none'''",
        "RESOLVE CONFLICTS IN TABLE t COLUMN c WITH THEIRS",
        "CONTINUE MERGE",
        "ABORT MERGE",
        "PREVIEW DELETE FROM t",
        "PREVIEW BEGIN DELETE FROM t; UPDATE t SET a = 1; END",
        "PREVIEW MERGE BRANCH a INTO b",
        "APPLY",
        "INSERT INTO t@dev(a, b) SELECT * FROM t@\"feature/x\" AS OF TAG 'v1' AS x",
        "SELECT * FROM main.t@dev d JOIN t AS OF TRANSACTION 4 ON 1",
        "UPDATE t@dev SET a = 1",
        "DELETE FROM t@dev WHERE a",
        "SUMMARIZE t",
    ] {
        one(sql);
    }
    // None of the words is reserved.
    one("SELECT branch, tag, merge, show FROM preview AS of");
    one("CREATE TABLE branch (merge, use, backup, timestamp)");
}

#[test]
fn a_definition_is_a_string_or_stands_there_as_it_is() {
    for (definition, text) in [
        ("'it''s'", "it's"),
        ("title", "title"),
        ("price REAL NOT NULL DEFAULT (1 + 2)", "price REAL NOT NULL DEFAULT (1 + 2)"),
        ("CONSTRAINT c CHECK (a > 1)", "CONSTRAINT c CHECK (a > 1)"),
        ("FOREIGN KEY (a) REFERENCES b", "FOREIGN KEY (a) REFERENCES b"),
        ("STRICT", "STRICT"),
        ("CREATE VIEW v AS SELECT 'x'", "CREATE VIEW v AS SELECT 'x'"),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END",
        ),
    ] {
        let sql = format!("RESOLVE CONFLICT 1 WITH DEFINITION {definition} ; SELECT 1");
        let (statement, _) = parse_statement(&sql).unwrap();
        let StatementKind::Branch(branch) = statement.unwrap().kind else { panic!() };
        let BranchStatement::Resolve(Resolve { choice: ResolveChoice::Definition(given), .. }) =
            *branch
        else {
            panic!("{sql}")
        };
        assert_eq!(&*given.text, text);
    }
}

#[test]
fn a_branch_behind_a_table_is_a_name_and_not_a_parameter() {
    let StatementKind::Insert(insert) = one("INSERT INTO t@dev(a) VALUES (1)") else { panic!() };
    assert_eq!(insert.table.branch.unwrap().as_str(), "dev");
    assert_eq!(insert.columns.len(), 1);
    assert!(matches!(insert.source, InsertSource::Select(_)));
}

#[test]
fn operators_of_one_level_are_one_node() {
    let sum = chain("a + b - c * 2 + d");
    assert_eq!(sum.rest.len(), 3);
    assert_eq!(sum.rest[1].0, BinaryOperator::Subtract);
    let long = vec!["a"; 10_000].join(" AND ");
    assert_eq!(chain(&long).rest.len(), 9_999);
}

#[test]
fn names_that_look_like_keywords_are_names() {
    one("SELECT key, left(a, 1), replace(a, b, c), like('a', b), 'x'.y, glob FROM t AS cross");
    one("CREATE TABLE t(key, desc, action TEXT, row INT, over, window, filter)");
    assert!(matches!(one("SELECT a end FROM t"), StatementKind::Select(_)));
    let StatementKind::Select(select) = one("SELECT 1 FROM t AS of") else { panic!() };
    let crate::ast::SelectCore::Query(query) = select.first else { panic!() };
    let first = query.from.unwrap().first;
    assert_eq!(first.alias.unwrap().as_str(), "of");
    assert!(matches!(first.kind, TableReferenceKind::Table(_)));
}

#[test]
fn errors_name_the_token_and_help() {
    let found = error("SELECT * FORM t");
    assert_eq!(found.message(), "near \"FORM\": syntax error");
    assert!(found.hint().unwrap().contains("did you mean FROM"), "{found:?}");
    let found = error("SELECT * FROM t WEHRE a = 1");
    assert!(found.hint().unwrap().contains("did you mean WHERE"), "{found:?}");
    let found = error("CREATE BRANCH 12");
    let told = "expected the name of a branch; one that begins with a digit needs quotes";
    assert_eq!(found.hint(), Some(told));
    assert_eq!(error("SELECT").kind(), ErrorKind::Incomplete);
    assert_eq!(error("SELECT 'a").message(), "unrecognized token: \"'a\"");
    assert!(error("SELCT 1").hint().unwrap().contains("SELECT"));
    assert!(error("CREATE TABLE order (a)").hint().unwrap().contains("needs quotes"));
}

#[test]
fn broken_text_ends_in_an_error() {
    for sql in [
        "SELECT IN(c",
        "SELECT MAX(0;",
        "WITH ctLECT (SELECT..",
        "SELECT*FROM(VALUES(0)((),",
        "SELECT 1 +",
        "SELECT a NOT b",
        "INSERT INTO t VALUES",
        "SELECT * FROM t LEFT INNER JOIN u",
        "VALUES (1) ORDER BY 1",
        "SELECT 1 LIMIT 1 UNION SELECT 2",
        "SELECT ()",
        "SELECT 1_",
        "SELECT 12a",
        "SELECT 0x12345678901234567",
        "SELECT ?0",
    ] {
        error(sql);
    }
}

#[test]
fn statements_are_read_one_by_one() {
    let sql = " ; SELECT 1 ; -- a\nSELECT ?; ;";
    let (first, rest) = parse_statement(sql).unwrap();
    assert_eq!(first.unwrap().span.of(sql), "SELECT 1");
    assert_eq!(&sql[rest..], " -- a\nSELECT ?; ;");
    assert_eq!(parse_statement(" ;-- x").unwrap(), (None, 6));
}

/// In a thread with two mebibytes, whatever nests.
#[test]
fn nesting_ends_in_an_error_and_not_in_the_stack() {
    let nests = [
        ("(", "1", ")"),
        ("- ", "1", ""),
        ("NOT ", "1", ""),
        ("1 OR 1 AND 1 = 1 < 1 & 1 + 1 * 1 || (", "1", ")"),
        ("(SELECT ", "1", ")"),
        ("EXISTS (SELECT ", "1", ")"),
        ("CASE WHEN 1 THEN ", "1", " END"),
        ("CASE ", "1", " WHEN 1 THEN 1 END"),
        ("f(", "1", ")"),
        ("CAST(", "1", " AS a)"),
        ("a BETWEEN ", "1", " AND 1"),
        ("a IN (", "1", ")"),
        ("(1, ", "1", ")"),
        ("a LIKE b ESCAPE ", "1", ""),
        ("sum(a) OVER (ORDER BY ", "1", ")"),
        ("(SELECT 1 FROM (SELECT ", "1", "))"),
        ("(WITH a AS (SELECT ", "1", ") SELECT 1)"),
    ];
    let work = move || {
        for (open, middle, close) in nests {
            for depth in [10, 60, 100_000] {
                let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
                let result = parse_expression(&text);
                assert_eq!(result.is_ok(), depth < 100, "{depth} times {open}: {result:?}");
            }
        }
        for link in
            [" ISNULL", " COLLATE a", " LIKE b", " IN ()", " + 1 * 1", " IS NULL", " OR 1 * 1"]
        {
            let text = format!("a{}", link.repeat(100_000));
            let flat = link.contains("OR");
            assert_eq!(parse_expression(&text).is_ok(), flat, "{link}");
        }
        for (open, close) in [("(", ")"), ("(a JOIN ", ")")] {
            let text = format!("SELECT * FROM {}t{}", open.repeat(9_999), close.repeat(9_999));
            assert_eq!(error(&text).kind(), ErrorKind::Invalid);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

/// They are read in a loop, and leave nothing: SQLite holds 2,493 of them.
#[test]
fn parentheses_alone_are_no_height() {
    let work = move || {
        for middle in
            ["1", "1 + 1", "a, b", "SELECT (1)", "1) + (2", "a, b) = (c, d", "-1", "f((1))"]
        {
            let nested = |depth: usize| {
                let open = "(".repeat(depth);
                parse_expression(&format!("{open}{middle}{}", ")".repeat(depth)))
            };
            let once = nested(1).unwrap().to_string();
            for depth in [2, 3, 100, 1000, limits::PARENTHESES_MAX] {
                assert_eq!(nested(depth).unwrap().to_string(), once, "{depth} around {middle}");
            }
            // The parenthesis of a query is its own, and not one of those around it.
            let most = limits::PARENTHESES_MAX + usize::from(middle.starts_with("SELECT"));
            for depth in [most + 1, 5_000, 100_000] {
                let refused = nested(depth).unwrap_err();
                assert_eq!(refused.message(), "Recursion limit", "{depth} around {middle}");
            }
        }
        // Behind each of them goes on what stands in the one around.
        let steps = |depth: usize| format!("{}1{}", "(".repeat(depth), " + 1)".repeat(depth));
        assert!(parse_expression(&steps(999)).is_ok());
        assert!(parse_expression(&steps(1000)).is_err());
        let rows = parse_expression("(((1 + 2) * 3, 4) = (5, 6)) AND 7").unwrap();
        assert_eq!(rows.to_string(), "((1 + 2) * 3, 4) = (5, 6) AND 7");
        for broken in ["((1)", "((1) 2)", "((1), )", "(())", "((1)))", "(((a, b), c)"] {
            assert!(parse_expression(broken).is_err(), "{broken}");
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

/// Random words and marks: whatever comes, the parser ends, its places lie in the text, and
/// what it accepts as a query prints as text that reads the same.
#[test]
fn any_words_in_any_order_end_well() {
    const MARKS: &[&str] = &[
        "(", "(", ")", ")", ",", ";", ".", "*", "+", "-", "=", "<", "'a'", "\"b\"", "[c]", "1",
        "2.5", "x'00'", "?", ":n", "@v", "t@b", "a", "b", "é", "'open", "/*", "\u{0}", "0x", "1e",
    ];
    let mut state = 1_u64;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (state >> 33) as usize % bound
    };
    let mut accepted = 0;
    for _ in 0..30_000 {
        let mut text =
            ["SELECT a ", "CREATE TABLE t(a ", "INSERT INTO t ", ""][random(4)].to_owned();
        for _ in 0..random(8) {
            if random(2) == 0 {
                text.push_str(token::KEYWORDS[random(token::KEYWORDS.len())].0);
            } else {
                text.push_str(MARKS[random(MARKS.len())]);
            }
            text.push(' ');
        }
        is_complete(&text);
        match parse_statement(&text) {
            Ok((Some(statement), rest)) => {
                assert!(text.is_char_boundary(rest) && rest <= text.len());
                assert!(!statement.span.of(&text).is_empty(), "{text}");
                let printed = statement.to_string();
                assert_eq!(parse_all(&printed).unwrap(), [statement], "{text}");
                accepted += 1;
            }
            Ok((None, _)) => {}
            Err(error) => {
                let span = error.span().unwrap();
                assert!(text.get(span.range()).is_some(), "{text} {error:?}");
            }
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn parameters_are_numbered_as_in_sqlite() {
    let statement = one("SELECT ?, ?3, :a, ?, :a, $b, ?2");
    let StatementKind::Select(select) = statement else { panic!() };
    let crate::ast::SelectCore::Query(query) = select.first else { panic!() };
    let numbers: Vec<u32> = query
        .columns
        .iter()
        .map(|column| match column {
            crate::ast::ResultColumn::Expression(expression, _) => match &expression.kind {
                ExpressionKind::Parameter(parameter) => parameter.index,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [1, 3, 4, 5, 4, 6, 2]);
    assert_eq!(error("SELECT ?32767").kind(), ErrorKind::Invalid);
}
