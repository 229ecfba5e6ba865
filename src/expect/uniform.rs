//! Whether the characters of codes are equally likely. Knows nothing of how codes are to be made.
//!
//! Judged by G, twice the sum over the characters of `observed * ln(observed / due)`. For n draws from k equally likely
//! characters the chance that G reaches 2t is at most `e^-t (et/d)^d`, where d is k - 1 and t above d (Agrawal,
//! Finite-sample concentration of the multinomial in relative entropy, 2020). The bound holds for every n, so no test
//! relies on a limit; it is far on the safe side.

use std::collections::{BTreeMap, BTreeSet};

use super::sample::{FEWEST_SAMPLES, values};
use super::sequence::log_factorial;
use super::together::{found, miss, not_exercised};
use super::view::View;
use super::{Overall, describe, sequence, show};
use crate::suite::{CodeKind, Uniform};

/// How likely a server whose characters are all equally likely is told that they are not; all tests of a sample together.
const FALSE_ALARM: f64 = 1e-9;
/// Fewer draws for each character say too little about which characters there are.
const FEWEST_DRAWS: usize = 4;
/// Two places have one alphabet unless as many characters as one of them lacks are lacking with less than this
/// probability.
const LACKING: f64 = 1e-4;
/// Letters of which each word and each syllable has one.
const OF_WORDS: &str = "AEIOUY";

/// The counts of the characters at some places that share their alphabet.
#[derive(Default)]
struct Places {
    at: Vec<usize>,
    counts: BTreeMap<char, usize>,
}

/// Something that equally likely characters would hardly show.
struct Bias {
    places: String,
    draws: usize,
    g: f64,
    often: (char, usize),
    rarely: (char, usize),
    characters: usize,
}

/// `uniform: { of: user_code }`
pub(super) fn uniform(rule: &Uniform, views: &[View<'_>]) -> Overall {
    let values = values(rule.of, views);
    if values.len() < FEWEST_SAMPLES {
        return not_exercised(format!(
            "only {} values of {}, {FEWEST_SAMPLES} needed",
            values.len(),
            rule.of
        ));
    }
    if sequence::in_order(rule.of, views) {
        return not_exercised(format!("the values of {} are in order, so none is drawn", rule.of));
    }
    let texts: Vec<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
    match biases(rule.of, &texts) {
        Err(why) => not_exercised(why),
        Ok(biases) => {
            let exchange = values.first().map(|(_, number)| *number);
            let told = biases.first().map(|bias| miss(describe::uniform(rule.of), bias.told(), exchange));
            found(told.into_iter().collect())
        }
    }
}

/// Where characters are not equally likely, all places of one alphabet together first.
fn biases(kind: CodeKind, values: &[&str]) -> Result<Vec<Bias>, String> {
    if kind == CodeKind::UserCode && are_words(values) {
        return Err(
            "the codes are made of words or syllables, and their letters are not drawn one by one".to_owned()
        );
    }
    let samples: Vec<Vec<char>> = values
        .iter()
        .map(|value| value.chars().filter(|c| kind != CodeKind::UserCode || c.is_alphanumeric()).collect())
        .collect();
    let length = samples.first().map_or(0, Vec::len);
    if samples.iter().any(|sample| sample.len() != length) {
        return Err("the values have different lengths, so their places cannot be compared".to_owned());
    }
    let single: Vec<Places> = (0..length)
        .map(|at| Places::of(at, samples.iter().filter_map(|sample| sample.get(at).copied())))
        .filter(|places| places.counts.len() > 1)
        .collect();
    let shared = shared(&single);
    let tests: Vec<&Places> = shared
        .iter()
        .filter(|places| places.at.len() > 1)
        .chain(&single)
        .filter(|places| places.draws() >= FEWEST_DRAWS * places.counts.len())
        .collect();
    if tests.is_empty() {
        return Err("no place has few enough characters to say how often each one comes".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "codes have some dozen places")]
    let allowed = (FALSE_ALARM / tests.len() as f64).ln();
    Ok(tests
        .iter()
        .filter(|places| places.log_chance() < allowed)
        .filter_map(|places| places.bias())
        .collect())
}

/// Are most groups of letters alone, and do these all have a vowel, or lengths that differ from sample to sample?
fn are_words(values: &[&str]) -> bool {
    let groups: Vec<Vec<&str>> = values
        .iter()
        .map(|value| value.split(|c: char| !c.is_alphanumeric()).filter(|group| !group.is_empty()).collect())
        .collect();
    let lengths: BTreeSet<Vec<usize>> =
        groups.iter().map(|groups| groups.iter().map(|group| group.chars().count()).collect()).collect();
    let all: Vec<&str> = groups.into_iter().flatten().collect();
    let of_letters: Vec<&&str> = all.iter().filter(|group| group.chars().all(char::is_alphabetic)).collect();
    let has_vowel = |group: &&&str| group.chars().any(|c| OF_WORDS.contains(c.to_ascii_uppercase()));
    of_letters.len() * 2 > all.len() && (lengths.len() > 1 || of_letters.iter().all(has_vowel))
}

/// The places put together by their alphabets.
fn shared(single: &[Places]) -> Vec<Places> {
    let mut by_size: Vec<&Places> = single.iter().collect();
    by_size.sort_by_key(|places| std::cmp::Reverse(places.counts.len()));
    let mut clusters: Vec<(Places, Vec<&Places>)> = Vec::new();
    for place in by_size {
        let joins = |members: &[&Places]| {
            let all: BTreeSet<char> =
                members.iter().chain([&place]).flat_map(|member| member.counts.keys().copied()).collect();
            members.iter().chain([&place]).all(|member| member.may_lack_the_rest_of(all.len()))
        };
        match clusters.iter_mut().find(|(_, members)| joins(members)) {
            Some((cluster, members)) => {
                cluster.take(place);
                members.push(place);
            }
            None => {
                let mut cluster = Places::default();
                cluster.take(place);
                clusters.push((cluster, vec![place]));
            }
        }
    }
    clusters.into_iter().map(|(cluster, _)| cluster).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a sample are far below 2^52")]
impl Places {
    fn of(at: usize, characters: impl Iterator<Item = char>) -> Self {
        let mut places = Self { at: vec![at], counts: BTreeMap::new() };
        for character in characters {
            *places.counts.entry(character).or_default() += 1;
        }
        places
    }

    fn take(&mut self, other: &Self) {
        self.at.extend(&other.at);
        for (&character, count) in &other.counts {
            *self.counts.entry(character).or_default() += count;
        }
    }

    fn draws(&self) -> usize {
        self.counts.values().sum()
    }

    /// Can chance have kept the other characters of an alphabet of this size away?
    fn may_lack_the_rest_of(&self, size: usize) -> bool {
        let here = self.counts.len();
        let which = log_factorial(size) - log_factorial(here) - log_factorial(size - here);
        which + (here as f64 / size as f64).ln() * self.draws() as f64 >= LACKING.ln()
    }

    fn g(&self) -> f64 {
        let due = self.draws() as f64 / self.counts.len() as f64;
        2.0 * self.counts.values().map(|&count| count as f64 * (count as f64 / due).ln()).sum::<f64>()
    }

    /// The logarithm of an upper bound of the chance that equally likely characters reach this G.
    fn log_chance(&self) -> f64 {
        let (t, d) = (self.g() / 2.0, (self.counts.len() - 1) as f64);
        if t <= d { 0.0 } else { -t + d + d * (t / d).ln() }
    }

    fn bias(&self) -> Option<Bias> {
        let most = self.counts.iter().max_by_key(|(_, count)| **count)?;
        let least = self.counts.iter().min_by_key(|(_, count)| **count)?;
        let places: Vec<String> =
            self.at.iter().collect::<BTreeSet<_>>().iter().map(|at| (*at + 1).to_string()).collect();
        Some(Bias {
            places: format!(
                "{} {}",
                show::plural(places.len(), "place", "places"),
                show::joined(&places, "and")
            ),
            draws: self.draws(),
            g: self.g(),
            often: (*most.0, *most.1),
            rarely: (*least.0, *least.1),
            characters: self.counts.len(),
        })
    }
}

impl Bias {
    /// `"B" 183 times and "Z" 41 times where 80 are due, of 1600 characters at places 1, 2 and 3: G is 744 for 20
    /// characters, by chance in fewer than 1 of 10^9 samples`
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample are far below 2^52")]
    fn told(&self) -> String {
        let Self { places, draws, g, often, rarely, characters } = self;
        format!(
            "\"{}\" {} times and \"{}\" {} times where {} are due, of {draws} characters at {places}: G is {g:.0} for \
             {characters} characters, by chance in fewer than 1 of 10^9 samples",
            often.0,
            often.1,
            rarely.0,
            rarely.1,
            show::number((*draws as f64 / *characters as f64).round()),
        )
    }
}

#[cfg(test)]
mod tests;
