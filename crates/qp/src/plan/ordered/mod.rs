//! Groups and distinct rows from the order of an index.
//!
//! Where rows come in the order of the keys of GROUP BY or DISTINCT, a group is whole as soon as
//! the key changes: a LIMIT ends early, nothing is kept but one group, and an ORDER BY by the keys
//! needs no sort. An order of some of the keys is of use as well: then the groups of each run of
//! rows are whole. Where nothing but the leading columns of an index is read, and repeats change
//! nothing (DISTINCT, `count(DISTINCT x)`, `min`), one entry of each value is read and the others
//! are jumped over. Whether that is cheaper than a hash table is a matter of costs: hash tables
//! are filled in batches. Neighbours: `windows` has those of windows, `select` asks, `access` has
//! the ways.

mod windows;

use pandodb_ds::record::Collation;

pub(super) use self::windows::{agree, feed, keys_of_window};
use crate::bind::{Binder, Relation, TableRelation, keys_of};
use crate::catalog::IndexColumn;
use crate::plan::access::{Access, Ask, choose_access};
use crate::plan::cost::{BATCH_ROWS, hash_cost, seek_cost};
use crate::plan::estimate;
use crate::plan::needs::Needs;
use crate::plan::select::{QueryParts, upper_scalars};
use crate::plan::{AccessPath, GroupKey, IndexEqual, Node, Rules, SortKey};
use crate::scalar::{ColumnPlace, Comparison, ROWID, Scalar, SlotId};

/// What one row costs that the row gear takes into a group whose key is that of the row before,
/// and each call beside.
const STREAM_ROW: f64 = 0.7;
const STREAM_CALL: f64 = 0.6;
/// The same of a call in batches.
const BATCH_CALL: f64 = 0.1;
/// What is cheaper by less than this may as well be an error of the estimates.
const MARGIN: f64 = 0.8;

/// An order in which rows are to come, so that groups come in it.
pub(super) struct Run {
    /// The order that is asked of the rows.
    pub(super) wanted: Vec<SortKey>,
    /// The keys that this is, by their places.
    pub(super) places: Vec<usize>,
    /// How many leading columns of the index need be read only once for each of their values, and
    /// whether the ends of the column behind are.
    pub(super) jump: Option<(usize, bool)>,
    /// In how many leading terms of ORDER BY the groups come.
    pub(super) orders: usize,
}

/// What is known of a block when an order is chosen for it.
struct Block<'a> {
    table: &'a TableRelation,
    /// What makes a group; of one group of everything what its calls tell apart.
    keys: Vec<GroupKey>,
    is_single: bool,
    predicates: Vec<&'a Scalar>,
    /// Columns that have one value.
    constant: Vec<u16>,
    calls: f64,
    /// Nothing is read but the keys, and what calls read that repeats do not change.
    reads: Option<Vec<(u16, Collation)>>,
    /// All calls are `min` or `max` of this column.
    extreme: Option<(u16, Collation)>,
    /// How many groups are wanted.
    limit: Option<f64>,
}

/// The order that a block's groups or distinct rows should come from, if it pays.
pub(super) fn choose(binder: &mut Binder<'_>, parts: &QueryParts, needs: &Needs) -> Option<Run> {
    let [Relation::Table(table)] = parts.group.relations.as_slice() else { return None };
    let fits = binder.environment.rules.has(Rules::ORDERED_GROUPS)
        && parts.group.semis.is_empty()
        && parts.grouping.windows.is_empty()
        && !table.table.is_system();
    let block = fits.then(|| Block::of(parts, table)).flatten()?;
    let mut needs = needs.clone();
    parts.group.predicates.iter().for_each(|predicate| needs.add(predicate));
    let plain = block.access(binder, &needs, &[]);
    let all: Vec<usize> = (0..block.keys.len()).collect();
    let groups = block.groups(binder, &plain, &all);
    let mut best = block.price_of_hashing(parts, &plain, groups) * MARGIN;
    let is_lasting = plain.total >= BATCH_ROWS || binder.environment.rules.has(Rules::EAGER);
    let mut chosen = None;
    for (places, descending) in block.candidates(parts) {
        let key = |(place, descending): (&usize, &bool)| SortKey {
            value: block.keys[*place].value.clone(),
            collation: block.keys[*place].collation,
            descending: *descending,
            nulls_first: !descending,
        };
        let wanted: Vec<SortKey> = places.iter().zip(&descending).map(key).collect();
        let access = block.access(binder, &needs, &wanted);
        if !access.is_sorted(&wanted) {
            continue;
        }
        let mut orders = orders_by(parts, &places, &descending, block.keys.len());
        if orders < parts.order_by.len() && !binder.environment.rules.has(Rules::PART_SORT) {
            orders = 0;
        }
        let is_limited = block.limit.is_some() && (parts.order_by.is_empty() || orders > 0);
        // A plan outlives the moment: what is little now is much some day, and then hash tables
        // are filled in batches.
        if !is_lasting && !is_limited {
            continue;
        }
        let share = match block.limit {
            Some(limit) if is_limited => {
                let is_sorted = orders == parts.order_by.len();
                let sorted = if is_sorted { places.len() } else { orders.min(places.len()) };
                let together = groups / block.groups(binder, &plain, &places[..sorted]);
                ((limit + together) / groups).min(1.0)
            }
            _ => 1.0,
        };
        let jump = block.ends(&access).or_else(|| block.jump(&access));
        let jumps = jump.map_or(f64::MAX, |jump| block.price_of_jumping(binder, &access, jump));
        let streams = block.price_of_streaming(&access, groups, places.len());
        let cost = streams.min(jumps) * share;
        if cost < best {
            best = cost;
            let jump = jump.filter(|_| jumps < streams);
            let places = if block.is_single { Vec::new() } else { places };
            chosen = Some(Run { wanted, places, jump, orders });
        }
    }
    chosen
}

impl<'a> Block<'a> {
    fn of(parts: &'a QueryParts, table: &'a TableRelation) -> Option<Self> {
        let calls = &parts.grouping.calls;
        let keys = if !parts.grouping.keys.is_empty() {
            parts.grouping.keys.clone()
        } else if calls.is_empty() && parts.distinct {
            keys_of(&parts.outputs)
        } else {
            let each = calls.iter().flat_map(|call| {
                call.arguments.iter().map(|argument| (argument.clone(), call.collation))
            });
            each.map(|(value, collation)| GroupKey { value, collation }).collect()
        };
        let predicates: Vec<&Scalar> = parts.group.predicates.iter().collect();
        let constant = predicates.iter().filter_map(|it| constant_column(it, table.slot)).collect();
        let mut block = Self {
            table,
            keys,
            is_single: !calls.is_empty() && parts.grouping.keys.is_empty(),
            predicates,
            constant,
            calls: calls.len() as f64,
            reads: None,
            extreme: None,
            limit: parts.rows_wanted(),
        };
        block.reads = block.read_once(parts);
        block.extreme = block.extreme_of(parts);
        let jumps = block.reads.is_some() || block.extreme.is_some();
        let fits = !block.keys.is_empty() && (!block.is_single || jumps);
        fits.then_some(block)
    }

    fn access(&self, binder: &mut Binder<'_>, needs: &Needs, wanted: &[SortKey]) -> Access {
        let ask = Ask {
            table: self.table,
            predicates: &self.predicates,
            available: &[],
            needs,
            wanted,
            // An order in some of the terms is of no use here.
            limit: (!wanted.is_empty()).then_some(f64::MAX),
        };
        choose_access(binder, &ask)
    }

    /// Groups in a hash table, in the order that is asked for.
    fn price_of_hashing(&self, parts: &QueryParts, plain: &Access, groups: f64) -> f64 {
        let is_large = plain.total >= BATCH_ROWS;
        let each = if is_large { BATCH_CALL } else { STREAM_CALL };
        let order = if parts.order_by.is_empty() { 0.0 } else { groups.max(2.0).log2() * 0.1 };
        let calls = plain.rows * self.calls * each;
        plain.cost + hash_cost(groups, plain.rows) + calls + groups * order
    }

    /// Groups that come in the order of so many of the keys.
    fn price_of_streaming(&self, access: &Access, groups: f64, sorted: usize) -> f64 {
        if self.is_single {
            return f64::MAX;
        }
        let is_partly = self.keys.len() > sorted;
        let runs = if is_partly { hash_cost(groups, access.rows) * 2.0 } else { 0.0 };
        access.cost + access.rows * (STREAM_ROW + self.calls * STREAM_CALL) + runs
    }

    /// One entry of each value of the first `columns` columns of an index.
    fn price_of_jumping(
        &self,
        binder: &Binder<'_>,
        access: &Access,
        (columns, ends): (usize, bool),
    ) -> f64 {
        let seek = 2.0 * seek_cost(access.total);
        if columns == 0 {
            return 2.0 * seek;
        }
        let entries = self.distinct(binder, access, columns);
        let step = if ends { 2.0 * seek } else { seek.min(access.rows / entries) };
        entries * (step + STREAM_ROW + self.calls * STREAM_CALL)
    }

    fn own_column(&self, scalar: &Scalar) -> Option<ColumnPlace> {
        let place = scalar.as_column()?;
        (place.depth == 0 && place.slot == self.table.slot).then_some(*place)
    }

    /// The columns that are read, where one row of each of their values is enough.
    fn read_once(&self, parts: &QueryParts) -> Option<Vec<(u16, Collation)>> {
        let mut reads = Vec::new();
        let mut add = |scalar: &Scalar, collation: Collation| {
            let Scalar::Column(_) = scalar else { return None };
            reads.push((self.own_column(scalar)?.column, collation));
            Some(())
        };
        for key in &self.keys {
            add(&key.value, key.collation)?;
        }
        for call in &parts.grouping.calls {
            let is_extreme = matches!(&*call.function.name, "min" | "max");
            let fits = (call.distinct || is_extreme)
                && !call.function.usage.is_empty()
                && call.filter.is_none()
                && call.order_by.is_empty();
            let ([argument], true) = (call.arguments.as_slice(), fits) else { return None };
            add(argument, call.collation)?;
        }
        if let Some(slot) = parts.grouping.slot {
            // Columns beside the groups are those of some row, which may be any.
            let reads_groups = |scalar: &&Scalar| scalar.slots().iter().all(|it| *it == slot);
            if !upper_scalars(parts).iter().all(reads_groups) {
                return None;
            }
        }
        Some(reads)
    }

    /// The column that all calls are the least or the greatest of. Columns beside it are those of
    /// the row that has it, where there is one call.
    fn extreme_of(&self, parts: &QueryParts) -> Option<(u16, Collation)> {
        let mut found = None;
        for call in &parts.grouping.calls {
            let fits = matches!(&*call.function.name, "min" | "max")
                && !call.function.usage.is_empty()
                && call.filter.is_none()
                && call.order_by.is_empty();
            let ([Scalar::Column(place)], true) = (call.arguments.as_slice(), fits) else {
                return None;
            };
            let of = (self.own_column(&Scalar::Column(*place))?.column, call.collation);
            if found.is_some_and(|known| known != of) {
                return None;
            }
            found = Some(of);
        }
        let slot = parts.grouping.slot?;
        let reads_groups = |scalar: &&Scalar| scalar.slots().iter().all(|it| *it == slot);
        let is_own =
            parts.grouping.calls.len() == 1 || upper_scalars(parts).iter().all(reads_groups);
        found.filter(|_| is_own)
    }

    /// Orders that may be had: places of keys, and which of them descend.
    fn candidates(&self, parts: &QueryParts) -> Vec<(Vec<usize>, Vec<bool>)> {
        let mut found: Vec<(Vec<usize>, Vec<bool>)> = Vec::new();
        let mut add = |places: Vec<usize>, descending: Vec<bool>| {
            let known = (places, descending);
            if !known.0.is_empty() && !found.contains(&known) {
                found.push(known);
            }
        };
        let (mut places, mut descending) = (Vec::new(), Vec::new());
        for term in &parts.order_by {
            let place = key_of(parts, &self.keys, term).filter(|place| !places.contains(place));
            let Some(place) = place else { break };
            places.push(place);
            descending.push(term.descending);
        }
        if !self.is_single {
            // Those behind decide nothing that is asked.
            let behind = if places.len() == parts.order_by.len() { self.keys.len() } else { 0 };
            for place in 0..behind {
                if !places.contains(&place) {
                    descending.push(descending.last().copied().unwrap_or(false));
                    places.push(place);
                }
            }
            for end in (1..=places.len()).rev() {
                add(places[..end].to_vec(), descending[..end].to_vec());
            }
        }
        let table = &self.table.table;
        let rowid = self
            .keys
            .iter()
            .position(|key| self.own_column(&key.value).is_some_and(|place| place.column == ROWID));
        add(rowid.into_iter().collect(), rowid.into_iter().map(|_| false).collect());
        let indexes = table.indexes.iter().map(|index| index.columns.as_slice());
        let key = if table.has_rowid() { &[][..] } else { table.key_columns() };
        for columns in indexes.chain([key]) {
            let (mut places, mut descending) = (Vec::new(), Vec::new());
            for column in columns {
                let Some(number) = self.number_of(column) else { break };
                let is_key = |key: &GroupKey| {
                    let own = self.own_column(&key.value);
                    own.is_some_and(|place| place.column == number)
                };
                match self.keys.iter().position(is_key) {
                    Some(place) if !places.contains(&place) => {
                        places.push(place);
                        descending.push(column.descending);
                    }
                    _ if self.constant.contains(&number) => {}
                    _ => break,
                }
            }
            add(places, descending);
        }
        found
    }

    fn number_of(&self, column: &IndexColumn) -> Option<u16> {
        let place = column.column()?;
        let table = &self.table.table;
        if table.rowid_alias() == Some(place) {
            return Some(ROWID);
        }
        table.columns.get(place).map(|own| own.position as u16)
    }

    /// How many leading columns of a way's index hold all that is read, where one entry of each
    /// of their values is enough.
    fn jump(&self, access: &Access) -> Option<(usize, bool)> {
        let reads = self.reads.as_ref().filter(|reads| !reads.is_empty())?;
        let AccessPath::Index(path) = &access.path else { return None };
        let columns = &path.index.as_ref()?.columns;
        if !(0..self.predicates.len()).all(|place| access.used.contains(&place)) {
            return None;
        }
        let mut most = 0;
        for (number, collation) in reads {
            let is_it = |column: &IndexColumn| {
                self.number_of(column) == Some(*number) && column.collation == *collation
            };
            most = most.max(columns.iter().position(is_it)? + 1);
        }
        (most > path.equals.len()).then_some((most, false))
    }

    /// How many leading columns of a way's index are the keys (and what has one value), where the
    /// column behind them is the one whose ends are asked for.
    fn ends(&self, access: &Access) -> Option<(usize, bool)> {
        let (extreme, collation) = self.extreme?;
        let AccessPath::Index(path) = &access.path else { return None };
        let columns = &path.index.as_ref()?.columns;
        let answers = (0..self.predicates.len()).all(|place| access.used.contains(&place));
        let is_one = |equal: &IndexEqual| matches!(equal, IndexEqual::Value { .. });
        if access.backward || !answers || !path.equals.iter().all(is_one) {
            return None;
        }
        let is_key = |column: &IndexColumn, key: &GroupKey| {
            let own = self.own_column(&key.value).map(|place| place.column);
            own.is_some() && own == self.number_of(column) && key.collation == column.collation
        };
        let keys = if self.is_single { &[][..] } else { &self.keys };
        let leads = |(place, column): &(usize, &IndexColumn)| {
            *place < path.equals.len() || keys.iter().any(|key| is_key(column, key))
        };
        let count = columns.iter().enumerate().take_while(leads).count();
        let has_all =
            keys.iter().all(|key| columns[..count].iter().any(|column| is_key(column, key)));
        let behind = columns.get(count)?;
        let is_it = self.number_of(behind) == Some(extreme) && behind.collation == collation;
        let is_whole = path.equals.len() + usize::from(path.range.is_bounded()) <= count;
        (has_all && is_it && is_whole).then_some((count, true))
    }

    /// About how many different values the first `columns` columns of a way's index have.
    fn distinct(&self, binder: &Binder<'_>, access: &Access, columns: usize) -> f64 {
        let AccessPath::Index(path) = &access.path else { return access.rows };
        let index = path.index.as_deref();
        let each = estimate::rows_per_key(binder, self.table, index, columns, access.total);
        (access.rows / each).max(1.0)
    }

    /// About how many groups there are by the keys at some places.
    fn groups(&self, binder: &Binder<'_>, plain: &Access, places: &[usize]) -> f64 {
        let mut groups: f64 = 1.0;
        for key in places.iter().filter_map(|place| self.keys.get(*place)) {
            let Some(place) = self.own_column(&key.value) else {
                return (plain.rows / 10.0).max(1.0);
            };
            groups *= if place.column == ROWID {
                plain.rows
            } else if self.constant.contains(&place.column) {
                1.0
            } else {
                self.values_of(binder, place.column, plain.total)
            };
        }
        groups.clamp(1.0, plain.rows.max(1.0))
    }

    /// About how many values a column has: known where an index begins with it.
    fn values_of(&self, binder: &Binder<'_>, number: u16, total: f64) -> f64 {
        let leads = |columns: &[IndexColumn]| {
            columns.first().is_some_and(|first| self.number_of(first) == Some(number))
        };
        let mut indexes = self.table.table.indexes.iter();
        let index = indexes.find(|index| index.filter.is_none() && leads(&index.columns));
        match index {
            Some(index) => {
                total / estimate::rows_per_key(binder, self.table, Some(index), 1, total)
            }
            None => total.powf(0.66).max(2.0),
        }
    }
}

/// The column of a table that an equality gives one value.
fn constant_column(predicate: &Scalar, slot: SlotId) -> Option<u16> {
    let Scalar::Compare(compare) = predicate else { return None };
    if !matches!(compare.operator, Comparison::Equal | Comparison::Is) {
        return None;
    }
    let sides = [(&compare.left, &compare.right), (&compare.right, &compare.left)];
    sides.into_iter().find_map(|(own, value)| {
        let place = own.as_column().filter(|place| place.depth == 0 && place.slot == slot)?;
        value.slots().is_empty().then_some(place.column)
    })
}

/// Which key a term of ORDER BY is.
fn key_of(parts: &QueryParts, keys: &[GroupKey], term: &SortKey) -> Option<usize> {
    if term.nulls_first == term.descending {
        return None;
    }
    let place = match (&term.value, parts.grouping.slot) {
        // Groups are read by their own slot.
        (Scalar::Column(place), Some(slot)) if place.depth == 0 && place.slot == slot => {
            usize::from(place.column)
        }
        (value, _) => keys.iter().position(|key| key.value.same(value))?,
    };
    keys.get(place).filter(|key| key.collation == term.collation).map(|_| place)
}

/// In how many leading terms of ORDER BY groups come that come in the order of these keys.
fn orders_by(parts: &QueryParts, places: &[usize], descending: &[bool], count: usize) -> usize {
    let keys = if parts.grouping.keys.is_empty() {
        keys_of(&parts.outputs)
    } else {
        parts.grouping.keys.clone()
    };
    let mut next = 0;
    for (terms, term) in parts.order_by.iter().enumerate() {
        if !places.is_empty() && next == count {
            // Groups are told apart by all of their keys already.
            break;
        }
        let Some(place) = key_of(parts, &keys, term) else { return terms };
        if places[..next].contains(&place) {
            continue;
        }
        if places.get(next) != Some(&place) || descending[next] != term.descending {
            return terms;
        }
        next += 1;
    }
    parts.order_by.len()
}

/// Tells a scan to read one entry of each value, or the ends of each, where nothing stands between
/// it and the groups.
pub(super) fn jump_over(node: &mut Node, (columns, ends): (usize, bool)) {
    if let Node::Scan(scan) = node
        && let AccessPath::Index(path) = &scan.path
        && path.index.as_ref().is_some_and(|index| columns <= index.columns.len())
        && !(ends && scan.backward)
    {
        scan.jump = columns;
        scan.ends = ends;
    }
}

// Neighbours: `select`, `access::order`.
