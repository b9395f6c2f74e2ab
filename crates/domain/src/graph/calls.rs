//! What a node does with a request on its way through the graph, as Seldon Core's orchestrator decides it
//! (1.9, `executor/predictor`): by its kind or its methods, and for what is built in by its implementation.

use super::{Implementation, Method, Node, NodeKind, ParameterValue};

/// What a node is called for, in the order in which it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Calls {
    /// What it does with a request before its children get it.
    pub input: Option<InputCall>,
    /// It chooses which of its children get the request; without, all do.
    pub route: bool,
    /// It makes one answer of its children's; without, that of the first goes on.
    pub aggregate: bool,
    /// It changes the answer.
    pub transform_output: bool,
    /// It is told what came of its predictions or choices.
    #[serde(default)]
    pub feedback: bool,
}

/// What a node does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum InputCall {
    /// Predicts.
    Predict,
    /// Changes it.
    Transform,
}

impl Calls {
    /// Those of a model.
    pub const PREDICT: Self = Self {
        input: Some(InputCall::Predict),
        route: false,
        aggregate: false,
        transform_output: false,
        feedback: true,
    };
}

/// The parameter of `RANDOM_ABTEST`: the probability of the first child.
pub(crate) const RATIO: &str = "ratioA";

/// The parameter of `EPSILON_GREEDY`: the probability of any child instead of the best.
pub(crate) const EPSILON: &str = "epsilon";

impl Node {
    /// Of an `EPSILON_GREEDY`, the probability of any child: one tenth where it is not said.
    pub fn epsilon(&self) -> f64 {
        self.parameter(EPSILON).and_then(ParameterValue::as_number).unwrap_or(0.1)
    }

    /// Of a `RANDOM_ABTEST`, the probability of the first child: one half where it is not said.
    pub fn first_ratio(&self) -> f64 {
        self.parameter(RATIO).and_then(ParameterValue::as_number).unwrap_or(0.5)
    }

    /// Whether the node is all of its graph and a model that is loaded or called: a request needs no way through it.
    pub fn is_lone_model(&self) -> bool {
        self.calls() == Calls::PREDICT && self.children.is_empty() && !self.implementation.is_built_in()
    }

    /// What the node is called for.
    pub fn calls(&self) -> Calls {
        let has = |method| self.methods.contains(&method);
        match self.implementation {
            Implementation::SimpleModel | Implementation::Server(_) => Calls::PREDICT,
            Implementation::ServiceGraph => Calls { feedback: false, ..Calls::PREDICT },
            Implementation::SimpleRouter | Implementation::RandomAbTest => Calls { route: true, ..Calls::default() },
            Implementation::EpsilonGreedy | Implementation::ThompsonSampling => {
                Calls { route: true, feedback: true, ..Calls::default() }
            }
            Implementation::AverageCombiner => Calls { aggregate: true, ..Calls::default() },
            Implementation::Unknown => Calls {
                input: match self.kind {
                    NodeKind::Model => Some(InputCall::Predict),
                    NodeKind::Transformer => Some(InputCall::Transform),
                    _ => has(Method::TransformInput).then_some(InputCall::Transform),
                },
                route: self.kind == NodeKind::Router || has(Method::Route),
                aggregate: self.kind == NodeKind::Combiner || has(Method::Aggregate),
                transform_output: self.kind == NodeKind::OutputTransformer || has(Method::TransformOutput),
                feedback: matches!(self.kind, NodeKind::Model | NodeKind::Router) || has(Method::SendFeedback),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(implementation: Implementation, kind: NodeKind, methods: &[Method], expected: &str) {
        let calls = Node { implementation, kind, methods: methods.to_vec(), ..Node::default() }.calls();
        let input = calls.input.map(|input| if input == InputCall::Predict { "predict" } else { "transform-input" });
        let others = [
            (calls.route, "route"),
            (calls.aggregate, "aggregate"),
            (calls.transform_output, "transform-output"),
            (calls.feedback, "send-feedback"),
        ];
        let others = others.into_iter().filter_map(|(is_called, name)| is_called.then_some(name));
        assert_eq!(input.into_iter().chain(others).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn kinds_tell_what_a_node_is_called_for() {
        let own = |kind, expected| check(Implementation::Unknown, kind, &[], expected);
        own(NodeKind::Model, "predict send-feedback");
        own(NodeKind::Transformer, "transform-input");
        own(NodeKind::OutputTransformer, "transform-output");
        own(NodeKind::Router, "route send-feedback");
        own(NodeKind::Combiner, "aggregate");
        own(NodeKind::UnknownType, "");
    }

    #[test]
    fn methods_add_to_the_kind() {
        let all = [Method::TransformInput, Method::Route, Method::Aggregate, Method::TransformOutput];
        check(Implementation::Unknown, NodeKind::UnknownType, &all, "transform-input route aggregate transform-output");
        let calls = "predict transform-output send-feedback";
        check(Implementation::Unknown, NodeKind::Model, &[Method::TransformOutput], calls);
        check(Implementation::Unknown, NodeKind::Combiner, &[Method::SendFeedback], "aggregate send-feedback");
    }

    #[test]
    fn what_is_built_in_has_its_own_whatever_kind_is_said() {
        check(Implementation::SimpleModel, NodeKind::UnknownType, &[], "predict send-feedback");
        check(Implementation::SimpleRouter, NodeKind::Model, &[], "route");
        check(Implementation::RandomAbTest, NodeKind::UnknownType, &[], "route");
        check(Implementation::AverageCombiner, NodeKind::Combiner, &[Method::Route], "aggregate");
        check(
            Implementation::Server("S".to_owned()),
            NodeKind::Model,
            &[Method::SendFeedback],
            "predict send-feedback",
        );
    }
}
