//! Putting an entry in, splitting pages that are full.
//!
//! The change goes down by recursion; each level takes the child out of its page, changes it,
//! and puts it back whatever happened, so that an error on the way leaves a whole tree. A page
//! at the right edge that overflows by a new greatest key stays full and a new page begins:
//! ascending keys fill pages to the last byte. Neighbours: `remove` is the other direction,
//! `edit` does many at once.

use smallvec::{SmallVec, smallvec};

use super::{Tree, Writer};
use crate::error::{Error, Result};
use crate::format::TreeRoot;
use crate::limits::inline_value_bytes_max;
use crate::page::{
    Body, Cell, CellKind, Child, Inner, Leaf, Node, Room, Separators, shortest_separator,
};
use crate::pager::Owned;

/// What to do when the key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// Replace its value.
    Replace,
    /// Leave the tree as it is.
    KeepOld,
}

/// A page split off to the right, and the separator in front of it.
pub(super) struct Split {
    pub(super) separator: Vec<u8>,
    pub(super) right: Child,
}

pub(super) type Splits = SmallVec<[Split; 1]>;

pub(super) struct Put<'a> {
    pub(super) key: &'a [u8],
    pub(super) cell: Cell<'a>,
    pub(super) mode: PutMode,
}

impl Tree {
    /// Puts `value` under `key`; returns whether the key was there before.
    pub fn put(
        &mut self,
        writer: &mut Writer<'_>,
        key: &[u8],
        value: &[u8],
        mode: PutMode,
    ) -> Result<bool> {
        self.check_key(key)?;
        if value.len() <= inline_value_bytes_max(writer.pager.page_bytes()) {
            return self.put_cell(writer, key, Cell::inline(value), mode);
        }
        if mode == PutMode::KeepOld && self.contains(writer.pager, key)? {
            return Ok(true);
        }
        let page = writer.pager.write_overflow(value, writer.ledger)?;
        let mut payload = Vec::new();
        page.encode(&mut payload);
        self.put_cell(writer, key, Cell { kind: CellKind::Overflow, payload: &payload }, mode)
    }

    /// Grafts another tree in under `key`, with a note of the owner's.
    pub fn put_subtree(
        &mut self,
        writer: &mut Writer<'_>,
        key: &[u8],
        root: &TreeRoot,
        note: &[u8],
    ) -> Result<bool> {
        self.check_key(key)?;
        let mut payload = Vec::new();
        root.encode(&mut payload);
        payload.extend_from_slice(note);
        let cell = Cell { kind: CellKind::Subtree, payload: &payload };
        self.put_cell(writer, key, cell, PutMode::Replace)
    }

    /// Puts a cell as another tree of the same file holds it: a large value is shared.
    pub fn put_cell(
        &mut self,
        writer: &mut Writer<'_>,
        key: &[u8],
        cell: Cell<'_>,
        mode: PutMode,
    ) -> Result<bool> {
        self.check_key(key)?;
        let put = Put { key, cell, mode };
        let page_bytes = writer.pager.page_bytes();
        let Some(mut root) = self.root.take() else {
            let mut leaf = Leaf::new(self.kind, page_bytes.min(1024));
            let _ = leaf.push(key, cell, page_bytes)?;
            *writer.dirty_bytes += page_bytes;
            self.root = Some(Child::dirty(Node::new(Body::Leaf(leaf))));
            return Ok(false);
        };
        let outcome = put_below(writer, &mut root, &put, true);
        let (existed, splits) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.root = Some(root);
                return Err(error);
            }
        };
        self.root = Some(grow(self.kind, root, splits)?);
        Ok(existed)
    }
}

/// Puts new roots above `child` until there is one page again.
pub(super) fn grow(kind: crate::format::TreeKind, child: Child, splits: Splits) -> Result<Child> {
    if splits.is_empty() {
        return Ok(child);
    }
    let level = match &child.link {
        crate::page::Link::Dirty(node) => node.level() + 1,
        crate::page::Link::Clean { page, .. } => page.level + 1,
    };
    let mut separators = Separators::new(kind);
    let mut children = vec![child];
    for split in splits {
        separators.insert(separators.len(), &split.separator)?;
        children.push(split.right);
    }
    Ok(Child::dirty(Node::new(Body::Inner(Inner::new(level, separators, children)))))
}

fn put_below(
    writer: &mut Writer<'_>,
    child: &mut Child,
    put: &Put<'_>,
    is_rightmost: bool,
) -> Result<(bool, Splits)> {
    let node = writer.own(&mut child.link)?;
    let page_bytes = writer.pager.page_bytes();
    let outcome = match node.body_mut() {
        Some(Body::Leaf(leaf)) => {
            let position = leaf.search(put.key)?;
            let place = Place { position, is_rightmost, is_in_run: false };
            put_in_leaf(writer, leaf, place, put)?
        }
        Some(Body::Inner(inner)) => {
            let index = inner.separators().child_of(put.key)?;
            let is_rightmost = is_rightmost && index + 1 == inner.len();
            let mut below = inner.take(index);
            let outcome = put_below(writer, &mut below, put, is_rightmost);
            inner.replace(index, below);
            let (existed, splits) = outcome?;
            for (offset, split) in splits.into_iter().enumerate() {
                inner.insert_after(index + offset, &split.separator, split.right)?;
            }
            (existed, split_inner(writer, inner, page_bytes, is_rightmost))
        }
        None => return Err(Error::corrupt("a page in the file was about to be changed")),
    };
    child.rows = node.rows();
    Ok(outcome)
}

/// Where in a leaf an entry goes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// As [`Leaf::search`] gives it.
    pub(super) position: std::result::Result<usize, usize>,
    /// The leaf is the last one of its tree.
    pub(super) is_rightmost: bool,
    /// Several new keys were put right in front of this one, so that more are to be expected
    /// behind it.
    pub(super) is_in_run: bool,
}

/// Puts an entry into a leaf, which is split where it is full.
pub(super) fn put_in_leaf(
    writer: &mut Writer<'_>,
    leaf: &mut Leaf,
    place: Place,
    put: &Put<'_>,
) -> Result<(bool, Splits)> {
    let page_bytes = writer.pager.page_bytes();
    let Place { position, is_rightmost, is_in_run } = place;
    let existed = position.is_ok();
    if existed && put.mode == PutMode::KeepOld {
        return Ok((true, smallvec![]));
    }
    leaf.touch(put.key, put.cell.payload.len());
    if leaf.put(position, put.key, put.cell, page_bytes)? == Room::Enough {
        return Ok((existed, smallvec![]));
    }
    if (is_rightmost || is_in_run) && position == Err(leaf.len()) {
        let separator = separator_between(leaf, leaf.len() - 1, put.key);
        // Whoever appends goes on: a page that grows is written anew each time.
        let mut right = Leaf::new(leaf.kind(), page_bytes);
        let _ = right.push(put.key, put.cell, page_bytes)?;
        leaf.set_origin(None);
        *writer.dirty_bytes += page_bytes;
        let right = Child::dirty(Node::new(Body::Leaf(right)));
        return Ok((false, smallvec![Split { separator, right }]));
    }
    if let Err(index) = position
        && is_in_run
        && index > leaf.len() / 2
    {
        return Ok((false, split_in_run(writer, leaf, index, put)?));
    }
    Ok((existed, split_leaf(writer, leaf, put)?))
}

/// Splits a full leaf in front of the entry at `index`, where a run of new keys goes on: what is
/// left of it stays full, as where keys ascend at the end of the tree.
fn split_in_run(
    writer: &mut Writer<'_>,
    leaf: &mut Leaf,
    index: usize,
    put: &Put<'_>,
) -> Result<Splits> {
    let page_bytes = writer.pager.page_bytes();
    let separator = separator_between(leaf, index - 1, put.key);
    let mut right = leaf.split_off(index, page_bytes);
    *writer.dirty_bytes += page_bytes;
    let behind = match right.put(Err(0), put.key, put.cell, page_bytes)? {
        Room::Enough => smallvec![],
        Room::Full => split_leaf(writer, &mut right, put)?,
    };
    let right = Child::dirty(Node::new(Body::Leaf(right)));
    let mut splits: Splits = smallvec![Split { separator, right }];
    splits.extend(behind);
    Ok(splits)
}

fn separator_between(left: &Leaf, index: usize, right: &[u8]) -> Vec<u8> {
    shortest_separator(left.kind(), &left.key(index), right)
}

/// Splits a full leaf until the entry finds room: once, unless entries are very large.
fn split_leaf(writer: &mut Writer<'_>, leaf: &mut Leaf, put: &Put<'_>) -> Result<Splits> {
    let page_bytes = writer.pager.page_bytes();
    let mut pieces: SmallVec<[(Vec<u8>, Leaf); 2]> = smallvec![];
    // The piece that the key belongs to: 0 is `leaf` itself.
    let mut at = 0;
    loop {
        let piece = if at == 0 { &mut *leaf } else { &mut pieces[at - 1].1 };
        let position = piece.search(put.key)?;
        if piece.put(position, put.key, put.cell, page_bytes)? == Room::Enough {
            break;
        }
        let middle = piece.middle();
        let right = piece.split_off(middle, page_bytes);
        let separator = separator_between(piece, piece.len() - 1, &right.key(0));
        let goes_right = put.key >= separator.as_slice();
        pieces.insert(at, (separator, right));
        at += usize::from(goes_right);
        *writer.dirty_bytes += page_bytes;
    }
    let split =
        |(separator, right)| Split { separator, right: Child::dirty(Node::new(Body::Leaf(right))) };
    Ok(pieces.into_iter().map(split).collect())
}

/// Splits an inner page that has outgrown its size.
pub(super) fn split_inner(
    writer: &mut Writer<'_>,
    inner: &mut Inner,
    page_bytes: usize,
    is_rightmost: bool,
) -> Splits {
    let mut splits = Splits::new();
    while inner.used_bytes() > page_bytes && inner.len() >= 4 {
        let at = if is_rightmost && splits.is_empty() { inner.len() - 2 } else { inner.len() / 2 };
        let (separator, right) = inner.split_off(at);
        *writer.dirty_bytes += page_bytes;
        let right = Child::dirty(Node::new(Body::Inner(right)));
        splits.insert(0, Split { separator, right });
    }
    splits
}

impl Writer<'_> {
    /// The node behind a link, to be changed; counts what one more changed page takes.
    pub(super) fn own<'l>(&mut self, link: &'l mut crate::page::Link) -> Result<&'l mut Node> {
        let (node, owned) = self.pager.own(link)?;
        match owned {
            Owned::Already => {}
            Owned::Copied => self.copied_bytes += node.memory_bytes(),
            Owned::OneMore => *self.dirty_bytes += node.memory_bytes(),
        }
        Ok(node)
    }
}
