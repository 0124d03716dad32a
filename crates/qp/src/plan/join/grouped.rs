//! Comparisons with an aggregate of what belongs to the row, as a join whose pairs are grouped.
//!
//! `x < (SELECT avg(y) FROM t WHERE t.k = row.k)` can be asked for each row, or: the rows that
//! are joined so far are joined with `t`, and the pairs are grouped by the row. The subquery's
//! tables then take part in what joins can do: searches for many rows together, hash tables,
//! several threads. The groups are made as soon as the rows are there that the subquery reads,
//! since rows that are joined later would repeat them. Rows without a pair are dropped, as the
//! comparison would drop them. Neighbours: `bind::aggregated` says which subqueries can be read
//! so, `group` asks for this after each step of a join.

use pandodb_ds::sync::Arc;

use super::equality;
use crate::bind::{AggregatedBlock, Group, Relation, TableRelation};
use crate::catalog::IndexColumn;
use crate::error::Result;
use crate::plan::access::{Ask, choose_access};
use crate::plan::cost::hash_cost;
use crate::plan::estimate;
use crate::plan::group::{Goal, Joined, Planner, Term, filtered};
use crate::plan::order::join_order;
use crate::plan::rewrite;
use crate::plan::rules::Rules;
use crate::plan::{Aggregation, GroupKey, Node};
use crate::scalar::{ColumnPlace, JsonSign, ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// For fewer rows the subquery is asked one by one.
const ROWS_MIN: f64 = 16.0;
/// What it costs to ask a subquery, beside its searches.
const RUN: f64 = 12.0;
/// What a search costs that is one of many, as a part of one alone.
const TOGETHER: f64 = 0.7;
/// Grouping a pair.
const PAIR: f64 = 0.6;
/// Finding the row of a further table of the subquery.
const FURTHER: f64 = 5.0;

/// A comparison that is held back until the rows are there that its subquery reads.
pub(in crate::plan) struct Held {
    block: AggregatedBlock,
    /// The comparison as it is asked for each row.
    term: Term,
    /// About how many different rows the subquery can be asked for.
    keys: f64,
}

/// How many rows there are after a step of a join, and the slots that are filled then.
pub(in crate::plan) type Reach = (Vec<SlotId>, Option<f64>);

impl Planner<'_, '_> {
    /// Takes comparisons that may become joins out of the terms.
    pub(in crate::plan) fn hold_back(&mut self, group: &Group) -> Vec<Held> {
        let mut held = Vec::new();
        if self.binder.aggregated.is_empty() {
            return held;
        }
        let own = group.slots();
        for term in &mut self.terms {
            let Some(scalar) = &term.scalar else { continue };
            let found = self.binder.aggregated.iter().position(|block| {
                asks(scalar, block) && block.outer.iter().all(|slot| own.contains(slot))
            });
            let Some(place) = found else { continue };
            let block = self.binder.aggregated.swap_remove(place);
            let inner = block.group.slots();
            let mut keys = 1.0;
            for predicate in &block.group.predicates {
                if !predicate.slots().iter().any(|slot| block.outer.contains(slot)) {
                    continue;
                }
                let values = equality(predicate, &block.outer, &inner)
                    .and_then(|(outer, ..)| estimate::distinct_values(self.binder, group, outer));
                keys *= values.unwrap_or(f64::INFINITY);
            }
            let slots = std::mem::take(&mut term.slots);
            let term = Term { scalar: term.scalar.take(), slots, implied: false };
            held.push(Held { block, term, keys });
        }
        held
    }

    /// Makes joins of the comparisons whose rows are there, where that pays; the others are asked
    /// as they were written. `tables` are those that are joined, if they are all tables.
    pub(in crate::plan) fn group_in(
        &mut self,
        mut joined: Joined,
        held: &mut Vec<Held>,
        tables: Option<&[TableRelation]>,
        reach: &[Reach],
    ) -> Result<Joined> {
        let mut place = 0;
        while place < held.len() {
            let outer = &held[place].block.outer;
            if !outer.iter().all(|slot| self.available.contains(slot)) {
                place += 1;
                continue;
            }
            let one = held.swap_remove(place);
            match tables {
                Some(tables) if self.grouping_pays(&joined, &one, reach) => {
                    joined = self.grouped(joined, one, tables)?;
                }
                _ => self.terms.push(one.term),
            }
        }
        Ok(joined)
    }

    /// Whether a join is cheaper than a subquery for each row.
    fn grouping_pays(&mut self, left: &Joined, held: &Held, reach: &[Reach]) -> bool {
        let block = &held.block;
        let is_eager = self.binder.environment.rules.has(Rules::EAGER);
        let inner = block.group.slots();
        // Rows that have to be sorted are all read, whatever the LIMIT.
        let may_end_early =
            self.goal.limit.is_some() && (self.goal.wanted.is_empty() || left.ordered > 0);
        if !is_eager && (may_end_early || left.rows < ROWS_MIN) {
            return false;
        }
        let predicates: Vec<&Scalar> = block.group.predicates.iter().collect();
        let is_equal = predicates.iter().any(|it| equality(it, &block.outer, &inner).is_some());
        if is_eager || !is_equal {
            return is_eager;
        }
        let runs = least(reach, &block.outer, &held.term.slots);
        let runs = runs.min(left.rows).min(held.keys).max(1.0);
        // The table of the subquery that the rows lead to.
        let mut first: Option<(crate::plan::access::Access, f64, f64)> = None;
        for relation in &block.group.relations {
            let Relation::Table(table) = relation else { return false };
            let mut needs = self.goal.needs.clone();
            needs.add_group(&block.group);
            let ask = |available| Ask {
                table,
                predicates: &predicates,
                available,
                needs: &needs,
                wanted: &[],
                limit: None,
            };
            let access = choose_access(self.binder, &ask(&self.available));
            let given = self.given;
            let alone = choose_access(self.binder, &ask(given));
            let is_better = first.as_ref().is_none_or(|(known, ..)| {
                (access.is_search, -access.cost) > (known.is_search, -known.cost)
            });
            if is_better {
                first = Some((access, alone.cost, alone.rows));
            }
        }
        let Some((access, alone_cost, alone_rows)) = first else { return false };
        let further = (block.group.relations.len() - 1) as f64 * FURTHER * access.rows;
        if !access.is_search {
            let asked = alone_cost + hash_cost(alone_rows, runs) + runs * RUN;
            let joined = alone_cost + hash_cost(alone_rows, left.rows) + left.rows * PAIR;
            return joined < asked;
        }
        let asked = runs * (access.cost + further + RUN);
        let search = left.rows * (access.cost + further) * TOGETHER;
        let whole = alone_cost + hash_cost(left.rows, alone_rows);
        search.min(whole) + left.rows * access.rows * PAIR < asked
    }

    /// Joins the rows with the tables of a subquery, and groups the pairs by the row.
    fn grouped(&mut self, left: Joined, held: Held, tables: &[TableRelation]) -> Result<Joined> {
        let Held { block, term, .. } = held;
        let AggregatedBlock { plan, mut group, calls, slot, mut output, .. } = block;
        let (left_slots, left_rows) = (self.own_slots(), left.rows);
        let mut needs = self.goal.needs.clone();
        needs.add_group(&group);
        for call in &calls {
            call.arguments.iter().chain(&call.filter).for_each(|scalar| needs.add(scalar));
        }
        let mut own = left_slots.clone();
        own.extend(group.slots());
        let predicates = std::mem::take(&mut group.predicates);
        let terms = rewrite::terms_of(predicates, &own, self.binder.environment.rules);
        let order = join_order(self.binder, &group, &terms, &self.available);
        let mut relations: Vec<Option<Relation>> = group.relations.into_iter().map(Some).collect();
        let mut inner = Planner {
            binder: &mut *self.binder,
            goal: Goal { needs: &needs, wanted: &[], limit: None },
            given: self.given,
            terms,
            available: self.available.clone(),
            equal: rewrite::Classes::default(),
        };
        let mut pairs = left;
        for step in order {
            let Some(relation) = relations[step.place].take() else { continue };
            let slots = relation.slots();
            pairs = inner.next_relation(pairs, relation, None)?;
            inner.available.extend(slots);
        }
        let input = filtered(pairs.node, inner.take_all());
        let keys: Vec<GroupKey> = tables.iter().flat_map(identity).collect();
        let shift = keys.len() as u16;
        output.rewrite(&mut |node| {
            if let Scalar::Column(place) = node {
                place.column += shift;
            }
        });
        let state = self.binder.state();
        let node = Node::Aggregate(Box::new(Aggregation {
            input,
            state,
            keys,
            calls,
            slot,
            bare_slots: left_slots,
            sorted: Vec::new(),
            is_of_rows: true,
        }));
        self.available.push(slot);
        if let Some(Scalar::Compare(mut compare)) = term.scalar {
            let is_it = |side: &Scalar| {
                side.own_subquery().is_some_and(|call| Arc::ptr_eq(&call.plan, &plan))
            };
            let side = if is_it(&compare.left) { &mut compare.left } else { &mut compare.right };
            *side = output;
            let mut slots = term.slots;
            slots.push(slot);
            let scalar = Some(Scalar::Compare(compare));
            self.terms.push(Term { scalar, slots, implied: false });
        }
        let available = self.available.clone();
        let node = filtered(node, self.take_ready(&available));
        let rows = left_rows.min(pairs.rows).max(1.0);
        Ok(Joined { node, ordered: 0, rows })
    }
}

/// The fewest rows that there are from the step on that fills the slots `from`, before the one
/// that fills those of `asked`: what is asked there has taken rows away in its figure.
fn least(reach: &[Reach], from: &[SlotId], asked: &[SlotId]) -> f64 {
    let has = |slots: &[SlotId], all: &[SlotId]| all.iter().all(|slot| slots.contains(slot));
    let steps = reach.iter().filter(|(slots, _)| has(slots, from) && !has(slots, asked));
    steps.filter_map(|(_, rows)| *rows).fold(f64::INFINITY, f64::min)
}

/// Whether a comparison is that with the subquery of a block.
fn asks(scalar: &Scalar, block: &AggregatedBlock) -> bool {
    let Scalar::Compare(compare) = scalar else { return false };
    let is_it = |side: &Scalar| match side {
        Scalar::Subquery(call, 0) => Arc::ptr_eq(&call.plan, &block.plan),
        _ => false,
    };
    is_it(&compare.left) || is_it(&compare.right)
}

/// What tells the rows of a table apart.
fn identity(table: &TableRelation) -> Vec<GroupKey> {
    let column = |column: u16, affinity, collation| GroupKey {
        value: Scalar::Column(ColumnPlace {
            depth: 0,
            slot: table.slot,
            column,
            affinity,
            collation: Some(collation),
            json: JsonSign::None,
        }),
        collation,
    };
    if table.table.has_rowid() {
        return vec![column(ROWID, Affinity::Integer, pandodb_ds::record::Collation::Binary)];
    }
    let parts = table.table.key_columns().iter().filter_map(IndexColumn::column);
    parts
        .map(|place| &table.table.columns[place])
        .map(|own| column(own.position as u16, own.affinity, own.collation))
        .collect()
}

// Neighbours: `group`, `join`, `order`.
