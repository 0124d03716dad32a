//! Many changes in the order of keys: each page on the way is looked up once for all of them.
//!
//! A change alone pays the whole way from the root, and in a random order every one of them
//! misses the processor's caches. In order, the leaf of the one before is the leaf of the next,
//! so that what is left is the work in the leaf itself. A page that splits is given up to the
//! level above, which goes on with the rest of the changes from there. Neighbours: `put` and
//! `remove` do single changes and own the pieces that are shared.

use smallvec::smallvec;

use super::put::{Place, Put, Splits, grow, put_in_leaf, split_inner};
use super::remove::repair;
use super::{PutMode, Tree, Writer, check_key};
use crate::error::{Error, Result};
use crate::format::TreeKind;
use crate::limits::inline_value_bytes_max;
use crate::page::{Body, Cell, CellKind, Child, Inner, Leaf, Link};

/// One of many changes.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Its new value; none: it is removed, if it is there.
    pub value: Option<&'a [u8]>,
}

/// What is left to do.
struct Rest<'e, 'a> {
    kind: TreeKind,
    next: Option<Edit<'a>>,
    edits: &'e mut dyn Iterator<Item = Edit<'a>>,
}

impl<'a> Rest<'_, 'a> {
    /// The next change, if it is in front of `end`.
    fn peek(&self, end: Option<&[u8]>) -> Option<Edit<'a>> {
        self.next.filter(|edit| end.is_none_or(|end| edit.key < end))
    }

    /// Goes to the one behind it.
    fn done(&mut self) -> Result<()> {
        let before = self.next.take();
        if let Some(edit) = self.edits.next() {
            check_key(self.kind, edit.key)?;
            debug_assert!(before.is_none_or(|before| before.key <= edit.key));
            self.next = Some(edit);
        }
        Ok(())
    }
}

impl Tree {
    /// Does all of `edits`, whose keys ascend; of several changes of one key the last one counts.
    /// An error leaves some of them done.
    pub fn edit_sorted(
        &mut self,
        writer: &mut Writer<'_>,
        edits: &mut dyn Iterator<Item = Edit<'_>>,
    ) -> Result<()> {
        let mut rest = Rest { kind: self.kind, next: None, edits };
        rest.done()?;
        while let Some(edit) = rest.peek(None) {
            let Some(mut root) = self.root.take() else {
                if let Some(value) = edit.value {
                    self.put(writer, edit.key, value, PutMode::Replace)?;
                }
                rest.done()?;
                continue;
            };
            let outcome = edit_below(writer, &mut root, &mut rest, None, true);
            let splits = match outcome {
                Ok(splits) => splits,
                Err(error) => {
                    self.root = Some(root);
                    return Err(error);
                }
            };
            self.root = Some(grow(self.kind, root, splits)?);
            self.lower_root(writer)?;
        }
        Ok(())
    }
}

/// Does the changes below `child` that are in front of `end`, or those up to a split.
fn edit_below(
    writer: &mut Writer<'_>,
    child: &mut Child,
    rest: &mut Rest<'_, '_>,
    end: Option<&[u8]>,
    is_rightmost: bool,
) -> Result<Splits> {
    let node = writer.own(&mut child.link)?;
    let outcome = match node.body_mut() {
        Some(Body::Leaf(leaf)) => edit_leaf(writer, leaf, rest, end, is_rightmost),
        Some(Body::Inner(inner)) => edit_inner(writer, inner, rest, end, is_rightmost),
        None => Err(Error::corrupt("a page in the file was about to be changed")),
    };
    // After an error, too: what is done is done.
    child.rows = node.rows();
    outcome
}

/// So many new keys side by side are taken for more to come.
const RUN_MIN: usize = 8;

/// New keys that were put side by side into a leaf.
#[derive(Default)]
struct Run<'a> {
    /// The key that was put last, and where it is.
    last: Option<(&'a [u8], usize)>,
    count: usize,
}

impl<'a> Run<'a> {
    /// Where `key` is or would be: behind the last one, mostly, which is seen without a search.
    fn place(&self, leaf: &Leaf, key: &[u8]) -> Result<std::result::Result<usize, usize>> {
        if let Some((last, at)) = self.last
            && last < key
            && (at + 1 >= leaf.len() || leaf.is_behind(at + 1, key)?)
        {
            return Ok(Err(at + 1));
        }
        leaf.search(key)
    }

    /// Notes where the key is put.
    fn note(&mut self, key: &'a [u8], position: std::result::Result<usize, usize>) {
        let goes_on = self.last.is_some_and(|(_, at)| position == Err(at + 1));
        self.count = if goes_on { self.count + 1 } else { 0 };
        self.last = position.err().map(|at| (key, at));
    }
}

fn edit_leaf(
    writer: &mut Writer<'_>,
    leaf: &mut Leaf,
    rest: &mut Rest<'_, '_>,
    end: Option<&[u8]>,
    is_rightmost: bool,
) -> Result<Splits> {
    let inline_max = inline_value_bytes_max(writer.pager.page_bytes());
    let mut run = Run::default();
    while let Some(edit) = rest.peek(end) {
        let Some(value) = edit.value else {
            run = Run::default();
            if let Ok(index) = leaf.search(edit.key)? {
                leaf.touch(edit.key, 0);
                leaf.remove(index);
            }
            rest.done()?;
            continue;
        };
        let mut payload = Vec::new();
        let cell = if value.len() <= inline_max {
            Cell::inline(value)
        } else {
            writer.pager.write_overflow(value, writer.ledger)?.encode(&mut payload);
            Cell { kind: CellKind::Overflow, payload: &payload }
        };
        let put = Put { key: edit.key, cell, mode: PutMode::Replace };
        let position = run.place(leaf, edit.key)?;
        run.note(edit.key, position);
        let place = Place { position, is_rightmost, is_in_run: run.count >= RUN_MIN };
        let (_, splits) = put_in_leaf(writer, leaf, place, &put)?;
        rest.done()?;
        if !splits.is_empty() {
            return Ok(splits);
        }
    }
    Ok(smallvec![])
}

fn edit_inner(
    writer: &mut Writer<'_>,
    inner: &mut Inner,
    rest: &mut Rest<'_, '_>,
    end: Option<&[u8]>,
    is_rightmost: bool,
) -> Result<Splits> {
    let page_bytes = writer.pager.page_bytes();
    while let Some(edit) = rest.peek(end) {
        let index = inner.separators().child_of(edit.key)?;
        let is_last = index + 1 == inner.len();
        let separator = if is_last { None } else { Some(inner.separators().key(index)) };
        let end = separator.as_deref().or(end);
        let mut below = inner.take(index);
        let outcome = edit_below(writer, &mut below, rest, end, is_rightmost && is_last);
        let shrinks = below.rows < inner.child(index).rows;
        inner.replace(index, below);
        let splits = outcome?;
        if splits.is_empty() {
            if shrinks {
                repair(writer, inner, index)?;
            }
            if rest.next.is_some() {
                offer(writer, inner, index);
            }
            continue;
        }
        if rest.next.is_some_and(|next| splits[0].separator.as_slice() <= next.key) {
            offer(writer, inner, index);
        }
        for (offset, split) in splits.into_iter().enumerate() {
            inner.insert_after(index + offset, &split.separator, split.right)?;
        }
        if inner.used_bytes() > page_bytes {
            return Ok(split_inner(writer, inner, page_bytes, is_rightmost && is_last));
        }
    }
    Ok(smallvec![])
}

/// Lets a child be compressed that no further change will reach.
fn offer(writer: &Writer<'_>, inner: &Inner, index: usize) {
    if let Some(ahead) = writer.ahead
        && index < inner.len()
        && let Link::Dirty(node) = &inner.child(index).link
        && node.stored().is_none()
    {
        ahead.offer(node);
    }
}
