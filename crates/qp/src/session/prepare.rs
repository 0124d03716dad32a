//! From text to a prepared statement.
//!
//! Plans are immutable and shared; the cache finds them by text. One is used again as long as
//! the schemas have the cookies that it was made for and neither settings nor functions have
//! changed. Neighbours: `statement` runs what is made here.

use pandodb_ds::sync::Arc;
use rustc_hash::FxHashMap;

use super::version::{Finder, KnownVersion, known};
use super::{Session, Statement};
use crate::ast::{self, ExplainMode, StatementKind};
use crate::bind::{Binder, Environment, Statistics};
use crate::catalog::{DatabaseIndex, Schema, Table};
use crate::error::{Error, Result};
use crate::execute::{SharedTransaction, Versions};
use crate::modify::{ModifyPlan, modify_statement};
use crate::parse::parse_statement_within;
use crate::plan::{OutputColumn, SelectPlan, SourceId, explain_query_plan};

/// How many plans are kept.
const CACHE_MAX: usize = 128;

/// A statement ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// Its text.
    pub sql: Box<str>,
    /// What it does.
    pub kind: PreparedKind,
    /// What its results are called.
    pub columns: Vec<OutputColumn>,
    /// How many parameters it has.
    pub parameters: u32,
    /// Their names, counted from 0.
    pub parameter_names: Vec<Option<Box<str>>>,
    /// The databases that it changes.
    pub writes: Vec<DatabaseIndex>,
    /// The cookies of the schemas that it was made for.
    pub(super) cookies: Vec<u64>,
    pub(super) generation: u64,
    /// Other branches and times that it reads.
    pub(super) versions: Vec<KnownVersion>,
}

/// What a statement does.
#[derive(Debug)]
pub enum PreparedKind {
    /// A query.
    Select(SelectPlan),
    /// A change.
    Modify(ModifyPlan),
    /// Rows that are known already: EXPLAIN.
    Rows(Vec<Vec<pandodb_ds::record::Value>>),
    /// Everything else.
    Command(ast::Statement),
}

/// Plans by text.
#[derive(Debug, Default)]
pub(super) struct Cache {
    plans: FxHashMap<Box<str>, (Arc<Prepared>, usize)>,
}

/// Row counts from the trees.
struct TreeStatistics<'a>(&'a [Option<SharedTransaction>], Option<&'a Versions>);

impl Statistics for TreeStatistics<'_> {
    fn rows(&self, source: SourceId, table: &Table) -> u64 {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            let count =
                self.1.map(|versions| versions.count_range(database, table.tree, &[], None));
            return count.and_then(Result::ok).unwrap_or(0);
        }
        let transaction = self.0.get(usize::from(source.0)).and_then(Option::as_ref);
        transaction.map_or(0, |transaction| transaction.borrow().len(table.tree).unwrap_or(0))
    }
}

impl Session {
    /// Prepares the first statement of a text; tells where the next one begins.
    pub fn prepare(&self, sql: &str) -> Result<(Option<Statement<'_>>, usize)> {
        let (prepared, behind) = self.prepare_shared(sql)?;
        Ok((prepared.map(|prepared| Statement::new(self, prepared)), behind))
    }

    pub(super) fn prepare_shared(&self, sql: &str) -> Result<(Option<Arc<Prepared>>, usize)> {
        let known = self.cache.borrow().plans.get(sql).cloned();
        if let Some((prepared, behind)) = known
            && prepared.generation == self.generation.get()
        {
            return Ok((Some(prepared), behind));
        }
        let (statement, behind) = parse_statement_within(sql, &self.limits())?;
        let Some(statement) = statement else { return Ok((None, behind)) };
        let prepared = Arc::new(self.plan(sql, statement)?);
        if !matches!(prepared.kind, PreparedKind::Command(_)) {
            let mut cache = self.cache.borrow_mut();
            if cache.plans.len() >= CACHE_MAX {
                cache.plans.clear();
            }
            cache.plans.insert(Box::from(sql), (Arc::clone(&prepared), behind));
        }
        Ok((Some(prepared), behind))
    }

    /// Plans a statement against the schemas of now.
    fn plan(&self, sql: &str, statement: ast::Statement) -> Result<Prepared> {
        let is_planned = matches!(
            statement.kind,
            StatementKind::Select(_)
                | StatementKind::Insert(_)
                | StatementKind::Update(_)
                | StatementKind::Delete(_)
                | StatementKind::Explain(..)
        );
        let mut prepared = Prepared {
            sql: Box::from(sql),
            kind: PreparedKind::Rows(Vec::new()),
            columns: Vec::new(),
            parameters: 0,
            parameter_names: Vec::new(),
            writes: Vec::new(),
            cookies: Vec::new(),
            generation: self.generation.get(),
            versions: Vec::new(),
        };
        self.check_where(&statement)?;
        if !is_planned {
            prepared.columns = self.command_columns(&statement);
            prepared.kind = PreparedKind::Command(statement);
            return Ok(prepared);
        }
        let sources = self.sources(&self.all_databases(), &[])?;
        let planned = self.plan_with(&sources, &statement, &mut prepared);
        if self.is_autocommit() {
            sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
        }
        planned.map(|()| prepared)
    }

    /// `require_where`: a change of all rows at once is refused.
    fn check_where(&self, statement: &ast::Statement) -> Result<()> {
        if !self.settings.borrow().require_where {
            return Ok(());
        }
        let (word, is_bounded) = match &statement.kind {
            StatementKind::Update(update) => {
                ("UPDATE", update.filter.is_some() || update.limit.is_some())
            }
            StatementKind::Delete(delete) => {
                ("DELETE", delete.filter.is_some() || delete.limit.is_some())
            }
            _ => return Ok(()),
        };
        if is_bounded {
            return Ok(());
        }
        let message = format!("{word} without a WHERE clause is refused by require_where");
        Err(Error::invalid(message)
            .at(statement.span)
            .with_hint("PRAGMA require_where = OFF, or WHERE true"))
    }

    fn plan_with(
        &self,
        sources: &[Option<SharedTransaction>],
        statement: &ast::Statement,
        prepared: &mut Prepared,
    ) -> Result<()> {
        let schemas = self.load_schemas(sources)?;
        prepared.cookies = schemas.iter().map(|schema| schema.cookie).collect();
        let versions = Versions::default();
        self.with_environment_at(&schemas, sources, Some(&versions), |environment| {
            let text: Arc<str> = Arc::from(&*prepared.sql);
            let mut binder = Binder::new(environment, text);
            match &statement.kind {
                StatementKind::Explain(mode, inner) => {
                    explain(&mut binder, *mode, inner, prepared)?;
                }
                StatementKind::Select(select) => {
                    let plan = select_plan(&mut binder, select)?;
                    prepared.columns.clone_from(&plan.columns);
                    prepared.kind = PreparedKind::Select(plan);
                }
                _ => {
                    let plan = modify_statement(&mut binder, statement)?;
                    if let Some(returning) = &plan.returning {
                        prepared.columns.clone_from(&returning.columns);
                    }
                    prepared.writes = written(&plan, &schemas);
                    prepared.kind = PreparedKind::Modify(plan);
                }
            }
            prepared.parameters = binder.parameters;
            prepared.parameter_names = std::mem::take(&mut binder.parameter_names);
            prepared.parameter_names.resize(prepared.parameters as usize, None);
            prepared.versions = known(&versions);
            Ok(())
        })
    }

    /// Calls `work` with what statements are bound against.
    pub(crate) fn with_environment<T>(
        &self,
        schemas: &[Arc<Schema>],
        sources: &[Option<SharedTransaction>],
        work: impl FnOnce(&Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_environment_at(schemas, sources, Some(&Versions::default()), work)
    }

    /// As [`with_environment`](Self::with_environment); versions that are named go into
    /// `versions`, and without them they are refused.
    pub(super) fn with_environment_at<T>(
        &self,
        schemas: &[Arc<Schema>],
        sources: &[Option<SharedTransaction>],
        versions: Option<&Versions>,
        work: impl FnOnce(&Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        let names: Vec<Box<str>> =
            self.databases.borrow().iter().map(|attached| attached.name.clone()).collect();
        let functions = self.functions.borrow();
        let collations = self.collations.borrow();
        let find = |name: &str| collations.find(name);
        let statistics = TreeStatistics(sources, versions);
        let finder = Finder { session: self, sources, versions };
        let (foreign_keys, reverse_unordered) = {
            let settings = self.settings.borrow();
            (settings.foreign_keys, settings.reverse_unordered_selects)
        };
        work(&Environment {
            schemas,
            names: &names,
            functions: &functions,
            collations: &find,
            versions: &finder,
            statistics: &statistics,
            foreign_keys,
            double_quoted_strings: true,
            reverse_unordered,
            is_lenient: false,
            limits: self.limits(),
        })
    }
}

/// Plans a query in the outermost frame.
pub(super) fn select_plan(binder: &mut Binder<'_>, select: &ast::Select) -> Result<SelectPlan> {
    let block = binder.select(select, false)?;
    Ok(SelectPlan {
        root: block.root,
        outputs: block.outputs,
        columns: block.columns,
        layout: binder.frame().layout,
        outer: Vec::new(),
    })
}

/// The databases that a change may write to: its own, and with triggers every one.
fn written(plan: &ModifyPlan, schemas: &[Arc<Schema>]) -> Vec<DatabaseIndex> {
    let mut writes = vec![plan.database()];
    let has_temp_triggers = schemas.get(1).is_some_and(|temp| !temp.triggers.is_empty());
    if has_temp_triggers && !writes.contains(&DatabaseIndex::TEMP) {
        writes.push(DatabaseIndex::TEMP);
    }
    writes
}

/// EXPLAIN QUERY PLAN: numbered lines, each with the number of the one around it.
fn explain(
    binder: &mut Binder<'_>,
    _mode: ExplainMode,
    statement: &ast::Statement,
    prepared: &mut Prepared,
) -> Result<()> {
    use pandodb_ds::record::Value;
    let lines = match &statement.kind {
        StatementKind::Select(select) => explain_query_plan(&select_plan(binder, select)?),
        StatementKind::Insert(_) | StatementKind::Update(_) | StatementKind::Delete(_) => {
            modify_statement(binder, statement)?.explain()
        }
        _ => Vec::new(),
    };
    let mut parents: Vec<i64> = vec![0];
    let mut rows = Vec::with_capacity(lines.len());
    for (number, (depth, text)) in lines.into_iter().enumerate() {
        let id = number as i64 + 2;
        parents.truncate(depth + 1);
        let parent = parents.last().copied().unwrap_or(0);
        parents.push(id);
        rows.push(vec![
            Value::Integer(id),
            Value::Integer(parent),
            Value::Integer(0),
            Value::text(text),
        ]);
    }
    prepared.columns = ["id", "parent", "notused", "detail"]
        .into_iter()
        .map(|name| OutputColumn { name: Box::from(name), ..OutputColumn::default() })
        .collect();
    prepared.kind = PreparedKind::Rows(rows);
    Ok(())
}

impl Cache {
    /// Throws away the plan of a text.
    pub(super) fn remove(&mut self, sql: &str) {
        self.plans.remove(sql);
    }
}
