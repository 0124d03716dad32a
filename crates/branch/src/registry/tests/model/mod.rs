//! Random lives of many branches against maps.

mod kept;

use std::collections::BTreeMap;

use pandodb_tm::CheckpointMode;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Strategy;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Write {
        branch: usize,
        key: u8,
        count: u8,
    },
    Delete {
        branch: usize,
        key: u8,
    },
    Create {
        parent: usize,
    },
    CreateAt {
        parent: usize,
        commit: prop::sample::Index,
    },
    Drop {
        branch: usize,
    },
    Merge {
        source: usize,
        target: usize,
        deletes: bool,
    },
    Reset {
        branch: usize,
        commit: prop::sample::Index,
    },
    Tag {
        branch: usize,
    },
    /// One commit of two branches.
    Together {
        one: usize,
        other: usize,
        key: u8,
    },
    /// As `CreateAt` and `Reset`, to any commit that the branch has.
    CreateAtAny {
        parent: usize,
        commit: prop::sample::Index,
    },
    ResetToAny {
        branch: usize,
        commit: prop::sample::Index,
    },
    /// No history is kept up to now.
    Forget,
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
    /// What every moment that a branch stood at held.
    moments: BTreeMap<Position, Content>,
    /// What each commit of each head found and left.
    made: BTreeMap<(u64, u64), (Content, Content)>,
    /// What each branch held after its last commit.
    stood: BTreeMap<String, Content>,
}

impl World {
    fn new() -> Self {
        let disk = SimVfs::new(11);
        let branches = Some(open(&disk, Synchronous::Normal).unwrap());
        let now = BTreeMap::from([("main".to_owned(), Content::new())]);
        let past = BTreeMap::from([("main".to_owned(), Vec::new())]);
        let (tags, moments) = (BTreeMap::new(), BTreeMap::new());
        let (made, stood) = (BTreeMap::new(), BTreeMap::new());
        let mut world = Self { disk, branches, now, past, tags, moments, made, stood };
        world.stands("main");
        world
    }

    fn branches(&self) -> &Branches {
        self.branches.as_ref().unwrap()
    }

    fn pick(&self, index: usize) -> String {
        self.now.keys().nth(index % self.now.len()).unwrap().clone()
    }

    /// Notes what a branch holds where it stands now.
    fn stands(&mut self, name: &str) -> Position {
        let branch = self.branches().get(name).unwrap();
        let position = self.branches().position(&branch).unwrap();
        let place = self.branches().with(|state| state.graph.normalized(position)).unwrap();
        self.moments.insert(place, self.now[name].clone());
        position
    }

    fn committed(&mut self, name: &str) {
        let commit = self.stands(name).commit;
        let content = self.now[name].clone();
        let head = self.branches().head(name).unwrap();
        let before = self.stood.insert(name.into(), content.clone()).unwrap_or_default();
        self.made.insert((head.0, commit), (before, content.clone()));
        self.past.get_mut(name).unwrap().push((commit, content));
    }

    fn made(&mut self, name: &str, content: &Content) {
        self.past.insert(name.into(), Vec::new());
        self.stood.insert(name.into(), content.clone());
        self.now.insert(name.into(), content.clone());
        self.stands(name);
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
                let content = self.now[&parent].clone();
                self.made(&name, &content);
            }
            Step::CreateAt { parent, commit } => {
                let parent = self.pick(*parent);
                let Some((commit, content)) = self.past_of(&parent, *commit) else { return };
                let name = format!("b{number}");
                create(self.branches(), &name, &parent, Point::Commit(commit)).unwrap();
                self.made(&name, &content);
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
            _ => self.share(number, step),
        }
    }

    fn write_together(&mut self, names: &[String], key: &str, value: &str) {
        let names = if names[0] == names[1] { &names[..1] } else { names };
        let heads: Vec<HeadId> =
            names.iter().map(|name| self.branches().head(name).unwrap()).collect();
        let manager = self.branches().manager();
        let mut transaction = manager.begin(heads[0], BeginOptions::default()).unwrap();
        for head in heads {
            transaction.enlist(head).unwrap();
            change(&mut transaction, &[(key, Some(value))]).unwrap();
        }
        transaction.commit().unwrap();
        for name in names {
            let content = self.now.get_mut(name).unwrap();
            content.insert(key.into(), value.into());
            self.committed(name);
        }
    }

    /// A commit that a branch has, and what it shows there: its own part of a commit of several.
    /// None where it has several parts and none of its own.
    fn listed(&self, name: &str, index: prop::sample::Index) -> Option<(u64, Content)> {
        let commits = self.branches().commits(name, usize::MAX).unwrap();
        let commit = (!commits.is_empty()).then(|| &commits[index.index(commits.len())])?;
        let parts: Vec<&Commit> = commits.iter().filter(|it| it.commit == commit.commit).collect();
        let own = self.branches().head(name).unwrap().0;
        let own = parts.iter().find(|part| part.head == own).copied();
        let part = own.or_else(|| (parts.len() == 1).then(|| parts[0]))?;
        Some((part.commit, self.made[&(part.head, part.commit)].1.clone()))
    }

    /// Steps of commits that several branches have.
    fn share(&mut self, number: usize, step: &Step) {
        match step {
            Step::Together { one, other, key } => {
                let names = [self.pick(*one), self.pick(*other)];
                let (key, value) = (format!("k{:03}", key % 40), format!("{number}"));
                self.write_together(&names, &key, &value);
            }
            Step::CreateAtAny { parent, commit } => {
                let parent = self.pick(*parent);
                let Some((commit, content)) = self.listed(&parent, *commit) else { return };
                let name = format!("b{number}");
                create(self.branches(), &name, &parent, Point::Commit(commit)).unwrap();
                self.made(&name, &content);
            }
            Step::ResetToAny { branch, commit } => {
                let name = self.pick(*branch);
                let Some((commit, content)) = self.listed(&name, *commit) else { return };
                self.branches().reset(&name, &Point::Commit(commit)).unwrap();
                self.now.insert(name.clone(), content);
                self.committed(&name);
            }
            _ => self.restart(step),
        }
    }

    fn restart(&mut self, step: &Step) {
        match step {
            Step::Forget => {
                let manager = self.branches().manager();
                manager.set_retention(Retention::NOTHING);
                manager.checkpoint(CheckpointMode::Full).unwrap();
                self.check_merges();
                manager.set_retention(Retention { time: None, log_bytes: None });
                manager.checkpoint(CheckpointMode::Full).unwrap();
                self.past.values_mut().for_each(Vec::clear);
            }
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
        let has_one_base = plan.ancestors().is_empty();
        self.branches().abandon_merge(plan).unwrap();
        let kind = merge(self.branches(), source, target, deletes).unwrap();
        let theirs = self.now[source].clone();
        let ours = self.now.get_mut(target).unwrap();
        match kind {
            MergeKind::UpToDate => return,
            MergeKind::FastForward => {
                // Nothing of its own: it stood where the two parted, or where what they have in
                // common comes together, if that is several moments.
                assert!(!has_one_base || *ours == base, "{ours:?} is not {base:?}");
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
