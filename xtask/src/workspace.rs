//! Where the repository is and which files belong to it.
//!
//! Git decides what belongs: tracked files, and new ones that no `.gitignore` names, so that a
//! check sees a file before it is added. Neighbours: `tidy` and `codegen` read the files,
//! `process` runs programs in the root.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::{Failure, Outcome, Tool};

/// The root folder of the repository.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The folder that builds go to; other flags go to a sub-folder of it, so that changing
/// between them does not rebuild everything.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Whether a path relative to the root exists.
pub(crate) fn has(path: &str) -> bool {
    root().join(path).exists()
}

/// The folders called `name` in the folders beside the repository.
pub(crate) fn beside(name: &str) -> Vec<PathBuf> {
    let around = root().parent().and_then(|around| fs::read_dir(around).ok());
    let folders = around.into_iter().flatten().flatten().map(|entry| entry.path().join(name));
    let mut folders: Vec<PathBuf> = folders.filter(|folder| folder.is_dir()).collect();
    folders.sort();
    folders
}

/// Whether the program at `path` (its root source file) has more than an empty `main`.
pub(crate) fn has_program(path: &str) -> bool {
    fs::read_to_string(root().join(path)).is_ok_and(|text| !text.contains("fn main() {}"))
}

/// The files of the repository, relative to its root, with `/` between names, sorted.
pub(crate) fn files() -> Outcome<Vec<String>> {
    let listing = Tool::new("git")
        .arguments(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()?;
    let mut files: Vec<String> =
        listing.split('\0').filter(|path| !path.is_empty() && has(path)).map(Into::into).collect();
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Failure::new("git lists no files: is this a clone of the repository?"));
    }
    Ok(files)
}

/// Reads a file of the repository.
pub(crate) fn read(path: &str) -> Outcome<Vec<u8>> {
    fs::read(root().join(path))
        .map_err(|cause| Failure::new(format!("cannot read {path}: {cause}")))
}

/// Reads a file of the repository that is text.
pub(crate) fn read_text(path: &str) -> Outcome<String> {
    String::from_utf8(read(path)?).map_err(|_| Failure::new(format!("{path} is not UTF-8")))
}

/// The names (without extension) of the `.rs` files directly in `folder`, sorted.
pub(crate) fn programs_in(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    names
}
