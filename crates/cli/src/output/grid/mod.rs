//! The aligned modes: box, table, column, Markdown.
//!
//! Widths are chosen from the first rows ([`WINDOW`]); what follows is streamed, and a later
//! value that is wider is wrapped inside its column, so that a result of any length is shown in
//! bounded memory. Where the screen is too narrow the widest columns are narrowed, and columns
//! in the middle are left out when that is not enough, which a line below then says; a person
//! gets the only row of a result as lines instead.
//! Neighbours: `layout` chooses widths, `width` measures and pads.

mod layout;

use std::collections::VecDeque;
use std::io::{self, Write};

use pandodb::ValueRef;

use self::layout::{Columns, Frame};
use super::line::push_line;
use super::width::{Align, cut, printable, push_padded, truncate, width, wrap};
use super::{LargeNumbers, Mode, Renderer, Settings, quote};

/// How many rows decide about the widths.
const WINDOW: usize = 1000;

/// One value as it will be shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) is_number: bool,
    pub(super) is_null: bool,
}

type Row = Vec<Cell>;

pub(super) struct Grid {
    settings: Settings,
    names: Vec<String>,
    /// Rows that came before the widths were chosen.
    window: Vec<Row>,
    /// The newest rows, when only the first and last ones are shown.
    tail: VecDeque<Row>,
    /// Chosen when the window is full or the result has ended.
    columns: Option<Columns>,
    rows: u64,
    shown: u64,
    /// The large numbers of the first row, in words.
    words: Option<Row>,
    /// The first column holds names, which are no values.
    begins_with_names: bool,
}

impl Grid {
    pub(super) fn new(settings: &Settings, columns: &[String]) -> Self {
        let escape = settings.escape_in_columns();
        let names = columns.iter().map(|name| printable(name, escape).replace('\n', " ")).collect();
        Self {
            settings: settings.clone(),
            names,
            window: Vec::new(),
            tail: VecDeque::new(),
            columns: None,
            rows: 0,
            shown: 0,
            words: None,
            begins_with_names: false,
        }
    }

    /// One whose rows begin with a name.
    pub(super) fn of_named_rows(settings: &Settings, columns: &[String]) -> Self {
        Self { begins_with_names: true, ..Self::new(settings, columns) }
    }

    fn cell(&self, at: usize, value: ValueRef<'_>) -> Cell {
        let is_null = value.is_null();
        let has_quotes = self.settings.cells.has_quotes && !(at == 0 && self.begins_with_names);
        if is_null && !has_quotes {
            let text = self.settings.null().to_owned();
            return Cell { text, is_number: false, is_null };
        }
        let is_number = matches!(value, ValueRef::Integer(_) | ValueRef::Real(_));
        if self.settings.large_numbers == LargeNumbers::All
            && self.settings.mode == Mode::Box
            && let Some(words) = in_words(value)
        {
            return Cell { text: words, is_number, is_null: false };
        }
        let escape = self.settings.escape_in_columns();
        let written = if has_quotes {
            std::borrow::Cow::Owned(quote::shown_literal(value, escape))
        } else {
            quote::plain(value)
        };
        let mut text = printable(&written, escape).into_owned();
        if self.settings.mode == Mode::Markdown {
            text = text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "<br>");
        }
        Cell { text, is_number, is_null }
    }

    /// How many of the first and of the last rows are shown; nothing where all are.
    fn cut(&self) -> Option<(usize, usize)> {
        let most = self.settings.rows_max;
        (most > 0).then(|| (most - most / 2, most / 2))
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let words = self.words.iter().filter(|_| self.rows == 1);
        let sample: Vec<&Row> = self.window.iter().chain(&self.tail).chain(words).collect();
        let columns = Columns::choose(&self.settings, &self.names, &sample);
        let frame = Frame::of(self.settings.mode);
        let mut text = String::new();
        if let Some(rule) = frame.top {
            columns.push_rule(rule, &mut text);
        }
        if self.settings.show_headers() {
            let names: Row = self
                .names
                .iter()
                .map(|name| Cell { text: name.clone(), is_number: false, is_null: false })
                .collect();
            self.push_row(&columns, &names, true, &mut text);
            if let Some(rule) = frame.middle {
                columns.push_rule(rule, &mut text);
            }
        }
        out.write_all(text.as_bytes())?;
        self.columns = Some(columns);
        let window = std::mem::take(&mut self.window);
        for row in &window {
            self.write(row, out)?;
        }
        Ok(())
    }

    fn write(&mut self, row: &Row, out: &mut dyn Write) -> io::Result<()> {
        let Some(columns) = &self.columns else { return Ok(()) };
        let mut text = String::new();
        self.push_row(columns, row, false, &mut text);
        self.shown += 1;
        out.write_all(text.as_bytes())
    }

    /// Appends a row, on as many lines as its tallest cell needs.
    fn push_row(&self, columns: &Columns, row: &Row, is_header: bool, text: &mut String) {
        let frame = Frame::of(self.settings.mode);
        let cells: Vec<Vec<std::borrow::Cow<'_, str>>> = columns
            .shown()
            .map(|(at, column)| match at.and_then(|at| row.get(at)) {
                None => vec!["…".into()],
                Some(cell) if column.truncates => {
                    let first = cell.text.split('\n').next().unwrap_or("");
                    let cut = if first.len() < cell.text.len() {
                        format!("{first}…").into()
                    } else {
                        std::borrow::Cow::Borrowed(first)
                    };
                    vec![truncate(&cut, column.width).into_owned().into()]
                }
                Some(cell) if self.settings.mode == Mode::Markdown => vec![(&*cell.text).into()],
                Some(cell) => {
                    self.wrapped(&cell.text, column.width).into_iter().map(Into::into).collect()
                }
            })
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            text.push_str(frame.left);
            for (position, (at, column)) in columns.shown().enumerate() {
                if position > 0 {
                    text.push_str(frame.between);
                }
                let part = cells.get(position).and_then(|lines| lines.get(line));
                let cell = at.and_then(|at| row.get(at));
                let align = if is_header && self.settings.mode != Mode::Column {
                    Align::Center
                } else {
                    column.align
                };
                let style = self.style(is_header, cell.is_some_and(|cell| cell.is_null));
                text.push_str(&style.render().to_string());
                push_padded(part.map_or("", |part| part), column.width, align, text);
                text.push_str(&style.render_reset().to_string());
            }
            text.push_str(frame.right);
            let end = text.trim_end_matches(' ').len();
            if frame.right.is_empty() {
                text.truncate(end);
            }
            text.push('\n');
        }
    }

    /// The lines of a cell.
    fn wrapped<'t>(&self, text: &'t str, columns: usize) -> Vec<&'t str> {
        if self.settings.cells.keeps_words { wrap(text, columns) } else { cut(text, columns) }
    }

    /// Keeps what is said of the large numbers of a result's only row.
    fn note_words(&mut self, values: &[ValueRef<'_>]) {
        if self.settings.large_numbers != LargeNumbers::Footer
            || self.settings.mode != Mode::Box
            || self.rows > 1
        {
            return;
        }
        let words: Vec<Option<String>> = values.iter().map(|value| in_words(*value)).collect();
        if words.iter().any(Option::is_some) {
            let cell = |words: Option<String>| Cell {
                text: words.map_or_else(String::new, |words| format!("({words})")),
                is_number: true,
                is_null: true,
            };
            self.words = Some(words.into_iter().map(cell).collect());
        }
    }

    fn style(&self, is_header: bool, is_null: bool) -> anstyle::Style {
        let plain = anstyle::Style::new();
        match (self.settings.color, is_header, is_null) {
            (true, true, _) => plain.bold(),
            (true, _, true) => plain.dimmed(),
            _ => plain,
        }
    }

    /// The only row, a line for each column, where a person would not see all of it otherwise.
    fn as_lines(&self) -> Option<String> {
        let is_for_people = self.settings.footer && self.settings.mode != Mode::Markdown;
        let [row] = self.window.as_slice() else { return None };
        if !is_for_people || !self.settings.widths.is_empty() || self.names.len() < 2 {
            return None;
        }
        if !Columns::choose(&self.settings, &self.names, &[row]).is_narrowed() {
            return None;
        }
        let wide = self.names.iter().map(|name| width(name)).max().unwrap_or(0);
        let mut text = String::new();
        for (name, cell) in self.names.iter().zip(row) {
            push_line(name, wide, &cell.text, &mut text);
        }
        text.push_str("(1 row)\n");
        Some(text)
    }

    fn footer(&self, hidden_columns: usize) -> String {
        let mut parts = Vec::new();
        if self.shown < self.rows {
            parts.push(format!("{} rows, {} shown", self.rows, self.shown));
        } else if self.settings.footer || hidden_columns > 0 {
            let noun = if self.rows == 1 { "row" } else { "rows" };
            parts.push(format!("{} {noun}", self.rows));
        }
        if hidden_columns > 0 {
            let all = self.names.len();
            parts.push(format!("{all} columns, {} shown", all - hidden_columns));
            if self.settings.footer {
                parts.push(".mode line shows all".to_owned());
            }
        }
        if parts.is_empty() { String::new() } else { format!("({})\n", parts.join("; ")) }
    }
}

impl Renderer for Grid {
    fn row(&mut self, values: &[ValueRef<'_>], out: &mut dyn Write) -> io::Result<()> {
        let row: Row = values.iter().enumerate().map(|(at, value)| self.cell(at, *value)).collect();
        self.rows += 1;
        self.note_words(values);
        if let Some((head, tail)) = self.cut() {
            if self.window.len() < head {
                self.window.push(row);
            } else {
                self.tail.push_back(row);
                if self.tail.len() > tail {
                    self.tail.pop_front();
                }
            }
            return Ok(());
        }
        if self.columns.is_some() {
            return self.write(&row, out);
        }
        self.window.push(row);
        if self.window.len() == WINDOW { self.begin(out) } else { Ok(()) }
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.columns.is_none() {
            // As sqlite3 does: a query without rows prints nothing into a script, but a person
            // at a terminal sees which columns there are.
            if self.rows == 0 && !self.settings.footer {
                return Ok(());
            }
            if let Some(lines) = self.as_lines() {
                return out.write_all(lines.as_bytes());
            }
            self.begin(out)?;
        }
        let tail = std::mem::take(&mut self.tail);
        let left_out = self.rows - self.shown - tail.len() as u64;
        if let Some(columns) = self.columns.as_ref().filter(|_| left_out > 0) {
            let dots = Cell { text: "·".to_owned(), is_number: false, is_null: true };
            let row = vec![dots; self.names.len()];
            let mut text = String::new();
            self.push_row(columns, &row, false, &mut text);
            out.write_all(text.as_bytes())?;
        }
        for row in &tail {
            self.write(row, out)?;
        }
        if let Some(words) = self.words.take().filter(|_| self.rows == 1)
            && let Some(columns) = &self.columns
        {
            let mut text = String::new();
            self.push_row(columns, &words, false, &mut text);
            out.write_all(text.as_bytes())?;
        }
        let Some(columns) = &self.columns else { return Ok(()) };
        let mut text = String::new();
        if let Some(rule) = Frame::of(self.settings.mode).bottom {
            columns.push_rule(rule, &mut text);
        }
        text.push_str(&self.footer(columns.hidden()));
        out.write_all(text.as_bytes())
    }
}

/// A number from a million on as people say it.
fn in_words(value: ValueRef<'_>) -> Option<String> {
    const NAMES: [&str; 5] = ["million", "billion", "trillion", "quadrillion", "quintillion"];
    let number = match value {
        ValueRef::Integer(integer) => integer as f64,
        ValueRef::Real(real) => real,
        _ => return None,
    };
    let mut rest = number.abs() / 1e6;
    if !(1.0..1e15).contains(&rest) {
        return None;
    }
    let mut name = 0;
    // Rounded it may be a thousand, which is one of the next.
    while rest >= 999.995 && name + 1 < NAMES.len() {
        rest /= 1000.0;
        name += 1;
    }
    let sign = if number < 0.0 { "-" } else { "" };
    Some(format!("{sign}{rest:.2} {}", NAMES[name]))
}
