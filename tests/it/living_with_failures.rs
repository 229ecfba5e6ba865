//! What keeps a pipeline green on purpose: known failures with an end, and the edition that is scored.

use std::collections::BTreeMap;
use std::fs;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use devgrant::catalog::Catalog;
use devgrant::edition::Editions;
use devgrant::judge::{Judge, Verdict};
use devgrant::known::KnownFailure;
use devgrant::server::{Config, app, faults};
use devgrant::yaml::Source;
use serde_json::Value;

use crate::binary::{Binary, Ended};
use crate::cli::{QUICK, answering, plain, run};
use crate::repository;
use crate::scripted::{PENDING, Scripted};
use crate::virtual_time::{ORIGIN, reference_target};

const OTHER: &str = "token-response/pending-before-decision";

/// Every closed edition with its number of cases: it never changes again.
const CLOSED: &[(&str, usize)] = &[("2026.1", 248)];

/// Polls answered with status 401: `QUICK` fails.
async fn odd() -> Scripted {
    answering(PENDING, "401 Unauthorized").await
}

async fn check(binary: Binary, server: &Scripted, arguments: &[&str]) -> (Binary, Ended) {
    let target = binary.target(&format!("http://{}", server.address));
    let first = ["check", "--target", &target, "--check", OTHER];
    run(binary, &[&first[..], arguments].concat()).await
}

#[tokio::test]
async fn an_entry_has_an_end_and_a_race_may_decide() {
    let (odd, good) = (odd().await, plain().await);
    for (server, entry, code, said) in [
        (&odd, "until: 2999-12-31, link: \"https://bugs.example/7\"", 0, "defended (https://bugs.example/7)"),
        (&odd, "until: 2026-01-31", 1, "it was to be over by 2026-01-31"),
        (&odd, "until: 2026-01-31", 1, "\nFAIL  token-response/errors-have-status-400"),
        (&good, "until: 2999-12-31", 1, "it does not fail any more"),
        (&good, "until: 2026-01-31", 1, "it was to be over by 2026-01-31"),
        (&good, "sometimes: true", 0, "Conformant: nothing failed."),
        (&odd, "sometimes: true", 0, "KNOWN  token-response/errors-have-status-400"),
    ] {
        let binary = Binary::new();
        let known = binary.file("known.yaml", &format!("- {{ id: {QUICK}, reason: defended, {entry} }}\n"));
        let (_, ended) = check(binary, server, &["--check", QUICK, "--known-failures", &known]).await;
        assert_eq!(ended.code, Some(code), "{entry}: {}", ended.all());
        assert!(ended.out.contains(said), "{entry}, {said}: {}", ended.all());
    }
}

#[tokio::test]
async fn a_selection_never_turns_red_by_an_entry_that_it_left_out() {
    let good = plain().await;
    let binary = Binary::new();
    let list =
        format!("- {{ id: {QUICK}, reason: r }}\n- {{ id: user-code, reason: r, until: 2026-01-31 }}\n");
    let list = list.replace("user-code,", "user-code/user-code-is-short,");
    let known = binary.file("known.yaml", &list);
    let (_, ended) = check(binary, &good, &["--known-failures", &known]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
}

#[test]
fn mistakes_of_the_list_are_shown_before_anything_is_sent() {
    let binary = Binary::new();
    let known = binary
        .file("known.yaml", "- id: a/b\n  reason: r\n  until: 31.12.2026\n- { id: a/b, reason: \"\" }\n");
    for arguments in [&["check", "--known-failures", &known][..], &["validate", &known]] {
        let ended = binary.run(arguments);
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains("known.yaml:3:10"), "{}", ended.err);
        assert!(ended.err.contains("\"31.12.2026\" is no day of the calendar"), "{}", ended.err);
    }
}

#[tokio::test]
async fn what_fails_is_written_with_reasons_to_fill_in_and_what_was_there_stays() {
    let odd = odd().await;
    let binary = Binary::new();
    let known = binary.name("known.yaml");
    let arguments = ["--check", QUICK, "--write-known-failures", &known];
    let (binary, first) = check(binary, &odd, &arguments).await;
    assert_eq!(first.code, Some(1), "the run was red: {}", first.all());
    assert!(first.err.contains("1 known failure written to"), "{}", first.err);
    let written = fs::read_to_string(&known).unwrap();
    assert_eq!(
        written,
        "- id: token-response/errors-have-status-400\n  # must · RFC 8628 §3.5: Error answers of the token endpoint \
         have status 400\n  reason: \"TODO: why this is known and defended\"\n"
    );
    // Filled in, and written again: nothing is lost, nothing comes twice.
    let filled =
        format!("# Ours.\n{}", written.replace("TODO: why this is known and defended", "an old proxy"));
    fs::write(&known, &filled).unwrap();
    let (binary, again) = check(binary, &odd, &arguments).await;
    assert_eq!(again.code, Some(0), "{}", again.all());
    assert!(again.err.contains("nothing to write to"), "{}", again.err);
    assert_eq!(fs::read_to_string(&known).unwrap(), filled);

    // An entry that names something else stays too, and so does a list that cannot be added to.
    fs::write(&known, "[{ id: user-code/user-code-is-short, reason: r }]\n").unwrap();
    let (binary, refused) = check(binary, &odd, &arguments).await;
    assert_eq!(refused.code, Some(3), "{}", refused.all());
    assert!(refused.err.contains("give another file"), "{}", refused.err);
    assert_eq!(fs::read_to_string(&known).unwrap(), "[{ id: user-code/user-code-is-short, reason: r }]\n");
    fs::write(&known, "# Nothing yet.\n[]\n").unwrap();
    let (_binary, added) =
        check(binary, &odd, &["--check", QUICK, "--write-known-failures", "--known-failures", &known]).await;
    assert!(added.err.contains("1 known failure written to"), "{}", added.all());
    assert_eq!(fs::read_to_string(&known).unwrap(), format!("# Nothing yet.\n{written}"));
}

#[test]
fn writing_needs_one_place() {
    let binary = Binary::new();
    for (arguments, said) in [
        (&["--write-known-failures"][..], "there is no list of known failures to write to"),
        (&["--write-known-failures", "a.yaml", "--known-failures", "b.yaml"], "two lists of known failures"),
        (&["--edition", "2026.01"], "there is no edition 2026.01\nhelp: one of: 2026.1"),
    ] {
        let ended = binary.run(&[&["check"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        assert!(ended.err.contains(said), "{}", ended.err);
    }
}

#[test]
fn the_guide_shows_a_list_that_can_be_read() {
    let guide = repository::text("docs/guide/known-failures.md");
    let block = guide.split("```yaml known\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let source = Source { name: "known.yaml".to_owned(), text: block.to_owned() };
    let entries = KnownFailure::read(&source).unwrap();
    let catalog = Catalog::builtin().unwrap();
    assert!(entries.len() > 1 && entries.iter().all(|entry| catalog.get(&entry.id).is_some()), "{entries:?}");
}

#[test]
fn every_case_came_with_one_edition_and_no_id_is_used_again() {
    let catalog = Catalog::builtin().unwrap();
    let Editions { editions, retired } = &catalog.editions;
    let mut came: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edition in editions {
        for case in &edition.cases {
            came.entry(case).or_default().push(&edition.edition);
        }
    }
    let cases = catalog.cases();
    for case in &cases {
        assert!(!retired.contains(case), "{case} is retired: its id is not to be used again, choose another");
        let editions = came.get(case.as_str()).map_or(0, Vec::len);
        assert_eq!(
            editions, 1,
            "{case} stands in {editions} editions of suites/editions.yaml: run devgrant generate"
        );
    }
    for case in came.keys().copied() {
        assert!(
            cases.iter().chain(retired).any(|known| known == case),
            "{case} is gone: give it back, or name it under `retired` of suites/editions.yaml"
        );
    }
    let closed = editions.iter().filter(|edition| edition.closed);
    let closed: Vec<(&str, usize)> = closed.map(|e| (e.edition.as_str(), e.cases.len())).collect();
    assert_eq!(closed, CLOSED, "a closed edition never changes: new cases go to the last one, which is open");
    let open = editions.iter().rev().skip(1).filter(|edition| !edition.closed).count();
    assert_eq!(open, 0, "only the last edition is open");
}

/// The one check of the second edition, and one of the first that looks at the answers of all.
const NEWER: &str = "token-response/expiry-is-told-to-a-fast-device";

fn strictly(server: axum::Router) -> Judge {
    devgrant::judge(server, reference_target()).only([NEWER, QUICK, OTHER]).strict()
}

#[tokio::test(start_paused = true)]
async fn what_came_after_the_edition_is_judged_and_does_not_count() {
    let fault = faults::all().find(|fault| fault.id == "slow-down-hides-expired");
    let server = || app(Config::reference().with_faults(fault), ORIGIN).public;
    let all = strictly(server()).await.unwrap();
    assert_eq!((all.failed(), all.is_green()), (vec![NEWER.to_owned()], false), "{}", all.findings());
    let second = strictly(server()).edition("2026.2").await.unwrap();
    assert!(!second.is_green(), "{}", second.findings());

    let first = strictly(server()).edition("2026.1").await.unwrap();
    assert_eq!(first.failed(), [NEWER], "it is judged all the same");
    first.assert_green();
    let text = first.findings();
    for part in [
        "edition 2026.1",
        "\nUNSCORED  token-response/expiry-is-told-to-a-fast-device",
        "counts    not at all: it came with edition 2026.2",
        "unscored",
        "Nothing that is scored failed, 1 failure not scored.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json = devgrant::report::FORMATS.iter().find(|format| format.name == "json").unwrap();
    let json: Value = serde_json::from_slice(&(json.write)(&first.record)).unwrap();
    assert_eq!((&json["unscored_failures"], &json["exit_code"]), (&1.into(), &0.into()));
    let unscored = json["cases"].as_array().unwrap().iter().find(|case| case["check"] == NEWER).unwrap();
    assert_eq!(unscored["unscored"], "2026.2");
    assert_eq!(json["run"]["edition"], "2026.1");

    let unknown = strictly(server()).edition("2025.4").await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no edition 2025.4");
}

/// What only the requests of a newer case bring to light does not turn a check over all answers red.
#[tokio::test(start_paused = true)]
async fn answers_to_newer_cases_are_not_looked_over_by_older_checks() {
    // Nobody but the newer check asks for an expired code.
    let server = || {
        app(Config::reference(), ORIGIN).public.layer(from_fn(async |request: Request, next: Next| {
            let (mut parts, body) = next.run(request).await.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            if body.windows(13).any(|window| window == b"expired_token") {
                parts.status = StatusCode::FORBIDDEN;
            }
            Response::from_parts(parts, Body::from(body))
        }))
    };
    let all = strictly(server()).await.unwrap();
    assert_eq!(all.failed(), [QUICK], "{}", all.findings());
    let first = strictly(server()).edition("2026.1").await.unwrap();
    assert_eq!(first.named(&[Verdict::Fail]), Vec::<String>::new(), "{}", first.findings());
    first.assert_green();
}
