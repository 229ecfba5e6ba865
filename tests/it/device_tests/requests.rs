//! What the device sends: method, place, form, credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devgrant::exchange::NoAnswer;
use devgrant::login::{Ended, Settings, play};
use devgrant::protocol::AuthMethod;
use devgrant::secret::Secret;
use serde_json::json;

use super::script::{DEVICE_CODE, Script, Seen, codes, error, json, token};
use super::{Paper, login, settings, watch};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The requests of a login that is denied at the first poll.
async fn requests(login: &Settings) -> Vec<Seen> {
    let script = Script::new([codes(json!({})), error(400, "access_denied")]);
    watch(login, &script).await;
    let seen = script.seen();
    assert_eq!(seen.len(), 2);
    seen
}

/// A client with this id and secret that authenticates in this way.
fn confidential(id: &str, secret: &str, auth: Option<AuthMethod>) -> Settings {
    let mut login = settings();
    login.client.id = id.to_owned();
    login.client.secret = Some(Secret::new(secret));
    login.client.auth = auth;
    login.scope = Some("openid".to_owned());
    login
}

/// Every way to say who one is.
fn all_ways() -> [Settings; 4] {
    [
        settings(),
        confidential("tv", "s3cret-of-tv", None),
        confidential("tv", "s3cret-of-tv", Some(AuthMethod::Basic)),
        confidential("tv", "s3cret-of-tv", Some(AuthMethod::Post)),
    ]
}

fn names(seen: &Seen) -> Vec<String> {
    seen.form().into_iter().map(|(name, _)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_are_form_posts() {
    for login in all_ways() {
        for (seen, url) in requests(&login).await.iter().zip([&login.device_authorization, &login.token]) {
            assert_eq!((seen.request.method.as_str(), seen.request.url.as_str()), ("POST", url.as_str()));
            let of_kind = |(name, _): &&(String, String)| name == "content-type";
            let kinds: Vec<_> = seen.request.headers.iter().filter(of_kind).map(|(_, kind)| kind).collect();
            assert_eq!(kinds, ["application/x-www-form-urlencoded"]);
            assert!(std::str::from_utf8(&seen.request.body).is_ok());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_public_client_sends_exactly_these_parameters() {
    let mut login = settings();
    for (scope, authorization) in [
        (Some("openid profile"), vec![("scope", "openid profile"), ("client_id", "tv")]),
        (None, vec![("client_id", "tv")]),
    ] {
        login.scope = scope.map(str::to_owned);
        let poll = vec![("grant_type", GRANT), ("device_code", DEVICE_CODE), ("client_id", "tv")];
        for (seen, expected) in requests(&login).await.iter().zip([authorization, poll]) {
            let form = seen.form();
            let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((form, seen.authorization()), (expected, None));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parameters_come_once() {
    for login in all_ways() {
        for seen in requests(&login).await {
            let mut names = names(&seen);
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{names:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn values_are_utf_8_and_then_form_encoded() {
    // The six characters of RFC 6749 appendix B: space, %, &, +, pound, euro.
    let mut login = settings();
    login.client.id = " %&+£€".to_owned();
    for seen in requests(&login).await {
        let body = std::str::from_utf8(&seen.request.body).unwrap();
        assert!(body.ends_with("client_id=+%25%26%2B%C2%A3%E2%82%AC"), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_query_of_an_endpoint_is_kept() {
    let mut login = settings();
    login.token = "https://as.example/token?tenant=1&x=a%20b".parse().unwrap();
    login.device_authorization = "https://as.example/device?tenant=1&x=a%20b".parse().unwrap();
    for auth in [None, Some(AuthMethod::Post)] {
        login.client.auth = auth;
        login.client.secret = auth.map(|_| Secret::new("s3cret-of-tv"));
        for (seen, path) in requests(&login).await.iter().zip(["device", "token"]) {
            assert_eq!(seen.request.url, format!("https://as.example/{path}?tenant=1&x=a%20b"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_way_to_authenticate() {
    for login in all_ways() {
        for seen in requests(&login).await {
            let by_header = seen.authorization().is_some();
            let by_body = names(&seen).contains(&"client_secret".to_owned());
            assert_eq!(
                usize::from(by_header) + usize::from(by_body),
                usize::from(login.client.secret.is_some())
            );
            // Who authenticates by the header does not name itself a second time (RFC 8628 §3.1, §3.4).
            assert_eq!(names(&seen).contains(&"client_id".to_owned()), !by_header);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn basic_carries_the_encoded_id_and_secret() {
    for (id, secret, expected) in [
        ("tv", "s3cret", "tv:s3cret"),
        ("my:tv", "a b%ä", "my%3Atv:a+b%25%C3%A4"),
        ("https://tv.example/id", "+/=&:", "https%3A%2F%2Ftv.example%2Fid:%2B%2F%3D%26%3A"),
    ] {
        for seen in requests(&confidential(id, secret, Some(AuthMethod::Basic))).await {
            let header = seen.authorization().unwrap().strip_prefix("Basic ").unwrap();
            assert_eq!(String::from_utf8(STANDARD.decode(header).unwrap()).unwrap(), expected);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_in_the_body_are_a_pair() {
    for seen in requests(&confidential("my:tv", "a b%ä", Some(AuthMethod::Post))).await {
        let form = seen.form();
        for expected in [("client_id", "my:tv"), ("client_secret", "a b%ä")] {
            assert!(form.contains(&(expected.0.to_owned(), expected.1.to_owned())), "{form:?}");
        }
        assert_eq!(seen.authorization(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn basic_unless_told_otherwise() {
    for seen in requests(&confidential("tv", "s3cret", None)).await {
        assert!(seen.authorization().is_some_and(|header| header.starts_with("Basic ")));
        assert!(!names(&seen).contains(&"client_secret".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_are_never_in_the_address() {
    for login in all_ways() {
        for seen in requests(&login).await {
            for part in ["s3cret", "client_id", "client_secret", "@", "?"] {
                assert!(!seen.request.url.contains(part), "{}", seen.request.url);
            }
        }
    }
    // Nor does an address with a name and a password in it get any request.
    let mut login = settings();
    login.token = "https://tv:s3cret@as.example/token".parse().unwrap();
    let script = Script::new([codes(json!({}))]);
    let ended = play(&login, &script, &mut Paper::default()).await;
    assert!(matches!(ended, Ended::Ours(reason) if !reason.contains("s3cret")));
    assert!(script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_scope_is_what_was_asked_for_and_nothing_more() {
    let mut login = settings();
    for scope in [None, Some("openid"), Some("openid profile offline_access")] {
        login.scope = scope.map(str::to_owned);
        let seen = requests(&login).await;
        let sent: Vec<_> = seen[0].form().into_iter().filter(|(name, _)| name == "scope").collect();
        assert_eq!(sent.first().map(|(_, value)| value.as_str()), scope);
        assert!(!names(&seen[1]).contains(&"scope".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_the_server_echoes_is_not_shown() {
    for auth in [AuthMethod::Basic, AuthMethod::Post] {
        let echo = Ok(json(400, r#"{"error":"invalid_grant","error_description":"not s3cret-of-tv"}"#));
        let script = Script::new([codes(json!({})), echo]);
        let (_, paper) = watch(&confidential("tv", "s3cret-of-tv", Some(auth)), &script).await;
        assert!(!paper.has("s3cret-of-tv"));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_it_could_be_read() {
    for (place, is_sent) in [
        ("http://as.example/token", false),
        ("http://192.168.0.4/token", false),
        ("http://localhost.example/token", false),
        ("http://127.0.0.1:9000/token", true),
        ("http://[::1]/token", true),
        ("https://as.example/token", true),
    ] {
        let mut login = settings();
        login.token = place.parse().unwrap();
        let script = Script::new([codes(json!({})), token("Bearer")]);
        let ended = play(&login, &script, &mut Paper::default()).await;
        assert_eq!(ended == Ended::Granted, is_sent, "{place}: {ended:?}");
        assert_eq!(script.seen().is_empty(), !is_sent, "{place}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_device_authorization_request_is_not_repeated() {
    let both = format!(
        r#"{{"error":"invalid_client","device_code":"{DEVICE_CODE}","error_description":"{DEVICE_CODE}?"}}"#
    );
    for (answer, words) in [
        (Ok(json(401, &both)), "invalid_client: ‹"),
        (Ok(json(503, "<html>")), "503"),
        (Ok(json(200, r#"{"device_code":"d"}"#)), "no user_code"),
        (Err(NoAnswer::TooLarge(1 << 20)), "larger than 1048576 bytes"),
    ] {
        let (ended, paper, script) = login(vec![answer]).await;
        let Ended::Protocol(reason) = ended else { panic!("{ended:?}") };
        assert!(reason.contains(words), "{reason}");
        assert_eq!((script.seen().len(), paper.0.len()), (1, 1));
    }
    let cut = NoAnswer::CutOff("reset\u{1b}[31m".to_owned());
    let (ended, _, _) = login(vec![Err(cut)]).await;
    let Ended::Protocol(reason) = ended else { panic!("{ended:?}") };
    assert!(reason.contains("cut off") && !reason.contains('\u{1b}'), "{reason}");
    for none in [NoAnswer::TimedOut(super::s(30)), NoAnswer::Refused, NoAnswer::Tls("expired".to_owned())] {
        let (ended, _, script) = login(vec![Err(none)]).await;
        assert!(matches!(ended, Ended::Ours(reason) if reason.contains("is the server running")));
        assert_eq!(script.seen().len(), 1);
    }
}
