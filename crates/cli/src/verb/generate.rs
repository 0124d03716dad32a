//! What is made from the command line's own description: completions and manual pages.
//!
//! Neighbours: `arguments` is the description.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::dot;
use crate::exit;
use crate::failure::{Failure, Outcome};

/// Completions for a shell, to standard output.
pub(super) fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "pando", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(())
}

/// The help of the program or of a verb.
pub(super) fn help(about: &[String]) -> Outcome {
    let mut command = Arguments::command();
    command.build();
    for word in about {
        let Some(found) = command.find_subcommand(word) else {
            return Err(crate::arguments::no_such_verb(word));
        };
        command = found.clone();
    }
    std::io::stdout().write_all(command.render_long_help().to_string().as_bytes())?;
    Ok(())
}

/// The manual: one page to standard output, or a page for each verb into a folder.
pub(super) fn manual(folder: Option<&str>) -> Outcome {
    let Some(folder) = folder else {
        let page = main_page()?;
        std::io::stdout().write_all(&page)?;
        return Ok(());
    };
    let failed = |error: std::io::Error| Failure::file("write to", folder, &error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let write = |name: &str, page: &[u8]| {
        std::fs::write(Path::new(folder).join(format!("{name}.1")), page).map_err(failed)
    };
    write("pando", &main_page()?)?;
    for verb in Arguments::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let name = format!("pando-{}", verb.get_name());
        let mut page = Vec::new();
        clap_mangen::Man::new(verb.clone()).title(name.clone()).render(&mut page)?;
        write(&name, &page)?;
    }
    Ok(())
}

/// The page of the program, with the dot commands and the exit codes.
fn main_page() -> Outcome<Vec<u8>> {
    let manual = clap_mangen::Man::new(Arguments::command());
    let mut page = Vec::new();
    manual.render(&mut page)?;
    for group in dot::Group::ALL {
        writeln!(page, ".SH \"DOT COMMANDS: {}\"", group.title().to_uppercase())?;
        for command in group.commands() {
            let usage = format!(".{} {}", command.name, command.usage);
            writeln!(page, ".TP\n\\fB{}\\fR\n{}", roff(usage.trim_end()), roff(command.about))?;
            for detail in command.details.lines() {
                writeln!(page, "{}", roff(detail))?;
            }
        }
    }
    writeln!(page, ".SH \"EXIT CODES\"")?;
    for (exit, meaning) in exit::TABLE {
        writeln!(page, ".TP\n{}\n{}", *exit as u8, roff(meaning))?;
    }
    Ok(page)
}

/// Text that the manual's formatter takes as text.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_every_command_and_code() {
        let page = String::from_utf8(main_page().unwrap()).unwrap();
        for command in dot::commands() {
            assert!(page.contains(&roff(&format!(".{}", command.name))), "{}", command.name);
        }
        assert!(page.contains(".TP\n130\n"));
    }

    #[test]
    fn completions_know_the_verbs() {
        for shell in
            [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish]
        {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "pando", &mut text);
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("cherry-pick") && text.contains("switch"), "{shell}");
        }
    }
}
