//! Kubernetes objects that run a deployment. Pure: the operator applies them.

mod build;
mod images;
mod names;
mod object_name;
mod route;

pub use build::{
    BuildError, DEPLOYMENT_LABEL, HTTP_PORT, LAST_APPLIED, LogBucket, Owner, PREDICTOR_ANNOTATION, REVISION_ANNOTATION,
    ROUTES_ANNOTATION, Settings, Source, build,
};
pub use images::images;
pub use object_name::{InvalidObjectName, ObjectName};
pub use route::{GATEWAY_GROUP, Share, route};
