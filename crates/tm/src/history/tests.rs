//! Every commit of random histories is asked for again: after checkpoints, large transactions,
//! forks, resets, drops, and after the database was killed or closed.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use pandodb_ds::format::TreeKind;
use pandodb_ds::vfs::{SimVfs, Vfs};
use proptest::prelude::*;

use super::*;
use crate::heads::MAIN;
use crate::isolation::BeginOptions;
use crate::manager::{CheckpointMode, Manager};
use crate::options::{CheckpointPolicy, Options};
use crate::wal::WalOptions;

const T: crate::ids::TreeId = crate::ids::TreeId(1);

type Content = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Put { head: usize, first: u8, count: u8 },
    Delete { head: usize, first: u8 },
    Large { head: usize, first: u8 },
    Fork { from: usize },
    Reset { head: usize, to: usize },
    Drop { head: usize },
    Checkpoint,
    Shrink,
    Kill,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let head = 0usize..4;
    let step = prop_oneof![
        8 => (head.clone(), any::<u8>(), 1u8..9)
            .prop_map(|(head, first, count)| Step::Put { head, first, count }),
        2 => (head.clone(), any::<u8>()).prop_map(|(head, first)| Step::Delete { head, first }),
        1 => (head.clone(), any::<u8>()).prop_map(|(head, first)| Step::Large { head, first }),
        2 => head.clone().prop_map(|from| Step::Fork { from }),
        1 => (head.clone(), head.clone()).prop_map(|(head, to)| Step::Reset { head, to }),
        1 => head.prop_map(|head| Step::Drop { head }),
        3 => Just(Step::Checkpoint),
        1 => Just(Step::Shrink),
        1 => Just(Step::Kill),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..60)
}

fn options(history: Retention) -> Options {
    Options {
        wal: WalOptions { segment_len: 3000, ..WalOptions::default() },
        has_checkpoint_thread: false,
        checkpoints: None,
        busy_timeout: Duration::ZERO,
        large_transaction_bytes: 3000,
        history,
        ..Options::default()
    }
}

struct World {
    disk: SimVfs,
    is_in_memory: bool,
    retention: Retention,
    manager: Option<Manager>,
    heads: Vec<HeadId>,
    now: BTreeMap<u64, Content>,
    /// What every head held after every commit, and when it was made.
    past: BTreeMap<u64, (i64, BTreeMap<u64, Content>)>,
}

impl World {
    fn new(retention: Retention) -> Self {
        let disk = SimVfs::new(5);
        let now = BTreeMap::from([(MAIN.0, Content::new())]);
        let past = BTreeMap::from([(0, (0, now.clone()))]);
        let heads = vec![MAIN];
        let mut world =
            Self { disk, is_in_memory: false, retention, manager: None, heads, now, past };
        world.open();
        world
    }

    fn in_memory(retention: Retention) -> Self {
        let mut world = Self::new(retention);
        world.is_in_memory = true;
        world.manager = Some(Manager::open_in_memory(&options(retention)).unwrap());
        world
    }

    fn open(&mut self) {
        let vfs: Arc<dyn Vfs> = Arc::new(self.disk.clone());
        let options = options(self.retention);
        self.manager = Some(Manager::open(&vfs, Path::new("base"), &options).unwrap());
    }

    fn manager(&self) -> &Manager {
        self.manager.as_ref().unwrap()
    }

    fn committed(&mut self, commit: CommitId) {
        let time = self.manager().store().vfs().clock().now_micros();
        self.past.insert(commit.0, (time, self.now.clone()));
    }

    fn change(&mut self, head: usize, change: impl Fn(&mut Content)) {
        let head = self.heads[head % self.heads.len()];
        let mut transaction = self.manager().begin(head, BeginOptions::default()).unwrap();
        if transaction.tree_kind(T).is_none() {
            transaction.create_tree(T, TreeKind::Slotted).unwrap();
        }
        let before = self.now[&head.0].clone();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return;
        }
        for (key, value) in &after {
            if before.get(key) != Some(value) {
                transaction.put(T, key, value).unwrap();
            }
        }
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            transaction.delete(T, key).unwrap();
        }
        let commit = transaction.commit().unwrap();
        self.now.insert(head.0, after);
        self.committed(commit);
    }

    fn apply(&mut self, number: usize, step: &Step) {
        let needs_file = matches!(step, Step::Checkpoint | Step::Shrink | Step::Kill | Step::Close);
        if self.is_in_memory && needs_file {
            return;
        }
        match *step {
            Step::Put { head, first, count } => self.change(head, |content| {
                for key in first..first.saturating_add(count) {
                    content.insert(vec![key], format!("{number}/{key}").into_bytes());
                }
            }),
            Step::Delete { head, first } => self.change(head, |content| {
                content.retain(|key, _| key[0] < first || key[0] > first.saturating_add(20));
            }),
            Step::Large { head, first } => self.change(head, |content| {
                for key in 0..60 {
                    content.insert(vec![first ^ key], vec![number as u8; 100]);
                }
            }),
            Step::Fork { from } => {
                let source = self.heads[from % self.heads.len()];
                let head = self.manager().create_head(source, b"note").unwrap();
                let content = self.now[&source.0].clone();
                self.now.insert(head.0, content);
                self.heads.push(head);
                let newest = self.manager().progress().commit;
                self.committed(newest);
            }
            Step::Reset { head, to } => {
                let head = self.heads[head % self.heads.len()];
                let source = self.heads[to % self.heads.len()];
                if head == source {
                    return;
                }
                let mut transaction = self.manager().begin(head, BeginOptions::default()).unwrap();
                transaction.reset_head(head, source).unwrap();
                let commit = transaction.commit().unwrap();
                let content = self.now[&source.0].clone();
                self.now.insert(head.0, content);
                self.committed(commit);
            }
            Step::Drop { head } => {
                if self.heads.len() > 1 {
                    let head = self.heads.remove(1 + head % (self.heads.len() - 1));
                    self.manager().drop_head(head).unwrap();
                    self.now.remove(&head.0);
                    let newest = self.manager().progress().commit;
                    self.committed(newest);
                }
            }
            Step::Checkpoint => {
                self.manager().checkpoint(CheckpointMode::Full).unwrap();
            }
            Step::Shrink => {
                self.manager().shrink(u64::MAX).unwrap();
                let newest = self.manager().progress().commit;
                self.committed(newest);
            }
            Step::Kill => {
                self.disk.kill_process();
                self.manager = None;
                self.open();
            }
            Step::Close => {
                self.manager.take().unwrap().close().unwrap();
                self.open();
            }
        }
    }

    fn content(&self, version: &HeadVersion) -> Content {
        let pager = self.manager().pager();
        let mut content = Content::new();
        if version.forest.tree(pandodb_ds::forest::TreeId(1)).is_none() {
            return content;
        }
        let mut cursor = version.forest.cursor(pager, pandodb_ds::forest::TreeId(1)).unwrap();
        let mut more = cursor.first().unwrap();
        while more {
            content.insert(cursor.key(), cursor.value().unwrap().unwrap());
            more = cursor.next().unwrap();
        }
        content
    }

    /// Asks for every commit there ever was; returns how many are still kept.
    fn check(&self) -> usize {
        let manager = self.manager();
        let oldest =
            manager.history_span().unwrap().map_or(u64::MAX, |(oldest, _)| oldest.commit.0);
        let mut kept = 0;
        for (commit, (time, heads)) in &self.past {
            for head in &self.heads {
                let found = manager.version_at(*head, CommitId(*commit));
                let is_newest = manager.head(*head).unwrap().commit.0 <= *commit;
                match (found, heads.get(&head.0)) {
                    (Ok(past), Some(content)) => {
                        kept += 1;
                        assert_eq!(self.content(past.version()), *content, "{commit} {head:?}");
                    }
                    // A head that did not exist yet shows what it was forked with at most.
                    (Ok(_), None) => {}
                    (Err(error), expected) => {
                        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                        assert!(
                            *commit < oldest && !is_newest || expected.is_none(),
                            "{commit}: {error}"
                        );
                    }
                }
            }
            let since = manager.history_span().unwrap().map_or(i64::MAX, |(oldest, _)| oldest.time);
            if *commit >= oldest && *time >= since {
                assert!(manager.commit_at(*time).unwrap().0 >= *commit);
            }
        }
        let report = pandodb_ds::check::check(manager.store(), &mut |_| true).unwrap();
        assert!(report.is_clean(), "{:#?}", report.problems);
        kept
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_commit_can_be_asked_for(steps in steps()) {
        let mut world = World::new(Retention { time: None, log_bytes: None });
        for (number, step) in steps.iter().enumerate() {
            world.apply(number, step);
        }
        let kept = world.check();
        prop_assert!(kept >= world.past.len());
        // Nothing more is kept: the space and the log come back.
        world.manager().set_retention(Retention::NOTHING);
        world.manager().checkpoint(CheckpointMode::Truncate).unwrap();
        world.manager().checkpoint(CheckpointMode::Truncate).unwrap();
        prop_assert!(world.manager().history_span().unwrap().is_none());
        let heads = world.manager().store().heads().unwrap();
        prop_assert!(heads.iter().all(|head| head.id == COUNTER || !is_kept(head.id)));
        world.check();
    }

    #[test]
    fn retention_by_size_keeps_the_newest(steps in steps()) {
        let mut world = World::new(Retention { time: None, log_bytes: Some(6000) });
        for (number, step) in steps.iter().chain(&steps).enumerate() {
            world.apply(number, step);
        }
        world.manager().checkpoint(CheckpointMode::Full).unwrap();
        world.check();
        let start = world.manager().history_span().unwrap().map(|(oldest, _)| oldest.position);
        let end = world.manager().log_start();
        prop_assert!(start.is_none_or(|start| end.since(start) < 6000 + 20_000));
    }

    #[test]
    fn every_commit_in_memory_can_be_asked_for(steps in steps()) {
        let mut world = World::in_memory(Retention { time: None, log_bytes: None });
        for (number, step) in steps.iter().enumerate() {
            world.apply(number, step);
            if number % 16 == 0 {
                world.check();
            }
        }
        let kept = world.check();
        prop_assert!(kept >= world.past.len());
        world.manager().set_retention(Retention::NOTHING);
        world.change(0, |content| drop(content.insert(vec![1], b"last".to_vec())));
        let (oldest, _) = world.manager().history_span().unwrap().unwrap();
        prop_assert_eq!(oldest.commit, world.manager().progress().commit);
        world.check();
    }

    #[test]
    fn the_history_in_memory_is_bounded(steps in steps(), most in 1u64..200_000) {
        let mut world = World::in_memory(Retention { time: None, log_bytes: Some(most) });
        for (number, step) in steps.iter().chain(&steps).enumerate() {
            world.apply(number, step);
            let recent = world.manager().recent_commits().unwrap();
            prop_assert!(recent.len() <= 20);
            prop_assert!(world.manager().kept_bytes() <= most as usize);
        }
        world.check();
    }
}

/// What was found late: where the retention gives up all older moments at once, the new one is
/// the oldest, and heads that have not changed since are read by roots that are older than it.
#[test]
fn a_new_moment_keeps_the_roots_of_heads_that_did_not_change() {
    let mut world = World::new(Retention { time: None, log_bytes: Some(6000) });
    let steps = [
        Step::Put { head: 0, first: 0, count: 1 },
        Step::Fork { from: 0 },
        Step::Put { head: 1, first: 3, count: 2 },
        Step::Checkpoint,
    ];
    for (number, step) in steps.iter().enumerate() {
        world.apply(number, step);
    }
    let quiet = world.heads[1];
    let commit = world.manager().head(quiet).unwrap().commit;
    // More log than is kept between two checkpoints, all of it of the other head.
    for number in 0..200 {
        world.apply(steps.len() + number, &Step::Put { head: 0, first: 9, count: 8 });
    }
    world.apply(300, &Step::Checkpoint);
    let (oldest, _) = world.manager().history_span().unwrap().unwrap();
    assert!(oldest.commit > commit, "the older moments are gone");
    let newest = world.manager().progress().commit;
    let past = world.manager().version_at(quiet, newest).unwrap();
    assert_eq!(world.content(past.version()), world.now[&quiet.0]);
    world.check();
    // And from the file, where the registry must have them.
    world.apply(301, &Step::Close);
    let past = world.manager().version_at(quiet, newest).unwrap();
    assert_eq!(world.content(past.version()), world.now[&quiet.0]);
    world.check();
}

/// What was found late: with one checkpoint at the end, all that came before it was one piece that
/// did not fit.
#[test]
fn little_history_keeps_the_newest_commits_that_fit() {
    const MOST: u64 = 4000;
    for limit in [Some(MOST), None] {
        let mut world = World::new(Retention { time: None, log_bytes: limit });
        world.manager().set_retention(Retention { time: None, log_bytes: Some(MOST) });
        world.manager().set_checkpoint_policy(Some(CheckpointPolicy::default()));
        for number in 0..300 {
            world.apply(number, &Step::Put { head: 0, first: 9, count: 3 });
        }
        world.retention.log_bytes = Some(MOST);
        world.apply(300, &Step::Close);
        let (oldest, _) = world.manager().history_span().unwrap().unwrap();
        let kept = world.manager().log_start().since(oldest.position);
        assert!((MOST / 2..=MOST).contains(&kept), "{kept} bytes of {MOST} are kept");
        assert!(world.check() > 5, "commits can be asked for");
    }
}
