//! Segments that are missing, cut short, or not named as they say: nothing of them is removed.
//!
//! No commit here was synced, so that nothing in the log proves that bytes are lost. Neighbours:
//! `tests` has the damage that is proven, `crash_tests` what a power cut leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::{Path, PathBuf};

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, OpenMode, Vfs};

use super::tests::{ID, PATH, append, frames_of, read_all, small_segments, writer};
use super::*;
use crate::ErrorKind;
use crate::ids::{CommitId, Lsn};

fn name(number: u64) -> PathBuf {
    PathBuf::from(format!("base.pando-wal-{number:08}"))
}

fn lost(number: u64) -> PathBuf {
    PathBuf::from(format!("base.pando-wal-{number:08}-lost"))
}

/// A log of some segments, of which none was synced.
fn written() -> (Arc<dyn Vfs>, Vec<(u64, Lsn)>) {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    let mut log = writer(&vfs, small_segments(), &LogEnd::empty(Lsn::ZERO));
    for commit in 1..=40 {
        append(&mut log, &mut frames_of(commit), CommitId(commit), Lsn::ZERO).unwrap();
    }
    let segments = archive::segments(&*vfs, Path::new(PATH), ID).unwrap();
    assert!(segments.len() > 3, "{segments:?}");
    (vfs, segments.iter().map(|segment| (segment.number, segment.first)).collect())
}

/// Opens the log for writing and appends one commit; what could be read before that.
fn go_on(vfs: &Arc<dyn Vfs>, from: Lsn) -> Vec<u64> {
    let (found, end) = read_all(&**vfs, from).unwrap();
    let mut log = writer(vfs, small_segments(), &end);
    let next = found.last().map_or(1, |last| last + 1);
    append(&mut log, &mut frames_of(next), CommitId(next), Lsn::ZERO).unwrap();
    let (again, end) = read_all(&**vfs, from).unwrap();
    assert_eq!(again.len(), found.len() + 1, "the log goes on before the gap");
    assert!(end.beyond.is_empty(), "{end:?}");
    found
}

#[test]
fn segments_behind_a_missing_one_are_kept_aside_and_told() {
    for missing in 1..=2 {
        let (vfs, segments) = written();
        let bytes = |path: &Path| {
            let file = vfs.open(path, OpenMode::Read).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_at(0, &mut bytes).unwrap();
            bytes
        };
        vfs.remove(&name(missing)).unwrap();
        let behind: Vec<u64> =
            segments.iter().map(|segment| segment.0).filter(|number| *number > missing).collect();
        let before: Vec<_> = behind.iter().map(|number| bytes(&name(*number))).collect();
        let (_, end) = read_all(&*vfs, Lsn::ZERO).unwrap();
        let names: Vec<_> = behind.iter().map(|number| name(*number)).collect();
        let aside: Vec<_> = behind.iter().map(|number| lost(*number)).collect();
        assert_eq!((end.lost(true), end.lost(false)), (names, aside.clone()));
        let found = go_on(&vfs, Lsn::ZERO);
        assert_eq!(found.is_empty(), missing == 1);
        let (_, end) = read_all(&*vfs, Lsn::ZERO).unwrap();
        assert_eq!(end.lost(true), aside, "told as long as they are there");
        let after: Vec<_> = behind.iter().map(|number| bytes(&lost(*number))).collect();
        assert_eq!(after, before);
    }
}

#[test]
fn segments_behind_one_that_was_cut_short_are_kept_aside_and_so_is_one_without_a_header() {
    let (whole, _) = written();
    let (all, _) = read_all(&*whole, Lsn::ZERO).unwrap();
    for cut in [0, 40, 512, 700, 1000] {
        let (vfs, segments) = written();
        vfs.open(&name(2), OpenMode::Write).unwrap().set_len(cut).unwrap();
        let found = go_on(&vfs, Lsn::ZERO);
        assert_eq!(found, all[..found.len()]);
        for (number, _) in &segments[2..] {
            assert!(vfs.exists(&lost(*number)).unwrap(), "{number} is kept, cut at {cut}");
        }
        assert_eq!(vfs.exists(&lost(2)).unwrap(), cut < 68, "cut at {cut}");
    }
}

#[test]
fn a_segment_under_another_name_is_refused_as_long_as_its_transactions_are_wanted() {
    let (vfs, segments) = written();
    let last = segments.last().unwrap();
    for (number, first) in [segments[0], segments[1], *last] {
        vfs.rename(&name(number), &name(99)).unwrap();
        for from in [Lsn::ZERO, first] {
            let error = read_all(&*vfs, from).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");
            assert!(error.to_string().contains(&format!("{number:08} by what it says")), "{error}");
        }
        vfs.rename(&name(99), &name(number)).unwrap();
    }
    // A checkpoint was made in the middle of it.
    let mut reader = Reader::open(&*vfs, Path::new(PATH), ID, Lsn::ZERO).unwrap();
    reader.next_transaction().unwrap();
    let middle = reader.position();
    vfs.rename(&name(1), &name(99)).unwrap();
    assert_eq!(read_all(&*vfs, middle).unwrap_err().kind(), ErrorKind::Mismatch);
    // One that a checkpoint has made superfluous waits for reuse under a later number.
    go_on(&vfs, segments[1].1);
    assert!(!vfs.exists(&name(99)).unwrap());
}

#[test]
fn what_is_put_back_comes_again_and_what_was_appended_meanwhile_is_kept_aside() {
    let (vfs, segments) = written();
    let (all, _) = read_all(&*vfs, Lsn::ZERO).unwrap();
    vfs.rename(&name(2), Path::new("elsewhere")).unwrap();
    go_on(&vfs, Lsn::ZERO);
    let (_, end) = read_all(&*vfs, Lsn::ZERO).unwrap();
    let newest = end.segments.last().unwrap().0;
    vfs.rename(Path::new("elsewhere"), &name(2)).unwrap();
    for (number, _) in &segments[2..] {
        vfs.rename(&lost(*number), &name(*number)).unwrap();
    }
    assert_eq!(go_on(&vfs, Lsn::ZERO), all);
    assert!(vfs.exists(&lost(newest)).unwrap());
}
