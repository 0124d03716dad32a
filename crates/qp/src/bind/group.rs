//! What a query block gathers while its expressions are bound: aggregates and windows.
//!
//! An aggregate in an expression becomes a column of the block's group slot, a window function a
//! column of its window's slot. Neighbours: `function` fills this, `select` plans it.

use pandodb_ds::sync::Arc;

use super::Binder;
use crate::ast;
use crate::plan::{AggregateCall, GroupKey, SortKey, WindowCall};
use crate::scalar::{ColumnPlace, JsonSign, Scalar, SlotId};
use crate::types::Affinity;

/// Aggregates and windows of a block.
#[derive(Debug, Default)]
pub(crate) struct Grouping {
    /// Aggregates may stand in the clause that is being bound.
    pub(crate) aggregates_allowed: bool,
    /// GROUP BY is being bound.
    pub(crate) binds_keys: bool,
    /// Window functions may.
    pub(crate) windows_allowed: bool,
    /// Where groups' results go: keys first, then calls.
    pub(crate) slot: Option<SlotId>,
    /// GROUP BY
    pub(crate) keys: Vec<GroupKey>,
    /// Aggregates.
    pub(crate) calls: Vec<AggregateCall>,
    /// Windows with their functions.
    pub(crate) windows: Vec<WindowGroup>,
    /// WINDOW name AS (..)
    pub(crate) named: Vec<(ast::Name, ast::Window)>,
}

/// Functions over one window.
#[derive(Debug)]
pub(crate) struct WindowGroup {
    pub(crate) partition_by: Vec<GroupKey>,
    pub(crate) order_by: Vec<SortKey>,
    pub(crate) calls: Vec<WindowCall>,
    pub(crate) slot: SlotId,
}

impl WindowGroup {
    /// Whether the window has the same rows in the same order.
    pub(crate) fn same(&self, partition_by: &[GroupKey], order_by: &[SortKey]) -> bool {
        self.partition_by.len() == partition_by.len()
            && self.order_by.len() == order_by.len()
            && self.partition_by.iter().zip(partition_by).all(|(left, right)| {
                left.collation == right.collation && left.value.same(&right.value)
            })
            && self.order_by.iter().zip(order_by).all(|(left, right)| {
                (left.collation, left.descending, left.nulls_first)
                    == (right.collation, right.descending, right.nulls_first)
                    && left.value.same(&right.value)
            })
    }
}

/// A computed column of a slot of the current frame.
pub(crate) fn computed_column(slot: SlotId, column: usize) -> Scalar {
    Scalar::Column(ColumnPlace {
        depth: 0,
        slot,
        column: column as u16,
        affinity: Affinity::None,
        collation: None,
        json: JsonSign::None,
    })
}

impl Binder<'_> {
    /// Adds an aggregate to scope `index`; its arguments are as that scope reads them.
    pub(crate) fn add_aggregate(&mut self, index: usize, call: AggregateCall) -> Scalar {
        let frame = self.scopes[index].frame;
        let slot = if let Some(slot) = self.scopes[index].grouping.slot {
            slot
        } else {
            let slot = self.frames[frame].slot();
            self.scopes[index].grouping.slot = Some(slot);
            slot
        };
        let grouping = &mut self.scopes[index].grouping;
        // Only what reads JSON asks whether an extreme is.
        let sign = (self.json_readers > 0).then(|| extreme_sign(&call)).flatten();
        let is_json = call.function.traits.may_return_json;
        let place = grouping.calls.iter().position(|known| same_call(known, &call));
        let place = place.unwrap_or_else(|| {
            grouping.calls.push(call);
            grouping.calls.len() - 1
        });
        let json = sign.map_or(JsonSign::None, |(sign, made)| {
            let place = grouping.calls.iter().position(|known| same_call(known, &sign));
            let place = place.unwrap_or_else(|| {
                grouping.calls.push(sign);
                grouping.calls.len() - 1
            });
            JsonSign::Flag { column: (grouping.keys.len() + place) as u16, made }
        });
        let mut column = computed_column(slot, grouping.keys.len() + place);
        if let Scalar::Column(place) = &mut column {
            place.json = json;
        }
        if is_json { Scalar::Json(Box::new(column)) } else { column }
    }
}

/// Whether two calls give the same.
fn same_call(known: &AggregateCall, call: &AggregateCall) -> bool {
    known.function.name == call.function.name
        && known.distinct == call.distinct
        && known.collation == call.collation
        && known.order_by.is_empty()
        && call.order_by.is_empty()
        && known.arguments.len() == call.arguments.len()
        && known.arguments.iter().zip(&call.arguments).all(|(left, right)| left.same(right))
        && match (&known.filter, &call.filter) {
            (None, None) => true,
            (Some(left), Some(right)) => left.same(right),
            _ => false,
        }
}

/// What tells whether the result of `call` is JSON, and whether a function made that, where `call`
/// is an extreme of what may be.
fn extreme_sign(call: &AggregateCall) -> Option<(AggregateCall, bool)> {
    let greatest = match &*call.function.name {
        "max" => true,
        "min" => false,
        _ => return None,
    };
    let argument = call.arguments.first().filter(|argument| argument.may_be_json())?;
    let made = argument.makes_json();
    let function = Arc::new(crate::function::extreme_sign(greatest));
    Some((AggregateCall { function, distinct: false, ..call.clone() }, made))
}

/// Replaces what is written like a group key by the key's column. What a function may have
/// made JSON of is computed again for a function that asks for that.
pub(crate) fn use_keys(scalar: &mut Scalar, keys: &[GroupKey], slot: SlotId) {
    let found = keys.iter().position(|key| key.value.same(scalar));
    if let Some(place) = found {
        let (affinity, collation) = (scalar.affinity(), scalar.collation());
        *scalar = Scalar::Column(ColumnPlace {
            depth: 0,
            slot,
            column: place as u16,
            affinity,
            collation,
            json: JsonSign::None,
        });
        return;
    }
    if let Scalar::Call(call) = scalar
        && call.function.traits.reads_json
    {
        let arguments = call.arguments.iter_mut().filter(|argument| !argument.makes_json());
        arguments.for_each(|argument| use_keys(argument, keys, slot));
        return;
    }
    scalar.children_mut(&mut |child| use_keys(child, keys, slot));
}
