//! The least server that a load generator can be measured with: each device authorization request is given a fresh code of
//! 43 characters that lives 1800 s, and every poll is answered `authorization_pending`. One thread, no state.
//!
//! `minimal_server PORT INTERVAL [MILLISECONDS]`, where every poll is answered after so many; it ends when its standard
//! input does.

use std::cell::Cell;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CONSONANTS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const PENDING: &str = r#"{"error":"authorization_pending"}"#;

/// Codes that nobody had before.
struct Mint {
    key: RandomState,
    next: Cell<u64>,
}

impl Mint {
    /// A device code and a user code.
    fn codes(&self) -> (String, String) {
        let number = self.next.get();
        self.next.set(number + 1);
        let mut device = String::with_capacity(43);
        let mut word = 0;
        for nth in 0..43_u64 {
            if nth % 8 == 0 {
                word = self.key.hash_one((number, nth));
            }
            device.push(char::from(LETTERS[(word & 63) as usize]));
            word >>= 8;
        }
        // Each number below 20^8 once, in no order that shows: the factor shares no divisor with 20.
        let mut rest = number.wrapping_mul(9_876_543_211) % 20_u64.pow(8);
        let mut user = String::with_capacity(9);
        for nth in 0..8 {
            if nth == 4 {
                user.push('-');
            }
            user.push(char::from(CONSONANTS[(rest % 20) as usize]));
            rest /= 20;
        }
        (device, user)
    }
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(
    request: Request<Incoming>,
    mint: &Mint,
    origin: &str,
    interval: u64,
    delay: Duration,
) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/token" => {
            // The body is read, as a server would; an error is the client's.
            let _ = request.into_body().collect().await;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            json(StatusCode::BAD_REQUEST, PENDING)
        }
        "/code" => {
            let _ = request.into_body().collect().await;
            let (code, user) = mint.codes();
            json(
                StatusCode::OK,
                format!(
                    r#"{{"device_code":"{code}","user_code":"{user}","verification_uri":"{origin}/activate","expires_in":1800,"interval":{interval}}}"#
                ),
            )
        }
        _ => json(StatusCode::NOT_FOUND, "{}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let interval = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    let delay = Duration::from_millis(arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let origin: &'static str = Box::leak(format!("http://{}", listener.local_addr()?).into_boxed_str());
    writeln!(std::io::stdout(), "{origin}")?;
    let mint: &'static Mint = Box::leak(Box::new(Mint { key: RandomState::new(), next: Cell::new(0) }));
    let local = tokio::task::LocalSet::new();
    local.spawn_local(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            // Without it an answer in two segments would wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            tokio::task::spawn_local(async move {
                let service = service_fn(move |request| async move {
                    Ok::<_, Infallible>(answer(request, mint, origin, interval, delay).await)
                });
                // A connection that breaks is its client's.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    let stdin = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    local.run_until(async { stdin.await.is_ok() }).await;
    Ok(())
}
