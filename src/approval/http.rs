//! The `http` driver: decides by a list of requests, for servers with an API for it or whose page talks JSON. Sees no
//! pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ::http::{HeaderMap, Method, Request, Response};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::{Instant, timeout_at};
use url::Url;
use url::form_urlencoded::Serializer;

use super::agent::{Agent, Jar, Oddity, Stop};
use super::page::{Document, Submission, without_query};
use super::sessions::{Sessions, SignIn, Turn};
use super::{ApprovalError, Ask, Driver, Fetched, Opened, Opening, Pages, Submitted};
use crate::secret::Secret;
use crate::target::{Blank, Decision, HttpRecipe, Keep, PageRequest, Sessions as Wish, User};

/// Sends the target's requests.
pub(super) struct Http {
    recipe: HttpRecipe,
    pages: Arc<dyn Pages>,
    /// Where users share their sign-in.
    sessions: Option<Sessions<State>>,
}

/// Cookies and kept values.
#[derive(Clone, Default)]
struct State {
    jar: Jar,
    kept: BTreeMap<String, Secret>,
}

impl State {
    /// The same, on its own from now on.
    fn copy(&self) -> Self {
        Self { jar: self.jar.copy(), kept: self.kept.clone() }
    }
}

/// Why a request did not come out.
struct Trouble {
    error: ApprovalError,
    /// It may be that the user is not signed in any more.
    is_about_sign_in: bool,
}

impl From<ApprovalError> for Trouble {
    fn from(error: ApprovalError) -> Self {
        Self { error, is_about_sign_in: false }
    }
}

impl Http {
    pub(super) fn new(recipe: &HttpRecipe, pages: Arc<dyn Pages>) -> Self {
        let shares = recipe.sessions == Some(Wish::Shared);
        Self { recipe: recipe.clone(), pages, sessions: shares.then(Sessions::default) }
    }

    async fn run(&self, ask: Ask<'_>) -> Result<Submitted, ApprovalError> {
        let requests = self.recipe.requests(ask.decision);
        let list = ask.decision.word();
        let none = || ApprovalError::NoDecision {
            decision: ask.decision,
            what: match ask.decision {
                Decision::Approve => "list `approve`",
                Decision::Deny => "list `deny`",
            },
        };
        if requests.is_empty() {
            return Err(none());
        }
        let all = self.recipe.sign_in.iter().chain(requests);
        let wants_complete = all.into_iter().any(|request| request.uses(Blank::VerificationUriComplete));
        if ask.start_uri().is_none() || (wants_complete && ask.verification_uri_complete.is_none()) {
            return Err(ApprovalError::NoCompleteUri);
        }
        if ask.manner.tab.is_some() || ask.manner.tamper.is_some() {
            return Err(no_pages());
        }
        let uri = ask.verification_uri;
        let base = Url::parse(uri).map_err(|why| ApprovalError::StartUri { uri: uri.to_owned(), why })?;
        let visit = Visit { recipe: &self.recipe, pages: self.pages.as_ref(), ask, base };
        let sent = match &self.sessions {
            None => {
                let state = visit.sign_in().await?;
                visit.send_all(list, requests, state).await
            }
            Some(sessions) => {
                let (used, is_new) = visit.signed_in(sessions, None).await?;
                match visit.send_all(list, requests, used.left.copy()).await {
                    Err(trouble) if trouble.is_about_sign_in && !is_new => {
                        let (used, _) = visit.signed_in(sessions, Some(used.number)).await?;
                        visit.send_all(list, requests, used.left.copy()).await
                    }
                    sent => sent,
                }
            }
        };
        sent.map_err(|trouble| trouble.error)?.1.ok_or_else(none)
    }
}

fn no_pages() -> ApprovalError {
    ApprovalError::NoPages { who: "the `http` driver" }
}

impl Driver for Http {
    fn decide<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Submitted, ApprovalError>> {
        self.run(ask).boxed()
    }

    fn open<'a>(&'a self, _: Opening<'a>) -> BoxFuture<'a, Result<Opened, ApprovalError>> {
        std::future::ready(Err(no_pages())).boxed()
    }
}

/// One decision.
struct Visit<'a> {
    recipe: &'a HttpRecipe,
    pages: &'a dyn Pages,
    ask: Ask<'a>,
    /// The verification URI, at whose host paths are.
    base: Url,
}

impl Visit<'_> {
    /// Signs in, with cookies of its own.
    async fn sign_in(&self) -> Result<State, ApprovalError> {
        let sent = self.send_all("sign_in", &self.recipe.sign_in, State::default()).await;
        sent.map(|(state, _)| state).map_err(|trouble| trouble.error)
    }

    /// The user's sign-in, other than the one that is stale; and whether it was made just now, for this decision.
    async fn signed_in(
        &self,
        sessions: &Sessions<State>,
        stale: Option<u64>,
    ) -> Result<(SignIn<State>, bool), ApprovalError> {
        let turn = timeout_at(self.ask.deadline, sessions.turn(&self.ask.user.login, stale)).await;
        match turn.map_err(|_| ApprovalError::Deadline { place: None })? {
            Turn::Adopt(sign_in) => Ok((sign_in, false)),
            Turn::Mine(turn) => Ok((turn.keep(self.sign_in().await?), true)),
        }
    }

    /// Sends a list of requests; gives what they left behind, and when the last was sent and answered.
    async fn send_all(
        &self,
        list: &'static str,
        requests: &[PageRequest],
        mut state: State,
    ) -> Result<(State, Option<Submitted>), Trouble> {
        let mut last = None;
        for (index, request) in requests.iter().enumerate() {
            last = Some(self.send(list, index + 1, request, &mut state).await?);
        }
        Ok((state, last))
    }

    async fn send(
        &self,
        list: &'static str,
        number: usize,
        request: &PageRequest,
        state: &mut State,
    ) -> Result<Submitted, Trouble> {
        let written = self.written(request, self.ask.user, &state.kept);
        let (method, address) = written.line.unwrap_or_default();
        let came = |url: String, came: String| ApprovalError::Request {
            list,
            number,
            method: method.to_string(),
            url,
            came,
        };
        let url = self.base.join(&address).map_err(|error| {
            came(
                self.base.join("/").map_or_else(|_| String::new(), |url| url.to_string()),
                format!("has an address that cannot be read ({error})"),
            )
        })?;
        let shown = without_query(&url);
        let agent =
            Agent::new(self.pages, self.recipe.headers.clone(), state.jar.clone(), self.ask.deadline, None);
        let oddity = Oddity { headers: written.headers, ..Oddity::default() };
        let submission = Submission { method: method.clone(), url, body: written.body, open: Vec::new() };
        let sent = Instant::now();
        let answer = agent.ask(&submission, Some(&self.base), &oddity).await;
        let done = Instant::now();
        let answer = match answer {
            Ok(answer) => answer,
            Err(Stop::Deadline) => return Err(ApprovalError::Deadline { place: None }.into()),
            Err(Stop::Browser(why)) => return Err(ApprovalError::Browser { why }.into()),
            Err(Stop::Failed(_, why)) => {
                return Err(ApprovalError::Address { url: shown, why }.into());
            }
        };
        self.note(request, &submission, &answer, (sent, done), &state.kept);
        let status = answer.status().as_u16();
        if !request.expects(status) {
            let wanted = match request.expect.as_slice() {
                [] => "200 to 399".to_owned(),
                [one] => one.to_string(),
                some => some.iter().map(u16::to_string).collect::<Vec<_>>().join(" or "),
            };
            let error = came(shown, format!("was answered {status}, and {wanted} is expected"));
            let is_about_sign_in = (300..400).contains(&status) || status == 401 || status == 403;
            return Err(Trouble { error, is_about_sign_in });
        }
        for (name, keep) in &request.keep {
            let Some(value) = kept(&answer, keep, &submission.url) else {
                let place = match keep {
                    Keep::Field(field) => format!("no form with the field {field:?}"),
                    Keep::Header(header) => format!("no header {header:?}"),
                    Keep::Json(pointer) => format!("nothing at {pointer:?} of a JSON body"),
                };
                let error = came(
                    shown,
                    format!("was answered {status} with {place}, which `keep: {{ {name}: ... }}` wants"),
                );
                return Err(Trouble { error, is_about_sign_in: true });
            };
            state.kept.insert(name.clone(), value);
        }
        Ok(Submitted { sent, done, status: Some(status), page: None })
    }

    /// A request with its blanks filled, for this user.
    fn written(&self, request: &PageRequest, user: &User, kept: &BTreeMap<String, Secret>) -> Written {
        let blanks = self.ask.blanks(user, kept);
        let mut headers = HeaderMap::new();
        let json = request.json.as_ref().map(|json| json.fill(&blanks).to_string());
        if json.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &request.headers {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value.fill(&blanks).expose()))
            {
                headers.insert(name, value);
            }
        }
        let fields = request.form.as_ref().map(|fields| {
            let mut form = Serializer::new(String::new());
            for (name, value) in fields {
                form.append_pair(name, value.fill(&blanks).expose());
            }
            form.finish()
        });
        let line = request.lines().next().map(|(method, address)| (method, address.fill_address(&blanks)));
        Written { line, headers, body: json.or(fields) }
    }

    /// Notes a request as it may be read: with the user's password and all kept values blanked.
    fn note(
        &self,
        request: &PageRequest,
        sent: &Submission,
        answer: &Response<Bytes>,
        (from, to): (Instant, Instant),
        kept: &BTreeMap<String, Secret>,
    ) {
        let Some(trace) = self.ask.manner.trace else { return };
        let user = User {
            login: self.ask.user.login.clone(),
            password: Secret::new(self.ask.user.password.redacted()),
        };
        let kept = kept.iter().map(|(name, value)| (name.clone(), Secret::new(value.redacted()))).collect();
        let written = self.written(request, &user, &kept);
        let address = written.line.map(|(_, address)| address).unwrap_or_default();
        let url = self.base.join(&address).unwrap_or_else(|_| self.base.clone());
        let body = Bytes::from(written.body.unwrap_or_default());
        let Ok(mut shown) = Request::builder().method(&sent.method).uri(url.as_str()).body(body) else {
            return;
        };
        *shown.headers_mut() = written.headers;
        trace.keep(Fetched {
            request: shown,
            answer: Ok(answer.clone()),
            sent: from,
            done: to,
            page: None,
            open: Vec::new(),
            raw: true,
        });
    }
}

/// A request with its blanks filled.
struct Written {
    /// Method and address; nothing where the request has none.
    line: Option<(Method, String)>,
    headers: HeaderMap,
    body: Option<String>,
}

/// The value that is to be kept out of an answer.
fn kept(answer: &Response<Bytes>, keep: &Keep, url: &Url) -> Option<Secret> {
    let value = match keep {
        Keep::Field(name) => {
            let page = Document::read(&String::from_utf8_lossy(answer.body()), url);
            let mut fields = page.forms.iter().flat_map(|form| form.fields());
            fields.find(|field| field.name == *name)?.value.clone()
        }
        Keep::Header(name) => answer.headers().get(name)?.to_str().ok()?.to_owned(),
        Keep::Json(pointer) => {
            let json: serde_json::Value = serde_json::from_slice(answer.body()).ok()?;
            let value = json.pointer(pointer)?;
            value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
        }
    };
    Some(Secret::new(value))
}
