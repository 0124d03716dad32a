//! Whether the order in which rows come is the order that is wanted.
//!
//! Neighbours: `rowid` and `index` know the order of their ways.

use pandodb_ds::record::Collation;

use crate::plan::SortKey;
use crate::scalar::{ROWID, SlotId};

/// How far rows come in the order that is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InOrder {
    /// In how many leading terms of it.
    pub(super) terms: usize,
    /// How many leading columns of their own order these terms are about.
    pub(super) columns: usize,
    /// Read from the end.
    pub(super) backward: bool,
}

/// What a term of the wanted order is beside the order in which rows come.
enum Place {
    /// It decides nothing: there is one value.
    Constant,
    /// It is the next column, read from the end or not.
    Next(bool),
    /// It is the next column, and rows are told apart by it.
    Last(bool),
    /// Rows are told apart by what stands before it.
    Behind,
    /// The order is another one from here on.
    Other,
}

/// How far rows that come in `order` (of columns of `slot`) come in the wanted one. Columns at
/// `constant` places have one value only, as their collation has it. Rows that differ in nothing
/// but what has one value come in no order that is of use, unless nothing else is wanted.
pub(super) fn satisfies(
    wanted: &[SortKey],
    slot: SlotId,
    order: &[(u16, Collation, bool)],
    constant: &[usize],
    is_unique: bool,
) -> InOrder {
    let mut direction: Option<bool> = None;
    let mut next = 0;
    for (terms, key) in wanted.iter().enumerate() {
        let place = place_of(key, slot, order, (constant, &mut next), is_unique);
        match place {
            Place::Constant => continue,
            Place::Next(reversed) | Place::Last(reversed)
                if direction.is_none_or(|known| known == reversed) =>
            {
                direction = Some(reversed);
                next += 1;
                if matches!(place, Place::Next(_)) {
                    continue;
                }
            }
            Place::Behind => {}
            _ => {
                let terms = if direction.is_some() { terms } else { 0 };
                return InOrder { terms, columns: next, backward: direction.unwrap_or(false) };
            }
        }
        break;
    }
    InOrder { terms: wanted.len(), columns: next, backward: direction.unwrap_or(false) }
}

fn place_of(
    key: &SortKey,
    slot: SlotId,
    order: &[(u16, Collation, bool)],
    (constant, next): (&[usize], &mut usize),
    is_unique: bool,
) -> Place {
    let own = key.value.as_column().filter(|place| place.depth == 0 && place.slot == slot);
    let Some(place) = own.filter(|_| key.nulls_first != key.descending) else {
        return Place::Other;
    };
    // One value under NOCASE may be several in an order by bytes.
    let is_constant = constant.iter().any(|index| {
        let (column, collation, _) = order[*index];
        column == place.column && [Collation::Binary, key.collation].contains(&collation)
    });
    if is_constant {
        return Place::Constant;
    }
    while constant.contains(next) {
        *next += 1;
    }
    let Some((column, collation, descending)) = order.get(*next) else {
        return if is_unique { Place::Behind } else { Place::Other };
    };
    if *column != place.column || (*collation != key.collation && *column != ROWID) {
        return Place::Other;
    }
    let reversed = key.descending != *descending;
    // Rowids are unique: what follows decides nothing.
    if *column == ROWID { Place::Last(reversed) } else { Place::Next(reversed) }
}
