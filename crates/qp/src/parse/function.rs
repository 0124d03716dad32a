//! Calls of functions, and windows.
//!
//! OVER, FILTER and WINDOW are keywords only where what follows fits them, as in SQLite's
//! tokenizer; elsewhere they are names. Neighbours: `operand` (asks for calls), `select`
//! (asks for named windows).

use super::parser::Parser;
use super::token::{Token, TokenKind};
use crate::ast::{
    Expression, ExpressionKind, Frame, FrameBound, FrameExclude, FrameUnit, FunctionArguments,
    FunctionCall, Name, Over, Window,
};
use crate::error::Result;
use crate::limits;

impl Parser<'_> {
    /// A call of the function that `name` spells; the parenthesis is the next token.
    #[inline(never)]
    pub(super) fn call(&mut self, name: Token) -> Result<Expression> {
        self.advance();
        let tallest = std::mem::take(&mut self.tallest);
        let mut call = new_call(self.name_of(name));
        if self.at(TokenKind::Star) {
            self.advance();
        } else {
            call.distinct = self.distinct_or_all();
            call.arguments = FunctionArguments::List(Vec::new());
            if !matches!(self.token.kind, TokenKind::RightParenthesis | TokenKind::Order) {
                let arguments = self.expression_list()?;
                call.arguments = FunctionArguments::List(arguments);
            }
            if self.at(TokenKind::Order) {
                self.call_order(&mut call)?;
            }
        }
        self.expect(TokenKind::RightParenthesis, ", or )")?;
        if matches!(self.token.kind, TokenKind::Filter | TokenKind::Over) {
            self.filter_and_over(&mut call)?;
        }
        self.height = std::mem::replace(&mut self.tallest, tallest);
        self.taller()?;
        Ok(Expression::new(ExpressionKind::Function(call), self.span_from(name.start)))
    }

    /// `DISTINCT` is true; `ALL`, the default, and nothing are false.
    pub(super) fn distinct_or_all(&mut self) -> bool {
        let distinct = self.accept(TokenKind::Distinct);
        if !distinct {
            self.accept(TokenKind::All);
        }
        distinct
    }

    #[inline(never)]
    fn call_order(&mut self, call: &mut FunctionCall) -> Result<()> {
        call.order_by = self.order_by()?;
        Ok(())
    }

    #[inline]
    fn filter_and_over(&mut self, call: &mut FunctionCall) -> Result<()> {
        if self.at(TokenKind::Filter) && self.peek().kind == TokenKind::LeftParenthesis {
            self.filter_of(call)?;
        }
        if !self.at(TokenKind::Over) {
            return Ok(());
        }
        let next = self.peek().kind;
        if next == TokenKind::LeftParenthesis {
            self.advance();
            let window = self.window();
            put_window(call, window)
        } else if next.is_name() {
            self.named_window(call)
        } else {
            Ok(())
        }
    }

    #[inline(never)]
    fn filter_of(&mut self, call: &mut FunctionCall) -> Result<()> {
        self.advance();
        self.advance();
        self.expect(TokenKind::Where, "WHERE")?;
        let filter = self.expression();
        self.held(&mut call.filter, filter)?;
        self.expect(TokenKind::RightParenthesis, ")")?;
        Ok(())
    }

    #[inline(never)]
    fn named_window(&mut self, call: &mut FunctionCall) -> Result<()> {
        self.advance();
        call.over = Some(Over::Named(self.name("the name of a window")?));
        Ok(())
    }

    /// Whether the clause `WINDOW name AS ...` follows; otherwise WINDOW is a name.
    pub(super) fn at_window_clause(&self) -> bool {
        if !self.at(TokenKind::Window) {
            return false;
        }
        let (first, second) = self.peek_two();
        first.kind.is_name() && second.kind == TokenKind::As
    }

    /// `WINDOW name AS (...), ...`, or nothing.
    pub(super) fn window_clause(&mut self) -> Result<Vec<(Name, Window)>> {
        let mut windows = Vec::new();
        if !self.at_window_clause() {
            return Ok(windows);
        }
        self.advance();
        loop {
            let name = self.name("the name of a window")?;
            self.expect(TokenKind::As, "AS")?;
            windows.push((name, *self.window()?));
            if !self.accept(TokenKind::Comma) {
                return Ok(windows);
            }
        }
    }

    /// `([base] [PARTITION BY ..] [ORDER BY ..] [frame])`
    #[inline(never)]
    fn window(&mut self) -> Result<Box<Window>> {
        use TokenKind as Kind;
        self.enter(limits::WEIGHT_EXPRESSION)?;
        self.expect(Kind::LeftParenthesis, "(")?;
        let mut window = new_window();
        let keyword = matches!(
            self.token.kind,
            Kind::Partition | Kind::Order | Kind::Rows | Kind::Range | Kind::Groups
        );
        if !keyword && !self.at(Kind::RightParenthesis) {
            window.base = Some(self.name("PARTITION, ORDER, a frame, the name of a window or )")?);
        }
        if self.accept(Kind::Partition) {
            self.expect(Kind::By, "BY")?;
            let partition_by = self.expression_list()?;
            window.partition_by = partition_by;
        }
        if self.at(Kind::Order) {
            self.window_order(&mut window)?;
        }
        let unit = match self.token.kind {
            Kind::Rows => Some(FrameUnit::Rows),
            Kind::Range => Some(FrameUnit::Range),
            Kind::Groups => Some(FrameUnit::Groups),
            _ => None,
        };
        if let Some(unit) = unit {
            self.advance();
            self.frame_of(&mut window, unit)?;
        }
        self.expect(Kind::RightParenthesis, ", or )")?;
        self.leave(limits::WEIGHT_EXPRESSION);
        Ok(window)
    }

    #[inline(never)]
    fn window_order(&mut self, window: &mut Window) -> Result<()> {
        window.order_by = self.order_by()?;
        Ok(())
    }

    #[inline(never)]
    fn frame_of(&mut self, window: &mut Window, unit: FrameUnit) -> Result<()> {
        window.frame = Some(self.frame(unit)?);
        Ok(())
    }

    fn frame(&mut self, unit: FrameUnit) -> Result<Frame> {
        let (start, end) = if self.accept(TokenKind::Between) {
            let start = self.frame_bound(true)?;
            self.expect(TokenKind::And, "AND")?;
            (start, Some(self.frame_bound(false)?))
        } else {
            (self.frame_bound(true)?, None)
        };
        let mut exclude = FrameExclude::NoOthers;
        if self.accept(TokenKind::Exclude) {
            let (found, second) = match self.token.kind {
                TokenKind::No => (FrameExclude::NoOthers, Some((TokenKind::Others, "OTHERS"))),
                TokenKind::Current => (FrameExclude::CurrentRow, Some((TokenKind::Row, "ROW"))),
                TokenKind::Group => (FrameExclude::Group, None),
                TokenKind::Ties => (FrameExclude::Ties, None),
                _ => return Err(self.expected("NO OTHERS, CURRENT ROW, GROUP or TIES")),
            };
            self.advance();
            if let Some((kind, word)) = second {
                self.expect(kind, word)?;
            }
            exclude = found;
        }
        Ok(Frame { unit, start, end, exclude })
    }

    /// An end of a frame: nothing begins at UNBOUNDED FOLLOWING or ends at UNBOUNDED PRECEDING.
    fn frame_bound(&mut self, start: bool) -> Result<FrameBound> {
        if self.accept(TokenKind::Unbounded) {
            return if start {
                self.expect(TokenKind::Preceding, "PRECEDING")?;
                Ok(FrameBound::UnboundedPreceding)
            } else {
                self.expect(TokenKind::Following, "FOLLOWING")?;
                Ok(FrameBound::UnboundedFollowing)
            };
        }
        if self.accept(TokenKind::Current) {
            self.expect(TokenKind::Row, "ROW")?;
            return Ok(FrameBound::CurrentRow);
        }
        let offset = self.expression()?;
        if self.accept(TokenKind::Preceding) {
            return Ok(FrameBound::Preceding(offset));
        }
        self.expect(TokenKind::Following, "PRECEDING or FOLLOWING")?;
        Ok(FrameBound::Following(offset))
    }
}

/// In a function of its own, and boxed at once, so that no frame under way holds the node.
#[inline(never)]
fn new_call(name: Name) -> Box<FunctionCall> {
    Box::new(FunctionCall {
        name,
        distinct: false,
        arguments: FunctionArguments::Star,
        order_by: Vec::new(),
        filter: None,
        over: None,
    })
}

#[inline(never)]
fn put_window(call: &mut FunctionCall, window: Result<Box<Window>>) -> Result<()> {
    call.over = Some(Over::Window(*window?));
    Ok(())
}

#[inline(never)]
fn new_window() -> Box<Window> {
    Box::new(Window { base: None, partition_by: Vec::new(), order_by: Vec::new(), frame: None })
}
