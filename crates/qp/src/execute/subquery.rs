//! Subqueries in expressions: run when a value is asked for, remembered as long as it holds.
//!
//! Neighbours: `scalar::evaluate` calls these, `frame` keeps the states, `set` has the rows of IN.

use std::cell::RefMut;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use smallvec::SmallVec;

use super::key::push_collated;
use super::memory::Weight;
use super::operators::values_bytes;
use super::recall::Memory;
use super::set::Set;
use super::{Frame, Outer, Scope};
use crate::error::Result;
use crate::scalar::{Correlation, InSubquery, Quantified, SubqueryCall};
use crate::types::{Datum, apply_affinity};

/// Which columns of a subquery were asked for, and their values in each row.
#[derive(Debug)]
struct Sought {
    parts: SmallVec<[u16; 2]>,
    rows: Arc<Vec<Vec<Value>>>,
    /// Holds their memory on the statement's account.
    _weight: Weight,
}

/// The state of a subquery.
#[derive(Debug, Default)]
pub(crate) struct SubqueryState {
    frame: Option<Box<Frame>>,
    kept: Option<Remembered>,
    /// Values of some of its columns, for an index that is asked for all.
    sought: Option<Sought>,
    /// How long `kept` and `sought` hold.
    correlation: Correlation,
    /// Results for rows that were seen.
    memory: Memory,
}

/// A result that is remembered.
#[derive(Clone, Debug)]
enum Remembered {
    Row(Vec<Value>),
    Exists(bool),
    Set(Arc<Set>),
}

/// A result that does not depend on any row, for threads that cannot run the subquery.
#[derive(Clone, Debug)]
pub(crate) struct KnownResult(Remembered);

impl SubqueryState {
    /// What is known of the subquery, if it holds for all rows.
    pub(crate) fn known(&self) -> Option<KnownResult> {
        let is_lasting = self.correlation == Correlation::None;
        self.kept.clone().filter(|_| is_lasting).map(KnownResult)
    }

    /// The state of a subquery whose result is known.
    pub(crate) fn of_known(known: KnownResult) -> Self {
        Self { kept: Some(known.0), ..Self::default() }
    }

    /// Forgets everything, and every hold on storage.
    pub(crate) fn clear(&mut self) {
        self.kept = None;
        self.sought = None;
        self.memory.clear();
        if let Some(frame) = &mut self.frame {
            frame.clear();
        }
    }

    /// What is read next may have changed; what does not depend on the row stays known.
    pub(crate) fn close(&mut self) {
        if self.correlation != Correlation::None {
            self.kept = None;
            self.sought = None;
            self.memory.clear();
        }
        if let Some(frame) = &mut self.frame {
            frame.close();
        }
    }

    /// The block around is opened anew: what depends on blocks further out is forgotten.
    pub(crate) fn reopen(&mut self) {
        if self.correlation != Correlation::None {
            self.kept = None;
            self.sought = None;
            self.memory.clear();
        }
    }
}

impl Frame {
    /// Lets subqueries look at the tables as they are now.
    pub(crate) fn close_subqueries(&mut self) {
        for subquery in &mut self.subqueries {
            subquery.get_mut().close();
        }
    }

    /// The block is opened anew within one execution.
    pub(crate) fn reopen(&mut self) {
        for subquery in &mut self.subqueries {
            subquery.get_mut().reopen();
        }
    }
}

impl SubqueryCall {
    /// Runs the subquery and gives each row to `take` until it says stop.
    fn each(
        &self,
        state: &mut SubqueryState,
        scope: &Scope<'_>,
        mut take: impl FnMut(&Scope<'_>) -> Result<bool>,
    ) -> Result<()> {
        let frame = state.frame.get_or_insert_with(|| Box::new(Frame::new(self.plan.layout)));
        frame.reopen();
        let outer = Outer { context: scope.outer.context, scope: Some(scope) };
        crate::limits::with_stack_of(&self.plan.layout, || {
            self.plan.root.open(frame, outer)?;
            while self.plan.root.next(frame, outer)? {
                if !take(&frame.scope(outer))? {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Column `column` of the first row, or NULL.
    pub(crate) fn scalar<'a>(&self, scope: &Scope<'a>, column: usize) -> Result<Datum<'a>> {
        self.of_row(scope, false, |row| row.get(column).cloned().unwrap_or(Value::Null))
            .map(Datum::Owned)
    }

    /// As [`scalar`](Self::scalar), and whether it is JSON.
    pub(crate) fn scalar_json<'a>(
        &self,
        scope: &Scope<'a>,
        column: usize,
    ) -> Result<(Datum<'a>, bool)> {
        let sign = self.plan.outputs.len() + column;
        self.of_row(scope, true, |row| {
            let is_json = matches!(row.get(sign), Some(Value::Integer(1)));
            (Datum::Owned(row.get(column).cloned().unwrap_or(Value::Null)), is_json)
        })
    }

    /// What `take` makes of the first row, which is empty if there is none; behind its columns
    /// stands which of them are JSON, if `signs` asks for that.
    fn of_row<T>(
        &self,
        scope: &Scope<'_>,
        signs: bool,
        take: impl FnOnce(&[Value]) -> T,
    ) -> Result<T> {
        let mut state = scope.frame.subqueries[self.state as usize].borrow_mut();
        if self.correlation == Correlation::Immediate {
            state.kept = None;
        }
        if self.remembers
            && let Some(row) = state.memory.recall(self, scope)?
        {
            return Ok(take(row));
        }
        if !matches!(state.kept, Some(Remembered::Row(_))) {
            let mut row = Vec::new();
            self.each(&mut state, scope, |inner| {
                if signs {
                    return self.signed_row(inner, &mut row).map(|()| false);
                }
                for output in &self.plan.outputs {
                    row.push(output.evaluate(inner)?.into_value());
                }
                Ok(false)
            })?;
            state.correlation = self.correlation;
            if self.remembers {
                state.memory.keep(&row);
            }
            state.kept = Some(Remembered::Row(row));
        }
        match &state.kept {
            Some(Remembered::Row(row)) => Ok(take(row)),
            _ => Ok(take(&[])),
        }
    }

    /// The columns of a row, and then which of them are JSON.
    fn signed_row(&self, inner: &Scope<'_>, row: &mut Vec<Value>) -> Result<()> {
        let mut signs = Vec::with_capacity(self.plan.outputs.len());
        for output in &self.plan.outputs {
            let (value, is_json) = output.evaluate_json(inner)?;
            row.push(value.into_value());
            signs.push(Value::Integer(i64::from(is_json)));
        }
        row.append(&mut signs);
        Ok(())
    }

    /// Column `column` of the row that was asked for last.
    pub(crate) fn scalar_again<'a>(&self, scope: &Scope<'a>, column: usize) -> Result<Datum<'a>> {
        if let Some(Remembered::Row(row)) =
            &scope.frame.subqueries[self.state as usize].borrow().kept
            && !self.remembers
        {
            return Ok(Datum::Owned(row.get(column).cloned().unwrap_or(Value::Null)));
        }
        self.scalar(scope, column)
    }

    /// Whether there is a row.
    pub(crate) fn exists(&self, scope: &Scope<'_>) -> Result<bool> {
        let mut state = scope.frame.subqueries[self.state as usize].borrow_mut();
        if let Some(Remembered::Exists(exists)) = state.kept
            && self.correlation != Correlation::Immediate
        {
            return Ok(exists);
        }
        let mut exists = false;
        self.each(&mut state, scope, |_| {
            exists = true;
            Ok(false)
        })?;
        state.correlation = self.correlation;
        state.kept = Some(Remembered::Exists(exists));
        Ok(exists)
    }
}

impl InSubquery {
    /// The values of some of the subquery's columns, each row once, in order and without NULL:
    /// for an index that is asked for all.
    pub(crate) fn rows(&self, scope: &Scope<'_>, parts: &[u16]) -> Result<Arc<Vec<Vec<Value>>>> {
        let call = &self.subquery;
        let mut state = scope.frame.subqueries[call.state as usize].borrow_mut();
        if let Some(Sought { parts: known, rows, .. }) = &state.sought
            && known.as_slice() == parts
            && call.correlation == Correlation::None
        {
            return Ok(Arc::clone(rows));
        }
        let mut rows = BTreeMap::new();
        let mut weight = Weight::default();
        call.each(&mut state, scope, |inner| {
            let mut row = Vec::with_capacity(parts.len());
            let mut key = Vec::new();
            for part in parts {
                let part = usize::from(*part);
                let Some(output) = call.plan.outputs.get(part) else { return Ok(false) };
                let rule = self.rules.get(part).copied().unwrap_or_default();
                let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
                if value.is_null() {
                    return Ok(true);
                }
                push_collated(value.as_ref(), rule.collation, inner.outer.context, &mut key)?;
                row.push(value.into_value());
            }
            if let Entry::Vacant(free) = rows.entry(key) {
                let bytes = free.key().len() + values_bytes(&row) + size_of::<Vec<Value>>();
                weight.add(bytes, inner.outer.context)?;
                free.insert(row);
            }
            Ok(true)
        })?;
        let rows = Arc::new(rows.into_values().collect::<Vec<_>>());
        state.correlation = call.correlation;
        state.sought = Some(Sought {
            parts: SmallVec::from_slice(parts),
            rows: Arc::clone(&rows),
            _weight: weight,
        });
        Ok(rows)
    }

    /// Whether the operands are among the rows.
    pub(crate) fn contains(&self, scope: &Scope<'_>) -> Result<Option<bool>> {
        let state = self.ready(scope)?;
        let Some(Remembered::Set(set)) = &state.kept else { return Ok(None) };
        let found = set.look_up(&self.operands, &self.rules, scope)?;
        Ok(found.map(|found| found != self.negated))
    }

    /// The rows of the subquery, which does not depend on any row around it.
    pub(crate) fn set(&self, scope: &Scope<'_>) -> Result<Arc<Set>> {
        match &self.ready(scope)?.kept {
            Some(Remembered::Set(set)) => Ok(Arc::clone(set)),
            _ => Ok(Arc::default()),
        }
    }

    /// The state of the subquery, which has its rows.
    fn ready<'s>(&self, scope: &Scope<'s>) -> Result<RefMut<'s, SubqueryState>> {
        let call = &self.subquery;
        let mut state = scope.frame.subqueries[call.state as usize].borrow_mut();
        let is_kept = matches!(state.kept, Some(Remembered::Set(_)));
        if !is_kept || call.correlation == Correlation::Immediate {
            let mut set = Set::default();
            call.each(&mut state, scope, |inner| {
                set.add(&call.plan.outputs, &self.rules, inner).map(|()| true)
            })?;
            set.finish(scope.outer.context)?;
            state.correlation = call.correlation;
            state.kept = Some(Remembered::Set(Arc::new(set)));
        }
        Ok(state)
    }
}

impl Quantified {
    /// Whether the comparison holds for all or any of the rows.
    pub(crate) fn holds(&self, scope: &Scope<'_>) -> Result<Option<bool>> {
        let operand = self.operand.evaluate(scope)?;
        let mut state = scope.frame.subqueries[self.subquery.state as usize].borrow_mut();
        let context = scope.outer.context;
        let (mut decided, mut unknown) = (false, false);
        self.subquery.each(&mut state, scope, |inner| {
            let Some(output) = self.subquery.plan.outputs.first() else { return Ok(false) };
            let value = output.evaluate(inner)?;
            let left = Datum::Ref(operand.as_ref());
            match crate::scalar::decide(self.operator, left, value, self.rule, context) {
                None => unknown = true,
                Some(holds) => decided = holds != self.all,
            }
            Ok(!decided)
        })?;
        Ok(if decided {
            Some(!self.all)
        } else if unknown {
            None
        } else {
            Some(self.all)
        })
    }
}
