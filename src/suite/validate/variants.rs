//! `each`: variants and the requests they change; and edits of which nothing comes.

use std::collections::HashMap;

use super::spot::{Located, Spot};
use crate::diagnostic::{Diagnostic, closest};
use crate::suite::{Check, Edits, Step, Variant, size};

/// Every mistake of the variants of a check, and of what is done to requests.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let mut seen = HashMap::new();
    for (index, variant) in check.each.iter().enumerate() {
        let at = at.to("each").to(index);
        let name = at.to("variant");
        called(variant, &name, out);
        if let Some(first) = seen.insert(variant.variant.as_str(), name.place()) {
            out.push(
                Diagnostic::error(
                    "duplicate-variant",
                    format!("two variants are called \"{}\"", variant.variant),
                )
                .at(name.place())
                .note(first, "the first one")
                .help("call each by what it changes"),
            );
        }
        of_step(variant, steps, &at, out);
    }
    for Located { step, at, .. } in steps {
        if let Some(edits) = step.edits() {
            of_request(&edits, &edits, step, at, out);
        }
    }
}

/// The name of a variant stands in brackets behind the check's id.
fn called(Variant { variant, .. }: &Variant, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if variant.is_empty() || !variant.chars().all(good) {
        out.push(
            Diagnostic::error("bad-id", format!("\"{variant}\" is no name of a variant"))
                .at(at.place())
                .help("write letters, digits and hyphens, such as wrong-secret"),
        );
    }
}

fn of_step(variant: &Variant, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let Some(Located { step, .. }) = steps.iter().find(|s| s.step.name() == Some(&variant.at)) else {
        let names: Vec<&str> = steps.iter().filter_map(|located| located.step.name()).collect();
        let near = closest(&variant.at, names.iter().copied());
        out.push(
            Diagnostic::error("unknown-step", format!("no step is called \"{}\"", variant.at))
                .at(at.to("at").place())
                .help(near.map_or_else(
                    || format!("give the step that this variant changes a name: name: {}", variant.at),
                    |near| format!("did you mean \"{near}\"?"),
                ))
                .one_of(names),
        );
        return;
    };
    let decides = |located: &Located<'_>| {
        matches!(located.step, Step::Approve(_) | Step::Deny(_) | Step::OpenPage(_) | Step::EnterCode(_))
    };
    if variant.user.is_some() && !steps.iter().any(decides) {
        out.push(
            Diagnostic::error("idle-edit", "no user decides in this check, so user changes nothing")
                .at(at.to("user").key_place())
                .help("add an approve or deny step, or leave user out"),
        );
    }
    let changes = variant.edits();
    match step.edits() {
        Some(edits) => of_request(&changes, &edits.overlaid(&changes), step, at, out),
        None => {
            let only_client = Edits { client: None, ..changes.clone() } == Edits::default();
            if changes == Edits::default() || (only_client && matches!(step, Step::PollUntil(_))) {
                return;
            }
            out.push(
                Diagnostic::error(
                    "idle-edit",
                    format!("the request of {} cannot be changed by a variant", step.verb()),
                )
                .at(at.to("at").place())
                .help("variants change authorize, poll, call_api, refresh, revoke and introspect"),
            );
        }
    }
}

/// Edits as they stand at one place, and all that go with them.
fn of_request(edits: &Edits, all: &Edits, step: &Step, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let sent = parameters(step);
    let known = |name: &str| sent.contains(&name) || all.with.contains_key(name);
    let without =
        edits.without.iter().enumerate().map(|(index, name)| (name, at.to("without").to(index).place()));
    let alter = edits.alter.keys().map(|name| (name, at.to("alter").to(name.as_str()).key_place()));
    for (name, place) in without.chain(alter).filter(|(name, _)| !known(name)) {
        let near = closest(name, sent.iter().copied());
        out.push(
            Diagnostic::error(
                "idle-edit",
                format!("{} sends no parameter \"{name}\", so this changes nothing", step.verb()),
            )
            .at(place)
            .one_of(sent.iter().copied())
            .help(near.map_or_else(
                || "name a parameter that is sent; one that is not is added by with:".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            )),
        );
    }
    for (name, values) in &edits.twice {
        if values.len() != 2 {
            out.push(
                Diagnostic::error("not-two", format!("twice takes two values, not {}", values.len()))
                    .at(at.to("twice").to(name.as_str()).place())
                    .help(format!("write {name}: [first, second]")),
            );
        }
    }
    for (name, text) in &edits.repeat {
        if size(text).is_none_or(|bytes| bytes == 0) {
            out.push(
                Diagnostic::error("bad-size", format!("cannot read the size \"{text}\""))
                    .at(at.to("repeat").to(name.as_str()).place())
                    .help("write a number and a unit, such as 1 MiB, 64 KiB or 200 B"),
            );
        }
    }
    if edits.params == Some(0) {
        out.push(
            Diagnostic::error("idle-edit", "no parameter is added")
                .at(at.to("params").place())
                .help("say how many unknown parameters are added, or leave params: out"),
        );
    }
}

/// The parameters that the request of a step may have by itself.
const fn parameters(step: &Step) -> &'static [&'static str] {
    match step {
        Step::Authorize(_) => &["client_id", "client_secret", "scope"],
        Step::Poll(_) => &["grant_type", "device_code", "client_id", "client_secret"],
        Step::Refresh(_) => &["grant_type", "refresh_token", "scope", "client_id", "client_secret"],
        Step::Revoke(_) | Step::Introspect(_) => &["token", "token_type_hint", "client_id", "client_secret"],
        Step::CallApi(_) => &["access_token"],
        _ => &[],
    }
}
