//! Model servers in the form of Seldon's `ConfigMap` `seldon-config`, of today and of before 1.7. Pure.

use std::collections::BTreeMap;

use provost_domain::{deployment::Protocol, graph::Implementation, server_catalog::ModelServer};
use serde::Deserialize;
use serde_json::Value;

/// The key that names the servers.
pub(super) const KEY: &str = "predictor_servers";

/// The images of a server, by protocol; in older files those of Seldon's by what they are called over, and apart that of
/// `TensorFlow` Serving.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    protocols: BTreeMap<String, Image>,
    rest: Option<Image>,
    grpc: Option<Image>,
    tf_image: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    image: String,
    #[serde(default)]
    default_image_version: String,
}

/// The servers of a text, each that can be read, and what is wrong with the others.
pub(super) fn parse(text: &str, origin: &str) -> (Vec<ModelServer>, Vec<String>) {
    let (mut servers, mut problems) = (Vec::new(), Vec::new());
    match serde_json::from_str::<BTreeMap<String, Value>>(text) {
        Ok(entries) => {
            for (name, entry) in entries {
                match server(&name, entry, origin) {
                    Ok(server) => servers.push(server),
                    Err(reason) => problems.push(format!("{origin}: {KEY}.{name}: {reason}")),
                }
            }
        }
        Err(error) => problems.push(format!("{origin}: {KEY} is not a JSON object of servers: {error}")),
    }
    (servers, problems)
}

fn server(name: &str, entry: Value, origin: &str) -> Result<ModelServer, String> {
    let implementation = Implementation::from(name.to_owned());
    if !implementation.is_prepackaged() {
        return Err("this name is built in; use another".to_owned());
    }
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    let mut images = BTreeMap::new();
    for (protocol, image) in entry.protocols {
        let protocol: Protocol =
            protocol.parse().map_err(|error: provost_domain::graph::UnknownWord| error.to_string())?;
        images.insert(protocol, image.reference(protocol.as_str())?);
    }
    let of_rest = entry.rest.map(|image| image.reference("rest")).transpose()?;
    let of_grpc = entry.grpc.map(|image| image.reference("grpc")).transpose()?;
    if let Some(image) = of_rest.or_else(|| of_grpc.clone()) {
        images.entry(Protocol::Seldon).or_insert(image);
    }
    if !entry.tf_image.is_empty() {
        images.entry(Protocol::Tensorflow).or_insert(entry.tf_image);
    }
    if images.is_empty() {
        return Err("no `protocols` with an `image` each, such as {\"seldon\": {\"image\": \"…\"}}".to_owned());
    }
    let server = ModelServer::of_images(name, &images, Some(origin.to_owned()));
    Ok(match of_grpc {
        Some(image) if images.get(&Protocol::Seldon) != Some(&image) => server.with_grpc_image(Protocol::Seldon, image),
        _ => server,
    })
}

impl Image {
    fn reference(&self, what: &str) -> Result<String, String> {
        if self.image.is_empty() {
            return Err(format!("the image for `{what}` is empty"));
        }
        Ok(match self.default_image_version.as_str() {
            "" => self.image.clone(),
            version => format!("{}:{version}", self.image),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_seldon_writes_them() {
        let text = r#"{
            "CUSTOM_SERVER": {"protocols": {
                "seldon": {"image": "registry.example/custom", "defaultImageVersion": "1.2"},
                "v2": {"image": "registry.example/custom-v2@sha256:0a"}
            }},
            "TRITON_SERVER": {"protocols": {"kfserving": {"image": "mirror/triton", "defaultImageVersion": "24.01"}}}
        }"#;
        let (servers, problems) = parse(text, "ConfigMap a/b");
        assert_eq!(problems, Vec::<String>::new());
        let image = |index: usize, protocol| servers[index].container(protocol).map(|one| one.image.as_str());
        assert_eq!(image(0, Protocol::Seldon), Some("registry.example/custom:1.2"));
        assert_eq!(image(0, Protocol::Kfserving), Some("registry.example/custom-v2@sha256:0a"));
        assert_eq!(image(1, Protocol::Kfserving), Some("mirror/triton:24.01"));
        assert_eq!(servers[1].origin.as_deref(), Some("ConfigMap a/b"));
    }

    #[test]
    fn servers_of_before_1_7_have_an_image_for_rest_and_one_for_grpc() {
        let text = r#"{
            "CUSTOM_SERVER": {
                "rest": {"image": "seldonio/custom_rest", "defaultImageVersion": "1.2"},
                "grpc": {"image": "seldonio/custom_grpc", "defaultImageVersion": "1.2"}
            },
            "GRPC_SERVER": {"grpc": {"image": "seldonio/custom_grpc"}},
            "TENSORFLOW_SERVER": {
                "tensorflow": true, "tfImage": "tensorflow/serving:2.1.0",
                "rest": {"image": "proxy_rest"}, "grpc": {"image": "proxy_grpc"}
            }
        }"#;
        let (servers, problems) = parse(text, "o");
        assert_eq!(problems, Vec::<String>::new());
        let images = |index: usize, protocol| {
            let container = servers[index].container(protocol)?;
            Some((container.image.as_str(), container.grpc_image.as_deref()))
        };
        assert_eq!(images(0, Protocol::Seldon), Some(("seldonio/custom_rest:1.2", Some("seldonio/custom_grpc:1.2"))));
        assert_eq!(images(1, Protocol::Seldon), Some(("seldonio/custom_grpc", None)));
        assert_eq!(images(2, Protocol::Seldon), Some(("proxy_rest", Some("proxy_grpc"))));
        assert_eq!(images(2, Protocol::Tensorflow), Some(("tensorflow/serving:2.1.0", None)));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_told_and_the_others_count() {
        let text = r#"{
            "A": {"protocols": {"soap": {"image": "a"}}},
            "B": {"rest": {"image": ""}},
            "BB": {"tensorflow": true},
            "C": {"protocols": {"seldon": {"image": "c"}}},
            "D": {"protocols": {"seldon": {"defaultImageVersion": "1"}}},
            "E": {"protocols": {"seldon": {"image": ""}}},
            "SIMPLE_MODEL": {"protocols": {"seldon": {"image": "c"}}}
        }"#;
        let (servers, problems) = parse(text, "o");
        assert_eq!(servers.iter().map(|server| server.implementation.as_str()).collect::<Vec<_>>(), ["C"]);
        insta::assert_snapshot!(problems.join("\n"), @r#"
        o: predictor_servers.A: protocol `soap` is not known; use one of seldon, tensorflow, kfserving
        o: predictor_servers.B: the image for `rest` is empty
        o: predictor_servers.BB: no `protocols` with an `image` each, such as {"seldon": {"image": "…"}}
        o: predictor_servers.D: missing field `image`
        o: predictor_servers.E: the image for `seldon` is empty
        o: predictor_servers.SIMPLE_MODEL: this name is built in; use another
        "#);
        assert!(parse("[]", "o").1[0].starts_with("o: predictor_servers is not a JSON object of servers: "));
    }
}
