//! Loops over a search, for whole batches of left rows.
//!
//! The right side of such a loop is a table that is sought by values of the left row: by its
//! rowid, or by the leading columns of an index. The keys of a batch are computed as vectors,
//! the places are sought one after the other with two cursors that stay open, and what is read of
//! the rows goes into vectors at once; conditions are then tried on the pairs of many left rows
//! together. Pairs come out in the order of the row gear's. Helpers look for partners of parts of
//! the left rows, each with cursors of its own. Neighbours: `search_rows` walks the trees, `join`
//! has the joins by hash table, `operators::join` the loops of the row gear.

use pandodb_ds::sync::Arc;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_ROWS, Batch, Picked};
use crate::execute::batch::expression::{Column, Condition, Expression};
use crate::execute::batch::filter::true_rows;
use crate::execute::batch::portable::Asked;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::search_rows::{Finder, LentFinder, Place};
use crate::execute::batch::vector::{NO_ROW, Vector};
use crate::plan::{JoinType, NestedLoop, Scan};

/// How many rows of a table are read in the time of a search.
const SEARCH_ROWS: u64 = 8;

/// How many rows of each left row are looked at first where one decides.
const FIRST_LOOK: usize = 2;

/// A compiled loop.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchSearch {
    pub(in crate::execute::batch) left: Operator,
    /// What is sought: the rowid, or the leading columns of the index.
    pub(in crate::execute::batch) keys: Vec<Expression>,
    /// Numbers and positions of the columns that are read of the right rows.
    pub(in crate::execute::batch) columns: Vec<(usize, u16)>,
    /// What makes a pair.
    pub(in crate::execute::batch) conditions: Vec<Condition>,
    /// Columns of the left rows that are read of pairs.
    pub(in crate::execute::batch) left_keep: Vec<usize>,
    /// Those of them that the conditions read.
    pub(in crate::execute::batch) left_tried: Vec<usize>,
    /// About how many pairs there are.
    pub(in crate::execute::batch) expected: u64,
    /// What helpers ask, if they can run it.
    pub(in crate::execute::batch) portable: Option<Asked>,
}

/// Where a loop is.
#[derive(Debug)]
pub(in crate::execute::batch) struct SearchState {
    pub(in crate::execute::batch) left: State,
    finder: Option<Box<Finder>>,
    /// What helpers find rows with.
    pub(in crate::execute::batch) lent: Option<Arc<LentFinder>>,
    batch: Option<Left>,
    expected: u64,
}

/// Left rows that are being joined.
#[derive(Debug)]
struct Left {
    batch: Batch,
    keys: Vec<Column>,
    /// The left row that is next, or being joined.
    next: usize,
    /// The finder stands at a right row of it.
    inside: bool,
    /// It found a partner (LEFT).
    matched: bool,
}

/// Pairs, and which left row each is of.
struct Pairs {
    lefts: Vec<u32>,
    right: Vec<Vector>,
}

impl SearchState {
    /// The state of a thread that seeks for left rows with a finder that was lent.
    pub(in crate::execute::batch) fn over(left: State, lent: Option<&LentFinder>) -> Self {
        let finder = lent.map(|lent| Box::new(lent.finder()));
        Self { left, finder, lent: None, batch: None, expected: 0 }
    }

    /// About how many rows it is as much work as.
    pub(in crate::execute::batch) fn work_rows(&self, rows: impl Fn(&State) -> u64) -> u64 {
        rows(&self.left).saturating_add(self.expected.saturating_mul(SEARCH_ROWS))
    }

    pub(in crate::execute::batch) fn table_rows(&self, rows: impl Fn(&State) -> u64) -> u64 {
        rows(&self.left).saturating_add(self.expected)
    }
}

impl BatchSearch {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &NestedLoop,
        run: &mut Run<'_>,
    ) -> Result<SearchState> {
        let left = self.left.open(&node.left, run)?;
        let expected = self.expected;
        Ok(SearchState { left, finder: None, lent: None, batch: None, expected })
    }

    /// Makes what helpers find rows with.
    pub(in crate::execute::batch) fn prepare(
        &self,
        scan: &Scan,
        state: &mut SearchState,
        run: &Run<'_>,
    ) -> Result<()> {
        if state.lent.is_none() {
            let finder = match &mut state.finder {
                Some(finder) => finder,
                none => none.insert(Box::new(Finder::open(scan, &self.columns, run)?)),
            };
            state.lent = finder.lend().map(Arc::new);
        }
        Ok(())
    }

    pub(in crate::execute::batch) fn next(
        &self,
        (node, scan): (&NestedLoop, &Scan),
        state: &mut SearchState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        let finder = match &mut state.finder {
            Some(finder) => finder,
            none => none.insert(Box::new(Finder::open(scan, &self.columns, run)?)),
        };
        loop {
            let left = match &mut state.batch {
                Some(left) => left,
                none => {
                    let Some(rows) = self.left.next(&node.left, &mut state.left, run)? else {
                        return Ok(None);
                    };
                    none.insert(self.begin(rows, run)?)
                }
            };
            let found = match node.kind {
                JoinType::Semi | JoinType::Anti => {
                    let rows = self.decided(node.kind, left, scan, finder, run)?;
                    left.next = left.batch.rows;
                    rows
                }
                kind => self.pairs(kind, left, scan, finder, run)?,
            };
            if left.next >= left.batch.rows {
                state.batch = None;
            }
            if found.rows > 0 {
                return Ok(Some(found));
            }
        }
    }

    /// Takes left rows, with their keys.
    fn begin(&self, mut batch: Batch, run: &mut Run<'_>) -> Result<Left> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            keys.push(key.evaluate(&mut batch, run)?);
        }
        batch.force(&self.left_keep)?;
        batch.leaves = None;
        Ok(Left { batch, keys, next: 0, inside: false, matched: false })
    }

    /// The next pairs of inner and left joins, about as many as a batch has.
    fn pairs(
        &self,
        kind: JoinType,
        left: &mut Left,
        scan: &Scan,
        finder: &mut Finder,
        run: &mut Run<'_>,
    ) -> Result<Batch> {
        let (start, was_matched) = (left.next, left.matched);
        let mut pairs = Pairs::new(&self.columns);
        while left.next < left.batch.rows && pairs.lefts.len() < BATCH_ROWS {
            let is_there = if left.inside {
                finder.next()?
            } else {
                left.matched = false;
                finder.seek(scan, &left.keys, left.next)? == Place::Found
            };
            left.inside = is_there;
            if is_there {
                pairs.add(left.next, finder)?;
            } else {
                left.next += 1;
            }
        }
        run.outer.context.tick_rows(pairs.lefts.len().max(left.next - start))?;
        let (batch, lefts) = self.tried(pairs, &left.batch, run)?;
        if kind != JoinType::Left {
            return Ok(batch);
        }
        // The row that is not through yet may still find a partner; one that was not through the
        // last time may have found one then.
        let known = if was_matched { start } else { usize::MAX };
        let batch = self.with_alone(left, start..left.next, known, batch, &lefts, run)?;
        left.matched = left.inside
            && (lefts.last() == Some(&(left.next as u32)) || (was_matched && start == left.next));
        Ok(batch)
    }

    /// Pairs of a LEFT JOIN with the left rows of `all` that found no partner; `known` had one in
    /// a batch before.
    fn with_alone(
        &self,
        left: &Left,
        all: std::ops::Range<usize>,
        known: usize,
        mut pairs: Batch,
        lefts: &[u32],
        run: &Run<'_>,
    ) -> Result<Batch> {
        let (mut all_lefts, mut all_pairs) = (Vec::new(), Vec::new());
        let mut next = (0_u32..).zip(lefts).peekable();
        for row in all.clone() {
            let before = all_lefts.len();
            while let Some((pair, left)) = next.next_if(|(_, left)| **left == row as u32) {
                all_lefts.push(*left);
                all_pairs.push(pair);
            }
            if all_lefts.len() == before && row != known {
                all_lefts.push(row as u32);
                all_pairs.push(NO_ROW);
            }
        }
        for (pair, left) in next {
            all_lefts.push(*left);
            all_pairs.push(pair);
        }
        let numbers: Vec<usize> = self.columns.iter().map(|(number, _)| *number).collect();
        pairs.force(&numbers)?;
        let mut batch = Batch::new(all_lefts.len(), run.program.width);
        for number in &self.left_keep {
            batch.set(*number, left.batch.ready(*number)?.gather(&all_lefts));
        }
        for number in numbers {
            batch.set(number, pairs.ready(number)?.gather(&all_pairs));
        }
        Ok(batch)
    }

    /// Pairs that pass the conditions, and their left rows.
    fn tried(&self, pairs: Pairs, left: &Batch, run: &mut Run<'_>) -> Result<(Batch, Vec<u32>)> {
        let (mut batch, mut lefts) = self.untried(pairs, left, run);
        for condition in &self.conditions {
            if batch.rows == 0 {
                break;
            }
            let passing = true_rows(&condition.truths(&mut batch, run)?);
            if passing.len() < batch.rows {
                batch = batch.pick(&passing);
                lefts = passing.iter().map(|row| lefts[*row as usize]).collect();
            }
        }
        // What no condition reads is only looked at of the pairs that are left.
        show(&mut batch, &lefts, left, &self.left_keep);
        Ok((batch, lefts))
    }

    /// Pairs with the columns that the conditions read, and their left rows.
    fn untried(&self, pairs: Pairs, left: &Batch, run: &Run<'_>) -> (Batch, Vec<u32>) {
        let Pairs { lefts, right } = pairs;
        let mut batch = Batch::new(lefts.len(), run.program.width);
        show(&mut batch, &lefts, left, &self.left_tried);
        for ((number, _), vector) in self.columns.iter().zip(right) {
            batch.set(*number, vector);
        }
        (batch, lefts)
    }

    /// The left rows of the pairs that pass the conditions.
    fn passing_lefts(&self, pairs: Pairs, left: &Batch, run: &mut Run<'_>) -> Result<Vec<u32>> {
        let (mut batch, mut lefts) = self.untried(pairs, left, run);
        for (place, condition) in self.conditions.iter().enumerate() {
            if batch.rows == 0 {
                break;
            }
            let passing = true_rows(&condition.truths(&mut batch, run)?);
            if passing.len() < batch.rows {
                lefts = passing.iter().map(|row| lefts[*row as usize]).collect();
                if place + 1 < self.conditions.len() {
                    batch = batch.pick(&passing);
                }
            }
        }
        Ok(lefts)
    }

    /// The left rows that have a partner (or none).
    fn decided(
        &self,
        kind: JoinType,
        left: &Left,
        scan: &Scan,
        finder: &mut Finder,
        run: &mut Run<'_>,
    ) -> Result<Batch> {
        let mut has_partner = vec![false; left.batch.rows];
        let mut open: Vec<u32> = (0..left.batch.rows as u32).collect();
        let (mut skipped, mut looks) = (0, FIRST_LOOK);
        if self.conditions.is_empty() {
            for (row, has_partner) in has_partner.iter_mut().enumerate() {
                *has_partner = finder.seek(scan, &left.keys, row)? == Place::Found;
            }
            run.outer.context.tick_rows(left.batch.rows)?;
            open.clear();
        }
        while !open.is_empty() {
            let mut more = Vec::new();
            let mut pairs = Pairs::new(&self.columns);
            for &row in &open {
                let mut is_there = finder.seek(scan, &left.keys, row as usize)? == Place::Found;
                for _ in 0..skipped {
                    is_there = is_there && finder.next()?;
                }
                let mut seen = 0;
                while is_there && seen < looks {
                    pairs.add(row as usize, finder)?;
                    seen += 1;
                    is_there = finder.next()?;
                }
                if is_there {
                    more.push(row);
                }
                if pairs.lefts.len() >= BATCH_ROWS {
                    let full = std::mem::replace(&mut pairs, Pairs::new(&self.columns));
                    self.note(full, left, &mut has_partner, run)?;
                }
            }
            self.note(pairs, left, &mut has_partner, run)?;
            open = more;
            open.retain(|row| !has_partner[*row as usize]);
            skipped += looks;
            looks = (looks * 8).min(BATCH_ROWS);
        }
        let wanted = kind == JoinType::Semi;
        let rows: Vec<u32> =
            (0..).zip(&has_partner).filter(|(_, it)| **it == wanted).map(|(row, _)| row).collect();
        let mut batch = Batch::new(rows.len(), run.program.width);
        for number in &self.left_keep {
            batch.set(*number, left.batch.ready(*number)?.gather(&rows));
        }
        Ok(batch)
    }

    /// Notes which left rows have a partner among pairs.
    fn note(
        &self,
        pairs: Pairs,
        left: &Left,
        has_partner: &mut [bool],
        run: &mut Run<'_>,
    ) -> Result<()> {
        run.outer.context.tick_rows(pairs.lefts.len())?;
        for row in self.passing_lefts(pairs, &left.batch, run)? {
            has_partner[row as usize] = true;
        }
        Ok(())
    }
}

/// Puts columns of left rows beside pairs, as far as they are not there.
fn show(pairs: &mut Batch, lefts: &[u32], left: &Batch, numbers: &[usize]) {
    let picked = Picked::of(lefts, left);
    for number in numbers {
        if pairs.columns[*number].is_none() {
            pairs.columns[*number] = left.gathered(*number, &picked);
        }
    }
}

impl Pairs {
    fn new(columns: &[(usize, u16)]) -> Self {
        Self { lefts: Vec::new(), right: columns.iter().map(|_| Vector::default()).collect() }
    }

    /// Adds the right row where the finder stands.
    fn add(&mut self, left: usize, finder: &mut Finder) -> Result<()> {
        self.lefts.push(left as u32);
        finder.read(&mut self.right)
    }
}

// Neighbours: `search_rows`, `join`.
