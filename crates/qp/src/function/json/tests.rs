//! Known results of JSON functions, as SQLite gives them, and documents of any bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::record::{Value, ValueRef};
use proptest::prelude::*;

use super::known::{DOCUMENTS, PATHS};
use super::{Pace, check as jsonb_check, parse, render};
use crate::function::testing::{
    FixedSession, aggregate, call, call_with_json, check, shown, values, with_context,
};
use crate::function::{Cache, Context, Implementation, Registry};

#[test]
fn known_documents() {
    check(DOCUMENTS);
}

#[test]
fn known_paths_and_changes() {
    check(PATHS);
}

#[test]
fn arguments_that_are_json_are_not_quoted() {
    let array = || values(&["[1]"]);
    let shown_array = |json: &[usize]| shown(call_with_json("json_array", &array(), json));
    assert_eq!(shown_array(&[]), "'[\"[1]\"]'");
    assert_eq!(shown_array(&[0]), "'[[1]]'");
    let set = values(&["{}", "$.a", "[1]"]);
    assert_eq!(shown(call_with_json("json_set", &set, &[2])), "'{\"a\":[1]}'");
    assert_eq!(shown(call_with_json("json_set", &set, &[])), "'{\"a\":\"[1]\"}'");
}

#[test]
fn results_tell_whether_they_are_json() {
    let is_json = |name: &str, args: &[&str]| {
        let args = values(args);
        let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
        let function = Registry::new().find(name, args.len()).unwrap();
        with_context(|context| {
            function.call(context, &args).unwrap();
            assert!(function.traits.may_return_json || !context.json_result, "{name}");
            context.json_result
        })
    };
    assert!(is_json("json", &["[1]"]));
    assert!(is_json("->", &["[1]", "0"]));
    assert!(!is_json("->>", &["[[1]]", "0"]));
    assert!(is_json("json_extract", &["[[1]]", "$[0]"]));
    assert!(!is_json("json_extract", &["[1]", "$[0]"]));
    assert!(is_json("json_extract", &["[1]", "$[0]", "$[1]"]));
    assert!(!is_json("jsonb", &["[1]"]));
    assert!(!is_json("json_pretty", &["[1]"]));
}

#[test]
fn groups_are_documents() {
    let rows = |texts: &[&[&str]]| texts.iter().map(|row| values(row)).collect::<Vec<_>>();
    let cases = [
        ("json_group_array", rows(&[&["1"], &["null"], &["a\"b"]]), "'[1,null,\"a\\\"b\"]'"),
        ("json_group_array", rows(&[]), "'[]'"),
        ("jsonb_group_array", rows(&[&["1"]]), "X'2B1331'"),
        (
            "json_group_object",
            rows(&[&["a", "1"], &["null", "2"], &["b", "1.5"]]),
            "'{\"a\":1,\"b\":1.5}'",
        ),
        ("json_group_array", rows(&[&["x'00ff'"]]), "error: JSON cannot hold BLOB values"),
    ];
    for (name, rows, expected) in cases {
        assert_eq!(shown(aggregate(name, &rows)), expected, "{name}");
    }
}

#[test]
fn trees_have_a_row_for_each_node() {
    let rows = |name: &str, args: &[&str]| {
        let args = values(args);
        let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
        let function = Registry::new().find_table(name).unwrap();
        let Implementation::Table(table) = &function.implementation else { panic!("{name}") };
        with_context(|context| {
            let mut rows = (table.open)(context, &args).unwrap();
            let mut lines = Vec::new();
            while rows.next(context).unwrap() {
                let columns: Vec<String> = [6, 2, 3, 5]
                    .iter()
                    .map(|&column| shown(rows.column(context, column)))
                    .collect();
                lines.push(columns.join(" "));
            }
            lines
        })
    };
    assert_eq!(
        rows("json_tree", &["{\"a\":[1,\"x\"],\"b c\":null}"]),
        [
            "'$' 'object' NULL NULL",
            "'$.a' 'array' NULL 0",
            "'$.a[0]' 'integer' 1 2",
            "'$.a[1]' 'text' 'x' 2",
            "'$.\"b c\"' 'null' NULL 0",
        ]
    );
    assert_eq!(
        rows("json_each", &["{\"a\":[1,\"x\"]}", "$.a"]),
        ["'$.a[0]' 'integer' 1 NULL", "'$.a[1]' 'text' 'x' NULL"]
    );
    assert_eq!(rows("json_each", &["5"]), ["'$' 'integer' 5 NULL"]);
    assert!(rows("json_each", &["[1]", "$.none"]).is_empty());
    assert!(rows("json_each", &["null"]).is_empty());
}

#[test]
fn nesting_ends_at_a_thousand() {
    let nested = |depth: usize| Value::text("[".repeat(depth) + &"]".repeat(depth));
    assert!(call("json", &[nested(1000)]).is_ok());
    assert_eq!(shown(call("json", &[nested(1001)])), "error: malformed JSON");
    let path = Value::text("$".to_owned() + &"[0]".repeat(1200));
    let made = call("json_set", &[Value::text("[]"), path, Value::Integer(1)]);
    assert_eq!(shown(made), "error: JSON path too deep");
}

/// Entries are found by their labels however many there are, in all spellings, and keep their
/// order.
#[test]
fn a_patch_of_many_labels_takes_time_in_proportion_only() {
    let join = |parts: Vec<String>| Value::text(format!("{{{}}}", parts.join(",")));
    let (mut target, mut patch, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for label in 0..60_000 {
        target.push(format!("\"k{label}\":{{\"v\":{label}}}"));
        match label % 4 {
            0 => patch.push(format!("\"k{label}\":null")),
            // The same label with an escape.
            1 => {
                patch.push(format!("\"\\u006b{label}\":{{\"w\":1}}"));
                wanted.push(format!("\"k{label}\":{{\"v\":{label},\"w\":1}}"));
            }
            2 => {
                patch.push(format!("\"k{label}\":2"));
                wanted.push(format!("\"k{label}\":2"));
            }
            _ => wanted.push(format!("\"k{label}\":{{\"v\":{label}}}")),
        }
    }
    for label in 0..60_000 {
        patch.push(format!("\"n{label}\":[{label}]"));
        wanted.push(format!("\"n{label}\":[{label}]"));
    }
    // One that was new is another's replacement, or gone.
    patch.extend(["\"n0\":7".to_owned(), "\"n1\":null".to_owned()]);
    wanted.retain(|entry| entry != "\"n1\":[1]");
    let place = wanted.iter().position(|entry| entry == "\"n0\":[0]").unwrap();
    wanted[place] = "\"n0\":7".to_owned();
    let function = Registry::new().find("json_patch", 2).unwrap();
    let (target, patch) = (join(target), join(patch));
    let session = FixedSession::unbounded();
    let mut cache = Cache::default();
    let mut context = Context::new(&session, &mut cache);
    let made = function.call(&mut context, &[target.as_ref(), patch.as_ref()]).unwrap();
    assert!(made == join(wanted), "an entry is missing or elsewhere");
}

proptest! {
    /// What is rendered parses to the same document again, and is JSONB all over.
    #[test]
    fn documents_survive_a_round_trip(text in r#"(\PC|[\[\]{}:,"'0-9ae.\\ ]){0,40}"#) {
        if let Ok(parsed) = parse::parse(text.as_bytes()) {
            let place = jsonb_check::error_position(&parsed.blob, &mut Pace::free());
            prop_assert!(place.is_ok_and(|place| place.is_none()));
            let mut once = Vec::new();
            render::push_json(&parsed.blob, 0, &mut Pace::free(), &mut once).unwrap();
            let again = parse::parse(&once).unwrap();
            let mut twice = Vec::new();
            render::push_json(&again.blob, 0, &mut Pace::free(), &mut twice).unwrap();
            prop_assert_eq!(once, twice);
        }
    }

    /// Damaged blobs end in errors or in something, never in a panic.
    #[test]
    fn any_bytes_are_safe(
        mut blob in prop::collection::vec(any::<u8>(), 0..40),
        path in r#"\$([.\[][a-c0-2#"\]-]{0,3}){0,3}"#,
    ) {
        if let Some(first) = blob.first_mut() {
            // Often an outer header that fits.
            if *first & 1 == 0 {
                *first = 0xCB + (*first >> 1 & 1);
                let len = blob.len().saturating_sub(2) as u8;
                if let Some(second) = blob.get_mut(1) {
                    *second = len;
                }
            }
        }
        let blob = Value::blob(blob);
        let path = Value::text(path);
        let unary =
            ["json", "jsonb", "json_valid", "json_error_position", "json_pretty", "json_type"];
        for name in unary {
            let _ = call(name, std::slice::from_ref(&blob));
        }
        for name in ["json_extract", "json_remove", "->", "->>", "json_array_length"] {
            let _ = call(name, &[blob.clone(), path.clone()]);
        }
        let _ = call("json_patch", &[blob.clone(), blob.clone()]);
        for name in ["json_set", "json_insert", "json_replace", "json_array_insert"] {
            let _ = call(name, &[blob.clone(), path.clone(), Value::Integer(1)]);
        }
        for name in ["json_each", "json_tree"] {
            let function = Registry::new().find_table(name).unwrap();
            let Implementation::Table(table) = &function.implementation else { panic!("{name}") };
            with_context(|context| {
                let Ok(mut rows) = (table.open)(context, &[blob.as_ref()]) else { return };
                let mut count = 0;
                while let Ok(true) = rows.next(context) {
                    for column in 0..10 {
                        let _ = rows.column(context, column);
                    }
                    count += 1;
                    assert!(count < 100, "rows end");
                }
            });
        }
    }
}
