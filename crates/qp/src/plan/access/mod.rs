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
use self::order::satisfies;
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
    /// Rows come in the wanted order.
    pub(crate) sorted: bool,
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
    /// Not all rows are wanted.
    pub(crate) has_limit: bool,
}

/// How much of a way is gone where a LIMIT ends it.
const LIMITED_SHARE: f64 = 0.2;

/// Chooses the cheapest way into a table.
pub(crate) fn choose_access(binder: &mut Binder<'_>, ask: &Ask<'_>) -> Access {
    // A plan outlives the moment: a table that is small now is not read as a whole for that.
    let total = estimate::lasting_rows(binder, ask.table);
    let mut best = full(ask.table, total, ask.wanted);
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
        keep_cheaper(&mut best, access, ask);
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
    binder.environment.statistics.note(&|| wish::wish(ask, terms));
    if only.is_none_or(|only| only.is_none()) {
        for access in rowid::rowid_paths(binder, ask, terms, best.total) {
            keep_cheaper(best, access, ask);
        }
        if !table.has_rowid()
            && let Some(access) = index::index_path(binder, ask, None, terms, best.total)
        {
            keep_cheaper(best, access, ask);
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
            || (access.sorted && ask.has_limit)
        {
            keep_cheaper(best, access, ask);
        }
    }
    None
}

fn is_covering(access: &Access) -> bool {
    matches!(&access.path, AccessPath::Index(path) if path.covering)
}

/// Keeps the cheaper of two ways; one that saves a sort is worth its cost.
fn keep_cheaper(best: &mut Access, other: Access, ask: &Ask<'_>) {
    let Ask { wanted, has_limit, .. } = *ask;
    let price = |access: &Access| {
        if wanted.is_empty() {
            access.cost
        } else if !access.sorted {
            access.cost + access.rows * access.rows.max(2.0).log2() * 0.3
        } else if has_limit {
            access.cost * LIMITED_SHARE
        } else {
            access.cost
        }
    };
    if price(&other) < price(best) {
        *best = other;
    }
}

fn full(table: &TableRelation, total: f64, wanted: &[SortKey]) -> Access {
    let order = [(ROWID, Collation::Binary, false)];
    let (sorted, backward) = if table.table.has_rowid() && !table.table.is_system() {
        satisfies(wanted, table.slot, &order, &[], true)
    } else {
        (wanted.is_empty(), false)
    };
    Access {
        path: AccessPath::Full,
        used: Vec::new(),
        rows: total,
        cost: full_cost(total),
        total,
        is_search: false,
        sorted,
        backward,
    }
}
