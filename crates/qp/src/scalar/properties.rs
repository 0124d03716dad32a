//! What SQLite's rules ask of an expression: its affinity, its collation, whether it is constant.
//!
//! Neighbours: `bind` decides comparisons by these, `plan` matches indexes by them.

use pandodb_ds::record::{Collation, Value};

use super::{Case, ColumnPlace, CompareRule, ROWID, Scalar, Unary};
use crate::types::{Affinity, comparison_affinity};

impl Scalar {
    /// What the expression would rather hold.
    pub fn affinity(&self) -> Affinity {
        match self {
            Self::Column(place) => place.affinity,
            Self::Cast(_, affinity) | Self::Convert(_, affinity, ..) => *affinity,
            Self::Collate(operand, _) | Self::Json(operand) => operand.affinity(),
            Self::Subquery(call, column) => {
                call.plan.outputs.get(usize::from(*column)).map_or(Affinity::None, Self::affinity)
            }
            Self::Row(parts) => parts.first().map_or(Affinity::None, Self::affinity),
            Self::Case(case) => case.merged().map_or(Affinity::None, Self::affinity),
            _ => Affinity::None,
        }
    }

    /// The collation that a COLLATE in the expression demands; it goes before any column's.
    pub fn explicit_collation(&self) -> Option<Collation> {
        match self {
            Self::Collate(_, collation) => Some(*collation),
            Self::Literal(_) | Self::Parameter(_) | Self::Column(_) => None,
            // A COLLATE in what a column is computed from is the column's.
            Self::Convert(..) | Self::Subquery(..) | Self::Exists(_) => None,
            other => {
                let mut found = None;
                other.children(&mut |child| {
                    found = found.or_else(|| child.explicit_collation());
                });
                found
            }
        }
    }

    /// How the expression's texts compare, if it says so.
    pub fn collation(&self) -> Option<Collation> {
        self.explicit_collation().or_else(|| self.implicit_collation())
    }

    fn implicit_collation(&self) -> Option<Collation> {
        match self {
            Self::Column(place) => place.collation,
            // The column that it converts for has an order of its own.
            Self::Convert(_, _, collation, _) => *collation,
            Self::Cast(operand, _) | Self::Json(operand) => operand.implicit_collation(),
            Self::Unary(Unary::Plus, operand) => operand.implicit_collation(),
            Self::Row(parts) => parts.first().and_then(Self::implicit_collation),
            Self::Case(case) => case.merged().and_then(Self::implicit_collation),
            _ => None,
        }
    }

    /// How `left` and `right` are compared.
    pub fn compare_rule(left: &Self, right: &Self) -> CompareRule {
        CompareRule {
            affinity: comparison_affinity(left.affinity(), right.affinity()),
            collation: Self::compare_collation(left, right),
        }
    }

    /// The collation of a comparison: an explicit one of the left, of the right, then columns'.
    pub fn compare_collation(left: &Self, right: &Self) -> Collation {
        // A rowid is no text, so that the other's order does not matter and need not be kept to.
        let is_number = |side: &Self| side.as_column().is_some_and(|it| it.column == ROWID);
        let either = (is_number(left) || is_number(right)).then_some(Collation::Binary);
        left.explicit_collation()
            .or_else(|| right.explicit_collation())
            .or(either)
            .or_else(|| left.implicit_collation())
            .or_else(|| right.implicit_collation())
            .unwrap_or_default()
    }

    /// The constant that this is.
    pub fn as_literal(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Collate(operand, _) => operand.as_literal(),
            _ => None,
        }
    }

    /// The column that this is, COLLATE aside.
    pub fn as_column(&self) -> Option<&ColumnPlace> {
        match self {
            Self::Column(place) => Some(place),
            Self::Collate(operand, _) => operand.as_column(),
            _ => None,
        }
    }

    /// Whether it has one value throughout an execution: no column, no subquery, no randomness.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Column(_) | Self::Subquery(..) | Self::Exists(_) | Self::InSubquery(_) => false,
            Self::Quantified(_) | Self::Raise(..) => false,
            Self::Call(call) if !call.function.is_deterministic() => false,
            other => {
                let mut constant = true;
                other.children(&mut |child| constant = constant && child.is_constant());
                constant
            }
        }
    }
}

impl Case {
    /// The first of the columns that a join has made one.
    fn merged(&self) -> Option<&Scalar> {
        self.branches.first().filter(|_| self.merges).map(|(_, _, first)| first)
    }
}

impl Scalar {
    /// Whether two expressions always have the same value: they are written the same and ask no
    /// randomness. What holds subqueries is never the same.
    pub fn same(&self, other: &Self) -> bool {
        let all = |left: &[Self], right: &[Self]| {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| left.same(right))
        };
        let maybe = |left: &Option<Self>, right: &Option<Self>| match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => left.same(right),
            _ => false,
        };
        match (self, other) {
            (Self::Literal(left), Self::Literal(right)) => left == right,
            (Self::Parameter(left), Self::Parameter(right)) => left == right,
            (Self::Column(left), Self::Column(right)) => {
                (left.depth, left.slot, left.column) == (right.depth, right.slot, right.column)
            }
            (Self::Unary(left_operator, left), Self::Unary(right_operator, right)) => {
                left_operator == right_operator && left.same(right)
            }
            (Self::Binary(left_operator, left), Self::Binary(right_operator, right)) => {
                left_operator == right_operator && all(&left[..], &right[..])
            }
            (Self::And(left), Self::And(right)) | (Self::Or(left), Self::Or(right)) => {
                all(left, right)
            }
            (Self::Row(left), Self::Row(right)) => all(left, right),
            (Self::Compare(left), Self::Compare(right)) => {
                (left.operator, left.rule) == (right.operator, right.rule)
                    && left.left.same(&right.left)
                    && left.right.same(&right.right)
            }
            (Self::Between(left), Self::Between(right)) => {
                (left.negated, left.low_rule, left.high_rule)
                    == (right.negated, right.low_rule, right.high_rule)
                    && left.operand.same(&right.operand)
                    && left.low.same(&right.low)
                    && left.high.same(&right.high)
            }
            (Self::IsNull(left, left_negated), Self::IsNull(right, right_negated)) => {
                left_negated == right_negated && left.same(right)
            }
            (Self::InList(left), Self::InList(right)) => {
                (left.negated, left.rule, left.has_null)
                    == (right.negated, right.rule, right.has_null)
                    && left.constants == right.constants
                    && left.operand.same(&right.operand)
                    && all(&left.others, &right.others)
            }
            (Self::Case(left), Self::Case(right)) => {
                maybe(&left.operand, &right.operand)
                    && maybe(&left.otherwise, &right.otherwise)
                    && left.branches.len() == right.branches.len()
                    && left.branches.iter().zip(&right.branches).all(|(left, right)| {
                        left.0.same(&right.0) && left.1 == right.1 && left.2.same(&right.2)
                    })
            }
            (Self::Cast(left, affinity), Self::Cast(right, wanted))
            | (Self::Convert(left, affinity, ..), Self::Convert(right, wanted, ..)) => {
                affinity == wanted && self.collation() == other.collation() && left.same(right)
            }
            (Self::Collate(left, left_collation), Self::Collate(right, right_collation)) => {
                left_collation == right_collation && left.same(right)
            }
            (Self::Json(left), Self::Json(right)) => left.same(right),
            (Self::Call(left), Self::Call(right)) => {
                left.function.name == right.function.name
                    && left.function.is_deterministic()
                    && all(&left.arguments, &right.arguments)
            }
            _ => false,
        }
    }
}
