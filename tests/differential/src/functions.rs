//! SQL functions, call by call, against SQLite.
//!
//! Random calls of every scalar function that SQLite knows, with arguments drawn from pools
//! that suit them (documents for JSON functions, dates for date functions, ...), compared in
//! value and in the message of errors; aggregates over random sliding frames; the rows of
//! table-valued functions. A difference prints the call as SQL. `FUNCTION_CALLS` sets how
//! many calls each function gets, `SEED` where they begin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail so")]

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use pandodb_qp::function::{
    Cache, Context, Function, FunctionKind, Implementation, Registry, Session, Value, ValueRef,
};
use rusqlite::Connection;
use rusqlite::types::Value as SqliteValue;

/// UTC, and nothing else: what depends on the clock is not compared.
struct Plain;

impl Session for Plain {
    fn now_ms(&self) -> i64 {
        0
    }
    fn local_offset_seconds(&self, _: i64) -> i64 {
        0
    }
    fn random(&self) -> u64 {
        4
    }
    fn last_insert_rowid(&self) -> i64 {
        0
    }
    fn changes(&self) -> i64 {
        0
    }
    fn total_changes(&self) -> i64 {
        0
    }
}

/// Functions whose results cannot be compared.
const INCOMPARABLE: &[&str] = &[
    "random",
    "randomblob",
    "sqlite_version",
    "sqlite_source_id",
    "pando_version",
    "changes",
    "total_changes",
    "last_insert_rowid",
    "current_date",
    "current_time",
    "current_timestamp",
    "likelihood",
    "match",
    "regexp",
    "subtype",
];

const INTEGERS: &[i64] = &[
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    10,
    12,
    15,
    17,
    31,
    59,
    64,
    65,
    100,
    255,
    256,
    1000,
    4095,
    65_535,
    65_536,
    123_456,
    1_234_567,
    2_147_483_647,
    2_147_483_648,
    2_460_000,
    1_700_000_000,
    253_402_300_799,
    4_503_599_627_370_496,
    9_007_199_254_740_993,
    i64::MAX,
    i64::MAX - 1,
];

const REALS: &[f64] = &[
    0.0,
    -0.0,
    0.1,
    0.5,
    1.0,
    1.5,
    2.5,
    0.25,
    0.3,
    1e-5,
    1e-310,
    123.456,
    1234567.891,
    0.999_999_5,
    9.5,
    99.995,
    1e15,
    1e16,
    1e17,
    1e18,
    9.223372036854775e18,
    1e20,
    1e100,
    1.7976931348623157e308,
    f64::INFINITY,
    2460000.5,
    1700000000.123,
    0.05,
    5e-324,
    3.14159265358979,
    100.0,
    1e22,
    123456789.5,
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "abc",
    "ABC",
    "aXbXc",
    "X",
    "x",
    "  pad  ",
    "0",
    "1",
    "-1",
    "12",
    "1.5",
    "1e3",
    "0x10",
    " 12 ",
    "12abc",
    "abc'def",
    "\"q\"",
    "a\"b",
    "\\",
    "a\\u0041",
    "\u{e9}",
    "\u{20ac}uro",
    "\u{1f600}x",
    "\u{1}\t\n",
    "%",
    "_",
    "a%",
    "%c",
    "a_c",
    "[a-c]*",
    "*b*",
    "?b?",
    "[^a]bc",
    "[]a]",
    "ab[",
    "NULL",
    "Robert",
    "Rupert",
    "Tymczak",
    "Pfister",
    "616263",
    "6162",
    "61 62",
    "zz",
    "+5",
    ".5",
    "5.",
    "1e",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e999",
    "inf",
    "nan",
    "hello world",
    "aaaaaa",
    "aa",
    "\\0041",
    "\\+00E9x",
    "\u{feff}",
    "ab\u{301}c",
];

const FORMATS: &[&str] = &[
    "%d",
    "%5d",
    "%-5d|",
    "%05d",
    "%+d",
    "% d",
    "%,d",
    "%x",
    "%X",
    "%#x",
    "%o",
    "%#o",
    "%u",
    "%i",
    "%p",
    "%f",
    "%.2f",
    "%10.3f",
    "%-10.1f|",
    "%+.1f",
    "%010.2f",
    "%e",
    "%.3E",
    "%g",
    "%G",
    "%#g",
    "%.10g",
    "%!f",
    "%!.20g",
    "%!.15e",
    "%,f",
    "%,.2f",
    "%s",
    "%10s|",
    "%-10s|",
    "%.2s",
    "%!.2s",
    "%!5s|",
    "%c",
    "%5c|",
    "%.3c",
    "%q",
    "%Q",
    "%w",
    "%#Q",
    "%#q",
    "%j",
    "%J",
    "%%",
    "%z",
    "%r",
    "%n",
    "%y",
    "%",
    "%5",
    "%*d",
    "%.*f",
    "%-*s|",
    "%lld",
    "%ld",
    "%.0f",
    "%#.0f",
    "%.0e",
    "%08.3e",
    "%!g",
    "%.17g",
    "%!.17g",
    "a%sb%dc%f",
    "%s%s%s",
    "%.30f",
    "%20.10e|",
    "%+e",
    "%,15d|",
    "%015d",
    "%-015d|",
    "%.3d",
    "%8.3d|",
    "%.5x",
    "%+s",
    "%5%|",
    "%-8Q|",
    "%.3Q",
    "%!.1c",
    "%,lld",
    "%.1g",
    "%#.3g",
    "%0.3f",
    "%+010d",
];

const TIMES: &[&str] = &[
    "2024-02-29",
    "2023-02-29",
    "2024-01-31",
    "2024-12-31 23:59:59",
    "2024-02-29T12:34:56.789",
    "2000-01-01 00:00",
    "1970-01-01",
    "0000-01-01",
    "9999-12-31 23:59:59.999",
    "-4713-11-24 12:00:00",
    "12:34",
    "12:34:56",
    "12:34:56.7895",
    "24:00:00",
    "2024-06-15 12:00:00+02:30",
    "2024-06-15 12:00:00-11:00",
    "2024-06-15 12:00Z",
    "2024-06-15 25:00",
    "2024-13-01",
    "2024-04-31",
    "2460000.5",
    "1700000000",
    "0",
    "-1",
    "5373484.5",
    "",
    "abc",
    "2024-2-3",
    "2024-02-03x",
    "2024-02-03 ",
    "2016-12-31 23:59:60",
    "1900-03-01",
    "2024-12-30",
    "2021-01-03",
    "2026-12-31",
];

const MODIFIERS: &[&str] = &[
    "+1 day",
    "-1 day",
    "+1 month",
    "-1 month",
    "+13 months",
    "+1 year",
    "-4 years",
    "+1.5 days",
    "-0.5 months",
    "+90 minutes",
    "-3600 seconds",
    "+0.001 seconds",
    "+1 hour",
    "start of month",
    "start of year",
    "start of day",
    "end of day",
    "end of month",
    "end of year",
    "end of",
    "weekday -0",
    "weekday -3",
    "weekday -7",
    "+0001-02-03 ",
    "+0001-02-03 -01:00",
    "weekday 0",
    "weekday 3",
    "weekday 6",
    "weekday 7",
    "weekday 1.5",
    "unixepoch",
    "julianday",
    "auto",
    "utc",
    "localtime",
    "subsec",
    "subsecond",
    "ceiling",
    "floor",
    "+01:30",
    "-00:00:30.5",
    "+0001-02-03",
    "-0001-02-03 04:05",
    "+12345-01-01",
    "+1",
    "1 day",
    "+1 fortnight",
    "START OF MONTH",
    " +1 day",
    "+1 day ",
    "+99999999 days",
    "1e2 days",
    "+-1 day",
    "",
    "+1 days days",
];

const TIME_FORMATS: &[&str] = &[
    "%Y-%m-%d",
    "%H:%M:%S",
    "%f",
    "%j",
    "%J",
    "%s",
    "%w",
    "%u",
    "%W",
    "%U",
    "%V",
    "%G",
    "%g",
    "%e",
    "%k",
    "%l",
    "%I",
    "%p",
    "%P",
    "%R",
    "%T",
    "%F",
    "%d",
    "%%",
    "%x",
    "%",
    "abc",
    "%Y %G-W%V-%u",
    "",
];

const DOCUMENTS: &[&str] = &[
    "{}",
    "[]",
    "null",
    "true",
    "false",
    "1",
    "-1",
    "1.5",
    "\"a\"",
    "[1,2,3]",
    "{\"a\":1,\"b\":[1,2,{\"c\":null}]}",
    "{\"a\":{\"b\":{\"c\":[0,[1,[2]]]}}}",
    "{a:1}",
    "{a:1,}",
    "[1,]",
    "{'x':'y'}",
    "[+1,.5,5.,0x1F,-0x10]",
    "[Infinity,-Infinity,NaN]",
    "\"\\u00e9\\n\\/\"",
    "'\\x41\\'\\v'",
    "[1,2",
    "{\"a\" 1}",
    "",
    " ",
    "[1] x",
    "[]x",
    "// c\n[1]/* d */",
    "{\"a\":1,\"a\":2}",
    "{\"a b\":1,\"c.d\":{\"e\":2},\"\":3}",
    "[1e5,1E-3,123456789012345678901]",
    "[[[]]]",
    "{\"\\u0061\":7}",
    "\"\\ud83d\\ude00\"",
    "[\"a\\\"b\",'c\"d']",
    "{\"x\":null}",
    "01",
    "1.",
    "-",
    "+",
    ".",
    "[1 2]",
    "{1:2}",
    "{true:1}",
    "{nul:1}",
    "{$a_b:1}",
    "nul",
    "tru",
    "\"abc",
    "\"\\q\"",
    "[,1]",
    "{,}",
    "1 2",
    "\u{feff}[1]",
    "{\"a\":[1,2,3],\"b\":\"text\",\"c\":1.25}",
    "9223372036854775808",
    "-9223372036854775808",
    "[1,{\"a\":[]},\"x\",[true]]",
    "'a\\\nb'",
    "1e400",
    "0xFFFFFFFFFFFFFFFF",
    "{\"a\":/*c*/1}",
    "[\t1\r\n]",
    "1e",
    "1.e5",
    "{\"a\":1 \"b\":2}",
    "[1}",
    "{\"a\":}",
    "{\"a\"",
    "[\"\u{1}\"]",
    "{\"key1\":{\"x\":1},\"2nd\":2,\"\u{e9}\":3}",
];

const PATHS: &[&str] = &[
    "$",
    "$.a",
    "$.b",
    "$[0]",
    "$[1]",
    "$[#-1]",
    "$[#]",
    "$[#-9]",
    "$.a.b",
    "$.a.b.c",
    "$.b[2].c",
    "$.\"a b\"",
    "$.c.d",
    "$.\"c.d\".e",
    "$.a[0]",
    "$[1].a",
    "$[9]",
    "$.",
    "$[",
    "$[a]",
    "$[1",
    "$.\"a",
    "a",
    "0",
    "-1",
    "b",
    "[1]",
    "$..a",
    "$x",
    "",
    "$.x.y.z",
    "$.b[#]",
    "$.b[3].q",
    "$[0][0]",
    "$.\"\"",
    "$.new[0]",
    "$.new[1]",
    "$.\\u0061",
    "$.\"\\u0061\"",
    "$[99999999999999999999]",
    "c",
    "a b",
    "$.a[#].b",
    "$[3]",
    "$[1][1][0]",
];

/// Modifiers that apply a time zone, as literals.
const ZONES: &[&str] = &["\"utc\"", "\"localtime\""];

/// What a value is drawn from.
#[derive(Clone, Copy)]
enum Pool {
    Any,
    Format,
    Time,
    Modifier,
    TimeFormat,
    Document,
    Path,
    Small,
}

fn pools(name: &str, index: usize) -> Pool {
    match (name, index) {
        ("printf" | "format", 0) => Pool::Format,
        ("strftime", 0) => Pool::TimeFormat,
        ("strftime", 1) | ("timediff", _) => Pool::Time,
        ("date" | "time" | "datetime" | "julianday" | "unixepoch", 0) => Pool::Time,
        ("strftime" | "date" | "time" | "datetime" | "julianday" | "unixepoch", _) => {
            Pool::Modifier
        }
        ("substr" | "substring", 1..) | ("round", 1) | ("json_valid", 1) => Pool::Small,
        ("zeroblob", _) => Pool::Small,
        (name, 0) if name.starts_with("json") || name.starts_with('-') => Pool::Document,
        ("json_patch" | "jsonb_patch", 1) => Pool::Document,
        ("json_extract" | "jsonb_extract" | "json_remove" | "jsonb_remove", 1..)
        | ("->" | "->>" | "json_type" | "json_array_length", 1) => Pool::Path,
        (name, index)
            if index % 2 == 1
                && ["insert", "set", "replace"].iter().any(|end| name.ends_with(end))
                && name.starts_with("json") =>
        {
            Pool::Path
        }
        _ => Pool::Any,
    }
}

fn draw(rng: &mut Rng, pool: Pool) -> Value {
    // Now and then something else altogether.
    let pool = if rng.u8(..12) == 0 { Pool::Any } else { pool };
    let text = |rng: &mut Rng, texts: &[&str]| Value::text(texts[rng.usize(..texts.len())]);
    match pool {
        Pool::Format => text(rng, FORMATS),
        Pool::Time if rng.u8(..4) == 0 => draw_number(rng),
        Pool::Time => text(rng, TIMES),
        Pool::Modifier => text(rng, MODIFIERS),
        Pool::TimeFormat => text(rng, TIME_FORMATS),
        Pool::Document => text(rng, DOCUMENTS),
        Pool::Path => text(rng, PATHS),
        Pool::Small => Value::Integer(rng.i64(-12..18)),
        Pool::Any => match rng.u8(..12) {
            0 => Value::Null,
            1..=4 => draw_number(rng),
            5 => Value::blob((0..rng.usize(..12)).map(|_| rng.u8(..)).collect::<Vec<_>>()),
            6 => Value::blob(TEXTS[rng.usize(..TEXTS.len())]),
            7 => text(rng, DOCUMENTS),
            8 => Value::Integer(rng.i64(-20..20)),
            _ => text(rng, TEXTS),
        },
    }
}

fn draw_number(rng: &mut Rng) -> Value {
    let sign = if rng.bool() { 1 } else { -1 };
    match rng.u8(..4) {
        0 => Value::Integer(INTEGERS[rng.usize(..INTEGERS.len())] * sign),
        1 => Value::Real(REALS[rng.usize(..REALS.len())] * sign as f64),
        2 => Value::Integer(rng.i64(..) >> rng.u32(..64)),
        _ => Value::Real((rng.i64(..) >> 14) as f64 / 10_f64.powi(rng.i32(0..16))),
    }
}

fn to_sqlite(value: &Value) -> SqliteValue {
    match value {
        Value::Null => SqliteValue::Null,
        Value::Integer(integer) => SqliteValue::Integer(*integer),
        Value::Real(real) => SqliteValue::Real(*real),
        Value::Text(text) => SqliteValue::Text(String::from_utf8(text.to_vec()).expect("UTF-8")),
        Value::Blob(bytes) => SqliteValue::Blob(bytes.to_vec()),
    }
}

fn from_sqlite(value: rusqlite::types::ValueRef<'_>) -> Value {
    use rusqlite::types::ValueRef as Theirs;
    match value {
        Theirs::Null => Value::Null,
        Theirs::Integer(integer) => Value::Integer(integer),
        Theirs::Real(real) => Value::Real(real),
        Theirs::Text(text) => Value::text(text),
        Theirs::Blob(bytes) => Value::blob(bytes),
    }
}

type Outcome = Result<Value, String>;

fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => format!("{real:?}"),
        Value::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Value::Blob(bytes) => format!("x{bytes:02x?}"),
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(value) => literal(value),
        Err(message) => format!("error: {message}"),
    }
}

fn same(name: &str, ours: &Outcome, theirs: &Outcome) -> bool {
    match (ours, theirs) {
        (Ok(Value::Real(ours)), Ok(Value::Real(theirs))) => {
            let exact = ours.to_bits() == theirs.to_bits();
            // Both systems' libraries round the last digit as they like.
            let near = (ours - theirs).abs() <= theirs.abs() * 1e-14;
            exact || (near && !["round", "abs", "julianday", "unixepoch"].contains(&name))
        }
        // Of several errors in one call either may be reported.
        (Err(ours), Err(theirs)) => {
            ours == theirs || (name.starts_with("json") && theirs == "malformed JSON")
        }
        (ours, theirs) => ours == theirs,
    }
}

fn ours(function: &Function, args: &[Value], json: &BTreeSet<usize>) -> Outcome {
    let mut cache = Cache::default();
    let mut context = Context::new(&Plain, &mut cache);
    for &index in json {
        context.json_arguments.set(index);
    }
    let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
    function.call(&mut context, &args).map_err(|error| error.message().to_owned())
}

/// JSONB as text.
fn as_text(json: &Function, outcome: Outcome) -> Outcome {
    match outcome {
        Ok(blob @ Value::Blob(_)) => ours(json, &[blob], &BTreeSet::new()),
        other => other,
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Collects differences, at most a few per function, and fails with all of them.
#[derive(Default)]
struct Differences(BTreeMap<String, Vec<String>>);

impl Differences {
    fn note(&mut self, name: &str, call: &str, ours: &Outcome, theirs: &Outcome) {
        let known = self.0.entry(name.to_owned()).or_default();
        if known.len() < 6 {
            known.push(format!("{call}\n    ours   {}\n    SQLite {}", shown(ours), shown(theirs)));
        }
    }

    fn finish(self) {
        let count: usize = self.0.values().map(Vec::len).sum();
        let text: Vec<String> = self.0.into_values().flatten().collect();
        assert!(count == 0, "{count} differences\n{}", text.join("\n"));
    }
}

#[test]
fn scalar_functions_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    let known: BTreeSet<String> = connection
        .prepare("SELECT DISTINCT name FROM pragma_function_list")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut rng = Rng::with_seed(setting("SEED", 1));
    let mut differences = Differences::default();
    let json = Registry::new().find("json", 1).unwrap();
    for function in Registry::new().functions() {
        let name = &*function.name;
        let is_operator = name.starts_with('-');
        if function.kind() != FunctionKind::Scalar
            || INCOMPARABLE.contains(&name)
            || !(is_operator || known.contains(name))
        {
            continue;
        }
        for _ in 0..setting("FUNCTION_CALLS", 400) {
            let most = function.arity.max.unwrap_or(function.arity.min.max(1) + 4);
            let count = usize::from(rng.u16(function.arity.min..=most));
            let needed = if name == "strftime" { 2 } else { 1 };
            if count < needed && function.arity.max.is_none() {
                // Without arguments it is the clock that shows.
                continue;
            }
            let mut args: Vec<Value> =
                (0..count).map(|index| draw(&mut rng, pools(name, index))).collect();
            // Some arguments come from json() and are JSON therefore.
            let mut flags = BTreeSet::new();
            let mut parameters: Vec<String> =
                (1..=count).map(|index| format!("?{index}")).collect();
            let given = args.clone();
            for index in 0..count {
                if !function.traits.reads_json || rng.u8(..5) != 0 {
                    continue;
                }
                if let Ok(document @ Value::Text(_)) =
                    ours(&json, &args[index..=index], &BTreeSet::new())
                {
                    parameters[index] = format!("json(?{})", index + 1);
                    args[index] = document;
                    flags.insert(index);
                }
            }
            let call = if is_operator {
                format!("{} {name} {}", parameters[0], parameters[1])
            } else {
                format!("{name}({})", parameters.join(", "))
            };
            let theirs = connection
                .prepare_cached(&format!("SELECT {call}"))
                .and_then(|mut statement| {
                    let parameters = rusqlite::params_from_iter(given.iter().map(to_sqlite));
                    statement.query_row(parameters, |row| Ok(from_sqlite(row.get_ref(0)?)))
                })
                .map_err(|error| message(&error));
            let (theirs, ours) = if name.starts_with("jsonb") {
                // How long the headers of changed nodes are is not a promise.
                (as_text(&json, theirs), as_text(&json, ours(&function, &args, &flags)))
            } else {
                (theirs, ours(&function, &args, &flags))
            };
            let has_zone = given.iter().any(|arg| ZONES.contains(&literal(arg).as_str()));
            if has_zone && ours == Ok(Value::Null) {
                // SQLite makes times out of impossible ones where a zone is applied to them.
                continue;
            }
            if !same(name, &ours, &theirs) {
                let shown: Vec<String> = given.iter().map(literal).collect();
                differences.note(
                    name,
                    &format!("{call} with {}", shown.join(", ")),
                    &ours,
                    &theirs,
                );
            }
        }
    }
    differences.finish();
}

#[test]
fn aggregates_over_sliding_frames_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, x, y)").unwrap();
    let mut rng = Rng::with_seed(setting("SEED", 1));
    let mut differences = Differences::default();
    let calls = [
        ("count", "x"),
        ("sum", "x"),
        ("total", "x"),
        ("avg", "x"),
        ("min", "x"),
        ("max", "x"),
        ("group_concat", "x"),
        ("group_concat", "x, y"),
        ("json_group_array", "x"),
        ("json_group_object", "y, x"),
    ];
    for _ in 0..setting("FUNCTION_CALLS", 400) / 10 {
        let rows: Vec<[Value; 2]> = (0..rng.usize(1..12))
            .map(|_| {
                let x = match rng.u8(..6) {
                    0 => Value::Null,
                    1 => Value::Integer(i64::MAX - rng.i64(0..3)),
                    2 => Value::Real(rng.i64(-40..40) as f64 / 8.0),
                    3 => Value::text(["a", "b", "7", "2.5"][rng.usize(..4)]),
                    _ => Value::Integer(rng.i64(-5..6)),
                };
                [x, Value::text([",", "--", "k"][rng.usize(..3)])]
            })
            .collect();
        connection.execute("DELETE FROM t", []).unwrap();
        for (id, [x, y]) in rows.iter().enumerate() {
            let row = (id as i64, to_sqlite(x), to_sqlite(y));
            connection.execute("INSERT INTO t VALUES (?1, ?2, ?3)", row).unwrap();
        }
        let (before, after) = (rng.usize(..3), rng.usize(..3));
        for (name, columns) in calls {
            let sql = format!(
                "SELECT {name}({columns}) OVER (ORDER BY id ROWS BETWEEN {before} PRECEDING AND \
                 {after} FOLLOWING) FROM t ORDER BY id"
            );
            let theirs: Result<Vec<Value>, String> = connection
                .prepare(&sql)
                .and_then(|mut statement| {
                    statement.query_map([], |row| Ok(from_sqlite(row.get_ref(0)?)))?.collect()
                })
                .map_err(|error| message(&error));
            let ours = slide(name, columns, &rows, before, after);
            if ours != theirs {
                let text = |outcome: Result<Vec<Value>, String>| {
                    outcome.map(|values| {
                        Value::text(values.iter().map(literal).collect::<Vec<_>>().join(" "))
                    })
                };
                let call = format!("{sql} over {rows:?}");
                differences.note(name, &call, &text(ours), &text(theirs));
            }
        }
    }
    differences.finish();
}

/// The values of an aggregate over frames from `before` rows before to `after` rows behind.
fn slide(
    name: &str,
    columns: &str,
    rows: &[[Value; 2]],
    before: usize,
    after: usize,
) -> Result<Vec<Value>, String> {
    let args = |row: &'_ [Value; 2]| -> Vec<Value> {
        columns.split(", ").map(|column| row[usize::from(column == "y")].clone()).collect()
    };
    let count = columns.split(", ").count();
    let function = Registry::new().find(name, count).unwrap();
    let Implementation::Aggregate(aggregate) = &function.implementation else { panic!("{name}") };
    let mut state = aggregate.sliding.as_ref().unwrap().make();
    let mut cache = Cache::default();
    let mut context = Context::new(&Plain, &mut cache);
    let mut values = Vec::new();
    let (mut start, mut end) = (0, 0);
    let text = |error: pandodb_qp::Error| error.message().to_owned();
    for row in 0..rows.len() {
        while start + before < row {
            let args = args(&rows[start]);
            let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
            state.inverse(&mut context, &args).map_err(text)?;
            start += 1;
        }
        while end < rows.len().min(row + after + 1) {
            let args = args(&rows[end]);
            let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
            state.step(&mut context, &args).map_err(text)?;
            end += 1;
        }
        values.push(state.value(&mut context).map_err(text)?);
    }
    Ok(values)
}

#[test]
fn json_tables_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    let mut differences = Differences::default();
    for name in ["json_each", "json_tree", "jsonb_each", "jsonb_tree"] {
        let function = Registry::new().find_table(name).unwrap();
        let Implementation::Table(table) = &function.implementation else { panic!("{name}") };
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let sql = format!("SELECT {} FROM {name}(?1, ?2)", columns.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        for document in DOCUMENTS {
            for path in PATHS {
                let theirs: Result<Vec<Value>, String> = statement
                    .query_map([document, path], |row| {
                        (0..columns.len())
                            .map(|index| row.get_ref(index).map(from_sqlite))
                            .collect::<Result<Vec<_>, _>>()
                    })
                    .and_then(Iterator::collect::<Result<Vec<Vec<Value>>, _>>)
                    .map(|rows| rows.concat())
                    .map_err(|error| message(&error));
                let ours = rows(table, document, path);
                if ours != theirs {
                    let text = |outcome: Result<Vec<Value>, String>| {
                        outcome.map(|values| {
                            Value::text(values.iter().map(literal).collect::<Vec<_>>().join(" "))
                        })
                    };
                    let call = format!("{name}({document:?}, {path:?})");
                    differences.note(name, &call, &text(ours), &text(theirs));
                }
            }
        }
    }
    differences.finish();
}

fn rows(
    table: &pandodb_qp::function::TableFunction,
    document: &str,
    path: &str,
) -> Result<Vec<Value>, String> {
    let mut cache = Cache::default();
    let mut context = Context::new(&Plain, &mut cache);
    let text = |error: pandodb_qp::Error| error.message().to_owned();
    let args = [ValueRef::Text(document.as_bytes()), ValueRef::Text(path.as_bytes())];
    let mut rows = (table.open)(&mut context, &args).map_err(text)?;
    let mut values = Vec::new();
    while rows.next(&mut context).map_err(text)? {
        for index in 0..table.columns.len() {
            values.push(rows.column(&mut context, index).map_err(text)?);
        }
    }
    Ok(values)
}
