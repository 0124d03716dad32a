//! Windows from the order of an index.
//!
//! Where rows come in the order of PARTITION BY and ORDER BY nothing is sorted, and results are
//! given out as soon as the frames are known: a LIMIT ends the reading. Without a LIMIT all rows
//! are sorted in batches, which is faster, but for frames that batches do not have. Windows whose
//! order is a beginning of that one are fed by the same rows. Neighbours: `select` puts the
//! operators together, `execute::operators::window` runs them.

use crate::bind::{Binder, Relation, WindowGroup};
use crate::execute::batch::runs_in_batches;
use crate::plan::select::QueryParts;
use crate::plan::{Rules, SortKey, WindowCall, estimate};

/// How many of a table's rows a LIMIT may ask for, that its rows are read by an index.
const LIMITED_SHARE: f64 = 0.1;

/// What windows are to be fed with.
pub(in crate::plan) struct Fed {
    /// The order that is asked of the rows.
    pub(in crate::plan) wanted: Vec<SortKey>,
    /// About how many are read, if a LIMIT says it; the greatest number where the order is worth
    /// its price without one.
    pub(in crate::plan) limit: f64,
}

impl Fed {
    /// The order in which rows come that come in so many leading terms of the wanted one; none
    /// where that is of no use.
    pub(in crate::plan) fn known(self, ordered: usize) -> Option<Vec<SortKey>> {
        let mut known = self.wanted;
        let is_fed = ordered > 0 || known.is_empty();
        known.truncate(ordered);
        is_fed.then_some(known)
    }
}

/// The order of a window's rows; what is told twice decides nothing.
pub(in crate::plan) fn keys_of_window(window: &WindowGroup) -> Vec<SortKey> {
    let by_partition = window.partition_by.iter().map(|key| SortKey {
        value: key.value.clone(),
        collation: key.collation,
        descending: false,
        nulls_first: true,
    });
    let mut keys: Vec<SortKey> = Vec::new();
    for key in by_partition.chain(window.order_by.iter().cloned()) {
        let is_it = |known: &SortKey| {
            known.collation == key.collation
                && known.value.as_column().is_some()
                && known.value.same(&key.value)
        };
        if !keys.iter().any(is_it) {
            keys.push(key);
        }
    }
    keys
}

/// How many leading terms of an order rows come in that come in the order `known`.
pub(in crate::plan) fn agree(order: &[SortKey], known: &[SortKey]) -> usize {
    let is_same = |(one, other): &(&SortKey, &SortKey)| {
        one.value.as_column().is_some()
            && one.value.same(&other.value)
            && one.collation == other.collation
            && one.descending == other.descending
            && one.nulls_first == other.nulls_first
    };
    order.iter().zip(known).take_while(is_same).count()
}

/// The order that a block's windows should be fed with, if it pays.
pub(in crate::plan) fn feed(binder: &Binder<'_>, parts: &QueryParts) -> Option<Fed> {
    let rules = binder.environment.rules;
    let grouping = &parts.grouping;
    let innermost = grouping.windows.last()?;
    let fits = rules.has(Rules::ORDERED_WINDOWS)
        && grouping.keys.is_empty()
        && grouping.calls.is_empty()
        && !parts.group.relations.is_empty();
    if !fits {
        return None;
    }
    let wanted = keys_of_window(innermost);
    if rules.has(Rules::EAGER) {
        return Some(Fed { wanted, limit: f64::MAX });
    }
    if ends_early(binder, parts, &wanted) {
        let limit = parts.rows_wanted()?;
        return Some(Fed { wanted, limit });
    }
    // Row by row a sort costs more than an index and the look-ups of its rows.
    let is_by_row = !innermost.calls.iter().all(runs_in_batches);
    let is_alone = matches!(parts.group.relations.as_slice(), [Relation::Table(_)]);
    (is_by_row && is_alone).then_some(Fed { wanted, limit: f64::MAX })
}

/// Whether a LIMIT ends the reading of rows that come in the wanted order.
fn ends_early(binder: &Binder<'_>, parts: &QueryParts, wanted: &[SortKey]) -> bool {
    let Some((_, others)) = parts.grouping.windows.split_last() else { return false };
    // A window in another order is sorted, and so is an ORDER BY: that reads all rows.
    let is_led = |window: &WindowGroup| {
        let keys = keys_of_window(window);
        agree(&keys, wanted) == keys.len()
    };
    let is_ordered = parts.order_by.is_empty() || agree(&parts.order_by, wanted) > 0;
    let mut calls = parts.grouping.windows.iter().flat_map(|window| &window.calls);
    let waits = calls.any(WindowCall::needs_partition);
    if parts.distinct || waits || !is_ordered || !others.iter().all(is_led) {
        return false;
    }
    let Some(limit) = parts.rows_wanted() else { return false };
    let rows = parts.group.relations.iter().map(|relation| match relation {
        Relation::Table(table) => estimate::lasting_rows(binder, table),
        _ => 0.0,
    });
    let rows = rows.fold(0.0, f64::max);
    limit <= rows * LIMITED_SHARE
}
