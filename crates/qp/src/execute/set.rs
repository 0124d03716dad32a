//! The rows of `IN (SELECT ..)`: what is looked for among them, and what NULLs make of it.
//!
//! Numbers that are whole have a table of their own; any other row is the bytes of its values, as
//! they compare. A set is made once for all rows that do not change it, and then read by as many
//! threads as look at those rows. Neighbours: `subquery` makes sets, `batch::compute` looks whole
//! columns up.

use pandodb_ds::record::number::real_is_integer;
use pandodb_ds::record::{Collation, Value, ValueRef};
use rustc_hash::FxHashSet;

use super::key::{HashedRow, push_collated};
use super::{Context, Scope};
use crate::error::Result;
use crate::scalar::{CompareRule, Scalar};
use crate::types::{Datum, apply_affinity};

/// The rows of a subquery, each once.
#[derive(Debug)]
pub(crate) struct Set {
    /// Single values that equal integers.
    integers: FxHashSet<i64>,
    rows: FxHashSet<HashedRow>,
    /// Rows with a NULL in them, which equal nothing but may equal anything.
    with_null: Vec<Vec<Value>>,
    is_empty: bool,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            integers: FxHashSet::default(),
            rows: FxHashSet::default(),
            with_null: Vec::new(),
            is_empty: true,
        }
    }
}

/// The integer that a value equals.
fn integer_of(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(integer) => Some(integer),
        ValueRef::Real(real) => real_is_integer(real),
        _ => None,
    }
}

impl Set {
    /// Adds a row of the subquery.
    pub(super) fn add(
        &mut self,
        outputs: &[Scalar],
        rules: &[CompareRule],
        inner: &Scope<'_>,
    ) -> Result<()> {
        self.is_empty = false;
        let mut key = Vec::new();
        if let ([output], [rule]) = (outputs, rules) {
            let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
            if value.is_null() {
                self.with_null.truncate(0);
                self.with_null.push(vec![Value::Null]);
            } else if let Some(integer) = integer_of(value.as_ref()) {
                self.integers.insert(integer);
            } else {
                push_collated(value.as_ref(), rule.collation, inner.outer.context, &mut key)?;
                if !self.rows.contains(key.as_slice()) {
                    self.rows.insert(key.into_boxed_slice());
                }
            }
            return Ok(());
        }
        let mut values = Vec::new();
        let mut has_null = false;
        for (output, rule) in outputs.iter().zip(rules) {
            let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
            has_null |= value.is_null();
            push_collated(value.as_ref(), rule.collation, inner.outer.context, &mut key)?;
            values.push(value.into_value());
        }
        if !has_null {
            self.rows.insert(key.into_boxed_slice());
        } else if !self.with_null.contains(&values) {
            self.with_null.push(values);
        }
        Ok(())
    }

    /// Whether there is no row: then nothing is among them, not even NULL.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether an integer is among single values.
    #[inline]
    pub(crate) fn find_integer(&self, integer: i64) -> Option<bool> {
        if self.integers.contains(&integer) { Some(true) } else { self.absent() }
    }

    /// What is said of a value that is not there.
    fn absent(&self) -> Option<bool> {
        if self.with_null.is_empty() { Some(false) } else { None }
    }

    /// Whether a value, to which the rule's affinity was applied, is among single values; `key`
    /// is room for its bytes.
    pub(crate) fn find(
        &self,
        value: ValueRef<'_>,
        collation: Collation,
        context: &Context<'_>,
        key: &mut Vec<u8>,
    ) -> Result<Option<bool>> {
        if self.is_empty {
            return Ok(Some(false));
        }
        if value.is_null() {
            return Ok(None);
        }
        if let Some(integer) = integer_of(value) {
            return Ok(self.find_integer(integer));
        }
        if !self.rows.is_empty() {
            key.clear();
            push_collated(value, collation, context, key)?;
            if self.rows.contains(key.as_slice()) {
                return Ok(Some(true));
            }
        }
        Ok(self.absent())
    }

    /// Whether the values of `operands` are a row of the set.
    pub(super) fn look_up(
        &self,
        operands: &[Scalar],
        rules: &[CompareRule],
        scope: &Scope<'_>,
    ) -> Result<Option<bool>> {
        if self.is_empty {
            return Ok(Some(false));
        }
        let context = scope.outer.context;
        let mut key = Vec::new();
        if let ([operand], [rule]) = (operands, rules) {
            let value = apply_affinity(operand.evaluate(scope)?, rule.affinity);
            return self.find(value.as_ref(), rule.collation, context, &mut key);
        }
        let mut values = Vec::with_capacity(operands.len());
        let mut has_null = false;
        for (operand, rule) in operands.iter().zip(rules) {
            let value = apply_affinity(operand.evaluate(scope)?, rule.affinity);
            has_null |= value.is_null();
            push_collated(value.as_ref(), rule.collation, context, &mut key)?;
            values.push(value);
        }
        if !has_null && self.rows.contains(key.as_slice()) {
            return Ok(Some(true));
        }
        self.look_up_parts(&values, rules, context)
    }

    /// Rows with NULLs: unknown where all other parts agree.
    fn look_up_parts(
        &self,
        operands: &[Datum<'_>],
        rules: &[CompareRule],
        context: &Context<'_>,
    ) -> Result<Option<bool>> {
        let agrees = |place: usize, value: ValueRef<'_>| {
            let operand = operands[place].as_ref();
            let collation = rules[place].collation;
            operand.is_null()
                || value.is_null()
                || crate::types::compare(operand, value, collation, context.collations).is_eq()
        };
        for row in &self.with_null {
            if row.iter().enumerate().all(|(place, value)| agrees(place, value.as_ref())) {
                return Ok(None);
            }
        }
        if operands.iter().any(Datum::is_null) {
            // A NULL on the left: every row without one must be looked at.
            for key in &self.rows {
                let mut rest: &[u8] = key;
                let mut scratch = Vec::new();
                let mut same = true;
                for (operand, rule) in operands.iter().zip(rules) {
                    let start = rest;
                    let len = pandodb_ds::record::key::skip_column(rest, false)?;
                    rest = rest.get(len..).unwrap_or(&[]);
                    if !operand.is_null() {
                        scratch.clear();
                        push_collated(operand.as_ref(), rule.collation, context, &mut scratch)?;
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

// Neighbours: `subquery`, `key`.
