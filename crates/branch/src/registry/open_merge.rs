//! Merges that stay open: their conflicts are rows until they are resolved or given up.
//!
//! Nothing of the merge is on the target while it is open. Kept are the source's moment (an
//! anchor), the options, the conflicts and what was said about them; to complete the merge is to
//! run it again with that. If the target went on meanwhile, new conflicts may show, and are
//! added. Neighbours: `merging` plans, `resolutions` encodes.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::record::Value;
use pandodb_tm::{BeginOptions, HeadId, Transaction};

use super::merging::MergePlan;
use super::records::{Branch, Kind, OpenMerge, OpenPick, decode, key, number_key};
use super::resolutions::{
    decode_conflict, decode_resolutions, encode_conflict, encode_resolutions,
};
use super::{Branches, RECORDS, View, read_rows};
use crate::error::{Error, ErrorKind, Result};
use crate::merge::schema::settings::setting;
use crate::merge::{Conflict, ConflictKey, Pick, Resolutions, RuleScope, SchemaPart, Scope};

/// A conflict of an open merge.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenConflict {
    /// The merge.
    pub merge: u64,
    /// Its number within the merge, from 1.
    pub number: u64,
    /// The conflict.
    pub conflict: Conflict,
    /// What was said about it, a pick for it or a rule that it falls under, if that resolves it.
    pub resolution: Option<Pick>,
}

/// Where the greatest number that was given stands among the conflicts of a merge.
const LAST_NUMBER: u64 = 0;

fn conflict_key(merge: u64, number: u64) -> Vec<u8> {
    let mut rest = merge.to_be_bytes().to_vec();
    rest.extend_from_slice(&number.to_be_bytes());
    key(Kind::Conflict, &rest)
}

impl Branches {
    pub(super) fn check_no_open_merge(&self, target: &Branch) -> Result<()> {
        let open = self.with(|state| state.merges.values().any(|it| it.target == target.id))?;
        if !open {
            return Ok(());
        }
        let message = format!("a merge into the branch '{}' is open", target.name);
        let error = Error::new(ErrorKind::MergeOpen, message);
        Err(error.with_hint("CONTINUE MERGE once its conflicts are resolved, or ABORT MERGE"))
    }

    /// Keeps a merge open with the conflicts that it met; its plan is not to be abandoned then.
    /// `options` is kept for the layer above.
    pub fn open_merge(
        &self,
        plan: &MergePlan,
        options: &[u8],
        conflicts: &[Conflict],
    ) -> Result<OpenMerge> {
        self.update(|change| {
            change.counters.merge += 1;
            let merge = OpenMerge {
                id: change.counters.merge,
                source: plan.source.id,
                target: plan.target.id,
                anchor: plan.anchor.head().0,
                position: plan.position,
                created: self.now(),
                options: options.to_vec(),
                resolutions: Vec::new(),
                pick: None,
            };
            change.put(number_key(Kind::Merge, merge.id), &merge)?;
            put_conflicts(change.transaction, merge.id, conflicts)?;
            Ok(merge)
        })
    }

    /// Keeps a pick open with the conflicts that it met: what leads from `base` to `theirs` is to
    /// be done on the target. `label` says what it is, `options` is kept for the layer above.
    pub fn open_pick(
        &self,
        target: &Branch,
        (base, theirs): (&View, &View),
        label: &str,
        options: &[u8],
        conflicts: &[Conflict],
    ) -> Result<OpenMerge> {
        let (base_head, base_position) = self.seed(base)?;
        let (head, position) = match self.seed(theirs) {
            Ok(seed) => seed,
            Err(error) => {
                self.drop_head(base_head)?;
                return Err(error);
            }
        };
        let opened = self.update(|change| {
            change.counters.merge += 1;
            let merge = OpenMerge {
                id: change.counters.merge,
                source: target.id,
                target: target.id,
                anchor: head.0,
                position,
                created: self.now(),
                options: options.to_vec(),
                resolutions: Vec::new(),
                pick: Some(OpenPick {
                    base: base_head.0,
                    position: base_position,
                    label: label.into(),
                }),
            };
            change.put(number_key(Kind::Merge, merge.id), &merge)?;
            put_conflicts(change.transaction, merge.id, conflicts)?;
            Ok(merge)
        });
        if opened.is_err() {
            self.drop_head(base_head)?;
            self.drop_head(head)?;
        }
        opened
    }

    /// The base and the source of an open pick, and what was said so far.
    pub fn resume_pick(&self, merge: &OpenMerge) -> Result<(View, View, Resolutions)> {
        let stored = self.with(|state| state.merges.get(&merge.id).cloned())?;
        let Some(OpenMerge { anchor, position, resolutions, pick: Some(pick), .. }) = stored else {
            return Err(is_over(merge));
        };
        let base = self.view_head(HeadId(pick.base), pick.position)?;
        let theirs = self.view_head(HeadId(anchor), position)?;
        Ok((base, theirs, decode_resolutions(&resolutions)?))
    }

    /// The open merge into a branch.
    pub fn merge_into(&self, target: &str) -> Result<OpenMerge> {
        let branch = self.get(target)?;
        let found = self
            .with(|state| state.merges.values().find(|merge| merge.target == branch.id).cloned())?;
        found.ok_or_else(|| {
            let shown: String = target.chars().take(80).flat_map(char::escape_debug).collect();
            let message = format!("no merge into the branch '{shown}' is open");
            let hint = "MERGE BRANCH .. WITH (conflict_resolution = 'manual') opens one";
            Error::new(ErrorKind::UnknownConflict, message).with_hint(hint)
        })
    }

    /// The conflicts of an open merge.
    pub fn conflicts(&self, merge: &OpenMerge) -> Result<Vec<OpenConflict>> {
        let transaction = self.manager.begin(self.system, BeginOptions::read_only())?;
        let resolutions = decode_resolutions(&merge.resolutions)?;
        let mut conflicts = Vec::new();
        read_conflicts(&transaction, merge.id, |number, value| {
            let (conflict, vain) = decode_conflict(value)?;
            let said = resolutions.find(&conflict.key);
            let said = said.filter(|pick| misfit(&conflict.key, pick).is_none());
            let resolution = said.filter(|pick| vain.as_ref() != Some(pick)).cloned();
            conflicts.push(OpenConflict { merge: merge.id, number, conflict, resolution });
            Ok(())
        })?;
        Ok(conflicts)
    }

    /// Says what is done about one conflict.
    pub fn resolve(&self, merge: &OpenMerge, number: u64, pick: Pick) -> Result<()> {
        self.change_resolutions(merge, |transaction, resolutions| {
            let row = match number {
                LAST_NUMBER => None,
                number => transaction.get(RECORDS, &conflict_key(merge.id, number))?,
            };
            let Some(row) = row else {
                let message = format!("the merge has no conflict {number}");
                let error = Error::new(ErrorKind::UnknownConflict, message);
                return Err(error.with_hint("SHOW CONFLICTS lists them"));
            };
            let key = decode_conflict(&row)?.0.key;
            if let Some((why, hint)) = misfit(&key, &pick) {
                let message = format!("conflict {number} cannot be resolved so: {why}");
                return Err(Error::new(ErrorKind::InvalidOption, message).with_hint(hint));
            }
            resolutions.picks.insert(key, pick);
            Ok(())
        })
    }

    /// Says what is done about all conflicts, those of a table, or those of a column. It counts for
    /// those of them that a more specific word was in vain for, too.
    pub fn resolve_all(&self, merge: &OpenMerge, scope: RuleScope, pick: &Pick) -> Result<()> {
        self.change_resolutions(merge, |transaction, resolutions| {
            let mut in_vain = Vec::new();
            read_conflicts(transaction, merge.id, |_, value| {
                let (Conflict { key, .. }, vain) = decode_conflict(value)?;
                let is_meant = scope.covers(&key) && misfit(&key, pick).is_none();
                if is_meant && vain.is_some() && resolutions.find(&key) == vain.as_ref() {
                    in_vain.push(key);
                }
                Ok(())
            })?;
            resolutions.rules.insert(scope, pick.clone());
            for key in in_vain {
                resolutions.picks.remove(&key);
                if resolutions.find(&key) != Some(pick) {
                    // A narrower rule, which may settle others.
                    resolutions.picks.insert(key, pick.clone());
                }
            }
            Ok(())
        })
    }

    fn change_resolutions(
        &self,
        merge: &OpenMerge,
        edit: impl FnOnce(&mut Transaction, &mut Resolutions) -> Result<()>,
    ) -> Result<()> {
        self.update(|change| {
            let row = number_key(Kind::Merge, merge.id);
            let stored = change.transaction.get(RECORDS, &row)?;
            let Some(stored) = stored else { return Err(is_over(merge)) };
            let mut stored: OpenMerge = decode(&stored)?;
            let mut resolutions = decode_resolutions(&stored.resolutions)?;
            edit(change.transaction, &mut resolutions)?;
            stored.resolutions = encode_resolutions(&resolutions)?;
            change.put(row, &stored)
        })
    }

    /// The plan of an open merge, with the target as it is now, and what was said so far.
    pub fn resume_merge(&self, merge: &OpenMerge) -> Result<(MergePlan, Resolutions)> {
        let (stored, source, target) = self.with(|state| {
            (
                state.merges.get(&merge.id).cloned(),
                state.branches.get(&merge.source).cloned(),
                state.branches.get(&merge.target).cloned(),
            )
        })?;
        let (Some(stored), Some(source), Some(target)) = (stored, source, target) else {
            return Err(is_over(merge));
        };
        self.check_writable(&target)?;
        let resolutions = decode_resolutions(&stored.resolutions)?;
        let plan = self.plan(
            source,
            target,
            (self.pins.pin(HeadId(stored.anchor)), false),
            stored.position,
        )?;
        Ok((plan, resolutions))
    }

    /// Replaces the conflicts of an open merge by those that the last run left. What was said
    /// about these has not settled them. With them stay those that an answer settled: it may be
    /// what led to the others, and can be given anew. A conflict that was listed keeps its number,
    /// and no other one ever gets it.
    pub fn reopen_merge(&self, merge: &OpenMerge, conflicts: &[Conflict]) -> Result<()> {
        let resolutions = decode_resolutions(&merge.resolutions)?;
        let left: BTreeSet<&ConflictKey> = conflicts.iter().map(|conflict| &conflict.key).collect();
        let known = self.conflicts(merge)?;
        let mut numbers: BTreeMap<&ConflictKey, u64> =
            known.iter().map(|open| (&open.conflict.key, open.number)).collect();
        self.update(|change| {
            let listed = known.iter().map(|open| open.number).max().unwrap_or(0);
            let mut last = last_number(change.transaction, merge.id)?.max(listed);
            delete_conflicts(change.transaction, merge.id)?;
            for open in &known {
                if open.resolution.is_some() && !left.contains(&open.conflict.key) {
                    put_conflict(
                        change.transaction,
                        (merge.id, open.number),
                        &open.conflict,
                        None,
                    )?;
                }
            }
            for conflict in conflicts {
                let number = numbers.remove(&conflict.key).unwrap_or_else(|| {
                    last += 1;
                    last
                });
                let vain = resolutions.find(&conflict.key);
                put_conflict(change.transaction, (merge.id, number), conflict, vain)?;
            }
            let row = conflict_key(merge.id, LAST_NUMBER);
            change.transaction.put(RECORDS, &row, &last.to_be_bytes())?;
            Ok(())
        })
    }

    /// Closes an open merge within the transaction that completes it, after
    /// [`record_merge`](Self::record_merge).
    pub fn close_merge(&self, merge: &OpenMerge, transaction: &mut Transaction) -> Result<()> {
        let target = transaction.head();
        transaction.enlist(self.system)?;
        transaction.write_alone()?;
        let row = number_key(Kind::Merge, merge.id);
        let deleted = transaction.delete(RECORDS, &row)?;
        delete_conflicts(transaction, merge.id)?;
        drop_kept(transaction, merge)?;
        if merge.pick.is_some() {
            // No merge was noted before.
            drop(self.current()?);
            *self.pending.lock() = Some((transaction.base_commit().0, Vec::new()));
        }
        self.add_pending(vec![(row, None)]);
        transaction.use_head(target)?;
        if deleted { Ok(()) } else { Err(is_over(merge)) }
    }

    /// Gives an open merge up, without a trace.
    pub fn abort_merge(&self, merge: &OpenMerge) -> Result<()> {
        self.update(|change| {
            if !self.state.lock().merges.contains_key(&merge.id) {
                return Err(is_over(merge));
            }
            change.delete(number_key(Kind::Merge, merge.id))?;
            delete_conflicts(change.transaction, merge.id)?;
            drop_kept(change.transaction, merge)
        })?;
        self.maintain()
    }
}

/// Why a pick does not resolve a conflict, and what does.
fn misfit(key: &ConflictKey, pick: &Pick) -> Option<(&'static str, &'static str)> {
    match (&key.scope, pick) {
        (Scope::Schema(SchemaPart::Key), Pick::Definition(_)) => Some((
            "rows are found by their primary key, which is the target's or the source's",
            "RESOLVE CONFLICT .. WITH SOURCE or TARGET",
        )),
        (Scope::Schema(SchemaPart::Value), Pick::Ours | Pick::Theirs | Pick::Base) => None,
        (Scope::Schema(SchemaPart::Value), Pick::Cell(Value::Integer(value)))
            if setting(*value).is_some() =>
        {
            None
        }
        (Scope::Schema(SchemaPart::Value), _) => Some((
            "it is about a whole number of 32 bits",
            "RESOLVE CONFLICT .. WITH SOURCE, TARGET, BASE, or VALUE and the number",
        )),
        (Scope::Schema(_), Pick::Ours | Pick::Theirs | Pick::Definition(_)) => None,
        (Scope::Schema(_), _) => Some((
            "it is about a definition",
            "RESOLVE CONFLICT .. WITH SOURCE, TARGET, or DEFINITION and a text",
        )),
        (_, Pick::Definition(_)) => Some((
            "it is about rows, not about a definition",
            "SOURCE, TARGET, BASE, DELETE, VALUE and an expression, or (column = value, ...)",
        )),
        (Scope::Row(_) | Scope::Broken(..), Pick::Cell(_)) => Some((
            "it is about a whole row",
            "SOURCE, TARGET, BASE, DELETE, or (column = value, ...)",
        )),
        (Scope::Cell(..), Pick::Delete) => Some((
            "it is about one cell of a row that both branches keep",
            "SOURCE, TARGET, BASE, or VALUE and an expression",
        )),
        (Scope::Cell(_, column), Pick::Row(cells)) if cells.iter().all(|it| it.0 != *column) => {
            Some(("the row has no value for its column", "VALUE and an expression"))
        }
        _ => None,
    }
}

/// Numbers the first conflicts of a merge.
fn put_conflicts(transaction: &mut Transaction, merge: u64, conflicts: &[Conflict]) -> Result<()> {
    for (number, conflict) in (1..).zip(conflicts) {
        put_conflict(transaction, (merge, number), conflict, None)?;
    }
    Ok(())
}

/// Writes a conflict under its number, with what was said and did not settle it.
fn put_conflict(
    transaction: &mut Transaction,
    (merge, number): (u64, u64),
    conflict: &Conflict,
    vain: Option<&Pick>,
) -> Result<()> {
    let row = conflict_key(merge, number);
    transaction.put(RECORDS, &row, &encode_conflict(conflict, vain)?)?;
    Ok(())
}

/// The greatest number that a conflict of a merge was given, once it was continued; also those
/// count that are not listed any more.
fn last_number(transaction: &Transaction, merge: u64) -> Result<u64> {
    let row = transaction.get(RECORDS, &conflict_key(merge, LAST_NUMBER))?;
    let Some(row) = row else { return Ok(0) };
    let bytes = <[u8; 8]>::try_from(&*row);
    bytes.map(u64::from_be_bytes).map_err(|_| Error::corrupt("a merge has no last conflict"))
}

/// Calls `look` with each conflict of a merge and its number.
fn read_conflicts(
    transaction: &Transaction,
    merge: u64,
    mut look: impl FnMut(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    let prefix = key(Kind::Conflict, &merge.to_be_bytes());
    read_rows(transaction, &prefix, |key, value| {
        let number = key.last_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        if number == LAST_NUMBER { Ok(()) } else { look(number, value) }
    })
}

/// Lets go of the moments that only an open pick kept.
fn drop_kept(transaction: &mut Transaction, merge: &OpenMerge) -> Result<()> {
    let Some(pick) = &merge.pick else { return Ok(()) };
    transaction.drop_head(HeadId(pick.base))?;
    transaction.drop_head(HeadId(merge.anchor))?;
    Ok(())
}

fn delete_conflicts(transaction: &mut Transaction, merge: u64) -> Result<()> {
    let from = key(Kind::Conflict, &merge.to_be_bytes());
    let to = key(Kind::Conflict, &merge.saturating_add(1).to_be_bytes());
    transaction.delete_range(RECORDS, &from, Some(&to))?;
    Ok(())
}

#[cold]
fn is_over(merge: &OpenMerge) -> Error {
    let message = format!("merge {} is not open any more", merge.id);
    Error::new(ErrorKind::UnknownConflict, message)
}
