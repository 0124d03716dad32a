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
