//! Lengths of time and instants of a run, as people read them: `23 ms`, `34.1 s`, `10 min 04 s`, `at 12.345 s`.

/// How long something took, in milliseconds.
#[must_use]
pub fn took(ms: f64) -> String {
    if ms < 9.95 {
        format!("{} ms", trimmed(ms))
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else if ms < 59_950.0 {
        format!("{} s", trimmed(ms / 1000.0))
    } else {
        long(ms)
    }
}

/// How long something is going to take: whole seconds, whole minutes from ten minutes on.
#[must_use]
pub fn about(ms: f64) -> String {
    let seconds = (ms / 1000.0).ceil();
    if seconds < 60.0 {
        format!("{seconds:.0} s")
    } else if seconds < 600.0 {
        long(ms)
    } else {
        let minutes = (seconds / 60.0).ceil();
        if minutes < 60.0 {
            format!("{minutes:.0} min")
        } else {
            format!("{} h {:02} min", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// An instant since the run's start, to the millisecond.
#[must_use]
pub fn instant(ms: f64) -> String {
    format!("{:.3} s", ms / 1000.0)
}

/// A number with its thousands apart: `1,204`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Memory: `35 MB`, `1.4 GB`; a MB is a million bytes.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 1e6 {
        format!("{:.0} kB", bytes / 1e3)
    } else if bytes < 1e9 {
        format!("{} MB", trimmed(bytes / 1e6))
    } else {
        format!("{} GB", trimmed(bytes / 1e9))
    }
}

fn long(ms: f64) -> String {
    let seconds = (ms / 1000.0).round();
    if seconds < 3600.0 {
        format!("{} min {:02} s", (seconds / 60.0).floor(), seconds % 60.0)
    } else {
        format!("{} h {:02} min", (seconds / 3600.0).floor(), (seconds % 3600.0 / 60.0).floor())
    }
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_exact_as_a_reader_needs() {
        for (ms, text) in [
            (0.0, "0 ms"),
            (0.42, "0.4 ms"),
            (23.4, "23 ms"),
            (999.6, "1 s"),
            (34_120.0, "34.1 s"),
            (59_960.0, "1 min 00 s"),
            (604_000.0, "10 min 04 s"),
            (7_500_000.0, "2 h 05 min"),
        ] {
            assert_eq!(took(ms), text);
        }
        for (ms, text) in
            [(33_200.0, "34 s"), (95_000.0, "1 min 35 s"), (612_000.0, "11 min"), (7_260_000.0, "2 h 01 min")]
        {
            assert_eq!(about(ms), text);
        }
        assert_eq!(instant(12_345.2), "12.345 s");
        let counts = [0, 12, 999, 1_000, 1_234_567].map(count);
        assert_eq!(counts, ["0", "12", "999", "1,000", "1,234,567"]);
        let sizes = [820, 35_400_000, 1_420_000_000].map(bytes);
        assert_eq!(sizes, ["1 kB", "35.4 MB", "1.4 GB"]);
    }
}
