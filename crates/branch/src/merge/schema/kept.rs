//! What stays although one side dropped it, and what comes with it.
//!
//! `DROP TABLE` takes the indexes and triggers of a table along. Where the table stays, because
//! the side that has it wins, nobody dropped these by themselves: they stay, too. A table or view
//! that nobody changed stays where a side wins that added something which mentions it. Neighbours:
//! `tables` and `texts` ask here, `mod` checks what texts mention in the end.

use std::collections::{BTreeMap, BTreeSet};

use super::texts::{is_same_definition, is_same_text};
use crate::merge::cells::Side;
use crate::merge::conflict::{ConflictKey, SchemaPart, Scope};
use crate::merge::policy::{MergeOptions, Pick};
use crate::shape::{ObjectId, Shape, TextShape};

/// What stays, and why.
#[derive(Default)]
pub(super) struct Kept {
    /// Tables and views that one side dropped and that stay, or may yet.
    objects: BTreeSet<ObjectId>,
    /// Tables and views that one side dropped, with what the other side has added or changed that
    /// mentions them and wins.
    needed: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
    /// What one side has added or changed, where the side wins that has it not.
    given_up: BTreeSet<ObjectId>,
    /// The texts that an object stays for.
    answered: BTreeSet<ObjectId>,
}

impl Kept {
    /// Finds what the sides need of what the other side dropped.
    pub(super) fn new(base: &Shape, ours: &Shape, theirs: &Shape, options: &MergeOptions) -> Self {
        let mut kept = Self::default();
        kept.note_needed(base, ours, theirs, (options, Side::Ours));
        kept.note_needed(base, theirs, ours, (options, Side::Theirs));
        kept
    }

    fn note_needed(
        &mut self,
        base: &Shape,
        own: &Shape,
        other: &Shape,
        (options, side): (&MergeOptions, Side),
    ) {
        let of_base: BTreeMap<_, _> = texts(base).map(|text| (text.id, text)).collect();
        let of_other: BTreeMap<_, _> = texts(other).map(|text| (text.id, text)).collect();
        for text in texts(own) {
            let before = of_base.get(&text.id);
            if before.is_some_and(|before| is_same_text(before, text)) {
                continue;
            }
            let is_taken = match (before, of_other.get(&text.id)) {
                (None, None) => true,
                (Some(before), Some(after)) if is_same_definition(before, after) => true,
                _ => picked(options, text.id, SchemaPart::Whole) == Some(side),
            };
            match picked(options, text.id, SchemaPart::Mentions) {
                Some(winner) if winner == side && is_taken => self.need(text, base, own, other),
                Some(winner) if winner != side => {
                    self.given_up.insert(text.id);
                }
                _ => {}
            }
        }
    }

    /// Notes what a text mentions that the other side dropped; of views also what they need.
    fn need(&mut self, text: &TextShape, base: &Shape, own: &Shape, other: &Shape) {
        let mut left = text.objects.clone();
        while let Some(id) = left.pop() {
            let is_dropped = has(base, id) && has(own, id) && !has(other, id);
            if is_dropped && self.needed.entry(id).or_default().insert(text.id) {
                let view = own.views.iter().find(|view| view.id == id);
                left.extend(view.into_iter().flat_map(|view| &view.objects));
            }
        }
    }

    /// Notes that a table or view stays, or may yet stay, although one side dropped it.
    pub(super) fn keep(&mut self, id: ObjectId) {
        self.objects.insert(id);
    }

    /// Whether a table or view stays that one side dropped and the other did not change, because
    /// something that wins mentions it.
    pub(super) fn keeps_needed(&mut self, id: ObjectId) -> bool {
        let Some(texts) = self.needed.get(&id) else { return false };
        self.answered.extend(texts);
        self.objects.insert(id);
        true
    }

    /// Whether a text that one side dropped and the other did not change stays: it went with its
    /// table, which stays, or something that wins mentions it.
    pub(super) fn keeps_text(&mut self, text: &TextShape) -> bool {
        let comes_along = text.hangs_on.is_some_and(|id| self.objects.contains(&id));
        self.keeps_needed(text.id) || comes_along
    }

    /// Whether a text goes, because the side wins that dropped what it mentions, although that
    /// stays for others.
    pub(super) fn gives_up(&self, text: &TextShape) -> bool {
        self.given_up.contains(&text.id)
            && text.objects.iter().any(|id| self.needed.contains_key(id))
    }

    /// How many conflicts are no more, because what they are about stays.
    pub(super) fn answered(&self) -> u64 {
        self.answered.len() as u64
    }
}

fn picked(options: &MergeOptions, object: ObjectId, part: SchemaPart) -> Option<Side> {
    match options.pick(&ConflictKey { object, scope: Scope::Schema(part) }) {
        Some(Pick::Ours) => Some(Side::Ours),
        Some(Pick::Theirs) => Some(Side::Theirs),
        _ => None,
    }
}

fn texts(shape: &Shape) -> impl Iterator<Item = &TextShape> {
    shape.indexes.iter().chain(&shape.views).chain(&shape.triggers)
}

fn has(shape: &Shape, id: ObjectId) -> bool {
    shape.table(id).is_some() || shape.views.iter().any(|view| view.id == id)
}
