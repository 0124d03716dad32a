//! Which names branches and tags may have.
//!
//! Any script, `/` and `-` are fine; what could hide from a reader's eye, be taken for an option,
//! a revision (`dev~2`, `a..b`) or the number of a commit, or climb out of a folder is not,
//! although names never reach the file system. A name keeps its letters as written and is found in
//! any case, as SQL's names are, so two names that differ in case only cannot be there together.
//! Neighbours: `registry` checks each new name here.

use crate::error::{Error, ErrorKind, Result};

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Words that stand for something else wherever a name may stand.
const RESERVED: [&str; 9] =
    ["head", "fetch_head", "orig_head", "merge_head", "now", "base", "ours", "theirs", "@"];

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
}

impl NameKind {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        }
    }
}

/// What a name is looked up by: equal for names that differ in case only.
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// Whether `name` can name a branch or tag; the error says what is wrong with it.
pub fn check(kind: NameKind, name: &str) -> Result<()> {
    let Some(wrong) = wrong_with(name) else { return Ok(()) };
    // The name itself is shown escaped: it may hold what a terminal would obey.
    let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
    let message = format!("'{shown}' cannot name a {}: {wrong}", kind.as_str());
    let hint = "names have 1 to 255 bytes of letters, digits, and signs such as - _ . / @";
    Err(Error::new(ErrorKind::InvalidName, message).with_hint(hint))
}

fn wrong_with(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it is empty".into());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("it has {} bytes, more than {NAME_BYTES_MAX}", name.len()));
    }
    if let Some(hidden) = name.chars().find(|&letter| is_hidden(letter)) {
        return Some(format!("it has the invisible character U+{:04X}", u32::from(hidden)));
    }
    if name.contains('\\') {
        return Some("it has a backslash".into());
    }
    if name.starts_with('-') {
        return Some("it begins with '-', as options do".into());
    }
    if name.trim() != name {
        return Some("it begins or ends with a blank".into());
    }
    for part in name.split('/') {
        if part.is_empty() {
            return Some("it has a '/' with nothing on one side".into());
        }
        if part.chars().all(|letter| letter == '.') {
            return Some(format!("'{part}' between '/' is a way through folders"));
        }
    }
    if name.contains(['~', '^']) || name.contains("@{") {
        return Some("it reads as a revision".into());
    }
    if name.contains("..") {
        return Some("it reads as a range of two revisions".into());
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("it reads as the number of a commit".into());
    }
    if name == "*" {
        return Some("it stands for all of them".into());
    }
    if RESERVED.contains(&fold(name).as_str()) {
        return Some("it is a reserved word".into());
    }
    None
}

/// Control characters, separators of lines, and marks that change the order or hide.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_any_script_with_slashes_and_dashes_are_fine() {
        let long = "x".repeat(NAME_BYTES_MAX);
        for name in [
            "main",
            "feature/login-2",
            "v1.0",
            "ünïcödé",
            "支店",
            "a b",
            "head/x",
            "select",
            "x'y",
            &long,
        ] {
            check(NameKind::Branch, name).unwrap();
        }
    }

    #[test]
    fn tricks_and_reserved_words_are_refused_with_a_reason() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for (name, reason) in [
            ("", "empty"),
            (&*long, "more than 255"),
            ("a\nb", "U+000A"),
            ("a\u{202e}b", "U+202E"),
            ("a\u{0}", "U+0000"),
            ("..", "folders"),
            ("a/../b", "folders"),
            ("./a", "folders"),
            ("/etc", "nothing"),
            ("a//b", "nothing"),
            ("a/", "nothing"),
            ("a\\b", "backslash"),
            ("-force", "options"),
            (" a", "blank"),
            ("HEAD", "reserved"),
            ("Now", "reserved"),
            ("dev~2", "revision"),
            ("dev^", "revision"),
            ("dev@{1 hour ago}", "revision"),
            ("a..b", "range"),
            ("..a", "range"),
            ("42", "number of a commit"),
        ] {
            let error = check(NameKind::Tag, name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName);
            assert!(error.message().contains(reason), "{name:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn an_error_is_always_printable(name in any::<String>()) {
            if let Err(error) = check(NameKind::Branch, &name) {
                prop_assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
            } else {
                prop_assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX);
                prop_assert!(!name.split('/').any(|part| part == ".."));
            }
        }
    }
}
