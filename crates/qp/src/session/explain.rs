//! EXPLAIN: what a statement would do, and what it took.
//!
//! EXPLAIN and EXPLAIN QUERY PLAN are rows that are known once the statement is planned; EXPLAIN
//! ANALYZE runs it (a change is made) and then shows the tree with figures. Neighbours: `prepare`
//! plans, `statement` runs, `plan::explain` writes the lines.

use pandodb_ds::record::Value;

use super::prepare::select_plan;
use super::{Prepared, PreparedKind};
use crate::ast::{self, ExplainMode, StatementKind};
use crate::bind::Binder;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Figures, Profile};
use crate::modify::modify_statement;
use crate::plan::{OutputColumn, TreeLine, explain_query_plan, explain_tree};

/// What rows of figures are called.
const TREE_COLUMN: &str = "plan";

/// Makes the rows of EXPLAIN and EXPLAIN QUERY PLAN.
pub(super) fn explained(
    binder: &mut Binder<'_>,
    mode: ExplainMode,
    statement: &ast::Statement,
    prepared: &mut Prepared,
) -> Result<()> {
    let rows = match &statement.kind {
        StatementKind::Select(select) => {
            let plan = select_plan(binder, select)?;
            if mode == ExplainMode::QueryPlan {
                numbered(explain_query_plan(&plan))
            } else {
                shown(&explain_tree(&plan.root, &plan.outputs), |_| String::new())
            }
        }
        StatementKind::Insert(_) | StatementKind::Update(_) | StatementKind::Delete(_) => {
            let plan = modify_statement(binder, statement)?;
            if mode == ExplainMode::QueryPlan {
                numbered(plan.explain())
            } else {
                shown(&change_tree(&plan), |_| String::new())
            }
        }
        _ => Vec::new(),
    };
    let names: &[&str] = if mode == ExplainMode::QueryPlan {
        &["id", "parent", "notused", "detail"]
    } else {
        &[TREE_COLUMN]
    };
    prepared.columns = columns(names);
    prepared.kind = PreparedKind::Rows(rows);
    Ok(())
}

/// Refuses what has no plan: it would do nothing and say nothing.
pub(super) fn check_can_run(statement: &ast::Statement) -> Result<()> {
    use StatementKind::{Delete, Insert, Select, Update};
    if matches!(statement.kind, Select(_) | Insert(_) | Update(_) | Delete(_)) {
        return Ok(());
    }
    let message = "EXPLAIN ANALYZE runs SELECT, INSERT, UPDATE and DELETE";
    Err(Error::new(ErrorKind::Unsupported, message)
        .with_hint("without EXPLAIN ANALYZE the statement runs; it has no plan to be measured"))
}

/// Makes a statement one that is run to see what it takes.
pub(super) fn analyzed(prepared: &mut Prepared) {
    let kind = std::mem::replace(&mut prepared.kind, PreparedKind::Rows(Vec::new()));
    prepared.kind = PreparedKind::Analyze(Box::new(kind));
    prepared.counted = None;
    prepared.columns = columns(&[TREE_COLUMN]);
}

/// The tree of a statement that was run, with what each operator took.
pub(super) fn report(kind: &PreparedKind, profile: &Profile) -> Vec<Vec<Value>> {
    let lines = match kind {
        PreparedKind::Select(plan) => explain_tree(&plan.root, &plan.outputs),
        PreparedKind::Modify(plan) => change_tree(plan),
        _ => Vec::new(),
    };
    // A subtree that ran in batches has figures as a whole: they are shown at its first line.
    let ran = |node: usize| profile.figures(node).filter(|figures| figures.opened > 0);
    let mut shown_batches: Vec<usize> = Vec::new();
    let behind: Vec<String> = lines
        .iter()
        .map(|line| match (line.node.and_then(ran), line.batch, line.node) {
            (Some(own), _, _) => figures(Some(own)),
            (None, Some(batch), _) if shown_batches.contains(&batch) => "  [in batches]".to_owned(),
            (None, Some(batch), _) => {
                shown_batches.push(batch);
                format!("{} [in batches]", figures(ran(batch)))
            }
            (None, None, Some(_)) => figures(None),
            (None, None, None) => String::new(),
        })
        .collect();
    let mut behind = behind.into_iter();
    shown(&lines, |_| behind.next().unwrap_or_default())
}

fn figures(figures: Option<Figures>) -> String {
    let Some(Figures { opened, rows, time, pages, spilled }) = figures else {
        return "  [never run]".to_owned();
    };
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    let times = if opened > 1 { format!(" in {opened} runs") } else { String::new() };
    let millis = time.as_secs_f64() * 1000.0;
    let spilled = match spilled {
        0 => String::new(),
        bytes => format!(", {} KiB in temporary files", bytes.div_ceil(1024)),
    };
    format!(
        "  [{rows} row{}{times}, {millis:.3} ms, {pages} page{} read{spilled}]",
        plural(rows),
        plural(pages)
    )
}

fn change_tree(plan: &crate::modify::ModifyPlan) -> Vec<TreeLine> {
    let (text, input) = plan.input();
    let mut lines = vec![TreeLine { depth: 0, text, node: None, batch: None }];
    lines.extend(
        explain_tree(input, &[]).into_iter().map(|line| TreeLine { depth: line.depth + 1, ..line }),
    );
    lines
}

fn shown(lines: &[TreeLine], mut behind: impl FnMut(&TreeLine) -> String) -> Vec<Vec<Value>> {
    let row = |line: &TreeLine| {
        let indent = "  ".repeat(line.depth);
        vec![Value::text(format!("{indent}{}{}", line.text, behind(line)))]
    };
    lines.iter().map(row).collect()
}

/// Numbered lines, each with the number of the one around it.
fn numbered(lines: Vec<(usize, String)>) -> Vec<Vec<Value>> {
    let mut parents: Vec<i64> = vec![0];
    let mut rows = Vec::with_capacity(lines.len());
    for (number, (depth, text)) in lines.into_iter().enumerate() {
        let id = number as i64 + 2;
        parents.truncate(depth + 1);
        let parent = parents.last().copied().unwrap_or(0);
        parents.push(id);
        let (id, parent) = (Value::Integer(id), Value::Integer(parent));
        rows.push(vec![id, parent, Value::Integer(0), Value::text(text)]);
    }
    rows
}

fn columns(names: &[&str]) -> Vec<OutputColumn> {
    let column = |name: &&str| OutputColumn { name: Box::from(*name), ..OutputColumn::default() };
    names.iter().map(column).collect()
}
