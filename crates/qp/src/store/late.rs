//! Letting go of a large version on another processor.
//!
//! Who replaces the newest version of a branch is as a rule the last to hold the one before, with
//! all the pages that only it had. Giving back the memory of ten thousand pages takes
//! milliseconds, which nobody needs to wait for: a fast-forward takes a quarter of one.
//! Neighbours: `branching::merge` replaces versions.

use pandodb_ds::forest::Forest;
use pandodb_ds::sync::thread;

/// A version that is kept until this goes, and then dropped by a thread of its own.
pub(crate) struct Late(Option<Forest>);

impl Late {
    /// Keeps a version; one with fewer rows than `least` is not worth a thread.
    pub(crate) fn keep(version: Forest, least: u64) -> Self {
        let is_large = version.ids().into_iter().any(|id| {
            let tree = version.tree(id);
            tree.is_some_and(|tree| tree.len() >= least)
        });
        Self(is_large.then_some(version))
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(version) = self.0.take() {
            // Where there is no thread the version is dropped at once.
            let builder = thread::Builder::new().name("pando-drop".to_owned());
            drop(builder.spawn(move || drop(version)));
        }
    }
}
