//! Lengths of time as people write them: `45m`, `1h30m`, `2d`.

use super::timing::DURATION_MAX_S;

/// Units from long to short: letter, seconds.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Seconds of a text like `45m`, `1h30m`, `1h 30m` or `2d`.
///
/// Units are `d`, `h`, `m`, `s`, each at most once, from long to short; one blank may stand between
/// two parts. None for everything else: a bare number, a sign, a fraction, less than a second, and
/// more than [`DURATION_MAX_S`].
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    let mut units = UNITS.iter();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letter = after.chars().next()?;
        // Units that were passed over can't come again, so order and "once" hold by themselves.
        let &(_, unit_s) = units.by_ref().find(|&&(unit, _)| unit == letter)?;
        let part = number.parse::<i64>().ok()?.checked_mul(unit_s)?;
        total = total.checked_add(part)?;
        rest = &after[letter.len_utf8()..];
        if rest.is_empty() {
            return (1..=DURATION_MAX_S).contains(&total).then_some(total);
        }
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
}

/// Seconds in words that [`parse`] reads back: `1h 30m`. Nothing and less is `0s`.
#[must_use]
pub fn format(seconds: i64) -> String {
    let mut left = seconds.max(0);
    let mut parts = Vec::new();
    for (letter, unit_s) in UNITS {
        if left >= unit_s {
            parts.push(format!("{}{letter}", left / unit_s));
            left %= unit_s;
        }
    }
    if parts.is_empty() {
        return "0s".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in [
            ("1s", 1),
            ("45m", 2_700),
            ("90m", 5_400),
            ("8h", 28_800),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("2d", 172_800),
            ("1d2h3m4s", 93_784),
            ("007s", 7),
            ("366d", DURATION_MAX_S),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_no_duration() {
        for text in [
            "",
            " ",
            "0",
            "1",
            "60",
            "0s",
            "0h0m",
            "-1h",
            "+1h",
            "1.5h",
            "1,5h",
            "abc",
            "h",
            "1x",
            "8x",
            "1H",
            "1h1h",
            "30m1h",
            "1h30",
            "1h  30m",
            "1h ",
            " 1h",
            "1 h",
            "367d",
            "366d1s",
            "999d",
            "99999999999999999999d",
            "9223372036854775807d",
            "١h",
            "1h\0",
            "1ｈ",
            "until 18:00",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn lengths_read_well() {
        for (seconds, text) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (5_400, "1h 30m"),
            (86_400, "1d"),
            (90_061, "1d 1h 1m 1s"),
        ] {
            assert_eq!(format(seconds), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 1..=DURATION_MAX_S) {
            prop_assert_eq!(parse(&format(seconds)), Some(seconds));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            if let Some(seconds) = parse(&text) {
                prop_assert!((1..=DURATION_MAX_S).contains(&seconds));
            }
        }
    }
}
