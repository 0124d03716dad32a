//! Constants that are computed while a statement is bound: `date('1998-12-01', '-90 days')` is a
//! bound of a range then, and is not computed for each row.
//!
//! Only functions whose results are small and depend on nothing but their arguments; a call that
//! fails is left as it is, because the row that would make it fail may never come. Neighbours:
//! `expression` and `function` bind what is folded here.

use pandodb_ds::record::{Value, ValueRef};

use super::Binder;
use crate::function::{Cache, Context, Function, Implementation, operators};
use crate::scalar::{Binary, Scalar};

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
