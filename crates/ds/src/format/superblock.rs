//! The superblock: the one place that is overwritten, and the root of everything else.
//!
//! Two slots are written in turn, so that a torn write of one leaves the other. The valid slot
//! with the greater checkpoint number is current. Neighbours: `layout` has the bytes,
//! `checkpoint` writes it, `store` reads it.

use super::bytes::{Reader, put_le};
use super::layout;
use super::page_ref::PageRef;
use super::tree_root::TreeRoot;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{PAGE_BYTES_MAX, PAGE_BYTES_MIN, SUPERBLOCK_BYTES};

/// The first eight bytes of a database.
pub const MAGIC: [u8; 8] = *b"PandoDB\0";

/// The format that this library writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;

const REGISTRY_BYTES: usize = 55;
const SPACE_MAP_BYTES: usize = 36;

/// What a superblock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// The size that pages are split at.
    pub page_bytes: u32,
    /// The database's random identity.
    pub database: [u8; 16],
    /// The number of the checkpoint.
    pub checkpoint: u64,
    /// The newest commit that the roots hold.
    pub commit: u64,
    /// Where replay of the log starts.
    pub log_position: u64,
    /// The length of the used part of the file in granules.
    pub granules: u64,
    /// When the checkpoint was made, in microseconds since 1970.
    pub time_micros: i64,
    /// Head id to directory root.
    pub registry: TreeRoot,
    /// The newest record of the space map; none in a new database.
    pub space_map: Option<PageRef>,
}

impl Superblock {
    /// The slot that checkpoint `number` goes to, as a byte offset.
    pub fn slot_offset(number: u64) -> u64 {
        (number % 2) * SUPERBLOCK_BYTES
    }

    /// The bytes of a slot.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SUPERBLOCK_BYTES as usize);
        out.extend_from_slice(&MAGIC);
        put_le::<4>(&mut out, u64::from(FORMAT_VERSION));
        put_le::<4>(&mut out, u64::from(self.page_bytes));
        out.extend_from_slice(&self.database);
        for value in [self.checkpoint, self.commit, self.log_position, self.granules] {
            put_le::<8>(&mut out, value);
        }
        put_le::<8>(&mut out, self.time_micros as u64);
        let start = out.len();
        self.registry.encode(&mut out);
        out.resize(start + REGISTRY_BYTES, 0);
        if let Some(space_map) = &self.space_map {
            space_map.encode(&mut out);
        }
        out.resize(layout::SUPERBLOCK.bytes - 4, 0);
        let checksum = crc32fast::hash(&out);
        put_le::<4>(&mut out, u64::from(checksum));
        out.resize(SUPERBLOCK_BYTES as usize, 0);
        out
    }

    /// Reads a slot. Fails with the kind that tells a foreign file (`NotADatabase`) from a
    /// damaged slot (`Corrupt`) and from one of a newer format (`NewerFormat`).
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let begun = &bytes[..bytes.len().min(MAGIC.len())];
        if begun.is_empty() || !MAGIC.starts_with(begun) {
            return Err(foreign(begun));
        }
        let covered = layout::SUPERBLOCK.bytes - 4;
        let (Some(content), Some(checksum)) =
            (bytes.get(..covered), bytes.get(covered..covered + 4))
        else {
            return Err(Error::corrupt(format!(
                "superblock is cut short: expected {} bytes, found {}",
                layout::SUPERBLOCK.bytes,
                bytes.len()
            )));
        };
        let mut reader = Reader::new(bytes);
        reader.take(MAGIC.len())?;
        let version = reader.u32()?;
        let computed = crc32fast::hash(content);
        let is_intact = computed.to_le_bytes() == checksum;
        if version > FORMAT_VERSION && is_intact {
            return Err(Error::new(
                ErrorKind::NewerFormat,
                format!(
                    "the database has format {version}, this library reads up to \
                     {FORMAT_VERSION}: open it with a newer PandoDB"
                ),
            ));
        }
        if !is_intact {
            let stored = Reader::new(checksum).u32()?;
            return Err(Error::corrupt(format!(
                "superblock does not match its checksum: expected {stored:08x}, is {computed:08x}"
            )));
        }
        if version == 0 {
            return Err(Error::corrupt(format!(
                "superblock claims format 0: expected 1 to {FORMAT_VERSION}"
            )));
        }
        let page_bytes = reader.u32()?;
        if !(PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&(page_bytes as usize)) {
            return Err(Error::corrupt(format!(
                "superblock claims pages of {page_bytes} bytes: expected {PAGE_BYTES_MIN} to \
                 {PAGE_BYTES_MAX}"
            )));
        }
        let database = reader.array()?;
        let checkpoint = reader.u64()?;
        let commit = reader.u64()?;
        let log_position = reader.u64()?;
        let granules = reader.u64()?;
        let time_micros = reader.u64()? as i64;
        let registry = TreeRoot::decode(&mut Reader::new(reader.take(REGISTRY_BYTES)?))?;
        let space_map = reader.take(SPACE_MAP_BYTES)?;
        let space_map = if space_map.iter().all(|byte| *byte == 0) {
            None
        } else {
            Some(PageRef::decode(&mut Reader::new(space_map))?)
        };
        Ok(Self {
            page_bytes,
            database,
            checkpoint,
            commit,
            log_position,
            granules,
            time_micros,
            registry,
            space_map,
        })
    }
}

/// What begins with other bytes than ours. They are shown, because people know the signatures of
/// their other files.
#[cold]
fn foreign(begun: &[u8]) -> Error {
    let found = match begun {
        [] => "nothing".to_owned(),
        bytes => format!("\"{}\"", bytes.escape_ascii()),
    };
    Error::new(
        ErrorKind::NotADatabase,
        format!(
            "not a PandoDB database: expected the signature \"{}\", found {found}",
            MAGIC.escape_ascii()
        ),
    )
}
