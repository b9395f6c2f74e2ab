//! Autoscaling: a `HorizontalPodAutoscaler` of version 2 from an `hpaSpec` whose metrics are written as in
//! version 2beta1 (`metrics`) or 2 (`metricsv2`).

use provost_domain::FieldPath;
use serde_json::{Value, json};

use super::error::BuildError;

/// The specification, for the Deployment of this name.
pub(super) fn specification(path: &FieldPath, written: &Value, workload: &str) -> Result<Value, BuildError> {
    let mut specification = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
        "maxReplicas": required(written, path, "maxReplicas")?,
    });
    if !written["minReplicas"].is_null() {
        specification["minReplicas"] = written["minReplicas"].clone();
    }
    let metrics = metrics(path, written)?;
    if !metrics.is_empty() {
        specification["metrics"] = Value::Array(metrics);
    }
    Ok(specification)
}

fn metrics(path: &FieldPath, written: &Value) -> Result<Vec<Value>, BuildError> {
    let mut metrics = Vec::new();
    for field in ["metrics", "metricsv2"] {
        for (index, metric) in written[field].as_array().into_iter().flatten().enumerate() {
            metrics.push(build_metric(&path.field(field).index(index), metric)?);
        }
    }
    Ok(metrics)
}

/// A metric as version 2 writes it, whichever version wrote this one.
fn build_metric(path: &FieldPath, metric: &Value) -> Result<Value, BuildError> {
    let word = required(metric, path, "type")?;
    let (field, build): (_, Build) = match word.as_str() {
        Some("Resource") => ("resource", resource),
        Some("ContainerResource") => ("containerResource", resource),
        Some("Pods") => ("pods", pods),
        Some("Object") => ("object", object),
        Some("External") => ("external", external),
        _ => return Err(unknown_type(path, &word)),
    };
    let source = required(metric, path, field)?;
    // Only version 2 names a metric by an object, and says of which type a target is.
    let is_new = source.get("metric").is_some() || source["target"].get("type").is_some();
    let source = if is_new { source } else { build(&path.field(field), &source)? };
    Ok(json!({"type": word, field: source}))
}

type Build = fn(&FieldPath, &Value) -> Result<Value, BuildError>;

fn unknown_type(path: &FieldPath, word: &Value) -> BuildError {
    let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
    BuildError::MetricType { path: path.field("type"), word }
}

fn resource(path: &FieldPath, source: &Value) -> Result<Value, BuildError> {
    let target = if source["targetAverageUtilization"].is_null() {
        average(path, source, "targetAverageValue")?
    } else {
        json!({"type": "Utilization", "averageUtilization": source["targetAverageUtilization"]})
    };
    let mut built = json!({"name": required(source, path, "name")?, "target": target});
    if !source["container"].is_null() {
        built["container"] = source["container"].clone();
    }
    Ok(built)
}

fn pods(path: &FieldPath, source: &Value) -> Result<Value, BuildError> {
    let target = average(path, source, "targetAverageValue")?;
    Ok(json!({"metric": identifier(path, source, "selector")?, "target": target}))
}

fn object(path: &FieldPath, source: &Value) -> Result<Value, BuildError> {
    let target = value_or_average(path, source, "averageValue")?;
    let described = required(source, path, "target")?;
    Ok(json!({"describedObject": described, "metric": identifier(path, source, "selector")?, "target": target}))
}

fn external(path: &FieldPath, source: &Value) -> Result<Value, BuildError> {
    let target = value_or_average(path, source, "targetAverageValue")?;
    Ok(json!({"metric": identifier(path, source, "metricSelector")?, "target": target}))
}

/// The name of a metric, and what selects among several of the name.
fn identifier(path: &FieldPath, source: &Value, selector: &str) -> Result<Value, BuildError> {
    let mut identifier = json!({"name": required(source, path, "metricName")?});
    if !source[selector].is_null() {
        identifier["selector"] = source[selector].clone();
    }
    Ok(identifier)
}

/// An average goes before a value: version 2beta1 asks for a value even beside one.
fn value_or_average(path: &FieldPath, source: &Value, average_field: &str) -> Result<Value, BuildError> {
    if source[average_field].is_null() {
        Ok(json!({"type": "Value", "value": required(source, path, "targetValue")?}))
    } else {
        average(path, source, average_field)
    }
}

fn average(path: &FieldPath, source: &Value, field: &str) -> Result<Value, BuildError> {
    Ok(json!({"type": "AverageValue", "averageValue": required(source, path, field)?}))
}

fn required(object: &Value, path: &FieldPath, field: &str) -> Result<Value, BuildError> {
    let value = object.get(field).filter(|value| !value.is_null());
    value.cloned().ok_or_else(|| BuildError::Missing { path: path.field(field) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(written: &Value) -> Result<Value, BuildError> {
        build_metric(&FieldPath::of("metrics").index(0), written)
    }

    #[test]
    fn metrics_of_version_2beta1_become_those_of_version_2() {
        let average = json!({"type": "AverageValue", "averageValue": "10"});
        let selector = json!({"matchLabels": {"a": "b"}});
        for (written, expected) in [
            (
                json!({"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 70}}),
                json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}),
            ),
            (
                json!({"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "10"}}),
                json!({"name": "memory", "target": average}),
            ),
            (
                json!({"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "targetAverageValue": "10"}}),
                json!({"name": "cpu", "target": average, "container": "c"}),
            ),
            (
                json!({"type": "Pods", "pods": {"metricName": "rate", "targetAverageValue": "10", "selector": selector}}),
                json!({"metric": {"name": "rate", "selector": selector}, "target": average}),
            ),
            (
                json!({"type": "Object", "object": {"target": {"kind": "Service", "name": "s"}, "metricName": "rate", "targetValue": "5"}}),
                json!({"describedObject": {"kind": "Service", "name": "s"}, "metric": {"name": "rate"}, "target": {"type": "Value", "value": "5"}}),
            ),
            (
                json!({"type": "Object", "object": {"target": {"kind": "Service", "name": "s"}, "metricName": "rate", "targetValue": "0", "averageValue": "10"}}),
                json!({"describedObject": {"kind": "Service", "name": "s"}, "metric": {"name": "rate"}, "target": average}),
            ),
            (
                json!({"type": "External", "external": {"metricName": "queue", "metricSelector": selector, "targetValue": "5"}}),
                json!({"metric": {"name": "queue", "selector": selector}, "target": {"type": "Value", "value": "5"}}),
            ),
            (
                json!({"type": "External", "external": {"metricName": "queue", "targetAverageValue": "10"}}),
                json!({"metric": {"name": "queue"}, "target": average}),
            ),
        ] {
            let built = metric(&written).unwrap();
            let (_, source) = built.as_object().unwrap().iter().nth(1).unwrap();
            assert_eq!((source, &built["type"]), (&expected, &written["type"]));
        }
    }

    #[test]
    fn metrics_of_version_2_stay_as_they_are() {
        for written in [
            json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}),
            json!({"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "s"}, "metric": {"name": "rate"}, "target": {"type": "Value", "value": "5"}}}),
        ] {
            assert_eq!(metric(&written), Ok(written));
        }
    }

    #[test]
    fn a_metric_that_is_not_known_or_not_whole_is_told_by_its_path() {
        for (written, expected) in [
            (
                json!({"type": "Queue"}),
                "metrics[0].type: metric type `Queue` is not known; use one of Resource, ContainerResource, Pods, Object, External",
            ),
            (json!({}), "metrics[0].type: missing; add it"),
            (json!({"type": "Resource"}), "metrics[0].resource: missing; add it"),
            (
                json!({"type": "Resource", "resource": {"name": "cpu"}}),
                "metrics[0].resource.targetAverageValue: missing; add it",
            ),
            (
                json!({"type": "Pods", "pods": {"targetAverageValue": "1"}}),
                "metrics[0].pods.metricName: missing; add it",
            ),
        ] {
            assert_eq!(metric(&written).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_most_replicas_must_be_told() {
        let path = FieldPath::of("hpaSpec");
        let error = specification(&path, &json!({"minReplicas": 1}), "iris").unwrap_err();
        assert_eq!(error.to_string(), "hpaSpec.maxReplicas: missing; add it");
    }
}
