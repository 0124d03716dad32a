//! Names: which tables and columns an expression can see, and how it finds them.
//!
//! SQLite's rules: columns of FROM before aliases of the result, inner blocks before outer ones;
//! a name in double quotes that fits nothing is a text; `rowid` and its kin mean the rowid where
//! no column has that name. Aliases can be seen everywhere but in the result itself (and in
//! subqueries of FROM): all columns of a result are read at once. Neighbours: `from` fills
//! scopes, `expression` asks.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::Binder;
use super::group::Grouping;
use crate::ast::{ColumnReference, Expression, Name, Quote};
use crate::catalog::{DatabaseIndex, Table, View, is_schema_table_name};
use crate::error::{Error, ErrorKind, Result};
use crate::scalar::{ColumnPlace, JsonSign, Scalar, SlotId};

/// What one query block's expressions can see of it.
#[derive(Debug, Default)]
pub struct NameScope {
    /// The frame that the block is in.
    pub frame: usize,
    /// What FROM brought.
    pub tables: Vec<ScopeTable>,
    /// Aliases of results, as they were written; none while the result itself is bound.
    pub aliases: Vec<(Name, Expression)>,
    /// Aggregates and windows that were met.
    pub(crate) grouping: Grouping,
    /// How many common tables a query block sees.
    pub(crate) common: Option<usize>,
    /// How JSON comes out of blocks that were computed into slots.
    pub(crate) ways: Vec<super::from::signs::JsonWay>,
    /// A query that dissolved into FROM reads several tables.
    pub(crate) has_join_inside: bool,
    /// FROM has a RIGHT or FULL JOIN.
    pub(crate) has_right_join: bool,
    /// What is bound stands in parentheses inside of FROM.
    pub(crate) in_parentheses: bool,
    /// Columns that a star shows before the others of their table, by the places of both: those
    /// that a join in parentheses made one with the next table's.
    pub(crate) shown_first: Vec<(usize, usize)>,
}

/// A table, as FROM brought it.
#[derive(Debug)]
pub struct ScopeTable {
    /// What the statement calls it.
    pub alias: Box<str>,
    /// What may stand before that name; none, too, of a view and a function, which know it.
    pub(crate) database: Option<Qualifier>,
    /// The table that it is.
    pub table: Option<Arc<Table>>,
    /// Its columns.
    pub columns: Vec<ScopeColumn>,
    /// Its rowid.
    pub rowid: Option<Scalar>,
    /// Slots that it fills.
    pub slots: Vec<SlotId>,
    /// The view that it is.
    pub(crate) view: Option<Arc<View>>,
    /// The function whose rows it is.
    pub(crate) function: Option<Box<str>>,
    /// What the application's authorizer was asked of it.
    pub(crate) asked: Asked,
}

/// A database that may stand before what a table is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Qualifier {
    /// The table's.
    pub(crate) database: DatabaseIndex,
    /// Whether the table is called by its own name.
    pub(crate) is_own_name: bool,
}

/// How a scope calls a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    /// By its own name.
    Name,
    /// By another one of the statement's.
    Alias,
    /// As a row: NEW, OLD, EXCLUDED, or what is returned. No database may stand before that.
    Row,
}

impl Called {
    /// By the alias, if there is one.
    pub(crate) fn by(alias: Option<&Name>) -> Self {
        if alias.is_some() { Self::Alias } else { Self::Name }
    }
}

/// What the application's authorizer was asked of a table in FROM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nothing so far.
    #[default]
    Nothing,
    /// A column.
    Column,
    /// Nothing, and nothing will be: its values are the statement's own.
    Never,
}

/// A column that can be named.
#[derive(Clone, Debug)]
pub struct ScopeColumn {
    /// Its name.
    pub name: Box<str>,
    /// How it is read, in the scope's frame.
    pub scalar: Scalar,
    /// Not part of `*`.
    pub hidden: bool,
    /// USING or NATURAL made it one with a column to the left: only found by its table's name.
    pub merged: bool,
    /// What the merged column reads without a table's name, where that differs.
    pub common: Option<Scalar>,
    /// What joins compare, where it was made one with others inside of parentheses.
    pub paired: Option<Scalar>,
    /// The declared type, if it is a table's column.
    pub declared_type: Option<Box<str>>,
}

/// What a name means.
pub(super) enum Found {
    /// Its value, and its table and column in the scope; no column where it is the rowid.
    Scalar(Scalar, (usize, Option<usize>)),
    /// An alias of the result.
    Alias(Expression),
}

impl Binder<'_> {
    /// What a column reference means.
    pub(crate) fn column(&mut self, reference: &ColumnReference) -> Result<Scalar> {
        if let (Some(place @ ("generated columns" | "index expressions")), Some(_)) =
            (self.restricted, &reference.table)
        {
            let message = format!("the \".\" operator prohibited in {place}");
            return Err(Error::invalid(message).at(reference.column.span));
        }
        let schema = match &reference.schema {
            Some(name) => match self.database(name) {
                Ok(database) => Some(database),
                Err(_) => return self.unknown_column(reference),
            },
            None => None,
        };
        for index in (0..self.scopes.len()).rev() {
            match self.find_in(index, schema, reference)? {
                Some(Found::Scalar(scalar, place)) => {
                    if let (table, Some(column)) = place {
                        self.note_reference((index, table, column), reference);
                    }
                    if !self.may_read((index, place.0, place.1))? {
                        return Ok(Scalar::NULL);
                    }
                    if self.aggregate_scope.is_some_and(|scope| index <= scope) {
                        self.aggregate_reads = self.aggregate_reads.max(Some(index));
                    }
                    return Ok(self.lift_from(index, scalar));
                }
                Some(Found::Alias(expression)) => {
                    let around = self.alias.replace(reference.column.text.clone());
                    let bound = self.without_aliases(index, |binder| {
                        if index + 1 == binder.scopes.len() {
                            binder.expression(&expression)
                        } else {
                            binder.outer_alias(index, &expression)
                        }
                    });
                    self.alias = around;
                    return bound;
                }
                None => {}
            }
        }
        self.unknown_column(reference)
    }

    /// Binds what stands in the result of scope `index`, where its aliases cannot be seen.
    pub(super) fn without_aliases<T>(
        &mut self,
        index: usize,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let hidden = self.scopes.get_mut(index).map(|scope| std::mem::take(&mut scope.aliases));
        let bound = bind(self);
        if let (Some(scope), Some(aliases)) = (self.scopes.get_mut(index), hidden) {
            scope.aliases = aliases;
        }
        bound
    }

    /// An alias of a block further out: bound anew where it is named, over the names of its block.
    fn outer_alias(&mut self, index: usize, expression: &Expression) -> Result<Scalar> {
        let inner = self.scopes.split_off(index + 1);
        let seen = self.scopes[index].common.unwrap_or(self.common.len()).min(self.common.len());
        let common = self.common.split_off(seen);
        // Columns of subqueries in it are nothing to an aggregate that it is an argument of.
        let around = self.aggregate_scope;
        self.aggregate_scope = around.map(|scope| scope.min(index));
        let bound = self.expression(expression);
        self.aggregate_scope = around;
        self.common.extend(common);
        self.scopes.extend(inner);
        bound
    }

    /// Binds in the frame of scope `index`, as if the blocks inside of it were not there.
    pub(super) fn in_block<T>(&mut self, index: usize, bind: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.scopes.split_off(index + 1);
        let frames = self.frames.split_off(self.scopes[index].frame + 1);
        let bound = bind(self);
        self.frames.extend(frames);
        self.scopes.extend(inner);
        bound
    }

    /// Whether a table is what `schema.called` means.
    pub(super) fn answers_to(
        &self,
        table: &ScopeTable,
        schema: Option<DatabaseIndex>,
        called: &str,
    ) -> bool {
        let database = || match (table.database, &table.view, &table.function) {
            (Some(qualifier), ..) => Some(qualifier.database),
            (None, Some(view), _) => Some(self.base_of(view.database)),
            (None, None, Some(_)) => Some(DatabaseIndex::MAIN),
            (None, None, None) => None,
        };
        let is_called = match (&table.table, table.database) {
            (Some(known), Some(qualifier)) if known.is_system() && qualifier.is_own_name => {
                is_schema_table_name(called, qualifier.database, schema.is_some())
            }
            _ => table.alias.eq_ignore_ascii_case(called),
        };
        is_called && schema.is_none_or(|schema| database() == Some(schema))
    }

    /// Whether what stands before a column's name means a table.
    pub(crate) fn is_of(&self, table: &ScopeTable, reference: &ColumnReference) -> bool {
        let Some(called) = &reference.table else { return true };
        let schema = reference.schema.as_ref().map(|name| self.database(name));
        match schema.transpose() {
            Ok(schema) => self.answers_to(table, schema, &called.text),
            Err(_) => false,
        }
    }

    pub(super) fn find_in(
        &self,
        index: usize,
        schema: Option<DatabaseIndex>,
        reference: &ColumnReference,
    ) -> Result<Option<Found>> {
        let scope = &self.scopes[index];
        let name = &reference.column;
        let mut found: Option<(&Scalar, (usize, Option<usize>))> = None;
        let mut count = 0;
        for (table_place, table) in scope.tables.iter().enumerate() {
            if let Some(wanted) = &reference.table
                && !self.answers_to(table, schema, &wanted.text)
            {
                continue;
            }
            for (column_place, column) in table.columns.iter().enumerate() {
                if !name.is(&column.name) || (reference.table.is_none() && column.merged) {
                    continue;
                }
                // Of tables of one name the column that USING makes of both.
                if column.merged
                    && let Some((scalar, (table, Some(column)))) = &mut found
                {
                    let known = &scope.tables[*table].columns[*column];
                    *scalar = known.common.as_ref().unwrap_or(*scalar);
                    break;
                }
                count += 1;
                if found.is_none() {
                    let scalar = match (&reference.table, &column.common) {
                        (None, Some(common)) => common,
                        _ => &column.scalar,
                    };
                    found = Some((scalar, (table_place, Some(column_place))));
                }
                break;
            }
        }
        if count > 1 {
            return Err(ambiguous(reference));
        }
        if let Some((scalar, place)) = found {
            return Ok(Some(Found::Scalar(scalar.clone(), place)));
        }
        if is_rowid_name(&name.text) {
            let mut rowids = scope.tables.iter().enumerate().filter(|(_, table)| {
                table.rowid.is_some()
                    && reference
                        .table
                        .as_ref()
                        .is_none_or(|wanted| self.answers_to(table, schema, &wanted.text))
            });
            if let Some((place, table)) = rowids.next() {
                if rowids.next().is_some() {
                    return Err(ambiguous(reference));
                }
                return Ok(table.rowid.clone().map(|rowid| Found::Scalar(rowid, (place, None))));
            }
        }
        if reference.table.is_none() {
            let alias = scope.aliases.iter().find(|(alias, _)| alias == name);
            return Ok(alias.map(|(_, expression)| Found::Alias(expression.clone())));
        }
        Ok(None)
    }

    /// A scalar of scope `index`, as the current frame reads it.
    fn lift_from(&mut self, index: usize, scalar: Scalar) -> Scalar {
        let frame = self.scopes[index].frame;
        self.lift(scalar, frame)
    }

    /// A scalar of frame `frame`, as the current frame reads it; call memories are new ones.
    pub(crate) fn lift(&mut self, mut scalar: Scalar, frame: usize) -> Scalar {
        let depth = (self.frame_index() - frame) as u8;
        let mut places: Vec<ColumnPlace> = Vec::new();
        scalar.rewrite(&mut |node| match node {
            Scalar::Column(place) => {
                places.push(*place);
                if let Some(column) = place.json.column() {
                    places.push(ColumnPlace { column, json: JsonSign::None, ..*place });
                }
                place.depth += depth;
            }
            Scalar::Call(call) => {
                call.cache = self.cache();
            }
            _ => {}
        });
        for place in places {
            self.note_outer(place, frame);
        }
        scalar
    }

    /// Notes that the current frame reads `place` of frame `frame`.
    fn note_outer(&mut self, place: ColumnPlace, frame: usize) {
        let current = self.frame_index();
        for between in frame + 1..=current {
            let mut seen = place;
            seen.depth += (between - 1 - frame) as u8;
            let outer = &mut self.frames[between].outer;
            if !outer.contains(&seen) {
                outer.push(seen);
            }
        }
    }

    /// No column has that name: a text in double quotes, TRUE or FALSE, or an error.
    fn unknown_column(&self, reference: &ColumnReference) -> Result<Scalar> {
        let name = &reference.column;
        if reference.table.is_none() {
            match name.quote {
                Quote::Double if self.environment.double_quoted_strings => {
                    return Ok(Scalar::Literal(Value::text(&*name.text)));
                }
                Quote::Single => return Ok(Scalar::Literal(Value::text(&*name.text))),
                Quote::None if name.is("true") => return Ok(Scalar::integer(1)),
                Quote::None if name.is("false") => return Ok(Scalar::integer(0)),
                _ => {}
            }
        }
        let error = Error::not_found("column", full_name(reference)).at(name.span);
        Err(match self.nearest_column(&name.text) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error,
        })
    }

    /// The column in sight whose name differs least.
    fn nearest_column(&self, name: &str) -> Option<Box<str>> {
        let tables = self.scopes.iter().flat_map(|scope| &scope.tables);
        let columns = tables.flat_map(|table| &table.columns).filter(|column| !column.hidden);
        crate::suggest::nearest(name, columns.map(|column| &*column.name)).map(Box::from)
    }
}

/// Whether `name` means the rowid where no column is called so.
pub(crate) fn is_rowid_name(name: &str) -> bool {
    ["rowid", "_rowid_", "oid"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn full_name(reference: &ColumnReference) -> String {
    let mut text = String::new();
    for name in [&reference.schema, &reference.table].into_iter().flatten() {
        text.push_str(&name.text);
        text.push('.');
    }
    text.push_str(&reference.column.text);
    text
}

#[cold]
fn ambiguous(reference: &ColumnReference) -> Error {
    let message = format!("ambiguous column name: {}", full_name(reference));
    Error::new(ErrorKind::Ambiguous, message).at(reference.column.span)
}
