//! Our own device, `devgrant login`, judged by the requirements that bind a client: against a scripted server, in
//! virtual time, without a socket where it can be.
//!
//! A row of `suites/requirements.yaml` names its test here, with hyphens: `judged_by: device-test every-gap-is-an-interval`
//! is `fn every_gap_is_an_interval`, in whichever file.

mod discovery;
mod pace;
mod qr;
mod requests;
mod screen;
mod script;
pub(crate) mod tls;
mod tokens;

use std::collections::BTreeSet;
use std::time::Duration;

use devgrant::exchange::{Answer, NoAnswer};
use devgrant::login::{Ended, Event, Screen, Settings, play};
use devgrant::target::Client;

use crate::repository;
use script::{ACCESS_TOKEN, DEVICE_CODE, REFRESH_TOKEN, Script};

/// The tests of this directory as rows name them.
pub(crate) fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in repository::names("tests/it/device_tests") {
        let text = repository::text(&format!("tests/it/device_tests/{file}"));
        let mut is_test = false;
        for line in text.lines() {
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            match function.and_then(|rest| rest.split('(').next()) {
                Some(name) if is_test => {
                    assert!(names.insert(name.replace('_', "-")), "{name} is there twice")
                }
                _ => {}
            }
            // Further attributes, and comments, may stand between the first and the function.
            is_test = line.starts_with("#[test]")
                || line.starts_with("#[tokio::test")
                || (is_test && line.starts_with(['#', '/']));
        }
    }
    assert!(names.len() > 30, "{names:?}");
    names
}

type Answers = Vec<Result<Answer, NoAnswer>>;

/// Keeps what was shown, as text.
#[derive(Default)]
struct Paper(Vec<String>);

impl Screen for Paper {
    fn show(&mut self, event: Event<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

impl Paper {
    fn has(&self, text: &str) -> bool {
        self.0.iter().any(|line| line.contains(text))
    }
}

/// A public client without API and browser.
fn settings() -> Settings {
    let client = Client::public("tv");
    let url = |path: &str| format!("https://as.example/{path}").parse().unwrap();
    Settings::new(url("device"), url("token"), client)
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Plays a login and looks on for twenty intervals of 20 s: nothing may come after its end. Whatever the script, there
/// is one device authorization request, and no secret is shown.
async fn watch(login: &Settings, script: &Script) -> (Ended, Paper) {
    let mut paper = Paper::default();
    let ended = play(login, script, &mut paper).await;
    let requests = script.seen().len();
    tokio::time::sleep(s(400)).await;
    assert_eq!(script.seen().len(), requests);
    for line in &paper.0 {
        for secret in [DEVICE_CODE, ACCESS_TOKEN, REFRESH_TOKEN] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    assert!(!format!("{ended:?}").contains(DEVICE_CODE));
    let authorizations =
        script.seen().iter().filter(|seen| seen.request.url == login.device_authorization.as_str()).count();
    assert_eq!(authorizations, 1, "one device authorization request, whatever the end");
    (ended, paper)
}

async fn login(answers: Answers) -> (Ended, Paper, Script) {
    let script = Script::new(answers);
    let (ended, paper) = watch(&settings(), &script).await;
    (ended, paper, script)
}

fn polls(script: &Script) -> usize {
    script.seen().iter().filter(|seen| seen.request.url == "https://as.example/token").count()
}
