//! The numbers that transactions are told apart by, each a type of its own.
//!
//! A plain `u64` would let a commit be passed where a log position is meant. The widths are the
//! stored ones: they never run out at 64 bits. The numbers of heads and trees are the storage
//! crate's. Neighbours: `wal` stores them, `lock` and `snapshot` name
//! owners by them.

use std::fmt;

pub use pandodb_ds::checkpoint::HeadId;
pub use pandodb_ds::forest::TreeId;

macro_rules! id {
    ($(#[$documentation:meta])* $name:ident($width:ty), $noun:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name(pub $width);

        impl $name {
            /// The number itself.
            pub const fn get(self) -> $width {
                self.0
            }
        }

        impl From<$width> for $name {
            fn from(number: $width) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($noun, " {}"), self.0)
            }
        }
    };
}

id!(
    /// A running transaction; numbers grow with the begin, so the larger one is the younger.
    TransactionId(u64),
    "transaction"
);
id!(
    /// A committed transaction; numbers grow in log order over all heads.
    CommitId(u64),
    "commit"
);
id!(
    /// A position in the log: how many bytes of frames were ever written before it.
    ///
    /// Segment headers and the unused ends of segments do not count, so the end of one
    /// transaction is the start of the next one wherever the two are stored.
    Lsn(u64),
    "log position"
);
impl Lsn {
    /// The start of every log.
    pub const ZERO: Self = Self(0);

    /// The position `bytes` further on.
    #[must_use]
    pub const fn advanced(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }

    /// The bytes from `earlier` to here; nothing if that is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl CommitId {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
