//! JSON on its way out of a subquery of FROM.
//!
//! What is JSON to functions (SQLite's subtype) is no part of a value. Where a block of FROM is
//! computed into a slot, a column beside each that may be JSON tells ([`JsonSign`]). SQLite keeps
//! it where it writes the block into the one around it, and only there: which blocks these are
//! ([`JsonWay`]), and what around them hinders that, is told here as it is told there. Columns of
//! other blocks are plain texts. Neighbours: `from` itself and `compound` make the slots,
//! `scalar::json` reads the signs.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::as_column;
use crate::ast::{self, CompoundOperator, JoinKind};
use crate::bind::{Binder, Block, NameScope};
use crate::plan::{Later, QueryParts};
use crate::scalar::{Call, ColumnPlace, JsonSign, Scalar, SlotId};
use crate::types::Affinity;

/// How JSON comes out of a block: what SQLite looks at before it writes the block into the one
/// around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonWay {
    /// The slot that it is computed into; that of the reader.
    slot: SlotId,
    /// What it is, of the bits below.
    bits: u8,
}

/// It has a LIMIT.
const LIMITED: u8 = 1;
/// It has an ORDER BY.
const ORDERED: u8 = 2;
/// It puts selects together.
const COMPOUND: u8 = 4;
/// It reads several tables.
const JOIN: u8 = 8;
/// It stands beside other tables in a block that is written into the one around it.
const BESIDE: u8 = 16;
/// An outer join around may make its rows up.
const MADE_UP: u8 = 32;
/// It is the right side of a RIGHT or FULL JOIN.
const CLOSED: u8 = 64;
/// A block that is written into the one around it chooses among its rows.
const FILTERED: u8 = 128;

fn bit(bit: u8, is_set: bool) -> u8 {
    if is_set { bit } else { 0 }
}

/// What reads a block in FROM, beyond its parts.
#[derive(Clone, Copy, Debug)]
pub(in crate::bind) struct Reader {
    /// It has a WHERE.
    is_filtered: bool,
    /// Where it stands itself.
    place: Place,
}

/// Where a query stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// By itself.
    #[default]
    Alone,
    /// In FROM.
    From,
    /// In a compound.
    Part,
    /// Where a value stands: its first row counts.
    Value,
}

/// The way out of a block without compounds; none where it is never written into another. What
/// came into the block by ways of before takes those first.
fn way_of(parts: &QueryParts, scope: &NameScope) -> Option<JsonWay> {
    let grouping = &parts.grouping;
    let skips = parts.limit.as_ref().is_some_and(|(_, offset)| offset.is_some());
    // Which rows a LIMIT cuts depends on the order.
    let is_cut = parts.limit.is_some() && !parts.order_by.is_empty();
    let is_plain = grouping.keys.is_empty()
        && grouping.calls.is_empty()
        && grouping.windows.is_empty()
        && !parts.distinct
        && !skips
        && !is_cut
        && !scope.tables.is_empty();
    let before = scope.ways.iter().fold(0, |bits, way| bits | way.bits);
    is_plain.then(|| JsonWay {
        slot: SlotId(0),
        bits: before & (LIMITED | ORDERED | COMPOUND | BESIDE | FILTERED)
            | bit(LIMITED, parts.limit.is_some())
            | bit(ORDERED, !parts.order_by.is_empty())
            | bit(JOIN, scope.tables.len() > 1 || scope.has_join_inside),
    })
}

/// The way out of a compound.
fn compound_way(select: &ast::Select, arms: &[(CompoundOperator, Block)]) -> Option<JsonWay> {
    let skips = select.limit.as_ref().is_some_and(|limit| limit.offset.is_some());
    let (_, first) = arms.first()?;
    let is_alike = |block: &Block| {
        let mut pairs = block.outputs.iter().zip(&first.outputs);
        block.way.is_some() && pairs.all(|(one, other)| one.affinity() == other.affinity())
    };
    let is_cut = select.limit.is_some() && !select.order_by.is_empty();
    let is_plain = !skips
        && !is_cut
        && arms
            .iter()
            .all(|(operator, block)| *operator == CompoundOperator::UnionAll && is_alike(block));
    let is_join = arms.iter().any(|(_, arm)| arm.way.is_some_and(|way| way.has(JOIN)));
    is_plain.then(|| JsonWay {
        slot: SlotId(0),
        bits: COMPOUND
            | bit(LIMITED, select.limit.is_some())
            | bit(ORDERED, !select.order_by.is_empty())
            | bit(JOIN, is_join),
    })
}

impl Reader {
    pub(in crate::bind) fn of(query: &ast::Query, place: Place) -> Self {
        Self { is_filtered: query.filter.is_some(), place }
    }
}

impl JsonWay {
    /// The way into a slot of the reader.
    pub(in crate::bind) fn into_slot(self, slot: SlotId) -> Self {
        Self { slot, ..self }
    }

    /// Whether the block reads several tables.
    pub(super) fn is_join(self) -> bool {
        self.has(JOIN)
    }

    fn has(self, bit: u8) -> bool {
        self.bits & bit != 0
    }

    /// Whether what is JSON in the block is JSON to what reads it.
    fn reaches(self, parts: &QueryParts, tables: usize, reader: Reader) -> bool {
        let calls = &parts.grouping.calls;
        let tables = tables + usize::from(self.has(BESIDE));
        let is_grouped = !parts.grouping.keys.is_empty() || !calls.is_empty();
        let any_order = calls.iter().all(|call| {
            matches!(&*call.function.name, "count" | "min" | "max" | "min json" | "max json")
        });
        // An order that nobody can see is left out; any other is one that is made in the block.
        let is_order_lost = any_order && (!parts.order_by.is_empty() || tables > 1);
        let is_result = |value: &Scalar| parts.outputs.iter().any(|output| output.same(value));
        let passes_limit = !is_grouped
            && !parts.distinct
            && !reader.is_filtered
            && !self.has(FILTERED)
            && matches!(reader.place, Place::Alone | Place::From)
            && parts.limit.is_none()
            && tables == 1;
        let passes_compound = !is_grouped
            && !parts.distinct
            && parts.order_by.iter().all(|key| is_result(&key.value));
        parts.grouping.windows.is_empty()
            && !self.has(CLOSED)
            && (!self.has(LIMITED) || passes_limit)
            && (!self.has(ORDERED) || is_order_lost)
            && (!self.has(COMPOUND) || passes_compound)
            && (!self.has(MADE_UP) || !self.has(JOIN | COMPOUND) && !parts.distinct)
    }
}

/// Notes of the ways out of one side of a join what the joins make of its rows: the joins behind
/// it, and its own where it is the right side.
pub(in crate::bind) fn join_ways(ways: &mut [JsonWay], own: JoinKind, later: &[&ast::Join]) {
    let is_right = |kind: JoinKind| matches!(kind, JoinKind::Right | JoinKind::Full);
    for way in ways {
        let is_made_up = own == JoinKind::Left || later.iter().any(|join| is_right(join.kind));
        way.bits |= bit(MADE_UP, is_made_up) | bit(CLOSED, is_right(own));
    }
}

/// Takes columns for plain texts that come out of blocks by ways that do not reach the reader; the
/// way out of the reader. Where the reader may be written into the block around it that decides.
pub(in crate::bind) fn settle(
    parts: &mut QueryParts,
    scope: &mut NameScope,
    reader: Reader,
) -> Option<JsonWay> {
    let tables = scope.tables.len();
    let is_open = reader.place == Place::From
        && parts.limit.is_none()
        && parts.order_by.is_empty()
        && way_of(parts, scope).is_some();
    let beside = bit(BESIDE, tables > 1) | bit(FILTERED, reader.is_filtered);
    for way in std::mem::take(&mut scope.ways) {
        // An order may be lost further out.
        let asked = if is_open { JsonWay { bits: way.bits & !ORDERED, ..way } } else { way };
        if !asked.reaches(parts, tables, reader) {
            every_scalar(parts, &mut |scalar| scalar.forget_json_of(way.slot));
        } else if is_open {
            scope.ways.push(JsonWay { bits: way.bits | beside, ..way });
        } else {
            scope.ways.push(JsonWay { bits: way.bits & !(ORDERED | BESIDE | FILTERED), ..way });
        }
    }
    way_of(parts, scope)
}

fn every_scalar(parts: &mut QueryParts, visit: &mut dyn FnMut(&mut Scalar)) {
    let grouping = &mut parts.grouping;
    let windows = grouping.windows.iter_mut().flat_map(|window| &mut window.calls);
    let calls = grouping.calls.iter_mut().chain(windows.map(|window| &mut window.call));
    for call in calls {
        call.arguments.iter_mut().chain(&mut call.filter).for_each(&mut *visit);
        call.order_by.iter_mut().for_each(|key| visit(&mut key.value));
    }
    grouping.keys.iter_mut().for_each(|key| visit(&mut key.value));
    parts.group.predicates.iter_mut().for_each(&mut *visit);
    parts.outputs.iter_mut().chain(&mut parts.having).for_each(&mut *visit);
    parts.order_by.iter_mut().for_each(|key| visit(&mut key.value));
}

impl Binder<'_> {
    /// Gives a block that is computed into a slot the columns that tell; what tells of each result.
    pub(in crate::bind) fn add_signs(&mut self, block: &mut Block) -> Vec<JsonSign> {
        let mut told = vec![JsonSign::None; block.outputs.len()];
        if block.way.is_none() || !self.may_read_json() {
            return told;
        }
        for (index, told) in told.iter_mut().enumerate() {
            if is_signed(&block.outputs[index]) {
                let sign = self.sign(&block.outputs[index]);
                *told = flag(block.outputs.len());
                block.push_output(sign);
            }
        }
        told
    }

    /// As [`add_signs`](Self::add_signs), for the parts of a compound; the way out of it.
    pub(in crate::bind) fn sign_parts(
        &mut self,
        select: &ast::Select,
        arms: &mut [(CompoundOperator, Block)],
        outputs: &mut [Scalar],
    ) -> Option<JsonWay> {
        let way = compound_way(select, arms);
        if way.is_none() || !self.may_read_json() {
            return way;
        }
        let mut width = outputs.len();
        for (index, output) in outputs.iter_mut().enumerate() {
            let Scalar::Column(place) = output else { continue };
            if !arms.iter().any(|(_, block)| is_signed(&block.outputs[index])) {
                continue;
            }
            for (_, block) in &mut *arms {
                let of_part = &block.outputs[index];
                let sign = if is_signed(of_part) {
                    self.sign(of_part)
                } else {
                    Scalar::Literal(Value::Integer(0))
                };
                block.push_output(sign);
            }
            place.json = flag(width);
            width += 1;
        }
        way
    }

    /// Whether a function around may ask what is JSON: all that do have it in their names.
    fn may_read_json(&self) -> bool {
        self.texts_around.iter().chain([&self.text]).any(|text| mentions_json(text))
    }

    /// What tells whether `output` is JSON.
    fn sign(&mut self, output: &Scalar) -> Scalar {
        if let Scalar::Column(place) = output
            && let Some(column) = place.json.column()
        {
            return Scalar::Column(ColumnPlace {
                column,
                affinity: Affinity::None,
                collation: None,
                json: JsonSign::None,
                ..*place
            });
        }
        let cache = self.cache();
        Scalar::Call(Box::new(Call {
            function: Arc::new(crate::function::json_sign()),
            arguments: vec![output.clone()],
            collation: pandodb_ds::record::Collation::Binary,
            cache,
        }))
    }
}

impl Block {
    /// Adds a column that is no result.
    fn push_output(&mut self, output: Scalar) {
        match &mut self.later {
            Some(Later::Query(parts)) => parts.outputs.push(output.clone()),
            Some(Later::Compound(compound)) => compound.outputs.push(output.clone()),
            None => {}
        }
        self.outputs.push(output);
    }
}

/// Whether a statement may ask what is JSON, by its words.
fn mentions_json(text: &str) -> bool {
    let has = |word: &[u8]| {
        text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
    };
    has(b"json") || has(b"subtype")
}

/// Whether a result may be JSON outside of its block: a column that is read as its table has it.
fn is_signed(output: &Scalar) -> bool {
    let column = as_column(output);
    column.may_be_json() && !column.makes_json()
}

fn flag(column: usize) -> JsonSign {
    JsonSign::Flag { column: column as u16, made: false }
}
