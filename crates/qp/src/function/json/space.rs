//! What counts as space between the tokens of JSON and of JSON5, and which bytes need no
//! escape in a string. Neighbour: `parse`.

/// Whether JSON itself counts `byte` as space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether `byte` stands for itself in a JSON string: not a control character, not a quote
/// (of either sort), not a backslash.
pub(super) fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && !matches!(byte, b'"' | b'\'' | b'\\')
}

/// The length of the space that JSON5 allows at the front: blanks of Unicode and comments.
pub(super) fn json5_space_len(text: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let rest = &text[len..];
        len += match rest {
            [b'\t'..=b'\r' | b' ', ..] => 1,
            [b'/', b'*', ..] => match block_comment_len(rest) {
                Some(comment) => comment,
                None => return len,
            },
            [b'/', b'/', ..] => line_comment_len(rest),
            [0xC2, 0xA0, ..] => 2,
            [0xE1, 0x9A, 0x80, ..]
            | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
            | [0xE2, 0x81, 0x9F, ..]
            | [0xE3, 0x80, 0x80, ..]
            | [0xEF, 0xBB, 0xBF, ..] => 3,
            _ => return len,
        };
    }
}

/// `/* ... */`, if it ends.
fn block_comment_len(text: &[u8]) -> Option<usize> {
    let inside = text.get(2..)?;
    memchr::memmem::find(inside, b"*/").map(|end| end + 4)
}

/// `// ...` with the end of its line.
fn line_comment_len(text: &[u8]) -> usize {
    let mut at = 2;
    while let Some(&byte) = text.get(at) {
        if matches!(byte, b'\n' | b'\r') {
            return at + 1;
        }
        if is_line_separator(&text[at..]) {
            return at + 3;
        }
        at += 1;
    }
    at
}

/// Whether U+2028 or U+2029 stands at the front.
pub(super) fn is_line_separator(text: &[u8]) -> bool {
    matches!(text, [0xE2, 0x80, 0xA8 | 0xA9, ..])
}
