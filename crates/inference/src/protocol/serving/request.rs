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

    /// Checks that it asks for predictions by the only signature that there is.
    pub fn check_signature(&self) -> Result<(), BadRequest> {
        check_signature(self.model_spec().map_or("", |spec| &spec.signature_name), "Predict", "serving_default")
    }

    /// Checks that a model can answer it, whose values stand so.
    pub fn check(&self, model: &dyn Predict, block: &Block<'_>) -> Result<(), BadRequest> {
        let signature = self.model_spec().map_or("", |spec| &spec.signature_name);
        let otherwise = match self {
            Self::Predict(request) => {
                check_signature(signature, "Predict", "serving_default")?;
                check_output(request, model)?;
                "one tensor [rows, features]"
            }
            Self::Classify(_) | Self::Regress(_) => {
                let method = if matches!(self, Self::Classify(_)) { Method::Classify } else { Method::Regress };
                method.check(model, signature)?;
                "one feature with all values in each example"
            }
        };
        let is_named = matches!(block.layout, Layout::Named { .. });
        if model.schema().feature_names.is_none() && is_named { Err(BadRequest::Unnamed(otherwise)) } else { Ok(()) }
    }
}

/// What is asked of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Classes, with their scores.
    Classify,
    /// A number for each.
    Regress,
}

impl Method {
    /// Checks that a model can answer so.
    pub fn check(self, model: &dyn Predict, signature: &str) -> Result<(), BadRequest> {
        let output = model.schema().output.name;
        match self {
            Self::Classify => check_signature(signature, "Classify", "serving_default, classification")?,
            Self::Regress => check_signature(signature, "Regress", "serving_default, regression")?,
        }
        match self {
            Self::Classify if classes(model).is_none() => Err(BadRequest::NoClasses(output)),
            Self::Regress if !is_one_number(model) => Err(BadRequest::NoNumber(output)),
            Self::Classify | Self::Regress => Ok(()),
        }
    }
}

fn check_signature(name: &str, method: &'static str, known: &'static str) -> Result<(), BadRequest> {
    if name.is_empty() || known.split(", ").any(|known| known == name) {
        return Ok(());
    }
    Err(BadRequest::Signature { name: name.to_owned(), method, known })
}

fn check_output(request: &PredictRequest, model: &dyn Predict) -> Result<(), BadRequest> {
    let output = model.schema().output.name;
    match request.output_filter.iter().find(|name| *name != output) {
        Some(name) => Err(BadRequest::UnknownOutput { name: name.clone(), output }),
        None => Ok(()),
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
