//! A whole login as a person sees it, in virtual time.

use serde_json::json;

use super::*;
use crate::exchange::{Answer, NoAnswer};
use crate::login::script::{
    ACCESS_TOKEN, DEVICE_CODE, REFRESH_TOKEN, Script, codes, error, json, later, token,
};
use crate::login::{play, scan};
use crate::target::Client;

const URI: &str = "https://example.com/device";
const DARK: Look = Look { moving: false, colour: false, qr: true, columns: None };

fn settings() -> Settings {
    let client = Client { id: "tv".to_owned(), secret: None, auth: None, scope: None };
    let url = |path: &str| format!("https://as.example/{path}").parse().unwrap();
    Settings { api: Some(url("userinfo?deep=1")), ..Settings::new(url("device"), url("token"), client) }
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
async fn a_login_shows_what_to_do_and_what_came_of_it() {
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
async fn the_qr_code_reads_as_the_complete_uri_in_both_inks() {
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
async fn a_terminal_gets_a_line_that_moves_every_second_and_is_wiped() {
    let look = Look { moving: true, ..DARK };
    let (_, _, err) =
        shown(look, settings(), vec![codes(json!({"expires_in": 600})), token("Bearer"), api()]).await;
    let expected: String = (0..5)
        .map(|s| format!("\r\x1b[2Kwaiting, {} left · next poll in {} s", left(600 - s), 5 - s))
        .collect();
    assert_eq!(err, expected + "\r\x1b[2Kwaiting, 9 min 55 s left · polling\r\x1b[2K");
}

fn left(seconds: u64) -> String {
    spell(Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn every_end_says_the_code_the_words_and_what_to_do_next() {
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
fn lengths_of_time_are_spelt_for_people() {
    for (ms, text) in [
        (0, "0 s"),
        (1, "1 s"),
        (3000, "3 s"),
        (588_000, "9 min 48 s"),
        (3_600_000, "1 h"),
        (5_430_000, "1 h 30 min"),
        (90_000_000, "1 d 1 h"),
    ] {
        assert_eq!(spell(Duration::from_millis(ms)), text);
    }
}

#[test]
fn the_flags_reach_the_settings() {
    let login = |open| Login { target: Some("t.yaml".into()), open, no_qr: false };
    assert!(login(true).settings(settings()).browser.is_some());
    assert!(login(false).settings(settings()).browser.is_none());
}
