//! Compressing leaves on other processors while the caller goes on.
//!
//! Compressing is most of the work of a bulk load, and leaves know nothing of each other. The
//! caller hands over portions of leaves and takes them back compressed, in the same order.
//! Nobody ever waits for a portion that has not been begun: who needs it does it. So a machine
//! that is busy with other work, or that gives no threads, costs the caller nothing. Only new
//! trees are written in this way; checkpoints run beside readers, whom a second busy thread
//! would take a processor from. Neighbours: `write` places what comes out, `tree::build` asks.

use std::collections::VecDeque;
use std::ops::Range;

use crate::codec::{self, Codec};
use crate::error::{Error, Result};
use crate::page::LeafDraft;
use crate::sync::{Arc, Condvar, Mutex, thread, wait};

/// Leaves of one portion: about a tenth of a millisecond of work for each thread switch.
pub const PORTION_LEAVES: usize = 16;

/// Portions that may be under way before the caller works itself.
const BACKLOG_MAX: usize = 12;

/// The stored forms of some leaves, one behind another.
#[derive(Debug)]
pub struct Compressed {
    pub(super) leaves: Vec<LeafDraft>,
    bytes: Vec<u8>,
    forms: Vec<Form>,
}

/// What became of one leaf.
#[derive(Debug)]
struct Form {
    raw: usize,
    /// Where the stored form is.
    range: Range<usize>,
    checksum: u32,
    codec: u8,
}

/// One leaf, ready to be placed.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub(super) raw: usize,
    pub(super) stored: &'a [u8],
    pub(super) checksum: u32,
    pub(super) codec: u8,
}

impl Compressed {
    fn new(codec: Codec, leaves: Vec<LeafDraft>) -> Result<Self> {
        let (mut raw, mut bytes) = (Vec::new(), Vec::new());
        let mut forms = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            raw.clear();
            leaf.encode(&mut raw);
            let start = bytes.len();
            let codec = codec::compress(codec, &raw, &mut bytes)? as u8;
            let checksum = crc32fast::hash(&bytes[start..]);
            forms.push(Form { raw: raw.len(), range: start..bytes.len(), checksum, codec });
        }
        Ok(Self { leaves, bytes, forms })
    }

    /// The stored forms in the order of the leaves.
    pub(super) fn iter(&self) -> impl Iterator<Item = Ready<'_>> {
        self.forms.iter().map(|form| Ready {
            raw: form.raw,
            stored: &self.bytes[form.range.clone()],
            checksum: form.checksum,
            codec: form.codec,
        })
    }
}

/// Where a portion is.
#[derive(Debug)]
enum Portion {
    Waiting(Vec<LeafDraft>),
    Taken,
    Done(Result<Compressed>),
}

#[derive(Debug, Default)]
struct Queue {
    /// The oldest portion first.
    portions: VecDeque<Portion>,
    /// The number of the oldest one.
    first: u64,
    is_closed: bool,
}

impl Queue {
    /// Takes the oldest portion that nobody has begun.
    fn claim(&mut self) -> Option<(u64, Vec<LeafDraft>)> {
        for (number, portion) in (self.first..).zip(&mut self.portions) {
            if matches!(portion, Portion::Waiting(_))
                && let Portion::Waiting(leaves) = std::mem::replace(portion, Portion::Taken)
            {
                return Some((number, leaves));
            }
        }
        None
    }
}

#[derive(Debug)]
struct Shared {
    codec: Codec,
    queue: Mutex<Queue>,
    /// A portion came, or the end.
    work: Condvar,
    /// A portion is done.
    done: Condvar,
}

impl Shared {
    /// Puts the outcome of a claimed portion in its place.
    fn complete(&self, number: u64, outcome: Result<Compressed>) {
        let mut queue = self.queue.lock();
        let at = number.checked_sub(queue.first).and_then(|at| usize::try_from(at).ok());
        if let Some(portion) = at.and_then(|at| queue.portions.get_mut(at)) {
            *portion = Portion::Done(outcome);
        }
        drop(queue);
        self.done.notify_all();
    }

    fn compress(&self, number: u64, leaves: Vec<LeafDraft>) {
        let mut claim = Claim { shared: self, number, outcome: None };
        claim.outcome = Some(Compressed::new(self.codec, leaves));
    }

    /// What a thread of the team does until the end.
    fn serve(&self) {
        let mut queue = self.queue.lock();
        while !queue.is_closed {
            if let Some((number, leaves)) = queue.claim() {
                drop(queue);
                self.compress(number, leaves);
                queue = self.queue.lock();
            } else {
                queue = wait(&self.work, queue);
            }
        }
    }
}

/// Completes a portion in any case, so that nobody waits for one whose thread panicked.
struct Claim<'a> {
    shared: &'a Shared,
    number: u64,
    outcome: Option<Result<Compressed>>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome.take();
        let outcome = outcome.unwrap_or_else(|| Err(Error::corrupt("compressing a leaf failed")));
        self.shared.complete(self.number, outcome);
    }
}

/// The caller's end of a queue, and the threads at the other.
#[derive(Debug)]
pub struct Team {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
    is_started: bool,
}

impl Team {
    /// A team without threads; they come when there is work for them.
    pub fn new(codec: Codec) -> Self {
        let (work, done) = (Condvar::new(), Condvar::new());
        let shared = Shared { codec, queue: Mutex::new(Queue::default()), work, done };
        Self { shared: Arc::new(shared), threads: Vec::new(), is_started: false }
    }

    /// Hands a portion of leaves over.
    pub fn push(&mut self, leaves: Vec<LeafDraft>) {
        let mut queue = self.shared.queue.lock();
        queue.portions.push_back(Portion::Waiting(leaves));
        let is_much = queue.portions.len() > 1;
        drop(queue);
        if is_much && !self.is_started {
            self.is_started = true;
            self.start();
        }
        self.shared.work.notify_one();
    }

    fn start(&mut self) {
        if self.shared.codec == Codec::none() {
            return;
        }
        for _ in 1..processors() {
            let shared = Arc::clone(&self.shared);
            let builder = thread::Builder::new().name("pando-compress".to_owned());
            // Without a thread its work stays with the caller.
            self.threads.extend(builder.spawn(move || shared.serve()));
        }
    }

    /// The oldest portion, once it is done; to the end with `to_end`, else only while more are
    /// under way than is good.
    pub fn next(&mut self, to_end: bool) -> Option<Result<Compressed>> {
        let mut queue = self.shared.queue.lock();
        loop {
            if matches!(queue.portions.front()?, Portion::Done(_)) {
                queue.first += 1;
                return match queue.portions.pop_front()? {
                    Portion::Done(outcome) => Some(outcome),
                    Portion::Waiting(_) | Portion::Taken => None,
                };
            }
            if !to_end && queue.portions.len() <= BACKLOG_MAX {
                return None;
            }
            if let Some((number, leaves)) = queue.claim() {
                drop(queue);
                self.shared.compress(number, leaves);
                queue = self.shared.queue.lock();
            } else {
                queue = wait(&self.shared.done, queue);
            }
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.queue.lock().is_closed = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            // A panic was noted as the outcome of its portion.
            let _ = thread.join();
        }
    }
}

/// How many processors there are for this. The answer is kept: finding it reads files.
#[cfg(not(loom))]
pub(super) fn processors() -> usize {
    const MOST: usize = 8;
    static PROCESSORS: crate::sync::OnceLock<usize> = crate::sync::OnceLock::new();
    *PROCESSORS
        .get_or_init(|| thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST))
}

/// In a model there is one thread beside the caller.
#[cfg(loom)]
pub(super) fn processors() -> usize {
    2
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::format::TreeKind;
    use crate::page::Cell;

    fn leaf(first: u64) -> LeafDraft {
        let mut leaf = LeafDraft::new(TreeKind::Fixed, 4096);
        for key in 0..=(first % 30) {
            let key = (first * 100 + key).to_be_bytes();
            leaf.push(&key, &Cell::inline(&[first as u8; 90])).unwrap();
        }
        leaf
    }

    fn forms(compressed: &Compressed) -> Vec<(usize, Vec<u8>, u8)> {
        compressed.iter().map(|one| (one.raw, one.stored.to_vec(), one.codec)).collect()
    }

    #[test]
    fn portions_come_back_in_order_and_as_one_thread_makes_them() {
        for threads in 0..4 {
            let leaves = || (0..200).map(leaf).collect::<Vec<_>>();
            let expected = forms(&Compressed::new(Codec::lz4(), leaves()).unwrap());
            let mut team = Team::new(Codec::lz4());
            team.is_started = true;
            for _ in 0..threads {
                let shared = Arc::clone(&team.shared);
                team.threads.push(thread::spawn(move || shared.serve()));
            }
            let mut found = Vec::new();
            let mut leaves = leaves().into_iter().peekable();
            while leaves.peek().is_some() {
                team.push(leaves.by_ref().take(3).collect());
                while let Some(compressed) = team.next(false) {
                    found.extend(forms(&compressed.unwrap()));
                }
            }
            while let Some(compressed) = team.next(true) {
                found.extend(forms(&compressed.unwrap()));
            }
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_team_that_is_dropped_in_the_middle_ends() {
        let mut team = Team::new(Codec::lz4());
        for first in 0..40 {
            team.push(vec![leaf(first)]);
        }
        drop(team);
    }
}
