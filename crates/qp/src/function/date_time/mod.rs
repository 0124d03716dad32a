//! Dates and times: `date`, `time`, `datetime`, `julianday`, `unixepoch`, `timediff`.
//!
//! A moment is a Julian day number in milliseconds, an integer, between the years -4713 and
//! 9999 of the Gregorian calendar; text and numbers are converted to it and back. Beside it
//! stand the calendar fields that it was made of, as long as they hold: adding a month to
//! "2024-01-31" starts from the 31st as written, which is what SQLite does and why
//! [`Moment`] carries both forms with a flag for each. Neighbours: `parse` reads, `modifier`
//! changes, `format` writes (`strftime`).

mod format;
mod local_time;
mod modifier;
mod parse;

#[cfg(test)]
mod tests;

use pandodb_ds::record::{Value, ValueRef};

pub(super) use self::format::strftime;
use self::format::{push_date, push_time};
pub use self::local_time::local_offset_seconds;
use super::call::Context;
use super::coerce::text;
use crate::error::Result;

/// Milliseconds in a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// The Julian day of 1970-01-01 00:00 in milliseconds.
pub(super) const UNIX_EPOCH_MS: i64 = 210_866_760_000_000;

/// The Julian day of 9999-12-31 23:59:59.999 in milliseconds.
const LAST_MS: i64 = 464_269_060_799_999;

/// The Julian day of 0000-01-01 00:00 in milliseconds.
const YEAR_ZERO_MS: i64 = 148_699_540_800_000;

/// Why a moment cannot be made; the function's result is then NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusable;

/// A moment as a Julian day, as calendar fields, or as a number not yet interpreted.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each says whether one of the forms holds")]
pub(super) struct Moment {
    /// Julian day in milliseconds, if valid.
    julian_ms: i64,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    /// Seconds with their fraction; or the number that `raw` speaks of.
    seconds: f64,
    /// Minutes that the fields are ahead of UTC.
    zone_minutes: i64,
    has_julian: bool,
    has_date: bool,
    has_time: bool,
    /// `seconds` is a number that may be a Julian day or a Unix time.
    raw: bool,
    /// The result shows milliseconds.
    subsecond: bool,
    /// The moment is known to be UTC, or local time.
    is_utc: bool,
    is_local: bool,
    /// Days by which the date as written overshoots its month (for `floor`).
    overshoot: i64,
}

impl Moment {
    /// The moment that a function's arguments describe: a time value and modifiers.
    fn of(context: &Context<'_>, args: &[ValueRef<'_>]) -> Result<Self, Unusable> {
        let mut moment = Self::default();
        let Some((&first, modifiers)) = args.split_first() else {
            moment.set_now(context);
            return Ok(moment);
        };
        match first {
            ValueRef::Integer(integer) => moment.set_number(integer as f64),
            ValueRef::Real(real) => moment.set_number(real),
            ValueRef::Null => return Err(Unusable),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => moment.parse(context, bytes)?,
        }
        for (index, &modifier) in modifiers.iter().enumerate() {
            let modifier = text(modifier).ok_or(Unusable)?;
            moment.modify(context, &modifier, index == 0)?;
        }
        moment.need_julian()?;
        moment.check_range()?;
        // A day beyond its month, like "2024-02-31", is normalised if nothing else did.
        if modifiers.is_empty() && moment.has_date && moment.day > 28 {
            moment.has_date = false;
        }
        Ok(moment)
    }

    fn set_now(&mut self, context: &Context<'_>) {
        context.used_clock.set(true);
        self.julian_ms = context.session.now_ms().saturating_add(UNIX_EPOCH_MS);
        self.has_julian = true;
        self.is_utc = true;
        self.is_local = false;
        self.forget_fields();
    }

    /// A number: a Julian day where that is in range, until a modifier says otherwise.
    fn set_number(&mut self, number: f64) {
        self.seconds = number;
        self.raw = true;
        if (0.0..5_373_484.5).contains(&number) {
            self.julian_ms = (number * DAY_MS as f64 + 0.5) as i64;
            self.has_julian = true;
        }
    }

    fn forget_fields(&mut self) {
        self.has_date = false;
        self.has_time = false;
        self.zone_minutes = 0;
    }

    /// Computes the Julian day from the fields.
    fn need_julian(&mut self) -> Result<(), Unusable> {
        if self.has_julian {
            return Ok(());
        }
        let (year, month, day) = if self.has_date {
            (self.year, self.month, self.day)
        } else if self.has_time && self.hour == 24 {
            self.hour = 0;
            (2000, 1, 2)
        } else {
            (2000, 1, 1)
        };
        if !(-4713..=9999).contains(&year) || self.raw {
            return Err(Unusable);
        }
        self.julian_ms = date_to_julian_ms(year, month, day);
        self.has_julian = true;
        if self.has_time {
            self.julian_ms +=
                self.hour * 3_600_000 + self.minute * 60_000 + (self.seconds * 1000.0 + 0.5) as i64;
            if self.zone_minutes != 0 {
                self.julian_ms -= self.zone_minutes * 60_000;
                self.forget_fields();
                self.is_utc = true;
                self.is_local = false;
            }
        }
        Ok(())
    }

    /// Refuses a Julian day that no calendar date has.
    fn check_range(&self) -> Result<(), Unusable> {
        if (0..=LAST_MS).contains(&self.julian_ms) { Ok(()) } else { Err(Unusable) }
    }

    /// Computes the date fields from the Julian day.
    fn need_date(&mut self) -> Result<(), Unusable> {
        if self.has_date {
            return Ok(());
        }
        if self.has_julian {
            self.check_range()?;
            (self.year, self.month, self.day) = julian_ms_to_date(self.julian_ms);
        } else {
            (self.year, self.month, self.day) = (2000, 1, 1);
        }
        self.has_date = true;
        Ok(())
    }

    /// Computes the time fields from the Julian day.
    fn need_time(&mut self) -> Result<(), Unusable> {
        if self.has_time {
            return Ok(());
        }
        self.need_julian()?;
        let day_ms = (self.julian_ms + DAY_MS / 2).rem_euclid(DAY_MS);
        self.seconds = (day_ms % 60_000) as f64 / 1000.0;
        self.minute = day_ms / 60_000 % 60;
        self.hour = day_ms / 3_600_000;
        self.raw = false;
        self.has_time = true;
        Ok(())
    }

    fn need_fields(&mut self) -> Result<(), Unusable> {
        self.need_date()?;
        self.need_time()
    }

    /// Notes by how many days the date as written overshoots its month.
    fn note_overshoot(&mut self) {
        self.overshoot = (self.day - days_in_month(self.year, self.month)).max(0);
        if self.day <= 28 {
            self.overshoot = 0;
        }
    }

    /// Days since the first of January of the moment's year.
    fn day_of_year(&self) -> i64 {
        let mut january = *self;
        january.has_julian = false;
        january.month = 1;
        january.day = 1;
        match january.need_julian() {
            Ok(()) => (self.julian_ms - january.julian_ms + DAY_MS / 2) / DAY_MS,
            Err(Unusable) => 0,
        }
    }

    /// Days since Monday.
    fn weekday_from_monday(&self) -> i64 {
        (self.julian_ms + DAY_MS / 2) / DAY_MS % 7
    }

    /// Days since Sunday.
    fn weekday_from_sunday(&self) -> i64 {
        (self.julian_ms + DAY_MS / 2 * 3) / DAY_MS % 7
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The Julian day of a midnight; `day` may lie outside its month.
///
/// Years are counted from March, so that the leap day is the last of its year, in the
/// Gregorian calendar's periods of 400 years.
fn date_to_julian_ms(year: i64, month: i64, day: i64) -> i64 {
    /// Days from 0000-03-01 to the Julian day's beginning, plus half a day in the result.
    const MARCH_OF_YEAR_ZERO: i64 = 1_721_119;
    let year = if month <= 2 { year - 1 } else { year };
    let months_from_march = (month + 9) % 12;
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_number = days + (months_from_march * 153 + 2) / 5 + day + MARCH_OF_YEAR_ZERO;
    day_number * DAY_MS - DAY_MS / 2
}

/// Year, month and day of a Julian day.
fn julian_ms_to_date(julian_ms: i64) -> (i64, i64, i64) {
    let days = (julian_ms + DAY_MS / 2).div_euclid(DAY_MS) - 1_721_120;
    let period = days.div_euclid(146_097);
    let of_period = days.rem_euclid(146_097);
    let year_of_period =
        (of_period - of_period / 1_460 + of_period / 36_524 - of_period / 146_096) / 365;
    let of_year = of_period - (year_of_period * 365 + year_of_period / 4 - year_of_period / 100);
    let months_from_march = (of_year * 5 + 2) / 153;
    let day = of_year - (months_from_march * 153 + 2) / 5 + 1;
    let month = if months_from_march < 10 { months_from_march + 3 } else { months_from_march - 9 };
    let year = period * 400 + year_of_period + i64::from(month <= 2);
    (year, month, day)
}

/// What a function makes of a moment, or NULL without one.
fn with_moment(
    context: &Context<'_>,
    args: &[ValueRef<'_>],
    make: impl FnOnce(Moment) -> Result<Value, Unusable>,
) -> Value {
    Moment::of(context, args).and_then(make).unwrap_or(Value::Null)
}

pub(super) fn date(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(with_moment(context, args, |mut moment| {
        moment.need_date()?;
        let mut out = Vec::with_capacity(10);
        push_date(&moment, &mut out);
        Ok(Value::text(out))
    }))
}

pub(super) fn time(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(with_moment(context, args, |mut moment| {
        moment.need_time()?;
        let mut out = Vec::with_capacity(12);
        push_time(&moment, &mut out);
        Ok(Value::text(out))
    }))
}

pub(super) fn date_time(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(with_moment(context, args, |mut moment| {
        moment.need_fields()?;
        let mut out = Vec::with_capacity(23);
        push_date(&moment, &mut out);
        out.push(b' ');
        push_time(&moment, &mut out);
        Ok(Value::text(out))
    }))
}

pub(super) fn julian_day(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(with_moment(context, args, |moment| {
        Ok(Value::Real(moment.julian_ms as f64 / DAY_MS as f64))
    }))
}

pub(super) fn unix_epoch(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(with_moment(context, args, |moment| {
        Ok(if moment.subsecond {
            Value::Real((moment.julian_ms - UNIX_EPOCH_MS) as f64 / 1000.0)
        } else {
            Value::Integer(moment.julian_ms / 1000 - UNIX_EPOCH_MS / 1000)
        })
    }))
}

/// `timediff(a, b)`: what to add to `b` to get `a`, as a modifier.
pub(super) fn time_diff(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let moments = (Moment::of(context, &args[..1]), Moment::of(context, &args[1..]));
    let (Ok(after), Ok(before)) = moments else { return Ok(Value::Null) };
    Ok(difference(after, before).unwrap_or(Value::Null))
}

fn difference(mut to: Moment, mut from: Moment) -> Result<Value, Unusable> {
    to.need_fields()?;
    from.need_fields()?;
    let forward = to.julian_ms >= from.julian_ms;
    // Years and months first: `from` is moved to the year and month of `to`, then back until
    // it does not overtake; the rest is days and time.
    let sign = if forward { 1 } else { -1 };
    let mut years = (to.year - from.year) * sign;
    let mut months = (to.month - from.month) * sign;
    if months < 0 {
        years -= 1;
        months += 12;
    }
    (from.year, from.month) = (to.year, to.month);
    from.has_julian = false;
    from.need_julian()?;
    while if forward { to.julian_ms < from.julian_ms } else { to.julian_ms > from.julian_ms } {
        months -= 1;
        if months < 0 {
            months = 11;
            years -= 1;
        }
        from.month -= sign;
        if from.month < 1 {
            (from.month, from.year) = (12, from.year - 1);
        } else if from.month > 12 {
            (from.month, from.year) = (1, from.year + 1);
        }
        from.has_julian = false;
        from.need_julian()?;
    }
    let mut rest = Moment {
        julian_ms: (to.julian_ms - from.julian_ms).abs() + YEAR_ZERO_MS,
        has_julian: true,
        ..Moment::default()
    };
    rest.need_fields()?;
    let mut out = Vec::with_capacity(24);
    out.extend(
        format!(
            "{}{years:04}-{months:02}-{:02} {:02}:{:02}:{:06.3}",
            if forward { '+' } else { '-' },
            rest.day - 1,
            rest.hour,
            rest.minute,
            rest.seconds
        )
        .bytes(),
    );
    Ok(Value::text(out))
}
