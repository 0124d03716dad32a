//! What is done about conflicts: policies for all, rules for some, and picks for one.
//!
//! The most specific word counts: a pick for the very conflict, then a rule for its column, its
//! table, all; then the policy. Neighbours: `conflict` has the addresses.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::record::Value;

use super::conflict::{ConflictKey, Scope};
use crate::error::{Error, ErrorKind, Result};
use crate::shape::{ColumnId, ObjectId};

/// What is done about conflicts that nothing else was said about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The merge fails and changes nothing.
    #[default]
    Fail,
    /// The source's side is taken.
    SourceWins,
    /// The target's side is taken.
    TargetWins,
    /// The merge stays open until every conflict is resolved.
    Manual,
}

impl Policy {
    /// The policy and whether rows are renumbered, from the words of SQL and the API.
    pub fn parse(word: &str) -> Result<(Self, bool)> {
        let policy = match word.to_ascii_lowercase().as_str() {
            "fail" => (Self::Fail, false),
            "source_wins" | "branch_wins" | "theirs" | "prefer_branch" => (Self::SourceWins, false),
            "target_wins" | "ours" | "prefer_main" => (Self::TargetWins, false),
            "manual" => (Self::Manual, false),
            "renumber" => (Self::Fail, true),
            _ => {
                let shown: String = word.chars().take(40).flat_map(char::escape_debug).collect();
                let message = format!("there is no conflict resolution '{shown}'");
                let hint = "fail, source_wins (also branch_wins, theirs, prefer_branch), \
                            target_wins (also ours, prefer_main), manual or renumber";
                return Err(Error::new(ErrorKind::InvalidOption, message).with_hint(hint));
            }
        };
        Ok(policy)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::SourceWins => "source_wins",
            Self::TargetWins => "target_wins",
            Self::Manual => "manual",
        }
    }

    fn pick(self) -> Option<Pick> {
        match self {
            Self::SourceWins => Some(Pick::Theirs),
            Self::TargetWins => Some(Pick::Ours),
            Self::Fail | Self::Manual => None,
        }
    }
}

/// How one conflict is resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// The target's side.
    Ours,
    /// The source's side.
    Theirs,
    /// As it was before both.
    Base,
    /// The row goes.
    Delete,
    /// The cell has this value.
    Cell(Value),
    /// The row is there, with these cells; others are the target's, or the source's where the
    /// target has no such row.
    Row(Vec<(ColumnId, Value)>),
    /// The part of a definition is this.
    Definition(Definition),
}

/// What somebody says a part of a definition is to be. This crate reads no SQL: it knows the name
/// that the part gets, the [`Target`](super::Target) makes the rest of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The name in it: of the object, the column or the constraint; empty where it gives none.
    pub name: String,
    /// The whole of it.
    pub text: String,
    /// Of a table: the columns that the target's had when it was said, if that is known.
    pub seen: Option<Vec<ColumnId>>,
}

/// Which conflicts a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleScope {
    /// All.
    All,
    /// Those of an object.
    Object(ObjectId),
    /// Those of a column.
    Column(ObjectId, ColumnId),
}

impl RuleScope {
    /// Whether a conflict is one of those.
    pub fn covers(self, key: &ConflictKey) -> bool {
        match self {
            Self::All => true,
            Self::Object(object) => key.object == object,
            Self::Column(object, column) => key.object == object && key.column() == Some(column),
        }
    }
}

/// Everything that was said about single conflicts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolutions {
    /// For one conflict.
    pub picks: BTreeMap<ConflictKey, Pick>,
    /// For many.
    pub rules: BTreeMap<RuleScope, Pick>,
}

impl Resolutions {
    /// What was said about a conflict.
    pub fn find(&self, key: &ConflictKey) -> Option<&Pick> {
        if let Some(pick) = self.picks.get(key) {
            return Some(pick);
        }
        let of_column =
            key.column().and_then(|column| self.rules.get(&RuleScope::Column(key.object, column)));
        of_column
            .or_else(|| self.rules.get(&RuleScope::Object(key.object)))
            .or_else(|| self.rules.get(&RuleScope::All))
    }
}

/// How a merge is done.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct MergeOptions {
    /// What is done about conflicts.
    pub policy: Policy,
    /// Whether rows that both sides inserted under one INTEGER PRIMARY KEY are two rows.
    pub renumber: bool,
    /// Whether JSON cells are merged by key path.
    pub merges_json: bool,
    /// What was said about single conflicts.
    pub resolutions: Resolutions,
    /// Rows, cells and parts of definitions of the base that mean nothing, because the best
    /// common ancestors that it was made of disagree there: if the two sides differ, both have
    /// changed it.
    pub unsettled: BTreeSet<ConflictKey>,
    /// Whether the merge makes the base of another one: it goes as far as it can, and its report
    /// has all that it does not settle.
    pub makes_base: bool,
    /// Whether the base is no moment of the target, which then may never have had what it lacks.
    pub has_own_base: bool,
    /// Whether another thread may look for changes while the merge writes.
    pub helps: bool,
}

impl Default for MergeOptions {
    fn default() -> Self {
        Self {
            policy: Policy::Fail,
            renumber: false,
            merges_json: true,
            resolutions: Resolutions::default(),
            unsettled: BTreeSet::new(),
            makes_base: false,
            has_own_base: false,
            helps: cfg!(test),
        }
    }
}

impl MergeOptions {
    /// Options with a policy.
    pub fn with(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// What the target did with what the base has and it has not.
    pub(crate) fn lack(&self) -> &'static str {
        if self.has_own_base { "does not have" } else { "dropped" }
    }

    /// What is to be done about a conflict; no policy makes a broken constraint whole, only what
    /// was said about it.
    pub fn pick(&self, key: &ConflictKey) -> Option<Pick> {
        let said = self.resolutions.find(key).cloned();
        if matches!(key.scope, Scope::Broken(..)) {
            return said;
        }
        said.or_else(|| self.policy.pick())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_words_of_all_dialects_are_known_and_others_are_refused() {
        for (word, expected) in [
            ("FAIL", (Policy::Fail, false)),
            ("branch_wins", (Policy::SourceWins, false)),
            ("prefer_branch", (Policy::SourceWins, false)),
            ("Theirs", (Policy::SourceWins, false)),
            ("prefer_main", (Policy::TargetWins, false)),
            ("ours", (Policy::TargetWins, false)),
            ("renumber", (Policy::Fail, true)),
            ("manual", (Policy::Manual, false)),
        ] {
            assert_eq!(Policy::parse(word).unwrap(), expected);
        }
        let error = Policy::parse("newest").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.hint().unwrap().contains("target_wins"));
    }

    #[test]
    fn the_most_specific_word_counts() {
        let cell = |row: u8, column| ConflictKey {
            object: ObjectId(1),
            scope: Scope::Cell(vec![row], ColumnId(column)),
        };
        let mut options = MergeOptions::with(Policy::SourceWins);
        options.resolutions.rules.insert(RuleScope::Object(ObjectId(1)), Pick::Ours);
        let column = RuleScope::Column(ObjectId(1), ColumnId(7));
        options.resolutions.rules.insert(column, Pick::Base);
        options.resolutions.picks.insert(cell(1, 7), Pick::Delete);
        assert_eq!(options.pick(&cell(1, 7)), Some(Pick::Delete));
        assert_eq!(options.pick(&cell(2, 7)), Some(Pick::Base));
        assert_eq!(options.pick(&cell(2, 8)), Some(Pick::Ours));
        let other = ConflictKey { object: ObjectId(2), scope: Scope::Row(vec![1]) };
        assert_eq!(options.pick(&other), Some(Pick::Theirs));
        let broken = ConflictKey { object: ObjectId(2), scope: Scope::Broken(vec![], "u".into()) };
        assert_eq!(options.pick(&broken), None);
    }
}
