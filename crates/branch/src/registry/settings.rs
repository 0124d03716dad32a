//! What the whole file keeps: numbers that belong to no branch.
//!
//! They stand beside the records of branches, so that whatever happens to a branch (a reset, a
//! merge, an undo) leaves them. They are read when a file is opened, before anybody asks for
//! branches. Neighbours: `records` has the keys; the SQL layer knows what the numbers mean.

use std::collections::BTreeMap;

use pandodb_tm::{BeginOptions, Manager};

use super::records::{Kind, decode, encode, key, number_key};
use super::{Branches, NOTE_SYSTEM, RECORDS, read_rows};
use crate::error::{Error, Result};

/// What a file keeps, by the numbers of the settings. The records of branches are not read for it.
pub fn kept_settings(manager: &Manager) -> Result<BTreeMap<u64, i64>> {
    let mut kept = BTreeMap::new();
    let Some(system) = manager.first_head_with(NOTE_SYSTEM)? else { return Ok(kept) };
    let reader = manager.begin(system, BeginOptions::read_only())?;
    if reader.tree_kind(RECORDS).is_none() {
        return Ok(kept);
    }
    read_rows(&reader, &key(Kind::Setting, &[]), |key, value| {
        let number = key.get(1..).and_then(|number| <[u8; 8]>::try_from(number).ok());
        let number = number.ok_or_else(|| Error::corrupt("the key of a setting has no number"))?;
        kept.insert(u64::from_be_bytes(number), decode(value)?);
        Ok(())
    })?;
    Ok(kept)
}

/// The number of a mark: what an older file keeps on its first branch was moved here, and counts
/// there no more. A reset may bring it back.
pub const SETTINGS_MOVED: u64 = 0;

impl Branches {
    /// Keeps settings, all in one commit.
    pub fn keep_settings(&self, settings: &BTreeMap<u64, i64>) -> Result<()> {
        self.update(|change| {
            for (number, value) in settings {
                change.put_encoded(number_key(Kind::Setting, *number), encode(value)?)?;
            }
            Ok(())
        })
    }
}
