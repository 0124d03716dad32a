//! Names: of tables, columns, branches and everything else that can be named.
//!
//! A name keeps the quotes it was written with, because they mean something (`"x"` may stand
//! for a string, `'x'` may stand for a name) and because text must come back as it was.
//! Neighbours: `display` prints names; `expression` and the statements hold them.

use crate::span::Span;

/// The quotes around a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quote {
    /// `name`
    #[default]
    None,
    /// `"name"`: SQL's own; where no such column exists it may mean a string.
    Double,
    /// `[name]`
    Bracket,
    /// `` `name` ``
    Backtick,
    /// `'name'`: a string literal in the place of a name.
    Single,
}

/// A name without its quotes, with its place in the text.
///
/// Two names are equal if they differ in nothing but ASCII case, span and quotes.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name, quotes taken off and doubled quotes halved.
    pub text: Box<str>,
    /// Where it stands, with its quotes.
    pub span: Span,
    /// How it was quoted.
    pub quote: Quote,
}

impl Name {
    /// A name that stands in no text; printing it adds quotes where it needs them.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self { text: text.into(), span: Span::default(), quote: Quote::None }
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is `text`, ASCII case aside.
    pub fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.text)
    }
}

impl Eq for Name {}

/// `[schema.]name`
#[derive(Clone, Debug, PartialEq)]
pub struct QualifiedName {
    /// The schema: `main`, `temp` or an attached database.
    pub schema: Option<Name>,
    /// The object.
    pub name: Name,
}

impl QualifiedName {
    /// Where it stands.
    pub fn span(&self) -> Span {
        self.schema.as_ref().map_or(self.name.span, |schema| schema.span.to(self.name.span))
    }
}

/// `[schema.]name[@branch]`: a table that a statement reads or writes.
#[derive(Clone, Debug, PartialEq)]
pub struct TableName {
    /// The schema: `main`, `temp` or an attached database.
    pub schema: Option<Name>,
    /// The table or view.
    pub name: Name,
    /// The branch; the session's own without one.
    pub branch: Option<Name>,
}

impl TableName {
    /// Where it stands.
    pub fn span(&self) -> Span {
        let start = self.schema.as_ref().map_or(self.name.span, |schema| schema.span);
        let end = self.branch.as_ref().map_or(self.name.span, |branch| branch.span);
        start.to(self.name.span).to(end)
    }
}
