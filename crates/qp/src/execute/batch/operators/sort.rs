//! ORDER BY over batches, with LIMIT in mind.
//!
//! Rows are kept as columns beside the columns of their keys. Keys that are all integers or all
//! reals become words that order like them, and sorting is sorting words; other keys become the
//! bytes of the row gear's. With a LIMIT most rows are thrown away by their first key as soon as
//! enough are known, before any other column is decoded. Neighbours: `window` sorts with the
//! same [`Sorter`].

use pandodb_ds::record::key::{ColumnOrder, push_column};
use pandodb_ds::record::row::encode_row;
use pandodb_ds::record::{Collation, ValueRef};
use smallvec::SmallVec;

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_ROWS, Batch};
use crate::execute::batch::exchange::{self, Ahead};
use crate::execute::batch::expression::Expression;
use crate::execute::batch::merge::Merge;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::shares;
use crate::execute::batch::sorting::SortHelp;
use crate::execute::batch::vector::{Tags, Vector};
use crate::execute::files::runs::write_row;
use crate::execute::memory::{Charge, SpillFile, SpillReader};
use crate::execute::operators::limit_bounds;
use crate::plan::{Sort, SortKey};
use crate::types::{Collations, compare};

/// How many rows more than wanted are gathered before they are sorted and cut.
const SLACK: usize = 4 * BATCH_ROWS;

/// A compiled sort.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchSort {
    pub(in crate::execute::batch) input: Operator,
    pub(in crate::execute::batch) keys: Vec<Expression>,
    /// Columns that are read of the sorted rows.
    pub(in crate::execute::batch) keep: Vec<usize>,
    /// Whether threads can sort shares of the rows.
    pub(in crate::execute::batch) is_divisible: bool,
}

/// The first rows of those that one thread sees.
struct Share {
    sorter: Sorter,
    bound: Bound,
}

/// The word of the last wanted row's first key, which are all of one kind: rows behind it are not
/// wanted.
type Bound = Option<(Tags, u64)>;

/// Where a sort is.
#[derive(Debug)]
pub(in crate::execute::batch) struct SortState {
    pub(in crate::execute::batch) input: State,
    sorted: Option<Sorted>,
}

/// Sorted rows, being given out.
#[derive(Debug)]
pub(in crate::execute::batch) enum Sorted {
    /// From memory.
    Kept {
        /// The rows' columns.
        columns: Vec<Vector>,
        /// The rows.
        order: Vec<u32>,
        /// The next of them.
        next: usize,
        /// Holds the memory on the statement's account.
        charge: Charge,
    },
    /// From files.
    Merged(Box<Merge>),
}

/// How a key is ordered.
#[derive(Clone, Copy, Debug)]
pub(in crate::execute::batch) struct KeyOrder {
    pub(in crate::execute::batch) collation: Collation,
    pub(in crate::execute::batch) descending: bool,
    pub(in crate::execute::batch) nulls_first: bool,
}

impl From<&SortKey> for KeyOrder {
    fn from(key: &SortKey) -> Self {
        Self { collation: key.collation, descending: key.descending, nulls_first: key.nulls_first }
    }
}

/// Rows that are to be sorted.
#[derive(Debug)]
pub(in crate::execute::batch) struct Sorter {
    orders: Vec<KeyOrder>,
    pub(in crate::execute::batch) keys: Vec<Vector>,
    pub(in crate::execute::batch) columns: Vec<Vector>,
    pub(in crate::execute::batch) rows: usize,
    /// Sorted rows in files, the oldest first.
    runs: Vec<SpillReader>,
    charge: Charge,
}

/// A word that orders like an integer.
#[inline]
fn integer_word(bits: u64) -> u64 {
    bits ^ 1 << 63
}

/// A word that orders like a real.
#[inline]
fn real_word(bits: u64) -> u64 {
    // Both zeros are one value.
    let bits = if bits == 1 << 63 { 0 } else { bits };
    if bits >> 63 == 0 { bits ^ 1 << 63 } else { !bits }
}

/// A word for each value that orders like them, if they are all integers or all reals.
fn words(vector: &Vector, descending: bool) -> Option<Vec<u64>> {
    let of: fn(u64) -> u64 = match vector.seen() {
        Tags::INTEGER => integer_word,
        Tags::REAL => real_word,
        _ => return None,
    };
    let flip = if descending { u64::MAX } else { 0 };
    Some(vector.bits().iter().map(|bits| of(*bits) ^ flip).collect())
}

impl Sorter {
    pub(in crate::execute::batch) fn new(
        orders: Vec<KeyOrder>,
        columns: usize,
        run: &Run<'_>,
    ) -> Self {
        Self {
            runs: Vec::new(),
            charge: run.outer.context.run.memory().charge(),
            keys: orders.iter().map(|_| Vector::default()).collect(),
            orders,
            columns: (0..columns).map(|_| Vector::default()).collect(),
            rows: 0,
        }
    }

    /// About how many bytes of memory it takes, its order included.
    pub(in crate::execute::batch) fn memory_bytes(&self) -> usize {
        let vectors = self.keys.iter().chain(&self.columns);
        vectors.map(Vector::memory_bytes).sum::<usize>() + self.rows * 24
    }

    /// Takes the rows of a batch, with the values of their keys.
    pub(in crate::execute::batch) fn take(
        &mut self,
        keys: &[impl AsRef<Vector>],
        batch: &Batch,
        keep: &[usize],
    ) -> Result<()> {
        for (known, key) in self.keys.iter_mut().zip(keys) {
            known.check_size(key.as_ref().text_bytes())?;
            known.append(key.as_ref());
        }
        for (known, number) in self.columns.iter_mut().zip(keep) {
            let column = batch.ready(*number)?;
            known.check_size(column.text_bytes())?;
            known.append(column);
        }
        self.rows += batch.rows;
        if u32::try_from(self.rows).is_err() {
            return Err(Error::new(ErrorKind::Limit, "a query sorts too many rows"));
        }
        Ok(())
    }

    /// Says what is kept now; whether it is too much.
    pub(in crate::execute::batch) fn weigh(&mut self, run: &Run<'_>) -> Result<bool> {
        self.charge.set(self.memory_bytes(), run.outer.context.settings)
    }

    /// Moves the rows to a file.
    pub(in crate::execute::batch) fn spill(&mut self, run: &Run<'_>) -> Result<()> {
        let mut file = SpillFile::create(run.outer.context)?;
        let (mut key, mut row_bytes) = (Vec::new(), Vec::new());
        for row in self.order(SortHelp::of(run))? {
            key.clear();
            row_bytes.clear();
            self.push_key(row as usize, &mut key)?;
            let values: SmallVec<[ValueRef<'_>; 16]> =
                self.columns.iter().map(|column| column.get(row as usize)).collect();
            encode_row(&values, &mut row_bytes)?;
            write_row(&mut file, &key, &row_bytes)?;
        }
        self.runs.push(file.into_reader()?);
        for vector in self.keys.iter_mut().chain(&mut self.columns) {
            *vector = Vector::default();
        }
        self.rows = 0;
        self.weigh(run)?;
        Ok(())
    }

    /// All rows in their order, or the first `wanted` of them.
    pub(in crate::execute::batch) fn finish(
        mut self,
        wanted: Option<usize>,
        run: &Run<'_>,
    ) -> Result<Sorted> {
        if self.runs.is_empty() {
            let mut order = self.order(SortHelp::of(run))?;
            if let Some(wanted) = wanted {
                order.truncate(wanted);
            }
            let Self { columns, charge, .. } = self;
            return Ok(Sorted::Kept { columns, order, next: 0, charge });
        }
        self.spill(run)?;
        let merge = Merge::new(self.runs, self.columns.len(), wanted)?;
        Ok(Sorted::Merged(Box::new(merge)))
    }

    /// Rows that somebody else put in order.
    pub(in crate::execute::batch) fn into_sorted(
        self,
        columns: Vec<Vector>,
        order: Vec<u32>,
    ) -> Sorted {
        Sorted::Kept { columns, order, next: 0, charge: self.charge }
    }

    /// Appends the bytes of a row's keys, which stand in the order.
    fn push_key(&self, row: usize, bytes: &mut Vec<u8>) -> Result<()> {
        for (key, order) in self.keys.iter().zip(&self.orders) {
            let value = key.get(row);
            if order.nulls_first == order.descending {
                // Not where NULLs go by themselves.
                bytes.push(u8::from(value.is_null() != order.nulls_first));
            }
            let column = ColumnOrder { collation: order.collation, descending: order.descending };
            push_column(value, column, bytes)?;
        }
        Ok(())
    }

    /// The rows in their order; equal ones in the order in which they came.
    pub(in crate::execute::batch) fn order(&self, help: SortHelp) -> Result<Vec<u32>> {
        let words: Option<Vec<Vec<u64>>> = self
            .keys
            .iter()
            .zip(&self.orders)
            .map(|(key, order)| words(key, order.descending))
            .collect();
        match words.as_deref() {
            Some([first]) => {
                let mut rows: Vec<(u64, u32)> =
                    first.iter().zip(0..).map(|(word, row)| (*word, row)).collect();
                help.sort(&mut rows, Ord::cmp);
                Ok(rows.into_iter().map(|(_, row)| row).collect())
            }
            Some([first, second]) => {
                let words = first.iter().zip(second);
                let mut rows: Vec<(u64, u64, u32)> =
                    words.zip(0..).map(|((first, second), row)| (*first, *second, row)).collect();
                help.sort(&mut rows, Ord::cmp);
                Ok(rows.into_iter().map(|(.., row)| row).collect())
            }
            _ => self.order_by_bytes(help),
        }
    }

    /// The rows in their order, and where each differs from the one before, the first
    /// `partition` keys being those of the partition.
    pub(in crate::execute::batch) fn order_with_changes(
        &self,
        partition: usize,
        collations: &dyn Collations,
        help: SortHelp,
    ) -> Result<(Vec<u32>, Vec<Change>)> {
        if let ([first, second], 1) = (self.keys.as_slice(), partition)
            && let Some(first) = words(first, self.orders[0].descending)
            && let Some(second) = words(second, self.orders[1].descending)
        {
            return Ok(order_of_words(first, second));
        }
        let order = self.order(help)?;
        let is_same = |mut keys: std::ops::Range<usize>, left: u32, right: u32| {
            keys.all(|key| {
                let vector = &self.keys[key];
                let (left, right) = (vector.get(left as usize), vector.get(right as usize));
                compare(left, right, self.orders[key].collation, collations).is_eq()
            })
        };
        let mut changes = Vec::with_capacity(order.len());
        for (place, row) in order.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| order[before]);
            changes.push(match before {
                Some(before) if is_same(0..partition, before, *row) => {
                    let same = is_same(partition..self.keys.len(), before, *row);
                    if same { Change::None } else { Change::Peers }
                }
                _ => Change::Partition,
            });
        }
        Ok((order, changes))
    }

    /// As [`order`](Self::order), of any keys.
    fn order_by_bytes(&self, help: SortHelp) -> Result<Vec<u32>> {
        let mut bytes: Vec<u8> = Vec::new();
        let mut ends: Vec<usize> = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            self.push_key(row, &mut bytes)?;
            ends.push(bytes.len());
        }
        Ok(order_of_keys(&bytes, &ends, help))
    }

    /// Takes in the rows of a share; the last key of those here is their last column, in which
    /// they note where they stand.
    fn merge(&mut self, share: &Self) -> Result<()> {
        let keys = share.keys.iter().chain(share.columns.last());
        let own = self.keys.iter_mut().chain(&mut self.columns);
        for (known, column) in own.zip(keys.chain(&share.columns)) {
            known.check_size(column.text_bytes())?;
            known.append(column);
        }
        self.rows += share.rows;
        Ok(())
    }

    /// Only these rows, in this order.
    fn cut(&mut self, rows: &[u32]) {
        for vector in self.keys.iter_mut().chain(&mut self.columns) {
            *vector = vector.gather(rows);
        }
        self.rows = rows.len();
    }
}

/// The order of keys that stand one after the other in `bytes`, by where each ends; equal ones
/// as they stand.
pub(in crate::execute::batch) fn order_of_keys(
    bytes: &[u8],
    ends: &[usize],
    help: SortHelp,
) -> Vec<u32> {
    let key = |row: u32| {
        let row = row as usize;
        let start = if row == 0 { 0 } else { ends[row - 1] };
        &bytes[start..ends[row]]
    };
    let mut rows: Vec<(u64, u32)> =
        (0..ends.len() as u32).map(|row| (prefix(key(row)), row)).collect();
    help.sort(&mut rows, |left: &(u64, u32), right: &(u64, u32)| {
        let by_key = || key(left.1).cmp(key(right.1)).then(left.1.cmp(&right.1));
        left.0.cmp(&right.0).then_with(by_key)
    });
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Whether a row differs from the one before it in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute::batch) enum Change {
    /// In the keys of the partition.
    Partition,
    /// In the keys behind them.
    Peers,
    /// In none.
    None,
}

/// The order of rows by two words, of which the first is the partition's.
fn order_of_words(first: Vec<u64>, second: Vec<u64>) -> (Vec<u32>, Vec<Change>) {
    let words = first.into_iter().zip(second);
    let mut rows: Vec<(u64, u64, u32)> =
        words.zip(0..).map(|((first, second), row)| (first, second, row)).collect();
    rows.sort_unstable();
    let mut changes = Vec::with_capacity(rows.len());
    let mut before = None;
    for (first, second, _) in &rows {
        changes.push(match before {
            Some((one, two)) if one == first && two == second => Change::None,
            Some((one, _)) if one == first => Change::Peers,
            _ => Change::Partition,
        });
        before = Some((first, second));
    }
    (rows.iter().map(|(.., row)| *row).collect(), changes)
}

/// The first eight bytes of a key as a word that orders like them.
fn prefix(key: &[u8]) -> u64 {
    if let Some(chunk) = key.first_chunk::<8>() {
        return u64::from_be_bytes(*chunk);
    }
    let mut chunk = [0; 8];
    chunk[..key.len()].copy_from_slice(key);
    u64::from_be_bytes(chunk)
}

impl Sorted {
    /// The next rows, their columns under these numbers.
    pub(in crate::execute::batch) fn give(
        &mut self,
        keep: &[usize],
        run: &Run<'_>,
    ) -> Result<Option<Batch>> {
        let (columns, order, next) = match self {
            Self::Merged(merge) => return merge.give(keep, run),
            Self::Kept { columns, order, next, charge } => {
                if *next >= order.len() {
                    columns.clear();
                    charge.set(0, run.outer.context.settings)?;
                    return Ok(None);
                }
                (columns, order, next)
            }
        };
        let end = order.len().min(*next + BATCH_ROWS);
        let rows = &order[*next..end];
        *next = end;
        let mut batch = Batch::new(rows.len(), run.program.width);
        for (number, column) in keep.iter().zip(columns) {
            batch.set(*number, column.gather(rows));
        }
        Ok(Some(batch))
    }
}

impl BatchSort {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &Sort,
        run: &mut Run<'_>,
    ) -> Result<SortState> {
        Ok(SortState { input: self.input.open(&node.input, run)?, sorted: None })
    }

    pub(in crate::execute::batch) fn next(
        &self,
        node: &Sort,
        state: &mut SortState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        if state.sorted.is_none() {
            state.sorted = Some(self.sort(node, &mut state.input, run)?);
        }
        match &mut state.sorted {
            Some(sorted) => sorted.give(&self.keep, run),
            None => Ok(None),
        }
    }

    /// Reads the whole input.
    fn sort(&self, node: &Sort, input: &mut State, run: &mut Run<'_>) -> Result<Sorted> {
        let wanted = match &node.limit {
            Some((count, offset)) => {
                let scope = run.frame.scope(run.outer);
                let (give, skip) = limit_bounds(count, offset.as_ref(), &scope)?;
                give.and_then(|give| usize::try_from(give.saturating_add(skip)).ok())
            }
            None => None,
        };
        if let Some(wanted) = wanted
            && let Some(sorted) = self.first_of_shares(node, wanted, input, run)?
        {
            return Ok(sorted);
        }
        let orders = node.keys.iter().map(KeyOrder::from).collect();
        let mut sorter = Sorter::new(orders, self.keep.len(), run);
        let keys: Vec<&Expression> = self.keys.iter().collect();
        // Of rows that are mostly dropped only the keys are read by helpers.
        let columns: &[usize] = if wanted.is_some() { &[] } else { &self.keep };
        let ahead = Ahead { columns, expressions: &keys };
        exchange::feed((&self.input, &node.input), ahead, input, run, |input, run| {
            let mut bound = None;
            while wanted != Some(0)
                && let Some(batch) = self.input.next(&node.input, input, run)?
            {
                if self.take_batch(node, wanted, (&mut sorter, &mut bound, None), batch, run)? {
                    sorter.spill(run)?;
                }
            }
            Ok(())
        })?;
        sorter.finish(wanted, run)
    }

    /// The first `wanted` rows, of which several threads look for those of their shares.
    fn first_of_shares(
        &self,
        node: &Sort,
        wanted: usize,
        input: &mut State,
        run: &mut Run<'_>,
    ) -> Result<Option<Sorted>> {
        if !self.is_divisible || wanted == 0 {
            return Ok(None);
        }
        let orders: Vec<KeyOrder> = node.keys.iter().map(KeyOrder::from).collect();
        // Behind the columns: where each row stands in the table.
        let columns = self.keep.len() + 1;
        let start = |run: &Run<'_>| Share {
            sorter: Sorter::new(orders.clone(), columns, run),
            bound: None,
        };
        let work = |share: &mut Share, part: u64, state: &mut State, run: &mut Run<'_>| {
            let mut next = part << 32;
            while let Some(batch) = self.input.next(&node.input, state, run)? {
                let place = (&mut share.sorter, &mut share.bound, Some(&mut next));
                if self.take_batch(node, Some(wanted), place, batch, run)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let shares = shares::fold((&self.input, &node.input), input, run, start, work)?;
        let Some(shares) = shares else { return Ok(None) };
        // Of equal rows those come first that stand first in the table.
        let by_place =
            KeyOrder { collation: Collation::Binary, descending: false, nulls_first: true };
        let orders = orders.iter().copied().chain([by_place]).collect();
        let mut first = Sorter::new(orders, columns, run);
        for share in &shares {
            first.merge(&share.sorter)?;
        }
        if first.weigh(run)? {
            return Ok(None);
        }
        drop(shares);
        first.finish(Some(wanted), run).map(Some)
    }

    /// Takes rows, of which the first ones are `wanted`, as far as they may be among these; notes
    /// their places in the table, counting on, where somebody wants that. Whether it is too much
    /// for memory.
    fn take_batch(
        &self,
        node: &Sort,
        wanted: Option<usize>,
        (sorter, bound, next): (&mut Sorter, &mut Bound, Option<&mut u64>),
        mut batch: Batch,
        run: &mut Run<'_>,
    ) -> Result<bool> {
        let mut keys = self.key_vectors(&mut batch, run)?;
        let mut places = next.map(|next| {
            let places = (*next..*next + batch.rows as u64).collect();
            *next += batch.rows as u64;
            Vector::of_integers(places)
        });
        if let Some((tags, bound)) = *bound
            && let Some(first) = keys.first().filter(|key| key.seen() == tags)
            && let Some(words) = words(first, node.keys[0].descending)
        {
            let rows: Vec<u32> =
                (0..).zip(words).filter(|(_, word)| *word <= bound).map(|(row, _)| row).collect();
            if rows.is_empty() {
                return Ok(false);
            }
            if rows.len() < batch.rows {
                batch = batch.pick(&rows);
                let pick = |key: &pandodb_ds::sync::Arc<Vector>| key.gather(&rows);
                keys = keys.iter().map(pick).map(pandodb_ds::sync::Arc::new).collect();
                places = places.map(|places| places.gather(&rows));
            }
        }
        batch.force(&self.keep)?;
        sorter.take(&keys, &batch, &self.keep)?;
        if let (Some(places), Some(known)) = (places, sorter.columns.last_mut()) {
            known.append(&places);
        }
        if let Some(wanted) = wanted
            && sorter.rows >= wanted.saturating_mul(2).saturating_add(SLACK)
        {
            let mut order = sorter.order(SortHelp::default())?;
            order.truncate(wanted);
            sorter.cut(&order);
            *bound = sorter
                .keys
                .first()
                .and_then(|key| Some((key.seen(), *words(key, node.keys[0].descending)?.last()?)));
            return Ok(false);
        }
        sorter.weigh(run)
    }

    fn key_vectors(
        &self,
        batch: &mut Batch,
        run: &mut Run<'_>,
    ) -> Result<Vec<pandodb_ds::sync::Arc<Vector>>> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            keys.push(key.evaluate(batch, run)?.into_vector(batch.rows));
        }
        Ok(keys)
    }
}

// Neighbours: `window`, `vector`.
