//! What a crash leaves of the changes since the last sync.
//!
//! A disk promises nothing about them: caches of the system, the controller and the drive write
//! back in an order of their own, in units of a granule. So each write may be there, missing or
//! torn, older over newer; the length may have survived without the bytes. Chance alone hardly
//! ever gives the extremes, where other mistakes live, so a crash first chooses its manner.
//! Neighbours: `disk` (the changes), `mod` (which asks when the power goes).

use std::collections::TryReserveError;

use fastrand::Rng;

use super::disk::{Change, Disk, Node, granules};

/// The manner in which a crash treats what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// All of it is lost.
    Nothing,
    /// All of it is there.
    Everything,
    /// Of each file, the changes up to some point are there, the last one perhaps torn.
    Prefix,
    /// Each change is there, missing or torn on its own, in any order.
    Mixed,
}

impl Survival {
    pub(super) fn choose(rng: &mut Rng) -> Self {
        match rng.u8(..8) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2 | 3 => Self::Prefix,
            _ => Self::Mixed,
        }
    }
}

/// Leaves of `disk` what survives.
pub(super) fn strike(
    disk: &mut Disk,
    survival: Survival,
    rng: &mut Rng,
) -> Result<(), TryReserveError> {
    let odds = [0.1, 0.5, 0.9][rng.usize(..3)];
    for node in disk.nodes.values_mut() {
        strike_node(node, survival, odds, rng)?;
        node.current = node.durable.clone();
    }
    let changes = std::mem::take(&mut disk.pending_names);
    let prefix = rng.usize(..=changes.len());
    for (index, change) in changes.iter().enumerate() {
        let survives = match survival {
            Survival::Nothing => false,
            Survival::Everything => true,
            Survival::Prefix => index < prefix,
            Survival::Mixed => rng.f64() < odds,
        };
        if survives {
            change.apply(&mut disk.durable_names);
        }
    }
    disk.names.clone_from(&disk.durable_names);
    Ok(())
}

fn strike_node(
    node: &mut Node,
    survival: Survival,
    odds: f64,
    rng: &mut Rng,
) -> Result<(), TryReserveError> {
    let changes = std::mem::take(&mut node.pending);
    let durable = &mut node.durable;
    match survival {
        Survival::Nothing => {}
        Survival::Everything => {
            for change in &changes {
                change.apply(durable)?;
            }
        }
        Survival::Prefix => {
            let whole = rng.usize(..=changes.len());
            for change in &changes[..whole] {
                change.apply(durable)?;
            }
            if let Some(Change::Write { offset, bytes }) = changes.get(whole) {
                let parts = granules(*offset, bytes.len() as u64).count();
                let mut left = rng.usize(..=parts);
                tear(durable, *offset, bytes, || {
                    left = left.saturating_sub(1);
                    left > 0
                })?;
            }
        }
        Survival::Mixed => {
            let longest = changes.iter().map(Change::end).max().unwrap_or(0);
            let mut order: Vec<&Change> = changes.iter().collect();
            if rng.bool() {
                rng.shuffle(&mut order);
            }
            for change in order {
                match change {
                    Change::Write { offset, bytes } if rng.u8(..4) == 0 => {
                        tear(durable, *offset, bytes, || rng.bool())?;
                    }
                    _ if rng.f64() < odds => change.apply(durable)?,
                    _ => {}
                }
            }
            // The length is written by the file system, at a time of its own.
            if durable.len() < longest && rng.bool() {
                durable.set_len(longest);
            }
        }
    }
    Ok(())
}

/// Writes those granules of a write that `survives` chooses.
fn tear(
    durable: &mut super::super::buffer::Buffer,
    offset: u64,
    bytes: &[u8],
    mut survives: impl FnMut() -> bool,
) -> Result<(), TryReserveError> {
    for (start, len) in granules(offset, bytes.len() as u64) {
        if survives() {
            let from = (start - offset) as usize;
            durable.write(start, &bytes[from..from + len as usize])?;
        }
    }
    Ok(())
}
