//! `RFE` and `RFECV`: a choice of features, and a model that was fitted on them.

use provost_inference::MissingValues;

use crate::Method;

use super::{
    super::{
        Error,
        chain::Chain,
        classes::Classes,
        estimator::{self, Fitted, Model},
        predictor::Answer,
        record::Record,
        transform::{self, Transform},
    },
    Transformer,
    select::Selection,
};

#[derive(Debug)]
pub(super) struct Elimination {
    selection: Selection,
    model: Fitted,
}

impl Elimination {
    pub(super) fn parse(record: &Record<'_>, depth: usize) -> Result<Self, Error> {
        let selection = Selection::parse(record, Transformer::Mask)?;
        let attribute = record.get("estimator_")?;
        let model = estimator::extract_nested(record.pickle, attribute.id, depth + 1)?;
        if model.features.is_some_and(|features| features != selection.width(0)) {
            return Err(attribute.problem(format!("does not take the {} features of `support_`", selection.width(0))));
        }
        Ok(Self { selection, model })
    }
}

impl Model for Elimination {
    fn features(&self) -> Option<usize> {
        self.selection.features()
    }

    fn methods(&self) -> Vec<Method> {
        let mut methods = self.model.methods();
        methods.retain(|method| !matches!(method, Method::Transform | Method::ScoreSamples));
        methods.push(Method::Transform);
        methods
    }

    fn classes(&self) -> &[Classes] {
        self.model.classes()
    }

    fn answer(self: Box<Self>, method: Method, features: usize) -> Result<Answer, Error> {
        let selection = Box::new(self.selection);
        if method == Method::Transform {
            return Ok(transform::answer(selection, features));
        }
        let answer = self.model.answer(method)?;
        let head = Chain::with(vec![selection], answer.head, features);
        Ok(Answer { head, output: answer.output, missing_values: MissingValues::Refused })
    }

    fn into_transform(self: Box<Self>) -> Option<Box<dyn Transform>> {
        Some(Box::new(self.selection))
    }
}
