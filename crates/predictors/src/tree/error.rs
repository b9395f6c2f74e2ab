//! Why a tree is refused.

/// Why a tree is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no node, or no feature.
    #[error("it has no nodes or no features")]
    Empty,
    /// A child is no node of the tree.
    #[error("node {node} has the child {child}, which is not among its {count} nodes")]
    ChildOutOfRange {
        /// The node.
        node: usize,
        /// Its child.
        child: i64,
        /// Number of nodes.
        count: usize,
    },
    /// Two nodes have the same child, or a node is its own descendant.
    #[error("node {node} is reached twice")]
    ReachedTwice {
        /// The node.
        node: usize,
    },
    /// A split is on a feature that the model does not have.
    #[error("node {node} splits on feature {feature} of {count}")]
    FeatureOutOfRange {
        /// The node.
        node: usize,
        /// The feature.
        feature: i64,
        /// Number of features.
        count: usize,
    },
    /// A threshold is not a number.
    #[error("the threshold of node {node} is not a number")]
    ThresholdNotANumber {
        /// The node.
        node: usize,
    },
    /// The trees together have more nodes than can be counted.
    #[error("the trees have too many nodes")]
    TooManyNodes,
}
