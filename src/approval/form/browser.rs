//! One user agent: cookies, redirects, the page it shows. Knows no recipe.

use bytes::Bytes;
use cookie_store::{CookieStore, RawCookie};
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERER, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::super::{PageError, Pages};
use super::fields::Submission;
use super::html::Document;

/// The most redirects from one page to the next.
const MOST_REDIRECTS: usize = 10;

/// A user agent with a cookie jar of its own.
pub(super) struct Browser<'a> {
    pages: &'a dyn Pages,
    /// What the target file adds to every request.
    headers: HeaderMap,
    jar: CookieStore,
    deadline: Instant,
}

/// A page that is shown.
pub(super) struct View {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) document: Document,
    /// Why it is the last although it redirects.
    pub(super) dead_end: Option<DeadEnd>,
}

/// Why a redirect is not followed.
pub(super) enum DeadEnd {
    /// It leads where no password may go.
    NotAllowed(Url),
    /// There were too many before it.
    TooMany,
}

/// Why the next page is not shown.
pub(super) enum Stop {
    Deadline,
    Failed(Url, PageError),
}

impl<'a> Browser<'a> {
    pub(super) fn new(pages: &'a dyn Pages, headers: HeaderMap, deadline: Instant) -> Self {
        Self { pages, headers, jar: CookieStore::default(), deadline }
    }

    /// The page that comes of a request, redirects followed; `from` is the page that led to it.
    pub(super) async fn go(&mut self, submission: Submission, from: Option<&Url>) -> Result<View, Stop> {
        let Submission { mut method, mut url, mut body } = submission;
        let mut answer = self.fetch(&method, &url, body.as_deref(), from).await?;
        for _ in 0..MOST_REDIRECTS {
            let Some(next) = redirect(&answer, &url) else { return Ok(View::new(url, &answer, None)) };
            if !keeps_method(answer.status()) && method != Method::GET {
                method = Method::GET;
                body = None;
            }
            match self.fetch(&method, &next, body.as_deref(), from).await {
                Err(Stop::Failed(_, PageError::NotAllowed)) => {
                    return Ok(View::new(url, &answer, Some(DeadEnd::NotAllowed(next))));
                }
                fetched => answer = fetched?,
            }
            url = next;
        }
        let dead_end = redirect(&answer, &url).map(|_| DeadEnd::TooMany);
        Ok(View::new(url, &answer, dead_end))
    }

    /// One request with its cookies; keeps those of the answer.
    async fn fetch(
        &mut self,
        method: &Method,
        url: &Url,
        body: Option<&str>,
        from: Option<&Url>,
    ) -> Result<Response<Bytes>, Stop> {
        let failed = |why: PageError| Stop::Failed(url.clone(), why);
        let mut target = url.clone();
        target.set_fragment(None);
        let mut request = Request::builder()
            .method(method)
            .uri(target.as_str())
            .body(body.map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.as_bytes())))
            .map_err(|error| failed(PageError::Unreachable(error.to_string())))?;
        *request.headers_mut() = self.request_headers(url, body.is_some(), from);
        let answer = timeout_at(self.deadline, self.pages.fetch(request))
            .await
            .map_err(|_| Stop::Deadline)?
            .map_err(failed)?;
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        let cookies = cookies.filter_map(|cookie| RawCookie::parse(cookie.to_str().ok()?.to_owned()).ok());
        self.jar.store_response_cookies(cookies, url);
        Ok(answer)
    }

    /// What a browser sends, and what the target file adds.
    fn request_headers(&self, url: &Url, posts: bool, from: Option<&Url>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("devgrant/", env!("CARGO_PKG_VERSION"), " (form driver)")),
        );
        if posts {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let put = |headers: &mut HeaderMap, name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        if let Some(from) = from {
            let origin = from.origin().ascii_serialization();
            if posts {
                put(&mut headers, ORIGIN, &origin);
            }
            let mut whole = from.clone();
            whole.set_fragment(None);
            let same = from.origin() == url.origin();
            put(&mut headers, REFERER, if same { whole.as_str() } else { &origin });
        }
        if let Some(cookies) = self.cookies(url) {
            headers.insert(COOKIE, cookies);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        headers
    }

    /// The cookies for an address, those with longer paths first (RFC 6265 §5.4).
    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let mut cookies = self.jar.matches(url);
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        let mut header = HeaderValue::from_str(&pairs.join("; ")).ok().filter(|_| !pairs.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl View {
    fn new(url: Url, answer: &Response<Bytes>, dead_end: Option<DeadEnd>) -> Self {
        let document = Document::read(&String::from_utf8_lossy(answer.body()), &url);
        Self { url, status: answer.status().as_u16(), document, dead_end }
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
