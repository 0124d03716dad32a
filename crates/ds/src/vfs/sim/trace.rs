//! The last operations of a simulated disk, for people who look at a failing seed.
//!
//! Bounded, since a simulation runs for hours. Neighbours: `mod` records, `fault` names.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;

use super::fault::{Fault, OperationKind};
use crate::sync::Arc;

/// How many operations are remembered.
const LIMIT: usize = 4096;

/// One operation, as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number, from 1.
    pub number: u64,
    /// What was asked for.
    pub kind: OperationKind,
    /// The file or directory.
    pub path: Arc<Path>,
    /// The offset of a read or write, the length to set or reserve.
    pub offset: u64,
    /// The bytes of a read or write.
    pub len: usize,
    /// What went wrong.
    pub fault: Option<Fault>,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {:?} {}", self.number, self.kind, self.path.display())?;
        match self.kind {
            OperationKind::Read | OperationKind::Write => {
                write!(f, " {}+{}", self.offset, self.len)?;
            }
            OperationKind::SetLen | OperationKind::Allocate => write!(f, " {}", self.offset)?,
            _ => {}
        }
        self.fault.map_or(Ok(()), |fault| write!(f, " [{fault}]"))
    }
}

/// A bounded record of operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(VecDeque<Operation>);

impl Trace {
    pub(super) fn push(&mut self, operation: Operation) {
        if self.0.len() == LIMIT {
            self.0.pop_front();
        }
        self.0.push_back(operation);
    }

    pub(super) fn to_vec(&self) -> Vec<Operation> {
        self.0.iter().cloned().collect()
    }
}
