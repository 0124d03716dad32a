//! Plan nodes to programs of the batch gear.
//!
//! Columns that are alive anywhere in the subtree get numbers. Going down, each operator is told
//! which columns are read above it, so that no batch carries what nobody reads. A node that
//! has no operator here becomes a source: the row gear runs it, and its rows are gathered.
//! Neighbours: `expressions` compiles what the operators compute, `plan::gear` asks for programs.

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;
use rustc_hash::FxHashMap;

use crate::execute::batch::aggregate::BatchAggregate;
use crate::execute::batch::calls::Call;
use crate::execute::batch::distinct::BatchDistinct;
use crate::execute::batch::expression::{Condition, Expression};
use crate::execute::batch::filter::{BatchFilter, BatchProject};
use crate::execute::batch::join::BatchJoin;
use crate::execute::batch::places::{Places, produced};
use crate::execute::batch::portable::{Asked, is_built_in};
use crate::execute::batch::program::{Operator, Program};
use crate::execute::batch::row::SlotMap;
use crate::execute::batch::scan::TableScan;
use crate::execute::batch::sort::BatchSort;
use crate::execute::batch::source::Source;
use crate::execute::batch::window::{BatchCall, BatchWindow, FrameEnd};
use crate::plan::{
    AccessPath, AggregateCall, Aggregation, Distinct, Filter, HashJoin, JoinType, Node, Project,
    Scan, Sort, WindowCall, WindowNode,
};
use crate::scalar::{ROWID, Scalar, SlotId};

/// Compiles a subtree whose columns `above` are read by others; none where the batch gear has
/// nothing to offer.
pub fn compile(node: &Node, above: &Places) -> Option<Program> {
    if matches!(node, Node::Scan(_)) {
        return None;
    }
    let mut compiler = Compiler::new(node);
    let mut shown_slots = produced(node);
    shown_slots.sort_unstable();
    shown_slots.dedup();
    let shown: Vec<(SlotId, u16)> =
        above.sorted().filter(|(slot, _)| shown_slots.contains(slot)).collect();
    let root = compiler.operator(node, &shown.iter().copied().collect());
    if !compiler.has_scan || matches!(root, Operator::Source(_)) {
        return None;
    }
    let is_streaming = streams(&root);
    let shown: Vec<usize> =
        shown.into_iter().map(|(slot, column)| compiler.number(slot, column)).collect();
    let mut maps: Vec<(SlotId, SlotMap)> = Vec::new();
    for (&(slot, column), &number) in &compiler.numbers {
        if let Some((_, map)) = maps.iter_mut().find(|(known, _)| *known == slot) {
            map.set(column, number);
        } else {
            let mut map = SlotMap::default();
            map.set(column, number);
            maps.push((slot, map));
        }
    }
    for slot in &shown_slots {
        if !maps.iter().any(|(known, _)| known == slot) {
            maps.push((*slot, SlotMap::default()));
        }
    }
    let maps = maps.into_iter().map(|(slot, map)| (slot, Arc::new(map))).collect();
    let width = compiler.width;
    Some(Program { root, width, maps, shown, shown_slots, is_streaming })
}

/// Whether rows come out before all have gone in.
fn streams(operator: &Operator) -> bool {
    match operator {
        Operator::Source(_) | Operator::Scan(_) => true,
        Operator::Filter(filter) => streams(&filter.input),
        Operator::Project(project) => streams(&project.input),
        Operator::Distinct(distinct) => streams(&distinct.input),
        Operator::Join(join) => streams(&join.left),
        Operator::Search(search) => streams(&search.left),
        Operator::Aggregate(_) | Operator::Sort(_) | Operator::Window(_) => false,
    }
}

/// Gives out the numbers of columns.
pub(in crate::execute::batch) struct Compiler {
    /// Slots that the subtree fills.
    pub(in crate::execute::batch) inside: Vec<SlotId>,
    numbers: FxHashMap<(SlotId, u16), usize>,
    /// How many numbers were given out.
    width: usize,
    has_scan: bool,
}

impl Compiler {
    fn new(node: &Node) -> Self {
        Self {
            inside: crate::execute::batch::places::all_slots(node),
            numbers: FxHashMap::default(),
            width: 0,
            has_scan: false,
        }
    }

    /// The number of a column.
    pub(in crate::execute::batch) fn number(&mut self, slot: SlotId, column: u16) -> usize {
        let next = self.width;
        let number = *self.numbers.entry((slot, column)).or_insert(next);
        self.width += usize::from(number == next);
        number
    }

    /// An expression that helpers compute, where they can and it is worth it.
    fn kept(&mut self, scalar: &Scalar) -> Expression {
        let expression = self.expression(scalar);
        match expression {
            Expression::Column(_) | Expression::Constant(_) => expression,
            expression if expression.is_portable() => {
                self.width += 1;
                Expression::Kept(self.width - 1, Box::new(expression))
            }
            expression => expression,
        }
    }

    /// The numbers of the columns of `needed` that are in one of `slots`.
    pub(in crate::execute::batch) fn numbers_in(
        &mut self,
        needed: &Places,
        slots: &[SlotId],
    ) -> Vec<usize> {
        let columns: Vec<_> = needed.sorted().filter(|(slot, _)| slots.contains(slot)).collect();
        columns.into_iter().map(|(slot, column)| self.number(slot, column)).collect()
    }

    /// The operator of a node of which the columns `needed` are read.
    pub(in crate::execute::batch) fn operator(&mut self, node: &Node, needed: &Places) -> Operator {
        let operator = match node {
            // Orders of the application are the row gear's.
            _ if keys_by_application(node) => None,
            Node::Scan(scan) => self.scan(scan, needed, None),
            Node::Filter(filter) => self.filter(filter, needed),
            Node::Project(project) => self.project(project, needed),
            Node::HashJoin(join) => self.join(join, needed),
            Node::NestedLoop(join) => self.search(join, needed),
            Node::Aggregate(aggregation) => self.aggregate(aggregation, needed),
            Node::Distinct(distinct) => self.distinct(distinct, needed),
            // What comes in part of the order comes from an index, row by row.
            Node::Sort(sort) if sort.sorted > 0 => None,
            Node::Window(window) if window.sorted => None,
            Node::Sort(sort) => Some(self.sort(sort, needed)),
            Node::Window(window) => self.window(window, needed),
            _ => None,
        };
        operator.unwrap_or_else(|| self.source(node, needed))
    }

    fn source(&mut self, node: &Node, needed: &Places) -> Operator {
        let slots = produced(node);
        let columns: Vec<_> = needed.sorted().filter(|(slot, _)| slots.contains(slot)).collect();
        let columns = columns
            .into_iter()
            .map(|(slot, column)| (self.number(slot, column), slot, column))
            .collect();
        Operator::Source(Source { columns })
    }

    /// As [`operator`](Self::operator), for a node above that looks at `first` and drops most
    /// rows then.
    fn sifted(&mut self, node: &Node, needed: &Places, first: Option<&Scalar>) -> Operator {
        let scan = match node {
            Node::Scan(scan) => self.scan(scan, needed, first),
            _ => return self.operator(node, needed),
        };
        scan.unwrap_or_else(|| self.source(node, needed))
    }

    /// A scan; of rows that are sifted by `first` only its columns are decoded at once.
    fn scan(&mut self, scan: &Scan, needed: &Places, first: Option<&Scalar>) -> Option<Operator> {
        let is_whole = matches!(scan.path, AccessPath::Full)
            || matches!(scan.path, AccessPath::RowidRange(_)) && scan.table.has_rowid();
        if !is_whole || scan.backward || scan.table.is_system() {
            return None;
        }
        self.has_scan = true;
        let columns: Vec<u16> = needed
            .sorted()
            .filter(|(slot, _)| *slot == scan.slot)
            .map(|(_, column)| column)
            .collect();
        let columns: Vec<(usize, u16)> =
            columns.into_iter().map(|column| (self.number(scan.slot, column), column)).collect();
        let first = first.map(|first| Places::default().with([first]));
        let is_eager = |column: u16| {
            column != ROWID && first.as_ref().is_none_or(|it| it.contains(scan.slot, column))
        };
        let mut eager: Vec<(usize, usize)> = columns
            .iter()
            .filter(|(_, column)| is_eager(*column))
            .map(|(number, column)| (*number, usize::from(*column)))
            .collect();
        eager.sort_unstable_by_key(|(_, position)| *position);
        Some(Operator::Scan(TableScan { columns, eager }))
    }

    fn filter(&mut self, filter: &Filter, needed: &Places) -> Option<Operator> {
        let below = needed.with(&filter.predicates);
        let input = self.sifted(&filter.input, &below, filter.predicates.first());
        if matches!(input, Operator::Source(_)) {
            // Gathering rows to look at them once more has no gain.
            return None;
        }
        let predicates: Vec<Condition> =
            filter.predicates.iter().map(|it| self.condition(it)).collect();
        let keep = self.numbers_in(needed, &produced(&filter.input));
        let mut asked = Asked::any();
        let is_portable = predicates.iter().all(|it| it.is_portable_with(&mut asked));
        let portable = is_portable.then_some(asked);
        Some(Operator::Filter(Box::new(BatchFilter { input, predicates, keep, portable })))
    }

    fn project(&mut self, project: &Project, needed: &Places) -> Option<Operator> {
        let below = needed.without(project.slot).with(&project.outputs);
        let input = self.operator(&project.input, &below);
        if matches!(input, Operator::Source(_)) {
            return None;
        }
        let mut outputs = Vec::new();
        for (column, output) in project.outputs.iter().enumerate() {
            let column = u16::try_from(column).ok()?;
            let compiled = self.expression(output);
            if needed.contains(project.slot, column) || !compiled.is_safe() {
                outputs.push((self.number(project.slot, column), compiled));
            }
        }
        let mut asked = Asked::any();
        let is_portable = outputs.iter().all(|(_, output)| output.is_portable_with(&mut asked));
        let portable = is_portable.then_some(asked);
        Some(Operator::Project(Box::new(BatchProject { input, outputs, portable })))
    }

    fn join(&mut self, join: &HashJoin, needed: &Places) -> Option<Operator> {
        let lefts: Vec<&Scalar> = join.keys.iter().map(|key| &key.left).collect();
        let rights: Vec<&Scalar> = join.keys.iter().map(|key| &key.right).collect();
        let pairs = needed.with(&join.on);
        let left = self.operator(&join.left, &pairs.with_all(&lefts));
        let right = self.operator(&join.right, &pairs.with_all(&rights));
        if matches!((&left, &right), (Operator::Source(_), Operator::Source(_))) {
            return None;
        }
        let on: Vec<Condition> = join.on.iter().map(|it| self.condition(it)).collect();
        let left_keys: Vec<Expression> = lefts.iter().map(|it| self.expression(it)).collect();
        let mut asked = Asked::any();
        let is_portable = !matches!(join.kind, JoinType::Right | JoinType::Full)
            && join.keys.iter().all(|key| is_built_in(key.rule.collation))
            && left_keys.iter().all(|key| key.is_portable_with(&mut asked))
            && on.iter().all(|it| it.is_portable_with(&mut asked));
        Some(Operator::Join(Box::new(BatchJoin {
            portable: is_portable.then_some(asked),
            left_keys,
            right_keys: rights.iter().map(|it| self.kept(it)).collect(),
            left_keep: self.numbers_in(&pairs, &produced(&join.left)),
            right_keep: self.numbers_in(&pairs, &produced(&join.right)),
            left,
            right,
            on,
        })))
    }

    fn aggregate(&mut self, node: &Aggregation, needed: &Places) -> Option<Operator> {
        let follows = |call: &AggregateCall| {
            call.arguments.len() == 1 && matches!(&*call.function.name, "min" | "max")
        };
        let follows_any = !node.is_of_rows && node.calls.iter().any(follows);
        if !node.sorted.is_empty() {
            return None;
        }
        if !node.bare_slots.is_empty() && follows_any {
            // Bare columns follow the row of the extreme.
            return None;
        }
        let is_bare = |slot: &SlotId| *slot != node.slot && node.bare_slots.contains(slot);
        let bare: Places = needed.sorted().filter(|(slot, _)| is_bare(slot)).collect();
        let mut scalars: Vec<&Scalar> = node.keys.iter().map(|key| &key.value).collect();
        for call in &node.calls {
            scalars.extend(call.arguments.iter().chain(&call.filter));
            scalars.extend(call.order_by.iter().map(|key| &key.value));
        }
        let reads = bare.with_all(&scalars);
        let input = self.operator(&node.input, &reads);
        let calls: Vec<Call> = node.calls.iter().map(|call| self.call(call)).collect();
        let keys: Vec<Expression> = node.keys.iter().map(|key| self.kept(&key.value)).collect();
        let is_divisible =
            keys.iter().all(Expression::is_portable) && calls.iter().all(Call::is_divisible);
        let mut outputs = Vec::new();
        for column in 0..node.keys.len() + node.calls.len() {
            let column = u16::try_from(column).ok()?;
            let is_read = needed.contains(node.slot, column);
            outputs.push(is_read.then(|| self.number(node.slot, column)));
        }
        let below = produced(&node.input);
        Some(Operator::Aggregate(Box::new(BatchAggregate {
            reads: self.numbers_in(&reads, &below),
            bare: self.numbers_in(&bare, &below),
            input,
            keys,
            calls,
            outputs,
            is_divisible,
        })))
    }

    /// Compiles a call of an aggregation.
    fn call(&mut self, call: &AggregateCall) -> Call {
        let mut places = Places::default();
        for scalar in call.arguments.iter().chain(&call.filter) {
            places.add(scalar);
        }
        call.order_by.iter().for_each(|key| places.add(&key.value));
        let slots = places.slots(&self.inside);
        let columns = self.numbers_in(&places, &slots);
        let argument = call.arguments.first().map(|argument| self.kept(argument));
        let filter = call.filter.as_ref().map(|filter| self.condition(filter));
        Call::new(call, argument, filter, (columns, slots))
    }

    fn distinct(&mut self, node: &Distinct, needed: &Places) -> Option<Operator> {
        if !node.sorted.is_empty() {
            // Comes from an index, of which only the row gear reads a part.
            return None;
        }
        let scalars: Vec<&Scalar> = node.keys.iter().map(|key| &key.value).collect();
        let reads = needed.with_all(&scalars);
        let input = self.operator(&node.input, &reads);
        let keys = scalars.iter().map(|key| self.expression(key)).collect();
        let reads = self.numbers_in(&reads, &produced(&node.input));
        Some(Operator::Distinct(Box::new(BatchDistinct { input, keys, reads })))
    }

    fn sort(&mut self, node: &Sort, needed: &Places) -> Operator {
        let scalars: Vec<&Scalar> = node.keys.iter().map(|key| &key.value).collect();
        let first = node.limit.as_ref().and(scalars.first().copied());
        let input = self.sifted(&node.input, &needed.with_all(&scalars), first);
        let keys: Vec<Expression> = scalars.iter().map(|key| self.kept(key)).collect();
        let keep = self.numbers_in(needed, &node.slots);
        let is_divisible = keys.iter().all(Expression::is_portable);
        Operator::Sort(Box::new(BatchSort { input, keys, keep, is_divisible }))
    }

    fn window(&mut self, node: &WindowNode, needed: &Places) -> Option<Operator> {
        if !node.calls.iter().all(runs_in_batches) {
            return None;
        }
        let ends: Option<Vec<FrameEnd>> =
            node.calls.iter().map(|call| FrameEnd::of(&call.frame)).collect();
        let ends = ends?;
        let kept = needed.without(node.output);
        let mut scalars: Vec<&Scalar> = node.partition_by.iter().map(|key| &key.value).collect();
        scalars.extend(node.order_by.iter().map(|key| &key.value));
        let keys = scalars.clone();
        for call in &node.calls {
            scalars.extend(call.call.arguments.iter().chain(&call.call.filter));
        }
        let input = self.operator(&node.input, &kept.with_all(&scalars));
        let keys = keys.into_iter().map(|key| self.kept(key)).collect();
        let mut calls = Vec::new();
        let mut outputs = Vec::new();
        for (index, (call, end)) in node.calls.iter().zip(ends).enumerate() {
            let arguments = call.call.arguments.iter().map(|it| self.expression(it)).collect();
            let filter = call.call.filter.as_ref().map(|it| self.condition(it));
            calls.push(BatchCall { arguments, filter, end });
            let column = u16::try_from(index).ok()?;
            let is_read = needed.contains(node.output, column);
            outputs.push(is_read.then(|| self.number(node.output, column)));
        }
        let keep = self.numbers_in(&kept, &node.slots);
        Some(Operator::Window(Box::new(BatchWindow { input, keys, calls, keep, outputs })))
    }
}

/// Whether windows in batches have a call with its frame.
pub(crate) fn runs_in_batches(call: &WindowCall) -> bool {
    FrameEnd::of(&call.frame).is_some() && !call.call.function.traits.reads_json
}

/// Whether the keys of a node are texts in an order that the application registered.
fn keys_by_application(node: &Node) -> bool {
    let is_custom = |collation: &Collation| matches!(collation, Collation::Custom(_));
    let of_call = |call: &AggregateCall| {
        is_custom(&call.collation) || call.order_by.iter().any(|key| is_custom(&key.collation))
    };
    match node {
        Node::Aggregate(node) => {
            node.keys.iter().any(|key| is_custom(&key.collation)) || node.calls.iter().any(of_call)
        }
        Node::Distinct(node) => node.keys.iter().any(|key| is_custom(&key.collation)),
        Node::Sort(node) => node.keys.iter().any(|key| is_custom(&key.collation)),
        Node::Window(node) => {
            node.partition_by.iter().any(|key| is_custom(&key.collation))
                || node.order_by.iter().any(|key| is_custom(&key.collation))
                || node.calls.iter().any(|call| of_call(&call.call))
        }
        _ => false,
    }
}

// Neighbours: `places`, `expressions`.
