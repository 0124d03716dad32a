//! Progress bars on what can last a second; none where nobody sees them.
//!
//! Bars go to standard error, so that a pipe's data stays clean. Neighbours: `transfer`, `verb`.

use std::io::{self, Read};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::shell::Shell;

const REDRAWS_A_SECOND: u8 = 10;
/// How often the library asks whether to go on, about.
const ROWS_A_CALL: u64 = 1000;

/// A bar that may be invisible.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over bytes, with rate and time left; a counter where their number is not known.
    pub(crate) fn bytes(shell: &Shell, label: &str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            None => "{msg} {spinner} {bytes} {bytes_per_sec} {elapsed}",
        };
        Self::new(shell, label, total, template)
    }

    /// The same over rows or other things.
    pub(crate) fn items(shell: &Shell, label: &str, total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{msg} [{wide_bar}] {human_pos}/{human_len} {per_sec} {eta} left",
            None => "{msg} {spinner} {human_pos} {per_sec} {elapsed}",
        };
        Self::new(shell, label, total, template)
    }

    fn new(shell: &Shell, label: &str, total: Option<u64>, template: &str) -> Self {
        let is_visible = shell.terminal.shows_progress && shell.switches.progress;
        Self::visible(is_visible, label, total, template)
    }

    /// A counter of rows that the statements of the shell's connection work on, until it is taken
    /// off with [`Progress::end`].
    pub(crate) fn rows(shell: &Shell, label: &str) -> Self {
        let progress = Self::items(shell, label, None);
        if !progress.bar.is_hidden() {
            let bar = progress.bar.clone();
            shell.connection.progress_handler(Some(move || {
                bar.inc(ROWS_A_CALL);
                false
            }));
        }
        progress
    }

    /// Takes a counter of rows off the screen.
    pub(crate) fn end(&self, shell: &Shell) {
        shell.connection.progress_handler(None::<fn() -> bool>);
        self.finish();
    }

    /// A counter of what is done again when a database is opened, where there is no shell yet.
    pub(crate) fn recovery() -> Self {
        Self::visible(true, "recovering", None, "{msg} {spinner} {bytes} {bytes_per_sec}")
    }

    fn visible(is_visible: bool, label: &str, total: Option<u64>, template: &str) -> Self {
        let target = if is_visible {
            ProgressDrawTarget::stderr_with_hz(REDRAWS_A_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(total, target).with_message(label.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if is_visible {
            // Shown at once: the thread that moves it may come late, after all the work.
            bar.tick();
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar }
    }

    /// So much more is done.
    pub(crate) fn advance(&self, amount: u64) {
        self.bar.inc(amount);
    }

    /// So much is done in all.
    pub(crate) fn set(&self, amount: u64) {
        self.bar.set_position(amount);
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A reader that moves the bar.
    pub(crate) fn reading<R: Read>(&self, inner: R) -> Reading<R> {
        Reading { inner, progress: self.clone() }
    }
}

/// Counts what is read.
pub(crate) struct Reading<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Reading<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
