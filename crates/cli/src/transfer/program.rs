//! What a program of the system prints, read like a file: `.import '|PROGRAM' t`,
//! `.read '|PROGRAM'`.
//!
//! A program that fails has not printed all of it, so that its end is then an error and not the
//! end of the file. Neighbours: `import`, `shell::script`.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// What is read in place of a file's name where that begins with `|`.
pub(crate) fn command_of(file: &str) -> Option<&str> {
    file.strip_prefix('|').map(str::trim)
}

/// A program that runs, and its output.
pub(crate) struct Program {
    child: Child,
    output: ChildStdout,
}

impl Program {
    /// Starts a command of the system's shell.
    pub(crate) fn start(shell: &Shell, command: &str) -> Outcome<Self> {
        let (program, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        // What is left of a script that comes through standard input is not the program's.
        let input = if shell.terminal.has_input { Stdio::inherit() } else { Stdio::null() };
        let failed = |error: &io::Error| Failure::file("start", command, error);
        let mut child = Command::new(program)
            .arg(option)
            .arg(command)
            .stdin(input)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error))?;
        match child.stdout.take() {
            Some(output) => Ok(Self { child, output }),
            None => Err(failed(&io::Error::other("it has no standard output"))),
        }
    }
}

impl Read for Program {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.output.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        let status = self.child.wait()?;
        if status.success() {
            Ok(0)
        } else {
            Err(io::Error::other(format!("the program ended with {status}")))
        }
    }
}

impl Drop for Program {
    /// One that nobody reads from any more is ended, or it would be waited for.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
