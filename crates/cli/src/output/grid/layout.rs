//! Which columns of a table are shown, how wide, and the lines around them.
//!
//! Neighbours: the parent module draws with what is decided here.

use crate::output::width::{Align, width};
use crate::output::{Mode, Settings};

use super::{Cell, Row};

/// No column is narrowed below this.
const WIDTH_MIN: usize = 8;

/// A column as wide as this is wrapped rather than drawn wider, where there is no screen.
const WIDTH_WRAP: usize = 200;

/// A horizontal line: its left end, its stroke, where it meets a column's edge, its right end.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    left: &'static str,
    stroke: &'static str,
    cross: &'static str,
    right: &'static str,
}

/// The lines of a mode.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: &'static str,
    pub(super) between: &'static str,
    pub(super) right: &'static str,
    pub(super) top: Option<Rule>,
    pub(super) middle: Option<Rule>,
    pub(super) bottom: Option<Rule>,
}

const fn rule(
    left: &'static str,
    stroke: &'static str,
    cross: &'static str,
    right: &'static str,
) -> Rule {
    Rule { left, stroke, cross, right }
}

impl Frame {
    pub(super) const fn of(mode: Mode) -> Self {
        match mode {
            Mode::Box => Self {
                left: "│ ",
                between: " │ ",
                right: " │",
                top: Some(rule("┌─", "─", "─┬─", "─┐")),
                middle: Some(rule("├─", "─", "─┼─", "─┤")),
                bottom: Some(rule("└─", "─", "─┴─", "─┘")),
            },
            Mode::Table => Self {
                left: "| ",
                between: " | ",
                right: " |",
                top: Some(rule("+-", "-", "-+-", "-+")),
                middle: Some(rule("+-", "-", "-+-", "-+")),
                bottom: Some(rule("+-", "-", "-+-", "-+")),
            },
            Mode::Markdown => Self {
                left: "| ",
                between: " | ",
                right: " |",
                top: None,
                middle: Some(rule("|-", "-", "-|-", "-|")),
                bottom: None,
            },
            _ => Self {
                left: "",
                between: "  ",
                right: "",
                top: None,
                middle: Some(rule("", "-", "  ", "")),
                bottom: None,
            },
        }
    }
}

/// One shown column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) width: usize,
    pub(super) align: Align,
    /// Whether what does not fit is cut off rather than wrapped.
    pub(super) truncates: bool,
}

/// The columns of a table; those in the middle may be left out.
pub(super) struct Columns {
    columns: Vec<Column>,
    /// The columns `start..end` are not shown; one with dots stands for them.
    left_out: Option<(usize, usize)>,
}

const DOTS: Column = Column { width: 1, align: Align::Left, truncates: false };

impl Columns {
    pub(super) fn choose(settings: &Settings, names: &[String], sample: &[&Row]) -> Self {
        let mut columns: Vec<Column> = names
            .iter()
            .enumerate()
            .map(|(at, name)| {
                let cells = || sample.iter().filter_map(|row| row.get(at));
                natural(settings, name, cells)
            })
            .collect();
        let mut fixed = vec![false; columns.len()];
        for (at, wanted) in settings.widths.iter().enumerate().filter(|(_, wanted)| **wanted != 0) {
            if let (Some(column), Some(is_fixed)) = (columns.get_mut(at), fixed.get_mut(at)) {
                column.width = wanted.unsigned_abs() as usize;
                column.align = if *wanted < 0 { Align::Right } else { Align::Left };
                *is_fixed = true;
            }
        }
        let mut chosen = Self { columns, left_out: None };
        if settings.width_max > 0 && settings.mode != Mode::Markdown {
            chosen.narrow(Frame::of(settings.mode), settings.width_max, &fixed);
        }
        chosen
    }

    /// Each shown column with its number; no number for the dots.
    pub(super) fn shown(&self) -> impl Iterator<Item = (Option<usize>, &Column)> {
        let (start, end) = self.left_out.unwrap_or((usize::MAX, usize::MAX));
        self.columns.iter().enumerate().filter_map(move |(at, column)| {
            if at < start || at >= end {
                Some((Some(at), column))
            } else if at == start {
                Some((None, &DOTS))
            } else {
                None
            }
        })
    }

    /// Whether something of a row may not be seen.
    pub(super) fn is_narrowed(&self) -> bool {
        self.hidden() > 0 || self.columns.iter().any(|column| column.truncates)
    }

    /// How many columns are left out.
    pub(super) fn hidden(&self) -> usize {
        self.left_out.map_or(0, |(start, end)| end - start)
    }

    pub(super) fn push_rule(&self, rule: Rule, text: &mut String) {
        text.push_str(rule.left);
        for (position, (_, column)) in self.shown().enumerate() {
            if position > 0 {
                text.push_str(rule.cross);
            }
            text.push_str(&rule.stroke.repeat(column.width));
        }
        text.push_str(rule.right);
        text.push('\n');
    }

    fn total(&self, frame: Frame) -> usize {
        let widths: usize = self.shown().map(|(_, column)| column.width).sum();
        let between = self.shown().count().saturating_sub(1) * width(frame.between);
        width(frame.left) + widths + between + width(frame.right)
    }

    /// Narrows the widest columns until the line fits; leaves columns out when it cannot.
    fn narrow(&mut self, frame: Frame, width_max: usize, fixed: &[bool]) {
        let free = |at: usize| !fixed.get(at).copied().unwrap_or(false);
        loop {
            let excess = self.total(frame).saturating_sub(width_max);
            if excess == 0 {
                return;
            }
            let widest = (0..self.columns.len())
                .filter(|&at| free(at) && self.columns[at].width > WIDTH_MIN)
                .max_by_key(|&at| (self.columns[at].width, std::cmp::Reverse(at)));
            let Some(at) = widest else { break };
            // Down to the next widest one, so that equals are narrowed alike.
            let next = (0..self.columns.len())
                .filter(|&other| other != at && free(other))
                .map(|other| self.columns[other].width)
                .filter(|&other| other < self.columns[at].width)
                .max()
                .unwrap_or(WIDTH_MIN)
                .max(WIDTH_MIN);
            let column = &mut self.columns[at];
            let step = (column.width - next).max(1).min(excess);
            column.width -= step;
            column.truncates = true;
        }
        while self.total(frame) > width_max && self.columns.len() - self.hidden() > 2 {
            let (start, end) = match self.left_out {
                None => {
                    let middle = self.columns.len() / 2;
                    (middle, middle + 1)
                }
                Some((start, end)) if start > self.columns.len() - end => (start - 1, end),
                Some((start, end)) => (start, end + 1),
            };
            self.left_out = Some((start, end));
        }
    }
}

/// A column as wide as its widest cell, aligned by what it holds.
fn natural<'a, I: Iterator<Item = &'a Cell>>(
    settings: &Settings,
    name: &str,
    cells: impl Fn() -> I,
) -> Column {
    let widest = |text: &str| text.split('\n').map(width).max().unwrap_or(0);
    let content = cells().map(|cell| widest(&cell.text)).max().unwrap_or(0);
    let header = if settings.show_headers() { width(name) } else { 0 };
    let mut known = cells().filter(|cell| !cell.is_null).peekable();
    let is_number = known.peek().is_some() && known.all(|cell| cell.is_number);
    let mut wide = content.max(header).max(1);
    if settings.mode != Mode::Markdown {
        wide = wide.min(settings.cells.wrap.unwrap_or(WIDTH_WRAP));
    }
    let align = if is_number { Align::Right } else { Align::Left };
    Column { width: wide, align, truncates: false }
}
