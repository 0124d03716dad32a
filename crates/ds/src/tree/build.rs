//! Building a tree from entries that come in ascending order: pages go straight to the file.
//!
//! One page a level is in memory, and the leaves that are being compressed. Nothing of it goes to
//! the cache: a load is larger than what is read next, and would push out what is read now.
//! Neighbours: `put` for entries in any order, `pager::team` compresses.

use std::collections::VecDeque;

use super::{Tree, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::format::TreeKind;
use crate::format::layout::PAGE_REF;
use crate::limits::inline_value_bytes_max;
use crate::page::{
    Body, Cell, CellKind, Child, Inner, LeafDraft, Node, Separators, shortest_separator,
};
use crate::pager::{PORTION_LEAVES, Pager, Team, Writing};
use crate::space::Ledger;
use crate::sync::Arc;

/// An inner page that is being filled.
struct Level {
    separators: Separators,
    children: Vec<Child>,
    bytes: usize,
    /// The separator in front of the page.
    front: Vec<u8>,
}

impl Level {
    fn new(kind: TreeKind, front: &[u8]) -> Self {
        let separators = Separators::new(kind);
        Self { separators, children: Vec::new(), bytes: 0, front: front.to_vec() }
    }
}

/// Takes ascending entries and leaves a tree.
pub struct TreeBuilder<'a> {
    pager: &'a Pager,
    writing: Writing<'a>,
    kind: TreeKind,
    leaf: LeafDraft,
    last_key: Vec<u8>,
    /// The separator in front of the leaf that is being filled.
    leaf_separator: Vec<u8>,
    /// Full leaves on their way to the team.
    full: Vec<LeafDraft>,
    team: Team,
    /// The separators in front of the leaves that are not written yet.
    separators: VecDeque<Vec<u8>>,
    /// Inner pages from the lowest level up.
    levels: Vec<Level>,
    rows: u64,
    /// Large values, which are written beside the pages.
    large: Ledger,
}

impl<'a> TreeBuilder<'a> {
    /// A builder of an empty tree.
    #[expect(clippy::needless_pass_by_value, reason = "nobody else writes until it is built")]
    pub fn new(writer: Writer<'a>, kind: TreeKind) -> Self {
        let pager = writer.pager;
        Self {
            pager,
            writing: Writing::uncommitted(pager, writer.ledger),
            kind,
            leaf: LeafDraft::new(kind, pager.page_bytes()),
            last_key: Vec::new(),
            leaf_separator: Vec::new(),
            full: Vec::with_capacity(PORTION_LEAVES),
            team: Team::new(pager.codec()),
            separators: VecDeque::new(),
            levels: Vec::new(),
            rows: 0,
            large: pager.ledger(),
        }
    }

    /// Appends an entry, whose key must be greater than the last one.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        Tree::new(self.kind).check_key(key)?;
        if self.rows > 0 && !is_ascending(&self.last_key, key) {
            return Err(Error::new(
                ErrorKind::Limit,
                "entries of a bulk build must come in ascending order without duplicates",
            ));
        }
        if value.len() <= inline_value_bytes_max(self.pager.page_bytes()) {
            return self.push_cell(key, Cell::inline(value));
        }
        let page = self.pager.write_overflow(value, &mut self.large)?;
        let mut payload = Vec::new();
        page.encode(&mut payload);
        self.push_cell(key, Cell { kind: CellKind::Overflow, payload: &payload })
    }

    fn push_cell(&mut self, key: &[u8], cell: Cell<'_>) -> Result<()> {
        let page_bytes = self.pager.page_bytes();
        // One entry alone may be larger than a page; a second one finds room beside it.
        if self.leaf.len() > 1 && self.leaf.bytes_with(key, &cell) > page_bytes {
            let separator = shortest_separator(self.kind, &self.last_key, key);
            self.close_leaf()?;
            self.leaf_separator = separator;
        }
        self.leaf.push(key, &cell)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.rows += 1;
        Ok(())
    }

    fn close_leaf(&mut self) -> Result<()> {
        let empty = LeafDraft::new(self.kind, self.pager.page_bytes());
        let leaf = std::mem::replace(&mut self.leaf, empty);
        let separator = std::mem::take(&mut self.leaf_separator);
        self.separators.push_back(separator);
        self.full.push(leaf);
        if self.full.len() < PORTION_LEAVES {
            return Ok(());
        }
        self.hand_over();
        self.take_back(false)
    }

    fn hand_over(&mut self) {
        let next = Vec::with_capacity(PORTION_LEAVES);
        self.team.push(std::mem::replace(&mut self.full, next));
    }

    /// Writes the leaves that are compressed, in their order.
    fn take_back(&mut self, to_end: bool) -> Result<()> {
        while let Some(compressed) = self.team.next(to_end) {
            for page in self.writing.write_compressed(&compressed?)? {
                let separator = self.separators.pop_front().unwrap_or_default();
                self.add_child(0, &separator, Child::clean(page))?;
            }
        }
        Ok(())
    }

    /// Appends a page to the open page of `level`, which is closed first when it is full.
    fn add_child(&mut self, level: usize, separator: &[u8], child: Child) -> Result<()> {
        if level == self.levels.len() {
            self.levels.push(Level::new(self.kind, separator));
        }
        let child_bytes = separator.len() + 2 + PAGE_REF.bytes;
        let open = &self.levels[level];
        if open.bytes + child_bytes > self.pager.page_bytes() && open.children.len() >= 2 {
            let (front, full) = self.close_level(level, separator)?;
            self.add_child(level + 1, &front, full)?;
        }
        let open = &mut self.levels[level];
        if !open.children.is_empty() {
            open.separators.insert(open.separators.len(), separator)?;
        }
        open.children.push(child);
        open.bytes += child_bytes;
        Ok(())
    }

    /// Writes the open page of `level` and opens one behind the separator `next`; returns the
    /// written page with the separator in front of it.
    fn close_level(&mut self, level: usize, next: &[u8]) -> Result<(Vec<u8>, Child)> {
        let full = std::mem::replace(&mut self.levels[level], Level::new(self.kind, next));
        let inner = Inner::new(level as u8 + 1, full.separators, full.children);
        let page = self.writing.write_node(&Arc::new(Node::new(Body::Inner(inner))))?;
        Ok((full.front, Child::clean(page)))
    }

    /// The tree of all entries.
    pub fn finish(mut self) -> Result<Tree> {
        if self.rows == 0 {
            self.writing.finish()?;
            return Ok(Tree::new(self.kind));
        }
        self.close_leaf()?;
        self.hand_over();
        self.take_back(true)?;
        let mut level = 0;
        while level + 1 < self.levels.len() || self.levels[level].children.len() > 1 {
            let (separator, child) = self.close_level(level, &[])?;
            self.add_child(level + 1, &separator, child)?;
            level += 1;
        }
        let root = self.levels[level].children.pop();
        self.writing.adopt(&mut self.large);
        self.writing.finish()?;
        Ok(Tree { kind: self.kind, root })
    }
}

/// Whether `key` is greater than `last`. Most keys have eight bytes, which are compared as one
/// integer: a call of memcmp right behind the writing of `last` waits for it.
#[inline]
fn is_ascending(last: &[u8], key: &[u8]) -> bool {
    match (<[u8; 8]>::try_from(last), <[u8; 8]>::try_from(key)) {
        (Ok(last), Ok(key)) => u64::from_be_bytes(last) < u64::from_be_bytes(key),
        _ => last < key,
    }
}
