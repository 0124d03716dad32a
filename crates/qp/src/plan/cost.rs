//! What steps of a plan cost, in rows that the row gear reads in order (about 120 nanoseconds).
//!
//! The figures were measured with TPC-H in memory: a row of a batch takes 40 ns to read and 25 to
//! look up in a hash table, a search of a tree from its root half a microsecond. Small tables run
//! in the row gear, where a hash table costs more. Neighbours: `access` and `order` add these up,
//! `gear` chooses how a plan runs.

/// Going from an index entry to its row, in a table of `total` rows; a share of the rows stands
/// near the row of the entry before.
pub(super) fn lookup_cost(total: f64, near: f64) -> f64 {
    const NEAR: f64 = 0.5;
    NEAR * near + (3.0 + 0.8 * beyond_cache(total)) * (1.0 - near)
}

/// Finding a place in a tree of `total` rows.
pub(super) fn seek_cost(total: f64) -> f64 {
    4.0 + 0.4 * beyond_cache(total)
}

/// How many times a table would have to be halved to stay in the processor's cache.
fn beyond_cache(total: f64) -> f64 {
    const CACHED_ROWS: f64 = 16_384.0;
    (total.max(1.0) / CACHED_ROWS).log2().max(0.0)
}

/// From how many rows on tables are read in batches.
pub(super) const BATCH_ROWS: f64 = 512.0;
/// A row of a batch.
const BATCH_COST: f64 = 0.3;
/// Putting a row into a hash table, and looking one up, row by row.
const BUILD: f64 = 4.0;
const PROBE: f64 = 1.5;
/// The same in batches.
const BATCH_BUILD: f64 = 0.7;
const BATCH_PROBE: f64 = 0.25;

/// Reading a whole table: a large one is read in batches.
pub(super) fn full_cost(total: f64) -> f64 {
    if total >= BATCH_ROWS { BATCH_ROWS + (total - BATCH_ROWS) * BATCH_COST } else { total }
}

/// A hash table of `built` rows and `probed` questions to it.
pub(super) fn hash_cost(built: f64, probed: f64) -> f64 {
    if built.max(probed) >= BATCH_ROWS {
        built * BATCH_BUILD + probed * BATCH_PROBE
    } else {
        built * BUILD + probed * PROBE
    }
}

/// Whether a search for each of `rows` rows, at `cost` each, is cheaper than a hash table of the
/// whole other side, which is read for `alone_cost` and has `alone_rows` rows.
pub(super) fn search_pays(rows: f64, cost: f64, alone_cost: f64, alone_rows: f64) -> bool {
    rows * (cost + 1.0) < alone_cost + hash_cost(alone_rows, rows)
}

// Neighbours: `access`, `order`, `join`.
