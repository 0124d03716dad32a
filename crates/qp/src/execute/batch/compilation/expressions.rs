//! Bound expressions to those of the batch gear.
//!
//! What has no vector form, or may fail where the row gear would not compute it, is kept as a
//! scalar and evaluated row by row. Neighbours: `compile` for the operators, `expression` for
//! what this makes.

use pandodb_ds::record::Value;

use crate::execute::batch::compile::Compiler;
use crate::execute::batch::expression::{
    BetweenCondition, CallExpression, CaseExpression, Condition, Expression, InListCondition,
    InSetCondition, LikeCondition, RowsExpression,
};
use crate::execute::batch::like::Matcher;
use crate::execute::batch::places::Places;
use crate::function::{Determinism, Implementation};
use crate::scalar::{Call, Case, Comparison, Correlation, InSubquery, Scalar, Unary};

/// Patterns up to this length are looked at beforehand.
const PATTERN_BYTES_MAX: usize = 1000;

/// Branches of a CASE that are computed as vectors.
const BRANCHES_MAX: usize = 64;

impl Compiler {
    /// Compiles an expression of which the value is asked.
    pub(in crate::execute::batch) fn expression(&mut self, scalar: &Scalar) -> Expression {
        if self.is_constant(scalar) {
            return Expression::Constant(scalar.clone());
        }
        let compiled = match scalar {
            Scalar::Column(place) => {
                Some(Expression::Column(self.number(place.slot, place.column)))
            }
            Scalar::Unary(Unary::Plus, operand) | Scalar::Collate(operand, _) => {
                Some(self.expression(operand))
            }
            Scalar::Unary(Unary::Negate, operand) => {
                Some(Expression::Negate(Box::new(self.expression(operand))))
            }
            Scalar::Unary(Unary::BitNot, operand) => {
                Some(Expression::BitNot(Box::new(self.expression(operand))))
            }
            Scalar::Binary(operator, operands) => {
                let operands = [self.expression(&operands[0]), self.expression(&operands[1])];
                Some(Expression::Arithmetic(*operator, Box::new(operands)))
            }
            Scalar::Convert(operand, affinity, ..) => {
                Some(Expression::Convert(Box::new(self.expression(operand)), *affinity))
            }
            Scalar::Cast(operand, affinity) => {
                Some(Expression::Cast(Box::new(self.expression(operand)), *affinity))
            }
            Scalar::Case(case) => self.case(case),
            Scalar::Call(call) if !is_pattern(call) => self.call_expression(call),
            _ => self.condition_of(scalar).map(|it| Expression::Truth(Box::new(it))),
        };
        compiled.unwrap_or_else(|| self.rows(scalar))
    }

    /// Compiles an expression of which only the truth is asked.
    pub(in crate::execute::batch) fn condition(&mut self, scalar: &Scalar) -> Condition {
        if self.is_constant(scalar) {
            return Condition::Value(Expression::Constant(scalar.clone()));
        }
        match self.condition_of(scalar) {
            Some(condition) => condition,
            None if is_truth(scalar) => Condition::Value(self.rows(scalar)),
            None => Condition::Value(self.expression(scalar)),
        }
    }

    /// Whether no column of the program is read, and the value is the same for all rows.
    fn is_constant(&self, scalar: &Scalar) -> bool {
        let mut constant = true;
        scalar.columns(&mut |place| {
            constant = constant && (place.depth > 0 || !self.inside.contains(&place.slot));
        });
        constant
            && !scalar.any(&mut |node| match node {
                Scalar::Call(call) => call.function.determinism == Determinism::Volatile,
                Scalar::Raise(..) | Scalar::Row(_) => true,
                _ => false,
            })
    }

    /// Leaves an expression to the scalar evaluator.
    fn rows(&mut self, scalar: &Scalar) -> Expression {
        let mut places = Places::default();
        places.add(scalar);
        let slots = places.slots(&self.inside);
        let columns: Vec<_> = places.sorted().filter(|(slot, _)| slots.contains(slot)).collect();
        let columns = columns.into_iter().map(|(slot, column)| self.number(slot, column)).collect();
        Expression::Rows(Box::new(RowsExpression { scalar: scalar.clone(), columns, slots }))
    }

    fn condition_of(&mut self, scalar: &Scalar) -> Option<Condition> {
        match scalar {
            Scalar::And(terms) => self.terms(terms).map(Condition::And),
            Scalar::Or(terms) => self.terms(terms).map(Condition::Or),
            Scalar::Unary(Unary::Not, operand) => {
                Some(Condition::Not(Box::new(self.condition(operand))))
            }
            Scalar::Compare(compare) => {
                let operands = [self.expression(&compare.left), self.expression(&compare.right)];
                Some(Condition::Compare(compare.operator, compare.rule, Box::new(operands)))
            }
            Scalar::Between(between) => {
                let high = self.expression(&between.high);
                high.is_safe().then(|| {
                    Condition::Between(Box::new(BetweenCondition {
                        negated: between.negated,
                        operand: self.expression(&between.operand),
                        low: (self.expression(&between.low), between.low_rule),
                        high: (high, between.high_rule),
                    }))
                })
            }
            Scalar::IsNull(operand, negated) => {
                Some(Condition::IsNull(self.expression(operand), *negated))
            }
            Scalar::IsTruth { operand, truth, negated } => Some(Condition::IsTruth {
                operand: Box::new(self.condition(operand)),
                truth: *truth,
                negated: *negated,
            }),
            Scalar::InList(list) if list.others.is_empty() => {
                Some(Condition::InList(Box::new(InListCondition {
                    negated: list.negated,
                    operand: self.expression(&list.operand),
                    rule: list.rule,
                    constants: list.constants.clone(),
                    has_null: list.has_null,
                })))
            }
            Scalar::InSubquery(set) => self.in_set(set),
            Scalar::Call(call) if is_pattern(call) => self.pattern(call),
            _ => None,
        }
    }

    /// IN of a subquery whose rows are the same for every row.
    fn in_set(&mut self, set: &InSubquery) -> Option<Condition> {
        let ([operand], [rule]) = (set.operands.as_slice(), set.rules.as_slice()) else {
            return None;
        };
        (set.subquery.correlation == Correlation::None).then(|| {
            Condition::InSet(Box::new(InSetCondition {
                set: set.clone(),
                rule: *rule,
                operand: self.expression(operand),
            }))
        })
    }

    /// Terms of AND or OR: those behind the first must be safe to compute for all rows.
    fn terms(&mut self, terms: &[Scalar]) -> Option<Vec<Condition>> {
        let compiled: Vec<Condition> = terms.iter().map(|term| self.condition(term)).collect();
        compiled.iter().skip(1).all(Condition::is_safe).then_some(compiled)
    }

    fn case(&mut self, case: &Case) -> Option<Expression> {
        if case.branches.len() > BRANCHES_MAX {
            return None;
        }
        let mut branches = Vec::with_capacity(case.branches.len());
        for (when, rule, then) in &case.branches {
            let condition = match &case.operand {
                None => self.condition(when),
                Some(operand) => {
                    let operands = [self.expression(operand), self.expression(when)];
                    Condition::Compare(Comparison::Equal, *rule, Box::new(operands))
                }
            };
            branches.push((condition, self.expression(then)));
        }
        let otherwise = case.otherwise.as_ref().map(|it| self.expression(it));
        let compiled = Expression::Case(Box::new(CaseExpression { branches, otherwise }));
        compiled.is_safe().then_some(compiled)
    }

    fn call_expression(&mut self, call: &Call) -> Option<Expression> {
        let traits = &call.function.traits;
        let is_scalar = matches!(
            call.function.implementation,
            Implementation::Scalar(_) | Implementation::ScalarClosure(_)
        );
        if traits.reads_json || traits.may_return_json || traits.is_lazy || !is_scalar {
            return None;
        }
        Some(Expression::Call(Box::new(CallExpression {
            function: call.function.clone(),
            arguments: call.arguments.iter().map(|it| self.expression(it)).collect(),
            collation: call.collation,
            cache: call.cache,
        })))
    }

    /// LIKE or GLOB with a constant pattern.
    fn pattern(&mut self, call: &Call) -> Option<Condition> {
        let [Scalar::Literal(Value::Text(pattern)), operand] = call.arguments.as_slice() else {
            return self.call_expression(call).map(Condition::Value);
        };
        if pattern.len() > PATTERN_BYTES_MAX {
            return self.call_expression(call).map(Condition::Value);
        }
        let is_glob = call.function.name == "glob";
        let matcher = Matcher::new(pattern, is_glob);
        let by_function = if is_glob { None } else { self.call_expression(call) };
        let operand = self.expression(operand);
        Some(Condition::Like(Box::new(LikeCondition { matcher, operand, call: by_function })))
    }
}

/// Whether a call is that of the built-in LIKE or GLOB.
fn is_pattern(call: &Call) -> bool {
    matches!(&*call.function.name, "like" | "glob")
        && matches!(call.function.implementation, Implementation::Scalar(_))
        && call.arguments.len() == 2
}

/// Whether an expression is a truth by itself.
fn is_truth(scalar: &Scalar) -> bool {
    matches!(
        scalar,
        Scalar::And(_)
            | Scalar::Or(_)
            | Scalar::Between(_)
            | Scalar::InList(_)
            | Scalar::RowCompare(_)
            | Scalar::RowBetween(_)
            | Scalar::InSubquery(_)
            | Scalar::Quantified(_)
            | Scalar::Exists(_)
    )
}

// Neighbours: `compile`, `expression`.
