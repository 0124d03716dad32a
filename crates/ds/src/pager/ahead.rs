//! Compressing leaves of a transaction while it goes on, on another processor.
//!
//! A change of many rows in the order of keys leaves each page for good before it comes to the
//! next. Such a page is compressed here at once, so that nothing but the writing is left when the
//! transaction spills or commits. Holding a node's count is all that is needed: whoever changes
//! the node after all finds it shared and copies it, as with a snapshot, and what was made of the
//! old one is forgotten. Nobody waits for a leaf that has not been begun: who needs it does it.
//! Neighbours: `team` does the same for new trees, `tree::edit` offers, `tree::spill` takes.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::team::{Ready, processors};
use crate::codec::{self, Codec};
use crate::error::Result;
use crate::page::{Body, Node};
use crate::sync::{Arc, Condvar, Mutex, thread, wait};

/// Leaves that may wait; more are left to whoever writes them.
const WAITING_MAX: usize = 512;

/// From how many leaves on a thread is worth its start.
const WAITING_MIN: usize = if cfg!(loom) { 1 } else { 16 };

/// From how many finished leaves on those are looked for that nobody needs any more.
const DONE_MIN: usize = 1024;

/// The stored form of a leaf.
#[derive(Debug)]
pub struct Made {
    raw: usize,
    stored: Vec<u8>,
    checksum: u32,
    codec: u8,
}

impl Made {
    pub(super) fn new(codec: Codec, node: &Node) -> Result<Self> {
        let mut raw = Vec::new();
        if let Body::Leaf(leaf) = node.body() {
            raw.reserve(leaf.used_bytes());
            leaf.encode(&mut raw);
        }
        let mut stored = Vec::with_capacity(raw.len());
        let codec = codec::compress(codec, &raw, &mut stored)? as u8;
        stored.shrink_to_fit();
        Ok(Self { raw: raw.len(), checksum: crc32fast::hash(&stored), stored, codec })
    }

    pub(super) fn ready(&self) -> Ready<'_> {
        let Self { raw, ref stored, checksum, codec } = *self;
        Ready { raw, stored, checksum, codec }
    }
}

/// A node's place in memory: a name, never followed, of a node that is held beside it.
type Address = usize;

fn address(node: &Arc<Node>) -> Address {
    Arc::as_ptr(node) as usize
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Node>>,
    /// What the thread is at.
    current: Option<Address>,
    done: FxHashMap<Address, (Arc<Node>, Made)>,
    /// How many of them were left when that was done last.
    swept: usize,
    thread: Option<thread::JoinHandle<()>>,
    /// No thread is to be had.
    is_alone: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct Shared {
    codec: Codec,
    state: Mutex<State>,
    /// A leaf came, or the end.
    work: Condvar,
    /// The thread is done with one.
    done: Condvar,
}

/// Leaves that are compressed before they are written.
#[derive(Debug)]
pub struct Ahead(Arc<Shared>);

impl Ahead {
    /// Nothing yet; a thread comes when there is work for it.
    pub fn new(codec: Codec) -> Self {
        let (state, work, done) = (Mutex::default(), Condvar::new(), Condvar::new());
        Self(Arc::new(Shared { codec, state, work, done }))
    }

    /// Offers a leaf that is likely to stay as it is.
    pub fn offer(&self, node: &Arc<Node>) {
        let is_whole = matches!(node.body(), Body::Leaf(leaf) if !leaf.has_edges());
        if !is_whole || self.0.codec == Codec::none() {
            return;
        }
        let mut state = self.0.state.lock();
        if state.is_alone || state.waiting.len() >= WAITING_MAX {
            return;
        }
        // Leaves that are changed again and again would gather here.
        if state.done.len() >= DONE_MIN.max(2 * state.swept) {
            state.sweep();
        }
        state.waiting.push_back(Arc::clone(node));
        if state.waiting.len() >= WAITING_MIN && state.thread.is_none() {
            self.start(&mut state);
        }
        drop(state);
        self.0.work.notify_one();
    }

    fn start(&self, state: &mut State) {
        let shared = Arc::clone(&self.0);
        let builder = thread::Builder::new().name("pando-ahead".to_owned());
        if processors() > 1
            && let Ok(thread) = builder.spawn(move || shared.serve())
        {
            state.thread = Some(thread);
            return;
        }
        // Without a thread the work stays with whoever writes.
        state.is_alone = true;
        state.waiting.clear();
    }

    /// What was made of a leaf; from here on it is held by the caller alone again.
    pub fn take(&self, node: &Arc<Node>) -> Option<Made> {
        let mut state = self.0.state.lock();
        let address = address(node);
        loop {
            if let Some((_, made)) = state.done.remove(&address) {
                return Some(made);
            }
            if state.current != Some(address) {
                let waits = state.waiting.iter().position(|waiting| Arc::ptr_eq(waiting, node));
                if let Some(place) = waits {
                    state.waiting.remove(place);
                }
                return None;
            }
            state = wait(&self.0.done, state);
        }
    }

    /// Forgets leaves that nobody else holds: they were changed, or given up.
    pub fn sweep(&self) {
        self.0.state.lock().sweep();
    }
}

impl State {
    fn sweep(&mut self) {
        self.done.retain(|_, (node, _)| Arc::strong_count(node) > 1);
        self.waiting.retain(|node| Arc::strong_count(node) > 1);
        self.swept = self.done.len();
    }
}

impl Shared {
    /// What the thread does until the end.
    fn serve(&self) {
        let mut state = self.state.lock();
        while !state.is_closed {
            let Some(node) = state.waiting.pop_front() else {
                state = wait(&self.work, state);
                continue;
            };
            let address = address(&node);
            state.current = Some(address);
            drop(state);
            let at_work = AtWork { shared: self, made: None };
            state = at_work.finish(node);
        }
    }
}

/// Ends what the thread is at in any case, so that nobody waits for a thread that panicked.
struct AtWork<'a> {
    shared: &'a Shared,
    made: Option<(Arc<Node>, Made)>,
}

impl<'a> AtWork<'a> {
    fn finish(mut self, node: Arc<Node>) -> crate::sync::MutexGuard<'a, State> {
        // A leaf that cannot be compressed fails again where it is written.
        self.made = Made::new(self.shared.codec, &node).ok().map(|made| (node, made));
        let shared = self.shared;
        drop(self);
        shared.state.lock()
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.current = None;
        if let Some((node, made)) = self.made.take() {
            state.done.insert(address(&node), (node, made));
        }
        drop(state);
        self.shared.done.notify_all();
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.is_closed = true;
        let thread = state.thread.take();
        drop(state);
        self.0.work.notify_all();
        if let Some(thread) = thread {
            // A panic there costs only work that is done again.
            let _ = thread.join();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::format::TreeKind;
    use crate::page::{Cell, Leaf};

    fn node(number: u64) -> Arc<Node> {
        let mut leaf = Leaf::new(TreeKind::Fixed, 4096);
        for key in 0..=(number % 30) {
            let key = (number * 100 + key).to_be_bytes();
            let _ = leaf.push(&key, Cell::inline(&[number as u8; 90]), 4096);
        }
        Arc::new(Node::new(Body::Leaf(leaf)))
    }

    #[test]
    fn what_is_taken_is_what_would_be_written_and_nodes_are_let_go_of() {
        let ahead = Ahead::new(Codec::lz4());
        let mut nodes: Vec<_> = (0..300).map(node).collect();
        for node in &nodes {
            ahead.offer(node);
        }
        for (number, node) in nodes.iter_mut().enumerate() {
            let made = ahead.take(node);
            assert!(Arc::get_mut(node).is_some(), "leaf {number} is still held");
            if let Some(made) = made {
                let expected = Made::new(Codec::lz4(), node);
                assert!(expected.is_ok_and(|expected| expected.stored == made.stored));
            }
        }
        // Once more: some are changed by others, who copy them.
        for node in &nodes {
            ahead.offer(node);
        }
        nodes.truncate(100);
        drop(nodes.split_off(50));
        while ahead.0.state.lock().current.is_some() {
            thread::yield_now();
        }
        ahead.sweep();
        let state = ahead.0.state.lock();
        assert!(state.done.len() + state.waiting.len() <= 51);
    }

    #[test]
    fn one_that_is_dropped_in_the_middle_ends() {
        let ahead = Ahead::new(Codec::lz4());
        let nodes: Vec<_> = (0..300).map(node).collect();
        for node in &nodes {
            ahead.offer(node);
        }
        drop(ahead);
        assert!(nodes.iter().all(|node| Arc::strong_count(node) == 1));
    }
}
