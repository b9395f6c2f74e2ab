//! The model document, which JSON and UBJSON share. Trees are laid out as they are read, so that a
//! large file stands in memory once as bytes and once as trees.

use serde::{Deserialize, de::DeserializeOwned};

use crate::shown::shown;

use super::{
    Error,
    booster_kind::BoosterKind,
    document_tree::TreeList,
    model::{BaseScore, Model, Scores, Version},
    trees::{Ensemble, Trees},
    ubj,
};

/// Reads a model in JSON.
pub(super) fn parse_json(bytes: &[u8]) -> Result<Model, Error> {
    from_json::<Document>(bytes)?.into_model()
}

/// Reads the model of a document that holds the state of training too.
pub(super) fn parse_json_snapshot(bytes: &[u8]) -> Result<Model, Error> {
    from_json::<Snapshot>(bytes)?.model.into_model()
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match serde_json::from_slice(bytes) {
        Err(error) if error.is_syntax() => {
            serde_json::from_slice(&without_nan(bytes)).map_err(|error| no_model(&error))
        }
        outcome => outcome.map_err(|error| no_model(&error)),
    }
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
    ubj::from_slice::<Document>(bytes)?.into_model()
}

/// Reads the model of a document that holds the state of training too.
pub(super) fn parse_ubj_snapshot(bytes: &[u8]) -> Result<Model, Error> {
    ubj::from_slice::<Snapshot>(bytes)?.model.into_model()
}

/// A model and the state of its training.
#[derive(Debug, Deserialize)]
struct Snapshot {
    #[serde(rename = "Model")]
    model: Document,
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
    #[serde(default)]
    feature_types: Vec<String>,
    #[serde(default)]
    attributes: Attributes,
    gradient_booster: GradientBooster,
    #[serde(rename = "learner_model_param")]
    parameters: ModelParameters,
    objective: Objective,
}

/// What a user, or early stopping, has noted. All values are text.
#[derive(Debug, Default, Deserialize)]
struct Attributes {
    best_iteration: Option<String>,
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

/// A booster. What it holds depends on its kind: `dart` has a `gbtree` within.
#[derive(Debug, Deserialize)]
struct GradientBooster {
    name: String,
    model: Option<BoosterModel>,
    gbtree: Option<TreeBooster>,
    weight_drop: Option<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
struct TreeBooster {
    model: Option<BoosterModel>,
}

#[derive(Debug, Deserialize)]
struct BoosterModel {
    gbtree_model_param: Option<TreesParameters>,
    #[serde(default)]
    tree_info: Vec<i64>,
    trees: Option<TreeList>,
    /// Of `gblinear`.
    weights: Option<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
struct TreesParameters {
    num_trees: String,
    num_parallel_tree: Option<String>,
}

impl Document {
    fn into_model(self) -> Result<Model, Error> {
        let Learner { feature_names, feature_types, attributes, gradient_booster, parameters, objective } =
            self.learner;
        let booster = gradient_booster.name.clone();
        let scores = gradient_booster.into_scores()?;
        let rounds = if let Scores::Trees(ensemble) = &scores { ensemble.trees.len() } else { 1 };
        let [major, minor, patch] = self.version;
        let version = Version { major, minor, patch: Some(patch) };
        let features = number("num_feature", &parameters.num_feature)?;
        let is_categorical = |(feature, kind): (usize, String)| (kind == "c" && feature < features).then_some(feature);
        Ok(Model {
            version: Some(version),
            booster,
            objective: objective.name,
            base_score: parameters.base_score(version, rounds)?,
            features,
            feature_names: (feature_names.len() == features).then_some(feature_names),
            categorical: feature_types.into_iter().enumerate().filter_map(is_categorical).collect(),
            groups: parameters.groups()?,
            scores,
            best_iteration: attributes.best_iteration.and_then(|best| best.parse().ok()),
        })
    }
}

impl GradientBooster {
    fn into_scores(self) -> Result<Scores, Error> {
        let no_model = || Error::malformed("it has no model");
        match BoosterKind::parse(&self.name)? {
            BoosterKind::Trees => Ok(Scores::Trees(Box::new(self.model.ok_or_else(no_model)?.into_ensemble(None)?))),
            BoosterKind::Dart => {
                let model = self.gbtree.and_then(|within| within.model).ok_or_else(no_model)?;
                let weights = self.weight_drop.ok_or_else(|| Error::malformed("it has no `weight_drop`"))?;
                Ok(Scores::Trees(Box::new(model.into_ensemble(Some(weights))?)))
            }
            BoosterKind::Linear => {
                let weights = self.model.and_then(|model| model.weights).ok_or_else(no_model)?;
                Ok(Scores::Weights(weights))
            }
        }
    }
}

impl BoosterModel {
    fn into_ensemble(self, weights: Option<Vec<f32>>) -> Result<Ensemble, Error> {
        let trees = self.trees.ok_or_else(|| Error::malformed("it has no trees"))?.into_trees()?;
        let mut parallel_trees = 1;
        if let Some(parameters) = self.gbtree_model_param {
            check_tree_count(&parameters, &trees)?;
            let declared = parameters.num_parallel_tree;
            parallel_trees = declared.map_or(Ok(1), |text| number("num_parallel_tree", &text))?;
        }
        Ok(Ensemble { trees, tree_groups: self.tree_info, weights, parallel_trees })
    }
}

fn check_tree_count(parameters: &TreesParameters, trees: &Trees) -> Result<(), Error> {
    match number("num_trees", &parameters.num_trees)? {
        declared if declared == trees.len() => Ok(()),
        _ => Err(Error::malformed("`num_trees` is not the number of trees")),
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
