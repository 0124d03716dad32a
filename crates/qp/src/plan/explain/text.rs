//! Expressions of a plan as text.
//!
//! A plan knows places, not names: the names come from the scans that fill the places. What a
//! subquery reads of the rows around it is written with the names of those. Neighbours: `tree`.

use pandodb_ds::record::Value;
use pandodb_ds::record::number::real_text;
use rustc_hash::FxHashMap;

use crate::plan::{Node, Scan};
use crate::scalar::{Binary, ColumnPlace, Comparison, ROWID, RowBetween, Scalar, SlotId, Unary};

/// The tables that fill the slots of a frame, and those of the frames around it.
#[derive(Clone, Default)]
pub(super) struct Names<'p> {
    frames: Vec<FxHashMap<SlotId, &'p Scan>>,
}

impl<'p> Names<'p> {
    /// With the slots that a plan fills, which is called inside of the frames so far.
    pub(super) fn inside(&self, root: &'p Node) -> Self {
        let mut own = FxHashMap::default();
        gather(root, &mut own);
        let mut frames = vec![own];
        frames.extend(self.frames.iter().cloned());
        Self { frames }
    }

    fn column(&self, place: &ColumnPlace) -> String {
        let frame = self.frames.get(usize::from(place.depth));
        let Some(scan) = frame.and_then(|frame| frame.get(&place.slot)) else {
            return format!("#{}.{}", place.slot.0, place.column);
        };
        let table = &scan.table;
        let alias = table.rowid_alias().and_then(|index| table.columns.get(index));
        let found = if place.column == ROWID {
            alias
        } else {
            table.columns.iter().find(|column| column.position == usize::from(place.column))
        };
        let name = found.map_or("rowid", |column| &*column.name);
        format!("{}.{name}", scan.alias)
    }

    /// Several expressions with commas between them.
    pub(super) fn list<'s>(&self, scalars: impl IntoIterator<Item = &'s Scalar>) -> String {
        self.joined(scalars, ", ")
    }

    pub(super) fn joined<'s>(
        &self,
        scalars: impl IntoIterator<Item = &'s Scalar>,
        between: &str,
    ) -> String {
        scalars.into_iter().map(|scalar| self.text(scalar)).collect::<Vec<_>>().join(between)
    }

    /// An expression.
    pub(super) fn text(&self, scalar: &Scalar) -> String {
        match scalar {
            Scalar::Literal(value) => literal(value),
            Scalar::Parameter(number) => format!("?{}", number + 1),
            Scalar::Column(place) => self.column(place),
            Scalar::Unary(operator, operand) => {
                format!("{}{}", sign(*operator), self.text(operand))
            }
            Scalar::Binary(operator, operands) => {
                let [left, right] = &**operands;
                format!("({} {} {})", self.text(left), symbol(*operator), self.text(right))
            }
            Scalar::And(terms) => format!("({})", self.joined(terms, " AND ")),
            Scalar::Or(terms) => format!("({})", self.joined(terms, " OR ")),
            Scalar::Compare(it) => {
                format!(
                    "{} {} {}",
                    self.text(&it.left),
                    comparison(it.operator),
                    self.text(&it.right)
                )
            }
            Scalar::RowCompare(it) => {
                let (left, right) = (self.joined(&it.left, ", "), self.joined(&it.right, ", "));
                format!("({left}) {} ({right})", comparison(it.operator))
            }
            Scalar::Between(it) => {
                let not = if it.negated { "NOT " } else { "" };
                let (low, high) = (self.text(&it.low), self.text(&it.high));
                format!("{} {not}BETWEEN {low} AND {high}", self.text(&it.operand))
            }
            Scalar::RowBetween(it) => self.row_between(it),
            Scalar::IsNull(operand, negated) => {
                format!("{} IS {}NULL", self.text(operand), if *negated { "NOT " } else { "" })
            }
            Scalar::InList(list) => {
                let count = list.constants.len() + list.others.len() + usize::from(list.has_null);
                let not = if list.negated { "NOT " } else { "" };
                format!("{} {not}IN ({count} values)", self.text(&list.operand))
            }
            Scalar::InSubquery(set) => {
                let not = if set.negated { "NOT " } else { "" };
                format!("{} {not}IN (subquery)", self.list(&set.operands))
            }
            Scalar::Exists(_) => "EXISTS (subquery)".to_owned(),
            Scalar::Subquery(..) => "(subquery)".to_owned(),
            Scalar::Call(call) => {
                format!("{}({})", call.function.name, self.list(&call.arguments))
            }
            Scalar::Collate(operand, collation) => {
                format!("{} COLLATE {collation}", self.text(operand))
            }
            Scalar::Cast(operand, affinity) => {
                format!("CAST({} AS {})", self.text(operand), affinity.type_name())
            }
            Scalar::Convert(operand, ..) | Scalar::Json(operand) => self.text(operand),
            other => {
                let mut parts = Vec::new();
                other.children(&mut |child| parts.push(self.text(child)));
                let word = match other {
                    Scalar::Case(_) | Scalar::RowCase(_) => "CASE",
                    Scalar::IsTruth { .. } => "TRUTH",
                    Scalar::Quantified(_) => "QUANTIFIED",
                    _ => "",
                };
                format!("{word}({})", parts.join(", "))
            }
        }
    }

    fn row_between(&self, between: &RowBetween) -> String {
        let not = if between.negated { "NOT " } else { "" };
        let parts = [&between.operands, &between.low, &between.high];
        let [operands, low, high] = parts.map(|parts| self.joined(parts, ", "));
        format!("({operands}) {not}BETWEEN ({low}) AND ({high})")
    }
}

const fn sign(operator: Unary) -> &'static str {
    match operator {
        Unary::Negate => "-",
        Unary::Plus => "+",
        Unary::BitNot => "~",
        Unary::Not => "NOT ",
    }
}

/// The scans of a plan's own frame.
fn gather<'p>(node: &'p Node, scans: &mut FxHashMap<SlotId, &'p Scan>) {
    match node {
        Node::Scan(scan) => {
            scans.insert(scan.slot, scan);
        }
        Node::Count(count) => {
            scans.insert(count.scan.slot, &count.scan);
        }
        _ => {}
    }
    node.inputs(&mut |input| gather(input, scans));
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => String::from_utf8_lossy(&real_text(*value)).into_owned(),
        Value::Text(text) => {
            let text: String = String::from_utf8_lossy(text).chars().take(40).collect();
            format!("'{}'", text.replace('\'', "''"))
        }
        Value::Blob(bytes) => format!("x'...' ({} bytes)", bytes.len()),
    }
}

fn symbol(operator: Binary) -> &'static str {
    match operator {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::Remainder => "%",
        Binary::BitAnd => "&",
        Binary::BitOr => "|",
        Binary::ShiftLeft => "<<",
        Binary::ShiftRight => ">>",
        Binary::Concatenate => "||",
    }
}

fn comparison(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Is => "IS",
        Comparison::IsNot => "IS NOT",
    }
}
