//! A fuzzer of the thin connection: `cargo test --release --lib -- --ignored fuzz_thin`.

use std::time::Duration;

use super::differential::agree;
use super::generator::Generator;

/// How long it runs, in seconds.
const SECONDS: &str = "DEVGRANT_FUZZ_SECONDS";

/// Where the random numbers start; a failure prints it.
const SEED: &str = "DEVGRANT_FUZZ_SEED";

/// Each failure of [`agree`] shows its bytes. A panic or an endless loop fails by itself, a wait that hyper does not
/// share by the comparison.
#[test]
#[ignore = "runs for as long as one likes"]
fn fuzz_thin() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let seconds = number(SECONDS, 5);
    let mut seed = number(SEED, 1);
    let end = after(Duration::from_secs(seconds));
    let mut scripts = 0_u64;
    while !end() {
        println!("{SEED}={seed}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let mut generator = Generator::new(seed);
            for _ in 0..200 {
                agree(&generator.script()).await;
                agree(&generator.garbage()).await;
            }
        });
        scripts += 400;
        seed += 1;
    }
    println!("{scripts} scripts in {seconds} s");
}

/// Real time, whatever the clock of the exchanges says: a thread that sleeps.
fn after(length: Duration) -> impl Fn() -> bool {
    let sleeper = std::thread::spawn(move || std::thread::sleep(length));
    move || sleeper.is_finished()
}
