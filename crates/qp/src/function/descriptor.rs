//! What is known of a function: its name, how many arguments it takes, its kind and what
//! implements it.
//!
//! A [`Function`] is data: the binder chooses one by name and number of arguments, keeps the
//! `Arc`, and the executor calls through [`Implementation`]. Built-in functions are function
//! pointers, those of applications are closures; callers see no difference. Neighbours:
//! `registry` finds them, `builtin` lists them, `call` has the surroundings of a call.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use super::call::Context;
use crate::error::{Error, ErrorKind, Result};

/// A scalar function: pure in its arguments and what it asks of the context. The number of
/// arguments is within the function's arity: that is the binder's promise.
pub type ScalarFunction = fn(&mut Context<'_>, &[ValueRef<'_>]) -> Result<Value>;

/// A scalar function of an application.
pub type ScalarClosure = dyn Fn(&mut Context<'_>, &[ValueRef<'_>]) -> Result<Value> + Send + Sync;

/// Makes the state of an aggregate for one group or one window partition.
pub type NewAccumulator = dyn Fn() -> Box<dyn Accumulator> + Send + Sync;

/// How many arguments a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// The fewest.
    pub min: u16,
    /// The most; `None` for any number.
    pub max: Option<u16>,
}

impl Arity {
    /// Exactly `count` arguments.
    pub const fn exactly(count: u16) -> Self {
        Self { min: count, max: Some(count) }
    }

    /// From `min` to `max` arguments.
    pub const fn between(min: u16, max: u16) -> Self {
        Self { min, max: Some(max) }
    }

    /// `min` arguments or more.
    pub const fn at_least(min: u16) -> Self {
        Self { min, max: None }
    }

    /// Whether `count` arguments fit.
    pub fn takes(self, count: usize) -> bool {
        count >= usize::from(self.min) && self.max.is_none_or(|max| count <= usize::from(max))
    }
}

/// When two calls with the same arguments give the same result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Determinism {
    /// Always: calls with constant arguments may be folded, indexes may be built on it.
    Pure,
    /// During one statement (the clock, counters of the session): may be computed once per
    /// statement. `date` and its kin are allowed in indexes as long as they use no clock,
    /// which is checked at the call ([`Context::pure_place`]).
    Statement,
    /// Never (`random`).
    Volatile,
}

/// A function as the binder and the executor see it.
#[derive(Clone, Debug)]
pub struct Function {
    /// The name, in lower case.
    pub name: Cow<'static, str>,
    /// How many arguments it takes.
    pub arity: Arity,
    /// When equal calls give equal results.
    pub determinism: Determinism,
    /// What binder and executor have to do for it.
    pub traits: Traits,
    /// How a call is written: for hints and the reference manual. Empty for functions of
    /// applications.
    pub usage: &'static str,
    /// Its kind, and what computes it.
    pub implementation: Implementation,
}

/// What the binder and the executor have to do for a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent properties, read one at a time")]
pub struct Traits {
    /// Arguments are evaluated only as far as needed: `coalesce`, `ifnull`, `iif`, `if`. The
    /// binder writes them as CASE; the implementation is for callers with all values at hand.
    pub is_lazy: bool,
    /// It looks at [`Context::json_arguments`].
    pub reads_json: bool,
    /// It may set [`Context::json_result`].
    pub may_return_json: bool,
    /// It compares texts by [`Context::collation`] (the collation of its first argument that
    /// has one).
    pub uses_collation: bool,
    /// It may not be used in triggers, views and schema expressions.
    pub is_direct_only: bool,
}

/// The kind of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// A value from values.
    Scalar,
    /// A value from rows; with OVER a window function, too.
    Aggregate,
    /// A window function only.
    Window,
    /// Rows from values, in FROM.
    Table,
}

/// What computes a function.
#[derive(Clone)]
pub enum Implementation {
    /// A built-in scalar function.
    Scalar(ScalarFunction),
    /// A scalar function of an application.
    ScalarClosure(Arc<ScalarClosure>),
    /// An aggregate.
    Aggregate(Aggregate),
    /// A function of a window only.
    Window(WindowFunction),
    /// A table-valued function.
    Table(TableFunction),
}

/// Makes states of an aggregate.
#[derive(Clone)]
pub struct Aggregate {
    /// For groups, and for window frames that only grow.
    pub plain: AccumulatorFactory,
    /// For frames that lose their oldest rows, too. `None`: a frame is computed from its
    /// rows each time.
    pub sliding: Option<AccumulatorFactory>,
}

/// A source of states, built-in or of an application.
#[derive(Clone)]
pub enum AccumulatorFactory {
    /// A built-in one.
    Native(fn() -> Box<dyn Accumulator>),
    /// One of an application.
    Closure(Arc<NewAccumulator>),
}

impl AccumulatorFactory {
    /// A fresh state.
    pub fn make(&self) -> Box<dyn Accumulator> {
        match self {
            Self::Native(make) => make(),
            Self::Closure(make) => make(),
        }
    }
}

/// The state of an aggregate.
///
/// Rows come by [`step`](Self::step) in the order of the call's ORDER BY where it has one.
/// DISTINCT and FILTER are applied before. `count(*)` steps without arguments.
pub trait Accumulator: Send {
    /// Takes a row in.
    fn step(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()>;

    /// Takes out the oldest row that is still in, with the arguments it came with. Called on
    /// states from [`Aggregate::sliding`] only.
    fn inverse(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        let _ = (context, args);
        Err(Error::new(ErrorKind::Internal, "the aggregate cannot take rows out"))
    }

    /// The result for the rows that are in; more rows may follow.
    fn value(&self, context: &mut Context<'_>) -> Result<Value>;

    /// Whether further rows cannot change the result (`min` of a column read in order, ...):
    /// a hint, `false` is always right.
    fn is_settled(&self) -> bool {
        false
    }

    /// About how much memory the state holds besides itself.
    fn memory_bytes(&self) -> usize {
        0
    }
}

/// Where the current row of a window function stands in its partition. Rows count from zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The current row.
    pub row: u64,
    /// The rows of the partition.
    pub rows: u64,
    /// The rows equal to the current one under the window's ORDER BY, itself included (all
    /// rows without ORDER BY).
    pub peers: Range<u64>,
    /// How many groups of peers stand before.
    pub peer_group: u64,
}

/// The rows of a partition, for window functions that look at other rows than the current.
pub trait PartitionRows {
    /// The call's argument `index` (from zero) as evaluated on `row`.
    fn argument(&mut self, row: u64, index: usize) -> Result<Value>;
}

/// Computes a window function for one row: its position, its frame, the number of arguments
/// of the call, and the partition.
pub type WindowValue = fn(&Position, &[Range<u64>], usize, &mut dyn PartitionRows) -> Result<Value>;

/// A function of a window. The functions of position ignore the frame; `first_value`,
/// `last_value` and `nth_value` choose from it.
///
/// The frame of the current row is given as ascending ranges that do not touch: one range,
/// or up to three where EXCLUDE cuts it; empty ranges are left out.
#[derive(Clone, Copy)]
pub struct WindowFunction {
    /// The value for the current row.
    pub value: WindowValue,
    /// Whether the value depends on the frame.
    pub uses_frame: bool,
    /// How far the function looks at rows behind the current one, the frame aside.
    pub rows_ahead: RowsAhead,
}

/// Up to which row behind the current one a window function looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsAhead {
    /// At most so many.
    Most(usize),
    /// As many as the second argument says, one without it.
    Offset,
    /// The whole partition.
    Partition,
}

/// A column of a table-valued function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The name.
    pub name: &'static str,
    /// Hidden columns are the function's parameters, in order: they show only when named, and
    /// an equality in WHERE gives an argument, too.
    pub is_hidden: bool,
    /// The column with the JSON type of this one: arrays and objects are JSON to functions.
    pub json_type: Option<u16>,
}

/// Opens a table-valued function.
pub type OpenTable = fn(&mut Context<'_>, &[ValueRef<'_>]) -> Result<Box<dyn TableRows>>;

/// A function in FROM.
#[derive(Clone, Copy)]
pub struct TableFunction {
    /// Its columns; the hidden ones are its parameters.
    pub columns: &'static [TableColumn],
    /// Opens the rows for arguments; those left out are missing at the end.
    pub open: OpenTable,
}

/// The rows of a table-valued function, one after the other.
pub trait TableRows: Send {
    /// Goes to the next row (the first at first); false at the end.
    fn next(&mut self, context: &mut Context<'_>) -> Result<bool>;

    /// Column `index` of the current row. Sets [`Context::json_result`] where it is JSON.
    fn column(&self, context: &mut Context<'_>, index: usize) -> Result<Value>;

    /// The row id of the current row.
    fn row_id(&self) -> i64;
}

impl Function {
    /// A scalar function of an application.
    pub fn scalar<F>(name: &str, arity: Arity, determinism: Determinism, function: F) -> Self
    where
        F: Fn(&mut Context<'_>, &[ValueRef<'_>]) -> Result<Value> + Send + Sync + 'static,
    {
        let implementation = Implementation::ScalarClosure(Arc::new(function));
        Self::of_application(name, arity, determinism, implementation)
    }

    /// An aggregate of an application; `takes_rows_out` tells that its states have an
    /// [`Accumulator::inverse`].
    pub fn aggregate(
        name: &str,
        arity: Arity,
        determinism: Determinism,
        takes_rows_out: bool,
        make: impl Fn() -> Box<dyn Accumulator> + Send + Sync + 'static,
    ) -> Self {
        let plain = AccumulatorFactory::Closure(Arc::new(make));
        let sliding = takes_rows_out.then(|| plain.clone());
        let implementation = Implementation::Aggregate(Aggregate { plain, sliding });
        Self::of_application(name, arity, determinism, implementation)
    }

    fn of_application(
        name: &str,
        arity: Arity,
        determinism: Determinism,
        implementation: Implementation,
    ) -> Self {
        let name = Cow::Owned(name.to_ascii_lowercase());
        let traits = Traits::default();
        Self { name, arity, determinism, traits, usage: "", implementation }
    }

    /// The kind.
    pub fn kind(&self) -> FunctionKind {
        match self.implementation {
            Implementation::Scalar(_) | Implementation::ScalarClosure(_) => FunctionKind::Scalar,
            Implementation::Aggregate(_) => FunctionKind::Aggregate,
            Implementation::Window(_) => FunctionKind::Window,
            Implementation::Table(_) => FunctionKind::Table,
        }
    }

    /// Whether equal calls always give equal results.
    pub fn is_deterministic(&self) -> bool {
        self.determinism == Determinism::Pure
    }

    /// Calls a scalar function. The caller sets the JSON flags of the arguments before where
    /// [`Traits::reads_json`] is set; [`Context::json_result`] is reset here.
    pub fn call(&self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
        context.json_result = false;
        let result = match &self.implementation {
            Implementation::Scalar(function) => function(context, args),
            Implementation::ScalarClosure(function) => function(context, args),
            _ => {
                let message = format!("{}() is called as a scalar function", self.name);
                Err(Error::new(ErrorKind::Internal, message))
            }
        };
        if let Some(place) = context.pure_place
            && context.used_clock.take()
        {
            let message = format!("non-deterministic use of {}() in {place}", self.name);
            return Err(Error::new(ErrorKind::User, message));
        }
        result
    }
}

impl fmt::Debug for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar(_) => "Scalar",
            Self::ScalarClosure(_) => "ScalarClosure",
            Self::Aggregate(_) => "Aggregate",
            Self::Window(_) => "Window",
            Self::Table(_) => "Table",
        })
    }
}
