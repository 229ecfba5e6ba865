//! What the edits of several faults are made of. Knows no fault.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

use super::super::endpoint::Endpoint;
use super::super::reply::{Body, Reply};
use super::super::request::Request;
use crate::protocol::DEVICE_CODE_GRANT;

impl Reply {
    /// A member of the JSON body.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let Body::Json(members) = &self.body else { return None };
        members.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// Whether it is an error of this code.
    pub(super) fn says(&self, word: &str) -> bool {
        self.get("error").and_then(Value::as_str) == Some(word)
    }

    /// Whether it is any error.
    pub(super) fn is_error(&self) -> bool {
        self.get("error").is_some()
    }

    /// Changes the value of a member, where there is one.
    pub(super) fn change(&mut self, name: &str, change: impl Fn(&Value) -> Value) {
        let Body::Json(members) = &mut self.body else { return };
        for (_, value) in members.iter_mut().filter(|(found, _)| found == name) {
            *value = change(value);
        }
    }

    /// Changes a member's name.
    pub(super) fn rename(&mut self, name: &str, to: &str) {
        let Body::Json(members) = &mut self.body else { return };
        for (found, _) in members.iter_mut().filter(|(found, _)| found == name) {
            to.clone_into(found);
        }
    }

    /// The text of a member; empty if it is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Puts a value in place of a member's, where there is one.
    pub(super) fn put_value(&mut self, name: &str, value: Value) {
        self.change(name, |_| value.clone());
    }

    /// Puts text in place of a member's value, where there is one.
    pub(super) fn put(&mut self, name: &str, text: &str) {
        self.put_value(name, Value::from(text));
    }

    /// Puts text in place of other text within a member.
    pub(super) fn replace_in(&mut self, name: &str, from: &str, to: &str) {
        self.change(name, |value| {
            value.as_str().map_or_else(|| value.clone(), |text| Value::from(text.replace(from, to)))
        });
    }

    /// Adds a member, whether there is one of its name or not.
    pub(super) fn add(&mut self, name: &str, value: Value) {
        if let Body::Json(members) = &mut self.body {
            members.push((name.to_owned(), value));
        }
    }

    /// Writes the members as a form.
    pub(super) fn become_form(&mut self) {
        let Body::Json(members) = &self.body else { return };
        let pairs = members.iter().map(|(name, value)| {
            (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        });
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.set_text("application/x-www-form-urlencoded", text);
    }

    /// Takes a member away.
    pub(super) fn drop_member(&mut self, name: &str) {
        if let Body::Json(members) = &mut self.body {
            members.retain(|(found, _)| found != name);
        }
    }

    /// Takes every header of this name away.
    pub(super) fn drop_header(&mut self, name: &HeaderName) {
        self.headers.retain(|(found, _)| found != name);
    }

    /// Puts a header in place of those of the same name.
    pub(super) fn set_header(&mut self, name: HeaderName, value: &'static str) {
        self.drop_header(&name);
        self.headers.push((name, HeaderValue::from_static(value)));
    }

    /// Puts text in place of the body.
    pub(super) fn set_text(&mut self, media_type: &'static str, text: impl Into<String>) {
        self.set_header(header::CONTENT_TYPE, media_type);
        self.body = Body::Text(text.into());
    }

    /// Puts a crash in place of the answer.
    pub(super) fn crash(&mut self) {
        self.status = StatusCode::INTERNAL_SERVER_ERROR;
        self.set_text("text/html; charset=utf-8", "<!doctype html><title>Internal Server Error</title>");
    }
}

impl Request {
    /// Whether it goes to one of the two endpoints of the device grant.
    pub(super) fn is_protocol(&self) -> bool {
        matches!(self.endpoint, Endpoint::DeviceAuthorization | Endpoint::Token)
    }

    /// Whether it is a poll, whatever else is right about it.
    pub(in super::super) fn is_poll(&self) -> bool {
        self.parameter("grant_type").is_some_and(|grant| grant == DEVICE_CODE_GRANT)
    }

    /// Whether it carries HTTP Basic credentials.
    pub(super) fn has_basic(&self) -> bool {
        self.headers.contains_key(header::AUTHORIZATION)
    }

    /// Its media type with parameters; empty if it names none.
    pub(super) fn media_type(&self) -> &str {
        self.header(&header::CONTENT_TYPE).unwrap_or_default()
    }

    /// Puts a parameter in place of those of the same name.
    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.edit(|parameters| {
            parameters.retain(|(found, _)| found != name);
            parameters.push((name.to_owned(), value.to_owned()));
        });
    }

    /// The parameters of the body, as far as they are a form.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        if self.is_form() {
            url::form_urlencoded::parse(&self.body).into_owned().collect()
        } else {
            Vec::new()
        }
    }

    /// A parameter of the body.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters().into_iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    /// Puts parameters in place of the body.
    pub(super) fn set_parameters(&mut self, parameters: &[(String, String)]) {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.body = Bytes::from(text);
    }

    /// Changes the parameters of a form; what is no form stays as it is.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut Vec<(String, String)>)) {
        let before = self.parameters();
        let mut after = before.clone();
        edit(&mut after);
        if after != before {
            self.set_parameters(&after);
        }
    }

    /// Takes a GET for a POST of its query.
    pub(super) fn take_get_for_post(&mut self) {
        if self.method == Method::GET {
            self.method = Method::POST;
            self.body = Bytes::from(std::mem::take(&mut self.query));
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            self.headers.insert(header::CONTENT_TYPE, form);
        }
    }
}
