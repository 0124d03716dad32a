//! Peers that come as Python packages: a virtual environment under the target folder, and a
//! process that is kept and spoken to line by line.
//!
//! Times are taken inside of that process. Neighbours: `python/*.py` are the scripts, `sql::duck`
//! and `branching` use them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::turns::Outcome;

/// What is installed: versions are fixed, so that figures of two days can be compared.
const PACKAGES: [&str; 2] = ["duckdb==2.0.0", "doltlite==0.51.3"];

/// The environment: a folder beside the one that this program was built into.
fn environment() -> Outcome<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.parent().and_then(Path::parent).ok_or("this program is in no folder")?;
    Ok(target.join("peers-python"))
}

/// Makes the environment and installs the packages.
pub(crate) fn install() -> Outcome<()> {
    let folder = environment()?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(folder.join("bin/pip")).arg("install").args(PACKAGES))?;
    println!("installed {} in {}", PACKAGES.join(" and "), folder.display());
    Ok(())
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// A running script.
pub(crate) struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    /// Starts a script that needs `package`; none where that is not installed.
    pub(crate) fn start(package: &str, script: &str) -> Outcome<Option<Self>> {
        let python = environment()?.join("bin/python");
        let import = Command::new(&python)
            .args(["-c", &format!("import {package}")])
            .stderr(Stdio::null())
            .status();
        if !import.is_ok_and(|status| status.success()) {
            return Ok(None);
        }
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
        let mut child = Command::new(python)
            .arg(scripts.join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Some(Self { child, input, output }))
    }

    /// Asks and waits for the answer.
    pub(crate) fn call(&mut self, request: &Value) -> Outcome<Value> {
        writeln!(self.input, "{request}")?;
        self.input.flush()?;
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("the script has ended: {:?}", self.child.wait()?).into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned().into()),
            None => Ok(answer),
        }
    }

    /// Asks for a time.
    pub(crate) fn nanoseconds(&mut self, request: &Value) -> Outcome<f64> {
        let answer = self.call(request)?;
        let time = answer.get("nanoseconds").and_then(Value::as_f64);
        time.ok_or_else(|| format!("{answer} holds no time").into())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It holds nothing that is wanted afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
