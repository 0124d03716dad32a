//! Common table expressions.
//!
//! A common table that is not recursive is bound anew at each place that reads it, as a subquery
//! would be, unless several places share it (`shared`). A recursive one is bound once for each
//! place, with its own queue. Neighbours: `compound` splits a recursive select into its parts.

mod recursion;
mod shared;

use pandodb_ds::sync::Arc;

use recursion::{circular, is_named, recursion};

pub(crate) use shared::SharedTable;

use super::compound::{column_affinity, real_columns, said_collations, told_apart};
use super::from::{Group, Relation, RowsRelation, slot_column};
use super::naming::{Naming, unique_names};
use super::scope::{Asked, NameScope, ScopeColumn, ScopeTable};
use super::select::as_real;
use super::{Binder, Block};
use crate::ast;
use crate::authorize::AuthAction;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Arm, Compound, Node, Recursive};
use crate::scalar::{Scalar, SlotId};
use crate::types::Affinity;

/// A common table that can be seen.
#[derive(Debug)]
pub struct CommonScope {
    /// Its definition.
    pub(super) table: Arc<ast::CommonTable>,
    /// All tables of its WITH, and its place among them.
    family: Arc<Family>,
    place: usize,
    /// The text that the definition's spans mean.
    pub(super) text: Arc<str>,
    /// The common tables before it, which its own select sees.
    pub(super) visible: Vec<Arc<CommonScope>>,
    /// What tells it from all others of the statement.
    pub(super) number: u32,
    /// Several places seem to read it.
    pub(super) is_popular: bool,
    /// Set while the recursive part is bound: where its row is, and its columns.
    row: Option<RecursiveRow>,
    /// Stands for the table in its own select, where only recursive parts may name it.
    is_circular: bool,
}

/// The tables of a WITH.
#[derive(Debug)]
struct Family {
    tables: Vec<Arc<ast::CommonTable>>,
    /// Which of them several places seem to read.
    popular: Vec<bool>,
    /// The number of the first.
    first: u32,
    text: Arc<str>,
}

impl CommonScope {
    /// The tables of a family from a place on, each of which sees those before it.
    fn family(family: &Arc<Family>, from: usize, before: &[Arc<Self>]) -> Vec<Arc<Self>> {
        let mut visible = before.to_vec();
        for (place, table) in family.tables.iter().enumerate().skip(from) {
            visible.push(Arc::new(Self {
                table: table.clone(),
                family: family.clone(),
                place,
                text: family.text.clone(),
                number: family.first + place as u32,
                is_popular: family.popular[place],
                visible: visible.clone(),
                row: None,
                is_circular: false,
            }));
        }
        visible
    }

    /// The table while its recursive part is bound, which reads `row`.
    fn with_row(&self, row: RecursiveRow, text: &Arc<str>) -> Self {
        Self {
            table: self.table.clone(),
            text: text.clone(),
            family: self.family.clone(),
            place: self.place,
            visible: Vec::new(),
            number: self.number,
            is_popular: false,
            row: Some(row),
            is_circular: false,
        }
    }

    /// What its own select sees: the tables before it and those behind it; itself only to be told
    /// that it goes in a circle.
    pub(super) fn sight(&self) -> Vec<Arc<Self>> {
        let mut before = self.visible.clone();
        before.push(Arc::new(Self {
            table: self.table.clone(),
            text: self.text.clone(),
            family: self.family.clone(),
            place: self.place,
            visible: Vec::new(),
            number: self.number,
            is_popular: false,
            row: None,
            is_circular: true,
        }));
        Self::family(&self.family, self.place + 1, &before)
    }
}

#[derive(Clone, Debug)]
struct RecursiveRow {
    frame: usize,
    slot: SlotId,
    columns: Vec<ScopeColumn>,
}

impl Binder<'_> {
    /// Makes the tables of WITH visible; returns how many were before, to go back to.
    pub(crate) fn with(&mut self, with: Option<&ast::With>) -> Result<usize> {
        let before = self.common.len();
        let Some(with) = with else { return Ok(before) };
        for (index, table) in with.tables.iter().enumerate() {
            if with.tables[..index].iter().any(|other| other.name == table.name) {
                let message = format!("duplicate WITH table name: {}", table.name.text);
                return Err(Error::invalid(message).at(table.name.span));
            }
        }
        let family = Arc::new(Family {
            tables: with.tables.iter().cloned().map(Arc::new).collect(),
            popular: self.popular(with),
            first: self.common_seen,
            text: self.text.clone(),
        });
        self.common_seen += with.tables.len() as u32;
        self.common = CommonScope::family(&family, 0, &self.common);
        Ok(before)
    }

    /// The common table called `name`.
    pub(crate) fn find_common(&self, name: &ast::Name) -> Option<Arc<CommonScope>> {
        self.common.iter().rev().find(|common| common.table.name == *name).cloned()
    }

    /// A common table in FROM.
    pub(crate) fn common_reference(
        &mut self,
        common: &Arc<CommonScope>,
        alias: Option<&ast::Name>,
        scope: &mut NameScope,
        group: &mut Group,
        may_dissolve: bool,
    ) -> Result<()> {
        let name = alias.unwrap_or(&common.table.name).text.clone();
        if common.is_circular {
            return Err(circular(&common.table.name));
        }
        if let Some(row) = &common.row {
            self.take_row(row, &common.table.name)?;
            self.recursive_row(row, &name, scope, group);
            return Ok(());
        }
        if self.shared_reference(common, &name, scope, group)? {
            return Ok(());
        }
        let names: Vec<Box<str>> =
            common.table.columns.iter().map(|column| column.text.clone()).collect();
        let outer = std::mem::replace(&mut self.common, common.sight());
        let text = std::mem::replace(&mut self.text, common.text.clone());
        let block = self.accessing(&common.table.name.text, |binder| {
            if refers_to(&common.table.select, &common.table.name) {
                binder.nested(|binder| binder.recursive(common))
            } else {
                let dissolve = may_dissolve && common.table.materialized != Some(true);
                binder.nested(|binder| binder.select_in_from(&common.table.select, dissolve))
            }
        });
        self.common = outer;
        self.text = text;
        let label = common.table.name.text.clone();
        let mut block = block?;
        if common.table.materialized == Some(true) {
            block.way = None;
        }
        self.derived(block, &name, &label, (&names, Naming::Query), scope, group)
    }

    /// Lets a recursive part read its row once: it names the table once in its FROM, so that any
    /// other reader stands in a subquery.
    fn take_row(&mut self, row: &RecursiveRow, table: &ast::Name) -> Result<()> {
        let own = (row.frame, row.slot);
        if row.frame != self.frame_index() || self.rows_taken.contains(&own) {
            let message = format!("multiple recursive references: {}", table.text);
            return Err(Error::invalid(message));
        }
        self.rows_taken.push(own);
        Ok(())
    }

    /// The recursive part reads the row that is being worked on.
    fn recursive_row(
        &mut self,
        row: &RecursiveRow,
        name: &str,
        scope: &mut NameScope,
        group: &mut Group,
    ) {
        let state = self.state();
        group.relations.push(Relation::Rows(Box::new(RowsRelation {
            node: Node::RecursiveRow(row.slot, state),
            slots: vec![row.slot],
            needs: Vec::new(),
            rows: 1.0,
            is_cheap: true,
            sorted: false,
            later: None,
        })));
        scope.tables.push(ScopeTable {
            alias: Box::from(name),
            database: None,
            table: None,
            columns: row.columns.clone(),
            rowid: None,
            slots: vec![row.slot],
            view: None,
            function: None,
            asked: Asked::Nothing,
        });
    }

    /// The block of a recursive common table.
    pub(super) fn recursive(&mut self, common: &Arc<CommonScope>) -> Result<Block> {
        let table = &common.table;
        let select = &table.select;
        if !self.may(AuthAction::Select, None)? || !self.may(AuthAction::Recursive, None)? {
            let message = format!("the recursive table {} cannot be left out", table.name.text);
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let before = self.with(select.with.as_ref())?;
        let cores: Vec<&ast::SelectCore> = std::iter::once(&select.first)
            .chain(select.compounds.iter().map(|(_, core)| core))
            .collect();
        let operators: Vec<_> = select.compounds.iter().map(|(operator, _)| *operator).collect();
        let (first, distinct) = recursion(&table.name, &cores, &operators)?;
        let mut initial: Vec<(ast::CompoundOperator, Block)> = Vec::new();
        for (index, core) in cores[..first].iter().enumerate() {
            let before = index.checked_sub(1).map(|before| operators[before]);
            let operator = before.unwrap_or(ast::CompoundOperator::UnionAll);
            initial.push((operator, self.core_block(core, &[])?));
        }
        let Some((_, head)) = initial.first() else {
            return Err(Error::invalid("a recursive table needs rows to begin with"));
        };
        let columns = head.columns.clone();
        let (row_slot, slot, state) = (self.slot(), self.slot(), self.state());
        let mut result = named_columns(table, head, slot);
        let row = RecursiveRow {
            frame: self.frame_index(),
            slot: row_slot,
            columns: columns_of_row(table, head, row_slot),
        };
        self.common.push(Arc::new(common.with_row(row, &self.text)));
        let (width, own) = (columns.len(), (self.frame_index(), row_slot));
        let mut recursive = Vec::new();
        for (index, core) in cores.iter().enumerate().skip(first) {
            self.rows_taken.retain(|taken| *taken != own);
            let block = self.recursive_part(core)?;
            super::compound::check_width((operators[index - 1], core), width, block.outputs.len())?;
            recursive.push(block);
        }
        self.common.pop();
        for ((operator, block), core) in initial.iter().zip(&cores).skip(1) {
            super::compound::check_width((*operator, core), width, block.outputs.len())?;
        }
        let blocks: Vec<&Block> =
            initial.iter().map(|(_, block)| block).chain(&recursive).collect();
        let outputs = with_affinities(&mut result, &cores, &blocks);
        let reals = real_columns(&blocks, &outputs);
        let collations = said_collations(&blocks, &cores);
        for (column, collation) in result.iter_mut().zip(&collations) {
            if let Scalar::Column(place) = &mut column.scalar {
                place.collation = Some(*collation);
            }
        }
        let order_by = self.compound_order(&select.order_by, &result, &[])?;
        let limit = match &select.limit {
            Some(limit) => Some(self.limit(limit)?),
            None => None,
        };
        self.common.truncate(before);
        let node = Node::Recursive(Box::new(Recursive {
            initial: self.beginning(initial, &cores),
            recursive: recursive.into_iter().map(append).collect(),
            distinct,
            state,
            row_slot,
            slot,
            order_by,
            collations,
            limit,
        }));
        Ok(Block { root: node, outputs, columns, rows: 1000.0, reals, ..Block::default() })
    }

    /// The parts that make the rows to begin with; where one is more than appended, they are a
    /// compound of their own.
    fn beginning(
        &mut self,
        parts: Vec<(ast::CompoundOperator, Block)>,
        cores: &[&ast::SelectCore],
    ) -> Vec<Arm> {
        let appends = |(operator, _): &_| *operator == ast::CompoundOperator::UnionAll;
        let arms = |parts: Vec<(ast::CompoundOperator, Block)>| -> Vec<Arm> {
            parts.into_iter().map(|(operator, block)| arm(operator, block)).collect()
        };
        if parts.iter().all(appends) {
            return arms(parts);
        }
        let (slot, state) = (self.slot(), self.state());
        let collations = told_apart(&parts, cores);
        let outputs = match parts.first() {
            Some((_, head)) => {
                let outputs = head.outputs.iter().enumerate();
                outputs.map(|(index, output)| slot_column(slot, index, output)).collect()
            }
            None => Vec::new(),
        };
        let compound = Compound { arms: arms(parts), state, slot, collations, order: Vec::new() };
        let input = Node::Compound(Box::new(compound));
        vec![Arm { operator: ast::CompoundOperator::UnionAll, input, outputs }]
    }
}

/// The columns of the row that the recursive parts read, as `slot` holds them.
fn columns_of_row(table: &ast::CommonTable, head: &Block, slot: SlotId) -> Vec<ScopeColumn> {
    let mut columns = named_columns(table, head, slot);
    for (column, output) in columns.iter_mut().zip(&head.outputs) {
        // What the parts that follow make whole is read as SQLite reads it.
        if output.affinity() == Affinity::Real && !matches!(output, Scalar::Cast(..)) {
            column.scalar = as_real(std::mem::replace(&mut column.scalar, Scalar::NULL));
        }
    }
    columns
}

/// Gives the columns of a recursive table the affinities that all its parts make; what is read
/// of them.
fn with_affinities(
    columns: &mut [ScopeColumn],
    cores: &[&ast::SelectCore],
    blocks: &[&Block],
) -> Vec<Scalar> {
    for (index, column) in columns.iter_mut().enumerate() {
        if let Scalar::Column(place) = &mut column.scalar {
            place.affinity = column_affinity(cores, blocks, index);
        }
    }
    columns.iter().map(|column| column.scalar.clone()).collect()
}

/// The columns of a recursive table as `slot` holds them.
fn named_columns(table: &ast::CommonTable, head: &Block, slot: SlotId) -> Vec<ScopeColumn> {
    let names: Vec<Box<str>> = table.columns.iter().map(|name| name.text.clone()).collect();
    let names = unique_names(head, &names, Naming::Query);
    let outputs = head.outputs.iter().enumerate();
    outputs
        .zip(names)
        .map(|((index, output), name)| ScopeColumn {
            name,
            scalar: slot_column(slot, index, output),
            hidden: false,
            merged: false,
            common: None,
            paired: None,
            declared_type: None,
        })
        .collect()
}

fn append(block: Block) -> Arm {
    arm(ast::CompoundOperator::UnionAll, block)
}

fn arm(operator: ast::CompoundOperator, block: Block) -> Arm {
    Arm { operator, input: block.root, outputs: block.outputs }
}

/// Whether FROM of some part of the select names the table.
pub(super) fn refers_to(select: &ast::Select, name: &ast::Name) -> bool {
    core_refers_to(&select.first, name)
        || select.compounds.iter().any(|(_, core)| core_refers_to(core, name))
}

fn core_refers_to(core: &ast::SelectCore, name: &ast::Name) -> bool {
    match core {
        ast::SelectCore::Query(query) => {
            query.from.as_ref().is_some_and(|from| from_refers_to(from, name))
        }
        ast::SelectCore::Values(_) => false,
    }
}

fn from_refers_to(from: &ast::From, name: &ast::Name) -> bool {
    let references = std::iter::once(&from.first).chain(from.joins.iter().map(|join| &join.table));
    references.into_iter().any(|reference| match &reference.kind {
        ast::TableReferenceKind::Table(table) => is_named(table, name),
        ast::TableReferenceKind::Join(from) => from_refers_to(from, name),
        ast::TableReferenceKind::Subquery(select) => {
            let hides = select
                .with
                .as_ref()
                .is_some_and(|with| with.tables.iter().any(|table| table.name == *name));
            !hides && refers_to(select, name)
        }
        ast::TableReferenceKind::Function(_) => false,
    })
}
