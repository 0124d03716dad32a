//! Properties of the codec over many kinds of pages, and over damaged stored forms.
//!
//! Neighbours: `choice` is tested through its text forms here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const CODECS: [fn() -> Codec; 7] = [
    Codec::none,
    Codec::rle,
    Codec::lz4,
    || Codec::zstd(1),
    || Codec::zstd(3),
    || Codec::gzip(1),
    || Codec::gzip(6),
];

fn random_bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

/// Slices of everything that pages are made of, one behind another.
fn page() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (any::<u8>(), 0_usize..700).prop_map(|(byte, length)| vec![byte; length]),
        (any::<u64>(), 0_usize..3000).prop_map(|(seed, length)| random_bytes(seed, length)),
        vec(97_u8..123, 0..600),
        // Records of one shape that count up.
        (any::<u32>(), 0_u32..200).prop_map(|(from, count)| {
            (0..count)
                .flat_map(|row| {
                    let mut record = b"name of row ".to_vec();
                    record.extend_from_slice(&from.wrapping_add(row).to_be_bytes());
                    record
                })
                .collect()
        }),
        // One random piece again and again.
        (any::<u64>(), 1_usize..200, 0_usize..30)
            .prop_map(|(seed, length, times)| random_bytes(seed, length).repeat(times)),
        vec(0_u8..3, 0..500),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn codec() -> impl Strategy<Value = Codec> {
    (0..CODECS.len()).prop_map(|index| CODECS[index]())
}

fn granules(length: usize) -> usize {
    length.div_ceil(GRANULE_BYTES as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_page_comes_back(raw in page(), codec in codec(), prefix in vec(any::<u8>(), 0..4)) {
        let mut stored = prefix.clone();
        let id = compress(codec, &raw, &mut stored).unwrap();
        let form = &stored[prefix.len()..];
        prop_assert_eq!(&stored[..prefix.len()], &prefix[..]);
        if id == CodecId::None {
            prop_assert_eq!(form, &raw[..]);
        } else {
            prop_assert_eq!(id, codec.id());
            prop_assert!(granules(form.len()) < granules(raw.len()));
        }
        let mut back = prefix.clone();
        decompress(id as u8, form, raw.len(), raw.len(), &mut back).unwrap();
        prop_assert_eq!(&back[prefix.len()..], &raw[..]);
    }

    #[test]
    fn damaged_forms_are_errors_or_pages_of_the_right_length(
        raw in page(),
        codec in codec(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        length_change in -3_isize..4,
    ) {
        let mut stored = Vec::new();
        let id = compress(codec, &raw, &mut stored).unwrap();
        for (index, byte) in damage {
            if !stored.is_empty() {
                let at = index.index(stored.len());
                stored[at] ^= byte;
            }
        }
        if let Some(cut) = cut {
            stored.truncate(cut.index(stored.len() + 1));
        }
        let claimed = raw.len().saturating_add_signed(length_change);
        check_bounds(id as u8, &stored, claimed)?;
    }

    #[test]
    fn foreign_bytes_are_errors_or_pages_of_the_right_length(
        stored in vec(any::<u8>(), 0..400),
        id in any::<u8>(),
        claimed in 0_usize..5000,
    ) {
        check_bounds(id % 6, &stored, claimed)?;
    }
}

/// Whatever the bytes are: the answer is a page of the claimed length or an error that leaves
/// the buffer alone, in memory for no more than the claimed length.
fn check_bounds(id: u8, stored: &[u8], claimed: usize) -> Result<(), TestCaseError> {
    let mut out = Vec::new();
    match decompress(id, stored, claimed, EXTENT_BYTES_MAX, &mut out) {
        Ok(()) => prop_assert_eq!(out.len(), claimed),
        Err(error) => {
            prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
            prop_assert!(out.is_empty());
        }
    }
    prop_assert!(out.capacity() <= claimed);
    Ok(())
}

fn stored_form(codec: Codec, raw: &[u8]) -> (CodecId, Vec<u8>) {
    let mut stored = Vec::new();
    let id = compress(codec, raw, &mut stored).unwrap();
    (id, stored)
}

fn page_of(id: CodecId, stored: &[u8], raw_len: usize) -> Result<Vec<u8>> {
    let mut raw = Vec::new();
    decompress(id as u8, stored, raw_len, EXTENT_BYTES_MAX, &mut raw)?;
    Ok(raw)
}

fn rows(length: usize) -> Vec<u8> {
    let row = |number: u64| format!("{number:06} customer {} delivered;", number * 7919 % 1000);
    (0..).flat_map(|number| row(number).into_bytes()).take(length).collect()
}

#[test]
fn forms_are_those_of_the_formats_they_are_named_after() {
    let raw = rows(16_384);
    let (id, lz4) = stored_form(Codec::lz4(), &raw);
    assert_eq!(id, CodecId::Lz4);
    assert_eq!(lz4_flex::block::decompress(&lz4, raw.len()).unwrap(), raw);

    let (id, zstd) = stored_form(Codec::zstd(3), &raw);
    assert_eq!(id, CodecId::Zstd);
    assert_eq!(::zstd::decode_all(&zstd[..]).unwrap(), raw);

    let (id, gzip) = stored_form(Codec::gzip(6), &raw);
    assert_eq!(id, CodecId::Gzip);
    let mut read = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&gzip[..]);
    std::io::Read::read_to_end(&mut decoder, &mut read).unwrap();
    assert_eq!(read, raw);
}

#[test]
fn a_form_is_kept_only_if_it_saves_a_granule() {
    for codec in CODECS.map(|codec| codec()) {
        assert_eq!(stored_form(codec, &[]), (CodecId::None, Vec::new()));
        assert_eq!(stored_form(codec, &[0; 512]), (CodecId::None, vec![0; 512]));
        let (id, stored) = stored_form(codec, &[0; 513]);
        assert_eq!(id, codec.id());
        assert!(stored.len() <= 512 || id == CodecId::None);
    }
    // 512 literal bytes take 516 as RLE; the run behind them decides whether that is worth it.
    let mut raw = (0..=255).collect::<Vec<u8>>().repeat(2);
    raw.extend_from_slice(&[7; 512]);
    assert_eq!(stored_form(Codec::rle(), &raw).0, CodecId::None);
    raw.push(7);
    assert_eq!(stored_form(Codec::rle(), &raw).0, CodecId::Rle);
}

#[test]
fn the_largest_page_is_stored_and_a_larger_one_is_refused() {
    let mut raw = rows(EXTENT_BYTES_MAX);
    for codec in [Codec::rle(), Codec::lz4(), Codec::zstd(1), Codec::gzip(1)] {
        let (id, stored) = stored_form(codec, &raw);
        assert_eq!(page_of(id, &stored, raw.len()).unwrap(), raw);
    }
    let (id, zeros) = stored_form(Codec::rle(), &vec![0; EXTENT_BYTES_MAX]);
    assert_eq!((id, zeros.len()), (CodecId::Rle, 5));
    assert_eq!(page_of(id, &zeros, EXTENT_BYTES_MAX).unwrap(), vec![0; EXTENT_BYTES_MAX]);

    raw.push(0);
    let error = compress(Codec::lz4(), &raw, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn a_claim_above_the_limit_allocates_nothing() {
    for id in CodecId::ALL {
        let mut out = Vec::new();
        let error = decompress(id as u8, &[0; 40], 1001, 1000, &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert_eq!(out.capacity(), 0);
    }
}

#[test]
fn another_length_than_the_claimed_one_is_an_error() {
    let raw = rows(5000);
    for codec in CODECS.map(|codec| codec()) {
        let (id, stored) = stored_form(codec, &raw);
        // Not one byte more than claimed is allocated, however short the page is.
        let (short, form) = stored_form(codec, &raw[..3]);
        assert_eq!(page_of(short, &form, 3).unwrap().capacity(), 3);
        for claimed in [0, 1, 4999, 5001, 70_000] {
            let error = page_of(id, &stored, claimed).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{codec} {claimed}");
        }
        // What a thread keeps works again after every one of those.
        assert_eq!(page_of(id, &stored, raw.len()).unwrap(), raw);
    }
}

#[test]
fn every_truncation_and_every_byte_behind_is_an_error() {
    let raw = rows(1600);
    for codec in CODECS.map(|codec| codec()) {
        let (id, mut stored) = stored_form(codec, &raw);
        for length in 0..stored.len() {
            assert!(page_of(id, &stored[..length], raw.len()).is_err(), "{codec} {length}");
        }
        stored.push(1);
        assert!(page_of(id, &stored, raw.len()).is_err(), "{codec}");
    }
}

#[test]
fn kept_contexts_make_the_same_bytes_as_new_ones() {
    let pages = [rows(16_384), vec![0; 70_000], rows(700), random_bytes(4, 9000), rows(66_000)];
    let codecs = [
        Codec::zstd(19),
        Codec::gzip(9),
        Codec::lz4(),
        Codec::zstd(1),
        Codec::gzip(1),
        Codec::rle(),
    ];
    for _ in 0..2 {
        for (raw, codec) in pages.iter().flat_map(|raw| codecs.map(|codec| (raw, codec))) {
            let kept = stored_form(codec, raw);
            let new =
                std::thread::scope(|scope| scope.spawn(|| stored_form(codec, raw)).join().unwrap());
            assert!(kept == new, "{codec} of {} bytes", raw.len());
        }
    }
}

#[test]
fn pages_that_cannot_shrink_are_found_and_no_others() {
    for length in [1024, 4096, 16_384, 65_536, 100_001] {
        for seed in 0..20 {
            let mut scratch = vec![1, 2];
            let random = random_bytes(seed, length);
            assert!(sample::is_incompressible(&random, &mut scratch), "{length} {seed}");
            assert_eq!(scratch, [1, 2]);
        }
        let random = random_bytes(1, length);
        let one_again_and_again = random_bytes(2, 300).repeat(length / 300 + 1);
        let base64 = random.iter().map(|byte| b' ' + byte % 64).collect();
        let mut a_quarter_of_text = random.clone();
        a_quarter_of_text[..length / 4].copy_from_slice(&rows(length / 4));
        for raw in [one_again_and_again, base64, a_quarter_of_text, rows(length), vec![0; length]] {
            assert!(!sample::is_incompressible(&raw, &mut Vec::new()), "{length}");
        }
    }
}

#[test]
fn every_room_is_a_bound_at_every_level() {
    let mut mixed = rows(1500);
    mixed.extend_from_slice(&random_bytes(3, 1500));
    let pages = [mixed, random_bytes(5, 4096), rows(4096), vec![0; 4096]];
    // Level by level, so that the next room meets the context that the last one left behind.
    for level in 1..=22 {
        for (raw, room) in pages
            .iter()
            .flat_map(|raw| (0..raw.len() + 600).step_by(61).map(move |room| (raw, room)))
        {
            let mut out = vec![1, 2];
            if level <= 9 {
                let is_shorter = gzip::compress(raw, level, room, &mut out);
                assert!(!is_shorter || out.len() <= room + 2, "gzip {level} {room}");
            }
            if level <= 3 || level == 19 {
                out.truncate(2);
                let is_shorter = zstd::compress(raw, level, room, &mut out);
                assert!(!is_shorter || out.len() <= room + 2, "zstd {level} {room}");
            }
            if level == 1 {
                out.truncate(2);
                let is_shorter = lz4::compress(raw, room, &mut out);
                assert!(!is_shorter || out.len() <= room + 2, "lz4 {room}");
            }
        }
    }
}

#[test]
fn random_pages_leave_contexts_fit_for_the_next_page() {
    let good = rows(4096);
    for level in 1..=9 {
        for seed in 0..6 {
            let random = random_bytes(seed, 16_384);
            let mut out = Vec::new();
            // Not through `compress`, whose look at the page would keep it from the compressor.
            assert!(!gzip::compress(&random, level, 15_872, &mut out));
            assert!(!zstd::compress(&random, level, 15_872, &mut out));
            out.clear();
            assert!(gzip::compress(&good, level, 3584, &mut out));
            assert_eq!(page_of(CodecId::Gzip, &out, good.len()).unwrap(), good, "{level}");
            out.clear();
            assert!(zstd::compress(&good, level, 3584, &mut out));
            assert_eq!(page_of(CodecId::Zstd, &out, good.len()).unwrap(), good, "{level}");
        }
    }
}
