//! What each verb does, and how each refusal reads.

use pandodb_tm::CheckpointMode;

use super::*;
use crate::error::ErrorKind;
use crate::merge::{Conflict, ConflictKey, ConflictKind, Pick, RuleScope, Scope};
use crate::shape::{ColumnId, ObjectId};
use crate::sizes::Sizes;

fn start() -> (SimVfs, Branches) {
    let disk = SimVfs::new(3);
    let branches = open(&disk, Synchronous::Normal).unwrap();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    (disk, branches)
}

fn reopen(disk: &SimVfs, branches: Branches) -> Branches {
    drop(branches);
    disk.kill_process();
    open(disk, Synchronous::Normal).unwrap()
}

fn refused<T: std::fmt::Debug>(outcome: Result<T>, kind: ErrorKind, words: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "'{words}' is not in '{error}'");
}

#[test]
fn every_refusal_says_what_is_wrong_and_changes_nothing() {
    let (_disk, branches) = start();
    create(&branches, "feature/Login-2", "main", Point::Now).unwrap();
    create(&branches, "other", "main", Point::Now).unwrap();
    let before = branches.state().unwrap().commit;
    let heads = branches.manager().heads().unwrap().len();
    refused(branches.get("feature/login2"), ErrorKind::UnknownBranch, "'feature/Login-2'");
    refused(branches.view("main", &Point::Tag("v1".into())), ErrorKind::UnknownTag, "tag 'v1'");
    refused(create(&branches, "MAIN", "main", Point::Now), ErrorKind::Exists, "already");
    refused(create(&branches, "..", "main", Point::Now), ErrorKind::InvalidName, "folders");
    refused(create(&branches, "*", "main", Point::Now), ErrorKind::InvalidName, "all of them");
    refused(create(&branches, "x", "nope", Point::Now), ErrorKind::UnknownBranch, "nope");
    let future = Point::Commit(1_000_000);
    refused(create(&branches, "x", "main", future), ErrorKind::UnknownCommit, "newest one");
    refused(branches.drop_branch("main"), ErrorKind::Protected, "first one");
    refused(branches.rename("feature/login-2", "main"), ErrorKind::Exists, "already");
    let hint = branches.rename("other", "feature/Login-2").unwrap_err().hint().map(str::to_owned);
    assert_eq!(hint.as_deref(), Some("choose another name"));
    let differs = create(&branches, "Feature/login-2", "main", Point::Now).unwrap_err();
    assert!(differs.to_string().contains("'feature/Login-2' already"), "{differs}");
    assert_eq!(differs.hint(), Some("names are the same in any case: choose another one"));
    let same = create(&branches, "feature/Login-2", "main", Point::Now).unwrap_err();
    assert_eq!(same.hint(), Some("choose another name, or CREATE BRANCH IF NOT EXISTS"));
    refused(branches.begin_merge("main", "Main"), ErrorKind::SelfMerge, "itself");
    refused(branches.merge_into("main"), ErrorKind::UnknownConflict, "no merge");
    refused(branches.commit(1_000_000), ErrorKind::UnknownCommit, "1000000");
    assert_eq!(branches.manager().heads().unwrap().len(), heads);
    // Collecting commits for the last of these wrote records, nothing else did.
    assert!(branches.state().unwrap().commit <= before + 1);
    let protect = |options: &mut BranchOptions| {
        options.protected = true;
        Ok(())
    };
    branches.set_options("main", protect).unwrap();
    refused(branches.rename("main", "trunk"), ErrorKind::Protected, "protected");
    refused(branches.reset("main", &Point::Now), ErrorKind::Protected, "protected");
    let login = |options: &mut BranchOptions| {
        options.read_only = true;
        Ok(())
    };
    let branch = branches.set_options("feature/login-2", login).unwrap();
    let words = "Cannot modify read-only branch: feature/Login-2";
    refused(branches.check_writable(&branch), ErrorKind::ReadOnly, words);
    refused(
        branches.check_head_writable(HeadId(branch.head)).map(drop),
        ErrorKind::ReadOnly,
        words,
    );
    refused(branches.begin_merge("main", "feature/login-2"), ErrorKind::ReadOnly, words);
}

#[test]
fn records_survive_a_reopen_and_names_are_found_in_any_case() {
    let (disk, branches) = start();
    let mut options = BranchOptions { description: "login".into(), ..BranchOptions::default() };
    options.free.insert("region".into(), "eu".into());
    let made =
        CreateBranch { name: "Dév/eins".into(), parent: "main".into(), at: Point::Now, options };
    let made = branches.create(&made).unwrap();
    write(&branches, "dév/EINS", &[("b", Some("2"))]).unwrap();
    branches.rename("Dév/eins", "zwei").unwrap();
    branches.grant(&[Privilege::Read, Privilege::Merge], "zwei", "ann").unwrap();
    branches.revoke(&[Privilege::Merge], "zwei", "ann").unwrap();
    let numbers = (branches.fresh_number().unwrap(), branches.fresh_number().unwrap());
    assert_eq!(numbers.1, numbers.0 + 1);
    let branches = reopen(&disk, branches);
    assert!(branches.fresh_number().unwrap() > numbers.1);
    let found = branches.get("ZWEI").unwrap();
    assert_eq!((found.id, found.parent.as_deref()), (made.id, Some("main")));
    assert_eq!(found.options.free["region"], "eu");
    assert_eq!(read(&branches, "zwei").unwrap(), content_of(&[("a", "1"), ("b", "2")]));
    assert_eq!(read(&branches, "main").unwrap(), content_of(&[("a", "1")]));
    branches.check_privilege(Some("ann"), &found, Privilege::Read).unwrap();
    branches.check_privilege(None, &found, Privilege::Admin).unwrap();
    let denied = branches.check_privilege(Some("ann"), &found, Privilege::Merge);
    refused(denied, ErrorKind::Permission, "GRANT MERGE");
    let grants = branches.state().unwrap();
    assert_eq!(grants.grants(found.id), [("ann", vec![Privilege::Read])]);
}

#[test]
fn temporary_and_expired_branches_go_by_themselves() {
    let (disk, branches) = start();
    let options = BranchOptions { temporary: true, ..BranchOptions::default() };
    let name = |name: &str, options: BranchOptions| CreateBranch {
        name: name.into(),
        parent: "main".into(),
        at: Point::Now,
        options,
    };
    branches.create(&name("temp", options)).unwrap();
    let options = BranchOptions { ttl: Some(1_000_000), ..BranchOptions::default() };
    branches.create(&name("short", options)).unwrap();
    assert_eq!(branches.expire().unwrap(), Vec::<String>::new());
    disk.clock().sleep(Duration::from_secs(2));
    assert_eq!(branches.expire().unwrap(), ["short"]);
    let branches = reopen(&disk, branches);
    let names: Vec<String> = branches.list().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["main"]);
    assert_eq!(branches.manager().heads().unwrap().len(), 2);
}

#[test]
fn moments_are_found_by_number_time_and_tag() {
    let (disk, branches) = start();
    let first = write(&branches, "main", &[("a", Some("2"))]).unwrap();
    disk.clock().sleep(Duration::from_secs(1));
    let time = disk.clock().now_micros();
    disk.clock().sleep(Duration::from_secs(1));
    branches.tag("main", "v1", &Point::Now, "first").unwrap();
    write(&branches, "main", &[("a", Some("3"))]).unwrap();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("a", Some("4"))]).unwrap();
    let two = content_of(&[("a", "2")]);
    for at in [Point::Commit(first), Point::Time(time), Point::Tag("V1".into())] {
        assert_eq!(read_at(&branches, "main", &at).unwrap(), two, "{at}");
        // A branch's past goes on in its parent.
        assert_eq!(read_at(&branches, "dev", &at).unwrap(), two, "{at}");
        create(&branches, "old", "dev", at.clone()).unwrap();
        assert_eq!(read(&branches, "old").unwrap(), two, "{at}");
        write(&branches, "old", &[("b", Some("5"))]).unwrap();
        assert_eq!(merge(&branches, "old", "main", false).unwrap(), MergeKind::ThreeWay);
        branches.drop_branch("old").unwrap();
    }
    let expected = content_of(&[("a", "3"), ("b", "5")]);
    assert_eq!(read(&branches, "main").unwrap(), expected);
    let moved = branches.reset("main", &Point::Tag("v1".into())).unwrap();
    assert_eq!(read(&branches, "main").unwrap(), two);
    let entry = branches.state().unwrap().reflog().next().cloned().unwrap();
    assert_eq!((entry.branch, entry.reason.as_str()), (moved.id, "reset to tag 'v1'"));
    branches.reset("main", &Point::Reflog(entry.number)).unwrap();
    assert_eq!(read(&branches, "main").unwrap(), expected);
    branches.drop_tag("v1").unwrap();
    refused(branches.drop_tag("v1"), ErrorKind::UnknownTag, "v1");
    // What is too old is refused with the oldest moment that is left.
    branches.manager().set_retention(Retention::NOTHING);
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    branches.manager().set_retention(Retention { time: None, log_bytes: None });
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    write(&branches, "main", &[("a", Some("9"))]).unwrap();
    // A moment that a merge needs is kept all the same.
    let old = read_at(&branches, "main", &Point::Commit(first - 1));
    refused(old, ErrorKind::NotRetained, "before what is kept");
}

#[test]
fn strategies_are_what_they_say() {
    let (_disk, branches) = start();
    let with = |name: &str, strategy| CreateBranch {
        name: name.into(),
        parent: "main".into(),
        at: Point::Now,
        options: BranchOptions { strategy, ..BranchOptions::default() },
    };
    let rows: Vec<String> = (0..400).map(|row| format!("row {row:05} of some length")).collect();
    let rows: Vec<(&str, Option<&str>)> = rows.iter().map(|row| (&**row, Some("value"))).collect();
    write(&branches, "main", &rows).unwrap();
    let readonly = branches.create(&with("frozen", Strategy::ReadOnly)).unwrap();
    assert!(readonly.options.read_only);
    branches.create(&with("cow", Strategy::Cow)).unwrap();
    branches.create(&with("copy", Strategy::Copy)).unwrap();
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    let sizes = Sizes::default();
    let size = |name: &str| sizes.of(&branches, name).unwrap().all;
    assert!(size("cow").own_bytes < size("cow").shared_bytes / 4, "{:?}", size("cow"));
    let copy = sizes.of(&branches, "copy").unwrap();
    assert_eq!(read(&branches, "copy").unwrap(), read(&branches, "main").unwrap());
    assert!(copy.all.total_bytes() > 1000);
    refused(Strategy::parse("lazy"), ErrorKind::InvalidOption, "cow, copy or readonly");
    assert_eq!(Strategy::parse("READONLY").unwrap(), Strategy::ReadOnly);
}

#[test]
fn sizes_tell_to_the_granule_what_a_drop_frees() {
    let disk = SimVfs::new(9);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let history = Retention::NOTHING;
    let options = Options { history, ..options(Synchronous::Normal) };
    let manager = Manager::open(&vfs, Path::new("base.pando"), &options).unwrap();
    let branches = Branches::open(Arc::new(manager)).unwrap();
    let rows = |name: &str, from: usize, to: usize, value: &str| {
        let keys: Vec<String> = (from..to).map(|row| format!("row {row:05}")).collect();
        let rows: Vec<(&str, Option<&str>)> =
            keys.iter().map(|key| (&**key, Some(value))).collect();
        write(&branches, name, &rows).unwrap();
    };
    let checkpoint = || branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    let used = || {
        let counts = branches.manager().store().info().unwrap().space;
        (counts.end - counts.free - counts.pending - counts.unattached) * 512
    };
    rows("main", 0, 2000, "some value of main");
    create(&branches, "dev", "main", Point::Now).unwrap();
    rows("dev", 100, 140, "another value");
    rows("dev", 5000, 5300, "more");
    checkpoint();
    let sizes = Sizes::default();
    let dev = sizes.of(&branches, "dev").unwrap();
    assert!(dev.all.own_bytes > 2048 && dev.all.shared_bytes > dev.all.own_bytes);
    let of_trees: u64 = dev.trees.iter().map(|(_, size)| size.total_bytes()).sum();
    assert!(of_trees <= dev.all.total_bytes());
    assert_eq!(sizes.of(&branches, "dev").unwrap(), dev, "the second time from memory");
    let before = used();
    let main_before = sizes.of(&branches, "main").unwrap().all;
    assert_eq!(branches.drop_branch("dev").unwrap().anchors, 1);
    checkpoint();
    checkpoint();
    let freed = before.saturating_sub(used());
    // The records and the space map are written anew meanwhile, a few pages.
    assert!(freed.abs_diff(dev.all.freed_bytes) <= 4096, "{freed} {dev:?}");
    let main = sizes.of(&branches, "main").unwrap().all;
    assert_eq!(main.shared_bytes, 0);
    assert_eq!(main.own_bytes, main_before.total_bytes());
}

#[test]
fn what_a_drop_frees_is_told_before_with_what_only_its_moments_held() {
    for is_copy in [false, true] {
        let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(9));
        let options = Options { history: Retention::NOTHING, ..options(Synchronous::Normal) };
        let manager = Manager::open(&vfs, Path::new("base.pando"), &options).unwrap();
        let branches = Branches::open(Arc::new(manager)).unwrap();
        let rows = |name: &str, value: &str| {
            let keys: Vec<String> = (0..3000).map(|row| format!("row {row:05}")).collect();
            let rows: Vec<(&str, Option<&str>)> =
                keys.iter().map(|key| (&**key, Some(value))).collect();
            write(&branches, name, &rows).unwrap();
        };
        let used = || {
            branches.manager().checkpoint(CheckpointMode::Full).unwrap();
            branches.manager().checkpoint(CheckpointMode::Full).unwrap();
            let counts = branches.manager().store().info().unwrap().space;
            (counts.end - counts.free - counts.pending - counts.unattached) * 512
        };
        rows("main", "some value of main");
        let strategy = if is_copy { Strategy::Copy } else { Strategy::Cow };
        let options = BranchOptions { strategy, ..BranchOptions::default() };
        let (name, parent) = ("dev".to_owned(), "main".to_owned());
        branches.create(&CreateBranch { name, parent, at: Point::Now, options }).unwrap();
        // What dev still shows is now held by it and by the moment that it left main.
        rows("main", "another value of main");
        let sizes = Sizes::default();
        let before = used();
        let dev = sizes.of(&branches, "dev").unwrap();
        assert!(dev.all.freed_bytes > 50_000, "{dev:?}");
        if is_copy {
            // All but nothing is its own; the moment that it left is its parent's pages.
            assert!(dev.all.shared_bytes == 0 && dev.all.own_bytes > 25_000, "{dev:?}");
            assert!(dev.all.freed_bytes > dev.all.own_bytes + 25_000, "{dev:?}");
        } else {
            assert!(dev.all.own_bytes < 2048, "{dev:?}");
        }
        let of_trees: u64 = dev.trees.iter().map(|(_, size)| size.freed_bytes).sum();
        assert!(of_trees <= dev.all.freed_bytes && of_trees > 50_000, "{dev:?}");
        branches.drop_branch("dev").unwrap();
        let freed = before - used();
        assert!(freed.abs_diff(dev.all.freed_bytes) <= 1024, "{freed} {dev:?}");
    }
}

#[test]
fn merges_start_from_the_right_base_again_and_again() {
    let (_disk, branches) = start();
    create(&branches, "dev", "main", Point::Now).unwrap();
    let commit = write(&branches, "dev", &[("d", Some("1"))]).unwrap();
    assert_eq!(merge(&branches, "dev", "main", false).unwrap(), MergeKind::FastForward);
    assert_eq!(merge(&branches, "dev", "main", false).unwrap(), MergeKind::UpToDate);
    write(&branches, "dev", &[("x", Some("1"))]).unwrap();
    assert_eq!(merge(&branches, "dev", "main", false).unwrap(), MergeKind::FastForward);
    write(&branches, "dev", &[("x", None)]).unwrap();
    write(&branches, "main", &[("m", Some("1"))]).unwrap();
    write(&branches, "dev", &[("d", None), ("e", Some("2"))]).unwrap();
    assert_eq!(merge(&branches, "dev", "main", false).unwrap(), MergeKind::ThreeWay);
    let expected = content_of(&[("a", "1"), ("e", "2"), ("m", "1")]);
    assert_eq!(read(&branches, "main").unwrap(), expected);
    // What main deletes now is not brought back by the next merge.
    write(&branches, "main", &[("e", None)]).unwrap();
    write(&branches, "dev", &[("f", Some("3"))]).unwrap();
    assert_eq!(merge(&branches, "dev", "main", false).unwrap(), MergeKind::ThreeWay);
    let expected = content_of(&[("a", "1"), ("f", "3"), ("m", "1")]);
    assert_eq!(read(&branches, "main").unwrap(), expected);
    // Of all the moments that merges started from, the newest one of each line is kept.
    assert_eq!(branches.manager().heads().unwrap().len(), 5);
    assert_eq!(merge(&branches, "main", "dev", false).unwrap(), MergeKind::FastForward);
    assert_eq!(read(&branches, "dev").unwrap(), expected);
    let state = branches.get("dev").unwrap().state;
    assert!(matches!(state, BranchState::Merged { into, .. } if into == "main"));
    let messages: Vec<u64> =
        branches.commits("main", 100).unwrap().iter().map(|it| it.commit).collect();
    assert!(messages.contains(&commit), "the source's commits are in the target's history");
    assert!(messages.is_sorted_by(|left, right| left > right));
    assert_eq!(branches.commit(commit).unwrap().message, "write dev");
    let (_, before, after) = branches.commit_views(commit, None).unwrap();
    let contents = |view: &View| contents(branches.manager(), &view.forest()).unwrap();
    assert!(!contents(&before).contains_key("d".as_bytes()));
    assert!(contents(&after).contains_key("d".as_bytes()));
    // A branch that is gone leaves its commits in the history of who took them.
    merge(&branches, "dev", "main", false).unwrap();
    branches.drop_branch("dev").unwrap();
    assert_eq!(branches.manager().heads().unwrap().len(), 2);
}

#[test]
fn a_branch_of_what_a_reset_left_brings_it_back_by_a_merge() {
    let (_disk, branches) = start();
    let first = write(&branches, "main", &[("a", Some("2"))]).unwrap();
    let second = write(&branches, "main", &[("b", Some("1"))]).unwrap();
    branches.reset("main", &Point::Commit(first)).unwrap();
    write(&branches, "main", &[("c", Some("1"))]).unwrap();
    create(&branches, "old", "main", Point::Commit(second)).unwrap();
    assert_eq!(read(&branches, "old").unwrap(), content_of(&[("a", "2"), ("b", "1")]));
    assert_eq!(merge(&branches, "old", "main", false).unwrap(), MergeKind::ThreeWay);
    let expected = content_of(&[("a", "2"), ("b", "1"), ("c", "1")]);
    assert_eq!(read(&branches, "main").unwrap(), expected);
}

#[test]
fn crossed_merges_list_the_other_ancestor() {
    let (_disk, branches) = start();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("d", Some("1"))]).unwrap();
    write(&branches, "main", &[("m", Some("1"))]).unwrap();
    // Both merges are planned before either is done: they cross.
    let plans = [
        branches.begin_merge("dev", "main").unwrap(),
        branches.begin_merge("main", "dev").unwrap(),
    ];
    for plan in &plans {
        let head = HeadId(plan.target.head);
        let mut transaction = branches.manager().begin(head, BeginOptions::default()).unwrap();
        apply(&branches, plan, &mut transaction).unwrap();
        branches.record_merge(plan, &mut transaction).unwrap();
        transaction.commit().unwrap();
    }
    drop(plans);
    branches.maintain().unwrap();
    let plan = branches.begin_merge("dev", "main").unwrap();
    assert_eq!((plan.kind, plan.bases.len()), (MergeKind::ThreeWay, 2));
    let [ancestor] = plan.ancestors() else { panic!("one other ancestor") };
    let contents = |forest| contents(branches.manager(), &forest).unwrap();
    assert_eq!(contents(plan.base()), content_of(&[("a", "1"), ("m", "1")]));
    assert_eq!(contents(ancestor.theirs()), content_of(&[("a", "1"), ("d", "1")]));
    assert_eq!(contents(ancestor.partings()[0].base()), content_of(&[("a", "1")]));
    let fork = branches.fork_view(plan.base_view()).unwrap();
    let mut transaction = fork.begin(BeginOptions::default()).unwrap();
    change(&mut transaction, &[("d", Some("1"))]).unwrap();
    transaction.commit().unwrap();
    branches.abandon_merge(plan).unwrap();
}

#[test]
fn a_merge_in_a_callers_transaction_goes_with_it() {
    let (_disk, branches) = start();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("d", Some("1"))]).unwrap();
    write(&branches, "main", &[("m", Some("1"))]).unwrap();
    let plan = branches.begin_merge("dev", "main").unwrap();
    let head = HeadId(plan.target.head);
    let mut transaction = branches.manager().begin(head, BeginOptions::default()).unwrap();
    change(&mut transaction, &[("own", Some("work"))]).unwrap();
    apply(&branches, &plan, &mut transaction).unwrap();
    branches.record_merge(&plan, &mut transaction).unwrap();
    change(&mut transaction, &[("more", Some("work"))]).unwrap();
    transaction.rollback();
    assert_eq!(read(&branches, "main").unwrap(), content_of(&[("a", "1"), ("m", "1")]));
    assert_eq!(branches.get("dev").unwrap().state, BranchState::Active);
    let again = branches.begin_merge("dev", "main").unwrap();
    assert_eq!(again.kind, MergeKind::ThreeWay);
    assert_eq!(again.source_head(), plan.source_head(), "the anchor serves again");
    branches.abandon_merge(again).unwrap();
    branches.abandon_merge(plan).unwrap();
    assert_eq!(branches.manager().heads().unwrap().len(), 4);
}

fn conflict(row: u8) -> Conflict {
    Conflict {
        key: ConflictKey { object: ObjectId(7), scope: Scope::Cell(vec![row], ColumnId(9)) },
        kind: ConflictKind::Data,
        object_kind: crate::diff::schema::ObjectKind::Table,
        object_name: "t".into(),
        column_name: Some("c".into()),
        columns: vec!["c".into()],
        row_key: vec![pandodb_ds::record::Value::Integer(row.into())],
        base: Some(vec![pandodb_ds::record::Value::Null]),
        ours: Some(vec![pandodb_ds::record::Value::Real(1.5)]),
        theirs: None,
        detail: "both branches changed c".into(),
    }
}

#[test]
fn open_merges_survive_a_reopen_and_vanish_without_a_trace() {
    let (disk, branches) = start();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("d", Some("1"))]).unwrap();
    write(&branches, "main", &[("d", Some("2"))]).unwrap();
    let heads = branches.manager().heads().unwrap().len();
    let plan = branches.begin_merge("dev", "main").unwrap();
    let open = branches.open_merge(&plan, b"options", &[conflict(1), conflict(2)]).unwrap();
    let branches = reopen(&disk, branches);
    write(&branches, "dev", &[("later", Some("1"))]).unwrap();
    refused(branches.begin_merge("dev", "main"), ErrorKind::MergeOpen, "ABORT MERGE");
    refused(branches.drop_branch("dev"), ErrorKind::InUse, "open merge");
    let found = branches.merge_into("main").unwrap();
    assert_eq!(found, open);
    refused(branches.resolve(&found, 9, Pick::Ours), ErrorKind::UnknownConflict, "conflict 9");
    let cell = Pick::Cell(pandodb_ds::record::Value::text("x"));
    branches.resolve(&found, 1, cell.clone()).unwrap();
    let rule = RuleScope::Column(ObjectId(7), ColumnId(9));
    branches.resolve_all(&found, rule, &Pick::Theirs).unwrap();
    let found = branches.merge_into("main").unwrap();
    let conflicts = branches.conflicts(&found).unwrap();
    assert_eq!(conflicts[0].conflict, conflict(1));
    assert_eq!(conflicts[0].resolution, Some(cell));
    assert_eq!((conflicts[1].number, &conflicts[1].resolution), (2, &Some(Pick::Theirs)));
    let (plan, resolutions) = branches.resume_merge(&found).unwrap();
    assert_eq!(resolutions.picks.len() + resolutions.rules.len(), 2);
    let theirs = contents(branches.manager(), &plan.theirs()).unwrap();
    assert!(!theirs.contains_key("later".as_bytes()), "the source as it was when it began");
    branches.reopen_merge(&found, &[conflict(3), conflict(2)]).unwrap();
    // What was settled stays, and all that were listed keep their numbers.
    let conflicts = branches.conflicts(&found).unwrap();
    let listed: Vec<_> = conflicts.iter().map(|it| (it.number, &it.conflict)).collect();
    assert_eq!(listed, [(1, &conflict(1)), (2, &conflict(2)), (3, &conflict(3))]);
    assert!(conflicts[0].resolution.is_some() && conflicts[1].resolution.is_none());
    refused(branches.resolve(&found, 0, Pick::Ours), ErrorKind::UnknownConflict, "conflict 0");
    // Numbers of what is gone are not given again.
    branches.resolve_all(&found, RuleScope::All, &Pick::Theirs).unwrap();
    let unsettled = OpenMerge { resolutions: Vec::new(), ..found.clone() };
    branches.reopen_merge(&unsettled, &[conflict(1)]).unwrap();
    branches.reopen_merge(&unsettled, &[conflict(1), conflict(4)]).unwrap();
    let conflicts = branches.conflicts(&found).unwrap();
    let listed: Vec<_> = conflicts.iter().map(|it| (it.number, &it.conflict)).collect();
    assert_eq!(listed, [(1, &conflict(1)), (4, &conflict(4))]);
    drop(plan);
    branches.abort_merge(&found).unwrap();
    refused(branches.merge_into("main"), ErrorKind::UnknownConflict, "no merge");
    refused(branches.abort_merge(&found), ErrorKind::UnknownConflict, "not open");
    assert!(branches.conflicts(&found).unwrap().is_empty());
    assert_eq!(branches.manager().heads().unwrap().len(), heads);
    // Completed: one commit closes it and notes that it happened.
    let plan = branches.begin_merge("dev", "main").unwrap();
    let open = branches.open_merge(&plan, b"", &[conflict(1)]).unwrap();
    let (plan, _) = branches.resume_merge(&open).unwrap();
    let head = HeadId(plan.target.head);
    let mut transaction = branches.manager().begin(head, BeginOptions::default()).unwrap();
    apply(&branches, &plan, &mut transaction).unwrap();
    branches.record_merge(&plan, &mut transaction).unwrap();
    branches.close_merge(&open, &mut transaction).unwrap();
    transaction.commit().unwrap();
    assert_eq!(branches.begin_merge("dev", "main").unwrap().kind, MergeKind::UpToDate);
    assert_eq!(branches.state().unwrap().open_merges().count(), 0);
}

#[test]
fn forks_are_private_and_leave_nothing() {
    let (_disk, branches) = start();
    let first = write(&branches, "main", &[("b", Some("1"))]).unwrap();
    write(&branches, "main", &[("b", Some("2"))]).unwrap();
    let heads = branches.manager().heads().unwrap().len();
    let log = branches.manager().progress().staged;
    {
        let fork = branches.fork("main").unwrap();
        let mut transaction = fork.begin(BeginOptions::default()).unwrap();
        change(&mut transaction, &[("b", None), ("c", Some("3"))]).unwrap();
        transaction.commit().unwrap();
        let inner = crate::fork::Fork::of(branches.manager(), fork.head()).unwrap();
        let reader = inner.begin(BeginOptions::read_only()).unwrap();
        let expected = content_of(&[("a", "1"), ("c", "3")]);
        assert_eq!(contents(branches.manager(), &reader.forest()).unwrap(), expected);
        let before = contents(branches.manager(), &fork.before()).unwrap();
        assert_eq!(before, read(&branches, "main").unwrap());
        fork.check_base().unwrap();
        assert_eq!(branches.manager().progress().staged, log, "nothing went to the log");
        write(&branches, "main", &[("z", Some("1"))]).unwrap();
        refused(fork.check_base(), ErrorKind::Moved, "preview it again");
        let past = branches.fork_at("main", &Point::Commit(first)).unwrap();
        let reader = past.begin(BeginOptions::read_only()).unwrap();
        let expected = content_of(&[("a", "1"), ("b", "1")]);
        assert_eq!(contents(branches.manager(), &reader.forest()).unwrap(), expected);
        refused(past.check_base(), ErrorKind::Moved, "past");
    }
    assert_eq!(branches.manager().heads().unwrap().len(), heads);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let branches = &branches;
            scope.spawn(move || {
                for _ in 0..25 {
                    let fork = branches.fork("main").unwrap();
                    let mut transaction = fork.begin(BeginOptions::default()).unwrap();
                    change(&mut transaction, &[("t", Some(&number.to_string()))]).unwrap();
                    transaction.commit().unwrap();
                }
            });
        }
    });
    assert!(!read(&branches, "main").unwrap().contains_key("t".as_bytes()));
}

#[test]
fn a_database_in_memory_has_branches_too() {
    let manager = Manager::open_in_memory(&Options::default()).unwrap();
    let branches = Branches::open(Arc::new(manager)).unwrap();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("b", Some("1"))]).unwrap();
    write(&branches, "main", &[("c", Some("1"))]).unwrap();
    assert_eq!(merge(&branches, "dev", "main", true).unwrap(), MergeKind::ThreeWay);
    let expected = content_of(&[("a", "1"), ("b", "1"), ("c", "1")]);
    assert_eq!(read(&branches, "main").unwrap(), expected);
    assert_eq!(branches.list().unwrap().len(), 1);
}

#[test]
fn branches_are_made_merged_and_dropped_by_many_threads() {
    let disk = SimVfs::new(4);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let busy_timeout = Duration::from_mins(1);
    let options = Options { busy_timeout, ..options(Synchronous::Normal) };
    let manager = Manager::open(&vfs, Path::new("base.pando"), &options).unwrap();
    let branches = Branches::open(Arc::new(manager)).unwrap();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let branches = &branches;
            scope.spawn(move || {
                for round in 0..5 {
                    let name = format!("t{thread}/{round}");
                    create(branches, &name, "main", Point::Now).unwrap();
                    let key = format!("k{thread}{round}");
                    write(branches, &name, &[(&key, Some("x"))]).unwrap();
                    while let Err(error) = merge(branches, &name, "main", round % 2 == 0) {
                        // Somebody else moved the target between the plan and the commit.
                        assert_eq!(error.kind(), ErrorKind::Moved, "{error}");
                    }
                }
            });
        }
    });
    assert_eq!(read(&branches, "main").unwrap().len(), 21);
    assert_eq!(branches.list().unwrap().len(), 1 + 4 * 2);
    check_file(&branches);
}

#[test]
fn a_moment_that_was_asked_for_is_found_again_for_a_while() {
    let disk = SimVfs::new(77);
    let branches = open(&disk, Synchronous::Normal).unwrap();
    let mut commits = Vec::new();
    for number in 0..8 {
        write(&branches, "main", &[("a", Some(&number.to_string()))]).unwrap();
        commits.push(branches.position(&branches.get("main").unwrap()).unwrap().commit);
    }
    let forest = |at: usize| {
        let view = branches.view("main", &Point::Commit(commits[at])).unwrap();
        view.forest()
    };
    // The very same trees, where rebuilding would make equal ones.
    assert!(forest(2).is_same_version(&forest(2)));
    assert!(!forest(2).is_same_version(&forest(3)));
    for (at, commit) in commits.iter().enumerate().take(7) {
        let view = branches.view("main", &Point::Commit(*commit)).unwrap();
        let tree = view.forest().tree(DATA).cloned().unwrap();
        let value = tree.get(branches.manager().pager(), b"a").unwrap().unwrap();
        assert_eq!(value, at.to_string().as_bytes());
    }
    let kept = branches.kept_versions();
    assert!(kept > 0 && kept <= 4, "{kept}");
    // They go when nobody has asked for seconds.
    disk.clock().sleep(Duration::from_mins(1));
    branches.let_go();
    assert_eq!(branches.kept_versions(), 0);
}

#[test]
fn a_branch_that_goes_meanwhile_is_told_as_that() {
    let (_disk, branches) = start();
    create(&branches, "dev", "main", Point::Now).unwrap();
    let fork = branches.fork("dev").unwrap();
    let dev = branches.get("dev").unwrap();
    let words = "dropped or reset meanwhile";
    // Looked up before, used after the drop: what a race of threads comes to.
    branches.drop_branch("dev").unwrap();
    refused(branches.position(&dev), ErrorKind::Moved, words);
    refused(branches.view_now(&dev), ErrorKind::Moved, words);
    refused(
        branches.create_now(&CreateBranch::default(), &dev, dev.options.clone()),
        ErrorKind::Moved,
        words,
    );
    refused(crate::fork::Fork::of(branches.manager(), HeadId(dev.head)), ErrorKind::Moved, words);
    refused(fork.check_base(), ErrorKind::Moved, words);
}

#[test]
fn upkeep_leaves_the_moment_of_a_merge_that_has_begun() {
    let (_disk, branches) = start();
    create(&branches, "dev", "main", Point::Now).unwrap();
    for target_moves in [false, true] {
        write(&branches, "dev", &[("b", Some(if target_moves { "2" } else { "1" }))]).unwrap();
        if target_moves {
            write(&branches, "main", &[("c", Some("1"))]).unwrap();
        }
        branches.maintain().unwrap();
        let heads = branches.manager().heads().unwrap().len();
        let plan = branches.begin_merge("dev", "main").unwrap();
        // Nobody but the plan needs the moment yet.
        branches.maintain().unwrap();
        // A second merge of the same moment is given up: the first one still needs it.
        let second = branches.begin_merge("dev", "main").unwrap();
        assert_eq!(second.source_head(), plan.source_head());
        branches.abandon_merge(second).unwrap();
        branches.maintain().unwrap();
        branches.manager().head(plan.source_head()).unwrap();
        branches.abandon_merge(plan).unwrap();
        assert_eq!(branches.manager().heads().unwrap().len(), heads);
        merge(&branches, "dev", "main", false).unwrap();
        check_records(&branches);
    }
}

#[test]
fn a_branch_of_the_past_is_a_base_where_it_was_left_before_its_first_commit() {
    let (disk, branches) = start();
    write(&branches, "main", &[("b", Some("2"))]).unwrap();
    let first = branches.position(&branches.get("main").unwrap()).unwrap().commit;
    write(&branches, "main", &[("c", Some("3"))]).unwrap();
    create(&branches, "later", "main", Point::Now).unwrap();
    create(&branches, "past", "main", Point::Commit(first)).unwrap();
    create(&branches, "work", "past", Point::Now).unwrap();
    write(&branches, "work", &[("w", Some("4"))]).unwrap();
    merge(&branches, "work", "later", true).unwrap();
    // Nothing keeps the moment by a head any more, and the branch has moved on from it.
    write(&branches, "past", &[("p", Some("5"))]).unwrap();
    let check = |branches: &Branches| {
        let plan = branches.begin_merge("later", "past").unwrap();
        assert_eq!(plan.bases, [Position { line: LineId(1), commit: first }]);
        assert_eq!(contents(branches.manager(), &plan.base()).unwrap().len(), 2);
        branches.abandon_merge(plan).unwrap();
    };
    check(&branches);
    let branches = reopen(&disk, branches);
    check(&branches);
    merge(&branches, "later", "past", false).unwrap();
    assert_eq!(read(&branches, "past").unwrap().len(), 5);
}

#[test]
fn what_was_looked_up_before_a_reset_is_no_part_of_the_graph_after_it() {
    let (_disk, branches) = start();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    let first = branches.position(&branches.get("main").unwrap()).unwrap();
    write(&branches, "main", &[("a", Some("2"))]).unwrap();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("b", Some("1"))]).unwrap();
    let main = branches.get("main").unwrap();
    let plan = branches.begin_merge("dev", "main").unwrap();
    let view = branches.view_now(&main).unwrap();
    branches.reset("main", &Point::Commit(first.commit)).unwrap();
    let words = "reset meanwhile";
    // The newer commit is none of the older line.
    refused(branches.steady_position(&main), ErrorKind::Moved, words);
    refused(branches.seed(&view), ErrorKind::Moved, words);
    let other = CreateBranch { name: "other".into(), ..CreateBranch::default() };
    let other = branches.create_now(&other, &main, main.options.clone()).unwrap();
    let left = branches.with(|state| state.graph.line(other.line).unwrap().parent).unwrap();
    let now = branches.get("main").unwrap();
    assert_eq!(left, Some(branches.steady_position(&now).unwrap()));
    assert_ne!(now.line, main.line);
    // Nor is a merge that was worked out for what is not there any more.
    let mut transaction =
        branches.manager().begin(HeadId(main.head), BeginOptions::default()).unwrap();
    refused(branches.record_merge(&plan, &mut transaction), ErrorKind::Moved, words);
    drop(transaction);
    branches.abandon_merge(plan).unwrap();
    check_records(&branches);
}

#[test]
fn a_merge_that_another_one_overtook_is_worked_out_again() {
    let (_disk, branches) = start();
    for name in ["one", "two"] {
        create(&branches, name, "main", Point::Now).unwrap();
        write(&branches, name, &[(name, Some("1"))]).unwrap();
    }
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    let plan = branches.begin_merge("one", "main").unwrap();
    merge(&branches, "two", "main", false).unwrap();
    let head = HeadId(plan.target.head);
    let mut transaction = branches.manager().begin(head, BeginOptions::default()).unwrap();
    refused(branches.record_merge(&plan, &mut transaction), ErrorKind::Moved, "meanwhile");
    drop(transaction);
    branches.abandon_merge(plan).unwrap();
    merge(&branches, "one", "main", false).unwrap();
    let rows = [("a", "1"), ("one", "1"), ("two", "1")];
    assert_eq!(read(&branches, "main").unwrap(), content_of(&rows));
}
