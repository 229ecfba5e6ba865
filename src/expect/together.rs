//! Many answers: one expectation applied to each, and the expectations that look at all of them together.

use std::collections::{BTreeMap, BTreeSet};

use super::view::View;
use super::{
    Overall, Scope, combine, describe, looks_at_all, looks_at_answer, needs_answer, one, relations, sample,
    sequence, show, uniform,
};
use crate::outcome::Outcome;
use crate::secret;
use crate::suite::{CountRule, Expectation, Never, Tokens};
use crate::verdict::{Grade, Mismatch};

/// How many different findings of one expectation stand side by side before they become one with an example.
const MOST_FINDINGS: usize = 5;

/// All of these hold over these answers.
pub(super) fn list(expectations: &[Expectation], views: &[View<'_>], scope: &dyn Scope) -> Overall {
    let mut overall = Overall::default();
    for expectation in expectations {
        let found = judge(expectation, views, scope);
        overall.mismatches.extend(found.mismatches);
        overall.not_exercised = overall.not_exercised.or(found.not_exercised);
    }
    overall
}

fn judge(expectation: &Expectation, views: &[View<'_>], scope: &dyn Scope) -> Overall {
    let as_a_whole = looks_at_all(expectation) || !looks_at_answer(expectation);
    match expectation {
        Expectation::Lenient(lenient) => {
            let found = list(&lenient.expect, views, scope);
            Overall { mismatches: combine::capped(lenient, found.mismatches), ..found }
        }
        Expectation::Not(inner) if as_a_whole => not(inner, views, scope),
        Expectation::AnyOf(alternatives) if as_a_whole => any_of(alternatives, views, scope),
        _ if expectation.is_of_many() => {
            if views.is_empty() {
                return not_exercised("there is no answer to look at");
            }
            whole(expectation, views)
        }
        _ if as_a_whole => found(relations::of_case(expectation, scope)),
        _ => each(expectation, views),
    }
}

fn whole(expectation: &Expectation, views: &[View<'_>]) -> Overall {
    match expectation {
        Expectation::Count(rule) => count(rule, views),
        Expectation::Never(rule) => never(rule, views),
        Expectation::Tokens(rule) => tokens(rule, views),
        Expectation::Distinct(rule) => sample::distinct(rule, views),
        Expectation::Entropy(rule) => sample::entropy(rule, views),
        Expectation::Alphabet(rule) => sample::alphabet(rule, views),
        Expectation::Uniform(rule) => uniform::uniform(rule, views),
        Expectation::Unordered(rule) => sequence::unordered(rule, views),
        Expectation::Unrelated(rule) => sequence::unrelated(rule, views),
        _ => Overall::default(),
    }
}

/// An expectation about many answers, asked of one: what it lacks is then a mismatch, never green.
pub(super) fn of_one(expectation: &Expectation, view: &View<'_>) -> Vec<Mismatch> {
    let mut overall = whole(expectation, std::slice::from_ref(view));
    let lack = overall.not_exercised.map(|reason| view.miss_with(describe(expectation), reason));
    overall.mismatches.extend(lack);
    overall.mismatches
}

/// The answers say too little.
pub(super) fn not_exercised(reason: impl Into<String>) -> Overall {
    Overall { mismatches: Vec::new(), not_exercised: Some(reason.into()) }
}

/// The answers say enough, and this is wrong with them.
pub(super) fn found(mismatches: Vec<Mismatch>) -> Overall {
    Overall { mismatches, not_exercised: None }
}

/// A mismatch of no single answer.
pub(super) fn miss(expected: String, actual: String, exchange: Option<u32>) -> Mismatch {
    Mismatch { grade: Grade::Mismatch, expected, actual, because: None, exchange }
}

fn not(inner: &Expectation, views: &[View<'_>], scope: &dyn Scope) -> Overall {
    let inside = judge(inner, views, scope);
    if inside.not_exercised.is_some() || !inside.mismatches.is_empty() {
        return Overall { mismatches: Vec::new(), ..inside };
    }
    found(vec![miss(describe::not(inner), "it holds".to_owned(), None)])
}

fn any_of(alternatives: &[Vec<Expectation>], views: &[View<'_>], scope: &dyn Scope) -> Overall {
    let (exercised, lacking): (Vec<_>, Vec<_>) = alternatives
        .iter()
        .map(|alternative| list(alternative, views, scope))
        .partition(|overall| overall.not_exercised.is_none());
    let actual: Vec<_> =
        exercised.iter().filter_map(|overall| Some(overall.mismatches.first()?.actual.clone())).collect();
    if let Some(mildest) = combine::mildest(exercised.into_iter().map(|overall| overall.mismatches).collect())
    {
        return found(combine::with_all(alternatives, mildest));
    }
    match lacking.into_iter().find_map(|overall| overall.not_exercised) {
        Some(reason) => not_exercised(reason),
        None => found(vec![miss(describe::any_of(alternatives), actual.join("; "), None)]),
    }
}

/// Applies an expectation to each answer; every distinct finding names its offenders.
fn each(expectation: &Expectation, views: &[View<'_>]) -> Overall {
    let speaks = |view: &&View<'_>| view.answer().is_some() || !needs_answer(expectation);
    let mut looked_at = views.iter().filter(speaks).peekable();
    if looked_at.peek().is_none() {
        return not_exercised(match views.len() {
            0 => "there is no answer to look at".to_owned(),
            1 => "the one answer never came".to_owned(),
            all => format!("none of the {all} answers came"),
        });
    }
    // By expectation and grade, in the order they turned up; in each by what came.
    let mut findings: Vec<(Mismatch, Vec<Seen>)> = Vec::new();
    for view in looked_at {
        for mismatch in one(expectation, view) {
            let same = |(known, _): &&mut (Mismatch, Vec<Seen>)| {
                known.grade == mismatch.grade
                    && known.expected == mismatch.expected
                    && known.because == mismatch.because
            };
            let number = view.exchange.number;
            match findings.iter_mut().find(same) {
                Some((_, seen)) => add(seen, &mismatch.actual, number),
                None => {
                    let mut seen = Vec::new();
                    add(&mut seen, &mismatch.actual, number);
                    findings.push((mismatch, seen));
                }
            }
        }
    }
    found(findings.into_iter().flat_map(|(mismatch, seen)| merged(&mismatch, seen)).collect())
}

/// One thing that came, and in which exchanges.
struct Seen {
    key: String,
    actual: String,
    numbers: BTreeSet<u32>,
}

fn add(all: &mut Vec<Seen>, actual: &str, number: u32) {
    let key = without_fingerprints(actual);
    if let Some(seen) = all.iter_mut().find(|seen| seen.key == key) {
        seen.numbers.insert(number);
    } else {
        all.push(Seen { key, actual: actual.to_owned(), numbers: BTreeSet::from([number]) });
    }
}

/// Two answers that differ only in redacted values are one finding.
fn without_fingerprints(actual: &str) -> String {
    let mut inside = false;
    let kept = actual.chars().filter(|c| {
        inside = (inside || *c == '‹') && *c != '›';
        !inside
    });
    kept.collect()
}

fn merged(mismatch: &Mismatch, seen: Vec<Seen>) -> Vec<Mismatch> {
    let with = |actual: String, numbers: &BTreeSet<u32>| Mismatch {
        actual,
        exchange: numbers.first().copied(),
        ..mismatch.clone()
    };
    if seen.len() <= MOST_FINDINGS {
        let side_by_side = seen
            .iter()
            .map(|seen| with(format!("{} ({})", seen.actual, show::numbers(&seen.numbers)), &seen.numbers));
        return side_by_side.collect();
    }
    let kinds = seen.len();
    let all: BTreeSet<u32> = seen.iter().flat_map(|seen| seen.numbers.iter().copied()).collect();
    let example = seen.into_iter().next().map(|seen| seen.actual).unwrap_or_default();
    vec![with(format!("{kinds} different findings, such as {example} ({})", show::numbers(&all)), &all)]
}

fn of_outcome<'v, 'a>(outcomes: &[Outcome], views: &'v [View<'a>]) -> Vec<&'v View<'a>> {
    views.iter().filter(|view| outcomes.contains(&view.outcome)).collect()
}

fn offenders(views: &[&View<'_>]) -> BTreeSet<u32> {
    views.iter().map(|view| view.exchange.number).collect()
}

/// `count: { outcome: pending, at_least: 20 }`
fn count(rule: &CountRule, views: &[View<'_>]) -> Overall {
    let hits = of_outcome(&rule.outcome, views);
    let have = u32::try_from(hits.len()).unwrap_or(u32::MAX);
    let word = describe::outcomes(&rule.outcome);
    if let Some(least) = rule.at_least.filter(|least| have < *least) {
        let only = if have == 0 { "no".to_owned() } else { format!("only {have}") };
        return not_exercised(format!(
            "{only} {word} {}, {least} needed",
            show::plural(hits.len(), "answer", "answers")
        ));
    }
    match rule.at_most.filter(|most| have > *most) {
        None => Overall::default(),
        Some(_) => {
            let numbers = offenders(&hits);
            let actual = format!("{have} of {} answers ({})", views.len(), show::numbers(&numbers));
            found(vec![miss(describe::count(rule), actual, numbers.first().copied())])
        }
    }
}

/// `never: { outcome: slow_down, samples: 20 }`: a hit is a hit however few the samples; that there was none says
/// something only when enough were looked at.
fn never(rule: &Never, views: &[View<'_>]) -> Overall {
    let hits = of_outcome(&rule.outcome, views);
    if let Some(first) = hits.first() {
        let numbers = offenders(&hits);
        let actual = format!(
            "{} of {} answers ({}): {}",
            hits.len(),
            views.len(),
            show::numbers(&numbers),
            show::answer(first.exchange)
        );
        return found(vec![miss(describe::never(rule), actual, numbers.first().copied())]);
    }
    let looked_at = views.iter().filter(|view| view.answer().is_some()).count();
    if u32::try_from(looked_at).unwrap_or(u32::MAX) < rule.samples {
        let answers = show::plural(looked_at, "answer", "answers");
        return not_exercised(format!("only {looked_at} {answers} to look at, {} needed", rule.samples));
    }
    Overall::default()
}

/// `tokens: { of: tv, is: 1 }`
fn tokens(rule: &Tokens, views: &[View<'_>]) -> Overall {
    let mut sets: BTreeMap<(&str, Option<&str>), &View<'_>> = BTreeMap::new();
    for view in views.iter().filter(|view| view.outcome == Outcome::Granted) {
        let access_token = view.text("access_token").unwrap_or_default();
        sets.entry((access_token, view.text("refresh_token"))).or_insert(view);
    }
    if u32::try_from(sets.len()).is_ok_and(|have| have == rule.is) {
        return Overall::default();
    }
    let mut first_seen: Vec<_> = sets.into_iter().collect();
    first_seen.sort_by_key(|(_, view)| (view.exchange.done, view.exchange.number));
    let start = first_seen.first().map(|(_, view)| view.exchange.done).unwrap_or_default();
    let shown: Vec<_> = first_seen
        .iter()
        .take(MOST_FINDINGS)
        .enumerate()
        .map(|(nth, ((access_token, _), view))| {
            let later = view.exchange.done.saturating_sub(start).as_millis();
            let when = if nth == 0 { String::new() } else { format!(" {later} ms later") };
            format!("{} in exchange {}{when}", secret::redact(access_token), view.exchange.number)
        })
        .collect();
    let mut actual = match first_seen.len() {
        0 => format!("none in {} {}", views.len(), show::plural(views.len(), "answer", "answers")),
        have => format!("{have}: {}", shown.join(", ")),
    };
    if first_seen.len() > shown.len() {
        actual.push_str(&format!(" and {} more", first_seen.len() - shown.len()));
    }
    let exchange = first_seen.iter().map(|(_, view)| view.exchange.number).nth(1);
    let first = first_seen.first().map(|(_, view)| view.exchange.number);
    let mismatch = miss(describe::tokens(rule), actual, exchange.or(first));
    found(vec![Mismatch { because: rule.because.clone(), ..mismatch }])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stage::{answered, findings, overall, unanswered, with_headers};
    use crate::exchange::Exchange;
    use crate::verdict::Grade;

    const PENDING: &str = r#"{"error":"authorization_pending"}"#;
    const SLOW_DOWN: &str = r#"{"error":"slow_down"}"#;

    fn many(count: u32, status: u16, body: &str) -> Vec<Exchange> {
        (1..=count).map(|number| answered(number, status, body)).collect()
    }

    #[test]
    fn every_distinct_finding_names_its_offenders() {
        let mut all = many(7, 401, PENDING);
        all.extend([answered(8, 400, PENDING), answered(9, 200, SLOW_DOWN), unanswered(10)]);
        let judged = overall(json!([{ "status": 400 }, { "content_type": "application/json" }]), &all);
        assert_eq!(judged.not_exercised, None);
        let shown: Vec<_> = judged.mismatches.iter().map(|m| (m.actual.as_str(), m.exchange)).collect();
        assert_eq!(
            shown,
            [
                ("401  {\"error\":\"authorization_pending\"} (exchanges 1, 2, 3, 4, 5 and 2 more)", Some(1)),
                ("200  {\"error\":\"slow_down\"} (exchange 9)", Some(9)),
            ]
        );
        // What differs in a secret only is one finding; what differs in many ways is one with an example.
        let tokens: Vec<_> =
            (1..=3).map(|n| answered(n, 201, format!(r#"{{"access_token":"token-{n}"}}"#))).collect();
        let judged = overall(json!([{ "status": 200 }]), &tokens);
        assert_eq!(judged.mismatches.len(), 1);
        assert!(judged.mismatches[0].actual.ends_with("(exchanges 1, 2 and 3)"), "{judged:?}");
        let codes: Vec<_> = (1..=9).map(|n| answered(n, 200, format!(r#"{{"user_code":"é{n}"}}"#))).collect();
        let judged = overall(json!([{ "member": { "user_code": { "charset": "typeable" } } }]), &codes);
        assert_eq!(judged.mismatches.len(), 1);
        assert_eq!(
            judged.mismatches[0].actual,
            "9 different findings, such as the string \"é1\": 'é' at character 1 (exchanges 1, 2, 3, 4, 5 and 4 more)"
        );
    }

    #[test]
    fn grades_are_kept_apart_and_capped_by_lenient() {
        let all = [answered(1, 401, PENDING), answered(2, 403, PENDING), answered(3, 400, PENDING)];
        let status = json!({ "status": { "is": 400, "warn": 403, "because": "A4" } });
        let grades =
            |written| -> Vec<_> { overall(written, &all).mismatches.iter().map(|m| m.grade).collect() };
        assert_eq!(grades(json!([status])), [Grade::Mismatch, Grade::Warn]);
        let milder = json!({ "status": { "is": 400, "acceptable": 401, "warn": 403, "because": "A4" } });
        assert_eq!(grades(json!([milder])), [Grade::Acceptable, Grade::Warn]);
        let lenient = json!([{ "lenient": { "grade": "acceptable", "because": "x", "expect": [status] } }]);
        assert_eq!(grades(lenient), [Grade::Acceptable, Grade::Acceptable]);
    }

    #[test]
    fn nothing_to_look_at_is_never_green() {
        for written in [
            json!([{ "status": 400 }]),
            json!([{ "count": { "outcome": "pending", "at_most": 3 } }]),
            json!([{ "never": { "outcome": "pending", "samples": 1 } }]),
            json!([{ "tokens": { "of": "tv", "is": 0 } }]),
            json!([{ "distinct": { "of": "user_code" } }]),
            json!([{ "entropy": { "of": "user_code", "is": "34 bits" } }]),
            json!([{ "not": { "outcome": "granted" } }]),
            json!([{ "not": { "never": { "outcome": "pending", "samples": 1 } } }]),
            json!([{ "any_of": [[{ "distinct": { "of": "user_code" } }], [{ "count": { "outcome": "codes", "at_least": 1 } }]] }]),
            json!([{ "lenient": { "grade": "warn", "because": "x", "expect": [{ "distinct": { "of": "user_code" } }] } }]),
        ] {
            let judged = overall(written.clone(), &[]);
            assert!(judged.not_exercised.is_some() && judged.mismatches.is_empty(), "{written}");
        }
        // Answers that never came are the matter of what speaks of them.
        let silent = [unanswered(1), unanswered(2)];
        let judged = overall(json!([{ "status": 400 }]), &silent);
        assert_eq!(judged.not_exercised.as_deref(), Some("none of the 2 answers came"));
        let judged = overall(json!([{ "not": { "outcome": "broken" } }]), &silent);
        assert_eq!(judged.mismatches[0].actual, "no answer within 30 s (exchanges 1 and 2)");
        let judged =
            overall(json!([{ "any_of": [[{ "outcome": "broken" }], [{ "status": 400 }]] }]), &silent);
        assert_eq!(judged, super::Overall::default());
    }

    #[test]
    fn counting_needs_enough_answers() {
        let seven = many(7, 400, PENDING);
        let judged = overall(json!([{ "count": { "outcome": "pending", "at_least": 20 } }]), &seven);
        assert_eq!(judged.not_exercised.as_deref(), Some("only 7 pending answers, 20 needed"));
        let judged =
            overall(json!([{ "count": { "outcome": ["slow_down", "limited"], "at_least": 1 } }]), &seven);
        assert_eq!(judged.not_exercised.as_deref(), Some("no slow_down or limited answers, 1 needed"));
        let judged =
            overall(json!([{ "count": { "outcome": "pending", "at_least": 7, "at_most": 7 } }]), &seven);
        assert_eq!(judged, super::Overall::default());
        let judged = overall(json!([{ "count": { "outcome": "pending", "at_most": 6 } }]), &seven);
        assert_eq!(judged.mismatches[0].expected, "at most 6 pending answers");
        assert_eq!(judged.mismatches[0].actual, "7 of 7 answers (exchanges 1, 2, 3, 4, 5 and 2 more)");

        let never = json!([{ "never": { "outcome": "slow_down", "samples": 7 } }]);
        assert_eq!(overall(never.clone(), &seven), super::Overall::default());
        let judged = overall(never.clone(), &seven[..6]);
        assert_eq!(judged.not_exercised.as_deref(), Some("only 6 answers to look at, 7 needed"));
        // One hit proves the opposite however few were looked at.
        let judged = overall(never, &[answered(1, 400, PENDING), answered(2, 400, SLOW_DOWN)]);
        assert_eq!(judged.not_exercised, None);
        assert_eq!(judged.mismatches[0].expected, "never slow_down in 7 answers");
        assert_eq!(
            judged.mismatches[0].actual,
            "1 of 2 answers (exchange 2): 400  {\"error\":\"slow_down\"}"
        );
        assert_eq!(judged.mismatches[0].exchange, Some(2));
    }

    #[test]
    fn token_sets_are_counted_by_both_tokens() {
        let granted = |number, access: &str, refresh: &str| {
            answered(number, 200, format!(r#"{{"access_token":"{access}","refresh_token":"{refresh}"}}"#))
        };
        let one = json!([{ "tokens": { "of": "tv", "is": 1, "because": "distinct sets" } }]);
        let same = [granted(1, "aaaaaaaa", "r"), answered(2, 400, SLOW_DOWN), granted(3, "aaaaaaaa", "r")];
        assert_eq!(overall(one.clone(), &same), super::Overall::default());
        let two = [granted(3, "aaaaaaaa", "s"), granted(1, "aaaaaaaa", "r"), answered(2, 400, SLOW_DOWN)];
        let judged = overall(one.clone(), &two);
        let found = &judged.mismatches[0];
        assert_eq!((found.expected.as_str(), found.exchange), ("1 distinct token set for tv", Some(3)));
        assert!(found.actual.starts_with("2: ‹8 chars #"), "{}", found.actual);
        assert!(found.actual.ends_with("› in exchange 3 200 ms later"), "{}", found.actual);
        assert_eq!(found.because.as_deref(), Some("distinct sets"));
        let judged = overall(one, &many(8, 400, SLOW_DOWN));
        assert_eq!(judged.mismatches[0].actual, "none in 8 answers");
        assert_eq!(judged.mismatches[0].exchange, None);
    }

    #[test]
    fn one_answer_asked_for_many_is_not_green() {
        let one = answered(1, 400, PENDING);
        let found = findings(json!([{ "never": { "outcome": "granted", "samples": 5 } }]), &one);
        assert_eq!(found[0].actual, "only 1 answer to look at, 5 needed");
        assert_eq!(findings(json!([{ "count": { "outcome": "pending", "at_least": 1 } }]), &one), []);
        let headers = with_headers(1, 200, &[], "");
        assert_eq!(findings(json!([{ "tokens": { "of": "tv", "is": 1 } }]), &headers).len(), 1);
    }
}
