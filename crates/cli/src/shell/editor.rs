//! The line editor: prompt, history, several lines, completion, colours.
//!
//! Enter runs the text when it is a dot command or a complete statement, and begins another line
//! otherwise. Ctrl-C drops what was typed, Ctrl-D leaves. Neighbours: `complete`, `highlight`,
//! `history`; `interrupt` has Ctrl-C while something runs.

use std::borrow::Cow;

use reedline::{
    ColumnarMenu, DefaultHinter, EditCommand, Emacs, FileBackedHistory, KeyCode, KeyModifiers,
    MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline,
    ReedlineEvent, ReedlineMenu, Signal, ValidationResult, Validator, default_emacs_keybindings,
};

use super::complete::{Names, SharedNames, SqlCompleter};
use super::highlight::SqlHighlighter;
use super::{Shell, command_of};
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::language::{Progress, progress};

const HISTORY_LINES: usize = 10_000;
const MENU: &str = "completion";

/// Reads and runs lines until the person leaves.
pub(super) fn run(shell: &mut Shell) -> Outcome {
    let names = SharedNames::default();
    let mut editor = editor(shell, &names);
    greet(shell)?;
    while shell.ended.is_none() {
        shell.settings.width_max = crate::terminal::Terminal::width();
        Names::refresh(&names, shell);
        let prompt = ShellPrompt::of(shell);
        match editor.read_line(&prompt) {
            Ok(Signal::Success(text)) => {
                // Saved at once: a shell that is killed loses nothing.
                let _ = editor.sync_history();
                if !text.trim().is_empty() {
                    // From here on Ctrl-C is a signal, and must find something other than the
                    // shell to stop.
                    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
                    shell.run_text(&text, None);
                }
            }
            Ok(Signal::CtrlC) => {}
            Ok(Signal::CtrlD) => break,
            Ok(_) => {}
            Err(error) => {
                let message = format!("cannot read from the terminal: {error}");
                return Err(Failure::new(crate::exit::Exit::Io, message));
            }
        }
    }
    // What failed at the prompt was told there; leaving the shell is no failure.
    shell.failed = None;
    Ok(())
}

fn greet(shell: &mut Shell) -> Outcome {
    let database = match shell.opening.path.as_str() {
        ":memory:" | "" => "a database in memory, gone when you leave".to_owned(),
        path => path.to_owned(),
    };
    let version = env!("CARGO_PKG_VERSION");
    shell.say(format_args!(
        "PandoDB {version} on {database}. Type .help for help, .exit to leave."
    ))?;
    // The editor writes to the terminal past our buffer.
    Ok(std::io::Write::flush(&mut shell.sink)?)
}

fn editor(shell: &Shell, names: &SharedNames) -> Reedline {
    let color = shell.terminal.color_output;
    let mut keys = default_emacs_keybindings();
    keys.add_binding(
        KeyModifiers::NONE,
        KeyCode::Tab,
        ReedlineEvent::UntilFound(vec![
            ReedlineEvent::Menu(MENU.to_owned()),
            ReedlineEvent::MenuNext,
        ]),
    );
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
    keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
    let menu = ColumnarMenu::default()
        .with_name(MENU)
        .with_marker("> ")
        .with_columns(4)
        .with_column_padding(2);
    let mut editor = Reedline::create()
        .with_edit_mode(Box::new(Emacs::new(keys)))
        .with_validator(Box::new(SqlValidator))
        .with_highlighter(Box::new(SqlHighlighter { color }))
        .with_completer(Box::new(SqlCompleter { names: names.clone() }))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_ansi_colors(color)
        .use_bracketed_paste(true);
    if color {
        editor = editor.with_hinter(Box::new(DefaultHinter::default()));
    }
    if let Some(path) = &shell.history.path {
        match FileBackedHistory::with_file(HISTORY_LINES, path.clone()) {
            Ok(history) => editor = editor.with_history(Box::new(history)),
            // A history that cannot be kept is no reason to refuse the shell.
            Err(error) => crate::shell::tell(
                &Failure::statement(format!(
                    "cannot keep a history in {}: {error}",
                    path.display()
                )),
                false,
                shell.terminal,
            ),
        }
    }
    editor
}

/// Whether Enter runs what is typed.
struct SqlValidator;

impl Validator for SqlValidator {
    fn validate(&self, text: &str) -> ValidationResult {
        if command_of(text).is_some() || progress(text) != Progress::Open {
            ValidationResult::Complete
        } else {
            ValidationResult::Incomplete
        }
    }
}

/// `pando> `, or `pando [dev]> ` on a branch; a star while a transaction is open.
struct ShellPrompt {
    left: String,
    more: String,
}

impl ShellPrompt {
    fn of(shell: &Shell) -> Self {
        let branch = shell.connection.current_branch();
        let mut left = shell.prompts.0.clone();
        if branch != "main" {
            let suffix = if shell.is_read_only_branch() { " read-only" } else { "" };
            left.push_str(&format!(" [{branch}{suffix}]"));
        }
        if !shell.connection.is_autocommit() {
            left.push('*');
        }
        Self { left, more: shell.prompts.1.clone() }
    }
}

impl Prompt for ShellPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.left)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.more)
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "no match for ",
        };
        Cow::Owned(format!("(history: {failing}{}) ", search.term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_runs_complete_statements_and_commands() {
        let runs = |text| matches!(SqlValidator.validate(text), ValidationResult::Complete);
        assert!(runs("SELECT 1;") && runs(".tables") && runs("") && runs("exit"));
        assert!(runs("-- a comment") && runs("\\dt"));
        assert!(!runs("SELECT 1") && !runs("SELECT ';") && !runs("BEGIN; SELECT"));
    }
}
