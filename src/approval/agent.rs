//! One user agent: cookies, redirects, the page it shows. Knows no recipe.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cookie_store::{CookieStore, RawCookie};
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERER, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::page::{DeadEnd, Submission, View};
use super::{Fetched, PageError, Pages, Trace};

/// The most redirects from one page to the next.
const MOST_REDIRECTS: usize = 10;

/// The page of another site that forged requests seem to come from.
const ELSEWHERE: &str = "https://elsewhere.example";

/// The cookies of one user agent; its tabs share them.
#[derive(Clone, Default)]
pub(super) struct Jar(Arc<Mutex<CookieStore>>);

impl Jar {
    /// The same cookies, on their own from now on.
    pub(super) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())))
    }
}

/// A user agent.
pub(super) struct Agent<'a> {
    pages: &'a dyn Pages,
    /// What the target file adds to every request.
    headers: HeaderMap,
    jar: Jar,
    deadline: Instant,
    trace: Option<&'a Trace>,
}

/// How a request goes otherwise than that of a user at a page.
#[derive(Clone, Default)]
pub(super) struct Oddity {
    /// It comes from a page of another site.
    pub(super) foreign: bool,
    /// Which cookies go along.
    pub(super) cookies: Cookies,
    /// Headers of the first request.
    pub(super) headers: HeaderMap,
    /// It is noted as one that no browser sends.
    pub(super) raw: bool,
}

/// Which cookies go along with a request.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cookies {
    /// Those that a browser sends.
    #[default]
    Usual,
    /// All, whatever their SameSite.
    All,
    /// None.
    None,
}

/// Why the next page is not shown.
pub(super) enum Stop {
    /// The browser does not do what it is told; why, and what to do.
    Browser(String),
    Deadline,
    Failed(Url, PageError),
}

impl<'a> Agent<'a> {
    pub(super) fn new(
        pages: &'a dyn Pages,
        headers: HeaderMap,
        jar: Jar,
        deadline: Instant,
        trace: Option<&'a Trace>,
    ) -> Self {
        Self { pages, headers, jar, deadline, trace }
    }

    /// The answer to one request, whatever it is; a redirect is not followed.
    pub(super) async fn ask(
        &self,
        submission: &Submission,
        from: Option<&Url>,
        oddity: &Oddity,
    ) -> Result<Response<Bytes>, Stop> {
        let Submission { method, url, body, open } = submission;
        self.fetch(method, url, body.as_deref(), from, open, oddity).await
    }

    /// The cookies, for another tab.
    pub(super) fn jar(&self) -> Jar {
        self.jar.clone()
    }

    /// The page that comes of a request, redirects followed; `from` is the page that led to it.
    pub(super) async fn go(
        &self,
        submission: Submission,
        from: Option<&Url>,
        oddity: &Oddity,
    ) -> Result<View, Stop> {
        let Submission { mut method, mut url, mut body, open } = submission;
        let mut answer = self.fetch(&method, &url, body.as_deref(), from, &open, oddity).await?;
        let behind = Oddity { headers: HeaderMap::new(), ..oddity.clone() };
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = redirect(&answer, &url) else { return Ok(View::of(url, &answer, None)) };
            if !keeps_method(answer.status()) && method == Method::POST {
                method = Method::GET;
                body = None;
            }
            match self.fetch(&method, &next, body.as_deref(), from, &open, &behind).await {
                Err(Stop::Failed(_, PageError::NotAllowed)) => {
                    return Ok(View::of(url, &answer, Some(DeadEnd::NotAllowed(next))));
                }
                fetched => answer = fetched?,
            }
            url = next;
        }
        let dead_end = redirect(&answer, &url).map(|_| DeadEnd::TooMany);
        Ok(View::of(url, &answer, dead_end))
    }

    /// One request with its cookies; keeps those of the answer.
    async fn fetch(
        &self,
        method: &Method,
        url: &Url,
        body: Option<&str>,
        from: Option<&Url>,
        open: &[String],
        oddity: &Oddity,
    ) -> Result<Response<Bytes>, Stop> {
        let failed = |why: PageError| Stop::Failed(url.clone(), why);
        let mut target = url.clone();
        target.set_fragment(None);
        let mut request = Request::builder()
            .method(method)
            .uri(target.as_str())
            .body(body.map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.as_bytes())))
            .map_err(|error| failed(PageError::Unreachable(error.to_string())))?;
        *request.headers_mut() = self.request_headers(url, method, body.is_some(), from, oddity);
        let sent = Instant::now();
        let noted = self.trace.map(|trace| (trace, request.clone()));
        let answer =
            timeout_at(self.deadline, self.pages.fetch(request)).await.map_err(|_| Stop::Deadline)?;
        // What may not be opened was never sent.
        if let Some((trace, request)) = noted.filter(|_| !matches!(answer, Err(PageError::NotAllowed))) {
            let (answer, done, open) = (answer.clone(), Instant::now(), open.to_vec());
            trace.keep(Fetched { request, answer, sent, done, page: None, open, raw: oddity.raw });
        }
        let answer = answer.map_err(failed)?;
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|cookie| RawCookie::parse(cookie.to_str().ok()?.to_owned()).ok());
        self.jar.0.lock().unwrap_or_else(PoisonError::into_inner).store_response_cookies(cookies, url);
        Ok(answer)
    }

    /// What a browser sends, and what the target file adds.
    fn request_headers(
        &self,
        url: &Url,
        method: &Method,
        posts: bool,
        from: Option<&Url>,
        oddity: &Oddity,
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("devgrant/", env!("CARGO_PKG_VERSION"), " (approval driver)")),
        );
        if posts {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let put = |headers: &mut HeaderMap, name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if oddity.foreign {
            if posts {
                put(&mut headers, ORIGIN, ELSEWHERE);
            }
            put(&mut headers, REFERER, ELSEWHERE);
        } else if let Some(from) = from {
            let origin = from.origin().ascii_serialization();
            if posts {
                put(&mut headers, ORIGIN, &origin);
            }
            let mut whole = from.clone();
            whole.set_fragment(None);
            let same = from.origin() == url.origin();
            put(&mut headers, REFERER, if same { whole.as_str() } else { &origin });
        }
        if let Some(cookies) = self.cookies(url, method, oddity) {
            headers.insert(COOKIE, cookies);
        }
        for (name, value) in self.headers.iter().chain(&oddity.headers) {
            headers.insert(name, value.clone());
        }
        headers
    }

    /// The cookies for an address, those with longer paths first (RFC 6265 §5.4).
    fn cookies(&self, url: &Url, method: &Method, oddity: &Oddity) -> Option<HeaderValue> {
        let jar = self.jar.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cookies = jar.matches(url);
        cookies.retain(|cookie| match oddity.cookies {
            Cookies::All => true,
            Cookies::None => false,
            Cookies::Usual => !oddity.foreign || goes_abroad(cookie, method),
        });
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        let mut header = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|_| !pairs.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Whether a cookie goes along with a request that another site's page makes the browser send. A cookie that says
/// nothing of SameSite does: not every browser takes that for `Lax`.
fn goes_abroad(cookie: &RawCookie<'_>, method: &Method) -> bool {
    match cookie.same_site() {
        None => true,
        Some(rule) if rule.is_none() => true,
        Some(rule) => rule.is_lax() && *method == Method::GET,
    }
}

/// Where an answer redirects to.
fn redirect(answer: &Response<Bytes>, url: &Url) -> Option<Url> {
    matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308)
        .then(|| url.join(answer.headers().get(LOCATION)?.to_str().ok()?).ok())
        .flatten()
}

/// Whether the redirect sends the form again; browsers turn a POST into a GET at the others (RFC 9110 §15.4).
fn keeps_method(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}
