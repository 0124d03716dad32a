//! A handle on a simulated file, and how faults befall what is done through it.
//!
//! Neighbours: `mod` (the machine), `disk` (the contents), `fault` (what can go wrong).

use std::fmt;
use std::path::Path;

use super::disk::{Change, GRANULE, Node, NodeId};
use super::world::{World, injected, no_memory};
use super::{Fault, OperationKind};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Arc, Mutex};
use crate::vfs::{File, end_of, memory};

/// An open file of a simulated machine.
pub(super) struct SimFile {
    world: Arc<Mutex<World>>,
    node: NodeId,
    process: u64,
    path: Arc<Path>,
    writable: bool,
}

impl SimFile {
    pub(super) fn new(
        world: Arc<Mutex<World>>,
        node: NodeId,
        process: u64,
        path: &Path,
        writable: bool,
    ) -> Self {
        Self { world, node, process, path: path.into(), writable }
    }

    fn check_alive(&self, world: &World) -> Result<()> {
        world.check_power(&self.path)?;
        if world.process == self.process {
            return Ok(());
        }
        let message = "this handle belongs to a process that ended; open the file again";
        Err(Error::new(ErrorKind::Io, message).in_file(&self.path))
    }

    fn check_writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Err(memory::read_only(&self.path)) }
    }

    fn begin(
        &self,
        world: &mut World,
        kind: OperationKind,
        offset: u64,
        len: usize,
    ) -> Result<Option<Fault>> {
        self.check_alive(world)?;
        world.begin(kind, &self.path, offset, len)
    }

    /// Writes the first granules of `bytes`, as many as chance wants, before an error.
    fn write_part(&self, world: &mut World, offset: u64, bytes: &[u8], limit: u64) -> Result<()> {
        let whole = world.fault_rng.u64(..=bytes.len() as u64 / GRANULE) * GRANULE;
        let part = &bytes[..whole.min(limit) as usize];
        if part.is_empty() {
            return Ok(());
        }
        world.change(self.node, &self.path, Change::Write { offset, bytes: part.to_vec() })
    }

    /// Extends the file to `end` without writing.
    fn grow(&self, world: &mut World, end: u64) -> Result<()> {
        if world.node(self.node, &self.path)?.current.len() < end {
            world.change(self.node, &self.path, Change::SetLen(end))?;
        }
        Ok(())
    }

    /// A place for a misdirected write: other granules within the file, if it has others.
    fn astray(&self, world: &mut World, offset: u64, len: u64) -> Result<u64> {
        let file = world.node(self.node, &self.path)?.current.len();
        let within = offset % GRANULE;
        // Where the write can begin, counted in granules and without the right one.
        let places = file.saturating_sub(len + within) / GRANULE;
        if places == 0 {
            return Ok(offset);
        }
        let place = world.fault_rng.u64(..places);
        let right = offset / GRANULE;
        Ok((place + u64::from(place >= right)) * GRANULE + within)
    }

    fn write(
        &self,
        world: &mut World,
        fault: Option<Fault>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let end = offset + bytes.len() as u64;
        let len = world.node(self.node, &self.path)?.current.len();
        let room = world.disk.room_for(len);
        if end > room.max(len) && !bytes.is_empty() {
            self.write_part(world, offset, bytes, room.max(len).saturating_sub(offset))?;
            return Err(injected(Fault::NoSpace, &self.path).at_offset(offset));
        }
        let mut target = offset;
        match fault {
            Some(fault @ (Fault::WriteError | Fault::NoSpace)) => {
                self.write_part(world, offset, bytes, u64::MAX)?;
                return Err(injected(fault, &self.path).at_offset(offset));
            }
            Some(Fault::LostWrite) => return self.grow(world, end),
            Some(Fault::MisdirectedWrite) => {
                self.grow(world, end)?;
                target = self.astray(world, offset, bytes.len() as u64)?;
            }
            _ => {}
        }
        if bytes.is_empty() {
            return Ok(());
        }
        world.change(self.node, &self.path, Change::Write { offset: target, bytes: bytes.to_vec() })
    }

    fn resize(&self, kind: OperationKind, len: u64) -> Result<()> {
        self.check_writable()?;
        end_of(len, 0, &self.path)?;
        let mut world = self.world.lock();
        let world = &mut *world;
        let fault = self.begin(world, kind, len, 0)?;
        World::refuse(fault, &self.path)?;
        let current = world.node(self.node, &self.path)?.current.len();
        if len > current {
            if len > world.disk.room_for(current) {
                return Err(injected(Fault::NoSpace, &self.path));
            }
            world.change(self.node, &self.path, Change::SetLen(len))?;
        } else if len < current && kind == OperationKind::SetLen {
            world.change(self.node, &self.path, Change::SetLen(len))?;
        }
        world.end(fault, &self.path)
    }
}

impl File for SimFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut world = self.world.lock();
        let world = &mut *world;
        let fault = self.begin(world, OperationKind::Read, offset, buffer.len())?;
        World::refuse(fault, &self.path).map_err(|error| error.at_offset(offset))?;
        world.end(fault, &self.path)?;
        let choice = world.fault_rng.u64(..);
        let node = world.node(self.node, &self.path)?;
        let read = node.current.read(offset, buffer);
        if read == 0 {
            return Ok(0);
        }
        match fault {
            Some(Fault::ShortRead) => Ok((choice % read as u64) as usize),
            Some(Fault::BitRot) => {
                let (index, bit) = ((choice % read as u64) as usize, choice >> 61);
                buffer[index] ^= 1 << bit;
                let damaged = node.damage(offset + index as u64, &buffer[index..=index]);
                damaged.map_err(|cause| no_memory(&self.path).caused_by(cause))?;
                Ok(read)
            }
            Some(Fault::StaleRead) => {
                make_stale(node, offset, &mut buffer[..read], choice);
                Ok(read)
            }
            _ => Ok(read),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        end_of(offset, bytes.len(), &self.path)?;
        let mut world = self.world.lock();
        let fault = self.begin(&mut world, OperationKind::Write, offset, bytes.len())?;
        let written = self.write(&mut world, fault, offset, bytes);
        world.end(fault, &self.path)?;
        written
    }

    fn sync(&self) -> Result<()> {
        let mut world = self.world.lock();
        let world = &mut *world;
        let fault = self.begin(world, OperationKind::Sync, 0, 0)?;
        // A crash in the middle treats the changes as any crash does.
        world.end(fault, &self.path)?;
        if fault != Some(Fault::SyncError) {
            return world.sync_node(self.node, &self.path, |_| true);
        }
        let odds = [0.0, 0.5, 0.9][world.fault_rng.usize(..3)];
        world.sync_node(self.node, &self.path, |rng| rng.f64() < odds)?;
        // Some systems keep the lost pages in memory and call them clean, others drop them.
        if world.fault_rng.bool() {
            let node = world.node(self.node, &self.path)?;
            node.current = node.durable.clone();
        }
        Err(injected(Fault::SyncError, &self.path))
    }

    fn len(&self) -> Result<u64> {
        let mut world = self.world.lock();
        self.check_alive(&world)?;
        Ok(world.node(self.node, &self.path)?.current.len())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.resize(OperationKind::SetLen, len)
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.resize(OperationKind::Allocate, len)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// Puts an older state of one granule into what was read.
fn make_stale(node: &Node, offset: u64, buffer: &mut [u8], choice: u64) {
    let len = buffer.len() as u64;
    let zeros = [0; GRANULE as usize];
    let (granule, old) = node.stale(offset, len, choice).unwrap_or_else(|| {
        let at = offset + choice % len;
        (at - at % GRANULE, &zeros)
    });
    let (start, end) = (granule.max(offset), (granule + GRANULE).min(offset + len));
    let source = &old[(start - granule) as usize..(end - granule) as usize];
    buffer[(start - offset) as usize..(end - offset) as usize].copy_from_slice(source);
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut world = self.world.lock();
        if world.process == self.process {
            world.disk.handle_closed(self.node);
        }
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFile").field("path", &self.path).finish_non_exhaustive()
    }
}
