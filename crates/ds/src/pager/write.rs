//! Writing nodes: whole, or as a delta against the whole page that is in the file already.
//!
//! Every page written is unattached until a checkpoint reaches it, whoever writes it: a
//! checkpoint that fails leaves nothing behind that a later one could not take up. Where a node
//! was placed is known to its writer alone until the bytes are in the file
//! ([`Writing::finish`]), so that nobody reads them too early. Neighbours: `batch` places the
//! bytes, `checkpoint` and `tree::spill` write trees.

use rustc_hash::FxHashMap;

use super::team::{Compressed, Ready};
use super::{Batch, Made, Pager};
use crate::error::{Error, Result};
use crate::format::{Granule, PageKind, PageRef, Stored, granules_of};
use crate::limits::{EXTENT_BYTES_MAX, TREE_LEVELS_MAX};
use crate::page::origin::{Origin, delta_bytes_max};
use crate::page::{Body, Child, Inner, Leaf, LeafDraft, Link, NO_HINT, Node, delta};
use crate::space::{Birth, Ledger, Unattached};
use crate::sync::Arc;

/// A write of trees under way.
#[derive(Debug)]
pub struct Writing<'a> {
    batch: Batch<'a>,
    /// Who answers for the extents.
    ledger: &'a mut Ledger,
    birth: u64,
    /// Held by writers whose commit has no number yet.
    _uncommitted: Option<Birth<'a>>,
    /// The checkpoint that may write deltas against pages that its predecessor holds.
    checkpoint: Option<u64>,
    /// By address: a name of a node that `nodes` keeps alive, never followed.
    placed: FxHashMap<*const Node, PageRef>,
    nodes: Vec<(Arc<Node>, PageRef)>,
}

impl<'a> Writing<'a> {
    /// Nothing written yet, by a checkpoint, whose number allows it to write deltas. Pages get
    /// `birth`.
    pub fn of_checkpoint(
        pager: &'a Pager,
        ledger: &'a mut Ledger,
        birth: u64,
        checkpoint: u64,
    ) -> Self {
        Self { checkpoint: Some(checkpoint), ..Self::new(pager, ledger, birth, None) }
    }

    /// Nothing written yet, by a transaction: pages are born behind all that was published.
    pub fn uncommitted(pager: &'a Pager, ledger: &'a mut Ledger) -> Self {
        let birth = pager.space.begin_birth(&pager.commit);
        Self::new(pager, ledger, birth.number(), Some(birth))
    }

    fn new(
        pager: &'a Pager,
        ledger: &'a mut Ledger,
        birth: u64,
        uncommitted: Option<Birth<'a>>,
    ) -> Self {
        Self {
            batch: Batch::new(pager),
            ledger,
            birth,
            _uncommitted: uncommitted,
            checkpoint: None,
            placed: FxHashMap::default(),
            nodes: Vec::new(),
        }
    }

    /// Takes over what another ledger answers for.
    pub fn adopt(&mut self, other: &mut Ledger) {
        for version in other.take() {
            self.ledger.note(version);
        }
    }

    /// Granules written so far.
    pub fn granules(&self) -> u64 {
        self.batch.granules()
    }

    fn locate(&self, child: &Child) -> Option<PageRef> {
        match &child.link {
            Link::Clean { page, .. } => Some(*page),
            Link::Dirty(node) => {
                self.placed.get(&Arc::as_ptr(node)).or_else(|| node.stored()).copied()
            }
        }
    }

    /// Writes every page below `link` that is in memory only, children first in key order, and
    /// returns the reference to its page.
    pub fn write_tree(&mut self, link: &Link) -> Result<PageRef> {
        match link {
            Link::Clean { page, .. } => Ok(*page),
            Link::Dirty(node) => self.write_node(node),
        }
    }

    /// Writes what is in memory only at and below `node`.
    pub fn write_node(&mut self, node: &Arc<Node>) -> Result<PageRef> {
        if let Some(page) = self.placed.get(&Arc::as_ptr(node)).or_else(|| node.stored()) {
            return Ok(*page);
        }
        if node.level() > TREE_LEVELS_MAX {
            return Err(Error::corrupt("a tree is higher than any can be"));
        }
        let page = match node.body() {
            Body::Leaf(leaf) => self.write_leaf(leaf)?,
            Body::Inner(inner) => {
                for child in inner.children() {
                    self.write_tree(&child.link)?;
                }
                self.write_inner(inner)?
            }
        };
        self.placed.insert(Arc::as_ptr(node), page);
        self.nodes.push((Arc::clone(node), page));
        Ok(page)
    }

    /// Whether a delta may stand against the origin's page: it must be in the file for as long
    /// as the delta is, which is certain only for pages that the last checkpoint holds.
    ///
    /// The page was copied when the newest checkpoint that had begun, or the one before, held it,
    /// or when nobody did yet: what came of that tells the space.
    fn allows_delta(&self, origin: &Origin) -> bool {
        let space = &self.batch.pager().space;
        let is_attached = |now| space.is_still_attached(origin.base.granule, origin.made_at, now);
        // Nor does a delta keep a page in the end of the file while that is being emptied.
        let is_low = || space.ceiling().is_none_or(|end| origin.base.granule < end);
        self.checkpoint.is_some_and(is_attached) && is_low()
    }

    /// Writes a leaf.
    pub fn write_leaf(&mut self, leaf: &Leaf) -> Result<PageRef> {
        let edges = if leaf.has_edges() { leaf.edges()? } else { Vec::new() };
        let change = match leaf.origin() {
            Some(origin) if self.allows_delta(origin) => {
                delta::encode_leaf(leaf)?.map(|bytes| (origin.base, bytes))
            }
            _ => None,
        };
        let page = PageRef {
            kind: PageKind::Leaf,
            level: 0,
            has_edges: !edges.is_empty(),
            base: NOWHERE,
            delta: None,
            birth: self.birth,
            rows: leaf.len() as u64,
        };
        let whole = |_: &Self, out: &mut Vec<u8>| {
            leaf.encode(out);
            Ok(())
        };
        self.write_version(page, change, &edges, whole)
    }

    /// Writes leaves that a team compressed; the pages come in their order.
    pub fn write_compressed(&mut self, compressed: &Compressed) -> Result<Vec<PageRef>> {
        let mut pages = Vec::with_capacity(compressed.leaves.len());
        for (leaf, ready) in compressed.leaves.iter().zip(compressed.iter()) {
            pages.push(self.write_ready(leaf, &ready)?);
        }
        if self.nodes.len() >= NODES_HELD_MAX {
            self.settle()?;
        }
        Ok(pages)
    }

    /// Writes a leaf without edges of which the stored form was made before.
    pub fn write_made(&mut self, node: &Arc<Node>, made: &Made) -> Result<PageRef> {
        let ready = made.ready();
        check_length(ready.raw)?;
        let page = PageRef {
            kind: PageKind::Leaf,
            level: 0,
            has_edges: false,
            base: self.batch.write_ready(&ready)?,
            delta: None,
            birth: self.birth,
            rows: node.rows(),
        };
        self.note(&page, &[]);
        self.placed.insert(Arc::as_ptr(node), page);
        self.nodes.push((Arc::clone(node), page));
        Ok(page)
    }

    fn write_ready(&mut self, leaf: &LeafDraft, ready: &Ready<'_>) -> Result<PageRef> {
        check_length(ready.raw)?;
        let page = PageRef {
            kind: PageKind::Leaf,
            level: 0,
            has_edges: !leaf.edges().is_empty(),
            base: self.batch.write_ready(ready)?,
            delta: None,
            birth: self.birth,
            rows: leaf.len() as u64,
        };
        self.note(&page, leaf.edges());
        Ok(page)
    }

    /// Writes an inner page whose children are all written.
    pub fn write_inner(&mut self, inner: &Inner) -> Result<PageRef> {
        let edges: Vec<PageRef> = inner.children().filter_map(|child| self.locate(child)).collect();
        let change = match inner.origin() {
            Some(origin) if self.allows_delta(origin) => {
                delta::encode_inner(inner, &|child| self.locate(child))
                    .map(|bytes| (origin.base, bytes))
            }
            _ => None,
        };
        let page = PageRef {
            kind: PageKind::Inner,
            level: inner.level(),
            has_edges: true,
            base: NOWHERE,
            delta: None,
            birth: self.birth,
            rows: inner.rows(),
        };
        self.write_version(page, change, &edges, |writing, out| {
            inner.encode(&|child| writing.locate(child), out)
        })
    }

    /// Writes the delta where it is short enough, else the whole page, and notes the extent.
    fn write_version(
        &mut self,
        mut page: PageRef,
        change: Option<(Stored, Vec<u8>)>,
        edges: &[PageRef],
        whole: impl FnOnce(&Self, &mut Vec<u8>) -> Result<()>,
    ) -> Result<PageRef> {
        let is_inner = page.kind == PageKind::Inner;
        let codec = if is_inner { self.batch.inner_codec() } else { self.batch.codec() };
        let of_delta = |raw| if is_inner { codec } else { self.batch.delta_codec(raw) };
        let delta_codec = change.as_ref().map_or(codec, |(_, bytes)| of_delta(bytes.len()));
        if let Some((base, bytes)) = change
            && bytes.len() <= EXTENT_BYTES_MAX
            && let Some(delta) =
                self.batch.write_if_short(&bytes, delta_codec, delta_bytes_max(&base))?
        {
            page.base = base;
            page.delta = Some(delta);
        } else {
            let mut bytes = Vec::with_capacity(self.batch.pager().page_bytes());
            whole(self, &mut bytes)?;
            check_length(bytes.len())?;
            page.base = self.batch.write(&bytes, codec)?;
        }
        self.note(&page, edges);
        Ok(page)
    }

    /// Writes one piece of a large value, or the index of its pieces.
    pub(super) fn write_piece(
        &mut self,
        kind: PageKind,
        bytes: &[u8],
        rows: u64,
        edges: &[PageRef],
    ) -> Result<PageRef> {
        check_length(bytes.len())?;
        let page = PageRef {
            kind,
            level: 0,
            has_edges: !edges.is_empty(),
            base: self.batch.write(bytes, self.batch.codec())?,
            delta: None,
            birth: self.birth,
            rows,
        };
        self.note(&page, edges);
        Ok(page)
    }

    fn note(&mut self, page: &PageRef, edges: &[PageRef]) {
        let unattached = Unattached {
            granules: granules_of(page.newest().stored),
            edges: edges.iter().map(PageRef::version).collect(),
            base: page.delta.map(|_| page.base.granule),
            birth: page.birth,
        };
        self.batch.pager().space.add_unattached(page.version(), unattached);
        self.ledger.note(page.version());
    }

    /// Brings all bytes to the file; only then others learn where the nodes are.
    pub fn finish(mut self) -> Result<()> {
        self.batch.flush()?;
        self.tell();
        Ok(())
    }

    /// The same in the middle of the work: what was written so far needs no memory any more.
    fn settle(&mut self) -> Result<()> {
        self.batch.write_buffer()?;
        self.tell();
        self.nodes.clear();
        self.placed.clear();
        Ok(())
    }

    /// Notes at the nodes where they are, and puts them into the cache.
    fn tell(&self) {
        let cache = &self.batch.pager().cache;
        let mut frames: FxHashMap<*const Node, u32> = FxHashMap::default();
        for (node, page) in &self.nodes {
            node.set_stored(*page);
            let frame = match node.body() {
                Body::Leaf(leaf) if leaf.is_sharing() => {
                    // The page whose bytes it shares has another place in the cache.
                    cache.insert(page, &Arc::new(Node::read(Body::Leaf(leaf.to_whole()), *page)))
                }
                Body::Leaf(_) => cache.insert(page, node),
                Body::Inner(inner) => {
                    let cleaned = inner.cleaned(&|child| {
                        let page = self.locate(child)?;
                        let Link::Dirty(node) = &child.link else { return Some((page, NO_HINT)) };
                        let frame = frames.get(&Arc::as_ptr(node)).copied();
                        Some((page, frame.unwrap_or(NO_HINT)))
                    });
                    cache.insert(page, &Arc::new(Node::read(Body::Inner(cleaned), *page)))
                }
            };
            if let Some(frame) = frame {
                frames.insert(Arc::as_ptr(node), frame);
            }
        }
    }
}

/// How many nodes of a new tree are in memory until they are told where they are.
const NODES_HELD_MAX: usize = 128;

/// Stands in until the page is placed.
const NOWHERE: Stored = Stored { granule: Granule(0), stored: 0, raw: 0, checksum: 0, codec: 0 };

fn check_length(bytes: usize) -> Result<()> {
    if bytes <= EXTENT_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(
        crate::ErrorKind::Limit,
        format!("a page of {bytes} bytes is longer than {EXTENT_BYTES_MAX}: use shorter keys"),
    ))
}
