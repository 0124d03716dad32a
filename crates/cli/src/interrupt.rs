//! Ctrl-C: stops the statement that runs, and not the shell.
//!
//! While a line is edited the terminal hands Ctrl-C over as a key, so the signal only comes while
//! something runs. A second Ctrl-C during the same statement ends the program: it must never be
//! impossible to get out. The other signal that is not left to the system is that of `ulimit -f`.
//! Neighbours: `shell` runs statements under a guard of this.

use std::process;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use pandodb::InterruptHandle;

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// What Ctrl-C stops; nothing while nothing runs.
static RUNNING: OnceLock<Mutex<Option<InterruptHandle>>> = OnceLock::new();

/// How often Ctrl-C came since the running statement began.
static PRESSED: AtomicU32 = AtomicU32::new(0);

fn running() -> std::sync::MutexGuard<'static, Option<InterruptHandle>> {
    let slot = RUNNING.get_or_init(|| Mutex::new(None));
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over Ctrl-C for the whole program.
pub(crate) fn install() {
    // Without a handler Ctrl-C ends the program, which is the next best thing.
    let _ = ctrlc::set_handler(|| {
        let handle = running().clone();
        let is_repeated = PRESSED.fetch_add(1, Ordering::SeqCst) > 0;
        match handle {
            Some(handle) if !is_repeated => handle.interrupt(),
            _ => process::exit(Exit::Interrupted as i32),
        }
    });
}

/// Lets a write beyond the limit of file sizes (`ulimit -f`) fail as one on a full disk does, which
/// is told and leaves everything as it was, where the system would end the program.
#[cfg(unix)]
pub(crate) fn bear_file_limits() {
    // Whether it came does not matter: the write that it is about fails. Without this the program
    // ends, as every other one does.
    let came = Arc::new(AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, came);
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn bear_file_limits() {}

/// While this lives, Ctrl-C stops the connection's statement. One may live inside another: work of
/// many short statements holds one all the time, and asks [`check`] between them.
pub(crate) struct Guard {
    outer: Option<InterruptHandle>,
}

impl Guard {
    pub(crate) fn new(handle: InterruptHandle) -> Self {
        let outer = running().replace(handle);
        if outer.is_none() {
            PRESSED.store(0, Ordering::SeqCst);
        }
        Self { outer }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let outer = self.outer.take();
        if outer.is_none() {
            PRESSED.store(0, Ordering::SeqCst);
        }
        *running() = outer;
    }
}

/// Whether Ctrl-C came since the outermost guard began.
pub(crate) fn was_pressed() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}

/// Fails when Ctrl-C came: between two statements it stops none of them.
pub(crate) fn check() -> Outcome {
    if was_pressed() { Err(Failure::new(Exit::Interrupted, "interrupted")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn what_was_pressed_is_known_until_the_outermost_work_ends() {
        let connection = pandodb::Connection::open_in_memory().unwrap();
        let outer = Guard::new(connection.interrupt_handle());
        PRESSED.fetch_add(1, Ordering::SeqCst);
        let inner = Guard::new(connection.interrupt_handle());
        drop(inner);
        assert!(check().is_err() && running().is_some());
        drop(outer);
        assert!(check().is_ok() && running().is_none());
    }
}
