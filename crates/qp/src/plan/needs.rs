//! Which columns a query block reads: what an index must have to stand for its table.
//!
//! Neighbours: `select` gathers what is read above the joins, `group` what joins read.

use super::Node;
use crate::bind::{Group, Relation};
use crate::scalar::{ROWID, Scalar, SlotId};

/// Columns that are read, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs(Vec<(SlotId, u16)>);

impl Needs {
    /// Adds what a scalar reads.
    pub(crate) fn add(&mut self, scalar: &Scalar) {
        scalar.columns(&mut |place| {
            if place.depth == 0 && !self.0.contains(&(place.slot, place.column)) {
                self.0.push((place.slot, place.column));
            }
        });
    }

    /// The columns that are read of a slot, without its rowid.
    pub(crate) fn of(&self, slot: SlotId) -> impl Iterator<Item = u16> + '_ {
        self.0
            .iter()
            .filter(move |(known, column)| *known == slot && *column != ROWID)
            .map(|(_, column)| *column)
    }

    /// Tells the table-valued functions of a group which of their columns are read.
    pub(super) fn tell_functions(&self, group: &mut Group) {
        for relation in &mut group.relations {
            if let Relation::Rows(rows) = relation
                && let Node::Function(scan) = &mut rows.node
            {
                let bits = self.of(scan.slot).map(|column| 1u64.checked_shl(column.into()));
                // A column beyond the bits is computed whatever they say.
                scan.reads = bits.map(Option::unwrap_or_default).fold(0, |all, bit| all | bit);
            }
        }
    }

    /// Adds what the joins of a group read.
    pub(crate) fn add_group(&mut self, group: &Group) {
        group.predicates.iter().for_each(|predicate| self.add(predicate));
        for relation in &group.relations {
            match relation {
                Relation::Outer(outer) => {
                    outer.on.iter().for_each(|term| self.add(term));
                    self.add_group(&outer.left);
                    self.add_group(&outer.right);
                }
                Relation::Rows(rows) => match &rows.node {
                    Node::Function(scan) => scan.arguments.iter().for_each(|part| self.add(part)),
                    Node::Pragma(scan) => scan.arguments.iter().for_each(|part| self.add(part)),
                    _ => {}
                },
                Relation::Table(_) => {}
            }
        }
        for semi in &group.semis {
            self.add_group(&semi.group);
        }
    }
}
