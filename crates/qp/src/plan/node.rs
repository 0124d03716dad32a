//! The operators of a plan.
//!
//! Each has a method in `execute` that opens it and one that moves it to its next row. An
//! operator's own state is in the frame, under its [`StateId`]. Rows travel in slots: a scan
//! fills its slot, joins and filters leave slots alone, sorts and hashes keep copies of the
//! slots they were told about and put them back. Neighbours: `select` builds the tree.

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use crate::ast::{CompoundOperator, FrameExclude, FrameUnit};
use crate::catalog::{Index, Table};
use crate::execute::batch::Program;
use crate::function::{Function, Implementation, RowsAhead};
use crate::scalar::{Scalar, SlotId, StateId};
use crate::types::Affinity;

/// An operator with its inputs.
#[derive(Debug, Default)]
pub enum Node {
    /// One row of nothing: a SELECT without FROM.
    Once(StateId),
    /// No row.
    #[default]
    Empty,
    /// The rows of a table, by rowid, by index or all.
    Scan(Box<Scan>),
    /// Rows of expressions, into a slot.
    Values(Box<Values>),
    /// A table-valued function.
    Function(Box<FunctionScan>),
    /// The rows of a PRAGMA.
    Pragma(Box<PragmaScan>),
    /// Rows that pass.
    Filter(Box<Filter>),
    /// For each left row the right rows.
    NestedLoop(Box<NestedLoop>),
    /// The right rows in a hash table, looked up for each left row.
    HashJoin(Box<HashJoin>),
    /// Computes expressions into a slot.
    Project(Box<Project>),
    /// Runs its input once and repeats the rows.
    Materialize(Box<Materialize>),
    /// A common table that several places read: made at the first read.
    Shared(Box<Shared>),
    /// Groups.
    Aggregate(Box<Aggregation>),
    /// Window functions.
    Window(Box<WindowNode>),
    /// Orders.
    Sort(Box<Sort>),
    /// Leaves out rows that were there.
    Distinct(Box<Distinct>),
    /// Skips and stops.
    Limit(Box<Limit>),
    /// UNION, EXCEPT, INTERSECT.
    Compound(Box<Compound>),
    /// A recursive common table.
    Recursive(Box<Recursive>),
    /// The rows that the recursive part of a recursive table reads.
    RecursiveRow(SlotId, StateId),
    /// The row count of a table, from its tree.
    Count(Box<CountNode>),
    /// Rows that are kept by a key, looked up at each opening: an index for one run.
    Lookup(Box<Lookup>),
    /// A subtree that can run in batches, too.
    Batch(Box<BatchNode>),
}

/// Reads a table.
#[derive(Debug)]
pub struct Scan {
    /// Where the row goes.
    pub slot: SlotId,
    /// Where the scan's state is.
    pub state: StateId,
    /// Which of the plan's sources the table is in.
    pub source: SourceId,
    /// The table.
    pub table: Arc<Table>,
    /// The way in.
    pub path: AccessPath,
    /// From the end.
    pub backward: bool,
    /// One entry of the index is enough of all that agree in so many leading columns: the others
    /// may be jumped over. 0 where all are read.
    pub jump: usize,
    /// Of those that agree in the columns of `jump` the ends are read: the least and the greatest
    /// of the column behind, and what of them is not NULL.
    pub ends: bool,
    /// What the statement calls it.
    pub alias: Box<str>,
}

/// A database (and branch, and time) that a statement reads or writes, by its place in
/// the sources of the statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u16);

/// The way into a table.
#[derive(Debug)]
pub enum AccessPath {
    /// All rows, in the order of the keys.
    Full,
    /// The row with this rowid.
    Rowid(Scalar),
    /// The rows with one of these rowids: a list, or a column of the rows of a subquery.
    Rowids(Scalar, u16),
    /// The rows with rowids in a range.
    RowidRange(Range),
    /// By an index (or by the key of a table without rowid).
    Index(IndexPath),
    /// Several ways, each row once.
    Union(Vec<AccessPath>),
}

/// A part of an index.
#[derive(Debug)]
pub struct IndexPath {
    /// The index; without one the key of a table without rowid.
    pub index: Option<Arc<Index>>,
    /// Values of the leading columns; each a value, or an IN whose values are tried in order.
    pub equals: Vec<IndexEqual>,
    /// A range of the column behind them; behind all columns of an index it is one of rowids.
    pub range: Range,
    /// Everything that is read of the row is in the index.
    pub covering: bool,
}

/// What a leading column of an index must be.
#[derive(Debug)]
pub enum IndexEqual {
    /// This; NULL matches nothing unless `is` is set.
    Value {
        /// The value.
        value: Scalar,
        /// Compared by IS.
        is: bool,
        /// What the comparison makes of the value.
        affinity: Affinity,
    },
    /// One of an [`Scalar::InList`] or [`Scalar::InSubquery`].
    In(IndexIn),
}

/// A leading column of an index that must be one of several values.
#[derive(Debug)]
pub struct IndexIn {
    /// The list or the subquery.
    pub set: Scalar,
    /// Which column of the subquery's rows it is.
    pub part: u16,
    /// What the comparison makes of the values.
    pub affinity: Affinity,
    /// The values belong to those of the column before it: they are parts of the same rows.
    pub follows: bool,
}

/// Two bounds of a column.
#[derive(Debug, Default)]
pub struct Range {
    /// From where.
    pub low: Option<Bound>,
    /// Up to where.
    pub high: Option<Bound>,
    /// All blobs are in as well: a pattern looks at their bytes, too.
    pub blobs: bool,
    /// NULLs are out, whatever the bounds.
    pub not_null: bool,
}

impl Range {
    /// Whether it leaves anything out.
    pub fn is_bounded(&self) -> bool {
        self.low.is_some() || self.high.is_some() || self.not_null
    }
}

/// A bound.
#[derive(Debug)]
pub struct Bound {
    /// The value.
    pub value: Scalar,
    /// Whether equal ones are in.
    pub inclusive: bool,
    /// What the comparison makes of the value.
    pub affinity: Affinity,
    /// The bound is a row of values, of which these are for the columns behind: they decide
    /// between what is equal so far.
    pub behind: Vec<BoundPart>,
}

/// A further value of a bound that is a row.
#[derive(Debug)]
pub struct BoundPart {
    /// The value.
    pub value: Scalar,
    /// What the comparison makes of it.
    pub affinity: Affinity,
}

/// Rows of expressions.
#[derive(Debug)]
pub struct Values {
    /// Where the row goes.
    pub slot: SlotId,
    /// Where the position is.
    pub state: StateId,
    /// The rows.
    pub rows: Vec<Vec<Scalar>>,
}

/// A table-valued function.
#[derive(Debug)]
pub struct FunctionScan {
    /// Where the row goes.
    pub slot: SlotId,
    /// Where the rows are.
    pub state: StateId,
    /// The function.
    pub function: Arc<Function>,
    /// What it is called with.
    pub arguments: Vec<Scalar>,
    /// The columns that are read, a bit for each: the others need not be computed.
    pub reads: u64,
    /// What the statement calls it.
    pub alias: Box<str>,
}

/// The rows of a PRAGMA: `pragma_table_info('t')`.
#[derive(Debug)]
pub struct PragmaScan {
    /// Where the row goes.
    pub slot: SlotId,
    /// Where the rows are.
    pub state: StateId,
    /// The PRAGMA.
    pub name: Box<str>,
    /// Its value and its schema.
    pub arguments: Vec<Scalar>,
    /// What the statement calls it.
    pub alias: Box<str>,
}

/// Rows that pass.
#[derive(Debug)]
pub struct Filter {
    /// What is filtered.
    pub input: Node,
    /// What must be true, cheapest first.
    pub predicates: Vec<Scalar>,
}

/// The kinds of joins that are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinType {
    /// Pairs only.
    Inner,
    /// Left rows without a partner, too.
    Left,
    /// Right rows without a partner, too.
    Right,
    /// Both.
    Full,
    /// Left rows that have a partner, once.
    Semi,
    /// Left rows that have none.
    Anti,
}

/// For each left row the right rows.
#[derive(Debug)]
pub struct NestedLoop {
    /// Which rows.
    pub kind: JoinType,
    /// Where the state is.
    pub state: StateId,
    /// The outer side.
    pub left: Node,
    /// The inner side, opened for each left row.
    pub right: Node,
    /// What makes a pair.
    pub on: Vec<Scalar>,
    /// Slots that the left side fills.
    pub left_slots: Vec<SlotId>,
    /// Slots that the right side fills.
    pub right_slots: Vec<SlotId>,
    /// About how many rows come out.
    pub rows: f64,
}

/// The right rows in a hash table.
#[derive(Debug)]
pub struct HashJoin {
    /// Which rows.
    pub kind: JoinType,
    /// Where the table is.
    pub state: StateId,
    /// The side that is read row by row.
    pub left: Node,
    /// The side that is read first.
    pub right: Node,
    /// Pairs of expressions that must be equal.
    pub keys: Vec<HashKey>,
    /// What else makes a pair.
    pub on: Vec<Scalar>,
    /// Slots that the left side fills.
    pub left_slots: Vec<SlotId>,
    /// Slots that the right side fills.
    pub right_slots: Vec<SlotId>,
}

/// A pair of expressions that a hash join compares by `=`.
#[derive(Debug)]
pub struct HashKey {
    /// Over the left row.
    pub left: Scalar,
    /// Over the right row.
    pub right: Scalar,
    /// How.
    pub rule: crate::scalar::CompareRule,
}

/// Computes expressions into a slot.
#[derive(Debug)]
pub struct Project {
    /// What it reads.
    pub input: Node,
    /// What it computes.
    pub outputs: Vec<Scalar>,
    /// Where to.
    pub slot: SlotId,
    /// How EXPLAIN calls it: a view, a subquery.
    pub label: Option<Box<str>>,
}

/// Runs its input once and repeats the rows.
#[derive(Debug)]
pub struct Materialize {
    /// What is run.
    pub input: Node,
    /// Where the rows are kept.
    pub state: StateId,
    /// What is kept of each.
    pub slots: Vec<SlotId>,
    /// Whether the input reads slots that change: then it is run at every opening.
    pub correlated: bool,
    /// How EXPLAIN calls it.
    pub label: Option<Box<str>>,
}

/// A reader of a common table.
#[derive(Debug)]
pub struct Shared {
    /// The plan, which fills `slot`; all readers have the same.
    pub plan: Arc<SharedInput>,
    /// Where this reader's position is.
    pub state: StateId,
    /// Where this reader's row goes.
    pub slot: SlotId,
    /// What the statement calls it.
    pub label: Box<str>,
}

/// What readers of a common table share.
#[derive(Debug)]
pub struct SharedInput {
    /// The table's rows; it reads nothing of what lies around.
    pub plan: super::SelectPlan,
    /// Which of the statement's shared tables it is.
    pub number: u16,
    /// About how many rows.
    pub rows: f64,
}

/// Groups.
#[derive(Debug)]
pub struct Aggregation {
    /// What is grouped.
    pub input: Node,
    /// Where the groups are.
    pub state: StateId,
    /// What makes a group; none makes one group of everything, also of nothing.
    pub keys: Vec<GroupKey>,
    /// What is computed of each group.
    pub calls: Vec<AggregateCall>,
    /// Where results go: the keys first, then the calls.
    pub slot: SlotId,
    /// Slots whose row (that of min or max, or any of the group) is read beside.
    pub bare_slots: Vec<SlotId>,
    /// The input comes in the order of these of the keys: groups are given out as soon as one of
    /// them changes. None where it comes in any order.
    pub sorted: Vec<usize>,
    /// Each group is about one row, which is the same in all rows of the group.
    pub is_of_rows: bool,
}

/// What makes a group.
#[derive(Clone, Debug)]
pub struct GroupKey {
    /// The expression.
    pub value: Scalar,
    /// How it compares.
    pub collation: Collation,
}

/// An aggregate of a group.
#[derive(Clone, Debug)]
pub struct AggregateCall {
    /// The function.
    pub function: Arc<Function>,
    /// What it is called with.
    pub arguments: Vec<Scalar>,
    /// Only values that were not there, compared so.
    pub distinct: bool,
    /// How its arguments compare (`min`, `max`, DISTINCT).
    pub collation: Collation,
    /// The order in which it sees its rows.
    pub order_by: Vec<SortKey>,
    /// Which rows it sees.
    pub filter: Option<Scalar>,
}

/// Window functions over one window.
#[derive(Debug)]
pub struct WindowNode {
    /// What it reads.
    pub input: Node,
    /// It comes in the order of the partitions, and of ORDER BY in each: results are given out as
    /// soon as the frames are known. Otherwise it is sorted.
    pub sorted: bool,
    /// Where the rows are.
    pub state: StateId,
    /// PARTITION BY
    pub partition_by: Vec<GroupKey>,
    /// ORDER BY
    pub order_by: Vec<SortKey>,
    /// The functions, each with its frame.
    pub calls: Vec<WindowCall>,
    /// Slots that are kept of each input row.
    pub slots: Vec<SlotId>,
    /// Where the results go.
    pub output: SlotId,
}

/// A window function with its frame.
#[derive(Clone, Debug)]
pub struct WindowCall {
    /// The function and its arguments, DISTINCT and ORDER BY unused.
    pub call: AggregateCall,
    /// The frame.
    pub frame: WindowFrame,
}

impl WindowCall {
    /// How many rows behind the current one a function of the position looks at; none where that
    /// may be all of the partition.
    pub(crate) fn rows_ahead(&self) -> Option<usize> {
        let Implementation::Window(function) = &self.call.function.implementation else {
            return None;
        };
        match (function.rows_ahead, self.call.arguments.get(1)) {
            (RowsAhead::Most(rows), _) => Some(rows),
            (RowsAhead::Offset, None) => Some(1),
            (RowsAhead::Offset, Some(Scalar::Literal(Value::Integer(rows)))) => {
                usize::try_from(*rows).ok()
            }
            (RowsAhead::Offset | RowsAhead::Partition, _) => None,
        }
    }

    /// Whether its frame decides what it sees.
    pub(crate) fn uses_frame(&self) -> bool {
        match &self.call.function.implementation {
            Implementation::Window(function) => function.uses_frame,
            _ => true,
        }
    }

    /// Whether some value may depend on the last row of the partition.
    pub(crate) fn needs_partition(&self) -> bool {
        if !self.uses_frame() {
            return self.rows_ahead().is_none();
        }
        let WindowFrame { unit, start, end, .. } = &self.frame;
        // Where a distance ends is known behind it.
        let is_distance = |bound: &WindowBound| {
            *unit == FrameUnit::Range && matches!(bound, WindowBound::Following(_))
        };
        matches!(end, WindowBound::Unbounded) || is_distance(start) || is_distance(end)
    }
}

/// A frame.
#[derive(Clone, Debug)]
pub struct WindowFrame {
    /// In what the bounds count.
    pub unit: FrameUnit,
    /// Where it begins.
    pub start: WindowBound,
    /// Where it ends.
    pub end: WindowBound,
    /// What is left out.
    pub exclude: FrameExclude,
}

/// An end of a frame.
#[derive(Clone, Debug)]
pub enum WindowBound {
    /// The first or last row of the partition.
    Unbounded,
    /// So many before.
    Preceding(Scalar),
    /// The current row (and its equals, unless counted in rows).
    CurrentRow,
    /// So many behind.
    Following(Scalar),
}

/// Orders.
#[derive(Debug)]
pub struct Sort {
    /// What is ordered.
    pub input: Node,
    /// Where the rows are.
    pub state: StateId,
    /// By what.
    pub keys: Vec<SortKey>,
    /// The input comes in the order of so many leading keys: rows that agree in them are sorted by
    /// the others, and given out before the next ones are read. At least one key is left.
    pub sorted: usize,
    /// Slots that are kept of each row.
    pub slots: Vec<SlotId>,
    /// Only so many rows are wanted (`LIMIT`, with `OFFSET` in it).
    pub limit: Option<(Scalar, Option<Scalar>)>,
}

/// By what rows are ordered.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// The expression.
    pub value: Scalar,
    /// How texts compare.
    pub collation: Collation,
    /// Greatest first.
    pub descending: bool,
    /// Where NULLs go.
    pub nulls_first: bool,
}

/// Leaves out rows that were there.
#[derive(Debug)]
pub struct Distinct {
    /// What it reads.
    pub input: Node,
    /// Where the rows are.
    pub state: StateId,
    /// What tells rows apart.
    pub keys: Vec<GroupKey>,
    /// Slots that are read of the rows.
    pub slots: Vec<SlotId>,
    /// The input comes in the order of these of the keys: rows are forgotten as soon as one of
    /// them changes. None where it comes in any order.
    pub sorted: Vec<usize>,
}

/// Skips and stops.
#[derive(Debug)]
pub struct Limit {
    /// What it reads.
    pub input: Node,
    /// Where the count is.
    pub state: StateId,
    /// How many rows.
    pub count: Scalar,
    /// How many are skipped.
    pub offset: Option<Scalar>,
}

/// A part of a compound.
#[derive(Debug)]
pub struct Arm {
    /// How it is put together with those before it.
    pub operator: CompoundOperator,
    /// Its rows.
    pub input: Node,
    /// What is read of them.
    pub outputs: Vec<Scalar>,
}

/// UNION, EXCEPT, INTERSECT, from the left.
#[derive(Debug)]
pub struct Compound {
    /// The parts; the operator of the first means nothing.
    pub arms: Vec<Arm>,
    /// Where rows that must be told apart are.
    pub state: StateId,
    /// Where the row goes.
    pub slot: SlotId,
    /// How each column compares.
    pub collations: Vec<Collation>,
    /// The order that the rows of each part come in, so that they are merged; none where they come
    /// in any order.
    pub order: Vec<ColumnSort>,
}

impl Compound {
    /// Whether equal rows are one row.
    pub(crate) fn tells_apart(&self) -> bool {
        self.arms.iter().skip(1).any(|arm| arm.operator != CompoundOperator::UnionAll)
    }
}

/// A column of a compound that its rows are ordered by.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSort {
    /// Which.
    pub column: usize,
    /// How texts compare.
    pub collation: Collation,
    /// Greatest first.
    pub descending: bool,
    /// Where NULLs go.
    pub nulls_first: bool,
}

/// A recursive common table.
#[derive(Debug)]
pub struct Recursive {
    /// Rows to begin with.
    pub initial: Vec<Arm>,
    /// Rows made of each row, read through [`Node::RecursiveRow`].
    pub recursive: Vec<Arm>,
    /// Each row once.
    pub distinct: bool,
    /// Where the queue is.
    pub state: StateId,
    /// Where the row goes that the recursive part reads.
    pub row_slot: SlotId,
    /// Where the row goes that is the result.
    pub slot: SlotId,
    /// Which row of the queue is next: by expressions over `slot`; without any, the oldest.
    pub order_by: Vec<SortKey>,
    /// How each column compares.
    pub collations: Vec<Collation>,
    /// How many rows at most, and how many are skipped.
    pub limit: Option<(Scalar, Option<Scalar>)>,
}

/// The row count of a table.
#[derive(Debug)]
pub struct CountNode {
    /// Where the result goes.
    pub slot: SlotId,
    /// Whether it was given out.
    pub state: StateId,
    /// Whose rows are counted: what its way finds, all of which pass.
    pub scan: Scan,
}

/// Rows that are kept by a key, looked up at each opening.
#[derive(Debug)]
pub struct Lookup {
    /// What is read once; it reads nothing that changes from opening to opening.
    pub input: Node,
    /// Where the table is.
    pub state: StateId,
    /// What must be equal: on the left what is known at an opening, on the right of the input.
    pub keys: Vec<HashKey>,
    /// What is kept of each row.
    pub slots: Vec<SlotId>,
}

/// A subtree in both forms.
#[derive(Debug)]
pub struct BatchNode {
    /// The subtree.
    pub input: Node,
    /// The same for the batch gear.
    pub program: Program,
    /// Where the state of either is.
    pub state: StateId,
}

/// A constant row, for callers that build plans by hand.
pub fn constant_row(values: Vec<Value>) -> Vec<Scalar> {
    values.into_iter().map(Scalar::Literal).collect()
}
