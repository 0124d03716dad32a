//! An order in which things can take their new names, although some want names that others have.
//!
//! A name is free once its owner has left it. Where owners wait for each other in a ring, one of
//! them goes to a name that nobody wants first. Neighbours: `definition`, `rows`.

use std::collections::VecDeque;

/// The steps, each from a name that is there to one that is free. `known` are the names that are
/// there, of everything that may stand in the way.
pub(super) fn in_order(
    renames: Vec<(String, String)>,
    mut known: Vec<String>,
) -> Vec<(String, String)> {
    let is_known =
        |known: &[String], name: &str| known.iter().any(|it| it.eq_ignore_ascii_case(name));
    let mut steps = Vec::new();
    let mut waiting: VecDeque<_> = renames.into();
    let mut refused = 0;
    while let Some((from, to)) = waiting.pop_front() {
        let is_ring = refused > waiting.len();
        let is_leaving = |name: &str| {
            waiting
                .iter()
                .map(|(from, _)| from)
                .chain([&from])
                .any(|it| it.eq_ignore_ascii_case(name))
        };
        if is_known(&known, &to) && is_leaving(&to) && !is_ring {
            refused += 1;
            waiting.push_back((from, to));
            continue;
        }
        refused = 0;
        known.retain(|it| !it.eq_ignore_ascii_case(&from));
        let reached = if is_ring {
            let wanted = waiting.iter().map(|(_, to)| to).chain([&from, &to]);
            let free = free_name(known.iter().chain(wanted));
            waiting.push_back((free.clone(), to));
            free
        } else {
            to
        };
        known.push(reached.clone());
        steps.push((from, reached));
    }
    steps
}

/// A name that is not among these.
pub(super) fn free_name<'n>(taken: impl Iterator<Item = &'n String>) -> String {
    let taken: Vec<String> = taken.map(|name| name.to_ascii_lowercase()).collect();
    let mut number = 0_usize;
    loop {
        number += 1;
        let name = format!("pando_moved_{number}");
        if !taken.contains(&name) {
            return name;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renames, and the names that are there.
    type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

    fn run(renames: &[(&str, &str)], known: &[&str]) -> Vec<(String, String)> {
        let owned = |name: &&str| (*name).to_owned();
        let pairs = renames.iter().map(|(from, to)| (owned(from), owned(to))).collect();
        in_order(pairs, known.iter().map(owned).collect())
    }

    #[test]
    fn every_step_leads_from_a_name_that_is_there_to_one_that_is_free() {
        let cases: [Case; 5] = [
            (&[("a", "b"), ("b", "c")], &["a", "b"]),
            (&[("a", "b"), ("b", "a")], &["a", "b", "PANDO_MOVED_1"]),
            (&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "e")], &["a", "b", "c", "d"]),
            (&[("a", "A")], &["a"]),
            (&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")], &["a", "b", "c", "d"]),
        ];
        for (renames, known) in cases {
            // Each name holds what had it at first.
            let mut state: Vec<(String, String)> =
                known.iter().map(|it| ((*it).to_owned(), (*it).to_owned())).collect();
            for (from, to) in run(renames, known) {
                let moved = state.iter().position(|(name, _)| *name == from).expect("it is there");
                let (_, owner) = state.remove(moved);
                assert!(state.iter().all(|(name, _)| !name.eq_ignore_ascii_case(&to)), "{to}");
                state.push((to, owner));
            }
            for (from, to) in renames {
                assert!(state.contains(&((*to).to_owned(), (*from).to_owned())), "{state:?}");
            }
        }
    }
}
