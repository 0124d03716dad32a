//! What a comparison needs of a database: run SQL, get rows or an error of a kind.
//!
//! Everything in this program speaks to an [`Engine`], so that each runner can be tried with
//! SQLite on both sides first: a runner that finds differences there is itself wrong. Errors
//! are compared by SQLite's result code, which both engines have; messages are kept for
//! reports. Neighbours: `sqlite`, `pandodb` (the two engines), `text` (values as text).

mod pandodb;
mod sqlite;
pub(crate) mod text;

use std::fmt;

pub(crate) use sqlite::Sqlite;

/// A database under test.
pub(crate) trait Engine {
    /// Runs the statements of `sql` in order until one fails; the rows of all, one after
    /// another, with the columns of the last that has some.
    fn execute(&mut self, sql: &str) -> Result<Rows, Failure>;
}

/// Which engine to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// PandoDB.
    Pandodb,
    /// SQLite, which tries the runners themselves.
    Sqlite,
}

impl Kind {
    /// A fresh database in memory.
    pub(crate) fn open(self) -> Result<Box<dyn Engine>, Failure> {
        Ok(match self {
            Self::Pandodb => Box::new(pandodb::Pandodb::open()?),
            Self::Sqlite => Box::new(Sqlite::open()?),
        })
    }

    /// The word for the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pandodb => "pandodb",
            Self::Sqlite => "sqlite",
        }
    }
}

/// What statements returned.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    /// What the columns of the last statement with columns are called.
    pub(crate) names: Vec<String>,
    /// The rows.
    pub(crate) rows: Vec<Vec<Value>>,
}

/// A value of SQL; text is bytes, since SQLite does not promise UTF-8.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// NULL
    Null,
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(Vec<u8>),
    /// BLOB
    Blob(Vec<u8>),
}

/// Sums may be taken in another order, so that reals agree when twelve digits do.
const REAL_TOLERANCE: f64 = 1e-12;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Integer(left), Self::Integer(right)) => left == right,
            (Self::Real(left), Self::Real(right)) => {
                left.to_bits() == right.to_bits()
                    || (left - right).abs() <= REAL_TOLERANCE * left.abs().max(right.abs())
            }
            (Self::Text(left), Self::Text(right)) | (Self::Blob(left), Self::Blob(right)) => {
                left == right
            }
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value:?}"),
            Self::Text(bytes) => {
                write!(f, "'{}'", String::from_utf8_lossy(bytes).replace('\'', "''"))
            }
            Self::Blob(bytes) => {
                f.write_str("x'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

/// Why a statement failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// SQLite's extended result code.
    pub(crate) code: i32,
    /// The sentence.
    pub(crate) message: String,
}

impl Failure {
    /// A defect of the engine, which SQLite calls `INTERNAL`.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// The code that must agree: extended for constraints, whose kinds are promised, primary
    /// for the others. Keys all count as unique, whichever of several is reported.
    pub(crate) fn class(&self) -> i32 {
        const CONSTRAINT: i32 = 19;
        const UNIQUE: i32 = CONSTRAINT | (8 << 8);
        const PRIMARY_KEY: i32 = CONSTRAINT | (6 << 8);
        const ROW_ID: i32 = CONSTRAINT | (10 << 8);
        match self.code {
            PRIMARY_KEY | ROW_ID => UNIQUE,
            code if code & 0xff == CONSTRAINT => code,
            code => code & 0xff,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

/// Runs SQL and turns a panic of the engine into a failure.
pub(crate) fn execute(engine: &mut dyn Engine, sql: &str) -> Result<Rows, Failure> {
    let run = std::panic::AssertUnwindSafe(|| engine.execute(sql));
    std::panic::catch_unwind(run).unwrap_or_else(|cause| {
        let text = cause
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| cause.downcast_ref::<&str>().copied());
        Err(Failure::internal(format!("panic: {}", text.unwrap_or("without a message"))))
    })
}
