//! The heads of an open database and the newest version of each.
//!
//! A head is a cell that always shows a whole version: commits put the next one in, readers load
//! it. The map of heads changes only when one is made or dropped. Whoever stores into a cell or
//! changes the map holds the turn of the commit queue, so that all of it has one order. The head
//! that a group of threads asked for last is remembered for them (`Nearby`), for most ask for the
//! same one again.
//! Heads of the file come into the map when somebody asks for them (`unread`). What commits
//! replace is kept for transactions that may ask for it yet (`moments`).
//! Neighbours: `head` is the cell's pointer, `transaction` loads and stores, `checkpoint` captures.

use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::space::Ledger;
use pandodb_ds::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use pandodb_ds::sync::{Arc, Mutex, OnceLock, Padded, RwLock};
use rustc_hash::FxHashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::head::Published;
use crate::ids::{CommitId, HeadId};
use crate::nearby::{self, GROUPS, Nearby};
use crate::snapshot::Pin;

#[cfg(all(test, loom))]
mod loom;
mod moments;
#[cfg(all(test, not(loom)))]
mod tests;
mod unread;

use moments::Moments;
pub(crate) use moments::OpenMoment;
pub(crate) use unread::{COMMIT_BYTES, HEADS_END, SavedVersions, Unread, encode_note};

/// The head that a new database has.
pub const MAIN: HeadId = HeadId(1);

/// The entry of the registry that is no head: its note is the number of the next one, so that
/// numbers do not come again when the newest heads are gone.
pub(crate) const COUNTER: HeadId = HeadId(u64::MAX);

/// One version of a head: what a commit made of it.
#[derive(Clone, Debug)]
pub struct HeadVersion {
    /// The head.
    pub head: HeadId,
    /// The commit that made it; a fork keeps that of its source until its own first one.
    pub commit: CommitId,
    /// Its trees.
    pub forest: Forest,
    /// What the crates above keep with the head.
    pub note: Arc<[u8]>,
}

impl HeadVersion {
    /// A version without trees, for a transaction that sees nothing for now.
    pub(crate) fn nothing() -> Arc<Self> {
        static NOTHING: OnceLock<Arc<HeadVersion>> = OnceLock::new();
        Arc::clone(NOTHING.get_or_init(|| {
            let (head, commit, note) = (HeadId(0), CommitId(0), Arc::from([]));
            Arc::new(Self { head, commit, forest: Forest::new(), note })
        }))
    }

    /// Whether it is the one that stands for none: no head has its number.
    #[inline]
    pub(crate) fn is_nothing(&self) -> bool {
        self.head == HeadId(0)
    }
}

/// A line of versions.
#[derive(Debug)]
pub(crate) struct HeadCell {
    pub(crate) id: HeadId,
    /// In a line of its own: what readers look at for every statement.
    pub(crate) version: Padded<Published<HeadVersion>>,
    /// What the transaction that writes holds, kept up to date while anybody reads uncommitted.
    pub(crate) uncommitted: Mutex<Option<Arc<HeadVersion>>>,
    /// Open transactions that read uncommitted.
    pub(crate) dirty_readers: AtomicUsize,
    /// Open serializable transactions: whoever commits must then lock the rows it changes.
    pub(crate) serializable: AtomicUsize,
    pub(crate) is_dropped: AtomicBool,
    /// Lives in memory only; holds what keeps its pages from being reused.
    pub(crate) ephemeral: Option<Ephemeral>,
}

/// What a head in memory needs: its pages are in no checkpoint.
#[derive(Debug)]
pub(crate) struct Ephemeral {
    pub(crate) ledgers: Mutex<Vec<Ledger>>,
    pub(crate) _pin: Pin,
}

impl HeadCell {
    pub(crate) fn new(version: Arc<HeadVersion>, ephemeral: Option<Ephemeral>) -> Arc<Self> {
        Arc::new(Self {
            id: version.head,
            version: Padded(Published::new(version)),
            uncommitted: Mutex::new(None),
            dirty_readers: AtomicUsize::new(0),
            serializable: AtomicUsize::new(0),
            is_dropped: AtomicBool::new(false),
            ephemeral,
        })
    }

    pub(crate) fn is_ephemeral(&self) -> bool {
        self.ephemeral.is_some()
    }

    /// Wakes the pin of a transaction that rested on this head; false if the head was dropped
    /// meanwhile, and the pin rests on. After true, what is loaded from the cell stays.
    #[inline]
    pub(crate) fn wake(&self, pin: &Pin, epoch: impl Fn() -> u64) -> bool {
        pin.unpark(epoch);
        // Behind the pin, and acquire: whoever drops the head says so before its pages may go.
        let is_there = !self.is_dropped.load(Ordering::Acquire);
        if !is_there {
            pin.park();
        }
        is_there
    }
}

/// What is known of a head without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadInfo {
    /// Its number.
    pub head: HeadId,
    /// Its newest commit.
    pub commit: CommitId,
    /// What the crates above keep with it.
    pub note: Arc<[u8]>,
    /// Whether it lives in memory only.
    pub is_ephemeral: bool,
}

/// The head that a group of threads asked for last.
type Last = Mutex<Option<Nearby<HeadCell>>>;

/// All heads.
#[derive(Debug)]
pub(crate) struct Heads {
    map: RwLock<FxHashMap<HeadId, Arc<HeadCell>>>,
    /// For each group of threads the head that it asked for last. Filled under the map's lock for
    /// reading and emptied under that for writing, so that none outlives its place in the map.
    last: Box<[Padded<Last>]>,
    /// Heads that the file has and the map not yet. Locked before the map.
    unread: Mutex<Option<Unread>>,
    /// Whether there are none. Set once, behind everything that came into the map.
    is_whole: AtomicBool,
    next: AtomicU64,
    pager: Arc<Pager>,
    pub(crate) moments: Moments,
}

impl Heads {
    pub(crate) fn new(
        versions: impl IntoIterator<Item = Arc<HeadVersion>>,
        unread: Option<Unread>,
        next: u64,
        pager: Arc<Pager>,
    ) -> Self {
        let cells =
            versions.into_iter().map(|version| (version.head, HeadCell::new(version, None)));
        let map: FxHashMap<_, _> = cells.collect();
        let highest = map.keys().map(|head| head.0).max().unwrap_or(0);
        let last = (0..GROUPS).map(|_| Padded(Mutex::new(None))).collect();
        Self {
            map: RwLock::new(map),
            last,
            is_whole: AtomicBool::new(unread.is_none()),
            unread: Mutex::new(unread),
            next: AtomicU64::new(next.max(highest + 1)),
            pager,
            moments: Moments::default(),
        }
    }

    /// Whether all heads are in the map.
    pub(crate) fn is_whole(&self) -> bool {
        // Acquire: whoever sees it sees what came into the map before.
        self.is_whole.load(Ordering::Acquire)
    }

    /// Takes all heads into the map that are in the file only; returns all heads as the file
    /// has them.
    pub(crate) fn take_rest(&self) -> Result<SavedVersions> {
        let mut unread = self.unread.lock();
        let Some(heads) = unread.as_mut() else { return Ok(SavedVersions::default()) };
        let rest = heads.take_rest()?;
        let mut map = self.map.write();
        map.reserve(rest.len());
        map.extend(rest.into_iter().map(|it| (it.head, HeadCell::new(it, None))));
        drop(map);
        self.is_whole.store(true, Ordering::Release);
        Ok(unread.take().map(Unread::into_taken).unwrap_or_default())
    }

    /// A number that no head ever had.
    pub(crate) fn next_id(&self) -> HeadId {
        HeadId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The number that the next head gets at least.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// The head of a number, to be looked at without its trees.
    pub(crate) fn peek(&self, head: HeadId) -> Result<Arc<HeadCell>> {
        // Asked before the map: in between the rest may come into it.
        let is_whole = self.is_whole();
        let known = self.map.read().get(&head).cloned();
        match known {
            Some(cell) => Ok(cell),
            None if is_whole => Err(missing(head)),
            None => self.peek_unread(head),
        }
    }

    #[cold]
    fn peek_unread(&self, head: HeadId) -> Result<Arc<HeadCell>> {
        let mut unread = self.unread.lock();
        let taken = unread.as_mut().map(|unread| unread.take(head)).transpose()?.flatten();
        if let Some(version) = taken {
            self.insert(HeadCell::new(version, None));
        }
        // Somebody else may have been faster.
        self.map.read().get(&head).cloned().ok_or_else(|| missing(head))
    }

    /// Reads the directories of all heads that nobody has asked for yet.
    pub(crate) fn read_all(&self) -> Result<()> {
        for cell in self.cells() {
            cell.version.load().forest.read(&self.pager)?;
        }
        Ok(())
    }

    /// The head of a number. What was opened from the file is read when it is first asked for.
    pub(crate) fn get(&self, head: HeadId) -> Result<Nearby<HeadCell>> {
        let last = &self.last[nearby::group()];
        if let Some(cell) = last.lock().as_ref().filter(|cell| cell.id == head) {
            return Ok(cell.clone());
        }
        let cell = Nearby::new(self.peek(head)?);
        cell.version.load().forest.read(&self.pager)?;
        let map = self.map.read();
        if map.contains_key(&head) {
            *last.lock() = Some(cell.clone());
        }
        Ok(cell)
    }

    pub(crate) fn insert(&self, cell: Arc<HeadCell>) {
        self.map.write().insert(cell.id, cell);
    }

    /// Drops a head: nobody finds it any more, and those who rest on it are told.
    pub(crate) fn retire(&self, cell: &HeadCell) {
        // Release: who finds the flag unset may still commit before this.
        cell.is_dropped.store(true, Ordering::Release);
        self.remove(cell.id);
    }

    /// Takes a drop back whose commit failed.
    pub(crate) fn bring_back(&self, cell: Arc<HeadCell>) {
        cell.is_dropped.store(false, Ordering::Release);
        self.insert(cell);
    }

    pub(crate) fn remove(&self, head: HeadId) {
        let mut map = self.map.write();
        for last in &self.last {
            // Not the last reference: the map still has one.
            last.lock().take_if(|cell| cell.id == head);
        }
        let removed = map.remove(&head);
        drop(map);
        // Not the last reference either: who drops a head lets go of what it holds (`publication`).
        drop(removed);
    }

    /// Every head by number; the caller has seen to it that all are in the map.
    pub(crate) fn cells(&self) -> Vec<Arc<HeadCell>> {
        debug_assert!(self.is_whole(), "heads are missing that nobody asked for yet");
        self.known_cells()
    }

    /// The heads that somebody has asked for, or changed, by number.
    pub(crate) fn known_cells(&self) -> Vec<Arc<HeadCell>> {
        let mut cells: Vec<_> = self.map.read().values().cloned().collect();
        cells.sort_by_key(|cell| cell.id);
        cells
    }

    pub(crate) fn count(&self) -> usize {
        if self.is_whole() {
            return self.map.read().len();
        }
        let unread = self.unread.lock();
        unread.as_ref().map_or(0, Unread::len) + self.map.read().len()
    }

    /// The head with the lowest number of those with a note.
    pub(crate) fn first_with(&self, note: &[u8]) -> Result<Option<HeadId>> {
        let unread = self.unread.lock();
        let map = self.map.read();
        let found = map.values().filter(|cell| *cell.version.load().note == *note);
        let known = found.map(|cell| cell.id).min();
        drop(map);
        let end = known.unwrap_or(HEADS_END);
        let in_file = unread.as_ref().map(|unread| unread.first_with(note, end)).transpose()?;
        Ok(in_file.flatten().or(known))
    }

    pub(crate) fn list(&self) -> Vec<HeadInfo> {
        let cells = self.cells();
        let info = cells.iter().map(|cell| {
            let version = cell.version.load();
            HeadInfo {
                head: cell.id,
                commit: version.commit,
                note: Arc::clone(&version.note),
                is_ephemeral: cell.is_ephemeral(),
            }
        });
        info.collect()
    }
}

/// `forest` on the directory of `saved`, the same head as a checkpoint wrote it: what a
/// checkpoint replaced in the file must not be referred to any more, the old directory included.
pub(crate) fn transplant(forest: &Forest, saved: &Forest) -> Forest {
    let mut result = saved.clone();
    for id in saved.ids() {
        if forest.tree(id).is_none() {
            result.drop_tree(id);
        }
    }
    for id in forest.ids() {
        let Some(tree) = forest.tree(id) else { continue };
        let is_same = saved.tree(id).is_some_and(|other| other.is_same_version(tree));
        if !is_same {
            result.set_tree(id, tree.clone());
        }
    }
    result
}

#[cold]
pub(crate) fn missing(head: HeadId) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no head {}", head.0))
}
