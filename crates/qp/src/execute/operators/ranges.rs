//! The parts of an index that a way reads: keys that begin with values, and ranges behind them.
//!
//! A bound that is a row of values is several such ranges, one for each column that may decide:
//! `(a, b) > (1, 2)` is `a = 1 AND b > 2` and `a > 1`. What of them lies side by side is put
//! together, so that columns of one direction without NULLs are one range. NULL is in none.
//! Neighbours: `scan` reads the ranges, `plan::access` makes the bounds.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::{prefix_successor, push_column, rowid_key};
use smallvec::SmallVec;

use crate::catalog::IndexColumn;
use crate::error::Result;
use crate::execute::Scope;
use crate::plan::{Bound, Range};
use crate::types::{Affinity, Datum, apply_affinity};

/// Bytes of a key; those of rowids and short texts need no allocation.
pub(super) type KeyBytes = SmallVec<[u8; 24]>;

/// The parts of a tree that a scan reads, in order.
pub(super) type Ranges = SmallVec<[KeyRange; 1]>;

/// Keys from `from` up to, not including, `to`.
#[derive(Debug)]
pub(super) struct KeyRange {
    pub(super) from: KeyBytes,
    pub(super) to: Option<KeyBytes>,
    /// Only the key `from` itself.
    pub(super) exact: bool,
}

/// A value that is a bound, and whether it is in.
type End<'v> = Option<(ValueRef<'v>, bool)>;

impl KeyRange {
    /// One rowid.
    pub(super) fn rowid(rowid: i64) -> Self {
        Self { from: KeyBytes::from_slice(&rowid_key(rowid)), to: None, exact: true }
    }

    /// Whether the end on the far side is not passed.
    #[inline]
    pub(super) fn contains(&self, key: &[u8], backward: bool) -> bool {
        if backward {
            key >= self.from.as_slice()
        } else {
            self.to.as_ref().is_none_or(|to| key < to.as_slice())
        }
    }

    /// Whether no key is in it.
    fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }

    /// What is in both.
    fn both(&self, other: &Self) -> Option<Self> {
        let from = (&self.from).max(&other.from).clone();
        let to = match (&self.to, &other.to) {
            (Some(left), Some(right)) => Some(left.min(right).clone()),
            (left, right) => left.clone().or_else(|| right.clone()),
        };
        let both = Self { from, to, exact: false };
        (!both.is_empty()).then_some(both)
    }
}

/// The keys that begin with `prefix` and whose next `columns` are in `range`, in their order.
pub(super) fn ranges_behind(
    prefix: Vec<u8>,
    range: &Range,
    columns: &[IndexColumn],
    scope: &Scope<'_>,
    ranges: &mut Ranges,
) -> Result<()> {
    let has_rows = [&range.low, &range.high].into_iter().flatten().any(|it| !it.behind.is_empty());
    if has_rows {
        ranges.extend(row_ranges(&prefix, range, columns, scope)?);
        return Ok(());
    }
    let blobs = match columns.first() {
        Some(column) if range.blobs => Some((blob_range(&prefix, column)?, column.descending)),
        _ => None,
    };
    let found = if range.is_bounded() {
        range_behind(&prefix, range, columns.first(), scope)?
    } else {
        let to = successor(&prefix);
        Some(KeyRange { from: KeyBytes::from_vec(prefix), to, exact: false })
    };
    match blobs {
        Some((blobs, true)) => {
            ranges.push(blobs);
            ranges.extend(found);
        }
        Some((blobs, false)) => {
            ranges.extend(found);
            ranges.push(blobs);
        }
        None => ranges.extend(found),
    }
    Ok(())
}

fn successor(key: &[u8]) -> Option<KeyBytes> {
    prefix_successor(key).map(KeyBytes::from_vec)
}

/// The keys that begin with `prefix` and whose next column is a blob: they are the greatest.
fn blob_range(prefix: &[u8], column: &IndexColumn) -> Result<KeyRange> {
    let mut least = prefix.to_vec();
    push_column(ValueRef::Blob(&[]), column.order(), &mut least)?;
    let (from, to) = if column.descending {
        (prefix.to_vec(), prefix_successor(&least))
    } else {
        (least, prefix_successor(prefix))
    };
    let to = to.map(KeyBytes::from_vec);
    Ok(KeyRange { from: KeyBytes::from_vec(from), to, exact: false })
}

/// The keys that begin with `prefix` and whose next column is between the bounds of `range`.
fn range_behind(
    prefix: &[u8],
    range: &Range,
    column: Option<&IndexColumn>,
    scope: &Scope<'_>,
) -> Result<Option<KeyRange>> {
    let Some(column) = column else {
        let rowids = rowid_range(range, scope)?;
        return Ok(rowids.map(|rowids| rowids_behind(prefix, rowids)));
    };
    let low = range.low.as_ref().map(|bound| end_of(bound, scope)).transpose()?;
    let high = range.high.as_ref().map(|bound| end_of(bound, scope)).transpose()?;
    let low = low.as_ref().map(|(value, inclusive)| (value.as_ref(), *inclusive));
    let high = high.as_ref().map(|(value, inclusive)| (value.as_ref(), *inclusive));
    column_range(prefix, low, high, column)
}

fn end_of<'a>(bound: &'a Bound, scope: &Scope<'a>) -> Result<(Datum<'a>, bool)> {
    let value = apply_affinity(bound.value.evaluate(scope)?, sought(bound.affinity));
    Ok((value, bound.inclusive))
}

/// The keys that begin with `prefix` and whose next column is between two values; NULL is not.
fn column_range(
    prefix: &[u8],
    low: End<'_>,
    high: End<'_>,
    column: &IndexColumn,
) -> Result<Option<KeyRange>> {
    // NULL's key is the least (or, descending, the greatest) of a column.
    let mut null = prefix.to_vec();
    push_column(ValueRef::Null, column.order(), &mut null)?;
    let (mut from, mut to) = if column.descending {
        (KeyBytes::from_slice(prefix), Some(KeyBytes::from_vec(null)))
    } else {
        (successor(&null).unwrap_or_default(), successor(prefix))
    };
    for (end, is_low) in [(low, true), (high, false)] {
        let Some((value, inclusive)) = end else { continue };
        if value.is_null() {
            return Ok(None);
        }
        let mut key = prefix.to_vec();
        push_column(value, column.order(), &mut key)?;
        if is_low == column.descending {
            // The far end: behind the equal keys if they are in.
            to = if inclusive { successor(&key) } else { Some(KeyBytes::from_vec(key)) };
        } else if inclusive {
            from = KeyBytes::from_vec(key);
        } else {
            match successor(&key) {
                Some(key) => from = key,
                None => return Ok(None),
            }
        }
    }
    Ok(Some(KeyRange { from, to, exact: false }))
}

/// The keys that begin with `prefix` and end with one of a range of rowids.
fn rowids_behind(prefix: &[u8], (low, high): (i64, i64)) -> KeyRange {
    let key = |rowid| {
        let mut key = KeyBytes::from_slice(prefix);
        key.extend_from_slice(&rowid_key(rowid));
        key
    };
    let to = match high.checked_add(1) {
        Some(behind) => Some(key(behind)),
        None => successor(prefix),
    };
    KeyRange { from: key(low), to, exact: false }
}

/// The keys that begin with `prefix` and whose next columns are between rows of values.
fn row_ranges(
    prefix: &[u8],
    range: &Range,
    columns: &[IndexColumn],
    scope: &Scope<'_>,
) -> Result<Vec<KeyRange>> {
    let low = range.low.as_ref().map(|bound| row_pieces(prefix, bound, true, columns, scope));
    let high = range.high.as_ref().map(|bound| row_pieces(prefix, bound, false, columns, scope));
    let mut pieces = match (low.transpose()?, high.transpose()?) {
        (Some(low), Some(high)) => {
            let both = |piece: &KeyRange| {
                high.iter().filter_map(|other| piece.both(other)).collect::<Vec<_>>()
            };
            low.iter().flat_map(both).collect()
        }
        (low, high) => low.or(high).unwrap_or_default(),
    };
    pieces.sort_unstable_by(|left, right| left.from.cmp(&right.from));
    let mut joined: Vec<KeyRange> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if last.to.as_ref() == Some(&piece.from) => last.to = piece.to,
            _ => joined.push(piece),
        }
    }
    Ok(joined)
}

/// The keys on one side of a row of values: for each column those that agree in the columns
/// before it and lie on that side in it.
fn row_pieces(
    prefix: &[u8],
    bound: &Bound,
    is_low: bool,
    columns: &[IndexColumn],
    scope: &Scope<'_>,
) -> Result<Vec<KeyRange>> {
    let mut prefix = prefix.to_vec();
    let mut pieces = Vec::with_capacity(bound.behind.len() + 1);
    let first = (&bound.value, bound.affinity);
    let parts = bound.behind.iter().map(|part| (&part.value, part.affinity));
    for (place, (value, affinity)) in std::iter::once(first).chain(parts).enumerate() {
        let value = apply_affinity(value.evaluate(scope)?, sought(affinity));
        if value.is_null() {
            // Nothing is equal to NULL, so that no column behind decides.
            break;
        }
        let inclusive = place == bound.behind.len() && bound.inclusive;
        let end = Some((value.as_ref(), inclusive));
        let (low, high) = if is_low { (end, None) } else { (None, end) };
        let Some(column) = columns.get(place) else {
            pieces.extend(rowids_between(low, high).map(|rowids| rowids_behind(&prefix, rowids)));
            break;
        };
        pieces.extend(column_range(&prefix, low, high, column)?.filter(|it| !it.is_empty()));
        push_column(value.as_ref(), column.order(), &mut prefix)?;
    }
    Ok(pieces)
}

/// The rowids in a range, both ends included; `None` if there are none.
pub(in crate::execute) fn rowid_range(
    range: &Range,
    scope: &Scope<'_>,
) -> Result<Option<(i64, i64)>> {
    let evaluated = |bound: &Option<Bound>| -> Result<_> {
        let Some(bound) = bound else { return Ok(None) };
        let value = apply_affinity(bound.value.evaluate(scope)?, Affinity::Numeric);
        Ok(Some((value.into_value(), bound.inclusive)))
    };
    let (low, high) = (evaluated(&range.low)?, evaluated(&range.high)?);
    let low = low.as_ref().map(|(value, inclusive)| (value.as_ref(), *inclusive));
    let high = high.as_ref().map(|(value, inclusive)| (value.as_ref(), *inclusive));
    Ok(rowids_between(low, high))
}

/// The rowids between two values of any kind.
fn rowids_between(low_end: End<'_>, high_end: End<'_>) -> Option<(i64, i64)> {
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    if let Some((value, inclusive)) = low_end {
        match value {
            ValueRef::Integer(value) if inclusive => low = value,
            ValueRef::Integer(value) => low = value.checked_add(1)?,
            ValueRef::Real(value) => {
                let above = value.ceil();
                if above >= 9_223_372_036_854_775_808.0 {
                    return None;
                }
                low = above as i64;
                if above <= value && !inclusive {
                    low = low.saturating_add(1);
                }
            }
            _ => return None,
        }
    }
    if let Some((value, inclusive)) = high_end {
        match value {
            ValueRef::Integer(value) if inclusive => high = value,
            ValueRef::Integer(value) => high = value.checked_sub(1)?,
            ValueRef::Real(value) => {
                let below = value.floor();
                if below < -9_223_372_036_854_775_808.0 {
                    return None;
                }
                high = below as i64;
                if below >= value && !inclusive {
                    high = high.checked_sub(1)?;
                }
            }
            ValueRef::Null => return None,
            // Texts and blobs are greater than all numbers.
            ValueRef::Text(_) | ValueRef::Blob(_) => {}
        }
    }
    (low <= high).then_some((low, high))
}

/// The affinity that a value gets that is looked for in a column: an integer stays one beside the
/// column's reals, because it may be none of them.
pub(in crate::execute) fn sought(column: Affinity) -> Affinity {
    if column == Affinity::Real { Affinity::Numeric } else { column }
}

// Neighbours: `scan`, `batch::operators::search_rows`.
