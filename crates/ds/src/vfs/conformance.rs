//! What every world has to do alike: one suite, run against each [`Vfs`].
//!
//! The code above only ever sees the traits, so a difference between the worlds would make tests
//! in memory prove nothing about files. Neighbours: `os`, `memory` and `sim` have tests of their
//! own for what only they do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use super::{MemoryVfs, OpenMode, OsVfs, SimVfs, Vfs};
use crate::error::{ErrorKind, Result};

#[test]
fn operating_system() {
    let folder = tempfile::tempdir().unwrap();
    conforms(&OsVfs::new(), folder.path());
}

#[test]
fn memory() {
    conforms(&MemoryVfs::new(), Path::new("/world"));
    conforms(&MemoryVfs::new(), Path::new(""));
    let clock = MemoryVfs::new().clock();
    conforms(&MemoryVfs::with_clock_and_seed(clock, 1), Path::new("relative"));
}

#[test]
fn simulation() {
    for seed in 0..3 {
        conforms(&SimVfs::new(seed), Path::new("/world"));
        conforms(&SimVfs::new(seed), Path::new(""));
    }
}

/// Runs the whole suite in the empty folder `root`.
fn conforms(vfs: &dyn Vfs, root: &Path) {
    open_modes(vfs, root);
    positional_io(vfs, root);
    lengths(vfs, root);
    reading_only(vfs, root);
    impossible_lengths(vfs, root);
    names(vfs, root);
    open_files_outlive_their_names(vfs, root);
    many_threads(vfs, root);
    locks(vfs, root);
    clock_and_randomness(vfs);
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    let error = result.unwrap_err();
    assert!(error.message().len() > 10, "a message for people: {error}");
    assert!(error.path().is_some(), "names the file: {error}");
    error.kind()
}

fn open_modes(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("modes");
    assert_eq!(kind(vfs.open(&path, OpenMode::Read)), ErrorKind::NotFound);
    assert_eq!(kind(vfs.open(&path, OpenMode::Write)), ErrorKind::NotFound);
    assert!(!vfs.exists(&path).unwrap());
    let file = vfs.open(&path, OpenMode::Create).unwrap();
    assert_eq!(file.path(), path);
    assert!(file.is_empty().unwrap());
    file.write_at(0, b"kept").unwrap();
    assert_eq!(kind(vfs.open(&path, OpenMode::CreateNew)), ErrorKind::Exists);
    for mode in [OpenMode::Create, OpenMode::Write, OpenMode::Read] {
        assert_eq!(vfs.open(&path, mode).unwrap().len().unwrap(), 4, "{mode:?} does not cut");
    }
    assert!(vfs.open(&root.join("new"), OpenMode::CreateNew).unwrap().is_empty().unwrap());
}

fn positional_io(vfs: &dyn Vfs, root: &Path) {
    let file = vfs.open(&root.join("io"), OpenMode::CreateNew).unwrap();
    let other = vfs.open(&root.join("io"), OpenMode::Read).unwrap();
    let mut model: Vec<u8> = Vec::new();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..60 {
        let offset = random.usize(..200_000);
        let bytes: Vec<u8> = (0..random.usize(..9000)).map(|_| random.u8(..)).collect();
        file.write_at(offset as u64, &bytes).unwrap();
        if !bytes.is_empty() {
            model.resize(model.len().max(offset + bytes.len()), 0);
            model[offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
        if round % 20 == 0 {
            file.sync().unwrap();
        }
        let start = random.usize(..model.len() + 10);
        let mut buffer = vec![0xEE; random.usize(..9000)];
        let read = other.read_at(start as u64, &mut buffer).unwrap();
        let start = start.min(model.len());
        assert_eq!(&buffer[..read], &model[start..model.len().min(start + buffer.len())]);
    }
    let len = file.len().unwrap();
    assert_eq!(len, model.len() as u64);
    let mut whole = vec![0; model.len()];
    other.read_exact_at(0, &mut whole).unwrap();
    assert!(whole == model);
    let error = other.read_exact_at(len - 1, &mut [0; 2]).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(len - 1)));
    assert_eq!(other.read_at(len + 1000, &mut [0; 2]).unwrap(), 0);
    file.write_at(len + 1000, b"").unwrap();
    assert_eq!(file.len().unwrap(), len, "writing nothing changes nothing");
}

fn lengths(vfs: &dyn Vfs, root: &Path) {
    let file = vfs.open(&root.join("lengths"), OpenMode::CreateNew).unwrap();
    file.write_at(0, &[7; 5000]).unwrap();
    file.set_len(10).unwrap();
    file.set_len(6000).unwrap();
    let mut bytes = [1; 6000];
    file.read_exact_at(0, &mut bytes).unwrap();
    assert!(bytes[..10] == [7; 10] && bytes[10..] == [0; 5990], "what was cut is gone");
    file.allocate(100).unwrap();
    assert_eq!(file.len().unwrap(), 6000, "allocation never cuts");
    file.allocate(9000).unwrap();
    assert_eq!(file.len().unwrap(), 9000);
    file.allocate(0).unwrap();
    file.sync().unwrap();
    file.write_at(8990, &[5; 10]).unwrap();
    file.sync().unwrap();
    assert_eq!(file.len().unwrap(), 9000);
    file.set_len(0).unwrap();
    assert!(file.is_empty().unwrap());
}

fn reading_only(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("read-only");
    vfs.open(&path, OpenMode::Create).unwrap().write_at(0, b"fixed").unwrap();
    let file = vfs.open(&path, OpenMode::Read).unwrap();
    assert_eq!(kind(file.write_at(0, b"x")), ErrorKind::ReadOnly);
    assert_eq!(kind(file.set_len(0)), ErrorKind::ReadOnly);
    assert_eq!(kind(file.allocate(10)), ErrorKind::ReadOnly);
    let mut bytes = [0; 5];
    file.read_exact_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"fixed");
}

fn impossible_lengths(vfs: &dyn Vfs, root: &Path) {
    let file = vfs.open(&root.join("limits"), OpenMode::Create).unwrap();
    for offset in [u64::MAX, u64::MAX - 2, 1 << 63] {
        assert_eq!(kind(file.write_at(offset, b"beyond")), ErrorKind::Limit);
        assert_eq!(kind(file.set_len(offset)), ErrorKind::Limit);
        assert_eq!(kind(file.allocate(offset)), ErrorKind::Limit);
    }
    assert!(file.is_empty().unwrap());
}

fn names(vfs: &dyn Vfs, root: &Path) {
    let at = |name: &str| root.join(name);
    let before = vfs.list(root).unwrap();
    for name in ["zz", "aa", "mm"] {
        vfs.open(&at(name), OpenMode::CreateNew).unwrap().write_at(0, name.as_bytes()).unwrap();
    }
    let mut expected = [before, vec![at("aa"), at("mm"), at("zz")]].concat();
    expected.sort();
    assert_eq!(vfs.list(root).unwrap(), expected);
    vfs.rename(&at("zz"), &at("aa")).unwrap();
    vfs.sync_directory(root).unwrap();
    assert!(!vfs.exists(&at("zz")).unwrap());
    let mut bytes = [0; 2];
    vfs.open(&at("aa"), OpenMode::Read).unwrap().read_exact_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"zz");
    vfs.rename(&at("mm"), &at("mm")).unwrap();
    assert!(vfs.exists(&at("mm")).unwrap());
    vfs.remove(&at("aa")).unwrap();
    vfs.remove(&at("mm")).unwrap();
    assert_eq!(kind(vfs.remove(&at("aa"))), ErrorKind::NotFound);
    assert_eq!(kind(vfs.rename(&at("aa"), &at("bb"))), ErrorKind::NotFound);
    expected.retain(|path| *path != at("aa") && *path != at("mm") && *path != at("zz"));
    assert_eq!(vfs.list(root).unwrap(), expected);
}

fn open_files_outlive_their_names(vfs: &dyn Vfs, root: &Path) {
    let (old, new) = (root.join("outlived"), root.join("renamed"));
    let file = vfs.open(&old, OpenMode::CreateNew).unwrap();
    file.write_at(0, b"first").unwrap();
    vfs.rename(&old, &new).unwrap();
    file.write_at(0, b"again").unwrap();
    let mut bytes = [0; 5];
    vfs.open(&new, OpenMode::Read).unwrap().read_exact_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"again");
    vfs.remove(&new).unwrap();
    vfs.open(&new, OpenMode::CreateNew).unwrap().write_at(0, b"other").unwrap();
    file.read_exact_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes, b"again");
    file.sync().unwrap();
}

fn many_threads(vfs: &dyn Vfs, root: &Path) {
    const PART: usize = 1000;
    let file = vfs.open(&root.join("threads"), OpenMode::CreateNew).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let file = &file;
            scope.spawn(move || {
                for round in 0..20 {
                    let offset = ((round * 4 + usize::from(thread)) * PART) as u64;
                    file.write_at(offset, &[thread + 1; PART]).unwrap();
                    let mut bytes = [0; PART];
                    file.read_exact_at(offset, &mut bytes).unwrap();
                    assert_eq!(bytes, [thread + 1; PART]);
                    file.sync().unwrap();
                }
            });
        }
    });
    let mut whole = vec![0; 80 * PART];
    file.read_exact_at(0, &mut whole).unwrap();
    for (index, byte) in whole.iter().enumerate() {
        assert_eq!(usize::from(*byte), index / PART % 4 + 1);
    }
}

fn locks(vfs: &dyn Vfs, root: &Path) {
    let path = root.join("locked");
    for round in 0..2 {
        let lock = vfs.lock(&path).unwrap();
        let error = vfs.lock(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        let process = format!("process {}", std::process::id());
        assert!(error.message().contains(&process), "{error}");
        let other = vfs.lock(&root.join("other")).unwrap();
        drop((lock, other));
        // The second round has a file to lock, and reading it is not hindered.
        vfs.open(&path, OpenMode::Create).unwrap().write_at(0, &[round]).unwrap();
    }
    let _lock = vfs.lock(&path).unwrap();
    assert_eq!(vfs.open(&path, OpenMode::Read).unwrap().read_at(0, &mut [0; 2]).unwrap(), 1);
}

fn clock_and_randomness(vfs: &dyn Vfs) {
    let clock = vfs.clock();
    let (wall, steady) = (clock.now_micros(), clock.monotonic());
    assert!(wall > 1_600_000_000_000_000, "after 2020: {wall}");
    let nap = std::time::Duration::from_millis(2);
    clock.sleep(nap);
    assert!(clock.monotonic() >= steady + nap);
    let (mut first, mut second) = ([0; 33], [0; 33]);
    vfs.random(&mut first);
    vfs.random(&mut second);
    assert_ne!(first, second);
    vfs.random(&mut []);
}
