//! Values that may be a word, a list or a map.

use super::types::{Cook, Graded, Grades, Judge, Menu, OneOrMany, Step, Taste, mistake, mistakes, read};

fn steps(steps: &str) -> String {
    format!("menu: x\ndishes:\n- id: x\n  rank: last\n  steps:\n  - {steps}\n")
}

#[test]
fn each_shape_is_read() {
    let loaded = read::<Vec<Step>>(
        "- taste: sweet\n- taste: [sweet, salty]\n- taste: { is: sweet, warn: [salty], because: \"a, b\" }\n\
         - judge: { is: sweet, because: x }\n- judge: [sweet]\n- season: { with: 3 }\n- cook: { minutes: 3 }\n",
    );
    assert_eq!(loaded.diagnostics, []);
    let graded = |warn, because: &str| {
        let is = Some(OneOrMany::Word(Taste::Sweet));
        Grades::Map(Graded { is, warn, because: because.to_owned() })
    };
    let warn = Some(OneOrMany::List(vec![Taste::Salty]));
    let expected = [
        Step::Taste(Grades::Word(Taste::Sweet)),
        Step::Taste(Grades::List(vec![Taste::Sweet, Taste::Salty])),
        Step::Taste(graded(warn, "a, b")),
        Step::Judge(Judge(graded(None, "x"))),
        Step::Judge(Judge(Grades::List(vec![Taste::Sweet]))),
        Step::Season { with: "3".to_owned() },
        Step::Cook(Cook { minutes: Some(3), expect: Vec::new() }),
    ];
    assert_eq!(loaded.value.unwrap(), expected);
}

#[test]
fn places_survive_in_every_shape() {
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: swete")), @r#"
    unknown taste "swete"
    at 6:12 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: [sweet, swete]")), @r#"
    unknown taste "swete"
    at 6:20 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: { is: swete, because: x }")), @r#"
    unknown taste "swete"
    at 6:18 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: { is: sweet, warn: [salty, swete], because: x }")), @r#"
    unknown taste "swete"
    at 6:39 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: { is: sweet, becuase: x }")), @r#"
    unknown key "becuase" in taste
    at 6:25 `becuase`
    did you mean "because"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: { is: sweet }")), @r#"
    missing key "because" in taste
    at 6:14 `is`
    add "because: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("taste: { is: { a: b }, because: x }")), @"
    expected a word or a list, found a map
    at 6:18 `{ a: b }`
    write a word or a list
    ");
}

#[test]
fn places_survive_in_a_visitor_written_by_hand() {
    insta::assert_snapshot!(mistake::<Menu>(&steps("judge: swete")), @r#"
    unknown word "swete"
    at 6:12 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("judge: [sweet, swete]")), @r#"
    unknown taste "swete"
    at 6:20 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("judge: { is: sweet, warn: [salty, swete], because: x }")), @r#"
    unknown taste "swete"
    at 6:39 `swete`
    did you mean "sweet"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("judge: { is: sweet, becuase: x }")), @r#"
    unknown key "becuase" in judge
    at 6:25 `becuase`
    did you mean "because"?
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("judge: { is: sweet }")), @r#"
    missing key "because" in judge
    at 6:14 `is`
    add "because: …"
    "#);
    insta::assert_snapshot!(mistake::<Menu>(&steps("judge: 3")), @r#"
    expected a word, a list of words or a map, found the number 3
    at 6:12 `3`
    quote it: "3"
    "#);
}

#[test]
fn a_mistake_five_lists_deep_is_found_at_its_word() {
    let text = steps(
        "cook:\n      expect:\n        - any_of:\n            - - cook:\n                  expect:\n                    - any_of: [[{ taste: { is: sweet, warn: [salty, bittr], because: \"late\" } }]]\n            - - rset",
    );
    insta::assert_snapshot!(mistakes::<Menu>(&text), @r#"
    error: unknown taste "bittr"
       --> my.yaml:11:69
        |
     11 |                     - any_of: [[{ taste: { is: sweet, warn: [salty, bittr], because: "late" } }]]
        |                                                                     ^^^^^
        = one of: bitter, salty, sweet
    help: did you mean "bitter"?

    error: unknown step "rset"
       --> my.yaml:12:17
        |
     12 |             - - rset
        |                 ^^^^
        = one of: any_of, cook, judge, rest, season, taste
    help: did you mean "rest"?
    "#);
}
