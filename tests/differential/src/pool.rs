//! Work in child processes, so that no statement can take the whole run down.
//!
//! A child that overflows its stack, takes all memory or never ends is one failed job with a
//! name; threads of one process could not be stopped. Children are this same program with
//! arguments of its hidden worker subcommands. Neighbours: `report` (what children print).

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Address space of a child, in KiB: enough for any corpus, too little to hurt the machine.
const MEMORY_KIB: u64 = 8 << 20;
/// Between looks at a running child.
const PAUSE: Duration = Duration::from_millis(10);

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Finished,
    /// It was stopped after its time.
    TimedOut,
    /// By a signal or with an error.
    Crashed(String),
}

/// What a child left.
pub(crate) struct Done {
    /// Which job it was.
    pub(crate) job: usize,
    /// What it printed.
    pub(crate) output: String,
    /// The last lines of its errors.
    pub(crate) errors: String,
    /// How it ended.
    pub(crate) end: End,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

/// Runs a child per list of arguments, `parallel` at once, and hands each result to `done` as
/// soon as it is there.
pub(crate) fn run(
    jobs: &[Vec<String>],
    parallel: usize,
    limit: Duration,
    done: &(dyn Fn(Done) + Sync),
) {
    let next = AtomicUsize::new(0);
    // One report at a time.
    let order = Mutex::new(());
    thread::scope(|scope| {
        for _ in 0..parallel.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    let Some(arguments) = jobs.get(job) else { break };
                    let started = Instant::now();
                    let (end, output, errors) = child(arguments, limit);
                    let _guard = order.lock();
                    done(Done { job, output, errors, end, elapsed: started.elapsed() });
                }
            });
        }
    });
}

fn child(arguments: &[String], limit: Duration) -> (End, String, String) {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return (End::Crashed(error.to_string()), String::new(), String::new()),
    };
    let spawned = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return (End::Crashed(error.to_string()), String::new(), String::new()),
    };
    let output = child.stdout.take().map(|pipe| thread::spawn(move || read(pipe)));
    let errors = child.stderr.take().map(|pipe| thread::spawn(move || read(pipe)));
    let started = Instant::now();
    let end = loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break End::Finished,
            Ok(Some(status)) => break End::Crashed(status.to_string()),
            Ok(None) if started.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                break End::TimedOut;
            }
            Ok(None) => thread::sleep(PAUSE),
            Err(error) => break End::Crashed(error.to_string()),
        }
    };
    let text = |reader: Option<thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    (end, text(output), text(errors))
}

fn read(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
