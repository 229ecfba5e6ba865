//! Every client of the target: does it get codes, and may it poll?

use std::sync::Arc;
use std::time::Duration;

use super::Doctor;
use super::network::of_trouble;
use crate::diagnosis::{Line, State};
use crate::exchange::Exchange;
use crate::outcome::Outcome;
use crate::protocol::{AuthMethod, Endpoint, Role};
use crate::runner::preflight::{AskedBy, Looked, answer_to, ask_with_every_client, poll_once, poll_with};
use crate::runner::resolve::Resolved;
use crate::runner::session::Codes;
use crate::runner::trouble::{is_refused_by_name, path_is_there, somebody_is_there};
use crate::target::{Client, Target};
use crate::timing::show;

/// What the clients were answered.
pub(super) struct Clients {
    asked: Vec<AskedBy>,
    /// The poll with a code of `tv`.
    polled: Option<Arc<Exchange>>,
    /// A path is not there, or nobody listens: clients and polls come to nothing.
    is_broken: bool,
}

impl Clients {
    /// Does `tv` get codes that can be polled with?
    pub(super) fn has_codes(&self) -> bool {
        self.polled.is_some() && !self.is_broken
    }

    /// The same as `preflight` knows it.
    pub(super) fn looked<'a>(&'a self, target: &'a Target, endpoints: &'a Resolved) -> Looked<'a> {
        Looked { target, endpoints, asked: &self.asked, polled: self.polled.as_deref() }
    }
}

impl Doctor<'_> {
    /// Asks for codes with every client, polls once with each, and says what came of it.
    pub(super) async fn clients(&mut self, endpoints: &Resolved) -> Clients {
        let target = self.look.target;
        let asked = ask_with_every_client(self.link, target, endpoints).await;
        let tv = answer_to(&asked, Role::Tv).cloned();
        let mut clients = Clients { asked, polled: None, is_broken: false };
        let Some((tv, client)) = tv.zip(target.client(Role::Tv)) else {
            self.skip(&["endpoints", "client", "poll"], "the target file names no client tv");
            return clients;
        };
        if let Some(codes) = Codes::read(&tv) {
            clients.polled = Some(poll_once(self.link, endpoints, client, &codes).await);
        }
        let answers = [("device_authorization", Some(&tv)), ("token", clients.polled.as_ref())];
        for (key, exchange) in answers.into_iter().filter_map(|(key, exchange)| Some((key, exchange?))) {
            let there =
                somebody_is_there(self.link, exchange).await.and_then(|()| path_is_there(key, exchange));
            if let Err(trouble) = there {
                self.put(of_trouble("endpoints", &trouble));
                clients.is_broken = true;
            }
        }
        if clients.is_broken {
            self.skip(&["client", "poll"], "needs both endpoints");
            return clients;
        }
        let token = if clients.polled.is_some() { endpoints.token.as_str() } else { "(not asked)" };
        let seen = format!("{} and {token}", endpoints.device_authorization);
        self.put(Line::new("endpoints", State::Ok, seen));
        for asked in &clients.asked {
            let Some(client) = target.clients.get(&asked.role) else { continue };
            let line = self.client(endpoints, asked, client, clients.polled.as_ref()).await;
            self.put(line);
        }
        match &clients.polled {
            Some(polled) => self.put(poll(polled)),
            None => self.skip(&["poll"], "needs codes for the client tv"),
        }
        clients
    }

    /// One client at both endpoints.
    async fn client(
        &self,
        endpoints: &Resolved,
        asked: &AskedBy,
        client: &Client,
        polled: Option<&Arc<Exchange>>,
    ) -> Line {
        let AskedBy { role, exchange } = asked;
        let line = |state, seen: String| Line::new("client", state, seen).about(role.word());
        let who = format!("{:?} ({})", client.id, manner(client));
        let Some(codes) = Codes::read(exchange) else {
            return self.refused(endpoints, asked, client).await.about(role.word());
        };
        if *role == Role::NoGrant {
            return line(State::Warning, format!("{who} gets codes, and should not be allowed the grant"))
                .help("take the grant from it on the server, or leave no-grant out of the target file; check judges it");
        }
        let polled = match polled.filter(|_| *role == Role::Tv) {
            Some(polled) => polled.clone(),
            None => poll_with(self.link, endpoints, *role, client, &codes.device_code).await,
        };
        if is_refused_by_name(&polled) {
            return line(State::Failed, format!("{who} gets codes, and the token endpoint refuses it"))
                .detail(answer(self, &polled))
                .help("is it registered for the device grant, and does it authenticate in the same way at both?");
        }
        let length =
            |length: Option<Duration>, otherwise: &str| length.map_or_else(|| otherwise.to_owned(), show);
        let seen = format!(
            "{who} gets codes; lifetime {}, interval {}",
            length(codes.lifetime, "not announced"),
            length(codes.interval, "not announced, which is 5 s")
        );
        line(State::Ok, seen)
    }
}

/// How a client authenticates where codes come from, in words.
pub(super) fn manner(client: &Client) -> &'static str {
    match (client.auth_method_at(Endpoint::DeviceAuthorization), client.secret.is_some()) {
        (AuthMethod::None, false) => "public",
        (AuthMethod::None, true) => "its secret is not sent",
        (AuthMethod::Basic, _) => "secret by basic",
        (AuthMethod::Post, _) => "secret by post",
    }
}

/// An answer in a line, with the server's own words.
pub(super) fn answer(doctor: &Doctor<'_>, exchange: &Exchange) -> Option<String> {
    let asked = format!("{} {}", exchange.asked.method, exchange.asked.url);
    let answer = match &exchange.answer {
        Ok(answer) => answer,
        Err(error) => return Some(format!("{asked}: {error}")),
    };
    let members = exchange.members();
    let text = |name: &str| members?.get(name)?.as_str().map(ToOwned::to_owned);
    let word = text("error").map_or_else(String::new, |word| format!(" {word}"));
    let words = text("error_description").map_or_else(String::new, |words| {
        format!(": {:?}", words.chars().take(LONGEST_WORDS).collect::<String>())
    });
    Some(doctor.link.scrub(&format!("{asked} was answered {}{word}{words}", answer.status)))
}

/// The most of a server's words that is shown.
const LONGEST_WORDS: usize = 160;

/// The poll before anybody decided.
fn poll(polled: &Exchange) -> Line {
    let took = show(polled.took());
    match polled.outcome() {
        Outcome::Pending => Line::new("poll", State::Ok, format!("authorization_pending in {took}")),
        Outcome::SlowDown => {
            Line::new("poll", State::Ok, format!("slow_down in {took}, to a first poll that came at once"))
        }
        outcome => {
            let status = polled.answer.as_ref().map_or(0, |answer| answer.status);
            let word = polled.error_word().map_or_else(|| outcome.to_string(), ToOwned::to_owned);
            Line::new(
                "poll",
                State::Warning,
                format!("{status} {word} to a first poll, not authorization_pending"),
            )
            .help("check judges that; does the target file name the right token endpoint?")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_client_authenticates_is_told_of_the_endpoint_that_gives_codes() {
        let mut client = Client::confidential("tv-box", "a secret");
        assert_eq!(manner(&client), "secret by basic");
        client.auth_at.insert(Endpoint::Token, AuthMethod::Post);
        assert_eq!(manner(&client), "secret by basic");
        client.auth_at.insert(Endpoint::DeviceAuthorization, AuthMethod::Post);
        assert_eq!(manner(&client), "secret by post");
    }
}
