//! From a parsed `CREATE TABLE` to a [`Table`]: what its columns and constraints mean.
//!
//! The same code serves a table that is being created and one that is read from the catalog, so
//! that they cannot differ. Neighbours: `load` (from the catalog), `define` (new tables).

use pandodb_ds::record::{Collation, Value};

use super::table::{Check, Column, ColumnId, ForeignKey, Generated, PrimaryKey, Table, TableKind};
use super::{DatabaseIndex, IndexColumn, IndexOrigin, IndexPart, ObjectId};
use crate::ast::{
    self, ColumnConstraintKind, ConflictAction, ExpressionKind, Literal, TableConstraintKind,
};
use crate::error::{Error, ErrorKind, Result};
use crate::store::TreeId;
use crate::types::{Affinity, Datum, StrictType, apply_affinity};

/// An index that a constraint asks for.
#[derive(Debug)]
pub struct ImpliedIndex {
    /// What it is ordered by.
    pub columns: Vec<IndexColumn>,
    /// What a duplicate does.
    pub conflict: Option<ConflictAction>,
    /// Which constraint.
    pub origin: IndexOrigin,
}

/// Finds collations by name.
pub type FindCollation<'a> = &'a dyn Fn(&str) -> Option<Collation>;

/// Builds a table from its definition; numbers are those of a new table until the caller
/// replaces them. `sql` is the text that the spans mean.
pub fn build_table(
    definition: &ast::CreateTable,
    body: &ast::TableDefinition,
    sql: &str,
    collations: FindCollation<'_>,
) -> Result<(Table, Vec<ImpliedIndex>)> {
    let mut builder = Builder {
        table: Table {
            id: ObjectId(0),
            database: DatabaseIndex::MAIN,
            name: definition.name.name.text.clone(),
            tree: TreeId(0),
            columns: Vec::new(),
            stored_columns: 0,
            kind: TableKind::Rowid { alias: None, autoincrement: false },
            primary_key: None,
            strict: body.strict,
            counts_alone: body.counts_alone,
            indexes: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            sql: Box::from(sql),
        },
        implied: Vec::new(),
        sql,
        collations,
        autoincrement: false,
        has_primary_key: false,
        without_rowid: body.without_rowid,
    };
    for column in &body.columns {
        builder.column(column)?;
    }
    for (index, column) in body.columns.iter().enumerate() {
        builder.column_constraints(index, column)?;
    }
    for constraint in &body.constraints {
        builder.table_constraint(constraint)?;
    }
    builder.finish()
}

struct Builder<'a> {
    table: Table,
    implied: Vec<ImpliedIndex>,
    sql: &'a str,
    collations: FindCollation<'a>,
    autoincrement: bool,
    has_primary_key: bool,
    without_rowid: bool,
}

impl Builder<'_> {
    fn column(&mut self, definition: &ast::ColumnDefinition) -> Result<()> {
        let name = &definition.name;
        if self.table.column_index(&name.text).is_some() {
            let message = format!("duplicate column name: {}", name.text);
            return Err(Error::new(ErrorKind::Exists, message).at(name.span));
        }
        let declared = definition.type_name.as_ref().map_or_else(Box::default, declared_type);
        let strict_type = self.strict_type(&name.text, &declared)?;
        let position = self.table.columns.len();
        let affinity = match strict_type {
            Some(strict) => strict.affinity(),
            None => Affinity::of_type(&declared),
        };
        self.table.columns.push(Column {
            id: ColumnId(position as u64),
            name: name.text.clone(),
            position,
            declared_type: declared,
            affinity,
            strict_type,
            collation: Collation::Binary,
            not_null: None,
            default: None,
            default_text: None,
            missing: Value::Null,
            generated: None,
            hidden: false,
        });
        // Collations first: constraints before them in the text mean them, too.
        for constraint in &definition.constraints {
            if let ColumnConstraintKind::Collate(name) = &constraint.kind {
                let collation = find_collation(self.collations, name)?;
                self.table.columns[position].collation = collation;
            }
        }
        Ok(())
    }

    fn strict_type(&self, name: &str, declared: &str) -> Result<Option<StrictType>> {
        if !self.table.strict {
            return Ok(None);
        }
        let table = &self.table.name;
        if declared.is_empty() {
            return Err(Error::invalid(format!("missing datatype for {table}.{name}")));
        }
        if let Some(strict) = StrictType::from_name(declared) {
            Ok(Some(strict))
        } else {
            let message = format!("unknown datatype for {table}.{name}: \"{declared}\"");
            Err(Error::invalid(message).with_hint("INT, INTEGER, REAL, TEXT, BLOB or ANY"))
        }
    }

    fn column_constraints(
        &mut self,
        index: usize,
        definition: &ast::ColumnDefinition,
    ) -> Result<()> {
        let mut name: Option<&ast::Name> = None;
        for constraint in &definition.constraints {
            name = constraint.name.as_ref().or(name);
            match &constraint.kind {
                ColumnConstraintKind::Empty => continue,
                ColumnConstraintKind::Null(_) | ColumnConstraintKind::Collate(_) => {}
                ColumnConstraintKind::NotNull(conflict) => {
                    self.table.columns[index].not_null = Some(*conflict);
                }
                ColumnConstraintKind::PrimaryKey { order, conflict, autoincrement } => {
                    let descending = *order == Some(ast::SortOrder::Descending);
                    let key = vec![self.key_column(index, descending)];
                    self.primary_key(key, *conflict, *autoincrement, descending)?;
                }
                ColumnConstraintKind::Unique(conflict) => {
                    let columns = vec![self.key_column(index, false)];
                    self.imply(columns, *conflict, IndexOrigin::Unique);
                }
                ColumnConstraintKind::Check(expression) => {
                    self.check(constraint.name.as_ref().or(name), expression, None);
                }
                ColumnConstraintKind::Default(expression) => self.default(index, expression),
                ColumnConstraintKind::References(target) => {
                    self.foreign_key(constraint.name.as_ref(), vec![index], target, None)?;
                }
                ColumnConstraintKind::Deferrable(deferrable) => {
                    if let Some(key) = self.table.foreign_keys.last_mut() {
                        key.deferred = is_deferred(Some(*deferrable));
                    }
                }
                ColumnConstraintKind::Generated { expression, storage } => {
                    let stored = *storage == Some(ast::GeneratedStorage::Stored);
                    let expression = expression.clone();
                    self.table.columns[index].generated = Some(Generated { expression, stored });
                }
            }
            name = None;
        }
        Ok(())
    }

    fn default(&mut self, index: usize, expression: &ast::Expression) {
        let text = expression.span.of(self.sql).trim();
        let column = &mut self.table.columns[index];
        column.default_text = Some(Box::from(without_parentheses(text)));
        if let Some(value) = constant(expression) {
            let value = match spelled_real(expression, self.sql) {
                Some(spelling) if column.affinity == Affinity::Text => Value::text(spelling),
                _ => value,
            };
            column.missing = apply_affinity(Datum::from(value), column.affinity).into_value();
        }
        column.default = Some(expression.clone());
    }

    fn check(
        &mut self,
        name: Option<&ast::Name>,
        expression: &ast::Expression,
        conflict: Option<ConflictAction>,
    ) {
        let text = without_parentheses(expression.span.of(self.sql).trim());
        self.table.checks.push(Check {
            name: name.map(|name| name.text.clone()),
            expression: expression.clone(),
            text: Box::from(text),
            conflict,
        });
    }

    fn key_column(&self, index: usize, descending: bool) -> IndexColumn {
        let column = &self.table.columns[index];
        IndexColumn {
            part: IndexPart::Column(index, column.id),
            collation: column.collation,
            descending,
            affinity: column.affinity,
        }
    }

    fn primary_key(
        &mut self,
        columns: Vec<IndexColumn>,
        conflict: Option<ConflictAction>,
        autoincrement: bool,
        column_descending: bool,
    ) -> Result<()> {
        if self.has_primary_key {
            let message = format!("table \"{}\" has more than one primary key", self.table.name);
            return Err(Error::invalid(message));
        }
        self.has_primary_key = true;
        self.autoincrement = autoincrement;
        for column in &columns {
            let index = column.column().unwrap_or_default();
            if self.table.columns[index].generated.is_some() {
                return Err(Error::invalid("generated columns cannot be part of the PRIMARY KEY"));
            }
        }
        let alias = match columns.as_slice() {
            [column] if !column_descending && !self.without_rowid => {
                column.column().filter(|&index| {
                    self.table.columns[index].declared_type.eq_ignore_ascii_case("INTEGER")
                })
            }
            _ => None,
        };
        if alias.is_some() {
            self.table.kind = TableKind::Rowid { alias, autoincrement };
        } else if autoincrement {
            let message = "AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY";
            return Err(Error::invalid(message));
        }
        let place = self.implied.len();
        if alias.is_none() && !self.without_rowid {
            self.imply(columns.clone(), conflict, IndexOrigin::PrimaryKey);
        }
        self.table.primary_key = Some(PrimaryKey { columns, conflict, place });
        Ok(())
    }

    /// An index for a constraint, unless one before it is the same.
    fn imply(
        &mut self,
        columns: Vec<IndexColumn>,
        conflict: Option<ConflictAction>,
        origin: IndexOrigin,
    ) {
        let same = |known: &ImpliedIndex| {
            known.columns.len() == columns.len()
                && known.columns.iter().zip(&columns).all(|(left, right)| {
                    left.column() == right.column() && left.collation == right.collation
                })
        };
        if let Some(known) = self.implied.iter_mut().find(|known| same(known)) {
            known.conflict = known.conflict.or(conflict);
            if origin == IndexOrigin::PrimaryKey {
                known.origin = origin;
            }
            return;
        }
        self.implied.push(ImpliedIndex { columns, conflict, origin });
    }

    fn table_constraint(&mut self, constraint: &ast::TableConstraint) -> Result<()> {
        match &constraint.kind {
            TableConstraintKind::Empty => {}
            TableConstraintKind::PrimaryKey { columns, autoincrement, conflict } => {
                let columns = self.key_columns(columns)?;
                self.primary_key(columns, *conflict, *autoincrement, false)?;
            }
            TableConstraintKind::Unique { columns, conflict } => {
                let columns = self.key_columns(columns)?;
                self.imply(columns, *conflict, IndexOrigin::Unique);
            }
            TableConstraintKind::Check(expression, conflict) => {
                self.check(constraint.name.as_ref(), expression, *conflict);
            }
            TableConstraintKind::ForeignKey { columns, target, deferrable } => {
                let mut indexes = Vec::with_capacity(columns.len());
                for column in columns {
                    let index = self.table.column_index(&column.text).ok_or_else(|| {
                        let message =
                            format!("unknown column \"{}\" in foreign key definition", column.text);
                        Error::new(ErrorKind::NotFound, message).at(column.span)
                    })?;
                    indexes.push(index);
                }
                self.foreign_key(constraint.name.as_ref(), indexes, target, *deferrable)?;
            }
        }
        Ok(())
    }

    fn key_columns(&self, terms: &[ast::OrderTerm]) -> Result<Vec<IndexColumn>> {
        let mut columns: Vec<IndexColumn> = Vec::with_capacity(terms.len());
        for term in terms {
            let (name, collation) = indexed_name(&term.expression).ok_or_else(|| {
                Error::invalid("expressions prohibited in PRIMARY KEY and UNIQUE constraints")
                    .at(term.expression.span)
            })?;
            let index = self.table.column_index(&name.text).ok_or_else(|| {
                let message =
                    format!("table {} has no column named {}", self.table.name, name.text);
                Error::new(ErrorKind::NotFound, message).at(name.span)
            })?;
            let descending = term.order == Some(ast::SortOrder::Descending);
            let mut column = self.key_column(index, descending);
            if let Some(collation) = collation {
                column.collation = find_collation(self.collations, collation)?;
            }
            columns.push(column);
        }
        Ok(columns)
    }

    fn foreign_key(
        &mut self,
        name: Option<&ast::Name>,
        columns: Vec<usize>,
        target: &ast::ForeignKeyTarget,
        deferrable: Option<ast::Deferrable>,
    ) -> Result<()> {
        if !target.columns.is_empty() && target.columns.len() != columns.len() {
            let message = if columns.len() == 1 {
                let column = &self.table.columns[columns[0]].name;
                let table = &target.table.text;
                format!("foreign key on {column} should reference only one column of table {table}")
            } else {
                "number of columns in foreign key does not match the number of columns in the \
                 referenced table"
                    .to_owned()
            };
            return Err(Error::invalid(message).at(target.table.span));
        }
        self.table.foreign_keys.push(ForeignKey {
            name: name.map(|name| name.text.clone()),
            columns,
            parent: target.table.text.clone(),
            parent_columns: target.columns.iter().map(|column| column.text.clone()).collect(),
            on_delete: target.on_delete.unwrap_or(ast::ForeignKeyAction::NoAction),
            on_update: target.on_update.unwrap_or(ast::ForeignKeyAction::NoAction),
            deferred: is_deferred(deferrable),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<(Table, Vec<ImpliedIndex>)> {
        if self.table.columns.iter().all(|column| column.generated.is_some()) {
            return Err(Error::invalid("must have at least one non-generated column"));
        }
        if self.table.counts_alone && !self.table.is_autoincrement() {
            let message =
                format!("AUTOINCREMENT PER BRANCH on table {} without a counter", self.table.name);
            return Err(Error::invalid(message)
                .with_hint("declare a column as INTEGER PRIMARY KEY AUTOINCREMENT"));
        }
        if self.without_rowid {
            let Some(key) = &mut self.table.primary_key else {
                let message = format!("PRIMARY KEY missing on table {}", self.table.name);
                return Err(Error::invalid(message));
            };
            // A column that comes again says nothing, unless it compares otherwise.
            let mut seen = Vec::new();
            key.columns.retain(|column| {
                let part = (column.column().unwrap_or_default(), column.collation);
                let is_new = !seen.contains(&part);
                seen.push(part);
                is_new
            });
            if key.columns.iter().any(IndexColumn::is_custom) {
                let message = format!(
                    "the PRIMARY KEY of table {}, which is WITHOUT ROWID, has a collation of the \
                     application",
                    self.table.name
                );
                return Err(Error::invalid(message).with_hint(
                    "give the key COLLATE BINARY, NOCASE or RTRIM, or the table rowids",
                ));
            }
            for (index, _) in seen {
                self.table.columns[index].not_null.get_or_insert(None);
            }
            self.table.kind = TableKind::WithoutRowid;
        } else if self.table.strict
            && let (Some(key), None) = (&self.table.primary_key, self.table.rowid_alias())
        {
            let indexes: Vec<usize> = key.columns.iter().filter_map(IndexColumn::column).collect();
            for index in indexes {
                self.table.columns[index].not_null.get_or_insert(None);
            }
        }
        self.table.stored_columns = self.table.columns.len();
        Ok((self.table, self.implied))
    }
}

/// A real as it is written: what rows that are older than a TEXT column hold in it.
fn spelled_real(expression: &ast::Expression, sql: &str) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Literal(ast::Literal::Real(_)) => {
            Some(expression.span.of(sql).trim_matches(['(', ')', ' ']).to_owned())
        }
        ExpressionKind::Unary(ast::UnaryOperator::Plus, operand) => spelled_real(operand, sql),
        ExpressionKind::Unary(ast::UnaryOperator::Negate, operand) => {
            spelled_real(operand, sql).map(|text| format!("-{text}"))
        }
        _ => None,
    }
}

/// The collation called `name`.
pub fn find_collation(collations: FindCollation<'_>, name: &ast::Name) -> Result<Collation> {
    collations(&name.text)
        .ok_or_else(|| Error::not_found("collation sequence", &name.text).at(name.span))
}

/// The column that an index term names, with its COLLATE.
pub fn indexed_name(expression: &ast::Expression) -> Option<(&ast::Name, Option<&ast::Name>)> {
    match &expression.kind {
        ExpressionKind::Column(column) if column.table.is_none() => Some((&column.column, None)),
        ExpressionKind::Collate(collate) => {
            indexed_name(&collate.operand).map(|(name, _)| (name, Some(&collate.collation)))
        }
        _ => None,
    }
}

/// The value of a literal, with signs.
pub fn constant(expression: &ast::Expression) -> Option<Value> {
    match &expression.kind {
        ExpressionKind::Literal(literal) => literal_value(literal),
        ExpressionKind::Unary(ast::UnaryOperator::Negate, operand) => {
            constant(operand).map(|value| crate::function::operators::negate(value.as_ref()))
        }
        ExpressionKind::Unary(ast::UnaryOperator::Plus, operand) => constant(operand),
        ExpressionKind::Column(column) if column.table.is_none() => {
            let name = &column.column;
            match name.quote {
                ast::Quote::None if name.is("true") => Some(Value::Integer(1)),
                ast::Quote::None if name.is("false") => Some(Value::Integer(0)),
                ast::Quote::None if name.is("null") => Some(Value::Null),
                _ => Some(Value::text(&*name.text)),
            }
        }
        _ => None,
    }
}

/// The value of a literal; none for those that the clock decides.
pub fn literal_value(literal: &Literal) -> Option<Value> {
    Some(match literal {
        Literal::Null => Value::Null,
        Literal::Integer(value) => Value::Integer(*value),
        Literal::Real(value) => Value::real(*value),
        Literal::Text(text) => Value::text(&**text),
        Literal::Blob(bytes) => Value::blob(bytes),
        Literal::CurrentDate | Literal::CurrentTime | Literal::CurrentTimestamp => return None,
    })
}

/// A declared type as SQLite shows it.
fn declared_type(type_name: &ast::TypeName) -> Box<str> {
    let mut text = type_name.name.to_string();
    if !type_name.arguments.is_empty() {
        text.push('(');
        text.push_str(&type_name.arguments.join(","));
        text.push(')');
    }
    text.into_boxed_str()
}

fn is_deferred(deferrable: Option<ast::Deferrable>) -> bool {
    deferrable
        .is_some_and(|deferrable| !deferrable.not && deferrable.initially_deferred == Some(true))
}

/// `(text)` without its parentheses, if they belong together.
fn without_parentheses(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else {
        return text;
    };
    let (mut depth, mut quote) = (0_i32, None);
    for character in inner.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth < 0 {
                    return text;
                }
            }
            _ => {}
        }
    }
    inner.trim()
}
