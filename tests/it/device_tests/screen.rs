//! A whole login as a person sees it.

use std::io;
use std::time::Duration;

use devgrant::cli::login::{Login, Look, Terminal};
use devgrant::cli::wait::Wait;
use devgrant::exchange::{Answer, NoAnswer};
use devgrant::login::{Browser, Ended, Settings, play};
use serde_json::json;
use url::Url;

use super::qr::scan;
use super::script::{ACCESS_TOKEN, DEVICE_CODE, REFRESH_TOKEN, Script, codes, error, json, later, token};
use super::{login, watch};

const URI: &str = "https://example.com/device";
const DARK: Look = Look { moving: false, colour: false, qr: true, columns: None };

fn settings() -> Settings {
    Settings { api: Some("https://as.example/userinfo?deep=1".parse().unwrap()), ..super::settings() }
}

async fn shown(
    look: Look,
    settings: Settings,
    answers: Vec<Result<Answer, NoAnswer>>,
) -> (Ended, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let ended = play(&settings, &Script::new(answers), &mut Terminal::new(&mut out, &mut err, look)).await;
    let (out, err) = (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap());
    for secret in [DEVICE_CODE, ACCESS_TOKEN, REFRESH_TOKEN] {
        assert!(!out.contains(secret) && !err.contains(secret), "{out}\n{err}");
    }
    (ended, out, err)
}

fn api() -> Result<Answer, NoAnswer> {
    Ok(json(200, &format!("{{\"sub\":\"alice\",\n \"you\":\"{ACCESS_TOKEN}\",\"id_token\":\"secret\"}}")))
}

#[tokio::test(start_paused = true)]
async fn the_person_is_told_where_to_go_what_to_enter_and_what_came_of_it() {
    let answers = vec![codes(json!({})), error(400, "authorization_pending"), token("bEARER"), api()];
    let (ended, out, err) = shown(DARK, settings(), answers).await;
    assert_eq!(ended, Ended::Granted);
    assert!(
        out.starts_with(&format!("On another device open   {URI}\nand enter                WDJB-MJHT\n"))
    );
    assert!(out.contains("\nsigned in · token good for 1 h · refresh token received\n"), "{out}");
    let api = out.lines().last().unwrap();
    assert!(api.starts_with("GET /userinfo → 200 {") && api.contains(r#""sub":"alice""#), "{api}");
    assert!(!out.contains("secret"), "{out}");
    assert_eq!(err, "waiting, 30 min left · next poll in 5 s\n");
}

#[tokio::test(start_paused = true)]
async fn the_qr_code_is_the_complete_uri() {
    for colour in [true, false] {
        let look = Look { colour, ..DARK };
        let (_, out, _) = shown(look, settings(), vec![codes(json!({})), error(400, "access_denied")]).await;
        let lines: Vec<&str> = out.lines().skip_while(|line| *line != "or scan this").skip(1).collect();
        let end = lines.iter().position(|line| line.is_empty()).unwrap();
        assert_eq!(scan(&lines[..end]), format!("{URI}?user_code=WDJB-MJHT"));
        assert_eq!(out.contains('\x1b'), colour);
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_qr_code_without_a_complete_uri_or_without_room_or_against_the_wish() {
    for (look, members) in [
        (DARK, json!({"verification_uri_complete": "absent"})),
        (Look { columns: Some(30), ..DARK }, json!({})),
        (Look { qr: false, ..DARK }, json!({})),
    ] {
        let (_, out, _) = shown(look, settings(), vec![codes(members), error(400, "access_denied")]).await;
        assert!(!out.contains('█') && !out.contains("scan"), "{out}");
        assert!(out.contains(URI) && out.contains("WDJB-MJHT"), "{out}");
    }
}

#[tokio::test(start_paused = true)]
async fn uri_and_code_are_told_beside_the_qr_code() {
    for user_code in ["WDJB-MJHT", "wdjb mjht", "123-456-789"] {
        let members = json!({"user_code": user_code});
        let (_, out, _) = shown(DARK, settings(), vec![codes(members), error(400, "access_denied")]).await;
        assert!(out.contains("\nor scan this\n"), "{out}");
        let words = format!("On another device open   {URI}\nand enter                {user_code}\n");
        assert!(out.starts_with(&words), "{out}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_device_code_is_never_shown() {
    // `shown` looks for it in everything that goes to the terminal; the script's errors tell it in their descriptions.
    for end in ["access_denied", "expired_token", "invalid_grant", "xyz_unknown"] {
        let (_, _, err) = shown(DARK, settings(), vec![codes(json!({})), error(400, end)]).await;
        assert!(err.contains("about ‹"), "{err}");
    }
    // A server that puts it before the user is not helped.
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
async fn a_terminal_gets_a_line_that_moves_every_second_and_is_wiped() {
    let look = Look { moving: true, ..DARK };
    let (_, _, err) =
        shown(look, settings(), vec![codes(json!({"expires_in": 600})), token("Bearer"), api()]).await;
    let left = |s| if s == 0 { "10 min".to_owned() } else { format!("9 min {} s", 60 - s) };
    let expected: String =
        (0..5).map(|s| format!("\r\x1b[2Kwaiting, {} left · next poll in {} s", left(s), 5 - s)).collect();
    assert_eq!(err, expected + "\r\x1b[2Kwaiting, 9 min 55 s left · polling\r\x1b[2K");
}

#[tokio::test(start_paused = true)]
async fn every_error_is_told_in_the_words_of_the_server() {
    for (answer, ended, words) in [
        (error(400, "access_denied"), Ended::Denied, "denied on the other device (access_denied: about ‹"),
        (
            error(400, "expired_token"),
            Ended::Expired,
            "the code expired before anybody decided (expired_token: ",
        ),
        (
            error(401, "invalid_client"),
            Ended::Protocol(String::new()),
            "the token endpoint refused: invalid_client: about ‹",
        ),
        (
            Ok(json(200, "<html>")),
            Ended::Protocol(String::new()),
            "answered 200 (application/json, 6 bytes): neither a token nor",
        ),
        (token("mac"), Ended::Protocol(String::new()), "the token is of type \"mac\""),
    ] {
        let (came, out, err) = shown(DARK, settings(), vec![codes(json!({})), answer]).await;
        assert_eq!(std::mem::discriminant(&came), std::mem::discriminant(&ended));
        assert!(err.contains(&format!("error: {words}")) || err.contains(words), "{err}");
        assert!(err.contains("\n  help: "), "{err}");
        assert!(!err.contains('\x1b') && !out.contains('\x1b'), "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_is_cut_and_escaped() {
    let words = format!("line\\nand \\u001b[31m{}", "long ".repeat(4000));
    let answer = json(400, &format!(r#"{{"error":"access_denied","error_description":"{words}"}}"#));
    let (ended, _, err) = shown(DARK, settings(), vec![codes(json!({})), Ok(answer)]).await;
    assert_eq!(ended, Ended::Denied);
    assert!(err.contains("access_denied: line\\nand \\u{1b}[31mlong long"), "{err}");
    assert!(err.len() < 1000, "{} bytes", err.len());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_not_its_fault() {
    let (ended, out, err) = shown(DARK, settings(), vec![Err(NoAnswer::Refused)]).await;
    assert!(matches!(ended, Ended::Ours(_)));
    assert_eq!(out, "");
    assert!(
        err.starts_with(
            "error: the device authorization endpoint: the connection was refused; is the server running, "
        ),
        "{err}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slower_pace_and_silence_are_told() {
    let answers = vec![
        codes(json!({})),
        error(400, "slow_down"),
        Err(NoAnswer::TimedOut(Duration::from_secs(30))),
        Ok(later(503, "<html>", "60")),
        token("Bearer"),
        Err(NoAnswer::TimedOut(Duration::from_secs(30))),
    ];
    let (ended, _, err) = shown(DARK, settings(), answers).await;
    assert_eq!(ended, Ended::Granted);
    for line in [
        "the server asks for a slower pace: a poll every 10 s from now on",
        "the poll failed: no answer within 30 s; next poll in 20 s",
        "the poll failed: 503 (application/json, 6 bytes); next poll in 1 min",
        "GET /userinfo: no answer within 30 s",
    ] {
        assert!(err.contains(line), "{line} in\n{err}");
    }
}

#[test]
fn the_flags_reach_the_settings() {
    let login =
        |open| Login { target: Some("t.yaml".into()), ca: None, open, no_qr: false, wait: Wait::default() };
    assert!(login(true).settings(settings()).browser.is_some());
    assert!(login(false).settings(settings()).browser.is_none());
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
        let login = Settings { browser: Some(browser), ..super::settings() };
        let (_, paper) = watch(&login, &Script::new([codes(members), error(400, "access_denied")])).await;
        assert!(paper.has(shown), "{:?}", paper.0);
    }
}
