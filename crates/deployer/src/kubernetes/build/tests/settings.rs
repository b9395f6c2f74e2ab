//! What administrators set, in the objects of a deployment.

use provost_domain::scaling::Scaling;
use serde_json::Value;

use super::{
    super::{SCALED_LABEL, SCALING_ANNOTATION, Settings, TraceCollector, build},
    MANIFEST, with_source,
};

#[test]
fn what_is_scaled_by_requests_says_so_and_keeps_a_pod_where_nobody_would_wake_it() {
    let service = r"
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris}
spec: {predictor: {minReplicas: 0, maxReplicas: 3, scaleMetric: rps, sklearn: {storageUri: 's3://models/iris'}}}
";
    let least = |objects: &[Value]| {
        let metadata = &objects[0]["metadata"];
        assert_eq!(metadata["labels"][SCALED_LABEL], "requests");
        assert_eq!(objects[0]["spec"]["replicas"], Value::Null);
        let scaling = metadata["annotations"][SCALING_ANNOTATION].as_str().unwrap();
        let scaling: Scaling = serde_json::from_str(scaling).unwrap();
        assert_eq!((scaling.target, scaling.max_replicas), (200.0, 3));
        scaling.min_replicas
    };
    let activator = "system/provost-gateway".parse().ok();
    let none = Settings::new("provost:1".to_owned());
    let some = Settings { activator, ..none.clone() };
    let built = |settings: &Settings| with_source(service, |source, owner| build(source, owner, settings)).unwrap();
    assert_eq!((least(&built(&some)), least(&built(&none))), (0, 1));
}

#[test]
fn pods_are_told_where_spans_go_and_whose_they_are() {
    let traces = Some(TraceCollector { endpoint: "http://collector:4318".to_owned(), ratio: 0.25 });
    let settings = Settings { traces, ..Settings::new("provost:1".to_owned()) };
    let objects = with_source(MANIFEST, |source, owner| build(source, owner, &settings)).unwrap();
    let environment = &objects[0]["spec"]["template"]["spec"]["containers"][0]["env"];
    let value = |name: &str| {
        let mut all = environment.as_array().unwrap().iter();
        all.find(|one| one["name"] == name).map(|one| one["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(value("PROVOST_TELEMETRY__OTLP_ENDPOINT").as_deref(), Some("http://collector:4318"));
    assert_eq!(value("PROVOST_TELEMETRY__TRACE_RATIO").as_deref(), Some("0.25"));
    assert_eq!(value("OTEL_SERVICE_NAME").as_deref(), Some("iris"));
    let attributes = "service.namespace=models,k8s.pod.name=$(POD_NAME),provost.predictor=main";
    assert_eq!(value("OTEL_RESOURCE_ATTRIBUTES").as_deref(), Some(attributes));
}

#[test]
fn a_shadow_of_a_part_is_told_how_many_copies_to_answer() {
    let told = |said: &str| {
        let manifest = MANIFEST.replace("      traffic: 10\n", said).replace("traffic: 90", "traffic: 100");
        let settings = Settings::new("provost:1".to_owned());
        let objects = with_source(&manifest, |source, owner| build(source, owner, &settings)).unwrap();
        let deployments = objects.iter().filter(|one| one["kind"] == "Deployment");
        let environments = deployments.map(|one| one["spec"]["template"]["spec"]["containers"][0]["env"].clone());
        let is_it = |one: &&Value| one["name"] == "PROVOST_GATEWAY__COPIES_PERCENT";
        let values = environments.map(|all| all.as_array().unwrap().iter().find(is_it).map(|one| one["value"].clone()));
        values.collect::<Vec<_>>()
    };
    assert_eq!(told("      shadow: true\n      traffic: 25\n"), [None, Some("25".into())]);
    assert_eq!(told("      shadow: true\n"), [None, None]);
}
