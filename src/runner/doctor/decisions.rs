//! The user's side: can everybody sign in, does a yes reach the device, and does a no?

use std::time::Duration;

use tokio::time::Instant;

use super::{Doctor, Told};
use crate::approval::{ApprovalError, Driver};
use crate::diagnosis::{Line, State};
use crate::exchange::Exchange;
use crate::outcome::Outcome;
use crate::protocol::{Capability, Decision, Role, UserRole};
use crate::runner::hear::{Heard, hear};
use crate::runner::preflight::ask;
use crate::runner::resolve::Resolved;
use crate::runner::session::Session;
use crate::runner::sign_in::{SignIn, every_user, what_is_asked};
use crate::target::User;
use crate::timing::show;

/// How long a driver may take, where the codes live longer.
const LIMIT: Duration = Duration::from_secs(60);

impl Doctor<'_> {
    /// Signs everybody in, approves one session and denies another.
    pub(super) async fn decisions(&mut self, endpoints: &Resolved) {
        let target = self.look.target;
        let Some(driver) = self.look.driver else {
            return self.skip(
                &["sign-in", "approval", "denial"],
                "the target file has no approval: what needs a user's decision is left out of a run",
            );
        };
        let Some((_, user)) = target.users.iter().next() else {
            return self.skip(&["sign-in", "approval", "denial"], "the target file names no users");
        };
        (self.tell)(Told::Progress("signing in"));
        let mut first_can = true;
        for SignIn { user: signed, role, stopped } in every_user(self.link, target, endpoints, driver).await {
            first_can &=
                signed.login != user.login || matches!(stopped, None | Some(ApprovalError::NoPages { .. }));
            let line = self.sign_in(role, stopped.as_ref());
            self.put(line);
        }
        if !first_can {
            return self
                .skip(&["approval", "denial"], &format!("needs the sign-in of {} to work", user.login));
        }
        let approved = self.approval(endpoints, driver, user).await;
        if !approved {
            return self.skip(&["denial"], "needs the approval to work");
        }
        if target.lacks.contains(&Capability::Denial) {
            return self.skip(&["denial"], "the target file says that there is none");
        }
        let line = self.denial(endpoints, driver, user).await;
        self.put(line);
    }

    fn sign_in(&self, role: UserRole, stopped: Option<&ApprovalError>) -> Line {
        let line = match stopped {
            None => Line::new("sign-in", State::Ok, "gets to the page that asks for the decision"),
            Some(ApprovalError::NoPages { .. }) => {
                Line::new("sign-in", State::NotLookedAt, "this approval driver does not read the pages")
            }
            Some(error) => self.of_error("sign-in", error),
        };
        line.about(role.word())
    }

    fn of_error(&self, name: &'static str, error: &ApprovalError) -> Line {
        let (seen, help) = error.seen_and_help();
        let state = match error {
            ApprovalError::NoPerson { .. } => State::NotLookedAt,
            ApprovalError::NoDecision { decision: Decision::Deny, .. } => State::Warning,
            _ => State::Failed,
        };
        Line::new(name, state, self.link.scrub(&seen)).help(help)
    }

    /// Whether an approval could be made; says what the device heard of it.
    async fn approval(&mut self, endpoints: &Resolved, driver: &dyn Driver, user: &User) -> bool {
        let heard = match self.decided(endpoints, driver, user, Decision::Approve).await {
            Ok(heard) => heard,
            Err(line) => {
                self.put(*line);
                return false;
            }
        };
        let is_granted = heard.last.outcome() == Outcome::Granted;
        let line = if is_granted {
            let seen = format!(
                "as {}: the device has its token {} after the decision{}",
                user.login,
                show(heard.after),
                with(&heard.last)
            );
            Line::new("approval", State::Ok, seen)
        } else {
            let seen = format!("approved as {}, and the device {}", user.login, hears(&heard));
            Line::new("approval", State::Failed, seen)
                .help("does the step with `decides: approve` press the right button? devgrant login shows the page to you")
        };
        self.put(line);
        if is_granted {
            for line in self.declared(&heard.last) {
                self.put(line);
            }
        }
        is_granted
    }

    /// What is declared and did not come with the token.
    fn declared(&self, granted: &Exchange) -> Vec<Line> {
        let has = |member: &str| granted.members().is_some_and(|members| members.contains_key(member));
        [(Capability::Refresh, "refresh_token", "offline_access"), (Capability::Openid, "id_token", "openid")]
            .into_iter()
            .filter(|(capability, member, _)| {
                self.look.target.capabilities.contains(capability) && !has(member)
            })
            .map(|(capability, member, scope)| {
                Line::new("capabilities", State::Warning, format!("{capability} is declared, and no {member} came"))
                    .help(format!(
                        "does the scope of the client tv need {scope}? otherwise take {capability} out of capabilities"
                    ))
            })
            .collect()
    }

    async fn denial(&mut self, endpoints: &Resolved, driver: &dyn Driver, user: &User) -> Line {
        let heard = match self.decided(endpoints, driver, user, Decision::Deny).await {
            Ok(heard) => heard,
            Err(line) => return *line,
        };
        match heard.last.outcome() {
            Outcome::Denied => Line::new(
                "denial",
                State::Ok,
                format!(
                    "as {}: the device hears access_denied {} after the decision",
                    user.login,
                    show(heard.after)
                ),
            ),
            Outcome::Granted => Line::new(
                "denial",
                State::Failed,
                format!("denied as {}, and the device has a token", user.login),
            )
            .help("does the step with `decides: deny` press the right button?"),
            Outcome::Pending | Outcome::SlowDown => Line::new(
                "denial",
                State::Warning,
                format!(
                    "denied as {}, and it does not reach the device, which {}",
                    user.login,
                    hears(&heard)
                ),
            )
            .help("check judges that; does the step with `decides: deny` press the right button?"),
            _ => Line::new(
                "denial",
                State::Warning,
                format!("denied as {}, and the device {}, not access_denied", user.login, hears(&heard)),
            )
            .help("check judges that"),
        }
    }

    /// Asks for codes, has the user decide, and polls at the device's pace until it hears of it; a line where it did not
    /// come that far.
    async fn decided(
        &mut self,
        endpoints: &Resolved,
        driver: &dyn Driver,
        user: &User,
        decision: Decision,
    ) -> Result<Heard, Box<Line>> {
        let name = match decision {
            Decision::Approve => "approval",
            Decision::Deny => "denial",
        };
        let no_codes = || Box::new(Line::new(name, State::Failed, "the client tv got no codes this time"));
        let target = self.look.target;
        let tv = target.client(Role::Tv).ok_or_else(no_codes)?;
        let asked = ask(self.link, endpoints, Role::Tv, tv).await;
        let mut session = Session::new(Role::Tv, asked.exchange, tv.scope.clone(), target.constants());
        let codes = session.codes.clone().ok_or_else(no_codes)?;
        (self.tell)(Told::Progress(&format!("{name}: at the pages, as {}", user.login)));
        let limit = codes.lifetime.unwrap_or(LIMIT).max(LIMIT);
        let ask = what_is_asked(user, &codes, decision, Instant::now() + limit);
        driver.decide(ask).await.map_err(|error| Box::new(self.of_error(name, &error)))?;
        let mut tell = |what: &str| (self.tell)(Told::Progress(&format!("{name}: {what}")));
        let heard = hear(self.link, endpoints, tv, &mut session, &mut tell).await;
        heard.ok_or_else(|| {
            let seen = "the codes live too short for a single poll at the announced interval";
            Box::new(
                Line::new(name, State::Failed, seen).help("give the codes of the client tv a longer life"),
            )
        })
    }
}

/// What came with a token.
fn with(granted: &Exchange) -> String {
    let has = |member: &str| granted.members().is_some_and(|members| members.contains_key(member));
    let with: Vec<&str> = [("refresh_token", "a refresh token"), ("id_token", "an ID token")]
        .into_iter()
        .filter_map(|(member, words)| has(member).then_some(words))
        .collect();
    if with.is_empty() { String::new() } else { format!(", with {}", with.join(" and ")) }
}

fn hears(heard: &Heard) -> String {
    let word = heard.last.error_word().map_or_else(|| heard.last.outcome().to_string(), ToOwned::to_owned);
    let polls = if heard.polls == 1 { "1 poll".to_owned() } else { format!("{} polls", heard.polls) };
    format!("hears {word} after {polls}")
}
