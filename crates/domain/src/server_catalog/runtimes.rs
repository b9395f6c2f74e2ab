//! Serving runtimes of `KServe`: servers that are found by the format of a model, or named.

use serde_json::Value;

use super::{Contract, ModelServer, Runtime, ServerContainer};
use crate::deployment::{Protocol, Transport};

/// The container of the model among several of a serving runtime.
pub const MODEL_CONTAINER: &str = "kserve-container";

/// A `ServingRuntime` of a namespace, or a `ClusterServingRuntime`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingRuntime {
    /// Its name.
    pub name: String,
    /// The namespace whose services may use it; `None` where all may.
    pub namespace: Option<String>,
    /// The formats that it serves.
    pub formats: Vec<SupportedFormat>,
    /// What it speaks, in its order; any protocol where none is said.
    pub protocols: Vec<(Protocol, Option<Transport>)>,
    /// Whether it is not to be used.
    pub is_disabled: bool,
    /// Whether it serves several models at once, which nothing here asks for.
    pub is_multi_model: bool,
    /// Its pods, as they were written.
    pub pod: Value,
    /// Who says so.
    pub origin: String,
}

/// A format that a runtime serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedFormat {
    /// Its name, such as `sklearn`.
    pub name: String,
    /// Its version; any where none is said.
    pub version: Option<String>,
    /// Whether the runtime may be chosen for it without being named.
    pub is_auto: bool,
    /// Of several, the one with the highest is chosen.
    pub priority: Option<i64>,
}

/// What a model asks of a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The namespace of the service.
    pub namespace: &'a str,
    /// The format.
    pub format: &'a str,
    /// Its version, where that is said.
    pub version: Option<&'a str>,
    /// The protocol, where that is said.
    pub protocol: Option<(Protocol, Option<Transport>)>,
    /// The name of the runtime, where one is asked for.
    pub runtime: Option<&'a str>,
}

/// Why no runtime serves a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRuntime {
    /// The one that is asked for is not there.
    #[error("there is no serving runtime `{name}`; {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that are there, in a sentence.
        known: String,
    },
    /// It is switched off.
    #[error("the serving runtime `{0}` is disabled; use another, or enable it")]
    Disabled(String),
    /// It does not serve what is asked.
    #[error("the serving runtime `{name}` does not serve {what}; {serves}")]
    Unfit {
        /// Its name.
        name: String,
        /// What it does not serve.
        what: String,
        /// What it does, in a sentence.
        serves: String,
    },
    /// None serves what is asked.
    #[error("no serving runtime serves {what}; {known}")]
    None {
        /// What is asked for.
        what: String,
        /// Those that are there, in a sentence.
        known: String,
    },
}

impl ServingRuntime {
    /// What names it in a node's `implementation`: no two runtimes have one.
    pub fn key(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The container of its pods that serves the model.
    pub fn container(&self) -> Option<&Value> {
        let containers = self.pod["containers"].as_array()?;
        containers.iter().find(|one| one["name"] == MODEL_CONTAINER).or(containers.first())
    }

    /// The image of that.
    pub fn image(&self) -> Option<&str> {
        self.container()?["image"].as_str()
    }

    /// The server that it is.
    pub(super) fn server(&self) -> ModelServer {
        let speaks =
            |protocol: &Protocol| [None, Some(Transport::Grpc)].iter().any(|by| self.speaks(Some((*protocol, *by))));
        let container = ServerContainer {
            grpc_image: None,
            image: self.image().unwrap_or_default().to_owned(),
            contract: Contract::Template(self.pod.clone()),
        };
        let protocols = [Protocol::Tensorflow, Protocol::Kfserving].into_iter().filter(speaks);
        ModelServer {
            implementation: self.key(),
            title: self.formats.iter().map(|format| format.name.as_str()).collect::<Vec<_>>().join(", "),
            runtime: Runtime::Container(protocols.map(|protocol| (protocol, container.clone())).collect()),
            origin: Some(self.origin.clone()),
        }
    }

    fn is_visible_in(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }

    fn format(&self, wanted: &Wanted<'_>) -> Option<&SupportedFormat> {
        let is_its = |format: &&SupportedFormat| {
            let is_version = match (&format.version, wanted.version) {
                (Some(own), Some(version)) => major(own) == major(version),
                _ => true,
            };
            format.name == wanted.format && is_version
        };
        // Of several that fit, one that may be chosen, with the highest priority.
        let fitting = self.formats.iter().filter(is_its);
        fitting.max_by_key(|format| (format.is_auto, format.priority.unwrap_or(0)))
    }

    fn speaks(&self, wanted: Option<(Protocol, Option<Transport>)>) -> bool {
        let is_asked = |(protocol, transport): (Protocol, Option<Transport>)| {
            let is_its = |(own, by): &(Protocol, Option<Transport>)| *own == protocol && *by == transport;
            self.protocols.is_empty() || self.protocols.iter().any(is_its)
        };
        wanted.is_none_or(is_asked)
    }

    fn serves(&self) -> String {
        let mut formats: Vec<&str> = self.formats.iter().map(|format| format.name.as_str()).collect();
        formats.dedup();
        let protocols: Vec<_> = self.protocols.iter().map(|protocol| word(*protocol)).collect();
        match protocols[..] {
            [] => format!("it serves {}", formats.join(", ")),
            _ => format!("it serves {} by {}", formats.join(", "), protocols.join(", ")),
        }
    }
}

/// Formats have versions such as `1` and `1.2.3`; that of a runtime means all that begin so.
fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// The word of `protocolVersion`.
fn word(protocol: (Protocol, Option<Transport>)) -> &'static str {
    match protocol {
        (Protocol::Kfserving, Some(Transport::Grpc)) => "grpc-v2",
        (Protocol::Kfserving, _) => "v2",
        (Protocol::Tensorflow, Some(Transport::Grpc)) => "grpc-v1",
        (Protocol::Tensorflow, _) => "v1",
        (Protocol::Seldon, _) => "seldon",
    }
}

/// The runtime of a model: the one that it names, else of those that may be chosen the one with the highest priority, those
/// of its namespace first.
pub(super) fn choose<'a>(
    runtimes: &[&'a ServingRuntime],
    wanted: &Wanted<'_>,
) -> Result<&'a ServingRuntime, NoRuntime> {
    match wanted.runtime {
        Some(name) => named(runtimes, name, wanted),
        None => fitting(runtimes, wanted),
    }
}

fn named<'a>(
    runtimes: &[&'a ServingRuntime],
    name: &str,
    wanted: &Wanted<'_>,
) -> Result<&'a ServingRuntime, NoRuntime> {
    let visible = runtimes.iter().copied().filter(|one| one.name == name && one.is_visible_in(wanted.namespace));
    // That of the namespace hides that of the cluster.
    let Some(runtime) = visible.max_by_key(|one| one.namespace.is_some()) else {
        return Err(NoRuntime::Unknown { name: name.to_owned(), known: known(runtimes, wanted) });
    };
    if runtime.is_disabled {
        return Err(NoRuntime::Disabled(name.to_owned()));
    }
    if runtime.is_multi_model || runtime.format(wanted).is_none() || !runtime.speaks(wanted.protocol) {
        return Err(NoRuntime::Unfit { name: name.to_owned(), what: what(wanted), serves: runtime.serves() });
    }
    Ok(runtime)
}

fn fitting<'a>(runtimes: &[&'a ServingRuntime], wanted: &Wanted<'_>) -> Result<&'a ServingRuntime, NoRuntime> {
    let able = runtimes.iter().copied().filter(|one| one.is_visible_in(wanted.namespace) && !one.is_disabled);
    let able = able.filter(|one| !one.is_multi_model && one.speaks(wanted.protocol));
    let chosen = able.filter_map(|one| Some((one, one.format(wanted).filter(|format| format.is_auto)?)));
    let best = chosen.min_by_key(|(one, format)| {
        // The first by name of those that are alike, so that it is always the same.
        (one.namespace.is_none(), std::cmp::Reverse(format.priority.unwrap_or(0)), one.name.clone())
    });
    let none = || NoRuntime::None { what: what(wanted), known: known(runtimes, wanted) };
    best.map(|(one, _)| one).ok_or_else(none)
}

fn what(wanted: &Wanted<'_>) -> String {
    let version = wanted.version.map(|version| format!(" {version}")).unwrap_or_default();
    let by = wanted.protocol.map(|protocol| format!(" by `{}`", word(protocol))).unwrap_or_default();
    format!("the model format `{}{version}`{by}", wanted.format)
}

fn known(runtimes: &[&ServingRuntime], wanted: &Wanted<'_>) -> String {
    let visible = runtimes.iter().filter(|one| one.is_visible_in(wanted.namespace) && !one.is_disabled);
    let mut names: Vec<&str> = visible.map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [] => "none is known: install `ServingRuntime`s or `ClusterServingRuntime`s of KServe's".to_owned(),
        _ => format!("known are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(name: &str, version: Option<&str>, priority: Option<i64>) -> SupportedFormat {
        SupportedFormat { name: name.to_owned(), version: version.map(str::to_owned), is_auto: true, priority }
    }

    fn runtime(name: &str, namespace: Option<&str>, formats: Vec<SupportedFormat>) -> ServingRuntime {
        ServingRuntime {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            formats,
            protocols: vec![(Protocol::Tensorflow, None), (Protocol::Kfserving, None)],
            is_disabled: false,
            is_multi_model: false,
            pod: Value::Null,
            origin: String::new(),
        }
    }

    const WANTED: Wanted<'_> =
        Wanted { namespace: "models", format: "lightgbm", version: None, protocol: None, runtime: None };

    #[track_caller]
    fn check(runtimes: &[ServingRuntime], wanted: Wanted<'_>, expected: &str) {
        let chosen = match choose(&runtimes.iter().collect::<Vec<_>>(), &wanted) {
            Ok(runtime) => runtime.key(),
            Err(error) => error.to_string(),
        };
        assert_eq!(chosen, expected);
    }

    #[test]
    fn the_highest_priority_is_chosen_of_those_that_may_be() {
        let off = ServingRuntime { is_disabled: true, ..runtime("off", None, vec![format("lightgbm", None, Some(9))]) };
        let several =
            ServingRuntime { is_multi_model: true, ..runtime("many", None, vec![format("lightgbm", None, Some(9))]) };
        let by_hand = SupportedFormat { is_auto: false, ..format("lightgbm", None, Some(9)) };
        let runtimes = [
            runtime("a", None, vec![format("lightgbm", None, Some(1))]),
            runtime("b", None, vec![format("sklearn", None, Some(9)), format("lightgbm", None, Some(2))]),
            runtime("c", None, vec![format("lightgbm", None, None)]),
            runtime("by-hand", None, vec![by_hand]),
            off,
            several,
        ];
        check(&runtimes, WANTED, "b");
        check(&runtimes, Wanted { runtime: Some("by-hand"), ..WANTED }, "by-hand");
        check(&runtimes[2..3], WANTED, "c");
        check(
            &runtimes,
            Wanted { runtime: Some("off"), ..WANTED },
            "the serving runtime `off` is disabled; use another, or enable it",
        );
        check(
            &runtimes,
            Wanted { runtime: Some("a"), format: "pmml", ..WANTED },
            "the serving runtime `a` does not serve the model format `pmml`; it serves lightgbm by v1, v2",
        );
    }

    #[test]
    fn those_of_the_namespace_come_first_and_others_namespaces_are_not_seen() {
        let of = |namespace| runtime("a", namespace, vec![format("lightgbm", None, Some(1))]);
        let runtimes = [of(None), of(Some("models")), of(Some("other"))];
        check(&runtimes, WANTED, "models/a");
        check(&runtimes, Wanted { runtime: Some("a"), ..WANTED }, "models/a");
        check(&runtimes, Wanted { namespace: "third", ..WANTED }, "a");
    }

    #[test]
    fn versions_and_protocols_must_fit_where_they_are_said() {
        let grpc = Some((Protocol::Kfserving, Some(Transport::Grpc)));
        let v1 = Some((Protocol::Tensorflow, None));
        let mut second = runtime("second", None, vec![format("lightgbm", Some("2"), None)]);
        second.protocols = vec![(Protocol::Kfserving, Some(Transport::Grpc))];
        let runtimes = [runtime("third", None, vec![format("lightgbm", Some("3"), None)]), second];
        check(&runtimes, Wanted { version: Some("3.3.2"), ..WANTED }, "third");
        check(&runtimes, Wanted { version: Some("2"), ..WANTED }, "second");
        check(&runtimes, Wanted { protocol: grpc, ..WANTED }, "second");
        check(&runtimes, Wanted { protocol: v1, ..WANTED }, "third");
        check(
            &runtimes,
            Wanted { version: Some("2"), protocol: v1, ..WANTED },
            "no serving runtime serves the model format `lightgbm 2` by `v1`; known are second, third",
        );
    }

    #[test]
    fn nothing_known_is_told() {
        check(
            &[],
            WANTED,
            "no serving runtime serves the model format `lightgbm`; none is known: install `ServingRuntime`s or \
             `ClusterServingRuntime`s of KServe's",
        );
        check(
            &[],
            Wanted { runtime: Some("mine"), ..WANTED },
            "there is no serving runtime `mine`; none is known: install `ServingRuntime`s or `ClusterServingRuntime`s of \
             KServe's",
        );
    }
}
