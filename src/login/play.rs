//! A login from the first request to the last.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::answer::{Codes, NoCodes, Polled, ServerError, Token, codes, is_bearer_token, polled, secrets};
use super::qr::Qr;
use super::screen::{Event, Prompt, Said, Screen};
use super::settings::{Browser, Settings, keeps_secrets};
use super::text::{Hidden, plain};
use crate::clock;
use crate::compose::{At, Composed, bearer_get, form_post};
use crate::device::{Answer, Device, Next, Stop};
use crate::exchange::{self, NoAnswer};
use crate::http::Exchanger;
use crate::protocol::{DEVICE_CODE_GRANT, Endpoint};
use crate::suite::Edits;

/// The most of a server's own words that is shown.
const LONGEST_WORDS: usize = 300;
/// The most of a user code, a URI or an API's answer that is shown.
const LONGEST_TEXT: usize = 2000;

/// How a login ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// There is a token, and it is of a type that the device understands.
    Granted,
    /// The user said no.
    Denied,
    /// Nobody decided in time.
    Expired,
    /// The server said or sent something after which no device can go on.
    Protocol(String),
    /// It could not start, or the server was not there.
    Ours(String),
}

/// Logs in by way of `exchanger` and shows it all on `screen`.
pub async fn play(login: &Settings, exchanger: &dyn Exchanger, screen: &mut impl Screen) -> Ended {
    let mut hidden = Hidden::default();
    hidden.add(login.client.secret.clone());
    let mut play = Play { login, exchanger, screen, hidden, epoch: Instant::now() };
    let (ended, said) = play.whole().await;
    play.screen.show(Event::Ended { ended: &ended, said: said.as_ref() });
    ended
}

struct Play<'a, S> {
    login: &'a Settings,
    exchanger: &'a dyn Exchanger,
    screen: &'a mut S,
    hidden: Hidden,
    epoch: Instant,
}

impl<S: Screen> Play<'_, S> {
    async fn whole(&mut self) -> (Ended, Option<Said>) {
        match self.authorize().await {
            Ok((codes, device)) => self.poll(&codes, device).await,
            Err(ended) => (ended, None),
        }
    }

    /// The device authorization request; there is only ever one (RFC 8628 §3.5).
    async fn authorize(&mut self) -> Result<(Codes, Device), Ended> {
        self.login.check().map_err(|error| Ended::Ours(error.to_string()))?;
        let scope: Vec<_> = self.login.scope.iter().map(|scope| ("scope", scope.as_str())).collect();
        let sent = self
            .exchanger
            .send(&self.form(Endpoint::DeviceAuthorization, &self.login.device_authorization, &scope))
            .await;
        let received = sent.done.saturating_duration_since(self.epoch);
        let reply = sent.answer.map_err(|none| self.over("the device authorization endpoint", &none))?;
        self.hidden.add(secrets(&reply));
        let codes = codes(&reply).map_err(|none| {
            let reason = match none {
                NoCodes::Error(error) => self.said(&error).to_string(),
                NoCodes::Unusable(reason) => reason,
            };
            Ended::Protocol(format!(
                "the device authorization endpoint answered {}: {reason}",
                summary(&reply)
            ))
        })?;
        if gives_away(&codes) {
            let what = "the device_code is part of what the user is to see (RFC 8628 §3.3): it was not shown";
            return Err(Ended::Protocol(what.to_owned()));
        }
        self.screen.show(Event::Codes(&Prompt {
            user_code: plain(&codes.user_code, LONGEST_TEXT),
            verification_uri: plain(&codes.verification_uri, LONGEST_TEXT),
            qr: codes.complete.as_deref().and_then(Qr::of),
        }));
        if let Some(browser) = self.login.browser {
            self.screen.show(Event::Browser(open(browser, &codes)));
        }
        let device = Device::new(received, codes.interval, codes.lifetime.or(self.login.give_up_after));
        Ok((codes, device))
    }

    async fn poll(&mut self, codes: &Codes, mut device: Device) -> (Ended, Option<Said>) {
        let params = [("grant_type", DEVICE_CODE_GRANT), ("device_code", codes.device_code.expose())];
        let request = self.form(Endpoint::Token, &self.login.token, &params);
        let mut last: Option<(Polled, String)> = None;
        loop {
            let at = match device.next() {
                Next::Poll { at } => at,
                Next::Stop(stop) => return self.stopped(stop, last).await,
            };
            self.wait(at, device.deadline()).await;
            let sent = self.exchanger.send(&request).await;
            let received = sent.done.saturating_duration_since(self.epoch);
            let (polled, summary) = match sent.answer {
                Ok(reply) => {
                    self.hidden.add(secrets(&reply));
                    (polled(&reply, clock::wall()), summary(&reply))
                }
                Err(none) => (without_answer(&none), self.reason(&none)),
            };
            device.answered(received, polled.answer);
            match polled.answer {
                Answer::SlowDown { .. } => {
                    self.screen.show(Event::SlowedDown { interval: device.interval() });
                }
                Answer::NoAnswer { .. } => {
                    let next_poll = match device.next() {
                        Next::Poll { at } => Some(at.saturating_sub(self.epoch.elapsed())),
                        Next::Stop(_) => None,
                    };
                    self.screen.show(Event::NoAnswer { reason: summary.clone(), next_poll });
                }
                _ => {}
            }
            last = Some((polled, summary));
        }
    }

    /// Waits until `at`, showing every whole second before it.
    async fn wait(&mut self, at: Duration, deadline: Option<Duration>) {
        loop {
            let now = self.epoch.elapsed();
            let next_poll = at.saturating_sub(now);
            let left = deadline.map(|deadline| deadline.saturating_sub(now));
            self.screen.show(Event::Waiting { left, next_poll });
            if next_poll.is_zero() {
                return;
            }
            let part = Duration::from_nanos(next_poll.subsec_nanos().into());
            tokio::time::sleep(if part.is_zero() { Duration::from_secs(1) } else { part }).await;
        }
    }

    async fn stopped(&mut self, stop: Stop, last: Option<(Polled, String)>) -> (Ended, Option<Said>) {
        let (polled, summary) = last.unzip();
        let (token, error) = polled.map_or((None, None), |polled| (polled.token, polled.error));
        let said = error.map(|error| self.said(&error));
        let summary = summary.unwrap_or_default();
        let ended = match (stop, token) {
            (Stop::Granted, Some(token)) => self.granted(&token).await,
            (Stop::Denied, _) => return (Ended::Denied, said),
            (Stop::Expired, _) => return (Ended::Expired, said),
            (Stop::LifetimeOver, _) => Ended::Expired,
            (Stop::Refused, _) => {
                let words = said.map(|said| said.to_string()).unwrap_or_default();
                Ended::Protocol(format!("the token endpoint refused: {words}"))
            }
            (Stop::Unusable | Stop::Granted, _) => Ended::Protocol(format!(
                "the token endpoint answered {summary}: neither a token nor an error code (RFC 6749 §5)"
            )),
        };
        (ended, None)
    }

    /// Shows the token's circumstances and uses it, if the device knows how (RFC 6749 §7.1).
    async fn granted(&mut self, token: &Token) -> Ended {
        match &token.token_type {
            Some(kind) if kind.eq_ignore_ascii_case("bearer") => {}
            Some(kind) => {
                let kind = self.hidden.text(kind, LONGEST_WORDS);
                return Ended::Protocol(format!(
                    "the token is of type {kind:?}, this device understands bearer only: it was not used (RFC 6749 §7.1)"
                ));
            }
            None => {
                let what = "the token came without a token_type: it was not used (RFC 6749 §5.1, §7.1)";
                return Ended::Protocol(what.to_owned());
            }
        }
        self.screen.show(Event::Granted { good_for: token.lifetime, refresh_token: token.has_refresh_token });
        let Some(url) = &self.login.api else { return Ended::Granted };
        if !is_bearer_token(token.access_token.expose()) {
            let what =
                "the access token has characters that no bearer token has (RFC 6750 §2.1): it was not sent";
            return Ended::Protocol(what.to_owned());
        }
        let request = bearer_get(self.at(Endpoint::Api, url), token.access_token.expose(), &Edits::default());
        let answer = match self.exchanger.send(&request).await.answer {
            Ok(reply) => Ok((reply.status, self.hidden.body(&reply.body, LONGEST_TEXT))),
            Err(none) => Err(self.reason(&none)),
        };
        self.screen.show(Event::Api { path: url.path(), answer });
        Ended::Granted
    }

    /// A request of the client as it is, without edits.
    fn form(&self, endpoint: Endpoint, url: &Url, params: &[(&str, &str)]) -> Composed {
        form_post(self.at(endpoint, url), params, &self.login.client, &Edits::default())
    }

    fn at<'b>(&'b self, endpoint: Endpoint, url: &'b Url) -> At<'b> {
        At::with(endpoint, url.as_str(), &self.login.params, &self.login.headers)
    }

    fn said(&self, error: &ServerError) -> Said {
        let fit = |text: &str| self.hidden.text(text, LONGEST_WORDS);
        Said { code: fit(&error.code), description: error.description.as_deref().map(fit) }
    }

    /// Why there is no answer, fit to be shown: some of it may be a server's text.
    fn reason(&self, none: &NoAnswer) -> String {
        self.hidden.text(&none.to_string(), LONGEST_WORDS)
    }

    /// How it ends without codes: an answer that broke off or has no end is the server's fault.
    fn over(&self, endpoint: &str, none: &NoAnswer) -> Ended {
        let reason = self.reason(none);
        match none {
            NoAnswer::CutOff(_) | NoAnswer::TooLarge(_) => Ended::Protocol(format!("{endpoint}: {reason}")),
            NoAnswer::Ours(_) => Ended::Ours(format!("{endpoint}: {reason}")),
            NoAnswer::Refused | NoAnswer::Unreachable(_) | NoAnswer::TimedOut(_) | NoAnswer::Tls(_) => {
                Ended::Ours(format!(
                    "{endpoint}: {reason}; is the server running, and is its address in the target file right?"
                ))
            }
        }
    }
}

/// What an exchange without an answer means for a poll (RFC 8628 §3.5, the paragraph on connection time-outs). An
/// answer without an end is an answer.
fn without_answer(none: &NoAnswer) -> Polled {
    let answer = match none {
        NoAnswer::TooLarge(_) => Answer::Unusable,
        NoAnswer::Refused
        | NoAnswer::Unreachable(_)
        | NoAnswer::TimedOut(_)
        | NoAnswer::CutOff(_)
        | NoAnswer::Tls(_)
        | NoAnswer::Ours(_) => Answer::NoAnswer { retry_after: None },
    };
    Polled { answer, error: None, token: None }
}

/// An answer without its body, which may hold a secret under any name.
fn summary(reply: &exchange::Answer) -> String {
    let kind = reply.header("content-type").next().unwrap_or("no content type");
    let bytes = reply.body.len();
    format!("{} ({}, {bytes} {})", reply.status, plain(kind, 60), if bytes == 1 { "byte" } else { "bytes" })
}

/// Whether the server put the device code into what a person sees. A very short one may be there by chance.
fn gives_away(codes: &Codes) -> bool {
    let secret = codes.device_code.expose();
    [Some(&codes.user_code), Some(&codes.verification_uri), codes.complete.as_ref()]
        .into_iter()
        .flatten()
        .any(|seen| seen == secret || (secret.len() >= 8 && seen.contains(secret)))
}

/// Opens the complete URI, or else the plain one, but nothing that is not a web page.
fn open(browser: Browser, codes: &Codes) -> Result<(), String> {
    let uri = codes.complete.as_ref().unwrap_or(&codes.verification_uri);
    let page = Url::parse(uri).map_err(|error| error.to_string())?;
    if !keeps_secrets(&page) {
        return Err("it is not an https address".to_owned());
    }
    browser(&page).map_err(|error| error.to_string())
}
