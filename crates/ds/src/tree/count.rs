//! Ranks: how many entries come before a key, which is the n-th. One descent each, by the row
//! counts that inner pages keep. Neighbours: `cursor` seeks to a rank.

use std::ops::Bound;

use super::Tree;
use crate::error::Result;
use crate::page::{Body, Inner, Link};
use crate::pager::Pager;

impl Tree {
    /// How many keys are less than `key`.
    pub fn rank(&self, pager: &Pager, key: &[u8]) -> Result<u64> {
        self.check_key(key)?;
        match &self.root {
            None => Ok(0),
            Some(root) => rank_below(pager, &root.link, key),
        }
    }

    /// How many keys lie between the bounds.
    pub fn count_range(
        &self,
        pager: &Pager,
        lower: Bound<&[u8]>,
        upper: Bound<&[u8]>,
    ) -> Result<u64> {
        let first = self.first_rank(pager, lower)?;
        let end = match upper {
            Bound::Unbounded => self.len(),
            Bound::Excluded(key) => self.rank(pager, key)?,
            Bound::Included(key) => self.rank(pager, key)? + u64::from(self.contains(pager, key)?),
        };
        Ok(end.saturating_sub(first))
    }

    fn first_rank(&self, pager: &Pager, lower: Bound<&[u8]>) -> Result<u64> {
        match lower {
            Bound::Unbounded => Ok(0),
            Bound::Included(key) => self.rank(pager, key),
            Bound::Excluded(key) => {
                Ok(self.rank(pager, key)? + u64::from(self.contains(pager, key)?))
            }
        }
    }

    /// Keys that divide those from `from` on into about `parts` of the same number, ascending.
    pub fn dividing_keys(
        &self,
        pager: &Pager,
        from: Option<&[u8]>,
        parts: u64,
    ) -> Result<Vec<Vec<u8>>> {
        let before = from.map_or(Ok(0), |from| self.rank(pager, from))?;
        let rows = self.len().saturating_sub(before);
        let parts = parts.min(rows);
        let ranks = (1..parts).map(|part| before + rows / parts * part);
        ranks.filter_map(|rank| self.nth_key(pager, rank).transpose()).collect()
    }

    /// The key with `rank` keys before it.
    pub fn nth_key(&self, pager: &Pager, rank: u64) -> Result<Option<Vec<u8>>> {
        match &self.root {
            Some(root) if rank < root.rows => Ok(Some(nth_below(pager, &root.link, rank)?)),
            _ => Ok(None),
        }
    }
}

fn rank_below(pager: &Pager, link: &Link, key: &[u8]) -> Result<u64> {
    let node = pager.follow(link)?;
    match node.body() {
        Body::Leaf(leaf) => {
            let (Ok(position) | Err(position)) = leaf.search(key)?;
            Ok(position as u64)
        }
        Body::Inner(inner) => {
            let index = inner.separators().child_of(key)?;
            let before: u64 = (0..index).map(|index| inner.child(index).rows).sum();
            Ok(before + rank_below(pager, &inner.child(index).link, key)?)
        }
    }
}

/// The child that holds the entry at `rank`, and the entry's rank within it.
pub(super) fn child_at(inner: &Inner, mut rank: u64) -> (usize, u64) {
    let last = inner.len() - 1;
    for index in 0..last {
        let rows = inner.child(index).rows;
        if rank < rows {
            return (index, rank);
        }
        rank -= rows;
    }
    (last, rank)
}

fn nth_below(pager: &Pager, link: &Link, rank: u64) -> Result<Vec<u8>> {
    let node = pager.follow(link)?;
    match node.body() {
        Body::Leaf(leaf) => Ok(leaf.key(rank as usize)),
        Body::Inner(inner) => {
            let (index, rank) = child_at(inner, rank);
            nth_below(pager, &inner.child(index).link, rank)
        }
    }
}
