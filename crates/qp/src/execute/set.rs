//! The rows of `IN (SELECT ..)`: what is looked for among them, and what NULLs make of it.
//!
//! Numbers that are whole have a table of their own; any other row is the bytes of its values, as
//! they compare. Rows that are too much for the statement's memory are looked for in a file. A set
//! is made once for all rows that do not change it, and then read by as many threads as look at
//! those rows. Neighbours: `subquery` makes sets, `batch::compute` looks whole columns up.

use pandodb_ds::record::number::real_is_integer;
use pandodb_ds::record::{Collation, Value, ValueRef};
use rustc_hash::FxHashSet;

use super::files::keyed::OtherKeys;
use super::key::{HashedRow, push_collated, push_group_key};
use super::memory::Weight;
use super::operators::values_bytes;
use super::{Context, Scope};
use crate::error::Result;
use crate::scalar::{CompareRule, Scalar, evaluate_part};
use crate::types::{Datum, apply_affinity};

/// About what an integer and any other row take, beside its bytes.
const INTEGER_BYTES: usize = 16;
const ROW_BYTES: usize = 48;

/// The rows of a subquery, each once.
#[derive(Debug)]
pub(crate) struct Set {
    /// Single values that equal integers.
    integers: FxHashSet<i64>,
    rows: FxHashSet<HashedRow>,
    /// Rows with a NULL in them, which equal nothing but may equal anything.
    with_null: Vec<Vec<Value>>,
    is_empty: bool,
    weight: Weight,
    /// Rows that there is no room for, as the others are made keys.
    others: OtherKeys,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            integers: FxHashSet::default(),
            rows: FxHashSet::default(),
            with_null: Vec::new(),
            is_empty: true,
            weight: Weight::default(),
            others: OtherKeys::default(),
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
        let context = inner.outer.context;
        let mut key = Vec::new();
        if let ([output], [rule]) = (outputs, rules) {
            let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
            if value.is_null() {
                self.with_null.truncate(0);
                self.with_null.push(vec![Value::Null]);
            } else if let Some(integer) = integer_of(value.as_ref()) {
                return self.add_integer(integer, context);
            } else {
                push_collated(value.as_ref(), rule.collation, context, &mut key)?;
                return self.add_key(key, context);
            }
            return Ok(());
        }
        let mut values = Vec::new();
        let mut has_null = false;
        for (output, rule) in outputs.iter().zip(rules) {
            let value = apply_affinity(output.evaluate(inner)?, rule.affinity);
            has_null |= value.is_null();
            push_collated(value.as_ref(), rule.collation, context, &mut key)?;
            values.push(value.into_value());
        }
        if !has_null {
            return self.add_key(key, context);
        }
        if !self.with_null.contains(&values) {
            self.weight.add(values_bytes(&values) + ROW_BYTES, context)?;
            self.with_null.push(values);
        }
        Ok(())
    }

    fn add_integer(&mut self, integer: i64, context: &Context<'_>) -> Result<()> {
        if !self.others.are_coming() {
            if self.integers.insert(integer) {
                self.weigh(INTEGER_BYTES, context)?;
            }
        } else if !self.integers.contains(&integer) {
            self.others.take((&integer_key(integer)?, 0), context)?;
        }
        Ok(())
    }

    fn add_key(&mut self, key: Vec<u8>, context: &Context<'_>) -> Result<()> {
        if self.rows.contains(key.as_slice()) || self.others.take((&key, 0), context)? {
            return Ok(());
        }
        self.weigh(key.len() + ROW_BYTES, context)?;
        self.rows.insert(key.into_boxed_slice());
        Ok(())
    }

    /// Says that a row more is kept; where that is too much the others go to a file.
    fn weigh(&mut self, bytes: usize, context: &Context<'_>) -> Result<()> {
        if self.weight.add(bytes, context)? {
            self.others.begin(self.integers.len() + self.rows.len());
        }
        Ok(())
    }

    /// All rows have come.
    pub(super) fn finish(&mut self, context: &Context<'_>) -> Result<()> {
        self.others.finish(context)
    }

    /// Whether a key is among the rows.
    fn has_key(&self, key: &[u8]) -> Result<bool> {
        match self.others.filed() {
            _ if self.rows.contains(key) => Ok(true),
            Some(filed) => filed.contains(key),
            None => Ok(false),
        }
    }

    /// Whether there is no row: then nothing is among them, not even NULL.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether an integer is among single values.
    #[inline]
    pub(crate) fn find_integer(&self, integer: i64) -> Result<Option<bool>> {
        if self.integers.contains(&integer) {
            return Ok(Some(true));
        }
        match self.others.filed() {
            Some(filed) if filed.contains(&integer_key(integer)?)? => Ok(Some(true)),
            _ => Ok(self.absent()),
        }
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
            return self.find_integer(integer);
        }
        if !self.rows.is_empty() || self.others.filed().is_some() {
            key.clear();
            push_collated(value, collation, context, key)?;
            if self.has_key(key)? {
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
        for (index, rule) in rules.iter().enumerate() {
            let value = apply_affinity(evaluate_part(operands, index, scope)?, rule.affinity);
            has_null |= value.is_null();
            push_collated(value.as_ref(), rule.collation, context, &mut key)?;
            values.push(value);
        }
        if !has_null && self.has_key(&key)? {
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
                if agrees_in_key(operands, rules, key, context)? {
                    return Ok(None);
                }
            }
            let mut may_be = false;
            if let Some(filed) = self.others.filed() {
                filed.each(|key| {
                    may_be = may_be || agrees_in_key(operands, rules, key, context)?;
                    Ok(())
                })?;
            }
            if may_be {
                return Ok(None);
            }
        }
        Ok(Some(false))
    }
}

/// Whether all operands that are not NULL are those of a row's key.
fn agrees_in_key(
    operands: &[Datum<'_>],
    rules: &[CompareRule],
    key: &[u8],
    context: &Context<'_>,
) -> Result<bool> {
    let mut rest = key;
    let mut scratch = Vec::new();
    for (operand, rule) in operands.iter().zip(rules) {
        let start = rest;
        let len = pandodb_ds::record::key::skip_column(rest, false)?;
        rest = rest.get(len..).unwrap_or(&[]);
        if !operand.is_null() {
            scratch.clear();
            push_collated(operand.as_ref(), rule.collation, context, &mut scratch)?;
            if start.get(..len) != Some(scratch.as_slice()) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The key of an integer among rows.
fn integer_key(integer: i64) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    push_group_key(ValueRef::Integer(integer), Collation::Binary, &mut key)?;
    Ok(key)
}

// Neighbours: `subquery`, `key`.
