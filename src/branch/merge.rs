//! Merging a branch: dry runs, conflicts as values, answers, and all of it at once.
//!
//! A merge changes nothing before every conflict has an answer. So a program looks first (a dry
//! run), answers each conflict as it likes, and merges again with the answers, which is one
//! commit or none. Neighbours: `compare` shows what a merge would bring.

use super::quoted;
use crate::connection::Connection;
use crate::engine::ConflictAddress;
use crate::error::{Error, ErrorKind, Result};
use crate::value::Value;

/// What is done about conflicts that have no answer.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.create_branch("dev")?;
/// let outcome = connection.merge("dev").policy(pandodb::MergePolicy::SourceWins).run()?;
/// assert!(outcome.success);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MergePolicy {
    /// Nothing is merged, and the conflicts are returned.
    #[default]
    Fail,
    /// The branch that is merged is right.
    SourceWins,
    /// The branch that takes it is right.
    TargetWins,
}

/// Why two branches cannot be one.
///
/// ```
/// use pandodb::ConflictKind;
/// assert_ne!(ConflictKind::Data, ConflictKind::Deletion);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConflictKind {
    /// Two definitions that cannot be one.
    Schema,
    /// A cell, or an inserted row, with two values.
    Data,
    /// A row that one side deleted and the other changed.
    Deletion,
    /// The merged rows break a constraint that neither side breaks.
    Constraint,
}

/// The answer to a conflict.
///
/// ```
/// use pandodb::{Resolution, Value};
/// let answer = Resolution::Row(vec![("height".to_owned(), Value::Real(21.0))]);
/// assert_ne!(answer, Resolution::PreferBranch);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Resolution {
    /// As on the branch that is merged.
    PreferBranch,
    /// As on the branch that takes it.
    PreferMain,
    /// As it was before both.
    Base,
    /// The row goes.
    Delete,
    /// The cell has this value.
    Value(Value),
    /// The row is there with these cells; the others are the target's, or the source's where the
    /// target has no such row.
    Row(Vec<(String, Value)>),
    /// The part of a definition that a schema conflict is about is this: a column, a constraint, a
    /// name, or a whole `CREATE` statement.
    ///
    /// ```
    /// use pandodb::{Connection, Resolution};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(id INTEGER PRIMARY KEY)")?;
    /// connection.create_branch("dev")?;
    /// connection.execute_batch(
    ///     "ALTER TABLE tree ADD COLUMN height INT; USE BRANCH dev;
    ///      ALTER TABLE tree ADD COLUMN height TEXT; USE BRANCH main",
    /// )?;
    /// let mut seen = connection.merge("dev").dry_run(true).run()?;
    /// let height = "height REAL NOT NULL DEFAULT 1".to_owned();
    /// seen.conflicts[0].resolve(Resolution::Definition(height));
    /// let outcome = connection.merge("dev").resolutions(&seen.conflicts).run()?;
    /// assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    Definition(String),
}

/// A conflict of a merge, and its answer once it has one.
///
/// ```
/// use pandodb::{Connection, Resolution};
///
/// let connection = Connection::open_in_memory()?;
/// connection.execute_batch(
///     "CREATE TABLE tree(id INTEGER PRIMARY KEY, height REAL); INSERT INTO tree VALUES (1, 20)",
/// )?;
/// connection.create_branch("dev")?;
/// connection.execute_batch("UPDATE tree SET height = 21; USE BRANCH dev")?;
/// connection.execute_batch("UPDATE tree SET height = 22; USE BRANCH main")?;
///
/// let mut seen = connection.merge("dev").dry_run(true).run()?;
/// assert_eq!(seen.conflicts[0].column.as_deref(), Some("height"));
/// seen.conflicts[0].resolve(Resolution::Value(21.5.into()));
/// let outcome = connection.merge("dev").resolutions(&seen.conflicts).run()?;
/// assert!(outcome.success);
/// let height: f64 = connection.query_row("SELECT height FROM tree", (), |row| row.get(0))?;
/// assert_eq!(height, 21.5);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Conflict {
    /// Why the merge stops.
    pub kind: ConflictKind,
    /// The table, or whatever else it is about.
    pub object: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// The columns that the sides list.
    pub columns: Vec<String>,
    /// What the row is called by.
    pub row_key: Vec<Value>,
    /// What there was before both: a cell, a row, or a definition.
    pub base: Option<Vec<Value>>,
    /// What the branch that takes has.
    pub ours: Option<Vec<Value>>,
    /// What the branch that is merged has.
    pub theirs: Option<Vec<Value>>,
    /// A sentence that says what happened on the two sides.
    pub detail: String,
    pub(crate) address: ConflictAddress,
    pub(crate) resolution: Option<Resolution>,
}

impl Conflict {
    /// Answers the conflict; [`Merge::resolutions`] takes the answers.
    ///
    /// ```
    /// # fn answer(conflict: &mut pandodb::Conflict) {
    /// conflict.resolve(pandodb::Resolution::PreferMain);
    /// assert!(conflict.resolution().is_some());
    /// # }
    /// ```
    pub fn resolve(&mut self, resolution: Resolution) {
        self.resolution = Some(resolution);
    }

    /// Answers it with values of one's own for the row.
    ///
    /// ```
    /// # fn answer(conflict: &mut pandodb::Conflict) {
    /// conflict.resolve_with([("height", 21.5.into())]);
    /// # }
    /// ```
    pub fn resolve_with<'a>(&mut self, cells: impl IntoIterator<Item = (&'a str, Value)>) {
        let cells = cells.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.resolution = Some(Resolution::Row(cells.collect()));
    }

    /// The answer, if there is one.
    ///
    /// ```
    /// # fn look(conflict: &pandodb::Conflict) {
    /// if conflict.resolution().is_none() {
    ///     println!("open: {}", conflict.detail);
    /// }
    /// # }
    /// ```
    pub fn resolution(&self) -> Option<&Resolution> {
        self.resolution.as_ref()
    }
}

/// What became of a merge.
///
/// ```
/// use pandodb::MergeStatus;
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.create_branch("dev")?;
/// assert_eq!(connection.merge("dev").run()?.status, MergeStatus::UpToDate);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MergeStatus {
    /// There was nothing to merge.
    #[default]
    UpToDate,
    /// The target had nothing of its own: it is now as the source.
    FastForward,
    /// Both sides are in one commit.
    Merged,
    /// It was a dry run, and the merge would go well.
    WouldMerge,
    /// There are conflicts without an answer, and nothing was changed.
    Conflicts,
}

/// What a merge came to.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(id INTEGER PRIMARY KEY, name TEXT)")?;
/// connection.create_branch("dev")?;
/// connection.execute_batch("INSERT INTO tree VALUES (1, 'oak'); USE BRANCH dev")?;
/// connection.execute_batch("INSERT INTO tree VALUES (2, 'ash'); USE BRANCH main")?;
/// let outcome = connection.merge("dev").run()?;
/// assert!(outcome.success);
/// assert_eq!((outcome.rows_inserted, outcome.changes_applied), (1, 1));
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a merge with conflicts changes nothing and is no error"]
#[non_exhaustive]
pub struct MergeOutcome {
    /// Whether it was merged, or would be.
    pub success: bool,
    /// What became of it.
    pub status: MergeStatus,
    /// What has no answer yet.
    pub conflicts: Vec<Conflict>,
    /// Whether the numbers below were counted. A fast-forward takes the same time at any size, so
    /// that it counts to a hundred rows and then no further: all are 0 then.
    pub is_counted: bool,
    /// Rows and definitions that were changed in the target, or would be.
    pub changes_applied: u64,
    /// Rows that came.
    pub rows_inserted: u64,
    /// Rows that were changed.
    pub rows_updated: u64,
    /// Rows that went.
    pub rows_deleted: u64,
    /// Rows that got a new number, because both sides had used theirs.
    pub rows_renumbered: u64,
    /// Definitions that were changed.
    pub schema_changes: u64,
}

/// A merge to be made; begun by [`Connection::merge`].
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.create_branch("dev")?;
/// let outcome = connection
///     .merge("dev")
///     .into_branch("main")
///     .message("take what dev has")
///     .author("gardener")
///     .delete_branch_after(true)
///     .run()?;
/// assert!(outcome.success);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a merge is made by `run`"]
pub struct Merge<'c> {
    connection: &'c Connection,
    pub(crate) source: String,
    pub(crate) target: Option<String>,
    pub(crate) policy: MergePolicy,
    pub(crate) answers: Vec<(ConflictAddress, Resolution)>,
    pub(crate) is_dry_run: bool,
    pub(crate) drops_source: bool,
    pub(crate) renumbers: bool,
    pub(crate) message: String,
    pub(crate) author: String,
}

impl Merge<'_> {
    /// The branch that takes the changes; without this the connection's own.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("main").into_branch("dev").run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn into_branch(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// What is done about conflicts without an answer.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").policy(pandodb::MergePolicy::TargetWins).run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn policy(mut self, policy: MergePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The answers that conflicts of a merge before this one were given; those without an answer
    /// are left out.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let seen = connection.merge("dev").dry_run(true).run()?;
    /// let outcome = connection.merge("dev").resolutions(&seen.conflicts).run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn resolutions(mut self, conflicts: &[Conflict]) -> Self {
        let answered = conflicts
            .iter()
            .filter_map(|conflict| Some((conflict.address.clone(), conflict.resolution.clone()?)));
        self.answers.extend(answered);
        self
    }

    /// Whether nothing is changed.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").dry_run(true).run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.is_dry_run = dry_run;
        self
    }

    /// Whether the branch is dropped in the same commit.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").delete_branch_after(false).run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn delete_branch_after(mut self, delete: bool) -> Self {
        self.drops_source = delete;
        self
    }

    /// Whether rows that both sides inserted under one INTEGER PRIMARY KEY are two rows.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").renumber(true).run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn renumber(mut self, renumber: bool) -> Self {
        self.renumbers = renumber;
        self
    }

    /// The message of the commit.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").message("roots are ready").run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Who merges.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").author("gardener").run()?;
    /// # assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = author.into();
        self
    }

    /// Merges. Conflicts without an answer are no error: they are in the outcome.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").run()?;
    /// assert!(outcome.conflicts.is_empty());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn run(self) -> Result<MergeOutcome> {
        let target = self.target.clone().unwrap_or_else(|| self.connection.current_branch());
        self.connection.session.merge(&self, target)
    }
}

impl Connection {
    /// A merge of a branch into the one that the connection is on, to be described and run.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// let outcome = connection.merge("dev").run()?;
    /// assert!(outcome.success);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn merge(&self, source: impl Into<String>) -> Merge<'_> {
        Merge {
            connection: self,
            source: source.into(),
            target: None,
            policy: MergePolicy::Fail,
            answers: Vec::new(),
            is_dry_run: false,
            drops_source: false,
            renumbers: false,
            message: String::new(),
            author: String::new(),
        }
    }

    /// Merges a branch into the one that the connection is on; a conflict is an error.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// connection.merge_branch("dev")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn merge_branch(&self, source: &str) -> Result<()> {
        let outcome = self.merge(source).run()?;
        let Some(first) = outcome.conflicts.first() else { return Ok(()) };
        let (count, into) = (outcome.conflicts.len(), self.current_branch());
        let message = format!(
            "merging {} into {} met {count} conflicts; the first: {}: {}",
            quoted(source),
            quoted(&into),
            first.object,
            first.detail
        );
        Err(Error::new(ErrorKind::MergeConflict, message)
            .with_hint("merge(..).dry_run(true) lists them; resolutions(..) takes the answers"))
    }
}
