//! `printf` and its kin: SQLite's formats, and `quote`.
//!
//! A format is read once from left to right into a [`Conversion`] per `%`, which takes its
//! arguments, makes a body, and is padded to its width. SQLite's additions to C are `,`
//! (thousands), `!` (more digits; characters instead of bytes), `%q %Q %w` (SQL quoting),
//! `%j %J` (JSON quoting), `%r` (ordinals). Neighbours: `pandodb_ds::record::number` has the
//! digits of reals.

use pandodb_ds::record::number::Decimal;
use pandodb_ds::record::{Value, ValueRef};

use super::call::{Context, Pace, check_memory, make_room, room};
use super::coerce::{character_len, integer, real, text, until_nul};
use super::text::push_hex;
use crate::error::Result;

/// Digits of reals beyond which precision is not followed, as in SQLite.
const PRECISION_MAX: i64 = 100_000_000;

/// Significant digits of reals, with `!` and without.
const DIGITS_MORE: u8 = 20;
const DIGITS: u8 = 16;

/// One `%` of a format: flags, width, precision and letter.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "one for each flag of a format")]
struct Conversion {
    left: bool,
    /// `+` or blank in front of positive numbers.
    plus: Option<u8>,
    alternate: bool,
    more: bool,
    zeros: bool,
    thousands: bool,
    width: i64,
    precision: Option<i64>,
    letter: u8,
}

/// The arguments that conversions consume; those missing are NULL.
struct Arguments<'a, 'v>(std::slice::Iter<'a, ValueRef<'v>>);

impl<'v> Arguments<'_, 'v> {
    fn take(&mut self) -> ValueRef<'v> {
        self.0.next().copied().unwrap_or_default()
    }
}

/// `printf(format, ...)`.
pub(super) fn printf(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let Some(format) = args.first().and_then(|&format| text(format)) else {
        return Ok(Value::Null);
    };
    let mut arguments = Arguments(args[1..].iter());
    let mut out = room(format.len() + 32)?;
    let mut rest = until_nul(&format);
    let mut pace = context.pace();
    while let Some(percent) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..percent]);
        rest = &rest[percent + 1..];
        // A conversion takes as long as some bytes.
        pace.step(percent + 32)?;
        if rest.is_empty() {
            out.push(b'%');
        } else if let Some((conversion, behind)) = parse(rest, &mut arguments) {
            if !conversion.write(context, &mut arguments, &mut pace, &mut out)? {
                rest = &[];
                break;
            }
            rest = behind;
        } else {
            rest = &[];
            break;
        }
        context.check_length(out.len())?;
    }
    out.extend_from_slice(rest);
    context.text(out)
}

/// Reads flags, width and precision; `None` where the format ends before the letter.
fn parse<'f>(
    format: &'f [u8],
    arguments: &mut Arguments<'_, '_>,
) -> Option<(Conversion, &'f [u8])> {
    let mut conversion = Conversion::default();
    let mut at = 0;
    loop {
        let byte = *format.get(at)?;
        at += 1;
        match byte {
            b'-' => conversion.left = true,
            b'+' | b' ' => conversion.plus = Some(byte),
            b'#' => conversion.alternate = true,
            b'!' => conversion.more = true,
            b'0' => conversion.zeros = true,
            b',' => conversion.thousands = true,
            b'1'..=b'9' => {
                (conversion.width, at) = digits(format, at - 1);
                if !matches!(format.get(at), Some(b'.' | b'l')) {
                    conversion.letter = *format.get(at)?;
                    return Some((conversion, &format[at + 1..]));
                }
            }
            b'*' => {
                let width = i64::from(integer(arguments.take()) as i32);
                conversion.left |= width < 0;
                conversion.width = if width == i64::from(i32::MIN) { 0 } else { width.abs() };
                if !matches!(format.get(at), Some(b'.' | b'l')) {
                    conversion.letter = *format.get(at)?;
                    return Some((conversion, &format[at + 1..]));
                }
            }
            b'.' => {
                if format.get(at) == Some(&b'*') {
                    let precision = i64::from(integer(arguments.take()) as i32);
                    let valid = precision != i64::from(i32::MIN);
                    conversion.precision = valid.then_some(precision.abs());
                    at += 1;
                } else {
                    let (precision, behind) = digits(format, at);
                    conversion.precision = Some(precision);
                    at = behind;
                }
                if format.get(at) != Some(&b'l') {
                    conversion.letter = *format.get(at)?;
                    return Some((conversion, &format[at + 1..]));
                }
            }
            b'l' => {
                at += usize::from(format.get(at) == Some(&b'l'));
                conversion.letter = *format.get(at)?;
                return Some((conversion, &format[at + 1..]));
            }
            letter => {
                conversion.letter = letter;
                return Some((conversion, &format[at..]));
            }
        }
    }
}

/// The number at `at`, cut to 31 bits, and where it ends.
fn digits(format: &[u8], mut at: usize) -> (i64, usize) {
    let mut value = 0_u32;
    while let Some(digit) = format.get(at).filter(|digit| digit.is_ascii_digit()) {
        value = value.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'));
        at += 1;
    }
    (i64::from(value & 0x7FFF_FFFF), at)
}

impl Conversion {
    /// Appends the conversion of the next argument; false where the letter is unknown, which
    /// ends the output.
    fn write(
        mut self,
        context: &Context<'_>,
        arguments: &mut Arguments<'_, '_>,
        pace: &mut Pace<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        // What is asked for must fit the limit before memory is taken for it.
        let precision = self.precision.unwrap_or(0);
        let is_number = b"diuoxXprfeEgGc".contains(&self.letter);
        let asked = self.width.max(if is_number { precision } else { 0 });
        let is_real = b"feEgG".contains(&self.letter);
        let asked = if is_real { asked.min(PRECISION_MAX.max(self.width)) } else { asked };
        context.check_length(out.len().saturating_add(asked as usize))?;
        pace.step(asked.max(0) as usize)?;
        // Twice: the body is made, and then padded.
        check_memory((asked.max(0) as usize).saturating_mul(2))?;
        make_room(out, asked.max(0) as usize)?;
        match self.letter {
            b'd' | b'i' | b'u' | b'o' | b'x' | b'X' | b'p' | b'r' => {
                let body = self.integer(integer(arguments.take()));
                self.pad(&body, out);
            }
            b'f' | b'e' | b'E' | b'g' | b'G' => {
                let body = self.real(real(arguments.take()));
                self.pad(&body, out);
            }
            b's' | b'z' => {
                let argument = text(arguments.take()).unwrap_or_default();
                let body = self.cut(until_nul(&argument), pace)?;
                make_room(out, body.len())?;
                self.pad_text(body, out);
            }
            b'q' | b'Q' | b'w' => {
                let argument = text(arguments.take());
                let body = self.quoted(argument.as_deref(), pace)?;
                make_room(out, body.len())?;
                self.pad_text(&body, out);
            }
            b'j' | b'J' => {
                let argument = text(arguments.take());
                let body = self.json(argument.as_deref(), pace)?;
                make_room(out, body.len())?;
                self.pad_text(&body, out);
            }
            b'c' => self.character(arguments.take(), out),
            b'%' => {
                self.zeros = false;
                self.pad(b"%", out);
            }
            b'n' => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Appends `body` filled with blanks to the width in bytes.
    fn pad(&self, body: &[u8], out: &mut Vec<u8>) {
        self.pad_by(body, body.len(), out);
    }

    /// Appends `body` filled to the width in bytes, or in characters with `!`.
    fn pad_text(&self, body: &[u8], out: &mut Vec<u8>) {
        let continuation =
            if self.more { body.iter().filter(|&&byte| byte & 0xC0 == 0x80).count() } else { 0 };
        self.pad_by(body, body.len() - continuation, out);
    }

    fn pad_by(&self, body: &[u8], len: usize, out: &mut Vec<u8>) {
        let blanks = (self.width.max(0) as usize).saturating_sub(len);
        if !self.left {
            out.extend(std::iter::repeat_n(b' ', blanks));
        }
        out.extend_from_slice(body);
        if self.left {
            out.extend(std::iter::repeat_n(b' ', blanks));
        }
    }

    fn integer(&self, value: i64) -> Vec<u8> {
        let signed = matches!(self.letter, b'd' | b'i' | b'r');
        let (mut magnitude, sign) = match (signed, value < 0) {
            (true, true) => (value.unsigned_abs(), Some(b'-')),
            (true, false) => (value as u64, self.plus),
            (false, _) => (value as u64, None),
        };
        let alternate = self.alternate && magnitude != 0;
        let (base, set): (u64, &[u8; 16]) = match self.letter {
            b'o' => (8, b"0123456789abcdef"),
            b'x' => (16, b"0123456789abcdef"),
            b'X' | b'p' => (16, b"0123456789ABCDEF"),
            _ => (10, b"0123456789ABCDEF"),
        };
        let mut precision = self.precision.unwrap_or(-1);
        if self.zeros {
            precision = precision.max(self.width - i64::from(sign.is_some()));
        }
        // Built from the last digit to the first, and turned round at the end.
        let mut body = Vec::new();
        if self.letter == b'r' {
            let last = magnitude % 10;
            let teens = magnitude / 10 % 10 == 1;
            let suffix: &[u8; 2] = match last {
                1 if !teens => b"ts",
                2 if !teens => b"dn",
                3 if !teens => b"dr",
                _ => b"ht",
            };
            body.extend(suffix);
        }
        loop {
            body.push(set[(magnitude % base) as usize]);
            magnitude /= base;
            if magnitude == 0 {
                break;
            }
        }
        if precision > body.len() as i64 {
            body.resize(precision as usize, b'0');
        }
        if self.thousands && matches!(self.letter, b'd' | b'i' | b'u') {
            body = with_commas(&body);
        }
        body.extend(sign);
        match self.letter {
            b'o' if alternate => body.push(b'0'),
            b'x' if alternate => body.extend(b"x0"),
            b'X' if alternate => body.extend(b"X0"),
            b'p' if alternate => body.extend(b"x0"),
            _ => {}
        }
        body.reverse();
        body
    }

    fn real(&self, value: f64) -> Vec<u8> {
        let precision = self.precision.unwrap_or(6).min(PRECISION_MAX);
        let generic = matches!(self.letter, b'g' | b'G');
        let precision = if generic { precision.max(1) } else { precision };
        let round = match self.letter {
            b'f' => -precision,
            b'g' | b'G' => precision,
            _ => precision + 1,
        };
        let most = if self.more { DIGITS_MORE } else { DIGITS };
        let negative = value < 0.0;
        let (digits, point) = match Decimal::of(value, round as i32, most) {
            Some(decimal) => (decimal.digits().to_vec(), i64::from(decimal.point())),
            None if value.is_nan() => {
                return if self.zeros { b"null".to_vec() } else { b"NaN".to_vec() };
            }
            // With zeros an infinity is a number that reads back as one.
            None if self.zeros => (vec![b'9'], 1000),
            None => {
                let sign = if negative { Some(b'-') } else { self.plus };
                return sign.into_iter().chain(*b"Inf").collect();
            }
        };
        let zero_shown = self.alternate && self.plus.is_none() && self.letter == b'f';
        let sign = match negative {
            true if zero_shown && (point <= round || digits == b"0") => None,
            true => Some(b'-'),
            false => self.plus,
        };
        let mut body: Vec<u8> = sign.into_iter().collect();
        self.digits(&digits, point, precision, &mut body);
        let missing = (self.width.max(0) as usize).saturating_sub(body.len());
        if self.zeros && !self.left && missing > 0 {
            let at = usize::from(sign.is_some());
            body.splice(at..at, std::iter::repeat_n(b'0', missing));
        }
        body
    }

    /// Appends the digits of a real in the form that the letter asks for.
    fn digits(&self, digits: &[u8], point: i64, mut precision: i64, body: &mut Vec<u8>) {
        let exponent = point - 1;
        let mut exponential = matches!(self.letter, b'e' | b'E');
        let mut cut_zeros = self.more;
        if matches!(self.letter, b'g' | b'G') {
            precision -= 1;
            cut_zeros = !self.alternate;
            exponential = exponent < -4 || exponent > precision;
            if !exponential {
                precision -= exponent;
            }
        }
        let first = if exponential { 0 } else { exponent };
        let with_point = precision > 0 || self.alternate || self.more;
        let mut rest = digits.iter().copied();
        if first < 0 {
            body.push(b'0');
        }
        for place in (0..=first).rev() {
            body.push(rest.next().unwrap_or(b'0'));
            if self.thousands && place % 3 == 0 && place > 1 {
                body.push(b',');
            }
        }
        if with_point {
            body.push(b'.');
        }
        let zeros = (-1 - first).clamp(0, precision.max(0));
        body.extend(std::iter::repeat_n(b'0', zeros as usize));
        let fraction = (precision - zeros).max(0) as usize;
        let before = body.len();
        body.extend(rest.take(fraction));
        if cut_zeros && with_point {
            while body.last() == Some(&b'0') {
                body.pop();
            }
            if body.last() == Some(&b'.') {
                if self.more {
                    body.push(b'0');
                } else {
                    body.pop();
                }
            }
        } else {
            body.resize(before + fraction, b'0');
        }
        if exponential {
            body.push(if self.letter.is_ascii_uppercase() { b'E' } else { b'e' });
            body.push(if exponent < 0 { b'-' } else { b'+' });
            body.extend(format!("{:02}", exponent.abs()).bytes());
        }
    }

    /// The first bytes (characters with `!`) that precision asks for.
    fn cut<'t>(&self, text: &'t [u8], pace: &mut Pace<'_>) -> Result<&'t [u8]> {
        let Some(precision) = self.precision else { return Ok(text) };
        if !self.more {
            return Ok(&text[..text.len().min(precision.max(0) as usize)]);
        }
        let mut end = 0;
        for _ in 0..precision {
            if end >= text.len() {
                return Ok(text);
            }
            pace.step(1)?;
            end += character_len(&text[end..]);
        }
        Ok(&text[..end])
    }

    /// `%q`, `%Q` and `%w`: quotes doubled; with `#` control characters as `unistr` reads them.
    fn quoted(&self, argument: Option<&[u8]>, pace: &mut Pace<'_>) -> Result<Vec<u8>> {
        let Some(argument) = argument else {
            let null: &[u8] = if self.letter == b'Q' { b"NULL" } else { b"(NULL)" };
            return Ok(self.cut(null, pace)?.to_vec());
        };
        let source = self.cut(until_nul(argument), pace)?;
        let quote = if self.letter == b'w' { b'"' } else { b'\'' };
        let has_control = source.iter().any(|&byte| byte < 0x20);
        let escape =
            self.alternate && (self.letter == b'q' || (self.letter == b'Q' && has_control));
        let mut body = room(source.len() + 2)?;
        if self.letter == b'Q' {
            body.extend_from_slice(if escape { b"unistr('" } else { b"'" });
        }
        for piece in pace.pieces(source) {
            let piece = piece?;
            make_room(&mut body, piece.len() * 2)?;
            for &byte in piece {
                match byte {
                    _ if byte == quote => body.extend([byte, byte]),
                    b'\\' if escape => body.extend(b"\\\\"),
                    0..0x20 if escape => body.extend(format!("\\u{byte:04x}").bytes()),
                    _ => body.push(byte),
                }
            }
        }
        if self.letter == b'Q' {
            body.extend_from_slice(if escape { b"')" } else { b"'" });
        }
        Ok(body)
    }

    /// `%j` and `%J`: the inside of a JSON string, and all of it.
    fn json(&self, argument: Option<&[u8]>, pace: &mut Pace<'_>) -> Result<Vec<u8>> {
        let whole = self.letter == b'J';
        let Some(argument) = argument else {
            return Ok(if whole { b"null".to_vec() } else { Vec::new() });
        };
        let mut body = room(argument.len() + 2)?;
        if whole {
            body.push(b'"');
        }
        let source = self.cut(until_nul(argument), pace)?;
        for piece in pace.pieces(source) {
            let piece = piece?;
            make_room(&mut body, piece.len() * 2)?;
            for &byte in piece {
                match byte {
                    b'"' | b'\\' => body.extend([b'\\', byte]),
                    0x08 => body.extend(b"\\b"),
                    b'\t' => body.extend(b"\\t"),
                    b'\n' => body.extend(b"\\n"),
                    0x0C => body.extend(b"\\f"),
                    b'\r' => body.extend(b"\\r"),
                    0..0x20 => body.extend(format!("\\u{byte:04x}").bytes()),
                    _ => body.push(byte),
                }
            }
        }
        if whole {
            body.push(b'"');
        }
        Ok(body)
    }

    /// `%c`: the first character of the argument, as often as precision asks.
    fn character(mut self, argument: ValueRef<'_>, out: &mut Vec<u8>) {
        let argument = text(argument).unwrap_or_default();
        let source = until_nul(&argument);
        // The end of a text is a character, too: a NUL.
        let character =
            if source.is_empty() { &[0][..] } else { &source[..character_len(source).min(4)] };
        let mut copies = 1;
        if let Some(precision) = self.precision.filter(|&precision| precision > 1) {
            copies = precision as usize;
            self.width -= precision - 1;
        }
        self.more = true;
        let mut body = character.repeat(copies - 1);
        if !self.left && self.width > 1 && copies > 1 {
            out.extend(std::iter::repeat_n(b' ', self.width as usize - 1));
            self.width = 0;
        }
        out.append(&mut body);
        self.pad_text(character, out);
    }
}

/// A real rounded to `digits` digits behind the point, as `%!.*f` prints it.
pub(super) fn real_with_digits(value: f64, digits: usize) -> Vec<u8> {
    let conversion = Conversion {
        more: true,
        precision: Some(digits as i64),
        letter: b'f',
        ..Conversion::default()
    };
    conversion.real(value)
}

/// A real as `%.16g` prints it, which is what `strftime('%J')` shows.
pub(super) fn real_with_16_digits(value: f64) -> Vec<u8> {
    let conversion = Conversion { precision: Some(16), letter: b'g', ..Conversion::default() };
    conversion.real(value)
}

/// Digits from the last to the first, with a comma between thousands.
fn with_commas(digits: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(digits.len() + digits.len() / 3);
    for (place, thousand) in digits.chunks(3).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(thousand);
    }
    out
}

/// A value as an SQL literal; `escape` writes control characters for `unistr`.
pub(super) fn quote_value(value: ValueRef<'_>, escape: bool) -> Vec<u8> {
    // Nobody can end it, so that there is no error.
    quote_paced(value, escape, &mut Pace::free()).unwrap_or_default()
}

/// As [`quote_value`], in a call that can be ended.
pub(super) fn quote_paced(
    value: ValueRef<'_>,
    escape: bool,
    pace: &mut Pace<'_>,
) -> Result<Vec<u8>> {
    let mut conversion = Conversion::default();
    Ok(match value {
        ValueRef::Null => b"NULL".to_vec(),
        ValueRef::Integer(integer) => integer.to_string().into_bytes(),
        ValueRef::Real(real) => {
            // An infinity becomes a literal that is read as one.
            conversion = Conversion { more: true, zeros: true, precision: Some(17), ..conversion };
            conversion.letter = b'g';
            conversion.real(real)
        }
        ValueRef::Text(text) => {
            conversion.letter = b'Q';
            conversion.alternate = escape;
            conversion.quoted(Some(text), pace)?
        }
        ValueRef::Blob(bytes) => {
            let mut out = room(bytes.len() * 2 + 3)?;
            out.extend(b"X'");
            for piece in pace.pieces(bytes) {
                push_hex(piece?, &mut out);
            }
            out.push(b'\'');
            out
        }
    })
}
