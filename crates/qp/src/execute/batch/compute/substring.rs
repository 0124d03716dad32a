//! `substr` of texts, without a value for each row.
//!
//! Where both places are constants and lie in the first, ASCII part of a text, the result is a
//! piece of the vector's own bytes; every other value goes through the function. Neighbours:
//! `expression` calls functions in general.

use pandodb_ds::record::{Value, ValueRef};

use crate::execute::batch::expression::Column;
use crate::function::{Function, Implementation};

/// The characters that a call takes of every text: how many are left out, how many are taken.
pub(in crate::execute::batch) fn constant_piece(
    function: &Function,
    arguments: &[Column],
) -> Option<(usize, usize)> {
    let is_builtin = matches!(&*function.name, "substr" | "substring")
        && matches!(function.implementation, Implementation::Scalar(_));
    let [Column::Vector(_), Column::Constant(start), Column::Constant(count)] = arguments else {
        return None;
    };
    let (Value::Integer(start), Value::Integer(count)) = (start, count) else { return None };
    let left_out = usize::try_from(start.checked_sub(1)?).ok()?;
    let taken = usize::try_from(*count).ok()?;
    (is_builtin && left_out.checked_add(taken).is_some()).then_some((left_out, taken))
}

/// The piece of a text, if all characters up to its end are single bytes.
#[inline]
pub(in crate::execute::batch) fn piece(
    value: ValueRef<'_>,
    (left_out, taken): (usize, usize),
) -> Option<&[u8]> {
    let ValueRef::Text(text) = value else { return None };
    let head = &text[..text.len().min(left_out + taken)];
    let is_plain = head.iter().all(|byte| byte.is_ascii() && *byte != 0);
    is_plain.then(|| head.get(left_out..).unwrap_or(&[]))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]

    use proptest::prelude::*;

    use super::*;
    use crate::session::Session;
    use crate::store::Database;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_piece_is_what_the_function_gives(
            text in "[ab\u{e4}]{0,6}",
            left_out in 0..8_usize,
            taken in 0..8_usize,
        ) {
            let session = Session::new(Database::in_memory().unwrap());
            let sql = format!("SELECT substr('{text}', {}, {taken})", left_out + 1);
            let found = session.query(&sql).unwrap();
            if let Some(piece) = piece(ValueRef::Text(text.as_bytes()), (left_out, taken)) {
                prop_assert_eq!(&found.rows[0][0].as_ref(), &ValueRef::Text(piece));
            }
        }
    }
}

// Neighbours: `expression`.
