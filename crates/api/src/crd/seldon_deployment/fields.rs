//! The fields of a `SeldonDeployment` and what this version does with each: one table, by which
//! documents are read and the reference page is printed. Long because it is a table.

use crate::crd::{Annotation, Class, Field, Section, Shape, Table};
use Shape::{Annotations, Any, Boolean, Integer, Object, Objects, ObjectsLike, Text, TextMap, Texts};

/// The table.
pub static FIELDS: Table =
    Table::new(&SECTIONS, &ANNOTATIONS, &["seldon.io/", "provost.dev/"], || Table::index(&SECTIONS));

const ONE_INSTANCE: &str = "the model runs inside this process, once";
const IN_PROCESS: &str = "the model runs inside this process, not in a container of its own";
const LOCAL_FILES: &str = "the platform fetches models itself, with the credentials of `envSecretRefName`";
const REMOVE: &str = "remove it";
const NO_IMAGES: &str = "remove it, and set `implementation` and `modelUri` in the graph";

static SECTIONS: [Section; 9] = [
    Section { title: "Resource", fields: &RESOURCE },
    Section { title: "Specification", fields: &SPECIFICATION },
    Section { title: "Predictor", fields: &PREDICTOR },
    Section { title: "Inference graph", fields: &GRAPH },
    Section { title: "Explainer", fields: &EXPLAINER },
    Section { title: "Orchestrator", fields: &ORCHESTRATOR },
    Section { title: "Component specifications", fields: &COMPONENT },
    Section { title: "PodSpec", fields: &POD },
    Section { title: "Container", fields: &CONTAINER },
];

static RESOURCE: [Field; 22] = [
    Field::honoured(
        "apiVersion",
        Text,
        "Group and version: `machinelearning.seldon.io/v1`, `/v1alpha2` or `/v1alpha3`.",
    ),
    Field::honoured("kind", Text, "`SeldonDeployment`."),
    Field::honoured("metadata", Object, "What identifies the resource."),
    Field::honoured("metadata.name", Text, "Name of the deployment; required."),
    Field::honoured("metadata.namespace", Text, "Namespace; that of the command where it is left out, else `default`."),
    Field::honoured("metadata.labels", TextMap, "Labels, kept with the deployment."),
    Field::honoured("metadata.annotations", Annotations, "Annotations; see below."),
    Field::refused("metadata.generateName", Text, "Prefix of a generated name.", "set `metadata.name`"),
    Field::no_effect("metadata.finalizers", Texts, "What must happen before the resource is removed."),
    Field::no_effect("metadata.ownerReferences", Any, "Resources with which this one is removed."),
    Field::server_set("metadata.uid", "Identifier."),
    Field::server_set("metadata.resourceVersion", "Version of the stored resource."),
    Field::server_set("metadata.generation", "Counts the changes of the specification."),
    Field::server_set("metadata.creationTimestamp", "When it was created."),
    Field::server_set("metadata.deletionTimestamp", "When it was deleted."),
    Field::server_set("metadata.deletionGracePeriodSeconds", "Time until it is removed."),
    Field::server_set("metadata.managedFields", "Who set which field."),
    Field::server_set("metadata.selfLink", "Path of the resource."),
    Field::server_set("metadata.clusterName", "Name of the cluster."),
    Field::honoured("spec", Object, "What is desired."),
    Field::server_set("status", "What was observed."),
    Field::server_set("metadata.initializers", "Of Kubernetes before 1.14."),
];

static SPECIFICATION: [Field; 9] = [
    Field::no_effect("spec.name", Text, "Deprecated name of the deployment.")
        .because("`metadata.name` names the deployment"),
    Field::honoured("spec.predictors", Objects, "The predictors; at least one."),
    Field::honoured("spec.annotations", Annotations, "Annotations; they go before those of `metadata`."),
    Field::honoured(
        "spec.protocol",
        Text,
        "Protocol: `seldon`, the default. `tensorflow` and `kfserving` are not supported yet.",
    ),
    Field::honoured("spec.transport", Text, "Transport: `rest`, the default. `grpc` is not supported yet."),
    Field::honoured("spec.serverType", Text, "How requests arrive: `rpc`, the default. `kafka` is not supported yet."),
    Field::on_kubernetes("spec.replicas", Integer, "Replicas of each predictor that does not say its own.")
        .because(ONE_INSTANCE)
        .unless(1),
    Field::no_effect("spec.oauth_key", Text, "Deprecated credentials.").because("remove it from the manifest"),
    Field::no_effect("spec.oauth_secret", Text, "Deprecated credentials.").because("remove it from the manifest"),
];

static PREDICTOR: [Field; 11] = [
    Field::honoured("spec.predictors[].name", Text, "Name of the predictor; required, unique in the deployment."),
    Field::honoured("spec.predictors[].graph", Object, "The inference graph: one MODEL node."),
    Field::honoured(
        "spec.predictors[].traffic",
        Integer,
        "Share of the traffic in percent. The shares of several predictors sum to 100; one alone gets all.",
    ),
    Field::honoured(
        "spec.predictors[].labels",
        TextMap,
        "Labels; `version` is the predictor's name where it is left out.",
    ),
    Field::honoured("spec.predictors[].annotations", Annotations, "Annotations; see below."),
    Field::on_kubernetes("spec.predictors[].replicas", Integer, "Replicas.").because(ONE_INSTANCE).unless(1),
    Field::refused(
        "spec.predictors[].shadow",
        Boolean,
        "Whether the predictor only gets a copy of the traffic.",
        "remove the predictor, or give it a share of the traffic",
    ),
    Field::no_effect("spec.predictors[].engineResources", Any, "Resources of the orchestrator, in the old place.")
        .because(IN_PROCESS),
    Field::no_effect("spec.predictors[].ssl", Object, "TLS between orchestrator and callers.")
        .because("set TLS on the listener of `provost serve`"),
    Field::no_effect("spec.predictors[].ssl.certSecretName", Text, "Secret with the certificate."),
    Field::no_effect("spec.predictors[].progressDeadlineSeconds", Integer, "Time a rollout may take.")
        .because("loading a model ends with success or an error"),
];

static GRAPH: [Field; 25] = [
    Field::honoured("spec.predictors[].graph.name", Text, "Name of the node; required."),
    Field::honoured("spec.predictors[].graph.type", Text, "`MODEL`, the default. Other types are not supported yet."),
    Field::honoured(
        "spec.predictors[].graph.implementation",
        Text,
        "Name of a model server: `SKLEARN_SERVER` or `XGBOOST_SERVER`; required for now.",
    ),
    Field::honoured(
        "spec.predictors[].graph.modelUri",
        Text,
        "Where the model's files are: a path, `file://`, `s3://`, `gs://`, `http(s)://` or rclone's `remote:bucket/path`; required.",
    ),
    Field::honoured("spec.predictors[].graph.parameters", Objects, "Parameters of the model server."),
    Field::honoured("spec.predictors[].graph.parameters[].name", Text, "Name of the parameter."),
    Field::honoured("spec.predictors[].graph.parameters[].value", Text, "Its value, written as a text."),
    Field::honoured(
        "spec.predictors[].graph.parameters[].type",
        Text,
        "`INT`, `FLOAT`, `DOUBLE`, `STRING` (the default) or `BOOL`.",
    ),
    Field::honoured(
        "spec.predictors[].graph.methods",
        Texts,
        "Methods of a node without a type: `TRANSFORM_INPUT`, `TRANSFORM_OUTPUT`, `ROUTE`, `AGGREGATE`, `SEND_FEEDBACK`.",
    ),
    Field::refused(
        "spec.predictors[].graph.children",
        ObjectsLike("spec.predictors[].graph"),
        "The nodes below.",
        "graphs of several nodes cannot be served; deploy one MODEL node",
    ),
    Field::no_effect("spec.predictors[].graph.endpoint", Object, "Where the node listens.").because(IN_PROCESS),
    Field::no_effect("spec.predictors[].graph.endpoint.service_host", Text, "Host."),
    Field::no_effect("spec.predictors[].graph.endpoint.service_port", Integer, "Port."),
    Field::no_effect("spec.predictors[].graph.endpoint.type", Text, "`REST` or `GRPC`."),
    Field::no_effect("spec.predictors[].graph.endpoint.httpPort", Integer, "Port for REST."),
    Field::no_effect("spec.predictors[].graph.endpoint.grpcPort", Integer, "Port for gRPC."),
    Field::no_effect(
        "spec.predictors[].graph.serviceAccountName",
        Text,
        "Service account whose credentials fetch the model.",
    )
    .because(LOCAL_FILES),
    Field::honoured(
        "spec.predictors[].graph.envSecretRefName",
        Text,
        "Secret with the fetcher's environment, of the configuration.",
    ),
    Field::no_effect("spec.predictors[].graph.storageInitializerImage", Text, "Image that fetches the model.")
        .because(LOCAL_FILES),
    Field::no_effect("spec.predictors[].graph.logger", Object, "Where requests and responses are sent to be logged.")
        .because("requests are in the request log of the platform"),
    Field::no_effect("spec.predictors[].graph.logger.url", Text, "Address of the logger."),
    Field::no_effect(
        "spec.predictors[].graph.logger.mode",
        Text,
        "`all`, `request` or `response`; required with a logger.",
    ),
    Field::no_effect("spec.predictors[].graph.endpoint.serviceHost", Text, "Host, in the spelling of old documents."),
    Field::no_effect(
        "spec.predictors[].graph.endpoint.servicePort",
        Integer,
        "Port, in the spelling of old documents.",
    ),
    Field::no_effect("spec.predictors[].graph.subType", Text, "Of version v1alpha1.").because(REMOVE),
];

static EXPLAINER: [Field; 11] = [
    Field::refused("spec.predictors[].explainer", Object, "Explains the predictions.", REMOVE),
    Field::refused("spec.predictors[].explainer.type", Text, "Kind of explainer, such as `AnchorTabular`.", REMOVE),
    Field::refused("spec.predictors[].explainer.modelUri", Text, "Where the explainer's files are.", REMOVE),
    Field::refused(
        "spec.predictors[].explainer.serviceAccountName",
        Text,
        "Service account whose credentials fetch them.",
        REMOVE,
    ),
    Field::refused("spec.predictors[].explainer.containerSpec", Any, "Container of the explainer.", REMOVE),
    Field::refused("spec.predictors[].explainer.config", TextMap, "Settings.", REMOVE),
    Field::refused("spec.predictors[].explainer.endpoint", Any, "Where it listens.", REMOVE),
    Field::refused(
        "spec.predictors[].explainer.envSecretRefName",
        Text,
        "Secret with the fetcher's environment.",
        REMOVE,
    ),
    Field::refused(
        "spec.predictors[].explainer.storageInitializerImage",
        Text,
        "Image that fetches the files.",
        REMOVE,
    ),
    Field::refused("spec.predictors[].explainer.replicas", Integer, "Replicas.", REMOVE),
    Field::refused("spec.predictors[].explainer.initParameters", Any, "Parameters with which it is made.", REMOVE),
];

static ORCHESTRATOR: [Field; 7] = [
    Field::honoured("spec.predictors[].svcOrchSpec", Object, "Settings of the orchestrator."),
    Field::no_effect("spec.predictors[].svcOrchSpec.resources", Any, "Its resources.").because(IN_PROCESS),
    Field::no_effect("spec.predictors[].svcOrchSpec.env", Objects, "Its environment.").because(IN_PROCESS),
    Field::no_effect("spec.predictors[].svcOrchSpec.env[].name", Text, "Name of a variable."),
    Field::no_effect("spec.predictors[].svcOrchSpec.env[].value", Text, "Its value."),
    Field::no_effect("spec.predictors[].svcOrchSpec.env[].valueFrom", Any, "Where its value is taken from."),
    Field::no_effect("spec.predictors[].svcOrchSpec.replicas", Integer, "Its replicas.")
        .because(ONE_INSTANCE)
        .unless(1),
];

static COMPONENT: [Field; 22] = [
    Field::honoured(
        "spec.predictors[].componentSpecs",
        Objects,
        "Pod templates; a container belongs to the node of its name.",
    ),
    Field::honoured("spec.predictors[].componentSpecs[].metadata", Object, "Metadata of the pods."),
    Field::no_effect("spec.predictors[].componentSpecs[].metadata.name", Text, "Name of their Deployment.")
        .because(IN_PROCESS),
    Field::no_effect("spec.predictors[].componentSpecs[].metadata.namespace", Text, "Namespace."),
    Field::no_effect("spec.predictors[].componentSpecs[].metadata.labels", TextMap, "Labels of the pods.")
        .because(IN_PROCESS),
    Field::no_effect("spec.predictors[].componentSpecs[].metadata.annotations", TextMap, "Annotations of the pods.")
        .because(IN_PROCESS),
    Field::server_set("spec.predictors[].componentSpecs[].metadata.creationTimestamp", "When it was created."),
    Field::no_effect("spec.predictors[].componentSpecs[].replicas", Integer, "Replicas.")
        .because(ONE_INSTANCE)
        .unless(1),
    Field::honoured("spec.predictors[].componentSpecs[].spec", Object, "The PodSpec."),
    Field::no_effect("spec.predictors[].componentSpecs[].hpaSpec", Object, "Autoscaling.").because(ONE_INSTANCE),
    Field::no_effect("spec.predictors[].componentSpecs[].hpaSpec.minReplicas", Integer, "Fewest replicas."),
    Field::no_effect("spec.predictors[].componentSpecs[].hpaSpec.maxReplicas", Integer, "Most replicas."),
    Field::no_effect("spec.predictors[].componentSpecs[].hpaSpec.metrics", Any, "What is scaled on."),
    Field::no_effect(
        "spec.predictors[].componentSpecs[].hpaSpec.metricsv2",
        Any,
        "What is scaled on, in autoscaling/v2.",
    ),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec", Object, "Autoscaling by KEDA.")
        .because(ONE_INSTANCE),
    Field::no_effect(
        "spec.predictors[].componentSpecs[].kedaSpec.pollingInterval",
        Integer,
        "Seconds between looks at the triggers.",
    ),
    Field::no_effect(
        "spec.predictors[].componentSpecs[].kedaSpec.cooldownPeriod",
        Integer,
        "Seconds before scaling to none.",
    ),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec.minReplicaCount", Integer, "Fewest replicas."),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec.maxReplicaCount", Integer, "Most replicas."),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec.advanced", Any, "Further settings."),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec.triggers", Any, "What is scaled on."),
    Field::no_effect(
        "spec.predictors[].componentSpecs[].pdbSpec",
        Any,
        "How many pods may be disrupted: `minAvailable`, `maxUnavailable`.",
    )
    .because(ONE_INSTANCE),
];

static POD: [Field; 36] = [
    Field::honoured(
        "spec.predictors[].componentSpecs[].spec.containers",
        Objects,
        "Containers, by the names of the graph's nodes.",
    ),
    Field::refused(
        "spec.predictors[].componentSpecs[].spec.initContainers",
        Any,
        "Containers that run before.",
        "remove it: the platform fetches `modelUri` itself",
    ),
    pod_field("spec.predictors[].componentSpecs[].spec.activeDeadlineSeconds"),
    pod_field("spec.predictors[].componentSpecs[].spec.affinity"),
    pod_field("spec.predictors[].componentSpecs[].spec.automountServiceAccountToken"),
    pod_field("spec.predictors[].componentSpecs[].spec.dnsConfig"),
    pod_field("spec.predictors[].componentSpecs[].spec.dnsPolicy"),
    pod_field("spec.predictors[].componentSpecs[].spec.enableServiceLinks"),
    pod_field("spec.predictors[].componentSpecs[].spec.ephemeralContainers"),
    pod_field("spec.predictors[].componentSpecs[].spec.hostAliases"),
    pod_field("spec.predictors[].componentSpecs[].spec.hostIPC"),
    pod_field("spec.predictors[].componentSpecs[].spec.hostNetwork"),
    pod_field("spec.predictors[].componentSpecs[].spec.hostPID"),
    pod_field("spec.predictors[].componentSpecs[].spec.hostname"),
    pod_field("spec.predictors[].componentSpecs[].spec.imagePullSecrets"),
    pod_field("spec.predictors[].componentSpecs[].spec.nodeName"),
    pod_field("spec.predictors[].componentSpecs[].spec.nodeSelector"),
    pod_field("spec.predictors[].componentSpecs[].spec.overhead"),
    pod_field("spec.predictors[].componentSpecs[].spec.preemptionPolicy"),
    pod_field("spec.predictors[].componentSpecs[].spec.priority"),
    pod_field("spec.predictors[].componentSpecs[].spec.priorityClassName"),
    pod_field("spec.predictors[].componentSpecs[].spec.readinessGates"),
    pod_field("spec.predictors[].componentSpecs[].spec.restartPolicy"),
    pod_field("spec.predictors[].componentSpecs[].spec.runtimeClassName"),
    pod_field("spec.predictors[].componentSpecs[].spec.schedulerName"),
    pod_field("spec.predictors[].componentSpecs[].spec.securityContext"),
    pod_field("spec.predictors[].componentSpecs[].spec.serviceAccount"),
    pod_field("spec.predictors[].componentSpecs[].spec.serviceAccountName"),
    pod_field("spec.predictors[].componentSpecs[].spec.setHostnameAsFQDN"),
    pod_field("spec.predictors[].componentSpecs[].spec.shareProcessNamespace"),
    pod_field("spec.predictors[].componentSpecs[].spec.subdomain"),
    pod_field("spec.predictors[].componentSpecs[].spec.terminationGracePeriodSeconds"),
    pod_field("spec.predictors[].componentSpecs[].spec.tolerations"),
    pod_field("spec.predictors[].componentSpecs[].spec.topologySpreadConstraints"),
    pod_field("spec.predictors[].componentSpecs[].spec.volumes"),
    pod_field("spec.predictors[].componentSpecs[].spec.os"),
];

static CONTAINER: [Field; 22] = [
    Field::honoured(
        "spec.predictors[].componentSpecs[].spec.containers[].name",
        Text,
        "Name of the node the container belongs to.",
    ),
    Field::refused(
        "spec.predictors[].componentSpecs[].spec.containers[].image",
        Text,
        "Image of the user's own.",
        NO_IMAGES,
    ),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].args"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].command"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].env"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].envFrom"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].imagePullPolicy"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].lifecycle"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].livenessProbe"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].ports"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].readinessProbe"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].resources"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].securityContext"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].startupProbe"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].stdin"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].stdinOnce"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].terminationMessagePath"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].terminationMessagePolicy"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].tty"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].volumeDevices"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].volumeMounts"),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].workingDir"),
];

/// A field of Kubernetes' own, with its meaning.
const fn pod_field(path: &'static str) -> Field {
    Field::no_effect(path, Any, "As in Kubernetes.").because(IN_PROCESS)
}

static ANNOTATIONS: [Annotation; 33] = [
    Annotation::new(
        "provost.dev/request-log",
        Class::Honoured,
        "`on`, the default, or `off`: whether the deployment's requests are logged.",
    ),
    Annotation::new("seldon.io/no-engine", Class::NoEffect, "Whether a predictor runs without the orchestrator."),
    Annotation::new("seldon.io/rest-timeout", Class::NoEffect, "Milliseconds a call of a node may take over REST."),
    Annotation::new("seldon.io/grpc-timeout", Class::NoEffect, "Milliseconds a call of a node may take over gRPC."),
    Annotation::new("seldon.io/rest-read-timeout", Class::NoEffect, "Of the orchestrator before 1.0."),
    Annotation::new("seldon.io/rest-connection-timeout", Class::NoEffect, "Of the orchestrator before 1.0."),
    Annotation::new("seldon.io/grpc-read-timeout", Class::NoEffect, "Of the orchestrator before 1.0."),
    Annotation::new("seldon.io/grpc-max-message-size", Class::NoEffect, "Bytes of a gRPC message."),
    Annotation::new("seldon.io/engine-separate-pod", Class::NoEffect, "Whether the orchestrator has a pod of its own."),
    Annotation::new("seldon.io/headless-svc", Class::NoEffect, "Whether Services are headless."),
    Annotation::new("seldon.io/svc-name", Class::NoEffect, "Name of a predictor's Service."),
    Annotation::new("seldon.io/executor", Class::NoEffect, "Which orchestrator runs."),
    Annotation::new("seldon.io/controller-id", Class::NoEffect, "Which operator is in charge."),
    Annotation::new(
        "seldon.io/engine-seldon-log-messages-externally",
        Class::NoEffect,
        "Whether messages are sent to a logger.",
    ),
    Annotation::new("seldon.io/engine-java-opts", Class::NoEffect, "Options of the Java orchestrator."),
    Annotation::new(
        "seldon.io/engine-*",
        Class::NoEffect,
        "Environment of the orchestrator: `engine-foo-bar` sets `FOO_BAR`.",
    ),
    Annotation::new("seldon.io/istio-gateway", Class::NoEffect, "Istio's gateway."),
    Annotation::new("seldon.io/istio-host", Class::NoEffect, "Host for Istio."),
    Annotation::new("seldon.io/istio-retries", Class::NoEffect, "Istio's retries."),
    Annotation::new("seldon.io/istio-retries-timeout", Class::NoEffect, "Time a retry by Istio may take."),
    Annotation::new("seldon.io/ambassador-config", Class::NoEffect, "Ambassador's own configuration."),
    Annotation::new("seldon.io/ambassador-service-name", Class::NoEffect, "Name of the deployment for Ambassador."),
    Annotation::new("seldon.io/ambassador-header", Class::NoEffect, "Header Ambassador matches."),
    Annotation::new(
        "seldon.io/ambassador-regex-header",
        Class::NoEffect,
        "Header Ambassador matches by a regular expression.",
    ),
    Annotation::new("seldon.io/ambassador-id", Class::NoEffect, "Which Ambassador is in charge."),
    Annotation::new("seldon.io/ambassador-retries", Class::NoEffect, "Ambassador's retries."),
    Annotation::new(
        "seldon.io/ambassador-circuit-breakers-max-connections",
        Class::NoEffect,
        "Ambassador's circuit breaker.",
    ),
    Annotation::new(
        "seldon.io/ambassador-circuit-breakers-max-pending-requests",
        Class::NoEffect,
        "Ambassador's circuit breaker.",
    ),
    Annotation::new(
        "seldon.io/ambassador-circuit-breakers-max-requests",
        Class::NoEffect,
        "Ambassador's circuit breaker.",
    ),
    Annotation::new(
        "seldon.io/ambassador-circuit-breakers-max-retries",
        Class::NoEffect,
        "Ambassador's circuit breaker.",
    ),
    Annotation::new(
        "seldon.io/no-storage-initializer",
        Class::NoEffect,
        "Whether a predictor's models are not fetched.",
    ),
    Annotation::new(
        "seldon.io/executor-logger-queue-size",
        Class::NoEffect,
        "Messages the orchestrator keeps for a logger.",
    ),
    Annotation::new(
        "seldon.io/executor-logger-write-timeout-ms",
        Class::NoEffect,
        "Milliseconds until the orchestrator drops a message.",
    ),
];

const INTRODUCTION: &str = "\
Every field of a manifest is in one of these classes:

| Class | What happens |
|---|---|
| honoured | It does what it says. |
| no effect | Accepted with a warning that names the path: the engine in the server's own process has no use for it. |
| on Kubernetes | Honoured by the operator; in the server's own process accepted with a warning that names the path. |
| not supported yet | Refused with an error that names the path and says what to do. Empty values are accepted. |
| set by servers | Accepted and ignored, so that what `provost get` or `kubectl get` prints can be applied again. |
| unknown | Not in these tables. Accepted with a warning that names the path. |

Kind `SeldonDeployment` of `machinelearning.seldon.io/v1`, `v1alpha2` and `v1alpha3`, which share one schema. \
In a path, `[]` stands for any element of a list. Annotations with other prefixes than `seldon.io/` and \
`provost.dev/` are kept without a warning. This page is printed by `provost print fields`.";

/// The reference page, as `provost print fields` prints it.
pub fn reference_page() -> String {
    crate::crd::markdown::reference_page("Fields of manifests", INTRODUCTION, &FIELDS)
}
