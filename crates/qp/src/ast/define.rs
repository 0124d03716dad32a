//! Definitions: tables, indexes, views, triggers; ALTER, DROP; and upkeep of them.
//!
//! The text of a stored definition is the source of truth, so names carry spans: a rename
//! replaces them in place. Neighbours: `modify` (statements in triggers), `expression`.

use super::{
    ConflictAction, Expression, Name, OrderTerm, QualifiedName, Select, SortOrder, Statement,
    TypeName,
};
use crate::span::Span;

/// `CREATE [TEMP] TABLE [IF NOT EXISTS] name ...`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// `TEMP`
    pub temporary: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// Its name.
    pub name: QualifiedName,
    /// Its columns, or the select they come from.
    pub body: CreateTableBody,
}

/// What a new table is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum CreateTableBody {
    /// `(columns, constraints) options`
    Columns(TableDefinition),
    /// `AS SELECT ...`
    Select(Select),
}

/// `(columns, constraints) [WITHOUT ROWID] [STRICT] [AUTOINCREMENT PER BRANCH]`
#[derive(Clone, Debug, PartialEq)]
pub struct TableDefinition {
    /// The columns, at least one.
    pub columns: Vec<ColumnDefinition>,
    /// The constraints behind the columns.
    pub constraints: Vec<TableConstraint>,
    /// `WITHOUT ROWID`
    pub without_rowid: bool,
    /// `STRICT`
    pub strict: bool,
    /// `AUTOINCREMENT PER BRANCH`
    pub counts_alone: bool,
}

/// `name [type] constraint ...`
#[derive(Clone, Debug)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: Name,
    /// Its declared type.
    pub type_name: Option<TypeName>,
    /// Its constraints, in order.
    pub constraints: Vec<ColumnConstraint>,
    /// Where it stands: what DROP COLUMN cuts out.
    pub span: Span,
}

impl PartialEq for ColumnDefinition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.type_name == other.type_name
            && self.constraints == other.constraints
    }
}

/// `[CONSTRAINT name] constraint` of a column.
#[derive(Clone, Debug)]
pub struct ColumnConstraint {
    /// Its name.
    pub name: Option<Name>,
    /// What it says.
    pub kind: ColumnConstraintKind,
    /// Where it stands, the name included.
    pub span: Span,
}

impl PartialEq for ColumnConstraint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind
    }
}

/// The constraints of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnConstraintKind {
    /// `CONSTRAINT name` with nothing behind it, which SQLite allows.
    Empty,
    /// `NULL [ON CONFLICT ..]`
    Null(Option<ConflictAction>),
    /// `NOT NULL [ON CONFLICT ..]`
    NotNull(Option<ConflictAction>),
    /// `PRIMARY KEY [ASC | DESC] [ON CONFLICT ..] [AUTOINCREMENT]`
    PrimaryKey {
        /// The direction, if said.
        order: Option<SortOrder>,
        /// What a duplicate does.
        conflict: Option<ConflictAction>,
        /// `AUTOINCREMENT`
        autoincrement: bool,
    },
    /// `UNIQUE [ON CONFLICT ..]`
    Unique(Option<ConflictAction>),
    /// `CHECK (expression) [ON CONFLICT ..]`
    Check(Expression),
    /// `DEFAULT value`
    Default(Expression),
    /// `COLLATE name`
    Collate(Name),
    /// `REFERENCES ...`
    References(Box<ForeignKeyTarget>),
    /// `[NOT] DEFERRABLE [INITIALLY ..]`, of the REFERENCES before it.
    Deferrable(Deferrable),
    /// `[GENERATED ALWAYS] AS (expression) [STORED | VIRTUAL]`
    Generated {
        /// What it computes.
        expression: Expression,
        /// The word behind it: `STORED` or `VIRTUAL`.
        storage: Option<GeneratedStorage>,
    },
}

/// How a generated column is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedStorage {
    /// Computed when written.
    Stored,
    /// Computed when read.
    Virtual,
}

/// `[CONSTRAINT name] constraint` of a table.
#[derive(Clone, Debug)]
pub struct TableConstraint {
    /// Its name.
    pub name: Option<Name>,
    /// What it says.
    pub kind: TableConstraintKind,
    /// Where it stands, the name included.
    pub span: Span,
}

impl PartialEq for TableConstraint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind
    }
}

/// The constraints of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum TableConstraintKind {
    /// `CONSTRAINT name` with nothing behind it, which SQLite allows.
    Empty,
    /// `PRIMARY KEY (columns [AUTOINCREMENT]) [ON CONFLICT ..]`
    PrimaryKey {
        /// The key.
        columns: Vec<OrderTerm>,
        /// `AUTOINCREMENT`
        autoincrement: bool,
        /// What a duplicate does.
        conflict: Option<ConflictAction>,
    },
    /// `UNIQUE (columns) [ON CONFLICT ..]`
    Unique {
        /// The columns.
        columns: Vec<OrderTerm>,
        /// What a duplicate does.
        conflict: Option<ConflictAction>,
    },
    /// `CHECK (expression) [ON CONFLICT ..]`
    Check(Expression, Option<ConflictAction>),
    /// `FOREIGN KEY (columns) REFERENCES ...`
    ForeignKey {
        /// The columns of this table.
        columns: Vec<Name>,
        /// What they refer to.
        target: Box<ForeignKeyTarget>,
        /// When it is checked.
        deferrable: Option<Deferrable>,
    },
}

/// `REFERENCES table [(columns)] [ON DELETE ..] [ON UPDATE ..] [MATCH ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKeyTarget {
    /// The parent table.
    pub table: Name,
    /// Its columns; the primary key without.
    pub columns: Vec<Name>,
    /// `ON DELETE`
    pub on_delete: Option<ForeignKeyAction>,
    /// `ON UPDATE`
    pub on_update: Option<ForeignKeyAction>,
    /// `MATCH name`, which SQLite parses and does not use.
    pub match_name: Option<Name>,
}

/// What a change of the parent does to its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForeignKeyAction {
    /// `NO ACTION`
    NoAction,
    /// `RESTRICT`
    Restrict,
    /// `SET NULL`
    SetNull,
    /// `SET DEFAULT`
    SetDefault,
    /// `CASCADE`
    Cascade,
}

/// `[NOT] DEFERRABLE [INITIALLY DEFERRED | IMMEDIATE]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferrable {
    /// `NOT DEFERRABLE`
    pub not: bool,
    /// `INITIALLY DEFERRED` is `Some(true)`, `INITIALLY IMMEDIATE` is `Some(false)`.
    pub initially_deferred: Option<bool>,
}

/// `CREATE VIRTUAL TABLE [IF NOT EXISTS] name USING module [(arguments)]`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateVirtualTable {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// Its name.
    pub name: QualifiedName,
    /// The module.
    pub module: Name,
    /// The text of each argument, trimmed.
    pub arguments: Vec<Box<str>>,
}

/// `CREATE [UNIQUE] INDEX [IF NOT EXISTS] name ON table (columns) [WHERE ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// `UNIQUE`
    pub unique: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// Its name.
    pub name: QualifiedName,
    /// The table.
    pub table: Name,
    /// Columns or expressions.
    pub columns: Vec<OrderTerm>,
    /// Which rows it holds.
    pub filter: Option<Expression>,
}

/// `CREATE [TEMP] VIEW [IF NOT EXISTS] name [(columns)] AS select`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// `TEMP`
    pub temporary: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// Its name.
    pub name: QualifiedName,
    /// Names of its columns, those of the select without.
    pub columns: Vec<Name>,
    /// What it holds.
    pub select: Select,
    /// The databases that this names.
    pub databases: Vec<Name>,
}

/// `CREATE [TEMP] TRIGGER [IF NOT EXISTS] name time event ON table .. BEGIN .. END`
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTrigger {
    /// `TEMP`
    pub temporary: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// Its name.
    pub name: QualifiedName,
    /// When it runs; `BEFORE` where it is not said.
    pub time: Option<TriggerTime>,
    /// On which change.
    pub event: TriggerEvent,
    /// Of which table.
    pub table: QualifiedName,
    /// `FOR EACH ROW`, which is always so.
    pub for_each_row: bool,
    /// On which rows.
    pub condition: Option<Expression>,
    /// INSERT, UPDATE, DELETE and SELECT statements.
    pub body: Vec<Statement>,
    /// The databases whose tables its queries name.
    pub databases: Vec<Name>,
}

/// When a trigger runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TriggerTime {
    /// `BEFORE`
    Before,
    /// `AFTER`
    After,
    /// `INSTEAD OF`, on views.
    InsteadOf,
}

/// On which change a trigger runs.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerEvent {
    /// `DELETE`
    Delete,
    /// `INSERT`
    Insert,
    /// `UPDATE [OF columns]`
    Update(Vec<Name>),
}

/// `ALTER TABLE name ...`
#[derive(Clone, Debug, PartialEq)]
pub struct AlterTable {
    /// The table.
    pub table: QualifiedName,
    /// What changes.
    pub action: AlterAction,
}

/// What ALTER TABLE changes.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterAction {
    /// `RENAME TO name`
    RenameTable(Name),
    /// `RENAME [COLUMN] from TO to`
    RenameColumn(Name, Name),
    /// `ADD [COLUMN] definition`
    AddColumn(ColumnDefinition),
    /// `DROP [COLUMN] name`
    DropColumn(Name),
    /// `ALTER [COLUMN] name SET NOT NULL [ON CONFLICT ..]`
    SetNotNull(Name, Option<ConflictAction>),
    /// `ALTER [COLUMN] name DROP NOT NULL`
    DropNotNull(Name),
    /// `ALTER [COLUMN] name [SET DATA] TYPE type`
    SetType(Name, TypeName),
    /// `ALTER [COLUMN] name SET DEFAULT value`
    SetDefault(Name, Expression),
    /// `ALTER [COLUMN] name DROP DEFAULT`
    DropDefault(Name),
    /// `ADD [CONSTRAINT name] CHECK (expression) [ON CONFLICT ..]`, and where that is written
    /// without the ADD.
    AddCheck(Option<Name>, Expression, Option<ConflictAction>, Span),
    /// `DROP CONSTRAINT name`
    DropConstraint(Name),
    /// `SET AUTOINCREMENT PER BRANCH`
    CountAlone,
}

/// `DROP kind [IF EXISTS] name`
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    /// What kind of object.
    pub kind: DropKind,
    /// `IF EXISTS`
    pub if_exists: bool,
    /// Which.
    pub name: QualifiedName,
}

/// The kinds of objects of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropKind {
    /// `TABLE`
    Table,
    /// `INDEX`
    Index,
    /// `VIEW`
    View,
    /// `TRIGGER`
    Trigger,
}

/// `ATTACH [DATABASE] file AS schema [KEY key]`
#[derive(Clone, Debug, PartialEq)]
pub struct Attach {
    /// The file.
    pub file: Expression,
    /// Under which name: a bare name or an expression with its text.
    pub schema: Expression,
    /// The key.
    pub key: Option<Expression>,
}

/// `VACUUM [schema] [INTO file]`
#[derive(Clone, Debug, PartialEq)]
pub struct Vacuum {
    /// Which database; `main` without.
    pub schema: Option<Name>,
    /// Into which new file.
    pub into: Option<Expression>,
}
