//! Tables read leaf by leaf.
//!
//! The cursor moves from leaf to leaf; of each row only its place is noted, columns are decoded
//! when somebody asks for them (see `leaves`). Neighbours: `operators::scan` is the row gear's.

use pandodb_ds::format::TreeKind;
use pandodb_ds::page::CellKind;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Found;

use super::Run;
use super::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use super::leaves::{LeafRows, Page, Spot, TableColumns};
use super::vector::Vector;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::operators::rowid_range;
use crate::plan::{AccessPath, Scan};
use crate::scalar::ROWID;
use crate::store::Cursor;

/// Reads the rows of a table.
#[derive(Debug)]
pub(super) struct TableScan {
    /// Numbers and positions of the columns that are read.
    pub(super) columns: Vec<(usize, u16)>,
}

/// Where a scan is.
#[derive(Debug)]
pub(super) struct ScanState {
    cursor: Cursor,
    columns: Arc<TableColumns>,
    /// The number of the rowid, if it is read.
    rowid: Option<usize>,
    /// The first rowid behind the range, as a key.
    end: Option<u64>,
    /// How many rows there are, about.
    pub(super) rows: u64,
}

/// A rowid as a key of a tree of fixed keys.
fn fixed(rowid: i64) -> u64 {
    u64::from_be_bytes(rowid_key(rowid))
}

impl TableScan {
    pub(super) fn open(&self, node: &Scan, run: &mut Run<'_>) -> Result<ScanState> {
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
        Ok(ScanState { cursor, columns, rowid, end, rows })
    }

    pub(super) fn next(&self, state: &mut ScanState, run: &mut Run<'_>) -> Result<Option<Batch>> {
        let mut pages: Vec<Page> = Vec::new();
        let mut spots: Vec<Spot> = Vec::with_capacity(BATCH_ROWS + BATCH_ROWS / 2);
        let mut rowids = Vec::with_capacity(if state.rowid.is_some() { BATCH_ROWS } else { 0 });
        let mut large_bytes = 0;
        while spots.len() < BATCH_ROWS && large_bytes < BATCH_BYTES {
            let cursor = state.cursor.tree_mut();
            let (Some((leaf, start)), Some(node)) = (cursor.leaf(), cursor.page()) else { break };
            let mut stop = leaf.len().min(start + BATCH_ROWS);
            if let (Some(end), TreeKind::Fixed) = (state.end, leaf.kind()) {
                let (Ok(place) | Err(place)) = leaf.search_fixed(end);
                stop = stop.min(place);
            }
            if stop <= start {
                break;
            }
            let page = pages.len() as u32;
            pages.push(Page::Leaf(Arc::clone(node)));
            for index in start..stop {
                let (kind, range) = leaf.payload_range(index);
                if kind == CellKind::Inline {
                    let (start, end) = (range.start as u32, range.end as u32);
                    spots.push(Spot { page, start, end });
                } else {
                    let bytes = Found::of(leaf.cell(index))?.to_owned(cursor.pager())?;
                    large_bytes += bytes.len();
                    let end = u32::try_from(bytes.len()).map_err(|_| too_large())?;
                    spots.push(Spot { page: pages.len() as u32, start: 0, end });
                    pages.push(Page::Large(bytes));
                }
            }
            if state.rowid.is_some() {
                rowids.extend((start..stop).map(|index| leaf.fixed(index) ^ (1 << 63)));
            }
            if !cursor.set_index(stop)? {
                break;
            }
        }
        if spots.is_empty() {
            return Ok(None);
        }
        run.outer.context.tick_rows(spots.len())?;
        let mut batch = Batch::new(spots.len(), run.program.width);
        if let Some(number) = state.rowid {
            batch.set(number, Vector::of_integers(rowids));
        }
        let pages = Arc::new(pages);
        batch.leaves = Some(LeafRows { columns: state.columns.clone(), pages, spots });
        Ok(Some(batch))
    }
}

#[cold]
fn too_large() -> Error {
    Error::new(ErrorKind::Limit, "a row is longer than four gigabytes")
}

// Neighbours: `leaves`, `source`.
