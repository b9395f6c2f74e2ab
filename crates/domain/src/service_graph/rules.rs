//! What makes a graph of services invalid as a whole, told at the fields of an `InferenceGraph`.

use std::collections::{BTreeMap, BTreeSet};

use super::{ROOT, RouterNode, RouterType, ServiceGraph, Target};
use crate::{FieldPath, Violation};

/// Most nodes that a request passes one below another.
pub const DEPTH_MAX: usize = 16;
/// Most steps of all nodes together.
pub const STEPS_MAX: usize = 500;
/// Most calls that one request may come to.
pub const CALLS_MAX: u64 = 500;

/// `KServe`'s words for a graph that has no way in.
const NO_ROOT: &str = "root node not found, InferenceGraph needs a node with name 'root' as the root node of the graph";

impl ServiceGraph {
    /// Everything that is wrong with it.
    pub fn validate(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        if !self.nodes.contains_key(ROOT) {
            violations.push(Violation::required(nodes_path(), NO_ROOT));
        }
        let steps: usize = self.nodes.values().map(|node| node.steps.len()).sum();
        if steps > STEPS_MAX {
            let message = format!("the nodes have {steps} steps, and {STEPS_MAX} are the most: make several graphs");
            violations.push(Violation::invalid(nodes_path(), steps, message));
        }
        for (name, node) in &self.nodes {
            violations.extend(check_weights(node, &nodes_path().key(name)));
            violations.extend(self.unknown_nodes(name, node));
        }
        violations.extend(self.check_size());
        violations
    }

    fn unknown_nodes<'a>(&'a self, name: &'a str, node: &'a RouterNode) -> impl Iterator<Item = Violation> + 'a {
        node.steps.iter().enumerate().filter_map(move |(index, step)| match &step.target {
            Target::Node(target) if !self.nodes.contains_key(target) => {
                let message = format!("there is no node `{target}`; write it below `spec.nodes`, or name one that is");
                Some(Violation::invalid(step_path(name, index).field("nodeName"), target.as_str(), message))
            }
            _ => None,
        })
    }

    /// Loops, and what is too deep or comes to too many calls.
    fn check_size(&self) -> Option<Violation> {
        let mut sizes = Sizes { graph: self, known: BTreeMap::new(), open: BTreeSet::new() };
        let size = match self.nodes.keys().try_for_each(|name| sizes.of(name).map(drop)) {
            Err(violation) => return Some(*violation),
            Ok(()) => sizes.known.get(ROOT).copied()?,
        };
        let message = if size.depth > DEPTH_MAX {
            format!("the nodes below `{ROOT}` are {} deep, and {DEPTH_MAX} is the most", size.depth)
        } else if size.calls > CALLS_MAX {
            format!("a request may come to {} calls of services, and {CALLS_MAX} are the most", size.calls)
        } else {
            return None;
        };
        Some(Violation::invalid(nodes_path().key(ROOT), serde_json::Value::Null, message))
    }
}

/// How much a request that enters at a node comes to.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    calls: u64,
}

/// The sizes of nodes, each counted once.
struct Sizes<'a> {
    graph: &'a ServiceGraph,
    known: BTreeMap<&'a str, Size>,
    /// The nodes around the one that is being counted.
    open: BTreeSet<&'a str>,
}

impl<'a> Sizes<'a> {
    /// The size of a node, or the step that closes a loop. Its recursion is no deeper than [`STEPS_MAX`].
    fn of(&mut self, name: &'a str) -> Result<Size, Box<Violation>> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        // One that is not there is told elsewhere, and so are too many.
        let Some(node) = self.graph.nodes.get(name).filter(|_| self.open.len() <= STEPS_MAX) else {
            return Ok(Size::default());
        };
        self.open.insert(name);
        let mut size = Size::default();
        for (index, step) in node.steps.iter().enumerate() {
            let below = match &step.target {
                Target::Node(target) if self.open.contains(target.as_str()) => {
                    let message = format!("node `{target}` comes back to itself: a request would never end");
                    let path = step_path(name, index).field("nodeName");
                    return Err(Box::new(Violation::invalid(path, target.as_str(), message)));
                }
                Target::Node(target) => self.of(target)?,
                Target::Service(_) | Target::Url(_) => Size { depth: 0, calls: 1 },
            };
            size = join(node.router, size, below);
        }
        self.open.remove(name);
        size.depth += 1;
        self.known.insert(name, size);
        Ok(size)
    }
}

fn join(router: RouterType, one: Size, other: Size) -> Size {
    let calls = match router {
        RouterType::Sequence | RouterType::Ensemble => one.calls.saturating_add(other.calls),
        RouterType::Splitter | RouterType::Switch => one.calls.max(other.calls),
    };
    Size { depth: one.depth.max(other.depth), calls }
}

/// A splitter must say where all of its requests go.
fn check_weights(node: &RouterNode, path: &FieldPath) -> Option<Violation> {
    let sum: u64 = node.steps.iter().map(|step| u64::from(step.weight)).sum();
    (node.router == RouterType::Splitter && sum != 100).then(|| {
        let message = format!("the weights of a Splitter must come to 100, and these come to {sum}");
        Violation::invalid(path.field("steps"), sum, message)
    })
}

fn nodes_path() -> FieldPath {
    FieldPath::from("spec.nodes")
}

fn step_path(node: &str, index: usize) -> FieldPath {
    nodes_path().key(node).field("steps").index(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service_graph::{Dependency, ServiceStep, StepData};

    fn step(target: &str, weight: u32) -> ServiceStep {
        ServiceStep {
            name: None,
            target: Target::Node(target.to_owned()),
            data: StepData::Request,
            maps_predictions: false,
            weight,
            condition: None,
            dependency: Dependency::Soft,
        }
    }

    fn service() -> ServiceStep {
        ServiceStep { target: Target::Url("http://a/".to_owned()), ..step("", 0) }
    }

    fn graph(nodes: &[(&str, RouterType, &[ServiceStep])]) -> ServiceGraph {
        let node = |(name, router, steps): &(&str, RouterType, &[ServiceStep])| {
            ((*name).to_owned(), RouterNode { router: *router, steps: steps.to_vec() })
        };
        ServiceGraph { nodes: nodes.iter().map(node).collect(), ..ServiceGraph::default() }
    }

    fn told(graph: &ServiceGraph) -> Vec<String> {
        graph.validate().iter().map(ToString::to_string).collect()
    }

    use RouterType::{Ensemble, Sequence, Splitter};

    #[test]
    fn a_node_that_two_steps_name_is_no_loop() {
        let steps = [step("leaf", 0), step("leaf", 0)];
        assert!(told(&graph(&[("root", Sequence, &steps), ("leaf", Sequence, &[service()])])).is_empty());
    }

    #[test]
    fn what_cannot_be_walked_is_told_at_its_field() {
        let leaf = ("leaf", Sequence, &[service()][..]);
        assert_eq!(told(&graph(&[leaf])), [format!("spec.nodes: {NO_ROOT}")]);
        assert_eq!(
            told(&graph(&[("root", Sequence, &[step("none", 0)])])),
            [
                "spec.nodes[root].steps[0].nodeName: there is no node `none`; write it below `spec.nodes`, or name one that is"
            ]
        );
        assert_eq!(
            told(&graph(&[("root", Sequence, &[service(), step("a", 0)]), ("a", Sequence, &[step("root", 0)])])),
            ["spec.nodes[root].steps[1].nodeName: node `a` comes back to itself: a request would never end"]
        );
        let split = [step("leaf", 60), step("leaf", 30)];
        assert_eq!(
            told(&graph(&[("root", Splitter, &split), leaf])),
            ["spec.nodes[root].steps: the weights of a Splitter must come to 100, and these come to 90"]
        );
    }

    #[test]
    fn depth_and_calls_are_limited() {
        let names: Vec<String> = (0..20).map(|index| format!("n{index}")).collect();
        let chain = |width: usize, depth: usize| {
            let below = |index: usize| if index == depth { service() } else { step(&names[index], 0) };
            let steps: Vec<Vec<ServiceStep>> = (0..=depth).map(|index| vec![below(index); width]).collect();
            let name = |index: usize| if index == 0 { "root" } else { &names[index - 1] };
            let nodes: Vec<_> = (0..=depth).map(|index| (name(index), Ensemble, &*steps[index])).collect();
            told(&graph(&nodes))
        };
        assert!(chain(1, 15).is_empty());
        assert_eq!(chain(1, 16), ["spec.nodes[root]: the nodes below `root` are 17 deep, and 16 is the most"]);
        assert_eq!(
            chain(2, 8),
            ["spec.nodes[root]: a request may come to 512 calls of services, and 500 are the most"]
        );
        let many = vec![service(); STEPS_MAX + 1];
        assert_eq!(told(&graph(&[("root", Splitter, &many)])).len(), 2);
    }
}
