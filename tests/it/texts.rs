//! What `list`, `explain` and `validate` say.

use devgrant::catalog::{Catalog, Selection};
use devgrant::cli::{
    explain::explain,
    list::{Marked, list},
    validate::validate,
};
use devgrant::diagnostic::{Colour, Diagnostic};
use devgrant::yaml::Source;

const SUITE: &str = r#"suite: polling
title: What a device is told while it waits and when the user has decided, which is most of the grant
checks:
  # while it waits
  - id: pending-before-decision
    title: A poll before the user decides is answered authorization_pending
    level: must
    requirements: [RFC8628-3.5-c]
    why: Any other answer makes the device stop polling, and the session is lost.
    steps:
      - authorize: { as: tv }
      - poll: { session: tv, expect: [{ outcome: pending }] }

  - id: device-code-is-looked-at
    title: A device code that was never issued is refused
    severity: critical
    requirements: [RFC6749-5.2-g, INV-3]
    needs: [approval]
    why: Otherwise anybody gets a token.
    each:
      - { variant: empty, at: probe, empty: [device_code] }
      - variant: changed
        at: probe
        alter: { device_code: last-char }
        expect: [{ error: { is: invalid_grant, acceptable: invalid_request, because: "a checksum may fail first" } }]
    steps:
      - authorize: { as: tv }
      - approve: { session: tv }
      - poll:
          name: probe
          session: tv
          expect:
            - error: { is: invalid_grant, warn: [other], because: "refused, but the word misleads" }
      - poll_until:
          session: tv
          outcome: granted
          by: { is: poll 1, acceptable: propagation, because: "another node may hear of the decision a moment later" }
"#;

fn load(text: &str) -> Result<Catalog, Vec<Diagnostic>> {
    Catalog::load(&[Source { name: "polling.yaml".to_owned(), text: text.to_owned() }])
}

#[test]
fn checks_are_listed_by_suite() {
    let catalog = load(SUITE).unwrap();
    insta::assert_snapshot!(list(&catalog, &Selection::default(), Marked::Nothing, 100).unwrap());
    insta::assert_snapshot!(
        "narrow_list",
        list(&catalog, &Selection::default(), Marked::Nothing, 50).unwrap()
    );
    let one = Selection { checks: vec!["*before*".to_owned()], ..Selection::default() };
    let text = list(&catalog, &one, Marked::Nothing, 100).unwrap();
    assert!(
        text.ends_with("1 of 2 checks in 1 suite; devgrant explain <check> tells all about one\n"),
        "{text}"
    );
}

#[test]
fn a_check_is_explained_on_one_page() {
    let catalog = load(SUITE).unwrap();
    insta::assert_snapshot!(explain(&catalog, "polling/device-code-is-looked-at[empty]", 80).unwrap());
    assert_eq!(
        explain(&catalog, "pending-before-decision", 80).unwrap().lines().next().unwrap(),
        "polling/pending-before-decision"
    );
}

#[test]
fn an_unknown_check_brings_those_that_come_near() {
    let error = |id| explain(&load(SUITE).unwrap(), id, 80).unwrap_err();
    assert_eq!(
        error("poling/pending-before-decision"),
        "there is no check and no requirement \"poling/pending-before-decision\"; did you mean one of these?\n  polling/pending-before-decision"
    );
    assert_eq!(
        error("polling"),
        "there is no check and no requirement \"polling\"; did you mean one of these?\n  polling/pending-before-decision\n  \
         polling/device-code-is-looked-at"
    );
    assert!(
        error("zzzzzz").starts_with("there is no check and no requirement \"zzzzzz\"\nhelp: devgrant list ")
    );
}

#[test]
fn validation_ends_with_what_was_found() {
    let said = |text: &str| validate(&load(text), 1, Colour::Plain);
    assert_eq!(said(SUITE), "1 file, 2 checks, no mistakes\n");
    let renamed = said(&SUITE.replace("suite: polling", "suite: waiting"));
    assert!(renamed.ends_with("\n\n1 file, 2 checks, no errors, 1 warning\n"), "{renamed}");
    let broken = said(&SUITE.replace("outcome: pending", "outcome: pendng"));
    assert!(broken.ends_with("\n\n1 error in 1 of 1 file; nothing was run\n"), "{broken}");
}
