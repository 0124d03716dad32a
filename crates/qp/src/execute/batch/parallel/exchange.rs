//! Scans on several processors: who reads what, and how rows come back in their order.
//!
//! A table is divided by the counts of its tree into *parts* of a few thousand neighbouring rows.
//! Helpers claim one part after the other, run the operators above the scan over it (filters,
//! projections, what the consumer asked for) and put the batches here; the statement's own thread
//! takes them in the order of the parts, and works at a part itself when none is ready. So what
//! consumes the rows sees them in the order in which one thread would have read them: sums,
//! first rows and errors are the same whatever the number of threads.
//!
//! Helpers are scoped threads, made for one operator that reads its whole input ([`feed`]) and
//! gone when it has; a pool would need plans that live as long as the process. Starting one takes
//! some ten microseconds, which is nothing beside the tables that are large enough. How many
//! there may be is a matter of the machine: one budget for the process, of its processors less
//! one, so that many statements at once do not make more threads than there are processors.
//! Neighbours: `helper` is what a helper works with, `scan` reads parts.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pandodb_ds::sync::atomic::{AtomicUsize, Ordering};
use pandodb_ds::sync::{Arc, Condvar, Mutex, OnceLock, thread, wait_for};

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::Run;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::Expression;
use crate::execute::batch::helper::Surroundings;
use crate::execute::batch::program::{Operator, Place, State};
use crate::execute::batch::scan::Divided;
use crate::execute::memory::Charge;
use crate::plan::Node;

/// The most rows of a part.
const PART_ROWS: u64 = 8192;

/// Parts for each thread, so that all end at about the same time.
const PARTS_PER_THREAD: u64 = 8;

/// What a thread may keep of memory: where there is less, one thread does it alone.
const THREAD_BYTES: u64 = 64 << 20;

/// How many bytes of a part wait to be taken before its thread waits, too.
const PART_BYTES: usize = 8 << 20;

/// How long the statement's thread waits before it looks whether it should stop.
pub(in crate::execute::batch) const PATIENCE: Duration = Duration::from_millis(10);

/// Helpers that are at work in this process.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// Parts that helpers have read, for tests that want to know whether there were any.
#[cfg(test)]
static HELPED_PARTS: AtomicUsize = AtomicUsize::new(0);

#[cfg(test)]
pub(in crate::execute::batch) fn helped_parts() -> usize {
    HELPED_PARTS.load(Ordering::Relaxed)
}

/// How many processors there are. The answer is kept: finding it reads files.
pub(crate) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// Notes that a helper did something.
pub(in crate::execute::batch) fn note_help() {
    #[cfg(test)]
    HELPED_PARTS.fetch_add(1, Ordering::Relaxed);
}

/// Helpers of a statement, given back to the process when dropped.
pub(crate) struct Helpers(usize);

impl Helpers {
    pub(crate) fn count(&self) -> usize {
        self.0
    }

    /// As many as are free, `wanted` at most.
    pub(crate) fn take(wanted: usize) -> Option<Self> {
        let most = processors().saturating_sub(1);
        let mut taken = 0;
        // Relaxed: a count that nothing else depends on.
        let _ = BUSY.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |busy| {
            taken = wanted.min(most.saturating_sub(busy));
            Some(busy + taken)
        });
        (taken > 0).then_some(Self(taken))
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        BUSY.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// What is ready of a part.
#[derive(Debug, Default)]
struct Slot {
    /// With what holds their memory on the statement's account.
    batches: VecDeque<(Batch, usize, Charge)>,
    bytes: usize,
    /// How the part ended.
    outcome: Option<Result<()>>,
}

/// What the threads of an exchange share.
#[derive(Debug)]
struct Queue {
    parts: Mutex<Parts>,
    /// Rows were put or taken, a part ended or may be claimed.
    changed: Condvar,
    count: u64,
    /// How far ahead of the consumer parts may be claimed.
    window: u64,
}

#[derive(Debug, Default)]
struct Parts {
    /// The next part that nobody works at, and the one that is given out.
    claimed: u64,
    given: u64,
    /// The parts between them.
    slots: BTreeMap<u64, Slot>,
    /// A part failed: those behind it are not asked for.
    has_failed: bool,
    /// Nobody takes rows any more.
    is_closed: bool,
}

/// What the consumer does next.
enum Turn {
    Take(Batch),
    /// Makes the next rows of its own part, which is the one that is given out.
    Make,
    /// Makes the next rows of its own part, to be given out later.
    MakeAhead,
    /// Begins a part.
    Begin(u64),
    Fail(Error),
    Wait,
    End,
}

impl Queue {
    fn claim(&self, parts: &mut Parts) -> Option<u64> {
        let part = parts.claimed;
        let may = !parts.has_failed
            && !parts.is_closed
            && part < self.count
            && part < parts.given + self.window;
        may.then(|| {
            parts.claimed += 1;
            parts.slots.insert(part, Slot::default());
            part
        })
    }

    /// The next part for a helper; none when there is nothing left to do.
    fn wait_for_part(&self) -> Option<u64> {
        let mut parts = self.parts.lock();
        loop {
            if let Some(part) = self.claim(&mut parts) {
                return Some(part);
            }
            if parts.has_failed || parts.is_closed || parts.claimed >= self.count {
                return None;
            }
            parts = wait_for(&self.changed, parts, PATIENCE).0;
        }
    }

    /// Puts rows of a part; waits while too many are there, if `may_wait`. Whether more are
    /// wanted.
    fn put(
        &self,
        part: u64,
        (batch, bytes, charge): (Batch, usize, Charge),
        may_wait: bool,
    ) -> bool {
        let mut parts = self.parts.lock();
        if let Some(slot) = parts.slots.get_mut(&part) {
            slot.batches.push_back((batch, bytes, charge));
            slot.bytes += bytes;
        }
        self.changed.notify_all();
        while may_wait
            && !parts.is_closed
            && parts.slots.get(&part).is_some_and(|slot| slot.bytes > PART_BYTES)
        {
            parts = wait_for(&self.changed, parts, PATIENCE).0;
        }
        !parts.is_closed
    }

    /// A part has ended.
    fn end(&self, part: u64, outcome: Result<()>) {
        let mut parts = self.parts.lock();
        parts.has_failed |= outcome.is_err();
        if let Some(slot) = parts.slots.get_mut(&part) {
            slot.outcome = Some(outcome);
        }
        self.changed.notify_all();
    }

    /// What the consumer, who works at part `own`, does next.
    fn turn(&self, own: Option<u64>) -> Turn {
        let mut parts = self.parts.lock();
        while parts.given < self.count {
            let given = parts.given;
            if let Some(slot) = parts.slots.get_mut(&given) {
                if let Some((batch, bytes, _)) = slot.batches.pop_front() {
                    slot.bytes -= bytes;
                    self.changed.notify_all();
                    return Turn::Take(batch);
                }
                if let Some(outcome) = slot.outcome.take() {
                    parts.slots.remove(&given);
                    parts.given += 1;
                    self.changed.notify_all();
                    match outcome {
                        Ok(()) => continue,
                        Err(error) => return Turn::Fail(error),
                    }
                }
            }
            match own {
                Some(own) if own == given => return Turn::Make,
                Some(own) if parts.slots.get(&own).is_some_and(|it| it.bytes <= PART_BYTES) => {
                    return Turn::MakeAhead;
                }
                Some(_) => {}
                None => {
                    if let Some(part) = self.claim(&mut parts) {
                        return Turn::Begin(part);
                    }
                    if given >= parts.claimed {
                        // An error has ended it, which was given out already.
                        break;
                    }
                }
            }
            drop(wait_for(&self.changed, parts, PATIENCE));
            return Turn::Wait;
        }
        Turn::End
    }

    fn close(&self) {
        self.parts.lock().is_closed = true;
        self.changed.notify_all();
    }
}

/// Lets helpers end, also where the consumer does not come to an end.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Says that a part failed if its helper ends in the middle of it.
struct Guard<'a>(&'a Queue, Option<u64>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Some(part) = self.1 {
            let error = Error::new(ErrorKind::Internal, "a thread of the statement ended early");
            self.0.end(part, Err(error));
        }
    }
}

/// An operator's rows, read by several threads: what the consumer remembers.
#[derive(Debug)]
pub(in crate::execute::batch) struct Exchange {
    queue: Arc<Queue>,
    divided: Arc<Divided>,
    /// The part that it works at itself.
    own: Option<(u64, State)>,
    /// The state that would read all rows: it holds what is read.
    _whole: State,
}

/// What a helper needs to know of an exchange.
struct Pipeline<'p> {
    operator: &'p Operator,
    node: &'p Node,
    ahead: Ahead<'p>,
    queue: Arc<Queue>,
    divided: Arc<Divided>,
}

/// A batch with what it takes of memory.
fn charged(batch: Batch, run: &Run<'_>) -> Result<(Batch, usize, Charge)> {
    let mut charge = run.outer.context.run.memory().charge();
    let bytes = batch.memory_bytes();
    charge.set(bytes, run.outer.context.settings)?;
    Ok((batch, bytes, charge))
}

impl Exchange {
    /// How many rows there are, about.
    pub(in crate::execute::batch) fn rows(&self) -> u64 {
        self.divided.rows
    }

    /// The next rows, in the order of the table.
    pub(in crate::execute::batch) fn next(
        &mut self,
        operator: &Operator,
        node: &Node,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        loop {
            match self.queue.turn(self.own.as_ref().map(|(part, _)| *part)) {
                Turn::Take(batch) => {
                    run.outer.context.tick_rows(batch.rows)?;
                    return Ok(Some(batch));
                }
                Turn::Begin(part) => {
                    self.own = Some((part, self.divided.part_state(operator, part)?));
                }
                Turn::Make => {
                    if let Some(batch) = self.make(operator, node, run)? {
                        return Ok(Some(batch));
                    }
                }
                Turn::MakeAhead => {
                    let part = self.own.as_ref().map_or(0, |(part, _)| *part);
                    // What fails is told when its turn comes.
                    match self
                        .make(operator, node, run)
                        .and_then(|made| made.map(|batch| charged(batch, run)).transpose())
                    {
                        Ok(None) => {}
                        Ok(Some(made)) => {
                            self.queue.put(part, made, false);
                        }
                        Err(error) => {
                            self.own = None;
                            self.queue.end(part, Err(error));
                        }
                    }
                }
                Turn::Fail(error) => return Err(error),
                Turn::Wait => run.outer.context.tick_rows(usize::MAX)?,
                Turn::End => return Ok(None),
            }
        }
    }

    /// The next rows of the own part; it ends with none.
    fn make(
        &mut self,
        operator: &Operator,
        node: &Node,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        let Some((part, state)) = &mut self.own else { return Ok(None) };
        let made = operator.next(node, state, run)?;
        if made.is_none() {
            self.queue.end(*part, Ok(()));
            self.own = None;
        }
        Ok(made)
    }
}

impl Pipeline<'_> {
    /// Makes the rows of one part.
    fn run_part(&self, part: u64, run: &mut Run<'_>) -> Result<()> {
        let mut state = self.divided.part_state(self.operator, part)?;
        while let Some(mut batch) = self.operator.next(self.node, &mut state, run)? {
            batch.force(self.ahead.columns)?;
            for expression in self.ahead.expressions {
                if matches!(expression, Expression::Kept(..)) {
                    expression.evaluate(&mut batch, run)?;
                }
            }
            if !self.queue.put(part, charged(batch, run)?, true) {
                break;
            }
        }
        Ok(())
    }

    /// Works at parts as long as there are any.
    fn help(&self, surroundings: &Surroundings<'_>) {
        surroundings.run(|run| {
            while let Some(part) = self.queue.wait_for_part() {
                let mut guard = Guard(&self.queue, Some(part));
                let outcome = self.run_part(part, run);
                guard.1 = None;
                self.queue.end(part, outcome);
                note_help();
            }
        });
    }
}

/// What helpers do beside reading: columns that are decoded and expressions that are computed.
#[derive(Clone, Copy, Default)]
pub(in crate::execute::batch) struct Ahead<'a> {
    pub(in crate::execute::batch) columns: &'a [usize],
    pub(in crate::execute::batch) expressions: &'a [&'a Expression],
}

/// How many helpers a statement may have; none where one thread does its work.
pub(in crate::execute::batch) fn wanted_helpers(run: &Run<'_>) -> Option<usize> {
    let settings = run.outer.context.settings;
    let threads = (settings.threads as usize).min(processors());
    let kept = run.outer.context.run.memory().bytes() as u64;
    let memory = settings.memory_most().saturating_sub(kept);
    (threads > 1 && memory / (threads as u64) >= THREAD_BYTES).then(|| threads - 1)
}

/// The parts of a table that the statement's thread and helpers read.
pub(in crate::execute::batch) fn divide(
    place: &Place<'_, '_>,
    helpers: &Helpers,
) -> Result<Option<Divided>> {
    let parts = (helpers.0 as u64 + 1) * PARTS_PER_THREAD;
    place.divide(|rows| (rows / parts).clamp(1, PART_ROWS))
}

/// Runs `work`, which reads all rows of an operator through its state, with helpers where the
/// tables are large. They do what is `ahead` for it as well.
pub(in crate::execute::batch) fn feed<T>(
    (operator, node): (&Operator, &Node),
    ahead: Ahead<'_>,
    state: &mut State,
    run: &mut Run<'_>,
    work: impl FnOnce(&mut State, &mut Run<'_>) -> Result<T>,
) -> Result<T> {
    let Some(wanted) = wanted_helpers(run) else { return work(state, run) };
    let Some(place) = operator.divisible(node, state, run)? else { return work(state, run) };
    let Some(helpers) = Helpers::take(wanted) else { return work(state, run) };
    let is_own = std::ptr::eq(place.operator, operator);
    let Some(divided) = divide(&place, &helpers)? else { return work(state, run) };
    let divided = Arc::new(divided);
    let queue = Arc::new(Queue {
        parts: Mutex::default(),
        changed: Condvar::new(),
        count: divided.parts(),
        window: 3 * (helpers.0 as u64 + 1),
    });
    let pipeline = Pipeline {
        operator: place.operator,
        node: place.node,
        // They are expressions over the rows of the operator itself.
        ahead: if is_own { ahead } else { Ahead::default() },
        queue: Arc::clone(&queue),
        divided: Arc::clone(&divided),
    };
    let nothing = State::Source(crate::execute::batch::source::SourceState::default());
    let whole = std::mem::replace(place.state, nothing);
    let exchange = Exchange { queue: Arc::clone(&queue), divided, own: None, _whole: whole };
    *place.state = State::Exchange(Box::new(exchange));
    let surroundings = Surroundings::of(run);
    thread::scope(|scope| {
        let _closing = Closing(&queue);
        for _ in 0..helpers.0 {
            let builder = thread::Builder::new().name("pando-scan".to_owned());
            // Without a thread its work stays with the others.
            let _ = builder.spawn_scoped(scope, || pipeline.help(&surroundings));
        }
        work(state, run)
    })
}

// Neighbours: `helper`, `scan`, `program`.
