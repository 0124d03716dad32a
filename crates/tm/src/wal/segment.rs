//! Segments: the files of the log, their names and their headers.
//!
//! The log of the database `app.pando` is the files `app.pando-wal-00000001`, `-00000002` and so
//! on, preallocated so that appending does not change a file's size. A file is reused under a
//! later number when a checkpoint has made its contents superfluous; its header then gets a new
//! salt, which makes all frames of its earlier life invalid. Header, little-endian, in the first
//! 512 bytes, which no later write touches:
//!
//! | field | bytes | holds |
//! |---|---|---|
//! | magic | 8 | `PANDOWAL` |
//! | version | 4 | 1 |
//! | header length | 4 | 512: where the frames begin |
//! | database | 16 | the id of the database that the log belongs to |
//! | segment number | 8 | as in the file's name, or the file is left over from an earlier life |
//! | salt | 8 | random, part of every frame's checksum |
//! | first position | 8 | log position of the first frame |
//! | durable position | 8 | up to where the log was known to be durable when this was written |
//! | CRC32 | 4 | of the fields before |
//!
//! A transaction never spans two segments: one that does not fit gets a new (if need be, larger)
//! segment. Neighbours: `writer` makes segments, `reader` walks them, `archive` lists them.

use std::path::{Path, PathBuf};

use pandodb_ds::vfs::{File, OpenMode, Vfs};

use crate::error::{Error, ErrorKind, Result};
use crate::ids::Lsn;

/// Bytes before the first frame.
pub(super) const HEADER_LEN: u64 = 512;

const MAGIC: [u8; 8] = *b"PANDOWAL";
const VERSION: u32 = 1;
const CRC_AT: usize = 64;
const ENCODED_LEN: usize = CRC_AT + 4;

/// Which database a log belongs to: random bytes chosen when it was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DatabaseId(pub [u8; 16]);

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) database: DatabaseId,
    pub(super) number: u64,
    pub(super) salt: u64,
    pub(super) first: Lsn,
    pub(super) durable: Lsn,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; ENCODED_LEN] {
        let mut bytes = [0; ENCODED_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(HEADER_LEN as u32).to_le_bytes());
        bytes[16..32].copy_from_slice(&self.database.0);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.salt.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.first.0.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.durable.0.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header in `bytes`; none if they are not a whole one.
    fn decode(bytes: &[u8; ENCODED_LEN]) -> Result<Option<Self>> {
        let [version, length, crc] = [8, 12, CRC_AT].map(|at| {
            let mut field = [0; 4];
            field.copy_from_slice(&bytes[at..at + 4]);
            u32::from_le_bytes(field)
        });
        if bytes[..8] != MAGIC || crc32fast::hash(&bytes[..CRC_AT]) != crc {
            return Ok(None);
        }
        if version != VERSION || u64::from(length) != HEADER_LEN {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!("the log has format version {version}, this library reads {VERSION}"),
            ));
        }
        let mut database = [0; 16];
        database.copy_from_slice(&bytes[16..32]);
        let [number, salt, first, durable] = [32, 40, 48, 56].map(|at| {
            let mut field = [0; 8];
            field.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(field)
        });
        let database = DatabaseId(database);
        Ok(Some(Self { database, number, salt, first: Lsn(first), durable: Lsn(durable) }))
    }

    /// Reads the header of a file; none if the file has no whole one.
    pub(super) fn read(file: &dyn File) -> Result<Option<Self>> {
        let mut bytes = [0; ENCODED_LEN];
        if file.read_at(0, &mut bytes)? < ENCODED_LEN {
            return Ok(None);
        }
        Self::decode(&bytes)
    }

    /// The place of a log position in the file.
    pub(super) fn offset_of(&self, position: Lsn) -> u64 {
        HEADER_LEN + position.since(self.first)
    }

    /// The log position of a place in the file.
    pub(super) fn position_of(&self, offset: u64) -> Lsn {
        self.first.advanced(offset.saturating_sub(HEADER_LEN))
    }
}

/// The file of segment `number`, beside the database.
pub(super) fn segment_path(database: &Path, number: u64) -> PathBuf {
    let mut name = database.as_os_str().to_os_string();
    name.push(format!("-wal-{number:08}"));
    PathBuf::from(name)
}

/// The directory of the log.
pub(super) fn directory(database: &Path) -> &Path {
    database.parent().unwrap_or_else(|| Path::new(""))
}

/// The first file of a log that lies where a database of this path has its own, if there is one.
pub(crate) fn log_beside(vfs: &dyn Vfs, database: &Path) -> Result<Option<PathBuf>> {
    let files = match list(vfs, database) {
        // Whoever makes the database tells that there is no such folder.
        Err(missing) if missing.kind() == ErrorKind::NotFound => return Ok(None),
        files => files?,
    };
    for (_, path) in files {
        if Header::read(&*vfs.open(&path, OpenMode::Read)?)?.is_some() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Refuses to make a database where the log of another one would be taken for its own; that there
/// is a database already is for others to tell.
pub fn check_no_log(vfs: &dyn Vfs, database: &Path) -> Result<()> {
    if vfs.exists(database)? {
        return Ok(());
    }
    let Some(log) = log_beside(vfs, database)? else { return Ok(()) };
    let message = format!(
        "the log of a database that had this name is still there: move {} and what follows it \
         away, or choose another name",
        log.display()
    );
    Err(Error::new(ErrorKind::Exists, message))
}

/// What a segment's name ends with that lies beyond a gap of the log: it is kept and not read.
const LOST: &[u8] = b"-lost";

/// The name that the segment of this file gets when it is set aside.
pub(super) fn lost_path(segment: &Path) -> PathBuf {
    let mut name = segment.as_os_str().to_os_string();
    name.push("-lost");
    PathBuf::from(name)
}

/// The files of a log by number, whatever they hold.
#[derive(Debug, Default)]
pub(super) struct LogFiles {
    pub(super) segments: Vec<(u64, PathBuf)>,
    /// Those that were set aside.
    pub(super) lost: Vec<(u64, PathBuf)>,
}

impl LogFiles {
    pub(super) fn list(vfs: &dyn Vfs, database: &Path) -> Result<Self> {
        let mut files = Self::default();
        let Some(name) = database.file_name() else { return Ok(files) };
        let mut prefix = name.as_encoded_bytes().to_vec();
        prefix.extend_from_slice(b"-wal-");
        for path in vfs.list(directory(database))? {
            let rest = path
                .file_name()
                .and_then(|name| name.as_encoded_bytes().strip_prefix(prefix.as_slice()));
            let Some(rest) = rest else { continue };
            let (digits, is_lost) =
                rest.strip_suffix(LOST).map_or((rest, false), |digits| (digits, true));
            if digits.len() < 8 || !digits.iter().all(u8::is_ascii_digit) {
                continue;
            }
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            if let Some(number) = number {
                let found = if is_lost { &mut files.lost } else { &mut files.segments };
                found.push((number, path));
            }
        }
        files.segments.sort();
        files.lost.sort();
        Ok(files)
    }
}

/// The segment files of a database by number, whatever they hold.
pub(super) fn list(vfs: &dyn Vfs, database: &Path) -> Result<Vec<(u64, PathBuf)>> {
    Ok(LogFiles::list(vfs, database)?.segments)
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use super::*;

    #[test]
    fn a_header_comes_back_and_each_flipped_bit_is_seen() {
        let header = Header {
            database: DatabaseId([7; 16]),
            number: 3,
            salt: 0x1234_5678_9abc_def0,
            first: Lsn(1000),
            durable: Lsn(900),
        };
        let mut bytes = header.encode();
        assert_eq!(Header::decode(&bytes).unwrap(), Some(header));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes).unwrap(), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let header = Header {
            database: DatabaseId([7; 16]),
            number: 3,
            salt: 0,
            first: Lsn(0),
            durable: Lsn(0),
        };
        let mut bytes = header.encode();
        bytes[8] = 2;
        let crc = crc32fast::hash(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        let error = Header::decode(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerFormat);
    }
}
