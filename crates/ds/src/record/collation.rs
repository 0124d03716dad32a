//! The orders of text, and with them the one order of all values.
//!
//! NULL comes before numbers, numbers (integers and reals as one exact set) before text, text
//! by a collation before blobs, blobs by memcmp. The built-in collations are SQLite's; one
//! that an application registers is known here by its number only, and whoever holds the
//! registry passes its function. Neighbours: `key` turns this order into that of bytes.

use std::cmp::Ordering;
use std::fmt;

use super::ValueRef;
use super::number::Number;

/// An order of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Collation {
    /// By bytes.
    #[default]
    Binary,
    /// By bytes after folding ASCII capitals to small letters, up to a zero byte.
    NoCase,
    /// By bytes without the blanks at the end.
    RTrim,
    /// Registered by the application, under this number.
    Custom(u32),
}

impl Collation {
    /// The built-in collation called `name` in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Binary, Self::NoCase, Self::RTrim].into_iter().find(|collation| {
            collation.name().is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// The name of a built-in collation.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Binary => Some("BINARY"),
            Self::NoCase => Some("NOCASE"),
            Self::RTrim => Some("RTRIM"),
            Self::Custom(_) => None,
        }
    }

    /// The order of two texts; `None` for a custom collation.
    #[inline]
    pub fn compare(self, left: &[u8], right: &[u8]) -> Option<Ordering> {
        match self {
            Self::Binary => Some(left.cmp(right)),
            Self::NoCase => Some(compare_no_case(left, right)),
            Self::RTrim => Some(trim_end(left).cmp(trim_end(right))),
            Self::Custom(_) => None,
        }
    }
}

impl fmt::Display for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self) {
            (Some(name), _) => f.write_str(name),
            (None, Self::Custom(id)) => write!(f, "custom collation {id}"),
            (None, _) => Ok(()),
        }
    }
}

/// The order of two texts without regard to the case of ASCII letters.
///
/// As in SQLite, what stands behind a zero byte counts by its length alone.
pub fn compare_no_case(left: &[u8], right: &[u8]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
        if left != right {
            return left.cmp(&right);
        }
        if left == 0 {
            break;
        }
    }
    left.len().cmp(&right.len())
}

/// `text` without the blanks at its end.
pub fn trim_end(text: &[u8]) -> &[u8] {
    let blanks = text.iter().rev().take_while(|&&byte| byte == b' ').count();
    &text[..text.len() - blanks]
}

/// The order of two values with texts in the order of `collation`; `None` only for two texts
/// under a custom collation.
#[inline]
pub fn compare_values(
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    collation: Collation,
) -> Option<Ordering> {
    if let (ValueRef::Text(left), ValueRef::Text(right)) = (left, right) {
        return collation.compare(left, right);
    }
    Some(compare_values_by(left, right, <[u8]>::cmp))
}

/// The order of two values with texts in the order of `compare_texts`.
#[inline]
pub fn compare_values_by(
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    compare_texts: impl FnOnce(&[u8], &[u8]) -> Ordering,
) -> Ordering {
    match (left, right) {
        (ValueRef::Integer(left), ValueRef::Integer(right)) => left.cmp(&right),
        (ValueRef::Text(left), ValueRef::Text(right)) => compare_texts(left, right),
        (ValueRef::Blob(left), ValueRef::Blob(right)) => left.cmp(right),
        _ => match (number_of(left), number_of(right)) {
            (Some(left), Some(right)) => left.compare(right),
            _ => class(left).cmp(&class(right)),
        },
    }
}

fn number_of(value: ValueRef<'_>) -> Option<Number> {
    match value {
        ValueRef::Integer(value) => Some(Number::Integer(value)),
        ValueRef::Real(value) => Some(Number::Real(value)),
        _ => None,
    }
}

/// The place of a value's type in the order of all values.
fn class(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(_) | ValueRef::Real(_) => 1,
        ValueRef::Text(_) => 2,
        ValueRef::Blob(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn folding_and_trimming_define_the_orders(
            left in "[aA_zZé \0]{0,4}",
            right in "[aA_zZé \0]{0,4}",
        ) {
            let compare = |collation: Collation| {
                collation.compare(left.as_bytes(), right.as_bytes()).unwrap()
            };
            let folded = |text: &str| {
                let folded = text.to_ascii_lowercase();
                match folded.split_once('\0') {
                    Some((before, _)) => (format!("{before}\0"), text.len()),
                    None => (folded, text.len()),
                }
            };
            prop_assert_eq!(compare(Collation::NoCase), folded(&left).cmp(&folded(&right)));
            prop_assert_eq!(
                compare(Collation::RTrim),
                left.trim_end_matches(' ').cmp(right.trim_end_matches(' '))
            );
            prop_assert_eq!(compare(Collation::Binary), left.cmp(&right));
        }
    }

    #[test]
    fn values_of_all_types_stand_in_one_order() {
        let ascending = [
            ValueRef::Null,
            ValueRef::Real(f64::NEG_INFINITY),
            ValueRef::Integer(i64::MIN),
            ValueRef::Real(-0.5),
            ValueRef::Integer(0),
            ValueRef::Real(9_007_199_254_740_992.0),
            ValueRef::Integer(9_007_199_254_740_993),
            ValueRef::Real(f64::INFINITY),
            ValueRef::Text(b""),
            ValueRef::Text(b"b"),
            ValueRef::Blob(b""),
            ValueRef::Blob(b"a"),
        ];
        for (left_index, &left) in ascending.iter().enumerate() {
            for (right_index, &right) in ascending.iter().enumerate() {
                let order = compare_values(left, right, Collation::Binary).unwrap();
                assert_eq!(order, left_index.cmp(&right_index), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn custom_collations_are_the_callers_business() {
        let custom = Collation::Custom(7);
        assert_eq!(compare_values(ValueRef::Text(b"a"), ValueRef::Text(b"b"), custom), None);
        let order = compare_values(ValueRef::Integer(1), ValueRef::Text(b"b"), custom);
        assert_eq!(order, Some(Ordering::Less));
        assert_eq!(Collation::from_name("nocase"), Some(Collation::NoCase));
        assert_eq!(Collation::from_name("german"), None);
    }
}
