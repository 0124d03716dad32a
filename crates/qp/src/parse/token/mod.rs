//! Kinds of tokens, and the table of keywords.
//!
//! One table says for each keyword of SQLite how far it is reserved. PandoDB's own words
//! (BRANCH, MERGE, TAG, ...) are not in it: they are plain identifiers that the grammar
//! recognises by their text where a statement allows nothing else, so that no name is lost.
//! Neighbours: `lexer` makes tokens, `keyword` finds words in the table.

pub(in crate::parse) mod keyword;

/// How far a keyword may serve as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parse) enum Class {
    /// Not a word.
    Punctuation,
    /// A keyword only where the grammar asks for it, a name elsewhere.
    Fallback,
    /// `CROSS`, `LEFT`, ...: a name where one must stand, but no alias without AS.
    Join,
    /// `INDEXED`: like those.
    Indexed,
    /// Never a name without quotes.
    Reserved,
}

/// A token: its kind and its place.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) struct Token {
    /// What it is.
    pub(in crate::parse) kind: TokenKind,
    /// Offset of its first byte.
    pub(in crate::parse) start: u32,
    /// Offset behind its last byte.
    pub(in crate::parse) end: u32,
}

macro_rules! tokens {
    (punctuation: [$($mark:ident,)*] keywords: [$($word:ident $text:literal $class:ident,)*]) => {
        /// The kinds of tokens: marks and literals, then one kind for each keyword.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(in crate::parse) enum TokenKind {
            $($mark,)*
            $($word,)*
        }

        /// Each keyword in capitals, with its kind.
        pub(in crate::parse) const KEYWORDS: &[(&str, TokenKind)] =
            &[$(($text, TokenKind::$word),)*];

        const CLASSES: &[Class] = &[
            $({ let _ = TokenKind::$mark; Class::Punctuation },)*
            $(Class::$class,)*
        ];
    };
}

tokens! {
    punctuation: [
    End, Illegal, Semicolon, Identifier, Quoted, String, Blob, Integer, Float, Variable,
    LeftParenthesis, RightParenthesis, Comma, Dot, Star, Plus, Minus, Slash, Percent, Equal,
    NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Ampersand, Pipe, ShiftLeft,
    ShiftRight, Tilde, Concatenate, Arrow, LongArrow,
    ]
    keywords: [
    Abort "ABORT" Fallback,
    Action "ACTION" Fallback,
    Add "ADD" Reserved,
    After "AFTER" Fallback,
    All "ALL" Reserved,
    Alter "ALTER" Reserved,
    Always "ALWAYS" Fallback,
    Analyze "ANALYZE" Fallback,
    And "AND" Reserved,
    As "AS" Reserved,
    Asc "ASC" Fallback,
    Attach "ATTACH" Fallback,
    Autoincrement "AUTOINCREMENT" Reserved,
    Before "BEFORE" Fallback,
    Begin "BEGIN" Fallback,
    Between "BETWEEN" Reserved,
    By "BY" Fallback,
    Cascade "CASCADE" Fallback,
    Case "CASE" Reserved,
    Cast "CAST" Fallback,
    Check "CHECK" Reserved,
    Collate "COLLATE" Reserved,
    Column "COLUMN" Fallback,
    Commit "COMMIT" Reserved,
    Conflict "CONFLICT" Fallback,
    Constraint "CONSTRAINT" Reserved,
    Create "CREATE" Reserved,
    Cross "CROSS" Join,
    Current "CURRENT" Fallback,
    CurrentDate "CURRENT_DATE" Fallback,
    CurrentTime "CURRENT_TIME" Fallback,
    CurrentTimestamp "CURRENT_TIMESTAMP" Fallback,
    Database "DATABASE" Fallback,
    Default "DEFAULT" Reserved,
    Deferrable "DEFERRABLE" Reserved,
    Deferred "DEFERRED" Fallback,
    Delete "DELETE" Reserved,
    Desc "DESC" Fallback,
    Detach "DETACH" Fallback,
    Distinct "DISTINCT" Reserved,
    Do "DO" Fallback,
    Drop "DROP" Reserved,
    Each "EACH" Fallback,
    Else "ELSE" Reserved,
    EndKeyword "END" Fallback,
    Escape "ESCAPE" Reserved,
    Except "EXCEPT" Reserved,
    Exclude "EXCLUDE" Fallback,
    Exclusive "EXCLUSIVE" Fallback,
    Exists "EXISTS" Reserved,
    Explain "EXPLAIN" Fallback,
    Fail "FAIL" Fallback,
    Filter "FILTER" Fallback,
    First "FIRST" Fallback,
    Following "FOLLOWING" Fallback,
    For "FOR" Fallback,
    Foreign "FOREIGN" Reserved,
    From "FROM" Reserved,
    Full "FULL" Join,
    Generated "GENERATED" Fallback,
    Glob "GLOB" Fallback,
    Group "GROUP" Reserved,
    Groups "GROUPS" Fallback,
    Having "HAVING" Reserved,
    If "IF" Fallback,
    Ignore "IGNORE" Fallback,
    Immediate "IMMEDIATE" Fallback,
    In "IN" Reserved,
    Index "INDEX" Reserved,
    Indexed "INDEXED" Indexed,
    Initially "INITIALLY" Fallback,
    Inner "INNER" Join,
    Insert "INSERT" Reserved,
    Instead "INSTEAD" Fallback,
    Intersect "INTERSECT" Reserved,
    Into "INTO" Reserved,
    Is "IS" Reserved,
    Isnull "ISNULL" Reserved,
    Join "JOIN" Reserved,
    Key "KEY" Fallback,
    Last "LAST" Fallback,
    Left "LEFT" Join,
    Like "LIKE" Fallback,
    Limit "LIMIT" Reserved,
    Match "MATCH" Fallback,
    Materialized "MATERIALIZED" Fallback,
    Natural "NATURAL" Join,
    No "NO" Fallback,
    Not "NOT" Reserved,
    Nothing "NOTHING" Reserved,
    Notnull "NOTNULL" Reserved,
    Null "NULL" Reserved,
    Nulls "NULLS" Fallback,
    Of "OF" Fallback,
    Offset "OFFSET" Fallback,
    On "ON" Reserved,
    Or "OR" Reserved,
    Order "ORDER" Reserved,
    Others "OTHERS" Fallback,
    Outer "OUTER" Join,
    Over "OVER" Fallback,
    Partition "PARTITION" Fallback,
    Plan "PLAN" Fallback,
    Pragma "PRAGMA" Fallback,
    Preceding "PRECEDING" Fallback,
    Primary "PRIMARY" Reserved,
    Query "QUERY" Fallback,
    Raise "RAISE" Fallback,
    Range "RANGE" Fallback,
    Recursive "RECURSIVE" Fallback,
    References "REFERENCES" Reserved,
    Regexp "REGEXP" Fallback,
    Reindex "REINDEX" Fallback,
    Release "RELEASE" Fallback,
    Rename "RENAME" Fallback,
    Replace "REPLACE" Fallback,
    Restrict "RESTRICT" Fallback,
    Returning "RETURNING" Reserved,
    Right "RIGHT" Join,
    Rollback "ROLLBACK" Fallback,
    Row "ROW" Fallback,
    Rows "ROWS" Fallback,
    Savepoint "SAVEPOINT" Fallback,
    Select "SELECT" Reserved,
    Set "SET" Reserved,
    Table "TABLE" Reserved,
    Temp "TEMP" Fallback,
    Temporary "TEMPORARY" Fallback,
    Then "THEN" Reserved,
    Ties "TIES" Fallback,
    To "TO" Reserved,
    Transaction "TRANSACTION" Reserved,
    Trigger "TRIGGER" Fallback,
    Unbounded "UNBOUNDED" Fallback,
    Union "UNION" Reserved,
    Unique "UNIQUE" Reserved,
    Update "UPDATE" Reserved,
    Using "USING" Reserved,
    Vacuum "VACUUM" Fallback,
    Values "VALUES" Reserved,
    View "VIEW" Fallback,
    Virtual "VIRTUAL" Fallback,
    When "WHEN" Reserved,
    Where "WHERE" Reserved,
    Window "WINDOW" Fallback,
    With "WITH" Fallback,
    Without "WITHOUT" Fallback,
    ]
}

impl TokenKind {
    /// How far it may serve as a name.
    pub(in crate::parse) fn class(self) -> Class {
        CLASSES[self as usize]
    }

    /// Whether a query begins with it.
    pub(in crate::parse) fn begins_select(self) -> bool {
        matches!(self, Self::Select | Self::Values | Self::With)
    }

    /// Whether it can be a name in an expression.
    pub(in crate::parse) fn is_identifier(self) -> bool {
        matches!(self, Self::Identifier | Self::Quoted)
            || matches!(self.class(), Class::Fallback | Class::Join | Class::Indexed)
    }

    /// Whether it can be a name where nothing but a name may stand.
    pub(in crate::parse) fn is_name(self) -> bool {
        self == Self::String || self.is_identifier()
    }

    /// Whether it can be a name where something else may stand as well: an alias without AS,
    /// a word of a type.
    pub(in crate::parse) fn is_plain_name(self) -> bool {
        matches!(self, Self::Identifier | Self::Quoted | Self::String)
            || self.class() == Class::Fallback
    }
}
