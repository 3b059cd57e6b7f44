//! Numbers as people read them.

/// `12345` as `12,345`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 packet`, `2,000 packets`.
pub(crate) fn counted(n: u64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(n))
}

/// Bytes, in the largest unit that leaves at least 1: `1.2 MiB`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A part of a whole: `12.3%`; what is not nothing never reads as nothing, and
/// what is not everything never as everything.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "-".into();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 0.1 {
        "<0.1%".into()
    } else if part < whole && percent > 99.9 {
        ">99.9%".into()
    } else {
        format!("{percent:.1}%")
    }
}

/// A length of time: `3.2 ms`, `1.25 s`, `2 min 5 s`, `3 d 4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let pair = |total: u64, large: u64, small: u64, names: [&str; 2]| {
        let (whole, rest) = (total / large, total % large / small);
        if rest == 0 {
            format!("{whole} {}", names[0])
        } else {
            format!("{whole} {} {rest} {}", names[0], names[1])
        }
    };
    if seconds < 0.000_999_5 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 0.999_5 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 59.995 {
        format!("{seconds:.2} s")
    } else {
        // More than the largest u64 is that.
        let total = seconds.round() as u64;
        if total < HOUR {
            pair(total, MINUTE, 1, ["min", "s"])
        } else if total < DAY {
            pair(total, HOUR, MINUTE, ["h", "min"])
        } else {
            pair(total, DAY, HOUR, ["d", "h"])
        }
    }
}

/// So many a second, in three digits: `1.23 M/s`.
pub(crate) fn rate(n: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return "-".into();
    }
    let mut value = n as f64 / seconds;
    let mut unit = "";
    for larger in ["k", "M", "G"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    let digits = match value {
        v if unit.is_empty() || v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    if unit.is_empty() {
        format!("{value:.digits$}/s")
    } else {
        format!("{value:.digits$} {unit}/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (n, text) in cases {
            assert_eq!(count(n), text);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn bytes_take_the_unit_that_fits() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (1_258_291, "1.2 MiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (n, text) in cases {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn shares_do_not_round_to_nothing_or_everything() {
        assert_eq!(share(0, 10), "-");
        assert_eq!(share(0, 0), "-");
        assert_eq!(share(1, 1_000_000), "<0.1%");
        assert_eq!(share(999_999, 1_000_000), ">99.9%");
        assert_eq!(share(10, 10), "100.0%");
        assert_eq!(share(1, 3), "33.3%");
    }

    #[test]
    fn durations_take_two_units_at_most() {
        let cases = [
            (0.0, "0 µs"),
            (0.000_5, "500 µs"),
            (0.012_34, "12.3 ms"),
            (0.999_9, "1.00 s"),
            (59.99, "59.99 s"),
            (60.0, "1 min"),
            (125.0, "2 min 5 s"),
            (3_600.0 * 5.0 + 61.0, "5 h 1 min"),
            (86_400.0 * 365.0, "365 d"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn rates_keep_three_digits() {
        assert_eq!(rate(10, 0.0), "-");
        assert_eq!(rate(10, 1.0), "10/s");
        assert_eq!(rate(1_234_567, 1.0), "1.23 M/s");
        assert_eq!(rate(123_456, 1.0), "123 k/s");
        assert_eq!(rate(999_900, 1.0), "1.00 M/s");
    }
}
