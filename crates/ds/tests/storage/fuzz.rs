//! Every fuzz target on its seeds and on some thousand inputs made from them.
//!
//! Neighbours: `targets` has them; `cargo xtask fuzz` goes on for longer.

use fastrand::Rng;

use crate::targets::{TARGETS, Target, mutate};

fn fuzz(name: &str, rounds: usize) {
    let target: &Target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = (target.seeds)();
    let mut rng = Rng::with_seed(0x5eed);
    for seed in &seeds {
        (target.run)(seed);
    }
    for _ in 0..rounds {
        let (input, other) = (rng.choice(&seeds).unwrap(), rng.choice(&seeds).unwrap());
        let input = mutate(&mut rng.fork(), input, other);
        let outcome = std::panic::catch_unwind(|| (target.run)(&input));
        assert!(outcome.is_ok(), "target {name} fails on {input:?}");
    }
}

macro_rules! tests {
    ($($name:ident $rounds:literal),*) => {$(
        #[test]
        fn $name() {
            fuzz(stringify!($name), $rounds);
        }
    )*};
}

tests!(page 8000, superblock 4000, record 8000, key 8000, bytes 200, file 1000, backup 800);
