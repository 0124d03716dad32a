//! Aggregates: `count`, `min`, `max`, `group_concat`; sums and percentiles in files of their
//! own.
//!
//! States over a sliding window take rows out in the order in which they came. `min` and
//! `max` then keep only rows that can still win: each new row drops those before it that are
//! worse, so that what is left is sorted and the winner stands in front. Neighbours:
//! `descriptor` (the interface), `json::aggregate` (JSON's aggregates).

mod percentile;
mod sum;
pub(super) mod window;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::VecDeque;

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

pub(super) use self::percentile::{Percentile, Shape};
pub(crate) use self::sum::{Result as SumResult, Sum};
use super::call::{Context, make_room_for};
use super::coerce::{compare, push_text};
use super::descriptor::{
    Accumulator, AccumulatorFactory, Aggregate, Arity, Determinism, Function, Implementation,
    Traits,
};
use crate::error::Result;

/// `count(*)` and `count(x)`.
#[derive(Default)]
pub(super) struct Count(i64);

impl Accumulator for Count {
    fn step(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        self.0 += i64::from(args.first().is_none_or(|arg| !arg.is_null()));
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        self.0 -= i64::from(args.first().is_none_or(|arg| !arg.is_null()));
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> Result<Value> {
        Ok(Value::Integer(self.0))
    }
}

/// `min(x)` and `max(x)` of rows that only come. Of equal values the first is kept.
pub(super) struct Extreme {
    better: Ordering,
    best: Value,
}

impl Extreme {
    /// `min`.
    pub(super) fn least() -> Self {
        Self { better: Ordering::Less, best: Value::Null }
    }

    /// `max`.
    pub(super) fn greatest() -> Self {
        Self { better: Ordering::Greater, best: Value::Null }
    }
}

impl Extreme {
    /// Takes a value in; whether it is the best so far.
    fn take(&mut self, context: &Context<'_>, args: &[ValueRef<'_>]) -> bool {
        let Some(&arg) = args.first().filter(|arg| !arg.is_null()) else { return false };
        let wins = self.best.is_null()
            || compare(arg, self.best.as_ref(), context.collation) == self.better;
        if wins {
            self.best = arg.to_owned();
        }
        wins
    }
}

/// Whether what `min(x)` or `max(x)` gives is JSON: 1 or 0.
struct ExtremeSign {
    extreme: Extreme,
    is_json: bool,
}

/// What tells whether the result of `min(x)` (or `max(x)`, the greatest) is JSON: an aggregate of
/// its own, that no statement can name.
pub(crate) fn extreme_sign(greatest: bool) -> Function {
    let (name, new): (_, fn() -> Box<dyn Accumulator>) = if greatest {
        ("max json", || Box::new(ExtremeSign { extreme: Extreme::greatest(), is_json: false }))
    } else {
        ("min json", || Box::new(ExtremeSign { extreme: Extreme::least(), is_json: false }))
    };
    let aggregate = Aggregate { plain: AccumulatorFactory::Native(new), sliding: None };
    Function {
        name: Cow::Borrowed(name),
        arity: Arity::exactly(1),
        determinism: Determinism::Pure,
        traits: Traits { reads_json: true, uses_collation: true, ..Traits::default() },
        usage: "",
        implementation: Implementation::Aggregate(aggregate),
    }
}

impl Accumulator for ExtremeSign {
    fn step(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        if self.extreme.take(context, args) {
            self.is_json = context.json_arguments.get(0);
        }
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> Result<Value> {
        Ok(Value::Integer(i64::from(self.is_json)))
    }

    fn memory_bytes(&self) -> usize {
        self.extreme.memory_bytes()
    }
}

impl Accumulator for Extreme {
    fn step(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        self.take(context, args);
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.best.clone())
    }

    fn memory_bytes(&self) -> usize {
        value_bytes(&self.best)
    }
}

/// `min(x)` and `max(x)` of rows that come and go. Of equal values the last is kept, as in
/// SQLite.
pub(super) struct SlidingExtreme {
    better: Ordering,
    /// Rows that can still win, each with its number, the winner in front.
    candidates: VecDeque<(u64, Value)>,
    came: u64,
    gone: u64,
    bytes: usize,
}

impl SlidingExtreme {
    /// `min`.
    pub(super) fn least() -> Self {
        Self::new(Ordering::Less)
    }

    /// `max`.
    pub(super) fn greatest() -> Self {
        Self::new(Ordering::Greater)
    }

    fn new(better: Ordering) -> Self {
        Self { better, candidates: VecDeque::new(), came: 0, gone: 0, bytes: 0 }
    }
}

impl Accumulator for SlidingExtreme {
    fn step(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        let row = self.came;
        self.came += 1;
        let Some(&arg) = args.first().filter(|arg| !arg.is_null()) else { return Ok(()) };
        while let Some((_, last)) = self.candidates.back()
            && compare(arg, last.as_ref(), context.collation) != self.better.reverse()
        {
            self.bytes -= value_bytes(last);
            self.candidates.pop_back();
        }
        let value = arg.to_owned();
        self.bytes += value_bytes(&value);
        self.candidates.push_back((row, value));
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<()> {
        let row = self.gone;
        self.gone += 1;
        if let Some((first, value)) = self.candidates.front()
            && *first == row
        {
            self.bytes -= value_bytes(value);
            self.candidates.pop_front();
        }
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> Result<Value> {
        Ok(self.candidates.front().map_or(Value::Null, |(_, value)| value.clone()))
    }

    fn memory_bytes(&self) -> usize {
        self.bytes + self.candidates.capacity() * size_of::<(u64, Value)>()
    }
}

/// `group_concat(x [, separator])`: a row's separator stands before it, unless it is first.
#[derive(Default)]
pub(super) struct Concatenation {
    text: Vec<u8>,
    /// Where the text of the rows that are in begins.
    start: usize,
    rows: u64,
    /// Only in states that take rows out.
    separators: Option<Separators>,
}

/// How long separators are, as SQLite keeps it: texts that become empty while rows are in forget
/// the lengths of theirs, and the next text is taken for the first.
#[derive(Default)]
struct Separators {
    /// That of the first row, which stands nowhere but is taken for all until one differs.
    first: usize,
    /// Each row's but the first's, once one differed.
    lengths: Option<VecDeque<usize>>,
    /// A text has come since there was none.
    has_begun: bool,
}

impl Separators {
    /// Notes the separator of a row that comes behind `rows` others.
    fn come(&mut self, length: usize, rows: u64) {
        if !self.has_begun {
            self.first = length;
        } else if self.lengths.is_some() || length != self.first {
            let before = rows.saturating_sub(1) as usize;
            let first = self.first;
            let lengths =
                self.lengths.get_or_insert_with(|| std::iter::repeat_n(first, before).collect());
            lengths.resize(before, first);
            lengths.push_back(length);
        }
        self.has_begun = true;
    }

    /// The length of the separator behind the row that goes; `rows` stay.
    fn go(&mut self, rows: u64) -> usize {
        match &mut self.lengths {
            None => self.first,
            Some(lengths) if rows > 0 => lengths.pop_front().unwrap_or(0),
            Some(_) => 0,
        }
    }
}

impl Concatenation {
    /// A state that takes rows out.
    pub(super) fn sliding() -> Self {
        Self { separators: Some(Separators::default()), ..Self::default() }
    }

    fn is_first(&self) -> bool {
        match &self.separators {
            Some(separators) => !separators.has_begun,
            None => self.rows == 0,
        }
    }
}

impl Accumulator for Concatenation {
    fn step(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        let Some(&arg) = args.first().filter(|arg| !arg.is_null()) else { return Ok(()) };
        let before = self.text.len();
        match args.get(1) {
            None => self.text.push(b','),
            Some(&separator) => {
                make_room_for(&mut self.text, separator)?;
                push_text(separator, &mut self.text);
            }
        }
        let separator = self.text.len() - before;
        if self.is_first() {
            self.text.truncate(before);
        }
        if let Some(separators) = &mut self.separators {
            separators.come(separator, self.rows);
        }
        make_room_for(&mut self.text, arg)?;
        push_text(arg, &mut self.text);
        self.rows += 1;
        context.check_length(self.text.len() - self.start)
    }

    fn inverse(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        let Some(&arg) = args.first().filter(|arg| !arg.is_null()) else { return Ok(()) };
        let Some(separators) = &mut self.separators else { return Ok(()) };
        let mut gone = Vec::new();
        push_text(arg, &mut gone);
        self.rows = self.rows.saturating_sub(1);
        self.start += gone.len() + separators.go(self.rows);
        if self.start >= self.text.len() {
            self.text.clear();
            self.start = 0;
            *separators = Separators { first: separators.first, ..Separators::default() };
        } else if self.start > self.text.len() / 2 {
            // What is gone is cut off once it is the greater part.
            self.text.drain(..self.start);
            self.start = 0;
        }
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> Result<Value> {
        if self.rows == 0 {
            return Ok(Value::Null);
        }
        Ok(Value::Text(Arc::from(&self.text[self.start..])))
    }

    fn memory_bytes(&self) -> usize {
        let lengths = self.separators.as_ref().and_then(|it| it.lengths.as_ref());
        self.text.capacity() + lengths.map_or(0, VecDeque::capacity) * size_of::<usize>()
    }
}

/// The bytes of a value outside itself.
pub(super) fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Text(bytes) | Value::Blob(bytes) => bytes.len(),
        _ => 0,
    }
}
