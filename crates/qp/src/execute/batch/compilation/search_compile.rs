//! Which loops run in batches.
//!
//! Neighbours: `search` runs what this makes, `compile` the other operators.

use crate::execute::batch::compile::Compiler;
use crate::execute::batch::expression::{Condition, Expression};
use crate::execute::batch::places::{Places, produced};
use crate::execute::batch::portable::Asked;
use crate::execute::batch::program::Operator;
use crate::execute::batch::search::BatchSearch;
use crate::plan::{AccessPath, IndexEqual, JoinType, NestedLoop, Node, Scan};
use crate::scalar::Scalar;

/// The table that the right side of a loop seeks, and the conditions on its rows, those that are
/// checked first in front.
pub(in crate::execute::batch) fn sought_table(right: &Node) -> Option<(&Scan, Vec<&Scalar>)> {
    match right {
        Node::Scan(scan) => Some((scan, Vec::new())),
        Node::Filter(filter) => {
            let (scan, mut conditions) = sought_table(&filter.input)?;
            conditions.extend(&filter.predicates);
            Some((scan, conditions))
        }
        _ => None,
    }
}

/// What a way into a table seeks: one value for the rowid or each leading column of an index.
fn sought_values(scan: &Scan) -> Option<Vec<&Scalar>> {
    if scan.table.is_system() || !scan.table.has_rowid() || scan.backward {
        return None;
    }
    match &scan.path {
        AccessPath::Rowid(value) => Some(vec![value]),
        AccessPath::Index(path) => {
            let is_plain = path.index.is_some() && !path.range.is_bounded() && !path.range.blobs;
            let mut values = Vec::with_capacity(path.equals.len());
            for equal in &path.equals {
                let IndexEqual::Value { value, .. } = equal else { return None };
                values.push(value);
            }
            (is_plain && !values.is_empty()).then_some(values)
        }
        _ => None,
    }
}

impl Compiler {
    /// A loop whose right side seeks a table.
    pub(in crate::execute::batch) fn search(
        &mut self,
        join: &NestedLoop,
        needed: &Places,
    ) -> Option<Operator> {
        let is_kind = |kinds: &[JoinType]| kinds.contains(&join.kind);
        if !is_kind(&[JoinType::Inner, JoinType::Left, JoinType::Semi, JoinType::Anti]) {
            return None;
        }
        let (scan, mut tried) = sought_table(&join.right)?;
        let sought = sought_values(scan)?;
        // Values that are taken from the right row itself would be those of the row before.
        let reads_right = |scalar: &&Scalar| scalar.slots().contains(&scan.slot);
        if sought.iter().any(reads_right) {
            return None;
        }
        tried.extend(&join.on);
        let pairs = needed.with_all(&tried);
        let conditions: Vec<Condition> = tried.iter().map(|it| self.condition(it)).collect();
        let decides = is_kind(&[JoinType::Semi, JoinType::Anti]);
        if decides && !conditions.iter().all(Condition::is_safe) {
            // More pairs are tried than the row gear looks at.
            return None;
        }
        let left = self.operator(&join.left, &pairs.with_all(&sought));
        let columns: Vec<u16> = pairs
            .sorted()
            .filter(|(slot, _)| *slot == scan.slot)
            .map(|(_, column)| column)
            .collect();
        let columns =
            columns.into_iter().map(|column| (self.number(scan.slot, column), column)).collect();
        let keys: Vec<Expression> = sought.into_iter().map(|it| self.expression(it)).collect();
        let mut asked = Asked::any();
        let is_portable = keys.iter().all(|key| key.is_portable_with(&mut asked))
            && conditions.iter().all(|it| it.is_portable_with(&mut asked));
        Some(Operator::Search(Box::new(BatchSearch {
            portable: is_portable.then_some(asked),
            keys,
            columns,
            conditions,
            left_keep: self.numbers_in(&pairs, &produced(&join.left)),
            left_tried: self.numbers_in(&Places::default().with_all(&tried), &produced(&join.left)),
            expected: join.rows as u64,
            left,
        })))
    }
}

// Neighbours: `compile`, `search`.
