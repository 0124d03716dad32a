//! The branch that `pando switch` chose: it holds for later calls on that database by this user.
//!
//! It is a line in a file of the user's, not in the database: what one user works on is nothing
//! that others should see change. Neighbours: `shell::history` has the folder.

use std::path::{Path, PathBuf};

use super::branches;
use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

const MAIN: &str = "main";

fn file() -> Option<PathBuf> {
    Some(crate::shell::state_folder()?.join("branches"))
}

/// What stands for the database in the file: its real path.
fn key(path: &str) -> Option<String> {
    if path.is_empty() || path == ":memory:" {
        return None;
    }
    let real = Path::new(path).canonicalize().ok()?;
    // A path with a line break cannot stand on a line.
    Some(real.to_str()?.to_owned()).filter(|path| !path.contains(['\n', '\t']))
}

/// The branch that was chosen for a database.
pub(crate) fn of(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(file()?).ok()?;
    find(&text, &key(path)?).map(str::to_owned)
}

fn find<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.find(|(path, _)| *path == key).map(|(_, branch)| branch)
}

fn replace(text: &str, key: &str, branch: &str) -> String {
    let is_other = |line: &&str| line.split_once('\t').is_some_and(|(path, _)| path != key);
    let mut lines: Vec<String> = text.lines().filter(is_other).map(str::to_owned).collect();
    if branch != MAIN {
        lines.push(format!("{key}\t{branch}"));
    }
    lines.push(String::new());
    if lines.len() == 1 { String::new() } else { lines.join("\n") }
}

/// Goes to the branch that was named, or chosen earlier.
pub(crate) fn enter(shell: &mut Shell, named: Option<&str>) -> Outcome {
    if let Some(name) = named {
        return branches::switch_quietly(shell, name);
    }
    let Some(name) = of(&shell.opening.path) else { return Ok(()) };
    // A branch that is gone is no reason to refuse every verb.
    if branches::switch_quietly(shell, &name).is_err() {
        remember(&shell.opening.path, MAIN)?;
    }
    Ok(())
}

/// Goes to a branch and remembers it.
pub(crate) fn choose(shell: &mut Shell, name: &str) -> Outcome {
    branches::switch(shell, name)?;
    remember(&shell.opening.path, name)
}

fn remember(path: &str, branch: &str) -> Outcome {
    let (Some(file), Some(key)) = (file(), key(path)) else {
        return Err(Failure::statement("there is no place to remember the branch in")
            .with_hint("set XDG_STATE_HOME or HOME, or name the branch with --branch"));
    };
    let shown = file.display().to_string();
    let failed = |error: std::io::Error| Failure::file("write", &shown, &error);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    // Written beside and renamed, so that a second call never reads half a file.
    let beside = file.with_extension(format!("{}", std::process::id()));
    std::fs::write(&beside, replace(&text, &key, branch)).map_err(failed)?;
    std::fs::rename(&beside, &file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_has_a_branch_of_its_own() {
        let text = replace("", "/a", "dev");
        let text = replace(&text, "/b", "test");
        assert_eq!((find(&text, "/a"), find(&text, "/b")), (Some("dev"), Some("test")));
        let text = replace(&text, "/a", "other");
        assert_eq!(text, "/b\ttest\n/a\tother\n");
        assert_eq!(replace(&text, "/a", "main"), "/b\ttest\n");
        assert_eq!(find(&text, "/c"), None);
    }
}
