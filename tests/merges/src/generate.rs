//! Random scripts: a schema with rows, then changes of both on three branches.
//!
//! What a statement is made of is looked up on the branch that it is for, so that most of them
//! do something; names and values come from small pools, so that branches meet. Only statements
//! that went through are kept, and what the branches merged in between. Neighbours: `statement`
//! makes a single one, `world` runs it.

use fastrand::Rng;

use crate::statement::{self, Catalog};
use crate::world::{BRANCHES, Line, World, is_defect};

/// A script that was made, and the defect that it met on its way.
pub(crate) struct Made {
    pub(crate) script: Vec<Line>,
    pub(crate) defect: Option<String>,
}

/// The script of a seed.
pub(crate) fn of_seed(seed: u64) -> Made {
    let mut made = Made { script: Vec::new(), defect: None };
    let world = match World::new() {
        Ok(world) => world,
        Err(error) => {
            made.defect = Some(error.to_string());
            return made;
        }
    };
    let mut maker = Maker { random: Rng::with_seed(seed), world, made };
    maker.make();
    maker.made
}

struct Maker {
    random: Rng,
    world: World,
    made: Made,
}

impl Maker {
    fn make(&mut self) {
        let keys = if self.random.bool() { "on" } else { "off" };
        self.keep(Line::new("main", format!("PRAGMA foreign_keys = {keys}")));
        let tables = self.random.usize(1..=3);
        for _ in 0..tables {
            self.attempt("main", statement::create_table);
        }
        for _ in 0..self.random.usize(3..12) {
            self.attempt("main", statement::insert);
        }
        for _ in 0..self.random.usize(..4) {
            self.attempt("main", statement::create_text);
        }
        self.change();
        if self.random.u8(..100) < 35 {
            self.merge_in_between();
            self.change();
        }
    }

    /// Some changes on the branches.
    fn change(&mut self) {
        let schema_share = [0, 15, 40, 75][self.random.usize(..4)];
        for branch in BRANCHES {
            let most = if branch == "third" { 3 } else { 6 };
            for _ in 0..self.random.usize(..most) {
                if self.random.u8(..100) < schema_share {
                    self.attempt(branch, statement::change_schema);
                } else {
                    self.attempt(branch, statement::change_rows);
                }
            }
        }
    }

    /// Branches take each other, one after the other or crossed.
    fn merge_in_between(&mut self) {
        for _ in 0..self.random.usize(1..=3) {
            let target = BRANCHES[self.random.usize(..3)];
            let source = BRANCHES[self.random.usize(..3)];
            if target == source {
                continue;
            }
            let policy = ["fail", "source_wins", "target_wins"][self.random.usize(..3)];
            let sql = format!(
                "MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = '{policy}')"
            );
            self.keep(Line::new(target, sql));
        }
    }

    fn attempt(&mut self, branch: &'static str, make: fn(&mut Rng, &Catalog) -> Option<String>) {
        let there = if branch == "main" { Ok(()) } else { self.world.part() };
        let catalog =
            there.and_then(|()| self.world.go(branch)).and_then(|()| Catalog::of(&self.world));
        match catalog {
            Ok(catalog) => {
                let made = make(&mut self.random, &catalog);
                for sql in made.iter().flat_map(|sql| sql.split(";;")) {
                    self.keep(Line::new(branch, sql));
                }
            }
            Err(error) => self.made.defect = Some(format!("reading the catalog: {error}")),
        }
    }

    /// Runs a statement and keeps it if it did something.
    fn keep(&mut self, line: Line) {
        match self.world.run(&line) {
            Ok(()) => self.made.script.push(line),
            Err(error) if is_defect(&error) => {
                self.made.defect = Some(format!("{}: {error}", line.sql));
                self.made.script.push(line);
            }
            Err(_) => {}
        }
    }
}
