//! "Did you mean ...?": the known name that is nearest to one that is not.
//!
//! Nearest is the fewest letters added, left out, changed or swapped with their neighbour; a
//! name that needs more than a third of its letters changed (one of two may be) is no suggestion.
//! Neighbours: `bind` and `pragma` put it into the hints of errors.

use crate::catalog::Table;
use crate::error::Error;

/// Names longer than this are not compared.
const LENGTH_MAX: usize = 64;

/// The error with a hint at the candidate that is most like `name`, if one is.
pub(crate) fn hinting<'a>(
    error: Error,
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Error {
    match nearest(name, candidates) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error,
    }
}

/// The error with a hint at the column of `table` that is most like `name`.
pub(crate) fn hinting_column(error: Error, name: &str, table: &Table) -> Error {
    hinting(error, name, table.columns.iter().map(|column| &*column.name))
}

/// The candidate that is most like `name`, if one is like it.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    // Every name of one letter is one change from every other.
    if name.len() > LENGTH_MAX || name.chars().count() < 2 {
        return None;
    }
    let most = (name.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len() > LENGTH_MAX || candidate.len().abs_diff(name.len()) > most * 4 {
            continue;
        }
        let distance = distance(&name, &candidate.to_ascii_lowercase());
        if distance <= most && best.is_none_or(|(known, _)| distance < known) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Letters added, left out, changed, or swapped with their neighbour.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let [left, right] = [left, right].map(|text| text.chars().collect::<Vec<char>>());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let mut cost = (above[column] + usize::from(letter != other))
                .min(above[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other {
                cost = cost.min(before[column - 1] + 1);
            }
            current.push(cost);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let known = ["customers", "orders", "items"];
        assert_eq!(nearest("custmers", known), Some("customers"));
        assert_eq!(nearest("ordesr", known), Some("orders"), "two letters that were swapped");
        assert_eq!(nearest("ITEM", known), Some("items"));
        assert_eq!(nearest("suppliers", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("x", ["a", "xa"]), None, "that is like everything");
        assert_eq!(nearest("ix", ["id", "a"]), Some("id"));
    }

    #[test]
    fn distances_are_those_of_the_definition() {
        for (left, right, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }
}
