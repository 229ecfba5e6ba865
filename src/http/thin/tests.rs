//! What one exchange does, byte for byte.

mod differential;
mod fuzz;
mod generator;
mod opening;
mod requests;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use super::*;
use crate::http::LARGEST_BODY;

/// What the server of a test has read before it answers.
const REQUEST: &[u8] = b"POST /token HTTP/1.1\r\ncontent-length: 1\r\n\r\nx";

/// An answer that nobody borrows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    status: u16,
    body: Vec<u8>,
}

impl Seen {
    fn new(reply: &Reply<'_>) -> Self {
        Self { status: reply.status, body: reply.body.to_vec() }
    }

    fn of(status: u16, body: &str) -> Self {
        Self { status, body: body.into() }
    }
}

fn pair() -> (Thin<DuplexStream>, DuplexStream) {
    let (client, server) = duplex(4 << 20);
    (Thin::new(client), server)
}

async fn exchange(thin: &mut Thin<DuplexStream>, scratch: &Scratch) -> Result<Seen, Failure> {
    let exchanged = thin.exchange(REQUEST, scratch, |reply| Seen::new(&reply));
    timeout(Duration::from_secs(60), exchanged).await.expect("an exchange that hangs")
}

/// Reads a request, whose body is `x`, then sends these pieces; each is read before the next is there.
async fn serve(server: &mut DuplexStream, pieces: &[&[u8]]) -> Vec<u8> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\nx") {
        assert_ne!(server.read_buf(&mut request).await.unwrap(), 0, "no request came");
    }
    for piece in pieces {
        // The client may be gone: it does not read on when it has seen enough.
        let _ = server.write_all(piece).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    request
}

/// The same for the last exchange of a connection, which is closed then, or is still open.
async fn serve_last(mut server: DuplexStream, pieces: &[&[u8]], closes: bool) -> Option<DuplexStream> {
    serve(&mut server, pieces).await;
    Some(server).filter(|_| !closes)
}

/// One exchange over a new connection.
async fn answered(pieces: &[&[u8]], closes: bool) -> (Result<Seen, Failure>, bool) {
    let (mut thin, server) = pair();
    let scratch = Scratch::new();
    let (seen, _open) = tokio::join!(exchange(&mut thin, &scratch), serve_last(server, pieces, closes));
    (seen, thin.is_reusable())
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_answer_and_the_use_of_its_connection() {
    let pending = r#"{"error":"authorization_pending"}"#;
    let of = |body| Ok(Seen::of(400, body));
    let cases: [(&str, bool, Result<Seen, Failure>, bool); 22] = [
        (&format!("HTTP/1.1 400 \r\ncontent-length: 33\r\n\r\n{pending}"), false, of(pending), true),
        ("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\nConnection: Close\r\n\r\n{}", false, of("{}"), false),
        ("HTTP/1.1 400 Bad\r\nContent-Length: 2, 2\r\ncontent-length: 2\r\n\r\n{}", false, of("{}"), true),
        ("HTTP/1.0 400 Bad\r\ncontent-length: 2\r\n\r\n{}", false, of("{}"), false),
        ("HTTP/1.0 400 Bad\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}", false, of("{}"), true),
        ("HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\n{}surplus", false, of("{}"), false),
        ("HTTP/1.1 400 Bad\r\n\r\nall of it", true, of("all of it"), false),
        ("HTTP/1.1 400 Bad\r\ntransfer-encoding: gzip\r\n\r\nraw", true, of("raw"), false),
        (
            "HTTP/1.1 400 B\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA \r\n0123456789\r\n0\r\n\r\n",
            false,
            of("abc0123456789"),
            true,
        ),
        (
            "HTTP/1.1 400 B\r\ntransfer-encoding: gzip, Chunked\r\ncontent-length: 99\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n",
            false,
            of("a"),
            true,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n",
            false,
            Ok(Seen::of(204, "")),
            true,
        ),
        ("HTTP/1.1 304 Not\r\ntransfer-encoding: chunked\r\n\r\n", false, Ok(Seen::of(304, "")), true),
        ("HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", false, Ok(Seen::of(101, "")), false),
        ("HTTP/1.1 400 Bad\r\ncontent-length: 3\r\n\r\n{}", true, Err(Failure::ClosedEarly), false),
        (
            "HTTP/1.1 400 B\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
            true,
            Err(Failure::ClosedEarly),
            false,
        ),
        ("HTTP/1.1 400 B\r\n", true, Err(Failure::ClosedEarly), false),
        ("", true, Err(Failure::ClosedEarly), false),
        ("SSH-2.0-OpenSSH\r\n", false, Err(Failure::Malformed("version")), false),
        (
            "HTTP/1.1 400 B\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
            false,
            Err(Failure::Malformed("content-length")),
            false,
        ),
        (
            "HTTP/1.1 400 B\r\ncontent-length: +2\r\n\r\n{}",
            false,
            Err(Failure::Malformed("content-length")),
            false,
        ),
        (
            "HTTP/1.0 400 B\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            false,
            Err(Failure::Malformed("transfer-encoding in HTTP/1.0")),
            false,
        ),
        (
            "HTTP/1.1 400 B\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            false,
            Err(Failure::Malformed("chunk end")),
            false,
        ),
    ];
    for (answer, closes, seen, is_reusable) in &cases {
        let expected = (seen.clone(), *is_reusable);
        assert_eq!(answered(&[answer.as_bytes()], *closes).await, expected, "{answer:?}");
        let bytes: Vec<&[u8]> = answer.as_bytes().chunks(1).collect();
        // Byte by byte, the surplus is not there yet when the answer ends.
        let is_reusable = *is_reusable || answer.ends_with("surplus");
        assert_eq!(answered(&bytes, *closes).await, (seen.clone(), is_reusable), "bytes of {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_up_to_its_limits_is_read_and_no_more() {
    let body = "x".repeat(LARGEST_BODY);
    let whole = Ok(Seen::of(200, &body));
    for (head, tail, surplus) in [
        ("content-length: 1048576", "", ""),
        ("content-length: 1048577", "", "x"),
        ("connection: close", "", ""),
        ("connection: close", "", "x"),
        ("transfer-encoding: chunked", "\r\n0\r\n\r\n", ""),
        ("transfer-encoding: chunked", "\r\n0\r\na: b\r\n\r\n", ""),
        ("transfer-encoding: chunked", "\r\n1\r\nx\r\n0\r\n\r\n", "counted"),
    ] {
        let size = if head.starts_with("transfer") { "100000\r\n" } else { "" };
        let sent = if surplus == "x" { "x" } else { "" };
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{size}{body}{sent}{tail}");
        let seen = answered(&[answer.as_bytes()], true).await.0;
        let expected = if surplus.is_empty() { whole.clone() } else { Err(Failure::TooLarge) };
        assert!(seen == expected, "{head} {tail:?} {surplus}");
    }
    for (length, fits) in [(LARGEST_HEAD, true), (LARGEST_HEAD + 1, false)] {
        let (start, end) = ("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\nx: ", "\r\n\r\n");
        let filling = "y".repeat(length - start.len() - end.len());
        let head = format!("{start}{filling}{end}");
        for cut in [1, 17, 18, 19, 40_000, length - 1] {
            let (first, rest) = head.as_bytes().split_at(cut);
            let seen = answered(&[first, rest], false).await.0;
            let expected = if fits { Ok(Seen::of(204, "")) } else { Err(Failure::TooLarge) };
            assert_eq!(seen, expected, "a head of {length} bytes, cut at {cut}");
        }
    }
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(LARGEST_HEAD / 20);
    assert_eq!(answered(&[endless.as_bytes()], false).await.0, Err(Failure::TooLarge));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_closed_while_idle_is_told_apart() {
    let ok: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"];
    let scratch = Scratch::new();

    // Closed before the next request: nothing is written.
    let (mut thin, mut server) = pair();
    let (first, _) = tokio::join!(exchange(&mut thin, &scratch), serve(&mut server, ok));
    assert_eq!(first, Ok(Seen::of(200, "{}")));
    drop(server);
    assert_eq!(exchange(&mut thin, &scratch).await, Err(Failure::ClosedIdle { written: false }));
    assert!(!thin.is_reusable());
    assert_eq!(exchange(&mut thin, &scratch).await, Err(Failure::ClosedIdle { written: false }));

    // Spoken over while idle, as servers do that tell of their closing: that is no answer to the next request.
    let (mut thin, mut server) = pair();
    let (first, _) = tokio::join!(exchange(&mut thin, &scratch), serve(&mut server, ok));
    assert!(first.is_ok() && thin.is_reusable());
    server.write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert_eq!(exchange(&mut thin, &scratch).await, Err(Failure::ClosedIdle { written: false }));
    let mut nothing = [0];
    drop(thin);
    assert_eq!(server.read(&mut nothing).await.unwrap(), 0, "the second request went out");

    // Closed when the request is on its way.
    let (mut thin, mut server) = pair();
    let (first, _) = tokio::join!(exchange(&mut thin, &scratch), serve(&mut server, ok));
    assert!(first.is_ok());
    let (second, _) = tokio::join!(exchange(&mut thin, &scratch), serve_last(server, &[], true));
    assert_eq!(second, Err(Failure::ClosedIdle { written: true }));
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_was_dropped_spends_the_connection() {
    let (mut thin, mut server) = pair();
    let scratch = Scratch::new();
    let serving = serve(&mut server, &[b"HTTP/1.1 200 OK\r\ncontent-le"]);
    let exchanged = timeout(Duration::from_secs(5), thin.exchange(REQUEST, &scratch, |_| ()));
    let (timed_out, _) = tokio::join!(exchanged, serving);
    assert!(timed_out.is_err());
    assert!(!thin.is_reusable());
}

#[tokio::test(start_paused = true)]
async fn exchanges_that_overlap_do_not_mix_in_the_scratch_buffer() {
    let scratch = Scratch::new();
    let one = async |number: usize| {
        let (mut thin, mut server) = pair();
        for round in 0..20 {
            let body = format!("{number} in {round} ").repeat(number * 50 + 1);
            let answer = if number.is_multiple_of(2) {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            } else {
                format!(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                    body.len()
                )
            };
            let pieces: Vec<&[u8]> = answer.as_bytes().chunks(7 + number * round).collect();
            let (seen, _) = tokio::join!(exchange(&mut thin, &scratch), serve(&mut server, &pieces));
            assert_eq!(seen, Ok(Seen::of(200, &body)));
        }
    };
    futures_util::future::join_all((0..16).map(one)).await;
}

#[tokio::test(start_paused = true)]
async fn headers_are_given_as_they_came() {
    let answer: &[u8] =
        b"HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\ncontent-TYPE: application/json;charset=UTF-8\r\n\
        Cache-Control: no-store\r\ncache-control: private\r\ncontent-length: 0\r\n\r\n";
    for cut in 1..answer.len() {
        let (mut thin, mut server) = pair();
        let scratch = Scratch::new();
        let pieces = [&answer[..cut], &answer[cut..]];
        let look = |reply: Reply<'_>| {
            assert_eq!(reply.status, 429);
            assert_eq!(reply.retry_after, Some(&b"7"[..]));
            assert_eq!(reply.content_type, Some(&b"application/json;charset=UTF-8"[..]));
            assert_eq!(reply.cache_control, Some(&b"no-store"[..]));
            assert_eq!(reply.head, answer);
            let headers = reply.headers();
            assert_eq!(headers.len(), 5);
            assert_eq!(headers[3], ("cache-control", &b"private"[..]));
        };
        let (looked, request) =
            tokio::join!(thin.exchange(REQUEST, &scratch, look), serve(&mut server, &pieces));
        looked.unwrap();
        assert_eq!(request, REQUEST);
    }
}

#[test]
fn a_connection_is_small() {
    assert!(size_of::<Thin<Stream>>() <= 64, "{} bytes", size_of::<Thin<Stream>>());
}
