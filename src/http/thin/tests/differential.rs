//! The thin connection against hyper, which the runner reads with: the same bytes, cut at the same places, must come to
//! the same status and body, or to no answer; and the connection must be good for another request, or not.
//!
//! The thin connection is stricter in one point: a head, interim answers included, ends at [`LARGEST_HEAD`], where hyper
//! takes 408 KiB and any number of interim answers. It is earlier in two: it refuses a `Content-Length` above the limit
//! when it reads it, where the runner reads on until more bytes have come than it takes; and it sees a malformed head in
//! the first 16 KiB of it, where hyper looks at the first 8 KiB and then waits for the empty line. Laxer it is in none.
//! The runner's limit of a body is laid upon hyper here as the runner does it.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::generator::{Generator, Script};
use super::*;

/// What a client makes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The answer, and whether the connection is good for another request.
    Answer(Seen, bool),
    /// No answer, or none that HTTP allows.
    Failure,
    /// More would have to come.
    Waits,
}

/// Longer than any script takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the thin connection makes of it, and why not if not.
pub(super) async fn by_thin(script: &Script) -> (Judged, Option<Failure>) {
    let (mut thin, server) = pair();
    let scratch = Scratch::new();
    let exchanged = timeout(PATIENCE, thin.exchange(REQUEST, &scratch, |reply| Seen::new(&reply)));
    let pieces = script.pieces();
    let (seen, _open) = tokio::join!(exchanged, serve_last(server, &pieces, script.closes));
    match seen {
        Err(_) => (Judged::Waits, None),
        Ok(Err(failure)) => (Judged::Failure, Some(failure)),
        Ok(Ok(seen)) => {
            let is_silent = poll_fn(|cx| Poll::Ready(thin.is_silent(cx))).await;
            (Judged::Answer(seen, thin.is_reusable() && is_silent), None)
        }
    }
}

/// What hyper makes of it, with the runner's limit of a body.
pub(super) async fn by_hyper(script: &Script) -> Judged {
    let (client, server) = duplex(4 << 20);
    let (mut sender, connection) = http1::handshake(TokioIo::new(client)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::post("/token").body(Full::new(Bytes::from_static(b"x"))).unwrap();
    let exchanged = timeout(PATIENCE, async {
        let response = sender.send_request(request).await.ok()?;
        let (status, mut body) = (response.status().as_u16(), response.into_body());
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.ok()?.into_data() else { continue };
            if bytes.len() + data.len() > LARGEST_BODY {
                return None;
            }
            bytes.extend_from_slice(&data);
        }
        Some(Seen { status, body: bytes })
    });
    let pieces = script.pieces();
    let (seen, _open) = tokio::join!(exchanged, serve_last(server, &pieces, script.closes));
    let judged = match seen {
        Err(_) => Judged::Waits,
        Ok(None) => Judged::Failure,
        Ok(Some(seen)) => {
            // Time for the connection to notice what came behind the answer.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let is_reusable = timeout(Duration::from_millis(5), sender.ready()).await;
            Judged::Answer(seen, is_reusable.is_ok_and(|ready| ready.is_ok()))
        }
    };
    connection.abort();
    judged
}

/// Both agree, but for the points above; what became of it.
pub(super) async fn agree(script: &Script) -> Judged {
    let (thin, failure) = by_thin(script).await;
    let hyper = by_hyper(script).await;
    if thin == hyper {
        return thin;
    }
    let is_longer_head = failure == Some(Failure::TooLarge) && script.bytes.len() > LARGEST_HEAD;
    // Who refuses earlier must have been right: no answer may come of it when the head and the connection end here.
    let is_earlier = failure.is_some() && hyper == Judged::Waits && {
        let bytes = [&script.bytes[..], b"\r\n\r\n"].concat();
        by_hyper(&Script { bytes, cuts: script.cuts.clone(), closes: true }).await == Judged::Failure
    };
    let shown = String::from_utf8_lossy(&script.bytes[..script.bytes.len().min(3000)]);
    assert!(
        is_longer_head || is_earlier,
        "thin: {thin:?} ({failure:?})\nhyper: {hyper:?}\ncloses: {}, cuts: {:?}\n{shown:?}",
        script.closes,
        script.cuts
    );
    thin
}

#[tokio::test(start_paused = true)]
async fn five_thousand_answers_are_judged_as_hyper_judges_them() {
    let mut generator = Generator::new(8628);
    let (mut good, mut reusable, mut bad, mut waiting) = (0, 0, 0, 0);
    for _ in 0..5_000 {
        match agree(&generator.script()).await {
            Judged::Answer(_, is_reusable) => {
                good += 1;
                reusable += usize::from(is_reusable);
            }
            Judged::Failure => bad += 1,
            Judged::Waits => waiting += 1,
        }
    }
    // Neither side may win by saying the same of everything.
    assert!(
        good > 1_500 && reusable > 500 && bad > 1_000 && waiting > 150,
        "{good} answers ({reusable} reusable), {bad} failures, {waiting} waits"
    );
}
