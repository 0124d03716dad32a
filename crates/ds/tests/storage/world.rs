//! A store with an owner that knows what it must hold: what tests and the simulation drive.
//!
//! The model is a map for every tree of every head, beside it the one of the newest checkpoint.
//! Every step is chosen by the random generator alone, so that a seed repeats a run. Errors of the
//! store come out as they are: whoever injected them knows what they mean. Neighbours:
//! `examples/sim_ds.rs` adds faults, crashes, backups; the tests of this folder take single steps.
#![allow(dead_code, reason = "each user takes what it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::check::check;
use pandodb_ds::checkpoint::{Captured, HeadChange, HeadId};
use pandodb_ds::codec::Codec;
use pandodb_ds::forest::{Forest, TreeId};
use pandodb_ds::format::TreeKind;
use pandodb_ds::space::Ledger;
use pandodb_ds::store::{Pin, Store, StoreOptions};
use pandodb_ds::tree::{PutMode, TreeBuilder, Writer};
use pandodb_ds::vfs::Vfs;
use pandodb_ds::{Error, Result};

pub(crate) type Tree = BTreeMap<Vec<u8>, Vec<u8>>;
pub(crate) type Trees = BTreeMap<u64, Tree>;
pub(crate) type Heads = BTreeMap<u64, Trees>;

const HEADS: u64 = 4;
const TREES: u64 = 3;
const KEYS: u16 = 600;

/// A transaction that stays open over several steps.
struct Open {
    head: u64,
    /// How often the head had changed when the transaction began.
    began_at: u64,
    forest: Forest,
    trees: Trees,
    ledger: Ledger,
    _pin: Pin,
}

/// A store and what it must hold.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) model: Heads,
    /// The model of the newest checkpoint.
    pub(crate) saved: Heads,
    pub(crate) commit: u64,
    heads: BTreeMap<u64, Forest>,
    changed: BTreeSet<u64>,
    /// How often each head changed.
    changes: BTreeMap<u64, u64>,
    open: Option<Open>,
}

pub(crate) fn path() -> &'static Path {
    Path::new("app.pando")
}

/// Small pages, though large enough for deltas: those pay from four granules on.
pub(crate) fn options() -> StoreOptions {
    StoreOptions { page_bytes: 4096, cache_bytes: 128 * 1024, ..StoreOptions::default() }
}

/// Everything that a forest holds, read through cursors.
pub(crate) fn contents(store: &Store, forest: &Forest) -> Result<Trees> {
    let mut trees = Trees::new();
    for id in forest.ids() {
        let mut tree = Tree::new();
        let mut cursor = forest.cursor(store.pager(), id)?;
        let mut more = cursor.first()?;
        while more {
            let value = cursor.value()?;
            tree.insert(cursor.key(), value.ok_or_else(|| Error::corrupt("no value"))?);
            more = cursor.next()?;
        }
        trees.insert(id.0, tree);
    }
    Ok(trees)
}

/// Everything that the newest checkpoint of a store holds.
pub(crate) fn saved_contents(store: &Store) -> Result<Heads> {
    let mut heads = Heads::new();
    for head in store.heads()? {
        heads.insert(head.id.0, contents(store, &store.forest(&head)?)?);
    }
    Ok(heads)
}

/// The problems that the integrity check finds, as an error.
pub(crate) fn check_clean(store: &Store) -> Result<()> {
    let report = check(store, &mut |_| true)?;
    match report.problems.first() {
        None => Ok(()),
        Some(problem) => Err(Error::corrupt(format!("check: {problem}"))),
    }
}

fn key_of(tree: u64, number: u16) -> Vec<u8> {
    match tree {
        0 => u64::from(number).to_be_bytes().to_vec(),
        _ => format!("{:03}/{number:05}", number % 5).into_bytes(),
    }
}

fn value_of(rng: &mut Rng, bytes: usize) -> Vec<u8> {
    let first = rng.u8(..);
    let noise = rng.bool();
    (0..bytes).map(|_| if noise { rng.u8(..) } else { first }).collect()
}

impl World {
    pub(crate) fn open(vfs: &Arc<dyn Vfs>) -> Result<Self> {
        Self::open_with(vfs, path(), &options())
    }

    pub(crate) fn open_with(
        vfs: &Arc<dyn Vfs>,
        path: &Path,
        options: &StoreOptions,
    ) -> Result<Self> {
        Self::open_store(Store::open(vfs, path, options)?)
    }

    /// Opens a file that may claim anything: one of more entries than `most` is an error.
    pub(crate) fn open_at_most(vfs: &Arc<dyn Vfs>, path: &Path, most: usize) -> Result<Self> {
        let store = Store::open(vfs, path, &options())?;
        for head in store.heads()? {
            let forest = store.forest(&head)?;
            for id in forest.ids() {
                let mut cursor = forest.cursor(store.pager(), id)?;
                let mut more = cursor.first()?;
                for entry in 0.. {
                    if !more {
                        break;
                    }
                    if entry == most {
                        return Err(Error::corrupt("too many entries"));
                    }
                    more = cursor.next()?;
                }
            }
        }
        Self::open_store(store)
    }

    fn open_store(store: Store) -> Result<Self> {
        let mut heads = BTreeMap::new();
        for head in store.heads()? {
            heads.insert(head.id.0, store.forest(&head)?);
        }
        let model = saved_contents(&store)?;
        Ok(Self {
            commit: store.saved_commit(),
            saved: model.clone(),
            store,
            model,
            heads,
            changed: BTreeSet::new(),
            changes: BTreeMap::new(),
            open: None,
        })
    }

    fn note_change(&mut self, head: u64) {
        self.changed.insert(head);
        *self.changes.entry(head).or_default() += 1;
    }

    fn publish(&mut self, head: u64, forest: Forest, trees: Trees, ledger: Ledger) {
        self.commit += 1;
        self.store.note_commit(self.commit);
        self.heads.insert(head, forest);
        self.model.insert(head, trees);
        self.note_change(head);
        self.store.adopt(ledger);
    }

    /// Changes a tree of a head in one transaction, which is given up when `publishes` is false.
    pub(crate) fn change<R>(
        &mut self,
        (head, tree): (u64, u64),
        publishes: bool,
        work: impl FnOnce(&mut Forest, &mut Writer<'_>, &mut Tree) -> Result<R>,
    ) -> Result<R> {
        let mut forest = self.heads.get(&head).cloned().unwrap_or_default();
        let mut trees = self.model.get(&head).cloned().unwrap_or_default();
        let mut ledger = self.store.pager().ledger();
        let done = change_forest(&self.store, &mut forest, &mut trees, &mut ledger, tree, work)?;
        if publishes {
            self.publish(head, forest, trees, ledger);
        }
        Ok(done)
    }

    /// Puts `count` keys of `bytes` random bytes each.
    pub(crate) fn put(
        &mut self,
        rng: &mut Rng,
        place: (u64, u64),
        keys: std::ops::Range<u16>,
        bytes: usize,
    ) -> Result<()> {
        self.change(place, true, |forest, writer, model| {
            put_keys(rng, forest, writer, model, place.1, keys, bytes)
        })
    }

    /// Makes the heads durable; when that fails, `saved` is what it was.
    pub(crate) fn checkpoint(&mut self) -> Result<()> {
        let change_of = |head: &u64| match self.heads.get(head) {
            Some(forest) => {
                HeadChange::Put { forest: forest.clone(), note: head.to_le_bytes().to_vec() }
            }
            None => HeadChange::Drop,
        };
        let captured = Captured {
            heads: self.changed.iter().map(|head| (HeadId(*head), change_of(head))).collect(),
            commit: self.commit,
            log_position: self.commit * 10,
        };
        let done = self.store.checkpoint(|| captured)?;
        for (head, forest) in done.heads {
            self.heads.insert(head.0, forest);
        }
        self.changed.clear();
        self.saved = self.model.clone();
        Ok(())
    }

    /// Empties up to about `bytes` of the end of the file; returns how much was moved, or none
    /// where nothing can be given back.
    pub(crate) fn shrink(&mut self, bytes: u64) -> Result<Option<u64>> {
        let Some(mut relocation) = self.store.relocate(bytes)? else { return Ok(None) };
        for head in self.heads.keys().copied().collect::<Vec<_>>() {
            let mut forest = self.heads[&head].clone();
            let (mut ledger, mut dirty_bytes) = (self.store.pager().ledger(), 0);
            let mut writer = Writer::new(self.store.pager(), &mut ledger, &mut dirty_bytes);
            if forest.relocate(&mut writer, &mut relocation)? {
                let trees = self.model.get(&head).cloned().unwrap_or_default();
                self.publish(head, forest, trees, ledger);
            }
        }
        self.checkpoint()?;
        Ok(Some(relocation.moved_bytes()))
    }

    /// A snapshot of a head, and what it must hold for as long as the pin is there.
    pub(crate) fn snapshot(&self, head: u64) -> (Pin, Forest, Trees) {
        (self.store.pin(), self.heads[&head].clone(), self.model[&head].clone())
    }

    pub(crate) fn fork(&mut self, from: u64, to: u64) {
        if let Some(forest) = self.heads.get(&from).cloned() {
            self.heads.insert(to, forest);
            self.model.insert(to, self.model[&from].clone());
            self.note_change(to);
        }
    }

    pub(crate) fn drop_head(&mut self, head: u64) {
        if self.heads.remove(&head).is_some() {
            self.model.remove(&head);
            self.note_change(head);
        }
    }

    fn graft(&mut self, from: u64, to: u64, tree: u64) {
        let source = self.heads.get(&from).and_then(|forest| forest.tree(TreeId(tree)));
        if let Some(source) = source.cloned() {
            let content = self.model[&from][&tree].clone();
            self.heads.entry(to).or_default().set_tree(TreeId(tree), source);
            self.model.entry(to).or_default().insert(tree, content);
            self.note_change(to);
        }
    }

    fn drop_tree(&mut self, head: u64, tree: u64) {
        let Some(forest) = self.heads.get_mut(&head) else { return };
        if forest.drop_tree(TreeId(tree)) {
            self.model.entry(head).or_default().remove(&tree);
            self.note_change(head);
        }
    }

    /// Begins a transaction that stays open; one that was open is given up.
    pub(crate) fn begin(&mut self, head: u64) {
        self.open = Some(Open {
            head,
            began_at: self.changes.get(&head).copied().unwrap_or_default(),
            _pin: self.store.pin(),
            forest: self.heads.get(&head).cloned().unwrap_or_default(),
            trees: self.model.get(&head).cloned().unwrap_or_default(),
            ledger: self.store.pager().ledger(),
        });
    }

    /// Writes in the open transaction and moves its changes to the file.
    pub(crate) fn write_open(&mut self, rng: &mut Rng, tree: u64, bytes: usize) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let first = rng.u16(..KEYS);
        let keys = first..first + rng.u16(1..80);
        let Open { forest, trees, ledger, .. } = &mut open;
        change_forest(&self.store, forest, trees, ledger, tree, |forest, writer, model| {
            put_keys(rng, forest, writer, model, tree, keys, bytes)?;
            forest.spill(writer)
        })?;
        self.open = Some(open);
        Ok(())
    }

    /// Publishes the open transaction, unless its head has moved meanwhile.
    pub(crate) fn end(&mut self) {
        let Some(open) = self.open.take() else { return };
        if self.changes.get(&open.head).copied().unwrap_or_default() == open.began_at {
            self.publish(open.head, open.forest, open.trees, open.ledger);
        }
    }

    /// Does something; tells what.
    pub(crate) fn step(&mut self, rng: &mut Rng) -> Result<&'static str> {
        if rng.u32(..10) == 0 {
            let codecs = [Codec::none(), Codec::lz4(), Codec::zstd(3), Codec::gzip(6)];
            self.store.set_codec(codecs[rng.usize(..codecs.len())]);
        }
        match rng.u32(..100) {
            0..58 => self.step_of_rows(rng),
            58..85 => self.step_of_heads(rng),
            85..97 => self.checkpoint().map(|()| "checkpoint"),
            _ => {
                let bytes = [30_000, 300_000, u64::MAX][rng.usize(..3)];
                self.shrink(bytes).map(|_| "shrink")
            }
        }
    }

    fn step_of_rows(&mut self, rng: &mut Rng) -> Result<&'static str> {
        let place = (rng.u64(..HEADS), rng.u64(..TREES));
        let first = rng.u16(..KEYS);
        let keys = first..first + rng.u16(1..250);
        let few = first..first + rng.u16(1..4);
        match rng.u32(..58) {
            0..20 => self.put(rng, place, keys, 20).map(|()| "put many"),
            20..32 => self.put(rng, place, few, 30).map(|()| "put few"),
            32..36 => {
                let bytes = rng.usize(300..9000);
                self.put(rng, place, few, bytes).map(|()| "put large")
            }
            36 => self.put(rng, place, first..first + 1, 150_000).map(|()| "put huge"),
            37..44 => self.change(place, true, |forest, writer, model| {
                for number in keys {
                    let key = key_of(place.1, number);
                    forest.remove(writer, TreeId(place.1), &key)?;
                    model.remove(&key);
                }
                Ok("remove")
            }),
            44..48 => self.change(place, false, |forest, writer, model| {
                put_keys(rng, forest, writer, model, place.1, keys, 40)?;
                if rng.bool() {
                    forest.spill(writer)?;
                }
                Ok("abandon")
            }),
            48..54 => self.change(place, true, |forest, writer, model| {
                put_keys(rng, forest, writer, model, place.1, keys, 33)?;
                forest.spill(writer)?;
                put_keys(rng, forest, writer, model, place.1, few, 20)?;
                if rng.bool() {
                    forest.spill(writer)?;
                }
                Ok("spill")
            }),
            _ => self.build(rng, place).map(|()| "build"),
        }
    }

    fn step_of_heads(&mut self, rng: &mut Rng) -> Result<&'static str> {
        let (head, other) = (rng.u64(..HEADS), rng.u64(..HEADS));
        let tree = rng.u64(..TREES);
        Ok(match rng.u32(..27) {
            0..2 => {
                self.drop_tree(head, tree);
                "drop tree"
            }
            2..5 => {
                self.graft(head, other, tree);
                "graft"
            }
            5..13 => {
                self.fork(head, other);
                "fork"
            }
            13..15 => {
                self.drop_head(head);
                "drop head"
            }
            15..19 => {
                self.begin(head);
                "begin"
            }
            19..24 => {
                let bytes = if rng.u32(..4) == 0 { 2000 } else { 25 };
                self.write_open(rng, tree, bytes)?;
                "write in open"
            }
            _ => {
                self.end();
                "end"
            }
        })
    }

    /// Replaces a tree by one that is built in order.
    fn build(&mut self, rng: &mut Rng, (head, tree): (u64, u64)) -> Result<()> {
        let mut rows = Tree::new();
        for number in 0..rng.u16(..KEYS) {
            let bytes = if rng.u32(..60) == 0 { 700 } else { 16 };
            rows.insert(key_of(tree, number), value_of(rng, bytes));
        }
        let pager = Arc::clone(self.store.pager());
        let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
        let writer = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
        let mut builder = TreeBuilder::new(writer, kind_of(tree));
        for (key, value) in &rows {
            builder.push(key, value)?;
        }
        let built = builder.finish()?;
        let mut forest = self.heads.get(&head).cloned().unwrap_or_default();
        let mut trees = self.model.get(&head).cloned().unwrap_or_default();
        forest.set_tree(TreeId(tree), built);
        trees.insert(tree, rows);
        self.publish(head, forest, trees, ledger);
        Ok(())
    }

    /// The heads hold what they must, and the file is sound.
    pub(crate) fn verify(&self) -> Result<()> {
        check_clean(&self.store)?;
        for (head, forest) in &self.heads {
            if contents(&self.store, forest)? != self.model[head] {
                return Err(Error::corrupt(format!("head {head} is not what it must be")));
            }
        }
        Ok(())
    }
}

fn kind_of(tree: u64) -> TreeKind {
    if tree == 0 { TreeKind::Fixed } else { TreeKind::Slotted }
}

fn change_forest<R>(
    store: &Store,
    forest: &mut Forest,
    trees: &mut Trees,
    ledger: &mut Ledger,
    tree: u64,
    work: impl FnOnce(&mut Forest, &mut Writer<'_>, &mut Tree) -> Result<R>,
) -> Result<R> {
    if forest.tree(TreeId(tree)).is_none() {
        forest.create_tree(TreeId(tree), kind_of(tree))?;
    }
    let mut dirty_bytes = 0;
    let mut writer = Writer::new(store.pager(), ledger, &mut dirty_bytes);
    work(forest, &mut writer, trees.entry(tree).or_default())
}

fn put_keys(
    rng: &mut Rng,
    forest: &mut Forest,
    writer: &mut Writer<'_>,
    model: &mut Tree,
    tree: u64,
    keys: std::ops::Range<u16>,
    bytes: usize,
) -> Result<()> {
    for number in keys {
        let (key, value) = (key_of(tree, number), value_of(rng, bytes));
        forest.put(writer, TreeId(tree), &key, &value, PutMode::Replace)?;
        model.insert(key, value);
    }
    Ok(())
}
