//! Steps that branches take: changes of single rows, and merges that cross.
//!
//! A step that cannot be taken where it comes is left out, so that a script can be shortened.
//! Neighbours: `trial` takes them.

use std::fmt;

use fastrand::Rng;

use super::model::COLUMNS;

/// The branches; a script has the first two at least.
pub(crate) const BRANCHES: [&str; 4] = ["main", "one", "two", "three"];

/// The branch that holds a side of two branches that cross as it was before.
pub(crate) const ASIDE: &str = "aside";

/// Keys come from a small pool, so that branches meet.
const KEYS: u8 = 4;
const STEPS: usize = 40;

/// How the rows of the table are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rowid,
    WithoutRowid,
    /// By a rowid of which nothing is declared, beside a key. A row keeps it when it is stored
    /// anew: under another one it is another row.
    Hidden,
}

impl Kind {
    pub(crate) fn definition(self) -> &'static str {
        match self {
            Self::Rowid => "CREATE TABLE t(id INTEGER PRIMARY KEY, c0, c1, c2)",
            Self::WithoutRowid => "CREATE TABLE t(id TEXT PRIMARY KEY, c0, c1, c2) WITHOUT ROWID",
            Self::Hidden => "CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, c0, c1, c2)",
        }
    }

    /// A key as SQL writes it.
    pub(crate) fn key(self, key: u8) -> String {
        match self {
            Self::Rowid => key.to_string(),
            Self::WithoutRowid | Self::Hidden => format!("'k{key}'"),
        }
    }
}

/// What a merge does with its conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Fail,
    SourceWins,
    TargetWins,
    /// Answered one by one, by a seed.
    Manual(u64),
}

impl Policy {
    fn some(random: &mut Rng) -> Self {
        match random.u8(..4) {
            0 => Self::Fail,
            1 => Self::SourceWins,
            2 => Self::TargetWins,
            _ => Self::Manual(random.u64(..)),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fail => "fail",
            Self::SourceWins => "source_wins",
            Self::TargetWins => "target_wins",
            Self::Manual(_) => "manual",
        })
    }
}

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Insert {
        branch: usize,
        key: u8,
        row: [u8; COLUMNS],
    },
    Update {
        branch: usize,
        key: u8,
        column: usize,
        value: u8,
    },
    Delete {
        branch: usize,
        key: u8,
    },
    Merge {
        source: usize,
        target: usize,
        policy: Policy,
    },
    /// Both take the other as it was before.
    Cross {
        pair: [usize; 2],
        policies: [Policy; 2],
    },
    /// A branch of `main`.
    New {
        branch: usize,
    },
    /// A branch is dropped and made of another one.
    Anew {
        branch: usize,
        of: usize,
    },
}

/// A table, branches, and what is done on them.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) kind: Kind,
    pub(crate) branches: usize,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    pub(crate) fn of_seed(seed: u64) -> Self {
        let random = &mut Rng::with_seed(seed);
        let kind = [Kind::Rowid, Kind::WithoutRowid, Kind::Hidden][random.usize(..3)];
        let branches = [2, 3, 3, 4][random.usize(..4)];
        let steps = (0..STEPS).map(|_| step(random, branches)).collect();
        Self { kind, branches, steps }
    }

    /// What all branches start with: some rows, and the branches themselves.
    pub(crate) fn first(&self) -> impl Iterator<Item = Step> {
        let row = [0; COLUMNS];
        let rows = (1..=3).map(move |key| Step::Insert { branch: 0, key, row });
        rows.chain((1..self.branches).map(|branch| Step::New { branch }))
    }
}

fn step(random: &mut Rng, branches: usize) -> Step {
    let branch = random.usize(..branches);
    let key = random.u8(1..=KEYS);
    match random.u8(..100) {
        0..52 => {
            let (column, value) = (random.usize(..COLUMNS), random.u8(..3));
            Step::Update { branch, key, column, value }
        }
        52..60 => Step::Delete { branch, key },
        60..68 => Step::Insert { branch, key, row: [(); COLUMNS].map(|()| random.u8(..2)) },
        kind => {
            let other = (branch + random.usize(1..branches)) % branches;
            match kind {
                68..86 => {
                    Step::Merge { source: branch, target: other, policy: Policy::some(random) }
                }
                86..99 => Step::Cross {
                    pair: [branch, other],
                    policies: [(); 2].map(|()| Policy::some(random)),
                },
                // `main` is there for good.
                _ => Step::Anew { branch: branch.max(other), of: branch.min(other) },
            }
        }
    }
}

impl Step {
    /// The statements, each on the branch that it is for; a merge that stays open is answered by
    /// the seed of its policy.
    pub(crate) fn statements(self, kind: Kind) -> Vec<(&'static str, String)> {
        match self {
            Self::Insert { branch, key, row: [a, b, c] } => {
                let (columns, rowid) = match kind {
                    Kind::Rowid | Kind::WithoutRowid => ("", String::new()),
                    Kind::Hidden => ("(rowid, id, c0, c1, c2)", format!("{key}, ")),
                };
                let id = kind.key(key);
                let sql = format!("INSERT INTO t{columns} VALUES ({rowid}{id}, {a}, {b}, {c})");
                vec![(BRANCHES[branch], sql)]
            }
            Self::Update { branch, key, column, value } => {
                let sql = format!("UPDATE t SET c{column} = {value} WHERE id = {}", kind.key(key));
                vec![(BRANCHES[branch], sql)]
            }
            Self::Delete { branch, key } => {
                vec![(BRANCHES[branch], format!("DELETE FROM t WHERE id = {}", kind.key(key)))]
            }
            Self::Merge { source, target, policy } => {
                let [source, target] = [source, target].map(|branch| BRANCHES[branch]);
                vec![(target, policy.merge(source, target))]
            }
            Self::Cross { pair, policies } => {
                let [one, other] = pair.map(|branch| BRANCHES[branch]);
                vec![
                    (one, format!("CREATE BRANCH {ASIDE} FROM {one}")),
                    (one, policies[0].merge(other, one)),
                    (other, policies[1].merge(ASIDE, other)),
                    (other, format!("DROP BRANCH {ASIDE}")),
                ]
            }
            Self::New { branch } => {
                vec![(
                    BRANCHES[0],
                    format!("CREATE BRANCH {} FROM {}", BRANCHES[branch], BRANCHES[0]),
                )]
            }
            Self::Anew { branch, of } => {
                let [branch, of] = [branch, of].map(|branch| BRANCHES[branch]);
                let made = format!("CREATE BRANCH {branch} FROM {of}");
                vec![(of, format!("DROP BRANCH {branch}")), (of, made)]
            }
        }
    }
}

impl Policy {
    /// The statement that merges with it.
    pub(crate) fn merge(self, source: &str, target: &str) -> String {
        format!("MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = '{self}')")
    }
}

/// As SQL.
impl fmt::Display for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "    {};", self.kind.definition())?;
        for step in self.first().chain(self.steps.iter().copied()) {
            for (branch, sql) in step.statements(self.kind) {
                writeln!(formatter, "    /* {branch} */ {sql};")?;
            }
        }
        Ok(())
    }
}
