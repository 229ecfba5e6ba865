//! One thing wrong on the wire of an otherwise good server, over the whole catalogue: only the checks that are about it
//! say so (suite language guide, section 1, rules 1 and 2). In process and in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use devgrant::http::InProcess;
use devgrant::record::RunRecord;
use devgrant::server::{Config, app};
use devgrant::verdict::Verdict;
use serde_json::{Map, Value};

use crate::repository;
use crate::stage::{Wanted, details, judge, not_green, of_verdict, target};
use crate::virtual_time;

const ORIGIN: &str = "http://127.0.0.1:8628";

/// An answer of one of the two endpoints, to be spoilt.
struct Answer {
    method: Method,
    path: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn is_codes(&self) -> bool {
        self.path.ends_with("/device/code") && self.status == StatusCode::OK
    }

    fn members(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn error(&self) -> Option<String> {
        self.members().get("error").and_then(Value::as_str).map(ToOwned::to_owned)
    }

    fn edit(&mut self, edit: impl FnOnce(&mut Map<String, Value>)) {
        let mut members = self.members();
        edit(&mut members);
        self.body = serde_json::to_vec(&members).unwrap();
    }

    fn header(&mut self, name: header::HeaderName, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What the whole catalogue makes of the reference server when every answer of its two endpoints is spoilt.
async fn spoilt(spoil: fn(&mut Answer)) -> RunRecord {
    behind(|_| false, spoil).await
}

/// The same behind a limiter, which is told the number of each request to the two endpoints.
async fn behind(limits: fn(u32) -> bool, spoil: fn(&mut Answer)) -> RunRecord {
    let counter = Arc::new(AtomicU32::new(0));
    let layer = from_fn(move |request: Request, next: Next| {
        let counter = counter.clone();
        async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            if !["/oauth/device/code", "/oauth/token"].contains(&path.as_str()) {
                return next.run(request).await;
            }
            if limits(counter.fetch_add(1, Ordering::Relaxed) + 1) {
                let limited = Response::builder().status(429).header(header::RETRY_AFTER, "2");
                return limited.body(Body::from("Slow down, please.")).unwrap();
            }
            let response = next.run(request).await;
            let (mut parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
            let mut answer = Answer { method, path, status: parts.status, headers: parts.headers, body };
            spoil(&mut answer);
            parts.status = answer.status;
            parts.headers = answer.headers;
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(answer.body))
        }
    });
    let server = InProcess::new(app(Config::embedded(), ORIGIN).public.layer(layer), 7);
    let target = target(&repository::text("fixtures/targets/embedded.yaml"));
    let wanted = Wanted::default();
    judge(Arc::new(server.clone()), Some(Arc::new(server)), &target, &wanted).await.unwrap()
}

#[track_caller]
fn assert_off(record: &RunRecord, expected: &[&str]) {
    assert_eq!(not_green(record), expected, "{}", details(record));
}

/// Of these, those that say something against the server.
#[track_caller]
fn assert_red(record: &RunRecord, expected: &[&str]) {
    let red: Vec<String> =
        not_green(record).into_iter().filter(|line| !line.ends_with(": not exercised")).collect();
    assert_eq!(red, expected, "{}", details(record));
}

#[tokio::test(start_paused = true)]
async fn pending_with_status_401() {
    let record = spoilt(|answer| {
        if answer.error().as_deref() == Some("authorization_pending") {
            answer.status = StatusCode::UNAUTHORIZED;
        }
    })
    .await;
    assert_off(&record, &["token-response/errors-have-status-400: fail"]);
}

#[tokio::test(start_paused = true)]
async fn errors_with_status_200() {
    let record = spoilt(|answer| answer.status = StatusCode::OK).await;
    assert_off(
        &record,
        &[
            "device-authorization-request/get-gives-no-codes: acceptable",
            "device-authorization-response/errors-have-status-400: fail",
            "rfc6749-client-authentication/failed-basic-is-challenged-at-codes: fail",
            "rfc6749-client-authentication/failed-basic-is-challenged-at-polls: fail",
            "rfc6749-error-response/status-401-carries-a-challenge: not exercised",
            "rfc6749-error-response/status-405-names-the-methods: not exercised",
            "token-request/get-is-no-poll: acceptable",
            "token-response/errors-have-status-400: fail",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_is_a_text() {
    let record = spoilt(|answer| {
        if answer.is_codes() {
            answer.edit(|members| {
                let text = members["interval"].to_string();
                members.insert("interval".to_owned(), text.into());
            });
        }
    })
    .await;
    assert_off(&record, &["device-authorization-response/interval-is-a-number: fail"]);
}

#[tokio::test(start_paused = true)]
async fn a_verification_uri_under_its_old_name() {
    let record = spoilt(|answer| {
        if answer.is_codes() {
            answer.edit(|members| {
                let uri = members.remove("verification_uri").unwrap();
                members.insert("verification_url".to_owned(), uri);
            });
        }
    })
    .await;
    assert_off(&record, &["device-authorization-response/verification-uri-is-absolute: fail"]);
}

#[tokio::test(start_paused = true)]
async fn every_member_twice() {
    let record = spoilt(|answer| {
        let text = String::from_utf8(answer.body.clone()).unwrap();
        if let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            answer.body = format!("{{{inner},{inner}}}").into_bytes();
        }
    })
    .await;
    assert_off(&record, &["device-authorization-response/members-come-once: fail"]);
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark() {
    let record = spoilt(|answer| answer.body.splice(0..0, *b"\xef\xbb\xbf").for_each(drop)).await;
    assert_off(&record, &["device-authorization-response/answers-are-utf-8: fail"]);
}

#[tokio::test(start_paused = true)]
async fn bytes_of_latin_1() {
    let record = spoilt(|answer| {
        if answer.body.starts_with(b"{") {
            answer.body.splice(1..1, *b"\"note\":\"f\xfcr\",").for_each(drop);
        }
    })
    .await;
    assert_off(&record, &["device-authorization-response/answers-are-utf-8: fail"]);
}

#[tokio::test(start_paused = true)]
async fn errors_as_html() {
    let record = spoilt(|answer| {
        if !answer.status.is_success()
            && !["authorization_pending", "slow_down"].map(Some).contains(&answer.error().as_deref())
        {
            answer.header(header::CONTENT_TYPE, "text/html");
            answer.body = b"<!doctype html><title>Bad Request</title>".to_vec();
        }
    })
    .await;
    assert_off(
        &record,
        &[
            "device-authorization-response/errors-have-status-400: not exercised",
            "rfc6749-error-response/errors-carry-an-error-code: fail",
            "token-response/approval-after-denial-changes-nothing: not exercised",
            "token-response/approval-and-denial-at-once-end-in-one: not exercised",
            "token-response/denial-is-final: not exercised",
            "token-response/expiry-is-final: not exercised",
            "token-response/expiry-is-told-to-a-fast-device: not exercised",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn everything_labelled_as_html() {
    let record = spoilt(|answer| answer.header(header::CONTENT_TYPE, "text/html; charset=utf-8")).await;
    assert_off(
        &record,
        &[
            "device-authorization-response/success-is-json: fail",
            "rfc6749-error-response/errors-are-json: fail",
            "rfc6749-successful-response/success-is-json: fail",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_crash_that_no_other_check_is_about() {
    let record = spoilt(|answer| {
        if answer.method == Method::HEAD {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
        }
    })
    .await;
    assert_off(&record, &["rfc6749-error-response/no-answer-is-5xx: warn"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_that_another_check_is_about() {
    let record = spoilt(|answer| {
        if answer.error().as_deref() == Some("unsupported_grant_type") {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
            answer.body = br#"{"error":"Internal Server Error"}"#.to_vec();
        }
    })
    .await;
    assert_off(
        &record,
        &[
            "rfc6749-error-response/no-answer-is-5xx: warn",
            "token-request/grant-type-unknown[made-up]: fail",
            "token-request/grant-type-unknown[shorthand]: fail",
            "token-request/grant-type-unknown[trailing-space]: fail",
            "token-request/grant-type-unknown[upper-case]: fail",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_refuses_the_very_first_requests() {
    let record = behind(|number| number <= 8, |_| {}).await;
    assert_off(&record, &[]);
    assert_eq!(of_verdict(&record, Verdict::Skip), virtual_time::TRANSPORT);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_now_and_then_refuses_a_request() {
    let record = behind(|number| number % 25 == 0, |_| {}).await;
    // Which request it refuses differs from run to run: a hasty poll may have been meant.
    for verdict in [Verdict::Fail, Verdict::Error] {
        assert_eq!(of_verdict(&record, verdict), Vec::<String>::new(), "{}", details(&record));
    }
    assert_eq!(of_verdict(&record, Verdict::Warn), ["token-response/kept-pace-is-never-limited"]);
}

#[tokio::test(start_paused = true)]
async fn html_in_place_of_codes() {
    let record = spoilt(|answer| {
        if answer.is_codes() {
            answer.header(header::CONTENT_TYPE, "text/html");
            answer.body = b"<!doctype html><title>Welcome</title>".to_vec();
        }
    })
    .await;
    assert_red(&record, &["device-authorization-request/public-client-gets-codes: fail"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_in_place_of_codes() {
    let record = spoilt(|answer| {
        if answer.is_codes() {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
            answer.body = br#"{"error":"Internal Server Error"}"#.to_vec();
        }
    })
    .await;
    assert_red(
        &record,
        &[
            "device-authorization-request/public-client-gets-codes: fail",
            "rfc6749-error-response/no-answer-is-5xx: warn",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn polls_that_are_not_understood() {
    let record = spoilt(|answer| {
        if answer.path.ends_with("/token") {
            answer.status = StatusCode::BAD_REQUEST;
            answer.body = br#"{"error":"unsupported_grant_type"}"#.to_vec();
        }
    })
    .await;
    assert_red(&record, &["token-request/form-is-understood: fail"]);
}

#[tokio::test(start_paused = true)]
async fn html_in_place_of_authorization_pending() {
    let record = spoilt(|answer| {
        if answer.error().as_deref() == Some("authorization_pending") {
            answer.status = StatusCode::OK;
            answer.header(header::CONTENT_TYPE, "text/html");
            answer.body = b"<!doctype html><title>Please wait</title>".to_vec();
        }
    })
    .await;
    assert_red(&record, &["token-request/form-is-understood: fail"]);
}

#[tokio::test(start_paused = true)]
async fn a_denial_that_the_device_never_hears_of() {
    let record = spoilt(|answer| {
        if answer.error().as_deref() == Some("access_denied") {
            answer.edit(|members| {
                members.insert("error".to_owned(), "authorization_pending".into());
            });
        }
    })
    .await;
    assert_red(&record, &["token-response/denial-reaches-the-device: fail"]);
}
