//! The schema of a merge: pure functions on three shapes.
//!
//! Objects and columns are matched by id. What both sides added under one name has two ids; the
//! source's description is first put into the target's words (`adapt`), so that everything
//! behind it compares ids only. Neighbours: `tables`, `texts` and `settings` merge one object,
//! `kept` knows what stays though it was dropped, `types` which type holds all values of another.

mod adapt;
mod kept;
mod mentions;
pub(crate) mod settings;
mod tables;
mod texts;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::record::Value;

pub(super) use self::tables::name_of;
use super::cells::Side;
use super::conflict::{Conflict, ConflictKey, ConflictKind, SchemaPart, Scope};
use super::policy::{Definition, MergeOptions, Pick};
use crate::diff::schema::ObjectKind;
use crate::error::Result;
use crate::shape::{ColumnId, ObjectId, SettingShape, Shape, TableShape, TextShape, Twins};

pub use crate::shape::adapted::Adapted;

/// A table after the merge, with the three versions that it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedTable {
    /// What it looks like.
    pub shape: TableShape,
    /// As it was where the branches parted.
    pub base: Option<TableShape>,
    /// As the target has it.
    pub ours: Option<TableShape>,
    /// As the source has it, in the target's ids.
    pub theirs: Option<TableShape>,
    /// Whether the target has another definition.
    pub is_changed: bool,
    /// Whether all rows have to be stored anew, under another key.
    pub is_rebuilt: bool,
    /// Whether a conflict about it keeps its rows from being merged.
    pub is_blocked: bool,
}

impl MergedTable {
    /// Whether a primary key is declared beside the rowid that rows are stored by.
    pub(crate) fn has_hidden_key(&self) -> bool {
        self.shape.has_rowid() && self.shape.alias().is_none() && !self.shape.primary_key.is_empty()
    }
}

/// Which side a text is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextSource {
    /// The target has it as it is.
    Ours,
    /// The source's definition is taken.
    Theirs,
    /// It is defined by somebody's own words; what its shape shows is that of a side.
    Defined,
}

/// An index, view or trigger after the merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedText {
    /// What it is.
    pub kind: ObjectKind,
    /// What it looks like.
    pub shape: TextShape,
    /// Whose definition it has.
    pub source: TextSource,
    /// Whether the target has another definition, or another name, or none.
    pub is_changed: bool,
    /// Whether the source has the same definition as the target.
    pub is_in_both: bool,
}

/// A setting after the merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedSetting {
    /// What it is.
    pub shape: SettingShape,
    /// Whether it is another value in the target.
    pub is_changed: bool,
}

/// An object of the target that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its number.
    pub id: ObjectId,
    /// Its name.
    pub name: String,
}

/// A conflict that is resolved by a definition of somebody's own. What shapes show in its place is
/// one side's, the target's where it has any, until the target of the merge has read the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Defined {
    /// The conflict.
    pub conflict: Conflict,
    /// What was said about it.
    pub definition: Definition,
}

/// The merged schema and what it could not be made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SchemaMerge {
    /// The tables, the target's first.
    pub tables: Vec<MergedTable>,
    /// Indexes, views and triggers, the target's first.
    pub texts: Vec<MergedText>,
    /// The settings.
    pub settings: Vec<MergedSetting>,
    /// What the target has and the merged schema has not.
    pub dropped: Vec<DroppedObject>,
    /// What nothing resolves.
    pub conflicts: Vec<Conflict>,
    /// What is resolved by definitions, but for names, which are in the shapes.
    pub defined: Vec<Defined>,
    /// How many conflicts a policy, a rule or a pick resolved.
    pub resolved: u64,
    /// The source's ids of what both sides added, with the target's.
    pub adapted: Adapted,
    /// The same for the base, which has such a thing where an earlier merge made it one.
    pub adapted_base: Adapted,
}

impl SchemaMerge {
    /// The table of a number.
    pub fn table(&self, id: ObjectId) -> Option<&MergedTable> {
        self.tables.iter().find(|table| table.shape.id == id)
    }

    /// How many objects and settings of the target are added, changed or dropped.
    pub fn changes(&self) -> u64 {
        let tables = self.tables.iter().filter(|table| table.is_changed).count();
        let texts = self.texts.iter().filter(|text| text.is_changed).count();
        (tables + texts + self.dropped.len() + self.changed_settings().count()) as u64
    }

    /// Whether any table, index, view or trigger of the target is added, changed or dropped.
    pub fn changes_objects(&self) -> bool {
        self.changes() > self.changed_settings().count() as u64
    }

    /// The settings that get another value in the target.
    pub fn changed_settings(&self) -> impl Iterator<Item = &SettingShape> {
        self.settings.iter().filter(|setting| setting.is_changed).map(|setting| &setting.shape)
    }

    /// The merged schema without where it comes from.
    pub fn shape(&self) -> Shape {
        let texts = |kind| {
            let texts = self.texts.iter().filter(move |text| text.kind == kind);
            texts.map(|text| text.shape.clone()).collect()
        };
        Shape {
            tables: self.tables.iter().map(|table| table.shape.clone()).collect(),
            indexes: texts(ObjectKind::Index),
            views: texts(ObjectKind::View),
            triggers: texts(ObjectKind::Trigger),
            settings: self.settings.iter().map(|setting| setting.shape.clone()).collect(),
            twins: Twins::default(),
        }
    }
}

/// Tells whether a side changed any row of a table since the base: by the table there and here.
type HasNewRows<'a> = dyn FnMut(Side, &TableShape, &TableShape) -> Result<bool> + 'a;

/// Merges the schemas.
pub(crate) fn merge_shapes(
    base: &Shape,
    ours: &Shape,
    theirs: &Shape,
    options: &MergeOptions,
    has_new_rows: &mut HasNewRows<'_>,
) -> Result<SchemaMerge> {
    let adapt::InOurIds { base, theirs, of_base, of_theirs } = adapt::adapt(base, ours, theirs);
    let base = &base;
    let unsettled = options.unsettled.iter();
    let unsettled = unsettled.filter(|key| matches!(key.scope, Scope::Schema(_)));
    let mut merger = SchemaMerger {
        options,
        unsettled: unsettled.map(|key| of_base.conflict_key(key)).collect(),
        merge: SchemaMerge { adapted: of_theirs, adapted_base: of_base, ..SchemaMerge::default() },
        undecided: BTreeSet::new(),
        named: BTreeSet::new(),
        kept: kept::Kept::new(base, ours, &theirs, options),
        has_new_rows,
    };
    merger.merge_tables(base, ours, &theirs)?;
    for (kind, base, ours, theirs) in [
        (ObjectKind::View, &base.views, &ours.views, &theirs.views),
        (ObjectKind::Index, &base.indexes, &ours.indexes, &theirs.indexes),
        (ObjectKind::Trigger, &base.triggers, &ours.triggers, &theirs.triggers),
    ] {
        merger.merge_texts(kind, base, ours, theirs);
    }
    merger.merge_settings(base, ours, &theirs);
    merger.merge.resolved += merger.kept.answered();
    merger.give_names();
    merger.check_mentions(ours);
    merger.check_names();
    Ok(merger.merge)
}

struct SchemaMerger<'a, 'h> {
    options: &'a MergeOptions,
    /// Parts that the base does not settle: where the sides differ, both have changed them.
    unsettled: BTreeSet<ConflictKey>,
    merge: SchemaMerge,
    /// Columns of tables that are the other side's as long as their conflict stays.
    undecided: BTreeSet<ColumnId>,
    /// Names that are resolved by a definition.
    named: BTreeSet<ConflictKey>,
    /// What stays although one side dropped it.
    kept: kept::Kept,
    has_new_rows: &'a mut HasNewRows<'h>,
}

/// An object that a conflict is about.
#[derive(Clone, Copy)]
struct About<'a> {
    kind: ObjectKind,
    id: ObjectId,
    name: &'a str,
}

/// What the three sides of a conflict say.
#[derive(Default)]
struct Said {
    base: Option<String>,
    ours: Option<String>,
    theirs: Option<String>,
}

impl Said {
    fn all(base: &str, ours: &str, theirs: &str) -> Self {
        Self { base: Some(base.into()), ours: Some(ours.into()), theirs: Some(theirs.into()) }
    }
}

impl SchemaMerger<'_, '_> {
    /// Resolves a conflict or notes it; returns whose side is taken, if any.
    fn disagree(
        &mut self,
        about: About<'_>,
        part: SchemaPart,
        column: Option<&str>,
        said: Said,
        detail: &str,
    ) -> Option<Side> {
        let side = if said.ours.is_some() { Side::Ours } else { Side::Theirs };
        let conflict = conflict(about, part, (column, "definition"), said, detail);
        let side = match self.options.pick(&conflict.key) {
            Some(Pick::Ours) => Side::Ours,
            Some(Pick::Theirs) => Side::Theirs,
            Some(Pick::Definition(definition)) => {
                if gives_name(&conflict.key) {
                    self.named.insert(conflict.key);
                } else {
                    self.merge.defined.push(Defined { conflict, definition });
                }
                side
            }
            _ => {
                self.merge.conflicts.push(conflict);
                return None;
            }
        };
        self.merge.resolved += 1;
        Some(side)
    }

    /// Whether the base settles nothing of a part of an object, or of whether that is there.
    fn is_unsettled(&self, object: ObjectId, part: SchemaPart) -> bool {
        let mut parts = [part, SchemaPart::Whole].into_iter();
        parts.any(|part| {
            self.unsettled.contains(&ConflictKey { object, scope: Scope::Schema(part) })
        })
    }

    /// Whether there is anything about an object that the base does not settle.
    fn has_unsettled(&self, object: ObjectId) -> bool {
        self.unsettled.iter().any(|key| key.object == object)
    }

    /// The name that somebody chose for an object or a column, if any.
    fn name_given(&mut self, object: ObjectId, part: SchemaPart) -> Option<String> {
        let name = self.given(object, part.clone())?.name;
        if self.named.insert(ConflictKey { object, scope: Scope::Schema(part) }) {
            self.merge.resolved += 1;
        }
        Some(name)
    }

    /// What somebody says that a part of an object is to be.
    fn given(&self, object: ObjectId, part: SchemaPart) -> Option<Definition> {
        match self.options.pick(&ConflictKey { object, scope: Scope::Schema(part) }) {
            Some(Pick::Definition(definition)) => Some(definition),
            _ => None,
        }
    }

    /// Whether a conflict about a part of an object is resolved by a definition.
    fn is_defined(&self, object: ObjectId, part: &SchemaPart) -> bool {
        self.merge.defined.iter().any(|defined| {
            let key = &defined.conflict.key;
            key.object == object && matches!(&key.scope, Scope::Schema(known) if known == part)
        })
    }

    /// Gives objects the names that somebody chose for them. Views have none of these: what
    /// mentions one does not follow it.
    fn give_names(&mut self) {
        for place in 0..self.merge.tables.len() {
            let id = self.merge.tables[place].shape.id;
            let Some(name) = self.name_given(id, SchemaPart::Name) else { continue };
            let table = &mut self.merge.tables[place];
            table.is_changed |= table.ours.as_ref().is_none_or(|ours| ours.name != name);
            table.shape.name = name;
        }
        for place in 0..self.merge.texts.len() {
            let text = &self.merge.texts[place];
            let (kind, id) = (text.kind, text.shape.id);
            if self.is_defined(id, &SchemaPart::Whole) {
                let text = &mut self.merge.texts[place];
                (text.source, text.is_changed) = (TextSource::Defined, true);
            }
            if kind == ObjectKind::View {
                continue;
            }
            if let Some(name) = self.name_given(id, SchemaPart::Name) {
                let text = &mut self.merge.texts[place];
                (text.shape.name, text.is_changed) = (name, true);
            }
        }
    }

    /// Two objects that got one name on two ways.
    fn check_names(&mut self) {
        let mut names: BTreeMap<(bool, String), ObjectId> = BTreeMap::new();
        let tables = self.merge.tables.iter();
        let tables =
            tables.map(|table| (ObjectKind::Table, table.shape.id, table.shape.name.clone()));
        let texts = self.merge.texts.iter();
        let texts = texts.map(|text| (text.kind, text.shape.id, text.shape.name.clone()));
        let all: Vec<(ObjectKind, ObjectId, String)> = tables.chain(texts).collect();
        for (kind, id, name) in all {
            let place = (kind == ObjectKind::Trigger, name.to_ascii_lowercase());
            let Some(other) = names.insert(place, id).filter(|other| *other != id) else {
                continue;
            };
            if self.is_contested(id) || self.is_contested(other) {
                // What a conflict is about may yet go or be renamed; both wait for that.
                self.hold_back(id);
                self.hold_back(other);
                continue;
            }
            let about = About { kind, id, name: &name };
            let said = Said { theirs: Some(name.clone()), ..Said::default() };
            let detail = "the branches have different objects of this name: rename one";
            self.refuse(about, SchemaPart::Name, None, said, detail);
            // Neither can be given the name, whichever of them is to change.
            let both = |table: &&mut MergedTable| [id, other].contains(&table.shape.id);
            let tables = self.merge.tables.iter_mut().filter(both);
            tables.for_each(|table| table.is_blocked = true);
        }
        while self.hold_back_named_as_blocked() {}
    }

    /// Leaves out what wants a name that a table of the target keeps, because a conflict is about
    /// it; whether there was anything.
    fn hold_back_named_as_blocked(&mut self) -> bool {
        let blocked = self.merge.tables.iter().filter(|table| table.is_blocked);
        let kept = blocked.filter_map(|table| Some((table.shape.id, table.ours.as_ref()?)));
        let kept: Vec<(ObjectId, String)> =
            kept.map(|(id, ours)| (id, ours.name.to_ascii_lowercase())).collect();
        let is_kept = |id: ObjectId, name: &str| {
            kept.iter().any(|(other, kept)| *other != id && kept.eq_ignore_ascii_case(name))
        };
        let mut found = false;
        for table in self.merge.tables.iter_mut().filter(|table| !table.is_blocked) {
            if is_kept(table.shape.id, &table.shape.name) {
                table.is_blocked = true;
                found = true;
            }
        }
        self.merge.texts.retain(|text| {
            text.source == TextSource::Ours
                || text.kind == ObjectKind::Trigger
                || !is_kept(text.shape.id, &text.shape.name)
        });
        found
    }

    /// Whether a conflict that stays is about an object.
    fn is_contested(&self, id: ObjectId) -> bool {
        self.merge.tables.iter().any(|table| table.shape.id == id && table.is_blocked)
            || self.merge.conflicts.iter().any(|conflict| conflict.key.object == id)
    }

    /// Leaves an object out of a merge that will not be.
    fn hold_back(&mut self, id: ObjectId) {
        let tables = self.merge.tables.iter_mut().filter(|table| table.shape.id == id);
        tables.for_each(|table| table.is_blocked = true);
        self.merge.texts.retain(|text| text.shape.id != id || text.source == TextSource::Ours);
    }

    /// A conflict that no side resolves: it is there until one branch gives way.
    fn refuse(
        &mut self,
        about: About<'_>,
        part: SchemaPart,
        column: Option<&str>,
        said: Said,
        detail: &str,
    ) {
        self.merge.conflicts.push(conflict(about, part, (column, "name"), said, detail));
        if let Some(table) = self.merge.tables.iter_mut().find(|table| table.shape.id == about.id) {
            table.is_blocked = true;
        }
    }
}

/// Whether a conflict is about a name alone.
fn gives_name(key: &ConflictKey) -> bool {
    matches!(key.scope, Scope::Schema(SchemaPart::Name | SchemaPart::ColumnName(_)))
}

/// A conflict about a part of a definition; with the column that it is about, and what the sides
/// list.
fn conflict(
    about: About<'_>,
    part: SchemaPart,
    (column, listed): (Option<&str>, &str),
    said: Said,
    detail: &str,
) -> Conflict {
    let one = |text: Option<String>| text.map(|text| vec![Value::text(text)]);
    Conflict {
        key: ConflictKey { object: about.id, scope: Scope::Schema(part) },
        kind: ConflictKind::Schema,
        object_kind: about.kind,
        object_name: about.name.into(),
        column_name: column.map(str::to_owned),
        columns: vec![listed.into()],
        row_key: Vec::new(),
        base: one(said.base),
        ours: one(said.ours),
        theirs: one(said.theirs),
        detail: detail.into(),
    }
}

/// As [`three`], where the base may mean nothing.
fn three_or_two<T: ?Sized>(
    is_unsettled: bool,
    [base, ours, theirs]: [&T; 3],
    is_same: impl Fn(&T, &T) -> bool,
) -> Option<Side> {
    if is_unsettled {
        return is_same(ours, theirs).then_some(Side::Ours);
    }
    three(base, ours, theirs, is_same)
}

/// Whose version of a thing stands; none where both sides changed it, differently.
fn three<T: ?Sized>(
    base: &T,
    ours: &T,
    theirs: &T,
    is_same: impl Fn(&T, &T) -> bool,
) -> Option<Side> {
    if is_same(ours, theirs) || is_same(base, theirs) {
        Some(Side::Ours)
    } else if is_same(base, ours) {
        Some(Side::Theirs)
    } else {
        None
    }
}
