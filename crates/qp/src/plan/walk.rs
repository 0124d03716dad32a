//! Visiting a plan: the inputs of a node and its own expressions; and how many there are, for the
//! limit of operations.
//!
//! Neighbours: `explain` shows what is visited; `bind` asks whether a part of a plan reads rows
//! of queries around it.

use super::{AccessPath, Bound, IndexEqual, Node, Range, SelectPlan, WindowBound};
use crate::scalar::Scalar;

impl Node {
    /// Calls `visit` with each input.
    pub fn inputs<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Once(_)
            | Self::Empty
            | Self::Scan(_)
            | Self::Values(_)
            | Self::Function(_)
            | Self::Pragma(_)
            | Self::RecursiveRow(..)
            | Self::Shared(_)
            | Self::Count(_) => {}
            Self::Filter(filter) => visit(&filter.input),
            Self::NestedLoop(join) => {
                visit(&join.left);
                visit(&join.right);
            }
            Self::HashJoin(join) => {
                visit(&join.left);
                visit(&join.right);
            }
            Self::Project(project) => visit(&project.input),
            Self::Materialize(materialize) => visit(&materialize.input),
            Self::Aggregate(aggregation) => visit(&aggregation.input),
            Self::Window(window) => visit(&window.input),
            Self::Sort(sort) => visit(&sort.input),
            Self::Distinct(distinct) => visit(&distinct.input),
            Self::Limit(limit) => visit(&limit.input),
            Self::Compound(compound) => compound.arms.iter().for_each(|arm| visit(&arm.input)),
            Self::Recursive(recursive) => {
                recursive.initial.iter().for_each(|arm| visit(&arm.input));
                recursive.recursive.iter().for_each(|arm| visit(&arm.input));
            }
            Self::Lookup(lookup) => visit(&lookup.input),
            Self::Batch(batch) => visit(&batch.input),
        }
    }

    /// Calls `visit` with each expression of the node itself.
    pub fn scalars<'a>(&'a self, visit: &mut dyn FnMut(&'a Scalar)) {
        match self {
            Self::Once(_) | Self::Empty | Self::RecursiveRow(..) | Self::Materialize(_) => {}
            Self::Batch(_) | Self::Shared(_) => {}
            Self::Scan(scan) => scan.path.scalars(visit),
            Self::Count(count) => count.scan.path.scalars(visit),
            Self::Values(values) => values.rows.iter().flatten().for_each(visit),
            Self::Function(function) => function.arguments.iter().for_each(visit),
            Self::Pragma(pragma) => pragma.arguments.iter().for_each(visit),
            Self::Filter(filter) => filter.predicates.iter().for_each(visit),
            Self::NestedLoop(join) => join.on.iter().for_each(visit),
            Self::HashJoin(join) => {
                for key in &join.keys {
                    visit(&key.left);
                    visit(&key.right);
                }
                join.on.iter().for_each(visit);
            }
            Self::Lookup(lookup) => {
                for key in &lookup.keys {
                    visit(&key.left);
                    visit(&key.right);
                }
            }
            Self::Project(project) => project.outputs.iter().for_each(visit),
            Self::Aggregate(_) | Self::Window(_) => self.grouping_scalars(visit),
            Self::Sort(sort) => {
                sort.keys.iter().for_each(|key| visit(&key.value));
                if let Some((count, offset)) = &sort.limit {
                    visit(count);
                    offset.iter().for_each(visit);
                }
            }
            Self::Distinct(distinct) => distinct.keys.iter().for_each(|key| visit(&key.value)),
            Self::Limit(limit) => {
                visit(&limit.count);
                limit.offset.iter().for_each(visit);
            }
            Self::Compound(compound) => {
                compound.arms.iter().flat_map(|arm| &arm.outputs).for_each(visit);
            }
            Self::Recursive(recursive) => {
                let arms = recursive.initial.iter().chain(&recursive.recursive);
                arms.flat_map(|arm| &arm.outputs).for_each(visit);
            }
        }
    }

    fn grouping_scalars<'a>(&'a self, visit: &mut dyn FnMut(&'a Scalar)) {
        let call = |call: &'a super::AggregateCall, visit: &mut dyn FnMut(&'a Scalar)| {
            call.arguments.iter().for_each(&mut *visit);
            call.filter.iter().for_each(&mut *visit);
            call.order_by.iter().for_each(|key| visit(&key.value));
        };
        match self {
            Self::Aggregate(aggregation) => {
                aggregation.keys.iter().for_each(|key| visit(&key.value));
                aggregation.calls.iter().for_each(|it| call(it, visit));
            }
            Self::Window(window) => {
                window.partition_by.iter().for_each(|key| visit(&key.value));
                window.order_by.iter().for_each(|key| visit(&key.value));
                for it in &window.calls {
                    call(&it.call, visit);
                    for bound in [&it.frame.start, &it.frame.end] {
                        if let WindowBound::Preceding(value) | WindowBound::Following(value) = bound
                        {
                            visit(value);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether it, or anything below it, reads a row of a query around its own.
    pub fn reads_outer(&self) -> bool {
        let mut found = false;
        self.scalars(&mut |scalar| scalar.columns(&mut |place| found |= place.depth > 0));
        if !found {
            self.inputs(&mut |input| found = found || input.reads_outer());
        }
        found
    }
}

impl AccessPath {
    /// Calls `visit` with each expression.
    pub fn scalars<'a>(&'a self, visit: &mut dyn FnMut(&'a Scalar)) {
        let range = |range: &'a Range, visit: &mut dyn FnMut(&'a Scalar)| {
            let bounds = [&range.low, &range.high].into_iter().flatten();
            bounds.for_each(|bound: &'a Bound| {
                visit(&bound.value);
                bound.behind.iter().for_each(|part| visit(&part.value));
            });
        };
        match self {
            Self::Full => {}
            Self::Rowid(value) | Self::Rowids(value, _) => visit(value),
            Self::RowidRange(bounds) => range(bounds, visit),
            Self::Index(path) => {
                for equal in &path.equals {
                    match equal {
                        IndexEqual::Value { value, .. } => visit(value),
                        // The rows of one set are made once for all of its columns.
                        IndexEqual::In(set) if set.follows => {}
                        IndexEqual::In(set) => visit(&set.set),
                    }
                }
                range(&path.range, visit);
            }
            Self::Union(paths) => paths.iter().for_each(|path| path.scalars(visit)),
        }
    }
}

impl SelectPlan {
    /// How many operators and expressions it has.
    pub fn operations(&self) -> u64 {
        self.root.operations() + self.outputs.iter().map(of_scalar).sum::<u64>()
    }
}

impl Node {
    /// How many operators and expressions there are from here down.
    pub fn operations(&self) -> u64 {
        let mut count = 1;
        self.scalars(&mut |scalar| count += of_scalar(scalar));
        self.inputs(&mut |input| count += input.operations());
        count
    }
}

fn of_scalar(scalar: &Scalar) -> u64 {
    let mut count = 1 + scalar.own_subquery().map_or(0, |call| call.plan.operations());
    scalar.children(&mut |child| count += of_scalar(child));
    count
}
