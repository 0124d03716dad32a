//! Groups: which rows of batches belong together, and what is kept of each group.
//!
//! Groups are numbered as they come. Their keys' values and the bare columns are those of their
//! first rows. They are given out in the order of the keys' bytes, which is SQLite's order and
//! that of the row gear. Neighbours: `keys` tells keys apart, `aggregate` has the calls.

use pandodb_ds::record::Collation;

use crate::error::Result;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::Column;
use crate::execute::batch::keys::KeyTable;
use crate::execute::batch::sort::order_of_keys;
use crate::execute::batch::sorting::SortHelp;
use crate::execute::batch::vector::{Tags, Vector};
use crate::execute::push_group_key;

/// Groups.
#[derive(Debug)]
pub(in crate::execute::batch) struct Groups {
    table: KeyTable,
    collations: Vec<Collation>,
    /// The values of the keys, one vector for each key.
    pub(in crate::execute::batch) keys: Vec<Vector>,
    /// The values of other columns.
    pub(in crate::execute::batch) bare: Vec<Vector>,
    /// Without keys there is one group, also of nothing.
    has_keys: bool,
    is_empty: bool,
    /// Of a share of the rows: the part of the table that is being read, and those in which the
    /// groups' first rows are.
    part: u32,
    firsts: Vec<u32>,
}

/// Groups of a share that were put among others.
#[derive(Debug)]
pub(in crate::execute::batch) struct Merged {
    /// What number each of the groups has there.
    pub(in crate::execute::batch) places: Vec<u32>,
    /// How many groups there are.
    pub(in crate::execute::batch) count: usize,
    /// Whether they have keys.
    pub(in crate::execute::batch) has_keys: bool,
}

impl Groups {
    pub(in crate::execute::batch) fn new(collations: Vec<Collation>, bare: usize) -> Self {
        Self {
            table: KeyTable::default(),
            has_keys: !collations.is_empty(),
            keys: collations.iter().map(|_| Vector::default()).collect(),
            collations,
            bare: (0..bare).map(|_| Vector::default()).collect(),
            is_empty: true,
            part: 0,
            firsts: Vec::new(),
        }
    }

    /// Says which part of the table comes next.
    pub(in crate::execute::batch) fn begin_part(&mut self, part: u32) {
        // Before the first row of the part comes, all groups are of parts before it.
        self.note_part();
        self.part = part;
    }

    fn note_part(&mut self) {
        let known = if self.has_keys { self.table.len() } else { usize::from(!self.is_empty) };
        self.firsts.resize(known, self.part);
    }

    /// Takes in the groups of another share.
    pub(in crate::execute::batch) fn merge(&mut self, mut other: Self) -> Result<Merged> {
        self.note_part();
        other.note_part();
        let known = self.firsts.len();
        let places = if self.has_keys {
            let keys: Vec<Column> = other.keys.iter().cloned().map(Column::from).collect();
            self.table.assign(&keys, &self.collations, other.len(), &mut Vec::new())?
        } else {
            vec![0; other.len()]
        };
        // Each group's values are those of its first row, whichever share saw it.
        let mut sources: Vec<u32> = (0..known as u32).collect();
        for ((row, place), part) in (known as u32..).zip(&places).zip(&other.firsts) {
            let place = *place as usize;
            if place == sources.len() {
                sources.push(row);
                self.firsts.push(*part);
            } else if *part < self.firsts[place] {
                sources[place] = row;
                self.firsts[place] = *part;
            }
        }
        let own = self.keys.iter_mut().chain(&mut self.bare);
        for (own, other) in own.zip(other.keys.iter().chain(&other.bare)) {
            own.check_size(other.text_bytes())?;
            own.append(other);
            *own = own.gather(&sources);
        }
        self.is_empty &= other.is_empty;
        Ok(Merged { places, count: self.len(), has_keys: self.has_keys })
    }

    pub(in crate::execute::batch) fn len(&self) -> usize {
        if self.has_keys { self.table.len() } else { 1 }
    }

    /// About how many bytes of memory they take.
    pub(in crate::execute::batch) fn memory_bytes(&self) -> usize {
        let vectors = self.keys.iter().chain(&self.bare);
        self.table.memory_bytes() + vectors.map(Vector::memory_bytes).sum::<usize>()
    }

    /// The group of each row of a batch; none where there is only one. `bare` are the numbers of
    /// other columns to keep.
    pub(in crate::execute::batch) fn assign(
        &mut self,
        keys: &[Column],
        bare: &[usize],
        batch: &mut Batch,
    ) -> Result<Option<Vec<u32>>> {
        let mut fresh = Vec::new();
        let mut numbers = None;
        if self.has_keys {
            numbers = Some(self.table.assign(keys, &self.collations, batch.rows, &mut fresh)?);
            for (known, column) in self.keys.iter_mut().zip(keys) {
                for row in &fresh {
                    known.check_size(0)?;
                    known.push(column.get(*row as usize));
                }
            }
        } else if self.is_empty {
            fresh.push(0);
        }
        self.is_empty = false;
        if !fresh.is_empty() {
            for (known, number) in self.bare.iter_mut().zip(bare) {
                let column = batch.column(*number)?;
                for row in &fresh {
                    known.check_size(0)?;
                    known.push(column.get(*row as usize));
                }
            }
        }
        Ok(numbers)
    }

    /// The groups of rows, or [`NONE`](crate::execute::batch::keys::NONE).
    pub(in crate::execute::batch) fn find_all(
        &self,
        keys: &[Column],
        rows: usize,
    ) -> Result<Vec<u32>> {
        self.table.find_all(keys, &self.collations, rows)
    }

    /// No row came: the one group of nothing has no row either.
    pub(in crate::execute::batch) fn finish(&mut self) {
        if self.is_empty && !self.has_keys {
            self.bare.iter_mut().for_each(Vector::push_null);
        }
    }

    /// The groups in the order of their keys.
    pub(in crate::execute::batch) fn ordered(&self) -> Result<Vec<u32>> {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(self.len());
        if !self.has_keys {
            return Ok(vec![0]);
        }
        if let [key] = self.keys.as_slice()
            && key.seen() == Tags::INTEGER
        {
            // Groups often come in the order of their keys, which this sort makes use of.
            let mut groups: Vec<(i64, u32)> =
                key.bits().iter().map(|bits| *bits as i64).zip(0..).collect();
            groups.sort_by_key(|(key, _)| *key);
            return Ok(groups.into_iter().map(|(_, group)| group).collect());
        }
        for group in 0..self.len() {
            for (key, collation) in self.keys.iter().zip(&self.collations) {
                push_group_key(key.get(group), *collation, &mut bytes)?;
            }
            ends.push(bytes.len());
        }
        Ok(order_of_keys(&bytes, &ends, SortHelp::default()))
    }
}

// Neighbours: `aggregate`, `keys`.
