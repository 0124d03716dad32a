//! What crossed merges come to, by a model that keeps every moment with all of its rows.
//!
//! The base of a merge is made of all best common moments: they are merged among themselves, each
//! time from the base of the two, and what they do not agree on is open. A cell or row that is open
//! in the base is settled by nobody but both sides saying the same. Neighbours: `trial` asks.

use std::collections::{BTreeMap, BTreeSet};

/// Cells of a row beside its key.
pub(crate) const COLUMNS: usize = 3;

/// A value, or none where bases do not agree.
type Cell = Option<u8>;

/// What is known of a row that may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    There([Cell; COLUMNS]),
    /// Bases do not agree whether it is there.
    Open,
}

impl Row {
    pub(crate) fn of(values: [u8; COLUMNS]) -> Self {
        Self::There(values.map(Some))
    }

    fn is_settled(self) -> bool {
        match self {
            Self::There(cells) => cells.iter().all(Option::is_some),
            Self::Open => false,
        }
    }
}

/// Rows by their keys.
pub(crate) type Rows = BTreeMap<u8, Row>;

/// A conflict: of one cell, or of the row where there is no column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) key: u8,
    pub(crate) column: Option<usize>,
}

/// Whose word counts where both sides changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Ours,
    Theirs,
    /// Nobody's: the merge of two bases.
    Open,
}

/// The rows that a merge comes to, and what it had to answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merged {
    pub(crate) rows: Rows,
    pub(crate) conflicts: BTreeSet<Address>,
}

/// Merges two versions of `base`.
pub(crate) fn three_way(base: &Rows, ours: &Rows, theirs: &Rows, answer: Answer) -> Merged {
    let mut merged = Merged::default();
    let keys: BTreeSet<u8> =
        [base, ours, theirs].into_iter().flat_map(Rows::keys).copied().collect();
    for key in keys {
        let [before, ours, theirs] = [base, ours, theirs].map(|rows| rows.get(&key).copied());
        let row = merged.row(key, before, [ours, theirs], answer);
        merged.rows.extend(row.map(|row| (key, row)));
    }
    merged
}

impl Merged {
    /// Takes what one side says of a conflict.
    pub(crate) fn take(&mut self, address: Address, side: &Rows) {
        let row = side.get(&address.key).copied();
        match (address.column, row, self.rows.get_mut(&address.key)) {
            (Some(column), Some(Row::There(cells)), Some(Row::There(merged))) => {
                merged[column] = cells[column];
            }
            (_, Some(row), _) => {
                self.rows.insert(address.key, row);
            }
            (_, None, _) => {
                self.rows.remove(&address.key);
            }
        }
    }

    fn row(
        &mut self,
        key: u8,
        before: Option<Row>,
        [ours, theirs]: [Option<Row>; 2],
        answer: Answer,
    ) -> Option<Row> {
        let was_settled = before.is_none_or(Row::is_settled);
        if ours == theirs || (was_settled && before == theirs) {
            return ours;
        }
        if was_settled && before == ours {
            return theirs;
        }
        match (ours, theirs) {
            (Some(Row::There(ours)), Some(Row::There(theirs))) => {
                let before = match before {
                    Some(Row::There(cells)) => cells,
                    Some(Row::Open) | None => [None; COLUMNS],
                };
                let mut cells = [None; COLUMNS];
                for (column, cell) in cells.iter_mut().enumerate() {
                    let address = Address { key, column: Some(column) };
                    let sides = [ours[column], theirs[column]];
                    *cell = self.cell(address, before[column], sides, answer);
                }
                Some(Row::There(cells))
            }
            (Some(Row::Open), _) | (_, Some(Row::Open)) => Some(Row::Open),
            _ => {
                self.conflicts.insert(Address { key, column: None });
                match answer {
                    Answer::Ours => ours,
                    Answer::Theirs => theirs,
                    Answer::Open => Some(Row::Open),
                }
            }
        }
    }

    fn cell(
        &mut self,
        address: Address,
        before: Cell,
        [ours, theirs]: [Cell; 2],
        answer: Answer,
    ) -> Cell {
        if ours == theirs || (before.is_some() && before == theirs) {
            return ours;
        }
        if before.is_some() && before == ours {
            return theirs;
        }
        if ours.is_some() && theirs.is_some() {
            self.conflicts.insert(address);
        }
        match answer {
            Answer::Ours => ours,
            Answer::Theirs => theirs,
            Answer::Open => None,
        }
    }
}

/// The moments that one comes from, itself with them.
type Past = BTreeSet<usize>;

struct Moment {
    past: Past,
    rows: Rows,
}

/// All moments, each by the number that it has in the order of their making.
#[derive(Default)]
pub(crate) struct History {
    moments: Vec<Moment>,
}

/// What two moments have in common.
pub(crate) struct Base {
    pub(crate) rows: Rows,
    /// How many best common moments there are.
    pub(crate) bests: usize,
    /// Whether two of them have several again.
    pub(crate) is_deep: bool,
}

impl History {
    pub(crate) fn add(&mut self, parents: &[usize], rows: Rows) -> usize {
        let number = self.moments.len();
        let mut past: Past =
            parents.iter().flat_map(|parent| &self.moments[*parent].past).copied().collect();
        past.insert(number);
        self.moments.push(Moment { past, rows });
        number
    }

    pub(crate) fn rows(&self, moment: usize) -> &Rows {
        &self.moments[moment].rows
    }

    /// Whether a moment is part of another one's past.
    pub(crate) fn has(&self, moment: usize, earlier: usize) -> bool {
        self.moments[moment].past.contains(&earlier)
    }

    pub(crate) fn base(&self, one: usize, other: usize) -> Base {
        self.base_of(&self.moments[one].past, &self.moments[other].past)
    }

    fn base_of(&self, one: &Past, other: &Past) -> Base {
        let bests = self.bests(one, other);
        let mut base = Base { rows: Rows::new(), bests: bests.len(), is_deep: false };
        let Some((first, rest)) = bests.split_first() else { return base };
        base.rows.clone_from(&self.moments[*first].rows);
        let mut past = self.moments[*first].past.clone();
        for next in rest {
            let next = &self.moments[*next];
            let before = self.base_of(&past, &next.past);
            base.is_deep |= before.bests > 1;
            base.rows = three_way(&before.rows, &base.rows, &next.rows, Answer::Open).rows;
            past.extend(&next.past);
        }
        base
    }

    /// The common moments that are in no other one's past, the youngest first.
    fn bests(&self, one: &Past, other: &Past) -> Vec<usize> {
        let common: Vec<usize> = one.intersection(other).copied().collect();
        let is_best = |moment: &&usize| {
            !common.iter().any(|later| later != *moment && self.has(*later, **moment))
        };
        common.iter().rev().filter(is_best).copied().collect()
    }
}
