//! Which values are JSON that a function made: SQLite's subtype, which is no part of a value.
//!
//! It is asked only by functions that read it, of their arguments: most expressions never pay for
//! it. Where it depends on the value, a column of the same row tells ([`JsonSign`]), so that it
//! goes wherever the row goes. As in SQLite it ends at the edge of a subquery, unless what comes
//! out is a column as its table gives it. Neighbours: `evaluate` has the values,
//! `bind` the signs, `bind::from::signs` those of subqueries.

use pandodb_ds::record::ValueRef;

use super::evaluate::{evaluate_call, evaluate_case, evaluate_row_case};
use super::{ColumnPlace, JsonSign, Scalar, SlotId, SubqueryCall, Unary};
use crate::error::Result;
use crate::execute::Scope;
use crate::plan::Node;
use crate::types::{Affinity, Datum, apply_affinity, cast};

impl Scalar {
    /// The value, and whether it is JSON made by a JSON function.
    pub fn evaluate_json<'a>(&'a self, scope: &Scope<'a>) -> Result<(Datum<'a>, bool)> {
        match self {
            Self::Column(place) if place.json != JsonSign::None => {
                Ok((self.evaluate(scope)?, is_signed(place, scope)?))
            }
            Self::Call(call) if call.function.traits.may_return_json => {
                let (value, is_json) = evaluate_call(call, scope, false)?;
                Ok((Datum::Owned(value), is_json))
            }
            Self::Call(call) if passes_json(&call.function.name) => {
                let (value, is_json) = evaluate_call(call, scope, true)?;
                Ok((Datum::Owned(value), is_json))
            }
            Self::Json(operand) => Ok((operand.evaluate(scope)?, true)),
            Self::Unary(Unary::Plus, operand) | Self::Collate(operand, _) => {
                operand.evaluate_json(scope)
            }
            Self::Cast(operand, affinity) if keeps_text(*affinity) => {
                let (value, is_json) = operand.evaluate_json(scope)?;
                Ok((cast(value, *affinity), is_json))
            }
            Self::Convert(operand, affinity, _, true) => {
                let (value, is_json) = operand.evaluate_json(scope)?;
                Ok((apply_affinity(value, *affinity), is_json))
            }
            Self::Case(case) => evaluate_case(case, scope),
            Self::RowCase(case) => evaluate_row_case(case, scope),
            Self::Subquery(call, column) if call.may_give_json(*column) => {
                call.scalar_json(scope, usize::from(*column))
            }
            other => Ok((other.evaluate(scope)?, false)),
        }
    }

    /// Whether its texts may be JSON made by a JSON function.
    pub fn may_be_json(&self) -> bool {
        match self {
            Self::Column(place) => place.json != JsonSign::None,
            Self::Subquery(call, column) => call.may_give_json(*column),
            _ => self.makes_json() || self.any_passed(&mut Self::may_be_json),
        }
    }

    /// Whether a function in it may make JSON: that does not leave a subquery.
    pub fn makes_json(&self) -> bool {
        match self {
            Self::Column(place) => matches!(place.json, JsonSign::Flag { made: true, .. }),
            Self::Json(_) => true,
            Self::Call(call) if call.function.traits.may_return_json => true,
            // What a generated column is computed from is not made where the column is read.
            Self::Convert(..) => false,
            _ => self.any_passed(&mut Self::makes_json),
        }
    }

    /// Whether `test` holds for an operand whose value may be that of the whole.
    fn any_passed(&self, test: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::Call(call) if passes_json(&call.function.name) => call.arguments.iter().any(test),
            Self::Unary(Unary::Plus, operand)
            | Self::Collate(operand, _)
            | Self::Convert(operand, _, _, true) => test(operand),
            Self::Cast(operand, affinity) => keeps_text(*affinity) && test(operand),
            Self::Case(case) => {
                case.branches.iter().any(|(_, _, then)| test(then))
                    || case.otherwise.as_ref().is_some_and(test)
            }
            Self::RowCase(case) => {
                case.branches.iter().any(|(_, _, then)| test(then))
                    || case.otherwise.as_ref().is_some_and(test)
            }
            _ => false,
        }
    }

    /// Takes columns for plain texts, as they are where rows were put in order before: what is
    /// computed from them is JSON all the same. Aggregates gave slot `results`: `all` is for those,
    /// too.
    pub fn forget_json(&mut self, results: Option<SlotId>, all: bool) {
        let is_result = |place: &ColumnPlace| place.depth == 0 && results == Some(place.slot);
        match self {
            Self::Column(place) => {
                if all || !is_result(place) {
                    place.json = JsonSign::None;
                }
            }
            Self::Convert(_, _, _, keeps) => *keeps = false,
            Self::Json(operand) => {
                if let Self::Column(place) = &**operand
                    && all
                    && is_result(place)
                {
                    *self = Self::Column(*place);
                }
            }
            other => other.children_mut(&mut |child| child.forget_json(results, all)),
        }
    }

    /// Takes the columns of a slot for plain texts.
    pub(crate) fn forget_json_of(&mut self, slot: SlotId) {
        self.rewrite(&mut |node| {
            if let Self::Column(place) = node
                && (place.depth, place.slot) == (0, slot)
            {
                place.json = JsonSign::None;
            }
        });
    }
}

impl SubqueryCall {
    /// Whether a column of its row may come as JSON: one that no function has made, of rows that
    /// no sort has put in order.
    fn may_give_json(&self, column: u16) -> bool {
        let output = self.plan.outputs.get(usize::from(column));
        output.is_some_and(|output| output.may_be_json() && !output.makes_json())
            && !is_sorted(&self.plan.root)
    }
}

fn is_sorted(node: &Node) -> bool {
    match node {
        Node::Sort(_) => true,
        Node::Limit(limit) => is_sorted(&limit.input),
        _ => false,
    }
}

/// What the column beside it tells.
fn is_signed(place: &ColumnPlace, scope: &Scope<'_>) -> Result<bool> {
    let Some(column) = place.json.column() else { return Ok(false) };
    let frame = if place.depth == 0 { scope.frame } else { scope.frame_at(place.depth) };
    let sign = frame.slot(place.slot).column(column)?;
    Ok(match sign.as_ref() {
        ValueRef::Text(kind) => matches!(kind, b"array" | b"object"),
        ValueRef::Integer(flag) => flag != 0,
        _ => false,
    })
}

/// Whether a cast leaves a text as it is.
fn keeps_text(affinity: Affinity) -> bool {
    matches!(affinity, Affinity::Text | Affinity::None | Affinity::Blob)
}

/// Functions that give back one of their arguments, which stays what it was.
fn passes_json(name: &str) -> bool {
    matches!(name, "min" | "max" | "nullif")
}
