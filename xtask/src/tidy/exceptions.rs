//! The list of exceptions: what breaks a rule on purpose, how far, and why.
//!
//! A line of `exceptions.txt` is `rule place limit reason...`; the place is what a violation
//! prints, with `::name` for a function. A limit that is not measured is `-`. The list may only
//! shrink: a line that nothing needs, or whose limit is larger than what was measured, fails.
//! Neighbours: `mod` applies it to what the rules found.

use super::Violation;
use crate::process::{Failure, Outcome};
use crate::workspace;

const FILE: &str = "xtask/src/tidy/exceptions.txt";

/// A line of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exception {
    rule: String,
    place: String,
    /// How far it may go, for rules that measure.
    limit: Option<usize>,
    line: usize,
}

pub(super) fn read() -> Outcome<Vec<Exception>> {
    parse(&workspace::read_text(FILE)?)
}

fn parse(text: &str) -> Outcome<Vec<Exception>> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| parse_line(number, line)).collect()
}

fn parse_line(number: usize, line: &str) -> Outcome<Exception> {
    let wrong = |what: &str| Failure::new(format!("{FILE}:{number}: {what}: {line}"));
    let mut words = line.split_whitespace();
    let (Some(rule), Some(place), Some(limit)) = (words.next(), words.next(), words.next()) else {
        return Err(wrong("not `rule place limit reason`"));
    };
    if words.next().is_none() {
        return Err(wrong("an exception needs a reason"));
    }
    let limit = match limit {
        "-" => None,
        number => Some(number.parse().map_err(|_| wrong("the limit is no number"))?),
    };
    Ok(Exception { rule: rule.to_owned(), place: place.to_owned(), limit, line: number })
}

/// Takes out what an exception covers; adds a violation for each exception that is not needed.
pub(super) fn apply(exceptions: Vec<Exception>, found: Vec<Violation>) -> Vec<Violation> {
    let mut needed = vec![None::<usize>; exceptions.len()];
    let mut left = Vec::new();
    for violation in found {
        let covering = exceptions.iter().position(|exception| {
            exception.rule == violation.rule
                && exception.place == violation.place
                && exception.limit.is_none_or(|limit| violation.measured <= limit)
        });
        match covering {
            Some(at) => needed[at] = needed[at].max(Some(violation.measured)),
            None => left.push(violation),
        }
    }
    for (exception, needed) in exceptions.into_iter().zip(needed) {
        let message = match (needed, exception.limit) {
            (None, _) => format!("{} needs no exception any more", exception.place),
            (Some(needed), Some(limit)) if needed < limit => {
                format!("{} needs {needed} now: lower its limit", exception.place)
            }
            _ => continue,
        };
        left.push(Violation::new("exceptions", FILE, message).at_line(exception.line));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply_text(text: &str, measured: &[usize]) -> Vec<String> {
        let found = measured
            .iter()
            .map(|&measured| Violation::new("size", "a.rs::f", "long").measuring(measured));
        let exceptions = parse(text).map_err(|failure| failure.to_string());
        let left = apply(exceptions.unwrap_or_default(), found.collect());
        left.into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn an_exception_covers_its_violation() {
        assert!(apply_text("# why\nsize a.rs::f 80 a flat match", &[80]).is_empty());
        assert!(apply_text("size a.rs::f - a flat match", &[80]).is_empty());
    }

    #[test]
    fn an_exception_does_not_cover_more() {
        let left = apply_text("size a.rs::f 80 a flat match", &[81]);
        assert_eq!(left, ["long", "a.rs::f needs no exception any more"]);
        assert_eq!(apply_text("size a.rs::g 80 a flat match", &[80])[0], "long");
        assert_eq!(apply_text("width a.rs::f 80 a flat match", &[80])[0], "long");
    }

    #[test]
    fn the_list_may_only_shrink() {
        let stale = apply_text("size a.rs::f 80 a flat match", &[]);
        assert_eq!(stale, ["a.rs::f needs no exception any more"]);
        let loose = apply_text("size a.rs::f 80 a flat match", &[75]);
        assert_eq!(loose, ["a.rs::f needs 75 now: lower its limit"]);
    }

    #[test]
    fn a_line_needs_all_its_parts() {
        assert!(parse("size a.rs::f").is_err());
        assert!(parse("size a.rs::f 80").is_err(), "a reason is missing");
        assert!(parse("size a.rs::f many because").is_err());
    }
}
