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
    let mut literal: &[u8] = &[];
    let mut rest = raw;
    while let Some(&byte) = rest.first() {
        let run = rest.iter().take_while(|&&other| other == byte).count();
        let (_, behind) = rest.split_at(run);
        if run >= RUN_MIN {
            put_literal(literal, out);
            put_run(byte, run, out);
            literal = &[];
        } else {
            // What lies between two runs is one slice of the page.
            let from = raw.len() - rest.len() - literal.len();
            literal = raw.get(from..raw.len() - behind.len()).unwrap_or_default();
        }
        rest = behind;
        if out.len() + literal.len() > end {
            return false;
        }
    }
    put_literal(literal, out);
    out.len() <= end
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
