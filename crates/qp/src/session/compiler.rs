//! Programs of triggers and statements of foreign keys, compiled when a statement that may fire
//! them is planned, or when they are first needed.
//!
//! Neighbours: `modify::trigger` and `modify::foreign_key` ask.

use pandodb_branch::registry::Branches;
use pandodb_branch::shape::ObjectId as BranchObject;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use rustc_hash::FxHashMap;

use super::Session;
use super::prepare::select_plan;
use super::version::known as known_versions;
use crate::ast::StatementKind;
use crate::bind::{Binder, Environment};
use crate::catalog::{DatabaseIndex, ObjectId, Table, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{GivenRows, SharedTransaction, Versions};
use crate::modify::modify_statement;
use crate::modify::{
    Compiler, ModifyPlan, TriggerProgram, TriggerStatement, bind_trigger, trigger_subject,
};
use crate::parse::parse_statement;
use crate::plan::SelectPlan;

/// Plans of the engine's own words, by their text and the database that they are about.
#[derive(Debug)]
pub(super) struct OwnPlans<P>(FxHashMap<Box<str>, Vec<(DatabaseIndex, Arc<P>)>>);

impl<P> Default for OwnPlans<P> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<P> OwnPlans<P> {
    fn of(&self, database: DatabaseIndex, sql: &str) -> Option<Arc<P>> {
        let mut plans = self.0.get(sql)?.iter();
        plans.find(|(of, _)| *of == database).map(|(_, plan)| Arc::clone(plan))
    }

    fn insert(&mut self, database: DatabaseIndex, sql: &str, plan: Arc<P>) {
        self.0.entry(Box::from(sql)).or_default().push((database, plan));
    }
}

impl Session {
    /// Calls `work` with what is there now to bind against, and forgets programs that were
    /// compiled for other schemas.
    fn compile<T>(&self, work: impl FnOnce(&Environment<'_>) -> Result<T>) -> Result<T> {
        let schemas: Vec<_> =
            self.databases.borrow().iter().map(|attached| attached.schema.clone()).collect();
        self.with_environment_at(&schemas, &[], None, work)
    }

    fn refresh_programs(&self) {
        // This is asked for each row.
        let databases = self.databases.borrow();
        let schemas = databases.iter().map(|attached| attached.schema.cookie);
        let cookies = schemas.chain([self.generation.get()]);
        if !cookies.clone().eq(self.programs.borrow().cookies.iter().copied()) {
            let cookies = cookies.collect();
            self.programs.replace(super::Programs { cookies, ..super::Programs::default() });
        }
    }
}

impl Session {
    /// Compiles what a change may fire, and what that may fire: as in SQLite a name that is not
    /// there fails the statement before it does anything.
    pub(super) fn compile_triggers(
        &self,
        plan: &ModifyPlan,
        sources: &[Option<SharedTransaction>],
    ) -> Result<()> {
        // Rows that REPLACE takes away fire theirs only where triggers may nest.
        let replacing = self.settings.borrow().recursive_triggers;
        let mut waiting = plan.triggers(replacing);
        let mut seen = Vec::new();
        while let Some(trigger) = waiting.pop() {
            if seen.contains(&trigger.id) {
                continue;
            }
            seen.push(trigger.id);
            for statement in &self.trigger(&trigger, sources)?.0.statements {
                if let TriggerStatement::Modify(plan) = statement {
                    waiting.extend(plan.triggers(replacing));
                }
            }
        }
        Ok(())
    }
}

impl Compiler for Session {
    fn trigger(
        &self,
        trigger: &Arc<Trigger>,
        sources: &[Option<SharedTransaction>],
    ) -> Result<(Arc<TriggerProgram>, Option<Versions>)> {
        self.refresh_programs();
        let known = self.programs.borrow().triggers.get(&trigger.id).cloned();
        // Each statement that may fire a trigger is asked for what that does.
        let known = known.filter(|_| self.asked().is_none());
        if let Some((program, names)) = known {
            if names.is_empty() {
                return Ok((program, None));
            }
            if let Some(versions) = self.reopen(&names, sources)? {
                return Ok((program, Some(versions)));
            }
        }
        let versions = Versions::default();
        let schemas: Vec<_> =
            self.databases.borrow().iter().map(|attached| attached.schema.clone()).collect();
        let program = self.with_environment_for(
            &schemas,
            (&[], None),
            (sources, Some(&versions)),
            |environment| {
                let table = trigger_subject(environment, trigger)?;
                bind_trigger(environment, trigger, &table)
            },
        )?;
        let (program, names) = (Arc::new(program), known_versions(&versions));
        let versions = (!names.is_empty()).then_some(versions);
        let kept = (Arc::clone(&program), names);
        self.programs.borrow_mut().triggers.insert(trigger.id, kept);
        Ok((program, versions))
    }

    fn next_number(&self, table: &Table, own: i64) -> Result<Option<i64>> {
        if let Some(next) = self.tried_number(table, own)? {
            return Ok(Some(next));
        }
        let Some(branches) = self.sharing_branches(table)? else { return Ok(None) };
        let id = BranchObject(table.id.0);
        let next = branches.counters().next(id, own, || greatest_number(&branches, table.id))?;
        Ok(Some(next))
    }

    fn note_number(&self, table: &Table, number: i64) -> Result<()> {
        if let Some((branches, _)) = self.counting_branches(table)? {
            branches.counters().raise(BranchObject(table.id.0), number);
        }
        Ok(())
    }

    fn change(&self, database: DatabaseIndex, sql: &str) -> Result<Arc<ModifyPlan>> {
        self.refresh_programs();
        if let Some(known) = self.programs.borrow().changes.of(database, sql) {
            return Ok(known);
        }
        let plan = self.compile(|environment| {
            let (statement, _) = parse_statement(sql)?;
            let statement = statement.ok_or_else(empty)?;
            let mut binder = Binder::new(environment, Arc::from(sql));
            binder.home = Some(database);
            modify_statement(&mut binder, &statement)
        })?;
        let plan = Arc::new(plan);
        self.programs.borrow_mut().changes.insert(database, sql, Arc::clone(&plan));
        Ok(plan)
    }

    fn pragma(&self, name: &str, arguments: &[Value]) -> Result<GivenRows> {
        crate::pragma::rows(self, name, arguments)
    }

    fn query(&self, database: DatabaseIndex, sql: &str) -> Result<Arc<SelectPlan>> {
        self.refresh_programs();
        if let Some(known) = self.programs.borrow().queries.of(database, sql) {
            return Ok(known);
        }
        let plan = self.compile(|environment| {
            let (statement, _) = parse_statement(sql)?;
            let statement = statement.ok_or_else(empty)?;
            let StatementKind::Select(select) = &statement.kind else { return Err(empty()) };
            let mut binder = Binder::new(environment, Arc::from(sql));
            binder.home = Some(database);
            select_plan(&mut binder, select)
        })?;
        let plan = Arc::new(plan);
        self.programs.borrow_mut().queries.insert(database, sql, Arc::clone(&plan));
        Ok(plan)
    }
}

impl Session {
    /// The branches of a table's database where there is more than one.
    fn sharing_branches(&self, table: &Table) -> Result<Option<Arc<Branches>>> {
        let found = self.counting_branches(table)?;
        Ok(found.filter(|(_, is_shared)| *is_shared).map(|(branches, _)| branches))
    }

    /// The branches of a table's database, if the session is on one of them and the table does not
    /// count on each alone; and whether there are others.
    fn counting_branches(&self, table: &Table) -> Result<Option<(Arc<Branches>, bool)>> {
        if table.counts_alone || table.database == DatabaseIndex::TEMP {
            return Ok(None);
        }
        let (database, head) = self.database(table.database)?;
        let Some(branches) = database.branches_if_any()? else { return Ok(None) };
        let is_shared = branches
            .with(|state| state.branch_of(head.0).is_some().then_some(state.branch_count() > 1))?;
        Ok(is_shared.map(|is_shared| (branches, is_shared)))
    }

    /// The next number of a table for what is only tried: beyond all that branches have, who do
    /// not hear of it. How far they are is kept, for who does it after all.
    fn tried_number(&self, table: &Table, own: i64) -> Result<Option<i64>> {
        let is_tried = self.forked_from.get().is_some() && table.database == DatabaseIndex::MAIN;
        if !is_tried || table.counts_alone {
            return Ok(None);
        }
        let branches = self.database(DatabaseIndex::MAIN)?.0.branches()?;
        let seen = self.tried_numbers.borrow().get(&table.id).copied();
        let seen = if let Some(seen) = seen {
            seen
        } else {
            let id = BranchObject(table.id.0);
            let seen = branches.counters().now(id, || greatest_number(&branches, table.id))?;
            self.tried_numbers.borrow_mut().insert(table.id, seen);
            seen
        };
        let next = seen.max(own).checked_add(1).ok_or_else(|| {
            let message = "all numbers of an AUTOINCREMENT column are used up";
            Error::new(ErrorKind::Limit, message)
        })?;
        Ok(Some(next))
    }
}

/// How far the counter of a table is on any branch.
pub(crate) fn greatest_number(branches: &Branches, table: ObjectId) -> pandodb_branch::Result<i64> {
    let pager = branches.manager().pager();
    branches.greatest_counter(|forest| {
        crate::modify::counter_of(pager, forest, table).map_err(|error| {
            let kind = pandodb_branch::ErrorKind::Transaction;
            pandodb_branch::Error::new(kind, error.message().to_owned())
        })
    })
}

fn empty() -> Error {
    Error::new(ErrorKind::Internal, "the engine's own statement is not one")
}
