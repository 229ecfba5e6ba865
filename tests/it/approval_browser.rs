//! The `browser` driver at the pages of the reference server, in a real Chromium; needs chromium and chromedriver.

use std::sync::Arc;

use devgrant::approval::{Ask, Decision, Manner, Opening, Start, Trace, driver};
use devgrant::http::HttpPages;
use devgrant::suite::{PageMethod, Reach};

use crate::approval_drivers::{Stage, decide};
use crate::stage::Nobody;

const BROWSER: &str = r#"
  browser:
    steps:
      - { when: { field: password }, fill: { username: "{login}", password: "{password}" } }
      - { when: { button: { value: approve } }, press: { value: approve }, decides: approve }
      - { when: { button: { value: deny } }, press: { value: deny }, decides: deny }
      - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
"#;

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_browser_approves_denies_opens_and_goes_on() {
    let stage = Stage::new().await;
    let target = stage.target(BROWSER);
    let pages = Arc::new(HttpPages::new().unwrap());
    let driver = driver(target.approval.as_ref().unwrap(), pages, Arc::new(Nobody));
    let user = target.users.values().next().unwrap();
    for (decision, told) in [(Decision::Approve, "granted"), (Decision::Deny, "access_denied")] {
        let codes = stage.codes().await;
        let trace = Trace::default();
        let manner = Manner { trace: Some(&trace), ..Manner::default() };
        let submitted = decide(driver.as_ref(), user, &codes, decision, manner, 120).await.unwrap();
        assert_eq!(submitted.status, Some(200));
        assert_eq!(stage.polled(&codes).await, told);
        let noted = trace.into_all();
        let first = noted.first().unwrap();
        assert_eq!(first.answer.as_ref().unwrap().status(), 303, "redirects are noted");
        assert!(noted.iter().any(|it| it.page.as_ref().is_some_and(|page| page.offers.contains(&decision))));
        let answers: Vec<_> = noted.iter().filter_map(|it| it.answer.as_ref().ok()).collect();
        assert!(
            answers.iter().any(|answer| answer.headers().contains_key("set-cookie")),
            "headers are noted"
        );
    }

    let codes = stage.codes().await;
    let ask = Ask {
        case: "a-suite/a-check",
        decision: Decision::Approve,
        user,
        user_code: codes.user_code(),
        verification_uri: codes.verification_uri(),
        verification_uri_complete: None,
        start: Start::Uri,
        deadline: tokio::time::Instant::now() + std::time::Duration::from_secs(120),
        manner: Manner::default(),
    };
    let opening = Opening { ask, reach: Reach::Decision, method: PageMethod::Get, headers: &[] };
    let opened = driver.open(opening).await.unwrap();
    assert_eq!(opened.short_of, None);
    assert_eq!(stage.polled(&codes).await, "authorization_pending", "a page that is open decides nothing");
    let manner = Manner { tab: Some(&opened.tab), ..Manner::default() };
    driver.decide(Ask { manner, ..ask }).await.unwrap();
    assert_eq!(stage.polled(&codes).await, "granted");
}

#[tokio::test]
#[ignore = "needs chromium and chromedriver"]
async fn a_browser_shares_a_sign_in_by_its_cookies() {
    let stage = Stage::new().await;
    let target = stage.target(&BROWSER.replace("  browser:\n", "  browser:\n    sessions: shared\n"));
    let pages = Arc::new(HttpPages::new().unwrap());
    let driver = driver(target.approval.as_ref().unwrap(), pages, Arc::new(Nobody));
    let user = target.users.values().next().unwrap();
    let mut sign_ins = 0;
    for _ in 0..2 {
        let codes = stage.codes().await;
        let trace = Trace::default();
        let manner = Manner { trace: Some(&trace), ..Manner::default() };
        decide(driver.as_ref(), user, &codes, Decision::Approve, manner, 120).await.unwrap();
        assert_eq!(stage.polled(&codes).await, "granted");
        let is_sign_in = |uri: &http::Uri| uri.path() == "/login";
        sign_ins += trace
            .into_all()
            .iter()
            .filter(|it| is_sign_in(it.request.uri()) && it.request.method() == "POST")
            .count();
    }
    assert_eq!(sign_ins, 1);
}
