//! A booster as its file describes it, whatever the format.

use std::fmt;

use super::trees::Ensemble;

/// What a model file says.
#[derive(Debug)]
pub(crate) struct Model {
    pub(super) version: Option<Version>,
    pub(super) booster: String,
    pub(super) objective: String,
    pub(super) base_score: BaseScore,
    pub(super) features: usize,
    pub(super) feature_names: Option<Vec<String>>,
    /// Features whose values are codes of categories.
    pub(super) categorical: Vec<usize>,
    /// Outputs for each row: classes or targets.
    pub(super) groups: usize,
    pub(super) scores: Scores,
    /// The last round that counts, where training stopped early.
    pub(super) best_iteration: Option<usize>,
}

/// Where scores come from.
#[derive(Debug)]
pub(super) enum Scores {
    Trees(Ensemble),
    /// `gblinear`: a weight for each output of each feature, then the outputs' biases.
    Weights(Vec<f32>),
}

impl Model {
    /// Drops all rounds after the best one, as the scikit-learn interface does.
    pub(super) fn stop_early(&mut self) {
        if let (Some(best), Scores::Trees(ensemble)) = (self.best_iteration, &mut self.scores) {
            ensemble.keep_rounds(best.saturating_add(1), self.groups);
        }
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
