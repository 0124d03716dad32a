//! One number for what a database holds, the same that sqlite3's `.sha3sum` computes.
//!
//! It is a hash over the queries that read all tables and over every value with its type, so that
//! two databases with the same number hold the same, whichever program and format keeps them.
//! Neighbours: `dump` writes the content itself.

use pandodb::ValueRef;
use sha3::digest::DynDigest;
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::failure::Outcome;
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;

/// What to compute.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    /// With the definitions.
    pub(crate) schema: bool,
    /// The length of the number: 224, 256, 384 or 512.
    pub(crate) bits: u32,
    /// Which tables, as LIKE has it; all without.
    pub(crate) pattern: Option<String>,
}

impl Default for Digest {
    fn default() -> Self {
        // What sqlite3 computes without an option.
        Self { schema: false, bits: 224, pattern: None }
    }
}

/// The number in hexadecimal digits.
pub(crate) fn digest(shell: &Shell, what: &Digest) -> Outcome<String> {
    let mut hash: Box<dyn DynDigest> = match what.bits {
        256 => Box::new(Sha3_256::default()),
        384 => Box::new(Sha3_384::default()),
        512 => Box::new(Sha3_512::default()),
        _ => Box::new(Sha3_224::default()),
    };
    let sql = "SELECT name FROM (\
                 SELECT lower(name) AS name FROM sqlite_schema WHERE type = 'table' \
                 UNION ALL SELECT 'sqlite_schema') \
               WHERE name LIKE ?1 AND (?2 OR name NOT LIKE 'sqlite!_%' ESCAPE '!') \
               ORDER BY name COLLATE NOCASE";
    let pattern = what.pattern.as_deref().unwrap_or("%");
    let names: Vec<String> = {
        let mut statement = shell.connection.prepare(sql)?;
        let rows = statement.query_map((pattern, what.schema), |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    let owns_transaction = shell.connection.is_autocommit();
    if owns_transaction {
        shell.connection.execute_batch("BEGIN")?;
    }
    let outcome = names.iter().try_for_each(|name| hash_table(shell, name, hash.as_mut()));
    if owns_transaction {
        shell.connection.execute_batch("COMMIT")?;
    }
    outcome?;
    let mut text = String::new();
    for byte in hash.finalize() {
        text.push_str(&format!("{byte:02x}"));
    }
    Ok(match &what.pattern {
        Some(pattern) => format!("{text}|{pattern}"),
        None => text,
    })
}

/// The query that reads a table, in the very words of sqlite3, for they are part of what is hashed.
fn query_of(table: &str) -> String {
    match table {
        "sqlite_schema" => {
            "SELECT type,name,tbl_name,sql FROM sqlite_schema ORDER BY name;".to_owned()
        }
        "sqlite_sequence" => "SELECT name,seq FROM sqlite_sequence ORDER BY name;".to_owned(),
        "sqlite_stat1" => "SELECT tbl,idx,stat FROM sqlite_stat1 ORDER BY tbl,idx;".to_owned(),
        name => format!("SELECT * FROM {} NOT INDEXED;", quoted_identifier(name)),
    }
}

fn hash_table(shell: &Shell, table: &str, hash: &mut dyn DynDigest) -> Outcome {
    let sql = query_of(table);
    hash.update(format!("S{}:{sql}", sql.len()).as_bytes());
    let mut statement = shell.connection.prepare(&sql)?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        hash.update(b"R");
        for at in 0..width {
            match row.get_ref(at)? {
                ValueRef::Null => hash.update(b"N"),
                ValueRef::Integer(value) => {
                    hash.update(b"I");
                    hash.update(&value.to_be_bytes());
                }
                ValueRef::Real(value) => {
                    hash.update(b"F");
                    hash.update(&value.to_be_bytes());
                }
                ValueRef::Text(text) => {
                    hash.update(format!("T{}:", text.len()).as_bytes());
                    hash.update(text);
                }
                ValueRef::Blob(bytes) => {
                    hash.update(format!("B{}:", bytes.len()).as_bytes());
                    hash.update(bytes);
                }
            }
        }
    }
    Ok(())
}
