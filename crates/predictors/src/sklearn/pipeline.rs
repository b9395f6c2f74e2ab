//! `Pipeline`: transformers, then perhaps a model. Nested pipelines are laid flat.

use crate::pickle::{Node, NodeId};

use super::{
    Error,
    estimator::{self, Fitted},
    record::{Attribute, Record},
    transform::width_after,
};

/// What a step counts for in the budget, even one that does nothing.
const STEP_COST: usize = 64;

/// Reads all steps and strings them together.
pub(super) fn extract(record: &Record<'_>, depth: usize) -> Result<Fitted, Error> {
    let steps = record.get("steps")?;
    let steps = steps.list()?.iter().map(|step| extract_step(record, steps.element(*step), depth));
    let steps = steps.collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    let name = format!("Pipeline({})", names.join(", "));
    let version = record.version_text().map(ToOwned::to_owned);
    let joined = join(steps)?.ok_or_else(|| record.problem("steps", "is empty"))?;
    Ok(Fitted { name, version: version.or(joined.version.clone()), ..joined })
}

/// A step is a tuple of a name and an estimator, `None` or `"passthrough"`.
fn extract_step(record: &Record<'_>, step: Attribute<'_>, depth: usize) -> Result<Fitted, Error> {
    record.pickle.charge(STEP_COST).map_err(|_| Error::OverBudget)?;
    let [_name, id] = step.list()? else {
        return Err(step.problem("has a step that is not a name and an estimator"));
    };
    if is_passthrough(record, *id) {
        return Ok(estimator::passthrough());
    }
    estimator::extract_nested(record.pickle, *id, depth + 1)
}

fn is_passthrough(record: &Record<'_>, id: NodeId) -> bool {
    matches!(record.pickle.node(id), Node::None) || record.pickle.text(id) == Some("passthrough")
}

fn join(steps: Vec<Fitted>) -> Result<Option<Fitted>, Error> {
    let mut joined: Option<Fitted> = None;
    for (index, step) in steps.into_iter().enumerate() {
        joined = Some(match joined {
            None => step,
            Some(before) => append(before, index + 1, step)?,
        });
    }
    Ok(joined)
}

/// Adds step number `number` to those before it.
fn append(mut before: Fitted, number: usize, step: Fitted) -> Result<Fitted, Error> {
    let (name, version, feature_names) = (before.name.clone(), before.version.take(), before.feature_names.take());
    let declared = before.features;
    let mut steps = before.into_steps().ok_or(Error::NotATransformer { step: number - 1, estimator: name })?;
    let made = declared.map(|features| width_after(&steps, features));
    match (made, step.features) {
        (Some(expected), Some(actual)) if expected != actual => {
            return Err(Error::StepFeatures { step: number, expected, actual });
        }
        _ => steps.extend(step.steps),
    }
    Ok(Fitted {
        name: step.name,
        version: version.or(step.version),
        // Steps that take any number of columns keep that number.
        features: declared.or(step.features),
        feature_names: feature_names.or(step.feature_names),
        steps,
        model: step.model,
    })
}
