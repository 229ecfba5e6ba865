//! The guide to the suite language: every example is read and validated, and nothing of the language is left out.

use std::collections::BTreeSet;

use devgrant::catalog::Catalog;
use devgrant::diagnostic::Colour;
use devgrant::protocol::{Capability, Endpoint, Level, Role, Severity, UserRole};
use devgrant::suite::{
    Alone, Alteration, AuthStyle, BodyTrait, Charset, ClientValue, Expectation, JsonType, MetadataDocument,
    MildGrade, RequestTrait, SecretChoice, SessionValue, SpaceEncoding, StartUri, Step, UriKind, UriPart,
};
use devgrant::timing::{Anchor, Constant};
use devgrant::verdict::Verdict;
use devgrant::yaml::Source;

use crate::repository;

const GUIDE: &str = "docs/guide/suite-language.md";

/// An example: what kind of list it is, and the line where it starts.
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The examples of a page of the guide.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in repository::text(page).lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                open = true;
                blocks.push(Block { kind: info.to_owned(), line: index + 1, text: String::new() });
            }
            None if open => {
                if let Some(block) = blocks.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            None => {}
        }
    }
    blocks
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// The example as a whole suite.
fn suite(block: &Block) -> String {
    let name = format!("line-{}", block.line);
    let needs: Vec<&str> = Capability::ALL
        .iter()
        .filter(|capability| !(block.kind == "yaml expectations" && **capability == Capability::Denial))
        .map(|capability| capability.word())
        .collect();
    let check = format!(
        "suite: {name}\ntitle: An example\nchecks:\n  - id: example\n    title: An example\n    level: must\n    \
         requirements: [RFC8628-3.5-c]\n    why: It shows the language.\n    needs: [{}]\n    steps:\n",
        needs.join(", ")
    );
    match block.kind.as_str() {
        "yaml suite" => block.text.replace("suite: my-suite", &format!("suite: {name}")),
        "yaml checks" => format!("suite: {name}\ntitle: Examples\nchecks:\n{}", indented(&block.text, 2)),
        "yaml steps" => format!("{check}{}", indented(&block.text, 6)),
        "yaml expectations" => format!(
            "{check}      - authorize: {{ as: tv }}\n      - authorize: {{ as: a }}\n      - authorize: {{ as: b }}\n      \
             - poll: {{ session: tv, name: about, control: granted }}\n    expect:\n{}",
            indented(&block.text, 6)
        ),
        other => panic!("{GUIDE}:{}: unknown kind of block: {other}", block.line),
    }
}

fn catalog() -> Catalog {
    let sources: Vec<Source> = blocks(GUIDE)
        .iter()
        .filter(|block| block.kind != "text")
        .map(|block| Source { name: format!("line-{}.yaml", block.line), text: suite(block) })
        .collect();
    let catalog = Catalog::load(&sources).unwrap_or_else(|mistakes| {
        let drawn: Vec<String> = mistakes.iter().map(|mistake| mistake.draw(Colour::Plain)).collect();
        panic!("{}", drawn.join("\n"));
    });
    assert_eq!(catalog.warnings, []);
    catalog
}

/// The words of an expectation and of those inside it.
fn words(expectation: &Expectation, found: &mut BTreeSet<&'static str>) {
    found.insert(expectation.word());
    match expectation {
        Expectation::Not(inner) => words(inner, found),
        Expectation::AnyOf(alternatives) => {
            alternatives.iter().flatten().for_each(|inner| words(inner, found))
        }
        Expectation::Lenient(lenient) => lenient.expect.iter().for_each(|inner| words(inner, found)),
        Expectation::When(when) => when.expect.iter().for_each(|inner| words(inner, found)),
        _ => {}
    }
}

/// The words that the schema has for an enum of single-key maps.
fn schema_words(name: &str) -> BTreeSet<String> {
    let schema: serde_json::Value = serde_json::from_str(&devgrant::suite::schema()).unwrap();
    let choices = schema["definitions"][name]["oneOf"].as_array().unwrap();
    choices.iter().map(|choice| choice["required"][0].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_example_is_a_good_suite_and_every_word_has_an_example() {
    let catalog = catalog();
    assert!(catalog.entries.len() >= 15, "{}", catalog.entries.len());
    let (mut verbs, mut matchers) = (BTreeSet::new(), BTreeSet::new());
    for entry in &catalog.entries {
        let steps: Vec<&Step> = entry.check.all_steps().collect();
        verbs.extend(steps.iter().map(|step| step.verb()));
        let lists = steps.iter().flat_map(|step| step.expect()).chain(&entry.check.expect);
        lists.for_each(|expectation| words(expectation, &mut matchers));
    }
    let missing = |all: BTreeSet<String>, seen: &BTreeSet<&str>| -> Vec<String> {
        all.into_iter().filter(|word| !seen.contains(word.as_str())).collect()
    };
    assert_eq!(missing(schema_words("Step"), &verbs), [""; 0], "verbs without an example");
    assert_eq!(missing(schema_words("Expectation"), &matchers), [""; 0], "matchers without an example");
}

#[test]
fn every_word_of_the_language_is_in_the_guide() {
    let guide = repository::text(GUIDE);
    let split = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let said: BTreeSet<&str> = guide.split(split).collect();
    let mut all: Vec<&str> = Vec::new();
    macro_rules! add {
        ($($words:ty),+) => { $(all.extend(<$words>::ALL.iter().map(|word| word.word()));)+ };
    }
    add!(devgrant::outcome::Outcome, Level, Severity, Role, UserRole, Capability, Endpoint, Anchor, Constant);
    add!(
        Alone,
        Alteration,
        AuthStyle,
        BodyTrait,
        Charset,
        ClientValue,
        JsonType,
        MetadataDocument,
        MildGrade
    );
    add!(RequestTrait, SecretChoice, SessionValue, SpaceEncoding, StartUri, UriKind, UriPart);
    all.extend(Verdict::ALL.iter().flat_map(|verdict| verdict.word().split(' ')));
    let missing: Vec<&str> = all.into_iter().filter(|word| !said.contains(word)).collect();
    assert_eq!(missing, [""; 0]);
    for constant in Constant::ALL {
        let row = format!("| `{constant}` | {} |", devgrant::timing::show(constant.default_value()));
        assert!(guide.contains(&row), "{row}");
    }
}

#[test]
fn every_key_of_the_language_is_in_the_guide() {
    let guide = repository::text(GUIDE);
    let schema: serde_json::Value = serde_json::from_str(&devgrant::suite::schema()).unwrap();
    let split = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let said: BTreeSet<&str> = guide.split(split).collect();
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        for key in definition["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(said.contains(key.as_str()), "{key} of {name} is not in the guide");
        }
    }
}
