//! How costs grow with the number of rows and with the number of branches.
//!
//! PandoDB alone does the workloads of the suites `sql` and `branching` at sizes that are ten or
//! a hundred times another. The growth exponent of a workload is the slope of a straight line
//! through its figures when both axes are logarithms: 0 is a cost that does not depend on the
//! size, 1 one that is proportional to it. Neighbours: `plot` draws, the suites measure.

mod plot;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::report::{Spread, show};
use crate::sql::items;
use crate::turns::{Outcome, Rounds, Unit};
use crate::{branching, sql};

/// What `scale` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the table and the plots go.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// 10,000,000 rows too.
    #[arg(long)]
    large: bool,
    /// Up to 100,000 rows and 1,000 branches only.
    #[arg(long)]
    quick: bool,
    /// Only workloads whose name contains this, or one of these with commas between them.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// How many rounds.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Where databases are made (default: a temporary folder).
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// From so many rows on three rounds are enough: loading them takes most of the time.
const ROWS_LARGE: u64 = 10_000_000;

/// Workloads that load all rows anew, or rows of a kilobyte: not done with so many.
const LOADING: &[&str] = &["sql/bulk-load", "sql/open-large", "branching/fork"];

/// The workloads over rows.
const OVER_ROWS: &[&str] = &[
    "sql/point-select",
    "sql/index-select",
    "sql/range-100",
    "sql/count",
    "sql/count-half",
    "sql/sum",
    "sql/group",
    "sql/update-one-normal",
    "sql/bulk-load",
    "sql/open-large",
    "branching/create",
    "branching/fork",
    "branching/switch",
    "branching/drop",
    "branching/as-of",
    "branching/diff-one-row",
    "branching/diff-1-percent",
    "branching/merge-1-percent",
    "branching/fast-forward",
];

/// The workloads over branches.
const OVER_BRANCHES: &[&str] = &[
    "branching/create-beside-10000",
    "branching/switch-beside-10000",
    "branching/list-one-of-10000",
    "branching/open-with-10000",
    "branching/drop-beside-10000",
];

/// A workload's name and its figures, one for each size.
pub(crate) struct Curve {
    name: String,
    unit: Unit,
    points: Vec<(u64, f64)>,
}

impl Curve {
    /// The slope of the line through the logarithms, by least squares.
    fn exponent(&self) -> f64 {
        let points: Vec<(f64, f64)> =
            self.points.iter().map(|(size, figure)| ((*size as f64).ln(), figure.ln())).collect();
        let count = points.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
        let (middle, height) = (mean(|point| point.0), mean(|point| point.1));
        let over: f64 = points.iter().map(|(x, y)| (x - middle) * (y - height)).sum();
        let under: f64 = points.iter().map(|(x, _)| (x - middle).powi(2)).sum();
        over / under
    }
}

/// Measures and writes.
pub(crate) fn measure(arguments: &Arguments) -> Outcome<()> {
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mut rows = vec![10_000, 100_000, 1_000_000, 10_000_000];
    rows.truncate(if arguments.large { 4 } else { 3 } - usize::from(arguments.quick));
    let branches = [1, 100, if arguments.quick { 1_000 } else { 10_000 }];
    let only = arguments.only.as_deref();
    let is_asked =
        |name: &&&str| only.is_none_or(|only| only.split(',').any(|part| name.contains(part)));
    let over_rows = curves(&rows, |size| {
        let start = std::time::Instant::now();
        let count = if size >= ROWS_LARGE { arguments.rounds.min(3) } else { arguments.rounds };
        let wanted: Vec<&str> = OVER_ROWS
            .iter()
            .filter(|name| size < ROWS_LARGE || !LOADING.contains(name))
            .filter(is_asked)
            .copied()
            .collect();
        if wanted.is_empty() {
            return Ok(Rounds::without_peers(count, &[]));
        }
        let mut rounds = Rounds::without_peers(count, &wanted);
        let folder = folder.path().join(size.to_string());
        std::fs::create_dir_all(&folder)?;
        sql::measure(&mut rounds, &folder, size)?;
        branching::measure(&mut rounds, &folder, size, 0)?;
        std::fs::remove_dir_all(folder)?;
        eprintln!("{size} rows took {:.0} s", start.elapsed().as_secs_f64());
        Ok(rounds)
    })?;
    let over_branches = curves(&branches, |size| {
        let wanted: Vec<&str> = OVER_BRANCHES.iter().filter(is_asked).copied().collect();
        if wanted.is_empty() {
            return Ok(Rounds::without_peers(arguments.rounds, &[]));
        }
        let mut rounds = Rounds::without_peers(arguments.rounds, &wanted);
        branching::measure(&mut rounds, folder.path(), 0, size)?;
        Ok(rounds)
    })?;
    std::fs::create_dir_all(&arguments.out)?;
    let tables = [
        ("rows", "Over the number of rows", &over_rows),
        ("branches", "Over the number of branches", &over_branches),
    ];
    let mut text = String::from(HEAD);
    for (file, title, curves) in tables.into_iter().filter(|(_, _, curves)| !curves.is_empty()) {
        let table = table(curves);
        println!("{title}\n\n{table}");
        write!(text, "\n## {title}\n\n![{title}](scale-{file}.svg)\n\n{table}")?;
        if let Some(note) = rows.last().and_then(|most| items::note(*most))
            && file == "rows"
        {
            write!(text, "\n{note}\n")?;
        }
        write_file(&arguments.out, &format!("scale-{file}.svg"), &plot::draw(file, curves))?;
    }
    write_file(&arguments.out, "scale.md", &text)
}

const HEAD: &str = "# Scale

Made by `cargo xtask bench --scale`: PandoDB alone, medians. The exponent is the slope of a
straight line through the figures when both axes are logarithms: 0 does not depend on the size,
1 is proportional to it. [performance.md](../performance.md) says on which machine and when.
";

fn write_file(folder: &Path, name: &str, text: &str) -> Outcome<()> {
    Ok(std::fs::write(folder.join(name), text)?)
}

/// One curve for each workload that has a figure at more than one size.
fn curves(sizes: &[u64], measure: impl Fn(u64) -> Outcome<Rounds>) -> Outcome<Vec<Curve>> {
    let mut curves: Vec<Curve> = Vec::new();
    for size in sizes {
        for figures in measure(*size)?.all {
            let Some((_, own)) = figures.contenders.first() else { continue };
            let point = (*size, Spread::of(own.iter().copied()).median);
            let name = figures.workload.replace("-10000", "-others");
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve { name, unit: figures.unit, points: vec![point] }),
            }
        }
    }
    curves.retain(|curve| curve.points.len() > 1);
    Ok(curves)
}

fn table(curves: &[Curve]) -> String {
    let longest = curves.iter().max_by_key(|curve| curve.points.len());
    let sizes: Vec<u64> =
        longest.map_or(Vec::new(), |curve| curve.points.iter().map(|p| p.0).collect());
    let mut text = String::from("| workload |");
    for size in &sizes {
        text.push_str(&format!(" {size} |"));
    }
    text.push_str(" exponent |\n|---|");
    text.push_str(&"---|".repeat(sizes.len() + 1));
    for curve in curves {
        text.push_str(&format!("\n| {} |", curve.name));
        for size in &sizes {
            let point = curve.points.iter().find(|point| point.0 == *size);
            let figure = point.map_or(String::new(), |point| show(point.1, curve.unit));
            text.push_str(&format!(" {figure} |"));
        }
        text.push_str(&format!(" {:.2} |", curve.exponent()));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_is_the_power() {
        for power in [0.0, 0.5, 1.0, 2.0] {
            let points = [10, 100, 1000].map(|size: u64| (size, 7.0 * (size as f64).powf(power)));
            let curve =
                Curve { name: String::new(), unit: Unit::Nanoseconds, points: points.to_vec() };
            assert!((curve.exponent() - power).abs() < 1e-9, "{power}");
        }
    }
}
