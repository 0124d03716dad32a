//! Making a script that differs small: fewer statements, then shorter ones.
//!
//! A candidate counts when it still differs for the same cause, so that the result shows the
//! defect that was found and not another. Neighbours: `compare`.

use std::time::{Duration, Instant};

use super::compare::{self, Difference};
use super::script::{Check, Order, Step};
use crate::engine::Kind;
use crate::report::Findings;

/// A smaller script that differs for the same cause.
pub(super) fn shrink(
    mut steps: Vec<Step>,
    difference: &Difference,
    engine: Kind,
    limit: Duration,
) -> Vec<Step> {
    let started = Instant::now();
    let still = |steps: &[Step]| {
        started.elapsed() < limit
            && compare::run(steps, engine, &mut Findings::default(), false).is_some_and(|found| {
                found.cause == difference.cause && found.step + 1 == steps.len()
            })
    };
    steps.truncate(difference.step + 1);
    if !still(&steps) {
        return steps;
    }
    steps = smaller(steps, &still);
    for at in (0..steps.len()).rev() {
        let candidate = |tokens: &[String]| {
            let mut changed = steps.clone();
            changed[at].sql = join(tokens);
            // Less of an ORDER BY would leave more to chance.
            if !matches!(changed[at].check, Check::Change | Check::Query(Order::Any)) {
                return None;
            }
            Some(changed)
        };
        let tokens = tokens(&steps[at].sql);
        let tokens =
            smaller(tokens, &|tokens| candidate(tokens).is_some_and(|steps| still(&steps)));
        if let Some(shorter) = candidate(&tokens) {
            steps = shorter;
        }
    }
    smaller(steps, &still)
}

/// Leaves out runs of elements, long ones first, as long as `still` holds.
fn smaller<T: Clone>(mut list: Vec<T>, still: &dyn Fn(&[T]) -> bool) -> Vec<T> {
    let mut size = list.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < list.len() {
            let mut candidate = list.clone();
            candidate.drain(at..(at + size).min(list.len()));
            if !candidate.is_empty() && still(&candidate) {
                list = candidate;
            } else {
                at += 1.max(size / 2);
            }
        }
        size /= 2;
    }
    list
}

/// Words, literals and marks of a statement.
fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let word = |character: char| character.is_alphanumeric() || "_.".contains(character);
        let length = if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        } else if first == '\'' {
            rest[1..].find('\'').map_or(rest.len(), |end| end + 2)
        } else if word(first) {
            rest.find(|character| !word(character)).unwrap_or(rest.len())
        } else if rest.starts_with("||")
            || rest.starts_with("<<")
            || rest.starts_with("<=")
            || rest.starts_with(">=")
            || rest.starts_with("<>")
            || rest.starts_with("!=")
            || rest.starts_with("==")
        {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    tokens
}

fn join(tokens: &[String]) -> String {
    let mut sql = String::new();
    for token in tokens {
        let tight = matches!(token.as_str(), ")" | "," | "(") || sql.ends_with('(');
        // `x'61'` is one literal in two tokens.
        let blob = token.starts_with('\'') && sql.ends_with(" x");
        if !sql.is_empty() && !blob && (!tight || (token == "(" && ends_with_keyword(&sql))) {
            sql.push(' ');
        }
        sql.push_str(token);
    }
    sql
}

fn ends_with_keyword(sql: &str) -> bool {
    sql.ends_with(|character: char| {
        character.is_ascii_uppercase() || "=<>,+-*/%|".contains(character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_goes() {
        let list: Vec<u32> = (0..100).collect();
        let kept = smaller(list, &|list| list.contains(&17) && list.contains(&71));
        assert_eq!(kept, [17, 71]);
    }

    #[test]
    fn statements_survive_their_tokens() {
        let sql = "SELECT a.c0, upper('it''s') FROM t0 AS a WHERE (a.c0 <= x'61') AND c IN (1, 2)";
        assert_eq!(join(&tokens(sql)).replace(' ', ""), sql.replace(' ', ""));
    }
}
