//! The cursor over a statement's tokens that all rules of the grammar share.
//!
//! It looks one token ahead; where the grammar needs more, a rule peeks with a copy of the
//! lexer, which is two words. It also numbers parameters, bounds the nesting, and words the
//! errors: what stands there, what could stand there instead, and which keyword may be
//! misspelt. Neighbours: `lexer` (tokens), `expression`, `select`, ... (rules).

use rustc_hash::FxHashMap;

use super::lexer::Lexer;
use super::token::keyword;
use super::token::{Token, TokenKind};
use crate::ast::{Name, Parameter, ParameterKind, QualifiedName, Quote, TableName};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{self, Limit, Limits};
use crate::span::Span;

/// Reads one statement after the other from a text.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    lexer: Lexer<'a>,
    /// The token that is looked at.
    pub(super) token: Token,
    /// The token before it.
    pub(super) previous: Token,
    /// What the rules that are under way weigh together.
    nesting: u32,
    /// Height of the expression that was read last.
    pub(super) height: u32,
    /// The greatest height among the expressions read since a rule cleared it.
    pub(super) tallest: u32,
    parameter_count: u32,
    depth_max: u32,
    parameter_max: u32,
    parameter_numbers: FxHashMap<&'a str, u32>,
    /// Whether triggers may have the forms that only stored ones have.
    pub(super) is_stored: bool,
    /// Inside of a trigger that may not.
    pub(super) in_new_trigger: bool,
    /// The databases that queries of a view or trigger name.
    pub(super) databases: Vec<Name>,
}

impl<'a> Parser<'a> {
    /// Starts at the first token of `text` behind `position`.
    pub(super) fn new(text: &'a str, position: usize) -> Result<Self> {
        if text.len() > limits::SQL_BYTES_MAX {
            return Err(Error::new(ErrorKind::Limit, "statement too long"));
        }
        let mut lexer = Lexer::new(text, position);
        let token = lexer.next_token();
        let previous = Token { kind: TokenKind::Semicolon, start: token.start, end: token.start };
        Ok(Self {
            text,
            lexer,
            token,
            previous,
            nesting: 0,
            height: 0,
            tallest: 0,
            parameter_count: 0,
            depth_max: limits::EXPRESSION_DEPTH_MAX,
            parameter_max: limits::PARAMETER_NUMBER_MAX,
            parameter_numbers: FxHashMap::default(),
            is_stored: false,
            in_new_trigger: false,
            databases: Vec::new(),
        })
    }

    /// Reads a definition that the catalog has.
    pub(super) fn of_stored(mut self) -> Self {
        self.is_stored = true;
        self
    }

    /// Keeps the limits of a session.
    pub(super) fn limited(mut self, limits: &Limits) -> Self {
        self.depth_max = limits.get(Limit::ExpressionDepth);
        self.parameter_max = limits.get(Limit::VariableNumber);
        self
    }

    /// The greatest height of an expression.
    #[inline]
    pub(super) fn depth_max(&self) -> u32 {
        self.depth_max
    }

    /// Forgets what belongs to one statement alone.
    pub(super) fn begin_statement(&mut self) {
        self.nesting = 0;
        self.tallest = 0;
        self.parameter_count = 0;
        self.parameter_numbers.clear();
        self.databases.clear();
    }

    // Tokens.

    /// Whether the token is of `kind`.
    #[inline]
    pub(super) fn at(&self, kind: TokenKind) -> bool {
        self.token.kind == kind
    }

    /// Whether the token ends a statement.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.token.kind, TokenKind::End | TokenKind::Semicolon)
    }

    /// Steps over the token and returns it.
    #[inline]
    pub(super) fn advance(&mut self) -> Token {
        self.previous = self.token;
        self.token = self.lexer.next_token();
        self.previous
    }

    /// Steps over the token if it is of `kind`.
    #[inline]
    pub(super) fn accept(&mut self, kind: TokenKind) -> bool {
        let found = self.token.kind == kind;
        if found {
            self.advance();
        }
        found
    }

    /// Steps over a token of `kind`, or says that `what` is expected.
    #[inline]
    pub(super) fn expect(&mut self, kind: TokenKind, what: &str) -> Result<Token> {
        if self.token.kind == kind { Ok(self.advance()) } else { Err(self.expected(what)) }
    }

    /// The token behind the one that is looked at.
    pub(super) fn peek(&self) -> Token {
        self.lexer.clone().next_token()
    }

    /// The first byte behind the token that is no blank.
    pub(super) fn next_byte(&self) -> u8 {
        self.lexer.next_mark()
    }

    /// The two tokens behind the one that is looked at.
    pub(super) fn peek_two(&self) -> (Token, Token) {
        let mut lexer = self.lexer.clone();
        let first = lexer.next_token();
        (first, lexer.next_token())
    }

    /// The text of a token.
    pub(super) fn slice(&self, token: Token) -> &'a str {
        self.text.get(token.start as usize..token.end as usize).unwrap_or("")
    }

    /// Whether `token` is a word without quotes that reads `word`.
    pub(super) fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == TokenKind::Identifier && self.slice(token).eq_ignore_ascii_case(word)
    }

    /// Whether the token is the word `word`, which is no keyword of SQLite.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.is_word(self.token, word)
    }

    /// Steps over the word `word`.
    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Steps over the word `word`, or says that it is expected.
    pub(super) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.accept_word(word) { Ok(()) } else { Err(self.expected(word)) }
    }

    /// From `start` up to the end of the token before.
    pub(super) fn span_from(&self, start: u32) -> Span {
        Span::new(start, self.previous.end)
    }

    // Nesting.

    /// Goes one rule deeper; `weight` is a measure of the stack it needs.
    #[inline]
    pub(super) fn enter(&mut self, weight: u32) -> Result<()> {
        self.nesting += weight;
        if self.nesting > limits::NESTING_WEIGHT_MAX { Err(self.too_deep()) } else { Ok(()) }
    }

    /// Comes back from it.
    #[inline]
    pub(super) fn leave(&mut self, weight: u32) {
        self.nesting -= weight;
    }

    /// The error of a statement that is nested too deep.
    #[cold]
    pub(super) fn too_deep(&self) -> Error {
        let maximum = self.depth_max;
        let message = format!("Expression tree is too large (maximum depth {maximum})");
        Error::invalid(message)
            .at(self.token_span())
            .with_hint("split the statement, or move parts of it to common table expressions")
    }

    /// The error of too many parentheses directly inside of one another, in SQLite's words.
    #[cold]
    pub(super) fn too_many_parentheses(&self) -> Error {
        let most = limits::PARENTHESES_MAX;
        Error::invalid("Recursion limit")
            .at(self.token_span())
            .with_hint(format!("at most {most} parentheses may stand inside of one another"))
    }

    // Names.

    /// The name that `token` spells.
    pub(super) fn name_of(&self, token: Token) -> Name {
        let text = self.slice(token);
        let span = Span::new(token.start, token.end);
        let quote = match token.kind {
            TokenKind::String => Quote::Single,
            TokenKind::Quoted => match text.as_bytes().first() {
                Some(b'[') => Quote::Bracket,
                Some(b'`') => Quote::Backtick,
                _ => Quote::Double,
            },
            _ => return Name { text: text.into(), span, quote: Quote::None },
        };
        Name { text: unquote(text), span, quote }
    }

    /// A name in a place where nothing but a name may stand.
    pub(super) fn name(&mut self, what: &str) -> Result<Name> {
        if !self.token.kind.is_name() {
            return Err(self.expected(what));
        }
        let token = self.advance();
        Ok(self.name_of(token))
    }

    /// `[schema.]name`
    pub(super) fn qualified_name(&mut self, what: &str) -> Result<QualifiedName> {
        let name = self.name(what)?;
        if !self.accept(TokenKind::Dot) {
            return Ok(QualifiedName { schema: None, name });
        }
        Ok(QualifiedName { schema: Some(name), name: self.name(what)? })
    }

    /// `[schema.]name[@branch]`
    pub(super) fn table_name(&mut self) -> Result<TableName> {
        let QualifiedName { schema, name } = self.qualified_name("a table name")?;
        Ok(TableName { schema, name, branch: self.branch_suffix()? })
    }

    /// `@branch` directly behind a table's name. To the lexer it is a parameter that may go on
    /// with `(...)` or `::`; here only the word counts, and reading goes on behind it.
    fn branch_suffix(&mut self) -> Result<Option<Name>> {
        let Token { kind, start, end } = self.token;
        let marked =
            start == self.previous.end && self.text.as_bytes().get(start as usize) == Some(&b'@');
        if !marked {
            return Ok(None);
        }
        if end > start + 1 {
            let word = &self.text.as_bytes()[start as usize + 1..end as usize];
            let length =
                word.iter().take_while(|byte| super::lexer::continues_word(**byte)).count();
            let token = Token {
                kind: TokenKind::Identifier,
                start: start + 1,
                end: start + 1 + length as u32,
            };
            if length > 0 {
                self.lexer = Lexer::new(self.text, token.end as usize);
                self.previous = token;
                self.token = self.lexer.next_token();
                return Ok(Some(self.name_of(token)));
            }
        } else if kind == TokenKind::Illegal {
            self.advance();
            return self.name("a branch name").map(Some);
        }
        Err(self.expected("a branch name behind @"))
    }

    /// `(name, name, ...)`
    pub(super) fn name_list(&mut self, what: &str) -> Result<Vec<Name>> {
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let mut names = vec![self.name(what)?];
        while self.accept(TokenKind::Comma) {
            names.push(self.name(what)?);
        }
        self.expect(TokenKind::RightParenthesis, ", or )")?;
        Ok(names)
    }

    /// `(name, name, ...)`, or nothing.
    pub(super) fn optional_name_list(&mut self, what: &str) -> Result<Vec<Name>> {
        if self.at(TokenKind::LeftParenthesis) { self.name_list(what) } else { Ok(Vec::new()) }
    }

    /// `'text'`, also in double quotes.
    pub(super) fn string(&mut self, what: &str) -> Result<Box<str>> {
        if !matches!(self.token.kind, TokenKind::String | TokenKind::Quoted) {
            return Err(self.expected(what));
        }
        let token = self.advance();
        Ok(unquote(self.slice(token)))
    }

    /// `IF NOT EXISTS`, or nothing. As in SQLite the name `if` needs quotes here.
    pub(super) fn if_not_exists(&mut self) -> Result<bool> {
        if !self.accept(TokenKind::If) {
            return Ok(false);
        }
        self.expect(TokenKind::Not, "NOT EXISTS")?;
        self.expect(TokenKind::Exists, "EXISTS")?;
        Ok(true)
    }

    /// `IF EXISTS`, or nothing.
    pub(super) fn if_exists(&mut self) -> Result<bool> {
        if !self.accept(TokenKind::If) {
            return Ok(false);
        }
        self.expect(TokenKind::Exists, "EXISTS")?;
        Ok(true)
    }

    // Parameters.

    /// The parameter that `token` spells, numbered as SQLite does.
    pub(super) fn parameter(&mut self, token: Token) -> Result<Parameter> {
        let text = self.slice(token);
        let span = Span::new(token.start, token.end);
        let (kind, index) = match text.as_bytes() {
            // SQLite's own, for statements that it makes of others.
            [b'#', b'0'..=b'9', ..] => {
                return Err(Error::syntax(format!("near \"{text}\": syntax error"), span));
            }
            [b'?'] => {
                self.parameter_count += 1;
                (ParameterKind::Anonymous, self.parameter_count)
            }
            [b'?', ..] => {
                // Longer numbers than 32 bits hold are out of range too.
                let index = text[1..].parse().unwrap_or(u32::MAX);
                self.parameter_count = self.parameter_count.max(index);
                (ParameterKind::Numbered, index)
            }
            _ => {
                let count = &mut self.parameter_count;
                let index = *self.parameter_numbers.entry(text).or_insert_with(|| {
                    *count += 1;
                    *count
                });
                (ParameterKind::Named(text.into()), index)
            }
        };
        if (1..=self.parameter_max).contains(&index) {
            return Ok(Parameter { kind, index });
        }
        let message = if matches!(kind, ParameterKind::Numbered) {
            format!("variable number must be between ?1 and ?{}", self.parameter_max)
        } else {
            "too many SQL variables".to_owned()
        };
        Err(Error::invalid(message).at(span))
    }

    // Errors.

    /// The place of the token.
    pub(super) fn token_span(&self) -> Span {
        Span::new(self.token.start, self.token.end)
    }

    /// The error that `what` should stand where the token stands.
    #[cold]
    #[inline(never)]
    pub(super) fn expected(&self, what: &str) -> Error {
        let span = self.token_span();
        let text = self.slice(self.token);
        match self.token.kind {
            TokenKind::End => Error::new(ErrorKind::Incomplete, "incomplete input")
                .at(span)
                .with_hint(self.hint(what)),
            TokenKind::Illegal => self.unrecognized(),
            _ => Error::syntax(format!("near \"{text}\": syntax error"), span)
                .with_hint(self.hint(what)),
        }
    }

    /// The error of a token that is none.
    #[cold]
    fn unrecognized(&self) -> Error {
        let text = self.slice(self.token);
        let error = Error::syntax(format!("unrecognized token: \"{text}\""), self.token_span());
        match text.as_bytes().first() {
            Some(b'\'') => error.with_hint("the closing ' is missing"),
            Some(b'"') => error.with_hint("the closing \" is missing"),
            Some(b'`') => error.with_hint("the closing ` is missing"),
            Some(b'[') => error.with_hint("the closing ] is missing"),
            Some(b'0'..=b'9') => error.with_hint("a name that begins with a digit needs quotes"),
            Some(b'x' | b'X') => {
                error.with_hint("a blob is an even number of hexadecimal digits: x'00ff'")
            }
            _ => error,
        }
    }

    /// What could stand here, and which word may be misspelt: the token or, because a misspelt
    /// word is often taken for an alias, the one before it.
    #[cold]
    fn hint(&self, what: &str) -> String {
        let hint = format!("expected {what}");
        if what.contains("name")
            && self.slice(self.token).starts_with(|at: char| at.is_ascii_digit())
        {
            return format!("{hint}; one that begins with a digit needs quotes");
        }
        for token in [self.token, self.previous] {
            let word = self.slice(token);
            if token.kind != TokenKind::Identifier {
                continue;
            }
            if let Some(keyword) = keyword::nearest(word, what) {
                return format!("{hint}; did you mean {keyword} instead of \"{word}\"?");
            }
        }
        if self.token.kind.class() == super::token::Class::Reserved {
            let word = self.slice(self.token);
            return format!("{hint}; as a name the keyword needs quotes: \"{word}\"");
        }
        hint
    }
}

/// The text between the quotes of `text`, doubled quotes halved.
pub(super) fn unquote(text: &str) -> Box<str> {
    let bytes = text.as_bytes();
    let Some(&quote) = bytes.first() else { return "".into() };
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    if quote == b'[' || memchr::memchr(quote, inner.as_bytes()).is_none() {
        return inner.into();
    }
    let quote = quote as char;
    let mut halved = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        halved.push(character);
        if character == quote {
            characters.next();
        }
    }
    halved.into_boxed_str()
}
