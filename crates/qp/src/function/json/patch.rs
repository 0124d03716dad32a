//! `json_patch`: RFC 7396.
//!
//! Entries of the patch are applied one after the other to the entries of the target, which
//! keep their order; new ones go to the end. Neighbours: `node`, `string` (labels).

use super::Fault;
use super::node::{DEPTH_MAX, Kind, Node, push_header, widened};
use super::string::labels_equal;

/// An entry of the target: its label, and its value as it stands or as patched.
struct Entry<'b> {
    label: Label<'b>,
    value: Vec<u8>,
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
}

/// Appends `target` with `patch` applied.
pub(super) fn push_patched(
    target: &[u8],
    patch: &[u8],
    depth: usize,
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
    let mut entries = entries(target)?;
    let mut changes = patch_node.children(patch);
    while let Some((label, value)) = changes.next_entry()? {
        let label = Label::new(patch, label);
        let known = entries.iter().position(|entry| entry.label.equals(label));
        if value.kind == Kind::Null {
            if let Some(known) = known {
                entries.remove(known);
            }
            continue;
        }
        if depth >= DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        // A new entry is the patch applied to null.
        let before = known.map_or(&[Kind::Null as u8][..], |known| &entries[known].value);
        let mut patched = Vec::new();
        push_patched(before, value.whole(patch), depth + 1, &mut patched)?;
        match known {
            Some(known) => entries[known].value = patched,
            None => entries.push(Entry { label, value: patched }),
        }
    }
    let len = entries.iter().map(|entry| entry.label.whole.len() + entry.value.len()).sum();
    push_header(Kind::Object, len, out);
    for entry in entries {
        out.extend_from_slice(entry.label.whole);
        out.extend(entry.value);
    }
    Ok(())
}

/// The entries of an object; none of anything else.
fn entries(blob: &[u8]) -> Result<Vec<Entry<'_>>, Fault> {
    let node = Node::read(blob, 0)?;
    let mut entries = Vec::new();
    if node.kind == Kind::Object {
        let mut children = node.children(blob);
        while let Some((label, value)) = children.next_entry()? {
            let value = value.whole(blob).to_vec();
            entries.push(Entry { label: Label::new(blob, label), value });
        }
    }
    Ok(entries)
}
