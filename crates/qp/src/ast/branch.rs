//! What PandoDB adds: branches, tags, history, merges, previews and backup.
//!
//! None of the words is reserved: they are keywords only where a statement begins with them
//! or right behind such words. Neighbours: `select` (`t@branch`, `AS OF`), `transaction`.

use super::{Literal, Name, Statement};
use crate::span::Span;

/// A moment in a branch's past.
#[derive(Clone, Debug, PartialEq)]
pub enum PointInTime {
    /// `NOW`
    Now,
    /// `TIMESTAMP 'text'`: the newest commit at or before it.
    Timestamp(Box<str>),
    /// `TRANSACTION n`
    Transaction(u64),
    /// `SCN n`: the commit's number, as others name it.
    Scn(u64),
    /// `TAG name`
    Tag(Name),
}

/// `key = value` in `WITH (...)`
#[derive(Clone, Debug, PartialEq)]
pub struct BranchOption {
    /// The key.
    pub key: Name,
    /// A number, a text (also from a bare word such as `cow`), or NULL.
    pub value: OptionValue,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// `true`, `on`, `yes` or `false`, `off`, `no`, without quotes.
    Boolean(bool),
    /// Any other word without quotes.
    Word(Name),
    /// A literal.
    Literal(Literal),
}

/// The statements about branches, history and backup.
#[derive(Clone, Debug, PartialEq)]
pub enum BranchStatement {
    /// `CREATE [DATABASE] BRANCH [IF NOT EXISTS] name [FROM parent] [AS OF ..] [WITH (..)]`
    Create {
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// Its name.
        name: Name,
        /// The parent; the session's branch without.
        parent: Option<Name>,
        /// When it leaves the parent; now without.
        as_of: Option<PointInTime>,
        /// `WITH (key = value, ...)`
        options: Vec<BranchOption>,
    },
    /// `DROP [DATABASE] BRANCH [IF EXISTS] name`
    Drop {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
    },
    /// `ALTER [DATABASE] BRANCH name SET (key = value, ...)`
    Alter {
        /// Which.
        name: Name,
        /// What changes.
        options: Vec<BranchOption>,
    },
    /// `MERGE [DATABASE] BRANCH source INTO target [WITH (..)]`
    Merge {
        /// Whose changes.
        source: Name,
        /// Where they go.
        target: Name,
        /// `WITH (key = value, ...)`
        options: Vec<BranchOption>,
    },
    /// `USE BRANCH name`
    Use(Name),
    /// `RENAME BRANCH from TO to`
    Rename {
        /// The old name.
        from: Name,
        /// The new one.
        to: Name,
    },
    /// `RESET BRANCH name TO {TAG | TRANSACTION | TIMESTAMP} ..`
    Reset {
        /// Which.
        name: Name,
        /// To when.
        to: PointInTime,
    },
    /// `TAG BRANCH branch AS name [AS OF ..]`
    Tag {
        /// Which branch.
        branch: Name,
        /// The tag.
        tag: Name,
        /// Which commit; the newest without.
        as_of: Option<PointInTime>,
    },
    /// `DROP TAG [IF EXISTS] name`
    DropTag {
        /// `IF EXISTS`
        if_exists: bool,
        /// Which.
        name: Name,
    },
    /// `SHOW ...`
    Show(Show),
    /// `GRANT privilege, .. ON BRANCH branch TO user`
    Grant(BranchPrivileges),
    /// `REVOKE privilege, .. ON BRANCH branch FROM user`
    Revoke(BranchPrivileges),
    /// `BACKUP DATABASE TO 'file'` or `BACKUP INCREMENTAL TO 'file'`
    Backup {
        /// `INCREMENTAL`
        incremental: bool,
        /// The file.
        file: Box<str>,
    },
    /// `RESTORE DATABASE FROM 'file' TO 'new file'`
    Restore {
        /// The backup.
        file: Box<str>,
        /// The database that is made of it.
        to: Option<Box<str>>,
    },
    /// `RESTORE TABLE table FROM branch [AS OF ..]` or `RESTORE TABLE table AS OF ..`
    RestoreTable {
        /// Which table.
        table: Name,
        /// As which branch or tag has it; the session's without.
        branch: Option<Name>,
        /// As it was when; now without.
        as_of: Option<PointInTime>,
    },
    /// `UNDO TRANSACTION n [WITH (..)]`
    UndoTransaction {
        /// Which commit.
        transaction: u64,
        /// `WITH (key = value, ...)`, as for a merge.
        options: Vec<BranchOption>,
    },
    /// `CHERRY PICK TRANSACTION n [INTO branch] [WITH (..)]` (also `CHERRY-PICK`)
    CherryPick {
        /// Which commit.
        transaction: u64,
        /// Onto which branch; the session's without.
        target: Option<Name>,
        /// `WITH (key = value, ...)`, as for a merge.
        options: Vec<BranchOption>,
    },
    /// `RESOLVE CONFLICT ...`
    Resolve(Resolve),
    /// `CONTINUE MERGE`
    ContinueMerge,
    /// `ABORT MERGE`
    AbortMerge,
    /// `PREVIEW statement` or `PREVIEW BEGIN statement; ... END`
    Preview(Vec<Statement>),
    /// `APPLY`: what was previewed last.
    Apply,
}

/// What `SHOW` lists.
#[derive(Clone, Debug, PartialEq)]
pub enum Show {
    /// `SHOW BRANCHES`
    Branches,
    /// `SHOW TAGS`
    Tags,
    /// `SHOW CONFLICTS`
    Conflicts,
    /// `SHOW COMMITS [ON branch]`
    Commits(Option<Name>),
    /// `SHOW DIFF BETWEEN source AND target [FOR TABLE table]`
    Diff {
        /// From which branch.
        source: Name,
        /// To which.
        target: Name,
        /// Of one table only.
        table: Option<Name>,
    },
}

/// `privileges ON BRANCH branch TO | FROM user`
#[derive(Clone, Debug, PartialEq)]
pub struct BranchPrivileges {
    /// What may be done.
    pub privileges: Vec<Privilege>,
    /// With which branch.
    pub branch: Name,
    /// By whom.
    pub user: Name,
}

/// What may be done with a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Privilege {
    /// `READ`
    Read,
    /// `WRITE`
    Write,
    /// `MERGE`
    Merge,
    /// `ADMIN`
    Admin,
}

/// `RESOLVE {CONFLICT n | CONFLICTS [IN TABLE t [COLUMN c]]} WITH choice`
#[derive(Clone, Debug, PartialEq)]
pub struct Resolve {
    /// Which conflicts.
    pub scope: ResolveScope,
    /// How.
    pub choice: ResolveChoice,
}

/// Which conflicts are resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum ResolveScope {
    /// `CONFLICT n`
    One(u64),
    /// `CONFLICTS`
    All,
    /// `CONFLICTS IN TABLE t [COLUMN c]`
    Table(Name, Option<Name>),
}

/// How a conflict is resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum ResolveChoice {
    /// `SOURCE`, also `THEIRS`.
    Source,
    /// `TARGET`, also `OURS`.
    Target,
    /// `BASE`: as it was before both.
    Base,
    /// `DELETE`: the row goes.
    Delete,
    /// `VALUE expression`: the cell's own value.
    Value(Box<super::Expression>),
    /// `(column = value, ...)`: the row's own values.
    Row(Vec<(Name, super::Expression)>),
    /// `DEFINITION 'text'`: what the part of a definition is to be.
    Definition(GivenDefinition),
}

/// The text behind `DEFINITION`, quoted or as it is.
#[derive(Clone, Debug)]
pub struct GivenDefinition {
    /// What it says.
    pub text: Box<str>,
    /// What it is quoted with where it stands there as a string.
    pub quote: Option<char>,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for GivenDefinition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl GivenDefinition {
    /// Where a place of the text stands in the statement: a quote is written twice in a string.
    pub fn place(&self, span: Span) -> Span {
        let at = |offset: u32| {
            let before = self.text.get(..offset as usize).unwrap_or(&self.text);
            let quotes = self.quote.map_or(0, |quote| 1 + before.matches(quote).count() as u32);
            self.span.start + offset + quotes
        };
        Span::new(at(span.start), at(span.end))
    }
}
