//! What a transaction read of ranges, so that its commit can tell whether that still holds.
//!
//! Single keys that a serializable transaction reads are locked. Ranges are not: a lock on what
//! is not there yet would have to stand for every key between two others, and a scan would hold
//! up every writer of its table. They are noted instead, as far as the cursors really went, each
//! with the version that was read. Whenever the transaction moves to a newer version of the head,
//! and at its commit, that version must show the same in these ranges: no row changed, none gone,
//! and none that came in. Then the transaction may be taken for one that did all its reading at
//! its commit, and commits have one order.
//!
//! What a constraint was checked against at the levels that see one moment is noted the same way.
//! Neighbours: `cursor` notes as it goes, `read` for counts, `rebase` compares versions.

mod ranges;

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::{Arc, Mutex};

pub(super) use self::ranges::RangeSet;
use super::rebase::Comparison;
use crate::error::Result;
use crate::heads::HeadVersion;
use crate::ids::{HeadId, TreeId};

/// What was read of one tree in one version.
#[derive(Debug)]
struct Reads {
    base: Arc<HeadVersion>,
    tree: TreeId,
    ranges: RangeSet,
}

/// All that a transaction read of ranges.
#[derive(Debug, Default)]
pub(super) struct ReadSet {
    /// Of cursors that may still go on.
    open: Vec<Arc<CursorReads>>,
    noted: Vec<Reads>,
}

impl ReadSet {
    /// A place for a cursor on a tree of `base` to note what it reads.
    pub(super) fn open(&mut self, base: &Arc<HeadVersion>, tree: TreeId) -> Arc<CursorReads> {
        self.close_ended();
        let seen = Mutex::new(Seen::default());
        let reads = Arc::new(CursorReads { base: Arc::clone(base), tree, seen });
        self.open.push(Arc::clone(&reads));
        reads
    }

    /// Notes that the keys from `from` up to but without `to` were read.
    pub(super) fn note(
        &mut self,
        base: &Arc<HeadVersion>,
        tree: TreeId,
        from: &[u8],
        to: Option<&[u8]>,
    ) {
        self.place(base, tree).add(from, to);
    }

    /// Whether anything of a head was read.
    pub(super) fn is_on(&self, head: HeadId) -> bool {
        self.open.iter().any(|reads| reads.base.head == head)
            || self.noted.iter().any(|reads| reads.base.head == head)
    }

    /// A conflict if something that was read of the head is not the same in `version`.
    pub(super) fn check(&self, version: &HeadVersion, pager: &Arc<Pager>) -> Result<()> {
        for reads in self.noted.iter().filter(|reads| reads.base.head == version.head) {
            compare(&reads.base, version, pager).check_ranges(reads.tree, &reads.ranges)?;
        }
        for reads in self.open.iter().filter(|reads| reads.base.head == version.head) {
            let ranges = reads.seen.lock().all();
            compare(&reads.base, version, pager).check_ranges(reads.tree, &ranges)?;
        }
        Ok(())
    }

    /// As [`check`](Self::check); what was noted so far counts as read in `newest` then, so that
    /// the next look compares with that.
    pub(super) fn move_to(&mut self, newest: &Arc<HeadVersion>, pager: &Arc<Pager>) -> Result<()> {
        self.close_ended();
        self.check(newest, pager)?;
        let is_meant = |reads: &mut Reads| reads.base.head == newest.head;
        let moved: Vec<Reads> = self.noted.extract_if(.., is_meant).collect();
        for reads in moved {
            self.place(newest, reads.tree).add_all(&reads.ranges);
        }
        Ok(())
    }

    /// Takes over what cursors noted that are gone.
    fn close_ended(&mut self) {
        let ended = self.open.extract_if(.., |reads| Arc::strong_count(reads) == 1);
        for reads in ended.collect::<Vec<_>>() {
            let ranges = reads.seen.lock().all();
            if !ranges.is_empty() {
                self.place(&reads.base, reads.tree).add_all(&ranges);
            }
        }
    }

    fn place(&mut self, base: &Arc<HeadVersion>, tree: TreeId) -> &mut RangeSet {
        let is_place = |reads: &Reads| reads.tree == tree && Arc::ptr_eq(&reads.base, base);
        let at = self.noted.iter().position(is_place).unwrap_or_else(|| {
            let ranges = RangeSet::default();
            self.noted.push(Reads { base: Arc::clone(base), tree, ranges });
            self.noted.len() - 1
        });
        &mut self.noted[at].ranges
    }
}

fn compare<'a>(
    base: &'a HeadVersion,
    newest: &'a HeadVersion,
    pager: &'a Arc<Pager>,
) -> Comparison<'a> {
    Comparison { head: newest.head, base: &base.forest, newest: &newest.forest, pager }
}

/// What one cursor read. The cursor and its transaction have it; only the cursor adds to it.
#[derive(Debug)]
pub(super) struct CursorReads {
    base: Arc<HeadVersion>,
    tree: TreeId,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// What lies behind.
    ranges: RangeSet,
    /// What was gone through since the last jump; none before the first.
    span: Option<Span>,
    /// Outside of this the caller takes no notice of what it finds; none: of everything.
    limit: Option<Span>,
}

#[derive(Clone, Debug, Default)]
struct Span {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
}

impl Seen {
    fn end_span(&mut self) {
        if let Some(span) = self.span.take() {
            add_within(&mut self.ranges, &span, self.limit.as_ref());
        }
    }

    fn all(&self) -> RangeSet {
        let mut ranges = self.ranges.clone();
        if let Some(span) = &self.span {
            add_within(&mut ranges, span, self.limit.as_ref());
        }
        ranges
    }
}

fn add_within(ranges: &mut RangeSet, span: &Span, limit: Option<&Span>) {
    let Some(limit) = limit else { return ranges.add(&span.from, span.to.as_deref()) };
    let from = span.from.as_slice().max(limit.from.as_slice());
    let to = match (span.to.as_deref(), limit.to.as_deref()) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    };
    ranges.add(from, to);
}

/// The place right behind a key.
fn behind(key: &[u8]) -> Vec<u8> {
    let mut place = Vec::with_capacity(key.len() + 1);
    place.extend_from_slice(key);
    place.push(0);
    place
}

impl CursorReads {
    /// The cursor went to `from` and found `landed` as the first key there or behind it.
    pub(super) fn sought(&self, from: &[u8], landed: Option<&[u8]>) {
        let seen = &mut *self.seen.lock();
        seen.end_span();
        seen.span = Some(Span { from: from.to_vec(), to: landed.map(behind) });
    }

    /// The cursor went back from `to` (none: the end) and found `landed` as the last key before.
    pub(super) fn sought_back(&self, to: Option<&[u8]>, landed: Option<&[u8]>) {
        let seen = &mut *self.seen.lock();
        seen.end_span();
        let from = landed.unwrap_or_default().to_vec();
        seen.span = Some(Span { from, to: to.map(<[u8]>::to_vec) });
    }

    /// The cursor looked for one key only.
    pub(super) fn sought_exactly(&self, key: &[u8]) {
        self.sought(key, Some(key));
    }

    /// The cursor went on to the next key.
    #[inline]
    pub(super) fn went_on(&self, landed: Option<&[u8]>) {
        let Some(span) = &mut self.seen.lock().span else { return };
        match (landed, &mut span.to) {
            (None, to) => *to = None,
            // What lies further on was read before the cursor turned back.
            (Some(key), Some(to)) if to.as_slice() <= key => {
                to.clear();
                to.extend_from_slice(key);
                to.push(0);
            }
            _ => {}
        }
    }

    /// The cursor went back to the key before.
    #[inline]
    pub(super) fn went_back(&self, landed: Option<&[u8]>) {
        let Some(span) = &mut self.seen.lock().span else { return };
        let from = landed.unwrap_or_default();
        if from < span.from.as_slice() {
            span.from.clear();
            span.from.extend_from_slice(from);
        }
    }

    /// From now on the caller takes no notice of keys outside of these.
    pub(super) fn limit(&self, from: &[u8], to: Option<&[u8]>) {
        let seen = &mut *self.seen.lock();
        seen.end_span();
        let limit = seen.limit.get_or_insert_default();
        limit.from.clear();
        limit.from.extend_from_slice(from);
        limit.to = to.map(<[u8]>::to_vec);
    }

    /// The cursor is moved by somebody who does not tell where: all that it may read is noted.
    pub(super) fn everything(&self) {
        let seen = &mut *self.seen.lock();
        seen.span = Some(Span::default());
    }
}
