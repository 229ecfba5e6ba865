//! The suites in the tests of a server that is written in Rust: in process, without a socket, and in virtual time, so
//! that expiry and intervals take no time.
//!
//! ```ignore
//! #[tokio::test(start_paused = true)]
//! async fn it_keeps_the_rules() {
//!     let server = MyServer::new();
//!     let target = Target::at("http://127.0.0.1:3000")
//!         .with_endpoints(Endpoints::at("/device_authorization", "/token"))
//!         .with_client(Role::Tv, Client::public("tv"));
//!     let judged = devgrant::judge(server.router(), target)
//!         .decide(move |wish| {
//!             let server = server.clone();
//!             async move { server.decide(&wish.user_code, wish.decision == Decision::Approve) }
//!         })
//!         .await
//!         .unwrap();
//!     judged.assert_green();
//! }
//! ```
//!
//! `examples/own_server.rs` is a whole server with such a test, `docs/guide/your-own-tests.md` says the rest. The crate
//! that tests needs tokio with its feature `test-util`.

mod judged;

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use tokio::sync::{Semaphore, mpsc};
use tower::Service;

use crate::approval::{Answer, Closure, Driver, Errand, Pages, Prompt, driver};
use crate::catalog::{Catalog, Selection};
use crate::clock;
use crate::diagnostic::{Diagnostic, Mistakes};
use crate::event::Event;
use crate::http::{InProcess, Transport};
use crate::known::{KnownFailure, KnownFailures};
use crate::plan::{Destructive, Limits};
use crate::record::RunRecord;
use crate::runner::{Link, Options, Wanted, prepare};
use crate::target::Approval;
use crate::yaml::Source;

pub use judged::Judged;

// What a test says to it, in one place.
pub use crate::approval::Wish;
pub use crate::protocol::{Capability, Role, UserRole};
pub use crate::runner::Trouble;
pub use crate::target::{Client, Decision, Endpoints, Target, User};
pub use crate::timing::Constant;
pub use crate::verdict::Verdict;

/// So many requests are on their way at once.
const JOBS: usize = 64;

/// Judges a server in this process: an axum `Router`, or any tower service that answers HTTP requests.
///
/// `target` is what a target file would say, made in code ([`Target::at`]) or read from YAML ([`Target::from_yaml`]).
/// What it does not name is not judged: checks that need a second client, a page or an API are skipped, each with its
/// reason. Await what this returns, after saying more about it.
///
/// It judges in virtual time and never pauses the clock: its caller does, with `#[tokio::test(start_paused = true)]`.
/// The server must take its times from tokio's clock (`tokio::time::Instant`), and wait neither for sockets nor for
/// threads of its own.
pub fn judge<S, B>(server: S, target: Target) -> Judge
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Judge::new(Way::InProcess(InProcess::new(server, 1)), target)
}

/// A run that is to be: awaited, it plays.
#[must_use = "nothing is judged before it is awaited"]
pub struct Judge {
    way: Way,
    target: Target,
    driver: Option<Box<dyn Driver>>,
    selection: Selection,
    suites: Vec<Source>,
    limits: Limits,
    is_strict: bool,
    known: Vec<KnownFailure>,
    edition: Option<String>,
    in_real_time: bool,
    verdicts_alone: bool,
}

/// How requests come to the server.
enum Way {
    InProcess(InProcess),
    Given(Arc<dyn Transport>, Option<Arc<dyn Pages>>),
}

impl Judge {
    /// The same for a server that is reached in another way, such as over the network with [`crate::http::Wire`]; its
    /// pages, if there are any, are for the approval driver of the target.
    pub fn through(transport: Arc<dyn Transport>, pages: Option<Arc<dyn Pages>>, target: Target) -> Self {
        Self::new(Way::Given(transport, pages), target)
    }

    fn new(way: Way, target: Target) -> Self {
        Self {
            way,
            target,
            driver: None,
            selection: Selection::default(),
            suites: Vec::new(),
            limits: Limits { max_wait: None, destructive: Destructive::Allowed },
            is_strict: false,
            known: Vec::new(),
            edition: None,
            in_real_time: false,
            verdicts_alone: false,
        }
    }

    /// Decides as the user through a closure: `Ok` when the server took the decision, `Err` with words when it did not.
    /// Without one, the target's `approval` decides through the server's pages; without either, what needs a decision
    /// is skipped.
    pub fn decide<F, D, E>(mut self, decide: F) -> Self
    where
        F: Fn(Wish) -> D + Send + Sync + 'static,
        D: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + 'static,
    {
        self.driver = Some(Box::new(Closure::new(decide)));
        self
    }

    /// Only checks that match one of these: `token-response`, `*/expired-*`, as for `devgrant check --check`. The checks
    /// that are the positive beside one of them come along.
    pub fn only<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.selection.checks.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Leaves out the checks that match one of these.
    pub fn skip<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.selection.skip.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// A suite of one's own besides the shipped ones: its YAML, and the name that messages call it by.
    pub fn suite(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.suites.push(Source { name: name.into(), text: text.into() });
        self
    }

    /// A failure that is known and defended: a check, or a check with a variant, and the reason. It is stale, and not
    /// green, when the check does not fail any more.
    pub fn known_failure(mut self, id: impl Into<String>, reason: impl Into<String>) -> Self {
        self.known.push(KnownFailure::new(id, reason));
        self
    }

    /// Leaves out what takes longer than this, on the clock of the run.
    pub const fn max_wait(mut self, longest: Duration) -> Self {
        self.limits.max_wait = Some(longest);
        self
    }

    /// Leaves out guessing and flooding, which are part of a run in process otherwise.
    pub const fn without_destructive(mut self) -> Self {
        self.limits.destructive = Destructive::LeftOut;
        self
    }

    /// As `--mode strict`: acceptable warns, a warning fails.
    pub const fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Scores only what was part of this edition of the shipped suites; newer cases run and do not count, so that a newer
    /// devgrant turns no test red.
    pub fn edition(mut self, name: impl Into<String>) -> Self {
        self.edition = Some(name.into());
        self
    }

    /// Draws the milliseconds that requests and answers take on their way from another seed; 1 unless said.
    pub fn seed(mut self, seed: u64) -> Self {
        if let Way::InProcess(server) = self.way {
            self.way = Way::InProcess(server.seeded(seed));
        }
        self
    }

    /// On a clock that runs, for a server that cannot do without: every interval and every lifetime is waited for.
    pub const fn in_real_time(mut self) -> Self {
        self.in_real_time = true;
        self
    }

    /// Leaves the exchanges out of the record, for who reads nothing but verdicts.
    pub(crate) const fn verdicts_alone(mut self) -> Self {
        self.verdicts_alone = true;
        self
    }

    async fn play(self) -> Result<Judged, Trouble> {
        if !self.in_real_time && !clock::is_paused() {
            return Err(clock_runs());
        }
        let catalog = catalog(self.suites)?;
        let refused = |message: String| {
            let (message, help) = message.split_once("\nhelp: ").unwrap_or((&message, "see docs/checks.md"));
            Trouble { message: message.to_owned(), detail: None, help: help.to_owned() }
        };
        let entries = catalog.with_controls(catalog.select(&self.selection).map_err(refused)?);
        let edition = self.edition.map(|name| catalog.editions.frozen(&name)).transpose().map_err(refused)?;
        let options = Options {
            strict: self.is_strict,
            known_failures: KnownFailures::new(self.known, clock::today()),
            edition,
        };
        let (transport, pages): (Arc<dyn Transport>, Option<Arc<dyn Pages>>) = match self.way {
            Way::InProcess(server) => (Arc::new(server.clone()), Some(Arc::new(server))),
            Way::Given(transport, pages) => (transport, pages),
        };
        let (target, name, driver) = match self.driver {
            Some(closure) => (with_decisions(self.target), Some("closure"), Some(closure)),
            None => {
                let driver = self.target.approval.as_ref().zip(pages);
                let driver = driver.map(|(how, pages)| (how.name(), driver_of(how, pages)));
                let (name, driver) = driver.unzip();
                (self.target, name, driver)
            }
        };
        let (sender, receiver) = mpsc::channel(64);
        let link = Link::new(transport, Arc::new(Semaphore::new(JOBS)), sender, &target);
        let link = if self.verdicts_alone { link.telling_verdicts_alone() } else { link };
        let wanted = Wanted {
            catalog: &catalog,
            entries: &entries,
            target: &target,
            limits: self.limits,
            options: &options,
            driver: name,
            carried: None,
        };
        let doing = async {
            let ready = prepare(&link, wanted).await?;
            ready.play(link, driver, std::future::pending()).await;
            Ok(())
        };
        let (done, record) = tokio::join!(doing, folded(receiver));
        done.map(|()| Judged { record })
    }
}

impl IntoFuture for Judge {
    type Output = Result<Judged, Trouble>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.play().boxed()
    }
}

/// The shipped checks, and those of one's own. The shipped ones are read once for all tests of a process.
fn catalog(own: Vec<Source>) -> Result<Cow<'static, Catalog>, Trouble> {
    static SHIPPED: LazyLock<Result<Catalog, Vec<Diagnostic>>> = LazyLock::new(Catalog::builtin);
    let read = if own.is_empty() {
        SHIPPED.as_ref().map(Cow::Borrowed).map_err(Clone::clone)
    } else {
        let mut sources = Catalog::builtin_sources();
        sources.extend(own);
        Catalog::load(&sources).map(Cow::Owned)
    };
    read.map_err(|mistakes| Trouble {
        message: "the suites have mistakes".to_owned(),
        detail: Some(Mistakes(mistakes).to_string()),
        help: "the guide to the suite language is docs/guide/suite-language.md".to_owned(),
    })
}

/// All events of a run, until it is over.
async fn folded(mut events: mpsc::Receiver<Event>) -> RunRecord {
    let mut record = RunRecord::default();
    while let Some(event) = events.recv().await {
        record.fold(event);
    }
    record
}

fn clock_runs() -> Trouble {
    Trouble {
        message: "the clock is not paused: every interval and every lifetime would be waited for".to_owned(),
        detail: None,
        help: "write #[tokio::test(start_paused = true)] above the test (tokio needs the feature test-util), or say \
               in_real_time() where waiting is meant"
            .to_owned(),
    }
}

/// A target whose users decide through a closure: alice at least, saying yes and no.
fn with_decisions(mut target: Target) -> Target {
    target.users.entry(UserRole::Alice).or_insert_with(|| User::new(UserRole::Alice.word(), ""));
    target.capabilities.extend([Capability::Approval, Capability::Denial]);
    target
}

/// Nobody sits at a test.
struct Nobody;

impl Prompt for Nobody {
    fn confirm<'a>(&'a self, _: Errand<'a>) -> BoxFuture<'a, std::io::Result<Answer>> {
        let nobody = "in a test nobody is asked: decide by a closure, or by a form recipe";
        std::future::ready(Err(std::io::Error::other(nobody))).boxed()
    }
}

fn driver_of(how: &Approval, pages: Arc<dyn Pages>) -> Box<dyn Driver> {
    driver(how, pages, Arc::new(Nobody))
}
