//! Runs the SQL of its argument (or of the standard input) in memory and prints rows.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::io::Read;

use pandodb_ds::record::Value;
use pandodb_qp::session::{Session, Step};
use pandodb_qp::store::Database;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sql = std::env::args().nth(1).unwrap_or_default();
    if sql.is_empty() {
        std::io::stdin().read_to_string(&mut sql)?;
    }
    let session = Session::new(Database::in_memory()?);
    let mut rest = sql.as_str();
    loop {
        match session.prepare(rest) {
            Ok((statement, behind)) => {
                if let Some(mut statement) = statement {
                    loop {
                        match statement.step() {
                            Ok(Step::Row) => {
                                let row: Vec<String> = statement.row()?.iter().map(show).collect();
                                println!("{}", row.join("|"));
                            }
                            Ok(Step::Done) => break,
                            Err(error) => {
                                println!("Error: {error}");
                                break;
                            }
                        }
                    }
                }
                rest = rest.get(behind..).unwrap_or("");
            }
            Err(error) => {
                println!("Error: {error}");
                let behind = rest.find(';').map_or(rest.len(), |at| at + 1);
                rest = &rest[behind..];
            }
        }
        if rest.trim().is_empty() {
            return Ok(());
        }
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => {
            String::from_utf8_lossy(&pandodb_ds::record::number::real_text(*value)).into_owned()
        }
        Value::Text(bytes) | Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
