//! Values in pieces: the engine's handle with this crate's errors.
//!
//! Neighbours: `qp::session::blob` is what is wrapped here.

use pandodb_qp::session::BlobHandle;

use super::Session;
use super::session::convert;
use crate::error::{Error, ErrorKind, Result};

/// SQLite's code for a handle whose row is not what it was.
const ABORT: i32 = 4;

/// A text or blob of one row, open for pieces.
#[derive(Debug)]
pub(crate) struct Blob(BlobHandle);

impl Blob {
    pub(crate) fn len(&self) -> u64 {
        self.0.len()
    }
}

impl Session {
    pub(crate) fn open_blob(
        &self,
        database: &str,
        table: &str,
        column: &str,
        rowid: i64,
        read_only: bool,
    ) -> Result<Blob> {
        let opened = self.inner().open_blob(database, table, column, rowid, !read_only);
        opened.map(Blob).map_err(converted)
    }

    pub(crate) fn reopen_blob(&self, blob: &mut Blob, rowid: i64) -> Result<()> {
        self.inner().reopen_blob(&mut blob.0, rowid).map_err(converted)
    }

    pub(crate) fn read_blob(&self, blob: &Blob, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.inner().read_blob(&blob.0, offset, buffer).map_err(converted)
    }

    pub(crate) fn write_blob(&self, blob: &mut Blob, offset: u64, bytes: &[u8]) -> Result<()> {
        self.inner().write_blob(&mut blob.0, offset, bytes).map_err(converted)
    }
}

fn converted(error: pandodb_qp::Error) -> Error {
    let converted = convert(error, "");
    match converted.kind() {
        ErrorKind::State => converted.with_code(ABORT),
        _ => converted,
    }
}
