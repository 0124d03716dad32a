//! FROM: tables, views, subqueries, functions and their joins.
//!
//! Inner joins dissolve into a [`Group`]: relations in any order, and predicates. An outer join
//! is one relation of the group it stands in, made of two groups. Subqueries that only choose
//! and compute dissolve, too: their group becomes part of the group around them, and their
//! columns are read as the expressions that they are. Neighbours: `join` (what makes a pair),
//! `function` and `system` (functions in FROM), `bind::table` (columns of tables), `plan::join`
//! (orders a group).

mod function;
mod join;
mod rightward;
pub(super) mod signs;
mod system;

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::naming::{Naming, unique_names};
use super::scope::{Asked, NameScope, ScopeColumn, ScopeTable};
use super::table::Named;
use super::{Binder, Block};
use crate::ast::{self, JoinKind, TableReferenceKind};
use crate::catalog::{Index, Table, View};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::plan::{JoinType, Materialize, Node, Project, SourceId};
use crate::scalar::{ColumnPlace, JsonSign, Scalar, SlotId};
use crate::span::Span;
use join::{guard_virtual_columns, show_first};
use rightward::EarlyOn;
use signs::{JsonWay, join_ways};

/// Relations that are joined in any order, and what their rows must satisfy.
#[derive(Debug, Default)]
pub struct Group {
    /// What is joined.
    pub relations: Vec<Relation>,
    /// What must be true.
    pub predicates: Vec<Scalar>,
    /// Subqueries that a row must have a partner in, or must not.
    pub semis: Vec<SemiRelation>,
    /// CROSS JOIN: the order is kept.
    pub fixed: bool,
}

/// A subquery of EXISTS or NOT EXISTS, bound as if it stood in FROM.
#[derive(Debug)]
pub struct SemiRelation {
    /// NOT EXISTS
    pub anti: bool,
    /// What is joined; its predicates read the rows around it, too.
    pub group: Group,
}

/// Something that is joined.
#[derive(Debug)]
pub enum Relation {
    /// A table.
    Table(Box<TableRelation>),
    /// Rows that a plan makes.
    Rows(Box<RowsRelation>),
    /// An outer join.
    Outer(Box<OuterRelation>),
}

/// A table that is read.
#[derive(Clone, Debug)]
pub struct TableRelation {
    /// Where its row goes.
    pub slot: SlotId,
    /// Where it is.
    pub source: SourceId,
    /// The table.
    pub table: Arc<Table>,
    /// What the statement calls it.
    pub alias: Box<str>,
    /// INDEXED BY
    pub hint: Option<ast::IndexHint>,
    /// The index of INDEXED BY is known to have every row that is asked for.
    pub hint_fits: bool,
}

/// Rows that a plan makes.
#[derive(Debug)]
pub struct RowsRelation {
    /// The plan.
    pub node: Node,
    /// Slots that it fills.
    pub slots: Vec<SlotId>,
    /// Slots of other relations that it reads: arguments of a table-valued function.
    pub needs: Vec<SlotId>,
    /// About how many rows.
    pub rows: f64,
    /// Whether opening it again is as cheap as reading it.
    pub is_cheap: bool,
    /// The rows come in the order that the group was asked for.
    pub(crate) sorted: bool,
    /// The block that makes the rows, where it is planned with the group that it stands in: the
    /// node is empty until then.
    pub(crate) later: Option<LaterBlock>,
}

/// A block that is not planned yet.
#[derive(Debug)]
pub(crate) struct LaterBlock {
    pub(crate) later: crate::plan::Later,
    pub(crate) label: Box<str>,
}

/// An outer join.
#[derive(Debug)]
pub struct OuterRelation {
    /// Left, right or full.
    pub kind: JoinType,
    /// The left side.
    pub left: Group,
    /// The right side.
    pub right: Group,
    /// What makes a pair.
    pub on: Vec<Scalar>,
}

impl TableRelation {
    /// Whether an index is that of INDEXED BY.
    pub(crate) fn is_hinted(&self, index: &Index) -> bool {
        matches!(&self.hint, Some(ast::IndexHint::IndexedBy(name)) if name.is(&index.name))
    }
}

impl Relation {
    /// The slots that it fills.
    pub fn slots(&self) -> Vec<SlotId> {
        let mut slots = Vec::new();
        self.add_slots(&mut slots);
        slots
    }

    fn add_slots(&self, slots: &mut Vec<SlotId>) {
        match self {
            Self::Table(table) => slots.push(table.slot),
            Self::Rows(rows) => slots.extend_from_slice(&rows.slots),
            Self::Outer(outer) => {
                outer.left.add_slots(slots);
                outer.right.add_slots(slots);
            }
        }
    }
}

/// Fails where a join has all the tables that it may have, those of dissolved views among them.
fn check_tables(group: &Group, next: Span) -> Result<()> {
    if group.slots().len() < limits::JOIN_TABLES_MAX {
        return Ok(());
    }
    let message = format!("too many FROM clause terms, max: {}", limits::JOIN_TABLES_MAX);
    Err(Error::new(ErrorKind::Limit, message)
        .at(next)
        .with_hint("join some of them in a common table expression AS MATERIALIZED"))
}

impl Group {
    /// The slots that its relations fill.
    pub fn slots(&self) -> Vec<SlotId> {
        let mut slots = Vec::with_capacity(self.relations.len());
        self.add_slots(&mut slots);
        slots
    }

    fn add_slots(&self, slots: &mut Vec<SlotId>) {
        self.relations.iter().for_each(|relation| relation.add_slots(slots));
    }

    /// Adds the relations and conditions of another group.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.relations.extend(other.relations);
        self.predicates.extend(other.predicates);
        self.semis.extend(other.semis);
        self.fixed |= other.fixed;
    }

    /// Adds a predicate, each term of an AND for itself.
    pub fn add_predicate(&mut self, predicate: Scalar) {
        match predicate {
            Scalar::And(terms) => terms.into_iter().for_each(|term| self.add_predicate(term)),
            other => self.predicates.push(other),
        }
    }
}

impl Binder<'_> {
    /// What FROM means: its tables go into `scope`.
    pub(crate) fn from(&mut self, from: &ast::From, scope: &mut NameScope) -> Result<Group> {
        self.joined(from, scope, true)
    }

    /// As [`from`](Self::from); subqueries do not dissolve where an outer join around may make
    /// their rows up: what they compute of constants would not be NULL then.
    fn joined(
        &mut self,
        from: &ast::From,
        scope: &mut NameScope,
        may_dissolve: bool,
    ) -> Result<Group> {
        // As in SQLite, parentheses around the first joins say nothing.
        let (mut first, mut joins) = (&from.first, from.joins.iter().collect::<Vec<_>>());
        while let (TableReferenceKind::Join(inner), None) = (&first.kind, &first.alias) {
            joins.splice(0..0, &inner.joins);
            first = &inner.first;
        }
        let has_outer = joins
            .iter()
            .any(|join| matches!(join.kind, JoinKind::Left | JoinKind::Right | JoinKind::Full));
        let right_or_full =
            joins.iter().any(|join| matches!(join.kind, JoinKind::Right | JoinKind::Full));
        scope.has_right_join |= right_or_full;
        let mut group = Group::default();
        let known = scope.ways.len();
        self.reference(first, scope, &mut group, may_dissolve && !right_or_full)?;
        join_ways(&mut scope.ways[known..], JoinKind::Inner, &joins);
        let (mut early, mut outer_joins) = (Vec::new(), 0);
        for (place, join) in joins.iter().enumerate() {
            self.check_stopped()?;
            check_tables(&group, join.table.span)?;
            let left_tables = scope.tables.len();
            let mut right = Group::default();
            let known = scope.ways.len();
            self.reference(&join.table, scope, &mut right, may_dissolve && !has_outer)?;
            join_ways(&mut scope.ways[known..], join.kind, &joins[place + 1..]);
            let is_last = place + 1 == joins.len();
            let mut waiting = EarlyOn::of(join, scope.tables.len()).filter(|_| !is_last);
            let on = match self.join_condition(join, scope, left_tables, right_or_full) {
                // A name of a table to the right, perhaps.
                Err(_) if waiting.is_some() => {
                    early.extend(waiting.take());
                    Vec::new()
                }
                on => on?,
            };
            if scope.in_parentheses {
                show_first(join, scope, left_tables);
            }
            let kind = match join.kind {
                JoinKind::Left => JoinType::Left,
                JoinKind::Right => JoinType::Right,
                JoinKind::Full => JoinType::Full,
                _ => {
                    group.fixed |= join.kind == JoinKind::Cross;
                    group.absorb(right);
                    let before = group.predicates.len();
                    for term in on {
                        group.add_predicate(term);
                    }
                    early.extend(
                        waiting.map(|on| on.placed(outer_joins, before..group.predicates.len())),
                    );
                    continue;
                }
            };
            early.extend(waiting.map(|on| on.placed(outer_joins, 0..0)));
            let nullable = match kind {
                JoinType::Left => &mut scope.tables[left_tables..],
                JoinType::Right => &mut scope.tables[..left_tables],
                _ => &mut scope.tables[..],
            };
            nullable.iter_mut().for_each(guard_virtual_columns);
            let left = std::mem::take(&mut group);
            let outer = OuterRelation { kind, left, right, on };
            group.relations.push(Relation::Outer(Box::new(outer)));
            outer_joins += 1;
        }
        self.look_right(early, scope, &mut group, (outer_joins, right_or_full))?;
        Ok(group)
    }

    /// One thing to read from.
    fn reference(
        &mut self,
        reference: &ast::TableReference,
        scope: &mut NameScope,
        group: &mut Group,
        may_dissolve: bool,
    ) -> Result<()> {
        let alias = reference.alias.as_ref();
        match &reference.kind {
            TableReferenceKind::Table(named) => {
                self.named_reference(named, alias, scope, group, may_dissolve)
            }
            TableReferenceKind::Subquery(select) => {
                let block = self.nested(|binder| binder.select_in_from(select, may_dissolve))?;
                let name = alias.map_or("", |alias| &alias.text);
                let label = if name.is_empty() { "(subquery)" } else { name };
                self.derived(block, name, label, (&[], Naming::Query), scope, group)
            }
            TableReferenceKind::Function(function) => {
                self.function_reference(function, alias, scope, group)
            }
            TableReferenceKind::Join(from) => {
                // What stands in parentheses knows neither the tables before them nor aliases.
                let before = std::mem::take(&mut scope.tables);
                let aliases = std::mem::take(&mut scope.aliases);
                let first = std::mem::take(&mut scope.shown_first);
                let around = std::mem::replace(&mut scope.in_parentheses, true);
                let inner = self.joined(from, scope, may_dissolve)?;
                scope.in_parentheses = around;
                scope.aliases = aliases;
                let place = before.len();
                let own_first = std::mem::replace(&mut scope.shown_first, first);
                let own_first = own_first.iter().map(|(table, column)| (table + place, *column));
                scope.shown_first.extend(own_first);
                let own = std::mem::replace(&mut scope.tables, before);
                for mut table in own {
                    if let Some(alias) = alias {
                        table.alias = alias.text.clone();
                    }
                    for column in table.columns.iter_mut().filter(|it| it.common.is_some()) {
                        column.paired.clone_from(&column.common);
                    }
                    scope.tables.push(table);
                }
                if may_dissolve {
                    group.absorb(inner);
                } else {
                    *group = inner;
                }
                Ok(())
            }
        }
    }

    fn named_reference(
        &mut self,
        named: &ast::NamedTable,
        alias: Option<&ast::Name>,
        scope: &mut NameScope,
        group: &mut Group,
        may_dissolve: bool,
    ) -> Result<()> {
        let name = &named.name;
        if name.branch.is_some() || named.as_of.is_some() {
            return match self.named_version(name, named.as_of.as_ref())? {
                Named::Table(table) => {
                    let index = named.index.as_ref();
                    let (names, relation) = self.table_in_from(&table, alias, index)?;
                    scope.tables.push(names);
                    group.relations.push(Relation::Table(Box::new(relation)));
                    Ok(())
                }
                Named::View(view) => {
                    no_index(named)?;
                    self.view_reference(&view, alias, scope, group, may_dissolve)
                }
            };
        }
        if name.schema.is_none()
            && let Some(common) = self.find_common(&name.name)
        {
            no_index(named)?;
            return self.common_reference(&common, alias, scope, group, may_dissolve);
        }
        let found = match self.named_on_own_branch(name)? {
            Some(found) => Ok(found),
            None => self.named(name.schema.as_ref(), &name.name),
        };
        match found {
            Ok(Named::Table(table)) => {
                self.note_table(&table, &name.name);
                let (names, relation) = self.table_in_from(&table, alias, named.index.as_ref())?;
                scope.tables.push(names);
                group.relations.push(Relation::Table(Box::new(relation)));
                Ok(())
            }
            Ok(Named::View(view)) => {
                no_index(named)?;
                self.view_reference(&view, alias, scope, group, may_dissolve)
            }
            Err(error) => {
                // A table-valued function without arguments needs no parentheses.
                let is_function = self.environment.functions.find_table(&name.name.text).is_some()
                    || crate::pragma::table_function(&name.name.text).is_some()
                    || crate::branching::view::find(&name.name.text).is_some();
                if is_function {
                    no_index(named)?;
                    let function = ast::TableFunction {
                        name: ast::QualifiedName { schema: None, name: name.name.clone() },
                        arguments: Vec::new(),
                    };
                    return self.function_reference(&function, alias, scope, group);
                }
                Err(error)
            }
        }
    }

    fn view_reference(
        &mut self,
        view: &Arc<View>,
        alias: Option<&ast::Name>,
        scope: &mut NameScope,
        group: &mut Group,
        may_dissolve: bool,
    ) -> Result<()> {
        let name = alias.map_or(&view.name, |alias| &alias.text).clone();
        let block = self.view_block(view, may_dissolve)?;
        let names = (&*view.columns, Naming::View);
        self.derived(block, &name, &view.name, names, scope, group)?;
        if let Some(names) = scope.tables.last_mut() {
            names.view = Some(view.clone());
        }
        Ok(())
    }

    /// The query block of a view, bound as if nothing were around it.
    pub(crate) fn view_block(&mut self, view: &Arc<View>, may_dissolve: bool) -> Result<Block> {
        // What a view means does not depend on who reads it: bound inside of itself it has no end.
        let is_same = |around: &Arc<View>| {
            (around.id, around.database, &around.name) == (view.id, view.database, &view.name)
        };
        if self.views.iter().any(is_same) {
            return Err(Error::invalid(format!("view {} is circularly defined", view.name)));
        }
        self.views.push(view.clone());
        let scopes = std::mem::take(&mut self.scopes);
        let common = std::mem::take(&mut self.common);
        let text = std::mem::replace(&mut self.text, Arc::from(&*view.sql));
        self.texts_around.push(text.clone());
        let home = self.home.replace(view.database);
        let in_trigger = std::mem::replace(&mut self.in_trigger, false);
        let block = self.accessing(&view.name, |binder| {
            binder.nested(|binder| binder.select_in_from(&view.select, may_dissolve))
        });
        self.scopes = scopes;
        self.common = common;
        self.text = text;
        self.texts_around.pop();
        self.home = home;
        self.in_trigger = in_trigger;
        self.views.pop();
        block
    }

    /// A query block in FROM: dissolved, or computed into a slot.
    pub(crate) fn derived(
        &mut self,
        mut block: Block,
        alias: &str,
        label: &str,
        names: (&[Box<str>], Naming),
        scope: &mut NameScope,
        group: &mut Group,
    ) -> Result<()> {
        let mut columns = columns_of(&block, label, names)?;
        if block.has_right_join && !scope.tables.is_empty() {
            // SQLite does not write such a block into a join unless it comes first.
            block.way = None;
            for column in &mut columns {
                column.scalar.forget_json(None, true);
            }
        }
        let slots;
        if let Some(inner) = block.group {
            slots = inner.slots();
            group.absorb(inner);
            scope.ways.append(&mut block.ways);
            scope.has_join_inside |= block.way.is_some_and(JsonWay::is_join);
        } else {
            let slot = self.slot();
            block.read_reals();
            let signs = self.add_signs(&mut block);
            scope.ways.extend(block.way.map(|way| way.into_slot(slot)));
            for (index, (column, sign)) in columns.iter_mut().zip(signs).enumerate() {
                column.scalar = signed_column(slot, index, &column.scalar, sign);
            }
            let label: Box<str> = Box::from(label);
            let (node, later) = if let Some(later) = block.later {
                (Node::Empty, Some(LaterBlock { later, label }))
            } else {
                let (input, outputs) = (block.root, block.outputs);
                let project = Project { input, outputs, slot, label: Some(label) };
                (Node::Project(Box::new(project)), None)
            };
            group.relations.push(Relation::Rows(Box::new(RowsRelation {
                node,
                later,
                slots: vec![slot],
                needs: Vec::new(),
                rows: block.rows,
                is_cheap: false,
                sorted: false,
            })));
            slots = vec![slot];
        }
        let alias = Box::from(alias);
        scope.tables.push(ScopeTable {
            alias,
            database: None,
            table: None,
            columns,
            // A query in FROM has none, whatever it reads.
            rowid: None,
            slots,
            view: None,
            function: None,
            asked: Asked::Nothing,
        });
        Ok(())
    }

    /// Binds what may read the tables that FROM has brought so far.
    fn over<T>(
        &mut self,
        scope: &mut NameScope,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.scopes.push(std::mem::take(scope));
        let bound = bind(self);
        *scope = self.scopes.pop().unwrap_or_default();
        bound
    }

    /// Wraps an input that is read again and again.
    pub(crate) fn materialized(&mut self, input: Node, slots: Vec<SlotId>, label: &str) -> Node {
        let state = self.state();
        let correlated = input.reads_outer();
        Node::Materialize(Box::new(Materialize {
            input,
            state,
            slots,
            correlated,
            label: Some(Box::from(label)),
        }))
    }
}

/// The columns of a block in FROM, for who reads them.
fn columns_of(
    block: &Block,
    label: &str,
    (names, naming): (&[Box<str>], Naming),
) -> Result<Vec<ScopeColumn>> {
    if !names.is_empty() && names.len() != block.outputs.len() {
        let (wanted, given) = (names.len(), block.outputs.len());
        let message = match naming {
            Naming::View => format!("expected {wanted} columns for '{label}' but got {given}"),
            Naming::Query => format!("table {label} has {given} values for {wanted} columns"),
        };
        return Err(Error::invalid(message));
    }
    let names = unique_names(block, names, naming);
    let declared = block.columns.iter().map(|column| column.declared_type.clone());
    let columns = names
        .into_iter()
        .zip(declared)
        .zip(&block.outputs)
        .map(|((name, declared_type), output)| ScopeColumn {
            name,
            scalar: as_column(output),
            hidden: false,
            merged: false,
            common: None,
            paired: None,
            declared_type,
        })
        .collect();
    Ok(columns)
}

/// A result of a subquery as its column: one that says nothing of its order has that of bytes,
/// and does not take that of what it is compared with; what a COLLATE says holds like a column's
/// own, not like a COLLATE around the column.
pub(super) fn as_column(output: &Scalar) -> Scalar {
    if let Some(collation) = output.explicit_collation() {
        return Scalar::Convert(
            Box::new(output.clone()),
            output.affinity(),
            Some(collation),
            false,
        );
    }
    if let Scalar::Case(case) = output
        && case.merges
    {
        // The columns that a join has made one compare as the first of them.
        let mut case = case.clone();
        if let Some((_, _, first)) = case.branches.first_mut() {
            *first = as_column(first);
        }
        return Scalar::Case(case);
    }
    if let Scalar::Column(place) = output {
        let collation = Some(place.collation.unwrap_or_default());
        return Scalar::Column(ColumnPlace { collation, ..*place });
    }
    if matches!(output, Scalar::Convert(.., true)) {
        return output.clone();
    }
    let may_be_text = match output {
        Scalar::Compare(_) | Scalar::And(_) | Scalar::IsNull(..) => false,
        Scalar::Literal(value) => matches!(value, Value::Text(_)),
        // A whole real stays one, which its affinity would make an integer of.
        Scalar::Cast(_, affinity) => !affinity.is_numeric(),
        _ => true,
    };
    // What a function made is a plain text outside of the subquery, as in SQLite.
    if output.may_be_json() || may_be_text && output.collation().is_none() {
        let collation = output.collation().unwrap_or_default();
        Scalar::Convert(Box::new(output.clone()), output.affinity(), Some(collation), false)
    } else {
        output.clone()
    }
}

/// A column of a slot of values.
pub(crate) fn slot_column(slot: SlotId, column: usize, like: &Scalar) -> Scalar {
    signed_column(slot, column, like, JsonSign::None)
}

/// A column of a slot of values, of which `json` tells whether it is JSON.
pub(crate) fn signed_column(slot: SlotId, column: usize, like: &Scalar, json: JsonSign) -> Scalar {
    Scalar::Column(ColumnPlace {
        depth: 0,
        slot,
        column: column as u16,
        affinity: like.affinity(),
        collation: Some(like.collation().unwrap_or_default()),
        json,
    })
}

/// The terms of an AND.
pub(crate) fn split_and(scalar: Scalar) -> Vec<Scalar> {
    match scalar {
        Scalar::And(terms) => terms.into_iter().flat_map(split_and).collect(),
        other => vec![other],
    }
}

/// What is no table has no index that INDEXED BY could name.
fn no_index(named: &ast::NamedTable) -> Result<()> {
    match &named.index {
        Some(ast::IndexHint::IndexedBy(name)) => {
            Err(Error::not_found("index", &name.text).at(name.span))
        }
        _ => Ok(()),
    }
}

// Neighbours: `join`, `function`, `system`, `bind::table`.
