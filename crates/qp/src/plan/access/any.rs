//! OR as several ways into a table, each row once.
//!
//! Each part of the OR must be a search of its own; the OR itself is checked again on what they
//! find, because a part may have conditions that its way does not answer for. Neighbours:
//! `index` and `rowid` have the ways, `execute` remembers the rows that were given out.

use super::terms::terms;
use super::wish::wish;
use super::{Access, Ask, best_search, full};
use crate::bind::Binder;
use crate::plan::AccessPath;
use crate::scalar::Scalar;

/// The most parts of an OR that are looked at.
const PARTS_MAX: usize = 256;
/// What remembering a row costs, in rows read in order.
const REMEMBER: f64 = 1.0;

/// The cheapest union of searches that some OR among the predicates allows.
pub(super) fn union_path(binder: &mut Binder<'_>, ask: &Ask<'_>, total: f64) -> Option<Access> {
    let mut best: Option<Access> = None;
    for predicate in ask.predicates {
        let Scalar::Or(parts) = predicate else { continue };
        if parts.len() > PARTS_MAX {
            continue;
        }
        let Some(access) = parts_path(binder, ask, parts, total) else { continue };
        if best.as_ref().is_none_or(|best| access.cost < best.cost) {
            best = Some(access);
        }
    }
    best
}

fn parts_path(
    binder: &mut Binder<'_>,
    ask: &Ask<'_>,
    parts: &[Scalar],
    total: f64,
) -> Option<Access> {
    // Those behind one that cannot be sought are not looked at below.
    for part in parts {
        let binder = &*binder;
        binder.environment.statistics.note(&|| {
            let conjuncts = conjuncts_of(part);
            let ask = Ask { predicates: &conjuncts, wanted: &[], limit: None, ..*ask };
            wish(&ask, &terms(binder, &ask))
        });
    }
    let mut paths = Vec::with_capacity(parts.len());
    let (mut rows, mut cost) = (0.0, 0.0);
    for part in parts {
        let conjuncts = conjuncts_of(part);
        let ask = Ask { predicates: &conjuncts, wanted: &[], limit: None, ..*ask };
        let terms = terms(binder, &ask);
        if terms.is_empty() {
            return None;
        }
        let mut best = full(binder, ask.table, total, (&[], None));
        best_search(binder, &ask, &terms, &mut best);
        if !best.is_search {
            return None;
        }
        rows += best.rows;
        cost += best.cost;
        let mut path = best.path;
        if let AccessPath::Index(index) = &mut path {
            // The slot holds the table's own rows, whichever way leads to them.
            index.covering = false;
        }
        paths.push(path);
    }
    let path = AccessPath::Union(paths);
    let cost = cost + rows * REMEMBER;
    let rows = rows.min(total);
    let used = Vec::new();
    Some(Access {
        path,
        used,
        rows,
        cost,
        total,
        is_search: true,
        ordered: 0,
        run: rows,
        backward: false,
    })
}

fn conjuncts_of(part: &Scalar) -> Vec<&Scalar> {
    match part {
        Scalar::And(terms) => terms.iter().collect(),
        other => vec![other],
    }
}
