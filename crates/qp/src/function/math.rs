//! Mathematical functions on reals.
//!
//! An argument counts only if it is a number or its whole text spells one; everything else
//! gives NULL, and so does every result that is not a number. Neighbours: `core` has `abs`,
//! `sign` and `round`.

use pandodb_ds::record::number::Number;
use pandodb_ds::record::{Value, ValueRef};

use super::call::Context;
use super::coerce::strict_number;
use crate::error::Result;

/// A function of one real.
fn unary(args: &[ValueRef<'_>], function: fn(f64) -> f64) -> Value {
    strict_number(args[0]).map_or(Value::Null, |x| Value::real(function(x.to_real())))
}

/// A function of two reals.
fn binary(args: &[ValueRef<'_>], function: impl Fn(f64, f64) -> f64) -> Value {
    match (strict_number(args[0]), strict_number(args[1])) {
        (Some(x), Some(y)) => Value::real(function(x.to_real(), y.to_real())),
        _ => Value::Null,
    }
}

/// A function that leaves integers as they are.
fn integral(args: &[ValueRef<'_>], function: fn(f64) -> f64) -> Value {
    match strict_number(args[0]) {
        None => Value::Null,
        Some(Number::Integer(value)) => Value::Integer(value),
        Some(Number::Real(value)) => Value::real(function(value)),
    }
}

/// A logarithm: NULL from zero downwards.
fn logarithm(args: &[ValueRef<'_>], function: fn(f64) -> f64) -> Value {
    match strict_number(args[0]).map(Number::to_real) {
        Some(x) if x > 0.0 => Value::real(function(x)),
        _ => Value::Null,
    }
}

/// Scalar functions that differ in one expression only.
macro_rules! functions {
    ($($name:ident = $shape:ident($function:expr);)*) => {
        $(pub(super) fn $name(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
            Ok($shape(args, $function))
        })*
    };
}

functions! {
    acos = unary(f64::acos);
    acosh = unary(f64::acosh);
    asin = unary(f64::asin);
    asinh = unary(f64::asinh);
    atan = unary(f64::atan);
    atanh = unary(f64::atanh);
    cos = unary(f64::cos);
    cosh = unary(f64::cosh);
    sin = unary(f64::sin);
    sinh = unary(f64::sinh);
    tan = unary(f64::tan);
    tanh = unary(f64::tanh);
    exp = unary(f64::exp);
    sqrt = unary(f64::sqrt);
    radians = unary(|x| x * (std::f64::consts::PI / 180.0));
    degrees = unary(|x| x * (180.0 / std::f64::consts::PI));
    atan2 = binary(f64::atan2);
    pow = binary(f64::powf);
    modulo = binary(|x, y| x % y);
    ceil = integral(f64::ceil);
    floor = integral(f64::floor);
    trunc = integral(f64::trunc);
    ln = logarithm(f64::ln);
    log10 = logarithm(f64::log10);
    log2 = logarithm(f64::log2);
}

/// `log(x)` to base ten, `log(base, x)` to any.
pub(super) fn log(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let [base, x] = args else { return log10(context, args) };
    let (Some(base), Some(x)) = (strict_number(*base), strict_number(*x)) else {
        return Ok(Value::Null);
    };
    let (base, x) = (base.to_real(), x.to_real());
    if base <= 0.0 || x <= 0.0 {
        return Ok(Value::Null);
    }
    let divisor = base.ln();
    Ok(if divisor <= 0.0 { Value::Null } else { Value::real(x.ln() / divisor) })
}

pub(super) fn pi(_: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::Real(std::f64::consts::PI))
}
