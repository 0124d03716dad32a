//! Powers of ten in 64 bits.
//!
//! The powers of `5` up to `5^27` fit. The others are a power of `10^27` from a table of 96
//! bits times one of those, with the lower bits cut off: these very steps decide which digits
//! SQLite shows at the end of reals far from one. Neighbour: `print` scales by them.

/// The steps of the table: `10^27`.
const STEP: i32 = 27;

/// The index of `10^0` in the table, in whose place stands `10^-1`.
const ZERO: i32 = 13;

/// The highest 64 bits, and the next 32, of the powers of `10^27`, rounded.
const STEPS: [(u64, u32); 26] = [
    (0x8049_a4ac_0c58_11ae, 0x205b_896d), // 10^-351
    (0xcf42_894a_5dce_35ea, 0x5206_4cad), // 10^-324
    (0xa76c_5823_38ed_2621, 0xaf2a_f2b8), // 10^-297
    (0x873e_4f75_e222_4e68, 0x5a77_44a7), // 10^-270
    (0xda7f_5bf5_9096_6848, 0xaf39_a475), // 10^-243
    (0xb080_392c_c434_9dec, 0xbd8d_794e), // 10^-216
    (0x8e93_8662_882a_f53e, 0x547e_b47b), // 10^-189
    (0xe658_29b3_046b_0afa, 0x0cb4_a5a3), // 10^-162
    (0xba12_1a46_50e4_ddeb, 0x92f3_4d62), // 10^-135
    (0x964e_858c_91ba_2655, 0x3a6a_07f9), // 10^-108
    (0xf2d5_6790_ab41_c2a2, 0xfae2_7299), // 10^-81
    (0xc428_d05a_a475_1e4c, 0xaa97_e14c), // 10^-54
    (0x9e74_d1b7_91e0_7e48, 0x775e_a265), // 10^-27
    (0xcccc_cccc_cccc_cccc, 0xcccc_cccd), // 10^-1 (10^0 is exact)
    (0xcecb_8f27_f420_0f3a, 0x0000_0000), // 10^27
    (0xa70c_3c40_a64e_6c51, 0x9990_90b6), // 10^54
    (0x86f0_ac99_b4e8_dafd, 0x69a0_28bb), // 10^81
    (0xda01_ee64_1a70_8de9, 0xe80e_6f48), // 10^108
    (0xb01a_e745_b101_e9e4, 0x5ec0_5dd0), // 10^135
    (0x8e41_ade9_fbeb_c27d, 0x1458_8f14), // 10^162
    (0xe5d3_ef28_2a24_2e81, 0x8f16_68c9), // 10^189
    (0xb9a7_4a06_37ce_2ee1, 0x6d95_3e2c), // 10^216
    (0x95f8_3d0a_1fb6_9cd9, 0x4abd_af10), // 10^243
    (0xf24a_01a7_3cf2_dccf, 0xbc63_3b39), // 10^270
    (0xc3b8_3581_09e8_4f07, 0x0a86_2f81), // 10^297
    (0x9e19_db92_b4e3_1ba9, 0x6c07_a2c2), // 10^324
];

/// The highest 64 bits of `10^power`, for powers from -348 to 347.
pub(super) fn power_of_ten(power: i32) -> u64 {
    let small = |power: i32| {
        let five = 5_u64.pow(power as u32);
        five << five.leading_zeros()
    };
    let step = |index: i32| STEPS[(index + ZERO).clamp(0, STEPS.len() as i32 - 1) as usize];
    if (0..STEP).contains(&power) {
        return small(power);
    }
    if power == -1 {
        return step(0).0;
    }
    let (high, low) = step(power.div_euclid(STEP));
    let rest = power.rem_euclid(STEP);
    if rest == 0 {
        return high;
    }
    let factor = small(rest);
    let product =
        u128::from(high) * u128::from(factor) + ((u128::from(low) * u128::from(factor)) >> 32);
    (product << product.leading_zeros() >> 64) as u64
}
