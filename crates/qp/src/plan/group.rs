//! A group of relations to one node that joins them.
//!
//! Relations are added one after the other, in the order that `order` found. A relation is read
//! by an index that the rows before it can use, or from a hash table where only equality connects
//! it, or as a whole. What EXISTS asks comes last: it only takes rows away. Neighbours: `rewrite`
//! prepares the predicates, `join` adds a relation, `outer` and `semi` the joins that keep or
//! drop rows of one side, `access` knows the ways into a table.

use super::access::{Access, Ask, choose_access};
use super::join::grouped::{Held, Reach};
use super::needs::Needs;
use super::order::Step;
use super::rewrite;
use super::{Filter, Node, Scan, SortKey};
use crate::bind::{Binder, Group, Relation, SemiRelation, TableRelation};
use crate::error::Result;
use crate::scalar::{Scalar, SlotId};

/// A planned group.
pub(crate) struct Joined {
    /// Its plan.
    pub(crate) node: Node,
    /// In how many leading terms of the order that was wanted the rows come.
    pub(crate) ordered: usize,
    /// About how many rows.
    pub(crate) rows: f64,
}

/// What is wanted of a group.
#[derive(Clone, Copy)]
pub(crate) struct Goal<'a> {
    /// What is read of its rows.
    pub(crate) needs: &'a Needs,
    /// The order that is wanted.
    pub(crate) wanted: &'a [SortKey],
    /// Not all rows are wanted, but about so many.
    pub(crate) limit: Option<f64>,
}

/// A predicate with the slots of the group that it reads.
pub(super) struct Term {
    pub(super) scalar: Option<Scalar>,
    pub(super) slots: Vec<SlotId>,
    /// It follows from others, and need not be checked.
    pub(super) implied: bool,
}

/// A group that is being planned.
pub(super) struct Planner<'p, 'e> {
    pub(super) binder: &'p mut Binder<'e>,
    pub(super) goal: Goal<'p>,
    /// Slots that are filled before the group is opened.
    pub(super) given: &'p [SlotId],
    /// What must be true and was not seen to.
    pub(super) terms: Vec<Term>,
    /// Slots that are filled, those that are given first.
    pub(super) available: Vec<SlotId>,
    /// Columns that are equal in every row, as far as that was seen to.
    pub(super) equal: rewrite::Classes,
}

/// Plans a group for itself.
pub(crate) fn plan_group(binder: &mut Binder<'_>, group: Group, goal: &Goal<'_>) -> Result<Joined> {
    let mut needs = goal.needs.clone();
    needs.add_group(&group);
    plan_inside(binder, group, Goal { needs: &needs, ..*goal }, &[])
}

/// Plans a group whose predicates may also read the slots `given`.
pub(super) fn plan_inside(
    binder: &mut Binder<'_>,
    mut group: Group,
    goal: Goal<'_>,
    given: &[SlotId],
) -> Result<Joined> {
    binder.check_stopped()?;
    super::hidden::take_arguments(&mut group);
    goal.needs.tell_functions(&mut group);
    rewrite::simplify_outer(&mut group);
    let own = group.slots();
    let predicates = std::mem::take(&mut group.predicates);
    let mut terms = rewrite::terms_of(predicates, &own, binder.environment.rules);
    rewrite::push_into_outer(&mut group, &mut terms);
    super::push::plan_waiting(binder, &mut group, &mut terms, &goal)?;
    let available = given.to_vec();
    let equal = rewrite::Classes::default();
    let mut planner = Planner { binder, goal, given, terms, available, equal };
    let (mut joined, semis) = planner.inner_joins(group)?;
    for semi in semis {
        joined = planner.semi_join(joined, semi)?;
    }
    Ok(joined)
}

impl Planner<'_, '_> {
    /// Joins the relations of a group.
    fn inner_joins(&mut self, mut group: Group) -> Result<(Joined, Vec<SemiRelation>)> {
        if group.relations.is_empty() {
            let node = Node::Once(self.binder.state());
            let node = filtered(node, self.take_all());
            let ordered = self.goal.wanted.len();
            return Ok((Joined { node, ordered, rows: 1.0 }, group.semis));
        }
        let order = super::order::join_order(self.binder, &group, &self.terms, self.given);
        let held = self.hold_back(&group);
        let semis = std::mem::take(&mut group.semis);
        let mut relations: Vec<Option<Relation>> = group.relations.into_iter().map(Some).collect();
        // The order of the first relation is one of the join only as far as it reaches: where a
        // row of it meets several others, what is wanted of those still has to be sorted.
        let first = order.first().and_then(|step| relations[step.place].as_ref());
        let reaches = first.map_or(usize::MAX, |first| {
            let slots = first.slots();
            let own = |slot: &SlotId| slots.contains(slot);
            let is_own =
                |key: &&SortKey| !key.value.has_subquery() && key.value.slots().iter().all(own);
            self.goal.wanted.iter().take_while(is_own).count()
        });
        let mut held = held;
        let mut tables: Option<Vec<TableRelation>> = Some(Vec::new());
        let reach = reach_of(&order, &relations, &held);
        let mut joined: Option<Joined> = None;
        for step in order {
            let Some(relation) = relations[step.place].take() else { continue };
            let slots = relation.slots();
            if !held.is_empty() {
                tables = match (&relation, tables) {
                    (Relation::Table(table), Some(mut known)) => {
                        known.push((**table).clone());
                        Some(known)
                    }
                    _ => None,
                };
            }
            let mut more = match joined {
                None => self.first_relation(relation)?,
                Some(left) => self.next_relation(left, relation, step.alone)?,
            };
            more.rows = step.rows.unwrap_or(more.rows);
            self.available.extend(slots);
            if !held.is_empty() {
                more = self.group_in(more, &mut held, tables.as_deref(), &reach)?;
            }
            joined = Some(more);
        }
        let Some(mut joined) = joined else {
            let node = Node::Once(self.binder.state());
            return Ok((Joined { node, ordered: self.goal.wanted.len(), rows: 1.0 }, semis));
        };
        joined.node = filtered(joined.node, self.take_all());
        joined.ordered = joined.ordered.min(reaches);
        Ok((joined, semis))
    }

    /// The cheapest way into a table while the slots `available` are filled.
    pub(super) fn access(
        &mut self,
        table: &TableRelation,
        available: &[SlotId],
        wanted: &[SortKey],
    ) -> Access {
        let predicates: Vec<&Scalar> =
            self.terms.iter().filter_map(|term| term.scalar.as_ref()).collect();
        let limit = self.goal.limit.filter(|_| !wanted.is_empty());
        let needs = self.goal.needs;
        let ask = Ask { table, predicates: &predicates, available, needs, wanted, limit };
        choose_access(self.binder, &ask)
    }

    /// A scan by an access path; the predicates that the path answers for are taken.
    pub(super) fn scan(&mut self, table: TableRelation, access: Access) -> Node {
        let mut place = 0;
        for term in &mut self.terms {
            if term.scalar.is_some() {
                if access.used.contains(&place)
                    && let Some(scalar) = term.scalar.take()
                {
                    self.equal.add(&scalar);
                }
                place += 1;
            }
        }
        scan_node(self.binder, table, access)
    }

    /// Takes the predicates that can be checked once `available` slots are there.
    pub(super) fn take_ready(&mut self, available: &[SlotId]) -> Vec<Scalar> {
        let is_ready = |term: &&mut Term| term.slots.iter().all(|slot| available.contains(slot));
        let equal = &mut self.equal;
        let ready = self.terms.iter_mut().filter(is_ready);
        ready.filter_map(|term| take_checked(term, equal)).collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<Scalar> {
        let equal = &mut self.equal;
        self.terms.iter_mut().filter_map(|term| take_checked(term, equal)).collect()
    }

    /// Slots that the group itself has filled so far.
    pub(super) fn own_slots(&self) -> Vec<SlotId> {
        let own = self.available.iter().copied();
        own.filter(|slot| !self.given.contains(slot)).collect()
    }
}

/// What is joined after each step, where somebody asks.
fn reach_of(order: &[Step], relations: &[Option<Relation>], held: &[Held]) -> Vec<Reach> {
    let mut reach: Vec<Reach> = Vec::new();
    if held.is_empty() {
        return reach;
    }
    let mut slots = Vec::new();
    for step in order {
        slots.extend(relations[step.place].iter().flat_map(Relation::slots));
        reach.push((slots.clone(), step.rows));
    }
    reach
}

/// A predicate that has to be checked; what others imply about several tables need not be.
fn take_checked(term: &mut Term, equal: &mut rewrite::Classes) -> Option<Scalar> {
    let scalar = term.scalar.take()?;
    if (term.implied && term.slots.len() > 1) || equal.has(&scalar) {
        return None;
    }
    equal.add(&scalar);
    Some(scalar)
}

/// A scan by an access path.
pub(super) fn scan_node(binder: &mut Binder<'_>, table: TableRelation, access: Access) -> Node {
    let state = binder.state();
    Node::Scan(Box::new(Scan {
        slot: table.slot,
        state,
        source: table.source,
        table: table.table,
        path: access.path,
        backward: access.backward,
        jump: 0,
        ends: false,
        alias: table.alias,
    }))
}

/// A filter, cheap predicates first.
pub(super) fn filtered(input: Node, mut predicates: Vec<Scalar>) -> Node {
    if predicates.is_empty() {
        return input;
    }
    predicates.sort_by_key(Scalar::has_subquery);
    Node::Filter(Box::new(Filter { input, predicates }))
}
