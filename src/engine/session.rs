//! Stand-in over SQLite; not committed.
#![allow(warnings)]
use crate::error::{Error, ErrorKind, Result};
use crate::options::OpenOptions;
use crate::value::{Value, ValueRef};
use rusqlite as s;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

#[derive(Clone, Debug)]
pub(crate) struct Database {
    path: Option<PathBuf>,
    ro: bool,
}
impl Database {
    pub(crate) fn open(path: Option<PathBuf>, o: &OpenOptions) -> Result<Self> {
        if let Some(p) = &path {
            if !o.create && !p.exists() {
                return Err(Error::new(
                    ErrorKind::CannotOpen,
                    format!("cannot open {}: no such file", p.display()),
                ));
            }
        }
        Ok(Self { path, ro: o.read_only })
    }
    pub(crate) fn connect(&self) -> Result<Session> {
        let c = match &self.path {
            Some(p) => s::Connection::open(p),
            None => s::Connection::open_in_memory(),
        }
        .map_err(|e| conv(e, ""))?;
        let i = c.get_interrupt_handle();
        Ok(Session { c: Arc::new(Mutex::new(c)), i: Arc::new(i), before: 0, changes: Default::default() })
    }
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
    pub(crate) fn is_read_only(&self) -> bool {
        self.ro
    }
}
#[derive(Clone)]
pub(crate) struct InterruptFlag(Arc<s::InterruptHandle>);
impl std::fmt::Debug for InterruptFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("flag")
    }
}
impl InterruptFlag {
    pub(crate) fn interrupt(&self) {
        self.0.interrupt()
    }
}
pub(crate) struct Session {
    c: Arc<Mutex<s::Connection>>,
    i: Arc<s::InterruptHandle>,
    before: u64,
    changes: u64,
}
fn conv(e: s::Error, sql: &str) -> Error {
    match e {
        s::Error::SqlInputError { msg, offset, error, .. } => {
            let at = usize::try_from(offset).ok();
            let at = at.map(|a| {
                a..(a + sql[a.min(sql.len())..]
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(1)
                    .max(1))
                .min(sql.len())
            });
            Error::new(ErrorKind::Syntax, msg).in_sql(sql, at)
        }
        s::Error::SqliteFailure(c, m) => Error::new(
            match c.code {
                s::ErrorCode::OperationInterrupted => ErrorKind::Interrupted,
                _ => ErrorKind::Invalid,
            },
            m.unwrap_or(c.to_string()),
        ),
        other => Error::new(ErrorKind::Invalid, other.to_string()),
    }
}
impl Session {
    pub(crate) fn prepare<'c>(&'c self, sql: &str) -> Result<(Option<Prepared<'c>>, usize)> {
        let mut end = sql.len();
        let mut at = 0;
        loop {
            match sql[at..].find(';') {
                None => break,
                Some(f) => {
                    at += f + 1;
                    if s::Connection::open_in_memory().is_ok() && complete(&sql[..at]) {
                        end = at;
                        break;
                    }
                }
            }
        }
        let text = &sql[..end];
        if !super::has_statement(text) {
            if end < sql.len() {
                let (p, n) = self.prepare(&sql[end..])?;
                return Ok((p, n + end));
            }
            return Ok((None, sql.len()));
        }
        let c = self.c.lock().unwrap();
        let st = c.prepare(text).map_err(|e| conv(e, text))?;
        let names: Vec<String> = st.column_names().map(|n| n.to_string()).collect();
        let np = st.parameter_count();
        let pn = (1..=np).map(|i| st.parameter_name(i).map(|s| s.to_string())).collect();
        let ro = st.readonly();
        drop(st);
        drop(c);
        Ok((
            Some(Prepared {
                sql: text.trim().trim_end_matches(';').to_owned(),
                c: Some(self.c.clone()),
                names,
                pn,
                ro,
                params: vec![Value::Null; np],
                rows: None,
                row: vec![],
            }),
            end,
        ))
    }
    pub(crate) fn last_insert_rowid(&self) -> i64 {
        self.c.lock().unwrap().last_insert_rowid()
    }
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }
    pub(crate) fn total_changes(&self) -> u64 {
        self.c.lock().unwrap().total_changes()
    }
    pub(crate) fn is_autocommit(&self) -> bool {
        self.c.lock().unwrap().is_autocommit()
    }
    pub(crate) fn interrupt_flag(&self) -> InterruptFlag {
        InterruptFlag(self.i.clone())
    }
    pub(crate) fn current_branch(&self) -> String {
        "main".into()
    }
}
fn complete(sql: &str) -> bool {
    let u = sql.to_uppercase();
    !u.contains("TRIGGER")
        || u.trim_end_matches(';').trim().ends_with("END")
        || u.contains("DROP TRIGGER")
}
pub(crate) struct Prepared<'c> { buf: super::RowBuffer, ph: std::marker::PhantomData<&'c ()>, ch: &'c std::cell::Cell<u64>,
    sql: String,
    c: Option<Arc<Mutex<s::Connection>>>,
    names: Vec<String>,
    pn: Vec<Option<String>>,
    ro: bool,
    params: Vec<Value>,
    rows: Option<VecDeque<Vec<Value>>>,
    row: Vec<Value>,
}
impl<'c> Prepared<'c> {
    pub(crate) fn is_there(&self) -> bool {
        self.c.is_some()
    }
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }
    pub(crate) fn column_count(&self) -> usize {
        self.names.len()
    }
    pub(crate) fn column_name(&self, at: usize) -> &str {
        &self.names[at]
    }
    pub(crate) fn parameter_count(&self) -> usize {
        self.params.len()
    }
    pub(crate) fn parameter_name(&self, n: usize) -> Option<&str> {
        self.pn.get(n.wrapping_sub(1))?.as_deref()
    }
    pub(crate) fn is_readonly(&self) -> bool {
        self.ro
    }
    pub(crate) fn bind(&mut self, n: usize, v: ValueRef<'_>) -> Result<()> {
        self.params[n - 1] = v.to_owned();
    }
    pub(crate) fn reset(&mut self) {
        self.rows = None;
    }
    pub(crate) fn value(&self, at: usize) -> ValueRef<'_> {
        self.row[at].as_ref()
    }
    pub(crate) fn run_to_end(&mut self) -> Result<()> { while self.step()? {} Ok(()) }
    pub(crate) fn step(&mut self) -> Result<bool> {
        if self.rows.is_none() {
            let c = self.c.as_ref().unwrap().lock().unwrap();
            let before = c.total_changes();
            let mut st = c.prepare(&self.sql).map_err(|e| conv(e, &self.sql))?;
            let ps: Vec<s::types::Value> = self
                .params
                .iter()
                .map(|v| match v {
                    Value::Null => s::types::Value::Null,
                    Value::Integer(i) => s::types::Value::Integer(*i),
                    Value::Real(r) => s::types::Value::Real(*r),
                    Value::Text(t) => s::types::Value::Text(t.clone()),
                    Value::Blob(b) => s::types::Value::Blob(b.clone()),
                })
                .collect();
            let n = st.column_count();
            let mut rows = st.query(s::params_from_iter(ps)).map_err(|e| conv(e, &self.sql))?;
            let mut all = VecDeque::new();
            while let Some(row) = rows.next().map_err(|e| conv(e, &self.sql))? {
                all.push_back(
                    (0..n)
                        .map(|i| match row.get_ref(i).unwrap() {
                            s::types::ValueRef::Null => Value::Null,
                            s::types::ValueRef::Integer(i) => Value::Integer(i),
                            s::types::ValueRef::Real(r) => Value::Real(r),
                            s::types::ValueRef::Text(t) => {
                                Value::Text(String::from_utf8_lossy(t).into_owned())
                            }
                            s::types::ValueRef::Blob(b) => Value::Blob(b.to_vec()),
                        })
                        .collect(),
                );
            }
            drop(rows);
            drop(st);
            self.ch.set(c.total_changes() - before);
            drop(c);
            self.rows = Some(all);
        }
        match self.rows.as_mut().unwrap().pop_front() {
            Some(r) => {
                self.row = r;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

impl super::Cursor for Prepared<'_> {
    fn advance(&mut self) -> Result<bool> { self.step() }
    fn row(&self) -> &super::RowBuffer { &self.buf }
    fn reset(&mut self) { self.rows = None }
    fn column_count(&self) -> usize { self.names.len() }
    fn column_name(&self, at: usize) -> &str { self.names.get(at).map_or("", |n| n) }
    fn sql(&self) -> &str { &self.sql }
}
