//! LIKE and GLOB as ranges: what matches `abc%` begins with `abc`.
//!
//! SQLite's conditions: the built-in function, a constant pattern that does not begin with a
//! wildcard, an index whose order is that of the operator (NOCASE for LIKE, bytes for GLOB and
//! for LIKE under `case_sensitive_like`), and a column whose numbers, read as texts, cannot
//! match unless they are kept as texts. The pattern is checked again on what the range finds.
//! Neighbours: `terms` has the tests, `execute` reads blobs, which match by their bytes, too.

use pandodb_ds::record::{Collation, Value};

use crate::bind::Binder;
use crate::catalog::IndexColumn;
use crate::function::Implementation;
use crate::plan::{Bound, Range};
use crate::scalar::{Call, Scalar};
use crate::types::Affinity;

/// What texts that match a pattern begin with.
pub(super) struct Prefix {
    /// The order in which they stand together.
    pub(super) collation: Collation,
    /// The first of them.
    low: Vec<u8>,
    /// The first behind all of them.
    high: Vec<u8>,
}

impl Prefix {
    /// Whether everything that matches stands between the bounds in such a column.
    pub(super) fn fits(&self, column: &IndexColumn) -> bool {
        let may_be_number = |first: u8| {
            first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.') || first >= 0x80
        };
        let is_number = self.low.first().is_none_or(|first| may_be_number(*first));
        // Infinities read as `Inf`.
        let is_word = self.low.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'i'));
        column.collation == self.collation
            && (column.affinity == Affinity::Text || !(is_number || is_word))
    }

    /// The bounds.
    pub(super) fn range(&self) -> Range {
        let bound = |bytes: &[u8], inclusive| {
            let value = Scalar::Literal(Value::Text(bytes.into()));
            Some(Bound { value, inclusive, affinity: Affinity::None, behind: Vec::new() })
        };
        Range {
            low: bound(&self.low, true),
            high: bound(&self.high, false),
            blobs: true,
            not_null: true,
        }
    }
}

/// The operand of a LIKE or GLOB, and what its pattern begins with.
pub(super) fn prefix_of<'s>(binder: &Binder<'_>, call: &'s Call) -> Option<(&'s Scalar, Prefix)> {
    if !matches!(call.function.implementation, Implementation::Scalar(_)) {
        return None;
    }
    let (pattern, subject) = (call.arguments.first()?, call.arguments.get(1)?);
    let Some(Value::Text(pattern)) = pattern.as_literal() else { return None };
    let pattern: &[u8] = pattern.as_ref();
    let is_sensitive = binder.environment.case_sensitive_like;
    let (mut low, collation) = match (&*call.function.name, call.arguments.get(2)) {
        ("like", None) => (like_prefix(pattern, None), like_collation(is_sensitive)),
        ("like", Some(Scalar::Literal(Value::Text(escape)))) => {
            let escape: &[u8] = escape.as_ref();
            let [escape] = escape else { return None };
            (like_prefix(pattern, Some(*escape)), like_collation(is_sensitive))
        }
        ("glob", None) => (glob_prefix(pattern), Collation::Binary),
        _ => return None,
    };
    // Bytes that are no text compare as what they are taken for, not as what they are.
    let valid = std::str::from_utf8(&low).map_or_else(|error| error.valid_up_to(), str::len);
    low.truncate(valid);
    if collation == Collation::NoCase {
        // The order folds letters before it compares, and so must the end of the range.
        low.make_ascii_lowercase();
    }
    let mut high = low.clone();
    while high.last() == Some(&0xff) {
        high.pop();
    }
    *high.last_mut()? += 1;
    Some((subject, Prefix { collation, low, high }))
}

fn like_collation(is_sensitive: bool) -> Collation {
    if is_sensitive { Collation::Binary } else { Collation::NoCase }
}

/// The bytes of a LIKE pattern up to its first wildcard.
fn like_prefix(pattern: &[u8], escape: Option<u8>) -> Vec<u8> {
    let mut prefix = Vec::new();
    let mut bytes = pattern.iter().copied();
    while let Some(byte) = bytes.next() {
        if Some(byte) == escape {
            match bytes.next() {
                Some(0) | None => break,
                Some(escaped) => prefix.push(escaped),
            }
        } else if matches!(byte, b'%' | b'_' | 0) {
            break;
        } else {
            prefix.push(byte);
        }
    }
    prefix
}

/// The bytes of a GLOB pattern up to its first wildcard.
fn glob_prefix(pattern: &[u8]) -> Vec<u8> {
    pattern.iter().copied().take_while(|byte| !matches!(byte, b'*' | b'?' | b'[' | 0)).collect()
}
