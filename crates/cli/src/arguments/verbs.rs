//! The verbs: Git's, and those of the programs that users come from.
//!
//! Neighbours: `verb` does what is declared here.
#![allow(clippy::struct_excessive_bools, reason = "each flag is an option of its own")]
#![allow(clippy::doc_markdown, reason = "the comments are the help")]

use clap::{Args, Subcommand};

use super::examples;

/// What to do with the database.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create a database
    Init {
        /// Its file
        file: Option<String>,
    },
    /// Say where we are: database, branch, size, open merge
    Status,
    /// List, create, rename, delete and compare branches
    #[command(after_help = examples::BRANCH)]
    Branch(BranchArguments),
    /// Choose the branch that later calls work on
    #[command(visible_alias = "use", alias = "use-branch")]
    Switch {
        /// Create it first
        #[arg(long, short)]
        create: bool,
        /// The branch
        name: String,
    },
    /// Choose a branch, as Git spells it
    Checkout {
        /// Create it first
        #[arg(short = 'b')]
        create: bool,
        /// The branch
        name: String,
    },
    /// Show the commits of a branch
    Log(LogArguments),
    /// Show what a commit changed
    Show {
        /// A branch, a tag, a commit's number, HEAD, b~2, or b@{2 hours ago}
        revision: Option<String>,
    },
    /// Show what differs between two branches, tags or commits
    #[command(after_help = examples::DIFF)]
    Diff(DiffArguments),
    /// Merge a branch into another
    #[command(after_help = examples::MERGE)]
    Merge(MergeArguments),
    /// Show and resolve the conflicts of a merge
    #[command(after_help = examples::CONFLICTS)]
    Conflicts {
        #[command(subcommand)]
        action: Option<ConflictAction>,
    },
    /// Show what statements or a merge would change, without changing it
    #[command(after_help = examples::PREVIEW)]
    Preview(PreviewArguments),
    /// Do what was previewed, as one commit, if it still can be done
    Apply {
        /// Refuse if the branch stands at another commit than the preview named
        #[arg(long, value_name = "COMMIT")]
        base: Option<u64>,
        #[command(flatten)]
        what: PreviewArguments,
    },
    /// Take over one commit of another branch
    CherryPick {
        /// The commit
        transaction: String,
    },
    /// Undo one commit and keep what came after it
    #[command(visible_alias = "undo")]
    Revert {
        /// The commit
        transaction: String,
    },
    /// Move a branch back to an earlier state
    #[command(after_help = examples::RESET)]
    Reset {
        /// A tag, a commit's number, or a time
        to: String,
        /// The branch; the current one without
        #[arg(long = "on", value_name = "BRANCH")]
        on: Option<String>,
    },
    /// Do the commits that a branch has alone again on top of another branch
    Rebase(RebaseArguments),
    /// Put the newest commits of the branch aside, and take them out again
    Stash(StashArguments),
    /// Show which commit changed each row of a table last, or each column of one row
    Blame {
        /// The table
        table: String,
        /// The row: its key as blame shows it
        key: Option<String>,
    },
    /// Show where a branch stood before it was reset
    Reflog {
        /// The branch, or * for all; the current one without
        #[arg(id = "reflog_branch", value_name = "BRANCH")]
        branch: Option<String>,
    },
    /// List, create and delete tags
    Tag(TagArguments),
    /// Run statements from a file or from the command line
    #[command(alias = "exec")]
    Execute {
        /// A file, or SQL
        sql: Vec<String>,
    },
    /// Run one query; a WHERE condition alone asks the table
    #[command(after_help = examples::QUERY)]
    Query {
        /// SQL, or `[TABLE] WHERE ...`
        sql: Vec<String>,
    },
    /// List, show, create and change tables
    #[command(after_help = examples::TABLE)]
    Table {
        #[command(subcommand)]
        action: TableAction,
    },
    /// Add a row given as JSON
    #[command(alias = "insert", after_help = examples::ADD)]
    Add {
        /// The table
        table: String,
        /// An object, or an array of objects
        #[arg(id = "object", value_name = "JSON")]
        json: String,
    },
    /// Copy data in: CSV, TSV, JSON, JSON lines, SQL, or a whole SQLite database
    #[command(after_help = examples::IMPORT)]
    Import(ImportArguments),
    /// Copy data out: a table, a query, or a whole SQLite database
    #[command(after_help = examples::EXPORT)]
    Export(ExportArguments),
    /// Print the database as SQL
    Dump(DumpArguments),
    /// Print what can still be read of a damaged database, as SQL
    Recover,
    /// Back the database up, also while it is written to
    #[command(after_help = examples::BACKUP)]
    Backup {
        /// The file to write
        file: String,
        /// Only what is not in that earlier backup
        #[arg(long, short, value_name = "BASE")]
        incremental: Option<String>,
    },
    /// Make a database of a backup, and of its increments in their order
    #[command(after_help = examples::RESTORE)]
    Restore {
        /// The backups
        #[arg(required = true)]
        files: Vec<String>,
        /// The database to write, else the one that is named; it must not exist
        #[arg(long, value_name = "FILE")]
        to: Option<String>,
    },
    /// Look for damage
    Check(CheckArguments),
    /// Show what takes the space
    #[command(visible_alias = "usage", alias = "stats")]
    Stat,
    /// Give free space back to the file system
    #[command(alias = "vacuum")]
    Compact,
    /// Measure this machine with this database engine
    Bench {
        /// How many rows
        #[arg(long, short, default_value_t = 100_000)]
        rows: u64,
    },
    /// Explain the program, or one verb
    Help {
        /// The verb
        about: Vec<String>,
    },
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual, or write its pages into a folder
    Man {
        /// The folder
        folder: Option<String>,
    },
    /// Create a branch: `create-branch NAME from PARENT`
    #[command(hide = true)]
    CreateBranch {
        /// NAME [from PARENT]
        words: Vec<String>,
    },
    /// Merge: `merge-branch SOURCE into TARGET`
    #[command(hide = true)]
    MergeBranch {
        /// SOURCE [into TARGET]
        words: Vec<String>,
    },
    /// Delete a branch
    #[command(hide = true)]
    DeleteBranch {
        /// Its name
        name: String,
    },
    /// Create a branch
    #[command(hide = true)]
    Create {
        /// Its name
        name: String,
        /// Its parent
        #[arg(long)]
        source: Option<String>,
    },
    /// List the branches
    #[command(hide = true)]
    List,
    /// Delete a branch
    #[command(hide = true)]
    Delete {
        /// Its name
        name: String,
    },
    /// Create a database or say what is in it
    #[command(hide = true)]
    Db {
        #[command(subcommand)]
        action: DbAction,
    },
}

/// `pando branch`, with Git's options or with words.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BranchArguments {
    #[command(subcommand)]
    pub(crate) action: Option<BranchAction>,
    /// Also list merged branches
    #[arg(long, short)]
    pub(crate) all: bool,
    /// Delete branches that are merged
    #[arg(long, short, num_args = 1.., value_name = "NAME")]
    pub(crate) delete: Vec<String>,
    /// Delete branches, merged or not
    #[arg(short = 'D', num_args = 1.., value_name = "NAME")]
    pub(crate) delete_unmerged: Vec<String>,
    /// With --delete: whether they are merged or not
    #[arg(long, short, requires = "delete")]
    pub(crate) force: bool,
    /// Rename a branch
    #[arg(long = "move", short = 'm', num_args = 1..=2, value_names = ["OLD", "NEW"])]
    pub(crate) rename: Vec<String>,
    /// A branch to create
    pub(crate) name: Option<String>,
    /// Where it starts: a branch, a tag or a commit's number
    pub(crate) start: Option<String>,
}

impl BranchArguments {
    /// Whether branches are to be deleted.
    pub(crate) fn is_deletion(&self) -> bool {
        !self.delete.is_empty() || !self.delete_unmerged.is_empty()
    }
}

/// What `pando branch` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum BranchAction {
    /// Create a branch
    Create(CreateArguments),
    /// List the branches
    List,
    /// Print the name of the current branch
    Current,
    /// Choose the branch that later calls work on
    Switch {
        /// Its name
        name: String,
    },
    /// Delete a branch that is merged
    #[command(alias = "drop")]
    Delete {
        /// Its name
        name: String,
        /// Delete it whether it is merged or not; say nothing when it does not exist
        #[arg(long, short)]
        force: bool,
    },
    /// Merge a branch into another
    Merge(MergeArguments),
    /// Show what differs between two branches
    Diff(DiffArguments),
    /// Keep the current state under a name, for reading only
    Snapshot {
        /// Its name
        name: String,
    },
    /// Move the current branch back to a snapshot, tag or commit
    Restore {
        /// Which
        name: String,
    },
    /// Give the newest commit a name
    Tag {
        /// The name
        name: String,
    },
    /// Show the commits of a branch
    Log(LogArguments),
    /// Rename a branch
    Rename {
        /// The old name
        old: String,
        /// The new name
        new: String,
    },
    /// Move a branch back to an earlier state
    Reset {
        /// The branch
        name: String,
        /// A tag, a commit's number, or a time
        to: String,
    },
    /// Show what is known about a branch
    Show {
        /// Its name
        name: String,
    },
    /// Show what each branch owns and shares
    Du,
}

/// Options of `pando branch create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// Its name
    pub(crate) name: String,
    /// Where it starts: a branch, a tag, a commit's number, HEAD, b~2
    #[arg(conflicts_with_all = ["from", "at"])]
    pub(crate) start: Option<String>,
    /// Its parent; the current branch without
    #[arg(long, short, visible_alias = "source", value_name = "BRANCH")]
    pub(crate) from: Option<String>,
    /// Start at a commit's number, a tag, or a time
    #[arg(long, value_name = "WHEN")]
    pub(crate) at: Option<String>,
    /// What it is for
    #[arg(long, short = 'm', value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Refuse writes to it
    #[arg(long = "read-only")]
    pub(crate) read_only: bool,
    /// Choose it for later calls
    #[arg(long, short, overrides_with = "no_switch")]
    pub(crate) switch: bool,
    /// Stay where we are
    #[arg(long)]
    pub(crate) no_switch: bool,
}

/// Options of `pando log`.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// The branch, or a tag or commit to begin with; the current branch without
    #[arg(id = "log_branch", value_name = "REVISION")]
    pub(crate) branch: Option<String>,
    /// One line for each commit
    #[arg(long)]
    pub(crate) oneline: bool,
    /// Draw how branches left each other and met again
    #[arg(long)]
    pub(crate) graph: bool,
    /// Show at most so many
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub(crate) max_count: Option<usize>,
}

/// Options of `pando diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// From where; the current branch's parent without
    pub(crate) from: Option<String>,
    /// To where; the current branch without
    pub(crate) to: Option<String>,
    /// Only this table
    #[arg(id = "only", value_name = "TABLE", conflicts_with = "table")]
    pub(crate) only: Option<String>,
    /// Only this table
    #[arg(long, short, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Only counts
    #[arg(long)]
    pub(crate) stat: bool,
    /// Only the schema
    #[arg(long, conflicts_with = "data")]
    pub(crate) schema: bool,
    /// Only rows
    #[arg(long)]
    pub(crate) data: bool,
    /// As SQL that leads from the one to the other
    #[arg(long, conflicts_with_all = ["stat", "schema", "data"])]
    pub(crate) sql: bool,
    /// End with exit code 3 where there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
}

/// Options of `pando merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeArguments {
    /// Whose changes
    #[arg(required_unless_present_any = ["abort", "continue"])]
    pub(crate) source: Option<String>,
    /// Where they go; the current branch without
    #[arg(long, short, value_name = "BRANCH")]
    pub(crate) into: Option<String>,
    /// Say what would happen and change nothing
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// What to do on conflicts: fail, `source_wins`, `target_wins`, manual
    #[arg(long, short, value_name = "POLICY", visible_alias = "conflict-resolution")]
    pub(crate) strategy: Option<String>,
    /// Delete the source afterwards
    #[arg(long)]
    pub(crate) delete_branch: bool,
    /// Give up the merge that waits for its conflicts to be resolved
    #[arg(long, conflicts_with_all = ["source", "continue"])]
    pub(crate) abort: bool,
    /// Finish the merge whose conflicts are resolved
    #[arg(long, conflicts_with = "source")]
    pub(crate) r#continue: bool,
}

/// Options of `pando rebase`.
#[derive(Debug, Args)]
pub(crate) struct RebaseArguments {
    /// What to put the commits on; the branch's parent without
    pub(crate) upstream: Option<String>,
    /// Go on when the conflicts are resolved
    #[arg(long, conflicts_with = "upstream")]
    pub(crate) r#continue: bool,
    /// Give up: the branch stays as it is
    #[arg(long, conflicts_with_all = ["upstream", "continue"])]
    pub(crate) abort: bool,
}

/// Options of `pando stash`.
#[derive(Debug, Args)]
pub(crate) struct StashArguments {
    #[command(subcommand)]
    pub(crate) action: Option<StashAction>,
    /// What they are
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) message: Option<String>,
}

/// What `pando stash` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum StashAction {
    /// Put everything behind a revision aside, the newest commit without one
    Push {
        /// Where the branch goes back to
        to: Option<String>,
        /// What it is
        #[arg(long, short, value_name = "TEXT")]
        message: Option<String>,
    },
    /// List what was put aside
    List,
    /// Merge it into the current branch and forget it
    Pop {
        /// Which; the newest without
        which: Option<String>,
    },
    /// Merge it into the current branch and keep it
    Apply {
        /// Which; the newest without
        which: Option<String>,
    },
    /// Show what it would change
    Show {
        /// Which; the newest without
        which: Option<String>,
    },
    /// Forget it
    Drop {
        /// Which; the newest without
        which: Option<String>,
    },
}

/// What `pando conflicts` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum ConflictAction {
    /// Show the conflicts
    Show,
    /// Resolve conflicts: all of them, those of a table, or one
    Resolve {
        /// source, target, base, delete or definition
        choice: String,
        /// What the part of the definition is to be, behind definition
        text: Option<String>,
        /// Only those of this table
        #[arg(long, short)]
        table: Option<String>,
        /// Only the one with this number
        #[arg(long, short)]
        number: Option<u64>,
    },
}

/// What `pando preview` and `pando apply` are about.
#[derive(Debug, Args)]
pub(crate) struct PreviewArguments {
    /// A file, or SQL; several statements are one transaction
    #[arg(id = "script", value_name = "SQL", conflicts_with = "merge")]
    pub(crate) sql: Vec<String>,
    /// The merge of this branch
    #[arg(long, short, value_name = "BRANCH")]
    pub(crate) merge: Option<String>,
    /// Into this branch; the current one without
    #[arg(long, short, value_name = "BRANCH", requires = "merge")]
    pub(crate) into: Option<String>,
}

/// Options of `pando tag`.
#[derive(Debug, Args)]
pub(crate) struct TagArguments {
    /// A tag to create; the tags are listed without
    pub(crate) name: Option<String>,
    /// The commit; the newest without
    pub(crate) commit: Option<String>,
    /// Delete a tag
    #[arg(long, short, value_name = "NAME", conflicts_with = "name")]
    pub(crate) delete: Option<String>,
}

/// What `pando table` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum TableAction {
    /// Create an empty table: `create tree name TEXT age INT`
    Create {
        /// Its name
        name: String,
        /// Its columns: pairs of a name and a type, or definitions as SQL has them; with a key `id`
        /// unless they have one
        #[arg(allow_negative_numbers = true, value_name = "COLUMN TYPE")]
        columns: Vec<String>,
    },
    /// List the tables
    List,
    /// Show how a table is made
    Show {
        /// Its name
        name: String,
    },
    /// Print a table's rows
    Export {
        /// Its name
        name: String,
    },
    /// Make a table like another one, with its keys, constraints and indexes
    Copy {
        /// From
        source: String,
        /// To
        target: String,
        /// Also its rows
        #[arg(long)]
        with_data: bool,
    },
    /// Rename a table
    Rename {
        /// The old name
        old: String,
        /// The new name
        new: String,
    },
    /// Delete a table
    #[command(alias = "drop")]
    Delete {
        /// Its name
        name: String,
    },
    /// Add a column: `add column TABLE NAME TYPE`
    Add {
        /// `column`
        #[arg(value_parser = ["column"])]
        what: String,
        /// The table
        table: String,
        /// The column
        name: String,
        /// Its type
        r#type: String,
    },
    /// Rename a column
    RenameColumn {
        /// The table
        table: String,
        /// The old name
        old: String,
        /// The new name
        new: String,
    },
    /// Delete a column
    DeleteColumn {
        /// The table
        table: String,
        /// The column
        name: String,
    },
}

/// What `pando db` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum DbAction {
    /// Create a database
    Init {
        /// Its file
        file: Option<String>,
    },
    /// Say what is in it
    Info,
}

/// The notations of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Comma separated values.
    Csv,
    /// Tab separated values.
    Tsv,
    /// Values between the control characters US and RS.
    Ascii,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// SQL statements.
    Sql,
    /// A SQLite database.
    Sqlite,
}

/// Options of `pando import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The file; `-` for standard input
    pub(crate) file: String,
    /// The table; the file's name without
    pub(crate) table: Option<String>,
    /// How the file is written; its name's ending decides without
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Fail when the table exists, rather than add to it
    #[arg(long)]
    pub(crate) create: bool,
    /// The first line holds data, not names
    #[arg(long)]
    pub(crate) no_names: bool,
    /// Leave out so many lines at the start
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) skip: usize,
    /// Every column is text: do not look at the values
    #[arg(long)]
    pub(crate) all_text: bool,
    /// What stands for NULL
    #[arg(long = "null", value_name = "TEXT")]
    pub(crate) null_text: Option<String>,
}

/// Options of `pando export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The file; `-` for standard output
    pub(crate) file: String,
    /// A table or a query; the whole database for SQL and SQLite files
    pub(crate) what: Option<String>,
    /// How the file is written; its name's ending decides without
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

/// Options of `pando dump`.
#[derive(Debug, Args)]
pub(crate) struct DumpArguments {
    /// Only these tables (a pattern as LIKE has it)
    pub(crate) tables: Vec<String>,
    /// Only CREATE statements
    #[arg(long, conflicts_with = "data_only")]
    pub(crate) schema_only: bool,
    /// Only INSERT statements
    #[arg(long, visible_alias = "inserts")]
    pub(crate) data_only: bool,
}

/// Options of `pando check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Check that everything stored is whole (what it does without options)
    #[arg(long)]
    pub(crate) check: bool,
    /// Say what is in the database
    #[arg(long)]
    pub(crate) info: bool,
    /// List the tables
    #[arg(long)]
    pub(crate) tables: bool,
    /// Print the schema, of one table if one is named
    #[arg(long, value_name = "TABLE", num_args = 0..=1, default_missing_value = "")]
    pub(crate) schema: Option<String>,
    /// List the indexes
    #[arg(long)]
    pub(crate) indexes: bool,
    /// Say how the pages are used
    #[arg(long)]
    pub(crate) pages: bool,
    /// Only what can be checked quickly
    #[arg(long)]
    pub(crate) quick: bool,
    /// Say what is checked, and how much there is of it
    #[arg(long)]
    pub(crate) verbose: bool,
}
