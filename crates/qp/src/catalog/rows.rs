//! The stored form of the catalog: one row for each object, and the cookie.
//!
//! The key is the object's number as a rowid. The row holds, in this order: kind, name, table,
//! tree, definition (NULL for indexes of constraints), the columns' ids and positions, how many
//! columns a stored row has, and, where a merge found it to be what another branch had added as
//! well, the other numbers of the object and of its columns; of a trigger in `temp`, where its
//! table is. Key 0 holds the cookie. Neighbours:
//! `load` makes a schema of these, `define` writes them.

use std::collections::BTreeSet;

use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::record::varint::{push_varint, read_varint};
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::tree::Found;

use super::{Attachment, ColumnId, ObjectId, Schema};
use crate::error::{Error, Result};
use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;

use crate::store::{CATALOG_TREE, COOKIE_ROW, Transaction, TreeId};

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
}

/// An object as it is stored.
#[derive(Clone, Debug)]
pub struct ObjectRow {
    /// Its number.
    pub id: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// Its name as written.
    pub name: Box<str>,
    /// The table (or view) that it is or belongs to.
    pub table: Box<str>,
    /// Where its rows or entries are; 0 for views and triggers.
    pub tree: TreeId,
    /// Its definition.
    pub sql: Option<Box<str>>,
    /// Ids and positions of a table's columns, in SQL's order.
    pub columns: Vec<(ColumnId, usize)>,
    /// Columns that a stored row has, dropped ones included.
    pub stored_columns: usize,
    /// Other numbers that it has on other branches.
    pub twins: Twins,
    /// Where the table of a trigger in `temp` is: in whichever database had it then.
    pub subject: Option<Attachment>,
}

impl ObjectRow {
    /// Whether it is, or hangs on, what is called `table` in the database `home`; `own` is the
    /// database that it is in itself.
    pub fn is_of(&self, table: &str, home: Attachment, own: Attachment) -> bool {
        self.subject.unwrap_or(own) == home && self.table.eq_ignore_ascii_case(table)
    }
}

/// Numbers that other branches have for an object and its columns: both added them, and a merge
/// made them one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twins {
    /// For the object.
    pub objects: BTreeSet<ObjectId>,
    /// For columns, each behind the column's own number.
    pub columns: BTreeSet<(ColumnId, ColumnId)>,
}

impl Twins {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if *self == Self::default() {
            return bytes;
        }
        push_varint(self.objects.len() as u64, &mut bytes);
        let columns = self.columns.iter().flat_map(|(own, other)| [own.0, other.0]);
        for number in self.objects.iter().map(|id| id.0).chain(columns) {
            push_varint(number, &mut bytes);
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self> {
        let mut twins = Self::default();
        if bytes.is_empty() {
            return Ok(twins);
        }
        let next = |bytes: &mut &[u8]| -> Result<u64> {
            let (number, len) = read_varint(bytes)?;
            *bytes = bytes.get(len..).unwrap_or(&[]);
            Ok(number)
        };
        for _ in 0..next(&mut bytes)? {
            twins.objects.insert(ObjectId(next(&mut bytes)?));
        }
        while !bytes.is_empty() {
            let own = ColumnId(next(&mut bytes)?);
            twins.columns.insert((own, ColumnId(next(&mut bytes)?)));
        }
        Ok(twins)
    }
}

impl ObjectKind {
    /// The word in `sqlite_schema`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
        }
    }

    fn from_word(word: &[u8]) -> Option<Self> {
        [Self::Table, Self::Index, Self::View, Self::Trigger]
            .into_iter()
            .find(|kind| kind.as_str().as_bytes() == word)
    }
}

/// Reads all objects in the order of their numbers, and the cookie.
pub fn read_objects(transaction: &Transaction) -> Result<(u64, Vec<ObjectRow>)> {
    let mut cursor = transaction.cursor(CATALOG_TREE)?;
    let (mut cookie, mut objects) = (0, Vec::new());
    let mut found = cursor.first()?;
    while found {
        let id = rowid_from_key(cursor.key())?;
        if id == 0 {
            cookie = cookie_of(cursor.value()?)?;
        } else if id > 0 {
            objects.push(decode(id as u64, &RowView::new(cursor.value()?)?)?);
        }
        found = cursor.next()?;
    }
    Ok((cookie, objects))
}

/// As [`read_objects`], of a version that no transaction is on.
pub fn read_objects_of(pager: &Arc<Pager>, forest: &Forest) -> Result<(u64, Vec<ObjectRow>)> {
    let (mut cookie, mut objects) = (0, Vec::new());
    if forest.tree(CATALOG_TREE).is_none() {
        return Ok((cookie, objects));
    }
    let mut cursor = forest.cursor(pager, CATALOG_TREE)?;
    let mut found = cursor.first()?;
    while found {
        let id = rowid_from_key(&cursor.key())?;
        let value = cursor.value()?.unwrap_or_default();
        if id == 0 {
            cookie = cookie_of(&value)?;
        } else if id > 0 {
            objects.push(decode(id as u64, &RowView::new(&value)?)?);
        }
        found = cursor.next()?;
    }
    Ok((cookie, objects))
}

/// The cookie alone.
pub fn read_cookie(transaction: &Transaction) -> Result<u64> {
    transaction.inner()?.get_with(CATALOG_TREE, &rowid_key(COOKIE_ROW), |found| match found {
        Some(Found::Inline(row)) => cookie_of(row),
        _ => Ok(0),
    })?
}

/// What a cookie's row says. An empty one is that of a branch before its first table: older
/// versions wrote it where a merge changed no row.
fn cookie_of(row: &[u8]) -> Result<u64> {
    if row.is_empty() { Ok(0) } else { integer(&RowView::new(row)?, 0) }
}

/// As [`read_cookie`], of a version that no transaction is on.
pub fn read_cookie_of(pager: &Arc<Pager>, forest: &Forest) -> Result<u64> {
    if forest.tree(CATALOG_TREE).is_none() {
        return Ok(0);
    }
    match forest.get(pager, CATALOG_TREE, &rowid_key(COOKIE_ROW))? {
        Some(row) => cookie_of(&row),
        None => Ok(0),
    }
}

/// Replaces the cookie by a number that no schema had.
pub fn write_cookie(transaction: &mut Transaction) -> Result<u64> {
    let cookie = transaction.random() >> 1;
    let mut row = Vec::new();
    encode_row(&[ValueRef::Integer(cookie as i64)], &mut row)?;
    transaction.put(CATALOG_TREE, &rowid_key(COOKIE_ROW), &row)?;
    Ok(cookie)
}

/// Writes an object.
pub fn write_object(transaction: &mut Transaction, object: &ObjectRow) -> Result<()> {
    let mut columns = Vec::new();
    for (id, position) in &object.columns {
        push_varint(id.0, &mut columns);
        push_varint(*position as u64, &mut columns);
    }
    let twins = object.twins.encode();
    let values = [
        ValueRef::Text(object.kind.as_str().as_bytes()),
        ValueRef::Text(object.name.as_bytes()),
        ValueRef::Text(object.table.as_bytes()),
        ValueRef::Integer(object.tree.0 as i64),
        object.sql.as_ref().map_or(ValueRef::Null, |sql| ValueRef::Text(sql.as_bytes())),
        ValueRef::Blob(&columns),
        ValueRef::Integer(object.stored_columns as i64),
        ValueRef::Blob(&twins),
        ValueRef::Integer(object.subject.map_or(0, |subject| subject.0 as i64)),
    ];
    let count = match (object.subject, twins.is_empty()) {
        (Some(_), _) => values.len(),
        (None, false) => values.len() - 1,
        (None, true) => values.len() - 2,
    };
    let values = &values[..count];
    let mut row = Vec::new();
    encode_row(values, &mut row)?;
    transaction.put(CATALOG_TREE, &rowid_key(object.id.0 as i64), &row)
}

/// Removes an object.
pub fn delete_object(transaction: &mut Transaction, id: ObjectId) -> Result<()> {
    transaction.delete(CATALOG_TREE, &rowid_key(id.0 as i64)).map(|_| ())
}

/// The rows of `sqlite_schema`.
pub fn schema_rows(schema: &Schema) -> Vec<Vec<Value>> {
    let row = |object: &ObjectRow| {
        vec![
            Value::text(object.kind.as_str()),
            Value::text(&*object.name),
            Value::text(&*object.table),
            Value::Integer(object.tree.0 as i64),
            object.sql.as_ref().map_or(Value::Null, |sql| Value::text(&**sql)),
        ]
    };
    schema.objects.iter().map(row).collect()
}

fn decode(id: u64, row: &RowView<'_>) -> Result<ObjectRow> {
    let kind = match row.column(0)? {
        Some(ValueRef::Text(word)) => ObjectKind::from_word(word),
        _ => None,
    };
    let kind = kind.ok_or_else(|| damaged(id, "its kind is unknown"))?;
    let mut columns = Vec::new();
    if let Some(ValueRef::Blob(mut bytes)) = row.column(5)? {
        while !bytes.is_empty() {
            let (column, len) = read_varint(bytes)?;
            bytes = bytes.get(len..).unwrap_or(&[]);
            let (position, len) = read_varint(bytes)?;
            bytes = bytes.get(len..).unwrap_or(&[]);
            columns.push((ColumnId(column), position as usize));
        }
    }
    Ok(ObjectRow {
        id: ObjectId(id),
        kind,
        name: text(row, 1)?.ok_or_else(|| damaged(id, "it has no name"))?,
        table: text(row, 2)?.ok_or_else(|| damaged(id, "it has no table"))?,
        tree: TreeId(integer(row, 3)?),
        sql: text(row, 4)?,
        columns,
        stored_columns: integer(row, 6)? as usize,
        twins: match row.column(7)? {
            Some(ValueRef::Blob(bytes)) => Twins::decode(bytes)?,
            _ => Twins::default(),
        },
        subject: match row.column(8)? {
            Some(ValueRef::Integer(number)) => Some(Attachment(number as u64)),
            _ => None,
        },
    })
}

fn integer(row: &RowView<'_>, index: usize) -> Result<u64> {
    match row.column(index)? {
        Some(ValueRef::Integer(value)) => Ok(value as u64),
        _ => Err(damaged(0, "a number is missing")),
    }
}

fn text(row: &RowView<'_>, index: usize) -> Result<Option<Box<str>>> {
    match row.column(index)? {
        Some(ValueRef::Text(text)) => {
            let text = std::str::from_utf8(text).map_err(|_| damaged(0, "a text is not UTF-8"))?;
            Ok(Some(Box::from(text)))
        }
        _ => Ok(None),
    }
}

#[cold]
fn damaged(id: u64, what: &str) -> Error {
    pandodb_ds::Error::corrupt(format!("the catalog's object {id} is damaged: {what}")).into()
}
