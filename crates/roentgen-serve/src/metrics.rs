//! What the server counts, as text that Prometheus reads (OpenMetrics 1.0).

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use roentgen_data::Finding;
use roentgen_tasks::FilmPrediction;

/// The media type of the text.
pub(crate) const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;

/// What the server counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    batches: Family<Labels, Histogram, fn() -> Histogram>,
    refusals: Family<Labels, Counter>,
    reloads: Family<Labels, Counter>,
    films: Family<Labels, Counter>,
    pub(crate) waiting: Gauge,
    pub(crate) connections: Gauge,
    means: Gauges,
    calibrated: Gauges,
    prevalence: Gauges,
    sums: Mutex<HashMap<(String, Finding), Sums>>,
}

/// Sums since the model was loaded.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    films: f64,
    probability: f64,
    calibrated: f64,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let films: fn() -> Histogram = || Histogram::new(exponential_buckets(1.0, 2.0, 8));
        let mut metrics = Self {
            registry: Registry::with_prefix("roentgen"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            batches: Family::new_with_constructor(films),
            refusals: Family::default(),
            reloads: Family::default(),
            films: Family::default(),
            waiting: Gauge::default(),
            connections: Gauge::default(),
            means: Gauges::default(),
            calibrated: Gauges::default(),
            prevalence: Gauges::default(),
            sums: Mutex::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let to = &mut self.registry;
        to.register("requests", "Requests by route and status", self.requests.clone());
        to.register("request_seconds", "Time from the headers to the answer", self.seconds.clone());
        to.register("batch_films", "Films computed at once", self.batches.clone());
        to.register("refusals", "Refused requests and films by reason", self.refusals.clone());
        to.register("reloads", "Reloads of models by outcome", self.reloads.clone());
        to.register("films", "Predicted films", self.films.clone());
        to.register("films_waiting", "Films taken and not yet answered", self.waiting.clone());
        to.register("connections", "Open connections", self.connections.clone());
        let text = "Mean probability since the model was loaded";
        to.register("probability_mean", text, self.means.clone());
        let text = "Mean calibrated probability since the model was loaded";
        to.register("calibrated_mean", text, self.calibrated.clone());
        let text = "Share of positives in the films of the calibration, which calibrated_mean has \
                    on films like them";
        to.register("calibration_positives", text, self.prevalence.clone());
    }

    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let route = ("route", route.to_owned());
        self.requests.get_or_create(&vec![route.clone(), ("status", status.to_string())]).inc();
        self.seconds.get_or_create(&vec![route]).observe(took.as_secs_f64());
    }

    pub(crate) fn refusal(&self, reason: &'static str) {
        self.refusals.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    pub(crate) fn reload(&self, outcome: &'static str) {
        self.reloads.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// Forgets the means of a model that was loaded, and notes the shares of positives in the films
    /// of its calibration.
    pub(crate) fn loaded(&self, model: &str, positives: impl Iterator<Item = (Finding, f64)>) {
        self.lock().retain(|(name, _), _| name != model);
        for (finding, share) in positives {
            self.prevalence.get_or_create(&labels(model, finding)).set(share);
        }
    }

    /// Notes the films that a model computed at once.
    pub(crate) fn batch(&self, model: &str, predictions: &[FilmPrediction]) {
        let own = vec![("model", model.to_owned())];
        self.batches.get_or_create(&own).observe(predictions.len() as f64);
        self.films.get_or_create(&own).inc_by(predictions.len() as u64);
        let mut sums = self.lock();
        for one in predictions.iter().flat_map(|film| &film.findings) {
            let sums = sums.entry((model.to_owned(), one.finding)).or_default();
            sums.films += 1.0;
            sums.probability += one.probability;
            let labels = labels(model, one.finding);
            self.means.get_or_create(&labels).set(sums.probability / sums.films);
            if let Some(calibrated) = one.calibrated {
                sums.calibrated += calibrated;
                self.calibrated.get_or_create(&labels).set(sums.calibrated / sums.films);
            }
        }
    }

    /// Returns the text for Prometheus.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, Finding), Sums>> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn labels(model: &str, finding: Finding) -> Labels {
    vec![("model", model.to_owned()), ("finding", finding.name().to_owned())]
}
