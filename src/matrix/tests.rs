//! The reviewed matrix as a file: complete, in order, and every mistake of it has a place.

use super::*;

fn catalog() -> Catalog {
    Catalog::builtin().unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    let source = Source { name: FILE.to_owned(), text: text.to_owned() };
    let mistakes = Matrix::read(&source, &catalog()).unwrap_err();
    // What is left out of so short a file is not what is asked here.
    mistakes
        .into_iter()
        .filter(|mistake| mistake.code != "not-reviewed")
        .map(|mistake| mistake.message)
        .collect()
}

fn tripped(checks: &[(&str, &[Verdict])]) -> Tripped {
    checks.iter().map(|(check, is)| ((*check).to_owned(), is.iter().copied().collect())).collect()
}

const PENDING: &str = "token-response/pending-before-decision";
const FORM: &str = "token-request/form-is-understood";

#[test]
fn every_fault_is_reviewed_and_the_file_is_as_it_would_be_written() {
    let matrix = Matrix::builtin(&catalog()).unwrap_or_else(|mistakes| {
        panic!(
            "{}",
            mistakes.iter().map(|m| m.draw(crate::diagnostic::Colour::Plain)).collect::<Vec<_>>().join("\n")
        )
    });
    let written = matrix.text();
    let unlike = written.lines().zip(REVIEWED.lines()).find(|(written, found)| written != found);
    assert_eq!(unlike, None, "devgrant selftest --write {FILE} writes the first");
    assert_eq!(written.len(), REVIEWED.len());
}

#[test]
fn every_must_level_check_is_tripped_by_some_fault() {
    let catalog = catalog();
    let matrix = Matrix::builtin(&catalog).unwrap();
    let untripped: Vec<&str> = matrix.untripped(&catalog).iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(untripped, Vec::<&str>::new(), "add a fault for each, and review what it trips");
    for id in OVER_TLS_ONLY {
        assert!(catalog.get(id).is_some(), "{id} is no check any more: take it out of OVER_TLS_ONLY");
    }
}

#[test]
fn no_must_level_check_can_be_taken_away_unnoticed() {
    let mut without = catalog();
    let is_must = |entry: &Entry| entry.weight == Weight::Level(Level::Must);
    let (musts, rest): (Vec<Entry>, Vec<Entry>) = without.entries.into_iter().partition(is_must);
    without.entries = rest;
    let missed = Matrix::builtin(&without).unwrap_err();
    for must in musts.iter().filter(|must| !OVER_TLS_ONLY.contains(&must.id.as_str())) {
        let message = format!("there is no check \"{}\"", must.id);
        assert!(missed.iter().any(|mistake| mistake.message == message), "{} is in no row", must.id);
    }
}

#[test]
fn a_mistake_is_named() {
    for (text, mistake) in [
        (
            "no-such-fault:\n  caught_by: { token-request/form-is-understood: fail }\n",
            "there is no fault \"no-such-fault\"",
        ),
        ("pending-without-a-body:\n  caught_by: {}\n", "no check catches \"pending-without-a-body\""),
        (
            "500-under-load:\n  caught_by: { token-request/form-is-understood: fail }\n",
            "\"500-under-load\" shows only under load",
        ),
        (
            "pending-without-a-body:\n  caught_by: { token-request/form-is-understod: fail }\n",
            "there is no check \"token-request/form-is-understod\"",
        ),
        (
            "pending-without-a-body:\n  caught_by: { token-request/form-is-understood: pass }\n",
            "this verdict does not say that token-request/form-is-understood noticed it",
        ),
        (
            "pending-without-a-body:\n  caught_by: { token-request/form-is-understood: fail }\n  also:\n    \
             token-response/pending-before-decision: { is: fail, because: \"\" }\n",
            "token-response/pending-before-decision is tripped without a reason",
        ),
        (
            "pending-without-a-body:\n  caught_by: { token-request/form-is-understood: fail }\n  also:\n    \
             token-request/form-is-understood: { is: fail, because: \"it is\" }\n",
            "token-request/form-is-understood stands under caught_by too",
        ),
    ] {
        assert_eq!(mistakes(text), [mistake]);
    }
}

#[test]
fn what_is_found_otherwise_is_told() {
    let mut matrix = Matrix::default();
    let fault = faults::find("pending-without-a-body").unwrap();
    matrix.take(fault, &tripped(&[(PENDING, &[Verdict::Fail])]));
    let row = &matrix.rows["pending-without-a-body"];
    assert_eq!(row.differences(&tripped(&[(PENDING, &[Verdict::Fail])])), []);
    assert_eq!(row.differences(&Tripped::new()), [Difference::Missing(PENDING.to_owned())]);
    let both = tripped(&[(PENDING, &[Verdict::Warn]), (FORM, &[Verdict::Fail])]);
    assert_eq!(
        row.differences(&both),
        [
            Difference::Unexplained(FORM.to_owned(), [Verdict::Fail].into()),
            Difference::Otherwise(PENDING.to_owned(), [Verdict::Warn].into()),
        ]
    );
}

#[test]
fn taking_in_keeps_the_words_and_asks_for_new_ones() {
    let mut matrix = Matrix::builtin(&catalog()).unwrap();
    let before = matrix.rows["pending-without-a-body"].clone();
    let mut found = tripped(&[(PENDING, &[Verdict::Fail])]);
    found.extend(before.keys().map(|(_, check)| (check.to_owned(), before.verdicts(check).unwrap())));
    matrix.take(faults::find("pending-without-a-body").unwrap(), &found);
    let after = &matrix.rows["pending-without-a-body"];
    assert_eq!(after.caught_by, before.caught_by);
    assert_eq!(after.also[FORM], before.also[FORM]);
    assert_eq!(after.also[PENDING].because, "");
    assert_eq!(after.differences(&found), []);
}

#[test]
fn what_shows_only_under_load_has_no_row_and_may_trip_nothing() {
    let mut matrix = Matrix::builtin(&catalog()).unwrap();
    let fault = faults::find("500-under-load").unwrap();
    let found = tripped(&[(PENDING, &[Verdict::Fail])]);
    assert_eq!(matrix.row(fault).differences(&Tripped::new()), []);
    assert_eq!(
        matrix.row(fault).differences(&found),
        [Difference::Unexplained(PENDING.to_owned(), [Verdict::Fail].into())]
    );
    matrix.take(fault, &found);
    assert!(!matrix.rows.contains_key(fault.id));
}
