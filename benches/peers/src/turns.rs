//! Contenders in turn: A B C, A B C, ..., each timed, so that what disturbs the machine for a
//! while disturbs all of them.
//!
//! Neighbours: `report` makes medians of what is collected here.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The outcome of anything here: the databases have errors of many types.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The contender whose figures stand first in the table.
pub(crate) const PANDO: &str = "PandoDB";

/// What a figure counts; less is better in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nanoseconds for one operation.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// A part of one.
    Fraction,
}

/// All figures of one workload.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) workload: &'static str,
    pub(crate) unit: Unit,
    /// For each contender one figure a round.
    pub(crate) contenders: Vec<(&'static str, Vec<f64>)>,
}

/// One contender's way to do a workload once; it returns the figure.
pub(crate) type Turn<'a> = (&'static str, Box<dyn FnMut() -> Outcome<f64> + 'a>);

/// What was measured so far, and how often to measure.
#[derive(Debug)]
pub(crate) struct Rounds {
    count: usize,
    /// Parts of the names of the workloads that are wanted; all where there is none.
    only: Vec<String>,
    /// Whether they are whole names.
    is_exact: bool,
    /// Whether peers are measured as well.
    has_peers: bool,
    /// Only PandoDB, for so long: what a profiler looks at.
    alone: Option<Alone>,
    pub(crate) all: Vec<Figures>,
    /// Workloads that could not be measured, each with the reason.
    pub(crate) failures: Vec<(&'static str, String)>,
    /// Peers that are not installed.
    pub(crate) skipped: Vec<&'static str>,
}

/// How PandoDB is measured without peers.
#[derive(Clone, Debug)]
pub(crate) struct Alone {
    /// How long a workload is repeated.
    pub(crate) time: Duration,
    /// A pipe that `perf record --control` reads: it records only while the clock runs.
    pub(crate) control: Option<PathBuf>,
}

impl Alone {
    pub(crate) fn tell(&self, word: &str) -> Outcome<()> {
        if let Some(pipe) = &self.control {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(pipe)?;
            pipe.write_all(word.as_bytes())?;
        }
        Ok(())
    }
}

/// Tells a profiler, if there is one, when to look away.
pub(crate) struct Watch(Option<Alone>);

impl Watch {
    /// What follows is not timed.
    pub(crate) fn pause(&self) -> Outcome<()> {
        self.tell("disable\n")
    }

    /// What follows is timed.
    pub(crate) fn resume(&self) -> Outcome<()> {
        self.tell("enable\n")
    }

    fn tell(&self, word: &str) -> Outcome<()> {
        let Some(alone) = self.0.as_ref().filter(|alone| alone.control.is_some()) else {
            return Ok(());
        };
        alone.tell(word)?;
        // The profiler reads the pipe when it comes to it.
        std::thread::sleep(Duration::from_millis(20));
        Ok(())
    }
}

impl Rounds {
    /// Workloads whose names contain one of the parts in `only`, which commas divide.
    pub(crate) fn new(count: usize, only: Option<&str>) -> Self {
        let parts = only.into_iter().flat_map(|text| text.split(','));
        Self {
            count: count.max(1),
            only: parts.map(str::to_owned).collect(),
            is_exact: false,
            has_peers: true,
            alone: None,
            all: Vec::new(),
            failures: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Repeats PandoDB's side of one workload.
    pub(crate) fn alone(workload: &str, alone: Alone) -> Self {
        let rounds = Self::new(1, Some(workload));
        Self { alone: Some(alone), has_peers: false, ..rounds }
    }

    /// Rounds of PandoDB without peers, of the workloads with these names.
    pub(crate) fn without_peers(count: usize, names: &[&str]) -> Self {
        let only = names.iter().map(|name| (*name).to_owned()).collect();
        Self { has_peers: false, is_exact: true, only, ..Self::new(count, None) }
    }

    /// Whether there are no peers.
    pub(crate) fn is_alone(&self) -> bool {
        !self.has_peers
    }

    /// What a workload tells that does more than it times.
    pub(crate) fn watch(&self) -> Watch {
        Watch(self.alone.clone())
    }

    /// How many rounds there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Keeps a workload that has no figure, and why.
    pub(crate) fn fail(&mut self, workload: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        eprintln!("{workload}: ERROR: {reason}");
        self.failures.push((workload, reason));
    }

    /// Keeps the error of a workload that could not be set up; the next ones go on.
    pub(crate) fn keep(&mut self, workload: &'static str, outcome: Outcome<()>) {
        if let Err(error) = outcome {
            self.fail(workload, error.to_string());
        }
    }

    /// Says once that a peer is not there.
    pub(crate) fn skip(&mut self, peer: &'static str) {
        if !self.skipped.contains(&peer) {
            self.skipped.push(peer);
        }
    }

    /// Whether the user asked for this workload.
    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|part| {
                if self.is_exact { workload == part } else { workload.contains(part.as_str()) }
            })
    }

    /// Lets the contenders do `workload` in turn, round after round; the order turns around
    /// in every other round, so that nobody always runs in another's wake. Where one fails the
    /// workload has an error instead of figures, and the others go on.
    pub(crate) fn run(
        &mut self,
        workload: &'static str,
        unit: Unit,
        mut turns: Vec<Turn<'_>>,
    ) -> Outcome<()> {
        if !self.wants(workload) {
            return Ok(());
        }
        eprintln!("{workload} ...");
        if let Some(alone) = self.alone.clone() {
            return self.repeat(workload, unit, turns, &alone);
        }
        if !self.has_peers {
            turns.retain(|(name, _)| *name == PANDO);
        }
        let mut contenders: Vec<_> = turns.iter().map(|turn| (turn.0, Vec::new())).collect();
        for round in 0..self.count {
            let mut order: Vec<usize> = (0..turns.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                match (turns[index].1)() {
                    Ok(figure) => contenders[index].1.push(figure),
                    Err(error) => {
                        self.fail(workload, format!("{}: {error}", contenders[index].0));
                        return Ok(());
                    }
                }
            }
        }
        self.all.push(Figures { workload, unit, contenders });
        Ok(())
    }

    /// PandoDB's side again and again; the profiler looks on.
    fn repeat(
        &mut self,
        workload: &'static str,
        unit: Unit,
        turns: Vec<Turn<'_>>,
        alone: &Alone,
    ) -> Outcome<()> {
        let Some((_, mut turn)) = turns.into_iter().find(|(name, _)| *name == PANDO) else {
            return Err(format!("PandoDB has no part in {workload}").into());
        };
        alone.tell("enable\n")?;
        let start = Instant::now();
        let mut figures = Vec::new();
        while figures.is_empty() || start.elapsed() < alone.time {
            figures.push(turn()?);
        }
        alone.tell("disable\n")?;
        self.all.push(Figures { workload, unit, contenders: vec![(PANDO, figures)] });
        Ok(())
    }
}

/// A contender's name and what it does.
pub(crate) fn turn<'a>(name: &'static str, work: impl FnMut() -> Outcome<f64> + 'a) -> Turn<'a> {
    (name, Box::new(work))
}

/// The nanoseconds that one of `operations` takes in `work`.
pub(crate) fn time_each(operations: u64, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = Instant::now();
    work()?;
    Ok(nanoseconds(start.elapsed()) / operations.max(1) as f64)
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}
