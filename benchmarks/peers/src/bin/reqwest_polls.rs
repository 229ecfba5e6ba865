//! The loop that somebody writes who has reqwest: so many tasks, each polling as fast as it is answered, or all together
//! at a rate. `reqwest_polls ORIGIN CONNECTIONS SECONDS RATE`, where a rate of 0 is none. Prints how many were answered.

use std::cell::Cell;
use std::io::Write as _;
use std::time::Duration;

use devgrant_benchmark_peers::POLL;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [origin, numbers @ ..] = &arguments[..] else {
        return Err(std::io::Error::other("ORIGIN is missing"));
    };
    let number = |nth: usize| numbers.get(nth).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let (connections, seconds, rate) = (number(0).max(1), number(1), number(2));
    let token: &'static str = Box::leak(format!("{origin}/token").into_boxed_str());
    let answered: &'static Cell<u64> = Box::leak(Box::default());
    let client = reqwest::Client::new();
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds.into());
    let tasks = LocalSet::new();
    for nth in 0..connections {
        let client = client.clone();
        tasks.spawn_local(async move {
            let mut turn = 0;
            while Instant::now() < end {
                if rate > 0 {
                    let before = f64::from(turn * connections + nth) / f64::from(rate);
                    sleep_until(began + Duration::from_secs_f64(before)).await;
                }
                let sent = client.post(token).form(&POLL).send().await;
                let Ok(response) = sent else { continue };
                if response.bytes().await.is_ok() {
                    answered.set(answered.get() + 1);
                }
                turn += 1;
            }
        });
    }
    tasks.await;
    writeln!(std::io::stdout(), "{}", answered.get())
}
