//! Functions, aggregates and collations of an application for the engine.
//!
//! Neighbours: `crate::functions` is what the application sees of it.

use std::cmp::Ordering;

use pandodb_ds::record::{Value as StoredValue, ValueRef as StoredRef};
use pandodb_ds::sync::Arc;
use pandodb_qp::function::{Accumulator, Arity, Context, Determinism, Function};

use super::session::{Session, borrowed, stored};
use crate::error::Error;
use crate::functions::{Aggregate, FunctionContext, FunctionFlags, WindowAggregate};
use crate::value::{Value, ValueRef};

pub(crate) fn define_scalar<F>(
    session: &Session,
    name: &str,
    arguments: Option<u16>,
    flags: FunctionFlags,
    function: F,
) where
    F: Fn(&FunctionContext<'_>) -> Result<Value, Error> + Send + Sync + 'static,
{
    let own_name: Box<str> = name.into();
    let call = move |_: &mut Context<'_>, values: &[StoredRef<'_>]| {
        with_call(&own_name, values, |call| {
            function(call).map(|value| stored(value.as_ref())).map_err(refused)
        })
    };
    let function = Function::scalar(name, arity(arguments), determinism(flags), call);
    session.inner().change_functions(|registry| registry.define(function));
}

pub(crate) fn define_aggregate<A: Aggregate>(
    session: &Session,
    name: &str,
    arguments: Option<u16>,
    flags: FunctionFlags,
) {
    let own_name: Arc<str> = name.into();
    let make = move || -> Box<dyn Accumulator> {
        Box::new(State { name: Arc::clone(&own_name), aggregate: A::default() })
    };
    let function = Function::aggregate(name, arity(arguments), determinism(flags), false, make);
    session.inner().change_functions(|registry| registry.define(function));
}

pub(crate) fn define_window<A: WindowAggregate>(
    session: &Session,
    name: &str,
    arguments: Option<u16>,
    flags: FunctionFlags,
) {
    let own_name: Arc<str> = name.into();
    let make = move || -> Box<dyn Accumulator> {
        Box::new(Sliding(State { name: Arc::clone(&own_name), aggregate: A::default() }))
    };
    let function = Function::aggregate(name, arity(arguments), determinism(flags), true, make);
    session.inner().change_functions(|registry| registry.define(function));
}

pub(crate) fn remove(session: &Session, name: &str, arguments: Option<u16>) -> bool {
    session.inner().change_functions(|registry| registry.remove(name, arity(arguments)))
}

pub(crate) fn define_collation<F>(session: &Session, name: &str, compare: F)
where
    F: Fn(&str, &str) -> Ordering + Send + Sync + 'static,
{
    let compare = move |left: &[u8], right: &[u8]| {
        // What is no UTF-8 is shown with replacements; texts that then look equal keep an order.
        let (shown_left, shown_right) =
            (String::from_utf8_lossy(left), String::from_utf8_lossy(right));
        let order = compare(&shown_left, &shown_right);
        let is_exact = matches!(
            (&shown_left, &shown_right),
            (std::borrow::Cow::Borrowed(_), std::borrow::Cow::Borrowed(_))
        );
        if is_exact { order } else { order.then_with(|| left.cmp(right)) }
    };
    session.inner().define_collation(name, Arc::new(compare));
}

/// An aggregate's state for one group.
struct State<A> {
    name: Arc<str>,
    aggregate: A,
}

impl<A: Aggregate> Accumulator for State<A> {
    fn step(&mut self, _: &mut Context<'_>, values: &[StoredRef<'_>]) -> pandodb_qp::Result<()> {
        let aggregate = &mut self.aggregate;
        with_call(&self.name, values, |call| aggregate.step(call).map_err(refused))
    }

    fn value(&self, _: &mut Context<'_>) -> pandodb_qp::Result<StoredValue> {
        let value: Value = self.aggregate.value().map_err(refused)?.into();
        Ok(stored(value.as_ref()))
    }

    fn memory_bytes(&self) -> usize {
        size_of::<A>() + self.aggregate.memory_bytes()
    }
}

/// The same for one whose rows can be taken out again.
struct Sliding<A>(State<A>);

impl<A: WindowAggregate> Accumulator for Sliding<A> {
    fn step(
        &mut self,
        context: &mut Context<'_>,
        values: &[StoredRef<'_>],
    ) -> pandodb_qp::Result<()> {
        self.0.step(context, values)
    }

    fn inverse(&mut self, _: &mut Context<'_>, values: &[StoredRef<'_>]) -> pandodb_qp::Result<()> {
        let aggregate = &mut self.0.aggregate;
        with_call(&self.0.name, values, |call| aggregate.inverse(call).map_err(refused))
    }

    fn value(&self, context: &mut Context<'_>) -> pandodb_qp::Result<StoredValue> {
        self.0.value(context)
    }

    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

fn with_call<T>(
    name: &str,
    values: &[StoredRef<'_>],
    call: impl FnOnce(&FunctionContext<'_>) -> T,
) -> T {
    // Most calls have few arguments, and these need no allocation.
    if let [value] = values {
        return call(&FunctionContext { name, values: &[borrowed(*value)] });
    }
    let values: Vec<ValueRef<'_>> = values.iter().map(|value| borrowed(*value)).collect();
    call(&FunctionContext { name, values: &values })
}

fn arity(arguments: Option<u16>) -> Arity {
    arguments.map_or(Arity::at_least(0), Arity::exactly)
}

fn determinism(flags: FunctionFlags) -> Determinism {
    if flags.is_deterministic { Determinism::Pure } else { Determinism::Volatile }
}

/// The engine's error for one that a function returned.
fn refused(error: Error) -> pandodb_qp::Error {
    pandodb_qp::Error::new(pandodb_qp::ErrorKind::User, error.message()).caused_by(error)
}
