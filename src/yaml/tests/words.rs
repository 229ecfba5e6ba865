//! Words and keys that do not exist, and keys that are missing or too many.

use super::types::{Menu, mistake, mistakes};

#[test]
fn an_unknown_word_is_named_by_its_type() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: lunch\ndishes:\n  - id: soup\n    rank: fist\n"), @r#"
    error: unknown rank "fist"
      --> my.yaml:4:11
       |
     4 |     rank: fist
       |           ^^^^
       = one of: first, main_course, last
    help: did you mean "first"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: lunch\ndishes:\n  - { id: soup, rank: dessert }\n"), @r#"
    unknown rank "dessert"
    at 3:23 `dessert`
    write one of these
    "#);
}

#[test]
fn an_unknown_key_is_named_with_its_map() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: lunch\ndishes:\n  - id: soup\n    rnak: first\n"), @r#"
    error: unknown key "rnak" in dish
      --> my.yaml:4:5
       |
     4 |     rnak: first
       |     ^^^^
       = one of: id, rank, portions, hot, tags, prices, steps
    help: did you mean "rank"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: lunch\nguests: 4\ndishes: []\n"), @r#"
    unknown key "guests" in menu
    at 2:1 `guests`
    take it out, or write one of these
    "#);
    insta::assert_snapshot!(
        mistake::<Menu>("menu: x\ndishes:\n  - id: x\n    rank: last\n    steps: [{ season: { with: salt, and: x } }]\n"),
        @r#"
    unknown key "and" in season
    at 5:37 `and`
    take it out, or write one of these
    "#
    );
}

#[test]
fn a_missing_key_is_shown_at_the_first_key() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: lunch\ndishes:\n  - id: soup\n    hot: true\n"), @r#"
    error: missing key "rank" in dish
      --> my.yaml:3:5
       |
     3 |   - id: soup
       |     ^^
    help: add "rank: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("# nothing yet\ndishes: []\n"), @r#"
    missing key "menu" in menu
    at 2:1 `dishes`
    add "menu: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndishes:\n  - {}\n"), @r#"
    missing key "id" in dish
    at 3:5 `{}`
    add "id: …"
    "#);
}

#[test]
fn a_forgotten_dash_and_a_forgotten_indentation_are_told_apart() {
    let menu =
        |steps: &str| mistake::<Menu>(&format!("menu: x\ndishes:\n- id: x\n  rank: last\n  steps:\n{steps}"));
    insta::assert_snapshot!(menu("  - rest:\n    cook: { minutes: 3 }\n"), @r#"
    expected a step with one key, found 2: rest, cook
    at 7:5 `cook`
    start another item: "- cook: …"
    "#);
    insta::assert_snapshot!(menu("  - cook:\n    minutes: 3\n"), @r#"
    expected a step with one key, found 2: cook, minutes
    at 7:5 `minutes`
    indent "minutes" more than "cook" if it belongs to it
    "#);
    insta::assert_snapshot!(menu("  - { rest: , cook: }\n"), @"
    expected a step with one key, found 2: rest, cook
    at 6:15 `cook`
    put each into braces of its own
    ");
    insta::assert_snapshot!(menu("  - {}\n"), @"
    expected a step with one key, found none
    at 6:5 `{}`
    write one of these as its key
    ");
    insta::assert_snapshot!(menu("  - [rest]\n"), @"
    expected a step, found a list
    at 6:5 `[rest]`
    write one of these
    ");
    insta::assert_snapshot!(menu("  -\n"), @"
    expected a step, found nothing
    at 6:4 ``
    write one of these
    ");
}

#[test]
fn a_word_may_stand_alone_if_nothing_behind_it_is_needed() {
    let menu = |steps: &str| format!("menu: x\ndishes:\n- id: x\n  rank: last\n  steps: {steps}\n");
    insta::assert_snapshot!(mistakes::<Menu>(&menu("[rest, { rest: }, cook, { cook: }]")), @"");
    insta::assert_snapshot!(mistake::<Menu>(&menu("[season]")), @r#"
    missing key "with" in season
    at 5:11 `season`
    add "with: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&menu("[{ season: }]")), @r#"
    missing key "with" in season
    at 5:13 `season`
    add "with: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&menu("[taste]")), @r#"
    expected a taste, found nothing
    at 5:11 `taste`
    write "taste: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&menu("[any_of]")), @r#"
    expected a list, found nothing
    at 5:11 `any_of`
    write "any_of: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&menu("[{ rest: 3 }]")), @r#"
    "rest" takes no value
    at 5:19 `3`
    write "rest" alone
    "#);
}

#[test]
fn a_key_written_twice_shows_the_first() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: lunch\ndishes: []\nmenu: dinner\n"), @r#"
    error: key "menu" is written twice
      --> my.yaml:3:1
       |
     3 | menu: dinner
       | ^^^^
    note: first written here
      --> my.yaml:1:1
       |
     1 | menu: lunch
       | ^^^^
    help: keep one of them
    "#);
}
