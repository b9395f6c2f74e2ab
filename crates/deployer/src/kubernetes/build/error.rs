//! Why objects cannot be built, each with the path of the field.

use provost_api::crd::inference_service::Paths;
use provost_domain::FieldPath;

/// Why a deployment cannot be made into objects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// An amount is not written as Kubernetes writes it.
    #[error("{path}: `{text}` is not an amount; write one such as `100m`, `0.5` or `512Mi`")]
    Quantity {
        /// The field.
        path: FieldPath,
        /// The amount, as written.
        text: String,
    },
    /// A metric is of a type that Kubernetes does not scale on.
    #[error(
        "{path}: metric type `{word}` is not known; use one of Resource, ContainerResource, Pods, Object, External"
    )]
    MetricType {
        /// The field.
        path: FieldPath,
        /// The type, as written.
        word: String,
    },
    /// A field that must be there is not.
    #[error("{path}: missing; add it")]
    Missing {
        /// The field.
        path: FieldPath,
    },
    /// Two fields are set of which only one may be.
    #[error("{path}: both `{first}` and `{second}` are set; remove one")]
    Both {
        /// What holds them.
        path: FieldPath,
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A component specification asks for pods of its own, and has none that could be.
    #[error(
        "{path}: not as in the first component specification; only programs of your own and model servers in containers can \
         have pods of their own, since the server runs its models in those of the first; say the same in each"
    )]
    NotAlike {
        /// The field.
        path: FieldPath,
    },
    /// Two places say different things of a pod.
    #[error("{path}: something else is said of it before; the nodes share their pods, so say it once")]
    Differs {
        /// The later field.
        path: FieldPath,
    },
    /// The container of a node that the server runs has a program of its own.
    #[error(
        "{path}: the node has an `implementation`, which the server runs itself; remove this, or the `implementation` to \
         run a program of your own"
    )]
    OwnProgram {
        /// The field.
        path: FieldPath,
    },
    /// The container of a node whose program is the user's own has no image.
    #[error("{path}: missing; its node has no `implementation`, so it needs an image")]
    NoProgram {
        /// The field.
        path: FieldPath,
    },
    /// Nothing fetches a path for a program of its own.
    #[error(
        "{path}: nothing brings a path into a container of its own; use a bucket, a web server or `pvc://`, or set \
         `storageInitializerImage` or an init container `{node}-model-initializer` that does"
    )]
    NoInitializer {
        /// The field.
        path: FieldPath,
        /// The name of the node.
        node: String,
    },
    /// A serving runtime refers to something that a service does not have.
    #[error(
        "the serving runtime of `{node}` refers in `{text}` to what the service does not have; add it, or use another \
         runtime"
    )]
    Reference {
        /// The name of the node.
        node: String,
        /// Where it does.
        text: String,
    },
    /// A container beside the server has no image.
    #[error("{path}: missing; no node of the graph has the name of this container, so it needs an image")]
    NoImage {
        /// The field.
        path: FieldPath,
    },
    /// A variable that is not the user's to set.
    #[error("{path}: `{name}` carries the manifest, and is set by the operator; remove it")]
    Reserved {
        /// The environment.
        path: FieldPath,
        /// The variable.
        name: &'static str,
    },
    /// An object would have a name that Kubernetes does not take.
    #[error("an object of kind `{kind}` cannot be named so: {reason}")]
    Name {
        /// Its kind.
        kind: String,
        /// What is wrong with the name.
        reason: String,
    },
    /// Two objects would have one name.
    #[error("two objects of kind `{kind}` would be named `{name}`; change the name of one predictor, or what names it")]
    SameName {
        /// Their kind.
        kind: String,
        /// Their name.
        name: String,
    },
}

impl BuildError {
    /// The error with the path of what the user wrote.
    pub(super) fn told_by(mut self, paths: &Paths) -> Self {
        if let Self::Quantity { path, .. }
        | Self::MetricType { path, .. }
        | Self::Missing { path }
        | Self::Both { path, .. }
        | Self::NotAlike { path }
        | Self::Differs { path }
        | Self::OwnProgram { path }
        | Self::NoProgram { path }
        | Self::NoInitializer { path, .. }
        | Self::NoImage { path }
        | Self::Reserved { path, .. } = &mut self
        {
            *path = paths.translate(path);
        }
        self
    }
}
