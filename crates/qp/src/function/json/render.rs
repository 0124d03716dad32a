//! JSONB to text, short and pretty; and single nodes to SQL values.
//!
//! What JSON5 allowed on the way in is written as plain JSON. Neighbours: `parse` (the other
//! direction), `string` (escapes).

use pandodb_ds::record::Value;
use pandodb_ds::record::number::NumberText;

use super::Fault;
use super::node::{DEPTH_MAX, Kind, Node};
use super::space::{is_line_separator, is_plain};
use super::string::{push_control, push_string, unescape};
use crate::function::call::{Context, Pace, make_room};

/// Appends the text of the node at `start`.
pub(super) fn push_json(
    blob: &[u8],
    start: usize,
    pace: &mut Pace<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    push(blob, Node::read(blob, start)?, 0, pace, out)
}

fn push(
    blob: &[u8],
    node: Node,
    depth: usize,
    pace: &mut Pace<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let content = node.content(blob);
    pace.step(8)?;
    if !node.kind.is_container() {
        make_room(out, content.len() + 2)?;
    }
    match node.kind {
        Kind::Null | Kind::True | Kind::False if !content.is_empty() => {
            return Err(Fault::Malformed);
        }
        Kind::Null => out.extend(b"null"),
        Kind::True => out.extend(b"true"),
        Kind::False => out.extend(b"false"),
        Kind::Int | Kind::Int5 | Kind::Float | Kind::Float5 if content.is_empty() => {
            return Err(Fault::Malformed);
        }
        Kind::Int | Kind::Float => out.extend_from_slice(content),
        Kind::Int5 => push_hexadecimal(content, out)?,
        Kind::Float5 => push_float(content, out)?,
        Kind::Text | Kind::TextJ => {
            out.push(b'"');
            out.extend_from_slice(content);
            out.push(b'"');
        }
        Kind::Text5 => push_json5_string(content, pace, out)?,
        Kind::TextRaw => push_string(content, pace, out)?,
        Kind::Array => {
            check_depth(depth)?;
            out.push(b'[');
            let mut children = node.children(blob);
            let mut separator = None;
            while let Some(child) = children.next()? {
                out.extend(separator.replace(b','));
                push(blob, child, depth + 1, pace, out)?;
            }
            out.push(b']');
        }
        Kind::Object => {
            check_depth(depth)?;
            out.push(b'{');
            let mut children = node.children(blob);
            let mut separator = None;
            while let Some(label) = children.next()? {
                let value = children.next()?.ok_or(Fault::Malformed)?;
                out.extend(separator.replace(b','));
                push(blob, label, depth + 1, pace, out)?;
                out.push(b':');
                push(blob, value, depth + 1, pace, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn check_depth(depth: usize) -> Result<(), Fault> {
    if depth >= DEPTH_MAX { Err(Fault::TooDeep) } else { Ok(()) }
}

/// A hexadecimal integer in decimal; one beyond 64 bits is infinite.
fn push_hexadecimal(content: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let (is_negative, unsigned) = match content {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let digits = unsigned.get(2..).unwrap_or_default();
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Fault::Malformed);
    }
    if is_negative {
        out.push(b'-');
    }
    match hexadecimal(digits) {
        Some(value) => out.extend(value.to_string().bytes()),
        None => out.extend(b"9.0e999"),
    }
    Ok(())
}

/// The value of hexadecimal digits, if it fits.
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 16).ok() }
}

/// A real with digits on both sides of its point.
fn push_float(content: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let unsigned = match content {
        [b'-'] => return Err(Fault::Malformed),
        [b'-', rest @ ..] => {
            out.push(b'-');
            rest
        }
        rest => rest,
    };
    if unsigned.first() == Some(&b'.') {
        out.push(b'0');
    }
    for (at, &byte) in unsigned.iter().enumerate() {
        out.push(byte);
        if byte == b'.' && !unsigned.get(at + 1).is_some_and(u8::is_ascii_digit) {
            out.push(b'0');
        }
    }
    Ok(())
}

fn push_json5_string(content: &[u8], pace: &mut Pace<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.push(b'"');
    let mut rest = content;
    while let Some((&byte, behind)) = rest.split_first() {
        pace.step(1)?;
        if byte != b'\\' {
            match byte {
                b'"' => out.extend(b"\\\""),
                _ if is_plain(byte) || byte == b'\'' => out.push(byte),
                _ => push_control(byte, out),
            }
            rest = behind;
            continue;
        }
        let len = match behind {
            [] => return Err(Fault::Malformed),
            [b'\'', ..] => {
                out.push(b'\'');
                2
            }
            [b'v', ..] => {
                out.extend(b"\\u000b");
                2
            }
            [b'x', high, low, ..] => {
                out.extend([b'\\', b'u', b'0', b'0', *high, *low]);
                4
            }
            [b'x', ..] => return Err(Fault::Malformed),
            [b'0', ..] => {
                out.extend(b"\\u0000");
                2
            }
            [b'\r', b'\n', ..] => 3,
            [b'\r' | b'\n', ..] => 2,
            [0xE2, ..] if is_line_separator(behind) => 4,
            [0xE2, ..] => return Err(Fault::Malformed),
            [other, ..] => {
                out.extend([b'\\', *other]);
                2
            }
        };
        rest = &rest[len..];
    }
    out.push(b'"');
    Ok(())
}

/// Appends the text of a document with a line for each element.
pub(super) fn push_pretty(
    context: &Context<'_>,
    blob: &[u8],
    indent: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut writer = Pretty { context, blob, indent, pace: context.pace(), out };
    writer.push(Node::read(blob, 0)?, 0)
}

/// What writes a line for each element.
struct Pretty<'p, 's> {
    context: &'p Context<'s>,
    blob: &'p [u8],
    indent: &'p [u8],
    pace: Pace<'s>,
    out: &'p mut Vec<u8>,
}

impl Pretty<'_, '_> {
    fn push(&mut self, node: Node, depth: usize) -> Result<(), Fault> {
        let blob = self.blob;
        let is_object = node.kind == Kind::Object;
        let (open, close) = match node.kind {
            Kind::Array => (b'[', b']'),
            Kind::Object => (b'{', b'}'),
            _ => return push(blob, node, depth, &mut self.pace, self.out),
        };
        self.out.push(open);
        let mut children = node.children(blob);
        let mut count = 0_usize;
        while let Some(child) = children.next()? {
            check_depth(depth + 1)?;
            self.out.extend_from_slice(if count == 0 { b"\n" } else { b",\n" });
            count += 1;
            self.push_indent(depth + 1)?;
            if is_object {
                push(blob, child, depth + 1, &mut self.pace, self.out)?;
                self.out.extend(b": ");
                let value = children.next()?.ok_or(Fault::Malformed)?;
                self.push(value, depth + 1)?;
            } else {
                self.push(child, depth + 1)?;
            }
        }
        if count > 0 {
            self.out.push(b'\n');
            self.push_indent(depth)?;
        }
        self.out.push(close);
        Ok(())
    }

    /// A short document may have a long indent, many times.
    fn push_indent(&mut self, depth: usize) -> Result<(), Fault> {
        let len = self.indent.len().saturating_mul(depth);
        self.context.check_length(self.out.len().saturating_add(len))?;
        self.pace.step(len)?;
        make_room(self.out, len)?;
        for _ in 0..depth {
            self.out.extend_from_slice(self.indent);
        }
        Ok(())
    }
}

/// The SQL value of a node that is no container; `None` for containers.
pub(super) fn atom(blob: &[u8], node: Node) -> Result<Option<Value>, Fault> {
    let content = node.content(blob);
    Ok(Some(match node.kind {
        Kind::Null | Kind::True | Kind::False if !content.is_empty() => {
            return Err(Fault::Malformed);
        }
        Kind::Null => Value::Null,
        Kind::True => Value::Integer(1),
        Kind::False => Value::Integer(0),
        Kind::Int | Kind::Int5 => integer(content)?,
        Kind::Float | Kind::Float5 => real(content)?,
        Kind::Text | Kind::TextJ | Kind::Text5 | Kind::TextRaw => {
            Value::text(unescape(node.kind, content))
        }
        Kind::Array | Kind::Object => return Ok(None),
    }))
}

fn integer(content: &[u8]) -> Result<Value, Fault> {
    let (is_negative, unsigned) = match content {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if let [b'0', b'x' | b'X', digits @ ..] = unsigned {
        let value = hexadecimal(digits).ok_or(Fault::Malformed)?;
        return Ok(match i64::try_from(value) {
            Ok(value) => Value::Integer(if is_negative { -value } else { value }),
            Err(_) => Value::Real(if is_negative { -(value as f64) } else { value as f64 }),
        });
    }
    let scanned = NumberText::scan(content);
    if !scanned.is_whole() || !scanned.is_integer() {
        return Err(Fault::Malformed);
    }
    Ok(scanned.integer().map_or_else(|_| Value::real(scanned.real()), Value::Integer))
}

fn real(content: &[u8]) -> Result<Value, Fault> {
    let scanned = NumberText::scan(content);
    if scanned.is_whole() { Ok(Value::real(scanned.real())) } else { Err(Fault::Malformed) }
}
