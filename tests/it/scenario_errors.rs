//! What a mistake in a load scenario looks like: one file, one mistake, one message.

use devgrant::diagnostic::{Colour, Diagnostic};
use devgrant::scenario::Scenario;
use devgrant::yaml::Source;

use crate::repository;

fn mistakes(name: &str, text: &str) -> Vec<Diagnostic> {
    Scenario::read(&Source { name: name.to_owned(), text: text.to_owned() }).err().unwrap_or_default()
}

#[test]
fn every_broken_scenario_has_one_mistake_and_says_what_to_do() {
    let names = repository::names("fixtures/scenarios-broken");
    assert!(names.len() >= 40, "{names:?}");
    for name in names {
        let text = repository::text(&format!("fixtures/scenarios-broken/{name}"));
        let drawn: Vec<String> =
            mistakes(&name, &text).iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
        assert_eq!(drawn.len(), 1, "{name}:\n{}", drawn.join("\n"));
        assert!(drawn[0].contains("help: "), "{}", drawn[0]);
        insta::assert_snapshot!(name.trim_end_matches(".yaml"), drawn[0]);
    }
}

#[test]
fn all_mistakes_of_a_file_are_found_at_once() {
    let text = repository::text("suites/load/mixed_soak.yaml")
        .replace("polls: never", "polls: nevr")
        .replace("weight: 2, after: expiry + tol_late", "weight: 2")
        .replace("warm_up: 2 intervals", "warm_up: expiry")
        .replace("violations == 0", "violatons == 0")
        .replace("devices: 2000", "devices: 0");
    let found = mistakes("mixed_soak.yaml", &text);
    let codes: Vec<&str> = found.iter().map(|mistake| mistake.code).collect();
    assert_eq!(
        codes,
        ["instant-for-length", "decision-without-time", "unknown-word", "no-devices", "bad-value"]
    );
    assert!(found.iter().all(|mistake| mistake.place.is_some() && mistake.help.is_some()));
}

#[test]
fn every_shipped_scenario_is_without_mistake_and_bears_its_name() {
    let names = repository::names("suites/load");
    let files: Vec<&String> = names.iter().filter(|name| name.ends_with(".yaml")).collect();
    assert_eq!(files.len(), Scenario::builtin_sources().len(), "embedded: {files:?}");
    for name in files {
        let text = repository::text(&format!("suites/load/{name}"));
        let drawn: String = mistakes(name, &text).iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
        assert_eq!(drawn, "");
        let stem = name.trim_end_matches(".yaml");
        assert_eq!(Scenario::builtin(stem).unwrap().text.replace("\r\n", "\n"), text, "{stem}");
        let scenario = Scenario::read(&Scenario::builtin(stem).unwrap()).unwrap();
        assert_eq!(scenario.scenario, stem);
    }
}
