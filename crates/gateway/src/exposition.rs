//! Metrics as Prometheus reads them, under Seldon's names and with Seldon's labels.

use std::fmt::Write as _;

use crate::{
    feedback::FEEDBACK_PATH,
    metrics::{BUCKETS, Histograms, Latencies, SeriesKey, Snapshot},
    node_metrics,
};

/// Media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Quantiles of Seldon's summaries.
const QUANTILES: [f64; 6] = [0.5, 0.75, 0.9, 0.98, 0.99, 1.0];

/// Figures of the process besides the series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProcessFigures {
    /// Requests being answered now.
    pub in_flight: usize,
    /// Records the request log could not keep.
    pub lost_records: u64,
    /// Seconds of processor time used since the start; `None` where the system does not tell.
    pub cpu_seconds: Option<f64>,
    /// Resident memory in bytes; `None` likewise.
    pub memory: Option<u64>,
}

/// The whole text.
pub fn write_metrics(snapshot: &Snapshot, process: ProcessFigures) -> String {
    let mut out = String::new();
    family(&mut out, snapshot, "seldon_api_executor_server_requests_seconds", "Latency of requests.", Side::Server);
    family(&mut out, snapshot, "seldon_api_executor_client_requests_seconds", "Latency of a node.", Side::Client);
    let mut figure = |name: &str, kind: &str, help: &str, value: u64| {
        // Writing to a String cannot fail.
        let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    };
    figure("provost_gateway_requests_in_flight", "gauge", "Requests being answered now.", process.in_flight as u64);
    figure(
        "provost_gateway_feature_name_mismatches_total",
        "counter",
        "Requests whose feature names are not those of the model, in its order.",
        snapshot.feature_name_mismatches,
    );
    figure(
        "provost_request_log_lost_records_total",
        "counter",
        "Records that the request log could not keep.",
        process.lost_records,
    );
    write_process(&mut out, process);
    node_metrics::write(&snapshot.of_nodes, &mut out);
    out
}

/// What the process uses, under the names that all Prometheus clients give it.
fn write_process(out: &mut String, process: ProcessFigures) {
    if let Some(seconds) = process.cpu_seconds {
        let name = "process_cpu_seconds_total";
        let help = "Total user and system CPU time spent in seconds.";
        let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {seconds}\n");
    }
    if let Some(bytes) = process.memory {
        let name = "process_resident_memory_bytes";
        let help = "Resident memory size in bytes.";
        let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {bytes}\n");
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Server,
    Client,
}

fn family(out: &mut String, snapshot: &Snapshot, name: &str, help: &str, side: Side) {
    let rows: Vec<_> = snapshot.series.iter().filter(|((key, _), histograms)| is_of(side, key, histograms)).collect();
    let _written = write!(out, "# HELP {name} {help}\n# TYPE {name} histogram\n");
    for ((key, status), histograms) in &rows {
        let latencies = if side == Side::Server { &histograms.server } else { &histograms.client };
        histogram(out, name, &labels(key, *status, side), latencies);
    }
    let _written = write!(out, "# HELP {name}_summary {help}\n# TYPE {name}_summary summary\n");
    for ((key, status), histograms) in &rows {
        let latencies = if side == Side::Server { &histograms.server } else { &histograms.client };
        summary(out, name, &labels(key, *status, side), latencies);
    }
}

/// Whether there is anything to tell: a node of a graph gets no requests, and the graph itself is no node.
fn is_of(side: Side, key: &SeriesKey, Histograms { server, client }: &Histograms) -> bool {
    match side {
        Side::Server => server.count() > 0,
        Side::Client => client.count() > 0 && !key.node.is_empty(),
    }
}

fn histogram(out: &mut String, name: &str, labels: &str, latencies: &Latencies) {
    let mut cumulated = 0;
    for (bound, count) in BUCKETS.iter().zip(latencies.buckets) {
        cumulated += count;
        let _written = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {cumulated}");
    }
    let _written = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", latencies.count());
    sum_and_count(out, name, labels, latencies);
}

fn summary(out: &mut String, name: &str, labels: &str, latencies: &Latencies) {
    for quantile in QUANTILES {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of at most a minute")]
        let seconds = latencies.quantiles.value_at_quantile(quantile) as f64 / 1e6;
        let _written = writeln!(out, "{name}_summary{{{labels},quantile=\"{quantile}\"}} {seconds}");
    }
    sum_and_count(out, &format!("{name}_summary"), labels, latencies);
}

fn sum_and_count(out: &mut String, name: &str, labels: &str, latencies: &Latencies) {
    let _written = writeln!(out, "{name}_sum{{{labels}}} {}", latencies.sum.as_secs_f64());
    let _written = writeln!(out, "{name}_count{{{labels}}} {}", latencies.count());
}

/// What was asked of a deployment, or where a node was called.
fn service(key: &SeriesKey, side: Side) -> &str {
    match (side, key.path) {
        (Side::Client, path) => path,
        (Side::Server, FEEDBACK_PATH) => "feedback",
        (Side::Server, _) => "predictions",
    }
}

fn labels(key: &SeriesKey, status: u16, side: Side) -> String {
    let mut labels = vec![
        ("code", status.to_string()),
        ("deployment_name", key.deployment.clone()),
        ("method", "post".to_owned()),
        ("namespace", key.namespace.clone()),
        ("predictor_name", key.predictor.clone()),
        ("predictor_version", key.version.clone()),
        ("service", service(key, side).to_owned()),
    ];
    if side == Side::Client {
        let (image, version) = key.image.rsplit_once(':').unwrap_or((&key.image, ""));
        labels.push(("model_name", key.node.clone()));
        labels.push(("model_image", image.to_owned()));
        labels.push(("model_version", version.to_owned()));
    }
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect::<Vec<_>>().join(",")
}
