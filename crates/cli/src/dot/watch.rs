//! `.trace`, `.log` of errors, and `.progress` with a number: what sqlite3 tells of statements.
//!
//! Neighbours: `crate::shell::watch` writes what is switched on here.

use std::io::Write;

use super::usage;
use crate::failure::{Failure, Outcome};
use crate::shell::{Log, Shell, Trace, TraceForm};

/// How often the library asks whether to go on, about.
const ROWS_A_CALL: u64 = 1000;

/// Where statements are written as they run.
pub(super) fn trace(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut form = TraceForm::Plain;
    let mut is_timed = false;
    let mut target = None;
    for word in words {
        match word.as_str() {
            "--plain" => form = TraceForm::Plain,
            "--expanded" => form = TraceForm::Expanded,
            "--normalized" => form = TraceForm::Normalized,
            "--stmt" => is_timed = false,
            "--profile" => is_timed = true,
            option if option.starts_with("--") => {
                return Err(Failure::usage(format!("unknown option: {option}"))
                    .with_hint("--plain, --expanded, --normalized, --stmt or --profile"));
            }
            word if target.is_none() => target = Some(word),
            _ => return Err(usage("trace")),
        }
    }
    shell.watch.trace = match target {
        None => return Err(usage("trace")),
        Some("off") => None,
        Some("on") => Some(Trace { to: Log::Screen, form, is_timed }),
        Some(word) => Some(Trace { to: Log::open(&shell.connection, word)?, form, is_timed }),
    };
    Ok(())
}

/// Whether a word behind `.log` says where errors go; anything else is a branch.
pub(super) fn is_log_target(shell: &Shell, word: &str) -> bool {
    let is_named = ["on", "off", "stdout", "stderr"].contains(&word) || word.contains(['/', '.']);
    is_named && shell.connection.branch(word).is_err()
}

/// Where errors are written beside standard error.
pub(super) fn log(shell: &mut Shell, word: &str) -> Outcome {
    shell.watch.errors =
        if word == "off" { None } else { Some(Log::open(&shell.connection, word)?) };
    Ok(())
}

/// Counts rows of running statements: `.progress N [--limit M] [--once] [--quiet] [--reset]`.
pub(super) fn progress(shell: &mut Shell, words: &[String]) -> Outcome {
    let (mut every, mut most) = (0_u64, u64::MAX);
    let (mut is_quiet, mut is_once) = (false, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.trim_start_matches('-') {
            "quiet" | "q" => is_quiet = true,
            "once" => is_once = true,
            // Each statement is counted from its beginning anyway.
            "reset" => {}
            "limit" => {
                let count = rest.next().and_then(|word| word.parse().ok());
                most = count.ok_or_else(|| usage("progress"))?;
            }
            number => every = number.parse().map_err(|_| usage("progress"))?,
        }
    }
    if every == 0 {
        shell.connection.progress_handler(None::<fn() -> bool>);
        return Ok(());
    }
    let calls = every.div_ceil(ROWS_A_CALL);
    let (mut called, mut told) = (0_u64, 0_u64);
    shell.connection.progress_handler(Some(move || {
        called += 1;
        if !called.is_multiple_of(calls) {
            return false;
        }
        told += 1;
        let is_over = told >= most;
        if !is_quiet {
            let text = if is_over {
                format!("Progress limit reached ({told})")
            } else {
                format!("Progress {told}")
            };
            // A screen that is gone stops the statement by itself.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        if is_over && is_once {
            most = u64::MAX;
        }
        if is_over {
            told = 0;
        }
        is_over
    }));
    Ok(())
}
