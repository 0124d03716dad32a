//! Places in SQL text: a half-open range of byte offsets.
//!
//! Every node of the syntax tree and every error about text carries one, so that messages can
//! point at the source and `ALTER TABLE ... RENAME` can replace a name where it stands without
//! touching the rest of a stored definition. Offsets are 32 bits wide: `limits` bounds the
//! text. Neighbours: `ast` (nodes), `error` (messages).

use std::ops::Range;

/// A half-open range of byte offsets in the statement's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same as a range of indices.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The part of `text` at this place; empty where the span does not fit the text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or("")
    }

    /// Whether there is nothing in it: nodes that come from no text have such a span.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }
}
