//! Hash joins over batches: INNER, LEFT, RIGHT, FULL, semi and anti.
//!
//! The right side is kept as columns with a table of its keys; rows of one key are a chain in the
//! order in which they came, so that pairs come out as the row gear's do. Keys of rows that are
//! NULL join nothing. Neighbours: `keys` has the table, `operators::join` is the row gear's.

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_ROWS, Batch, Picked};
use crate::execute::batch::exchange::{self, Ahead};
use crate::execute::batch::expression::{Column, Condition, Expression};
use crate::execute::batch::filter::true_rows;
use crate::execute::batch::keys::{KeyTable, NONE};
use crate::execute::batch::portable::Asked;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::vector::{NO_ROW, Tag, Vector};
use crate::execute::memory::Charge;
use crate::plan::{HashJoin, HashKey, JoinType};
use crate::types::{Affinity, Datum, apply_affinity};

/// A compiled join.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchJoin {
    pub(in crate::execute::batch) left: Operator,
    pub(in crate::execute::batch) right: Operator,
    pub(in crate::execute::batch) left_keys: Vec<Expression>,
    pub(in crate::execute::batch) right_keys: Vec<Expression>,
    pub(in crate::execute::batch) on: Vec<Condition>,
    /// What helpers ask, if they can join left rows.
    pub(in crate::execute::batch) portable: Option<Asked>,
    /// Columns of the left and of the right side that are read of pairs.
    pub(in crate::execute::batch) left_keep: Vec<usize>,
    pub(in crate::execute::batch) right_keep: Vec<usize>,
}

/// Where a join is.
#[derive(Debug)]
pub(in crate::execute::batch) struct JoinState {
    pub(in crate::execute::batch) left: State,
    right: State,
    /// What was read of the right side.
    pub(in crate::execute::batch) side: Option<Arc<RightSide>>,
    /// Which of its rows found a partner (RIGHT and FULL).
    matched: Vec<bool>,
    /// The left rows that are being joined, and the next of them.
    batch: Option<Left>,
    /// The left side is through: the next right row to look at.
    rest: Option<usize>,
}

/// The right side, which many threads look at.
#[derive(Debug, Default)]
pub(in crate::execute::batch) struct RightSide {
    table: KeyTable,
    columns: Vec<Vector>,
    rows: usize,
    /// By key: its first row and its last.
    chains: Vec<(u32, u32)>,
    /// By row: the next of its key.
    next: Vec<u32>,
    charge: Option<Charge>,
}

/// Left rows with the chains of their keys.
#[derive(Debug)]
struct Left {
    batch: Batch,
    /// The first right row of each, or [`NO_ROW`].
    first: Vec<u32>,
    next: usize,
}

impl JoinState {
    /// The state of a thread that joins left rows with a side that was read.
    pub(in crate::execute::batch) fn over(left: State, side: Option<Arc<RightSide>>) -> Self {
        let right = State::Source(crate::execute::batch::source::SourceState::default());
        Self { left, right, side, matched: Vec::new(), batch: None, rest: None }
    }

    pub(in crate::execute::batch) fn table_rows(&self, rows: impl Fn(&State) -> u64) -> u64 {
        rows(&self.left).saturating_add(rows(&self.right))
    }
}

/// The keys of a side as they are compared, and which rows have a NULL among them.
fn key_columns(
    expressions: &[Expression],
    keys: &[HashKey],
    batch: &mut Batch,
    run: &mut Run<'_>,
) -> Result<(Vec<Column>, Option<Vec<bool>>)> {
    let rows = batch.rows;
    let mut columns = Vec::with_capacity(keys.len());
    let mut nulls: Option<Vec<bool>> = None;
    for (expression, key) in expressions.iter().zip(keys) {
        let column = expression.evaluate(batch, run)?.into_vector(rows);
        if column.seen().has(Tag::Null) {
            let nulls = nulls.get_or_insert_with(|| vec![false; rows]);
            for (null, tag) in nulls.iter_mut().zip(column.tags()) {
                *null |= *tag == Tag::Null;
            }
        }
        let affinity = key.rule.affinity;
        let is_settled = affinity < Affinity::Text
            || affinity.is_numeric() && column.seen().only(&[Tag::Null, Tag::Integer]);
        columns.push(if is_settled {
            Column::Vector(column)
        } else {
            Column::of_rows(rows, |row, vector| {
                vector.push(apply_affinity(Datum::Ref(column.get(row)), affinity).as_ref());
                Ok(())
            })?
        });
    }
    Ok((columns, nulls))
}

impl BatchJoin {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &HashJoin,
        run: &mut Run<'_>,
    ) -> Result<JoinState> {
        Ok(JoinState {
            left: self.left.open(&node.left, run)?,
            right: self.right.open(&node.right, run)?,
            side: None,
            matched: Vec::new(),
            batch: None,
            rest: None,
        })
    }

    pub(in crate::execute::batch) fn next(
        &self,
        node: &HashJoin,
        state: &mut JoinState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        self.prepare(node, state, run)?;
        let JoinState { left, side, matched, batch, rest, .. } = state;
        let Some(built) = side else { return Ok(None) };
        loop {
            if let Some(next) = rest {
                return Ok(self.unmatched(built, matched, next, run));
            }
            if batch.is_none() {
                *batch = self.probe(node, left, built, run)?;
                if batch.is_none() {
                    if !matches!(node.kind, JoinType::Right | JoinType::Full) {
                        return Ok(None);
                    }
                    *rest = Some(0);
                    continue;
                }
            }
            let Some(rows) = batch else { continue };
            let pairs = self.pairs(node, rows, (built, matched), run)?;
            if rows.next >= rows.batch.rows {
                *batch = None;
            }
            if pairs.rows > 0 {
                return Ok(Some(pairs));
            }
        }
    }

    /// Reads the right side, if that was not done.
    pub(in crate::execute::batch) fn prepare(
        &self,
        node: &HashJoin,
        state: &mut JoinState,
        run: &mut Run<'_>,
    ) -> Result<()> {
        if state.side.is_none() {
            let keys: Vec<&Expression> = self.right_keys.iter().collect();
            let ahead = Ahead { columns: &self.right_keep, expressions: &keys };
            let input = (&self.right, &node.right);
            let built = exchange::feed(input, ahead, &mut state.right, run, |right, run| {
                self.build(node, right, run)
            })?;
            if matches!(node.kind, JoinType::Right | JoinType::Full) {
                state.matched.resize(built.rows, false);
            }
            state.side = Some(Arc::new(built));
        }
        Ok(())
    }

    fn build(&self, node: &HashJoin, right: &mut State, run: &mut Run<'_>) -> Result<RightSide> {
        let keeps_right = matches!(node.kind, JoinType::Right | JoinType::Full);
        let collations: Vec<Collation> = node.keys.iter().map(|key| key.rule.collation).collect();
        let mut built = RightSide {
            charge: Some(run.outer.context.run.memory().charge()),
            columns: self.right_keep.iter().map(|_| Vector::default()).collect(),
            ..RightSide::default()
        };
        while let Some(mut batch) = self.right.next(&node.right, right, run)? {
            let (mut keys, mut nulls) = key_columns(&self.right_keys, &node.keys, &mut batch, run)?;
            if let Some(rows) = nulls.as_ref().filter(|_| !keeps_right) {
                // What joins nothing is not kept.
                let rows: Vec<u32> =
                    (0..).zip(rows).filter(|(_, null)| !**null).map(|(row, _)| row).collect();
                batch = batch.pick(&rows);
                for key in &mut keys {
                    if let Column::Vector(vector) = key {
                        *vector = pandodb_ds::sync::Arc::new(vector.gather(&rows));
                    }
                }
                nulls = None;
            }
            batch.force(&self.right_keep)?;
            for (known, number) in built.columns.iter_mut().zip(&self.right_keep) {
                let column = batch.ready(*number)?;
                known.check_size(column.text_bytes())?;
                known.append(column);
            }
            built.add(&keys, &collations, nulls.as_deref(), batch.rows)?;
            let bytes = built.memory_bytes();
            if let Some(charge) = &mut built.charge
                && charge.set(bytes, run.outer.context.settings)?
            {
                run.outer.context.run.give_batches_up()?;
            }
        }
        Ok(built)
    }

    /// The next left rows and their chains.
    fn probe(
        &self,
        node: &HashJoin,
        left: &mut State,
        built: &RightSide,
        run: &mut Run<'_>,
    ) -> Result<Option<Left>> {
        let keeps_left = matches!(node.kind, JoinType::Left | JoinType::Full | JoinType::Anti);
        let collations: Vec<Collation> = node.keys.iter().map(|key| key.rule.collation).collect();
        while let Some(mut batch) = self.left.next(&node.left, left, run)? {
            let (keys, nulls) = key_columns(&self.left_keys, &node.keys, &mut batch, run)?;
            let mut first = built.find(&keys, &collations, nulls.as_deref(), batch.rows)?;
            if !keeps_left {
                // Rows without partners are dropped before their other columns are decoded.
                let rows: Vec<u32> = (0..)
                    .zip(&first)
                    .filter(|(_, first)| **first != NO_ROW)
                    .map(|(row, _)| row)
                    .collect();
                if rows.is_empty() {
                    continue;
                }
                if rows.len() < batch.rows {
                    batch = batch.pick(&rows);
                    first = rows.iter().map(|row| first[*row as usize]).collect();
                }
            }
            batch.force(&self.left_keep)?;
            return Ok(Some(Left { batch, first, next: 0 }));
        }
        Ok(None)
    }

    /// Pairs of the next left rows, about as many as a batch has.
    fn pairs(
        &self,
        node: &HashJoin,
        rows: &mut Left,
        (built, matched): (&RightSide, &mut [bool]),
        run: &mut Run<'_>,
    ) -> Result<Batch> {
        let start = rows.next;
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        // Without further conditions the first partner of a semi-join says it all.
        let only_first = self.on.is_empty() && matches!(node.kind, JoinType::Semi | JoinType::Anti);
        while rows.next < rows.batch.rows && lefts.len() < BATCH_ROWS {
            let mut right = rows.first[rows.next];
            while right != NO_ROW {
                lefts.push(rows.next as u32);
                rights.push(right);
                if only_first {
                    break;
                }
                right = built.next[right as usize];
            }
            rows.next += 1;
        }
        run.outer.context.tick_rows(lefts.len())?;
        if !self.on.is_empty() && !lefts.is_empty() {
            let mut pairs = self.make(&rows.batch, built, &lefts, &rights, true, run);
            for condition in &self.on {
                let passing = true_rows(&condition.truths(&mut pairs, run)?);
                if passing.len() < pairs.rows {
                    pairs = pairs.pick(&passing);
                    lefts = passing.iter().map(|row| lefts[*row as usize]).collect();
                    rights = passing.iter().map(|row| rights[*row as usize]).collect();
                }
                if passing.is_empty() {
                    break;
                }
            }
            if node.kind == JoinType::Inner {
                return Ok(pairs);
            }
        }
        if !matched.is_empty() {
            for right in &rights {
                matched[*right as usize] = true;
            }
        }
        let (lefts, rights) = of_kind(node.kind, start..rows.next, lefts, rights);
        let with_right = !matches!(node.kind, JoinType::Semi | JoinType::Anti);
        Ok(self.make(&rows.batch, built, &lefts, &rights, with_right, run))
    }

    fn make(
        &self,
        left: &Batch,
        built: &RightSide,
        lefts: &[u32],
        rights: &[u32],
        with_right: bool,
        run: &Run<'_>,
    ) -> Batch {
        let mut batch = Batch::new(lefts.len(), run.program.width);
        let picked = Picked::of(lefts, left);
        for number in &self.left_keep {
            batch.columns[*number] = left.gathered(*number, &picked);
        }
        for (number, column) in self.right_keep.iter().zip(&built.columns) {
            batch.set(
                *number,
                if with_right {
                    column.gather(rights)
                } else {
                    Vector::repeat(pandodb_ds::record::ValueRef::Null, lefts.len())
                },
            );
        }
        batch
    }

    /// Right rows without a partner.
    fn unmatched(
        &self,
        built: &RightSide,
        matched: &[bool],
        next: &mut usize,
        run: &Run<'_>,
    ) -> Option<Batch> {
        let mut rows = Vec::new();
        while *next < built.rows && rows.len() < BATCH_ROWS {
            if !matched[*next] {
                rows.push(*next as u32);
            }
            *next += 1;
        }
        if rows.is_empty() {
            return None;
        }
        let mut batch = Batch::new(rows.len(), run.program.width);
        for number in &self.left_keep {
            batch.set(*number, Vector::repeat(pandodb_ds::record::ValueRef::Null, rows.len()));
        }
        for (number, column) in self.right_keep.iter().zip(&built.columns) {
            batch.set(*number, column.gather(&rows));
        }
        Some(batch)
    }
}

/// What a join of this kind gives for the left rows `all`, of which these found partners.
fn of_kind(
    kind: JoinType,
    all: std::ops::Range<usize>,
    lefts: Vec<u32>,
    rights: Vec<u32>,
) -> (Vec<u32>, Vec<u32>) {
    let each_once = |mut lefts: Vec<u32>| {
        lefts.dedup();
        lefts
    };
    match kind {
        JoinType::Inner | JoinType::Right => (lefts, rights),
        JoinType::Semi => (each_once(lefts), Vec::new()),
        JoinType::Anti => {
            let mut found = each_once(lefts).into_iter().peekable();
            let alone = |row: &u32| found.next_if_eq(row).is_none();
            (all.map(|row| row as u32).filter(alone).collect(), Vec::new())
        }
        JoinType::Left | JoinType::Full => {
            let (mut all_lefts, mut all_rights) = (Vec::new(), Vec::new());
            let mut pairs = lefts.into_iter().zip(rights).peekable();
            for row in all.map(|row| row as u32) {
                let before = all_lefts.len();
                while let Some((left, right)) = pairs.next_if(|(left, _)| *left == row) {
                    all_lefts.push(left);
                    all_rights.push(right);
                }
                if all_lefts.len() == before {
                    all_lefts.push(row);
                    all_rights.push(NO_ROW);
                }
            }
            (all_lefts, all_rights)
        }
    }
}

impl RightSide {
    fn memory_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Vector::memory_bytes).sum();
        columns + self.table.memory_bytes() + self.chains.capacity() * 8 + self.next.capacity() * 4
    }

    /// Adds rows with their keys.
    fn add(
        &mut self,
        keys: &[Column],
        collations: &[Collation],
        nulls: Option<&[bool]>,
        rows: usize,
    ) -> Result<()> {
        let numbers = self.table.assign(keys, collations, rows, &mut Vec::new())?;
        self.chains.resize(self.table.len(), (NONE, NONE));
        for (row, number) in numbers.into_iter().enumerate() {
            let id = u32::try_from(self.rows).ok().filter(|id| *id != NO_ROW).ok_or_else(|| {
                Error::new(ErrorKind::Limit, "a side of a join has too many rows")
            })?;
            self.rows += 1;
            self.next.push(NO_ROW);
            if nulls.is_some_and(|nulls| nulls[row]) {
                continue;
            }
            let (first, last) = &mut self.chains[number as usize];
            if *first == NONE {
                *first = id;
            } else {
                self.next[*last as usize] = id;
            }
            *last = id;
        }
        Ok(())
    }

    /// The first partner of each row.
    fn find(
        &self,
        keys: &[Column],
        collations: &[Collation],
        nulls: Option<&[bool]>,
        rows: usize,
    ) -> Result<Vec<u32>> {
        let mut found = self.table.find_all(keys, collations, rows)?;
        for (row, number) in found.iter_mut().enumerate() {
            let is_there = *number != NONE && !nulls.is_some_and(|nulls| nulls[row]);
            *number = if is_there { self.chains[*number as usize].0 } else { NO_ROW };
        }
        Ok(found)
    }
}

// Neighbours: `keys`, `program`.
