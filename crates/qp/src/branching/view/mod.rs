//! System views: what SHOW lists, and more, readable in any SELECT.
//!
//! Each is one entry of a table: its columns, its arguments, and how its rows are found. They
//! are written like tables (`FROM pando_branches`), those with arguments like functions
//! (`FROM pando_changes(12)`); a table of the user's that has such a name goes first. Rows are
//! found when a scan opens. Neighbours: `bind::system` makes them relations, `show` has the rows
//! that SHOW lists as well, `table_diff` is `pando_diff`.

mod commits;
mod sizes;
pub(crate) mod table_diff;

use pandodb_branch::registry::Privilege;
use pandodb_ds::record::Value;

use super::show::{
    BRANCH_COLUMNS, COMMIT_COLUMNS, CONFLICT_COLUMNS, TAG_COLUMNS, listed_branch, text,
};
use super::{Rows, Work, difference};
use crate::error::{Error, Result};
use crate::execute::GivenRows;
use crate::session::Session;

/// A system view.
pub(crate) struct SystemView {
    /// What FROM calls it.
    pub(crate) name: &'static str,
    /// What its rows are called; none where the arguments decide.
    pub(crate) columns: &'static [&'static str],
    /// What it takes, the last ones may be left out.
    pub(crate) arguments: &'static [&'static str],
    /// How many of them must be there.
    pub(crate) needed: usize,
    /// Whether its first argument is the key that its first column holds; with a second one
    /// behind it, there are no rows where there is no such key.
    pub(crate) has_key: bool,
    rows: Found,
}

/// How the rows of a view are found: at once, or as they are asked for.
enum Found {
    Made(fn(&Work<'_>, &[Value]) -> Result<Rows>),
    Streamed(fn(&Work<'_>, &[Value]) -> Result<GivenRows>),
}

/// All system views.
pub(crate) const VIEWS: &[SystemView] = &[
    SystemView {
        name: "pando_branches",
        columns: BRANCH_COLUMNS,
        arguments: &["branch"],
        needed: 0,
        has_key: true,
        rows: Found::Made(|work, arguments| match text_argument(arguments, 0) {
            Some(name) if arguments.len() > 1 => match work.readable_branch(&name) {
                Ok(branch) => Ok(vec![work.branch_row(&branch)?]),
                Err(_) => Ok(Vec::new()),
            },
            Some(name) => Ok(vec![work.branch_row(&work.readable_branch(&name)?)?]),
            None => work.branch_rows(),
        }),
    },
    SystemView {
        name: "pando_tags",
        columns: TAG_COLUMNS,
        arguments: &[],
        needed: 0,
        has_key: false,
        rows: Found::Made(|work, _| work.tag_rows()),
    },
    SystemView {
        name: "pando_log",
        columns: COMMIT_COLUMNS,
        arguments: &["branch"],
        needed: 0,
        has_key: false,
        rows: Found::Made(commits::log),
    },
    SystemView {
        name: "pando_changes",
        columns: difference::COLUMNS,
        arguments: &["transaction"],
        needed: 1,
        has_key: false,
        rows: Found::Streamed(commits::changes),
    },
    SystemView {
        name: "pando_conflicts",
        columns: CONFLICT_COLUMNS,
        arguments: &[],
        needed: 0,
        has_key: false,
        rows: Found::Made(|work, _| work.conflict_rows(None)),
    },
    SystemView {
        name: "pando_diff",
        columns: &[],
        arguments: &["table", "old", "new"],
        needed: 3,
        has_key: false,
        rows: Found::Streamed(table_diff::rows),
    },
    SystemView {
        name: "pando_diff_summary",
        columns: table_diff::SUMMARY_COLUMNS,
        arguments: &["old", "new"],
        needed: 2,
        has_key: false,
        rows: Found::Made(table_diff::summary),
    },
    SystemView {
        name: "pando_sizes",
        columns: sizes::COLUMNS,
        arguments: &["branch"],
        needed: 0,
        has_key: false,
        rows: Found::Made(sizes::rows),
    },
    SystemView {
        name: "pando_grants",
        columns: &["branch_name", "user_name", "privilege"],
        arguments: &[],
        needed: 0,
        has_key: false,
        rows: Found::Made(|work, _| grants(work)),
    },
    SystemView {
        name: "pando_reflog",
        columns: &["entry", "branch_name", "transaction_id", "reset_at", "reason"],
        arguments: &[],
        needed: 0,
        has_key: false,
        rows: Found::Made(|work, _| reflog(work)),
    },
];

/// The view called `name`.
pub(crate) fn find(name: &str) -> Option<&'static SystemView> {
    VIEWS.iter().find(|view| view.name.eq_ignore_ascii_case(name))
}

/// The rows of a view.
pub(crate) fn rows(session: &Session, view: &SystemView, arguments: &[Value]) -> Result<GivenRows> {
    if arguments.len() < view.needed {
        let message = format!("{}() needs {} arguments", view.name, view.needed);
        let hint = format!("{}({})", view.name, view.arguments.join(", "));
        return Err(Error::invalid(message).with_hint(hint));
    }
    let work = Work::new(session)?;
    match view.rows {
        Found::Made(find) => find(&work, arguments).map(GivenRows::from),
        Found::Streamed(find) => find(&work, arguments),
    }
}

/// An argument as text; none where it is left out or NULL.
fn text_argument(arguments: &[Value], place: usize) -> Option<String> {
    match arguments.get(place)? {
        Value::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

fn grants(work: &Work<'_>) -> Result<Rows> {
    let mut rows = Vec::new();
    for branch in work.readable()? {
        let grants: Vec<(String, Vec<Privilege>)> = work.branches.with(|state| {
            let grants = state.grants(branch.id).into_iter();
            grants.map(|(user, privileges)| (user.to_owned(), privileges)).collect()
        })?;
        for (user, privileges) in grants {
            for privilege in privileges {
                rows.push(vec![text(&branch.name), text(&user), text(privilege.as_str())]);
            }
        }
    }
    Ok(rows)
}

fn reflog(work: &Work<'_>) -> Result<Rows> {
    let entries: Vec<_> = work.branches.with(|state| state.reflog().cloned().collect())?;
    let branches = work.readable()?;
    let mut rows = Vec::new();
    for entry in entries {
        let Some(branch) = branches.iter().find(|it| it.id == entry.branch) else { continue };
        rows.push(vec![
            Value::Integer(entry.number as i64),
            listed_branch(branch),
            Value::Integer(entry.position.commit as i64),
            work.time(entry.time)?,
            text(&entry.reason),
        ]);
    }
    Ok(rows)
}
