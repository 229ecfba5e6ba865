//! Whether codes tell when they were issued, or each other. Knows nothing of how codes are to be made.
//!
//! An order is found by chance with a known probability: of codes that are drawn, every order of issue is equally likely,
//! so that n different ones rise in one of n! cases; where some are equal, in so many more as these can be swapped.

use std::collections::BTreeSet;

use super::members::letters_and_digits;
use super::sample::{FEWEST_SAMPLES, guessing, show_code, values};
use super::together::{found, miss, not_exercised};
use super::view::View;
use super::{Overall, describe};
use crate::suite::{Bits, CodeKind, Unordered, Unrelated};
use crate::verdict::{Grade, Mismatch};

/// How likely codes that are drawn are told to be in order; all readings and lengths together.
const FALSE_ALARM: f64 = 1e-9;
/// Fewer codes that were issued one after the other are found in some order too easily.
const FEWEST_IN_TURN: usize = 20;
/// So many characters in common are no chance where it happens in most answers.
const SHARED: usize = 5;
/// How many codes in order are shown.
const SHOWN: usize = 3;

/// How values are read as numbers.
#[derive(Clone, Copy)]
struct Reading {
    digits: fn(char) -> u32,
    /// From the last character on.
    backwards: bool,
    /// Shorter ones count as filled up in front.
    filled: bool,
}

/// An order that the values are in.
struct Order {
    reading: Reading,
    rises: bool,
    /// The fewest characters that are in order.
    characters: usize,
    /// At most so many bits are in what follows these.
    rest: f64,
}

/// `unordered: { of: device_code, acceptable: 128 bits, ... }`
pub(super) fn unordered(rule: &Unordered, views: &[View<'_>]) -> Overall {
    let turns = in_turn(rule.of, views);
    if turns.len() < FEWEST_IN_TURN {
        return not_exercised(format!(
            "only {} values of {} were asked for one after the other, {FEWEST_IN_TURN} needed",
            turns.len(),
            rule.of
        ));
    }
    let Some(order) = order(rule.of, &turns, views) else { return Overall::default() };
    let (grade, because) = graded(order.rest, rule.acceptable, rule.warn, rule.because.as_deref());
    let shown: Vec<String> = match rule.of {
        CodeKind::UserCode => turns.iter().take(SHOWN).map(|(value, _)| show_code(rule.of, value)).collect(),
        CodeKind::DeviceCode | CodeKind::RefreshToken => Vec::new(),
    };
    let shown = if shown.is_empty() { String::new() } else { format!(" ({}, ...)", shown.join(", ")) };
    let actual = format!(
        "{} of them, asked for one after the other, {} by their {} {} characters{shown}; what else is in them has at most \
         {:.0} bits",
        turns.len(),
        if order.rises { "rise" } else { "fall" },
        if order.reading.backwards { "last" } else { "first" },
        order.characters,
        order.rest,
    );
    let exchange = turns.first().map(|(_, number)| *number);
    found(vec![Mismatch { grade, because, ..miss(describe::unordered(rule.of), actual, exchange) }])
}

/// Do the values show in which order they were issued?
pub(super) fn in_order(kind: CodeKind, views: &[View<'_>]) -> bool {
    let turns = in_turn(kind, views);
    turns.len() >= FEWEST_IN_TURN && order(kind, &turns, views).is_some()
}

/// `unrelated: { of: device_code, to: user_code, ... }`
pub(super) fn unrelated(rule: &Unrelated, views: &[View<'_>]) -> Overall {
    let pairs: Vec<(String, String, u32)> = views
        .iter()
        .filter_map(|view| {
            let views = std::slice::from_ref(view);
            let (value, number) = values(rule.of, views).pop()?;
            let (known, _) = values(rule.to, views).pop()?;
            Some((letters_and_digits(&value), letters_and_digits(&known), number))
        })
        .collect();
    if pairs.len() < FEWEST_SAMPLES {
        return not_exercised(format!("only {} answers with both, {FEWEST_SAMPLES} needed", pairs.len()));
    }
    let shared: Vec<(String, u32)> = pairs
        .iter()
        .filter_map(|(value, known, number)| Some((longest_in_common(value, known)?, *number)))
        .collect();
    // What is the same in all of them is a fixed part of both, and tells nothing.
    let different = shared.iter().map(|(text, _)| text).collect::<BTreeSet<_>>().len();
    if different * 2 < pairs.len() {
        return Overall::default();
    }
    let lengths = shared.iter().map(|(text, _)| text.chars().count());
    let least = lengths.min().unwrap_or_default();
    let whole = guessing(rule.of, &values(rule.of, views));
    #[expect(clippy::cast_precision_loss, reason = "codes have some dozen characters")]
    let rest = (whole.bits - least as f64 * whole.bits_of_one()).max(0.0);
    let (grade, because) = graded(rest, rule.acceptable, rule.warn, rule.because.as_deref());
    let actual = format!(
        "{} of {} have {least} or more characters of the {} in them; the rest has at most {rest:.0} bits",
        shared.len(),
        pairs.len(),
        rule.to,
    );
    let exchange = shared.first().map(|(_, number)| *number);
    found(vec![Mismatch { grade, because, ..miss(describe::unrelated(rule), actual, exchange) }])
}

/// The mildest grade that so many unknown bits reach.
fn graded(
    bits: f64,
    acceptable: Option<Bits>,
    warn: Option<Bits>,
    because: Option<&str>,
) -> (Grade, Option<String>) {
    let reaches = |bound: Bits| bits >= bound.0;
    let because = because.map(str::to_owned);
    if acceptable.is_some_and(reaches) {
        (Grade::Acceptable, because)
    } else if warn.is_some_and(reaches) {
        (Grade::Warn, because)
    } else {
        (Grade::Mismatch, None)
    }
}

/// The longest text that both have, if it is long enough to say something.
fn longest_in_common(one: &str, other: &str) -> Option<String> {
    let other: Vec<char> = other.chars().collect();
    (SHARED..=other.len()).rev().find_map(|length| {
        let parts = other.windows(length).map(|part| part.iter().collect::<String>());
        parts.into_iter().find(|part| one.contains(part.as_str()))
    })
}

/// The values whose requests did not overlap, in the order in which they were issued: as many as there are.
fn in_turn(kind: CodeKind, views: &[View<'_>]) -> Vec<(String, u32)> {
    let mut bringing: Vec<(&View<'_>, (String, u32))> = views
        .iter()
        .filter_map(|view| Some((view, values(kind, std::slice::from_ref(view)).pop()?)))
        .collect();
    bringing.sort_by_key(|(view, _)| view.exchange.done);
    let mut last = None;
    bringing.retain(|(view, _)| {
        let in_turn = last.is_none_or(|last| view.exchange.sent > last);
        if in_turn {
            last = Some(view.exchange.done);
        }
        in_turn
    });
    bringing.into_iter().map(|(_, value)| value).collect()
}

/// The order that leaves the fewest bits unknown, if the values are in any.
fn order(kind: CodeKind, turns: &[(String, u32)], views: &[View<'_>]) -> Option<Order> {
    let all = values(kind, views);
    let longest = all.iter().map(|(value, _)| value.chars().count()).max().unwrap_or_default();
    let mut readings = Vec::new();
    for digits in [in_ascii, in_base64 as fn(char) -> u32] {
        for backwards in [false, true] {
            readings.extend([false, true].map(|filled| Reading { digits, backwards, filled }));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "codes have some dozen or hundred characters")]
    let needed = (2.0 * readings.len() as f64 * longest.max(1) as f64 / FALSE_ALARM).ln();
    let orders = readings.into_iter().filter_map(|reading| {
        let numbers: Vec<Vec<u32>> = turns.iter().map(|(value, _)| reading.read(value, longest)).collect();
        let (characters, rises) = (1..=longest).find_map(|length| {
            let starts: Vec<&[u32]> = numbers.iter().map(|number| &number[..length]).collect();
            let rises = starts.is_sorted();
            let falls = starts.iter().rev().is_sorted();
            ((rises || falls) && orders_of(&starts) >= needed).then_some((length, rises))
        })?;
        let rest: Vec<(String, u32)> = all
            .iter()
            .map(|(value, number)| (reading.spread(value, longest)[characters..].iter().collect(), *number))
            .collect();
        Some(Order { reading, rises, characters, rest: guessing(kind, &rest).bits })
    });
    orders.min_by(|a, b| a.rest.total_cmp(&b.rest))
}

/// The logarithm of the number of ways in which these can follow each other; they stand in order.
fn orders_of(starts: &[&[u32]]) -> f64 {
    let equal = starts.chunk_by(|a, b| a == b).map(<[_]>::len);
    log_factorial(starts.len()) - equal.map(log_factorial).sum::<f64>()
}

#[expect(clippy::cast_precision_loss, reason = "a sample has some hundred values")]
pub(super) fn log_factorial(n: usize) -> f64 {
    (2..=n).map(|factor| (factor as f64).ln()).sum()
}

impl Reading {
    /// The characters in the order of their weight, all values of one length.
    fn spread(self, value: &str, longest: usize) -> Vec<char> {
        let mut characters: Vec<char> = value.chars().collect();
        if self.backwards {
            characters.reverse();
        }
        let missing = longest.saturating_sub(characters.len());
        let at = if self.filled { 0 } else { characters.len() };
        characters.splice(at..at, std::iter::repeat_n('\0', missing));
        characters
    }

    fn read(self, value: &str, longest: usize) -> Vec<u32> {
        self.spread(value, longest).into_iter().map(self.digits).collect()
    }
}

fn in_ascii(character: char) -> u32 {
    character.into()
}

/// As a digit of base64 or base64url (RFC 4648 §4, §5).
fn in_base64(character: char) -> u32 {
    let after = |first: char, so_many: u32| u32::from(character) - u32::from(first) + so_many;
    match character {
        'A'..='Z' => after('A', 1),
        'a'..='z' => after('a', 27),
        '0'..='9' => after('0', 53),
        '+' | '-' => 63,
        '/' | '_' => 64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
