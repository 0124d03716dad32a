//! How much a plan is made of, for those who bound what a statement may ask for.
//!
//! Operators and expressions are counted alike, those of subqueries with them. Neighbours: `walk`
//! visits them, `limits` has the bound.

use super::{Node, SelectPlan};
use crate::scalar::Scalar;

impl SelectPlan {
    /// How many operators and expressions it has.
    pub fn operations(&self) -> u64 {
        self.root.operations() + self.outputs.iter().map(of_scalar).sum::<u64>()
    }
}

impl Node {
    /// How many operators and expressions there are from here down.
    pub fn operations(&self) -> u64 {
        let mut count = 1;
        self.scalars(&mut |scalar| count += of_scalar(scalar));
        self.inputs(&mut |input| count += input.operations());
        count
    }
}

fn of_scalar(scalar: &Scalar) -> u64 {
    let mut count = 1 + scalar.own_subquery().map_or(0, |call| call.plan.operations());
    scalar.children(&mut |child| count += of_scalar(child));
    count
}
