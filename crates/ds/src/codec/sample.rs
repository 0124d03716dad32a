//! A look at a page before an expensive compressor gets it.
//!
//! Pages of random, encrypted or already compressed bytes cost a compressor the most and come
//! out no smaller. Two tests find them, the cheaper one first:
//!
//! 1. About a thousand bytes, spread over the page, are counted. In random bytes every value
//!    is as frequent as any other; the sum of the squares of the counts is least then. Text,
//!    numbers and even base64 are far above it, and a page with a tenth of text is above the
//!    threshold as well. The distance between two samples is odd, so that records whose length
//!    is a power of two are not always met at the same byte.
//! 2. Frequencies say nothing about repetitions: forty copies of one random key look as flat
//!    as random bytes. So a page that looks flat goes through LZ4, which runs over
//!    incompressible bytes without stopping; only if that saves nothing either is the page
//!    stored as it is.
//!
//! Measured on pages of 16 KiB (one core of a shared machine, microseconds per page): the first
//! test takes 0.7, both take 3. That is all that a page of random bytes costs then; without a
//! look it costs 11 with ZSTD(1), 14 with ZSTD, 880 with ZSTD(19) and 170 with GZIP. Pages of
//! rows pay the 0.7 on top of 58 with ZSTD and 350 with GZIP. LZ4 and RLE need no look: LZ4 is
//! the second test itself, and RLE ends where its room does.
//!
//! A wrong answer costs space or time and nothing else. Neighbours: `codec` asks.

use super::{lz4, worthwhile_bytes};

const SAMPLES: usize = 1024;

/// How far above that of random bytes the sum of squares may be, in tenths.
///
/// The standard deviation of the sum is about 2 % for random bytes.
const FLAT_TENTHS: u64 = 11;

/// Whether compressing `raw` will most probably save nothing.
///
/// The trial uses `scratch` behind its present content and leaves it as it was.
pub(super) fn is_incompressible(raw: &[u8], scratch: &mut Vec<u8>) -> bool {
    if !is_flat(raw) {
        return false;
    }
    let start = scratch.len();
    let is_shorter = lz4::compress(raw, worthwhile_bytes(raw.len()), scratch);
    scratch.truncate(start);
    !is_shorter
}

/// Whether all byte values are about equally frequent.
fn is_flat(raw: &[u8]) -> bool {
    let step = (raw.len() / SAMPLES) | 1;
    let mut counts = [0_u16; 256];
    let mut samples = 0_u64;
    for &byte in raw.iter().step_by(step) {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
        samples += 1;
    }
    let squares: u64 = counts.iter().map(|&count| u64::from(count) * u64::from(count)).sum();
    // Pairs of equal samples, without each sample's pair with itself.
    let pairs = squares.saturating_sub(samples);
    let expected = samples * samples.saturating_sub(1) / 256;
    pairs * 10 <= expected * FLAT_TENTHS
}
