//! The rows that every contender gets: eight-byte keys and text-like values.
//!
//! Values are words of a vocabulary with the frequencies of natural language (a few words are
//! most of the text), drawn by a generator with a fixed seed: compressible as text is, and the
//! same in every run. Neighbours: every suite.

use fastrand::Rng;

/// The bytes of a value.
pub(crate) const VALUE_BYTES: usize = 100;

/// The words that most of a natural text is made of.
pub(crate) const WORDS: usize = 1024;

/// A vocabulary of which a page holds only a part: hard for a codec that sees a page alone.
pub(crate) const WORDS_RICH: usize = 4096;

/// Rows with keys from 0 on.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) rows: u64,
    values: Vec<u8>,
}

impl Data {
    /// `rows` rows of text over a vocabulary of `words`, always the same.
    pub(crate) fn new(rows: u64, words: usize) -> Self {
        let mut text = Text::new(0x7061_6e64, words);
        let mut values = Vec::with_capacity(rows as usize * VALUE_BYTES);
        for _ in 0..rows {
            text.append(&mut values, VALUE_BYTES);
        }
        Self { rows, values }
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: u64) -> &[u8] {
        let at = key as usize * VALUE_BYTES;
        &self.values[at..at + VALUE_BYTES]
    }

    /// Every key once, in an order without order.
    pub(crate) fn shuffled_keys(&self, seed: u64) -> Vec<u64> {
        let mut keys: Vec<u64> = (0..self.rows).collect();
        Rng::with_seed(seed).shuffle(&mut keys);
        keys
    }

    /// `count` keys by chance, repetitions possible.
    pub(crate) fn random_keys(&self, count: u64, seed: u64) -> Vec<u64> {
        let mut random = Rng::with_seed(seed);
        (0..count).map(|_| random.u64(0..self.rows)).collect()
    }
}

/// Text of made-up words.
#[derive(Debug)]
pub(crate) struct Text {
    words: Vec<Vec<u8>>,
    random: Rng,
}

impl Text {
    pub(crate) fn new(seed: u64, words: usize) -> Self {
        let mut random = Rng::with_seed(seed);
        let words = (0..words)
            .map(|_| {
                let length = random.usize(2..10);
                (0..length).map(|_| random.u8(b'a'..=b'z')).collect()
            })
            .collect();
        Self { words, random }
    }

    /// Appends exactly `bytes` bytes of words and blanks.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, bytes: usize) {
        let end = out.len() + bytes;
        while out.len() < end {
            // The inverse of Zipf's distribution, about: rank r with a chance of 1 / r.
            let words = self.words.len();
            let rank = (words as f64).powf(self.random.f64()) as usize - 1;
            out.extend_from_slice(&self.words[rank.min(words - 1)]);
            out.push(b' ');
        }
        out.truncate(end);
    }
}
