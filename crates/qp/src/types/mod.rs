//! Types: affinities, conversions and comparison, by SQLite's rules.
//!
//! A column does not restrict its values, it has an *affinity*: what it would rather hold. The
//! rules here are the whole of it: which affinity a declared type means, what an affinity does
//! to a value that is stored or compared, and what `CAST` does. Neighbours: `scalar` keeps
//! affinities and collations on its nodes, `pandodb_ds::record` has the values.

mod affinity;
mod cast;
mod datum;
mod strict;

pub use affinity::{Affinity, apply_affinity, comparison_affinity};
pub use cast::cast;
pub use datum::Datum;
pub use strict::StrictType;

use std::cmp::Ordering;

use pandodb_ds::record::collation::compare_values_by;
use pandodb_ds::record::{Collation, ValueRef};

/// The collations that an application registered, by number.
pub trait Collations {
    /// The order of two texts under the custom collation `id`.
    fn compare_custom(&self, id: u32, left: &[u8], right: &[u8]) -> Ordering;
}

/// No custom collation is registered: such texts compare by bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltInCollations;

impl Collations for BuiltInCollations {
    fn compare_custom(&self, _: u32, left: &[u8], right: &[u8]) -> Ordering {
        left.cmp(right)
    }
}

/// The order of two values, texts by `collation`.
#[inline]
pub fn compare(
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    collation: Collation,
    collations: &dyn Collations,
) -> Ordering {
    compare_values_by(left, right, |left, right| match collation {
        Collation::Binary => left.cmp(right),
        Collation::Custom(id) => collations.compare_custom(id, left, right),
        other => other.compare(left, right).unwrap_or(Ordering::Equal),
    })
}
