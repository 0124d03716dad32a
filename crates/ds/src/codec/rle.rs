//! Run-length encoding: the cheapest codec, for pages that are mostly padding or zeros.
//!
//! The stored form is a sequence of tokens. The first byte of a token, `c`, tells its kind:
//!
//! | `c` | token | stands for |
//! |---|---|---|
//! | `00`..`7f` | `c`, then `c + 1` bytes | those `c + 1` bytes (1 to 128) |
//! | `80`..`fe` | `c`, then a byte `b` | `c - 128 + 3` times `b` (3 to 129) |
//! | `ff` | `ff`, a length of 3 bytes (little-endian), then a byte `b` | that many times `b` |
//!
//! The length of the third kind is at least 130: shorter runs have the second kind. The tokens
//! stand for exactly the page's bytes and nothing follows the last one; a reader refuses
//! anything else. A writer may cut a page into tokens as it likes.
//! Neighbours: `codec` has the list of all stored forms.

const LITERAL_MAX: usize = 128;
const RUN_MIN: usize = 3;
const RUN_BASE: u8 = 0x80;
const SHORT_RUN_MAX: usize = 129;
const LONG_RUN: u8 = 0xff;
const LONG_RUN_MIN: usize = SHORT_RUN_MAX + 1;
const LONG_RUN_MAX: usize = 0xff_ffff;

/// Appends tokens of at most `room` bytes; if they need more, `out` may have grown anyhow.
pub(super) fn compress(raw: &[u8], room: usize, out: &mut Vec<u8>) -> bool {
    let end = out.len() + room;
    let mut rest = raw;
    while !rest.is_empty() {
        let (literal, run) = rest.split_at(literal_bytes(rest));
        if out.len() + literal.len() > end {
            return false;
        }
        put_literal(literal, out);
        rest = run;
        if let Some(&byte) = run.first() {
            let length = run.iter().take_while(|&&other| other == byte).count();
            put_run(byte, length, out);
            rest = run.get(length..).unwrap_or_default();
        }
    }
    out.len() <= end
}

/// How many bytes stand before the first three equal ones.
fn literal_bytes(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    // Eight positions at once: a byte of `unequal` is zero where a byte and the two behind it
    // are equal. The subtraction marks the lowest zero byte without fail; only above it may
    // there be false marks.
    while let Some(&[b0, b1, b2, b3, b4, b5, b6, b7, b8, b9]) =
        bytes.get(at..).and_then(<[u8]>::first_chunk)
    {
        let first = u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        let second = (first >> 8) | (u64::from(b8) << 56);
        let third = (second >> 8) | (u64::from(b9) << 56);
        let unequal = (first ^ second) | (second ^ third);
        let marks = unequal.wrapping_sub(LOW) & !unequal & HIGH;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    let run =
        tail.windows(RUN_MIN).position(|three| three.iter().all(|&b| three.first() == Some(&b)));
    run.map_or(bytes.len(), |behind| at + behind)
}

fn put_literal(literal: &[u8], out: &mut Vec<u8>) {
    for piece in literal.chunks(LITERAL_MAX) {
        out.push((piece.len() - 1) as u8);
        out.extend_from_slice(piece);
    }
}

fn put_run(byte: u8, mut run: usize, out: &mut Vec<u8>) {
    while run >= LONG_RUN_MIN {
        let length = run.min(LONG_RUN_MAX);
        let [l0, l1, l2, _] = (length as u32).to_le_bytes();
        out.extend_from_slice(&[LONG_RUN, l0, l1, l2, byte]);
        run -= length;
    }
    if run >= RUN_MIN {
        out.extend_from_slice(&[RUN_BASE + (run - RUN_MIN) as u8, byte]);
    } else {
        put_literal([byte; RUN_MIN].get(..run).unwrap_or_default(), out);
    }
}

/// Fills `page` from tokens.
pub(super) fn decompress(stored: &[u8], page: &mut [u8]) -> Result<(), String> {
    let mut stored = stored;
    let mut page = page;
    while let Some((&first, rest)) = stored.split_first() {
        let (length, run, rest) = match (first, rest) {
            (0..RUN_BASE, _) => {
                let length = usize::from(first) + 1;
                let literal = rest.get(..length).ok_or("a literal is cut off")?;
                let target = page.get_mut(..length).ok_or("the tokens stand for more")?;
                target.copy_from_slice(literal);
                (length, None, rest.get(length..).unwrap_or_default())
            }
            (LONG_RUN, &[l0, l1, l2, byte, ref rest @ ..]) => {
                let length = u32::from_le_bytes([l0, l1, l2, 0]) as usize;
                if length < LONG_RUN_MIN {
                    return Err(format!("a long run has {length} bytes"));
                }
                (length, Some(byte), rest)
            }
            (RUN_BASE..LONG_RUN, &[byte, ref rest @ ..]) => {
                (usize::from(first - RUN_BASE) + RUN_MIN, Some(byte), rest)
            }
            _ => return Err("a run is cut off".to_owned()),
        };
        let Some((target, behind)) = std::mem::take(&mut page).split_at_mut_checked(length) else {
            return Err("the tokens stand for more".to_owned());
        };
        if let Some(byte) = run {
            target.fill(byte);
        }
        page = behind;
        stored = rest;
    }
    if page.is_empty() { Ok(()) } else { Err(format!("{} bytes are missing", page.len())) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn form(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(compress(raw, usize::MAX / 2, &mut out));
        out
    }

    fn page(stored: &[u8], length: usize) -> Result<Vec<u8>, String> {
        let mut page = vec![0xee; length];
        decompress(stored, &mut page).map(|()| page)
    }

    #[test]
    fn the_documented_tokens_are_written_and_read() {
        let long = |length: usize| vec![9; length];
        let literal: Vec<u8> = (0..=129).collect();
        let cases: [(Vec<u8>, Vec<u8>); 9] = [
            (vec![], vec![]),
            (vec![5], vec![0, 5]),
            (vec![5, 5], vec![1, 5, 5]),
            (vec![5, 5, 5], vec![0x80, 5]),
            (vec![1, 2, 2, 5, 5, 5, 3], vec![2, 1, 2, 2, 0x80, 5, 0, 3]),
            (long(129), vec![0xfe, 9]),
            (long(130), vec![0xff, 130, 0, 0, 9]),
            (long(0x01_0203), vec![0xff, 3, 2, 1, 9]),
            (literal.clone(), [&[127], &literal[..128], &[1], &literal[128..]].concat()),
        ];
        for (raw, stored) in cases {
            assert_eq!(form(&raw), stored);
            assert_eq!(page(&stored, raw.len()).unwrap(), raw);
        }
    }

    #[test]
    fn a_run_too_long_for_one_token_takes_several() {
        for over in 0..4 {
            let raw = vec![3; LONG_RUN_MAX + over];
            assert!(page(&form(&raw), raw.len()).unwrap() == raw);
        }
    }

    #[test]
    fn other_tokens_are_refused() {
        let cases: [(&[u8], usize); 9] = [
            (&[0], 1),
            (&[1, 5], 2),
            (&[0x80], 3),
            (&[0xff, 130, 0, 0], 130),
            (&[0xff, 129, 0, 0, 9], 129),
            (&[0xff, 0, 0, 0, 9], 0),
            (&[0x80, 5], 2),
            (&[0x80, 5], 4),
            (&[1, 5, 5], 1),
        ];
        for (stored, length) in cases {
            assert!(page(stored, length).is_err(), "{stored:x?}");
        }
    }

    #[test]
    fn the_first_run_is_found_at_every_place() {
        for length in 0..40 {
            // Pairs everywhere, and neighbours that differ in the lowest bit alone.
            let mut bytes: Vec<u8> = (0..length).map(|at| (at / 2 % 2) as u8).collect();
            assert_eq!(literal_bytes(&bytes), length);
            for place in (0..length.saturating_sub(2)).rev() {
                bytes[place..place + 3].fill(9);
                assert_eq!(literal_bytes(&bytes), place);
            }
        }
    }

    #[test]
    fn the_room_is_a_bound() {
        let raw = [1, 2, 3, 3, 3, 3, 4, 5, 5, 5];
        let length = form(&raw).len();
        for room in 0..length + 3 {
            let mut out = vec![0; 2];
            assert_eq!(compress(&raw, room, &mut out), room >= length, "{room}");
        }
    }
}
