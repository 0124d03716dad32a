//! Tables read leaf by leaf.
//!
//! The cursor moves from leaf to leaf; of each row only its place is noted, columns are decoded
//! when somebody asks for them (see `leaves`). Neighbours: `operators::scan` is the row gear's.

use pandodb_ds::format::TreeKind;
use pandodb_ds::page::Payloads;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Found;

use super::Run;
use super::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use super::leaves::{LeafRows, Page, TableColumns};
use super::vector::Vector;
use crate::error::Result;
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
        let mut rows = LeafRows {
            columns: state.columns.clone(),
            pages: Arc::default(),
            spots: Vec::with_capacity(BATCH_ROWS),
            counts: Vec::new(),
        };
        let mut pages: Vec<Page> = Vec::new();
        let mut rowids = Vec::with_capacity(if state.rowid.is_some() { BATCH_ROWS } else { 0 });
        let mut large_bytes = 0;
        while rows.spots.len() < BATCH_ROWS && large_bytes < BATCH_BYTES {
            let cursor = state.cursor.tree_mut();
            let (Some((leaf, start)), Some(node)) = (cursor.leaf(), cursor.page()) else { break };
            let mut stop = leaf.len().min(start + BATCH_ROWS - rows.spots.len());
            if let (Some(end), TreeKind::Fixed) = (state.end, leaf.kind()) {
                let (Ok(place) | Err(place)) = leaf.search_fixed(end);
                stop = stop.min(place);
            }
            if stop <= start {
                break;
            }
            let before = rows.spots.len();
            let mut reached = leaf.inline_payloads(start, stop, &mut rows.spots);
            if reached > start {
                rows.counts.push((rows.spots.len() - before) as u32);
                pages.push(Page::Leaf(Arc::clone(node)));
            } else {
                let bytes = Found::of(leaf.cell(reached))?.to_owned(cursor.pager())?;
                large_bytes += bytes.len();
                rows.spots.push(Payloads { start: 0, end: 0 });
                rows.counts.push(1);
                pages.push(Page::Large(bytes));
                reached += 1;
            }
            if state.rowid.is_some() {
                rowids.extend((start..reached).map(|index| leaf.fixed(index) ^ 1 << 63));
            }
            if !cursor.set_index(reached)? {
                break;
            }
        }
        if rows.spots.is_empty() {
            return Ok(None);
        }
        run.outer.context.tick_rows(rows.spots.len())?;
        let mut batch = Batch::new(rows.spots.len(), run.program.width);
        if let Some(number) = state.rowid {
            batch.set(number, Vector::of_integers(rowids));
        }
        rows.pages = Arc::new(pages);
        batch.leaves = Some(rows);
        Ok(Some(batch))
    }
}

// Neighbours: `leaves`, `source`.
