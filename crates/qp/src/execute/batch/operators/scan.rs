//! Tables read leaf by leaf.
//!
//! The cursor moves from leaf to leaf. Columns that are read of every row are decoded at once,
//! while the leaf is in the processor's cache; of the others only the place of the row is noted,
//! and they are decoded when somebody asks for them (see `leaves`). Neighbours:
//! `operators::scan` is the row gear's.

use std::ops::Range;

use pandodb_ds::format::TreeKind;
use pandodb_ds::page::{Around, Body, Leaf, Node};
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::{Projector, RowBytes};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{self, Found};

use smallvec::SmallVec;

use crate::catalog::Table;
use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use crate::execute::batch::leaves::{LeafRows, Page, TableColumns};
use crate::execute::batch::program::{Operator, Side, State};
use crate::execute::batch::vector::{Sink, Vector};
use crate::execute::operators::rowid_range;
use crate::plan::{AccessPath, Scan};
use crate::scalar::ROWID;
use crate::store::Cursor;

/// Reads the rows of a table.
#[derive(Debug)]
pub(in crate::execute::batch) struct TableScan {
    /// Numbers and positions of the columns that are read.
    pub(in crate::execute::batch) columns: Vec<(usize, u16)>,
    /// Numbers and positions of those that are read of every row; the positions ascend.
    pub(in crate::execute::batch) eager: Vec<(usize, usize)>,
}

/// Where a scan is.
#[derive(Debug)]
pub(in crate::execute::batch) struct ScanState {
    walk: tree::Cursor,
    /// Keeps what is read from going away; a part's is kept by who divided the table.
    #[expect(dead_code, reason = "it holds the version as long as it is read")]
    snapshot: Option<Cursor>,
    columns: Arc<TableColumns>,
    /// The number of the rowid, if it is read.
    rowid: Option<usize>,
    /// Reads the columns that are decoded at once.
    projector: Projector,
    /// Whether other columns are left in the leaves.
    is_lazy: bool,
    /// The first rowid behind the range, as a key.
    end: Option<u64>,
    /// How many rows there are, about.
    pub(in crate::execute::batch) rows: u64,
    /// How many are still to be read, where that is bounded.
    left: u64,
    /// The memory of the page where the walk stands was asked for.
    is_fetched: bool,
}

/// A table in parts of neighbouring rows, which threads read at once.
#[derive(Debug)]
pub(in crate::execute::batch) struct Divided {
    walk: tree::Cursor,
    columns: Arc<TableColumns>,
    rowid: Option<usize>,
    projector: Projector,
    is_lazy: bool,
    /// How many rows of the tree come before the first.
    first: u64,
    pub(in crate::execute::batch) rows: u64,
    part_rows: u64,
    /// The right sides of the joins and loops above the scan, the uppermost first.
    pub(in crate::execute::batch) sides: Vec<Side>,
}

impl Divided {
    /// How many parts there are.
    pub(in crate::execute::batch) fn parts(&self) -> u64 {
        self.rows.div_ceil(self.part_rows)
    }

    /// The state of the operators above the scan over a part.
    pub(in crate::execute::batch) fn part_state(
        &self,
        operator: &Operator,
        part: u64,
    ) -> Result<State> {
        Ok(operator.part_state(self.part(part)?, &mut self.sides.iter()))
    }

    /// A part, to be read.
    fn part(&self, part: u64) -> Result<ScanState> {
        let start = part * self.part_rows;
        let rows = self.part_rows.min(self.rows - start);
        let mut walk = self.walk.clone();
        walk.seek_rank(self.first + start)?;
        Ok(ScanState {
            walk,
            snapshot: None,
            columns: self.columns.clone(),
            rowid: self.rowid,
            projector: self.projector.clone(),
            is_lazy: self.is_lazy,
            end: None,
            rows,
            left: rows,
            is_fetched: false,
        })
    }
}

impl ScanState {
    /// The rows in parts of as many as `size` says for all of them.
    pub(in crate::execute::batch) fn divide(
        &self,
        size: impl FnOnce(u64) -> u64,
    ) -> Result<Divided> {
        let is_empty = !self.walk.is_valid();
        let first = if is_empty {
            0
        } else {
            self.walk.tree().rank(self.walk.pager(), &self.walk.key())?
        };
        let rows = if is_empty { 0 } else { self.rows.min(self.walk.tree().len() - first) };
        Ok(Divided {
            walk: self.walk.clone(),
            columns: self.columns.clone(),
            rowid: self.rowid,
            projector: self.projector.clone(),
            is_lazy: self.is_lazy,
            first,
            rows,
            part_rows: size(rows).max(1),
            sides: Vec::new(),
        })
    }
}

/// A rowid as a key of a tree of fixed keys.
fn fixed(rowid: i64) -> u64 {
    u64::from_be_bytes(rowid_key(rowid))
}

impl TableScan {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &Scan,
        run: &mut Run<'_>,
    ) -> Result<ScanState> {
        let context = run.outer.context;
        let mut cursor = context.cursor(node.source, node.table.tree)?;
        let mut positions = vec![None; run.program.width];
        for (number, position) in &self.columns {
            positions[*number] = Some(*position);
        }
        let rowid = self.columns.iter().find(|(_, position)| *position == ROWID);
        let rowid = rowid.map(|(number, _)| *number);
        let mut rows = cursor.tree().tree().len();
        let mut end = None;
        match &node.path {
            AccessPath::RowidRange(range) => {
                match rowid_range(range, &run.frame.scope(run.outer))? {
                    Some((low, high)) => {
                        let behind = high.checked_add(1);
                        end = behind.map(fixed);
                        let to = behind.map(rowid_key);
                        let to = to.as_ref().map(|key| &key[..]);
                        if rows >= context.settings.batch_rows_min {
                            let from = rowid_key(low);
                            rows = context.count_range(node.source, node.table.tree, &from, to)?;
                        }
                        cursor.tree_mut().seek(&rowid_key(low))?;
                    }
                    None => rows = 0,
                }
            }
            _ => {
                cursor.tree_mut().first()?;
            }
        }
        let columns = Arc::new(TableColumns { table: node.table.clone(), positions });
        let eager: Vec<usize> = self.eager.iter().map(|(_, position)| *position).collect();
        let is_lazy = self.columns.len() > eager.len() + usize::from(rowid.is_some());
        let projector = Projector::new(&eager);
        let walk = cursor.tree_mut().clone();
        let left = u64::MAX;
        let snapshot = Some(cursor);
        let is_fetched = false;
        Ok(ScanState {
            walk,
            snapshot,
            columns,
            rowid,
            projector,
            is_lazy,
            end,
            rows,
            left,
            is_fetched,
        })
    }

    pub(in crate::execute::batch) fn next(
        &self,
        state: &mut ScanState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        let mut portion = Portion::new(state);
        let room = BATCH_ROWS.min(usize::try_from(state.left).unwrap_or(usize::MAX));
        let ScanState { walk: cursor, end, projector, is_fetched, .. } = state;
        while portion.rows < room && portion.large_bytes < BATCH_BYTES {
            let (Some((leaf, start)), Some(node)) = (cursor.leaf(), cursor.page()) else { break };
            let mut stop = leaf.len().min(start + room - portion.rows);
            if let (Some(end), TreeKind::Fixed) = (*end, leaf.kind()) {
                let (Ok(place) | Err(place)) = leaf.search_fixed(end);
                stop = stop.min(place);
            }
            if stop <= start {
                break;
            }
            let ahead = if portion.is_read() { cursor.page_ahead() } else { None };
            let around = Around { ahead: dense_leaf(ahead.as_deref()), is_fetched: *is_fetched };
            let mut reached = portion.take_leaf((leaf, node), start..stop, around, projector)?;
            if reached >= leaf.len() {
                *is_fetched = around.ahead.is_some();
            }
            if reached == start {
                let bytes = Found::of(leaf.cell(start))?.to_owned(cursor.pager())?;
                portion.take_large(bytes, projector)?;
                reached += 1;
            }
            if state.rowid.is_some() {
                portion.rowids.extend((start..reached).map(|index| leaf.fixed(index) ^ 1 << 63));
            }
            if !cursor.set_index(reached)? {
                break;
            }
        }
        if portion.rows == 0 {
            return Ok(None);
        }
        state.left -= portion.rows as u64;
        run.outer.context.tick_rows(portion.rows)?;
        let mut batch = Batch::new(portion.rows, run.program.width);
        if let Some(number) = state.rowid {
            batch.set(number, Vector::of_integers(portion.rowids));
        }
        for ((number, _), vector) in self.eager.iter().zip(portion.vectors) {
            batch.set(*number, vector);
        }
        if state.is_lazy {
            batch.leaves = Some(LeafRows {
                columns: state.columns.clone(),
                pages: Arc::new(portion.pages),
                spots: portion.spots,
                counts: portion.counts,
            });
        }
        Ok(Some(batch))
    }
}

/// A page's leaf, if a scan that asks for all of it gets little that it does not read.
fn dense_leaf(page: Option<&Node>) -> Option<&Leaf> {
    match page?.body() {
        Body::Leaf(leaf) if leaf.is_dense() => Some(leaf),
        _ => None,
    }
}

/// What rows from before a column was added have for those that are read.
fn missing_values<'t>(table: &'t Table, projector: &Projector) -> SmallVec<[ValueRef<'t>; 8]> {
    projector.wanted().iter().map(|it| table.missing_value(*it).as_ref()).collect()
}

/// The rows of a batch while they are read.
struct Portion {
    columns: Arc<TableColumns>,
    is_lazy: bool,
    rows: usize,
    /// The columns that are decoded at once.
    vectors: Vec<Vector>,
    rowids: Vec<u64>,
    pages: Vec<Page>,
    spots: Vec<RowBytes>,
    counts: Vec<u32>,
    large_bytes: usize,
}

impl Portion {
    fn new(state: &ScanState) -> Self {
        let room = |is_wanted: bool| if is_wanted { BATCH_ROWS } else { 0 };
        let vectors = state.projector.wanted().iter().map(|_| Vector::with_capacity(BATCH_ROWS));
        Self {
            columns: state.columns.clone(),
            is_lazy: state.is_lazy,
            rows: 0,
            vectors: vectors.collect(),
            rowids: Vec::with_capacity(room(state.rowid.is_some())),
            pages: Vec::new(),
            spots: Vec::with_capacity(room(state.is_lazy)),
            counts: Vec::new(),
            large_bytes: 0,
        }
    }

    /// Whether anything is read of the rows.
    fn is_read(&self) -> bool {
        self.is_lazy || !self.vectors.is_empty()
    }

    /// Takes entries of a leaf as long as they are in it; gives the first that is not.
    fn take_leaf(
        &mut self,
        (leaf, node): (&Leaf, &Arc<Node>),
        entries: Range<usize>,
        around: Around<'_>,
        projector: &mut Projector,
    ) -> Result<usize> {
        let Range { start, end } = entries;
        let is_read = self.is_read();
        let Self { columns, vectors, spots, is_lazy, .. } = self;
        let reached = if is_read {
            let table = &columns.table;
            let missing = missing_values(table, projector);
            let mut sink = Sink { vectors, missing: &missing };
            leaf.each_inline(start, end, around, |rows| -> Result<()> {
                if *is_lazy {
                    spots.extend_from_slice(rows);
                }
                Ok(projector.read(leaf.page_bytes(), rows, &mut sink)?)
            })?
        } else {
            // Nothing is read of the rows: they only count.
            end.min(leaf.len())
        };
        self.rows += reached - start;
        if self.is_lazy && reached > start {
            self.counts.push((reached - start) as u32);
            self.pages.push(Page::Leaf(Arc::clone(node)));
        }
        Ok(reached)
    }

    /// Takes a row that is not in its leaf.
    fn take_large(&mut self, bytes: Vec<u8>, projector: &mut Projector) -> Result<()> {
        let table = &self.columns.table;
        let missing = missing_values(table, projector);
        let mut sink = Sink { vectors: &mut self.vectors, missing: &missing };
        let row = RowBytes { start: 0, end: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        projector.read(&bytes, &[row], &mut sink)?;
        self.rows += 1;
        self.large_bytes += bytes.len();
        if self.is_lazy {
            self.spots.push(row);
            self.counts.push(1);
            self.pages.push(Page::Large(bytes));
        }
        Ok(())
    }
}

// Neighbours: `leaves`, `source`.
