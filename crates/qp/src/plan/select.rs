//! A bound query block to its plan: join, group, window, distinct, sort, limit.
//!
//! Neighbours: `join` orders the relations, `bind::select` binds the clauses.

use pandodb_ds::record::Value;

use super::access::check_hints;
use super::count::{count_rows, extreme};
use super::group::{Goal, Joined, plan_group};
use super::needs::Needs;
use super::ordered::{agree, keys_of_window};
use super::{
    Aggregation, Distinct, Filter, Limit, Node, Project, Rules, Sort, SortKey, WindowNode,
};
use crate::bind::{Binder, Group, Grouping};
use crate::bind::{keys_of, slot_column, unique_slots, use_keys};
use crate::error::Result;
use crate::scalar::{Scalar, SlotId};

/// What share of groups a HAVING is taken to let through.
const HAVING_SHARE: f64 = 0.1;

/// The clauses of a query block, bound.
#[derive(Debug, Default)]
pub(crate) struct QueryParts {
    /// FROM and WHERE.
    pub(crate) group: Group,
    /// Aggregates and windows.
    pub(crate) grouping: Grouping,
    /// HAVING
    pub(crate) having: Option<Scalar>,
    /// What is returned.
    pub(crate) outputs: Vec<Scalar>,
    /// DISTINCT
    pub(crate) distinct: bool,
    /// ORDER BY
    pub(crate) order_by: Vec<SortKey>,
    /// LIMIT and OFFSET
    pub(crate) limit: Option<(Scalar, Option<Scalar>)>,
    /// What reads the rows may end before the last, whatever LIMIT says here.
    pub(crate) ends_early: bool,
}

/// How many rows are taken to be wanted where a LIMIT is not known.
const LIMIT_GUESS: f64 = 100.0;

impl QueryParts {
    /// About how many rows are wanted, if not all.
    pub(super) fn rows_wanted(&self) -> Option<f64> {
        let number = |scalar: &Scalar| match scalar {
            Scalar::Literal(Value::Integer(count)) if *count >= 0 => *count as f64,
            Scalar::Literal(Value::Integer(_)) => f64::MAX,
            _ => LIMIT_GUESS,
        };
        let limit = self.limit.as_ref();
        let limit =
            limit.map(|(count, offset)| number(count) + offset.as_ref().map_or(0.0, number));
        limit.or(self.ends_early.then_some(LIMIT_GUESS))
    }
}

/// Plans a block: the node, what is read of its rows, and about how many there are.
pub(crate) fn finish_select(
    binder: &mut Binder<'_>,
    mut parts: QueryParts,
) -> Result<(Node, Vec<Scalar>, f64)> {
    let is_grouped = !parts.grouping.keys.is_empty() || !parts.grouping.calls.is_empty();
    let mut live = parts.group.slots();
    if is_grouped {
        let slot = *parts.grouping.slot.get_or_insert_with(|| binder.slot());
        substitute_keys(&mut parts, slot);
    }
    if let Some((node, outputs)) = counted(binder, &mut parts)? {
        return Ok((node, outputs, 1.0));
    }
    let needs = needs_of(&parts);
    let reorders = is_grouped || parts.distinct || !parts.grouping.windows.is_empty();
    let order_by = if reorders { Vec::new() } else { parts.order_by.clone() };
    let run = super::ordered::choose(binder, &parts, &needs);
    let fed = super::ordered::feed(binder, &parts);
    let wanted: &[SortKey] = match (&run, &fed) {
        (Some(run), _) => &run.wanted,
        (None, Some(fed)) => &fed.wanted,
        (None, None) => &order_by,
    };
    // Where all rows are read before the first comes out a LIMIT ends nothing early.
    let gathers = is_grouped || !parts.grouping.windows.is_empty();
    // Neither does an order that was found to be cheaper than a hash table have to win again.
    let limit = match (&run, &fed) {
        (Some(_), _) => Some(f64::MAX),
        (None, Some(fed)) => Some(fed.limit),
        (None, None) => parts.rows_wanted().filter(|_| !gathers),
    };
    let Joined { mut node, ordered, mut rows } =
        if let Some(joined) = extreme(binder, &mut parts, &needs)? {
            joined
        } else {
            let group = std::mem::take(&mut parts.group);
            plan_group(binder, group, &Goal { needs: &needs, wanted, limit })?
        };
    let run = run.filter(|run| ordered == run.wanted.len());
    let known = fed.and_then(|fed| fed.known(ordered));
    let mut ordered = match &run {
        Some(run) => run.orders,
        None => ordered.min(order_by.len()),
    };
    if let Some(jump) = run.as_ref().and_then(|run| run.jump) {
        super::ordered::jump_over(&mut node, jump);
    }
    let places = run.map_or_else(Vec::new, |run| run.places);
    forget_json(&mut parts, &places);
    if is_grouped {
        node = aggregate(binder, &mut parts, node, (&mut live, &places));
        rows = if parts.grouping.keys.is_empty() { 1.0 } else { (rows / 10.0).max(1.0) };
    }
    if let Some(having) = parts.having.take() {
        rows = (rows * HAVING_SHARE).max(1.0);
        node = Node::Filter(Box::new(Filter { input: node, predicates: vec![having] }));
    }
    if !parts.grouping.windows.is_empty() {
        (node, ordered) = windows(binder, &mut parts, (node, known), &mut live);
    }
    if parts.distinct {
        let sorted = if is_grouped { Vec::new() } else { places };
        node = distinct(binder, &parts, (node, sorted), &live);
    }
    if ordered < parts.order_by.len() {
        let is_asked = binder.environment.rules.has(Rules::PART_SORT);
        let sorted = if is_asked { ordered } else { 0 };
        node = sort(binder, &mut parts, (node, sorted), &live);
    }
    let (node, rows) = limited(binder, parts.limit, (node, rows));
    Ok((node, parts.outputs, rows))
}

/// The first rows, and about how many there are of them.
fn limited(
    binder: &mut Binder<'_>,
    limit: Option<(Scalar, Option<Scalar>)>,
    (input, mut rows): (Node, f64),
) -> (Node, f64) {
    let Some((count, offset)) = limit else { return (input, rows) };
    if let Scalar::Literal(Value::Integer(most @ 0..)) = &count {
        rows = rows.min((*most as f64).max(1.0));
    }
    let state = binder.state();
    (Node::Limit(Box::new(Limit { input, state, count, offset })), rows)
}

/// Columns are plain texts above what SQLite sorts: groups whose rows do not come in their order,
/// and windows, which get results of aggregates as columns, too. What an aggregate takes in stays
/// JSON whatever the plan: whether SQLite sorts is nothing that a statement should depend on.
fn forget_json(parts: &mut QueryParts, places: &[usize]) {
    let is_sorted = !parts.grouping.keys.is_empty() && places.is_empty();
    let has_windows = !parts.grouping.windows.is_empty();
    if !is_sorted && !has_windows {
        return;
    }
    let slot = parts.grouping.slot;
    let calls = parts.grouping.windows.iter_mut().flat_map(|window| &mut window.calls);
    let arguments = calls.flat_map(|call| &mut call.call.arguments);
    let scalars = parts.outputs.iter_mut().chain(arguments);
    scalars.for_each(|scalar| scalar.forget_json(slot, has_windows));
}

/// The rows as trees count them; here INDEXED BY is looked at.
fn counted(binder: &mut Binder<'_>, parts: &mut QueryParts) -> Result<Option<(Node, Vec<Scalar>)>> {
    // All rows of a table are counted without reading one, so that any index will do.
    let is_all = parts.group.predicates.is_empty();
    if !is_all {
        check_hints(binder, &mut parts.group)?;
    }
    let counted = count_rows(binder, parts);
    if counted.is_none() && is_all {
        check_hints(binder, &mut parts.group)?;
    }
    Ok(counted)
}

/// Reads group keys from the groups' slot wherever they are written again.
fn substitute_keys(parts: &mut QueryParts, slot: SlotId) {
    let keys = &parts.grouping.keys;
    let scalars = parts
        .outputs
        .iter_mut()
        .chain(parts.having.iter_mut())
        .chain(parts.order_by.iter_mut().map(|key| &mut key.value));
    scalars.for_each(|scalar| use_keys(scalar, keys, slot));
    for window in &mut parts.grouping.windows {
        window.partition_by.iter_mut().for_each(|key| use_keys(&mut key.value, keys, slot));
        window.order_by.iter_mut().for_each(|key| use_keys(&mut key.value, keys, slot));
        for call in &mut window.calls {
            call.call.arguments.iter_mut().for_each(|argument| use_keys(argument, keys, slot));
            call.call.filter.iter_mut().for_each(|filter| use_keys(filter, keys, slot));
        }
    }
}

/// Everything that is evaluated above the joins.
pub(super) fn upper_scalars(parts: &QueryParts) -> Vec<&Scalar> {
    let mut scalars: Vec<&Scalar> = parts.outputs.iter().collect();
    scalars.extend(parts.having.iter());
    scalars.extend(parts.order_by.iter().map(|key| &key.value));
    for window in &parts.grouping.windows {
        scalars.extend(window.partition_by.iter().map(|key| &key.value));
        scalars.extend(window.order_by.iter().map(|key| &key.value));
        for call in &window.calls {
            scalars.extend(&call.call.arguments);
            scalars.extend(call.call.filter.iter());
            scalars.extend(call.call.order_by.iter().map(|key| &key.value));
        }
    }
    scalars
}

/// Which columns are read above the joins.
fn needs_of(parts: &QueryParts) -> Needs {
    let mut needs = Needs::default();
    for scalar in upper_scalars(parts) {
        needs.add(scalar);
    }
    for key in &parts.grouping.keys {
        needs.add(&key.value);
    }
    for call in &parts.grouping.calls {
        call.arguments.iter().chain(call.filter.iter()).for_each(|scalar| needs.add(scalar));
        call.order_by.iter().for_each(|key| needs.add(&key.value));
    }
    needs
}

fn aggregate(
    binder: &mut Binder<'_>,
    parts: &mut QueryParts,
    input: Node,
    (live, sorted): (&mut Vec<SlotId>, &[usize]),
) -> Node {
    let mut read: Vec<SlotId> = Vec::new();
    for scalar in upper_scalars(parts) {
        read.extend(scalar.slots());
    }
    let bare_slots = unique_slots(read.into_iter().filter(|slot| live.contains(slot)));
    let slot = match parts.grouping.slot {
        Some(slot) => slot,
        None => binder.slot(),
    };
    live.clone_from(&bare_slots);
    live.push(slot);
    Node::Aggregate(Box::new(Aggregation {
        input,
        state: binder.state(),
        keys: std::mem::take(&mut parts.grouping.keys),
        calls: std::mem::take(&mut parts.grouping.calls),
        slot,
        bare_slots,
        sorted: sorted.to_vec(),
        is_of_rows: false,
    }))
}

/// Windows over rows that come in the order `known`, if they are fed with it; and in how many
/// leading terms of ORDER BY the rows come then.
fn windows(
    binder: &mut Binder<'_>,
    parts: &mut QueryParts,
    (mut node, known): (Node, Option<Vec<SortKey>>),
    live: &mut Vec<SlotId>,
) -> (Node, usize) {
    let mut flows = known.is_some();
    let mut known = known.unwrap_or_default();
    // The window that is named first decides the order of the rows: it comes last.
    for window in std::mem::take(&mut parts.grouping.windows).into_iter().rev() {
        let keys = keys_of_window(&window);
        let sorted = agree(&keys, &known);
        let may_sort = sorted > 0 && binder.environment.rules.has(Rules::PART_SORT);
        flows &= sorted == keys.len() || may_sort;
        let slots = live.clone();
        if flows && sorted < keys.len() {
            let (input, keys, slots) = (node, keys.clone(), slots.clone());
            let state = binder.state();
            let sort = Sort { input, state, keys, sorted, slots, limit: None };
            node = Node::Sort(Box::new(sort));
        }
        if sorted < keys.len() {
            known = keys;
        }
        live.push(window.slot);
        node = Node::Window(Box::new(WindowNode {
            input: node,
            sorted: flows,
            state: binder.state(),
            partition_by: window.partition_by,
            order_by: window.order_by,
            calls: window.calls,
            slots,
            output: window.slot,
        }));
    }
    // DISTINCT may change the order.
    let ordered = if parts.distinct { 0 } else { agree(&parts.order_by, &known) };
    // What is not read in order is sorted faster as a whole.
    let is_whole = ordered == parts.order_by.len();
    (node, if is_whole || flows && parts.limit.is_some() { ordered } else { 0 })
}

/// Leaves out rows that were there; they come in the order of these of the results.
fn distinct(
    binder: &mut Binder<'_>,
    parts: &QueryParts,
    (input, sorted): (Node, Vec<usize>),
    live: &[SlotId],
) -> Node {
    let state = binder.state();
    let keys = keys_of(&parts.outputs);
    let read = parts.outputs.iter().chain(parts.order_by.iter().map(|key| &key.value));
    let read = read.flat_map(Scalar::slots).filter(|slot| live.contains(slot));
    let slots = unique_slots(read);
    Node::Distinct(Box::new(Distinct { input, state, keys, slots, sorted }))
}

/// Orders the rows, which come in the order of so many leading terms; results that cannot be
/// computed again are computed before.
fn sort(
    binder: &mut Binder<'_>,
    parts: &mut QueryParts,
    (mut input, sorted): (Node, usize),
    live: &[SlotId],
) -> Node {
    let is_costly = |output: &Scalar| {
        output.has_subquery()
            || output.any(&mut |node| match node {
                Scalar::Call(call) => !call.function.is_deterministic(),
                _ => false,
            })
    };
    let mut slots: Vec<SlotId>;
    if parts.outputs.iter().any(is_costly) {
        let slot = binder.slot();
        let outputs = std::mem::take(&mut parts.outputs);
        parts.outputs = outputs
            .iter()
            .enumerate()
            .map(|(index, output)| slot_column(slot, index, output))
            .collect();
        for key in &mut parts.order_by {
            // What was bound twice is told by how it is written, subqueries included.
            let place = outputs.iter().position(|output| same_text(output, &key.value));
            if let Some(place) = place {
                key.value = parts.outputs[place].clone();
            }
        }
        input = Node::Project(Box::new(Project { input, outputs, slot, label: None }));
        slots = vec![slot];
    } else {
        slots = Vec::new();
        for output in &parts.outputs {
            slots.extend(output.slots());
        }
        slots = unique_slots(slots.into_iter().filter(|slot| live.contains(slot)));
    }
    let state = binder.state();
    Node::Sort(Box::new(Sort {
        input,
        state,
        keys: std::mem::take(&mut parts.order_by),
        sorted,
        slots,
        limit: parts.limit.clone(),
    }))
}

/// Whether two scalars are clones of one.
fn same_text(left: &Scalar, right: &Scalar) -> bool {
    match (left, right) {
        (Scalar::Subquery(left, column), Scalar::Subquery(right, other)) => {
            left.state == right.state && column == other
        }
        (Scalar::Exists(left), Scalar::Exists(right)) => left.state == right.state,
        (Scalar::Call(left), Scalar::Call(right)) => {
            left.cache == right.cache && left.function.name == right.function.name
        }
        (left, right) => left.same(right),
    }
}
