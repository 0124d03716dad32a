//! Expressions.
//!
//! An [`Expression`] is 32 bytes: what is larger than a pointer is boxed, so that vectors of
//! operands stay dense and the parser's frames small. Binary operators of one level are one
//! [`Chain`], evaluated from the left: `a - b + c` has two steps, and an `OR` of a thousand
//! terms is one node. Neighbours: `select` (subqueries), `display` (printing), `parse` (how
//! the levels are told apart).

use super::{Name, OrderTerm, QualifiedName, Select};
use crate::span::Span;

/// An expression with its place in the text, parentheses around it included.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it says.
    pub kind: ExpressionKind,
    /// Where it stands.
    pub span: Span,
}

impl Expression {
    /// A node at a place.
    pub fn new(kind: ExpressionKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// A literal that stands in no text.
    pub fn literal(literal: Literal) -> Self {
        Self::new(ExpressionKind::Literal(literal), Span::default())
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A constant.
    Literal(Literal),
    /// `?`, `?1`, `:a`, `@a`, `$a`
    Parameter(Box<Parameter>),
    /// `[[schema.]table.]column`; also a bare name that may turn out to be a string.
    Column(Box<ColumnReference>),
    /// `-a`, `+a`, `~a`, `NOT a`
    Unary(UnaryOperator, Box<Expression>),
    /// `a op b op c ...` with operators of one level, from the left.
    Chain(Box<Chain>),
    /// `a COLLATE name`
    Collate(Box<Collate>),
    /// `CAST(a AS type)`
    Cast(Box<Cast>),
    /// `a [NOT] LIKE | GLOB | REGEXP | MATCH b [ESCAPE c]`
    Like(Box<Like>),
    /// `a ISNULL`, or with `true` `a NOTNULL` and `a NOT NULL`.
    IsNull(Box<Expression>, bool),
    /// `a [NOT] BETWEEN b AND c`
    Between(Box<Between>),
    /// `a [NOT] IN ...`
    In(Box<In>),
    /// `a op ANY | SOME | ALL (SELECT ...)`
    Quantified(Box<Quantified>),
    /// `CASE ... END`
    Case(Box<Case>),
    /// `name(...)`, with FILTER and OVER.
    Function(Box<FunctionCall>),
    /// `EXISTS (SELECT ...)`; `NOT EXISTS` is a [`UnaryOperator::Not`] around it.
    Exists(Box<Select>),
    /// `(SELECT ...)`: a scalar, or a row value.
    Subquery(Box<Select>),
    /// `(a, b, ...)`: a row value of at least two parts.
    Row(Vec<Expression>),
    /// `RAISE(...)`, in triggers.
    Raise(RaiseAction, Option<Box<Expression>>),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `NULL`
    Null,
    /// A number that fits 64 bits; the minimum is written with its sign.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// `'text'`
    Text(Box<str>),
    /// `x'00ff'`
    Blob(Box<[u8]>),
    /// `CURRENT_DATE`
    CurrentDate,
    /// `CURRENT_TIME`
    CurrentTime,
    /// `CURRENT_TIMESTAMP`
    CurrentTimestamp,
}

/// A parameter; its index is what a value is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// How it was written.
    pub kind: ParameterKind,
    /// Its number from 1, given as SQLite does.
    pub index: u32,
}

/// How a parameter was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// `?`
    Anonymous,
    /// `?5`
    Numbered,
    /// `:name`, `@name`, `$name`: with its first character.
    Named(Box<str>),
}

/// `[[schema.]table.]column`
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnReference {
    /// The schema.
    pub schema: Option<Name>,
    /// The table or its alias.
    pub table: Option<Name>,
    /// The column.
    pub column: Name,
}

/// Operators with one operand in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `+`: nothing but the loss of affinity.
    Plus,
    /// `~`
    BitNot,
    /// `NOT`
    Not,
}

/// `first op operand op operand ...`: operators of one level, evaluated from the left.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The leftmost operand.
    pub first: Expression,
    /// The steps, at least one.
    pub rest: Vec<(BinaryOperator, Expression)>,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `OR`
    Or,
    /// `AND`
    And,
    /// `=` and `==`
    Equal,
    /// `<>` and `!=`
    NotEqual,
    /// `IS` and `IS NOT DISTINCT FROM`
    Is,
    /// `IS NOT` and `IS DISTINCT FROM`
    IsNot,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `<<`
    ShiftLeft,
    /// `>>`
    ShiftRight,
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
    /// `||`
    Concatenate,
    /// `->`
    Extract,
    /// `->>`
    ExtractText,
}

impl BinaryOperator {
    /// How tightly it binds: a larger level binds tighter, equal levels group from the left.
    pub const fn level(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual | Self::Is | Self::IsNot => 4,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 5,
            Self::BitAnd | Self::BitOr | Self::ShiftLeft | Self::ShiftRight => 7,
            Self::Add | Self::Subtract => 8,
            Self::Multiply | Self::Divide | Self::Remainder => 9,
            Self::Concatenate | Self::Extract | Self::ExtractText => 10,
        }
    }
}

/// `operand COLLATE collation`
#[derive(Clone, Debug, PartialEq)]
pub struct Collate {
    /// What is compared.
    pub operand: Expression,
    /// By which collation.
    pub collation: Name,
}

/// `CAST(operand AS type)`
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    /// What is converted.
    pub operand: Expression,
    /// To what; without a name (`CAST(x AS)`) nothing is converted.
    pub type_name: Option<TypeName>,
}

/// The declared type of a column: any words, and up to two numbers.
#[derive(Clone, Debug)]
pub struct TypeName {
    /// The words with one space between them.
    pub name: Box<str>,
    /// The signed numbers in parentheses, as written.
    pub arguments: Vec<Box<str>>,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for TypeName {
    fn eq(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name) && self.arguments == other.arguments
    }
}

/// Which of the matching operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LikeOperator {
    /// `LIKE`
    Like,
    /// `GLOB`
    Glob,
    /// `REGEXP`
    Regexp,
    /// `MATCH`
    Match,
}

/// `operand [NOT] LIKE pattern [ESCAPE escape]`
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    /// Which operator.
    pub operator: LikeOperator,
    /// With NOT.
    pub negated: bool,
    /// What is matched.
    pub operand: Expression,
    /// Against what.
    pub pattern: Expression,
    /// The escape character.
    pub escape: Option<Expression>,
}

/// `operand [NOT] BETWEEN low AND high`
#[derive(Clone, Debug, PartialEq)]
pub struct Between {
    /// With NOT.
    pub negated: bool,
    /// What is compared.
    pub operand: Expression,
    /// The lower bound.
    pub low: Expression,
    /// The upper bound.
    pub high: Expression,
}

/// `operand [NOT] IN set`
#[derive(Clone, Debug, PartialEq)]
pub struct In {
    /// With NOT.
    pub negated: bool,
    /// What is looked for.
    pub operand: Expression,
    /// Where.
    pub set: InSet,
}

/// What follows IN.
#[derive(Clone, Debug, PartialEq)]
pub enum InSet {
    /// `(a, b, ...)`, possibly empty.
    List(Vec<Expression>),
    /// `(SELECT ...)`
    Subquery(Box<Select>),
    /// `[schema.]table`
    Table(QualifiedName),
    /// `[schema.]function(...)`
    Function(QualifiedName, Vec<Expression>),
}

/// `operand operator ANY | ALL (SELECT ...)`
#[derive(Clone, Debug, PartialEq)]
pub struct Quantified {
    /// The left side.
    pub operand: Expression,
    /// One of the comparisons.
    pub operator: BinaryOperator,
    /// `ALL` if true, `ANY` (`SOME`) if false.
    pub all: bool,
    /// The rows compared with.
    pub subquery: Select,
}

/// `CASE [operand] WHEN .. THEN .. [ELSE ..] END`
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What each WHEN is compared with.
    pub operand: Option<Expression>,
    /// WHEN and THEN, at least one pair.
    pub branches: Vec<(Expression, Expression)>,
    /// ELSE.
    pub otherwise: Option<Expression>,
}

/// `name([DISTINCT] arguments [ORDER BY ..]) [FILTER (..)] [OVER ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionCall {
    /// The function.
    pub name: Name,
    /// `DISTINCT`
    pub distinct: bool,
    /// What it is called with.
    pub arguments: FunctionArguments,
    /// The order in which an aggregate sees its rows.
    pub order_by: Vec<OrderTerm>,
    /// Which rows an aggregate sees.
    pub filter: Option<Expression>,
    /// The window, which makes it a window function.
    pub over: Option<Over>,
}

/// What a function is called with.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionArguments {
    /// `(*)`
    Star,
    /// `(a, b, ...)`, possibly empty.
    List(Vec<Expression>),
}

/// What follows OVER.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// `OVER name`
    Named(Name),
    /// `OVER (...)`
    Window(Window),
}

/// `([base] [PARTITION BY ..] [ORDER BY ..] [frame])`
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// A named window that this one extends.
    pub base: Option<Name>,
    /// PARTITION BY
    pub partition_by: Vec<Expression>,
    /// ORDER BY
    pub order_by: Vec<OrderTerm>,
    /// The frame; without one `RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`.
    pub frame: Option<Frame>,
}

/// `ROWS | RANGE | GROUPS [BETWEEN] start [AND end] [EXCLUDE ..]`
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// In what the bounds count.
    pub unit: FrameUnit,
    /// Where it begins.
    pub start: FrameBound,
    /// Where it ends; the current row where it is not said.
    pub end: Option<FrameBound>,
    /// What is left out.
    pub exclude: FrameExclude,
}

/// In what the bounds of a frame count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// Values of the ORDER BY term.
    Range,
    /// Groups of equal rows.
    Groups,
}

/// An end of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `n PRECEDING`
    Preceding(Expression),
    /// `CURRENT ROW`
    CurrentRow,
    /// `n FOLLOWING`
    Following(Expression),
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
}

/// What a frame leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameExclude {
    /// `EXCLUDE NO OTHERS`
    #[default]
    NoOthers,
    /// `EXCLUDE CURRENT ROW`
    CurrentRow,
    /// `EXCLUDE GROUP`
    Group,
    /// `EXCLUDE TIES`
    Ties,
}

/// What `RAISE` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseAction {
    /// `RAISE(IGNORE)`
    Ignore,
    /// `RAISE(ROLLBACK, message)`
    Rollback,
    /// `RAISE(ABORT, message)`
    Abort,
    /// `RAISE(FAIL, message)`
    Fail,
}
