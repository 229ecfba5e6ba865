//! Our reader of YAML reads what the maintained one reads.

use devgrant::catalog::Catalog;
use devgrant::yaml;
use serde_json::Value;

use crate::repository;

fn compare(name: &str, text: &str) {
    let theirs: Value = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let source = yaml::Source { name: name.to_owned(), text: text.to_owned() };
    let ours = yaml::load::<Value>(&source);
    assert_eq!(ours.diagnostics, [], "{name}");
    assert_eq!(ours.value, Some(theirs), "{name}");
}

#[test]
fn the_shipped_suites_are_read_as_others_read_them() {
    for source in Catalog::builtin_sources() {
        compare(&source.name, &source.text);
    }
    compare("requirements.yaml", &repository::text("suites/requirements.yaml"));
}

#[test]
fn the_targets_are_read_as_others_read_them() {
    for name in repository::names("fixtures/targets") {
        compare(&name, &repository::text(&format!("fixtures/targets/{name}")));
    }
}
