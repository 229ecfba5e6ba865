//! Expectations in words: what stands behind "expected" in a mismatch.

use std::fmt::Display;

use serde_json::{Map, Value};

use super::headers::describe_rules;
use super::show::{joined, number, short};
use crate::outcome::Outcome;
use crate::protocol::{CodeFate, Decision};
use crate::suite::{
    BodyTrait, Charset, CodeKind, Confusing, CountRule, Distinct, Entropy, Expectation, Graded, JsonType,
    MemberRule, Never, Number, PageRule, RequestTrait, ScopeRule, Tokens, Unrelated, UriKind, When,
};

/// How many characters of a list of member names are shown.
const LONGEST_NAMES: usize = 100;

/// An expectation in words: `error invalid_client`, `member expires_in: an integer from 1 on`.
#[must_use]
pub fn describe(expectation: &Expectation) -> String {
    match expectation {
        Expectation::Outcome(expected) => outcome(expected),
        Expectation::Error(expected) => error(expected),
        Expectation::Status(expected) => status(expected),
        Expectation::Header(rules) => describe_rules(rules),
        Expectation::ContentType(expected) => content_type(expected),
        Expectation::Body(traits) => and(traits.iter().map(|body_trait| body(*body_trait))),
        Expectation::Member(rules) => and(rules.iter().map(|(name, rule)| member("member", name, rule))),
        Expectation::Absent(names) => and(names.iter().map(|name| absent(name))),
        Expectation::Contains(members) => and(members.iter().map(|(name, wanted)| contains(name, wanted))),
        Expectation::Not(inner) => not(inner),
        Expectation::AnyOf(alternatives) => any_of(alternatives),
        Expectation::Lenient(lenient) => all(&lenient.expect),
        Expectation::When(rule) => when(rule),
        Expectation::SameAs(name) => format!("the same class of answer as {name}"),
        Expectation::Same(texts) => format!("{} are equal", joined(texts, "and")),
        Expectation::Differ(texts) => format!("{} are different", joined(texts, "and")),
        Expectation::Near(near) => format!("{} within {} of {}", near.a, near.within, near.b),
        Expectation::Later(later) => format!("{} later than {}", later.a, later.than),
        Expectation::Jwt(rule) => super::jwt::describe(rule),
        Expectation::FilledLists(_) => FILLED_LISTS.to_owned(),
        Expectation::Lacks(text) => lacks(text),
        Expectation::Request(expected) => request(*expected),
        Expectation::Target(rule) => format!("a target that has {}", rule.has),
        Expectation::Scope(rule) => scope(rule),
        Expectation::Tokens(rule) => tokens(rule),
        Expectation::Count(rule) => count(rule),
        Expectation::Never(rule) => never(rule),
        Expectation::Distinct(rule) => distinct(rule),
        Expectation::Entropy(rule) => entropy(rule),
        Expectation::Uniform(rule) => uniform(rule.of),
        Expectation::Unordered(rule) => unordered(rule.of),
        Expectation::Unrelated(rule) => unrelated(rule),
        Expectation::Alphabet(rule) => and(rule.lacks.iter().map(|confusing| alphabet(rule.of, *confusing))),
        Expectation::Page(rule) => page(rule),
        Expectation::Code(expected) => code(expected),
    }
}

fn and(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" and ")
}

/// A whole list, all of which must hold.
fn all(expectations: &[Expectation]) -> String {
    and(expectations.iter().map(describe))
}

/// What passes; where nothing passes, what is at least no mismatch.
fn graded<T: Display>(expected: &Graded<T>) -> String {
    let words =
        |values: &mut dyn Iterator<Item = &T>| joined(&values.map(T::to_string).collect::<Vec<_>>(), "or");
    if expected.is.is_empty() { words(&mut expected.all()) } else { words(&mut expected.is.iter()) }
}

pub(super) fn outcome(expected: &Graded<Outcome>) -> String {
    format!("outcome {}", graded(expected))
}

pub(super) fn outcomes(outcomes: &[Outcome]) -> String {
    joined(&outcomes.iter().map(Outcome::to_string).collect::<Vec<_>>(), "or")
}

pub(super) fn error(expected: &Graded<String>) -> String {
    format!("error {}", graded(expected))
}

pub(super) fn status(expected: &Graded<u16>) -> String {
    format!("status {}", graded(expected))
}

pub(super) fn content_type(expected: &Graded<String>) -> String {
    format!("content-type {}", graded(expected))
}

pub(super) fn body(body_trait: BodyTrait) -> String {
    match body_trait {
        BodyTrait::JsonObject => "a body that is one JSON object",
        BodyTrait::UniqueMembers => "a body with every member once",
        BodyTrait::Utf8 => "a body in UTF-8 without a byte order mark",
    }
    .to_owned()
}

pub(super) fn absent(name: &str) -> String {
    format!("no member {name}")
}

pub(super) fn contains(name: &str, wanted: &str) -> String {
    format!("member {name}: a list with {wanted}")
}

pub(super) const FILLED_LISTS: &str = "no member that is an empty list";

pub(super) fn lacks(template: &str) -> String {
    format!("a body without {template}")
}

pub(super) fn alphabet(of: CodeKind, lacks: Confusing) -> String {
    format!("{of} without {lacks}")
}

pub(super) fn code(expected: &Graded<CodeFate>) -> String {
    format!("a user code that is {}", graded(expected))
}

pub(super) fn page(rule: &PageRule) -> String {
    let PageRule { shows, says, button, code_field, escapes_markup, unlike } = rule;
    let says = (!says.is_empty()).then(|| page_says(says));
    let shows = shows.as_deref().map(page_shows);
    let field = code_field.then(page_code_field);
    let unlike = unlike.as_deref().map(page_unlike);
    let buttons = button.iter().map(|decision| page_button(*decision));
    let escapes = escapes_markup.then(page_escapes_markup);
    and([shows, says].into_iter().flatten().chain(buttons).chain(field).chain(escapes).chain(unlike))
}

pub(super) fn page_shows(template: &str) -> String {
    format!("a page that shows {template}")
}

pub(super) fn page_says(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("a page that says {}", short(&joined(&words, "or"), LONGEST_NAMES))
}

pub(super) fn page_button(decision: Decision) -> String {
    format!("a page with a button to {decision}")
}

pub(super) fn page_code_field() -> String {
    "a page with a field for the user code".to_owned()
}

pub(super) fn page_escapes_markup() -> String {
    "a page that shows typed markup as text".to_owned()
}

pub(super) fn page_unlike(name: &str) -> String {
    format!("a page that says something else than the page {name}")
}

pub(super) fn not(inner: &Expectation) -> String {
    format!("not {}", describe(inner))
}

pub(super) fn any_of(alternatives: &[Vec<Expectation>]) -> String {
    let words: Vec<_> = alternatives.iter().map(|alternative| all(alternative)).collect();
    words.join(", or ")
}

/// The alternatives that can pass outright, as one text; all of them where none can.
pub(super) fn any_of_passing(alternatives: &[Vec<Expectation>]) -> String {
    let can_pass = |alternative: &&Vec<Expectation>| !alternative.iter().any(has_no_is);
    let words: Vec<_> = alternatives.iter().filter(can_pass).map(|alternative| all(alternative)).collect();
    if words.is_empty() { any_of(alternatives) } else { words.join(", or ") }
}

/// Does it list milder grades only, so that nothing passes?
fn has_no_is(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Outcome(expected) => expected.is.is_empty(),
        Expectation::Error(expected) => expected.is.is_empty(),
        Expectation::Status(expected) => expected.is.is_empty(),
        _ => false,
    }
}

pub(super) fn when(rule: &When) -> String {
    let of = rule.of.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    format!("where {}{of} is there, {}", rule.member, all(&rule.expect))
}

pub(super) fn request(expected: RequestTrait) -> String {
    match expected {
        RequestTrait::FailedAuthentication => "a request whose client authentication fails",
        RequestTrait::AuthorizationHeader => "a request with an Authorization header",
        RequestTrait::PublicClient => "a request of a public client",
        RequestTrait::Form => "a form that was posted",
    }
    .to_owned()
}

pub(super) fn scope(rule: &ScopeRule) -> String {
    let words = [
        rule.subset_of.as_ref().map(|session| format!("a granted scope within what {session} asked for")),
        rule.lacks.as_ref().map(|unwanted| format!("a granted scope without {unwanted}")),
        rule.same_as.as_ref().map(|name| format!("the scope that {name} had")),
    ];
    and(words.into_iter().flatten())
}

pub(super) fn tokens(rule: &Tokens) -> String {
    let sets = if rule.is == 1 { "set" } else { "sets" };
    format!("{} distinct token {sets} for {}", rule.is, rule.of)
}

pub(super) fn count(rule: &CountRule) -> String {
    let bounds = [
        rule.at_least.map(|least| format!("at least {least}")),
        rule.at_most.map(|most| format!("at most {most}")),
    ];
    format!("{} {} answers", and(bounds.into_iter().flatten()), outcomes(&rule.outcome))
}

pub(super) fn never(rule: &Never) -> String {
    format!("never {} in {} answers", outcomes(&rule.outcome), rule.samples)
}

pub(super) fn distinct(rule: &Distinct) -> String {
    format!("every {} is another", rule.of)
}

pub(super) fn entropy(rule: &Entropy) -> String {
    format!("{} of at least {} bits", rule.of, number(rule.is.0))
}

pub(super) fn uniform(of: CodeKind) -> String {
    format!("{of} whose characters are all equally likely")
}

pub(super) fn unordered(of: CodeKind) -> String {
    format!("{of} that shows no order of issue")
}

pub(super) fn unrelated(rule: &Unrelated) -> String {
    format!("{} without the {} in it", rule.of, rule.to)
}

/// What an object has in place of a member that it has not.
pub(super) fn not_there(members: &Map<String, Value>) -> String {
    if members.is_empty() {
        return "not there; the object is empty".to_owned();
    }
    let names: Vec<_> = members.keys().cloned().collect();
    format!("not there; the members are {}", short(&joined(&names, "and"), LONGEST_NAMES))
}

/// `member expires_in: an integer from 1 on`; `what` is the kind of part, such as `member` or `claim`.
pub(super) fn member(what: &str, name: &str, rule: &MemberRule) -> String {
    let types: Vec<_> = rule.json_type.iter().map(|json_type| type_word(*json_type).to_owned()).collect();
    let mut words = if types.is_empty() { Vec::new() } else { vec![joined(&types, "or")] };
    let quoted =
        |values: &[String]| joined(&values.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>(), "or");
    if !rule.is.is_empty() {
        words.push(quoted(&rule.is));
    }
    if !rule.is_any_case.is_empty() {
        words.push(format!("{} in any case", quoted(&rule.is_any_case)));
    }
    words.extend(rule.includes.as_ref().map(|wanted| format!("{wanted}, or a list with it")));
    words.extend(rule.items_at_least.map(|least| format!("of {least} or more items")));
    words.extend(rule.is_not.as_ref().map(|unwanted| format!("not {unwanted:?}")));
    words.extend(rule.at_least.as_ref().map(|least| format!("from {} on", bound(least))));
    words.extend(rule.at_most.as_ref().map(|most| format!("up to {}", bound(most))));
    words.extend(rule.above.map(|above| format!("above {}", number(above))));
    words.extend(rule.length_at_least.map(|least| format!("of {least} or more characters")));
    words.extend(rule.length_at_most.map(|most| format!("of {most} characters at most")));
    words.extend(rule.alphanumerics_at_least.map(|least| format!("with {least} or more letters and digits")));
    words.extend(rule.charset.map(|charset| charset_words(charset).to_owned()));
    words.extend(rule.uri.map(|kind| uri_words(kind).to_owned()));
    words.extend(rule.https.then(|| "over https".to_owned()));
    words.extend(rule.has.as_ref().map(|wanted| format!("with {wanted}")));
    words.extend(rule.lacks.as_ref().map(|unwanted| format!("without {unwanted}")));
    words.extend(rule.without.iter().map(|part| format!("without a {part}")));
    words.extend(rule.same_host.as_ref().map(|other| format!("on the host of {other}")));
    let optional = if rule.optional { ", if it is there" } else { "" };
    let rule = join_facets(&words);
    if rule.is_empty() {
        format!("{what} {name}{optional}")
    } else {
        format!("{what} {name}: {rule}{optional}")
    }
}

/// The type and what belongs to it are one phrase (`an integer from 1 on`), the rest follows after commas.
fn join_facets(words: &[String]) -> String {
    let belongs =
        |word: &String| ["from ", "up to ", "above ", "of ", "with "].iter().any(|w| word.starts_with(w));
    match words {
        [first, second, rest @ ..] if belongs(second) => {
            [&[format!("{first} {second}")], rest].concat().join(", ")
        }
        _ => words.join(", "),
    }
}

fn bound(bound: &Number) -> String {
    match bound {
        Number::Plain(plain) => number(*plain),
        Number::Time(timing) => timing.to_string(),
    }
}

const fn type_word(json_type: JsonType) -> &'static str {
    match json_type {
        JsonType::String => "a string",
        JsonType::Number => "a number",
        JsonType::Integer => "an integer",
        JsonType::Boolean => "a boolean",
        JsonType::Array => "a list",
        JsonType::Object => "an object",
        JsonType::Null => "null",
    }
}

pub(super) const fn charset_words(charset: Charset) -> &'static str {
    match charset {
        Charset::Visible => "of the characters %x20-7E",
        Charset::ErrorText => "of the characters %x20-21 %x23-5B %x5D-7E",
        Charset::ErrorUri => "of the characters %x21 %x23-5B %x5D-7E",
        Charset::Scope => "of scope tokens joined by single spaces",
        Charset::Typeable => "of A-Z, 0-9 and grouping marks",
    }
}

const fn uri_words(kind: UriKind) -> &'static str {
    match kind {
        UriKind::Absolute => "an absolute URI",
        UriKind::Reference => "a URI reference",
    }
}
