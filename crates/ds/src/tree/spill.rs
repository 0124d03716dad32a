//! Moving changed pages out of memory while their transaction goes on.
//!
//! Only pages that nobody else holds are written: nobody can then see a page before its bytes
//! are in the file, and no page has two writers. Pages that a snapshot, a savepoint or the
//! published head shares stay in memory with the pages above them; they are few, since the
//! leaves that a transaction changes are its own. Neighbours: `checkpoint` writes everything.

use super::{Tree, Writer};
use crate::error::Result;
use crate::page::{Body, Child, Link};
use crate::pager::{Ahead, Writing};
use crate::sync::Arc;

impl Tree {
    /// Writes the changed pages that only this tree holds, and lets go of their memory. After an
    /// error the tree may refer to pages that are not in the file: go back to an older clone.
    pub fn spill(&mut self, writer: &mut Writer<'_>) -> Result<()> {
        let Some(mut root) = self.root.take() else { return Ok(()) };
        let pager = writer.pager;
        let mut writing = Writing::uncommitted(pager, writer.ledger);
        let ahead = writer.ahead;
        let outcome = spill_below(&mut writing, ahead, &mut root).and_then(|_| writing.finish());
        self.root = Some(root);
        if let Some(ahead) = ahead {
            ahead.sweep();
        }
        outcome
    }
}

/// Writes what can be written below `child`; returns whether the child itself is in the file.
fn spill_below(
    writing: &mut Writing<'_>,
    ahead: Option<&Ahead>,
    child: &mut Child,
) -> Result<bool> {
    let Link::Dirty(node) = &mut child.link else { return Ok(true) };
    if let Some(page) = node.stored() {
        child.link = Link::clean(*page);
        return Ok(true);
    }
    let made = ahead.and_then(|ahead| ahead.take(node));
    let Some(alone) = Arc::get_mut(node) else { return Ok(false) };
    if let Some(Body::Inner(inner)) = alone.body_mut() {
        let dirty: Vec<usize> = (0..inner.len())
            .filter(|index| matches!(inner.child(*index).link, Link::Dirty(_)))
            .collect();
        let mut all_written = true;
        for index in dirty {
            let mut below = inner.take(index);
            let outcome = spill_below(writing, ahead, &mut below);
            inner.replace(index, below);
            all_written &= outcome?;
        }
        if !all_written {
            return Ok(false);
        }
    }
    let page = match made {
        Some(made) => writing.write_made(node, &made)?,
        None => writing.write_node(node)?,
    };
    child.link = Link::clean(page);
    Ok(true)
}
