//! A trigger. Neighbours: `load` parses it, `modify` runs it.

use super::{Attachment, DatabaseIndex, ObjectId};
use crate::ast;

/// A trigger.
#[derive(Debug)]
pub struct Trigger {
    /// Its number.
    pub id: ObjectId,
    /// The database it is in.
    pub database: DatabaseIndex,
    /// Its name as written.
    pub name: Box<str>,
    /// The table or view it belongs to.
    pub table: Box<str>,
    /// Where that is, of a trigger in `temp`; the others are on tables of their own database.
    pub subject: Option<Attachment>,
    /// What it says: time, event, condition and statements.
    pub definition: ast::CreateTrigger,
    /// Its definition as text.
    pub sql: Box<str>,
}

impl Trigger {
    /// When it runs.
    pub fn time(&self) -> ast::TriggerTime {
        self.definition.time.unwrap_or(ast::TriggerTime::Before)
    }
}
