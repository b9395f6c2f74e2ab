//! The fields of a `SeldonDeployment` and what this version does with each: one table, by which
//! documents are read and the reference page is printed. Long because it is a table.

use crate::crd::{Annotation, Class, Field, Section, Shape, Table, metadata::METADATA};
use Shape::{Annotations, Any, Boolean, Integer, List, Map, Object, Objects, ObjectsLike, Text, TextMap, Texts};

/// The table.
pub static FIELDS: Table =
    Table::new(&SECTIONS, &ANNOTATIONS, &["seldon.io/", "provost.dev/"], || Table::index(&SECTIONS));

const ONE_INSTANCE: &str = "the model runs inside this process, once";
const IN_PROCESS: &str = "the model runs inside this process, not in a container of its own";
const LOCAL_FILES: &str = "the platform fetches models itself, with the credentials of `envSecretRefName`";
const REMOVE: &str = "remove it";
const NO_IMAGES: &str =
    "remove it, and set `implementation` and `modelUri` in the graph, or `endpoint` to where your program listens";
const NOT_CALLED: &str = "the node runs in the server and is not called over the network";
const CONTAINER_TELLS: &str =
    "the node is called in its pod, at the port of its container that is named `http`, or `grpc`";
const USE_TIMEOUT: &str = "use `seldon.io/rest-timeout`";
const USE_GRPC_TIMEOUT: &str = "use `seldon.io/grpc-timeout`";
const BODY_MAX: &str = "`gateway.body-max` of the configuration limits all messages";
const ONE_CONTAINER: &str = "the orchestrator serves the models itself, or stands beside a program of your own";
const NO_ORCHESTRATOR: &str = "there is no orchestrator of Seldon's";
const ROUTES: &str = "routes are those of the platform";
const LOGGED_HERE: &str = "requests are in the request log of the platform";
const NO_KEDA: &str = "there is no autoscaling by KEDA";

static SECTIONS: [Section; 10] = [
    Section { title: "Resource", fields: &RESOURCE },
    Section { title: "Metadata", fields: &METADATA },
    Section { title: "Specification", fields: &SPECIFICATION },
    Section { title: "Predictor", fields: &PREDICTOR },
    Section { title: "Inference graph", fields: &GRAPH },
    Section { title: "Explainer", fields: &EXPLAINER },
    Section { title: "Orchestrator", fields: &ORCHESTRATOR },
    Section { title: "Component specifications", fields: &COMPONENT },
    Section { title: "PodSpec", fields: &POD },
    Section { title: "Container", fields: &CONTAINER },
];

static RESOURCE: [Field; 2] = [
    Field::honoured(
        "apiVersion",
        Text,
        "Group and version: `machinelearning.seldon.io/v1`, `/v1alpha2` or `/v1alpha3`.",
    ),
    Field::honoured("kind", Text, "`SeldonDeployment`."),
];

static SPECIFICATION: [Field; 9] = [
    Field::no_effect("spec.name", Text, "Deprecated name of the deployment.")
        .because("`metadata.name` names the deployment"),
    Field::honoured("spec.predictors", Objects, "The predictors; at least one."),
    Field::honoured("spec.annotations", Annotations, "Annotations; they go before those of `metadata`."),
    Field::honoured(
        "spec.protocol",
        Text,
        "Protocol: `seldon`, the default, `kfserving` (or `v2`) or `tensorflow`. Models of this server answer all of them, \
         each at its own paths; a program of your own is asked in this one. With `kfserving` a scikit-learn model of \
         which no `method` is said answers with `predict`.",
    ),
    Field::honoured(
        "spec.transport",
        Text,
        "Transport: `rest`, the default, or `grpc`. Models of this server answer both at once; programs of your own are \
         called over this one, where `endpoint.type` says nothing else.",
    ),
    Field::honoured("spec.serverType", Text, "How requests arrive: `rpc`, the default. `kafka` is not supported yet."),
    Field::on_kubernetes("spec.replicas", Integer, "Replicas of each predictor that does not say its own.")
        .because(ONE_INSTANCE)
        .unless(1),
    Field::no_effect("spec.oauth_key", Text, "Deprecated credentials.").because("remove it from the manifest"),
    Field::no_effect("spec.oauth_secret", Text, "Deprecated credentials.").because("remove it from the manifest"),
];

static PREDICTOR: [Field; 11] = [
    Field::honoured("spec.predictors[].name", Text, "Name of the predictor; required, unique in the deployment."),
    Field::honoured("spec.predictors[].graph", Object, "The inference graph: its first node, with those below."),
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
    Field::honoured(
        "spec.predictors[].shadow",
        Boolean,
        "Whether the predictor only gets a copy of the traffic, whose answers nobody sees: of the share that `traffic` says, \
         or of all where it says nothing; of a part on Kubernetes where the gateway is Envoy's or the built-in one.",
    ),
    Field::on_kubernetes("spec.predictors[].engineResources", Map, "Resources of the orchestrator, in the old place.")
        .because(IN_PROCESS),
    Field::no_effect("spec.predictors[].ssl", Object, "TLS between orchestrator and callers.")
        .because("TLS is that of the listener or the gateway"),
    Field::no_effect("spec.predictors[].ssl.certSecretName", Text, "Secret with the certificate."),
    Field::on_kubernetes("spec.predictors[].progressDeadlineSeconds", Integer, "Time a rollout may take.")
        .because("loading a model ends with success or an error"),
];

static GRAPH: [Field; 25] = [
    Field::honoured("spec.predictors[].graph.name", Text, "Name of the node; required, unique in the graph."),
    Field::honoured(
        "spec.predictors[].graph.type",
        Text,
        "`MODEL`, the default, `TRANSFORMER`, `OUTPUT_TRANSFORMER`, `ROUTER`, `COMBINER`, or `UNKNOWN_TYPE` with `methods`.",
    ),
    Field::honoured(
        "spec.predictors[].graph.implementation",
        Text,
        "Name of a model server, or of what is built in: `SIMPLE_MODEL`, `SIMPLE_ROUTER`, `RANDOM_ABTEST` with the \
         parameter `ratioA`, `AVERAGE_COMBINER`, `EPSILON_GREEDY` with `epsilon`, `THOMPSON_SAMPLING`. `SKLEARN_SERVER`, \
         `XGBOOST_SERVER`, `LIGHTGBM_SERVER` and `CATBOOST_SERVER` are part of the server; others, as `provost print \
         servers` lists them, run in containers on Kubernetes, and elsewhere need an `endpoint`. Without, the node is a program of your own.",
    ),
    Field::honoured(
        "spec.predictors[].graph.modelUri",
        Text,
        "Where the model's files are: a path, `file://`, `s3://`, `gs://`, `http(s)://` or rclone's `remote:bucket/path`, on Kubernetes also `pvc://claim/path`; required.",
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
    Field::honoured(
        "spec.predictors[].graph.children",
        ObjectsLike("spec.predictors[].graph"),
        "The nodes below. With `spec.protocol` other than `seldon` there can be none yet.",
    ),
    Field::own_program(
        "spec.predictors[].graph.endpoint",
        Object,
        "Where the node listens, if it is a program of its own. On Kubernetes its container tells.",
    )
    .because(NOT_CALLED),
    Field::in_process("spec.predictors[].graph.endpoint.service_host", Text, "Host.").because(CONTAINER_TELLS),
    Field::in_process(
        "spec.predictors[].graph.endpoint.service_port",
        Integer,
        "Port for REST, where `httpPort` is not set.",
    )
    .because(CONTAINER_TELLS),
    Field::honoured("spec.predictors[].graph.endpoint.type", Text, "`REST`, or `GRPC`, with Seldon's protocol and V2."),
    Field::in_process("spec.predictors[].graph.endpoint.httpPort", Integer, "Port for REST.").because(CONTAINER_TELLS),
    Field::in_process("spec.predictors[].graph.endpoint.grpcPort", Integer, "Port for gRPC.").because(CONTAINER_TELLS),
    Field::on_kubernetes(
        "spec.predictors[].graph.serviceAccountName",
        Text,
        "Service account that the pods run as, and whose identity and Secrets models in buckets are fetched with; without, and without `envSecretRefName`, those of the account `default`.",
    )
    .because(LOCAL_FILES),
    Field::honoured(
        "spec.predictors[].graph.envSecretRefName",
        Text,
        "Secret with the fetcher's environment: of the configuration, on Kubernetes of the namespace.",
    ),
    Field::on_kubernetes(
        "spec.predictors[].graph.storageInitializerImage",
        Text,
        "Image of an init container that fetches the model; it is run with the arguments `modelUri` and `/mnt/models`.",
    )
    .because(LOCAL_FILES),
    Field::no_effect("spec.predictors[].graph.logger", Object, "Where requests and responses are sent to be logged.")
        .because(LOGGED_HERE),
    Field::no_effect("spec.predictors[].graph.logger.url", Text, "Address of the logger."),
    Field::no_effect(
        "spec.predictors[].graph.logger.mode",
        Text,
        "`all`, `request` or `response`; required with a logger.",
    ),
    Field::in_process("spec.predictors[].graph.endpoint.serviceHost", Text, "Host, in the spelling of old documents.")
        .because(CONTAINER_TELLS),
    Field::in_process(
        "spec.predictors[].graph.endpoint.servicePort",
        Integer,
        "Port, in the spelling of old documents.",
    )
    .because(CONTAINER_TELLS),
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
    Field::on_kubernetes(
        "spec.predictors[].svcOrchSpec.resources",
        Map,
        "Its resources, which are added to those of the nodes.",
    )
    .because(IN_PROCESS),
    Field::on_kubernetes(
        "spec.predictors[].svcOrchSpec.env",
        Objects,
        "Its environment, which goes before that of the nodes.",
    )
    .because(IN_PROCESS),
    Field::on_kubernetes("spec.predictors[].svcOrchSpec.env[].name", Text, "Name of a variable."),
    Field::on_kubernetes("spec.predictors[].svcOrchSpec.env[].value", Text, "Its value."),
    Field::on_kubernetes("spec.predictors[].svcOrchSpec.env[].valueFrom", Map, "Where its value is taken from."),
    Field::no_effect("spec.predictors[].svcOrchSpec.replicas", Integer, "Its replicas.")
        .because(ONE_CONTAINER)
        .unless(1),
];

static COMPONENT: [Field; 24] = [
    Field::honoured(
        "spec.predictors[].componentSpecs",
        Objects,
        "Pod templates; a container belongs to the node of its name. One that says other `replicas`, `hpaSpec` or `pdbSpec` than the first has pods of its own; the others share theirs.",
    ),
    Field::honoured("spec.predictors[].componentSpecs[].metadata", Object, "Metadata of the pods."),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].metadata.name",
        Text,
        "Name of their Deployment; that of the first counts.",
    )
    .because(IN_PROCESS),
    Field::no_effect("spec.predictors[].componentSpecs[].metadata.namespace", Text, "Namespace.")
        .because("it is that of the deployment"),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].metadata.labels",
        TextMap,
        "Labels of the pods, beside those that select them.",
    )
    .because(IN_PROCESS),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].metadata.annotations",
        TextMap,
        "Annotations of the pods.",
    )
    .because(IN_PROCESS),
    Field::server_set("spec.predictors[].componentSpecs[].metadata.creationTimestamp", "When it was created."),
    Field::on_kubernetes("spec.predictors[].componentSpecs[].replicas", Integer, "Replicas.")
        .because(ONE_INSTANCE)
        .unless(1),
    Field::honoured("spec.predictors[].componentSpecs[].spec", Object, "The PodSpec."),
    Field::on_kubernetes("spec.predictors[].componentSpecs[].hpaSpec", Object, "Autoscaling.").because(ONE_INSTANCE),
    Field::on_kubernetes("spec.predictors[].componentSpecs[].hpaSpec.minReplicas", Integer, "Fewest replicas."),
    Field::on_kubernetes("spec.predictors[].componentSpecs[].hpaSpec.maxReplicas", Integer, "Most replicas."),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].hpaSpec.metrics",
        List,
        "What is scaled on, in autoscaling/v2beta1 or v2.",
    ),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].hpaSpec.metricsv2",
        List,
        "What is scaled on, in autoscaling/v2.",
    ),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec", Object, "Autoscaling by KEDA.").because(NO_KEDA),
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
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec.advanced", Map, "Further settings."),
    Field::no_effect("spec.predictors[].componentSpecs[].kedaSpec.triggers", List, "What is scaled on."),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].pdbSpec",
        Object,
        "How many pods may be away at once; one of its fields.",
    )
    .because(ONE_INSTANCE),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].pdbSpec.minAvailable",
        Any,
        "Fewest pods that stay: a number or a share, such as `50%`.",
    ),
    Field::on_kubernetes(
        "spec.predictors[].componentSpecs[].pdbSpec.maxUnavailable",
        Any,
        "Most pods that are away: a number or a share.",
    ),
];

static POD: [Field; 39] = [
    Field::honoured(
        "spec.predictors[].componentSpecs[].spec.containers",
        Objects,
        "Containers, by the names of the graph's nodes.",
    ),
    Field::kubernetes_only(
        "spec.predictors[].componentSpecs[].spec.initContainers",
        List,
        "Containers that run before. One named `<node>-model-initializer` fetches the node's model: it is run with the arguments `modelUri` and `/mnt/models`.",
        "remove it: the platform fetches `modelUri` itself",
    ),
    Field::refused(
        "spec.predictors[].componentSpecs[].spec.ephemeralContainers",
        List,
        "Containers for debugging.",
        "remove it: Kubernetes makes no pods with them",
    ),
    pod_field("spec.predictors[].componentSpecs[].spec.activeDeadlineSeconds", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.affinity", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.automountServiceAccountToken", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.dnsConfig", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.dnsPolicy", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.enableServiceLinks", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.hostAliases", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.hostIPC", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.hostNetwork", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.hostPID", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.hostname", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.imagePullSecrets", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.nodeName", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.nodeSelector", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.overhead", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.preemptionPolicy", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.priority", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.priorityClassName", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.readinessGates", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.restartPolicy", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.runtimeClassName", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.schedulerName", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.securityContext", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.serviceAccount", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.serviceAccountName", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.setHostnameAsFQDN", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.shareProcessNamespace", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.subdomain", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.terminationGracePeriodSeconds", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.tolerations", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.topologySpreadConstraints", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.volumes", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.os", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.hostUsers", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.resourceClaims", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.schedulingGates", List, AS_THERE),
];

static CONTAINER: [Field; 23] = [
    Field::honoured(
        "spec.predictors[].componentSpecs[].spec.containers[].name",
        Text,
        "Name of the node the container belongs to; on Kubernetes others run beside the server.",
    ),
    Field::kubernetes_only(
        "spec.predictors[].componentSpecs[].spec.containers[].image",
        Text,
        "Image of a container beside the server, of a node without `implementation`, or in place of a model server's own. Of \
         nodes that the server runs itself it is refused.",
        NO_IMAGES,
    ),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].env", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].envFrom", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].imagePullPolicy", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].lifecycle", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].livenessProbe", Map, AS_THERE),
    pod_field(
        "spec.predictors[].componentSpecs[].spec.containers[].ports",
        List,
        "As in Kubernetes. The server listens on 8000; a program of your own is called at the port named `http`.",
    ),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].readinessProbe", Map, AS_THERE),
    pod_field(
        "spec.predictors[].componentSpecs[].spec.containers[].resources",
        Map,
        "As in Kubernetes. Those of nodes and orchestrator are added.",
    ),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].securityContext", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].startupProbe", Map, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].stdin", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].stdinOnce", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].terminationMessagePath", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].terminationMessagePolicy", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].tty", Any, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].volumeDevices", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].volumeMounts", List, AS_THERE),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].workingDir", Text, PROGRAM),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].args", List, PROGRAM),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].command", List, PROGRAM),
    pod_field("spec.predictors[].componentSpecs[].spec.containers[].resizePolicy", List, AS_THERE),
];

/// The meaning of a field of Kubernetes' own.
const AS_THERE: &str = "As in Kubernetes.";
/// The same of one that is about a program of the user's.
const PROGRAM: &str = "As in Kubernetes. Refused in the container of a node that the server runs itself.";

/// A field of Kubernetes' own.
const fn pod_field(path: &'static str, shape: Shape, about: &'static str) -> Field {
    Field::on_kubernetes(path, shape, about).because(IN_PROCESS)
}

static ANNOTATIONS: [Annotation; 36] = [
    Annotation::new(
        "provost.dev/request-log",
        Class::Honoured,
        "`on`, the default, or `off`: whether the deployment's requests are logged.",
    ),
    Annotation::own_program(
        "provost.dev/container-concurrency",
        "Requests that a node whose program is your own gets at once in each replica, while others wait in their order; no \
         limit where it is left out, or 0.",
        NOT_CALLED,
    ),
    Annotation::new(
        "provost.dev/max-batch-size",
        Class::Honoured,
        "Has requests of V1's `:predict` that say nothing but `instances` wait for others, and the predictor get them at once: \
         most instances of such a batch, but for a single request with more; else 32. 0 for no batches. Each answer has its own \
         `predictions`, with `message` and `batchId`.",
    ),
    Annotation::new(
        "provost.dev/max-batch-latency",
        Class::Honoured,
        "The same: milliseconds that a request waits for others at most; else 5000.",
    ),
    Annotation::no_effect("seldon.io/no-engine", "Whether a predictor runs without the orchestrator.", ONE_CONTAINER),
    Annotation::own_program(
        "seldon.io/rest-timeout",
        "Milliseconds that a node whose program is your own may take to answer; else 60000.",
        NOT_CALLED,
    ),
    Annotation::own_program(
        "seldon.io/grpc-timeout",
        "Milliseconds that such a node may take to answer over gRPC; else 60000.",
        NOT_CALLED,
    ),
    Annotation::no_effect("seldon.io/rest-read-timeout", "Of the orchestrator before 1.0.", USE_TIMEOUT),
    Annotation::no_effect("seldon.io/rest-connection-timeout", "Of the orchestrator before 1.0.", USE_TIMEOUT),
    Annotation::no_effect("seldon.io/grpc-read-timeout", "Of the orchestrator before 1.0.", USE_GRPC_TIMEOUT),
    Annotation::no_effect("seldon.io/grpc-max-message-size", "Bytes of a gRPC message.", BODY_MAX),
    Annotation::no_effect(
        "seldon.io/engine-separate-pod",
        "Whether the orchestrator has a pod of its own.",
        ONE_CONTAINER,
    ),
    Annotation::new("seldon.io/headless-svc", Class::OnKubernetes, "`true`: Services have no address of their own."),
    Annotation::new(
        "seldon.io/svc-name",
        Class::OnKubernetes,
        "Name of a predictor's Service; the predictor's annotation goes before the deployment's.",
    ),
    Annotation::no_effect("seldon.io/executor", "Which orchestrator runs.", NO_ORCHESTRATOR),
    Annotation::no_effect(
        "seldon.io/controller-id",
        "Which operator is in charge.",
        "the label of the name says which operator is in charge",
    ),
    Annotation::no_effect(
        "seldon.io/engine-seldon-log-messages-externally",
        "Whether messages are sent to a logger.",
        LOGGED_HERE,
    ),
    Annotation::no_effect("seldon.io/engine-java-opts", "Options of the Java orchestrator.", NO_ORCHESTRATOR),
    Annotation::no_effect(
        "seldon.io/engine-*",
        "Environment of the orchestrator: `engine-foo-bar` sets `FOO_BAR`.",
        NO_ORCHESTRATOR,
    ),
    Annotation::no_effect("seldon.io/istio-gateway", "Istio's gateway.", ROUTES),
    Annotation::no_effect("seldon.io/istio-host", "Host for Istio.", ROUTES),
    Annotation::no_effect("seldon.io/istio-retries", "Istio's retries.", ROUTES),
    Annotation::no_effect("seldon.io/istio-retries-timeout", "Time a retry by Istio may take.", ROUTES),
    Annotation::no_effect("seldon.io/ambassador-config", "Ambassador's own configuration.", ROUTES),
    Annotation::no_effect("seldon.io/ambassador-service-name", "Name of the deployment for Ambassador.", ROUTES),
    Annotation::no_effect("seldon.io/ambassador-header", "Header Ambassador matches.", ROUTES),
    Annotation::no_effect(
        "seldon.io/ambassador-regex-header",
        "Header Ambassador matches by a regular expression.",
        ROUTES,
    ),
    Annotation::no_effect("seldon.io/ambassador-id", "Which Ambassador is in charge.", ROUTES),
    Annotation::no_effect("seldon.io/ambassador-retries", "Ambassador's retries.", ROUTES),
    Annotation::no_effect(
        "seldon.io/ambassador-circuit-breakers-max-connections",
        "Ambassador's circuit breaker.",
        ROUTES,
    ),
    Annotation::no_effect(
        "seldon.io/ambassador-circuit-breakers-max-pending-requests",
        "Ambassador's circuit breaker.",
        ROUTES,
    ),
    Annotation::no_effect(
        "seldon.io/ambassador-circuit-breakers-max-requests",
        "Ambassador's circuit breaker.",
        ROUTES,
    ),
    Annotation::no_effect("seldon.io/ambassador-circuit-breakers-max-retries", "Ambassador's circuit breaker.", ROUTES),
    Annotation::no_effect(
        "seldon.io/no-storage-initializer",
        "Whether a predictor's models are not fetched.",
        "an init container fetches models only where an image is set",
    ),
    Annotation::no_effect(
        "seldon.io/executor-logger-queue-size",
        "Messages the orchestrator keeps for a logger.",
        LOGGED_HERE,
    ),
    Annotation::no_effect(
        "seldon.io/executor-logger-write-timeout-ms",
        "Milliseconds until the orchestrator drops a message.",
        LOGGED_HERE,
    ),
];

/// What the reference page says of the kind before its tables.
pub const INTRODUCTION: &str = "\
Kind `SeldonDeployment` of `machinelearning.seldon.io/v1`, `v1alpha2` and `v1alpha3`, which share one schema.";
