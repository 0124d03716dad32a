//! Pages in memory and their stored forms: leaves, inner pages, deltas.
//!
//! Nothing here knows where pages are kept: `pager` reads and writes them, `tree` arranges them.

pub mod delta;
mod fetch;
pub mod inner;
pub mod leaf;
pub mod leaf_draft;
pub mod leaf_edit;
mod leaf_shared;
mod leaf_stored;
mod leaf_walk;
pub mod lineage;
pub mod node;
pub mod origin;
mod room;
pub mod separators;

#[cfg(test)]
mod tests;

pub use inner::{Child, Inner, Link, NO_HINT};
pub use leaf::{Cell, CellKind, Leaf, fixed_key};
pub use leaf_draft::LeafDraft;
pub use leaf_edit::Room;
pub use leaf_walk::Around;
pub use node::{Body, Node};
pub use separators::{Separators, shortest_separator};
