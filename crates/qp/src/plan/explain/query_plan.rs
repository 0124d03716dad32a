//! EXPLAIN QUERY PLAN, in SQLite's wording.
//!
//! Neighbours: `tree` shows more.

use crate::ast::CompoundOperator;
use crate::catalog::IndexColumn;
use crate::plan::SelectPlan;
use crate::plan::{AccessPath, Arm, Compound, IndexPath, Node, Scan};
use crate::scalar::Scalar;

/// Lines with their depth.
pub fn explain_query_plan(plan: &SelectPlan) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    explain_plan(plan, 0, &mut Lines { lines: &mut lines, subqueries: 0 });
    lines
}

/// The lines of a node.
pub fn explain_node(node: &Node) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    explain(node, 0, &mut Lines { lines: &mut lines, subqueries: 0 });
    lines
}

/// The lines so far, and how many subqueries have a number.
struct Lines<'l> {
    lines: &'l mut Vec<(usize, String)>,
    subqueries: u32,
}

impl Lines<'_> {
    fn push(&mut self, line: (usize, String)) {
        self.lines.push(line);
    }

    fn extend(&mut self, lines: Option<(usize, String)>) {
        self.lines.extend(lines);
    }
}

fn explain_plan(plan: &SelectPlan, depth: usize, lines: &mut Lines<'_>) {
    explain(&plan.root, depth, lines);
    plan.outputs.iter().for_each(|output| explain_subqueries(output, depth, lines));
}

/// The subqueries in an expression, each below a line of its own.
fn explain_subqueries(scalar: &Scalar, depth: usize, lines: &mut Lines<'_>) {
    if let Some(call) = scalar.own_subquery() {
        lines.subqueries += 1;
        let correlated = if call.plan.outer.is_empty() { "" } else { "CORRELATED " };
        let kind = if matches!(scalar, Scalar::InSubquery(_)) { "LIST" } else { "SCALAR" };
        lines.push((depth, format!("{correlated}{kind} SUBQUERY {}", lines.subqueries)));
        explain_plan(&call.plan, depth + 1, lines);
    }
    scalar.children(&mut |child| explain_subqueries(child, depth, lines));
}

/// The lines of a node with what it reads, then those of its own subqueries.
fn explain(node: &Node, depth: usize, lines: &mut Lines<'_>) {
    explain_operator(node, depth, lines);
    node.scalars(&mut |scalar| explain_subqueries(scalar, depth, lines));
}

fn explain_operator(node: &Node, depth: usize, lines: &mut Lines<'_>) {
    let mut line = |text: String| lines.push((depth, text));
    match node {
        Node::Once(_) => line("SCAN CONSTANT ROW".to_owned()),
        Node::Empty | Node::RecursiveRow(..) => {}
        Node::Scan(scan) => {
            line(describe_scan(scan));
            explain_union(scan, depth, lines);
        }
        Node::Count(count) => line(describe_scan(&count.scan)),
        Node::Values(values) => line(format!("SCAN {} CONSTANT ROWS", values.rows.len())),
        Node::Function(function) => line(format!("SCAN {} VIRTUAL TABLE INDEX 0:", function.alias)),
        Node::Pragma(pragma) => line(format!("SCAN {} VIRTUAL TABLE INDEX 0:", pragma.alias)),
        Node::Filter(filter) => explain(&filter.input, depth, lines),
        Node::NestedLoop(join) => {
            explain(&join.left, depth, lines);
            explain(&join.right, depth, lines);
        }
        Node::HashJoin(join) => {
            explain(&join.left, depth, lines);
            lines.push((depth, "BUILD HASH TABLE".to_owned()));
            explain(&join.right, depth + 1, lines);
        }
        Node::Lookup(lookup) => explain(&lookup.input, depth, lines),
        Node::Project(project) => match &project.label {
            Some(label) => {
                line(format!("CO-ROUTINE {label}"));
                explain(&project.input, depth + 1, lines);
                lines.push((depth, format!("SCAN {label}")));
            }
            None => explain(&project.input, depth, lines),
        },
        Node::Materialize(materialize) => explain(&materialize.input, depth, lines),
        Node::Shared(shared) => line(format!("SCAN {}", shared.label)),
        Node::Aggregate(aggregation) => {
            explain(&aggregation.input, depth, lines);
            let (keys, sorted) = (aggregation.keys.len(), aggregation.sorted.len());
            lines.extend(temporary("GROUP BY", keys, sorted, depth));
        }
        Node::Window(window) => {
            explain(&window.input, depth, lines);
        }
        Node::Sort(sort) => {
            explain(&sort.input, depth, lines);
            lines.extend(temporary("ORDER BY", sort.keys.len(), sort.sorted, depth));
        }
        Node::Distinct(distinct) => {
            explain(&distinct.input, depth, lines);
            let (keys, sorted) = (distinct.keys.len(), distinct.sorted.len());
            lines.extend(temporary("DISTINCT", keys, sorted, depth));
        }
        Node::Limit(limit) => explain(&limit.input, depth, lines),
        Node::Batch(batch) => explain(&batch.input, depth, lines),
        Node::Compound(compound) => explain_compound(compound, depth, lines),
        Node::Recursive(recursive) => {
            line("SETUP".to_owned());
            recursive.initial.iter().for_each(|arm| explain(&arm.input, depth + 1, lines));
            lines.push((depth, "RECURSIVE STEP".to_owned()));
            recursive.recursive.iter().for_each(|arm| explain(&arm.input, depth + 1, lines));
        }
    }
}

/// What is kept to tell rows apart, or to order them, by so many terms, those aside that the input
/// is in order of.
fn temporary(clause: &str, terms: usize, sorted: usize, depth: usize) -> Option<(usize, String)> {
    let terms = match (terms.saturating_sub(sorted), sorted) {
        (0, _) if sorted > 0 || terms == 0 => return None,
        (_, 0) => String::new(),
        (1, _) => "LAST TERM OF ".to_owned(),
        (count, _) => format!("LAST {count} TERMS OF "),
    };
    Some((depth, format!("USE TEMP B-TREE FOR {terms}{clause}")))
}

/// Parts that are merged, the last with those before it, as SQLite puts it.
fn explain_merge(arms: &[Arm], depth: usize, lines: &mut Lines<'_>) {
    let Some((last, before)) = arms.split_last() else { return };
    if before.is_empty() {
        return explain(&last.input, depth, lines);
    }
    let name = match last.operator {
        CompoundOperator::UnionAll => "UNION ALL",
        CompoundOperator::Union => "UNION",
        CompoundOperator::Except => "EXCEPT",
        CompoundOperator::Intersect => "INTERSECT",
    };
    lines.push((depth, format!("MERGE ({name})")));
    lines.push((depth + 1, "LEFT".to_owned()));
    explain_merge(before, depth + 2, lines);
    lines.push((depth + 1, "RIGHT".to_owned()));
    explain(&last.input, depth + 2, lines);
}

fn explain_compound(compound: &Compound, depth: usize, lines: &mut Lines<'_>) {
    if !compound.order.is_empty() {
        return explain_merge(&compound.arms, depth, lines);
    }
    lines.push((depth, "COMPOUND QUERY".to_owned()));
    for (index, arm) in compound.arms.iter().enumerate() {
        let name = match (index, arm.operator) {
            (0, _) => "LEFT-MOST SUBQUERY",
            (_, CompoundOperator::UnionAll) => "UNION ALL",
            (_, CompoundOperator::Union) => "UNION USING TEMP B-TREE",
            (_, CompoundOperator::Except) => "EXCEPT USING TEMP B-TREE",
            (_, CompoundOperator::Intersect) => "INTERSECT USING TEMP B-TREE",
        };
        lines.push((depth + 1, name.to_owned()));
        explain(&arm.input, depth + 2, lines);
    }
}

/// The ways of a union, each below a line of its own.
fn explain_union(scan: &Scan, depth: usize, lines: &mut Lines<'_>) {
    let AccessPath::Union(paths) = &scan.path else { return };
    for (number, path) in (1..).zip(paths) {
        lines.push((depth + 1, format!("INDEX {number}")));
        lines.push((depth + 2, describe_path(scan, path)));
    }
}

fn describe_scan(scan: &Scan) -> String {
    describe_path(scan, &scan.path)
}

pub(super) fn describe_path(scan: &Scan, path: &AccessPath) -> String {
    let name = &scan.alias;
    match path {
        AccessPath::Full => format!("SCAN {name}"),
        AccessPath::Rowid(_) | AccessPath::Rowids(..) => {
            format!("SEARCH {name} USING INTEGER PRIMARY KEY (rowid=?)")
        }
        AccessPath::RowidRange(range) => {
            let mut terms = Vec::new();
            if range.low.is_some() {
                terms.push("rowid>?");
            }
            if range.high.is_some() {
                terms.push("rowid<?");
            }
            format!("SEARCH {name} USING INTEGER PRIMARY KEY ({})", terms.join(" AND "))
        }
        AccessPath::Index(path) => describe_index(scan, path),
        AccessPath::Union(_) => "MULTI-INDEX OR".to_owned(),
    }
}

fn describe_index(scan: &Scan, path: &IndexPath) -> String {
    let columns: &[IndexColumn] = match &path.index {
        Some(index) => &index.columns,
        None => scan.table.key_columns(),
    };
    let column_name = |place: usize| -> String {
        match columns.get(place).map(IndexColumn::column) {
            Some(Some(index)) => scan.table.columns[index].name.to_string(),
            Some(None) => "<expr>".to_owned(),
            None => "rowid".to_owned(),
        }
    };
    let mut terms: Vec<String> =
        (0..path.equals.len()).map(|place| format!("{}=?", column_name(place))).collect();
    let behind = path.equals.len();
    for (bound, sign) in [(&path.range.low, '>'), (&path.range.high, '<')] {
        let Some(bound) = bound else { continue };
        if bound.behind.is_empty() {
            terms.push(format!("{}{sign}?", column_name(behind)));
            continue;
        }
        let names: Vec<String> = (behind..=behind + bound.behind.len()).map(column_name).collect();
        let values = vec!["?"; names.len()].join(",");
        terms.push(format!("({}){sign}({values})", names.join(",")));
    }
    let verb = if terms.is_empty() { "SCAN" } else { "SEARCH" };
    let what = match &path.index {
        Some(index) if path.covering => format!("COVERING INDEX {}", index.name),
        Some(index) => format!("INDEX {}", index.name),
        None => "PRIMARY KEY".to_owned(),
    };
    let terms =
        if terms.is_empty() { String::new() } else { format!(" ({})", terms.join(" AND ")) };
    format!("{verb} {} USING {what}{terms}", scan.alias)
}
