//! A real process on the real file system is killed in the middle of its work, again and again.
//!
//! The test runs its own program once more as the writer, which tells each commit after it was
//! acknowledged. What was told must be there when the database is opened, whole and in order.
//! `PANDODB_KILLS` says how often. Neighbours: `crash_tests` has the power go as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use pandodb_ds::format::TreeKind;
use pandodb_ds::sync::thread;
use pandodb_ds::vfs::OsVfs;

use super::*;
use crate::heads::MAIN;
use crate::ids::TreeId;
use crate::isolation::Isolation;

const DATABASE: &str = "PANDODB_KILL_DATABASE";
const ROWS: TreeId = TreeId(1);
/// How many rows each commit writes, all with the same value.
const WIDTH: u64 = 5;

fn open(path: &Path, round: u64) -> Manager {
    let vfs: Arc<dyn Vfs> = Arc::new(OsVfs);
    let options = Options {
        synchronous: if round.is_multiple_of(2) { Synchronous::Full } else { Synchronous::Normal },
        checkpoints: Some(CheckpointPolicy { log_bytes: 20_000, ..CheckpointPolicy::default() }),
        wal: crate::wal::WalOptions { segment_len: 16 << 10, ..Default::default() },
        large_transaction_bytes: 4000,
        ..Options::default()
    };
    Manager::open(&vfs, path, &options).unwrap()
}

/// What one writer thread does: rows of its own, and a counter in each of them.
fn write(manager: &Manager, writer: u64, from: u64) {
    for number in from.. {
        let isolation = [Isolation::ReadCommitted, Isolation::Concurrent];
        let options = BeginOptions::at(isolation[(number % 2) as usize]);
        let mut transaction = manager.begin(MAIN, options).unwrap();
        for column in 0..WIDTH {
            let mut value = number.to_le_bytes().to_vec();
            value.resize(if number.is_multiple_of(40) { 1500 } else { 8 }, 7);
            transaction.put(ROWS, &[writer as u8, column as u8], &value).unwrap();
        }
        let key = [&[writer as u8, 99][..], &number.to_be_bytes()].concat();
        transaction.put(ROWS, &key, &[]).unwrap();
        transaction.commit().unwrap();
        // One write call, so that lines of two threads do not mix.
        std::io::stdout().write_all(format!("told {writer} {number}\n").as_bytes()).unwrap();
    }
}

/// The newest number of a writer; its rows must all have it, and no number be missing before it.
fn verify(manager: &Manager, writer: u64) -> u64 {
    let reader = manager.begin(MAIN, BeginOptions::read_only()).unwrap();
    let number = |column: u64| {
        let value = reader.get(ROWS, &[writer as u8, column as u8]).unwrap();
        value.map_or(0, |value| u64::from_le_bytes(value[..8].try_into().unwrap()))
    };
    let newest = number(0);
    assert!((0..WIDTH).all(|column| number(column) == newest), "a commit is whole");
    let lower = [writer as u8, 99];
    let upper = [writer as u8, 100];
    let (lower, upper) = (&lower[..], &upper[..]);
    let count = reader
        .count_range(ROWS, std::ops::Bound::Included(lower), std::ops::Bound::Excluded(upper))
        .unwrap();
    assert_eq!(count, newest, "no commit is missing");
    newest
}

/// Not a test but the process that is killed; without its variable it does nothing.
#[test]
fn the_process_that_is_killed() {
    let Ok(path) = std::env::var(DATABASE) else { return };
    let (path, round) = path.rsplit_once('#').unwrap();
    let manager = Arc::new(open(Path::new(path), round.parse().unwrap()));
    let mut setup = manager.begin(MAIN, BeginOptions::default()).unwrap();
    if setup.tree_kind(ROWS).is_none() {
        setup.create_tree(ROWS, TreeKind::Slotted).unwrap();
        setup.commit().unwrap();
    }
    let threads: Vec<_> = (0..2)
        .map(|writer| {
            let manager = Arc::clone(&manager);
            let from = verify(&manager, writer) + 1;
            thread::spawn(move || write(&manager, writer, from))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_a_killed_process_was_told_is_there() {
    let kills = std::env::var("PANDODB_KILLS").ok().and_then(|text| text.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.pando");
    let mut told = [0_u64; 2];
    let seed = std::env::var("PANDO_SEED_START").ok().and_then(|text| text.parse().ok());
    let mut rng = fastrand::Rng::with_seed(seed.unwrap_or(7));
    for round in 0..kills.unwrap_or(50_u64) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "manager::kill_tests::the_process_that_is_killed", "--nocapture"])
            .env(DATABASE, format!("{}#{round}", path.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let wanted = rng.usize(1..150);
        let mut line = String::new();
        let mut heard = 0;
        while heard < wanted {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the writer ended by itself");
            heard += usize::from(note(&line, &mut told));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had still told before it died.
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        for line in rest.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            note(line, &mut told);
        }
        let manager = open(&path, round);
        for (writer, told) in told.iter_mut().enumerate() {
            let found = verify(&manager, writer as u64);
            assert!(found >= *told, "round {round}: {told} was told, {found} is there");
            *told = found;
        }
        if rng.bool() {
            manager.close().unwrap();
        }
    }
}

/// Keeps what a line tells; false if it tells nothing.
fn note(line: &str, told: &mut [u64; 2]) -> bool {
    let Some(at) = line.find("told ") else { return false };
    let mut words = line[at..].split_whitespace().skip(1).map(|word| word.parse::<u64>().unwrap());
    let (writer, number) = (words.next().unwrap(), words.next().unwrap());
    told[writer as usize] = told[writer as usize].max(number);
    true
}
