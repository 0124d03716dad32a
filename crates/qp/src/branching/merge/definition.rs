//! Definitions of one's own for schema conflicts: read, and checked against what they are about.
//!
//! What a definition says is looked at in three steps: here its grammar, its kind and its name;
//! then, still within RESOLVE, whether it fits the schema that the merge would have; and once more
//! when the merge is continued. Neighbours: `merge_target::defined` puts it into the catalog, the
//! branch crate keeps it.

use pandodb_branch::diff::schema::ObjectKind;
use pandodb_branch::merge::{Conflict, ConflictKey, Definition, Pick, Policy, SchemaPart, Scope};
use pandodb_branch::registry::OpenMerge;
use pandodb_branch::shape::{ColumnId, ObjectId, TableShape};
use pandodb_ds::record::Value;
use pandodb_tm::{BeginOptions, HeadId};

use crate::ast::{
    ColumnConstraintKind, ColumnDefinition, CreateTableBody, GivenDefinition, Name, QualifiedName,
    Statement, StatementKind, TableConstraint, TableConstraintKind, TableDefinition,
};
use crate::branching::Work;
use crate::branching::options::MergeRequest;
use crate::catalog::is_reserved_name;
use crate::error::{Error, ErrorKind, Result};
use crate::parse;

/// What a definition is about.
#[derive(Clone, Copy)]
pub(in crate::branching) struct Subject<'a> {
    /// What the object is.
    pub(in crate::branching) kind: ObjectKind,
    /// Its name.
    pub(in crate::branching) name: &'a str,
    /// Which part of it.
    pub(in crate::branching) part: &'a SchemaPart,
}

/// Reads a definition of one's own; an error stands where the text is wrong.
pub(in crate::branching) fn read(subject: Subject<'_>, text: &str) -> Result<Definition> {
    let name = match subject.part {
        SchemaPart::Name if subject.kind == ObjectKind::View => {
            let message = format!("a merge gives the view {} no other name", subject.name);
            let hint = "rename what has the same name, on its branch, and merge again";
            return Err(Error::invalid(message).with_hint(hint));
        }
        SchemaPart::Name | SchemaPart::ColumnName(_) => {
            let name = parse::parse_name(text)?;
            if matches!(subject.part, SchemaPart::Name) && is_reserved_name(&name.text) {
                let message = format!("object name reserved for internal use: {}", name.text);
                return Err(Error::invalid(message).at(name.span));
            }
            let text = name.text.to_string();
            return Ok(Definition { text, name: name.text.into(), seen: None });
        }
        SchemaPart::Column(_) => column(text)?.name.text.to_string(),
        SchemaPart::Constraint(name) => {
            constraint(text, name)?.name.map_or_else(String::new, |name| name.text.into())
        }
        SchemaPart::Options => {
            options(text)?;
            String::new()
        }
        SchemaPart::Key => {
            let message =
                format!("the primary key of {} has no definition of its own", subject.name);
            let hint = "RESOLVE CONFLICT .. WITH SOURCE or TARGET";
            return Err(Error::invalid(message).with_hint(hint));
        }
        SchemaPart::Value => {
            let message = format!("{} has no definition: it is a number", subject.name);
            let hint = "RESOLVE CONFLICT .. WITH SOURCE, TARGET, BASE, or VALUE and the number";
            return Err(Error::invalid(message).with_hint(hint));
        }
        SchemaPart::Whole | SchemaPart::Mentions => {
            let statement = statement(text)?;
            let (kind, name, is_temporary) = subject_of(&statement)?;
            check_subject(subject, kind, name, is_temporary)?;
            check_table(&statement)?;
            subject.name.to_owned()
        }
    };
    Ok(Definition { name, text: text.to_owned(), seen: None })
}

/// Reads the definition of a column.
pub(in crate::branching) fn column(text: &str) -> Result<ColumnDefinition> {
    use ColumnConstraintKind as Kind;
    let column = parse::parse_column(text)?;
    for constraint in &column.constraints {
        let what = match &constraint.kind {
            Kind::PrimaryKey { .. } => "PRIMARY KEY",
            Kind::Unique(_) => "UNIQUE",
            Kind::References(_) | Kind::Deferrable(_) => "REFERENCES",
            _ => continue,
        };
        let message = format!("the definition of a column that a merge settles has no {what}");
        let hint = "keys are parts of the table on their own, and stay as the branches have them";
        return Err(Error::invalid(message).at(constraint.span).with_hint(hint));
    }
    Ok(column)
}

/// Reads a constraint; one without a name has that of the conflict, if that is a name.
pub(in crate::branching) fn constraint(text: &str, name: &str) -> Result<TableConstraint> {
    let mut constraint = parse::parse_constraint(text)?;
    let what = match &constraint.kind {
        TableConstraintKind::PrimaryKey { .. } => Some("a primary key"),
        TableConstraintKind::Empty => Some("nothing"),
        _ => None,
    };
    if let Some(what) = what {
        let message = format!("the definition of a constraint is {what}");
        let hint = "CHECK, UNIQUE or FOREIGN KEY, with CONSTRAINT and a name before it or not";
        return Err(Error::invalid(message).at(constraint.span).with_hint(hint));
    }
    if ["check (", "unique", "foreign key"].iter().any(|start| name.starts_with(start)) {
        // It has none on the branches.
        return Ok(constraint);
    }
    match &constraint.name {
        Some(given) if !given.is(name) => {
            let message = format!("the definition is that of the constraint {}", given.text);
            let hint = format!("the conflict is about the constraint {name}");
            Err(Error::invalid(message).at(given.span).with_hint(hint))
        }
        Some(_) => Ok(constraint),
        None => {
            constraint.name = Some(Name::new(name));
            Ok(constraint)
        }
    }
}

/// Reads what stands behind the columns of a table.
pub(in crate::branching) fn options(text: &str) -> Result<TableDefinition> {
    let options = parse::parse_table_options(text)?;
    if options.without_rowid {
        let message = "WITHOUT ROWID changes what rows are found by, which a definition cannot";
        return Err(Error::invalid(message).with_hint("STRICT, AUTOINCREMENT PER BRANCH, or ''"));
    }
    Ok(options)
}

/// Reads one statement.
pub(in crate::branching) fn statement(text: &str) -> Result<Statement> {
    let (statement, rest) = parse::parse_statement(text)?;
    let is_more = text.get(rest..).is_some_and(|rest| !rest.trim().is_empty());
    match statement {
        Some(statement) if !is_more => Ok(statement),
        _ => Err(Error::invalid("a definition is one CREATE statement")),
    }
}

/// What a statement defines, by what name, and whether that is temporary.
fn subject_of(statement: &Statement) -> Result<(ObjectKind, &QualifiedName, bool)> {
    Ok(match &statement.kind {
        StatementKind::CreateTable(create) => (ObjectKind::Table, &create.name, create.temporary),
        StatementKind::CreateIndex(create) => (ObjectKind::Index, &create.name, false),
        StatementKind::CreateView(create) => (ObjectKind::View, &create.name, create.temporary),
        StatementKind::CreateTrigger(create) => {
            (ObjectKind::Trigger, &create.name, create.temporary)
        }
        _ => {
            let message = "the definition of an object is a CREATE statement";
            return Err(Error::invalid(message).at(statement.span));
        }
    })
}

fn check_subject(
    subject: Subject<'_>,
    kind: ObjectKind,
    name: &QualifiedName,
    is_temporary: bool,
) -> Result<()> {
    let about = format!("the conflict is about the {} {}", subject.kind.as_str(), subject.name);
    if kind != subject.kind || !name.name.is(subject.name) {
        let message = format!("the definition is that of the {} {}", kind.as_str(), name.name.text);
        return Err(Error::invalid(message).at(name.name.span).with_hint(about));
    }
    let is_elsewhere = name.schema.as_ref().is_some_and(|schema| !schema.is("main"));
    if is_temporary || is_elsewhere {
        let message = "the definition is that of an object of another database";
        return Err(Error::invalid(message).at(name.name.span).with_hint(about));
    }
    Ok(())
}

fn check_table(statement: &Statement) -> Result<()> {
    if let StatementKind::CreateTable(create) = &statement.kind
        && let CreateTableBody::Select(select) = &create.body
    {
        let message = "the definition of a merged table lists its columns";
        return Err(Error::invalid(message).at(select.span));
    }
    Ok(())
}

impl Work<'_> {
    /// A definition of one's own for an open conflict, if it settles that.
    pub(super) fn own_definition(
        &self,
        open: &OpenMerge,
        number: u64,
        given: &GivenDefinition,
    ) -> Result<Pick> {
        let conflict = self.conflict(open, number)?;
        let Scope::Schema(part) = &conflict.key.scope else {
            // What it is about, and what resolves it, is said by those who keep it.
            let text = given.text.to_string();
            let definition = Definition { name: String::new(), text, seen: None };
            return Ok(Pick::Definition(definition));
        };
        let subject = Subject { kind: conflict.object_kind, name: &conflict.object_name, part };
        let mut definition = read(subject, &given.text).map_err(|error| moved(error, given))?;
        if matches!(part, SchemaPart::Whole) && conflict.object_kind == ObjectKind::Table {
            definition.seen = self.columns_of_target(open, conflict.key.object)?;
        }
        if let Some(why) = self.misfit(open, &conflict.key, &definition)? {
            let message = format!("conflict {number} cannot be resolved so: {why}");
            return Err(Error::invalid(message).at(given.span));
        }
        Ok(Pick::Definition(definition))
    }

    /// The columns that the target's table has now; none where it has no such table.
    fn columns_of_target(
        &self,
        open: &OpenMerge,
        table: ObjectId,
    ) -> Result<Option<Vec<ColumnId>>> {
        let head = self
            .branches
            .with(|state| state.branch_by_id(open.target).map(|branch| HeadId(branch.head)))?;
        let Some(head) = head else { return Ok(None) };
        let read = BeginOptions::read_only();
        let target = self.branches.manager().begin(head, read).map_err(Error::from)?;
        let shape = self.version(target.forest())?.shape;
        let columns = |table: &TableShape| table.columns.iter().map(|column| column.id).collect();
        Ok(shape.table(table).map(columns))
    }

    /// Why a definition does not settle its conflict. What was not decided yet is taken from either
    /// side: it is enough to fit one of the schemas that there can be.
    fn misfit(
        &self,
        open: &OpenMerge,
        key: &ConflictKey,
        definition: &Definition,
    ) -> Result<Option<String>> {
        let mut why = None;
        for policy in [Policy::TargetWins, Policy::SourceWins] {
            let mut options = MergeRequest::decode(&open.options).options;
            let found = self.with_open_job(open, |job, resolutions, unsettled| {
                options.policy = policy;
                options.resolutions = resolutions;
                let pick = Pick::Definition(definition.clone());
                options.resolutions.picks.insert(key.clone(), pick);
                options.unsettled = unsettled;
                self.try_definitions(job, &options)
            })?;
            match found.into_iter().find(|conflict| stays(conflict, key, &definition.name)) {
                Some(conflict) => why = why.or(Some(conflict.detail)),
                None => return Ok(None),
            }
        }
        Ok(why)
    }
}

/// Whether a conflict is the one that a definition was to settle, or one about the name in it.
fn stays(conflict: &Conflict, key: &ConflictKey, name: &str) -> bool {
    let is_taken = || {
        let said = conflict.theirs.as_deref();
        conflict.columns.iter().any(|listed| listed == "name")
            && said.is_some_and(|said| said.iter().any(|it| *it == Value::text(name)))
    };
    conflict.key == *key || is_taken()
}

/// An error about a text where that stands in the statement, which is complete.
fn moved(error: Error, given: &GivenDefinition) -> Error {
    let span = error.span().map_or(given.span, |span| given.place(span));
    match error.kind() {
        ErrorKind::Incomplete => {
            let message = format!("the definition is not complete: {}", error.message());
            Error::syntax(message, span)
        }
        _ => error.moved(span),
    }
}
