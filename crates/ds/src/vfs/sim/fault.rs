//! Which operation goes wrong, and how: by plan or by chance.
//!
//! A plan names a fault and the number of an operation; it strikes at the first operation from
//! there on that it can befall, so that "the first sync after operation 40 fails" needs no
//! knowledge of which operation that is. Chance is a rate per million for each fault. Both are
//! decided before the operation runs. Neighbours: `mod` (carries the faults out), `trace`.

use std::fmt;

use fastrand::Rng;

/// What an operation does to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Opens a file that exists (or fails to).
    Open,
    /// Opens and creates a file.
    Create,
    /// Reads bytes.
    Read,
    /// Writes bytes.
    Write,
    /// Syncs a file.
    Sync,
    /// Changes a length.
    SetLen,
    /// Reserves room.
    Allocate,
    /// Removes a name.
    Remove,
    /// Renames a file.
    Rename,
    /// Lists a directory.
    List,
    /// Syncs a directory.
    SyncDirectory,
    /// Takes the database lock.
    Lock,
}

/// A way for an operation to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A read, an open or a listing fails with an [`Io`](crate::ErrorKind::Io) error.
    ReadError,
    /// A write, or a change of length or name, fails with an [`Io`](crate::ErrorKind::Io) error.
    /// A part of the bytes, from the start, may have been written.
    WriteError,
    /// A sync fails. Any part of what was written since the last one may be durable and the rest
    /// is never going to be, although a second sync "succeeds". Reads give either the lost bytes
    /// until a crash or the old ones at once.
    SyncError,
    /// A write, creation or reservation fails with [`Full`](crate::ErrorKind::Full), after
    /// a part of the bytes, from the start, may have been written.
    NoSpace,
    /// A read ends early, as if the file did.
    ShortRead,
    /// One bit in the range of a read has changed on the medium, and stays so.
    BitRot,
    /// One granule of a read comes as it was before it was last written, or as zeros.
    StaleRead,
    /// A write is acknowledged and never happens, apart from the file's length.
    LostWrite,
    /// A write is acknowledged and lands on other granules of the same file.
    MisdirectedWrite,
    /// The power goes during the operation, which may have happened or not.
    Crash,
}

impl Fault {
    /// Every fault, for tests that try each.
    pub const ALL: [Self; 10] = [
        Self::ReadError,
        Self::WriteError,
        Self::SyncError,
        Self::NoSpace,
        Self::ShortRead,
        Self::BitRot,
        Self::StaleRead,
        Self::LostWrite,
        Self::MisdirectedWrite,
        Self::Crash,
    ];

    /// Whether the fault can befall such an operation.
    pub fn befalls(self, kind: OperationKind) -> bool {
        use OperationKind as Kind;
        match self {
            Self::ReadError => matches!(kind, Kind::Read | Kind::Open | Kind::List),
            Self::WriteError => matches!(
                kind,
                Kind::Write
                    | Kind::SetLen
                    | Kind::Allocate
                    | Kind::Create
                    | Kind::Remove
                    | Kind::Rename
            ),
            Self::SyncError => matches!(kind, Kind::Sync | Kind::SyncDirectory),
            Self::NoSpace => matches!(kind, Kind::Write | Kind::Allocate | Kind::Create),
            Self::ShortRead | Self::BitRot | Self::StaleRead => kind == Kind::Read,
            Self::LostWrite | Self::MisdirectedWrite => kind == Kind::Write,
            Self::Crash => true,
        }
    }

    /// Whether the operation reports the fault; the others lie to the caller.
    pub fn is_reported(self) -> bool {
        matches!(
            self,
            Self::ReadError | Self::WriteError | Self::SyncError | Self::NoSpace | Self::Crash
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadError => "read error",
            Self::WriteError => "write error",
            Self::SyncError => "sync error",
            Self::NoSpace => "no space",
            Self::ShortRead => "short read",
            Self::BitRot => "bit rot",
            Self::StaleRead => "stale read",
            Self::LostWrite => "lost write",
            Self::MisdirectedWrite => "misdirected write",
            Self::Crash => "crash",
        })
    }
}

/// Faults by chance: how many of a million operations that a fault can befall have it.
#[derive(Clone, Debug, Default)]
pub struct FaultRates {
    rates: Vec<(Fault, u32)>,
}

impl FaultRates {
    /// No fault happens by chance.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same rate for each of `faults`.
    pub fn each(faults: &[Fault], per_million: u32) -> Self {
        faults.iter().fold(Self::none(), |rates, fault| rates.with(*fault, per_million))
    }

    /// Sets the rate of one fault.
    #[must_use]
    pub fn with(mut self, fault: Fault, per_million: u32) -> Self {
        self.rates.retain(|(other, _)| *other != fault);
        self.rates.push((fault, per_million));
        self
    }
}

/// The faults that are to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    planned: Vec<(u64, Fault)>,
    rates: FaultRates,
}

impl Faults {
    pub(super) fn plan(&mut self, operation: u64, fault: Fault) {
        self.planned.push((operation, fault));
    }

    pub(super) fn set_rates(&mut self, rates: FaultRates) {
        self.rates = rates;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The planned faults that have not struck.
    pub(super) fn outstanding(&self) -> usize {
        self.planned.len()
    }

    /// The fault of an operation, if any; a planned one goes before chance, and strikes once.
    pub(super) fn decide(
        &mut self,
        number: u64,
        kind: OperationKind,
        rng: &mut Rng,
    ) -> Option<Fault> {
        let due = |(from, fault): &(u64, Fault)| *from <= number && fault.befalls(kind);
        if let Some(index) = self.planned.iter().position(due) {
            return Some(self.planned.remove(index).1);
        }
        let possible = self.rates.rates.iter().filter(|(fault, _)| fault.befalls(kind));
        for (fault, per_million) in possible {
            if rng.u32(..1_000_000) < *per_million {
                return Some(*fault);
            }
        }
        None
    }
}
