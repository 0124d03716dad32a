//! Functions by name and number of arguments.
//!
//! There is one registry of the built-in functions, made at first use, and one per connection
//! on top of it, empty until the application defines or hides something. Names are found
//! without regard to ASCII case; an application's function with the same name and a number of
//! arguments that fits goes first, which is how `like` or `regexp` are replaced. Neighbours:
//! `descriptor` (what is found), `builtin` (the tables).

use pandodb_ds::sync::{Arc, OnceLock};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::builtin;
use super::descriptor::{Arity, Function, FunctionKind};
use crate::error::{Error, ErrorKind, Result};
use crate::suggest::distance;

/// The functions of one name.
type Overloads = SmallVec<[Arc<Function>; 1]>;

/// Functions of an application, over the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    by_name: FxHashMap<Box<str>, Overloads>,
    /// What the application took away, as name and arity.
    hidden: Vec<(Box<str>, Arity)>,
    has_builtins: bool,
}

impl Registry {
    /// A registry with the built-in functions.
    pub fn new() -> Self {
        Self { has_builtins: true, ..Self::default() }
    }

    /// Defines `function`, instead of one with the same name and arity.
    pub fn define(&mut self, function: Function) {
        let name = function.name.to_ascii_lowercase().into_boxed_str();
        self.hidden.retain(|(hidden, arity)| *hidden != name || *arity != function.arity);
        let overloads = self.by_name.entry(name).or_default();
        overloads.retain(|known| known.arity != function.arity);
        overloads.push(Arc::new(function));
    }

    /// Takes away the function of that name and arity, a built-in one, too; false if there is
    /// none.
    pub fn remove(&mut self, name: &str, arity: Arity) -> bool {
        let name = name.to_ascii_lowercase().into_boxed_str();
        let mut found = false;
        if let Some(overloads) = self.by_name.get_mut(&name) {
            let before = overloads.len();
            overloads.retain(|known| known.arity != arity);
            found = overloads.len() < before;
        }
        let is_builtin = self.builtin_overloads(&name).any(|known| known.arity == arity);
        if is_builtin {
            self.hidden.push((name, arity));
        }
        found || is_builtin
    }

    /// The function that a call of `name` with `argument_count` arguments means, or an error
    /// in SQLite's words with a hint. Table-valued functions are found by [`Self::find_table`]
    /// only.
    pub fn find(&self, name: &str, argument_count: usize) -> Result<Arc<Function>> {
        let lower = name.to_ascii_lowercase();
        let fits = |function: &&Arc<Function>| function.arity.takes(argument_count);
        let mut best: Option<&Arc<Function>> = None;
        for function in self.callable(&lower).filter(fits) {
            // Functions come in the order of their layers; among equals an exact number of
            // arguments goes before a range.
            let is_exact = |function: &Function| function.arity.max == Some(function.arity.min);
            if best.is_none_or(|best| !is_exact(best) && is_exact(function)) {
                best = Some(function);
            }
        }
        match best {
            Some(function) => Ok(Arc::clone(function)),
            None => Err(self.missing(name, &lower)),
        }
    }

    /// The table-valued function `name`.
    pub fn find_table(&self, name: &str) -> Option<Arc<Function>> {
        let lower = name.to_ascii_lowercase();
        self.overloads(&lower)
            .find(|function| function.kind() == FunctionKind::Table)
            .map(Arc::clone)
    }

    /// Whether any function but table-valued ones has that name.
    pub fn contains(&self, name: &str) -> bool {
        self.callable(&name.to_ascii_lowercase()).next().is_some()
    }

    /// All functions, ordered by name and arity.
    pub fn functions(&self) -> Vec<Arc<Function>> {
        let mut all: Vec<_> =
            self.names().into_iter().flat_map(|name| self.overloads(name)).collect();
        all.sort_by_key(|function| (function.name.clone(), function.arity.min));
        all.into_iter().map(Arc::clone).collect()
    }

    /// The known name nearest to `name`, if it is near.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        let lower = name.to_ascii_lowercase();
        let limit = (lower.chars().count() / 3).clamp(1, 3);
        let names = self.names().into_iter().filter(|name| self.callable(name).next().is_some());
        names
            .map(|known| (distance(&lower, known), known))
            .filter(|(distance, _)| *distance <= limit)
            .min()
            .map(|(_, known)| known)
    }

    /// Functions of `name` (in lower case) that stand in expressions.
    fn callable<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Arc<Function>> {
        self.overloads(name).filter(|function| function.kind() != FunctionKind::Table)
    }

    /// Functions of `name` (in lower case), those of the application first.
    fn overloads<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Arc<Function>> {
        let own = self.by_name.get(name).into_iter().flatten();
        own.chain(self.builtin_overloads(name))
    }

    fn builtin_overloads<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Arc<Function>> {
        let known = self.has_builtins.then(|| builtins().get(name)).flatten();
        let is_shown = move |function: &&Arc<Function>| {
            !self.hidden.iter().any(|(hidden, arity)| **hidden == *name && *arity == function.arity)
        };
        known.into_iter().flatten().filter(is_shown)
    }

    fn names(&self) -> Vec<&str> {
        let builtin = self.has_builtins.then(|| builtins().keys()).into_iter().flatten();
        let mut names: Vec<&str> = self.by_name.keys().chain(builtin).map(|name| &**name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[cold]
    fn missing(&self, name: &str, lower: &str) -> Error {
        let usages: Vec<_> = self
            .callable(lower)
            .map(|known| known.usage)
            .filter(|usage| !usage.is_empty())
            .collect();
        if self.contains(lower) {
            let message = format!("wrong number of arguments to function {name}()");
            let error = Error::new(ErrorKind::Invalid, message);
            if usages.is_empty() {
                return error;
            }
            return error.with_hint(format!("usage: {}", usages.join(" or ")));
        }
        let error = Error::not_found("function", name);
        match self.suggest(lower) {
            Some(near) => error.with_hint(format!("did you mean {near}()?")),
            None => error,
        }
    }
}

/// The built-in functions, made at first use.
fn builtins() -> &'static FxHashMap<Box<str>, Overloads> {
    static BUILTINS: OnceLock<FxHashMap<Box<str>, Overloads>> = OnceLock::new();
    BUILTINS.get_or_init(|| {
        let mut by_name: FxHashMap<Box<str>, Overloads> = FxHashMap::default();
        for function in builtin::functions() {
            by_name.entry(Box::from(&*function.name)).or_default().push(Arc::new(function));
        }
        by_name
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]

    use pandodb_ds::record::Value;

    use super::*;
    use crate::function::descriptor::Determinism;

    fn constant(name: &str, arity: Arity, value: i64) -> Function {
        Function::scalar(name, arity, Determinism::Pure, move |_, _| Ok(Value::Integer(value)))
    }

    #[test]
    fn names_are_found_without_case_and_by_number_of_arguments() {
        let registry = Registry::new();
        assert_eq!(registry.find("SubStr", 2).unwrap().name, "substr");
        assert_eq!(registry.find("max", 1).unwrap().kind(), FunctionKind::Aggregate);
        assert_eq!(registry.find("max", 2).unwrap().kind(), FunctionKind::Scalar);
        assert_eq!(registry.find("max", 100).unwrap().kind(), FunctionKind::Scalar);
    }

    #[test]
    fn missing_functions_are_named_with_a_hint() {
        let registry = Registry::new();
        let error = registry.find("sbstr", 2).unwrap_err();
        assert_eq!(error.message(), "no such function: sbstr");
        assert_eq!(error.hint(), Some("did you mean substr()?"));
        let error = registry.find("ABS", 2).unwrap_err();
        assert_eq!(error.message(), "wrong number of arguments to function ABS()");
        assert_eq!(error.hint(), Some("usage: abs(x)"));
        let error = registry.find("completely_else", 0).unwrap_err();
        assert_eq!(error.hint(), None);
    }

    #[test]
    fn functions_of_the_application_go_first_and_go_away() {
        let mut registry = Registry::new();
        let one = Arity::exactly(1);
        registry.define(constant("ABS", one, 7));
        assert!(registry.find("abs", 1).unwrap().usage.is_empty());
        assert!(registry.remove("Abs", one), "both layers");
        assert!(registry.find("abs", 1).is_err());
        assert!(!registry.remove("abs", Arity::exactly(9)));
        assert!(Registry::new().find("abs", 1).is_ok(), "others are untouched");
        registry.define(constant("abs", one, 8));
        assert!(registry.find("abs", 1).is_ok());
    }

    #[test]
    fn exact_numbers_of_arguments_go_before_ranges() {
        let mut registry = Registry::new();
        registry.define(constant("f", Arity::at_least(0), 0));
        registry.define(constant("f", Arity::exactly(2), 2));
        assert_eq!(registry.find("f", 2).unwrap().arity, Arity::exactly(2));
        assert_eq!(registry.find("f", 3).unwrap().arity, Arity::at_least(0));
    }

    #[test]
    fn no_two_builtin_functions_take_the_same_call() {
        for function in Registry::new().functions() {
            if function.kind() == FunctionKind::Table {
                continue;
            }
            for count in 0..8 {
                let same = builtins()[&*function.name]
                    .iter()
                    .filter(|other| other.arity.takes(count))
                    .count();
                assert!(same <= 1, "{} with {count} arguments", function.name);
            }
            assert!(function.usage.starts_with(&*function.name), "{}", function.usage);
        }
    }
}
