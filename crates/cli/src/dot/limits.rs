//! `.limit` and `.expert`: what a connection allows, and which indexes would help.
//!
//! Both print what sqlite3 prints. Neighbours: `database` lists them among the commands.

use std::io::Write;

use pandodb::Limit;

use super::usage;
use crate::failure::{Failure, Outcome};
use crate::shell::{Expert, Shell};

/// How many rows of a table tell how selective an index would be.
const SAMPLE_ROWS: u64 = 1000;

/// Shows all limits, shows one, or sets one.
pub(super) fn limit(shell: &mut Shell, words: &[String]) -> Outcome {
    let (name, value) = match words {
        [] => {
            for limit in Limit::ALL {
                show(shell, limit)?;
            }
            return Ok(());
        }
        [name] => (name, None),
        [name, value] => (name, Some(value)),
        _ => return Err(usage("limit")),
    };
    let limit = find(name)?;
    if let Some(value) = value {
        let value: i64 = value
            .parse()
            .map_err(|_| Failure::usage(format!(".limit takes a number, not {value}")))?;
        shell.connection.set_limit(limit, i32::try_from(value).unwrap_or(i32::MAX));
    }
    show(shell, limit)
}

fn show(shell: &mut Shell, limit: Limit) -> Outcome {
    let value = shell.connection.limit(limit);
    Ok(writeln!(shell.sink, "{:>20} {value}", limit.name())?)
}

/// The limit of this name, or the only one that begins so.
fn find(name: &str) -> Outcome<Limit> {
    let lower = name.to_ascii_lowercase();
    if let Some(exact) = Limit::ALL.into_iter().find(|limit| limit.name() == lower) {
        return Ok(exact);
    }
    let mut fitting = Limit::ALL.into_iter().filter(|limit| limit.name().starts_with(&lower));
    match (fitting.next(), fitting.next()) {
        (Some(limit), None) => Ok(limit),
        (Some(_), Some(_)) => Err(Failure::usage(format!("ambiguous limit: {name:?}"))),
        (None, _) => Err(Failure::usage(format!("unknown limit: {name:?}"))
            .with_hint(".limit without arguments lists them")),
    }
}

/// Makes the next statements be looked at rather than run.
pub(super) fn expert(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut expert = Expert { is_verbose: false, sample_percent: None };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let option = word.trim_start_matches('-');
        match option {
            _ if option.is_empty() || option.len() == word.len() => {
                return Err(Failure::usage(format!("unknown option: {word}")));
            }
            "verbose" | "v" => expert.is_verbose = true,
            "sample" | "s" => {
                let percent = rest.next().and_then(|word| word.parse::<u8>().ok());
                let percent = percent.filter(|percent| *percent <= 100);
                let wrong = || Failure::usage("--sample takes a percentage from 0 to 100");
                expert.sample_percent = Some(percent.ok_or_else(wrong)?);
            }
            _ => return Err(Failure::usage(format!("unknown option: {word}"))),
        }
    }
    shell.expert = Some(expert);
    Ok(())
}

/// Tells which indexes would help the statements of a text, and what they would then do.
pub(crate) fn advise(shell: &mut Shell, expert: &Expert, text: &str) -> Outcome {
    let sample = match expert.sample_percent {
        None => SAMPLE_ROWS,
        Some(percent) => rows_of_largest(shell)? * u64::from(percent) / 100,
    };
    let advised = shell.connection.advise_indexes(text, sample)?;
    let mut out = String::new();
    if expert.is_verbose {
        out.push_str("-- Candidates -----------------------------\n");
        let candidates = advised.iter().flat_map(|advice| &advice.candidates);
        let mut seen: Vec<&String> = Vec::new();
        for candidate in candidates {
            if !seen.contains(&candidate) {
                seen.push(candidate);
                out.push_str(candidate);
                out.push('\n');
            }
        }
        out.push('\n');
    }
    for (number, advice) in (1..).zip(&advised) {
        if expert.is_verbose {
            out.push_str(&format!("-- Query {number} --------------------------------\n"));
            out.push_str(&format!("{}\n\n", advice.statement));
        }
        if advice.indexes.is_empty() {
            out.push_str("(no new indexes)\n");
        }
        for index in &advice.indexes {
            out.push_str(index);
            out.push('\n');
        }
        out.push('\n');
        for (_, line) in &advice.plan {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    shell.show_text(&out)
}

/// How many rows the largest table has.
fn rows_of_largest(shell: &Shell) -> Outcome<u64> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut most = 0;
    for name in shell.query_texts(sql, &[])? {
        let name = crate::output::quote::quoted_identifier(&name);
        let count = shell.query_texts(&format!("SELECT count(*) FROM {name}"), &[])?;
        most = most.max(count.first().and_then(|count| count.parse().ok()).unwrap_or(0));
    }
    Ok(most)
}
