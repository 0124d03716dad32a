//! From figures to a table: medians, spreads, ratios, and whether the target is reached.
//!
//! A ratio is the median of the rounds' ratios, not the ratio of medians: the two figures of a
//! round were measured beside each other. Neighbours: `targets`, `turns`.

use serde_json::json;

use crate::sql::items::note;
use crate::targets::{Bound, Target, target_of};
use crate::turns::{Figures, Outcome, PANDO, Rounds, Unit};

/// A median and the range around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(sorted.len() / 2));
        Self { median, least: at(0), most: at(last) }
    }

    fn json(&self) -> serde_json::Value {
        let Self { median, least, most } = self;
        json!({ "median": median, "least": least, "most": most })
    }
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    workload: &'static str,
    unit: Unit,
    pando: Spread,
    /// The peer, its figures, and the peer's figure as a multiple of PandoDB's.
    peer: Option<(&'static str, Spread, f64)>,
    target: Option<&'static Target>,
    pub(crate) is_reached: Option<bool>,
}

/// One line for each workload and peer.
pub(crate) fn judge(rounds: &Rounds) -> Vec<Line> {
    rounds.all.iter().flat_map(judge_workload).collect()
}

fn judge_workload(figures: &Figures) -> Vec<Line> {
    let of = |name| figures.contenders.iter().find(|(other, _)| *other == name);
    let Some((_, own)) = of(PANDO) else { return Vec::new() };
    let pando = Spread::of(own.iter().copied());
    let line = |peer: Option<(&'static str, Spread, f64)>| {
        let target = target_of(figures.workload, peer.as_ref().map(|peer| peer.0));
        let is_reached = target.map(|target| match (target.bound, &peer) {
            (Bound::TimesFaster(times), Some((_, _, ratio))) => *ratio >= times,
            (Bound::PartOf(part), Some((_, _, ratio))) => 1.0 / ratio <= part,
            (Bound::AtMost(most), _) => pando.median <= most,
            (_, None) => false,
        });
        Line { workload: figures.workload, unit: figures.unit, pando, peer, target, is_reached }
    };
    let peers: Vec<_> = figures.contenders.iter().filter(|(name, _)| *name != PANDO).collect();
    let mut lines = Vec::new();
    if peers.is_empty() || target_of(figures.workload, None).is_some() {
        lines.push(line(None));
    }
    for (name, theirs) in peers {
        let ratio = Spread::of(theirs.iter().zip(own).map(|(theirs, own)| theirs / own)).median;
        lines.push(line(Some((name, Spread::of(theirs.iter().copied()), ratio))));
    }
    lines
}

/// A figure with a unit that suits its size.
pub(crate) fn show(figure: f64, unit: Unit) -> String {
    let (steps, base): (&[&str], f64) = match unit {
        Unit::Nanoseconds => (&["ns", "us", "ms", "s"], 1000.0),
        Unit::Bytes => (&["B", "KiB", "MiB", "GiB"], 1024.0),
        Unit::Fraction => return format!("{:.2} %", figure * 100.0),
    };
    let mut value = figure;
    let mut step = 0;
    while value >= base && step + 1 < steps.len() {
        value /= base;
        step += 1;
    }
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {}", steps[step])
}

fn show_spread(spread: &Spread, unit: Unit) -> String {
    if spread.median == 0.0 {
        // There is no part of nothing.
        return show(0.0, unit);
    }
    let around = |value: f64| (value / spread.median - 1.0) * 100.0;
    format!(
        "{} ({:+.0}..{:+.0} %)",
        show(spread.median, unit),
        around(spread.least),
        around(spread.most)
    )
}

/// A ratio, if there is one: a control may be nothing.
fn show_ratio(ratio: f64) -> String {
    if ratio.is_finite() { format!("{ratio:.2}x") } else { "-".to_owned() }
}

fn show_target(target: &Target, unit: Unit) -> String {
    match target.bound {
        Bound::TimesFaster(times) => format!(">= {times:.2}x"),
        Bound::PartOf(part) => format!("<= {part:.2} of it"),
        Bound::AtMost(most) => format!("<= {}", show(most, unit)),
    }
}

/// Prints the table in a form that a Markdown document takes as it is.
pub(crate) fn print(lines: &[Line], rounds: &Rounds, rows: u64) {
    for peer in &rounds.skipped {
        println!("skipped: {peer} is not installed (`cargo xtask bench --setup` does)");
    }
    let count = rounds.count();
    println!("{rows} rows, medians of {count} rounds in turn (least..most around the median)\n");
    if let Some(note) = note(rows) {
        println!("{note}\n");
    }
    println!("| workload | PandoDB | peer | | ratio | target | reached |");
    println!("|---|---|---|---|---|---|---|");
    for line in lines {
        let (peer, theirs, ratio) = match &line.peer {
            Some((name, spread, ratio)) => {
                (*name, show_spread(spread, line.unit), show_ratio(*ratio))
            }
            None => ("", String::new(), String::new()),
        };
        let target = line.target.map_or(String::new(), |target| show_target(target, line.unit));
        let reached = match line.is_reached {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        let own = show_spread(&line.pando, line.unit);
        println!(
            "| {} | {own} | {peer} | {theirs} | {ratio} | {target} | {reached} |",
            line.workload
        );
    }
    for (workload, reason) in &rounds.failures {
        println!("| {workload} | ERROR: {} | | | | | NO |", reason.replace(['|', '\n'], " "));
    }
    println!();
}

/// Prints the median of a workload that was repeated alone.
pub(crate) fn print_repeated(workload: &str, figures: Vec<f64>) {
    let count = figures.len();
    let median = Spread::of(figures).median;
    println!("{workload}: {median:.1} ns each, the median of {count}");
}

/// The same for programs.
pub(crate) fn json(lines: &[Line], rounds: &Rounds, rows: u64) -> Outcome<String> {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "workload": line.workload,
                "unit": format!("{:?}", line.unit),
                "pandodb": line.pando.json(),
                "peer": line.peer.as_ref().map(|(name, theirs, ratio)| {
                    json!({ "name": name, "figure": theirs.json(), "ratio": ratio })
                }),
                "target": line.target.map(|target| show_target(target, line.unit)),
                "reached": line.is_reached,
            })
        })
        .collect();
    let failures: Vec<_> = rounds
        .failures
        .iter()
        .map(|(workload, reason)| json!({ "workload": workload, "error": reason }))
        .collect();
    let whole = json!({
        "rows": rows,
        "rounds": rounds.count(),
        "lines": lines,
        "errors": failures,
        "skipped": rounds.skipped,
    });
    Ok(serde_json::to_string_pretty(&whole)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_of_nothing_has_no_ratio() {
        let nothing = Spread::of([0.0, 0.0, 0.0]);
        assert_eq!(show_spread(&nothing, Unit::Fraction), "0.00 %");
        assert_eq!(show_ratio(0.0 / nothing.median), "-");
        assert_eq!(show_ratio(1.0 / nothing.median), "-");
        assert_eq!(show_ratio(1.5), "1.50x");
    }
}
