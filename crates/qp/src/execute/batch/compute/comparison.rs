//! Comparisons of vectors: `=` to `IS NOT`, BETWEEN, IN a list or the rows of a subquery.
//!
//! Numbers without NULLs are compared in loops of their own; everything else goes through the
//! comparison of single values, with its affinities and collations. Neighbours: `logic`.

#![allow(clippy::float_cmp, reason = "these are the rules of exact comparison")]

use std::cmp::Ordering;

use pandodb_ds::record::{Collation, Value, ValueRef};

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::{
    BetweenCondition, Column, InListCondition, InSetCondition,
};
use crate::execute::batch::logic;
use crate::execute::batch::vector::{Tag, Tags, Truth, Vector};
use crate::scalar::{CompareRule, Comparison, decide};
use crate::types::{Affinity, Datum, apply_affinity};

/// Up to here integers are exact as reals.
const EXACT: i64 = 1 << 53;

/// `left operator right` for every row.
pub(in crate::execute::batch) fn compare(
    operator: Comparison,
    rule: CompareRule,
    left: &Column,
    right: &Column,
    rows: usize,
    run: &Run<'_>,
) -> Vec<Truth> {
    // Numbers are compared as they are unless the rule is that of texts.
    if rule.affinity != Affinity::Text {
        if let Some(truths) = numbers(operator, left, right) {
            return truths;
        }
        if let (Column::Constant(_), Column::Vector(_)) = (left, right)
            && let Some(truths) = numbers(operator.exchanged(), right, left)
        {
            return truths;
        }
    }
    if let Some(truths) = texts(operator, rule, left, right) {
        return truths;
    }
    let context = run.outer.context;
    let each = |row| {
        let (left, right) = (Datum::Ref(left.get(row)), Datum::Ref(right.get(row)));
        Truth::of(decide(operator, left, right, rule, context))
    };
    (0..rows).map(each).collect()
}

/// Vectors of numbers without NULLs.
fn numbers(operator: Comparison, left: &Column, right: &Column) -> Option<Vec<Truth>> {
    let Column::Vector(left) = left else { return None };
    match (left.seen(), right) {
        (Tags::INTEGER, Column::Constant(Value::Integer(value))) => {
            let value = *value;
            Some(loop_over(operator, left.bits(), |bits| *bits as i64, |_| value))
        }
        (Tags::REAL, Column::Constant(Value::Real(value))) => {
            let value = *value;
            Some(loop_over(operator, left.bits(), |bits| f64::from_bits(*bits), |_| value))
        }
        (Tags::REAL, Column::Constant(Value::Integer(value)))
            if value.abs_diff(0) <= EXACT as u64 =>
        {
            let value = *value as f64;
            Some(loop_over(operator, left.bits(), |bits| f64::from_bits(*bits), |_| value))
        }
        (Tags::INTEGER, Column::Vector(right)) if right.seen() == Tags::INTEGER => {
            let right = right.bits();
            Some(loop_over(operator, left.bits(), |bits| *bits as i64, |row| right[row] as i64))
        }
        (Tags::REAL, Column::Vector(right)) if right.seen() == Tags::REAL => {
            let right = right.bits();
            let other = |row: usize| f64::from_bits(right[row]);
            Some(loop_over(operator, left.bits(), |bits| f64::from_bits(*bits), other))
        }
        _ => None,
    }
}

fn loop_over<T: PartialOrd>(
    operator: Comparison,
    bits: &[u64],
    left: impl Fn(&u64) -> T,
    right: impl Fn(usize) -> T,
) -> Vec<Truth> {
    let each = |holds: &dyn Fn(T, T) -> bool| {
        let rows = bits.iter().enumerate();
        rows.map(|(row, bits)| Truth::from_bool(holds(left(bits), right(row)))).collect()
    };
    match operator {
        Comparison::Equal | Comparison::Is => each(&|left, right| left == right),
        Comparison::NotEqual | Comparison::IsNot => each(&|left, right| left != right),
        Comparison::Less => each(&|left, right| left < right),
        Comparison::LessOrEqual => each(&|left, right| left <= right),
        Comparison::Greater => each(&|left, right| left > right),
        Comparison::GreaterOrEqual => each(&|left, right| left >= right),
    }
}

/// The first bytes of a text as a number that orders like them.
#[inline]
fn head_word(text: &[u8]) -> u64 {
    if let Some(head) = text.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; 8];
    head[..text.len()].copy_from_slice(text);
    u64::from_be_bytes(head)
}

/// Texts (and NULLs) with a constant text or with other texts, by bytes.
fn texts(
    operator: Comparison,
    rule: CompareRule,
    left: &Column,
    right: &Column,
) -> Option<Vec<Truth>> {
    let Column::Vector(vector) = left else { return None };
    let is_text = |vector: &Vector| vector.seen().only(&[Tag::Text, Tag::Null]);
    let is_plain = rule.collation == Collation::Binary
        && !rule.affinity.is_numeric()
        && !matches!(operator, Comparison::Is | Comparison::IsNot)
        && is_text(vector);
    if !is_plain {
        return None;
    }
    let holds = |order: Ordering| Truth::from_bool(operator.holds(order));
    let [less, equal, greater] = [Ordering::Less, Ordering::Equal, Ordering::Greater].map(holds);
    // Most texts differ in their first bytes.
    let order = |left: &[u8], left_word: u64, right: &[u8], right_word: u64| {
        if left_word != right_word {
            return if left_word < right_word { less } else { greater };
        }
        match left.cmp(right) {
            Ordering::Less => less,
            Ordering::Equal => equal,
            Ordering::Greater => greater,
        }
    };
    match right {
        Column::Constant(Value::Text(text)) => {
            let word = head_word(text);
            let each = |row| match vector.get(row) {
                ValueRef::Text(left) => order(left, head_word(left), text, word),
                _ => Truth::Unknown,
            };
            Some((0..vector.len()).map(each).collect())
        }
        Column::Vector(other) if is_text(other) => {
            let each = |row| match (vector.get(row), other.get(row)) {
                (ValueRef::Text(left), ValueRef::Text(right)) => {
                    order(left, head_word(left), right, head_word(right))
                }
                _ => Truth::Unknown,
            };
            Some((0..vector.len()).map(each).collect())
        }
        _ => None,
    }
}

/// `operand BETWEEN low AND high`.
pub(in crate::execute::batch) fn between(
    between: &BetweenCondition,
    batch: &mut Batch,
    run: &mut Run<'_>,
) -> Result<Vec<Truth>> {
    let operand = between.operand.evaluate(batch, run)?;
    let low = between.low.0.evaluate(batch, run)?;
    let high = between.high.0.evaluate(batch, run)?;
    let rows = batch.rows;
    let above = compare(Comparison::GreaterOrEqual, between.low.1, &operand, &low, rows, run);
    let mut truths = compare(Comparison::LessOrEqual, between.high.1, &operand, &high, rows, run);
    for (truth, above) in truths.iter_mut().zip(above) {
        *truth = logic::and(*truth, above);
        if between.negated {
            *truth = logic::not(*truth);
        }
    }
    Ok(truths)
}

/// `operand IN (constants)`.
pub(in crate::execute::batch) fn in_list(
    list: &InListCondition,
    batch: &mut Batch,
    run: &mut Run<'_>,
) -> Result<Vec<Truth>> {
    let operand = list.operand.evaluate(batch, run)?;
    let (found, absent) =
        if list.negated { (Truth::False, Truth::True) } else { (Truth::True, Truth::False) };
    if list.constants.is_empty() && !list.has_null {
        return Ok(vec![absent; batch.rows]);
    }
    let context = run.outer.context;
    let absent = if list.has_null { Truth::Unknown } else { absent };
    if let Some(is_in) = plain_list(list, &operand) {
        let truth = |row| match is_in(row) {
            Some(true) => found,
            Some(false) => absent,
            None => Truth::Unknown,
        };
        return Ok((0..batch.rows).map(truth).collect());
    }
    let each = |row| {
        let value = operand.get(row);
        if value.is_null() {
            return Truth::Unknown;
        }
        let value = apply_affinity(Datum::Ref(value), list.rule.affinity);
        let place = list.constants.binary_search_by(|constant| {
            let (left, right) = (constant.as_ref(), value.as_ref());
            crate::types::compare(left, right, list.rule.collation, context.collations)
        });
        if place.is_ok() { found } else { absent }
    };
    Ok((0..batch.rows).map(each).collect())
}

/// `operand IN (SELECT ..)`.
pub(in crate::execute::batch) fn in_set(
    condition: &InSetCondition,
    batch: &mut Batch,
    run: &mut Run<'_>,
) -> Result<Vec<Truth>> {
    let InSetCondition { set, rule, operand } = condition;
    let (negated, rows) = (set.negated, batch.rows);
    let set = set.set(&run.frame.scope(run.outer))?;
    let truth = |found: Option<bool>| Truth::of(found.map(|found| found != negated));
    if set.is_empty() {
        return Ok(vec![truth(Some(false)); rows]);
    }
    let operand = operand.evaluate(batch, run)?;
    if let Column::Vector(vector) = &operand
        && vector.seen() == Tags::INTEGER
        && rule.affinity != Affinity::Text
    {
        let each = |bits: &u64| set.find_integer(*bits as i64).map(truth);
        return vector.bits().iter().map(each).collect();
    }
    let mut key = Vec::new();
    let mut truths = Vec::with_capacity(rows);
    for row in 0..rows {
        let value = apply_affinity(Datum::Ref(operand.get(row)), rule.affinity);
        let found = set.find(value.as_ref(), rule.collation, run.outer.context, &mut key)?;
        truths.push(truth(found));
    }
    Ok(truths)
}

/// The most constants that are looked through one after the other.
const LIST_MAX: usize = 16;

/// Whether a row is in a short list: of texts that compare by their bytes, or of integers.
fn plain_list<'l>(
    list: &'l InListCondition,
    operand: &'l Column,
) -> Option<Box<dyn Fn(usize) -> Option<bool> + 'l>> {
    let Column::Vector(vector) = operand else { return None };
    let affinity = list.rule.affinity;
    if list.constants.len() > LIST_MAX {
        return None;
    }
    let texts: Option<Vec<&[u8]>> = list
        .constants
        .iter()
        .map(|constant| match constant {
            Value::Text(text) => Some(&**text),
            _ => None,
        })
        .collect();
    if let Some(texts) = texts {
        let is_plain = !affinity.is_numeric()
            && list.rule.collation == Collation::Binary
            && vector.seen().only(&[Tag::Text, Tag::Null]);
        let is_in = move |row| match vector.get(row) {
            ValueRef::Text(text) => Some(texts.contains(&text)),
            _ => None,
        };
        return is_plain.then(|| Box::new(is_in) as Box<dyn Fn(usize) -> Option<bool>>);
    }
    let integers: Option<Vec<u64>> = list
        .constants
        .iter()
        .map(|constant| match constant {
            Value::Integer(value) => Some(*value as u64),
            _ => None,
        })
        .collect();
    let integers = integers.filter(|_| affinity != Affinity::Text)?;
    let is_in = move |row: usize| Some(integers.contains(&vector.bits()[row]));
    (vector.seen() == Tags::INTEGER).then(|| Box::new(is_in) as Box<dyn Fn(usize) -> Option<bool>>)
}

// Neighbours: `expression`, `logic`.
