//! The engine's database and session behind this crate's types, its values and its errors.
//!
//! Neighbours: `qp::session` is what is wrapped here; `prepared` has the statements.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pandodb_branch::fork::Fork as InnerFork;
use pandodb_ds::codec::Codec;
use pandodb_ds::record::{Value as StoredValue, ValueRef as StoredRef};
use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{Arc, Mutex};
use pandodb_ds::vfs::{OsVfs, Vfs};
use pandodb_qp::authorize::Authorizer;
use pandodb_qp::catalog::DatabaseIndex;
use pandodb_qp::execute::LentRow;
use pandodb_qp::function::RowChange;
use pandodb_qp::session::{
    CommitHook, LogHook, PreupdateHook, ProgressHook, RollbackHook, Session as QuerySession,
    UpdateHook,
};
use pandodb_qp::store::Database as QueryDatabase;
use pandodb_tm::{
    BusyHook, CheckpointMode, Lsn, Manager, Options, ProgressCallback, RecoveryProgress, Retention,
    Synchronous as Level,
};

use super::prepared::Prepared;
use super::trace::Tracer;
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::hooks::{Action, PreUpdateCase, PreUpdateRow};
use crate::options::{Compression, OpenOptions, Synchronous};
use crate::value::ValueRef;

/// An open database; clones are the same one, for the same user.
#[derive(Clone)]
pub(crate) struct Database {
    shared: Arc<Shared>,
    /// Whose rights its sessions have; without one the owner's.
    user: Option<Arc<str>>,
}

struct Shared {
    path: Option<PathBuf>,
    is_read_only: bool,
    memory_limit: Option<(u64, u64)>,
    database: QueryDatabase,
    /// Where its log ended when it was opened.
    opened_at: Lsn,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let manager = self.database.manager();
        let has_changed = manager.progress().staged != self.opened_at;
        if self.path.is_some() && !self.is_read_only && has_changed {
            // Leaves an empty log behind, so that the next opening has nothing to replay. Where
            // that fails the log still has everything.
            let _ = manager.checkpoint(CheckpointMode::Truncate);
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Database {
    pub(crate) fn open(path: Option<PathBuf>, options: &OpenOptions) -> Result<Self> {
        let default = StoreOptions::default();
        let cache_bytes =
            options.cache_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let store = StoreOptions {
            cache_bytes: cache_bytes.unwrap_or(default.cache_bytes),
            creates: options.create && !options.read_only,
            is_read_only: options.read_only,
            codec: codec(options.compression.unwrap_or_default()),
            ..default
        };
        let settings = settings(options, store);
        let database = match &path {
            Some(path) => {
                let vfs: Arc<dyn Vfs> = Arc::new(OsVfs::new());
                QueryDatabase::open(&vfs, path, &settings)
            }
            None => Manager::open_in_memory(&settings)
                .map_err(pandodb_qp::Error::from)
                .and_then(QueryDatabase::over),
        };
        let database = database.map_err(|error| convert(error, ""))?;
        let opened_at = database.manager().progress().staged;
        let is_read_only = options.read_only;
        let shared = Arc::new(Shared {
            path,
            is_read_only,
            memory_limit: options.memory_limit,
            database,
            opened_at,
        });
        Ok(Self { shared, user: options.user.as_deref().map(Arc::from) })
    }

    /// The same database for a user; one who has a user stays who it is.
    pub(crate) fn for_user(&self, user: &str) -> Result<Self> {
        if self.user.as_deref().is_some_and(|own| own != user) {
            self.owner("connect as another user")?;
        }
        Ok(Self { shared: Arc::clone(&self.shared), user: Some(Arc::from(user)) })
    }

    pub(crate) fn connect(&self) -> Session {
        let inner = self.prepared(QuerySession::new(self.shared.database.clone()));
        Session { inner, tracer: Tracer::default(), _fork: None }
    }

    /// A session on a branch in memory.
    pub(super) fn connect_to_fork(&self, fork: Arc<InnerFork>) -> Session {
        let inner = self.prepared(QuerySession::on_head(self.shared.database.clone(), fork.head()));
        inner.set_origin(fork.origin());
        Session { inner, tracer: Tracer::default(), _fork: Some(fork) }
    }

    /// A session with the rights and limits that the database was opened with.
    fn prepared(&self, session: QuerySession) -> QuerySession {
        session.set_user(self.user.as_deref());
        if let Some((soft_bytes, hard_bytes)) = self.shared.memory_limit {
            session.set_memory_limits(soft_bytes, hard_bytes);
        }
        session
    }

    /// Refuses what only the owner may do, one who has the database without a user.
    pub(super) fn owner(&self, what: &str) -> Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        let message = format!("user '{}' may not {what}", user.escape_debug());
        let error = pandodb_qp::Error::new(pandodb_qp::ErrorKind::Denied, message);
        Err(convert(error.with_hint("the owner's connection, which has no user, may"), ""))
    }

    pub(super) fn inner(&self) -> &QueryDatabase {
        &self.shared.database
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.shared.path.as_deref()
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.shared.is_read_only
    }

    pub(crate) fn lost_log(&self) -> &[PathBuf] {
        self.shared.database.manager().lost_log()
    }
}

fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::None => Codec::none(),
        Compression::Rle => Codec::rle(),
        Compression::Lz4 => Codec::lz4(),
        Compression::Zstd(level) => Codec::zstd(level),
        Compression::Gzip(level) => Codec::gzip(level),
    }
}

/// The transaction layer's options.
fn settings(options: &OpenOptions, store: StoreOptions) -> Options {
    let default = Options::default();
    let history = Retention {
        time: options.retention.or(default.history.time),
        log_bytes: options.retention_bytes.or(default.history.log_bytes),
    };
    Options {
        store,
        synchronous: options.synchronous.map_or(default.synchronous, |level| match level {
            Synchronous::Off => Level::Off,
            Synchronous::Normal => Level::Normal,
            Synchronous::Full => Level::Full,
        }),
        busy_timeout: options.busy_timeout.unwrap_or(default.busy_timeout),
        history,
        on_recovery: options.on_recovery.clone().map(|hook| -> ProgressCallback {
            Arc::new(move |now: RecoveryProgress| (hook.0)(now.transactions, now.bytes))
        }),
        ..default
    }
}

/// Stops what a session is doing.
#[derive(Clone, Debug)]
pub(crate) struct InterruptFlag(Arc<AtomicBool>);

impl InterruptFlag {
    pub(crate) fn interrupt(&self) {
        // Pairs with the running statement's own relaxed loads: it only has to be seen soon.
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A session on one branch.
pub(crate) struct Session {
    inner: QuerySession,
    /// Who is told of its statements.
    pub(crate) tracer: Tracer,
    /// The branch in memory that it is on, which lives as long.
    _fork: Option<Arc<InnerFork>>,
}

impl Session {
    pub(super) fn inner(&self) -> &QuerySession {
        &self.inner
    }

    pub(crate) fn set_commit_hook(&self, hook: Option<CommitHook>) {
        self.inner.set_commit_hook(hook);
    }

    pub(crate) fn set_rollback_hook(&self, hook: Option<RollbackHook>) {
        self.inner.set_rollback_hook(hook);
    }

    pub(crate) fn set_progress_hook(&self, hook: Option<ProgressHook>) {
        self.inner.set_progress_hook(hook);
    }

    pub(crate) fn set_busy_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut(u32) -> bool + Send + 'static,
    {
        // The locks want a hook that threads share; it is only ever asked by this session's.
        self.inner.set_busy_hook(hook.map(|hook| {
            let hook = Mutex::new(hook);
            BusyHook::new(move |asked| (*hook.lock())(asked))
        }));
    }

    pub(crate) fn set_update_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut(Action, &str, i64) + Send + 'static,
    {
        self.inner.set_update_hook(hook.map(|mut hook| -> UpdateHook {
            Box::new(move |change, table, rowid| {
                hook(action_of(change), table, rowid);
            })
        }));
    }

    pub(crate) fn set_preupdate_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut(&str, &str, &PreUpdateCase<'_>) + Send + 'static,
    {
        self.inner.set_preupdate_hook(hook.map(|mut hook| -> PreupdateHook {
            Box::new(move |database, images| {
                let (old, new) = (values_of(images.old), values_of(images.new));
                let row = |image: Option<(i64, &[StoredValue])>, values| {
                    image.map(|(rowid, _)| PreUpdateRow::new(rowid, values))
                };
                let case = PreUpdateCase {
                    action: action_of(images.change),
                    old: row(images.old, &old),
                    new: row(images.new, &new),
                    depth: images.depth,
                };
                hook(database, images.table, &case);
            })
        }));
    }

    pub(crate) fn set_wal_hook(&self, hook: Option<LogHook>) {
        self.inner.set_log_hook(hook);
    }

    pub(crate) fn set_authorizer(&self, authorizer: Option<Authorizer>) {
        self.inner.set_authorizer(authorizer);
    }

    /// Goes on as the user of another session.
    pub(crate) fn take_user_of(&self, other: &Self) {
        self.inner.set_user(other.inner.user().as_deref());
    }

    /// Prepares the first statement of a text, and says how many bytes of it that took.
    pub(crate) fn prepare(&self, sql: &str) -> Result<(Option<Prepared<'_>>, usize)> {
        let (statement, behind) = self.inner.prepare(sql).map_err(|error| convert(error, sql))?;
        let prepared = statement.map(|statement| Prepared::new(self, statement));
        Ok((prepared, behind))
    }

    /// The time of a clock that never goes back.
    pub(super) fn now(&self) -> Duration {
        let database = self.inner.database(DatabaseIndex::MAIN);
        database.map_or(Duration::ZERO, |(database, _)| database.clock().monotonic())
    }

    pub(crate) fn last_insert_rowid(&self) -> i64 {
        self.inner.last_insert_rowid()
    }

    pub(crate) fn changes(&self) -> u64 {
        self.inner.changes().max(0) as u64
    }

    pub(crate) fn total_changes(&self) -> u64 {
        self.inner.total_changes().max(0) as u64
    }

    pub(crate) fn is_autocommit(&self) -> bool {
        self.inner.is_autocommit()
    }

    pub(crate) fn interrupt_flag(&self) -> InterruptFlag {
        InterruptFlag(self.inner.interrupt_flag())
    }

    pub(crate) fn current_branch(&self) -> String {
        match self.inner.database(DatabaseIndex::MAIN) {
            Ok((database, head)) => database.branch_name(head),
            Err(_) => "main".to_owned(),
        }
    }
}

fn values_of(image: Option<(i64, &[StoredValue])>) -> Vec<ValueRef<'_>> {
    let values = image.map_or(&[][..], |(_, values)| values);
    values.iter().map(|value| borrowed(value.as_ref())).collect()
}

fn action_of(change: RowChange) -> Action {
    match change {
        RowChange::Insert => Action::Insert,
        RowChange::Update => Action::Update,
        RowChange::Delete => Action::Delete,
    }
}

/// The values of a row, which stay where they are until the next one.
#[derive(Clone, Copy)]
pub(crate) struct RowValues<'r>(pub(super) LentRow<'r>);

impl<'r> RowValues<'r> {
    /// How many there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// A value; NULL where there is none.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> ValueRef<'r> {
        borrowed(self.0.get(at))
    }
}

/// The engine's value for one of this crate's; a NaN is NULL.
pub(super) fn stored(value: ValueRef<'_>) -> StoredValue {
    match value {
        ValueRef::Null => StoredValue::Null,
        ValueRef::Integer(number) => StoredValue::Integer(number),
        ValueRef::Real(number) => StoredValue::real(number),
        ValueRef::Text(bytes) => StoredValue::Text(Arc::from(bytes)),
        ValueRef::Blob(bytes) => StoredValue::Blob(Arc::from(bytes)),
    }
}

/// The engine's value for one of this crate's, whose bytes stay where they are.
#[inline]
pub(super) fn lent(value: ValueRef<'_>) -> StoredRef<'_> {
    match value {
        ValueRef::Null => StoredRef::Null,
        ValueRef::Integer(number) => StoredRef::Integer(number),
        ValueRef::Real(number) => StoredRef::Real(number),
        ValueRef::Text(bytes) => StoredRef::Text(bytes),
        ValueRef::Blob(bytes) => StoredRef::Blob(bytes),
    }
}

/// This crate's value for one of the engine's.
#[inline]
pub(super) fn borrowed(value: StoredRef<'_>) -> ValueRef<'_> {
    match value {
        StoredRef::Null => ValueRef::Null,
        StoredRef::Integer(number) => ValueRef::Integer(number),
        StoredRef::Real(number) => ValueRef::Real(number),
        StoredRef::Text(bytes) => ValueRef::Text(bytes),
        StoredRef::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

/// This crate's error for one of the engine's, about a statement's text.
#[cold]
pub(super) fn convert(error: pandodb_qp::Error, sql: &str) -> Error {
    let place = error.span().filter(|span| !span.is_empty() || span.start > 0);
    let mut converted = Error::new(kind_of(error.kind()), error.message())
        .with_code(error.extended_code())
        .in_sql(sql, place.map(pandodb_qp::Span::range));
    if let Some(hint) = error.hint() {
        converted = converted.with_hint(hint);
    }
    match std::error::Error::source(&error) {
        // The engine's error says nothing that was not taken over but what caused it.
        Some(_) => converted.caused_by(error),
        None => converted,
    }
}

fn kind_of(kind: pandodb_qp::ErrorKind) -> ErrorKind {
    use pandodb_qp::ErrorKind as Below;
    match kind {
        Below::Syntax => ErrorKind::Syntax,
        Below::Incomplete => ErrorKind::Incomplete,
        Below::Invalid => ErrorKind::Invalid,
        Below::NotFound => ErrorKind::NotFound,
        Below::Exists => ErrorKind::Exists,
        Below::Ambiguous => ErrorKind::Ambiguous,
        Below::Constraint(constraint) => ErrorKind::Constraint(constraint_of(constraint)),
        Below::Mismatch => ErrorKind::Mismatch,
        Below::Range => ErrorKind::Range,
        Below::Limit => ErrorKind::Limit,
        Below::NoMemory => ErrorKind::NoMemory,
        Below::Interrupted => ErrorKind::Interrupted,
        Below::Busy => ErrorKind::Busy,
        Below::Locked => ErrorKind::Locked,
        Below::Deadlock => ErrorKind::Deadlock,
        Below::Conflict => ErrorKind::Conflict,
        Below::MergeConflict => ErrorKind::MergeConflict,
        Below::PartlyCommitted => ErrorKind::PartlyCommitted,
        Below::ReadOnly => ErrorKind::ReadOnly,
        Below::Denied => ErrorKind::Denied,
        Below::Schema => ErrorKind::Schema,
        Below::State => ErrorKind::State,
        Below::Unsupported => ErrorKind::Unsupported,
        Below::User => ErrorKind::User,
        Below::Corrupt => ErrorKind::Corrupt,
        Below::NotADatabase => ErrorKind::NotADatabase,
        Below::Io => ErrorKind::Io,
        Below::Full => ErrorKind::Full,
        Below::CannotOpen => ErrorKind::CannotOpen,
        _ => ErrorKind::Internal,
    }
}

fn constraint_of(constraint: pandodb_qp::Constraint) -> Constraint {
    use pandodb_qp::Constraint as Below;
    match constraint {
        Below::Check => Constraint::Check,
        Below::ForeignKey => Constraint::ForeignKey,
        Below::NotNull => Constraint::NotNull,
        Below::PrimaryKey => Constraint::PrimaryKey,
        Below::Unique => Constraint::Unique,
        Below::RowId => Constraint::RowId,
        Below::Trigger => Constraint::Trigger,
        Below::DataType => Constraint::DataType,
        _ => Constraint::Other,
    }
}
