//! Models made in code, in the form of files: the ones that speed is measured with.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "the numbers are small"
)]

use std::{fmt::Write as _, io};

use provost_inference::{ArtifactFile, ArtifactFiles};

use super::pickle_writer::PickleWriter;

/// Features of all models here.
pub const FEATURES: usize = 12;
const CLASSES: usize = 3;

/// An artifact of one file in memory.
#[derive(Debug)]
pub struct InMemory(pub Vec<u8>);

impl ArtifactFiles for InMemory {
    fn list(&self) -> io::Result<Vec<ArtifactFile>> {
        Ok(vec![ArtifactFile { path: "model".to_owned(), size: self.0.len() as u64 }])
    }

    fn open(&self, _path: &str) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(io::Cursor::new(self.0.clone())))
    }
}

/// A fixed sequence of numbers that look random.
#[derive(Debug)]
pub struct Sequence(u64);

impl Sequence {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.unit() * bound as f64) as usize
    }
}

/// Rows with values from 0 to 1, one after the other.
pub fn rows(count: usize) -> Vec<f64> {
    let mut sequence = Sequence::new(7);
    (0..count * FEATURES).map(|_| sequence.unit()).collect()
}

/// `LogisticRegression` of three classes.
pub fn logistic_regression() -> Vec<u8> {
    let mut sequence = Sequence::new(1);
    let weights: Vec<_> = (0..CLASSES * FEATURES).map(|_| sequence.unit() - 0.5).collect();
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.linear_model._logistic", "LogisticRegression", |pickle| {
        pickle.text("multi_class");
        pickle.text("multinomial");
        pickle.text("solver");
        pickle.text("lbfgs");
        pickle.text("coef_");
        pickle.floats(&[CLASSES, FEATURES], &weights);
        pickle.text("intercept_");
        pickle.floats(&[CLASSES], &[0.1, -0.2, 0.3]);
        pickle.text("classes_");
        pickle.integers(&[0, 1, 2]);
    });
    pickle.finish()
}

/// One node of a tree: a split of (feature, threshold, left, right), or a leaf.
type TreeNode = Option<(usize, f64, usize, usize)>;

/// A tree as training grows it: full at first, then ever thinner, to the given depth.
fn tree(sequence: &mut Sequence, depth: usize) -> Vec<TreeNode> {
    let mut nodes = vec![None];
    let mut open = vec![(0, 0)];
    while let Some((node, level)) = open.pop() {
        if level == depth || (level >= 4 && sequence.unit() < 0.2) {
            continue;
        }
        let left = nodes.len();
        nodes.extend([None, None]);
        nodes[node] = Some((sequence.below(FEATURES), sequence.unit(), left, left + 1));
        open.extend([(left, level + 1), (left + 1, level + 1)]);
    }
    nodes
}

/// `RandomForestClassifier` of three classes.
pub fn random_forest(trees: usize, depth: usize) -> Vec<u8> {
    let mut sequence = Sequence::new(2);
    let mut pickle = PickleWriter::new();
    pickle.estimator("sklearn.ensemble._forest", "RandomForestClassifier", |pickle| {
        tree_attributes(pickle);
        pickle.text("estimators_");
        pickle.list(|pickle| {
            for _ in 0..trees {
                decision_tree(pickle, &mut sequence, depth);
            }
        });
    });
    pickle.finish()
}

/// What trees and forests of them have in common.
pub fn tree_attributes(pickle: &mut PickleWriter) {
    pickle.text("classes_");
    pickle.integers(&[0, 1, 2]);
    pickle.text("n_outputs_");
    pickle.integer(1);
    pickle.text("n_features_in_");
    pickle.integer(FEATURES as i32);
    pickle.text("criterion");
    pickle.text("gini");
    pickle.text("splitter");
    pickle.text("best");
}

fn decision_tree(pickle: &mut PickleWriter, sequence: &mut Sequence, depth: usize) {
    pickle.estimator("sklearn.tree._classes", "DecisionTreeClassifier", |pickle| {
        tree_attributes(pickle);
        pickle.text("tree_");
        let nodes = tree(sequence, depth);
        let arguments = |pickle: &mut PickleWriter| {
            pickle.integer(FEATURES as i32);
            pickle.integers(&[CLASSES as i64]);
            pickle.integer(1);
        };
        pickle.reduce("sklearn.tree._tree", "Tree", arguments, |pickle| {
            pickle.dict(|pickle| tree_state(pickle, &nodes, sequence));
        });
    });
}

/// `DecisionTreeClassifier` of one split: 3:1 up to 0.5 of the first feature, else the other class.
pub fn stump(pickle: &mut PickleWriter) {
    pickle.estimator("sklearn.tree._classes", "DecisionTreeClassifier", |pickle| {
        pickle.text("classes_");
        pickle.integers(&[0, 1]);
        pickle.text("n_outputs_");
        pickle.integer(1);
        pickle.text("n_features_in_");
        pickle.integer(FEATURES as i32);
        pickle.text("criterion");
        pickle.text("gini");
        pickle.text("splitter");
        pickle.text("best");
        pickle.text("tree_");
        let arguments = |pickle: &mut PickleWriter| {
            pickle.integer(FEATURES as i32);
            pickle.integers(&[2]);
            pickle.integer(1);
        };
        pickle.reduce("sklearn.tree._tree", "Tree", arguments, |pickle| {
            let nodes = [Some((0, 0.5, 1, 2)), None, None];
            let data: Vec<_> = nodes.iter().flat_map(node_bytes).collect();
            pickle.dict(|pickle| {
                pickle.text("node_count");
                pickle.integer(3);
                pickle.text("nodes");
                pickle.array(&[3], |pickle| pickle.record_dtype("V64", &FIELDS), &data);
                pickle.text("values");
                pickle.floats(&[3, 1, 2], &[0.5, 0.5, 0.75, 0.25, 0.0, 1.0]);
            });
        });
    });
}

const FIELDS: [(&str, &str, i32); 8] = [
    ("left_child", "i8", 0),
    ("right_child", "i8", 8),
    ("feature", "i8", 16),
    ("threshold", "f8", 24),
    ("impurity", "f8", 32),
    ("n_node_samples", "i8", 40),
    ("weighted_n_node_samples", "f8", 48),
    ("missing_go_to_left", "u1", 56),
];

fn tree_state(pickle: &mut PickleWriter, nodes: &[TreeNode], sequence: &mut Sequence) {
    let data: Vec<_> = nodes.iter().flat_map(node_bytes).collect();
    let values: Vec<_> = (0..nodes.len()).flat_map(|_| leaf(sequence)).collect();
    pickle.text("node_count");
    pickle.integer(nodes.len() as i32);
    pickle.text("nodes");
    pickle.array(&[nodes.len()], |pickle| pickle.record_dtype("V64", &FIELDS), &data);
    pickle.text("values");
    pickle.floats(&[nodes.len(), 1, CLASSES], &values);
}

fn node_bytes(node: &TreeNode) -> [u8; 64] {
    let (feature, threshold, left, right) = match node {
        Some((feature, threshold, left, right)) => (*feature as i64, *threshold, *left as i64, *right as i64),
        None => (-2, -2.0, -1, -1),
    };
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&left.to_le_bytes());
    bytes[8..16].copy_from_slice(&right.to_le_bytes());
    bytes[16..24].copy_from_slice(&feature.to_le_bytes());
    bytes[24..32].copy_from_slice(&threshold.to_le_bytes());
    bytes
}

fn leaf(sequence: &mut Sequence) -> [f64; CLASSES] {
    let counts: [f64; CLASSES] = std::array::from_fn(|_| sequence.unit());
    let sum: f64 = counts.iter().sum();
    counts.map(|count| count / sum)
}

/// A booster of `binary:logistic` in JSON.
pub fn xgboost(trees: usize, depth: usize) -> Vec<u8> {
    let mut sequence = Sequence::new(3);
    let trees_json: Vec<_> = (0..trees).map(|_| tree_json(&mut sequence, depth)).collect();
    let groups = vec!["0"; trees].join(",");
    let document = format!(
        r#"{{"version":[2,1,4],"learner":{{"gradient_booster":{{"name":"gbtree","model":{{"tree_info":[{groups}],"trees":[{}]}}}},"learner_model_param":{{"base_score":"5E-1","num_class":"0","num_feature":"{FEATURES}"}},"objective":{{"name":"binary:logistic"}}}}}}"#,
        trees_json.join(",")
    );
    document.into_bytes()
}

fn tree_json(sequence: &mut Sequence, depth: usize) -> String {
    let nodes = tree(sequence, depth);
    let column = |value: &dyn Fn(&TreeNode) -> String| nodes.iter().map(value).collect::<Vec<_>>().join(",");
    let left = column(&|node| node.map_or("-1".to_owned(), |(_, _, left, _)| left.to_string()));
    let right = column(&|node| node.map_or("-1".to_owned(), |(_, _, _, right)| right.to_string()));
    let feature = column(&|node| node.map_or(0, |(feature, ..)| feature).to_string());
    let value = column(&|node| node.map_or(0.01, |(_, threshold, ..)| threshold).to_string());
    let default = column(&|_| "0".to_owned());
    let mut tree = String::new();
    write!(
        tree,
        r#"{{"left_children":[{left}],"right_children":[{right}],"split_indices":[{feature}],"split_conditions":[{value}],"default_left":[{default}],"tree_param":{{"num_nodes":"{}"}}}}"#,
        nodes.len()
    )
    .unwrap();
    tree
}
