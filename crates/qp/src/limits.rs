//! Bounds of what SQL text may ask for.
//!
//! They are there so that any input ends in a clear error before it ends the stack or the
//! memory. Neighbours: `parse` keeps them, `error` reports them.

use crate::plan::Layout;

/// Bytes of SQL text in one call: what SQLite allows, and well inside a span's 32 bits.
pub const SQL_BYTES_MAX: usize = 1_000_000_000;

/// Height of an expression tree, as in SQLite. A chain of ANDs or ORs counts once, however long
/// it is, because it is one node wherever it goes.
pub const EXPRESSION_DEPTH_MAX: u32 = 1000;

/// Parentheses that stand directly inside of one another, as many as SQLite's parser holds. They
/// make no tree, so they do not count for its height.
pub const PARENTHESES_MAX: usize = 2_493;

/// What the nesting of one statement may weigh: an operator, parentheses or a function call
/// weighs [`WEIGHT_EXPRESSION`], a subquery [`WEIGHT_SELECT`]. Sized so that the parser needs
/// less than a stack of two mebibytes even without optimization, where a unit takes up to 390
/// bytes.
pub const NESTING_WEIGHT_MAX: u32 = 4000;

/// Weight of one level of expression nesting: 1000 levels are allowed.
pub const WEIGHT_EXPRESSION: u32 = 4;

/// Weight of one level of subquery nesting, besides that of the expression it stands in.
pub const WEIGHT_SELECT: u32 = 14;

/// The highest number of a parameter, as in SQLite.
pub const PARAMETER_NUMBER_MAX: u32 = 32_766;

/// How many views, subqueries and triggers may stand inside each other when a statement is
/// bound: each level takes some kilobytes of stack.
pub const BINDING_DEPTH_MAX: u32 = 100;

/// Tables, subqueries and operators of one frame of a plan: they are numbered in 16 bits.
pub const FRAME_PARTS_MAX: u32 = u16::MAX as u32;

/// How many views, subqueries and common tables a statement may bind, each counted wherever it
/// is read: views that read two views double with every level.
pub const BLOCKS_MAX: u32 = 65_535;

/// Tables of one join, as many as SQLite reads names of (of which it joins 64).
pub const JOIN_TABLES_MAX: usize = 200;

/// Tables of a view or subquery that are joined together with those around it.
pub const DISSOLVED_TABLES_MAX: usize = 64;

/// Nodes of an expression that is put in the place of a name: views and subqueries with larger
/// ones are computed where they stand, so that expressions do not grow with each level.
pub const DISSOLVED_NODES_MAX: u32 = 1000;

/// Height of an expression that is put in the place of a name.
pub const DISSOLVED_DEPTH_MAX: u32 = 250;

/// Height of a generated column with those that it is made of: it stands wherever it is read.
pub const GENERATED_DEPTH_MAX: u32 = 500;

/// Nodes of a generated column with those that it is made of.
pub const GENERATED_NODES_MAX: u32 = 100_000;

/// Terms of a compound SELECT, as in SQLite.
pub const COMPOUND_SELECT_MAX: u32 = 500;

/// A bound that a session can lower, SQLite's `sqlite3_limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Bytes of a text, a blob or a row.
    Length,
    /// Bytes of a statement's text.
    SqlLength,
    /// Columns of a table, an index or a result.
    Column,
    /// Height of an expression.
    ExpressionDepth,
    /// Terms of a compound SELECT.
    CompoundSelect,
    /// Operators and expressions of a statement's plan.
    Operations,
    /// Arguments of a function.
    FunctionArgument,
    /// Attached databases.
    Attached,
    /// Bytes of a LIKE or GLOB pattern.
    LikePatternLength,
    /// The highest number of a parameter.
    VariableNumber,
    /// How deep triggers nest.
    TriggerDepth,
    /// Threads that help the session's own with large tables; `PRAGMA threads` counts that one,
    /// too.
    WorkerThreads,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 12] = [
        Self::Length,
        Self::SqlLength,
        Self::Column,
        Self::ExpressionDepth,
        Self::CompoundSelect,
        Self::Operations,
        Self::FunctionArgument,
        Self::Attached,
        Self::LikePatternLength,
        Self::VariableNumber,
        Self::TriggerDepth,
        Self::WorkerThreads,
    ];

    /// Its name: that of SQLite's constant behind `SQLITE_LIMIT_`, in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::SqlLength => "sql_length",
            Self::Column => "column",
            Self::ExpressionDepth => "expr_depth",
            Self::CompoundSelect => "compound_select",
            Self::Operations => "vdbe_op",
            Self::FunctionArgument => "function_arg",
            Self::Attached => "attached",
            Self::LikePatternLength => "like_pattern_length",
            Self::VariableNumber => "variable_number",
            Self::TriggerDepth => "trigger_depth",
            Self::WorkerThreads => "worker_threads",
        }
    }

    /// What it is unless it is lowered, and the most that it can be.
    pub const fn maximum(self) -> u32 {
        match self {
            Self::Length | Self::SqlLength => 1_000_000_000,
            Self::Column => 2000,
            Self::ExpressionDepth => EXPRESSION_DEPTH_MAX,
            Self::CompoundSelect => COMPOUND_SELECT_MAX,
            Self::Operations => 250_000_000,
            Self::FunctionArgument => 1000,
            Self::Attached => 10,
            Self::LikePatternLength => 50_000,
            Self::VariableNumber => PARAMETER_NUMBER_MAX,
            Self::TriggerDepth => 1000,
            Self::WorkerThreads => 1024,
        }
    }
}

/// The limits of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits([u32; Limit::ALL.len()]);

impl Default for Limits {
    fn default() -> Self {
        Self(Limit::ALL.map(Limit::maximum))
    }
}

impl Limits {
    /// The value of a limit.
    #[inline]
    pub const fn get(&self, limit: Limit) -> u32 {
        self.0[limit as usize]
    }

    /// Sets a limit, to its maximum at most.
    pub fn set(&mut self, limit: Limit, value: u32) {
        self.0[limit as usize] = value.min(limit.maximum());
    }
}

/// What a level of triggers or of binding has of the stack at least: some take 100 KiB in builds
/// without optimization.
const STACK_LEFT_MIN: usize = 256 * 1024;
/// How much more there is where it has less.
const STACK_MORE: usize = 2 * 1024 * 1024;

/// How many operators run on any stack.
const OPERATORS_SHALLOW: u32 = 24;
/// What an operator inside of another one has of the stack: builds without optimization take half.
const STACK_OF_OPERATOR: usize = 24 * 1024;
/// Operators inside each other that are counted: a plan with more has most of them side by side.
const OPERATORS_DEEP: u32 = 1000;

/// Levels of an expression that any stack holds.
const HEIGHT_LOW: u32 = 50;
/// What a level of an expression takes of the stack where it is bound, copied or computed.
const STACK_OF_LEVEL: usize = if cfg!(debug_assertions) { 12 * 1024 } else { 2 * 1024 };

/// Runs a plan, whose operators may all stand inside each other.
#[inline]
pub(crate) fn with_stack_of<T>(layout: &Layout, work: impl FnOnce() -> T) -> T {
    if layout.states <= OPERATORS_SHALLOW && layout.height <= HEIGHT_LOW {
        return work();
    }
    let operators = layout.states.min(OPERATORS_DEEP) as usize * STACK_OF_OPERATOR;
    let bytes = operators + layout.height as usize * STACK_OF_LEVEL;
    stacker::maybe_grow(bytes, bytes + STACK_MORE, work)
}

/// The greatest height that an expression in a text of so many bytes can have, with what is put
/// in the places of its names.
pub(crate) fn height_within(text: usize) -> u32 {
    let own = u32::try_from(text / 2).unwrap_or(u32::MAX).min(EXPRESSION_DEPTH_MAX);
    own + DISSOLVED_DEPTH_MAX.min(own)
}

/// Does what may come again inside of itself, as [`with_stack`], with expressions of a text.
pub(crate) fn with_stack_for<T>(text: usize, work: impl FnOnce() -> T) -> T {
    let bytes = STACK_LEFT_MIN + height_within(text) as usize * STACK_OF_LEVEL;
    stacker::maybe_grow(bytes, bytes + STACK_MORE, work)
}

/// Does what may come again inside of itself up to a limit that a thread's stack need not hold:
/// threads made by Rust have 2 MiB.
pub(crate) fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_LEFT_MIN, STACK_MORE, work)
}
