//! EXISTS and NOT EXISTS as joins that give each left row at most once.
//!
//! The subquery was bound as if it stood in FROM. It is searched for each left row where an
//! index helps, else its rows are put into a hash table once. Neighbours: `bind::exists` decides
//! which subqueries come here, `outer` does the same for rows that are kept.

use super::{equality, take_keys};
use crate::bind::{Relation, SemiRelation};
use crate::error::Result;
use crate::plan::cost::search_pays;
use crate::plan::group::{Goal, Joined, Planner, plan_inside};
use crate::plan::rules::Rules;
use crate::plan::{HashJoin, JoinType, NestedLoop, Node};
use crate::scalar::{Scalar, SlotId};

/// What it costs to find one row by an index.
const FIRST_ROW: f64 = 9.0;
/// How many of the rows are taken to have a partner.
const PARTNER_SHARE: f64 = 0.5;

impl Planner<'_, '_> {
    /// Takes the rows away that have no partner (or have one).
    pub(in crate::plan) fn semi_join(
        &mut self,
        left: Joined,
        semi: SemiRelation,
    ) -> Result<Joined> {
        let SemiRelation { anti, mut group } = semi;
        crate::plan::hidden::take_arguments(&mut group);
        let kind = if anti { JoinType::Anti } else { JoinType::Semi };
        let right_slots = group.slots();
        let left_slots = self.own_slots();
        let goal = Goal { wanted: &[], limit: None, ..self.goal };
        let state = self.binder.state();
        let rows = (left.rows * PARTNER_SHARE).max(1.0);
        let ordered = left.ordered;
        let has_equality = self.binder.environment.rules.has(Rules::HASH_JOIN)
            && group
                .predicates
                .iter()
                .any(|term| equality(term, &left_slots, &right_slots).is_some());
        // What is nested deeper may read the left row as well.
        let needs = |relation: &Relation| match relation {
            Relation::Rows(rows) => !rows.needs.is_empty(),
            _ => false,
        };
        let is_flat = group.semis.is_empty() && !group.relations.iter().any(needs);
        if !has_equality
            || !is_flat
            || self.searches(&group.relations, &group.predicates, left.rows)
        {
            let right = plan_inside(self.binder, group, goal, &self.available)?;
            let join = NestedLoop {
                kind,
                state,
                left: left.node,
                right: right.node,
                on: Vec::new(),
                left_slots,
                right_slots,
                rows,
            };
            return Ok(Joined { node: Node::NestedLoop(Box::new(join)), ordered, rows });
        }
        let reads_left = |term: &Scalar| term.slots().iter().any(|slot| left_slots.contains(slot));
        let (on, own): (Vec<Scalar>, Vec<Scalar>) =
            std::mem::take(&mut group.predicates).into_iter().partition(reads_left);
        group.predicates = own;
        let right = plan_inside(self.binder, group, goal, self.given)?;
        let mut on: Vec<Option<Scalar>> = on.into_iter().map(Some).collect();
        let keys = take_keys(&mut on, &left_slots, &right_slots);
        let join = HashJoin {
            kind,
            state,
            left: left.node,
            right: right.node,
            keys,
            on: on.into_iter().flatten().collect(),
            left_slots,
            right_slots,
        };
        Ok(Joined { node: Node::HashJoin(Box::new(join)), ordered, rows })
    }

    /// Whether searching the subquery's one table for each row is cheaper than reading it once.
    fn searches(&mut self, relations: &[Relation], predicates: &[Scalar], rows: f64) -> bool {
        let [Relation::Table(table)] = relations else { return false };
        let predicates: Vec<&Scalar> = predicates.iter().collect();
        let ask = |available| crate::plan::access::Ask {
            table,
            predicates: &predicates,
            available,
            needs: self.goal.needs,
            wanted: &[],
            limit: None,
        };
        let access = crate::plan::access::choose_access(self.binder, &ask(&self.available));
        let given: &[SlotId] = self.given;
        let alone = crate::plan::access::choose_access(self.binder, &ask(given));
        // A search ends at the first row that fits.
        let cost = access.cost.min(FIRST_ROW);
        access.is_search && search_pays(rows, cost, alone.cost, alone.rows)
    }
}
