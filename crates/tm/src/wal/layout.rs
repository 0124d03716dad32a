//! The layout of the log's fixed structures as data, from which the document's tables are made.
//!
//! Tests compare these tables with what the encoders write, so that neither side can move alone.
//! Neighbours: `segment` and `frame` encode; `pandodb_ds::format::layout` has the database file's.

use pandodb_ds::format::layout::{Structure, field};

/// What a segment begins with, in a place of 512 bytes.
pub const SEGMENT_HEADER: Structure = Structure {
    name: "log segment header",
    bytes: 68,
    fields: &[
        field("magic", 0, 8, "`PANDOWAL`"),
        field("format", 8, 4, "format version, now 1"),
        field("header", 12, 4, "512: where the frames begin"),
        field("database", 16, 16, "identity of the database, as in its superblock"),
        field("number", 32, 8, "as in the file's name; else the file is of an earlier life"),
        field("salt", 40, 8, "random; part of every frame's checksum"),
        field("first", 48, 8, "log position of the first frame"),
        field("durable", 56, 8, "up to where the log was durable when this was written"),
        field("checksum", 64, 4, "CRC-32 of the bytes before"),
    ],
};

/// What a frame begins with.
pub const FRAME_HEADER: Structure = Structure {
    name: "log frame header",
    bytes: 21,
    fields: &[
        field("magic", 0, 4, "`0x377F0682`"),
        field("length", 4, 4, "length of the frame, from the magic to its checksum"),
        field("number", 8, 4, "the tree that the batch begins on"),
        field("commit", 12, 8, "the commit that the frame belongs to"),
        field("flags", 20, 1, "bit 0: first frame of its transaction; bit 1: last one"),
    ],
};

/// All structures, in the order of the document.
pub const STRUCTURES: &[&Structure] = &[&SEGMENT_HEADER, &FRAME_HEADER];

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

    use super::super::frame::{FRAME_HEADER_LEN, FRAME_MAGIC, FrameBuffer};
    use super::super::operation::CommitInfo;
    use super::super::segment::{DatabaseId, Header};
    use super::*;
    use crate::ids::{CommitId, HeadId, Lsn};

    fn bytes_of<'a>(structure: &Structure, name: &str, bytes: &'a [u8]) -> &'a [u8] {
        let field = structure.fields.iter().find(|field| field.name == name).unwrap();
        &bytes[field.offset..field.offset + field.bytes]
    }

    #[test]
    fn tables_have_no_gaps() {
        for structure in STRUCTURES {
            assert!(structure.is_contiguous(), "{}", structure.name);
        }
    }

    #[test]
    fn a_segment_header_is_as_its_table_says() {
        let header = Header {
            database: DatabaseId([7; 16]),
            number: 0x0102,
            salt: 0x0304,
            first: Lsn(0x0506),
            durable: Lsn(0x0708),
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), SEGMENT_HEADER.bytes);
        let at = |name| bytes_of(&SEGMENT_HEADER, name, &bytes);
        assert_eq!(at("magic"), b"PANDOWAL");
        assert_eq!(at("format"), 1_u32.to_le_bytes());
        assert_eq!(at("header"), 512_u32.to_le_bytes());
        assert_eq!(at("database"), [7; 16]);
        assert_eq!(at("number"), 0x0102_u64.to_le_bytes());
        assert_eq!(at("salt"), 0x0304_u64.to_le_bytes());
        assert_eq!(at("first"), 0x0506_u64.to_le_bytes());
        assert_eq!(at("durable"), 0x0708_u64.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[..64]).to_le_bytes();
        assert_eq!(at("checksum"), checksum);
    }

    #[test]
    fn a_frame_is_as_its_table_says() {
        let mut buffer = FrameBuffer::new();
        buffer.begin(HeadId(1), CommitId(4)).unwrap();
        buffer.finish(&CommitInfo::default()).unwrap();
        let bytes = buffer.seal(CommitId(5), Lsn(96), Lsn(64), 9).unwrap();
        let at = |name| bytes_of(&FRAME_HEADER, name, bytes);
        assert_eq!(FRAME_HEADER.bytes, FRAME_HEADER_LEN + 1, "the flags are in the payload");
        assert_eq!(at("magic"), FRAME_MAGIC.to_le_bytes());
        assert_eq!(at("length"), (bytes.len() as u32).to_le_bytes());
        assert_eq!(at("number"), 0_u32.to_le_bytes());
        assert_eq!(at("commit"), 5_u64.to_le_bytes());
        assert_eq!(at("flags"), [3]);
        let (content, checksum) = bytes.split_at(bytes.len() - 4);
        let (_, unsynced) = content.split_at(content.len() - 4);
        assert_eq!(unsynced, 32_u32.to_le_bytes(), "96 less 64");
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&9_u64.to_le_bytes());
        hasher.update(&96_u64.to_le_bytes());
        hasher.update(content);
        assert_eq!(checksum, hasher.finalize().to_le_bytes());
    }
}
