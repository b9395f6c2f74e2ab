//! The fields of an `InferenceGraph` and what this version does with each. Long because it is a table.

use provost_domain::deployment::REQUEST_LOG_ANNOTATION;

use crate::crd::{Annotation, Class, Field, Section, Shape, Table, metadata::METADATA};
use Shape::{Boolean, Integer, Map, Object, ObjectMap, Objects, Text, TextMap};

/// What the reference page says before the tables.
pub const INTRODUCTION: &str = "\
Kind `InferenceGraph` of `serving.kserve.io/v1alpha1`: nodes that chain, choose and join calls of services. The operator takes \
it where it is told to take `InferenceService`s.";

/// The table.
pub static FIELDS: Table = Table::new(&SECTIONS, &ANNOTATIONS, &PREFIXES, || Table::index(&SECTIONS));

const NO_POD: &str = "the graph runs inside this process, not in a container of its own";
const REMOVE: &str = "remove it";
const NO_ROUTER: &str = "the limits of the server itself hold for requests";

const PREFIXES: [&str; 3] = ["provost.dev/", "serving.kserve.io/", "autoscaling.knative.dev/"];

static SECTIONS: [Section; 5] = [
    Section { title: "Resource", fields: &RESOURCE },
    Section { title: "Metadata", fields: &METADATA },
    Section { title: "Specification", fields: &SPECIFICATION },
    Section { title: "Node", fields: &NODE },
    Section { title: "Pod", fields: &POD },
];

static RESOURCE: [Field; 2] = [
    Field::honoured("apiVersion", Text, "Group and version: `serving.kserve.io/v1alpha1`."),
    Field::honoured("kind", Text, "`InferenceGraph`."),
];

static SPECIFICATION: [Field; 8] = [
    Field::refused("spec.defaultRetry", Map, "How often failed calls are tried again.", REMOVE),
    Field::honoured("spec.nodes", ObjectMap, "The nodes by name; requests enter at the one called `root`."),
    Field::honoured(
        "spec.timeout",
        Integer,
        "How long all of a request may take, in seconds; without limit if left out.",
    ),
    Field::honoured("spec.routerTimeouts", Object, "Limits in seconds."),
    Field::honoured(
        "spec.routerTimeouts.serviceClient",
        Integer,
        "How long one step may take; 60 seconds for a `serviceUrl` where it is left out.",
    ),
    Field::no_effect("spec.routerTimeouts.serverRead", Integer, "How long reading a request may take.")
        .because(NO_ROUTER),
    Field::no_effect("spec.routerTimeouts.serverWrite", Integer, "How long answering may take.").because(NO_ROUTER),
    Field::no_effect("spec.routerTimeouts.serverIdle", Integer, "How long connections are kept.").because(NO_ROUTER),
];

static NODE: [Field; 12] = [
    Field::honoured(
        "spec.nodes[].routerType",
        Text,
        "`Sequence`: steps one after another; `Splitter`: one by weight; `Ensemble`: all at once, whose answers are joined \
         to an object by name; `Switch`: the first whose condition holds of the request.",
    ),
    Field::honoured("spec.nodes[].steps", Objects, "The steps; at least one."),
    Field::honoured("spec.nodes[].steps[].name", Text, "Its name, unique in the node; its number from 0 if left out."),
    Field::honoured("spec.nodes[].steps[].nodeName", Text, "The node that answers. A step has one of the three."),
    Field::honoured(
        "spec.nodes[].steps[].serviceName",
        Text,
        "The deployment that answers, of any kind, in the graph's namespace and in its own protocol.",
    ),
    Field::honoured(
        "spec.nodes[].steps[].serviceUrl",
        Text,
        "The address that answers a POST, with its path. With `https` its certificate is checked: see `SSL_CERT_FILE`.",
    ),
    Field::honoured(
        "spec.nodes[].steps[].data",
        Text,
        "In a sequence what it is sent: `$request`, the default, or `$response`, the answer before.",
    ),
    Field::honoured("spec.nodes[].steps[].weight", Integer, "Of a splitter: its share in percent."),
    Field::honoured(
        "spec.nodes[].steps[].condition",
        Text,
        "A path of GJSON that must find something: in the request for a switch; for a sequence in the answer before, which \
         is the node's answer where it does not.",
    ),
    Field::honoured(
        "spec.nodes[].steps[].dependency",
        Text,
        "`Hard`: if it fails, its answer is the node's; `Soft`, the default: its answer is taken as any other.",
    ),
    Field::honoured(
        "spec.nodes[].steps[].mapPredictionsToInstances",
        Boolean,
        "What it is sent has its `predictions` as `instances`, so that a model of V1 takes the answer of another.",
    ),
    Field::refused("spec.nodes[].steps[].retry", Map, "How often a failed call is tried again.", REMOVE),
];

static POD: [Field; 10] = [
    pod("spec.minReplicas", Integer, "Fewest replicas; with 0 the first request waits until one is there.").unless(1),
    pod("spec.maxReplicas", Integer, "Most replicas.").unless(1),
    pod("spec.scaleTarget", Integer, "How busy a replica is to be: percent, or requests."),
    pod("spec.scaleMetric", Text, "What is scaled on: `cpu`, the default, `memory`, `concurrency` or `rps`."),
    pod("spec.resources", Map, "Requests and limits."),
    pod("spec.affinity", Map, "Where it runs."),
    pod("spec.tolerations", Shape::List, "Which taints it bears."),
    pod("spec.nodeSelector", TextMap, "Labels of machines."),
    pod("spec.nodeName", Text, "The machine."),
    pod("spec.serviceAccountName", Text, "Its account."),
];

const fn pod(path: &'static str, shape: Shape, about: &'static str) -> Field {
    Field::on_kubernetes(path, shape, about).because(NO_POD)
}

static ANNOTATIONS: [Annotation; 3] = [
    Annotation::new(
        REQUEST_LOG_ANNOTATION,
        Class::Honoured,
        "`off` keeps requests of the graph out of the request log; its services say for themselves.",
    ),
    Annotation::no_effect("serving.kserve.io/deploymentMode", "How it is deployed.", NO_POD),
    Annotation::no_effect("autoscaling.knative.dev/*", "How it scales.", NO_POD),
];
