//! Known results of functions on any values, on text and on numbers, as SQLite gives them.
//!
//! Neighbours: `testing` has the notation of arguments; `date_time::tests`, `json::tests`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::borrow::Cow;

use pandodb_ds::record::{Value, ValueRef};
use proptest::prelude::*;

use super::testing::{FixedSession, call, check, shown, values, with_context};
use super::{Cache, Context, FunctionKind, Implementation, Registry};
use crate::error::ErrorKind;

const CORE: &[(&str, &[&str], &str)] = &[
    ("abs", &["-5"], "5"),
    ("abs", &["-9223372036854775808"], "error: integer overflow"),
    ("abs", &["-1.5"], "1.5"),
    ("abs", &["null"], "NULL"),
    ("abs", &["abc"], "0.0"),
    ("abs", &["'-7'"], "7.0"),
    ("abs", &["x'2d33'"], "3.0"),
    ("sign", &["-3"], "-1"),
    ("sign", &["0.0"], "0"),
    ("sign", &["null"], "NULL"),
    ("sign", &["abc"], "NULL"),
    ("sign", &["'2.5'"], "1"),
    ("round", &["2.5"], "3.0"),
    ("round", &["-2.5"], "-3.0"),
    ("round", &["2.345", "2"], "2.35"),
    ("round", &["1234.5", "-2"], "1235.0"),
    ("round", &["1.0e300", "2"], "1.0e+300"),
    ("round", &["0.5"], "1.0"),
    ("round", &["9.995", "2"], "9.99"),
    ("round", &["null", "1"], "NULL"),
    ("round", &["'1.26'", "1"], "1.3"),
    ("round", &["5"], "5.0"),
    ("nullif", &["1", "1.0"], "NULL"),
    ("nullif", &["1", "'1'"], "1"),
    ("nullif", &["a", "b"], "'a'"),
    ("min", &["1", "null"], "NULL"),
    ("min", &["a", "2", "x'00'"], "2"),
    ("max", &["a", "2", "x'00'"], "X'00'"),
    ("min", &["1.0", "1"], "1"),
    ("max", &["1.0", "1"], "1.0"),
    ("typeof", &["1"], "'integer'"),
    ("typeof", &["1.0"], "'real'"),
    ("typeof", &["a"], "'text'"),
    ("typeof", &["x'00'"], "'blob'"),
    ("typeof", &["null"], "'null'"),
    ("coalesce", &["null", "null", "3"], "3"),
    ("ifnull", &["null", "2"], "2"),
    ("iif", &["0", "1", "2"], "2"),
    ("iif", &["1", "2"], "2"),
    ("iif", &["0", "1"], "NULL"),
    ("if", &["0", "1", "1", "2", "3"], "2"),
    ("zeroblob", &["3"], "X'000000'"),
    ("zeroblob", &["-1"], "X''"),
    ("quote", &["1.5"], "'1.5'"),
    ("quote", &["x'0a'"], "'X''0A'''"),
    ("quote", &["it's"], "'''it''''s'''"),
    ("quote", &["1.0e999"], "'9.0e+999'"),
    ("unistr_quote", &["a\nb"], "'unistr(''a\\u000ab'')'"),
];

const TEXT: &[(&str, &[&str], &str)] = &[
    ("length", &["abc"], "3"),
    ("length", &["é€"], "2"),
    ("length", &["x'610062'"], "3"),
    ("length", &["null"], "NULL"),
    ("length", &["12.5"], "4"),
    ("octet_length", &["é€"], "5"),
    ("substr", &["hello", "2"], "'ello'"),
    ("substr", &["hello", "2", "3"], "'ell'"),
    ("substr", &["hello", "-3", "2"], "'ll'"),
    ("substr", &["hello", "0", "3"], "'he'"),
    ("substr", &["hello", "3", "-2"], "'he'"),
    ("substr", &["hello", "-10", "7"], "'he'"),
    ("substr", &["héllo", "2", "1"], "'é'"),
    ("substr", &["x'01020304'", "2", "2"], "X'0203'"),
    ("substr", &["hello", "null"], "NULL"),
    ("substr", &["hello", "9223372036854775807", "9223372036854775807"], "''"),
    ("substr", &["hello", "-9223372036854775808", "9223372036854775807"], "'hell'"),
    ("substr", &["hello", "2", "-9223372036854775808"], "'h'"),
    ("substr", &["x''", "1"], "NULL"),
    ("instr", &["hello", "l"], "3"),
    ("instr", &["héllo", "l"], "3"),
    ("instr", &["hello", ""], "1"),
    ("instr", &["hello", "z"], "0"),
    ("instr", &["x'0102'", "x'02'"], "2"),
    ("instr", &["null", "a"], "NULL"),
    ("replace", &["aXbX", "X", "--"], "'a--b--'"),
    ("replace", &["aaa", "aa", "b"], "'ba'"),
    ("replace", &["abc", "", "z"], "'abc'"),
    ("replace", &["abc", "b", "null"], "NULL"),
    ("replace", &["a1a", "1", "2"], "'a2a'"),
    ("trim", &["  a b "], "'a b'"),
    ("trim", &["xxaxyx", "xy"], "'a'"),
    ("ltrim", &["xxaxx", "x"], "'axx'"),
    ("rtrim", &["xxaxx", "x"], "'xxa'"),
    ("trim", &["€a€", "€"], "'a'"),
    ("trim", &["abc", "null"], "NULL"),
    ("upper", &["aéz"], "'AéZ'"),
    ("lower", &["AÉZ"], "'aÉz'"),
    ("hex", &["aé"], "'61C3A9'"),
    ("hex", &["x'00ff'"], "'00FF'"),
    ("hex", &["null"], "''"),
    ("hex", &["12"], "'3132'"),
    ("unhex", &["61 62", " "], "X'6162'"),
    ("unhex", &["6162"], "X'6162'"),
    ("unhex", &["616"], "NULL"),
    ("unhex", &["zz"], "NULL"),
    ("unhex", &["6 1", " "], "NULL"),
    ("char", &["65", "8364", "128512", "-1", "1114112"], "'A€😀��'"),
    ("unicode", &["€"], "8364"),
    ("unicode", &[""], "NULL"),
    ("concat", &["a", "null", "1.0"], "'a1.0'"),
    ("concat_ws", &[",", "a", "null", "b"], "'a,b'"),
    ("concat_ws", &["null", "a"], "NULL"),
    ("soundex", &["Robert"], "'R163'"),
    ("soundex", &["Tymczak"], "'T522'"),
    ("soundex", &["Pfister"], "'P236'"),
    ("soundex", &[""], "'?000'"),
    ("soundex", &["123"], "'?000'"),
    ("unistr", &["a\\0041\\u20ac\\+01F600\\\\"], "'aA€😀\\'"),
    ("unistr", &["\\zz"], "error: invalid Unicode escape"),
    ("like", &["a%", "ABC"], "1"),
    ("like", &["a_c", "abc"], "1"),
    ("like", &["a\\%", "a%", "\\"], "1"),
    ("like", &["a\\%", "ab", "\\"], "0"),
    ("like", &["%", ""], "1"),
    ("like", &["É", "é"], "0"),
    ("like", &["a", "b", "xx"], "error: ESCAPE expression must be a single character"),
    ("like", &["%a%b%", "xxaxxb"], "1"),
    ("like", &["null", "a"], "NULL"),
    ("like", &["10", "10"], "1"),
    ("glob", &["a*", "abc"], "1"),
    ("glob", &["A*", "abc"], "0"),
    ("glob", &["[a-c]?", "bz"], "1"),
    ("glob", &["[^a-c]?", "bz"], "0"),
    ("glob", &["[]x]", "x"], "1"),
    ("glob", &["a[", "a["], "0"),
    ("glob", &["*[0-9]*", "ab3c"], "1"),
    ("glob", &["[a-]", "-"], "1"),
];

const PRINT: &[(&str, &[&str], &str)] = &[
    ("printf", &["%d", "-5"], "'-5'"),
    ("printf", &["%5d|", "42"], "'   42|'"),
    ("printf", &["%-5d|", "42"], "'42   |'"),
    ("printf", &["%05d", "-42"], "'-0042'"),
    ("printf", &["%+d", "5"], "'+5'"),
    ("printf", &["% d", "5"], "' 5'"),
    ("printf", &["%,d", "1234567"], "'1,234,567'"),
    ("printf", &["%x", "-1"], "'ffffffffffffffff'"),
    ("printf", &["%#X", "255"], "'0XFF'"),
    ("printf", &["%o", "8"], "'10'"),
    ("printf", &["%u", "-1"], "'18446744073709551615'"),
    ("printf", &["%f", "1.5"], "'1.500000'"),
    ("printf", &["%.2f", "2.675"], "'2.67'"),
    ("printf", &["%10.3f|", "3.14159"], "'     3.142|'"),
    ("printf", &["%-10.1f|", "2.25"], "'2.3       |'"),
    ("printf", &["%010.2f", "-3.14159"], "'-000003.14'"),
    ("printf", &["%e", "12345.678"], "'1.234568e+04'"),
    ("printf", &["%.3E", "0.00012"], "'1.200E-04'"),
    ("printf", &["%g", "100000.0"], "'100000'"),
    ("printf", &["%g", "1000000.0"], "'1e+06'"),
    ("printf", &["%g", "0.0001"], "'0.0001'"),
    ("printf", &["%#g", "1.0"], "'1.00000'"),
    ("printf", &["%!.20g", "0.1"], "'0.1000000000000000056'"),
    ("printf", &["%!f", "1.0"], "'1.0'"),
    ("printf", &["%,f", "1234567.891"], "'1,234,567.891000'"),
    ("printf", &["%s|%10s|%-10s|", "a", "b", "c"], "'a|         b|c         |'"),
    ("printf", &["%.2s", "€uro"], "'\u{fffd}'"),
    ("printf", &["%!.2s", "€uro"], "'€u'"),
    ("printf", &["%c", "abc"], "'a'"),
    ("printf", &["%.3c", "x"], "'xxx'"),
    ("printf", &["%q", "it's"], "'it''''s'"),
    ("printf", &["%Q", "it's"], "'''it''''s'''"),
    ("printf", &["%Q", "null"], "'NULL'"),
    ("printf", &["%w", "a\"b"], "'a\"\"b'"),
    ("printf", &["%j", "a\"b\n"], "'a\\\"b\\n'"),
    ("printf", &["%J", "a\"b"], "'\"a\\\"b\"'"),
    ("printf", &["%%"], "'%'"),
    ("printf", &["%z", "a"], "'a'"),
    ("printf", &["%r", "1"], "'1st'"),
    ("printf", &["%r", "12"], "'12th'"),
    ("printf", &["%r", "23"], "'23rd'"),
    ("printf", &["%y", "1"], "''"),
    ("printf", &["%"], "'%'"),
    ("printf", &["%5", "1"], "''"),
    ("printf", &["%*d", "7", "3"], "'      3'"),
    ("printf", &["%-*d|", "5", "3"], "'3    |'"),
    ("printf", &["%.*f", "2", "1.239"], "'1.24'"),
    ("printf", &["%lld", "5"], "'5'"),
    ("printf", &["%d"], "'0'"),
    ("printf", &["%s"], "''"),
    ("printf", &["%f", "1.0e999"], "'Inf'"),
    ("printf", &["%d", "12abc"], "'12'"),
    ("printf", &["%#Q", "a\tb"], "'unistr(''a\\u0009b'')'"),
    ("printf", &["%,.2f", "-9876543.215"], "'-9,876,543.21'"),
    ("printf", &["%.0f", "0.5"], "'1'"),
    ("printf", &["%.0f", "1.5"], "'2'"),
    ("printf", &["%#.2f", "-0.001"], "'0.00'"),
    ("printf", &["%.15g", "0.3"], "'0.3'"),
    ("printf", &["%.17g", "0.1"], "'0.1'"),
    ("format", &[], "NULL"),
    ("printf", &["null", "1"], "NULL"),
];

const MATH: &[(&str, &[&str], &str)] = &[
    ("sqrt", &["-1"], "NULL"),
    ("sqrt", &["4"], "2.0"),
    ("ceil", &["1.2"], "2.0"),
    ("ceil", &["5"], "5"),
    ("floor", &["-1.2"], "-2.0"),
    ("trunc", &["-1.7"], "-1.0"),
    ("ceil", &["abc"], "NULL"),
    ("ceil", &["'1.2'"], "2.0"),
    ("ln", &["0"], "NULL"),
    ("log", &["100"], "2.0"),
    ("log", &["2", "8"], "3.0"),
    ("log", &["1", "8"], "NULL"),
    ("log", &["0.5", "8"], "NULL"),
    ("log2", &["8"], "3.0"),
    ("log10", &["1000"], "3.0"),
    ("pow", &["2", "10"], "1024.0"),
    ("power", &["2", "0.5"], "1.4142135623730952"),
    ("mod", &["7", "3"], "1.0"),
    ("mod", &["7", "0"], "NULL"),
    ("mod", &["-7.5", "2"], "-1.5"),
    ("pi", &[], "3.1415926535897931"),
    ("atan2", &["1", "1"], "0.78539816339744828"),
    ("exp", &["0"], "1.0"),
    ("degrees", &["0"], "0.0"),
    ("radians", &["180"], "3.1415926535897931"),
    ("acos", &["2"], "NULL"),
    ("sin", &["null"], "NULL"),
    ("sin", &["x'31'"], "NULL"),
];

#[test]
fn functions_of_any_values() {
    check(CORE);
}

#[test]
fn functions_of_text() {
    check(TEXT);
}

#[test]
fn formats() {
    check(PRINT);
}

#[test]
fn functions_of_numbers() {
    check(MATH);
}

#[test]
fn counters_come_from_the_session() {
    check(&[
        ("last_insert_rowid", &[], "11"),
        ("changes", &[], "12"),
        ("total_changes", &[], "13"),
    ]);
}

#[test]
fn random_blobs_have_the_length_asked_for() {
    for len in [1, 7, 8, 9, 100] {
        let Value::Blob(bytes) = call("randomblob", &[Value::Integer(len)]).unwrap() else {
            panic!("no blob");
        };
        assert_eq!(bytes.len() as i64, len);
    }
}

/// Functions that are done with a gigabyte in less than a second: they take a bounded time, or look
/// at each byte once in a loop that is as fast as copying is.
const FAST: &str = "abs acos acosh asin asinh atan atan2 atanh ceil ceiling changes char \
    coalesce concat concat_ws cos cosh current_date current_time current_timestamp date datetime \
    degrees exp floor if ifnull iif instr julianday last_insert_rowid length likelihood likely ln \
    log log10 log2 lower match max min mod nullif octet_length pando_version pi pow power radians \
    random round sign sin sinh soundex sqlite_compileoption_get sqlite_compileoption_used \
    sqlite_source_id sqlite_version sqrt substr substring subtype tan tanh time timediff \
    total_changes trunc typeof unicode unixepoch unlikely upper zeroblob";

/// Calls that take long, by name and arguments.
fn long_calls() -> Vec<(Cow<'static, str>, Vec<Value>)> {
    let long = |byte: &str| Value::text(byte.repeat(4_000_000));
    let text = |text: &str| Value::text(text);
    let calls: Vec<(&'static str, Vec<Value>)> = vec![
        ("like", vec![text("%aaaaaaaab%"), long("a")]),
        ("glob", vec![text("*aaaaaaaab*"), long("a")]),
        ("trim", vec![long("a"), text("xya")]),
        ("ltrim", vec![long("a"), text("xya")]),
        ("rtrim", vec![long("a"), text("xya")]),
        ("trim", vec![text("a"), long("b")]),
        ("replace", vec![long("a"), text("a"), text("b")]),
        ("hex", vec![long("a")]),
        ("unhex", vec![long("a")]),
        ("unhex", vec![long("-"), text("+-")]),
        ("unistr", vec![long("\\\\")]),
        ("unistr_quote", vec![long("\u{1}")]),
        ("quote", vec![long("'")]),
        ("quote", vec![Value::Blob(vec![0; 4_000_000].into())]),
        ("randomblob", vec![Value::Integer(4_000_000)]),
        ("strftime", vec![text(&"%Y".repeat(200_000)), text("now")]),
    ];
    let named = calls.into_iter().map(|(name, args)| (name.into(), args));
    let mut calls: Vec<(Cow<'static, str>, Vec<Value>)> = named.collect();
    for format in ["%q", "%Q", "%#Q", "%w", "%j", "%J", "%!.4000000s"] {
        calls.push(("printf".into(), vec![text(format), long("\u{1}")]));
    }
    for format in ["%4000000d", "%,04000000d", "%.4000000f", "%.4000000c"] {
        calls.push(("format".into(), vec![text(format), Value::Integer(1)]));
    }
    calls.push(("printf".into(), vec![text(&"%d".repeat(200_000))]));
    calls.extend(long_json_calls());
    calls
}

/// The same of JSON functions.
fn long_json_calls() -> Vec<(Cow<'static, str>, Vec<Value>)> {
    let long = |byte: &str| Value::text(byte.repeat(4_000_000));
    let text = |text: &str| Value::text(text);
    let elements = format!("[{}1]", "1,".repeat(400_000));
    let array = call("jsonb", &[text(&elements)]).unwrap();
    let labels = (0..60_000).map(|label| format!("a{label}:1")).collect::<Vec<_>>().join(",");
    let object = call("jsonb", &[text(&format!("{{{labels}}}"))]).unwrap();
    let edits = |value: bool| {
        let mut all = vec![array.clone()];
        for _ in 0..40 {
            all.push(text("$[0]"));
            all.extend(value.then_some(Value::Integer(1)));
        }
        all
    };
    let calls: Vec<(&'static str, Vec<Value>)> = vec![
        ("json_valid", vec![text(&elements)]),
        ("json_valid", vec![array.clone(), Value::Integer(8)]),
        ("json_error_position", vec![text(&format!("{{{}\"a\":1}}", "a:1,".repeat(200_000)))]),
        ("json_error_position", vec![array.clone()]),
        ("json_array_length", vec![array.clone()]),
        ("json_type", vec![array.clone(), text("$[399999]")]),
        ("json_pretty", vec![array.clone()]),
        ("json_pretty", vec![text("[[[1, 2, 3]]]"), long(" ")]),
        ("json_quote", vec![long("a")]),
        ("->", vec![array.clone(), Value::Integer(399_999)]),
        ("->", vec![array.clone(), text("$")]),
        ("->>", vec![array.clone(), Value::Integer(399_999)]),
    ];
    let named = calls.into_iter().map(|(name, args)| (name.into(), args));
    let mut calls: Vec<(Cow<'static, str>, Vec<Value>)> = named.collect();
    for (as_text, as_blob) in [("json", "jsonb"), ("json_remove", "jsonb_remove")] {
        calls.push((as_text.into(), vec![text(&elements)]));
        calls.push((as_text.into(), vec![array.clone()]));
        calls.push((as_blob.into(), vec![text(&elements)]));
    }
    for (name, args) in [
        ("remove", edits(false)),
        ("set", edits(true)),
        ("replace", edits(true)),
        ("insert", edits(true)),
        ("array_insert", edits(true)),
        ("extract", vec![array.clone(), text("$[399999]")]),
        ("extract", vec![array.clone(), text("$[399999]"), text("$[399998]")]),
        ("patch", vec![object.clone(), object]),
        ("array", vec![long("a")]),
        ("object", vec![text("a"), long("a")]),
    ] {
        for form in ["json_", "jsonb_"] {
            calls.push((format!("{form}{name}").into(), args.clone()));
        }
    }
    calls
}

/// Calls that take long ask whether they are to end, and short ones do not.
#[test]
fn long_calls_are_ended() {
    let calls = long_calls();
    for (place, (name, args)) in calls.iter().enumerate() {
        let function = Registry::new().find(name, args.len()).unwrap();
        let values: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
        let session = FixedSession::ended();
        let mut cache = Cache::default();
        let mut context = Context::new(&session, &mut cache);
        let kind = function.call(&mut context, &values).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Interrupted), "{name}, call {place}");
        let short: Vec<Value> = args
            .iter()
            .map(|arg| match arg {
                Value::Text(text) => Value::text(&text[..text.len().min(1)]),
                _ => Value::Integer(8),
            })
            .collect();
        let values: Vec<ValueRef<'_>> = short.iter().map(Value::as_ref).collect();
        let kind = function.call(&mut context, &values).map_err(|error| error.kind());
        assert_ne!(kind, Err(ErrorKind::Interrupted), "{name}");
    }
    // Whoever adds a function says which it is. What a regular expression does nobody can end.
    for function in Registry::new().functions() {
        let name: &str = &function.name;
        let is_known = calls.iter().any(|(known, _)| known == name)
            || FAST.split_whitespace().any(|known| known == name)
            || name == "regexp"
            || function.kind() != FunctionKind::Scalar;
        assert!(is_known, "{name} neither asks whether it is to end nor is it fast");
    }
}

/// What an aggregate writes of one value, and what a table-valued function reads.
#[test]
fn long_steps_of_aggregates_and_tables_are_ended() {
    let long = Value::text("a".repeat(4_000_000));
    let elements = Value::text(format!("[{}1]", "1,".repeat(400_000)));
    let session = FixedSession::ended();
    for name in ["json_group_array", "jsonb_group_array", "json_group_object"] {
        let args = if name == "json_group_object" { vec![&long, &long] } else { vec![&long] };
        let args: Vec<ValueRef<'_>> = args.into_iter().map(Value::as_ref).collect();
        let mut cache = Cache::default();
        let mut context = Context::new(&session, &mut cache);
        let mut state = super::testing::accumulator(name, args.len(), false);
        let kind = state.step(&mut context, &args).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Interrupted), "{name}");
    }
    for name in ["json_each", "json_tree", "jsonb_each", "jsonb_tree"] {
        let mut cache = Cache::default();
        let mut context = Context::new(&session, &mut cache);
        let function = Registry::new().find_table(name).unwrap();
        let Implementation::Table(table) = &function.implementation else { panic!("{name}") };
        let kind = (table.open)(&mut context, &[elements.as_ref()]).map_err(|error| error.kind());
        assert_eq!(kind.err(), Some(ErrorKind::Interrupted), "{name}");
    }
}

/// The session of these tests allows a million bytes.
#[test]
fn results_over_the_limit_are_refused_before_they_are_made() {
    let long = || Value::text("x".repeat(600_000));
    let cases: &[(&str, Vec<Value>)] = &[
        ("zeroblob", vec![Value::Integer(i64::MAX)]),
        ("randomblob", vec![Value::Integer(2_000_000)]),
        ("concat", vec![long(), long()]),
        ("concat_ws", vec![long(), Value::Integer(1), Value::Integer(2)]),
        ("hex", vec![long()]),
        ("replace", vec![long(), Value::text("x"), Value::text("yy")]),
        ("printf", vec![Value::text("%2000000d"), Value::Integer(1)]),
        ("printf", vec![Value::text("%.2000000f"), Value::Real(1.0)]),
        ("printf", vec![Value::text("%.2000000c"), Value::text("x")]),
        ("json_array", vec![long(), long()]),
    ];
    for (name, args) in cases {
        let outcome = call(name, args);
        if *name == "concat_ws" {
            // One separator fits, two do not.
            assert!(outcome.is_ok());
            continue;
        }
        assert_eq!(shown(outcome), "error: string or blob too big", "{name}");
    }
}

#[test]
fn patterns_of_many_stars_take_time_in_proportion_only() {
    let string = "a".repeat(20_000);
    let pattern = "%a".repeat(1000) + "b";
    assert_eq!(shown(call("like", &values(&[&pattern, &string]))), "0");
    let pattern = "*a".repeat(1000) + "b";
    assert_eq!(shown(call("glob", &values(&[&pattern, &string]))), "0");
    let pattern = "a".repeat(60_000);
    assert_eq!(
        shown(call("like", &values(&[&pattern, &string]))),
        "error: LIKE or GLOB pattern too complex"
    );
}

#[test]
fn regular_expressions_match_anywhere_and_explain_themselves() {
    check(&[
        ("regexp", &["b+", "abbc"], "1"),
        ("regexp", &["^b", "abc"], "0"),
        ("regexp", &["a", "null"], "NULL"),
    ]);
    let error = call("regexp", &values(&["(", "a"])).unwrap_err();
    assert!(error.message().starts_with("REGEXP pattern '('"), "{error}");
}

/// Texts made of what functions look for, of any characters, and of any bytes.
fn any_text() -> impl Strategy<Value = Value> {
    let pieces = prop::sample::select(vec![
        "%",
        "%d",
        "%.",
        "%*",
        "%!",
        "%,",
        "%5",
        "s",
        "f",
        "g",
        "e9",
        "-",
        "+",
        "0",
        "1",
        "9999",
        ".",
        ":",
        "12:00",
        "2024-02-30",
        " ",
        "month",
        "days",
        "weekday ",
        "-6",
        "start of ",
        "end of ",
        "now",
        "utc",
        "localtime",
        "auto",
        "unixepoch",
        "subsec",
        "$",
        "[",
        "]",
        "#",
        "{",
        "}",
        "\"",
        "\\",
        "u00e9",
        "a",
        "_",
        "*",
        "?",
        "^",
        "\u{0}",
        "\u{20ac}",
        "'",
        "0x1F",
        "999999999999999999999",
        "julianday",
    ]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..6).prop_map(|pieces| Value::text(pieces.concat())),
        1 => "\\PC{0,12}".prop_map(Value::text),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::text),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let edges = vec![0, 1, -1, i64::MAX, i64::MIN, 1 << 31, -(1 << 31), 1 << 52, 5_373_485];
    prop_oneof![
        1 => Just(Value::Null),
        1 => prop::sample::select(edges).prop_map(Value::Integer),
        1 => any::<i64>().prop_map(|bits| Value::Integer(bits >> (bits & 63))),
        1 => any::<f64>().prop_map(Value::real),
        6 => any_text(),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::blob),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a function is called with, it returns; NaN is never a result.
    #[test]
    fn any_call_returns(args in prop::collection::vec(any_value(), 0..5)) {
        let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
        for function in Registry::new().functions() {
            if function.kind() == FunctionKind::Scalar && function.arity.takes(args.len()) {
                let result = with_context(|context| function.call(context, &args));
                if let Ok(Value::Real(real)) = result {
                    prop_assert!(!real.is_nan(), "{}", function.name);
                }
            }
        }
    }
}
