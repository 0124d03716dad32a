//! Sorting on several threads: each sorts a part, and two threads merge two parts, one from
//! either end of a place in the middle.
//!
//! Only what has no equals is sorted here (who sorts puts the row's number behind its key), so
//! that the result is that of one thread. Neighbours: `operators::sort` has the rows, `exchange`
//! says how many threads there are.

use std::cmp::Ordering;

use pandodb_ds::sync::thread;

use crate::execute::batch::Run;
use crate::execute::batch::exchange::{self, Helpers};

/// From how many rows on a thread is worth its beginning.
const ROWS_MIN: u64 = 1 << 15;

/// What a sort may have of other threads.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::execute::batch) struct SortHelp {
    wanted: usize,
    rows_min: u64,
}

impl SortHelp {
    /// What the settings of a statement allow.
    pub(in crate::execute::batch) fn of(run: &Run<'_>) -> Self {
        let wanted = exchange::wanted_helpers(run).unwrap_or(0);
        let rows_min = run.outer.context.settings.parallel_rows_min.min(ROWS_MIN);
        Self { wanted, rows_min }
    }

    /// Sorts rows of which no two are equal.
    pub(in crate::execute::batch) fn sort<T: Copy + Send + Sync>(
        self,
        rows: &mut [T],
        compare: impl Fn(&T, &T) -> Ordering + Sync,
    ) {
        let helpers = (self.wanted > 0 && rows.len() as u64 >= self.rows_min)
            .then(|| Helpers::take(self.wanted))
            .flatten();
        match helpers {
            Some(helpers) => {
                let mut room = rows.to_vec();
                sort_on(rows, &mut room, &compare, helpers.count() + 1);
            }
            None => rows.sort_unstable_by(compare),
        }
    }
}

/// Sorts rows on so many threads; `room` is as long as they are.
fn sort_on<T: Copy + Send + Sync>(
    rows: &mut [T],
    room: &mut [T],
    compare: &(impl Fn(&T, &T) -> Ordering + Sync),
    threads: usize,
) {
    if threads < 2 || rows.len() < 2 {
        rows.sort_unstable_by(compare);
        return;
    }
    let middle = rows.len() / 2;
    let (left, right) = rows.split_at_mut(middle);
    let (left_room, right_room) = room.split_at_mut(middle);
    let is_begun = beside(
        || sort_on(left, left_room, compare, threads / 2),
        || sort_on(right, right_room, compare, threads - threads / 2),
    );
    if !is_begun {
        rows.sort_unstable_by(compare);
        return;
    }
    let (left, right) = rows.split_at(middle);
    let left_middle = left.len() / 2;
    let first = &left[left_middle];
    let right_middle = right.partition_point(|row| compare(row, first).is_lt());
    let (below, above) = room.split_at_mut(left_middle + right_middle);
    let is_begun = beside(
        || merge(&left[..left_middle], &right[..right_middle], below, compare),
        || merge(&left[left_middle..], &right[right_middle..], above, compare),
    );
    if is_begun {
        rows.copy_from_slice(room);
    } else {
        rows.sort_unstable_by(compare);
    }
}

/// Does two things on two threads; whether the first was begun.
fn beside(first: impl FnOnce() + Send, second: impl FnOnce()) -> bool {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("pando-sort".to_owned());
        let is_begun = builder.spawn_scoped(scope, first).is_ok();
        exchange::note_help();
        second();
        is_begun
    })
}

/// Puts two sorted runs into one.
fn merge<'r, T: Copy>(
    mut left: &'r [T],
    mut right: &'r [T],
    out: &mut [T],
    compare: &impl Fn(&T, &T) -> Ordering,
) {
    for place in out {
        let from_left = match (left.first(), right.first()) {
            (Some(one), Some(other)) => compare(one, other).is_lt(),
            (one, _) => one.is_some(),
        };
        let from = if from_left { &mut left } else { &mut right };
        let Some((first, rest)) = from.split_first() else { return };
        (*place, *from) = (*first, rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sort_on;

    proptest! {
        #[test]
        fn threads_sort_as_one_does(
            keys in prop::collection::vec(0_u8..20, 0..300),
            threads in 1_usize..6,
        ) {
            let mut rows: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let mut expected = rows.clone();
            expected.sort_unstable();
            let mut room = rows.clone();
            sort_on(&mut rows, &mut room, &|left, right| left.cmp(right), threads);
            prop_assert_eq!(rows, expected);
        }
    }
}

// Neighbours: `exchange`, `operators::sort`.
