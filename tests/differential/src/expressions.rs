//! `expressions`: whether random expressions group as SQLite groups them.
//!
//! A random text of operators and constants is read, printed with a pair of parentheses around
//! each operation, and both texts are given to SQLite: their values must be the same. So the
//! table of levels is compared with SQLite's own without any evaluation of ours. Neighbours:
//! `parse` (which texts are SQL).

use std::error::Error;

use fastrand::Rng;
use pandodb_qp::ast::Parenthesized;
use pandodb_qp::parse::parse_expression;
use rusqlite::Connection;
use rusqlite::types::Value;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many expressions.
    #[arg(long, default_value_t = 1_000_000)]
    count: u64,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

const OPERANDS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "-1",
    "1.5",
    "NULL",
    "'a'",
    "'B'",
    "'3'",
    "x'31'",
    "1e3",
    "10",
    "'a%'",
    "CASE 1 WHEN 2 THEN 3 ELSE 4 END",
    "abs(-4)",
    "CAST('5' AS INTEGER)",
    "(SELECT 2 UNION SELECT 1 ORDER BY 1)",
    "EXISTS (SELECT 1)",
    "9223372036854775807",
    "-9223372036854775808",
    "upper('q')",
];

const OPERATORS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "&",
    "|",
    "<<",
    ">>",
    "<",
    "<=",
    ">",
    ">=",
    "=",
    "==",
    "<>",
    "!=",
    "IS",
    "IS NOT",
    "IS DISTINCT FROM",
    "IS NOT DISTINCT FROM",
    "AND",
    "OR",
    "LIKE",
    "NOT LIKE",
    "GLOB",
    "NOT GLOB",
];

const SUFFIXES: &[&str] = &[
    "ISNULL",
    "NOTNULL",
    "NOT NULL",
    "COLLATE nocase",
    "COLLATE binary",
    "IN (1, 2, 'a')",
    "NOT IN (3, NULL)",
    "IN ()",
    "IN (SELECT 1)",
];

const PREFIXES: &[&str] = &["-", "+", "~", "NOT ", "- ", "NOT NOT "];

/// Compares, reports, and tells whether all agree.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let differences = compare(arguments.count, arguments.seed)?;
    for (text, printed, left, right) in &differences {
        println!("{text}\n    {printed}\n    {left:?} and {right:?}");
    }
    println!("{} expressions, {} differ", arguments.count, differences.len());
    Ok(differences.is_empty())
}

type Difference = (String, String, Result<Value, String>, Result<Value, String>);

fn compare(count: u64, seed: u64) -> Result<Vec<Difference>, Box<dyn Error>> {
    let connection = Connection::open_in_memory()?;
    let mut random = Rng::with_seed(seed);
    let mut differences = Vec::new();
    for _ in 0..count {
        let mut text = String::new();
        push_expression(&mut random, &mut text, 0);
        let left = value(&connection, &text);
        let (printed, right) = match parse_expression(&text) {
            Ok(tree) => {
                let printed = Parenthesized(&tree).to_string();
                let right = value(&connection, &printed);
                (printed, right)
            }
            Err(error) => (String::new(), Err(format!("not parsed: {error}"))),
        };
        // Where SQLite refuses both, the words of its message do not matter.
        let equal = match (&left, &right) {
            (Ok(left), Ok(right)) => same(left, right),
            (Err(left), Err(right)) => {
                right.starts_with("not parsed") == left.contains("syntax error")
            }
            _ => false,
        };
        if !equal {
            differences.push((text, printed, left, right));
        }
    }
    Ok(differences)
}

/// Equal, NaN aside, which SQLite has not.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Real(left), Value::Real(right)) => left.to_bits() == right.to_bits(),
        _ => left == right,
    }
}

fn value(connection: &Connection, expression: &str) -> Result<Value, String> {
    connection
        .query_row(&format!("SELECT {expression}"), [], |row| row.get(0))
        .map_err(|error| error.to_string())
}

fn push_expression(random: &mut Rng, text: &mut String, depth: u32) {
    push_operand(random, text, depth);
    for _ in 0..random.u32(0..6 - depth.min(4)) {
        text.push(' ');
        match random.u32(0..10) {
            0 | 1 => text.push_str(random.choice(SUFFIXES).unwrap_or(&"")),
            2 => {
                text.push_str(if random.bool() { "BETWEEN " } else { "NOT BETWEEN " });
                push_operand(random, text, depth);
                if random.bool() {
                    text.push_str([" + ", " = ", " < ", " || ", " & "][random.usize(0..5)]);
                    push_operand(random, text, depth);
                }
                text.push_str(" AND ");
                push_operand(random, text, depth);
            }
            3 if random.bool() => {
                text.push_str("LIKE ");
                push_operand(random, text, depth);
                text.push_str(" ESCAPE 'x'");
            }
            _ => {
                text.push_str(random.choice(OPERATORS).unwrap_or(&"+"));
                text.push(' ');
                push_operand(random, text, depth);
            }
        }
    }
}

fn push_operand(random: &mut Rng, text: &mut String, depth: u32) {
    if random.u32(0..5) == 0 {
        text.push_str(random.choice(PREFIXES).unwrap_or(&""));
        // Two signs in a row would begin a comment.
        text.push(' ');
    }
    if depth < 3 && random.u32(0..6) == 0 {
        text.push('(');
        push_expression(random, text, depth + 1);
        text.push(')');
    } else {
        text.push_str(random.choice(OPERANDS).unwrap_or(&"1"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn expressions_group_as_in_sqlite() {
        let differences = compare(20_000, 7).unwrap();
        assert!(differences.is_empty(), "{:#?}", &differences[..differences.len().min(5)]);
    }
}
