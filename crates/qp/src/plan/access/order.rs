//! Whether the order in which rows come is the order that is wanted.
//!
//! Neighbours: `rowid` and `index` know the order of their ways.

use pandodb_ds::record::Collation;

use crate::plan::SortKey;
use crate::scalar::{ROWID, SlotId};

/// Whether rows that come in `order` (of columns of `slot`) come in the wanted one, and whether
/// they do from the end. Columns at `constant` places have one value only, as their collation has
/// it.
pub(super) fn satisfies(
    wanted: &[SortKey],
    slot: SlotId,
    order: &[(u16, Collation, bool)],
    constant: &[usize],
    is_unique: bool,
) -> (bool, bool) {
    if wanted.is_empty() {
        return (true, false);
    }
    let mut direction: Option<bool> = None;
    let mut next = 0;
    for key in wanted {
        let Some(place) = key.value.as_column() else { return (false, false) };
        if place.depth != 0 || place.slot != slot {
            return (false, false);
        }
        if key.nulls_first == key.descending {
            return (false, false);
        }
        // One value under NOCASE may be several in an order by bytes.
        let is_constant = constant.iter().any(|index| {
            let (column, collation, _) = order[*index];
            column == place.column && [Collation::Binary, key.collation].contains(&collation)
        });
        if is_constant {
            continue;
        }
        while constant.contains(&next) {
            next += 1;
        }
        let Some((column, collation, descending)) = order.get(next) else {
            return (is_unique && next >= order.len(), direction.unwrap_or(false));
        };
        if *column != place.column || (*collation != key.collation && *column != ROWID) {
            return (false, false);
        }
        let reversed = key.descending != *descending;
        if direction.is_some_and(|known| known != reversed) {
            return (false, false);
        }
        direction = Some(reversed);
        if *column == ROWID {
            // Rowids are unique: what follows decides nothing.
            return (true, reversed);
        }
        next += 1;
    }
    (true, direction.unwrap_or(false))
}
