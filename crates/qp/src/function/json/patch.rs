//! `json_patch`: RFC 7396.
//!
//! Entries of the patch are applied one after the other to the entries of the target, which
//! keep their order; new ones go to the end. Where many are looked for they are found by the
//! hashes of their labels. Neighbours: `node`, `string` (labels).

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::Fault;
use super::node::{DEPTH_MAX, Kind, Node, push_header, widened};
use super::string::{label_hash, labels_equal};
use crate::function::call::Pace;

/// Entries that are looked for one by one before an index is worth its making.
const LOOKS_MAX: usize = 8;

/// An entry of the target: its label, and its value as it stands or as patched.
struct Entry<'b> {
    label: Label<'b>,
    /// None once it was taken out.
    value: Option<Cow<'b, [u8]>>,
}

#[derive(Clone, Copy)]
struct Label<'b> {
    whole: &'b [u8],
    text: &'b [u8],
    is_raw: bool,
}

impl<'b> Label<'b> {
    fn new(blob: &'b [u8], node: Node) -> Self {
        Self { whole: node.whole(blob), text: node.content(blob), is_raw: node.kind.is_raw_text() }
    }

    fn equals(self, other: Self) -> bool {
        labels_equal(self.text, self.is_raw, other.text, other.is_raw)
    }

    fn hash(self) -> u64 {
        label_hash(self.text, self.is_raw)
    }
}

/// The entries of an object in their order.
struct Entries<'b> {
    all: Vec<Entry<'b>>,
    /// How often one was looked for.
    looks: usize,
    /// The places of the entries whose labels have a hash, once there is an index.
    places: Option<FxHashMap<u64, SmallVec<[usize; 1]>>>,
}

impl<'b> Entries<'b> {
    /// Those of an object; none of anything else.
    fn of(blob: &'b [u8], pace: &mut Pace<'_>) -> Result<Self, Fault> {
        let node = Node::read(blob, 0)?;
        let mut all = Vec::new();
        if node.kind == Kind::Object {
            let mut children = node.children(blob);
            while let Some((label, value)) = children.next_entry()? {
                pace.step(8)?;
                let value = Some(Cow::Borrowed(value.whole(blob)));
                all.push(Entry { label: Label::new(blob, label), value });
            }
        }
        Ok(Self { all, looks: 0, places: None })
    }

    /// The place of the first entry with a label.
    fn find(&mut self, label: Label<'_>, pace: &mut Pace<'_>) -> Result<Option<usize>, Fault> {
        self.looks += 1;
        if self.looks <= LOOKS_MAX {
            pace.step(self.all.len())?;
            let is = |entry: &Entry<'_>| entry.value.is_some() && entry.label.equals(label);
            return Ok(self.all.iter().position(is));
        }
        if self.places.is_none() {
            let mut places: FxHashMap<u64, SmallVec<[usize; 1]>> = FxHashMap::default();
            for (place, entry) in self.all.iter().enumerate() {
                pace.step(entry.label.text.len() + 16)?;
                places.entry(entry.label.hash()).or_default().push(place);
            }
            self.places = Some(places);
        }
        let places = self.places.as_ref().and_then(|places| places.get(&label.hash()));
        for &place in places.into_iter().flatten() {
            pace.step(label.text.len() + 1)?;
            let known = self.all.get(place).filter(|entry| entry.value.is_some());
            if known.is_some_and(|entry| entry.label.equals(label)) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn push(&mut self, label: Label<'b>, value: Vec<u8>) {
        if let Some(places) = &mut self.places {
            places.entry(label.hash()).or_default().push(self.all.len());
        }
        self.all.push(Entry { label, value: Some(Cow::Owned(value)) });
    }
}

/// Appends `target` with `patch` applied.
pub(super) fn push_patched(
    target: &[u8],
    patch: &[u8],
    depth: usize,
    pace: &mut Pace<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let patch_node = Node::read(patch, 0)?;
    if patch_node.kind != Kind::Object {
        let whole = patch_node.whole(patch);
        match widened(whole, target.len()) {
            Some(wide) => out.extend(wide),
            None => out.extend_from_slice(whole),
        }
        return Ok(());
    }
    let mut entries = Entries::of(target, pace)?;
    let mut changes = patch_node.children(patch);
    while let Some((label, value)) = changes.next_entry()? {
        let label = Label::new(patch, label);
        let known = entries.find(label, pace)?;
        if value.kind == Kind::Null {
            if let Some(known) = known {
                entries.all[known].value = None;
            }
            continue;
        }
        if depth >= DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        // A new entry is the patch applied to null.
        let before = known.and_then(|known| entries.all[known].value.as_deref());
        let before = before.unwrap_or(&[Kind::Null as u8]);
        let mut patched = Vec::new();
        pace.step(value.end - value.start)?;
        push_patched(before, value.whole(patch), depth + 1, pace, &mut patched)?;
        match known {
            Some(known) => entries.all[known].value = Some(Cow::Owned(patched)),
            None => entries.push(label, patched),
        }
    }
    let kept = || {
        let all = entries.all.iter();
        all.filter_map(|entry| entry.value.as_deref().map(|value| (entry.label.whole, value)))
    };
    push_header(Kind::Object, kept().map(|(label, value)| label.len() + value.len()).sum(), out);
    for (label, value) in kept() {
        pace.step(label.len() + value.len())?;
        out.extend_from_slice(label);
        out.extend_from_slice(value);
    }
    Ok(())
}
