//! What merges and moments need is there, whatever history has lost.
//!
//! Neighbours: `super` lives the steps.

use proptest::collection::vec;

use super::*;

/// Branches that are merged with each other all the time, while history comes and goes.
fn crossing_steps() -> impl Strategy<Value = Vec<Step>> {
    vec(prop_oneof![8 => crossing_step(), 1 => Just(Step::Forget)], 1..60)
}

/// The same with all of history, out of which branches begin.
fn crossing_steps_in_the_past() -> impl Strategy<Value = Vec<Step>> {
    let branch = 0..4_usize;
    let commit = any::<prop::sample::Index>();
    let step = prop_oneof![
        12 => crossing_step(),
        2 => (branch.clone(), branch.clone(), any::<u8>())
            .prop_map(|(one, other, key)| Step::Together { one, other, key }),
        1 => (branch.clone(), commit.clone())
            .prop_map(|(parent, commit)| Step::CreateAtAny { parent, commit }),
        2 => (branch, commit).prop_map(|(branch, commit)| Step::ResetToAny { branch, commit }),
    ];
    vec(step, 1..60)
}

fn crossing_step() -> impl Strategy<Value = Step> {
    let branch = 0..4_usize;
    prop_oneof![
        6 => (branch.clone(), any::<u8>())
            .prop_map(|(branch, key)| Step::Write { branch, key, count: 1 }),
        3 => branch.clone().prop_map(|parent| Step::Create { parent }),
        1 => branch.clone().prop_map(|branch| Step::Drop { branch }),
        10 => (branch.clone(), branch, prop::bool::weighted(0.05))
            .prop_map(|(source, target, deletes)| Step::Merge { source, target, deletes }),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Kill),
    ]
}

impl World {
    /// Any branch can be merged into any other, by what is kept without history.
    pub(super) fn check_merges(&self) {
        let branches = self.branches();
        let manager = branches.manager();
        let names = || self.now.keys();
        for (source, target) in names().flat_map(|source| names().map(move |it| (source, it))) {
            if source == target {
                continue;
            }
            let plan = branches.begin_merge(source, target).unwrap();
            let newest = plan.bases.iter().max_by_key(|base| base.commit).copied().unwrap();
            let held = |at: &Position| self.moments.get(at).expect("nobody stood there");
            assert_eq!(contents(manager, &plan.base()).unwrap(), *held(&newest));
            let others = plan.bases.iter().filter(|base| **base != newest);
            assert_eq!(plan.ancestors().len() + 1, plan.bases.len());
            let mut joined = vec![newest];
            for (other, ancestor) in others.zip(plan.ancestors()) {
                assert_eq!(contents(manager, &ancestor.theirs()).unwrap(), *held(other));
                let parted = branches.with(|state| state.graph.partings(&joined, *other)).unwrap();
                assert_eq!(ancestor.partings().len(), parted.len());
                for (parting, (_, at)) in ancestor.partings().iter().zip(&parted) {
                    assert_eq!(contents(manager, &parting.base()).unwrap(), *held(at));
                }
                joined.push(*other);
            }
            branches.abandon_merge(plan).unwrap();
        }
        check_records(branches);
    }

    /// A branch shows each commit that it holds as the one who made it left it.
    fn check_commits(&self) {
        let branches = self.branches();
        for name in self.now.keys() {
            let commits = branches.commits(name, usize::MAX).unwrap();
            let own = branches.head(name).unwrap().0;
            for commit in &commits {
                // Of several parts of a commit that a branch has, its own.
                let has_own = commits.iter().any(|it| it.commit == commit.commit && it.head == own);
                let parts = commits.iter().filter(|it| it.commit == commit.commit);
                let mut parts = parts.filter(|it| !has_own || it.head == own);
                let shown = read_at(branches, name, &Point::Commit(commit.commit)).unwrap();
                let is_part = parts.any(|it| self.made[&(it.head, it.commit)].1 == shown);
                assert!(is_part, "{name} shows {shown:?} at {commit:?}");
                let branch = branches.get(name).unwrap();
                let (part, old, new) = branches.commit_views(commit.commit, Some(&branch)).unwrap();
                let old = contents(branches.manager(), &old.forest()).unwrap();
                let new = contents(branches.manager(), &new.forest()).unwrap();
                let made = &self.made[&(part.head, part.commit)];
                assert_eq!((old, new), *made, "{name} undoes {part:?}");
            }
        }
    }

    /// With one branch left nothing is kept for merges.
    fn check_nothing_is_kept(&mut self) {
        let names: Vec<String> = self.now.keys().filter(|name| *name != "main").cloned().collect();
        self.branches().manager().set_retention(Retention::NOTHING);
        for name in names {
            self.branches().drop_branch(&name).unwrap();
            self.now.remove(&name);
            self.check_merges();
        }
        self.branches().maintain().unwrap();
        assert!(self.branches().state().unwrap().anchors.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn merges_need_no_history(steps in crossing_steps()) {
        live_without_history(&steps);
    }

    #[test]
    fn merges_of_branches_from_the_past_need_no_history(steps in crossing_steps_in_the_past()) {
        live_without_history(&steps);
    }

    #[test]
    fn commits_are_shown_as_they_were_made(steps in crossing_steps_in_the_past()) {
        let mut world = World::new();
        for (number, step) in steps.iter().enumerate() {
            world.apply(number, step);
        }
        world.check_commits();
    }
}

fn live_without_history(steps: &[Step]) {
    let mut world = World::new();
    for (number, step) in steps.iter().enumerate() {
        world.apply(number, step);
    }
    super::super::check_file(world.branches());
    world.apply(steps.len(), &Step::Forget);
    world.check_nothing_is_kept();
}

/// What was merged first is needed by nobody once more was merged, and again when the target goes
/// back to before that.
#[test]
fn a_branch_that_goes_back_before_a_merge_can_be_merged_again() {
    let disk = SimVfs::new(11);
    let branches = open(&disk, Synchronous::Normal).unwrap();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    create(&branches, "dev", "main", Point::Now).unwrap();
    let mut between = 0;
    for value in ["1", "2"] {
        write(&branches, "dev", &[("b", Some(value))]).unwrap();
        write(&branches, "main", &[("a", Some(value))]).unwrap();
        merge(&branches, "dev", "main", false).unwrap();
        if value == "1" {
            between = write(&branches, "main", &[("c", Some("1"))]).unwrap();
        }
    }
    create(&branches, "old", "main", Point::Commit(between)).unwrap();
    branches.reset("main", &Point::Commit(between)).unwrap();
    branches.manager().set_retention(Retention::NOTHING);
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    for target in ["main", "old"] {
        let plan = branches.begin_merge("dev", target).unwrap();
        let base = contents(branches.manager(), &plan.base()).unwrap();
        assert_eq!(base, content_of(&[("a", "1"), ("b", "1")]));
        branches.abandon_merge(plan).unwrap();
    }
}

/// A merge that drops its source hands on what the source held: its branches still meet the
/// target there.
#[test]
fn a_merge_that_drops_its_source_keeps_what_the_target_has_from_it() {
    let disk = SimVfs::new(11);
    let branches = open(&disk, Synchronous::Normal).unwrap();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    create(&branches, "dev", "main", Point::Now).unwrap();
    write(&branches, "dev", &[("b", Some("1"))]).unwrap();
    create(&branches, "part", "dev", Point::Now).unwrap();
    write(&branches, "dev", &[("c", Some("1"))]).unwrap();
    write(&branches, "main", &[("a", Some("2"))]).unwrap();
    merge(&branches, "dev", "main", true).unwrap();
    branches.manager().set_retention(Retention::NOTHING);
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    let plan = branches.begin_merge("part", "main").unwrap();
    let base = contents(branches.manager(), &plan.base()).unwrap();
    assert_eq!(base, content_of(&[("a", "1"), ("b", "1")]));
    branches.abandon_merge(plan).unwrap();
}
