//! The collations that an application registered, and those that stored schemas ask for.
//!
//! A table may name a collation that this session does not have (it was registered by another
//! program, or will be later). It gets its number all the same, so that the schema can be read
//! and everything else used; a statement that names the table is refused. Neighbours: `prepare`
//! tells the binder what is missing, `types` compares.

use std::cell::RefCell;
use std::cmp::Ordering;

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;

use crate::types::Collations;

/// How texts compare under an application's collation.
pub type CollationFunction = Arc<dyn Fn(&[u8], &[u8]) -> Ordering + Send + Sync>;

/// Collations by number.
#[derive(Default)]
pub struct CollationRegistry(RefCell<Vec<Known>>);

struct Known {
    name: Box<str>,
    /// None as long as only a stored schema knows the name.
    compare: Option<CollationFunction>,
}

impl std::fmt::Debug for CollationRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.borrow().iter().map(|known| &known.name)).finish()
    }
}

impl Collations for CollationRegistry {
    fn compare_custom(&self, id: u32, left: &[u8], right: &[u8]) -> Ordering {
        // The function may register another one.
        let known = self.0.borrow().get(id as usize).and_then(|known| known.compare.clone());
        known.map_or_else(|| left.cmp(right), |compare| compare(left, right))
    }
}

impl CollationRegistry {
    fn place(&self, name: &str) -> Option<usize> {
        self.0.borrow().iter().position(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// Registers a collation, or exchanges it.
    pub(super) fn define(&self, name: &str, compare: CollationFunction) {
        let place = self.place(name);
        let mut all = self.0.borrow_mut();
        match place.and_then(|place| all.get_mut(place)) {
            Some(known) => known.compare = Some(compare),
            None => all.push(Known { name: Box::from(name), compare: Some(compare) }),
        }
    }

    /// The collation that a statement means.
    pub(super) fn find(&self, name: &str) -> Option<Collation> {
        let own = self.place(name).map(|place| Collation::Custom(place as u32));
        match own {
            Some(own) if self.missing(own).is_none() => Some(own),
            _ => Collation::from_name(name),
        }
    }

    /// The collation that a stored schema means, registered or not.
    pub(super) fn find_stored(&self, name: &str) -> Option<Collation> {
        self.find(name).or_else(|| {
            let place = self.place(name).unwrap_or_else(|| {
                let mut all = self.0.borrow_mut();
                all.push(Known { name: Box::from(name), compare: None });
                all.len() - 1
            });
            Some(Collation::Custom(place as u32))
        })
    }

    /// The name of a collation that a schema asks for and nobody registered.
    pub(super) fn missing(&self, collation: Collation) -> Option<Box<str>> {
        let Collation::Custom(id) = collation else { return None };
        let all = self.0.borrow();
        let known = all.get(id as usize)?;
        known.compare.is_none().then(|| known.name.clone())
    }

    /// The names of those that are registered.
    pub(super) fn names(&self) -> Vec<Box<str>> {
        let all = self.0.borrow();
        let registered = all.iter().filter(|known| known.compare.is_some());
        registered.map(|known| known.name.clone()).collect()
    }

    /// The name of a collation.
    pub(super) fn name(&self, collation: Collation) -> Box<str> {
        match collation {
            Collation::Custom(id) => {
                let all = self.0.borrow();
                all.get(id as usize).map(|known| known.name.clone()).unwrap_or_default()
            }
            other => Box::from(other.name().unwrap_or_default()),
        }
    }
}
