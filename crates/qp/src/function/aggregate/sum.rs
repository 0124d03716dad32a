//! `sum`, `total` and `avg`.
//!
//! Integers are added as integers until one does not fit or a real comes; from then on the
//! sum is a real with the rounding errors of its additions summed up beside it (Kahan,
//! Babuska, Neumaier), so that the order of rows hardly matters. Large integers enter in two
//! parts that are exact as reals. `sum` of integers alone that overflows is an error, as in
//! SQLite. Neighbours: `pandodb_ds::record::number` decides what text counts as.

use pandodb_ds::record::number::{Number, NumberText, cast_real};
use pandodb_ds::record::{Value, ValueRef};

use crate::error;
use crate::function::call::{Context, overflow_error};
use crate::function::descriptor::Accumulator;

/// Integers from here on are not exact as reals with a fraction.
const LARGE: u64 = 1 << 52;

/// A real whose last digit is 1, as that of integers is.
const INTEGER_SMALLEST: f64 = LARGE as f64;

/// What is asked of the sum at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Result {
    /// `sum`: NULL without rows, an integer while all rows are.
    Sum,
    /// `total`: a real always.
    Total,
    /// `avg`: NULL without rows.
    Average,
}

/// A running sum.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    result: Result,
    real: f64,
    /// What the additions to `real` lost.
    error: f64,
    integer: i64,
    rows: i64,
    /// The sum is in `real`, no longer in `integer`.
    is_real: bool,
    /// Integers alone did not fit 64 bits.
    has_overflowed: bool,
    /// The sum of the terms without their signs, about.
    magnitude: f64,
    /// The smallest real among them that is not 0, without its sign, or less.
    smallest: f64,
}

/// A row's number.
enum Term {
    Integer(i64),
    Real(f64),
}

fn term(value: ValueRef<'_>) -> Option<Term> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(integer) => Term::Integer(integer),
        ValueRef::Real(real) => Term::Real(real),
        ValueRef::Blob(bytes) => Term::Real(cast_real(bytes)),
        ValueRef::Text(bytes) => {
            let scanned = NumberText::scan(bytes);
            match scanned.number() {
                Number::Integer(integer) if scanned.is_whole() => Term::Integer(integer),
                _ => Term::Real(scanned.real()),
            }
        }
    })
}

impl Sum {
    /// An empty sum.
    pub(crate) fn new(result: Result) -> Self {
        Self {
            result,
            real: 0.0,
            error: 0.0,
            integer: 0,
            rows: 0,
            is_real: false,
            has_overflowed: false,
            magnitude: 0.0,
            smallest: f64::INFINITY,
        }
    }

    /// Goes on in reals.
    fn become_real(&mut self) {
        self.is_real = true;
        let (large, small) = split(self.integer);
        self.real = large;
        self.error = small;
    }

    #[inline]
    fn add_real(&mut self, term: f64) {
        let sum = self.real;
        let next = sum + term;
        self.error +=
            if sum.abs() > term.abs() { (sum - next) + term } else { (term - next) + sum };
        self.real = next;
    }

    fn add_integer_as_real(&mut self, term: i64) {
        let (large, small) = split(term);
        self.add_real(large);
        if term.unsigned_abs() >= LARGE {
            self.add_real(small);
        }
    }

    /// What is asked of the rows that are in.
    pub(crate) fn result(&self) -> error::Result<Value> {
        Ok(match self.result {
            Result::Total => Value::real(self.as_real()),
            _ if self.rows == 0 => Value::Null,
            Result::Average => Value::real(self.as_real() / self.rows as f64),
            Result::Sum if !self.is_real => Value::Integer(self.integer),
            Result::Sum if self.has_overflowed => return Err(overflow_error()),
            Result::Sum => Value::real(self.as_real()),
        })
    }

    /// Takes a row in; NULL is none.
    #[inline]
    pub(crate) fn take(&mut self, value: ValueRef<'_>) {
        match term(value) {
            None => {}
            Some(Term::Integer(term)) => self.take_integer(term),
            Some(Term::Real(term)) => self.take_real(term),
        }
    }

    /// Takes an integer in.
    #[inline]
    pub(crate) fn take_integer(&mut self, term: i64) {
        self.rows += 1;
        self.magnitude += (term as f64).abs();
        self.smallest = self.smallest.min(INTEGER_SMALLEST);
        if self.is_real {
            self.add_integer_as_real(term);
        } else if let Some(sum) = self.integer.checked_add(term) {
            self.integer = sum;
        } else {
            self.has_overflowed = true;
            self.become_real();
            self.add_integer_as_real(term);
        }
    }

    /// Takes a real in.
    #[inline]
    pub(crate) fn take_real(&mut self, term: f64) {
        self.rows += 1;
        self.magnitude += term.abs();
        self.smallest = self.smallest.min(if term == 0.0 { f64::INFINITY } else { term.abs() });
        if self.is_real {
            self.has_overflowed = false;
        } else {
            self.become_real();
        }
        self.add_real(term);
    }

    /// Takes reals in, one after the other.
    #[inline]
    pub(crate) fn take_reals(&mut self, terms: impl Iterator<Item = f64>) {
        // A copy that nobody else sees stays in the processor's registers.
        let mut sum = self.clone();
        terms.for_each(|term| sum.take_real(term));
        *self = sum;
    }

    /// Takes in what another sum took in, as one term.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.magnitude += other.magnitude;
        self.smallest = self.smallest.min(other.smallest);
        self.has_overflowed |= other.has_overflowed;
        if !self.is_real && !other.is_real {
            if let Some(sum) = self.integer.checked_add(other.integer) {
                self.integer = sum;
                return;
            }
            self.has_overflowed = true;
        }
        if !self.is_real {
            self.become_real();
        }
        if other.is_real {
            self.add_real(other.real);
            self.error += other.error;
        } else {
            self.add_integer_as_real(other.integer);
        }
    }

    /// Whether the result of a merged sum is the one that its rows give one after the other, to
    /// the last bit.
    ///
    /// Integers do, unless some of them may not have fitted on the way. Of reals, what the
    /// additions lost is known, exactly as long as it has few enough digits: then the sum is exact
    /// whatever the order. Otherwise it is known but for the rounding of what was lost: so it is
    /// asked whether the result would be rounded to the same number with a little more or less.
    pub(crate) fn is_settled(&self) -> bool {
        /// No sums of some of the integers are larger than the sum of them without signs.
        const WITHIN: f64 = (1_u64 << 62) as f64;
        /// Sums up to here are far from infinite.
        const FINITE: f64 = 1e300;
        /// Four times the square of half the distance of a real to the next one, relative to it.
        const LOST: f64 = 4.0 * (f64::EPSILON / 2.0) * (f64::EPSILON / 2.0);
        if self.has_overflowed {
            return false;
        }
        if !self.is_real {
            return self.magnitude < WITHIN;
        }
        if self.magnitude == 0.0 {
            return true;
        }
        if self.magnitude >= FINITE {
            return false;
        }
        // All that was ever added or lost is a multiple of the last digit of the smallest term.
        let digit = self.smallest.next_up() - self.smallest;
        if self.magnitude * self.rows as f64 * (f64::EPSILON / 2.0) <= digit / f64::EPSILON {
            return true;
        }
        let result = (self.real + self.error).abs();
        let rest = ((self.real - (self.real + self.error)) + self.error).abs();
        let half = (result - result.next_down()) / 2.0;
        half - rest > self.magnitude * self.rows as f64 * LOST
    }

    /// The sum as a real, with what was lost where that is a number.
    fn as_real(&self) -> f64 {
        if !self.is_real {
            self.integer as f64
        } else if self.error.is_finite() {
            self.real + self.error
        } else {
            self.real
        }
    }
}

/// An integer as a sum of two reals that are exact.
fn split(integer: i64) -> (f64, f64) {
    if integer.unsigned_abs() < LARGE {
        return (integer as f64, 0.0);
    }
    let small = integer % 16_384;
    ((integer - small) as f64, small as f64)
}

impl Accumulator for Sum {
    fn step(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> error::Result<()> {
        if let Some(&arg) = args.first() {
            self.take(arg);
        }
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> error::Result<()> {
        let Some(term) = args.first().and_then(|&arg| term(arg)) else { return Ok(()) };
        self.rows -= 1;
        match term {
            Term::Real(term) => self.add_real(-term),
            Term::Integer(term) => {
                if !self.is_real {
                    if let Some(sum) = self.integer.checked_sub(term) {
                        self.integer = sum;
                        return Ok(());
                    }
                    self.has_overflowed = true;
                    self.become_real();
                }
                if let Some(term) = term.checked_neg() {
                    self.add_integer_as_real(term);
                } else {
                    self.add_integer_as_real(i64::MAX);
                    self.add_integer_as_real(1);
                }
            }
        }
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> error::Result<Value> {
        self.result()
    }
}
