//! The state of a simulated machine and the steps that all its operations share.
//!
//! An operation begins (counted, recorded, its fault decided), is refused or takes effect, and
//! ends, where the power may go. Neighbours: `mod` and `file` (the operations), `disk`.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;

use super::disk::{self, Change, Disk, NodeId};
use super::fault::{Fault, Faults, OperationKind};
use super::trace::{Operation, Trace};
use super::{Survival, crash};
use crate::error::{Error, ErrorKind, Result};
use crate::vfs::lock::HeldLocks;
use crate::vfs::plain;

/// How long an operation takes.
const OPERATION_TIME: Duration = Duration::from_micros(10);

/// The state of the machine.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) disk: Disk,
    pub(super) faults: Faults,
    pub(super) locks: HeldLocks,
    pub(super) trace: Trace,
    pub(super) operations: u64,
    pub(super) now: Duration,
    pub(super) on: bool,
    /// Counts crashes and killed processes; handles of older ones are dead.
    pub(super) process: u64,
    pub(super) fault_rng: Rng,
    pub(super) crash_rng: Rng,
    pub(super) program_rng: Rng,
}

impl World {
    /// A running machine with an empty disk.
    pub(super) fn new(seed: u64) -> Self {
        let mut world = Self {
            disk: Disk::default(),
            faults: Faults::default(),
            locks: HeldLocks::default(),
            trace: Trace::default(),
            operations: 0,
            now: Duration::ZERO,
            on: true,
            process: 0,
            fault_rng: Rng::with_seed(0),
            crash_rng: Rng::with_seed(0),
            program_rng: Rng::with_seed(0),
        };
        world.seed(seed);
        world
    }

    pub(super) fn seed(&mut self, seed: u64) {
        let mut seeds = Rng::with_seed(seed);
        self.fault_rng = seeds.fork();
        self.crash_rng = seeds.fork();
        self.program_rng = seeds.fork();
    }

    pub(super) fn find(&self, path: &Path) -> Option<NodeId> {
        self.disk.names.get(plain(path)).copied()
    }

    pub(super) fn node(&mut self, node: NodeId, path: &Path) -> Result<&mut disk::Node> {
        let node = self.disk.nodes.get_mut(&node);
        node.ok_or_else(|| Error::new(ErrorKind::Io, "the file's contents are gone").in_file(path))
    }

    pub(super) fn check_power(&self, path: &Path) -> Result<()> {
        if self.on { Ok(()) } else { Err(machine_is_off(path)) }
    }

    /// Counts and records an operation and decides what befalls it.
    pub(super) fn begin(
        &mut self,
        kind: OperationKind,
        path: &Path,
        offset: u64,
        len: usize,
    ) -> Result<Option<Fault>> {
        self.check_power(path)?;
        self.operations += 1;
        self.now += OPERATION_TIME;
        let number = self.operations;
        let fault = self.faults.decide(number, kind, &mut self.fault_rng);
        self.trace.push(Operation { number, kind, path: path.into(), offset, len, fault });
        Ok(fault)
    }

    /// Fails an operation that the fault keeps from having any effect.
    pub(super) fn refuse(fault: Option<Fault>, path: &Path) -> Result<()> {
        match fault {
            Some(fault) if fault.is_reported() && fault != Fault::Crash => {
                Err(injected(fault, path))
            }
            _ => Ok(()),
        }
    }

    /// Cuts the power, if that is what befell the operation, after it had its effect.
    pub(super) fn end(&mut self, fault: Option<Fault>, path: &Path) -> Result<()> {
        if fault != Some(Fault::Crash) {
            return Ok(());
        }
        let survival = Survival::choose(&mut self.crash_rng);
        self.crash(survival);
        Err(machine_is_off(path))
    }

    pub(super) fn change(&mut self, node: NodeId, path: &Path, change: Change) -> Result<()> {
        let changed = self.node(node, path)?.change(change);
        changed.map_err(|cause| no_memory(path).caused_by(cause))
    }

    /// Makes those changes durable that `survives` chooses, and forgets the others.
    pub(super) fn sync_node(
        &mut self,
        node: NodeId,
        path: &Path,
        mut survives: impl FnMut(&mut Rng) -> bool,
    ) -> Result<()> {
        let Self { disk, fault_rng, .. } = self;
        let Some(node) = disk.nodes.get_mut(&node) else { return Ok(()) };
        let synced = node.sync(|| survives(fault_rng));
        synced.map_err(|cause| no_memory(path).caused_by(cause))
    }

    pub(super) fn crash(&mut self, survival: Survival) {
        if !self.on {
            return;
        }
        // Out of memory here means that the simulation is, and an older disk is a fair outcome.
        _ = crash::strike(&mut self.disk, survival, &mut self.crash_rng);
        self.end_process();
        self.on = false;
    }

    /// Ends the program: its locks are gone, and its handles belong to nobody from now on.
    pub(super) fn end_process(&mut self) {
        self.locks.clear();
        self.disk.close_all();
        self.process += 1;
    }
}

#[cold]
pub(super) fn machine_is_off(path: &Path) -> Error {
    let message = "the simulated machine is off; restart() gives back the surviving disk";
    Error::new(ErrorKind::Io, message).in_file(path)
}

#[cold]
pub(super) fn no_memory(path: &Path) -> Error {
    Error::new(ErrorKind::Full, "no memory is left for the simulated disk").in_file(path)
}

#[cold]
pub(super) fn injected(fault: Fault, path: &Path) -> Error {
    let kind = if fault == Fault::NoSpace { ErrorKind::Full } else { ErrorKind::Io };
    Error::new(kind, format!("simulated {fault}")).in_file(path)
}
