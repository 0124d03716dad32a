//! How wide text is on a screen, and making it fit.
//!
//! Widths are columns of a terminal as Unicode's tables have them, so that Chinese, accents and
//! emoji stay aligned. Neighbours: `grid` and `line` align with these, `escape` shows control
//! characters.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::Escape;

const TAB_WIDTH: usize = 8;

/// Columns that `text` takes; it holds no control characters.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text without control characters: tabs become spaces, others are shown; line breaks stay.
pub(crate) fn printable(text: &str, how: Escape) -> Cow<'_, str> {
    if !text.chars().any(|character| character.is_control() && character != '\n') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut column = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' => {
                shown.push('\n');
                column = 0;
                continue;
            }
            '\r' if characters.peek() == Some(&'\n') => continue,
            '\t' => {
                let spaces = TAB_WIDTH - column % TAB_WIDTH;
                shown.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
                continue;
            }
            _ => {}
        }
        let before = shown.len();
        how.push(character, &mut shown);
        column += width(&shown[before..]);
    }
    Cow::Owned(shown)
}

/// The beginning of `text` that fits `columns`, with `…` where something was cut off.
pub(crate) fn truncate(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(1);
    let (end, _) = prefix(text, room);
    Cow::Owned(format!("{}…", &text[..end]))
}

/// Bytes and columns of the longest prefix that is at most `columns` wide.
fn prefix(text: &str, columns: usize) -> (usize, usize) {
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        let wide = character.width().unwrap_or(0);
        if taken + wide > columns {
            return (at, taken);
        }
        taken += wide;
    }
    (text.len(), taken)
}

/// The lines of `text` when no line may be wider than `columns`; breaks at spaces if it can.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    for mut line in text.split('\n') {
        while columns > 0 && width(line) > columns {
            let (end, _) = prefix(line, columns);
            // A character wider than the column still has to go somewhere.
            let end = if end == 0 { line.chars().next().map_or(1, char::len_utf8) } else { end };
            if end == line.len() {
                break;
            }
            match line[..end].rfind(' ').filter(|&at| at > 0) {
                Some(space) if !line[end..].starts_with(' ') => {
                    lines.push(&line[..space]);
                    line = &line[space + 1..];
                }
                _ => {
                    lines.push(&line[..end]);
                    line = line[end..].strip_prefix(' ').unwrap_or(&line[end..]);
                }
            }
        }
        lines.push(line);
    }
    lines
}

/// The same, broken wherever a line is full.
pub(crate) fn cut(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    for mut line in text.split('\n') {
        while columns > 0 && width(line) > columns {
            let (end, _) = prefix(line, columns);
            // A character wider than the column still has to go somewhere.
            let end = if end == 0 { line.chars().next().map_or(1, char::len_utf8) } else { end };
            if end == line.len() {
                break;
            }
            lines.push(&line[..end]);
            line = &line[end..];
        }
        lines.push(line);
    }
    lines
}

/// On which side a cell has its spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Behind the text.
    Left,
    /// Before it.
    Right,
    /// On both.
    Center,
}

/// Appends `text` and the spaces that make it `columns` wide.
pub(crate) fn push_padded(text: &str, columns: usize, align: Align, line: &mut String) {
    let spaces = columns.saturating_sub(width(text));
    let before = match align {
        Align::Left => 0,
        Align::Right => spaces,
        Align::Center => spaces / 2,
    };
    line.extend(std::iter::repeat_n(' ', before));
    line.push_str(text);
    line.extend(std::iter::repeat_n(' ', spaces - before));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_combining_characters_count_as_they_show() {
        assert_eq!(width("森"), 2);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(truncate("森林火災", 5), "森林…");
        assert_eq!(truncate("森林", 4), "森林");
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(printable("\u{1b}[31mred", Escape::Ascii), "^[[31mred");
        assert_eq!(printable("a\tb", Escape::Ascii), "a       b");
        assert_eq!(printable("a\r\nb\u{9b}", Escape::Ascii), "a\nb\\u009b");
    }

    #[test]
    fn long_lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible", 6), ["incomp", "rehens", "ible"]);
        assert_eq!(wrap("森林", 1), ["森", "林"]);
        assert_eq!(wrap("a\nb", 9), ["a", "b"]);
        assert_eq!(cut("a long text\nb", 5), ["a lon", "g tex", "t", "b"]);
        assert_eq!(cut("森林", 3), ["森", "林"]);
        assert_eq!(cut("森林", 1), ["森", "林"]);
    }
}
