//! Where output goes: the screen, a file, another program, a pager.
//!
//! A reader that has gone away (a closed pipe, a pager that was left) is not an error of ours:
//! the sink then says so once and the statement is stopped. Neighbours: `dot::output` redirects,
//! `terminal` knows the screen.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::{Child, Command, Stdio};

/// Where the rows and messages of the shell go.
pub(crate) enum Sink {
    /// Standard output.
    Screen(BufWriter<io::Stdout>),
    /// A file that `.output` or `.once` named.
    File(BufWriter<File>),
    /// A program that `.output |program` named, or the pager.
    Program(BufWriter<std::process::ChildStdin>, Child),
    /// Kept in memory, for tests and for output that is looked at before it is shown.
    Memory(Vec<u8>),
}

impl Sink {
    /// Standard output.
    pub(crate) fn screen() -> Self {
        Self::Screen(BufWriter::with_capacity(64 * 1024, io::stdout()))
    }

    /// A new file, or an existing one emptied; `output::own` has been asked about it.
    pub(super) fn file(path: &str) -> io::Result<Self> {
        Ok(Self::File(BufWriter::with_capacity(64 * 1024, File::create(path)?)))
    }

    /// The standard input of a shell command.
    pub(crate) fn program(command: &str) -> io::Result<Self> {
        let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut child = Command::new(shell)
            .arg(option)
            .arg(command)
            .env("LESSCHARSET", "utf-8")
            .stdin(Stdio::piped())
            .spawn()?;
        let Some(input) = child.stdin.take() else {
            return Err(io::Error::other("the program has no standard input"));
        };
        Ok(Self::Program(BufWriter::new(input), child))
    }

    /// Whether a person reads it as it is written.
    pub(crate) fn is_screen(&self) -> bool {
        matches!(self, Self::Screen(_))
    }

    /// Writes out what is held back and waits for the program to end.
    pub(crate) fn close(self) -> io::Result<()> {
        match self {
            Self::Screen(mut out) => out.flush(),
            Self::File(out) => {
                let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                // A device or a pipe has nothing to sync, and refuses to.
                if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
            }
            Self::Program(mut input, mut child) => {
                let flushed = input.flush();
                drop(input.into_parts());
                child.wait()?;
                match flushed {
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
                    _ => Ok(()),
                }
            }
            Self::Memory(_) => Ok(()),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Screen(out) => out.write(bytes),
            Self::File(out) => out.write(bytes),
            Self::Program(out, _) => out.write(bytes),
            Self::Memory(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Screen(out) => out.flush(),
            Self::File(out) => out.flush(),
            Self::Program(out, _) => out.flush(),
            Self::Memory(_) => Ok(()),
        }
    }
}
