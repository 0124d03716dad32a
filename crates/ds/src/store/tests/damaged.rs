//! What the errors of damaged, truncated, foreign and newer files say: the file, the offset, and
//! what was expected there.
//!
//! Neighbours: `tests/storage/fuzz.rs` opens arbitrary bytes, and only asks that nothing panics.

use super::*;
use crate::error::{Error, ErrorKind};
use crate::format::layout::SUPERBLOCK;
use crate::format::superblock::{FORMAT_VERSION, MAGIC};
use crate::limits::SUPERBLOCK_BYTES;
use crate::vfs::{MemoryVfs, OpenMode};

/// A database with a tree of some pages, and its bytes.
fn database() -> Vec<u8> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let mut owner = Owner::open(&vfs).unwrap();
    let change = Step::Change { head: 1, tree: 0, first: 0, count: 200, size: 90 };
    owner.apply(&vfs, &change).unwrap();
    owner.apply(&vfs, &Step::Checkpoint).unwrap();
    drop(owner);
    let file = vfs.open(path(), OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(0, &mut bytes).unwrap();
    bytes
}

/// What comes of opening these bytes and reading all that they hold.
fn read_all(bytes: &[u8]) -> Result<Trees> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    vfs.open(path(), OpenMode::Create).unwrap().write_at(0, bytes).unwrap();
    let options = StoreOptions { creates: false, is_read_only: true, ..options() };
    let store = Store::open(&vfs, path(), &options)?;
    let mut found = Trees::new();
    for head in store.heads()? {
        let forest = store.forest(&head)?;
        for id in forest.ids() {
            let mut tree = Entries::new();
            let mut cursor = forest.cursor(store.pager(), id)?;
            let mut more = cursor.first()?;
            while more {
                tree.insert(cursor.key(), cursor.value()?.unwrap_or_default());
                more = cursor.next()?;
            }
            found.insert(id.0, tree);
        }
    }
    Ok(found)
}

#[track_caller]
fn refused(bytes: &[u8], kind: ErrorKind, offset: u64, expected: &str) -> Error {
    let error = read_all(bytes).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.path(), Some(path()), "{error}");
    assert_eq!(error.offset(), Some(offset), "{error}");
    let text = error.to_string();
    assert!(text.contains(expected), "{text:?} does not say {expected:?}");
    assert!(text.contains(&format!("(file app.pando, offset {offset})")), "{text}");
    error
}

/// Writes the checksum that a superblock with these bytes has.
fn sign(slot: &mut [u8]) {
    let covered = SUPERBLOCK.bytes - 4;
    let checksum = crc32fast::hash(&slot[..covered]);
    slot[covered..covered + 4].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn foreign_files_are_told_by_their_first_bytes_however_short() {
    let expected = r#"expected the signature "PandoDB\x00", found "#;
    for foreign in [&b"x"[..], b"hi\n", b"1234567", b"SQLite format 3\0", b"Pandora's box"] {
        let begun = foreign[..foreign.len().min(8)].escape_ascii();
        let expected = format!("{expected}\"{begun}\"");
        refused(foreign, ErrorKind::NotADatabase, 0, &expected);
        let long = [foreign, &[7; 9000]].concat();
        refused(&long, ErrorKind::NotADatabase, 0, "not a PandoDB database: expected");
    }
}

#[test]
fn files_cut_anywhere_in_the_first_superblock_are_told_as_cut() {
    let whole = database();
    for length in [1, 7, 8, 12, SUPERBLOCK.bytes - 1] {
        let expected = format!("expected {} bytes, found {length}", SUPERBLOCK.bytes);
        refused(&whole[..length], ErrorKind::Corrupt, 0, &expected);
    }
}

#[test]
fn superblocks_say_what_their_checksum_should_be() {
    let mut bytes = database();
    let second = SUPERBLOCK_BYTES as usize;
    // One damaged superblock is what the other one is for.
    assert!(read_all(&bytes).is_ok());
    bytes[second + 40] ^= 1;
    assert!(read_all(&bytes).is_ok());
    bytes[40] ^= 1;
    refused(&bytes, ErrorKind::Corrupt, 0, "superblock does not match its checksum: expected ");
    // Where the first one was never written the second one is what is wrong.
    bytes[..second].fill(0);
    refused(&bytes, ErrorKind::Corrupt, SUPERBLOCK_BYTES, "checksum: expected ");
}

#[test]
fn newer_formats_are_told_wherever_they_stand() {
    let whole = database();
    for slot in [0, SUPERBLOCK_BYTES as usize] {
        let mut bytes = whole.clone();
        let version = MAGIC.len()..MAGIC.len() + 4;
        bytes[slot..][version].copy_from_slice(&(FORMAT_VERSION + 1).to_le_bytes());
        sign(&mut bytes[slot..]);
        let expected = format!("has format {}", FORMAT_VERSION + 1);
        let error = refused(&bytes, ErrorKind::NewerFormat, slot as u64, &expected);
        assert!(error.message().contains(&format!("up to {FORMAT_VERSION}")), "{error}");
    }
}

#[test]
fn absurd_superblocks_with_a_right_checksum_say_what_was_expected() {
    let mut bytes = database();
    for slot in [0, SUPERBLOCK_BYTES as usize] {
        bytes[slot + 12..slot + 16].copy_from_slice(&3u32.to_le_bytes());
        sign(&mut bytes[slot..]);
    }
    refused(&bytes, ErrorKind::Corrupt, 0, "claims pages of 3 bytes: expected ");
}

#[test]
fn every_damaged_granule_that_is_read_is_named() {
    let whole = database();
    let expected = read_all(&whole).unwrap();
    let mut refusals = 0;
    for at in (2 * SUPERBLOCK_BYTES as usize..whole.len()).step_by(512) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        match read_all(&bytes) {
            // Nothing is kept there.
            Ok(found) => assert_eq!(found, expected, "granule at {at}"),
            Err(error) => {
                refusals += 1;
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert_eq!(error.path(), Some(path()), "{error}");
                let offset = error.offset().unwrap() as usize;
                assert!((at - at.min(8192)..=at).contains(&offset), "{at}: {error}");
                assert!(error.message().contains("expected"), "{error}");
            }
        }
    }
    assert!(refusals > 5, "only {refusals} of the damaged granules were noticed");
}

#[test]
fn files_cut_behind_their_superblocks_say_where_they_end() {
    let whole = database();
    let mut refusals = 0;
    for length in (2 * SUPERBLOCK_BYTES as usize..whole.len()).step_by(1024) {
        let Err(error) = read_all(&whole[..length]) else { continue };
        refusals += 1;
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert_eq!(error.path(), Some(path()), "{error}");
        assert!(error.offset().is_some(), "{error}");
        assert!(error.message().contains("expected"), "{error}");
    }
    assert!(refusals > 5, "only {refusals} of the cut files were noticed");
}

/// A head with a damaged page is dropped, and that is made durable: the room of that page, and of
/// what it refers to, is lost, and no other is.
#[test]
fn a_damaged_page_that_is_given_up_holds_no_checkpoint_up() {
    let whole = database();
    let (mut clean, mut lost) = (0, 0);
    for at in (2 * SUPERBLOCK_BYTES as usize..whole.len()).step_by(512) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
        vfs.open(path(), OpenMode::Create).unwrap().write_at(0, &bytes).unwrap();
        // Where the space map or the registry is damaged, nothing can be changed.
        let Ok(store) = Store::open(&vfs, path(), &options()) else { continue };
        let heads = vec![(HeadId(1), HeadChange::Drop)];
        let commit = store.saved_commit() + 1;
        if store.checkpoint(|| Captured { heads, commit, log_position: 0 }).is_err() {
            assert!(store.heads().is_err());
            continue;
        }
        drop(store);
        let store = Store::open(&vfs, path(), &options()).unwrap();
        assert!(store.heads().unwrap().is_empty());
        let problems = check(&store, &mut |_| true).unwrap().problems;
        match problems.as_slice() {
            [] => clean += 1,
            [problem] => {
                assert!(problem.contains("granules"), "{problem}");
                lost += 1;
            }
            more => panic!("{more:?}"),
        }
    }
    assert!(clean > 5 && lost > 0, "{clean} {lost}");
}
