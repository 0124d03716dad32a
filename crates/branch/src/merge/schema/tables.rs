//! Tables and their columns, merged by the rules of `docs/merging.md`.
//!
//! The target's table is the ground that the source's changes are put on: its columns keep their
//! order and their places in stored rows, the source's new ones get places behind them, so that
//! no row is rewritten for a new column. Neighbours: `mod` holds what comes out.

use super::types::wider;
use super::{About, DroppedObject, MergedTable, Said, SchemaMerger, three_or_two};
use crate::diff::schema::{ObjectKind, describe_column, describe_table};
use crate::error::Result;
use crate::merge::cells::Side;
use crate::merge::conflict::SchemaPart;
use crate::shape::{ColumnShape, ConstraintShape, Shape, TableShape};

impl SchemaMerger<'_, '_> {
    pub(super) fn merge_tables(
        &mut self,
        base: &Shape,
        ours: &Shape,
        theirs: &Shape,
    ) -> Result<()> {
        for table in &ours.tables {
            let (before, other) = (base.table(table.id), theirs.table(table.id));
            match (before, other) {
                (None, None) if !self.has_unsettled(table.id) => self.keep(table, None),
                (before, None) => self.dropped_by_theirs(before, table, theirs)?,
                (None, Some(other)) => self.both_added(table, other),
                (Some(before), Some(other)) => self.merge_table(before, table, other),
            }
        }
        for table in &theirs.tables {
            if ours.table(table.id).is_some() {
                continue;
            }
            match base.table(table.id) {
                None if !self.has_unsettled(table.id) => self.take(table, None),
                before => self.dropped_by_ours(before, table, ours)?,
            }
        }
        Ok(())
    }

    /// A table that stays as the target has it.
    fn keep(&mut self, table: &TableShape, base: Option<&TableShape>) {
        self.merge.tables.push(MergedTable {
            shape: table.clone(),
            base: base.cloned(),
            ours: Some(table.clone()),
            theirs: None,
            is_changed: false,
            is_rebuilt: false,
            is_blocked: false,
        });
    }

    /// A table that comes from the source; `replaced` is what the target has in its place.
    fn take(&mut self, table: &TableShape, replaced: Option<&TableShape>) {
        let is_rebuilt = replaced.is_some();
        self.merge.tables.push(MergedTable {
            shape: table.clone(),
            base: None,
            ours: None,
            theirs: Some(table.clone()),
            is_changed: true,
            is_rebuilt,
            is_blocked: false,
        });
    }

    fn block_last(&mut self) {
        if let Some(table) = self.merge.tables.last_mut() {
            table.is_blocked = true;
        }
    }

    fn change_last(&mut self) {
        if let Some(table) = self.merge.tables.last_mut() {
            table.is_changed = true;
        }
    }

    fn dropped_by_theirs(
        &mut self,
        base: Option<&TableShape>,
        ours: &TableShape,
        theirs: &Shape,
    ) -> Result<()> {
        if self.is_changed(Side::Ours, base, ours)? {
            let detail = match theirs.table_named(&base.unwrap_or(ours).name) {
                Some(_) => {
                    "the source dropped the table and added another one of the same name, the \
                     target changed the old one"
                }
                None => "the source dropped the table, the target changed it or its rows",
            };
            let said = Said { ours: Some(describe(ours)), ..said_base(base) };
            let side = self.disagree(about(ours), SchemaPart::Whole, None, said, detail);
            if side != Some(Side::Theirs) {
                self.kept.keep(ours.id);
            }
            match side {
                Some(Side::Theirs) => {}
                Some(Side::Ours) if self.is_defined(ours.id, &SchemaPart::Whole) => {
                    // As if it were new: nothing is told from what the base has.
                    self.keep(ours, None);
                    self.change_last();
                    return Ok(());
                }
                Some(Side::Ours) => {
                    self.keep(ours, base);
                    return Ok(());
                }
                None => {
                    self.keep(ours, base);
                    self.block_last();
                    return Ok(());
                }
            }
        } else if self.kept.keeps_needed(ours.id) {
            self.keep(ours, base);
            return Ok(());
        }
        let (kind, id, name) = (ObjectKind::Table, ours.id, ours.name.clone());
        self.merge.dropped.push(DroppedObject { kind, id, name });
        Ok(())
    }

    fn dropped_by_ours(
        &mut self,
        base: Option<&TableShape>,
        theirs: &TableShape,
        ours: &Shape,
    ) -> Result<()> {
        if !self.is_changed(Side::Theirs, base, theirs)? {
            if self.kept.keeps_needed(theirs.id) {
                self.take(theirs, None);
            }
            return Ok(());
        }
        let detail = match ours.table_named(&base.unwrap_or(theirs).name) {
            Some(_) => {
                "the target dropped the table and added another one of the same name, the source \
                 changed the old one"
            }
            None if self.options.has_own_base => {
                "the target does not have the table, the source changed it or its rows"
            }
            None => "the target dropped the table, the source changed it or its rows",
        };
        let said = Said { theirs: Some(describe(theirs)), ..said_base(base) };
        let side = self.disagree(about(theirs), SchemaPart::Whole, None, said, detail);
        if side != Some(Side::Ours) {
            self.kept.keep(theirs.id);
        }
        match side {
            Some(Side::Theirs) => self.take(theirs, None),
            Some(Side::Ours) => {}
            None => {
                // It may yet be there: what mentions it is no conflict of its own.
                self.take(theirs, None);
                self.block_last();
            }
        }
        Ok(())
    }

    /// Whether a side changed a table that the other one has not.
    fn is_changed(
        &mut self,
        side: Side,
        base: Option<&TableShape>,
        table: &TableShape,
    ) -> Result<bool> {
        match base {
            Some(base) if !self.has_unsettled(table.id) && is_same_table(base, table) => {
                (self.has_new_rows)(side, base, table)
            }
            _ => Ok(true),
        }
    }

    /// Both sides added a table of this name.
    fn both_added(&mut self, ours: &TableShape, theirs: &TableShape) {
        if !is_same_definition(ours, theirs) {
            let said =
                Said { base: None, ours: Some(describe(ours)), theirs: Some(describe(theirs)) };
            let detail = "both branches added a table of this name, with different definitions";
            let side = self.disagree(about(ours), SchemaPart::Whole, None, said, detail);
            if self.is_defined(ours.id, &SchemaPart::Whole) {
                return self.define_both(ours, theirs);
            }
            match side {
                Some(Side::Theirs) => return self.take(theirs, Some(ours)),
                Some(Side::Ours) => return self.keep(ours, None),
                None => {
                    // What mentions a column of either is no conflict of its own.
                    self.undecided.extend(theirs.columns.iter().map(|column| column.id));
                    self.keep(ours, None);
                    return self.block_last();
                }
            }
        }
        self.keep(ours, None);
        if let Some(table) = self.merge.tables.last_mut() {
            table.theirs = Some(theirs.clone());
        }
    }

    /// A table that both sides added and somebody defines: until that is read it has the columns
    /// of both, so that what mentions one of them finds it.
    fn define_both(&mut self, ours: &TableShape, theirs: &TableShape) {
        let mut shape = ours.clone();
        for column in &theirs.columns {
            if ours.index_of(column.id).is_none() {
                let position = shape.stored_columns;
                shape.columns.push(ColumnShape { position, ..column.clone() });
                shape.stored_columns += 1;
            }
        }
        self.merge.tables.push(MergedTable {
            shape,
            base: None,
            ours: Some(ours.clone()),
            theirs: Some(theirs.clone()),
            is_changed: true,
            is_rebuilt: false,
            is_blocked: false,
        });
    }

    fn merge_table(&mut self, base: &TableShape, ours: &TableShape, theirs: &TableShape) {
        let mut shape = ours.clone();
        let mut is_blocked = false;
        let about = about(ours);
        let is_equal = |left: &str, right: &str| left == right;
        let is_unsettled = self.is_unsettled(ours.id, SchemaPart::Name);
        let names = [&*base.name, &*ours.name, &*theirs.name];
        let name = three_or_two(is_unsettled, names, is_equal);
        let said = Said::all(&base.name, &ours.name, &theirs.name);
        match self.settle(name, about, SchemaPart::Name, None, said) {
            Some(Side::Theirs) => shape.name.clone_from(&theirs.name),
            Some(Side::Ours) => {}
            None => is_blocked = true,
        }
        let is_same_key = |left: &TableShape, right: &TableShape| {
            left.key == right.key && left.primary_key == right.primary_key
        };
        let is_unsettled = self.is_unsettled(ours.id, SchemaPart::Key);
        let key = three_or_two(is_unsettled, [base, ours, theirs], is_same_key);
        let said = Said::all(&describe(base), &describe(ours), &describe(theirs));
        match self.settle(key, about, SchemaPart::Key, None, said) {
            Some(Side::Theirs) => {
                shape.key.clone_from(&theirs.key);
                shape.primary_key.clone_from(&theirs.primary_key);
            }
            Some(Side::Ours) => {}
            None => is_blocked = true,
        }
        let is_unsettled = self.is_unsettled(ours.id, SchemaPart::Options);
        let options = [&*base.options, &*ours.options, &*theirs.options];
        let options = three_or_two(is_unsettled, options, is_equal);
        let said = Said::all(&base.options, &ours.options, &theirs.options);
        match self.settle(options, about, SchemaPart::Options, None, said) {
            Some(Side::Theirs) => shape.options.clone_from(&theirs.options),
            Some(Side::Ours) => {}
            None => is_blocked = true,
        }
        is_blocked |= self.merge_columns(base, ours, theirs, &mut shape);
        is_blocked |= self.merge_constraints(base, ours, theirs, &mut shape);
        let is_rebuilt = !shape.has_key_of(ours);
        let mut defined = self.merge.defined.iter();
        let is_defined = defined.any(|defined| defined.conflict.key.object == ours.id);
        let is_changed = is_defined || shape != *ours;
        self.merge.tables.push(MergedTable {
            shape,
            base: Some(base.clone()),
            ours: Some(ours.clone()),
            theirs: Some(theirs.clone()),
            is_changed,
            is_rebuilt,
            is_blocked,
        });
    }

    /// Whose version of a part is taken; none after a conflict that stays.
    fn settle(
        &mut self,
        outcome: Option<Side>,
        about: About<'_>,
        part: SchemaPart,
        column: Option<&str>,
        said: Said,
    ) -> Option<Side> {
        let detail = "both branches changed it, in different ways";
        outcome.or_else(|| self.disagree(about, part, column, said, detail))
    }

    /// Merges the columns into `shape`; returns whether a conflict stays.
    fn merge_columns(
        &mut self,
        base: &TableShape,
        ours: &TableShape,
        theirs: &TableShape,
        shape: &mut TableShape,
    ) -> bool {
        let mut columns: Vec<ColumnShape> = Vec::new();
        let mut is_blocked = false;
        for column in &ours.columns {
            let merged = match (base.column(column.id), theirs.column(column.id)) {
                (before, None) => self.column_dropped(ours, before, column, Side::Theirs),
                (None, Some(other)) => self.column_added(ours, column, other),
                (Some(before), Some(other)) => self.column(ours, before, column, other),
            };
            if let Some(column) = merged {
                columns.extend(column);
            } else {
                is_blocked = true;
                columns.push(column.clone());
            }
        }
        let mut position = ours.stored_columns;
        for column in &theirs.columns {
            if ours.index_of(column.id).is_some() {
                continue;
            }
            let before = base.column(column.id);
            match self.column_dropped(ours, before, column, Side::Ours) {
                Some(Some(mut column)) => {
                    column.position = position;
                    position += 1;
                    columns.push(column);
                }
                Some(None) => {}
                None => {
                    // It may yet be there: what mentions it is no conflict of its own.
                    is_blocked = true;
                    columns.push(ColumnShape { position, ..column.clone() });
                    position += 1;
                }
            }
        }
        self.name_columns(ours, &mut columns);
        is_blocked |= self.check_column_names(ours, &columns);
        if !is_blocked && columns.iter().all(|column| column.generated.is_some()) {
            let said = Said::all(&describe(base), &describe(ours), &describe(theirs));
            let detail = "between them the branches dropped all columns: one has to stay";
            self.refuse(about(ours), SchemaPart::Whole, None, said, detail);
            is_blocked = true;
            columns.clone_from(&ours.columns);
            position = ours.stored_columns;
        }
        shape.columns = columns;
        shape.stored_columns = position;
        is_blocked
    }

    /// A column that `dropper` dropped, if it had it; the outer option is a conflict that stays.
    #[allow(clippy::option_option, reason = "a conflict, no column, or a column")]
    fn column_dropped(
        &mut self,
        table: &TableShape,
        base: Option<&ColumnShape>,
        kept: &ColumnShape,
        dropper: Side,
    ) -> Option<Option<ColumnShape>> {
        let is_unsettled = self.is_unsettled(table.id, SchemaPart::Column(kept.id))
            || self.is_unsettled(table.id, SchemaPart::ColumnName(kept.id));
        match base {
            None if !is_unsettled => return Some(Some(kept.clone())),
            Some(base) if !is_unsettled && base.name == kept.name && base.is_declared_as(kept) => {
                return Some(None);
            }
            _ => {}
        }
        let base = base.map(written);
        let text = Some(written(kept));
        let (said, detail) = match dropper {
            Side::Theirs => (
                Said { base, ours: text, theirs: None },
                "the source dropped the column, the target changed its definition",
            ),
            Side::Ours if self.options.has_own_base => (
                Said { base, ours: None, theirs: text },
                "the target does not have the column, the source changed its definition",
            ),
            Side::Ours => (
                Said { base, ours: None, theirs: text },
                "the target dropped the column, the source changed its definition",
            ),
        };
        let part = SchemaPart::Column(kept.id);
        let winner = self.disagree(about(table), part, Some(&kept.name), said, detail)?;
        Some((winner != dropper).then(|| kept.clone()))
    }

    #[allow(clippy::option_option, reason = "a conflict, no column, or a column")]
    fn column_added(
        &mut self,
        table: &TableShape,
        ours: &ColumnShape,
        theirs: &ColumnShape,
    ) -> Option<Option<ColumnShape>> {
        if ours.is_declared_as(theirs) {
            return Some(Some(ours.clone()));
        }
        let said = Said { base: None, ours: Some(written(ours)), theirs: Some(written(theirs)) };
        let detail = "both branches added a column of this name, with different definitions";
        let part = SchemaPart::Column(ours.id);
        match self.disagree(about(table), part, Some(&ours.name), said, detail)? {
            Side::Ours => Some(Some(ours.clone())),
            Side::Theirs => Some(Some(placed(theirs, ours))),
        }
    }

    #[allow(clippy::option_option, reason = "a conflict, no column, or a column")]
    fn column(
        &mut self,
        table: &TableShape,
        base: &ColumnShape,
        ours: &ColumnShape,
        theirs: &ColumnShape,
    ) -> Option<Option<ColumnShape>> {
        let is_equal = |left: &str, right: &str| left == right;
        let is_unsettled = self.is_unsettled(table.id, SchemaPart::ColumnName(ours.id));
        let names = [&*base.name, &*ours.name, &*theirs.name];
        let name = three_or_two(is_unsettled, names, is_equal);
        let said = Said::all(&base.name, &ours.name, &theirs.name);
        let part = SchemaPart::ColumnName(ours.id);
        let name = match self.settle(name, about(table), part, Some(&ours.name), said)? {
            Side::Ours => &ours.name,
            Side::Theirs => &theirs.name,
        };
        let is_unsettled = self.is_unsettled(table.id, SchemaPart::Column(ours.id));
        let sides = [base, ours, theirs];
        let declared = three_or_two(is_unsettled, sides, ColumnShape::is_declared_as);
        let declared = declared.or_else(|| {
            // Only the types differ, and one holds all values of the other.
            let is_type_only = ours.is_declared_as_but_type(theirs);
            let wide = if is_type_only { wider(ours, theirs) } else { None };
            wide.map(|wide| if std::ptr::eq(wide, ours) { Side::Ours } else { Side::Theirs })
        });
        let said = Said::all(&written(base), &written(ours), &written(theirs));
        let part = SchemaPart::Column(ours.id);
        let mut merged = match self.settle(declared, about(table), part, Some(name), said)? {
            Side::Ours => ours.clone(),
            Side::Theirs => placed(theirs, ours),
        };
        merged.name.clone_from(name);
        Some(Some(merged))
    }

    /// Gives columns the names that somebody chose for them.
    fn name_columns(&mut self, table: &TableShape, columns: &mut [ColumnShape]) {
        for column in columns {
            if let Some(name) = self.name_given(table.id, SchemaPart::ColumnName(column.id)) {
                column.name = name;
            }
            let part = SchemaPart::Column(column.id);
            if self.is_defined(table.id, &part)
                && let Some(given) = self.given(table.id, part)
            {
                column.name = given.name;
            }
        }
    }

    /// Two columns that got one name on two ways; returns whether there are any.
    fn check_column_names(&mut self, table: &TableShape, columns: &[ColumnShape]) -> bool {
        let mut found = false;
        for (index, column) in columns.iter().enumerate() {
            let other =
                columns[..index].iter().find(|other| other.name.eq_ignore_ascii_case(&column.name));
            // One that a conflict is about may yet go or get another name.
            let is_contested = |column: &ColumnShape| {
                let mut conflicts = self.merge.conflicts.iter();
                conflicts.any(|conflict| {
                    conflict.key.object == table.id && conflict.key.column() == Some(column.id)
                })
            };
            if other.is_some_and(|other| !is_contested(other) && !is_contested(column)) {
                let theirs = Some(column.name.clone());
                let said = Said { theirs, ..Said::default() };
                let detail = "the branches have different columns of this name: rename one";
                let part = SchemaPart::ColumnName(column.id);
                self.refuse(about(table), part, Some(&column.name), said, detail);
                found = true;
            }
        }
        found
    }

    /// Merges the constraints into `shape`: named ones by name, others by what they say.
    fn merge_constraints(
        &mut self,
        base: &TableShape,
        ours: &TableShape,
        theirs: &TableShape,
        shape: &mut TableShape,
    ) -> bool {
        let mut merged: Vec<ConstraintShape> = Vec::new();
        let mut is_blocked = false;
        let is_ours = |side| matches!(side, None | Some(Some(Side::Ours)));
        for constraint in &ours.constraints {
            let before = find(base, base, ours, constraint);
            let other = find(theirs, base, ours, constraint);
            let is_unsettled = self.is_unsettled_constraint(ours, constraint);
            let is_kept = match (before, other) {
                (None, None) if !is_unsettled => true,
                (Some(before), None) if !is_unsettled && before == constraint => false,
                (before, None) => {
                    let side = self.constraint(ours, before, Some(constraint), None);
                    is_blocked |= side.is_none();
                    is_ours(side)
                }
                (before, Some(other)) => {
                    let side = if constraint == other || !is_unsettled && before == Some(other) {
                        Some(Some(Side::Ours))
                    } else if !is_unsettled && before == Some(constraint) {
                        Some(Some(Side::Theirs))
                    } else {
                        self.constraint(ours, before, Some(constraint), Some(other))
                    };
                    is_blocked |= side.is_none();
                    if side == Some(Some(Side::Theirs)) {
                        merged.push(other.clone());
                    }
                    is_ours(side)
                }
            };
            if is_kept {
                merged.push(constraint.clone());
            }
        }
        for constraint in &theirs.constraints {
            if find(ours, base, theirs, constraint).is_some() {
                continue;
            }
            let is_unsettled = self.is_unsettled_constraint(ours, constraint);
            let is_taken = match find(base, base, theirs, constraint) {
                None if !is_unsettled => true,
                Some(before) if !is_unsettled && before == constraint => false,
                before => {
                    let side = self.constraint(ours, before, None, Some(constraint));
                    is_blocked |= side.is_none();
                    side == Some(Some(Side::Theirs))
                }
            };
            if is_taken {
                merged.push(constraint.clone());
            }
        }
        shape.constraints = merged;
        is_blocked
    }

    /// Whether the base does not settle a constraint, or whether its columns are there.
    fn is_unsettled_constraint(&self, table: &TableShape, constraint: &ConstraintShape) -> bool {
        [name_of(constraint), constraint.definition.clone()]
            .into_iter()
            .any(|name| self.is_unsettled(table.id, SchemaPart::Constraint(name)))
    }

    /// Whose version of a constraint is taken. The outer option is a conflict that stays; where
    /// somebody defines the constraint it is neither side's, and comes with that definition.
    #[allow(clippy::option_option, reason = "a conflict, a definition, or a side")]
    fn constraint(
        &mut self,
        table: &TableShape,
        base: Option<&ConstraintShape>,
        ours: Option<&ConstraintShape>,
        theirs: Option<&ConstraintShape>,
    ) -> Option<Option<Side>> {
        let text = |side: Option<&ConstraintShape>| side.map(ConstraintShape::told);
        let name = ours.or(theirs).map_or_else(String::new, name_of);
        let said = Said { base: text(base), ours: text(ours), theirs: text(theirs) };
        let detail = "the branches define the constraint in different ways";
        let part = SchemaPart::Constraint(name);
        let side = self.disagree(about(table), part.clone(), None, said, detail)?;
        Some((!self.is_defined(table.id, &part)).then_some(side))
    }
}

/// What a constraint is addressed by: its name, or the columns of a foreign key without one.
pub(in crate::merge) fn name_of(constraint: &ConstraintShape) -> String {
    constraint.name.clone().unwrap_or_else(|| {
        let columns = constraint.columns.iter().map(|id| id.0.to_string());
        format!("foreign key {}", columns.collect::<Vec<_>>().join(" "))
    })
}

/// The constraint of a table that is `wanted`, which `own` has: the same, or its counterpart, which
/// has its name or is a foreign key of its columns. That is one that `own` has not as well, for a
/// name may be given twice; two of the base are two.
fn find<'a>(
    table: &'a TableShape,
    base: &TableShape,
    own: &TableShape,
    wanted: &ConstraintShape,
) -> Option<&'a ConstraintShape> {
    let same = table.constraints.iter().find(|other| *other == wanted);
    same.or_else(|| {
        table.constraints.iter().find(|other| {
            let are_two = base.constraints.contains(wanted) && base.constraints.contains(other);
            is_counterpart(wanted, other) && !own.constraints.contains(other) && !are_two
        })
    })
}

fn is_counterpart(left: &ConstraintShape, right: &ConstraintShape) -> bool {
    match (&left.name, &right.name) {
        (Some(left), Some(right)) => left.eq_ignore_ascii_case(right),
        (None, None) => {
            left.foreign_key.is_some()
                && right.foreign_key.is_some()
                && left.columns == right.columns
        }
        _ => false,
    }
}

/// A column of the source in the place that the target has for it.
fn placed(theirs: &ColumnShape, ours: &ColumnShape) -> ColumnShape {
    ColumnShape { id: ours.id, position: ours.position, ..theirs.clone() }
}

fn about(table: &TableShape) -> About<'_> {
    About { kind: ObjectKind::Table, id: table.id, name: &table.name }
}

fn said_base(base: Option<&TableShape>) -> Said {
    Said { base: base.map(describe), ..Said::default() }
}

fn written(column: &ColumnShape) -> String {
    let rest = describe_column(column);
    if rest.is_empty() { column.name.clone() } else { format!("{} {rest}", column.name) }
}

fn describe(table: &TableShape) -> String {
    let columns: Vec<String> = table.columns.iter().map(written).collect();
    let key = describe_table(table);
    format!("{} ({}) {key}", table.name, columns.join(", "))
}

/// Whether nothing about a table was changed.
fn is_same_table(left: &TableShape, right: &TableShape) -> bool {
    left.name == right.name
        && is_same_definition(left, right)
        && left
            .columns
            .iter()
            .all(|column| right.column(column.id).is_some_and(|other| other.name == column.name))
}

/// Whether two tables have the same columns, keys and constraints; in any order and place.
fn is_same_definition(left: &TableShape, right: &TableShape) -> bool {
    left.key == right.key
        && left.primary_key == right.primary_key
        && left.options == right.options
        && left.holds_counters == right.holds_counters
        && left.columns.len() == right.columns.len()
        && left
            .columns
            .iter()
            .all(|column| right.column(column.id).is_some_and(|other| column.is_declared_as(other)))
        && left.constraints.len() == right.constraints.len()
        && left.constraints.iter().all(|constraint| right.constraints.contains(constraint))
}
