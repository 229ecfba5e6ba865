//! What the device makes of the answers, and of its token.

use devgrant::login::Ended;
use serde_json::json;

use super::script::{ACCESS_TOKEN, Script, codes, error, json, token};
use super::{login, s, settings, watch};

/// Members that no device knows, of every kind, one of them named like a member of another answer.
const ODD: &str = r#""zz":null,"y":{"error":"slow_down","access_token":"no"},"huge":1e999,"w":123456789012345678901234567890,"v":[[[]]]"#;

#[tokio::test(start_paused = true)]
async fn unknown_members_change_nothing() {
    let authorization = r#"{ODD,"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://example.com/device","expires_in":60,"interval":7}"#;
    let odd = |status, body: &str| Ok(json(status, &body.replace("ODD", ODD)));
    let answers = vec![
        odd(200, authorization),
        odd(400, r#"{ODD,"error":"authorization_pending"}"#),
        odd(400, r#"{ODD,"error":"slow_down"}"#),
        odd(200, r#"{ODD,"access_token":"t","token_type":"Bearer"}"#),
    ];
    let (ended, paper, script) = login(answers).await;
    assert_eq!(ended, Ended::Granted);
    assert!(paper.has("WDJB-MJHT"));
    for (gap, least) in script.gaps().into_iter().zip([7, 7, 12]) {
        assert!(gap >= s(least) && gap < s(least + 1), "{gap:?}");
    }
    let (ended, _, script) =
        login(vec![odd(200, authorization), odd(400, r#"{ODD,"error":"access_denied"}"#)]).await;
    assert_eq!((ended, script.seen().len()), (Ended::Denied, 2));
}

#[tokio::test(start_paused = true)]
async fn large_values_are_taken() {
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
async fn a_token_of_another_type_is_not_used() {
    let mut login = settings();
    login.api = Some("https://as.example/me?x=1".parse().unwrap());
    for (kind, used) in [("Bearer", true), ("bEaReR", true), ("mac", false), ("DPoP", false), ("", false)] {
        let script = Script::new([codes(json!({})), token(kind), Ok(json(200, "{}"))]);
        let (ended, paper) = watch(&login, &script).await;
        assert_eq!(ended == Ended::Granted, used, "{kind}");
        assert_eq!(script.seen().len(), if used { 3 } else { 2 });
        assert_eq!(paper.has("it was not used"), !used, "{kind}");
    }
    let without = Ok(json(200, &format!(r#"{{"access_token":"{ACCESS_TOKEN}"}}"#)));
    let script = Script::new([codes(json!({})), without]);
    assert!(matches!(watch(&login, &script).await.0, Ended::Protocol(_)));
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_token_goes_into_the_header_alone() {
    let mut login = settings();
    login.api = Some("https://as.example/me?x=1".parse().unwrap());
    let script = Script::new([codes(json!({})), token("Bearer"), Ok(json(200, "{}"))]);
    watch(&login, &script).await;
    let seen = &script.seen()[2];
    assert_eq!((seen.request.method.as_str(), seen.request.body.as_slice()), ("GET", &[][..]));
    assert_eq!(seen.request.url, "https://as.example/me?x=1");
    let carriers: Vec<_> =
        seen.request.headers.iter().filter(|(_, value)| value.contains(ACCESS_TOKEN)).collect();
    assert_eq!(carriers, [&("authorization".to_owned(), format!("Bearer {ACCESS_TOKEN}"))]);
    // Not what is none by its characters: it could end the header and begin another.
    for odd in [r#"a\r\nX: y"#, "a b", "\u{e4}", "a\\\"b"] {
        let odd = format!(r#"{{"access_token":"{odd}","token_type":"Bearer"}}"#);
        let script = Script::new([codes(json!({})), Ok(json(200, &odd))]);
        assert!(matches!(watch(&login, &script).await.0, Ended::Protocol(_)), "{odd}");
        assert_eq!(script.seen().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_never_shown() {
    // `watch` looks for every secret in everything shown; here are the places where a server may put them.
    let mut login = settings();
    login.api = Some("https://as.example/me".parse().unwrap());
    for echo in [
        json(200, &format!("[\"{ACCESS_TOKEN}\"]")),
        json(200, &format!("{{\"{ACCESS_TOKEN}\":1,\"x\":{{\"y\":[\"a {ACCESS_TOKEN} b\"]}}}}")),
        json(500, &format!("<html>{ACCESS_TOKEN}</html>")),
        json(200, &ACCESS_TOKEN.chars().map(|c| format!("\\u{:04x}", c as u32)).collect::<String>()),
    ] {
        let script = Script::new([codes(json!({})), token("Bearer"), Ok(echo)]);
        let (ended, paper) = watch(&login, &script).await;
        assert_eq!(ended, Ended::Granted);
        assert!(paper.has("Api"), "{:?}", paper.0);
    }
    // A token in an error answer is none that could be used, and is not shown either.
    let beside = json(
        400,
        &format!(
            r#"{{"error":"invalid_grant","error_description":"{ACCESS_TOKEN}","access_token":"{ACCESS_TOKEN}"}}"#
        ),
    );
    let script = Script::new([codes(json!({})), Ok(beside)]);
    assert!(matches!(watch(&settings(), &script).await.0, Ended::Protocol(_)));
    let script = Script::new([codes(json!({})), error(400, "invalid_grant")]);
    watch(&settings(), &script).await;
}
