//! Blocks of FROM that are planned together with the block around them.
//!
//! A block that makes groups, numbers rows, leaves out repeats or puts selects together waits
//! until it is known what is asked of its rows. What it can ask of the rows that it is made of is
//! asked there. Of selects that are put together each part is asked for itself, by the rule of the
//! comparison as it was bound: values go through a compound as they are. Where equal rows are one
//! row, only conditions that cannot tell equal values apart go in. Neighbours: `push` has the
//! conditions, `bind::select` and `bind::compound` decide which blocks wait.

use pandodb_ds::record::Collation;

use super::{inside, is_blind};
use crate::ast::CompoundOperator;
use crate::bind::{Binder, Block};
use crate::error::Result;
use crate::plan::select::{QueryParts, finish_select};
use crate::plan::{Arm, Compound, Filter, Node};
use crate::scalar::{Scalar, SlotId, StateId};

/// A block that is bound and not planned.
#[derive(Debug)]
pub(crate) enum Later {
    /// One select.
    Query(Box<QueryParts>),
    /// Several, put together.
    Compound(Box<LaterCompound>),
}

/// Selects that are put together, not planned yet.
#[derive(Debug)]
pub(crate) struct LaterCompound {
    /// The parts: each with a plan, or waiting itself.
    pub(crate) arms: Vec<(CompoundOperator, Block)>,
    /// Where the row goes.
    pub(crate) slot: SlotId,
    /// Where rows that must be told apart are.
    pub(crate) state: StateId,
    /// How each column compares.
    pub(crate) collations: Vec<Collation>,
    /// The columns for who reads it.
    pub(crate) outputs: Vec<Scalar>,
    /// What is asked of the rows, as columns of `asked`.
    pub(crate) conditions: Vec<Scalar>,
    /// The slot of the block around that stands for the row.
    pub(crate) asked: SlotId,
}

impl Later {
    /// Takes a condition of the block around, which knows the rows as `slot`; whether it did.
    pub(super) fn take(&mut self, condition: &Scalar, slot: SlotId) -> bool {
        match self {
            Self::Query(parts) => match inside(condition, slot, parts) {
                Some(inner) => {
                    parts.group.add_predicate(inner);
                    true
                }
                None => false,
            },
            Self::Compound(compound) => {
                let takes = compound.can_ask(condition, slot);
                if takes {
                    compound.conditions.push(condition.clone());
                    compound.asked = slot;
                }
                takes
            }
        }
    }

    /// Plans it.
    pub(crate) fn finish(self, binder: &mut Binder<'_>) -> Result<(Node, Vec<Scalar>, f64)> {
        match self {
            Self::Query(parts) => finish_select(binder, *parts),
            Self::Compound(compound) => compound.finish(binder),
        }
    }
}

/// Whether an expression gives the same wherever it is computed, and cannot be what a function
/// sees as more than its value.
fn is_sure(scalar: &Scalar) -> bool {
    !scalar.has_subquery()
        && !scalar.any(&mut |node| match node {
            Scalar::Call(call) => {
                !call.function.is_deterministic() || call.function.traits.may_return_json
            }
            Scalar::Json(_) | Scalar::Raise(..) => true,
            _ => false,
        })
}

impl LaterCompound {
    /// Whether a condition on its rows can be asked of the rows of each part.
    fn can_ask(&self, condition: &Scalar, slot: SlotId) -> bool {
        let merges =
            |(operator, _): &(CompoundOperator, Block)| *operator != CompoundOperator::UnionAll;
        let merges = self.arms.iter().skip(1).any(merges);
        let is_blind = is_blind(condition, slot);
        if !is_sure(condition) || merges && !is_blind {
            return false;
        }
        let mut columns = Vec::new();
        condition.columns(&mut |place| {
            if place.depth == 0 && place.slot == slot {
                columns.push(usize::from(place.column));
            }
        });
        let is_binary = |column: &usize| {
            self.collations.get(*column).is_some_and(|it| *it == Collation::Binary)
        };
        // The parts have whole numbers where the compound has reals.
        let is_plain =
            |column: &usize| matches!(self.outputs.get(*column), Some(Scalar::Column(_)));
        if !columns.iter().all(is_plain) {
            return false;
        }
        if merges && !columns.iter().all(is_binary) {
            return false;
        }
        self.arms.iter().all(|(_, block)| {
            columns.iter().all(|column| match block.outputs.get(*column) {
                Some(Scalar::Column(_) | Scalar::Literal(_)) => true,
                Some(output) => is_blind && is_sure(output) && output.is_small(),
                None => false,
            })
        })
    }

    fn finish(self, binder: &mut Binder<'_>) -> Result<(Node, Vec<Scalar>, f64)> {
        let Self { arms, slot, state, collations, outputs, conditions, asked } = self;
        let mut rows = 0.0;
        let mut planned = Vec::with_capacity(arms.len());
        for (operator, mut block) in arms {
            let mut above = Vec::new();
            match &mut block.later {
                Some(Later::Query(parts)) => {
                    for condition in &conditions {
                        match in_part(condition, asked, parts) {
                            Some(inner) => parts.group.add_predicate(inner),
                            None => above.push(condition),
                        }
                    }
                }
                _ => above.extend(&conditions),
            }
            let (mut input, outputs, count) = match block.later.take() {
                Some(later) => later.finish(binder)?,
                None => (block.root, block.outputs, block.rows),
            };
            let above: Vec<Scalar> =
                above.into_iter().map(|condition| over(condition, asked, &outputs)).collect();
            if !above.is_empty() {
                input = Node::Filter(Box::new(Filter { input, predicates: above }));
            }
            rows += count;
            planned.push(Arm { operator, input, outputs });
        }
        let compound = Compound { arms: planned, state, slot, collations };
        Ok((Node::Compound(Box::new(compound)), outputs, rows))
    }
}

/// A condition on the rows of a part as one on the rows that it is made of.
fn in_part(condition: &Scalar, slot: SlotId, parts: &QueryParts) -> Option<Scalar> {
    let grouping = &parts.grouping;
    let only_chooses = grouping.keys.is_empty()
        && grouping.calls.is_empty()
        && grouping.windows.is_empty()
        && parts.having.is_none();
    if only_chooses && !parts.distinct {
        return Some(over(condition, slot, &parts.outputs));
    }
    inside(condition, slot, parts)
}

/// A condition with the results that it is about in the place of the columns of `slot`.
fn over(condition: &Scalar, slot: SlotId, outputs: &[Scalar]) -> Scalar {
    let mut inner = condition.clone();
    inner.rewrite(&mut |node| {
        let Scalar::Column(place) = node else { return };
        if place.depth == 0
            && place.slot == slot
            && let Some(output) = outputs.get(usize::from(place.column))
        {
            *node = output.clone();
        }
    });
    inner
}

// Neighbours: `push`, `select`.
