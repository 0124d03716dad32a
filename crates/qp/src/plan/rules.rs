//! The rules of the planner, each of which can be left out.
//!
//! A rule changes how a statement runs and never what it returns: a query with a rule and the
//! same query without it must agree, which is what tests hold against each other. Neighbours:
//! every file here asks for its own rule.

/// A set of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules(u32);

impl Rules {
    /// Counts come from the trees.
    pub const TREE_COUNT: Self = Self(1);
    /// `min` and `max` come from the ends of an index.
    pub const EXTREMES: Self = Self(1 << 1);
    /// OR as several ways into a table.
    pub const OR_UNION: Self = Self(1 << 2);
    /// LIKE and GLOB as ranges.
    pub const PATTERN_RANGE: Self = Self(1 << 3);
    /// What all parts of an OR demand is demanded beside it.
    pub const COMMON_TERMS: Self = Self(1 << 4);
    /// EXISTS as a join.
    pub const SEMI_JOIN: Self = Self(1 << 5);
    /// What follows from two equalities is demanded as well.
    pub const TRANSITIVE: Self = Self(1 << 6);
    /// Hash joins.
    pub const HASH_JOIN: Self = Self(1 << 7);
    /// Tables that are looked up at each opening are kept in a hash table.
    pub const LOOKUP: Self = Self(1 << 8);
    /// The order of joins is chosen by cost.
    pub const JOIN_ORDER: Self = Self(1 << 9);
    /// Subqueries remember their results by what they depend on.
    pub const MEMORY: Self = Self(1 << 10);
    /// Conditions go into subqueries of FROM.
    pub const PUSH_DOWN: Self = Self(1 << 11);
    /// Conditions on a table are tried in the order in which they drop the most rows.
    pub const SIFT: Self = Self(1 << 12);
    /// Common tables that several places read are made once.
    pub const SHARED: Self = Self(1 << 13);
    /// Comparisons with aggregates of what belongs to a row are joins whose pairs are grouped.
    pub const GROUP_JOIN: Self = Self(1 << 14);
    /// Comparisons of rows of values search an index by all of its columns.
    pub const ROW_BOUNDS: Self = Self(1 << 15);
    /// Groups and distinct rows come from the order of an index.
    pub const ORDERED_GROUPS: Self = Self(1 << 16);
    /// Parts of a compound that come in the order of ORDER BY are merged.
    pub const MERGE_PARTS: Self = Self(1 << 17);
    /// Rows that come in the order of the first terms of ORDER BY are sorted by the others, those
    /// that agree in the first at a time.
    pub const PART_SORT: Self = Self(1 << 18);
    /// Windows are fed with the order of an index.
    pub const ORDERED_WINDOWS: Self = Self(1 << 19);
    /// Not a rule: what costs decide is done wherever it can be done, for tests.
    pub const EAGER: Self = Self(1 << 31);
    /// All of them, with names.
    pub const EACH: [(&'static str, Self); 20] = [
        ("tree_count", Self::TREE_COUNT),
        ("extremes", Self::EXTREMES),
        ("or_union", Self::OR_UNION),
        ("pattern_range", Self::PATTERN_RANGE),
        ("common_terms", Self::COMMON_TERMS),
        ("semi_join", Self::SEMI_JOIN),
        ("transitive", Self::TRANSITIVE),
        ("hash_join", Self::HASH_JOIN),
        ("lookup", Self::LOOKUP),
        ("join_order", Self::JOIN_ORDER),
        ("memory", Self::MEMORY),
        ("push_down", Self::PUSH_DOWN),
        ("sift", Self::SIFT),
        ("shared", Self::SHARED),
        ("group_join", Self::GROUP_JOIN),
        ("row_bounds", Self::ROW_BOUNDS),
        ("ordered_groups", Self::ORDERED_GROUPS),
        ("merge_parts", Self::MERGE_PARTS),
        ("part_sort", Self::PART_SORT),
        ("ordered_windows", Self::ORDERED_WINDOWS),
    ];

    /// Whether all rules of `rule` are in.
    #[inline]
    pub const fn has(self, rule: Self) -> bool {
        self.0 & rule.0 == rule.0
    }

    /// With the rules of `rule`.
    #[must_use]
    pub const fn with(self, rule: Self) -> Self {
        Self(self.0 | rule.0)
    }

    /// Without the rules of `rule`.
    #[must_use]
    pub const fn without(self, rule: Self) -> Self {
        Self(self.0 & !rule.0)
    }

    /// No rule.
    pub const fn none() -> Self {
        Self(0)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self((1 << Self::EACH.len()) - 1)
    }
}
