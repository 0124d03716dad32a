//! Adding a relation to what is joined already.
//!
//! Neighbours: `group` goes through the relations, `outer` and `semi` have the other joins.

pub(super) mod grouped;
mod outer;
mod semi;

use self::outer::outer_join;
use super::access::Access;
use super::cost::{BATCH_ROWS, search_pays};
use super::group::{Joined, Planner, filtered};
use super::rules::Rules;
use super::sift::{passing_share, sift};
use super::{AccessPath, HashJoin, HashKey, JoinType, Lookup, NestedLoop, Node};
use crate::bind::{Relation, RowsRelation, TableRelation};
use crate::error::Result;
use crate::function::Implementation;
use crate::scalar::{CompareRule, Comparison, Scalar, SlotId};

/// From how many rows on a table is kept in a hash table for a subquery that runs often.
const LOOKUP_MIN: f64 = 30.0;

/// How many rows are read for each that a LIMIT asks for: not all have partners, and some agree in
/// what they are ordered by.
const READ_FOR_ONE: f64 = 20.0;

/// An equality between the slots on both sides: expression over the left, over the right.
pub(super) fn equality<'s>(
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

/// Whether an expression may fail on some rows: JSON that is none, an application's function.
fn may_fail(scalar: &Scalar) -> bool {
    scalar.any(&mut |node| match node {
        Scalar::Call(call) => {
            let name = &*call.function.name;
            name.starts_with("json")
                || name.starts_with("->")
                || matches!(call.function.implementation, Implementation::ScalarClosure(_))
        }
        _ => false,
    })
}

impl Planner<'_, '_> {
    /// The relation that is read first.
    pub(super) fn first_relation(&mut self, relation: Relation) -> Result<Joined> {
        let mut available = self.available.clone();
        available.extend(relation.slots());
        let wanted = self.goal.wanted;
        let mut whole = None;
        let mut joined = match relation {
            Relation::Table(table) => {
                let given = self.given;
                let mut access = self.access(&table, given, wanted);
                whole = whole_table(&table, &access);
                if wanted.is_empty() && self.binder.environment.reverse_unordered {
                    access.backward = !access.backward;
                }
                if !access.is_search && access.total >= LOOKUP_MIN && self.has_outer_key(&table) {
                    self.lookup(*table)
                } else {
                    let (rows, ordered) = (access.rows, access.ordered);
                    Joined { node: self.scan(*table, access), ordered, rows }
                }
            }
            Relation::Rows(rows) => {
                let ordered = if rows.sorted { wanted.len() } else { 0 };
                Joined { rows: rows.rows, node: rows.node, ordered }
            }
            Relation::Outer(outer) => outer_join(self.binder, *outer, self.goal, self.given)?,
        };
        let conditions = self.sifted(whole.as_ref(), &available);
        if let Some(table) = &whole {
            joined.rows *= passing_share(self.binder, table, &conditions);
        }
        joined.node = filtered(joined.node, conditions);
        Ok(joined)
    }

    /// Takes the predicates that can be checked once `available` slots are there; those on a
    /// table that is read as a whole in the order in which they drop the most rows.
    fn sifted(&mut self, whole: Option<&TableRelation>, available: &[SlotId]) -> Vec<Scalar> {
        let mut ready = self.take_ready(available);
        if let Some(table) = whole
            && self.binder.environment.rules.has(Rules::SIFT)
        {
            sift(self.binder, table, &mut ready);
        }
        ready
    }

    /// Whether an equality compares a table with a row of a query around this one.
    fn has_outer_key(&self, table: &TableRelation) -> bool {
        self.binder.environment.rules.has(Rules::LOOKUP)
            && self
                .terms
                .iter()
                .filter_map(|term| term.scalar.as_ref())
                .any(|scalar| outer_key(scalar, table.slot).is_some())
    }

    /// A table that is kept by what a query around this one asks for.
    fn lookup(&mut self, table: TableRelation) -> Joined {
        let slot = table.slot;
        let given = self.given;
        let mut keys = Vec::new();
        let mut later = Vec::new();
        for term in &mut self.terms {
            let Some(scalar) = &term.scalar else { continue };
            if let Some((own, outer, rule)) = outer_key(scalar, slot) {
                keys.push(HashKey { left: outer.clone(), right: own.clone(), rule });
                term.scalar = None;
            } else if reads_outer(scalar)
                || may_fail(scalar)
                || scalar.slots().iter().any(|slot| given.contains(slot))
            {
                // What changes from opening to opening must not decide what is kept, and what
                // may fail is asked of rows that are looked up only.
                later.push((std::mem::take(&mut term.slots), term.scalar.take()));
            }
        }
        let access = self.access(&table, &[], &[]);
        let rows = (access.rows * 0.1).max(1.0);
        let input = self.scan(table, access);
        let input = filtered(input, self.take_ready(&[slot]));
        let terms = later.into_iter().map(|(slots, scalar)| super::group::Term {
            scalar,
            slots,
            implied: false,
        });
        self.terms.extend(terms);
        let state = self.binder.state();
        let node = Node::Lookup(Box::new(Lookup { input, state, keys, slots: vec![slot] }));
        Joined { node, ordered: 0, rows }
    }

    /// Adds a relation to those that are joined.
    pub(super) fn next_relation(
        &mut self,
        left: Joined,
        relation: Relation,
        known_rows: Option<f64>,
    ) -> Result<Joined> {
        let right_slots = relation.slots();
        let mut all = self.available.clone();
        all.extend(&right_slots);
        let has_equality = self.binder.environment.rules.has(Rules::HASH_JOIN)
            && self
                .terms
                .iter()
                .filter_map(|term| term.scalar.as_ref())
                .any(|scalar| equality(scalar, &self.available, &right_slots).is_some());
        let mut whole = None;
        let (right, right_rows, repeats) = match relation {
            Relation::Table(table) => {
                let available = self.available.clone();
                let access = self.access(&table, &available, &[]);
                let alone = self.access(&table, self.given, &[]);
                let rows = known_rows.unwrap_or(alone.rows);
                let pays = search_pays(self.read_of(&left), access.cost, alone.cost, rows);
                if access.is_search && (!has_equality || pays) {
                    let rows = left.rows * access.rows;
                    let node = self.scan(*table, access);
                    let right = filtered(node, self.take_ready(&all));
                    return Ok(self.nested_loop(left, right, rows, right_slots));
                }
                whole = whole_table(&table, &alone);
                (self.scan(*table, alone), rows, true)
            }
            Relation::Rows(rows) => {
                let RowsRelation { node, rows, is_cheap, needs, .. } = *rows;
                if !needs.is_empty() {
                    let right = filtered(node, self.take_ready(&all));
                    let rows = left.rows * rows;
                    return Ok(self.nested_loop(left, right, rows, right_slots));
                }
                (node, rows, is_cheap)
            }
            Relation::Outer(outer) => {
                let joined = outer_join(self.binder, *outer, self.goal, self.given)?;
                (joined.node, joined.rows, false)
            }
        };
        let mut right_available = self.given.to_vec();
        right_available.extend(&right_slots);
        let right = filtered(right, self.sifted(whole.as_ref(), &right_available));
        if has_equality {
            return Ok(self.hash_join(left, right, right_rows, right_slots));
        }
        let right = if repeats {
            right
        } else {
            self.binder.materialized(right, right_slots.clone(), "MATERIALIZE")
        };
        let right = filtered(right, self.take_ready(&all));
        let rows = left.rows * right_rows;
        Ok(self.nested_loop(left, right, rows, right_slots))
    }

    /// About how many rows of the left side are read: not all where a LIMIT ends them.
    fn read_of(&self, left: &Joined) -> f64 {
        match self.goal.limit {
            Some(limit) if left.ordered > 0 => left.rows.min(limit * READ_FOR_ONE),
            _ => left.rows,
        }
    }

    fn nested_loop(
        &mut self,
        left: Joined,
        right: Node,
        rows: f64,
        right_slots: Vec<SlotId>,
    ) -> Joined {
        let state = self.binder.state();
        let join = NestedLoop {
            kind: JoinType::Inner,
            state,
            left: left.node,
            right,
            on: Vec::new(),
            left_slots: self.own_slots(),
            right_slots,
            rows,
        };
        let rows = rows.max(1.0);
        Joined { node: Node::NestedLoop(Box::new(join)), ordered: left.ordered, rows }
    }

    /// Joins by a hash table of the smaller side, unless the order of the left one is wanted.
    fn hash_join(
        &mut self,
        left: Joined,
        right: Node,
        right_rows: f64,
        right_slots: Vec<SlotId>,
    ) -> Joined {
        let left_slots = self.own_slots();
        let mut keys = Vec::new();
        for term in &mut self.terms {
            let found = term.scalar.as_ref().and_then(|scalar| {
                let (left, right, rule) = equality(scalar, &left_slots, &right_slots)?;
                Some(HashKey { left: left.clone(), right: right.clone(), rule })
            });
            let Some(key) = found else { continue };
            // What follows from the keys before need not be one.
            if let Some(scalar) = term.scalar.take()
                && !self.equal.has(&scalar)
            {
                keys.push(key);
                self.equal.add(&scalar);
            }
        }
        let mut all = self.available.clone();
        all.extend(&right_slots);
        let state = self.binder.state();
        let rows = left.rows.max(right_rows).max(1.0);
        // An order in the first terms saves little if all rows are read.
        let is_sorted = left.ordered == self.goal.wanted.len();
        let keeps_order = left.ordered > 0 && (is_sorted || self.goal.limit.is_some());
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
        let swaps = !keeps_order && left.rows * 1.5 < right_rows;
        let (join, ordered) = if swaps { (exchanged(join), 0) } else { (join, left.ordered) };
        let node = filtered(Node::HashJoin(Box::new(join)), self.take_ready(&all));
        Joined { node, ordered, rows }
    }
}

/// The table, if it is large and read as a whole.
fn whole_table(table: &TableRelation, access: &Access) -> Option<TableRelation> {
    let is_whole = matches!(access.path, AccessPath::Full) && access.total >= BATCH_ROWS;
    is_whole.then(|| table.clone())
}

/// An inner join with its sides exchanged.
fn exchanged(join: HashJoin) -> HashJoin {
    let keys = join
        .keys
        .into_iter()
        .map(|key| HashKey { left: key.right, right: key.left, rule: key.rule })
        .collect();
    HashJoin {
        left: join.right,
        right: join.left,
        left_slots: join.right_slots,
        right_slots: join.left_slots,
        keys,
        ..join
    }
}

/// Whether an expression reads a row of a query around its own.
pub(super) fn reads_outer(scalar: &Scalar) -> bool {
    let mut found = false;
    scalar.columns(&mut |place| found |= place.depth > 0);
    found
}

/// An equality of an expression over `slot` and one over rows of queries around.
fn outer_key(predicate: &Scalar, slot: SlotId) -> Option<(&Scalar, &Scalar, CompareRule)> {
    let Scalar::Compare(compare) = predicate else { return None };
    if compare.operator != Comparison::Equal
        || matches!(compare.rule.collation, pandodb_ds::record::Collation::Custom(_))
        || predicate.has_subquery()
    {
        return None;
    }
    let is_own = |scalar: &Scalar| scalar.slots() == [slot] && !reads_outer(scalar);
    let is_outer = |scalar: &Scalar| scalar.slots().is_empty() && reads_outer(scalar);
    if is_own(&compare.left) && is_outer(&compare.right) {
        Some((&compare.left, &compare.right, compare.rule))
    } else if is_own(&compare.right) && is_outer(&compare.left) {
        Some((&compare.right, &compare.left, compare.rule))
    } else {
        None
    }
}

/// Takes the equalities between both sides out of `terms`.
pub(super) fn take_keys(
    terms: &mut [Option<Scalar>],
    left: &[SlotId],
    right: &[SlotId],
) -> Vec<HashKey> {
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
