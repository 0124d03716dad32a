//! The database lock against a second opener of every kind, and against killed holders.
//!
//! Neighbours: `lock` (what is tested), `conformance` (what every world's lock does).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

/// Set for the process that only holds a lock.
const CHILD: &str = "PANDODB_TEST_LOCK_CHILD";

/// Not a test in itself: what [`hold_elsewhere`] runs in another process.
#[test]
fn child_holds_the_lock_until_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let _lock = OsLock::take(Path::new(&path)).unwrap();
    eprintln!("lock is held");
    // Ends with the parent: its side of the pipe closes.
    _ = io::stdin().read_to_end(&mut Vec::new());
}

/// Starts a process that holds the lock on `path`.
fn hold_elsewhere(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "vfs::lock::tests::child_holds_the_lock_until_killed", "--nocapture"])
        .env(CHILD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "lock is held"), "the child got no lock");
    child
}

fn refused(path: &Path) -> String {
    let error = OsLock::take(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    assert_eq!(error.path(), Some(path));
    error.message().to_owned()
}

fn companion(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}-lock", path.file_name().unwrap().to_str().unwrap()))
}

#[test]
fn a_killed_holder_is_named_while_it_lives_and_blocks_nobody_after() {
    let folder = tempfile::tempdir().unwrap();
    for create_first in [false, true] {
        let path = folder.path().join(format!("db{create_first}"));
        if create_first {
            fs::write(&path, "content").unwrap();
        }
        let mut child = hold_elsewhere(&path);
        let message = refused(&path);
        assert!(message.contains(&format!("(process {})", child.id())), "{message}");
        assert!(message.contains("pandodb_ds") && message.contains("try again"), "{message}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(companion(&path).exists(), "a killed process cleans nothing up");
        drop(OsLock::take(&path).unwrap());
        if !create_first {
            assert!(!companion(&path).exists(), "there is nothing that it stands beside");
            continue;
        }
        let left = fs::read_to_string(companion(&path)).unwrap();
        assert!(left.starts_with(&format!("{} ", std::process::id())), "{left}");
    }
}

#[test]
fn a_second_opener_in_this_process_is_told_to_share() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let lock = OsLock::take(&path).unwrap();
    let message = refused(&path);
    assert!(message.contains("in this process already"), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
    drop(lock);
    OsLock::take(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn other_names_of_the_file_are_locked_too() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink(at("db"), at("symbolic")).unwrap();
    symlink("symbolic", at("twice")).unwrap();
    {
        // Before the database exists, a dangling link leads to the same place.
        let _lock = OsLock::take(&at("twice")).unwrap();
        assert!(at("db-lock").exists());
        refused(&at("symbolic"));
        refused(&at("db"));
    }
    fs::write(at("db"), "content").unwrap();
    fs::hard_link(at("db"), at("hard")).unwrap();
    let lock = OsLock::take(&at("db")).unwrap();
    refused(&at("twice"));
    refused(&at("hard"));
    assert!(!at("hard-lock").exists(), "a refused opener leaves nothing");
    fs::rename(at("db"), at("moved")).unwrap();
    refused(&at("moved"));
    drop(lock);
    OsLock::take(&at("hard")).unwrap();
}

#[test]
fn handles_inherited_by_a_starting_process_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    fs::write(&path, "content").unwrap();
    let lock = OsLock::take(&path).unwrap();
    let companion = lock.companion.as_ref().unwrap().file.try_clone().unwrap();
    let database = lock.database.as_ref().map(|file| file.try_clone().unwrap());
    drop(lock);
    OsLock::take(&path).unwrap();
    drop((companion, database));
}

#[cfg(unix)]
#[test]
fn the_companion_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let _lock = OsLock::take(&path).unwrap();
    let mode = fs::metadata(companion(&path)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_deleted_companion_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    fs::write(&path, "content").unwrap();
    let lock = OsLock::take(&path).unwrap();
    fs::remove_file(companion(&path)).unwrap();
    refused(&path);
    drop(lock);
    OsLock::take(&path).unwrap();
}

#[test]
fn a_database_replaced_by_a_rename_stays_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    fs::write(&path, "old").unwrap();
    fs::write(folder.path().join("new"), "new").unwrap();
    let _lock = OsLock::take(&path).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    refused(&path);
}

#[cfg(unix)]
#[test]
fn a_planted_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, companion(&path)).unwrap();
    assert_eq!(OsLock::take(&path).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn takers_in_a_race_never_hold_it_together() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let (inside, successes) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..300 {
                    let Ok(_lock) = OsLock::take(&path) else { continue };
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two holders");
                    successes.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(successes.into_inner() > 0);
}

#[test]
fn what_a_stranger_wrote_is_not_believed() {
    for text in ["", "\n", "12", "12 pando", "x pando\n", "99999999999 pando\n"] {
        assert_eq!(Holder::parse(text), None, "{text:?}");
    }
    let holder = Holder::parse("12 evil\u{1b}[2Jname\n").unwrap();
    assert_eq!(holder, Holder { process: 12, program: "evil[2Jname".to_owned() });
    let shorter = Holder::parse("12 short\nlonger name\n").unwrap();
    assert_eq!(shorter, Holder { process: 12, program: "short".to_owned() });
    let long = Holder::parse(&format!("1 {}\n", "x".repeat(200))).unwrap();
    assert_eq!(long.program.len(), 64);
}

#[test]
fn the_name_of_a_longer_one_before_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    fs::write(companion(&path), format!("1 {}\n", "x".repeat(90))).unwrap();
    let lock = OsLock::take(&path).unwrap();
    let text = fs::read_to_string(companion(&path)).unwrap();
    let holder = Holder::this_process();
    assert_eq!(text, format!("{} {}\n", holder.process, holder.program));
    drop(lock);
}

/// `/dev/full` refuses every write as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn without_room_for_a_name_the_holder_stays_unnamed() {
    let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    write_holder(&mut full, 0).unwrap();
    assert_eq!(Holder::parse(""), None);
    assert!(locked(None, Path::new("db")).message().contains("another opener"));
}
