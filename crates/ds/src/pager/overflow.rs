//! Large values: pieces in extents of their own, readable one by one.
//!
//! A value of up to one chunk is one extent; a longer one has an index extent that lists its
//! chunks. They are written when the value is stored, not at the checkpoint, so that a
//! transaction with large values stays small in memory. Neighbours: a leaf's cell holds the
//! reference, `write` notes the extents.

use super::Pager;
use super::write::Writing;
use crate::error::{Error, ErrorKind, Result};
use crate::format::bytes::Reader;
use crate::format::layout::PAGE_REF;
use crate::format::{PageKind, PageRef};
use crate::limits::{EXTENT_BYTES_MAX, OVERFLOW_CHUNK_BYTES, VALUE_BYTES_MAX};
use crate::space::Ledger;

impl Pager {
    /// Stores a large value and returns the reference for its cell.
    pub fn write_overflow(&self, value: &[u8], ledger: &mut Ledger) -> Result<PageRef> {
        if value.len() as u64 > VALUE_BYTES_MAX {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("a value of {} bytes is longer than {VALUE_BYTES_MAX}", value.len()),
            ));
        }
        let mut writing = Writing::uncommitted(self, ledger);
        let mut pieces = Vec::new();
        for chunk in value.chunks(OVERFLOW_CHUNK_BYTES) {
            let rows = chunk.len() as u64;
            pieces.push(writing.write_piece(PageKind::OverflowData, chunk, rows, &[])?);
        }
        let page = if let [piece] = pieces.as_slice() {
            *piece
        } else {
            let mut index = Vec::with_capacity(pieces.len() * PAGE_REF.bytes);
            for piece in &pieces {
                piece.encode(&mut index);
            }
            let rows = value.len() as u64;
            writing.write_piece(PageKind::OverflowIndex, &index, rows, &pieces)?
        };
        writing.finish()?;
        Ok(page)
    }

    /// The pieces of a large value that has an index.
    pub(super) fn overflow_pieces(&self, page: &PageRef) -> Result<Vec<PageRef>> {
        let at_page =
            |error: Error| error.at_offset(page.base.granule.offset()).in_file(self.file.path());
        let index = self.read_stored(&page.base)?;
        let mut reader = Reader::new(&index);
        let mut pieces = Vec::with_capacity(index.len() / PAGE_REF.bytes);
        while reader.remaining() > 0 {
            let piece = PageRef::decode(&mut reader).map_err(at_page)?;
            let is_piece = piece.kind == PageKind::OverflowData && !piece.has_edges;
            if !is_piece || piece.delta.is_some() {
                return Err(at_page(Error::corrupt("an index of a large value lists no piece")));
            }
            pieces.push(piece);
        }
        let bytes: u64 = pieces.iter().map(|piece| piece.rows).sum();
        if bytes != page.rows {
            return Err(at_page(Error::corrupt(format!(
                "the pieces of a large value have {bytes} bytes, expected {}",
                page.rows
            ))));
        }
        Ok(pieces)
    }

    /// Stores those pieces of a large value again that `is_high` tells of, and its index; none
    /// where there is no such piece.
    pub fn copy_overflow(
        &self,
        page: &PageRef,
        is_high: &dyn Fn(&PageRef) -> bool,
        ledger: &mut Ledger,
    ) -> Result<Option<PageRef>> {
        let pieces = match page.kind {
            PageKind::OverflowIndex => self.overflow_pieces(page)?,
            _ => Vec::new(),
        };
        if !is_high(page) && !pieces.iter().any(is_high) {
            return Ok(None);
        }
        let mut writing = Writing::uncommitted(self, ledger);
        let mut copy = |page: &PageRef| {
            let bytes = self.read_stored(&page.base)?;
            writing.write_piece(PageKind::OverflowData, &bytes, page.rows, &[])
        };
        let copied = if page.kind == PageKind::OverflowData {
            copy(page)?
        } else {
            let mut copies = Vec::with_capacity(pieces.len());
            let mut index = Vec::with_capacity(pieces.len() * PAGE_REF.bytes);
            for piece in &pieces {
                copies.push(if is_high(piece) { copy(piece)? } else { *piece });
            }
            for piece in &copies {
                piece.encode(&mut index);
            }
            writing.write_piece(PageKind::OverflowIndex, &index, page.rows, &copies)?
        };
        writing.finish()?;
        Ok(Some(copied))
    }

    /// A reader of the large value behind a cell's reference.
    pub fn open_overflow(&self, page: &PageRef) -> Result<OverflowReader<'_>> {
        let pieces = match page.kind {
            PageKind::OverflowData => vec![*page],
            PageKind::OverflowIndex => self.overflow_pieces(page)?,
            PageKind::Leaf | PageKind::Inner => {
                return Err(Error::corrupt("a large value refers to a page of a tree"));
            }
        };
        let mut starts = Vec::with_capacity(pieces.len());
        let mut start = 0;
        for piece in &pieces {
            if piece.rows != u64::from(piece.base.raw) {
                return Err(Error::corrupt("a piece of a large value has two lengths"));
            }
            starts.push(start);
            start += piece.rows;
        }
        let parts = OverflowParts { pieces, starts, length: start, last: None };
        Ok(OverflowReader { pager: self, parts })
    }

    /// Goes on where [`OverflowReader::park`] stopped. Whoever kept the parts knows that the value
    /// is still there.
    pub fn resume_overflow(&self, parts: OverflowParts) -> OverflowReader<'_> {
        OverflowReader { pager: self, parts }
    }

    /// A whole large value.
    pub fn read_overflow(&self, page: &PageRef) -> Result<Vec<u8>> {
        let mut reader = self.open_overflow(page)?;
        let length = reader.len();
        if length > VALUE_BYTES_MAX || reader.parts.pieces.len() > EXTENT_BYTES_MAX {
            return Err(Error::corrupt(format!("a value claims {length} bytes")));
        }
        let mut value = Vec::new();
        for index in 0..reader.parts.pieces.len() {
            value.extend_from_slice(reader.piece(index)?);
        }
        Ok(value)
    }
}

/// Reads a large value in pieces; keeps the last piece.
#[derive(Debug)]
pub struct OverflowReader<'a> {
    pager: &'a Pager,
    parts: OverflowParts,
}

/// Where the pieces of a large value are, and the piece that was read last.
#[derive(Debug)]
pub struct OverflowParts {
    pieces: Vec<PageRef>,
    starts: Vec<u64>,
    length: u64,
    last: Option<(usize, Vec<u8>)>,
}

impl OverflowReader<'_> {
    /// What is needed to go on later without reading the list of pieces again.
    pub fn park(self) -> OverflowParts {
        self.parts
    }

    /// The length of the value.
    pub fn len(&self) -> u64 {
        self.parts.length
    }

    /// Whether the value has no byte.
    pub fn is_empty(&self) -> bool {
        self.parts.length == 0
    }

    fn piece(&mut self, index: usize) -> Result<&[u8]> {
        let is_last = matches!(&self.parts.last, Some((last, _)) if *last == index);
        if !is_last {
            self.parts.last =
                Some((index, self.pager.read_stored(&self.parts.pieces[index].base)?));
        }
        Ok(self.parts.last.as_ref().map_or(&[], |(_, bytes)| bytes.as_slice()))
    }

    /// Fills `buffer` from `offset`; returns how much there was.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            if at >= self.parts.length {
                break;
            }
            let index = self.parts.starts.partition_point(|start| *start <= at) - 1;
            let within = (at - self.parts.starts[index]) as usize;
            let piece = self.piece(index)?;
            let count = (piece.len() - within).min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&piece[within..within + count]);
            filled += count;
        }
        Ok(filled)
    }
}
