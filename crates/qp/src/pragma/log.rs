//! PRAGMAs of the log, of checkpoints and of transactions: `wal_*`, `synchronous`, history, and
//! who holds and reads what.
//!
//! The log's frames are transactions, not pages; where SQLite counts pages of the log, these
//! count bytes of it divided by `page_size`. Neighbours: `storage`.

use pandodb_ds::record::Value;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_tm::lock::LockState;
use pandodb_tm::{CheckpointMode, CheckpointPolicy, ErrorKind as TransactionError, Synchronous};

use super::entry::{Call, Entry, PragmaRows, Scope, number, one};
use crate::branching::access::may_read;
use crate::error::{Error, Result};
use crate::store::{Database, Kept};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "wal_mode",
        columns: &["wal_mode"],
        scope: Scope::Kept,
        values: "`ON`, `OFF`",
        help: "whether commits go through the log; OFF makes each commit a checkpoint, which is \
               as safe and dearer. BEGIN CONCURRENT uses the log all the same",
        run: wal_mode,
    },
    Entry {
        name: "journal_mode",
        columns: &["journal_mode"],
        scope: Scope::Tells,
        values: "any; as in SQLite the answer is the mode that holds",
        help: "`wal`; `memory` for a database in memory, `off` with `wal_mode = OFF`",
        run: |call| {
            let database = call.store()?;
            Ok(one(Value::text(match (has_file(&database), has_log(&database)) {
                (false, _) => "memory",
                (true, true) => "wal",
                (true, false) => "off",
            })))
        },
    },
    Entry {
        name: "synchronous",
        columns: &["synchronous"],
        scope: Scope::Session,
        values: "`OFF` (0), `NORMAL` (1), `FULL` (2)",
        help: "what every commit of the session waits for, those of branch statements, \
               definitions and PRAGMAs too: the operating system, or the disk (FULL; EXTRA is \
               the same). Checkpoints always reach the disk",
        run: synchronous,
    },
    Entry {
        name: "wal_checkpoint",
        columns: &["busy", "log", "checkpointed"],
        scope: Scope::Does,
        values: "`PASSIVE`, `FULL`, `RESTART`, `TRUNCATE`",
        help: "writes what was committed to the file; RESTART begins a new log file, TRUNCATE \
               removes those that nobody needs",
        run: wal_checkpoint,
    },
    Entry {
        name: "wal_autocheckpoint",
        columns: &["wal_autocheckpoint"],
        scope: Scope::Open,
        values: "pages of log; 0 for never",
        help: "after how much log a checkpoint is made by itself",
        run: wal_autocheckpoint,
    },
    Entry {
        name: "checkpoint_interval",
        columns: &["checkpoint_interval"],
        scope: Scope::Open,
        values: "seconds",
        help: "after how much time with a commit a checkpoint is made by itself",
        run: checkpoint_interval,
    },
    Entry {
        name: "wal_archive",
        columns: &["wal_archive"],
        scope: Scope::Kept,
        values: "`ON`, `OFF`",
        help: "whether closed log files are kept for somebody outside, however old",
        run: |call| {
            let database = call.store()?;
            if let Some(is_on) = call.switch()? {
                call.check_no_transaction()?;
                check_file(call, &database)?;
                call.keep(Kept::WalArchive, i64::from(is_on))?;
                return Ok(Vec::new());
            }
            Ok(number(database.kept(Kept::WalArchive)?.unwrap_or(0) as u64))
        },
    },
    Entry {
        name: "journal_size_limit",
        columns: &["journal_size_limit"],
        scope: Scope::Tells,
        values: "any; what holds is `-1`",
        help: "log files have one size and are used again; `wal_checkpoint(TRUNCATE)` removes \
               those that wait",
        run: |_| Ok(one(Value::Integer(-1))),
    },
    Entry {
        name: "history_retention",
        columns: &["history_retention"],
        scope: Scope::Kept,
        values: "seconds, or `'7d'`; `OFF` for none, `FOREVER`",
        help: "for how long `AS OF`, RESET and UNDO reach back",
        run: history_retention,
    },
    Entry {
        name: "history_size",
        columns: &["history_size"],
        scope: Scope::Kept,
        values: "bytes of log (of changed pages in a database in memory); -1 for no bound",
        help: "how much is kept for the history at most; where that is little, checkpoints come by \
               each quarter of it (64 KiB at least), so that about the newest three quarters are \
               always there",
        run: history_size,
    },
    Entry {
        name: "data_version",
        columns: &["data_version"],
        scope: Scope::Tells,
        values: "",
        help: "a number that other sessions' commits change, and this session's do not",
        run: |call| {
            let commits = call.store()?.manager().progress().commit.0;
            Ok(number(commits.wrapping_sub(call.session.own_commits(call.index()?))))
        },
    },
    Entry {
        name: "lock_list",
        columns: &["transaction", "resource", "mode", "state", "position", "waited_ms"],
        scope: Scope::Tells,
        values: "",
        help: "every held and awaited lock; of a connection with a user, those of branches that it \
               may read",
        run: lock_list,
    },
    Entry {
        name: "snapshot_list",
        columns: &["transaction", "branch", "commit", "age_ms"],
        scope: Scope::Tells,
        values: "",
        help: "every open snapshot, the oldest first: what it sees is not given up; of a \
               connection with a user, those of branches that it may read",
        run: snapshot_list,
    },
];

/// Whether the database has a file.
pub(super) fn has_file(database: &Database) -> bool {
    !database.manager().is_in_memory()
}

fn has_log(database: &Database) -> bool {
    has_file(database) && !database.common().has_no_log.load(Ordering::Relaxed)
}

fn check_file(call: &Call<'_>, database: &Database) -> Result<()> {
    if has_file(database) {
        return Ok(());
    }
    Err(Error::invalid(format!("a database in memory has no {}", call.name)))
}

/// The length of the log's files, those that wait to be used again included.
pub(super) fn file_bytes(database: &Database) -> Result<u64> {
    if !has_file(database) {
        return Ok(0);
    }
    let store = database.manager().store();
    let directory = match store.path().parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => std::path::Path::new("."),
    };
    let name = store.path().file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{name}-wal");
    let mut bytes = 0;
    for path in store.vfs().list(directory)? {
        let is_log =
            path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&prefix));
        // One that is removed meanwhile counts nothing.
        if is_log && let Ok(file) = store.vfs().open(&path, pandodb_ds::vfs::OpenMode::Read) {
            bytes += file.len()?;
        }
    }
    Ok(bytes)
}

/// A checkpoint that waits for others; nothing for a database in memory.
pub(super) fn full_checkpoint(database: &Database) -> Result<()> {
    if has_file(database) {
        database.manager().checkpoint(CheckpointMode::Full)?;
    }
    Ok(())
}

fn wal_mode(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    if let Some(is_on) = call.switch()? {
        call.check_no_transaction()?;
        check_file(call, &database)?;
        if is_on != has_log(&database) {
            call.keep(Kept::WalMode, i64::from(is_on))?;
        }
    }
    Ok(one(Value::text(if has_log(&database) { "ON" } else { "OFF" })))
}

fn synchronous(call: &Call<'_>) -> Result<PragmaRows> {
    let index = call.index()?;
    if let Some(text) = call.text() {
        let level = match text.to_ascii_lowercase().as_str() {
            "0" | "off" | "no" | "false" => Synchronous::Off,
            "1" | "normal" | "on" | "yes" | "true" => Synchronous::Normal,
            "2" | "3" | "full" | "extra" => Synchronous::Full,
            _ => return Err(call.refuse("OFF, NORMAL or FULL")),
        };
        if !call.session.is_autocommit() {
            // SQLite's words.
            let message = "Safety level may not be changed inside a transaction";
            return Err(Error::invalid(message));
        }
        call.session.set_synchronous(index, level);
        return Ok(Vec::new());
    }
    let level = match call.session.synchronous(index) {
        Some(level) => level,
        None => call.store()?.manager().synchronous(),
    };
    Ok(number(match level {
        Synchronous::Off => 0,
        Synchronous::Normal => 1,
        Synchronous::Full => 2,
    }))
}

fn wal_checkpoint(call: &Call<'_>) -> Result<PragmaRows> {
    let mode = match call.text().map(str::to_ascii_lowercase).as_deref() {
        None | Some("passive") => CheckpointMode::Passive,
        Some("full") => CheckpointMode::Full,
        Some("restart") => CheckpointMode::Restart,
        Some("truncate") => CheckpointMode::Truncate,
        Some(_) => return Err(call.refuse("PASSIVE, FULL, RESTART or TRUNCATE")),
    };
    let row = |busy: i64, log: i64, done: i64| {
        vec![Value::Integer(busy), Value::Integer(log), Value::Integer(done)]
    };
    let indexes = match call.database()? {
        Some(index) => vec![index],
        None => call.session.all_databases().into_vec(),
    };
    let mut rows = Vec::new();
    for index in indexes {
        let (database, _) = call.session.database(index)?;
        if !has_file(&database) {
            // As SQLite tells of a database without a log.
            rows.push(row(0, -1, -1));
            continue;
        }
        let page = database.manager().pager().page_bytes() as u64;
        let pages = |bytes: u64| bytes.div_ceil(page) as i64;
        let before = database.manager().log_bytes();
        rows.push(match database.manager().checkpoint(mode) {
            Ok(report) => {
                let done = report.log_bytes;
                row(0, pages(before.max(done)), pages(done))
            }
            Err(error) if error.kind() == TransactionError::Busy => row(1, pages(before), 0),
            Err(error) => return Err(error.into()),
        });
    }
    rows.truncate(1);
    Ok(rows)
}

fn wal_autocheckpoint(call: &Call<'_>) -> Result<PragmaRows> {
    let manager = call.store()?;
    let manager = manager.manager();
    let page = manager.pager().page_bytes() as u64;
    if let Some(pages) = call.number()? {
        let policy = manager.checkpoint_policy().unwrap_or_default();
        manager.set_checkpoint_policy((pages > 0).then(|| CheckpointPolicy {
            log_bytes: (pages as u64).saturating_mul(page),
            ..policy
        }));
    }
    Ok(number(manager.checkpoint_policy().map_or(0, |policy| policy.log_bytes / page)))
}

fn checkpoint_interval(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    let manager = database.manager();
    if let Some(text) = call.text() {
        let seconds = seconds(text).filter(|seconds| *seconds > 0);
        let Some(seconds) = seconds else { return Err(call.refuse("seconds, or '5m'")) };
        let interval = std::time::Duration::from_secs(seconds as u64);
        let policy = manager.checkpoint_policy().unwrap_or_default();
        manager.set_checkpoint_policy(Some(CheckpointPolicy { interval, ..policy }));
    }
    Ok(number(manager.checkpoint_policy().map_or(0, |policy| policy.interval.as_secs())))
}

fn history_retention(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    if let Some(text) = call.text() {
        call.check_no_transaction()?;
        let seconds = match text.to_ascii_lowercase().as_str() {
            "off" | "none" => 0,
            "forever" | "-1" => -1,
            _ => seconds(text).ok_or_else(|| {
                call.refuse("seconds, a number with s, m, h, d or w such as '7d', OFF or FOREVER")
            })?,
        };
        call.keep(Kept::HistorySeconds, seconds)?;
    }
    let time = database.manager().retention().time;
    Ok(one(Value::Integer(time.map_or(-1, |time| time.as_secs() as i64))))
}

fn history_size(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    if let Some(bytes) = call.number()? {
        call.check_no_transaction()?;
        call.keep(Kept::HistoryBytes, bytes.max(-1))?;
    }
    let bytes = database.manager().retention().log_bytes;
    Ok(one(Value::Integer(bytes.map_or(-1, |bytes| bytes as i64))))
}

/// Seconds, or a number with a unit.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    let number: i64 = digits.trim().parse().ok().filter(|number| *number >= 0)?;
    number.checked_mul(unit)
}

fn lock_list(call: &Call<'_>) -> Result<PragmaRows> {
    let row = |lock: pandodb_tm::lock::LockView| {
        let (state, position, waited) = match lock.state {
            LockState::Held => ("held", Value::Null, Value::Null),
            LockState::Waiting { position, age } => {
                ("waiting", Value::Integer(position as i64), Value::Integer(age.as_millis() as i64))
            }
        };
        vec![
            Value::Integer(lock.transaction.0 as i64),
            Value::text(lock.resource.to_string()),
            Value::text(lock.mode.to_string()),
            Value::text(state),
            position,
            waited,
        ]
    };
    let database = call.store()?;
    let mut rows = Vec::new();
    for lock in database.manager().locks() {
        if may_read(call.session, &database, lock.resource.head_id())? {
            rows.push(row(lock));
        }
    }
    Ok(rows)
}

fn snapshot_list(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    let row = |snapshot: pandodb_tm::snapshot::SnapshotView| {
        vec![
            Value::Integer(snapshot.transaction.0 as i64),
            Value::text(database.branch_name(snapshot.head)),
            Value::Integer(snapshot.commit.0 as i64),
            Value::Integer(snapshot.age.as_millis() as i64),
        ]
    };
    let mut rows = Vec::new();
    for snapshot in database.manager().snapshots() {
        if may_read(call.session, &database, snapshot.head)? {
            rows.push(row(snapshot));
        }
    }
    Ok(rows)
}
