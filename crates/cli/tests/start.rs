//! What starting costs, and what a second process on an open database is told.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pandodb_testkit::TemporaryFolder;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pando");

fn pando(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env("HOME", folder).env_remove("PANDO_DB");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The shortest of some runs, which other programs on the machine disturb least.
fn shortest(commands: &mut [Command]) -> Vec<Duration> {
    let mut shortest = vec![Duration::MAX; commands.len()];
    for _ in 0..15 {
        for (command, least) in commands.iter_mut().zip(&mut shortest) {
            let began = Instant::now();
            assert!(command.status().unwrap().success(), "{command:?}");
            *least = began.elapsed().min(*least);
        }
    }
    shortest
}

#[test]
fn opening_a_database_costs_a_few_starts_of_a_process() {
    let folder = TemporaryFolder::new();
    let mut make = pando(folder.path());
    assert!(make.args(["a.pando", "CREATE TABLE t(a)"]).status().unwrap().success());
    // The bare start is that of this program without any work: the same libraries to load.
    let mut version = pando(folder.path());
    version.arg("--version");
    let mut memory = pando(folder.path());
    memory.args([":memory:", "SELECT 1"]);
    let mut file = pando(folder.path());
    file.args(["--readonly", "a.pando", "SELECT 1"]);
    let mut bare = Command::new("true");
    bare.stdin(Stdio::null());
    let times = shortest(&mut [bare, version, memory, file]);
    let [bare, version, memory, file] = times.as_slice() else { unreachable!() };
    eprintln!("true {bare:?}, --version {version:?}, in memory {memory:?}, a file {file:?}");
    // Unoptimised builds parse their arguments slowly; figures of a release are in the documents.
    assert!(*version < *bare * 30, "{version:?} is long beside {bare:?}");
    assert!(*memory < *version * 6, "{memory:?} is long beside {version:?}");
    assert!(*file < *version * 8, "{file:?} is long beside {version:?}");
}

#[test]
fn a_second_process_is_told_who_has_the_database() {
    let folder = TemporaryFolder::new();
    let mut first = pando(folder.path());
    let mut first =
        first.arg("a.pando").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = first.stdin.take().unwrap();
    input.write_all(b"CREATE TABLE t(a); SELECT 'ready';\n").unwrap();
    input.flush().unwrap();
    let mut ready = [0; 5];
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut ready).unwrap();
    assert_eq!(&ready, b"ready");

    let mut second = pando(folder.path());
    let output = second.args(["a.pando", "SELECT 1"]).stderr(Stdio::piped()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains(&format!("held by pando (process {})", first.id())), "{told}");
    assert!(told.contains("(file a.pando)"), "{told}");

    // It ends, and the database is free.
    drop(input);
    assert!(first.wait().unwrap().success());
    let mut third = pando(folder.path());
    assert!(third.args(["a.pando", "SELECT * FROM t"]).status().unwrap().success());
}

#[test]
fn a_user_has_the_rights_that_were_granted_in_the_shell_and_with_verbs() {
    let folder = TemporaryFolder::new();
    let runs =
        |arguments: &[&str]| pando(folder.path()).args(arguments).status().unwrap().success();
    assert!(runs(&["a.pando", "CREATE TABLE t(a); GRANT READ ON BRANCH main TO ann"]));
    assert!(runs(&["--user", "ann", "a.pando", "SELECT * FROM t"]));
    assert!(!runs(&["--user", "ann", "a.pando", "INSERT INTO t VALUES (1)"]));
    assert!(!runs(&["a.pando", "--user", "bob", "SELECT * FROM t"]));
    assert!(!runs(&["a.pando", "--user=ann", "backup", "copy.pando"]));
    assert!(!folder.path().join("copy.pando").exists());
    assert!(runs(&["a.pando", "INSERT INTO t VALUES (1)"]));
}
