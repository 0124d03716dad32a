//! A database as maps, one for each branch and moment, beside the real one, under random work.
//!
//! What merges decide is held by the branch crate's own laws; here merges go one way (the source
//! wins) and everything else must be exact: what each branch holds after changes, definitions,
//! branches of branches, merges, resets, picks, drops and reopenings, and what tags and earlier
//! transactions showed. Neighbours: `registry::tests::model` has the same for keys.

use std::collections::BTreeMap;

use pandodb_testkit::Seeds;

use super::{reopened, rows, session};
use crate::session::Session;

/// Rows by id: the value of `a`, and that of `b` where the branch has the column.
type Table = BTreeMap<i64, (i64, Option<i64>)>;

#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    has_b: bool,
    table: Table,
}

struct World {
    session: Option<Session>,
    branches: BTreeMap<String, Content>,
    tags: BTreeMap<String, Content>,
    /// Transactions of `main`, with what it held then.
    moments: Vec<(i64, Content)>,
    made: usize,
    /// What the next random number is made of.
    random: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let session = session();
        session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a INT NOT NULL)").unwrap();
        session.execute("CREATE INDEX t_a ON t(a)").unwrap();
        let branches = BTreeMap::from([("main".to_owned(), Content::default())]);
        let (tags, moments) = (BTreeMap::new(), Vec::new());
        Self { session: Some(session), branches, tags, moments, made: 0, random: seed }
    }

    fn session(&self) -> &Session {
        self.session.as_ref().unwrap()
    }

    fn below(&mut self, most: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % most
    }

    fn any(&mut self) -> String {
        let place = self.below(self.branches.len() as u64) as usize;
        self.branches.keys().nth(place).unwrap().clone()
    }

    fn run(&self, sql: &str) {
        self.session().execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    fn change(&mut self) {
        let branch = self.any();
        self.run(&format!("USE BRANCH {branch}"));
        let is_together = self.below(3) == 0;
        if is_together {
            self.run("BEGIN");
        }
        for _ in 0..=self.below(4) {
            let (id, value) = (self.below(12) as i64, self.below(50) as i64);
            let kind = self.below(4);
            let content = self.branches.get_mut(&branch).unwrap();
            let sql = match kind {
                0 => {
                    content.table.remove(&id);
                    format!("DELETE FROM t WHERE id = {id}")
                }
                1 if content.has_b => {
                    if let Some(row) = content.table.get_mut(&id) {
                        row.1 = Some(value);
                    }
                    format!("UPDATE t SET b = {value} WHERE id = {id}")
                }
                _ => {
                    content.table.insert(id, (value, None));
                    format!("INSERT OR REPLACE INTO t(id, a) VALUES ({id}, {value})")
                }
            };
            self.run(&sql);
        }
        if is_together {
            self.run("COMMIT");
        }
        if branch == "main" {
            self.note_moment();
        }
    }

    fn note_moment(&mut self) {
        let newest = "SELECT head_commit FROM pando_branches('main')";
        let commit = rows(self.session(), newest)[0].parse().unwrap();
        self.moments.push((commit, self.branches["main"].clone()));
    }

    fn branch(&mut self) {
        if self.branches.len() > 6 {
            return;
        }
        let parent = self.any();
        self.made += 1;
        let name = format!("b{}", self.made);
        self.run(&format!("CREATE BRANCH {name} FROM {parent}"));
        let content = self.branches[&parent].clone();
        self.branches.insert(name, content);
    }

    fn tag(&mut self) {
        let branch = self.any();
        self.made += 1;
        let name = format!("v{}", self.made);
        self.run(&format!("TAG BRANCH {branch} AS {name}"));
        self.tags.insert(name, self.branches[&branch].clone());
    }

    fn reset(&mut self) {
        let Some(tag) = self.tags.keys().next().cloned() else { return };
        let branch = self.any();
        self.run(&format!("RESET BRANCH {branch} TO TAG {tag}"));
        self.branches.insert(branch, self.tags[&tag].clone());
    }

    fn drop_branch(&mut self) {
        let branch = self.any();
        if branch == "main" {
            return;
        }
        self.run(&format!("USE BRANCH main; DROP BRANCH {branch}"));
        self.branches.remove(&branch);
    }

    fn add_column(&mut self) {
        let branch = self.any();
        if self.branches[&branch].has_b {
            return;
        }
        self.run(&format!("USE BRANCH {branch}; ALTER TABLE t ADD COLUMN b INT"));
        self.branches.get_mut(&branch).unwrap().has_b = true;
        if branch == "main" {
            self.note_moment();
        }
    }

    /// A merge both ways ends in one content; that of a target that has nothing of its own is
    /// the source's.
    fn merge(&mut self) {
        let (source, target) = (self.any(), self.any());
        if source == target {
            return;
        }
        let wins = "WITH (conflict_resolution = 'source_wins')";
        self.run(&format!("MERGE BRANCH {source} INTO {target} {wins}"));
        let again = rows(self.session(), &format!("MERGE BRANCH {source} INTO {target}"));
        assert!(again[0].starts_with("up to date"), "{again:?}");
        self.run(&format!("MERGE BRANCH {target} INTO {source} {wins}"));
        let merged = self.read(&format!("t@{target}"));
        assert_eq!(merged, self.read(&format!("t@{source}")), "{source} {target}");
        // Every row is one that a side had, and a row that both had alike is there.
        let (left, right) = (&self.branches[&source], &self.branches[&target]);
        for (id, row) in &merged.table {
            let sides = [left.table.get(id), right.table.get(id)];
            assert!(sides.iter().flatten().any(|side| side.0 == row.0), "{id} {row:?} {sides:?}");
        }
        assert_eq!(merged.has_b, left.has_b || right.has_b);
        for name in [&source, &target] {
            self.branches.insert(name.clone(), merged.clone());
        }
        if source == "main" || target == "main" {
            self.note_moment();
        }
    }

    /// An undo of the newest change of a branch leaves what was there before it.
    fn undo(&mut self) {
        let branch = self.any();
        let before = self.branches[&branch].clone();
        self.run(&format!("USE BRANCH {branch}; UPDATE t SET a = a + 1 WHERE id % 2 = 0"));
        let newest = rows(self.session(), "SELECT max(transaction_id) FROM pando_log").remove(0);
        if before.table.keys().any(|id| id % 2 == 0) {
            self.run(&format!("UNDO TRANSACTION {newest}"));
        }
        assert_eq!(self.read("t"), before);
    }

    fn read(&self, table: &str) -> Content {
        let has_b = self.session().query(&format!("SELECT b FROM {table}")).is_ok();
        let b = if has_b { "b" } else { "NULL" };
        let sql = format!("SELECT id, a, {b} FROM {table} ORDER BY id");
        let number = |text: &str| text.parse::<i64>().ok();
        let found = rows(self.session(), &sql).into_iter().map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            (number(cells[0]).unwrap(), (number(cells[1]).unwrap(), number(cells[2])))
        });
        Content { has_b, table: found.collect() }
    }

    fn check(&mut self) {
        for (name, content) in &self.branches {
            assert_eq!(self.read(&format!("t@{name}")), *content, "{name}");
        }
        for (name, content) in &self.tags {
            assert_eq!(self.read(&format!("t@{name}")), *content, "{name}");
        }
        for (commit, content) in self.moments.iter().rev().take(3) {
            let past = format!("t@main AS OF TRANSACTION {commit}");
            assert_eq!(self.read(&past), *content, "{commit}");
        }
        assert_eq!(rows(self.session(), "PRAGMA integrity_check"), ["ok"]);
        let names = rows(self.session(), "SELECT branch_name FROM pando_branches ORDER BY 1");
        assert!(names.iter().eq(self.branches.keys()), "{names:?}");
    }
}

#[test]
fn a_database_of_maps_and_the_real_one_hold_the_same() {
    Seeds::first(6).run("a_database_of_maps_and_the_real_one_hold_the_same", |random| {
        let mut world = World::new(random.u64(..));
        for step in 0..60 {
            match world.below(20) {
                0..9 => world.change(),
                9..12 => world.branch(),
                12 => world.tag(),
                13 => world.reset(),
                14 => world.drop_branch(),
                15 => world.add_column(),
                16..18 => world.merge(),
                18 => world.undo(),
                _ => {
                    let session = world.session.take().unwrap();
                    world.session = Some(reopened(session));
                }
            }
            if step % 5 == 0 {
                world.check();
            }
        }
        world.check();
    });
}
