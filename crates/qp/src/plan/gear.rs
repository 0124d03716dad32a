//! Which subtrees of a plan can run in the batch gear.
//!
//! Going down from the root, the first subtree that the batch gear can run as a whole is kept in
//! both forms; which one runs is decided when it is opened, by the sizes of the tables then.
//! Neighbours: `execute::batch` compiles and runs, `select` plans the block.

use super::{BatchNode, Node};
use crate::bind::Binder;
use crate::execute::batch::{Places, compile};
use crate::scalar::{Scalar, StateId};

/// Puts the batch gear into a block's plan. `is_read_whole`: all rows are read as a rule.
pub(crate) fn choose_gears(
    binder: &mut Binder<'_>,
    root: &mut Node,
    outputs: &[Scalar],
    is_read_whole: bool,
) {
    let above = Places::default().with(outputs);
    choose(root, &above, is_read_whole, &mut || binder.state());
}

fn choose(
    node: &mut Node,
    above: &Places,
    is_read_whole: bool,
    state: &mut dyn FnMut() -> StateId,
) {
    if let Some(program) = compile(node, above)
        && (is_read_whole || !program.is_streaming())
    {
        let mut input = std::mem::take(node);
        // Below what the row gear must make there may be parts that run in batches, too.
        program.each_source(&mut input, &mut |source, read| choose(source, &read, true, state));
        *node = Node::Batch(Box::new(BatchNode { input, program, state: state() }));
        return;
    }
    match node {
        Node::Filter(filter) => {
            let above = above.with(&filter.predicates);
            choose(&mut filter.input, &above, is_read_whole, state);
        }
        Node::NestedLoop(join) => {
            let on = above.with(&join.on);
            let left = on.with_node(&join.right);
            choose(&mut join.left, &left, is_read_whole, state);
        }
        Node::HashJoin(join) => {
            let keys = join.keys.iter().flat_map(|key| [&key.left, &key.right]);
            let above = above.with(&join.on).with(keys);
            choose(&mut join.left, &above, is_read_whole, state);
            choose(&mut join.right, &above, true, state);
        }
        Node::Project(project) => {
            let above = above.with(&project.outputs);
            choose(&mut project.input, &above, is_read_whole, state);
        }
        Node::Materialize(materialize) => choose(&mut materialize.input, above, true, state),
        Node::Aggregate(aggregation) => {
            let mut above = above.with(aggregation.keys.iter().map(|key| &key.value));
            for call in &aggregation.calls {
                above = above.with(call.arguments.iter().chain(&call.filter));
                above = above.with(call.order_by.iter().map(|key| &key.value));
            }
            choose(&mut aggregation.input, &above, true, state);
        }
        Node::Window(window) => {
            let mut above = above.with(window.partition_by.iter().map(|key| &key.value));
            above = above.with(window.order_by.iter().map(|key| &key.value));
            for call in &window.calls {
                above = above.with(call.call.arguments.iter().chain(&call.call.filter));
                for bound in [&call.frame.start, &call.frame.end] {
                    if let super::WindowBound::Preceding(offset)
                    | super::WindowBound::Following(offset) = bound
                    {
                        above.add(offset);
                    }
                }
            }
            choose(&mut window.input, &above, is_read_whole || !window.sorted, state);
        }
        Node::Sort(sort) => {
            let above = above.with(sort.keys.iter().map(|key| &key.value));
            choose(&mut sort.input, &above, is_read_whole || sort.sorted == 0, state);
        }
        Node::Distinct(distinct) => {
            let above = above.with(distinct.keys.iter().map(|key| &key.value));
            choose(&mut distinct.input, &above, is_read_whole, state);
        }
        Node::Limit(limit) => choose(&mut limit.input, above, false, state),
        Node::Compound(compound) => {
            for arm in &mut compound.arms {
                let above = above.with(&arm.outputs);
                choose(&mut arm.input, &above, is_read_whole, state);
            }
        }
        _ => {}
    }
}

// Neighbours: `select`, `node`.
