//! Memory that the processor is asked for before it is read.
//!
//! A scan of a table that is larger than the processor's caches waits for memory for a third of
//! its time, and who looks for rows by chance for more than half. Reading ahead does not help:
//! what is read has to arrive before the processor goes on. So what comes next is asked for with
//! the instruction that is made for it, which waits for nothing. It is a hint: it reads nothing,
//! changes nothing and cannot fail, whatever the address; where there is no such instruction
//! nothing happens. Neighbours: `leaf_walk` asks for the page behind the one that it walks
//! through, and for entries that are sought soon.
#![allow(
    unsafe_code,
    reason = "there is no safe way to say it, and it pays: see docs/performance.md"
)]

/// The bytes that a processor fetches together.
pub(super) const LINE: usize = 64;

/// Asks for bytes that are read soon.
#[inline]
pub(super) fn ask_for(bytes: &[u8]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for line in bytes.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint about an address, here of borrowed bytes; nothing is read or written.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = bytes;
}

// Neighbours: `leaf_walk`.
