//! Work at all rows of a table in shares: every thread keeps something of its own.
//!
//! [`exchange`](super::exchange) gives one consumer the rows in their order. Where what is kept
//! of rows can be put together afterwards (groups, sorted rows), each thread claims one part of
//! the table after the other and takes its rows into a share that nobody else sees; who began
//! this merges the shares. Parts are claimed in ascending order, so that a share's rows come in
//! the order of the table, and each row's part tells which of two shares saw it first.
//!
//! It is an attempt: whatever a thread cannot do alone (an error, too much memory) ends it for
//! all, and the caller begins anew with one consumer, whose errors and files are those of a
//! single thread. Neighbours: `exchange` has the helpers, `scan` the parts.

use pandodb_ds::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use pandodb_ds::sync::{Condvar, Mutex, thread, wait_for};

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::Run;
use crate::execute::batch::exchange::{self, Helpers, PATIENCE};
use crate::execute::batch::helper::Surroundings;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::scan::Divided;
use crate::plan::Node;

/// Which parts are worked at.
struct Claims {
    /// The next part that nobody works at.
    next: AtomicU64,
    count: u64,
    /// Nobody goes on.
    is_stopped: AtomicBool,
    /// Helpers that are at work.
    busy: Mutex<usize>,
    changed: Condvar,
}

/// A helper that is at work.
struct Busy<'a>(&'a Claims);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        *self.0.busy.lock() -= 1;
        self.0.changed.notify_all();
    }
}

/// Ends the helpers, also where the statement's thread does not come to an end.
struct Stopping<'a>(&'a Claims);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Claims {
    // Relaxed, all of them: what threads hand over goes through joining them.
    fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn claim(&self) -> Option<u64> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let part = self.next.fetch_add(1, Ordering::Relaxed);
        (part < self.count).then_some(part)
    }

    /// Waits for the helpers, with an eye on what else concerns the statement.
    fn wait(&self, run: &Run<'_>) -> Result<()> {
        let mut busy = self.busy.lock();
        while *busy > 0 {
            busy = wait_for(&self.changed, busy, PATIENCE).0;
            if *busy > 0 {
                drop(busy);
                run.outer.context.tick_rows(usize::MAX)?;
                busy = self.busy.lock();
            }
        }
        Ok(())
    }
}

/// What each thread does.
struct Task<'p, S, W> {
    operator: &'p Operator,
    divided: Divided,
    claims: Claims,
    start: S,
    work: W,
}

impl<T, S, W> Task<'_, S, W>
where
    S: Fn(&Run<'_>) -> T,
    W: Fn(&mut T, u64, &mut State, &mut Run<'_>) -> Result<bool>,
{
    /// A thread's share; none where it gave up.
    fn share(&self, run: &mut Run<'_>) -> Result<Option<T>> {
        let mut share = (self.start)(run);
        while let Some(part) = self.claims.claim() {
            let done = self
                .divided
                .part_state(self.operator, part)
                .and_then(|mut state| (self.work)(&mut share, part, &mut state, run));
            if !matches!(done, Ok(true)) {
                self.claims.stop();
                return done.map(|_| None);
            }
        }
        Ok(Some(share))
    }
}

/// Lets several threads take all rows of an operator, where its tables are large: each into what
/// `start` makes, by `work`, which is given one part after the other and says whether it can go
/// on. None where it is one thread's to do, from the beginning.
pub(in crate::execute::batch) fn fold<T: Send>(
    (operator, node): (&Operator, &Node),
    state: &mut State,
    run: &mut Run<'_>,
    start: impl Fn(&Run<'_>) -> T + Sync,
    work: impl Fn(&mut T, u64, &mut State, &mut Run<'_>) -> Result<bool> + Sync,
) -> Result<Option<Vec<T>>> {
    let Some(wanted) = exchange::wanted_helpers(run) else { return Ok(None) };
    let Some(place) = operator.divisible(node, state, run)? else { return Ok(None) };
    if !std::ptr::eq(place.operator, operator) {
        return Ok(None);
    }
    let Some(helpers) = Helpers::take(wanted) else { return Ok(None) };
    let Some(divided) = exchange::divide(&place, &helpers)? else { return Ok(None) };
    let count = divided.parts();
    let claims = Claims {
        next: AtomicU64::new(0),
        count,
        is_stopped: AtomicBool::new(false),
        busy: Mutex::new(0),
        changed: Condvar::new(),
    };
    let task = Task { operator, divided, claims, start, work };
    let surroundings = Surroundings::of(run);
    let shares = thread::scope(|scope| -> Result<Vec<Result<Option<T>>>> {
        let _stopping = Stopping(&task.claims);
        let mut threads = Vec::new();
        for _ in 0..helpers.count() {
            *task.claims.busy.lock() += 1;
            let busy = Busy(&task.claims);
            let help = || {
                let _busy = busy;
                let mut share = Ok(None);
                surroundings.run(|run| share = task.share(run));
                exchange::note_help();
                share
            };
            let builder = thread::Builder::new().name("pando-share".to_owned());
            // Without a thread its work stays with the others.
            threads.extend(builder.spawn_scoped(scope, help));
        }
        let mut shares = vec![task.share(run)];
        task.claims.wait(run)?;
        for thread in threads {
            let ended = || Error::new(ErrorKind::Internal, "a thread of the statement ended early");
            shares.push(thread.join().map_err(|_| ended())?);
        }
        Ok(shares)
    })?;
    let is_interrupted =
        |share: &Result<_>| matches!(share, Err(error) if error.kind() == ErrorKind::Interrupted);
    let mut kept = Vec::with_capacity(shares.len());
    let mut is_whole = true;
    for share in shares {
        if is_interrupted(&share) {
            return share.map(|_: Option<T>| None);
        }
        match share {
            Ok(Some(share)) => kept.push(share),
            Ok(None) | Err(_) => is_whole = false,
        }
    }
    Ok(is_whole.then_some(kept))
}

// Neighbours: `exchange`, `helper`.
