//! `json_group_array` and `json_group_object`, and their binary forms.
//!
//! The elements are kept as text, with the length of each where rows are taken out again.
//! Neighbours: `descriptor` (the interface).

use std::collections::VecDeque;

use pandodb_ds::record::{Value, ValueRef};

use super::string::push_string;
use super::{Form, push_value, text_result};
use crate::error::Result;
use crate::function::call::{Context, room};
use crate::function::coerce::{text, until_nul};
use crate::function::descriptor::Accumulator;

/// The elements of a group.
pub(in crate::function) struct Group {
    is_object: bool,
    form: Form,
    /// Elements, each with a comma behind.
    text: Vec<u8>,
    /// Where the elements that are in begin.
    start: usize,
    lengths: Option<VecDeque<usize>>,
}

impl Group {
    fn new(is_object: bool, form: Form, takes_rows_out: bool) -> Self {
        let lengths = takes_rows_out.then(VecDeque::new);
        Self { is_object, form, text: Vec::new(), start: 0, lengths }
    }

    /// `json_group_array`, or `jsonb_group_array`.
    pub(in crate::function) fn array(is_binary: bool, takes_rows_out: bool) -> Self {
        Self::new(false, form(is_binary), takes_rows_out)
    }

    /// `json_group_object`, or `jsonb_group_object`.
    pub(in crate::function) fn object(is_binary: bool, takes_rows_out: bool) -> Self {
        Self::new(true, form(is_binary), takes_rows_out)
    }
}

fn form(is_binary: bool) -> Form {
    if is_binary { Form::Binary } else { Form::Text }
}

impl Accumulator for Group {
    fn step(&mut self, context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        let before = self.text.len();
        let mut value = 0;
        let mut pace = context.pace();
        if self.is_object {
            // An entry without a label is none.
            let Some(label) = args.first().and_then(|&label| text(label)) else { return Ok(()) };
            push_string(until_nul(&label), &mut pace, &mut self.text)?;
            self.text.push(b':');
            value = 1;
        }
        let is_json = context.json_arguments.get(value);
        let argument = args.get(value).copied().unwrap_or_default();
        push_value(argument, is_json, &mut pace, &mut self.text)?;
        self.text.push(b',');
        if let Some(lengths) = &mut self.lengths {
            lengths.push_back(self.text.len() - before);
        }
        context.check_length(self.text.len() - self.start)
    }

    fn inverse(&mut self, _: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<()> {
        if self.is_object && args.first().is_none_or(|label| label.is_null()) {
            return Ok(());
        }
        let Some(len) = self.lengths.as_mut().and_then(VecDeque::pop_front) else { return Ok(()) };
        self.start += len;
        // What is gone is cut off once it is the greater part.
        if self.start > self.text.len() / 2 {
            self.text.drain(..self.start);
            self.start = 0;
        }
        Ok(())
    }

    fn value(&self, context: &mut Context<'_>) -> Result<Value> {
        let (open, close) = if self.is_object { (b'{', b'}') } else { (b'[', b']') };
        let elements = &self.text[self.start..];
        let mut out = room(elements.len() + 2)?;
        out.push(open);
        out.extend_from_slice(elements.strip_suffix(b",").unwrap_or(elements));
        out.push(close);
        text_result(context, self.form, out)
    }

    fn memory_bytes(&self) -> usize {
        let lengths = self.lengths.as_ref().map_or(0, VecDeque::capacity);
        self.text.capacity() + lengths * size_of::<usize>()
    }
}
