//! Finding a keyword by its text, and the nearest keyword to a misspelt word.
//!
//! The table is a hash table with open addressing, filled at compile time; the hash looks at
//! the length and three letters, so that most identifiers meet an empty slot. Neighbours:
//! `mod` (the keywords), `lexer` (asks for every word), `parser` (asks for hints).

use super::{KEYWORDS, TokenKind};
use crate::suggest::distance;

const SLOTS: usize = 1024;
const LENGTH_MAX: usize = 17;

/// Index into `KEYWORDS` plus one, zero for an empty slot.
static TABLE: [u8; SLOTS] = fill();

const fn fill() -> [u8; SLOTS] {
    let mut table = [0; SLOTS];
    let mut index = 0;
    while index < KEYWORDS.len() {
        let mut slot = hash(KEYWORDS[index].0.as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = index as u8 + 1;
        index += 1;
    }
    table
}

/// Of a word of at least two bytes; clearing bit 5 makes letters capital.
const fn hash(word: &[u8]) -> usize {
    let length = word.len();
    let first = (word[0] & 0xdf) as usize;
    let second = (word[1] & 0xdf) as usize;
    let last = (word[length - 1] & 0xdf) as usize;
    (first * 37 + second * 101 + last * 13 + length * 57) % SLOTS
}

/// The kind of a word: a keyword's, or an identifier's.
pub(in crate::parse) fn kind_of(word: &[u8]) -> TokenKind {
    if word.len() < 2 || word.len() > LENGTH_MAX {
        return TokenKind::Identifier;
    }
    let mut slot = hash(word);
    loop {
        let entry = TABLE[slot];
        if entry == 0 {
            return TokenKind::Identifier;
        }
        let (text, kind) = KEYWORDS[entry as usize - 1];
        if text.as_bytes().eq_ignore_ascii_case(word) {
            return kind;
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// Words that are no keywords of SQLite but begin or continue statements of PandoDB.
const OWN_WORDS: &[&str] = &[
    "APPLY",
    "BACKUP",
    "BRANCH",
    "BRANCHES",
    "CHERRY",
    "COMMITS",
    "CONCURRENT",
    "CONFLICTS",
    "CONTINUE",
    "DIFF",
    "GRANT",
    "INCREMENTAL",
    "ISOLATION",
    "LEVEL",
    "MERGE",
    "PREVIEW",
    "RESET",
    "RESOLVE",
    "RESTORE",
    "REVOKE",
    "SHOW",
    "SUMMARIZE",
    "TAG",
    "TIMESTAMP",
    "UNDO",
    "USE",
];

/// The keyword nearest to a misspelt `word`, if one is near: one edit for words of three or
/// four letters, two for longer ones. Of equally near ones it is one that was `expected`.
pub(in crate::parse) fn nearest(word: &str, expected: &str) -> Option<&'static str> {
    let length = word.len();
    if !(3..=LENGTH_MAX + 2).contains(&length) || !word.is_ascii() {
        return None;
    }
    let allowed = if length < 5 { 1 } else { 2 };
    let upper = word.to_ascii_uppercase();
    let is_expected = |text: &str| {
        expected.split(|letter: char| !letter.is_ascii_alphabetic()).any(|word| word == text)
    };
    let words = || KEYWORDS.iter().map(|(text, _)| *text).chain(OWN_WORDS.iter().copied());
    // A word that is one is misspelt only if the other one is called for.
    let is_word = words().any(|text| text == upper);
    words()
        .filter(|text| !is_word || is_expected(text))
        .filter(|text| text.len().abs_diff(length) <= allowed && text.len() > 2)
        .map(|text| (distance(text, &upper), text))
        .filter(|(distance, _)| (1..=allowed).contains(distance))
        // Letters are swapped or mistaken more often than left out.
        .min_by_key(|(distance, text)| (*distance, !is_expected(text), text.len() != length))
        .map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_in_any_case() {
        for (text, kind) in KEYWORDS {
            assert_eq!(kind_of(text.as_bytes()), *kind);
            assert_eq!(kind_of(text.to_ascii_lowercase().as_bytes()), *kind);
        }
        for word in ["branch", "selec", "x", "selects", "current_dat\u{7f}"] {
            assert_eq!(kind_of(word.as_bytes()), TokenKind::Identifier);
        }
    }

    #[test]
    fn a_misspelt_keyword_is_recognised() {
        assert_eq!(nearest("selct", ""), Some("SELECT"));
        assert_eq!(nearest("FORM", ""), Some("FROM"));
        assert_eq!(nearest("brnach", ""), Some("BRANCH"));
        assert_eq!(nearest("inser", "DELETE, INSERT or UPDATE"), Some("INSERT"));
        assert_eq!(nearest("inser", ""), Some("INNER"));
        assert_eq!(nearest("quantity", ""), None);
        assert_eq!(nearest("select", ""), None);
        assert_eq!(nearest("BRANCH", "the name of a branch"), None);
        assert_eq!(nearest("BRANCH", "BRANCHES or TAGS"), Some("BRANCHES"));
    }
}
