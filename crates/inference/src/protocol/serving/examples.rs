//! Examples as rows: one value for each feature, or all values in one feature.

use std::{borrow::Cow, collections::BTreeMap};

use super::error::{BadRequest, ExampleProblem};
use crate::protocol::{
    block::Layout,
    proto::{
        serving::{ExamplesRequest, InputKind},
        tensorflow::{Example, Feature, FeatureKind},
    },
    values::VALUES_MAX,
};

/// Reads the examples and appends their values. A feature without a value is missing.
pub(super) fn read_examples<'a>(request: &'a ExamplesRequest, values: &mut Vec<f64>) -> Result<Layout<'a>, BadRequest> {
    let examples = match request.input.as_ref().and_then(|input| input.kind.as_ref()) {
        Some(InputKind::Examples(list)) if !list.examples.is_empty() => &list.examples,
        Some(InputKind::WithContext(_)) => return Err(BadRequest::Context),
        Some(InputKind::Examples(_)) | None => return Err(BadRequest::NoExamples),
    };
    let first = features(examples, 0)?;
    let mut columns = 0;
    for index in 0..examples.len() {
        let start = values.len();
        let bad = |problem| BadRequest::Example { index, problem };
        read_example(features(examples, index)?, first, values).map_err(bad)?;
        let actual = values.len() - start;
        if index > 0 && actual != columns {
            return Err(bad(ExampleProblem::Ragged { expected: columns, actual }));
        }
        columns = actual;
        if values.len() > VALUES_MAX {
            return Err(BadRequest::TooManyValues(VALUES_MAX));
        }
    }
    let (rows, names) = (examples.len(), || first.keys().map(|name| Cow::Borrowed(name.as_str())).collect());
    Ok(if first.len() == 1 { Layout::Rows { rows, columns } } else { Layout::Named { rows, names: names() } })
}

fn features(examples: &[Example], index: usize) -> Result<&BTreeMap<String, Feature>, BadRequest> {
    let features = examples.get(index).and_then(|example| example.features.as_ref()).map(|features| &features.feature);
    features
        .filter(|features| !features.is_empty())
        .ok_or(BadRequest::Example { index, problem: ExampleProblem::Empty })
}

fn read_example(
    features: &BTreeMap<String, Feature>,
    first: &BTreeMap<String, Feature>,
    values: &mut Vec<f64>,
) -> Result<(), ExampleProblem> {
    if !features.keys().eq(first.keys()) {
        let names: Vec<_> = first.keys().map(String::as_str).collect();
        return Err(ExampleProblem::Features(names.join(", ")));
    }
    let is_lone = features.len() == 1;
    for (name, feature) in features {
        let actual = read_feature(name, feature, values)?;
        if actual != 1 && !is_lone {
            return Err(ExampleProblem::Several { name: name.clone(), actual });
        }
    }
    Ok(())
}

/// Appends the values of a feature, and tells how many they are.
fn read_feature(name: &str, feature: &Feature, values: &mut Vec<f64>) -> Result<usize, ExampleProblem> {
    let start = values.len();
    match &feature.kind {
        Some(FeatureKind::Floats(list)) => values.extend(list.value.iter().map(|value| f64::from(*value))),
        #[expect(clippy::cast_precision_loss, reason = "as numbers in JSON are")]
        Some(FeatureKind::Integers(list)) => values.extend(list.value.iter().map(|value| *value as f64)),
        Some(FeatureKind::Bytes(list)) if !list.value.is_empty() => {
            return Err(ExampleProblem::Bytes(name.to_owned()));
        }
        Some(FeatureKind::Bytes(_)) | None => {}
    }
    if values.len() == start {
        values.push(f64::NAN);
    }
    if values.iter().skip(start).any(|value| value.is_infinite()) {
        return Err(ExampleProblem::TooLarge(name.to_owned()));
    }
    Ok(values.len() - start)
}
