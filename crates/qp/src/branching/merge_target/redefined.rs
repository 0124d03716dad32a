//! A table by a definition of somebody's own: of a part of it, or of all.
//!
//! The text of the merged table is taken apart, gets the new parts, and is read as that of any new
//! table is. Columns keep their lasting numbers and their places in stored rows; new ones get
//! both. Indexes of constraints that are others now are made anew. What rows are found by cannot
//! change, since rows of both sides are matched by it. Neighbours: `defined` calls this,
//! `definitions` wrote the table before.

use pandodb_branch::diff::schema::describe_table;
use pandodb_branch::merge::{Defined, Definition, MergedTable, SchemaPart, Scope};
use pandodb_branch::shape::{ColumnShape, KeyShape, TableShape};
use pandodb_ds::sync::Arc;

use super::SqlTarget;
use super::definitions::definition;
use crate::ast::{
    ColumnConstraint, ColumnConstraintKind, ColumnDefinition, CreateTable, CreateTableBody,
    Statement, StatementKind, TableDefinition,
};
use crate::branching::merge::definition as read;
use crate::branching::shape::shape_of;
use crate::catalog::build::{ImpliedIndex, build_table};
use crate::catalog::{
    ColumnId, IndexOrigin, ObjectId, ObjectKind, ObjectRow, Table, Twins, delete_object,
    implied_index_name, write_object,
};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::modify::check_table;

/// Indexes of constraints that were replaced.
#[derive(Default)]
pub(super) struct Replaced {
    pub(super) gone: Vec<ObjectRow>,
    pub(super) new: Vec<ObjectRow>,
}

/// A definition at work.
struct Redefinition {
    create: CreateTable,
    body: TableDefinition,
    columns: Vec<(ColumnId, usize)>,
    stored_columns: usize,
}

impl SqlTarget<'_> {
    /// Gives a table what somebody said about its parts; returns what it looks like then. After an
    /// error the catalog is as it was.
    pub(super) fn redefine(&mut self, merged: &MergedTable, own: &[Defined]) -> Result<TableShape> {
        let id = ObjectId(merged.shape.id.0);
        let before = self.objects()?;
        let row = before.iter().find(|row| row.id == id).cloned();
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::Internal, "a table that is defined is not in the catalog")
        })?;
        let (row, implied) = self.redefined(&row, merged, own)?;
        let replaced = self.replace_table(&row, &implied)?;
        let looked = self.reload().and_then(|()| self.look_at(merged, &row));
        if looked.is_err() {
            {
                let mut transaction = self.transaction()?.borrow_mut();
                let new = replaced.new.iter();
                new.map(|part| part.id).try_for_each(|id| delete_object(&mut transaction, id))?;
                let old = before.iter().filter(|part| part.id == id).chain(&replaced.gone);
                old.cloned().try_for_each(|part| write_object(&mut transaction, &part))?;
            }
            self.reload()?;
            return looked;
        }
        self.drop_trees(&replaced.gone)?;
        if merged.ours.is_some() {
            self.unfilled.extend(replaced.new.iter().map(|part| part.id));
        }
        if let Ok(shape) = &looked {
            self.note_stale_indexes(merged.ours.as_ref(), shape)?;
        }
        looked
    }

    /// Writes the row of a table, and gives it the indexes that its constraints ask for, if it has
    /// others; their trees are empty then, and those of the others still there.
    pub(super) fn replace_table(
        &self,
        row: &ObjectRow,
        implied: &[ImpliedIndex],
    ) -> Result<Replaced> {
        let mut replaced = Replaced::default();
        let objects = self.objects()?;
        if !self.has_same_implied(row, implied)? {
            replaced.new = self.new_implied(&objects, row, implied)?;
            replaced.gone = objects.into_iter().filter(|part| is_implied(part, row)).collect();
        }
        let mut transaction = self.transaction()?.borrow_mut();
        let gone = replaced.gone.iter();
        gone.map(|part| part.id).try_for_each(|id| delete_object(&mut transaction, id))?;
        replaced.new.iter().try_for_each(|part| write_object(&mut transaction, part))?;
        write_object(&mut transaction, row)?;
        Ok(replaced)
    }

    pub(super) fn drop_trees(&self, gone: &[ObjectRow]) -> Result<()> {
        let mut transaction = self.transaction()?.borrow_mut();
        gone.iter().try_for_each(|part| transaction.drop_tree(part.tree))
    }

    /// What a definition means.
    pub(super) fn built(
        &self,
        create: &CreateTable,
        sql: &str,
    ) -> Result<(Table, Vec<ImpliedIndex>)> {
        let body = body_of(create)?;
        self.session.with_collations(|find| build_table(create, &body, sql, find))
    }

    /// Notes that the indexes of a table have to be filled again once all rows are there, because
    /// the target's entries are not those that its rows have by the merged columns.
    pub(super) fn note_stale_indexes(
        &mut self,
        ours: Option<&TableShape>,
        merged: &TableShape,
    ) -> Result<()> {
        let is_another = |before: &ColumnShape| {
            merged.column(before.id).is_some_and(|now| {
                now.collation != before.collation || now.generated != before.generated
            })
        };
        if !ours.is_some_and(|ours| ours.columns.iter().any(is_another)) {
            return Ok(());
        }
        let schema = Arc::clone(self.main_schema()?);
        let table = schema.tables.values().find(|table| table.id.0 == merged.id.0);
        for index in table.into_iter().flat_map(|table| &table.indexes) {
            if !self.unfilled.contains(&index.id) {
                self.unfilled.push(index.id);
            }
        }
        Ok(())
    }

    /// The row of the table with its new text, and the indexes that its constraints ask for.
    fn redefined(
        &self,
        row: &ObjectRow,
        merged: &MergedTable,
        own: &[Defined],
    ) -> Result<(ObjectRow, Vec<ImpliedIndex>)> {
        let create = definition(row.sql.as_deref().unwrap_or_default())?;
        let mut made = Redefinition {
            body: body_of(&create)?,
            create,
            columns: row.columns.clone(),
            stored_columns: row.stored_columns,
        };
        // The whole comes before its parts.
        let is_whole = |defined: &&Defined| part(defined) == Some(&SchemaPart::Whole);
        for defined in own.iter().filter(is_whole) {
            self.define_whole(&mut made, merged, &defined.definition)?;
        }
        for defined in own.iter().filter(|defined| !is_whole(defined)) {
            define_part(&mut made, defined)?;
        }
        made.create.body = CreateTableBody::Columns(made.body);
        let kind = StatementKind::CreateTable(Box::new(made.create));
        let sql = Statement { kind, span: crate::span::Span::default() }.to_string();
        // As it is read from the catalog later: what is written is what counts.
        let create = definition(&sql)?;
        let (table, implied) = self.built(&create, &sql)?;
        let most = self.session.limits().get(Limit::Column) as usize;
        if table.columns.len() > most {
            return Err(Error::invalid(format!("too many columns on {}", table.name)));
        }
        let table = Arc::new(table);
        self.session.with_environment(&self.schemas, &self.sources, |environment| {
            check_table(environment, &table)
        })?;
        let (columns, stored_columns) = (made.columns, made.stored_columns);
        let row = ObjectRow { sql: Some(sql.into()), columns, stored_columns, ..row.clone() };
        Ok((row, implied))
    }

    /// All of a table: columns are those of the sides that are called so.
    fn define_whole(
        &self,
        made: &mut Redefinition,
        merged: &MergedTable,
        given: &Definition,
    ) -> Result<()> {
        let create = definition(&given.text)?;
        let body = body_of(&create)?;
        let is_named = |name: &str| body.columns.iter().any(|column| column.name.is(name));
        let is_late = |column: &&ColumnShape| {
            let seen = given.seen.as_ref();
            seen.is_some_and(|seen| !seen.contains(&column.id)) && !is_named(&column.name)
        };
        if let Some(late) = merged.ours.iter().flat_map(|ours| &ours.columns).find(is_late) {
            let message = format!(
                "the target got the column {} since it was given: give it once more, with that \
                 column or without it",
                late.name
            );
            return Err(Error::invalid(message));
        }
        let mut columns = Vec::with_capacity(body.columns.len());
        for column in &body.columns {
            let known = merged.shape.column_named(&column.name.text);
            columns.push(if let Some(known) = known {
                (ColumnId(known.id.0), known.position)
            } else {
                made.stored_columns += 1;
                let random = self.transaction()?.borrow().random();
                (ColumnId(random >> 2), made.stored_columns - 1)
            });
        }
        made.columns = columns;
        made.body = body;
        Ok(())
    }

    /// Whether the indexes of the table's constraints stay as they are.
    fn has_same_implied(&self, row: &ObjectRow, implied: &[ImpliedIndex]) -> Result<bool> {
        let Some(table) = self.main_schema()?.table(&row.name) else { return Ok(false) };
        let id_of = |place: Option<usize>| place.and_then(|place| row.columns.get(place));
        let known = table.indexes.iter().filter(|index| index.origin != IndexOrigin::Created);
        let known = known.map(|index| {
            let columns = index.columns.iter().map(|column| {
                let place = column.column().and_then(|place| table.columns.get(place));
                (place.map(|it| it.id), column.collation, column.descending)
            });
            columns.collect::<Vec<_>>()
        });
        let wanted = implied.iter().map(|index| {
            let columns = index.columns.iter().map(|column| {
                let id = id_of(column.column()).map(|(id, _)| *id);
                (id, column.collation, column.descending)
            });
            columns.collect::<Vec<_>>()
        });
        Ok(known.eq(wanted))
    }

    /// The catalog's rows of new indexes for constraints, with trees that are empty.
    fn new_implied(
        &self,
        objects: &[ObjectRow],
        table: &ObjectRow,
        implied: &[ImpliedIndex],
    ) -> Result<Vec<ObjectRow>> {
        let greatest = objects.iter().map(|row| row.id.0).max().unwrap_or(0);
        let mut transaction = self.transaction()?.borrow_mut();
        let first = (((greatest >> 24) + 1) << 24) | (transaction.random() & 0xff_ffff);
        let mut rows = Vec::with_capacity(implied.len());
        for number in 1..=implied.len() {
            rows.push(ObjectRow {
                id: ObjectId(first + number as u64),
                kind: ObjectKind::Index,
                name: implied_index_name(&table.name, number).into(),
                table: table.name.clone(),
                tree: transaction.create_tree(false)?,
                sql: None,
                columns: Vec::new(),
                stored_columns: 0,
                twins: Twins::default(),
                subject: None,
            });
        }
        Ok(rows)
    }

    /// Looks at a table as it is in the catalog now, and refuses what its rows cannot follow.
    fn look_at(&self, merged: &MergedTable, row: &ObjectRow) -> Result<TableShape> {
        self.bind_table(&row.name)?;
        let shape = shape_of(self.main_schema()?);
        let shape = shape.tables.into_iter().find(|table| table.id == merged.shape.id);
        let shape = shape.ok_or_else(|| Error::not_found("table", &row.name))?;
        let table = self.main_schema()?.table(&row.name).cloned();
        table.map_or(Ok(()), |table| self.check_filled(merged, &table))?;
        let counts =
            |table: &TableShape| matches!(table.key, KeyShape::Rowid { autoincrement: true, .. });
        let mut may_count = false;
        for side in [&merged.ours, &merged.theirs].into_iter().flatten() {
            may_count |= counts(side);
            if !shape.has_key_of(side) || shape.primary_key != side.primary_key {
                return Err(Error::invalid(another_key(&shape, side)));
            }
            for column in shape.columns.iter().filter(|column| column.generated.is_none()) {
                if side.column(column.id).is_some_and(|known| known.generated.is_some()) {
                    let name = &column.name;
                    let message = format!("a branch computes the column {name}: so must it (AS)");
                    return Err(Error::invalid(message));
                }
            }
        }
        if counts(&shape) && !may_count {
            return Err(Error::invalid("no branch has an AUTOINCREMENT counter for the table"));
        }
        Ok(shape)
    }
}

/// Why a definition cannot be that of a table of a side, whose rows are found by another key.
fn another_key(defined: &TableShape, side: &TableShape) -> String {
    format!(
        "that is another primary key than the branches have ({}, not {}), and rows of both \
         branches are matched by it: keep it here, and change it on a branch or after the merge",
        describe_table(side),
        describe_table(defined)
    )
}

/// Whether a row of the catalog is that of an index of a table's constraint.
fn is_implied(part: &ObjectRow, table: &ObjectRow) -> bool {
    part.kind == ObjectKind::Index
        && part.sql.is_none()
        && part.table.eq_ignore_ascii_case(&table.name)
}

fn part(defined: &Defined) -> Option<&SchemaPart> {
    match &defined.conflict.key.scope {
        Scope::Schema(part) => Some(part),
        _ => None,
    }
}

fn body_of(create: &CreateTable) -> Result<TableDefinition> {
    match &create.body {
        CreateTableBody::Columns(body) => Ok(body.clone()),
        CreateTableBody::Select(_) => {
            Err(Error::invalid("the definition of a merged table lists its columns"))
        }
    }
}

/// Puts a part into a definition.
fn define_part(made: &mut Redefinition, defined: &Defined) -> Result<()> {
    let text = &defined.definition.text;
    match part(defined) {
        Some(SchemaPart::Column(id)) => {
            let place = made.columns.iter().position(|(known, _)| known.0 == id.0);
            let column = place.and_then(|place| made.body.columns.get_mut(place));
            let column =
                column.ok_or_else(|| Error::not_found("column", &defined.definition.name))?;
            *column = with_constraints_of(read::column(text)?, column);
        }
        Some(SchemaPart::Constraint(name)) => {
            made.body.constraints.push(read::constraint(text, name)?);
        }
        Some(SchemaPart::Options) => {
            let options = read::options(text)?;
            made.body.strict = options.strict;
            made.body.counts_alone = options.counts_alone;
        }
        _ => {}
    }
    Ok(())
}

/// A column with the keys and checks that stand at it on the branches: they are parts of their
/// own.
fn with_constraints_of(mut new: ColumnDefinition, old: &ColumnDefinition) -> ColumnDefinition {
    use ColumnConstraintKind as Kind;
    let is_own = |constraint: &&ColumnConstraint| {
        matches!(
            constraint.kind,
            Kind::PrimaryKey { .. }
                | Kind::Unique(_)
                | Kind::Check(_)
                | Kind::References(_)
                | Kind::Deferrable(_)
        )
    };
    let kept: Vec<ColumnConstraint> = old.constraints.iter().filter(is_own).cloned().collect();
    new.constraints.retain(|constraint| !kept.contains(constraint));
    new.constraints.extend(kept);
    new
}
