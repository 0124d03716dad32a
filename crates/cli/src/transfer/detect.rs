//! The types of columns, found from the values of the first rows.
//!
//! A type is chosen only where no value would change: numbers with leading zeros, a plus sign or
//! more digits than a number keeps are identifiers and stay text. Neighbours: `import`.

use super::json::Json;
use super::records::{Field, Record};

/// What the values of a column have been so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Guess {
    #[default]
    Nothing,
    Boolean,
    Integer,
    Real,
    Nested,
    Text,
}

/// The declared type for each of `count` columns.
pub(super) fn column_types(records: &[Record], count: usize) -> Vec<&'static str> {
    let mut guesses = vec![Guess::Nothing; count];
    for record in records {
        for (guess, field) in guesses.iter_mut().zip(&record.fields) {
            *guess = join(*guess, of_field(field));
        }
    }
    guesses.into_iter().map(Guess::type_name).collect()
}

impl Guess {
    const fn type_name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Nested => "JSON",
            Self::Nothing | Self::Text => "TEXT",
        }
    }
}

fn join(left: Guess, right: Guess) -> Guess {
    match (left, right) {
        (Guess::Nothing, other) | (other, Guess::Nothing) => other,
        (left, right) if left == right => left,
        (Guess::Integer, Guess::Real) | (Guess::Real, Guess::Integer) => Guess::Real,
        _ => Guess::Text,
    }
}

fn of_field(field: &Field) -> Guess {
    match field {
        Field::Missing | Field::Typed(Json::Null) => Guess::Nothing,
        Field::Text(text) => of_text(text),
        Field::Typed(Json::Boolean(_)) => Guess::Boolean,
        Field::Typed(Json::Integer(_)) => Guess::Integer,
        Field::Typed(Json::Real(_)) => Guess::Real,
        Field::Typed(Json::Text(_)) => Guess::Text,
        Field::Typed(Json::Nested(_)) => Guess::Nested,
    }
}

/// A text is a number if writing the number gives the text again, but for an exponent's form.
fn of_text(text: &str) -> Guess {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Guess::Text;
    }
    let has_leading_zero =
        digits.len() > 1 && digits.starts_with('0') && !digits[1..].starts_with('.');
    if has_leading_zero {
        return Guess::Text;
    }
    if text.parse::<i64>().is_ok() {
        return Guess::Integer;
    }
    let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let is_real = is_number && count <= 17 && text.parse::<f64>().is_ok_and(f64::is_finite);
    if is_real { Guess::Real } else { Guess::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> &'static str {
        let records: Vec<Record> = texts
            .iter()
            .map(|text| {
                let field =
                    if text.is_empty() { Field::Missing } else { Field::Text((*text).to_owned()) };
                Record { line: 1, fields: vec![field] }
            })
            .collect();
        column_types(&records, 1)[0]
    }

    #[test]
    fn numbers_are_found_and_identifiers_stay_text() {
        assert_eq!(of(&["1", "-2", ""]), "INTEGER");
        assert_eq!(of(&["1", "2.5", "1e10"]), "REAL");
        assert_eq!(of(&["0", "0.5", "-0.25"]), "REAL");
        assert_eq!(of(&["007"]), "TEXT");
        assert_eq!(of(&["+49"]), "TEXT");
        assert_eq!(of(&["12345678901234567890"]), "TEXT");
        assert_eq!(of(&["1", "x"]), "TEXT");
        assert_eq!(of(&["nan", "inf"]), "TEXT");
        assert_eq!(of(&["", ""]), "TEXT");
        assert_eq!(of(&["2024-01-01"]), "TEXT");
    }
}
