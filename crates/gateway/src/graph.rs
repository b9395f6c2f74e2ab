//! A graph of several nodes: what runs each, and where its calls go.

mod answer;
mod built_in;
mod feedback;
mod learning;
mod message;
mod walk;
mod wire;

use std::{rc::Rc, sync::Arc};

use bytes::Bytes;
use http::Uri;
use provost_domain::{
    graph::{Calls, InputCall},
    routing_table::{Learning, NodeRoute, NodeRuns},
};
use provost_inference::{
    Predict, Schema,
    protocol::{
        block::Block,
        proto::inference::ModelInferRequest,
        seldon::{Envelope, Request, parse_envelope},
    },
};

use crate::{
    error::RequestError, feedback::FEEDBACK_PATH, grpc::tensors::binary::Binary, infer::Infer, matcher::Dialect,
    node_server::Server,
};

pub(crate) use answer::{AnswerAs, write_as};
pub(crate) use feedback::Told;
pub use learning::Learned;
pub(crate) use learning::{Known, Learner};
use message::{Members, Payload, members, payload_of};
pub(crate) use message::{Message, Numbers};
pub(crate) use walk::{Notes, Stopped, Walk};

/// Where nodes make one answer of several.
const AGGREGATE: &str = "/aggregate";

/// A graph, as requests pass it.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) root: Node,
    /// What those of its nodes speak that are called over the network; `None` where all are of this process.
    pub(crate) dialect: Option<Dialect>,
}

/// A node of a graph.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) runs: Runs,
    input: Option<Step>,
    route: Option<Step>,
    aggregate: Option<Step>,
    output: Option<Step>,
    feedback: Option<Step>,
    pub(crate) children: Vec<Self>,
}

/// What runs a node.
#[derive(Debug)]
pub(crate) enum Runs {
    Native(Arc<dyn Predict>),
    Server(Server),
    SimpleModel,
    SimpleRouter,
    /// Shares of the two children, and what tells the splits of two routers apart.
    AbTest([u32; 2], u64),
    AverageCombiner,
    /// A router that learns.
    Learns(Learning, Arc<Learner>),
}

/// A call that a node takes.
#[derive(Debug)]
struct Step {
    /// Where its latencies are counted.
    slot: usize,
    /// Where it goes, over the network.
    uri: Option<Uri>,
    /// It gets the answers of all children, not one message.
    takes_list: bool,
}

/// A request as it enters a graph.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) message: Message,
    /// What the caller says of nodes that were passed before.
    pub(crate) notes: Notes,
    pub(crate) answer: AnswerAs,
    /// Which outputs of V2 go back as bytes after JSON.
    pub(crate) binary: Binary,
}

impl Entry {
    /// A request whose numbers were read. Nodes that are called over the network get them as they were written.
    pub(crate) fn of_numbers(
        graph: &Graph,
        body: &Bytes,
        (request, values): (&Request<'_>, &[f64]),
    ) -> Result<Self, RequestError> {
        let Request { form, rows, columns, first_missing, names, meta } = request;
        let payload = Payload::of_numbers(Numbers {
            form: *form,
            rows: *rows,
            columns: *columns,
            values: values.to_vec(),
            first_missing: *first_missing,
            names: names.map(str::to_owned),
            schema: Numbers::plain(*columns),
        });
        let payload = if graph.dialect.is_some() {
            payload.with_json(body.slice_ref(parse_envelope(body)?.payload.as_bytes()))
        } else {
            payload
        };
        let tags = members(meta.tags)?;
        let message = Message { payload: Rc::new(payload), tags };
        Ok(Self { message, notes: Notes::of(meta)?, answer: AnswerAs::Message, binary: Binary::default() })
    }

    /// A request of V1 or V2 for nodes of this process, in the order of the features of the first model.
    pub(crate) fn of_block(
        graph: &Graph,
        (block, values): (Block<'_>, Vec<f64>),
        answer: AnswerAs,
    ) -> Result<Self, RequestError> {
        let numbers = wire::numbers(block, values, graph.root.first_schema())?;
        let message = Message { payload: Rc::new(Payload::of_numbers(numbers)), tags: Members::new() };
        Ok(Self { message, notes: Notes::default(), answer, binary: Binary::default() })
    }

    /// A request of V1 or V2 for nodes that speak it.
    pub(crate) fn of_body(dialect: Dialect, body: Bytes) -> Self {
        let message = Message { payload: Rc::new(Payload::of_body(dialect, body)), tags: Members::new() };
        Self { message, notes: Notes::default(), answer: AnswerAs::Message, binary: Binary::default() }
    }

    /// A request of V2's gRPC for nodes that speak it.
    pub(crate) fn of_infer(request: ModelInferRequest) -> Self {
        let payload = Rc::new(Payload::of_infer(Infer::Request(request)));
        let message = Message { payload, tags: Members::new() };
        Self { message, notes: Notes::default(), answer: AnswerAs::Message, binary: Binary::default() }
    }

    /// A request of any kind.
    pub(crate) fn of_json(body: &Bytes) -> Result<Self, RequestError> {
        let envelope: Envelope<'_> = parse_envelope(body)?;
        let payload = Rc::new(payload_of(&envelope, body));
        let tags = members(envelope.meta.tags)?;
        Ok(Self {
            message: Message { payload, tags },
            notes: Notes::of(&envelope.meta)?,
            answer: AnswerAs::Message,
            binary: Binary::default(),
        })
    }
}

/// What graphs are compiled with.
pub(crate) trait Found {
    /// The loaded model of a node.
    fn model(&self, node: &str) -> Option<Arc<dyn Predict>>;

    /// Where the latencies of a node's calls to `path` are counted.
    fn slot(&self, node: &NodeRoute, path: &'static str) -> usize;

    /// The router of this node, which learns.
    fn learner(&self, node: &NodeRoute) -> Arc<Learner>;
}

impl Graph {
    /// The graph; `None` where a model is not loaded, or an address is none.
    pub(crate) fn new(root: &NodeRoute, found: &dyn Found) -> Option<Self> {
        let root = Node::new(root, found)?;
        Some(Self { dialect: root.dialect(), root })
    }
}

impl Node {
    fn new(route: &NodeRoute, found: &dyn Found) -> Option<Self> {
        let runs = match &route.runs {
            NodeRuns::Model => Runs::Native(found.model(&route.name)?),
            NodeRuns::Server(server) => Runs::Server(Server::new(&route.name, server)?),
            NodeRuns::SimpleModel => Runs::SimpleModel,
            NodeRuns::SimpleRouter => Runs::SimpleRouter,
            NodeRuns::AbTest(ratio) => Runs::AbTest(built_in::shares(*ratio), built_in::seed(&route.name)),
            NodeRuns::AverageCombiner => Runs::AverageCombiner,
            NodeRuns::Learns(learning) => Runs::Learns(*learning, found.learner(route)),
            // These are all of what answers, and no node of a graph.
            NodeRuns::Services(_) => return None,
        };
        let Calls { input, route: routes, aggregate, transform_output, feedback } = route.calls;
        let step = |is_called: bool, path| is_called.then(|| Step::new(&runs, route, path, found));
        let of_input = match input {
            Some(InputCall::Predict) => "/predict",
            Some(InputCall::Transform) | None => "/transform-input",
        };
        Some(Self {
            name: route.name.clone(),
            image: route.image.clone(),
            input: step(input.is_some(), of_input),
            route: step(routes, "/route"),
            aggregate: step(aggregate, AGGREGATE),
            output: step(transform_output, "/transform-output"),
            feedback: step(feedback, FEEDBACK_PATH),
            children: route.children.iter().map(|child| Self::new(child, found)).collect::<Option<_>>()?,
            runs,
        })
    }

    /// Whether it does something with a request before its children do.
    pub(crate) fn is_asked_first(&self) -> bool {
        self.input.is_some()
    }

    /// Whether it does something with its children's answers.
    pub(crate) fn is_asked_last(&self) -> bool {
        self.aggregate.is_some() || self.output.is_some()
    }

    /// The node of this name, of it and those below it.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name { Some(self) } else { self.children.iter().find_map(|child| child.find(name)) }
    }

    /// It and those below it, each before those below it.
    pub(crate) fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.children.iter().flat_map(Self::all)).collect()
    }

    fn dialect(&self) -> Option<Dialect> {
        match &self.runs {
            Runs::Server(server) => Some(server.dialect()),
            _ => self.children.iter().find_map(Self::dialect),
        }
    }

    /// What the first model of this process takes, of it and those below it.
    pub(crate) fn first_schema(&self) -> Option<&Schema> {
        match &self.runs {
            Runs::Native(predict) => Some(predict.schema()),
            _ => self.children.iter().find_map(Self::first_schema),
        }
    }
}

impl Step {
    fn new(runs: &Runs, route: &NodeRoute, path: &'static str, found: &dyn Found) -> Self {
        let uri = match runs {
            Runs::Server(server) => server.of_graph(path),
            _ => None,
        };
        Self { slot: found.slot(route, path), uri, takes_list: path == AGGREGATE }
    }
}
