//! Places of texts in the order of an application's collation, as bytes.
//!
//! Sorts, groups and sets work on keys that memcmp orders, and an application gives nothing but a
//! comparison. So a text that a run of a statement meets is given a *label*: bytes that stand
//! between the labels of the texts around it, and the same for texts that compare as equal. Labels
//! never change, so keys may be made as rows come. A label begins with 16 bytes; where the gap
//! between two has none left, it gets longer. Neighbours: `key` puts labels into keys,
//! `types::Collations` compares.

use std::cell::RefCell;
use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use crate::types::Collations;

/// The labels of a run, by collation.
#[derive(Debug, Default)]
pub struct Ranks(RefCell<FxHashMap<u32, Ranking>>);

/// Texts of one collation in their order.
#[derive(Debug, Default)]
struct Ranking {
    /// In pieces, so that a new one moves few others; no piece is empty.
    pieces: Vec<Vec<Entry>>,
    /// The newest label: texts often come in order.
    newest: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    label: Box<[u8]>,
}

/// How long a piece may get.
const PIECE: usize = 512;
/// The bytes that each label has.
const HEAD: usize = size_of::<u128>();
/// The gap that is left at the ends.
const STEP: u128 = 1 << 90;

impl Ranks {
    /// Forgets all labels.
    #[inline]
    pub(super) fn clear(&mut self) {
        let labels = self.0.get_mut();
        if !labels.is_empty() {
            labels.clear();
        }
    }

    /// Calls `use_label` with the label of a text.
    pub(super) fn with_label<T>(
        &self,
        collation: u32,
        text: &[u8],
        collations: &dyn Collations,
        use_label: impl FnOnce(&[u8]) -> T,
    ) -> T {
        let mut rankings = self.0.borrow_mut();
        let ranking = rankings.entry(collation).or_default();
        let order = |entry: &Entry| collations.compare_custom(collation, &entry.text, text);
        let (piece, place) = ranking.place(text, &order);
        use_label(&ranking.pieces[piece][place].label)
    }
}

impl Ranking {
    /// Where a text is; it is put there if it is new.
    fn place(&mut self, text: &[u8], order: &dyn Fn(&Entry) -> Ordering) -> (usize, usize) {
        let behind = self.pieces.partition_point(|piece| {
            piece.first().is_some_and(|first| order(first) != Ordering::Greater)
        });
        let piece = behind.saturating_sub(1);
        let Some(entries) = self.pieces.get(piece) else {
            let entry = self.entry(text, None, None);
            self.pieces.push(vec![entry]);
            return (0, 0);
        };
        let place = match entries.binary_search_by(order) {
            Ok(place) => return (piece, place),
            Err(place) => place,
        };
        let low = place.checked_sub(1).map(|before| entries[before].label.clone());
        let next = entries.get(place).or_else(|| self.pieces.get(piece + 1)?.first());
        let high = next.map(|entry| entry.label.clone());
        let entry = self.entry(text, low.as_deref(), high.as_deref());
        let entries = &mut self.pieces[piece];
        entries.insert(place, entry);
        if entries.len() <= PIECE {
            return (piece, place);
        }
        let half = entries.len() / 2;
        let rest = entries.split_off(half);
        self.pieces.insert(piece + 1, rest);
        if place < half { (piece, place) } else { (piece + 1, place - half) }
    }

    fn entry(&mut self, text: &[u8], low: Option<&[u8]>, high: Option<&[u8]>) -> Entry {
        let label = between(low, high, &self.newest);
        self.newest.clone_from(&label);
        Entry { text: Box::from(text), label: label.into_boxed_slice() }
    }
}

fn head(label: &[u8]) -> u128 {
    let mut bytes = [0; HEAD];
    let known = label.len().min(HEAD);
    bytes[..known].copy_from_slice(&label[..known]);
    u128::from_be_bytes(bytes)
}

/// A label between two others; `newest` tells where the last one was put.
fn between(low: Option<&[u8]>, high: Option<&[u8]>, newest: &[u8]) -> Vec<u8> {
    let found = match (low, high) {
        (None, None) => Some(1 << 127),
        (Some(low), None) => head(low).checked_add(STEP),
        (None, Some(high)) => head(high).checked_sub(STEP).filter(|found| *found > 0),
        (Some(low), Some(high)) => {
            let gap = head(high) - head(low);
            // Behind the newest text, or before it, more are likely to come.
            let short = (gap >> 16).max(1);
            let step = match (low == newest, high == newest) {
                (true, _) => short,
                (_, true) => gap.saturating_sub(short),
                _ => gap / 2,
            };
            (gap >= 2).then(|| head(low) + step)
        }
    };
    match found {
        Some(found) => found.to_be_bytes().to_vec(),
        None => fraction(low.unwrap_or_default(), high),
    }
}

/// Bytes between two labels, read as digits behind a point; the last one is never zero.
fn fraction(low: &[u8], mut high: Option<&[u8]>) -> Vec<u8> {
    let mut digits = Vec::with_capacity(low.len() + 1);
    for place in 0.. {
        let from = low.get(place).copied().map_or(0, u16::from);
        let to = high.map_or(256, |high| high.get(place).copied().map_or(0, u16::from));
        if to >= from + 2 {
            digits.push((from + (to - from) / 2) as u8);
            break;
        }
        digits.push(from as u8);
        if to > from {
            high = None;
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Backwards;

    impl Collations for Backwards {
        fn compare_custom(&self, _: u32, left: &[u8], right: &[u8]) -> Ordering {
            let turned = |text: &[u8]| text.iter().rev().map(u8::to_ascii_lowercase).collect();
            let (left, right): (Vec<u8>, Vec<u8>) = (turned(left), turned(right));
            left.cmp(&right)
        }
    }

    fn label(ranks: &Ranks, text: &[u8]) -> Vec<u8> {
        ranks.with_label(3, text, &Backwards, <[u8]>::to_vec)
    }

    proptest! {
        #[test]
        fn labels_stand_as_the_texts_do(texts in prop::collection::vec("[a-cA-C]{0,4}", 1..200)) {
            let ranks = Ranks::default();
            let labels: Vec<Vec<u8>> =
                texts.iter().map(|text| label(&ranks, text.as_bytes())).collect();
            for (left, left_label) in texts.iter().zip(&labels) {
                for (right, right_label) in texts.iter().zip(&labels) {
                    let expected = Backwards.compare_custom(3, left.as_bytes(), right.as_bytes());
                    prop_assert_eq!(left_label.cmp(right_label), expected);
                }
            }
        }

        #[test]
        fn there_is_always_room(
            choices in prop::collection::vec(0_usize..1000, 1..400),
            near in any::<bool>(),
        ) {
            // Always beside the same label, or anywhere.
            let mut labels: Vec<Vec<u8>> = Vec::new();
            let mut newest = Vec::new();
            for choice in choices {
                let place = if near { labels.len().min(1) } else { choice % (labels.len() + 1) };
                let low = place.checked_sub(1).map(|at| labels[at].as_slice());
                let high = labels.get(place).map(Vec::as_slice);
                let new = if near {
                    fraction(low.unwrap_or_default(), high)
                } else {
                    between(low, high, &newest)
                };
                prop_assert!(low.is_none_or(|low| low < new.as_slice()));
                prop_assert!(high.is_none_or(|high| new.as_slice() < high));
                newest.clone_from(&new);
                labels.insert(place, new);
            }
        }
    }

    #[test]
    fn texts_that_come_in_order_keep_short_labels() {
        let ranks = Ranks::default();
        for number in 0..20_000_u32 {
            // Read backwards, so it is the last digit that counts most.
            let text: Vec<u8> = format!("{number:06}").bytes().rev().collect();
            assert_eq!(label(&ranks, &text).len(), HEAD, "{number}");
        }
    }
}
