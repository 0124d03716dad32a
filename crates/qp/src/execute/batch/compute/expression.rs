//! Expressions over whole batches.
//!
//! An expression is compiled once, when its statement is planned. What the scalar evaluator does
//! for a row is done here for a vector, with the same functions wherever a value needs more than
//! a plain loop, so that there is one definition of SQLite's rules. Parts that may fail are only
//! computed for rows that the row gear would compute them for: where logic or CASE could skip
//! them, the whole expression is left to the scalar evaluator, row by row. Neighbours: `compile`
//! makes these, `arithmetic`, `comparison` and `logic` have the loops.

use pandodb_ds::record::{Collation, Value, ValueRef};
use pandodb_ds::sync::Arc;

use crate::error::Result;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::row::BatchRow;
use crate::execute::batch::vector::{Truth, Vector};
use crate::execute::batch::{Run, arithmetic, comparison, logic};
use crate::function::{self, Function, Pace, operators};
use crate::scalar::{Binary, CompareRule, Comparison, InSubquery, Scalar, SlotId};
use crate::types::{Affinity, Datum, apply_affinity, cast};

/// A compiled expression.
#[derive(Debug)]
pub(in crate::execute::batch) enum Expression {
    /// The same for all rows of an opening: no column of the program is read.
    Constant(Scalar),
    /// A column by its number.
    Column(usize),
    Arithmetic(Binary, Box<[Expression; 2]>),
    Negate(Box<Expression>),
    BitNot(Box<Expression>),
    Convert(Box<Expression>, Affinity),
    Cast(Box<Expression>, Affinity),
    Case(Box<CaseExpression>),
    Call(Box<CallExpression>),
    Truth(Box<Condition>),
    /// Computed once for a batch and kept as a column of this number: by a helper, as a rule.
    Kept(usize, Box<Expression>),
    /// Evaluated by the scalar evaluator, one row after the other.
    Rows(Box<RowsExpression>),
}

/// An expression of which only the truth is asked.
#[derive(Debug)]
pub(in crate::execute::batch) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Comparison, CompareRule, Box<[Expression; 2]>),
    Between(Box<BetweenCondition>),
    IsNull(Expression, bool),
    IsTruth { operand: Box<Condition>, truth: bool, negated: bool },
    InList(Box<InListCondition>),
    InSet(Box<InSetCondition>),
    Like(Box<LikeCondition>),
    Value(Expression),
}

#[derive(Debug)]
pub(in crate::execute::batch) struct BetweenCondition {
    pub(in crate::execute::batch) negated: bool,
    pub(in crate::execute::batch) operand: Expression,
    pub(in crate::execute::batch) low: (Expression, CompareRule),
    pub(in crate::execute::batch) high: (Expression, CompareRule),
}

#[derive(Debug)]
pub(in crate::execute::batch) struct InListCondition {
    pub(in crate::execute::batch) negated: bool,
    pub(in crate::execute::batch) operand: Expression,
    pub(in crate::execute::batch) rule: CompareRule,
    pub(in crate::execute::batch) constants: Vec<Value>,
    pub(in crate::execute::batch) has_null: bool,
}

/// IN of a subquery that does not depend on any row.
#[derive(Debug)]
pub(in crate::execute::batch) struct InSetCondition {
    /// With one operand.
    pub(in crate::execute::batch) set: InSubquery,
    pub(in crate::execute::batch) rule: CompareRule,
    pub(in crate::execute::batch) operand: Expression,
}

#[derive(Debug)]
pub(in crate::execute::batch) struct LikeCondition {
    pub(in crate::execute::batch) matcher: crate::execute::batch::like::Matcher,
    pub(in crate::execute::batch) operand: Expression,
    /// The function itself, for sessions in which LIKE means something else.
    pub(in crate::execute::batch) call: Option<Expression>,
}

#[derive(Debug)]
pub(in crate::execute::batch) struct CaseExpression {
    pub(in crate::execute::batch) branches: Vec<(Condition, Expression)>,
    pub(in crate::execute::batch) otherwise: Option<Expression>,
}

#[derive(Debug)]
pub(in crate::execute::batch) struct CallExpression {
    pub(in crate::execute::batch) function: Arc<Function>,
    pub(in crate::execute::batch) arguments: Vec<Expression>,
    pub(in crate::execute::batch) collation: Collation,
    pub(in crate::execute::batch) cache: u32,
}

/// A scalar and the columns of the program that it reads.
#[derive(Debug)]
pub(in crate::execute::batch) struct RowsExpression {
    pub(in crate::execute::batch) scalar: Scalar,
    pub(in crate::execute::batch) columns: Vec<usize>,
    pub(in crate::execute::batch) slots: Vec<SlotId>,
}

/// The result of an expression.
#[derive(Clone, Debug)]
pub(in crate::execute::batch) enum Column {
    Vector(Arc<Vector>),
    Constant(Value),
}

impl Column {
    /// The value of a row.
    #[inline]
    pub(in crate::execute::batch) fn get(&self, row: usize) -> ValueRef<'_> {
        match self {
            Self::Vector(vector) => vector.get(row),
            Self::Constant(value) => value.as_ref(),
        }
    }

    /// A value for each row.
    pub(in crate::execute::batch) fn into_vector(self, rows: usize) -> Arc<Vector> {
        match self {
            Self::Vector(vector) => vector,
            Self::Constant(value) => Arc::new(Vector::repeat(value.as_ref(), rows)),
        }
    }

    /// Makes a column of what `each` gives for the rows.
    pub(in crate::execute::batch) fn of_rows(
        rows: usize,
        mut each: impl FnMut(usize, &mut Vector) -> Result<()>,
    ) -> Result<Self> {
        let mut vector = Vector::with_capacity(rows);
        for row in 0..rows {
            each(row, &mut vector)?;
        }
        Ok(Self::Vector(Arc::new(vector)))
    }
}

impl From<Vector> for Column {
    fn from(vector: Vector) -> Self {
        Self::Vector(Arc::new(vector))
    }
}

impl Expression {
    /// The value for every row of the batch.
    pub(in crate::execute::batch) fn evaluate(
        &self,
        batch: &mut Batch,
        run: &mut Run<'_>,
    ) -> Result<Column> {
        Ok(match self {
            Self::Constant(scalar) => {
                Column::Constant(scalar.evaluate(&run.frame.scope(run.outer))?.into_value())
            }
            Self::Column(number) => Column::Vector(Arc::clone(batch.column(*number)?)),
            Self::Arithmetic(operator, operands) => {
                let [left, right] = &**operands;
                let (left, right) = (left.evaluate(batch, run)?, right.evaluate(batch, run)?);
                arithmetic::binary(*operator, &left, &right, batch.rows, run)?
            }
            Self::Negate(operand) => map(operand, batch, run, operators::negate)?,
            Self::BitNot(operand) => map(operand, batch, run, operators::bit_not)?,
            Self::Convert(operand, affinity) => map(operand, batch, run, |value| {
                apply_affinity(Datum::Ref(value), *affinity).into_value()
            })?,
            Self::Cast(operand, affinity) => {
                map(operand, batch, run, |value| cast(Datum::Ref(value), *affinity).into_value())?
            }
            Self::Case(case) => logic::case(case, batch, run)?,
            Self::Call(call) => call.evaluate(batch, run)?,
            Self::Truth(condition) => {
                let truths = condition.truths(batch, run)?;
                Column::Vector(Arc::new(Vector::of_truths(&truths)))
            }
            Self::Kept(number, operand) => {
                if batch.columns[*number].is_none() {
                    let column = operand.evaluate(batch, run)?.into_vector(batch.rows);
                    batch.columns[*number] = Some(column);
                }
                Column::Vector(Arc::clone(batch.ready(*number)?))
            }
            Self::Rows(rows) => {
                let mut vector = Vector::with_capacity(batch.rows);
                rows.each(batch, run, |scalar, scope| {
                    vector.push(scalar.evaluate(scope)?.as_ref());
                    Ok(())
                })?;
                Column::Vector(Arc::new(vector))
            }
        })
    }

    /// Whether it cannot fail and has no effect: then it may be computed for any row.
    pub(in crate::execute::batch) fn is_safe(&self) -> bool {
        match self {
            Self::Constant(scalar) => !may_fail(scalar),
            Self::Column(_) => true,
            Self::Arithmetic(operator, operands) => {
                *operator != Binary::Concatenate && operands.iter().all(Self::is_safe)
            }
            Self::Negate(operand)
            | Self::BitNot(operand)
            | Self::Convert(operand, _)
            | Self::Cast(operand, _)
            | Self::Kept(_, operand) => operand.is_safe(),
            Self::Case(case) => {
                case.branches.iter().all(|(when, then)| when.is_safe() && then.is_safe())
                    && case.otherwise.as_ref().is_none_or(Self::is_safe)
            }
            Self::Truth(condition) => condition.is_safe(),
            Self::Call(_) | Self::Rows(_) => false,
        }
    }
}

impl Condition {
    /// Whether it cannot fail and has no effect.
    pub(in crate::execute::batch) fn is_safe(&self) -> bool {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().all(Self::is_safe),
            Self::Not(operand) | Self::IsTruth { operand, .. } => operand.is_safe(),
            Self::Compare(_, _, operands) => operands.iter().all(Expression::is_safe),
            Self::Between(between) => {
                between.operand.is_safe() && between.low.0.is_safe() && between.high.0.is_safe()
            }
            Self::IsNull(operand, _) | Self::Value(operand) => operand.is_safe(),
            Self::InList(list) => list.operand.is_safe(),
            Self::Like(like) => like.operand.is_safe(),
            Self::InSet(_) => false,
        }
    }

    /// The truth for every row of the batch.
    pub(in crate::execute::batch) fn truths(
        &self,
        batch: &mut Batch,
        run: &mut Run<'_>,
    ) -> Result<Vec<Truth>> {
        match self {
            Self::And(terms) => logic::combine(terms, Truth::False, batch, run),
            Self::Or(terms) => logic::combine(terms, Truth::True, batch, run),
            Self::Not(operand) => {
                let mut truths = operand.truths(batch, run)?;
                for truth in &mut truths {
                    *truth = logic::not(*truth);
                }
                Ok(truths)
            }
            Self::Compare(operator, rule, operands) => {
                let [left, right] = &**operands;
                let (left, right) = (left.evaluate(batch, run)?, right.evaluate(batch, run)?);
                Ok(comparison::compare(*operator, *rule, &left, &right, batch.rows, run))
            }
            Self::Between(between) => comparison::between(between, batch, run),
            Self::IsNull(operand, negated) => {
                let column = operand.evaluate(batch, run)?;
                let truth = |row| Truth::from_bool(column.get(row).is_null() != *negated);
                Ok((0..batch.rows).map(truth).collect())
            }
            Self::IsTruth { operand, truth, negated } => {
                let wanted = Truth::from_bool(*truth);
                let mut truths = operand.truths(batch, run)?;
                for truth in &mut truths {
                    *truth = Truth::from_bool((*truth == wanted) != *negated);
                }
                Ok(truths)
            }
            Self::InList(list) => comparison::in_list(list, batch, run),
            Self::InSet(condition) => comparison::in_set(condition, batch, run),
            Self::Like(like) => {
                let is_exact = run.outer.context.session.is_like_case_sensitive();
                if let Some(call) = like.call.as_ref().filter(|_| is_exact) {
                    let column = call.evaluate(batch, run)?;
                    let truth = |row| Truth::of(operators::truth(column.get(row)));
                    return Ok((0..batch.rows).map(truth).collect());
                }
                let operand = like.operand.evaluate(batch, run)?;
                let mut pace = Pace::new(run.outer.context.session);
                match &operand {
                    Column::Vector(vector) => like.matcher.truths(vector, &mut pace),
                    Column::Constant(value) => {
                        let truth = like.matcher.truth(value.as_ref(), &mut pace)?;
                        Ok(vec![truth; batch.rows])
                    }
                }
            }
            Self::Value(Expression::Rows(rows)) => {
                let mut truths = Vec::with_capacity(batch.rows);
                rows.each(batch, run, |scalar, scope| {
                    truths.push(Truth::of(scalar.truth(scope)?));
                    Ok(())
                })?;
                Ok(truths)
            }
            Self::Value(value) => {
                let column = value.evaluate(batch, run)?;
                let truth = |row| Truth::of(operators::truth(column.get(row)));
                Ok((0..batch.rows).map(truth).collect())
            }
        }
    }
}

impl CallExpression {
    fn evaluate(&self, batch: &mut Batch, run: &mut Run<'_>) -> Result<Column> {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            arguments.push(argument.evaluate(batch, run)?);
        }
        let context = run.outer.context;
        let by_collation = |left: &[u8], right: &[u8]| {
            let (left, right) = (ValueRef::Text(left), ValueRef::Text(right));
            crate::types::compare(left, right, self.collation, context.collations)
        };
        let mut cache = run.frame.caches[self.cache as usize].borrow_mut();
        let mut surroundings = function::Context::new(context.session, &mut cache);
        if self.function.traits.uses_collation {
            surroundings.collation = &by_collation;
        }
        surroundings.pure_place = context.run.pure_place.get();
        let piece = crate::execute::batch::substring::constant_piece(&self.function, &arguments);
        let mut references = Vec::with_capacity(arguments.len());
        Column::of_rows(batch.rows, |row, vector| {
            if let Some(piece) = piece
                && let Some(text) =
                    crate::execute::batch::substring::piece(arguments[0].get(row), piece)
            {
                vector.check_size(0)?;
                vector.push_bytes(crate::execute::batch::vector::Tag::Text, text);
                return Ok(());
            }
            references.clear();
            references.extend(arguments.iter().map(|argument| argument.get(row)));
            let value = self.function.call(&mut surroundings, &references)?;
            context.tick_value(&value)?;
            vector.check_size(0)?;
            vector.push(value.as_ref());
            Ok(())
        })
    }
}

impl RowsExpression {
    /// Calls `look` with the scalar for each row, which is shown in the frame's slots.
    fn each(
        &self,
        batch: &mut Batch,
        run: &mut Run<'_>,
        mut look: impl FnMut(&Scalar, &crate::execute::Scope<'_>) -> Result<()>,
    ) -> Result<()> {
        let shown = Shown::new(batch, &self.columns, &self.slots, run)?;
        let mut result = Ok(());
        for row in 0..batch.rows {
            shown.turn_to(row, run);
            result = look(&self.scalar, &run.frame.scope(run.outer));
            if result.is_err() {
                break;
            }
        }
        shown.end(run);
        result
    }
}

/// Slots that show a row of a batch, and what was in them before.
pub(in crate::execute::batch) struct Shown {
    before: Vec<(SlotId, crate::execute::Slot)>,
}

impl Shown {
    /// Puts the first row of the batch into the slots.
    pub(in crate::execute::batch) fn new(
        batch: &mut Batch,
        columns: &[usize],
        slots: &[SlotId],
        run: &mut Run<'_>,
    ) -> Result<Self> {
        batch.force(columns)?;
        let shared: Arc<[Option<Arc<Vector>>]> = Arc::from(batch.columns.as_slice());
        let mut before = Vec::with_capacity(slots.len());
        for slot in slots {
            let Some(map) = run.program.map_of(*slot) else { continue };
            let row = BatchRow::new(Arc::clone(&shared), Arc::clone(map));
            let row = crate::execute::Slot::of_batch(row);
            before.push((*slot, std::mem::replace(run.frame.slot_mut(*slot), row)));
        }
        Ok(Self { before })
    }

    /// Goes to a row.
    #[inline]
    pub(in crate::execute::batch) fn turn_to(&self, row: usize, run: &mut Run<'_>) {
        for (slot, _) in &self.before {
            run.frame.slot_mut(*slot).turn_to(row);
        }
    }

    /// Puts back what was in the slots.
    pub(in crate::execute::batch) fn end(self, run: &mut Run<'_>) {
        for (slot, before) in self.before {
            *run.frame.slot_mut(slot) = before;
        }
    }
}

/// A function of one value for every row.
fn map(
    operand: &Expression,
    batch: &mut Batch,
    run: &mut Run<'_>,
    of: impl Fn(ValueRef<'_>) -> Value,
) -> Result<Column> {
    let rows = batch.rows;
    match operand.evaluate(batch, run)? {
        Column::Constant(value) => Ok(Column::Constant(of(value.as_ref()))),
        Column::Vector(vector) => Column::of_rows(rows, |row, out| {
            out.check_size(0)?;
            out.push(of(vector.get(row)).as_ref());
            Ok(())
        }),
    }
}

/// Whether evaluating it may fail, or run something.
pub(in crate::execute::batch) fn may_fail(scalar: &Scalar) -> bool {
    scalar.any(&mut |node| {
        node.own_subquery().is_some()
            || matches!(node, Scalar::Call(_) | Scalar::Row(_))
            || matches!(node, Scalar::RowCompare(_) | Scalar::RowBetween(_))
            || matches!(node, Scalar::Raise(_, _) | Scalar::Binary(Binary::Concatenate, _))
    })
}

// Neighbours: `compile`, `arithmetic`, `comparison`, `logic`, `like`.
