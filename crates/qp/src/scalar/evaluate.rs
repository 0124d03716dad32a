//! Evaluation of expressions over the current rows of their frames.
//!
//! Nothing is copied that is only looked at: columns and constants come out borrowed. Logic is
//! three-valued and evaluated only as far as it matters. Neighbours: `execute::subquery` runs
//! subqueries, `function` the calls and operators.

use std::cmp::Ordering;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::{
    Between, Binary, Call, Case, Compare, CompareRule, Comparison, InList, RowBetween, RowCase,
    RowCompare, Scalar, Unary,
};
use crate::ast::RaiseAction;
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{Context, Scope};
use crate::function::{self, operators};
use crate::types::{Affinity, Datum, apply_affinity, cast, compare};

/// The order of two values under `rule`; `None` where one is NULL.
#[inline]
pub fn compare_by(
    left: Datum<'_>,
    right: Datum<'_>,
    rule: CompareRule,
    context: &Context<'_>,
) -> Option<Ordering> {
    if left.is_null() || right.is_null() {
        return None;
    }
    if rule.affinity >= Affinity::Text {
        let (left, right) = convert_pair(left, right, rule.affinity);
        return Some(compare(left.as_ref(), right.as_ref(), rule.collation, context.collations));
    }
    Some(compare(left.as_ref(), right.as_ref(), rule.collation, context.collations))
}

/// Applies the affinity of a comparison: numeric only to texts, text only where one is a text.
fn convert_pair<'a>(
    left: Datum<'a>,
    right: Datum<'a>,
    affinity: Affinity,
) -> (Datum<'a>, Datum<'a>) {
    let is_text = |value: &Datum<'_>| matches!(value.as_ref(), ValueRef::Text(_));
    if affinity.is_numeric() {
        let convert = |value: Datum<'a>| {
            if is_text(&value) { apply_affinity(value, Affinity::Numeric) } else { value }
        };
        (convert(left), convert(right))
    } else if is_text(&left) != is_text(&right) {
        (apply_affinity(left, affinity), apply_affinity(right, affinity))
    } else {
        (left, right)
    }
}

impl Scalar {
    /// The value over the current rows.
    pub fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Datum<'a>> {
        Ok(match self {
            Self::Literal(value) => Datum::from(value),
            Self::Parameter(index) => scope.outer.context.parameter(*index),
            Self::Column(place) => {
                let frame =
                    if place.depth == 0 { scope.frame } else { scope.frame_at(place.depth) };
                return frame.slot(place.slot).column(place.column);
            }
            Self::Unary(operator, operand) => unary(*operator, operand.evaluate(scope)?),
            Self::Binary(operator, operands) => {
                let [left, right] = &**operands;
                let (left, right) = (left.evaluate(scope)?, right.evaluate(scope)?);
                Datum::Owned(operate(
                    *operator,
                    left.as_ref(),
                    right.as_ref(),
                    scope.outer.context.session,
                )?)
            }
            Self::Convert(operand, affinity, ..) => {
                apply_affinity(operand.evaluate(scope)?, *affinity)
            }
            Self::Cast(operand, affinity) => cast(operand.evaluate(scope)?, *affinity),
            Self::Collate(operand, _) | Self::Json(operand) => return operand.evaluate(scope),
            Self::Case(case) => return evaluate_case(case, scope).map(|(value, _)| value),
            Self::RowCase(case) => return evaluate_row_case(case, scope).map(|(value, _)| value),
            Self::Call(call) => Datum::Owned(evaluate_call(call, scope, false)?.0),
            Self::Subquery(call, column) => call.scalar(scope, usize::from(*column))?,
            Self::Row(_) => return Err(Error::invalid("row value misused")),
            Self::Raise(action, message) => return Err(raise(*action, message.as_deref(), scope)),
            truth => Datum::boolean(truth.truth(scope)?),
        })
    }

    /// Whether it holds: what WHERE, AND and CASE ask.
    pub fn truth(&self, scope: &Scope<'_>) -> Result<Option<bool>> {
        match self {
            Self::And(terms) => {
                let mut result = Some(true);
                for term in terms {
                    match term.truth(scope)? {
                        Some(false) => return Ok(Some(false)),
                        None => result = None,
                        Some(true) => {}
                    }
                }
                Ok(result)
            }
            Self::Or(terms) => {
                let mut result = Some(false);
                for term in terms {
                    match term.truth(scope)? {
                        Some(true) => return Ok(Some(true)),
                        None => result = None,
                        Some(false) => {}
                    }
                }
                Ok(result)
            }
            Self::Unary(Unary::Not, operand) => Ok(operand.truth(scope)?.map(|truth| !truth)),
            Self::Compare(compare) => evaluate_compare(compare, scope),
            Self::Between(between) => evaluate_between(between, scope),
            Self::RowCompare(compare) => evaluate_row_compare(compare, scope),
            Self::RowBetween(between) => evaluate_row_between(between, scope),
            Self::IsNull(operand, negated) => {
                Ok(Some(operand.evaluate(scope)?.is_null() != *negated))
            }
            Self::IsTruth { operand, truth, negated } => {
                Ok(Some((operand.truth(scope)? == Some(*truth)) != *negated))
            }
            Self::InList(list) => evaluate_in_list(list, scope),
            Self::InSubquery(set) => set.contains(scope),
            Self::Quantified(quantified) => quantified.holds(scope),
            Self::Exists(call) => call.exists(scope).map(Some),
            other => Ok(operators::truth(other.evaluate(scope)?.as_ref())),
        }
    }

    /// Whether it is true; neither false nor NULL.
    #[inline]
    pub fn is_true(&self, scope: &Scope<'_>) -> Result<bool> {
        Ok(self.truth(scope)? == Some(true))
    }

    /// The value of a constant expression outside of any row.
    pub fn evaluate_owned(&self, scope: &Scope<'_>) -> Result<Value> {
        Ok(self.evaluate(scope)?.into_value())
    }
}

fn unary(operator: Unary, operand: Datum<'_>) -> Datum<'_> {
    match operator {
        Unary::Plus => operand,
        Unary::Negate => Datum::Owned(operators::negate(operand.as_ref())),
        Unary::BitNot => Datum::Owned(operators::bit_not(operand.as_ref())),
        Unary::Not => Datum::Owned(operators::not(operand.as_ref())),
    }
}

/// What an operator makes of two values.
pub(crate) fn operate(
    operator: Binary,
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    session: &dyn function::Session,
) -> Result<Value> {
    Ok(match operator {
        Binary::Add => operators::add(left, right),
        Binary::Subtract => operators::subtract(left, right),
        Binary::Multiply => operators::multiply(left, right),
        Binary::Divide => operators::divide(left, right),
        Binary::Remainder => operators::remainder(left, right),
        Binary::BitAnd => operators::bit_and(left, right),
        Binary::BitOr => operators::bit_or(left, right),
        Binary::ShiftLeft => operators::shift_left(left, right),
        Binary::ShiftRight => operators::shift_right(left, right),
        Binary::Concatenate => {
            let mut cache = function::Cache::default();
            operators::concatenate(&function::Context::new(session, &mut cache), left, right)?
        }
    })
}

fn evaluate_compare(compare: &Compare, scope: &Scope<'_>) -> Result<Option<bool>> {
    let left = compare.left.evaluate(scope)?;
    let right = compare.right.evaluate(scope)?;
    Ok(decide(compare.operator, left, right, compare.rule, scope.outer.context))
}

/// What a comparison of two values gives.
pub(crate) fn decide(
    operator: Comparison,
    left: Datum<'_>,
    right: Datum<'_>,
    rule: CompareRule,
    context: &Context<'_>,
) -> Option<bool> {
    if matches!(operator, Comparison::Is | Comparison::IsNot) {
        let same = match (left.is_null(), right.is_null()) {
            (false, false) => compare_by(left, right, rule, context) == Some(Ordering::Equal),
            (left, right) => left == right,
        };
        return Some(same == (operator == Comparison::Is));
    }
    compare_by(left, right, rule, context).map(|order| operator.holds(order))
}

fn evaluate_between(between: &Between, scope: &Scope<'_>) -> Result<Option<bool>> {
    let operand = between.operand.evaluate(scope)?;
    let context = scope.outer.context;
    let low = between.low.evaluate(scope)?;
    let shared = Datum::Ref(operand.as_ref());
    let above = compare_by(shared, low, between.low_rule, context).map(Ordering::is_ge);
    if above == Some(false) {
        return Ok(Some(between.negated));
    }
    let high = between.high.evaluate(scope)?;
    let shared = Datum::Ref(operand.as_ref());
    let below = compare_by(shared, high, between.high_rule, context).map(Ordering::is_le);
    let inside = match (above, below) {
        (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    Ok(inside.map(|inside| inside != between.negated))
}

/// The value of a part of a row. Parts of one subquery's row are parts of one row, also where it
/// has another one each time it runs: it runs for the first of them.
pub(crate) fn evaluate_part<'a>(
    parts: &'a [Scalar],
    index: usize,
    scope: &Scope<'a>,
) -> Result<Datum<'a>> {
    let before = index.checked_sub(1).and_then(|before| parts.get(before));
    match (before, &parts[index]) {
        (Some(Scalar::Subquery(before, _)), Scalar::Subquery(call, column))
            if before.state == call.state =>
        {
            call.scalar_again(scope, usize::from(*column))
        }
        (_, part) => part.evaluate(scope),
    }
}

fn evaluate_row_compare(rows: &RowCompare, scope: &Scope<'_>) -> Result<Option<bool>> {
    let left = |index: usize| evaluate_part(&rows.left, index, scope);
    compare_rows(rows.operator, left, &rows.right, &rows.rules, scope)
}

fn evaluate_row_between(between: &RowBetween, scope: &Scope<'_>) -> Result<Option<bool>> {
    let mut operands: SmallVec<[Datum<'_>; 4]> = SmallVec::with_capacity(between.operands.len());
    for index in 0..between.operands.len() {
        operands.push(evaluate_part(&between.operands, index, scope)?);
    }
    let operand = |index: usize| Ok(Datum::Ref(operands[index].as_ref()));
    let (low, high) = (Comparison::GreaterOrEqual, Comparison::LessOrEqual);
    let above = compare_rows(low, operand, &between.low, &between.low_rules, scope)?;
    let below = if above == Some(false) {
        above
    } else {
        compare_rows(high, operand, &between.high, &between.high_rules, scope)?
    };
    let inside = match (above, below) {
        (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    Ok(inside.map(|inside| inside != between.negated))
}

/// `left operator right` of rows.
fn compare_rows<'a>(
    operator: Comparison,
    left: impl Fn(usize) -> Result<Datum<'a>>,
    right: &'a [Scalar],
    rules: &[CompareRule],
    scope: &Scope<'a>,
) -> Result<Option<bool>> {
    let context = scope.outer.context;
    let mut unknown = false;
    let last = right.len().saturating_sub(1);
    for (index, rule) in rules.iter().enumerate() {
        let (left, right) = (left(index)?, evaluate_part(right, index, scope)?);
        match operator {
            Comparison::Is | Comparison::IsNot => {
                if decide(Comparison::Is, left, right, *rule, context) == Some(false) {
                    return Ok(Some(operator == Comparison::IsNot));
                }
            }
            Comparison::Equal | Comparison::NotEqual => {
                match compare_by(left, right, *rule, context) {
                    Some(Ordering::Equal) => {}
                    Some(_) => return Ok(Some(operator == Comparison::NotEqual)),
                    None => unknown = true,
                }
            }
            _ => match compare_by(left, right, *rule, context) {
                Some(Ordering::Equal) if index < last => {}
                Some(order) => return Ok(Some(operator.holds(order))),
                None => return Ok(None),
            },
        }
    }
    if unknown {
        return Ok(None);
    }
    Ok(Some(matches!(operator, Comparison::Is | Comparison::Equal)))
}

fn evaluate_in_list(list: &InList, scope: &Scope<'_>) -> Result<Option<bool>> {
    let context = scope.outer.context;
    let is_empty = list.constants.is_empty() && list.others.is_empty() && !list.has_null;
    if is_empty {
        return Ok(Some(list.negated));
    }
    let operand = list.operand.evaluate(scope)?;
    if operand.is_null() {
        return Ok(None);
    }
    let operand = apply_affinity(operand, list.rule.affinity);
    let collation = list.rule.collation;
    let found = list.constants.binary_search_by(|constant| {
        compare(constant.as_ref(), operand.as_ref(), collation, context.collations)
    });
    if found.is_ok() {
        return Ok(Some(!list.negated));
    }
    let mut unknown = list.has_null;
    for other in &list.others {
        let other = apply_affinity(other.evaluate(scope)?, list.rule.affinity);
        if other.is_null() {
            unknown = true;
        } else if compare(operand.as_ref(), other.as_ref(), collation, context.collations).is_eq() {
            return Ok(Some(!list.negated));
        }
    }
    Ok(if unknown { None } else { Some(list.negated) })
}

pub(super) fn evaluate_case<'a>(case: &'a Case, scope: &Scope<'a>) -> Result<(Datum<'a>, bool)> {
    let context = scope.outer.context;
    let operand = match &case.operand {
        Some(operand) => Some(operand.evaluate(scope)?),
        None => None,
    };
    for (when, rule, then) in &case.branches {
        let holds = match &operand {
            None => when.truth(scope)?,
            Some(operand) => {
                let shared = Datum::Ref(operand.as_ref());
                decide(Comparison::Equal, shared, when.evaluate(scope)?, *rule, context)
            }
        };
        if holds == Some(true) {
            return then.evaluate_json(scope);
        }
    }
    match &case.otherwise {
        Some(otherwise) => otherwise.evaluate_json(scope),
        None => Ok((Datum::NULL, false)),
    }
}

pub(super) fn evaluate_row_case<'a>(
    case: &'a RowCase,
    scope: &Scope<'a>,
) -> Result<(Datum<'a>, bool)> {
    let context = scope.outer.context;
    let mut operands: SmallVec<[Datum<'_>; 4]> = SmallVec::with_capacity(case.operands.len());
    for index in 0..case.operands.len() {
        operands.push(evaluate_part(&case.operands, index, scope)?);
    }
    'branches: for (whens, rules, then) in &case.branches {
        for ((operand, when), rule) in operands.iter().zip(whens).zip(rules) {
            let shared = Datum::Ref(operand.as_ref());
            let equal = decide(Comparison::Equal, shared, when.evaluate(scope)?, *rule, context);
            if equal != Some(true) {
                continue 'branches;
            }
        }
        return then.evaluate_json(scope);
    }
    match &case.otherwise {
        Some(otherwise) => otherwise.evaluate_json(scope),
        None => Ok((Datum::NULL, false)),
    }
}

/// The result of a call, and whether it is JSON. `passes` asks a function that gives back one of
/// its arguments for that, too.
pub(super) fn evaluate_call(call: &Call, scope: &Scope<'_>, passes: bool) -> Result<(Value, bool)> {
    let context = scope.outer.context;
    let mut flags = function::JsonFlags::none();
    let mut arguments: SmallVec<[Datum<'_>; 4]> = SmallVec::with_capacity(call.arguments.len());
    for (index, argument) in call.arguments.iter().enumerate() {
        if passes || call.function.traits.reads_json {
            let (value, is_json) = argument.evaluate_json(scope)?;
            if is_json {
                flags.set(index);
            }
            arguments.push(value);
        } else {
            arguments.push(argument.evaluate(scope)?);
        }
    }
    let references: SmallVec<[ValueRef<'_>; 4]> = arguments.iter().map(Datum::as_ref).collect();
    let mut cache = scope.frame.caches[call.cache as usize].borrow_mut();
    let mut surroundings = function::Context::new(context.session, &mut cache);
    surroundings.json_arguments = flags;
    let by_collation = |left: &[u8], right: &[u8]| {
        let (left, right) = (ValueRef::Text(left), ValueRef::Text(right));
        compare(left, right, call.collation, context.collations)
    };
    if call.function.traits.uses_collation {
        surroundings.collation = &by_collation;
    }
    surroundings.pure_place = context.run.pure_place.get();
    let value = call.function.call(&mut surroundings, &references)?;
    context.tick_value(&value)?;
    Ok((value, surroundings.json_result))
}

#[cold]
fn raise(action: RaiseAction, message: Option<&Scalar>, scope: &Scope<'_>) -> Error {
    let text = match message.map(|message| message.evaluate(scope)) {
        Some(Ok(value)) => {
            let text = cast(value, Affinity::Text).into_value();
            match text {
                Value::Text(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                _ => String::new(),
            }
        }
        Some(Err(error)) => return error,
        None => String::new(),
    };
    scope.outer.context.run.raised.set(Some(action));
    match action {
        RaiseAction::Ignore => Error::new(ErrorKind::Internal, "RAISE(IGNORE)"),
        _ => Error::constraint(Constraint::Trigger, text),
    }
}
