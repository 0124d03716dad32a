//! LIKE and GLOB with a constant pattern.
//!
//! Most patterns are a text between two `%`, before one or behind one. Those of ASCII are
//! searched for as bytes (letters of both cases at the rarer end of the work: the first byte),
//! all others are given to the function. Neighbours: `function::pattern` has the rules.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::number;

use crate::error::Result;
use crate::execute::batch::vector::{Tag, Truth, Vector};
use crate::function::Pace;
use crate::function::pattern::{glob_at, like_at};

/// Bytes of texts that are looked at together.
const BLOCK: usize = 32;

/// A pattern that was looked at.
#[derive(Debug)]
pub(in crate::execute::batch) struct Matcher {
    pattern: Box<[u8]>,
    is_glob: bool,
    form: Form,
}

/// What a pattern comes to.
#[derive(Debug)]
enum Form {
    /// A text somewhere, small letters where letters of both cases match.
    Anywhere(Box<[u8]>),
    /// A text at the start.
    Start(Box<[u8]>),
    /// A text at the end.
    End(Box<[u8]>),
    /// Several texts one behind the other; the first at the start, the last at the end unless the
    /// pattern begins or ends with a `%`.
    Several { parts: Vec<Box<[u8]>>, begins: bool, ends: bool },
    /// Anything else.
    Other,
}

impl Matcher {
    /// A matcher of a LIKE pattern without ESCAPE, or of a GLOB pattern.
    pub(in crate::execute::batch) fn new(pattern: &[u8], is_glob: bool) -> Self {
        Self { pattern: Box::from(pattern), is_glob, form: Form::of(pattern, is_glob) }
    }

    /// Whether a value matches; unknown for NULL.
    #[inline]
    pub(in crate::execute::batch) fn truth(
        &self,
        value: ValueRef<'_>,
        pace: &mut Pace<'_>,
    ) -> Result<Truth> {
        let matches = match value {
            ValueRef::Null => return Ok(Truth::Unknown),
            ValueRef::Text(text) | ValueRef::Blob(text) => self.matches(text, pace)?,
            ValueRef::Integer(value) => self.by_function(&number::integer_text(value), pace)?,
            ValueRef::Real(value) => self.by_function(&number::real_text(value), pace)?,
        };
        Ok(Truth::from_bool(matches))
    }

    #[inline]
    fn matches(&self, text: &[u8], pace: &mut Pace<'_>) -> Result<bool> {
        Ok(match &self.form {
            Form::Anywhere(wanted) => self.is_inside(wanted, text),
            Form::Start(wanted) => {
                text.len() >= wanted.len()
                    && self.is_same(wanted, &text[..wanted.len()])
                    && memchr::memchr(0, text).is_none_or(|nul| nul >= wanted.len())
            }
            // A NUL ends the text early.
            Form::End(wanted) if memchr::memchr(0, text).is_none() => {
                text.len() >= wanted.len()
                    && self.is_same(wanted, &text[text.len() - wanted.len()..])
            }
            Form::Several { parts, begins, ends } if memchr::memchr(0, text).is_none() => {
                self.is_row_of(parts, *begins, *ends, text)
            }
            Form::End(_) | Form::Several { .. } | Form::Other => {
                return self.by_function(text, pace);
            }
        })
    }

    /// Whether the values of a vector match.
    pub(in crate::execute::batch) fn truths(
        &self,
        vector: &Vector,
        pace: &mut Pace<'_>,
    ) -> Result<Vec<Truth>> {
        if let Form::Anywhere(wanted) = &self.form
            && let Some(truths) = self.search(wanted, vector)
        {
            return Ok(truths);
        }
        (0..vector.len()).map(|row| self.truth(vector.get(row), pace)).collect()
    }

    /// As [`truths`](Self::truths), for texts that stand one after the other: they are searched
    /// as if they were one.
    fn search(&self, wanted: &[u8], vector: &Vector) -> Option<Vec<Truth>> {
        let bytes = vector.all_bytes();
        if !vector.seen().only(&[Tag::Text, Tag::Null]) || memchr::memchr(0, bytes).is_some() {
            return None;
        }
        let mut ends = Vec::with_capacity(vector.len());
        let mut truths = Vec::with_capacity(vector.len());
        let mut end = 0;
        for row in 0..vector.len() {
            if let Some(place) = vector.place(row) {
                if place.start != end {
                    return None;
                }
                end = place.end;
                truths.push(Truth::False);
            } else {
                truths.push(Truth::Unknown);
            }
            ends.push(end);
        }
        let mut row = 0;
        self.each_hit(wanted, &bytes[..end], |start| {
            while ends[row] <= start {
                row += 1;
            }
            if start + wanted.len() <= ends[row] {
                truths[row] = Truth::True;
            }
        });
        Some(truths)
    }

    /// Calls `hit` with each place at which `wanted` begins, in their order.
    ///
    /// Two neighbouring bytes are looked for at once, in blocks that have no branch inside: both
    /// are seldom there together, so that hardly any block is looked at twice.
    fn each_hit(&self, wanted: &[u8], bytes: &[u8], mut hit: impl FnMut(usize)) {
        // The bit that tells small letters from capital ones, where both are wanted.
        let fold = |byte: u8| if !self.is_glob && byte.is_ascii_alphabetic() { 0x20 } else { 0 };
        let mut candidate = |start: usize| {
            if let Some(found) = bytes.get(start..start + wanted.len())
                && self.is_same(wanted, found)
            {
                hit(start);
            }
        };
        let &[first, second, ..] = wanted else {
            let byte = wanted[0];
            let other = if fold(byte) == 0 { byte } else { byte.to_ascii_uppercase() };
            memchr::memchr2_iter(byte, other, bytes).for_each(candidate);
            return;
        };
        let (first_fold, second_fold) = (fold(first), fold(second));
        let is_pair = |here: u8, next: u8| {
            u8::from(here | first_fold == first) & u8::from(next | second_fold == second)
        };
        let mut at = 0;
        while let Some(next) = bytes.get(at + 1..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            let here = &bytes[at..at + BLOCK];
            let any =
                here.iter().zip(next).fold(0, |any, (here, next)| any | is_pair(*here, *next));
            if any != 0 {
                (at..at + BLOCK).for_each(&mut candidate);
            }
            at += BLOCK;
        }
        (at..bytes.len()).for_each(&mut candidate);
    }

    fn by_function(&self, text: &[u8], pace: &mut Pace<'_>) -> Result<bool> {
        if self.is_glob {
            return glob_at(&self.pattern, text, pace);
        }
        like_at(&self.pattern, text, None, pace)
    }

    /// Whether `parts` stand in the text one behind the other: each as early as it can.
    fn is_row_of(&self, parts: &[Box<[u8]>], begins: bool, ends: bool, text: &[u8]) -> bool {
        let mut rest = text;
        let (mut from, mut to) = (0, parts.len());
        if let (false, Some(first)) = (begins, parts.first()) {
            let Some((head, behind)) = rest.split_at_checked(first.len()) else { return false };
            if !self.is_same(first, head) {
                return false;
            }
            (rest, from) = (behind, 1);
        }
        if let (false, Some(last)) = (ends, parts.last()) {
            let Some(start) = rest.len().checked_sub(last.len()) else { return false };
            let (before, tail) = rest.split_at(start);
            if !self.is_same(last, tail) {
                return false;
            }
            (rest, to) = (before, to - 1);
        }
        for part in parts.get(from..to).unwrap_or(&[]) {
            let Some(behind) = self.behind(part, rest) else { return false };
            rest = &rest[behind..];
        }
        true
    }

    /// The place behind the first `wanted`, which is not empty, in a text.
    fn behind(&self, wanted: &[u8], text: &[u8]) -> Option<usize> {
        let (&first, rest) = wanted.split_first()?;
        let last = text.len().checked_sub(wanted.len())?;
        let upper = if self.is_glob { first } else { first.to_ascii_uppercase() };
        memchr::memchr2_iter(first, upper, &text[..=last])
            .find(|at| self.is_same(rest, &text[at + 1..at + wanted.len()]))
            .map(|at| at + wanted.len())
    }

    /// Whether a text is the wanted one, which is as long.
    #[inline]
    fn is_same(&self, wanted: &[u8], text: &[u8]) -> bool {
        if self.is_glob {
            return wanted == text;
        }
        wanted.iter().zip(text).all(|(wanted, byte)| *wanted == byte.to_ascii_lowercase())
    }

    /// Whether `wanted`, which is not empty, is in the text before its first NUL.
    #[inline]
    fn is_inside(&self, wanted: &[u8], text: &[u8]) -> bool {
        let Some((&first, rest)) = wanted.split_first() else { return true };
        let Some(last) = text.len().checked_sub(wanted.len()) else { return false };
        let upper = if self.is_glob { first } else { first.to_ascii_uppercase() };
        for at in 0..=last {
            let byte = text[at];
            if byte == 0 {
                return false;
            }
            if (byte == first || byte == upper)
                && self.is_same(rest, &text[at + 1..at + wanted.len()])
            {
                return true;
            }
        }
        false
    }
}

impl Form {
    fn of(pattern: &[u8], is_glob: bool) -> Self {
        let many = if is_glob { b'*' } else { b'%' };
        let is_special = |byte: &u8| {
            let special: &[u8] = if is_glob { b"*?[" } else { b"%_" };
            *byte == 0 || !byte.is_ascii() || special.contains(byte)
        };
        let begins = pattern.first() == Some(&many);
        let ends = pattern.len() > 1 && pattern.last() == Some(&many);
        let inner = &pattern[usize::from(begins)..pattern.len() - usize::from(ends)];
        let mut parts = inner.split(|byte| *byte == many);
        if inner.is_empty() || parts.clone().flatten().any(is_special) {
            return Self::Other;
        }
        if parts.clone().count() > 1 {
            if parts.any(<[u8]>::is_empty) {
                return Self::Other;
            }
            let small = |part: &[u8]| {
                let mut part: Box<[u8]> = Box::from(part);
                if !is_glob {
                    part.make_ascii_lowercase();
                }
                part
            };
            let parts = inner.split(|byte| *byte == many).map(small).collect();
            return Self::Several { parts, begins, ends };
        }
        let mut text: Box<[u8]> = Box::from(inner);
        if !is_glob {
            text.make_ascii_lowercase();
        }
        match (begins, ends) {
            (true, true) => Self::Anywhere(text),
            (false, true) => Self::Start(text),
            (true, false) => Self::End(text),
            (false, false) => Self::Other,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::function::pattern::{glob, like};

    /// Up to `most` of these bytes.
    fn some_of(bytes: &'static [u8], most: usize) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(bytes.to_vec()), 0..most)
    }

    fn says(matcher: &Matcher, text: &[u8]) -> bool {
        matcher.matches(text, &mut Pace::free()).unwrap()
    }

    proptest! {
        #[test]
        fn a_matcher_says_what_the_function_says(
            pattern in "[%_*?aAb\u{e4}\0\\[]{0,5}",
            text in "[aAbB\u{e4}\0x]{0,7}",
        ) {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            let liked = says(&Matcher::new(pattern, false), text);
            prop_assert_eq!(liked, like(pattern, text, None));
            prop_assert_eq!(says(&Matcher::new(pattern, true), text), glob(pattern, text));
        }

        #[test]
        fn several_parts_match_as_the_function_says(
            pattern in "[%aAb]{1,7}",
            text in "[aAbB\u{e4}x]{0,9}",
        ) {
            let liked = says(&Matcher::new(pattern.as_bytes(), false), text.as_bytes());
            prop_assert_eq!(liked, like(pattern.as_bytes(), text.as_bytes(), None));
            let pattern = pattern.replace('%', "*");
            let globbed = says(&Matcher::new(pattern.as_bytes(), true), text.as_bytes());
            prop_assert_eq!(globbed, glob(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn many_texts_match_as_each_does(
            wanted in "[aA7b]{1,3}",
            texts in prop::collection::vec(prop::option::of("[aAbB7\u{e4}]{0,6}"), 0..20),
        ) {
            let mut vector = Vector::default();
            for text in &texts {
                let value = text.as_ref().map(|text| ValueRef::Text(text.as_bytes()));
                vector.push(value.unwrap_or_default());
            }
            for is_glob in [false, true] {
                let many = if is_glob { '*' } else { '%' };
                let matcher = Matcher::new(format!("{many}{wanted}{many}").as_bytes(), is_glob);
                let truth = |row| matcher.truth(vector.get(row), &mut Pace::free()).unwrap();
                let single: Vec<Truth> = (0..vector.len()).map(truth).collect();
                let truths = matcher.truths(&vector, &mut Pace::free()).unwrap();
                prop_assert_eq!(truths, single);
            }
        }

        #[test]
        fn bytes_that_are_no_text_match_alike(
            pattern in some_of(b"%*aA\x80\xc3\x00", 5),
            text in some_of(b"aA\x80\xc3\x00", 7),
        ) {
            let liked = says(&Matcher::new(&pattern, false), &text);
            prop_assert_eq!(liked, like(&pattern, &text, None));
            prop_assert_eq!(says(&Matcher::new(&pattern, true), &text), glob(&pattern, &text));
        }
    }
}

// Neighbours: `expression`, `vector`.
