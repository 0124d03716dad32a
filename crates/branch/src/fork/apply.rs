//! What a fork changed, done where it came from.
//!
//! Key by key, so that the log, history and other transactions see a change like any other, in
//! time that follows what changed. Neighbours: `super` has forks.

use pandodb_ds::forest::Forest;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Diff, Tree};
use pandodb_tm::{BeginOptions, Transaction};

use super::Fork;
use crate::error::{Error, ErrorKind, Result};

impl Fork {
    /// Does in `transaction`, which has changed nothing yet and stands on the head that was
    /// forked, what was done on the fork; how many keys that changed. Refused if the head has
    /// moved since: what was looked at would not be what happens.
    pub fn apply(&self, transaction: &mut Transaction) -> Result<u64> {
        if self.origin != Some(transaction.head()) {
            let message = "a fork is applied to the branch that it was made of";
            return Err(Error::new(ErrorKind::Moved, message).with_hint("preview it there"));
        }
        transaction.prepare_write()?;
        let now = transaction.base_commit().0;
        if now != self.base {
            return Err(self.moved(now));
        }
        let after = self.begin(BeginOptions::read_only())?;
        let (old, new) = (self.before(), after.forest());
        let mut changed = 0;
        for id in old.ids() {
            if new.tree(id).is_none() {
                transaction.drop_tree(id)?;
                changed += 1;
            }
        }
        for id in new.ids() {
            changed += self.apply_tree(transaction, (&old, &new), id)?;
        }
        Ok(changed)
    }

    fn apply_tree(
        &self,
        transaction: &mut Transaction,
        (old, new): (&Forest, &Forest),
        id: pandodb_tm::TreeId,
    ) -> Result<u64> {
        let tree = new.existing(id)?;
        let mut before = old.tree(id).cloned();
        if before.as_ref().is_some_and(|before| before.kind() != tree.kind()) {
            transaction.drop_tree(id)?;
            before = None;
        }
        if before.as_ref().is_some_and(|before| before.is_same_version(tree)) {
            return Ok(0);
        }
        let before = if let Some(before) = before {
            before
        } else {
            transaction.create_tree(id, tree.kind())?;
            Tree::new(tree.kind())
        };
        let mut changed = 0;
        let pager = Arc::clone(self.manager.pager());
        let mut diff = Diff::new(&pager, &before, tree);
        while let Some(change) = diff.next_change()? {
            match change.new {
                Some(value) => drop(transaction.put(id, &change.key, &value)?),
                None => drop(transaction.delete(id, &change.key)?),
            }
            changed += 1;
        }
        Ok(changed)
    }
}
