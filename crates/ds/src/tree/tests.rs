//! Trees against `BTreeMap`s: random changes, forks, ranges, counts, cursors, differences,
//! spills and bulk builds, on pages small enough that trees are several levels high.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::codec::Codec;
use crate::space::Space;
use crate::sync::Arc;
use crate::vfs::{MemoryVfs, OpenMode, Vfs};

const PAGE: usize = 1024;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn pager(cache_bytes: usize) -> Arc<Pager> {
    let vfs = MemoryVfs::new();
    let file = vfs.open(Path::new("tree"), OpenMode::CreateNew).unwrap();
    Arc::new(Pager::new(file, Space::new(), cache_bytes, Codec::lz4(), PAGE))
}

#[derive(Clone, Debug)]
enum Step {
    Put(u16, u16),
    PutMany(u16, u8, u16),
    KeepOld(u16, u16),
    Remove(u16),
    RemoveMany(u16, u8),
    RemoveRange(u16, u16),
    Edit(u16, u16, u64),
    Fork,
    SwapFork,
    Spill,
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0u16..4000;
    let step = prop_oneof![
        6 => (key.clone(), 0u16..400).prop_map(|(key, size)| Step::Put(key, size)),
        1 => (key.clone(), 2000u16..4000).prop_map(|(key, size)| Step::Put(key, size)),
        6 => (key.clone(), any::<u8>(), 0u16..90).prop_map(|(k, n, s)| Step::PutMany(k, n, s)),
        1 => (key.clone(), 0u16..50).prop_map(|(key, size)| Step::KeepOld(key, size)),
        3 => key.clone().prop_map(Step::Remove),
        3 => (key.clone(), any::<u8>()).prop_map(|(key, count)| Step::RemoveMany(key, count)),
        2 => (key.clone(), key).prop_map(|(from, to)| Step::RemoveRange(from, to)),
        4 => (0u16..4000, 1u16..900, any::<u64>()).prop_map(|(k, n, s)| Step::Edit(k, n, s)),
        1 => Just(Step::Fork),
        1 => Just(Step::SwapFork),
        2 => Just(Step::Spill),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 1..60)
}

fn key_of(kind: TreeKind, number: u16) -> Vec<u8> {
    match kind {
        TreeKind::Fixed => (u64::from(number) * 3).to_be_bytes().to_vec(),
        TreeKind::Slotted => {
            let tail = "x".repeat(usize::from(number % 7) * 3);
            format!("{}/{number:05}{tail}", number % 3).into_bytes()
        }
    }
}

fn value_of(number: u16, size: u16) -> Vec<u8> {
    let mut value = vec![number as u8; usize::from(size)];
    if let Some(first) = value.first_mut() {
        *first = (number >> 8) as u8;
    }
    value
}

struct Pair {
    tree: Tree,
    model: Model,
}

struct Fixture {
    pager: Arc<Pager>,
    kind: TreeKind,
    ledger: Ledger,
    dirty_bytes: usize,
}

impl Fixture {
    fn new(kind: TreeKind) -> Self {
        let pager = pager(64 * 1024);
        let ledger = pager.ledger();
        Self { pager, kind, ledger, dirty_bytes: 0 }
    }

    fn put(&mut self, pair: &mut Pair, number: u16, size: u16, mode: PutMode) {
        let (key, value) = (key_of(self.kind, number), value_of(number, size));
        let existed = pair.tree.put(&mut self.writer(), &key, &value, mode).unwrap();
        assert_eq!(existed, pair.model.contains_key(&key));
        if mode == PutMode::Replace || !existed {
            pair.model.insert(key, value);
        }
    }

    fn remove(&mut self, pair: &mut Pair, number: u16) {
        let key = key_of(self.kind, number);
        let existed = pair.tree.remove(&mut self.writer(), &key).unwrap();
        assert_eq!(existed, pair.model.remove(&key).is_some());
    }

    /// Up to `count` changes of keys from `first` on: mostly puts, mostly removals, or both.
    fn edit(&mut self, pair: &mut Pair, first: u16, count: u16, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (step, removals) = (random.u16(1..5), random.u8(0..=10));
        let mut edits = Vec::new();
        let mut number = first;
        for _ in 0..count {
            let size = if random.u16(0..300) == 0 { 2500 } else { random.u16(0..60) };
            let value = (random.u8(0..10) >= removals).then(|| value_of(number, size));
            edits.push((key_of(self.kind, number % 4000), value));
            // Sometimes the same key again.
            number += random.u16(0..=step);
        }
        // A stable sort: of one key the last change counts.
        edits.sort_by(|left, right| left.0.cmp(&right.0));
        let mut sorted = edits.iter().map(|(key, value)| Edit { key, value: value.as_deref() });
        pair.tree.edit_sorted(&mut self.writer(), &mut sorted).unwrap();
        for (key, value) in edits {
            match value {
                Some(value) => pair.model.insert(key, value),
                None => pair.model.remove(&key),
            };
        }
        assert_eq!(pair.tree.len(), pair.model.len() as u64);
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer::new(&self.pager, &mut self.ledger, &mut self.dirty_bytes)
    }

    fn apply(&mut self, pair: &mut Pair, step: &Step) {
        match *step {
            Step::Put(number, size) => self.put(pair, number, size, PutMode::Replace),
            Step::PutMany(first, count, size) => {
                for number in first..first + u16::from(count) {
                    self.put(pair, number, size, PutMode::Replace);
                }
            }
            Step::KeepOld(number, size) => self.put(pair, number, size, PutMode::KeepOld),
            Step::Remove(number) => self.remove(pair, number),
            Step::RemoveMany(first, count) => {
                for number in first..first + u16::from(count) {
                    self.remove(pair, number);
                }
            }
            Step::Edit(first, count, seed) => self.edit(pair, first, count, seed),
            Step::RemoveRange(one, other) => {
                let mut ends = [key_of(self.kind, one), key_of(self.kind, other)];
                ends.sort();
                let [from, to] = ends;
                let (lower, upper) = match one % 3 {
                    0 => (Bound::Included(from.as_slice()), Bound::Excluded(to.as_slice())),
                    1 => (Bound::Excluded(from.as_slice()), Bound::Included(to.as_slice())),
                    _ => (Bound::Included(from.as_slice()), Bound::Included(to.as_slice())),
                };
                let inside = |key: &Vec<u8>| {
                    (match lower {
                        Bound::Excluded(from) => key.as_slice() > from,
                        _ => key.as_slice() >= from.as_slice(),
                    }) && match upper {
                        Bound::Excluded(to) => key.as_slice() < to,
                        _ => key.as_slice() <= to.as_slice(),
                    }
                };
                let expected = pair.model.keys().filter(|key| inside(key)).count() as u64;
                assert_eq!(pair.tree.count_range(&self.pager, lower, upper).unwrap(), expected);
                let removed = pair.tree.remove_range(&mut self.writer(), lower, upper).unwrap();
                assert_eq!(removed, expected);
                pair.model.retain(|key, _| !inside(key));
            }
            Step::Spill => pair.tree.spill(&mut self.writer()).unwrap(),
            Step::Clear => {
                let all = (Bound::Unbounded, Bound::Unbounded);
                pair.tree.remove_range(&mut self.writer(), all.0, all.1).unwrap();
                pair.model.clear();
            }
            Step::Fork | Step::SwapFork => {}
        }
    }
}

fn check(pager: &Arc<Pager>, kind: TreeKind, pair: &Pair) {
    let Pair { tree, model } = pair;
    assert_eq!(tree.len(), model.len() as u64);
    let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
    let mut forward = Vec::new();
    let mut more = cursor.first().unwrap();
    while more {
        forward.push((cursor.key(), cursor.value().unwrap().unwrap()));
        more = cursor.next().unwrap();
    }
    assert!(forward.iter().map(|(key, value)| (key, value)).eq(model.iter()));
    let mut backward = Vec::new();
    let mut more = cursor.last().unwrap();
    while more {
        backward.push(cursor.key());
        more = cursor.previous().unwrap();
    }
    assert!(backward.iter().eq(model.keys().rev()));
    for number in (0..4000).step_by(97) {
        let key = key_of(kind, number);
        assert_eq!(tree.get(pager, &key).unwrap().as_ref(), model.get(&key));
        let rank = model.range::<Vec<u8>, _>(..&key).count() as u64;
        assert_eq!(tree.rank(pager, &key).unwrap(), rank);
        assert_eq!(tree.nth_key(pager, rank).unwrap().as_ref(), model.keys().nth(rank as usize));
        assert_eq!(cursor.seek_rank(rank).unwrap(), rank < tree.len());
        let at_least = model.range(key.clone()..).next().map(|(key, _)| key);
        assert_eq!(cursor.seek(&key).unwrap().then(|| cursor.key()).as_ref(), at_least);
        let at_most = model.range(..=key.clone()).next_back().map(|(key, _)| key);
        assert_eq!(cursor.seek_back(&key).unwrap().then(|| cursor.key()).as_ref(), at_most);
    }
}

fn check_diff(pager: &Arc<Pager>, left: &Pair, right: &Pair) {
    let mut expected = Vec::new();
    let keys: std::collections::BTreeSet<_> = left.model.keys().chain(right.model.keys()).collect();
    for key in keys {
        let (old, new) = (left.model.get(key), right.model.get(key));
        if old != new {
            let change = Change { key: key.clone(), old: old.cloned(), new: new.cloned() };
            expected.push(change);
        }
    }
    let found: crate::Result<Vec<Change>> = Diff::new(pager, &left.tree, &right.tree).collect();
    assert_eq!(found.unwrap(), expected);
    let (added, removed, changed) = Diff::new(pager, &left.tree, &right.tree).count().unwrap();
    assert_eq!(added + removed + changed, expected.len() as u64);
    check_parts(pager, left, right, &expected);
}

/// The parts of a diff are the diff: divided by counts, and at keys that may not be there.
fn check_parts(pager: &Arc<Pager>, left: &Pair, right: &Pair, expected: &[Change]) {
    let kind = left.tree.kind();
    let diff = |from: Option<&[u8]>, to: Option<&[u8]>| -> Vec<Change> {
        let diff = Diff::new(pager, &left.tree, &right.tree).between(from, to);
        diff.collect::<crate::Result<_>>().unwrap()
    };
    let by_count = right.tree.dividing_keys(pager, Some(&key_of(kind, 50)), 4).unwrap();
    assert!(by_count.len() < 4 && by_count.is_sorted_by(|one, next| one < next));
    for keys in [by_count, [300, 301, 2000].map(|number| key_of(kind, number)).to_vec()] {
        let keys: Vec<Option<&[u8]>> = keys.iter().map(|key| Some(key.as_slice())).collect();
        let edges = [&[None], keys.as_slice(), &[None]].concat();
        let parts = edges.windows(2).flat_map(|edge| diff(edge[0], edge[1]));
        assert_eq!(parts.collect::<Vec<_>>(), expected);
    }
    let (from, to) = (key_of(kind, 700), key_of(kind, 1500));
    let inside = expected.iter().filter(|change| from <= change.key && change.key < to);
    assert!(diff(Some(&from), Some(&to)).iter().eq(inside));
}

fn run(kind: TreeKind, steps: &[Step]) {
    let mut fixture = Fixture::new(kind);
    let mut pair = Pair { tree: Tree::new(kind), model: Model::new() };
    let mut fork = Pair { tree: Tree::new(kind), model: Model::new() };
    for step in steps {
        match step {
            Step::Fork => {
                check_diff(&fixture.pager, &fork, &pair);
                fork = Pair { tree: pair.tree.clone(), model: pair.model.clone() };
            }
            Step::SwapFork => std::mem::swap(&mut fork, &mut pair),
            step => fixture.apply(&mut pair, step),
        }
    }
    check(&fixture.pager, kind, &pair);
    check(&fixture.pager, kind, &fork);
    check_diff(&fixture.pager, &fork, &pair);
    check_diff(&fixture.pager, &pair, &fork);
    check_pages(&fixture.pager, &pair.tree);
}

/// No page but the root is empty, none is far beyond its size, levels and counts agree.
fn check_pages(pager: &Pager, tree: &Tree) {
    fn visit(pager: &Pager, child: &Child, is_root: bool) -> u64 {
        let node = pager.hold(&child.link).unwrap();
        assert_eq!(node.rows(), child.rows);
        match node.body() {
            crate::page::Body::Leaf(leaf) => {
                assert!(!leaf.is_empty());
                let (used, rows) = (leaf.used_bytes(), leaf.len());
                assert!(used <= PAGE + 300 || rows <= 2, "{used} bytes, {rows} rows");
                leaf.len() as u64
            }
            crate::page::Body::Inner(inner) => {
                assert!(!is_root || inner.len() > 1);
                inner.children().map(|child| visit(pager, child, false)).sum()
            }
        }
    }
    if let Some(root) = tree.root() {
        assert_eq!(visit(pager, root, true), tree.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn trees_of_fixed_keys_behave_like_sorted_maps(steps in steps()) {
        run(TreeKind::Fixed, &steps);
    }

    #[test]
    fn trees_of_any_keys_behave_like_sorted_maps(steps in steps()) {
        run(TreeKind::Slotted, &steps);
    }
}

#[test]
fn bulk_builds_equal_single_puts_and_take_full_pages() {
    for kind in [TreeKind::Fixed, TreeKind::Slotted] {
        for count in [0u16, 1, 2, 30, 700, 4000] {
            let mut fixture = Fixture::new(kind);
            let mut model = Model::new();
            for number in 0..count {
                let size = if number % 500 == 9 { 3000 } else { number % 60 };
                model.insert(key_of(kind, number), value_of(number, size));
            }
            let mut builder = TreeBuilder::new(fixture.writer(), kind);
            for (key, value) in &model {
                builder.push(key, value).unwrap();
            }
            let tree = builder.finish().unwrap();
            let pair = Pair { tree, model };
            check(&fixture.pager, kind, &pair);
            check_pages(&fixture.pager, &pair.tree);
            let survey = survey(&pair.tree, &fixture.pager).unwrap();
            assert!(survey.leaves < 4 || survey.used_bytes > survey.leaves * PAGE as u64 * 8 / 10);
        }
    }
}

/// What was found late: a leaf that grew over the keys of a neighbour that was dropped holds keys
/// that the older tree keeps in that neighbour. Compared by the keys that changed in it alone,
/// such a key was told twice, as one that came and as one that went.
#[test]
fn a_leaf_that_grew_over_a_dropped_neighbour_differs_by_what_both_trees_hold() {
    for kind in [TreeKind::Fixed, TreeKind::Slotted] {
        let mut fixture = Fixture::new(kind);
        let mut old = Pair { tree: Tree::new(kind), model: Model::new() };
        for number in 0..200 {
            fixture.put(&mut old, number, 40, PutMode::Replace);
        }
        let span = survey(&old.tree, &fixture.pager).unwrap();
        assert!(span.leaves > 5, "{span:?}");
        // Wherever leaves end: some of these ranges are a leaf and a part of those beside it.
        for first in (0..150).step_by(3) {
            let mut new = Pair { tree: old.tree.clone(), model: old.model.clone() };
            for number in first..first + 36 {
                fixture.remove(&mut new, number);
            }
            // In the middle one comes back as it was and one otherwise.
            fixture.put(&mut new, first + 18, 40, PutMode::Replace);
            fixture.put(&mut new, first + 17, 30, PutMode::Replace);
            check_diff(&fixture.pager, &old, &new);
            check_diff(&fixture.pager, &new, &old);
        }
    }
}

#[test]
fn bulk_builds_refuse_entries_out_of_order() {
    let mut fixture = Fixture::new(TreeKind::Fixed);
    let mut builder = TreeBuilder::new(fixture.writer(), TreeKind::Fixed);
    builder.push(&7u64.to_be_bytes(), b"").unwrap();
    assert!(builder.push(&7u64.to_be_bytes(), b"").is_err());
    assert!(builder.push(b"short", b"").is_err());
}

#[test]
fn ascending_keys_fill_pages() {
    let mut fixture = Fixture::new(TreeKind::Fixed);
    let mut tree = Tree::new(TreeKind::Fixed);
    for number in 0..5000u64 {
        let writer = &mut fixture.writer();
        tree.put(writer, &number.to_be_bytes(), &[7; 20], PutMode::Replace).unwrap();
    }
    let survey = survey(&tree, &fixture.pager).unwrap();
    assert!(survey.used_bytes > survey.leaves * PAGE as u64 * 9 / 10, "{survey:?}");
}

#[test]
fn a_sorted_load_between_a_few_old_keys_fills_pages() {
    for kind in [TreeKind::Fixed, TreeKind::Slotted] {
        let mut fixture = Fixture::new(kind);
        let mut pair = Pair { tree: Tree::new(kind), model: Model::new() };
        for number in (0..4000).step_by(500) {
            fixture.put(&mut pair, number, 20, PutMode::Replace);
        }
        let mut edits: Vec<_> =
            (0..4000).map(|number| (key_of(kind, number), value_of(number, 20))).collect();
        edits.sort();
        let mut sorted = edits.iter().map(|(key, value)| Edit { key, value: Some(value) });
        pair.tree.edit_sorted(&mut fixture.writer(), &mut sorted).unwrap();
        pair.model.extend(edits.iter().cloned());
        check(&fixture.pager, kind, &pair);
        let survey = survey(&pair.tree, &fixture.pager).unwrap();
        assert!(survey.used_bytes > survey.leaves * PAGE as u64 * 3 / 4, "{kind:?}: {survey:?}");
    }
}

#[test]
fn spilled_trees_hold_no_memory_and_return_their_space() {
    let mut fixture = Fixture::new(TreeKind::Slotted);
    let mut pair = Pair { tree: Tree::new(TreeKind::Slotted), model: Model::new() };
    for number in 0..3000 {
        fixture.put(&mut pair, number, 50, PutMode::Replace);
        if number % 100 == 99 {
            pair.tree.spill(&mut fixture.writer()).unwrap();
            assert!(pair.tree.stored_root().is_some());
        }
    }
    check(&fixture.pager, TreeKind::Slotted, &pair);
    assert!(fixture.pager.cache.counts().bytes <= 64 * 1024);
    drop(fixture.ledger);
    fixture.pager.space.reclaim(u64::MAX).unwrap();
    fixture.pager.space.trim();
    let counts = fixture.pager.space.counts();
    assert_eq!(counts.reachable(), crate::limits::FIRST_GRANULE, "{counts:?}");
}
