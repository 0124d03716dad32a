//! The types of STRICT tables.
//!
//! Neighbours: `affinity`; `modify` refuses what does not fit.

use pandodb_ds::record::{Value, ValueRef};

use super::{Affinity, Datum, apply_affinity};

/// The declared type of a column of a STRICT table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StrictType {
    /// `INT` or `INTEGER`
    Integer,
    /// `REAL`
    Real,
    /// `TEXT`
    Text,
    /// `BLOB`
    Blob,
    /// `ANY`: whatever comes, unchanged.
    Any,
}

impl StrictType {
    /// The type of that name; nothing else may be declared.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "INT" | "INTEGER" => Self::Integer,
            "REAL" => Self::Real,
            "TEXT" => Self::Text,
            "BLOB" => Self::Blob,
            "ANY" => Self::Any,
            _ => return None,
        })
    }

    /// The affinity that is applied before the check.
    pub fn affinity(self) -> Affinity {
        match self {
            Self::Integer => Affinity::Integer,
            Self::Real => Affinity::Real,
            Self::Text => Affinity::Text,
            Self::Blob | Self::Any => Affinity::Blob,
        }
    }

    /// The value as it is stored, or the name of its type where it does not fit.
    pub fn accept(self, value: Value) -> Result<Value, &'static str> {
        let value = apply_affinity(Datum::from(value), self.affinity()).into_value();
        let fits = match value.as_ref() {
            ValueRef::Null => true,
            ValueRef::Integer(_) => matches!(self, Self::Integer | Self::Any),
            ValueRef::Real(_) => matches!(self, Self::Real | Self::Any),
            ValueRef::Text(_) => matches!(self, Self::Text | Self::Any),
            ValueRef::Blob(_) => matches!(self, Self::Blob | Self::Any),
        };
        if fits { Ok(value) } else { Err(type_name(value.as_ref())) }
    }
}

fn type_name(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "INT",
        ValueRef::Real(_) => "REAL",
        ValueRef::Text(_) => "TEXT",
        ValueRef::Blob(_) => "BLOB",
    }
}
