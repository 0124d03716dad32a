//! One compressor per thread instead of one per page.
//!
//! Setting up the tables of a compressor takes longer than compressing a small page: a page of
//! 4 KiB of one byte takes ZSTD 1.4 microseconds in a kept context and 9.4 in a new one. A slot
//! holds a tool between two uses of the same thread; taking it out instead of borrowing it means
//! that nothing can panic on a second borrow, and that a failed use simply leaves the slot empty.
//! Neighbours: `lz4`, `zstd` and `gzip` keep their tables here.

use std::cell::Cell;

/// A place for what is used again.
pub(super) type Slot<T> = Cell<Option<T>>;

/// Exchanges what a thread-local [`Slot`] holds; while the thread ends and its slots are gone
/// already, the slot is empty and stays so.
macro_rules! exchange {
    ($slot:ident) => {
        |content| $slot.try_with(|slot| slot.replace(content)).ok().flatten()
    };
}
pub(super) use exchange;

/// Whether a tool may be used again.
pub(super) struct Keep(pub(super) bool);

/// Runs `work` with the slot's content, or with what `make` builds where the slot is empty or
/// `is_fit` says that the content is of no use.
///
/// The content stays for the next use only if `work` answers that it may: tools promise less
/// about themselves after a failure than they keep.
pub(super) fn with_reused<T, R>(
    exchange: impl Fn(Option<T>) -> Option<T>,
    is_fit: impl FnOnce(&T) -> bool,
    make: impl FnOnce() -> Option<T>,
    work: impl FnOnce(&mut T) -> (R, Keep),
) -> Option<R> {
    let mut tool = exchange(None).filter(is_fit).or_else(make)?;
    let (result, keep) = work(&mut tool);
    if keep.0 {
        exchange(Some(tool));
    }
    Some(result)
}
