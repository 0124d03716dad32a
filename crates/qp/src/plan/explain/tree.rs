//! EXPLAIN: every operator on a line, what it reads below it.
//!
//! Neighbours: `text` writes expressions; `execute::profile` has the figures that EXPLAIN ANALYZE
//! puts behind the lines, by the operators' places in memory.

use super::query_plan::describe_path;
use super::text::Names;
use crate::plan::{AccessPath, Aggregation, HashKey, JoinType, Node, Scan, SelectPlan};
use crate::scalar::Scalar;

/// A line of a tree.
#[derive(Debug)]
pub struct TreeLine {
    /// How far in it stands.
    pub depth: usize,
    /// What it says.
    pub text: String,
    /// Which operator it is of: where that is in memory.
    pub node: Option<usize>,
    /// Which operator runs it in batches, where one may.
    pub batch: Option<usize>,
}

/// The tree of a node, with the results that are read of it.
pub fn explain_tree(root: &Node, outputs: &[Scalar]) -> Vec<TreeLine> {
    let mut lines = Vec::new();
    let names = Names::default().inside(root);
    show(root, &names, (0, None), &mut lines);
    for output in outputs {
        subqueries(output, &names, 0, &mut lines);
    }
    lines
}

/// What tells operators apart while a statement runs.
pub(crate) fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

fn show<'p>(
    node: &'p Node,
    names: &Names<'p>,
    (depth, batch): (usize, Option<usize>),
    lines: &mut Vec<TreeLine>,
) {
    if let Node::Batch(inner) = node {
        // Both forms of a subtree are one to the reader.
        return show(&inner.input, names, (depth, Some(address(node))), lines);
    }
    let text = describe(node, names);
    lines.push(TreeLine { depth, text, node: Some(address(node)), batch });
    if let Node::Scan(scan) = node
        && let AccessPath::Union(paths) = &scan.path
    {
        for path in paths {
            let text = describe_path(scan, path);
            lines.push(TreeLine { depth: depth + 1, text, node: None, batch: None });
        }
    }
    if let Node::Shared(shared) = node {
        let plan = &shared.plan.plan;
        let root = Some(address(&plan.root));
        let is_shown = lines.iter().any(|line| line.node == root || line.batch == root);
        if !is_shown {
            let inner = names.inside(&plan.root);
            show(&plan.root, &inner, (depth + 1, None), lines);
            plan.outputs.iter().for_each(|output| subqueries(output, &inner, depth + 1, lines));
        }
    }
    node.scalars(&mut |scalar| subqueries(scalar, names, depth + 1, lines));
    node.inputs(&mut |input| show(input, names, (depth + 1, batch), lines));
}

/// The plans of the subqueries in an expression.
fn subqueries<'p>(scalar: &'p Scalar, names: &Names<'p>, depth: usize, lines: &mut Vec<TreeLine>) {
    if let Some(call) = scalar.own_subquery() {
        let kind = match (scalar, call.plan.outer.is_empty()) {
            (Scalar::InSubquery(_), true) => "Set of a subquery",
            (Scalar::InSubquery(_), false) => "Set of a correlated subquery",
            (_, true) => "Subquery",
            (_, false) => "Correlated subquery",
        };
        let memory = if call.remembers { ", results are remembered" } else { "" };
        let text = format!("{kind}{memory}");
        lines.push(TreeLine { depth, text, node: None, batch: None });
        let plan: &SelectPlan = &call.plan;
        let inner = names.inside(&plan.root);
        show(&plan.root, &inner, (depth + 1, None), lines);
        plan.outputs.iter().for_each(|output| subqueries(output, &inner, depth + 1, lines));
    }
    scalar.children(&mut |child| subqueries(child, names, depth, lines));
}

/// What an operator does.
fn describe(node: &Node, names: &Names<'_>) -> String {
    match node {
        Node::Once(_) => "One row".to_owned(),
        Node::Empty => "No row".to_owned(),
        Node::Scan(scan) => scanned("", scan, names),
        Node::Count(count) => scanned("Count of ", &count.scan, names),
        Node::Values(values) => format!("{} rows of VALUES", values.rows.len()),
        Node::Function(function) => {
            format!("Rows of {}({})", function.function.name, names.list(&function.arguments))
        }
        Node::Pragma(pragma) => format!("Rows of PRAGMA {}", pragma.name),
        Node::Filter(filter) => {
            format!("Filter: {}", names.joined(&filter.predicates, " AND "))
        }
        Node::NestedLoop(join) => format!("{} loop{}", join_word(join.kind), on(&join.on, names)),
        Node::HashJoin(join) => {
            let keys = keys(&join.keys, names);
            format!("{} hash join: {keys}{}", join_word(join.kind), on(&join.on, names))
        }
        Node::Lookup(lookup) => format!("Kept rows by {}", keys(&lookup.keys, names)),
        Node::Project(project) => match &project.label {
            Some(label) => format!("Rows of {label}"),
            None => format!("Compute: {}", names.list(&project.outputs)),
        },
        Node::Materialize(_) => "Keep rows".to_owned(),
        Node::Shared(shared) => format!("Rows of {}, made once", shared.label),
        Node::Aggregate(aggregation) => aggregate(aggregation, names),
        Node::Window(window) => {
            let calls: Vec<&str> =
                window.calls.iter().map(|call| &*call.call.function.name).collect();
            let order = if window.sorted { ", in order" } else { "" };
            format!("Window: {}{order}", calls.join(", "))
        }
        Node::Sort(sort) => {
            let keys: Vec<String> = sort
                .keys
                .iter()
                .map(|key| {
                    let direction = if key.descending { " DESC" } else { "" };
                    format!("{}{direction}", names.text(&key.value))
                })
                .collect();
            let sorted = match sort.sorted {
                0 => String::new(),
                1 => ", the first term in order".to_owned(),
                terms => format!(", the first {terms} terms in order"),
            };
            let first = if sort.limit.is_some() { ", the first only" } else { "" };
            format!("Sort: {}{sorted}{first}", keys.join(", "))
        }
        Node::Distinct(distinct) if distinct.sorted.is_empty() => "Distinct rows".to_owned(),
        Node::Distinct(_) => "Distinct rows in order".to_owned(),
        Node::Limit(limit) => match &limit.offset {
            Some(offset) => {
                format!("Limit: {} behind {}", names.text(&limit.count), names.text(offset))
            }
            None => format!("Limit: {}", names.text(&limit.count)),
        },
        Node::Compound(compound) if !compound.order.is_empty() => {
            format!("Compound of {}, merged in order", compound.arms.len())
        }
        Node::Compound(compound) => format!("Compound of {}", compound.arms.len()),
        Node::Recursive(_) => "Recursive table".to_owned(),
        Node::RecursiveRow(..) => "Rows of the step before".to_owned(),
        Node::Batch(batch) => describe(&batch.input, names),
    }
}

fn scanned(what: &str, scan: &Scan, names: &Names<'_>) -> String {
    let way = describe_path(scan, &scan.path);
    let way = match &scan.path {
        AccessPath::Rowid(value) => format!("{way} = {}", names.text(value)),
        _ => way,
    };
    let backward = if scan.backward { ", from the end" } else { "" };
    let jump = match scan.jump {
        0 if scan.ends => ", its ends",
        _ if scan.ends => ", the ends of each of the first columns",
        0 => "",
        1 => ", one of each first column",
        _ => ", one of each of the first columns",
    };
    format!("{what}{way}{backward}{jump}")
}

fn aggregate(aggregation: &Aggregation, names: &Names<'_>) -> String {
    let calls: Vec<String> = aggregation
        .calls
        .iter()
        .map(|call| format!("{}({})", call.function.name, names.list(&call.arguments)))
        .collect();
    let keys = names.list(aggregation.keys.iter().map(|key| &key.value));
    if aggregation.keys.is_empty() {
        format!("Aggregate: {}", calls.join(", "))
    } else {
        let order = if aggregation.sorted.is_empty() { "" } else { " in order" };
        format!("Group by {keys}{order}: {}", calls.join(", "))
    }
}

fn join_word(kind: JoinType) -> &'static str {
    match kind {
        JoinType::Inner => "Inner",
        JoinType::Left => "Left",
        JoinType::Right => "Right",
        JoinType::Full => "Full",
        JoinType::Semi => "Semi",
        JoinType::Anti => "Anti",
    }
}

fn on(terms: &[Scalar], names: &Names<'_>) -> String {
    if terms.is_empty() { String::new() } else { format!(" on {}", names.joined(terms, " AND ")) }
}

fn keys(keys: &[HashKey], names: &Names<'_>) -> String {
    let pair = |key: &HashKey| format!("{} = {}", names.text(&key.left), names.text(&key.right));
    if keys.is_empty() {
        return "all pairs".to_owned();
    }
    keys.iter().map(pair).collect::<Vec<_>>().join(" AND ")
}
