//! Rows known by their keys: which rows of batches have equal ones.
//!
//! A table gives out numbers, from zero, in the order in which keys come. Integers (and the reals
//! that equal them) have a table of their own, small and dense ones an array, and so have pairs of
//! them; any other key is the bytes of its values, equal where SQL finds them equal (see
//! `execute::key`). Neighbours:
//! `groups`, `join` and `distinct` use these.

use pandodb_ds::record::number::real_is_integer;
use pandodb_ds::record::{Collation, ValueRef};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::expression::Column;
use crate::execute::batch::vector::{Tag, Tags, Vector};
use crate::execute::push_group_key;

/// No number yet.
pub(in crate::execute::batch) const NONE: u32 = u32::MAX;

/// Integers up to here are found by an array; few in tests, so that small tables pass it.
const SMALL: usize = if cfg!(test) { 4 } else { 1 << 16 };

/// So many places of the array there may be for each key, so that dense numbers are found by it
/// however large they are.
const PLACES_PER_KEY: usize = 8;

/// Numbers of keys.
#[derive(Debug, Default)]
pub(in crate::execute::batch) struct KeyTable {
    small: Vec<u32>,
    integers: FxHashMap<i64, u32>,
    pairs: FxHashMap<(i64, i64), u32>,
    others: ByteTable,
    count: u32,
    /// Short texts that came last, with their numbers.
    recent: Recent,
}

/// Keys of short texts that came last, so that those of few groups need not be looked for.
#[derive(Debug, Default)]
struct Recent {
    /// Packed keys and numbers, by their hashes; none yet, or as many as there are places.
    places: Vec<(u128, u32)>,
    /// It found too little to go on.
    is_useless: bool,
}

/// Places of [`Recent`].
const RECENT: usize = 256;

/// Short texts (and NULLs) of a row in one word: each with its length in front. No two keys that
/// differ have the same one, and none is 0, which stands for a key that is too long.
fn packed(columns: &[&Vector], row: usize) -> u128 {
    let (mut word, mut at) = (0_u128, 0);
    for column in columns {
        let (head, text, length) = match column.place(row) {
            Some(place) if place.len() < 16 => {
                let length = place.len() as u32;
                let bytes = &column.all_bytes()[place.start..];
                let text = if let Some(bytes) = bytes.first_chunk::<16>() {
                    u128::from_le_bytes(*bytes)
                } else {
                    let mut chunk = [0; 16];
                    chunk[..bytes.len()].copy_from_slice(bytes);
                    u128::from_le_bytes(chunk)
                };
                (u128::from(length) + 1, text & ((1 << (8 * length)) - 1), length)
            }
            Some(_) => return 0,
            None => (0xff, 0, 0),
        };
        if at + 1 + length > 16 {
            return 0;
        }
        word |= head << (8 * at);
        if length > 0 {
            word |= text << (8 * (at + 1));
        }
        at += 1 + length;
    }
    word
}

impl Recent {
    /// The columns, if rows of them are short texts as a rule.
    fn columns<'c>(&mut self, columns: &'c [Column], rows: usize) -> Option<Vec<&'c Vector>> {
        if self.is_useless || rows == 0 || columns.is_empty() {
            return None;
        }
        let mut vectors = Vec::with_capacity(columns.len());
        let mut bytes = 0;
        for column in columns {
            let Column::Vector(vector) = column else { return None };
            if !vector.seen().only(&[Tag::Text, Tag::Null]) {
                return None;
            }
            bytes += rows + vector.text_bytes();
            vectors.push(&**vector);
        }
        if bytes > 16 * rows {
            return None;
        }
        if self.places.is_empty() {
            self.places = vec![(0, NONE); RECENT];
        }
        Some(vectors)
    }

    fn place(word: u128) -> usize {
        let mixed = (word as u64 ^ (word >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 56) as usize % RECENT
    }
}

/// The keys of some rows, before they are looked for.
#[derive(Debug, Default)]
struct Staged {
    bytes: Vec<u8>,
    keys: Vec<StagedKey>,
}

#[derive(Clone, Copy, Debug)]
enum StagedKey {
    Integer(i64),
    Pair(i64, i64),
    Bytes { start: u32, end: u32, hash: u32 },
}

impl Staged {
    /// The keys of the rows of a batch.
    fn of(columns: &[Column], collations: &[Collation], rows: usize) -> Result<Self> {
        let mut staged = Self { bytes: Vec::new(), keys: Vec::with_capacity(rows) };
        if let ([Column::Vector(vector)], [Collation::Binary]) = (columns, collations)
            && vector.seen().only(&[Tag::Text])
            && memchr::memchr2(0, 1, vector.all_bytes()).is_none()
        {
            // Such texts stand in keys as they are, between what every text has around it.
            let mut around = Vec::new();
            push_group_key(ValueRef::Text(b""), Collation::Binary, &mut around)?;
            staged.bytes.reserve(vector.all_bytes().len() + 2 * rows);
            for row in 0..rows {
                let (before, behind) = around.split_at(1);
                let text = match vector.get(row) {
                    ValueRef::Text(text) => text,
                    _ => &[],
                };
                staged.put(|bytes| {
                    bytes.extend_from_slice(before);
                    bytes.extend_from_slice(text);
                    bytes.extend_from_slice(behind);
                    Ok(())
                })?;
            }
            return Ok(staged);
        }
        for row in 0..rows {
            let integer = |column: &Column| match column.get(row) {
                ValueRef::Integer(key) => Some(key),
                ValueRef::Real(real) => real_is_integer(real),
                _ => None,
            };
            let key = match columns {
                [column] => integer(column).map(StagedKey::Integer),
                [left, right] => {
                    integer(left).and_then(|left| Some(StagedKey::Pair(left, integer(right)?)))
                }
                _ => None,
            };
            if let Some(key) = key {
                staged.keys.push(key);
                continue;
            }
            staged.put(|bytes| {
                for (column, collation) in columns.iter().zip(collations) {
                    push_group_key(column.get(row), *collation, bytes)?;
                }
                Ok(())
            })?;
        }
        Ok(staged)
    }

    /// Adds a key of bytes.
    #[inline]
    fn put(&mut self, push: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
        let start = self.bytes.len();
        push(&mut self.bytes)?;
        let hash = ByteTable::hash(&self.bytes[start..]);
        let end = u32::try_from(self.bytes.len()).map_err(|_| too_long())?;
        self.keys.push(StagedKey::Bytes { start: start as u32, end, hash });
        Ok(())
    }
}

impl KeyTable {
    /// How many keys there are.
    pub(in crate::execute::batch) fn len(&self) -> usize {
        self.count as usize
    }

    /// About how many bytes of memory it takes.
    pub(in crate::execute::batch) fn memory_bytes(&self) -> usize {
        self.small.len() * 4
            + self.integers.capacity() * 17
            + self.pairs.capacity() * 25
            + self.others.memory_bytes()
            + self.recent.places.capacity() * size_of::<(u128, u32)>()
    }

    /// The numbers of the rows' keys; rows whose key is new are noted in `fresh`.
    pub(in crate::execute::batch) fn assign(
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
        if let Some(pairs) = integer_pairs(columns) {
            for (row, pair) in (0..).zip(pairs) {
                let (number, is_new) = self.of_pair(pair)?;
                if is_new {
                    fresh.push(row);
                }
                numbers.push(number);
            }
            return Ok(numbers);
        }
        if let Some(columns) = self.recent.columns(columns, rows) {
            self.assign_short(&columns, collations, (&mut numbers, fresh))?;
            return Ok(numbers);
        }
        let staged = Staged::of(columns, collations, rows)?;
        self.others.touch(&staged);
        for (row, key) in staged.keys.iter().enumerate() {
            let (number, is_new) = match *key {
                StagedKey::Integer(key) => self.of_integer(key)?,
                StagedKey::Pair(left, right) => self.of_pair((left, right))?,
                StagedKey::Bytes { start, end, hash } => {
                    let key = &staged.bytes[start as usize..end as usize];
                    let (number, is_new) = self.others.insert(key, hash, self.count)?;
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

    /// As [`assign`](Self::assign), of texts that are mostly short.
    fn assign_short(
        &mut self,
        columns: &[&Vector],
        collations: &[Collation],
        (numbers, fresh): (&mut Vec<u32>, &mut Vec<u32>),
    ) -> Result<()> {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut misses = 0;
        let mut key = Vec::new();
        for row in 0..rows {
            let word = packed(columns, row);
            let place = Recent::place(word);
            let (known, number) = self.recent.places[place];
            if known == word && word != 0 {
                numbers.push(number);
                continue;
            }
            misses += 1;
            key.clear();
            for (column, collation) in columns.iter().zip(collations) {
                push_group_key(column.get(row), *collation, &mut key)?;
            }
            let (number, is_new) = self.others.insert(&key, ByteTable::hash(&key), self.count)?;
            if is_new {
                self.count += 1;
                fresh.push(row as u32);
            }
            self.recent.places[place] = (word, number);
            numbers.push(number);
        }
        self.recent.is_useless = misses * 2 > rows && rows > RECENT;
        Ok(())
    }

    /// The number of an integer, and whether it is new.
    #[inline]
    fn of_integer(&mut self, key: i64) -> Result<(u32, bool)> {
        let room = SMALL.max(self.count as usize * PLACES_PER_KEY);
        let known = match usize::try_from(key) {
            Ok(place) if place < self.small.len() => &mut self.small[place],
            Ok(place) if place < room => {
                self.widen(place);
                &mut self.small[place]
            }
            _ => self.integers.entry(key).or_insert(NONE),
        };
        let is_new = *known == NONE;
        if is_new {
            *known = self.count;
            self.count =
                self.count.checked_add(1).filter(|count| *count != NONE).ok_or_else(full)?;
        }
        Ok((*known, is_new))
    }

    /// The number of a pair of integers, and whether it is new.
    #[inline]
    fn of_pair(&mut self, key: (i64, i64)) -> Result<(u32, bool)> {
        let known = self.pairs.entry(key).or_insert(NONE);
        let is_new = *known == NONE;
        if is_new {
            *known = self.count;
            self.count =
                self.count.checked_add(1).filter(|count| *count != NONE).ok_or_else(full)?;
        }
        Ok((*known, is_new))
    }

    /// The number of a pair of integers, or [`NONE`].
    #[inline]
    fn find_pair(&self, key: (i64, i64)) -> u32 {
        self.pairs.get(&key).copied().unwrap_or(NONE)
    }

    /// Gives the array a place for an integer, and those integers their places that had none.
    #[cold]
    fn widen(&mut self, place: usize) {
        self.small.resize((place + 1).next_power_of_two(), NONE);
        let small = &mut self.small;
        self.integers.retain(|key, number| {
            let place = usize::try_from(*key).ok().and_then(|place| small.get_mut(place));
            let is_far = place.is_none();
            if let Some(place) = place {
                *place = *number;
            }
            is_far
        });
    }

    /// The number of an integer, or [`NONE`].
    #[inline]
    fn find_integer(&self, key: i64) -> u32 {
        match usize::try_from(key).ok().and_then(|place| self.small.get(place)) {
            Some(number) => *number,
            None => self.integers.get(&key).copied().unwrap_or(NONE),
        }
    }

    /// The numbers of the rows' keys, [`NONE`] for those that are not there.
    pub(in crate::execute::batch) fn find_all(
        &self,
        columns: &[Column],
        collations: &[Collation],
        rows: usize,
    ) -> Result<Vec<u32>> {
        if let [Column::Vector(vector)] = columns
            && vector.seen() == Tags::INTEGER
        {
            return Ok(vector.bits().iter().map(|it| self.find_integer(*it as i64)).collect());
        }
        if let Some(pairs) = integer_pairs(columns) {
            return Ok(pairs.map(|pair| self.find_pair(pair)).collect());
        }
        let staged = Staged::of(columns, collations, rows)?;
        self.others.touch(&staged);
        let find = |key: &StagedKey| match *key {
            StagedKey::Integer(key) => self.find_integer(key),
            StagedKey::Pair(left, right) => self.find_pair((left, right)),
            StagedKey::Bytes { start, end, hash } => {
                self.others.find(&staged.bytes[start as usize..end as usize], hash)
            }
        };
        Ok(staged.keys.iter().map(find).collect())
    }
}

/// The rows of two columns that are all integers.
fn integer_pairs(columns: &[Column]) -> Option<impl Iterator<Item = (i64, i64)>> {
    let [Column::Vector(left), Column::Vector(right)] = columns else { return None };
    let is_integer = |vector: &Vector| vector.seen() == Tags::INTEGER;
    (is_integer(left) && is_integer(right)).then(|| {
        let pairs = left.bits().iter().zip(right.bits());
        pairs.map(|(left, right)| (*left as i64, *right as i64))
    })
}

#[cold]
fn too_long() -> Error {
    Error::new(ErrorKind::Limit, "the keys of a thousand rows take more than four gigabytes")
}

#[cold]
fn full() -> Error {
    Error::new(ErrorKind::Limit, "a query has more than four thousand million different keys")
}

/// Numbers of keys that are bytes: open addressing over keys that stand one after the other.
#[derive(Debug, Default)]
struct ByteTable {
    /// Hashes with places in `entries`; [`NONE`] is free. Most keys that are not there are told
    /// by the hash alone.
    places: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u32,
    /// Where the key ends; it begins where the one before ends.
    end: usize,
}

impl ByteTable {
    fn memory_bytes(&self) -> usize {
        self.places.capacity() * 8
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

    /// Looks at the places of many keys, so that the waits for memory overlap.
    fn touch(&self, staged: &Staged) {
        let mask = self.places.len().wrapping_sub(1);
        let mut seen = 0;
        for key in &staged.keys {
            if let StagedKey::Bytes { hash, .. } = key
                && let Some(place) = self.places.get(*hash as usize & mask)
            {
                seen ^= place.1;
            }
        }
        std::hint::black_box(seen);
    }

    /// The place of a key, or where it would be.
    fn place_of(&self, key: &[u8], hash: u32) -> Result<u32, usize> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (known, place) = self.places[at];
            if place == NONE {
                return Err(at);
            }
            if known == hash && self.key(place) == key {
                return Ok(place);
            }
            at = (at + 1) & mask;
        }
    }

    /// The number of a key, or [`NONE`].
    fn find(&self, key: &[u8], hash: u32) -> u32 {
        if self.places.is_empty() {
            return NONE;
        }
        self.place_of(key, hash).map_or(NONE, |place| self.entries[place as usize].number)
    }

    /// The number of a key, and whether it is new: then it is `number`.
    fn insert(&mut self, key: &[u8], hash: u32, number: u32) -> Result<(u32, bool)> {
        if self.entries.len() * 2 >= self.places.len() {
            self.grow()?;
        }
        match self.place_of(key, hash) {
            Ok(place) => Ok((self.entries[place as usize].number, false)),
            Err(at) => {
                if number == NONE {
                    return Err(full());
                }
                self.places[at] = (hash, self.entries.len() as u32);
                self.bytes.extend_from_slice(key);
                self.entries.push(Entry { number, end: self.bytes.len() });
                Ok((number, true))
            }
        }
    }

    fn grow(&mut self) -> Result<()> {
        let size = (self.places.len() * 2).max(64);
        if size > 1 << 32 {
            return Err(full());
        }
        let before = std::mem::replace(&mut self.places, vec![(0, NONE); size]);
        for (hash, place) in before.into_iter().filter(|(_, place)| *place != NONE) {
            let mut at = hash as usize & (size - 1);
            while self.places[at].1 != NONE {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = (hash, place);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_are_equal_where_their_values_are(
            rows in prop::collection::vec((0..6_i64, 0..6_i64, 0..3_u8), 1..60),
            at in 1..20_usize,
        ) {
            let (mut table, mut model) = (KeyTable::default(), HashMap::new());
            let orders = [Collation::Binary; 2];
            for batch in rows.chunks(at) {
                let column = |place: u8| {
                    let mut vector = Vector::default();
                    for (left, right, kind) in batch {
                        let value = if place == 0 { *left } else { *right };
                        match kind {
                            2 if place == 1 => vector.push(ValueRef::Text(b"x")),
                            1 => vector.push(ValueRef::Real(value as f64)),
                            _ => vector.push(ValueRef::Integer(value)),
                        }
                    }
                    Column::from(vector)
                };
                let columns = [column(0), column(1)];
                let mut fresh = Vec::new();
                let numbers = table.assign(&columns, &orders, batch.len(), &mut fresh).unwrap();
                let mut new = Vec::new();
                let mut expected = Vec::new();
                for (row, (left, right, kind)) in (0..).zip(batch) {
                    let next = model.len() as u32;
                    let key = (*left, if *kind == 2 { None } else { Some(*right) });
                    expected.push(*model.entry(key).or_insert_with(|| {
                        new.push(row);
                        next
                    }));
                }
                prop_assert_eq!(&numbers, &expected);
                prop_assert_eq!(fresh, new);
                let found = table.find_all(&columns, &orders, batch.len()).unwrap();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn integers_keep_their_numbers_whatever_finds_them(
            batches in prop::collection::vec(
                prop::collection::vec(
                    prop_oneof![4 => 0..400_i64, 1 => -9..9_i64, 1 => any::<i64>()],
                    0..40,
                ),
                1..20,
            ),
            absent in prop::collection::vec(0..500_i64, 20),
        ) {
            let (mut table, mut model) = (KeyTable::default(), HashMap::new());
            for batch in &batches {
                let bits = batch.iter().map(|key| *key as u64).collect();
                let column = [Column::from(Vector::of_integers(bits))];
                let (rows, mut fresh) = (batch.len(), Vec::new());
                let numbers =
                    table.assign(&column, &[Collation::Binary], rows, &mut fresh).unwrap();
                let mut new = Vec::new();
                for (row, key) in (0..).zip(batch) {
                    let next = model.len() as u32;
                    if let std::collections::hash_map::Entry::Vacant(entry) = model.entry(*key) {
                        entry.insert(next);
                        new.push(row);
                    }
                }
                let expected: Vec<u32> = batch.iter().map(|key| model[key]).collect();
                prop_assert_eq!(numbers, expected);
                prop_assert_eq!(fresh, new);
            }
            prop_assert_eq!(table.len(), model.len());
            for key in absent.iter().chain(batches.iter().flatten()) {
                prop_assert_eq!(table.find_integer(*key), model.get(key).copied().unwrap_or(NONE));
            }
        }
    }
}

// Neighbours: `groups`, `join`.
