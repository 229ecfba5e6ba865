//! The verbs after the grant, and the raw ones: the API, refresh, revocation, introspection, metadata, any request.

use std::sync::Arc;

use super::case::{Player, Stop, no_session, no_value};
use super::poll::has_effect;
use super::session::{Session, TokenSet};
use crate::compose::{Composed, bearer_get, form_post, plain_get, with_extra_headers};
use crate::exchange::{Exchange, Manner, NoAnswer};
use crate::outcome::Outcome;
use crate::protocol::{Capability, Endpoint, Role};
use crate::suite::{CallApi, Discover, Edits, Refresh, Request, Step, Tls, TokenKind, UseToken};
use crate::timing::Timekeeper;

impl<'a> Player<'a> {
    fn token_set(&self, session: &str, name: Option<&str>) -> Result<(&Session, &TokenSet), Stop> {
        let session_name = session;
        let session = self.session(session).ok_or_else(|| no_session(session_name))?;
        let set = session.token_set(name).ok_or_else(|| no_value(&format!("{session_name}.access_token")))?;
        Ok((session, set))
    }

    pub(super) async fn call_api(&mut self, call: &'a CallApi, step: &'a Step) -> Result<(), Stop> {
        let edits = self.edits(step, call.edits())?;
        let (session, set) = self.token_set(&call.session, call.token_set.as_deref())?;
        if let Some(at) = &call.at {
            let due = self.due_at(session, &call.session, at)?;
            self.run.link.wait_until(&self.name, due, "expiry of an access token").await;
        }
        let url = self.url(Endpoint::Api)?;
        has_effect("access_token", &set.access_token, &edits)?;
        let composed = bearer_get(self.run.link.at(Endpoint::Api, url), &set.access_token, &edits);
        let role = session.role;
        let exchange = self.send_patiently(Endpoint::Api, role, composed).await?;
        let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
        let is_good = (200..300).contains(&status);
        if edits == Edits::default() && call.at.is_none() {
            self.note(Capability::Api, is_good, &exchange);
        }
        if let Some(name) = &call.name {
            self.named.insert(name.clone(), exchange.clone());
        }
        if let Some(control) = call.control
            && control / 100 != status / 100
        {
            return Err(Stop::Control(format!(
                "its control failed: the API should answer {control}, exchange #{} was answered {}",
                exchange.number,
                self.short(&exchange)
            )));
        }
        let case = self.case;
        let expectations = case.expect_at(step);
        self.judge(expectations, &exchange);
        if expectations.is_empty() && call.control.is_none() {
            self.set_up("answer of the API", is_good, &exchange)?;
        }
        Ok(())
    }

    pub(super) async fn refresh(&mut self, refresh: &'a Refresh, step: &'a Step) -> Result<(), Stop> {
        for _ in 0..refresh.times.unwrap_or(1) {
            self.refresh_once(refresh, step).await?;
        }
        Ok(())
    }

    async fn refresh_once(&mut self, refresh: &'a Refresh, step: &'a Step) -> Result<(), Stop> {
        let edits = self.edits(step, refresh.edits())?;
        let (session, set) = self.token_set(&refresh.session, refresh.token_set.as_deref())?;
        let token = set
            .refresh_token
            .clone()
            .ok_or_else(|| no_value(&format!("{}.refresh_token", refresh.session)))?;
        has_effect("refresh_token", &token, &edits)?;
        let role = edits.client.unwrap_or(session.role);
        let client = self.client(role)?;
        let params = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let at = self.run.link.at(Endpoint::Token, &self.run.endpoints.token);
        let composed = form_post(at, &params, client, &edits);
        let exchange = self.send_patiently(Endpoint::Token, role, composed).await?;
        let granted = exchange.outcome() == Outcome::Granted;
        if edits == Edits::default() {
            self.note(Capability::Refresh, granted, &exchange);
        }
        if let Some(set) = TokenSet::read(&exchange, refresh.name.as_deref())
            && let Some(session) = self.sessions.get_mut(&refresh.session).and_then(|s| s.first_mut())
        {
            session.token_sets.push(set);
        }
        if let Some(name) = &refresh.name {
            self.named.insert(name.clone(), exchange.clone());
        }
        self.control(refresh.control, &exchange)?;
        let case = self.case;
        let expectations = case.expect_at(step);
        self.judge(expectations, &exchange);
        if expectations.is_empty() && refresh.control.is_none() {
            self.set_up("token from a refresh", granted, &exchange)?;
        }
        Ok(())
    }

    /// RFC 7009 §2.1 and RFC 7662 §2.1: the token, and what kind it is.
    pub(super) async fn use_token(
        &mut self,
        used: &'a UseToken,
        step: &'a Step,
        endpoint: Endpoint,
    ) -> Result<(), Stop> {
        let edits = self.edits(step, used.edits())?;
        let (session, set) = self.token_set(&used.session, used.token_set.as_deref())?;
        let kind = used.token.unwrap_or(TokenKind::AccessToken);
        let token = match kind {
            TokenKind::AccessToken => set.access_token.clone(),
            TokenKind::RefreshToken => set
                .refresh_token
                .clone()
                .ok_or_else(|| no_value(&format!("{}.refresh_token", used.session)))?,
        };
        let role = edits.client.unwrap_or(session.role);
        let params = [("token", token.as_str()), ("token_type_hint", kind.word())];
        let at = self.run.link.at(endpoint, self.url(endpoint)?);
        let composed = form_post(at, &params, self.client(role)?, &edits);
        let exchange = self.send_patiently(endpoint, role, composed).await?;
        // A revocation that answers 204 has happened all the same; which status it has is a check of its own.
        let is_good = |status| {
            if endpoint == Endpoint::Revocation { (200..300).contains(&status) } else { status == 200 }
        };
        let came_out = exchange.answer.as_ref().is_ok_and(|answer| is_good(answer.status));
        let plain = edits == (Edits { client: edits.client, ..Edits::default() });
        if plain {
            let capability = if endpoint == Endpoint::Revocation {
                Capability::Revocation
            } else {
                Capability::Introspection
            };
            self.note(capability, came_out, &exchange);
        }
        if let Some(name) = &used.name {
            self.named.insert(name.clone(), exchange.clone());
        }
        let case = self.case;
        let expectations = case.expect_at(step);
        self.judge(expectations, &exchange);
        if expectations.is_empty() {
            self.set_up(&format!("answer of the {endpoint} endpoint"), came_out, &exchange)?;
        }
        Ok(())
    }

    pub(super) async fn request(&mut self, request: &'a Request, step: &'a Step) -> Result<(), Stop> {
        if let Some(session) = request.session.as_deref().and_then(|name| self.session(name)) {
            let wait =
                request.after.as_ref().map_or_else(|| session.interval(), |after| after.length(session));
            let until = session.heard + wait;
            self.run.link.wait_until(&self.name, until, "the interval").await;
        }
        let url = self.url(request.to)?;
        let is_form = !request.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && !value.contains("x-www-form-urlencoded")
        });
        let values = self.values();
        let body = request.body.as_deref().unwrap_or_default();
        let body = values
            .filled(body, |value| if is_form { form_encoded(value) } else { json_escaped(value) })
            .map_err(|name| no_value(&name))?;
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            let value = values.filled(value, ToOwned::to_owned).map_err(|name| no_value(&name))?;
            headers.push((name.to_lowercase(), value));
        }
        if request.body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        let mut query = String::new();
        for (name, value) in &request.query {
            let value = values.filled(value, ToOwned::to_owned).map_err(|name| no_value(&name))?;
            query.push(if query.is_empty() && !url.contains('?') { '?' } else { '&' });
            query.push_str(&format!("{}={}", form_encoded(name), form_encoded(&value)));
        }
        let headers = with_extra_headers(self.run.link.at(request.to, url), headers);
        let composed = Composed {
            method: request.method.clone().unwrap_or_else(|| "POST".to_owned()),
            url: format!("{url}{query}"),
            manner: Manner {
                raw: true,
                authorization_header: headers.iter().any(|(name, _)| name == "authorization"),
                ..Manner::default()
            },
            headers,
            body: body.into_bytes(),
        };
        let exchange = self.send_at_pace(request, composed).await?;
        if let Some(name) = &request.name {
            self.named.insert(name.clone(), exchange.clone());
        }
        let case = self.case;
        self.judge(case.expect_at(step), &exchange);
        Ok(())
    }

    /// A raw request, of a session's pace where it names one: a slow_down is obeyed where the check does not name it.
    async fn send_at_pace(&mut self, request: &Request, composed: Composed) -> Result<Arc<Exchange>, Stop> {
        let mut tries = 0;
        loop {
            let exchange = self.send_patiently(request.to, Role::Tv, composed.clone()).await?;
            let session = request.session.as_ref().and_then(|name| self.sessions.get_mut(name)?.first_mut());
            let Some(session) = session else { return Ok(exchange) };
            session.answered(&exchange);
            let until = session.heard + session.interval();
            if !self.is_to_be_obeyed(&exchange, tries)? {
                return Ok(exchange);
            }
            tries += 1;
            self.run.link.wait_until(&self.name, until, "recovery from slow_down").await;
        }
    }

    pub(super) async fn discover(&mut self, discover: &'a Discover, step: &'a Step) -> Result<(), Stop> {
        let url = self
            .run
            .endpoints
            .metadata(discover.document)
            .ok_or_else(|| Stop::NotExercised("the target publishes no such metadata".to_owned()))?;
        let composed = plain_get(self.run.link.at(Endpoint::Metadata, url));
        let exchange = self.send_patiently(Endpoint::Metadata, Role::Tv, composed).await?;
        if let Some(name) = &discover.name {
            self.named.insert(name.clone(), exchange.clone());
        }
        self.judge(step.expect(), &exchange);
        if step.expect().is_empty() {
            let came_out = exchange.answer.as_ref().is_ok_and(|answer| answer.status == 200);
            self.set_up("metadata", came_out, &exchange)?;
        }
        Ok(())
    }

    pub(super) async fn handshake(&mut self, tls: &'a Tls) -> Result<(), Stop> {
        let url = self.url(tls.endpoint)?.to_owned();
        match self.transport.handshake(&url).await {
            Ok(()) => Ok(()),
            Err(NoAnswer::Ours(trouble)) => Err(Stop::Error(trouble)),
            Err(trouble) => {
                let expected =
                    format!("TLS 1.2 or 1.3 with a valid certificate at the {} endpoint", tls.endpoint);
                self.found(expected, trouble.to_string(), None);
                Ok(())
            }
        }
    }

    /// One request; a limiter is waited out where the check does not name it.
    async fn send_patiently(
        &self,
        endpoint: Endpoint,
        role: Role,
        composed: Composed,
    ) -> Result<Arc<Exchange>, Stop> {
        let mut tries = 0;
        loop {
            let exchange = self.send(endpoint, role, composed.clone()).await?;
            if !self.is_to_be_repeated(&exchange, tries)? {
                return Ok(exchange);
            }
            self.wait_out(&exchange).await;
            tries += 1;
        }
    }

    fn note(&self, capability: Capability, came_out: bool, exchange: &Exchange) {
        self.run.tried(capability, (!came_out).then(|| self.short(exchange)));
    }

    fn url(&self, endpoint: Endpoint) -> Result<&'a str, Stop> {
        let run: &'a super::run::Run = self.run;
        run.endpoints
            .url(endpoint)
            .ok_or_else(|| Stop::NotExercised(format!("the target has no {endpoint} endpoint")))
    }

    fn client(&self, role: Role) -> Result<&'a crate::target::Client, Stop> {
        let run: &'a super::run::Run = self.run;
        run.client(role)
            .ok_or_else(|| Stop::NotExercised(format!("the target names no client for the role {role}")))
    }
}

fn form_encoded(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// The value as it stands between the quotes of a JSON string.
fn json_escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value).to_owned()
}
