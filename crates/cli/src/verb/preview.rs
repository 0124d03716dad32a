//! `pando preview` and `pando apply`: what statements or a merge would change, and then doing
//! that if the branch has not moved.
//!
//! A preview belongs to the connection that made it, so `apply` previews again in its own process
//! and compares the commit that both stand on. Neighbours: `graph::diff` draws the rows.

use std::io::Write;

use pandodb::{Preview, PreviewedChange};

use super::branches;
use super::graph::diff::Picture;
use crate::arguments::PreviewArguments;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::output::quote;
use crate::shell::Shell;

/// What is to be previewed: SQL, the text of a file, or a merge.
fn script(shell: &Shell, what: &PreviewArguments) -> Outcome<String> {
    if let Some(source) = &what.merge {
        let target = what.into.clone().unwrap_or_else(|| shell.connection.current_branch());
        let (source, target) =
            (quote::quoted_identifier(source), quote::quoted_identifier(&target));
        return Ok(format!("MERGE BRANCH {source} INTO {target}"));
    }
    let text = what.sql.join(" ");
    if what.sql.len() == 1 && std::path::Path::new(&text).is_file() {
        return std::fs::read_to_string(&text)
            .map_err(|error| Failure::file("read", &text, &error));
    }
    if text.trim().is_empty() {
        return Err(Failure::usage(
            "what is to be previewed? SQL, a file of it, or --merge BRANCH",
        ));
    }
    Ok(text)
}

/// Shows what would change.
pub(super) fn preview(shell: &mut Shell, what: &PreviewArguments) -> Outcome<Exit> {
    let sql = script(shell, what)?;
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    if branches::is_for_programs(shell) {
        let script = format!("PREVIEW BEGIN {}; END", sql.trim().trim_end_matches(';'));
        let text = if what.merge.is_some() { format!("PREVIEW {sql}") } else { script };
        // A place in the text is one of what was typed, which the library's own preview tells.
        shell.show_query(&text, &[]).map_err(|failure| {
            shell.connection.preview(&sql).err().map_or(failure, Failure::from)
        })?;
        return Ok(Exit::Success);
    }
    let preview = shell.connection.preview(&sql)?;
    let text = picture(&preview, shell.settings.color);
    let (holds, base) = (preview.holds(), preview.base);
    drop(preview);
    shell.show_text(&text)?;
    if holds {
        shell.say(format_args!("Nothing was changed; pando apply --base {base} ... does it"))?;
        return Ok(Exit::Success);
    }
    Ok(if what.merge.is_some() { Exit::Conflict } else { Exit::Statement })
}

/// Does what a preview of it shows, if the branch stands where it was previewed.
pub(super) fn apply(
    shell: &mut Shell,
    what: &PreviewArguments,
    base: Option<u64>,
) -> Outcome<Exit> {
    let sql = script(shell, what)?;
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    let preview = shell.connection.preview(&sql)?;
    if let Some(base) = base.filter(|base| *base != preview.base) {
        let message = format!(
            "{} has moved: it was previewed at transaction {base} and stands at {}",
            preview.branch, preview.base
        );
        return Err(Failure::new(Exit::Busy, message).with_hint("pando preview shows it again"));
    }
    let text = picture(&preview, false);
    if !preview.holds() {
        write!(shell.sink, "{text}")?;
        let exit = if what.merge.is_some() { Exit::Conflict } else { Exit::Statement };
        return Err(Failure::new(exit, "it cannot be applied: see above"));
    }
    let (rows, branch) = (changed_rows(&preview.changes), preview.branch.clone());
    preview.apply()?;
    shell.say(format_args!("Applied to {branch}: {rows}"))?;
    Ok(Exit::Success)
}

/// The counts of all tables in words.
fn changed_rows(changes: &[PreviewedChange]) -> String {
    let count = |word: &str| -> i64 {
        let counts = changes.iter().filter(|it| it.section == "table" && it.change == word);
        counts.filter_map(|it| it.new.as_ref().as_i64()).sum()
    };
    let parts: Vec<String> = ["inserted", "updated", "deleted"]
        .into_iter()
        .map(|word| (word, count(word)))
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let schema = changes.iter().filter(|it| it.section == "schema").count();
    match (parts.is_empty(), schema) {
        (true, 0) => "nothing changes".to_owned(),
        (true, schema) => format!("{schema} schema"),
        (false, 0) => parts.join(", "),
        (false, schema) => format!("{}, {schema} schema", parts.join(", ")),
    }
}

/// The report for people.
fn picture(preview: &Preview<'_>, color: bool) -> String {
    let mut text = format!(
        "{} at transaction {}: {} ({:.1} ms)\n",
        preview.branch,
        preview.base,
        changed_rows(&preview.changes),
        preview.took.as_secs_f64() * 1000.0
    );
    let mut rows = Picture::new(color);
    let mut verdict = String::new();
    for change in &preview.changes {
        match change.section.as_str() {
            "row" => rows.add_row(
                &change.object,
                &change.change,
                change.row_key.as_deref().unwrap_or(""),
                change.column.as_deref().unwrap_or(""),
                (change.old.as_ref(), change.new.as_ref()),
            ),
            "schema" => text.push_str(&format!("  schema: {} {}\n", change.object, change.change)),
            "conflict" => text.push_str(&format!(
                "CONFLICT ({}) {} {} {}: {} / {}\n",
                change.change,
                change.object,
                change.row_key.as_deref().unwrap_or(""),
                change.column.as_deref().unwrap_or(""),
                change.old,
                change.new
            )),
            "constraints" => {
                verdict = match change.change.as_str() {
                    "all hold" => "All constraints hold.\n".to_owned(),
                    "fails" => format!("It would fail: {}\n", change.new),
                    other => format!("Constraints: {other}\n"),
                };
            }
            _ => {}
        }
    }
    text.push_str(&rows.finish());
    text.push_str(&verdict);
    text
}
