//! Random lives of many branches against maps.

use std::collections::BTreeMap;

use pandodb_tm::CheckpointMode;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Strategy;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Write { branch: usize, key: u8, count: u8 },
    Delete { branch: usize, key: u8 },
    Create { parent: usize },
    CreateAt { parent: usize, commit: prop::sample::Index },
    Drop { branch: usize },
    Merge { source: usize, target: usize, deletes: bool },
    Reset { branch: usize, commit: prop::sample::Index },
    Tag { branch: usize },
    Checkpoint,
    Kill,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let branch = 0..5_usize;
    let step = prop_oneof![
        8 => (branch.clone(), any::<u8>(), 1..5_u8)
            .prop_map(|(branch, key, count)| Step::Write { branch, key, count }),
        2 => (branch.clone(), any::<u8>()).prop_map(|(branch, key)| Step::Delete { branch, key }),
        3 => branch.clone().prop_map(|parent| Step::Create { parent }),
        1 => (branch.clone(), any::<prop::sample::Index>())
            .prop_map(|(parent, commit)| Step::CreateAt { parent, commit }),
        1 => branch.clone().prop_map(|branch| Step::Drop { branch }),
        5 => (branch.clone(), branch.clone(), prop::bool::weighted(0.1))
            .prop_map(|(source, target, deletes)| Step::Merge { source, target, deletes }),
        1 => (branch.clone(), any::<prop::sample::Index>())
            .prop_map(|(branch, commit)| Step::Reset { branch, commit }),
        1 => branch.prop_map(|branch| Step::Tag { branch }),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Kill),
        1 => Just(Step::Close),
    ];
    vec(step, 1..50)
}

struct World {
    disk: SimVfs,
    branches: Option<Branches>,
    now: BTreeMap<String, Content>,
    /// What each branch held after its commits, since it was made.
    past: BTreeMap<String, Vec<(u64, Content)>>,
    tags: BTreeMap<String, Content>,
    made: usize,
}

impl World {
    fn new() -> Self {
        let disk = SimVfs::new(11);
        let branches = Some(open(&disk, Synchronous::Normal).unwrap());
        let now = BTreeMap::from([("main".to_owned(), Content::new())]);
        let past = BTreeMap::from([("main".to_owned(), Vec::new())]);
        Self { disk, branches, now, past, tags: BTreeMap::new(), made: 0 }
    }

    fn branches(&self) -> &Branches {
        self.branches.as_ref().unwrap()
    }

    fn pick(&self, index: usize) -> String {
        self.now.keys().nth(index % self.now.len()).unwrap().clone()
    }

    fn committed(&mut self, name: &str) {
        let head = self.branches().head(name).unwrap();
        let commit = self.branches().manager().head(head).unwrap().commit.0;
        let content = self.now[name].clone();
        self.past.get_mut(name).unwrap().push((commit, content));
    }

    fn made(&mut self, name: String, content: Content) {
        self.past.insert(name.clone(), Vec::new());
        self.now.insert(name, content);
    }

    fn past_of(&self, name: &str, index: prop::sample::Index) -> Option<(u64, Content)> {
        let past = &self.past[name];
        (!past.is_empty()).then(|| past[index.index(past.len())].clone())
    }

    fn apply(&mut self, number: usize, step: &Step) {
        match step {
            Step::Write { branch, key, count } => {
                let name = self.pick(*branch);
                let value = format!("{number}");
                let rows: Vec<String> =
                    (0..*count).map(|at| format!("k{:03}", key.wrapping_add(at) % 40)).collect();
                let rows: Vec<(&str, Option<&str>)> =
                    rows.iter().map(|key| (&**key, Some(&*value))).collect();
                write(self.branches(), &name, &rows).unwrap();
                let content = self.now.get_mut(&name).unwrap();
                for (key, _) in rows {
                    content.insert(key.into(), value.clone().into_bytes());
                }
                self.committed(&name);
            }
            Step::Delete { branch, key } => {
                let name = self.pick(*branch);
                let key = format!("k{:03}", key % 40);
                if self.now.get_mut(&name).unwrap().remove(key.as_bytes()).is_some() {
                    write(self.branches(), &name, &[(&key, None)]).unwrap();
                    self.committed(&name);
                }
            }
            Step::Create { parent } => {
                let (parent, name) = (self.pick(*parent), format!("b{number}"));
                create(self.branches(), &name, &parent, Point::Now).unwrap();
                self.made(name, self.now[&parent].clone());
            }
            Step::CreateAt { parent, commit } => {
                let parent = self.pick(*parent);
                let Some((commit, content)) = self.past_of(&parent, *commit) else { return };
                let name = format!("b{number}");
                create(self.branches(), &name, &parent, Point::Commit(commit)).unwrap();
                self.made(name, content);
            }
            Step::Drop { branch } => {
                let name = self.pick(*branch);
                if name != "main" {
                    self.branches().drop_branch(&name).unwrap();
                    self.now.remove(&name);
                }
            }
            Step::Merge { source, target, deletes } => {
                self.merge(&self.pick(*source), &self.pick(*target), *deletes);
            }
            Step::Reset { branch, commit } => {
                let name = self.pick(*branch);
                let Some((commit, content)) = self.past_of(&name, *commit) else { return };
                self.branches().reset(&name, &Point::Commit(commit)).unwrap();
                self.now.insert(name.clone(), content);
                self.committed(&name);
            }
            Step::Tag { branch } => {
                let (name, tag) = (self.pick(*branch), format!("t{number}"));
                self.branches().tag(&name, &tag, &Point::Now, "").unwrap();
                self.tags.insert(tag, self.now[&name].clone());
            }
            _ => self.restart(step),
        }
        self.made += 1;
    }

    fn restart(&mut self, step: &Step) {
        match step {
            Step::Checkpoint => {
                self.branches().manager().checkpoint(CheckpointMode::Full).unwrap();
            }
            Step::Kill => {
                self.disk.kill_process();
                self.branches = None;
                self.branches = Some(open(&self.disk, Synchronous::Normal).unwrap());
            }
            Step::Close => {
                let branches = self.branches.take().unwrap();
                let manager = Arc::clone(branches.manager());
                drop(branches);
                Arc::into_inner(manager).unwrap().close().unwrap();
                self.branches = Some(open(&self.disk, Synchronous::Normal).unwrap());
            }
            _ => {}
        }
    }

    fn merge(&mut self, source: &str, target: &str, deletes: bool) {
        if source == target || (deletes && source == "main") {
            return;
        }
        let plan = self.branches().begin_merge(source, target).unwrap();
        let base = contents(self.branches().manager(), &plan.base()).unwrap();
        self.branches().abandon_merge(plan).unwrap();
        let kind = merge(self.branches(), source, target, deletes).unwrap();
        let theirs = self.now[source].clone();
        let ours = self.now.get_mut(target).unwrap();
        match kind {
            MergeKind::UpToDate => return,
            MergeKind::FastForward => {
                // Nothing of its own: it stood where the two parted.
                assert_eq!(*ours, base);
                ours.clone_from(&theirs);
            }
            MergeKind::ThreeWay => {
                for (key, value) in &theirs {
                    if base.get(key) != Some(value) {
                        ours.insert(key.clone(), value.clone());
                    }
                }
                ours.retain(|key, _| !base.contains_key(key) || theirs.contains_key(key));
            }
        }
        self.committed(target);
        if deletes {
            self.now.remove(source);
        }
        // Merged once more there is nothing to do.
        if !deletes {
            let again = self.branches().begin_merge(source, target).unwrap();
            assert_eq!(again.kind, MergeKind::UpToDate);
            self.branches().abandon_merge(again).unwrap();
        }
    }

    fn check(&self) {
        super::check_records(self.branches());
        let branches = self.branches();
        let names: Vec<String> =
            branches.list().unwrap().into_iter().map(|branch| branch.name).collect();
        assert_eq!(names.len(), self.now.len());
        for (name, content) in &self.now {
            assert_eq!(read(branches, name).unwrap(), *content, "{name}");
            for (commit, content) in &self.past[name] {
                let found = read_at(branches, name, &Point::Commit(*commit)).unwrap();
                assert_eq!(found, *content, "{name} at {commit}");
            }
        }
        for (tag, content) in &self.tags {
            assert_eq!(read_at(branches, "main", &Point::Tag(tag.clone())).unwrap(), *content);
        }
        check_file(branches);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn branches_live_as_their_models(steps in steps()) {
        let mut world = World::new();
        for (number, step) in steps.iter().enumerate() {
            world.apply(number, step);
        }
        world.check();
        // With all branches gone, nothing but the first one and the records is kept.
        let names: Vec<String> = world.now.keys().filter(|name| *name != "main").cloned().collect();
        for name in names {
            world.branches().drop_branch(&name).unwrap();
        }
        let tags: Vec<String> = world.tags.keys().cloned().collect();
        for tag in tags {
            world.branches().drop_tag(&tag).unwrap();
        }
        world.branches().maintain().unwrap();
        let state = world.branches().state().unwrap();
        let kept = 2 + state.reflog().count();
        prop_assert_eq!(world.branches().manager().heads().unwrap().len(), kept);
    }
}

#[test]
fn the_past_of_a_branch_does_not_need_what_its_parent_was_reset_to() {
    let mut world = World::new();
    let steps = [
        Step::Create { parent: 0 },
        Step::Create { parent: 0 },
        Step::Write { branch: 1, key: 0, count: 1 },
        Step::Drop { branch: 0 },
        Step::Merge { source: 2, target: 1, deletes: false },
        Step::Write { branch: 0, key: 25, count: 4 },
        Step::Merge { source: 2, target: 1, deletes: false },
        Step::Write { branch: 0, key: 0, count: 1 },
        Step::Write { branch: 0, key: 3, count: 3 },
    ];
    for (number, step) in steps.iter().enumerate() {
        world.apply(number, step);
    }
    world.check();
}
