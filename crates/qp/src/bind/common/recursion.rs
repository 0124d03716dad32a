//! Which parts of a common table refer to it, and what such a part may be.
//!
//! As in SQLite, the parts at the end that are put together alike and name the table once in
//! their FROM are the recursive ones; all before them make the rows to begin with. A recursive
//! part is run for one row at a time, so that what looks at several rows, be it a join with
//! itself, groups or windows, would not mean what it says: it is refused. Neighbours: `common`.

use super::{Binder, Block};
use crate::ast::{self, CompoundOperator};
use crate::error::{Error, Result};
use crate::plan::Later;

/// The error of a table that names itself where it cannot.
pub(super) fn circular(table: &ast::Name) -> Error {
    Error::invalid(format!("circular reference: {}", table.text)).with_hint(
        "a recursive part is the last of a UNION or UNION ALL and names the table in its FROM",
    )
}

/// Which part is the first of the recursive ones, and whether rows come once only.
pub(super) fn recursion(
    name: &ast::Name,
    cores: &[&ast::SelectCore],
    operators: &[CompoundOperator],
) -> Result<(usize, bool)> {
    let Some(last) = operators.last() else { return Err(circular(name)) };
    if !matches!(last, CompoundOperator::Union | CompoundOperator::UnionAll) {
        return Err(circular(name));
    }
    let mut first = cores.len();
    while first > 1 && operators.get(first - 2) == Some(last) {
        match core_references(cores[first - 1], name) {
            0 => break,
            1 => first -= 1,
            _ => {
                let message = format!("multiple references to recursive table: {}", name.text);
                return Err(Error::invalid(message).at(name.span));
            }
        }
    }
    if first == cores.len() {
        return Err(circular(name));
    }
    Ok((first, *last == CompoundOperator::Union))
}

/// How often a part names the table in its own FROM, subqueries left out.
fn core_references(core: &ast::SelectCore, name: &ast::Name) -> usize {
    match core {
        ast::SelectCore::Query(query) => {
            query.from.as_ref().map_or(0, |from| from_references(from, name).0)
        }
        ast::SelectCore::Values(_) => 0,
    }
}

/// How often FROM names the table, and how many tables it joins. A join in parentheses counts as
/// a subquery, unless it comes first and has no alias, or is of one table.
fn from_references(from: &ast::From, name: &ast::Name) -> (usize, usize) {
    let references = std::iter::once(&from.first).chain(from.joins.iter().map(|join| &join.table));
    let (mut named, mut tables) = (0, 0);
    for (place, reference) in references.enumerate() {
        let (inner_named, inner_tables) = match &reference.kind {
            ast::TableReferenceKind::Table(table) => (usize::from(is_named(table, name)), 1),
            ast::TableReferenceKind::Join(inner) => {
                let (inner_named, inner_tables) = from_references(inner, name);
                let is_flat = inner_tables == 1 || place == 0 && reference.alias.is_none();
                if is_flat { (inner_named, inner_tables) } else { (0, 1) }
            }
            ast::TableReferenceKind::Subquery(_) | ast::TableReferenceKind::Function(_) => (0, 1),
        };
        named += inner_named;
        tables += inner_tables;
    }
    (named, tables)
}

/// Whether a table in FROM is the common table `name`.
pub(super) fn is_named(table: &ast::NamedTable, name: &ast::Name) -> bool {
    table.name.schema.is_none()
        && table.name.branch.is_none()
        && table.as_of.is_none()
        && table.name.name == *name
}

impl Binder<'_> {
    /// A recursive part, which neither groups nor looks at other rows.
    pub(super) fn recursive_part(&mut self, core: &ast::SelectCore) -> Result<Block> {
        let mut block = self.core_parts(core)?;
        if let Some(Later::Query(parts)) = &block.later {
            let grouping = &parts.grouping;
            if !grouping.windows.is_empty() {
                let message = "cannot use window functions in recursive queries";
                return Err(Error::invalid(message));
            }
            if !grouping.keys.is_empty() || !grouping.calls.is_empty() {
                return Err(Error::invalid("recursive aggregate queries not supported"));
            }
        }
        if let Some(later) = block.later.take() {
            (block.root, block.outputs, block.rows) = later.finish(self)?;
        }
        Ok(block)
    }
}
