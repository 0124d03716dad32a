//! `json_each` and `json_tree`: the nodes of a document as rows.
//!
//! `json_each` gives the children of the root, or the root itself where it has none to have;
//! `json_tree` all nodes, parents first. The columns' meanings, the ids (offsets in the
//! binary form) and the peculiarities of the first row's `key` and `path` are SQLite's.
//! Neighbours: `path` (the root), `render` (the values).

use pandodb_ds::record::number::cast_integer;
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use super::node::{Kind, Node};
use super::path::find;
use super::string::unescape;
use super::{Fault, Form, check, malformed, node_value, parse, render};
use crate::error::Result;
use crate::function::call::{Context, Pace};
use crate::function::coerce::{text, until_nul};
use crate::function::descriptor::{TableColumn, TableFunction, TableRows};

const fn column(name: &'static str, is_hidden: bool) -> TableColumn {
    TableColumn { name, is_hidden, json_type: None }
}

const COLUMNS: &[TableColumn] = &[
    column("key", false),
    TableColumn { name: "value", is_hidden: false, json_type: Some(2) },
    column("type", false),
    column("atom", false),
    column("id", false),
    column("parent", false),
    column("fullkey", false),
    column("path", false),
    column("json", true),
    column("root", true),
];

pub(in crate::function) const JSON_EACH: TableFunction = TableFunction {
    columns: COLUMNS,
    open: |context, args| open(context, args, Form::Text, false),
};
pub(in crate::function) const JSON_TREE: TableFunction =
    TableFunction { columns: COLUMNS, open: |context, args| open(context, args, Form::Text, true) };
pub(in crate::function) const JSONB_EACH: TableFunction = TableFunction {
    columns: COLUMNS,
    open: |context, args| open(context, args, Form::Binary, false),
};
pub(in crate::function) const JSONB_TREE: TableFunction = TableFunction {
    columns: COLUMNS,
    open: |context, args| open(context, args, Form::Binary, true),
};

/// A container whose children are being walked.
struct Parent {
    node: Node,
    /// Its id: where its label starts, or itself.
    id: usize,
    /// The length of the path to it.
    path_len: usize,
    /// The index of the current child.
    index: u64,
}

struct Rows {
    document: Value,
    blob: Arc<[u8]>,
    form: Form,
    is_tree: bool,
    /// The root argument, and behind it the path to the innermost parent.
    path: Vec<u8>,
    root_len: usize,
    /// Where the current row's label (or value) starts, and where the rows end.
    at: usize,
    end: usize,
    /// Whether a label stands at `at`.
    has_label: bool,
    parents: Vec<Parent>,
    /// The number of the current row; none before the first.
    row: Option<i64>,
}

/// No rows.
struct Nothing;

impl TableRows for Nothing {
    fn next(&mut self, _: &mut Context<'_>) -> Result<bool> {
        Ok(false)
    }

    fn column(&self, _: &mut Context<'_>, _: usize) -> Result<Value> {
        Ok(Value::Null)
    }

    fn row_id(&self) -> i64 {
        0
    }
}

fn open(
    context: &Context<'_>,
    args: &[ValueRef<'_>],
    form: Form,
    is_tree: bool,
) -> Result<Box<dyn TableRows>> {
    let mut pace = context.pace();
    let Some((&document, rest)) = args.split_first() else { return Ok(Box::new(Nothing)) };
    let blob: Arc<[u8]> = match document {
        ValueRef::Blob(bytes) if check::is_jsonb(bytes) => Arc::from(bytes),
        _ => match text(document) {
            None => return Ok(Box::new(Nothing)),
            Some(text) => {
                let parsed = parse::parse_at(&text, &mut pace)?;
                Arc::from(parsed.map_err(|_| malformed())?.blob)
            }
        },
    };
    let root = match rest.first() {
        None => b"$".to_vec(),
        Some(&root) => match text(root) {
            None => return Ok(Box::new(Nothing)),
            Some(root) => until_nul(&root).to_vec(),
        },
    };
    let steps = root.strip_prefix(b"$").ok_or_else(|| Fault::Path.with_path(&root))?;
    let found = match find(&blob, steps, &mut pace) {
        Ok(found) => found,
        Err(Fault::NotFound) => return Ok(Box::new(Nothing)),
        Err(Fault::Ended(error)) => return Err(error),
        Err(_) => return Err(Fault::Path.with_path(&root)),
    };
    let mut rows = Rows {
        document: document.to_owned(),
        form,
        is_tree,
        root_len: root.len(),
        path: root,
        at: found.label.unwrap_or(found.node.start),
        end: found.node.end,
        has_label: found.label.is_some(),
        parents: Vec::new(),
        row: None,
        blob,
    };
    if found.node.kind.is_container() && !is_tree {
        rows.at = found.node.payload;
        rows.has_label = found.node.kind == Kind::Object;
        let path_len = rows.path.len();
        let id = found.node.payload;
        rows.parents.push(Parent { node: found.node, id, path_len, index: 0 });
    }
    Ok(Box::new(rows))
}

impl Rows {
    fn label(&self) -> Result<Option<Node>> {
        if !self.has_label {
            return Ok(None);
        }
        Ok(Some(Node::read(&self.blob, self.at)?))
    }

    fn value(&self) -> Result<Node> {
        let start = self.label()?.map_or(self.at, |label| label.end);
        Ok(Node::read(&self.blob, start)?)
    }

    fn advance(&mut self) -> Result<()> {
        let value = self.value()?;
        if self.is_tree && value.kind.is_container() {
            let path_len = self.path.len();
            if !self.parents.is_empty() {
                self.push_path_step()?;
            }
            // The index is counted up below for the first child as for the others.
            let index = u64::MAX;
            self.parents.push(Parent { node: value, id: self.at, path_len, index });
            self.at = value.payload;
        } else {
            self.at = value.end;
        }
        if self.is_tree {
            while let Some(parent) = self.parents.last()
                && self.at >= parent.node.end
            {
                self.path.truncate(parent.path_len);
                self.parents.pop();
            }
        }
        if let Some(parent) = self.parents.last_mut() {
            self.has_label = parent.node.kind == Kind::Object;
            parent.index = parent.index.wrapping_add(1);
        } else {
            self.has_label = false;
        }
        Ok(())
    }

    /// Appends the step from the innermost parent to the current row.
    fn push_path_step(&mut self) -> Result<()> {
        let step = self.path_step()?;
        self.path.extend(step);
        Ok(())
    }

    fn path_step(&self) -> Result<Vec<u8>> {
        let Some(parent) = self.parents.last() else { return Ok(Vec::new()) };
        let Some(label) = self.label()? else {
            return Ok(format!("[{}]", parent.index).into_bytes());
        };
        let text = label.content(&self.blob);
        let is_word = text.first().is_some_and(u8::is_ascii_alphabetic)
            && text.iter().all(u8::is_ascii_alphanumeric);
        Ok(if is_word { [b".", text].concat() } else { [b".\"", text, b"\""].concat() })
    }

    /// The length of the `path` column: of the first row of a tree, that of the container
    /// that its value comes first in, or of `$`.
    fn parent_path_len(&self) -> usize {
        let mut len = self.path.len();
        if self.row != Some(0) || !self.is_tree || len < 2 {
            return len;
        }
        while len > 1 {
            len -= 1;
            if matches!(self.path[len], b'[' | b'.')
                && find(&self.blob, &self.path[1..len], &mut Pace::free())
                    .is_ok_and(|found| found.node.payload == self.at)
            {
                break;
            }
        }
        len
    }

    fn key(&self) -> Result<Value> {
        let Some(parent) = self.parents.last() else { return Ok(self.root_key()) };
        Ok(match self.label()? {
            Some(label) => Value::text(unescape(label.kind, label.content(&self.blob))),
            None => Value::Integer(parent.index as i64),
        })
    }

    /// The key of a row that is the root: the last step of the path to it.
    fn root_key(&self) -> Value {
        if self.root_len == 1 {
            return Value::Null;
        }
        match &self.path[self.parent_path_len().min(self.root_len)..self.root_len] {
            [] => Value::Null,
            [b'[', digits @ ..] => Value::Integer(cast_integer(digits)),
            [_, b'"', label @ ..] => Value::text(&label[..label.len().saturating_sub(1)]),
            [_, label @ ..] => Value::text(label),
        }
    }
}

impl TableRows for Rows {
    fn next(&mut self, _: &mut Context<'_>) -> Result<bool> {
        match &mut self.row {
            None => self.row = Some(0),
            Some(row) => {
                *row += 1;
                self.advance()?;
            }
        }
        Ok(self.at < self.end)
    }

    fn column(&self, context: &mut Context<'_>, index: usize) -> Result<Value> {
        context.json_result = false;
        Ok(match index {
            0 => self.key()?,
            1 => node_value(context, self.form, &self.blob, self.value()?.start)?,
            2 => Value::text(self.value()?.kind.type_name()),
            3 => render::atom(&self.blob, self.value()?)?.unwrap_or(Value::Null),
            4 => Value::Integer(self.at as i64),
            5 => match self.parents.last() {
                Some(parent) if self.is_tree => Value::Integer(parent.id as i64),
                _ => Value::Null,
            },
            6 => Value::text([&self.path[..], &self.path_step()?].concat()),
            7 => Value::text(&self.path[..self.parent_path_len()]),
            8 => self.document.clone(),
            _ => Value::text(&self.path[..self.root_len]),
        })
    }

    fn row_id(&self) -> i64 {
        self.row.unwrap_or(0)
    }
}
