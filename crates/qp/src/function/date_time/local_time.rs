//! What local time is ahead of UTC: the one place that asks the system for its time zone.
//!
//! `TZ` or the system's setting says which zone; its rules are those of the system's own tables.
//! Neighbours: `date_time::modifier` (`localtime`, `utc`).

use chrono::{Local, Offset, TimeZone};

/// Seconds that local time is ahead of UTC at a UTC time; 0 for years that no calendar has.
pub fn local_offset_seconds(unix_seconds: i64) -> i64 {
    let local = Local.timestamp_opt(unix_seconds, 0).single();
    local.map_or(0, |time| i64::from(time.offset().fix().local_minus_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_less_than_a_day_and_far_years_have_one() {
        for time in [0, 1_000_000_000, 4_000_000_000, -62_000_000_000, i64::MAX, i64::MIN] {
            assert!(local_offset_seconds(time).abs() < 86_400, "{time}");
        }
    }
}
