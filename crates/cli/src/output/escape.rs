//! Control characters in texts: a value must not be able to steer the terminal that shows it.
//!
//! The notations and their names are those of sqlite3 since 3.50. Tabs and line breaks stay.
//! Unlike there, nothing is escaped on its way into a file or a pipe unless that is asked for: a
//! program that reads a value wants the value. Neighbours: `width` measures what is shown, the
//! modes escape names and values.

use std::borrow::Cow;
use std::io::{self, Write};

/// How control characters are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Escape {
    /// `^[`, `^?`, `\u009b`.
    Ascii,
    /// `␛`, `␡`, `\u009b`.
    Symbol,
    /// As they are.
    Off,
}

impl Escape {
    /// Their names, as sqlite3 lists them.
    pub(crate) const NAMES: &'static [&'static str] = &["ascii", "symbol", "off"];

    /// The one of this name, in any case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let all = [Self::Ascii, Self::Symbol, Self::Off];
        all.into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Symbol => "symbol",
            Self::Off => "off",
        }
    }

    /// Appends a control character; any other one stays what it is.
    pub(super) fn push(self, character: char, shown: &mut String) {
        let code = character as u32;
        match (self, code) {
            (Self::Off, _) => shown.push(character),
            (Self::Symbol, 0..=0x1f) => shown.extend(char::from_u32(0x2400 + code)),
            (Self::Symbol, 0x7f) => shown.push('\u{2421}'),
            (Self::Ascii, 0..=0x1f) => {
                shown.push('^');
                shown.push(char::from(code as u8 + b'@'));
            }
            (Self::Ascii, 0x7f) => shown.push_str("^?"),
            (_, 0x80..=0x9f) => shown.push_str(&format!("\\u{code:04x}")),
            _ => shown.push(character),
        }
    }
}

/// Whether a text has what would be escaped.
pub(super) fn has_controls(text: &str) -> bool {
    let mut before_break = false;
    // From the end, where a line feed is seen before its carriage return.
    text.chars().rev().any(|character| {
        let is_plain = matches!(character, '\n' | '\t') || (character == '\r' && before_break);
        before_break = character == '\n';
        character.is_control() && !is_plain
    })
}

/// The text with its control characters shown, but for tabs and line breaks.
pub(crate) fn escaped(text: &str, how: Escape) -> Cow<'_, str> {
    if how == Escape::Off || !has_controls(text) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\n' | '\t' => shown.push(character),
            '\r' if characters.peek() == Some(&'\n') => shown.push(character),
            other => how.push(other, &mut shown),
        }
    }
    Cow::Owned(shown)
}

/// As [`escaped`], of a text that may have been made for this.
pub(super) fn escaped_cow(text: Cow<'_, str>, how: Escape) -> Cow<'_, str> {
    match escaped(&text, how) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => Cow::Owned(shown),
    }
}

/// Escapes what is written through it, which comes in whole characters.
pub(crate) struct Escaping<'w> {
    pub(crate) inner: &'w mut dyn Write,
    pub(crate) how: Escape,
}

impl Write for Escaping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.inner.write_all(escaped(text, self.how).as_bytes())?,
            Err(_) => self.inner.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_shown_and_line_breaks_stay() {
        let text = "a\tb\n\u{1b}[31mc\r\nd\re\u{7f}\u{9b}";
        assert_eq!(escaped(text, Escape::Ascii), "a\tb\n^[[31mc\r\nd^Me^?\\u009b");
        assert_eq!(escaped(text, Escape::Symbol), "a\tb\n␛[31mc\r\nd␍e␡\\u009b");
        assert_eq!(escaped(text, Escape::Off), text);
        assert!(matches!(escaped("a\r\nb\tc", Escape::Ascii), Cow::Borrowed(_)));
    }

    #[test]
    fn the_names_are_those_that_are_found() {
        for name in Escape::NAMES {
            assert_eq!(Escape::find(&name.to_uppercase()).map(Escape::name), Some(*name));
        }
        assert_eq!(Escape::find("xyz"), None);
    }
}
