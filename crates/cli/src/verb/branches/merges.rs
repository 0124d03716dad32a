//! Merging a branch into another one, and what becomes of conflicts.
//!
//! Neighbours: `rebase` merges commit by commit.

use std::io::Write;

use pandodb::ErrorKind;

use super::{is_for_programs, text};
use crate::failure::{Failure, Outcome};
use crate::output::quote::quoted_identifier;
use crate::shell::Shell;
use crate::verb::rebase;

/// Options of a merge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merge {
    pub(crate) dry_run: bool,
    pub(crate) strategy: Option<String>,
    pub(crate) delete_branch: bool,
}

pub(crate) fn merge(shell: &mut Shell, source: &str, target: &str, options: &Merge) -> Outcome {
    let (from, to) = (quoted_identifier(source), quoted_identifier(target));
    let mut sql = format!("MERGE BRANCH {from} INTO {to}");
    let mut settings = Vec::new();
    if let Some(strategy) = &options.strategy {
        settings.push(format!("conflict_resolution = {}", text(strategy)));
    }
    if options.delete_branch {
        settings.push("delete_branch_after = true".to_owned());
    }
    if options.dry_run {
        settings.push("dry_run = true".to_owned());
    }
    if !settings.is_empty() {
        sql.push_str(&format!(" WITH ({})", settings.join(", ")));
    }
    let progress = crate::progress::Progress::rows(shell, "merging");
    if is_for_programs(shell) {
        let outcome = shell.show_query(&sql, &[]);
        progress.end(shell);
        return outcome.map_err(how_to_decide);
    }
    let told = merge_told(shell, &sql);
    progress.end(shell);
    let (status, told) = match told {
        Err(failure) if failure.is(ErrorKind::MergeConflict) => {
            write_conflicts(shell, source, target)?;
            return Err(how_to_decide(failure));
        }
        told => told?,
    };
    writeln!(shell.sink, "{told}")?;
    if status == "conflicts" {
        return list_conflicts(shell, source, target, options);
    }
    if options.dry_run || status == "up to date" {
        return Ok(());
    }
    shell.say(format_args!("Merged branch: {source} into {target}"))
}

/// What to do about a merge with conflicts, in words of this program.
fn how_to_decide(failure: Failure) -> Failure {
    if !failure.is(ErrorKind::MergeConflict) {
        return failure;
    }
    // These are found where no other conflict is left.
    let breaks_constraint = failure.to_string().contains("; the first: constraint: ");
    failure.with_hint(if breaks_constraint {
        "no strategy decides what breaks a constraint: \
         --strategy manual keeps the merge open for pando conflicts"
    } else {
        "--strategy source_wins or target_wins decides all but two things of one name, \
         --strategy manual keeps the merge open for pando conflicts"
    })
}

/// Merges, and says in a line what came of it.
fn merge_told(shell: &Shell, sql: &str) -> Outcome<(String, String)> {
    let mut statement = shell.connection.prepare(sql)?;
    Ok(statement.query_row((), |row| {
        // None where it was not counted.
        let number = |name: &str| row.get::<_, Option<u64>>(name).map(Option::unwrap_or_default);
        let status: String = row.get("status")?;
        let facts = [
            ("inserted", number("rows_inserted")?),
            ("updated", number("rows_updated")?),
            ("deleted", number("rows_deleted")?),
            ("renumbered", number("rows_renumbered")?),
            ("schema", number("schema_changes")?),
            ("open", number("conflicts")?),
        ];
        let facts = facts.iter().filter(|(_, count)| *count > 0);
        let facts: Vec<String> = facts.map(|(what, count)| format!("{count} {what}")).collect();
        let told = if facts.is_empty() {
            status.clone()
        } else {
            format!("{status}: {}", facts.join(", "))
        };
        Ok((status, told))
    })?)
}

/// What two branches cannot agree on, one a line, and what to do.
fn list_conflicts(shell: &mut Shell, source: &str, target: &str, options: &Merge) -> Outcome {
    write_conflicts(shell, source, target)?;
    if options.dry_run {
        return Ok(());
    }
    shell.say(format_args!(
        "The merge waits: pando conflicts shows, pando conflicts resolve answers, \
         pando merge --continue ends it"
    ))
}

/// What two branches cannot agree on, one a line.
fn write_conflicts(shell: &mut Shell, source: &str, target: &str) -> Outcome {
    let merge = shell.connection.merge(source).into_branch(target).dry_run(true);
    // A merge that waits for answers is there already: then it lists them itself.
    let conflicts = merge.run().map(|seen| seen.conflicts).unwrap_or_default();
    for conflict in &conflicts {
        let kind = format!("{:?}", conflict.kind).to_lowercase();
        let key: Vec<String> = conflict.row_key.iter().map(ToString::to_string).collect();
        let (object, key) = (&conflict.object, key.join(", "));
        let line = format!("CONFLICT ({kind}) {object} {key}: {}", conflict.detail);
        let line = shell.shown(&line);
        writeln!(shell.sink, "{line}")?;
    }
    Ok(())
}

/// How conflicts are resolved, as SQL says it.
pub(crate) fn choice(word: &str, text: Option<&str>) -> Outcome<String> {
    let choice = match word.to_ascii_lowercase().as_str() {
        "source" | "theirs" | "source_wins" => "SOURCE",
        "target" | "ours" | "target_wins" => "TARGET",
        "base" => "BASE",
        "delete" => "DELETE",
        "definition" => {
            let text = text.ok_or_else(|| {
                Failure::usage("a definition has a text".to_owned())
                    .with_hint("pando conflicts resolve definition 'price REAL' --number 1")
            })?;
            return Ok(format!("DEFINITION '{}'", text.replace('\'', "''")));
        }
        _ => {
            return Err(Failure::usage(format!("a conflict cannot be resolved with {word}"))
                .with_hint("source (theirs), target (ours), base, delete, or definition TEXT"));
        }
    };
    match text {
        Some(text) => Err(Failure::usage(format!("{word} takes no text: {text}"))
            .with_hint("definition TEXT says what a part of a definition is to be")),
        None => Ok(choice.to_owned()),
    }
}

/// Resolves conflicts: one, those of a table, or all.
pub(crate) fn resolve(
    shell: &mut Shell,
    choice: &str,
    table: Option<&str>,
    number: Option<u64>,
) -> Outcome {
    let scope = match (number, table) {
        (Some(number), _) => format!("CONFLICT {number}"),
        (None, Some(table)) => format!("CONFLICTS IN TABLE {}", quoted_identifier(table)),
        (None, None) => "CONFLICTS".to_owned(),
    };
    shell.execute(&format!("RESOLVE {scope} WITH {choice}"))?;
    let open = shell.query_texts("SELECT 1 FROM pando_conflicts WHERE resolution IS NULL", &[])?;
    match open.len() {
        0 if rebase::waiting(shell).is_some() => {
            shell.say("All conflicts are resolved: pando rebase --continue goes on with the rebase")
        }
        0 => shell.say("All conflicts are resolved: pando merge --continue ends the merge"),
        1 => shell.say("1 conflict is open"),
        count => shell.say(format_args!("{count} conflicts are open")),
    }
}
