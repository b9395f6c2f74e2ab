//! Model servers in the form of Seldon's `ConfigMap` `seldon-config`. Pure.

use std::collections::BTreeMap;

use provost_domain::{deployment::Protocol, graph::Implementation, server_catalog::ModelServer};
use serde::Deserialize;
use serde_json::Value;

/// The key that names the servers.
pub(super) const KEY: &str = "predictor_servers";

/// The images of a server, by protocol.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    protocols: BTreeMap<String, Image>,
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
        if image.image.is_empty() {
            return Err(format!("the image for `{}` is empty", protocol.as_str()));
        }
        images.insert(protocol, image.reference());
    }
    if images.is_empty() {
        return Err("no `protocols` with an `image` each, such as {\"seldon\": {\"image\": \"…\"}}".to_owned());
    }
    Ok(ModelServer::of_images(name, &images, Some(origin.to_owned())))
}

impl Image {
    fn reference(&self) -> String {
        match self.default_image_version.as_str() {
            "" => self.image.clone(),
            version => format!("{}:{version}", self.image),
        }
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
    fn an_entry_that_cannot_be_read_is_told_and_the_others_count() {
        let text = r#"{
            "A": {"protocols": {"soap": {"image": "a"}}},
            "B": {"rest": {"image": "a"}},
            "C": {"protocols": {"seldon": {"image": "c"}}},
            "D": {"protocols": {"seldon": {"defaultImageVersion": "1"}}},
            "E": {"protocols": {"seldon": {"image": ""}}},
            "SIMPLE_MODEL": {"protocols": {"seldon": {"image": "c"}}}
        }"#;
        let (servers, problems) = parse(text, "o");
        assert_eq!(servers.iter().map(|server| server.implementation.as_str()).collect::<Vec<_>>(), ["C"]);
        insta::assert_snapshot!(problems.join("\n"), @r#"
        o: predictor_servers.A: protocol `soap` is not known; use one of seldon, tensorflow, kfserving
        o: predictor_servers.B: no `protocols` with an `image` each, such as {"seldon": {"image": "…"}}
        o: predictor_servers.D: missing field `image`
        o: predictor_servers.E: the image for `seldon` is empty
        o: predictor_servers.SIMPLE_MODEL: this name is built in; use another
        "#);
        assert!(parse("[]", "o").1[0].starts_with("o: predictor_servers is not a JSON object of servers: "));
    }
}
