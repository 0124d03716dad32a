//! The bytes of the file that have a fixed place: superblocks, page references, tree roots.
//!
//! `docs/file-format.md` describes them for other readers; its tables come from [`layout`].
//! Neighbours: `page` has the bytes of pages, `space` those of the space map.

pub mod bytes;
pub mod layout;
pub mod page_ref;
pub mod superblock;
pub mod tree_root;

pub use page_ref::{Extent, Granule, PageKind, PageRef, Stored, granules_of};
pub use superblock::Superblock;
pub use tree_root::{TreeKind, TreeRoot};
