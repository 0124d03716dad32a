//! What a log frame says: tree operations of one transaction, by their meaning.
//!
//! An operation is logged, not the pages that it changes, so one changed row costs about its
//! own size. The bytes of a value, of roots and of upper crates' records are opaque here.
//! Decoding borrows from the frame and never panics. A batch starts with the tree that the
//! frame's header names; [`Switch`](Entry::Switch) entries move on to other trees.
//! Neighbours: `frame` holds batches of these, `reader` gives them out by transaction.

use super::codec::{Decoder, put_bytes, put_number, put_signed};
use crate::error::{Error, Result};
use crate::ids::{CommitId, HeadId, TreeId};

/// One logged operation; those without a tree of their own apply to the one given beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation<'a> {
    /// The transaction begins, on `head`, whose newest commit is `base`.
    Begin {
        /// The head that the transaction moves.
        head: HeadId,
        /// The commit that it stands on.
        base: CommitId,
    },
    /// The key has this value now.
    Put {
        /// The key.
        key: &'a [u8],
        /// Its value.
        value: &'a [u8],
    },
    /// The key is gone.
    Delete {
        /// The key.
        key: &'a [u8],
    },
    /// All keys from `from` up to but without `to` are gone.
    DeleteRange {
        /// The first key that goes.
        from: &'a [u8],
        /// The first key that stays; none: all that follow go.
        to: Option<&'a [u8]>,
    },
    /// The tree exists now, empty.
    CreateTree {
        /// Its layout and settings, in the words of the storage crate.
        settings: &'a [u8],
    },
    /// The tree is gone with all its keys.
    DropTree,
    /// A head exists now.
    CreateHead {
        /// Its number.
        head: HeadId,
        /// The head it was forked from.
        source: HeadId,
        /// The commit of that head that it starts at.
        at: CommitId,
        /// What the branch crate keeps with it.
        attributes: &'a [u8],
    },
    /// A head is gone.
    DropHead {
        /// Its number.
        head: HeadId,
    },
    /// A head stands where another one stands, whatever it held before.
    ResetHead {
        /// Its number.
        head: HeadId,
        /// The commit of `source` that it takes.
        to: CommitId,
        /// The head whose newest version it takes.
        source: HeadId,
    },
    /// What the branch crate keeps with a head is something else now.
    SetAttributes {
        /// Its number.
        head: HeadId,
        /// All of it.
        attributes: &'a [u8],
    },
    /// The transaction's changes are in pages that were written and synced before.
    Roots {
        /// The new roots, in the words of the storage crate.
        references: &'a [u8],
    },
    /// A record of an upper crate.
    Opaque {
        /// Which kind, by that crate's count.
        kind: u32,
        /// What it says.
        bytes: &'a [u8],
    },
    /// The transaction is whole; always the last operation of it.
    Commit(CommitInfo<'a>),
}

/// What is remembered of a commit, beside its number and its head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitInfo<'a> {
    /// Microseconds since 1970-01-01 UTC.
    pub time: i64,
    /// Who made it.
    pub author: &'a str,
    /// Why.
    pub message: &'a str,
    /// Bits of the crates above.
    pub flags: u64,
}

/// One step in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// The operations that follow are on this tree.
    Switch(TreeId),
    Operation(Operation<'a>),
}

const SWITCH: u8 = 1;
const BEGIN: u8 = 2;
const COMMIT: u8 = 3;
const PUT: u8 = 4;
const DELETE: u8 = 5;
const DELETE_RANGE: u8 = 6;
const DELETE_FROM: u8 = 7;
const CREATE_TREE: u8 = 8;
const DROP_TREE: u8 = 9;
const CREATE_HEAD: u8 = 10;
const DROP_HEAD: u8 = 11;
const RESET_HEAD: u8 = 12;
const ROOTS: u8 = 13;
const OPAQUE: u8 = 14;
const SET_ATTRIBUTES: u8 = 15;

impl<'a> Operation<'a> {
    /// Bytes that the encoded form has at most.
    pub(super) fn max_len(&self) -> u64 {
        let contents = match self {
            Self::Put { key, value } => key.len() + value.len(),
            Self::Delete { key } => key.len(),
            Self::DeleteRange { from, to } => from.len() + to.map_or(0, <[u8]>::len),
            Self::CreateTree { settings: bytes }
            | Self::CreateHead { attributes: bytes, .. }
            | Self::SetAttributes { attributes: bytes, .. }
            | Self::Roots { references: bytes }
            | Self::Opaque { bytes, .. } => bytes.len(),
            Self::Commit(info) => info.author.len() + info.message.len(),
            Self::Begin { .. }
            | Self::DropTree
            | Self::DropHead { .. }
            | Self::ResetHead { .. } => 0,
        };
        // An operation code and at most four numbers.
        contents as u64 + 41
    }

    /// Appends the encoded form.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Begin { head, base } => put_numbers(out, BEGIN, &[head.0, base.0]),
            Self::Put { key, value } => {
                out.push(PUT);
                put_bytes(out, key);
                put_bytes(out, value);
            }
            Self::Delete { key } => {
                out.push(DELETE);
                put_bytes(out, key);
            }
            Self::DeleteRange { from, to } => {
                out.push(if to.is_some() { DELETE_RANGE } else { DELETE_FROM });
                put_bytes(out, from);
                if let Some(to) = to {
                    put_bytes(out, to);
                }
            }
            Self::CreateTree { settings } => {
                out.push(CREATE_TREE);
                put_bytes(out, settings);
            }
            Self::DropTree => out.push(DROP_TREE),
            Self::CreateHead { head, source, at, attributes } => {
                put_numbers(out, CREATE_HEAD, &[head.0, source.0, at.0]);
                put_bytes(out, attributes);
            }
            Self::DropHead { head } => put_numbers(out, DROP_HEAD, &[head.0]),
            Self::ResetHead { head, to, source } => {
                put_numbers(out, RESET_HEAD, &[head.0, to.0, source.0]);
            }
            Self::SetAttributes { head, attributes } => {
                put_numbers(out, SET_ATTRIBUTES, &[head.0]);
                put_bytes(out, attributes);
            }
            Self::Roots { references } => {
                out.push(ROOTS);
                put_bytes(out, references);
            }
            Self::Opaque { kind, bytes } => {
                put_numbers(out, OPAQUE, &[u64::from(kind)]);
                put_bytes(out, bytes);
            }
            Self::Commit(info) => {
                out.push(COMMIT);
                put_signed(out, info.time);
                put_bytes(out, info.author.as_bytes());
                put_bytes(out, info.message.as_bytes());
                put_number(out, info.flags);
            }
        }
    }

    fn decode(code: u8, from: &mut Decoder<'a>) -> Result<Self> {
        Ok(match code {
            BEGIN => Self::Begin { head: head(from)?, base: commit(from)? },
            PUT => Self::Put { key: from.bytes()?, value: from.bytes()? },
            DELETE => Self::Delete { key: from.bytes()? },
            DELETE_RANGE => Self::DeleteRange { from: from.bytes()?, to: Some(from.bytes()?) },
            DELETE_FROM => Self::DeleteRange { from: from.bytes()?, to: None },
            CREATE_TREE => Self::CreateTree { settings: from.bytes()? },
            DROP_TREE => Self::DropTree,
            CREATE_HEAD => Self::CreateHead {
                head: head(from)?,
                source: head(from)?,
                at: commit(from)?,
                attributes: from.bytes()?,
            },
            DROP_HEAD => Self::DropHead { head: head(from)? },
            RESET_HEAD => {
                Self::ResetHead { head: head(from)?, to: commit(from)?, source: head(from)? }
            }
            SET_ATTRIBUTES => Self::SetAttributes { head: head(from)?, attributes: from.bytes()? },
            ROOTS => Self::Roots { references: from.bytes()? },
            OPAQUE => Self::Opaque { kind: from.number32()?, bytes: from.bytes()? },
            COMMIT => Self::Commit(CommitInfo {
                time: from.signed()?,
                author: from.text()?,
                message: from.text()?,
                flags: from.number()?,
            }),
            unknown => {
                return Err(Error::corrupt(format!("unknown operation {unknown} in the log")));
            }
        })
    }
}

impl Entry<'_> {
    /// Appends the encoded form of a switch to `tree`.
    pub(super) fn encode_switch(tree: TreeId, out: &mut Vec<u8>) {
        put_numbers(out, SWITCH, &[tree.0]);
    }
}

/// The entries of one batch; ends after the first error.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    rest: Decoder<'a>,
}

impl<'a> Entries<'a> {
    pub(super) const fn new(batch: &'a [u8]) -> Self {
        Self { rest: Decoder::new(batch) }
    }

    fn decode(&mut self) -> Result<Entry<'a>> {
        match self.rest.byte()? {
            SWITCH => Ok(Entry::Switch(TreeId(u64::from(self.rest.number32()?)))),
            code => Operation::decode(code, &mut self.rest).map(Entry::Operation),
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.decode();
        if entry.is_err() {
            self.rest = Decoder::new(&[]);
        }
        Some(entry)
    }
}

fn put_numbers(out: &mut Vec<u8>, code: u8, numbers: &[u64]) {
    out.push(code);
    for &number in numbers {
        put_number(out, number);
    }
}

fn head(from: &mut Decoder<'_>) -> Result<HeadId> {
    from.number().map(HeadId)
}

fn commit(from: &mut Decoder<'_>) -> Result<CommitId> {
    from.number().map(CommitId)
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use proptest::prelude::*;

    use super::*;

    /// An operation from generated parts, every kind equally often.
    fn operation<'a>(
        kind: u8,
        [a, b, c]: [u64; 3],
        left: &'a [u8],
        right: &'a [u8],
        (text, time): (&'a str, i64),
    ) -> Operation<'a> {
        match kind % 14 {
            0 => Operation::Begin { head: HeadId(a), base: CommitId(b) },
            1 => Operation::Put { key: left, value: right },
            2 => Operation::Delete { key: left },
            3 => Operation::DeleteRange { from: left, to: Some(right) },
            4 => Operation::DeleteRange { from: left, to: None },
            5 => Operation::CreateTree { settings: left },
            6 => Operation::DropTree,
            7 => Operation::CreateHead {
                head: HeadId(a),
                source: HeadId(b),
                at: CommitId(c),
                attributes: left,
            },
            8 => Operation::DropHead { head: HeadId(a) },
            9 => Operation::ResetHead { head: HeadId(a), to: CommitId(b), source: HeadId(c) },
            12 => Operation::SetAttributes { head: HeadId(a), attributes: left },
            10 => Operation::Roots { references: left },
            11 => Operation::Opaque { kind: a as u32, bytes: left },
            _ => Operation::Commit(CommitInfo { time, author: text, message: text, flags: c }),
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(
            parts in proptest::collection::vec(
                (
                    any::<u8>(),
                    any::<[u64; 3]>(),
                    any::<Vec<u8>>(),
                    any::<Vec<u8>>(),
                    (any::<String>(), any::<i64>()),
                ),
                0..6,
            ),
        ) {
            let expected: Vec<Operation<'_>> = parts
                .iter()
                .map(|(kind, numbers, left, right, (text, time))| {
                    operation(*kind, *numbers, left, right, (text, *time))
                })
                .collect();
            let mut bytes = Vec::new();
            for operation in &expected {
                let before = bytes.len();
                operation.encode(&mut bytes);
                prop_assert!((bytes.len() - before) as u64 <= operation.max_len());
            }
            let found: Result<Vec<_>> = Entries::new(&bytes).collect();
            let expected: Vec<_> = expected.into_iter().map(Entry::Operation).collect();
            prop_assert_eq!(found.unwrap(), expected.clone());
            // A cut batch is an error or a shorter batch, never a panic.
            for length in 0..bytes.len() {
                let found: Vec<_> = Entries::new(&bytes[..length]).collect();
                prop_assert!(found.len() <= expected.len());
            }
        }

        #[test]
        fn any_bytes_decode_to_something_or_an_error(
            bytes in proptest::collection::vec(prop_oneof![0_u8..16, any::<u8>()], 0..200),
        ) {
            for entry in Entries::new(&bytes) {
                let Ok(Entry::Operation(operation)) = entry else { continue };
                let mut again = Vec::new();
                operation.encode(&mut again);
                let found = Entries::new(&again).next().unwrap().unwrap();
                prop_assert_eq!(found, Entry::Operation(operation));
            }
        }
    }

    #[test]
    fn one_small_row_costs_its_own_size_and_three_bytes() {
        let mut bytes = Vec::new();
        Operation::Put { key: &[7; 8], value: &[1; 50] }.encode(&mut bytes);
        assert_eq!(bytes.len(), 8 + 50 + 3);
    }

    #[test]
    fn a_length_that_lies_is_refused() {
        let bytes = [PUT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 9];
        let error = Entries::new(&bytes).next().unwrap().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
    }
}
