//! The scalar functions of JSON.
//!
//! Neighbours: `mod` (documents and results), `path`, `patch`, `check`.

use std::borrow::Cow;

use pandodb_ds::record::{Value, ValueRef};

use super::node::{Kind, Node, widened};
use super::path::{Edit, array_len, edit, find};
use super::string::push_string;
use super::{
    Document, Fault, Form, check, document, node_value, parse, patch, push_value, render, result,
    text_result, value_blob,
};
use crate::error::Result;
use crate::function::call::{Context, argument_error};
use crate::function::coerce::{integer, text, until_nul};

/// A function in its two forms, as text and as a blob.
macro_rules! forms {
    ($($as_text:ident, $as_blob:ident = $function:ident($($extra:expr),*);)*) => {
        $(
            pub(in crate::function) fn $as_text(
                context: &mut Context<'_>,
                args: &[ValueRef<'_>],
            ) -> Result<Value> {
                $function(context, args, Form::Text $(, $extra)*)
            }

            pub(in crate::function) fn $as_blob(
                context: &mut Context<'_>,
                args: &[ValueRef<'_>],
            ) -> Result<Value> {
                $function(context, args, Form::Binary $(, $extra)*)
            }
        )*
    };
}

forms! {
    json_remove, jsonb_remove = remove();
    json_array, jsonb_array = array();
    json_object, jsonb_object = object();
    json_extract, jsonb_extract = extract();
    json_patch, jsonb_patch = patched();
    json_insert, jsonb_insert = changed(Edit::Insert, "insert");
    json_set, jsonb_set = changed(Edit::Set, "set");
    json_replace, jsonb_replace = changed(Edit::Replace, "replace");
    json_array_insert, jsonb_array_insert = changed(Edit::ArrayInsert, "array_insert");
}

/// A path argument: without what follows a NUL; `None` for NULL.
fn path_text(arg: ValueRef<'_>) -> Option<Cow<'_, [u8]>> {
    Some(match text(arg)? {
        Cow::Borrowed(path) => Cow::Borrowed(until_nul(path)),
        Cow::Owned(path) => Cow::Owned(until_nul(&path).to_vec()),
    })
}

/// What follows the `$`.
fn behind_root(path: &[u8]) -> Result<&[u8]> {
    path.strip_prefix(b"$").ok_or_else(|| Fault::Path.with_path(path))
}

/// `json(x)` and `json_remove(x, path, ...)`.
fn remove(context: &mut Context<'_>, args: &[ValueRef<'_>], form: Form) -> Result<Value> {
    let Some((&first, paths)) = args.split_first() else { return Ok(Value::Null) };
    let Some(document) = document(context, first)? else { return Ok(Value::Null) };
    let mut blob = document.into_vec();
    let mut pace = context.pace();
    for &arg in paths {
        let Some(path) = path_text(arg) else { return Ok(Value::Null) };
        let steps = behind_root(&path)?;
        if steps.is_empty() {
            return Ok(Value::Null);
        }
        match edit(&mut blob, steps, Edit::Remove, &[], &mut pace) {
            Ok(()) | Err(Fault::NotFound) => {}
            Err(fault) => return Err(fault.with_path(&path)),
        }
    }
    result(context, form, blob)
}

fn array(context: &mut Context<'_>, args: &[ValueRef<'_>], form: Form) -> Result<Value> {
    let mut out = vec![b'['];
    let mut pace = context.pace();
    for (index, &arg) in args.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_value(arg, context.json_arguments.get(index), &mut pace, &mut out)?;
        context.check_length(out.len())?;
    }
    out.push(b']');
    text_result(context, form, out)
}

fn object(context: &mut Context<'_>, args: &[ValueRef<'_>], form: Form) -> Result<Value> {
    if !args.len().is_multiple_of(2) {
        return Err(argument_error("json_object() requires an even number of arguments"));
    }
    if args.iter().step_by(2).any(|label| !matches!(label, ValueRef::Text(_))) {
        return Err(argument_error("json_object() labels must be TEXT"));
    }
    let mut out = vec![b'{'];
    let mut pace = context.pace();
    for (index, pair) in args.chunks_exact(2).enumerate() {
        let ValueRef::Text(label) = pair[0] else { continue };
        if index > 0 {
            out.push(b',');
        }
        push_string(label, &mut pace, &mut out)?;
        out.push(b':');
        let is_json = context.json_arguments.get(index * 2 + 1);
        push_value(pair[1], is_json, &mut pace, &mut out)?;
        context.check_length(out.len())?;
    }
    out.push(b'}');
    text_result(context, form, out)
}

fn extract(context: &mut Context<'_>, args: &[ValueRef<'_>], form: Form) -> Result<Value> {
    let [first, paths @ ..] = args else { return Ok(Value::Null) };
    if paths.is_empty() {
        return Ok(Value::Null);
    }
    let Some(document) = document(context, *first)? else { return Ok(Value::Null) };
    let blob = document.bytes();
    let mut pace = context.pace();
    if let [path] = paths {
        let Some(path) = path_text(*path) else { return Ok(Value::Null) };
        return match find(blob, behind_root(&path)?, &mut pace) {
            Ok(found) => node_value(context, form, blob, found.node.start),
            Err(Fault::NotFound) => Ok(Value::Null),
            Err(fault) => Err(fault.with_path(&path)),
        };
    }
    let mut out = vec![b'['];
    for (index, &path) in paths.iter().enumerate() {
        let Some(path) = path_text(path) else { return Ok(Value::Null) };
        if index > 0 {
            out.push(b',');
        }
        match find(blob, behind_root(&path)?, &mut pace) {
            Ok(found) => {
                render::push_json(blob, found.node.start, &mut pace, &mut out)?;
                context.check_length(out.len())?;
            }
            Err(Fault::NotFound) => out.extend(b"null"),
            Err(fault) => return Err(fault.with_path(&path)),
        }
    }
    out.push(b']');
    text_result(context, form, out)
}

/// `x -> path`: the node as JSON text.
pub(in crate::function) fn arrow(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let Some((document, start)) = follow_arrow(context, args)? else { return Ok(Value::Null) };
    let mut out = Vec::new();
    render::push_json(document.bytes(), start, &mut context.pace(), &mut out)?;
    context.json_result = true;
    context.text(out)
}

/// `x ->> path`: the node as an SQL value.
pub(in crate::function) fn double_arrow(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let Some((document, start)) = follow_arrow(context, args)? else { return Ok(Value::Null) };
    let value = node_value(context, Form::Text, document.bytes(), start)?;
    context.json_result = false;
    Ok(value)
}

/// The operators take a label or an index in place of a path, too.
fn follow_arrow<'a>(
    context: &mut Context<'_>,
    args: &[ValueRef<'a>],
) -> Result<Option<(Document<'a>, usize)>> {
    let Some(document) = document(context, args[0])? else { return Ok(None) };
    let Some(path) = path_text(args[1]) else { return Ok(None) };
    let is_word = path.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let steps: Cow<'_, [u8]> = if let Some(steps) = path.strip_prefix(b"$") {
        Cow::Borrowed(steps)
    } else if matches!(args[1], ValueRef::Integer(_)) {
        let end: &[u8] = if path.first() == Some(&b'-') { b"#" } else { b"" };
        Cow::Owned([b"[", end, &path, b"]"].concat())
    } else if is_word {
        Cow::Owned([b".", &*path].concat())
    } else if path.len() >= 3 && path.starts_with(b"[") && path.ends_with(b"]") {
        path.clone()
    } else {
        Cow::Owned([b".\"", &*path, b"\""].concat())
    };
    match find(document.bytes(), &steps, &mut context.pace()) {
        Ok(found) => Ok(Some((document, found.node.start))),
        Err(Fault::NotFound) => Ok(None),
        Err(fault) => Err(fault.with_path(&path)),
    }
}

/// `json_insert`, `json_set`, `json_replace`, `json_array_insert`.
fn changed(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
    form: Form,
    how: Edit,
    name: &str,
) -> Result<Value> {
    let Some((&first, changes)) = args.split_first() else { return Ok(Value::Null) };
    if args.len().is_multiple_of(2) {
        let message = format!("json_{name}() needs an odd number of arguments");
        return Err(argument_error(message));
    }
    let Some(document) = document(context, first)? else { return Ok(Value::Null) };
    let mut blob = document.into_vec();
    let mut pace = context.pace();
    for (index, pair) in changes.chunks_exact(2).enumerate() {
        let Some(path) = path_text(pair[0]) else { continue };
        let steps = behind_root(&path)?;
        let value = value_blob(pair[1], context.json_arguments.get(index * 2 + 2), &mut pace)?;
        if steps.is_empty() {
            if matches!(how, Edit::Set | Edit::Replace) {
                blob = widened(&value, blob.len()).unwrap_or_else(|| value.into_owned());
            }
            continue;
        }
        match edit(&mut blob, steps, how, &value, &mut pace) {
            Ok(()) | Err(Fault::NotFound) => {}
            Err(fault) => return Err(fault.with_path(&path)),
        }
    }
    result(context, form, blob)
}

fn patched(context: &mut Context<'_>, args: &[ValueRef<'_>], form: Form) -> Result<Value> {
    let Some(target) = document(context, args[0])? else { return Ok(Value::Null) };
    let Some(changes) = document(context, args[1])? else { return Ok(Value::Null) };
    let mut out = Vec::with_capacity(target.bytes().len() + changes.bytes().len());
    let mut pace = context.pace();
    patch::push_patched(target.bytes(), changes.bytes(), 0, &mut pace, &mut out)?;
    result(context, form, out)
}

/// `json_quote(x)`: an SQL value as JSON.
pub(in crate::function) fn json_quote(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let mut out = Vec::new();
    let mut pace = context.pace();
    push_value(args[0], context.json_arguments.get(0), &mut pace, &mut out)?;
    context.json_result = true;
    context.text(out)
}

/// The node that an optional second argument leads to; `None` where that is nowhere.
fn optional_path(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
    read: impl FnOnce(&[u8], Node) -> Result<Value>,
) -> Result<Value> {
    let Some(document) = document(context, args[0])? else { return Ok(Value::Null) };
    let blob = document.bytes();
    let Some(&arg) = args.get(1) else { return read(blob, Node::read(blob, 0)?) };
    let Some(path) = path_text(arg) else { return Ok(Value::Null) };
    match find(blob, behind_root(&path)?, &mut context.pace()) {
        Ok(found) => read(blob, found.node),
        Err(Fault::NotFound) => Ok(Value::Null),
        Err(fault) => Err(fault.with_path(&path)),
    }
}

/// `json_array_length(x [, path])`: zero for what is no array.
pub(in crate::function) fn json_array_length(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let mut pace = context.pace();
    optional_path(context, args, |blob, node| {
        let is_array = node.kind == Kind::Array;
        let len = if is_array { array_len(blob, node, &mut pace)? } else { 0 };
        Ok(Value::Integer(len as i64))
    })
}

/// `json_type(x [, path])`.
pub(in crate::function) fn json_type(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    optional_path(context, args, |_, node| Ok(Value::text(node.kind.type_name())))
}

/// `json_pretty(x [, indent])`.
pub(in crate::function) fn json_pretty(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let Some(document) = document(context, args[0])? else { return Ok(Value::Null) };
    let indent = args.get(1).and_then(|&indent| path_text(indent));
    let indent = indent.unwrap_or(Cow::Borrowed(b"    "));
    let mut out = Vec::new();
    render::push_pretty(context, document.bytes(), &indent, &mut out)?;
    context.text(out)
}

/// `json_valid(x [, flags])`: 1 JSON text, 2 JSON5 text, 4 JSONB by its header, 8 JSONB.
pub(in crate::function) fn json_valid(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let flags = args.get(1).map_or(1, |&flags| integer(flags));
    if !(1..=15).contains(&flags) {
        let message = "FLAGS parameter to json_valid() must be between 1 and 15";
        return Err(argument_error(message));
    }
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    let is_valid = match args[0] {
        ValueRef::Blob(blob) if check::is_jsonb(blob) => {
            let mut pace = context.pace();
            flags & 4 != 0 || (flags & 8 != 0 && check::error_position(blob, &mut pace)?.is_none())
        }
        _ if flags & (1 | 2) == 0 => false,
        _ => parse::parse_at(&source, &mut context.pace())?
            .is_ok_and(|parsed| flags & 2 != 0 || parsed.is_canonical),
    };
    Ok(Value::Integer(i64::from(is_valid)))
}

/// `json_error_position(x)`: zero for JSON, else the place of the first error, in characters
/// of text or bytes of a blob, from one.
pub(in crate::function) fn json_error_position(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    if let ValueRef::Blob(blob) = args[0]
        && check::is_jsonb(blob)
    {
        let place = check::error_position(blob, &mut context.pace())?;
        return Ok(Value::Integer(place.unwrap_or(0) as i64));
    }
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    Ok(Value::Integer(match parse::parse_at(&source, &mut context.pace())? {
        Ok(_) => 0,
        Err(parse::ErrorAt(at)) => {
            let before = &source[..at.min(source.len())];
            before.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as i64 + 1
        }
    }))
}
