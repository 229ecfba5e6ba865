//! The way to the target: every exchange of the run goes through here, is numbered, kept and told as an event.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::time::Instant;

use super::carried::Carried;
use super::pages;
use crate::approval::Fetched;
use crate::compose::{At, Composed};
use crate::event::{Event, ShownExchange, Waiting};
use crate::exchange::{Answer, Asked, Exchange, NoAnswer};
use crate::http::{Sent, Transport};
use crate::outcome::Outcome;
use crate::protocol::{Endpoint, Role};
use crate::redact;
use crate::target::{ExtraHeaders, ExtraParams, Target};

/// Members of answers that nobody may read in a record.
const SECRET_MEMBERS: [&str; 4] = ["device_code", "access_token", "refresh_token", "id_token"];

/// How long a limiter is waited out when it does not say how long.
const LIMITED_WAIT: Duration = Duration::from_secs(5);

/// The longest that a limiter's Retry-After is obeyed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(120);

/// How often a `slow_down` is obeyed, or a limiter waited out, before the answer counts as not to be had.
pub(super) const PATIENCE: u32 = 3;

/// The way to the target.
pub struct Link {
    transport: Arc<dyn Transport>,
    jobs: Arc<Semaphore>,
    /// How many there may be in flight.
    most: usize,
    events: mpsc::Sender<Event>,
    /// Whether it tells of what happens on the way to the verdicts.
    tells_the_way: bool,
    start: Instant,
    counter: AtomicU32,
    archive: Mutex<Vec<Arc<Exchange>>>,
    secrets: Mutex<redact::Known>,
    /// What the target adds to every request.
    params: BTreeMap<Endpoint, ExtraParams>,
    headers: ExtraHeaders,
}

/// Who asks what, for the archive.
#[derive(Clone, Copy)]
pub(super) struct Label<'a> {
    /// The case's name.
    pub(super) case: &'a str,
    /// Which endpoint.
    pub(super) endpoint: Endpoint,
    /// Which client.
    pub(super) client: Role,
    /// From when on a poll keeps the session's pace; none for what is no poll.
    pub(super) on_pace_from: Option<Duration>,
}

impl Link {
    /// A way for at most `jobs` requests in flight; `events` hears of everything.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        jobs: Arc<Semaphore>,
        events: mpsc::Sender<Event>,
        target: &Target,
    ) -> Self {
        let mut secrets = redact::Known::default();
        for secret in target.clients.values().filter_map(|client| client.secret.as_ref()) {
            secrets.add(secret.expose());
        }
        for secret in target.headers.secrets() {
            secrets.add(secret.expose());
        }
        for user in target.users.values() {
            secrets.add(user.password.expose());
        }
        Self {
            transport,
            most: jobs.available_permits(),
            jobs,
            events,
            tells_the_way: true,
            start: Instant::now(),
            counter: AtomicU32::new(0),
            archive: Mutex::default(),
            secrets: Mutex::new(secrets),
            params: target.params.clone(),
            headers: target.headers.clone(),
        }
    }

    /// A way for one request at a time of which nobody hears: it asks what must be known before anything is judged.
    #[must_use]
    pub fn unheard(transport: Arc<dyn Transport>, target: &Target) -> Self {
        let (events, _) = mpsc::channel(1);
        Self::new(transport, Arc::new(Semaphore::new(1)), events, target)
    }

    /// The same where an earlier run ended: its numbers and its clock go on.
    pub(super) fn going_on(self, carried: &Carried) -> Self {
        self.counter.fetch_max(carried.last_number(), Ordering::Relaxed);
        let start = self.start.checked_sub(carried.took).unwrap_or(self.start);
        Self { start, ..self }
    }

    /// The same for who reads verdicts alone: it tells of no exchange and of no waiting, which takes making them fit to
    /// be shown. What is judged is the same.
    #[must_use]
    pub(crate) fn telling_verdicts_alone(self) -> Self {
        Self { tells_the_way: false, ..self }
    }

    /// An endpoint of the target, with what its file adds to every request there.
    pub(super) fn at<'a>(&'a self, endpoint: Endpoint, url: &'a str) -> At<'a> {
        At::with(endpoint, url, &self.params, &self.headers)
    }

    /// Connections of its own, for one case.
    pub(super) fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer> {
        self.transport.fresh()
    }

    /// The connections of the preflight.
    pub(super) fn shared(&self) -> &dyn Transport {
        &*self.transport
    }

    /// Since the run's start.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.since_start(Instant::now())
    }

    /// An instant as the time since the run's start.
    pub(super) fn since_start(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.start)
    }

    /// The instant of a time since the run's start.
    pub(super) fn instant(&self, since_start: Duration) -> Instant {
        self.start.checked_add(since_start).unwrap_or_else(|| self.start + Duration::from_secs(86_400 * 365))
    }

    /// Sleeps until a time since the run's start, and says what for.
    pub(super) async fn wait_until(&self, case: &str, until: Duration, what: &str) {
        if until > self.now() {
            self.tell_waiting(case, what, until).await;
            tokio::time::sleep_until(self.instant(until)).await;
        }
    }

    /// Tells that a case waits, until when since the run's start, and what for.
    pub(super) async fn tell_waiting(&self, case: &str, what: &str, until: Duration) {
        if self.tells_the_way {
            let (case, what) = (case.to_owned(), what.to_owned());
            self.tell(Event::Waiting(Waiting { case, what, until_ms: milliseconds(until) })).await;
        }
    }

    /// Waits as long as a limiter says, within bounds.
    pub(super) async fn wait_out(&self, case: &str, exchange: &Exchange) {
        let told = exchange.answer.as_ref().ok().and_then(Answer::retry_after);
        let wait = told.unwrap_or(LIMITED_WAIT).min(LONGEST_RETRY_AFTER);
        self.wait_until(case, exchange.done + wait, "a rate limit").await;
    }

    /// Tells an event. Nobody listening is fine: a run may be played for its result alone.
    pub async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Sends one request and keeps what came of it.
    pub(super) async fn exchange(
        &self,
        by: &dyn Transport,
        label: Label<'_>,
        composed: Composed,
    ) -> Arc<Exchange> {
        self.exchange_in(None, by, label, composed).await
    }

    /// The same in a place that is held for it, if there is one.
    pub(super) async fn exchange_in(
        &self,
        place: Option<SemaphorePermit<'_>>,
        by: &dyn Transport,
        label: Label<'_>,
        composed: Composed,
    ) -> Arc<Exchange> {
        let sent = {
            // The semaphore is never closed; were it, one request too many would be in flight, no more.
            let _place = match place {
                Some(place) => Some(place),
                None => self.jobs.acquire().await.ok(),
            };
            by.send(&composed).await
        };
        self.keep(label, composed, sent).await
    }

    /// So many places among the requests in flight, or as many as there are, for what is going to happen at one moment:
    /// whoever waits for a place then comes too late. Each is given back with its own answer, because what happens
    /// beside it may wait for a place, too.
    pub(super) async fn places(&self, wanted: usize) -> Vec<SemaphorePermit<'_>> {
        let wanted = u32::try_from(wanted.min(self.most)).unwrap_or(u32::MAX);
        let mut held = self.jobs.acquire_many(wanted).await.ok();
        std::iter::from_fn(|| held.as_mut()?.split(1)).collect()
    }

    /// Sends one request and keeps what came of it; a limiter is waited out, a few times.
    pub(super) async fn exchange_patiently(
        &self,
        by: &dyn Transport,
        label: Label<'_>,
        composed: Composed,
    ) -> Arc<Exchange> {
        let mut tries = 0;
        loop {
            let exchange = self.exchange(by, label, composed.clone()).await;
            if exchange.outcome() != Outcome::Limited || tries == PATIENCE {
                return exchange;
            }
            self.wait_out(label.case, &exchange).await;
            tries += 1;
        }
    }

    /// Sends all of them at the same moment.
    pub(super) async fn race(
        &self,
        by: &dyn Transport,
        label: Label<'_>,
        composed: Vec<Composed>,
    ) -> Vec<Arc<Exchange>> {
        let sent = {
            let _permit = self.jobs.acquire().await;
            by.race(&composed).await
        };
        let mut kept = Vec::with_capacity(sent.len());
        for (composed, sent) in composed.into_iter().zip(sent) {
            kept.push(self.keep(label, composed, sent).await);
        }
        kept
    }

    async fn keep(&self, label: Label<'_>, mut composed: Composed, sent: Sent) -> Arc<Exchange> {
        let sent_at = self.since_start(sent.sent);
        composed.manner.kept_pace = label.on_pace_from.is_some_and(|from| sent_at >= from);
        let asked = Asked {
            endpoint: label.endpoint,
            method: composed.method,
            url: composed.url,
            headers: composed.headers,
            body: composed.body,
            client: label.client,
            manner: composed.manner,
        };
        let number = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let exchange =
            Arc::new(Exchange::new(number, asked, sent.answer, sent_at, self.since_start(sent.done)));
        let shown = {
            let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(members) = exchange.members() {
                for name in SECRET_MEMBERS {
                    if let Some(secret) = members.get(name).and_then(serde_json::Value::as_str) {
                        secrets.add(secret);
                    }
                }
            }
            self.tells_the_way.then(|| show(&exchange, label.case, &secrets))
        };
        self.keep_shown(exchange, shown).await
    }

    /// Keeps what the approval driver asked for and saw; `user_code` is what its request may show.
    pub(super) async fn keep_page(
        &self,
        case: &str,
        client: Role,
        user_code: &str,
        fetched: Fetched,
    ) -> Arc<Exchange> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        let times = (self.since_start(fetched.sent), self.since_start(fetched.done));
        let exchange = Arc::new(pages::exchange(number, client, times, &fetched));
        let shown = {
            let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            self.tells_the_way.then(|| pages::show(&exchange, case, user_code, &fetched.open, &secrets))
        };
        self.keep_shown(exchange, shown).await
    }

    /// Puts an exchange into the archive, and tells it as it may be read.
    async fn keep_shown(&self, exchange: Arc<Exchange>, shown: Option<ShownExchange>) -> Arc<Exchange> {
        self.archive.lock().unwrap_or_else(PoisonError::into_inner).push(exchange.clone());
        if let Some(shown) = shown {
            self.tell(Event::Exchanged(Box::new(shown))).await;
        }
        exchange
    }

    /// Every exchange so far, in order.
    pub(super) fn archive(&self) -> Vec<Arc<Exchange>> {
        self.archive.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A text without any secret of the run.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).scrub(text)
    }
}

/// Milliseconds with microseconds behind the point.
pub(super) fn milliseconds(length: Duration) -> f64 {
    (length.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

/// The exchange as it may be read.
fn show(exchange: &Exchange, case: &str, secrets: &redact::Known) -> ShownExchange {
    let asked = &exchange.asked;
    let content_type = |headers: &[(String, String)]| {
        headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.clone())
    };
    let scrubbed = |headers: Vec<(String, String)>| {
        headers.into_iter().map(|(name, value)| (name, secrets.scrub(&value))).collect()
    };
    let answer = exchange.answer.as_ref();
    ShownExchange {
        number: exchange.number,
        case: case.to_owned(),
        endpoint: asked.endpoint,
        method: asked.method.clone(),
        url: secrets.scrub(&redact::url(&asked.url)),
        request_headers: scrubbed(redact::headers(&asked.headers)),
        request_body: secrets.scrub(&redact::body(&asked.body, content_type(&asked.headers).as_deref())),
        status: answer.ok().map(|answer| answer.status),
        response_headers: answer
            .map_or_else(|_| Vec::new(), |answer| scrubbed(redact::headers(&answer.headers))),
        response_body: answer.map_or_else(
            |_| String::new(),
            |answer| secrets.scrub(&redact::body(&answer.body, content_type(&answer.headers).as_deref())),
        ),
        no_answer: answer.err().map(ToString::to_string),
        outcome: exchange.outcome(),
        sent_ms: milliseconds(exchange.sent),
        done_ms: milliseconds(exchange.done),
    }
}
