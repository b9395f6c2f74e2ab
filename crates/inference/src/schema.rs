//! What a predictor takes and gives.

use std::sync::Arc;

/// Shape of a predictor's input and output. Fixed when the model is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Number of features in each row.
    pub features: usize,
    /// Names of the features, where the model carries them; as many as `features`.
    pub feature_names: Option<Arc<[Box<str>]>>,
    /// Whether NaN may stand for a missing value.
    pub missing_values: MissingValues,
    /// What comes out for each row.
    pub output: OutputSchema,
}

/// Whether a model takes missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingValues {
    /// NaN is handled by the model.
    Accepted,
    /// NaN is an error of the caller.
    Refused,
}

/// What a predictor gives for each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSchema {
    /// One value a row, or several.
    pub shape: OutputShape,
    /// How the values are to be read.
    pub kind: OutputKind,
    /// What the model computes, by the name of its method in Python: such as `predict` or `predict_proba`.
    pub name: &'static str,
    /// How precise floating-point values are.
    pub precision: Precision,
}

/// How precise the floating-point values of an output are; they are always carried as `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Computed in 32 bits.
    Single,
    /// Computed in 64 bits.
    Double,
}

impl OutputSchema {
    /// Number of values for each row: 1 for a vector.
    pub fn width(&self) -> usize {
        match self.shape {
            OutputShape::Vector => 1,
            OutputShape::Matrix(columns) => columns,
        }
    }
}

/// Shape of an output over n rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputShape {
    /// Shape (n): one value a row, such as a predicted class or a regression's target.
    Vector,
    /// Shape (n, columns), such as class probabilities.
    Matrix(usize),
}

/// How output values, which are always carried as `f64`, are to be read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputKind {
    /// Floating-point numbers.
    Float,
    /// Whole numbers, exact within ±2⁵³.
    Integer,
    /// 0 is false, 1 is true.
    Boolean,
    /// Indices into these class labels.
    Label(Arc<[Box<str>]>),
}
