//! Removing all entries between two bounds: whole subtrees inside the bounds are unlinked
//! without being read, pages are changed at the two edges only. Neighbours: `remove`.

use std::ops::Bound;

use super::remove::repair;
use super::{Tree, Writer};
use crate::error::{Error, Result};
use crate::page::{Body, Child};

/// From `lower` (inclusive) to `upper` (exclusive); `None` is the end of the tree.
#[derive(Clone, Copy)]
struct Range<'a> {
    lower: Option<&'a [u8]>,
    upper: Option<&'a [u8]>,
}

impl Tree {
    /// Removes all keys between the bounds; returns how many.
    pub fn remove_range(
        &mut self,
        writer: &mut Writer<'_>,
        lower: Bound<&[u8]>,
        upper: Bound<&[u8]>,
    ) -> Result<u64> {
        let removed = self.count_range(writer.pager, lower, upper)?;
        if removed == self.len() {
            self.root = None;
            return Ok(removed);
        }
        if removed == 0 {
            return Ok(0);
        }
        // Ranks make any bounds half-open: the keys at both ends are in the tree.
        let first = match lower {
            Bound::Unbounded => 0,
            Bound::Included(key) => self.rank(writer.pager, key)?,
            Bound::Excluded(key) => {
                self.rank(writer.pager, key)? + u64::from(self.contains(writer.pager, key)?)
            }
        };
        let from = self.nth_key(writer.pager, first)?;
        let to = self.nth_key(writer.pager, first + removed)?;
        let range =
            Range { lower: if first == 0 { None } else { from.as_deref() }, upper: to.as_deref() };
        let Some(mut root) = self.root.take() else { return Ok(0) };
        let outcome = remove_within(writer, &mut root, range);
        self.root = Some(root);
        outcome?;
        self.lower_root(writer)?;
        Ok(removed)
    }
}

fn remove_within(writer: &mut Writer<'_>, child: &mut Child, range: Range<'_>) -> Result<()> {
    let node = writer.own(&mut child.link)?;
    match node.body_mut() {
        Some(Body::Leaf(leaf)) => {
            let position = |key: &[u8]| leaf.search(key).map(|(Ok(at) | Err(at))| at);
            let from = range.lower.map_or(Ok(0), position)?;
            let to = range.upper.map_or(Ok(leaf.len()), position)?;
            for index in from..to {
                let key = leaf.key(index);
                leaf.touch(&key, 0);
            }
            leaf.remove_range(from..to);
        }
        Some(Body::Inner(inner)) => {
            let find = |key: &[u8]| inner.separators().child_of(key);
            let first = range.lower.map_or(Ok(0), find)?;
            let last = range.upper.map_or(Ok(inner.len() - 1), find)?;
            let mut edges = [Some((first, range)), None];
            if first < last {
                edges = [
                    Some((first, Range { upper: None, ..range })),
                    Some((last, Range { lower: None, ..range })),
                ];
            }
            for (index, range) in edges.into_iter().flatten() {
                if range.lower.is_none() && range.upper.is_none() {
                    continue;
                }
                let mut below = inner.take(index);
                let outcome = remove_within(writer, &mut below, range);
                inner.replace(index, below);
                outcome?;
            }
            // Children that are inside the bounds as a whole, the edges among them where no
            // bound cuts through.
            let from = if range.lower.is_none() { first } else { first + 1 };
            let to = if range.upper.is_none() { last + 1 } else { last };
            let keeps_one = from == 0 && to == inner.len();
            let to = if keeps_one { to - 1 } else { to };
            if from < to {
                inner.remove_range(from..to);
            }
            repair_around(writer, inner, from)?;
        }
        None => return Err(Error::corrupt("a page in the file was about to be changed")),
    }
    child.rows = node.rows();
    Ok(())
}

/// Repairs the children at both sides of a gap in front of `gap`. Empty ones go first: a child
/// that is joined with an empty neighbour would take its empty pages over.
fn repair_around(
    writer: &mut Writer<'_>,
    inner: &mut crate::page::Inner,
    gap: usize,
) -> Result<()> {
    let mut gap = gap;
    if gap < inner.len() && inner.len() > 1 && inner.child(gap).rows == 0 {
        inner.remove_range(gap..gap + 1);
    }
    if gap > 0 && gap - 1 < inner.len() && inner.len() > 1 && inner.child(gap - 1).rows == 0 {
        inner.remove_range(gap - 1..gap);
        gap -= 1;
    }
    if gap < inner.len() {
        repair(writer, inner, gap)?;
    }
    if gap > 0 && gap - 1 < inner.len() {
        repair(writer, inner, gap - 1)?;
    }
    Ok(())
}
