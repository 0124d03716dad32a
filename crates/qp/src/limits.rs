//! Bounds of what SQL text may ask for.
//!
//! They are there so that any input ends in a clear error before it ends the stack or the
//! memory. Neighbours: `parse` keeps them, `error` reports them.

/// Bytes of SQL text in one call: what SQLite allows, and well inside a span's 32 bits.
pub const SQL_BYTES_MAX: usize = 1_000_000_000;

/// Height of an expression tree, as in SQLite. Operators of one level count once, however
/// many there are, because they are one node.
pub const EXPRESSION_DEPTH_MAX: u32 = 1000;

/// What the nesting of one statement may weigh: an operator, a parenthesis or a function call
/// weighs [`WEIGHT_EXPRESSION`], a subquery [`WEIGHT_SELECT`]. Sized so that the parser needs
/// less than three quarters of a stack of two mebibytes in the development profile: a unit was
/// measured at up to 370 bytes there.
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
