//! One compressor per thread instead of one per page.
//!
//! The tables of a compressor take longer to set up than a page to compress. A slot holds one
//! between two uses of the same thread; taking it out instead of borrowing it means that
//! nothing can panic on a second borrow, and that a failed use simply leaves the slot empty.
//! Neighbours: `lz4`, `zstd` and `gzip` keep their tables here.

use std::cell::Cell;
use std::thread::LocalKey;

/// A place for what is used again.
pub(super) type Slot<T> = Cell<Option<T>>;

/// Runs `work` with the slot's content, or with what `make` builds where the slot is empty or
/// `is_fit` says that the content is of no use. The content stays for the next use.
///
/// Also works while the thread ends and its slots are gone.
pub(super) fn with_reused<T, R>(
    slot: &'static LocalKey<Slot<T>>,
    is_fit: impl FnOnce(&T) -> bool,
    make: impl FnOnce() -> Option<T>,
    work: impl FnOnce(&mut T) -> R,
) -> Option<R> {
    let kept = slot.try_with(Cell::take).ok().flatten().filter(is_fit);
    let mut tool = kept.or_else(make)?;
    let result = work(&mut tool);
    // While the thread ends there is nowhere to keep it, and no need to.
    let _ = slot.try_with(|slot| slot.set(Some(tool)));
    Some(result)
}
