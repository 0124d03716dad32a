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
    /// Bytes in the file, those of large values among them, that would come back with the tree.
    pub exclusive_bytes: u64,
    /// Bytes in the file that other trees, forks and kept versions refer to as well.
    pub shared_bytes: u64,
    /// Entries.
    pub rows: u64,
}

/// Visits every page of `tree`.
pub fn survey(tree: &Tree, pager: &Pager) -> Result<Survey> {
    survey_of(tree, pager, false)
}

/// Visits every page of `tree`, which belongs to several heads if `is_shared`.
pub(crate) fn survey_of(tree: &Tree, pager: &Pager, is_shared: bool) -> Result<Survey> {
    let mut survey = Survey { rows: tree.len(), ..Survey::default() };
    if let Some(root) = tree.root() {
        visit(pager, &root.link, (1, is_shared), &mut survey)?;
    }
    Ok(survey)
}

impl Survey {
    /// Counts a page; returns whether more than one reference leads to it, here or further up.
    fn note(&mut self, pager: &Pager, page: &PageRef, is_shared: bool) -> bool {
        let is_shared = is_shared || pager.space.count(page.version()).versions > 1;
        let bytes = if is_shared { &mut self.shared_bytes } else { &mut self.exclusive_bytes };
        *bytes += page.stored_bytes();
        is_shared
    }
}

fn visit(
    pager: &Pager,
    link: &Link,
    (depth, is_shared): (u64, bool),
    survey: &mut Survey,
) -> Result<()> {
    let node = pager.follow(link)?;
    survey.used_bytes += node.used_bytes() as u64;
    survey.stored_bytes += link.stored_ref().map_or(0, PageRef::stored_bytes);
    let is_shared = link.stored_ref().map_or(is_shared, |page| survey.note(pager, page, is_shared));
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
                        let is_shared = survey.note(pager, &page, is_shared);
                        if page.has_edges {
                            for piece in pager.edges_of(&page)? {
                                survey.note(pager, &piece, is_shared);
                            }
                        }
                    }
                }
            }
        }
        Body::Inner(inner) => {
            survey.inner += 1;
            for child in inner.children() {
                visit(pager, &child.link, (depth + 1, is_shared), survey)?;
            }
        }
    }
    Ok(())
}
