use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::super::stage::{answered, overall, stage};
use super::*;
use crate::exchange::Exchange;

/// Answers one after the other.
fn answers(codes: impl IntoIterator<Item = (String, String)>) -> Vec<Exchange> {
    let numbered = (1..).zip(codes);
    let body = |device: &str, user: &str| {
        json!({ "device_code": device, "user_code": user, "verification_uri": "https://x/" }).to_string()
    };
    numbered.map(|(n, (device, user))| answered(n, 200, body(&device, &user))).collect()
}

fn devices(codes: impl IntoIterator<Item = String>) -> Vec<Exchange> {
    answers(codes.into_iter().map(|code| (code, "U".to_owned())))
}

fn rule() -> Value {
    json!([{ "unordered":
        { "of": "device_code", "acceptable": "128 bits", "warn": "64 bits", "because": "some follow" } }])
}

fn hex(dice: &mut StdRng, digits: usize) -> String {
    (0..digits).map(|_| char::from_digit(dice.random_range(0..16), 16).unwrap()).collect()
}

#[test]
fn codes_that_are_drawn_are_never_in_order() {
    for seed in 0..20_000 {
        let mut dice = StdRng::seed_from_u64(seed);
        let codes: Vec<(String, u32)> =
            (0..25).map(|number| (format!("v1.{}", hex(&mut dice, 8)), number)).collect();
        let all = devices(codes.iter().map(|(code, _)| code.clone()).take(1));
        let scope = stage();
        let views: Vec<View<'_>> = all.iter().map(|exchange| View::new(exchange, &scope)).collect();
        assert!(order(CodeKind::DeviceCode, &codes, &views).is_none(), "seed {seed}");
    }
}

#[test]
fn counters_are_found_however_they_are_written() {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let base64 =
        |n: u32| (0..5).rev().map(|place| char::from(DIGITS[(n >> (6 * place)) as usize % 64])).collect();
    let written: [fn(u32) -> String; 4] = [
        |n| format!("device-{n}"),
        |n| format!("{n:08x}-v1"),
        |n| format!("{:08}", 99_999_999 - n),
        |n| format!("{n:08}").chars().rev().collect(),
    ];
    let counted = written.iter().map(|write| devices((80..280).map(write)));
    let counted = counted.chain([devices((80..280).map(base64))]);
    for all in counted {
        let judged = overall(rule(), &all);
        assert_eq!(judged.mismatches.len(), 1, "{}", judged.not_exercised.unwrap_or_default());
        assert_eq!(judged.mismatches[0].grade, Grade::Mismatch);
        assert_eq!(judged.mismatches[0].expected, "device_code that shows no order of issue");
        assert!(judged.mismatches[0].because.is_none());
    }
}

#[test]
fn a_time_in_front_is_tolerated_by_what_follows() {
    let mut dice = StdRng::seed_from_u64(1);
    for (digits, grade) in [(40, Grade::Acceptable), (18, Grade::Warn), (6, Grade::Mismatch)] {
        let all = devices(
            (0..200_u32)
                .map(|n| format!("{:012x}{}", 0x0193_7f14_0000 + u64::from(n) * 7, hex(&mut dice, digits))),
        );
        let judged = overall(rule(), &all);
        assert_eq!(judged.mismatches[0].grade, grade, "{}", judged.mismatches[0].actual);
        assert_eq!(judged.mismatches[0].because.is_some(), grade != Grade::Mismatch);
        assert!(
            judged.mismatches[0]
                .actual
                .starts_with("200 of them, asked for one after the other, rise by their first")
        );
    }
    // Whole seconds: several codes share their start.
    let seconds =
        devices((0..200_u32).map(|n| format!("{:08x}{}", 0x6700_0000 + n / 40, hex(&mut dice, 40))));
    assert_eq!(overall(rule(), &seconds).mismatches[0].grade, Grade::Acceptable);
}

#[test]
fn only_requests_that_did_not_overlap_have_an_order() {
    let mut all = devices((80..280).map(|n| n.to_string()));
    for exchange in &mut all {
        exchange.sent = Duration::ZERO;
    }
    let judged = overall(rule(), &all);
    assert_eq!(
        judged.not_exercised.as_deref(),
        Some("only 1 values of device_code were asked for one after the other, 20 needed")
    );
    // Ten lanes of twenty requests each; answers of a lane overtake those of others.
    let mut lanes = devices((0..200_u32).map(|n| format!("{:06}", n ^ 3)));
    for (n, exchange) in (0..).zip(&mut lanes) {
        exchange.sent = Duration::from_millis(n / 10 * 100);
        exchange.done = exchange.sent + Duration::from_millis(50 + n * 7 % 40);
    }
    assert_eq!(overall(rule(), &lanes).mismatches[0].grade, Grade::Mismatch);
    assert!(overall(rule(), &lanes).mismatches[0].actual.starts_with("20 of them"));
}

#[test]
fn a_user_code_within_the_device_code_is_found() {
    let mut dice = StdRng::seed_from_u64(2);
    let rule = json!([{ "unrelated":
        { "of": "device_code", "to": "user_code", "acceptable": "128 bits", "because": "the rest is unknown" } }]);
    let mut sample = |digits: usize, related: bool, fixed: &str| {
        let pairs: Vec<_> = (0..200)
            .map(|_| {
                let code = hex(&mut dice, digits);
                let user = if related { code[..8].to_uppercase() } else { hex(&mut dice, 8).to_uppercase() };
                (format!("{fixed}{code}"), format!("{}-{}", &user[..4], &user[4..]))
            })
            .collect();
        overall(rule.clone(), &answers(pairs))
    };
    assert_eq!(sample(64, false, ""), Overall::default());
    assert_eq!(sample(64, true, "").mismatches[0].grade, Grade::Acceptable);
    let short = sample(32, true, "dc_");
    assert_eq!(short.mismatches[0].grade, Grade::Mismatch);
    assert_eq!(short.mismatches[0].expected, "device_code without the user_code in it");
    assert_eq!(
        short.mismatches[0].actual,
        "200 of 200 have 8 or more characters of the user_code in them; the rest has at most 96 bits"
    );
    // A fixed part of both is no relation.
    let fixed = answers(
        (0..200).map(|_| (format!("DEVICE{}", hex(&mut dice, 40)), format!("DEVICE-{}", hex(&mut dice, 6)))),
    );
    assert_eq!(overall(rule, &fixed), Overall::default());
}
