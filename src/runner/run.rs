//! Everything the cases of one run share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::StreamExt as _;
use tokio::sync::{OnceCell, Semaphore};

use super::chronicle::Chronicle;
use super::link::{Label, Link};
use super::resolve::Resolved;
use super::session::Codes;
use crate::approval::{Driver, Firsts};
use crate::compose::form_post;
use crate::exchange::Exchange;
use crate::plan::Found;
use crate::protocol::{Capability, Endpoint, Role};
use crate::redact;
use crate::suite::{Edits, Sample};
use crate::target::{Client, Target};

/// So many requests of a sample are on the way at a time: few enough that many of them do not overlap, and show in which
/// order codes are issued.
const LANES: usize = 8;

/// How many decisions are on their way at the same time, those of one race apart.
const MOST_DECISIONS: usize = 8;

/// A run against one target.
pub struct Run {
    /// The way to it.
    pub link: Link,
    /// What its file says.
    pub target: Target,
    /// Where its endpoints are.
    pub endpoints: Resolved,
    /// What preflight found.
    pub found: Found,
    /// Who plays the user.
    pub driver: Option<Box<dyn Driver>>,
    /// A text of this run: unknown clients and parameters carry it.
    pub random: String,
    /// Of the decisions on their way at the same time; each is a sign-in, whose password hash is slow on purpose.
    pub(super) deciding: Semaphore,
    /// Who has approved which client before.
    pub(super) firsts: Firsts,
    /// What was done with each code.
    pub(super) chronicle: Chronicle,
    unknown: Client,
    device_codes: OnceLock<redact::Known>,
    came_out: Mutex<BTreeMap<Capability, Tries>>,
    samples: BTreeMap<String, OnceCell<Vec<Arc<Exchange>>>>,
}

/// How often a capability was used and how often that came out.
#[derive(Debug, Clone, Default)]
struct Tries {
    tried: u32,
    came_out: u32,
    last_trouble: String,
}

impl Run {
    /// A run with everything it needs; `samples` are those of the plan.
    #[must_use]
    pub fn new<'a>(
        link: Link,
        target: Target,
        endpoints: Resolved,
        found: Found,
        driver: Option<Box<dyn Driver>>,
        samples: impl IntoIterator<Item = &'a Sample>,
    ) -> Self {
        let random = format!("{:016x}", rand::random::<u64>());
        Self {
            link,
            target,
            endpoints,
            found,
            driver,
            unknown: Client::public(format!("unknown-{random}")),
            random,
            device_codes: OnceLock::new(),
            deciding: Semaphore::new(MOST_DECISIONS),
            firsts: Firsts::default(),
            chronicle: Chronicle::default(),
            came_out: Mutex::default(),
            samples: samples.into_iter().map(|sample| (sample.name.clone(), OnceCell::new())).collect(),
        }
    }

    /// The client of a role.
    pub(super) fn client(&self, role: Role) -> Option<&Client> {
        if role == Role::Unknown { Some(&self.unknown) } else { self.target.client(role) }
    }

    /// Whether a text has a device code of the run in it. Those that come after the first question are not looked for:
    /// it is asked when all cases are over.
    pub(super) fn has_device_code(&self, text: &str) -> bool {
        let known = self.device_codes.get_or_init(|| {
            let mut known = redact::Known::default();
            for exchange in self.link.archive() {
                if let Some(codes) = Codes::read(&exchange) {
                    known.add(&codes.device_code);
                }
            }
            known
        });
        known.is_in(text)
    }

    /// Notes that a capability was used, and what came of it.
    pub(super) fn tried(&self, capability: Capability, trouble: Option<String>) {
        let mut came_out = self.came_out.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = came_out.entry(capability).or_default();
        tries.tried += 1;
        match trouble {
            None => tries.came_out += 1,
            Some(trouble) => tries.last_trouble = trouble,
        }
    }

    /// Declared capabilities that were used and never once came out.
    pub(super) fn never_came_out(&self) -> Vec<String> {
        let came_out = self.came_out.lock().unwrap_or_else(PoisonError::into_inner);
        came_out
            .iter()
            .filter(|(_, tries)| tries.came_out == 0)
            .map(|(capability, tries)| {
                format!(
                    "{capability} never once came out (tried {} times): {}",
                    tries.tried, tries.last_trouble
                )
            })
            .collect()
    }

    /// A sample of the plan, taken at its first use.
    pub(super) async fn sample(&self, case: &str, sample: &Sample) -> Result<&[Arc<Exchange>], String> {
        let cell = self.samples.get(&sample.name).ok_or("the sample is not part of the plan")?;
        let taken = cell.get_or_try_init(|| self.take(case, sample)).await?;
        Ok(taken)
    }

    async fn take(&self, case: &str, sample: &Sample) -> Result<Vec<Arc<Exchange>>, String> {
        let client = self.client(Role::Tv).ok_or("the target has no client tv")?;
        let transport = self.link.fresh().map_err(|error| error.to_string())?;
        let label =
            Label { case, endpoint: Endpoint::DeviceAuthorization, client: Role::Tv, on_pace_from: None };
        let scope = client.scope.as_deref().map(|scope| ("scope", scope));
        let params: Vec<(&str, &str)> = scope.into_iter().collect();
        let asks = (0..sample.count).map(|_| {
            let at = self.link.at(Endpoint::DeviceAuthorization, &self.endpoints.device_authorization);
            let composed = form_post(at, &params, client, &Edits::default());
            self.link.exchange_patiently(&*transport, label, composed)
        });
        Ok(futures_util::stream::iter(asks).buffered(LANES).collect().await)
    }
}
