//! The power goes at every operation of create, merge, reset and drop.

use pandodb_tm::CheckpointMode;

use super::*;

type Work = fn(&Branches) -> Result<()>;

/// What must be there afterwards: all as before or all as after.
fn worlds(branches: &Branches) -> BTreeMap<String, Content> {
    let mut world = BTreeMap::new();
    for branch in branches.list().unwrap() {
        world.insert(branch.name.clone(), read(branches, &branch.name).unwrap());
    }
    world
}

fn prepared(seed: u64) -> SimVfs {
    let disk = SimVfs::new(seed);
    let branches = open(&disk, Synchronous::Full).unwrap();
    write(&branches, "main", &[("a", Some("1")), ("b", Some("1"))]).unwrap();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("a", Some("2"))]).unwrap();
    write(&branches, "main", &[("c", Some("3"))]).unwrap();
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    write(&branches, "dev", &[("d", Some("4"))]).unwrap();
    disk
}

fn crash_everywhere(work: Work) {
    let (before, after, operations) = {
        let disk = prepared(1);
        let branches = open_again(&disk);
        let before = worlds(&branches);
        let start = disk.operations();
        work(&branches).unwrap();
        branches.manager().checkpoint(CheckpointMode::Full).unwrap();
        let after = worlds(&branches);
        drop(branches);
        (before, after, disk.operations() - start)
    };
    assert!(before != after && operations > 3);
    let mut seen = [false; 2];
    // During each operation, then, one further on, when all is done.
    for at in 1..=operations + 1 {
        let disk = prepared(at + 2);
        let branches = open_again(&disk);
        assert_eq!(worlds(&branches), before, "operation {at}");
        disk.crash_at(disk.operations() + at);
        let done = work(&branches);
        let _ = branches.manager().checkpoint(CheckpointMode::Full);
        drop(branches);
        assert_eq!(disk.is_on(), at > operations, "operation {at} of {operations}");
        disk.clear_faults();
        disk.restart();
        let branches = open(&disk, Synchronous::Full).unwrap();
        let world = worlds(&branches);
        let is_after = world == after;
        assert!(is_after || world == before, "operation {at}: {world:?}");
        assert!(is_after || done.is_err(), "operation {at}: what was acknowledged is gone");
        seen[usize::from(is_after)] = true;
        check_file(&branches);
        // Nothing is left of what was cut short, and the same can be done again.
        if !is_after {
            work(&branches).unwrap();
            assert_eq!(worlds(&branches), after, "operation {at}");
        }
        let state = branches.state().unwrap();
        let known = 1 + state.heads.len() + state.anchors.len() + state.reflog.len();
        assert_eq!(branches.manager().heads().unwrap().len(), known + state.tags.len());
    }
    assert_eq!(seen, [true, true]);
}

fn open_again(disk: &SimVfs) -> Branches {
    disk.kill_process();
    open(disk, Synchronous::Full).unwrap()
}

#[test]
fn a_crash_while_a_branch_is_made_leaves_all_or_nothing() {
    crash_everywhere(|branches| create(branches, "new", "main", Point::Now).map(drop));
}

#[test]
fn a_crash_while_a_branch_is_dropped_leaves_all_or_nothing() {
    crash_everywhere(|branches| branches.drop_branch("dev").map(drop));
}

#[test]
fn a_crash_while_a_merge_commits_leaves_all_or_nothing() {
    crash_everywhere(|branches| merge(branches, "dev", "main", true).map(drop));
}

#[test]
fn a_crash_while_a_branch_is_reset_leaves_all_or_nothing() {
    crash_everywhere(|branches| {
        let commit = branches.position(&branches.get("main")?)?.commit;
        let commit =
            if read(branches, "main")?.contains_key("c".as_bytes()) { commit - 1 } else { commit };
        branches.reset("main", &Point::Number(commit)).map(drop)
    });
}
