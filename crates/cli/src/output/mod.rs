//! How rows are shown: one renderer for each mode, all fed row by row.
//!
//! A renderer never holds the whole result: the aligned modes look at the first rows to choose
//! their widths and stream the rest, all others write each row as it comes. What can be set
//! lives in [`Settings`]. Neighbours: `sink` is where the text goes, `dot::output` changes the
//! settings.

// Text of single values and of definitions.
pub(crate) mod definition;
pub(crate) mod escape;
pub(crate) mod quote;
pub(crate) mod width;

// Modes.
mod grid;
mod html;
mod insert;
mod json;
mod line;
mod separated;
mod turned;

// Where it goes.
pub(crate) mod own;
pub(crate) mod sink;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use pandodb::ValueRef;

use self::escape::Escape;

/// The ways to show rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// A table drawn with Unicode lines.
    Box,
    /// A table drawn with ASCII characters.
    Table,
    /// Aligned columns with underlined headers.
    Column,
    /// Comma separated values (RFC 4180).
    Csv,
    /// Tab separated values; tabs and line breaks inside are escaped.
    Tsv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// One column a line, `name = value`.
    Line,
    /// Values separated by `|`.
    List,
    /// A Markdown table.
    Markdown,
    /// Rows of an HTML table.
    Html,
    /// SQL INSERT statements.
    Insert,
    /// SQL literals separated by commas.
    Quote,
    /// Values between the control characters US and RS of ASCII, which texts do not have.
    Ascii,
    /// Quoted words of Tcl.
    Tcl,
}

/// Names, other programs' names for them, and what the help says.
pub(crate) const MODES: &[(Mode, &str, &[&str], &str)] = &[
    (Mode::Box, "box", &["duckbox"], "a table drawn with Unicode lines"),
    (Mode::Table, "table", &[], "a table drawn with ASCII characters"),
    (Mode::Column, "column", &["columns"], "aligned columns"),
    (Mode::Csv, "csv", &[], "comma separated values"),
    (Mode::Tsv, "tsv", &["tabs"], "tab separated values"),
    (Mode::Json, "json", &[], "one array of objects"),
    (Mode::Jsonl, "jsonl", &["jsonlines", "ndjson"], "one object a line"),
    (Mode::Line, "line", &["lines"], "one column a line"),
    (Mode::List, "list", &[], "values separated by |"),
    (Mode::Markdown, "markdown", &["md"], "a Markdown table"),
    (Mode::Html, "html", &[], "rows of an HTML table"),
    (Mode::Insert, "insert", &[], "INSERT statements for a table"),
    (Mode::Quote, "quote", &[], "SQL literals separated by commas"),
    (Mode::Ascii, "ascii", &[], "values between the control characters US and RS"),
    (Mode::Tcl, "tcl", &[], "quoted words of Tcl"),
];

/// The mode that is `box --wrap 60 --quote`.
pub(crate) const QUOTED_BOX: &str = "qbox";

impl Mode {
    /// The mode of this name, in any case, also by the names that other programs give it.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let same = |other: &&str| other.eq_ignore_ascii_case(name);
        let found = MODES.iter().find(|(_, own, others, _)| same(own) || others.iter().any(same));
        found.map(|(mode, ..)| *mode)
    }

    /// Its own name.
    pub(crate) fn name(self) -> &'static str {
        MODES.iter().find(|(mode, ..)| *mode == self).map_or("", |(_, name, ..)| name)
    }

    /// Whether the first row of output names the columns where nobody asked for it or against.
    const fn has_headers(self) -> bool {
        matches!(self, Self::Box | Self::Table | Self::Column | Self::Markdown)
    }

    /// Whether it is read by people and so says NULL where a value is missing.
    const fn shows_null(self) -> bool {
        matches!(self, Self::Box | Self::Table | Self::Column | Self::Markdown | Self::Line)
    }
}

/// What can be set about output.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The mode.
    pub(crate) mode: Mode,
    /// Whether columns are named first; each mode's own way without.
    pub(crate) headers: Option<bool>,
    /// What stands for NULL; each mode's own way without.
    pub(crate) null: Option<String>,
    /// Between columns in the separated modes.
    pub(crate) separator: Option<String>,
    /// Behind rows in the separated modes.
    pub(crate) row_separator: Option<String>,
    /// The table that INSERT statements name.
    pub(crate) insert_table: String,
    /// Widths of columns in the aligned modes; negative ones align to the right, zero is free.
    pub(crate) widths: Vec<i32>,
    /// How many rows of a longer result are shown; zero for all.
    pub(crate) rows_max: usize,
    /// How many columns of the screen a line may take; zero for as many as it needs.
    pub(crate) width_max: usize,
    /// Whether a line below says how many rows there were.
    pub(crate) footer: bool,
    /// Whether to use colours.
    pub(crate) color: bool,
    /// A line for each column of a result instead of one for each row, in the aligned modes.
    pub(crate) by_column: bool,
    /// Where large numbers are said in words, in boxes.
    pub(crate) large_numbers: LargeNumbers,
    /// How control characters are shown; where people read without.
    pub(crate) escape: Option<Escape>,
    /// What the aligned modes do with texts.
    pub(crate) cells: Cells,
}

/// What the aligned modes do with texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    /// Values are SQL literals.
    pub(crate) has_quotes: bool,
    /// The columns of a screen that a line of one may take; nothing for the modes' own bound.
    pub(crate) wrap: Option<usize>,
    /// Lines are broken between words if they can be.
    pub(crate) keeps_words: bool,
}

impl Default for Cells {
    fn default() -> Self {
        Self { has_quotes: false, wrap: None, keeps_words: true }
    }
}

/// Where large numbers are said in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LargeNumbers {
    /// In the place of the number.
    All,
    /// Below a result of one row.
    Footer,
    /// Nowhere.
    #[default]
    Off,
}

impl Settings {
    /// What a new shell starts with.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            headers: None,
            null: None,
            separator: None,
            row_separator: None,
            insert_table: "table".to_owned(),
            widths: Vec::new(),
            rows_max: 0,
            width_max: 0,
            footer: false,
            color: false,
            by_column: false,
            large_numbers: LargeNumbers::default(),
            escape: None,
            cells: Cells::default(),
        }
    }

    fn show_headers(&self) -> bool {
        self.headers.unwrap_or_else(|| self.mode.has_headers())
    }

    fn null(&self) -> &str {
        self.null.as_deref().unwrap_or(if self.mode.shows_null() { "NULL" } else { "" })
    }

    /// In modes that only people read, wherever they read it.
    fn escape_in_columns(&self) -> Escape {
        self.escape.unwrap_or(Escape::Ascii)
    }

    /// In modes that programs may read.
    fn escape(&self) -> Escape {
        self.escape.unwrap_or(Escape::Off)
    }

    /// The same for a terminal, where everything is read by a person.
    pub(crate) fn on_screen(&self) -> Self {
        Self { escape: self.escape.or(Some(Escape::Ascii)), ..self.clone() }
    }

    /// A renderer for one result with these columns.
    pub(crate) fn renderer(&self, columns: &[String]) -> Box<dyn Renderer> {
        match self.mode {
            Mode::Box | Mode::Table | Mode::Column | Mode::Markdown if self.by_column => {
                Box::new(turned::Turned::new(self, columns))
            }
            Mode::Box | Mode::Table | Mode::Column | Mode::Markdown => {
                Box::new(grid::Grid::new(self, columns))
            }
            Mode::Csv | Mode::Tsv | Mode::List | Mode::Quote | Mode::Ascii | Mode::Tcl => {
                Box::new(separated::Separated::new(self, columns))
            }
            Mode::Json => Box::new(json::Json::array(columns)),
            Mode::Jsonl => Box::new(json::Json::lines(columns)),
            Mode::Line => Box::new(line::Line::new(self, columns)),
            Mode::Html => Box::new(html::Html::new(self, columns)),
            Mode::Insert => Box::new(insert::Insert::new(self, columns)),
        }
    }
}

/// Shows the rows of one result.
pub(crate) trait Renderer {
    /// Shows a row; the first call also writes what comes before rows.
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()>;

    /// Shows what is still held back and what comes behind rows.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}
