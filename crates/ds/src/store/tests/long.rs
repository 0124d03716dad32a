//! Many checkpoints in a row, many threads at once, damaged files: what single steps do not
//! show.

use super::*;
use crate::ErrorKind;
use crate::sync::thread;
use crate::tree::Diff;

fn change(owner: &mut Owner, head: u64, first: u16, count: u8) {
    let step = Step::Change { head, tree: 1, first, count, size: 30 };
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(1));
    owner.apply(&vfs, &step).unwrap();
}

#[test]
fn the_space_map_stays_short_over_many_checkpoints() {
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(3));
    let mut owner = Owner::open(&vfs).unwrap();
    change(&mut owner, 1, 0, 250);
    let mut end = 0;
    for round in 0..220u16 {
        change(&mut owner, 1, round * 2, 3);
        owner.checkpoint(true, None).unwrap();
        assert!(owner.store.durable_roots().1.len() <= 49);
        if round == 60 {
            end = owner.store.info().unwrap().space.end;
        }
        if round % 20 == 0 {
            owner.check();
            owner.apply(&vfs, &Step::Reopen).unwrap();
        }
    }
    // What each checkpoint replaces is used again by the next ones.
    let info = owner.store.info().unwrap();
    assert!(info.space.end < end + end / 2, "{} after {end}", info.space.end);
    assert!(info.checkpoints > 0 && info.codecs[0].0 == info.codecs[0].1);
}

#[test]
fn a_reader_from_before_keeps_its_version_through_many_checkpoints() {
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(3));
    let mut owner = Owner::open(&vfs).unwrap();
    change(&mut owner, 1, 0, 250);
    owner.checkpoint(true, None).unwrap();
    let pin = owner.store.pin();
    let (forest, model) = (owner.heads[&1].clone(), owner.model[&1].clone());
    for round in 0..60u16 {
        change(&mut owner, 1, round * 7 % 300, 40);
        owner.checkpoint(true, None).unwrap();
    }
    owner.store.set_cache_bytes(0);
    assert_eq!(contents(&owner.store, &forest), model);
    let before = owner.store.info().unwrap().space.pending;
    drop(pin);
    owner.checkpoint(true, None).unwrap();
    assert!(owner.store.info().unwrap().space.pending < before);
}

/// Threads that each own a head: they change, spill, fork, give up and read, while one thread
/// makes checkpoints.
#[test]
fn writers_go_on_while_checkpoints_run() {
    const WRITERS: u64 = 4;
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(11));
    let store = Arc::new(Store::open(&vfs, path(), &options()).unwrap());
    let heads: Arc<Vec<Mutex<Forest>>> =
        Arc::new((0..WRITERS).map(|_| Mutex::new(Forest::new())).collect());
    let stops = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for writer in 0..WRITERS {
        let (store, heads) = (Arc::clone(&store), Arc::clone(&heads));
        threads.push(thread::spawn(move || write_for_a_while(&store, &heads, writer)));
    }
    let checkpointer = {
        let (store, heads, stops) = (Arc::clone(&store), Arc::clone(&heads), Arc::clone(&stops));
        thread::spawn(move || {
            while !stops.load(Ordering::Acquire) {
                checkpoint_all(&store, &heads);
                let report = check(&store, &mut |_| true).unwrap();
                assert!(report.is_clean(), "{:#?}", report.problems);
            }
        })
    };
    let models: Vec<Trees> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    stops.store(true, Ordering::Release);
    checkpointer.join().unwrap();
    checkpoint_all(&store, &heads);
    drop(store);
    let store = Store::open(&vfs, path(), &options()).unwrap();
    for head in store.heads().unwrap() {
        let forest = store.forest(&head).unwrap();
        assert_eq!(contents(&store, &forest), models[head.id.0 as usize]);
    }
    assert!(check(&store, &mut |_| true).unwrap().is_clean());
}

fn checkpoint_all(store: &Store, heads: &[Mutex<Forest>]) {
    let capture = || {
        // All heads are held, so that nothing is published while they are captured.
        let guards: Vec<_> = heads.iter().map(Mutex::lock).collect();
        let put = |(head, forest): (usize, &Forest)| {
            let change = HeadChange::Put { forest: forest.clone(), note: Vec::new() };
            (HeadId(head as u64), change)
        };
        let heads = guards.iter().map(|guard| &**guard).enumerate().map(put).collect();
        Captured { heads, commit: 1, log_position: 0 }
    };
    let done = store.checkpoint(capture).unwrap();
    for (head, saved) in done.heads {
        let mut current = heads[head.0 as usize].lock();
        if current.is_same_version(&saved) {
            *current = saved;
        }
    }
}

fn write_for_a_while(store: &Store, heads: &[Mutex<Forest>], writer: u64) -> Trees {
    let mut model = Trees::new();
    for round in 0..60u64 {
        let _pin = store.pin();
        let before = heads[writer as usize].lock().clone();
        let mut forest = before.clone();
        let mut attempt = model.clone();
        if forest.tree(TreeId(1)).is_none() {
            forest.create_tree(TreeId(1), TreeKind::Slotted).unwrap();
        }
        let pager = Arc::clone(store.pager());
        let (mut ledger, mut dirty_bytes) = (pager.ledger(), 0);
        let mut work = Writer::new(&pager, &mut ledger, &mut dirty_bytes);
        let tree = attempt.entry(1).or_default();
        let first = (round * 37 + writer * 11) as u16 % 500;
        put_many(&mut forest, &mut work, tree, 1, first..first + 60, (round % 90) as u16).unwrap();
        if round % 9 == 2 {
            put_many(&mut forest, &mut work, tree, 1, first..first + 2, 3000).unwrap();
        }
        if round % 3 == 0 {
            forest.spill(&mut work).unwrap();
        }
        assert_eq!(contents(store, &forest), attempt);
        assert_eq!(contents(store, &before), model);
        if round % 5 != 4 {
            *heads[writer as usize].lock() = forest;
            store.adopt(ledger);
            model = attempt;
        }
    }
    model
}

#[test]
fn damage_anywhere_is_an_error_and_never_wrong_data() {
    let disk = SimVfs::new(5);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let mut owner = Owner::open(&vfs).unwrap();
    change(&mut owner, 1, 0, 200);
    change(&mut owner, 2, 100, 200);
    owner.checkpoint(true, None).unwrap();
    let (saved, model) = (disk.durable_contents(path()).unwrap(), owner.model.clone());
    drop(owner);
    for at in (8192..saved.len()).step_by(97) {
        let damaged = SimVfs::new(6);
        let mut bytes = saved.clone();
        bytes[at] ^= 0x40;
        damaged.install(path(), &bytes).unwrap();
        let vfs: Arc<dyn Vfs> = Arc::new(damaged);
        let store = match Store::open(&vfs, path(), &options()) {
            Ok(store) => store,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                continue;
            }
        };
        for head in store.heads().into_iter().flatten() {
            let Ok(forest) = store.forest(&head) else { continue };
            for id in forest.ids() {
                let mut cursor = forest.cursor(store.pager(), id).unwrap();
                let mut more = cursor.first();
                while let Ok(true) = more {
                    let value = cursor.value().unwrap().unwrap();
                    assert_eq!(model[&head.id.0][&id.0][&cursor.key()], value);
                    more = cursor.next();
                }
                if let Err(error) = more {
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                }
            }
        }
    }
}

#[test]
fn differences_of_heads_are_found_through_the_file() {
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(3));
    let mut owner = Owner::open(&vfs).unwrap();
    change(&mut owner, 1, 0, 250);
    owner.checkpoint(true, None).unwrap();
    owner.apply(&vfs, &Step::Fork { from: 1, to: 2 }).unwrap();
    change(&mut owner, 2, 240, 20);
    owner.checkpoint(true, None).unwrap();
    owner.store.set_cache_bytes(0);
    let read_before = owner.store.info().unwrap().pages_read;
    let (left, right) = (&owner.heads[&1], &owner.heads[&2]);
    let trees = [left.existing(TreeId(1)).unwrap(), right.existing(TreeId(1)).unwrap()];
    let (added, removed, changed) =
        Diff::new(owner.store.pager(), trees[0], trees[1]).count().unwrap();
    assert_eq!((added, removed), (10, 0));
    // Values depend on the number alone: those that were there are the same.
    assert_eq!(changed, 0);
    let pages = owner.store.info().unwrap().pages_read - read_before;
    assert!(pages < 30, "{pages} pages for 10 changes");
}

#[test]
fn foreign_empty_and_missing_files_are_told_apart() {
    let disk = SimVfs::new(5);
    disk.install(Path::new("note.txt"), b"Dear diary, today I wrote no database at all.").unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(disk);
    let kind = |path: &str, options: &StoreOptions| {
        Store::open(&vfs, Path::new(path), options).err().map(|error| error.kind())
    };
    assert_eq!(kind("note.txt", &options()), Some(ErrorKind::NotADatabase));
    let existing = StoreOptions { creates: false, ..options() };
    assert_eq!(kind("none.pando", &existing), Some(ErrorKind::NotFound));
    let odd = StoreOptions { page_bytes: 1000, ..options() };
    assert_eq!(kind("odd.pando", &odd), Some(ErrorKind::Limit));
    let _open = Store::open(&vfs, path(), &options()).unwrap();
    assert_eq!(kind("app.pando", &options()), Some(ErrorKind::Locked));
}

#[test]
fn room_that_a_writer_had_reserved_comes_back_after_a_crash() {
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(3));
    let mut owner = Owner::open(&vfs).unwrap();
    change(&mut owner, 1, 0, 250);
    // The first record of the space map lists all that is free, among it what a writer is
    // about to fill; that writer never comes back.
    let reserved = owner.store.pager().space.reserve(10, 4096);
    owner.checkpoint(true, None).unwrap();
    change(&mut owner, 1, 100, 20);
    owner.checkpoint(true, None).unwrap();
    drop(owner);
    let owner = Owner::open(&vfs).unwrap();
    owner.check();
    let space = owner.store.info().unwrap().space;
    assert!(space.end - space.reachable() >= reserved.granules || space.end < 4096, "{space:?}");
}
