//! The model document.

use serde::Deserialize;

use crate::shown::shown;

use super::{
    Error,
    loss::Loss,
    model::{Labels, Model, Trees},
};

/// Deepest trees that CatBoost grows.
const MAX_DEPTH: usize = 16;
/// Values that a model may have for each row, whatever its trees.
const MAX_OUTPUTS: usize = 1 << 16;

/// Reads a model of at most so many features.
pub(super) fn parse(bytes: &[u8], max_features: usize) -> Result<Model, Error> {
    let hint = if bytes.starts_with(b"CBM1") {
        "; it is CatBoost's binary format: save the model with `save_model(..., format=\"json\")`"
    } else {
        ""
    };
    let document: Document = serde_json::from_slice(bytes).map_err(|source| Error::UnknownFormat { hint, source })?;
    let features = document.features_info.float_features.len();
    if features > max_features {
        return Err(Error::TooManyFeatures { features, limit: max_features });
    }
    document.into_model()
}

#[derive(Debug, Deserialize)]
struct Document {
    features_info: FeaturesInfo,
    model_info: ModelInfo,
    oblivious_trees: Option<Vec<Tree>>,
    scale_and_bias: Option<(f64, Bias)>,
}

#[derive(Debug, Deserialize)]
struct FeaturesInfo {
    #[serde(default)]
    float_features: Vec<FloatFeature>,
    #[serde(default)]
    categorical_features: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    text_features: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    embedding_features: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct FloatFeature {
    feature_index: usize,
    #[serde(default)]
    feature_id: String,
    nan_value_treatment: String,
}

#[derive(Debug, Deserialize)]
struct ModelInfo {
    #[serde(default)]
    catboost_version_info: String,
    params: Parameters,
    class_params: Option<ClassParameters>,
    binclass_probability_threshold: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Parameters {
    loss_function: LossFunction,
}

#[derive(Debug, Deserialize)]
struct LossFunction {
    #[serde(rename = "type")]
    name: String,
}

#[derive(Debug, Deserialize)]
struct ClassParameters {
    #[serde(default)]
    class_names: Labels,
}

#[derive(Debug, Deserialize)]
struct Tree {
    splits: Option<Vec<Split>>,
    leaf_values: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct Split {
    split_type: String,
    float_feature_index: Option<usize>,
    border: Option<f32>,
}

/// What is added to a row's values: one number before 0.24, one for each value since.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Bias {
    One(f64),
    Each(Vec<f64>),
}

impl Document {
    fn into_model(self) -> Result<Model, Error> {
        self.features_info.check()?;
        if self.model_info.binclass_probability_threshold.is_some() {
            let hint = "; serve probabilities of a model without it, and compare them yourself";
            return Err(Error::unsupported("a threshold for the probability", hint));
        }
        let trees = self.oblivious_trees.ok_or_else(|| {
            let supported = "; symmetric ones are (`grow_policy=SymmetricTree`)";
            Error::unsupported("a model whose trees are not symmetric", supported)
        })?;
        let loss_name = self.model_info.params.loss_function.name;
        let loss = Loss::parse(&loss_name)?;
        let labels = self.model_info.class_params.map(|classes| classes.class_names).unwrap_or_default();
        let trees = lay_out(&trees, self.features_info.float_features.len())?;
        let (scale, bias) = self.scale_and_bias.unwrap_or((1.0, Bias::One(0.0)));
        let bias = bias.of(trees.outputs, loss)?;
        let nan_is_above = self.features_info.nan_is_above()?;
        let outputs = bias.len();
        check_outputs(loss, outputs, &trees, &labels)?;
        Ok(Model {
            version: version(&self.model_info.catboost_version_info),
            loss_name: shown(&loss_name),
            loss,
            labels,
            feature_names: self.features_info.names(),
            nan_is_above,
            trees,
            scale,
            bias,
        })
    }
}

fn check_outputs(loss: Loss, outputs: usize, trees: &Trees, labels: &Labels) -> Result<(), Error> {
    let is_as_trees = trees.outputs.is_none_or(|found| found == outputs);
    if !loss.takes(outputs) || !is_as_trees {
        return Err(Error::malformed(format!("it has {outputs} values for each row, which its loss or trees do not")));
    }
    let classes = if loss == Loss::Binary { 2 } else { outputs };
    let is_classifier = !matches!(loss, Loss::Value | Loss::Exponent);
    if is_classifier && !matches!(labels.len(), 0) && labels.len() != classes {
        return Err(Error::malformed(format!("it names {} classes of {classes}", labels.len())));
    }
    Ok(())
}

impl FeaturesInfo {
    fn check(&self) -> Result<(), Error> {
        let kinds = [
            (!self.categorical_features.is_empty(), "a model over features that are categories"),
            (!self.text_features.is_empty(), "a model over features that are texts"),
            (!self.embedding_features.is_empty(), "a model over features that are embeddings"),
        ];
        match kinds.into_iter().find(|(is_there, _)| *is_there) {
            Some((_, what)) => Err(Error::unsupported(what, "; features that are numbers are")),
            None if self.float_features.is_empty() => Err(Error::malformed("it has no features")),
            None if self.float_features.iter().enumerate().any(|(index, one)| one.feature_index != index) => {
                Err(Error::malformed("its features are not in order"))
            }
            None => Ok(()),
        }
    }

    /// Names of the features, where it has one for each.
    fn names(&self) -> Option<Vec<String>> {
        let has_names = self.float_features.iter().all(|feature| !feature.feature_id.is_empty());
        has_names.then(|| self.float_features.iter().map(|feature| feature.feature_id.clone()).collect())
    }

    /// Whether missing values of each feature are above every border. Else they are below, as NaN is when
    /// it is compared.
    fn nan_is_above(&self) -> Result<Box<[bool]>, Error> {
        let is_above = |feature: &FloatFeature| match feature.nan_value_treatment.as_str() {
            "AsIs" | "AsFalse" => Ok(false),
            "AsTrue" => Ok(true),
            other => Err(Error::unsupported(format!("`nan_value_treatment` `{}`", shown(other)), "")),
        };
        self.float_features.iter().map(is_above).collect()
    }
}

impl Bias {
    /// One number for each value of a row, which the trees tell the number of.
    fn of(self, outputs: Option<usize>, loss: Loss) -> Result<Box<[f64]>, Error> {
        let bias: Box<[f64]> = match (self, outputs) {
            (Self::One(bias), Some(outputs)) => vec![bias; outputs].into(),
            (Self::One(bias), None) if loss.takes(1) => [bias].into(),
            (Self::One(_), None) => return Err(Error::malformed("it has no trees")),
            (Self::Each(bias), Some(outputs)) if bias.len() == 1 => vec![bias[0]; outputs].into(),
            (Self::Each(bias), _) => bias.into(),
        };
        if bias.iter().any(|bias| !bias.is_finite()) { Err(Error::malformed("a bias is not finite")) } else { Ok(bias) }
    }
}

/// Lays the trees out one after the other.
fn lay_out(trees: &[Tree], features: usize) -> Result<Trees, Error> {
    let mut laid_out = Trees::default();
    for (number, tree) in trees.iter().enumerate() {
        let splits = tree.splits.as_deref().unwrap_or_default();
        let leaves = 1usize << splits.len().min(MAX_DEPTH + 1);
        let outputs = tree.leaf_values.len() / leaves;
        let is_whole = outputs * leaves == tree.leaf_values.len() && (1..=MAX_OUTPUTS).contains(&outputs);
        let is_alike = laid_out.outputs.is_none_or(|before| before == outputs);
        if splits.len() > MAX_DEPTH || !is_whole || !is_alike {
            return Err(Error::malformed(format!("tree {number} has not the leaves that its splits ask for")));
        }
        if tree.leaf_values.iter().any(|value| !value.is_finite()) {
            return Err(Error::malformed(format!("a leaf of tree {number} is not finite")));
        }
        let splits = splits.iter().map(|split| split.check(number, features)).collect::<Result<Vec<_>, _>>()?;
        laid_out.add(&splits, &tree.leaf_values, outputs);
    }
    Ok(laid_out)
}

impl Split {
    fn check(&self, tree: usize, features: usize) -> Result<(u32, f32), Error> {
        if self.split_type != "FloatFeature" {
            let what = format!("a split of type `{}`", shown(&self.split_type));
            return Err(Error::unsupported(what, "; splits on numbers are"));
        }
        let feature = self.float_feature_index.filter(|feature| *feature < features);
        let border = self.border.filter(|border| !border.is_nan());
        let found = feature.and_then(|feature| u32::try_from(feature).ok()).zip(border);
        found.ok_or_else(|| Error::malformed(format!("a split of tree {tree} is on no feature or has no border")))
    }
}

/// The version in words such as `Summary: CatBoost Release 1.2.8.`.
fn version(words: &str) -> Option<String> {
    let mut lines = words.lines().filter_map(|line| line.trim().strip_prefix("Branch: tags/v"));
    lines.next().map(shown)
}
