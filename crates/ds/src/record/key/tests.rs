//! The order of keys against the order of values, and decoding of good and bad bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::cmp::Ordering;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::record::collation::compare_values;

/// Integers near powers of two and reals around them, so that close pairs are common.
fn numbers() -> impl Strategy<Value = Value> {
    let near = (0..64_u32, -3..=3_i64, any::<bool>()).prop_map(|(bit, step, negative)| {
        let value = (1_i64 << bit).wrapping_add(step);
        if negative { value.wrapping_neg() } else { value }
    });
    prop_oneof![
        3 => (near.clone(), -4..=4_i64).prop_map(|(value, step)| {
            let real = value as f64;
            let bits = real.to_bits() as i64;
            Value::real(match step {
                4 => real + 0.5,
                -4 => real - 0.25,
                _ if real == 0.0 => real,
                _ => f64::from_bits((bits + step) as u64),
            })
        }),
        3 => near.prop_map(Value::Integer),
        1 => (-200..200_i64).prop_map(Value::Integer),
        1 => (-800..800_i32).prop_map(|quarters| Value::Real(f64::from(quarters) / 4.0)),
        1 => any::<f64>().prop_map(Value::real),
        1 => any::<i64>().prop_map(Value::Integer),
        1 => prop::sample::select(vec![
            0.0, -0.0, f64::MIN_POSITIVE, 5e-324, -5e-324, 0.1, -0.1, f64::MAX, f64::MIN,
            f64::INFINITY, f64::NEG_INFINITY, 1.0_f64.next_down(), -1.0_f64.next_up(),
        ]).prop_map(Value::Real),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let content = || vec(prop::sample::select(b"\x00\x01\x02 aAzZ_\xfe\xff".to_vec()), 0..5);
    prop_oneof![
        1 => Just(Value::Null),
        4 => numbers(),
        2 => content().prop_map(Value::text),
        2 => content().prop_map(Value::blob),
    ]
}

fn orders() -> impl Strategy<Value = ColumnOrder> {
    let collations =
        prop::sample::select(vec![Collation::Binary, Collation::NoCase, Collation::RTrim]);
    (collations, any::<bool>())
        .prop_map(|(collation, descending)| ColumnOrder { collation, descending })
}

fn encode(columns: &[Value], orders: &[ColumnOrder]) -> Vec<u8> {
    let columns: Vec<ValueRef<'_>> = columns.iter().map(Value::as_ref).collect();
    let mut key = Vec::new();
    push_columns(&columns, orders, &mut key).unwrap();
    key
}

fn compare(left: &[Value], right: &[Value], orders: &[ColumnOrder]) -> Ordering {
    let columns = left.iter().zip(right).zip(orders);
    columns.fold(Ordering::Equal, |so_far, ((left, right), order)| {
        so_far.then_with(|| {
            let next = compare_values(left.as_ref(), right.as_ref(), order.collation).unwrap();
            if order.descending { next.reverse() } else { next }
        })
    })
}

/// What decoding gives back: the value as its collation sees it, and no negative zero.
fn folded(value: &Value, collation: Collation) -> Value {
    match (value, collation) {
        (Value::Text(text), Collation::NoCase) => Value::text(match memchr::memchr(0, text) {
            None => text.to_ascii_lowercase(),
            Some(zero) => {
                let length = (text.len() as u64).to_be_bytes();
                [&text[..=zero].to_ascii_lowercase()[..], &length].concat()
            }
        }),
        (Value::Text(text), Collation::RTrim) => Value::text(trim_end(text)),
        (Value::Real(real), _) => Value::Real(real + 0.0),
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn keys_of_numbers_are_ordered_as_numbers(left in numbers(), right in numbers()) {
        let orders = [ColumnOrder::ASCENDING];
        let (left, right) = ([left], [right]);
        prop_assert_eq!(
            encode(&left, &orders).cmp(&encode(&right, &orders)),
            compare(&left, &right, &orders)
        );
    }

    #[test]
    fn keys_are_ordered_as_tuples(
        orders in vec(orders(), 3),
        left in vec(values(), 3),
        right in vec(values(), 3),
        shared in 0..3_usize,
    ) {
        // Shared leading columns make the later ones decide.
        let right: Vec<Value> = left[..shared].iter().chain(&right[shared..]).cloned().collect();
        prop_assert_eq!(
            encode(&left, &orders).cmp(&encode(&right, &orders)),
            compare(&left, &right, &orders)
        );
    }

    #[test]
    fn columns_come_back_folded(
        orders in vec(orders(), 4),
        columns in vec(values(), 4),
        rowid: i64,
    ) {
        let mut key = encode(&columns, &orders);
        let columns_len = key.len();
        key.extend_from_slice(&rowid_key(rowid));
        let borrowed: Vec<ValueRef<'_>> = columns.iter().map(Value::as_ref).collect();
        let mut decoded = Vec::new();
        let shown = shown_as_integers(&borrowed);
        let rest = decode_columns(&key, &orders, shown, &mut decoded).unwrap();
        prop_assert_eq!(rowid_from_key(rest).unwrap(), rowid);
        for ((decoded, column), order) in decoded.iter().zip(&columns).zip(&orders) {
            prop_assert_eq!(decoded, &folded(column, order.collation));
        }
        let skipped = orders.iter().fold(0, |start, order| {
            start + skip_column(&key[start..], order.descending).unwrap()
        });
        prop_assert_eq!(skipped, columns_len);
        for cut in 0..columns_len {
            prop_assert!(decode_columns(&key[..cut], &orders, 0, &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn prefix_ranges_hold_exactly_the_equal_columns(
        order in orders(),
        prefix in values(),
        other in values(),
        next in values(),
    ) {
        let orders = [order; 2];
        let start = encode(std::slice::from_ref(&prefix), &orders);
        let end = prefix_successor(&start).unwrap();
        let key = encode(&[other.clone(), next], &orders);
        let is_equal = compare(&[prefix], &[other], &orders) == Ordering::Equal;
        prop_assert_eq!((start..end).contains(&key), is_equal);
    }

    #[test]
    fn any_bytes_are_a_key_or_corrupt(bytes in vec(any::<u8>(), 0..24), descending: bool) {
        let mut scratch = Vec::new();
        let skipped = skip_column(&bytes, descending);
        if let Ok((value, len)) = decode_column(&bytes, descending, false, &mut scratch) {
            // What decodes is what encoding writes.
            let mut again = Vec::new();
            let order = ColumnOrder { descending, ..ColumnOrder::default() };
            push_column(value, order, &mut again).unwrap();
            prop_assert_eq!(&again, &bytes[..len]);
            prop_assert_eq!(skipped.unwrap(), len);
        }
    }

    #[test]
    fn rowid_keys_are_ordered(left: i64, right: i64) {
        prop_assert_eq!(rowid_key(left).cmp(&rowid_key(right)), left.cmp(&right));
        prop_assert_eq!(rowid_from_key(&rowid_key(left)).unwrap(), left);
    }
}

#[test]
fn equal_numbers_are_equal_keys() {
    for (integer, real) in [(0, -0.0), (1, 1.0), (-48, -48.0), (1 << 53, 9_007_199_254_740_992.0)] {
        let orders = [ColumnOrder::ASCENDING];
        assert_eq!(
            encode(&[Value::Integer(integer)], &orders),
            encode(&[Value::Real(real)], &orders)
        );
    }
    assert_eq!(
        shown_as_integers(&[ValueRef::Real(1.5), ValueRef::Real(2.0), ValueRef::Integer(1)]),
        2
    );
}

#[test]
fn small_integers_are_short() {
    for (value, len) in [(0, 1), (47, 1), (-47, 1), (48, 2), (175, 2), (176, 3), (i64::MIN, 9)] {
        let key = encode(&[Value::Integer(value)], &[ColumnOrder::ASCENDING]);
        assert_eq!(key.len(), len, "{value}");
    }
}

#[test]
fn custom_collations_have_no_text_keys() {
    let order = ColumnOrder { collation: Collation::Custom(3), descending: false };
    let error = push_column(ValueRef::Text(b"a"), order, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    push_column(ValueRef::Integer(1), order, &mut Vec::new()).unwrap();
}

#[test]
fn failures_leave_the_callers_buffers_as_they_were() {
    let custom = ColumnOrder { collation: Collation::Custom(3), descending: false };
    let columns = [ValueRef::Integer(1), ValueRef::Text(b"a")];
    let mut key = vec![7];
    push_columns(&columns, &[ColumnOrder::ASCENDING, custom], &mut key).unwrap_err();
    assert_eq!(key, [7]);

    push_columns(&columns, &[], &mut key).unwrap();
    let cut = &key[1..key.len() - 1];
    let mut decoded = vec![Value::Null];
    decode_columns(cut, &[ColumnOrder::ASCENDING; 2], 0, &mut decoded).unwrap_err();
    assert_eq!(decoded, [Value::Null]);
}

#[test]
fn the_last_prefix_has_no_successor() {
    assert_eq!(prefix_successor(&[]), None);
    assert_eq!(prefix_successor(&[0xff, 0xff]), None);
    assert_eq!(prefix_successor(&[1, 0xff]), Some(vec![2]));
}
