//! JSONB: the binary form of JSON that all JSON functions work on.
//!
//! A node is a header and a payload. The low four bits of the first byte tell the kind, the
//! high four the payload's length, or how many bytes behind hold it (big-endian):
//!
//! ```text
//! 0..=11 length itself    12 one byte    13 two    14 four    15 eight
//! ```
//!
//! Numbers and texts keep their spelling as payload; an array's payload is its elements, an
//! object's is label, value, label, value. The format is SQLite's, so that stored blobs can
//! be exchanged. Blobs come from anywhere: every header is checked when it is read.
//! Neighbours: `parse` makes nodes of text, `render` text of nodes.

use super::Fault;

/// How deep arrays and objects may be nested.
pub(super) const DEPTH_MAX: usize = 1000;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    Null = 0,
    True = 1,
    False = 2,
    /// A canonical integer.
    Int = 3,
    /// A hexadecimal integer.
    Int5 = 4,
    /// A canonical real.
    Float = 5,
    /// A real that lacks digits on one side of the point.
    Float5 = 6,
    /// Text that is the same in JSON and in SQL.
    Text = 7,
    /// Text with JSON's escapes.
    TextJ = 8,
    /// Text with JSON5's escapes.
    Text5 = 9,
    /// Text without escapes that would need some in JSON.
    TextRaw = 10,
    Array = 11,
    Object = 12,
}

const KINDS: [Kind; 13] = [
    Kind::Null,
    Kind::True,
    Kind::False,
    Kind::Int,
    Kind::Int5,
    Kind::Float,
    Kind::Float5,
    Kind::Text,
    Kind::TextJ,
    Kind::Text5,
    Kind::TextRaw,
    Kind::Array,
    Kind::Object,
];

impl Kind {
    /// Whether it is text of any form, which labels must be.
    pub(super) fn is_text(self) -> bool {
        (Self::Text..=Self::TextRaw).contains(&self)
    }

    /// Whether it has nodes inside.
    pub(super) fn is_container(self) -> bool {
        self >= Self::Array
    }

    /// Whether it is text whose payload is the text itself.
    pub(super) fn is_raw_text(self) -> bool {
        matches!(self, Self::Text | Self::TextRaw)
    }

    /// The name that `json_type` gives it.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::True => "true",
            Self::False => "false",
            Self::Int | Self::Int5 => "integer",
            Self::Float | Self::Float5 => "real",
            Self::Text | Self::TextJ | Self::Text5 | Self::TextRaw => "text",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Where a node and its payload are in a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The header's first byte.
    pub(super) start: usize,
    /// The payload's first byte.
    pub(super) payload: usize,
    /// The byte behind the payload.
    pub(super) end: usize,
}

impl Node {
    /// Reads the header at `start`; the node must end within the blob.
    pub(super) fn read(blob: &[u8], start: usize) -> Result<Self, Fault> {
        Self::read_within(blob, start, blob.len())
    }

    /// Reads the header at `start`; the node must end at `limit` or before.
    pub(super) fn read_within(blob: &[u8], start: usize, limit: usize) -> Result<Self, Fault> {
        let first = *blob.get(start).ok_or(Fault::Malformed)?;
        let kind = *KINDS.get(usize::from(first & 15)).ok_or(Fault::Malformed)?;
        let (len, header_len) = match first >> 4 {
            len @ 0..=11 => (usize::from(len), 1),
            wide => {
                let bytes = 1_usize << (wide - 12);
                let digits = blob.get(start + 1..start + 1 + bytes).ok_or(Fault::Malformed)?;
                let len = digits.iter().fold(0_u64, |len, &byte| len << 8 | u64::from(byte));
                (u32::try_from(len).map_err(|_| Fault::Malformed)? as usize, 1 + bytes)
            }
        };
        let payload = start + header_len;
        let end = payload.checked_add(len).filter(|end| *end <= limit && *end <= blob.len());
        Ok(Self { kind, start, payload, end: end.ok_or(Fault::Malformed)? })
    }

    /// The payload's bytes.
    pub(super) fn content(self, blob: &[u8]) -> &[u8] {
        &blob[self.payload..self.end]
    }

    /// Header and payload.
    pub(super) fn whole(self, blob: &[u8]) -> &[u8] {
        &blob[self.start..self.end]
    }

    /// The nodes inside; labels and values in turn in an object.
    pub(super) fn children(self, blob: &[u8]) -> Children<'_> {
        Children { blob, at: self.payload, end: self.end }
    }
}

/// The nodes of a container, one after the other.
pub(super) struct Children<'b> {
    blob: &'b [u8],
    at: usize,
    end: usize,
}

impl Children<'_> {
    /// The next node, or none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Node>, Fault> {
        if self.at >= self.end {
            return Ok(None);
        }
        let node = Node::read_within(self.blob, self.at, self.end)?;
        self.at = node.end;
        Ok(Some(node))
    }

    /// The next label and value of an object, or none at the end.
    pub(super) fn next_entry(&mut self) -> Result<Option<(Node, Node)>, Fault> {
        let Some(label) = self.next()? else { return Ok(None) };
        if !label.kind.is_text() {
            return Err(Fault::Malformed);
        }
        let value = self.next()?.ok_or(Fault::Malformed)?;
        Ok(Some((label, value)))
    }
}

/// Appends the header of a node with a payload of `len` bytes.
pub(super) fn push_header(kind: Kind, len: usize, out: &mut Vec<u8>) {
    let (header, header_len) = header(kind, len);
    out.extend_from_slice(&header[..header_len]);
}

/// Appends a node.
pub(super) fn push_node(kind: Kind, payload: &[u8], out: &mut Vec<u8>) {
    push_header(kind, payload.len(), out);
    out.extend_from_slice(payload);
}

/// The node in `bytes`, which it fills, made `len` bytes long by a longer header, where there is
/// one of that length. So SQLite puts a value in the place of a longer one without moving what is
/// behind; literals stay as they are.
pub(super) fn widened(bytes: &[u8], len: usize) -> Option<Vec<u8>> {
    let node = Node::read(bytes, 0).ok().filter(|node| node.kind > Kind::False)?;
    let payload = node.content(bytes);
    let header_len = len.checked_sub(payload.len())?;
    let digits = header_len.checked_sub(1)?;
    if header_len <= node.payload || !matches!(digits, 1 | 2 | 4 | 8) {
        return None;
    }
    let code = 12 + digits.ilog2() as u8;
    let mut wide = Vec::with_capacity(len);
    wide.push(code << 4 | node.kind as u8);
    wide.extend_from_slice(&(payload.len() as u64).to_be_bytes()[8 - digits..]);
    wide.extend_from_slice(payload);
    Some(wide)
}

/// The shortest header, and its length.
fn header(kind: Kind, len: usize) -> ([u8; 9], usize) {
    let mut header = [0; 9];
    let (code, bytes) = match len {
        0..=11 => (len as u8, 0),
        12..=0xFF => (12, 1),
        0x100..=0xFFFF => (13, 2),
        0x1_0000..=0xFFFF_FFFF => (14, 4),
        _ => (15, 8),
    };
    header[0] = code << 4 | kind as u8;
    let digits = (len as u64).to_be_bytes();
    header[1..=bytes].copy_from_slice(&digits[8 - bytes..]);
    (header, 1 + bytes)
}

/// Rewrites the header at `start`, `header_len` bytes long, for a payload of `len` bytes; what
/// follows moves. Returns by how much the header grew.
pub(super) fn replace_header(
    blob: &mut Vec<u8>,
    start: usize,
    header_len: usize,
    kind: Kind,
    len: usize,
) -> isize {
    let (header, new_len) = header(kind, len);
    if new_len == header_len {
        blob[start..start + new_len].copy_from_slice(&header[..new_len]);
    } else {
        blob.splice(start..start + header_len, header[..new_len].iter().copied());
    }
    new_len as isize - header_len as isize
}
