//! A view. Neighbours: `load` parses it, `bind` puts its select in its place.

use super::{DatabaseIndex, ObjectId};
use crate::ast;

/// A view.
#[derive(Debug)]
pub struct View {
    /// Its number.
    pub id: ObjectId,
    /// The database it is in.
    pub database: DatabaseIndex,
    /// Its name as written.
    pub name: Box<str>,
    /// Names of its columns, those of the select if empty.
    pub columns: Vec<Box<str>>,
    /// What it holds.
    pub select: ast::Select,
    /// Its definition.
    pub sql: Box<str>,
}
