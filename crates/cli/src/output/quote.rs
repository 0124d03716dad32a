//! Values as text for machines: SQL, CSV, JSON and HTML, each quoted by its own rules.
//!
//! Everything written here can be read back: text with any quotes, line breaks and control
//! characters, blobs, infinities. Neighbours: the modes, `verb::dump`, `verb::export`.

use std::borrow::Cow;
use std::fmt::Write as _;

use pandodb::{Value, ValueRef};

use super::escape::{Escape, has_controls};

/// A SQL literal that reads back as the same value.
pub(crate) fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) if number == f64::INFINITY => "9.0e+999".to_owned(),
        ValueRef::Real(number) if number == f64::NEG_INFINITY => "-9.0e+999".to_owned(),
        ValueRef::Real(_) => value.to_string(),
        ValueRef::Text(bytes) => text_literal(bytes),
        ValueRef::Blob(bytes) => format!("x'{}'", hexadecimal(bytes)),
    }
}

/// The same on a screen: control characters are the escapes of `unistr`, as sqlite3 has them.
pub(crate) fn shown_literal(value: ValueRef<'_>, how: Escape) -> String {
    let literal = literal(value);
    if how == Escape::Off || !has_controls(&literal) {
        return literal;
    }
    let mut shown = String::from("unistr(");
    for character in literal.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            '\n' | '\t' => shown.push(character),
            other if other.is_control() => {
                let _ = write!(shown, "\\u{:04x}", u32::from(other));
            }
            other => shown.push(other),
        }
    }
    shown.push(')');
    shown
}

/// Text that is no UTF-8 or holds a zero byte cannot stand between quotes.
fn text_literal(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => format!("'{}'", text.replace('\'', "''")),
        _ => format!("CAST(x'{}' AS TEXT)", hexadecimal(bytes)),
    }
}

/// Two lower-case hexadecimal digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// A name as SQL reads it: in double quotes unless it is a plain word.
pub(crate) fn identifier(name: &str) -> Cow<'_, str> {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !crate::language::is_keyword(name);
    if plain { Cow::Borrowed(name) } else { Cow::Owned(quoted_identifier(name)) }
}

/// A name in double quotes.
pub(crate) fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value's text where the mode has no notation of its own; blobs in hexadecimal.
pub(crate) fn plain(value: ValueRef<'_>) -> Cow<'_, str> {
    match value {
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes),
        ValueRef::Blob(bytes) => Cow::Owned(hexadecimal(bytes)),
        other => Cow::Owned(other.to_string()),
    }
}

/// A CSV field by RFC 4180: quoted where it holds the separator, quotes, line breaks, or spaces
/// at an end; an empty text is quoted, so that it differs from NULL.
pub(crate) fn csv<'a>(text: &'a str, separator: &str) -> Cow<'a, str> {
    let special = |byte: u8| byte == b'"' || byte < b' ' || byte == 0x7f;
    let needs_quotes = text.is_empty()
        || text.bytes().any(special)
        || text.contains(separator)
        || text.starts_with(' ')
        || text.ends_with(' ');
    if needs_quotes {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// A field of tab separated values: tabs, line breaks and backslashes are escaped.
pub(crate) fn tsv(text: &str) -> Cow<'_, str> {
    if !text.contains(['\t', '\n', '\r', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 4);
    for character in text.chars() {
        match character {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' => escaped.push_str("\\\\"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// A word of Tcl in double quotes, as sqlite3 writes it. What Tcl would replace there (`$`, `[`) is
/// replaced only where a script is run, and not in a list that is read. Characters beyond ASCII
/// stay: Tcl takes the octal escapes that sqlite3 had for their bytes for a character each.
pub(crate) fn tcl(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            other if other.is_ascii_control() => {
                let _ = write!(quoted, "\\{:03o}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A JSON string with its quotes. Control characters that JSON lets stand are escaped as well.
pub(crate) fn json_string(text: &str) -> String {
    let json = serde_json::Value::String(text.to_owned()).to_string();
    // DEL, and what the controls of Latin-1 begin with in UTF-8.
    if !json.bytes().any(|byte| byte == 0x7f || byte == 0xc2) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if character.is_control() {
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A JSON value: blobs as hexadecimal text, infinities as numbers that are too large.
pub(crate) fn json(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(_) => literal(value),
        ValueRef::Text(bytes) => json_string(&String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => format!("\"{}\"", hexadecimal(bytes)),
    }
}

/// Text inside an HTML element or attribute.
pub(crate) fn html(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Cow::Owned(text.replace('"', "&quot;").replace('\'', "&#39;"))
}

/// A SQL literal of an owned value.
pub(crate) fn literal_of(value: &Value) -> String {
    literal(value.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_keep_every_value() {
        assert_eq!(literal(ValueRef::Text(b"it's")), "'it''s'");
        assert_eq!(literal(ValueRef::Text(b"a\0b")), "CAST(x'610062' AS TEXT)");
        assert_eq!(literal(ValueRef::Text(b"\xff")), "CAST(x'ff' AS TEXT)");
        assert_eq!(literal(ValueRef::Blob(&[0, 255])), "x'00ff'");
        assert_eq!(literal(ValueRef::Real(2.0)), "2.0");
        assert_eq!(literal(ValueRef::Real(0.1)), "0.1");
        assert_eq!(literal(ValueRef::Real(f64::NEG_INFINITY)), "-9.0e+999");
        assert_eq!(literal(ValueRef::Null), "NULL");
    }

    #[test]
    fn literals_on_a_screen_have_no_control_characters() {
        let shown = |text: &str| shown_literal(ValueRef::Text(text.as_bytes()), Escape::Ascii);
        assert_eq!(shown("it's\n"), "'it''s\n'");
        assert_eq!(shown("\u{1b}[1m\\ it's"), "unistr('\\u001b[1m\\\\ it''s')");
        assert_eq!(shown_literal(ValueRef::Text(b"\x1b"), Escape::Off), "'\u{1b}'");
    }

    #[test]
    fn csv_fields_are_quoted_where_they_must_be() {
        assert_eq!(csv("plain", ","), "plain");
        assert_eq!(csv("a,b", ","), "\"a,b\"");
        assert_eq!(csv("say \"hi\"", ","), "\"say \"\"hi\"\"\"");
        assert_eq!(csv("two\nlines", ","), "\"two\nlines\"");
        assert_eq!(csv("", ","), "\"\"");
        assert_eq!(csv("a,b", ";"), "a,b");
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(identifier("tree"), "tree");
        assert_eq!(identifier("two words"), "\"two words\"");
        assert_eq!(identifier("select"), "\"select\"");
        assert_eq!(identifier("1st"), "\"1st\"");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn json_escapes_what_it_must() {
        assert_eq!(json(ValueRef::Text(b"a\"b\\\n\x01")), "\"a\\\"b\\\\\\n\\u0001\"");
        assert_eq!(json_string("\u{7f}\u{9b}"), "\"\\u007f\\u009b\"");
        assert_eq!(json(ValueRef::Real(1e300)), literal(ValueRef::Real(1e300)));
        assert_eq!(html("<a href='x'>&"), "&lt;a href=&#39;x&#39;&gt;&amp;");
        assert_eq!(tsv("a\tb\\"), "a\\tb\\\\");
    }

    #[test]
    fn words_of_tcl_have_escapes_for_what_ends_them() {
        assert_eq!(tcl("it's \"q\" \\"), r#""it's \"q\" \\""#);
        assert_eq!(tcl("a\tb\nc\rd\u{1b}\u{7f}"), r#""a\tb\nc\rd\033\177""#);
        assert_eq!(tcl("森é"), "\"森é\"");
    }
}
