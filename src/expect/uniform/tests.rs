use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use super::super::stage::{answered, overall};
use super::*;

const BASE_20: &str = "BCDFGHJKLMNPQRSTVWXZ";

/// So many codes; each place is drawn from a text of its own, and other signs stand for themselves.
fn codes(dice: &mut StdRng, count: usize, places: &[&str]) -> Vec<String> {
    let drawn = |dice: &mut StdRng, place: &&str| {
        let characters: Vec<char> = place.chars().collect();
        characters[dice.random_range(0..characters.len())]
    };
    (0..count).map(|_| places.iter().map(|place| drawn(dice, place)).collect()).collect()
}

fn is_biased(codes: &[String]) -> bool {
    let texts: Vec<&str> = codes.iter().map(String::as_str).collect();
    !biases(CodeKind::UserCode, &texts).unwrap().is_empty()
}

const LETTERS: [&str; 9] = [BASE_20, BASE_20, BASE_20, BASE_20, "-", BASE_20, BASE_20, BASE_20, BASE_20];

#[test]
fn codes_that_are_drawn_are_never_called_biased() {
    let (digits, hex, mixed) =
        ("0123456789", "0123456789ABCDEF", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    let first = "123456789";
    let consonants = "BCDFGHJKLMNPQRSTVWXZ0";
    let shapes: [&[&str]; 7] = [
        &LETTERS,
        &[first, digits, digits, "-", digits, digits, digits, "-", digits, digits, digits],
        &[BASE_20, BASE_20, BASE_20, "-", digits, digits, digits, digits],
        &[hex; 8],
        &[mixed; 8],
        &["T", "V", first, digits],
        &[consonants; 6],
    ];
    for seed in 0..2_000 {
        let mut dice = StdRng::seed_from_u64(seed);
        let shape = shapes[usize::try_from(seed).unwrap() % shapes.len()];
        assert!(!is_biased(&codes(&mut dice, 200, shape)), "seed {seed}");
    }
}

#[test]
fn codes_with_favourites_are_called_biased() {
    // A quarter of the letters four times as often; one letter at every fourth place; one place that hardly changes.
    let quarter = "BBBBCCCCDDDDFFFFGGGGHJKLMNPQRSTVWXZ";
    let favourite = "BCDFGHJKLMNPQRSTVWXZBBBBBB";
    let lazy = "BBBBBBBBBC";
    let shapes: [&[&str]; 3] =
        [&[quarter; 8], &[favourite; 8], &[lazy, BASE_20, BASE_20, BASE_20, BASE_20, BASE_20]];
    for seed in 0..600 {
        let mut dice = StdRng::seed_from_u64(seed);
        let shape = shapes[usize::try_from(seed).unwrap() % shapes.len()];
        assert!(is_biased(&codes(&mut dice, 200, shape)), "seed {seed}");
    }
}

#[test]
fn the_bound_is_one_for_the_chance_of_small_cases() {
    // Twelve throws of a coin: all 4096 of them, by how far they are from even.
    let mut chance: BTreeMap<usize, f64> = BTreeMap::new();
    for throws in 0_u32..1 << 12 {
        *chance.entry(throws.count_ones() as usize).or_default() += 1.0 / 4096.0;
    }
    for heads in 1..12 {
        let places = Places { at: vec![0], counts: BTreeMap::from([('h', heads), ('t', 12 - heads)]) };
        let as_far: f64 = chance
            .iter()
            .filter(|(other, _)| 6_usize.abs_diff(**other) >= 6_usize.abs_diff(heads))
            .map(|(_, chance)| chance)
            .sum();
        assert!(places.log_chance().exp() >= as_far, "{heads}: {} {as_far}", places.log_chance().exp());
    }
}

#[test]
fn words_and_codes_of_many_lengths_are_no_letters_to_count() {
    let words: Vec<&str> = (0..60).map(|n| ["BEAR-CAVE", "FERN-MOSS", "TOAD-OATS"][n % 3]).collect();
    assert!(biases(CodeKind::UserCode, &words).err().unwrap().contains("words"));
    let numbers: Vec<String> = (90..150).map(|n| n.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert!(biases(CodeKind::UserCode, &numbers).err().unwrap().contains("different lengths"));
}

#[test]
fn what_is_told_has_the_statistic() {
    let mut dice = StdRng::seed_from_u64(7);
    let answers = |codes: Vec<String>| -> Vec<_> {
        let numbered = (1..).zip(codes);
        numbered
            .map(|(n, code)| {
                answered(
                    n,
                    200,
                    json!({ "device_code": "d", "user_code": code, "verification_uri": "https://x/" })
                        .to_string(),
                )
            })
            .collect()
    };
    let rule = json!([{ "uniform": { "of": "user_code" } }]);
    assert_eq!(overall(rule.clone(), &answers(codes(&mut dice, 200, &LETTERS))), Overall::default());
    let biased = answers(codes(&mut dice, 200, &["BBBBBBBBBBBBBBBC"; 4]));
    let judged = overall(rule.clone(), &biased);
    assert_eq!(judged.mismatches[0].expected, "user_code whose characters are all equally likely");
    let actual = &judged.mismatches[0].actual;
    assert!(
        actual.starts_with("\"B\" 7")
            && actual.contains("where 400 are due, of 800 characters at places 1, 2, 3 and 4: G is"),
        "{actual}"
    );
    let few = overall(rule.clone(), &biased[..49]);
    assert_eq!(few.not_exercised.as_deref(), Some("only 49 values of user_code, 50 needed"));
    let counted: Vec<String> = (100..300).map(|n| n.to_string()).collect();
    assert!(overall(rule, &answers(counted)).not_exercised.unwrap().contains("in order"));
}
