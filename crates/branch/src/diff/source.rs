//! Where the changes of a table between two versions come from, in the order of their keys.
//!
//! As a rule two trees are walked side by side and what they share is skipped. Where a place in
//! stored rows means one column to one version and another to the other, rows of equal bytes are
//! not equal: then both trees are walked whole. Where the key of the table changed in between, the
//! rows of one version stand under other keys: then both versions are read whole and sorted by the
//! new key, in memory. Neighbours: `rows` compares cells, `merge::rows` pulls two of these side by
//! side.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use pandodb_ds::format::TreeKind;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Cursor, Diff, Found, Tree};

use crate::error::{Error, ErrorKind, Result};
use crate::shape::TableShape;
use crate::shape::row::{Row, Stored};

/// A row that may not be the same in both versions, still in stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawChange {
    /// What the row is matched by.
    pub key: Vec<u8>,
    /// The row in the older version.
    pub old: Option<Stored>,
    /// The row in the newer version.
    pub new: Option<Stored>,
}

/// A row that is not the same in both versions, where it is.
#[derive(Debug)]
pub struct LentChange<'a> {
    /// What the row is matched by.
    pub key: &'a [u8],
    /// The row in the older version.
    pub old: Option<LentRow<'a>>,
    /// The row in the newer version.
    pub new: Option<LentRow<'a>>,
}

/// A stored row where it is.
#[derive(Debug)]
pub struct LentRow<'a> {
    /// Its key in its tree.
    pub key: &'a [u8],
    /// Its bytes; those of large rows are read.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> LentRow<'a> {
    pub(super) fn of(row: &'a Stored) -> Self {
        Self { key: &row.key, bytes: Cow::Borrowed(&row.bytes) }
    }

    pub(super) fn to_stored(&self) -> Stored {
        Stored { key: self.key.to_vec(), bytes: self.bytes.to_vec() }
    }
}

/// One version of one table.
#[derive(Clone, Copy, Debug)]
pub struct TableVersion<'a> {
    /// How its rows are read.
    pub shape: &'a TableShape,
    /// Its rows; none where the version has no such tree.
    pub tree: Option<&'a Tree>,
    /// The index of its declared key, where it has one beside the rowid.
    pub keys: Option<&'a Tree>,
}

impl<'a> TableVersion<'a> {
    /// A version without rows.
    pub fn empty(shape: &'a TableShape) -> Self {
        Self { shape, tree: None, keys: None }
    }
}

/// The changes between two versions of a table.
pub struct Changes {
    source: Source,
}

enum Source {
    Trees(Box<Trees>),
    Whole(Box<[Rows; 2]>),
    Sorted(std::collections::btree_map::IntoIter<Vec<u8>, (Option<Stored>, Option<Stored>)>),
}

/// Two trees, and how far they are compared.
struct Trees {
    pager: Arc<Pager>,
    old: Tree,
    new: Tree,
    diff: Diff,
}

/// All rows of a version, with a look at the next one.
struct Rows {
    pager: Arc<Pager>,
    /// None where the version has no such tree.
    cursor: Option<Cursor>,
    next: Option<Stored>,
}

impl Rows {
    fn new(pager: &Arc<Pager>, tree: Option<&Tree>) -> Result<Self> {
        let cursor = tree.map(|tree| Cursor::new(Arc::clone(pager), tree.clone()));
        let mut rows = Self { pager: Arc::clone(pager), cursor, next: None };
        let is_there = rows.cursor.as_mut().map_or(Ok(false), Cursor::first)?;
        rows.next = rows.read(is_there)?;
        Ok(rows)
    }

    fn read(&self, is_there: bool) -> Result<Option<Stored>> {
        let Some(cursor) = self.cursor.as_ref().filter(|_| is_there) else { return Ok(None) };
        let found = cursor.found()?.map(|found| found.to_owned(&self.pager)).transpose()?;
        Ok(found.map(|bytes| Stored { key: cursor.key(), bytes }))
    }

    fn take(&mut self) -> Result<Option<Stored>> {
        let taken = self.next.take();
        let is_there = self.cursor.as_mut().map_or(Ok(false), Cursor::next)?;
        self.next = self.read(is_there)?;
        Ok(taken)
    }
}

impl Changes {
    /// The changes that lead from `old` to `new`, matched by the key that rows have in `key`.
    pub fn new(
        pager: &Arc<Pager>,
        key: &TableShape,
        old: TableVersion<'_>,
        new: TableVersion<'_>,
    ) -> Result<Self> {
        if are_keyed(key, old, new) && !new.shape.reads_alike(old.shape) {
            return Self::of_all_rows(pager, key, old, new);
        }
        let source = if are_keyed(key, old, new) {
            let empty = Tree::new(old.tree.or(new.tree).map_or(TreeKind::Fixed, Tree::kind));
            let (old, new) = (old.tree.unwrap_or(&empty), new.tree.unwrap_or(&empty));
            let diff = Diff::new(pager, old, new);
            let (pager, old, new) = (Arc::clone(pager), old.clone(), new.clone());
            Source::Trees(Box::new(Trees { pager, old, new, diff }))
        } else {
            let mut changes = sorted(pager, key, old, new)?;
            let is_same_shape = old.shape == new.shape;
            changes.retain(|_, (old, new)| !is_same_shape || old != new);
            Source::Sorted(changes.into_iter())
        };
        Ok(Self { source })
    }

    /// All rows of both versions, equal ones too: what is equal may not mean the same.
    pub(crate) fn of_all_rows(
        pager: &Arc<Pager>,
        key: &TableShape,
        old: TableVersion<'_>,
        new: TableVersion<'_>,
    ) -> Result<Self> {
        let source = if are_keyed(key, old, new) {
            Source::Whole(Box::new([Rows::new(pager, old.tree)?, Rows::new(pager, new.tree)?]))
        } else {
            Source::Sorted(sorted(pager, key, old, new)?.into_iter())
        };
        Ok(Self { source })
    }

    /// Whether two trees are compared, so that a key means the same row everywhere.
    pub(crate) fn are_of_trees(&self) -> bool {
        matches!(self.source, Source::Trees(_))
    }

    /// The kind of the trees that are compared.
    pub(crate) fn tree_kind(&self) -> TreeKind {
        match &self.source {
            Source::Trees(trees) => trees.new.kind(),
            Source::Whole(_) | Source::Sorted(_) => TreeKind::Slotted,
        }
    }

    /// The next change.
    pub fn next_change(&mut self) -> Result<Option<RawChange>> {
        self.next_with(|change| {
            let stored = |row: &Option<LentRow<'_>>| row.as_ref().map(LentRow::to_stored);
            let (old, new) = (stored(&change.old), stored(&change.new));
            Ok(RawChange { key: change.key.to_vec(), old, new })
        })
    }

    /// Calls `look` with the next change, where it is: nothing is copied.
    pub fn next_with<R>(
        &mut self,
        look: impl FnOnce(&LentChange<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        match &mut self.source {
            Source::Trees(trees) => {
                let looked = trees.diff.next_with(|key, old, new, pager| {
                    let (old, new) = (lend(key, old, pager)?, lend(key, new, pager)?);
                    Ok(look(&LentChange { key, old, new }))
                })?;
                looked.transpose()
            }
            Source::Whole(sides) => {
                let [old, new] = sides.as_mut();
                let order = match (&old.next, &new.next) {
                    (None, None) => return Ok(None),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (Some(old), Some(new)) => old.key.cmp(&new.key),
                };
                let old = if order == Ordering::Greater { None } else { old.take()? };
                let new = if order == Ordering::Less { None } else { new.take()? };
                let Some(row) = old.as_ref().or(new.as_ref()) else { return Ok(None) };
                let (old, new) = (old.as_ref().map(LentRow::of), new.as_ref().map(LentRow::of));
                look(&LentChange { key: &row.key, old, new }).map(Some)
            }
            Source::Sorted(changes) => match changes.next() {
                Some((key, (old, new))) => {
                    let (old, new) = (old.as_ref().map(LentRow::of), new.as_ref().map(LentRow::of));
                    look(&LentChange { key: &key, old, new }).map(Some)
                }
                None => Ok(None),
            },
        }
    }

    /// The changes behind a key in about `parts` parts of as many rows, in their order; none where
    /// they cannot be divided.
    pub fn divide(&self, behind: &[u8], parts: u64) -> Result<Vec<Self>> {
        let Source::Trees(trees) = &self.source else { return Ok(Vec::new()) };
        let from = match (trees.old.kind(), <[u8; 8]>::try_from(behind)) {
            (TreeKind::Fixed, Ok(key)) => match u64::from_be_bytes(key).checked_add(1) {
                Some(next) => next.to_be_bytes().to_vec(),
                None => return Ok(Vec::new()),
            },
            _ => [behind, &[0]].concat(),
        };
        let longer = if trees.old.len() > trees.new.len() { &trees.old } else { &trees.new };
        let keys = longer.dividing_keys(&trees.pager, Some(&from), parts)?;
        let keys: Vec<Option<&[u8]>> =
            std::iter::once(&from).chain(&keys).map(|key| Some(key.as_slice())).collect();
        let edges = [keys.as_slice(), &[None]].concat();
        let part = |edge: &[Option<&[u8]>]| {
            let (pager, old, new) =
                (Arc::clone(&trees.pager), trees.old.clone(), trees.new.clone());
            let diff = Diff::new(&pager, &old, &new).between(edge[0], edge[1]);
            Self { source: Source::Trees(Box::new(Trees { pager, old, new, diff })) }
        };
        Ok(edges.windows(2).map(part).collect())
    }
}

/// What a tree has for a key, as a row.
fn lend<'a>(
    key: &'a [u8],
    found: Option<Found<'a>>,
    pager: &Pager,
) -> pandodb_ds::Result<Option<LentRow<'a>>> {
    let Some(found) = found else { return Ok(None) };
    Ok(Some(LentRow { key, bytes: found.bytes(pager)? }))
}

type Rekeyed = BTreeMap<Vec<u8>, (Option<Stored>, Option<Stored>)>;

fn sorted(
    pager: &Arc<Pager>,
    key: &TableShape,
    old: TableVersion<'_>,
    new: TableVersion<'_>,
) -> Result<Rekeyed> {
    let mut changes = Rekeyed::new();
    for (version, is_new) in [(old, false), (new, true)] {
        for_each_row(pager, version, |stored| {
            let merge_key = rekey(key, version.shape, &stored)?;
            let (old, new) = changes.entry(merge_key).or_default();
            let place = if is_new { new } else { old };
            if place.is_some() {
                let table = &key.name;
                let message = format!("two rows of {table} have the same new primary key");
                let hint = "make the columns of the new key unique on both branches";
                return Err(Error::new(ErrorKind::Conflicts, message).with_hint(hint));
            }
            *place = Some(stored);
            Ok(())
        })?;
    }
    Ok(changes)
}

/// Whether both versions store rows by the keys of a table.
fn are_keyed(key: &TableShape, old: TableVersion<'_>, new: TableVersion<'_>) -> bool {
    let is_keyed = |version: TableVersion<'_>| {
        version.tree.is_none_or(Tree::is_empty) || version.shape.has_key_of(key)
    };
    is_keyed(old) && is_keyed(new)
}

/// The key by `key` of a row that is stored by another shape.
pub(crate) fn rekey(key: &TableShape, shape: &TableShape, stored: &Stored) -> Result<Vec<u8>> {
    if shape.has_key_of(key) {
        return Ok(stored.key.clone());
    }
    let row = shape.decode(&stored.key, &stored.bytes)?;
    key.key_of(&project(&row, shape, key))
}

/// A row of one shape as another has it: columns that only the other has are missing ones.
pub(crate) fn project(row: &Row, from: &TableShape, to: &TableShape) -> Row {
    let columns = to.columns.iter();
    let cells = columns.map(|column| match from.index_of(column.id) {
        Some(index) => column.affinity.convert(row[index].clone()),
        None => column.missing.clone(),
    });
    cells.collect()
}

/// Calls `look` with every row of a version in the order of its keys.
pub(crate) fn for_each_row(
    pager: &Arc<Pager>,
    version: TableVersion<'_>,
    mut look: impl FnMut(Stored) -> Result<()>,
) -> Result<()> {
    let Some(tree) = version.tree else { return Ok(()) };
    let mut cursor = Cursor::new(Arc::clone(pager), tree.clone());
    let mut more = cursor.first()?;
    while more {
        let key = cursor.key();
        let value = cursor.found()?.map(|found: Found<'_>| found.to_owned(pager)).transpose()?;
        let Some(bytes) = value else { break };
        look(Stored { key, bytes })?;
        more = cursor.next()?;
    }
    Ok(())
}
