//! What Goose is told: one user for each seat, all of them at once, and nothing printed. One line it prints all the same,
//! when all users are there.

use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{Scenario, Transaction};
use goose::{GooseAttack, GooseError};

use super::Wishes;
use super::user::exchange;
use crate::load::setup::Setup;

/// Users started in a second: all are there before the run begins.
const STARTED: &str = "1000";

/// Takes Goose's log: what a run comes to is in its record, and stdout is for results.
struct Silent;

impl log::Log for Silent {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _: &log::Record<'_>) {}

    fn flush(&self) {}
}

/// The load test of this run.
pub(super) fn attack(setup: &Setup, wishes: &Wishes, users: usize) -> Result<GooseAttack, GooseError> {
    // Somebody else's logger is as good.
    let _ = log::set_logger(&Silent);
    let host = setup.clients.first().map(|client| client.composed_poll.url.clone());
    let mut configuration = GooseConfiguration::default();
    configuration.host = host;
    configuration.users = Some(users);
    configuration.increase_rate = Some(STARTED.to_owned());
    configuration.quiet = 2;
    configuration.no_telnet = true;
    configuration.no_websocket = true;
    configuration.no_print_metrics = true;
    // When all users are there Goose would forget what it had measured.
    configuration.no_reset_metrics = true;
    // A transaction sleeps until its device is due: its time says nothing.
    configuration.no_transaction_metrics = true;
    configuration.no_scenario_metrics = true;
    configuration.report_file = wishes.reports.clone();
    configuration.baseline_file = wishes.baseline.clone();
    configuration.threshold = wishes.thresholds.clone();
    configuration.dashboard = wishes.dashboard;
    let device = Transaction::new(std::sync::Arc::new(|user| Box::pin(exchange(user)))).set_name("device");
    let scenario = Scenario::new("devices").register_transaction(device);
    // Each user takes its own client before it sends anything, so until then they may share one.
    let shared = GooseClientBuilder::new().without_cookies();
    let attack = GooseAttack::initialize_with_config(configuration)?;
    Ok(attack.set_client_builder_without_cookies(shared)?.register_scenario(scenario))
}
