//! The layout of fixed structures as data: one table a structure, shared by code and document.
//!
//! The tables of `docs/file-format.md` are printed from these constants (`cargo xtask codegen`),
//! and a test compares them with what the encoders write. Neighbours: `superblock`, `page_ref`.

use std::fmt::Write;

/// A field of a fixed structure.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name, as the document prints it.
    pub name: &'static str,
    /// The first byte.
    pub offset: usize,
    /// How many bytes; all integers are little-endian.
    pub bytes: usize,
    /// What it holds.
    pub meaning: &'static str,
}

/// A structure of fixed layout.
#[derive(Clone, Copy, Debug)]
pub struct Structure {
    /// Its name.
    pub name: &'static str,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its fields in order.
    pub fields: &'static [Field],
}

impl Structure {
    /// The structure as a markdown table.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("| offset | bytes | field | meaning |\n|---|---|---|---|\n");
        for field in self.fields {
            let Field { name, offset, bytes, meaning } = field;
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {offset} | {bytes} | {name} | {meaning} |");
        }
        text
    }

    /// Whether the fields follow one another without gap or overlap up to the length.
    pub fn is_contiguous(&self) -> bool {
        let end = self
            .fields
            .iter()
            .try_fold(0, |at, field| (field.offset == at).then_some(field.offset + field.bytes));
        end == Some(self.bytes)
    }
}

/// A field, as the tables of structures are written.
pub const fn field(
    name: &'static str,
    offset: usize,
    bytes: usize,
    meaning: &'static str,
) -> Field {
    Field { name, offset, bytes, meaning }
}

/// A page reference without a delta.
pub const PAGE_REF: Structure = Structure {
    name: "page reference",
    bytes: 36,
    fields: &[
        field("kind", 0, 1, "0 leaf, 1 inner, 2 overflow data, 3 overflow index"),
        field("level", 1, 1, "0 for a leaf, one more than its children for an inner page"),
        field("flags", 2, 1, "bit 0: a delta follows; bit 1: the page holds references"),
        field("codec", 3, 1, "how the stored bytes are compressed"),
        field("granule", 4, 6, "where the extent starts, in granules of 512 bytes"),
        field("stored", 10, 3, "length of the stored form in bytes"),
        field("raw", 13, 3, "length of the page in bytes"),
        field("checksum", 16, 4, "CRC-32 of the stored bytes"),
        field(
            "birth",
            20,
            8,
            "newest commit that the subtree holds, or a later number: a checkpoint's pages are \
         newer than all before",
        ),
        field("rows", 28, 8, "entries of the subtree; bytes of an overflow value"),
    ],
};

/// What follows a page reference whose delta flag is set.
pub const DELTA_REF: Structure = Structure {
    name: "delta reference",
    bytes: 17,
    fields: &[
        field("codec", 0, 1, "how the stored bytes are compressed"),
        field("granule", 1, 6, "where the extent starts, in granules"),
        field("stored", 7, 3, "length of the stored form in bytes"),
        field("raw", 10, 3, "length of the delta in bytes"),
        field("checksum", 13, 4, "CRC-32 of the stored bytes"),
    ],
};

/// The header of a leaf page.
pub const LEAF_HEADER: Structure = Structure {
    name: "leaf header",
    bytes: 16,
    fields: &[
        field("kind", 0, 1, "0: fixed eight-byte keys; 1: slotted"),
        field("reserved", 1, 1, "0"),
        field("prefix", 2, 2, "bytes of the common prefix that follows the header"),
        field("count", 4, 4, "entries"),
        field("lengths", 8, 4, "bytes of the lengths, which follow the fixed keys"),
        field("contents", 12, 4, "bytes of the contents, which end the page"),
    ],
};

/// The header of an inner page.
pub const INNER_HEADER: Structure = Structure {
    name: "inner header",
    bytes: 8,
    fields: &[
        field("kind", 0, 1, "0: fixed eight-byte separators; 1: separators of any length"),
        field("level", 1, 1, "1 above leaves"),
        field("reserved", 2, 2, "0"),
        field("count", 4, 4, "children; separators are one fewer"),
    ],
};

/// The header of a delta.
pub const DELTA_HEADER: Structure = Structure {
    name: "delta header",
    bytes: 8,
    fields: &[
        field("kind", 0, 1, "0: changes of a leaf; 1: changed children of an inner page"),
        field("reserved", 1, 3, "0"),
        field("count", 4, 4, "changes"),
    ],
};

/// A tree's root, as a cell of a directory or of the registry.
pub const TREE_ROOT: Structure = Structure {
    name: "tree root",
    bytes: 2,
    fields: &[
        field("kind", 0, 1, "0: fixed eight-byte keys; 1: slotted"),
        field("present", 1, 1, "0: the tree is empty; 1: a page reference follows"),
    ],
};

/// A superblock slot.
pub const SUPERBLOCK: Structure = Structure {
    name: "superblock",
    bytes: 256,
    fields: &[
        field("magic", 0, 8, "`PandoDB\\0`"),
        field("format", 8, 4, "format version, now 1"),
        field("page bytes", 12, 4, "the size that pages are split at"),
        field("database", 16, 16, "random identity of the database"),
        field("checkpoint", 32, 8, "number of this checkpoint; the greater valid slot is current"),
        field("commit", 40, 8, "newest commit that the roots hold"),
        field("log position", 48, 8, "where replay of the log starts"),
        field("granules", 56, 8, "length of the used part of the file"),
        field("time", 64, 8, "microseconds since 1970-01-01 UTC of the checkpoint"),
        field("registry", 72, 55, "tree root: head id to directory root"),
        field("space map", 127, 36, "page reference: the newest record of the space map"),
        field("reserved", 163, 89, "0"),
        field("checksum", 252, 4, "CRC-32 of the bytes before"),
    ],
};

/// The header of a backup file.
pub const BACKUP_HEADER: Structure = Structure {
    name: "backup header",
    bytes: 512,
    fields: &[
        field("magic", 0, 8, "`PandoBk\\0`"),
        field("format", 8, 4, "format version, now 1"),
        field("kind", 12, 4, "0: full; 1: increment"),
        field("backup", 16, 16, "random identity of this backup"),
        field("base", 32, 16, "identity of the backup that an increment stands on, else 0"),
        field("since", 48, 8, "pages born up to here are in the base; 0 in a full backup"),
        field("until", 56, 8, "the `since` of an increment that stands on this backup"),
        field("superblock", 64, 256, "of the checkpoint that was copied"),
        field("reserved", 320, 188, "0"),
        field("checksum", 508, 4, "CRC-32 of the bytes before"),
    ],
};

/// What stands before every extent in a backup file.
pub const BACKUP_RECORD: Structure = Structure {
    name: "backup record",
    bytes: 12,
    fields: &[
        field("granule", 0, 8, "where the extent starts in the database, in granules"),
        field("length", 8, 4, "bytes of the stored form, which follows"),
    ],
};

/// The end of a backup file.
pub const BACKUP_TRAILER: Structure = Structure {
    name: "backup trailer",
    bytes: 28,
    fields: &[
        field("mark", 0, 8, "0, in the place of a record's granule"),
        field("records", 8, 8, "how many records the file has"),
        field("bytes", 16, 8, "length of the file without the trailer"),
        field("checksum", 24, 4, "CRC-32 of all bytes of the file before this one"),
    ],
};

/// Every structure, in the order of the document.
pub const STRUCTURES: &[&Structure] = &[
    &SUPERBLOCK,
    &PAGE_REF,
    &DELTA_REF,
    &TREE_ROOT,
    &LEAF_HEADER,
    &INNER_HEADER,
    &DELTA_HEADER,
    &BACKUP_HEADER,
    &BACKUP_RECORD,
    &BACKUP_TRAILER,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_have_neither_gaps_nor_overlaps() {
        for structure in STRUCTURES {
            assert!(structure.is_contiguous(), "{}", structure.name);
        }
    }
}
