//! Criterion benchmarks of PandoDB above its storage: `transactions` (the log, locks), `sql`
//! (the parser, point queries), `branches` (making, comparing and merging them).
//!
//! They run in memory, so that they show the program's own time. What users wait for, disks and
//! peers included, is measured by `cargo xtask bench`; `docs/performance.md` has the figures.
