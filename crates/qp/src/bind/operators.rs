//! Comparisons and what is made of them: BETWEEN, IN, LIKE, ANY and ALL, row values.
//!
//! Neighbours: `scalar::properties` has the rules of affinity and collation.

use pandodb_ds::record::{Collation, Value};

use super::Binder;
use super::expression::{columns_expected, comparison, no_row, row_misused};
use crate::ast::{self, InSet};
use crate::authorize::AuthAction;
use crate::error::{Error, Result};
use crate::plan::Node;
use crate::scalar::{
    Between, Compare, CompareRule, Comparison, Correlation, InList, InSubquery, Quantified,
    RowBetween, RowCompare, Scalar, SubqueryCall, Unary,
};
use crate::span::Span;
use crate::types::{
    Affinity, BuiltInCollations, Datum, apply_affinity, compare, comparison_affinity,
};

impl Binder<'_> {
    /// `left comparison right`, of values or of rows.
    pub(crate) fn compare(
        &mut self,
        operator: Comparison,
        left: Scalar,
        right: Scalar,
    ) -> Result<Scalar> {
        if width(&left) == 1 && width(&right) == 1 && !is_row(&left) && !is_row(&right) {
            return Ok(pair(operator, left, right));
        }
        if width(&left) != width(&right) {
            if let Scalar::Subquery(call, _) = &right
                && !is_row(&left)
            {
                return Err(columns_expected(call, width(&left)));
            }
            if let Scalar::Subquery(call, _) = &right {
                return Err(columns_expected(call, width(&left)));
            }
            if let Scalar::Subquery(call, _) = &left {
                return Err(columns_expected(call, width(&right)));
            }
            return Err(row_misused());
        }
        let (left, right) = (parts(left), parts(right));
        // Asked part by part, a subquery that is new each time would give parts of several rows.
        let is_new = left.iter().chain(&right).any(is_new_row);
        if !is_new && matches!(operator, Comparison::Equal | Comparison::Is) {
            // Known to be false by any pair, to be true by all: as conditions of their own, which
            // indexes and hash tables answer for.
            return Ok(Scalar::And(pairs(operator, left, right)));
        }
        if !is_new && matches!(operator, Comparison::NotEqual | Comparison::IsNot) {
            return Ok(Scalar::Or(pairs(operator, left, right)));
        }
        let rules = rules_of(&left, &right);
        Ok(Scalar::RowCompare(Box::new(RowCompare { operator, left, right, rules })))
    }

    pub(crate) fn between(&mut self, between: &ast::Between) -> Result<Scalar> {
        let volatile = self.volatile_calls;
        let operand = self.expression(&between.operand)?;
        let is_volatile = self.volatile_calls != volatile;
        let low = self.expression(&between.low)?;
        let high = self.expression(&between.high)?;
        if width(&operand) > 1 {
            // What cannot be compared is refused here.
            let above = self.compare(Comparison::GreaterOrEqual, operand.clone(), low.clone())?;
            let below = self.compare(Comparison::LessOrEqual, operand.clone(), high.clone())?;
            if is_volatile {
                let (operands, low, high) = (parts(operand), parts(low), parts(high));
                return Ok(Scalar::RowBetween(Box::new(RowBetween {
                    negated: between.negated,
                    low_rules: rules_of(&operands, &low),
                    high_rules: rules_of(&operands, &high),
                    operands,
                    low,
                    high,
                })));
            }
            let both = Scalar::And(vec![above, below]);
            return Ok(if between.negated {
                Scalar::Unary(Unary::Not, Box::new(both))
            } else {
                both
            });
        }
        no_row(&low)?;
        no_row(&high)?;
        Ok(Scalar::Between(Box::new(Between {
            negated: between.negated,
            low_rule: Scalar::compare_rule(&operand, &low),
            high_rule: Scalar::compare_rule(&operand, &high),
            operand,
            low,
            high,
        })))
    }

    pub(crate) fn like(&mut self, like: &ast::Like) -> Result<Scalar> {
        let operand = self.expression(&like.operand)?;
        let pattern = self.expression(&like.pattern)?;
        no_row(&operand)?;
        no_row(&pattern)?;
        // The operators are functions with the pattern first.
        let mut arguments = vec![pattern, operand];
        if let Some(escape) = &like.escape {
            arguments.push(self.expression(escape)?);
        }
        let name = match like.operator {
            ast::LikeOperator::Like => "like",
            ast::LikeOperator::Glob => "glob",
            ast::LikeOperator::Regexp => "regexp",
            ast::LikeOperator::Match => "match",
        };
        if !self.may(AuthAction::Function { function_name: name }, None)? {
            return Ok(Scalar::NULL);
        }
        let function = self.environment.functions.find(name, arguments.len())?;
        let call = self.call(function, arguments);
        Ok(if like.negated { Scalar::Unary(Unary::Not, Box::new(call)) } else { call })
    }

    pub(crate) fn in_set(&mut self, set: &ast::In) -> Result<Scalar> {
        let operand = self.expression(&set.operand)?;
        match &set.set {
            InSet::List(items) if self.prohibits().is_none() => match items.as_slice() {
                // As in SQLite parentheses around a subquery say nothing.
                [ast::Expression { kind: ast::ExpressionKind::Subquery(select), .. }] => {
                    let subquery = self.subquery_read(select, true)?;
                    in_subquery(operand, subquery, set.negated)
                }
                items if width(&operand) > 1 && !items.is_empty() => {
                    let rows = rows_of(items, width(&operand))?;
                    let subquery = self.subquery_read(&rows, true)?;
                    in_subquery(operand, subquery, set.negated)
                }
                items => self.in_list(operand, items, set.negated),
            },
            InSet::List(items) => self.in_list(operand, items, set.negated),
            InSet::Subquery(select) => {
                let subquery = self.subquery_read(select, true)?;
                in_subquery(operand, subquery, set.negated)
            }
            InSet::Table(name) => {
                let select =
                    select_all(ast::TableReferenceKind::Table(Box::new(ast::NamedTable {
                        name: ast::TableName {
                            schema: name.schema.clone(),
                            name: name.name.clone(),
                            branch: None,
                        },
                        as_of: None,
                        index: None,
                    })));
                let subquery = self.subquery_read(&select, true)?;
                in_subquery(operand, subquery, set.negated)
            }
            InSet::Function(name, arguments) => {
                let function =
                    ast::TableFunction { name: name.clone(), arguments: arguments.clone() };
                let select = select_all(ast::TableReferenceKind::Function(Box::new(function)));
                let subquery = self.subquery_read(&select, true)?;
                in_subquery(operand, subquery, set.negated)
            }
        }
    }

    fn in_list(
        &mut self,
        operand: Scalar,
        items: &[ast::Expression],
        negated: bool,
    ) -> Result<Scalar> {
        let items = self.expressions(items)?;
        if width(&operand) > 1 {
            // `(a, b) IN ((1, 2), (3, 4))` in a definition, which has no subqueries.
            let mut terms = Vec::with_capacity(items.len());
            for item in items {
                terms.push(self.compare(Comparison::Equal, operand.clone(), item)?);
            }
            let any = if terms.is_empty() { Scalar::integer(0) } else { Scalar::Or(terms) };
            return Ok(if negated { Scalar::Unary(Unary::Not, Box::new(any)) } else { any });
        }
        for item in &items {
            no_row(item)?;
        }
        let rule = CompareRule {
            affinity: operand.affinity(),
            collation: operand.collation().unwrap_or_default(),
        };
        let rule = rule.of_list();
        let mut list = InList {
            negated,
            operand,
            rule,
            constants: Vec::new(),
            has_null: false,
            others: Vec::new(),
        };
        for item in items {
            match item {
                Scalar::Literal(Value::Null) => list.has_null = true,
                Scalar::Literal(value) if !matches!(rule.collation, Collation::Custom(_)) => {
                    let value = apply_affinity(Datum::from(value), rule.affinity).into_value();
                    list.constants.push(value);
                }
                other => list.others.push(other),
            }
        }
        sort_constants(&mut list);
        Ok(Scalar::InList(Box::new(list)))
    }

    pub(crate) fn quantified(&mut self, quantified: &ast::Quantified) -> Result<Scalar> {
        let operand = self.expression(&quantified.operand)?;
        let subquery = self.subquery(&quantified.subquery)?;
        no_row(&operand)?;
        let Some(operator) = comparison(quantified.operator) else {
            return Err(Error::invalid("ANY and ALL need a comparison"));
        };
        let [output] = subquery.plan.outputs.as_slice() else {
            return Err(columns_expected(&subquery, 1));
        };
        let rule = Scalar::compare_rule(&operand, output);
        let all = quantified.all;
        Ok(Scalar::Quantified(Box::new(Quantified { operand, operator, rule, all, subquery })))
    }
}

/// Whether it is part of a subquery's row that is another one each time it is asked for.
fn is_new_row(part: &Scalar) -> bool {
    matches!(part, Scalar::Subquery(call, _)
        if call.correlation == Correlation::Immediate && !call.remembers)
}

/// How the parts of two rows are compared.
fn rules_of(left: &[Scalar], right: &[Scalar]) -> Vec<CompareRule> {
    left.iter().zip(right).map(|(left, right)| Scalar::compare_rule(left, right)).collect()
}

/// The rows of an IN list as VALUES, which they are in SQLite.
fn rows_of(items: &[ast::Expression], width: usize) -> Result<ast::Select> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let terms = match &item.kind {
            ast::ExpressionKind::Row(parts) if parts.len() == width => {
                rows.push(parts.clone());
                continue;
            }
            ast::ExpressionKind::Row(parts) => parts.len(),
            _ => 1,
        };
        let plural = if terms == 1 { "" } else { "s" };
        let message = format!("IN(...) element has {terms} term{plural} - expected {width}");
        return Err(Error::invalid(message).at(item.span));
    }
    let span = items.iter().map(|item| item.span).reduce(Span::to).unwrap_or_default();
    Ok(ast::Select {
        with: None,
        first: ast::SelectCore::Values(rows),
        compounds: Vec::new(),
        order_by: Vec::new(),
        limit: None,
        span,
    })
}

/// Comparisons of the parts of two rows, one by one.
fn pairs(operator: Comparison, left: Vec<Scalar>, right: Vec<Scalar>) -> Vec<Scalar> {
    left.into_iter().zip(right).map(|(left, right)| pair(operator, left, right)).collect()
}

/// A comparison of two values; `IS NULL` is a test of one.
fn pair(operator: Comparison, left: Scalar, right: Scalar) -> Scalar {
    if let (Comparison::Is | Comparison::IsNot, Scalar::Literal(Value::Null)) = (operator, &right) {
        return Scalar::IsNull(Box::new(left), operator == Comparison::IsNot);
    }
    let rule = Scalar::compare_rule(&left, &right);
    Scalar::Compare(Box::new(Compare { operator, rule, left, right }))
}

/// Sorts what a list's operand is looked for among.
fn sort_constants(list: &mut InList) {
    let rule = list.rule;
    let order = |left: &Value, right: &Value| {
        compare(left.as_ref(), right.as_ref(), rule.collation, &BuiltInCollations)
    };
    list.constants.sort_by(order);
    list.constants.dedup_by(|left, right| order(left, right).is_eq());
}

/// `operand IN (values)`, compared by `rule`.
pub(crate) fn constant_list(
    operand: Scalar,
    rule: CompareRule,
    values: Vec<Value>,
) -> Option<Scalar> {
    if matches!(rule.collation, Collation::Custom(_)) {
        return None;
    }
    let rule = rule.of_list();
    let (nulls, constants): (Vec<Value>, Vec<Value>) = values.into_iter().partition(Value::is_null);
    let convert = |value| apply_affinity(Datum::Owned(value), rule.affinity).into_value();
    let mut list = InList {
        negated: false,
        operand,
        rule,
        constants: constants.into_iter().map(convert).collect(),
        has_null: !nulls.is_empty(),
        others: Vec::new(),
    };
    sort_constants(&mut list);
    Some(Scalar::InList(Box::new(list)))
}

/// How many values an expression has.
pub(crate) fn width(scalar: &Scalar) -> usize {
    match scalar {
        Scalar::Row(parts) => parts.len(),
        Scalar::Subquery(call, _) => call.plan.outputs.len(),
        _ => 1,
    }
}

fn is_row(scalar: &Scalar) -> bool {
    matches!(scalar, Scalar::Row(_))
}

/// The values of a row.
pub(crate) fn parts(scalar: Scalar) -> Vec<Scalar> {
    match scalar {
        Scalar::Row(parts) => parts,
        Scalar::Subquery(call, _) => {
            let count = call.plan.outputs.len() as u16;
            (0..count).map(|column| Scalar::Subquery(call.clone(), column)).collect()
        }
        other => vec![other],
    }
}

fn in_subquery(operand: Scalar, subquery: SubqueryCall, negated: bool) -> Result<Scalar> {
    if width(&operand) != subquery.plan.outputs.len() {
        return Err(columns_expected(&subquery, width(&operand)));
    }
    let operands = parts(operand);
    let rule = |(operand, output): (&Scalar, &Scalar)| member_rule(operand, output);
    // Of selects that are put together the last one says how it is compared, as in SQLite.
    let outputs = last_outputs(&subquery.plan.root).unwrap_or(&subquery.plan.outputs);
    let rules = operands.iter().zip(outputs).map(rule).collect();
    Ok(Scalar::InSubquery(Box::new(InSubquery { negated, operands, rules, subquery })))
}

/// How an operand of IN is compared with what a subquery gives.
pub(super) fn member_rule(operand: &Scalar, output: &Scalar) -> CompareRule {
    let affinity = comparison_affinity(operand.affinity(), output.affinity());
    let affinity = if affinity == Affinity::None { Affinity::Blob } else { affinity };
    CompareRule { affinity, collation: Scalar::compare_collation(operand, output) }
}

/// What the last part of a compound gives; none of another query.
fn last_outputs(node: &Node) -> Option<&Vec<Scalar>> {
    match node {
        Node::Compound(compound) => compound.arms.last().map(|arm| &arm.outputs),
        Node::Sort(sort) => last_outputs(&sort.input),
        Node::Limit(limit) => last_outputs(&limit.input),
        _ => None,
    }
}

/// `SELECT * FROM kind`
fn select_all(kind: ast::TableReferenceKind) -> ast::Select {
    let span = Span::default();
    ast::Select {
        with: None,
        first: ast::SelectCore::Query(Box::new(ast::Query {
            distinct: false,
            columns: vec![ast::ResultColumn::Star(span)],
            from: Some(ast::From {
                first: ast::TableReference { kind, alias: None, span },
                joins: Vec::new(),
            }),
            filter: None,
            group_by: Vec::new(),
            having: None,
            windows: Vec::new(),
        })),
        compounds: Vec::new(),
        order_by: Vec::new(),
        limit: None,
        span,
    }
}
