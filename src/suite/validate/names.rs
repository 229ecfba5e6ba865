//! Names that steps give and use: sessions, named answers, token sets, and placeholders that refer to them.

use std::collections::BTreeMap;

use super::spot::{Located, Spot, nested};
use crate::diagnostic::{Diagnostic, Place, closest};
use crate::protocol::Role;
use crate::suite::{
    ANY_DEVICE_CODE, ClientValue, Misread, Placeholder, SessionValue, TYPED_CODES, TargetValue, placeholders,
};
use crate::suite::{Check, Edits, Expectation, MemberRule, Step, Tamper, Variant};
use crate::timing::{Anchor, NOW};

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Answer,
    /// A page that stays open.
    Page,
    /// The answer to a refresh, so that it is the name of a token set too.
    Tokens,
}

impl Kind {
    const fn noun(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Answer => "named answer",
            Self::Page => "page",
            Self::Tokens => "token set",
        }
    }
}

struct Name<'a> {
    kind: Kind,
    at: Spot<'a>,
    /// The index of its step.
    step: usize,
}

/// All names of a check, and how far the steps have come.
#[derive(Clone, Copy)]
struct Names<'n> {
    all: &'n BTreeMap<String, Name<'n>>,
    now: usize,
}

/// Every name of a check that is used and not there, or given twice.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let mut all = BTreeMap::new();
    for (index, located) in steps.iter().enumerate() {
        define(index, located, &mut all, out);
    }
    let mut names = Names { all: &all, now: 0 };
    for (index, Located { step, at: step_at, .. }) in steps.iter().enumerate() {
        names.now = index;
        step_uses(step, step_at, &names, out);
        let variants = || {
            let all = check.each.iter().enumerate();
            all.filter(|(_, variant)| step.name() == Some(&variant.at))
                .map(|(index, variant)| (variant, at.to("each").to(index)))
        };
        for (variant, at) in variants() {
            edits(&variant.edits(), &at, &names, out);
            forger(variant.tamper.as_ref(), &at, &names, out);
        }
        names.now = index + 1;
        expectations(step.expect(), &step_at.to("expect"), step.name(), &names, out);
        for (Variant { expect, .. }, at) in variants() {
            expectations(expect, &at.to("expect"), step.name(), &names, out);
        }
    }
    names.now = steps.len();
    expectations(&check.expect, &at.to("expect"), None, &names, out);
}

/// What the wordings of a line of the card refer to.
pub(super) fn readings(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let mut all = BTreeMap::new();
    for (index, located) in steps.iter().enumerate() {
        // What is wrong with the names themselves is told once.
        define(index, located, &mut all, &mut Vec::new());
    }
    let names = Names { all: &all, now: steps.len() };
    for (index, reading) in check.say.iter().enumerate() {
        let at = at.to(index);
        text(&reading.text, &at.to("text"), &names, out);
        for (name, list) in &reading.when {
            let at = at.to("when").to(name.as_str());
            if !names.has(name, &SAID) {
                out.push(names.missing(name, &SAID, "session or named answer", at.key_place()));
            }
            expectations(list, &at, None, &names, out);
        }
    }
}

fn define<'a>(
    index: usize,
    located: &Located<'a>,
    names: &mut BTreeMap<String, Name<'a>>,
    out: &mut Vec<Diagnostic>,
) {
    let Located { step, at, .. } = located;
    let mut given: Vec<(&str, Kind, Spot<'a>)> = Vec::new();
    match step {
        Step::Authorize(step) => {
            given.push((&step.session, Kind::Session, at.to("as")));
            given.extend(step.name.as_deref().map(|name| (name, Kind::Answer, at.to("name"))));
        }
        Step::Refresh(_) => given.extend(step.name().map(|name| (name, Kind::Tokens, at.to("as")))),
        Step::OpenPage(_) | Step::EnterCode(_) => {
            given.extend(step.name().map(|name| (name, Kind::Page, at.to("as"))));
        }
        Step::Discover(_) | Step::Request(_) => {
            given.extend(step.name().map(|name| (name, Kind::Answer, at.to("as"))));
        }
        _ => given.extend(step.name().map(|name| (name, Kind::Answer, at.to("name")))),
    }
    for (name, kind, at) in given {
        let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            && !matches!(name, "any" | "client" | "random" | "target");
        if !good {
            out.push(
                Diagnostic::error("bad-name", format!("\"{name}\" cannot be the name of a {}", kind.noun()))
                    .at(at.place())
                    .help(
                        "write letters, digits, - and _, a letter first; any, client, random and target are taken",
                    ),
            );
        } else if let Some(first) = names.get(name) {
            out.push(
                Diagnostic::error("duplicate-name", format!("the name \"{name}\" is given twice"))
                    .at(at.place())
                    .note(first.at.place(), format!("the first time, for a {}", first.kind.noun()))
                    .help("give one of them another name"),
            );
        } else {
            names.insert(name.to_owned(), Name { kind, at, step: index });
        }
    }
}

impl Names<'_> {
    /// Is there such a name, of one of these kinds, before the present step?
    fn has(&self, name: &str, kinds: &[Kind]) -> bool {
        self.all.get(name).is_some_and(|known| known.step < self.now && kinds.contains(&known.kind))
    }

    fn words(&self, kinds: &[Kind]) -> impl Iterator<Item = &str> {
        self.all
            .iter()
            .filter(move |(_, name)| name.step < self.now && kinds.contains(&name.kind))
            .map(|(word, _)| word.as_str())
    }

    /// A name that is used and not there.
    fn missing(&self, name: &str, kinds: &[Kind], what: &str, place: Option<Place>) -> Diagnostic {
        let known: Vec<&str> = self.words(kinds).collect();
        let near = closest(name, known.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
        let (message, later, help) = match self.all.get(name) {
            Some(later) if kinds.contains(&later.kind) => {
                let verb = if later.kind == Kind::Session { "authorized" } else { "there" };
                let message = format!("{what} \"{name}\" is used before it is {verb}");
                (message, Some(later), "move this behind the step that brings it".to_owned())
            }
            Some(other) => {
                let message = format!("\"{name}\" is the name of a {}, not of a {what}", other.kind.noun());
                (message, Some(other), near.unwrap_or_else(|| format!("name a {what}")))
            }
            None if kinds == [Kind::Session] => (
                format!("session \"{name}\" is used but never authorized"),
                None,
                near.unwrap_or_else(|| {
                    format!("authorize it in a step before: - authorize: {{ as: {name} }}")
                }),
            ),
            None => (
                format!("there is no {what} \"{name}\""),
                None,
                near.unwrap_or_else(|| "give a step before this one a name: with name: or as:".to_owned()),
            ),
        };
        Diagnostic::error("unknown-name", message)
            .at(place)
            .one_of(known)
            .note(later.and_then(|later| later.at.place()), "it comes from here")
            .help(help)
    }
}

/// What the tokens of the first grant are called.
const FIRST: &str = "first";

const ANSWERS: [Kind; 3] = [Kind::Session, Kind::Answer, Kind::Tokens];

/// What a wording can look at: pages, too.
const SAID: [Kind; 4] = [Kind::Session, Kind::Answer, Kind::Tokens, Kind::Page];

fn session(name: &str, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    if !names.has(name, &[Kind::Session]) {
        out.push(names.missing(name, &[Kind::Session], "session", at.place()));
    }
}

fn answer(name: &str, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    if !names.has(name, &ANSWERS) {
        out.push(names.missing(name, &ANSWERS, "session or named answer", at.place()));
    }
}

fn step_uses(step: &Step, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    if let Some(name) = step.uses_session() {
        session(name, &at.to("session"), names, out);
    }
    let token_set = match step {
        Step::CallApi(step) => step.token_set.as_ref(),
        Step::Refresh(step) => step.token_set.as_ref(),
        Step::Revoke(step) | Step::Introspect(step) => step.token_set.as_ref(),
        _ => None,
    };
    if let Some(name) = token_set.filter(|name| *name != FIRST && !names.has(name, &[Kind::Tokens])) {
        out.push(token_set_missing(name, names, &at.to("use")));
    }
    if let Some(own) = step.edits() {
        edits(&own, at, names, out);
    }
    let (key, page) = match step {
        Step::OpenPage(step) => ("in", step.browser.as_ref()),
        Step::EnterCode(step) => ("in", step.browser.as_ref()),
        Step::Approve(step) | Step::Deny(step) => ("page", step.page.as_ref()),
        _ => ("in", None),
    };
    if let Some(name) = page.filter(|name| !names.has(name, &[Kind::Page])) {
        out.push(names.missing(name, &[Kind::Page], "page", at.to(key).place()));
    }
    match step {
        Step::Approve(step) | Step::Deny(step) => forger(step.tamper.as_ref(), at, names, out),
        Step::OpenPage(step) => {
            for (name, value) in &step.header {
                text(value, &at.to("header").to(name.as_str()), names, out);
            }
        }
        Step::OnlyIf(step) => answer(&step.of, &at.to("of"), names, out),
        Step::Request(step) => {
            text(step.body.as_deref().unwrap_or_default(), &at.to("body"), names, out);
            for (key, map) in [("headers", &step.headers), ("query", &step.query)] {
                for (name, value) in map {
                    text(value, &at.to(key).to(name.as_str()), names, out);
                }
            }
        }
        _ => {}
    }
}

fn forger(tamper: Option<&Tamper>, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    let known = tamper.and_then(|tamper| tamper.known.as_ref());
    if let Some(name) = known.filter(|name| !names.has(name, &[Kind::Page])) {
        out.push(names.missing(name, &[Kind::Page], "page", at.to("tamper").to("known").place()));
    }
}

fn token_set_missing(name: &str, names: &Names<'_>, at: &Spot<'_>) -> Diagnostic {
    let known: Vec<&str> = names.words(&[Kind::Tokens]).chain([FIRST]).collect();
    let near = closest(name, known.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
    Diagnostic::error("unknown-name", format!("there is no token set \"{name}\""))
        .at(at.place())
        .one_of(known)
        .help(near.unwrap_or_else(|| {
            "first is what the first grant brought; a refresh names its own with as:".to_owned()
        }))
}

fn edits(edits: &Edits, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    for (key, map) in [("with", &edits.with), ("header", &edits.header)] {
        for (name, value) in map {
            text(value, &at.to(key).to(name.as_str()), names, out);
        }
    }
    for (name, values) in &edits.twice {
        for (index, value) in values.iter().enumerate() {
            text(value, &at.to("twice").to(name.as_str()).to(index), names, out);
        }
    }
}

fn expectations(
    list: &[Expectation],
    at: &Spot<'_>,
    own: Option<&str>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) {
    for (expectation, at) in nested(list, at) {
        match expectation {
            Expectation::SameAs(name) if own == Some(name) => out.push(
                Diagnostic::error("never-fails", "an answer is always the same as itself")
                    .at(at.place())
                    .help("name the answer of another step"),
            ),
            Expectation::SameAs(name) => {
                // The answer at hand is none to compare with.
                let now = if own.is_some() { names.now.saturating_sub(1) } else { names.now };
                answer(name, &at, &Names { now, ..*names }, out);
            }
            Expectation::When(when) => {
                if let Some(name) = &when.of {
                    answer(name, &at.to("of"), names, out);
                }
            }
            Expectation::Tokens(rule) => session(&rule.of, &at.to("of"), names, out),
            Expectation::Scope(rule) => {
                if let Some(name) = &rule.subset_of {
                    session(name, &at.to("subset_of"), names, out);
                }
                if let Some(name) = &rule.same_as {
                    answer(name, &at.to("same_as"), names, out);
                }
                text(rule.lacks.as_deref().unwrap_or_default(), &at.to("lacks"), names, out);
            }
            Expectation::Same(texts) | Expectation::Differ(texts) => {
                for (index, value) in texts.iter().enumerate() {
                    text(value, &at.to(index), names, out);
                }
            }
            Expectation::Near(near) => {
                for (key, value) in [("a", &near.a), ("b", &near.b)] {
                    number(value, &at.to(key), names, out);
                }
            }
            Expectation::Later(later) => {
                for (key, value) in [("a", &later.a), ("than", &later.than)] {
                    number(value, &at.to(key), names, out);
                }
            }
            Expectation::Jwt(jwt) => {
                text(&jwt.of, &at.to("of"), names, out);
                for (key, rules) in [("header", &jwt.header), ("claim", &jwt.claim)] {
                    for (name, rule) in rules {
                        member(rule, &at.to(key).to(name.as_str()), names, out);
                    }
                }
                for (name, value) in &jwt.hash {
                    text(value, &at.to("hash").to(name.as_str()), names, out);
                }
            }
            Expectation::Lacks(value) if value == ANY_DEVICE_CODE => {}
            Expectation::Lacks(value) => text(value, &at, names, out),
            Expectation::Page(rule) => {
                text(rule.shows.as_deref().unwrap_or_default(), &at.to("shows"), names, out);
                if let Some(name) = rule.unlike.as_ref().filter(|name| !names.has(name, &[Kind::Page])) {
                    out.push(names.missing(name, &[Kind::Page], "page", at.to("unlike").place()));
                }
            }
            Expectation::Contains(members) => {
                for (name, value) in members {
                    text(value, &at.to(name.as_str()), names, out);
                }
            }
            Expectation::Member(rules) => {
                for (name, rule) in rules {
                    member(rule, &at.to(name.as_str()), names, out);
                }
            }
            _ => {}
        }
    }
}

fn member(rule: &MemberRule, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    let lists = [("is", &rule.is), ("is_any_case", &rule.is_any_case)];
    let singles = [
        ("is_not", &rule.is_not),
        ("includes", &rule.includes),
        ("lacks", &rule.lacks),
        ("has", &rule.has),
        ("same_host", &rule.same_host),
    ];
    let texts = lists.iter().flat_map(|(key, list)| list.iter().map(move |value| (*key, value)));
    for (key, value) in texts.chain(singles.iter().filter_map(|(key, value)| Some((*key, value.as_ref()?)))) {
        text(value, &at.to(key), names, out);
    }
}

/// A number of `near`: a placeholder, an instant or a plain number.
fn number(value: &str, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    if placeholders(value).next().is_some() {
        text(value, at, names, out);
    } else if value.parse::<f64>().is_err()
        && value != NOW
        && !Anchor::ALL.iter().any(|anchor| anchor.word() == value)
    {
        out.push(
            Diagnostic::error("unknown-instant", format!("\"{value}\" is no number and no instant"))
                .at(at.place())
                .help(
                    "write now, expiry or token_expiry alone, or a value in braces such as \"{probe.exp}\"",
                ),
        );
    }
}

/// A text with placeholders.
fn text(text: &str, at: &Spot<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) {
    for (word, placeholder) in placeholders(text) {
        let place = || at.find(word);
        let unknown = |message: String| Diagnostic::error("unknown-placeholder", message).at(place());
        let values = || SessionValue::ALL.iter().map(|value| value.word());
        match placeholder {
            Ok(Placeholder::Random | Placeholder::Client(..) | Placeholder::Target(_)) => {}
            Ok(Placeholder::Value { of, name }) if names.has(of, &[Kind::Session]) => {
                if !values().any(|value| value == name) {
                    let near = closest(name, values());
                    out.push(unknown(format!("a session has no \"{name}\"")).one_of(values()).help(
                        near.map_or_else(
                            || "to use another member, give the step a name: and refer to that".to_owned(),
                            |near| format!("did you mean \"{{{of}.{near}}}\"?"),
                        ),
                    ));
                }
            }
            Ok(Placeholder::Value { of, .. }) if names.has(of, &ANSWERS) => {}
            Ok(Placeholder::Value { of, name: TYPED_CODES }) if names.has(of, &[Kind::Page]) => {}
            Ok(Placeholder::Value { of, .. }) => {
                out.push(names.missing(of, &ANSWERS, "session or named answer", at.find(of)));
            }
            Err(Misread::NoValue) => out.push(
                unknown(format!("{{{word}}} does not say which value"))
                    .one_of(values())
                    .help(format!("write a value behind it, such as {{{word}.device_code}}; or {{random}}")),
            ),
            Err(Misread::UnknownRole) => out.push(
                unknown(format!("there is no client role in {{{word}}}"))
                    .one_of(Role::ALL.iter().map(|role| role.word()))
                    .help("write {client.tv.id}, with a role of the target file"),
            ),
            Err(Misread::UnknownTargetValue) => out.push(
                unknown(format!("a target has no such value as in {{{word}}}"))
                    .one_of(TargetValue::ALL.iter().map(|value| value.word()))
                    .help("write {target.issuer}"),
            ),
            Err(Misread::UnknownClientValue) => out.push(
                unknown(format!("a client has no such value as in {{{word}}}"))
                    .one_of(ClientValue::ALL.iter().map(|value| value.word()))
                    .help("write {client.tv.id} or {client.tv.secret}"),
            ),
        }
    }
}
