//! Expressions as text, with the parentheses that their levels need.
//!
//! An operand is put in parentheses if its level is below what its place asks for; the levels
//! are those of `parse::expression`. Neighbours: `select` (subqueries), `mod`.

use std::fmt;

use super::{Print, Printer};
use crate::ast::{
    BinaryOperator, Case, ColumnReference, Expression, ExpressionKind, Frame, FrameBound,
    FrameExclude, FrameUnit, FunctionArguments, FunctionCall, In, InSet, Like, LikeOperator,
    Literal, NullsOrder, OrderTerm, Over, Parameter, ParameterKind, RaiseAction, SortOrder,
    TypeName, UnaryOperator, Window,
};
use crate::parse::is_plain_name;

const LEVEL_NOT: u8 = 3;
const LEVEL_EQUALITY: u8 = 4;
const LEVEL_COMPARISON: u8 = 5;
const LEVEL_COLLATE: u8 = 11;
const LEVEL_UNARY: u8 = 12;
const LEVEL_OPERAND: u8 = 13;

/// How tightly the outermost operation of an expression binds.
fn level_of(expression: &Expression) -> u8 {
    match &expression.kind {
        ExpressionKind::Chain(chain) => {
            chain.rest.first().map_or(LEVEL_OPERAND, |(operator, _)| operator.level())
        }
        ExpressionKind::Quantified(quantified) => quantified.operator.level(),
        ExpressionKind::IsNull(..)
        | ExpressionKind::Like(_)
        | ExpressionKind::Between(_)
        | ExpressionKind::In(_) => LEVEL_EQUALITY,
        ExpressionKind::Unary(UnaryOperator::Not, _) => LEVEL_NOT,
        ExpressionKind::Unary(..) => LEVEL_UNARY,
        ExpressionKind::Collate(_) => LEVEL_COLLATE,
        ExpressionKind::Literal(literal) if is_negative(literal) => LEVEL_UNARY,
        _ => LEVEL_OPERAND,
    }
}

fn is_negative(literal: &Literal) -> bool {
    match literal {
        Literal::Integer(value) => *value < 0,
        Literal::Real(value) => value.is_sign_negative(),
        _ => false,
    }
}

impl BinaryOperator {
    /// The operator as SQL has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Or => "OR",
            Self::And => "AND",
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Is => "IS",
            Self::IsNot => "IS NOT",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::BitAnd => "&",
            Self::BitOr => "|",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Concatenate => "||",
            Self::Extract => "->",
            Self::ExtractText => "->>",
        }
    }
}

impl Printer<'_, '_> {
    /// An operand in a place where nothing looser than `level` may stand.
    fn operand(&mut self, operand: &Expression, level: u8) -> fmt::Result {
        if self.full || level_of(operand) >= level {
            return self.node(operand);
        }
        self.text("(")?;
        self.node(operand)?;
        self.text(")")
    }

    fn chain(&mut self, first: &Expression, rest: &[(BinaryOperator, Expression)]) -> fmt::Result {
        if self.full {
            for _ in 1..rest.len() {
                self.text("(")?;
            }
        }
        let level = rest.first().map_or(0, |(operator, _)| operator.level());
        // A chain at the beginning of one of the same level was in parentheses of its own.
        let nested = matches!(first.kind, ExpressionKind::Chain(_));
        self.operand(first, level + u8::from(nested))?;
        for (index, (operator, operand)) in rest.iter().enumerate() {
            if self.full && index > 0 {
                self.text(")")?;
            }
            self.text(" ")?;
            self.text(operator.as_str())?;
            self.text(" ")?;
            self.operand(operand, level + 1)?;
        }
        Ok(())
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expression) -> fmt::Result {
        let (sign, level) = match operator {
            UnaryOperator::Not => ("NOT ", LEVEL_NOT),
            UnaryOperator::Negate => ("-", LEVEL_UNARY),
            UnaryOperator::Plus => ("+", LEVEL_UNARY),
            UnaryOperator::BitNot => ("~", LEVEL_UNARY),
        };
        self.text(sign)?;
        // Two signs without a blank would begin a comment; a sign and the digits of the least
        // integer would be one literal.
        if operator != UnaryOperator::Not && (self.full || level_of(operand) == LEVEL_UNARY) {
            self.text(" ")?;
        }
        self.operand(operand, level)
    }

    fn word_not(&mut self, negated: bool) -> fmt::Result {
        self.text(if negated { " NOT" } else { "" })
    }

    fn like(&mut self, like: &Like) -> fmt::Result {
        self.operand(&like.operand, LEVEL_EQUALITY)?;
        self.word_not(like.negated)?;
        self.text(match like.operator {
            LikeOperator::Like => " LIKE ",
            LikeOperator::Glob => " GLOB ",
            LikeOperator::Regexp => " REGEXP ",
            LikeOperator::Match => " MATCH ",
        })?;
        self.operand(&like.pattern, LEVEL_COMPARISON)?;
        if let Some(escape) = &like.escape {
            self.text(" ESCAPE ")?;
            self.operand(escape, LEVEL_COMPARISON)?;
        }
        Ok(())
    }

    fn in_set(&mut self, node: &In) -> fmt::Result {
        self.operand(&node.operand, LEVEL_EQUALITY)?;
        self.word_not(node.negated)?;
        self.text(" IN ")?;
        let arguments = match &node.set {
            InSet::Table(name) => return self.node(name),
            InSet::Subquery(select) => {
                self.text("(")?;
                self.node(select.as_ref())?;
                return self.text(")");
            }
            InSet::Function(name, arguments) => {
                self.node(name)?;
                arguments
            }
            InSet::List(list) => list,
        };
        self.text("(")?;
        self.list(arguments)?;
        self.text(")")
    }

    fn case(&mut self, case: &Case) -> fmt::Result {
        self.text("CASE")?;
        self.optional(" ", case.operand.as_ref())?;
        for (when, then) in &case.branches {
            self.text(" WHEN ")?;
            self.node(when)?;
            self.text(" THEN ")?;
            self.node(then)?;
        }
        self.optional(" ELSE ", case.otherwise.as_ref())?;
        self.text(" END")
    }

    fn raise(&mut self, action: RaiseAction, message: Option<&Expression>) -> fmt::Result {
        self.text("RAISE(")?;
        self.text(match action {
            RaiseAction::Ignore => "IGNORE",
            RaiseAction::Rollback => "ROLLBACK",
            RaiseAction::Abort => "ABORT",
            RaiseAction::Fail => "FAIL",
        })?;
        self.optional(", ", message)?;
        self.text(")")
    }

    fn operation(&mut self, expression: &Expression) -> fmt::Result {
        match &expression.kind {
            ExpressionKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExpressionKind::Chain(chain) => self.chain(&chain.first, &chain.rest),
            ExpressionKind::Collate(collate) => {
                self.operand(&collate.operand, LEVEL_COLLATE)?;
                self.text(" COLLATE ")?;
                self.node(&collate.collation)
            }
            ExpressionKind::Like(like) => self.like(like),
            ExpressionKind::IsNull(operand, negated) => {
                self.operand(operand, LEVEL_EQUALITY)?;
                self.text(if *negated { " NOTNULL" } else { " ISNULL" })
            }
            ExpressionKind::Between(between) => {
                self.operand(&between.operand, LEVEL_EQUALITY)?;
                self.word_not(between.negated)?;
                self.text(" BETWEEN ")?;
                self.operand(&between.low, LEVEL_COMPARISON)?;
                self.text(" AND ")?;
                self.operand(&between.high, LEVEL_COMPARISON)
            }
            ExpressionKind::In(node) => self.in_set(node),
            ExpressionKind::Quantified(node) => {
                self.operand(&node.operand, node.operator.level())?;
                self.text(" ")?;
                self.text(node.operator.as_str())?;
                self.text(if node.all { " ALL (" } else { " ANY (" })?;
                self.node(&node.subquery)?;
                self.text(")")
            }
            ExpressionKind::Literal(literal) => self.node(literal),
            _ => Ok(()),
        }
    }
}

impl Print for Expression {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match &self.kind {
            ExpressionKind::Literal(literal) if !is_negative(literal) => printer.node(literal),
            ExpressionKind::Parameter(parameter) => printer.node(parameter.as_ref()),
            ExpressionKind::Column(column) => printer.node(column.as_ref()),
            ExpressionKind::Cast(cast) => {
                printer.text("CAST(")?;
                printer.node(&cast.operand)?;
                printer.text(" AS")?;
                printer.optional(" ", cast.type_name.as_ref())?;
                printer.text(")")
            }
            ExpressionKind::Case(case) => printer.case(case),
            ExpressionKind::Function(call) => printer.node(call.as_ref()),
            ExpressionKind::Exists(select) => {
                printer.text("EXISTS (")?;
                printer.node(select.as_ref())?;
                printer.text(")")
            }
            ExpressionKind::Subquery(select) => {
                printer.text("(")?;
                printer.node(select.as_ref())?;
                printer.text(")")
            }
            ExpressionKind::Row(parts) => {
                printer.text("(")?;
                printer.list(parts)?;
                printer.text(")")
            }
            ExpressionKind::Raise(action, message) => printer.raise(*action, message.as_deref()),
            _ if printer.full => {
                printer.text("(")?;
                printer.operation(self)?;
                printer.text(")")
            }
            _ => printer.operation(self),
        }
    }
}

impl Print for Literal {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Null => printer.text("NULL"),
            Self::Integer(value) => write!(printer.out, "{value}"),
            // SQL has no word for infinity, but numbers that are too large for any other.
            Self::Real(value) if value.is_infinite() => {
                printer.text(if *value < 0.0 { "-9e999" } else { "9e999" })
            }
            Self::Real(value) => write!(printer.out, "{value:?}"),
            Self::Text(text) => printer.quoted(text, '\'', '\''),
            Self::Blob(bytes) => {
                printer.text("x'")?;
                for byte in bytes {
                    write!(printer.out, "{byte:02x}")?;
                }
                printer.text("'")
            }
            Self::CurrentDate => printer.text("CURRENT_DATE"),
            Self::CurrentTime => printer.text("CURRENT_TIME"),
            Self::CurrentTimestamp => printer.text("CURRENT_TIMESTAMP"),
        }
    }
}

impl Print for Parameter {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match &self.kind {
            ParameterKind::Anonymous => printer.text("?"),
            ParameterKind::Numbered => write!(printer.out, "?{}", self.index),
            ParameterKind::Named(name) => printer.text(name),
        }
    }
}

impl Print for ColumnReference {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        for name in [&self.schema, &self.table].into_iter().flatten() {
            printer.node(name)?;
            printer.text(".")?;
        }
        printer.node(&self.column)
    }
}

impl Print for TypeName {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        if self.name.split(' ').all(is_plain_name) {
            printer.text(&self.name)?;
        } else {
            printer.quoted(&self.name, '"', '"')?;
        }
        for (index, argument) in self.arguments.iter().enumerate() {
            printer.text(if index == 0 { "(" } else { ", " })?;
            printer.text(argument)?;
        }
        printer.text(if self.arguments.is_empty() { "" } else { ")" })
    }
}

impl Print for OrderTerm {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.expression)?;
        printer.text(match self.order {
            Some(SortOrder::Ascending) => " ASC",
            Some(SortOrder::Descending) => " DESC",
            None => "",
        })?;
        printer.text(match self.nulls {
            Some(NullsOrder::First) => " NULLS FIRST",
            Some(NullsOrder::Last) => " NULLS LAST",
            None => "",
        })
    }
}

impl Print for FunctionCall {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.name)?;
        printer.text(if self.distinct { "(DISTINCT " } else { "(" })?;
        match &self.arguments {
            FunctionArguments::Star => printer.text("*")?,
            FunctionArguments::List(arguments) => printer.list(arguments)?,
        }
        printer.clause(" ORDER BY ", &self.order_by)?;
        printer.text(")")?;
        if let Some(filter) = &self.filter {
            printer.text(" FILTER (WHERE ")?;
            printer.node(filter)?;
            printer.text(")")?;
        }
        match &self.over {
            None => Ok(()),
            Some(Over::Named(name)) => printer.optional(" OVER ", Some(name)),
            Some(Over::Window(window)) => printer.optional(" OVER ", Some(window)),
        }
    }
}

impl Print for Window {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("(")?;
        let mut before = "";
        if let Some(base) = &self.base {
            printer.node(base)?;
            before = " ";
        }
        if !self.partition_by.is_empty() {
            printer.text(before)?;
            printer.clause("PARTITION BY ", &self.partition_by)?;
            before = " ";
        }
        if !self.order_by.is_empty() {
            printer.text(before)?;
            printer.clause("ORDER BY ", &self.order_by)?;
            before = " ";
        }
        printer.optional(before, self.frame.as_ref())?;
        printer.text(")")
    }
}

impl Print for Frame {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text(match self.unit {
            FrameUnit::Rows => "ROWS ",
            FrameUnit::Range => "RANGE ",
            FrameUnit::Groups => "GROUPS ",
        })?;
        printer.text(if self.end.is_some() { "BETWEEN " } else { "" })?;
        printer.node(&self.start)?;
        printer.optional(" AND ", self.end.as_ref())?;
        printer.text(match self.exclude {
            FrameExclude::NoOthers => "",
            FrameExclude::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclude::Group => " EXCLUDE GROUP",
            FrameExclude::Ties => " EXCLUDE TIES",
        })
    }
}

impl Print for FrameBound {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::UnboundedPreceding => printer.text("UNBOUNDED PRECEDING"),
            Self::CurrentRow => printer.text("CURRENT ROW"),
            Self::UnboundedFollowing => printer.text("UNBOUNDED FOLLOWING"),
            Self::Preceding(offset) => {
                printer.node(offset)?;
                printer.text(" PRECEDING")
            }
            Self::Following(offset) => {
                printer.node(offset)?;
                printer.text(" FOLLOWING")
            }
        }
    }
}
