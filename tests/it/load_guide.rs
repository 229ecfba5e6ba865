//! The guide to load scenarios: every example is read and validated, and nothing of the language is left out.

use std::collections::BTreeSet;

use devgrant::diagnostic::Colour;
use devgrant::outcome::Outcome;
use devgrant::scenario::{
    ConnectionMode, Counter, Estimate, HttpVersion, Operation, Phase, Polls, Relation, Scenario, Setting,
    Share, StrangerKind,
};
use devgrant::yaml::Source;

use crate::guide::{Block, blocks};
use crate::repository;

const GUIDE: &str = "docs/guide/load-scenarios.md";

/// The example as a whole scenario.
fn text(block: &Block) -> String {
    let head = "scenario: example\ntitle: An example\nwhy: It shows the language.\nduration: 60 s\n";
    let group = "groups:\n  - name: households\n    arrive: { hold: { devices: 10 } }\n    user: [{ approve: { weight: 1, after: 10 s } }]\n";
    match block.kind.as_str() {
        "yaml scenario" => block.text.clone(),
        "yaml groups" => format!("{head}groups:\n{}", block.text),
        "yaml keys" => format!("{head}{}{group}", block.text),
        other => panic!("{GUIDE}:{}: unknown kind of block: {other}", block.line),
    }
}

fn scenarios() -> Vec<Scenario> {
    let read = |block: &Block| {
        let source = Source { name: format!("line-{}.yaml", block.line), text: text(block) };
        Scenario::read(&source).unwrap_or_else(|mistakes| {
            let drawn: Vec<String> = mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
            panic!("{}", drawn.join("\n"));
        })
    };
    // What is typed at a prompt is no scenario.
    blocks(GUIDE).iter().filter(|block| block.kind != "sh").map(read).collect()
}

#[test]
fn every_example_is_a_good_scenario_and_every_way_has_one() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 6, "{}", scenarios.len());
    for scenario in &scenarios {
        let setting = Setting::new(std::time::Duration::from_secs(5), std::time::Duration::from_secs(600));
        assert_eq!(Estimate::new(scenario, &setting).remarks, [""; 0]);
    }
    let groups = || scenarios.iter().flat_map(|scenario| &scenario.groups);
    let arrivals: BTreeSet<&str> = groups().map(|group| group.arrive.word()).collect();
    assert_eq!(arrivals, BTreeSet::from(["burst", "constant", "hold", "poisson", "ramp"]));
    let choices: BTreeSet<&str> = groups().flat_map(|group| &group.user).map(|user| user.word()).collect();
    assert_eq!(choices, BTreeSet::from(["approve", "deny", "nothing"]));
    let polls = |is: fn(&Polls) -> bool| assert!(groups().any(|group| is(&group.polls)));
    polls(|polls| *polls == Polls::Conforming);
    polls(|polls| *polls == Polls::Never);
    polls(|polls| matches!(polls, Polls::Every(_)));
    polls(|polls| matches!(polls, Polls::Race { at_once: 8, then_replay: 3 }));
    polls(|polls| matches!(polls, Polls::Race { at_once: 1, then_replay: 3 }));
}

#[test]
fn every_word_and_key_of_the_language_is_in_the_guide() {
    let guide = repository::text(GUIDE);
    let said: BTreeSet<&str> =
        guide.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).collect();
    let mut all: Vec<&str> = Vec::new();
    macro_rules! add {
        ($($words:ty),+) => { $(all.extend(<$words>::ALL.iter().map(|word| word.word()));)+ };
    }
    add!(ConnectionMode, Counter, HttpVersion, Operation, Outcome, Phase, Share, StrangerKind);
    let schema: serde_json::Value = serde_json::from_str(&Scenario::schema()).unwrap();
    let definitions = schema["definitions"].as_object().unwrap().values().chain([&schema]);
    let keys = definitions.filter_map(|definition| definition["properties"].as_object());
    all.extend(keys.flat_map(|keys| keys.keys()).map(String::as_str));
    let missing: Vec<&str> = all.into_iter().filter(|word| !said.contains(word)).collect();
    assert_eq!(missing, [""; 0]);
    for relation in Relation::ALL {
        assert!(guide.contains(&format!("`{relation}`")), "{relation}");
    }
}
