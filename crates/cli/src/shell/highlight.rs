//! Colours of SQL while it is typed.
//!
//! Neighbours: `language` finds the tokens, `editor` plugs this in.

use reedline::{Color, Highlighter, StyledText};

use crate::language::{self, Kind};
use crate::shell::command_of;

/// Colours statements and dot commands.
pub(super) struct SqlHighlighter {
    pub(super) color: bool,
}

impl Highlighter for SqlHighlighter {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut styled = StyledText::new();
        let plain = Color::Default.normal();
        if !self.color {
            styled.push((plain, line.to_owned()));
            return styled;
        }
        if command_of(line).is_some() {
            let name_end = line
                .trim_start()
                .find(' ')
                .map_or(line.len(), |at| at + line.len() - line.trim_start().len());
            styled.push((Color::Cyan.bold(), line[..name_end].to_owned()));
            styled.push((plain, line[name_end..].to_owned()));
            return styled;
        }
        for token in language::tokens(line) {
            let style = match token.kind {
                Kind::Keyword => Color::Blue.bold(),
                Kind::Number => Color::Magenta.normal(),
                Kind::String if token.is_open => Color::Red.normal(),
                Kind::String => Color::Green.normal(),
                Kind::Quoted => Color::Yellow.normal(),
                Kind::Comment => Color::DarkGray.italic(),
                Kind::Variable => Color::Cyan.normal(),
                Kind::Word | Kind::Semicolon | Kind::Mark | Kind::Space => plain,
            };
            styled.push((style, line[token.range].to_owned()));
        }
        styled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_stays_as_it_was_typed() {
        let highlighter = SqlHighlighter { color: true };
        for line in ["SELECT 'a", ".mode box", "  .tables", "", "é 森 \"x", "exit"] {
            assert_eq!(highlighter.highlight(line, 0).raw_string(), line);
        }
        assert!(highlighter.highlight("SELECT 1", 0).buffer.len() > 2);
        let plain = SqlHighlighter { color: false };
        assert_eq!(plain.highlight("SELECT 1", 0).buffer.len(), 1);
    }
}
