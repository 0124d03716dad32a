//! The bytes of a file that lives in memory: chunks of equal size, absent where only zeros are.
//!
//! Growing moves pointers and never bytes, gaps cost nothing, and running out of memory is an
//! error instead of an abort, because a `:memory:` database may well do so. Invariant: bytes of
//! a chunk past the length are zero. Neighbours: `memory` (one buffer per file), `sim` (two: what
//! is durable and what programs read).

use std::collections::TryReserveError;

/// Bytes in one chunk: large enough that finding one costs nothing next to copying it.
const CHUNK: usize = 64 * 1024;

/// Growing bytes with positional reads and writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer {
    chunks: Vec<Option<Box<[u8]>>>,
    len: u64,
}

impl Buffer {
    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Copies from `offset` on and returns how many bytes there were.
    pub(super) fn read(&self, offset: u64, target: &mut [u8]) -> usize {
        let available = self.len.saturating_sub(offset).min(target.len() as u64) as usize;
        let mut rest = &mut target[..available];
        let mut position = offset;
        while !rest.is_empty() {
            let (index, start) = locate(position);
            let count = rest.len().min(CHUNK - start);
            let (part, after) = rest.split_at_mut(count);
            match self.chunks.get(index) {
                Some(Some(chunk)) => part.copy_from_slice(&chunk[start..start + count]),
                _ => part.fill(0),
            }
            rest = after;
            position += count as u64;
        }
        available
    }

    /// Copies `bytes` to `offset`, growing where needed. The caller has checked that the end is
    /// representable. Without memory nothing changes visibly.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TryReserveError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let end = offset + bytes.len() as u64;
        let (first, last) = (locate(offset).0, locate(end - 1).0);
        if self.chunks.len() <= last {
            self.chunks.try_reserve(last + 1 - self.chunks.len())?;
            self.chunks.resize_with(last + 1, || None);
        }
        for chunk in &mut self.chunks[first..=last] {
            if chunk.is_none() {
                let mut fresh = Vec::new();
                fresh.try_reserve_exact(CHUNK)?;
                fresh.resize(CHUNK, 0);
                *chunk = Some(fresh.into_boxed_slice());
            }
        }
        let (mut rest, mut position) = (bytes, offset);
        while !rest.is_empty() {
            let (index, start) = locate(position);
            let (part, after) = rest.split_at(rest.len().min(CHUNK - start));
            if let Some(chunk) = &mut self.chunks[index] {
                chunk[start..start + part.len()].copy_from_slice(part);
            }
            rest = after;
            position += part.len() as u64;
        }
        self.len = self.len.max(end);
        Ok(())
    }

    /// Cuts, or extends with zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let (index, start) = locate(len);
            if let Some(Some(chunk)) = self.chunks.get_mut(index) {
                chunk[start..].fill(0);
            }
            let kept = index + usize::from(start > 0);
            self.chunks.truncate(kept);
        }
        self.len = len;
    }
}

/// The chunk of a position and the place in it.
fn locate(position: u64) -> (usize, usize) {
    let index = usize::try_from(position / CHUNK as u64).unwrap_or(usize::MAX - 1);
    (index, (position % CHUNK as u64) as usize)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, u8, usize),
        SetLen(u64),
        Read(u64, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        // Positions near the chunk borders, where mistakes live.
        let position = (0..4u64, -3..4i64)
            .prop_map(|(chunk, delta)| (chunk * CHUNK as u64).saturating_add_signed(delta));
        let count = prop_oneof![0..9usize, CHUNK - 3..CHUNK + 3];
        prop_oneof![
            (position.clone(), 1..255u8, count.clone()).prop_map(|(p, b, c)| Step::Write(p, b, c)),
            position.clone().prop_map(Step::SetLen),
            (position, count).prop_map(|(p, c)| Step::Read(p, c)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn behaves_like_one_vector(steps in prop::collection::vec(step(), 1..20)) {
            let (mut buffer, mut model) = (Buffer::default(), Vec::<u8>::new());
            for step in steps {
                match step {
                    Step::Write(at, byte, count) => {
                        buffer.write(at, &vec![byte; count]).unwrap();
                        let end = at as usize + count;
                        if count > 0 {
                            model.resize(model.len().max(end), 0);
                            model[at as usize..end].fill(byte);
                        }
                    }
                    Step::SetLen(len) => {
                        buffer.set_len(len);
                        model.resize(len as usize, 0);
                    }
                    Step::Read(at, count) => {
                        let mut target = vec![0xEE; count];
                        let read = buffer.read(at, &mut target);
                        let start = model.len().min(at as usize);
                        let expected = &model[start..model.len().min(start + count)];
                        prop_assert_eq!(&target[..read], expected);
                    }
                }
                prop_assert_eq!(buffer.len(), model.len() as u64);
                let mut all = vec![0xEE; model.len()];
                buffer.read(0, &mut all);
                prop_assert!(all == model);
            }
        }
    }

    #[test]
    fn too_much_is_an_error_and_leaves_the_rest() {
        let mut buffer = Buffer::default();
        buffer.write(3, b"kept").unwrap();
        assert!(buffer.write(u64::MAX - 100, b"far away").is_err());
        assert_eq!(buffer.len(), 7);
        buffer.set_len(1 << 60);
        let mut end = [1; 9];
        assert_eq!(buffer.read((1 << 60) - 4, &mut end), 4);
        assert_eq!(end[..4], [0; 4]);
    }
}
