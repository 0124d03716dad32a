//! Properties of numbers, and examples whose answers come from SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "tests fail by panicking"
)]

use proptest::prelude::*;

use super::*;

fn text(value: f64) -> String {
    String::from_utf8(real_text(value)).unwrap()
}

fn text_15(value: f64) -> String {
    let mut text = Vec::new();
    push_real(value, 15, &mut text);
    String::from_utf8(text).unwrap()
}

/// Reals of every magnitude, and the decimal ones that people write.
fn reals() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |real| real.is_finite()),
        (any::<i32>(), 0..12_i32)
            .prop_map(|(digits, scale)| f64::from(digits) / 10_f64.powi(scale)),
        any::<i64>().prop_map(|integer| integer as f64),
    ]
}

/// Integers and reals close to each other and to the limits.
fn numbers() -> impl Strategy<Value = Number> {
    let integers = prop_oneof![
        any::<i64>(),
        -3..3_i64,
        (0..64_u32, -2..=2_i64).prop_map(|(bit, step)| (1_i64 << bit).wrapping_add(step)),
    ];
    (integers, any::<bool>(), -1..=1_i32).prop_map(|(integer, is_integer, step)| {
        if is_integer {
            return Number::Integer(integer);
        }
        let real = integer as f64;
        Number::Real(match step {
            -1 => real.next_down(),
            0 => real,
            _ => real.next_up(),
        })
    })
}

/// The exact order by way of 128-bit integers: reals scaled by 2^10 where that is exact.
fn naive_order(left: Number, right: Number) -> Ordering {
    fn parts(number: Number) -> (i128, f64) {
        match number {
            Number::Integer(value) => (i128::from(value), 0.0),
            Number::Real(value) => (value.floor() as i128, value - value.floor()),
        }
    }
    let ((left_floor, left_rest), (right_floor, right_rest)) = (parts(left), parts(right));
    left_floor.cmp(&right_floor).then(left_rest.partial_cmp(&right_rest).unwrap())
}

proptest! {
    #[test]
    fn seventeen_digits_read_back_as_the_same_real(real in reals()) {
        let printed = text(real);
        prop_assert_eq!(printed.parse::<f64>().unwrap(), real, "{}", printed);
        prop_assert_eq!(cast_real(printed.as_bytes()), real);
    }

    #[test]
    fn fewer_digits_are_within_half_a_unit(real in reals(), digits in 1..=15_u8) {
        let mut printed = Vec::new();
        push_real(real, digits, &mut printed);
        let read: f64 = String::from_utf8(printed).unwrap().parse().unwrap();
        // Compared with room for the rounding of the check's own arithmetic.
        let unit = 10_f64.powi(1 - i32::from(digits)) * real.abs();
        prop_assert!((read - real).abs() <= unit || read.is_infinite() || unit == 0.0);
    }

    #[test]
    fn integers_read_back(integer in any::<i64>()) {
        let printed = integer_text(integer);
        prop_assert_eq!(String::from_utf8_lossy(&printed), integer.to_string());
        prop_assert_eq!(cast_integer(&printed), integer);
        prop_assert_eq!(affinity_number(&printed), Some(Number::Integer(integer)));
    }

    #[test]
    fn order_of_numbers_is_exact(left in numbers(), right in numbers()) {
        prop_assert_eq!(left.compare(right), naive_order(left, right));
        prop_assert_eq!(right.compare(left), naive_order(right, left));
    }

    #[test]
    fn any_text_has_a_number(
        text in "[ \t+\\-]{0,2}[0-9]{0,22}[.]{0,2}[0-9]{0,3}[eE]?[+-]?[0-9]{0,4}[ x]?",
    ) {
        let scanned = NumberText::scan(text.as_bytes());
        prop_assert_eq!(scanned.is_whole(), affinity_number(text.as_bytes()).is_some());
        prop_assert!(!scanned.real().is_nan());
        if let Ok(real) = text.trim_matches([' ', '\t']).parse::<f64>() {
            prop_assert!(scanned.is_whole());
            prop_assert_eq!(scanned.real(), real);
        }
    }

    #[test]
    fn integer_arithmetic_is_exact_or_real(left in any::<i64>(), right in any::<i64>()) {
        let sum = i128::from(left) + i128::from(right);
        match add_integers(left, right) {
            Number::Integer(value) => prop_assert_eq!(i128::from(value), sum),
            Number::Real(_) => prop_assert!(i64::try_from(sum).is_err()),
        }
        let product = i128::from(left) * i128::from(right);
        match multiply_integers(left, right) {
            Number::Integer(value) => prop_assert_eq!(i128::from(value), product),
            Number::Real(_) => prop_assert!(i64::try_from(product).is_err()),
        }
    }
}

#[test]
fn reals_print_as_in_sqlite() {
    for (real, expected, expected_15) in [
        (0.1 + 0.2, "0.30000000000000004", "0.3"),
        (1e100, "1.0e+100", "1.0e+100"),
        (1e14, "100000000000000.0", "100000000000000.0"),
        (1e15, "1000000000000000.0", "1.0e+15"),
        (1e17, "1.0e+17", "1.0e+17"),
        (100_000.0, "100000.0", "100000.0"),
        (9_007_199_254_740_993.0, "9007199254740992.0", "9.00719925474099e+15"),
        (49.47, "49.47", "49.47"),
        (1e-5, "1.0e-05", "1.0e-05"),
        (0.0001, "0.0001", "0.0001"),
        (1.0 / 3.0, "0.33333333333333332", "0.333333333333333"),
        (5e-324, "4.9406564584124654e-324", "4.94065645841247e-324"),
        (f64::MAX, "1.7976931348623157e+308", "1.79769313486232e+308"),
        (-1.5, "-1.5", "-1.5"),
        (-0.0, "0.0", "0.0"),
        (f64::INFINITY, "Inf", "Inf"),
        (f64::NEG_INFINITY, "-Inf", "-Inf"),
        (f64::NAN, "", ""),
    ] {
        assert_eq!(text(real), expected);
        assert_eq!(text_15(real), expected_15);
    }
}

#[test]
fn decimals_round_half_up_behind_the_point() {
    for (real, places, digits, point) in [
        (2.5, 0, "3", 1),
        (0.5, 0, "1", 1),
        (0.4, 0, "0", 1),
        (0.04, 0, "0", 1),
        (0.06, 1, "1", 0),
        (9.996, 2, "1", 2),
        (1.005, 2, "1", 1),
        (1234.5678, 1, "12346", 4),
    ] {
        let decimal = Decimal::of(real, -places, 20).unwrap();
        assert_eq!((decimal.digits(), decimal.point()), (digits.as_bytes(), point), "{real}");
    }
}

#[test]
fn texts_become_numbers_by_the_rule_that_asks() {
    use Number::{Integer, Real};
    let above = Real(9_223_372_036_854_775_808.0);
    for (text, integer, number, operand, affinity) in [
        ("", 0, Integer(0), Integer(0), None),
        ("abc", 0, Integer(0), Integer(0), None),
        ("-", 0, Integer(0), Integer(0), None),
        (".", 0, Integer(0), Integer(0), None),
        (" \n12\t ", 12, Integer(12), Integer(12), Some(Integer(12))),
        ("12abc", 12, Integer(12), Integer(12), None),
        ("0x10", 0, Integer(0), Integer(0), None),
        ("+7", 7, Integer(7), Integer(7), Some(Integer(7))),
        ("- 7", 0, Integer(0), Integer(0), None),
        ("5.", 5, Integer(5), Real(5.0), Some(Integer(5))),
        ("-.5", 0, Real(-0.5), Real(-0.5), Some(Real(-0.5))),
        ("1e3", 1, Integer(1000), Real(1000.0), Some(Integer(1000))),
        ("1e", 1, Integer(1), Integer(1), None),
        ("1e+x", 1, Integer(1), Integer(1), None),
        (
            "9223372036854775807",
            i64::MAX,
            Integer(i64::MAX),
            Integer(i64::MAX),
            Some(Integer(i64::MAX)),
        ),
        ("9223372036854775808", i64::MAX, above, above, Some(above)),
        (
            "-9223372036854775808",
            i64::MIN,
            Integer(i64::MIN),
            Integer(i64::MIN),
            Some(Integer(i64::MIN)),
        ),
        ("4e15", 4, Real(4e15), Real(4e15), Some(Integer(4_000_000_000_000_000))),
        ("1\x001", 1, Integer(1), Real(1.0), Some(Integer(1))),
        (" 1.5 \0", 1, Real(1.5), Real(1.5), Some(Real(1.5))),
        (
            "9007199254740993\0",
            9_007_199_254_740_993,
            Integer(9_007_199_254_740_993),
            Real(9_007_199_254_740_992.0),
            Some(Integer(9_007_199_254_740_992)),
        ),
        ("1x\0", 1, Integer(1), Integer(1), None),
        ("\x001", 0, Integer(0), Integer(0), None),
    ] {
        assert_eq!(cast_integer(text.as_bytes()), integer, "integer of {text:?}");
        assert_eq!(cast_number(text.as_bytes()), number, "number of {text:?}");
        assert_eq!(operand_number(text.as_bytes()), operand, "operand of {text:?}");
        assert_eq!(affinity_number(text.as_bytes()), affinity, "affinity of {text:?}");
    }
}

#[test]
fn integer_operations_leave_their_range_into_reals() {
    assert_eq!(add_integers(i64::MAX, 1), Number::Real(INTEGER_END));
    assert_eq!(subtract_integers(i64::MIN, 1), Number::Real(-INTEGER_END));
    assert_eq!(negate_integer(i64::MIN), Number::Real(INTEGER_END));
    assert_eq!(divide_integers(i64::MIN, -1), Some(Number::Real(INTEGER_END)));
    assert_eq!(divide_integers(-7, 2), Some(Number::Integer(-3)));
    assert_eq!(divide_integers(1, 0), None);
    assert_eq!(remainder_integers(i64::MIN, -1), Some(0));
    assert_eq!(remainder_integers(-7, 2), Some(-1));
    assert_eq!(remainder_integers(7, 0), None);
}

#[test]
fn reals_become_integers_where_they_are_equal() {
    assert_eq!(real_is_integer(3.0), Some(3));
    assert_eq!(real_is_integer(-0.0), Some(0));
    assert_eq!(real_is_integer(3.5), None);
    assert_eq!(real_is_integer(INTEGER_END), None);
    assert_eq!(real_is_integer(-INTEGER_END), Some(i64::MIN));
    assert_eq!(real_is_integer(f64::NAN), None);
    assert_eq!(real_integer_affinity(-INTEGER_END), None);
    assert_eq!(real_to_integer(1e300), i64::MAX);
    assert_eq!(real_to_integer(-1e300), i64::MIN);
    assert_eq!(real_to_integer(-1.9), -1);
}
