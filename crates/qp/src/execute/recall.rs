//! What a subquery found for the values that it depends on: asked again with the same values it
//! need not run.
//!
//! A memory that is rarely of use forgets itself. Neighbours: `subquery` asks it.

use pandodb_ds::record::{Collation, Value, ValueRef};
use rustc_hash::FxHashMap;

use super::Scope;
use super::key::{HashedRow, push_group_key};
use crate::error::Result;
use crate::scalar::SubqueryCall;

/// How many results are kept.
const KEPT_MAX: usize = 20_000;
/// How much a key may take: longer values are rarely asked for again.
const KEY_BYTES_MAX: usize = 256;
/// After how many questions it is looked at whether the memory is of use.
const TRIAL: u32 = 512;

/// Results by what they depend on.
#[derive(Debug, Default)]
pub(super) struct Memory {
    results: FxHashMap<HashedRow, Vec<Value>>,
    key: Vec<u8>,
    asked: u32,
    found: u32,
    is_off: bool,
}

impl Memory {
    /// What was found for the current rows; else the next result belongs to them.
    pub(super) fn recall(
        &mut self,
        call: &SubqueryCall,
        scope: &Scope<'_>,
    ) -> Result<Option<&Vec<Value>>> {
        if self.is_off {
            return Ok(None);
        }
        self.key.clear();
        for place in call.plan.outer.iter().filter(|place| place.depth == 0) {
            let value = scope.frame.slot(place.slot).column(place.column)?;
            let value = value.as_ref();
            // Numbers that are equal may be of two kinds.
            self.key.push(u8::from(matches!(value, ValueRef::Real(_))));
            push_group_key(value, Collation::Binary, &mut self.key)?;
        }
        self.asked = self.asked.saturating_add(1);
        if self.asked >= TRIAL && self.found < self.asked / 16 {
            *self = Self { is_off: true, ..Self::default() };
            return Ok(None);
        }
        let found = self.results.get(self.key.as_slice());
        self.found += u32::from(found.is_some());
        Ok(found)
    }

    /// Keeps a result for what was asked for last.
    pub(super) fn keep(&mut self, row: &[Value]) {
        let fits = self.results.len() < KEPT_MAX && self.key.len() <= KEY_BYTES_MAX;
        let is_short = row.iter().all(|value| match value {
            Value::Text(bytes) | Value::Blob(bytes) => bytes.len() <= KEY_BYTES_MAX,
            _ => true,
        });
        if fits && is_short && !self.is_off {
            self.results.insert(Box::from(self.key.as_slice()), row.to_vec());
        }
    }

    /// Forgets everything: the tables may have changed, or what lies around.
    pub(super) fn clear(&mut self) {
        self.results.clear();
        (self.asked, self.found) = (0, 0);
    }
}
