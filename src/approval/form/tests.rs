//! Walks over pages of our own, modelled on the flows of real servers, in process and in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use tokio::time::Instant;

use super::super::{ApprovalError, Ask, Decision, Driver, Manner, PageError, Pages, Start, Submitted};
use super::guess::guess;
use super::{Form, Guess, Purpose};
use crate::secret::Secret;
use crate::target::{FormDone, FormRecipe, FormStep, User};

/// Status, headers, page.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// A server as a function of method, path with query, cookies and body; remembers what it was asked.
struct Script<F> {
    answer: F,
    asked: Mutex<Vec<String>>,
}

impl<F: Fn(&str, &str, &str) -> Answer + Send + Sync> Pages for Script<F> {
    fn fetch(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, PageError>> {
        let line = format!("{} {}", request.method(), request.uri().path_and_query().unwrap());
        let cookies = request.headers().get("cookie").map_or("", |cookie| cookie.to_str().unwrap());
        let body = std::str::from_utf8(request.body()).unwrap();
        self.asked.lock().unwrap().push(format!("{line} {body}").trim().to_owned());
        if request.uri().scheme_str() == Some("tv") {
            return async { Err(PageError::NotAllowed) }.boxed();
        }
        let (status, headers, page) = (self.answer)(&line, cookies, body);
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let response = response.body(Bytes::from(page)).unwrap();
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(response)
        }
        .boxed()
    }
}

fn page(html: &str) -> Answer {
    (200, vec![], html.to_owned())
}

fn see(status: u16, location: &str) -> Answer {
    (status, vec![("location", location.to_owned())], String::new())
}

/// One decision of alice over these pages, and what the server was asked.
async fn decide(
    recipe: &str,
    decision: Decision,
    start: Start,
    answer: impl Fn(&str, &str, &str) -> Answer + Send + Sync + 'static,
) -> (Result<Submitted, ApprovalError>, Vec<String>) {
    let recipe: FormRecipe =
        serde_yaml::with::singleton_map_recursive::deserialize(serde_yaml::Deserializer::from_str(recipe))
            .unwrap();
    walk(&recipe, decision, start, answer).await
}

async fn walk(
    recipe: &FormRecipe,
    decision: Decision,
    start: Start,
    answer: impl Fn(&str, &str, &str) -> Answer + Send + Sync + 'static,
) -> (Result<Submitted, ApprovalError>, Vec<String>) {
    let script = Arc::new(Script { answer, asked: Mutex::default() });
    let driver = Form::new(recipe, script.clone());
    let alice = User { login: "alice".to_owned(), password: Secret::new("wonderland-1") };
    let submitted = driver
        .decide(Ask {
            case: "a-suite/a-check",
            decision,
            user: &alice,
            user_code: "BCDF-GHJK",
            verification_uri: "http://127.0.0.1:9/device",
            verification_uri_complete: Some("http://127.0.0.1:9/device?user_code=BCDF-GHJK"),
            start,
            deadline: Instant::now() + Duration::from_secs(60),
            manner: Manner::default(),
        })
        .await;
    let asked = script.asked.lock().unwrap().clone();
    (submitted, asked)
}

/// As Dex does it: no cookies, a chain of redirects, a consent page of two forms without action, whose query counts.
fn dex(line: &str, _: &str, body: &str) -> Answer {
    match (line, body) {
        ("GET /device" | "GET /device?user_code=BCDF-GHJK", _) => page(
            "<form method=post action='/device/auth/verify_code'><input name=user_code><button>Submit</button></form>",
        ),
        ("POST /device/auth/verify_code", "user_code=BCDF-GHJK") => see(302, "/auth?state=1"),
        ("GET /auth?state=1", _) => see(302, "/auth/login?back=&state=1"),
        ("GET /auth/login?back=&state=1", _) => page(
            "<form method=post action='/auth/login?back=&amp;state=1'><input name=login><input name=password
             type=password><button>Login</button></form>",
        ),
        ("POST /auth/login?back=&state=1", "login=alice%40example.com&password=wonderland-1") => {
            see(303, "/approval?req=r1&hmac=h1")
        }
        ("GET /approval?req=r1&hmac=h1", _) => page(
            "<title>dex</title><h2>Grant Access</h2>
             <form method=post><input type=hidden name=req value=r1><input type=hidden name=approval value=approve>
               <button type=submit>Grant Access</button></form>
             <form method=post><input type=hidden name=req value=r1><input type=hidden name=approval value=rejected>
               <button type=submit>Cancel</button></form>",
        ),
        ("POST /approval?req=r1&hmac=h1", "req=r1&approval=approve") => see(303, "/device/callback?code=c1"),
        ("GET /device/callback?code=c1", _) => page("<p>Login Successful"),
        ("POST /approval?req=r1&hmac=h1", "req=r1&approval=rejected") => {
            (500, vec![], "Approval rejected.".to_owned())
        }
        _ => (400, vec![], "Bad request".to_owned()),
    }
}

const DEX: &str = r#"
steps:
  - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
  - { when: { field: password }, fill: { login: "{login}@example.com", password: "{password}" } }
  - { when: { values: { approval: approve } }, decides: approve }
  - { when: { values: { approval: rejected } }, decides: deny }
"#;

#[tokio::test(start_paused = true)]
async fn two_forms_without_action_keep_their_query() {
    let start = Instant::now();
    let (approved, asked) = decide(DEX, Decision::Approve, Start::Uri, dex).await;
    let approved = approved.unwrap();
    assert_eq!(asked.last().unwrap(), "GET /device/callback?code=c1");
    assert_eq!(asked.len(), 8);
    assert_eq!(approved.page.as_ref().unwrap().text, "Login Successful");
    let millis = |at: Instant| (at - start).as_millis();
    assert_eq!((millis(approved.sent) / 10, millis(approved.done) / 10), (6, 8), "six requests come before");

    let (denied, asked) = decide(DEX, Decision::Deny, Start::CompleteUri, dex).await;
    assert_eq!(denied.unwrap().status, Some(500), "submitted all the same");
    assert_eq!(asked.last().unwrap(), "POST /approval?req=r1&hmac=h1 req=r1&approval=rejected");
}

/// As Keycloak does it: `Secure` cookies over http on loopback, entities in the action, two buttons on one form.
fn keycloak(line: &str, cookies: &str, body: &str) -> Answer {
    let signed_out = (400, vec![], "<title>We are sorry</title>Restart login cookie not found".to_owned());
    let grant = "<title>Grant Access</title><form action='/login-actions/consent?execution=e1&amp;tab_id=t1'
         method=POST><input type=hidden name=code value=k1><input type=submit name=accept value=Yes>
         <input type=submit name=cancel value=No></form>";
    match (line, body) {
        ("GET /device", _) => page(
            "<form method=post><input name=device_user_code autofocus><input type=submit value=Submit></form>",
        ),
        ("POST /device", "device_user_code=BCDF-GHJK") | ("GET /device?user_code=BCDF-GHJK", _) => (
            302,
            vec![
                ("location", "/login?client_id=device&tab_id=t1".to_owned()),
                ("set-cookie", "AUTH_SESSION_ID=a1; Path=/; Secure; HttpOnly; SameSite=None".to_owned()),
            ],
            String::new(),
        ),
        ("GET /login?client_id=device&tab_id=t1", _) => page(
            "<form id=kc-form-login onsubmit='login.disabled = true; return true;' method=post
               action='/login-actions/authenticate?session_code=s1&amp;execution=e1&amp;tab_id=t1'>
             <input name=username><input name=password type=password><button type=button>Show</button>
             <input type=hidden id=id-hidden-input name=credentialId><input type=submit name=login value='Sign In'>
             <input type=checkbox name=rememberMe></form>
             <form action='/locale'><select name=lang><option>en</select></form>",
        ),
        ("POST /login-actions/authenticate?session_code=s1&execution=e1&tab_id=t1", body) => {
            assert_eq!(body, "username=alice&password=wonderland-1&credentialId=&login=Sign+In");
            if cookies == "AUTH_SESSION_ID=a1" { see(302, "/grant") } else { signed_out }
        }
        ("GET /grant", _) => page(grant),
        ("POST /login-actions/consent?execution=e1&tab_id=t1", "code=k1&accept=Yes") => {
            see(302, "/device/status")
        }
        ("POST /login-actions/consent?execution=e1&tab_id=t1", "code=k1&cancel=No") => {
            see(302, "/device/status?error=access_denied")
        }
        ("GET /device/status", _) => page("Device Login Successful"),
        ("GET /device/status?error=access_denied", _) => page("Device Login Failed"),
        _ => (400, vec![], "Bad request".to_owned()),
    }
}

const KEYCLOAK: &str = r#"
steps:
  - { when: { field: device_user_code }, fill: { device_user_code: "{user_code}" } }
  - { when: { field: username }, fill: { username: "{login}", password: "{password}" } }
  - { when: { button: { name: accept } }, press: { name: accept }, decides: approve }
  - { when: { button: { name: cancel } }, press: { name: cancel }, decides: deny }
"#;

#[tokio::test(start_paused = true)]
async fn secure_cookies_are_sent_on_loopback_and_the_right_button_is_pressed() {
    for start in [Start::Uri, Start::CompleteUri] {
        let (approved, _) = decide(KEYCLOAK, Decision::Approve, start, keycloak).await;
        assert_eq!(approved.unwrap().page.unwrap().text, "Device Login Successful");
        let (denied, _) = decide(KEYCLOAK, Decision::Deny, start, keycloak).await;
        assert_eq!(denied.unwrap().page.unwrap().text, "Device Login Failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_recipe_is_told_what_the_page_has() {
    let wrong = KEYCLOAK.replace("press: { name: accept }", "press: { text: Allow }");
    let (error, _) = decide(&wrong, Decision::Approve, Start::Uri, keycloak).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "step 3 of the form recipe fits the page \"Grant Access\" (http://127.0.0.1:9/grant, status 200) and has a \
         form [POST http://127.0.0.1:9/login-actions/consent; fields: code; buttons: \"Yes\" (\"accept\"), \"No\" \
         (\"cancel\")], but there is no button { text: Allow }; change its `press`"
    );
    let wrong = KEYCLOAK.replace(" press: { name: accept },", "");
    let (error, _) = decide(&wrong, Decision::Approve, Start::Uri, keycloak).await;
    assert!(matches!(error, Err(ApprovalError::NoButton { step: 3, button: None, .. })), "{error:?}");

    let wrong = KEYCLOAK.replace("password:", "passwd:");
    let (error, _) = decide(&wrong, Decision::Approve, Start::Uri, keycloak).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("fields: username, password, credentialId, rememberMe"), "{error}");
    assert!(error.contains("`passwd` is no field of the form; change its `fill`"), "{error}");

    let wrong = DEX.replace("decides: deny", "");
    let (error, asked) = decide(&wrong, Decision::Deny, Start::Uri, dex).await;
    assert_eq!(
        error,
        Err(ApprovalError::NoDecision { decision: Decision::Deny, what: "step with `decides: deny`" })
    );
    assert!(asked.is_empty(), "found before anything is sent");
}

#[tokio::test(start_paused = true)]
async fn pages_without_the_decision_are_told_apart() {
    let recipe = "steps: [{ when: { field: ok } }, { when: { field: yes }, decides: approve },
                          { when: { field: no }, decides: deny }]";
    let form = |field: &str| page(&format!("<form method=post><input type=hidden name={field}></form>"));
    let at =
        move |line: &str, first: &str, then: Answer| if line == "GET /device" { form(first) } else { then };

    let (circles, asked) = decide(recipe, Decision::Approve, Start::Uri, move |_, _, _| form("ok")).await;
    assert!(matches!(circles, Err(ApprovalError::Loop { pages: 20, .. })), "{circles:?}");
    assert_eq!(asked.len(), 20);
    let (circles, asked) = decide(recipe, Decision::Approve, Start::Uri, |_, _, _| see(302, "/device")).await;
    assert!(matches!(circles, Err(ApprovalError::Loop { pages: 1, .. })), "{circles:?}");
    assert_eq!(asked.len(), 11);

    let (ended, _) =
        decide(recipe, Decision::Approve, Start::Uri, move |line, _, _| at(line, "ok", page("Bye"))).await;
    assert!(matches!(ended, Err(ApprovalError::NeverOffered { .. })), "{ended:?}");
    let (other, asked) = decide(recipe, Decision::Deny, Start::Uri, move |_, _, _| form("yes")).await;
    assert!(matches!(other, Err(ApprovalError::NeverOffered { .. })), "{other:?}");
    assert_eq!(asked.len(), 1, "a step that approves is not taken to deny");
    let (unknown, _) = decide(recipe, Decision::Deny, Start::Uri, move |_, _, _| form("what")).await;
    assert!(matches!(unknown, Err(ApprovalError::NoFormFits { .. })), "{unknown:?}");

    let remembered = format!("{recipe}\ndone: {{ approve: Bye }}");
    let (done, _) =
        decide(&remembered, Decision::Approve, Start::Uri, move |line, _, _| at(line, "ok", page("Bye")))
            .await;
    assert_eq!(done.unwrap().page.unwrap().text, "Bye");
}

#[tokio::test(start_paused = true)]
async fn after_the_decision_pages_may_lead_anywhere() {
    let recipe = "steps: [{ when: { field: yes }, decides: approve }]";
    let form = "<form method=post><input type=hidden name=yes value=1></form>";
    for after in [
        see(303, "tv://callback?done=1"),
        see(303, "/device"),
        page("<meta http-equiv=refresh content='0; url=/status'>"),
        (429, vec![], "slow down".to_owned()),
    ] {
        let status = after.0;
        let answer = move |line: &str, _: &str, _: &str| {
            if line == "GET /device" { page(form) } else { after.clone() }
        };
        let (submitted, asked) = decide(recipe, Decision::Approve, Start::Uri, answer).await;
        assert!(submitted.is_ok(), "status {status}: {submitted:?}");
        assert!(asked.contains(&"POST /device yes=1".to_owned()), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_submits_itself_is_followed_and_a_late_server_is_given_up() {
    let recipe = "steps: [{ when: { field: yes }, decides: approve }]";
    let answer = |line: &str, _: &str, body: &str| match (line, body) {
        ("GET /device", "") => page(
            "<body onload='document.forms[0].submit()'><form method=post><input type=hidden name=h value=1></form>",
        ),
        (_, "h=1") => page("<form method=post><input type=hidden name=yes value=1></form>"),
        _ => page("Thank you, wonderland-1"),
    };
    let (submitted, _) = decide(recipe, Decision::Approve, Start::Uri, answer).await;
    let text = submitted.unwrap().page.unwrap().text;
    assert!(text.starts_with("Thank you, ‹12 chars"), "{text}");

    /// Never answers.
    struct Silent;
    impl Pages for Silent {
        fn fetch(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, PageError>> {
            std::future::pending().boxed()
        }
    }
    let recipe: FormRecipe = serde_yaml::from_str(recipe).unwrap();
    let alice = User { login: "alice".to_owned(), password: Secret::new("wonderland-1") };
    let ask = Ask {
        case: "a-suite/a-check",
        decision: Decision::Approve,
        user: &alice,
        user_code: "BCDF-GHJK",
        verification_uri: "/device",
        verification_uri_complete: Some("http://127.0.0.1:9/device"),
        start: Start::CompleteUri,
        deadline: Instant::now() + Duration::from_secs(60),
        manner: Manner::default(),
    };
    let driver = Form::new(&recipe, Arc::new(Silent));
    assert_eq!(driver.decide(ask).await, Err(ApprovalError::Deadline { place: None }));
    let relative = driver.decide(Ask { start: Start::Uri, ..ask }).await;
    assert!(matches!(relative, Err(ApprovalError::StartUri { .. })), "{relative:?}");
    let none = driver.decide(Ask { verification_uri_complete: None, ..ask }).await;
    assert_eq!(none, Err(ApprovalError::NoCompleteUri));
}

/// A page that asks again for the code, in a hidden field, with the one button that approves.
fn without_choice(line: &str, _: &str, _: &str) -> Answer {
    match line {
        "GET /device?user_code=BCDF-GHJK" => page(
            "<title>Confirm</title><form method=post action='/device'><input type=hidden name=user_code \
             value=BCDF-GHJK><button name=decision value=approve>Allow</button></form>",
        ),
        "GET /device" => {
            page("<form method=get action='/device'><input name=user_code><button>Next</button></form>")
        }
        _ => page("<p>Done"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_denial_never_presses_the_only_button_there_is_when_it_approves() {
    let recipe = r#"
steps:
  - { when: { button: { value: approve } }, press: { value: approve }, decides: approve }
  - { when: { button: { value: deny } }, press: { value: deny }, decides: deny }
  - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
"#;
    for start in [Start::CompleteUri, Start::Uri] {
        let (denied, asked) = decide(recipe, Decision::Deny, start, without_choice).await;
        let error = denied.unwrap_err();
        assert!(matches!(error, ApprovalError::NeverOffered { decision: Decision::Deny, .. }), "{error}");
        assert!(asked.iter().all(|line| line.starts_with("GET ")), "{asked:?}");
        let (approved, asked) = decide(recipe, Decision::Approve, start, without_choice).await;
        assert!(approved.is_ok(), "{approved:?}");
        assert_eq!(asked.last().unwrap(), "POST /device user_code=BCDF-GHJK&decision=approve");
    }
}

/// As oidc-provider does it: the code again, with a hidden field of that name, and no there; no `no` at the consent.
fn confirming(line: &str, _: &str, body: &str) -> Answer {
    match (line, body) {
        ("GET /device", _) => page(
            "<title>Sign-in</title><form action='/device' method=post><input type=hidden name=xsrf value=3f9>
             <input type=text name=user_code></form><button type=submit>Continue</button>",
        ),
        ("POST /device", "xsrf=3f9&user_code=BCDF-GHJK") => page(
            "<title>Device Login</title><form id=f action='/device' method=post><input type=hidden name=xsrf
             value=3f9><input type=hidden name=user_code value='BCDF-GHJK'><input type=hidden name=confirm
             value=yes></form><button type=submit form=f>Continue</button>
             <button type=submit form=f value=yes name=abort>[ Abort ]</button>",
        ),
        ("POST /device", "xsrf=3f9&user_code=BCDF-GHJK&confirm=yes") => see(303, "/interaction/u1"),
        ("POST /device", "xsrf=3f9&user_code=BCDF-GHJK&confirm=yes&abort=yes") => page("Denied"),
        ("GET /interaction/u1", _) => page(
            "<title>Sign-in</title><form action='/interaction/u1' method=post><input type=hidden name=prompt
             value=login><input required name=login><input type=password name=password>
             <button type=submit>Sign-in</button></form><a href='/abort'>[ Cancel ]</a>",
        ),
        ("POST /interaction/u1", "prompt=login&login=alice&password=wonderland-1") => see(303, "/interaction/u2"),
        ("GET /interaction/u2", _) => page(
            "<title>Authorize</title><form action='/interaction/u2' method=post><input type=hidden name=prompt
             value=consent><button autofocus type=submit>Continue</button></form>",
        ),
        ("POST /interaction/u2", "prompt=consent") => page("Sign-in success"),
        _ => (400, vec![], "Bad request".to_owned()),
    }
}

async fn guessed(
    answer: impl Fn(&str, &str, &str) -> Answer + Send + Sync + 'static,
    password: &str,
) -> Guess {
    let alice = User { login: "alice".to_owned(), password: Secret::new(password) };
    let ask = Ask {
        case: "a guess",
        decision: Decision::Approve,
        user: &alice,
        user_code: "BCDF-GHJK",
        verification_uri: "http://127.0.0.1:9/device",
        verification_uri_complete: None,
        start: Start::Uri,
        deadline: Instant::now() + Duration::from_secs(60),
        manner: Manner::default(),
    };
    guess(&Script { answer, asked: Mutex::default() }, ask).await
}

/// The recipe as a target file would have it.
fn recipe(guess: &Guess) -> FormRecipe {
    let steps = guess.steps.iter().map(|guessed| FormStep {
        when: guessed.when.clone(),
        fill: guessed
            .fill
            .iter()
            .map(|(field, blank)| (field.clone(), format!("{{{}}}", blank.word()).parse().unwrap()))
            .collect(),
        check: Vec::new(),
        press: guessed.press.clone(),
        decides: match guessed.purpose {
            Purpose::Decision(decision) => Some(decision),
            _ => None,
        },
    });
    FormRecipe {
        steps: steps.collect(),
        done: FormDone::default(),
        headers: http::HeaderMap::new(),
        sessions: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_recipe_that_was_guessed_approves_and_denies() {
    let at_example = |line: &str, cookies: &str, body: &str| {
        dex(line, cookies, &body.replace("login=alice&", "login=alice%40example.com&"))
    };
    type Pages = fn(&str, &str, &str) -> Answer;
    let servers: [(Pages, [&str; 2]); 3] = [
        (at_example, ["Login Successful", "Approval rejected."]),
        (keycloak, ["Device Login Successful", "Device Login Failed"]),
        (confirming, ["Sign-in success", "Denied"]),
    ];
    for (server, ends) in servers {
        let guess = guessed(server, "wonderland-1").await;
        assert!(guess.is_approved, "{guess:?}");
        let recipe = recipe(&guess);
        for (decision, end) in [Decision::Approve, Decision::Deny].into_iter().zip(ends) {
            let (submitted, asked) = walk(&recipe, decision, Start::Uri, server).await;
            let submitted = submitted.unwrap_or_else(|error| panic!("{error}: {recipe:?}"));
            assert_eq!(submitted.page.unwrap().text, end, "{asked:?} {recipe:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_does_not_get_through_says_where_it_stood() {
    let guess = guessed(dex, "wrong").await;
    assert!(!guess.is_approved);
    let wanted = [Purpose::SignIn, Purpose::Code];
    assert_eq!(guess.steps.iter().map(|step| step.purpose).collect::<Vec<_>>(), wanted);

    let scripts =
        |_: &str, _: &str, _: &str| page("<title>App</title><div id=root></div><script src=a.js></script>");
    let stopped = guessed(scripts, "wonderland-1").await.stopped.unwrap();
    assert!(stopped.contains("the page \"App\"") && stopped.contains("has no form"), "{stopped}");

    let one_button = guessed(without_choice, "wonderland-1").await;
    let denies = one_button.steps.iter().any(|step| step.purpose == Purpose::Decision(Decision::Deny));
    assert!(!denies, "{one_button:?}");
}
