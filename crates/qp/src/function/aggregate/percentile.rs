//! `median`, `percentile`, `percentile_cont` and `percentile_disc`.
//!
//! The values are kept, sorted when a result is asked for; a state over a sliding window
//! keeps them sorted all the time. Neighbours: `sum`.

use pandodb_ds::record::number::Number;
use pandodb_ds::record::{Value, ValueRef};

use crate::error::{Error, Result};
use crate::function::call::{Context, argument_error};
use crate::function::coerce::strict_number;
use crate::function::descriptor::Accumulator;

/// Which of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::function) enum Shape {
    /// The middle.
    Median,
    /// A fraction of 100, between two values where it falls between them.
    Percent,
    /// A fraction of 1, between two values where it falls between them.
    Continuous,
    /// A fraction of 1, always one of the values.
    Discrete,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Percent => "percentile",
            Self::Continuous => "percentile_cont",
            Self::Discrete => "percentile_disc",
        }
    }
}

/// The values of a group.
pub(in crate::function) struct Percentile {
    shape: Shape,
    fraction: Option<f64>,
    values: Vec<f64>,
    keeps_sorted: bool,
}

impl Percentile {
    /// A state without rows; `keeps_sorted` for sliding windows.
    pub(in crate::function) fn new(shape: Shape, keeps_sorted: bool) -> Self {
        Self { shape, fraction: None, values: Vec::new(), keeps_sorted }
    }

    fn error(&self, before: &str, behind: &str) -> Error {
        argument_error(format!("{before} {}() {behind}", self.shape.name()).trim_end().to_owned())
    }

    /// Checks the fraction, which must be the same for all rows.
    fn take_fraction(&mut self, arg: Option<&ValueRef<'_>>) -> Result<()> {
        /// How much two fractions may differ.
        const SAME: f64 = 0.001;
        let fraction = match arg {
            None => 0.5,
            Some(&arg) => {
                let most = if self.shape == Shape::Percent { 100.0 } else { 1.0 };
                let number = strict_number(arg).map(|number| number.to_real() / most);
                let within = number.filter(|number| (0.0..=1.0).contains(number));
                within.ok_or_else(|| {
                    let range = format!("is not between 0.0 and {most:.1}");
                    self.error("the fraction argument to", &range)
                })?
            }
        };
        let known = *self.fraction.get_or_insert(fraction);
        if (known - fraction).abs() > SAME {
            return Err(
                self.error("the fraction argument to", "is not the same for all input rows")
            );
        }
        Ok(())
    }

    fn position(&self, value: f64) -> usize {
        self.values.partition_point(|known| *known < value)
    }
}

/// The number of a row; `None` for NULL and, in the error, for what is none.
fn number(arg: ValueRef<'_>) -> Result<Option<f64>, ()> {
    match arg {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(integer) => Ok(Some(Number::Integer(integer).to_real())),
        ValueRef::Real(real) => Ok(Some(real)),
        ValueRef::Text(_) | ValueRef::Blob(_) => Err(()),
    }
}

impl Accumulator for Percentile {
    fn step(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        self.take_fraction(args.get(1))?;
        let arg = args.first().copied().unwrap_or_default();
        let value = number(arg).map_err(|()| self.error("input to", "is not numeric"))?;
        let Some(value) = value else { return Ok(()) };
        if value.is_infinite() {
            return Err(self.error("Inf input to", ""));
        }
        if self.keeps_sorted {
            let position = self.position(value);
            self.values.insert(position, value);
        } else {
            self.values.push(value);
        }
        Ok(())
    }

    fn inverse(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        let arg = args.first().copied().unwrap_or_default();
        if let Ok(Some(value)) = number(arg) {
            let position = self.position(value);
            if position < self.values.len() {
                self.values.remove(position);
            }
        }
        Ok(())
    }

    fn value(&self, _: &mut Context<'_>) -> Result<Value> {
        let (Some(fraction), false) = (self.fraction, self.values.is_empty()) else {
            return Ok(Value::Null);
        };
        let copy;
        let values = if self.keeps_sorted {
            &self.values
        } else {
            let mut sorted = self.values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            copy = sorted;
            &copy
        };
        let place = fraction * (values.len() - 1) as f64;
        let below = place as usize;
        let low = values[below];
        if self.shape == Shape::Discrete {
            return Ok(Value::real(low));
        }
        let is_exact = place <= below as f64 || below == values.len() - 1;
        let high = values[if is_exact { below } else { below + 1 }];
        Ok(Value::real(low + (high - low) * (place - below as f64)))
    }

    fn memory_bytes(&self) -> usize {
        self.values.capacity() * size_of::<f64>()
    }
}
