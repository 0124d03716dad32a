//! Labels of merges: what rows are called since, kept beside the lines that they were merged into.
//!
//! A label is written in the commit of its merge and stays with its line. Which merges have one is
//! in memory, so that a database where no merge ever renumbered a row pays nothing; what a label
//! says is read when two moments are compared that it stands between.
//! Neighbours: `lineage` finds the way and follows it, `mod` asks.

use std::collections::BTreeMap;

use pandodb_tm::{BeginOptions, Transaction};

use super::MergePlan;
use crate::error::{Error, Result};
use crate::lineage::numbering::{Numbering, Rowids, TableNumbers, add_runs, to_runs};
use crate::lineage::path::{Edge, Step};
use crate::lineage::{Line, LineId, Position};
use crate::registry::records::{Branch, Kind, Label, OthersLabel, decode, encode, key, number_key};
use crate::registry::{Branches, RECORDS, RowEdit, View, read_rows};
use crate::shape::ObjectId;

/// How many runs one record holds.
const RUNS_MAX: usize = 4096;

/// What a merge calls rows, by whose they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeLabel {
    /// The rows of the source, which the target has under other rowids.
    pub source: Numbering,
    /// The rows that the target had: under other rowids where it moved to the source (a
    /// fast-forward), and those whose rowids are other rows.
    pub target: Numbering,
}

const OF_SOURCE: u8 = 0;
const OF_TARGET: u8 = 1;
/// What a label has beside rowids that differ: those that are other rows.
const OTHERS: u8 = 2;

/// The place of a merge in keys: its line, and its place there.
pub(super) fn edge_key((line, index): Edge) -> Vec<u8> {
    [&line.0.to_be_bytes()[..], &index.to_be_bytes()].concat()
}

/// Where the labels of a merge are: its place, whose rows they are about, and what they say of
/// these.
fn label_prefix(edge: Edge, side: u8) -> Vec<u8> {
    let mut rest = edge_key(edge);
    rest.push(side);
    key(Kind::Label, &rest)
}

/// The merge that was recorded in a transaction, which works on the records.
pub(super) fn last_edge(plan: &MergePlan, transaction: &Transaction) -> Result<Edge> {
    let recorded = |row: Option<Vec<u8>>| {
        row.ok_or_else(|| Error::corrupt("a merge is noted that was not recorded"))
    };
    let branch = transaction.get(RECORDS, &number_key(Kind::Branch, plan.target.id.0))?;
    let branch: Branch = decode(&recorded(branch)?)?;
    let line = transaction.get(RECORDS, &number_key(Kind::Line, branch.line.0))?;
    let line: Line = decode(&recorded(line)?)?;
    Ok((branch.line, (line.merges.len() as u32).saturating_sub(1)))
}

/// Where a piece of what a label says of a table is.
fn label_key(edge: Edge, side: u8, table: ObjectId, piece: u32) -> Vec<u8> {
    let mut key = label_prefix(edge, side);
    key.extend_from_slice(&table.0.to_be_bytes());
    key.extend_from_slice(&piece.to_be_bytes());
    key
}

/// The merge that a label belongs to.
pub(in crate::registry) fn edge_of(key: &[u8]) -> Result<Edge> {
    let short = || Error::corrupt("the key of a merge's label is short");
    let rest = key.get(1..).ok_or_else(short)?;
    let line = rest.first_chunk::<8>().ok_or_else(short)?;
    let index = rest.get(8..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(short)?;
    Ok((LineId(u64::from_be_bytes(*line)), u32::from_be_bytes(*index)))
}

impl Branches {
    /// Writes what a merge calls rows into the transaction that it was recorded in, after
    /// [`record_merge`](Self::record_merge).
    pub fn label_merge(
        &self,
        plan: &MergePlan,
        label: &MergeLabel,
        transaction: &mut Transaction,
    ) -> Result<()> {
        let sides = [(OF_SOURCE, &label.source), (OF_TARGET, &label.target)];
        if sides.iter().all(|(_, numbering)| numbering.is_empty()) {
            return Ok(());
        }
        let target = transaction.head();
        transaction.use_head(self.system)?;
        let written = self.write_labels(plan, sides, transaction);
        transaction.use_head(target)?;
        self.add_pending(written?);
        Ok(())
    }

    fn write_labels(
        &self,
        plan: &MergePlan,
        sides: [(u8, &Numbering); 2],
        transaction: &mut Transaction,
    ) -> Result<Vec<RowEdit>> {
        let edge = last_edge(plan, transaction)?;
        let mut rows = Vec::new();
        let mut put = |key: Vec<u8>, value: Vec<u8>| -> Result<()> {
            transaction.put(RECORDS, &key, &value)?;
            rows.push((key, Some(value)));
            Ok(())
        };
        for (side, numbering) in sides {
            for (id, numbers) in numbering.tables() {
                let (same, differ): (Rowids, Rowids) =
                    numbers.rowids.iter().partition(|(own, called)| own == called);
                for (piece, runs) in (0..).zip(to_runs(&differ).chunks(RUNS_MAX)) {
                    let label = Label { table: numbers.table, runs: runs.to_vec() };
                    put(label_key(edge, side, id, piece), encode(&label)?)?;
                }
                let others = numbers.others.without(&same.into_keys().collect());
                let others: Vec<(i64, i64)> = others.iter().collect();
                for (piece, ranges) in (0..).zip(others.chunks(RUNS_MAX)) {
                    let label = OthersLabel { table: numbers.table, ranges: ranges.to_vec() };
                    put(label_key(edge, side | OTHERS, id, piece), encode(&label)?)?;
                }
            }
        }
        Ok(rows)
    }

    /// What rows of a moment are called at later ones that hold it: as the target of a merge calls
    /// them, say, and as its source does.
    pub fn numberings<const N: usize>(
        &self,
        from: Position,
        to: [Position; N],
    ) -> Result<[Numbering; N]> {
        let ways = self.with(|state| {
            to.map(|to| {
                if state.labelled.is_empty() {
                    return Vec::new();
                }
                let way = state.graph.way(from, to).unwrap_or_default();
                let is_labelled = |step: &Step| {
                    let (Step::Taken(edge) | Step::Passed(edge)) = step;
                    state.labelled.contains(edge)
                };
                way.into_iter().filter(is_labelled).collect()
            })
        })?;
        let mut numberings = [const { Numbering::new() }; N];
        if ways.iter().all(Vec::is_empty) {
            return Ok(numberings);
        }
        let transaction = self.manager.begin(self.system, BeginOptions::read_only())?;
        for (numbering, way) in numberings.iter_mut().zip(ways) {
            for step in way {
                numbering.then(&read_label(&transaction, step)?);
            }
        }
        Ok(numberings)
    }

    /// Where two moments parted, with what the rows that were there are called at both. Nothing
    /// where no label stands between them.
    pub fn parted_numberings(
        &self,
        left: Position,
        right: Position,
    ) -> Result<Vec<(View, [Numbering; 2])>> {
        let bases = self.with(|state| {
            let is_plain = state.labelled.is_empty();
            if is_plain { Vec::new() } else { state.graph.bases(left, right) }
        })?;
        let mut parted = Vec::new();
        for base in bases {
            let numberings = self.numberings(base, [left, right])?;
            if numberings.iter().any(|numbering| !numbering.is_empty()) {
                parted.push((self.view_at(base)?, numberings));
            }
        }
        Ok(parted)
    }
}

fn read_label(transaction: &Transaction, step: Step) -> Result<Numbering> {
    let (edge, side) = match step {
        Step::Taken(edge) => (edge, OF_SOURCE),
        Step::Passed(edge) => (edge, OF_TARGET),
    };
    let mut tables: BTreeMap<ObjectId, TableNumbers> = BTreeMap::new();
    for_each_piece(transaction, &label_prefix(edge, side), |table, value| {
        let label: Label = decode(value)?;
        let numbers = tables.entry(table).or_default();
        numbers.table = label.table;
        add_runs(&label.runs, &mut numbers.rowids)
            .ok_or_else(|| Error::corrupt("a merge's label leaves the range of rowids"))
    })?;
    for_each_piece(transaction, &label_prefix(edge, side | OTHERS), |table, value| {
        let label: OthersLabel = decode(value)?;
        let numbers = tables.entry(table).or_default();
        numbers.table = label.table;
        label.ranges.iter().for_each(|(first, last)| numbers.others.add(*first, *last));
        Ok(())
    })?;
    let mut label = Numbering::default();
    for (table, mut numbers) in tables {
        numbers.close();
        label.put(table, numbers);
    }
    Ok(label)
}

/// Calls `look` with the table and the value of each piece of a label.
fn for_each_piece(
    transaction: &Transaction,
    prefix: &[u8],
    mut look: impl FnMut(ObjectId, &[u8]) -> Result<()>,
) -> Result<()> {
    read_rows(transaction, prefix, |key, value| {
        let table = key.get(prefix.len()..).and_then(|rest| rest.first_chunk::<8>());
        let table = table.ok_or_else(|| Error::corrupt("the key of a merge's label is short"))?;
        look(ObjectId(u64::from_be_bytes(*table)), value)
    })
}
