//! Several mistakes in one file are found at once, and none is said twice.

use super::types::{DishId, Menu, mistake, mistakes, read};

#[test]
fn all_mistakes_of_a_file_are_found_in_the_order_of_the_file() {
    let text = "\
menu: lunch
guests: 4
dishes:
  - id: green soup
    rank: first
    hot: yes
  - id: bread
    tags: [a, [b], c, {}]
  - id: roast
    rank: main_curse
    steps:
      - cook: { minutes: long, expect: [{ taste: sour }, rest] }
      - boil: {}
  - id: cake
    rank: last
    rank: first
";
    insta::assert_snapshot!(mistakes::<Menu>(text), @r#"
    error: unknown key "guests" in menu
      --> my.yaml:2:1
       |
     2 | guests: 4
       | ^^^^^^
       = one of: menu, note, dishes
    help: take it out, or write one of these

    error: the id "green soup" contains a blank
      --> my.yaml:4:9
       |
     4 |   - id: green soup
       |         ^^^^^^^^^^
    help: write green-soup

    error: expected true or false, found the text "yes"
      --> my.yaml:6:10
       |
     6 |     hot: yes
       |          ^^^
    help: write true

    error: missing key "rank" in dish
      --> my.yaml:7:5
       |
     7 |   - id: bread
       |     ^^
    help: add "rank: …"

    error: expected text, found a list
      --> my.yaml:8:15
       |
     8 |     tags: [a, [b], c, {}]
       |               ^^^
    help: write text; quote it if it starts with a bracket

    error: expected text, found a map
      --> my.yaml:8:23
       |
     8 |     tags: [a, [b], c, {}]
       |                       ^^
    help: write text; quote it if it starts with a bracket

    error: unknown rank "main_curse"
       --> my.yaml:10:11
        |
     10 |     rank: main_curse
        |           ^^^^^^^^^^
        = one of: first, main_course, last
    help: did you mean "main_course"?

    error: expected a whole number, found the text "long"
       --> my.yaml:12:26
        |
     12 |       - cook: { minutes: long, expect: [{ taste: sour }, rest] }
        |                          ^^^^
    help: write a whole number

    error: unknown taste "sour"
       --> my.yaml:12:50
        |
     12 |       - cook: { minutes: long, expect: [{ taste: sour }, rest] }
        |                                                  ^^^^
        = one of: bitter, salty, sweet
    help: write one of these

    error: unknown step "boil"
       --> my.yaml:13:9
        |
     13 |       - boil: {}
        |         ^^^^
        = one of: any_of, cook, judge, rest, season, taste
    help: write one of these

    error: key "rank" is written twice
       --> my.yaml:16:5
        |
     16 |     rank: first
        |     ^^^^
    note: first written here
       --> my.yaml:15:5
        |
     15 |     rank: last
        |     ^^^^
    help: keep one of them
    "#);
}

#[test]
fn what_follows_from_a_mistake_is_not_said() {
    // The id is wrong and thus left out; that it is missing then would be noise. So for a misspelt key.
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndishes:\n  - id: a b\n    rank: last\n"), @r#"
    the id "a b" contains a blank
    at 3:9 `a b`
    write a-b
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndishes:\n  - di: a\n    rank: last\n"), @r#"
    unknown key "di" in dish
    at 3:5 `di`
    did you mean "id"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndihses: []\n"), @r#"
    unknown key "dihses" in menu
    at 2:1 `dihses`
    did you mean "dishes"?
    "#);
}

#[test]
fn the_rest_of_the_value_is_there() {
    let text = "menu: x\ndishes:\n  - { id: a, rank: frist }\n  - { id: b, rank: first, hot: maybe }\n  - { id: c, rank: last }\n";
    let loaded = read::<Menu>(text);
    assert_eq!(loaded.diagnostics.len(), 2);
    let ids: Vec<_> = loaded.value.unwrap().dishes.into_iter().map(|dish| dish.id).collect();
    assert_eq!(ids, [DishId("b".to_owned()), DishId("c".to_owned())]);
    assert!(read::<Menu>("menu: [x]\ndishes: []\n").value.is_none());
}

#[test]
fn a_comma_that_cuts_a_text_in_two_is_recognised() {
    let text = "menu: x\ndishes:\n  - id: x\n    rank: last\n    steps:\n      - taste: { is: sweet, because: slow, but fine, or so }\n";
    insta::assert_snapshot!(mistakes::<Menu>(text), @r#"
    error: a comma cuts this text in two
      --> my.yaml:6:44
       |
     6 |       - taste: { is: sweet, because: slow, but fine, or so }
       |                                            ^^^^^^^^
    help: quote text that contains a comma: because: "slow, but fine, or so"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndishes:\n  - { id: x, rank: last, hot }\n"), @r#"
    key "hot" has no value
    at 3:26 `hot`
    write "hot: …", or quote text that contains a comma: rank: "last, hot"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: { template }\ndishes: []\n"), @r#"
    key "template" has no value
    at 1:9 `template`
    write "template: …"; as text, quote it: "{template}"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("{ menu: x, dishes: [], note: one, and so on: four }"), @r#"
    unknown key "and so on" in menu
    at 1:35 `and so on`
    if this belongs to the text before the comma, quote that text
    "#);
}
