//! Operands: constants, parameters, columns, calls, CASE, CAST, subqueries, rows; and the
//! operators that stand in front of one.
//!
//! `operand` is on the stack once for each level of nesting, so it holds nothing large: each kind
//! is a function of its own, and what is done with a part that has been read is another one,
//! whose values do not lie on the stack while the part is read. Without optimization each `?`
//! keeps copies of its value, so that parts are handed on as results.
//! Neighbours: `expression` (operators between operands), `function` (calls).

use std::borrow::Cow;

use pandodb_ds::record::number;

use super::expression::LEVEL_NOT;
use super::parser::{Parser, unquote};
use super::token::{Token, TokenKind};
use crate::ast::{
    Case, Cast, ColumnReference, Expression, ExpressionKind, Literal, Name, RaiseAction, Select,
    TypeName, UnaryOperator,
};
use crate::error::{Error, Result};
use crate::limits;
use crate::span::Span;

/// `9223372036854775808`: the number that is an integer only behind a minus.
pub(super) const MINIMUM_DIGITS: &str = "9223372036854775808";

impl Parser<'_> {
    /// An operand with the operators in front of it.
    pub(super) fn operand(&mut self) -> Result<Expression> {
        use TokenKind as Kind;
        self.height = 1;
        match self.token.kind {
            Kind::Integer | Kind::Float | Kind::Blob | Kind::Null => self.constant(),
            Kind::CurrentDate | Kind::CurrentTime | Kind::CurrentTimestamp => self.constant(),
            Kind::String => self.string_operand(),
            Kind::Variable => self.variable(),
            Kind::LeftParenthesis => self.parenthesized(),
            Kind::Plus | Kind::Minus | Kind::Tilde | Kind::Not => self.prefixed(),
            Kind::Case => self.case(),
            Kind::Exists => self.exists(),
            Kind::Cast => self.cast(),
            Kind::Raise => self.raise(),
            kind if kind.is_identifier() => self.named(),
            _ => Err(self.expected("an expression")),
        }
    }

    #[inline]
    fn constant(&mut self) -> Result<Expression> {
        let token = self.advance();
        let literal = self.literal(token)?;
        Ok(Expression::new(ExpressionKind::Literal(literal), self.span_from(token.start)))
    }

    #[inline]
    fn variable(&mut self) -> Result<Expression> {
        let token = self.advance();
        let parameter = self.parameter(token)?;
        let kind = ExpressionKind::Parameter(Box::new(parameter));
        Ok(Expression::new(kind, self.span_from(token.start)))
    }

    /// The constant that `token` spells.
    pub(super) fn literal(&self, token: Token) -> Result<Literal> {
        let text = self.slice(token);
        Ok(match token.kind {
            TokenKind::Integer => return integer(token, text),
            TokenKind::Float => {
                let text = without_separators(token, text)?;
                Literal::Real(number::cast_real(text.as_bytes()))
            }
            TokenKind::String => Literal::Text(unquote(text)),
            TokenKind::Blob => Literal::Blob(blob(text)),
            TokenKind::CurrentDate => Literal::CurrentDate,
            TokenKind::CurrentTime => Literal::CurrentTime,
            TokenKind::CurrentTimestamp => Literal::CurrentTimestamp,
            _ => Literal::Null,
        })
    }

    /// `'text'`, or `'table'.column`.
    #[inline(never)]
    fn string_operand(&mut self) -> Result<Expression> {
        if self.peek().kind == TokenKind::Dot {
            return self.named();
        }
        let token = self.advance();
        let kind = ExpressionKind::Literal(self.literal(token)?);
        Ok(Expression::new(kind, self.span_from(token.start)))
    }

    /// A column or a call.
    #[inline(never)]
    fn named(&mut self) -> Result<Expression> {
        let first = self.advance();
        match self.token.kind {
            TokenKind::LeftParenthesis if first.kind != TokenKind::String => self.call(first),
            TokenKind::Dot => self.qualified_column(first),
            _ => {
                let column = self.name_of(first);
                Ok(column_reference(None, None, column))
            }
        }
    }

    #[inline(never)]
    fn qualified_column(&mut self, first: Token) -> Result<Expression> {
        let first = self.name_of(first);
        self.advance();
        let second = self.name("a column name")?;
        if !self.accept(TokenKind::Dot) {
            return Ok(column_reference(None, Some(first), second));
        }
        let third = self.name("a column name")?;
        Ok(column_reference(Some(first), Some(second), third))
    }

    /// `-a`, `+a`, `~a` and `NOT a`, wherever an operand may stand: behind a tighter operator
    /// the NOT still takes all that binds tighter than itself.
    #[inline(never)]
    fn prefixed(&mut self) -> Result<Expression> {
        self.enter(limits::WEIGHT_EXPRESSION)?;
        let token = self.advance();
        let operand = match token.kind {
            TokenKind::Not => self.above(LEVEL_NOT),
            TokenKind::Minus if self.at_minimum() => {
                self.leave(limits::WEIGHT_EXPRESSION);
                return self.minimum(token);
            }
            _ => self.operand(),
        };
        self.leave(limits::WEIGHT_EXPRESSION);
        self.behind_prefix(token, operand)
    }

    #[inline(never)]
    fn behind_prefix(&mut self, token: Token, operand: Result<Expression>) -> Result<Expression> {
        let operator = match token.kind {
            TokenKind::Not => UnaryOperator::Not,
            TokenKind::Tilde => UnaryOperator::BitNot,
            TokenKind::Plus => UnaryOperator::Plus,
            _ => UnaryOperator::Negate,
        };
        let kind = ExpressionKind::Unary(operator, Box::new(operand?));
        self.taller()?;
        Ok(Expression::new(kind, self.span_from(token.start)))
    }

    #[inline]
    fn at_minimum(&self) -> bool {
        self.at(TokenKind::Integer) && is_minimum(self.slice(self.token))
    }

    /// The least integer, behind its minus.
    #[inline(never)]
    fn minimum(&mut self, minus: Token) -> Result<Expression> {
        self.check_minimum()?;
        self.advance();
        let kind = ExpressionKind::Literal(Literal::Integer(i64::MIN));
        Ok(Expression::new(kind, self.span_from(minus.start)))
    }

    /// Refuses the hexadecimal literal that cannot be negated.
    #[cold]
    #[inline(never)]
    fn check_minimum(&self) -> Result<()> {
        let text = self.slice(self.token);
        if !text.starts_with("0x") && !text.starts_with("0X") {
            return Ok(());
        }
        Err(Error::invalid(format!("hex literal too big: -{text}")).at(self.token_span()))
    }

    /// The node that is made now is one higher than its tallest part.
    pub(super) fn taller(&mut self) -> Result<()> {
        self.height += 1;
        if self.height > self.depth_max() { Err(self.too_deep()) } else { Ok(()) }
    }

    /// `(a)`, `(a, b)` or `(SELECT ...)`.
    #[inline(never)]
    fn parenthesized(&mut self) -> Result<Expression> {
        let start = self.advance().start;
        if self.at_select() {
            return self.subquery_operand(start);
        }
        self.enter(limits::WEIGHT_EXPRESSION)?;
        let inner = if self.at(TokenKind::LeftParenthesis) {
            self.parenthesized_often()
        } else {
            self.above(0)
        };
        let inner = self.listed_in_parenthesis(inner);
        self.leave(limits::WEIGHT_EXPRESSION);
        self.behind_parenthesis(inner, start)
    }

    /// What stands in a parenthesis and begins with more of them: `((a) + 1)` without the outer
    /// two. They leave no node and are no height, so they are read in a loop and not on the stack.
    #[inline(never)]
    fn parenthesized_often(&mut self) -> Result<Expression> {
        let mut starts = Vec::new();
        // The last one before a SELECT belongs to that.
        while self.at(TokenKind::LeftParenthesis) && !self.peek().kind.begins_select() {
            starts.push(self.advance().start);
            if starts.len() >= limits::PARENTHESES_MAX {
                return Err(self.too_many_parentheses());
            }
        }
        let mut inner = self.above(0);
        while let Some(start) = starts.pop() {
            let listed = self.listed_in_parenthesis(inner);
            let operand = self.behind_parenthesis(listed, start)?;
            inner = self.with_operators(operand, 0);
        }
        inner
    }

    /// The expression of a parenthesis, or the row that begins with it.
    #[inline]
    fn listed_in_parenthesis(&mut self, inner: Result<Expression>) -> Result<Expression> {
        match inner {
            Ok(first) if self.at(TokenKind::Comma) => self.row(first),
            inner => inner,
        }
    }

    #[inline]
    fn behind_parenthesis(&mut self, inner: Result<Expression>, start: u32) -> Result<Expression> {
        let mut expression = inner?;
        self.expect(TokenKind::RightParenthesis, "an operator or )")?;
        expression.span = self.span_from(start);
        Ok(expression)
    }

    #[inline(never)]
    fn subquery_operand(&mut self, start: u32) -> Result<Expression> {
        let select = self.subquery();
        self.behind_subquery(select, start, ExpressionKind::Subquery)
    }

    #[inline(never)]
    fn behind_subquery(
        &mut self,
        select: Result<Box<Select>>,
        start: u32,
        kind: fn(Box<Select>) -> ExpressionKind,
    ) -> Result<Expression> {
        let kind = kind(select?);
        self.taller()?;
        Ok(Expression::new(kind, self.span_from(start)))
    }

    /// The rest of a row value behind its first part.
    #[inline(never)]
    fn row(&mut self, first: Expression) -> Result<Expression> {
        let span = first.span;
        let tallest = std::mem::replace(&mut self.tallest, self.height);
        let mut parts = vec![first];
        while self.accept(TokenKind::Comma) {
            let part = self.expression();
            self.listed(&mut parts, part)?;
        }
        self.height = std::mem::replace(&mut self.tallest, tallest);
        self.taller()?;
        Ok(Expression::new(ExpressionKind::Row(parts), span))
    }

    #[inline(never)]
    fn exists(&mut self) -> Result<Expression> {
        let start = self.advance().start;
        self.expect(TokenKind::LeftParenthesis, "( and a SELECT")?;
        if !self.at_select() {
            return Err(self.expected("SELECT"));
        }
        let select = self.subquery();
        self.behind_subquery(select, start, ExpressionKind::Exists)
    }

    #[inline(never)]
    fn case(&mut self) -> Result<Expression> {
        let start = self.advance().start;
        let tallest = std::mem::take(&mut self.tallest);
        let mut case = new_case();
        if !self.at(TokenKind::When) {
            let operand = self.expression();
            self.held(&mut case.operand, operand)?;
        }
        self.expect(TokenKind::When, "WHEN")?;
        loop {
            let when = self.expression();
            self.when(&mut case, when)?;
            let then = self.expression();
            self.then(&mut case, then)?;
            if !self.accept(TokenKind::When) {
                break;
            }
        }
        if self.accept(TokenKind::Else) {
            let otherwise = self.expression();
            self.held(&mut case.otherwise, otherwise)?;
        }
        self.expect(TokenKind::EndKeyword, "WHEN, ELSE or END")?;
        self.height = std::mem::replace(&mut self.tallest, tallest);
        self.taller()?;
        Ok(Expression::new(ExpressionKind::Case(case), self.span_from(start)))
    }

    /// The condition of a branch; what it gives is put in its place until it is read.
    #[inline]
    fn when(&mut self, case: &mut Case, when: Result<Expression>) -> Result<()> {
        case.branches.push((when?, Expression::literal(Literal::Null)));
        self.expect(TokenKind::Then, "THEN")?;
        Ok(())
    }

    #[inline]
    fn then(&mut self, case: &mut Case, then: Result<Expression>) -> Result<()> {
        let then = then?;
        if let Some(branch) = case.branches.last_mut() {
            branch.1 = then;
        }
        Ok(())
    }

    /// Puts a part where it belongs.
    #[inline]
    pub(super) fn held(
        &mut self,
        place: &mut Option<Expression>,
        part: Result<Expression>,
    ) -> Result<()> {
        *place = Some(part?);
        Ok(())
    }

    /// Puts a part at the end of a list.
    #[inline]
    pub(super) fn listed(
        &mut self,
        list: &mut Vec<Expression>,
        part: Result<Expression>,
    ) -> Result<()> {
        list.push(part?);
        Ok(())
    }

    #[inline(never)]
    fn cast(&mut self) -> Result<Expression> {
        let start = self.advance().start;
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let operand = self.expression();
        self.behind_cast(operand, start)
    }

    #[inline(never)]
    fn behind_cast(&mut self, operand: Result<Expression>, start: u32) -> Result<Expression> {
        let operand = operand?;
        self.expect(TokenKind::As, "AS and a type")?;
        let type_name = self.type_name()?;
        self.expect(TokenKind::RightParenthesis, ")")?;
        self.taller()?;
        let cast = Cast { operand, type_name };
        Ok(Expression::new(ExpressionKind::Cast(Box::new(cast)), self.span_from(start)))
    }

    #[inline(never)]
    fn raise(&mut self) -> Result<Expression> {
        let start = self.advance().start;
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let action = match self.token.kind {
            TokenKind::Ignore => RaiseAction::Ignore,
            TokenKind::Rollback => RaiseAction::Rollback,
            TokenKind::Abort => RaiseAction::Abort,
            TokenKind::Fail => RaiseAction::Fail,
            _ => return Err(self.expected("IGNORE, ROLLBACK, ABORT or FAIL")),
        };
        self.advance();
        let mut message = None;
        if action != RaiseAction::Ignore {
            self.expect(TokenKind::Comma, ", and a message")?;
            message = Some(Box::new(self.expression()?));
            self.taller()?;
        }
        self.expect(TokenKind::RightParenthesis, ")")?;
        Ok(Expression::new(ExpressionKind::Raise(action, message), self.span_from(start)))
    }

    /// The words of a type and up to two numbers; nothing if no word follows.
    pub(super) fn type_name(&mut self) -> Result<Option<TypeName>> {
        let start = self.token.start;
        let mut name = String::new();
        while self.token.kind.is_plain_name() && !self.at_generated() {
            let token = self.advance();
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(&self.name_of(token).text);
        }
        if self.previous.start < start || name.is_empty() {
            return Ok(None);
        }
        let mut arguments = Vec::new();
        if self.accept(TokenKind::LeftParenthesis) {
            arguments.push(self.signed_number()?);
            if self.accept(TokenKind::Comma) {
                arguments.push(self.signed_number()?);
            }
            self.expect(TokenKind::RightParenthesis, ")")?;
        }
        let span = self.span_from(start);
        Ok(Some(TypeName { name: name.into_boxed_str(), arguments, span }))
    }

    /// Whether `GENERATED ALWAYS AS` follows, which ends a type; else the words belong to it.
    fn at_generated(&self) -> bool {
        if !self.at(TokenKind::Generated) {
            return false;
        }
        let (first, second) = self.peek_two();
        first.kind == TokenKind::Always && second.kind == TokenKind::As
    }

    /// A number with its sign, as written.
    pub(super) fn signed_number(&mut self) -> Result<Box<str>> {
        let start = self.token.start;
        if matches!(self.token.kind, TokenKind::Plus | TokenKind::Minus) {
            self.advance();
        }
        if !matches!(self.token.kind, TokenKind::Integer | TokenKind::Float) {
            return Err(self.expected("a number"));
        }
        let token = self.advance();
        self.literal(token)?;
        Ok(self.span_from(start).of(self.text).into())
    }
}

#[inline]
fn column_reference(schema: Option<Name>, table: Option<Name>, column: Name) -> Expression {
    let start = schema.as_ref().or(table.as_ref()).map_or(column.span, |name| name.span);
    let span = start.to(column.span);
    let reference = ColumnReference { schema, table, column };
    Expression::new(ExpressionKind::Column(Box::new(reference)), span)
}

/// The bytes of `x'00ff'`; the lexer has checked the digits.
fn blob(text: &str) -> Box<[u8]> {
    let digits = text.as_bytes().get(2..text.len().saturating_sub(1)).unwrap_or(&[]);
    let value = |digit: &u8| (*digit as char).to_digit(16).unwrap_or(0) as u8;
    digits.chunks_exact(2).map(|pair| value(&pair[0]) << 4 | value(&pair[1])).collect()
}

/// Boxed at once, so that no frame under way holds the node.
#[inline(never)]
#[expect(clippy::unnecessary_box_returns, reason = "the box keeps frames small")]
fn new_case() -> Box<Case> {
    Box::new(Case { operand: None, branches: Vec::new(), otherwise: None })
}

/// A number's text without the `_` between its digits; elsewhere they are no separators.
fn without_separators(token: Token, text: &str) -> Result<Cow<'_, str>> {
    let bytes = text.as_bytes();
    if memchr::memchr(b'_', bytes).is_none() {
        return Ok(text.into());
    }
    let hexadecimal = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let digit = |index: usize| {
        let byte = bytes.get(index).copied().unwrap_or(0);
        if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }
    };
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(index > 0 && digit(index - 1) && digit(index + 1)) {
            let span = Span::new(token.start, token.end);
            return Err(Error::syntax(format!("unrecognized token: \"{text}\""), span)
                .with_hint("_ may stand between two digits only"));
        }
    }
    Ok(text.replace('_', "").into())
}

/// Whether digits behind a minus sign are the least integer, which has no positive counterpart.
#[inline(never)]
fn is_minimum(text: &str) -> bool {
    text == MINIMUM_DIGITS
        || (text.contains('_') && text.replace('_', "") == MINIMUM_DIGITS)
        || is_minimum_hex(text)
}

/// Whether a hexadecimal literal is the least integer, which cannot be negated.
#[inline(never)]
fn is_minimum_hex(text: &str) -> bool {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    digits.is_some_and(|digits| u64::from_str_radix(&digits.replace('_', ""), 16) == Ok(1 << 63))
}

fn integer(token: Token, text: &str) -> Result<Literal> {
    if let Ok(value) = text.parse() {
        return Ok(Literal::Integer(value));
    }
    let text = without_separators(token, text)?;
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // SQLite allows any number of zeros in front of 16 digits.
        return u64::from_str_radix(digits.trim_start_matches('0'), 16)
            .or_else(|error| if digits.bytes().all(|b| b == b'0') { Ok(0) } else { Err(error) })
            .map(|bits| Literal::Integer(bits as i64))
            .map_err(|_| {
                Error::invalid(format!("hex literal too big: {text}"))
                    .at(Span::new(token.start, token.end))
            });
    }
    Ok(match text.parse() {
        Ok(value) => Literal::Integer(value),
        Err(_) => Literal::Real(number::cast_real(text.as_bytes())),
    })
}
