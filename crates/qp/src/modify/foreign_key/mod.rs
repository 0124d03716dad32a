//! Foreign keys: the child's promise, the parent's actions.
//!
//! As in SQLite, a broken key is counted, not refused: a child without parent adds one, what
//! mends it takes one away, and the count must be zero at the end of the statement (or, for
//! deferred keys, of the transaction). A row that goes is looked at before it is gone, one that
//! comes before it is there; between the two an UPDATE is a row that goes and one that comes.
//! What the parent does to its children follows when the row is written.
//!
//! | file | what |
//! |---|---|
//! | `child` | whether a child's row has a parent |
//! | `look` | both by a tree that has the key, where there is one |
//! | `parent` | how many children a parent's row has, and the actions on them |
//! | `orphans` | the query for rows whose parent is missing |
//! | `statement` | both are statements in SQL that the engine writes itself, compiled once |
//!
//! Neighbours: `insert`, `update`, `delete` call this; `session` looks at the counts.

mod child;
mod look;
mod orphans;
mod parent;
mod statement;

use pandodb_ds::sync::Arc;

use self::child::ChildKey;
pub(crate) use self::orphans::{is_mismatched, orphans};
use self::parent::ParentKey;
pub(crate) use self::statement::{has_parent_key, mismatch, quoted};
use super::TableWriter;
use super::constraint::fail;
use crate::ast::{ConflictAction, ForeignKeyAction};
use crate::catalog::{Schema, Table};
use crate::error::{Constraint, Error, Result};
use crate::execute::{Context, Kept, Outer};

/// The foreign keys of a table, from both sides, each in the order in which SQLite looks at them:
/// the newest first.
#[derive(Debug, Default)]
pub(super) struct ForeignKeys {
    as_child: Vec<ChildKey>,
    as_parent: Vec<ParentKey>,
}

/// What an action does to a child.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) child: Arc<Table>,
    /// The positions of the columns that it sets; none where it deletes rows.
    pub(super) set: Option<Vec<usize>>,
}

impl PartialEq for Effect {
    fn eq(&self, other: &Self) -> bool {
        self.child.id == other.child.id && self.set == other.set
    }
}

/// What a change touches of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Touched<'a> {
    /// It comes or goes.
    Row,
    /// The columns at these positions are set, to whatever value.
    Columns(&'a [usize]),
}

/// What an UPDATE of some columns has to do with the keys of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// Nothing.
    None,
    /// Keys are looked at.
    Looks,
    /// Keys are looked at while neither the old row nor the new one is there: as in SQLite where
    /// an action follows, or where the table refers to itself.
    LooksBetween,
}

/// The keys, in their order, whose parent has no children that an action could mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Childless(u64);

/// A row that comes.
#[derive(Clone, Copy)]
pub(super) struct Coming<'a> {
    /// The row.
    pub(super) row: &'a Kept,
    /// The row that it replaces.
    pub(super) old: Option<&'a Kept>,
    /// Whether that one is gone already, as far as keys can tell.
    pub(super) is_old_gone: bool,
    /// The statement adds this row and nothing else: it is refused at once.
    pub(super) is_single: bool,
}

impl ForeignKeys {
    /// The keys of a table.
    pub(super) fn of(schema: &Schema, table: &Arc<Table>) -> Self {
        let own = table.foreign_keys.iter().rev();
        let as_child = own.map(|key| ChildKey::new(schema, table, key)).collect();
        let children = schema.children_of(&table.name).iter().rev();
        let as_parent = children
            .map(|(child, number)| ParentKey::new(table, child, &child.foreign_keys[*number]))
            .collect();
        Self { as_child, as_parent }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.as_child.is_empty() && self.as_parent.is_empty()
    }

    /// Whether other rows may follow one that goes.
    pub(super) fn has_children(&self) -> bool {
        !self.as_parent.is_empty()
    }

    /// What an UPDATE that sets the columns at some positions has to do with the keys.
    pub(super) fn concern(&self, assigned: &[usize]) -> Concern {
        let mut concern = Concern::None;
        for key in self.as_child.iter().filter(|key| key.is_set(assigned)) {
            if key.is_own() {
                concern = Concern::LooksBetween;
            } else if concern == Concern::None {
                concern = Concern::Looks;
            }
        }
        for key in self.as_parent.iter().filter(|key| key.is_set(assigned)) {
            if key.on_update != ForeignKeyAction::NoAction {
                return Concern::LooksBetween;
            }
            if concern == Concern::None {
                concern = Concern::Looks;
            }
        }
        concern
    }

    /// Refuses a change of rows that could not be looked up by one of their keys, because there is
    /// no parent or it has no such key. As in SQLite it does not matter which rows there are. An
    /// UPDATE that no key concerns is not asked about. `is_single` is as in [`Coming`].
    pub(super) fn check_definitions(&self, touched: Touched<'_>, is_single: bool) -> Result<()> {
        for key in self.touched_children(touched) {
            key.check_definition()?;
        }
        // All of them, whatever is set: SQLite asks each which columns of the old row it reads.
        for key in self.as_parent.iter().filter(|key| key.deferred || !is_single) {
            key.check_definition()?;
        }
        Ok(())
    }

    /// Forgets what does not matter to rows that go with their table: keys that name no key of
    /// their parent. One whose parent is gone counts: its rows were missed when that one went.
    pub(super) fn keep_for_drop(&mut self) {
        self.as_child.retain(|key| key.check_definition().is_ok() || key.is_without_parent());
        self.as_parent.retain(|key| key.check_definition().is_ok());
    }

    /// What a change does to other tables by its actions, and by those that follow of them. It is
    /// refused where these cannot be: that set generated columns, or foreign keys that name no
    /// parent. As in SQLite it does not matter which rows there are.
    pub(super) fn actions(&self, schema: &Schema, touched: Touched<'_>) -> Result<Vec<Effect>> {
        let mut known: Vec<Effect> = Vec::new();
        self.effects(touched, &mut known)?;
        let mut next = 0;
        while let Some(Effect { child, set }) = known.get(next).cloned() {
            next += 1;
            let touched = set.as_deref().map_or(Touched::Row, Touched::Columns);
            let keys = Self::of(schema, &child);
            keys.check_definitions(touched, false)?;
            keys.effects(touched, &mut known)?;
        }
        Ok(known)
    }

    /// Adds what a change does to the children, if it is not known yet.
    fn effects(&self, touched: Touched<'_>, known: &mut Vec<Effect>) -> Result<()> {
        let goes = matches!(touched, Touched::Row);
        for key in self.touched_parents(touched) {
            let effect = key.effect(goes)?;
            known.extend(effect.filter(|effect| !known.contains(effect)));
        }
        Ok(())
    }

    /// A row is about to go, or to change.
    pub(super) fn leaving(
        &self,
        writer: &TableWriter,
        old: &Kept,
        touched: Touched<'_>,
        outer: Outer<'_>,
    ) -> Result<Childless> {
        for key in self.touched_children(touched) {
            key.taken(writer, old, outer)?;
        }
        let mut childless = Childless::default();
        for (place, key) in self.touched_parents(touched).enumerate() {
            if key.missed(writer, old, outer)? {
                childless.0 |= 1_u64.checked_shl(place as u32).unwrap_or(0);
            }
        }
        Ok(childless)
    }

    /// A row is about to come, or an old one in another form.
    pub(super) fn coming(
        &self,
        writer: &TableWriter,
        coming: Coming<'_>,
        touched: Touched<'_>,
        outer: Outer<'_>,
    ) -> Result<()> {
        for key in self.touched_children(touched) {
            let is_moved = matches!(touched, Touched::Columns(set) if key.sets_parent(set));
            let hidden = coming.old.filter(|_| coming.is_old_gone || is_moved);
            if key.is_orphan(writer, coming.row, hidden, outer)? {
                if coming.is_single && !is_put_off(key.deferred, outer.context) {
                    let error = Error::constraint(Constraint::ForeignKey, "");
                    return Err(fail(error, ConflictAction::Abort, outer));
                }
                violate(key.deferred, 1, outer.context);
            }
        }
        for key in self.touched_parents(touched) {
            // A single new row neither breaks nor mends what is not put off.
            if !coming.is_single || is_put_off(key.deferred, outer.context) {
                let hidden = coming.old.filter(|_| coming.is_old_gone);
                key.mended(writer, coming.row, hidden, outer)?;
            }
        }
        Ok(())
    }

    /// A row is gone, or has become `new`: its children follow, but for those of which
    /// [`leaving`](Self::leaving) has told that there are none.
    pub(super) fn act(
        &self,
        writer: &TableWriter,
        (old, new): (&Kept, Option<&Kept>),
        childless: Childless,
        touched: Touched<'_>,
        outer: Outer<'_>,
    ) -> Result<()> {
        for (place, key) in self.touched_parents(touched).enumerate() {
            if childless.0.checked_shr(place as u32).unwrap_or(0) & 1 == 0 {
                key.act(writer, old, new, outer)?;
            }
        }
        Ok(())
    }

    /// The keys whose parents are looked up. As in SQLite an UPDATE that has to do with any key
    /// looks at those to the table itself, whatever it sets.
    fn touched_children<'a>(&'a self, touched: Touched<'a>) -> impl Iterator<Item = &'a ChildKey> {
        self.as_child.iter().filter(move |key| match touched {
            Touched::Row => true,
            Touched::Columns(set) => key.is_own() || key.is_set(set),
        })
    }

    fn touched_parents<'a>(&'a self, touched: Touched<'a>) -> impl Iterator<Item = &'a ParentKey> {
        self.as_parent.iter().filter(move |key| match touched {
            Touched::Row => true,
            Touched::Columns(set) => key.is_set(set),
        })
    }
}

/// Whether a key may be broken until the transaction ends.
fn is_put_off(deferred: bool, context: &Context<'_>) -> bool {
    deferred || context.settings.defer_foreign_keys
}

/// Whether nothing is broken that a change could mend: then none is looked for.
fn is_settled(deferred: bool, context: &Context<'_>) -> bool {
    let counters = context.counters;
    let put_off = counters.deferred_violations.get();
    let own = if deferred { put_off.declared } else { counters.immediate_violations.get() };
    own == 0 && put_off.by_setting == 0
}

fn violate(deferred: bool, by: i64, context: &Context<'_>) {
    let counters = context.counters;
    let mut put_off = counters.deferred_violations.get();
    if deferred {
        put_off.declared += by;
    } else if context.settings.defer_foreign_keys {
        put_off.by_setting += by;
    } else {
        counters.immediate_violations.set(counters.immediate_violations.get() + by);
    }
    counters.deferred_violations.set(put_off);
}
