//! Stock Goose: every user polls as fast as it is answered. Takes Goose's own options; prints how many were answered.

use std::io::Write as _;

use devgrant_benchmark_peers::POLL;
use goose::prelude::*;

async fn poll(user: &mut GooseUser) -> TransactionResult {
    let builder = user.get_request_builder(&GooseMethod::Post, "/token")?.form(&POLL);
    let request = GooseRequest::builder()
        .method(GooseMethod::Post)
        .path("/token")
        // What a device that waits is told (RFC 8628 §3.5).
        .expect_status_code(400)
        .set_request_builder(builder)
        .build();
    let goose = user.request(request).await?;
    if let Ok(response) = goose.response {
        let _ = response.bytes().await;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let attack = GooseAttack::initialize()?
        .register_scenario(scenario!("devices").register_transaction(transaction!(poll)));
    let metrics = attack.execute().await?;
    let answered: usize = metrics.requests.values().map(|of_path| of_path.success_count).sum();
    writeln!(std::io::stdout(), "{answered}")?;
    Ok(())
}
