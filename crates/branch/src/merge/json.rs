//! Three-way merge of JSON documents by key path.
//!
//! Objects are merged key by key, as deep as both sides are objects; anything else is one value.
//! An array is one value: positions in it mean nothing that two sides could agree on. What is
//! taken from a side keeps its bytes, so numbers do not change their spelling; only an object
//! that was merged is written anew: the keys of the base in their order, then new ones by name.
//! Neither side's spelling or order counts for more, so that both directions give the same bytes.
//! Neighbours: `cells` asks.

use std::collections::BTreeSet;

/// How deep documents may be nested to be merged; deeper ones are one value.
const DEPTH_MAX: usize = 200;

/// A parsed value: objects by key, everything else as its bytes without blanks around.
#[derive(Clone, Debug, PartialEq)]
enum Node<'a> {
    Object(Members<'a>, &'a [u8]),
    Other(&'a [u8]),
}

/// Merges three documents; none where they are no JSON, or where one key was changed in two ways.
pub(super) fn merge(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let (base, ours, theirs) = (parse(base)?, parse(ours)?, parse(theirs)?);
    let mut out = Vec::new();
    merge_nodes(Some(&base), Some(&ours), Some(&theirs), &mut out)?;
    Some(out)
}

/// Writes the merged value; the outer option is a conflict, false says that there is none.
fn merge_nodes<'n>(
    base: Option<&'n Node<'_>>,
    ours: Option<&'n Node<'_>>,
    theirs: Option<&'n Node<'_>>,
    out: &mut Vec<u8>,
) -> Option<bool> {
    let chosen = if is_same(ours, theirs) {
        let bytes = |node: Option<&'n Node<'_>>| node.map(Node::bytes);
        let spelled = spelled(bytes(base), bytes(ours), bytes(theirs));
        return Some(spelled.map(|bytes| out.extend_from_slice(bytes)).is_some());
    } else if is_same(base, theirs) {
        ours
    } else if is_same(base, ours) {
        theirs
    } else {
        let (Some(Node::Object(ours, _)), Some(Node::Object(theirs, _))) = (ours, theirs) else {
            return None;
        };
        let nothing = Vec::new();
        let base = match base {
            Some(Node::Object(base, _)) => base,
            None => &nothing,
            Some(Node::Other(_)) => return None,
        };
        return merge_objects(base, ours, theirs, out).map(|()| true);
    };
    match chosen {
        Some(node) => {
            out.extend_from_slice(node.bytes());
            Some(true)
        }
        None => Some(false),
    }
}

/// One of the spellings of what both sides mean alike: the one that a side changed, and of two
/// changed ones the lesser.
fn spelled<'t>(
    base: Option<&'t [u8]>,
    ours: Option<&'t [u8]>,
    theirs: Option<&'t [u8]>,
) -> Option<&'t [u8]> {
    if ours == base {
        theirs
    } else if theirs == base {
        ours
    } else {
        ours.min(theirs)
    }
}

/// A member of an object: the key, as it is written, and the value.
type Member<'a> = (Vec<u8>, &'a [u8], Node<'a>);

type Members<'a> = Vec<Member<'a>>;

fn merge_objects(
    base: &Members<'_>,
    ours: &Members<'_>,
    theirs: &Members<'_>,
    out: &mut Vec<u8>,
) -> Option<()> {
    out.push(b'{');
    let first = out.len();
    let sides = ours.iter().chain(theirs).map(|(key, ..)| key);
    let new: BTreeSet<&Vec<u8>> = sides.filter(|key| find(base, key).is_none()).collect();
    for key in base.iter().map(|(key, ..)| key).chain(new) {
        let of = [base, ours, theirs].map(|members| find(members, key));
        let start = out.len();
        if start > first {
            out.push(b',');
        }
        let [before, own, other] = of.map(|member| member.map(|(_, written, _)| *written));
        out.extend_from_slice(match (own, other) {
            (Some(_), Some(_)) => spelled(before, own, other)?,
            // Where a side has no such key, it is written as the other one has it.
            _ => own.or(other).unwrap_or_default(),
        });
        out.push(b':');
        let [before, own, other] = of.map(|member| member.map(|(.., node)| node));
        if !merge_nodes(before, own, other, out)? {
            out.truncate(start);
        }
    }
    out.push(b'}');
    Some(())
}

fn find<'a, 'n>(members: &'n Members<'a>, key: &[u8]) -> Option<&'n Member<'a>> {
    members.iter().find(|(other, ..)| other == key)
}

fn is_same(left: Option<&Node<'_>>, right: Option<&Node<'_>>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(Node::Object(left, _)), Some(Node::Object(right, _))) => {
            left.len() == right.len()
                && left.iter().all(|(key, _, node)| {
                    find(right, key).is_some_and(|(.., other)| is_same(Some(node), Some(other)))
                })
        }
        (Some(Node::Other(left)), Some(Node::Other(right))) => same_text(left, right),
        _ => false,
    }
}

/// Whether two values other than objects are the same but for blanks between their parts.
fn same_text(left: &[u8], right: &[u8]) -> bool {
    left == right || compact(left) == compact(right)
}

/// The text without the blanks outside of strings.
fn compact(text: &[u8]) -> Vec<u8> {
    let (mut out, mut in_string, mut escaped) = (Vec::with_capacity(text.len()), false, false);
    for &byte in text {
        if !in_string && is_blank(byte) {
            continue;
        }
        if byte == b'"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && byte == b'\\' && !escaped;
        out.push(byte);
    }
    out
}

impl Node<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Object(_, bytes) | Self::Other(bytes) => bytes,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn parse(text: &[u8]) -> Option<Node<'_>> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    parser.blanks();
    (parser.at == text.len()).then_some(node)
}

/// Reads JSON of RFC 8259, nothing more: what it refuses is compared as a whole.
struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        self.blanks();
        let start = self.at;
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => return self.object(start, depth),
            b'[' => self.array(depth)?,
            b'"' => self.string()?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => self.word()?,
        }
        Some(Node::Other(self.text.get(start..self.at)?))
    }

    fn object(&mut self, start: usize, depth: usize) -> Option<Node<'a>> {
        self.at += 1;
        let mut members: Members<'a> = Vec::new();
        self.blanks();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Node::Object(members, self.text.get(start..self.at)?));
        }
        loop {
            self.blanks();
            let key_start = self.at;
            self.string()?;
            let written = self.text.get(key_start..self.at)?;
            let key = unescape(written)?;
            if find(&members, &key).is_some() {
                // Which of two equal keys counts is nobody's business to guess.
                return None;
            }
            self.take(b':')?;
            let node = self.value(depth + 1)?;
            members.push((key, written, node));
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(Node::Object(members, self.text.get(start..self.at)?))
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth + 1)?;
            self.blanks();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        (self.peek()? == b'"').then_some(())?;
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
        }) {
            self.at += 1;
        }
        let text = std::str::from_utf8(self.text.get(start..self.at)?).ok()?;
        text.parse::<f64>().ok().map(|_| ())
    }

    fn word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let words: [&[u8]; 3] = [b"true", b"false", b"null"];
        let word = words.into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(())
    }
}

/// The key that a written string stands for, so that `"a"` and `"\u0061"` are one.
fn unescape(written: &[u8]) -> Option<Vec<u8>> {
    let inner = written.get(1..written.len().checked_sub(1)?)?;
    if !inner.contains(&b'\\') {
        return Some(inner.to_vec());
    }
    let text = std::str::from_utf8(inner).ok()?;
    let mut units: Vec<u16> = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let mut buffer = [0; 2];
        if letter != '\\' {
            units.extend_from_slice(letter.encode_utf16(&mut buffer));
            continue;
        }
        units.push(match letters.next()? {
            'n' => 0x0a,
            't' => 0x09,
            'r' => 0x0d,
            'b' => 0x08,
            'f' => 0x0c,
            'u' => {
                let digits: String = letters.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).ok()?
            }
            other @ ('"' | '\\' | '/') => other as u16,
            _ => return None,
        });
    }
    Some(String::from_utf16(&units).ok()?.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(base: &str, ours: &str, theirs: &str, expected: Option<&str>) {
        let merged = merge(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        let merged = merged.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(merged.as_deref(), expected, "{base} {ours} {theirs}");
        let swapped = merge(base.as_bytes(), theirs.as_bytes(), ours.as_bytes());
        assert_eq!(swapped.as_deref(), expected.map(str::as_bytes), "{base} {theirs} {ours}");
    }

    #[test]
    fn objects_are_merged_key_by_key_and_anything_else_is_one_value() {
        check(r#"{"a":1,"b":2}"#, r#"{"a":9,"b":2}"#, r#"{"a":1,"b":8}"#, Some(r#"{"a":9,"b":8}"#));
        check(r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#, None);
        check(r#"{"a":1}"#, r#"{"a":1,"o":1}"#, r#"{"a":1,"t":1}"#, Some(r#"{"a":1,"o":1,"t":1}"#));
        check(r#"{"a":1,"b":2}"#, r#"{"b":2}"#, r#"{"a":1,"b":3}"#, Some(r#"{"b":3}"#));
        check(r#"{"a":1}"#, "{}", r#"{"a":2}"#, None);
        check(
            r#"{"a":{"x":1,"y":1}}"#,
            r#"{"a":{"x":2,"y":1}}"#,
            r#"{"a":{"x":1,"y":2}}"#,
            Some(r#"{"a":{"x":2,"y":2}}"#),
        );
        check(r#"{"a":[1,2]}"#, r#"{"a":[1,2,3]}"#, r#"{"a":[0,1,2]}"#, None);
        check("[1]", "[1, 2]", "[1,2]", Some("[1, 2]"));
        check(r#"{"a":1}"#, r#"{ "a" : 1 }"#, r#"{"a":5}"#, Some(r#"{"a":5}"#));
        check(
            r#"{"a":1.0}"#,
            r#"{"a":1.0,"n":1e400}"#,
            r#"{"a":1.50}"#,
            Some(r#"{"a":1.50,"n":1e400}"#),
        );
        check(r#"{"\u0061":1}"#, r#"{"a":1,"b":1}"#, r#"{"a":2}"#, Some(r#"{"a":2,"b":1}"#));
        check("{}", r#"{"z":1}"#, r#"{"y":1}"#, Some(r#"{"y":1,"z":1}"#));
        check(
            r#"{"b":1,"a":{}}"#,
            r#"{"a":{"z":1},"b":1,"d":1}"#,
            r#"{"c":1,"a":{"y":[2,1]},"b":1}"#,
            Some(r#"{"b":1,"a":{"y":[2,1],"z":1},"c":1,"d":1}"#),
        );
        check(r#"{"a":1}"#, r#"{"n":[1,2]}"#, r#"{"n":[1, 2]}"#, Some(r#"{"n":[1, 2]}"#));
        check(r#"{"a":1}"#, r#"{"a": 1}"#, r#"{"a":1}"#, Some(r#"{"a": 1}"#));
        check("not json", r#"{"a":1}"#, r#"{"a":2}"#, None);
        check(r#"{"a":1,"a":2}"#, r#"{"a":1}"#, r#"{"a":2}"#, None);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_merge_or_a_conflict(
            base in "[{}\\[\\],:\"\\\\a1 ]{0,12}",
            ours in "[{}\\[\\],:\"\\\\a1 ]{0,12}",
            theirs in any::<Vec<u8>>(),
        ) {
            let _ = merge(base.as_bytes(), ours.as_bytes(), &theirs);
        }

        #[test]
        fn sides_may_be_swapped_and_an_unchanged_side_gives_way(
            values in proptest::collection::vec((0..3_u8, 0..3_u8, 0..3_u8), 1..6),
            turns in (0..6_usize, 0..6_usize, 0..6_usize),
            blanks in (0..2_usize, 0..2_usize, 0..2_usize),
        ) {
            // Each side writes its members in an order of its own.
            let text = |pick: &dyn Fn(&(u8, u8, u8)) -> u8, turn: usize, blanks: usize| {
                let members = values.iter().enumerate().filter(|(_, value)| pick(value) > 0);
                let mut members: Vec<String> = members
                    .map(|(key, value)| format!("\"k{key}\":{}{{\"n\":{}}}",
                        " ".repeat(blanks), pick(value)))
                    .collect();
                let turn = turn.min(members.len());
                members.rotate_left(turn);
                format!("{{{}}}", members.join(",")).into_bytes()
            };
            let base = text(&|v| v.0, turns.0, blanks.0);
            let ours = text(&|v| v.1, turns.1, blanks.1);
            let theirs = text(&|v| v.2, turns.2, blanks.2);
            prop_assert_eq!(merge(&base, &ours, &base), Some(ours.clone()));
            prop_assert_eq!(merge(&base, &base, &theirs), Some(theirs.clone()));
            let (one, other) = (merge(&base, &ours, &theirs), merge(&base, &theirs, &ours));
            prop_assert_eq!(one, other);
        }
    }
}
