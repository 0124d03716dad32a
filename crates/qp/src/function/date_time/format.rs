//! Moments as text: `strftime` and the fixed forms of `date` and `time`.
//!
//! Neighbours: `mod` computes the fields, `print` has the digits of reals.

use std::io::Write as _;

use pandodb_ds::record::{Value, ValueRef};

use super::{DAY_MS, Moment, UNIX_EPOCH_MS, Unusable};
use crate::error::Result;
use crate::function::call::Context;
use crate::function::coerce::{text, until_nul};
use crate::function::print::real_with_16_digits;

/// Appends `YYYY-MM-DD`, with a sign before year zero.
pub(super) fn push_date(moment: &Moment, out: &mut Vec<u8>) {
    if moment.year < 0 {
        out.push(b'-');
    }
    let (year, month, day) = (moment.year.abs(), moment.month, moment.day);
    push(out, format_args!("{year:04}-{month:02}-{day:02}"));
}

/// Appends `HH:MM:SS`, with milliseconds where they are asked for.
pub(super) fn push_time(moment: &Moment, out: &mut Vec<u8>) {
    push(out, format_args!("{:02}:{:02}:", moment.hour, moment.minute));
    if moment.subsecond {
        let ms = (moment.seconds * 1000.0 + 0.5) as i64;
        push(out, format_args!("{:02}.{:03}", ms / 1000, ms % 1000));
    } else {
        push(out, format_args!("{:02}", moment.seconds as i64));
    }
}

fn push(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = out.write_fmt(arguments);
}

/// `strftime(format, ...)`.
pub(in crate::function) fn strftime(
    context: &mut Context<'_>,
    args: &[ValueRef<'_>],
) -> Result<Value> {
    let Some((&format, rest)) = args.split_first() else { return Ok(Value::Null) };
    let Some(format) = text(format) else { return Ok(Value::Null) };
    let moment = Moment::of(context, rest).and_then(|mut moment| {
        moment.need_fields()?;
        Ok(moment)
    });
    let Ok(moment) = moment else { return Ok(Value::Null) };
    match render(context, &moment, until_nul(&format))? {
        Ok(out) => context.text(out),
        Err(Unusable) => Ok(Value::Null),
    }
}

fn render(
    context: &Context<'_>,
    moment: &Moment,
    format: &[u8],
) -> Result<Result<Vec<u8>, Unusable>> {
    let mut out = Vec::with_capacity(format.len() + 16);
    let mut pace = context.pace();
    let mut bytes = format.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'%' {
            let Some(&letter) = bytes.next() else { return Ok(Err(Unusable)) };
            pace.step(32)?;
            if specifier(moment, letter, &mut out).is_err() {
                return Ok(Err(Unusable));
            }
            context.check_length(out.len())?;
        } else {
            pace.step(1)?;
            out.push(byte);
        }
    }
    Ok(Ok(out))
}

fn specifier(moment: &Moment, letter: u8, out: &mut Vec<u8>) -> Result<(), Unusable> {
    let Moment { year, month, day, hour, minute, .. } = *moment;
    let second = moment.seconds as i64;
    let hour_of_12 = (hour + 11) % 12 + 1;
    match letter {
        b'd' => push(out, format_args!("{day:02}")),
        b'e' => push(out, format_args!("{day:2}")),
        b'f' => {
            // Rounding must not show 60 seconds.
            push(out, format_args!("{:06.3}", moment.seconds.min(59.999)));
        }
        b'F' => {
            push(out, format_args!("{year:04}-{month:02}-{day:02}"));
        }
        b'g' | b'G' => {
            let iso_year = thursday(moment)?.year;
            if letter == b'g' {
                push(out, format_args!("{:02}", iso_year % 100));
            } else {
                push(out, format_args!("{iso_year:04}"));
            }
        }
        b'H' => push(out, format_args!("{hour:02}")),
        b'I' => push(out, format_args!("{hour_of_12:02}")),
        b'j' => push(out, format_args!("{:03}", moment.day_of_year() + 1)),
        b'J' => out.extend(real_with_16_digits(moment.julian_ms as f64 / DAY_MS as f64)),
        b'k' => push(out, format_args!("{hour:2}")),
        b'l' => push(out, format_args!("{hour_of_12:2}")),
        b'm' => push(out, format_args!("{month:02}")),
        b'M' => push(out, format_args!("{minute:02}")),
        b'p' => out.extend(if hour >= 12 { b"PM" } else { b"AM" }),
        b'P' => out.extend(if hour >= 12 { b"pm" } else { b"am" }),
        b'R' => push(out, format_args!("{hour:02}:{minute:02}")),
        b's' if moment.subsecond => {
            let seconds = (moment.julian_ms - UNIX_EPOCH_MS) as f64 / 1000.0;
            push(out, format_args!("{seconds:.3}"));
        }
        b's' => {
            push(out, format_args!("{}", moment.julian_ms / 1000 - UNIX_EPOCH_MS / 1000));
        }
        b'S' => push(out, format_args!("{second:02}")),
        b'T' => push(out, format_args!("{hour:02}:{minute:02}:{second:02}")),
        b'u' => push(out, format_args!("{}", moment.weekday_from_monday() + 1)),
        b'w' => push(out, format_args!("{}", moment.weekday_from_sunday())),
        b'U' => {
            let week = (moment.day_of_year() - moment.weekday_from_sunday() + 7) / 7;
            push(out, format_args!("{week:02}"));
        }
        b'V' => {
            let week = thursday(moment)?.day_of_year() / 7 + 1;
            push(out, format_args!("{week:02}"));
        }
        b'W' => {
            let week = (moment.day_of_year() - moment.weekday_from_monday() + 7) / 7;
            push(out, format_args!("{week:02}"));
        }
        b'Y' => push(out, format_args!("{year:04}")),
        b'%' => out.push(b'%'),
        _ => return Err(Unusable),
    }
    Ok(())
}

/// The Thursday of the moment's week, whose year is the year of the ISO week.
fn thursday(moment: &Moment) -> Result<Moment, Unusable> {
    let mut thursday = *moment;
    thursday.julian_ms += (3 - moment.weekday_from_monday()) * DAY_MS;
    thursday.has_date = false;
    thursday.need_date()?;
    Ok(thursday)
}
