//! From wire types to the domain. Words that are not known are reported and read as if left out, so
//! that the rules can still be checked.

use std::collections::BTreeMap;

use provost_domain::{
    Deployment, FieldPath, Namespace, Predictor, Violation,
    deployment::{ComponentSpec, Orchestrator, ResourceKind, Role},
    graph::{self, Implementation, Node, NodeKind, ParameterValue},
    validation::{INVALID_PROTOCOL, INVALID_SERVER_TYPE, INVALID_TRANSPORT},
};
use serde_json::{Value, json};

use super::{Endpoint, Logger, Parameter, PredictiveUnit, PredictorSpec, SeldonDeployment, SeldonPodSpec};
use crate::crd::words::Words;

/// The deployment a resource describes, with what is wrong in its words added to `violations`.
pub(super) fn to_deployment(
    resource: SeldonDeployment,
    default_namespace: &Namespace,
    violations: &mut Vec<Violation>,
) -> Deployment {
    let SeldonDeployment { metadata, spec, .. } = resource;
    let path = FieldPath::of("spec");
    let mut word = Words { violations };
    Deployment {
        kind: ResourceKind::SeldonDeployment,
        id: word.id(&metadata, default_namespace),
        protocol: word.told(spec.protocol.as_deref(), &path.field("protocol"), INVALID_PROTOCOL).unwrap_or_default(),
        transport: word.told(spec.transport.as_deref(), &path.field("transport"), INVALID_TRANSPORT),
        server_type: word
            .told(spec.server_type.as_deref(), &path.field("serverType"), INVALID_SERVER_TYPE)
            .unwrap_or_default(),
        request_log: word.request_log(&[("spec", &spec.annotations), ("metadata", &metadata.annotations)]),
        replicas: spec.replicas,
        predictors: word.predictors(spec.predictors, &path.field("predictors")),
        annotations: overlaid(metadata.annotations, spec.annotations),
        labels: metadata.labels,
    }
}

impl Words<'_> {
    fn predictors(&mut self, predictors: Vec<PredictorSpec>, path: &FieldPath) -> Vec<Predictor> {
        let predictors = predictors.into_iter().enumerate();
        predictors.map(|(index, predictor)| self.predictor(predictor, &path.index(index))).collect()
    }

    fn predictor(&mut self, predictor: PredictorSpec, path: &FieldPath) -> Predictor {
        let orchestrator = predictor.svc_orch_spec.unwrap_or_default();
        Predictor {
            name: predictor.name,
            graph: self.node(predictor.graph, &path.field("graph")),
            services: None,
            traffic: predictor.traffic,
            replicas: predictor.replicas,
            shadow: predictor.shadow,
            annotations: predictor.annotations,
            labels: predictor.labels,
            component_specs: predictor.component_specs.iter().map(component_spec).collect(),
            explainer: predictor.explainer.filter(|explainer| *explainer != json!({})),
            orchestrator: Orchestrator {
                environment: orchestrator.env.into_iter().map(|variable| variable.name).collect(),
                replicas: orchestrator.replicas,
            },
            role: Role::Predictor,
            asks: None,
        }
    }

    fn node(&mut self, unit: PredictiveUnit, path: &FieldPath) -> Node {
        let children = path.field("children");
        let kind = self.kind(unit.kind.as_deref(), &path.field("type"));
        let implementation = unit.implementation.filter(|name| !name.is_empty()).map(Implementation::from);
        let methods = self.methods(&unit.methods, &path.field("methods"));
        Node {
            kind: NodeKind::defaulted(kind, implementation.as_ref(), &methods),
            implementation: implementation.unwrap_or_default(),
            methods,
            endpoint: unit.endpoint.map(|endpoint| self.endpoint(endpoint, &path.field("endpoint"))),
            parameters: self.parameters(unit.parameters, &path.field("parameters")),
            logger: unit.logger.map(|logger| self.logger(logger, &path.field("logger"))),
            children: (0..).zip(unit.children).map(|(index, child)| self.node(child, &children.index(index))).collect(),
            name: unit.name,
            model_uri: unit.model_uri.filter(|uri| !uri.is_empty()),
            service_account_name: unit.service_account_name,
            env_secret_ref_name: unit.env_secret_ref_name,
            storage_initializer_image: unit.storage_initializer_image,
        }
    }

    /// A type that is not known reads as MODEL: of a node without any, a rule would complain once more.
    fn kind(&mut self, word: Option<&str>, path: &FieldPath) -> Option<NodeKind> {
        let word = word.filter(|word| !word.is_empty())?;
        Some(self.known(Some(word), path).unwrap_or(NodeKind::Model))
    }

    fn methods(&mut self, methods: &[String], path: &FieldPath) -> Vec<graph::Method> {
        let methods = methods.iter().enumerate();
        methods.filter_map(|(index, method)| self.known(Some(method), &path.index(index))).collect()
    }

    fn endpoint(&mut self, endpoint: Endpoint, path: &FieldPath) -> graph::Endpoint {
        graph::Endpoint {
            kind: self.known(endpoint.kind.as_deref(), &path.field("type")),
            host: endpoint.service_host,
            port: endpoint.service_port,
            http_port: endpoint.http_port,
            grpc_port: endpoint.grpc_port,
        }
    }

    fn logger(&mut self, logger: Logger, path: &FieldPath) -> graph::Logger {
        graph::Logger { mode: self.known(logger.mode.as_deref(), &path.field("mode")), url: logger.url }
    }

    fn parameters(&mut self, parameters: Vec<Parameter>, path: &FieldPath) -> Vec<graph::Parameter> {
        let parameters = parameters.into_iter().enumerate();
        parameters.filter_map(|(index, parameter)| self.parameter(parameter, &path.index(index))).collect()
    }

    fn parameter(&mut self, parameter: Parameter, path: &FieldPath) -> Option<graph::Parameter> {
        if parameter.name.is_empty() {
            self.violations.push(Violation::required(path.field("name"), "a parameter must have a name"));
        }
        match ParameterValue::parse(&parameter.kind, &parameter.value) {
            Ok(value) => Some(graph::Parameter { name: parameter.name, value }),
            Err(error @ graph::InvalidParameter::Type(_)) => {
                self.violations.push(Violation::invalid(path.field("type"), parameter.kind, error.to_string()));
                None
            }
            Err(error) => {
                self.violations.push(Violation::invalid(path.field("value"), parameter.value, error.to_string()));
                None
            }
        }
    }
}

/// The annotations of a resource, with those of its specification over them.
fn overlaid(mut annotations: BTreeMap<String, String>, over: BTreeMap<String, String>) -> BTreeMap<String, String> {
    annotations.extend(over);
    annotations
}

fn component_spec(spec: &SeldonPodSpec) -> ComponentSpec {
    let containers = spec.spec.as_ref().and_then(|spec| spec.get("containers")?.as_array());
    let name = |container: &Value| Some(container.get("name")?.as_str()?.to_owned());
    ComponentSpec {
        containers: containers.into_iter().flatten().filter_map(name).collect(),
        scaling: None,
        replicas: spec.replicas,
        document: json!(spec),
    }
}
