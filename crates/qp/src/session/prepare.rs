//! From text to a prepared statement.
//!
//! Plans are immutable and shared; the cache finds them by text. One is used again as long as
//! the schemas have the cookies that it was made for and neither settings nor functions have
//! changed. Neighbours: `statement` runs what is made here.

use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::Ordering;
use rustc_hash::FxHashMap;

use super::statistics::TreeStatistics;
use super::version::{Finder, KnownVersion, known};
use super::{Session, Statement};
use crate::ast::{self, ExplainMode, StatementKind};
use crate::bind::{Binder, Environment, Statistics};
use crate::branching::access::without_near;
use crate::catalog::{Attachment, DatabaseIndex, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Projection, SharedTransaction, Sources, Versions};
use crate::limits::{self, Limit};
use crate::modify::{ModifyPlan, modify_statement};
use crate::parse::parse_statement_within;
use crate::plan::{AccessPath, Node, OutputColumn, Rules, SelectPlan, SourceId, choose_gears};
use crate::store::TreeId;

/// How many plans a generation of the cache has.
const CACHE_MAX: usize = 128;

/// A statement ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// Its text.
    pub sql: Box<str>,
    /// What it does.
    pub kind: PreparedKind,
    /// How the rows of a query are lent.
    pub projection: Projection,
    /// The table whose rows it counts, where it does nothing else.
    pub(super) counted: Option<Counted>,
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
    /// How many commands of the session there had been.
    pub(super) commands: u64,
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
    /// A query or a change that is run to see what it takes.
    Analyze(Box<PreparedKind>),
    /// Rows that are known already: EXPLAIN.
    Rows(Vec<Vec<pandodb_ds::record::Value>>),
    /// Everything else.
    Command(ast::Statement),
}

/// A table whose rows are counted, all of them: its tree knows how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    source: SourceId,
    tree: TreeId,
}

impl Counted {
    /// What a query counts; none if it is any other query.
    fn of(plan: &SelectPlan) -> Option<Self> {
        let (Node::Count(count), [output]) = (&plan.root, plan.outputs.as_slice()) else {
            return None;
        };
        let place = output.as_column()?;
        let is_plain = (place.depth, place.slot, place.column) == (0, count.slot, 0)
            && matches!(count.scan.path, AccessPath::Full)
            && DatabaseIndex(count.scan.source.0).version_place().is_none();
        is_plain.then_some(Self { source: count.scan.source, tree: count.scan.table.tree })
    }

    /// Whether the table is in the database at this place.
    #[inline]
    pub(super) fn is_in(self, place: usize) -> bool {
        usize::from(self.source.0) == place
    }

    /// The tree whose keys are the rows.
    #[inline]
    pub(super) fn tree(self) -> TreeId {
        self.tree
    }

    /// How many rows there are.
    #[inline]
    pub(super) fn count(self, sources: Sources<'_>) -> Result<i64> {
        Ok(sources.look(self.source)?.len(self.tree)? as i64)
    }
}

/// Plans by the texts of their statements.
///
/// There are two generations: when the young one is full it becomes the old one, and a plan that
/// is found in the old one becomes young again. So what is in use stays.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: FxHashMap<Box<str>, Arc<Prepared>>,
    old: FxHashMap<Box<str>, Arc<Prepared>>,
}

impl Session {
    /// Prepares the first statement of a text; tells where the next one begins.
    pub fn prepare(&self, sql: &str) -> Result<(Option<Statement<'_>>, usize)> {
        let (prepared, behind) = self.prepare_shared(sql)?;
        Ok((prepared.map(|prepared| Statement::new(self, prepared)), behind))
    }

    pub(super) fn prepare_shared(&self, sql: &str) -> Result<(Option<Arc<Prepared>>, usize)> {
        let found = self.cache.borrow_mut().find(sql);
        if let Some(prepared) = found
            && prepared.generation == self.generation.get()
            && self.is_of_now(&prepared)
        {
            let behind = prepared.sql.len();
            return Ok((Some(prepared), behind));
        }
        self.interrupt.store(false, Ordering::Relaxed);
        self.start_clock();
        let (statement, behind) = parse_statement_within(sql, &self.limits())?;
        let Some(statement) = statement else { return Ok((None, behind)) };
        let planned = self.plan(sql.get(..behind).unwrap_or(sql), statement);
        let prepared = Arc::new(planned.map_err(|error| without_near(self, error))?);
        if !matches!(prepared.kind, PreparedKind::Command(_)) {
            self.cache.borrow_mut().insert(&prepared);
        }
        Ok((Some(prepared), behind))
    }

    /// Whether a plan is for the schemas that the session knows. What others change meanwhile is
    /// found when the plan runs; what the session's own commands changed has to be known before,
    /// because the columns are asked for then.
    fn is_of_now(&self, prepared: &Prepared) -> bool {
        let commands = self.commands.get();
        if !prepared.versions.is_empty() && prepared.commands != commands {
            return false;
        }
        if self.known_at.get() != commands {
            if self.cookies().is_err() {
                return false;
            }
            self.known_at.set(commands);
        }
        let databases = self.databases.borrow();
        let known = databases.iter().map(|attached| attached.schema.cookie);
        known.eq(prepared.cookies.iter().copied())
    }

    /// Plans a statement against the schemas of now.
    pub(super) fn plan(&self, sql: &str, statement: ast::Statement) -> Result<Prepared> {
        match self.plan_elsewhere(sql, &statement)? {
            Some(prepared) => Ok(prepared),
            None => self.plan_here(sql, statement),
        }
    }

    /// Plans a statement that changes the branch that the session is on.
    pub(super) fn plan_here(&self, sql: &str, statement: ast::Statement) -> Result<Prepared> {
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
            projection: Projection::default(),
            counted: None,
            columns: Vec::new(),
            parameters: 0,
            parameter_names: Vec::new(),
            writes: Vec::new(),
            cookies: Vec::new(),
            generation: self.generation.get(),
            commands: self.commands.get(),
            versions: Vec::new(),
        };
        self.check_where(&statement)?;
        if !is_planned && !self.may_run(sql, &statement)? {
            // What is left out is a query without rows.
            prepared.cookies = self.cookies()?;
            return Ok(prepared);
        }
        if !is_planned {
            prepared.columns = self.command_columns(&statement);
            prepared.kind = PreparedKind::Command(statement);
            return Ok(prepared);
        }
        if let StatementKind::Explain(ExplainMode::Plan | ExplainMode::QueryPlan, inner) =
            &statement.kind
        {
            crate::define::explain(self, inner, sql)?;
        }
        let sources = self.sources(&self.all_databases(), &[])?;
        // How large tables are is only to choose by: a plan is right whatever becomes of them. That
        // the schema stays is relied on elsewhere.
        sources.iter().flatten().for_each(|source| source.borrow().begin_guess());
        let planned = self.asking(|| {
            limits::with_stack_for(sql.len(), || {
                self.plan_with(&sources, &statement, &mut prepared)
            })?;
            match &prepared.kind {
                PreparedKind::Modify(plan) => self.compile_triggers(plan, &sources),
                _ => Ok(()),
            }
        });
        sources.iter().flatten().for_each(|source| source.borrow().end_guess());
        if self.is_autocommit() {
            sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
        }
        planned.map(|()| prepared)
    }

    /// The cookies of the schemas as they are.
    fn cookies(&self) -> Result<Vec<u64>> {
        let sources = self.sources(&self.all_databases(), &[])?;
        let schemas = self.load_schemas(&sources);
        if self.is_autocommit() {
            sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
        }
        Ok(schemas?.iter().map(|schema| schema.cookie).collect())
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
            binder.reads_from.clone_from(&self.reads_from.borrow());
            match &statement.kind {
                StatementKind::Explain(ExplainMode::Analyze, inner) => {
                    super::explain::check_can_run(inner)?;
                    plan_kind(&mut binder, inner, &schemas, prepared)?;
                    super::explain::analyzed(prepared);
                }
                StatementKind::Explain(mode, inner) => {
                    super::explain::explained(&mut binder, *mode, inner, prepared)?;
                }
                _ => plan_kind(&mut binder, statement, &schemas, prepared)?,
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
        self.with_environment_for(schemas, (sources, versions), (sources, versions), work)
    }

    /// As [`with_environment_at`](Self::with_environment_at), with sizes of tables from other
    /// transactions than those in which versions are opened.
    pub(super) fn with_environment_for<T>(
        &self,
        schemas: &[Arc<Schema>],
        (sized, sized_versions): (&[Option<SharedTransaction>], Option<&Versions>),
        (sources, versions): (&[Option<SharedTransaction>], Option<&Versions>),
        work: impl FnOnce(&Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        let statistics = TreeStatistics::new(sized, sized_versions, &self.known_trees);
        self.with_statistics(schemas, &statistics, (sources, versions), work)
    }

    /// As [`with_environment_at`](Self::with_environment_at), with other statistics.
    pub(super) fn with_statistics<T>(
        &self,
        schemas: &[Arc<Schema>],
        statistics: &dyn Statistics,
        (sources, versions): (&[Option<SharedTransaction>], Option<&Versions>),
        work: impl FnOnce(&Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        let (names, attachments): (Vec<Box<str>>, Vec<Attachment>) = {
            let databases = self.databases.borrow();
            databases.iter().map(|attached| (attached.name.clone(), attached.attachment)).unzip()
        };
        let functions = self.functions.borrow();
        let find = |name: &str| self.collations.find(name);
        let missing = |collation| self.collations.missing(collation);
        let finder = Finder { session: self, sources, versions };
        let settings = self.settings.borrow();
        work(&Environment {
            schemas,
            names: &names,
            attachments: &attachments,
            functions: &functions,
            collations: &find,
            missing_collation: &missing,
            versions: &finder,
            statistics,
            foreign_keys: settings.foreign_keys,
            double_quoted_strings: true,
            case_sensitive_like: settings.case_sensitive_like,
            session: self,
            authorizer: self.asked(),
            rules: rules_of(&settings),
            reverse_unordered: settings.reverse_unordered_selects,
            is_lenient: false,
            limits: self.limits(),
        })
    }
}

/// The rules of the planner. Where even the smallest table is read in batches, a test wants all
/// that is made for large ones.
fn rules_of(settings: &crate::execute::Settings) -> Rules {
    if settings.batch_rows_min == 0 { settings.rules.with(Rules::EAGER) } else { settings.rules }
}

/// Plans a query in the outermost frame.
pub(super) fn select_plan(binder: &mut Binder<'_>, select: &ast::Select) -> Result<SelectPlan> {
    binder.shares = binder.environment.rules.has(Rules::SHARED);
    let mut block = binder.select(select, false)?;
    binder.note_height(&block.root, &block.outputs);
    choose_gears(binder, &mut block.root, &block.outputs, true);
    Ok(SelectPlan {
        root: block.root,
        outputs: block.outputs,
        columns: block.columns,
        layout: binder.frame().finished()?,
        outer: Vec::new(),
        rows: block.rows,
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

/// Plans a query or a change.
fn plan_kind(
    binder: &mut Binder<'_>,
    statement: &ast::Statement,
    schemas: &[Arc<Schema>],
    prepared: &mut Prepared,
) -> Result<()> {
    match &statement.kind {
        StatementKind::Select(select) => {
            let plan = select_plan(binder, select)?;
            check_size(binder, &|| plan.operations())?;
            prepared.columns.clone_from(&plan.columns);
            prepared.projection = Projection::of(&plan.outputs);
            prepared.counted = Counted::of(&plan);
            prepared.kind = PreparedKind::Select(plan);
        }
        StatementKind::Insert(_) | StatementKind::Update(_) | StatementKind::Delete(_) => {
            // FROM and RETURNING may read the same rows, though triggers changed them meanwhile.
            binder.shares = binder.environment.rules.has(Rules::SHARED);
            let plan = modify_statement(binder, statement)?;
            check_size(binder, &|| plan.input().1.operations())?;
            if let Some(returning) = &plan.returning {
                prepared.columns.clone_from(&returning.columns);
            }
            prepared.writes = written(&plan, schemas);
            prepared.kind = PreparedKind::Modify(plan);
        }
        _ => {}
    }
    Ok(())
}

/// Holds the size of a plan against the session's limit.
fn check_size(binder: &Binder<'_>, operations: &dyn Fn() -> u64) -> Result<()> {
    let most = binder.environment.limits.get(Limit::Operations);
    if most >= Limit::Operations.maximum() {
        // Not to be counted: no text that is read has so many.
        return Ok(());
    }
    let count = operations();
    if count <= u64::from(most) {
        return Ok(());
    }
    let message = format!("the statement takes {count} operations - max {most}");
    Err(Error::new(ErrorKind::Limit, message)
        .with_hint("PRAGMA limit_vdbe_op bounds the operators and expressions of a plan"))
}

impl Cache {
    /// The plan of the first statement of a text.
    fn find(&mut self, sql: &str) -> Option<Arc<Prepared>> {
        if let Some(known) = self.young.get(sql) {
            return Some(Arc::clone(known));
        }
        // A text of several statements: a plan's text ends with its semicolon, and up to there
        // the statement is the same whatever comes behind.
        let first = first_semicolon(sql).and_then(|end| sql.get(..end));
        if let Some(known) = first.and_then(|first| self.young.get(first)) {
            return Some(Arc::clone(known));
        }
        let old = self.old.remove(sql);
        let old = old.or_else(|| first.and_then(|first| self.old.remove(first)))?;
        self.insert(&old);
        Some(old)
    }

    fn insert(&mut self, prepared: &Arc<Prepared>) {
        if self.young.len() >= CACHE_MAX && !self.young.contains_key(&*prepared.sql) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(prepared.sql.clone(), Arc::clone(prepared));
    }

    /// Throws away the plan of a text.
    pub(super) fn remove(&mut self, sql: &str) {
        self.young.remove(sql);
        self.old.remove(sql);
    }
}

/// The place behind the first semicolon that is in no quotes; none where there is none, or a
/// comment before it.
fn first_semicolon(sql: &str) -> Option<usize> {
    let bytes = sql.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let close = match (byte, bytes.get(at + 1)) {
            (b';', _) => return Some(at + 1),
            (b'\'' | b'"' | b'`', _) => byte,
            (b'[', _) => b']',
            // Rare enough to be parsed.
            (b'-', Some(b'-')) | (b'/', Some(b'*')) => return None,
            _ => {
                at += 1;
                continue;
            }
        };
        let rest = bytes.get(at + 1..)?;
        at += memchr::memchr(close, rest)? + 2;
    }
    None
}
