//! Branches that take each other again and again, beside a model that knows what comes of it.
//!
//! A seed makes a script of changes and merges; the conflicts, the counts and the rows of each
//! merge are to be those of the model. Neighbours: `laws` has what holds for any schema.

mod model;
mod script;
mod trial;

use std::time::Duration;

pub(crate) use script::Script;
pub(crate) use trial::{Met, check};

use crate::laws::Broken;
use crate::shrink;

/// A shorter script that breaks the same law, and how.
pub(crate) fn shorten(script: Script, found: Broken, limit: Duration) -> (Script, Broken) {
    let (kind, branches) = (script.kind, script.branches);
    let of = |steps: &[script::Step]| Script { kind, branches, steps: steps.to_vec() };
    let (steps, found) =
        shrink::shrink(script.steps, found, limit, |tried| check(&of(tried)).err());
    (Script { kind, branches, steps }, found)
}
