//! `OrdinalEncoder`: the number of a value's category.

use provost_inference::{Features, PredictError};

use crate::shown::shown;

use super::{
    super::{
        Error,
        record::Record,
        transform::{Missing, Transform, check_finite, check_not_infinite},
        version::Version,
    },
    categories::Categories,
};

#[derive(Debug)]
pub(super) struct Ordinal {
    columns: Vec<Categories>,
    /// What stands for a value that is no category; else it is an error.
    unknown: Option<f64>,
    /// What stands for a missing value that is a category; else its number.
    missing_value: Option<f64>,
    missing: Missing,
}

impl Ordinal {
    pub(super) fn parse(record: &Record<'_>) -> Result<Self, Error> {
        let columns = Categories::parse_all(record)?;
        let value = |name| -> Result<f64, Error> {
            let attribute = record.get(name)?;
            attribute.float().ok_or_else(|| attribute.problem("is not a number"))
        };
        let unknown = match record.some("handle_unknown") {
            None => None,
            Some(handling) => match handling.text()? {
                "error" => None,
                "use_encoded_value" => Some(value("unknown_value")?),
                other => return Err(handling.problem(format!("is `{}`, which is not known", shown(other)))),
            },
        };
        let missing_value = match record.some("encoded_missing_value") {
            Some(_) => Some(value("encoded_missing_value")?),
            None => Some(f64::NAN),
        };
        let is_new = record.version().is_none_or(|version| version >= Version(1, 0));
        let is_known = unknown.is_some() || columns.iter().any(Categories::has_missing);
        let missing = match (is_new && is_known, missing_value) {
            (false, _) => Missing::REFUSED,
            (true, Some(value)) if value.is_nan() => Missing { fills: unknown.is_some(), passes: true },
            (true, _) => Missing::FILLED,
        };
        Ok(Self { columns, unknown, missing_value, missing })
    }
}

impl Transform for Ordinal {
    fn name(&self) -> &'static str {
        "OrdinalEncoder"
    }

    fn features(&self) -> Option<usize> {
        Some(self.columns.len())
    }

    fn width(&self, columns: usize) -> usize {
        columns
    }

    fn missing(&self) -> Missing {
        self.missing
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        if self.missing.are_taken() {
            check_not_infinite(rows)?;
        } else {
            check_finite(rows)?;
        }
        for (row, values) in rows.iter_rows().enumerate() {
            for (column, (value, categories)) in values.iter().zip(&self.columns).enumerate() {
                let encoded = match categories.find(*value) {
                    Some(number) if Some(number) == categories.missing_number() => {
                        self.missing_value.unwrap_or(number.into())
                    }
                    Some(number) => number.into(),
                    None => self.unknown.ok_or(PredictError::UnknownCategory { row, column, value: *value })?,
                };
                output.push(encoded);
            }
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        12.0 * columns as f64
    }
}
