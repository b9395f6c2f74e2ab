//! Kubernetes objects that run a deployment. Pure: the operator applies them.

mod build;
mod images;
mod names;
mod route;

pub use build::{
    BuildError, DEPLOYMENT_LABEL, HTTP_PORT, Owner, PREDICTOR_ANNOTATION, REVISION_ANNOTATION, ROUTES_ANNOTATION,
    Settings, Source, build,
};
pub use images::images;
pub use route::{Share, route};
