//! The operator on a real Kubernetes, where the environment says that there is one: `PROVOST_TEST_CLUSTER` is
//! the image that its nodes have, `PROVOST_TEST_OWN_IMAGE` that of a model of a user's own, in a
//! registry that `PROVOST_TEST_REGISTRY_LOGIN` opens (a Docker configuration), `PROVOST_TEST_S3` a store with the buckets `models` and `logs`, `PROVOST_TEST_AUDIT` the
//! log of the API server. `cargo xtask test --suite cluster` starts it, and runs this inside its first node.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a test")]

mod accounts;
mod chart;
mod clients;
mod components;
mod control_plane;
mod deployments;
mod doctor;
mod faults;
mod gateway;
mod graphs;
mod grpc;
mod inference_services;
mod learning;
mod log;
mod model_servers;
mod own_program;
mod processes;
mod release;
mod scaling;
mod scene;
mod traffic;
mod wrapper;
