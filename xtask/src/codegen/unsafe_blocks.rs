//! The list of every use of `unsafe` with its reason, for `docs/unsafe.md`.
//!
//! The reason is the comment that begins with `SAFETY:` (or the section `# Safety` of the
//! documentation of an unsafe function) in the lines above. Places are named by file and
//! function, so that the list changes only when the code does. Neighbours: `tidy` keeps the
//! list of files that may hold any.

use super::Blocks;
use crate::process::{Failure, Outcome};
use crate::source::Source;
use crate::workspace;

pub(super) const DOCUMENT: &str = "docs/unsafe.md";

/// One use of the keyword.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    /// The innermost function around it; empty outside of functions.
    function: String,
    reason: Option<String>,
    line: usize,
}

pub(super) fn make() -> Outcome<Option<Blocks>> {
    let mut rows = String::new();
    for path in workspace::files()?.iter().filter(|path| path.ends_with(".rs")) {
        for one in uses(&workspace::read_text(path)?) {
            let reason = one.reason.ok_or_else(|| {
                Failure::new(format!("{path}:{}: `unsafe` without a SAFETY comment", one.line))
            })?;
            let reason = reason.replace('|', "\\|");
            rows.extend(["| `", path, "` | `", &one.function, "` | ", &reason, " |\n"]);
        }
    }
    let table = if rows.is_empty() {
        "No file of the workspace holds `unsafe`.\n".to_owned()
    } else {
        format!("| file | function | why it is sound |\n|---|---|---|\n{rows}")
    };
    Ok(Some(Blocks::from([("unsafe".to_owned(), table)])))
}

fn uses(text: &str) -> Vec<Use> {
    let source = Source::new(text);
    let functions = source.functions();
    let comments: Vec<&str> = source.comments.lines().collect();
    let mut uses = Vec::new();
    for at in source.words("unsafe") {
        let line = source.line_of(at);
        let around = functions.iter().rfind(|function| function.body.contains(&at));
        let function = around.map(|function| function.name.clone()).unwrap_or_default();
        uses.push(Use { function, reason: reason_above(&comments, line), line });
    }
    uses
}

/// The nearest reason in the twelve lines up to `line`, joined to one sentence.
fn reason_above(comments: &[&str], line: usize) -> Option<String> {
    let words = |line: &str| line.trim().trim_start_matches(['/', '!', '*']).trim().to_owned();
    let first = line.saturating_sub(12);
    let (start, text) = (first..line).rev().find_map(|at| {
        let text = words(comments[at]);
        let reason = text.split_once("SAFETY:").map(|(_, reason)| reason.trim().to_owned());
        let section = (text == "# Safety").then(String::new);
        reason.or(section).map(|reason| (at, reason))
    })?;
    let mut reason = text;
    for comment in &comments[start + 1..line] {
        let more = words(comment);
        if more.is_empty() && !reason.is_empty() {
            break;
        }
        reason.push(' ');
        reason.push_str(&more);
    }
    Some(reason.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_found_and_joined() {
        let text = "fn f() {\n    // SAFETY: the index is\n    // below the length.\n    \
                    unsafe { g() }\n}\n";
        let expected = Use {
            function: "f".into(),
            reason: Some("the index is below the length.".into()),
            line: 4,
        };
        assert_eq!(uses(text), [expected]);
    }

    #[test]
    fn the_section_of_an_unsafe_function_is_its_reason() {
        let text = "/// Does.\n///\n/// # Safety\n/// The pointer is valid.\nunsafe fn f() {}\n";
        assert_eq!(uses(text)[0].reason.as_deref(), Some("The pointer is valid."));
    }

    #[test]
    fn a_missing_reason_is_none() {
        assert_eq!(uses("fn f() {\n    unsafe { g() }\n}\n")[0].reason, None);
    }
}
