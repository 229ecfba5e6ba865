//! What a device hears after its user has decided, at its own pace.

use std::sync::Arc;
use std::time::Duration;

use super::link::Link;
use super::preflight::poll_with;
use super::resolve::Resolved;
use super::session::Session;
use crate::device::Next;
use crate::exchange::Exchange;
use crate::outcome::Outcome;
use crate::protocol::Role;
use crate::target::Client;
use crate::timing::show;

/// So many polls may come to nothing after a decision: one may have been on its way, and a decision takes time to spread.
const POLLS: u32 = 3;

/// What the device heard after a decision.
pub(super) struct Heard {
    /// The last answer.
    pub(super) last: Arc<Exchange>,
    /// From the decision to that answer.
    pub(super) after: Duration,
    /// How many polls there were.
    pub(super) polls: u32,
}

/// Polls until something else than pending is heard, a few times at most; nothing where the codes leave no time for a
/// single poll. `tell` hears what is waited for.
pub(super) async fn hear(
    link: &Link,
    endpoints: &Resolved,
    tv: &Client,
    session: &mut Session,
    tell: &mut dyn FnMut(&str),
) -> Option<Heard> {
    let device_code = session.codes.as_ref()?.device_code.clone();
    let begun = link.now();
    let mut heard = None;
    for polls in 1..=POLLS {
        let Next::Poll { at } = session.device.next() else { break };
        tell(&format!("the device polls in {}", show(at.saturating_sub(link.now()))));
        tokio::time::sleep_until(link.instant(at)).await;
        let last = poll_with(link, endpoints, Role::Tv, tv, &device_code).await;
        session.answered(&last);
        let goes_on = matches!(last.outcome(), Outcome::Pending | Outcome::SlowDown);
        heard = Some(Heard { last, after: link.now().saturating_sub(begun), polls });
        if !goes_on {
            break;
        }
    }
    heard
}
