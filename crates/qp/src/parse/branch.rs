//! PandoDB's own statements: branches, tags, history, merges, previews, backup.
//!
//! Their words are plain identifiers to the lexer. A statement of SQLite never begins with an
//! identifier, and behind CREATE, ALTER and DROP none stands either, so no name is lost.
//! Neighbours: `mod` (which word begins which statement), `ast::branch` (the tree).

use super::operand::MINIMUM_DIGITS;
use super::parser::Parser;
use super::token::TokenKind;
use crate::ast::{
    BranchOption, BranchPrivileges, BranchStatement, Literal, Name, OptionValue, Privilege,
    Resolve, ResolveChoice, ResolveScope, Show, StatementKind,
};
use crate::error::Result;

const BRANCH: &str = "the name of a branch";

impl Parser<'_> {
    /// A statement that begins with a word of PandoDB's, or `None` for any other.
    pub(super) fn own_statement(&mut self) -> Result<Option<StatementKind>> {
        let word = self.slice(self.token).to_ascii_uppercase();
        let statement = match word.as_str() {
            "MERGE" => self.merge()?,
            "USE" => self.use_branch()?,
            "RENAME" => self.rename_branch()?,
            "RESET" => self.reset_branch()?,
            "TAG" => self.tag_branch()?,
            "SHOW" => BranchStatement::Show(self.show()?),
            "GRANT" => BranchStatement::Grant(self.privileges(TokenKind::To, "TO")?),
            "REVOKE" => BranchStatement::Revoke(self.privileges(TokenKind::From, "FROM")?),
            "BACKUP" => self.backup()?,
            "RESTORE" => self.restore()?,
            "UNDO" | "REVERT" => self.undo()?,
            "CHERRY" | "CHERRY_PICK" => self.cherry_pick()?,
            "RESOLVE" => self.resolve()?,
            "CONTINUE" => self.of_merge(BranchStatement::ContinueMerge)?,
            "ABORT" => self.of_merge(BranchStatement::AbortMerge)?,
            "PREVIEW" => self.preview()?,
            "APPLY" => {
                self.advance();
                self.accept_word("PREVIEW");
                BranchStatement::Apply
            }
            "SUMMARIZE" => {
                self.advance();
                let table = Box::new(self.table_name()?);
                return Ok(Some(StatementKind::Summarize(table)));
            }
            _ => return Ok(None),
        };
        Ok(Some(StatementKind::Branch(Box::new(statement))))
    }

    /// Whether `[DATABASE] BRANCH` follows.
    pub(super) fn at_branch(&self) -> bool {
        self.at_word("BRANCH")
            || (self.at(TokenKind::Database) && self.is_word(self.peek(), "BRANCH"))
    }

    /// Steps over `[DATABASE] BRANCH`.
    fn branch_word(&mut self) -> Result<()> {
        self.accept(TokenKind::Database);
        self.expect_word("BRANCH")
    }

    /// Steps over the statement's first word and `[DATABASE] BRANCH`.
    fn verb_and_branch(&mut self) -> Result<()> {
        self.advance();
        self.branch_word()
    }

    /// `CREATE [DATABASE] BRANCH ...` behind CREATE.
    pub(super) fn create_branch(&mut self) -> Result<StatementKind> {
        self.branch_word()?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.name(BRANCH)?;
        let parent = if self.accept(TokenKind::From) { Some(self.name(BRANCH)?) } else { None };
        let mut as_of = None;
        if self.accept(TokenKind::As) {
            self.expect(TokenKind::Of, "OF")?;
            as_of = Some(self.point_in_time()?);
        }
        let options = self.branch_options()?;
        let create = BranchStatement::Create { if_not_exists, name, parent, as_of, options };
        Ok(StatementKind::Branch(Box::new(create)))
    }

    /// `ALTER [DATABASE] BRANCH ...` behind ALTER.
    pub(super) fn alter_branch(&mut self) -> Result<StatementKind> {
        self.branch_word()?;
        let name = self.name(BRANCH)?;
        let statement = if self.accept(TokenKind::Rename) {
            self.expect(TokenKind::To, "TO")?;
            BranchStatement::Rename { from: name, to: self.name("the new name")? }
        } else {
            self.expect(TokenKind::Set, "SET or RENAME")?;
            BranchStatement::Alter { name, options: self.option_list()? }
        };
        Ok(StatementKind::Branch(Box::new(statement)))
    }

    /// `DROP [DATABASE] BRANCH ...` and `DROP TAG ...` behind DROP.
    pub(super) fn drop_branch_or_tag(&mut self) -> Result<StatementKind> {
        let tag = self.accept_word("TAG");
        if !tag {
            self.branch_word()?;
        }
        let if_exists = self.if_exists()?;
        let statement = if tag {
            BranchStatement::DropTag { if_exists, name: self.name("the name of a tag")? }
        } else {
            BranchStatement::Drop { if_exists, name: self.name(BRANCH)? }
        };
        Ok(StatementKind::Branch(Box::new(statement)))
    }

    /// `WITH (key = value, ...)`, or nothing.
    fn branch_options(&mut self) -> Result<Vec<BranchOption>> {
        if self.accept(TokenKind::With) { self.option_list() } else { Ok(Vec::new()) }
    }

    fn option_list(&mut self) -> Result<Vec<BranchOption>> {
        self.expect(TokenKind::LeftParenthesis, "(")?;
        let mut options = Vec::new();
        loop {
            let key = self.name("the name of an option")?;
            self.expect(TokenKind::Equal, "=")?;
            options.push(BranchOption { key, value: self.option_value()? });
            if !self.accept(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::RightParenthesis, ", or )")?;
        Ok(options)
    }

    fn option_value(&mut self) -> Result<OptionValue> {
        use TokenKind as Kind;
        match self.token.kind {
            Kind::On => {
                self.advance();
                Ok(OptionValue::Boolean(true))
            }
            Kind::String | Kind::Blob | Kind::Integer | Kind::Float | Kind::Null => {
                let token = self.advance();
                Ok(OptionValue::Literal(self.literal(token)?))
            }
            Kind::Plus | Kind::Minus => {
                let negative = self.advance().kind == Kind::Minus;
                if !matches!(self.token.kind, Kind::Integer | Kind::Float) {
                    return Err(self.expected("a number"));
                }
                let token = self.advance();
                let value = match self.literal(token)? {
                    _ if negative && self.slice(token) == MINIMUM_DIGITS => {
                        Literal::Integer(i64::MIN)
                    }
                    Literal::Integer(value) if negative => Literal::Integer(value.wrapping_neg()),
                    Literal::Real(value) if negative => Literal::Real(-value),
                    literal => literal,
                };
                Ok(OptionValue::Literal(value))
            }
            Kind::Quoted => {
                let text = self.string("a value")?;
                Ok(OptionValue::Literal(Literal::Text(text)))
            }
            _ => {
                let word = self.name("a value")?;
                let is = |texts: [&str; 3]| texts.iter().any(|text| word.is(text));
                if is(["true", "on", "yes"]) {
                    Ok(OptionValue::Boolean(true))
                } else if is(["false", "off", "no"]) {
                    Ok(OptionValue::Boolean(false))
                } else {
                    Ok(OptionValue::Word(word))
                }
            }
        }
    }

    /// `MERGE [DATABASE] BRANCH source INTO target [WITH (..)]`
    fn merge(&mut self) -> Result<BranchStatement> {
        self.verb_and_branch()?;
        let source = self.name(BRANCH)?;
        self.expect(TokenKind::Into, "INTO")?;
        let target = self.name(BRANCH)?;
        Ok(BranchStatement::Merge { source, target, options: self.branch_options()? })
    }

    /// `USE [DATABASE] BRANCH name`
    fn use_branch(&mut self) -> Result<BranchStatement> {
        self.verb_and_branch()?;
        Ok(BranchStatement::Use(self.name(BRANCH)?))
    }

    /// `RENAME [DATABASE] BRANCH from TO to`
    fn rename_branch(&mut self) -> Result<BranchStatement> {
        self.verb_and_branch()?;
        let from = self.name(BRANCH)?;
        self.expect(TokenKind::To, "TO")?;
        Ok(BranchStatement::Rename { from, to: self.name("the new name")? })
    }

    /// `RESET [DATABASE] BRANCH name TO moment`
    fn reset_branch(&mut self) -> Result<BranchStatement> {
        self.verb_and_branch()?;
        let name = self.name(BRANCH)?;
        self.expect(TokenKind::To, "TO")?;
        Ok(BranchStatement::Reset { name, to: self.point_in_time()? })
    }

    /// `TAG [DATABASE] BRANCH branch AS name [AS OF ..]`
    fn tag_branch(&mut self) -> Result<BranchStatement> {
        self.verb_and_branch()?;
        let branch = self.name(BRANCH)?;
        self.expect(TokenKind::As, "AS and the name of the tag")?;
        let tag = self.name("the name of the tag")?;
        Ok(BranchStatement::Tag { branch, tag, as_of: self.as_of()? })
    }

    fn show(&mut self) -> Result<Show> {
        self.advance();
        if self.accept_word("BRANCHES") {
            return Ok(Show::Branches);
        }
        if self.accept_word("TAGS") {
            return Ok(Show::Tags);
        }
        if self.accept_word("CONFLICTS") {
            return Ok(Show::Conflicts);
        }
        if self.accept_word("COMMITS") {
            let branch = if self.accept(TokenKind::On) { Some(self.name(BRANCH)?) } else { None };
            return Ok(Show::Commits(branch));
        }
        if !self.accept_word("DIFF") {
            return Err(self.expected("BRANCHES, TAGS, CONFLICTS, COMMITS or DIFF"));
        }
        self.expect(TokenKind::Between, "BETWEEN")?;
        let source = self.name(BRANCH)?;
        self.expect(TokenKind::And, "AND")?;
        let target = self.name(BRANCH)?;
        let mut table = None;
        if self.accept(TokenKind::For) {
            self.expect(TokenKind::Table, "TABLE")?;
            table = Some(self.name("a table name")?);
        }
        Ok(Show::Diff { source, target, table })
    }

    /// `GRANT | REVOKE privilege, .. ON [DATABASE] BRANCH branch TO | FROM user`; also with
    /// the privileges left out, which means all of them: `GRANT BRANCH branch TO user`.
    fn privileges(&mut self, preposition: TokenKind, word: &str) -> Result<BranchPrivileges> {
        self.advance();
        let mut privileges = Vec::new();
        if self.at_branch() || self.at(TokenKind::All) {
            use Privilege::{Admin, Merge, Read, Write};
            privileges.extend([Read, Write, Merge, Admin]);
            if self.accept(TokenKind::All) {
                self.accept_word("PRIVILEGES");
                self.expect(TokenKind::On, "ON")?;
            }
        } else {
            loop {
                privileges.push(self.privilege()?);
                if !self.accept(TokenKind::Comma) {
                    break;
                }
            }
            self.expect(TokenKind::On, ", or ON")?;
        }
        self.branch_word()?;
        let branch = self.name(BRANCH)?;
        self.expect(preposition, word)?;
        Ok(BranchPrivileges { privileges, branch, user: self.name("the name of a user")? })
    }

    fn privilege(&mut self) -> Result<Privilege> {
        for (word, privilege) in [
            ("READ", Privilege::Read),
            ("WRITE", Privilege::Write),
            ("MERGE", Privilege::Merge),
            ("ADMIN", Privilege::Admin),
        ] {
            if self.accept_word(word) {
                return Ok(privilege);
            }
        }
        Err(self.expected("READ, WRITE, MERGE or ADMIN"))
    }

    /// `BACKUP DATABASE TO 'file'` and `BACKUP INCREMENTAL TO 'file'`
    fn backup(&mut self) -> Result<BranchStatement> {
        self.advance();
        let mut incremental = self.accept_word("INCREMENTAL");
        let database = self.accept(TokenKind::Database);
        if database && !incremental {
            incremental = self.accept_word("INCREMENTAL");
        }
        self.expect(TokenKind::To, if database { "TO" } else { "DATABASE, INCREMENTAL or TO" })?;
        Ok(BranchStatement::Backup { incremental, file: self.string("a file name in quotes")? })
    }

    /// `RESTORE [DATABASE] FROM 'file' TO 'new file'`, and
    /// `RESTORE TABLE table FROM branch | AS OF ..`
    fn restore(&mut self) -> Result<BranchStatement> {
        self.advance();
        if self.accept(TokenKind::Table) {
            let table = self.name("the name of a table")?;
            let branch = if self.accept(TokenKind::From) { Some(self.name(BRANCH)?) } else { None };
            let as_of = self.as_of()?;
            if branch.is_none() && as_of.is_none() {
                return Err(self.expected("FROM and a branch, or AS OF"));
            }
            return Ok(BranchStatement::RestoreTable { table, branch, as_of });
        }
        self.accept(TokenKind::Database);
        self.expect(TokenKind::From, "FROM")?;
        let file = self.string("a file name in quotes")?;
        let to = if self.accept(TokenKind::To) {
            Some(self.string("the name of a new file in quotes")?)
        } else {
            None
        };
        Ok(BranchStatement::Restore { file, to })
    }

    /// `UNDO TRANSACTION n [WITH (..)]`, also `REVERT [TRANSACTION] n`.
    fn undo(&mut self) -> Result<BranchStatement> {
        self.advance();
        self.accept(TokenKind::Transaction);
        let transaction = self.number("the number of a transaction")?;
        Ok(BranchStatement::UndoTransaction { transaction, options: self.branch_options()? })
    }

    /// `CHERRY PICK [TRANSACTION] n [INTO branch] [WITH (..)]`, also written `CHERRY-PICK`.
    fn cherry_pick(&mut self) -> Result<BranchStatement> {
        if self.advance().end - self.previous.start == "CHERRY".len() as u32 {
            self.accept(TokenKind::Minus);
            self.expect_word("PICK")?;
        }
        self.accept(TokenKind::Transaction);
        let transaction = self.number("the number of a transaction")?;
        let target = if self.accept(TokenKind::Into) { Some(self.name(BRANCH)?) } else { None };
        let options = self.branch_options()?;
        Ok(BranchStatement::CherryPick { transaction, target, options })
    }

    /// `CONTINUE MERGE` and `ABORT MERGE`
    fn of_merge(&mut self, statement: BranchStatement) -> Result<BranchStatement> {
        self.advance();
        self.expect_word("MERGE")?;
        Ok(statement)
    }

    /// `RESOLVE {CONFLICT n | CONFLICTS [IN TABLE t [COLUMN c]]} WITH choice`
    fn resolve(&mut self) -> Result<BranchStatement> {
        self.advance();
        let scope = if self.accept(TokenKind::Conflict) {
            ResolveScope::One(self.number("the number of a conflict")?)
        } else if !self.accept_word("CONFLICTS") {
            return Err(self.expected("CONFLICT or CONFLICTS"));
        } else if self.accept(TokenKind::In) {
            self.expect(TokenKind::Table, "TABLE")?;
            let table = self.name("a table name")?;
            let column = if self.accept(TokenKind::Column) {
                Some(self.name("a column name")?)
            } else {
                None
            };
            ResolveScope::Table(table, column)
        } else {
            ResolveScope::All
        };
        self.expect(TokenKind::With, "WITH")?;
        Ok(BranchStatement::Resolve(Resolve { scope, choice: self.resolve_choice()? }))
    }

    fn resolve_choice(&mut self) -> Result<ResolveChoice> {
        if self.accept(TokenKind::Delete) {
            return Ok(ResolveChoice::Delete);
        }
        if self.accept_word("VALUE") {
            return Ok(ResolveChoice::Value(Box::new(self.expression()?)));
        }
        if self.accept_word("BASE") {
            return Ok(ResolveChoice::Base);
        }
        if self.accept_word("DEFINITION") {
            return Ok(ResolveChoice::Definition(self.given_definition()?));
        }
        for word in ["SOURCE", "THEIRS", "SOURCE_WINS", "BRANCH_WINS", "PREFER_BRANCH"] {
            if self.accept_word(word) {
                return Ok(ResolveChoice::Source);
            }
        }
        for word in ["TARGET", "OURS", "TARGET_WINS", "PREFER_MAIN"] {
            if self.accept_word(word) {
                return Ok(ResolveChoice::Target);
            }
        }
        if !self.accept(TokenKind::LeftParenthesis) {
            return Err(self.expected(
                "SOURCE, TARGET, BASE, DELETE, VALUE and an expression, DEFINITION and a text, or \
                 (column = value, ...)",
            ));
        }
        let mut cells = Vec::new();
        loop {
            let column: Name = self.name("a column name")?;
            self.expect(TokenKind::Equal, "=")?;
            cells.push((column, self.expression()?));
            if !self.accept(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::RightParenthesis, ", or )")?;
        Ok(ResolveChoice::Row(cells))
    }

    /// `PREVIEW statement`, or `PREVIEW BEGIN statement; ... END`
    fn preview(&mut self) -> Result<BranchStatement> {
        self.advance();
        if self.at_word("PREVIEW") {
            return Err(self.expected("a statement to preview"));
        }
        if !self.accept(TokenKind::Begin) {
            return Ok(BranchStatement::Preview(vec![self.statement()?]));
        }
        let mut statements = Vec::new();
        loop {
            while self.accept(TokenKind::Semicolon) {}
            if self.accept(TokenKind::EndKeyword) {
                return Ok(BranchStatement::Preview(statements));
            }
            if self.at_word("PREVIEW") {
                return Err(self.expected("a statement or END"));
            }
            statements.push(self.statement()?);
            self.expect(TokenKind::Semicolon, ";")?;
        }
    }
}
