//! Finds a cycle in the wait-for graph, exactly and at the only moment one can appear.
//!
//! An edge that closes a cycle starts at a transaction that begins to wait: grants, releases and
//! ends of waits only add edges towards transactions that run. So one search from the newcomer
//! when its wait begins finds every deadlock, at once and without false alarms. The search is
//! breadth first: the cycle that is told is a shortest one.
//! Neighbours: `table` gives the edges and ends the victim's wait.

use std::collections::VecDeque;
use std::fmt;

use rustc_hash::FxHashMap;

use super::mode::Mode;
use super::resource::Resource;
use crate::ids::TransactionId;

/// One step of a cycle: who waits, for what, and who stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitEdge {
    /// The transaction that waits.
    pub transaction: TransactionId,
    /// What it waits for.
    pub resource: Resource,
    /// The mode it asks for.
    pub mode: Mode,
    /// Who must let go first.
    pub blocker: TransactionId,
}

impl fmt::Display for WaitEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transaction, resource, mode, blocker } = self;
        write!(f, "{transaction} waits for {mode} on {resource} behind {blocker}")
    }
}

/// A shortest cycle through `start`, beginning with its own wait.
///
/// `waits_of` lists the edges that leave a transaction: none if it does not wait.
pub(super) fn find_cycle(
    start: TransactionId,
    mut waits_of: impl FnMut(TransactionId, &mut Vec<WaitEdge>),
) -> Option<Vec<WaitEdge>> {
    let mut reached_by: FxHashMap<TransactionId, WaitEdge> = FxHashMap::default();
    let mut to_visit = VecDeque::from([start]);
    let mut edges = Vec::new();
    while let Some(transaction) = to_visit.pop_front() {
        edges.clear();
        waits_of(transaction, &mut edges);
        for &edge in &edges {
            if edge.blocker == start {
                return Some(path(start, edge, &reached_by));
            }
            reached_by.entry(edge.blocker).or_insert_with(|| {
                to_visit.push_back(edge.blocker);
                edge
            });
        }
    }
    None
}

fn path(
    start: TransactionId,
    last: WaitEdge,
    reached_by: &FxHashMap<TransactionId, WaitEdge>,
) -> Vec<WaitEdge> {
    let mut cycle = vec![last];
    let mut transaction = last.transaction;
    while transaction != start {
        let Some(&edge) = reached_by.get(&transaction) else { break };
        cycle.push(edge);
        transaction = edge.transaction;
    }
    cycle.reverse();
    cycle
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use super::*;
    use crate::ids::HeadId;
    use proptest::prelude::*;

    fn cycle_of(edges: &[(u64, u64)], start: u64) -> Option<Vec<u64>> {
        let found = find_cycle(TransactionId(start), |transaction, out| {
            out.extend(edges.iter().filter(|edge| edge.0 == transaction.0).map(|&(from, to)| {
                WaitEdge {
                    transaction: TransactionId(from),
                    resource: Resource::head(HeadId(0)),
                    mode: Mode::Exclusive,
                    blocker: TransactionId(to),
                }
            }));
        })?;
        Some(found.iter().map(|edge| edge.transaction.0).collect())
    }

    #[test]
    fn the_shortest_cycle_is_told_from_the_newcomer_on() {
        let edges = [(1, 2), (2, 3), (3, 4), (4, 1), (2, 1), (5, 1)];
        assert_eq!(cycle_of(&edges, 1), Some(vec![1, 2]));
        assert_eq!(cycle_of(&edges, 3), Some(vec![3, 4, 1, 2]));
        assert_eq!(cycle_of(&edges, 5), None, "it waits for a cycle but is in none");
    }

    proptest! {
        #[test]
        fn a_cycle_is_found_exactly_where_one_can_walk_back(
            edges in proptest::collection::vec((0_u64..8, 0_u64..8), 0..20),
        ) {
            let edges: Vec<_> = edges.into_iter().filter(|(from, to)| from != to).collect();
            let mut reaches = [[false; 8]; 8];
            for &(from, to) in &edges {
                reaches[from as usize][to as usize] = true;
            }
            for middle in 0..8 {
                for from in 0..8 {
                    for to in 0..8 {
                        reaches[from][to] |= reaches[from][middle] && reaches[middle][to];
                    }
                }
            }
            for start in 0..8_u64 {
                let found = cycle_of(&edges, start);
                prop_assert_eq!(found.is_some(), reaches[start as usize][start as usize]);
            }
        }
    }
}
