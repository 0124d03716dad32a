//! `.help`: made from the table of commands, so that it cannot be out of date.
//!
//! Neighbours: the parent module has the table.

use std::fmt::Write as _;
use std::io::Write;

use super::{Command, Group, commands, find};
use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// All commands by group, one command's help, or what mentions a word.
pub(super) fn help(shell: &mut Shell, words: &[String]) -> Outcome {
    let text = match words {
        [] => everything(),
        [topic, ..] if topic == "--all" || topic == "-all" => commands().map(detailed).collect(),
        [topic, ..] => about(topic.trim_start_matches(['.', '\\']))?,
    };
    shell.sink.write_all(text.as_bytes())?;
    Ok(())
}

fn everything() -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let _ = writeln!(text, "{}:", group.title());
        for command in group.commands() {
            text.push_str(&line(command));
        }
        text.push('\n');
    }
    text.push_str(
        "Statements end with a semicolon and may span lines. Ctrl-C stops a statement, Tab \
         completes.\n.help COMMAND tells more about one.\n",
    );
    text
}

fn line(command: &Command) -> String {
    let usage = format!(".{} {}", command.name, command.usage);
    let usage = usage.trim_end();
    if usage.len() > 26 {
        format!("  {usage}\n  {:26} {}\n", "", command.about)
    } else {
        format!("  {usage:26} {}\n", command.about)
    }
}

fn detailed(command: &Command) -> String {
    let mut text = format!(".{} {}", command.name, command.usage).trim_end().to_owned();
    let _ = write!(text, "\n    {}\n", command.about);
    for detail in command.details.lines() {
        let _ = writeln!(text, "    {detail}");
    }
    if !command.others.is_empty() {
        let mark = |name: &&str| {
            if name.starts_with('\\') { (*name).to_owned() } else { format!(".{name}") }
        };
        let names: Vec<String> = command.others.iter().map(mark).collect();
        let _ = writeln!(text, "    also {}", names.join(", "));
    }
    text
}

fn about(topic: &str) -> Outcome<String> {
    let group = Group::ALL.into_iter().find(|group| group.title().eq_ignore_ascii_case(topic));
    if let Some(group) = group {
        return Ok(group.commands().iter().map(detailed).collect());
    }
    if let Some(command) = find(topic).or_else(|| find(&format!("\\{topic}"))) {
        return Ok(detailed(command));
    }
    let word = topic.to_lowercase();
    let mentions = |text: &str| text.to_lowercase().contains(&word);
    let found: String = commands()
        .filter(|command| {
            mentions(command.name) || mentions(command.about) || mentions(command.details)
        })
        .map(line)
        .collect();
    if found.is_empty() {
        return Err(Failure::usage(format!("there is no help on {topic}"))
            .with_hint(".help lists all commands"));
    }
    Ok(found)
}
