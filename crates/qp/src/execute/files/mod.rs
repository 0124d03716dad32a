//! What temporary files are used for: sorted runs that are merged, rows that wait for their turn,
//! keys that are looked for, rows that are read one after the other.
//!
//! Both gears use these; what the bytes of a row are is their own business. Neighbours: `memory`
//! has the files and the limits.

pub(super) mod keyed;
pub(super) mod partition;
pub(super) mod rows;
pub(super) mod runs;
#[cfg(test)]
mod tests;
