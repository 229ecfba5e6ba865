//! The drivers that send requests and run programs, and shared sign-ins, against the reference server over a socket.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::{HeaderValue, Request, Response};
use bytes::Bytes;
use devgrant::approval::{
    ApprovalError, Ask, Decision, Driver, Manner, PageError, Pages, Start, Submitted, Trace, driver,
};
use devgrant::http::HttpPages;
use devgrant::server::{Config, Running, start};
use devgrant::target::{Approval, Target, User};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::time::Instant;

use crate::repository;
use crate::stage::{Nobody, target};

/// The pages of the reference server, asked by requests.
const HTTP: &str = r#"
  http:
    sign_in:
      - { get: /login, keep: { csrf: { field: csrf } } }
      - { post: /login, form: { csrf: "{csrf}", username: "{login}", password: "{password}" }, expect: [303] }
    approve:
      - { get: "/activate?user_code={user_code}", keep: { csrf: { field: csrf } }, expect: [200] }
      - { post: /activate/decision, form: { csrf: "{csrf}", user_code: "{user_code}", decision: approve }, expect: [200] }
    deny:
      - { get: "/activate?user_code={user_code}", keep: { csrf: { field: csrf } }, expect: [200] }
      - { post: /activate/decision, form: { csrf: "{csrf}", user_code: "{user_code}", decision: "{action}" }, expect: [200] }
"#;

/// The embedded server, and what its users and devices need.
pub(crate) struct Stage {
    pub(crate) origin: String,
    pub(crate) running: Running,
    pub(crate) pages: Arc<Watched>,
}

/// Pages that count sign-ins, and can lose a sign-in: its cookies do not reach the server any more.
pub(crate) struct Watched {
    pages: HttpPages,
    sign_ins: AtomicUsize,
    loses_cookies: AtomicBool,
    lost: Mutex<Option<HeaderValue>>,
}

impl Pages for Watched {
    fn fetch(&self, mut request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, PageError>> {
        if String::from_utf8_lossy(request.body()).contains("password=") {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
        let mut lost = self.lost.lock().unwrap();
        if request.uri().path() == "/activate" && self.loses_cookies.swap(false, Ordering::Relaxed) {
            *lost = request.headers().get(COOKIE).cloned();
        }
        if lost.is_some() && request.headers().get(COOKIE) == lost.as_ref() {
            request.headers_mut().remove(COOKIE);
        }
        drop(lost);
        self.pages.fetch(request).boxed()
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = start(Config::embedded(), any, any).await.unwrap();
        let pages = Watched {
            pages: HttpPages::new().unwrap(),
            sign_ins: AtomicUsize::new(0),
            loses_cookies: AtomicBool::new(false),
            lost: Mutex::default(),
        };
        Self { origin: format!("http://{}", running.public()), running, pages: Arc::new(pages) }
    }

    /// The target of the embedded server with these approval settings.
    pub(crate) fn target(&self, approval: &str) -> Target {
        let text = repository::text("fixtures/targets/embedded.yaml");
        let (before, rest) = text.split_once("approval:\n").unwrap();
        let (_, after) = rest.split_once("\nconstants:").unwrap();
        let text = format!("{before}approval:\n{}\nconstants:{after}", approval.trim_matches('\n'));
        target(&text.replace("http://127.0.0.1:8628", &self.origin))
    }

    fn driver(&self, target: &Target) -> Box<dyn Driver> {
        driver(target.approval.as_ref().unwrap(), Arc::clone(&self.pages) as Arc<dyn Pages>, Arc::new(Nobody))
    }

    async fn post(&self, path: &str, body: String) -> serde_json::Value {
        let request = Request::post(format!("{}{path}", self.origin))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        serde_json::from_slice(self.pages.fetch(request).await.unwrap().body()).unwrap()
    }

    /// A device that wants codes.
    pub(crate) async fn codes(&self) -> Codes {
        let codes = self.post("/oauth/device/code", "client_id=tv-public&scope=api".to_owned()).await;
        let text = |name: &str| codes[name].as_str().unwrap().to_owned();
        Codes {
            device: text("device_code"),
            user: text("user_code"),
            uri: text("verification_uri"),
            complete: text("verification_uri_complete"),
        }
    }

    /// What the device is told: `granted`, or the word of the error.
    pub(crate) async fn polled(&self, codes: &Codes) -> String {
        let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
        let body = format!("client_id=tv-public&device_code={}&grant_type={grant}", codes.device);
        let answer = self.post("/oauth/token", body).await;
        answer["error"].as_str().unwrap_or("granted").to_owned()
    }

    fn sign_ins(&self) -> usize {
        self.pages.sign_ins.load(Ordering::Relaxed)
    }
}

pub(crate) struct Codes {
    device: String,
    user: String,
    uri: String,
    complete: String,
}

impl Codes {
    pub(crate) fn user_code(&self) -> &str {
        &self.user
    }

    pub(crate) fn verification_uri(&self) -> &str {
        &self.uri
    }
}

pub(crate) async fn decide(
    driver: &dyn Driver,
    user: &User,
    codes: &Codes,
    decision: Decision,
    manner: Manner<'_>,
    seconds: u64,
) -> Result<Submitted, ApprovalError> {
    let ask = Ask {
        case: "a-suite/a-check",
        decision,
        user,
        user_code: &codes.user,
        verification_uri: &codes.uri,
        verification_uri_complete: Some(&codes.complete),
        start: Start::Uri,
        deadline: Instant::now() + Duration::from_secs(seconds),
        manner,
    };
    driver.decide(ask).await
}

fn user(target: &Target) -> &User {
    target.users.values().next().unwrap()
}

#[tokio::test]
async fn http_approves_and_denies_and_shows_no_password() {
    let stage = Stage::new().await;
    let target = stage.target(HTTP);
    let driver = stage.driver(&target);
    for (decision, told) in [(Decision::Approve, "granted"), (Decision::Deny, "access_denied")] {
        let codes = stage.codes().await;
        let trace = Trace::default();
        let manner = Manner { trace: Some(&trace), ..Manner::default() };
        let submitted = decide(driver.as_ref(), user(&target), &codes, decision, manner, 30).await.unwrap();
        assert_eq!((submitted.status, submitted.page), (Some(200), None));
        assert_eq!(stage.polled(&codes).await, told);
        let noted = trace.into_all();
        assert_eq!(noted.len(), 4);
        assert!(noted.iter().all(|it| !String::from_utf8_lossy(it.request.body()).contains("wonderland-1")));
    }
    assert_eq!(stage.sign_ins(), 2, "each decision signs in by itself");
}

#[tokio::test]
async fn http_says_which_request_was_answered_how() {
    let stage = Stage::new().await;
    let target = stage.target(&HTTP.replace("expect: [303] }", "expect: [204] }"));
    let codes = stage.codes().await;
    let driver = stage.driver(&target);
    let manner = Manner::default();
    let error =
        decide(driver.as_ref(), user(&target), &codes, Decision::Approve, manner, 30).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "request 2 of `sign_in` (POST {}/login) was answered 303, and 204 is expected; check `users` in the target \
             file, and what the request sends",
            stage.origin
        )
    );
    let target = stage.target(&HTTP.replace("{ field: csrf } }, expect", "{ json: /csrf } }, expect"));
    let error =
        decide(stage.driver(&target).as_ref(), user(&target), &codes, Decision::Deny, manner, 30).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "request 1 of `deny` (GET {}/activate) was answered 200 with nothing at \"/csrf\" of a JSON body, which \
             `keep: {{ csrf: ... }}` wants; does the server know the code, is it undecided, and is everything sent \
             that it wants?",
            stage.origin
        )
    );
}

#[tokio::test]
async fn who_shares_a_sign_in_signs_in_once_and_again_when_it_is_lost() {
    let form = repository::text("fixtures/targets/embedded.yaml");
    let (_, form) = form.split_once("approval:\n").unwrap();
    let (form, _) = form.split_once("\nconstants:").unwrap();
    for (settings, key) in [(HTTP, "  http:\n"), (form, "  form:\n")] {
        let stage = Stage::new().await;
        let shared = settings.replace(key, &format!("{key}    sessions: shared\n"));
        let target = stage.target(&shared);
        let driver = stage.driver(&target);
        let one = |decision| {
            let (stage, driver, user) = (&stage, driver.as_ref(), user(&target));
            async move {
                let codes = stage.codes().await;
                decide(driver, user, &codes, decision, Manner::default(), 30).await.unwrap();
                stage.polled(&codes).await
            }
        };
        assert_eq!(join_all((0..6).map(|_| one(Decision::Approve))).await, ["granted"; 6], "{key}");
        assert_eq!(stage.sign_ins(), 1, "{key}: six at once wait for one sign-in");
        stage.pages.loses_cookies.store(true, Ordering::Relaxed);
        assert_eq!(one(Decision::Deny).await, "access_denied", "{key}");
        assert_eq!(stage.sign_ins(), 2, "{key}: the session was lost");
        assert_eq!(one(Decision::Deny).await, "access_denied", "{key}");
        assert_eq!(stage.sign_ins(), 2, "{key}: the new one is shared");
    }
}

#[test]
fn what_a_driver_leaves_out_is_said_as_the_reason() {
    let without_deny = HTTP.split("    deny:").next().unwrap().to_owned();
    let approval = approval(&without_deny);
    use devgrant::protocol::Capability;
    assert_eq!(
        approval.lacks(Capability::Denial).unwrap(),
        "the target's users cannot deny: the `http` recipe has no list `deny`"
    );
    assert_eq!(
        approval.lacks(Capability::Page).unwrap(),
        "the `http` driver reads no pages; `form` and `browser` do"
    );
    assert_eq!(approval.lacks(Capability::Approval), None);
}

fn approval(settings: &str) -> Approval {
    let yaml = serde_yaml::Deserializer::from_str(settings);
    serde_yaml::with::singleton_map_recursive::deserialize(yaml).unwrap()
}

#[cfg(unix)]
mod command {
    use super::*;

    fn script(directory: &tempfile::TempDir, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = directory.path().join("decide.sh");
        std::fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        "  command: { program: ./decide.sh, args: [one, \"$HOME\"] }".to_owned()
    }

    async fn run(text: &str, seconds: u64) -> (tempfile::TempDir, Result<Submitted, ApprovalError>) {
        let directory = tempfile::tempdir().unwrap();
        let stage = Stage::new().await;
        let mut target = stage.target(&script(&directory, text));
        target.approval = target.approval.map(|approval| approval.beside(directory.path()));
        let codes = stage.codes().await;
        let driver = stage.driver(&target);
        let submitted =
            decide(driver.as_ref(), user(&target), &codes, Decision::Deny, Manner::default(), seconds).await;
        stage.running.shutdown().await;
        (directory, submitted)
    }

    #[tokio::test]
    async fn a_program_is_told_everything_and_no_shell_reads_its_arguments() {
        let (directory, submitted) = run(
            "test -n \"$DEVGRANT_USER_CODE\" || exit 1\n\
             echo \"$DEVGRANT_ACTION $DEVGRANT_LOGIN $DEVGRANT_PASSWORD $1 $2\" > \"${0%/*}/said\"\n\
             case \"$DEVGRANT_VERIFICATION_URI_COMPLETE\" in \"$DEVGRANT_VERIFICATION_URI\"*) ;; *) exit 2;; esac",
            30,
        )
        .await;
        assert_eq!(submitted.unwrap().status, None);
        let said = std::fs::read_to_string(directory.path().join("said")).unwrap();
        assert_eq!(said.trim(), "deny alice wonderland-1 one $HOME");
    }

    #[tokio::test]
    async fn a_program_that_fails_or_hangs_is_an_error_without_the_password() {
        let (_directory, failed) =
            run("echo first >&2\necho \"no user with $DEVGRANT_PASSWORD\" >&2\nexit 3", 30).await;
        let text = failed.unwrap_err().to_string();
        assert!(
            text.contains("did not deny: it ended with exit status: 3 and said \"no user with ‹12 chars"),
            "{text}"
        );
        assert!(!text.contains("wonderland-1") && !text.contains("first"), "{text}");

        let (directory, late) = run("echo $$ > \"${0%/*}/pid\"\nexec sleep 600", 1).await;
        let text = late.unwrap_err().to_string();
        assert!(text.ends_with("it had not ended when the time was over, and was killed"), "{text}");
        let pid = std::fs::read_to_string(directory.path().join("pid")).unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists(), "it is gone");
    }
}
