//! The branch that `pando switch` chose: it holds for later calls on that database by this user.
//!
//! It is a line in a file of the user's, not in the database: what one user works on is nothing
//! that others should see change. Neighbours: `shell::history` has the folder.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use pandodb::Branch;

use super::branches;
use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// The number of the first branch, which stays whatever it is called.
const FIRST: u64 = 1;

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

/// What is remembered of a branch. The number stays the same when it is renamed, by whomever;
/// the moment tells it from a branch with its number in another database at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    name: String,
    /// The number and the moment of creation; lines of earlier versions have none.
    identity: Option<(u64, u128)>,
}

impl Choice {
    fn of(branch: &Branch) -> Self {
        let created = branch.created_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { name: branch.name.clone(), identity: Some((branch.id, created.as_micros())) }
    }

    /// The branch that this is now; none where it is gone, whatever has its name since.
    fn find(&self, branches: &[Branch]) -> Option<Branch> {
        let is_this = |branch: &&Branch| match self.identity {
            Some(_) => Self::of(branch).identity == self.identity,
            None => branch.name.eq_ignore_ascii_case(&self.name),
        };
        branches.iter().find(is_this).cloned()
    }
}

/// The branch that was chosen for a database.
pub(crate) fn of(path: &str) -> Option<String> {
    Some(choice(path)?.name)
}

fn choice(path: &str) -> Option<Choice> {
    let text = std::fs::read_to_string(file()?).ok()?;
    find(&text, &key(path)?)
}

fn find(text: &str, key: &str) -> Option<Choice> {
    let mut lines = text.lines().map(|line| line.split('\t'));
    let mut words = lines.find_map(|mut words| (words.next() == Some(key)).then_some(words))?;
    let name = words.next()?.to_owned();
    let id = words.next().and_then(|id| id.parse().ok());
    let created = words.next().and_then(|created| created.parse().ok());
    let identity = id.zip(created);
    Some(Choice { name, identity })
}

fn replace(text: &str, key: &str, choice: Option<&Choice>) -> String {
    let is_other = |line: &&str| line.split_once('\t').is_some_and(|(path, _)| path != key);
    let mut lines: Vec<String> = text.lines().filter(is_other).map(str::to_owned).collect();
    if let Some(Choice { name, identity }) = choice {
        let (id, created) = identity.unwrap_or_default();
        lines.push(format!("{key}\t{name}\t{id}\t{created}"));
    }
    lines.push(String::new());
    if lines.len() == 1 { String::new() } else { lines.join("\n") }
}

/// Goes to the branch that was named, or chosen earlier; `needs_it` says whether the work is for
/// that branch, rather than about which branches there are.
pub(crate) fn enter(shell: &mut Shell, named: Option<&str>, needs_it: bool) -> Outcome {
    if let Some(name) = named {
        return branches::switch_quietly(shell, name);
    }
    let path = shell.opening.path.clone();
    let Some(choice) = choice(&path) else { return Ok(()) };
    if shell.is_new {
        // It was chosen in another database, which lay here.
        return remember(&path, None);
    }
    let branches = shell.connection.branches()?;
    match choice.find(&branches) {
        Some(branch) => {
            if Choice::of(&branch) != choice {
                remember(&path, Some(&branch))?;
            }
            branches::switch_quietly(shell, &branch.name)
        }
        // Work that was meant for it must not be done on another one.
        None if needs_it => {
            let first = branches::first(shell)?;
            let message =
                format!("branch {}, which was chosen, is not there any more", choice.name);
            Err(Failure::statement(message).with_hint(format!(
                "pando switch {first} chooses another one, --branch {first} is for one call"
            )))
        }
        None => Ok(()),
    }
}

/// Goes to a branch and remembers it.
pub(crate) fn choose(shell: &mut Shell, name: &str) -> Outcome {
    branches::switch(shell, name)?;
    let branch = shell.connection.branch(&shell.connection.current_branch())?;
    remember(&shell.opening.path, Some(&branch))
}

/// Whoever drops the branch that they chose is on the first one from then on.
pub(super) fn forget(shell: &Shell, name: &str) -> Outcome {
    match of(&shell.opening.path) {
        Some(chosen) if chosen.eq_ignore_ascii_case(name) => remember(&shell.opening.path, None),
        _ => Ok(()),
    }
}

/// Without a branch it is the first one, which every connection begins on.
fn remember(path: &str, branch: Option<&Branch>) -> Outcome {
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
    let choice = branch.filter(|branch| branch.id != FIRST).map(Choice::of);
    // Written beside and renamed, so that a second call never reads half a file.
    let beside = file.with_extension(format!("{}", std::process::id()));
    std::fs::write(&beside, replace(&text, &key, choice.as_ref())).map_err(failed)?;
    std::fs::rename(&beside, &file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_has_a_branch_of_its_own() {
        let choice = |name: &str| Choice { name: name.to_owned(), identity: Some((2, 7)) };
        let set = |text: &str, key: &str, name: &str| replace(text, key, Some(&choice(name)));
        let text = set("", "/a", "dev");
        let text = set(&text, "/b", "test");
        assert_eq!(
            (find(&text, "/a"), find(&text, "/b")),
            (Some(choice("dev")), Some(choice("test")))
        );
        let text = set(&text, "/a", "other");
        assert_eq!(text, "/b\ttest\t2\t7\n/a\tother\t2\t7\n");
        assert_eq!(replace(&text, "/a", None), "/b\ttest\t2\t7\n");
        assert_eq!(find(&text, "/c"), None);
        let earlier = find("/a\tdev\n", "/a");
        assert_eq!(earlier, Some(Choice { name: "dev".to_owned(), identity: None }));
    }
}
