//! Who is told of the statements that a connection runs.
//!
//! Neighbours: `prepared` tells, `crate::hooks` takes what an application wants to be told.

use std::cell::{Cell, RefCell};
use std::time::Duration;

type TraceHook = Box<dyn FnMut(&str) + Send>;
type ProfileHook = Box<dyn FnMut(&str, Duration) + Send>;

/// The hooks of a connection. A hook has no way to the connection that calls it, so that it is
/// never called while it is being called or replaced.
#[derive(Default)]
pub(crate) struct Tracer {
    is_wanted: Cell<bool>,
    at_begin: RefCell<Option<TraceHook>>,
    at_end: RefCell<Option<ProfileHook>>,
}

impl Tracer {
    pub(crate) fn set_trace(&self, hook: Option<TraceHook>) {
        *self.at_begin.borrow_mut() = hook;
        self.look();
    }

    pub(crate) fn set_profile(&self, hook: Option<ProfileHook>) {
        *self.at_end.borrow_mut() = hook;
        self.look();
    }

    fn look(&self) {
        self.is_wanted.set(self.at_begin.borrow().is_some() || self.at_end.borrow().is_some());
    }

    /// Whether anybody wants to be told.
    #[inline]
    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.get()
    }

    pub(super) fn tell_of_begin(&self, text: impl FnOnce() -> String) {
        if let Some(hook) = &mut *self.at_begin.borrow_mut() {
            hook(&text());
        }
    }

    pub(super) fn tell_of_end(&self, sql: &str, took: Duration) {
        if let Some(hook) = &mut *self.at_end.borrow_mut() {
            hook(sql, took);
        }
    }
}
