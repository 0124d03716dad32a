//! Which columns hold JSON to a merge: those that are declared so.

use super::{error, rows, session};

fn changed_on_both(declared: &str) -> crate::session::Session {
    let session = session();
    session
        .execute(&format!(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, j {declared});
             INSERT INTO t VALUES (1, '{{\"a\":1}}'); CREATE BRANCH dev;
             UPDATE t SET j = json_set(j, '$.b', 2); USE BRANCH dev;
             UPDATE t SET j = json_set(j, '$.c', 3); USE BRANCH main"
        ))
        .unwrap();
    session
}

#[test]
fn texts_of_columns_declared_json_or_jsonb_merge_by_key_path() {
    for declared in ["JSON", "json", "JSONB"] {
        let session = changed_on_both(declared);
        session.execute("MERGE BRANCH dev INTO main").unwrap();
        assert_eq!(rows(&session, "SELECT j FROM t"), [r#"{"a":1,"b":2,"c":3}"#], "{declared}");
    }
}

/// A text that looks like JSON may be one that must stay as somebody wrote it.
#[test]
fn texts_of_other_columns_are_one_value() {
    for declared in ["TEXT", ""] {
        let session = changed_on_both(declared);
        let refused = error(&session, "MERGE BRANCH dev INTO main");
        assert!(refused.contains("conflict"), "{declared}: {refused}");
    }
}

#[test]
fn binary_json_is_one_value() {
    let session = changed_on_both("JSONB");
    session.execute("UPDATE t SET j = jsonb(j)").unwrap();
    assert!(error(&session, "MERGE BRANCH dev INTO main").contains("conflict"));
}
