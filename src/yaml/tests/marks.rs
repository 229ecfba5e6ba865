//! Paths lead to places, also when parts were left out.

use super::types::{Menu, read};
use crate::diagnostic::Place;
use crate::yaml::{Loaded, Segment};

const TEXT: &str = "\
menu: lunch
dishes:
  - { id: a, rank: frist }
  - id: b
    rank: last
    hot: maybe
    tags: [\"{tv2.code} for {tv.code}\", plain]
    steps:
      - cook:
          expect: [{ taste: swete }, { taste: sweet }]
      - season: { with: >
          salt and
          pepper }
";

fn loaded() -> Loaded<Menu> {
    read(TEXT)
}

fn path(text: &str) -> Vec<Segment> {
    let parts = text.split('.').filter(|part| !part.is_empty());
    parts.map(|part| part.parse::<usize>().map_or_else(|_| part.into(), Segment::from)).collect()
}

fn token(place: Option<Place>) -> String {
    let place = place.unwrap();
    let token: String = place.text.chars().skip(place.column - 1).take(place.width).collect();
    format!("{}:{} {token}", place.line, place.column)
}

#[test]
fn a_path_counts_what_is_in_the_value() {
    let loaded = loaded();
    let place = |at: &str| token(loaded.marks.place(&path(at)));
    assert_eq!(loaded.value.as_ref().unwrap().dishes.len(), 1);
    assert_eq!(place(""), "1:1 menu");
    assert_eq!(place("menu"), "1:7 lunch");
    assert_eq!(place("dishes.0"), "4:5 id");
    assert_eq!(place("dishes.0.id"), "4:9 b");
    assert_eq!(place("dishes.0.steps.0.cook.expect.0.taste"), "10:47 sweet");
    assert_eq!(place("dishes.0.tags"), "7:11 [\"{tv2.code} for {tv.code}\", plain]");
    assert_eq!(place("dishes.0.nothing.there"), "4:5 id");
    assert_eq!(place("dishes.7"), "3:3 -");
}

#[test]
fn a_key_has_a_place_of_its_own() {
    let marks = loaded().marks;
    assert_eq!(token(marks.key_place(&path("dishes.0.rank"))), "5:5 rank");
    assert_eq!(token(marks.key_place(&path("dishes.0.steps.0.cook"))), "9:9 cook");
    assert_eq!(token(marks.key_place(&path("dishes.0"))), "4:5 id");
    assert_eq!(token(marks.key_place(&path("dishes.0.portions"))), "4:5 id");
}

#[test]
fn a_word_is_found_inside_texts() {
    let marks = loaded().marks;
    let find = |at: &str, needle| token(marks.find_text(&path(at), needle));
    assert_eq!(find("dishes.0.tags", "tv"), "7:29 tv");
    assert_eq!(find("dishes.0.tags", "tv2"), "7:14 tv2");
    assert_eq!(find("dishes.0", "plai"), "7:40 plai");
    assert_eq!(find("dishes.0.tags", "nowhere"), "7:11 [\"{tv2.code} for {tv.code}\", plain]");
    assert_eq!(find("dishes.0.portions", "b"), "4:5 id");
    assert_eq!(find("menu", "lunch"), "1:7 lunch");
}

#[test]
fn what_was_left_out_is_remembered() {
    let marks = loaded().marks;
    let pruned = |at: &str| marks.was_pruned_below(&path(at));
    for at in [
        "",
        "dishes",
        "dishes.0",
        "dishes.0.hot",
        "dishes.0.steps.0",
        "dishes.0.steps.0.cook.expect",
        "dishes.1",
    ] {
        assert!(pruned(at), "{at}");
    }
    for at in ["menu", "dishes.0.id", "dishes.0.tags", "dishes.0.steps.1", "dishes.0.portions"] {
        assert!(!pruned(at), "{at}");
    }
}

#[test]
fn a_file_that_cannot_be_read_has_no_places() {
    let marks = read::<Menu>("[").marks;
    assert_eq!(marks.place(&[]), None);
    assert!(marks.was_pruned_below(&[]));
}
