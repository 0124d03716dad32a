//! Every bound of the storage layer in one table.
//!
//! Bounds on what a file may claim (lengths, depths) protect against damaged and hostile
//! files: they are checked before anything is allocated. Neighbours: `format` uses them for the
//! layout, `page` and `tree` for sizes.

/// The unit of space in the file, in bytes: extents start and end on granules.
pub const GRANULE_BYTES: u64 = 512;

/// The bytes of one superblock slot.
pub const SUPERBLOCK_BYTES: u64 = 4096;

/// The first granule behind the two superblock slots.
pub const FIRST_GRANULE: u64 = 2 * SUPERBLOCK_BYTES / GRANULE_BYTES;

/// The size that a page is split at, unless the options say otherwise.
pub const PAGE_BYTES_DEFAULT: usize = 16 * 1024;

/// The smallest page size that options may ask for.
pub const PAGE_BYTES_MIN: usize = 1024;

/// The largest page size that options may ask for.
pub const PAGE_BYTES_MAX: usize = 64 * 1024;

/// The longest stored form of one page, in its raw or compressed form.
///
/// A page is larger than the split size only where one entry alone is; the longest key bounds
/// that.
pub const EXTENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The longest key in bytes.
pub const KEY_BYTES_MAX: usize = 1024 * 1024;

/// The bytes of a large value that one overflow extent holds.
pub const OVERFLOW_CHUNK_BYTES: usize = 64 * 1024;

/// The longest value in bytes.
pub const VALUE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// The greatest height of a tree; a file that claims more is damaged.
pub const TREE_LEVELS_MAX: u8 = 24;

/// The longest value that stays in its leaf, for a page size.
#[must_use]
pub const fn inline_value_bytes_max(page_bytes: usize) -> usize {
    page_bytes / 4
}
