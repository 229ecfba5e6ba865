//! A client and a browser without sockets.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::protocol::DEVICE_CODE_GRANT;
use crate::server::{App, Config, app};

pub(super) const ORIGIN: &str = "http://127.0.0.1:8628";
pub(super) const CODES: &str = "/oauth/device/code";
pub(super) const TOKEN: &str = "/oauth/token";

/// One answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// Both codes of a session.
pub(super) struct Codes {
    pub(super) device_code: String,
    pub(super) user_code: String,
}

pub(super) fn reference() -> App {
    app(Config::reference(), ORIGIN)
}

pub(super) async fn wait(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

pub(super) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

pub(super) async fn post(router: &Router, path: &str, body: &str) -> Answer {
    post_with(router, path, body, &[]).await
}

pub(super) async fn post_with(router: &Router, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request =
        Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

pub(super) async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

pub(super) async fn hook(app: &App, path: &str, json: &str) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    send(&app.admin, request.body(Body::from(json.to_owned())).unwrap()).await
}

pub(super) async fn authorize(app: &App, body: &str) -> Codes {
    let answer = post(&app.public, CODES, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Codes { device_code: answer.text("device_code"), user_code: answer.text("user_code") }
}

pub(super) async fn approve(app: &App, codes: &Codes) {
    let answer = hook(app, "/approve", &format!(r#"{{"user_code":"{}"}}"#, codes.user_code)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

pub(super) fn poll_body(device_code: &str, client: &str) -> String {
    let grant = DEVICE_CODE_GRANT.replace(':', "%3A");
    format!("grant_type={grant}&device_code={device_code}&client_id={client}")
}

pub(super) async fn poll(app: &App, codes: &Codes) -> Answer {
    post(&app.public, TOKEN, &poll_body(&codes.device_code, "tv-public")).await
}

/// A client's tokens after an approval.
pub(super) async fn tokens(app: &App, client: &str, scope: &str) -> Answer {
    let codes = authorize(app, &format!("client_id={client}&scope={scope}")).await;
    approve(app, &codes).await;
    let answer = post(&app.public, TOKEN, &poll_body(&codes.device_code, client)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

pub(super) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {self:?}")).to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The error code, after a look at everything that each error response must have.
    pub(super) fn error(&self) -> String {
        assert!(self.status == 400 || self.status == 401, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("pragma"), "no-cache");
        if self.status == 401 {
            assert!(self.header("www-authenticate").starts_with("Basic "), "{self:?}");
        }
        let description = self.text("error_description");
        assert!(
            description.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)),
            "{self:?}"
        );
        self.text("error")
    }
}

/// A browser with a cookie jar of one cookie.
pub(super) struct Browser {
    app: App,
    pub(super) cookie: String,
    pub(super) place: String,
    pub(super) page: Answer,
}

impl Browser {
    /// Opens a page.
    pub(super) async fn open(app: &App, path: &str) -> Self {
        let page = get(&app.public, path, &[]).await;
        let mut browser = Self { app: app.clone(), cookie: String::new(), place: path.to_owned(), page };
        browser.follow().await;
        browser
    }

    pub(super) async fn goto(&mut self, path: &str) {
        self.place = path.to_owned();
        self.page = get(&self.app.public, path, &[("cookie", &self.cookie)]).await;
        self.follow().await;
    }

    /// Sends the form of the present page, with these fields besides the hidden ones.
    pub(super) async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) {
        let mut pairs = self.hidden(action);
        pairs.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        self.post(action, &body, &[("origin", ORIGIN)]).await;
    }

    pub(super) async fn post(&mut self, action: &str, body: &str, headers: &[(&str, &str)]) {
        let cookie = self.cookie.clone();
        let headers: Vec<(&str, &str)> =
            headers.iter().copied().chain([("cookie", cookie.as_str())]).collect();
        self.place = action.to_owned();
        self.page = post_with(&self.app.public, action, body, &headers).await;
        self.follow().await;
    }

    pub(super) async fn sign_in(&mut self, name: &str, password: &str) {
        self.submit("/login", &[("username", name), ("password", password)]).await;
    }

    /// Hidden fields of the form with this action.
    pub(super) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let html = scraper::Html::parse_document(&self.page.body);
        let selector = format!("form[action='{action}'] input[type='hidden']");
        let selector = scraper::Selector::parse(&selector).unwrap();
        html.select(&selector)
            .map(|field| {
                let attribute = |name| field.value().attr(name).unwrap().to_owned();
                (attribute("name"), attribute("value"))
            })
            .collect()
    }

    async fn follow(&mut self) {
        loop {
            let set = self.page.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
            if !set.is_empty() {
                self.cookie = set;
            }
            if self.page.status != 303 {
                return;
            }
            self.place = self.page.header("location").to_owned();
            self.page = get(&self.app.public, &self.place, &[("cookie", &self.cookie)]).await;
        }
    }
}
