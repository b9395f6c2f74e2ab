//! A deployment, whatever it was written as, in the form of a `SeldonDeployment`: what pods are given.

use provost_domain::{
    Deployment, Predictor,
    deployment::ComponentSpec,
    graph::{Implementation, Node, ParameterValue},
};
use serde_json::{Value, json};

use super::{API_VERSIONS, KIND, ObjectMeta, Parameter, PredictiveUnit, PredictorSpec, SeldonDeployment, Spec};

/// The document that says the same. Annotations of the resource are not part of it but for those named in `kept`.
pub fn of(deployment: &Deployment, kept: &[&str]) -> Value {
    let is_kept = |(key, _): &(&String, &String)| kept.contains(&key.as_str());
    let annotations = deployment.annotations.iter().filter(is_kept);
    let has_own = deployment.predictors.iter().flat_map(|predictor| predictor.graph.nodes()).any(Node::is_own_program);
    json!(SeldonDeployment {
        api_version: API_VERSIONS[0].to_owned(),
        kind: KIND.to_owned(),
        metadata: ObjectMeta {
            name: Some(deployment.id.name.to_string()),
            namespace: Some(deployment.id.namespace.to_string()),
            labels: deployment.labels.clone(),
            annotations: annotations.map(|(key, value)| (key.clone(), value.clone())).collect(),
        },
        spec: Spec {
            // Models of the platform answer every protocol; programs of users' own are asked in theirs.
            protocol: has_own.then(|| deployment.protocol.as_str().to_owned()),
            predictors: deployment.predictors.iter().map(predictor).collect(),
            ..Spec::default()
        },
    })
}

fn predictor(predictor: &Predictor) -> PredictorSpec {
    let component = |component: &ComponentSpec| serde_json::from_value(component.document.clone()).unwrap_or_default();
    PredictorSpec {
        name: predictor.name.clone(),
        graph: node(&predictor.graph),
        component_specs: predictor.component_specs.iter().map(component).collect(),
        replicas: predictor.replicas,
        annotations: predictor.annotations.clone(),
        labels: predictor.labels.clone(),
        traffic: predictor.traffic,
        shadow: predictor.shadow,
        ..PredictorSpec::default()
    }
}

fn node(one: &Node) -> PredictiveUnit {
    let implementation = Some(&one.implementation).filter(|implementation| **implementation != Implementation::Unknown);
    PredictiveUnit {
        name: one.name.clone(),
        children: one.children.iter().map(node).collect(),
        kind: Some(one.kind.as_str().to_owned()),
        implementation: implementation.map(|implementation| implementation.as_str().to_owned()),
        parameters: one.parameters.iter().map(|one| parameter(&one.name, &one.value)).collect(),
        model_uri: one.model_uri.clone(),
        service_account_name: one.service_account_name.clone(),
        env_secret_ref_name: one.env_secret_ref_name.clone(),
        storage_initializer_image: one.storage_initializer_image.clone(),
        ..PredictiveUnit::default()
    }
}

fn parameter(name: &str, value: &ParameterValue) -> Parameter {
    let kind = match value {
        ParameterValue::Int(_) => "INT",
        ParameterValue::Float(_) => "FLOAT",
        ParameterValue::Double(_) => "DOUBLE",
        ParameterValue::String(_) => "STRING",
        ParameterValue::Bool(_) => "BOOL",
    };
    Parameter { name: name.to_owned(), value: value.to_text(), kind: kind.to_owned() }
}
