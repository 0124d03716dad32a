//! What a function sees of its call: arguments are values, everything else comes through
//! [`Context`].
//!
//! The clock, randomness and the session's counters are behind [`Session`], so that a
//! statement sees one time and a simulation is reproducible. A call site owns a [`Cache`] (a
//! compiled pattern, a parsed document) that lives as long as its prepared statement.
//!
//! Whether a text is JSON (SQLite calls it a subtype) is not part of a value: it travels
//! beside it, as [`JsonFlags`] of the arguments and a flag of the result. The binder knows
//! which functions can set it ([`super::Function::may_return_json`]), so that a call without
//! such an argument pays nothing. Neighbours: `registry` names the functions, `coerce`
//! converts arguments.

use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use smallvec::SmallVec;

use super::json::DocumentCache;
use crate::error::{Error, ErrorKind, Result};

/// The longest text or blob by default, as in SQLite.
pub const LENGTH_MAX: usize = 1_000_000_000;

/// The longest LIKE or GLOB pattern by default, as in SQLite.
pub const PATTERN_BYTES_MAX: usize = 50_000;

/// The arguments make no sense to the function (SQLite's general error).
#[cold]
pub fn argument_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::User, message)
}

/// A text or blob would be longer than the limit.
#[cold]
pub fn too_big_error() -> Error {
    Error::new(ErrorKind::Limit, "string or blob too big")
}

/// An integer result does not fit 64 bits.
#[cold]
pub fn overflow_error() -> Error {
    Error::new(ErrorKind::User, "integer overflow")
}

/// From how many bytes on memory is asked for so that it can be refused: what is less the process
/// cannot go on without.
const LARGE_BYTES: usize = 1 << 20;

#[cold]
fn memory_error(bytes: usize) -> Error {
    Error::new(ErrorKind::NoMemory, "out of memory")
        .with_hint(format!("there is no room for a text or blob of {bytes} bytes"))
}

/// Refuses to make what there is no memory for. It is asked for and given back, for what cannot be
/// refused where it is made.
pub(crate) fn check_memory(bytes: usize) -> Result<()> {
    if bytes < LARGE_BYTES { Ok(()) } else { room(bytes).map(drop) }
}

/// Room for so many bytes, if there is memory for them.
pub(crate) fn room(bytes: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes).map_err(|_| memory_error(bytes))?;
    Ok(out)
}

/// Makes room for so many more bytes, if there is memory for them.
#[inline]
pub(crate) fn make_room(out: &mut Vec<u8>, bytes: usize) -> Result<()> {
    if out.capacity() - out.len() >= bytes || out.len().saturating_add(bytes) < LARGE_BYTES {
        return Ok(());
    }
    out.try_reserve(bytes).map_err(|_| memory_error(out.len().saturating_add(bytes)))
}

/// Makes room for a value as text.
#[inline]
pub(crate) fn make_room_for(out: &mut Vec<u8>, value: ValueRef<'_>) -> Result<()> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => make_room(out, bytes.len()),
        _ => Ok(()),
    }
}

/// What functions ask of the session and the statement they run in.
pub trait Session {
    /// Milliseconds since 1970-01-01 00:00 UTC; the same during one statement.
    fn now_ms(&self) -> i64;
    /// What local time is ahead of UTC at a UTC time, in seconds.
    fn local_offset_seconds(&self, unix_seconds: i64) -> i64;
    /// Sixty-four random bits.
    fn random(&self) -> u64;
    /// The row id of the session's newest insert.
    fn last_insert_rowid(&self) -> i64;
    /// Rows changed by the newest complete change.
    fn changes(&self) -> i64;
    /// Rows changed since the session began.
    fn total_changes(&self) -> i64;
    /// Whether the statement has run for longer than it may.
    fn is_overdue(&self) -> bool {
        false
    }
    /// Whether LIKE tells small letters from capital ones.
    fn is_like_case_sensitive(&self) -> bool {
        false
    }
    /// Is told of a row that changes.
    fn row_changed(&self, _change: RowChange, _table: &str, _rowid: i64) {}
    /// Whether [`row_changes`](Self::row_changes) wants to be told.
    fn watches_rows(&self) -> bool {
        false
    }
    /// Is told of a row before it changes, with its values.
    fn row_changes(&self, _images: &RowImages<'_>) {}
    /// Whether the application wants the running statement to stop; asked now and then.
    fn is_stopped(&self) -> bool {
        false
    }
    /// Ends a call that takes long, if somebody asked for that or the statement takes too long.
    fn check_stopped(&self) -> Result<()> {
        Ok(())
    }
    /// The longest text or blob in bytes.
    fn length_max(&self) -> usize {
        LENGTH_MAX
    }
    /// The longest LIKE or GLOB pattern in bytes.
    fn pattern_bytes_max(&self) -> usize {
        PATTERN_BYTES_MAX
    }
}

/// How many steps of work (a byte that is looked at, mostly) pass between two looks at whether a
/// call is to end: some milliseconds.
const STEPS: usize = 1 << 21;

/// Bytes that are worked on between two counts of steps.
const PIECE_BYTES: usize = 1 << 18;

/// Lets a call that takes long be ended: it counts its steps here. What is over soon never asks.
pub struct Pace<'a> {
    session: Option<&'a dyn Session>,
    left: usize,
}

impl<'a> Pace<'a> {
    /// Of a call in a session.
    pub fn new(session: &'a dyn Session) -> Self {
        Self { session: Some(session), left: STEPS }
    }

    /// Of what nobody can end.
    pub fn free() -> Self {
        Self { session: None, left: STEPS }
    }

    /// Counts steps of work.
    #[inline]
    pub fn step(&mut self, work: usize) -> Result<()> {
        match self.left.checked_sub(work) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.look(),
        }
    }

    /// The bytes in pieces, each of which counts as a step a byte: for work that looks at each.
    pub fn pieces<'b>(&mut self, bytes: &'b [u8]) -> impl Iterator<Item = Result<&'b [u8]>> {
        bytes.chunks(PIECE_BYTES).map(|piece| self.step(piece.len()).map(|()| piece))
    }

    #[cold]
    fn look(&mut self) -> Result<()> {
        self.left = STEPS;
        self.session.map_or(Ok(()), Session::check_stopped)
    }
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It is new.
    Insert,
    /// It has other values.
    Update,
    /// It is gone.
    Delete,
}

/// A row that is about to change.
#[derive(Clone, Copy, Debug)]
pub struct RowImages<'a> {
    /// What will happen to it.
    pub change: RowChange,
    /// The number of its database.
    pub database: usize,
    /// The name of its table.
    pub table: &'a str,
    /// Its rowid (0 without) and its columns as they are; none of a new row.
    pub old: Option<(i64, &'a [Value])>,
    /// Its rowid (0 without) and its columns as they will be; none of one that goes.
    pub new: Option<(i64, &'a [Value])>,
    /// How many triggers and actions of foreign keys are between the statement and the row.
    pub depth: u32,
}

/// How texts compare under the collation of a call.
pub type Collation<'a> = &'a dyn Fn(&[u8], &[u8]) -> Ordering;

/// SQL's BINARY collation.
pub fn binary_collation(left: &[u8], right: &[u8]) -> Ordering {
    left.cmp(right)
}

/// One flag per argument: whether it is JSON text made by a JSON function.
#[derive(Clone, Debug, Default)]
pub struct JsonFlags(SmallVec<[u64; 1]>);

impl JsonFlags {
    /// No argument is JSON.
    pub fn none() -> Self {
        Self(SmallVec::new())
    }

    /// Marks argument `index` as JSON.
    pub fn set(&mut self, index: usize) {
        let word = index / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (index % 64);
    }

    /// Whether argument `index` is JSON.
    pub fn get(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// The flags of the first 64 arguments as bits.
    pub(crate) fn word(&self) -> u64 {
        self.0.first().copied().unwrap_or(0)
    }

    /// The flags that [`word`](Self::word) told.
    pub(crate) fn of_word(word: u64) -> Self {
        if word == 0 { Self::none() } else { Self(SmallVec::from_elem(word, 1)) }
    }

    /// Unmarks all arguments.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// What a call site keeps from one call to the next.
#[derive(Debug, Default)]
pub struct Cache {
    pub(super) regex: Option<(Vec<u8>, regex::bytes::Regex)>,
    pub(super) json: DocumentCache,
}

/// The surroundings of one call.
pub struct Context<'a> {
    /// The session and statement.
    pub session: &'a dyn Session,
    /// The collation of the call (`min`, `max`, `nullif`).
    pub collation: Collation<'a>,
    /// The memory of the call site.
    pub cache: &'a mut Cache,
    /// Which arguments are JSON.
    pub json_arguments: JsonFlags,
    /// Set by the function where its result is JSON.
    pub json_result: bool,
    /// Where only functions of their arguments are allowed ("an index", "a CHECK constraint",
    /// "a generated column"): what needs the clock or the time zone is then an error.
    pub pure_place: Option<&'static str>,
    /// Noted by functions that used the clock or the time zone.
    pub(super) used_clock: Cell<bool>,
}

impl<'a> Context<'a> {
    /// A context with the BINARY collation and no JSON among the arguments.
    pub fn new(session: &'a dyn Session, cache: &'a mut Cache) -> Self {
        Self {
            session,
            collation: &binary_collation,
            cache,
            json_arguments: JsonFlags::none(),
            json_result: false,
            pure_place: None,
            used_clock: Cell::new(false),
        }
    }

    /// What counts the work of a call.
    pub fn pace(&self) -> Pace<'a> {
        Pace::new(self.session)
    }

    /// Refuses a result of `bytes` bytes that is over the limit.
    pub fn check_length(&self, bytes: usize) -> Result<()> {
        if bytes > self.session.length_max() { Err(too_big_error()) } else { Ok(()) }
    }

    /// A text result, checked against the limit.
    pub fn text(&self, bytes: Vec<u8>) -> Result<Value> {
        self.check_length(bytes.len())?;
        check_memory(bytes.len())?;
        Ok(Value::Text(Arc::from(bytes)))
    }

    /// A blob result, checked against the limit.
    pub fn blob(&self, bytes: Vec<u8>) -> Result<Value> {
        self.check_length(bytes.len())?;
        check_memory(bytes.len())?;
        Ok(Value::Blob(Arc::from(bytes)))
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("json_arguments", &self.json_arguments)
            .field("json_result", &self.json_result)
            .finish_non_exhaustive()
    }
}
