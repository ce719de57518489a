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
    /// By the name of a model.
    since_loaded: Mutex<HashMap<String, SinceLoaded>>,
}

/// What a model predicted since it was loaded.
#[derive(Debug, Default)]
struct SinceLoaded {
    identity: String,
    sums: HashMap<Finding, Sums>,
}

/// Sums over the films of a finding.
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
            since_loaded: Mutex::default(),
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
        let text = "Prevalence in the films of the calibration, which calibrated_mean has on films \
                    like them";
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

    /// Forgets what was noted of the model that had this name before, and notes the shares of
    /// positives in the films of the new one's calibration.
    pub(crate) fn loaded(
        &self,
        model: &str,
        identity: &str,
        positives: impl Iterator<Item = (Finding, f64)>,
    ) {
        let mut since_loaded = self.lock();
        let fresh = SinceLoaded { identity: identity.to_owned(), sums: HashMap::new() };
        since_loaded.insert(model.to_owned(), fresh);
        for finding in Finding::ALL {
            let labels = labels(model, finding);
            for gauges in [&self.means, &self.calibrated, &self.prevalence] {
                gauges.remove(&labels);
            }
        }
        for (finding, share) in positives {
            self.prevalence.get_or_create(&labels(model, finding)).set(share);
        }
    }

    /// Notes the number of films that a model computed at once.
    pub(crate) fn batch(&self, model: &str, films: usize) {
        let own = vec![("model", model.to_owned())];
        self.batches.get_or_create(&own).observe(films as f64);
    }

    /// Notes the films that a model predicted.
    pub(crate) fn films(&self, model: &str, identity: &str, predictions: &[FilmPrediction]) {
        let own = vec![("model", model.to_owned())];
        self.films.get_or_create(&own).inc_by(predictions.len() as u64);
        let mut since_loaded = self.lock();
        // A request that began before a reload is answered by the model of that time.
        let Some(since) = since_loaded.get_mut(model).filter(|since| since.identity == identity)
        else {
            return;
        };
        for one in predictions.iter().flat_map(|film| &film.findings) {
            let sums = since.sums.entry(one.finding).or_default();
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

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, SinceLoaded>> {
        self.since_loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn labels(model: &str, finding: Finding) -> Labels {
    vec![("model", model.to_owned()), ("finding", finding.name().to_owned())]
}

#[cfg(test)]
mod tests {
    use roentgen_tasks::FindingPrediction;

    use super::*;

    fn film(finding: Finding) -> FilmPrediction {
        let calibrated = Some(0.25);
        let one = FindingPrediction {
            finding,
            probability: 0.5,
            calibrated,
            threshold: None,
            call: None,
        };
        FilmPrediction { findings: vec![one], mask: None }
    }

    #[test]
    fn a_model_that_was_replaced_leaves_no_gauges() {
        let metrics = Metrics::new();
        let text = || metrics.text();
        metrics.loaded("run", "first", [(Finding::Mass, 0.1)].into_iter());
        metrics.loaded("other", "third", [(Finding::Mass, 0.3)].into_iter());
        metrics.films("run", "first", &[film(Finding::Mass)]);
        assert_eq!(text().matches("{model=\"run\",finding=\"Mass\"}").count(), 3);

        metrics.loaded("run", "second", std::iter::empty());
        metrics.films("run", "first", &[film(Finding::Mass)]);
        metrics.films("run", "second", &[film(Finding::Nodule)]);

        assert!(!text().contains("{model=\"run\",finding=\"Mass\"}"), "{}", text());
        assert!(text().contains("probability_mean{model=\"run\",finding=\"Nodule\"} 0.5"));
        assert!(text().contains("calibration_positives{model=\"other\",finding=\"Mass\"} 0.3"));
        assert!(text().contains("roentgen_films_total{model=\"run\"} 3"));
    }
}
