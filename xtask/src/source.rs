//! A small scanner of Rust source: what is code, what is comment, where functions are.
//!
//! It replaces comments and literals by spaces of the same length and then only matches
//! brackets, which is enough for measuring and needs no parser. Byte offsets are the same in
//! the text and in both masks. Neighbours: the rules in `tidy`, the list of unsafe blocks in
//! `codegen`.

use std::ops::Range;

/// A Rust source file, taken apart.
#[derive(Debug)]
pub(crate) struct Source {
    /// The text with comments and literals blanked.
    pub(crate) code: String,
    /// The text with everything but comments blanked.
    pub(crate) comments: String,
    line_starts: Vec<usize>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of the `fn` keyword, from 1.
    pub(crate) line: usize,
    /// Lines between the braces of the body.
    pub(crate) body_lines: usize,
    /// Parameters besides `self`.
    pub(crate) parameters: usize,
    /// The body with its braces.
    pub(crate) body: Range<usize>,
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        let (code, comments) = mask(text);
        let starts = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let line_starts = std::iter::once(0).chain(starts.map(|(at, _)| at + 1)).collect();
        Self { code, comments, line_starts }
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset)
    }

    /// The functions that have a body, in order.
    pub(crate) fn functions(&self) -> Vec<Function> {
        self.words("fn").filter_map(|at| self.function_at(at)).collect()
    }

    fn function_at(&self, keyword: usize) -> Option<Function> {
        let code = self.code.as_bytes();
        let name_start = skip_spaces(code, keyword + 2);
        let name_end = name_start + word_length(&code[name_start..]);
        if name_end == name_start {
            return None; // A function pointer type.
        }
        let mut at = skip_spaces(code, name_end);
        if code.get(at) == Some(&b'<') {
            at = skip_spaces(code, skip_generics(code, at));
        }
        let parameters_end = closing(code, at)?;
        let parameters = count_parameters(&code[at + 1..parameters_end]);
        let open = body_or_end(code, parameters_end + 1)?;
        if code[open] == b';' {
            return None;
        }
        let close = closing(code, open)?;
        let body_lines = (self.line_of(close) - self.line_of(open)).saturating_sub(1);
        Some(Function {
            name: self.code[name_start..name_end].to_owned(),
            line: self.line_of(keyword),
            body_lines,
            parameters,
            body: open..close + 1,
        })
    }

    /// Items that only tests compile: what follows `#[cfg(test)]` or `#[cfg(all(test, ...))]`.
    pub(crate) fn test_items(&self) -> Vec<Range<usize>> {
        let code = self.code.as_bytes();
        let mut items: Vec<Range<usize>> = Vec::new();
        for (start, _) in self.code.match_indices("#[cfg(") {
            if items.last().is_some_and(|last| last.contains(&start)) {
                continue;
            }
            let Some(attribute_end) = closing(code, start + 1) else { continue };
            let condition = &self.code[start..attribute_end];
            let is_test = find_words(condition, "test").next().is_some();
            if !is_test || condition.contains("not(test") || condition.contains("any(") {
                continue;
            }
            let mut at = skip_spaces(code, attribute_end + 1);
            while code[at..].starts_with(b"#[") {
                let Some(end) = closing(code, at + 1) else { break };
                at = skip_spaces(code, end + 1);
            }
            let Some(open) = body_or_end(code, at) else { continue };
            let end = if code[open] == b'{' { closing(code, open) } else { Some(open) };
            items.extend(end.map(|end| start..end + 1));
        }
        items
    }

    /// The code with the items of [`Self::test_items`] blanked as well.
    pub(crate) fn production_code(&self) -> String {
        let mut code = self.code.clone().into_bytes();
        for item in self.test_items() {
            blank(&mut code[item]);
        }
        String::from_utf8_lossy(&code).into_owned()
    }

    /// Offsets at which `word` stands as a whole word in the code.
    pub(crate) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        find_words(&self.code, word)
    }
}

/// Offsets at which `word` stands in `text`, not as a part of a longer identifier.
pub(crate) fn find_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = at.checked_sub(1).is_some_and(|before| is_word(bytes[before]));
        let after = bytes.get(at + word.len()).is_some_and(|&byte| is_word(byte));
        !before && !after
    })
}

/// The offset of the bracket that closes the one at `open`.
pub(crate) fn closing(code: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The `{` of the next body or the `;` that stands in its place.
fn body_or_end(code: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' | b';' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// The offset behind the `>` that closes the `<` at `open`.
fn skip_generics(code: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    for at in open..code.len() {
        match code[at] {
            b'<' => depth += 1,
            b'>' if code[at - 1] != b'-' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Counts what stands between commas on the outermost level, without `self`.
fn count_parameters(list: &[u8]) -> usize {
    let mut depth = 0_isize;
    let mut parts = vec![String::new()];
    for (at, &byte) in list.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' | b'<' => depth += 1,
            b'>' if at > 0 && list[at - 1] == b'-' => {}
            b')' | b']' | b'}' | b'>' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(char::from(byte));
        }
    }
    let is_parameter = |part: &&String| {
        let pattern = part.split(':').next().unwrap_or_default();
        !part.trim().is_empty() && find_words(pattern, "self").next().is_none()
    };
    parts.iter().filter(is_parameter).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The length of the identifier or number that `code` begins with.
pub(crate) fn word_length(code: &[u8]) -> usize {
    code.iter().take_while(|&&byte| is_word(byte)).count()
}

/// The first offset from `at` on that holds no white space.
pub(crate) fn skip_spaces(code: &[u8], at: usize) -> usize {
    at + code.iter().skip(at).take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// Splits a text into its code and its comments, both of the text's length.
fn mask(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut comments = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (piece, length) = next_piece(&bytes[at..]);
        let end = (at + length.max(1)).min(bytes.len());
        if piece != Piece::Code {
            blank(&mut code[at..end]);
        }
        if piece != Piece::Comment {
            blank(&mut comments[at..end]);
        }
        at = end;
    }
    // Whole characters were blanked, so both are valid; `lossy` keeps this total.
    let text_of = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text_of(code), text_of(comments))
}

/// What `rest` begins with, and its length.
fn next_piece(rest: &[u8]) -> (Piece, usize) {
    match rest {
        [b'/', b'/', ..] => {
            let end = rest.iter().position(|&byte| byte == b'\n');
            (Piece::Comment, end.unwrap_or(rest.len()))
        }
        [b'/', b'*', ..] => (Piece::Comment, block_comment_length(rest)),
        [b'"', ..] => (Piece::Literal, quoted_length(rest, b'"')),
        [b'\'', ..] => quote_piece(rest),
        [first, ..] if is_word(*first) => {
            let length = word_length(rest);
            literal_with_prefix(rest, length).unwrap_or((Piece::Code, length))
        }
        _ => (Piece::Code, 1),
    }
}

/// Strings with a prefix: `b"..."`, `r#"..."#`, `b'x'` and their relatives.
fn literal_with_prefix(rest: &[u8], prefix: usize) -> Option<(Piece, usize)> {
    let tail = &rest[prefix..];
    match &rest[..prefix] {
        b"b" | b"c" if tail.first() == Some(&b'"') => {
            Some((Piece::Literal, prefix + quoted_length(tail, b'"')))
        }
        b"b" if tail.first() == Some(&b'\'') => {
            Some((Piece::Literal, prefix + quoted_length(tail, b'\'')))
        }
        b"r" | b"br" | b"cr" => {
            let hashes = tail.iter().take_while(|&&byte| byte == b'#').count();
            if tail.get(hashes) != Some(&b'"') {
                return None;
            }
            let mut end = vec![b'"'];
            end.resize(hashes + 1, b'#');
            let inner = &tail[hashes + 1..];
            let length = inner.windows(end.len()).position(|window| window == end);
            let length = length.map_or(inner.len(), |length| length + end.len());
            Some((Piece::Literal, prefix + hashes + 1 + length))
        }
        _ => None,
    }
}

/// A character literal, or the quote of a lifetime.
fn quote_piece(rest: &[u8]) -> (Piece, usize) {
    if rest.get(1) == Some(&b'\\') {
        return (Piece::Literal, quoted_length(rest, b'\''));
    }
    let width = match rest.get(1) {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') {
        return (Piece::Literal, width + 2);
    }
    (Piece::Code, 1 + word_length(&rest[1..]))
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let source = Source::new(text);
        assert_eq!(source.code.len(), text.len(), "offsets must not move");
        assert_eq!(source.comments.len(), text.len(), "offsets must not move");
        source.code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn literals_and_comments_are_no_code() {
        assert_eq!(code("a(\"}\\\"{\") // {\nb"), "a( ) b");
        assert_eq!(code("a /* { /* } */ */ b"), "a b");
        assert_eq!(code("a(r#\"\"}{\"#, br\"\\\", b'}', c\"{\")"), "a( , , , )");
        assert_eq!(code("let é = 'é'; ä"), "let é = ; ä");
        assert_eq!(code("f(\"ends never"), "f(");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        assert_eq!(code("fn f<'a>(x: &'a str) { '{' }"), "fn f<'a>(x: &'a str) { }");
        assert_eq!(code("r#type + '\\'' + 'static"), "r#type + + 'static");
    }

    #[test]
    fn comments_are_found_without_strings() {
        let source = Source::new("a(\"// no\"); // yes");
        assert_eq!(source.comments.trim(), "// yes");
    }

    fn functions(text: &str) -> Vec<(String, usize, usize)> {
        let all = Source::new(text).functions();
        all.into_iter().map(|one| (one.name, one.body_lines, one.parameters)).collect()
    }

    #[test]
    fn functions_are_measured() {
        let text = "fn a() {}\nfn b<T: Fn(u8, u8) -> u8>(&self, x: [u8; 4], y: (T, T)) -> [u8; 2]\n\
                    where T: X<u8, u8> {\n  1\n  // two }\n}\ntrait T { fn c(&self); }";
        assert_eq!(functions(text), [("a".into(), 0, 0), ("b".into(), 2, 2)]);
    }

    #[test]
    fn function_pointers_are_no_functions() {
        assert_eq!(functions("fn a(f: fn(u8, u8) -> u8, g: u8,) { f }"), [("a".into(), 0, 2)]);
    }

    #[test]
    fn receivers_do_not_count() {
        assert_eq!(functions("fn a(&'a mut self, b: Self) {}"), [("a".into(), 0, 1)]);
        assert_eq!(functions("fn a(self: Arc<Self>, b: Map<K, V>) {}"), [("a".into(), 0, 1)]);
    }

    #[test]
    fn test_items_are_blanked() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests { fn b() {} }\nfn c() {}";
        let source = Source::new(text);
        let production = source.production_code();
        assert!(production.contains("fn a") && production.contains("fn c"));
        assert!(!production.contains("fn b"), "{production}");
        let kept = Source::new("#[cfg(not(test))]\nmod a { fn b() {} }").production_code();
        assert!(kept.contains("fn b"));
        let single = Source::new("#[cfg(all(test, loom))]\nmod loom;\nfn c() {}").test_items();
        assert_eq!(single, vec![0..33]);
    }

    #[test]
    fn lines_count_from_one() {
        let source = Source::new("a\nb\n");
        assert_eq!([source.line_of(0), source.line_of(1), source.line_of(2)], [1, 1, 2]);
    }
}
