//! A small device flow server (RFC 8628) in one file, and the tests that judge it.
//!
//! `cargo test --example own_server` judges it, in this process and in virtual time. `cargo run --example own_server`
//! serves it on this machine: be the device with `curl`, and the user by typing `approve CODE` or `deny CODE`.

#![expect(clippy::print_stdout, reason = "it talks to the person who runs it")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::time::Instant;

const ORIGIN: &str = "http://127.0.0.1:3000";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CLIENTS: [&str; 2] = ["tv", "radio"];
const SCOPES: [&str; 2] = ["read", "write"];
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
const ALPHANUMERICS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What the operator can set.
#[derive(Clone, Copy)]
struct Settings {
    /// How long a device waits between two polls.
    interval: Duration,
    /// How long codes live, as devices are told.
    lifetime: Duration,
    /// How much longer they work in fact.
    leeway: Duration,
    /// How many letters a user types.
    letters: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            lifetime: Duration::from_secs(600),
            leeway: Duration::ZERO,
            letters: 8,
        }
    }
}

/// One device, and how far it has got.
struct Session {
    client: &'static str,
    scope: String,
    user_code: String,
    ends: Instant,
    interval: Duration,
    polled: Option<Instant>,
    state: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Undecided,
    Approved,
    Denied,
}

/// The server; clones share the sessions, which are kept by device code.
#[derive(Clone)]
struct Server {
    settings: Settings,
    sessions: Arc<Mutex<HashMap<String, Session>>>,
}

/// The word of an error answer (RFC 6749 §5.2, RFC 8628 §3.5).
type Refusal = &'static str;

impl Server {
    fn new(settings: Settings) -> Self {
        Self { settings, sessions: Arc::default() }
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/device_authorization", post(device_authorization))
            .route("/token", post(token))
            .with_state(self.clone())
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// RFC 8628 §3.1 and §3.2.
    fn authorize(&self, form: &HashMap<String, String>) -> Result<Value, Refusal> {
        let client = client(form)?;
        let scope = form.get("scope").map_or(SCOPES[0], String::as_str);
        if scope.split(' ').any(|word| !SCOPES.contains(&word)) {
            return Err("invalid_scope");
        }
        let now = Instant::now();
        let mut sessions = self.sessions();
        // Long after its end a code is as unknown as any other.
        sessions.retain(|_, session| now < session.ends + Duration::from_secs(3600));
        let user_code = loop {
            let code = random(self.settings.letters, LETTERS);
            if !sessions.values().any(|session| session.user_code == code) {
                break code;
            }
        };
        let device_code = random(43, ALPHANUMERICS);
        let (first, second) = user_code.split_at(user_code.len() / 2);
        let shown = format!("{first}-{second}");
        let answer = json!({
            "device_code": device_code,
            "user_code": shown,
            "verification_uri": format!("{ORIGIN}/device"),
            "verification_uri_complete": format!("{ORIGIN}/device?user_code={shown}"),
            "expires_in": self.settings.lifetime.as_secs(),
            "interval": self.settings.interval.as_secs(),
        });
        let session = Session {
            client,
            scope: scope.to_owned(),
            user_code,
            ends: now + self.settings.lifetime + self.settings.leeway,
            interval: self.settings.interval,
            polled: None,
            state: Stage::Undecided,
        };
        sessions.insert(device_code, session);
        Ok(answer)
    }

    /// RFC 8628 §3.4 and §3.5.
    fn poll(&self, form: &HashMap<String, String>) -> Result<Value, Refusal> {
        if form.get("grant_type").ok_or("invalid_request")? != GRANT {
            return Err("unsupported_grant_type");
        }
        let device_code = form.get("device_code").ok_or("invalid_request")?;
        let client = client(form)?;
        let now = Instant::now();
        let mut sessions = self.sessions();
        let session = sessions
            .get_mut(device_code)
            .filter(|session| session.client == client)
            .ok_or("invalid_grant")?;
        if now >= session.ends {
            return Err("expired_token");
        }
        let last = session.polled.replace(now);
        if last.is_some_and(|last| now < last + session.interval) {
            session.interval += Duration::from_secs(5);
            return Err("slow_down");
        }
        match session.state {
            Stage::Undecided => Err("authorization_pending"),
            Stage::Denied => Err("access_denied"),
            Stage::Approved => {
                let scope = std::mem::take(&mut session.scope);
                // Its code is used up: from now on as unknown as any other.
                sessions.remove(device_code);
                let token = random(43, ALPHANUMERICS);
                Ok(
                    json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope }),
                )
            }
        }
    }

    /// What the user's page calls, once it knows who the user is (RFC 8628 §3.3).
    fn decide(&self, user_code: &str, stage: Stage) -> Result<(), &'static str> {
        let typed: String =
            user_code.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
        let mut sessions = self.sessions();
        let session = sessions
            .values_mut()
            .find(|session| session.user_code == typed && Instant::now() < session.ends)
            .ok_or("there is no such code, or it has expired")?;
        if session.state != Stage::Undecided {
            return Err("the code is used already");
        }
        session.state = stage;
        Ok(())
    }
}

async fn device_authorization(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    answer(form(&headers, &body).and_then(|form| server.authorize(&form)))
}

async fn token(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    answer(form(&headers, &body).and_then(|form| server.poll(&form)))
}

fn answer(result: Result<Value, Refusal>) -> Response {
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
    };
    let uncached = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, uncached, Json(body)).into_response()
}

/// The parameters of a form: none of them twice, empty ones as if they were not there (RFC 6749 §3.2).
fn form(headers: &HeaderMap, body: &[u8]) -> Result<HashMap<String, String>, Refusal> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = media_type.split(';').next().unwrap_or("").trim();
    let is_escape = |rest: &[u8]| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && body.split(|byte| *byte == b'%').skip(1).all(is_escape);
    let mut form = HashMap::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        if !value.is_empty() && form.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err("invalid_request");
        }
    }
    if is_form { Ok(form) } else { Err("invalid_request") }
}

fn client(form: &HashMap<String, String>) -> Result<&'static str, Refusal> {
    let id = form.get("client_id").ok_or("invalid_request")?;
    CLIENTS.into_iter().find(|client| client == id).ok_or("invalid_client")
}

fn random(length: usize, letters: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = Server::new(Settings::default());
    let listener = tokio::net::TcpListener::bind(ORIGIN.trim_start_matches("http://")).await?;
    println!("POST {ORIGIN}/device_authorization with client_id=tv, then type: approve CODE, or deny CODE");
    let router = server.router();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            let said = match line.split_once(' ') {
                Some(("approve", code)) => server.decide(code, Stage::Approved),
                Some(("deny", code)) => server.decide(code, Stage::Denied),
                _ => Err("type: approve CODE, or deny CODE"),
            };
            println!("{}", said.err().unwrap_or("done"));
        }
    });
    axum::serve(listener, router).await
}

#[cfg(test)]
mod tests {
    use devgrant::judge::{Client, Decision, Endpoints, Judged, Role, Target, Verdict};

    use super::*;

    async fn judged(settings: Settings) -> Judged {
        let server = Server::new(settings);
        let target = Target::at(ORIGIN)
            .with_endpoints(Endpoints::at("/device_authorization", "/token"))
            .with_client(Role::Tv, Client::public("tv").with_scope("read write"))
            .with_client(Role::OtherPublic, Client::public("radio").with_scope("read"));
        let router = server.router();
        let decide = move |code: &str, decision| match decision {
            Decision::Approve => server.decide(code, Stage::Approved),
            Decision::Deny => server.decide(code, Stage::Denied),
        };
        devgrant::judge(router, target)
            .decide(move |wish| std::future::ready(decide(&wish.user_code, wish.decision)))
            .await
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_rules() {
        judged(Settings::default()).await.assert_green();
    }

    #[tokio::test(start_paused = true)]
    async fn codes_that_live_longer_than_devices_are_told_are_found() {
        let settings = Settings { leeway: Duration::from_secs(300), ..Settings::default() };
        assert_eq!(
            judged(settings).await.failed(),
            [
                "security/approved-code-ends-with-expiry",
                "token-response/expired-after-lifetime",
                "user-interaction/user-code-ends-with-expiry",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn codes_that_can_be_guessed_are_found() {
        let settings = Settings { letters: 4, ..Settings::default() };
        assert_eq!(judged(settings).await.named(&[Verdict::Warn]), ["user-code/user-codes-resist-guessing"]);
    }
}
