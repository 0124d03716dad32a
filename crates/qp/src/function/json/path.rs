//! Paths: `$`, `.label`, `."label"`, `[3]`, `[#]`, `[#-2]`; finding a node, and changing it.
//!
//! A path is read step by step while it is followed, so that an error behind a step that
//! leads nowhere is not seen: that is how SQLite does it. A change collects the containers on
//! its way, splices the blob once and corrects the containers' lengths from the inside out.
//! Neighbours: `node` (the form), `string` (labels with escapes).

use super::Fault;
use super::node::{Children, DEPTH_MAX, Kind, Node, push_node, replace_header, widened};
use super::string::labels_equal;
use crate::function::call::Pace;

/// A node that a path leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) node: Node,
    /// Where its label starts, if it is a value of an object.
    pub(super) label: Option<usize>,
}

/// What to do where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Take the node out.
    Remove,
    /// Put something in its place.
    Replace,
    /// Add where nothing is.
    Insert,
    /// Replace or add.
    Set,
    /// Add in front of an array's element.
    ArrayInsert,
}

/// One step of a path.
enum Step<'p> {
    Label { text: &'p [u8], is_raw: bool },
    Index { count: u64, from_end: bool },
}

/// Why a walk ended.
enum Walk<'p> {
    At(Found),
    /// The object in `chain` has no such label; the rest of the path follows.
    NoLabel {
        text: &'p [u8],
        is_raw: bool,
        rest: &'p [u8],
    },
    /// The array in `chain` ends right before the index; the rest of the path follows.
    ArrayEnd {
        rest: &'p [u8],
    },
}

/// The node at `path`, which is what follows the `$`.
pub(super) fn find(blob: &[u8], path: &[u8], pace: &mut Pace<'_>) -> Result<Found, Fault> {
    match walk(blob, path, 0, &mut Vec::new(), pace)? {
        Walk::At(found) => Ok(found),
        Walk::NoLabel { .. } | Walk::ArrayEnd { .. } => Err(Fault::NotFound),
    }
}

/// Follows `path`; `chain` gets the containers on the way.
fn walk<'p>(
    blob: &[u8],
    path: &'p [u8],
    depth: usize,
    chain: &mut Vec<Node>,
    pace: &mut Pace<'_>,
) -> Result<Walk<'p>, Fault> {
    let mut found = Found { node: Node::read(blob, 0)?, label: None };
    let mut rest = path;
    while let Some(&first) = rest.first() {
        let (step, behind) = match first {
            b'.' => label_step(rest)?,
            // SQLite looks at the node before it looks at the index.
            b'[' if found.node.kind != Kind::Array => return Err(Fault::NotFound),
            b'[' => index_step(rest)?,
            _ => return Err(Fault::Path),
        };
        let container = found.node;
        let next = match step {
            Step::Label { .. } if container.kind != Kind::Object => return Err(Fault::NotFound),
            Step::Label { text, is_raw } => {
                chain.push(container);
                match labelled(blob, container, (text, is_raw), pace)? {
                    Some(next) => next,
                    None => return Ok(Walk::NoLabel { text, is_raw, rest: behind }),
                }
            }
            Step::Index { count, from_end } => {
                chain.push(container);
                let index = if from_end {
                    let len = array_len(blob, container, pace)?;
                    len.checked_sub(count).ok_or(Fault::NotFound)?
                } else {
                    count
                };
                match element(container.children(blob), index, pace)? {
                    Some(node) => Found { node, label: None },
                    None => return Ok(Walk::ArrayEnd { rest: behind }),
                }
            }
        };
        if depth + chain.len() >= DEPTH_MAX {
            return Err(Fault::TooDeep);
        }
        found = next;
        rest = behind;
    }
    Ok(Walk::At(found))
}

fn label_step(path: &[u8]) -> Result<(Step<'_>, &[u8]), Fault> {
    let path = &path[1..];
    if let Some(quoted) = path.strip_prefix(b"\"") {
        let mut len = 0;
        while let Some(&byte) = quoted.get(len)
            && byte != b'"'
        {
            len += 1 + usize::from(byte == b'\\' && len + 1 < quoted.len());
        }
        if len >= quoted.len() {
            return Err(Fault::Path);
        }
        let text = &quoted[..len];
        let is_raw = !text.contains(&b'\\');
        return Ok((Step::Label { text, is_raw }, &quoted[len + 1..]));
    }
    let len = path.iter().take_while(|byte| !matches!(byte, b'.' | b'[')).count();
    if len == 0 {
        return Err(Fault::Path);
    }
    Ok((Step::Label { text: &path[..len], is_raw: true }, &path[len..]))
}

fn index_step(path: &[u8]) -> Result<(Step<'_>, &[u8]), Fault> {
    let inside = &path[1..];
    let (from_end, digits) = match inside {
        [b'#', b'-', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => (true, rest),
        [b'#', rest @ ..] => {
            let rest = rest.strip_prefix(b"]").ok_or(Fault::Path)?;
            return Ok((Step::Index { count: 0, from_end: true }, rest));
        }
        rest => (false, rest),
    };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = digits[len..].strip_prefix(b"]").filter(|_| len > 0).ok_or(Fault::Path)?;
    // No array is so long that a larger number would matter.
    let count = digits[..len].iter().fold(0_u64, |count, digit| {
        count.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    Ok((Step::Index { count, from_end }, rest))
}

fn labelled(
    blob: &[u8],
    object: Node,
    (text, is_raw): (&[u8], bool),
    pace: &mut Pace<'_>,
) -> Result<Option<Found>, Fault> {
    let mut entries = object.children(blob);
    while let Some((label, value)) = entries.next_entry()? {
        pace.step(16)?;
        if labels_equal(text, is_raw, label.content(blob), label.kind.is_raw_text()) {
            return Ok(Some(Found { node: value, label: Some(label.start) }));
        }
    }
    Ok(None)
}

/// The element `index`; none right behind the last, an error further on.
fn element(
    mut elements: Children<'_>,
    index: u64,
    pace: &mut Pace<'_>,
) -> Result<Option<Node>, Fault> {
    let mut left = index;
    while let Some(node) = elements.next()? {
        pace.step(8)?;
        if left == 0 {
            return Ok(Some(node));
        }
        left -= 1;
    }
    if left == 0 { Ok(None) } else { Err(Fault::NotFound) }
}

/// The number of elements of an array.
pub(super) fn array_len(blob: &[u8], array: Node, pace: &mut Pace<'_>) -> Result<u64, Fault> {
    let mut elements = array.children(blob);
    let mut count = 0;
    while elements.next()?.is_some() {
        pace.step(8)?;
        count += 1;
    }
    Ok(count)
}

/// Applies `edit` with `value` at `path` (what follows the `$`, not empty).
/// [`Fault::NotFound`] means that nothing is changed.
pub(super) fn edit(
    blob: &mut Vec<u8>,
    path: &[u8],
    edit: Edit,
    value: &[u8],
    pace: &mut Pace<'_>,
) -> Result<(), Fault> {
    // What is behind the place moves, many bytes at a time.
    pace.step((blob.len() + value.len()) / 8)?;
    edit_below(blob, path, (edit, value), 0, pace)
}

fn edit_below(
    blob: &mut Vec<u8>,
    path: &[u8],
    (edit, value): (Edit, &[u8]),
    depth: usize,
    pace: &mut Pace<'_>,
) -> Result<(), Fault> {
    let mut chain = Vec::new();
    let adds = matches!(edit, Edit::Insert | Edit::Set | Edit::ArrayInsert);
    match walk(blob, path, depth, &mut chain, pace)? {
        Walk::At(Found { node, label }) => match edit {
            Edit::Insert => {}
            Edit::Remove => splice(blob, &chain, label.unwrap_or(node.start)..node.end, &[]),
            Edit::Replace | Edit::Set => match widened(value, node.end - node.start) {
                Some(wide) => blob[node.start..node.end].copy_from_slice(&wide),
                None => splice(blob, &chain, node.start..node.end, value),
            },
            Edit::ArrayInsert if path.last() != Some(&b']') => return Err(Fault::NotArray),
            Edit::ArrayInsert => splice(blob, &chain, node.start..node.start, value),
        },
        Walk::NoLabel { text, is_raw, rest } if adds => {
            if edit == Edit::ArrayInsert && rest.last() != Some(&b']') {
                return Err(Fault::NotArray);
            }
            let kind = if is_raw { Kind::TextRaw } else { Kind::Text5 };
            let mut entry = Vec::with_capacity(text.len() + value.len() + 8);
            push_node(kind, text, &mut entry);
            entry.extend(surrounded(rest, (edit, value), depth + chain.len(), pace)?);
            add_last(blob, &chain, &entry);
        }
        Walk::ArrayEnd { rest } if adds => {
            let element = surrounded(rest, (edit, value), depth + chain.len(), pace)?;
            add_last(blob, &chain, &element);
        }
        Walk::NoLabel { .. } | Walk::ArrayEnd { .. } => return Err(Fault::NotFound),
    }
    Ok(())
}

/// `value` within the containers that the rest of a path asks for.
fn surrounded(
    rest: &[u8],
    (edit, value): (Edit, &[u8]),
    depth: usize,
    pace: &mut Pace<'_>,
) -> Result<Vec<u8>, Fault> {
    let kind = match rest.first() {
        None => return Ok(value.to_vec()),
        Some(b'.') => Kind::Object,
        Some(_) => Kind::Array,
    };
    if depth + 1 >= DEPTH_MAX {
        return Err(Fault::TooDeep);
    }
    let mut made = vec![kind as u8];
    edit_below(&mut made, rest, (edit, value), depth, pace)?;
    Ok(made)
}

fn add_last(blob: &mut Vec<u8>, chain: &[Node], bytes: &[u8]) {
    if let Some(container) = chain.last() {
        splice(blob, chain, container.end..container.end, bytes);
    }
}

/// Replaces bytes of the innermost container of `chain` and corrects the lengths.
fn splice(blob: &mut Vec<u8>, chain: &[Node], range: std::ops::Range<usize>, bytes: &[u8]) {
    let mut grown = bytes.len() as isize - range.len() as isize;
    blob.splice(range, bytes.iter().copied());
    if grown == 0 {
        // Headers that are longer than they must be stay so.
        return;
    }
    for container in chain.iter().rev() {
        let len = (container.end - container.payload).saturating_add_signed(grown);
        let header_len = container.payload - container.start;
        grown += replace_header(blob, container.start, header_len, container.kind, len);
    }
}
