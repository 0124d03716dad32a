//! JSON: SQLite's functions on JSON text and on JSONB, its binary form.
//!
//! Every function works on JSONB: text is parsed to it first (JSON5, too), and text that is
//! asked for is rendered from it at the end. A function exists in up to two forms, `json_x`
//! with text and `jsonb_x` with a blob as result, which differ in [`Form`] only. A call site
//! remembers the last document that came twice, so that several paths into one constant
//! document parse it once. Neighbours: `node` (the binary form), `parse`, `render`, `path`,
//! `functions`, `aggregate`, `table`.

pub(super) mod aggregate;
mod check;
pub(super) mod functions;
mod node;
mod parse;
mod patch;
mod path;
mod render;
mod space;
mod string;
pub(super) mod table;

#[cfg(test)]
mod known;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::hash::Hasher;

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use rustc_hash::FxHasher;

use super::call::{Context, Pace, argument_error, make_room, room};
use super::coerce::{push_text, text};
use super::print::quote_value;
use crate::error::{Error, Result};

/// Why a document or a path is no use.
#[derive(Debug)]
enum Fault {
    /// The blob is damaged, or the text is not JSON.
    Malformed,
    /// Nested too deep.
    TooDeep,
    /// The path leads nowhere.
    NotFound,
    /// The path must lead to an element of an array.
    NotArray,
    /// The path is none.
    Path,
    /// The call is to end.
    Ended(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ended(error)
    }
}

impl Fault {
    /// As an error of a function called with `path`.
    fn with_path(self, path: &[u8]) -> Error {
        let quoted = || String::from_utf8_lossy(&quote_value(ValueRef::Text(path), false)).into();
        let quoted: &dyn Fn() -> String = &quoted;
        match self {
            Self::Ended(error) => error,
            Self::Malformed => malformed(),
            Self::TooDeep => argument_error("JSON path too deep"),
            Self::NotArray => argument_error(format!("not an array element: {}", quoted())),
            Self::NotFound | Self::Path => argument_error(format!("bad JSON path: {}", quoted())),
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooDeep => argument_error("JSON nested too deep"),
            Fault::Ended(error) => error,
            _ => malformed(),
        }
    }
}

#[cold]
fn malformed() -> Error {
    argument_error("malformed JSON")
}

/// How a function gives its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Binary,
}

/// A text and its JSONB.
type KnownDocument = (Box<[u8]>, Arc<[u8]>);

/// What a call site remembers of documents.
#[derive(Debug, Default)]
pub(super) struct DocumentCache {
    /// The hash of the last text.
    last: Option<u64>,
    /// A text that came twice in turn, and its JSONB.
    known: Option<KnownDocument>,
}

/// JSONB of an argument.
enum Document<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl Document<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }

    fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Owned(bytes) => bytes,
            other => other.bytes().to_vec(),
        }
    }
}

/// The document that an argument is; `None` for NULL.
fn document<'a>(context: &mut Context<'_>, arg: ValueRef<'a>) -> Result<Option<Document<'a>>> {
    if let ValueRef::Blob(bytes) = arg
        && check::is_jsonb(bytes)
    {
        return Ok(Some(Document::Borrowed(bytes)));
    }
    // A blob that is no JSONB may be JSON text.
    let Some(text) = text(arg) else { return Ok(None) };
    if let Some((known, blob)) = &context.cache.json.known
        && **known == *text
    {
        return Ok(Some(Document::Shared(Arc::clone(blob))));
    }
    let parsed = parse::parse_at(&text, &mut context.pace())?.map_err(|_| malformed())?;
    let cache = &mut context.cache.json;
    let mut hasher = FxHasher::default();
    hasher.write(&text);
    let hash = hasher.finish();
    if cache.last.replace(hash) == Some(hash) {
        let blob: Arc<[u8]> = Arc::from(parsed.blob);
        cache.known = Some((Box::from(&*text), Arc::clone(&blob)));
        return Ok(Some(Document::Shared(blob)));
    }
    Ok(Some(Document::Owned(parsed.blob)))
}

/// A document as the result of a function.
fn result(context: &mut Context<'_>, form: Form, blob: Vec<u8>) -> Result<Value> {
    match form {
        Form::Binary => context.blob(blob),
        Form::Text => {
            let mut out = room(blob.len() + 16)?;
            render::push_json(&blob, 0, &mut context.pace(), &mut out)?;
            context.json_result = true;
            context.text(out)
        }
    }
}

/// JSON text that was put together as the result of a function.
fn text_result(context: &mut Context<'_>, form: Form, text: Vec<u8>) -> Result<Value> {
    match form {
        Form::Text => {
            context.json_result = true;
            context.text(text)
        }
        Form::Binary => {
            let parsed = parse::parse_at(&text, &mut context.pace())?.map_err(|_| malformed())?;
            context.blob(parsed.blob)
        }
    }
}

/// Appends an SQL value as JSON text; `is_json` tells that text is JSON already.
fn push_value(
    value: ValueRef<'_>,
    is_json: bool,
    pace: &mut Pace<'_>,
    out: &mut Vec<u8>,
) -> Result<()> {
    match value {
        ValueRef::Null => out.extend(b"null"),
        ValueRef::Integer(_) => push_text(value, out),
        ValueRef::Real(_) => out.extend(quote_value(value, false)),
        ValueRef::Text(text) if is_json => {
            make_room(out, text.len())?;
            out.extend_from_slice(text);
        }
        ValueRef::Text(text) => string::push_string(text, pace, out)?,
        ValueRef::Blob(bytes) if check::is_jsonb(bytes) => {
            render::push_json(bytes, 0, pace, out)?;
        }
        ValueRef::Blob(_) => return Err(argument_error("JSON cannot hold BLOB values")),
    }
    Ok(())
}

/// An SQL value as JSONB; `is_json` tells that text is JSON.
fn value_blob<'v>(
    value: ValueRef<'v>,
    is_json: bool,
    pace: &mut Pace<'_>,
) -> Result<Cow<'v, [u8]>> {
    use node::{Kind, push_node};
    let mut out = Vec::new();
    match value {
        ValueRef::Null => out.push(Kind::Null as u8),
        ValueRef::Integer(_) => {
            push_node(Kind::Int, &text(value).unwrap_or_default(), &mut out);
        }
        ValueRef::Real(real) if real.is_infinite() => {
            let spelled: &[u8] = if real > 0.0 { b"9e999" } else { b"-9e999" };
            push_node(Kind::Float, spelled, &mut out);
        }
        ValueRef::Real(_) => push_node(Kind::Float, &text(value).unwrap_or_default(), &mut out),
        ValueRef::Text(text) if is_json => {
            out = parse::parse_at(text, pace)?.map_err(|_| malformed())?.blob;
        }
        ValueRef::Text(text) => push_node(Kind::TextRaw, text, &mut out),
        ValueRef::Blob(bytes) if check::is_jsonb(bytes) => return Ok(Cow::Borrowed(bytes)),
        ValueRef::Blob(_) => return Err(argument_error("JSON cannot hold BLOB values")),
    }
    Ok(Cow::Owned(out))
}

/// The SQL value of the node at `start`: containers in the form asked for.
fn node_value(context: &mut Context<'_>, form: Form, blob: &[u8], start: usize) -> Result<Value> {
    let node = node::Node::read(blob, start)?;
    match render::atom(blob, node)? {
        Some(value) => Ok(value),
        None => result(context, form, node.whole(blob).to_vec()),
    }
}
