//! What is to be reached, in one table: copied from the texts that set the targets.
//!
//! A target that is reached is a floor; one that is missed stays. Neighbours: `report` judges.

/// A bound on PandoDB's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    /// At least this many times as fast as the peer.
    TimesFaster(f64),
    /// At most this part of the peer's figure.
    PartOf(f64),
    /// At most this figure, in the unit of the workload.
    AtMost(f64),
}

/// A bound for one workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) workload: &'static str,
    /// The peer that it is about; none where the figure alone counts.
    pub(crate) peer: Option<&'static str>,
    pub(crate) bound: Bound,
}

const fn faster(workload: &'static str, peer: &'static str, times: f64) -> Target {
    Target { workload, peer: Some(peer), bound: Bound::TimesFaster(times) }
}

const fn part_of(workload: &'static str, peer: &'static str, part: f64) -> Target {
    Target { workload, peer: Some(peer), bound: Bound::PartOf(part) }
}

const fn at_most(workload: &'static str, figure: f64) -> Target {
    Target { workload, peer: None, bound: Bound::AtMost(figure) }
}

/// Every target. Times are in nanoseconds.
pub(crate) const TARGETS: &[Target] = &[
    // Storage: 1,000,000 rows of 8-byte keys and 100-byte values, warm.
    faster("storage/point-read", "redb", 1.3),
    faster("storage/point-read", "LMDB", 0.8),
    faster("storage/bulk-load", "redb", 2.0),
    faster("storage/bulk-load", "LMDB", 1.0),
    faster("storage/random-insert", "redb", 1.5),
    faster("storage/random-insert", "LMDB", 1.0),
    faster("storage/scan", "redb", 2.0),
    faster("storage/scan", "LMDB", 0.8),
    part_of("storage/file-size", "redb", 0.5),
    part_of("storage/file-size", "LMDB", 0.5),
    part_of("storage/file-size-rich", "redb", 0.5),
    part_of("storage/file-size-rich", "LMDB", 0.5),
    at_most("storage/fork-small", 10e3),
    at_most("storage/fork-large", 10e3),
    at_most("storage/fork-growth", 0.08),
    at_most("storage/diff", 60e6),
    at_most("storage/range-count", 5e3),
    // Transactions: commits of one row; recovery of 1,000,000 changed rows.
    faster("transactions/commit-normal", "SQLite", 3.0),
    faster("transactions/commit-full-1", "SQLite", 1.0),
    faster("transactions/commit-full-1", "disk alone", 1.0 / 1.3),
    faster("transactions/commit-full-8", "SQLite", 4.0),
    at_most("transactions/reader-loss", 0.1),
    at_most("transactions/recovery", 3e9),
    at_most("transactions/large-written", 1.15),
    // SQL: the standard rows, caches of 256 MiB.
    at_most("sql/start", 10e6),
    faster("sql/point-select", "SQLite", 1.5),
    faster("sql/point-select-2-threads", "itself, 1 thread", 1.9),
    faster("sql/index-select", "SQLite", 1.3),
    faster("sql/range-100", "SQLite", 1.5),
    faster("sql/count", "SQLite", 1000.0),
    faster("sql/count-half", "SQLite", 1000.0),
    faster("sql/sum", "SQLite", 4.0),
    faster("sql/group", "SQLite", 5.0),
    faster("sql/top-10", "SQLite", 4.0),
    faster("sql/like", "SQLite", 3.0),
    faster("sql/join", "SQLite", 4.0),
    faster("sql/window", "SQLite", 3.0),
    faster("tpch/geometric-mean", "SQLite", 4.0),
    faster("tpch/q01", "SQLite", 1.0),
    faster("tpch/q02", "SQLite", 1.0),
    faster("tpch/q03", "SQLite", 1.0),
    faster("tpch/q04", "SQLite", 1.0),
    faster("tpch/q05", "SQLite", 1.0),
    faster("tpch/q06", "SQLite", 1.0),
    faster("tpch/q07", "SQLite", 1.0),
    faster("tpch/q08", "SQLite", 1.0),
    faster("tpch/q09", "SQLite", 1.0),
    faster("tpch/q10", "SQLite", 1.0),
    faster("tpch/q11", "SQLite", 1.0),
    faster("tpch/q12", "SQLite", 1.0),
    faster("tpch/q13", "SQLite", 1.0),
    faster("tpch/q14", "SQLite", 1.0),
    faster("tpch/q15", "SQLite", 1.0),
    faster("tpch/q16", "SQLite", 1.0),
    faster("tpch/q17", "SQLite", 1.0),
    faster("tpch/q18", "SQLite", 1.0),
    faster("tpch/q19", "SQLite", 1.0),
    faster("tpch/q20", "SQLite", 1.0),
    faster("tpch/q21", "SQLite", 1.0),
    faster("tpch/q22", "SQLite", 1.0),
    faster("sql/bulk-load", "SQLite", 2.0),
    faster("sql/update-one-normal", "SQLite", 3.0),
    faster("sql/update-one-full", "SQLite", 1.0),
    faster("sql/update-one-full-8", "SQLite", 4.0),
    faster("sql/branches-full-8", "SQLite", 4.0),
    faster("sql/update-10-percent", "SQLite", 2.0),
    faster("sql/delete-10-percent", "SQLite", 2.0),
    at_most("sql/reader-beside-writer", 0.1),
    part_of("sql/file-size", "SQLite", 0.5),
    part_of("sql/open-large", "SQLite", 1.0),
    // The cache, the changed pages that a transaction keeps (64 MiB), and 64 MiB.
    at_most("sql/load-memory", (256.0 + 64.0 + 64.0) * 1024.0 * 1024.0),
    // Branching: the standard rows. "The same" leaves a quarter for what a sync takes.
    faster("branching/create", "DoltLite", 5.0),
    part_of("branching/create", "itself, 1 MB", 1.25),
    at_most("branching/fork", 50e3),
    at_most("branching/switch", 20e3),
    part_of("branching/point-on-branch", "itself, main", 1.02),
    part_of("branching/scan-on-branch", "itself, main", 1.02),
    part_of("branching/point-100-deep", "itself, main", 1.02),
    part_of("branching/scan-100-deep", "itself, main", 1.02),
    at_most("branching/growth-1-percent", 0.08),
    at_most("branching/growth-unchanged", 1024.0),
    faster("branching/diff-1-percent", "DoltLite", 10.0),
    at_most("branching/diff-one-row", 1e6),
    faster("branching/merge-1-percent", "DoltLite", 10.0),
    at_most("branching/merge-1-percent", 100e6),
    at_most("branching/fast-forward", 1e6),
    part_of("branching/create-beside-10000", "itself, 10 branches", 2.0),
    part_of("branching/switch-beside-10000", "itself, 10 branches", 2.0),
    part_of("branching/list-one-of-10000", "itself, 10 branches", 2.0),
    part_of("branching/open-with-10000", "itself, 10 branches", 2.0),
    at_most("branching/open-with-10000", 50e6),
    at_most("branching/drop-beside-10000", 1e6),
    at_most("branching/drop", 1e6),
    at_most("branching/as-of", 100e6),
    faster("branching/writers-8", "DoltLite", 4.0),
];

/// The target of a workload against a peer, or of its figure alone.
pub(crate) fn target_of(workload: &str, peer: Option<&str>) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.workload == workload && target.peer == peer)
}
