//! One window of a browser: goes to an address, types and clicks, and tells what it shows.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::common::command::{Command, ExtensionCommand};
use thirtyfour::error::{WebDriverError, WebDriverErrorInner, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use thirtyfour::{Capabilities, WebDriver, WebElement, WindowHandle};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::network::{Line, Network};
use super::service::Service;
use super::{Bounds, Cookie, scripts};
use crate::approval::agent::Stop;
use crate::approval::page::{Control, Document, Form, Kind, Origin, View};
use crate::approval::{Fetched, PageError, Pages, may_take_passwords};
use crate::machine::limits;

/// How long a page may take until there is something to do at it, once it is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a page is looked at while it changes.
const LOOK: Duration = Duration::from_millis(60);

/// The key Enter, as WebDriver writes it (W3C WebDriver §17.4.2).
const ENTER: &str = "\u{e007}";

/// One window, or another tab of it.
#[derive(Clone)]
pub(in crate::approval) struct Window {
    session: Arc<Session>,
    handle: WindowHandle,
}

/// A browser with a profile of its own. Closed when the last of its windows is dropped.
struct Session {
    /// There until it is dropped.
    driver: Option<WebDriver>,
    service: Arc<Service>,
    /// Held while one of its windows is worked in: commands go to one at a time.
    network: Mutex<Network>,
}

/// What a window shows at an instant.
#[derive(Clone, PartialEq, Deserialize)]
struct Snapshot {
    url: String,
    /// When its document began, in milliseconds of the browser's clock.
    born: f64,
    /// `complete` once it is loaded.
    state: String,
    html: String,
}

impl Window {
    /// A new browser.
    pub(super) async fn open(service: Arc<Service>, pages: Arc<dyn Pages>) -> Result<Self, Stop> {
        let driver = WebDriver::builder(service.url().as_str(), capabilities()).client(Commands(pages)).await;
        let driver = driver.map_err(|error| {
            Stop::Browser(format!(
                "no window opens ({}); does chromium start by itself, and has it the version of its chromedriver?",
                first_line(&error)
            ))
        })?;
        let session = Session { driver: Some(driver), service, network: Mutex::default() };
        let handle = session.driver()?.window().await.map_err(|error| broken(&error))?;
        Ok(Self { session: Arc::new(session), handle })
    }

    /// Another tab of the same browser.
    pub(in crate::approval) async fn another(&self, bounds: Bounds<'_>) -> Result<Self, Stop> {
        let _network = self.front(bounds).await?;
        let handle = within(bounds, self.session.driver()?.new_tab()).await?;
        Ok(Self { session: Arc::clone(&self.session), handle })
    }

    /// All cookies of its browser.
    pub(in crate::approval) async fn cookies(&self, bounds: Bounds<'_>) -> Result<Vec<Cookie>, Stop> {
        let mut told = self.devtools(bounds, "Network.getAllCookies", json!({})).await?;
        Ok(told["cookies"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// A command to the browser's own tools.
    pub(super) async fn devtools(&self, bounds: Bounds<'_>, cmd: &str, params: Value) -> Result<Value, Stop> {
        let _network = self.front(bounds).await?;
        let endpoint = "/goog/cdp/execute";
        within(bounds, self.session.command(endpoint, json!({ "cmd": cmd, "params": params }))).await
    }

    /// Goes to an address, and waits for the page.
    pub(in crate::approval) async fn go(
        &self,
        bounds: Bounds<'_>,
        url: &Url,
        ready: &(dyn Fn(&Document) -> bool + Sync),
    ) -> Result<View, Stop> {
        if !may_take_passwords(url) {
            return Err(Stop::Failed(url.clone(), PageError::NotAllowed));
        }
        let mut network = self.front(bounds).await?;
        let before = within(bounds, self.read()).await?;
        let sent = Instant::now();
        within(bounds, self.session.driver()?.goto(url.as_str())).await?;
        let page = self.settled(bounds, &mut network, &before, ready).await?;
        self.shown(bounds, &mut network, page, sent, url, 0)
    }

    /// Fills in the form of a page and presses its button; tells when that was, and what came.
    pub(in crate::approval) async fn press(
        &self,
        bounds: Bounds<'_>,
        view: &View,
        form: &Form,
        pressed: Option<usize>,
        ready: &(dyn Fn(&Document) -> bool + Sync),
    ) -> Result<(Instant, View), Stop> {
        for url in [&view.url, &form.action] {
            if !may_take_passwords(url) {
                return Err(Stop::Failed(url.clone(), PageError::NotAllowed));
            }
        }
        let mut network = self.front(bounds).await?;
        let shown = |control: &Control| {
            let all = view.document.forms.iter().flat_map(|form| &form.controls);
            all.into_iter().find(|other| other.mark == control.mark)
        };
        for control in &form.controls {
            let same = |is: &Control| is.value == control.value && is.kind == control.kind;
            if !shown(control).is_some_and(same) {
                self.fill(bounds, control).await?;
            }
        }
        let before = within(bounds, self.read()).await?;
        within(bounds, self.listen(&mut network)).await?;
        let sent = Instant::now();
        match pressed.and_then(|index| form.controls.get(index)) {
            Some(button) => {
                let button = self.control(bounds, button).await?;
                self.click(bounds, &button).await?;
            }
            None => self.send(bounds, form).await?,
        }
        let page = self.settled(bounds, &mut network, &before, ready).await?;
        let view = self.shown(bounds, &mut network, page, sent, &view.url, view.status)?;
        Ok((sent, view))
    }

    /// Changes a field as its user would.
    async fn fill(&self, bounds: Bounds<'_>, control: &Control) -> Result<(), Stop> {
        let element = self.control(bounds, control).await?;
        match &control.kind {
            Kind::Button { .. } => Ok(()),
            Kind::Checkbox { .. } | Kind::Radio { checked: true } => {
                self.script::<Value>(bounds, scripts::CLICK, vec![json(&element)?]).await.map(drop)
            }
            // Another one of its name is clicked.
            Kind::Radio { checked: false } => Ok(()),
            Kind::Hidden => {
                let args = vec![json(&element)?, json!([control.value])];
                self.script::<Value>(bounds, scripts::SET, args).await.map(drop)
            }
            Kind::Select { chosen, .. } => {
                let args = vec![json(&element)?, json!(chosen)];
                self.script::<Value>(bounds, scripts::SET, args).await.map(drop)
            }
            Kind::Password | Kind::Text => {
                within(bounds, element.clear()).await?;
                within(bounds, element.send_keys(control.value.as_str())).await
            }
        }
    }

    /// Clicks, also at what the mouse cannot reach.
    async fn click(&self, bounds: Bounds<'_>, element: &WebElement) -> Result<(), Stop> {
        let clicked = timeout_at(bounds.deadline, element.click()).await.map_err(|_| Stop::Deadline)?;
        match clicked {
            Err(error)
                if matches!(
                    &*error,
                    WebDriverErrorInner::ElementClickIntercepted(_)
                        | WebDriverErrorInner::ElementNotInteractable(_)
                ) =>
            {
                self.script::<Value>(bounds, scripts::CLICK, vec![json(element)?]).await.map(drop)
            }
            clicked => clicked.map_err(|error| broken(&error)),
        }
    }

    /// Sends a form that has no button: by Enter in its last text, or by itself.
    async fn send(&self, bounds: Bounds<'_>, form: &Form) -> Result<(), Stop> {
        let text = form.controls.iter().rev().find(|control| matches!(control.kind, Kind::Text));
        let Some(control) = text.or_else(|| form.controls.first()) else { return Ok(()) };
        let element = self.control(bounds, control).await?;
        if text.is_some() {
            return within(bounds, element.send_keys(ENTER)).await;
        }
        self.script::<Value>(bounds, scripts::SEND, vec![json(&element)?]).await.map(drop)
    }

    /// The element of a control.
    async fn control(&self, bounds: Bounds<'_>, control: &Control) -> Result<WebElement, Stop> {
        let driver = self.session.driver()?;
        let found = within(bounds, driver.execute(scripts::CONTROL, vec![json!(control.mark)])).await?;
        found.element().map_err(|_| {
            Stop::Browser(format!(
                "the page changed while it was filled in, and {:?} is gone; does a step fit before the page is ready?",
                control.name
            ))
        })
    }

    async fn script<T: DeserializeOwned>(
        &self,
        bounds: Bounds<'_>,
        script: &str,
        args: Vec<Value>,
    ) -> Result<T, Stop> {
        let told = within(bounds, self.session.driver()?.execute(script, args)).await?;
        told.convert().map_err(|error| broken(&error))
    }

    /// Brings it to the front, and keeps the other tabs of its browser back until the guard is dropped.
    async fn front(&self, bounds: Bounds<'_>) -> Result<MutexGuard<'_, Network>, Stop> {
        let network =
            timeout_at(bounds.deadline, self.session.network.lock()).await.map_err(|_| Stop::Deadline)?;
        within(bounds, self.session.driver()?.switch_to_window(self.handle.clone())).await?;
        Ok(network)
    }

    async fn read(&self) -> WebDriverResult<Snapshot> {
        let driver = self.session.driver().map_err(|_| no_session())?;
        driver.execute(scripts::READ, Vec::new()).await?.convert()
    }

    async fn listen(&self, network: &mut Network) -> WebDriverResult<()> {
        let lines: Vec<Line> = self.session.command("/se/log", json!({ "type": "performance" })).await?;
        network.hear(&lines);
        Ok(())
    }

    /// Waits until the page is another one, nothing is on its way, it stands still, and is ready; or does not become so.
    async fn settled(
        &self,
        bounds: Bounds<'_>,
        network: &mut Network,
        before: &Snapshot,
        ready: &(dyn Fn(&Document) -> bool + Sync),
    ) -> Result<Snapshot, Stop> {
        let mut until = Instant::now() + PATIENCE;
        let mut last: Option<Snapshot> = None;
        loop {
            sleep(LOOK).await;
            within(bounds, self.listen(network)).await?;
            // Between two documents there is none to be read.
            let read = timeout_at(bounds.deadline, self.read()).await.map_err(|_| Stop::Deadline)?;
            let now = read.ok();
            let changed = network.has_answers() || now.as_ref().is_some_and(|now| now != before);
            let loaded = now.as_ref().is_some_and(|now| now.state == "complete");
            if network.is_busy() && !loaded {
                // It is the server that is waited for, and that as long as there is time.
                until = Instant::now() + PATIENCE;
            }
            let stands = loaded && now == last && !network.is_busy();
            if let Some(page) = now.as_ref().filter(|_| changed && stands)
                && (ready(&document(page)?) || network.failure(&self.handle.to_string()).is_some())
            {
                return Ok(page.clone());
            }
            if Instant::now() > until
                && let Some(page) = now
            {
                return Ok(page);
            }
            last = now;
        }
    }

    /// What it shows; every page on the way is noted.
    fn shown(
        &self,
        bounds: Bounds<'_>,
        network: &mut Network,
        page: Snapshot,
        sent: Instant,
        to: &Url,
        before: u16,
    ) -> Result<View, Stop> {
        let frame = self.handle.to_string();
        let status = network.status(&frame).unwrap_or(before);
        let failure = network.failure(&frame).map(ToOwned::to_owned);
        let document = document(&page)?;
        let fetches = network.pages(&frame);
        let last = fetches.len().saturating_sub(1);
        for (index, fetch) in fetches.into_iter().enumerate() {
            let Some(trace) = bounds.trace else { break };
            let answer = fetch.answer.map(|mut answer| {
                if index == last {
                    *answer.body_mut() = Bytes::from(page.html.clone());
                }
                answer
            });
            trace.keep(Fetched {
                request: fetch.request,
                answer: answer.map_err(PageError::Unreachable),
                sent,
                done: Instant::now(),
                page: None,
                open: Vec::new(),
                raw: false,
            });
        }
        if let Some(why) = failure {
            return Err(Stop::Failed(to.clone(), PageError::Unreachable(why)));
        }
        let url = address(&page)?;
        Ok(View { url, status, document, dead_end: None })
    }
}

impl Session {
    fn driver(&self) -> Result<&WebDriver, Stop> {
        self.driver.as_ref().ok_or_else(|| broken(&no_session()))
    }

    /// A command that only a ChromeDriver knows.
    async fn command<T: DeserializeOwned>(&self, endpoint: &'static str, body: Value) -> WebDriverResult<T> {
        let driver = self.driver.as_ref().ok_or_else(no_session)?;
        driver.cmd(Command::ExtensionCommand(Box::new(Vendor { endpoint, body }))).await?.value()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            self.service.close(driver.session_id().to_string());
            // Closed already by somebody else is as good.
            let _ = driver.leak();
        }
    }
}

fn no_session() -> WebDriverError {
    WebDriverError::from(WebDriverErrorInner::RequestFailed("the window is closed".to_owned()))
}

/// The outcome of a command, by the deadline.
async fn within<T>(bounds: Bounds<'_>, doing: impl Future<Output = WebDriverResult<T>>) -> Result<T, Stop> {
    timeout_at(bounds.deadline, doing).await.map_err(|_| Stop::Deadline)?.map_err(|error| broken(&error))
}

fn broken(error: &WebDriverError) -> Stop {
    Stop::Browser(format!("{}; is it still there, and the page in order?", first_line(error)))
}

/// Behind the first line a ChromeDriver shows its stack.
fn first_line(error: &WebDriverError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn json(element: &WebElement) -> Result<Value, Stop> {
    element.to_json().map_err(|error| broken(&error))
}

fn address(page: &Snapshot) -> Result<Url, Stop> {
    Url::parse(&page.url)
        .map_err(|error| Stop::Browser(format!("it shows {:?}, no address ({error})", page.url)))
}

fn document(page: &Snapshot) -> Result<Document, Stop> {
    Ok(Document::from(&page.html, &address(page)?, Origin::Browser))
}

/// A Chromium that shows itself to nobody, tells of its requests, and hands out pages before they are loaded.
fn capabilities() -> Capabilities {
    let mut args = vec![
        "--headless=new",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        "--no-default-browser-check",
        "--no-first-run",
        "--no-proxy-server",
    ];
    if limits::is_root() {
        // Chromium's sandbox refuses root.
        args.push("--no-sandbox");
    }
    let wanted = json!({
        "browserName": "chrome",
        "pageLoadStrategy": "none",
        "goog:chromeOptions": { "args": args },
        "goog:loggingPrefs": { "performance": "ALL" },
    });
    let Value::Object(wanted) = wanted else { return Capabilities::new() };
    Capabilities::from(wanted)
}

/// A command of one vendor.
#[derive(Debug)]
struct Vendor {
    endpoint: &'static str,
    body: Value,
}

impl ExtensionCommand for Vendor {
    fn parameters_json(&self) -> Option<Value> {
        Some(self.body.clone())
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        self.endpoint.into()
    }
}

/// Sends commands through our pages.
#[derive(Clone)]
struct Commands(Arc<dyn Pages>);

impl HttpClient for Commands {
    fn send<'life0, 'life1, 'async_trait>(
        &'life0 self,
        request: Request<Body<'life1>>,
    ) -> Pin<Box<dyn Future<Output = WebDriverResult<Response<Bytes>>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        let request = request.map(|body| match body {
            Body::Empty => Bytes::new(),
            Body::Json(json) => Bytes::from(json.to_string()),
        });
        let failed = |error: PageError| WebDriverErrorInner::RequestFailed(error.to_string()).into();
        Box::pin(async move { self.0.fetch(request).await.map_err(failed) })
    }

    fn new<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Arc<dyn HttpClient>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let again: Arc<dyn HttpClient> = Arc::new(self.clone());
        Box::pin(std::future::ready(again))
    }
}
