//! The heads of the newest checkpoint, looked up one by one.
//!
//! Who opens a file with thousands of heads asks for two or three of them. Neighbours: `checkpoint`
//! writes the registry.

use std::ops::ControlFlow;

use super::{SavedHead, Store};
use crate::checkpoint::HeadId;
use crate::error::{Error, Result};
use crate::pager::Pager;
use crate::sync::Arc;
use crate::tree::{Cursor, Found, Tree};

/// The registry as a checkpoint wrote it. It may be read until the next checkpoint ends, which
/// gives its pages away.
#[derive(Clone, Debug)]
pub struct Registry {
    pager: Arc<Pager>,
    tree: Tree,
}

impl Store {
    /// The registry of the newest checkpoint.
    pub fn registry(&self) -> Registry {
        let tree = self.durable.lock().registry.clone();
        Registry { pager: Arc::clone(&self.pager), tree }
    }

    /// The heads of the newest checkpoint in the order of their numbers.
    pub fn heads(&self) -> Result<Vec<SavedHead>> {
        let mut heads = Vec::new();
        self.registry().each(HeadId(0), |head| {
            heads.push(head);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(heads)
    }
}

impl Registry {
    /// The head of a number.
    pub fn head(&self, id: HeadId) -> Result<Option<SavedHead>> {
        let mut cursor = self.cursor();
        if !cursor.seek(&id.key())? {
            return Ok(None);
        }
        let found = saved(&cursor)?;
        Ok((found.id == id).then_some(found))
    }

    /// The last head before a number.
    pub fn last_before(&self, id: HeadId) -> Result<Option<SavedHead>> {
        let mut cursor = self.cursor();
        let found = if cursor.seek(&id.key())? { cursor.previous()? } else { cursor.last()? };
        found.then(|| saved(&cursor)).transpose()
    }

    /// How many heads come before a number.
    pub fn count_before(&self, id: HeadId) -> Result<u64> {
        self.tree.rank(&self.pager, &id.key())
    }

    /// Calls `visit` with the heads from a number on, in order, until it breaks off.
    pub fn each<E: From<Error>>(
        &self,
        from: HeadId,
        mut visit: impl FnMut(SavedHead) -> std::result::Result<ControlFlow<()>, E>,
    ) -> std::result::Result<(), E> {
        let mut cursor = self.cursor();
        let mut more = cursor.seek(&from.key())?;
        while more {
            if visit(saved(&cursor)?)?.is_break() {
                break;
            }
            more = cursor.next()?;
        }
        Ok(())
    }

    fn cursor(&self) -> Cursor {
        Cursor::new(Arc::clone(&self.pager), self.tree.clone())
    }
}

/// The head where a cursor stands.
fn saved(cursor: &Cursor) -> Result<SavedHead> {
    let (Some(id), Some(Found::Subtree(directory, note))) = (cursor.fixed_key(), cursor.found()?)
    else {
        return Err(Error::corrupt("the registry holds more than heads"));
    };
    Ok(SavedHead { id: HeadId(id), directory, note: note.to_vec() })
}
