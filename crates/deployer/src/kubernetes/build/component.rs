//! What the user said of pods of a predictor: their component specifications in one, with the containers of the
//! graph's nodes apart from the others.
//!
//! **Invariant**: everything that is said counts; of what cannot, the path is told.

use provost_domain::{FieldPath, server_catalog::Contract};
use serde_json::{Map, Value};

use super::{
    Part,
    error::BuildError,
    merge::{join, join_item, take_list},
    model_server,
    security::secure,
    serving_runtime,
};

/// What the container of a node says of the program that runs in it.
const PROGRAM: [&str; 4] = ["args", "command", "image", "workingDir"];

/// What the user said of the pods.
#[derive(Debug, Default)]
pub(super) struct Component {
    /// The `PodSpec` without its containers.
    pub(super) pod: Map<String, Value>,
    /// The containers of nodes that the server runs, in the order of the graph.
    pub(super) nodes: Vec<NodeContainer>,
    /// The containers of nodes that are programs of their own, in the order of the graph.
    pub(super) programs: Vec<NodeContainer>,
    /// The other containers.
    pub(super) sidecars: Vec<Value>,
    /// Labels of the pods.
    pub(super) labels: Map<String, Value>,
    /// Annotations of the pods.
    pub(super) annotations: Map<String, Value>,
}

/// The container of a node, as the user wrote it.
#[derive(Debug, Clone)]
pub(super) struct NodeContainer {
    /// Where it stands.
    pub(super) path: FieldPath,
    /// The container.
    pub(super) container: Map<String, Value>,
}

impl NodeContainer {
    /// Its name, which is that of the node.
    pub(super) fn name(&self) -> &str {
        self.container.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Joins the component specifications of these pods.
pub(super) fn join_all(part: Part<'_>) -> Result<Component, BuildError> {
    let mut component = Component::default();
    for (index, specification) in part.component_specs() {
        component.add(part, &part.component_path(index), &specification.document)?;
    }
    component.add_servers(part)?;
    let order: Vec<_> = part.nodes().into_iter().map(|(_, node)| node.name.as_str()).collect();
    let place = |node: &NodeContainer| order.iter().position(|name| is_named(&node.container, name));
    component.nodes.sort_by_key(place);
    if component.programs.iter().any(|program| part.is_server(&program.container)) {
        component.programs.sort_by_key(place);
    }
    Ok(component)
}

impl Component {
    fn add(&mut self, part: Part<'_>, path: &FieldPath, document: &Value) -> Result<(), BuildError> {
        let mut pod = document["spec"].as_object().cloned().unwrap_or_default();
        let containers = take_list(&mut pod, "containers").into_iter().enumerate();
        let path_of_pod = path.field("spec");
        for (index, container) in containers {
            if let Value::Object(container) = container {
                self.add_container(part, path_of_pod.field("containers").index(index), container)?;
            }
        }
        join(&mut self.pod, pod, &path_of_pod)?;
        for (texts, field) in [(&mut self.labels, "labels"), (&mut self.annotations, "annotations")] {
            let more = document["metadata"][field].as_object().cloned().unwrap_or_default();
            join(texts, more, &path.field("metadata").field(field))?;
        }
        Ok(())
    }

    fn add_container(
        &mut self,
        part: Part<'_>,
        path: FieldPath,
        mut container: Map<String, Value>,
    ) -> Result<(), BuildError> {
        let nodes = part.nodes();
        if let Some((_, node)) = nodes.iter().find(|(_, node)| is_named(&container, &node.name)) {
            if !part.is_here(&node.name) {
                return Err(BuildError::Differs { path });
            }
            if node.is_own_program() {
                return self.add_program(part, path, container);
            }
            if let Some(field) = PROGRAM.into_iter().find(|field| is_said(&container, field)) {
                return Err(BuildError::OwnProgram { path: path.field(field) });
            }
            container.retain(|field, _| !PROGRAM.contains(&field.as_str()));
            self.nodes.push(NodeContainer { path, container });
            return Ok(());
        }
        if !is_said(&container, "image") {
            return Err(BuildError::NoImage { path: path.field("image") });
        }
        secure(&mut container);
        join_item(&mut self.sidecars, Value::Object(container), "name", &path)
    }

    fn add_program(
        &mut self,
        part: Part<'_>,
        path: FieldPath,
        container: Map<String, Value>,
    ) -> Result<(), BuildError> {
        if !is_said(&container, "image") && !part.is_server(&container) {
            return Err(BuildError::NoProgram { path: path.field("image") });
        }
        if self.programs.iter().any(|known| known.container["name"] == container["name"]) {
            return Err(BuildError::Differs { path });
        }
        self.programs.push(NodeContainer { path, container });
        Ok(())
    }

    /// Adds the containers of model servers, over which those of the user's go that have their names.
    fn add_servers(&mut self, part: Part<'_>) -> Result<(), BuildError> {
        for (path, node) in part.nodes_here() {
            let Some(server) = part.server(node) else { continue };
            let written = self.programs.iter().position(|program| is_named(&program.container, &node.name));
            let index = written.unwrap_or_else(|| {
                let container = Map::from_iter([("name".to_owned(), node.name.clone().into())]);
                self.programs.push(NodeContainer { path: path.field("implementation"), container });
                self.programs.len() - 1
            });
            match &server.contract {
                Contract::Template(template) => serving_runtime::complete(part, node, template, (self, index))?,
                _ => model_server::complete(part, node, server, &mut self.programs[index].container),
            }
        }
        Ok(())
    }
}

/// Whether a text or a list is there and not empty.
fn is_said(container: &Map<String, Value>, field: &str) -> bool {
    match container.get(field) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        _ => false,
    }
}

fn is_named(container: &Map<String, Value>, name: &str) -> bool {
    container.get("name").is_some_and(|own| own == name)
}
