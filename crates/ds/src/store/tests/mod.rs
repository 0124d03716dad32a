//! A store against a model: random changes of heads, forks, drops, checkpoints, reopenings and
//! crashes; the check is clean after every checkpoint and the model's state is found again.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod beside;
mod damaged;
mod long;

use std::collections::BTreeMap;
use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::check::check;
use crate::checkpoint::HeadChange;
use crate::forest::TreeId;
use crate::format::TreeKind;
use crate::tree::{PutMode, Writer};
use crate::vfs::SimVfs;

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;
type Trees = BTreeMap<u64, Entries>;
type Heads = BTreeMap<u64, Trees>;

fn options() -> StoreOptions {
    // Pages of eight granules, not compressed: small changes become deltas.
    let codec = Codec::none();
    StoreOptions { page_bytes: 4096, cache_bytes: 256 * 1024, codec, ..StoreOptions::default() }
}

fn path() -> &'static Path {
    Path::new("app.pando")
}

#[derive(Clone, Debug)]
enum Step {
    /// Changes a run of keys of a tree of a head and publishes it.
    Change {
        head: u64,
        tree: u64,
        first: u16,
        count: u8,
        size: u16,
    },
    Remove {
        head: u64,
        tree: u64,
        first: u16,
        count: u8,
    },
    /// The same, given up at the end.
    Abandon {
        head: u64,
        tree: u64,
        first: u16,
        count: u8,
        spills: bool,
    },
    Spill {
        head: u64,
        tree: u64,
        first: u16,
        count: u8,
    },
    DropTree {
        head: u64,
        tree: u64,
    },
    /// Shares a tree of a head with another head.
    Graft {
        from: u64,
        to: u64,
        tree: u64,
    },
    Fork {
        from: u64,
        to: u64,
    },
    DropHead {
        head: u64,
    },
    Checkpoint,
    /// A checkpoint whose heads all moved on meanwhile: their forests stay as they were.
    CheckpointBehind,
    /// A checkpoint beside which a head changes, behind the look at the heads.
    CheckpointBeside {
        head: u64,
        tree: u64,
        first: u16,
        count: u8,
        size: u16,
    },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let head = 0u64..4;
    let tree = 0u64..3;
    let first = 0u16..600;
    let beside = (head.clone(), tree.clone(), first.clone(), any::<u8>(), 0u16..60);
    let step = prop_oneof![
        8 => (head.clone(), tree.clone(), first.clone(), any::<u8>(), 0u16..120)
            .prop_map(|(head, tree, first, count, size)| {
                Step::Change { head, tree, first, count, size }
            }),
        1 => (head.clone(), tree.clone(), first.clone(), 1u8..4, 300u16..9000)
            .prop_map(|(head, tree, first, count, size)| {
                Step::Change { head, tree, first, count, size }
            }),
        3 => (head.clone(), tree.clone(), first.clone(), 1u8..3, 0u16..30)
            .prop_map(|(head, tree, first, count, size)| {
                Step::Change { head, tree, first, count, size }
            }),
        3 => (head.clone(), tree.clone(), first.clone(), any::<u8>())
            .prop_map(|(head, tree, first, count)| Step::Remove { head, tree, first, count }),
        2 => (head.clone(), tree.clone(), first.clone(), any::<u8>(), any::<bool>())
            .prop_map(|(head, tree, first, count, spills)| {
                Step::Abandon { head, tree, first, count, spills }
            }),
        3 => (head.clone(), tree.clone(), first, any::<u8>())
            .prop_map(|(head, tree, first, count)| Step::Spill { head, tree, first, count }),
        1 => (head.clone(), tree.clone()).prop_map(|(head, tree)| Step::DropTree { head, tree }),
        1 => (head.clone(), head.clone(), tree)
            .prop_map(|(from, to, tree)| Step::Graft { from, to, tree }),
        4 => (head.clone(), head.clone()).prop_map(|(from, to)| Step::Fork { from, to }),
        1 => head.prop_map(|head| Step::DropHead { head }),
        6 => Just(Step::Checkpoint),
        3 => Just(Step::CheckpointBehind),
        3 => beside.prop_map(|(head, tree, first, count, size)| {
            Step::CheckpointBeside { head, tree, first, count, size }
        }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..50)
}

/// A head and a tree that change beside a checkpoint, where, and with values of which size.
type Beside = (u64, u64, Range<u16>, u16);

/// What a transaction layer would keep, in its simplest form.
struct Owner {
    store: Store,
    heads: BTreeMap<u64, Forest>,
    changed: BTreeMap<u64, bool>,
    commit: u64,
    model: Heads,
    saved: Heads,
}

fn contents(store: &Store, forest: &Forest) -> Trees {
    let mut trees = Trees::new();
    for id in forest.ids() {
        let mut tree = BTreeMap::new();
        let mut cursor = forest.cursor(store.pager(), id).unwrap();
        let mut more = cursor.first().unwrap();
        while more {
            tree.insert(cursor.key(), cursor.value().unwrap().unwrap());
            more = cursor.next().unwrap();
        }
        trees.insert(id.0, tree);
    }
    trees
}

impl Owner {
    fn open(vfs: &Arc<dyn Vfs>) -> Result<Self> {
        let store = Store::open(vfs, path(), &options())?;
        let mut heads = BTreeMap::new();
        let mut model = Heads::new();
        for head in store.heads()? {
            let forest = store.forest(&head)?;
            model.insert(head.id.0, contents(&store, &forest));
            heads.insert(head.id.0, forest);
        }
        let commit = store.saved_commit();
        let saved = model.clone();
        Ok(Self { store, heads, changed: BTreeMap::new(), commit, model, saved })
    }

    fn change(
        &mut self,
        head: u64,
        tree: u64,
        publishes: bool,
        work: impl FnOnce(&mut Forest, &mut Writer<'_>, &mut Entries) -> Result<()>,
    ) -> Result<()> {
        let mut forest = self.heads.get(&head).cloned().unwrap_or_default();
        let mut trees = self.model.get(&head).cloned().unwrap_or_default();
        let id = TreeId(tree);
        if forest.tree(id).is_none() {
            let kind = if tree == 0 { TreeKind::Fixed } else { TreeKind::Slotted };
            forest.create_tree(id, kind)?;
        }
        let pager = Arc::clone(self.store.pager());
        let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
        let mut writer = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
        work(&mut forest, &mut writer, trees.entry(tree).or_default())?;
        if publishes {
            self.commit += 1;
            self.store.note_commit(self.commit);
            self.heads.insert(head, forest);
            self.model.insert(head, trees);
            self.changed.insert(head, true);
            self.store.adopt(ledger);
        }
        Ok(())
    }

    fn checkpoint(&mut self, swaps: bool, beside: Option<Beside>) -> Result<()> {
        let changed = std::mem::take(&mut self.changed);
        let change_of = |head: &u64| match self.heads.get(head) {
            Some(forest) => {
                HeadChange::Put { forest: forest.clone(), note: head.to_le_bytes().to_vec() }
            }
            None => HeadChange::Drop,
        };
        let captured = Captured {
            heads: changed.keys().map(|head| (HeadId(*head), change_of(head))).collect(),
            commit: self.commit,
            log_position: self.commit * 10,
        };
        let pager = Arc::clone(self.store.pager());
        let mut moved = None;
        let outcome = self.store.checkpoint(|| {
            if let Some((head, tree, numbers, size)) = beside
                && let Some(mut forest) = self.heads.get(&head).cloned()
                && let Some(mut entries) = self.model[&head].get(&tree).cloned()
            {
                let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
                let mut writer = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
                let put = put_many(&mut forest, &mut writer, &mut entries, tree, numbers, size);
                moved = put.is_ok().then_some((head, tree, forest, entries, ledger));
            }
            captured
        });
        let outcome = outcome.map(|done| {
            if swaps {
                let heads = done.heads.into_iter();
                self.heads.extend(heads.map(|(head, forest)| (head.0, forest)));
            }
            self.saved = self.model.clone();
        });
        if outcome.is_err() {
            self.changed = changed;
        }
        if let Some((head, tree, forest, entries, ledger)) = moved {
            self.commit += 1;
            self.store.note_commit(self.commit);
            self.heads.insert(head, forest);
            self.model.get_mut(&head).unwrap().insert(tree, entries);
            self.changed.insert(head, true);
            self.store.adopt(ledger);
        }
        outcome
    }

    fn apply(&mut self, vfs: &Arc<dyn Vfs>, step: &Step) -> Result<()> {
        match *step {
            Step::Change { head, tree, first, count, size } => {
                self.change(head, tree, true, |forest, writer, model| {
                    put_many(forest, writer, model, tree, run(first, count), size)
                })
            }
            Step::Remove { head, tree, first, count } => {
                self.change(head, tree, true, |forest, writer, model| {
                    for number in run(first, count) {
                        let key = key_of(tree, number);
                        forest.remove(writer, TreeId(tree), &key)?;
                        model.remove(&key);
                    }
                    Ok(())
                })
            }
            Step::Abandon { head, tree, first, count, spills } => {
                self.change(head, tree, false, |forest, writer, model| {
                    put_many(forest, writer, model, tree, run(first, count), 40)?;
                    if spills { forest.spill(writer) } else { Ok(()) }
                })
            }
            Step::Spill { head, tree, first, count } => {
                self.change(head, tree, true, |forest, writer, model| {
                    put_many(forest, writer, model, tree, run(first, count), 33)?;
                    forest.spill(writer)?;
                    put_many(forest, writer, model, tree, run(first, count / 2), 20)?;
                    forest.spill(writer)
                })
            }
            Step::DropTree { head, tree } => {
                if let Some(forest) = self.heads.get_mut(&head)
                    && forest.drop_tree(TreeId(tree))
                {
                    self.model.get_mut(&head).unwrap().remove(&tree);
                    self.changed.insert(head, true);
                }
                Ok(())
            }
            Step::Graft { from, to, tree } => {
                let source = self.heads.get(&from).and_then(|forest| forest.tree(TreeId(tree)));
                if let Some(source) = source.cloned() {
                    let content = self.model[&from][&tree].clone();
                    self.heads.entry(to).or_default().set_tree(TreeId(tree), source);
                    self.model.entry(to).or_default().insert(tree, content);
                    self.changed.insert(to, true);
                }
                Ok(())
            }
            Step::Fork { from, to } => {
                if let Some(forest) = self.heads.get(&from).cloned() {
                    self.heads.insert(to, forest);
                    self.model.insert(to, self.model[&from].clone());
                    self.changed.insert(to, true);
                }
                Ok(())
            }
            Step::DropHead { head } => {
                if self.heads.remove(&head).is_some() {
                    self.model.remove(&head);
                    self.changed.insert(head, true);
                }
                Ok(())
            }
            Step::Checkpoint => self.checkpoint(true, None),
            Step::CheckpointBehind => self.checkpoint(false, None),
            Step::CheckpointBeside { head, tree, first, count, size } => {
                self.checkpoint(true, Some((head, tree, run(first, count), size)))
            }
            Step::Reopen => self.reopen(vfs),
        }
    }

    fn reopen(&mut self, vfs: &Arc<dyn Vfs>) -> Result<()> {
        self.checkpoint(true, None)?;
        let saved = self.saved.clone();
        let placeholder: Arc<dyn Vfs> = Arc::new(SimVfs::new(1));
        self.store = Store::open(&placeholder, path(), &options())?;
        *self = Self::open(vfs)?;
        assert_eq!(self.model, saved);
        Ok(())
    }

    fn check(&self) {
        let report = check(&self.store, &mut |_| true).unwrap();
        assert!(report.is_clean(), "{:#?}", report.problems);
        for (head, forest) in &self.heads {
            assert_eq!(contents(&self.store, forest), self.model[head]);
        }
        for (left, right) in
            self.heads.keys().flat_map(|it| self.heads.keys().map(move |to| (it, to)))
        {
            self.check_differences(*left, *right);
        }
    }

    /// What a comparison of two heads finds is what the model finds.
    fn check_differences(&self, left: u64, right: u64) {
        let none = Entries::new();
        for tree in 0..3 {
            let of = |head: u64| self.model[&head].get(&tree).unwrap_or(&none);
            let (old, new) = (of(left), of(right));
            let trees = [left, right].map(|head| self.heads[&head].tree(TreeId(tree)).cloned());
            let [Some(before), Some(after)] = trees else { continue };
            let middle = key_of(tree, 300);
            let [whole, one, other] =
                [(None, None), (None, Some(&*middle)), (Some(&*middle), None)].map(|(from, to)| {
                    crate::tree::Diff::new(self.store.pager(), &before, &after)
                        .between(from, to)
                        .map(|change| change.unwrap())
                        .map(|change| (change.key, change.old, change.new))
                        .collect::<Vec<_>>()
                });
            let found = [one, other].concat();
            assert!(found == whole, "heads {left} and {right}, tree {tree}, in two parts");
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            let expected: Vec<_> = keys
                .into_iter()
                .map(|key| (key.clone(), old.get(key).cloned(), new.get(key).cloned()))
                .filter(|(_, old, new)| old != new)
                .collect();
            assert!(found == expected, "heads {left} and {right}, tree {tree}");
        }
    }
}

fn key_of(tree: u64, number: u16) -> Vec<u8> {
    match tree {
        0 => u64::from(number).to_be_bytes().to_vec(),
        _ => format!("{:03}/{number:05}", number % 5).into_bytes(),
    }
}

fn run(first: u16, count: u8) -> Range<u16> {
    first..first + u16::from(count)
}

fn put_many(
    forest: &mut Forest,
    writer: &mut Writer<'_>,
    model: &mut Entries,
    tree: u64,
    numbers: Range<u16>,
    size: u16,
) -> Result<()> {
    for number in numbers {
        let key = key_of(tree, number);
        let value = vec![number as u8 ^ size as u8; usize::from(size)];
        forest.put(writer, TreeId(tree), &key, &value, PutMode::Replace)?;
        model.insert(key, value);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn stores_keep_what_they_were_given(steps in steps()) {
        let disk = SimVfs::new(7);
        let vfs: Arc<dyn Vfs> = Arc::new(disk);
        let mut owner = Owner::open(&vfs).unwrap();
        for step in &steps {
            owner.apply(&vfs, step).unwrap();
            let is_saving = matches!(
                step,
                Step::Checkpoint
                    | Step::CheckpointBehind
                    | Step::CheckpointBeside { .. }
                    | Step::Reopen
            );
            if is_saving {
                owner.check();
            }
        }
        owner.checkpoint(true, None).unwrap();
        owner.check();
        // Everything goes: all space comes back.
        owner.heads.clear();
        owner.model.clear();
        owner.changed = (0..4).map(|head| (head, true)).collect();
        owner.checkpoint(true, None).unwrap();
        owner.check();
        let info = owner.store.info().unwrap();
        prop_assert!(info.space.reachable() < crate::limits::FIRST_GRANULE + 400);
    }
}

/// Runs `steps` until the machine stops; returns the states that may be found afterwards.
fn run_until_crash(disk: &SimVfs, steps: &[Step]) -> (Heads, Heads) {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let Ok(mut owner) = Owner::open(&vfs) else { return (Heads::new(), Heads::new()) };
    for step in steps {
        let before = owner.saved.clone();
        let attempt = owner.model.clone();
        if owner.apply(&vfs, step).is_err() {
            return (before, attempt);
        }
    }
    (owner.saved.clone(), owner.saved)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn after_a_crash_at_any_operation_a_promised_state_is_found(
        steps in steps(), seed in any::<u64>()
    ) {
        let steps: Vec<Step> =
            steps.into_iter().filter(|step| !matches!(step, Step::Reopen)).take(25).collect();
        let disk = SimVfs::new(seed);
        run_until_crash(&disk, &steps);
        let operations = disk.operations();
        let stride = (operations / 40).max(1);
        for at in (1..=operations).step_by(stride as usize) {
            let disk = SimVfs::new(seed ^ at);
            disk.crash_at(at);
            let (before, attempt) = run_until_crash(&disk, &steps);
            disk.restart();
            let vfs: Arc<dyn Vfs> = Arc::new(disk);
            let mut owner = Owner::open(&vfs).unwrap();
            prop_assert!(
                owner.model == before || owner.model == attempt,
                "crash at operation {at} of {operations}"
            );
            owner.check();
            // Life goes on.
            for step in &steps {
                owner.apply(&vfs, step).unwrap();
            }
            owner.checkpoint(true, None).unwrap();
            owner.check();
        }
    }
}
