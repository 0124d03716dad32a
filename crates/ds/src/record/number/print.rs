//! Numbers to text, digit for digit as SQLite prints them.
//!
//! A real is scaled to an integer of about 18 decimal digits and rounded half up from there
//! ([`Decimal`]); that is what `printf`, `round` and the conversion to text have in common.
//! SQLite prints reals with 17 significant digits since 3.52 (15 before), which always read
//! back as the same real, but drops the tail of nines or zeros where fewer digits do, too:
//! 49.47 stays 49.47, while 0.1 + 0.2 shows its 0.30000000000000004.
//!
//! Reals are scaled by powers of ten of 64 bits (`power_of_ten`), which are exact from
//! `10^0` to `10^27` and cut off beyond, and the products are cut off again. So the last digit
//! of the 18, and a digit that decides a rounding, is now and then one too low: that is what
//! SQLite shows, too (`printf('%.1g', 550)` is `5e+02`). Neighbours: `parse` reads what this
//! writes, `power` has the powers.

use super::power::power_of_ten;

/// Significant digits of a real's text: SQLite's default (its `FP_DIGITS`).
pub const REAL_TEXT_DIGITS: u8 = 17;

/// The most digits that scaling yields, and so the most that [`Decimal`] can hold.
const DIGITS_MAX: usize = 20;

/// Scaling asks for this many digits where the caller wants all.
const SCALE_DIGITS: i32 = 18;

/// The decimal digits of a finite real's magnitude: `0.d1d2d3... * 10^point`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    digits: [u8; DIGITS_MAX],
    len: u8,
    point: i32,
}

impl Decimal {
    /// The digits of `|real|`, rounded half up.
    ///
    /// A positive `round` is a number of significant digits; zero or a negative one asks for
    /// `-round` digits behind the decimal point. Neither yields more than `significant_max`
    /// digits (SQLite takes 20 for text and for `printf` with `!`, 16 for `printf` without).
    /// Zeros at the end are cut off. `None` for infinities and NaN.
    pub fn of(real: f64, round: i32, significant_max: u8) -> Option<Self> {
        if !real.is_finite() {
            return None;
        }
        let magnitude = real.abs();
        if magnitude == 0.0 {
            return Some(Self { digits: [b'0'; DIGITS_MAX], len: 1, point: 1 });
        }
        let wanted = if (1..SCALE_DIGITS).contains(&round) { round + 1 } else { SCALE_DIGITS };
        let (scaled, exponent) = scale(magnitude, wanted);
        let mut decimal = Self::from_integer(scaled, exponent);
        let mut keep = round;
        if round <= 0 {
            keep = decimal.point.saturating_sub(round);
            if keep <= 0 {
                // Every digit goes, or rounds up to the one before all others.
                let rounds_up = keep == 0 && decimal.digits[0] >= b'5';
                let point = if rounds_up { decimal.point } else { 0 };
                return Some(Self::from_integer(u64::from(rounds_up), point));
            }
        }
        let len = i32::from(decimal.len);
        let significant_max = i32::from(significant_max.clamp(1, DIGITS_MAX as u8));
        if keep > 0 && (keep < len || len > significant_max) {
            keep = keep.min(significant_max);
            if keep == 17 {
                keep = decimal.shorter(magnitude, scaled).unwrap_or(keep);
            }
            decimal.round_at(keep as usize);
        }
        decimal.cut_zeros();
        Some(decimal)
    }

    /// The digits, first to last, as ASCII.
    pub fn digits(&self) -> &[u8] {
        self.digits.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// How many digits stand before the decimal point (zero or less: zeros behind it).
    pub fn point(&self) -> i32 {
        self.point
    }

    fn from_integer(integer: u64, exponent: i32) -> Self {
        let mut decimal = Self { digits: [b'0'; DIGITS_MAX], len: 0, point: 0 };
        decimal.len = write_digits(integer, &mut decimal.digits) as u8;
        decimal.point = i32::from(decimal.len) + exponent;
        decimal
    }

    /// The number of digits below 17 that still reads back as `magnitude`, where the digits
    /// end in the nines or zeros of a shorter decimal.
    fn shorter(&self, magnitude: f64, scaled: u64) -> Option<i32> {
        let digits = self.digits();
        if digits.len() < 16 {
            return None;
        }
        let (tail, nines) = if digits[14..16] == *b"99" {
            (&digits[..14], true)
        } else if self.point >= digits.len() as i32 || digits[13..16] == *b"000" {
            (&digits[..13], false)
        } else {
            return None;
        };
        let filler = if nines { b'9' } else { b'0' };
        let kept = tail.len() - tail.iter().rev().take_while(|&&digit| digit == filler).count();
        let unit = 10_u64.pow((digits.len() - kept) as u32);
        let candidate = scaled / unit + u64::from(nines);
        let exponent = self.point - kept as i32;
        (read(candidate, exponent) == magnitude).then_some(kept as i32 + 1)
    }

    /// Cuts to `keep` digits, rounding half up by the first digit that goes.
    fn round_at(&mut self, keep: usize) {
        let round_up = self.digits.get(keep).is_some_and(|&digit| digit >= b'5')
            && keep < usize::from(self.len);
        self.len = self.len.min(keep as u8);
        if !round_up {
            return;
        }
        for digit in self.digits[..keep].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.digits[0] = b'1';
        self.point += 1;
    }

    fn cut_zeros(&mut self) {
        while self.len > 1 && self.digits[usize::from(self.len) - 1] == b'0' {
            self.len -= 1;
        }
    }
}

/// `magnitude` (positive and finite) as `integer * 10^exponent` with `wanted` digits or one
/// more: rounded half up where 18 are wanted, cut off otherwise.
fn scale(magnitude: f64, wanted: i32) -> (u64, i32) {
    let bits = magnitude.to_bits();
    let biased = (bits >> 52) as i32;
    let (mantissa, exponent) = match bits & ((1 << 52) - 1) {
        fraction if biased == 0 => (fraction, -1074),
        fraction => (fraction | 1 << 52, biased - 1075),
    };
    // The mantissa with its highest bit set.
    let zeros = mantissa.leading_zeros();
    let (mantissa, exponent) = (mantissa << zeros, exponent - zeros as i32);
    // floor(log10(2^n)), exact for every exponent of a double.
    let power = wanted - 1 - (((exponent + 63) * 78_913) >> 18);
    let product = ((u128::from(mantissa) * u128::from(power_of_ten(power))) >> 64) as u64;
    // Where the binary point of the product is; floor(log2(10^n)).
    let point = -(exponent + ((power * 108_853) >> 15) + 1);
    let scaled = if wanted == SCALE_DIGITS {
        // One more bit decides the rounding.
        (product >> (point - 1)).div_ceil(2)
    } else {
        product >> point
    };
    (scaled, -power)
}

/// The real nearest to `integer * 10^exponent`.
fn read(integer: u64, exponent: i32) -> f64 {
    // Both factors are exact, so that the one operation rounds once.
    if integer < 1 << 53 && exponent.unsigned_abs() <= 22 {
        let power = 10_u64.pow(exponent.unsigned_abs().min(19)) as f64
            * 10_u64.pow(exponent.unsigned_abs().saturating_sub(19)) as f64;
        let integer = integer as f64;
        return if exponent < 0 { integer / power } else { integer * power };
    }
    format!("{integer}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// Writes the digits of `value` to the front of `digits`; how many there are.
fn write_digits(mut value: u64, digits: &mut [u8; DIGITS_MAX]) -> usize {
    let len = value.checked_ilog10().unwrap_or(0) as usize + 1;
    for digit in digits[..len].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    len
}

/// Appends the text of an integer.
pub fn push_integer(value: i64, text: &mut Vec<u8>) {
    let mut digits = [0; DIGITS_MAX];
    let len = write_digits(value.unsigned_abs(), &mut digits);
    if value < 0 {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[..len]);
}

/// The text of an integer.
pub fn integer_text(value: i64) -> Vec<u8> {
    let mut text = Vec::with_capacity(DIGITS_MAX);
    push_integer(value, &mut text);
    text
}

/// Appends the text of a real with `significant` digits (see [`REAL_TEXT_DIGITS`]): always
/// with a point, with an exponent where more than that many digits stand before the point or
/// more than four zeros behind it. Infinities are `Inf` and `-Inf`; a NaN writes nothing.
pub fn push_real(value: f64, significant: u8, text: &mut Vec<u8>) {
    if value.is_nan() {
        return;
    }
    // Negative zero prints as zero.
    if value < 0.0 {
        text.push(b'-');
    }
    let significant = significant.clamp(1, 23);
    let Some(decimal) = Decimal::of(value, i32::from(significant), DIGITS_MAX as u8) else {
        text.extend_from_slice(b"Inf");
        return;
    };
    let digits = decimal.digits();
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= i32::from(significant) {
        let (first, rest) = digits.split_at(1);
        text.extend_from_slice(first);
        text.push(b'.');
        text.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
        text.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        if exponent.abs() < 10 {
            text.push(b'0');
        }
        push_integer(i64::from(exponent.abs()), text);
    } else if decimal.point <= 0 {
        text.extend_from_slice(b"0.");
        text.extend(std::iter::repeat_n(b'0', -decimal.point as usize));
        text.extend_from_slice(digits);
    } else {
        let before = decimal.point as usize;
        let (whole, rest) = digits.split_at(before.min(digits.len()));
        text.extend_from_slice(whole);
        text.extend(std::iter::repeat_n(b'0', before - whole.len()));
        text.push(b'.');
        text.extend_from_slice(if rest.is_empty() { b"0" } else { rest });
    }
}

/// The text of a real as SQL shows it, with [`REAL_TEXT_DIGITS`] digits.
pub fn real_text(value: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    push_real(value, REAL_TEXT_DIGITS, &mut text);
    text
}
