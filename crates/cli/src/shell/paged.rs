//! Output that goes through a pager once it is longer than the screen.
//!
//! The first screenful is held back; what fits is simply printed. Neighbours: `statement` writes
//! rows into it, `terminal` chooses the pager.

use std::io::{self, Write};

use super::statement::page_lines;
use crate::failure::Outcome;
use crate::output::sink::Sink;

/// A writer that decides late where its text goes.
pub(super) struct Paged<'s> {
    sink: &'s mut Sink,
    /// Text that fits the screen so far; nothing where no pager is wanted.
    held: Option<Vec<u8>>,
    lines: usize,
    lines_max: usize,
    command: String,
    pager: Option<Sink>,
}

impl<'s> Paged<'s> {
    pub(super) fn new(sink: &'s mut Sink, wanted: bool) -> Self {
        let page = page_lines().filter(|_| wanted && sink.is_screen());
        let (lines_max, command) = page.clone().unwrap_or_default();
        let held = page.map(|_| Vec::new());
        Self { sink, held, lines: 0, lines_max, command, pager: None }
    }

    /// Prints what is held back, or waits until the pager is left.
    pub(super) fn finish(mut self) -> Outcome {
        if let Some(pager) = self.pager.take() {
            pager.close()?;
            return Ok(());
        }
        if let Some(held) = self.held.take() {
            self.sink.write_all(&held)?;
        }
        Ok(self.sink.flush()?)
    }
}

impl Write for Paged<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(pager) = &mut self.pager {
            return pager.write(bytes);
        }
        let Some(held) = &mut self.held else { return self.sink.write(bytes) };
        held.extend_from_slice(bytes);
        self.lines += bytes.split(|&byte| byte == b'\n').count() - 1;
        if self.lines > self.lines_max {
            let held = self.held.take().unwrap_or_default();
            match Sink::program(&self.command) {
                Ok(mut pager) => {
                    let written = pager.write_all(&held);
                    self.pager = Some(pager);
                    written?;
                }
                // A pager that cannot be started must not hide the rows.
                Err(_) => self.sink.write_all(&held)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
