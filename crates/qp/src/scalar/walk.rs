//! Visiting and rewriting expressions.
//!
//! Subqueries are visited too: what they read of the frames around them counts as read by the
//! expression they stand in. Neighbours: `plan` asks which slots an expression needs.

use crate::limits;

use super::{ColumnPlace, JsonSign, Scalar, SlotId, SubqueryCall};

impl Scalar {
    /// Calls `visit` with each operand (not with what subqueries hold).
    pub fn children<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Literal(_) | Self::Parameter(_) | Self::Column(_) => {}
            Self::Subquery(..) | Self::Exists(_) => {}
            Self::Unary(_, operand)
            | Self::IsNull(operand, _)
            | Self::IsTruth { operand, .. }
            | Self::Cast(operand, _)
            | Self::Convert(operand, ..)
            | Self::Json(operand)
            | Self::Collate(operand, _) => visit(operand),
            Self::Binary(_, operands) => operands.iter().for_each(visit),
            Self::And(operands) | Self::Or(operands) | Self::Row(operands) => {
                operands.iter().for_each(visit);
            }
            Self::Compare(compare) => {
                visit(&compare.left);
                visit(&compare.right);
            }
            Self::Between(between) => {
                visit(&between.operand);
                visit(&between.low);
                visit(&between.high);
            }
            Self::RowCompare(compare) => compare.left.iter().chain(&compare.right).for_each(visit),
            Self::RowBetween(it) => {
                it.operands.iter().chain(&it.low).chain(&it.high).for_each(visit);
            }
            Self::InList(list) => {
                visit(&list.operand);
                list.others.iter().for_each(visit);
            }
            Self::InSubquery(set) => set.operands.iter().for_each(visit),
            Self::Quantified(quantified) => visit(&quantified.operand),
            Self::Case(case) => {
                case.operand.iter().for_each(&mut *visit);
                for (when, _, then) in &case.branches {
                    visit(when);
                    visit(then);
                }
                case.otherwise.iter().for_each(visit);
            }
            Self::RowCase(case) => {
                case.operands.iter().for_each(&mut *visit);
                for (when, _, then) in &case.branches {
                    when.iter().for_each(&mut *visit);
                    visit(then);
                }
                case.otherwise.iter().for_each(visit);
            }
            Self::Call(call) => call.arguments.iter().for_each(visit),
            Self::Raise(_, message) => message.iter().for_each(|message| visit(message)),
        }
    }

    /// As [`children`](Self::children), to change them.
    pub fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::Literal(_) | Self::Parameter(_) | Self::Column(_) => {}
            Self::Subquery(..) | Self::Exists(_) => {}
            Self::Unary(_, operand)
            | Self::IsNull(operand, _)
            | Self::IsTruth { operand, .. }
            | Self::Cast(operand, _)
            | Self::Convert(operand, ..)
            | Self::Json(operand)
            | Self::Collate(operand, _) => visit(operand),
            Self::Binary(_, operands) => operands.iter_mut().for_each(visit),
            Self::And(operands) | Self::Or(operands) | Self::Row(operands) => {
                operands.iter_mut().for_each(visit);
            }
            Self::Compare(compare) => {
                visit(&mut compare.left);
                visit(&mut compare.right);
            }
            Self::Between(between) => {
                visit(&mut between.operand);
                visit(&mut between.low);
                visit(&mut between.high);
            }
            Self::RowCompare(compare) => {
                compare.left.iter_mut().chain(&mut compare.right).for_each(visit);
            }
            Self::RowBetween(it) => {
                it.operands.iter_mut().chain(&mut it.low).chain(&mut it.high).for_each(visit);
            }
            Self::InList(list) => {
                visit(&mut list.operand);
                list.others.iter_mut().for_each(visit);
            }
            Self::InSubquery(set) => set.operands.iter_mut().for_each(visit),
            Self::Quantified(quantified) => visit(&mut quantified.operand),
            Self::Case(case) => {
                case.operand.iter_mut().for_each(&mut *visit);
                for (when, _, then) in &mut case.branches {
                    visit(when);
                    visit(then);
                }
                case.otherwise.iter_mut().for_each(visit);
            }
            Self::RowCase(case) => {
                case.operands.iter_mut().for_each(&mut *visit);
                for (when, _, then) in &mut case.branches {
                    when.iter_mut().for_each(&mut *visit);
                    visit(then);
                }
                case.otherwise.iter_mut().for_each(visit);
            }
            Self::Call(call) => call.arguments.iter_mut().for_each(visit),
            Self::Raise(_, message) => message.iter_mut().for_each(|message| visit(message)),
        }
    }

    /// The subquery that this node itself holds.
    pub fn own_subquery(&self) -> Option<&SubqueryCall> {
        match self {
            Self::Subquery(call, _) | Self::Exists(call) => Some(call),
            Self::InSubquery(set) => Some(&set.subquery),
            Self::Quantified(quantified) => Some(&quantified.subquery),
            _ => None,
        }
    }

    /// Calls `visit` with every column that is read, in subqueries too: its `depth` is then
    /// counted from the frame of `self` (a subquery's own columns are left out).
    pub fn columns(&self, visit: &mut dyn FnMut(ColumnPlace)) {
        if let Self::Column(place) = self {
            visit(*place);
            if let Some(column) = place.json.column() {
                visit(ColumnPlace { column, json: JsonSign::None, ..*place });
            }
        }
        if let Some(call) = self.own_subquery() {
            for place in &call.plan.outer {
                visit(*place);
            }
        }
        self.children(&mut |child| child.columns(visit));
    }

    /// The slots of the frame itself that are read.
    pub fn slots(&self) -> Vec<SlotId> {
        let mut slots = Vec::new();
        self.columns(&mut |place| {
            if place.depth == 0 && !slots.contains(&place.slot) {
                slots.push(place.slot);
            }
        });
        slots
    }

    /// Whether any node satisfies `test` (subqueries are opaque).
    pub fn any(&self, test: &mut dyn FnMut(&Self) -> bool) -> bool {
        if test(self) {
            return true;
        }
        let mut found = false;
        self.children(&mut |child| found = found || child.any(test));
        found
    }

    /// Whether it holds a subquery.
    pub fn has_subquery(&self) -> bool {
        self.any(&mut |node| node.own_subquery().is_some())
    }

    /// Whether it is small enough to be put in the place of a name.
    pub fn is_small(&self) -> bool {
        self.fits(limits::DISSOLVED_DEPTH_MAX, &mut { limits::DISSOLVED_NODES_MAX })
    }

    /// Whether it has at most so many levels and nodes; what is left of the nodes stays there.
    pub fn fits(&self, levels: u32, nodes: &mut u32) -> bool {
        let (Some(levels), Some(left)) = (levels.checked_sub(1), nodes.checked_sub(1)) else {
            return false;
        };
        *nodes = left;
        let mut fits = true;
        self.children(&mut |child| fits = fits && child.fits(levels, nodes));
        fits
    }

    /// How many levels of operands there are.
    pub fn height(&self) -> u32 {
        let mut below = 0;
        self.children(&mut |child| below = below.max(child.height()));
        below + 1
    }

    /// Replaces nodes from the leaves up.
    pub fn rewrite(&mut self, change: &mut dyn FnMut(&mut Self)) {
        self.children_mut(&mut |child| child.rewrite(change));
        change(self);
    }
}
