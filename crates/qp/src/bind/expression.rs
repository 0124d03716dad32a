//! Expressions: from syntax to scalars.
//!
//! Constants are computed here: `date('1998-12-01', '-90 days')` is a bound of a range then, and
//! not computed for each row. Only functions whose results are small and depend on nothing but
//! their arguments; a call that fails is left as it is, because the row that would make it fail
//! may never come. Neighbours: `operators` (comparisons and their kin), `function` (calls),
//! `scope` (names).

use pandodb_ds::sync::Arc;

use pandodb_ds::record::{Value, ValueRef};

use super::{Binder, FrameBuilder, Place};
use crate::ast::{self, BinaryOperator, Expression, ExpressionKind, Literal, UnaryOperator};
use crate::authorize::AuthAction;
use crate::catalog::build::literal_value;
use crate::error::{Error, ErrorKind, Result};
use crate::function::{Cache, Context, Function, Implementation, operators};
use crate::plan::{SelectPlan, choose_gears};
use crate::scalar::{
    Binary, Call, Case, CompareRule, Comparison, Correlation, RowCase, Scalar, SubqueryCall, Unary,
};
use crate::types::Affinity;

impl Binder<'_> {
    /// What an expression means.
    pub fn expression(&mut self, expression: &Expression) -> Result<Scalar> {
        self.expression_kind(&expression.kind).map_err(|error| error.at(expression.span))
    }

    /// What several expressions mean.
    pub fn expressions(&mut self, expressions: &[Expression]) -> Result<Vec<Scalar>> {
        expressions.iter().map(|expression| self.expression(expression)).collect()
    }

    fn expression_kind(&mut self, kind: &ExpressionKind) -> Result<Scalar> {
        match kind {
            ExpressionKind::Literal(literal) => self.literal(literal),
            ExpressionKind::Parameter(parameter) => self.parameter(parameter),
            ExpressionKind::Column(reference) => self.column(reference),
            ExpressionKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExpressionKind::Chain(chain) => self.chain(chain),
            ExpressionKind::Collate(collate) => {
                let operand = self.expression(&collate.operand)?;
                let collation = self.collation(&collate.collation)?;
                Ok(Scalar::Collate(Box::new(operand), collation))
            }
            ExpressionKind::Cast(cast) => {
                let operand = Box::new(self.expression(&cast.operand)?);
                Ok(match &cast.type_name {
                    Some(type_name) => Scalar::Cast(operand, Affinity::of_type(&type_name.name)),
                    None => Scalar::Cast(operand, Affinity::Numeric),
                })
            }
            ExpressionKind::Like(like) => self.like(like),
            ExpressionKind::IsNull(operand, negated) => {
                let operand = self.expression(operand)?;
                no_row(&operand)?;
                Ok(Scalar::IsNull(Box::new(operand), *negated))
            }
            ExpressionKind::Between(between) => self.between(between),
            ExpressionKind::In(set) => self.in_set(set),
            ExpressionKind::Quantified(quantified) => self.quantified(quantified),
            ExpressionKind::Case(case) => self.case(case),
            ExpressionKind::Function(call) => self.function_call(call),
            ExpressionKind::Exists(select) => {
                // Whether there is a row depends neither on order nor on repeated rows.
                let mut select = (**select).clone();
                if select.compounds.is_empty() {
                    // The names in it must be right all the same.
                    if !select.order_by.is_empty() && self.recorder.is_none() {
                        self.subquery(&select)?;
                    }
                    select.order_by.clear();
                    if let ast::SelectCore::Query(query) = &mut select.first {
                        query.distinct = false;
                    }
                }
                Ok(Scalar::Exists(Box::new(self.subquery(&select)?)))
            }
            ExpressionKind::Subquery(select) => {
                let call = self.subquery(select)?;
                Ok(Scalar::Subquery(Box::new(call), 0))
            }
            ExpressionKind::Row(parts) => Ok(Scalar::Row(self.expressions(parts)?)),
            ExpressionKind::Raise(action, message) => {
                if !self.in_trigger {
                    let message = "RAISE() may only be used within a trigger-program";
                    return Err(Error::invalid(message));
                }
                let message = match message {
                    Some(message) => Some(Box::new(self.expression(message)?)),
                    None => None,
                };
                Ok(Scalar::Raise(*action, message))
            }
        }
    }

    fn literal(&mut self, literal: &Literal) -> Result<Scalar> {
        let (name, function_name) = match literal {
            Literal::CurrentDate => ("date", "current_date"),
            Literal::CurrentTime => ("time", "current_time"),
            Literal::CurrentTimestamp => ("datetime", "current_timestamp"),
            other => return Ok(literal_value(other).map_or(Scalar::NULL, Scalar::Literal)),
        };
        if let Some(place) = self.prohibits() {
            return Err(not_deterministic(place));
        }
        if !self.may(AuthAction::Function { function_name }, None)? {
            return Ok(Scalar::NULL);
        }
        let function = self.environment.functions.find(name, 0)?;
        Ok(self.call(function, Vec::new()))
    }

    /// A call with its own memory.
    pub(crate) fn call(
        &mut self,
        function: Arc<crate::function::Function>,
        arguments: Vec<Scalar>,
    ) -> Scalar {
        if let Some(constant) = self.folded_call(&function, &arguments) {
            return constant;
        }
        if function.determinism == crate::function::Determinism::Volatile {
            self.volatile_calls += 1;
        }
        let collation = arguments.iter().find_map(Scalar::collation).unwrap_or_default();
        let cache = self.cache();
        Scalar::Call(Box::new(Call { function, arguments, collation, cache }))
    }

    fn parameter(&mut self, parameter: &ast::Parameter) -> Result<Scalar> {
        if let Some(place) = self.prohibits() {
            return Err(Error::invalid(format!("parameters prohibited in {place}")));
        }
        self.parameters = self.parameters.max(parameter.index);
        let index = parameter.index.saturating_sub(1);
        if self.parameter_names.len() <= index as usize {
            self.parameter_names.resize(index as usize + 1, None);
        }
        self.parameter_names[index as usize] = match &parameter.kind {
            ast::ParameterKind::Anonymous => None,
            ast::ParameterKind::Numbered => Some(format!("?{}", parameter.index).into()),
            ast::ParameterKind::Named(name) => Some(name.clone()),
        };
        Ok(Scalar::Parameter(index))
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expression) -> Result<Scalar> {
        let mut operand = operand;
        if operator == UnaryOperator::Negate {
            while let ExpressionKind::Unary(UnaryOperator::Plus, inner) = &operand.kind {
                operand = inner;
            }
        }
        let is_written = matches!(operand.kind, ExpressionKind::Literal(_));
        let operand = self.expression(operand)?;
        no_row(&operand)?;
        Ok(match operator {
            UnaryOperator::Negate => fold_negation(operand, is_written),
            UnaryOperator::Plus => Scalar::Unary(Unary::Plus, Box::new(operand)),
            UnaryOperator::BitNot => Scalar::Unary(Unary::BitNot, Box::new(operand)),
            UnaryOperator::Not => negate(operand),
        })
    }

    fn chain(&mut self, chain: &ast::Chain) -> Result<Scalar> {
        // AND and OR of any length are one node.
        let same = |wanted| chain.rest.iter().all(|(operator, _)| *operator == wanted);
        for (wanted, is_and) in [(BinaryOperator::And, true), (BinaryOperator::Or, false)] {
            if same(wanted) {
                let mut terms = Vec::with_capacity(chain.rest.len() + 1);
                let operands =
                    std::iter::once(&chain.first).chain(chain.rest.iter().map(|(_, term)| term));
                for operand in operands {
                    let term = self.expression(operand)?;
                    no_row(&term)?;
                    match term {
                        Scalar::And(inner) if is_and => terms.extend(inner),
                        Scalar::Or(inner) if !is_and => terms.extend(inner),
                        other => terms.push(other),
                    }
                }
                return Ok(if is_and { Scalar::And(terms) } else { Scalar::Or(terms) });
            }
        }
        let mut left = self.expression(&chain.first)?;
        for (operator, operand) in &chain.rest {
            let is_keyword = is_truth_word(operand);
            let right = self.expression(operand)?;
            left = self.binary(*operator, left, right, is_keyword)?;
        }
        Ok(left)
    }

    fn binary(
        &mut self,
        operator: BinaryOperator,
        left: Scalar,
        right: Scalar,
        truth: Option<bool>,
    ) -> Result<Scalar> {
        use BinaryOperator as Operator;
        if let Some(comparison) = comparison(operator) {
            // IS TRUE and IS FALSE ask for truth, unless a column has that name.
            if let (Comparison::Is | Comparison::IsNot, Some(truth), Some(_)) =
                (comparison, truth, right.as_literal())
            {
                let negated = comparison == Comparison::IsNot;
                return Ok(Scalar::IsTruth { operand: Box::new(left), truth, negated });
            }
            return self.compare(comparison, left, right);
        }
        no_row(&left)?;
        no_row(&right)?;
        let binary = match operator {
            Operator::And => return Ok(Scalar::And(vec![left, right])),
            Operator::Or => return Ok(Scalar::Or(vec![left, right])),
            Operator::Extract | Operator::ExtractText => {
                let name = if operator == Operator::Extract { "->" } else { "->>" };
                let function = self.environment.functions.find(name, 2)?;
                return Ok(self.call(function, vec![left, right]));
            }
            Operator::BitAnd => Binary::BitAnd,
            Operator::BitOr => Binary::BitOr,
            Operator::ShiftLeft => Binary::ShiftLeft,
            Operator::ShiftRight => Binary::ShiftRight,
            Operator::Add => Binary::Add,
            Operator::Subtract => Binary::Subtract,
            Operator::Multiply => Binary::Multiply,
            Operator::Divide => Binary::Divide,
            Operator::Remainder => Binary::Remainder,
            _ => Binary::Concatenate,
        };
        if let Some(constant) = folded_binary(binary, &left, &right) {
            return Ok(constant);
        }
        Ok(Scalar::Binary(binary, Box::new([left, right])))
    }

    fn case(&mut self, case: &ast::Case) -> Result<Scalar> {
        let volatile = self.volatile_calls;
        let operand = match &case.operand {
            Some(operand) => Some(self.expression(operand)?),
            None => None,
        };
        // A row is held against rows, which is a condition of its own for each.
        let is_row = operand.as_ref().is_some_and(|operand| super::width(operand) > 1);
        if let Some(operand) = operand.as_ref().filter(|_| is_row)
            && self.volatile_calls != volatile
        {
            return self.row_case(operand, case);
        }
        let mut branches = Vec::with_capacity(case.branches.len());
        for (when, then) in &case.branches {
            let when = self.expression(when)?;
            if let Some(operand) = operand.as_ref().filter(|_| is_row) {
                let equal = self.compare(Comparison::Equal, operand.clone(), when)?;
                branches.push((equal, CompareRule::default(), self.expression(then)?));
                continue;
            }
            let rule = operand
                .as_ref()
                .map_or_else(CompareRule::default, |operand| Scalar::compare_rule(operand, &when));
            branches.push((when, rule, self.expression(then)?));
        }
        let otherwise = match &case.otherwise {
            Some(otherwise) => Some(self.expression(otherwise)?),
            None => None,
        };
        let operand = operand.filter(|_| !is_row);
        if matches!(otherwise, Some(Scalar::Row(_))) {
            return Err(row_misused());
        }
        Ok(Scalar::Case(Box::new(Case { operand, branches, otherwise, merges: false })))
    }

    /// A CASE of a row that must not be computed for each WHEN anew.
    fn row_case(&mut self, operand: &Scalar, case: &ast::Case) -> Result<Scalar> {
        let operands = super::parts(operand.clone());
        let mut branches = Vec::with_capacity(case.branches.len());
        for (when, then) in &case.branches {
            let when = self.expression(when)?;
            // What cannot be compared is refused here.
            self.compare(Comparison::Equal, operand.clone(), when.clone())?;
            let whens = super::parts(when);
            let sides = operands.iter().zip(&whens);
            let rules = sides.map(|(left, right)| Scalar::compare_rule(left, right)).collect();
            branches.push((whens, rules, self.expression(then)?));
        }
        let otherwise = match &case.otherwise {
            Some(otherwise) => Some(self.expression(otherwise)?),
            None => None,
        };
        if let Some(otherwise) = &otherwise {
            no_row(otherwise)?;
        }
        Ok(Scalar::RowCase(Box::new(RowCase { operands, branches, otherwise })))
    }

    /// A query block in an expression.
    pub(crate) fn subquery(&mut self, select: &ast::Select) -> Result<SubqueryCall> {
        self.subquery_read(select, false)
    }

    /// As [`subquery`](Self::subquery); whether all of its rows are read.
    pub(crate) fn subquery_read(
        &mut self,
        select: &ast::Select,
        is_read_whole: bool,
    ) -> Result<SubqueryCall> {
        if let Some(place) = self.prohibits() {
            return Err(Error::invalid(format!("subqueries prohibited in {place}")));
        }
        let volatile = self.volatile_calls;
        let plan = self.nested(|binder| binder.framed(select, is_read_whole))?;
        let correlation = if plan.outer.iter().any(|place| place.depth == 0) {
            Correlation::Immediate
        } else if plan.outer.is_empty() {
            // One with volatile calls runs once, too, as in SQLite.
            Correlation::None
        } else {
            Correlation::Outer
        };
        let state = self.subquery_state();
        let remembers = self.volatile_calls == volatile
            && correlation == Correlation::Immediate
            && self.environment.rules.has(crate::plan::Rules::MEMORY);
        Ok(SubqueryCall { plan: Arc::new(plan), state, correlation, remembers })
    }

    /// Binds and plans a query block in a frame of its own.
    pub(crate) fn framed(
        &mut self,
        select: &ast::Select,
        is_read_whole: bool,
    ) -> Result<SelectPlan> {
        self.frames.push(FrameBuilder::default());
        self.place = if is_read_whole { Place::Alone } else { Place::Value };
        let mut block = self.select(select, false);
        if let Ok(block) = &mut block {
            // One that depends on a row runs often, and for few rows each time.
            let is_read_whole = is_read_whole && self.frame().outer.is_empty();
            self.note_height(&block.root, &block.outputs);
            choose_gears(self, &mut block.root, &block.outputs, is_read_whole);
        }
        let frame = self.frames.pop().unwrap_or_default();
        let block = block?;
        Ok(SelectPlan {
            root: block.root,
            outputs: block.outputs,
            columns: block.columns,
            layout: frame.finished()?,
            outer: frame.outer,
            rows: block.rows,
        })
    }
}

/// The truth that a bare TRUE or FALSE stands for.
fn is_truth_word(expression: &Expression) -> Option<bool> {
    match &expression.kind {
        ExpressionKind::Column(column)
            if column.table.is_none() && column.column.quote == ast::Quote::None =>
        {
            if column.column.is("true") {
                Some(true)
            } else if column.column.is("false") {
                Some(false)
            } else {
                None
            }
        }
        ExpressionKind::Collate(collate) => is_truth_word(&collate.operand),
        _ => None,
    }
}

/// The comparison that an operator is.
pub(crate) fn comparison(operator: BinaryOperator) -> Option<Comparison> {
    Some(match operator {
        BinaryOperator::Equal => Comparison::Equal,
        BinaryOperator::NotEqual => Comparison::NotEqual,
        BinaryOperator::Is => Comparison::Is,
        BinaryOperator::IsNot => Comparison::IsNot,
        BinaryOperator::Less => Comparison::Less,
        BinaryOperator::LessOrEqual => Comparison::LessOrEqual,
        BinaryOperator::Greater => Comparison::Greater,
        BinaryOperator::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// `NOT operand`, pushed into what has a negated form.
fn negate(operand: Scalar) -> Scalar {
    Scalar::Unary(Unary::Not, Box::new(operand))
}

/// `-5` is a constant; `is_written` where the operand is a literal and not computed.
fn fold_negation(operand: Scalar, is_written: bool) -> Scalar {
    match &operand {
        // The only zero with a sign is one that is written so.
        Scalar::Literal(Value::Real(zero))
            if is_written && *zero == 0.0 && zero.is_sign_positive() =>
        {
            Scalar::Literal(Value::Real(-0.0))
        }
        Scalar::Literal(value) => {
            Scalar::Literal(crate::function::operators::negate(value.as_ref()))
        }
        _ => Scalar::Unary(Unary::Negate, Box::new(operand)),
    }
}

/// Refuses a row value where one value is meant.
pub(crate) fn no_row(scalar: &Scalar) -> Result<()> {
    match scalar {
        Scalar::Row(_) => Err(row_misused()),
        Scalar::Subquery(call, _) if call.plan.outputs.len() != 1 => Err(columns_expected(call, 1)),
        _ => Ok(()),
    }
}

#[cold]
pub(crate) fn not_deterministic(place: &str) -> Error {
    Error::invalid(format!("non-deterministic functions prohibited in {place}"))
}

#[cold]
pub(crate) fn row_misused() -> Error {
    Error::invalid("row value misused")
}

#[cold]
pub(crate) fn columns_expected(call: &SubqueryCall, expected: usize) -> Error {
    let found = call.plan.outputs.len();
    let message = format!("sub-select returns {found} columns - expected {expected}");
    Error::new(ErrorKind::Invalid, message)
}

/// Functions that are computed beforehand. Those of dates refuse to use the clock then.
const FOLDED: [&str; 20] = [
    "abs",
    "coalesce",
    "date",
    "datetime",
    "hex",
    "ifnull",
    "instr",
    "julianday",
    "length",
    "lower",
    "ltrim",
    "nullif",
    "round",
    "rtrim",
    "strftime",
    "substr",
    "time",
    "trim",
    "unixepoch",
    "upper",
];

impl Binder<'_> {
    /// What a call with constant arguments comes to.
    pub(super) fn folded_call(&self, function: &Function, arguments: &[Scalar]) -> Option<Scalar> {
        let is_known = matches!(function.implementation, Implementation::Scalar(_))
            && !function.traits.reads_json
            && !function.traits.may_return_json
            && !function.traits.uses_collation
            && FOLDED.contains(&&*function.name);
        if !is_known || arguments.is_empty() || self.restricted.is_some() {
            return None;
        }
        let values: Option<Vec<ValueRef<'_>>> = arguments
            .iter()
            .map(|argument| match argument {
                Scalar::Literal(value) => Some(value.as_ref()),
                _ => None,
            })
            .collect();
        let mut cache = Cache::default();
        let mut context = Context::new(self.environment.session, &mut cache);
        context.pure_place = Some("a constant");
        function.call(&mut context, &values?).ok().map(Scalar::Literal)
    }
}

/// What arithmetic on constants comes to.
pub(super) fn folded_binary(operator: Binary, left: &Scalar, right: &Scalar) -> Option<Scalar> {
    let (Scalar::Literal(left), Scalar::Literal(right)) = (left, right) else { return None };
    let (left, right): (ValueRef<'_>, ValueRef<'_>) = (left.as_ref(), right.as_ref());
    let value: Value = match operator {
        Binary::Add => operators::add(left, right),
        Binary::Subtract => operators::subtract(left, right),
        Binary::Multiply => operators::multiply(left, right),
        Binary::Divide => operators::divide(left, right),
        Binary::Remainder => operators::remainder(left, right),
        _ => return None,
    };
    Some(Scalar::Literal(value))
}
