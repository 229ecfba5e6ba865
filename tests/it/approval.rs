//! The approval drivers against a small server over real sockets: code, sign-in, terms and consent pages.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use devgrant::approval::{
    Answer, ApprovalError, Ask, Decision, Driver, Errand, Manner, PageError, Prompt, Start, Submitted, driver,
};
use devgrant::http::HttpPages;
use devgrant::secret::Secret;
use devgrant::target::{Approval, Target, User};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::time::Instant;

/// Who decided what, by user code.
type Decisions = Arc<Mutex<BTreeMap<String, (String, String)>>>;
type Fields = HashMap<String, String>;

const RECIPE: &str = r#"
form:
  steps:
    - { when: { field: user_code }, fill: { user_code: "{user_code}" } }
    - { when: { field: password }, fill: { login: "{login}", password: "{password}" } }
    - { when: { action: /consent }, press: { name: decision, value: approve }, decides: approve }
    - { when: { action: /consent }, press: { text: Deny }, decides: deny }
"#;

#[tokio::test]
async fn forty_users_decide_at_once_and_none_disturbs_another() {
    let (base, decisions) = serve().await;
    let driver = form_driver();
    let users = [alice("wonderland-1"), bob()];
    let all = join_all((0..40).map(|n| {
        let decision = if n % 2 == 0 { Decision::Approve } else { Decision::Deny };
        let start = if n % 3 == 0 { Start::CompleteUri } else { Start::Uri };
        decide(driver.as_ref(), &base, decision, start, &users[n / 2 % 2], format!("CODE-{n:04}"))
    }))
    .await;
    for (n, submitted) in all.into_iter().enumerate() {
        let submitted = submitted.unwrap();
        assert!(submitted.sent < submitted.done);
        // This server answers a good denial with 400: it came out all the same.
        assert_eq!(submitted.status, Some(if n % 2 == 0 { 200 } else { 400 }));
    }
    let decisions = decisions.lock().unwrap();
    assert_eq!(decisions.len(), 40);
    for (n, (code, (user, decision))) in decisions.iter().enumerate() {
        assert_eq!(code, &format!("CODE-{n:04}"));
        assert_eq!(user, if n / 2 % 2 == 0 { "alice" } else { "bob" });
        assert_eq!(decision, if n % 2 == 0 { "approve" } else { "deny" });
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_refused_sign_in() {
    let (base, decisions) = serve().await;
    let user = alice("wonderland-2");
    let error =
        decide(form_driver().as_ref(), &base, Decision::Approve, Start::Uri, &user, "CODE-0001".to_owned())
            .await
            .unwrap_err();
    assert!(matches!(error, ApprovalError::SignInRefused { step: 2, .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!(
            "the sign-in was refused: the form of step 2 came again with the user alice, on the page \"Sign in\" \
             ({base}/login, status 401) that says \"Wrong name or password Sign in\""
        )),
        "{text}"
    );
    assert!(!format!("{text}{error:?}").contains("wonderland-2"), "{text}");
    assert!(decisions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_code_is_a_refused_code() {
    let (base, _) = serve().await;
    let driver = form_driver();
    for start in [Start::Uri, Start::CompleteUri] {
        let error =
            decide(driver.as_ref(), &base, Decision::Deny, start, &bob(), "WRONG-CODE".to_owned()).await;
        let Err(ApprovalError::CodeRefused { step: 1, user_code, place }) = error else {
            panic!("{error:?}");
        };
        assert_eq!((user_code.as_str(), place.title.as_str()), ("WRONG-CODE", "Connect a device"));
        assert!(place.text.starts_with("This code is not known"), "{}", place.text);
    }
}

#[tokio::test]
async fn a_page_that_no_step_fits_is_named_with_its_fields() {
    let (base, _) = serve().await;
    let user = alice("wonderland-1");
    let text =
        decide(form_driver().as_ref(), &base, Decision::Approve, Start::Uri, &user, "CODE-TERMS".to_owned())
            .await
            .unwrap_err()
            .to_string();
    assert_eq!(
        text,
        format!(
            "no step of the form recipe fits the page \"Terms of use\" ({base}/terms, status 200) that says \"Agree\" \
             and has a form [POST {base}/terms; fields: version, agreed; buttons: \"Agree\" (\"\")]; add a step for \
             it under `approval: {{ form: {{ steps: ... }} }}` in the target file, or mend the `when` that should fit"
        )
    );
}

#[tokio::test]
async fn a_server_that_is_away_or_silent_is_an_error_in_time() {
    let driver = form_driver();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let base = format!("http://{closed}");
    let error =
        decide(driver.as_ref(), &base, Decision::Approve, Start::CompleteUri, &bob(), "CODE-0001".to_owned())
            .await
            .unwrap_err();
    assert!(
        matches!(&error, ApprovalError::Address { why: PageError::Unreachable(_), url } if *url == format!("{base}/device")),
        "{error:?}"
    );

    let (base, _) = serve().await;
    let error =
        decide(driver.as_ref(), &base, Decision::Approve, Start::Uri, &bob(), "CODE-SLEEPS".to_owned())
            .await
            .unwrap_err();
    let ApprovalError::Deadline { place: Some(place) } = error else { panic!("{error:?}") };
    assert_eq!(place.url, format!("{base}/device"), "the last page that was read");
}

#[test]
fn the_recipes_of_the_target_files_can_be_read() {
    for file in ["example.yaml", "oidc-provider.yaml"] {
        let target =
            Target::from_yaml(&crate::repository::text(&format!("fixtures/targets/{file}"))).unwrap();
        let Some(Approval::Form(recipe)) = target.approval else { panic!("{file} has no form recipe") };
        assert!(recipe.can(Decision::Approve) && recipe.can(Decision::Deny), "{file}");
    }
}

async fn decide(
    driver: &dyn Driver,
    base: &str,
    decision: Decision,
    start: Start,
    user: &User,
    user_code: String,
) -> Result<Submitted, ApprovalError> {
    let uri = format!("{base}/device");
    driver
        .decide(Ask {
            case: "a-suite/a-check",
            decision,
            user,
            user_code: &user_code,
            verification_uri: &uri,
            verification_uri_complete: Some(&format!("{uri}?user_code={user_code}")),
            start,
            deadline: Instant::now()
                + Duration::from_millis(if user_code == "CODE-SLEEPS" { 300 } else { 30_000 }),
            manner: Manner::default(),
        })
        .await
}

fn form_driver() -> Box<dyn Driver> {
    let yaml = serde_yaml::Deserializer::from_str(RECIPE);
    let approval: Approval = serde_yaml::with::singleton_map_recursive::deserialize(yaml).unwrap();
    driver(&approval, Arc::new(HttpPages::new().unwrap()), Arc::new(Nobody))
}

/// No person is there.
struct Nobody;

impl Prompt for Nobody {
    fn confirm<'a>(&'a self, _: Errand<'a>) -> BoxFuture<'a, std::io::Result<Answer>> {
        async { Ok(Answer::CouldNot) }.boxed()
    }
}

fn alice(password: &str) -> User {
    User { login: "alice".to_owned(), password: Secret::new(password) }
}

fn bob() -> User {
    User { login: "bob".to_owned(), password: Secret::new("looking-glass-2") }
}

// The server.

async fn serve() -> (String, Decisions) {
    let decisions = Decisions::default();
    let app = Router::new()
        .route("/device", get(code_page).post(enter_code))
        .route("/login", get(|| async { sign_in_page("") }).post(sign_in))
        .route("/terms", get(terms_page))
        .route("/consent", get(consent_page).post(consent))
        .with_state(decisions.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, decisions)
}

async fn code_page(Query(query): Query<Fields>) -> Response {
    let code = query.get("user_code").cloned().unwrap_or_default();
    let fresh = format!("csrf={:016x}; Path=/device; HttpOnly", rand::random::<u64>());
    let token = fresh[5..21].to_owned();
    ([(SET_COOKIE, fresh)], code_form("", &code, &token)).into_response()
}

fn code_form(note: &str, code: &str, token: &str) -> Html<String> {
    Html(format!(
        "<title>Connect a device</title><p>{note}</p><form method=post action='/device'>
         <input type=hidden name=csrf value={token}><input name=user_code value='{code}'><button>Next</button></form>"
    ))
}

async fn enter_code(headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    let code = &form["user_code"];
    if cookie(&headers, "csrf").as_ref() != form.get("csrf") {
        return (StatusCode::FORBIDDEN, "a cookie is missing").into_response();
    }
    match code.as_str() {
        "CODE-SLEEPS" => std::future::pending().await,
        code if code.starts_with("CODE-") => {
            redirect(StatusCode::FOUND, "login?step=1", &format!("flow={code}; Path=/"))
        }
        code => code_form("This code is not known", code, &form["csrf"]).into_response(),
    }
}

/// Without an action: the query stays.
fn sign_in_page(note: &str) -> Html<String> {
    Html(format!(
        "<title>Sign in</title><p>{note}</p><form method=post><input name=login><input name=password type=password>
         <button>Sign in</button></form>"
    ))
}

async fn sign_in(Query(query): Query<Fields>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    if query.get("step").is_none_or(|step| step != "1") {
        return (StatusCode::BAD_REQUEST, "the query is missing").into_response();
    }
    match (form["login"].as_str(), form["password"].as_str()) {
        ("alice", "wonderland-1") | ("bob", "looking-glass-2") => {
            let next =
                if cookie(&headers, "flow").as_deref() == Some("CODE-TERMS") { "/terms" } else { "/consent" };
            let cookie = format!("user={}; Path=/consent; Secure", form["login"]);
            redirect(StatusCode::SEE_OTHER, next, &cookie)
        }
        _ => (StatusCode::UNAUTHORIZED, sign_in_page("Wrong name or password")).into_response(),
    }
}

async fn terms_page() -> Html<&'static str> {
    Html(
        "<title>Terms of use</title><form method=post><input type=hidden name=version value=7>
         <input type=checkbox name=agreed><button>Agree</button></form>",
    )
}

async fn consent_page() -> Html<&'static str> {
    Html(
        "<title>Allow access?</title><form id=c method=post action='/consent'></form>
         <button form=c name=decision value=approve>Allow</button>
         <button form=c name=decision value=deny>Deny</button>",
    )
}

async fn consent(
    State(decisions): State<Decisions>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    let (Some(code), Some(user)) = (cookie(&headers, "flow"), cookie(&headers, "user")) else {
        return (StatusCode::FORBIDDEN, "a cookie is missing").into_response();
    };
    let decision = form["decision"].clone();
    let status = if decision == "deny" { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    decisions.lock().unwrap().insert(code, (user, decision));
    (status, Html("<title>Done</title>")).into_response()
}

fn redirect(status: StatusCode, to: &str, cookie: &str) -> Response {
    (status, [(LOCATION, to), (SET_COOKIE, cookie)]).into_response()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
}
