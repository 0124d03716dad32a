//! The order in which relations are joined, by cost.
//!
//! Up to a dozen relations are tried in all orders that matter: the best order of each set of
//! them is found from the best orders of its subsets. More are added one by one, each time what
//! costs least. What reading a relation costs depends on which of its neighbours were read
//! before, and is asked for once for each such set. Neighbours: `estimate` knows rows and shares.

use rustc_hash::FxHashMap;

use super::access::{Ask, choose_access};
use super::cost::{hash_cost, search_pays};
use super::estimate::{self, Passed};
use super::group::Term;
use super::join::equality;
use super::needs::Needs;
use super::rules::Rules;
use crate::bind::{Binder, Group, OuterRelation, Relation};
use crate::scalar::{Comparison, Scalar, SlotId};

/// The most relations that are tried in all orders.
const EXHAUSTIVE_MAX: usize = 10;
/// The most relations whose order is looked for at all: sets of them are bits.
const ORDERED_MAX: usize = 128;

/// A set of relations, by their places.
type Places = u128;

/// What is known of a predicate.
struct Known<'g> {
    scalar: &'g Scalar,
    /// The relations that it reads.
    reads: Places,
    /// What share of rows (or pairs) passes.
    share: f64,
    /// Which rows of a sample of its one table pass.
    passed: Option<Passed>,
    /// Equalities of the same columns have the same number.
    class: Option<usize>,
    /// It follows from others.
    implied: bool,
}

/// How a relation is read.
#[derive(Clone, Copy)]
struct Way {
    /// For each row before it.
    cost: f64,
    rows: f64,
    is_search: bool,
    /// Predicates that the way answers for, the first 128 of them.
    used: u128,
}

/// A set of relations with its cheapest order.
#[derive(Clone)]
struct Best {
    cost: f64,
    rows: f64,
    order: Vec<usize>,
}

struct Search<'s, 'e> {
    binder: &'s mut Binder<'e>,
    group: &'s Group,
    given: &'s [SlotId],
    slots: Vec<Vec<SlotId>>,
    known: Vec<Known<'s>>,
    /// Relations that share a predicate with each.
    neighbours: Vec<Places>,
    /// What must be read before each.
    needs: Vec<Places>,
    ways: FxHashMap<(usize, Places), Way>,
    has_hash: bool,
}

/// A relation at its place in the order.
#[derive(Clone, Copy)]
pub(super) struct Step {
    /// Which relation.
    pub(super) place: usize,
    /// About how many rows there are once it is joined, where that was asked.
    pub(super) rows: Option<f64>,
    /// About how many rows of it pass the conditions on itself.
    pub(super) alone: Option<f64>,
}

/// The order in which relations are joined.
pub(super) fn join_order(
    binder: &mut Binder<'_>,
    group: &Group,
    terms: &[Term],
    given: &[SlotId],
) -> Vec<Step> {
    let count = group.relations.len();
    let is_asked = binder.environment.rules.has(Rules::JOIN_ORDER);
    if count > ORDERED_MAX || (count == 1 && group.semis.is_empty()) {
        let step = |place| Step { place, rows: None, alone: None };
        return in_order(group).into_iter().map(step).collect();
    }
    let mut search = Search::new(binder, group, terms, given);
    let order = if group.fixed || !is_asked {
        in_order(group)
    } else {
        let best = if count <= EXHAUSTIVE_MAX { search.exhaustive() } else { None };
        best.unwrap_or_else(|| search.greedy())
    };
    search.along(&order)
}

/// The order of FROM, except that what needs others comes behind them.
fn in_order(group: &Group) -> Vec<usize> {
    let count = group.relations.len();
    let mut order: Vec<usize> = Vec::with_capacity(count);
    let mut slots: Vec<SlotId> = Vec::new();
    let all = group.slots();
    while order.len() < count {
        let waits = |place: &usize| match &group.relations[*place] {
            Relation::Rows(rows) => {
                rows.needs.iter().any(|slot| all.contains(slot) && !slots.contains(slot))
            }
            _ => false,
        };
        let left = || (0..count).filter(|place| !order.contains(place));
        let Some(place) = left().find(|place| !waits(place)).or_else(|| left().next()) else {
            break;
        };
        slots.extend(group.relations[place].slots());
        order.push(place);
    }
    order
}

impl<'s, 'e> Search<'s, 'e> {
    fn new(
        binder: &'s mut Binder<'e>,
        group: &'s Group,
        terms: &'s [Term],
        given: &'s [SlotId],
    ) -> Self {
        let slots: Vec<Vec<SlotId>> = group.relations.iter().map(Relation::slots).collect();
        let places = |reads: &[SlotId]| -> Places {
            let mut set = 0;
            for (place, own) in slots.iter().enumerate() {
                if reads.iter().any(|slot| own.contains(slot)) {
                    set |= 1 << place;
                }
            }
            set
        };
        let mut classes: Vec<Vec<(SlotId, u16)>> = Vec::new();
        let mut known = Vec::with_capacity(terms.len());
        for term in terms {
            let Some(scalar) = &term.scalar else { continue };
            let reads = places(&term.slots);
            let passed = estimate::passed(binder, group, scalar);
            let share = match passed {
                Some(_) => 1.0,
                None => estimate::guessed_share(binder, group, scalar),
            };
            let class = class_of(scalar, &mut classes);
            known.push(Known { scalar, reads, share, passed, class, implied: term.implied });
        }
        let mut neighbours = vec![0; slots.len()];
        for predicate in &known {
            for (place, near) in neighbours.iter_mut().enumerate() {
                if predicate.reads & (1 << place) != 0 {
                    *near |= predicate.reads;
                }
            }
        }
        let needs = group
            .relations
            .iter()
            .map(|relation| match relation {
                Relation::Rows(rows) => places(&rows.needs),
                _ => 0,
            })
            .collect();
        let has_hash = binder.environment.rules.has(Rules::HASH_JOIN);
        let ways = FxHashMap::default();
        Self { binder, group, given, slots, known, neighbours, needs, ways, has_hash }
    }

    /// How relation `place` is read when those of `before` are there.
    fn way(&mut self, place: usize, before: Places) -> Way {
        let near = before & self.neighbours[place];
        if let Some(way) = self.ways.get(&(place, near)) {
            return *way;
        }
        let way = match &self.group.relations[place] {
            Relation::Table(table) => {
                let mut available = self.given.to_vec();
                for (other, slots) in self.slots.iter().enumerate() {
                    if near & (1 << other) != 0 {
                        available.extend(slots);
                    }
                }
                let predicates: Vec<&Scalar> =
                    self.known.iter().map(|known| known.scalar).collect();
                let needs = Needs::default();
                let ask = Ask {
                    table,
                    predicates: &predicates,
                    available: &available,
                    needs: &needs,
                    wanted: &[],
                    limit: None,
                };
                let access = choose_access(self.binder, &ask);
                let bits = access.used.iter().filter(|used| **used < 128);
                let used = bits.fold(0, |bits, used| bits | 1 << used);
                Way { cost: access.cost, rows: access.rows, is_search: access.is_search, used }
            }
            Relation::Rows(rows) => {
                let rows = rows.rows.max(1.0);
                Way { cost: rows, rows, is_search: false, used: 0 }
            }
            Relation::Outer(outer) => {
                let rows = outer_rows(self.binder, outer);
                Way { cost: rows * 2.0, rows, is_search: false, used: 0 }
            }
        };
        self.ways.insert((place, near), way);
        way
    }

    /// Cost of adding relation `place` to `rows` rows of the relations `before`, and how many
    /// rows come out.
    fn step(&mut self, place: usize, before: Places, rows: f64) -> (f64, f64) {
        let own = 1 << place;
        let alone = self.way(place, 0);
        let alone_rows = alone.rows * self.share(own, 0, alone.used);
        if before == 0 {
            return (alone.cost, alone_rows.max(0.01));
        }
        let way = self.way(place, before);
        let mut joined = rows * alone_rows * self.share(own, before, alone.used);
        if way.is_search && (way.used & !alone.used).count_ones() > 1 {
            // An index over several columns knows how often they occur together, which may be
            // more often than each by chance.
            let rest = self.share(own, 0, way.used) * self.share(own, before, way.used);
            joined = joined.max(rows * way.rows * rest);
        }
        let out = joined.max(0.01);
        let is_equal = self.has_hash
            && self.known.iter().any(|known| {
                known.reads & own != 0
                    && known.reads & before != 0
                    && known.reads & !(own | before) == 0
                    && is_equality(known.scalar, &self.slots[place])
            });
        if way.is_search && (!is_equal || search_pays(rows, way.cost, alone.cost, alone_rows)) {
            return (rows * (way.cost + 1.0), out);
        }
        let cost = if is_equal {
            alone.cost + hash_cost(rows.min(alone_rows), rows.max(alone_rows))
        } else {
            alone.cost + rows * alone_rows.max(1.0)
        };
        (cost + out * 0.2, out)
    }

    /// What share of rows passes the predicates that relation `own` makes ready.
    fn share(&self, own: Places, before: Places, used: u128) -> f64 {
        let mut share = if before == 0 { self.sampled_share(own, used) } else { 1.0 };
        let mut classes: Vec<usize> = Vec::new();
        for (index, known) in self.known.iter().enumerate() {
            let is_ready = known.reads & own != 0 && known.reads & !(own | before) == 0;
            let is_new = if before == 0 { true } else { known.reads & before != 0 };
            if !is_ready || !is_new {
                continue;
            }
            if index < 128 && used & (1 << index) != 0 {
                classes.extend(known.class);
                continue;
            }
            if let Some(class) = known.class {
                // Of equalities between the same columns only one takes rows away.
                if classes.contains(&class) {
                    continue;
                }
                classes.push(class);
            } else if known.implied && known.reads.count_ones() > 1 {
                continue;
            }
            share *= known.share;
        }
        share
    }

    /// What share of a relation's rows passes all conditions that were tried on a sample, of
    /// those that pass what its way answers for.
    fn sampled_share(&self, own: Places, used: u128) -> f64 {
        let (mut all, mut given, mut is_tried) = (u64::MAX, u64::MAX, false);
        for (index, known) in self.known.iter().enumerate() {
            let (Some(passed), true) = (known.passed, known.reads == own) else { continue };
            let tried = u64::MAX.checked_shr(64 - passed.rows.min(64)).unwrap_or(0);
            (all, given, is_tried) = (all & passed.bits & tried, given & tried, true);
            if index < 128 && used & (1 << index) != 0 {
                given &= passed.bits;
            }
        }
        if is_tried { Passed::share(all, given).min(1.0) } else { 1.0 }
    }

    /// The best order of all, from the best orders of each smaller set.
    fn exhaustive(&mut self) -> Option<Vec<usize>> {
        let count = self.slots.len();
        let mut best: FxHashMap<Places, Best> = FxHashMap::default();
        let mut sets: Vec<Places> = vec![0];
        best.insert(0, Best { cost: 0.0, rows: 1.0, order: Vec::new() });
        for _ in 0..count {
            let mut next: Vec<Places> = Vec::new();
            for set in sets {
                let Some(known) = best.get(&set).cloned() else { continue };
                for place in self.candidates(set) {
                    let (cost, rows) = self.step(place, set, known.rows);
                    let cost = known.cost + cost;
                    let more = set | 1 << place;
                    let is_better = best.get(&more).is_none_or(|old| cost < old.cost);
                    if !best.contains_key(&more) {
                        next.push(more);
                    }
                    if is_better {
                        let mut order = known.order.clone();
                        order.push(place);
                        best.insert(more, Best { cost, rows, order });
                    }
                }
            }
            sets = next;
        }
        let all = (1 << count) - 1;
        best.remove(&all).map(|best| best.order)
    }

    /// How many rows there are at each step of an order.
    fn along(&mut self, order: &[usize]) -> Vec<Step> {
        let (mut set, mut rows) = (0, 1.0);
        let mut steps = Vec::with_capacity(order.len());
        for &place in order {
            let alone = self.way(place, 0);
            let alone = alone.rows * self.share(1 << place, 0, alone.used);
            rows = self.step(place, set, rows).1;
            set |= 1 << place;
            steps.push(Step { place, rows: Some(rows), alone: Some(alone) });
        }
        steps
    }

    /// Relations that can come next: those that a predicate connects, if there are such.
    fn candidates(&self, set: Places) -> Vec<usize> {
        let free: Vec<usize> = (0..self.slots.len())
            .filter(|place| set & (1 << place) == 0 && self.needs[*place] & !set == 0)
            .collect();
        let near = |place: &&usize| self.neighbours[**place] & set != 0;
        let connected: Vec<usize> = free.iter().filter(near).copied().collect();
        if connected.is_empty() || set == 0 { free } else { connected }
    }

    fn greedy(&mut self) -> Vec<usize> {
        let count = self.slots.len();
        let (mut order, mut set, mut rows) = (Vec::with_capacity(count), 0, 1.0);
        while order.len() < count {
            let mut best: Option<(f64, usize, f64)> = None;
            for place in self.candidates(set) {
                let (cost, out) = self.step(place, set, rows);
                let value = cost + out;
                if best.is_none_or(|(known, ..)| value < known) {
                    best = Some((value, place, out));
                }
            }
            let (place, out) = match best {
                Some((_, place, out)) => (place, out),
                // What needs something that never comes is read where it stands.
                None => match (0..count).find(|place| set & (1 << place) == 0) {
                    Some(place) => (place, rows),
                    None => break,
                },
            };
            set |= 1 << place;
            order.push(place);
            rows = out;
        }
        order
    }
}

/// Whether a predicate is an equality with one side over `own` and the other over the rest.
fn is_equality(predicate: &Scalar, own: &[SlotId]) -> bool {
    let others: Vec<SlotId> =
        predicate.slots().into_iter().filter(|slot| !own.contains(slot)).collect();
    equality(predicate, &others, own).is_some()
}

/// The number of the set of columns that an equality of columns belongs to.
fn class_of(scalar: &Scalar, classes: &mut Vec<Vec<(SlotId, u16)>>) -> Option<usize> {
    let Scalar::Compare(compare) = scalar else { return None };
    if compare.operator != Comparison::Equal {
        return None;
    }
    let (Scalar::Column(left), Scalar::Column(right)) = (&compare.left, &compare.right) else {
        return None;
    };
    let sides = [(left.slot, left.column), (right.slot, right.column)];
    let place = classes.iter().position(|class| sides.iter().any(|side| class.contains(side)));
    let place = place.unwrap_or_else(|| {
        classes.push(Vec::new());
        classes.len() - 1
    });
    for side in sides {
        if !classes[place].contains(&side) {
            classes[place].push(side);
        }
    }
    Some(place)
}

/// About how many rows an outer join has.
fn outer_rows(binder: &Binder<'_>, outer: &OuterRelation) -> f64 {
    let rows = |group: &Group| -> f64 {
        group
            .relations
            .iter()
            .map(|relation| match relation {
                Relation::Table(table) => estimate::table_rows(binder, table),
                Relation::Rows(rows) => rows.rows.max(1.0),
                Relation::Outer(outer) => outer_rows(binder, outer),
            })
            .fold(1.0, f64::max)
    };
    rows(&outer.left).max(rows(&outer.right))
}
