//! What pages a tree has: counts, bytes, height. Every page is visited, shared ones too.
//!
//! Neighbours: `check` verifies, this one measures.

use super::Tree;
use crate::error::Result;
use crate::format::PageRef;
use crate::page::{Body, CellKind, Link};
use crate::pager::Pager;

/// Totals over the pages of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Leaf pages.
    pub leaves: u64,
    /// Inner pages.
    pub inner: u64,
    /// Pages from the root to a leaf.
    pub height: u64,
    /// Bytes of entries in memory form.
    pub used_bytes: u64,
    /// Bytes in the file, whole granules; pages that are in memory only count nothing.
    pub stored_bytes: u64,
    /// Bytes of large values.
    pub large_bytes: u64,
    /// Entries.
    pub rows: u64,
}

/// Visits every page of `tree`.
pub fn survey(tree: &Tree, pager: &Pager) -> Result<Survey> {
    let mut survey = Survey { rows: tree.len(), ..Survey::default() };
    if let Some(root) = tree.root() {
        visit(pager, &root.link, 1, &mut survey)?;
    }
    Ok(survey)
}

fn visit(pager: &Pager, link: &Link, depth: u64, survey: &mut Survey) -> Result<()> {
    let node = pager.follow(link)?;
    survey.used_bytes += node.used_bytes() as u64;
    survey.stored_bytes += link.stored_ref().map_or(0, PageRef::stored_bytes);
    match node.body() {
        Body::Leaf(leaf) => {
            survey.leaves += 1;
            survey.height = survey.height.max(depth);
            if leaf.has_edges() {
                for index in 0..leaf.len() {
                    let cell = leaf.cell(index);
                    if cell.kind == CellKind::Overflow
                        && let Some(page) = cell.edge()?
                    {
                        survey.large_bytes += page.rows;
                    }
                }
            }
        }
        Body::Inner(inner) => {
            survey.inner += 1;
            for child in inner.children() {
                visit(pager, &child.link, depth + 1, survey)?;
            }
        }
    }
    Ok(())
}
