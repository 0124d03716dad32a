//! Aggregates: known results, and sliding states against states made anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::record::{Value, ValueRef};
use proptest::prelude::*;

use crate::function::testing::{accumulator, aggregate, shown, values, with_context};
use crate::function::{Sum, SumResult};

fn rows(texts: &[&str]) -> Vec<Vec<Value>> {
    values(texts).into_iter().map(|value| vec![value]).collect()
}

#[test]
fn aggregates_of_known_rows() {
    let max = "9223372036854775807";
    let cases: &[(&str, &[&str], &str)] = &[
        ("count", &["1", "null", "'a'"], "2"),
        ("sum", &[], "NULL"),
        ("sum", &["null"], "NULL"),
        ("sum", &["1", "2", "null"], "3"),
        ("sum", &["1", "'2'", "'3.5'"], "6.5"),
        ("sum", &["'2'", "'3'"], "5"),
        ("sum", &["'2x'", "'3'"], "5.0"),
        ("sum", &["x'33'", "1"], "4.0"),
        ("sum", &[max, "1"], "error: integer overflow"),
        ("sum", &[max, "1", "-5"], "error: integer overflow"),
        ("sum", &[max, "1", "0.5"], "9.2233720368547758e+18"),
        ("sum", &["0.1", "0.2", "0.3"], "0.6"),
        ("sum", &["1.0e100", "1", "-1.0e100"], "1.0"),
        ("total", &[], "0.0"),
        ("total", &[max, "1"], "9.2233720368547758e+18"),
        ("total", &["1", "2"], "3.0"),
        ("avg", &[], "NULL"),
        ("avg", &["1", "2"], "1.5"),
        ("avg", &[max, max], "9.2233720368547758e+18"),
        ("min", &["null", "3", "'a'", "2.5"], "2.5"),
        ("max", &["null", "3", "'a'", "2.5"], "'a'"),
        ("max", &["1", "x'00'", "'z'"], "X'00'"),
        ("max", &["null"], "NULL"),
        ("group_concat", &["1", "null", "2.5", "'a'"], "'1,2.5,a'"),
        ("group_concat", &["null"], "NULL"),
        ("group_concat", &["''"], "''"),
        ("median", &["3", "1", "2"], "2.0"),
        ("median", &["4", "1", "2", "3", "null"], "2.5"),
        ("median", &["'a'"], "error: input to median() is not numeric"),
    ];
    for (name, texts, expected) in cases {
        assert_eq!(shown(aggregate(name, &rows(texts))), *expected, "{name}{texts:?}");
    }
}

#[test]
fn arguments_of_each_row_count() {
    let row = |texts: &[&str]| values(texts);
    let cases = [
        ("group_concat", vec![row(&["a", "-"]), row(&["b", "+"]), row(&["c", "null"])], "'a+bc'"),
        ("string_agg", vec![row(&["a", "-"]), row(&["b", "-"])], "'a-b'"),
        ("percentile", vec![row(&["1", "25"]), row(&["3", "25"])], "1.5"),
        ("percentile_disc", vec![row(&["1", "0.9"]), row(&["3", "0.9"])], "1.0"),
        (
            "percentile",
            vec![row(&["1", "101"])],
            "error: the fraction argument to percentile() is not between 0.0 and 100.0",
        ),
        (
            "percentile_cont",
            vec![row(&["1", "0.5"]), row(&["1", "0.6"])],
            "error: the fraction argument to percentile_cont() is not the same for all input rows",
        ),
    ];
    for (name, rows, expected) in cases {
        assert_eq!(shown(aggregate(name, &rows)), expected, "{name}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        4 => (-4_i64..5).prop_map(Value::Integer),
        2 => (-8_i64..8).prop_map(|quarters| Value::Real(quarters as f64 / 4.0)),
        1 => "[a-c]{0,2}".prop_map(Value::text),
    ]
}

proptest! {
    /// A frame that moves over the rows has the result of its rows alone.
    #[test]
    fn sliding_states_equal_states_made_anew(
        rows in prop::collection::vec((any_value(), "[,;-]{0,2}"), 1..30),
        moves in prop::collection::vec(any::<bool>(), 1..60),
    ) {
        let rows: Vec<Vec<Value>> =
            rows.into_iter().map(|(value, text)| vec![value, Value::text(text)]).collect();
        for name in ["count", "sum", "total", "avg", "min", "max", "group_concat"] {
            let count = if name == "group_concat" { 2 } else { 1 };
            let mut rows = rows.clone();
            if name == "group_concat" {
                // Behind an empty text it is SQLite's way, not the frame's.
                let is_empty = |value: &Value| *value == Value::text("");
                rows.retain(|row| !is_empty(&row[0]));
            }
            let mut sliding = accumulator(name, count, true);
            let (mut start, mut end) = (0, 0);
            for &forward in &moves {
                with_context(|context| {
                    let at = if forward { end } else { start };
                    let Some(row) = rows.get(at) else { return };
                    let args: Vec<ValueRef<'_>> = row[..count].iter().map(Value::as_ref).collect();
                    if forward {
                        sliding.step(context, &args).unwrap();
                        end += 1;
                    } else if start < end {
                        sliding.inverse(context, &args).unwrap();
                        start += 1;
                    }
                });
                let frame: Vec<Vec<Value>> =
                    rows[start..end].iter().map(|row| row[..count].to_vec()).collect();
                let anew = if frame.is_empty() {
                    with_context(|context| accumulator(name, count, false).value(context))
                } else {
                    aggregate(name, &frame)
                };
                let number = |value: Value| match value {
                    // A sum stays real once it was, and of equal extremes either may win.
                    Value::Integer(integer) => Value::Real(integer as f64),
                    other => other,
                };
                let got = number(with_context(|context| sliding.value(context)).unwrap());
                prop_assert_eq!(got, number(anew.unwrap()), "{} {}..{}", name, start, end);
            }
        }
    }
}

/// Numbers as they come in tables, and those that sums find hard.
fn term() -> impl Strategy<Value = Value> {
    let hard = vec![
        Value::Integer(i64::MAX),
        Value::Integer(i64::MIN),
        Value::Integer(1 << 61),
        Value::Real(1e308),
        Value::Real(-1e308),
        Value::Real(f64::INFINITY),
        Value::Real(1e16),
        Value::Real(-1e16),
        Value::Real(0.5),
        Value::Real(-0.0),
        Value::text("12.5x"),
        Value::Null,
    ];
    prop_oneof![
        4 => (-1e6..1e6_f64).prop_map(Value::Real),
        2 => (0..100_000_i64).prop_map(|cents| Value::Real(cents as f64 / 100.0)),
        2 => (-50..50_i64).prop_map(Value::Integer),
        1 => prop::sample::select(hard),
    ]
}

proptest! {
    #[test]
    fn sums_of_shares_are_the_sum_of_all_or_say_that_they_are_not(
        terms in prop::collection::vec(term(), 0..60),
        plain in prop::collection::vec(0..1_000_000_i64, 1..60),
        shares in prop::collection::vec(0..3_usize, 60),
    ) {
        for result in [SumResult::Sum, SumResult::Total, SumResult::Average] {
            for is_plain in [false, true] {
                let cents: Vec<Value> =
                    plain.iter().map(|cents| Value::Real(*cents as f64 / 100.0)).collect();
                let terms = if is_plain { &cents } else { &terms };
                let mut whole = Sum::new(result);
                let mut parts = [(); 3].map(|()| Sum::new(result));
                for (term, share) in terms.iter().zip(&shares) {
                    whole.take(term.as_ref());
                    parts[*share].take(term.as_ref());
                }
                let [mut merged, second, third] = parts;
                merged.merge(&second);
                merged.merge(&third);
                if merged.is_settled() {
                    let bits = |sum: &Sum| match sum.result().unwrap() {
                        Value::Real(real) => format!("{:016x}", real.to_bits()),
                        other => format!("{other:?}"),
                    };
                    prop_assert_eq!(bits(&merged), bits(&whole));
                } else {
                    prop_assert!(!is_plain, "amounts of money are settled");
                }
            }
        }
    }
}
