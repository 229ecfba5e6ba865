//! What stops a run before anything is judged: nobody listens, TLS does not come out, a configured path is not there, a
//! client is refused by name. Knows how each is told from a server that answers badly, which is judged.

use std::fmt;

use url::Url;

use super::link::Link;
use crate::exchange::{Exchange, NoAnswer};
use crate::outcome::Outcome;

/// Why nothing can be judged. `Display` is the sentence alone, `Debug` is [`Trouble::text`]: a test that unwraps shows
/// everything.
#[derive(thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// One sentence.
    pub message: String,
    /// What was sent and what came, in a few lines.
    pub detail: Option<String>,
    /// What to do next.
    pub help: String,
}

impl Trouble {
    /// Everything, for people: the sentence, what was seen, what to do next.
    #[must_use]
    pub fn text(&self) -> String {
        format!("error: {}", self.words())
    }

    /// The same without the word `error`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut lines = vec![self.message.clone()];
        if let Some(detail) = &self.detail {
            lines.push(String::new());
            lines.extend(detail.lines().map(|line| format!("  {line}").trim_end().to_owned()));
            lines.push(String::new());
        }
        lines.push(format!("help: {}", self.help));
        lines.join("\n")
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Somebody listens where this was sent, and speaks what the address says.
pub(super) async fn somebody_is_there(link: &Link, exchange: &Exchange) -> Result<(), Trouble> {
    let origin = origin(&exchange.asked.url);
    let (message, help) = match &exchange.answer {
        Err(NoAnswer::Refused) => (format!("nobody listens at {origin}"), IS_IT_RUNNING),
        Err(NoAnswer::Unreachable(why)) if speaks_no_tls(why) => (
            format!("{origin} does not speak TLS: {why}"),
            "is it plain http? then write http:// in the target file",
        ),
        Err(error @ NoAnswer::Unreachable(_)) => (format!("{origin}: {error}"), IS_IT_RUNNING),
        Err(error @ NoAnswer::Tls(_)) => (
            format!("{origin}: {error}"),
            "is the certificate good? an authority of your own is trusted with --ca FILE, or tls: { ca: FILE } in the target file",
        ),
        Err(NoAnswer::Ours(error)) => return Err(refused_by_us(error)),
        Ok(_) | Err(_) if speaks_tls(link, exchange).await => {
            (format!("{origin} speaks TLS, and the address says http"), "write https:// in the target file")
        }
        Ok(_) | Err(_) => return Ok(()),
    };
    Err(Trouble { message, detail: None, help: help.to_owned() })
}

const IS_IT_RUNNING: &str = "is the server running, and is the address in the target file right?";

fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// What rustls says of a first answer that is no TLS at all.
fn speaks_no_tls(why: &str) -> bool {
    why.contains("InvalidContentType") || why.contains("corrupt message")
}

/// Asked in the clear, the server sends to https at the same host, or what came is what a TLS port says to plain http and
/// a handshake there finds a certificate.
async fn speaks_tls(link: &Link, exchange: &Exchange) -> bool {
    let Ok(plain) = Url::parse(&exchange.asked.url) else { return false };
    if plain.scheme() != "http" || !link.shared().has_tls() {
        return false;
    }
    match &exchange.answer {
        Ok(answer) if (300..400).contains(&answer.status) => {
            let next = answer.header("location").next().and_then(|place| plain.join(place).ok());
            return next.is_some_and(|next| next.scheme() == "https" && next.host() == plain.host());
        }
        Err(NoAnswer::CutOff(_)) => {}
        Ok(answer) if answer.status == 400 && exchange.outcome() == Outcome::Wordless => {}
        Ok(_) | Err(_) => return false,
    }
    let mut secure = plain.clone();
    // Without a port it would be another one, and another server.
    if plain.port().is_none() || secure.set_scheme("https").is_err() {
        return false;
    }
    match link.shared().handshake(secure.as_str()).await {
        Ok(()) => true,
        Err(NoAnswer::Tls(why)) => why.to_lowercase().contains("certificate"),
        Err(_) => false,
    }
}

/// Trouble on this machine.
pub(super) fn refused_by_us(error: &str) -> Trouble {
    Trouble {
        message: format!("the first request could not be sent: {error}"),
        detail: None,
        help: "this is trouble on this machine, not the server's".to_owned(),
    }
}

/// There is an endpoint at this address; `key` is its name under `endpoints`.
pub(super) fn path_is_there(key: &str, exchange: &Exchange) -> Result<(), Trouble> {
    let Ok(answer) = &exchange.answer else { return Ok(()) };
    if exchange.outcome() != Outcome::Wordless || !matches!(answer.status, 404 | 405) {
        return Ok(());
    }
    Err(Trouble {
        message: format!("there is nothing at the {} endpoint", key.replace('_', " ")),
        detail: Some(format!("POST {} was answered {}", exchange.asked.url, answer.status)),
        help: format!("check endpoints.{key} in the target file, or the metadata that names it"),
    })
}

/// The client is refused by name: `invalid_client` or `unauthorized_client`.
pub(super) fn is_refused_by_name(exchange: &Exchange) -> bool {
    matches!(exchange.error_word(), Some("invalid_client" | "unauthorized_client"))
}
