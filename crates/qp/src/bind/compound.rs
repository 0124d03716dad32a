//! UNION, EXCEPT and INTERSECT.
//!
//! Neighbours: `select` binds the parts, `execute::operators::compound` runs them.

use pandodb_ds::record::{Collation, Value};

use super::from::slot_column;
use super::order::{bare_name, sort_key};
use super::scope::ScopeColumn;
use super::select::{Block, english_ordinal, ordinal};
use super::{Binder, NameScope};
use crate::ast::{self, CompoundOperator, ExpressionKind, OrderTerm, ResultColumn, SelectCore};
use crate::error::{Error, Result};
use crate::plan::{Later, LaterCompound, Limit, Node, OrderAsked, Ordered, Rules, Sort, SortKey};
use crate::scalar::{Scalar, SlotId, Unary};
use crate::types::Affinity;

impl Binder<'_> {
    /// A select with UNION and its kin; one that may wait is planned with the block around it.
    pub(crate) fn compound(&mut self, select: &ast::Select, may_wait: bool) -> Result<Block> {
        let waits = may_wait
            && select.order_by.is_empty()
            && select.limit.is_none()
            && self.environment.rules.has(Rules::PUSH_DOWN);
        // An order is asked of the parts, too: they are planned when it is known.
        let mut arms = self.parts_of(select, waits || !select.order_by.is_empty())?;
        let width = arms[0].1.outputs.len();
        let (slot, state) = (self.slot(), self.state());
        let columns = arms[0].1.columns.clone();
        let cores: Vec<&SelectCore> = std::iter::once(&select.first)
            .chain(select.compounds.iter().map(|(_, core)| core))
            .collect();
        let mut outputs = compound_outputs(&arms, &cores, slot, width);
        let parts: Vec<&Block> = arms.iter().map(|(_, block)| block).collect();
        let reals = real_columns(&parts, &outputs);
        let collations = told_apart(&arms, &cores);
        let named: Vec<ScopeColumn> = columns
            .iter()
            .zip(&outputs)
            .map(|(column, output)| ScopeColumn {
                name: column.name.clone(),
                scalar: output.clone(),
                hidden: false,
                merged: false,
                common: None,
                paired: None,
                declared_type: None,
            })
            .collect();
        let order_by = self.compound_order(&select.order_by, &named, &cores)?;
        let way = self.sign_parts(select, &mut arms, &mut outputs);
        let outputs = seen_from_outside(outputs, &arms[0].1);
        let later = LaterCompound {
            arms,
            slot,
            state,
            collations,
            outputs: outputs.clone(),
            conditions: Vec::new(),
            asked: slot,
        };
        if waits {
            let later = Some(Later::Compound(Box::new(later)));
            return Ok(Block { outputs, columns, later, reals, way, ..Block::default() });
        }
        let limit = match &select.limit {
            Some(limit) => Some(self.limit(limit)?),
            None => None,
        };
        let (keys, ends_early) = (order_by.as_slice(), limit.is_some());
        let limit_asked = limit.as_ref();
        let asked = OrderAsked { keys, slot, limit: limit_asked, ends_early, may_sort: true };
        let Ordered { node: mut root, rows, sorted, .. } = later.finish(self, &asked)?;
        if !order_by.is_empty() && !sorted {
            let state = self.state();
            root = Node::Sort(Box::new(Sort {
                input: root,
                state,
                keys: order_by,
                sorted: 0,
                slots: vec![slot],
                limit: limit.clone(),
            }));
        }
        if let Some((count, offset)) = limit {
            let state = self.state();
            root = Node::Limit(Box::new(Limit { input: root, state, count, offset }));
        }
        Ok(Block { root, outputs, columns, rows, reals, way, ..Block::default() })
    }

    /// The parts of a compound, each with what puts it together with those before it.
    fn parts_of(
        &mut self,
        select: &ast::Select,
        waits: bool,
    ) -> Result<Vec<(CompoundOperator, Block)>> {
        let most = self.environment.limits.get(crate::limits::Limit::CompoundSelect) as usize;
        if select.compounds.len() + 1 > most {
            return Err(Error::invalid("too many terms in compound SELECT")
                .with_hint(format!("there may be {most}")));
        }
        let mut arms: Vec<(CompoundOperator, Block)> = Vec::new();
        let part = |binder: &mut Self, core| {
            if waits { binder.core_parts(core) } else { binder.core_block(core, &[]) }
        };
        let first = part(self, &select.first)?;
        let width = first.outputs.len();
        arms.push((CompoundOperator::UnionAll, first));
        for (operator, core) in &select.compounds {
            let block = part(self, core)?;
            check_width((*operator, core), width, block.outputs.len())?;
            arms.push((*operator, block));
        }
        Ok(arms)
    }

    /// ORDER BY of a compound: numbers, names of result columns, or expressions that one of the
    /// parts has as a result column.
    pub(crate) fn compound_order(
        &mut self,
        terms: &[OrderTerm],
        columns: &[ScopeColumn],
        cores: &[&SelectCore],
    ) -> Result<Vec<SortKey>> {
        let mut keys = Vec::with_capacity(terms.len());
        for (index, term) in terms.iter().enumerate() {
            let place = match ordinal(&term.expression) {
                Some(number) => {
                    let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
                    let place = place.filter(|place| *place < columns.len());
                    Some(place.ok_or_else(|| {
                        Error::invalid(format!(
                            "{} ORDER BY term out of range - should be between 1 and {}",
                            english_ordinal(index + 1),
                            columns.len()
                        ))
                        .at(term.expression.span)
                    })?)
                }
                None => compound_place(&term.expression, columns, cores),
            };
            let Some(place) = place else {
                return Err(Error::invalid(format!(
                    "{} ORDER BY term does not match any column in the result set",
                    english_ordinal(index + 1)
                ))
                .at(term.expression.span));
            };
            let frame = self.frame_index();
            self.scopes.push(NameScope { frame, ..NameScope::default() });
            let value = self.with_collation(columns[place].scalar.clone(), &term.expression);
            self.scopes.pop();
            keys.push(sort_key(value?, term));
        }
        Ok(keys)
    }
}

/// The columns of a compound, as its slot holds them.
pub(super) fn compound_outputs(
    arms: &[(CompoundOperator, Block)],
    cores: &[&SelectCore],
    slot: SlotId,
    width: usize,
) -> Vec<Scalar> {
    let blocks: Vec<&Block> = arms.iter().map(|(_, block)| block).collect();
    let said = said_collations(&blocks, cores);
    let mut outputs = Vec::with_capacity(width);
    for (index, said) in said.into_iter().enumerate() {
        let mut output = slot_column(slot, index, &blocks[0].outputs[index]);
        if let Scalar::Column(place) = &mut output {
            place.collation = Some(said);
            place.affinity = column_affinity(cores, &blocks, index);
        }
        outputs.push(output);
    }
    outputs
}

/// How rows of a compound are told apart: as its parts say up to the last of them that is more
/// than appended. Those behind it come when that is done.
pub(super) fn told_apart(
    arms: &[(CompoundOperator, Block)],
    cores: &[&SelectCore],
) -> Vec<Collation> {
    let is_set =
        |(operator, _): &(CompoundOperator, Block)| *operator != CompoundOperator::UnionAll;
    let merged = arms.iter().skip(1).rposition(is_set).map_or(1, |last| last + 2);
    let blocks: Vec<&Block> = arms.iter().take(merged).map(|(_, block)| block).collect();
    said_collations(&blocks, cores)
}

/// The collation of each column: that of the first part that says one. A column of a table that
/// says nothing of its order has that of bytes.
pub(super) fn said_collations(blocks: &[&Block], cores: &[&SelectCore]) -> Vec<Collation> {
    let width = blocks.first().map_or(0, |block| block.outputs.len());
    let is_column: Vec<Vec<bool>> = cores.iter().map(|core| are_columns(core, width)).collect();
    let said = |index: usize| {
        blocks.iter().zip(&is_column).find_map(|(block, is_column)| {
            let output = &block.outputs[index];
            // A name in double quotes may be a text; a column that is one and says nothing is a
            // rowid, or one that is computed here.
            let is_other = matches!(
                output,
                Scalar::Literal(Value::Text(_)) | Scalar::Column(_) | Scalar::Case(_)
            );
            let is_column = is_column[index] && !is_other;
            output.collation().or_else(|| is_column.then(Collation::default))
        })
    };
    (0..width).map(|index| said(index).unwrap_or_default()).collect()
}

/// The columns whose affinity is REAL though a part may make whole numbers: SQLite reads them as
/// reals, but where the first part is a CAST, whose affinity it takes for any number's.
pub(crate) fn real_columns(parts: &[&Block], outputs: &[Scalar]) -> Vec<usize> {
    let is_real = |column: &usize| {
        let mut of_parts = parts.iter().filter_map(|part| part.outputs.get(*column));
        outputs[*column].affinity() == Affinity::Real
            && !matches!(of_parts.clone().next(), Some(Scalar::Cast(..)))
            && of_parts.any(|output| output.affinity() != Affinity::Real)
    };
    (0..outputs.len()).filter(is_real).collect()
}

/// The columns for who reads the compound: equal rows are told by the first part that says how,
/// comparisons around it by the first part alone.
fn seen_from_outside(mut outputs: Vec<Scalar>, first: &Block) -> Vec<Scalar> {
    for (output, of_first) in outputs.iter_mut().zip(&first.outputs) {
        if let Scalar::Column(place) = output {
            place.collation = Some(of_first.collation().unwrap_or_default());
        }
    }
    outputs
}

/// Which results of a select are columns of what it reads; not told where several stars stand
/// among them.
fn are_columns(core: &SelectCore, width: usize) -> Vec<bool> {
    let SelectCore::Query(query) = core else { return vec![false; width] };
    let is_star = |column: &&ResultColumn| !matches!(column, ResultColumn::Expression(..));
    let stars = query.columns.iter().filter(is_star).count();
    let Some(more) = width.checked_sub(query.columns.len() - stars) else {
        return vec![false; width];
    };
    let mut are_columns = Vec::with_capacity(width);
    for column in &query.columns {
        match column {
            ResultColumn::Expression(expression, _) => {
                are_columns.push(matches!(expression.kind, ExpressionKind::Column(_)));
            }
            _ if stars == 1 => are_columns.extend(std::iter::repeat_n(true, more)),
            _ => return vec![false; width],
        }
    }
    are_columns
}

/// The affinity of a column of the compound that `blocks` are the parts of.
pub(crate) fn column_affinity(cores: &[&SelectCore], blocks: &[&Block], index: usize) -> Affinity {
    let written = cores.iter().map(|core| written(core, index));
    let bound = blocks.iter().filter_map(|block| block.outputs.get(index));
    let parts: Vec<_> = written.zip(bound).collect();
    compound_affinity(&parts)
}

/// The affinity of a compound's column: that of the first part that has one, unless another part
/// may hold what it would convert.
fn compound_affinity(parts: &[(Option<&ast::Expression>, &Scalar)]) -> Affinity {
    let first = parts.iter().position(|(_, part)| part.affinity() > Affinity::None);
    let Some(first) = first else { return Affinity::None };
    let affinity = parts[first].1.affinity();
    let others = parts.iter().enumerate().filter(|(place, _)| *place != first);
    let kinds = others.fold(0, |kinds, (_, (text, part))| kinds | data_kinds(*text, part));
    if (affinity == Affinity::Text && kinds & NUMBERS != 0)
        || (affinity.is_numeric() && kinds & TEXTS != 0)
    {
        return Affinity::Blob;
    }
    // As in SQLite, any number may be in a column that begins with a CAST.
    let is_cast = |(text, part): &(Option<&ast::Expression>, &Scalar)| {
        let is_written = text.is_some_and(|text| matches!(text.kind, ExpressionKind::Cast(_)));
        is_written || matches!(part, Scalar::Cast(..))
    };
    let begins_with_cast = parts.len() > 1 && parts.first().is_some_and(is_cast);
    if affinity.is_numeric() && begins_with_cast { Affinity::Numeric } else { affinity }
}

const NUMBERS: u8 = 1;
const TEXTS: u8 = 2;
const BLOBS: u8 = 4;

const ANY: u8 = NUMBERS | TEXTS | BLOBS;

/// Which kinds of values an expression may have, as SQLite tells it: by how it is written, where
/// that is known, for what it was bound to may be folded.
fn data_kinds(expression: Option<&ast::Expression>, scalar: &Scalar) -> u8 {
    let Some(expression) = expression else { return bound_kinds(scalar) };
    let scalar = match scalar {
        Scalar::Unary(Unary::Plus, operand) | Scalar::Collate(operand, _) => operand,
        other => other,
    };
    match &expression.kind {
        ExpressionKind::Collate(collate) => data_kinds(Some(&collate.operand), scalar),
        ExpressionKind::Unary(ast::UnaryOperator::Plus, operand) => {
            data_kinds(Some(operand), scalar)
        }
        ExpressionKind::Literal(literal) => match literal {
            ast::Literal::Null => 0,
            ast::Literal::Integer(_) | ast::Literal::Real(_) => NUMBERS,
            ast::Literal::Text(_) => TEXTS,
            ast::Literal::Blob(_) => BLOBS,
            _ => ANY,
        },
        ExpressionKind::Case(case) => {
            let results = case.branches.iter().map(|(_, result)| result).chain(&case.otherwise);
            let bound: Vec<&Scalar> = match scalar {
                Scalar::Case(own) => {
                    own.branches.iter().map(|(_, _, result)| result).chain(&own.otherwise).collect()
                }
                Scalar::RowCase(own) => {
                    own.branches.iter().map(|(_, _, result)| result).chain(&own.otherwise).collect()
                }
                _ => Vec::new(),
            };
            results.enumerate().fold(0, |kinds, (place, result)| {
                let own = bound.get(place).copied().unwrap_or(&Scalar::Parameter(0));
                kinds | data_kinds(Some(result), own)
            })
        }
        ExpressionKind::Parameter(_)
        | ExpressionKind::Function(_)
        | ExpressionKind::Like(_)
        | ExpressionKind::Raise(..) => ANY,
        ExpressionKind::Column(_)
        | ExpressionKind::Cast(_)
        | ExpressionKind::Subquery(_)
        | ExpressionKind::Row(_) => bound_kinds(scalar),
        ExpressionKind::Chain(chain) => match chain.rest.last() {
            Some((ast::BinaryOperator::Concatenate, _)) => TEXTS | BLOBS,
            Some((ast::BinaryOperator::Extract | ast::BinaryOperator::ExtractText, _)) => ANY,
            _ => NUMBERS,
        },
        _ => NUMBERS,
    }
}

/// The same, told by what was bound.
fn bound_kinds(scalar: &Scalar) -> u8 {
    match scalar {
        Scalar::Literal(Value::Null) => 0,
        Scalar::Literal(Value::Integer(_) | Value::Real(_)) => NUMBERS,
        Scalar::Literal(Value::Text(_)) => TEXTS,
        Scalar::Literal(Value::Blob(_)) => BLOBS,
        Scalar::Binary(crate::scalar::Binary::Concatenate, _) => TEXTS | BLOBS,
        Scalar::Binary(..) | Scalar::Compare(_) | Scalar::And(_) | Scalar::Or(_) => NUMBERS | BLOBS,
        other => match other.affinity() {
            Affinity::Text => TEXTS | BLOBS,
            affinity if affinity.is_numeric() => NUMBERS | BLOBS,
            _ => ANY,
        },
    }
}

/// The expression of a select's result; none where stars stand among them.
fn written(core: &SelectCore, index: usize) -> Option<&ast::Expression> {
    let SelectCore::Query(query) = core else { return None };
    let is_star = |column: &ResultColumn| !matches!(column, ResultColumn::Expression(..));
    if query.columns.iter().any(is_star) {
        return None;
    }
    match query.columns.get(index)? {
        ResultColumn::Expression(expression, _) => Some(expression),
        _ => None,
    }
}

/// Which result column an expression means.
fn compound_place(
    expression: &ast::Expression,
    columns: &[ScopeColumn],
    cores: &[&SelectCore],
) -> Option<usize> {
    let bare = match &expression.kind {
        ExpressionKind::Collate(collate) => &collate.operand,
        _ => expression,
    };
    for core in cores {
        let SelectCore::Query(query) = core else { continue };
        let same = |column: &ResultColumn| match column {
            ResultColumn::Expression(known, alias) => {
                let is_alias = bare_name(bare)
                    .is_some_and(|name| alias.as_ref().is_some_and(|alias| alias == name));
                is_alias || known == bare
            }
            _ => false,
        };
        let has_star =
            query.columns.iter().any(|column| !matches!(column, ResultColumn::Expression(..)));
        if !has_star && let Some(place) = query.columns.iter().position(same) {
            return Some(place);
        }
    }
    let name = match &bare.kind {
        ExpressionKind::Column(reference) => &reference.column,
        _ => return None,
    };
    columns.iter().position(|column| name.is(&column.name))
}

/// Refuses parts of different widths.
pub(crate) fn check_width(
    (operator, core): (CompoundOperator, &SelectCore),
    width: usize,
    found: usize,
) -> Result<()> {
    if width == found {
        return Ok(());
    }
    let word = match operator {
        CompoundOperator::Union => "UNION",
        CompoundOperator::UnionAll => "UNION ALL",
        CompoundOperator::Except => "EXCEPT",
        CompoundOperator::Intersect => "INTERSECT",
    };
    Err(Error::invalid(format!(
        "SELECTs to the left and right of {word} do not have the same number of result columns"
    ))
    .at(core.results_span()))
}
