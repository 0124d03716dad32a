//! Values as text, as the corpora print them.
//!
//! SQLite itself turns reals into text for both engines: what is compared here is the value,
//! how each prints it is compared where SQL asks for text. Neighbours: `slt`, `sqltest`.

use std::cell::OnceCell;

use rusqlite::Connection;

use super::Value;

thread_local! {
    static PRINTER: OnceCell<Connection> = const { OnceCell::new() };
}

/// A real as SQLite prints it.
pub(crate) fn real(value: f64) -> String {
    let printed = |connection: &Connection| {
        let mut statement = connection.prepare_cached("SELECT CAST(?1 AS TEXT)")?;
        statement.query_row([value], |row| row.get::<_, Option<String>>(0))
    };
    PRINTER.with(|cell| {
        if cell.get().is_none()
            && let Ok(connection) = Connection::open_in_memory()
        {
            let _ = cell.set(connection);
        }
        let text = cell.get().and_then(|connection| printed(connection).ok()).flatten();
        text.unwrap_or_else(|| format!("{value:?}"))
    })
}

/// A value as `sqlite3_column_text` gives it; NULL is empty.
pub(crate) fn text(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::Integer(value) => value.to_string().into_bytes(),
        Value::Real(value) => real(*value).into_bytes(),
        Value::Text(bytes) | Value::Blob(bytes) => bytes.clone(),
    }
}

/// A value as `sqlite3_column_int64` gives it.
pub(crate) fn integer(value: &Value) -> i64 {
    match value {
        Value::Null => 0,
        Value::Integer(value) => *value,
        Value::Real(value) => *value as i64,
        Value::Text(bytes) | Value::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.trim_start();
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            let count = digits.bytes().take_while(u8::is_ascii_digit).count();
            let magnitude =
                digits[..count].parse::<i128>().unwrap_or(if count == 0 { 0 } else { i128::MAX });
            let signed = if text.starts_with('-') { -magnitude } else { magnitude };
            signed.clamp(i64::MIN.into(), i64::MAX.into()) as i64
        }
    }
}

/// A value as `sqlite3_column_double` gives it.
pub(crate) fn double(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Integer(value) => *value as f64,
        Value::Real(value) => *value,
        Value::Text(bytes) | Value::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.trim_start();
            let number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
            let mut end = text.bytes().take_while(|byte| number(byte)).count();
            while end > 0 {
                if let Ok(value) = text[..end].parse() {
                    return value;
                }
                end -= 1;
            }
            0.0
        }
    }
}
