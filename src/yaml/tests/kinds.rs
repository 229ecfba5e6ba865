//! Values of the wrong kind, and leaves with rules of their own.

use std::num::NonZeroU32;

use super::types::{Menu, Rank, mistake, mistakes, read};

fn dish(key: &str) -> String {
    mistake::<Menu>(&format!("menu: x\ndishes:\n  - id: x\n    rank: last\n    {key}\n"))
}

#[test]
fn a_wrong_kind_says_what_is_wanted_and_what_is_there() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: x\ndishes:\n  - { id: x, rank: last, portions: many }\n"), @r#"
    error: expected a whole number, found the text "many"
      --> my.yaml:3:36
       |
     3 |   - { id: x, rank: last, portions: many }
       |                                    ^^^^
    help: write a whole number
    "#);
    insta::assert_snapshot!(dish("portions: \"8\""), @r#"
    expected a whole number, found the text "8"
    at 5:15 `"8"`
    write 8 without quotes
    "#);
    insta::assert_snapshot!(dish("portions: 300"), @"
    the number 300 is too large
    at 5:15 `300`
    write a smaller number
    ");
    insta::assert_snapshot!(dish("portions: -1"), @"
    the number -1 is too small
    at 5:15 `-1`
    write a larger number
    ");
    insta::assert_snapshot!(dish("portions: 1.5"), @"
    expected a whole number, found the number 1.5
    at 5:15 `1.5`
    write a whole number
    ");
    insta::assert_snapshot!(dish("hot: yes"), @r#"
    expected true or false, found the text "yes"
    at 5:10 `yes`
    write true
    "#);
    insta::assert_snapshot!(dish("hot: 1"), @"
    expected true or false, found the number 1
    at 5:10 `1`
    write true or false
    ");
    insta::assert_snapshot!(dish("hot:"), @"
    expected true or false, found nothing
    at 5:5 `hot`
    write true or false here
    ");
    insta::assert_snapshot!(dish("tags: spicy"), @r#"
    expected a list, found the text "spicy"
    at 5:11 `spicy`
    write it as a list: [spicy]
    "#);
    insta::assert_snapshot!(dish("tags: { spicy: true }"), @r#"
    expected a list, found a map
    at 5:11 `{ spicy: true }`
    start each item with "- "
    "#);
    insta::assert_snapshot!(dish("tags: [[spicy]]"), @"
    expected text, found a list
    at 5:12 `[spicy]`
    write text; quote it if it starts with a bracket
    ");
    insta::assert_snapshot!(dish("tags: [~]"), @r#"
    expected text, found nothing
    at 5:12 `~`
    to write it as text, quote it: "~"
    "#);
    insta::assert_snapshot!(dish("prices: 3"), @"
    expected a map, found the number 3
    at 5:13 `3`
    write it as a map: { key: value }
    ");
    insta::assert_snapshot!(dish("prices: { small: 3, large: dear }"), @r#"
    expected a number, found the text "dear"
    at 5:32 `dear`
    write a number
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndishes: [soup]\n"), @r#"
    expected a dish, found the text "soup"
    at 2:10 `soup`
    write a map with these keys: id, rank, portions, hot, tags, prices, steps
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: { of: the day }\ndishes: []\n"), @"
    expected text, found a map
    at 1:7 `{ of: the day }`
    write text; quote it if it starts with a bracket
    ");
    insta::assert_snapshot!(mistake::<Menu>("- menu\n"), @"
    expected a menu, found a list
    at 1:1 `-`
    write a map with these keys: menu, note, dishes
    ");
    insta::assert_snapshot!(mistake::<Vec<NonZeroU32>>("[1, 0]\n"), @"
    expected a whole number other than 0, found the number 0
    at 1:5 `0`
    write a whole number other than 0
    ");
    insta::assert_snapshot!(mistake::<(u8, u8)>("[1, 2, 3]\n"), @"
    this list has more items than it may have
    at 1:8 `3`
    take this one out
    ");
    insta::assert_snapshot!(mistake::<(u8, u8)>("[1]\n"), @"
    expected a list of 2, found 1 item
    at 1:1 `[1]`
    write a list of 2
    ");
}

#[test]
fn numbers_and_truth_values_are_text_where_text_is_wanted() {
    let loaded = read::<Vec<String>>("[4101, true, 007, 1.50, \"null\", 'a']");
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.value.unwrap(), ["4101", "true", "007", "1.50", "null", "a"]);
}

#[test]
fn nothing_is_no_text_but_an_option_without_a_value() {
    assert_eq!(read::<Menu>("menu: x\nnote:\ndishes: []\n").value.unwrap().note, None);
    insta::assert_snapshot!(mistake::<Menu>("menu: null\ndishes: []\n"), @r#"
    expected text, found nothing
    at 1:7 `null`
    to write it as text, quote it: "null"
    "#);
}

#[test]
fn keys_may_be_words_of_a_type() {
    type Ranks = std::collections::BTreeMap<Rank, u8>;
    assert_eq!(read::<Ranks>("first: 1\nlast: 2\n").value.unwrap().len(), 2);
    insta::assert_snapshot!(mistake::<Ranks>("first: 1\nlsat: 2\n"), @r#"
    unknown rank "lsat"
    at 2:1 `lsat`
    did you mean "last"?
    "#);
}

#[test]
fn a_leaf_with_rules_of_its_own_is_shown_at_its_scalar() {
    insta::assert_snapshot!(mistakes::<Menu>("menu: x\ndishes:\n  - id: \"tomato soup\"\n    rank: last\n"), @r#"
    error: the id "tomato soup" contains a blank
      --> my.yaml:3:9
       |
     3 |   - id: "tomato soup"
       |         ^^^^^^^^^^^^^
    help: write tomato-soup
    "#);
    insta::assert_snapshot!(mistake::<Menu>("menu: x\ndishes:\n  - id: [soup]\n    rank: last\n"), @"
    expected text, found a list
    at 3:9 `[soup]`
    write text; quote it if it starts with a bracket
    ");
}

#[test]
fn a_message_of_a_type_may_list_values_and_quote_several_lines() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(try_from = "String")]
    struct Unit;

    impl TryFrom<String> for Unit {
        type Error = String;

        fn try_from(unit: String) -> Result<Self, String> {
            Err(format!("there is no unit \"{unit}\"\none of: s, ms\nhelp: write s"))
        }
    }

    insta::assert_snapshot!(mistakes::<Vec<Unit>>("- |\n  h\n  m\n-    # nothing - yet\n"), @r#"
    error: there is no unit "h m "
      --> my.yaml:2:3
       |
     2 |   h
       |   ^
       = one of: s, ms
    help: write s

    error: expected text, found nothing
      --> my.yaml:4:1
       |
     4 | -    # nothing - yet
       | ^
    help: write text here
    "#);
}
