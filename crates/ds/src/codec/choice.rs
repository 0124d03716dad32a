//! Names, numbers and levels of codecs.
//!
//! The numbers are part of the file format and never change their meaning; the level is a
//! matter of the writer alone. Neighbours: `codec` compresses with a choice.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// How the stored bytes of a page are compressed, as its number in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum CodecId {
    /// Not at all.
    #[default]
    None = 0,
    /// Runs of a byte are shortened; the cheapest.
    Rle = 1,
    /// LZ4: much faster than a disk, about half the size.
    Lz4 = 2,
    /// Zstandard: smaller than gzip in less time.
    Zstd = 3,
    /// Gzip: for readers that have nothing else.
    Gzip = 4,
}

impl CodecId {
    /// Every codec in the order of the numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Rle, Self::Lz4, Self::Zstd, Self::Gzip];

    /// The codec with a number from a file.
    pub fn from_byte(byte: u8) -> Result<Self> {
        Self::ALL.get(usize::from(byte)).copied().ok_or_else(|| {
            Error::corrupt(format!(
                "unknown codec {byte}: the codecs are 0 (NONE) to {} ({})",
                Self::Gzip as u8,
                Self::Gzip
            ))
        })
    }

    /// The name that options and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Rle => "RLE",
            Self::Lz4 => "LZ4",
            Self::Zstd => "ZSTD",
            Self::Gzip => "GZIP",
        }
    }

    /// The lowest, usual and highest level, where the codec has levels.
    fn levels(self) -> Option<(u8, u8, u8)> {
        match self {
            Self::None | Self::Rle | Self::Lz4 => None,
            Self::Zstd => Some((1, 3, 22)),
            Self::Gzip => Some((1, 6, 9)),
        }
    }
}

impl fmt::Display for CodecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How pages are to be compressed: a codec and, where it has levels, the level.
///
/// The text form is `NONE`, `RLE`, `LZ4`, `ZSTD`, `ZSTD(19)`, `GZIP` or `GZIP(9)`, in any case;
/// `ZSTD:19` is understood too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Codec {
    id: CodecId,
    /// 0 for codecs without levels, so that equal choices are equal.
    level: u8,
}

impl Codec {
    /// No compression.
    pub const fn none() -> Self {
        Self { id: CodecId::None, level: 0 }
    }

    /// Runs of a byte are shortened.
    pub const fn rle() -> Self {
        Self { id: CodecId::Rle, level: 0 }
    }

    /// LZ4.
    pub const fn lz4() -> Self {
        Self { id: CodecId::Lz4, level: 0 }
    }

    /// Zstandard with the level of 1 to 22 that is nearest to `level`; 3 is usual.
    pub fn zstd(level: i32) -> Self {
        Self::nearest(CodecId::Zstd, level)
    }

    /// Gzip with the level of 1 to 9 that is nearest to `level`; 6 is usual.
    pub fn gzip(level: i32) -> Self {
        Self::nearest(CodecId::Gzip, level)
    }

    fn nearest(id: CodecId, level: i32) -> Self {
        let (lowest, _, highest) = id.levels().unwrap_or_default();
        Self { id, level: level.clamp(i32::from(lowest), i32::from(highest)) as u8 }
    }

    /// The codec; single pages are stored as [`CodecId::None`] where it saves nothing.
    pub fn id(self) -> CodecId {
        self.id
    }

    /// The level, 0 for codecs without levels.
    pub fn level(self) -> u8 {
        self.level
    }

    /// Whether a look at a page before compressing it is cheap against compressing it.
    pub(super) fn is_expensive(self) -> bool {
        matches!(self.id, CodecId::Zstd | CodecId::Gzip)
    }
}

impl From<CodecId> for Codec {
    /// The codec with its usual level.
    fn from(id: CodecId) -> Self {
        Self { id, level: id.levels().map_or(0, |(_, usual, _)| usual) }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::from(self.id) {
            return fmt::Display::fmt(&self.id, f);
        }
        f.pad(&format!("{}({})", self.id, self.level))
    }
}

impl FromStr for Codec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, level) = split(text.trim()).ok_or_else(|| unknown(text))?;
        let id = CodecId::ALL
            .into_iter()
            .find(|id| id.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| unknown(text))?;
        let Some(level) = level else { return Ok(id.into()) };
        let Some((lowest, _, highest)) = id.levels() else {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("codec {id} has no levels, but {text:?} names one"),
            ));
        };
        // Digits alone: `parse` would take a sign as well.
        let is_number = !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_digit());
        match level.parse() {
            Ok(level) if is_number && (lowest..=highest).contains(&level) => Ok(Self { id, level }),
            _ => Err(Error::new(
                ErrorKind::Limit,
                format!("codec {id} has the levels {lowest} to {highest}, not {level:?}"),
            )),
        }
    }
}

/// A name and the level behind it: `NAME`, `NAME(level)` or `NAME:level`.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some((name, rest)) = text.split_once('(') {
        let level = rest.strip_suffix(')')?;
        return Some((name.trim_end(), Some(level.trim())));
    }
    match text.split_once(':') {
        Some((name, level)) => Some((name.trim_end(), Some(level.trim_start()))),
        None => Some((text, None)),
    }
}

#[cold]
fn unknown(text: &str) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!(
            "unknown codec {text:?}: the codecs are NONE, RLE, LZ4, ZSTD or ZSTD(level) with a \
             level of 1 to 22, and GZIP or GZIP(level) with a level of 1 to 9"
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn numbers_are_those_of_the_format() {
        let numbers = [
            (0, CodecId::None),
            (1, CodecId::Rle),
            (2, CodecId::Lz4),
            (3, CodecId::Zstd),
            (4, CodecId::Gzip),
        ];
        for (number, id) in numbers {
            assert_eq!(id as u8, number);
            assert_eq!(CodecId::from_byte(number).unwrap(), id);
        }
        for number in 5..=u8::MAX {
            assert_eq!(CodecId::from_byte(number).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }

    #[test]
    fn every_choice_reads_its_own_text() {
        let leveled = (-3..30).flat_map(|level| [Codec::zstd(level), Codec::gzip(level)]);
        for codec in leveled.chain(CodecId::ALL.map(Codec::from)) {
            let text = codec.to_string();
            assert_eq!(text.parse::<Codec>().unwrap(), codec);
            assert_eq!(text.to_ascii_lowercase().parse::<Codec>().unwrap(), codec);
        }
    }

    #[test]
    fn texts_are_read_in_every_form() {
        let texts = [
            ("none", Codec::none()),
            (" Rle ", Codec::rle()),
            ("LZ4", Codec::lz4()),
            ("ZSTD", Codec::zstd(3)),
            ("zstd(19)", Codec::zstd(19)),
            ("ZSTD:19", Codec::zstd(19)),
            ("ZSTD ( 022 )", Codec::zstd(22)),
            ("gzip", Codec::gzip(6)),
            ("GZIP: 9", Codec::gzip(9)),
        ];
        for (text, codec) in texts {
            assert_eq!(text.parse::<Codec>().unwrap(), codec, "{text}");
        }
        assert_eq!(Codec::zstd(3).to_string(), "ZSTD");
        assert_eq!(Codec::zstd(19).to_string(), "ZSTD(19)");
        assert_eq!(Codec::zstd(100), Codec::zstd(22));
        assert_eq!(Codec::gzip(-1), Codec::gzip(1));
    }

    #[test]
    fn bad_texts_are_told_the_good_ones() {
        for text in ["", "zip", "ZSTD(3", "ZSTD)3(", "ZSTD3", "(3)", ":3", "LZ4 NONE"] {
            let error = text.parse::<Codec>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{text}");
            for id in CodecId::ALL {
                assert!(error.message().contains(id.name()), "{error}");
            }
        }
        for text in ["ZSTD(0)", "ZSTD(23)", "ZSTD()", "ZSTD:+3", "ZSTD(-1)", "ZSTD(999)", "ZSTD:x"]
        {
            let error = text.parse::<Codec>().unwrap_err();
            assert!(error.message().contains("the levels 1 to 22"), "{error}");
        }
        assert!("GZIP(10)".parse::<Codec>().unwrap_err().message().contains("1 to 9"));
        assert!("LZ4(1)".parse::<Codec>().unwrap_err().message().contains("no levels"));
    }
}
