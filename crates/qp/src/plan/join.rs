//! The order of joins and the way each is done.
//!
//! Relations are added one after the other, each time the one that costs least given what is
//! there already; a small number of relations is tried in all orders. A relation is read by an
//! index that the rows before it can use, or from a hash table where only equality connects it,
//! or as a whole. Neighbours: `access` knows the ways into a table.

use super::access::{Access, choose_access};
use super::{Filter, HashJoin, HashKey, JoinType, NestedLoop, Node, Scan, SortKey};
use crate::bind::{Binder, Group, OuterRelation, Relation, RowsRelation, TableRelation};
use crate::error::Result;
use crate::scalar::{CompareRule, Comparison, ROWID, Scalar, SlotId, StateId};

/// Columns that are read, by slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs(Vec<(SlotId, u16)>);

impl Needs {
    /// Adds what a scalar reads.
    pub(super) fn add(&mut self, scalar: &Scalar) {
        scalar.columns(&mut |place| {
            if place.depth == 0 && !self.0.contains(&(place.slot, place.column)) {
                self.0.push((place.slot, place.column));
            }
        });
    }

    /// The columns that are read of a slot, without its rowid.
    pub(super) fn of(&self, slot: SlotId) -> impl Iterator<Item = u16> + '_ {
        self.0
            .iter()
            .filter(move |(known, column)| *known == slot && *column != ROWID)
            .map(|(_, column)| *column)
    }
}

/// A planned group.
pub(super) struct Joined {
    /// Its plan.
    pub node: Node,
    /// The rows come in the order that was wanted.
    pub sorted: bool,
    /// About how many rows.
    pub rows: f64,
}

/// The most relations that are tried in all orders.
const EXHAUSTIVE_MAX: usize = 6;

/// How much of a table an equality lets through where nothing is known.
pub(super) const EQUAL_SHARE: f64 = 0.1;

/// Plans a group for itself.
pub(crate) fn plan_group(
    binder: &mut Binder<'_>,
    group: Group,
    needs: &Needs,
    wanted: &[SortKey],
    has_limit: bool,
) -> Result<Joined> {
    let mut needs = needs.clone();
    group_needs(&group, &mut needs);
    plan_inside(binder, group, &needs, wanted, has_limit, &[])
}

fn group_needs(group: &Group, needs: &mut Needs) {
    group.predicates.iter().for_each(|predicate| needs.add(predicate));
    for relation in &group.relations {
        match relation {
            Relation::Outer(outer) => {
                outer.on.iter().for_each(|term| needs.add(term));
                group_needs(&outer.left, needs);
                group_needs(&outer.right, needs);
            }
            Relation::Rows(rows) => match &rows.node {
                Node::Function(scan) => scan.arguments.iter().for_each(|part| needs.add(part)),
                Node::Pragma(scan) => scan.arguments.iter().for_each(|part| needs.add(part)),
                _ => {}
            },
            Relation::Table(_) => {}
        }
    }
}

/// A predicate with the slots of the group that it reads.
struct Term {
    scalar: Option<Scalar>,
    slots: Vec<SlotId>,
}

/// Plans a group whose predicates may also read the slots `given`.
fn plan_inside(
    binder: &mut Binder<'_>,
    mut group: Group,
    needs: &Needs,
    wanted: &[SortKey],
    has_limit: bool,
    given: &[SlotId],
) -> Result<Joined> {
    simplify_outer(&mut group);
    let own = group.slots();
    let mut terms: Vec<Term> = Vec::with_capacity(group.predicates.len());
    for predicate in std::mem::take(&mut group.predicates) {
        let slots = predicate.slots().into_iter().filter(|slot| own.contains(slot)).collect();
        terms.push(Term { scalar: Some(predicate), slots });
    }
    push_into_outer(&mut group, &mut terms);
    if group.relations.is_empty() {
        let node = Node::Once(binder.state());
        return Ok(Joined { node: filtered(node, take_all(&mut terms)), sorted: true, rows: 1.0 });
    }
    let order = join_order(binder, &group, &terms, given);
    let mut relations: Vec<Option<Relation>> = group.relations.into_iter().map(Some).collect();
    let mut available: Vec<SlotId> = given.to_vec();
    let mut joined: Option<Joined> = None;
    // The order of the first relation is one of the join only as far as it reaches: where a row
    // of it meets several others, what is wanted of those still has to be sorted.
    let first = order.first().and_then(|place| relations[*place].as_ref());
    let reaches = first.is_none_or(|first| {
        let slots = first.slots();
        let own = |slot: &SlotId| slots.contains(slot);
        wanted.iter().all(|key| !key.value.has_subquery() && key.value.slots().iter().all(own))
    });
    for place in order {
        let Some(relation) = relations[place].take() else { continue };
        let slots = relation.slots();
        joined = Some(match joined {
            None => first_relation(binder, relation, &mut terms, needs, wanted, has_limit, given)?,
            Some(left) => {
                next_relation(binder, left, relation, &mut terms, needs, &available, given)?
            }
        });
        available.extend(slots);
    }
    let Some(mut joined) = joined else {
        let node = Node::Once(binder.state());
        return Ok(Joined { node, sorted: true, rows: 1.0 });
    };
    joined.node = filtered(joined.node, take_all(&mut terms));
    joined.sorted &= reaches;
    Ok(joined)
}

/// A LEFT JOIN whose made-up rows could not pass is an inner one.
fn simplify_outer(group: &mut Group) {
    let mut changed = true;
    while changed {
        changed = false;
        for index in 0..group.relations.len() {
            let Relation::Outer(outer) = &group.relations[index] else { continue };
            if outer.kind != JoinType::Left {
                continue;
            }
            let right = outer.right.slots();
            if !group.predicates.iter().any(|predicate| rejects_null(predicate, &right)) {
                continue;
            }
            if let Relation::Outer(outer) = group.relations.remove(index) {
                let OuterRelation { left, right, on, .. } = *outer;
                for part in [right, left] {
                    let relations = part.relations.into_iter().rev();
                    relations.for_each(|relation| group.relations.insert(index, relation));
                    group.predicates.extend(part.predicates);
                    group.fixed |= part.fixed;
                }
                for term in on {
                    group.add_predicate(term);
                }
            }
            changed = true;
            break;
        }
    }
}

/// Whether a predicate cannot be true where all columns of `slots` are NULL.
fn rejects_null(predicate: &Scalar, slots: &[SlotId]) -> bool {
    let is_null = |scalar: &Scalar| is_null_with(scalar, slots);
    match predicate {
        Scalar::Compare(compare) => {
            !matches!(compare.operator, Comparison::Is | Comparison::IsNot)
                && (is_null(&compare.left) || is_null(&compare.right))
        }
        Scalar::Between(between) => is_null(&between.operand),
        Scalar::IsNull(operand, true) => is_null(operand),
        Scalar::InList(list) => !list.negated && is_null(&list.operand),
        Scalar::Or(terms) => terms.iter().all(|term| rejects_null(term, slots)),
        Scalar::And(terms) => terms.iter().any(|term| rejects_null(term, slots)),
        _ => false,
    }
}

/// Whether an expression is NULL where all columns of `slots` are.
fn is_null_with(scalar: &Scalar, slots: &[SlotId]) -> bool {
    match scalar {
        Scalar::Column(place) => place.depth == 0 && slots.contains(&place.slot),
        Scalar::Collate(operand, _) | Scalar::Cast(operand, _) | Scalar::Convert(operand, _) => {
            is_null_with(operand, slots)
        }
        Scalar::Binary(_, operands) => operands.iter().any(|operand| is_null_with(operand, slots)),
        _ => false,
    }
}

/// Predicates that only read the kept side of an outer join are checked there.
fn push_into_outer(group: &mut Group, terms: &mut [Term]) {
    for relation in &mut group.relations {
        let Relation::Outer(outer) = relation else { continue };
        let (side, kind) = match outer.kind {
            JoinType::Left => (&mut outer.left, JoinType::Left),
            JoinType::Right => (&mut outer.right, JoinType::Right),
            other => (&mut outer.left, other),
        };
        if kind == JoinType::Full {
            continue;
        }
        let slots = side.slots();
        for term in terms.iter_mut() {
            let fits = !term.slots.is_empty() && term.slots.iter().all(|slot| slots.contains(slot));
            if fits && let Some(scalar) = term.scalar.take() {
                side.predicates.push(scalar);
            }
        }
    }
}

fn take_all(terms: &mut [Term]) -> Vec<Scalar> {
    terms.iter_mut().filter_map(|term| term.scalar.take()).collect()
}

/// Takes the predicates that can be checked once `available` slots are there.
fn take_ready(terms: &mut [Term], available: &[SlotId]) -> Vec<Scalar> {
    let is_ready = |term: &Term| term.slots.iter().all(|slot| available.contains(slot));
    terms.iter_mut().filter(|term| is_ready(term)).filter_map(|term| term.scalar.take()).collect()
}

/// A filter, cheap predicates first.
fn filtered(input: Node, mut predicates: Vec<Scalar>) -> Node {
    if predicates.is_empty() {
        return input;
    }
    predicates.sort_by_key(Scalar::has_subquery);
    Node::Filter(Box::new(Filter { input, predicates }))
}

/// The order in which relations are joined.
fn join_order(
    binder: &mut Binder<'_>,
    group: &Group,
    terms: &[Term],
    given: &[SlotId],
) -> Vec<usize> {
    let count = group.relations.len();
    if group.fixed || count == 1 {
        return (0..count).collect();
    }
    let mut search = Search {
        group,
        predicates: terms.iter().filter_map(|term| term.scalar.as_ref()).collect(),
        best: f64::INFINITY,
        best_order: Vec::new(),
    };
    if count <= EXHAUSTIVE_MAX {
        let mut order = Vec::with_capacity(count);
        search.try_all(binder, &mut order, given, 1.0, 0.0);
    }
    if search.best_order.is_empty() {
        search.best_order = search.greedy(binder, given);
    }
    search.best_order
}

struct Search<'g> {
    group: &'g Group,
    predicates: Vec<&'g Scalar>,
    best: f64,
    best_order: Vec<usize>,
}

impl Search<'_> {
    /// Cost of reading relation `place` for `rows` rows before it, and how many rows come out.
    fn step(
        &self,
        binder: &mut Binder<'_>,
        place: usize,
        available: &[SlotId],
        rows: f64,
    ) -> Option<(f64, f64)> {
        let relation = &self.group.relations[place];
        let slots = relation.slots();
        let (size, is_cheap) = match relation {
            Relation::Table(table) => {
                let access = choose_access(
                    binder,
                    table,
                    &self.predicates,
                    available,
                    &Needs::default(),
                    &[],
                    false,
                );
                let total = access.total;
                if access.is_search {
                    let out = rows * access.rows.max(0.01);
                    let left = self.share(&slots, available, &access.used);
                    return Some((rows * access.cost, (out * left).max(0.01)));
                }
                (total, true)
            }
            Relation::Rows(other) => {
                if other.needs.iter().any(|slot| !available.contains(slot)) {
                    return None;
                }
                (other.rows, other.is_cheap)
            }
            Relation::Outer(outer) => (outer_rows(binder, outer), false),
        };
        let share = self.share(&slots, available, &[]);
        let has_equality = self.has_equality(&slots, available);
        let cost = if has_equality || !is_cheap { size * 1.5 + rows } else { rows * size.max(1.0) };
        Some((cost, (rows * size * share).max(0.01)))
    }

    /// What share of the pairs passes the predicates that become ready with `slots`.
    fn share(&self, slots: &[SlotId], available: &[SlotId], used: &[usize]) -> f64 {
        let mut share = 1.0;
        for (index, predicate) in self.predicates.iter().enumerate() {
            let reads = predicate.slots();
            let is_ready = reads.iter().any(|slot| slots.contains(slot))
                && reads.iter().all(|slot| slots.contains(slot) || available.contains(slot));
            if is_ready && !used.contains(&index) {
                share *= match predicate {
                    Scalar::Compare(compare) if compare.operator == Comparison::Equal => {
                        EQUAL_SHARE
                    }
                    _ => 0.4,
                };
            }
        }
        share
    }

    fn has_equality(&self, slots: &[SlotId], available: &[SlotId]) -> bool {
        self.predicates.iter().any(|predicate| equality(predicate, available, slots).is_some())
    }

    fn try_all(
        &mut self,
        binder: &mut Binder<'_>,
        order: &mut Vec<usize>,
        available: &[SlotId],
        rows: f64,
        cost: f64,
    ) {
        if cost >= self.best {
            return;
        }
        if order.len() == self.group.relations.len() {
            self.best = cost;
            self.best_order.clone_from(order);
            return;
        }
        for place in 0..self.group.relations.len() {
            if order.contains(&place) {
                continue;
            }
            let Some((step, out)) = self.step(binder, place, available, rows) else { continue };
            let mut more = available.to_vec();
            more.extend(self.group.relations[place].slots());
            order.push(place);
            self.try_all(binder, order, &more, out, cost + step);
            order.pop();
        }
    }

    fn greedy(&self, binder: &mut Binder<'_>, given: &[SlotId]) -> Vec<usize> {
        let count = self.group.relations.len();
        let (mut order, mut available, mut rows) = (Vec::new(), given.to_vec(), 1.0);
        while order.len() < count {
            let mut best: Option<(f64, usize, f64)> = None;
            for place in (0..count).filter(|place| !order.contains(place)) {
                if let Some((cost, out)) = self.step(binder, place, &available, rows) {
                    let value = cost + out;
                    if best.is_none_or(|(known, ..)| value < known) {
                        best = Some((value, place, out));
                    }
                }
            }
            let (place, out) = match best {
                Some((_, place, out)) => (place, out),
                // What needs something that never comes is read where it stands.
                None => match (0..count).find(|place| !order.contains(place)) {
                    Some(place) => (place, rows),
                    None => break,
                },
            };
            available.extend(self.group.relations[place].slots());
            order.push(place);
            rows = out;
        }
        order
    }
}

fn outer_rows(binder: &Binder<'_>, outer: &OuterRelation) -> f64 {
    let rows = |group: &Group| -> f64 {
        group
            .relations
            .iter()
            .map(|relation| match relation {
                Relation::Table(table) => table_rows(binder, table),
                Relation::Rows(rows) => rows.rows.max(1.0),
                Relation::Outer(outer) => outer_rows(binder, outer),
            })
            .product()
    };
    rows(&outer.left).max(1.0)
}

/// How many rows a table has.
pub(super) fn table_rows(binder: &Binder<'_>, table: &TableRelation) -> f64 {
    (binder.environment.statistics.rows(table.source, &table.table) as f64).max(1.0)
}

/// An equality between the slots on both sides: expression over the left, over the right.
fn equality<'s>(
    predicate: &'s Scalar,
    left: &[SlotId],
    right: &[SlotId],
) -> Option<(&'s Scalar, &'s Scalar, CompareRule)> {
    let Scalar::Compare(compare) = predicate else { return None };
    if compare.operator != Comparison::Equal {
        return None;
    }
    let (first, second) = (compare.left.slots(), compare.right.slots());
    let within = |reads: &[SlotId], slots: &[SlotId]| {
        !reads.is_empty() && reads.iter().all(|slot| slots.contains(slot))
    };
    if matches!(compare.rule.collation, pandodb_ds::record::Collation::Custom(_)) {
        return None;
    }
    if within(&first, left) && within(&second, right) {
        Some((&compare.left, &compare.right, compare.rule))
    } else if within(&second, left) && within(&first, right) {
        Some((&compare.right, &compare.left, compare.rule))
    } else {
        None
    }
}

fn first_relation(
    binder: &mut Binder<'_>,
    relation: Relation,
    terms: &mut [Term],
    needs: &Needs,
    wanted: &[SortKey],
    has_limit: bool,
    given: &[SlotId],
) -> Result<Joined> {
    let mut available = given.to_vec();
    available.extend(relation.slots());
    let mut joined = match relation {
        Relation::Table(table) => {
            let predicates: Vec<&Scalar> =
                terms.iter().filter_map(|term| term.scalar.as_ref()).collect();
            let mut access =
                choose_access(binder, &table, &predicates, given, needs, wanted, has_limit);
            if wanted.is_empty() && binder.environment.reverse_unordered {
                access.backward = !access.backward;
            }
            let (rows, sorted) = (access.rows, access.sorted);
            Joined { node: scan(binder, *table, access, terms), sorted, rows }
        }
        Relation::Rows(rows) => {
            Joined { rows: rows.rows, node: rows.node, sorted: wanted.is_empty() }
        }
        Relation::Outer(outer) => {
            let joined = outer_join(binder, *outer, needs, given)?;
            Joined { sorted: wanted.is_empty(), ..joined }
        }
    };
    joined.node = filtered(joined.node, take_ready(terms, &available));
    Ok(joined)
}

/// A scan by an access path; the predicates that the path answers for are taken.
fn scan(binder: &mut Binder<'_>, table: TableRelation, access: Access, terms: &mut [Term]) -> Node {
    let mut place = 0;
    for term in terms.iter_mut() {
        if term.scalar.is_some() {
            if access.used.contains(&place) {
                term.scalar = None;
            }
            place += 1;
        }
    }
    let state: StateId = binder.state();
    Node::Scan(Box::new(Scan {
        slot: table.slot,
        state,
        source: table.source,
        table: table.table,
        path: access.path,
        backward: access.backward,
        alias: table.alias,
    }))
}

fn next_relation(
    binder: &mut Binder<'_>,
    left: Joined,
    relation: Relation,
    terms: &mut [Term],
    needs: &Needs,
    available: &[SlotId],
    given: &[SlotId],
) -> Result<Joined> {
    let right_slots = relation.slots();
    let left_slots: Vec<SlotId> =
        available.iter().copied().filter(|slot| !given.contains(slot)).collect();
    let mut all = available.to_vec();
    all.extend(&right_slots);
    let has_equality = terms.iter().any(|term| {
        term.scalar
            .as_ref()
            .is_some_and(|scalar| equality(scalar, available, &right_slots).is_some())
    });
    let (right, right_rows, repeats) = match relation {
        Relation::Table(table) => {
            let predicates: Vec<&Scalar> =
                terms.iter().filter_map(|term| term.scalar.as_ref()).collect();
            let access = choose_access(binder, &table, &predicates, available, needs, &[], false);
            // An index search for each row beats a hash table while there are few rows.
            let search = access.is_search
                && (!has_equality || left.rows * access.cost < access.total * 1.5 + left.rows);
            if search {
                let rows = left.rows * access.rows;
                let node = scan(binder, *table, access, terms);
                let right = filtered(node, take_ready(terms, &all));
                return Ok(nested_loop(binder, left, right, rows, left_slots, right_slots));
            }
            let alone = {
                let predicates: Vec<&Scalar> =
                    terms.iter().filter_map(|term| term.scalar.as_ref()).collect();
                choose_access(binder, &table, &predicates, given, needs, &[], false)
            };
            let rows = alone.rows;
            (scan(binder, *table, alone, terms), rows, true)
        }
        Relation::Rows(rows) => {
            let RowsRelation { node, rows, is_cheap, needs, .. } = *rows;
            if !needs.is_empty() {
                let right = filtered(node, take_ready(terms, &all));
                let rows = left.rows * rows;
                return Ok(nested_loop(binder, left, right, rows, left_slots, right_slots));
            }
            (node, rows, is_cheap)
        }
        Relation::Outer(outer) => {
            let joined = outer_join(binder, *outer, needs, given)?;
            (joined.node, joined.rows, false)
        }
    };
    let mut right_available = given.to_vec();
    right_available.extend(&right_slots);
    let right = filtered(right, take_ready(terms, &right_available));
    if has_equality {
        return Ok(hash_join(binder, left, right, right_rows, terms, left_slots, right_slots));
    }
    let right = if repeats {
        right
    } else {
        binder.materialized(right, right_slots.clone(), "MATERIALIZE")
    };
    let right = filtered(right, take_ready(terms, &all));
    let rows = left.rows * right_rows;
    Ok(nested_loop(binder, left, right, rows, left_slots, right_slots))
}

fn nested_loop(
    binder: &mut Binder<'_>,
    left: Joined,
    right: Node,
    rows: f64,
    left_slots: Vec<SlotId>,
    right_slots: Vec<SlotId>,
) -> Joined {
    let state = binder.state();
    let join = NestedLoop {
        kind: JoinType::Inner,
        state,
        left: left.node,
        right,
        on: Vec::new(),
        left_slots,
        right_slots,
    };
    Joined { node: Node::NestedLoop(Box::new(join)), sorted: left.sorted, rows }
}

/// Takes the equalities between both sides out of `terms`.
fn take_keys(terms: &mut [Option<Scalar>], left: &[SlotId], right: &[SlotId]) -> Vec<HashKey> {
    let mut keys = Vec::new();
    for term in terms {
        let found = term.as_ref().and_then(|scalar| {
            let (left, right, rule) = equality(scalar, left, right)?;
            Some(HashKey { left: left.clone(), right: right.clone(), rule })
        });
        if let Some(key) = found {
            keys.push(key);
            *term = None;
        }
    }
    keys
}

fn hash_join(
    binder: &mut Binder<'_>,
    left: Joined,
    right: Node,
    right_rows: f64,
    terms: &mut [Term],
    left_slots: Vec<SlotId>,
    right_slots: Vec<SlotId>,
) -> Joined {
    let mut scalars: Vec<Option<Scalar>> =
        terms.iter_mut().map(|term| term.scalar.take()).collect();
    let keys = take_keys(&mut scalars, &left_slots, &right_slots);
    for (term, scalar) in terms.iter_mut().zip(scalars) {
        term.scalar = scalar;
    }
    let mut all = left_slots.clone();
    all.extend(&right_slots);
    let state = binder.state();
    let rows = (left.rows * right_rows * EQUAL_SHARE).max(1.0);
    let join = HashJoin {
        kind: JoinType::Inner,
        state,
        left: left.node,
        right,
        keys,
        on: Vec::new(),
        left_slots,
        right_slots,
    };
    let node = filtered(Node::HashJoin(Box::new(join)), take_ready(terms, &all));
    Joined { node, sorted: left.sorted, rows }
}

/// An outer join, for itself.
fn outer_join(
    binder: &mut Binder<'_>,
    outer: OuterRelation,
    needs: &Needs,
    given: &[SlotId],
) -> Result<Joined> {
    let OuterRelation { kind, left, right, on } = outer;
    let (left_slots, right_slots) = (left.slots(), right.slots());
    let left = plan_inside(binder, left, needs, &[], false, given)?;
    let mut available = given.to_vec();
    available.extend(&left_slots);
    if kind == JoinType::Left {
        let has_equality =
            on.iter().any(|term| equality(term, &left_slots, &right_slots).is_some());
        let searches = match right.relations.as_slice() {
            [Relation::Table(table)] => {
                let predicates: Vec<&Scalar> = right.predicates.iter().chain(&on).collect();
                let access =
                    choose_access(binder, table, &predicates, &available, needs, &[], false);
                access.is_search
                    && (!has_equality || left.rows * access.cost < access.total * 1.5 + left.rows)
            }
            _ => false,
        };
        if searches || !has_equality {
            return left_loop(binder, left, right, on, needs, &available, left_slots, right_slots);
        }
    }
    // Conditions on the right side alone are checked before the join, unless its rows stay.
    let mut right = right;
    let mut rest: Vec<Option<Scalar>> = Vec::with_capacity(on.len());
    for term in on {
        let reads = term.slots();
        let is_right = !reads.is_empty() && reads.iter().all(|slot| right_slots.contains(slot));
        if kind == JoinType::Left && is_right {
            right.predicates.push(term);
        } else {
            rest.push(Some(term));
        }
    }
    let right = plan_inside(binder, right, needs, &[], false, given)?;
    let keys = take_keys(&mut rest, &left_slots, &right_slots);
    let rows = left.rows.max(right.rows);
    let state = binder.state();
    let join = HashJoin {
        kind,
        state,
        left: left.node,
        right: right.node,
        keys,
        on: rest.into_iter().flatten().collect(),
        left_slots,
        right_slots,
    };
    Ok(Joined { node: Node::HashJoin(Box::new(join)), sorted: false, rows })
}

#[allow(clippy::too_many_arguments, reason = "the parts of one join, used at one place")]
fn left_loop(
    binder: &mut Binder<'_>,
    left: Joined,
    mut right: Group,
    on: Vec<Scalar>,
    needs: &Needs,
    available: &[SlotId],
    left_slots: Vec<SlotId>,
    right_slots: Vec<SlotId>,
) -> Result<Joined> {
    let is_heavy = right.relations.iter().any(|relation| match relation {
        Relation::Rows(rows) => !rows.is_cheap,
        Relation::Outer(_) => true,
        Relation::Table(_) => false,
    });
    let mut rest = Vec::new();
    let right = if is_heavy {
        let given: Vec<SlotId> =
            available.iter().copied().filter(|slot| !left_slots.contains(slot)).collect();
        let planned = plan_inside(binder, right, needs, &[], false, &given)?;
        rest = on;
        let node = binder.materialized(planned.node, right_slots.clone(), "MATERIALIZE");
        Joined { node, ..planned }
    } else {
        right.predicates.extend(on);
        plan_inside(binder, right, needs, &[], false, available)?
    };
    let state = binder.state();
    let rows = left.rows * right.rows.max(1.0);
    let join = NestedLoop {
        kind: JoinType::Left,
        state,
        left: left.node,
        right: right.node,
        on: rest,
        left_slots,
        right_slots,
    };
    Ok(Joined { node: Node::NestedLoop(Box::new(join)), sorted: false, rows })
}
