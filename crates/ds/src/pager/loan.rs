//! Room of the cache that changed pages have for a time.
//!
//! Changed pages take the place of the clean ones that they were copied from: a transaction that
//! changes much of what is cached may keep its pages in memory without more memory being used,
//! where writing them out half-way would compress them and read them again. Neighbours: `cache`
//! lends.

use super::Pager;
use crate::sync::Arc;

/// A part of the cache's budget; dropping it gives it back.
#[derive(Debug)]
pub struct Loan {
    pager: Arc<Pager>,
    bytes: usize,
}

impl Loan {
    /// Nothing yet.
    pub fn new(pager: &Arc<Pager>) -> Self {
        Self { pager: Arc::clone(pager), bytes: 0 }
    }

    /// How much it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Asks for more; false if there is no more.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let is_lent = self.pager.cache.lend(bytes);
        if is_lent {
            self.bytes += bytes;
        }
        is_lent
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.pager.cache.take_back(self.bytes);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::path::Path;

    use super::*;
    use crate::codec::Codec;
    use crate::space::Space;
    use crate::vfs::{MemoryVfs, OpenMode, Vfs};

    #[test]
    fn loans_are_half_of_the_budget_at_most_and_come_back() {
        let file = MemoryVfs::new().open(Path::new("loan"), OpenMode::CreateNew).unwrap();
        let pager = Arc::new(Pager::new(file, Space::new(), 1000, Codec::none(), 1024));
        let mut one = Loan::new(&pager);
        let mut other = Loan::new(&pager);
        assert!(one.grow(300) && one.grow(100) && !one.grow(101));
        assert!(other.grow(100) && !other.grow(1));
        assert_eq!((one.bytes(), other.bytes()), (400, 100));
        drop(one);
        assert!(other.grow(400) && !other.grow(1));
        // A budget that shrinks below what is lent lends nothing more.
        pager.cache.set_budget(600);
        drop(other);
        let mut third = Loan::new(&pager);
        assert!(third.grow(300) && !third.grow(1));
    }
}
