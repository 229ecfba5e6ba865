//! What a mistake in a suite looks like: one file, one mistake, one message.

use devgrant::catalog::Catalog;
use devgrant::diagnostic::Colour;
use devgrant::yaml::Source;

use crate::repository;

/// The drawing of everything that is wrong with some files.
fn drawn(sources: &[Source]) -> Vec<String> {
    let mistakes = match Catalog::load(sources) {
        Ok(catalog) => catalog.warnings,
        Err(mistakes) => mistakes,
    };
    mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect()
}

#[test]
fn every_broken_suite_has_one_mistake_and_says_what_to_do() {
    let names = repository::names("fixtures/suites-broken");
    assert!(names.len() >= 25, "{names:?}");
    for name in names {
        let text = repository::text(&format!("fixtures/suites-broken/{name}"));
        let drawn = drawn(&[Source { name: name.clone(), text }]);
        assert_eq!(drawn.len(), 1, "{name}:\n{}", drawn.join("\n"));
        assert!(drawn[0].contains("help: "), "{}", drawn[0]);
        insta::assert_snapshot!(name.trim_end_matches(".yaml"), drawn[0]);
    }
}

#[test]
fn two_suites_of_one_id_are_one_mistake() {
    let text = repository::text("suites/3.5-token-response.yaml");
    let first = Source { name: "suites/3.5-token-response.yaml".to_owned(), text };
    let second = Source { name: "mine/token-response.yaml".to_owned(), ..first.clone() };
    let drawn = drawn(&[first, second]);
    assert_eq!(drawn.len(), 1, "{}", drawn.join("\n"));
    insta::assert_snapshot!("two-suites-of-one-id", drawn[0]);
}
