//! Contenders in turn: A B C, A B C, ..., each timed, so that what disturbs the machine for a
//! while disturbs all of them.
//!
//! Neighbours: `report` makes medians of what is collected here.

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
    only: Option<String>,
    pub(crate) all: Vec<Figures>,
}

impl Rounds {
    pub(crate) fn new(count: usize, only: Option<String>) -> Self {
        Self { count: count.max(1), only, all: Vec::new() }
    }

    /// Whether the user asked for this workload.
    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.only.as_ref().is_none_or(|part| workload.contains(part.as_str()))
    }

    /// Lets the contenders do `workload` in turn, round after round; the order turns around
    /// in every other round, so that nobody always runs in another's wake.
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
        let mut contenders: Vec<_> = turns.iter().map(|turn| (turn.0, Vec::new())).collect();
        for round in 0..self.count {
            let mut order: Vec<usize> = (0..turns.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let figure = (turns[index].1)()
                    .map_err(|error| format!("{workload}, {}: {error}", contenders[index].0))?;
                contenders[index].1.push(figure);
            }
        }
        self.all.push(Figures { workload, unit, contenders });
        Ok(())
    }
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
