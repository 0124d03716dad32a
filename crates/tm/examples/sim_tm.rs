//! `cargo xtask sim --layer tm`: lives of a database by a seed, with crashes and faults.
//!
//! Each seed is a database that is opened several times, for transactions, forks, drops and
//! checkpoints. In each life the power may go at some operation, the process may be killed, or an
//! operation may fail. The model keeps what all heads held after each commit: whenever the
//! database is opened it must hold one of these states, with FULL one that has everything
//! acknowledged, with NORMAL an earlier one too, and never anything in between. A failing seed
//! prints the command that replays it. Neighbours: the tests of `manager` take the workload from
//! here and have a crash at every operation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a simulation fails by panicking and tells what it does"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use pandodb_ds::format::TreeKind;
use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{Fault, SimVfs, Vfs};
use pandodb_tm::wal::WalOptions;
use pandodb_tm::{
    BeginOptions, CheckpointMode, CheckpointPolicy, HeadId, Isolation, MAIN, Manager, Options,
    Result, Synchronous, Transaction, TreeId,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| -> Option<u64> {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    if let Some(seed) = value("--seed") {
        simulate(seed, true);
        println!("seed {seed}: nothing found");
        return;
    }
    let start = value("--start").unwrap_or(0);
    let count = value("--seeds").unwrap_or(1000);
    for seed in start..start + count {
        if catch_unwind(AssertUnwindSafe(|| simulate(seed, false))).is_err() {
            println!("failed: cargo xtask sim --layer tm --seed {seed}");
            std::process::exit(1);
        }
    }
    println!("seeds {start} to {}: nothing found", start + count);
}

/// One database from its first life to its last.
fn simulate(seed: u64, tells: bool) {
    let mut rng = Rng::with_seed(seed);
    let disk = SimVfs::new(seed);
    let mut options = options([Synchronous::Normal, Synchronous::Full][rng.usize(..2)]);
    options.wal.spare_segments = rng.usize(..3);
    let mut model = Model::new();
    for life in 0..rng.u32(3..7) {
        let count = rng.usize(1..60);
        let operation = disk.operations() + rng.u64(1..300);
        let fault = match rng.u8(..10) {
            0..=4 => Some(Fault::Crash),
            5 => Some(Fault::WriteError),
            6 => Some(Fault::SyncError),
            7 => Some(Fault::NoSpace),
            8 => Some(Fault::ReadError),
            _ => None,
        };
        if let Some(fault) = fault {
            disk.inject(operation, fault);
        }
        let outcome = run(&disk, &options, &mut model, count, rng.u64(..));
        if tells {
            let commits = model.states.len() - 1;
            println!("life {life}: {fault:?} at {operation}, {commits} commits, {outcome:?}");
        }
        // In the background too, where nobody is told.
        let has_struck = fault.is_some() && disk.outstanding_faults() == 0;
        disk.clear_faults();
        if !disk.is_on() || has_struck || rng.bool() {
            // After a failed sync what was written may be gone even without a crash.
            disk.restart();
            model.is_whole = false;
        } else {
            disk.kill_process();
            model.is_whole = true;
        }
    }
    run(&disk, &options, &mut model, 5, rng.u64(..)).expect("nothing fails any more");
}

type Trees = BTreeMap<u64, BTreeMap<Vec<u8>, Vec<u8>>>;
type World = BTreeMap<u64, Trees>;

/// What the program knows of its database.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// After each commit, those that may or may not have happened included.
    pub(crate) states: Vec<World>,
    /// How many of these must be there.
    pub(crate) promised: usize,
    /// Only the process ended: all of them must be there.
    pub(crate) is_whole: bool,
}

impl Model {
    /// A database that was never opened.
    pub(crate) fn new() -> Self {
        let world = World::from([(MAIN.0, Trees::new())]);
        Self { states: vec![world], promised: 0, is_whole: false }
    }
}

/// Everything small, so that all of it happens soon.
pub(crate) fn options(synchronous: Synchronous) -> Options {
    Options {
        store: StoreOptions { page_bytes: 1024, ..StoreOptions::default() },
        wal: WalOptions { segment_len: 3000, spare_segments: 1, archive: false },
        synchronous,
        has_checkpoint_thread: false,
        checkpoints: Some(CheckpointPolicy { log_bytes: 6000, ..CheckpointPolicy::default() }),
        busy_timeout: Duration::ZERO,
        spill_bytes: 8 << 10,
        large_transaction_bytes: 2500,
        ..Options::default()
    }
}

fn open(disk: &SimVfs, options: &Options) -> Result<Manager> {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    Manager::open(&vfs, Path::new("base.pando"), options)
}

/// Everything in a tree, read by a cursor.
fn contents(reader: &Transaction, tree: TreeId) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut cursor = reader.cursor(tree)?;
    let mut found = BTreeMap::new();
    let mut more = cursor.first()?;
    while more {
        found.insert(cursor.key(), cursor.value()?.unwrap());
        more = cursor.next()?;
    }
    Ok(found)
}

fn world_of(manager: &Manager) -> Result<World> {
    let mut world = World::new();
    for info in manager.heads()? {
        let reader = manager.begin(info.head, BeginOptions::read_only())?;
        let mut trees = Trees::new();
        for tree in reader.trees() {
            trees.insert(tree.0, contents(&reader, tree)?);
        }
        world.insert(info.head.0, trees);
    }
    Ok(world)
}

/// The file is as it should be, to the granule.
fn check_file(manager: &Manager, disk: &SimVfs) -> Result<()> {
    let check = || pandodb_ds::check::check(manager.store(), &mut |_| true);
    // A planned fault may strike the first reading.
    if check()?.is_clean() || !disk.is_on() {
        return Ok(());
    }
    let report = check()?;
    assert!(report.is_clean(), "seed {}: {report:?}", disk.seed());
    Ok(())
}

/// One random transaction, done to the database and to the world.
fn transaction(manager: &Manager, world: &mut World, rng: &mut Rng) -> Result<()> {
    let heads: Vec<u64> = world.keys().copied().collect();
    let head = heads[rng.usize(..heads.len())];
    let isolation = Isolation::ALL[rng.usize(..5)];
    let mut transaction = manager.begin(HeadId(head), BeginOptions::at(isolation))?;
    let rounds = if rng.u8(..6) == 0 { 2 } else { 1 };
    for round in 0..rounds {
        let head = if round == 0 { head } else { heads[rng.usize(..heads.len())] };
        transaction.enlist(HeadId(head))?;
        let large = rng.u8(..8) == 0;
        for _ in 0..if large { 60 } else { rng.usize(1..6) } {
            let trees = world.get_mut(&head).unwrap();
            change(&mut transaction, trees, rng)?;
        }
    }
    if rng.u8(..5) == 0 {
        let mut lost = world[&head].clone();
        transaction.use_head(HeadId(head))?;
        let savepoint = transaction.savepoint()?;
        for _ in 0..3 {
            change(&mut transaction, &mut lost, rng)?;
        }
        transaction.rollback_to(savepoint)?;
    }
    match rng.u8(..16) {
        0 if heads.len() < 4 => {
            let source = heads[rng.usize(..heads.len())];
            let head = transaction.create_head(HeadId(source), b"fork")?;
            world.insert(head.0, world[&source].clone());
        }
        1 if heads.len() > 1 && head != MAIN.0 => {
            transaction.drop_head(HeadId(head))?;
            world.remove(&head);
        }
        2 => {
            let source = heads[rng.usize(..heads.len())];
            transaction.reset_head(HeadId(head), HeadId(source))?;
            world.insert(head, world[&source].clone());
        }
        _ => {}
    }
    transaction.commit()?;
    Ok(())
}

fn change(transaction: &mut Transaction, trees: &mut Trees, rng: &mut Rng) -> Result<()> {
    let tree = rng.u64(1..4);
    let id = TreeId(tree);
    if transaction.tree_kind(id).is_none() {
        transaction.create_tree(id, TreeKind::Slotted)?;
    }
    let rows = trees.entry(tree).or_default();
    let key = vec![rng.u8(..40)];
    match rng.u8(..12) {
        0 => {
            transaction.drop_tree(id)?;
            trees.remove(&tree);
        }
        1 => {
            let to = vec![key[0].saturating_add(5)];
            transaction.delete_range(id, &key, Some(&to))?;
            rows.retain(|row, _| *row < key || *row >= to);
        }
        2 | 3 => {
            transaction.delete(id, &key)?;
            rows.remove(&key);
        }
        _ => {
            let long = if rng.u8(..10) == 0 { 900 } else { 60 };
            let mut value = vec![0; rng.usize(0..long)];
            rng.fill(&mut value);
            transaction.put(id, &key, &value)?;
            rows.insert(key, value);
        }
    }
    Ok(())
}

/// Opens, compares with the model, and goes on with `count` transactions until an error.
pub(crate) fn run(
    disk: &SimVfs,
    options: &Options,
    model: &mut Model,
    count: usize,
    seed: u64,
) -> Result<()> {
    let manager = open(disk, options)?;
    check_file(&manager, disk)?;
    let found = world_of(&manager)?;
    let at = model.states.iter().rposition(|state| *state == found);
    let at = at.unwrap_or_else(|| panic!("seed {}: no state that ever was", disk.seed()));
    let least = if model.is_whole { model.states.len() - 1 } else { model.promised };
    assert!(at >= least, "seed {}: {at} is there, {least} promised", disk.seed());
    model.is_whole = false;
    model.states.truncate(at + 1);
    let mut rng = Rng::with_seed(seed);
    for _ in 0..count {
        let mut world = model.states.last().unwrap().clone();
        // Noted before it is known: after an error it may be there.
        let outcome = transaction(&manager, &mut world, &mut rng);
        model.states.push(world);
        if let Err(error) = outcome {
            if disk.is_on() {
                let shown = world_of(&manager);
                let before = &model.states[model.states.len() - 2];
                let is_same = shown.is_err() || shown.is_ok_and(|shown| shown == *before);
                assert!(is_same, "seed {}: a failed commit is shown: {error}", disk.seed());
            }
            return Err(error);
        }
        if options.synchronous == Synchronous::Full {
            model.promised = model.states.len() - 1;
        }
        if rng.u8(..12) == 0 {
            let before = model.states.len() - 1;
            let modes = [
                CheckpointMode::Passive,
                CheckpointMode::Full,
                CheckpointMode::Restart,
                CheckpointMode::Truncate,
            ];
            manager.checkpoint(modes[rng.usize(..4)])?;
            model.promised = before;
            check_file(&manager, disk)?;
        }
    }
    Ok(())
}
