//! Rows known by their keys: which rows of batches have equal ones.
//!
//! A table gives out numbers, from zero, in the order in which keys come. Integers (and the reals
//! that equal them) have a table of their own, small ones an array; any other key is the bytes
//! of its values, equal where SQL finds them equal (see `execute::key`). Neighbours: `groups`,
//! `join` and `distinct` use these.

use pandodb_ds::record::number::real_is_integer;
use pandodb_ds::record::{Collation, ValueRef};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

use super::expression::Column;
use super::vector::Tags;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::push_group_key;

/// No number yet.
pub(super) const NONE: u32 = u32::MAX;

/// Integers up to here are found by an array.
const SMALL: usize = 1 << 16;

/// Numbers of keys.
#[derive(Debug, Default)]
pub(super) struct KeyTable {
    small: Vec<u32>,
    integers: FxHashMap<i64, u32>,
    others: ByteTable,
    count: u32,
    scratch: Vec<u8>,
}

/// A key of one column.
enum SingleKey {
    Integer(i64),
    /// Its bytes are in the scratch.
    Bytes,
}

impl KeyTable {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    /// About how many bytes of memory it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.small.len() * 4 + self.integers.capacity() * 17 + self.others.memory_bytes()
    }

    /// The numbers of the rows' keys; rows whose key is new are noted in `fresh`.
    pub(super) fn assign(
        &mut self,
        columns: &[Column],
        collations: &[Collation],
        rows: usize,
        fresh: &mut Vec<u32>,
    ) -> Result<Vec<u32>> {
        let mut numbers = Vec::with_capacity(rows);
        if let [Column::Vector(vector)] = columns
            && vector.seen() == Tags::INTEGER
        {
            for (row, bits) in vector.bits().iter().enumerate() {
                let (number, is_new) = self.of_integer(*bits as i64)?;
                if is_new {
                    fresh.push(row as u32);
                }
                numbers.push(number);
            }
            return Ok(numbers);
        }
        for row in 0..rows {
            let (number, is_new) = match self.key_of(columns, collations, row)? {
                SingleKey::Integer(key) => self.of_integer(key)?,
                SingleKey::Bytes => {
                    let (number, is_new) = self.others.insert(&self.scratch, self.count)?;
                    self.count += u32::from(is_new);
                    (number, is_new)
                }
            };
            if is_new {
                fresh.push(row as u32);
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// The number of an integer, and whether it is new.
    #[inline]
    fn of_integer(&mut self, key: i64) -> Result<(u32, bool)> {
        let known = if let Ok(place @ 0..SMALL) = usize::try_from(key) {
            if place >= self.small.len() {
                self.small.resize((place + 1).next_power_of_two(), NONE);
            }
            &mut self.small[place]
        } else {
            self.integers.entry(key).or_insert(NONE)
        };
        let is_new = *known == NONE;
        if is_new {
            *known = self.count;
            self.count =
                self.count.checked_add(1).filter(|count| *count != NONE).ok_or_else(full)?;
        }
        Ok((*known, is_new))
    }

    /// The number of an integer that is there.
    #[inline]
    pub(super) fn find_integer(&self, key: i64) -> Option<u32> {
        let known = match usize::try_from(key) {
            Ok(place @ 0..SMALL) => self.small.get(place).copied(),
            _ => self.integers.get(&key).copied(),
        };
        known.filter(|number| *number != NONE)
    }

    /// The number of a row's key that is there.
    pub(super) fn find(
        &mut self,
        columns: &[Column],
        collations: &[Collation],
        row: usize,
    ) -> Result<Option<u32>> {
        Ok(match self.key_of(columns, collations, row)? {
            SingleKey::Integer(key) => self.find_integer(key),
            SingleKey::Bytes => self.others.find(&self.scratch),
        })
    }

    fn key_of(
        &mut self,
        columns: &[Column],
        collations: &[Collation],
        row: usize,
    ) -> Result<SingleKey> {
        if let [column] = columns {
            match column.get(row) {
                ValueRef::Integer(key) => return Ok(SingleKey::Integer(key)),
                ValueRef::Real(real) => {
                    if let Some(key) = real_is_integer(real) {
                        return Ok(SingleKey::Integer(key));
                    }
                }
                _ => {}
            }
        }
        self.scratch.clear();
        for (column, collation) in columns.iter().zip(collations) {
            push_group_key(column.get(row), *collation, &mut self.scratch)?;
        }
        Ok(SingleKey::Bytes)
    }
}

#[cold]
fn full() -> Error {
    Error::new(ErrorKind::Limit, "a query has more than four thousand million different keys")
}

/// Numbers of keys that are bytes: open addressing over keys that stand one after the other.
#[derive(Debug, Default)]
struct ByteTable {
    /// Places in `entries` by hash; [`NONE`] is free.
    places: Vec<u32>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    number: u32,
    /// Where the key ends; it begins where the one before ends.
    end: usize,
}

impl ByteTable {
    fn memory_bytes(&self) -> usize {
        self.places.capacity() * 4
            + self.entries.capacity() * size_of::<Entry>()
            + self.bytes.capacity()
    }

    fn hash(key: &[u8]) -> u32 {
        let mut hasher = FxHasher::default();
        hasher.write(key);
        let hash = hasher.finish();
        (hash ^ hash >> 32) as u32
    }

    fn key(&self, place: u32) -> &[u8] {
        let place = place as usize;
        let start = if place == 0 { 0 } else { self.entries[place - 1].end };
        &self.bytes[start..self.entries[place].end]
    }

    /// The place of a key, or where it would be.
    fn place_of(&self, key: &[u8], hash: u32) -> Result<u32, usize> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place == NONE {
                return Err(at);
            }
            if self.entries[place as usize].hash == hash && self.key(place) == key {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        let place = self.place_of(key, Self::hash(key)).ok()?;
        Some(self.entries[place as usize].number)
    }

    /// The number of a key, and whether it is new: then it is `number`.
    fn insert(&mut self, key: &[u8], number: u32) -> Result<(u32, bool)> {
        if self.entries.len() * 2 >= self.places.len() {
            self.grow()?;
        }
        let hash = Self::hash(key);
        match self.place_of(key, hash) {
            Ok(place) => Ok((self.entries[place as usize].number, false)),
            Err(at) => {
                if number == NONE {
                    return Err(full());
                }
                self.places[at] = self.entries.len() as u32;
                self.bytes.extend_from_slice(key);
                self.entries.push(Entry { hash, number, end: self.bytes.len() });
                Ok((number, true))
            }
        }
    }

    fn grow(&mut self) -> Result<()> {
        let size = (self.places.len() * 2).max(64);
        if size > 1 << 32 {
            return Err(full());
        }
        self.places.clear();
        self.places.resize(size, NONE);
        for (place, entry) in self.entries.iter().enumerate() {
            let mut at = entry.hash as usize & (size - 1);
            while self.places[at] != NONE {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = place as u32;
        }
        Ok(())
    }
}

// Neighbours: `groups`, `join`.
