//! Codes and refresh tokens over a sample: all different, and how hard to guess.

use std::collections::{BTreeMap, BTreeSet};

use super::members::letters_and_digits;
use super::together::{found, miss, not_exercised};
use super::view::View;
use super::{Overall, Scope, describe, repeats, show};
use crate::exchange::Exchange;
use crate::outcome::{Outcome, lenient_text};
use crate::secret;
use crate::suite::{AlphabetRule, Bits, CodeKind, Confusing, Distinct, Entropy};
use crate::verdict::{Grade, Mismatch};

/// With fewer samples the alphabet that was seen says nothing about the alphabet that is drawn from.
pub(super) const FEWEST_SAMPLES: usize = 50;
/// How many repeated values are named.
const MOST_REPEATED: usize = 5;
/// Letters that make words (RFC 8628 §6.1).
const VOWELS: [char; 5] = ['A', 'E', 'I', 'O', 'U'];
/// Characters that people take for each other (RFC 8628 §6.1).
pub const LOOK_ALIKES: [(char, char); 4] = [('0', 'O'), ('1', 'I'), ('1', 'L'), ('I', 'L')];
/// How many letters of an alphabet are worth listing.
const LONGEST_ALPHABET: usize = 40;

/// The values of one kind in the answers that brought codes, or tokens.
pub(super) fn values(kind: CodeKind, views: &[View<'_>]) -> Vec<(String, u32)> {
    let bringing = match kind {
        CodeKind::DeviceCode | CodeKind::UserCode => Outcome::Codes,
        CodeKind::RefreshToken => Outcome::Granted,
    };
    let answers = views.iter().filter(|view| view.outcome == bringing);
    answers
        .filter_map(|view| {
            let value = lenient_text(view.members?.get(kind.word())?)?;
            Some((value, view.exchange.number))
        })
        .collect()
}

pub(super) fn show_code(kind: CodeKind, code: &str) -> String {
    match kind {
        CodeKind::DeviceCode | CodeKind::RefreshToken => secret::redact(code),
        CodeKind::UserCode => show::text(code),
    }
}

/// `distinct: { of: user_code }`; user codes are compared as the server must compare them (RFC 8628 §6.1).
pub(super) fn distinct(rule: &Distinct, views: &[View<'_>]) -> Overall {
    let values = values(rule.of, views);
    if values.len() < 2 {
        return not_exercised(format!("fewer than two values of {} to compare", rule.of));
    }
    let mut seen: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for (value, number) in values {
        let value = match rule.of {
            CodeKind::DeviceCode | CodeKind::RefreshToken => value,
            CodeKind::UserCode => letters_and_digits(&value),
        };
        seen.entry(value).or_default().insert(number);
    }
    let repeated: Vec<_> = seen.iter().filter(|(_, numbers)| numbers.len() > 1).collect();
    let Some((_, first)) = repeated.first() else { return Overall::default() };
    let exchange = first.last().copied();
    let shown: Vec<_> = repeated
        .iter()
        .take(MOST_REPEATED)
        .map(|(value, numbers)| format!("{} in {}", show_code(rule.of, value), show::numbers(numbers)))
        .collect();
    let more = match repeated.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more values"),
    };
    found(vec![miss(describe::distinct(rule), format!("{}{more}", shown.join(", ")), exchange)])
}

/// An upper bound of what a guesser does not know.
pub(super) struct Guessing {
    pub(super) bits: f64,
    length: usize,
    alphabet: BTreeSet<char>,
    /// How many different values each group of a user code had, where that is the lower bound.
    groups: Vec<usize>,
}

/// Positions at which all samples agree, and the grouping marks of user codes, add nothing. The alphabet is what was
/// seen over all positions that vary: taken position by position, a small sample would see a part of it only and make
/// a good server look bad. Where the groups of user codes repeat, as words of a list do, their number is the bound.
pub(super) fn guessing(kind: CodeKind, values: &[(String, u32)]) -> Guessing {
    let counts = |c: &char| kind != CodeKind::UserCode || c.is_alphanumeric();
    let samples: Vec<Vec<char>> =
        values.iter().map(|(value, _)| value.chars().filter(counts).collect()).collect();
    let varying = varying(&samples);
    let alphabet: BTreeSet<char> =
        samples.iter().flat_map(|sample| varying.iter().filter_map(|at| sample.get(*at).copied())).collect();
    let mut guessing = Guessing { bits: 0.0, length: varying.len(), alphabet, groups: Vec::new() };
    guessing.bits = bits_of(guessing.length, guessing.alphabet.len());
    if kind == CodeKind::UserCode {
        let whole: Vec<Vec<&str>> = values.iter().map(|(value, _)| vec![value.as_str()]).collect();
        let groups = values.iter().map(|(value, _)| value.split(|c: char| !c.is_alphanumeric()));
        let groups: Vec<Vec<&str>> =
            groups.map(|groups| groups.filter(|group| !group.is_empty()).collect()).collect();
        for grouped in [whole, groups] {
            guessing.take_repeats(&grouped);
        }
    }
    guessing
}

/// The positions at which not all samples agree.
fn varying(samples: &[Vec<char>]) -> Vec<usize> {
    let longest = samples.iter().map(Vec::len).max().unwrap_or_default();
    let varies = |at: &usize| {
        let first = samples.first().and_then(|sample| sample.get(*at));
        samples.iter().any(|sample| sample.get(*at) != first)
    };
    (0..longest).filter(varies).collect()
}

#[expect(clippy::cast_precision_loss, reason = "lengths and alphabets of codes are far below 2^52")]
fn bits_of(length: usize, alphabet: usize) -> f64 {
    length as f64 * (alphabet.max(1) as f64).log2()
}

impl Guessing {
    /// The bits of one position.
    pub(super) fn bits_of_one(&self) -> f64 {
        bits_of(1, self.alphabet.len())
    }

    /// The groups of each sample, where their repeats are a lower bound.
    fn take_repeats(&mut self, grouped: &[Vec<&str>]) {
        let count = grouped.first().map_or(0, Vec::len);
        if grouped.iter().any(|groups| groups.len() != count) {
            return;
        }
        let columns =
            (0..count).map(|at| grouped.iter().filter_map(|groups| groups.get(at).copied()).collect());
        let columns: Vec<Vec<&str>> = columns.collect();
        let different: Vec<usize> =
            columns.iter().map(|column| column.iter().collect::<BTreeSet<_>>().len()).collect();
        let bits = columns.iter().zip(&different).map(|(column, different)| {
            let samples: Vec<Vec<char>> = column.iter().map(|group| group.chars().collect()).collect();
            let spelled = bits_of(varying(&samples).len(), self.alphabet.len());
            repeats::most_bits(column.len(), *different).map_or(spelled, |bits| bits.min(spelled))
        });
        let bits = bits.sum();
        // What is the same but for rounding is told by its characters.
        if bits < self.bits - 1e-6 {
            self.bits = bits;
            self.groups = different;
        }
    }

    fn told(&self, samples: usize) -> String {
        let bits = self.bits;
        if !self.groups.is_empty() {
            let groups: Vec<String> = self.groups.iter().map(usize::to_string).collect();
            let what = show::plural(groups.len(), "its group", "its groups");
            let groups = show::joined(&groups, "and");
            return format!(
                "at most {bits:.1} bits: {what} had {groups} different values in {samples} samples"
            );
        }
        let length = show::plural(self.length, "position", "positions");
        let different = self.alphabet.len();
        let listed = self.listed();
        format!(
            "at most {bits:.1} bits: {} {length} of {different} different characters{listed} in {samples} samples",
            self.length
        )
    }

    /// The alphabet, where it is short enough.
    fn listed(&self) -> String {
        if self.alphabet.len() > LONGEST_ALPHABET {
            return String::new();
        }
        format!(" ({})", show::short(&self.alphabet.iter().collect::<String>(), LONGEST_ALPHABET))
    }
}

/// `entropy: { of: user_code, is: 34 bits, ... }`
pub(super) fn entropy(rule: &Entropy, views: &[View<'_>]) -> Overall {
    let values = values(rule.of, views);
    if values.len() < FEWEST_SAMPLES {
        let have = values.len();
        return not_exercised(format!("only {have} values of {}, {FEWEST_SAMPLES} needed", rule.of));
    }
    let guessing = guessing(rule.of, &values);
    let bits = guessing.bits;
    let reaches = |bound: Bits| bits + 1e-9 >= bound.0;
    let (grade, because) = if reaches(rule.is) {
        return Overall::default();
    } else if rule.acceptable.is_some_and(reaches) {
        (Grade::Acceptable, rule.because.clone())
    } else if rule.warn.is_some_and(reaches) {
        (Grade::Warn, rule.because.clone())
    } else {
        (Grade::Mismatch, None)
    };
    let actual = guessing.told(values.len());
    let exchange = values.first().map(|(_, number)| *number);
    found(vec![Mismatch { grade, because, ..miss(describe::entropy(rule), actual, exchange) }])
}

/// `alphabet: { of: user_code, lacks: look-alikes }`: of letters that are drawn at all, this many samples show each.
pub(super) fn alphabet(rule: &AlphabetRule, views: &[View<'_>]) -> Overall {
    let values = values(rule.of, views);
    if values.len() < FEWEST_SAMPLES {
        let have = values.len();
        return not_exercised(format!("only {have} values of {}, {FEWEST_SAMPLES} needed", rule.of));
    }
    let shown: BTreeSet<char> =
        values.iter().flat_map(|(value, _)| value.chars()).filter(|c| c.is_alphanumeric()).collect();
    let alphabet: BTreeSet<char> = shown.iter().map(char::to_ascii_uppercase).collect();
    let has = |c: &char| alphabet.contains(c);
    // Of l only the small one looks like 1 and I, and of I only the capital (RFC 8628 §6.1).
    let looks_so = |c: &char| match c {
        'I' => shown.contains(&'I'),
        'L' => shown.contains(&'l'),
        c => alphabet.contains(c),
    };
    let exchange = values.first().map(|(_, number)| *number);
    let mut mismatches = Vec::new();
    for confusing in &rule.lacks {
        let found: Vec<String> = match confusing {
            Confusing::Vowels if !alphabet.iter().all(|c| c.is_alphabetic()) => Vec::new(),
            Confusing::Vowels => VOWELS.iter().filter(|c| has(c)).map(char::to_string).collect(),
            Confusing::LookAlikes => {
                let pairs = LOOK_ALIKES.iter().filter(|(a, b)| looks_so(a) && looks_so(b));
                let as_shown = |c: &char| if *c == 'L' { 'l' } else { *c };
                pairs.map(|(a, b)| format!("{} and {}", as_shown(a), as_shown(b))).collect()
            }
        };
        if !found.is_empty() {
            let actual = format!("they have {} in {} samples", show::joined(&found, "and"), values.len());
            mismatches.push(miss(describe::alphabet(rule.of, *confusing), actual, exchange));
        }
    }
    found(mismatches)
}

/// How the codes of a sample are spelled: how long, of which characters, in which groups, and how many bits that is at
/// the most.
///
/// # Errors
///
/// Why the sample says too little.
pub fn spelling(kind: CodeKind, exchanges: &[&Exchange], scope: &dyn Scope) -> Result<String, String> {
    let views: Vec<View<'_>> = exchanges.iter().map(|exchange| View::new(exchange, scope)).collect();
    let values = values(kind, &views);
    if values.len() < FEWEST_SAMPLES {
        return Err(format!("only {} values of {kind} came, {FEWEST_SAMPLES} are needed", values.len()));
    }
    let guessing = guessing(kind, &values);
    let bits = guessing.bits;
    let lengths: BTreeSet<usize> = values.iter().map(|(value, _)| value.chars().count()).collect();
    let length = match (lengths.first(), lengths.last()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (least, _) => least.copied().unwrap_or_default().to_string(),
    };
    let pattern: BTreeSet<String> = values
        .iter()
        .map(|(value, _)| value.chars().map(|c| if c.is_alphanumeric() { 'X' } else { c }).collect())
        .collect();
    let pattern = pattern.first().filter(|one| {
        kind == CodeKind::UserCode && pattern.len() == 1 && one.contains(|c: char| !c.is_alphanumeric())
    });
    let pattern =
        pattern.map_or_else(String::new, |one| format!(" as {}", show::short(one, LONGEST_ALPHABET)));
    Ok(format!(
        "{length} characters{pattern}, of {} different ones{}: at most {bits:.1} bits, by {} samples",
        guessing.alphabet.len(),
        guessing.listed(),
        values.len()
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{answered, overall, stage};
    use super::*;

    fn codes(number: u32, device_code: &str, user_code: &str) -> Exchange {
        let body = format!(
            r#"{{"device_code":"{device_code}","user_code":"{user_code}","verification_uri":"https://x/"}}"#
        );
        answered(number, 200, body)
    }

    #[test]
    fn the_spelling_of_codes_is_told_with_its_bits() {
        // Sixty codes of two letters of four, a dash between them.
        let letters = |n: u32| char::from_digit(10 + n % 4, 36).unwrap();
        let all: Vec<Exchange> = (0..60)
            .map(|n| codes(n, &format!("d-{n:03}"), &format!("{}-{}", letters(n), letters(n / 4))))
            .collect();
        let all: Vec<&Exchange> = all.iter().collect();
        assert_eq!(
            spelling(CodeKind::UserCode, &all, &stage()).unwrap(),
            "3 characters as X-X, of 4 different ones (abcd): at most 4.0 bits, by 60 samples"
        );
        assert_eq!(
            spelling(CodeKind::DeviceCode, &all, &stage()).unwrap(),
            "5 characters, of 10 different ones (0123456789): at most 6.6 bits, by 60 samples"
        );
        assert_eq!(
            spelling(CodeKind::UserCode, &all[..3], &stage()).unwrap_err(),
            "only 3 values of user_code came, 50 are needed"
        );
    }

    #[test]
    fn repeated_codes_are_found_as_the_server_compares_them() {
        let all =
            [codes(1, "d1", "AB-CD"), codes(2, "d2", "abcd"), codes(3, "d1", "X"), answered(4, 400, "")];
        let user = overall(json!([{ "distinct": { "of": "user_code" } }]), &all);
        assert_eq!(user.mismatches[0].expected, "every user_code is another");
        assert_eq!(user.mismatches[0].actual, "\"ABCD\" in exchanges 1 and 2");
        assert_eq!(user.mismatches[0].exchange, Some(2));
        let device = overall(json!([{ "distinct": { "of": "device_code" } }]), &all);
        assert!(device.mismatches[0].actual.starts_with("‹2 chars #"), "{}", device.mismatches[0].actual);
        assert_eq!(overall(json!([{ "distinct": { "of": "device_code" } }]), &all[..2]), Overall::default());
        let few = overall(json!([{ "distinct": { "of": "device_code" } }]), &all[3..]);
        assert_eq!(few.not_exercised.as_deref(), Some("fewer than two values of device_code to compare"));
    }

    #[test]
    fn letters_look_alike_as_they_are_shown() {
        let alike = |letters: &str| {
            let all: Vec<Exchange> = (1..=60).map(|n| codes(n, &format!("d-{n}"), letters)).collect();
            let judged =
                overall(json!([{ "alphabet": { "of": "user_code", "lacks": "look-alikes" } }]), &all);
            judged.mismatches.first().map(|found| found.actual.clone())
        };
        assert_eq!(alike("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), None, "the L of capitals looks like no I");
        assert_eq!(alike("abcdefghijklmnopqrstuvwxyz"), None, "and the i of small letters like no l");
        assert_eq!(alike("BCDF1L"), None);
        for (letters, found) in
            [("BC0o", "0 and O"), ("BC1I", "1 and I"), ("bc1l", "1 and l"), ("Il", "I and l")]
        {
            assert_eq!(alike(letters), Some(format!("they have {found} in 60 samples")));
        }
    }

    /// Digits of a number that looks random, in an alphabet.
    fn drawn(alphabet: &str, length: usize, seed: u64) -> String {
        let letters: Vec<_> = alphabet.chars().collect();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                letters[usize::try_from(state >> 33).unwrap() % letters.len()]
            })
            .collect()
    }

    #[test]
    fn entropy_is_an_upper_bound_that_a_good_server_passes() {
        let base20 = "BCDFGHJKLMNPQRSTVWXZ";
        let sample = |count: u32, alphabet: &str, length: usize, cut: usize| -> Vec<_> {
            (1..=count)
                .map(|n| {
                    let mut code = drawn(alphabet, length, u64::from(n));
                    code.insert(cut, '-');
                    codes(n, &format!("GH_{}_v1", drawn("0123456789abcdef", 32, u64::from(n))), &code)
                })
                .collect()
        };
        let rule = json!([{ "entropy": { "of": "user_code", "is": "34 bits", "acceptable": "guess_budget",
            "warn": "10 bits", "because": "limited" } }]);
        for count in [50, 200] {
            assert_eq!(overall(rule.clone(), &sample(count, base20, 8, 4)), Overall::default(), "{count}");
        }
        for (length, grade, actual) in [
            (
                9,
                Grade::Acceptable,
                "at most 29.9 bits: 9 positions of 10 different characters (0123456789) in 200 samples",
            ),
            (
                6,
                Grade::Warn,
                "at most 19.9 bits: 6 positions of 10 different characters (0123456789) in 200 samples",
            ),
            (
                2,
                Grade::Mismatch,
                "at most 6.6 bits: 2 positions of 10 different characters (0123456789) in 200 samples",
            ),
        ] {
            let judged = overall(rule.clone(), &sample(200, "0123456789", length, 1));
            assert_eq!((judged.mismatches[0].grade, judged.mismatches[0].actual.as_str()), (grade, actual));
            assert_eq!(judged.mismatches[0].because.is_some(), grade != Grade::Mismatch);
        }
        assert_eq!(
            overall(rule.clone(), &sample(200, "0123456789", 9, 1)).mismatches[0].expected,
            "user_code of at least 34 bits"
        );
        // Prefix and suffix that never change add nothing: 32 digits of 16 are 128 bits exactly.
        let device = |bits: &str| {
            overall(json!([{ "entropy": { "of": "device_code", "is": bits } }]), &sample(200, base20, 8, 4))
        };
        assert_eq!(device("128 bits"), Overall::default());
        assert!(
            device("129 bits").mismatches[0].actual.starts_with("at most 128.0 bits: 32 positions of 16 ")
        );
        let few = overall(rule.clone(), &sample(49, base20, 8, 4));
        assert_eq!(few.not_exercised.as_deref(), Some("only 49 values of user_code, 50 needed"));
        // Grouping marks are no secret, wherever they stand.
        let marked = (1..=200).map(|n| {
            let digits = drawn("0123456789", 2, u64::from(n));
            codes(n, "d", &if n % 2 == 0 { format!("{digits}-") } else { format!(" {digits}") })
        });
        let judged = overall(rule.clone(), &marked.collect::<Vec<_>>());
        assert!(
            judged.mismatches[0].actual.starts_with("at most 6.6 bits: 2 positions of 10 "),
            "{judged:?}"
        );
        let constant: Vec<_> = (1..=60).map(|n| codes(n, "same", "SAME")).collect();
        assert!(
            overall(rule, &constant).mismatches[0].actual.starts_with("at most 0.0 bits: 0 positions of 0")
        );
    }
}
