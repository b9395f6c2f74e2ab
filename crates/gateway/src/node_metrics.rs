//! What nodes measure themselves and tell in `meta.metrics` of their answers, for Prometheus: under the names and kinds that
//! Seldon's Python wrapper gives them (1.9, `seldon_core/metrics.py`).

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    fmt::Write as _,
    time::Instant,
};

use serde_json::Value;

use crate::metrics::SeriesKey;

/// Most series that a thread keeps; what nodes measure beyond them is not told.
const SERIES_MAX: usize = 1000;
/// Longest name or label, in bytes.
const TEXT_MAX: usize = 256;
/// Buckets of timers.
const BUCKETS: usize = 50;
/// Bounds of the first bucket and of the last, in seconds.
const BOUNDS: (f64, f64) = (0.001, 30.0);
/// What the names of this server's own metrics begin with.
const RESERVED: [&str; 4] = ["provost_", "process_", "seldon_api_executor_", "seldon_api_model_"];

/// What kind of number a node measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Timer,
}

/// One series of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    name: String,
    kind: Kind,
    tags: BTreeMap<String, String>,
}

/// What a series is at.
#[derive(Debug, Clone)]
pub(crate) enum Measured {
    /// The sum of all.
    Counter(f64),
    /// The last, and when it came.
    Gauge(f64, Instant),
    /// Sum in seconds, and how many fell into each bucket; the last is for what is longer.
    Timer(f64, Box<[u64; BUCKETS + 1]>),
}

/// The series of one thread, by slot of the node.
pub(crate) type NodeMetrics = HashMap<(usize, Key), Measured>;
/// The series of all, by node.
pub(crate) type AllNodeMetrics = BTreeMap<(Key, SeriesKey), Measured>;

/// Adds to a counter of this server's own about a node.
pub(crate) fn count(series: &mut NodeMetrics, slot: usize, (name, tags): (&str, &[(&str, String)]), value: f64) {
    let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let key = Key { name: name.to_owned(), kind: Kind::Counter, tags };
    let more = Measured::Counter(value);
    series.entry((slot, key)).and_modify(|sum| sum.merge(&more)).or_insert(more);
}

/// Counts what a node of this slot measured. What is no metric of Seldon's is passed over, as by its wrapper's readers.
pub(crate) fn note(series: &mut NodeMetrics, slot: usize, metrics: &[Value], now: Instant) {
    for (key, value) in metrics.iter().filter_map(read) {
        let place = (slot, key);
        if series.len() >= SERIES_MAX && !series.contains_key(&place) {
            continue;
        }
        let measured = Measured::new(place.1.kind, value, now);
        match series.get_mut(&place) {
            Some(known) => known.merge(&measured),
            None => drop(series.insert(place, measured)),
        }
    }
}

/// Adds the series of a thread to those of others.
pub(crate) fn add(all: &mut AllNodeMetrics, series: &NodeMetrics, nodes: &[SeriesKey]) {
    for ((slot, key), measured) in series {
        let Some(node) = nodes.get(*slot) else { continue };
        match all.entry((key.clone(), node.clone())) {
            Entry::Vacant(entry) => drop(entry.insert(measured.clone())),
            Entry::Occupied(mut entry) => entry.get_mut().merge(measured),
        }
    }
}

impl Measured {
    fn new(kind: Kind, value: f64, now: Instant) -> Self {
        match kind {
            Kind::Counter => Self::Counter(value),
            Kind::Gauge => Self::Gauge(value, now),
            Kind::Timer => {
                let seconds = value / 1000.0;
                let mut buckets = Box::new([0; BUCKETS + 1]);
                buckets[(0..BUCKETS).find(|index| seconds <= bound(*index)).unwrap_or(BUCKETS)] = 1;
                Self::Timer(seconds, buckets)
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Counter(sum), Self::Counter(more)) => *sum += more,
            (Self::Gauge(value, at), Self::Gauge(other, later)) if *later >= *at => (*value, *at) = (*other, *later),
            (Self::Timer(sum, buckets), Self::Timer(more, others)) => {
                *sum += more;
                buckets.iter_mut().zip(others.iter()).for_each(|(count, more)| *count += more);
            }
            // Of one key there is one kind.
            _ => {}
        }
    }
}

/// The upper bound of a bucket: all are spread evenly over the logarithms.
fn bound(index: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let part = index as f64 / (BUCKETS - 1) as f64;
    BOUNDS.0 * (BOUNDS.1 / BOUNDS.0).powf(part)
}

/// A metric as nodes tell it: `{"key": …, "type": "COUNTER", "value": …, "tags": {…}}`.
fn read(metric: &Value) -> Option<(Key, f64)> {
    let kind = match metric["type"].as_str()? {
        "COUNTER" => Kind::Counter,
        "GAUGE" => Kind::Gauge,
        "TIMER" => Kind::Timer,
        _ => return None,
    };
    let value = metric["value"].as_f64()?;
    if kind != Kind::Gauge && value < 0.0 {
        return None;
    }
    let name = name(metric["key"].as_str()?)?;
    let tags = metric["tags"].as_object().into_iter().flatten();
    let tag = |(label, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some((self::name(label)?, text.get(..text.floor_char_boundary(TEXT_MAX))?.to_owned()))
    };
    Some((Key { name, kind, tags: tags.filter_map(tag).collect() }, value))
}

/// A name as Prometheus takes it; `None` for what is none, or one of this server's own.
fn name(text: &str) -> Option<String> {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = text.chars().map(|c| if is_taken(c) { c } else { '_' }).collect();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.len() <= TEXT_MAX;
    (starts_well && !RESERVED.iter().any(|own| name.starts_with(own))).then_some(name)
}

/// Appends all series as Prometheus reads them. Of two kinds under one name, the first is told.
pub(crate) fn write(all: &AllNodeMetrics, out: &mut String) {
    let mut family: Option<(&str, Kind)> = None;
    for ((key, node), measured) in all {
        let is_other = family.is_some_and(|(name, kind)| name == key.name && kind != key.kind);
        if is_other && key.kind != Kind::Counter && family.is_some_and(|(_, kind)| kind != Kind::Counter) {
            continue;
        }
        let (suffix, kind) = match key.kind {
            Kind::Counter => ("_total", "counter"),
            Kind::Gauge => ("", "gauge"),
            Kind::Timer => ("", "histogram"),
        };
        let name = format!("{}{suffix}", key.name);
        if family != Some((&key.name, key.kind)) {
            let _written = write!(out, "# HELP {name} Measured by nodes.\n# TYPE {name} {kind}\n");
            family = Some((&key.name, key.kind));
        }
        write_series(&name, &labels(key, node), measured, out);
    }
}

fn write_series(name: &str, labels: &str, measured: &Measured, out: &mut String) {
    // Writing to a String cannot fail.
    match measured {
        Measured::Counter(value) | Measured::Gauge(value, _) => {
            let _written = writeln!(out, "{name}{{{labels}}} {value}");
        }
        Measured::Timer(sum, buckets) => {
            let mut cumulated = 0;
            for (index, count) in buckets.iter().take(BUCKETS).enumerate() {
                cumulated += count;
                let _written = writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {cumulated}", bound(index));
            }
            let count: u64 = buckets.iter().sum();
            let _written = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _written = write!(out, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}\n");
        }
    }
}

/// The labels of a node, then the node's own.
fn labels(key: &Key, node: &SeriesKey) -> String {
    let (image, version) = node.image.rsplit_once(':').unwrap_or((&node.image, ""));
    let of_node = [
        ("deployment_name", node.deployment.as_str()),
        ("model_image", image),
        ("model_name", &node.node),
        ("model_version", version),
        ("namespace", &node.namespace),
        ("predictor_name", &node.predictor),
        ("predictor_version", &node.version),
    ];
    let own = key.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let own = own.filter(|(name, _)| *name != "le" && !of_node.iter().any(|(known, _)| known == name));
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let all = of_node.into_iter().chain(own).map(|(name, value)| format!("{name}=\"{}\"", escape(value)));
    all.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node() -> SeriesKey {
        let text = str::to_owned;
        SeriesKey {
            namespace: text("n"),
            deployment: text("d"),
            predictor: text("p"),
            version: String::new(),
            node: text("m"),
            image: text("i:1"),
            path: "/predict",
        }
    }

    /// What is told of metrics that two threads were told each.
    fn told(metrics: &[Value]) -> String {
        let mut all = AllNodeMetrics::new();
        for _ in 0..2 {
            let mut series = NodeMetrics::new();
            note(&mut series, 0, metrics, Instant::now());
            add(&mut all, &series, &[node()]);
        }
        let mut out = String::new();
        write(&all, &mut out);
        out
    }

    fn metric(key: &str, kind: &str, value: f64) -> Value {
        json!({"key": key, "type": kind, "value": value, "tags": {"b-c": 1, "le": "x", "model_name": "other"}})
    }

    const LABELS: &str = "deployment_name=\"d\",model_image=\"i\",model_name=\"m\",model_version=\"1\",namespace=\"n\",\
                          predictor_name=\"p\",predictor_version=\"\",b_c=\"1\"";

    #[test]
    fn counters_add_up_and_gauges_are_the_last() {
        let counter = format!("# HELP a_total Measured by nodes.\n# TYPE a_total counter\na_total{{{LABELS}}} 3\n");
        assert_eq!(told(&[metric("a", "COUNTER", 1.5)]), counter);
        let gauge = format!("# HELP a Measured by nodes.\n# TYPE a gauge\na{{{LABELS}}} -2\n");
        assert_eq!(told(&[metric("a", "GAUGE", 7.0), metric("a", "GAUGE", -2.0)]), gauge);
    }

    #[test]
    fn timers_are_histograms_in_seconds() {
        let told = told(&[metric("a", "TIMER", 22.0), metric("a", "TIMER", 60_000.0)]);
        assert!(told.starts_with("# HELP a Measured by nodes.\n# TYPE a histogram\na_bucket{"), "{told}");
        assert!(told.contains("le=\"0.001\"} 0\n") && told.contains("le=\"30\"} 2\n"), "{told}");
        assert!(told.ends_with(&format!("a_sum{{{LABELS}}} 120.044\na_count{{{LABELS}}} 4\n")), "{told}");
    }

    #[test]
    fn what_is_no_metric_is_passed_over() {
        for metric in [
            metric("process_x", "COUNTER", 1.0),
            metric("1a", "GAUGE", 1.0),
            metric("a", "COUNTER", -1.0),
            metric("a", "OTHER", 1.0),
            json!({"key": "a", "type": "GAUGE"}),
            json!("a"),
        ] {
            assert_eq!(told(std::slice::from_ref(&metric)), "", "{metric}");
        }
    }

    #[test]
    fn one_name_is_of_one_kind() {
        let told = told(&[metric("a", "TIMER", 1.0), metric("a", "GAUGE", 1.0), metric("a", "COUNTER", 1.0)]);
        let types: Vec<_> = told.lines().filter(|line| line.starts_with("# TYPE")).collect();
        assert_eq!(types, ["# TYPE a_total counter", "# TYPE a gauge"]);
    }

    #[test]
    fn series_are_bounded() {
        let metrics: Vec<_> = (0..2 * SERIES_MAX).map(|index| metric(&format!("a{index}"), "GAUGE", 1.0)).collect();
        let mut series = NodeMetrics::new();
        note(&mut series, 0, &metrics, Instant::now());
        assert_eq!(series.len(), SERIES_MAX);
    }
}
