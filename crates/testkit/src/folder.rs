//! A folder for one test, gone afterwards unless somebody wants to look.
//!
//! Neighbours: tests that need real files; others use the file system in memory of `ds`.

use std::env;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::thread;

/// Keeps the folder of a failed test.
const KEEP: &str = "PANDO_KEEP";

/// A new empty folder; removed when dropped, kept (and printed) when the test fails and
/// `PANDO_KEEP` is set.
#[derive(Debug)]
pub struct TemporaryFolder(Option<tempfile::TempDir>);

impl TemporaryFolder {
    /// Makes a folder that no other test has.
    ///
    /// # Panics
    ///
    /// When the system gives no room: a test cannot go on without.
    #[track_caller]
    pub fn new() -> Self {
        match tempfile::Builder::new().prefix("pando-").tempdir() {
            Ok(folder) => Self(Some(folder)),
            Err(cause) => panic!("cannot make a temporary folder: {cause}"),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), tempfile::TempDir::path)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

impl Default for TemporaryFolder {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for TemporaryFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.path()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if thread::panicking()
            && env::var_os(KEEP).is_some()
            && let Some(folder) = self.0.take()
        {
            eprintln!("kept: {}", folder.keep().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_new_and_goes_away() {
        let (one, other) = (TemporaryFolder::new(), TemporaryFolder::new());
        assert_ne!(one.path(), other.path());
        std::fs::write(one.file("a"), "b").unwrap();
        let path = one.path().to_path_buf();
        assert!(path.join("a").exists());
        drop(one);
        assert!(!path.exists());
    }
}
