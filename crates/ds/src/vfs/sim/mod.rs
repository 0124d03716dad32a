//! A whole machine in memory: a disk that crashes and lies on demand, a clock, randomness.
//!
//! Everything that happens is decided by the seed and the order of operations, so that a failing
//! run is repeated by its seed. The rules are the harshest that real systems follow:
//!
//! * What was written is read back at once, but only a sync of its file makes it durable. At a
//!   [`crash`](SimVfs::crash) each change since then may be there, missing or torn at
//!   [`GRANULE`]s, in any order; see [`Survival`].
//! * A file that was created, renamed or removed may be as before after a crash, until its
//!   directory was synced. Syncing the file is not enough.
//! * [`Fault`]s happen by plan or by chance; some are reported, some are lies.
//! * From a crash on every operation fails until [`restart`](SimVfs::restart), and handles and
//!   locks from before never work again.
//!
//! Three streams of randomness (faults, crashes, what programs ask for) are independent, so that
//! asking for one more random byte does not change which operation fails. Threads may share a
//! simulation; it then is as deterministic as their schedule.
//!
//! ```
//! use std::path::Path;
//! use pandodb_ds::vfs::{Fault, OpenMode, SimVfs, Vfs};
//!
//! let disk = SimVfs::new(42);
//! let path = Path::new("database");
//! let file = disk.open(path, OpenMode::Create)?;
//! file.write_at(0, b"promised")?;
//! file.sync()?;
//! disk.sync_directory(Path::new(""))?;
//! file.write_at(0, b"whatever")?;
//! disk.crash();
//! assert!(file.len().is_err(), "the machine is off");
//!
//! disk.restart();
//! let file = disk.open(path, OpenMode::Write)?;
//! let mut bytes = [0; 8];
//! file.read_exact_at(0, &mut bytes)?;
//! assert!(&bytes == b"promised" || &bytes == b"whatever");
//!
//! disk.inject_next(Fault::SyncError);
//! file.write_at(100, b"more")?; // The fault waits for an operation that it can befall.
//! assert!(file.sync().is_err());
//! assert!(file.sync().is_ok(), "but nobody may rely on it");
//! # Ok::<(), pandodb_ds::Error>(())
//! ```
//!
//! To crash at every operation of a scenario: run it once and read
//! [`operations`](SimVfs::operations), then run it on fresh disks with
//! [`crash_at`](SimVfs::crash_at) for each number up to there; [`copy`](SimVfs::copy) tries several
//! outcomes of one crash. Neighbours: `disk` (what is durable), `crash` (what survives), `fault`
//! (what goes wrong), `file` (handles), `trace` (what happened), `world` (the state).

mod crash;
mod disk;
mod fault;
mod file;
mod trace;
mod world;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::disk::{Change, NameChange};
use self::world::{World, injected, no_memory};
use super::memory::{already_there, missing};
use super::{Clock, DatabaseLock, File, OpenMode, Vfs, plain};
use crate::error::Result;
use crate::sync::{Arc, Mutex};

pub use self::crash::Survival;
pub use self::disk::GRANULE;
pub use self::fault::{Fault, FaultRates, OperationKind};
pub use self::trace::Operation;

/// What the wall clock shows when a simulation starts, in microseconds since 1970.
const START_MICROS: i64 = 1_700_000_000_000_000;

/// A simulated machine; clones share it. See the [module](self) for its rules.
#[derive(Clone)]
pub struct SimVfs {
    world: Arc<Mutex<World>>,
    seed: u64,
}

impl SimVfs {
    /// A running machine with an empty disk whose every chance is decided by `seed`.
    pub fn new(seed: u64) -> Self {
        let world = World::new(seed);
        Self { world: Arc::new(Mutex::new(world)), seed }
    }

    /// The seed that the machine was made with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A second machine in the same state, whose chances from now on are decided by `seed`. Open
    /// handles and locks stay with the first.
    #[must_use]
    pub fn copy(&self, seed: u64) -> Self {
        let mut world = self.world.lock().clone();
        world.seed(seed);
        world.end_process();
        Self { world: Arc::new(Mutex::new(world)), seed }
    }

    /// Cuts the power; what was not synced survives in a manner that the seed chooses.
    pub fn crash(&self) {
        let mut world = self.world.lock();
        let survival = Survival::choose(&mut world.crash_rng);
        world.crash(survival);
    }

    /// Cuts the power; what was not synced survives in the manner of `survival`.
    pub fn crash_with(&self, survival: Survival) {
        self.world.lock().crash(survival);
    }

    /// Turns the machine on again (after a crash, if it was running) with the surviving disk.
    /// Planned faults that have not struck yet, and rates, go on: see
    /// [`clear_faults`](Self::clear_faults).
    pub fn restart(&self) {
        if self.is_on() {
            self.crash();
        }
        self.world.lock().on = true;
    }

    /// Ends the program but not the machine: handles and locks are gone, every write is kept.
    pub fn kill_process(&self) {
        self.world.lock().end_process();
    }

    /// Whether the machine runs.
    pub fn is_on(&self) -> bool {
        self.world.lock().on
    }

    /// Plans a fault for the first operation from number `operation` on that it can befall. The
    /// first operation of a machine has number 1.
    pub fn inject(&self, operation: u64, fault: Fault) {
        self.world.lock().faults.plan(operation, fault);
    }

    /// Plans a fault for the next operation that it can befall.
    pub fn inject_next(&self, fault: Fault) {
        self.inject(0, fault);
    }

    /// Has the power go during operation `operation`.
    pub fn crash_at(&self, operation: u64) {
        self.inject(operation, Fault::Crash);
    }

    /// Has faults happen by chance from now on.
    pub fn set_fault_rates(&self, rates: FaultRates) {
        self.world.lock().faults.set_rates(rates);
    }

    /// Forgets all faults that are planned or happen by chance.
    pub fn clear_faults(&self) {
        self.world.lock().faults.clear();
    }

    /// How many planned faults have not struck.
    pub fn outstanding_faults(&self) -> usize {
        self.world.lock().faults.outstanding()
    }

    /// Limits the sum of the lengths of all files; growing beyond it is
    /// [`Full`](crate::ErrorKind::Full). A limit below what is used only stops growth.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.world.lock().disk.capacity = bytes;
    }

    /// The sum of the lengths of all files, with those that only an open handle still reaches.
    pub fn used(&self) -> u64 {
        self.world.lock().disk.used()
    }

    /// How many operations there were. Looking (`len`, `exists`), the clock and randomness do not
    /// count.
    pub fn operations(&self) -> u64 {
        self.world.lock().operations
    }

    /// The last operations, oldest first.
    pub fn trace(&self) -> Vec<Operation> {
        self.world.lock().trace.to_vec()
    }

    /// What a program would read of the whole file, without being an operation.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let world = self.world.lock();
        let node = world.disk.nodes.get(world.disk.names.get(plain(path))?)?;
        Some(whole(&node.current))
    }

    /// What would be left of the file if all that was not synced were lost.
    pub fn durable_contents(&self, path: &Path) -> Option<Vec<u8>> {
        let world = self.world.lock();
        let node = world.disk.nodes.get(world.disk.durable_names.get(plain(path))?)?;
        Some(whole(&node.durable))
    }

    /// Puts a durable file with `contents` at `path`, replacing one that is there.
    pub fn install(&self, path: &Path, contents: &[u8]) -> Result<()> {
        let mut world = self.world.lock();
        let node = world.disk.install(plain(path));
        world.change(node, path, Change::Write { offset: 0, bytes: contents.to_vec() })?;
        world.sync_node(node, path, |_| true)
    }

    /// Overwrites bytes on the medium behind the program's back; the file does not grow.
    pub fn damage(&self, path: &Path, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut world = self.world.lock();
        let node = world.find(path).ok_or_else(|| missing("damage", path))?;
        let node = world.node(node, path)?;
        node.damage(offset, bytes).map_err(|cause| no_memory(path).caused_by(cause))
    }
}

impl fmt::Debug for SimVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimVfs").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl Vfs for SimVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        let mut world = self.world.lock();
        let found = world.find(path);
        let creates = matches!(mode, OpenMode::Create | OpenMode::CreateNew) && found.is_none();
        let kind = if creates { OperationKind::Create } else { OperationKind::Open };
        let fault = world.begin(kind, path, 0, 0)?;
        World::refuse(fault, path)?;
        let node = match found {
            Some(_) if mode == OpenMode::CreateNew => Err(already_there(path)),
            Some(node) => Ok(node),
            None if creates => Ok(world.disk.create(plain(path))),
            None => Err(missing("open", path)),
        };
        world.end(fault, path)?;
        let node = node?;
        world.disk.handle_opened(node);
        let process = world.process;
        drop(world);
        let writable = mode != OpenMode::Read;
        let world = Arc::clone(&self.world);
        Ok(Arc::new(file::SimFile::new(world, node, process, path, writable)))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DatabaseLock>> {
        let mut world = self.world.lock();
        let fault = world.begin(OperationKind::Lock, path, 0, 0)?;
        world.end(fault, path)?;
        let path = plain(path).to_path_buf();
        let token = world.locks.take(&path)?;
        Ok(Box::new(SimLock { world: Arc::clone(&self.world), path, token }))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let mut world = self.world.lock();
        let fault = world.begin(OperationKind::Remove, path, 0, 0)?;
        World::refuse(fault, path)?;
        let node = world.find(path);
        if let Some(node) = node {
            let path = plain(path).to_path_buf();
            world.disk.change_names(NameChange::Remove { path, node });
        }
        world.end(fault, path)?;
        node.map(drop).ok_or_else(|| missing("remove", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut world = self.world.lock();
        let fault = world.begin(OperationKind::Rename, from, 0, 0)?;
        World::refuse(fault, from)?;
        let node = world.find(from);
        if let Some(node) = node {
            let (from, to) = (plain(from).to_path_buf(), plain(to).to_path_buf());
            world.disk.change_names(NameChange::Rename { from, to, node });
        }
        world.end(fault, from)?;
        node.map(drop).ok_or_else(|| missing("rename", from))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        let world = self.world.lock();
        world.check_power(path)?;
        Ok(world.find(path).is_some())
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let mut world = self.world.lock();
        let fault = world.begin(OperationKind::List, directory, 0, 0)?;
        World::refuse(fault, directory)?;
        world.end(fault, directory)?;
        Ok(super::list_names(world.disk.names.keys(), directory))
    }

    fn sync_directory(&self, directory: &Path) -> Result<()> {
        let mut world = self.world.lock();
        let fault = world.begin(OperationKind::SyncDirectory, directory, 0, 0)?;
        // A crash in the middle treats the changes as any crash does.
        world.end(fault, directory)?;
        let World { disk, fault_rng, .. } = &mut *world;
        if fault == Some(Fault::SyncError) {
            disk.sync_names(plain(directory), || fault_rng.bool());
            return Err(injected(Fault::SyncError, directory));
        }
        disk.sync_names(plain(directory), || true);
        Ok(())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SimClock { world: Arc::clone(&self.world) })
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.lock().program_rng.fill(bytes);
    }
}

fn whole(buffer: &super::buffer::Buffer) -> Vec<u8> {
    let mut bytes = vec![0; buffer.len() as usize];
    buffer.read(0, &mut bytes);
    bytes
}

#[derive(Debug)]
struct SimLock {
    world: Arc<Mutex<World>>,
    path: PathBuf,
    token: u64,
}

impl DatabaseLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.world.lock().locks.release(&self.path, self.token);
    }
}

struct SimClock {
    world: Arc<Mutex<World>>,
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimClock").finish_non_exhaustive()
    }
}

impl Clock for SimClock {
    fn now_micros(&self) -> i64 {
        START_MICROS.saturating_add_unsigned(self.monotonic().as_micros() as u64)
    }

    fn monotonic(&self) -> Duration {
        self.world.lock().now
    }

    fn sleep(&self, duration: Duration) {
        let mut world = self.world.lock();
        world.now = world.now.saturating_add(duration);
    }
}
