//! Kubernetes objects that run a deployment. Pure: the operator applies them.

mod build;
mod images;
mod names;
mod object_name;
mod route;
mod written;

pub use build::{
    Accounts, AttachedSecret, BuildError, DEPLOYMENT_LABEL, FIRST_ROUTE_ANNOTATION, HTTP_PORT, LAST_APPLIED, LogBucket,
    Owner, PREDICTOR_ANNOTATION, REVISION_ANNOTATION, ROUTES_ANNOTATION, Settings, Source, TraceCollector,
    accounts_needed, annotations_without_effect, build,
};
pub(crate) use build::{LEARNS_LABEL, PREDICTOR_LABEL, SCALED_LABEL, SCALING_ANNOTATION};
pub use images::images;
pub(crate) use names::{app, service, workload};
pub use object_name::{InvalidObjectName, ObjectName};
pub use route::{Decided, GATEWAY_GROUP, Share, routes};
pub(crate) use route::{host_route, hosts};
pub(crate) use written::as_written;
