//! Expressions: operators, by their levels.
//!
//! SQLite's table, from loose to tight:
//!
//! ```text
//!  1  OR                                        7  & | << >>
//!  2  AND                                       8  + -
//!  3  NOT a                                     9  * / %
//!  4  = <> IS IN LIKE BETWEEN ISNULL NOT NULL   10  || -> ->>
//!  5  < <= > >=                                 11  COLLATE
//!  6  ESCAPE                                    12  -a +a ~a
//! ```
//!
//! All levels group from the left. Operators of one level are collected in a loop into one
//! chain, so neither the length of `a AND b AND ...` nor of `a || b || ...` costs stack; only
//! an operand of a tighter level is read by recursion. Neighbours: `operand` (what stands
//! between operators), `ast::expression` (the tree).

use super::parser::Parser;
use super::token::TokenKind;
use crate::ast::{
    Between, BinaryOperator, Chain, Collate, Expression, ExpressionKind, In, InSet, Like,
    LikeOperator, Literal, NullsOrder, OrderTerm, Quantified, SortOrder,
};
use crate::error::Result;
use crate::limits;

/// Level of `NOT a`.
pub(super) const LEVEL_NOT: u8 = 3;
const LEVEL_EQUALITY: u8 = 4;

/// Weight of an operand that is read by recursion because its operators bind tighter.
const WEIGHT_OPERAND: u32 = 2;

/// The level of a token as an operator behind an operand; zero for all others.
#[inline]
fn level_of(kind: TokenKind) -> u8 {
    use TokenKind as Kind;
    match kind {
        Kind::Or => 1,
        Kind::And => 2,
        Kind::Equal | Kind::NotEqual | Kind::Is | Kind::In | Kind::Like | Kind::Glob => 4,
        Kind::Regexp | Kind::Match | Kind::Between | Kind::Isnull | Kind::Notnull => 4,
        Kind::Not => 4,
        Kind::Less | Kind::LessOrEqual | Kind::Greater | Kind::GreaterOrEqual => 5,
        Kind::Ampersand | Kind::Pipe | Kind::ShiftLeft | Kind::ShiftRight => 7,
        Kind::Plus | Kind::Minus => 8,
        Kind::Star | Kind::Slash | Kind::Percent => 9,
        Kind::Concatenate | Kind::Arrow | Kind::LongArrow => 10,
        Kind::Collate => 11,
        _ => 0,
    }
}

/// The operators that become steps of a chain.
#[inline]
fn binary_operator(kind: TokenKind) -> Option<BinaryOperator> {
    use BinaryOperator as Operator;
    Some(match kind {
        TokenKind::Or => Operator::Or,
        TokenKind::And => Operator::And,
        TokenKind::Equal => Operator::Equal,
        TokenKind::NotEqual => Operator::NotEqual,
        TokenKind::Is => Operator::Is,
        TokenKind::Less => Operator::Less,
        TokenKind::LessOrEqual => Operator::LessOrEqual,
        TokenKind::Greater => Operator::Greater,
        TokenKind::GreaterOrEqual => Operator::GreaterOrEqual,
        TokenKind::Ampersand => Operator::BitAnd,
        TokenKind::Pipe => Operator::BitOr,
        TokenKind::ShiftLeft => Operator::ShiftLeft,
        TokenKind::ShiftRight => Operator::ShiftRight,
        TokenKind::Plus => Operator::Add,
        TokenKind::Minus => Operator::Subtract,
        TokenKind::Star => Operator::Multiply,
        TokenKind::Slash => Operator::Divide,
        TokenKind::Percent => Operator::Remainder,
        TokenKind::Concatenate => Operator::Concatenate,
        TokenKind::Arrow => Operator::Extract,
        TokenKind::LongArrow => Operator::ExtractText,
        _ => return None,
    })
}

/// An expression that becomes a part of another in its own place.
#[inline]
fn taken(place: &mut Expression) -> Expression {
    let span = place.span;
    let kind = std::mem::replace(&mut place.kind, ExpressionKind::Literal(Literal::Null));
    Expression::new(kind, span)
}

#[inline(never)]
fn put_like(
    left: &mut Expression,
    operator: LikeOperator,
    negated: bool,
    pattern: Result<Expression>,
) -> Result<()> {
    let like = Like { operator, negated, pattern: pattern?, operand: taken(left), escape: None };
    left.kind = ExpressionKind::Like(Box::new(like));
    Ok(())
}

/// The upper bound is not read yet.
#[inline(never)]
fn put_between(left: &mut Expression, negated: bool, low: Result<Expression>) -> Result<()> {
    let high = Expression::literal(Literal::Null);
    let between = Between { negated, low: low?, operand: taken(left), high };
    left.kind = ExpressionKind::Between(Box::new(between));
    Ok(())
}

#[inline(never)]
fn put_upper(left: &mut Expression, high: Result<Expression>) -> Result<()> {
    let high = high?;
    if let ExpressionKind::Between(between) = &mut left.kind {
        between.high = high;
    }
    Ok(())
}

#[inline(never)]
fn put_in(left: &mut Expression, negated: bool, set: InSet) {
    left.kind = ExpressionKind::In(Box::new(In { negated, operand: taken(left), set }));
}

impl Parser<'_> {
    /// A whole expression.
    pub(super) fn expression(&mut self) -> Result<Expression> {
        self.enter(limits::WEIGHT_EXPRESSION)?;
        let expression = self.above(0);
        self.leave(limits::WEIGHT_EXPRESSION);
        self.tallest = self.tallest.max(self.height);
        expression
    }

    /// `expression, expression, ...`
    pub(super) fn expression_list(&mut self) -> Result<Vec<Expression>> {
        let mut list = Vec::with_capacity(1);
        loop {
            let part = self.expression();
            self.listed(&mut list, part)?;
            if !self.accept(TokenKind::Comma) {
                return Ok(list);
            }
        }
    }

    /// An operand with all operators behind it that bind tighter than `level`.
    #[inline]
    pub(super) fn above(&mut self, level: u8) -> Result<Expression> {
        match self.operand() {
            Ok(operand) if level_of(self.token.kind) > level => self.behind_operand(operand, level),
            operand => operand,
        }
    }

    /// An operand that has been read, with all operators behind it that bind tighter than `level`.
    #[inline]
    pub(super) fn with_operators(&mut self, operand: Expression, level: u8) -> Result<Expression> {
        if level_of(self.token.kind) > level {
            self.behind_operand(operand, level)
        } else {
            Ok(operand)
        }
    }

    #[inline]
    fn behind_operand(&mut self, operand: Expression, level: u8) -> Result<Expression> {
        self.enter(WEIGHT_OPERAND)?;
        let expression = self.operators(operand, level);
        self.leave(WEIGHT_OPERAND);
        expression
    }

    /// The operators behind `left` that bind tighter than `floor`, with their operands.
    fn operators(&mut self, mut left: Expression, floor: u8) -> Result<Expression> {
        let mut height = self.height;
        // The level of the chain that `left` is if this loop made it: more steps go to it.
        let mut open = 0;
        loop {
            let level = level_of(self.token.kind);
            if level <= floor {
                self.height = height;
                return Ok(left);
            }
            self.height = height;
            if let Some(operator) = binary_operator(self.token.kind) {
                self.advance();
                let operator = self.is_variants(operator)?;
                if level <= 5 && self.at_quantifier() {
                    self.quantified(&mut left, operator)?;
                    (open, height) = (0, self.height + 1);
                } else {
                    let right = self.above(level);
                    height = self.link(&mut left, operator, right, (height, open == level))?;
                    open = level;
                }
            } else {
                self.enter(WEIGHT_OPERAND)?;
                self.predicate(&mut left)?;
                self.leave(WEIGHT_OPERAND);
                (open, height) = (0, self.height + 1);
            }
            if height > self.depth_max() {
                return Err(self.too_deep());
            }
        }
    }

    /// Joins the operands of an operator, in the chain that is open or in one of their own; the
    /// height of that.
    #[inline]
    fn link(
        &mut self,
        left: &mut Expression,
        operator: BinaryOperator,
        right: Result<Expression>,
        (height, is_open): (u32, bool),
    ) -> Result<u32> {
        let right = right?;
        if is_open {
            append(left, operator, right);
            // ANDs and ORs stay one node. What is computed step by step is as high as its steps.
            let is_flat = matches!(operator, BinaryOperator::And | BinaryOperator::Or);
            return Ok(if is_flat {
                height.max(self.height + 1)
            } else {
                height.max(self.height) + 1
            });
        }
        *left = chain(taken(left), operator, right);
        Ok(height.max(self.height) + 1)
    }

    /// What may follow `IS`.
    #[inline]
    fn is_variants(&mut self, operator: BinaryOperator) -> Result<BinaryOperator> {
        if operator != BinaryOperator::Is {
            return Ok(operator);
        }
        let negated = self.accept(TokenKind::Not);
        if self.at(TokenKind::Distinct) {
            self.advance();
            self.expect(TokenKind::From, "FROM")?;
            return Ok(if negated { BinaryOperator::Is } else { BinaryOperator::IsNot });
        }
        Ok(if negated { BinaryOperator::IsNot } else { BinaryOperator::Is })
    }

    /// Whether `ANY (SELECT`, `SOME (SELECT` or `ALL (SELECT` follows.
    fn at_quantifier(&self) -> bool {
        let word = self.at(TokenKind::All) || self.at_word("ANY") || self.at_word("SOME");
        if !word {
            return false;
        }
        let (first, second) = self.peek_two();
        first.kind == TokenKind::LeftParenthesis
            && matches!(second.kind, TokenKind::Select | TokenKind::Values | TokenKind::With)
    }

    /// `ANY | SOME | ALL (SELECT ...)` behind a comparison.
    #[inline(never)]
    fn quantified(&mut self, left: &mut Expression, operator: BinaryOperator) -> Result<()> {
        let height = self.height;
        if matches!(operator, BinaryOperator::Or | BinaryOperator::And) {
            return Err(self.expected("an expression"));
        }
        let all = self.advance().kind == TokenKind::All;
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let subquery = self.subquery()?;
        self.height = self.height.max(height);
        let span = self.span_from(left.span.start);
        let quantified = Quantified { operand: taken(left), operator, all, subquery: *subquery };
        *left = Expression::new(ExpressionKind::Quantified(Box::new(quantified)), span);
        Ok(())
    }

    /// An operator that is no step of a chain. The height it leaves is that of its tallest
    /// part, `left` included.
    #[inline(never)]
    fn predicate(&mut self, left: &mut Expression) -> Result<()> {
        let start = left.span.start;
        let negated = self.accept(TokenKind::Not);
        match self.token.kind {
            TokenKind::Isnull | TokenKind::Notnull if !negated => self.null_test(left),
            TokenKind::Null if negated => self.null_test(left),
            TokenKind::Collate if !negated => self.collate(left)?,
            TokenKind::Like | TokenKind::Glob | TokenKind::Regexp | TokenKind::Match => {
                self.like(left, negated)?;
            }
            TokenKind::Between => self.between(left, negated)?,
            TokenKind::In => self.in_set(left, negated)?,
            _ => return Err(self.expected("LIKE, GLOB, REGEXP, MATCH, BETWEEN, IN or NULL")),
        }
        left.span = self.span_from(start);
        Ok(())
    }

    #[inline]
    fn null_test(&mut self, left: &mut Expression) {
        let is_not = self.advance().kind != TokenKind::Isnull;
        left.kind = ExpressionKind::IsNull(Box::new(taken(left)), is_not);
    }

    #[inline(never)]
    fn collate(&mut self, left: &mut Expression) -> Result<()> {
        self.advance();
        // A collation is a name or a string, but no word such as LEFT.
        if !self.token.kind.is_plain_name() {
            return Err(self.expected("the name of a collation"));
        }
        let collation = self.name("the name of a collation")?;
        let operand = taken(left);
        left.kind = ExpressionKind::Collate(Box::new(Collate { operand, collation }));
        Ok(())
    }

    #[inline(never)]
    fn like(&mut self, left: &mut Expression, negated: bool) -> Result<()> {
        let operator = match self.advance().kind {
            TokenKind::Glob => LikeOperator::Glob,
            TokenKind::Regexp => LikeOperator::Regexp,
            TokenKind::Match => LikeOperator::Match,
            _ => LikeOperator::Like,
        };
        let mut height = self.height;
        let pattern = self.above(LEVEL_EQUALITY);
        put_like(left, operator, negated, pattern)?;
        height = height.max(self.height);
        if self.accept(TokenKind::Escape) {
            let escape = self.above(LEVEL_EQUALITY);
            if let ExpressionKind::Like(like) = &mut left.kind {
                self.held(&mut like.escape, escape)?;
            }
        }
        self.height = height.max(self.height);
        Ok(())
    }

    /// The lower bound may hold operators as loose as NOT's, because nothing but AND ends it.
    #[inline(never)]
    fn between(&mut self, left: &mut Expression, negated: bool) -> Result<()> {
        let mut height = self.height;
        self.advance();
        let low = self.above(LEVEL_NOT);
        put_between(left, negated, low)?;
        height = height.max(self.height);
        self.expect(TokenKind::And, "AND and the upper bound of BETWEEN")?;
        let high = self.above(LEVEL_EQUALITY);
        put_upper(left, high)?;
        self.height = height.max(self.height);
        Ok(())
    }

    #[inline(never)]
    fn in_set(&mut self, left: &mut Expression, negated: bool) -> Result<()> {
        let height = self.height;
        self.advance();
        self.height = 0;
        if !self.accept(TokenKind::LeftParenthesis) {
            self.in_named(left, negated)?;
        } else if self.at_select() {
            let select = self.subquery()?;
            put_in(left, negated, InSet::Subquery(select));
        } else {
            let list = self.arguments()?;
            put_in(left, negated, InSet::List(list));
        }
        self.height = height.max(self.height);
        Ok(())
    }

    #[inline(never)]
    fn in_named(&mut self, left: &mut Expression, negated: bool) -> Result<()> {
        let name = self.qualified_name("( or a table name")?;
        let set = if self.accept(TokenKind::LeftParenthesis) {
            InSet::Function(name, self.arguments()?)
        } else {
            self.databases.extend(name.schema.clone());
            InSet::Table(name)
        };
        put_in(left, negated, set);
        Ok(())
    }

    /// `expression, ... )`, possibly nothing before the parenthesis.
    pub(super) fn arguments(&mut self) -> Result<Vec<Expression>> {
        if self.accept(TokenKind::RightParenthesis) {
            self.height = 0;
            return Ok(Vec::new());
        }
        let tallest = std::mem::take(&mut self.tallest);
        let list = self.expression_list()?;
        self.expect(TokenKind::RightParenthesis, ", or )")?;
        self.height = std::mem::replace(&mut self.tallest, tallest);
        Ok(list)
    }

    /// `expression [ASC | DESC] [NULLS FIRST | LAST], ...`
    pub(super) fn order_terms(&mut self) -> Result<Vec<OrderTerm>> {
        let mut terms = Vec::with_capacity(1);
        loop {
            let expression = self.expression();
            self.order_term(&mut terms, expression)?;
            if !self.accept(TokenKind::Comma) {
                return Ok(terms);
            }
        }
    }

    #[inline]
    fn order_term(
        &mut self,
        terms: &mut Vec<OrderTerm>,
        expression: Result<Expression>,
    ) -> Result<()> {
        let expression = expression?;
        let order = self.sort_order();
        let mut nulls = None;
        if self.accept(TokenKind::Nulls) {
            nulls = Some(match self.token.kind {
                TokenKind::First => NullsOrder::First,
                TokenKind::Last => NullsOrder::Last,
                _ => return Err(self.expected("FIRST or LAST")),
            });
            self.advance();
        }
        terms.push(OrderTerm { expression, order, nulls });
        Ok(())
    }

    /// `ASC`, `DESC`, or nothing.
    pub(super) fn sort_order(&mut self) -> Option<SortOrder> {
        let order = match self.token.kind {
            TokenKind::Asc => SortOrder::Ascending,
            TokenKind::Desc => SortOrder::Descending,
            _ => return None,
        };
        self.advance();
        Some(order)
    }

    /// `ORDER BY ...`, or nothing.
    pub(super) fn order_by(&mut self) -> Result<Vec<OrderTerm>> {
        if !self.accept(TokenKind::Order) {
            return Ok(Vec::new());
        }
        self.expect(TokenKind::By, "BY")?;
        self.order_terms()
    }
}

#[inline]
fn chain(first: Expression, operator: BinaryOperator, right: Expression) -> Expression {
    let span = first.span.to(right.span);
    let chain = Chain { first, rest: vec![(operator, right)] };
    Expression::new(ExpressionKind::Chain(Box::new(chain)), span)
}

#[inline]
fn append(left: &mut Expression, operator: BinaryOperator, right: Expression) {
    left.span = left.span.to(right.span);
    if let ExpressionKind::Chain(chain) = &mut left.kind {
        chain.rest.push((operator, right));
    }
}
