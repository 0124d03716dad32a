//! Which rows are new, by the bytes of their keys: for DISTINCT, of rows and of arguments.
//!
//! While there is room the answer is given at once. From then on rows with keys that are not known
//! are put aside; at the end the new ones among them are given out as if each had been asked for in
//! its time: every row has a *place*, bytes that stand in the order in which rows are wanted.
//! Neighbours: `files::partition` has the files, `sort` puts what was new in order.

use rustc_hash::FxHashSet;

use super::kept::{RowCodec, push_part, take_part};
use super::materialize::KeptRow;
use super::sort::Sorter;
use crate::error::Result;
use crate::execute::files::partition::{Partitions, may_be_divided};
use crate::execute::memory::Weight;
use crate::execute::{Context, HashedRow};

/// About what the set takes for a key, beside its bytes.
const KEY_BYTES: usize = 48;

/// The keys that were there.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    known: FxHashSet<HashedRow>,
    weight: Weight,
    /// Rows whose keys there is no room for.
    aside: Option<Partitions>,
    codec: RowCodec,
    /// How often the rows that are asked for were put aside.
    depth: u32,
    entry: Vec<u8>,
}

/// What is said of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    New,
    Known,
    /// Nobody knows yet: it is to be put aside.
    Later,
}

impl Fresh {
    /// Whether a key is new; the next time it is not.
    pub(super) fn ask(&mut self, key: &[u8], context: &Context<'_>) -> Result<Answer> {
        if self.known.contains(key) {
            return Ok(Answer::Known);
        }
        if self.aside.is_some() {
            return Ok(Answer::Later);
        }
        self.known.insert(Box::from(key));
        if self.weight.add(key.len() + KEY_BYTES, context)?
            && may_be_divided(self.known.len(), self.depth)
        {
            self.aside = Some(Partitions::new(self.depth));
        }
        Ok(Answer::New)
    }

    /// Whether rows wait in files.
    pub(super) fn has_aside(&self) -> bool {
        self.aside.is_some()
    }

    /// Puts a row aside that nobody knows yet.
    pub(super) fn put_aside(
        &mut self,
        key: &[u8],
        place: &[u8],
        row: &KeptRow,
        context: &Context<'_>,
    ) -> Result<()> {
        let Some(aside) = &mut self.aside else { return Ok(()) };
        self.entry.clear();
        push_part(key, &mut self.entry);
        push_part(place, &mut self.entry);
        self.codec.encode(row, &mut self.entry)?;
        aside.put(key, &[&self.entry], context)
    }

    /// Forgets all keys; none may wait in a file.
    pub(super) fn clear(&mut self, context: &Context<'_>) -> Result<()> {
        self.known.clear();
        self.weight.clear(context)
    }

    /// Ends asking: sorts those of the rows aside that are new among the others.
    pub(super) fn sort_rest(self, sorter: &mut Sorter, context: &Context<'_>) -> Result<()> {
        let Self { known, weight, aside, codec, .. } = self;
        // Rows whose keys are known are in no file.
        drop((known, weight));
        let Some(aside) = aside else { return Ok(()) };
        let mut waiting = aside.into_waiting()?;
        let mut entry = Vec::new();
        while let Some((mut reader, depth)) = waiting.pop() {
            let mut fresh = Self { depth, ..Self::default() };
            while reader.read(&mut entry)? {
                context.tick()?;
                let mut row = entry.as_slice();
                let key = take_part(&mut row)?;
                let place = take_part(&mut row)?;
                match (fresh.ask(key, context)?, &mut fresh.aside) {
                    (Answer::New, _) => sorter.push(place.to_vec(), codec.decode(row)?, context)?,
                    (Answer::Later, Some(aside)) => aside.put(key, &[&entry], context)?,
                    _ => {}
                }
            }
            if let Some(aside) = fresh.aside {
                waiting.extend(aside.into_waiting()?);
            }
        }
        Ok(())
    }
}
