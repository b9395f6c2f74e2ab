//! `StackingClassifier` and `StackingRegressor`: an estimator of what others say.
//!
//! Wolpert, Stacked generalization (1992).

use provost_inference::{Features, OutputSchema, PredictError};

use crate::{Method, shown::shown};

use super::{
    super::{
        Error,
        classes::Classes,
        estimator::{self, Fitted, Model},
        predictor::{Answer, Head},
        record::Record,
        transform::{Missing, Transform},
    },
    head::HeadOf,
    members::members,
};

/// What members say, and perhaps the features, beside each other.
#[derive(Debug)]
struct Stack {
    features: usize,
    members: Vec<HeadOf>,
    /// How many of the first columns of each member are left out.
    skipped: Vec<usize>,
    passes_features: bool,
}

pub(in super::super) fn extract(record: &Record<'_>, depth: usize) -> Result<Fitted, Error> {
    let members = members(record, depth)?;
    let told = members.iter().find_map(|member| member.fitted.features);
    let features = record.features_in()?.or(told);
    let features = features.ok_or_else(|| Error::AnyFeatures { estimator: record.estimator.name.to_owned() })?;
    let methods = record.get("stack_method_")?;
    let mut stack =
        Stack { features, members: Vec::new(), skipped: Vec::new(), passes_features: record.is_true("passthrough")? };
    for (member, id) in members.into_iter().zip(methods.list()?) {
        let text = methods.element(*id).text()?;
        let method = Method::ALL.into_iter().find(|method| method.name() == text);
        let method = method.ok_or_else(|| methods.problem(format!("has `{}`, which is not known", shown(text))))?;
        let is_pair =
            method == Method::PredictProba && member.fitted.classes().first().is_some_and(|one| one.len() == 2);
        let (head, ..) = member.answer(method, features, None)?;
        stack.members.push(head);
        stack.skipped.push(usize::from(is_pair));
    }
    let last = estimator::extract_nested(record.pickle, record.get("final_estimator_")?.id, depth + 1)?;
    if last.features.is_some_and(|takes| takes != stack.width(features)) || last.model.is_none() {
        return Err(record.problem("final_estimator_", "does not take what the members say"));
    }
    let classes = match record.some("classes_") {
        Some(classes) => vec![Classes::parse(classes)?],
        None => Vec::new(),
    };
    if classes.len() != last.classes().len()
        || classes.iter().zip(last.classes()).any(|(one, own)| one.len() != own.len())
    {
        return Err(record.problem("classes_", "are not as many as those of `final_estimator_`"));
    }
    let name = format!("{}({})", record.estimator.name, last.name);
    let stacked = Stacked { stack, last, classes };
    Ok(Fitted { name, ..Fitted::model(record, stacked)? })
}

/// Members, and what predicts from what they say. It knows classes by number.
#[derive(Debug)]
struct Stacked {
    stack: Stack,
    last: Fitted,
    classes: Vec<Classes>,
}

impl Model for Stacked {
    fn features(&self) -> Option<usize> {
        Some(self.stack.features)
    }

    fn methods(&self) -> Vec<Method> {
        let mut methods = self.last.methods();
        methods.retain(|method| !matches!(method, Method::Transform | Method::ScoreSamples));
        methods
    }

    fn classes(&self) -> &[Classes] {
        &self.classes
    }

    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error> {
        let width = self.stack.width(features);
        let steps: Vec<Box<dyn Transform>> = vec![Box::new(self.stack)];
        let Answer { head, output, missing_values } = self.last.answer_for(method, width)?;
        let head = super::super::chain::Chain::with(steps, head, features);
        match (method, self.classes.first()) {
            (Method::Predict, Some(classes)) => {
                let output = OutputSchema { kind: classes.output_kind(), ..output };
                Ok(Answer { head: Box::new(Relabelled { head, values: classes.values() }), output, missing_values })
            }
            _ => Ok(Answer { head, output, missing_values }),
        }
    }
}

/// Puts what stands for classes in the place of their numbers.
#[derive(Debug)]
struct Relabelled {
    head: Box<dyn Head>,
    values: Vec<f64>,
}

impl Head for Relabelled {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of classes")]
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let start = output.len();
        self.head.predict(rows, output)?;
        output[start..]
            .iter_mut()
            .for_each(|value| *value = self.values.get(*value as usize).copied().unwrap_or(*value));
        Ok(())
    }

    fn cost_nanoseconds(&self) -> f64 {
        self.head.cost_nanoseconds() + 1.0
    }
}

impl Transform for Stack {
    fn name(&self) -> &'static str {
        "Stacking"
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, columns: usize) -> usize {
        let said =
            self.members.iter().zip(&self.skipped).map(|(member, skipped)| member.width - skipped).sum::<usize>();
        said + if self.passes_features { columns } else { 0 }
    }

    fn missing(&self) -> Missing {
        Missing::REFUSED
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let (start, width) = (output.len(), self.width(rows.columns()));
        output.resize(start + rows.rows() * width, 0.0);
        let (mut said, mut first) = (Vec::new(), start);
        for (member, skipped) in self.members.iter().zip(&self.skipped) {
            said.clear();
            member.head.predict(rows, &mut said)?;
            for (row, values) in said.chunks_exact(member.width).enumerate() {
                let values = &values[*skipped..];
                output[first + row * width..][..values.len()].copy_from_slice(values);
            }
            first += member.width - skipped;
        }
        if self.passes_features {
            for (row, values) in rows.iter_rows().enumerate() {
                output[first + row * width..][..values.len()].copy_from_slice(values);
            }
        }
        Ok(())
    }

    fn cost_nanoseconds(&self, _columns: usize) -> f64 {
        self.members.iter().map(|member| member.head.cost_nanoseconds()).sum()
    }
}
