//! Removing one entry, and joining pages that became small with a neighbour.
//!
//! A page that is used for less than a quarter is merged with a neighbour when both fit one
//! page, and evened out with it when they do not. Neighbours: `range` removes many at once with
//! the same repair.

use super::{Tree, Writer};
use crate::error::{Error, Result};
use crate::page::{Body, Child, Inner, Link, Node};

impl Tree {
    /// Removes `key`; returns whether it was there. A key that is not there copies no page.
    pub fn remove(&mut self, writer: &mut Writer<'_>, key: &[u8]) -> Result<bool> {
        if !self.contains(writer.pager, key)? {
            return Ok(false);
        }
        let Some(mut root) = self.root.take() else { return Ok(false) };
        let outcome = remove_below(writer, &mut root, key);
        self.root = Some(root);
        outcome?;
        self.lower_root(writer)?;
        Ok(true)
    }

    /// Takes away root pages that hold a single child or nothing.
    pub(super) fn lower_root(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        while let Some(mut root) = self.root.take() {
            if root.rows == 0 {
                break;
            }
            if let Link::Dirty(_) = &root.link
                && has_one_child(writer, &root)?
            {
                let node = writer.own(&mut root.link)?;
                if let Some(Body::Inner(inner)) = node.body_mut() {
                    self.root = Some(inner.take(0));
                    continue;
                }
            }
            self.root = Some(root);
            break;
        }
        Ok(())
    }
}

fn has_one_child(writer: &Writer<'_>, child: &Child) -> Result<bool> {
    let node = writer.pager.follow(&child.link)?;
    Ok(matches!(node.body(), Body::Inner(inner) if inner.len() == 1))
}

fn remove_below(writer: &mut Writer<'_>, child: &mut Child, key: &[u8]) -> Result<()> {
    let node = writer.own(&mut child.link)?;
    match node.body_mut() {
        Some(Body::Leaf(leaf)) => {
            if let Ok(index) = leaf.search(key)? {
                leaf.touch(key, 0);
                leaf.remove(index);
            }
        }
        Some(Body::Inner(inner)) => {
            let index = inner.separators().child_of(key)?;
            let mut below = inner.take(index);
            let outcome = remove_below(writer, &mut below, key);
            inner.replace(index, below);
            outcome?;
            repair(writer, inner, index)?;
        }
        None => return Err(Error::corrupt("a page in the file was about to be changed")),
    }
    child.rows = node.rows();
    Ok(())
}

/// How a child compares with the page size.
fn used_bytes(writer: &Writer<'_>, child: &Child) -> Result<usize> {
    Ok(writer.pager.follow(&child.link)?.used_bytes())
}

/// Drops the child at `index` when it is empty, joins it with a neighbour when it is small.
pub(super) fn repair(writer: &mut Writer<'_>, inner: &mut Inner, index: usize) -> Result<()> {
    if inner.len() < 2 {
        return Ok(());
    }
    if inner.child(index).rows == 0 {
        inner.remove_range(index..index + 1);
        return Ok(());
    }
    let page_bytes = writer.pager.page_bytes();
    if used_bytes(writer, inner.child(index))? >= page_bytes / 4 {
        return Ok(());
    }
    let left = if index > 0 { index - 1 } else { 0 };
    join(writer, inner, left)
}

/// Joins the children at `left` and behind it into one page, or evens them out.
fn join(writer: &mut Writer<'_>, inner: &mut Inner, left: usize) -> Result<()> {
    let page_bytes = writer.pager.page_bytes();
    let between = inner.separators().key(left);
    let right_node = writer.pager.hold(&inner.child(left + 1).link)?;
    let both = used_bytes(writer, inner.child(left))? + right_node.used_bytes();
    let mut left_child = inner.take(left);
    let outcome = append(writer, &mut left_child, &between, &right_node, both > page_bytes);
    inner.replace(left, left_child);
    let split = outcome?;
    inner.remove_range(left + 1..left + 2);
    if let Some((separator, right)) = split {
        *writer.dirty_bytes += page_bytes;
        inner.insert_after(left, &separator, right)?;
    }
    Ok(())
}

/// Appends the content of `right` to the page behind `left`, and cuts the result in two again
/// where it is too much for one page.
fn append(
    writer: &mut Writer<'_>,
    left: &mut Child,
    between: &[u8],
    right: &Node,
    cuts: bool,
) -> Result<Option<(Vec<u8>, Child)>> {
    let page_bytes = writer.pager.page_bytes();
    let node = writer.own(&mut left.link)?;
    let split = match (node.body_mut(), right.body()) {
        (Some(Body::Leaf(leaf)), Body::Leaf(right)) => {
            leaf.append(right)?;
            // A shorter common prefix may make both together longer than each for itself.
            let cuts = cuts || leaf.used_bytes() > page_bytes;
            if cuts && leaf.len() > 1 {
                let middle = leaf.middle();
                let right = leaf.split_off(middle, page_bytes);
                let separator = crate::page::shortest_separator(
                    leaf.kind(),
                    &leaf.key(leaf.len() - 1),
                    &right.key(0),
                );
                Some((separator, Child::dirty(Node::new(Body::Leaf(right)))))
            } else {
                None
            }
        }
        (Some(Body::Inner(inner)), Body::Inner(right)) => {
            inner.append(between, right)?;
            if cuts && inner.len() > 3 {
                let (separator, right) = inner.split_off(inner.len() / 2);
                Some((separator, Child::dirty(Node::new(Body::Inner(right)))))
            } else {
                None
            }
        }
        _ => return Err(Error::corrupt("neighbouring pages stand on two levels")),
    };
    left.rows = node.rows();
    Ok(split)
}
