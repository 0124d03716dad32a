//! Random histories: what transactions read and wrote, and the circles that a level forbids.
//!
//! Every write has a value of its own, so that each read names its writer. From a history comes
//! Adya's graph: who overwrote whom (`ww`), who read from whom (`wr`), who overwrote what was
//! read (`rw`); a scan reads every key of its range, the missing ones too, so a phantom is an `rw`
//! edge. Ranges are read forwards and backwards, to their end and until something is found, at
//! once and by a cursor that goes on after other statements.
//! Forbidden are circles of `ww` at every level, of `ww` and `wr` from READ COMMITTED on, with
//! exactly one `rw` from SNAPSHOT on, and all of them at SERIALIZABLE. `PANDODB_HISTORIES`
//! multiplies the number of histories, `PANDO_SEED_START` is the first seed.
//! Neighbours: `isolation_tests` has one of each by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use fastrand::Rng;
use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_ds::sync::{Arc, thread};

use crate::heads::MAIN;
use crate::transaction::tests::{T, in_memory};
use crate::{BeginOptions, Cursor, Isolation, Manager, Result, Transaction};

const KEYS: u8 = 5;

/// One transaction's part of a history.
#[derive(Clone, Debug, Default)]
struct Recorded {
    /// None: it was rolled back.
    commit: Option<u64>,
    /// Key and the value that was there, if any; own writes left out.
    reads: Vec<(u8, Option<u64>)>,
    /// Key and value, in order.
    writes: Vec<(u8, u64)>,
}

/// A transaction that runs and is recorded.
struct Running {
    transaction: Transaction,
    recorded: Recorded,
    steps_left: u8,
    /// A cursor that stands behind all keys up to here.
    open: Option<(Cursor, u8)>,
}

impl Running {
    fn begin(manager: &Manager, level: Isolation, rng: &mut Rng) -> Self {
        let transaction = manager.begin(MAIN, BeginOptions::at(level)).unwrap();
        Self { transaction, recorded: Recorded::default(), steps_left: rng.u8(1..6), open: None }
    }

    /// One statement.
    fn step(&mut self, rng: &mut Rng, next_value: &AtomicU64) -> Result<()> {
        self.steps_left -= 1;
        let key = rng.u8(..KEYS);
        self.transaction.refresh()?;
        match rng.u8(..9) {
            0 | 1 if self.open.is_some() => self.go_on()?,
            0 => self.scan(rng)?,
            1 if self.transaction.isolation() >= Isolation::Snapshot => {
                self.open = Some((self.transaction.cursor(T)?, 0));
                self.go_on()?;
            }
            1 => self.scan(rng)?,
            2..=4 => {
                let found = self.transaction.get(T, &[key])?;
                self.read(key, found.as_deref().map(number));
            }
            5 => {
                // A statement that reads what it writes.
                self.transaction.prepare_write()?;
                let found = self.transaction.get(T, &[key])?;
                self.read(key, found.as_deref().map(number));
                self.write(key, next_value)?;
            }
            _ => {
                self.transaction.prepare_write()?;
                self.write(key, next_value)?;
            }
        }
        Ok(())
    }

    /// Reads the keys of a range, or those up to the first that is there.
    fn scan(&mut self, rng: &mut Rng) -> Result<()> {
        let (from, to) = (rng.u8(..KEYS), rng.u8(..KEYS));
        let (from, to) = (from.min(to), from.max(to) + 1);
        let stops = rng.bool();
        let mut cursor = self.transaction.cursor(T)?;
        if rng.bool() {
            cursor.limit(&[from], Some(&[to]));
        }
        let mut keys: Vec<u8> = (from..to).collect();
        let is_backward = rng.bool();
        let mut more = if is_backward {
            keys.reverse();
            cursor.seek_before(Some(&[to]))?
        } else {
            cursor.seek(&[from])?
        };
        for key in keys {
            let is_here = more && cursor.key() == [key];
            let value = if is_here { cursor.value()?.map(|value| number(&value)) } else { None };
            self.read(key, value);
            if is_here && stops {
                break;
            }
            if is_here {
                more = if is_backward { cursor.previous()? } else { cursor.next()? };
            }
        }
        Ok(())
    }

    /// Reads on to the next key that is there, by a cursor from an earlier statement.
    fn go_on(&mut self) -> Result<()> {
        let Some((mut cursor, from)) = self.open.take() else { return Ok(()) };
        let found = if from == 0 { cursor.first()? } else { cursor.next()? };
        let to = if found { cursor.key()[0] } else { KEYS };
        for key in from..to {
            self.read_before(key, None);
        }
        if found {
            self.read_before(to, cursor.value()?.map(|value| number(&value)));
            self.open = Some((cursor, to + 1));
        }
        Ok(())
    }

    /// What was there when a cursor was made, which may be before an own write.
    fn read_before(&mut self, key: u8, value: Option<u64>) {
        if self.recorded.writes.iter().all(|(written, _)| *written != key) {
            self.recorded.reads.push((key, value));
        }
    }

    fn read(&mut self, key: u8, value: Option<u64>) {
        let own = self.recorded.writes.iter().rev().find(|(written, _)| *written == key);
        match own {
            Some((_, own)) => assert_eq!(value, Some(*own), "a transaction sees its own writes"),
            None => self.recorded.reads.push((key, value)),
        }
    }

    fn write(&mut self, key: u8, next_value: &AtomicU64) -> Result<()> {
        let value = next_value.fetch_add(1, Ordering::Relaxed);
        self.transaction.put(T, &[key], &value.to_be_bytes())?;
        self.recorded.writes.push((key, value));
        Ok(())
    }

    fn end(mut self, rng: &mut Rng) -> Recorded {
        if rng.u8(..8) == 0 {
            self.transaction.rollback();
        } else {
            match self.transaction.commit() {
                Ok(commit) => self.recorded.commit = Some(commit.0),
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        }
        self.recorded
    }
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().unwrap())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Ww,
    Wr,
    Rw,
}

/// The dependencies of the committed transactions of a history.
struct Graph {
    edges: Vec<Vec<(usize, Edge)>>,
}

impl Graph {
    /// Checks the reads and draws the graph.
    fn new(history: &[Recorded], level: Isolation) -> Self {
        let mut committed: Vec<&Recorded> =
            history.iter().filter(|recorded| recorded.commit.is_some()).collect();
        committed.sort_by_key(|recorded| recorded.commit);
        // The versions of each key in commit order, and who made each value.
        let mut versions: HashMap<u8, Vec<(u64, usize)>> = HashMap::new();
        for (index, recorded) in committed.iter().enumerate() {
            let last: BTreeMap<u8, u64> = recorded.writes.iter().copied().collect();
            for (key, value) in last {
                versions.entry(key).or_default().push((value, index));
            }
        }
        let mut edges = vec![Vec::new(); committed.len()];
        for made in versions.values() {
            for pair in made.windows(2) {
                edges[pair[0].1].push((pair[1].1, Edge::Ww));
            }
        }
        for (reader, recorded) in committed.iter().enumerate() {
            for (key, value) in &recorded.reads {
                let made = versions.get(key).map_or(&[][..], Vec::as_slice);
                let found = value.map(|value| made.iter().position(|(other, _)| *other == value));
                let next = match found {
                    None => made.first(),
                    Some(Some(at)) => {
                        if made[at].1 != reader {
                            edges[made[at].1].push((reader, Edge::Wr));
                        }
                        made.get(at + 1)
                    }
                    Some(None) => {
                        assert!(
                            level == Isolation::ReadUncommitted,
                            "{level:?}: {value:?} of key {key} was never committed"
                        );
                        continue;
                    }
                };
                if let Some((_, overwriter)) = next.filter(|(_, other)| *other != reader) {
                    edges[reader].push((*overwriter, Edge::Rw));
                }
            }
        }
        Self { edges }
    }

    /// Whether `to` is reached from `from` along edges that are `allowed`.
    fn reaches(&self, from: usize, to: usize, allowed: &[Edge]) -> bool {
        let mut seen = vec![false; self.edges.len()];
        let mut work = vec![from];
        while let Some(node) = work.pop() {
            if node == to {
                return true;
            }
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            let next = self.edges[node].iter().filter(|(_, edge)| allowed.contains(edge));
            work.extend(next.map(|(next, _)| *next));
        }
        false
    }

    /// Whether there is a circle through an edge of kind `closing`, otherwise of `rest`.
    fn has_circle(&self, closing: Edge, rest: &[Edge]) -> bool {
        let mut edges = self.edges.iter().enumerate();
        edges.any(|(from, edges)| {
            let mut closing = edges.iter().filter(|(_, edge)| *edge == closing);
            closing.any(|(to, _)| self.reaches(*to, from, rest))
        })
    }

    /// The name of a forbidden circle, if there is one.
    fn forbidden(&self, level: Isolation) -> Option<&'static str> {
        use Edge::{Rw, Wr, Ww};
        if self.has_circle(Ww, &[Ww]) {
            return Some("G0");
        }
        if level != Isolation::ReadUncommitted && self.has_circle(Wr, &[Ww, Wr]) {
            return Some("G1c");
        }
        if level >= Isolation::Snapshot && self.has_circle(Rw, &[Ww, Wr]) {
            return Some("G-single");
        }
        if level == Isolation::Serializable && self.has_circle(Rw, &[Ww, Wr, Rw]) {
            return Some("G2");
        }
        None
    }
}

fn check(history: &[Recorded], level: Isolation, name: &dyn std::fmt::Display) {
    let found = Graph::new(history, level).forbidden(level);
    assert!(found.is_none(), "{name}: {} at {level:?}: {history:#?}", found.unwrap_or_default());
}

fn scale() -> u64 {
    std::env::var("PANDODB_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Four transactions at a time take turns in one thread, in an order that the seed gives.
fn interleaved(level: Isolation, seed: u64, count: usize) -> Vec<Recorded> {
    let manager = in_memory();
    let mut rng = Rng::with_seed(seed);
    let next_value = AtomicU64::new(1);
    let mut history = Vec::new();
    let mut running: Vec<Running> = Vec::new();
    while history.len() < count {
        if running.len() < 4 {
            running.push(Running::begin(&manager, level, &mut rng));
        }
        let at = rng.usize(..running.len());
        let one = &mut running[at];
        if one.steps_left == 0 {
            history.push(running.swap_remove(at).end(&mut rng));
        } else if let Err(error) = one.step(&mut rng, &next_value) {
            assert!(error.is_retryable(), "{error}");
            history.push(running.swap_remove(at).recorded);
        }
    }
    history
}

/// Where the seeds begin.
fn seed_start() -> u64 {
    std::env::var("PANDO_SEED_START").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn check_interleaved(level: Isolation) {
    for seed in (0..500 * scale()).map(|number| seed_start() + number) {
        check(&interleaved(level, seed, 40), level, &format!("seed {seed}"));
    }
}

/// The same with threads that really run at once and wait for each other.
fn check_threads(level: Isolation) {
    for round in 0..scale() {
        let manager = Arc::new(in_memory());
        manager.set_busy_timeout(Duration::from_secs(10));
        let next_value = Arc::new(AtomicU64::new(1));
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (manager, next_value) = (Arc::clone(&manager), Arc::clone(&next_value));
                thread::spawn(move || {
                    let mut rng = Rng::with_seed(seed_start() + round * 4 + number);
                    let mut history = Vec::new();
                    for _ in 0..75 {
                        let mut one = Running::begin(&manager, level, &mut rng);
                        let mut outcome = Ok(());
                        while one.steps_left > 0 && outcome.is_ok() {
                            outcome = one.step(&mut rng, &next_value);
                        }
                        match outcome {
                            Ok(()) => history.push(one.end(&mut rng)),
                            Err(error) => {
                                assert!(error.is_retryable(), "{error}");
                                history.push(one.recorded);
                            }
                        }
                    }
                    history
                })
            })
            .collect();
        let parts = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        check(&parts.collect::<Vec<_>>(), level, &format!("round {round}"));
    }
}

#[test]
fn read_uncommitted_histories_have_no_circle_of_overwrites() {
    check_interleaved(Isolation::ReadUncommitted);
    check_threads(Isolation::ReadUncommitted);
}

#[test]
fn read_committed_histories_have_no_circle_of_information() {
    check_interleaved(Isolation::ReadCommitted);
    check_threads(Isolation::ReadCommitted);
}

#[test]
fn snapshot_histories_have_no_circle_with_one_overwritten_read() {
    check_interleaved(Isolation::Snapshot);
    check_threads(Isolation::Snapshot);
}

#[test]
fn concurrent_histories_have_no_circle_with_one_overwritten_read() {
    check_interleaved(Isolation::Concurrent);
    check_threads(Isolation::Concurrent);
}

#[test]
fn serializable_histories_have_no_circle() {
    check_interleaved(Isolation::Serializable);
    check_threads(Isolation::Serializable);
}

/// The search finds what is there: weaker levels do have the circles of stronger ones.
#[test]
fn weak_levels_have_the_circles_that_strong_ones_forbid() {
    use Edge::{Rw, Wr, Ww};
    let has = |level: Isolation, search: &dyn Fn(&Graph) -> bool| {
        (0..300).any(|seed| search(&Graph::new(&interleaved(level, seed, 40), level)))
    };
    assert!(has(Isolation::ReadCommitted, &|graph| graph.has_circle(Rw, &[Ww, Wr])), "G-single");
    assert!(has(Isolation::Snapshot, &|graph| graph.has_circle(Rw, &[Ww, Wr, Rw])), "G2");
    assert!(has(Isolation::Concurrent, &|graph| graph.has_circle(Rw, &[Ww, Wr, Rw])), "G2");
}
