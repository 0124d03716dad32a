//! What SQLite's rules ask of an expression: its affinity, its collation, whether it is constant.
//!
//! Neighbours: `bind` decides comparisons by these, `plan` matches indexes by them.

use pandodb_ds::record::{Collation, Value};

use super::{ColumnPlace, CompareRule, Scalar, Unary};
use crate::types::{Affinity, comparison_affinity};

impl Scalar {
    /// What the expression would rather hold.
    pub fn affinity(&self) -> Affinity {
        match self {
            Self::Column(place) => place.affinity,
            Self::Cast(_, affinity) | Self::Convert(_, affinity) => *affinity,
            Self::Collate(operand, _) | Self::Json(operand) => operand.affinity(),
            Self::Subquery(call, column) => {
                call.plan.outputs.get(usize::from(*column)).map_or(Affinity::None, Self::affinity)
            }
            Self::Row(parts) => parts.first().map_or(Affinity::None, Self::affinity),
            _ => Affinity::None,
        }
    }

    /// The collation that a COLLATE in the expression demands; it goes before any column's.
    pub fn explicit_collation(&self) -> Option<Collation> {
        match self {
            Self::Collate(_, collation) => Some(*collation),
            Self::Literal(_) | Self::Parameter(_) | Self::Column(_) => None,
            Self::Subquery(..) | Self::Exists(_) => None,
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
            Self::Column(place) => Some(place.collation),
            Self::Cast(operand, _) | Self::Convert(operand, _) | Self::Json(operand) => {
                operand.implicit_collation()
            }
            Self::Unary(Unary::Plus, operand) => operand.implicit_collation(),
            Self::Row(parts) => parts.first().and_then(Self::implicit_collation),
            Self::Subquery(call, column) => {
                call.plan.outputs.get(usize::from(*column)).and_then(Self::collation)
            }
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
        left.explicit_collation()
            .or_else(|| right.explicit_collation())
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
