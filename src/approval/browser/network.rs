//! What the log of a ChromeDriver says of the requests of a page. Knows no window.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use serde::Deserialize;
use serde_json::Value;

/// All requests since the last look at them.
#[derive(Default)]
pub(super) struct Network {
    hops: Vec<Hop>,
    /// Headers as they went over the network, by request, hop for hop: the usual ones leave out cookies.
    raw_requests: BTreeMap<String, Vec<Value>>,
    raw_answers: BTreeMap<String, Vec<Value>>,
}

/// One request; one of a redirect is a hop of its own.
struct Hop {
    id: String,
    /// How many hops of this request came before.
    number: usize,
    kind: String,
    frame: String,
    request: Value,
    response: Option<Value>,
    ended: Option<Ended>,
}

/// How it ended.
enum Ended {
    Answered,
    /// What the browser says of it.
    Failed(String),
}

/// A request for a page, and its answer or why there is none.
pub(super) struct Fetch {
    pub(super) request: Request<Bytes>,
    pub(super) answer: Result<Response<Bytes>, String>,
}

/// One line of the log.
#[derive(Deserialize)]
pub(super) struct Line {
    message: String,
}

#[derive(Deserialize)]
struct Message {
    message: Event,
}

#[derive(Deserialize)]
struct Event {
    method: String,
    params: Value,
}

impl Network {
    /// Takes in what the log says.
    pub(super) fn hear(&mut self, lines: &[Line]) {
        for line in lines {
            if let Ok(Message { message }) = serde_json::from_str(&line.message) {
                self.take(message);
            }
        }
    }

    fn take(&mut self, Event { method, mut params }: Event) {
        let id = text(&params, "/requestId");
        match method.as_str() {
            "Network.requestWillBeSent" => {
                let number = self.hops.iter().filter(|hop| hop.id == id).count();
                if let (Some(redirect), Some(before)) = (params.get_mut("redirectResponse"), self.last(&id)) {
                    before.response = Some(redirect.take());
                    before.ended = Some(Ended::Answered);
                }
                self.hops.push(Hop {
                    number,
                    kind: text(&params, "/type"),
                    frame: text(&params, "/frameId"),
                    request: params.get_mut("request").map(Value::take).unwrap_or_default(),
                    id,
                    response: None,
                    ended: None,
                });
            }
            "Network.responseReceived" => {
                let response = params.get_mut("response").map(Value::take);
                if let Some(hop) = self.last(&id) {
                    hop.response = response;
                }
            }
            "Network.requestWillBeSentExtraInfo" => {
                self.raw_requests.entry(id).or_default().push(params["headers"].take());
            }
            "Network.responseReceivedExtraInfo" => {
                self.raw_answers.entry(id).or_default().push(params["headers"].take());
            }
            "Network.loadingFinished" => self.end(&id, Ended::Answered),
            "Network.loadingFailed" => self.end(&id, Ended::Failed(text(&params, "/errorText"))),
            _ => {}
        }
    }

    fn last(&mut self, id: &str) -> Option<&mut Hop> {
        self.hops.iter_mut().rev().find(|hop| hop.id == id)
    }

    fn end(&mut self, id: &str, ended: Ended) {
        if let Some(hop) = self.last(id) {
            hop.ended = Some(ended);
        }
    }

    /// Whether a page, or what a script asked for, is still on its way.
    pub(super) fn is_busy(&self) -> bool {
        self.hops.iter().any(|hop| hop.ended.is_none() && (hop.is_page() || hop.is_of_script()))
    }

    /// Whether anything came that a page or a script asked for.
    pub(super) fn has_answers(&self) -> bool {
        self.hops.iter().any(|hop| hop.ended.is_some() && (hop.is_page() || hop.is_of_script()))
    }

    /// The status of the last page of a frame; where no page came, that of a script's request that was refused.
    pub(super) fn status(&self, frame: &str) -> Option<u16> {
        let pages = self.hops.iter().rev().filter(|hop| hop.is_page_of(frame));
        pages.filter_map(Hop::status).next().or_else(|| {
            let mut scripts = self.hops.iter().rev().filter(|hop| hop.is_of_script()).filter_map(Hop::status);
            scripts.find(|status| *status >= 400)
        })
    }

    /// Why the last page of a frame could not be fetched.
    pub(super) fn failure(&self, frame: &str) -> Option<&str> {
        let last = self.hops.iter().rev().find(|hop| hop.is_page_of(frame))?;
        match &last.ended {
            // Downloads and pages that are left again are no failures of the server.
            Some(Ended::Failed(why)) if last.response.is_none() && why != "net::ERR_ABORTED" => Some(why),
            _ => None,
        }
    }

    /// Every page that a frame asked for; the log begins anew.
    pub(super) fn pages(&mut self, frame: &str) -> Vec<Fetch> {
        let Self { hops, raw_requests, raw_answers } = std::mem::take(self);
        let raw = |all: &BTreeMap<String, Vec<Value>>, hop: &Hop| all.get(&hop.id)?.get(hop.number).cloned();
        hops.iter()
            .filter(|hop| hop.is_page_of(frame))
            .filter_map(|hop| hop.fetch(raw(&raw_requests, hop), raw(&raw_answers, hop)))
            .collect()
    }
}

impl Hop {
    fn is_page(&self) -> bool {
        self.kind == "Document"
    }

    fn is_page_of(&self, frame: &str) -> bool {
        self.is_page() && self.frame == frame
    }

    fn is_of_script(&self) -> bool {
        self.kind == "XHR" || self.kind == "Fetch"
    }

    fn status(&self) -> Option<u16> {
        self.response.as_ref()?.get("status")?.as_u64()?.try_into().ok()
    }

    fn fetch(&self, raw_request: Option<Value>, raw_answer: Option<Value>) -> Option<Fetch> {
        let body = Bytes::from(text(&self.request, "/postData"));
        let method = text(&self.request, "/method");
        let url = text(&self.request, "/url");
        let mut request = Request::builder().method(method.as_str()).uri(url).body(body).ok()?;
        *request.headers_mut() = headers(&raw_request.unwrap_or_else(|| self.request["headers"].clone()));
        let answer = match (&self.response, &self.ended) {
            (Some(response), _) => {
                let mut answer = Response::builder().status(self.status()?).body(Bytes::new()).ok()?;
                *answer.headers_mut() = headers(&raw_answer.unwrap_or_else(|| response["headers"].clone()));
                Ok(answer)
            }
            (None, Some(Ended::Failed(why))) => Err(why.clone()),
            (None, _) => return None,
        };
        Some(Fetch { request, answer })
    }
}

/// Headers as the browser tells them: of several of one name the values stand in lines.
fn headers(told: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in told.as_object().into_iter().flatten() {
        for line in value.as_str().unwrap_or_default().split('\n') {
            // Those of HTTP/2 that begin with a colon are none.
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(line)) {
                headers.append(name, value);
            }
        }
    }
    headers
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard(events: &[(&str, Value)]) -> Network {
        let lines: Vec<Line> = events
            .iter()
            .map(|(method, params)| {
                let message = json!({ "message": { "method": method, "params": params }, "webview": "W" });
                Line { message: message.to_string() }
            })
            .collect();
        let mut network = Network::default();
        network.hear(&lines);
        network
    }

    fn will(id: &str, kind: &str, url: &str) -> Value {
        let request =
            json!({ "url": url, "method": "POST", "postData": "a=1", "headers": { "accept": "*/*" } });
        json!({ "requestId": id, "type": kind, "frameId": "W", "request": request })
    }

    #[test]
    fn a_redirect_is_a_page_of_its_own_and_raw_headers_go_first() {
        let mut after = will("1", "Document", "http://127.0.0.1/next");
        after["redirectResponse"] = json!({ "status": 303, "headers": { "location": "/next" } });
        let mut network = heard(&[
            ("Network.requestWillBeSent", will("1", "Document", "http://127.0.0.1/first")),
            (
                "Network.responseReceivedExtraInfo",
                json!({ "requestId": "1", "headers": { "set-cookie": "a=1\nb=2" } }),
            ),
            ("Network.requestWillBeSent", after),
            (
                "Network.responseReceived",
                json!({ "requestId": "1", "response": { "status": 200, "headers": { "x": "y" } } }),
            ),
            ("Network.requestWillBeSent", will("2", "XHR", "http://127.0.0.1/api")),
        ]);
        assert!(network.is_busy(), "neither the page nor the script's request has ended");
        network.end("1", Ended::Answered);
        network.end("2", Ended::Failed("net::ERR_FAILED".to_owned()));
        assert!(!network.is_busy() && network.has_answers());
        assert_eq!((network.status("W"), network.failure("W")), (Some(200), None));
        let pages = network.pages("W");
        let [first, second] = pages.as_slice() else { panic!("{}", pages.len()) };
        assert_eq!(first.request.body(), "a=1");
        let answer = first.answer.as_ref().unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert_eq!(second.answer.as_ref().unwrap().headers()["x"], "y");
        assert!(network.pages("W").is_empty(), "the log begins anew");
    }

    #[test]
    fn a_server_that_is_away_and_a_script_that_is_refused_are_told() {
        let network = heard(&[
            ("Network.requestWillBeSent", will("1", "Document", "http://127.0.0.1/")),
            (
                "Network.loadingFailed",
                json!({ "requestId": "1", "errorText": "net::ERR_CONNECTION_REFUSED" }),
            ),
        ]);
        assert_eq!(network.failure("W"), Some("net::ERR_CONNECTION_REFUSED"));
        let network = heard(&[
            ("Network.requestWillBeSent", will("2", "Fetch", "http://127.0.0.1/api")),
            (
                "Network.responseReceived",
                json!({ "requestId": "2", "response": { "status": 403, "headers": {} } }),
            ),
            ("Network.loadingFinished", json!({ "requestId": "2" })),
        ]);
        assert_eq!((network.status("W"), network.failure("W")), (Some(403), None));
    }
}
