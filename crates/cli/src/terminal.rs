//! What the terminal can do: its size, whether to use colours, the pager.
//!
//! `NO_COLOR` and `CLICOLOR_FORCE` are honoured as their sites say. Neighbours: `output`, `shell`,
//! `progress`.

use std::env;
use std::io::IsTerminal;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    fn decide(self, is_terminal: bool) -> bool {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Self::Auto => is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

/// What is known about standard input, output and error.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Terminal {
    /// Standard input is a person.
    pub(crate) has_input: bool,
    /// Standard output is a screen.
    pub(crate) has_output: bool,
    /// Standard error is a screen, and progress bars are wanted there.
    pub(crate) shows_progress: bool,
    /// Output may be coloured.
    pub(crate) color_output: bool,
    /// Messages may be coloured.
    pub(crate) color_errors: bool,
}

impl Terminal {
    pub(crate) fn detect(color: ColorChoice) -> Self {
        let has_output = std::io::stdout().is_terminal();
        let has_errors = std::io::stderr().is_terminal();
        Self {
            has_input: std::io::stdin().is_terminal(),
            has_output,
            shows_progress: has_errors,
            color_output: color.decide(has_output),
            color_errors: color.decide(has_errors),
        }
    }

    /// The same, with progress bars only where they are wanted.
    pub(crate) fn with_progress(self, wanted: bool) -> Self {
        Self { shows_progress: self.shows_progress && wanted, ..self }
    }

    /// Columns of the screen; 80 where there is none.
    pub(crate) fn width() -> usize {
        let size = terminal_size::terminal_size_of(std::io::stdout())
            .or_else(|| terminal_size::terminal_size_of(std::io::stderr()));
        size.map_or(80, |(width, _)| usize::from(width.0)).max(20)
    }

    /// Lines of the screen, where there is one.
    pub(crate) fn height() -> Option<usize> {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        size.map(|(_, height)| usize::from(height.0))
    }
}

/// The pager's command: `PANDO_PAGER`, `PAGER`, or `less`; none where it is set to nothing.
pub(crate) fn pager() -> Option<String> {
    let chosen = env::var("PANDO_PAGER").or_else(|_| env::var("PAGER"));
    match chosen {
        Ok(command) if command.trim().is_empty() || command == "cat" => None,
        Ok(command) if command == "less" => Some("less -RSFX".to_owned()),
        Ok(command) => Some(command),
        Err(_) => (!cfg!(windows)).then(|| "less -RSFX".to_owned()),
    }
}

/// The text editor's command: `PANDO_EDITOR`, `VISUAL`, `EDITOR`, or `vi`.
pub(crate) fn editor() -> String {
    let names = ["PANDO_EDITOR", "VISUAL", "EDITOR"];
    let editor = names.iter().find_map(|name| env::var(name).ok().filter(|e| !e.is_empty()));
    editor.unwrap_or_else(|| "vi".to_owned())
}
