//! Large values in pieces: read, write and seek in one text or blob of a row.
//!
//! The handle keeps no transaction open. It sees the newest state, as a statement would, and
//! fails once the row is not what it was: the value never changes between two reads unnoticed.
//! Neighbours: `connection` opens it, `engine::blob` is below.

use std::io;

use crate::connection::Connection;
use crate::engine;
use crate::error::{Error, ErrorKind, Result};

#[cfg(test)]
mod tests;

/// A text or blob of one row, open for reading and writing in pieces.
///
/// Reading a large value touches only the pieces that are asked for. The size stays as it is: to
/// write a new one, insert `zeroblob(N)` first. Each write replaces the row, as an UPDATE of the
/// column does, but fires no trigger: indexes, constraints and transactions hold. So writes should
/// be large (a [`std::io::BufWriter`] helps) and, where there are several, inside of a transaction.
///
/// When anything else changes or deletes the row, a rollback included, the blob has expired: all
/// calls fail with [`ErrorKind::State`] and SQLite's code 4, until [`Blob::reopen`] moves it.
/// VACUUM may have the same effect, because it moves large values.
///
/// ```
/// use std::io::{Read, Seek, SeekFrom, Write};
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE file(body BLOB)")?;
/// connection.execute_batch("INSERT INTO file VALUES (zeroblob(9))")?;
/// let row = connection.last_insert_rowid();
///
/// let mut blob = connection.blob_open("main", "file", "body", row, false)?;
/// blob.seek(SeekFrom::Start(3)).unwrap();
/// blob.write_all(b"oak").unwrap();
/// let mut end = Vec::new();
/// blob.read_to_end(&mut end).unwrap();
/// assert_eq!(end, [0, 0, 0]);
/// blob.close()?;
///
/// let body: Vec<u8> = connection.query_row("SELECT body FROM file", (), |row| row.get(0))?;
/// assert_eq!(body, b"\0\0\0oak\0\0\0");
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct Blob<'c> {
    connection: &'c Connection,
    inner: engine::Blob,
    position: u64,
}

impl std::fmt::Debug for Blob<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob")
            .field("len", &self.len())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Opens a text or blob for reading in pieces, and for writing unless `read_only`.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE file(body BLOB); INSERT INTO file VALUES ('leaf')")?;
    /// let blob = connection.blob_open("main", "file", "body", 1, true)?;
    /// assert_eq!(blob.len(), 4);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn blob_open(
        &self,
        database: &str,
        table: &str,
        column: &str,
        rowid: i64,
        read_only: bool,
    ) -> Result<Blob<'_>> {
        let inner = self.session.open_blob(database, table, column, rowid, read_only)?;
        Ok(Blob { connection: self, inner, position: 0 })
    }
}

impl Blob<'_> {
    /// How many bytes the value has.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body); INSERT INTO file VALUES (x'0102')")?;
    /// assert_eq!(connection.blob_open("main", "file", "body", 1, true)?.len(), 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        usize::try_from(self.inner.len()).unwrap_or(usize::MAX)
    }

    /// Whether the value has no byte.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body); INSERT INTO file VALUES (x'')")?;
    /// assert!(connection.blob_open("main", "file", "body", 1, true)?.is_empty());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.inner.len() == 0
    }

    /// Moves to the same column of another row, or to what this row holds now; the position goes
    /// to the start.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body)")?;
    /// # connection.execute_batch("INSERT INTO file VALUES ('oak'), ('elder')")?;
    /// let mut blob = connection.blob_open("main", "file", "body", 1, true)?;
    /// blob.reopen(2)?;
    /// assert_eq!(blob.len(), 5);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn reopen(&mut self, rowid: i64) -> Result<()> {
        self.connection.session.reopen_blob(&mut self.inner, rowid)?;
        self.position = 0;
        Ok(())
    }

    /// Reads from `offset` on until the buffer is full or the value ends, and says how much that
    /// was. The position stays.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body); INSERT INTO file VALUES ('elder')")?;
    /// let blob = connection.blob_open("main", "file", "body", 1, true)?;
    /// let mut buffer = [0; 9];
    /// assert_eq!(blob.read_at(&mut buffer, 2)?, 3);
    /// assert_eq!(&buffer[..3], b"der");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn read_at(&self, buffer: &mut [u8], offset: usize) -> Result<usize> {
        self.connection.session.read_blob(&self.inner, offset as u64, buffer)
    }

    /// Fills the buffer from `offset` on, or fails.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body); INSERT INTO file VALUES ('elder')")?;
    /// let blob = connection.blob_open("main", "file", "body", 1, true)?;
    /// assert!(blob.read_at_exact(&mut [0; 4], 2).is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn read_at_exact(&self, buffer: &mut [u8], offset: usize) -> Result<()> {
        let read = self.read_at(buffer, offset)?;
        if read == buffer.len() {
            return Ok(());
        }
        let message = format!(
            "{} bytes at {offset} are not there: the blob has {}",
            buffer.len(),
            self.len()
        );
        Err(Error::new(ErrorKind::Range, message))
    }

    /// Writes all bytes over those from `offset` on, or fails and writes none. The position stays.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body); INSERT INTO file VALUES ('elder')")?;
    /// let mut blob = connection.blob_open("main", "file", "body", 1, false)?;
    /// blob.write_at(b"A", 0)?;
    /// assert!(blob.write_at(b"too long", 0).is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn write_at(&mut self, bytes: &[u8], offset: usize) -> Result<()> {
        self.connection.session.write_blob(&mut self.inner, offset as u64, bytes)
    }

    /// Ends the work with the value. Nothing waits to be written, so that dropping it is the same.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE file(body); INSERT INTO file VALUES ('elder')")?;
    /// connection.blob_open("main", "file", "body", 1, true)?.close()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn close(self) -> Result<()> {
        Ok(())
    }
}

impl io::Read for Blob<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let session = &self.connection.session;
        let read =
            session.read_blob(&self.inner, self.position, buffer).map_err(io::Error::other)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl io::Write for Blob<'_> {
    /// Writes what fits; at the end of the value nothing does.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.inner.len().saturating_sub(self.position);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        if count == 0 {
            return Ok(0);
        }
        let session = &self.connection.session;
        let written = session.write_blob(&mut self.inner, self.position, &bytes[..count]);
        written.map_err(io::Error::other)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Blob<'_> {
    /// Places before the start and behind the end are refused.
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let place = match to {
            io::SeekFrom::Start(offset) => Some(offset),
            io::SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            io::SeekFrom::End(offset) => self.inner.len().checked_add_signed(offset),
        };
        match place.filter(|place| *place <= self.inner.len()) {
            Some(place) => {
                self.position = place;
                Ok(place)
            }
            None => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the place is before the start or behind the end of the blob",
            )),
        }
    }
}
