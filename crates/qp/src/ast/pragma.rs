//! PRAGMA.
//!
//! Neighbours: the table of PRAGMAs in `pragma` says which names and values there are.

use super::{Name, QualifiedName};
use crate::span::Span;

/// `PRAGMA [schema.]name [= value | (value)]`
#[derive(Clone, Debug, PartialEq)]
pub struct Pragma {
    /// Which.
    pub name: QualifiedName,
    /// The value; without one it is read.
    pub value: Option<PragmaValue>,
    /// Written as `name(value)` rather than `name = value`.
    pub call: bool,
}

/// The value of a PRAGMA.
#[derive(Clone, Debug)]
pub enum PragmaValue {
    /// A number as written, with its sign.
    Number(Box<str>, Span),
    /// A name, a string or a keyword such as ON.
    Name(Name),
    /// Several words without quotes: `READ COMMITTED`.
    Words(Box<str>, Span),
}

impl PragmaValue {
    /// The value's text without quotes.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Number(text, _) | Self::Words(text, _) => text,
            Self::Name(name) => &name.text,
        }
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Number(_, span) | Self::Words(_, span) => *span,
            Self::Name(name) => name.span,
        }
    }
}

impl PartialEq for PragmaValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}
