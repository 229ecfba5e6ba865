//! The duties of a device (requirements of RFC 8628 with test code C), in virtual time against a scripted server.

use std::io;

use serde_json::json;

use super::*;
use crate::login::script::{
    ACCESS_TOKEN, DEVICE_CODE, REFRESH_TOKEN, Script, codes, error, json, later, token,
};
use crate::protocol::AuthMethod;
use crate::secret::Secret;
use crate::target::Client;

type Answers = Vec<Result<exchange::Answer, NoAnswer>>;

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

fn settings() -> Settings {
    let client = Client { id: "tv".to_owned(), secret: None, auth: None, scope: None };
    let url = |path: &str| format!("https://as.example/{path}").parse().unwrap();
    Settings::new(url("device"), url("token"), client)
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Plays a login and looks on for twenty intervals of 20 s: nothing may come after its end.
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

#[tokio::test(start_paused = true)]
async fn it_polls_until_the_user_is_done() {
    let mut answers: Answers = vec![error(400, "authorization_pending"); 20];
    answers.insert(0, codes(json!({})));
    answers.push(token("Bearer"));
    let (ended, paper, script) = login(answers).await;
    assert_eq!((ended, polls(&script)), (Ended::Granted, 21));
    assert!(paper.has(r#"user_code: "WDJB-MJHT", verification_uri: "https://example.com/device""#));
}

#[tokio::test(start_paused = true)]
async fn it_stops_polling_at_its_own_deadline() {
    let (ended, _, script) = login(vec![codes(json!({})), error(400, "authorization_pending")]).await;
    assert_eq!(ended, Ended::Expired);
    assert!(polls(&script) <= 1800 / 5 + 1);
    let seen = script.seen();
    assert!(seen.last().unwrap().sent <= seen[0].done + s(1800));
    assert!(seen.last().unwrap().sent > seen[0].done + s(1790));
}

#[tokio::test(start_paused = true)]
async fn every_gap_counts_from_the_whole_answer_and_is_never_short() {
    for (interval, least) in [
        (json!(5), 5),
        (json!("absent"), 5),
        (json!(null), 5),
        (json!(0), 1),
        (json!(1.5), 2),
        (json!("7"), 7),
    ] {
        let pending = || error(400, "authorization_pending");
        let mut answers = vec![(s(3), codes(json!({"interval": interval})))];
        answers.extend([0, 200, 3000, 12_000].map(|ms| (Duration::from_millis(ms), pending())));
        answers.push((s(0), error(400, "access_denied")));
        let script = Script::with_delays(answers);
        watch(&settings(), &script).await;
        assert_eq!(script.gaps().len(), 5);
        for gap in script.gaps() {
            assert!(gap >= s(least) && gap < s(least + 1), "{interval}: {gap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_downs_add_up_and_outlast_what_comes_between() {
    let answers = vec![
        codes(json!({})),
        error(400, "authorization_pending"),
        error(429, "slow_down"),
        error(400, "authorization_pending"),
        error(400, "slow_down"),
        error(400, "slow_down"),
        token("Bearer"),
    ];
    let (ended, _, script) = login(answers).await;
    assert_eq!(ended, Ended::Granted);
    for (gap, least) in script.gaps().into_iter().zip([5, 5, 10, 10, 15, 20]) {
        assert!(gap >= s(least) && gap < s(least + 1), "{gap:?} {least}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_other_error_code_ends_it_at_once() {
    for code in [
        "invalid_grant",
        "invalid_client",
        "invalid_request",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "server_error",
        "xyz_unknown",
    ] {
        for status in [200, 400, 401, 403, 428] {
            let (ended, _, script) = login(vec![codes(json!({})), error(status, code)]).await;
            let Ended::Protocol(reason) = ended else { panic!("{ended:?}") };
            assert!(reason.contains(code) && reason.contains("about ‹"), "{reason}");
            assert_eq!(polls(&script), 1);
        }
    }
    for (code, expected) in [("access_denied", Ended::Denied), ("expired_token", Ended::Expired)] {
        let (ended, paper, script) = login(vec![codes(json!({})), error(400, code)]).await;
        assert_eq!((ended, polls(&script)), (expected, 1));
        assert!(paper.0.last().unwrap().contains(code));
    }
}

#[tokio::test(start_paused = true)]
async fn stalls_and_broken_connections_back_off() {
    for none in [
        NoAnswer::TimedOut(s(30)),
        NoAnswer::Refused,
        NoAnswer::Unreachable("no such name".to_owned()),
        NoAnswer::Tls("expired".to_owned()),
        NoAnswer::CutOff("reset".to_owned()),
    ] {
        let mut answers = vec![(s(0), codes(json!({})))];
        answers.extend(vec![(s(30), Err(none)); 5]);
        answers.push((s(0), error(400, "authorization_pending")));
        answers.push((s(0), error(400, "access_denied")));
        let script = Script::with_delays(answers);
        watch(&settings(), &script).await;
        assert_eq!(script.gaps(), [5, 10, 20, 40, 80, 160, 5].map(s));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_in_trouble_is_backed_off_from_and_its_retry_after_kept_to() {
    let answers = vec![
        codes(json!({})),
        Ok(json(500, "<html>")),
        Ok(json(503, r#"{"error":"Service Unavailable"}"#)),
        Ok(later(429, "slow down, please", "100")),
        token("Bearer"),
    ];
    let (ended, paper, script) = login(answers).await;
    assert_eq!(ended, Ended::Granted);
    for (gap, least) in script.gaps().into_iter().zip([5, 10, 20, 100]) {
        assert!(gap >= s(least) && gap < s(least + 1), "{gap:?} {least}");
    }
    assert!(paper.has("NoAnswer"));
}

#[tokio::test(start_paused = true)]
async fn silence_to_the_end_of_the_lifetime_is_expiry() {
    let (ended, _, script) =
        login(vec![codes(json!({"expires_in": 60})), Err(NoAnswer::TimedOut(s(30)))]).await;
    assert_eq!((ended, polls(&script)), (Ended::Expired, 4));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_sense_or_end_ends_it() {
    for answer in [
        Ok(json(200, "")),
        Ok(json(200, r#"{"token":"sesame"}"#)),
        Ok(json(302, "")),
        Ok(json(404, "<html>")),
        Err(NoAnswer::TooLarge(1 << 20)),
    ] {
        let (ended, paper, script) = login(vec![codes(json!({})), answer]).await;
        assert!(matches!(ended, Ended::Protocol(_)));
        assert_eq!(polls(&script), 1);
        assert!(!paper.has("sesame"));
    }
}

#[tokio::test(start_paused = true)]
async fn large_values_are_handled() {
    let (device_code, token) = ("d".repeat(8 << 10), "t".repeat(64 << 10));
    let granted = json(200, &format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#));
    let mut login = settings();
    login.api = Some("https://as.example/me".parse().unwrap());
    let script = Script::new([codes(json!({"device_code": device_code})), Ok(granted), Ok(json(204, ""))]);
    assert_eq!(watch(&login, &script).await.0, Ended::Granted);
    let seen = script.seen();
    assert_eq!(seen[1].form()[1].1, device_code);
    assert_eq!(seen[2].authorization(), Some(format!("Bearer {token}").as_str()));
}

#[tokio::test(start_paused = true)]
async fn the_token_is_used_in_the_header_only_and_only_if_its_type_is_understood() {
    let mut login = settings();
    login.api = Some("https://as.example/me?x=1".parse().unwrap());
    for (kind, used) in [("Bearer", true), ("bEaReR", true), ("mac", false), ("DPoP", false), ("", false)] {
        let script =
            Script::new([codes(json!({})), token(kind), Ok(json(200, &format!("[\"{ACCESS_TOKEN}\"]")))]);
        let (ended, _) = watch(&login, &script).await;
        assert_eq!(ended == Ended::Granted, used, "{kind}");
        let seen = script.seen();
        assert_eq!(seen.len(), if used { 3 } else { 2 });
        if used {
            assert_eq!((seen[2].request.method.as_str(), seen[2].form()), ("GET", vec![]));
            assert_eq!(seen[2].request.url, "https://as.example/me?x=1");
            assert_eq!(seen[2].authorization(), Some(format!("Bearer {ACCESS_TOKEN}").as_str()));
        }
    }
    let odd = r#"{"access_token":"a\r\nX: y","token_type":"Bearer"}"#;
    let script = Script::new([codes(json!({})), Ok(json(200, odd))]);
    assert!(matches!(watch(&login, &script).await.0, Ended::Protocol(_)));
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_request_of_a_confidential_client_authenticates_once() {
    let mut login = settings();
    login.client.secret = Some(Secret::new("s3cret-of-tv"));
    for (method, header, fields) in [(AuthMethod::Basic, true, 2), (AuthMethod::Post, false, 4)] {
        login.client.auth = Some(method);
        let echo = Ok(json(400, r#"{"error":"invalid_grant","error_description":"not s3cret-of-tv"}"#));
        let script = Script::new([codes(json!({})), echo]);
        let (_, paper) = watch(&login, &script).await;
        assert!(!paper.has("s3cret-of-tv"));
        for seen in script.seen() {
            assert_eq!(seen.authorization().is_some(), header);
        }
        assert_eq!(script.seen()[1].form().len(), fields);
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
        let script = Script::new([codes(json!({})), error(400, "access_denied")]);
        watch(&login, &script).await;
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let poll = vec![("grant_type", grant), ("device_code", DEVICE_CODE), ("client_id", "tv")];
        for (seen, expected) in script.seen().iter().zip([authorization, poll]) {
            let form = seen.form();
            let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((form, seen.authorization()), (expected, None));
        }
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
    for none in [NoAnswer::TimedOut(s(30)), NoAnswer::Refused, NoAnswer::Tls("expired".to_owned())] {
        let (ended, _, script) = login(vec![Err(none)]).await;
        assert!(matches!(ended, Ended::Ours(reason) if reason.contains("is the server running")));
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_code_put_before_the_user_is_not_shown() {
    for members in [
        json!({"user_code": DEVICE_CODE}),
        json!({"verification_uri": format!("https://example.com/{DEVICE_CODE}/x")}),
        json!({"verification_uri_complete": format!("https://example.com/?c={DEVICE_CODE}")}),
    ] {
        let (ended, paper, script) = login(vec![codes(members)]).await;
        assert!(matches!(ended, Ended::Protocol(_)));
        assert_eq!((script.seen().len(), paper.0.len()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_where_it_could_be_read() {
    let mut login = settings();
    login.token = "http://as.example/token".parse().unwrap();
    let script = Script::new([codes(json!({}))]);
    let ended = play(&login, &script, &mut Paper::default()).await;
    assert!(matches!(ended, Ended::Ours(reason) if reason.contains("not https")));
    assert!(script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_lifetime_it_goes_on_until_the_caller_gives_up() {
    let answers = || [codes(json!({"expires_in": "absent"})), error(400, "authorization_pending")];
    let mut login = settings();
    login.give_up_after = Some(s(3600));
    let script = Script::new(answers());
    assert_eq!(watch(&login, &script).await.0, Ended::Expired);
    assert!(script.seen().last().unwrap().sent > s(3590));
    login.give_up_after = None;
    let script = Script::new(answers());
    let mut paper = Paper::default();
    let endless = play(&login, &script, &mut paper);
    assert!(tokio::time::timeout(s(86_400), endless).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_browser_gets_the_complete_uri_or_the_plain_one_and_nothing_else() {
    fn complete(page: &Url) -> io::Result<()> {
        assert_eq!(page.as_str(), "https://example.com/device?user_code=WDJB-MJHT");
        Ok(())
    }
    fn plain(page: &Url) -> io::Result<()> {
        assert_eq!(page.as_str(), "https://example.com/device");
        Err(io::Error::other("no browser"))
    }
    fn never(page: &Url) -> io::Result<()> {
        panic!("opened {page}")
    }
    let absent = json!({"verification_uri_complete": "absent"});
    for (browser, members, shown) in [
        (complete as Browser, json!({}), "Browser(Ok(()))"),
        (plain, absent, r#"Browser(Err("no browser"))"#),
        (never, json!({"verification_uri_complete": "file:///etc/passwd"}), "Browser(Err("),
        (never, json!({"verification_uri_complete": "--version"}), "Browser(Err("),
    ] {
        let login = Settings { browser: Some(browser), ..settings() };
        let (_, paper) = watch(&login, &Script::new([codes(members), error(400, "access_denied")])).await;
        assert!(paper.has(shown), "{:?}", paper.0);
    }
}
