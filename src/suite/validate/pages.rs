//! What goes with what at the verification pages.

use super::spot::{Located, Spot, expectations, nested};
use crate::diagnostic::Diagnostic;
use crate::protocol::Endpoint;
use crate::suite::{
    Check, Decide, Dropped, EnterCode, Expectation, OpenPage, PageMethod, Reach, Step, Tamper, Typed,
};

/// Every mistake about pages.
pub(super) fn check(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for Located { step, at, .. } in steps {
        match step {
            Step::OpenPage(open) => opening(open, at, out),
            Step::EnterCode(enter) => entering(enter, at, out),
            Step::Approve(decide) | Step::Deny(decide) => deciding(decide, at, out),
            Step::Request(request) if request.to == Endpoint::Pages => {
                out.push(by_driver(&at.to("to")));
            }
            Step::Tls(tls) if tls.endpoint == Endpoint::Pages => out.push(by_driver(&at.to("endpoint"))),
            _ => {}
        }
    }
    for (index, variant) in check.each.iter().enumerate() {
        let at = at.to("each").to(index);
        let step = steps.iter().map(|located| &located.step).find(|step| step.name() == Some(&variant.at));
        let types = matches!(step, Some(Step::EnterCode(_)) | None);
        let decides = matches!(step, Some(Step::Approve(_) | Step::Deny(_)) | None);
        if variant.typed.is_some() && !types {
            out.push(idle(
                "typed changes enter_code alone",
                "name an enter_code step in at:",
                &at.to("typed"),
            ));
        }
        if let Some(tamper) = &variant.tamper {
            if decides {
                tampering(tamper, &at.to("tamper"), out);
            } else {
                let help = "name an approve or deny step in at:";
                out.push(idle("tamper changes a decision alone", help, &at.to("tamper")));
            }
        }
    }
    of_pages(check, steps, at, out);
}

fn idle(message: &str, help: &str, at: &Spot<'_>) -> Diagnostic {
    Diagnostic::error("idle-edit", message).at(at.key_place()).help(help)
}

fn by_driver(at: &Spot<'_>) -> Diagnostic {
    Diagnostic::error("pages-by-driver", "the pages have no address of their own: each session names it")
        .at(at.place())
        .help("write open_page: { session: tv }; it takes method: and header:, too")
}

fn opening(open: &OpenPage, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let goes_on = open.to == Some(Reach::Decision);
    if open.user.is_some() && !goes_on {
        let help = "write to: decision, or in: with a page at which somebody has signed in";
        out.push(idle("nobody signs in at the address alone", help, &at.to("user")));
    }
    if open.method == Some(PageMethod::Head) && goes_on {
        let help = "leave to: decision out; a preview goes nowhere";
        out.push(idle("HEAD brings no page to go on from", help, &at.to("method")));
    }
}

fn entering(enter: &EnterCode, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    match enter.times {
        Some(0 | 1) => {
            let message = "times must be 2 or more";
            let help = "leave it out for one code";
            out.push(Diagnostic::error("too-few", message).at(at.to("times").place()).help(help));
        }
        Some(_) if enter.typed != Some(Typed::Random) => {
            let help = "write typed: random, or leave times out";
            out.push(idle("the same code would be typed again and again", help, &at.to("times")));
        }
        _ => {}
    }
}

fn deciding(decide: &Decide, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    for (key, there) in [("uri", decide.uri.is_some()), ("user", decide.user.is_some())] {
        if there && decide.page.is_some() {
            let message = format!("the page is open already, so {key} changes nothing");
            out.push(idle(&message, "say it at the open_page step", &at.to(key)));
        }
    }
    if let Some(tamper) = &decide.tamper {
        tampering(tamper, &at.to("tamper"), out);
    }
}

fn tampering(tamper: &Tamper, at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    if *tamper == Tamper::default() {
        out.push(idle("nothing is forged here", "write drop:, origin:, method: or press:", at));
    } else if tamper.known.is_some() && !tamper.drop.contains(&Dropped::Csrf) {
        let help = "leave known out, or write drop: csrf beside it";
        out.push(idle("nothing is left out that a page could tell", help, &at.to("known")));
    } else if tamper.all_cookies && tamper.origin.is_none() {
        let help = "leave all_cookies out, or write origin: foreign beside it";
        out.push(idle("at the page itself all cookies go along anyway", help, &at.to("all_cookies")));
    }
}

/// Expectations of pages where there is none.
fn of_pages(check: &Check, steps: &[Located<'_>], at: &Spot<'_>, out: &mut Vec<Diagnostic>) {
    let brings_page = |step: &Step| {
        matches!(step, Step::OpenPage(_) | Step::EnterCode(_) | Step::Approve(_) | Step::Deny(_))
    };
    let named = |name: &str| steps.iter().find(|located| located.step.name() == Some(name));
    let over_pages = check.over.as_ref().is_some_and(|over| over.endpoint.contains(&Endpoint::Pages));
    let of_steps: Vec<bool> = steps.iter().map(|located| brings_page(&located.step)).collect();
    let of_variants =
        check.each.iter().map(|variant| named(&variant.at).is_none_or(|located| brings_page(&located.step)));
    let of_wordings = check
        .say
        .iter()
        .flat_map(|reading| reading.when.keys())
        .map(|name| named(name).is_none_or(|located| brings_page(&located.step)));
    let whose: Vec<bool> =
        of_steps.into_iter().chain(of_variants).chain(of_wordings).chain([over_pages]).collect();
    for ((list, at), has_page) in expectations(check, steps, at).into_iter().zip(whose) {
        for (expectation, at) in nested(list, &at) {
            if matches!(expectation, Expectation::Page(_) | Expectation::Code(_)) && !has_page {
                out.push(
                    Diagnostic::error(
                        "no-page",
                        format!("{} looks at a page, and here is none", expectation.word()),
                    )
                    .at(at.key_place())
                    .help(
                        "expect it of open_page, enter_code, approve or deny, or over: { endpoint: pages }",
                    ),
                );
            }
        }
    }
}
