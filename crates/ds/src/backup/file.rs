//! The bytes of a backup file: a header, extents with their places, a trailer with a checksum
//! over everything.
//!
//! The trailer is written last, so that a file that ends early is recognised. Neighbours: `take`
//! writes one, `chain` reads extents out of several, `format::layout` has the tables.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::format::bytes::{Reader, put_le};
use crate::format::layout::{BACKUP_HEADER, BACKUP_RECORD, BACKUP_TRAILER, SUPERBLOCK};
use crate::format::{Granule, Superblock};
use crate::limits::{EXTENT_BYTES_MAX, FIRST_GRANULE};
use crate::sync::Arc;
use crate::vfs::{File, OpenMode, Vfs};

const MAGIC: [u8; 8] = *b"PandoBk\0";
const FORMAT_VERSION: u32 = 1;
const BUFFER_BYTES: usize = 1024 * 1024;

/// What a backup file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupInfo {
    /// The backup's random identity.
    pub id: [u8; 16],
    /// The backup that this increment stands on; none for a full backup.
    pub base: Option<[u8; 16]>,
    /// Pages born up to here are in the base; 0 for a full backup.
    pub since: u64,
    /// Every page born up to here that a later checkpoint still reaches is in this backup or
    /// those it stands on.
    pub until: u64,
    /// The superblock of the checkpoint that was copied.
    pub superblock: Superblock,
}

impl BackupInfo {
    /// The identity of the database that was copied.
    pub fn database(&self) -> [u8; 16] {
        self.superblock.database
    }

    /// The newest commit that the backup holds.
    pub fn commit(&self) -> u64 {
        self.superblock.commit
    }

    /// When the checkpoint that was copied was made, in microseconds since 1970.
    pub fn time_micros(&self) -> i64 {
        self.superblock.time_micros
    }

    /// Whether the backup can be restored by itself.
    pub fn is_full(&self) -> bool {
        self.base.is_none()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BACKUP_HEADER.bytes);
        out.extend_from_slice(&MAGIC);
        put_le::<4>(&mut out, u64::from(FORMAT_VERSION));
        put_le::<4>(&mut out, u64::from(self.base.is_some()));
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.base.unwrap_or_default());
        put_le::<8>(&mut out, self.since);
        put_le::<8>(&mut out, self.until);
        out.extend_from_slice(&self.superblock.encode()[..SUPERBLOCK.bytes]);
        out.resize(BACKUP_HEADER.bytes - 4, 0);
        let checksum = crc32fast::hash(&out);
        put_le::<4>(&mut out, u64::from(checksum));
        out
    }

    /// Reads a header; tells a foreign file from a damaged one and from a newer format.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let begun = &bytes[..bytes.len().min(MAGIC.len())];
        if begun.is_empty() || !MAGIC.starts_with(begun) {
            let message = format!(
                "not a backup of PandoDB: expected the signature \"{}\", found \"{}\"",
                MAGIC.escape_ascii(),
                begun.escape_ascii()
            );
            return Err(Error::new(ErrorKind::NotADatabase, message));
        }
        let covered = BACKUP_HEADER.bytes - 4;
        let (Some(content), Some(checksum)) =
            (bytes.get(..covered), bytes.get(covered..covered + 4))
        else {
            return Err(Error::corrupt(format!(
                "the header of the backup is cut short: expected {} bytes, found {}",
                BACKUP_HEADER.bytes,
                bytes.len()
            )));
        };
        if crc32fast::hash(content).to_le_bytes() != checksum {
            return Err(Error::corrupt("the header of the backup does not match its checksum"));
        }
        reader.take(MAGIC.len())?;
        let version = reader.u32()?;
        if version != FORMAT_VERSION {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!("the backup has format {version}, this library reads {FORMAT_VERSION}"),
            ));
        }
        let kind = reader.u32()?;
        let id = reader.array()?;
        let base: [u8; 16] = reader.array()?;
        let base = match kind {
            0 => None,
            1 => Some(base),
            other => return Err(Error::corrupt(format!("unknown kind of backup: {other}"))),
        };
        let (since, until) = (reader.u64()?, reader.u64()?);
        let superblock = Superblock::decode(reader.take(SUPERBLOCK.bytes)?)?;
        Ok(Self { id, base, since, until, superblock })
    }
}

/// A backup file that is being written.
#[derive(Debug)]
pub(super) struct Output {
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    written: u64,
    records: u64,
    checksum: crc32fast::Hasher,
}

impl Output {
    pub(super) fn create(vfs: &dyn Vfs, path: &Path, info: &BackupInfo) -> Result<Self> {
        let file = vfs.open(path, OpenMode::CreateNew)?;
        let mut output = Self {
            file,
            buffer: Vec::new(),
            written: 0,
            records: 0,
            checksum: crc32fast::Hasher::new(),
        };
        output.put(&info.encode())?;
        Ok(output)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.checksum.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_at(self.written, &self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn put_extent(&mut self, granule: Granule, stored: &[u8]) -> Result<()> {
        let mut header = Vec::with_capacity(BACKUP_RECORD.bytes);
        put_le::<8>(&mut header, granule.0);
        put_le::<4>(&mut header, stored.len() as u64);
        self.put(&header)?;
        self.put(stored)?;
        self.records += 1;
        Ok(())
    }

    /// Writes the trailer and waits until everything is durable.
    pub(super) fn finish(mut self) -> Result<()> {
        let bytes = self.bytes();
        let mut trailer = Vec::with_capacity(BACKUP_TRAILER.bytes);
        for value in [0, self.records, bytes] {
            put_le::<8>(&mut trailer, value);
        }
        self.put(&trailer)?;
        let checksum = self.checksum.clone().finalize();
        self.put(&checksum.to_le_bytes())?;
        self.flush()?;
        self.file.sync()
    }
}

/// Where an extent stands in a backup file.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordAt {
    pub(super) granule: Granule,
    pub(super) offset: u64,
    pub(super) length: u32,
}

/// Reads a backup file from front to back, verifying it on the way.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) file: Arc<dyn File>,
    pub(super) info: BackupInfo,
    offset: u64,
    records: u64,
    checksum: crc32fast::Hasher,
    payload: Vec<u8>,
}

impl Scan {
    pub(super) fn open(vfs: &dyn Vfs, path: &Path) -> Result<Self> {
        let file = vfs.open(path, OpenMode::Read)?;
        let mut header = vec![0; BACKUP_HEADER.bytes];
        let length = file.read_at(0, &mut header)?;
        header.truncate(length);
        let info = BackupInfo::decode(&header).map_err(|error| error.at_offset(0).in_file(path))?;
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&header);
        let offset = BACKUP_HEADER.bytes as u64;
        Ok(Self { file, info, offset, records: 0, checksum, payload: Vec::new() })
    }

    fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::corrupt(message).at_offset(self.offset).in_file(self.file.path())
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        if self.file.read_at(offset, buffer)? == buffer.len() {
            return Ok(());
        }
        Err(self.corrupt("the backup is incomplete: the file ends before its trailer"))
    }

    /// The next extent; none at the end, when everything has been verified.
    pub(super) fn next(&mut self) -> Result<Option<RecordAt>> {
        let mut header = [0; BACKUP_RECORD.bytes];
        self.read(self.offset, &mut header)?;
        let mut reader = Reader::new(&header);
        let granule = Granule(reader.u64()?);
        if granule.0 == 0 {
            return self.read_trailer().map(|()| None);
        }
        let length = reader.u32()?;
        if granule.0 < FIRST_GRANULE || length == 0 || length as usize > EXTENT_BYTES_MAX {
            return Err(self.corrupt(format!(
                "a record of the backup names {length} bytes at granule {}, which cannot be",
                granule.0
            )));
        }
        let offset = self.offset + BACKUP_RECORD.bytes as u64;
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(length as usize, 0);
        self.read(offset, &mut payload)?;
        self.checksum.update(&header);
        self.checksum.update(&payload);
        self.payload = payload;
        self.offset = offset + u64::from(length);
        self.records += 1;
        Ok(Some(RecordAt { granule, offset, length }))
    }

    fn read_trailer(&mut self) -> Result<()> {
        let mut trailer = [0; BACKUP_TRAILER.bytes];
        self.read(self.offset, &mut trailer)?;
        let (covered, checksum) = trailer.split_at(BACKUP_TRAILER.bytes - 4);
        self.checksum.update(covered);
        let found = self.checksum.clone().finalize();
        let mut reader = Reader::new(covered);
        let (_mark, records, bytes) = (reader.u64()?, reader.u64()?, reader.u64()?);
        if found.to_le_bytes() != checksum {
            return Err(self.corrupt("the backup does not match its checksum"));
        }
        if records != self.records || bytes != self.offset {
            return Err(self.corrupt(format!(
                "the backup claims {records} records in {bytes} bytes and has {} in {}",
                self.records, self.offset
            )));
        }
        if self.file.len()? != bytes + BACKUP_TRAILER.bytes as u64 {
            return Err(self.corrupt("the file goes on behind the end of the backup"));
        }
        Ok(())
    }
}
