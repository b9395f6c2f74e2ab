//! The labels of a classifier's classes.

use std::sync::Arc;

use provost_inference::OutputKind;

use crate::numpy::Elements;

use super::{Error, record::Attribute};

/// Integers up to here are exact as `f64`.
const MAX_EXACT: u64 = 1 << 53;

/// The labels of one output's classes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Classes(Elements);

impl Classes {
    pub(super) fn parse(attribute: Attribute<'_>) -> Result<Self, Error> {
        let array = attribute.array()?;
        if array.shape.len() != 1 {
            return Err(attribute.problem(format!("has the shape {:?}", array.shape)));
        }
        let labels = attribute.elements_of(&array)?;
        if let Elements::Integers(values) = &labels
            && values.iter().any(|value| value.unsigned_abs() > MAX_EXACT)
        {
            return Err(attribute.problem("has labels beyond 2⁵³, which no 64-bit float holds"));
        }
        let classes = Self(labels);
        if classes.len() == 0 { Err(attribute.problem("is empty")) } else { Ok(classes) }
    }

    /// The numbers from 0 on.
    pub(super) fn numbers(count: usize) -> Self {
        Self(Elements::Integers((0..i64::try_from(count).unwrap_or(i64::MAX)).collect()))
    }

    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Elements::Integers(values) => values.len(),
            Elements::Floats(values) => values.len(),
            Elements::Booleans(values) => values.len(),
            Elements::Text(values) => values.len(),
        }
    }

    /// The labels as text.
    pub(super) fn names(&self) -> Vec<String> {
        match &self.0 {
            Elements::Integers(values) => values.iter().map(ToString::to_string).collect(),
            Elements::Floats(values) => values.iter().map(|value| format!("{value:?}")).collect(),
            Elements::Booleans(values) => values.iter().map(ToString::to_string).collect(),
            Elements::Text(values) => values.iter().map(ToString::to_string).collect(),
        }
    }

    /// How the predicted classes of several outputs are to be read: texts as indices into the labels
    /// of all outputs, one after the other.
    pub(super) fn common_kind(outputs: &[Self]) -> OutputKind {
        let labels = outputs.iter().filter_map(|classes| match &classes.0 {
            Elements::Text(labels) => Some(labels.as_slice()),
            _ => None,
        });
        let labels: Vec<_> = labels.flatten().cloned().collect();
        match outputs.first() {
            Some(first) if labels.is_empty() => first.output_kind(),
            _ => OutputKind::Label(labels.into()),
        }
    }

    /// What stands for each class of each output, in an output of
    /// [`common_kind`](Self::common_kind).
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    pub(super) fn common_values(outputs: &[Self]) -> Vec<Vec<f64>> {
        let mut first = 0;
        let shift = |classes: &Self| {
            let shift = if matches!(classes.0, Elements::Text(_)) { first as f64 } else { 0.0 };
            first += classes.len();
            classes.values().into_iter().map(|value| value + shift).collect()
        };
        outputs.iter().map(shift).collect()
    }

    /// How a predicted class is to be read.
    pub(super) fn output_kind(&self) -> OutputKind {
        match &self.0 {
            Elements::Integers(_) => OutputKind::Integer,
            Elements::Floats(_) => OutputKind::Float,
            Elements::Booleans(_) => OutputKind::Boolean,
            Elements::Text(names) => OutputKind::Label(Arc::from(names.as_slice())),
        }
    }

    /// What stands for each class in an output of [`output_kind`](Self::output_kind).
    #[expect(clippy::cast_precision_loss, reason = "labels beyond 2⁵³ are refused")]
    pub(super) fn values(&self) -> Vec<f64> {
        match &self.0 {
            Elements::Integers(values) => values.iter().map(|value| *value as f64).collect(),
            Elements::Floats(values) => values.clone(),
            Elements::Booleans(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
            Elements::Text(values) => (0..values.len()).map(|index| index as f64).collect(),
        }
    }
}
