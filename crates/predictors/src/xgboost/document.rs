//! The model document, which JSON and UBJSON share. Trees are laid out as they are read, so that a
//! large file stands in memory once as bytes and once as trees.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};

use crate::shown::shown;

use super::{
    Error,
    model::{BaseScore, Model, RawNode, Trees, Version, check_booster, check_leaf_size},
    ubj,
};

/// Reads a model in JSON.
pub(super) fn parse_json(bytes: &[u8]) -> Result<Model, Error> {
    let document: Document = match serde_json::from_slice(bytes) {
        Err(error) if error.is_syntax() => {
            serde_json::from_slice(&without_nan(bytes)).map_err(|error| no_model(&error))?
        }
        outcome => outcome.map_err(|error| no_model(&error))?,
    };
    document.into_model()
}

fn no_model(error: &serde_json::Error) -> Error {
    Error::malformed(format!("it is not a model in JSON: {}", shown(&error.to_string())))
}

/// The same JSON with `null` for NaN and infinities, which are no JSON. XGBoost writes them into
/// nodes that splits on numbers do not use, and `null` is read back as NaN.
fn without_nan(bytes: &[u8]) -> Vec<u8> {
    let mut cleaned = Vec::with_capacity(bytes.len() + bytes.len() / 3);
    let mut rest = bytes;
    let mut is_in_text = false;
    while let Some((first, after)) = rest.split_first() {
        let special = [&b"NaN"[..], b"-Infinity", b"Infinity", b"-inf", b"inf"];
        let special = special.into_iter().find(|word| !is_in_text && rest.starts_with(word));
        if let Some(word) = special {
            cleaned.extend_from_slice(b"null");
            rest = &rest[word.len()..];
            continue;
        }
        let escaped = if is_in_text && *first == b'\\' { after.first() } else { None };
        is_in_text ^= *first == b'"';
        cleaned.push(*first);
        cleaned.extend(escaped);
        rest = &after[usize::from(escaped.is_some())..];
    }
    cleaned
}

/// Reads a model in UBJSON.
pub(crate) fn parse_ubj(bytes: &[u8]) -> Result<Model, Error> {
    let document: Document = ubj::from_slice(bytes)?;
    document.into_model()
}

#[derive(Debug, Deserialize)]
struct Document {
    version: [u32; 3],
    learner: Learner,
}

#[derive(Debug, Deserialize)]
struct Learner {
    #[serde(default)]
    feature_names: Vec<String>,
    gradient_booster: GradientBooster,
    #[serde(rename = "learner_model_param")]
    parameters: ModelParameters,
    objective: Objective,
}

#[derive(Debug, Deserialize)]
struct Objective {
    name: String,
}

#[derive(Debug, Deserialize)]
struct ModelParameters {
    base_score: String,
    num_class: String,
    num_feature: String,
    num_target: Option<String>,
    boost_from_average: Option<String>,
}

/// `model` is another thing in boosters without trees, so its parts are optional.
#[derive(Debug, Deserialize)]
struct GradientBooster {
    name: String,
    model: Option<TreeModel>,
}

#[derive(Debug, Deserialize)]
struct TreeModel {
    gbtree_model_param: Option<TreesParameters>,
    #[serde(default)]
    tree_info: Vec<i64>,
    trees: Option<TreeList>,
}

#[derive(Debug, Deserialize)]
struct TreesParameters {
    num_trees: String,
}

impl Document {
    fn into_model(self) -> Result<Model, Error> {
        let Learner { feature_names, gradient_booster, parameters, objective } = self.learner;
        check_booster(&gradient_booster.name)?;
        let model = gradient_booster.model.ok_or_else(|| Error::malformed("it has no model"))?;
        let (trees, tree_groups) = model.into_trees()?;
        let [major, minor, patch] = self.version;
        let version = Version { major, minor, patch: Some(patch) };
        let features = number("num_feature", &parameters.num_feature)?;
        Ok(Model {
            version: Some(version),
            booster: gradient_booster.name,
            objective: objective.name,
            base_score: parameters.base_score(version, trees.len())?,
            features,
            feature_names: (feature_names.len() == features).then_some(feature_names),
            groups: parameters.groups()?,
            trees,
            tree_groups,
        })
    }
}

impl TreeModel {
    /// The trees, and the output that each adds to.
    fn into_trees(self) -> Result<(Trees, Vec<i64>), Error> {
        let TreeList(trees) = self.trees.ok_or_else(|| Error::malformed("it has no trees"))?;
        let trees = trees?;
        let declared = self.gbtree_model_param.map(|trees| number("num_trees", &trees.num_trees));
        match declared.transpose()? {
            Some(declared) if declared != trees.len() => {
                Err(Error::malformed("`num_trees` is not the number of trees"))
            }
            _ => Ok((trees, self.tree_info)),
        }
    }
}

impl ModelParameters {
    /// Number of outputs: classes or targets.
    fn groups(&self) -> Result<usize, Error> {
        let classes = number("num_class", &self.num_class)?;
        let targets = self.num_target.as_ref().map_or(Ok(1), |text| number("num_target", text))?;
        Ok(classes.max(targets).max(1))
    }

    /// One number, or since 3.1 a list such as `[5E-1,2E-1]`, in text.
    fn base_score(&self, version: Version, trees: usize) -> Result<BaseScore, Error> {
        let list = self.base_score.trim().trim_start_matches('[').trim_end_matches(']');
        let scores = list.split(',').map(|score| score.trim().parse());
        let scores = scores.collect::<Result<Vec<f32>, _>>();
        let scores = scores.map_err(|_| Error::malformed("`base_score` is no number"))?;
        let is_estimated = self.boost_from_average.as_deref() == Some("1");
        let is_unfitted = version.is_since(3, 1) && is_estimated && trees == 0;
        Ok(if is_unfitted { BaseScore::Margin(scores) } else { BaseScore::Score(scores) })
    }
}

/// Parameters are numbers in text.
fn number(name: &str, text: &str) -> Result<usize, Error> {
    text.parse().map_err(|_| Error::malformed(format!("`{name}` is no number")))
}

/// All trees, laid out, or why the first of them is not.
#[derive(Debug)]
struct TreeList(Result<Trees, Error>);

impl<'de> Deserialize<'de> for TreeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TreeListVisitor)
    }
}

struct TreeListVisitor;

impl<'de> Visitor<'de> for TreeListVisitor {
    type Value = TreeList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of trees")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<TreeList, A::Error> {
        let mut trees = Trees::new();
        while let Some(tree) = list.next_element::<Tree>()? {
            if let Err(error) = tree.add_to(&mut trees) {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(TreeList(Err(error)));
            }
        }
        Ok(TreeList(Ok(trees)))
    }
}

/// One tree as parallel arrays over its nodes.
#[derive(Debug, Deserialize)]
struct Tree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<u32>,
    split_conditions: Vec<Number>,
    default_left: Vec<Flag>,
    #[serde(default)]
    split_type: Vec<Flag>,
    #[serde(rename = "tree_param")]
    parameters: TreeParameters,
}

#[derive(Debug, Deserialize)]
struct TreeParameters {
    size_leaf_vector: Option<String>,
}

impl Tree {
    fn add_to(&self, trees: &mut Trees) -> Result<(), Error> {
        if let Some(size) = &self.parameters.size_leaf_vector {
            check_leaf_size(size.parse().map_err(|_| Error::malformed("`size_leaf_vector` is no number"))?)?;
        }
        if self.split_type.iter().any(|is_categorical| is_categorical.0) {
            let what = "a split on categories".to_owned();
            return Err(Error::Unsupported { what, supported: "; splits on numbers are" });
        }
        let count = self.left_children.len();
        let lengths =
            [self.right_children.len(), self.split_indices.len(), self.split_conditions.len(), self.default_left.len()];
        if lengths.iter().any(|len| *len != count) {
            return Err(Error::malformed(format!("the arrays of tree {} differ in length", trees.len())));
        }
        trees.add(count, |node| RawNode {
            left: self.left_children[node],
            right: self.right_children[node],
            feature: self.split_indices[node],
            value: self.split_conditions[node].0,
            is_default_left: self.default_left[node].0,
        })
    }
}

/// A number, or `null` where it is not a number.
#[derive(Debug, Clone, Copy)]
struct Number(f32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Option::<f32>::deserialize(deserializer)?;
        Ok(Self(number.unwrap_or(f32::NAN)))
    }
}

/// A truth value, which is a boolean in old files and a number in new ones.
#[derive(Debug, Clone, Copy)]
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, 0 or 1")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Flag, E> {
        Ok(Flag(value != 0))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Flag, E> {
        Ok(Flag(value != 0))
    }
}
