//! Functions in FROM: table-valued ones and PRAGMAs.
//!
//! Their hidden columns are their parameters. Neighbours: `system` has PandoDB's own views.

use super::{Group, Relation, RowsRelation};
use crate::ast;
use crate::bind::Binder;
use crate::bind::scope::{Asked, NameScope, ScopeColumn, ScopeTable};
use crate::error::{Error, Result};
use crate::function::{FunctionKind, Implementation};
use crate::plan::{FunctionScan, Node, PragmaScan};
use crate::scalar::{ColumnPlace, JsonSign, ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// The hidden columns of `pragma_*` functions: their value and their schema.
const PRAGMA_PARAMETERS: &[&str] = &["arg", "schema"];

impl Binder<'_> {
    pub(super) fn function_reference(
        &mut self,
        reference: &ast::TableFunction,
        alias: Option<&ast::Name>,
        scope: &mut NameScope,
        group: &mut Group,
    ) -> Result<()> {
        let name = &reference.name.name;
        if let Some(entry) = crate::pragma::table_function(&name.text) {
            return self.pragma_reference(entry, reference, alias, scope, group);
        }
        if let Some(view) = crate::branching::view::find(&name.text) {
            return self.system_view(view, reference, alias, scope, group);
        }
        let Some(function) = self.environment.functions.find_table(&name.text) else {
            let is_table = self.find_common(name).is_some() || self.named(None, name).is_ok();
            return Err(if is_table {
                Error::invalid(format!("'{}' is not a function", name.text)).at(name.span)
            } else {
                let error = Error::not_found("table-valued function", &name.text).at(name.span);
                let known = self.environment.functions.functions();
                let tables = known.iter().filter(|known| known.kind() == FunctionKind::Table);
                crate::suggest::hinting(error, &name.text, tables.map(|known| &*known.name))
            });
        };
        debug_assert_eq!(function.kind(), FunctionKind::Table);
        let Implementation::Table(table) = &function.implementation else {
            return Err(Error::not_found("table-valued function", &name.text).at(name.span));
        };
        let hidden = table.columns.iter().filter(|column| column.is_hidden).count();
        if reference.arguments.len() > hidden {
            let message = format!("too many arguments on {}() - max {hidden}", name.text);
            return Err(Error::invalid(message).at(name.span));
        }
        // Arguments may read the tables to the left.
        let arguments = self.over(scope, |binder| binder.expressions(&reference.arguments))?;
        let (slot, state) = (self.slot(), self.state());
        let column = |(index, column): (usize, &crate::function::TableColumn)| ScopeColumn {
            name: Box::from(column.name),
            scalar: function_column(slot, index as u16, column),
            hidden: column.is_hidden,
            merged: false,
            common: None,
            paired: None,
            declared_type: None,
        };
        let alias = alias.map_or_else(|| name.text.clone(), |alias| alias.text.clone());
        scope.tables.push(ScopeTable {
            alias: alias.clone(),
            database: None,
            table: None,
            columns: table.columns.iter().enumerate().map(column).collect(),
            rowid: Some(place(slot, ROWID, Affinity::Integer)),
            slots: vec![slot],
            view: None,
            function: Some(Box::from(&*function.name)),
            asked: Asked::Nothing,
        });
        let mut needs = Vec::new();
        for argument in &arguments {
            needs.extend(argument.slots());
        }
        let (function, reads) = (function.clone(), u64::MAX);
        let scan = FunctionScan { slot, state, function, arguments, reads, alias };
        group.relations.push(Relation::Rows(Box::new(RowsRelation {
            node: Node::Function(Box::new(scan)),
            slots: vec![slot],
            needs,
            rows: 25.0,
            is_cheap: true,
            sorted: false,
            later: None,
        })));
        Ok(())
    }

    /// `pragma_name(value, schema)`
    fn pragma_reference(
        &mut self,
        entry: &'static crate::pragma::Entry,
        reference: &ast::TableFunction,
        alias: Option<&ast::Name>,
        scope: &mut NameScope,
        group: &mut Group,
    ) -> Result<()> {
        let arguments = self.over(scope, |binder| binder.expressions(&reference.arguments))?;
        let (slot, state) = (self.slot(), self.state());
        let name = &reference.name.name.text;
        if arguments.len() > PRAGMA_PARAMETERS.len() {
            let max = PRAGMA_PARAMETERS.len();
            let message = format!("too many arguments on {name}() - max {max}");
            return Err(Error::invalid(message).at(reference.name.name.span));
        }
        let visible = entry.columns.len();
        let column = |(index, column): (usize, &&str)| ScopeColumn {
            name: Box::from(*column),
            scalar: place(slot, index as u16, Affinity::Blob),
            hidden: index >= visible,
            merged: false,
            common: None,
            paired: None,
            declared_type: None,
        };
        let columns = entry.columns.iter().chain(PRAGMA_PARAMETERS).enumerate();
        let columns = columns.map(column).collect();
        let alias = alias.unwrap_or(&reference.name.name).text.clone();
        let scan = PragmaScan { slot, state, name: Box::from(entry.name), arguments, alias };
        let name = name.to_ascii_lowercase().into();
        add_made_rows((name, scan), columns, (10.0, true), scope, group);
        Ok(())
    }
}

/// A column of a table-valued function.
fn function_column(slot: SlotId, index: u16, column: &crate::function::TableColumn) -> Scalar {
    let mut scalar = place(slot, index, Affinity::Blob);
    if let (Scalar::Column(place), Some(kind)) = (&mut scalar, column.json_type) {
        place.json = JsonSign::Type(kind);
    }
    scalar
}

fn place(slot: SlotId, column: u16, affinity: Affinity) -> Scalar {
    // As in a table, the rowid has none.
    let collation = (column != ROWID).then_some(pandodb_ds::record::Collation::Binary);
    Scalar::Column(ColumnPlace {
        depth: 0,
        slot,
        column,
        affinity,
        collation,
        json: JsonSign::None,
    })
}

// Neighbours: `system`.

/// Adds a relation whose rows are made from arguments: their number, and whether making them again
/// is cheap. An authorizer knows it by its name.
pub(super) fn add_made_rows(
    (name, scan): (Box<str>, PragmaScan),
    columns: Vec<ScopeColumn>,
    (rows, is_cheap): (f64, bool),
    scope: &mut NameScope,
    group: &mut Group,
) {
    scope.tables.push(ScopeTable {
        alias: scan.alias.clone(),
        database: None,
        table: None,
        columns,
        rowid: Some(place(scan.slot, ROWID, Affinity::Integer)),
        slots: vec![scan.slot],
        view: None,
        function: Some(name),
        asked: Asked::Nothing,
    });
    group.relations.push(Relation::Rows(Box::new(RowsRelation {
        slots: vec![scan.slot],
        needs: scan.arguments.iter().flat_map(Scalar::slots).collect(),
        node: Node::Pragma(Box::new(scan)),
        rows,
        is_cheap,
        sorted: false,
        later: None,
    })));
}
