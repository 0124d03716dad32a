//! Functions and collations of an application, in Rust.
//!
//! A function reads its arguments from a [`FunctionContext`] and returns anything that converts
//! to a value; an error that it returns ends the statement with its message. Neighbours:
//! `engine::functions` hands them to the engine.

use std::cmp::Ordering;

use crate::connection::Connection;
use crate::engine::functions as engine;
use crate::error::{Error, ErrorKind, Result};
use crate::value::FromSql;
use crate::value::{Value, ValueRef};

/// What the engine may assume about a function.
///
/// ```
/// use pandodb::{Connection, FunctionFlags};
///
/// let connection = Connection::open_in_memory()?;
/// connection.create_scalar_function("twice", 1, FunctionFlags::DETERMINISTIC, |context| {
///     Ok(context.get::<i64>(0)? * 2)
/// })?;
/// // An index may be built on it only because it says so.
/// connection.execute_batch("CREATE TABLE t(a); CREATE INDEX t_twice ON t(twice(a))")?;
/// connection.create_scalar_function("ticket", 0, FunctionFlags::NONE, |_| Ok(17))?;
/// assert!(connection.execute_batch("CREATE INDEX t_ticket ON t(ticket())").is_err());
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionFlags {
    pub(crate) is_deterministic: bool,
}

impl FunctionFlags {
    /// Nothing: it is called anew for every row.
    pub const NONE: Self = Self { is_deterministic: false };
    /// Equal arguments give equal results, always: calls with constant arguments are computed
    /// once, and indexes may be built on it.
    pub const DETERMINISTIC: Self = Self { is_deterministic: true };
}

/// The arguments of a call.
///
/// ```
/// use pandodb::{Connection, FunctionContext, FunctionFlags, Result};
///
/// fn repeat(call: &FunctionContext<'_>) -> Result<String> {
///     let (text, times): (String, usize) = (call.get(0)?, call.get(1)?);
///     Ok(text.repeat(times))
/// }
///
/// let connection = Connection::open_in_memory()?;
/// connection.create_scalar_function("repeat", 2, FunctionFlags::DETERMINISTIC, repeat)?;
/// let text: String = connection.query_row("SELECT repeat('la', 3)", (), |row| row.get(0))?;
/// assert_eq!(text, "lalala");
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct FunctionContext<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: &'a [ValueRef<'a>],
}

impl FunctionContext<'_> {
    /// How many arguments there are.
    ///
    /// ```
    /// # use pandodb::{Connection, FunctionFlags};
    /// let connection = Connection::open_in_memory()?;
    /// connection.create_scalar_function("arguments", -1, FunctionFlags::NONE, |call| {
    ///     Ok(call.len() as i64)
    /// })?;
    /// let count: i64 = connection.query_row("SELECT arguments(1, 2)", (), |row| row.get(0))?;
    /// assert_eq!(count, 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no arguments.
    ///
    /// ```
    /// # use pandodb::{Connection, FunctionFlags};
    /// let connection = Connection::open_in_memory()?;
    /// connection
    ///     .create_scalar_function("alone", -1, FunctionFlags::NONE, |call| Ok(call.is_empty()))?;
    /// assert!(connection.query_row("SELECT alone()", (), |row| row.get::<_, bool>(0))?);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Reads an argument, counted from 0.
    ///
    /// ```
    /// # use pandodb::{Connection, FunctionFlags};
    /// let connection = Connection::open_in_memory()?;
    /// connection.create_scalar_function("twice", 1, FunctionFlags::DETERMINISTIC, |call| {
    ///     Ok(call.get::<i64>(0)? * 2)
    /// })?;
    /// let error = connection.query_row("SELECT twice('x')", (), |row| row.get::<_, i64>(0));
    /// assert_eq!(
    ///     error.unwrap_err().message(),
    ///     "twice(): argument 1: a value of type text is not an integer",
    /// );
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn get<T: FromSql>(&self, at: usize) -> Result<T> {
        T::from_sql(self.get_raw(at)).map_err(|error| {
            let message = format!("{}(): argument {}: {}", self.name, at + 1, error.message());
            Error::new(error.kind(), message)
        })
    }

    /// An argument as it is; NULL where there is none.
    ///
    /// ```
    /// # use pandodb::{Connection, FunctionFlags};
    /// let connection = Connection::open_in_memory()?;
    /// connection.create_scalar_function("kind", 1, FunctionFlags::DETERMINISTIC, |call| {
    ///     Ok(call.get_raw(0).data_type().to_string())
    /// })?;
    /// let kind: String = connection.query_row("SELECT kind(x'00')", (), |row| row.get(0))?;
    /// assert_eq!(kind, "blob");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn get_raw(&self, at: usize) -> ValueRef<'_> {
        self.values.get(at).copied().unwrap_or_default()
    }
}

impl std::fmt::Debug for FunctionContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FunctionContext")
            .field("name", &self.name)
            .field("values", &self.values)
            .finish()
    }
}

/// An aggregate: a value from the rows of a group.
///
/// ```
/// use pandodb::{Aggregate, Connection, FunctionContext, FunctionFlags, Result};
///
/// #[derive(Default)]
/// struct Longest(String);
///
/// impl Aggregate for Longest {
///     type Output = String;
///
///     fn step(&mut self, call: &FunctionContext<'_>) -> Result<()> {
///         let text: String = call.get(0)?;
///         if text.len() > self.0.len() {
///             self.0 = text;
///         }
///         Ok(())
///     }
///
///     fn value(&self) -> Result<String> {
///         Ok(self.0.clone())
///     }
/// }
///
/// let connection = Connection::open_in_memory()?;
/// connection.create_aggregate_function::<Longest>("longest", 1, FunctionFlags::DETERMINISTIC)?;
/// let text: String = connection.query_row(
///     "SELECT longest(column1) FROM (VALUES ('oak'), ('maple'), ('ash'))",
///     (),
///     |row| row.get(0),
/// )?;
/// assert_eq!(text, "maple");
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait Aggregate: Default + Send + 'static {
    /// What it gives.
    type Output: Into<Value>;

    /// Takes a row in.
    fn step(&mut self, call: &FunctionContext<'_>) -> Result<()>;

    /// The result for the rows that are in; as a window function, more rows may follow.
    fn value(&self) -> Result<Self::Output>;

    /// About how many bytes it keeps outside of itself. They count against what a statement may
    /// take (`PRAGMA hard_heap_limit`), so that one that keeps too much ends in an error; asked
    /// after each row, it should be quick.
    ///
    /// ```
    /// use pandodb::{Aggregate, FunctionContext, FunctionFlags, OpenOptions, Result};
    ///
    /// #[derive(Default)]
    /// struct Joined(String);
    ///
    /// impl Aggregate for Joined {
    ///     type Output = String;
    ///
    ///     fn step(&mut self, call: &FunctionContext<'_>) -> Result<()> {
    ///         self.0.push_str(&call.get::<String>(0)?);
    ///         Ok(())
    ///     }
    ///
    ///     fn value(&self) -> Result<String> {
    ///         Ok(self.0.clone())
    ///     }
    ///
    ///     fn memory_bytes(&self) -> usize {
    ///         self.0.capacity()
    ///     }
    /// }
    ///
    /// let mut options = OpenOptions::new();
    /// let connection = options.memory_limit(u64::MAX, 100_000).open_in_memory()?.connect()?;
    /// connection.create_aggregate_function::<Joined>("joined", 1, FunctionFlags::DETERMINISTIC)?;
    /// let sql = "SELECT length(joined(printf('%0100d', value))) FROM generate_series(1, ?)";
    /// let length: i64 = connection.query_row(sql, [100], |row| row.get(0))?;
    /// assert_eq!(length, 10_000);
    /// assert!(connection.query_row(sql, [10_000], |row| row.get::<_, i64>(0)).is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    fn memory_bytes(&self) -> usize {
        0
    }
}

/// An aggregate from which rows can be taken out again, in the order in which they came: as a
/// window function it does not begin anew for each row.
///
/// ```
/// use pandodb::{Aggregate, Connection, FunctionContext, FunctionFlags, Result, WindowAggregate};
///
/// #[derive(Default)]
/// struct Total(i64);
///
/// impl Aggregate for Total {
///     type Output = i64;
///
///     fn step(&mut self, call: &FunctionContext<'_>) -> Result<()> {
///         self.0 += call.get::<i64>(0)?;
///         Ok(())
///     }
///
///     fn value(&self) -> Result<i64> {
///         Ok(self.0)
///     }
/// }
///
/// impl WindowAggregate for Total {
///     fn inverse(&mut self, call: &FunctionContext<'_>) -> Result<()> {
///         self.0 -= call.get::<i64>(0)?;
///         Ok(())
///     }
/// }
///
/// let connection = Connection::open_in_memory()?;
/// connection.create_window_function::<Total>("total_of", 1, FunctionFlags::DETERMINISTIC)?;
/// let sql = "SELECT total_of(column1) OVER (ORDER BY column1 ROWS 1 PRECEDING)
///            FROM (VALUES (1), (2), (3))";
/// let mut statement = connection.prepare(sql)?;
/// let totals: Vec<i64> =
///     statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
/// assert_eq!(totals, [1, 3, 5]);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait WindowAggregate: Aggregate {
    /// Takes the oldest row out that is still in.
    fn inverse(&mut self, call: &FunctionContext<'_>) -> Result<()>;
}

impl Connection {
    /// Defines a window function of this connection, which is an aggregate, too.
    ///
    /// ```no_run
    /// # use pandodb::{Connection, FunctionFlags, WindowAggregate};
    /// # fn define<T: WindowAggregate>(connection: &Connection) -> pandodb::Result<()> {
    /// connection.create_window_function::<T>("mine", 1, FunctionFlags::DETERMINISTIC)
    /// # }
    /// ```
    pub fn create_window_function<A: WindowAggregate>(
        &self,
        name: &str,
        arguments: i32,
        flags: FunctionFlags,
    ) -> Result<()> {
        let arguments = argument_count(arguments)?;
        engine::define_window::<A>(&self.session, name, arguments, flags);
        Ok(())
    }

    /// Defines a function of this connection.
    ///
    /// `arguments` is how many it takes; -1 for any number. A function of that name and number
    /// that is there already, also a built-in one, is replaced.
    ///
    /// ```
    /// use pandodb::{Connection, FunctionFlags};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// connection.create_scalar_function("half", 1, FunctionFlags::DETERMINISTIC, |call| {
    ///     Ok(call.get::<f64>(0)? / 2.0)
    /// })?;
    /// let half: f64 = connection.query_row("SELECT half(21)", (), |row| row.get(0))?;
    /// assert_eq!(half, 10.5);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create_scalar_function<T, F>(
        &self,
        name: &str,
        arguments: i32,
        flags: FunctionFlags,
        function: F,
    ) -> Result<()>
    where
        T: Into<Value>,
        F: Fn(&FunctionContext<'_>) -> Result<T> + Send + Sync + 'static,
    {
        let arguments = argument_count(arguments)?;
        let compute = move |call: &FunctionContext<'_>| function(call).map(Into::into);
        engine::define_scalar(&self.session, name, arguments, flags, compute);
        Ok(())
    }

    /// Defines an aggregate of this connection; it works as a window function, too.
    ///
    /// ```
    /// use pandodb::{Aggregate, Connection, FunctionContext, FunctionFlags, Result};
    ///
    /// #[derive(Default)]
    /// struct Product(Option<i64>);
    ///
    /// impl Aggregate for Product {
    ///     type Output = Option<i64>;
    ///
    ///     fn step(&mut self, call: &FunctionContext<'_>) -> Result<()> {
    ///         self.0 = Some(self.0.unwrap_or(1) * call.get::<i64>(0)?);
    ///         Ok(())
    ///     }
    ///
    ///     fn value(&self) -> Result<Option<i64>> {
    ///         Ok(self.0)
    ///     }
    /// }
    ///
    /// let connection = Connection::open_in_memory()?;
    /// let flags = FunctionFlags::DETERMINISTIC;
    /// connection.create_aggregate_function::<Product>("product", 1, flags)?;
    /// let sql = "SELECT product(column1) FROM (VALUES (2), (3), (7))";
    /// let product: i64 = connection.query_row(sql, (), |row| row.get(0))?;
    /// assert_eq!(product, 42);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create_aggregate_function<A: Aggregate>(
        &self,
        name: &str,
        arguments: i32,
        flags: FunctionFlags,
    ) -> Result<()> {
        let arguments = argument_count(arguments)?;
        engine::define_aggregate::<A>(&self.session, name, arguments, flags);
        Ok(())
    }

    /// Takes a function away, also a built-in one.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.remove_function("random", 0)?;
    /// assert!(connection.prepare("SELECT random()").is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn remove_function(&self, name: &str, arguments: i32) -> Result<()> {
        let arguments = argument_count(arguments)?;
        if engine::remove(&self.session, name, arguments) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, format!("no such function: {name}")))
    }

    /// Defines how texts compare under `COLLATE name`.
    ///
    /// The order must be total and always the same: indexes are built with it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_collation("by_length", |left, right| left.len().cmp(&right.len()));
    /// let shorter: bool = connection.query_row(
    ///     "SELECT 'oak' < 'maple' COLLATE by_length",
    ///     (),
    ///     |row| row.get(0),
    /// )?;
    /// assert!(shorter);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create_collation<F>(&self, name: &str, compare: F)
    where
        F: Fn(&str, &str) -> Ordering + Send + Sync + 'static,
    {
        engine::define_collation(&self.session, name, compare);
    }
}

/// How many arguments; none of them stands for any number.
fn argument_count(arguments: i32) -> Result<Option<u16>> {
    match arguments {
        -1 => Ok(None),
        0..=127 => Ok(Some(arguments as u16)),
        _ => {
            let message = format!("a function cannot take {arguments} arguments");
            Err(Error::new(ErrorKind::Range, message).with_hint("0 to 127, or -1 for any number"))
        }
    }
}
