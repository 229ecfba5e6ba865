//! When the device polls, and when it stops.

use std::time::Duration;

use devgrant::exchange::NoAnswer;
use devgrant::login::{Ended, play};
use serde_json::json;

use super::script::{Script, codes, error, json, later, token};
use super::{Answers, Paper, login, polls, s, settings, watch};

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
async fn polls_fit_the_lifetime() {
    for (lifetime, interval) in [(1800, 5), (60, 5), (600, 7), (9, 10)] {
        let members = json!({"expires_in": lifetime, "interval": interval});
        let (ended, _, script) = login(vec![codes(members), error(400, "authorization_pending")]).await;
        assert_eq!(ended, Ended::Expired);
        assert!(polls(&script) as u64 <= lifetime / interval + 1, "{} polls in {lifetime} s", polls(&script));
        let seen = script.seen();
        assert!(seen.last().unwrap().sent <= seen[0].done + s(lifetime));
        // It does not give up before there is no room for another poll.
        assert!(seen.last().unwrap().done + s(interval) > seen[0].done + s(lifetime) - s(1));
    }
}

#[tokio::test(start_paused = true)]
async fn every_gap_is_an_interval() {
    for (interval, least) in [(5, 5), (1, 1), (30, 30)] {
        let pending = || error(400, "authorization_pending");
        let mut answers = vec![(s(3), codes(json!({"interval": interval})))];
        answers.extend([0, 200, 3000, 12_000].map(|ms| (Duration::from_millis(ms), pending())));
        answers.push((s(0), error(400, "access_denied")));
        let script = Script::with_delays(answers);
        watch(&settings(), &script).await;
        // Polls that overlap would make a negative gap.
        assert_eq!(script.gaps().len(), 5);
        for gap in script.gaps() {
            assert!(gap >= s(least) && gap < s(least + 1), "{interval}: {gap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn five_seconds_where_no_interval_is_given() {
    for (interval, least) in [
        (json!("absent"), 5),
        (json!(null), 5),
        (json!("soon"), 5),
        (json!(0), 1),
        (json!(1.5), 2),
        (json!("7"), 7),
    ] {
        let mut answers: Answers = vec![codes(json!({"interval": interval}))];
        answers.extend(vec![error(400, "authorization_pending"); 5]);
        answers.push(error(400, "access_denied"));
        let (_, _, script) = login(answers).await;
        assert_eq!(script.gaps().len(), 6);
        for gap in script.gaps() {
            assert!(gap >= s(least) && gap < s(least + 1), "{interval}: {gap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_downs_add_up() {
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
    // What the answer asks for counts where it is more than that, whichever way it asks.
    let given = json(400, r#"{"error":"slow_down","interval":40}"#);
    let asked = later(400, r#"{"error":"slow_down","interval":3}"#, "60");
    let less = json(400, r#"{"error":"slow_down","interval":1}"#);
    let answers = vec![codes(json!({})), Ok(given), Ok(asked), Ok(less), token("Bearer")];
    let (_, _, script) = login(answers).await;
    for (gap, least) in script.gaps().into_iter().zip([5, 40, 60, 65]) {
        assert!(gap >= s(least) && gap < s(least + 1), "{gap:?} {least}");
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_error_stops_it() {
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
        for status in [200, 400, 403, 428] {
            let (ended, paper, script) = login(vec![codes(json!({})), error(status, code)]).await;
            assert_eq!((ended, polls(&script)), (expected.clone(), 1));
            assert!(paper.0.last().unwrap().contains(code));
        }
    }
}

/// Every way in which a poll gets no answer.
fn silences() -> [NoAnswer; 5] {
    [
        NoAnswer::TimedOut(s(30)),
        NoAnswer::Refused,
        NoAnswer::Unreachable("no such name".to_owned()),
        NoAnswer::Tls("expired".to_owned()),
        NoAnswer::CutOff("reset".to_owned()),
    ]
}

#[tokio::test(start_paused = true)]
async fn failures_slow_it_down() {
    for none in silences() {
        let mut answers = vec![(s(0), codes(json!({})))];
        answers.extend(vec![(s(30), Err(none)); 5]);
        answers.push((s(0), error(400, "access_denied")));
        let script = Script::with_delays(answers);
        let (ended, paper) = watch(&settings(), &script).await;
        assert_eq!(ended, Ended::Denied);
        let gaps = script.gaps();
        assert!(gaps.windows(2).all(|pair| pair[0] < pair[1]) && gaps[0] >= s(5), "{gaps:?}");
        assert!(paper.has("NoAnswer"));
    }
    // A server in trouble is left alone as long as it asks.
    let answers = vec![
        codes(json!({})),
        Ok(json(500, "<html>")),
        Ok(json(503, r#"{"error":"Service Unavailable"}"#)),
        Ok(later(429, "slow down, please", "100")),
        token("Bearer"),
    ];
    let (ended, _, script) = login(answers).await;
    assert_eq!(ended, Ended::Granted);
    for (gap, least) in script.gaps().into_iter().zip([5, 10, 20, 100]) {
        assert!(gap >= s(least) && gap < s(least + 1), "{gap:?} {least}");
    }
}

#[tokio::test(start_paused = true)]
async fn back_off_doubles_and_ends_with_an_answer() {
    for none in silences() {
        let mut answers = vec![(s(0), codes(json!({}))), (s(0), error(400, "slow_down"))];
        answers.extend(vec![(s(30), Err(none)); 4]);
        answers.push((s(0), error(400, "authorization_pending")));
        answers.push((s(0), error(400, "access_denied")));
        let script = Script::with_delays(answers);
        watch(&settings(), &script).await;
        // What slow_down added stays.
        assert_eq!(script.gaps(), [5, 10, 20, 40, 80, 160, 10].map(s));
    }
    // Silence to the end of the lifetime is expiry; the last poll is at the deadline, not after it.
    let (ended, _, script) =
        login(vec![codes(json!({"expires_in": 60})), Err(NoAnswer::TimedOut(s(30)))]).await;
    assert_eq!((ended, polls(&script)), (Ended::Expired, 4));
    let (_, _, script) = login(vec![codes(json!({})), Err(NoAnswer::Refused)]).await;
    assert!(script.gaps().iter().all(|gap| *gap <= s(300)), "{:?}", script.gaps());
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
async fn one_authorization_request_whatever_the_end() {
    // `watch` counts the requests and looks on for 400 s; here are the ends.
    let ends: [(Answers, bool); 6] = [
        (vec![error(400, "expired_token")], false),
        (vec![error(400, "access_denied")], false),
        (vec![error(400, "invalid_grant")], false),
        (vec![Err(NoAnswer::TimedOut(s(30)))], false),
        (vec![error(400, "authorization_pending")], false),
        (vec![token("Bearer")], true),
    ];
    for (polls, is_granted) in ends {
        let (ended, _, script) = login([vec![codes(json!({}))], polls].concat()).await;
        assert_eq!(ended == Ended::Granted, is_granted, "{ended:?}");
        assert!(script.seen().len() > 1);
    }
    let refused = json(401, r#"{"error":"invalid_client"}"#);
    for refusal in [Ok(refused), Ok(json(503, "<html>")), Err(NoAnswer::Refused)] {
        let (_, _, script) = login(vec![refusal]).await;
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn starting_again_is_a_new_request() {
    let script = Script::new([
        codes(json!({})),
        error(400, "expired_token"),
        codes(json!({"device_code": "another-device-code", "user_code": "QWER-PWDX"})),
        token("Bearer"),
    ]);
    let mut paper = Paper::default();
    assert_eq!(play(&settings(), &script, &mut paper).await, Ended::Expired);
    assert_eq!(script.seen().len(), 2, "nothing more before the user asks");
    assert_eq!(play(&settings(), &script, &mut paper).await, Ended::Granted);
    let seen = script.seen();
    assert_eq!(seen[2].request.url, "https://as.example/device");
    assert!(seen[3].form().contains(&("device_code".to_owned(), "another-device-code".to_owned())));
    assert!(paper.has("QWER-PWDX"));
}
