//! Where the history of the shell is kept.
//!
//! `PANDO_HISTORY` names the file; without it, it lies where the system wants such files.
//! Neighbours: `editor` reads and writes it, `.history` shows it.

use std::env;
use std::path::PathBuf;

/// The history's file.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Nothing where there is no place for it.
    pub(crate) path: Option<PathBuf>,
}

impl History {
    /// The history of this user.
    pub(crate) fn of_user() -> Self {
        let path = match env::var_os("PANDO_HISTORY") {
            Some(path) if path.is_empty() => None,
            Some(path) => Some(PathBuf::from(path)),
            None => state_folder().map(|folder| folder.join("history")),
        };
        Self { path }
    }

    /// The lines that were saved, oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = self.path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        // The editor writes `<\n>` for a line break inside an entry.
        text.unwrap_or_default().lines().map(|line| line.replace("<\\n>", "\n")).collect()
    }
}

/// The folder for what the program remembers between calls.
pub(crate) fn state_folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        set("LOCALAPPDATA")
    } else {
        set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))
    };
    Some(base?.join("pando"))
}
