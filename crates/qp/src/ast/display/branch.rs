//! PandoDB's own statements as text.
//!
//! Neighbours: `statement`; `ast::branch` (the tree).

use std::fmt;

use super::{Print, Printer};
use crate::ast::{
    BranchOption, BranchPrivileges, BranchStatement, Expression, Name, OptionValue, Privilege,
    Resolve, ResolveChoice, ResolveScope, Show, Statement,
};

impl Printer<'_, '_> {
    /// `(key = value, ...)` behind `before`; nothing for no options.
    fn options(&mut self, before: &str, options: &[BranchOption]) -> fmt::Result {
        if options.is_empty() {
            return Ok(());
        }
        self.text(before)?;
        self.text("(")?;
        self.list(options)?;
        self.text(")")
    }

    fn preview(&mut self, statements: &[Statement]) -> fmt::Result {
        if let [statement] = statements {
            return self.optional("PREVIEW ", Some(statement));
        }
        self.text("PREVIEW BEGIN ")?;
        for statement in statements {
            self.node(statement)?;
            self.text("; ")?;
        }
        self.text("END")
    }

    fn file(&mut self, before: &str, file: &str) -> fmt::Result {
        self.text(before)?;
        self.quoted(file, '\'', '\'')
    }

    fn privileges(&mut self, verb: &str, who: &BranchPrivileges, before: &str) -> fmt::Result {
        for (index, privilege) in who.privileges.iter().enumerate() {
            self.text(if index == 0 { verb } else { ", " })?;
            self.text(match privilege {
                Privilege::Read => "READ",
                Privilege::Write => "WRITE",
                Privilege::Merge => "MERGE",
                Privilege::Admin => "ADMIN",
            })?;
        }
        self.optional(" ON BRANCH ", Some(&who.branch))?;
        self.optional(before, Some(&who.user))
    }

    fn pair(&mut self, left: (&str, &Name), right: (&str, &Name)) -> fmt::Result {
        self.optional(left.0, Some(left.1))?;
        self.optional(right.0, Some(right.1))
    }
}

impl Print for BranchStatement {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Create { if_not_exists, name, parent, as_of, options } => {
                printer.text("CREATE BRANCH ")?;
                printer.text(if *if_not_exists { "IF NOT EXISTS " } else { "" })?;
                printer.node(name)?;
                printer.optional(" FROM ", parent.as_ref())?;
                printer.optional(" AS OF ", as_of.as_ref())?;
                printer.options(" WITH ", options)
            }
            Self::Drop { if_exists, name } => {
                let words = if *if_exists { "DROP BRANCH IF EXISTS " } else { "DROP BRANCH " };
                printer.optional(words, Some(name))
            }
            Self::DropTag { if_exists, name } => {
                let words = if *if_exists { "DROP TAG IF EXISTS " } else { "DROP TAG " };
                printer.optional(words, Some(name))
            }
            Self::Alter { name, options } => {
                printer.optional("ALTER BRANCH ", Some(name))?;
                printer.options(" SET ", options)
            }
            Self::Merge { source, target, options } => {
                printer.pair(("MERGE BRANCH ", source), (" INTO ", target))?;
                printer.options(" WITH ", options)
            }
            Self::Use(name) => printer.optional("USE BRANCH ", Some(name)),
            Self::Rename { from, to } => printer.pair(("RENAME BRANCH ", from), (" TO ", to)),
            Self::Reset { name, to } => {
                printer.optional("RESET BRANCH ", Some(name))?;
                printer.optional(" TO ", Some(to))
            }
            Self::Tag { branch, tag, as_of } => {
                printer.pair(("TAG BRANCH ", branch), (" AS ", tag))?;
                printer.optional(" AS OF ", as_of.as_ref())
            }
            Self::Show(show) => printer.node(show),
            Self::Grant(who) => printer.privileges("GRANT ", who, " TO "),
            Self::Revoke(who) => printer.privileges("REVOKE ", who, " FROM "),
            Self::Backup { incremental: true, file } => {
                printer.file("BACKUP INCREMENTAL TO ", file)
            }
            Self::Backup { incremental: false, file } => printer.file("BACKUP DATABASE TO ", file),
            Self::Restore { file, to } => {
                printer.file("RESTORE DATABASE FROM ", file)?;
                to.as_ref().map_or(Ok(()), |to| printer.file(" TO ", to))
            }
            Self::RestoreTable { table, branch, as_of } => {
                printer.optional("RESTORE TABLE ", Some(table))?;
                printer.optional(" FROM ", branch.as_ref())?;
                printer.optional(" AS OF ", as_of.as_ref())
            }
            Self::UndoTransaction { transaction, options } => {
                write!(printer.out, "UNDO TRANSACTION {transaction}")?;
                printer.options(" WITH ", options)
            }
            Self::CherryPick { transaction, target, options } => {
                write!(printer.out, "CHERRY PICK TRANSACTION {transaction}")?;
                printer.optional(" INTO ", target.as_ref())?;
                printer.options(" WITH ", options)
            }
            Self::Resolve(resolve) => printer.node(resolve),
            Self::ContinueMerge => printer.text("CONTINUE MERGE"),
            Self::AbortMerge => printer.text("ABORT MERGE"),
            Self::Preview(statements) => printer.preview(statements),
            Self::Apply => printer.text("APPLY"),
        }
    }
}

impl Print for BranchOption {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.key)?;
        printer.text(" = ")?;
        match &self.value {
            OptionValue::Boolean(value) => printer.text(if *value { "true" } else { "false" }),
            OptionValue::Word(word) => printer.node(word),
            OptionValue::Literal(literal) => printer.node(literal),
        }
    }
}

impl Print for Show {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Branches => printer.text("SHOW BRANCHES"),
            Self::Tags => printer.text("SHOW TAGS"),
            Self::Conflicts => printer.text("SHOW CONFLICTS"),
            Self::Commits(branch) => {
                printer.text("SHOW COMMITS")?;
                printer.optional(" ON ", branch.as_ref())
            }
            Self::Diff { source, target, table } => {
                printer.pair(("SHOW DIFF BETWEEN ", source), (" AND ", target))?;
                printer.optional(" FOR TABLE ", table.as_ref())
            }
        }
    }
}

impl Print for Resolve {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match &self.scope {
            ResolveScope::One(number) => write!(printer.out, "RESOLVE CONFLICT {number}")?,
            ResolveScope::All => printer.text("RESOLVE CONFLICTS")?,
            ResolveScope::Table(table, column) => {
                printer.optional("RESOLVE CONFLICTS IN TABLE ", Some(table))?;
                printer.optional(" COLUMN ", column.as_ref())?;
            }
        }
        match &self.choice {
            ResolveChoice::Source => printer.text(" WITH SOURCE"),
            ResolveChoice::Target => printer.text(" WITH TARGET"),
            ResolveChoice::Base => printer.text(" WITH BASE"),
            ResolveChoice::Delete => printer.text(" WITH DELETE"),
            ResolveChoice::Value(value) => printer.optional(" WITH VALUE ", Some(value.as_ref())),
            ResolveChoice::Row(cells) => {
                printer.clause(" WITH (", cells)?;
                printer.text(")")
            }
            ResolveChoice::Definition(given) => {
                write!(printer.out, " WITH DEFINITION '{}'", given.text.replace('\'', "''"))
            }
        }
    }
}

impl Print for (Name, Expression) {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.node(&self.0)?;
        printer.optional(" = ", Some(&self.1))
    }
}
