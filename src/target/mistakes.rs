//! Mistakes in the settings of an approval driver that its types let through, each with its place.

use std::collections::BTreeSet;

use http::{HeaderName, Method};
use url::{Host, Url};

use super::{Approval, HttpRecipe, PageRequest};
use crate::diagnostic::{Diagnostic, Place};
use crate::yaml::Segment;

/// Every mistake of these settings; `at` is the place of a path below `approval`.
pub(super) fn of(approval: &Approval, at: &dyn Fn(&[Segment]) -> Option<Place>) -> Vec<Diagnostic> {
    match approval {
        Approval::Browser(browser) => browser.webdriver.iter().filter_map(|url| webdriver(url, at)).collect(),
        Approval::Command(settings) if settings.program.as_os_str().is_empty() => vec![
            Diagnostic::error("no-program", "the command names no program")
                .at(at(&["command".into(), "program".into()]))
                .help("name a program that is found in PATH, or a path: program: ./approve.sh"),
        ],
        Approval::Http(recipe) => http(recipe, at),
        Approval::Command(_) | Approval::Form(_) | Approval::Manual(_) => Vec::new(),
    }
}

/// Passwords are typed through it, so it is spoken to on this machine alone.
fn webdriver(text: &str, at: &dyn Fn(&[Segment]) -> Option<Place>) -> Option<Diagnostic> {
    let url = Url::parse(text).ok();
    let is_here = url.is_some_and(|url| {
        let host = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        url.scheme() == "http" && host
    });
    (!is_here).then(|| {
        Diagnostic::error("webdriver-elsewhere", format!("{text} is no WebDriver on this machine"))
            .at(at(&["browser".into(), "webdriver".into()]))
            .help("write http://127.0.0.1:9515, or leave it out to have a chromedriver started")
    })
}

fn http(recipe: &HttpRecipe, at: &dyn Fn(&[Segment]) -> Option<Place>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if recipe.approve.is_empty() {
        found.push(
            Diagnostic::error("no-requests", "the list `approve` has no request")
                .at(at(&["http".into(), "approve".into()]))
                .help("write the requests that approve, the decisive one last"),
        );
    }
    let mut signed_in = BTreeSet::new();
    list("sign_in", &recipe.sign_in, &mut signed_in, at, &mut found);
    for (name, requests) in [("approve", &recipe.approve), ("deny", &recipe.deny)] {
        list(name, requests, &mut signed_in.clone(), at, &mut found);
    }
    found
}

/// One list of requests; `kept` are the values that there are before it, and becomes those after it.
fn list<'r>(
    name: &'static str,
    requests: &'r [PageRequest],
    kept: &mut BTreeSet<&'r str>,
    at: &dyn Fn(&[Segment]) -> Option<Place>,
    found: &mut Vec<Diagnostic>,
) {
    for (index, request) in requests.iter().enumerate() {
        let place = || at(&["http".into(), name.into(), Segment::Index(index)]);
        let mut wrong = |id, message: String, help: &str| {
            found.push(Diagnostic::error(id, message).at(place()).help(help));
        };
        let lines: Vec<Method> = request.lines().map(|(method, _)| method).collect();
        match lines.as_slice() {
            [method] => {
                let has_body = request.form.is_some() || request.json.is_some();
                if has_body && *method == Method::GET {
                    wrong(
                        "body-of-get",
                        "a GET has no body".to_owned(),
                        "send it by `post`, or put the values into the address",
                    );
                }
            }
            [] => wrong(
                "no-address",
                "the request has no address".to_owned(),
                "name its method with the address: { post: /device/approve }",
            ),
            _ => wrong(
                "two-methods",
                "the request has more than one method".to_owned(),
                "write one of get, post, put, patch and delete; each request is an item of its own",
            ),
        }
        if request.form.is_some() && request.json.is_some() {
            wrong("two-bodies", "the request has two bodies".to_owned(), "write either `form` or `json`");
        }
        for header in request.headers.keys().filter(|name| name.parse::<HeaderName>().is_err()) {
            wrong(
                "no-header",
                format!("\"{header}\" is no name of a header"),
                "write a name like x-csrf-token",
            );
        }
        for status in request.expect.iter().filter(|status| !(100..600).contains(*status)) {
            wrong("no-status", format!("{status} is no status"), "write statuses from 100 to 599");
        }
        let unknown: BTreeSet<&str> = request
            .templates()
            .into_iter()
            .flat_map(|it| it.kept())
            .filter(|it| !kept.contains(it))
            .collect();
        for name in unknown {
            wrong(
                "unknown-blank",
                format!("\"{{{name}}}\" stands for nothing here"),
                "write {user_code}, {login}, {password}, {action}, {verification_uri}, {verification_uri_complete}, or a \
                 name that an earlier request keeps: keep: { csrf: { json: /csrf } }",
            );
        }
        kept.extend(request.keep.keys().map(String::as_str));
    }
}

#[cfg(test)]
mod tests {
    use crate::target::Target;

    fn said(approval: &str) -> String {
        let text = format!(
            "target: x\nissuer: http://127.0.0.1:1\nclients: {{ tv: {{ id: tv }} }}\nusers: {{ alice: {{ login: a, password: b }} }}\n\
             approval:\n{approval}"
        );
        Target::from_yaml(&text).map_or_else(|mistakes| mistakes.to_string(), |_| String::new())
    }

    #[test]
    fn every_mistake_of_a_request_is_found_at_its_place() {
        let said = said(
            "  http:\n    approve:\n      - { get: /a, json: { x: 1 }, keep: { csrf: { header: x-csrf } } }\n      - { post: \"/{csrf}/{state}\" }\n      \
             - { form: { a: b }, json: {}, expect: [99] }\n    deny:\n      - { post: /d, put: /d, headers: { \"a b\": \"{csrf}\" } }\n",
        );
        for part in [
            "a GET has no body",
            "target:8:11",
            "\"{state}\" stands for nothing here",
            "target:9:11",
            "the request has no address",
            "the request has two bodies",
            "99 is no status",
            "target:10:11",
            "the request has more than one method",
            "\"a b\" is no name of a header",
            "\"{csrf}\" stands for nothing here",
            "target:12:11",
        ] {
            assert!(said.contains(part), "{part} is missing in:\n{said}");
        }
        assert!(!said.contains("\"{csrf}\" stands for nothing here\n --> target:9"), "{said}");
    }

    #[test]
    fn a_webdriver_is_on_this_machine_and_a_program_has_a_name() {
        let browser = |url: &str| said(&format!("  browser: {{ steps: [], webdriver: \"{url}\" }}\n"));
        assert_eq!(browser("http://127.0.0.1:9515"), "");
        assert!(browser("http://grid.example:4444").contains("is no WebDriver on this machine"));
        assert!(browser("https://127.0.0.1:9515").contains("is no WebDriver on this machine"));
        assert!(said("  command: { program: \"\" }\n").contains("the command names no program"));
        assert!(said("  command: { programm: x }\n").contains("programm"));
    }
}
