//! Subqueries in expressions: run when a value is asked for, remembered as long as it holds.
//!
//! Neighbours: `scalar::evaluate` calls these, `frame` keeps the states.

use pandodb_ds::record::{Value, ValueRef};
use rustc_hash::FxHashSet;

use super::key::{HashedRow, push_collated};
use super::recall::Memory;
use super::{Frame, Outer, Scope};
use crate::error::Result;
use crate::scalar::{CompareRule, Correlation, InSubquery, Quantified, SubqueryCall};
use crate::types::{Datum, apply_affinity};

/// The state of a subquery.
#[derive(Debug, Default)]
pub(crate) struct SubqueryState {
    frame: Option<Box<Frame>>,
    kept: Option<Remembered>,
    /// How long `kept` holds.
    correlation: Correlation,
    /// Results for rows that were seen.
    memory: Memory,
}

/// A result that is remembered.
#[derive(Debug)]
enum Remembered {
    Row(Vec<Value>),
    Exists(bool),
    Set(Box<Set>),
}

/// The rows of `IN (SELECT ..)`.
#[derive(Debug, Default)]
struct Set {
    rows: FxHashSet<HashedRow>,
    /// Rows with a NULL in them, which equal nothing but may equal anything.
    with_null: Vec<Vec<Value>>,
    is_empty: bool,
}

impl SubqueryState {
    /// Forgets everything, and every hold on storage.
    pub(crate) fn clear(&mut self) {
        self.kept = None;
        self.memory.clear();
        if let Some(frame) = &mut self.frame {
            frame.clear();
        }
    }

    /// What is read next may have changed; what does not depend on the row stays known.
    pub(crate) fn close(&mut self) {
        if self.correlation != Correlation::None {
            self.kept = None;
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
        self.plan.root.open(frame, outer)?;
        while self.plan.root.next(frame, outer)? {
            if !take(&frame.scope(outer))? {
                break;
            }
        }
        Ok(())
    }

    /// Column `column` of the first row, or NULL.
    pub(crate) fn scalar<'a>(&self, scope: &Scope<'a>, column: usize) -> Result<Datum<'a>> {
        let mut state = scope.frame.subqueries[usize::from(self.state)].borrow_mut();
        if self.correlation == Correlation::Immediate {
            state.kept = None;
        }
        if self.remembers
            && let Some(row) = state.memory.recall(self, scope)?
        {
            return Ok(Datum::Owned(row.get(column).cloned().unwrap_or(Value::Null)));
        }
        if !matches!(state.kept, Some(Remembered::Row(_))) {
            let mut row = Vec::new();
            self.each(&mut state, scope, |inner| {
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
            Some(Remembered::Row(row)) => {
                Ok(Datum::Owned(row.get(column).cloned().unwrap_or(Value::Null)))
            }
            _ => Ok(Datum::NULL),
        }
    }

    /// Whether there is a row.
    pub(crate) fn exists(&self, scope: &Scope<'_>) -> Result<bool> {
        let mut state = scope.frame.subqueries[usize::from(self.state)].borrow_mut();
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

    /// The values of its first column, each once, in order: for an index that is asked for all.
    pub(crate) fn values(&self, scope: &Scope<'_>, rule: CompareRule) -> Result<Vec<Value>> {
        let mut state = scope.frame.subqueries[usize::from(self.state)].borrow_mut();
        let mut values = std::collections::BTreeMap::new();
        self.each(&mut state, scope, |inner| {
            let Some(output) = self.plan.outputs.first() else { return Ok(false) };
            let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
            if !value.is_null() {
                let mut key = Vec::new();
                push_collated(value.as_ref(), rule.collation, inner.outer.context, &mut key)?;
                values.entry(key).or_insert_with(|| value.into_value());
            }
            Ok(true)
        })?;
        Ok(values.into_values().collect())
    }
}

impl InSubquery {
    /// Whether the operands are among the rows.
    pub(crate) fn contains(&self, scope: &Scope<'_>) -> Result<Option<bool>> {
        let call = &self.subquery;
        let mut state = scope.frame.subqueries[usize::from(call.state)].borrow_mut();
        let is_kept = matches!(state.kept, Some(Remembered::Set(_)));
        if !is_kept || call.correlation == Correlation::Immediate {
            let mut set = Set { is_empty: true, ..Set::default() };
            call.each(&mut state, scope, |inner| {
                set.is_empty = false;
                self.add(&mut set, inner).map(|()| true)
            })?;
            state.correlation = call.correlation;
            state.kept = Some(Remembered::Set(Box::new(set)));
        }
        let Some(Remembered::Set(set)) = &state.kept else { return Ok(None) };
        Ok(self.look_up(set, scope)?.map(|found| found != self.negated))
    }

    fn add(&self, set: &mut Set, inner: &Scope<'_>) -> Result<()> {
        let mut key = Vec::new();
        let mut values = Vec::new();
        let mut has_null = false;
        for (output, rule) in self.subquery.plan.outputs.iter().zip(&self.rules) {
            let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
            has_null |= value.is_null();
            push_collated(value.as_ref(), rule.collation, inner.outer.context, &mut key)?;
            values.push(value.into_value());
        }
        if !has_null {
            set.rows.insert(key.into_boxed_slice());
        } else if !set.with_null.contains(&values) {
            set.with_null.push(values);
        }
        Ok(())
    }

    fn look_up(&self, set: &Set, scope: &Scope<'_>) -> Result<Option<bool>> {
        if set.is_empty {
            return Ok(Some(false));
        }
        let mut key = Vec::new();
        let mut operands = Vec::with_capacity(self.operands.len());
        let mut has_null = false;
        for (operand, rule) in self.operands.iter().zip(&self.rules) {
            let value = apply_affinity(operand.evaluate(scope)?, rule.affinity);
            has_null |= value.is_null();
            push_collated(value.as_ref(), rule.collation, scope.outer.context, &mut key)?;
            operands.push(value);
        }
        if !has_null && set.rows.contains(key.as_slice()) {
            return Ok(Some(true));
        }
        if self.operands.len() == 1 {
            let unknown = has_null || !set.with_null.is_empty();
            return Ok(if unknown { None } else { Some(false) });
        }
        self.look_up_parts(set, &operands, scope)
    }

    /// Rows with NULLs: unknown where all other parts agree.
    fn look_up_parts(
        &self,
        set: &Set,
        operands: &[Datum<'_>],
        scope: &Scope<'_>,
    ) -> Result<Option<bool>> {
        let context = scope.outer.context;
        let agrees = |place: usize, value: ValueRef<'_>| {
            let operand = operands[place].as_ref();
            operand.is_null()
                || value.is_null()
                || crate::types::compare(
                    operand,
                    value,
                    self.rules[place].collation,
                    context.collations,
                )
                .is_eq()
        };
        for row in &set.with_null {
            if row.iter().enumerate().all(|(place, value)| agrees(place, value.as_ref())) {
                return Ok(None);
            }
        }
        if operands.iter().any(Datum::is_null) {
            // A NULL on the left: every row without one must be looked at.
            let orders: Vec<_> = self.rules.iter().map(|rule| rule.collation).collect();
            for key in &set.rows {
                let mut rest: &[u8] = key;
                let mut scratch = Vec::new();
                let mut same = true;
                for (place, _) in orders.iter().enumerate() {
                    let start = rest;
                    let len = pandodb_ds::record::key::skip_column(rest, false)?;
                    rest = rest.get(len..).unwrap_or(&[]);
                    if !operands[place].is_null() {
                        scratch.clear();
                        let operand = operands[place].as_ref();
                        push_collated(operand, self.rules[place].collation, context, &mut scratch)?;
                        same = same && start.get(..len) == Some(scratch.as_slice());
                    }
                }
                if same {
                    return Ok(None);
                }
            }
        }
        Ok(Some(false))
    }
}

impl Quantified {
    /// Whether the comparison holds for all or any of the rows.
    pub(crate) fn holds(&self, scope: &Scope<'_>) -> Result<Option<bool>> {
        let operand = self.operand.evaluate(scope)?;
        let mut state = scope.frame.subqueries[usize::from(self.subquery.state)].borrow_mut();
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
