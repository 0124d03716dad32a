//! The four lock modes, which of them go together, and which one stands for two.
//!
//! Intention modes are taken on what contains the thing that is meant (the tree of a key), so
//! that a lock on a whole tree and a lock on one of its keys meet. There is no combined
//! "shared and intending exclusive" mode: who holds S and asks for IX gets X, which is safe and
//! rare (a scan of a tree followed by a change of it). Neighbours: `queue` asks these questions.

use std::fmt;

/// How much of a resource a transaction claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// IS: reads something inside.
    IntentShared,
    /// IX: changes something inside.
    IntentExclusive,
    /// S: reads all of it.
    Shared,
    /// X: changes it, alone.
    Exclusive,
}

impl Mode {
    /// Every mode, weakest first.
    pub const ALL: [Self; 4] =
        [Self::IntentShared, Self::IntentExclusive, Self::Shared, Self::Exclusive];

    /// Whether two transactions may hold these on one resource at the same time.
    pub const fn is_compatible(self, other: Self) -> bool {
        use Mode::{Exclusive, IntentExclusive, IntentShared, Shared};
        match (self, other) {
            (Exclusive, _) | (_, Exclusive) => false,
            (IntentShared, _) | (_, IntentShared) => true,
            (IntentExclusive, IntentExclusive) | (Shared, Shared) => true,
            (IntentExclusive, Shared) | (Shared, IntentExclusive) => false,
        }
    }

    /// The weakest mode that allows what either of the two allows.
    #[must_use]
    pub const fn join(self, other: Self) -> Self {
        use Mode::{Exclusive, IntentExclusive, IntentShared, Shared};
        match (self, other) {
            (IntentShared, mode) | (mode, IntentShared) => mode,
            (IntentExclusive, IntentExclusive) => IntentExclusive,
            (Shared, Shared) => Shared,
            (Exclusive, _) | (_, Exclusive) => Exclusive,
            (IntentExclusive, Shared) | (Shared, IntentExclusive) => Exclusive,
        }
    }

    /// Whether a holder of this mode needs nothing more to do what `wanted` allows.
    pub fn covers(self, wanted: Self) -> bool {
        self.join(wanted) == self
    }

    /// What must be held on everything around a resource that is locked in this mode.
    #[must_use]
    pub const fn intention(self) -> Self {
        match self {
            Self::IntentShared | Self::Shared => Self::IntentShared,
            Self::IntentExclusive | Self::Exclusive => Self::IntentExclusive,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IntentShared => "IS",
            Self::IntentExclusive => "IX",
            Self::Shared => "S",
            Self::Exclusive => "X",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatibility_is_the_textbook_matrix() {
        let expected = [
            [true, true, true, false],
            [true, true, false, false],
            [true, false, true, false],
            [false, false, false, false],
        ];
        for (row, held) in Mode::ALL.into_iter().enumerate() {
            for (column, wanted) in Mode::ALL.into_iter().enumerate() {
                let found = held.is_compatible(wanted);
                assert_eq!(found, expected[row][column], "{held} with {wanted}");
            }
        }
    }

    #[test]
    fn a_joined_mode_excludes_exactly_what_one_of_its_parts_or_the_missing_six_excludes() {
        for left in Mode::ALL {
            for right in Mode::ALL {
                let joined = left.join(right);
                assert_eq!(joined, right.join(left), "{left} and {right}");
                assert!(joined.covers(left) && joined.covers(right));
                for other in Mode::ALL {
                    if joined.is_compatible(other) {
                        assert!(left.is_compatible(other) && right.is_compatible(other));
                    }
                }
            }
        }
    }
}
