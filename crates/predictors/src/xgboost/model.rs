//! A booster as its file describes it, whatever the format.

use std::fmt;

use provost_inference::Predict;

use crate::{Method, shown::shown};

use super::{Error, booster::Booster, trees::Ensemble};

/// Outputs that a model may claim whatever its number of trees.
const MAX_GROUPS_WITHOUT_TREES: usize = 1024;

/// What a model file says.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) version: Option<Version>,
    pub(super) booster: String,
    pub(crate) objective: String,
    pub(super) base_score: BaseScore,
    pub(crate) features: usize,
    pub(crate) feature_names: Option<Vec<String>>,
    /// Features whose values are codes of categories.
    pub(super) categorical: Vec<usize>,
    /// Outputs for each row: classes or targets.
    pub(crate) groups: usize,
    pub(super) scores: Scores,
    /// The last round that counts, where training stopped early.
    pub(super) best_iteration: Option<usize>,
}

/// Where scores come from.
#[derive(Debug)]
pub(super) enum Scores {
    Trees(Box<Ensemble>),
    /// `gblinear`: a weight for each output of each feature, then the outputs' biases.
    Weights(Vec<f32>),
}

impl Model {
    /// Refuses a model of more features than the limit, or of more outputs than its parts can tell.
    pub(super) fn within(self, limit: usize) -> Result<Self, Error> {
        let (features, groups) = (self.features, self.groups);
        let parts = match &self.scores {
            Scores::Trees(ensemble) => ensemble.outputs(),
            Scores::Weights(weights) => weights.len(),
        };
        if features > limit {
            return Err(Error::TooManyFeatures { features, limit });
        }
        if groups > MAX_GROUPS_WITHOUT_TREES.max(parts) {
            return Err(Error::malformed(format!("it claims {groups} outputs, more than trees")));
        }
        Ok(self)
    }

    /// Drops all rounds after the best one, as the scikit-learn interface does: so many trees for each
    /// output, or those up to the round that the booster itself has noted.
    pub(crate) fn stop_early(&mut self, trees: Option<usize>) {
        let Scores::Trees(ensemble) = &mut self.scores else { return };
        let noted = self.version.is_some_and(|version| version.is_since(1, 4)).then_some(self.best_iteration).flatten();
        match (noted, trees) {
            (Some(best), _) => ensemble.keep_rounds(best.saturating_add(1), self.groups),
            (None, Some(1..)) => ensemble.keep_trees(trees.unwrap_or_default().saturating_mul(self.groups)),
            _ => {}
        }
    }

    /// What predicts as `Booster.predict` does.
    pub(crate) fn predictor(self, method: Method) -> Result<Box<dyn Predict>, Error> {
        Ok(Box::new(Booster::new(self, method)?))
    }

    pub(crate) fn version_text(&self) -> Option<String> {
        self.version.map(|version| version.to_string())
    }

    /// What a caller should know: which features are codes of categories.
    pub(crate) fn warnings(&self) -> Vec<String> {
        const SHOWN: usize = 10;
        let name = |feature: &usize| match &self.feature_names {
            Some(names) => shown(&names[*feature]),
            None => feature.to_string(),
        };
        let names: Vec<_> = self.categorical.iter().take(SHOWN).map(name).collect();
        let more = if self.categorical.len() > SHOWN { ", …" } else { "" };
        let warning = || {
            let names = names.join(", ");
            format!(
                "features {names}{more} are categories: requests carry their codes, 0 for the first category of training"
            )
        };
        (!names.is_empty()).then(warning).into_iter().collect()
    }
}

/// What scores start from: one value for all outputs, or one for each.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum BaseScore {
    /// As the user gave it: a probability, for instance, which the objective turns into a margin.
    Score(Vec<f32>),
    /// Margins already: the binary format before 1.0, and models of 3.1 and later that were saved
    /// before anything was fitted.
    Margin(Vec<f32>),
}

/// The version of XGBoost that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) patch: Option<u32>,
}

impl Version {
    /// Whether it is this version or a later one.
    pub(super) fn is_since(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}
