//! Rows of a file, whatever its notation: names of columns, then fields.
//!
//! Neighbours: `csv` and `json` read, `import` inserts.

use pandodb::Value;

use super::json::Json;
use crate::failure::Outcome;

/// One field of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// Not there, or NULL.
    Missing,
    /// Text whose type is still to be found out.
    Text(String),
    /// A value whose type the file says.
    Typed(Json),
}

impl Field {
    /// What is bound to the parameter; text is converted by the column's affinity.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Missing => Value::Null,
            Self::Text(text) => Value::Text(text.clone()),
            Self::Typed(json) => json.to_value(),
        }
    }
}

/// A row with the line of the file that it begins on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) fields: Vec<Field>,
}

/// A file that is read row by row.
pub(super) trait Records {
    /// The names of the columns that are known so far; more may come with later rows.
    fn names(&self) -> &[String];

    /// Whether each row is to have all of the columns, and the names of these are known at once.
    fn is_table(&self) -> bool;

    /// The first row was no names but data: it comes first, and the columns are numbered.
    fn names_are_data(&mut self);

    /// The next row, with a field for each name; fewer or more where the file has them so.
    fn next(&mut self) -> Outcome<Option<Record>>;
}
