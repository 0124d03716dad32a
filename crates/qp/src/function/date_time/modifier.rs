//! Modifiers of a time value: amounts to add, `start of`, `end of`, `weekday`, zones,
//! interpretations.
//!
//! Each is tried by its first letter, changes the moment or makes it unusable. Months and
//! years are added to the date as written, and a day that the new month does not have runs
//! over into the next, unless `floor` follows. Neighbours: `parse` reads the parts.

use super::parse::{after, fixed, is_space, is_subsecond, trim_start, whole_number};
use super::{DAY_MS, LAST_MS, Moment, UNIX_EPOCH_MS, Unusable};
use crate::function::call::Context;
use crate::function::coerce::until_nul;

/// A unit of time: name, the amounts that can be added, and its length in seconds.
struct Unit {
    name: &'static [u8],
    limit: f64,
    seconds: f64,
}

const UNITS: [Unit; 6] = [
    Unit { name: b"second", limit: 4.6427e+14, seconds: 1.0 },
    Unit { name: b"minute", limit: 7.7379e+12, seconds: 60.0 },
    Unit { name: b"hour", limit: 1.2897e+11, seconds: 3600.0 },
    Unit { name: b"day", limit: 5_373_485.0, seconds: 86_400.0 },
    Unit { name: b"month", limit: 176_546.0, seconds: 2_592_000.0 },
    Unit { name: b"year", limit: 14_713.0, seconds: 31_536_000.0 },
];

/// How often local time is corrected until its offset from UTC fits.
const UTC_ROUNDS: usize = 4;

impl Moment {
    /// Applies one modifier; `first` tells that it stands right behind the time value.
    pub(super) fn modify(
        &mut self,
        context: &Context<'_>,
        modifier: &[u8],
        first: bool,
    ) -> Result<(), Unusable> {
        let word = until_nul(modifier);
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match word.first().map(u8::to_ascii_lowercase) {
            Some(b'a') if is("auto") && first => self.interpret_automatically(),
            Some(b'c') if is("ceiling") => {
                self.need_julian()?;
                self.forget_fields();
                self.overshoot = 0;
            }
            Some(b'e') => self.go_to_end(word)?,
            Some(b'f') if is("floor") => {
                self.need_julian()?;
                self.julian_ms = self.julian_ms.saturating_sub(self.overshoot * DAY_MS);
                self.forget_fields();
            }
            Some(b'j') if is("julianday") && first && self.has_julian && self.raw => {
                self.raw = false;
            }
            Some(b'l') if is("localtime") => self.shift_to_local(context)?,
            Some(b'u') if is("unixepoch") && self.raw && first => self.interpret_unix_time()?,
            Some(b'u') if is("utc") => self.shift_to_utc(context)?,
            Some(b'w') => self.go_to_weekday(word)?,
            Some(b's') if is_subsecond(word) => self.subsecond = true,
            Some(b's') => self.go_to_start(word)?,
            Some(b'+' | b'-' | b'0'..=b'9') => self.add(word)?,
            _ => return Err(Unusable),
        }
        Ok(())
    }

    /// A number that is no Julian day is a Unix time.
    fn interpret_automatically(&mut self) {
        if self.raw && !self.has_julian {
            let unix = self.seconds;
            if (-210_866_760_000.0..=253_402_300_799.0).contains(&unix) {
                self.forget_fields();
                self.julian_ms = (unix * 1000.0 + UNIX_EPOCH_MS as f64 + 0.5) as i64;
                self.has_julian = true;
                self.raw = false;
            }
        } else {
            self.raw = false;
        }
    }

    fn interpret_unix_time(&mut self) -> Result<(), Unusable> {
        let julian_ms = self.seconds * 1000.0 + UNIX_EPOCH_MS as f64;
        if !(0.0..(LAST_MS + 1) as f64).contains(&julian_ms) {
            return Err(Unusable);
        }
        self.forget_fields();
        self.julian_ms = (julian_ms + 0.5) as i64;
        self.has_julian = true;
        self.raw = false;
        Ok(())
    }

    fn shift_to_local(&mut self, context: &Context<'_>) -> Result<(), Unusable> {
        if !self.is_local {
            self.need_julian()?;
            self.check_range()?;
            self.julian_ms = self.julian_ms.saturating_add(offset_ms(context, self.julian_ms));
            self.forget_fields();
            self.raw = false;
        }
        self.is_utc = false;
        self.is_local = true;
        Ok(())
    }

    fn shift_to_utc(&mut self, context: &Context<'_>) -> Result<(), Unusable> {
        if self.is_utc {
            return Ok(());
        }
        self.need_julian()?;
        self.check_range()?;
        let local = self.julian_ms;
        let mut guess = local;
        for _ in 0..UTC_ROUNDS {
            let error = guess.saturating_add(offset_ms(context, guess)).saturating_sub(local);
            if error == 0 {
                break;
            }
            guess = guess.saturating_sub(error);
        }
        // SQLite forgets here that milliseconds were asked for.
        *self = Self { julian_ms: guess, has_julian: true, is_utc: true, ..Self::default() };
        Ok(())
    }

    /// `weekday N` and `weekday -N`: forward or back to the next such day, or not at all.
    fn go_to_weekday(&mut self, word: &[u8]) -> Result<(), Unusable> {
        let (name, rest) = word.split_at_checked(8).ok_or(Unusable)?;
        if !name.eq_ignore_ascii_case(b"weekday ") {
            return Err(Unusable);
        }
        let number = whole_number(rest).filter(|number| (-6.0..=6.0).contains(number));
        let number = number.filter(|number| number.fract() == 0.0).ok_or(Unusable)?;
        let wanted = (number as i64).abs();
        self.need_fields()?;
        self.zone_minutes = 0;
        self.has_julian = false;
        self.need_julian()?;
        let today = self.weekday_from_sunday();
        if today != wanted {
            // The sign counts by its letter: there is a Sunday "-0".
            let back = if rest.contains(&b'-') { 7 } else { 0 };
            self.julian_ms += ((wanted - today).rem_euclid(7) - back) * DAY_MS;
        }
        self.forget_fields();
        Ok(())
    }

    /// `end of month`, `end of year`, `end of day`: the last millisecond.
    fn go_to_end(&mut self, word: &[u8]) -> Result<(), Unusable> {
        let (name, unit) = word.split_at_checked(7).ok_or(Unusable)?;
        if !name.eq_ignore_ascii_case(b"end of ")
            || !(self.has_julian || self.has_date || self.has_time)
        {
            return Err(Unusable);
        }
        self.need_date()?;
        self.has_time = true;
        (self.hour, self.minute, self.seconds) = (23, 59, 59.999);
        self.raw = false;
        self.zone_minutes = 0;
        self.has_julian = false;
        if unit.eq_ignore_ascii_case(b"month") {
            self.day = 1;
            self.add_months(1);
            self.note_overshoot();
            self.need_julian()?;
            self.julian_ms -= DAY_MS;
            self.forget_fields();
        } else if unit.eq_ignore_ascii_case(b"year") {
            self.month = 12;
            self.day = 31;
        } else if !unit.eq_ignore_ascii_case(b"day") {
            return Err(Unusable);
        }
        Ok(())
    }

    /// `start of month`, `start of year`, `start of day`.
    fn go_to_start(&mut self, word: &[u8]) -> Result<(), Unusable> {
        let (name, unit) = word.split_at_checked(9).ok_or(Unusable)?;
        if !name.eq_ignore_ascii_case(b"start of ")
            || !(self.has_julian || self.has_date || self.has_time)
        {
            return Err(Unusable);
        }
        self.need_date()?;
        self.has_time = true;
        self.hour = 0;
        self.minute = 0;
        self.seconds = 0.0;
        self.raw = false;
        self.zone_minutes = 0;
        self.has_julian = false;
        if unit.eq_ignore_ascii_case(b"month") {
            self.day = 1;
        } else if unit.eq_ignore_ascii_case(b"year") {
            self.month = 1;
            self.day = 1;
        } else if !unit.eq_ignore_ascii_case(b"day") {
            return Err(Unusable);
        }
        Ok(())
    }

    /// `+N unit`, `+HH:MM:SS`, `+YYYY-MM-DD [HH:MM[:SS]]`.
    fn add(&mut self, word: &[u8]) -> Result<(), Unusable> {
        let len = amount_len(word);
        let amount = whole_number(&word[..len]).ok_or(Unusable)?;
        match word.get(len) {
            Some(b'-') => self.add_date(word),
            Some(b':') => self.add_time(word, word[0] == b'-'),
            _ => self.add_units(amount, trim_start(&word[len..])),
        }
    }

    /// `+YYYY-MM-DD [HH:MM[:SS]]`, with four or five digits of years.
    fn add_date(&mut self, word: &[u8]) -> Result<(), Unusable> {
        let sign = match word[0] {
            b'+' => 1,
            b'-' => -1,
            _ => return Err(Unusable),
        };
        let four = fixed(&word[1..], 4, 0, 14_712);
        let five = || fixed(&word[1..], 5, 0, 14_712);
        let four = four.filter(|(_, rest)| rest.first() == Some(&b'-'));
        let (years, rest) = four.or_else(five).ok_or(Unusable)?;
        let (months, rest) =
            after(rest, b'-').and_then(|rest| fixed(rest, 2, 0, 11)).ok_or(Unusable)?;
        let (days, rest) =
            after(rest, b'-').and_then(|rest| fixed(rest, 2, 0, 30)).ok_or(Unusable)?;
        self.need_fields()?;
        self.has_julian = false;
        self.year += years * sign;
        self.add_months(months * sign);
        self.note_overshoot();
        self.need_julian()?;
        self.has_time = false;
        self.has_date = false;
        self.julian_ms += days * sign * DAY_MS;
        match rest.split_first() {
            None => Ok(()),
            Some((&space, time))
                if is_space(space) && time.first().is_some_and(u8::is_ascii_digit) =>
            {
                self.add_time(time, sign < 0)
            }
            Some(_) => Err(Unusable),
        }
    }

    fn add_time(&mut self, time: &[u8], negative: bool) -> Result<(), Unusable> {
        let digits = match time {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        let mut amount = Self::default();
        amount.parse_time(digits).ok_or(Unusable)?;
        amount.need_julian()?;
        // Only the time of day counts.
        let ms = (amount.julian_ms - DAY_MS / 2).rem_euclid(DAY_MS);
        self.need_julian()?;
        self.forget_fields();
        self.julian_ms = self.julian_ms.saturating_add(if negative { -ms } else { ms });
        Ok(())
    }

    fn add_units(&mut self, mut amount: f64, name: &[u8]) -> Result<(), Unusable> {
        if !(3..=10).contains(&name.len()) {
            return Err(Unusable);
        }
        let name = match name.split_last() {
            Some((b's' | b'S', singular)) => singular,
            _ => name,
        };
        self.need_julian()?;
        self.overshoot = 0;
        let half = if amount < 0.0 { -0.5 } else { 0.5 };
        let unit = UNITS
            .iter()
            .find(|unit| {
                unit.name.eq_ignore_ascii_case(name) && amount > -unit.limit && amount < unit.limit
            })
            .ok_or(Unusable)?;
        // Whole months and years move the calendar, what is left of them is time.
        if unit.name == b"month" || unit.name == b"year" {
            self.need_fields()?;
            if unit.name == b"month" {
                self.add_months(amount as i64);
            } else {
                self.year += amount as i64;
            }
            self.note_overshoot();
            self.has_julian = false;
            amount -= amount.trunc();
        }
        self.need_julian()?;
        // Sums out of range stay out of range.
        let ms = (amount * 1000.0 * unit.seconds + half) as i64;
        self.julian_ms = self.julian_ms.saturating_add(ms);
        self.forget_fields();
        Ok(())
    }

    fn add_months(&mut self, months: i64) {
        let month = self.month - 1 + months;
        self.year += month.div_euclid(12);
        self.month = month.rem_euclid(12) + 1;
    }
}

/// Where the leading number of an amount ends: at a colon, at space, or at the dash behind a
/// year.
fn amount_len(word: &[u8]) -> usize {
    for (at, &byte) in word.iter().enumerate().skip(1) {
        let ends = match byte {
            b':' => true,
            b'-' if at == 5 => fixed(&word[1..], 4, 0, 14_712).is_some(),
            b'-' if at == 6 => fixed(&word[1..], 5, 0, 14_712).is_some(),
            _ => is_space(byte),
        };
        if ends {
            return at;
        }
    }
    word.len()
}

fn offset_ms(context: &Context<'_>, julian_ms: i64) -> i64 {
    context.used_clock.set(true);
    let unix_seconds = julian_ms.saturating_sub(UNIX_EPOCH_MS).div_euclid(1000);
    context.session.local_offset_seconds(unix_seconds).saturating_mul(1000)
}
