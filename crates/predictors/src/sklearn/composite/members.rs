//! The members of an estimator that consists of others.

use provost_inference::{MissingValues, OutputSchema};

use crate::{Method, pickle::Node};

use super::{
    super::{
        Error,
        chain::Chain,
        classes::Classes,
        estimator::{self, Fitted},
        record::{Part, Record},
        transform::Transform,
        transformers::Selection,
    },
    head::HeadOf,
};

/// One member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) fitted: Fitted,
    /// The columns it gets; `None` is all.
    pub(super) columns: Option<Vec<usize>>,
    pub(super) weight: f64,
}

/// `estimators_`, with the columns and the weight of each where they have them.
pub(super) fn members(record: &Record<'_>, depth: usize) -> Result<Vec<Member>, Error> {
    let list = record.get("estimators_")?;
    let columns = record.some("estimators_features_");
    let weights = weights(record)?;
    let mut members = Vec::new();
    for id in list.list()? {
        let index = members.len();
        let fitted = estimator::extract_nested(record.pickle, *id, depth + 1)?;
        let columns = match &columns {
            Some(columns) => {
                let bound = record.features_in()?.or(record.some("n_features_").map(|one| one.count()).transpose()?);
                let bound = bound.ok_or_else(|| record.problem("n_features_in_", "is missing"))?;
                let id = columns.list()?.get(index).ok_or_else(|| columns.problem("is shorter than `estimators_`"))?;
                Some(columns.element(*id).indices(bound)?)
            }
            None => None,
        };
        let weight = weights.as_ref().map_or(Some(1.0), |weights| weights.get(index).copied());
        let weight = weight.ok_or_else(|| record.problem("weights", "are fewer than there are estimators"))?;
        members.push(Member { fitted, columns, weight });
    }
    Ok(members)
}

/// Gives members the weights of AdaBoost, of which there may be more than members where it stopped early.
pub(super) fn weigh(record: &Record<'_>, members: &mut [Member]) -> Result<(), Error> {
    let attribute = record.get("estimator_weights_")?;
    let (weights, _) = attribute.any_floats()?;
    if weights.len() < members.len() {
        return Err(attribute.problem("are fewer than there are estimators"));
    }
    if !are_weights(&weights) {
        return Err(attribute.problem("holds a weight that is negative or not finite"));
    }
    members.iter_mut().zip(weights).for_each(|(member, weight)| member.weight = weight);
    Ok(())
}

/// A NaN is none, nor is what is below zero or without end.
fn are_weights(weights: &[f64]) -> bool {
    weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0)
}

/// Members whose median is sought say more than one number.
pub(super) fn several_outputs() -> Error {
    Error::Attribute {
        estimator: "AdaBoostRegressor".to_owned(),
        attribute: "estimators_",
        problem: "holds an estimator of several outputs".to_owned(),
    }
}

/// `weights`, of those that were not dropped.
fn weights(record: &Record<'_>) -> Result<Option<Vec<f64>>, Error> {
    let Some(attribute) = record.some("weights") else { return Ok(None) };
    let Ok(list) = attribute.list() else { return attribute.any_floats().map(|(values, _)| Some(values)) };
    let weight = |id: &_| attribute.element(*id).float().ok_or_else(|| attribute.problem("holds what is no number"));
    let weights = list.iter().map(weight).collect::<Result<Vec<_>, _>>()?;
    let named = record.get("estimators")?;
    let is_dropped = |id: &_| {
        let pair = named.element(*id).list().ok();
        let last = pair.and_then(|pair| pair.last().copied());
        last.is_some_and(|last| {
            matches!(named.pickle.node(last), Node::None) || named.pickle.text(last) == Some("drop")
        })
    };
    let dropped = named.list()?.iter().map(is_dropped);
    Ok(Some(weights.into_iter().zip(dropped).filter(|(_, is_dropped)| !is_dropped).map(|(weight, _)| weight).collect()))
}

/// The classes of an estimator that was fitted on what a `LabelBinarizer` made of them.
pub(super) fn binarized(record: &Record<'_>) -> Result<Classes, Error> {
    let binarizer = Record::parse_part(record.get("label_binarizer_")?, Part::LabelBinarizer)?;
    let kind = binarizer.get("y_type_")?;
    match kind.text()? {
        "binary" | "multiclass" => Classes::parse(binarizer.get("classes_")?),
        _ => Err(kind.problem("is of several labels for a row, which are not supported")),
    }
}

impl Member {
    pub(super) fn has(&self, method: Method) -> bool {
        self.fitted.methods().contains(&method)
    }

    /// Where the columns of a classifier's answer stand among all classes, which members tell by number. A member may
    /// not have seen all of them.
    pub(super) fn places(&self, asked: Method, classes: usize) -> Result<Option<Vec<usize>>, Error> {
        let [own] = self.fitted.classes() else { return Ok(None) };
        if asked != Method::PredictProba || own.len() == classes {
            return Ok(None);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        let place = |value: f64| (value >= 0.0 && value.fract() == 0.0).then_some(value as usize);
        let places = own.values().into_iter().map(|value| place(value).filter(|place| *place < classes));
        let unknown = || Error::Attribute {
            estimator: self.fitted.name.clone(),
            attribute: "classes_",
            problem: "are not numbers of the classes of the whole".to_owned(),
        };
        places.collect::<Option<_>>().map(Some).ok_or_else(unknown)
    }

    /// The member as it answers with `method`.
    pub(super) fn answer(
        self,
        method: Method,
        features: usize,
        places: Option<Vec<usize>>,
    ) -> Result<(HeadOf, OutputSchema, MissingValues), Error> {
        let answer = self.fitted.answer_for(method, self.columns.as_ref().map_or(features, Vec::len))?;
        let head = match self.columns {
            Some(columns) => {
                let gather: Box<dyn Transform> = Box::new(Selection::of(features, columns));
                Chain::with(vec![gather], answer.head, features)
            }
            None => answer.head,
        };
        Ok((
            HeadOf { head, width: answer.output.width(), weight: self.weight, places },
            answer.output,
            answer.missing_values,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::are_weights;

    #[test]
    fn weights_are_finite_and_not_negative() {
        assert!(are_weights(&[0.0, 1.5]));
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(!are_weights(&[1.0, bad]), "{bad}");
        }
    }
}
