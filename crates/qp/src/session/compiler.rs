//! Programs of triggers and statements of foreign keys, compiled when a statement that may fire
//! them is planned, or when they are first needed.
//!
//! Neighbours: `modify::trigger` and `modify::foreign_key` ask.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::Session;
use super::prepare::select_plan;
use crate::ast::StatementKind;
use crate::bind::{Binder, Environment};
use crate::catalog::{DatabaseIndex, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::modify_statement;
use crate::modify::{
    Compiler, ModifyPlan, TriggerProgram, TriggerStatement, bind_trigger, trigger_subject,
};
use crate::parse::parse_statement;
use crate::plan::SelectPlan;

impl Session {
    /// Calls `work` with what is there now to bind against, and forgets programs that were
    /// compiled for other schemas.
    fn compile<T>(&self, work: impl FnOnce(&Environment<'_>) -> Result<T>) -> Result<T> {
        let schemas: Vec<_> =
            self.databases.borrow().iter().map(|attached| attached.schema.clone()).collect();
        self.with_environment_at(&schemas, &[], None, work)
    }

    fn refresh_programs(&self) {
        let mut cookies: Vec<u64> =
            self.databases.borrow().iter().map(|attached| attached.schema.cookie).collect();
        cookies.push(self.generation.get());
        let mut programs = self.programs.borrow_mut();
        if programs.cookies != cookies {
            *programs = super::Programs { cookies, ..super::Programs::default() };
        }
    }
}

impl Session {
    /// Compiles what a change may fire, and what that may fire: as in SQLite a name that is not
    /// there fails the statement before it does anything.
    pub(super) fn compile_triggers(&self, plan: &ModifyPlan) -> Result<()> {
        let mut waiting = plan.triggers();
        let mut seen = Vec::new();
        while let Some(trigger) = waiting.pop() {
            if seen.contains(&trigger.id) {
                continue;
            }
            seen.push(trigger.id);
            for statement in &self.trigger(&trigger)?.statements {
                if let TriggerStatement::Modify(plan) = statement {
                    waiting.extend(plan.triggers());
                }
            }
        }
        Ok(())
    }
}

impl Compiler for Session {
    fn trigger(&self, trigger: &Arc<Trigger>) -> Result<Arc<TriggerProgram>> {
        self.refresh_programs();
        if let Some(known) = self.programs.borrow().triggers.get(&trigger.id) {
            return Ok(Arc::clone(known));
        }
        let program = self.compile(|environment| {
            let table = trigger_subject(environment, trigger)?;
            bind_trigger(environment, trigger, &table)
        })?;
        let program = Arc::new(program);
        self.programs.borrow_mut().triggers.insert(trigger.id, Arc::clone(&program));
        Ok(program)
    }

    fn change(&self, database: DatabaseIndex, sql: &str) -> Result<Arc<ModifyPlan>> {
        self.refresh_programs();
        let key = (database, Box::from(sql));
        if let Some(known) = self.programs.borrow().changes.get(&key) {
            return Ok(Arc::clone(known));
        }
        let plan = self.compile(|environment| {
            let (statement, _) = parse_statement(sql)?;
            let statement = statement.ok_or_else(empty)?;
            let mut binder = Binder::new(environment, Arc::from(sql));
            binder.home = Some(database);
            modify_statement(&mut binder, &statement)
        })?;
        let plan = Arc::new(plan);
        self.programs.borrow_mut().changes.insert(key, Arc::clone(&plan));
        Ok(plan)
    }

    fn pragma(&self, name: &str, arguments: &[Value]) -> Result<Vec<Vec<Value>>> {
        crate::pragma::rows(self, name, arguments)
    }

    fn query(&self, database: DatabaseIndex, sql: &str) -> Result<Arc<SelectPlan>> {
        self.refresh_programs();
        let key = (database, Box::from(sql));
        if let Some(known) = self.programs.borrow().queries.get(&key) {
            return Ok(Arc::clone(known));
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
        self.programs.borrow_mut().queries.insert(key, Arc::clone(&plan));
        Ok(plan)
    }
}

fn empty() -> Error {
    Error::new(ErrorKind::Internal, "the engine's own statement is not one")
}
