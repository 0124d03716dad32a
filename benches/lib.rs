//! Criterion benchmarks of PandoDB; each file beside this one is a benchmark.
