//! Scalar expressions, bound: names are resolved, types known, ready to be evaluated.
//!
//! One tree serves from the binder through the planner to the executor. A column is a place:
//! *slot* `slot` of the *frame* `depth` levels out (0: the query block's own; 1: the block
//! around it, and so on), and a column number in it. Slots never move once they are given, so
//! that expressions keep their meaning while the planner moves them around: above a join, a
//! sort or a filter they read the same slots.
//!
//! Affinity and collation are on the nodes, as SQLite's rules need them: comparisons carry
//! theirs. Neighbours: `bind` builds these, `evaluate` computes them, `walk` visits them.

mod evaluate;
mod json;
mod properties;
mod walk;

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

pub use evaluate::compare_by;
pub(crate) use evaluate::{decide, evaluate_part, operate};

use crate::ast::RaiseAction;
use crate::function::Function;
use crate::plan::SelectPlan;
use crate::types::Affinity;

/// A place for a current row in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u16);

/// A piece of an operator's state in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateId(pub u16);

/// A column of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnPlace {
    /// How many frames out.
    pub depth: u8,
    /// Which slot of that frame.
    pub slot: SlotId,
    /// Which column: the position in the row, or [`ROWID`].
    pub column: u16,
    /// What the column would rather hold.
    pub affinity: Affinity,
    /// How its texts compare; none where it says nothing of it, as a rowid and what is computed.
    pub collation: Option<Collation>,
    /// What tells whether its texts are JSON.
    pub json: JsonSign,
}

/// What tells of a column whether its texts are JSON that a function made (SQLite's subtype):
/// another column of the same row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum JsonSign {
    /// They are not: so it is with all that is stored.
    #[default]
    None,
    /// The column with the value's JSON type: arrays and objects are.
    Type(u16),
    /// A column with 1 or 0.
    Flag {
        /// Which.
        column: u16,
        /// A function has made it in the block of the column.
        made: bool,
    },
}

impl JsonSign {
    /// The column that tells.
    pub fn column(self) -> Option<u16> {
        match self {
            Self::None => None,
            Self::Type(column) | Self::Flag { column, .. } => Some(column),
        }
    }
}

/// The column number of a row's rowid.
pub const ROWID: u16 = u16::MAX;

/// A bound expression.
#[derive(Clone, Debug)]
pub enum Scalar {
    /// A constant.
    Literal(Value),
    /// The value bound to a parameter, counted from 0.
    Parameter(u32),
    /// A column.
    Column(ColumnPlace),
    /// `-a`, `~a`, `NOT a`, `+a`
    Unary(Unary, Box<Scalar>),
    /// `a op b` of arithmetic, bits and concatenation.
    Binary(Binary, Box<[Scalar; 2]>),
    /// All of them (three-valued).
    And(Vec<Scalar>),
    /// Any of them (three-valued).
    Or(Vec<Scalar>),
    /// `a op b`
    Compare(Box<Compare>),
    /// `a BETWEEN b AND c`
    Between(Box<Between>),
    /// `(a, b) op (c, d)`
    RowCompare(Box<RowCompare>),
    /// `(a, b) BETWEEN (c, d) AND (e, f)` of values that are new at each computation.
    RowBetween(Box<RowBetween>),
    /// `a IS [NOT] NULL`
    IsNull(Box<Scalar>, bool),
    /// `a IS [NOT] TRUE | FALSE`
    IsTruth {
        /// What is asked.
        operand: Box<Scalar>,
        /// TRUE or FALSE.
        truth: bool,
        /// `IS NOT`
        negated: bool,
    },
    /// `a IN (list)`
    InList(Box<InList>),
    /// `a IN (SELECT ..)`, `(a, b) IN (SELECT ..)`
    InSubquery(Box<InSubquery>),
    /// `a op ANY | ALL (SELECT ..)`
    Quantified(Box<Quantified>),
    /// `CASE`
    Case(Box<Case>),
    /// `CASE` of a row whose values are new at each computation.
    RowCase(Box<RowCase>),
    /// `CAST`, `None` for a type without a name.
    Cast(Box<Scalar>, Affinity),
    /// What a column is computed from, with the column's affinity applied, as it would be on
    /// storing, and its collation, if it has one; and whether what is JSON stays it, as in a
    /// generated column: not in a column of a subquery.
    Convert(Box<Scalar>, Affinity, Option<Collation>, bool),
    /// A value that is JSON if it is text: the result of a JSON aggregate.
    Json(Box<Scalar>),
    /// `a COLLATE c`
    Collate(Box<Scalar>, Collation),
    /// A scalar function.
    Call(Box<Call>),
    /// `(SELECT ..)`: column `column` of its first row, or NULL.
    Subquery(Box<SubqueryCall>, u16),
    /// `EXISTS (SELECT ..)`
    Exists(Box<SubqueryCall>),
    /// A row of values where no single value is meant; only inside comparisons and IN.
    Row(Vec<Scalar>),
    /// `RAISE(..)` with its message.
    Raise(RaiseAction, Option<Box<Scalar>>),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `-`
    Negate,
    /// `+`: the loss of affinity.
    Plus,
    /// `~`
    BitNot,
    /// `NOT`
    Not,
}

/// Operators with two operands that are neither comparisons nor logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
    /// `||`
    Concatenate,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `IS`
    Is,
    /// `IS NOT`
    IsNot,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CompareRule {
    /// Applied to both sides first: only numeric and text do something.
    pub affinity: Affinity,
    /// How texts compare.
    pub collation: Collation,
}

impl CompareRule {
    /// The rule by which the values of a list are converted and compared. Integers do not become
    /// reals beside a REAL column: that would round those that no real is equal to.
    pub(crate) fn of_list(self) -> Self {
        let affinity = match self.affinity {
            Affinity::Real => Affinity::Numeric,
            affinity => affinity,
        };
        Self { affinity, ..self }
    }
}

/// `left operator right`
#[derive(Clone, Debug)]
pub struct Compare {
    /// Which.
    pub operator: Comparison,
    /// How.
    pub rule: CompareRule,
    /// The left side.
    pub left: Scalar,
    /// The right side.
    pub right: Scalar,
}

/// `operand [NOT] BETWEEN low AND high`
#[derive(Clone, Debug)]
pub struct Between {
    /// With NOT.
    pub negated: bool,
    /// What is compared, computed once.
    pub operand: Scalar,
    /// The lower bound.
    pub low: Scalar,
    /// How it is compared with the lower bound.
    pub low_rule: CompareRule,
    /// The upper bound.
    pub high: Scalar,
    /// How it is compared with the upper bound.
    pub high_rule: CompareRule,
}

/// `(..) operator (..)`
#[derive(Clone, Debug)]
pub struct RowCompare {
    /// Which.
    pub operator: Comparison,
    /// The left side's parts.
    pub left: Vec<Scalar>,
    /// The right side's parts, as many.
    pub right: Vec<Scalar>,
    /// How each pair is compared.
    pub rules: Vec<CompareRule>,
}

/// `(..) [NOT] BETWEEN (..) AND (..)`
#[derive(Clone, Debug)]
pub struct RowBetween {
    /// With NOT.
    pub negated: bool,
    /// What is compared, computed once.
    pub operands: Vec<Scalar>,
    /// The lower bound's parts, as many.
    pub low: Vec<Scalar>,
    /// How each is compared with the lower bound.
    pub low_rules: Vec<CompareRule>,
    /// The upper bound's parts, as many.
    pub high: Vec<Scalar>,
    /// How each is compared with the upper bound.
    pub high_rules: Vec<CompareRule>,
}

/// `operand [NOT] IN (list)`
#[derive(Clone, Debug)]
pub struct InList {
    /// With NOT.
    pub negated: bool,
    /// What is looked for.
    pub operand: Scalar,
    /// How it is compared.
    pub rule: CompareRule,
    /// Among what. Constants are sorted by the rule, without NULLs and duplicates.
    pub constants: Vec<Value>,
    /// Whether a NULL stood among the constants.
    pub has_null: bool,
    /// What is not constant.
    pub others: Vec<Scalar>,
}

/// `operand [NOT] IN (SELECT ..)`
#[derive(Clone, Debug)]
pub struct InSubquery {
    /// With NOT.
    pub negated: bool,
    /// What is looked for: as many as the subquery has columns.
    pub operands: Vec<Scalar>,
    /// How each is compared.
    pub rules: Vec<CompareRule>,
    /// Where.
    pub subquery: SubqueryCall,
}

/// `operand operator ANY | ALL (SELECT ..)`
#[derive(Clone, Debug)]
pub struct Quantified {
    /// The left side.
    pub operand: Scalar,
    /// Which comparison.
    pub operator: Comparison,
    /// How it compares.
    pub rule: CompareRule,
    /// ALL rather than ANY.
    pub all: bool,
    /// The rows.
    pub subquery: SubqueryCall,
}

/// `CASE [operand] WHEN .. THEN .. ELSE .. END`
#[derive(Clone, Debug)]
pub struct Case {
    /// What each WHEN is compared with, computed once.
    pub operand: Option<Scalar>,
    /// WHEN, how it is compared, THEN.
    pub branches: Vec<(Scalar, CompareRule, Scalar)>,
    /// ELSE.
    pub otherwise: Option<Scalar>,
    /// Whether it is a column that a join has made of several: its affinity and collation are those
    /// of the first.
    pub merges: bool,
}

/// `CASE (operands) WHEN (..) THEN .. ELSE .. END`
#[derive(Clone, Debug)]
pub struct RowCase {
    /// What each WHEN is compared with, computed once.
    pub operands: Vec<Scalar>,
    /// The values of each WHEN, how each is compared, THEN.
    pub branches: Vec<(Vec<Scalar>, Vec<CompareRule>, Scalar)>,
    /// ELSE.
    pub otherwise: Option<Scalar>,
}

/// A call of a scalar function.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function.
    pub function: Arc<Function>,
    /// What it is called with.
    pub arguments: Vec<Scalar>,
    /// How it compares texts.
    pub collation: Collation,
    /// The call's own memory in the frame.
    pub cache: u32,
}

/// A subquery with its place in the frame.
#[derive(Clone, Debug)]
pub struct SubqueryCall {
    /// What it runs.
    pub plan: Arc<SelectPlan>,
    /// Where its state is.
    pub state: u32,
    /// What its result depends on.
    pub correlation: Correlation,
    /// It gives the same result for the same row, so that results may be kept.
    pub remembers: bool,
}

/// What the result of a subquery depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Correlation {
    /// Nothing: it is computed once for each run of the statement.
    #[default]
    None,
    /// Frames further out than the one it stands in: once for each opening of that one.
    Outer,
    /// The current row of the frame it stands in: each time anew.
    Immediate,
}

impl Scalar {
    /// NULL.
    pub const NULL: Self = Self::Literal(Value::Null);

    /// An integer constant.
    pub const fn integer(value: i64) -> Self {
        Self::Literal(Value::Integer(value))
    }

    /// The conjunction of `terms`; none is true.
    pub fn all(mut terms: Vec<Self>) -> Option<Self> {
        match terms.len() {
            0 => None,
            1 => terms.pop(),
            _ => Some(Self::And(terms)),
        }
    }
}

impl Comparison {
    /// The same comparison with its sides exchanged.
    #[must_use]
    pub fn exchanged(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            other => other,
        }
    }

    /// What the order of two values that are not NULL means for it.
    #[inline]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal | Self::Is => order.is_eq(),
            Self::NotEqual | Self::IsNot => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}
