//! The way into a table: which index, how much of it.
//!
//! Predicates of the form `column operator value`, where the value is known before the table is
//! read, are matched with the rowid and with the leading columns of each index. What the chosen
//! way answers for exactly need not be checked again. Neighbours: `terms` (predicates as tests),
//! `rowid` and `index` (the ways), `any` (OR as several ways), `pattern` (LIKE and GLOB),
//! `implied` (what makes a partial index one), `hint` (INDEXED BY), `order` (what a way saves of
//! a sort), `wish` (the index that is missed); `join` asks, `execute` scans.

mod any;
mod hint;
mod implied;
mod index;
mod order;
mod pattern;
mod rowid;
mod terms;
mod wish;

use pandodb_ds::record::Collation;

pub(super) use self::hint::check_hints;
use self::order::{InOrder, satisfies};
use self::terms::{Term, terms};
use super::cost::full_cost;
use super::estimate;
use super::needs::Needs;
use super::{AccessPath, SortKey};
use crate::ast::IndexHint;
use crate::bind::{Binder, TableRelation};
use crate::plan::Rules;
use crate::scalar::{ROWID, Scalar, SlotId};

/// A way into a table.
pub(crate) struct Access {
    /// The way.
    pub(crate) path: AccessPath,
    /// Which predicates (by place) it answers for.
    pub(crate) used: Vec<usize>,
    /// About how many rows it gives.
    pub(crate) rows: f64,
    /// About how many rows' worth of work it is.
    pub(crate) cost: f64,
    /// How many rows the table has.
    pub(crate) total: f64,
    /// It does not read everything.
    pub(crate) is_search: bool,
    /// In how many leading terms of the wanted order rows come.
    pub(crate) ordered: usize,
    /// About how many rows agree in these terms.
    pub(crate) run: f64,
    /// Read from the end, for that order.
    pub(crate) backward: bool,
}

/// What is asked of a way into a table.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// The table.
    pub(crate) table: &'a TableRelation,
    /// What must be true.
    pub(crate) predicates: &'a [&'a Scalar],
    /// Slots whose rows are known before.
    pub(crate) available: &'a [SlotId],
    /// What is read.
    pub(crate) needs: &'a Needs,
    /// The order that is wanted.
    pub(crate) wanted: &'a [SortKey],
    /// Not all rows are wanted, but about so many.
    pub(crate) limit: Option<f64>,
}

impl Access {
    /// Whether rows come in the wanted order.
    pub(crate) fn is_sorted(&self, wanted: &[SortKey]) -> bool {
        self.ordered >= wanted.len()
    }
}

/// How much of a way is gone where a LIMIT ends it.
const LIMITED_SHARE: f64 = 0.2;
/// How many times a row counts that is read to be sorted with those that agree with it in the
/// first terms: where all rows are sorted they are read in batches, which the price of a sort does
/// not know.
const RUN_WEIGHT: f64 = 3.0;

/// How many rows are taken to agree in some leading columns of a table's key.
const RUN_GUESS: f64 = 100.0;

/// Chooses the cheapest way into a table.
pub(crate) fn choose_access(binder: &mut Binder<'_>, ask: &Ask<'_>) -> Access {
    // A plan outlives the moment: a table that is small now is not read as a whole for that.
    let total = estimate::lasting_rows(binder, ask.table);
    let mut best = full(binder, ask.table, total, (ask.wanted, ask.limit));
    if ask.table.table.is_system() {
        return best;
    }
    let terms = terms(binder, ask);
    let forced = best_search(binder, ask, &terms, &mut best);
    if let Some(forced) = forced {
        return forced;
    }
    if ask.table.hint.is_none()
        && binder.environment.rules.has(Rules::OR_UNION)
        && let Some(access) = any::union_path(binder, ask, total)
    {
        keep_cheaper(binder, &mut best, access, ask);
    }
    best
}

/// Replaces `best` by the cheapest search; gives the way of INDEXED BY.
fn best_search(
    binder: &mut Binder<'_>,
    ask: &Ask<'_>,
    terms: &[Term<'_>],
    best: &mut Access,
) -> Option<Access> {
    let only = match &ask.table.hint {
        Some(IndexHint::IndexedBy(name)) => Some(Some(name)),
        Some(IndexHint::NotIndexed) => Some(None),
        None => None,
    };
    let table = &ask.table.table;
    let is_eager = binder.environment.rules.has(Rules::EAGER.with(Rules::PART_SORT));
    binder.environment.statistics.note(&|| wish::wish(ask, terms));
    if only.is_none_or(|only| only.is_none()) {
        for access in rowid::rowid_paths(binder, ask, terms, best.total) {
            keep_cheaper(binder, best, access, ask);
        }
        if !table.has_rowid()
            && let Some(access) = index::index_path(binder, ask, None, terms, best.total)
        {
            keep_cheaper(binder, best, access, ask);
        }
    }
    for index in &table.indexes {
        let is_forced = match only {
            Some(Some(name)) => name.is(&index.name),
            Some(None) => continue,
            None => false,
        };
        if only.is_some() && !is_forced {
            continue;
        }
        let found = index::index_path(binder, ask, Some(index), terms, best.total);
        let Some(access) = found else { continue };
        if is_forced {
            return Some(access);
        }
        let is_partial = index.filter.is_some();
        if access.is_search
            || is_partial
            || is_covering(&access)
            || (access.ordered > 0 && (ask.limit.is_some() || is_eager))
        {
            keep_cheaper(binder, best, access, ask);
        }
    }
    None
}

fn is_covering(access: &Access) -> bool {
    matches!(&access.path, AccessPath::Index(path) if path.covering)
}

/// Keeps the cheaper of two ways; one that saves a sort is worth its cost. An order in the first
/// terms alone is a reason to take a way only if a LIMIT ends it.
fn keep_cheaper(binder: &Binder<'_>, best: &mut Access, other: Access, ask: &Ask<'_>) {
    let Ask { wanted, limit, .. } = *ask;
    let is_eager = binder.environment.rules.has(Rules::EAGER.with(Rules::PART_SORT));
    let sort = |rows: f64, run: f64| rows * run.max(2.0).log2() * 0.3;
    let price = |access: &Access| {
        let Access { cost, rows, run, .. } = *access;
        if wanted.is_empty() {
            cost
        } else if access.is_sorted(wanted) {
            if limit.is_some() { cost * LIMITED_SHARE } else { cost }
        } else if access.ordered > 0 && is_eager {
            cost * LIMITED_SHARE
        } else if let (Some(limit), true) = (limit, access.ordered > 0) {
            let rows = rows.max(1.0);
            let share = LIMITED_SHARE.max(RUN_WEIGHT * limit / rows) + RUN_WEIGHT * run / rows;
            // At the worst it is a sort of everything.
            (cost + sort(rows, run)) * share.min(1.0 + rows.log2() * 0.3)
        } else {
            cost + sort(rows, rows)
        }
    };
    if price(&other) < price(best) {
        *best = other;
    }
}

/// All of a table, in the order of its key.
fn full(
    binder: &Binder<'_>,
    table: &TableRelation,
    total: f64,
    (wanted, limit): (&[SortKey], Option<f64>),
) -> Access {
    let key = if table.table.is_system() {
        None
    } else if table.table.has_rowid() {
        Some(vec![(ROWID, Collation::Binary, false)])
    } else {
        index::key_order(&table.table)
    };
    let in_order = |order: Vec<_>| satisfies(wanted, table.slot, &order, &[], true);
    let mut in_order = key.map_or_else(InOrder::default, in_order);
    // If most of it is read all is sorted in batches: that is faster than a piece at a time.
    let is_limited = limit.is_some_and(|limit| limit * RUN_WEIGHT < total);
    let is_asked = binder.environment.rules.has(Rules::PART_SORT);
    if in_order.terms < wanted.len() && !(is_limited && is_asked) {
        in_order = InOrder::default();
    }
    let InOrder { terms: ordered, backward, .. } = in_order;
    Access {
        path: AccessPath::Full,
        used: Vec::new(),
        rows: total,
        cost: full_cost(total),
        total,
        is_search: false,
        ordered,
        run: RUN_GUESS,
        backward,
    }
}
