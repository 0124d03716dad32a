//! The definition of a table that both sides changed, put together from the texts of both.
//!
//! Which columns and constraints there are is settled by numbers before; here it is only looked
//! up who wrote them. A constraint may stand at a column or behind all of them, so each text is
//! asked for its checks and foreign keys in the order in which the catalog lists them.
//! Neighbours: `definitions` writes what comes out.

use pandodb_branch::merge::MergedTable;
use pandodb_branch::shape::{ColumnShape, ConstraintShape, TableShape};

use crate::ast::{
    ColumnConstraint, ColumnConstraintKind, CreateTable, CreateTableBody, TableConstraint,
    TableConstraintKind, TableDefinition,
};
use crate::catalog::build::indexed_name;

/// Where a check or a foreign key stands.
#[derive(Clone, Copy)]
enum Place<'d> {
    /// At the column of this place, as so many constraints from this one on.
    Column(usize, usize, &'d [ColumnConstraint]),
    /// Behind the columns.
    Behind(&'d TableConstraint),
}

/// A side's checks and foreign keys, each with what the catalog makes of it.
struct Written<'d> {
    body: &'d TableDefinition,
    shape: &'d TableShape,
    constraints: Vec<(Place<'d>, &'d ConstraintShape)>,
}

impl<'d> Written<'d> {
    /// None if the text and the catalog do not tell the same.
    fn new(create: &'d CreateTable, shape: &'d TableShape) -> Option<Self> {
        let CreateTableBody::Columns(body) = &create.body else { return None };
        let (mut checks, mut keys) = (Vec::new(), Vec::new());
        for (column, definition) in body.columns.iter().enumerate() {
            for (at, constraint) in definition.constraints.iter().enumerate() {
                let rest = &definition.constraints[at..];
                match &constraint.kind {
                    ColumnConstraintKind::Check(_) => {
                        checks.push(Place::Column(column, at, &rest[..1]));
                    }
                    ColumnConstraintKind::References(_) => {
                        let more = rest[1..].iter().take_while(|next| is_deferrable(next)).count();
                        keys.push(Place::Column(column, at, &rest[..=more]));
                    }
                    _ => {}
                }
            }
        }
        for constraint in &body.constraints {
            match &constraint.kind {
                TableConstraintKind::Check(..) => checks.push(Place::Behind(constraint)),
                TableConstraintKind::ForeignKey { .. } => keys.push(Place::Behind(constraint)),
                _ => {}
            }
        }
        let is_check = |known: &&ConstraintShape| {
            known.foreign_key.is_none() && known.definition.starts_with("check")
        };
        let of_checks: Vec<_> = shape.constraints.iter().filter(is_check).collect();
        let of_keys: Vec<_> =
            shape.constraints.iter().filter(|known| known.foreign_key.is_some()).collect();
        if checks.len() != of_checks.len() || keys.len() != of_keys.len() {
            return None;
        }
        let places = checks.into_iter().chain(keys);
        let constraints = places.zip(of_checks.into_iter().chain(of_keys)).collect();
        let mut written = Self { body, shape, constraints };
        written.find_uniques();
        Some(written)
    }

    /// Adds the UNIQUE constraints. One that says no more than the primary key, or than another
    /// one, is none to the catalog and stays where it is.
    fn find_uniques(&mut self) {
        let shape = self.shape;
        let mut places = Vec::new();
        for (column, definition) in self.body.columns.iter().enumerate() {
            for (at, constraint) in definition.constraints.iter().enumerate() {
                if let ColumnConstraintKind::Unique(_) = constraint.kind {
                    let id = shape.columns.get(column).map(|column| column.id);
                    let rest = &definition.constraints[at..=at];
                    places.push((Place::Column(column, at, rest), vec![id]));
                }
            }
        }
        for constraint in &self.body.constraints {
            if let TableConstraintKind::Unique { columns, .. } = &constraint.kind {
                let names = columns.iter().map(|term| indexed_name(&term.expression));
                let ids = names.map(|name| shape.column_named(&name?.0.text).map(|it| it.id));
                places.push((Place::Behind(constraint), ids.collect()));
            }
        }
        for (place, ids) in places {
            let known = shape.constraints.iter().find(|known| {
                known.definition.starts_with("unique")
                    && known.columns.iter().map(|id| Some(*id)).eq(ids.iter().copied())
            });
            self.constraints.extend(known.map(|known| (place, known)));
        }
    }

    /// The place of a column in the text.
    fn place_of(&self, column: &ColumnShape) -> Option<usize> {
        self.shape.columns.iter().position(|known| known.id == column.id)
    }

    /// The constraints of a column that the merged table has; those that it has not are left out.
    fn column_constraints(&self, merged: &TableShape, column: usize) -> Vec<ColumnConstraint> {
        let Some(definition) = self.body.columns.get(column) else { return Vec::new() };
        let mut gone = vec![false; definition.constraints.len()];
        for (place, shape) in &self.constraints {
            if let Place::Column(of, at, constraints) = place
                && *of == column
                && !merged.constraints.contains(shape)
            {
                gone.iter_mut().skip(*at).take(constraints.len()).for_each(|gone| *gone = true);
            }
        }
        let all = definition.constraints.iter().zip(gone);
        all.filter(|(_, gone)| !gone).map(|(constraint, _)| constraint.clone()).collect()
    }

    /// What the merged table has of this side's constraints and `other` has not.
    fn own<'s>(
        &'s self,
        merged: &'s TableShape,
        other: &'s Self,
    ) -> impl Iterator<Item = Place<'d>> + 's {
        let own = self.constraints.iter().filter(|(_, shape)| {
            merged.constraints.contains(shape) && !other.shape.constraints.contains(shape)
        });
        own.map(|(place, _)| *place)
    }
}

fn is_key(constraint: &ColumnConstraint) -> bool {
    matches!(constraint.kind, ColumnConstraintKind::PrimaryKey { .. })
}

fn is_deferrable(constraint: &ColumnConstraint) -> bool {
    matches!(constraint.kind, ColumnConstraintKind::Deferrable(_))
}

/// The definition of the merged table: its columns from whichever side has them so, the
/// constraints that it has from where they are written.
pub(super) fn join(
    merged: &MergedTable,
    (ours, mine): (&TableShape, &CreateTable),
    (theirs, other): (&TableShape, &CreateTable),
) -> Option<CreateTable> {
    let (own, their) = (Written::new(mine, ours)?, Written::new(other, theirs)?);
    let mut create = mine.clone();
    let CreateTableBody::Columns(body) = &mut create.body else { return None };
    if merged.shape.options != ours.options {
        body.strict = their.body.strict;
        body.counts_alone = their.body.counts_alone;
    }
    body.columns.clear();
    for column in &merged.shape.columns {
        let (at_ours, at_theirs) = (own.place_of(column), their.place_of(column));
        let is_ours = at_ours.is_some_and(|at| column.is_declared_as(&ours.columns[at]));
        let is_ours = is_ours || at_theirs.is_none();
        let (from, other, at, at_other) = match (at_ours, at_theirs) {
            (Some(at), other) if is_ours => (&own, &their, at, other),
            (other, Some(at)) => (&their, &own, at, other),
            _ => return None,
        };
        let mut definition = from.body.columns.get(at)?.clone();
        definition.constraints = from.column_constraints(&merged.shape, at);
        if !is_ours {
            // The key is the target's, and stands where that has it.
            definition.constraints.retain(|constraint| !is_key(constraint));
            let column = at_ours.and_then(|at| own.body.columns.get(at));
            let keys = column.into_iter().flat_map(|column| &column.constraints);
            definition.constraints.extend(keys.filter(|it| is_key(it)).cloned());
        }
        for place in other.own(&merged.shape, from) {
            if let Place::Column(of, _, constraints) = place
                && Some(of) == at_other
            {
                definition.constraints.extend_from_slice(constraints);
            }
        }
        body.columns.push(definition);
    }
    let is_gone = |constraint: &TableConstraint| {
        own.constraints.iter().any(|(place, shape)| {
            matches!(place, Place::Behind(known) if std::ptr::eq(*known, constraint))
                && !merged.shape.constraints.contains(shape)
        })
    };
    let kept = own.body.constraints.iter().filter(|constraint| !is_gone(constraint));
    let added = their.own(&merged.shape, &own).filter_map(|place| match place {
        Place::Behind(constraint) => Some(constraint),
        Place::Column(..) => None,
    });
    body.constraints = kept.chain(added).cloned().collect();
    Some(create)
}
