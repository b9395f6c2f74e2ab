//! `PolynomialFeatures`: products of features, up to a degree.

use provost_inference::{Features, PredictError};

use super::super::{
    Error,
    record::Record,
    transform::{Missing, Transform, check_finite},
};

/// Highest degree, beyond any that is of use.
const MAX_DEGREE: usize = 64;

#[derive(Debug)]
pub(super) struct Polynomial {
    features: usize,
    /// The features that are multiplied for each output, one output after the other.
    factors: Vec<u32>,
    /// Where each output's factors end.
    ends: Vec<u32>,
}

impl Polynomial {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let features = match record.features_in()? {
            Some(features) => features,
            None => record.get("n_input_features_")?.count()?,
        };
        let (least, most) = degrees(record)?;
        let mut terms = Self { features, factors: Vec::new(), ends: Vec::new() };
        let has_bias = record.get("include_bias")?.truth()?;
        if has_bias {
            terms.push(record, &[])?;
        }
        let is_strict = record.get("interaction_only")?.truth()?;
        for degree in least.max(1)..=most {
            terms.push_degree(record, degree, is_strict)?;
        }
        Ok(terms)
    }

    /// Adds the products of so many features, in lexicographic order.
    fn push_degree(&mut self, record: &Record<'_>, degree: usize, is_strict: bool) -> Result<(), Error> {
        let gap = u32::from(is_strict);
        let count = u32::try_from(self.features).map_err(|_| Error::OverBudget)?;
        let length = u32::try_from(degree).map_err(|_| Error::OverBudget)?;
        if count == 0 || is_strict && length > count {
            return Ok(());
        }
        let mut chosen: Vec<u32> = (0..length).map(|place| place * gap).collect();
        loop {
            self.push(record, &chosen)?;
            // The last place that can still be raised; those behind it follow.
            let highest = |place: u32| if is_strict { count + place - length } else { count - 1 };
            let can_rise = |(place, value): &(u32, &u32)| **value < highest(*place);
            let raised = (0u32..).zip(&chosen).filter(can_rise).last();
            let Some((place, first)) = raised.map(|(place, value)| (place, value + 1)) else { return Ok(()) };
            for (step, value) in (0u32..).zip(&mut chosen[place as usize..]) {
                *value = first + step * gap;
            }
        }
    }

    fn push(&mut self, record: &Record<'_>, factors: &[u32]) -> Result<(), Error> {
        record.pickle.charge(8 + 4 * factors.len()).map_err(|_| Error::OverBudget)?;
        self.factors.extend_from_slice(factors);
        self.ends.push(u32::try_from(self.factors.len()).map_err(|_| Error::OverBudget)?);
        Ok(())
    }
}

/// `degree`: the highest, or the lowest and the highest.
fn degrees(record: &Record<'_>) -> Result<(usize, usize), Error> {
    let attribute = record.get("degree")?;
    let (least, most) = match attribute.list() {
        Ok([least, most]) => (attribute.element(*least).count()?, attribute.element(*most).count()?),
        Ok(_) => return Err(attribute.problem("is neither a number nor two")),
        Err(_) => (0, attribute.count()?),
    };
    if most > MAX_DEGREE {
        return Err(attribute.problem(format!("is above {MAX_DEGREE}")));
    }
    Ok((least, most))
}

impl Transform for Polynomial {
    fn name(&self) -> &'static str {
        "PolynomialFeatures"
    }

    fn features(&self) -> Option<usize> {
        Some(self.features)
    }

    fn width(&self, _columns: usize) -> usize {
        self.ends.len()
    }

    fn missing(&self) -> Missing {
        Missing::REFUSED
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        check_finite(rows)?;
        for row in rows.iter_rows() {
            let mut start = 0;
            output.extend(self.ends.iter().map(|end| {
                let factors = &self.factors[start..*end as usize];
                start = *end as usize;
                factors.iter().map(|feature| row[*feature as usize]).product::<f64>()
            }));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, _columns: usize) -> f64 {
        (self.ends.len() + self.factors.len()) as f64
    }
}
