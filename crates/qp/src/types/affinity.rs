//! Affinities: what a column would rather hold, and what that does to values.
//!
//! Neighbours: `cast` forces where affinity only prefers; `strict` refuses.

use pandodb_ds::record::number::{self, Number, affinity_number, real_integer_affinity};
use pandodb_ds::record::{Value, ValueRef};

use super::Datum;

/// What a column or expression would rather hold. Ordered as SQLite orders them: everything
/// from [`Numeric`](Self::Numeric) on prefers numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affinity {
    /// An expression without one.
    #[default]
    None,
    /// Anything, as it comes.
    Blob,
    /// Numbers become text.
    Text,
    /// Text that is a number becomes one; reals without a fraction become integers.
    Numeric,
    /// As numeric (a difference shows only in `CAST`).
    Integer,
    /// As numeric, and integers become reals.
    Real,
}

impl Affinity {
    /// The affinity of a declared type, found by the words in it.
    pub fn of_type(declared: &str) -> Self {
        let upper = declared.to_ascii_uppercase();
        let has = |word: &str| upper.contains(word);
        if has("INT") {
            Self::Integer
        } else if has("CHAR") || has("CLOB") || has("TEXT") {
            Self::Text
        } else if upper.is_empty() || has("BLOB") {
            Self::Blob
        } else if has("REAL") || has("FLOA") || has("DOUB") {
            Self::Real
        } else {
            Self::Numeric
        }
    }

    /// Whether numbers are preferred.
    pub fn is_numeric(self) -> bool {
        self >= Self::Numeric
    }

    /// The type's name in a `CREATE TABLE AS` column and in plans.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::None | Self::Blob => "",
            Self::Text => "TEXT",
            Self::Numeric => "NUM",
            Self::Integer => "INT",
            Self::Real => "REAL",
        }
    }
}

/// The affinity applied to both sides of a comparison of expressions with these affinities.
pub fn comparison_affinity(left: Affinity, right: Affinity) -> Affinity {
    if left > Affinity::None && right > Affinity::None {
        if left.is_numeric() || right.is_numeric() { Affinity::Numeric } else { Affinity::Blob }
    } else {
        left.max(right).max(Affinity::None)
    }
}

/// `value` as a column of `affinity` stores it.
#[inline]
pub fn apply_affinity(value: Datum<'_>, affinity: Affinity) -> Datum<'_> {
    match (affinity, value.as_ref()) {
        (Affinity::None | Affinity::Blob, _) => value,
        (Affinity::Text, ValueRef::Integer(integer)) => {
            Datum::Owned(Value::text(number::integer_text(integer)))
        }
        (Affinity::Text, ValueRef::Real(real)) => {
            Datum::Owned(Value::text(number::real_text(real)))
        }
        (Affinity::Text, _) => value,
        (Affinity::Real, ValueRef::Integer(integer)) => Datum::Ref(ValueRef::Real(integer as f64)),
        (Affinity::Real, ValueRef::Text(text)) => match affinity_number(text) {
            Some(number) => Datum::Ref(ValueRef::Real(number.to_real())),
            None => value,
        },
        (Affinity::Numeric | Affinity::Integer, ValueRef::Real(real)) => {
            match real_integer_affinity(real) {
                Some(integer) => Datum::integer(integer),
                None => value,
            }
        }
        (Affinity::Numeric | Affinity::Integer, ValueRef::Text(text)) => {
            match affinity_number(text) {
                Some(Number::Integer(integer)) => Datum::integer(integer),
                Some(Number::Real(real)) => Datum::Ref(ValueRef::Real(real)),
                None => value,
            }
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_mean_what_sqlite_documents() {
        for (declared, affinity) in [
            ("", Affinity::Blob),
            ("INT", Affinity::Integer),
            ("BIGINT UNSIGNED", Affinity::Integer),
            ("FLOATING POINT", Affinity::Integer),
            ("VARCHAR(20)", Affinity::Text),
            ("CLOB", Affinity::Text),
            ("BLOB", Affinity::Blob),
            ("DOUBLE PRECISION", Affinity::Real),
            ("DECIMAL(10,5)", Affinity::Numeric),
            ("BOOLEAN", Affinity::Numeric),
            ("JSON", Affinity::Numeric),
            ("STRING", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of_type(declared), affinity, "{declared}");
        }
    }

    #[test]
    fn affinity_converts_only_what_it_prefers() {
        let apply =
            |value: Value, affinity| apply_affinity(Datum::from(value), affinity).into_value();
        assert_eq!(apply(Value::text("3.0"), Affinity::Integer), Value::Integer(3));
        assert_eq!(apply(Value::text("3.5"), Affinity::Integer), Value::Real(3.5));
        assert_eq!(apply(Value::text("abc"), Affinity::Numeric), Value::text("abc"));
        assert_eq!(apply(Value::Integer(3), Affinity::Real), Value::Real(3.0));
        assert_eq!(apply(Value::Real(3.0), Affinity::Text), Value::text("3.0"));
        assert_eq!(apply(Value::Real(4.0), Affinity::Numeric), Value::Integer(4));
        assert_eq!(apply(Value::text("1"), Affinity::Blob), Value::text("1"));
    }
}
