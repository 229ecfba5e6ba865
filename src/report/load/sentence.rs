//! What a load run says about the server, in a sentence.

use crate::record::plural;
use crate::report::span;
use crate::tally::{Ended, Ending, LoadRecord};

/// The judgement.
#[must_use]
pub fn sentence(record: &LoadRecord) -> String {
    let Some(ended) = &record.ended else {
        return "The run has no end: devgrant was killed. What came until then stands above.".to_owned();
    };
    let violations = record.totals.whole.violations.count();
    let checks = record.under_load();
    let red = checks.as_ref().map_or(0, |checks| checks.findings.len());
    let wrong = match (violations, red) {
        (0, 0) => None,
        (0, red) => Some(format!("The server is wrong: {}{}", under_load(red), limited(ended))),
        (violations, 0) => Some(wrong(violations, ended)),
        (violations, red) => Some(format!("{} And {}", wrong(violations, ended), under_load(red))),
    };
    let because = ended.because.as_deref().unwrap_or("somebody stopped it");
    match (ended.ending, wrong) {
        (Ending::Interrupted, None) => "Interrupted: what was measured until then stands above.".to_owned(),
        (Ending::Interrupted, Some(wrong)) => format!("Interrupted. {wrong}"),
        (Ending::Refused, _) => format!("Nothing can be judged: {because}."),
        (Ending::Aborted, None) => format!("Ended before its time: {because}."),
        (Ending::Aborted, Some(wrong)) => format!("Ended before its time: {because}. {wrong}"),
        (Ending::Complete, Some(wrong)) => wrong,
        (Ending::Complete, None) => complete(ended, checks.and_then(|checks| checks.doubt).as_deref()),
    }
}

/// `2 cases are red under load alone.`
fn under_load(red: usize) -> String {
    format!("{red} {} red under load alone.", plural(red, "case is", "cases are"))
}

fn wrong(violations: u64, ended: &Ended) -> String {
    let of_times = || ended.thresholds.iter().filter(|verdict| verdict.threshold.contains('('));
    let is_fast = of_times().next().is_some() && of_times().all(|verdict| verdict.verdict == "met");
    let count = span::count(violations);
    let word = if violations == 1 { "violation" } else { "violations" };
    let how = if is_fast { "fast and wrong" } else { "wrong" };
    format!("The server is {how}: {count} {word}.{}", limited(ended))
}

fn complete(ended: &Ended, doubt: Option<&str>) -> String {
    let with = |word: &str| ended.thresholds.iter().filter(|verdict| verdict.verdict == word).count();
    let (missed, open) = (with("missed"), with("not judged"));
    if missed > 0 {
        let word = plural(missed, "threshold", "thresholds");
        format!("The server misses {missed} {word}.{}", limited(ended))
    } else if !ended.limit.is_empty() {
        format!("No time and no rate is judged: the generator was the limit ({}).", ended.limit.join("; "))
    } else if open > 0 {
        let word = plural(open, "threshold was", "thresholds were");
        format!("{open} {word} not judged, because nothing happened that they speak of.")
    } else if let Some(doubt) = doubt {
        format!("The checks say nothing about the server under load: {doubt}.")
    } else if ended.exit == 0 {
        "Every answer was right, and every threshold is met.".to_owned()
    } else {
        "Nothing was judged: no request was answered.".to_owned()
    }
}

fn limited(ended: &Ended) -> &'static str {
    if ended.limit.is_empty() { "" } else { " Times and rates are not judged: the generator was the limit." }
}
