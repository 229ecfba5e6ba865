//! How an answer stands to another, and how values of the case stand to each other.

use std::collections::BTreeSet;

use super::view::View;
use super::{Scope, describe, show};
use crate::suite::{Expectation, Later, Near};
use crate::timing::Anchor;
use crate::verdict::{Grade, Mismatch};

/// A text with its placeholders filled in, or that a value is not there.
pub(super) fn filled(template: &str, scope: &dyn Scope) -> Result<String, String> {
    scope.fill(template).ok_or_else(|| format!("{template} is not there"))
}

/// `same_as: a`: the class of the named exchange's answer, never its values.
pub(super) fn same_as(name: &str, view: &View<'_>) -> Vec<Mismatch> {
    let expected = |more: &str| format!("the same class of answer as {name}{more}");
    let Some(other) = view.scope.exchange(name) else {
        return vec![view.miss_with(expected(""), format!("the exchange {name} is not there"))];
    };
    let other = View::new(other, view.scope);
    let differences = differences(view, &other);
    if differences.is_empty() {
        return Vec::new();
    }
    let class = format!(" (exchange {}): {}", other.exchange.number, show::answer(other.exchange));
    let actual = format!("{}; {}", differences.join(", "), show::answer(view.exchange));
    vec![view.miss_with(expected(&class), actual)]
}

fn differences(this: &View<'_>, other: &View<'_>) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, this: &str, other: &str| {
        if this != other {
            differences.push(format!("{what} {this}, not {other}"));
        }
    };
    let status =
        |view: &View<'_>| view.answer().map_or("none".to_owned(), |answer| answer.status.to_string());
    compare("status", &status(this), &status(other));
    compare("outcome", this.outcome.word(), other.outcome.word());
    let error = |view: &View<'_>| view.error().map_or("none".to_owned(), |error| show::short(error, 40));
    compare("error", &error(this), &error(other));
    let names = |view: &View<'_>| -> BTreeSet<String> {
        view.members.iter().flat_map(|members| members.keys().cloned()).collect()
    };
    let (here, there) = (names(this), names(other));
    for (word, names) in [("with", &here - &there), ("without", &there - &here)] {
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| show::short(name, 40)).collect();
            differences.push(format!("{word} {}", show::joined(&names, "and")));
        }
    }
    differences
}

/// `same`, `differ`, `near`, `later` and `target`: what looks at the case and at no answer.
pub(super) fn of_case(expectation: &Expectation, scope: &dyn Scope) -> Vec<Mismatch> {
    let actual = match expectation {
        Expectation::Same(texts) => same(texts, scope),
        Expectation::Differ(texts) => differ(texts, scope),
        Expectation::Near(rule) => near(rule, scope),
        Expectation::Later(rule) => later(rule, scope),
        Expectation::Target(rule) => {
            (!scope.has(rule.has)).then(|| format!("the target has no {}", rule.has))
        }
        _ => None,
    };
    let mismatch = actual.map(|actual| Mismatch {
        grade: Grade::Mismatch,
        expected: describe(expectation),
        actual,
        because: None,
        exchange: None,
    });
    mismatch.into_iter().collect()
}

fn same(texts: &[String], scope: &dyn Scope) -> Option<String> {
    let values = match all_filled(texts, scope) {
        Ok(values) => values,
        Err(missing) => return Some(missing),
    };
    let differ = values.windows(2).any(|pair| matches!(pair, [(_, a), (_, b)] if a != b));
    differ.then(|| shown(&values))
}

fn differ(texts: &[String], scope: &dyn Scope) -> Option<String> {
    let values = match all_filled(texts, scope) {
        Ok(values) => values,
        Err(missing) => return Some(missing),
    };
    let distinct: BTreeSet<_> = values.iter().map(|(_, value)| value).collect();
    (distinct.len() < values.len()).then(|| shown(&values))
}

fn all_filled<'t>(texts: &'t [String], scope: &dyn Scope) -> Result<Vec<(&'t str, String)>, String> {
    texts.iter().map(|template| Ok((template.as_str(), filled(template, scope)?))).collect()
}

fn shown(values: &[(&str, String)]) -> String {
    let shown: Vec<_> = values
        .iter()
        .map(|(template, value)| match *template == value {
            true => show::text(value),
            false => format!("{template} is {}", show::filled(template, value)),
        })
        .collect();
    show::joined(&shown, "and")
}

/// Two numbers or instants, or that one of them is none.
fn instants(texts: [&String; 2], scope: &dyn Scope) -> Result<[f64; 2], String> {
    let mut found = [0.0; 2];
    for (number, text) in found.iter_mut().zip(texts) {
        match scope.instant(text).filter(|number| number.is_finite()) {
            Some(instant) => *number = instant,
            None => return Err(format!("{text} is not there, or not a number")),
        }
    }
    Ok(found)
}

fn later(rule: &Later, scope: &dyn Scope) -> Option<String> {
    let [a, than] = match instants([&rule.a, &rule.than], scope) {
        Ok(found) => found,
        Err(missing) => return Some(missing),
    };
    let is_later = a > than;
    (!is_later)
        .then(|| format!("{} is {} and {} is {}", rule.a, show::number(a), rule.than, show::number(than)))
}

fn near(rule: &Near, scope: &dyn Scope) -> Option<String> {
    let is_anchor = |text: &str| Anchor::ALL.iter().any(|anchor| anchor.word() == text);
    if [&rule.a, &rule.b].into_iter().any(|text| is_anchor(text) && scope.instant(text).is_none()) {
        // An end that was never announced leaves nothing to compare with.
        return None;
    }
    let [a, b] = match instants([&rule.a, &rule.b], scope) {
        Ok(found) => found,
        Err(missing) => return Some(missing),
    };
    let apart = (a - b).abs();
    // Written so that a bound that is no number at all is missed, not passed.
    let is_near = apart <= scope.seconds(&rule.within);
    (!is_near).then(|| {
        format!(
            "{} is {} and {} is {}: {} apart",
            rule.a,
            show::number(a),
            rule.b,
            show::number(b),
            show::number(apart)
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::judge;
    use super::super::stage::{answered, expectations, findings, overall, stage, unanswered};

    #[test]
    fn answers_of_one_class_are_the_same() {
        let codes = r#"{"device_code":"d","user_code":"A","verification_uri":"https://x/"}"#;
        let refused = r#"{"error":"invalid_scope"}"#;
        let mut stage = stage();
        stage.exchanges.insert("codes", answered(1, 200, codes));
        stage.exchanges.insert("refused", answered(2, 400, refused));
        stage.exchanges.insert("silent", unanswered(3));
        let judged = |name: &str, status: u16, body: &str| {
            judge(&expectations(json!([{ "same_as": name }])), &answered(9, status, body), &stage)
        };
        let other = r#"{"device_code":"e","user_code":"B","verification_uri":"https://y/"}"#;
        assert_eq!(judged("codes", 200, other), []);
        assert_eq!(judged("refused", 400, refused), []);
        for (name, status, body, difference) in [
            ("codes", 201, other, "status 201, not 200; 201"),
            (
                "codes",
                400,
                refused,
                "status 400, not 200, outcome refused, not codes, error invalid_scope, not none",
            ),
            ("refused", 400, r#"{"error":"invalid_grant"}"#, "error invalid_grant, not invalid_scope; "),
            ("refused", 400, r#"{"error":"invalid_scope","error_uri":"x"}"#, "with error_uri; "),
            (
                "codes",
                200,
                r#"{"device_code":"d","user_code":"A","verification_url":"x"}"#,
                "with verification_url, without verification_uri; ",
            ),
            ("silent", 400, refused, "status 400, not none, outcome refused, not broken"),
            ("nobody", 400, refused, "the exchange nobody is not there"),
        ] {
            let found = judged(name, status, body);
            assert!(found[0].actual.starts_with(difference), "{name} {body}: {}", found[0].actual);
        }
        let expected = &judged("refused", 400, "")[0].expected;
        assert_eq!(
            expected,
            r#"the same class of answer as refused (exchange 2): 400  {"error":"invalid_scope"}"#
        );
        assert_eq!(judge(&expectations(json!([{ "same_as": "silent" }])), &unanswered(4), &stage), []);
    }

    #[test]
    fn values_of_the_case_are_compared() {
        for (written, actual) in [
            (json!({ "same": ["{tv.verification_uri}", "{other.verification_uri}"] }), None),
            (
                json!({ "same": ["{tv.verification_uri}", "{third.verification_uri}"] }),
                Some(
                    "{tv.verification_uri} is \"https://example.com/device\" and {third.verification_uri} is \"https://example.org/device\"",
                ),
            ),
            (
                json!({ "same": ["{tv.user_code}", "{nobody.user_code}"] }),
                Some("{nobody.user_code} is not there"),
            ),
            (json!({ "differ": ["{tv.verification_uri}", "{third.verification_uri}"] }), None),
            (
                json!({ "differ": ["{tv.user_code}", "x", "{tv.user_code}"] }),
                Some("{tv.user_code} is \"WDJB-MJHT\", \"x\" and {tv.user_code} is \"WDJB-MJHT\""),
            ),
            (json!({ "near": { "a": "{t.exp}", "b": "token_expiry", "within": "3 s" } }), None),
            (
                json!({ "near": { "a": "{t.exp}", "b": "token_expiry", "within": "2 s" } }),
                Some("{t.exp} is 1000 and token_expiry is 1003: 3 apart"),
            ),
            (
                json!({ "near": { "a": "{tv.user_code}", "b": "token_expiry", "within": "2 s" } }),
                Some("{tv.user_code} is not there, or not a number"),
            ),
            // Nothing was announced.
            (json!({ "near": { "a": "{t.exp}", "b": "expiry", "within": "2 s" } }), None),
            (json!({ "target": { "has": "polling" } }), None),
            (json!({ "target": { "has": "denial" } }), Some("the target has no denial")),
            (json!({ "not": { "target": { "has": "denial" } } }), None),
            (json!({ "not": { "target": { "has": "polling" } } }), Some("it holds")),
            (json!({ "any_of": [[{ "target": { "has": "denial" } }], [{ "same": ["a", "a"] }]] }), None),
        ] {
            // Asked once about the case, with answers or without.
            for answers in [vec![], vec![answered(1, 200, "{}"), answered(2, 200, "{}")]] {
                let found = overall(Value::Array(vec![written.clone()]), &answers);
                let found_actual = found.mismatches.first().map(|mismatch| mismatch.actual.as_str());
                assert_eq!((found_actual, found.not_exercised), (actual, None), "{written}");
                assert!(found.mismatches.len() < 2, "{written}");
            }
            if !written.to_string().contains("not\"") {
                assert_eq!(
                    findings(Value::Array(vec![written.clone()]), &answered(1, 200, "")).is_empty(),
                    actual.is_none()
                );
            }
        }
        let found = findings(json!([{ "same": ["{tv.device_code}", "x"] }]), &answered(1, 200, ""));
        assert!(found[0].actual.starts_with("{tv.device_code} is ‹32 chars"), "{}", found[0].actual);
    }
}
