//! The difference of two texts, line by line, as people read it.
//!
//! The longest common subsequence is found by the quadratic table: texts of tests are short.
//! Neighbours: `golden` prints it when an answer changed.

use std::fmt::Write as _;

/// Lines around a change that are shown.
const CONTEXT: usize = 3;

/// Above this many cells the table is not made; the texts are shown one after the other.
const CELLS_LIMIT: usize = 16_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Same,
    Removed,
    Added,
}

/// The lines that differ, with some around them: `-` is only in `expected`, `+` only in
/// `actual`. Nothing when both are the same.
pub fn difference(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let before: Vec<&str> = expected.lines().collect();
    let after: Vec<&str> = actual.lines().collect();
    let lines = align(&before, &after);
    if lines.iter().all(|(kind, _)| *kind == Kind::Same) {
        return Some("the texts differ only in how their lines end\n".to_owned());
    }
    let mut shown = String::new();
    let mut last_shown = None;
    for (at, (kind, line)) in lines.iter().enumerate() {
        let from = at.saturating_sub(CONTEXT);
        let to = (at + CONTEXT + 1).min(lines.len());
        if lines[from..to].iter().all(|(kind, _)| *kind == Kind::Same) {
            continue;
        }
        if last_shown.is_none_or(|last: usize| last + 1 < at) && at > 0 {
            shown.push_str("  ...\n");
        }
        last_shown = Some(at);
        let mark = match kind {
            Kind::Same => ' ',
            Kind::Removed => '-',
            Kind::Added => '+',
        };
        // Writing to a string cannot fail.
        let _ = writeln!(shown, "{mark} {line}");
    }
    Some(shown)
}

/// Both texts in one sequence, common lines once.
fn align<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<(Kind, &'a str)> {
    let width = after.len() + 1;
    if before.len().saturating_mul(after.len()) > CELLS_LIMIT {
        let removed = before.iter().map(|line| (Kind::Removed, *line));
        return removed.chain(after.iter().map(|line| (Kind::Added, *line))).collect();
    }
    // `common[i * width + j]`: length of the longest common part of before[i..] and after[j..].
    let mut common = vec![0_u32; (before.len() + 1) * width];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            common[i * width + j] = if before[i] == after[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let mut lines = Vec::with_capacity(before.len() + after.len());
    let (mut i, mut j) = (0, 0);
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            lines.push((Kind::Same, before[i]));
            i += 1;
            j += 1;
        } else if j == after.len()
            || (i < before.len() && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push((Kind::Removed, before[i]));
            i += 1;
        } else {
            lines.push((Kind::Added, after[j]));
            j += 1;
        }
    }
    lines
}

/// Panics with the [`difference`] when the texts are not the same.
#[track_caller]
pub fn assert_same_text(expected: &str, actual: &str) {
    if let Some(difference) = difference(expected, actual) {
        panic!("the text changed (- expected, + actual):\n{difference}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    }

    #[test]
    fn changed_lines_are_shown_with_their_neighbours() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        let expected = "  ...\n  2\n  3\n  4\n- 5\n+ five\n  6\n  7\n  8\n";
        assert_eq!(difference(before, after).as_deref(), Some(expected));
    }

    #[test]
    fn distant_changes_are_separated() {
        let lines: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let before = lines.join("\n") + "\n";
        let after = before.replace("1\n2\n", "1\ntwo\n").replace("18\n", "");
        let shown = difference(&before, &after).unwrap_or_default();
        assert_eq!(shown.matches("  ...\n").count(), 1, "{shown}");
        assert!(shown.contains("- 2\n+ two\n") && shown.contains("- 18\n"), "{shown}");
    }

    #[test]
    fn an_end_without_a_line_break_is_a_difference() {
        assert!(difference("a\n", "a").is_some());
    }

    #[test]
    fn either_side_may_be_empty() {
        assert_eq!(difference("", "a\n").as_deref(), Some("+ a\n"));
        assert_eq!(difference("a\n", "").as_deref(), Some("- a\n"));
    }

    #[test]
    #[should_panic(expected = "- a\n+ b\n")]
    fn the_assertion_shows_the_difference() {
        assert_same_text("a\n", "b\n");
    }
}
