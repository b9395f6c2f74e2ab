//! A feedback as it is kept: what was answered and what should have been, instance by instance.

use provost_domain::ErrorCode;
use provost_inference::{
    protocol::seldon::{Feedback, Field, Outcome, Part, outcomes, parse_data},
    record::instance_id,
};
use serde_json::{Map, Value};

use crate::error::RequestError;

/// What a feedback says.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) reward: f64,
    /// Number of instances, at least 1.
    pub(super) rows: usize,
    /// What should have been answered.
    truths: Option<Vec<Outcome>>,
    /// What was answered, where the caller says so.
    predictions: Option<Vec<Outcome>>,
    /// Whether all that is said of instances is in the two.
    is_whole: bool,
    /// Ids of the instances, where nothing else tells what the feedback is of.
    pub(super) instances: Vec<String>,
    /// The child that was chosen, by router.
    pub(super) routing: Map<String, Value>,
}

impl Judged {
    /// Reads a feedback, to a prediction whose id is known or not.
    pub(super) fn new(feedback: &Feedback<'_>, has_id: bool) -> Result<Self, RequestError> {
        let (truth, response) = (payload(feedback.truth), payload(feedback.response));
        let read = |payload: Option<(Field, &str)>| payload.and_then(|(field, text)| outcomes(field, text));
        let (truths, predictions) = (read(truth), read(response));
        let instances = if has_id || response.is_some() { Vec::new() } else { instances(payload(feedback.request))? };
        let is_whole = truths.is_some() == truth.is_some() && predictions.is_some() == response.is_some();
        let counts = [
            ("response", predictions.as_ref().map(Vec::len)),
            ("request", Some(instances.len()).filter(|count| *count > 0)),
            ("truth", truths.as_ref().map(Vec::len)),
        ];
        let rows = same(&counts)?;
        let routing = feedback.response.as_ref().and_then(|response| response.meta.routing);
        let routing = routing.map_or_else(|| Ok(Map::new()), serde_json::from_str)?;
        Ok(Self { reward: feedback.reward, rows, truths, predictions, is_whole, instances, routing })
    }

    /// All names of classes in it, in order; `None` where there are none.
    pub(super) fn labels(&self) -> Option<Vec<Box<str>>> {
        let all = self.truths.iter().chain(&self.predictions).flatten();
        let is_label = |outcome: &Outcome| matches!(outcome, Outcome::Label(_));
        if !self.is_whole || !all.clone().any(is_label) {
            return None;
        }
        let mut labels: Vec<Box<str>> = all.map(|outcome| name(outcome).into()).collect();
        labels.sort_unstable();
        labels.dedup();
        Some(labels)
    }

    /// A row of values an instance: the reward, and the truth beside the prediction, as numbers or as places of names
    /// among `labels`, where there are any. `None` where it says more than that.
    pub(super) fn columns(&self, labels: &[Box<str>]) -> Option<(Vec<f64>, Vec<f64>)> {
        let value = |all: &Option<Vec<Outcome>>, row: usize| {
            all.as_ref().and_then(|all| all.get(row)).map_or(f64::NAN, |outcome| place(outcome, labels))
        };
        let outputs = (0..self.rows).flat_map(|row| [value(&self.truths, row), value(&self.predictions, row)]);
        self.is_whole.then(|| (vec![self.reward; self.rows], outputs.collect()))
    }
}

fn payload(part: Option<Part<'_>>) -> Option<(Field, &str)> {
    part.and_then(|part| part.payload)
}

/// Ids of the instances of a request.
fn instances(request: Option<(Field, &str)>) -> Result<Vec<String>, RequestError> {
    let bad = |info: String| RequestError::new(ErrorCode::BadRequest, info);
    let Some((field, payload)) = request else {
        let info = "it cannot be told which prediction this is of: send `response` with what was answered, or the \
                    prediction's id as `response.meta.puid` or in the header Seldon-Puid, or `request` with its numbers";
        return Err(bad(info.to_owned()));
    };
    let mut values = Vec::new();
    let read = match field {
        Field::Data => parse_data(payload, &mut values).map_err(|error| error.to_string()),
        other => Err(format!("it has `{}`", other.name())),
    };
    let data = read.map_err(|reason| {
        bad(format!("a prediction is found by a `request` of numbers only ({reason}): send its id or `response`, too"))
    })?;
    Ok(values.chunks(data.columns.max(1)).map(|row| instance_id(row.iter().copied())).collect())
}

/// The number that all who tell one tell; 1 where none does.
fn same(counts: &[(&str, Option<usize>)]) -> Result<usize, RequestError> {
    let mut told = counts.iter().filter_map(|(name, count)| Some((name, (*count)?)));
    let Some((first, rows)) = told.next() else { return Ok(1) };
    match told.find(|(_, count)| *count != rows) {
        None => Ok(rows),
        Some((other, count)) => {
            let info = format!("`{other}` has {count} instances, and `{first}` has {rows}: send one for each");
            Err(RequestError::new(ErrorCode::BadRequest, info))
        }
    }
}

fn name(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Number(number) => number.to_string(),
        Outcome::Label(label) => label.clone(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of classes")]
fn place(outcome: &Outcome, labels: &[Box<str>]) -> f64 {
    match outcome {
        Outcome::Number(number) if labels.is_empty() => *number,
        outcome => {
            let name = name(outcome);
            labels.iter().position(|label| **label == *name).map_or(f64::NAN, |place| place as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use provost_inference::protocol::seldon::parse_feedback;

    use super::*;

    fn judged(body: &str, has_id: bool) -> Result<Judged, String> {
        let feedback = parse_feedback(body.as_bytes()).map_err(|error| error.to_string())?;
        Judged::new(&feedback, has_id).map_err(|error| error.info)
    }

    #[test]
    fn instances_stand_in_rows_with_truth_and_prediction() {
        let body =
            r#"{"reward":0.5,"response":{"data":{"ndarray":[[0.1,0.9],[1,0]]}},"truth":{"data":{"ndarray":[1,1]}}}"#;
        let judged = judged(body, false).unwrap();
        assert_eq!((judged.rows, judged.labels()), (2, None));
        assert_eq!(judged.columns(&[]), Some((vec![0.5, 0.5], vec![1.0, 1.0, 1.0, 0.0])));
    }

    #[test]
    fn classes_with_names_are_places_among_them() {
        let body = r#"{"response":{"data":{"ndarray":["b",2]}},"truth":{"data":{"ndarray":["a","b"]}}}"#;
        let judged = judged(body, false).unwrap();
        let labels = judged.labels().unwrap();
        assert_eq!(labels.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["2", "a", "b"]);
        assert_eq!(judged.columns(&labels), Some((vec![0.0, 0.0], vec![1.0, 2.0, 2.0, 0.0])));
    }

    #[test]
    fn without_an_id_or_an_answer_the_request_tells() {
        let judged =
            judged(r#"{"request":{"data":{"ndarray":[[1,2],[3,4]]}},"truth":{"data":{"ndarray":[1,0]}}}"#, false);
        let judged = judged.unwrap();
        assert_eq!(judged.instances, [instance_id([1.0, 2.0].into_iter()), instance_id([3.0, 4.0].into_iter())]);
    }

    #[test]
    fn what_says_more_than_classes_has_no_columns() {
        let judged = judged(r#"{"response":{"jsonData":{"a":1}},"truth":{"data":{"ndarray":[1]}}}"#, true).unwrap();
        assert_eq!((judged.labels(), judged.columns(&[])), (None, None));
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_is_told() {
        for (body, expected) in [
            (r#"{"reward":1}"#, "it cannot be told which prediction this is of"),
            (r#"{"response":{"meta":{}},"reward":1}"#, "it cannot be told which prediction this is of"),
            (
                r#"{"request":{"strData":"a"}}"#,
                "a prediction is found by a `request` of numbers only (it has `strData`)",
            ),
            (
                r#"{"response":{"data":{"ndarray":[1]}},"truth":{"data":{"ndarray":[1,2]}}}"#,
                "`truth` has 2 instances, and `response` has 1: send one for each",
            ),
        ] {
            let error = judged(body, false).unwrap_err();
            assert!(error.starts_with(expected), "{body}: {error}");
        }
        assert_eq!(judged(r#"{"reward":1}"#, true).unwrap().rows, 1);
    }
}
