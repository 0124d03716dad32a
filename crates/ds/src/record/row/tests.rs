//! Rows against the values they were made of, and against damaged bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::record::{Value, ValueRef};

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (any::<i64>(), 0..64_u32).prop_map(|(value, shift)| Value::Integer(value >> shift)),
        any::<f64>().prop_map(Value::real),
        vec(any::<u8>(), 0..200).prop_map(Value::text),
        vec(any::<u8>(), 0..200).prop_map(Value::blob),
    ]
}

fn encode(columns: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_values(columns, &mut bytes).unwrap();
    bytes
}

/// The values of columns.
struct Gathered(Vec<Vec<Option<Value>>>);

impl ColumnSink for Gathered {
    fn reals(&mut self, column: usize, bits: &[u64]) {
        let values = bits.iter().map(|bits| Some(Value::Real(f64::from_bits(*bits))));
        self.0[column].extend(values);
    }

    fn integers(&mut self, column: usize, bits: &[u64]) {
        self.0[column].extend(bits.iter().map(|bits| Some(Value::Integer(*bits as i64))));
    }

    fn texts(&mut self, column: usize, page: &[u8], places: &[(usize, usize)]) {
        let text = |(start, end): &(usize, usize)| Some(Value::text(&page[*start..*end]));
        self.0[column].extend(places.iter().map(text));
    }

    fn value(&mut self, column: usize, value: Option<ValueRef<'_>>) {
        self.0[column].push(value.map(ValueRef::to_owned));
    }
}

proptest! {
    #[test]
    fn every_column_comes_back_by_every_way(
        columns in vec(values(), 0..12),
        wanted in vec(0..14_usize, 0..6),
    ) {
        let bytes = encode(&columns);
        let row = RowView::new(&bytes).unwrap();
        row.validate().unwrap();
        prop_assert_eq!(row.len(), columns.len());
        for index in 0..columns.len() + 2 {
            let expected = columns.get(index).map(Value::as_ref);
            prop_assert_eq!(row.column(index).unwrap(), expected);
            let span = row.span(index).unwrap();
            if let Some(ValueRef::Text(content) | ValueRef::Blob(content)) = expected {
                prop_assert_eq!(&bytes[span.unwrap().range], content);
            }
        }
        let all: Vec<Value> = row.columns().map(|column| column.unwrap().to_owned()).collect();
        prop_assert_eq!(&all, &columns);
        row.project(&wanted, |position, column| {
            assert_eq!(column, columns.get(wanted[position]).map(Value::as_ref));
        }).unwrap();
        let borrowed: Vec<ValueRef<'_>> = columns.iter().map(Value::as_ref).collect();
        let mut builder = RowBuilder::new();
        for _ in 0..2 {
            let mut again = Vec::new();
            // An abandoned row leaves nothing to the next one.
            for &column in borrowed.iter().rev() {
                builder.push(column).unwrap();
            }
            builder.clear();
            for &column in &borrowed {
                builder.push(column).unwrap();
            }
            builder.finish(&mut again);
            prop_assert_eq!(&again, &bytes);
        }
    }

    #[test]
    fn a_projector_reads_what_a_view_reads(
        likes in vec((vec(values(), 0..12), 1..40_usize), 1..6),
        wanted in prop::collection::btree_set(0..14_usize, 0..4),
        behind in 0..9_usize,
    ) {
        // Rows of one form after the other, as they stand in a page.
        let (mut page, mut rows, mut expected) = (vec![7; 3], Vec::new(), Vec::new());
        for (columns, times) in &likes {
            for _ in 0..*times {
                let start = page.len() as u32;
                page.extend_from_slice(&encode(columns));
                rows.push(RowBytes { start, end: page.len() as u32 });
                expected.push(columns);
            }
        }
        page.resize(page.len() + behind, 0xff);
        let wanted: Vec<usize> = wanted.into_iter().collect();
        let mut read = Gathered(wanted.iter().map(|_| Vec::new()).collect());
        Projector::new(&wanted).read(&page, &rows, &mut read).unwrap();
        for (column, index) in read.0.iter().zip(&wanted) {
            let expected: Vec<_> =
                expected.iter().map(|columns| columns.get(*index).cloned()).collect();
            prop_assert_eq!(column, &expected);
        }
    }

    #[test]
    fn a_projector_reads_any_bytes_as_a_view_does(
        page in vec(prop_oneof![any::<u8>(), 0..20_u8], 0..200),
        places in vec((0..210_u32, 0..40_u32), 1..40),
        wanted in prop::collection::btree_set(0..9_usize, 0..4),
    ) {
        let wanted: Vec<usize> = wanted.into_iter().collect();
        for (start, length) in places {
            let row = RowBytes { start, end: start + length };
            // Alone, and with as many like it as are looked at together.
            let mut read = Gathered(wanted.iter().map(|_| Vec::new()).collect());
            let many = Projector::new(&wanted).read(&page, &[row; 9], &mut read);
            if many.is_ok() {
                for column in &mut read.0 {
                    prop_assert_eq!(column.len(), 9);
                    prop_assert!(column.iter().all(|value| *value == column[0]));
                    column.truncate(1);
                }
            }
            let nines = read;
            let mut read = Gathered(wanted.iter().map(|_| Vec::new()).collect());
            let found = Projector::new(&wanted).read(&page, &[row], &mut read);
            prop_assert_eq!(found.is_ok(), many.is_ok());
            if found.is_ok() {
                prop_assert_eq!(&nines.0, &read.0);
            }
            let mut expected = Gathered(read.0.iter().map(|_| Vec::new()).collect());
            let view = page
                .get(start as usize..(start + length) as usize)
                .ok_or(ErrorKind::Corrupt)
                .and_then(|bytes| RowView::new(bytes).map_err(|error| error.kind()))
                .and_then(|row| {
                    row.project(&wanted, |column, value| expected.value(column, value))
                        .map_err(|error| error.kind())
                });
            // A view may find more amiss: it looks at the columns between.
            prop_assert!(found.is_ok() || view.is_err());
            if view.is_ok() {
                prop_assert_eq!(read.0, expected.0);
            }
        }
    }

    #[test]
    fn cut_rows_are_corrupt(columns in vec(values(), 1..6), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&columns);
        let cut = &bytes[..cut.index(bytes.len())];
        let error = RowView::new(cut).and_then(|row| row.validate()).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn any_bytes_are_a_row_or_corrupt(bytes in vec(any::<u8>(), 0..60), index in 0..40_usize) {
        let Ok(row) = RowView::new(&bytes) else { return Ok(()) };
        let _ = row.validate();
        let _ = row.span(index);
        let _ = row.column(index);
        let _ = row.project(&[index / 2, index], |_, _| {});
        prop_assert!(row.columns().count() <= bytes.len());
    }

    #[test]
    fn damaged_rows_decode_or_are_corrupt(
        columns in vec(values(), 1..8),
        place in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let mut bytes = encode(&columns);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(row) = RowView::new(&bytes) {
            for index in 0..row.len() {
                let _ = row.column(index);
            }
        }
    }
}

#[test]
fn widths_are_as_documented() {
    for (value, len) in [
        (Value::Null, 0),
        (Value::Integer(-1), 0),
        (Value::Integer(0), 0),
        (Value::Integer(30), 0),
        (Value::Integer(31), 1),
        (Value::Integer(-128), 1),
        (Value::Integer(128), 2),
        (Value::Integer(-32_769), 3),
        (Value::Integer(1 << 23), 4),
        (Value::Integer(1 << 31), 6),
        (Value::Integer(1 << 47), 8),
        (Value::Integer(i64::MIN), 8),
        (Value::Real(0.5), 8),
        (Value::Real(f64::NAN), 0),
        (Value::text(""), 0),
        (Value::text([b'a'; 127]), 127),
        (Value::text([b'a'; 128]), 128 + 5),
        (Value::blob([0; 79]), 79),
        (Value::blob([0; 80]), 80 + 5),
    ] {
        let bytes = encode(std::slice::from_ref(&value));
        assert_eq!(bytes.len(), 2 + len, "{value:?}");
    }
}

#[test]
fn reserved_codes_are_corrupt_and_hide_what_follows() {
    for code in 10..16 {
        let bytes = [4, code, SMALL_INTEGER];
        let row = RowView::new(&bytes).unwrap();
        assert_eq!(row.column(0).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(row.column(1).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn counts_beyond_the_bytes_are_corrupt() {
    let huge =
        [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];
    for bytes in [&[][..], &[2], &[3, 1, 8], &[3, 2, 8, 0, 0, 0, 0], &huge, &huge[..9]] {
        assert_eq!(RowView::new(bytes).unwrap_err().kind(), ErrorKind::Corrupt, "{bytes:?}");
    }
}
