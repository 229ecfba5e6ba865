//! Capabilities that the steps of a check imply, and that `needs` must name: the plan skips by `needs` alone.

use super::spot::{Located, Spot, expectations, nested};
use crate::diagnostic::{Diagnostic, Place};
use crate::protocol::{Capability, Endpoint, Role, UserRole};
use crate::suite::{Check, Edits, Expectation, StartUri, Step};
use crate::suite::{Placeholder, placeholders};

/// A capability that something in a check implies.
struct Implied {
    capability: Capability,
    /// By what.
    by: String,
    place: Option<Place>,
}

/// Capabilities that are named twice, and those that are not named.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let needs = &check.needs;
    for (index, need) in needs.iter().enumerate().filter(|(index, need)| needs[..*index].contains(need)) {
        out.push(
            Diagnostic::error("duplicate-need", format!("the need {need} is named twice"))
                .at(at.to("needs").to(index).place())
                .help("keep one of them"),
        );
    }
    let all = expectations(check, steps, at);
    let all: Vec<_> = all.iter().flat_map(|(list, at)| nested(list, at)).collect();
    let is_finding = |capability: Capability| {
        all.iter().any(
            |(expectation, _)| matches!(expectation, Expectation::Target(rule) if rule.has == capability),
        )
    };
    if let Some((_, at)) =
        all.iter().find(|(e, _)| matches!(e, Expectation::Target(rule) if needs.contains(&rule.has)))
    {
        out.push(
            Diagnostic::error(
                "never-fails",
                "a check that needs a capability can never find that it is lacking",
            )
            .at(at.place())
            .help("take it out of needs:"),
        );
    }
    let mut missing: Vec<Implied> = Vec::new();
    for implied in implied(check, steps, at) {
        let known =
            needs.contains(&implied.capability) || missing.iter().any(|m| m.capability == implied.capability);
        if !known && !is_finding(implied.capability) {
            missing.push(implied);
        }
    }
    for Implied { capability, by, place } in missing {
        let whole: Vec<&str> = needs.iter().map(|need| need.word()).chain([capability.word()]).collect();
        out.push(
            Diagnostic::error(
                "missing-need",
                format!("{by} takes the capability {capability}, which needs: does not name"),
            )
            .at(place)
            .help(format!("write needs: [{}]; a target without it skips the check then", whole.join(", "))),
        );
    }
}

fn implied(check: &Check, steps: &[Located<'_>], at: &Spot<'_>) -> Vec<Implied> {
    let mut found = Vec::new();
    for Located { step, at, .. } in steps {
        of_step(step, at, &mut found);
        role(step.client(), at, &mut found);
        if let Some(edits) = step.edits() {
            clients_in(edit_texts(&edits), at, &mut found);
        }
        if let Step::Request(step) = step {
            let texts = step.headers.values().chain(step.query.values()).chain(&step.body);
            clients_in(texts, at, &mut found);
        }
    }
    if let Some(measure) = &check.measure {
        role(measure.client, &at.to("measure"), &mut found);
    }
    for (index, variant) in check.each.iter().enumerate() {
        let at = at.to("each").to(index);
        role(variant.client, &at, &mut found);
        if variant.user == Some(UserRole::Bob) {
            let (by, place) = ("user: bob".to_owned(), at.to("user").place());
            found.push(Implied { capability: Capability::SecondUser, by, place });
        }
        clients_in(edit_texts(&variant.edits()), &at, &mut found);
    }
    found
}

fn of_step(step: &Step, at: &Spot<'_>, found: &mut Vec<Implied>) {
    let mut add = |capability, by: &str, place| found.push(Implied { capability, by: by.to_owned(), place });
    match step {
        Step::Approve(decide) | Step::Deny(decide) => {
            let denies = matches!(step, Step::Deny(_));
            let capability = if denies { Capability::Denial } else { Capability::Approval };
            add(capability, step.verb(), at.key_place());
            if decide.user == Some(UserRole::Bob) {
                add(Capability::SecondUser, "user: bob", at.to("user").place());
            }
            if decide.uri == Some(StartUri::Complete) {
                add(Capability::CompleteUri, "uri: complete", at.to("uri").place());
            }
            for (key, there) in [
                ("page", decide.page.is_some()),
                ("tamper", decide.tamper.is_some()),
                ("expect", !decide.expect.is_empty()),
            ] {
                if there {
                    add(Capability::Page, &format!("{key}:"), at.to(key).key_place());
                }
            }
        }
        Step::OpenPage(open) => {
            add(Capability::Page, "open_page", at.key_place());
            if open.user == Some(UserRole::Bob) {
                add(Capability::SecondUser, "user: bob", at.to("user").place());
            }
            if open.uri == Some(StartUri::Complete) {
                add(Capability::CompleteUri, "uri: complete", at.to("uri").place());
            }
        }
        Step::EnterCode(enter) => {
            add(Capability::Page, "enter_code", at.key_place());
            if enter.user == Some(UserRole::Bob) {
                add(Capability::SecondUser, "user: bob", at.to("user").place());
            }
        }
        Step::CallApi(_) => add(Capability::Api, "call_api", at.key_place()),
        Step::Refresh(_) => add(Capability::Refresh, "refresh", at.key_place()),
        Step::Revoke(_) => add(Capability::Revocation, "revoke", at.key_place()),
        Step::Introspect(_) => add(Capability::Introspection, "introspect", at.key_place()),
        Step::Discover(_) => add(Capability::Metadata, "discover", at.key_place()),
        Step::Request(request) => of_endpoint(request.to, "to", at, found),
        Step::Tls(tls) => of_endpoint(tls.endpoint, "endpoint", at, found),
        _ => {}
    }
}

fn of_endpoint(endpoint: Endpoint, key: &str, at: &Spot<'_>, found: &mut Vec<Implied>) {
    let capability = match endpoint {
        Endpoint::Api => Capability::Api,
        Endpoint::Revocation => Capability::Revocation,
        Endpoint::Introspection => Capability::Introspection,
        Endpoint::Metadata => Capability::Metadata,
        Endpoint::Pages => Capability::Page,
        Endpoint::DeviceAuthorization | Endpoint::Token => return,
    };
    found.push(Implied { capability, by: format!("{key}: {endpoint}"), place: at.to(key).place() });
}

fn role(role: Option<Role>, at: &Spot<'_>, found: &mut Vec<Implied>) {
    if let Some((role, capability)) = role.and_then(|role| Some((role, role.gives()?))) {
        found.push(Implied { capability, by: format!("client: {role}"), place: at.to("client").place() });
    }
}

fn edit_texts(edits: &Edits) -> impl Iterator<Item = &String> {
    edits.with.values().chain(edits.header.values()).chain(edits.twice.values().flatten())
}

/// Clients that placeholders name.
fn clients_in<'t>(texts: impl IntoIterator<Item = &'t String>, at: &Spot<'_>, found: &mut Vec<Implied>) {
    for (word, placeholder) in texts.into_iter().flat_map(|text| placeholders(text)) {
        if let Ok(Placeholder::Client(role, _)) = placeholder
            && let Some(capability) = role.gives()
        {
            found.push(Implied { capability, by: format!("{{{word}}}"), place: at.find(word) });
        }
    }
}
