//! What serves a model: the platform itself, or on a cluster the container of a serving runtime.

use provost_domain::{
    Engine, FieldPath, Violation,
    deployment::{Protocol, Transport},
    server_catalog::{ServingRuntime, Wanted},
};

use super::{FORMATS, MLSERVER, Model, PREDICTIVE_SERVER, Reader, Server};

/// The tag separator of an image.
const TAG: char = ':';

impl Reader<'_> {
    /// What serves a model of a format.
    pub(super) fn server(&mut self, model: &Model, path: &FieldPath) -> Option<Server> {
        let format = model.model_format.as_ref().map_or("", |format| &format.name);
        let native = FORMATS.iter().find(|(known, ..)| *known == format);
        let named = model.runtime.as_deref().filter(|name| !name.is_empty());
        if let Some((_, server, runtime)) = native
            && named.is_none_or(|name| [runtime, PREDICTIVE_SERVER, MLSERVER].contains(&name))
        {
            if let Some(image) = model.image.as_deref().filter(|image| !image.is_empty()) {
                let message = "the platform serves this format itself; remove it, or name a serving runtime";
                self.violations.push(Violation::not_supported(path.field("image"), image, message));
            }
            return Some(Server::Native(server));
        }
        if self.engine == Engine::Kubernetes {
            return self.runtime(model, format, path);
        }
        let (at, value, message) = match native {
            Some((format, _, runtime)) => {
                let known = [runtime, PREDICTIVE_SERVER, MLSERVER].map(|name| ["`", name, "`"].concat()).join(", ");
                let name = named.unwrap_or_default();
                let message = format!(
                    "serving runtime `{name}` works on a Kubernetes cluster only; for the format `{format}` leave it out, \
                     or use one of {known}"
                );
                (path.field("runtime"), name, message)
            }
            None => {
                let message = format!(
                    "model format `{format}` works on a Kubernetes cluster only; use `sklearn`, `xgboost` or `lightgbm`"
                );
                (path.field("modelFormat").field("name"), format, message)
            }
        };
        self.violations.push(Violation::not_supported(at, value, message));
        // What is wrong besides is told, too.
        self.protocol_of(model, path);
        None
    }

    /// The serving runtime that a model names, or that is chosen for it.
    fn runtime(&mut self, model: &Model, format: &str, path: &FieldPath) -> Option<Server> {
        let asked = model.protocol_version.as_deref().filter(|version| !version.is_empty());
        let asked = asked.map(|_| self.protocol_of(model, path));
        let namespace = self.namespace.clone();
        let wanted = Wanted {
            namespace: &namespace,
            format,
            version: model.model_format.as_ref().and_then(|format| format.version.as_deref()),
            protocol: asked.or(Some((Protocol::Tensorflow, None))),
            runtime: model.runtime.as_deref().filter(|name| !name.is_empty()),
        };
        let chosen = self.catalog.choose_runtime(&wanted);
        // V1 where nothing is said, as in KServe; else what a runtime speaks that fits otherwise.
        let chosen = match asked {
            Some(_) => chosen,
            None => chosen.or_else(|_| self.catalog.choose_runtime(&Wanted { protocol: None, ..wanted })),
        };
        match chosen {
            Ok(runtime) => {
                self.in_container.push(path.clone());
                Some(Server::Runtime {
                    key: runtime.key(),
                    format: format.to_owned(),
                    protocol: asked.unwrap_or_else(|| spoken(runtime)),
                    image: model.runtime_version.as_deref().and_then(|version| retagged(runtime.image()?, version)),
                })
            }
            Err(error) => {
                let (path, value) = match wanted.runtime {
                    Some(name) => (path.field("runtime"), name),
                    None if path.as_str().rsplit('.').next() == Some("model") => (path.field("modelFormat"), format),
                    None => (path.clone(), format),
                };
                self.violations.push(Violation::not_supported(path, value, error.to_string()));
                None
            }
        }
    }
}

/// What a runtime is asked in where nothing is said: V1 if it speaks that, else what it speaks over REST, else over gRPC.
fn spoken(runtime: &ServingRuntime) -> (Protocol, Option<Transport>) {
    let v1 = (Protocol::Tensorflow, None);
    let rest = runtime.protocols.iter().find(|(_, transport)| transport.is_none());
    match rest.or(runtime.protocols.first()) {
        Some(first) if !runtime.protocols.contains(&v1) => *first,
        _ => v1,
    }
}

/// The image with another tag.
fn retagged(image: &str, version: &str) -> Option<String> {
    if version.is_empty() {
        return None;
    }
    let (image, _digest) = image.split_once('@').unwrap_or((image, ""));
    // A registry may have a port.
    let name = match image.rsplit_once(TAG) {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    };
    Some([name, ":", version].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_tag_of_the_image() {
        for (image, expected) in [
            ("kserve/lgbserver:v0.15.0", "kserve/lgbserver:1.0"),
            ("kserve/lgbserver", "kserve/lgbserver:1.0"),
            ("registry.example:5000/lgb", "registry.example:5000/lgb:1.0"),
            ("registry.example:5000/lgb:a@sha256:0a", "registry.example:5000/lgb:1.0"),
        ] {
            assert_eq!(retagged(image, "1.0").as_deref(), Some(expected));
        }
        assert_eq!(retagged("a:b", ""), None);
    }
}
