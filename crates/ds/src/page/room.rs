//! Memory of small leaves, which a thread uses again that gives one back and asks for the next.
//!
//! Each change of one row copies the entries of its leaf into memory of a few kilobytes, and the
//! version before it goes with its own such copy as soon as nobody reads it. Allocators keep
//! pieces of this size in lists that are locked, searched and put together again, which took more
//! time than copying the entries. So a thread keeps a few of them. Neighbours: `leaf` gives its
//! bytes back, `leaf_shared` asks for some.

use std::cell::RefCell;
use std::ops::RangeInclusive;

/// What is worth keeping: less is quick to find anyhow, more is too much to hold.
const BYTES: RangeInclusive<usize> = 1 << 10..=8 << 10;

/// How many a thread keeps.
const KEPT: usize = 16;

/// Memory is asked for in steps of this, so that it fits the next leaf that is a little larger.
const STEP: usize = 512;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Empty room for `bytes`.
pub(super) fn take(bytes: usize) -> Vec<u8> {
    if !BYTES.contains(&bytes) {
        return Vec::with_capacity(bytes);
    }
    // Where the thread is about to end, or was asked in the middle of this, there is none.
    let found = SPARE.try_with(|spare| {
        let spare = &mut *spare.try_borrow_mut().ok()?;
        let at = spare.iter().rposition(|room| room.capacity() >= bytes)?;
        Some(spare.swap_remove(at))
    });
    match found {
        Ok(Some(room)) => room,
        _ => Vec::with_capacity(bytes.next_multiple_of(STEP)),
    }
}

/// Keeps the memory of `room` for the next who asks, if it is worth it.
pub(super) fn give_back(mut room: Vec<u8>) {
    if !BYTES.contains(&room.capacity()) {
        return;
    }
    room.clear();
    let _ = SPARE.try_with(|spare| {
        let Ok(mut spare) = spare.try_borrow_mut() else { return };
        if spare.len() < KEPT {
            spare.push(room);
        } else if let Some(least) = spare.iter_mut().find(|it| it.capacity() < room.capacity()) {
            // What is larger is enough for more.
            *least = room;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_used_again_where_it_is_enough() {
        let first = take(2000);
        assert!(first.is_empty() && first.capacity() >= 2000);
        let place = first.as_ptr();
        give_back(first);
        let larger = take(3000);
        assert!(larger.capacity() >= 3000);
        assert_ne!(larger.as_ptr(), place);
        let mut again = take(1500);
        assert_eq!(again.as_ptr(), place);
        again.extend_from_slice(&[7; 1500]);
        give_back(again);
        assert!(take(1200).is_empty(), "nothing is left of what was there");
    }

    #[test]
    fn little_is_kept() {
        for bytes in [100, 20_000] {
            give_back(Vec::with_capacity(bytes));
        }
        (0..100).for_each(|_| give_back(Vec::with_capacity(2000)));
        SPARE.with_borrow(|spare| assert_eq!(spare.len(), KEPT));
    }
}

// Neighbours: `leaf`, `leaf_shared`.
