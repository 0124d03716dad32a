//! Time values as text: `YYYY-MM-DD`, `HH:MM:SS.SSS` with a zone, `now`, numbers.
//!
//! The forms are read strictly (two digits are two digits) and within their ranges; a text
//! that fits none is no time value. Neighbours: `modifier` reads changes with these parts.

use pandodb_ds::record::number;

use super::{Moment, Unusable, days_in_month};
use crate::function::call::Context;
use crate::function::coerce::until_nul;

/// Reads `len` digits at the front: the number and what follows, if within `min..=max`.
pub(super) fn fixed(text: &[u8], len: usize, min: i64, max: i64) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(len)?;
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    (min..=max).contains(&value).then_some((value, rest))
}

/// What follows `byte` at the front.
pub(super) fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
}

/// Whether SQL counts `byte` as space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Text without leading space.
pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&byte| is_space(byte)).count()..]
}

/// The number that all of `text` spells.
pub(super) fn whole_number(text: &[u8]) -> Option<f64> {
    let scanned = number::NumberText::scan(text);
    scanned.is_whole().then(|| scanned.real())
}

impl Moment {
    /// Reads a time value.
    pub(super) fn parse(&mut self, context: &Context<'_>, text: &[u8]) -> Result<(), Unusable> {
        let text = until_nul(text);
        if self.parse_date(text).is_some() || self.parse_time(text).is_some() {
            // What a zone makes impossible shows here.
            return Ok(());
        }
        if text.eq_ignore_ascii_case(b"now") {
            self.set_now(context);
        } else if let Some(number) = whole_number(text) {
            self.set_number(number);
        } else if is_subsecond(text) {
            self.subsecond = true;
            self.set_now(context);
        } else {
            return Err(Unusable);
        }
        Ok(())
    }

    /// `[-]YYYY-MM-DD`, and a time behind space or `T`.
    fn parse_date(&mut self, text: &[u8]) -> Option<()> {
        let (negative, rest) = match after(text, b'-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (year, rest) = fixed(rest, 4, 0, 9999)?;
        let (month, rest) = fixed(after(rest, b'-')?, 2, 1, 12)?;
        let (day, rest) = fixed(after(rest, b'-')?, 2, 1, 31)?;
        let blanks = rest.iter().take_while(|&&byte| is_space(byte) || byte == b'T').count();
        let rest = &rest[blanks..];
        let (mut year, mut month, mut day) = (year, month, day);
        let mut read = *self;
        if rest.is_empty() {
            read.has_time = false;
        } else {
            read.parse_time(rest)?;
            if read.hour == 24 {
                read.hour = 0;
                day += 1;
                if day > days_in_month(year, month) {
                    day -= days_in_month(year, month);
                    month += 1;
                }
                if month > 12 {
                    (year, month) = (year + 1, 1);
                }
            }
        }
        read.has_julian = false;
        read.has_date = true;
        read.year = if negative { -year } else { year };
        read.month = month;
        read.day = day;
        read.note_overshoot();
        if read.zone_minutes != 0 {
            // An error here shows when the Julian day is needed again.
            let _ = read.need_julian();
        }
        *self = read;
        Some(())
    }

    /// `HH:MM[:SS[.SSS]]` and a zone.
    pub(super) fn parse_time(&mut self, text: &[u8]) -> Option<()> {
        let (hour, rest) = fixed(text, 2, 0, 24)?;
        let (minute, mut rest) = fixed(after(rest, b':')?, 2, 0, 59)?;
        let mut seconds = 0.0;
        if let Some(behind) = after(rest, b':') {
            let (whole, behind) = fixed(behind, 2, 0, 59)?;
            seconds = whole as f64;
            rest = behind;
            let digits = match after(rest, b'.') {
                Some(fraction) => fraction.iter().take_while(|byte| byte.is_ascii_digit()).count(),
                None => 0,
            };
            if digits > 0 {
                let mut value = 0.0;
                let mut scale = 1.0;
                for digit in &rest[1..=digits] {
                    value = value * 10.0 + f64::from(digit - b'0');
                    scale *= 10.0;
                }
                // More than 999 milliseconds would round up into the next second.
                seconds += f64::min(value / scale, 0.999);
                rest = &rest[1 + digits..];
            }
        }
        // The end of a day is the only time with hour 24.
        if hour == 24 && (minute != 0 || seconds != 0.0) {
            return None;
        }
        let mut read = *self;
        read.has_julian = false;
        read.raw = false;
        read.has_time = true;
        read.hour = hour;
        read.minute = minute;
        read.seconds = seconds;
        read.parse_zone(rest)?;
        *self = read;
        Some(())
    }

    /// Nothing, `Z`, or `+HH:MM` and `-HH:MM`.
    fn parse_zone(&mut self, text: &[u8]) -> Option<()> {
        let text = trim_start(text);
        self.zone_minutes = 0;
        let (sign, rest) = match text.split_first() {
            None => return Some(()),
            Some((b'-', rest)) => (-1, rest),
            Some((b'+', rest)) => (1, rest),
            Some((b'Z' | b'z', rest)) => {
                self.is_local = false;
                self.is_utc = true;
                return trim_start(rest).is_empty().then_some(());
            }
            Some(_) => return None,
        };
        let (hours, rest) = fixed(rest, 2, 0, 14)?;
        let (minutes, rest) = fixed(after(rest, b':')?, 2, 0, 59)?;
        self.zone_minutes = sign * (hours * 60 + minutes);
        if self.zone_minutes == 0 {
            self.is_local = false;
            self.is_utc = true;
        }
        trim_start(rest).is_empty().then_some(())
    }
}

/// The word that asks for milliseconds.
pub(super) fn is_subsecond(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"subsec") || text.eq_ignore_ascii_case(b"subsecond")
}
