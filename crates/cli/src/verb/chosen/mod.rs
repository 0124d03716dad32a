//! The branch that `pando switch` chose: it holds for later calls on that database by this user.
//!
//! It is a line in a file of the user's, not in the database: what one user works on is nothing
//! that others should see change. `lines` knows which line is a database's own. Neighbours:
//! `shell::history` has the folder.

mod lines;

use std::fs::File;
use std::path::PathBuf;

use pandodb::Branch;

use self::lines::{Choice, Lines, Place};
use super::branches;
use crate::failure::{Failure, Outcome};
use crate::shell::{Opening, Shell};

fn file() -> Option<PathBuf> {
    Some(crate::shell::state_folder()?.join("branches"))
}

fn read() -> Option<Lines> {
    Some(Lines::read(&std::fs::read_to_string(file()?).ok()?))
}

/// The branch that was chosen for a database.
pub(crate) fn of(opening: &Opening) -> Option<String> {
    let found = read()?.find(&Place::of(opening)?)?;
    (!found.is_of_another).then_some(found.choice.name)
}

/// Goes to the branch that was named, or chosen earlier; `needs_it` says whether the work is for
/// that branch, rather than about which branches there are.
pub(crate) fn enter(shell: &mut Shell, named: Option<&str>, needs_it: bool) -> Outcome {
    if let Some(name) = named {
        return branches::switch_quietly(shell, name);
    }
    let Some(place) = Place::of(&shell.opening) else { return Ok(()) };
    let Some(found) = read().and_then(|lines| lines.find(&place)) else { return Ok(()) };
    let choice = found.choice;
    let branches = shell.connection.branches()?;
    match choice.find(&branches).filter(|_| !shell.is_new) {
        Some(branch) => {
            if !found.is_exact || Choice::of(&branch) != choice {
                // It was moved or renamed. What cannot be written now is found the same way again.
                let _ = remember(&shell.opening, &branch);
            }
            branches::switch_quietly(shell, &branch.name)
        }
        // It was chosen in another database, which lay here.
        None if found.is_of_another => Ok(()),
        None if shell.is_new => remember_first(shell),
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
    remember(&shell.opening, &branch)
}

/// Whoever drops the branch that they chose is on the first one from then on.
pub(super) fn forget(shell: &Shell, name: &str) -> Outcome {
    match of(&shell.opening) {
        Some(chosen) if chosen.eq_ignore_ascii_case(name) => remember_first(shell),
        _ => Ok(()),
    }
}

fn remember_first(shell: &Shell) -> Outcome {
    let first = shell.connection.branch(&branches::first(shell)?)?;
    remember(&shell.opening, &first)
}

fn remember(opening: &Opening, branch: &Branch) -> Outcome {
    let (Some(file), Some(place)) = (file(), Place::of(opening)) else {
        return Err(Failure::statement("there is no place to remember the branch in")
            .with_hint("set XDG_STATE_HOME or HOME, or name the branch with --branch"));
    };
    let shown = file.display().to_string();
    let failed = |error: std::io::Error| Failure::file("write", &shown, &error);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // Two calls at once must not lose what one of them writes. Some file systems have no locks.
    let lock = File::create(file.with_extension("lock")).map_err(failed)?;
    let _ = lock.lock();
    let mut lines = Lines::read(&std::fs::read_to_string(&file).unwrap_or_default());
    lines.set(&place, Choice::of(branch));
    // Written beside and renamed, so that a reader never sees half a file.
    let beside = file.with_extension(format!("{}", std::process::id()));
    std::fs::write(&beside, lines.write()).map_err(failed)?;
    std::fs::rename(&beside, &file).map_err(failed)
}
