//! PandoDB.

mod error;
mod from_sql;
mod params;
mod to_sql;
mod value;

pub use error::{Constraint, Error, ErrorKind, Result};
pub use from_sql::FromSql;
pub use params::{Binder, Params, ParamsFromIter, params_from_iter};
pub use to_sql::{ToSql, ToSqlOutput};
pub use value::{Type, Value, ValueRef};
