//! Readers of files: every notation, every kind of quoting.

use std::io::Cursor;

use super::csv::{Dialect, Notation, Separated};
use super::json::{Json, Objects, object};
use super::records::{Field, Record, Records};
use crate::output::{Mode, Settings};

fn dialect() -> Dialect {
    Dialect { separator: ',', notation: Notation::Quotes, has_names: true, skip: 0, null: None }
}

fn all(records: &mut dyn Records) -> Vec<Record> {
    let mut found = Vec::new();
    while let Some(record) = records.next().unwrap() {
        found.push(record);
    }
    found
}

fn text(text: &str) -> Field {
    Field::Text(text.to_owned())
}

#[test]
fn csv_fields_hold_anything_in_quotes() {
    let file = "\u{feff}id,name,note\r\n1,\"a \"\"b\"\", c\",\r\n2,\"two\nlines\",\"\"\n\n3,x";
    let mut reader = Separated::open(Cursor::new(file), dialect()).unwrap();
    assert_eq!(reader.names(), ["id", "name", "note"]);
    let rows = all(&mut reader);
    assert_eq!(rows[0].fields, [text("1"), text("a \"b\", c"), Field::Missing]);
    assert_eq!(rows[1].fields, [text("2"), text("two\nlines"), text("")]);
    assert_eq!(rows[2], Record { line: 6, fields: vec![text("3"), text("x")] });
}

#[test]
fn csv_errors_name_the_line() {
    let mut reader = Separated::open(Cursor::new("a\n\"open\n"), dialect()).unwrap();
    assert_eq!(reader.next().unwrap_err().to_string(), "the quote in line 2 is never closed");
}

#[test]
fn csv_names_are_made_where_they_are_missing_or_twice() {
    let reader = Separated::open(Cursor::new("a,,A\n"), dialect()).unwrap();
    assert_eq!(reader.names(), ["a", "column2", "A_2"]);
    let plain = Dialect { has_names: false, skip: 1, ..dialect() };
    let mut reader = Separated::open(Cursor::new("title\n1,2\n"), plain).unwrap();
    assert_eq!(reader.names(), ["column1", "column2"]);
    assert_eq!(all(&mut reader).len(), 1);
}

#[test]
fn a_first_row_may_turn_out_to_be_data() {
    let mut reader = Separated::open(Cursor::new("x,\n1,2,3\n"), dialect()).unwrap();
    reader.names_are_data();
    assert_eq!(reader.names(), ["column1", "column2"]);
    let rows = all(&mut reader);
    assert_eq!(rows[0], Record { line: 1, fields: vec![text("x"), Field::Missing] });
    assert_eq!(rows[1].fields.len(), 3);
}

#[test]
fn ascii_has_control_characters_and_nothing_else() {
    let ascii = Dialect { separator: '\u{1f}', notation: Notation::Controls, ..dialect() };
    let file = "a\u{1f}b\u{1e}1,\"\u{1f}two\nlines\\n\u{1e}\u{1f}x\u{1e}\n";
    let mut reader = Separated::open(Cursor::new(file), ascii).unwrap();
    assert_eq!(reader.names(), ["a", "b"]);
    let rows = all(&mut reader);
    assert_eq!(rows[0].fields, [text("1,\""), text("two\nlines\\n")]);
    assert_eq!(rows[1].fields, [Field::Missing, text("x")]);
    assert_eq!(rows.len(), 2);
}

#[test]
fn tsv_has_escapes_and_a_null_of_its_own() {
    let tsv = Dialect {
        separator: '\t',
        notation: Notation::Backslashes,
        null: Some("\\N".to_owned()),
        ..dialect()
    };
    // The escape of the null text is not one that means anything else.
    let mut reader = Separated::open(Cursor::new("a\tb\n\\N\tx\\ty\"\n\t\\\\\n"), tsv).unwrap();
    let rows = all(&mut reader);
    assert_eq!(rows[0].fields, [Field::Missing, text("x\ty\"")]);
    assert_eq!(rows[1].fields, [text(""), text("\\")]);
}

#[test]
fn json_arrays_and_lines_give_the_same_rows() {
    let array = r#"[ {"b": 1, "a": "x"}, {"a": null, "c": {"k": [1, "}"]}} ]"#;
    let lines = "{\"b\": 1, \"a\": \"x\"}\n{\"a\": null, \"c\": {\"k\": [1, \"}\"]}}\n";
    for file in [array, lines] {
        let mut reader = Objects::open(Cursor::new(file));
        let rows = all(&mut reader);
        assert_eq!(reader.names(), ["b", "a", "c"]);
        assert_eq!(
            rows[0].fields,
            [Field::Typed(Json::Integer(1)), Field::Typed(Json::Text("x".to_owned()))]
        );
        assert_eq!(
            rows[1].fields,
            [
                Field::Missing,
                Field::Typed(Json::Null),
                Field::Typed(Json::Nested(r#"{"k": [1, "}"]}"#.to_owned()))
            ]
        );
    }
}

#[test]
fn json_objects_keep_their_order_and_types() {
    let pairs = object(r#" {"z":true,"a":1.5,"m":"q\"\\","n":[ ],"k":18446744073709551615} "#);
    let pairs = pairs.unwrap();
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["z", "a", "m", "n", "k"]);
    assert_eq!(pairs[0].1, Json::Boolean(true));
    assert_eq!(pairs[1].1, Json::Real(1.5));
    assert_eq!(pairs[2].1, Json::Text("q\"\\".to_owned()));
    assert_eq!(pairs[3].1, Json::Nested("[ ]".to_owned()));
    let numbers = object(r#"{"a":9.0e+999,"b":-1e400,"c":[1e999],"d":-7,"e":1E2}"#).unwrap();
    let numbers: Vec<Json> = numbers.into_iter().map(|(_, value)| value).collect();
    let (infinite, nested) = (Json::Real(f64::INFINITY), Json::Nested("[1e999]".to_owned()));
    let expected =
        [infinite, Json::Real(f64::NEG_INFINITY), nested, Json::Integer(-7), Json::Real(100.0)];
    assert_eq!(numbers, expected);
    assert!(object("[1]").is_err() && object("{\"a\":}").is_err() && object("{").is_err());
    assert_eq!(object("{}").unwrap(), []);
}

#[test]
fn json_errors_name_the_line() {
    let mut reader = Objects::open(Cursor::new("{\"a\":1}\n{\"a\":\n"));
    reader.next().unwrap();
    assert_eq!(reader.next().unwrap_err().to_string(), "the object in line 2 is never closed");
    let mut reader = Objects::open(Cursor::new("[1, 2]"));
    assert!(reader.next().unwrap_err().to_string().contains("an object is wanted"));
}

/// What the CSV mode writes, the CSV reader reads: any text, and NULL apart from empty.
#[test]
fn csv_round_trips_any_text() {
    use pandodb::ValueRef;
    let texts =
        ["", " ", "a,b", "\"", "\"\"", "\n", "a\r\nb", "é森", "'", "\t", ",", "x\"y,z\n", "\r"];
    let settings = Settings { headers: Some(true), ..Settings::new(Mode::Csv) };
    let mut renderer = settings.renderer(&["a".to_owned(), "b".to_owned()]);
    let mut out = Vec::new();
    for value in texts {
        renderer.row(&[ValueRef::Text(value.as_bytes()), ValueRef::Null], &mut out).unwrap();
    }
    renderer.finish(&mut out).unwrap();
    let mut reader = Separated::open(Cursor::new(out), dialect()).unwrap();
    let rows = all(&mut reader);
    assert_eq!(rows.len(), texts.len());
    for (row, value) in rows.iter().zip(texts) {
        assert_eq!(row.fields, [text(value), Field::Missing]);
    }
}
