//! Execution: plans to rows.
//!
//! A [`Frame`] holds what one running query block changes: the current row of each slot, the
//! state of each operator, the states of its subqueries. Operators are the plan's nodes; they
//! find their state in the frame and are called with the frame and what lies around it
//! ([`Outer`]). Expressions read frames through a [`Scope`]: the block's own frame and, linked,
//! those of the blocks around it. While an expression is evaluated nothing but subqueries can
//! change, and those are in cells of their own, so that values are borrowed right from pages.
//!
//! Neighbours: `plan` has the nodes, `scalar::evaluate` the expressions, `modify` the changes.

pub mod batch;
mod context;
mod files;
mod frame;
mod given;
mod key;
mod lend;
mod memory;
mod operators;
mod parameters;
mod profile;
mod rank;
mod recall;
pub mod row;
mod set;
mod source;
mod subquery;

pub use context::{Context, Counters, DeferredViolations, RunState, Settings};
pub use frame::{Frame, Outer, Scope, State};
pub use given::{GivenRows, RowStream};
pub(crate) use key::push_collated;
pub use key::{HashedRow, push_group_key};
pub use lend::{LentRow, Projection, RowCells};
pub use memory::Account;
pub(crate) use memory::Weight;
use operators::SharedRows;
pub use parameters::{Bindings, Parameters};
pub use profile::{Figures, Profile};
pub use row::{Kept, Slot, SlotRow};
pub use source::{
    LoneTransaction, Looked, Reader, SharedTransaction, Sources, Version, VersionName, Versions,
};
pub(crate) use subquery::{KnownResult, SubqueryState};
