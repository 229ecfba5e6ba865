//! A load run as Prometheus sees it: what the line of every second says, in the text format of OpenMetrics.

use std::sync::Mutex;
use std::sync::PoisonError;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::tally::Second;

/// Labels of one series, each with its value.
type Labels = Vec<(&'static str, String)>;

/// The figures of a run so far.
pub struct Metrics {
    registry: Mutex<Registry>,
    waiting: Gauge,
    late_decisions: Gauge,
    connections: Gauge,
    answers: Family<Labels, Counter>,
    failures: Family<Labels, Counter>,
    violations: Counter,
    decisions: Counter,
    times: Family<Labels, Gauge<f64, std::sync::atomic::AtomicU64>>,
    cpu: Family<Labels, Counter<f64, std::sync::atomic::AtomicU64>>,
    memory: Family<Labels, Gauge>,
}

impl Metrics {
    /// A run that has not begun.
    #[must_use]
    pub fn new() -> Self {
        let metrics = Self {
            registry: Mutex::default(),
            waiting: Gauge::default(),
            late_decisions: Gauge::default(),
            connections: Gauge::default(),
            answers: Family::default(),
            failures: Family::default(),
            violations: Counter::default(),
            decisions: Counter::default(),
            times: Family::default(),
            cpu: Family::default(),
            memory: Family::default(),
        };
        let mut registry = Registry::with_prefix("devgrant");
        registry.register("devices_waiting", "Devices with live codes", metrics.waiting.clone());
        registry.register(
            "decisions_late",
            "Decisions that are due and not taken up",
            metrics.late_decisions.clone(),
        );
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("answers", "Answers by operation and outcome", metrics.answers.clone());
        registry.register("failures", "Requests without an answer, by kind", metrics.failures.clone());
        registry.register("violations", "Answers that break the protocol", metrics.violations.clone());
        registry.register("decisions", "Decisions of users that came out", metrics.decisions.clone());
        let help = "Of the last second: response time of polls, lag, waiting for a connection";
        registry.register_with_unit("time", help, Unit::Seconds, metrics.times.clone());
        registry.register_with_unit(
            "cpu",
            "CPU time of generator and server",
            Unit::Seconds,
            metrics.cpu.clone(),
        );
        registry.register_with_unit(
            "memory",
            "Resident memory of generator and server",
            Unit::Bytes,
            metrics.memory.clone(),
        );
        Self { registry: Mutex::new(registry), ..metrics }
    }

    /// Takes the next second in.
    pub fn second(&self, second: &Second) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.waiting.set(signed(second.waiting));
        self.late_decisions.set(signed(second.decisions_late));
        self.connections.set(signed(second.connections));
        self.violations.inc_by(second.violations);
        self.decisions.inc_by(second.decisions);
        for (what, count) in &second.answers {
            let (operation, outcome) = what.split_once(' ').unwrap_or((what, ""));
            let labels = vec![("operation", operation.to_owned()), ("outcome", outcome.to_owned())];
            self.answers.get_or_create(&labels).inc_by(*count);
        }
        for (kind, count) in &second.errors {
            self.failures.get_or_create(&vec![("kind", kind.clone())]).inc_by(*count);
        }
        for (of, quantile, micros) in [
            ("response", "0.5", second.p50),
            ("response", "0.99", second.p99),
            ("service", "0.99", second.service_p99),
            ("lag", "0.99", second.lag_p99),
            ("wait", "0.99", second.wait_p99),
        ] {
            let labels = vec![("of", of.to_owned()), ("quantile", quantile.to_owned())];
            self.times.get_or_create(&labels).set(micros as f64 / 1e6);
        }
        let mine = (Some(second.cpu), Some(second.memory));
        for (process, (cpu, memory)) in
            [("generator", mine), ("server", (second.server_cpu, second.server_memory))]
        {
            let labels = vec![("process", process.to_owned())];
            if let Some(cpu) = cpu {
                self.cpu.get_or_create(&labels).inc_by(cpu);
            }
            if let Some(memory) = memory {
                self.memory.get_or_create(&labels).set(signed(memory));
            }
        }
    }

    /// Everything so far, as `application/openmetrics-text`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into memory cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
