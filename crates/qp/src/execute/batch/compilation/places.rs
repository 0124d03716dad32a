//! Which columns are read, and which slots a node fills.
//!
//! Neighbours: `compile` and `plan::gear` walk plans with these.

use rustc_hash::FxHashSet;

use crate::plan::{Arm, Node};
use crate::scalar::{Scalar, SlotId};

/// Columns of slots of one frame.
#[derive(Clone, Debug, Default)]
pub struct Places(FxHashSet<(SlotId, u16)>);

impl FromIterator<(SlotId, u16)> for Places {
    fn from_iter<I: IntoIterator<Item = (SlotId, u16)>>(places: I) -> Self {
        Self(places.into_iter().collect())
    }
}

impl Places {
    /// All of them, in an order that is always the same.
    pub(in crate::execute::batch) fn sorted(&self) -> std::vec::IntoIter<(SlotId, u16)> {
        let mut places: Vec<_> = self.0.iter().copied().collect();
        places.sort_unstable();
        places.into_iter()
    }

    /// Adds the columns that an expression reads.
    pub fn add(&mut self, scalar: &Scalar) {
        scalar.columns(&mut |place| {
            if place.depth == 0 {
                self.0.insert((place.slot, place.column));
            }
        });
    }

    /// These and what the expressions read.
    #[must_use]
    pub fn with<'a>(&self, scalars: impl IntoIterator<Item = &'a Scalar>) -> Self {
        let mut places = self.clone();
        scalars.into_iter().for_each(|scalar| places.add(scalar));
        places
    }

    /// As [`with`](Self::with).
    pub(in crate::execute::batch) fn with_all(&self, scalars: &[&Scalar]) -> Self {
        self.with(scalars.iter().copied())
    }

    /// These and what is read anywhere in a subtree.
    #[must_use]
    pub fn with_node(&self, node: &Node) -> Self {
        let mut places = self.clone();
        node_places(node, &mut places);
        places
    }

    /// These but for the columns of a slot.
    pub(in crate::execute::batch) fn without(&self, slot: SlotId) -> Self {
        self.0.iter().filter(|(known, _)| *known != slot).copied().collect()
    }

    pub(in crate::execute::batch) fn contains(&self, slot: SlotId, column: u16) -> bool {
        self.0.contains(&(slot, column))
    }

    /// The slots of these columns, of those in `known`.
    pub(in crate::execute::batch) fn slots(&self, known: &[SlotId]) -> Vec<SlotId> {
        let mut slots: Vec<SlotId> = self.sorted().map(|(slot, _)| slot).collect();
        slots.dedup();
        slots.retain(|slot| known.contains(slot));
        slots
    }
}

/// Adds every column that is read anywhere in a subtree.
pub fn node_places(node: &Node, places: &mut Places) {
    scalars(node, &mut |scalar| places.add(scalar));
    children(node, &mut |child| node_places(child, places));
}

/// The slots that a node leaves rows in.
pub(in crate::execute::batch) fn produced(node: &Node) -> Vec<SlotId> {
    match node {
        Node::Once(_) | Node::Empty => Vec::new(),
        Node::Scan(scan) => vec![scan.slot],
        Node::Values(values) => vec![values.slot],
        Node::Function(function) => vec![function.slot],
        Node::Pragma(pragma) => vec![pragma.slot],
        Node::Filter(filter) => produced(&filter.input),
        Node::NestedLoop(join) => [join.left_slots.clone(), join.right_slots.clone()].concat(),
        Node::HashJoin(join) => [join.left_slots.clone(), join.right_slots.clone()].concat(),
        Node::Project(project) => {
            let mut slots = produced(&project.input);
            slots.push(project.slot);
            slots
        }
        Node::Materialize(materialize) => materialize.slots.clone(),
        Node::Shared(shared) => vec![shared.slot],
        Node::Aggregate(aggregation) => {
            let mut slots = aggregation.bare_slots.clone();
            slots.push(aggregation.slot);
            slots
        }
        Node::Window(window) => {
            let mut slots = window.slots.clone();
            slots.push(window.output);
            slots
        }
        Node::Sort(sort) => sort.slots.clone(),
        Node::Distinct(distinct) => produced(&distinct.input),
        Node::Limit(limit) => produced(&limit.input),
        Node::Compound(compound) => vec![compound.slot],
        Node::Recursive(recursive) => vec![recursive.slot],
        Node::RecursiveRow(slot, _) => vec![*slot],
        Node::Count(count) => vec![count.slot],
        Node::Lookup(lookup) => lookup.slots.clone(),
        Node::Batch(batch) => produced(&batch.input),
    }
}

/// The slots that any node of a subtree fills.
pub(in crate::execute::batch) fn all_slots(node: &Node) -> Vec<SlotId> {
    let mut slots = Vec::new();
    add_slots(node, &mut slots);
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Adds those of a subtree. Slots that a node names besides its own are those of nodes below it,
/// which say so themselves: a join does not list them again at each of its levels.
fn add_slots(node: &Node, slots: &mut Vec<SlotId>) {
    if !matches!(node, Node::NestedLoop(_) | Node::HashJoin(_) | Node::Filter(_) | Node::Limit(_)) {
        slots.extend(produced(node));
    }
    if let Node::Recursive(recursive) = node {
        slots.push(recursive.row_slot);
    }
    children(node, &mut |child| add_slots(child, slots));
}

/// Calls `visit` with each input.
fn children(node: &Node, visit: &mut dyn FnMut(&Node)) {
    match node {
        Node::Once(_) | Node::Empty | Node::Scan(_) | Node::Values(_) | Node::Function(_) => {}
        Node::Pragma(_) | Node::RecursiveRow(..) | Node::Count(_) => {}
        Node::Filter(filter) => visit(&filter.input),
        Node::NestedLoop(join) => {
            visit(&join.left);
            visit(&join.right);
        }
        Node::HashJoin(join) => {
            visit(&join.left);
            visit(&join.right);
        }
        Node::Project(project) => visit(&project.input),
        Node::Materialize(materialize) => visit(&materialize.input),
        Node::Shared(_) => {}
        Node::Aggregate(aggregation) => visit(&aggregation.input),
        Node::Window(window) => visit(&window.input),
        Node::Sort(sort) => visit(&sort.input),
        Node::Distinct(distinct) => visit(&distinct.input),
        Node::Limit(limit) => visit(&limit.input),
        Node::Compound(compound) => compound.arms.iter().for_each(|arm| visit(&arm.input)),
        Node::Recursive(recursive) => {
            recursive.initial.iter().chain(&recursive.recursive).for_each(|arm| visit(&arm.input));
        }
        Node::Batch(batch) => visit(&batch.input),
        Node::Lookup(lookup) => visit(&lookup.input),
    }
}

/// Calls `visit` with each expression of the node itself.
fn scalars(node: &Node, visit: &mut dyn FnMut(&Scalar)) {
    match node {
        Node::Once(_) | Node::Empty | Node::RecursiveRow(..) | Node::Batch(_) => {}
        Node::Scan(scan) => scan.path.scalars(visit),
        Node::Values(values) => values.rows.iter().flatten().for_each(visit),
        Node::Function(function) => function.arguments.iter().for_each(visit),
        Node::Pragma(pragma) => pragma.arguments.iter().for_each(visit),
        Node::Filter(filter) => filter.predicates.iter().for_each(visit),
        Node::NestedLoop(join) => join.on.iter().for_each(visit),
        Node::HashJoin(join) => {
            for key in &join.keys {
                visit(&key.left);
                visit(&key.right);
            }
            join.on.iter().for_each(visit);
        }
        Node::Project(project) => project.outputs.iter().for_each(visit),
        Node::Materialize(_) => {}
        Node::Shared(_) => {}
        Node::Aggregate(aggregation) => {
            aggregation.keys.iter().for_each(|key| visit(&key.value));
            for call in &aggregation.calls {
                call.arguments.iter().chain(&call.filter).for_each(&mut *visit);
                call.order_by.iter().for_each(|key| visit(&key.value));
            }
        }
        Node::Window(window) => {
            window.partition_by.iter().for_each(|key| visit(&key.value));
            window.order_by.iter().for_each(|key| visit(&key.value));
            for call in &window.calls {
                call.call.arguments.iter().chain(&call.call.filter).for_each(&mut *visit);
                for bound in [&call.frame.start, &call.frame.end] {
                    if let crate::plan::WindowBound::Preceding(offset)
                    | crate::plan::WindowBound::Following(offset) = bound
                    {
                        visit(offset);
                    }
                }
            }
        }
        Node::Sort(sort) => {
            sort.keys.iter().for_each(|key| visit(&key.value));
            limit_scalars(sort.limit.as_ref(), visit);
        }
        Node::Distinct(distinct) => distinct.keys.iter().for_each(|key| visit(&key.value)),
        Node::Limit(limit) => {
            visit(&limit.count);
            limit.offset.iter().for_each(visit);
        }
        Node::Compound(compound) => arm_scalars(&compound.arms, visit),
        Node::Recursive(recursive) => {
            arm_scalars(&recursive.initial, visit);
            arm_scalars(&recursive.recursive, visit);
            recursive.order_by.iter().for_each(|key| visit(&key.value));
            limit_scalars(recursive.limit.as_ref(), visit);
        }
        Node::Count(count) => count.scan.path.scalars(visit),
        Node::Lookup(lookup) => {
            for key in &lookup.keys {
                visit(&key.left);
                visit(&key.right);
            }
        }
    }
}

fn arm_scalars(arms: &[Arm], visit: &mut dyn FnMut(&Scalar)) {
    arms.iter().flat_map(|arm| &arm.outputs).for_each(visit);
}

fn limit_scalars(limit: Option<&(Scalar, Option<Scalar>)>, visit: &mut dyn FnMut(&Scalar)) {
    if let Some((count, offset)) = limit {
        visit(count);
        offset.iter().for_each(visit);
    }
}

// Neighbours: `compile`.
