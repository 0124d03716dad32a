//! What the rows of one partition tell its calls: by number, in memory and in a file.
//!
//! Each row has the value of the first ORDER BY term, for frames that count in values, and what
//! each call reads of it. The rows of a partition are asked in any order, those of sliding frames
//! at their two ends. Neighbours: `partition` knows their peers, `kept` the file.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::{Deref, Range};

use pandodb_ds::record::Value;
use smallvec::smallvec;

use super::super::kept::StoredRows;
use super::super::materialize::{KeptRow, values_bytes};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::files::rows::is_worth_a_file;
use crate::execute::memory::Weight;
use crate::execute::{Context, Kept, Scope};
use crate::function::JsonFlags;
use crate::plan::{AggregateCall, WindowNode};
use crate::types::Datum;

/// The rows of a partition.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The first rows: the value of the order, then for each call its flags and arguments.
    rows: VecDeque<Vec<Value>>,
    /// How many rows before them were forgotten.
    gone: usize,
    weight: Weight,
    /// The others, and how many there are.
    stored: Option<RefCell<Box<StoredRows>>>,
    filed: usize,
    /// Where each group of peers begins.
    group_starts: Vec<usize>,
}

/// A row, borrowed or read from the file.
pub(super) enum Member<'a> {
    Kept(&'a [Value]),
    Read(Vec<Value>),
}

/// What a call reads of one row.
pub(super) struct Arguments<'a> {
    pub(super) values: &'a [Value],
    pub(super) json: JsonFlags,
    /// Whether FILTER lets the row in.
    pub(super) passes: bool,
}

impl Deref for Member<'_> {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        match self {
            Self::Kept(values) => values,
            Self::Read(values) => values,
        }
    }
}

/// What a window's calls read of the current row.
pub(super) fn read_of(node: &WindowNode, scope: &Scope<'_>) -> Result<Vec<Value>> {
    let mut values = Vec::with_capacity(places(node).last().map_or(1, |place| place.end));
    values.push(match node.order_by.first() {
        Some(term) => term.value.evaluate(scope)?.into_value(),
        None => Value::Null,
    });
    for call in &node.calls {
        push_arguments(&call.call, scope, &mut values)?;
    }
    Ok(values)
}

fn push_arguments(call: &AggregateCall, scope: &Scope<'_>, values: &mut Vec<Value>) -> Result<()> {
    let passes = match &call.filter {
        Some(filter) => filter.is_true(scope)?,
        None => true,
    };
    let flags = values.len();
    values.push(Value::Null);
    let mut json = JsonFlags::none();
    for (index, argument) in call.arguments.iter().enumerate() {
        if call.function.traits.reads_json {
            let (value, is_json) = argument.evaluate_json(scope)?;
            if is_json {
                json.set(index);
            }
            values.push(value.into_value());
        } else {
            values.push(argument.evaluate(scope).map(Datum::into_value)?);
        }
    }
    values[flags] = Value::Integer((json.word() << 1 | u64::from(passes)) as i64);
    Ok(())
}

/// Where the flags and arguments of each call stand in a row.
pub(super) fn places(node: &WindowNode) -> impl Iterator<Item = Range<usize>> {
    node.calls.iter().scan(1, |next, call| {
        let start = *next;
        *next += 1 + call.call.arguments.len();
        Some(start..*next)
    })
}

impl<'a> Arguments<'a> {
    /// Those that stand at a place of a row.
    pub(super) fn of(member: &'a Member<'_>, place: &Range<usize>) -> Result<Self> {
        match member.get(place.clone()).and_then(<[Value]>::split_first) {
            Some((Value::Integer(flags), values)) => {
                let flags = *flags as u64;
                let json = JsonFlags::of_word(flags >> 1);
                Ok(Self { values, json, passes: flags & 1 == 1 })
            }
            _ => Err(no_member()),
        }
    }
}

#[cold]
pub(super) fn no_member() -> Error {
    Error::new(ErrorKind::Internal, "a row of a window is not what it should be")
}

impl Members {
    /// Adds a row, which may be a peer of the one before.
    pub(super) fn push(
        &mut self,
        values: Vec<Value>,
        is_peer: bool,
        context: &Context<'_>,
    ) -> Result<()> {
        if !is_peer {
            self.group_starts.push(self.len());
            self.weight.add(size_of::<usize>(), context)?;
        }
        if let Some(stored) = &mut self.stored {
            self.filed += 1;
            self.weight.add(size_of::<u64>(), context)?;
            let row = KeptRow(smallvec![Kept::Values { rowid: 0, values }]);
            return stored.get_mut().push(&row);
        }
        let bytes = size_of::<Vec<Value>>() + values_bytes(&values);
        let is_too_much = self.weight.add(bytes, context)?;
        self.rows.push_back(values);
        if is_too_much && is_worth_a_file(&self.weight, context) {
            self.stored = Some(RefCell::new(Box::new(StoredRows::create(context)?)));
        }
        Ok(())
    }

    /// Forgets the rows before one, as far as they are in memory: nobody asks for them again.
    pub(super) fn forget(&mut self, before: usize, context: &Context<'_>) -> Result<()> {
        while self.gone < before
            && let Some(values) = self.rows.pop_front()
        {
            self.gone += 1;
            let bytes = size_of::<Vec<Value>>() + values_bytes(&values);
            self.weight.change(-(bytes as isize), context)?;
        }
        Ok(())
    }

    /// How many there are, with those that were forgotten.
    pub(super) fn len(&self) -> usize {
        self.gone + self.rows.len() + self.filed
    }

    /// Where each group of peers begins.
    pub(super) fn group_starts(&self) -> &[usize] {
        &self.group_starts
    }

    /// A row.
    #[inline]
    pub(super) fn get(&self, number: usize) -> Result<Member<'_>> {
        let number = number.checked_sub(self.gone).ok_or_else(no_member)?;
        if let Some(values) = self.rows.get(number) {
            return Ok(Member::Kept(values));
        }
        let stored = self.stored.as_ref().ok_or_else(no_member)?;
        let row = stored.borrow_mut().get(number - self.rows.len())?.ok_or_else(no_member)?;
        match row.0.into_iter().next() {
            Some(Kept::Values { values, .. }) => Ok(Member::Read(values)),
            _ => Err(no_member()),
        }
    }
}

// Neighbours: `window` makes them, `call` reads them.
