//! Requests for predictions.

use std::borrow::Cow;

use super::{error::BadRequest, examples::read_examples};
use crate::{
    OutputKind, OutputShape, Predict,
    protocol::{
        block::{Block, Layout, NoRows, transposed},
        proto::serving::{ExamplesRequest, ModelSpec, PredictRequest},
        tensorflow::read_tensor,
        values::VALUES_MAX,
    },
};

/// A request for predictions.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Outputs for tensors.
    Predict(PredictRequest),
    /// Classes of examples, with their scores.
    Classify(ExamplesRequest),
    /// A number for each example.
    Regress(ExamplesRequest),
}

impl Request {
    /// Which model is meant.
    pub fn model_spec(&self) -> Option<&ModelSpec> {
        match self {
            Self::Predict(request) => request.model_spec.as_ref(),
            Self::Classify(request) | Self::Regress(request) => request.model_spec.as_ref(),
        }
    }

    /// Checks that a model can answer it, whose values stand so.
    pub fn check(&self, model: &dyn Predict, block: &Block<'_>) -> Result<(), BadRequest> {
        let (schema, signature) = (model.schema(), self.model_spec().map_or("", |spec| &spec.signature_name));
        let (method, known, otherwise) = self.names();
        if !known.split(", ").any(|name| name == signature) && !signature.is_empty() {
            return Err(BadRequest::Signature { name: signature.to_owned(), method, known });
        }
        if schema.feature_names.is_none() && matches!(block.layout, Layout::Named { .. }) {
            return Err(BadRequest::Unnamed(otherwise));
        }
        let output = &schema.output;
        match self {
            Self::Predict(request) => {
                let unknown = request.output_filter.iter().find(|name| *name != output.name);
                unknown
                    .map_or(Ok(()), |name| Err(BadRequest::UnknownOutput { name: name.clone(), output: output.name }))
            }
            Self::Classify(_) if classes(model).is_none() => Err(BadRequest::NoClasses(output.name)),
            Self::Regress(_) if !is_one_number(model) => Err(BadRequest::NoNumber(output.name)),
            Self::Classify(_) | Self::Regress(_) => Ok(()),
        }
    }

    /// The method's name, its signatures, and what to send where features have no names.
    fn names(&self) -> (&'static str, &'static str, &'static str) {
        const ONE_FEATURE: &str = "one feature with all values in each example";
        match self {
            Self::Predict(_) => ("Predict", "serving_default", "one tensor [rows, features]"),
            Self::Classify(_) => ("Classify", "serving_default, classification", ONE_FEATURE),
            Self::Regress(_) => ("Regress", "serving_default, regression", ONE_FEATURE),
        }
    }
}

/// The labels of the classes whose probabilities a model answers with.
pub(super) fn classes(model: &dyn Predict) -> Option<&[Box<str>]> {
    model.class_labels().filter(|labels| labels.len() == model.schema().output.width())
}

/// Whether a model answers with one floating-point number for each instance.
pub(super) fn is_one_number(model: &dyn Predict) -> bool {
    let output = &model.schema().output;
    output.kind == OutputKind::Float && matches!(output.shape, OutputShape::Vector | OutputShape::Matrix(1))
}

/// Reads a request and appends its values to `values`, which must be empty. NaN is a missing value.
pub fn read_request<'a>(request: &'a Request, values: &mut Vec<f64>) -> Result<Block<'a>, BadRequest> {
    let layout = match request {
        Request::Predict(request) => read_tensors(request, values)?,
        Request::Classify(request) | Request::Regress(request) => read_examples(request, values)?,
    };
    let first_missing = values.iter().position(|value| value.is_nan());
    Ok(Block { layout, first_missing })
}

fn read_tensors<'a>(request: &'a PredictRequest, values: &mut Vec<f64>) -> Result<Layout<'a>, BadRequest> {
    let mut inputs = Vec::new();
    for (name, tensor) in &request.inputs {
        let shape = read_tensor(tensor, values);
        let shape = shape.map_err(|problem| BadRequest::Tensor { input: name.clone(), problem })?;
        inputs.push((Cow::Borrowed(name.as_str()), shape));
        if values.len() > VALUES_MAX {
            return Err(BadRequest::TooManyValues(VALUES_MAX));
        }
    }
    let layout = Layout::of_tensors(inputs).map_err(|problem| match problem {
        NoRows::Nothing => BadRequest::NoInputs,
        NoRows::NotAColumn { input, shape, first, rows } => BadRequest::NotAColumn { input, shape, first, rows },
    })?;
    Ok(match layout {
        // What stands in a map has no order: each must be known by its name.
        Layout::Columns { rows, names } => {
            *values = transposed(values, rows, names.len(), None);
            Layout::Named { rows, names }
        }
        layout => layout,
    })
}

#[cfg(test)]
mod tests;
