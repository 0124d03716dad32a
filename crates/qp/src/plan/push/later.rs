//! Blocks of FROM that are planned together with the block around them.
//!
//! A block that makes groups, numbers rows, leaves out repeats or puts selects together waits
//! until it is known what is asked of its rows. What it can ask of the rows that it is made of is
//! asked there. Of selects that are put together each part is asked for itself, by the rule of the
//! comparison as it was bound: values go through a compound as they are. Where equal rows are one
//! row, only conditions that cannot tell equal values apart go in. Neighbours: `push` has the
//! conditions, `bind::select` and `bind::compound` decide which blocks wait.

use pandodb_ds::record::Collation;

use super::merge::{OrderAsked, ask_part, is_made_anew, sort_part};
use super::{inside, is_blind};
use crate::ast::CompoundOperator;
use crate::bind::{Binder, Block};
use crate::error::Result;
use crate::plan::select::{QueryParts, finish_select};
use crate::plan::{Arm, ColumnSort, Compound, Filter, Node};
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
            Self::Compound(compound) => {
                let compound_slot = compound.slot;
                let made = compound.finish(binder, &OrderAsked::none(compound_slot))?;
                Ok((made.node, made.outputs, made.rows))
            }
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

    /// Plans it; the rows come in the order that is asked for where that is told.
    pub(crate) fn finish(self, binder: &mut Binder<'_>, asked: &OrderAsked<'_>) -> Result<Ordered> {
        let mut order = self.order(binder, asked);
        let is_set = self.arms.iter().any(|(operator, _)| *operator != CompoundOperator::UnionAll);
        let Self { arms, slot, state, collations, outputs, conditions, asked: known_as } = self;
        let mut rows = 0.0;
        let mut planned = Vec::with_capacity(arms.len());
        for (operator, block) in arms {
            let conditions = (conditions.as_slice(), known_as);
            let limit = asked.limit.filter(|limit| !is_set && is_fixed(limit));
            let ask = PartAsk { order: &order, ends_early: asked.ends_early, limit };
            let (arm, count) = plan_part(binder, (operator, block), conditions, &ask)?;
            rows += count;
            planned.push(arm);
        }
        let in_order = planned.iter().filter(|(_, is_sorted)| !is_sorted).count();
        let pays = in_order > 0 || asked.may_sort && !is_set;
        if !pays {
            order.clear();
        }
        let arms = planned.into_iter();
        let arms = arms.map(|(arm, is_sorted)| {
            if pays || !is_sorted { arm } else { Arm { input: unsorted(arm.input), ..arm } }
        });
        let sorted = !order.is_empty();
        let compound = Compound { arms: arms.collect(), state, slot, collations, order };
        Ok(Ordered { node: Node::Compound(Box::new(compound)), outputs, rows, sorted })
    }
}

/// A compound's plan.
pub(crate) struct Ordered {
    /// The plan.
    pub(crate) node: Node,
    /// What is read of its rows.
    pub(crate) outputs: Vec<Scalar>,
    /// About how many rows.
    pub(crate) rows: f64,
    /// The rows come in the order that was asked for.
    pub(crate) sorted: bool,
}

/// Whether a LIMIT with its OFFSET says the same to each part as it does to all.
fn is_fixed((count, offset): &(Scalar, Option<Scalar>)) -> bool {
    !is_made_anew(count) && !offset.as_ref().is_some_and(is_made_anew)
}

/// What is asked of a part.
struct PartAsk<'a> {
    order: &'a [ColumnSort],
    ends_early: bool,
    limit: Option<&'a (Scalar, Option<Scalar>)>,
}

/// Plans a part with the conditions that are asked of it; whether it had to be sorted, and about
/// how many rows it has.
fn plan_part(
    binder: &mut Binder<'_>,
    (operator, mut block): (CompoundOperator, Block),
    (conditions, known_as): (&[Scalar], SlotId),
    ask: &PartAsk<'_>,
) -> Result<((Arm, bool), f64)> {
    let mut above = Vec::new();
    match &mut block.later {
        Some(Later::Query(parts)) => {
            for condition in conditions {
                match in_part(condition, known_as, parts) {
                    Some(inner) => parts.group.add_predicate(inner),
                    None => above.push(condition),
                }
            }
            ask_part(parts, ask.order, ask.ends_early);
        }
        _ => above.extend(conditions),
    }
    let (mut input, outputs, rows) = if let Some(later) = block.later.take() {
        later.finish(binder)?
    } else {
        let input = sort_part(binder, block.root, ask.order, &block.outputs);
        (input, block.outputs, block.rows)
    };
    let above: Vec<Scalar> =
        above.into_iter().map(|condition| over(condition, known_as, &outputs)).collect();
    // What is sorted by its last terms alone is read as far as it is wanted, too.
    let is_sorted = matches!(&input, Node::Sort(sort) if sort.sorted == 0 || !ask.ends_early);
    if let (Node::Sort(sort), true) = (&mut input, above.is_empty()) {
        sort.limit = ask.limit.cloned();
    }
    if !above.is_empty() {
        input = Node::Filter(Box::new(Filter { input, predicates: above }));
    }
    Ok(((Arm { operator, input, outputs }, is_sorted), rows))
}

/// A part without the sort that was put on it.
fn unsorted(node: Node) -> Node {
    match node {
        Node::Sort(sort) => sort.input,
        Node::Filter(filter) => {
            let Filter { input, predicates } = *filter;
            Node::Filter(Box::new(Filter { input: unsorted(input), predicates }))
        }
        other => other,
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
