//! Resolutions and conflicts as bytes, so that an open merge outlives the process.
//!
//! Values are stored as rows are. Neighbours: `open_merge` keeps these.

use pandodb_ds::record::Value;
use pandodb_ds::record::row::{RowView, encode_values};
use serde::{Deserialize, Serialize};

use super::records::{decode, decode_first, encode};
use crate::diff::schema::ObjectKind;
use crate::error::Result;
use crate::merge::{Conflict, ConflictKey, ConflictKind, Definition, Pick, Resolutions, RuleScope};
use crate::shape::{ColumnId, ObjectId};

#[derive(Serialize, Deserialize)]
enum StoredPick {
    Ours,
    Theirs,
    Base,
    Delete,
    Cell(Vec<u8>),
    Row(Vec<ColumnId>, Vec<u8>),
    /// The name and the text; behind all others, which older files have.
    Definition(String, String),
    /// The same with the columns of the target's table.
    Seen(String, String, Vec<ColumnId>),
}

#[derive(Serialize, Deserialize)]
enum StoredScope {
    All,
    Object(ObjectId),
    Column(ObjectId, ColumnId),
}

#[derive(Default, Serialize, Deserialize)]
struct StoredResolutions {
    picks: Vec<(ConflictKey, StoredPick)>,
    rules: Vec<(StoredScope, StoredPick)>,
}

#[derive(Serialize, Deserialize)]
struct StoredConflict {
    key: ConflictKey,
    kind: ConflictKind,
    object_kind: ObjectKind,
    object_name: String,
    column_name: Option<String>,
    columns: Vec<String>,
    row_key: Vec<u8>,
    base: Option<Vec<u8>>,
    ours: Option<Vec<u8>>,
    theirs: Option<Vec<u8>>,
    detail: String,
}

fn row(values: &[Value]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_values(values, &mut bytes)?;
    Ok(bytes)
}

fn values(bytes: &[u8]) -> Result<Vec<Value>> {
    let view = RowView::new(bytes)?;
    let mut values = Vec::with_capacity(view.len());
    for column in view.columns() {
        values.push(column?.to_owned());
    }
    Ok(values)
}

fn store_pick(pick: &Pick) -> Result<StoredPick> {
    Ok(match pick {
        Pick::Ours => StoredPick::Ours,
        Pick::Theirs => StoredPick::Theirs,
        Pick::Base => StoredPick::Base,
        Pick::Delete => StoredPick::Delete,
        Pick::Cell(value) => StoredPick::Cell(row(std::slice::from_ref(value))?),
        Pick::Row(cells) => {
            let (columns, cells): (Vec<ColumnId>, Vec<Value>) = cells.iter().cloned().unzip();
            StoredPick::Row(columns, row(&cells)?)
        }
        Pick::Definition(Definition { name, text, seen: None }) => {
            StoredPick::Definition(name.clone(), text.clone())
        }
        Pick::Definition(Definition { name, text, seen: Some(seen) }) => {
            StoredPick::Seen(name.clone(), text.clone(), seen.clone())
        }
    })
}

fn load_pick(pick: StoredPick) -> Result<Pick> {
    Ok(match pick {
        StoredPick::Ours => Pick::Ours,
        StoredPick::Theirs => Pick::Theirs,
        StoredPick::Base => Pick::Base,
        StoredPick::Delete => Pick::Delete,
        StoredPick::Cell(bytes) => {
            Pick::Cell(values(&bytes)?.into_iter().next().unwrap_or_default())
        }
        StoredPick::Row(columns, bytes) => {
            Pick::Row(columns.into_iter().zip(values(&bytes)?).collect())
        }
        StoredPick::Definition(name, text) => {
            Pick::Definition(Definition { name, text, seen: None })
        }
        StoredPick::Seen(name, text, seen) => {
            Pick::Definition(Definition { name, text, seen: Some(seen) })
        }
    })
}

/// The bytes of resolutions.
pub fn encode_resolutions(resolutions: &Resolutions) -> Result<Vec<u8>> {
    let mut stored = StoredResolutions::default();
    for (key, pick) in &resolutions.picks {
        stored.picks.push((key.clone(), store_pick(pick)?));
    }
    for (scope, pick) in &resolutions.rules {
        let scope = match scope {
            RuleScope::All => StoredScope::All,
            RuleScope::Object(object) => StoredScope::Object(*object),
            RuleScope::Column(object, column) => StoredScope::Column(*object, *column),
        };
        stored.rules.push((scope, store_pick(pick)?));
    }
    encode(&stored)
}

/// The resolutions of bytes.
pub fn decode_resolutions(bytes: &[u8]) -> Result<Resolutions> {
    let mut resolutions = Resolutions::default();
    if bytes.is_empty() {
        return Ok(resolutions);
    }
    let stored: StoredResolutions = decode(bytes)?;
    for (key, pick) in stored.picks {
        resolutions.picks.insert(key, load_pick(pick)?);
    }
    for (scope, pick) in stored.rules {
        let scope = match scope {
            StoredScope::All => RuleScope::All,
            StoredScope::Object(object) => RuleScope::Object(object),
            StoredScope::Column(object, column) => RuleScope::Column(object, column),
        };
        resolutions.rules.insert(scope, load_pick(pick)?);
    }
    Ok(resolutions)
}

/// The bytes of a conflict, and behind it of what was said and did not settle it.
pub(super) fn encode_conflict(conflict: &Conflict, vain: Option<&Pick>) -> Result<Vec<u8>> {
    let side = |side: &Option<Vec<Value>>| side.as_deref().map(row).transpose();
    let mut bytes = encode(&StoredConflict {
        key: conflict.key.clone(),
        kind: conflict.kind,
        object_kind: conflict.object_kind,
        object_name: conflict.object_name.clone(),
        column_name: conflict.column_name.clone(),
        columns: conflict.columns.clone(),
        row_key: row(&conflict.row_key)?,
        base: side(&conflict.base)?,
        ours: side(&conflict.ours)?,
        theirs: side(&conflict.theirs)?,
        detail: conflict.detail.clone(),
    })?;
    if let Some(vain) = vain {
        bytes.extend(encode(&store_pick(vain)?)?);
    }
    Ok(bytes)
}

/// The conflict of bytes, and what was said and did not settle it.
pub(super) fn decode_conflict(bytes: &[u8]) -> Result<(Conflict, Option<Pick>)> {
    let (stored, rest): (StoredConflict, _) = decode_first(bytes)?;
    let vain = if rest.is_empty() { None } else { Some(load_pick(decode(rest)?)?) };
    let side = |side: Option<Vec<u8>>| side.as_deref().map(values).transpose();
    let conflict = Conflict {
        key: stored.key,
        kind: stored.kind,
        object_kind: stored.object_kind,
        object_name: stored.object_name,
        column_name: stored.column_name,
        columns: stored.columns,
        row_key: values(&stored.row_key)?,
        base: side(stored.base)?,
        ours: side(stored.ours)?,
        theirs: side(stored.theirs)?,
        detail: stored.detail,
    };
    Ok((conflict, vain))
}
