//! System views in FROM: `pando_log`, `pando_diff('t', 'main', 'dev')` and the like.
//!
//! Most have fixed columns. Those of `pando_diff` are the table's own, so its arguments are read
//! while binding, and both versions are opened as `t@version` opens them: a plan is made anew
//! when one of their schemas changes. Neighbours: `branching::view` has the rows.

use pandodb_ds::record::{Collation, Value};

use super::Group;
use super::function::add_made_rows;
use crate::ast;
use crate::bind::Binder;
use crate::bind::scope::{NameScope, ScopeColumn};
use crate::branching::view::SystemView;
use crate::branching::view::table_diff::{self, DiffColumn};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, Result};
use crate::execute::VersionName;
use crate::plan::PragmaScan;
use crate::scalar::{ColumnPlace, JsonSign, Scalar, SlotId};
use crate::types::Affinity;

impl Binder<'_> {
    /// A system view as a relation.
    pub(super) fn system_view(
        &mut self,
        view: &'static SystemView,
        reference: &ast::TableFunction,
        alias: Option<&ast::Name>,
        scope: &mut NameScope,
        group: &mut Group,
    ) -> Result<()> {
        let name = &reference.name.name;
        let count = reference.arguments.len();
        if count > view.arguments.len() || count < view.needed {
            let message = format!("{}() takes {} arguments", view.name, view.arguments.len());
            let usage = format!("{}({})", view.name, view.arguments.join(", "));
            return Err(Error::invalid(message).at(name.span).with_hint(usage));
        }
        let arguments = self.over(scope, |binder| binder.expressions(&reference.arguments))?;
        let (slot, state) = (self.slot(), self.state());
        let columns = if view.columns.is_empty() {
            let columns = self.difference_columns(&arguments).map_err(|error| {
                if error.span().is_some() { error } else { error.at(name.span) }
            })?;
            columns.into_iter().enumerate().map(|it| typed_column(slot, it)).collect()
        } else {
            let columns = view.columns.iter().enumerate();
            columns.map(|(index, column)| plain_column(slot, index, column)).collect()
        };
        let alias = alias.unwrap_or(name).text.clone();
        let scan = PragmaScan { slot, state, name: Box::from(view.name), arguments, alias };
        add_made_rows((Box::from(view.name), scan), columns, (100.0, false), scope, group);
        Ok(())
    }

    /// The columns of `pando_diff`, whose arguments must be known by now.
    fn difference_columns(&self, arguments: &[Scalar]) -> Result<Vec<DiffColumn>> {
        let mut known = Vec::with_capacity(arguments.len());
        for argument in arguments {
            known.push(match argument {
                Scalar::Literal(Value::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                Scalar::Literal(Value::Integer(number)) => number.to_string(),
                _ => {
                    let message = "pando_diff() takes constants: its columns depend on them";
                    let hint =
                        "pando_diff('table', 'old branch', 'new branch'), without parameters";
                    return Err(Error::invalid(message).with_hint(hint));
                }
            });
        }
        let [table, old, new] = known.as_slice() else { return Ok(Vec::new()) };
        let mut schemas = Vec::with_capacity(2);
        for version in [old, new] {
            let (branch, as_of) = table_diff::version_name(version);
            let name = VersionName { database: DatabaseIndex::MAIN, branch, as_of };
            let found = self.environment.versions.find(name)?;
            schemas.push(self.schema(found).unwrap_or_default());
        }
        table_diff::columns(&schemas[0], &schemas[1], table)
            .ok_or_else(|| Error::not_found("table", table))
    }
}

fn plain_column(slot: SlotId, index: usize, name: &str) -> ScopeColumn {
    let place = (slot, index, Affinity::None, Collation::Binary);
    column(Box::from(name), place, None)
}

fn typed_column(slot: SlotId, (index, typed): (usize, DiffColumn)) -> ScopeColumn {
    let place = (slot, index, typed.affinity, typed.collation);
    column(typed.name.into_boxed_str(), place, Some(typed.declared))
}

fn column(
    name: Box<str>,
    (slot, index, affinity, collation): (SlotId, usize, Affinity, Collation),
    declared_type: Option<Box<str>>,
) -> ScopeColumn {
    let column = index as u16;
    ScopeColumn {
        name,
        scalar: Scalar::Column(ColumnPlace {
            depth: 0,
            slot,
            column,
            affinity,
            collation: Some(collation),
            json: JsonSign::None,
        }),
        hidden: false,
        merged: false,
        common: None,
        paired: None,
        declared_type,
    }
}

// Neighbours: `function`.
