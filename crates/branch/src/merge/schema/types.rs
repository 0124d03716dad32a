//! Which declared type holds every value of another: then the wider one is no conflict.
//!
//! Only what loses nothing and keeps how values compare counts: integers of more bytes, texts of
//! more letters, numbers of any kind above integers and reals, no type above all. Neighbours:
//! `tables` asks when both sides changed a type.

use crate::shape::{Affinity, ColumnShape};

/// How a declared type limits its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Integers of so many bytes.
    Integer(u32),
    /// Texts of so many letters.
    Text(u64),
    Real,
    Numeric,
    Any,
    Other,
}

/// The one of two columns whose type holds all values of the other's, if either does.
pub(super) fn wider<'a>(left: &'a ColumnShape, right: &'a ColumnShape) -> Option<&'a ColumnShape> {
    if holds(left, right) {
        Some(left)
    } else if holds(right, left) {
        Some(right)
    } else {
        None
    }
}

fn holds(wide: &ColumnShape, narrow: &ColumnShape) -> bool {
    match (class(wide), class(narrow)) {
        (Class::Other, _) | (_, Class::Other) => false,
        (Class::Any, _) => true,
        (Class::Integer(wide), Class::Integer(narrow)) => wide >= narrow,
        (Class::Text(wide), Class::Text(narrow)) => wide >= narrow,
        (Class::Numeric, Class::Integer(_) | Class::Numeric) => true,
        (Class::Real, Class::Real) => true,
        _ => false,
    }
}

fn class(column: &ColumnShape) -> Class {
    let declared = column.declared_type.to_ascii_uppercase();
    let (word, argument) = match declared.split_once('(') {
        Some((word, rest)) => (word.trim(), rest.trim_end_matches(')').trim().parse().ok()),
        None => (declared.trim(), None),
    };
    match word {
        "" | "ANY" => Class::Any,
        "TINYINT" | "INT1" => Class::Integer(1),
        "SMALLINT" | "INT2" => Class::Integer(2),
        "MEDIUMINT" | "INT3" => Class::Integer(3),
        "INT" | "INT4" => Class::Integer(4),
        "INTEGER" | "BIGINT" | "INT8" => Class::Integer(8),
        "TEXT" | "CLOB" | "STRING" if column.affinity == Affinity::Text => Class::Text(u64::MAX),
        "CHAR" | "CHARACTER" | "VARCHAR" | "NCHAR" | "NVARCHAR" => {
            Class::Text(argument.unwrap_or(u64::MAX))
        }
        "REAL" | "DOUBLE" | "FLOAT" | "DOUBLE PRECISION" => Class::Real,
        "NUMERIC" if argument.is_none() => Class::Numeric,
        _ => Class::Other,
    }
}
