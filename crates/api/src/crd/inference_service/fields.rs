//! The fields of an `InferenceService` and what this version does with each: one table for each schema. Long because they
//! are tables.

use super::{LEGACY_VERSION, ROLLED_OUT_ANNOTATION};
use crate::crd::{Annotation, Class, Field, Section, Shape, Table, metadata::METADATA};
use Shape::{Any, Boolean, Integer, List, Map, Object, ObjectLike, Objects, Text, TextMap};

/// The documents of some versions.
#[derive(Debug)]
pub struct Schema {
    /// What the reference page says before the tables.
    pub introduction: &'static str,
    /// The fields.
    pub table: Table,
}

/// The schema of v1beta1, and that of v1alpha2.
pub static SCHEMAS: [Schema; 2] = [
    Schema {
        introduction: "\
Kind `InferenceService` of `serving.kserve.io/v1beta1` and `serving.kubeflow.org/v1beta1`. The operator takes it where it is \
told to.",
        table: Table::new(&LATEST, &ANNOTATIONS, &PREFIXES, || Table::index(&LATEST)),
    },
    Schema {
        introduction: "\
Kind `InferenceService` of `serving.kubeflow.org/v1alpha2`, as `KFServing` had it before 0.5.",
        table: Table::new(&LEGACY, &ANNOTATIONS, &PREFIXES, || Table::index(&LEGACY)),
    },
];

/// The schema of a version.
pub(super) fn schema(api_version: &str) -> &'static Schema {
    &SCHEMAS[usize::from(api_version == LEGACY_VERSION)]
}

const IN_PROCESS: &str = "the model runs inside this process, not in a container of its own";
const ONE_INSTANCE: &str = "the model runs inside this process, once";
const NO_LIMIT: &str = "the model answers as fast as it can, and no container is waited for";
const LOGGED_HERE: &str = "requests are in the request log of the platform";
const OWN_CREDENTIALS: &str = "models are fetched with the server's own credentials";
const ANY_VERSION: &str = "the platform reads the files of every version it supports itself";
const NO_ROUTES: &str = "requests come to this server directly";
const NO_SERVER: &str = "no server of KServe's runs";
const USE_SCALE: &str = "use `minReplicas`, `maxReplicas`, `scaleMetric` and `scaleTarget`";
const ROLLING: &str = "pods are replaced one after another";
const REMOVE: &str = "remove it";
const USE_URI: &str = "use `storageUri`";
const NO_IMAGES: &str = "use one of the formats `sklearn`, `xgboost` and `lightgbm`, with `storageUri`";
const OTHER_FORMAT: &str = "use `sklearn`, `xgboost` or `lightgbm`";

const PREFIXES: [&str; 4] = ["provost.dev/", "serving.kserve.io/", "serving.kubeflow.org/", "autoscaling.knative.dev/"];

static LATEST: [Section; 9] = [
    Section { title: "Resource", fields: &RESOURCE },
    Section { title: "Metadata", fields: &METADATA },
    Section { title: "Specification", fields: &SPECIFICATION },
    Section { title: "Predictor", fields: &PREDICTOR },
    Section { title: "Model by format", fields: &FORMATS },
    Section { title: "Model of a format", fields: SKLEARN },
    Section { title: "Model", fields: MODEL },
    Section { title: "Container", fields: &CONTAINERS },
    Section { title: "PodSpec", fields: POD },
];

static LEGACY: [Section; 5] = [
    Section { title: "Resource", fields: &LEGACY_RESOURCE },
    Section { title: "Metadata", fields: &METADATA },
    Section { title: "Specification", fields: &LEGACY_SPECIFICATION },
    Section { title: "Predictor", fields: &LEGACY_PREDICTOR },
    Section { title: "Model", fields: &LEGACY_MODEL },
];

static RESOURCE: [Field; 2] = [
    Field::honoured(
        "apiVersion",
        Text,
        "Group and version: `serving.kserve.io/v1beta1` or `serving.kubeflow.org/v1beta1`.",
    ),
    Field::honoured("kind", Text, "`InferenceService`."),
];

static SPECIFICATION: [Field; 5] = [
    Field::honoured("spec.predictor", Object, "What predicts; required."),
    Field::kubernetes_only(
        "spec.transformer",
        ObjectLike("spec.predictor"),
        "`containers` of your own that get all requests in place of the predictor, which they ask themselves: the container \
         is told `--model_name`, `--predictor_host` and `--http_port`. Not yet together with canaries.",
        REMOVE,
    ),
    Field::kubernetes_only(
        "spec.explainer",
        ObjectLike("spec.predictor"),
        "`containers` of your own that answer `:explain` of V1 and `/explain` of V2, and ask the predictor themselves; told as \
         those of a transformer. Other kinds of explainers are refused.",
        REMOVE,
    ),
    Field::honoured(
        "spec.canary",
        Objects,
        "Further predictors that get a share of the traffic, as since KServe 0.20.",
    ),
    Field::honoured(
        "spec.canary[].trafficPercent",
        Integer,
        "The share, in percent; 0 where it is left out. What is left of 100 goes to `spec.predictor`.",
    ),
];

static PREDICTOR: [Field; 24] = [
    Field::honoured("spec.canary[].predictor", ObjectLike("spec.predictor"), "The predictor; its `name` is required."),
    Field::honoured(
        "spec.predictor.name",
        Text,
        "Name of the predictor; `default` where it is left out. A canary is promoted by giving its name and model to \
         `spec.predictor`.",
    ),
    Field::honoured("spec.predictor.model", Object, "The model. One of `model` and the formats below is required."),
    Field::honoured(
        "spec.predictor.canaryTrafficPercent",
        Integer,
        "Share in percent of the predictor that is applied with it: the one that had all of the traffic before keeps the \
         rest, until it is applied with 100 or without.",
    ),
    Field::honoured("spec.predictor.labels", TextMap, "Labels of the predictor."),
    Field::honoured("spec.predictor.annotations", TextMap, "Annotations of the predictor."),
    Field::kubernetes_only(
        "spec.predictor.containers",
        Objects,
        "Containers of your own: that of the name `kserve-container`, else the first, is asked in `protocolVersion` at its \
         first port, else at 8080.",
        NO_IMAGES,
    ),
    Field::on_kubernetes(
        "spec.predictor.minReplicas",
        Integer,
        "Fewest replicas. With 0 they end when nothing is asked for a minute, and the next request is held until one is \
         ready, where the chart's built-in gateway is there to hold it.",
    )
    .because(ONE_INSTANCE)
    .unless(1),
    Field::on_kubernetes("spec.predictor.maxReplicas", Integer, "Most replicas.").because(ONE_INSTANCE).unless(1),
    Field::on_kubernetes(
        "spec.predictor.scaleTarget",
        Integer,
        "What each replica is loaded with: of `cpu` and `memory` in percent, 80 where it is left out; of `concurrency` (100) \
         and `rps` (200) what it can take, of which seven tenths are aimed at.",
    )
    .because(ONE_INSTANCE),
    Field::on_kubernetes(
        "spec.predictor.scaleMetric",
        Text,
        "What is scaled on: `cpu` or `memory`, or of the requests `concurrency` or `rps`. Where it is left out, `cpu`, and \
         `concurrency` with `minReplicas: 0`.",
    )
    .because(ONE_INSTANCE),
    Field::on_kubernetes(
        "spec.predictor.scaleMetricType",
        Text,
        "`Utilization`, of requests `AverageValue` too; others are refused.",
    )
    .because(ONE_INSTANCE),
    Field::no_effect("spec.predictor.autoScaling", Map, "What is scaled on.").because(USE_SCALE),
    Field::in_container(
        "spec.predictor.containerConcurrency",
        Integer,
        "Requests that the container of a replica gets at once, while others wait in their order; no limit where it is left \
         out, or 0.",
    )
    .because(NO_LIMIT),
    Field::in_container(
        "spec.predictor.timeout",
        Integer,
        "Seconds that the container may take to answer, the wait before included; else 60. Then 504 is answered.",
    )
    .because(NO_LIMIT),
    Field::no_effect("spec.predictor.logger", Map, "Where requests and answers are sent to be logged.")
        .because(LOGGED_HERE),
    Field::honoured(
        "spec.predictor.batcher",
        Object,
        "Has requests of V1's `:predict` that say nothing but `instances` wait for others, and the predictor get them at once; \
         each answer has its own `predictions`, with `message` and `batchId`. Models of this process gain nothing by it.",
    ),
    Field::honoured(
        "spec.predictor.batcher.maxBatchSize",
        Integer,
        "Most instances of a batch, but for a single request with more; 32 where it is left out, or 0.",
    ),
    Field::honoured(
        "spec.predictor.batcher.maxLatency",
        Integer,
        "Milliseconds that a request waits for others at most; 5000 where it is left out, or 0.",
    ),
    Field::in_container(
        "spec.predictor.batcher.timeout",
        Integer,
        "Seconds that the container may take to answer a batch; that of the predictor where it is left out, or shorter.",
    )
    .because(NO_LIMIT),
    Field::no_effect("spec.predictor.deploymentStrategy", Map, "How pods are replaced.").because(ROLLING),
    Field::refused("spec.predictor.storageUris", List, "Several places of files.", USE_URI),
    Field::no_effect("spec.predictor.storageContainerName", Text, "What fetches the model.").because(IN_PROCESS),
    Field::refused("spec.predictor.workerSpec", Any, "Workers of a model on several nodes.", REMOVE),
];

static FORMATS: [Field; 11] = [
    Field::honoured("spec.predictor.sklearn", Object, "A scikit-learn model; it answers with `predict`."),
    Field::honoured("spec.predictor.xgboost", ObjectLike("spec.predictor.sklearn"), "An XGBoost model."),
    Field::honoured("spec.predictor.lightgbm", ObjectLike("spec.predictor.sklearn"), "A LightGBM model."),
    format("spec.predictor.catboost", "A CatBoost model."),
    format("spec.predictor.tensorflow", "A TensorFlow model."),
    format("spec.predictor.pytorch", "A PyTorch model."),
    format("spec.predictor.triton", "Models of NVIDIA Triton."),
    format("spec.predictor.onnx", "An ONNX model."),
    format("spec.predictor.huggingface", "A model of Hugging Face."),
    format("spec.predictor.pmml", "A PMML model."),
    format("spec.predictor.paddle", "A PaddlePaddle model."),
];

/// A format that a serving runtime serves, with the fields of a model.
const fn format(path: &'static str, about: &'static str) -> Field {
    Field::kubernetes_only(path, ObjectLike("spec.predictor.sklearn"), about, OTHER_FORMAT)
}

/// The same of v1alpha2.
const fn legacy_format(path: &'static str, about: &'static str) -> Field {
    Field::kubernetes_only(path, ObjectLike("spec.default.predictor.sklearn"), about, OTHER_FORMAT)
}

/// The fields of a model at a path, after others.
macro_rules! model {
    ($path:literal, $($more:expr,)*) => {
        &[
            $($more,)*
            Field::honoured(concat!($path, ".storageUri"), Text, "Where the model's files are: a path, `file://`, `s3://`, \
                `gs://` or `http(s)://`; required of formats that the platform serves itself."),
            Field::honoured(concat!($path, ".protocolVersion"), Text, "`v1`, the default, `v2`, `grpc-v1` or `grpc-v2`. Of formats that \
                the platform serves itself all are answered at once, and it tells which one the deployment is shown with; of \
                others it chooses the serving runtime."),
            Field::honoured(concat!($path, ".env"), Objects, "Environment: `PREDICT_PROBA` with the value `true` makes a \
                scikit-learn model answer with probabilities. Others have no effect, with a warning."),
            Field::honoured(concat!($path, ".env[].name"), Text, "Name of a variable."),
            Field::honoured(concat!($path, ".env[].value"), Text, "Its value."),
            Field::on_kubernetes(concat!($path, ".env[].valueFrom"), Map, "Where its value is taken from.").because(IN_PROCESS),
            Field::refused(concat!($path, ".storage"), Any, "Where the files are, by a key of credentials.", USE_URI),
            Field::in_container(concat!($path, ".image"), Text, "Image of the model's server; of formats that the platform \
                serves itself it is refused.").because(NO_SERVER),
            Field::in_container(concat!($path, ".runtimeVersion"), Text, "Tag of the server's image.").because(ANY_VERSION),
            Field::no_effect(concat!($path, ".name"), Text, "Of the container of a server.").because(NO_SERVER),
            Field::in_container(concat!($path, ".args"), List, "Arguments after those of the serving runtime.")
                .because(NO_SERVER),
            program(concat!($path, ".command"), List),
            container(concat!($path, ".envFrom"), List),
            container(concat!($path, ".resources"), Map),
            container(concat!($path, ".ports"), List),
            container(concat!($path, ".volumeMounts"), List),
            container(concat!($path, ".volumeDevices"), List),
            container(concat!($path, ".livenessProbe"), Map),
            container(concat!($path, ".readinessProbe"), Map),
            container(concat!($path, ".startupProbe"), Map),
            container(concat!($path, ".lifecycle"), Map),
            container(concat!($path, ".imagePullPolicy"), Text),
            container(concat!($path, ".resizePolicy"), List),
            container(concat!($path, ".securityContext"), Map),
            program(concat!($path, ".workingDir"), Text),
            program(concat!($path, ".terminationMessagePath"), Text),
            container(concat!($path, ".terminationMessagePolicy"), Text),
            program(concat!($path, ".stdin"), Boolean),
            program(concat!($path, ".stdinOnce"), Boolean),
            program(concat!($path, ".tty"), Boolean),
        ]
    };
}

static SKLEARN: &[Field] = model!("spec.predictor.sklearn",);

static MODEL: &[Field] = model!(
    "spec.predictor.model",
    Field::honoured("spec.predictor.model.modelFormat", Object, "The model's format; required."),
    Field::honoured(
        "spec.predictor.model.modelFormat.name",
        Text,
        "`sklearn`, `xgboost` or `lightgbm`, which the platform serves itself; on Kubernetes any that a serving runtime serves.",
    ),
    Field::in_container(
        "spec.predictor.model.modelFormat.version",
        Text,
        "Version of the format, by which the serving runtime is chosen.",
    )
    .because(ANY_VERSION),
    Field::honoured(
        "spec.predictor.model.runtime",
        Text,
        "Name of a serving runtime of KServe's own for a format that the platform serves itself: `kserve-sklearnserver`, \
         `kserve-xgbserver`, `kserve-predictiveserver` or `kserve-mlserver`, with which the protocol is `v2`. On Kubernetes \
         also a `ServingRuntime` of the namespace or a `ClusterServingRuntime`, whose container then serves.",
    ),
    Field::refused("spec.predictor.model.confidential", Any, "Of confidential computing.", REMOVE),
);

/// A field of a container, or of its pod.
const fn container(path: &'static str, shape: Shape) -> Field {
    Field::on_kubernetes(path, shape, "As in Kubernetes.").because(IN_PROCESS)
}

/// A field of the container of a server of `KServe`'s.
const fn program(path: &'static str, shape: Shape) -> Field {
    Field::in_container(path, shape, "As in Kubernetes.").because(NO_SERVER)
}

/// The pods' service account, which is that of the model's node.
pub(super) const SERVICE_ACCOUNT: &str = "serviceAccountName";

/// Whether a predictor's field is one of its pods', but for the service account.
pub(super) fn is_of_pod(name: &str) -> bool {
    name != SERVICE_ACCOUNT && POD.iter().any(|field| field.path.strip_prefix("spec.predictor.") == Some(name))
}

/// The fields of a container of the user's own.
static CONTAINERS: [Field; 23] = [
    container("spec.predictor.containers[].name", Text),
    container("spec.predictor.containers[].image", Text),
    container("spec.predictor.containers[].args", List),
    container("spec.predictor.containers[].command", List),
    container("spec.predictor.containers[].env", List),
    container("spec.predictor.containers[].envFrom", List),
    container("spec.predictor.containers[].resources", Map),
    container("spec.predictor.containers[].ports", List),
    container("spec.predictor.containers[].volumeMounts", List),
    container("spec.predictor.containers[].volumeDevices", List),
    container("spec.predictor.containers[].livenessProbe", Map),
    container("spec.predictor.containers[].readinessProbe", Map),
    container("spec.predictor.containers[].startupProbe", Map),
    container("spec.predictor.containers[].lifecycle", Map),
    container("spec.predictor.containers[].imagePullPolicy", Text),
    container("spec.predictor.containers[].resizePolicy", List),
    container("spec.predictor.containers[].securityContext", Map),
    container("spec.predictor.containers[].workingDir", Text),
    container("spec.predictor.containers[].terminationMessagePath", Text),
    container("spec.predictor.containers[].terminationMessagePolicy", Text),
    container("spec.predictor.containers[].stdin", Boolean),
    container("spec.predictor.containers[].stdinOnce", Boolean),
    container("spec.predictor.containers[].tty", Boolean),
];

static POD: &[Field] = &[
    Field::on_kubernetes("spec.predictor.serviceAccountName", Text, "Service account of the pods.")
        .because(OWN_CREDENTIALS),
    container("spec.predictor.serviceAccount", Text),
    container("spec.predictor.activeDeadlineSeconds", Any),
    container("spec.predictor.affinity", Map),
    container("spec.predictor.automountServiceAccountToken", Any),
    container("spec.predictor.dnsConfig", Map),
    container("spec.predictor.dnsPolicy", Any),
    container("spec.predictor.enableServiceLinks", Any),
    container("spec.predictor.ephemeralContainers", List),
    container("spec.predictor.hostAliases", List),
    container("spec.predictor.hostIPC", Any),
    container("spec.predictor.hostNetwork", Any),
    container("spec.predictor.hostPID", Any),
    container("spec.predictor.hostUsers", Any),
    container("spec.predictor.hostname", Any),
    container("spec.predictor.imagePullSecrets", List),
    Field::kubernetes_only("spec.predictor.initContainers", List, "Containers that run before.", REMOVE),
    container("spec.predictor.nodeName", Any),
    container("spec.predictor.nodeSelector", Map),
    container("spec.predictor.os", Map),
    container("spec.predictor.overhead", Map),
    container("spec.predictor.preemptionPolicy", Any),
    container("spec.predictor.priority", Any),
    container("spec.predictor.priorityClassName", Any),
    container("spec.predictor.readinessGates", List),
    container("spec.predictor.resourceClaims", List),
    container("spec.predictor.restartPolicy", Any),
    container("spec.predictor.runtimeClassName", Any),
    container("spec.predictor.schedulerName", Any),
    container("spec.predictor.schedulingGates", List),
    container("spec.predictor.securityContext", Map),
    container("spec.predictor.setHostnameAsFQDN", Any),
    container("spec.predictor.shareProcessNamespace", Any),
    container("spec.predictor.subdomain", Any),
    container("spec.predictor.terminationGracePeriodSeconds", Any),
    container("spec.predictor.tolerations", List),
    container("spec.predictor.topologySpreadConstraints", List),
    container("spec.predictor.volumes", List),
];

static LEGACY_RESOURCE: [Field; 2] = [
    Field::honoured("apiVersion", Text, "Group and version: `serving.kubeflow.org/v1alpha2`."),
    Field::honoured("kind", Text, "`InferenceService`."),
];

static LEGACY_SPECIFICATION: [Field; 7] = [
    Field::honoured("spec.default", Object, "What answers; required."),
    Field::honoured("spec.default.predictor", Object, "What predicts; required."),
    Field::refused("spec.default.transformer", Any, "Changes requests and answers.", REMOVE),
    Field::refused("spec.default.explainer", Any, "Explains the predictions.", REMOVE),
    Field::honoured("spec.canary", ObjectLike("spec.default"), "What gets a share of the traffic."),
    Field::honoured(
        "spec.canaryTrafficPercent",
        Integer,
        "The share of `spec.canary`, in percent; 0 where it is left out.",
    ),
    Field::no_effect("spec.generation", Integer, "Of older versions.").because(REMOVE),
];

static LEGACY_PREDICTOR: [Field; 18] = [
    Field::honoured("spec.default.predictor.sklearn", Object, "A scikit-learn model; it answers with `predict`."),
    Field::honoured(
        "spec.default.predictor.xgboost",
        ObjectLike("spec.default.predictor.sklearn"),
        "An XGBoost model.",
    ),
    legacy_format("spec.default.predictor.tensorflow", "A TensorFlow model."),
    legacy_format("spec.default.predictor.triton", "Models of NVIDIA Triton."),
    legacy_format("spec.default.predictor.onnx", "An ONNX model."),
    legacy_format("spec.default.predictor.pytorch", "A PyTorch model."),
    legacy_format("spec.default.predictor.tensorrt", "Models of NVIDIA Triton, by its name of before."),
    Field::kubernetes_only("spec.default.predictor.custom", Object, "A container of your own.", NO_IMAGES),
    Field::on_kubernetes("spec.default.predictor.custom.container", Map, "The container.").because(IN_PROCESS),
    Field::on_kubernetes("spec.default.predictor.serviceAccountName", Text, "Service account of the pods.")
        .because(OWN_CREDENTIALS),
    Field::on_kubernetes("spec.default.predictor.minReplicas", Integer, "Fewest replicas.")
        .because(ONE_INSTANCE)
        .unless(1),
    Field::on_kubernetes("spec.default.predictor.maxReplicas", Integer, "Most replicas.")
        .because(ONE_INSTANCE)
        .unless(1),
    Field::in_container(
        "spec.default.predictor.parallelism",
        Integer,
        "Requests that the container of a replica gets at once, while others wait in their order.",
    )
    .because(NO_LIMIT),
    Field::no_effect("spec.default.predictor.logger", Map, "Where requests and answers are sent to be logged.")
        .because(LOGGED_HERE),
    Field::honoured(
        "spec.default.predictor.batcher",
        Object,
        "Has requests of V1's `:predict` that say nothing but `instances` wait for others, and the predictor get them at once; \
         each answer has its own `predictions`, with `message` and `batchId`. Models of this process gain nothing by it.",
    ),
    Field::honoured(
        "spec.default.predictor.batcher.maxBatchSize",
        Integer,
        "Most instances of a batch, but for a single request with more; 32 where it is left out, or 0.",
    ),
    Field::honoured(
        "spec.default.predictor.batcher.maxLatency",
        Integer,
        "Milliseconds that a request waits for others at most; 5000 where it is left out, or 0.",
    ),
    Field::in_container(
        "spec.default.predictor.batcher.timeout",
        Integer,
        "Seconds that the container may take to answer a batch; that of the predictor where it is left out, or shorter.",
    )
    .because(NO_LIMIT),
];

static LEGACY_MODEL: [Field; 4] = [
    Field::honoured(
        "spec.default.predictor.sklearn.storageUri",
        Text,
        "Where the model's files are: a path, `file://`, `s3://`, `gs://` or `http(s)://`; required.",
    ),
    Field::in_container("spec.default.predictor.sklearn.runtimeVersion", Text, "Tag of the server's image.")
        .because(ANY_VERSION),
    Field::on_kubernetes("spec.default.predictor.sklearn.resources", Map, "As in Kubernetes.").because(IN_PROCESS),
    Field::no_effect("spec.default.predictor.sklearn.nthread", Integer, "Threads of the server.").because(IN_PROCESS),
];

static ANNOTATIONS: [Annotation; 9] = [
    Annotation::new(
        "provost.dev/request-log",
        Class::Honoured,
        "`on`, the default, or `off`: whether the deployment's requests are logged.",
    ),
    Annotation::new(
        ROLLED_OUT_ANNOTATION,
        Class::Honoured,
        "Set by the server: the predictor that had all of the traffic before `canaryTrafficPercent` was applied.",
    ),
    Annotation::no_effect("serving.kserve.io/deploymentMode", "What KServe makes of it.", NO_SERVER),
    Annotation::no_effect("serving.kserve.io/autoscalerClass", "What scales it.", USE_SCALE),
    Annotation::no_effect("serving.kserve.io/metrics", "What is scaled on.", USE_SCALE),
    Annotation::no_effect("serving.kserve.io/targetUtilizationPercentage", "What is scaled to.", USE_SCALE),
    Annotation::no_effect(
        "serving.kserve.io/enable-prometheus-scraping",
        "Whether metrics are gathered.",
        "metrics are at `/metrics` of this server",
    ),
    Annotation::no_effect("serving.kserve.io/enable-tag-routing", "Whether a revision has a host.", NO_ROUTES),
    Annotation::no_effect("autoscaling.knative.dev/*", "Settings of Knative.", USE_SCALE),
];
