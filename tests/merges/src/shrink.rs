//! Makes a script that breaks a law short.
//!
//! Steps are left out, many at first and then one by one, as long as the same law is broken.
//! Neighbours: `world` and `crossed` run scripts, in which steps may come to nothing.

use std::time::{Duration, Instant};

use crate::laws::{Broken, check};
use crate::world::{Line, World};

/// What a script breaks.
pub(crate) fn finding(script: &[Line]) -> Option<Broken> {
    match World::of(script) {
        Ok(mut world) => check(&mut world).err(),
        Err(defect) => Some(Broken {
            law: "statements end well or with an error of their own".into(),
            how: defect,
        }),
    }
}

/// A shorter script that breaks the same law, and how.
pub(crate) fn shrink<S: Clone>(
    script: Vec<S>,
    found: Broken,
    limit: Duration,
    finding: impl Fn(&[S]) -> Option<Broken>,
) -> (Vec<S>, Broken) {
    let began = Instant::now();
    let (mut script, mut found) = (script, found);
    let mut size = script.len().div_ceil(2);
    while size > 0 && began.elapsed() < limit {
        let (mut at, mut is_shorter) = (0, false);
        while at < script.len() && began.elapsed() < limit {
            let mut tried = script.clone();
            tried.drain(at..(at + size).min(script.len()));
            match finding(&tried) {
                Some(broken) if broken.law == found.law => {
                    (script, found, is_shorter) = (tried, broken, true);
                }
                _ => at += size,
            }
        }
        if !(is_shorter && size == 1) {
            size /= 2;
        }
    }
    (script, found)
}
